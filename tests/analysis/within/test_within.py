"""Drift within a session, overnight and by day."""

import drift_within
import known_animals as animals
import numpy as np
import pytest
import xarray as xr

import neurodrift as nd
from neurodrift import testing
from neurodrift.analysis.within.blocks import cut_in_blocks

WEIGHT = 20.0


def animal(truth="stable", seed=0, **options):
    options = {"n_units": 30, "n_sessions": 3, "n_laps": 26} | options
    if truth in drift_within.OWN:
        return drift_within.moving(truth, np.random.default_rng(seed), **options)
    return animals.make(truth, np.random.default_rng(seed), **options).recording


def literal_products(halves_a, halves_b):
    """Sums over directions of a unit's products: between, within a, within b; by loops."""
    n_units, n_ways = halves_a[0][0].shape[:2]
    total = np.zeros((3, n_units))
    for u in range(n_units):
        for d in range(n_ways):
            sides = []
            for halves in (halves_a, halves_b):
                maps = []
                for rate, events, seconds in halves:
                    scaled = seconds[d].sum() * (rate[u, d] - rate[u, d].mean())
                    maps.append((scaled, events[u, d].sum()))
                sides.append(maps)
            (a1, n1), (a2, n2) = sides[0]
            (b1, m1), (b2, m2) = sides[1]
            if min(n1, n2, m1, m2) == 0:
                continue
            weight = (n1 + n2) / (n1 + n2 + WEIGHT) * (m1 + m2) / (m1 + m2 + WEIGHT)
            total[0, u] += weight * ((a1 + a2) @ (b1 + b2)) / ((n1 + n2) * (m1 + m2))
            total[1, u] += weight * (2 * a1 @ a2) / (2 * n1 * n2)
            total[2, u] += weight * (2 * b1 @ b2) / (2 * m1 * m2)
    return total


def literal_parts(recording, first_lap, n_rounds):
    """Maps of both halves of a part: pairs of laps, one to each half in turn."""
    halves = []
    for half in (0, 1):
        laps = [first_lap + 2 * k + way for k in range(n_rounds) if k % 2 == half for way in (0, 1)]
        session, number = laps[0] // 1000, [lap % 1000 for lap in laps]
        mine = np.isin(recording["lap"].values, number)
        mine &= recording["session_index"].values == session
        code = xr.DataArray(np.where(mine, 0, -1), dims="time")
        maps = nd.compute_rate_maps(
            recording, smoothing=nd.Binning().smoothing_or_default(None), by=code
        ).isel(segment=0)
        order = ("unit", "direction", "position")
        halves.append(
            (
                maps["rate"].transpose(*order).values,
                maps["events"].transpose(*order).values,
                maps["occupancy"].transpose(*order[1:]).values,
            )
        )
    return halves


def ratio(products):
    total = products.sum(axis=1)
    return total[0] / np.sqrt(total[1] * total[2])


def jackknife(statistic, products):
    n = products.shape[1]
    each = np.array([statistic(np.delete(products, u, axis=1)) for u in range(n)])
    return np.sqrt((n - 1) / n * ((each - each.mean()) ** 2).sum())


def test_compute_within_drift__literal():
    recording = animal("within and overnight", n_laps=26, n_sessions=2)
    found = nd.compute_within_drift(recording)
    assert found.attrs["laps_per_part"] == 8  # 13 rounds: parts of 4
    # half from the start, the last one up to the end
    firsts = {s: [1000 * s + lap for lap in (0, 8, 18)] for s in (0, 1)}
    parts = {s: [literal_parts(recording, lap, 4) for lap in firsts[s]] for s in firsts}
    step = sum(literal_products(parts[s][k], parts[s][k + 1]) for s in (0, 1) for k in (0, 1))
    night = literal_products(parts[0][2], parts[1][0])
    first_last = [literal_products(parts[s][0], parts[s][2]) for s in (0, 1)]
    np.testing.assert_allclose(found["first_last"], [ratio(p) for p in first_last], atol=1e-9)
    np.testing.assert_allclose(found["first_last_pooled"], ratio(sum(first_last)), atol=1e-9)
    np.testing.assert_allclose(
        found["first_last_pooled_se"], jackknife(ratio, sum(first_last)), atol=1e-9
    )
    np.testing.assert_allclose(found["step"], [ratio(step)], atol=1e-9)
    np.testing.assert_allclose(found["overnight_pooled"], ratio(night), atol=1e-9)
    both = np.concatenate([step, night])
    np.testing.assert_allclose(
        found["excess_pooled_se"],
        jackknife(lambda p: ratio(p[:3]) - ratio(p[3:]), both),
        atol=1e-9,
    )
    np.testing.assert_allclose(found["curve"][0], ratio(step), atol=1e-9)
    np.testing.assert_allclose(
        found["between"][0, 1],
        ratio(sum(literal_products(a, b) for a in parts[0] for b in parts[1])),
        atol=1e-9,
    )
    np.testing.assert_allclose(
        found["similarity"][0, 4], ratio(literal_products(parts[0][0], parts[1][1])), atol=1e-9
    )


def test_compute_within_drift__tells_when_maps_change():
    found = {
        truth: nd.compute_within_drift(animal(truth, n_laps=40, n_units=60))
        for truth in ("stable", "independent", "within", "within and overnight", "tired")
    }
    within = {truth: float(one["within_p"]) < 0.01 for truth, one in found.items()}
    night = {truth: float(one["overnight_p"]) < 0.01 for truth, one in found.items()}
    assert within == {
        "stable": False,
        "independent": False,
        "within": True,
        "within and overnight": True,
        "tired": False,
    }
    assert night == {
        "stable": False,
        "independent": True,
        "within": False,
        "within and overnight": True,
        "tired": False,
    }
    assert abs(float(found["stable"]["first_last_pooled"]) - 1) < 0.02
    assert found["within"]["curve"][1] < found["within"]["curve"][0]
    assert (np.diff(found["within"]["curve_minutes"]) > 0).all()


