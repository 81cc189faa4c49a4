from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from neurodrift.analysis.regression.regression import regress
from neurodrift.analysis.series.mixed import fit_random_intercept
from neurodrift.analysis.series.trend import (
    CORRELATIONS,
    PRIOR,
    fit_trend,
    places,
    smallest_detectable,
)
from neurodrift.analysis.series.verdicts import Course, decide, holm


def literal_trend(design, y, at, series):
    """Every matrix written out."""
    n, p = design.shape
    same = series[:, None] == series[None, :]
    log_w, b, v = [], [], []
    for rho, prior in zip(CORRELATIONS, PRIOR, strict=True):
        r = np.where(same, float(rho) ** np.abs(at[:, None] - at[None, :]), 0.0)
        inverse = np.linalg.inv(r)
        information = design.T @ inverse @ design
        beta = np.linalg.solve(information, design.T @ inverse @ y)
        rest = (y - design @ beta) @ inverse @ (y - design @ beta)
        dets = np.linalg.slogdet(r)[1] + np.linalg.slogdet(information)[1]
        log_w.append(np.log(prior) - dets / 2 - (n - p) / 2 * np.log(rest))
        b.append(beta)
        v.append(rest / (n - p) * np.linalg.inv(information))
    w = np.exp(np.array(log_w) - max(log_w))
    w /= w.sum()
    mean = w @ np.array(b)
    apart = np.array(b) - mean
    return mean, np.einsum("m,mij->ij", w, np.array(v) + apart[:, :, None] * apart[:, None, :])


@pytest.mark.parametrize("seed", range(3))
def test_fit_trend__every_matrix_written_out(seed: int) -> None:
    rng = np.random.default_rng(seed)
    at = np.concatenate([np.cumsum(rng.uniform(0.3, 3, k)) for k in (6, 4)])
    series = np.repeat([0, 1], [6, 4])
    design = np.column_stack([np.ones(10), at, rng.standard_normal(10)])
    y = 3 + 0.2 * at + rng.standard_normal(10)
    mean, covariance = literal_trend(design, y, at, series)
    order = rng.permutation(10)  # rows in any order
    found = fit_trend(design[order], y[order], at[order], series[order])
    np.testing.assert_allclose(found.estimate, mean, rtol=1e-8)
    np.testing.assert_allclose(found.covariance, covariance, rtol=1e-8)
    assert found.dof.tolist() == [7, 7, 7]


@pytest.mark.parametrize("offset", [1e6, 1e9])
def test_regress__large_offsets_lose_nothing(offset: float) -> None:
    rng = np.random.default_rng(0)
    day, mouse = np.tile(np.arange(8.0), 4), np.repeat(list("abcd"), 8)
    table = pd.DataFrame({"day": day, "mouse": mouse, "y": rng.standard_normal(32)})
    far = table.assign(y=table["y"] + offset, day=table["day"] + 1e5)
    for method in ("ar1", "mixed", "mixed_independent", "subjects"):
        one, other = (regress(t, "y", "day", method=method, subject="mouse") for t in (table, far))
        for name in ("estimate", "se", "p"):
            np.testing.assert_allclose(other[name][1], one[name][1], rtol=1e-4)
    number = np.repeat(np.arange(4), 8)
    design = np.column_stack([np.ones(32), day])
    apart = fit_random_intercept(design, table["y"].to_numpy() + offset * number, number, at=day)
    inside = fit_random_intercept(design, table["y"].to_numpy() + 1e3 * number, number, at=day)
    assert apart.estimate[1] == pytest.approx(inside.estimate[1], rel=1e-3)
    assert apart.se[1] == pytest.approx(inside.se[1], rel=1e-3)


def test_regress__divided_by_the_mean_has_intercepts_of_its_own() -> None:
    rng = np.random.default_rng(0)
    day = np.concatenate([np.arange(5.0), 10 + np.arange(5.0)])  # no session in common
    y = np.concatenate([[10, 9, 8, 7, 6], [50, 45, 40, 35, 30]]) + 0.01 * rng.standard_normal(10)
    table = pd.DataFrame({"day": day, "y": y, "mouse": np.repeat(["a", "b"], 5)})
    for method in ("mixed", "mixed_independent"):
        with pytest.warns(UserWarning, match="whose variance is 0 by construction"):
            fit = regress(table, "y", "day", method=method, subject="mouse", normalize="mean")
        assert bool(fit["at_boundary"])
        assert float(fit["estimate"].sel(term="day")) == pytest.approx(-0.125, abs=1e-3)


def test_regress__collinear_predictors_are_tested_together() -> None:
    rng = np.random.default_rng(1)
    day = np.arange(14.0)
    table = pd.DataFrame({"day": day, "minutes": day + 0.2 * rng.standard_normal(14)})
    table["y"] = -0.5 * day + rng.standard_normal(14)
    with pytest.warns(UserWarning, match="hardly vary apart"):
        fit = regress(table, "y", ["day", "minutes"], method="ols")
    design = np.column_stack([np.ones(14), table["day"], table["minutes"]])
    full = ((table["y"] - design @ np.linalg.lstsq(design, table["y"], rcond=None)[0]) ** 2).sum()
    null = ((table["y"] - table["y"].mean()) ** 2).sum()
    f = (null - full) / 2 / (full / 11)
    assert float(fit["joint_f"]) == pytest.approx(f)
    assert float(fit["joint_p"]) == pytest.approx(stats.f.sf(f, 2, 11))
    assert fit.attrs["collinear"] == "day, minutes" and float(fit["joint_p"]) < 0.01


def test_smallest_detectable__is_found_in_four_of_five() -> None:
    rng = np.random.default_rng(0)
    dof, n = 6.0, 40000
    error = np.sqrt(rng.chisquare(dof, n) / dof)  # of a true error of 1
    size = smallest_detectable(float(np.median(error)), dof)
    t = (size + rng.standard_normal(n)) / error
    assert np.mean(np.abs(t) > stats.t.ppf(0.975, dof)) == pytest.approx(0.8, abs=0.01)
    assert np.isnan(smallest_detectable(np.nan, 3.0)) and smallest_detectable(0.0, 3.0) == 0


def test_places__steps_of_the_usual_length() -> None:
    assert places(np.array([0.0, 2, 4, 8, 8.1])).tolist() == [0, 1, 2, 4, 4.25]
    growing = np.concatenate([[0.0], np.geomspace(1, 1e6, 20)])
    assert places(growing).tolist() == list(range(21))


def test_decide__no_change_needs_power() -> None:
    assert decide(Course(0.3, 0.05, 6, 1.0)) == "rises"
    assert decide(Course(-0.3, 0.05, 6, 1.0), p=0.2) == "undecided"
    assert decide(Course(0.01, 0.02, 6, 1.0)) == "no change"
    assert decide(Course(0.01, 0.02, 6, 1.0), log_bf=1.0) == "undecided"
    assert decide(Course(0.01, 0.2, 6, 1.0)) == "undecided"
    assert decide(Course(0.01, 0.02, 6, 0.1)) == "undecided"
    assert decide(Course(mean=1.0)) == "undecided"
    assert holm(np.array([0.01, 0.02, 0.03])).tolist() == [0.03, 0.04, 0.04]


@pytest.mark.parametrize("dof", [0.05, 0.2, 0.5, 1.0, 2.0])
def test_smallest_detectable__is_a_number_however_few_degrees_of_freedom(dof):
    found = smallest_detectable(1.0, dof)
    assert np.isfinite(found) and found > smallest_detectable(1.0, 3.0)
