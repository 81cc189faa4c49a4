from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from neurodrift import testing
from neurodrift.analysis.maps.sparsity import compute_sparsity
from neurodrift.analysis.regression.regression import regress
from neurodrift.analysis.regression.tables import tabulate_sessions
from neurodrift.analysis.series.mixed import fit_random_intercept

# Distance [mm] at ages 8, 10, 12, 14 of 11 girls and 16 boys: Potthoff & Roy (1964), Biometrika,
# https://doi.org/10.1093/biomet/51.3-4.313
GROWTH = """21 20 21.5 23; 21 21.5 24 25.5; 20.5 24 24.5 26; 23.5 24.5 25 26.5; 21.5 23 22.5 23.5;
20 21 21 22.5; 21.5 22.5 23 25; 23 23 23.5 24; 20 21 22 21.5; 16.5 19 19 19.5; 24.5 25 28 28;
26 25 29 31; 21.5 22.5 23 26.5; 23 22.5 24 27.5; 25.5 27.5 26.5 27; 20 23.5 22.5 26;
24.5 25.5 27 28.5; 22 22 24.5 26.5; 24 21.5 24.5 25.5; 23 20.5 31 26; 27.5 28 31 31.5;
23 23 23.5 25; 21.5 23.5 24 28; 17 24.5 26 29.5; 22.5 25.5 25.5 26; 23 24.5 26 30;
22 21.5 23.5 25"""


def growth() -> pd.DataFrame:
    rows = [[float(v) for v in row.split()] for row in GROWTH.replace("\n", " ").split(";")]
    return pd.DataFrame(
        [
            {"child": f"c{i}", "age": age, "distance": value}
            for i, row in enumerate(rows)
            for age, value in zip((8, 10, 12, 14), row, strict=True)
        ]
    )


def table_of(
    seed: int, animals: int = 5, level: float = 1.0, uneven: bool = True, slope: float = -0.1
) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    parts = []
    for animal in range(animals):
        n = int(rng.integers(3, 9)) if uneven else 8
        x = np.arange(n) + (rng.normal(0, 3) if uneven else 0.0)
        y = rng.normal(0, level) + slope * x + rng.normal(0, 1, n)
        speed = rng.normal(10, 2, n)
        parts.append(pd.DataFrame({"mouse": f"m{animal}", "x": x, "y": y, "speed": speed}))
    return pd.concat(parts, ignore_index=True)