def test_parts_have_equal_laps_in_sessions_of_unequal_length():
    long, short = animal(n_laps=40, n_sessions=1), animal(n_laps=14, n_sessions=1)
    laps = [long["lap"].values, short["lap"].values]
    recording = nd.recording_from_arrays(
        [one["activity"].values for one in (long, short)],
        kind="events",
        frame_duration=0.1,
        x=[one["x"].values for one in (long, short)],
        direction=[one["direction"].values for one in (long, short)],
        speed=[one["speed"].values for one in (long, short)],
        lap=laps,
    )
    blocks = cut_in_blocks(recording, "lap", 3, 30.0, nd.Binning())
    assert blocks.size == 2 and blocks.n_rounds.tolist() == [20, 7]
    assert np.bincount(blocks.session).tolist() == [10, 3]
    for part in range(blocks.session.size):
        for half in (0, 1):
            at = blocks.code == 2 * part + half
            assert np.unique(recording["lap"].values[at]).size == 2
    assert recording["lap"].values[blocks.code == 2 * 9 + 1].max() == 39  # up to the end


@pytest.mark.parametrize("circle", [False, True])
def test_minutes_chunks_and_order(circle):
    recording = animal("within", circle=circle)
    found = nd.compute_within_drift(recording, by="minute", stretch=12.0)
    assert np.isfinite(found["first_last_pooled"])
    lazy = nd.compute_within_drift(
        recording.chunk({"unit": 7, "time": 300}), by="minute", stretch=12.0
    )
    xr.testing.assert_identical(found, lazy)
    turned = recording.isel(unit=slice(None, None, -1))
    xr.testing.assert_allclose(found, nd.compute_within_drift(turned, by="minute", stretch=12.0))


def test_open_field():
    field = testing.open_field(n_units=25, n_sessions=2)
    found = nd.compute_within_drift(field, by="minute", stretch=20.0, n_parts=2)
    assert np.isfinite(found["first_last_pooled"])
    with pytest.raises(ValueError, match="use by='minute'"):
        nd.compute_within_drift(field)


@pytest.mark.parametrize("options", [{"n_units": 1}, {"n_laps": 6}, {"n_sessions": 1}])
def test_too_little_is_not_told(options):
    found = nd.compute_within_drift(animal(**options))
    assert np.isnan(found["excess_pooled"]) and np.isnan(found["overnight_p"])
    if options.get("n_laps") == 6:
        assert found.attrs["left_out"] == "1, 2, 3"
        assert found.sizes["part_a"] == 0
        assert "cannot be told" in nd.describe_within_drift(found)
    if options.get("n_sessions") == 1:
        assert np.isfinite(found["first_last_pooled"])
        assert "one session to the next" not in nd.describe_within_drift(found)


def test_units_of_one_session_alone_count_within_it():
    recording = animal(n_sessions=2)
    detected = np.ones((2, 30), dtype=bool)
    detected[1, :10] = False
    there = xr.DataArray(detected[recording["session_index"].values], dims=("time", "unit"))
    some = recording.assign(
        detected=(("session", "unit"), detected),
        activity=recording["activity"] * there.astype(np.uint8),
    )
    some["activity"].attrs.update(recording["activity"].attrs)
    found = nd.compute_within_drift(some)
    same = found["session_of_part_a"].values[:, None] == found["session_of_part_b"].values
    assert found["n_units"].values[~same].max() <= 20
    assert found["n_units"].values[0, 1] == 30
    own = nd.compute_within_drift(some.isel(unit=slice(10, None)))
    np.testing.assert_allclose(found["excess_pooled"], own["excess_pooled"], atol=1e-12)
    apart = some.assign_coords(registered=("unit", np.arange(30) >= 12))
    np.testing.assert_allclose(
        nd.compute_within_drift(apart)["excess_pooled"],
        nd.compute_within_drift(some.isel(unit=slice(12, None)))["excess_pooled"],
        atol=1e-12,
    )


def test_maps_with_labels_are_compared_with_their_own():
    recording = animal("independent", n_sessions=2)
    label = np.where(recording["session_index"].values == 0, 1, 2)
    found = nd.compute_within_drift(recording.assign(map_label=("time", label)))
    assert np.isfinite(found["first_last"]).all()
    assert np.isnan(found["overnight_pooled"]) and np.isnan(found["between"][0, 1])


def test_nan_positions_and_an_empty_session():
    recording = animal(n_sessions=2)
    x = recording["x"].values.copy()
    x[::9] = np.nan
    found = nd.compute_within_drift(recording.assign(x=(recording["x"].dims, x)))
    assert abs(float(found["first_last_pooled"]) - 1) < 0.1
    none = x.copy()
    none[recording["session_index"].values == 1] = np.nan
    part = nd.compute_within_drift(
        recording.assign(x=(recording["x"].dims, none)),
        binning=nd.Binning(unused_sessions="keep"),
    )
    assert part.attrs["left_out"] == "2" and np.isnan(part["first_last"][1])


def test_bad_options():
    with pytest.raises(ValueError, match="by"):
        nd.compute_within_drift(animal(), by="hour")
    with pytest.raises(ValueError, match="n_parts is 1"):
        nd.compute_within_drift(animal(), n_parts=1)
