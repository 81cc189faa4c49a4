"""Geometry of drift: the definitions by loops, known directions, animals, edges of the data."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr

import neurodrift as nd
from neurodrift.analysis.drift.trial_geometry import Axes, geometry_of_pair
from neurodrift.kinematics import number_laps

BINNING = nd.Binning(bin_width=10.0, edges=np.linspace(0, 100, 11))


def literal_axes(trials):
    """Mean, shares, directions and dimension from the eigenvectors of the covariance."""
    mean = trials.mean(axis=0)
    value, vector = np.linalg.eigh(np.cov(trials.T))
    order = np.argsort(value)[::-1][: min(len(trials) - 1, mean.size)]
    share = value[order] / value[order].sum()
    directions = [v * (1 if v @ mean >= 0 else -1) for v in vector.T[order]]
    dimension = 1 / sum(v**2 for v in share)
    return mean, share, directions, math.ceil(dimension), dimension


def literal(groups_a, groups_b):
    """Everything of one pair by loops, as the docstring has it."""
    rows, angle, along = [], [], []
    for a, b in zip(groups_a, groups_b, strict=True):
        mean, _, w, k, _ = literal_axes(a)
        mean_b, _, w_b, k_b, _ = literal_axes(b)
        d = mean_b - mean
        size = math.sqrt(sum(x * x for x in d))
        row = {"gamma": sum((d @ w[i]) ** 2 for i in range(k)) / size**2}
        row["gamma_chance"] = k / d.size
        row["relative_size"] = size / math.sqrt(mean @ mean)
        shared = sum((w[i] @ w_b[j]) ** 2 for i in range(k) for j in range(k_b))
        row["overlap"], row["overlap_chance"] = shared / min(k, k_b), max(k, k_b) / d.size
        angle.append([math.degrees(math.acos(d @ w[i] / size)) for i in range(2)])
        square = within = norm = 0.0
        parts = np.zeros(2)
        for f in range(3):
            g, h = (f + 1) % 3, (f + 2) % 3
            one, other = (b[i::3].mean(axis=0) - a[i::3].mean(axis=0) for i in (g, h))
            _, _, v, n_within, _ = literal_axes(a[f::3])
            square += one @ other / 3
            within += sum((one @ v[i]) * (other @ v[i]) for i in range(n_within)) / 3
            norm += a[g::3].mean(axis=0) @ a[h::3].mean(axis=0) / 3
            parts += [v[i] @ (one + other) / 2 / 3 for i in range(2)]
        along.append(parts)
        row |= {"change_square": square, "change_square_within": within, "norm": norm}
        noise = np.cov(a.T) / (len(a) / 3) + np.cov(b.T) / (len(b) / 3)
        row["null"] = np.trace(noise @ noise) / 3
        rows.append(row)
    mean = {name: np.mean([row[name] for row in rows]) for name in rows[0]}
    mean["change_square_se"] = math.sqrt(mean.pop("null") / len(rows))
    mean["gamma_corrected"] = mean["change_square_within"] / mean["change_square"]
    mean["relative_size_corrected"] = math.sqrt(mean["change_square"] / mean.pop("norm"))
    cosine = np.mean(along, axis=0) / math.sqrt(mean["change_square"])
    return mean, np.mean(angle, axis=0), np.degrees(np.arccos(cosine))


def test_geometry_of_pair__equals_the_definitions():
    rng = np.random.default_rng(0)
    spread = np.array([3.0, 2, 1, 1, 0.5, 0.5, 0.2])
    shape = [(12, 7), (15, 7), (13, 7)]
    a = [5 + spread * rng.standard_normal(s) for s in shape]
    b = [5 + spread * rng.standard_normal(s) + rng.normal(0, 3, 7) for s in shape]
    numbers, angle, corrected = literal(a, b)
    found = geometry_of_pair(a, b, n_components=2)
    assert found.numbers["n_bins"] == 3
    for name, value in numbers.items():
        assert found.numbers[name] == pytest.approx(value, rel=1e-9), name
    assert set(numbers) | {"n_bins"} == set(found.numbers)
    np.testing.assert_allclose(found.angle, angle, atol=1e-9)
    np.testing.assert_allclose(found.angle_corrected, corrected, atol=1e-9)


def test_axes__dimension_of_equal_and_of_one():
    equal = Axes.of(np.vstack([np.eye(4), -np.eye(4)]))
    assert equal.dimension == pytest.approx(4)
    assert equal.n_within == 4  # not 5 by rounding
    one = Axes.of(np.outer([1.0, 2, 4], [3.0, 4, 0]))
    assert one.n_within == 1
    np.testing.assert_allclose(one.directions, [[0.6, 0.8, 0]], atol=1e-12)
    assert Axes.of(np.ones((4, 3))) is None
    assert Axes.of(np.ones((0, 3))) is None


@pytest.mark.parametrize(("axis", "gamma"), [(0, 1.0), (9, 0.0)])
def test_geometry_of_pair__along_and_across_the_variability(axis, gamma):
    rng = np.random.default_rng(2)
    spread = np.r_[4.0, np.full(9, 0.3)]
    a, b = (10 + spread * rng.standard_normal((300, 10)) for _ in range(2))
    b[:, axis] -= 3.0
    found = geometry_of_pair([a], [b])
    assert found.numbers["gamma_corrected"] == pytest.approx(gamma, abs=0.1)
    assert found.numbers["gamma_chance"] <= 0.2
    wanted = 180 if axis == 0 else 90
    assert found.angle_corrected[0] == pytest.approx(wanted, abs=25)


def test_geometry_of_pair__noise_alone_is_high_as_it_is_and_0_without_it():
    rng = np.random.default_rng(3)
    naive, square, within, clear = [], [], [], []
    for _ in range(200):
        a, b = (rng.poisson([20.0] * 3 + [0.5] * 20, (15, 23)).astype(float) for _ in range(2))
        found = geometry_of_pair([a], [b]).numbers
        naive.append(found["gamma"] - found["gamma_chance"])
        square.append(found["change_square"])
        within.append(found["change_square_within"])
        clear.append(np.isfinite(found["gamma_corrected"]))
    assert np.mean(naive) > 0.5
    for values in (square, within):
        assert abs(np.mean(values)) < 4 * np.std(values) / math.sqrt(200)
    assert np.mean(clear) < 0.1


@pytest.fixture(scope="module")
def track():
    return nd.testing.linear_track(n_units=12, n_sessions=3, minutes=8.0, seed=1)


def test_compute_drift_geometry__labels_and_pairs(track):
    found = nd.compute_drift_geometry(track, binning=BINNING, min_laps=6)
    assert found["gamma"].dims == ("session_a", "session_b")
    assert found["angle"].dims == ("session_a", "session_b", "component")
    assert found["lag"].values[0].tolist() == [0, 1, 2]
    assert np.isnan(np.diag(found["gamma"])).all()
    off = ~np.eye(3, dtype=bool)
    assert np.isfinite(found["gamma"].values[off]).all()
    assert (found["n_units"].values[off] == 12).all()
    assert found.attrs["reason"] == ""
    assert found["variance_share"].values[:, 0].min() > 0

    maps = nd.compute_rate_maps(track, binning=BINNING, by="lap")
    names = track["session"].values
    groups = []
    for name in names[:2]:
        own = maps.isel(segment=maps["session"].values == name)
        groups.append([
            own["rate"].isel(direction=d, position=p).values[
                own["occupancy"].isel(direction=d, position=p).values > 0
            ]
            for d in range(own.sizes["direction"])
            for p in range(own.sizes["position"])
        ])  # fmt: skip
    both = [(a, b) for a, b in zip(*groups, strict=True) if min(len(a), len(b)) >= 6]
    literally = geometry_of_pair([a for a, _ in both], [b for _, b in both])
    assert found["gamma"].values[0, 1] == pytest.approx(literally.numbers["gamma"], rel=1e-9)
    assert found["n_bins"].values[0, 1] == literally.numbers["n_bins"]


def test_compute_drift_geometry__lazy_and_shuffled_units_give_the_same(track):
    eager = nd.compute_drift_geometry(track, binning=BINNING, min_laps=6)
    lazy = nd.compute_drift_geometry(
        track.chunk({"unit": 5, "time": 700}), binning=BINNING, min_laps=6
    )
    xr.testing.assert_allclose(eager, lazy, rtol=1e-9)
    other = nd.compute_drift_geometry(
        track.isel(unit=np.random.default_rng(0).permutation(12)), binning=BINNING, min_laps=6
    )
    xr.testing.assert_allclose(eager["gamma_corrected"], other["gamma_corrected"], rtol=1e-9)


def test_compute_drift_geometry__undetected_and_unregistered_units_do_not_count(track):
    detected = track["detected"].copy()
    detected[{"session": 1, "unit": [0, 3]}] = False
    found = nd.compute_drift_geometry(track.assign(detected=detected), binning=BINNING, min_laps=6)
    assert found["n_units"].values[0].tolist() == [0, 10, 12]
    assert np.isfinite(found["gamma"].values[0, 1])
    kept = np.arange(12) % 2 == 0
    part = track.assign_coords(registered=("unit", kept))
    found = nd.compute_drift_geometry(part, binning=BINNING, min_laps=6)
    alone = nd.compute_drift_geometry(track.isel(unit=kept), binning=BINNING, min_laps=6)
    np.testing.assert_array_equal(found["gamma"], alone["gamma"])


def test_compute_drift_geometry__too_little_is_nan_with_a_reason(track):
    apart = np.arange(12) % 3 == np.arange(3)[:, None]  # no unit in two sessions
    for few in (
        nd.compute_drift_geometry(track, binning=BINNING, min_laps=1000),
        nd.compute_drift_geometry(
            track.assign(detected=track["detected"].copy(data=apart)), binning=BINNING, min_laps=6
        ),
        nd.compute_drift_geometry(
            nd.select_sessions(track, track["session"].values[:1]), binning=BINNING, min_laps=6
        ),
    ):
        assert np.isnan(few["gamma"]).all()
        assert few.attrs["reason"].startswith("no bin was passed in")
    one = nd.compute_drift_geometry(track.isel(unit=[0]), binning=BINNING, min_laps=6)
    gamma = one["gamma"].values[np.isfinite(one["gamma"].values)]
    np.testing.assert_allclose(gamma, 1)  # one unit has one direction


def test_compute_drift_geometry__laps_of_the_position_where_none_are_given(track):
    bare = track.drop_vars("lap")
    found = nd.compute_drift_geometry(bare, binning=BINNING, min_laps=6)
    assert found.attrs["by"] == "lap"
    numbered = nd.compute_drift_geometry(number_laps(bare), binning=BINNING, min_laps=6)
    np.testing.assert_array_equal(found["gamma"], numbered["gamma"])
    assert np.isfinite(found["gamma"].values[0, 1])


def test_compute_drift_geometry__refusals(track):
    with pytest.raises(ValueError, match="has no trial"):
        nd.compute_drift_geometry(track.drop_vars("trial"), by="trial")
    with pytest.raises(ValueError, match="n_components is 0"):
        nd.compute_drift_geometry(track, n_components=0)
    with pytest.raises(ValueError, match="min_laps"):
        nd.compute_drift_geometry(track, min_laps=2)
