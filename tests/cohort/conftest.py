"""Trees of results of small cohorts, made without the package's statistics."""

from __future__ import annotations

import numpy as np
import pytest

from neurodrift.testing import results_of

DAY = 2.0 * np.arange(6)


def _recording(rng, *, subject="m", environment="A", day=DAY, slope=0.0, speed=0.0, by_speed=0.0):
    """One recording: information that changes by `slope` a day and follows running speed."""
    n = day.size
    running = 12 + speed * day + rng.normal(0, 1, n)
    events = 40 + rng.normal(0, 3, n)
    noise = rng.normal(0, 0.05, n)
    apart = np.abs(day[:, None] - day[None, :])
    return results_of(
        {
            "day": day,
            "running_speed": running,
            "events_per_unit": events,
            "running_time": 10 + rng.normal(0, 1, n),
            "n_detected": np.full(n, 100.0),
            "information": 1 + slope * day + by_speed * (running - 12) + noise,
            "fraction_place_cells": 0.4 + rng.normal(0, 0.02, n),
        },
        relative=np.exp(-0.05 * apart) + rng.normal(0, 0.01, (n, n)),
        subject=subject,
        environment=environment,
    )


def _cohort(seed, n=5, *, environments="A", spread=0.01, slope=0.0, **options):
    """A mapping of recordings: n animals whose slopes differ by `spread`."""
    rng = np.random.default_rng(seed)
    return {
        f"m{i} {e}": _recording(
            rng,
            subject=f"m{i}",
            environment=e,
            slope=own,
            **options,
        )
        for i, own in enumerate(slope + spread * rng.normal(size=n))
        for e in environments
    }


def _slope_of(tree, measure="information", x="day"):
    """Least squares of one recording, by numpy."""
    node = tree["sessions"].to_dataset()
    return np.polyfit(node[x].values, node[measure].values, 1)[0]


@pytest.fixture
def recording():
    return _recording


@pytest.fixture
def cohort():
    return _cohort


@pytest.fixture
def slope_of():
    return _slope_of
