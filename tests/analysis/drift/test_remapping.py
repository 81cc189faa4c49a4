from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from neurodrift import (
    Binning,
    compute_map_stability,
    compute_rate_maps,
    recording_from_arrays,
    schema,
    testing,
)
from neurodrift.analysis.drift.remapping import STATES, compute_remapping
from neurodrift.schema import results as representation_schema

WIDTH = 4.0
N_BINS = 25
CENTRES = WIDTH * (np.arange(N_BINS) + 0.5)
BINNING = Binning(edges=np.arange(0, 101, WIDTH))
COUNTS = ("n_silent", "n_lost", "n_gained", "n_flat", "n_compared")


def maps_of(*rates, unit=None, detected=None, session=None) -> xr.Dataset:
    """Maps whose rates (unit, bin) are given, one session each."""
    n = len(rates)
    recording = recording_from_arrays(
        [np.asarray(rate, float).T for rate in rates],
        kind="activation",
        frame_duration=1.0,
        x=[CENTRES] * n,
        unit=unit,
        session=session,
    )
    maps = compute_rate_maps(recording, binning=BINNING)
    if detected is not None:
        maps["detected"] = maps["detected"].copy(data=detected)
        maps["rate"] = maps["rate"].where(maps["detected"])
    return maps


def fields(rng: np.random.Generator, n_units: int, width: float = 6.0) -> np.ndarray:
    centre = rng.uniform(0, 100, (n_units, 1))
    return rng.uniform(1, 5, (n_units, 1)) * np.exp(-(((CENTRES - centre) / width) ** 2) / 2)


def literal(x, y, detected, threshold):
    """Everything by loops over (unit, bin) of one direction, NaN = not visited."""
    n_units, n_bins = x.shape
    bins = [k for k in range(n_bins) if np.isfinite([x[u, k] + y[u, k] for u in detected]).all()]
    state, r, shift, change = {}, {}, {}, {}
    for u in range(n_units):
        if u not in detected:
            state[u] = "not detected"
            continue
        a, b = x[u, bins], y[u, bins]
        if a.max() <= 0 and b.max() <= 0:
            state[u] = "silent"
            continue
        change[u] = (b.mean() - a.mean()) / (a.mean() + b.mean())
        if b.max() <= 0:
            state[u] = "lost"
        elif a.max() <= 0:
            state[u] = "gained"
        elif np.ptp(a) == 0 or np.ptp(b) == 0:
            state[u] = "flat"
        else:
            r[u] = np.corrcoef(a, b)[0, 1]
            shift[u] = abs(CENTRES[bins][a.argmax()] - CENTRES[bins][b.argmax()])
            state[u] = "remapped" if r[u] < threshold else "stable"
    null = [np.corrcoef(x[u, bins], y[v, bins])[0, 1] for u in r for v in r if u != v]
    units = sorted(change)
    vectors = [(x[units, k], y[units, k]) for k in bins]
    return {
        "state": state,
        "r": r,
        "map_correlation": np.mean(list(r.values())),
        "map_correlation_median": np.median(list(r.values())),
        "map_correlation_null": np.mean(null),
        "null": null,
        "remapping_index": (1 - np.mean(list(r.values()))) / (1 - np.mean(null)),
        "peak_shift": np.mean(list(shift.values())),
        "rate_change": np.mean(np.abs(list(change.values()))),
        "population_vector_correlation": np.mean([np.corrcoef(p, q)[0, 1] for p, q in vectors]),
        "population_vector_cosine": np.mean(
            [p @ q / np.sqrt((p @ p) * (q @ q)) for p, q in vectors]
        ),
    }


@pytest.fixture
def messy():
    """Units of every kind, a bin that one context did not visit."""
    rng = np.random.default_rng(3)
    x, y = fields(rng, 30, 15.0), fields(rng, 30, 15.0)
    y[:12] = 0.3 * x[:12] + 0.1 * rng.random((12, N_BINS))
    y[12:15] = 0
    x[15:17] = 0
    x[17:19] = y[17:19] = 0
    x[19] = 2.0
    detected = np.ones((1, 30), bool)
    detected[0, 20] = False
    return x, y, detected


