from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from neurodrift import (
    Binning,
    compute_rate_maps,
    detect_maps,
    label_maps,
    recording_from_arrays,
    testing,
)
from neurodrift.analysis.identity._map_clusters import Intervals, fit, kept_between, kept_inside
from neurodrift.analysis.identity.map_switches import _segments
from neurodrift.schema import structure_faults
from neurodrift.schema.results import MAP_SWITCHES

DRIFT_TO_3 = 1 - 0.3 ** (1 / 7)  # a step of drift that leaves .3 over 8 sessions


def _true(recording, found):
    """Label of each segment in the recording, where it is a trial."""
    index = {str(name): i for i, name in enumerate(recording["session"].values)}
    return np.array(
        [
            recording["map_label"].values[
                (recording["session_index"].values == index[str(session)])
                & (recording["trial"].values == trial)
            ][0]
            for session, trial in zip(found["session"].values, found["trial"].values, strict=True)
        ]
    )


SWITCHING = [[1, 2, 1], [1, 1, 1], [2, 1, 2], [1, 2, 2]]


@pytest.fixture(scope="module")
def switching():
    recording = testing.several_maps(SWITCHING, n_units=90, minutes=2, seed=3)
    return recording, detect_maps(recording)


def test_detect_maps__finds_two_maps_under_drift(switching):
    recording, found = switching
    assert int(found["n_maps"]) == 2
    assert found["p_one_map"] < 1e-3
    np.testing.assert_array_equal(found["map_label"], np.concatenate(SWITCHING))
    np.testing.assert_array_equal(found["map_label"], _true(recording, found))
    assert (found["confidence"] > 0.95).all()
    assert abs(found["kept"].values[0, 1]) < 0.25 and found["kept_p"].values[0, 1] < 0.01
    assert not structure_faults(found, MAP_SWITCHES)
    assert found["retention"].values[0] == 1
    assert (np.diff(found["retention"].values) <= 0).all()


def test_detect_maps__does_not_look_at_given_labels(switching):
    recording, found = switching
    xr.testing.assert_identical(found, detect_maps(recording.drop_vars("map_label")))


def test_detect_maps__is_the_same_in_any_order_and_chunks(switching):
    recording, found = switching
    order = np.random.default_rng(0).permutation(recording.sizes["unit"])
    lazy = recording.isel(unit=order).chunk({"time": 1000, "unit": 37})
    xr.testing.assert_identical(found, detect_maps(lazy))


def test_detect_maps__undetected_units_are_not_silent():
    recording = testing.several_maps(SWITCHING, n_units=150, minutes=2, detection=0.45, seed=4)
    found = detect_maps(recording)
    np.testing.assert_array_equal(found["map_label"], np.concatenate(SWITCHING))
    shared = recording["detected"].values.astype(int) @ recording["detected"].values.T
    assert found["n_units"].values[0, -1] == shared[0, -1]


def test_detect_maps__three_maps():
    labels = [[1, 2, 3], [3, 2, 1], [1, 1, 3], [2, 3, 2]]
    found = detect_maps(testing.several_maps(labels, n_units=90, minutes=2, seed=5))
    assert int(found["n_maps"]) == 3
    np.testing.assert_array_equal(found["map_label"], np.concatenate(labels))


@pytest.mark.parametrize(
    "drift",
    [0.0, DRIFT_TO_3, 0.6, [0.6, 0.1, 0.1, 0.1, 0.1], [0.1, 0.1, 0.6, 0.1, 0.1]],
    ids=["none", "to .3", "fast", "leap after the first", "leap in the middle"],
)
def test_detect_maps__drift_is_no_switch(drift):
    recording = testing.several_maps([[1, 1, 1]] * 6, n_units=80, drift=drift, seed=6)
    found = detect_maps(recording)
    assert int(found["n_maps"]) == 1
    assert found["p_one_map"] > 0.05


@pytest.mark.parametrize("at", [2, 5])
def test_detect_maps__a_map_of_one_session(at):
    labels = np.ones((6, 3), dtype=int)
    labels[at] = 2
    found = detect_maps(testing.several_maps(labels.tolist(), n_units=150, drift=0.1, seed=7))
    np.testing.assert_array_equal(found["map_label"], labels.ravel())


def test_detect_maps__a_switch_within_a_session_for_good():
    labels = [[1, 1, 1], [1, 1, 1], [1, 2, 2], [2, 2, 2], [2, 2, 2]]
    found = detect_maps(testing.several_maps(labels, n_units=120, drift=0.1, seed=8))
    np.testing.assert_array_equal(found["map_label"], np.concatenate(labels))


