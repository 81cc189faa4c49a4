from __future__ import annotations

import pytest

from neurodrift import analyze, testing


@pytest.fixture(scope="session")
def mouse():
    """Twelve cells, three sessions, some cells missed in some session."""
    return testing.linear_track(n_units=12, n_sessions=3, minutes=3, detection=0.8, seed=4)


@pytest.fixture(scope="session")
def results(mouse):
    return analyze(mouse, n_repeats=5, n_draws=1)
