from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from neurodrift import Binning, bin_frames, recording_from_arrays, select_sessions, slice_sessions
from neurodrift.analysis.maps.binning import MIN_RUNNING_SPEED, session_activity


def reference_bins(recording, binning):
    """Bin and direction of every frame, one frame after the other."""
    axes = [axis for axis in ("x", "y") if axis in recording]
    n_frames = recording.sizes["time"]
    where = {axis: recording[axis].values.tolist() for axis in axes}
    tracked = [all(not math.isnan(where[axis][t]) for axis in axes) for t in range(n_frames)]
    if binning.edges is None:
        widths = (
            binning.bin_width
            if isinstance(binning.bin_width, tuple)
            else (binning.bin_width,) * len(axes)
        )
        edges = []
        for axis, width in zip(axes, widths, strict=True):
            seen = [where[axis][t] for t in range(n_frames) if tracked[t]]
            first = math.floor(min(seen) / width)
            last = max(math.ceil(max(seen) / width), first + 1)
            edges.append([k * width for k in range(first, last + 1)])
    else:
        edges = [binning.edges] if np.ndim(binning.edges[0]) == 0 else binning.edges
    cells = []  # (index along each axis) of every bin, x slowest
    for i in range(len(edges[0]) - 1):
        if len(axes) == 1:
            keep = (
                edges[0][i] >= edges[0][0] + binning.exclude_ends - 1e-9
                and edges[0][i + 1] <= edges[0][-1] - binning.exclude_ends + 1e-9
            )
            cells += [(i,)] if keep else []
        else:
            cells += [(i, j) for j in range(len(edges[1]) - 1)]
    separate = binning.directions
    if separate is None:
        separate = "direction" in recording and len(axes) == 1

    def cell_of(t):
        found = []
        for axis, along in zip(axes, edges, strict=True):
            value = where[axis][t]
            for i in range(len(along) - 1):
                if along[i] < value <= along[i + 1] or (i == 0 and value == along[0]):
                    found.append(i)
        return tuple(found)

    position, direction = [-1] * n_frames, [-1] * n_frames
    for t in range(n_frames):
        if not tracked[t] or cell_of(t) not in cells:
            continue
        if "speed" in recording:
            low, high = binning.speed_range or (MIN_RUNNING_SPEED, math.inf)
            if not low <= float(recording["speed"][t]) <= high:
                continue
        side = {1: 0, -1: 1, 0: -1}[int(recording["direction"][t])] if separate else 0
        if side >= 0:
            position[t], direction[t] = cells.index(cell_of(t)), side
    for session in slice_sessions(recording):
        frames = range(session.start, session.stop)
        seconds = {}
        for t in frames:
            key = position[t], direction[t]
            seconds[key] = seconds.get(key, 0) + float(recording["frame_duration"][t])
        for t in frames:
            if seconds[position[t], direction[t]] < binning.min_occupancy - 1e-9:
                position[t] = direction[t] = -1
    if len(axes) == 2:
        used = sorted(set(position) - {-1})
        position = [used.index(p) if p >= 0 else -1 for p in position]
        cells = [cells[p] for p in used]
    centres = [
        [(along[cell[i]] + along[cell[i] + 1]) / 2 for cell in cells]
        for i, along in enumerate(edges)
    ]
    return position, direction, centres


