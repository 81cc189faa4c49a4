from __future__ import annotations

import dask
import dask.array as da
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from neurodrift import recording_from_arrays, schema, select_sessions, slice_sessions, testing
from neurodrift.recording import tracked_minutes


def _refuse(*_, **__):
    raise AssertionError("a lazy array was computed")


def _counts(n_frames=6, n_units=2):
    return np.arange(n_frames * n_units).reshape(n_frames, n_units) % 3


def test_recording_from_arrays__flat_and_listed_are_the_same():
    counts, x, time = _counts(7), np.linspace(0, 9, 7), np.arange(7) * 0.5
    common = {"kind": "spikes", "session": ["a", "b"], "unit": ["u", "v"], "day": [0, 3]}
    flat = recording_from_arrays(
        counts, time=time, x=x, trial=np.arange(7), session_index=[0] * 3 + [1] * 4, **common
    )
    listed = recording_from_arrays(
        [counts[:3], counts[3:]],
        time=[time[:3], time[3:]],
        x=[x[:3], x[3:]],
        trial=[np.arange(3), np.arange(3, 7)],
        **common,
    )
    xr.testing.assert_identical(flat, listed)
    np.testing.assert_array_equal(flat["activity"], counts)
    np.testing.assert_array_equal(flat["x"], x)
    np.testing.assert_array_equal(flat["time"], time)
    assert slice_sessions(flat) == [slice(0, 3), slice(3, 7)]


def test_recording_from_arrays__types_labels_and_units_are_those_of_the_contract():
    recording = recording_from_arrays(
        _counts(4),
        kind="events",
        frame_duration=0.1,
        x=[0, 1, 2, 3],
        y=np.float32([0, 1, 2, 3]),
        speed=[1, 1, 1, 1],
        direction=[1.0, -1.0, 0.0, 1.0],
        trial=np.int64([1, 1, -1, 2]),
        trial_type=[0, 0, -1, 3],
        lap=[0, 0, 1, 1],
        map_label=[0, 1, 1, 2],
        region=["CA1", "CA3"],
        subject="m1",
        environment="box",
    )
    found = {name: str(array.dtype) for name, array in recording.variables.items()}
    floats = ("x", "y", "speed", "time", "frame_duration", "clock_start", "experience")
    assert found == {
        **dict.fromkeys(floats, "float64"),
        "direction": "int8",
        "trial": "int32",
        "trial_type": "int32",
        "lap": "int32",
        "map_label": "int16",
        "session_index": "int32",
        "activity": "uint8",
        "detected": "bool",
        "unit": "int64",
        "session": "object",
        "region": "object",
        "subject": recording["subject"].dtype,
        "environment": recording["environment"].dtype,
    }
    assert recording["activity"].attrs["kind"] == "events"
    assert recording["activity"].attrs["units"] == "count"
    assert recording["x"].attrs["units"] == "cm" and recording["time"].attrs["units"] == "s"
    assert recording["session"].values.tolist() == ["1"]
    assert recording["subject"].item() == "m1" and recording["environment"].item() == "box"
    assert recording.attrs["format_version"] == schema.FORMAT_VERSION


@pytest.mark.parametrize(
    ("given", "kind", "dtype"),
    [
        (np.array([[150], [255]]), "spikes", "uint8"),
        (np.array([[0], [256]]), "spikes", "uint16"),
        (np.array([[0], [70000]]), "events", "uint32"),
        (np.array([[0.0], [2.0]]), "events", "uint8"),
        (np.array([[False], [True]]), "events", "uint8"),
        (np.zeros((0, 1), int), "events", "uint8"),
        (np.array([[7], [1]], np.uint32), "events", "uint32"),
        (np.array([[0], [1]]), "amplitudes", "float64"),
        (np.array([[0], [1]], np.float32), "activation", "float32"),
    ],
)
def test_recording_from_arrays__activity_is_held_small_and_unchanged(given, kind, dtype):
    recording = recording_from_arrays(given, kind=kind, frame_duration=1.0)
    assert recording["activity"].dtype == dtype
    np.testing.assert_array_equal(recording["activity"], given)


