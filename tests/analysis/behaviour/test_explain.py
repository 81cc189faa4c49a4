"""Time and behaviour over pairs of sessions, against slow literal versions and known truths."""

import itertools
import math

import numpy as np
import pytest
import xarray as xr

import neurodrift as nd
from neurodrift.analysis.behaviour.dyads import (
    fit_dyads,
    incidence,
    jackknife_se,
    orders_of,
    permuted_share,
    permuted_t,
)


def dyads(n=6, seed=0):
    rng = np.random.default_rng(seed)
    a, b = np.triu_indices(n, 1)
    x = np.column_stack([np.ones(a.size), b - a, np.abs(rng.standard_normal(a.size))])
    own = rng.standard_normal(n)
    y = x @ [1.0, -0.2, 0.3] + own[a] + own[b] + 0.3 * rng.standard_normal(a.size)
    return y, x, (a, b)


def pairs(y, n, **variables):
    """Values of pairs a < b as results over both sessions, two days apart."""
    a, b = np.triu_indices(n, 1)

    def square(values):
        found = np.zeros((n, n))
        found[a, b] = found[b, a] = values
        return (("session_a", "session_b"), found)

    names = [str(i + 1) for i in range(n)]
    lag = np.arange(n)[None, :] - np.arange(n)[:, None]
    dims = ("session_a", "session_b")
    coords = {"session_a": names, "session_b": names, "lag": (dims, lag)}
    coords["lag_day"] = (dims, 2.0 * lag)
    drift = xr.Dataset({"similarity": square(y)}, coords=coords)
    return drift, xr.Dataset({k: square(v) for k, v in variables.items()}, coords=coords)


def test_fit_dyads__is_the_likeliest_of_all_ratios():
    y, x, at = dyads()
    z = incidence(*at, 6)
    best, expected = -np.inf, None
    for ratio in np.concatenate([[0.0], np.geomspace(0.01, 100.0, 17)]):
        v = np.eye(y.size) + ratio * z @ z.T
        w = np.linalg.inv(v)
        slopes = np.linalg.inv(x.T @ w @ x) @ x.T @ w @ y
        rest = y - x @ slopes
        freedom = y.size - x.shape[1]
        variance = rest @ w @ rest / freedom
        likelihood = -0.5 * (
            freedom * math.log(variance)
            + math.log(np.linalg.det(v))
            + math.log(np.linalg.det(x.T @ w @ x))
        )
        if likelihood > best:
            best, expected = likelihood, slopes
    np.testing.assert_allclose(fit_dyads(y, x, z), expected, atol=1e-9)
    left_out = [
        fit_dyads(y[z[:, i] == 0], x[z[:, i] == 0], np.delete(z[z[:, i] == 0], i, axis=1))
        for i in range(6)
    ]
    se = np.sqrt(5 / 6 * np.sum((np.array(left_out) - np.mean(left_out, axis=0)) ** 2, axis=0))
    np.testing.assert_allclose(jackknife_se(y, x, z), se, atol=1e-9)


def test_permuted_t__is_that_of_regressions_on_permuted_residuals():
    y, x, at = dyads(n=5)
    orders, exact = orders_of(5, 10, np.random.default_rng(0))
    assert exact and len(orders) == 120 and orders[0].tolist() == [0, 1, 2, 3, 4]
    found = permuted_t(y, x, 2, at, orders)
    others = x[:, :2]
    rest = x[:, 2] - others @ np.linalg.lstsq(others, x[:, 2], rcond=None)[0]
    square = np.zeros((5, 5))
    square[at] = square[at[::-1]] = rest
    for k in (0, 1, 50, 119):
        moved = square[np.ix_(orders[k], orders[k])][at]
        design = np.column_stack([others, moved])
        slopes, *_ = np.linalg.lstsq(design, y, rcond=None)
        noise = ((y - design @ slopes) ** 2).sum() / (y.size - 3)
        se = np.sqrt(noise * np.linalg.inv(design.T @ design)[2, 2])
        assert found[k] == pytest.approx(slopes[2] / se, abs=1e-9)
    share = permuted_share(y, x, at, orders)
    rest = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    assert share[0] == pytest.approx(1 - (rest @ rest) / ((y - y.mean()) ** 2).sum(), abs=1e-9)


def test_explain_drift__finds_the_slopes_of_time_and_of_behaviour():
    rng = np.random.default_rng(1)
    a, b = np.triu_indices(7, 1)
    speed = rng.permutation(7.0 * np.arange(7)) / 7
    away = np.abs(speed[a] - speed[b])
    noise = 0.01 * rng.standard_normal(a.size)
    for slopes, verdict in (
        ((-0.1, 0.0), "time"),
        ((0.0, -0.1), "behaviour"),
        ((-0.1, -0.1), "both"),
        ((0.0, 0.0), "neither"),
    ):
        y = slopes[0] * 2.0 * (b - a) + slopes[1] * away + noise
        found = nd.explain_drift(*pairs(y, 7, overall=away))
        assert found.attrs["verdict"] == verdict
        np.testing.assert_allclose(found["slope"], slopes, atol=0.01)
        assert found.attrs["exact"] == "true"


