from __future__ import annotations

import known_animals as animals
import numpy as np
import pytest
import xarray as xr

import neurodrift as nd
from neurodrift import testing
from neurodrift.infer.observation.recording import MOST_INPUTS, observed_of
from neurodrift.infer.statistics.vector import statistics_of


def track(**options):
    return testing.linear_track(**({"n_units": 6, "n_sessions": 3, "minutes": 4} | options))


def network(activity, **options):
    return nd.recording_from_arrays(
        activity, kind="activation", frame_duration=options.pop("frame_duration", 1.0), **options
    )


# --- recordings with a position


def test_observed__counts_of_each_half_literally():
    recording = track()
    observed = observed_of(recording)
    x, way = recording["x"].values, recording["direction"].values
    events = np.zeros(observed.events.shape)
    seconds = np.zeros(observed.seconds.shape)
    for s in range(3):
        here = recording["session_index"].values == s
        trials = np.unique(recording["trial"].values[here])
        for at in np.flatnonzero(here):
            if way[at] == 0 or recording["speed"].values[at] < 1:
                continue
            half = int(np.flatnonzero(trials == recording["trial"].values[at])[0]) % 2
            bins = max(int(np.ceil(x[at] / 4)) - 1, 0)  # a bin holds its right edge
            condition = bins if way[at] == 1 else 25 + bins
            events[half, s, :, condition] += recording["activity"].values[at]
            seconds[half, s, condition] += recording["frame_duration"].values[at]
    np.testing.assert_array_equal(observed.events, events)
    np.testing.assert_allclose(observed.seconds, seconds)
    assert observed.geometry == "linear" and observed.counts
    assert observed.segment.tolist() == [0] * 25 + [1] * 25
    assert observed.day.tolist() == [0, 2, 4]


def test_observed__a_circle():
    animal = animals.make("stable", np.random.default_rng(0), circle=True, n_units=5, n_laps=12)
    observed = observed_of(animal.recording)
    assert observed.geometry == "circular" and set(observed.segment) == {0}
    assert observed.events.shape == (2, 6, 5, 25)


def test_observed__a_plane_has_no_order():
    recording = testing.open_field(n_units=4, n_sessions=2)
    observed = observed_of(recording, binning=nd.Binning(bin_width=20))
    assert observed.geometry == "none"
    found = statistics_of(observed)["value"]
    assert np.isnan(found.sel(statistic="shifts_scale"))
    assert np.isfinite(found.sel(statistic="maps_first"))


def test_observed__units_without_identity_are_left_out():
    recording = track()
    registered = np.array([True, False, True, True, True, True])
    observed = observed_of(recording.assign_coords(registered=("unit", registered)))
    np.testing.assert_array_equal(observed.events, observed_of(recording).events[:, :, registered])


def test_observed__a_session_without_two_halves_is_left_out():
    recording = track()
    trial = recording["trial"].values.copy()
    trial[recording["session_index"].values == 1] = 1
    lap = np.where(recording["session_index"].values == 1, 1, recording["lap"].values)
    early = recording["time"].values < 60
    recording = recording.assign(trial=("time", trial), lap=("time", lap))
    observed = observed_of(recording)
    assert early.any() and observed.day.tolist() == [0, 2, 4]  # by minutes all have two
    recording = recording.isel(
        time=(recording["session_index"].values != 1)
        | (np.cumsum(recording["session_index"].values == 1) < 600)
    )
    assert observed_of(recording).day.tolist() == [0, 4]


def test_observed__undetected_units_are_missing_or_silent():
    recording = track(detection=0.6)
    missing = observed_of(recording)
    np.testing.assert_array_equal(missing.detected, recording["detected"].values)
    assert observed_of(recording, undetected="silent").detected.all()
    recording.attrs["detection"] = "each_session"
    assert observed_of(recording).detected.all()
    assert not observed_of(recording, undetected="missing").detected.all()
    gone = ~missing.detected
    assert (observed_of(recording).events[:, gone] == 0).all()


def test_observed__of_several_maps_the_one_that_most_sessions_have():
    recording = track(n_sessions=3)
    session, trial = recording["session_index"].values, recording["trial"].values
    label = np.where((session == 1) | (trial == 5), 2, 1)  # the second map: in 1 session whole
    labelled = observed_of(recording.assign(map_label=("time", label)))
    assert labelled.day.tolist() == [0, 4]
    kept = recording.isel(time=np.flatnonzero(label == 1))
    np.testing.assert_array_equal(labelled.events, observed_of(kept).events)


def test_observed__amplitudes_are_summed():
    recording = track()
    activity = recording["activity"].astype(float) * 0.5
    activity.attrs = {"kind": "amplitudes", "units": "a.u."}
    observed = observed_of(recording.assign(activity=activity))
    np.testing.assert_allclose(observed.events, observed_of(recording).events / 2)


