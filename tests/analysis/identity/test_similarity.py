from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import xarray as xr

from neurodrift import compute_rate_maps, testing
from neurodrift.analysis.identity._similarity import (
    N_GROUPS,
    agreement,
    jackknife_se,
    products,
    root_maps,
)


def _maps(rng, n_segments=4, n_units=30, n_bins=8, holes=True):
    rate = rng.gamma(1.0, size=(n_segments, n_units, 1, n_bins))
    occupancy = np.ones((n_segments, 1, n_bins))
    detected = rng.random((n_segments, n_units)) < 0.8
    if holes:
        occupancy[0, 0, 2] = occupancy[3, 0, 5:] = 0
    rate = np.where(occupancy[:, None] > 0, rate, np.nan)
    rate = np.where(detected[:, :, None, None], rate, np.nan)
    return xr.Dataset(
        {
            "rate": (("segment", "unit", "direction", "position"), rate),
            "occupancy": (("segment", "direction", "position"), occupancy),
            "detected": (("segment", "unit"), detected),
        },
        coords={"unit": np.arange(n_units)},
    )


def _reference(maps, i, j, without=None):
    """One pair, unit by unit and bin by bin."""
    labels = sorted(str(item) for item in maps["unit"].values)
    left_out = {name for k, name in enumerate(labels) if k % N_GROUPS == without}
    bins = [
        b
        for b in range(maps.sizes["position"])
        if maps["occupancy"].values[i, 0, b] > 0 and maps["occupancy"].values[j, 0, b] > 0
    ]
    rows = []
    for u, name in enumerate(maps["unit"].values):
        if maps["detected"].values[[i, j], u].all() and str(name) not in left_out:
            pair = [[np.sqrt(maps["rate"].values[k, u, 0, b]) for b in bins] for k in (i, j)]
            rows.append([[value - sum(own) / len(own) for value in own] for own in pair])
    for side in (0, 1):
        for b in range(len(bins)):
            mean = sum(row[side][b] for row in rows) / len(rows)
            for row in rows:
                row[side][b] -= mean
    total = sum(x * y for row in rows for x, y in zip(*row, strict=True))
    norms = [sum(x * x for row in rows for x in row[side]) for side in (0, 1)]
    return total / np.sqrt(norms[0] * norms[1]), len(rows)


def test_agreement__is_the_literal_correlation():
    maps = _maps(np.random.default_rng(1))
    found = agreement(maps)
    for i in range(4):
        for j in range(4):
            value, n_units = _reference(maps, i, j)
            assert found.whole[i, j] == pytest.approx(value, abs=1e-12)
            assert found.n_units[i, j] == n_units
    assert found.without[3, 0, 2] == pytest.approx(_reference(maps, 0, 2, without=3)[0], abs=1e-12)
    np.testing.assert_allclose(found.whole, found.whole.T)


def test_agreement__is_the_same_in_any_order_and_chunks():
    maps = _maps(np.random.default_rng(2))
    whole = agreement(maps)
    order = np.random.default_rng(0).permutation(30)
    for other in (maps.isel(unit=order), maps.chunk(unit=7, segment=1)):
        np.testing.assert_array_equal(agreement(other).whole, whole.whole)
        np.testing.assert_array_equal(agreement(other).without, whole.without)


def test_agreement__units_not_detected_are_not_silent():
    maps = _maps(np.random.default_rng(3))
    some = maps["detected"].values[0] & maps["detected"].values[1]
    alone = maps.isel(unit=np.flatnonzero(some), segment=[0, 1])
    assert agreement(maps).whole[0, 1] == pytest.approx(agreement(alone).whole[0, 1], abs=1e-12)
    silent = maps.assign(
        rate=maps["rate"].fillna(0.0), detected=xr.ones_like(maps["detected"], dtype=bool)
    )
    assert abs(agreement(silent).whole[0, 1] - agreement(maps).whole[0, 1]) > 1e-3


def test_agreement__too_few_units_or_bins_say_nothing():
    maps = _maps(np.random.default_rng(4), n_units=9, holes=False)
    assert np.isnan(agreement(maps).whole).all()
    narrow = _maps(np.random.default_rng(4), n_bins=2, holes=False)
    assert np.isnan(agreement(narrow).whole).all()


def test_agreement__without_the_only_group_of_units_is_unknown():
    maps = _maps(np.random.default_rng(2), n_units=N_GROUPS * 12, holes=False)
    maps["unit"] = [f"{u:04d}" for u in range(maps.sizes["unit"])]
    alone = np.arange(maps.sizes["unit"]) % N_GROUPS == 3
    similar = agreement(maps.assign(detected=(("segment", "unit"), np.tile(alone, (4, 1)))))
    assert np.isfinite(similar.whole).all() and (similar.n_units == 12).all()
    assert np.isnan(similar.without[3]).all()
    np.testing.assert_allclose(similar.without[0], similar.whole, rtol=1e-12)


def test_agreement__of_even_maps_is_unknown_however_many_there_are():
    maps = _maps(np.random.default_rng(3), n_units=2000, n_bins=200, holes=False)
    level = xr.DataArray(np.linspace(1, 90, 2000), dims="unit")
    similar = agreement(maps.assign(rate=xr.zeros_like(maps["rate"]) + level))
    assert np.isnan(similar.whole).all() and np.isnan(similar.without).all()


def test_agreement__memory_is_linear_in_the_bins():
    peaks = []
    for n_bins in (2_500, 10_000):
        maps = _maps(np.random.default_rng(4), n_segments=40, n_units=12, n_bins=n_bins)
        tracemalloc.start()
        agreement(maps)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 5 * peaks[0]
    assert peaks[0] < 200e6  # pairs of segments by groups of units by bins are 600 MB


def test_products__diagonal_is_the_agreement_and_permutations_have_mean_near_zero():
    maps = _maps(np.random.default_rng(5))
    rate, detected, visited = root_maps(maps, "segment")
    units = np.flatnonzero(detected[0] & detected[1])
    found = products(rate[0, units], rate[1, units], visited[0] * visited[1])
    table = np.concatenate([found.rows(slice(0, 7)), found.rows(slice(7, None))])
    observed = agreement(maps).whole[0, 1]
    assert np.trace(table) == pytest.approx(observed, abs=1e-12)
    n = units.size
    # The mean over all permutations is the sum of the table over n.
    assert table.sum() / n == pytest.approx(0.0, abs=1e-12)


def test_jackknife_se__of_a_mean_is_its_standard_error():
    values = np.random.default_rng(6).normal(size=N_GROUPS)
    without = np.array([np.delete(values, k).mean() for k in range(N_GROUPS)])
    assert jackknife_se(without) == pytest.approx(values.std(ddof=1) / np.sqrt(N_GROUPS))


def test_agreement__standard_error_is_that_of_repeated_populations():
    found, errors = [], []
    for seed in range(25):
        recording = testing.several_maps([[1, 1]], n_units=60, detection=1.0, minutes=2, seed=seed)
        similar = agreement(compute_rate_maps(recording, smoothing=4.0, by="trial"))
        found.append(similar.whole[0, 1])
        errors.append(similar.se[0, 1])
    assert np.mean(errors) == pytest.approx(np.std(found, ddof=1), rel=0.5)