def of_two_times(slope_day, slope_experience, verdict, p):
    """A result with days and experience, as `explain_drift` gives it."""
    terms = ["lag_day", "lag_experience", "overall"]
    return xr.Dataset(
        {
            "slope": ("term", [slope_day, slope_experience, 0.01]),
            "slope_alone": ("term", [slope_day, slope_experience, 0.01]),
            "p": ("term", p),
            "explained": ("model", [0.8, 0.1, 0.8]),
            "explained_by_chance": ("model", [0.1, 0.1, 0.2]),
            "n_sessions": 8,
        },
        {"term": terms, "model": ["time", "behaviour", "both"]},
        {
            "verdict": verdict,
            "measure": "rate_map_correlation_relative",
            "times": '["lag_day", "lag_experience"]',
        },
    )


def test_describe_behaviour__names_the_predictor_of_time_that_decided():
    said = nd.describe_behaviour(of_two_times(0.037, -0.0167, "time", [0.11, 0.008, 0.4]))
    assert (
        "not explained by behaviour: the similarity of maps falls by 0.017 per minute of "
        "experience (p = 0.016) and rises by 0.037 per day (p = 0.22, not beyond chance)" in said
    )
    said = nd.describe_behaviour(of_two_times(-0.037, 0.002, "time", [0.001, 0.6, 0.4]))
    assert "falls by 0.037 per day (p = 0.002) and rises by 0.002 per minute" in said
    said = nd.describe_behaviour(of_two_times(-0.037, 0.002, "behaviour", [0.3, 0.6, 0.004]))
    assert "goes with behaviour (p = 0.004) and not with time" in said
    assert said.count("not beyond chance") == 2


def test_describe_behaviour__of_uneven_days_says_what_was_simulated():
    day = np.array([0.0, 1.0, 2.0, 7.0, 8.0, 20.0, 21.0])
    minutes = np.array([0.0, 10.0, 30.0, 40.0, 80.0, 90.0, 130.0])
    a, b = np.triu_indices(7, 1)
    rng = np.random.default_rng(3)
    away = rng.random(a.size)
    y = 1 - 0.004 * (minutes[b] - minutes[a]) + 0.01 * rng.standard_normal(a.size)
    drift, behaviour = pairs(y, 7, overall=away)
    dims = ("session_a", "session_b")
    drift = drift.assign_coords(
        lag_day=(dims, day[None] - day[:, None]),
        lag_experience=(dims, minutes[None] - minutes[:, None]),
    )
    said = nd.describe_behaviour(nd.explain_drift(drift, behaviour))
    assert "falls by 0.0039 per minute of experience (p = 0.0004)" in said
    assert "per day (p = " in said and "not beyond chance" in said.partition("per day")[2]


def test_explain_drift__says_when_time_and_behaviour_cannot_be_told_apart():
    a, b = np.triu_indices(6, 1)
    away = 2.0 * (b - a) + 0.05 * np.random.default_rng(0).standard_normal(a.size)
    found = nd.explain_drift(*pairs(1 - 0.1 * (b - a) + 0 * away, 6, overall=away))
    assert found.attrs["verdict"] == "cannot be told apart"
    assert found["confounding"] > 0.99 and np.isnan(found["p"]).all()
    assert found["slope_alone"].sel(term="lag_day") == pytest.approx(-0.05)
    assert "cannot be told apart" in nd.describe_behaviour(found)


def test_explain_drift__tells_nothing_of_few_sessions_or_missing_pairs():
    a, _ = np.triu_indices(4, 1)
    rng = np.random.default_rng(0)
    found = nd.explain_drift(*pairs(rng.random(a.size), 4, overall=rng.random(a.size)))
    assert found.attrs["verdict"] == "too few sessions" and np.isnan(found["slope"]).all()
    drift, away = pairs(rng.random(15), 6, overall=rng.random(15))
    drift["similarity"][0, 1] = drift["similarity"][1, 0] = np.nan
    found = nd.explain_drift(drift, away)
    assert "no value" in found.attrs["left_out"] and np.isnan(found["p"]).all()


def test_explain_drift__of_several_animals_tests_over_animals():
    given, away = {}, {}
    for k in range(6):
        rng = np.random.default_rng([5, k])
        own = rng.random(15)
        y = 1 - 0.3 * own + 0.01 * rng.standard_normal(15)
        given[f"m{k}"], away[f"m{k}"] = pairs(y, 6, overall=own)
    found = nd.explain_drift(given, away)
    slopes = found["animal_slope"].values
    assert found.attrs["verdict"] == "behaviour" and slopes.shape == (6, 2)
    t = slopes[:, 1].mean() / (slopes[:, 1].std(ddof=1) / np.sqrt(6))
    from scipy import stats

    assert found["p"].values[1] == pytest.approx(2 * stats.t.sf(abs(t), 5))
    with pytest.raises(ValueError, match="the same animals"):
        nd.explain_drift(given, {"m0": away["m0"]})


def test_explain_drift__refuses_what_it_cannot_use():
    drift, away = pairs(np.arange(15.0), 6, overall=np.arange(15.0))
    with pytest.raises(TypeError, match="behaviour is missing"):
        nd.explain_drift(drift)
    with pytest.raises(ValueError, match="expected one of"):
        nd.explain_drift(drift, away, distances=["pupil"])
    with pytest.raises(ValueError, match="lacks the sessions"):
        nd.explain_drift(drift, away.isel(session_a=slice(5), session_b=slice(5)))


def test_orders_of__draws_where_sessions_are_many():
    orders, exact = orders_of(9, 20, np.random.default_rng(0))
    assert not exact and orders.shape == (21, 9)
    assert all(sorted(order) == list(range(9)) for order in orders)
    assert len(list(itertools.permutations(range(3)))) == len(
        orders_of(3, 1, np.random.default_rng(0))[0]
    )
