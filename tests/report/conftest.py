from __future__ import annotations

import pytest
import xarray as xr

from neurodrift import analyze, testing
from neurodrift.report.view import View, views


@pytest.fixture(scope="session")
def results() -> xr.DataTree:
    """A small mouse: 14 units, 4 sessions, some units missed."""
    recording = testing.linear_track(
        n_units=10, n_sessions=4, minutes=3, detection=0.9, silencing=0.1, seed=2
    )
    return analyze(recording, n_repeats=10, n_draws=1, seed=7)


@pytest.fixture(scope="session")
def still() -> xr.DataTree:
    """Units without a position."""
    recording = testing.linear_track(n_units=12, n_sessions=3, minutes=1)
    without = ["x", "speed", "direction", "trial", "lap"]
    return analyze(recording.drop_vars([name for name in without if name in recording]))


@pytest.fixture
def view(results) -> View:
    return views(results)[0]


def _changed(tree: xr.DataTree, node: str = "", attrs=None, drop=(), **variables) -> xr.DataTree:
    """A copy with variables (values, or a function of the old variable) and attributes replaced."""
    tree = tree.copy(deep=True)
    if not node:
        tree.attrs |= attrs or {}
        return tree
    dataset = tree[node].to_dataset().drop_vars(list(drop))
    for name, value in variables.items():
        old = dataset.get(name)
        if callable(value):
            value = value(old)
        if old is not None and not isinstance(value, tuple | xr.DataArray):
            value = (old.dims, value, old.attrs)
        dataset[name] = value
    dataset.attrs |= attrs or {}
    return tree.assign({node: xr.DataTree(dataset)})


@pytest.fixture(scope="session")
def changed():
    """Copy a tree with something replaced."""
    return _changed
