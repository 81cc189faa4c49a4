"""Share of active units with equal events a cell: by drawing, and where the truth is known."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import neurodrift as nd
from neurodrift.analysis.footing.active import fraction_active_at_equal_events
from neurodrift.testing import results_of

UNITS = 400


def sparsity_of(counts: np.ndarray, least: int = 5) -> xr.Dataset:
    """A sparsity of events (session, unit), NaN where a unit was not detected."""
    return xr.Dataset({"n_events": (("session", "unit"), counts)}, attrs={"min_events": least})


def share(counts: np.ndarray, least: int = 5) -> np.ndarray:
    detected = xr.DataArray(np.isfinite(counts), dims=("session", "unit"))
    return fraction_active_at_equal_events(sparsity_of(counts, least), detected).values


def test_fraction_active__is_the_mean_over_thinned_events():
    rng = np.random.default_rng(0)
    counts = rng.poisson(rng.lognormal(2.0, 1.0, 60) * np.array([[1.0], [0.5], [0.25]])).astype(
        float
    )
    counts[1, 3:9] = np.nan
    typical = [np.median([n for n in row if n > 0]) for row in counts]
    drawn = np.zeros((2000, 3))
    for k in range(2000):
        for s in range(3):
            own = counts[s][np.isfinite(counts[s])].astype(int)
            kept = rng.binomial(own, min(typical) / typical[s])
            drawn[k, s] = np.mean(kept >= 5)
    np.testing.assert_allclose(share(counts), drawn.mean(axis=0), atol=0.004)


@pytest.mark.parametrize("last", [0.1, 0.33, 3.0])
def test_fraction_active__does_not_follow_the_number_of_events(last):
    rng = np.random.default_rng(1)
    scale = np.linspace(1.0, last, 6)[:, None]
    rate = rng.lognormal(np.log(30.0), 1.0, UNITS)
    counts = rng.poisson(rate * scale).astype(float)
    raw = (counts >= 5).mean(axis=1)
    found = share(counts)
    assert np.ptp(found) < 0.03
    assert last > 1 or raw[0] - raw[-1] > 3 * np.ptp(found)


@pytest.mark.parametrize("scale", [1.0, 0.3])
def test_fraction_active__sees_cells_fall_silent(scale):
    rng = np.random.default_rng(2)
    rate = rng.lognormal(np.log(60.0), 0.5, UNITS)
    falling = np.linspace(1.0, scale, 6)[:, None]
    on = rng.random(UNITS) >= np.linspace(0.0, 0.5, 6)[:, None]
    counts = rng.poisson(rate * falling * on).astype(float)
    np.testing.assert_allclose(share(counts), on.mean(axis=1), atol=0.03)


def test_fraction_active__nothing_recorded():
    assert np.isnan(share(np.full((2, 3), np.nan))).all()
    silent = share(np.array([[0.0, 0.0], [9.0, 8.0]]))
    assert np.isnan(silent[0]) or silent[0] == 0
    assert silent[1] == 1.0


def test_phases__do_not_take_the_number_of_events_for_drift():
    sessions = 8
    table = {
        "day": 2.0 * np.arange(sessions),
        "active_fraction": np.linspace(0.03, 0.01, sessions),
        "fraction_active_units": np.linspace(0.9, 0.6, sessions),
        "fraction_active_units_matched": np.full(sessions, 0.6)
        + np.random.default_rng(0).normal(0, 0.002, sessions),
    }
    way = np.linspace(0, 1, sessions)
    r = np.exp(-np.abs(way[:, None] - way))
    tree = results_of(table, similarity=r, relative=r)
    raw = nd.detect_phases(tree, n_repeats=99).attrs["verdict"]
    assert "directed" in raw
    tree["matched"] = xr.DataTree(xr.Dataset(attrs={"n_units": 60, "match": "events"}))
    found = nd.detect_phases(tree, n_repeats=99)
    assert "directed" not in found.attrs["verdict"]
    assert "active_fraction" not in found["quantity"].values.tolist()
    assert "Active fraction is left out" in found.attrs["limits"]
