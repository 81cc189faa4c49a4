from __future__ import annotations

import numpy as np
import pytest

import neurodrift as nd

TIME = np.arange(0, 120, 0.05)
X = 50 + 40 * np.sin(TIME / 3)


def session(**more):
    return {"position": X, "position_time": TIME, "registered_cell_id": [7, 9, -1]} | more


def test_recording_from_sessions__events_and_samples_on_their_own_clocks():
    events = [np.array([1.0, 2.5]), np.array([110.0]), np.array([], dtype=float)]
    frames = np.zeros((1200, 3))  # at 10 Hz, half the rate of the camera
    frames[100, 0] = 0.5
    recording = nd.recording_from_sessions(
        [session(activity=events, day=0.0), session(activity=events, day=3.0, session="late")],
        subject="m1",
        environment="track",
    )
    assert recording["session"].values.tolist() == ["1", "late"]
    assert recording["day"].values.tolist() == [0.0, 3.0]
    assert str(recording["subject"].values) == "m1"
    # two identities are known; the third cell of each day is a unit of its own
    assert recording.sizes["unit"] == 4 and recording["registered"].values.sum() == 2
    per_session = recording["activity"].groupby(recording["session_index"]).sum("time")
    assert per_session.isel(unit=slice(2)).values.tolist() == [[2, 1], [2, 1]]
    sampled = nd.recording_from_sessions(
        [session(activity=frames, activity_frame_rate=10.0)], kind="deconvolved"
    )
    assert sampled["activity"].attrs["kind"] == "deconvolved"
    at = sampled["time"].values[sampled["activity"].values[:, 0] > 0]
    assert at.min() == pytest.approx(10.0, abs=0.11)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"activty": 1}, "session 1 has activty, expected some of session, activity"),
        ({"axes": ["units", "frames"]}, "here activity is .frame, unit., so transpose it"),
        ({"activity": np.zeros((5, 3))}, "has no clock: give activity_time"),
        ({"activity": np.zeros((5, 3)), "activity_time": [0.0, 1.0]}, "5 frames, but its clock"),
        ({"position": X[:-1]}, "clock has 2400"),
        ({"registered_cell_id": [1]}, "registered_cell_id has shape"),
    ],
)
def test_recording_from_sessions__says_what_does_not_fit(change, message):
    events = [np.array([1.0, 2.5]), np.array([110.0]), np.array([4.0])]
    with pytest.raises(ValueError, match=message):
        nd.recording_from_sessions([session(activity=events) | change])
    with pytest.raises(ValueError, match="there are no sessions"):
        nd.recording_from_sessions([])
    with pytest.raises(ValueError, match="has no activity, only position"):
        nd.recording_from_sessions([session()])


def test_recording_from_sessions__speaks_python_of_swapped_axes_and_accept():
    swapped = np.random.default_rng(0).poisson(0.2, (20, 600))
    one = {"position": X[:400], "position_time": TIME[:400], "activity_frame_rate": 1.0}
    with pytest.raises(ValueError, match="transpose it") as caught:
        nd.recording_from_sessions([one | {"activity": swapped}])
    said = str(caught.value)
    assert "(activity.T)" in said and "accept=['axes'" in said and "--accept" not in said
