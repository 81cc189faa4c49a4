"""Which units are stable: literal versions of what is measured; truths with and without a link."""

import known_animals as animals
import numpy as np
import pytest
import xarray as xr
from drift_behaviour import linked
from scipy import stats

import neurodrift as nd
from neurodrift.analysis.stable_units.measures import (
    covariances_of,
    predictors_of,
    similarity_of,
)
from neurodrift.analysis.stable_units.parts import (
    Quarters,
    dispersion,
    mixed,
    reliable_maps,
    share_kept,
)
from neurodrift.analysis.stable_units.predict import rank_effects


def animal(truth="stable", seed=0, **options):
    options = {"n_units": 30, "n_sessions": 3, "n_laps": 24} | options
    return animals.make(truth, np.random.default_rng([17, seed]), **options).recording


def parts(seed=0, n_units=5, n_cells=12):
    rng = np.random.default_rng(seed)
    seconds = rng.uniform(0.5, 2.0, (4, n_cells))
    rate = rng.gamma(1.0, 2.0, (n_units, n_cells))
    return rng.poisson(rate * seconds[:, None, :]).astype(float), seconds


def test_predictors_of__are_their_definitions():
    events, seconds = parts()
    seen = np.ones(12, dtype=bool)
    seen[3] = False
    found = predictors_of(events, seconds, seen, 4.0, 2)
    for u in range(5):
        n, t = events[:2, u].sum(axis=0)[seen], seconds[:2].sum(axis=0)[seen]
        rate, share = n / t, t / t.sum()
        mean = (rate * share).sum()
        assert found[u, 0] == pytest.approx(n.sum() / t.sum(), abs=1e-9)
        bits = sum(
            p * r / mean * np.log2(r / mean) for p, r in zip(share, rate, strict=True) if r > 0
        )
        bias = (seen.sum() - 1) / (2 * n.sum() * np.log(2))
        assert found[u, 1] == pytest.approx(bits - bias, abs=1e-9)
        whole = np.full(12, np.nan)
        whole[seen] = rate
        smooth = []
        for way in (whole[:6], whole[6:]):
            for k in range(6):
                if np.isfinite(way[k]):
                    smooth.append(np.nanmean(way[max(0, k - 1) : k + 2]))
        assert found[u, 3] == pytest.approx(max(smooth), abs=1e-9)
        wide = sum(value >= max(smooth) / 2 for value in smooth)
        assert found[u, 2] == pytest.approx(wide * 4.0 / 2)


def test_covariances_of__are_of_disjoint_laps():
    a, t = parts(1)
    b, s = parts(2)
    seen = np.ones(12, dtype=bool)
    found = covariances_of(a, b, (t, s), seen)

    def cov(x, y):
        return np.mean((x - x.mean()) * (y - y.mean()))

    for u in range(5):
        half = a[2:, u].sum(axis=0) / t[2:].sum(axis=0)
        whole = b[:, u].sum(axis=0) / s.sum(axis=0)
        first = b[:2, u].sum(axis=0) / s[:2].sum(axis=0)
        second = b[2:, u].sum(axis=0) / s[2:].sum(axis=0)
        expected = [
            cov(half, whole) / half.mean() / whole.mean(),
            cov(a[2, u] / t[2], a[3, u] / t[3]) / half.mean() ** 2,
            cov(first, second) / whole.mean() ** 2,
        ]
        np.testing.assert_allclose(found[u], expected, atol=1e-9)
    a[:2] = 0  # predictors' laps
    np.testing.assert_array_equal(covariances_of(a, b, (t, s), seen), found)
    assert np.isnan(similarity_of(np.array([1.0, -0.1, 1.0])))


def test_rank_effects__are_those_of_scipy():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((40, 3))
    x[:, 2] += x[:, 0]
    y = x[:, 0] + rng.standard_normal(40)
    x[5, 1] = np.nan
    alone, partial = rank_effects(x, y)
    known = np.isfinite(x).all(axis=1)
    x, y = x[known], y[known]
    for k in range(3):
        assert alone[k] == pytest.approx(stats.spearmanr(x[:, k], y)[0], abs=1e-9)
    r = stats.spearmanr(np.column_stack([x, y]))[0]
    precision = np.linalg.inv(r)
    for k in range(3):
        expected = -precision[k, 3] / np.sqrt(precision[k, k] * precision[3, 3])
        assert partial[k] == pytest.approx(expected, abs=1e-9)
    assert np.isnan(rank_effects(x[:10], y[:10])[0]).all()