def test_recording_from_arrays__leaves_its_input():
    counts, time = [_counts(), _counts()], [np.arange(6.0), np.arange(6.0)]
    before = [a.copy() for a in counts + time]
    recording_from_arrays(counts, kind="events", time=time)
    for a, b in zip(counts + time, before, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        ([4, 9], [4, 9]),
        (np.array([4, 9], np.int16), [4, 9]),
        (np.array(["a", "b"]), ["a", "b"]),
        (xr.DataArray([4, 9], dims="unit"), [4, 9]),
        (["a", 9], ["a", "9"]),
    ],
)
def test_recording_from_arrays__unit_labels(units, expected):
    recording = recording_from_arrays(_counts(), kind="events", frame_duration=1, unit=units)
    assert recording["unit"].values.tolist() == expected


def test_recording_from_arrays__clock_that_starts_over_is_moved_behind():
    clock = 100.0 + np.arange(6) * 0.5
    recording = recording_from_arrays([_counts()] * 3, kind="events", time=[clock] * 3)
    np.testing.assert_allclose(recording["time"], 100 + np.arange(18) * 0.5)
    dated = recording_from_arrays(
        [_counts()] * 4, kind="events", time=[clock] * 4, day=[0, 2, 2, 7.5]
    )
    starts = [dated["time"].values[s.start] for s in slice_sessions(dated)]
    np.testing.assert_allclose(starts, [100, 172900, 172903, 100 + 7.5 * 86400])


def test_recording_from_arrays__one_running_clock_is_kept():
    rate = 30.0  # 1 / 30 s is not a binary number: the end of a frame rounds past the next start
    clock = np.arange(9000) / rate
    for cut in (32, 36, 40, 44, 5003):
        recording = recording_from_arrays(
            np.zeros((9000, 1), int),
            kind="events",
            time=clock,
            day=[0, 1],
            session_index=(np.arange(9000) >= cut).astype(int),
        )
        np.testing.assert_array_equal(recording["time"], clock)


def test_recording_from_arrays__empty_sessions():
    counts = [_counts(3), _counts(0), _counts(2), _counts(0)]
    recording = recording_from_arrays(
        counts, kind="events", frame_duration=[1, 2, 3, 4], x=[np.zeros(len(c)) for c in counts]
    )
    assert slice_sessions(recording) == [slice(0, 3), slice(3, 3), slice(3, 5), slice(5, 5)]
    np.testing.assert_array_equal(recording["time"], [0, 1, 2, 3, 6])
    np.testing.assert_allclose(recording["experience"] * 60, [0, 3, 3, 9])
    flat = recording_from_arrays(
        np.concatenate(counts),
        kind="events",
        frame_duration=[1, 2, 3, 4],
        x=np.zeros(5),
        session_index=[0, 0, 0, 2, 2],
        session=["1", "2", "3", "4"],
    )
    xr.testing.assert_identical(flat, recording)


def test_recording_from_arrays__one_unit_one_frame():
    recording = recording_from_arrays([[[3]]], kind="spikes", frame_duration=0.02)
    assert dict(recording.sizes) == {"time": 1, "unit": 1, "session": 1}
    with pytest.raises(ValueError, match="session '1' has fewer than two frames.*frame_duration"):
        recording_from_arrays([[[3]]], kind="spikes", time=[[0.0]])
    with pytest.raises(ValueError, match="give time .* or frame_duration"):
        recording_from_arrays([[[3]]], kind="spikes")


def test_recording_from_arrays__median_step_is_the_frame_duration():
    time = np.array([0, 0.1, 0.2, 0.3, 7.0, 7.1])
    recording = recording_from_arrays(_counts(), kind="events", time=time)
    np.testing.assert_allclose(recording["frame_duration"], 0.1, rtol=1e-12)