def test_remapping__literal_reference(messy):
    x, y, detected = messy
    first, second = maps_of(x, detected=detected), maps_of(y)
    second["occupancy"][..., 4] = 0
    second["rate"][..., 4] = np.nan
    y = y.copy()
    y[:, 4] = np.nan
    found = compute_remapping(first, second, min_correlation=0.6)
    expected = literal(x, y, set(range(30)) - {20}, 0.6)
    states = found["unit_state"].values[0, :, 0].tolist()
    assert states == [expected["state"][u] for u in range(30)]
    assert set(states) == set(STATES)
    for name in expected.keys() - {"state", "r", "null"}:
        np.testing.assert_allclose(found[name].item(), expected[name], atol=1e-12, err_msg=name)
    for u, r in expected["r"].items():
        assert found["unit_map_correlation"].values[0, u, 0] == pytest.approx(r)
    n = {name: states.count(name) for name in STATES}
    assert [found[name].item() for name in COUNTS] == [2, 3, 2, 1, n["stable"] + n["remapped"]]
    assert found["n_maps"].item() == 29
    n_active = 29 - 2
    assert found["fraction_turnover"].item() == pytest.approx(5 / n_active)
    assert found["fraction_remapped"].item() == n["remapped"] / found["n_compared"].item()
    assert found["fraction_changed"].item() == (5 + n["remapped"]) / (n_active - 1)
    assert schema.structure_faults(found, representation_schema.REMAPPING) == []

    strict = compute_remapping(first, second, criterion="shuffled", level=0.9)
    assert strict["min_correlation"].item() == pytest.approx(np.quantile(expected["null"], 0.9))
    below = [r < strict["min_correlation"].item() for r in expected["r"].values()]
    assert strict["n_remapped"].item() == sum(below)


@pytest.mark.parametrize("criterion", ["fixed", "shuffled"])
def test_remapping__no_change_is_no_remapping(criterion, messy):
    maps = maps_of(messy[0], messy[0])
    found = compute_remapping(maps, maps, criterion=criterion)
    for name in ("n_remapped", "n_lost", "n_gained", "remapping_index", "peak_shift"):
        np.testing.assert_array_equal(found[name], 0, err_msg=name)
    for name in ("fraction_changed", "rate_change"):
        np.testing.assert_array_equal(found[name], 0)
    for name in ("map_correlation", "population_vector_correlation", "population_vector_cosine"):
        np.testing.assert_allclose(found[name], 1, rtol=1e-14)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.8])
def test_remapping__recovers_a_known_share(share):
    rng = np.random.default_rng(0)
    n = 600
    x = fields(rng, n)
    y = x * rng.uniform(0.5, 2, (n, 1))  # a change of rate alone is no remapped map
    new = np.arange(n) < share * n
    y[new] = fields(rng, n)[new]
    found = compute_remapping(maps_of(x), maps_of(y), criterion="shuffled")
    # of maps drawn anew a share of 1 - level resembles the old one as much as chance allows
    error = 3 * np.sqrt(0.05 * 0.95 * max(share, 0.01) / n)
    assert found["fraction_remapped"].item() == pytest.approx(0.95 * share, abs=error)
    remapped = found["unit_state"].values[0, :, 0] == "remapped"
    assert not remapped[~new].any()
    fixed = compute_remapping(maps_of(x), maps_of(y))
    assert (fixed["unit_state"].values[0, :, 0] == "remapped").sum() <= new.sum()
    assert found["remapping_index"].item() == pytest.approx(share, abs=0.05)


def test_remapping__shuffled_units_remap_entirely():
    x = fields(np.random.default_rng(1), 200)
    found = compute_remapping(maps_of(x), maps_of(np.roll(x, 1, axis=0)), criterion="shuffled")
    assert found["fraction_remapped"].item() > 0.9
    assert found["remapping_index"].item() == pytest.approx(1, abs=0.1)
    assert found["peak_shift"].item() == pytest.approx(100 / 3, abs=4)  # of two random places


def test_remapping__a_unit_of_one_context_is_lost_or_gained_and_not_remapped():
    x = fields(np.random.default_rng(2), 40)
    y = x.copy()
    y[:10] = 0
    x[10:14] = 0
    found = compute_remapping(maps_of(x), maps_of(y))
    assert found["n_remapped"].item() == 0 and found["fraction_remapped"].item() == 0
    assert found["fraction_turnover"].item() == found["fraction_changed"].item() == 14 / 40
    np.testing.assert_array_equal(found["unit_rate_change"].values[0, :14, 0], [-1] * 10 + [1] * 4)
    assert found["rate_change"].item() == pytest.approx(14 / 40)


def test_remapping__silent_units_change_counts_only(messy):
    x, y, _ = messy
    silent = np.zeros((25, N_BINS))
    few = compute_remapping(maps_of(x), maps_of(y))
    many = compute_remapping(maps_of(np.vstack([x, silent])), maps_of(np.vstack([y, silent])))
    assert many["n_silent"].item() == few["n_silent"].item() + 25
    for name, values in few.data_vars.items():
        if values.dims == ("pair",) and name not in ("n_silent", "n_maps"):
            np.testing.assert_allclose(many[name], values, rtol=1e-12, err_msg=name)


def test_remapping__nothing_active():
    found = compute_remapping(maps_of(np.zeros((4, N_BINS))), maps_of(np.zeros((4, N_BINS))))
    assert found["n_silent"].item() == 4 and found["n_compared"].item() == 0
    for name in ("fraction_remapped", "fraction_changed", "remapping_index", "rate_change"):
        assert np.isnan(found[name].item())


