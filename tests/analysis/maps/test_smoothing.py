from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest
import xarray as xr

from neurodrift import smooth_maps
from neurodrift.analysis.maps.smoothing import smoothing_steps


def literal(rate, centres, sigma, occupancy=None):
    """Mean over the visited bins within 3 sigma along each axis, weighted by a Gaussian."""
    smoothed = np.full(rate.shape, np.nan)
    for u, row in enumerate(rate):
        for i in np.flatnonzero(~np.isnan(row)):
            total = weight = 0.0
            for j in np.flatnonzero(~np.isnan(row)):
                distances = [abs(c[i] - c[j]) for c in centres]
                if max(distances) <= 3 * sigma + 1e-9:
                    w = math.exp(-sum(d * d for d in distances) / (2 * sigma**2))
                    w *= 1.0 if occupancy is None else occupancy[u][j]
                    total += w * row[j]
                    weight += w
            smoothed[u, i] = total / weight
    return smoothed


def maps_over(rate, *centres):
    coords = {name: ("position", c) for name, c in zip(("x_bin", "y_bin"), centres, strict=False)}
    return xr.DataArray(rate, dims=("unit", "position"), coords=coords)


def box(n, m, width=2.0):
    """Centres of the bins of a box of n by m bins."""
    x, y = np.meshgrid(np.arange(n) * width, np.arange(m) * width, indexing="ij")
    return x.ravel(), y.ravel()


def some_bins(kind, rng):
    x, y = box(13, 9)
    if kind == "box":
        return x, y
    if kind == "part of a box":
        kept = rng.random(x.size) < 0.6
        return x[kept], y[kept]
    if kind == "diagonal":
        return np.arange(20.0), np.arange(20.0)
    if kind == "bins of many widths":
        along, across = np.cumsum(rng.uniform(0.5, 4, 11)), np.cumsum(rng.uniform(0.5, 4, 7))
        return np.repeat(along, 7), np.tile(across, 11)
    order = rng.permutation(x.size)  # in no order
    return x[order], y[order]


@pytest.mark.parametrize(
    "kind", ["box", "part of a box", "diagonal", "bins of many widths", "in no order"]
)
@pytest.mark.parametrize("sigma", [0.5, 2.0, 5.0, 40.0])
@pytest.mark.parametrize("n_units", [1, 4])
def test_smooth_maps__of_two_axes_equal_the_loop(kind, sigma, n_units):
    rng = np.random.default_rng(0)
    centres = some_bins(kind, rng)
    rate = rng.exponential(1.0, (n_units, centres[0].size))
    rate[rng.random(rate.shape) < 0.3] = np.nan  # units differ in their bins
    found = smooth_maps(maps_over(rate, *centres), sigma).values
    expected = literal(rate, centres, sigma)
    assert (np.isnan(found) == np.isnan(rate)).all()
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("sigma", [0.5, 4.0, 4 / 3, 30.0])
def test_smooth_maps__of_one_axis_equal_the_loop(sigma):
    rng = np.random.default_rng(1)
    centres = np.cumsum(rng.uniform(1, 5, 30))
    rate = rng.exponential(1.0, (3, 30))
    rate[rng.random(rate.shape) < 0.3] = np.nan
    found = smooth_maps(maps_over(rate, centres), sigma).values
    np.testing.assert_allclose(found, literal(rate, [centres], sigma), rtol=1e-13)


@pytest.mark.parametrize("dims", [1, 2])
@pytest.mark.parametrize("shared", [True, False])
def test_smooth_maps__by_occupancy_equal_the_loop(dims, shared):
    rng = np.random.default_rng(2)
    centres = some_bins("part of a box", rng) if dims == 2 else (np.arange(40) * 2.0,)
    rate = rng.exponential(1.0, (3, centres[0].size))
    rate[rng.random(rate.shape) < 0.2] = np.nan
    occupancy = rng.exponential(1.0, rate.shape)
    if shared:
        occupancy[:] = occupancy[0]
    maps = maps_over(rate, *centres)
    given = maps.copy(data=occupancy)
    found = smooth_maps(maps, 4.0, given[0] if shared else given).values
    np.testing.assert_allclose(found, literal(rate, centres, 4.0, occupancy), rtol=1e-12)
    everywhere = smooth_maps(maps, 4.0, xr.full_like(given, 3.0)).values
    np.testing.assert_allclose(everywhere, smooth_maps(maps, 4.0).values, rtol=1e-12)


