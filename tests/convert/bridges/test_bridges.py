"""Recordings to and from the objects of other packages."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import xarray as xr

from neurodrift import recording_from_arrays, testing
from neurodrift.convert.bridges.movement import from_movement, to_movement
from neurodrift.convert.bridges.pynapple import from_pynapple, to_pynapple

nap = pytest.importorskip("pynapple")


def simulated(kind="events", **changes):
    found = testing.linear_track(n_units=5, n_sessions=3, minutes=1, detection=0.7, **changes)
    if kind == "events":
        return found
    activity = found["activity"].values.astype(np.float64) * 0.25
    if kind == "spikes":
        activity = found["activity"].values
    return recording_from_arrays(
        activity,
        kind=kind,
        time=found["time"].values,
        frame_duration=0.05,
        x=found["x"].values,
        y=found["x"].values[::-1].copy(),
        session_index=found["session_index"].values,
        session=["a", "b", "c"],
        unit=[f"u{i}" for i in range(5)],
        detected=found["detected"].values,
        day=[0.0, 1.0, 4.0],
        region=["CA1", "CA1", "CA3", "CA3", "CA3"],
        registered=[True, True, False, True, True],
        subject="synthetic",
        environment="linear track",
    )


@pytest.mark.parametrize("kind", ["events", "spikes", "amplitudes", "deconvolved", "activation"])
def test_pynapple__there_and_back(kind):
    recording = simulated(kind)
    made = to_pynapple(recording)
    back = from_pynapple(**made, subject="synthetic", environment="linear track")
    np.testing.assert_allclose(back["time"], recording["time"], rtol=0, atol=1e-9)
    for name in set(recording.variables) | set(back.variables) - {"time"}:
        xr.testing.assert_equal(
            back[name].drop_vars("time", errors="ignore"),
            recording[name].drop_vars("time", errors="ignore"),
        )
    assert back["activity"].attrs == recording["activity"].attrs


def test_to_pynapple__is_what_pynapple_computes_with():
    recording = simulated()
    made = to_pynapple(recording)
    assert isinstance(made["units"], nap.TsGroup)
    counted = [len(made["units"][i]) for i in made["units"].index]
    assert counted == recording["activity"].values.sum(axis=0).tolist()
    second = made["sessions"][1]
    part = recording["activity"].values[recording["session_index"].values == 1]
    restricted = made["units"].restrict(second)
    assert [len(restricted[i]) for i in restricted.index] == part.sum(axis=0).tolist()
    assert made["sessions"]["session"].tolist() == ["1", "2", "3"]


def test_from_pynapple__spikes_of_another_laboratory():
    """Spikes and a position on clocks of their own, without any metadata."""
    time = np.arange(1200) / 20
    minute = nap.IntervalSet(0, 60)
    spikes = {
        3: nap.Ts(np.array([0.01, 0.02, 10.0, 59.99]), time_support=minute),
        8: nap.Ts(np.array([30.0]), time_support=minute),
    }
    position = nap.Tsd(t=time, d=50 + 40 * np.sin(time))
    found = from_pynapple(nap.TsGroup(spikes, time_support=minute), position, subject="rat")
    assert found["unit"].values.tolist() == [3, 8]
    assert found["activity"].values.sum(axis=0).tolist() == [4, 1]
    assert found["activity"].values[0].tolist() == [2, 0]
    assert found["activity"].attrs["kind"] == "spikes"
    np.testing.assert_array_equal(found["x"], position.values)
    sessions = nap.IntervalSet([0, 40], [20, 60])
    found = from_pynapple(nap.TsGroup(spikes, time_support=minute), position, sessions)
    assert found["session"].values.tolist() == ["1", "2"]
    assert found["activity"].values.sum(axis=0).tolist() == [4, 0]


def test_from_pynapple__faults():
    time = np.arange(100) / 20
    units = nap.TsdFrame(t=time + 0.02, d=np.ones((100, 2)))
    with pytest.raises(ValueError, match="not sampled with the frames"):
        from_pynapple(units, nap.Tsd(t=time, d=np.ones(100)))
    frames = nap.TsdFrame(t=time, d=np.ones((100, 2)), columns=["x", "z"])
    with pytest.raises(ValueError, match=r"frames has columns \['z'\]"):
        from_pynapple(units, frames)


def test_pynapple__not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynapple", None)
    with pytest.raises(ValueError, match=r'pip install "neurodrift\[pynapple\]"'):
        to_pynapple(simulated())


def poses(n=50):
    rng = np.random.default_rng(0)
    return xr.Dataset(
        {
            "position": (("time", "space", "keypoints", "individuals"), rng.random((n, 2, 3, 2))),
            "confidence": (("time", "keypoints", "individuals"), rng.random((n, 3, 2))),
        },
        coords={
            "time": np.arange(n) / 30,
            "space": ["x", "y"],
            "keypoints": ["nose", "body", "tail"],
            "individuals": ["m1", "m2"],
        },
        attrs={"fps": 30.0, "time_unit": "seconds", "ds_type": "poses", "source_file": "a.csv"},
    )


def test_from_movement__one_keypoint():
    tracks = poses()
    found = from_movement(tracks, keypoint="body", individual="m2", cm_per_unit=2.0)
    np.testing.assert_array_equal(found.xy, tracks["position"].values[:, :, 1, 1] * 2)
    np.testing.assert_array_equal(found.time, tracks["time"])
    sure = from_movement(
        tracks, keypoint="body", individual="m2", cm_per_unit=2.0, min_confidence=0.5
    )
    lost = tracks["confidence"].values[:, 1, 1] < 0.5
    np.testing.assert_array_equal(np.isnan(sure.xy[:, 0]), lost)


def test_from_movement__faults():
    with pytest.raises(ValueError, match="several keypoints; name one of nose, body, tail"):
        from_movement(poses(), individual="m1", cm_per_unit=1.0)
    frames = poses().assign_coords(time=np.arange(50)).assign_attrs(time_unit="frames")
    with pytest.raises(ValueError, match="has no clock"):
        from_movement(frames, keypoint="nose", individual="m1", cm_per_unit=1.0)
    found = from_movement(frames, keypoint="nose", individual="m1", cm_per_unit=1.0, rate=30.0)
    np.testing.assert_array_equal(found.time, np.arange(50) / 30)


@pytest.mark.parametrize("kind", ["events", "deconvolved"])
def test_movement__there_and_back(kind):
    recording = simulated(kind)
    found = from_movement(to_movement(recording), cm_per_unit=1.0)
    np.testing.assert_array_equal(found.xy[:, 0], recording["x"])
    np.testing.assert_array_equal(found.time, recording["time"])
    if "y" in recording:
        np.testing.assert_array_equal(found.xy[:, 1], recording["y"])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dimensionality", ["1D", "2D"])
def test_from_ratinabox__agent_and_place_cells(dimensionality):
    pytest.importorskip("ratinabox")
    from ratinabox.Agent import Agent
    from ratinabox.Environment import Environment
    from ratinabox.Neurons import PlaceCells

    from neurodrift.convert.bridges.ratinabox import from_ratinabox

    np.random.seed(0)  # noqa: NPY002  RatInABox draws from NumPy's global generator
    agent = Agent(Environment({"dimensionality": dimensionality}), {"dt": 0.05})
    cells = PlaceCells(agent, {"n": 4, "max_fr": 15})
    for _ in range(400):
        agent.update()
        cells.update()
    found = from_ratinabox(cells, session="s")
    np.testing.assert_array_equal(found["activity"], np.array(cells.history["spikes"]))
    assert found["activity"].values.sum() > 0
    position = 100 * np.array(agent.history["pos"])
    np.testing.assert_array_equal(found["x"], position[:, 0])
    assert ("y" in found) == (dimensionality == "2D")
    assert (found["frame_duration"] == 0.05).all()
    rates = from_ratinabox(cells, values="rates")
    np.testing.assert_array_equal(rates["activity"], np.array(cells.history["firingrate"]))
    assert rates["activity"].attrs["kind"] == "activation"
    agent.update()
    with pytest.raises(ValueError, match="the agent has 401 steps and the neurons 400"):
        from_ratinabox(cells)
