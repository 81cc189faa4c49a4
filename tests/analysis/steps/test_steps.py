"""Steps of tuning against literal loops and known walks."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pytest
import xarray as xr
from known_animals import make

import neurodrift as nd
from neurodrift.analysis.steps.moments import cross, differences, fourth, square
from neurodrift.analysis.steps.tuning import compute_tuning

BINNING = nd.Binning(bin_width=5.0, edges=np.linspace(0, 100, 21))


def recording(truth="independent", seed=0, **options):
    options = {"n_units": 60} | options
    return make(truth, np.random.default_rng(seed), **options).recording


def steps(made, **options):
    return nd.compute_steps(made, **({"binning": BINNING, "n_resamples": 50} | options))


def test_moments__are_products_of_different_parts():
    rng = np.random.default_rng(0)
    first, second = rng.standard_normal((2, 4, 7))
    for row in range(7):
        u, v = first[:, row], second[:, row]
        assert np.isclose(
            square(first)[row], np.mean([u[i] * u[j] for i, j in permutations(range(4), 2)])
        )
        assert np.isclose(fourth(first)[row], u[0] * u[1] * u[2] * u[3])
        divided = [
            u[list(two)].mean() * v[[k for k in range(4) if k not in two]].mean()
            for two in combinations(range(4), 2)
        ]
        assert np.isclose(cross(first, second)[row], np.mean(divided))


def test_moments__noise_adds_nothing():
    rng = np.random.default_rng(1)
    n = 200_000
    truth = np.cumsum(rng.standard_normal((3, n)), axis=0)
    noisy = truth[:, None] + 1.5 * rng.standard_normal((3, 4, n))
    u, v = (differences(noisy, a, a + 1, np.inf) for a in (0, 1))
    assert abs(square(u).mean() - 1) < 0.03  # naive: 1 + 2 * 2.25
    assert abs(fourth(u).mean() - 3) < 0.3
    assert abs(cross(u, v).mean()) < 0.03
    assert (u.mean(axis=0) * v.mean(axis=0)).mean() < -0.5  # with the same parts


@pytest.mark.parametrize("truth", ["jumps", "independent"])
def test_steps__is_the_literal_one(truth):
    made = recording(truth, n_units=30, n_sessions=4)
    found = steps(made)
    theta = compute_tuning(made, "centre", binning=BINNING)["tuning"].values
    total = {}
    for a in range(4):
        for b in range(a + 1, 4):
            values = []
            for unit in range(30):
                for way in range(2):
                    u = theta[b, :, unit, way] - theta[a, :, unit, way]
                    if np.isfinite(u).all():
                        values.append(np.mean([u[i] * u[j] for i, j in permutations(range(4), 2)]))
            total[a, b] = values
            assert np.isclose(found["mean_square_step"].values[a, b], np.mean(values), atol=1e-9)
            assert found["mean_square_step_n"].values[b, a] == len(values)
    near = np.mean(sum((total[s, s + 1] for s in range(3)), []))
    assert np.isclose(found["diffusion"], near / 4)  # sessions are two days apart
    fourths = [
        np.prod(theta[s + 1, :, unit, way] - theta[s, :, unit, way])
        for s in range(3)
        for unit in range(30)
        for way in range(2)
    ]
    kurtosis = np.nanmean(fourths) / near**2 - 3
    assert np.isclose(found["excess_kurtosis"], kurtosis)
    x = np.log([2.0, 4.0, 6.0])
    y = np.log([np.mean(sum((total[s, s + k] for s in range(4 - k)), [])) for k in (1, 2, 3)])
    slope = np.polyfit(x, y, 1, w=np.sqrt([3, 2, 1]))[0]
    assert np.isclose(found["exponent"], slope)


def test_tuning__centre_is_the_mean_above_half_of_the_peak():
    made = recording(n_units=5, n_sessions=2)
    found = compute_tuning(made, "centre", binning=BINNING, smoothing=0, min_events=0)
    rank = np.concatenate(
        [
            np.unique(made["lap"].values[made["session_index"].values == s], return_inverse=True)[1]
            for s in range(2)
        ]
    )
    here = (rank // 2 % 4 == 1) & (made["session_index"].values == 1) & (made["speed"].values > 2)
    here &= made["direction"].values == 1
    x, step = made["x"].values[here], made["frame_duration"].values[here]
    seconds = np.histogram(x, BINNING.edges, weights=step)[0]
    middles = np.arange(2.5, 100, 5)
    for unit in range(5):
        events = made["activity"].values[here, unit]
        rate = np.histogram(x, BINNING.edges, weights=events)[0] / seconds
        weight = np.maximum(rate - rate.max() / 2, 0)
        own = found["tuning"].sel(direction=1).values[1, 1, unit]
        assert np.isnan(own) or np.isclose(own, weight @ middles / weight.sum())


def test_steps__truths():
    stable = steps(recording("stable"))
    assert abs(stable["mean_square_step"].values[0, 5]) < 3
    assert "not larger than noise" in stable.attrs["reason"]
    assert np.isnan(stable["excess_kurtosis"])
    walk = steps(recording("independent", n_units=150))
    assert 11 < walk["diffusion"] < 17 and 0.8 < walk["exponent"] < 1.2
    assert (
        walk["step_correlation_low"] < 0.02
        and walk["jumpiness_low"] < 2
        and abs(walk["directedness"]) < 0.15
    )
    jumps = steps(recording("jumps", n_units=150))
    assert jumps["jumpiness_low"] > 2
    together = steps(recording("shift", circle=True))
    assert together["step_correlation"] > 0.9 and together["directedness"] > 1
    assert 1.9 < together["exponent"] < 2.1


def test_steps__round_a_circle_the_shorter_way():
    theta = np.array([[[95.0]] * 4, [[5.0]] * 4])[..., None][..., 0]
    assert np.allclose(differences(theta, 0, 1, 100.0), 10.0)
    assert np.allclose(differences(theta, 0, 1, np.inf), -90.0)


def test_steps__of_rates():
    made = recording("rates", n_units=100, n_sessions=5)
    found = steps(made, variable="rate")
    assert abs(found["mean_square_step"].values[0, 1] - 0.25) < 0.1  # steps of .5
    assert found.attrs["units"] == "log Hz"


def test_steps__units_order_chunks_and_labels():
    made = recording(n_units=20, n_sessions=3)
    found = steps(made)
    xr.testing.assert_identical(steps(made.chunk(time=700)), found)
    xr.testing.assert_identical(steps(made.isel(unit=slice(None, None, -1))), found)
    half = xr.DataArray(
        np.arange(20) < 12, dims="unit", coords={"unit": made["unit"]}
    ).broadcast_like(made["detected"])
    some = steps(made, units=half)
    only = steps(made.isel(unit=slice(12)))
    assert np.allclose(some["mean_square_step"], only["mean_square_step"], equal_nan=True)


def test_steps__too_little_is_said():
    few = steps(recording(n_units=4, n_sessions=2))
    assert np.isnan(few["diffusion"]) and "4 units" in few.attrs["reason"]
    one = steps(recording(n_sessions=1))
    assert one["mean_square_step"].shape == (1, 1) and "0 units" in one.attrs["reason"]
    short = steps(recording(n_laps=4, n_sessions=2))
    assert np.isnan(short["mean_square_step"].values[0, 1])


def test_steps__errors():
    with pytest.raises(ValueError, match="variable is 'map'"):
        steps(recording(n_units=3), variable="map")
    field = nd.testing.open_field(n_units=3)
    with pytest.raises(ValueError, match="use 'rate'"):
        nd.compute_steps(field)
