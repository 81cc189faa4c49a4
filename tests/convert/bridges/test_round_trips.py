"""A recording is the same after NWB files or a Zarr store."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from neurodrift import import_nwb, open_recording, recording_from_arrays, save_recording, testing
from neurodrift.convert.own.memory import import_sessions
from neurodrift.io.nwb.session import session_from_recording
from neurodrift.io.nwb.write import write_session

KINDS = ["spikes", "events", "amplitudes", "deconvolved", "activation"]


def simulated(kind, *, plane=False, unit=None):
    found = testing.linear_track(n_units=6, n_sessions=2, minutes=1, detection=0.7)
    activity = found["activity"].values
    rng = np.random.default_rng(0)
    if kind in ("amplitudes", "deconvolved", "activation"):
        activity = np.where(activity > 0, rng.random(activity.shape), 0.0)
    names = ("x", "speed", "direction", "trial", "lap")
    frames = {name: found[name].values for name in names}
    frames["direction"] = np.where(frames["speed"] < 15, 0, frames["direction"])
    frames["map_label"] = np.where(frames["trial"] > 2, 2, 1)
    frames["trial_type"] = np.where(frames["trial"] < 0, -1, frames["trial"] % 2)
    if plane:
        frames = {
            "x": frames["x"],
            "y": 25 + 0.2 * frames["x"],
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
        region=["CA1", "CA1", "CA3", "CA1", "CA3", "CA3"],
        registered=np.arange(6) != 2,
        unit=unit,
        experience=[3.0, 9.5],
        accuracy=[0.5, 0.875],
        subject="synthetic",
        environment="track",
        **frames,
    )
    return made


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("plane", [False, True], ids=["track", "open field"])
def test_zarr__there_and_back(tmp_path, kind, plane):
    recording = simulated(kind, plane=plane)
    save_recording(recording, tmp_path / "a.zarr")
    xr.testing.assert_identical(open_recording(tmp_path / "a.zarr").compute(), recording)


@pytest.mark.parametrize(
    ("kind", "plane", "unit"),
    [*((kind, False, None) for kind in KINDS), ("events", True, list("badcfe"))],
)
def test_nwb__there_and_back(tmp_path, kind, plane, unit):
    recording = simulated(kind, plane=plane, unit=unit)
    files = [
        write_session(session_from_recording(recording, label), tmp_path / f"{label}.nwb")
        for label in ("1", "2")
    ]
    values = {"values": "amplitudes"} if kind == "amplitudes" else {}
    back = import_nwb(files, **values)
    assert set(back.variables) == set(recording.variables)
    assert set(back["unit"].values.tolist()) == set(recording["unit"].values.tolist())
    back = back.sel(unit=recording["unit"].values)
    assert back["activity"].attrs == recording["activity"].attrs
    exact = set(recording.variables) - {"time", "frame_duration", "speed", "clock_start"}
    for name in sorted(exact):
        np.testing.assert_array_equal(back[name].values, recording[name].values, err_msg=name)
    np.testing.assert_allclose(back["time"], recording["time"], rtol=0, atol=1e-9)
    for name in ("frame_duration", "speed"):
        np.testing.assert_allclose(back[name], recording[name], rtol=1e-12)


def test_import_sessions__is_the_recording_they_came_from():
    recording = simulated("events")
    sessions = [session_from_recording(recording, label) for label in ("1", "2")]
    back = import_sessions(sessions)
    np.testing.assert_array_equal(back["activity"], recording["activity"])
    np.testing.assert_array_equal(back["detected"], recording["detected"])
    np.testing.assert_array_equal(back["x"], recording["x"])
    assert "nwb_files" not in back.attrs