def test_detect_maps__a_map_seen_once_is_unknown():
    labels = [[1, 1, 1], [1, 2, 1], [1, 1, 1], [1, 1, 1]]
    found = detect_maps(testing.several_maps(labels, n_units=90, drift=0.1, seed=9))
    assert int(found["n_maps"]) == 1
    np.testing.assert_array_equal(found["map_label"].values.reshape(4, 3)[1], [1, 0, 1])
    assert (found["map_label"].values == 0).sum() == 1


def test_detect_maps__laps_and_blocks_of_sessions_without_trials():
    labels = [[1, 2, 1, 2], [2, 1, 2, 1], [1, 1, 2, 2]]
    recording = testing.several_maps(labels, n_units=150, minutes=2, peak_rate=2, seed=10)
    recording = recording.drop_vars("trial")
    by_lap = detect_maps(recording)
    assert by_lap.attrs["split"] == "lap" and int(by_lap["n_maps"]) == 2
    by_block = detect_maps(recording.drop_vars("lap"), block=120.0)
    assert by_block.attrs["split"] == "block"
    np.testing.assert_array_equal(by_block["map_label"], np.concatenate(labels))
    for found in (by_lap, by_block):
        labelled = label_maps(recording, found)["map_label"].values
        known = labelled > 0
        assert known.mean() > 0.6
        assert (labelled == recording["map_label"].values)[known].mean() > 0.95


def test_detect_maps__two_dimensions():
    parts = [
        testing.open_field(n_units=60, n_sessions=1, minutes=12, tuned=1.0, seed=seed)
        for seed in (1, 2)
    ]
    # The units' fields of another seed are another map: put its events into every second trial.
    trial = parts[0]["trial"].values
    mixed = parts[0].copy(deep=True)
    for name in ("activity", "x", "y", "speed"):
        values = parts[0][name].values.copy()
        values[trial % 2 == 0] = parts[1][name].values[trial % 2 == 0]
        mixed[name] = parts[0][name].copy(data=values)
    found = detect_maps(mixed, binning=Binning(bin_width=5.0))
    assert found["map_label"].values.tolist() == [1, 2, 1, 2, 1]
    assert int(detect_maps(parts[0], binning=Binning(bin_width=5.0))["n_maps"]) == 1


def test_label_maps__labels_are_used_like_given_ones(switching):
    recording, found = switching
    labelled = label_maps(recording.drop_vars("map_label"), found)
    np.testing.assert_array_equal(labelled["map_label"], recording["map_label"])
    assert labelled["map_label"].attrs["source"] == "detect_maps"
    given, detected = (compute_rate_maps(item, by="map_label") for item in (recording, labelled))
    xr.testing.assert_identical(given, detected)


def test_label_maps__refuses_the_maps_of_another_recording(switching):
    recording, found = switching
    other = recording.assign_coords(session=np.array(list("abcd"), dtype=object))
    with pytest.raises(ValueError, match="no session 1, 2, 3, 4 of the maps"):
        label_maps(other, found)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "session"}, "expected 'trial', 'lap' or 'block'"),
        ({"split": "block", "block": 0}, "more than 0"),
        ({"split": "lap", "block": 1.5}, "number of laps"),
    ],
)
def test_detect_maps__refuses(switching, options, message):
    with pytest.raises(ValueError, match=message):
        detect_maps(switching[0], **options)
    with pytest.raises(ValueError, match="no trial: use split='block'"):
        detect_maps(switching[0].drop_vars("trial"), split="trial")


def test_fit__finds_loadings_and_retention_again():
    rng = np.random.default_rng(0)
    at = np.repeat([0.0, 2.0, 4.0, 7.0], 3)
    loading = rng.uniform(0.4, 0.9, size=at.size)
    intervals = Intervals.between(at)
    kept = np.exp(-0.15 * intervals.values)
    exact = loading[:, None] * loading[None] * kept[intervals.index]
    found = fit(exact, np.ones(exact.shape, dtype=bool), intervals)
    np.testing.assert_allclose(found.retention, kept, atol=0.02)
    np.testing.assert_allclose(found.loading, loading, rtol=0.1)  # drawn to the mean
    assert np.corrcoef(found.loading, loading)[0, 1] > 0.999
    off = ~np.eye(at.size, dtype=bool)
    np.testing.assert_allclose(found.expected[off], exact[off], atol=0.04)  # likewise


def test_fit__takes_what_was_not_seen_from_longer_intervals():
    at = np.array([0.0, 1.0, 3.0])
    same = np.zeros((3, 3), dtype=bool)
    same[0, 1] = same[1, 0] = True
    similarity = np.full((3, 3), 0.4)
    found = fit(similarity, same, Intervals.between(at))
    assert found.retention.tolist()[:2] == [1.0, 1.0]
    assert np.isnan(found.retention[2:]).all()