def test_recording_from_arrays__experience_is_the_tracked_time_before():
    nan = np.nan
    recording = recording_from_arrays(
        [_counts(4)] * 3,
        kind="events",
        frame_duration=30.0,
        x=[[0, nan, 1, 2], [0, 1, 2, 3], [nan] * 4],
        y=[[0, 0, nan, 2], [0, 1, 2, 3], [nan] * 4],
    )
    np.testing.assert_allclose(tracked_minutes(recording), [1.0, 2.0, 0.0])
    np.testing.assert_allclose(recording["experience"], [0.0, 1.0, 3.0])
    simulated = recording_from_arrays(
        [np.zeros((4, 2))] * 2,
        kind="activation",
        frame_duration=1,
        training_step=[0, 1000],
        loss=[1, 0],
    )
    assert simulated["loss"].values.tolist() == [1.0, 0.0]
    assert select_sessions(simulated, ["2"])["loss"].values.tolist() == [0.0]
    assert "experience" not in simulated.coords
    assert simulated["training_step"].values.tolist() == [0, 1000]
    given = recording_from_arrays(
        [_counts(4)] * 2, kind="events", frame_duration=1, experience=[5, 9]
    )
    assert given["experience"].values.tolist() == [5.0, 9.0]


def test_recording_from_arrays__lazy_activity_stays_lazy():
    lazy = da.from_array(_counts(8, 3).astype("uint8"), chunks=(3, 2))
    with dask.config.set(scheduler=_refuse):
        flat = recording_from_arrays(
            lazy, kind="events", frame_duration=1, session_index=[0] * 5 + [1] * 3
        )
        listed = recording_from_arrays([lazy[:5], lazy[5:]], kind="events", frame_duration=1)
        mixed = recording_from_arrays(
            [xr.DataArray(lazy[:5]), _counts(8, 3)[5:].astype("uint8")],
            kind="events",
            frame_duration=1,
        )
    eager = recording_from_arrays(
        [_counts(8, 3)[:5], _counts(8, 3)[5:]], kind="events", frame_duration=1
    )
    for recording in (flat, listed, mixed):
        assert recording["activity"].chunks is not None
        xr.testing.assert_identical(recording.compute(), eager)
    with pytest.raises(ValueError, match="must have an unsigned integer dtype"):
        recording_from_arrays(lazy.astype(int), kind="spikes", frame_duration=1)