def literal_reml(table: pd.DataFrame, names: list[str]) -> dict[str, Any]:
    """Dense restricted likelihood by a general optimiser, Satterthwaite by finite differences."""
    design = np.column_stack([np.ones(len(table)), table[names].to_numpy()])
    y, mouse = table["y"].to_numpy(), table["mouse"].to_numpy()
    same = (mouse[:, None] == mouse[None, :]).astype(float)

    def parts(variances: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        covariance = variances[0] * np.eye(len(y)) + variances[1] * same
        inverse = np.linalg.inv(covariance)
        of_beta = np.linalg.inv(design.T @ inverse @ design)
        beta = of_beta @ design.T @ inverse @ y
        r = y - design @ beta
        dets = np.linalg.slogdet(covariance)[1] - np.linalg.slogdet(of_beta)[1]
        return beta, of_beta, 0.5 * (dets + r @ inverse @ r)

    best = min(
        (
            optimize.minimize(
                lambda t: parts(np.exp(t))[2],
                [a, b],
                method="Nelder-Mead",
                options={"xatol": 1e-9, "fatol": 1e-13, "maxiter": 4000},
            )
            for a in (-1.0, 1.0)
            for b in (-4.0, 1.0)
        ),
        key=lambda found: found.fun,
    )
    variances = np.exp(best.x)
    beta, of_beta, _ = parts(variances)
    step = 1e-5 * variances
    gradient = np.empty((2, len(beta)))
    for k in range(2):
        move = np.eye(2)[k] * step
        upper, lower = parts(variances + move)[1], parts(variances - move)[1]
        gradient[k] = np.diag(upper - lower) / (2 * step[k])
    covariance = variances[0] * np.eye(len(y)) + variances[1] * same
    inverse = np.linalg.inv(covariance)
    projection = inverse - inverse @ design @ of_beta @ design.T @ inverse
    kernels = [np.eye(len(y)), same]
    information = np.array(
        [[0.5 * np.trace(projection @ a @ projection @ b) for b in kernels] for a in kernels]
    )
    spread = np.einsum("ki,kl,li->i", gradient, np.linalg.inv(information), gradient)
    return {
        "estimate": beta,
        "se": np.sqrt(np.diag(of_beta)),
        "dof": 2 * np.diag(of_beta) ** 2 / spread,
        "residual_variance": variances[0],
        "subject_variance": variances[1],
    }


# Least squares ------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_regress__ols_equals_linregress_and_formula(seed: int) -> None:
    table = table_of(seed)
    fit = regress(table, "y", "x", method="ols")
    other = stats.linregress(table["x"], table["y"])
    slope = fit.sel(term="x")
    assert float(slope["estimate"]) == pytest.approx(other.slope, rel=1e-10)
    assert float(slope["se"]) == pytest.approx(other.stderr, rel=1e-10)
    assert float(slope["p"]) == pytest.approx(other.pvalue, rel=1e-9)
    assert float(fit["estimate"].sel(term="intercept")) == pytest.approx(other.intercept)
    assert float(fit["se"].sel(term="intercept")) == pytest.approx(other.intercept_stderr)
    assert float(fit["r_squared"]) == pytest.approx(other.rvalue**2)
    n = len(table)
    half = stats.t.ppf(0.975, n - 2) * other.stderr
    assert float(slope["ci_low"]) == pytest.approx(other.slope - half)
    assert float(slope["ci_high"]) == pytest.approx(other.slope + half)
    assert int(fit["n_rows"]) == n
    assert float(slope["dof"]) == n - 2


def test_regress__covariates_by_normal_equations() -> None:
    table = table_of(3)
    fit = regress(table, "y", "x", covariates=["speed"], method="ols", level=0.9)
    design = np.column_stack([np.ones(len(table)), table["x"], table["speed"]])
    inverse = np.linalg.inv(design.T @ design)
    beta = inverse @ design.T @ table["y"]
    residual = table["y"] - design @ beta
    variance = residual @ residual / (len(table) - 3)
    np.testing.assert_allclose(fit["estimate"], beta, rtol=1e-9)
    np.testing.assert_allclose(fit["se"], np.sqrt(variance * np.diag(inverse)), rtol=1e-9)
    assert fit["term"].values.tolist() == ["intercept", "x", "speed"]
    r = np.corrcoef(table["x"], table["speed"])[0, 1]
    np.testing.assert_allclose(fit["vif"].values[1:], 1 / (1 - r**2), rtol=1e-9)
    wider = regress(table, "y", "x", covariates=["speed"], method="ols")
    assert (wider["ci_high"] > fit["ci_high"]).all()


def test_regress__tells_time_from_experience() -> None:
    rng = np.random.default_rng(0)
    day = np.arange(30.0)
    experience = np.cumsum(rng.choice([0.0, 10.0, 40.0], 30))
    y = 100 - 0.2 * experience + rng.normal(0, 1, 30)
    table = pd.DataFrame({"day": day, "experience": experience, "active": y})
    with pytest.warns(UserWarning, match="'day' and 'experience' hardly vary apart"):
        fit = regress(table, "active", ["day", "experience"], method="ols")
    assert float(fit["p"].sel(term="experience")) < 1e-6
    assert abs(float(fit["t"].sel(term="day"))) < 3
    assert float(fit["vif"].sel(term="day")) > 5
    assert float(regress(table, "active", "day", method="ols")["p"][1]) < 1e-6  # misled


# Mixed effects ------------------------------------------------------------------------------


def test_regress__mixed_equals_published_growth_data() -> None:
    fit = regress(growth(), "distance", "age", method="mixed_independent", subject="child")
    # lme(distance ~ age, random = ~ 1 | Subject), Pinheiro & Bates (2000), section 1.4
    np.testing.assert_allclose(fit["estimate"], [16.7611, 0.6602], atol=5e-5)
    np.testing.assert_allclose(fit["se"], [0.8024, 0.0616], atol=5e-5)
    assert float(fit["subject_variance"]) ** 0.5 == pytest.approx(2.1147, abs=5e-5)
    assert float(fit["residual_variance"]) ** 0.5 == pytest.approx(1.4316, abs=1e-4)
    assert float(fit["dof"].sel(term="age")) == pytest.approx(108 - 27 - 1)
    assert int(fit["n_subjects"]) == 27


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("names", [["x"], ["x", "speed"]])
def test_regress__mixed_equals_dense_likelihood(seed: int, names: list[str]) -> None:
    table = table_of(seed)
    expected = literal_reml(table, names)
    found = regress(
        table, "y", names[0], covariates=names[1:], method="mixed_independent", subject="mouse"
    )
    if bool(found["at_boundary"]):
        assert expected["subject_variance"] < 1e-4
        return
    for name in ("estimate", "se", "residual_variance", "subject_variance"):
        np.testing.assert_allclose(found[name], expected[name], rtol=2e-4, err_msg=name)
    np.testing.assert_allclose(found["dof"], expected["dof"], rtol=2e-3)


def test_regress__mixed_equals_statsmodels_where_it_converges() -> None:
    import statsmodels.api as sm

    compared = 0
    for seed in range(20):
        table = table_of(seed, animals=6, level=2.0)
        design = sm.add_constant(table["x"].to_numpy())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            other = sm.MixedLM(table["y"].to_numpy(), design, table["mouse"]).fit()
        if not other.converged or float(np.squeeze(other.cov_re)) < 0.1:
            continue
        fit = regress(table, "y", "x", method="mixed_independent", subject="mouse")
        np.testing.assert_allclose(fit["estimate"], other.fe_params, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(fit["residual_variance"], other.scale, rtol=1e-3)
        np.testing.assert_allclose(fit["subject_variance"], np.squeeze(other.cov_re), rtol=5e-3)
        compared += 1
    assert compared >= 10


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), scale=st.floats(1e-4, 1e4), shift=st.floats(-1e4, 1e4))
def test_regress__mixed_does_not_depend_on_units(seed: int, scale: float, shift: float) -> None:
    table = table_of(seed)
    other = table.assign(y=table["y"] * scale + shift, x=table["x"] * 60 + 7)
    a, b = (
        regress(t, "y", "x", method="mixed_independent", subject="mouse") for t in (table, other)
    )
    slope_a, slope_b = (fit.sel(term="x") for fit in (a, b))
    np.testing.assert_allclose(slope_b["estimate"], slope_a["estimate"] * scale / 60, rtol=1e-4)
    np.testing.assert_allclose(slope_b["p"], slope_a["p"], rtol=1e-3)
    np.testing.assert_allclose(slope_b["dof"], slope_a["dof"], rtol=1e-3)