def test_share_kept__gives_units_without_a_link_the_similarity_that_was_found():
    rng = np.random.default_rng(2)
    seconds = np.full((2, 4, 40), 100.0)
    rate = rng.gamma(1.0, 2.0, (300, 40))
    events = rng.poisson(rate[None, None] * seconds[:, :, None, :]).astype(float)
    quarters = Quarters(events, seconds, 2, "lap")
    maps, rates = reliable_maps(quarters, 0, 1)
    np.testing.assert_allclose(maps.mean(axis=1), 1.0, atol=0.01)
    np.testing.assert_allclose(rates[0], rate.mean(axis=1), rtol=0.05)
    kept = share_kept(quarters, 0, 1, 0.6)
    away = maps - 1
    moved = mixed(maps, kept, rng) - 1  # cut at 0, which raises it a little
    similarity = (away * moved).sum() / np.sqrt((away**2).sum() * (moved**2).sum())
    assert similarity == pytest.approx(0.6, abs=0.05)
    assert share_kept(quarters, 0, 1, 1.2) == 1.0


def test_dispersion__is_1_for_poisson_and_more_for_bursts():
    rng = np.random.default_rng(3)
    seconds = rng.uniform(5.0, 10.0, (4, 200))
    counts = rng.poisson(np.broadcast_to(seconds[:, None, :], (4, 2, 200))).astype(float)
    bursts = 3.0 * rng.poisson(np.broadcast_to(seconds[:, None, :] / 3, (4, 2, 200)))
    np.testing.assert_allclose(dispersion(counts, seconds), 1.0, atol=0.15)
    np.testing.assert_allclose(dispersion(bursts, seconds), 3.0, atol=0.45)


def test_predict_stability__finds_that_high_rates_keep_their_maps():
    found = nd.predict_stability(linked([17, 1], n_units=60).recording, n_repeats=39)
    assert found["beyond"].sel(predictor="rate") and found["effect"].sel(predictor="rate") > 0.4
    assert "a higher rate" in nd.describe_stability(found)
    assert found["stability"].dims == ("unit",) and found["value"].dims == ("unit", "predictor")


def test_predict_stability__of_several_animals_predicts_those_left_out():
    given = {f"m{k}": linked([18, k], n_units=40, n_sessions=3).recording for k in range(3)}
    found = nd.predict_stability(given, n_repeats=19)
    assert found["animal_effect"].dims == ("animal", "predictor")
    assert found["prediction"] > 0.2 and found["prediction_p"] == pytest.approx(0.05)


def test_predict_stability__takes_predictors_of_the_user():
    recording = animal()
    age = xr.DataArray(np.arange(30.0), dims="unit", coords={"unit": recording["unit"]})
    found = nd.predict_stability(recording, {"age": age}, n_repeats=5)
    assert found["predictor"].values.tolist()[-1] == "age"
    np.testing.assert_array_equal(found["value"].sel(predictor="age"), age)
    with pytest.raises(ValueError, match="lacks 10 of the units"):
        nd.predict_stability(recording, {"age": age[:20]}, n_repeats=0)
    with pytest.raises(TypeError, match="DataArray over unit"):
        nd.predict_stability(recording, {"age": np.arange(30)}, n_repeats=0)


def test_predict_stability__of_odd_recordings():
    recording = animal()
    found = nd.predict_stability(recording, n_repeats=3)
    lazy = nd.predict_stability(recording.chunk(time=200, unit=7), n_repeats=3)
    xr.testing.assert_allclose(found, lazy)
    alone = nd.predict_stability(recording.isel(unit=[0]), n_repeats=2)
    assert np.isnan(alone["effect"]).all() and "expected 20" in alone.attrs["left_out"]
    assert "cannot be told" in nd.describe_stability(alone)
    lost = recording.copy(deep=True)
    lost["x"].values[lost["session_index"].values == 1] = np.nan
    assert np.isnan(nd.predict_stability(lost, n_repeats=2)["effect"]).all()
    recording["detected"].values[1:, 4] = False
    assert np.isnan(nd.predict_stability(recording, n_repeats=0)["stability"].values[4])
    with pytest.raises(ValueError, match="lag is 3"):
        nd.predict_stability(recording, lag=3)
    with pytest.raises(ValueError, match="empty mapping"):
        nd.predict_stability({})