_GOOD = {"activity": _counts(), "kind": "events", "frame_duration": 1.0}
_LISTED = _GOOD | {"activity": [_counts(4), _counts(2)]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": np.zeros(5)}, r"x has shape \(5,\), but activity has 6 frames"),
        ({"time": np.arange(7.0)}, r"time has shape \(7,\), but activity has 6 frames"),
        ({"x": np.zeros((6, 1))}, r"x has shape \(6, 1\)"),
        ({"time": [0, 1, 2, 2, 3, 4.0]}, "time is not strictly increasing: frame 3 is at 2 s"),
        ({"time": [0, 1, np.nan, 3, 4, 5.0]}, "time is NaN or infinite at frame 2"),
        ({"x": np.arange(6), "speed": [1, 1, np.nan, 1, 1, 1]}, r"speed is NaN.* \(first at 2 s\)"),
        ({"x": np.full(6, np.nan)}, "x is NaN in every frame: drop it"),
        ({"x": np.arange(6), "y": np.full(6, np.nan)}, "y is NaN in every frame"),
        ({"y": np.arange(6)}, "'y' without 'x'"),
        ({"detected": [[True, False]]}, "'1' detected in no session"),
        ({"detected": [[0, 1], [1, 1]]}, r"detected has shape \(2, 2\), expected .*\(1, 2\)"),
        ({"detected": [[-1, 3]]}, "detected must be True or False"),
        ({"detected": [[1, np.nan]]}, "detected must be True or False"),
        ({"unit": ["a", "a"]}, "unit labels are not unique: 'a' occur"),
        ({"unit": [1, 2, 3]}, "unit has 3 entries, but there are 2 units"),
        ({"unit": [1, "1"]}, "unit labels are not unique: '1'"),
        ({"session": ["a", "b"]}, "session has 2 entries, but there are 1 sessions"),
        ({"day": [0, 1]}, "day has 2 entries, but there are 1 sessions"),
        ({"experience": []}, "experience has 0 entries"),
        ({"accuracy": [0.5, 0.5]}, "accuracy has 2 entries, but there are 1 sessions"),
        ({"accuracy": [85]}, "accuracy is 85 in session '1', expected the share of correct"),
        ({"accuracy": [-0.1]}, "accuracy is -0.1 in session '1'"),
        ({"trial_type": [0, 0, np.nan, 1, 1, 1]}, "trial_type must be .*: use -1 where there is"),
        ({"frame_duration": [1, 1]}, "frame_duration has 2 entries, but there are 1 sessions"),
        ({"frame_duration": 0}, "frame_duration must be positive"),
        ({"frame_duration": 20.0, "time": np.arange(6.0)}, "overlap: they follow at 1 s"),
        ({"region": ["CA1"]}, "region has 1 entries, but there are 2 units"),
        ({"direction": [0, 1, 2, 1, 1, 1]}, "direction must be -1, 0 or .1, found"),
        ({"direction": [0, 1, 256, 1, 1, 1]}, "direction must be whole numbers from -128 to 127"),
        ({"direction": [0, 1, np.nan, 1, 1, 1]}, r"found \[nan\]: use 0 where there is none"),
        ({"map_label": [1, 40000, 1, 1, 1, 1]}, r"map_label must be .* found \[40000\]"),
        ({"trial": [1, 1.5, 1, 1, 1, 1]}, r"trial must be .*1.5\]: use -1 where there is none"),
        ({"session_index": [0, 0, 1]}, r"session_index has shape \(3,\)"),
        ({"session_index": [0, 1, 1, 0, 1, 1]}, "session_index must never decrease"),
        ({"session_index": np.uint8([1, 1, 1, 0, 0, 0])}, "session_index must never decrease"),
        ({"session_index": [-1, 0, 0, 0, 0, 0]}, "session_index must be non-negative"),
        ({"session_index": [0, 0, 0.5, 1, 1, 1]}, "session_index must be non-negative"),
        ({"kind": "licks"}, "kind is 'licks', expected one of spikes"),
        ({"activity": -_counts()}, "must be counts"),
        ({"activity": _counts() / 2}, "must be counts"),
        ({"activity": np.full((6, 2), np.nan)}, "must be counts.*pass detected="),
        (
            {"activity": _counts().T, "x": np.zeros(6)},
            r"axes look swapped.*transpose it \(activity.T\)",
        ),
        ({"x": np.zeros(9)}, "a clock of its own, such as a camera's, use recording_from_sessions"),
        ({"activity": np.full((6, 2), 2.0**63)}, "must be counts"),
        ({"activity": np.full((6, 2), np.nan), "kind": "amplitudes"}, "NaN or infinite in 12 pl"),
        ({"activity": np.zeros(6)}, r"activity has 1 dimensions, expected \(time, unit\)"),
        ({"activity": []}, "activity is an empty list"),
    ],
)
def test_recording_from_arrays__bad_input(change, message):
    with pytest.raises(ValueError, match=message):
        recording_from_arrays(**(_GOOD | change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"activity": [_counts(4, 2), _counts(2, 3)]}, r"\[2, 3\] units in different sessions"),
        ({"x": np.zeros(6)}, "x must be a list of 2 arrays"),
        ({"x": [np.zeros(4), np.zeros(3)]}, r"x has shape \(3,\) in session '2'.* has 2 frames"),
        ({"session_index": [0] * 6}, "session_index is for one array"),
    ],
)
def test_recording_from_arrays__bad_lists(change, message):
    with pytest.raises(ValueError, match=message):
        recording_from_arrays(**(_LISTED | change))