def test_regress__mixed_at_the_boundary_is_least_squares() -> None:
    # Subjects whose means agree more than chance would have it.
    x = np.tile(np.arange(4.0), 3)
    y = x + np.tile([0.5, -0.5, -0.5, 0.5], 3)
    table = pd.DataFrame({"x": x, "y": y, "mouse": np.repeat(["a", "b", "c"], 4)})
    mixed = regress(table, "y", "x", method="mixed_independent", subject="mouse")
    ols = regress(table, "y", "x", method="ols")
    assert bool(mixed["at_boundary"])
    assert float(mixed["subject_variance"]) == 0
    np.testing.assert_allclose(mixed["estimate"], ols["estimate"], atol=1e-12)
    np.testing.assert_allclose(mixed["se"], ols["se"], rtol=1e-10)
    assert not bool(ols["at_boundary"])
    assert np.isnan(ols["subject_variance"])


def test_fit_random_intercept__perfect_fit() -> None:
    design = np.column_stack([np.ones(6), np.arange(6.0)])
    fit = fit_random_intercept(design, design @ [1.0, 2.0], np.array([0, 0, 0, 1, 1, 1]))
    np.testing.assert_allclose(fit.estimate, [1, 2])
    assert fit.se.tolist() == [0, 0]


# Summary by subject -------------------------------------------------------------------------