def random_recording(seed, *, dims=1, n_sessions=3, n_frames=400):
    """Positions on and between edges, with untracked, slow and aimless frames."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(n_frames // 2, n_frames, n_sessions)

    def position():
        x = rng.choice(np.arange(0, 41) * 0.5, lengths.sum()) - 3
        return np.where(rng.random(x.size) < 0.15, np.nan, x)

    x = position()
    given = {
        "x": x,
        "speed": np.where(np.isfinite(x), rng.choice([0, 0.5, 1, 1.5, 5, 30], x.size), np.nan),
        "direction": rng.integers(-1, 2, x.size),
    }
    if dims == 2:
        given["y"] = position()
        given["speed"] = rng.choice([0, 0.5, 1, 1.5, 5, 30], x.size)
    return recording_from_arrays(
        rng.integers(0, 3, (x.size, 2)),
        kind="events",
        frame_duration=rng.permuted([0.05, 0.1, 1 / 30])[:n_sessions],
        session_index=np.repeat(np.arange(n_sessions), lengths),
        **given,
    )


def assert_equals_reference(recording, binning):
    frames = bin_frames(recording, binning)
    position, direction, centres = reference_bins(recording, binning)
    np.testing.assert_array_equal(frames["position_bin"], position)
    np.testing.assert_array_equal(frames["direction_bin"], direction)
    for name, expected in zip(("x_bin", "y_bin"), centres, strict=False):
        np.testing.assert_allclose(frames[name], expected, atol=1e-12)
    assert frames["position_bin"].dtype == np.int32 and frames["direction_bin"].dtype == np.int8
    return frames


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "binning",
    [
        Binning(),
        Binning(bin_width=0.7),
        Binning(edges=[-2, 0, 1, 5.5, 9]),
        Binning(edges=np.linspace(-3, 17, 21), exclude_ends=2.0),
        Binning(bin_width=2, exclude_ends=3.5),
        Binning(speed_range=(1.5, 5.0)),
        Binning(speed_range=(0, np.inf)),
        Binning(directions=False),
        Binning(directions=True, min_occupancy=0.3),
        Binning(bin_width=3.0, min_occupancy=0.3, exclude_ends=1.0),
    ],
)
def test_bin_frames__linear_track(seed, binning):
    frames = assert_equals_reference(random_recording(seed), binning)
    assert frames["direction"].values.tolist() == ([0] if binning.directions is False else [1, -1])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "binning",
    [
        Binning(),
        Binning(bin_width=(3.0, 7.0)),
        Binning(bin_width=2.0, min_occupancy=0.1),
        Binning(edges=([0, 2, 8], [-1, 3, 4, 9.5])),
        Binning(directions=True, speed_range=(0.0, 5.0)),
    ],
)
def test_bin_frames__two_dimensions(seed, binning):
    frames = assert_equals_reference(random_recording(seed, dims=2), binning)
    used = frames["position_bin"].values
    np.testing.assert_array_equal(np.unique(used[used >= 0]), frames["position"])


def test_bin_frames__position_in_one_dimension_holds_unvisited_bins():
    recording = recording_from_arrays(
        np.zeros((4, 1), int), kind="events", frame_duration=1, x=[0.0, 1.0, 39.0, 40.0]
    )
    frames = bin_frames(recording, Binning())
    assert frames["x_bin"].values.tolist() == [2.0 + 4 * i for i in range(10)]
    assert frames["position_bin"].values.tolist() == [0, 0, 9, 9]


def test_bin_frames__position_in_two_dimensions_holds_used_bins():
    recording = recording_from_arrays(
        np.zeros((5, 1), int),
        kind="events",
        frame_duration=1,
        x=[1, 90, 90, 50, np.nan],
        y=[1, 90, 1, np.nan, 3],
        speed=[5, 5, 0, 5, 5],
    )
    frames = bin_frames(recording, Binning(bin_width=10))
    assert frames["x_bin"].values.tolist() == [5.0, 85.0]
    assert frames["y_bin"].values.tolist() == [5.0, 85.0]
    assert frames["position_bin"].values.tolist() == [0, 1, -1, -1, -1]


def test_bin_frames__directions_are_separate_only_where_there_are_any():
    recording = random_recording(0)
    assert bin_frames(recording, Binning())["direction"].values.tolist() == [1, -1]
    without = recording.drop_vars("direction")
    assert bin_frames(without, Binning())["direction"].values.tolist() == [0]
    assert bin_frames(random_recording(0, dims=2), Binning())["direction"].values.tolist() == [0]
    with pytest.raises(ValueError, match="directions=True, but the recording has no direction"):
        bin_frames(without, Binning(directions=True))


def test_bin_frames__speed():
    recording = random_recording(1, dims=2)
    without = recording.drop_vars("speed")
    everything = bin_frames(without, Binning())
    xr.testing.assert_identical(
        bin_frames(without, Binning(speed_range=(0, np.inf))).drop_attrs(), everything.drop_attrs()
    )
    tracked = np.isfinite(recording["x"]) & np.isfinite(recording["y"])
    np.testing.assert_array_equal(everything["position_bin"] >= 0, tracked)
    with pytest.raises(ValueError, match=r"has no speed: derive it with .*kinematics.running"):
        bin_frames(without, Binning(speed_range=(1, 50)))


def test_bin_frames__does_not_depend_on_other_sessions_when_edges_are_given():
    recording = random_recording(5)
    binning = Binning(edges=np.arange(-3, 18, 2), min_occupancy=0.1)
    whole = bin_frames(recording, binning)
    for i, where in enumerate(slice_sessions(recording)):
        part = bin_frames(select_sessions(recording, [str(i + 1)]), binning)
        xr.testing.assert_equal(
            part.drop_vars("session_index"), whole.isel(time=where).drop_vars("session_index")
        )


@settings(deadline=None, max_examples=200)
@given(
    x=st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=20),
    width=st.floats(0.1, 1e3) | st.sampled_from([0.1, 0.7, 4.0]),
)
def test_bin_frames__by_width_uses_every_tracked_frame(x, width):
    recording = recording_from_arrays(
        np.zeros((len(x), 1), int), kind="events", frame_duration=1, x=x
    )
    frames = bin_frames(recording, Binning(bin_width=width))
    assert (frames["position_bin"] >= 0).all()
    distance = np.abs(frames["x_bin"].values[frames["position_bin"].values] - x)
    assert (distance <= width / 2 * (1 + 1e-6) + 1e-9).all()


@settings(deadline=None, max_examples=50)
@given(
    n=st.integers(1, 200), duration=st.sampled_from([0.1, 0.05, 1 / 30, 1 / 20.1, 0.04999999999])
)
def test_bin_frames__min_occupancy_is_met_by_its_number_of_frames(n, duration):
    recording = recording_from_arrays(
        np.zeros((n, 1), int), kind="events", frame_duration=duration, x=np.zeros(n)
    )
    seconds = sum([duration] * n)
    assert (bin_frames(recording, Binning(min_occupancy=seconds))["position_bin"] == 0).all()
    with pytest.raises(ValueError, match="no frame can be used"):
        bin_frames(recording, Binning(min_occupancy=seconds + duration / 2))


@pytest.mark.parametrize(
    ("recording", "binning", "message"),
    [
        (random_recording(0).drop_vars("x"), Binning(), "no position 'x', so there are no maps"),
        (random_recording(0), Binning(edges=([0, 1], [0, 1])), "edges for 2 axes, but .* has x"),
        (random_recording(0, dims=2), Binning(edges=[0, 1]), "edges for 1 axes, but .* x and y"),
        (random_recording(0), Binning(bin_width=(2.0, 2.0)), "width is a pair, but .* x alone"),
        (random_recording(0, dims=2), Binning(exclude_ends=1), "exclude_ends is for a linear"),
        (random_recording(0), Binning(exclude_ends=100), "leaves no bin of the track"),
        (random_recording(0), Binning(edges=[500, 600]), "session '1', '2', '3'"),
    ],
)
def test_bin_frames__bad_input(recording, binning, message):
    with pytest.raises(ValueError, match=message):
        bin_frames(recording, binning)


def test_bin_frames__session_without_running_is_named():
    recording = random_recording(2)
    where = slice_sessions(recording)[1]
    speed = recording["speed"].values.copy()
    speed[where] *= 0
    standing = recording.assign(speed=("time", speed))
    n_tracked = int(np.isfinite(recording["x"].values[where]).sum())
    with pytest.raises(ValueError, match=rf"in session '2' \(tracked frames: \[{n_tracked}\]"):
        bin_frames(standing, Binning())
    bin_frames(select_sessions(standing, ["1", "3"]), Binning())


def test_bin_frames__session_without_position_or_frames_is_named():
    parts = [np.arange(5.0), np.full(5, np.nan), np.zeros(0)]
    recording = recording_from_arrays(
        [np.zeros((p.size, 1), int) for p in parts], kind="events", frame_duration=1, x=parts
    )
    with pytest.raises(ValueError, match=r"session '2', '3' \(tracked frames: \[0, 0\]"):
        bin_frames(recording, Binning())
    empty = recording_from_arrays(np.zeros((0, 1), int), kind="events", frame_duration=1, x=[])
    with pytest.raises(ValueError, match="no frame of the recording has a position"):
        bin_frames(empty, Binning())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bin_width": 0}, "bin_width is 0, expected a positive number"),
        ({"bin_width": np.nan}, "bin_width is nan"),
        ({"bin_width": np.inf}, "bin_width is inf"),
        ({"bin_width": (1, 2, 3)}, "expected a positive number .* or a pair"),
        ({"edges": [0]}, "at least two finite numbers"),
        ({"edges": [0, np.inf]}, "at least two finite numbers"),
        ({"edges": [0, 2, 1]}, "edges must increase"),
        ({"edges": ([0, 1], [1, 1])}, "edges must increase"),
        ({"exclude_ends": -1}, "exclude_ends is -1, expected a number, at least 0"),
        ({"min_occupancy": np.nan}, "min_occupancy is nan"),
        ({"speed_range": (5, 1)}, r"speed_range is \(5, 1\), expected \(lowest, highest\)"),
        ({"speed_range": (1, 2, 3)}, "speed_range is"),
    ],
)
def test_binning__bad_parameters(change, message):
    with pytest.raises(ValueError, match=message):
        Binning(**change)


def test_binning__is_a_value():
    a = Binning(edges=np.arange(3), bin_width=np.int64(4), speed_range=[1, np.inf])
    b = Binning(edges=(0.0, 1.0, 2.0), speed_range=(1.0, np.inf))
    assert a == b and hash(a) == hash(b)
    assert dataclasses.replace(a, min_occupancy=1.0) != b
    two = Binning(edges=(np.arange(3), [0, 2]), bin_width=np.array([1, 2]))
    assert two.edges == ((0.0, 1.0, 2.0), (0.0, 2.0)) and two.bin_width == (1.0, 2.0)
    assert hash(two)


def test_binning__to_json_is_plain_json():
    text = Binning(edges=np.arange(3), speed_range=(np.float32(1), np.inf)).to_json()
    assert json.loads(text, parse_constant=pytest.fail) == {
        "bin_width": 4.0,
        "edges": [0.0, 1.0, 2.0],
        "exclude_ends": 0.0,
        "speed_range": [1.0, None],
        "directions": None,
        "min_occupancy": 0.0,
        "trial_types": False,
    }
    assert json.loads(Binning().to_json())["speed_range"] is None


def test_session_activity__is_one_session_in_one_chunk_of_time():
    recording = random_recording(0)
    lazy = recording.assign(activity=recording["activity"].chunk(time=7, unit=1))
    for where in slice_sessions(recording):
        part = session_activity(lazy, where)
        assert part.chunks == ((where.stop - where.start,), (1, 1))
        assert set(part.coords) == {"unit"}
        xr.testing.assert_equal(part.compute(), session_activity(recording, where))


def test_binning__track_is_whole_bins_between_its_ends():
    track = Binning(bin_width=4, track=(0, 96), exclude_ends=8)
    assert track == Binning(bin_width=4, edges=np.linspace(0, 96, 25), exclude_ends=8)
    for change, message in (
        ({"track": (0, 97)}, "from 0 to 97 cm is not a whole number of bins of 4 cm"),
        ({"track": (9, 1)}, "not a whole number of bins"),
        ({"track": (0, np.inf)}, "expected its two ends"),
        ({"track": (0, 8), "edges": [0, 4, 8]}, "track and edges are both given"),
        ({"track": (0, 8), "bin_width": (4, 4)}, "track is for one axis"),
    ):
        with pytest.raises(ValueError, match=message):
            Binning(**change)


def test_binning__refuses_a_width_that_its_edges_do_not_have():
    track = Binning(track=(0, 96), bin_width=8)
    with pytest.raises(ValueError, match="another width: give edges=None"):
        dataclasses.replace(track, bin_width=2)  # the edges would stay, in silence
    assert len(dataclasses.replace(track, bin_width=2, edges=None, track=(0, 96)).edges) == 49