def test_kept_between__one_map_and_two():
    at = np.repeat([0.0, 1.0, 2.0], 4)
    intervals = Intervals.between(at)
    side = np.tile([0, 0, 1, 1], 3)
    one = 0.5 * np.exp(-0.3 * np.abs(at[:, None] - at[None]))
    kept, within = kept_between(one, side, intervals)
    assert kept == pytest.approx(1.0, abs=0.02) and within > 0.2
    two = np.where(side[:, None] == side[None], one, 0.1 * one)
    assert kept_between(two, side, intervals)[0] == pytest.approx(0.1, abs=0.02)


def _kept_inside_reference(similarity, side, at):
    """Block by block over pairs of sessions, with loops."""
    times = sorted(set(at.tolist()))

    def mean(a, b, same):
        values = [
            similarity[i, j]
            for i in range(len(at))
            for j in range(i + 1, len(at))
            if sorted((at[i], at[j])) == [a, b] and (side[i] == side[j]) == same
        ]
        return (np.mean(values), len(values)) if values else (-np.inf, 0)

    top = bottom = 0.0
    for a in times:
        for b in times:
            if b < a:
                continue
            across, n = mean(a, b, False)
            around = max(
                mean(c, d, True)[0] for c in times for d in times if c <= a and d >= b and c <= d
            )
            if n and around > 0:
                top += n * across * around
                bottom += n * around**2
    return top / bottom if bottom else np.nan


def test_kept_inside__is_the_literal_ratio():
    rng = np.random.default_rng(1)
    at = np.repeat([0.0, 1.0, 3.0, 4.0], [3, 2, 3, 2])
    side = rng.integers(0, 2, size=at.size)
    similarity = rng.normal(0.3, 0.2, size=(at.size, at.size))
    similarity = (similarity + similarity.T) / 2
    expected = _kept_inside_reference(similarity, side, at)
    assert kept_inside(similarity, side, at) == pytest.approx(expected)


def test_kept_inside__no_drift_however_uneven_makes_it_small():
    at = np.arange(8.0).repeat(2)
    clock = np.array([0.0, 3.0, 3.1, 3.2, 6.0, 6.1, 9.0, 9.1]).repeat(2)
    one = np.exp(-0.5 * np.abs(clock[:, None] - clock[None]))
    rng = np.random.default_rng(2)
    for _ in range(50):
        found = kept_inside(one, rng.integers(0, 2, size=at.size), at)
        assert np.isnan(found) or found > 0.99
    assert np.isnan(kept_inside(one, (at >= 4).astype(int), at))


@pytest.mark.parametrize(
    ("mouse", "environment", "n_maps"), [("C6_M4", "A", 1), ("C6_M4", "B", 1), ("C12_M4", "A", 2)]
)
def test_detect_maps__published_labels(real_recording, mouse, environment, n_maps):
    recording = real_recording(mouse, environment)
    binning = Binning(edges=np.linspace(0, 96, 25), exclude_ends=8.0)
    found = detect_maps(recording, binning=binning)
    true = _true(recording, found)
    assert int(found["n_maps"]) == n_maps
    labelled = true > 0
    assert (found["map_label"].values == true)[labelled].mean() >= 0.95


def test_segments__laps_lie_together_whatever_their_numbers():
    laps = [3, 3, -1, 5, 5, 8, 8, 9]
    recording = recording_from_arrays(
        [np.ones((8, 1), int)], kind="events", frame_duration=1.0, x=[np.arange(8.0)], lap=[laps]
    )
    assert _segments(recording, "lap", 2).values.tolist() == [0, 0, -1, 0, 0, 1, 1, 1]
    assert _segments(recording, "lap", 1).values.tolist() == [0, 0, -1, 1, 1, 2, 2, 3]


def _in_blocks(pattern, frames=3000, seed=0):
    """A recording of trials of 150 s each, without their labels: segments are stretches of 50 s."""
    recording = testing.several_maps(pattern, n_units=80, minutes=2.5, seed=seed)
    return recording.drop_vars("map_label")


@pytest.mark.parametrize("seed", range(2))
def test_detect_maps__a_trial_seen_once_is_no_map(seed):
    once = _in_blocks([[1, 1, 1], [1, 3, 1], [1, 1, 1]], seed=seed)
    found = detect_maps(once, split="block", block=50.0)
    assert int(found["n_maps"]) == 1
    odd = (found["session"] == "2") & (found["block"] * 50 >= 150) & (found["block"] * 50 < 300)
    assert (found["map_label"].values[odd] == 0).mean() > 0.5  # nothing that is known
    twice = _in_blocks([[1, 1, 3], [1, 3, 1], [1, 1, 1]], seed=seed)
    assert int(detect_maps(twice, split="block", block=50.0)["n_maps"]) == 2