def test_regress__subjects_is_a_t_test_of_slopes() -> None:
    table = table_of(1)
    slopes = [stats.linregress(part["x"], part["y"]).slope for _, part in table.groupby("mouse")]
    fit = regress(table, "y", "x", method="subjects", subject="mouse").sel(term="x")
    test = stats.ttest_1samp(slopes, 0)
    assert float(fit["estimate"]) == pytest.approx(np.mean(slopes))
    assert float(fit["t"]) == pytest.approx(test.statistic)
    assert float(fit["p"]) == pytest.approx(test.pvalue)
    interval = test.confidence_interval()
    assert float(fit["ci_low"]) == pytest.approx(interval.low)
    assert float(fit["ci_high"]) == pytest.approx(interval.high)


# Normalisation ------------------------------------------------------------------------------


def test_regress__normalises_each_series() -> None:
    table = pd.DataFrame(
        {
            "mouse": ["a", "a", "a", "b", "b", "b"],
            "day": [4.0, 0, 2, 1, 5, 3],
            "active": [60.0, 100, 80, 10, 6, 8],
        }
    )
    first = regress(table, "active", "day", subject="mouse", normalize="first", normalize_x="first")
    assert float(first["estimate"].sel(term="day")) == pytest.approx(-0.1)
    assert float(first["estimate"].sel(term="intercept")) == pytest.approx(1)
    mean = regress(table, "active", "day", series="mouse", normalize="mean", normalize_x="range")
    assert float(mean["estimate"].sel(term="day")) == pytest.approx(-0.5)
    assert float(mean["estimate"].sel(term="intercept")) == pytest.approx(1.25)
    pooled = regress(table, "active", "day", normalize="mean")
    plain = regress(table, "active", "day")
    assert float(pooled["t"][1]) == pytest.approx(float(plain["t"][1]))
    assert float(pooled["estimate"][1]) == pytest.approx(float(plain["estimate"][1]) / 44)
    assert table["active"].tolist() == [60.0, 100, 80, 10, 6, 8]
    assert first.attrs["normalize"] == "first"


def test_regress__series_of_several_columns() -> None:
    table = pd.DataFrame(
        {
            "mouse": ["a"] * 4,
            "environment": ["A", "A", "B", "B"],
            "day": [0.0, 2, 0, 2],
            "active": [100.0, 90, 10, 9],
        }
    )
    fit = regress(table, "active", "day", series=["mouse", "environment"], normalize="first")
    assert float(fit["estimate"].sel(term="day")) == pytest.approx(-0.05)
    assert float(fit["residual_variance"]) == pytest.approx(0, abs=1e-30)


# Bad input ----------------------------------------------------------------------------------


def test_regress__counts_rows_left_out() -> None:
    table = table_of(0)
    table.loc[[0, 3], "y"] = np.nan
    table.loc[5, "x"] = np.inf
    with pytest.warns(UserWarning, match="column 'x' is infinite in 1 of 35 rows"):
        fit = regress(table, "y", "x")
    assert int(fit["n_dropped"]) == 3
    assert int(fit["n_rows"]) == len(table) - 3


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({}, {"x": "day"}, "no column .'day'.; the table has mouse, x, y, speed"),
        ({}, {"x": ["x", "x"]}, "must be different columns"),
        ({}, {"x": []}, "must be different columns"),
        (
            {},
            {"method": "ridge"},
            "method is 'ridge', expected one of ar1, ols, mixed, mixed_independent, subjects",
        ),
        ({}, {"method": "mixed"}, "needs subject="),
        ({}, {"normalize": "last"}, "normalize is 'last'"),
        ({}, {"level": 95}, "level is 95, expected a number"),
        ({"x": 1.0}, {"method": "ols"}, "predictor 'x' is constant"),
        ({"x": lambda t: t.groupby("mouse").cumcount()}, {}, "rows lie at the same 'x'"),
        ({"speed": lambda t: 2 * t["x"] + 1}, {"covariates": ["speed"]}, "are collinear"),
        ({"y": "many"}, {}, "column 'y' has dtype"),
        ({"y": np.nan}, {}, "no row of the table has all of 'y', 'x'"),
        ({"mouse": "m"}, {"method": "mixed", "subject": "mouse"}, "one subject only"),
        ({"mouse": "m"}, {"method": "subjects", "subject": "mouse"}, "one subject only"),
        (
            {"mouse": lambda t: t.index.astype(str)},
            {"method": "mixed", "subject": "mouse"},
            "every subject has one row only",
        ),
        (
            {"mouse": lambda t: ["a"] * (len(t) - 1) + ["b"]},
            {"method": "subjects", "subject": "mouse"},
            "1 rows of subject 2 of 2 for 2 coefficients",
        ),
        (
            {"y": lambda t: t["x"] - t["x"].min()},
            {"normalize": "first"},
            "cannot normalise 'y': its value at the smallest 'x' is 0",
        ),
    ],
)
def test_regress__refuses(change: dict[str, Any], options: dict[str, Any], message: str) -> None:
    table = table_of(0).assign(**change)
    with pytest.raises(ValueError, match=message):
        regress(table, "y", **({"x": "x"} | options))