def test_observed__dask_gives_the_same():
    recording = track()
    lazy = recording.chunk({"unit": 2, "time": 1000})
    np.testing.assert_array_equal(observed_of(lazy).events, observed_of(recording).events)


def test_observed__sessions_of_one_day_stand_in_their_order():
    recording = track().assign_coords(day=("session", [0.0, 0.0, 1.0]))
    assert observed_of(recording).day.tolist() == [0, 1, 2]


# --- networks


def test_observed__a_network_on_a_track_has_no_noise():
    x = np.tile(np.linspace(1, 99, 50), 2)
    way = np.repeat([1, -1], 50)
    activity = np.random.default_rng(0).random((2, 100, 7))
    recording = network(
        [*activity], x=[x, x], direction=[way, way], training_step=[0, 100], geometry="linear"
    )
    observed = observed_of(recording, binning=nd.Binning(bin_width=10))
    assert not observed.counts and observed.day.tolist() == [0, 100]
    np.testing.assert_array_equal(observed.events[0], observed.events[1])
    rate = observed.events / observed.seconds[:, :, None]
    mean = activity[1, 50:][(x[50:] > 20) & (x[50:] <= 30)].mean(axis=0)
    backwards = (
        observed.segment
        == np.unique(observed.segment)[np.flatnonzero(np.isclose(rate[0, 1, 0], mean[0]))[0] // 10]
    )
    np.testing.assert_allclose(rate[0, 1][:, backwards][:, 2], mean)


@pytest.mark.parametrize("n_inputs", [5, 1000])
def test_observed__inputs_without_position_are_conditions(n_inputs):
    activity = np.random.default_rng(0).random((3, n_inputs, 4))
    observed = observed_of(network([*activity]))
    n = min(n_inputs, MOST_INPUTS)
    chosen = np.linspace(0, n_inputs - 1, n).astype(int)
    assert observed.geometry == "none" and not observed.counts
    np.testing.assert_array_equal(observed.events[1], activity[:, chosen].transpose(0, 2, 1))


def test_observed__inputs_must_be_the_same():
    activity = np.random.default_rng(0).random((9, 4))
    with pytest.raises(ValueError, match="from 4 to 5 inputs and no position"):
        observed_of(network([activity[:4], activity[4:]]))


def test_observed__trial_types_are_conditions():
    rng = np.random.default_rng(0)
    types = np.repeat([0, 1, 0, 1, 2, 2, 0, -1], 10)
    trial = np.repeat(np.arange(8), 10)
    activity = rng.poisson(1.0, (80, 3))
    recording = nd.recording_from_arrays(
        [activity, activity],
        kind="spikes",
        frame_duration=0.1,
        trial=[trial, trial],
        trial_type=[types, types],
    )
    observed = observed_of(recording)
    assert observed.geometry == "none" and observed.counts
    expected = activity[trial == 0].sum(axis=0) + activity[trial == 6].sum(axis=0)
    np.testing.assert_array_equal(observed.events[0, 1, :, 0], expected)
    np.testing.assert_array_equal(observed.events[1, 0, :, 0], activity[trial == 2].sum(axis=0))
    np.testing.assert_allclose(observed.seconds[:, 0], [[2.0, 1.0, 1.0], [1.0, 1.0, 1.0]])
    by_stretch = observed_of(recording.drop_vars("trial"))
    # the two trials of type 2 follow each other, and are one stretch
    np.testing.assert_array_equal(by_stretch.events[..., :2], observed.events[..., :2])


def test_observed__refused():
    with pytest.raises(TypeError, match="expected a recording or results"):
        observed_of(np.zeros(3))
    with pytest.raises(TypeError, match="Dataset without activity"):
        observed_of(xr.Dataset())
    with pytest.raises(ValueError, match="undetected is 'gone'"):
        observed_of(track(), undetected="gone")
    with pytest.raises(ValueError, match="no position and no trial_type"):
        observed_of(track().drop_vars(["x", "direction", "speed"]))
    with pytest.raises(ValueError, match="below 0"):
        observed_of(network([np.full((5, 2), -1.0)] * 2))
    trace = nd.recording_from_arrays(
        [np.random.default_rng(0).normal(size=(50, 2))] * 2, kind="fluorescence", frame_duration=0.1
    )
    with pytest.raises(ValueError, match="fluorescence"):
        observed_of(trace)


def test_observed__nothing_usable():
    recording = track(minutes=1).drop_vars(["trial", "lap"])
    with pytest.raises(ValueError, match="no session has two halves"):
        observed_of(recording.isel(time=np.arange(recording.sizes["time"]) % 1200 < 900))