def test_smooth_maps__weights_end_where_they_are_said_to():
    centres = np.arange(9) * 4.0
    for sigma, reached in ((4.0, 3), (4 / 3, 1), (1.3, 0)):  # 3 sigma is a whole number of bins
        weights = smoothing_steps(maps_over(np.zeros((1, 9)), centres), sigma)[0].toarray()
        assert (
            np.count_nonzero(weights, axis=1)
            == np.minimum(np.arange(9), reached) + 1 + np.minimum(np.arange(9)[::-1], reached)
        ).all()


def test_smooth_maps__without_a_map_a_bin_or_a_visit():
    x, y = box(4, 3)
    assert smooth_maps(maps_over(np.zeros((0, 12)), x, y), 2.0).shape == (0, 12)
    assert smooth_maps(maps_over(np.zeros((2, 0)), x[:0], y[:0]), 2.0).shape == (2, 0)
    assert np.isnan(smooth_maps(maps_over(np.full((2, 12), np.nan), x, y), 2.0)).all()
    one = np.where(np.arange(12) == 5, 3.0, np.nan)[None]
    np.testing.assert_array_equal(smooth_maps(maps_over(one, x, y), 2.0), one)


def peak_of_memory(n):
    """Bytes at once while maps over n by n bins are smoothed."""
    x, y = box(n, n)
    rate = maps_over(np.random.default_rng(0).random((2, n * n)), x, y)
    smooth_maps(rate[:, :20], 4.0)  # imports
    tracemalloc.start()
    smooth_maps(rate, 4.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_smooth_maps__memory_is_linear_in_the_bins():
    few, many = peak_of_memory(50), peak_of_memory(100)  # 2,500 and 10,000 bins
    assert many < 5 * few
    assert many < 10_000 * 3000  # bins by bins of doubles are 10,000 * 80,000


def test_smooth_maps__keeps_a_constant_and_mass_between_interior_bins():
    bins = {"x_bin": ("position", np.arange(30) * 4.0)}
    flat = xr.DataArray(np.full(30, 3.0), dims="position", coords=bins)
    np.testing.assert_allclose(
        smooth_maps(flat.where(flat["x_bin"] % 12 > 0), 4.0).dropna("position"), 3.0
    )
    peak = (flat["x_bin"] == 60.0).astype(float)
    smooth = smooth_maps(peak, 4.0).values
    kernel = np.exp(-0.5 * np.arange(-3, 4) ** 2)  # 7 bins: 3 standard deviations to each side
    np.testing.assert_allclose(smooth[12:19], kernel / kernel.sum())
    assert np.count_nonzero(smooth) == 7


def test_smooth_maps__bad_input():
    rate = xr.DataArray(np.ones(3), dims="position")
    with pytest.raises(ValueError, match="sigma is 0, expected"):
        smooth_maps(rate.assign_coords(x_bin=("position", [0.0, 1, 2])), 0)
    with pytest.raises(ValueError, match="no coordinate x_bin"):
        smooth_maps(rate, 1.0)


def test_smooth_maps__many_bins_are_the_same_as_few():
    rng = np.random.default_rng(0)
    bins = {"x_bin": ("position", np.arange(1300) * 1.0)}
    rate = xr.DataArray(rng.random((2, 1300)), dims=("unit", "position"), coords=bins)
    whole = smooth_maps(rate, 2.0).values
    part = smooth_maps(rate.isel(position=slice(500, 560)), 2.0).values
    np.testing.assert_allclose(whole[:, 506:554], part[:, 6:54], rtol=1e-12)
