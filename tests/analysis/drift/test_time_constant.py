"""Half-life and floor against a general optimizer, and courses that are known."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy.optimize import curve_fit

import neurodrift as nd
from neurodrift.analysis.drift.sentences import course_sentence


def pairs(course, n=10, noise=0.01, seed=0, days=True):
    rng = np.random.default_rng(seed)
    day = np.cumsum(rng.integers(1, 4, n)).astype(float)
    lag = np.abs(day[:, None] - day)
    values = course(lag) + noise * np.triu(rng.standard_normal(lag.shape), 1)
    values = np.triu(values) + np.triu(values, 1).T
    dims, number = ("session_a", "session_b"), np.arange(n)
    coords = {"lag": (dims, number[None, :] - number[:, None])}
    if days:
        coords["lag_day"] = (dims, day[None, :] - day[:, None])
    return xr.Dataset({"similarity": (dims, values)}, coords=coords)


def falling(lag):
    return 0.3 + 0.6 * np.exp(-lag / 6.0)


def fit(drift, **options):
    return nd.fit_time_constant(drift, measure="similarity", **options)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_fit__is_that_of_a_general_optimizer(seed):
    drift = pairs(falling, seed=seed)
    found = fit(drift, n_resamples=20)
    later = np.triu_indices(10, 1)
    lag, value = drift["lag_day"].values[later], drift["similarity"].values[later]
    (floor, amplitude, scale), _ = curve_fit(
        lambda x, c, a, t: c + a * np.exp(-x / t), lag, value, p0=(0.2, 0.5, 4.0)
    )
    assert np.isclose(found["time_constant"], scale, rtol=0.01)
    assert np.isclose(found["floor"], floor, atol=2e-3)
    assert np.isclose(found["amplitude"], amplitude, rtol=0.01)
    assert np.isclose(found["half_life"], found["time_constant"] * np.log(2))
    assert found["time_constant_low"] < scale < found["time_constant_high"]
    assert np.isclose(found["slope"], np.polyfit(lag, value, 1)[0])
    assert found.attrs["chosen"] == "saturating" and found["n_pairs"] == 45


def test_fit__likelihood_is_of_sessions_left_out():
    drift = pairs(falling, n=6)
    found = fit(drift, n_resamples=10)
    value, lag = drift["similarity"].values, drift["lag_day"].values
    scores = []
    for out in range(6):
        rest = [(a, b) for a in range(6) for b in range(a + 1, 6) if out not in (a, b)]
        own = [(a, b) for a in range(6) for b in range(a + 1, 6) if out in (a, b)]
        x, y = np.array([(lag[p], value[p]) for p in rest]).T
        slope, offset = np.polyfit(x, y, 1)
        variance = ((y - offset - slope * x) ** 2).sum() / (len(rest) - 2)
        left = np.array([value[p] - offset - slope * lag[p] for p in own])
        scores.append(np.mean(-0.5 * np.log(2 * np.pi * variance) - 0.5 * left**2 / variance))
    assert np.isclose(found["log_likelihood"].sel(model="linear"), np.mean(scores))


@pytest.mark.parametrize(
    ("course", "chosen"),
    [(lambda lag: 0.7 + 0 * lag, "constant"), (lambda lag: 0.9 - 0.02 * lag, "linear")],
)
def test_fit__no_half_life_where_nothing_saturates(course, chosen):
    found = fit(pairs(course, n=12))
    assert found.attrs["chosen"] == chosen
    assert np.isnan(found["half_life"]) and "no half-life within" in found.attrs["reason"]


def test_fit__few_sessions_are_not_enough():
    found = fit(pairs(falling, n=4))
    assert np.isnan(found["floor"]) and found.attrs["chosen"] == ""
    assert "4 sessions" in found.attrs["reason"]


@pytest.mark.parametrize("n", [3, 5, 6])
def test_fit__draws_of_one_session_alone_are_nothing(n):
    course = fit(pairs(falling, n=n), n_resamples=5000)  # one of 5 ** 4 for five sessions
    assert np.isfinite(course["slope_low"]) == (n >= 5)


def test_fit__axis_missing_pairs_and_errors():
    drift = pairs(falling)
    drift["similarity"][0, :] = drift["similarity"][:, 0] = np.nan
    assert fit(drift, n_resamples=5)["n_sessions"] == 9
    assert fit(pairs(falling, days=False), n_resamples=5).attrs["axis"] == "session"
    with pytest.raises(ValueError, match="have no experience"):
        fit(drift, axis="experience")
    with pytest.raises(ValueError, match="no measure 'x' of pairs; there are similarity"):
        nd.fit_time_constant(drift, measure="x")


def test_fit__the_same_seed_the_same_interval_and_any_order_of_sessions():
    drift = pairs(falling)
    first, second, other = fit(drift), fit(drift), fit(drift, seed=1)
    xr.testing.assert_identical(first, second)
    assert first["time_constant_low"] != other["time_constant_low"]


def test_sentences__say_what_was_chosen():
    said = {
        course: course_sentence(fit(pairs(made, n=12)))
        for course, made in (
            ("falling", falling),
            ("flat", lambda lag: 0.7 + 0 * lag),
            ("line", lambda lag: 0.9 - 0.02 * lag),
        )
    }
    assert "falls to a floor of 0.3 (" in said["falling"] and "half-life of 4" in said["falling"]
    assert "−0.02 (" in said["line"]
    assert "does not fall" not in said["flat"] and "shape" in said["flat"]
    assert "no test of whether it falls: the line that fits best changes by" in said["flat"]
    assert course_sentence(fit(pairs(falling, n=4))) == ""


def test_fit__of_results(tmp_path):
    track = nd.testing.linear_track(n_units=20, n_sessions=5, drift=0.4)
    results = nd.analyze(track, measures=["session_drift"])
    found = nd.fit_time_constant(results, n_resamples=20)
    assert found.attrs["axis"] == "day" and np.isfinite(found["floor"])
