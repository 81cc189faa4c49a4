"""Survival against lifelines, statsmodels and loops."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from neurodrift import compute_survival
from neurodrift.analysis.survival.survival import _kaplan_meier, _runs

LIFELINES = Path(__file__).parent / "lifelines_0_30_3.txt"


def states(values, **coords) -> xr.DataArray:
    return xr.DataArray(np.asarray(values), dims=("session", "unit"), coords=coords)


def drawn(seed, n_sessions=9, n_units=60):
    rng = np.random.default_rng(seed)
    on = (rng.random((n_sessions, n_units)) < 0.6).astype(float)
    on[rng.random(on.shape) < 0.1] = np.nan
    return on


def _of(duration, ended):
    runs = {"unit": np.arange(duration.size), "duration": duration, "early": duration - 1}
    return _kaplan_meier(runs | {"ended": ended}, np.ones((1, duration.size)), 0.95)


def test_kaplan_meier__is_that_of_lifelines():
    rng = np.random.default_rng(4)
    duration, ended = rng.integers(1, 8, 60).astype(float), rng.random(60) < 0.7
    found = _of(duration, ended)
    want = np.loadtxt(LIFELINES, skiprows=3)
    names = ("duration", "survival", "cumulative_hazard", "n_at_risk", "n_lost", "n_censored")
    for i, name in enumerate(names):
        np.testing.assert_allclose(found[name], want[:, i], atol=1e-9)


def test_kaplan_meier__is_that_of_statsmodels():
    from statsmodels.duration.survfunc import SurvfuncRight

    rng = np.random.default_rng(5)
    duration, ended = rng.integers(1, 20, 200).astype(float), rng.random(200) < 0.5
    found, want = _of(duration, ended), SurvfuncRight(duration, ended)
    at = np.isin(found["duration"], want.surv_times)
    np.testing.assert_allclose(found["survival"][at], want.surv_prob, atol=1e-12)


def test_runs__are_the_literal_ones():
    nan = np.nan
    on = np.array([[0, 1, 1, 0, 1], [1, 1, nan, 1, 0], [0, 1, 1, 1, 1]], dtype=float).T
    clock = np.array([0.0, 1.0, 3.0, 6.0, 10.0])
    runs, unknown = _runs(on, clock, "onset")
    rows = list(
        zip(*(runs[k].tolist() for k in ("unit", "duration", "early", "ended")), strict=True)
    )
    assert rows == [(0, 5.0, 2.0, True), (0, 0.0, 0.0, False), (2, 9.0, 9.0, False)]
    assert unknown == 2
    runs, unknown = _runs(on, clock, "any")
    assert runs["unit"].tolist() == [0, 0, 1, 1, 2] and unknown == 0
    assert runs["ended"].tolist() == [True, False, False, True, False]


def test_survival__ends_between_seen_on_and_seen_off():
    given = states(drawn(1), day=("session", np.array([0, 1, 2, 4, 6, 7, 9, 12, 13.0])))
    found = compute_survival(given, by="day")
    assert float((found["survival_early"] - found["survival"]).mean()) < -0.05
    low, high = found["survival_ci_low"], found["survival_ci_high"]
    assert not (low > found["survival"]).any() and not (found["survival"] > high).any()
    assert found["duration"].attrs["units"] == "d"


def test_survival__without_errors_is_1_where_nothing_changes():
    rng = np.random.default_rng(2)
    found = compute_survival(states(rng.random((8, 1500)) < 0.8), power=0.8)
    assert float(found["survival"][0]) < 0.85
    np.testing.assert_allclose(found["survival_corrected"][:4], 1, atol=0.05)


def test_survival__corrected_is_the_literal_product():
    rng = np.random.default_rng(3)
    on = (rng.random((4, 30)) < 0.7).astype(float)
    on[1, :5] = np.nan
    p, q = 0.8, 0.05
    found = compute_survival(states(on), power=p, false_alarms=q)["survival_corrected"]
    for k in (1, 2, 3):
        top = whole = 0.0
        for a in range(4 - k):
            for u in range(30):
                stretch = on[a : a + k + 1, u]
                if np.isnan(stretch).any():
                    continue
                top += (stretch[0] - q) * np.prod((stretch[1:] - q) / (p - q))
                whole += stretch[0] - q
        np.testing.assert_allclose(found.sel(step=k), top / whole, atol=1e-9)


def test_survival__a_memoryless_chain_has_its_hazard():
    rng = np.random.default_rng(4)
    on = [rng.random(2000) < 0.5]
    for _ in range(9):
        on.append(on[-1] ^ (rng.random(2000) < 0.2))
    found = compute_survival(states(np.array(on)))
    np.testing.assert_allclose(found["hazard"][:5], 0.2, atol=0.03)
    np.testing.assert_allclose(found["survival"][:4], 0.8 ** np.arange(1, 5), atol=0.04)
    assert float(found["median"]) == 4.0


def test_survival__few_runs_have_none():
    found = compute_survival(states([[0, 0], [1, 1], [0, 1]]))
    assert np.isnan(found["survival"]).all() and found.attrs["reason"] == "fewer than 5 runs"
    assert int(found["n_runs"]) == 2


@pytest.mark.parametrize("shape", [(1, 5), (3, 0), (0, 2)])
def test_survival__says_nothing_of_nothing(shape):
    found = compute_survival(states(np.zeros(shape, dtype=bool)))
    assert found.sizes["duration"] == 0 and np.isnan(found["median"])


def test_survival__refuses_days_that_are_not_there():
    with pytest.raises(ValueError, match="no coordinate day"):
        compute_survival(states(drawn(1)), by="day")
    with pytest.raises(ValueError, match="do not rise"):
        compute_survival(states(drawn(1), day=("session", np.zeros(9))), by="day")
    with pytest.raises(ValueError, match="start is 'first'"):
        compute_survival(states(drawn(1)), start="first")