def test_remapping__order_of_units_does_not_matter(messy):
    x, y, detected = messy
    labels = [f"u{i}" for i in range(30)]
    first, second = maps_of(x, unit=labels, detected=detected), maps_of(y, unit=labels)
    found = compute_remapping(first, second, criterion="shuffled")
    order = np.random.default_rng(0).permutation(30)
    for a, b in ((order, np.arange(30)), (order, order[::-1])):
        other = compute_remapping(first.isel(unit=a), second.isel(unit=b), criterion="shuffled")
        xr.testing.assert_identical(other.sel(unit=labels), found)


def test_remapping__within_allows_for_noise():
    options = {"n_units": 80, "n_sessions": 2, "minutes": 20, "drift": 0.0, "tuned": 1.0}
    recording = testing.linear_track(**options, seed=1)
    halves = compute_map_stability(recording, split="half", smoothing=4.0, n_repeats=20, seed=0)
    maps = compute_rate_maps(recording, smoothing=4.0)
    pair = [("1", "2")]
    same = compute_remapping(maps, maps, pairs=pair, criterion="within", within=halves["stability"])
    assert same["fraction_remapped"].item() < 0.1
    other_maps = compute_rate_maps(testing.linear_track(**options, seed=2), smoothing=4.0)
    new = compute_remapping(
        maps, other_maps, pairs=pair, criterion="within", within=halves["stability"]
    )
    assert new["fraction_remapped"].item() > 0.8
    assert new["min_correlation"].item() == pytest.approx(np.nanquantile(halves["stability"], 0.05))


def test_remapping__two_dimensions_measure_the_shift_across_both():
    recording = testing.open_field(n_units=6, n_sessions=1, tuned=1, minutes=10)
    maps = compute_rate_maps(recording, smoothing=4.0)
    found = compute_remapping(maps, maps.roll(unit=1, roll_coords=False))
    rate = maps["rate"].values[0, :, 0]
    peaks = [(maps["x_bin"].values[k], maps["y_bin"].values[k]) for k in rate.argmax(axis=1)]
    shift = np.hypot(*(np.array(peaks) - np.roll(peaks, 1, axis=0)).T)
    np.testing.assert_allclose(found["unit_peak_shift"].values[0, :, 0], shift)


def test_remapping__maps_of_one_environment():
    recording = testing.linear_track(n_units=20, n_sessions=1, minutes=4)
    half = np.arange(recording.sizes["time"]) * 2 // recording.sizes["time"] + 1
    recording["map_label"] = ("time", half.astype(np.int16))
    maps = compute_rate_maps(recording, by="map_label", smoothing=4.0)
    one, two = (maps.isel(segment=maps["map_label"].values == k) for k in (1, 2))
    found = compute_remapping(one, two)
    assert found["map_label_a"].values.tolist() == [1] and found["map_label_b"].item() == 2
    assert found["map_correlation"].item() > 0.5


def test_remapping__one_session_against_many_and_pairs():
    rng = np.random.default_rng(5)
    x, y = fields(rng, 20), fields(rng, 20)
    many = maps_of(x, y, session=["a", "b"])
    found = compute_remapping(maps_of(x, session=["home"]), many)
    assert found["session_b"].values.tolist() == ["a", "b"]
    assert found["remapping_index"].values[0] == 0 < found["remapping_index"].values[1]
    crossed = compute_remapping(many, many, pairs=[("a", "b"), ("b", "b")])
    assert crossed["session_a"].values.tolist() == ["a", "b"]
    assert (
        crossed["remapping_index"].values.tolist() == found["remapping_index"].values[::-1].tolist()
    )


def test_remapping__dask_is_the_same(messy):
    first, second = maps_of(messy[0]), maps_of(messy[1])
    lazy = [maps.chunk({"unit": 7}) for maps in (first, second)]
    xr.testing.assert_identical(compute_remapping(*lazy), compute_remapping(first, second))


def test_remapping__refuses_what_does_not_fit(messy):
    maps = maps_of(messy[0])
    other = maps_of(messy[1], session=["2"])
    cases = [
        ({"criterion": "other"}, "criterion is 'other'"),
        ({"level": 1.0}, "level is 1.0"),
        ({"min_peak": -1.0}, "min_peak is -1.0"),
        ({"criterion": "within"}, "needs within="),
        ({"within": maps["rate"]}, "use 'within'"),
        ({"pairs": [("1", "3")]}, "no such pairs of sessions"),
        ({"pairs": []}, "none given"),
    ]
    for options, text in cases:
        with pytest.raises(ValueError, match=text):
            compute_remapping(maps, other, **options)
    with pytest.raises(ValueError, match="do not pair by label"):
        compute_remapping(maps_of(messy[0], messy[0]), other)
    with pytest.raises(ValueError, match="1 units are in one of them only \\(29\\)"):
        compute_remapping(maps, other.isel(unit=slice(29)))
    with pytest.raises(ValueError, match="x_bin differ"):
        compute_remapping(maps, other.isel(position=slice(3)))
    with pytest.raises(ValueError, match="expected rate maps"):
        compute_remapping(maps["rate"], other)