def test_regress__refuses_two_sessions() -> None:
    table = pd.DataFrame({"day": [0.0, 2.0], "active": [5.0, 4.0]})
    with pytest.raises(ValueError, match="2 rows for 2 coefficients leave no degree of freedom"):
        regress(table, "active", "day")


def test_regress__constant_measure_has_slope_zero() -> None:
    table = table_of(0).assign(y=3.0)
    for method in ("ols", "mixed", "subjects"):
        fit = regress(table, "y", "x", method=method, subject="mouse")
        assert float(fit["estimate"].sel(term="x")) == pytest.approx(0, abs=1e-12)
        assert int(fit["n_subjects"]) == 5


def test_regress__result_is_labelled() -> None:
    fit = regress(table_of(0), "y", "x", subject="mouse")
    assert isinstance(fit, xr.Dataset)
    assert all("long_name" in fit[name].attrs for name in fit.variables)
    assert fit.attrs["method"] == "ar1"


# Calibration; benchmarks/calibration_regression.py has the whole of it -----------------------


def coverage(method: str, repeats: int, **options: Any) -> float:
    hits = 0
    for seed in range(repeats):
        fit = regress(table_of(seed, **options), "y", "x", method=method, subject="mouse")
        slope = fit.sel(term="x")
        hits += bool(slope["ci_low"] <= -0.1 <= slope["ci_high"])
    return hits / repeats


def test_regress__intervals_cover() -> None:
    assert 0.91 <= coverage("ols", 200, animals=1, uneven=False) <= 0.985
    assert 0.91 <= coverage("mixed", 100, animals=4) <= 0.985
    assert 0.91 <= coverage("subjects", 200, animals=4) <= 0.99


def test_regress__least_squares_over_several_animals_does_not_cover() -> None:
    assert coverage("ols", 150, animals=12) < 0.88


def test_regress__intervals_cover_on_synthetic_recordings() -> None:
    hits, repeats = 0, 60
    for seed in range(repeats):
        recording = testing.linear_track(
            n_units=8, n_sessions=6, minutes=0.5, frame_rate=4, tuned=0.0, seed=seed
        )
        table = tabulate_sessions(recording, compute_sparsity(recording)["events_per_unit"])
        fit = regress(table, "events_per_unit", "day").sel(term="day")
        hits += bool(fit["ci_low"] <= 0 <= fit["ci_high"])
    assert hits / repeats >= 0.85


def test_regress__a_constant_has_the_slope_zero_and_no_p():
    table = pd.DataFrame({"day": [0.0, 300, 600, 900], "active": 0.1})
    fit = regress(table, "active", "day").sel(term="day")
    assert float(fit["estimate"]) == 0 and float(fit["se"]) == 0
    assert np.isnan(fit["p"]) and np.isnan(fit["r_squared"])
    assert float(regress(table, "active", "day")["estimate"].sel(term="intercept")) == 0.1
