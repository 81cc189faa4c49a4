"""A recording is the same after NWB files or a Zarr store."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from neurodrift import import_nwb, open_recording, recording_from_arrays, save_recording, testing
from neurodrift.convert.sessions import recording_from_sessions
from neurodrift.io.nwb_session import session_from_recording
from neurodrift.io.nwb_write import write_session

KINDS = ["spikes", "events", "amplitudes", "deconvolved"]


def simulated(kind, *, plane=False):
    found = testing.linear_track(n_units=6, n_sessions=2, minutes=1, detection=0.7)
    activity = found["activity"].values
    rng = np.random.default_rng(0)
    if kind in ("amplitudes", "deconvolved", "activation"):
        activity = np.where(activity > 0, rng.random(activity.shape), 0.0)
    frames = {name: found[name].values for name in ("x", "speed", "direction", "trial")}
    if plane:
        frames = {
            "x": frames["x"],
            "y": rng.random(frames["x"].size) * 50,
            "speed": frames["speed"],
        }
        frames["trial"] = found["trial"].values
    made = recording_from_arrays(
        activity,
        kind=kind,
        time=found["time"].values,
        frame_duration=0.05,
        session_index=found["session_index"].values,
        session=["1", "2"],
        detected=found["detected"].values,
        day=found["day"].values,
        region=["CA1"] * 6,
        subject="synthetic",
        environment="track",
        **frames,
    )
    return made


@pytest.mark.parametrize("kind", [*KINDS, "activation"])
@pytest.mark.parametrize("plane", [False, True], ids=["track", "open field"])
def test_zarr__there_and_back(tmp_path, kind, plane):
    recording = simulated(kind, plane=plane)
    save_recording(recording, tmp_path / "a.zarr")
    xr.testing.assert_identical(open_recording(tmp_path / "a.zarr").compute(), recording)


@pytest.mark.parametrize(("kind", "plane"), [*((kind, False) for kind in KINDS), ("events", True)])
def test_nwb__there_and_back(tmp_path, kind, plane):
    recording = simulated(kind, plane=plane)
    files = [
        write_session(session_from_recording(recording, label), tmp_path / f"{label}.nwb")
        for label in ("1", "2")
    ]
    values = {"values": "amplitudes"} if kind == "amplitudes" else {}
    back = import_nwb(files, **values)
    assert back["activity"].attrs["kind"] == kind
    for name in ("activity", "x", "y", "trial", "detected", "day", "experience", "session_index"):
        if name in recording.variables:
            np.testing.assert_array_equal(back[name].values, recording[name].values, err_msg=name)
    np.testing.assert_allclose(back["time"], recording["time"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(back["frame_duration"], recording["frame_duration"], rtol=1e-12)
    np.testing.assert_allclose(back["speed"], recording["speed"], rtol=1e-12)
    assert back["unit"].values.tolist() == recording["unit"].values.tolist()
    assert back["session"].values.tolist() == ["1", "2"]


def test_recording_from_sessions__is_the_recording_they_came_from():
    recording = simulated("events")
    sessions = [session_from_recording(recording, label) for label in ("1", "2")]
    back = recording_from_sessions(sessions)
    np.testing.assert_array_equal(back["activity"], recording["activity"])
    np.testing.assert_array_equal(back["detected"], recording["detected"])
    np.testing.assert_array_equal(back["x"], recording["x"])
    assert "nwb_files" not in back.attrs
