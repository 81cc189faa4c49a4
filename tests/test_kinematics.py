from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from neurodrift import recording_from_arrays, schema, slice_sessions, testing
from neurodrift._velocity import moving_average
from neurodrift.kinematics import laps, running, running_where_missing, velocity


def reference_average(values, width):
    """Mean from width // 2 frames back to (width - 1) // 2 frames forward, fewer at the ends."""
    averaged = []
    for i in range(len(values)):
        first, last = max(0, i - width // 2), min(len(values), i + (width - 1) // 2 + 1)
        averaged.append(math.fsum(values[first:last]) / (last - first))
    return averaged


def reference_velocity(time, x, window, duration):
    """Central differences inside each unbroken run of tracked frames, then the average."""
    width = max(1, round(window / duration))
    result = [math.nan] * len(time)
    run = []
    for i in range(len(time) + 1):
        ends = i == len(time) or math.isnan(x[i])
        ends = ends or (run and time[i] - time[i - 1] > 1.5 * duration)
        if ends and run:
            steps = []
            for k in run:
                a, b = max(run[0], k - 1), min(run[-1], k + 1)
                if a == b:
                    steps.append(0.0)
                elif a < k < b:  # second order where steps are uneven
                    back, forward = time[k] - time[a], time[b] - time[k]
                    steps.append(
                        (back**2 * x[b] - forward**2 * x[a] + (forward**2 - back**2) * x[k])
                        / (back * forward * (back + forward))
                    )
                else:
                    steps.append((x[b] - x[a]) / (time[b] - time[a]))
            for k, value in zip(run, reference_average(steps, min(width, len(run))), strict=True):
                result[k] = value
            run = []
        if i < len(time) and not math.isnan(x[i]):
            run.append(i)
    return result


@settings(deadline=None)
@given(values=st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30), width=st.integers(0, 12))
def test_moving_average__equals_the_loop(values, width):
    width = min(width, len(values))
    expected = reference_average(values, max(1, width))
    np.testing.assert_allclose(moving_average(np.array(values), width), expected, atol=1e-9)


def test_moving_average__even_window_reaches_further_back():
    impulse = np.eye(12)[5]
    touched = np.flatnonzero(moving_average(impulse, 4))
    np.testing.assert_array_equal(touched, [4, 5, 6, 7])  # frame 7 looks back to 5, 4 ahead to 5
    np.testing.assert_allclose(moving_average(np.ones(9), 8), 1.0)
    np.testing.assert_allclose(moving_average(np.arange(8.0), 8)[0], np.mean(np.arange(4)))
    np.testing.assert_allclose(moving_average(np.arange(3.0), 50), reference_average(range(3), 3))


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 10**6), window=st.sampled_from([0.0, 0.05, 0.15, 0.2, 0.4]))
def test_velocity__equals_the_loop(seed, window):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 40))
    steps = rng.choice([0.05, 0.049, 0.051, 0.2], n, p=[0.5, 0.2, 0.2, 0.1])
    time = np.cumsum(steps)
    x = np.where(rng.random(n) < 0.2, np.nan, rng.normal(0, 10, n))
    found, none = velocity(time, x, window=window, frame_duration=0.05)
    assert none is None
    np.testing.assert_allclose(
        found, reference_velocity(time.tolist(), x.tolist(), window, 0.05), rtol=1e-9, atol=1e-9
    )


def test_velocity__never_crosses_a_gap():
    time = np.concatenate([np.arange(20), 100 + np.arange(20)]) * 0.05
    x = np.where(np.arange(40) < 20, 0.0, 500.0)
    vx, _ = velocity(time, x)
    np.testing.assert_array_equal(vx, 0.0)
    x[10] = np.nan
    vx, vy = velocity(time, np.zeros(40), x)
    assert np.isnan(vx[10]) and np.isnan(vy[10])
    assert np.flatnonzero(np.isnan(vx)).tolist() == [10]


def test_velocity__short_input():
    assert velocity(np.array([3.0]), np.array([1.0]))[0].tolist() == [0.0]
    assert velocity(np.zeros(0), np.zeros(0))[0].size == 0
    assert np.isnan(velocity(np.arange(3.0), np.full(3, np.nan))[0]).all()
    with pytest.raises(ValueError, match=r"time has shape \(3,\), the position \[\(2,\)\]"):
        velocity(np.arange(3.0), np.zeros(2))


def test_velocity__leaves_its_input():
    time, x = np.arange(5.0), np.arange(5.0) ** 2
    velocity(time, x, window=0)[0][:] = -1
    np.testing.assert_array_equal(x, np.arange(5.0) ** 2)


def test_running__speed_and_direction_of_each_session_alone():
    rng = np.random.default_rng(0)
    parts = [np.cumsum(rng.normal(0, 1, n)) for n in (50, 30)]
    parts[0][7:12] = np.nan
    recording = recording_from_arrays(
        [np.ones((part.size, 1), int) for part in parts],
        kind="events",
        frame_duration=[0.05, 0.1],
        x=parts,
    )
    found = running(recording, window=0.2, min_speed=4.0)
    schema.check(found)
    assert "speed" not in recording
    for where, duration in zip(slice_sessions(recording), (0.05, 0.1), strict=True):
        v = np.array(
            reference_velocity(
                recording["time"].values[where].tolist(),
                recording["x"].values[where].tolist(),
                0.2,
                duration,
            )
        )
        np.testing.assert_allclose(found["speed"][where], np.abs(v), rtol=1e-6, atol=1e-9)
        expected = [0 if not abs(s) >= 4.0 else int(math.copysign(1, s)) for s in v]
        assert found["direction"].values[where].tolist() == expected
    assert found["speed"].attrs["units"] == "cm/s" and found["direction"].dtype == np.int8