def test_recording_from_arrays__all_faults_at_once():
    with pytest.raises(ValueError) as error:
        recording_from_arrays(
            _counts(),
            kind="events",
            time=[0, 1, 1, 2, 3, 4.0],
            x=np.full(6, np.nan),
            unit=["a", "a"],
            detected=[[True, False]],
        )
    assert len(str(error.value).splitlines()) == 5


def test_select_sessions__keeps_order_labels_times_and_drops_undetected_units():
    recording = testing.linear_track(n_units=6, n_sessions=4, minutes=0.5, detection=0.3)
    recording = recording.assign_attrs(source="a.nwb")
    part = select_sessions(recording, ["4", "2"])
    assert part["session"].values.tolist() == ["2", "4"]
    assert part.attrs == recording.attrs
    kept = recording["detected"].values[[1, 3]].any(axis=0)
    assert part["unit"].values.tolist() == np.flatnonzero(kept).tolist()
    slices = slice_sessions(recording)
    for name in ("time", "frame_duration", "x", "speed", "direction", "trial", "lap"):
        expected = np.concatenate([recording[name].values[slices[i]] for i in (1, 3)])
        np.testing.assert_array_equal(part[name], expected)
        assert part[name].dtype == recording[name].dtype
        assert part[name].attrs == recording[name].attrs
    expected = np.concatenate([recording["activity"].values[slices[i]] for i in (1, 3)])[:, kept]
    np.testing.assert_array_equal(part["activity"], expected)
    assert part["activity"].dtype == recording["activity"].dtype
    for name in ("day", "experience"):
        np.testing.assert_array_equal(part[name], recording[name][[1, 3]])
    assert slice_sessions(part) == [slice(0, 600), slice(600, 1200)]


def test_select_sessions__all_of_them_is_the_recording():
    recording = testing.linear_track(n_units=3, n_sessions=3, minutes=0.5)
    xr.testing.assert_identical(select_sessions(recording, ["1", "2", "3"]), recording)


def test_select_sessions__stays_lazy():
    recording = testing.linear_track(n_units=3, n_sessions=3, minutes=0.5)
    lazy = recording.assign(activity=recording["activity"].chunk(time=250, unit=2))
    with dask.config.set(scheduler=_refuse):
        part = select_sessions(lazy, ["1", "3"])
    xr.testing.assert_identical(part.compute(), select_sessions(recording, ["1", "3"]))


def test_select_sessions__bad_labels():
    recording = testing.linear_track(n_units=1, n_sessions=2, minutes=0.1)
    with pytest.raises(ValueError, match=r"no session \['7'\]; the recording has \['1', '2'\]"):
        select_sessions(recording, ["1", 7])
    with pytest.raises(ValueError, match="no session named"):
        select_sessions(recording, [])
    with pytest.raises(TypeError, match="sessions is the text '12', expected a list of labels"):
        select_sessions(recording, "12")


@settings(deadline=None, max_examples=50)
@given(
    lengths=st.lists(st.integers(0, 5), min_size=1, max_size=5),
    n_units=st.integers(1, 3),
    data=st.data(),
)
def test_sessions__cut_and_put_end_to_end_again(lengths, n_units, data):
    blocks = [np.full((n, n_units), i, dtype=np.uint8) for i, n in enumerate(lengths)]
    recording = recording_from_arrays(blocks, kind="events", frame_duration=0.5)
    slices = slice_sessions(recording)
    assert [s.stop - s.start for s in slices] == lengths
    for i, where in enumerate(slices):
        assert (recording["activity"].values[where] == i).all()
        assert (recording["session_index"].values[where] == i).all()
    wanted = data.draw(st.sets(st.sampled_from(range(len(lengths))), min_size=1))
    part = select_sessions(recording, [str(i + 1) for i in wanted])
    np.testing.assert_array_equal(
        part["activity"], np.concatenate([blocks[i] for i in sorted(wanted)])
    )
    schema.check(part)
