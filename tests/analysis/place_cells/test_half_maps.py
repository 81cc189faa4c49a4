from __future__ import annotations

import math
import tracemalloc
from functools import partial

import numpy as np
import pytest
import xarray as xr

from neurodrift.analysis.maps.smoothing import smoothing_steps
from neurodrift.analysis.place_cells._half_maps import StabilityNull
from neurodrift.analysis.place_cells.shuffles import NULLS, Plan, empirical_p

PLAN = {"n_repeats": 21, "block": 7}  # no multiple of the shuffles that go side by side


def literal_map(activity, position, seconds, centres, sigma, by_time=False):
    """Rate in each bin, averaged over the visited bins around it; None where no visit was."""
    n_bins = len(centres[0])
    time, summed = [0.0] * n_bins, [0.0] * n_bins
    for amount, s, dt in zip(activity, position, seconds, strict=True):
        time[s] += dt
        summed[s] += amount
    rate = [a / t if t > 0 else None for a, t in zip(summed, time, strict=True)]
    if sigma == 0:
        return rate
    found = []
    for i in range(n_bins):
        total = weight = 0.0
        for j in range(n_bins):
            apart = [abs(c[i] - c[j]) for c in centres]
            if rate[j] is not None and max(apart) <= 3 * sigma + 1e-9:
                w = math.exp(-sum(d * d for d in apart) / (2 * sigma**2))
                w *= time[j] if by_time else 1.0
                total, weight = total + w * rate[j], weight + w
        found.append(None if rate[i] is None else total / weight)
    return found


def literal_correlation(activity, position, half, seconds, centres, sigma, by_time=False):
    maps = [
        literal_map(
            activity[half == h], position[half == h], seconds[half == h], centres, sigma, by_time
        )
        for h in (0, 1)
    ]
    both = [(a, b) for a, b in zip(*maps, strict=True) if a is not None and b is not None]
    first, second = np.array(both).reshape(-1, 2).T
    if not first.size or np.ptp(first) < 1e-13 or np.ptp(second) < 1e-13:
        return np.nan
    return np.corrcoef(first, second)[0, 1]


def behaviour(dims, rng, n=150):
    """Positions of a walk, halves, laps, lengths of the frames, and centres of the bins [cm]."""
    if dims == 1:
        centres = [np.arange(9) * 4.0]
        position = rng.integers(0, 8, n)  # the last bin is visited in one half alone
    else:
        x, y = np.meshgrid(np.arange(5) * 4.0, np.arange(4) * 4.0, indexing="ij")
        kept = np.arange(20) != 7  # the grid has a hole
        centres = [x.ravel()[kept], y.ravel()[kept]]
        position = rng.integers(0, 18, n)
    half = np.arange(n) // 30 % 2
    position[5] = centres[0].size - 1
    return position, half, np.arange(n) // 25, rng.uniform(0.02, 0.2, n), centres


@pytest.mark.parametrize("null", NULLS)
@pytest.mark.parametrize("dims", [1, 2])
@pytest.mark.parametrize("sigma", [0.0, 4.0, 9.0])
@pytest.mark.parametrize("kind", ["counts", "amplitudes", "traces"])
@pytest.mark.parametrize("by_time", [False, True])
def test_stability_null__equals_the_loop(null, dims, sigma, kind, by_time):
    rng = np.random.default_rng(len(null) + dims)
    position, half, lap, seconds, centres = behaviour(dims, rng)
    if kind == "counts":
        activity, given = rng.poisson(0.3, position.size).astype(float), None
        seconds = np.full(position.size, 0.05)
    else:
        activity = rng.gamma(1.0, 1.0, position.size) * (rng.random(position.size) < 0.3)
        activity -= 0.5 if kind == "traces" else 0.0  # of any sign
        given = seconds
    names = ("x_bin", "y_bin")[:dims]
    bins = xr.DataArray(
        np.zeros(centres[0].size),
        dims="position",
        coords={name: ("position", c) for name, c in zip(names, centres, strict=True)},
    )
    steps = smoothing_steps(bins, sigma) if sigma > 0 else ()
    model = StabilityNull(position, half, centres[0].size, steps, lap, given, by_time=by_time)
    literal = partial(
        literal_correlation,
        position=position,
        half=half,
        seconds=seconds,
        centres=centres,
        sigma=sigma,
        by_time=by_time,
    )
    frames = np.flatnonzero(activity)
    plan = Plan(null=null, **PLAN)
    observed, found = model.values(frames, activity[frames], plan, np.random.default_rng(3))
    expected = []
    for targets in plan.moved(frames, position.size, np.random.default_rng(3), lap):
        for target in targets:
            moved = np.zeros(position.size)
            np.add.at(moved, target, activity[frames])
            expected.append(literal(moved))
    own = literal(activity)
    assert len(expected) > 20 and np.isfinite(expected).all()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    assert abs(observed - own) < 1e-12 and observed == model.observed(frames, activity[frames])
    p = empirical_p(own, np.array(expected), exact=plan.exact, tie=1e-9)
    assert empirical_p(observed, found, exact=plan.exact, tie=1e-9) == p


def test_stability_null__shuffles_without_a_correlation_are_left_out():
    position, half = np.tile([0, 1, 2], 20), np.repeat([0, 1], 30)
    model = StabilityNull(position, half, 3)
    frames, amounts = np.array([1, 31]), np.ones(2)
    plan = Plan(null="circular_exact")
    observed, found = model.values(frames, amounts, plan, np.random.default_rng(0))
    assert observed == pytest.approx(1.0, abs=1e-12)  # both events in bin 1, one in each half
    assert found.size == 60  # 30 frames apart: one event in each half after every shift
    one, found = model.values(frames[:1], amounts[:1], plan, np.random.default_rng(0))
    assert np.isnan(one) and found.size == 0


@pytest.mark.parametrize("sigma", [0.0, 3.0])
def test_stability_null__no_shared_bin(sigma):
    bins = xr.DataArray(
        np.zeros(4), dims="position", coords={"x_bin": ("position", np.arange(4.0))}
    )
    steps = smoothing_steps(bins, sigma) if sigma > 0 else ()
    model = StabilityNull(np.repeat(np.arange(4), 5), np.repeat([0, 1], 10), 4, steps)
    assert np.isnan(model.observed(np.array([2, 13]), np.ones(2)))


def peak_of_memory(n):
    x, y = np.meshgrid(np.arange(n) * 2.0, np.arange(n) * 2.0, indexing="ij")
    coords = {"x_bin": ("position", x.ravel()), "y_bin": ("position", y.ravel())}
    bins = xr.DataArray(np.zeros(n * n), dims="position", coords=coords)
    position, half = np.tile(np.arange(n * n), 2), np.repeat([0, 1], n * n)
    frames, plan = np.arange(0, 2 * n * n, 7), Plan(null="circular", n_repeats=50)
    tracemalloc.start()
    model = StabilityNull(position, half, n * n, smoothing_steps(bins, 2.0))
    null = model.values(frames, np.ones(frames.size), plan, np.random.default_rng(0))[1]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert null.size == 50
    return peak


def test_stability_null__memory_is_linear_in_the_bins():
    peak_of_memory(5)  # compiles
    few, many = peak_of_memory(50), peak_of_memory(100)  # 2,500 and 10,000 bins
    assert many < 5 * few
    assert many < 10_000 * 4000  # a matrix of bins by bins is 10,000 * 80,000 bytes