def test_running__at_the_least_speed_has_a_direction():
    x = np.array([0.0, 2, 4, 6, 4, 2, 0])  # 2 cm/s out and back
    recording = recording_from_arrays(
        [np.ones((7, 1), int)], kind="events", frame_duration=1.0, x=[x]
    )
    found = running(recording, window=0.0, min_speed=2.0)
    assert found["speed"].values.tolist() == [2, 2, 2, 0, 2, 2, 2]
    assert found["direction"].values.tolist() == [1, 1, 1, 0, -1, -1, -1]
    assert not running(recording, window=0.0, min_speed=2.01)["direction"].any()


def test_running__two_dimensions():
    time = np.arange(100) * 0.05
    recording = recording_from_arrays(
        np.ones((100, 1), int), kind="events", time=time, x=3 * time, y=4 * time
    )
    found = running(recording)
    np.testing.assert_allclose(found["speed"], 5.0)
    assert "direction" not in found


def test_running__empty_session_and_no_position():
    recording = recording_from_arrays(
        [np.ones((3, 1), int), np.ones((0, 1), int)],
        kind="events",
        frame_duration=0.1,
        x=[[0, 1, 2], []],
    )
    np.testing.assert_allclose(running(recording)["speed"], 10.0)
    with pytest.raises(ValueError, match="no position 'x'"):
        running(recording.drop_vars("x"))


def reference_laps(x, low, high, end_zone):
    numbers, lap, last = [], 0, None
    for value in x:
        if math.isnan(value):
            numbers.append(-1)
            continue
        end = None
        if value <= low + end_zone * (high - low):
            end = "low"
        if value >= high - end_zone * (high - low):
            end = "high"
        if end is not None:
            lap += last is not None and end != last
            last = end
        numbers.append(lap)
    return numbers


@settings(deadline=None)
@given(
    x=st.lists(st.floats(-5, 105) | st.just(math.nan) | st.sampled_from([10.0, 90.0]), max_size=60),
    end_zone=st.sampled_from([0.0, 0.1, 0.25]),
)
def test_laps__equal_the_loop(x, end_zone):
    found = laps(np.array(x, dtype=float), limits=(0, 100), end_zone=end_zone)
    assert found.dtype == np.int32
    assert found.tolist() == reference_laps(x, 0.0, 100.0, end_zone)


def test_laps__ends_lie_within_the_limits():
    # a track from 50 to 150 cm: its ends are 50 to 60 and 140 to 150
    x = np.array([60.0, 100, 61, 139, 140, 61, 60, 140.0])
    assert laps(x, limits=(50, 150)).tolist() == [0, 0, 0, 0, 1, 1, 2, 3]


def test_laps__wobble_and_turning_back_are_no_laps():
    rng = np.random.default_rng(0)
    corners = [20, 95, 88, 97, 40, 96, 5, 12, 2, 60, 3, 98]  # rests, looks round, turns back
    x = np.interp(np.linspace(0, len(corners) - 1, 2000), np.arange(len(corners)), corners)
    x = x + rng.normal(0, 0.7, x.size)
    x[300:340] = np.nan  # lost on the way
    number = laps(x, limits=(0, 100))
    assert sorted(set(number.tolist())) == [-1, 0, 1, 2]
    turns = np.flatnonzero(np.diff(number[number >= 0]))
    assert number[0] == 0
    assert turns.size == 2 and (np.diff(number[number >= 0]) >= 0).all()
    seen = x[number >= 0]
    assert seen[turns[0] + 1] <= 10 and seen[turns[1] + 1] >= 90


def test_laps__of_a_synthetic_mouse_are_its_traversals():
    recording = testing.linear_track(n_units=1, n_sessions=1, minutes=5)
    x = recording["x"].values
    ends = [k for k in range(1, x.size) if x[k] in (0.0, 100.0) and x[k] != x[k - 1]]
    assert abs(int(recording["lap"].max()) - len(ends)) <= 1
    for _, lap in recording[["x", "lap"]].groupby("lap"):
        turning = np.diff(
            np.sign(np.diff(lap["x"].values[np.diff(lap["x"].values, prepend=-1) != 0]))
        )
        assert np.count_nonzero(turning) <= 1


def test_running__keeps_the_recording_otherwise():
    recording = testing.linear_track(n_units=2, n_sessions=2, minutes=0.2)
    found = running(recording)
    rest = ["speed", "direction"]
    xr.testing.assert_identical(found.drop_vars(rest), recording.drop_vars(rest))


def test_running_where_missing__derives_only_what_is_not_there():
    whole = testing.linear_track(n_units=2, n_sessions=2, minutes=1)
    assert running_where_missing(whole) is whole
    bare = whole.drop_vars(["speed", "direction"])
    found = running_where_missing(bare)
    expected = running(bare)
    for name in ("speed", "direction"):
        np.testing.assert_array_equal(found[name].values, expected[name].values)
    assert found.attrs["derived"] == '["speed", "direction"]' and "speed" not in bare
    turned = bare.assign(direction=whole["direction"] * np.int8(-1))
    found = running_where_missing(turned)  # a direction that was given stays
    np.testing.assert_array_equal(found["direction"].values, -whole["direction"].values)
    assert found.attrs["derived"] == '["speed"]'


def test_running_where_missing__leaves_what_has_no_path():
    bare = testing.linear_track(n_units=2, n_sessions=2, minutes=1).drop_vars(
        ["speed", "direction"]
    )
    for other in (
        bare.drop_vars("x"),
        bare.assign_attrs(only_running=1),
        bare.assign_coords(training_step=("session", [0, 10])),
    ):
        assert running_where_missing(other) is other
