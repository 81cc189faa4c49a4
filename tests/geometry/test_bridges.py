"""The geometry goes along to other libraries and back."""

from __future__ import annotations

import numpy as np
import pytest

import neurodrift as nd
from neurodrift.geometry import circular, geometry_of, t_maze


def recorded(shape, x):
    counts = np.random.default_rng(0).poisson(0.1, (x.size, 3))
    return nd.recording_from_arrays(
        counts, kind="spikes", frame_duration=0.05, x=x, geometry=shape, subject="m"
    )


def test_pynapple__keeps_the_geometry():
    pytest.importorskip("pynapple")
    shape = circular(unit="deg", variable="head direction")
    recording = recorded(shape, np.random.default_rng(1).uniform(0, 360, 400))
    back = nd.from_pynapple(**nd.to_pynapple(recording))
    assert geometry_of(back) == shape
    assert back["x"].attrs["units"] == "deg"
    parts = nd.to_pynapple(recorded(circular(360), recording["x"].values))
    assert geometry_of(nd.from_pynapple(**parts, geometry=shape)) == shape


def test_movement__a_maze_lies_in_the_plane():
    arms = nd.geometry.arms.arms_of(t_maze(80, 60))
    recording = recorded(t_maze(80, 60), np.array([0.0, 40.0, 80.0, 120.0, 220.0]))
    tracks = nd.to_movement(recording)
    found = tracks["position"].values[:, :, 0, 0]
    np.testing.assert_allclose(found, [[0, 0], [0, 40], [0, 80], [-30, 80], [60, 80]])
    np.testing.assert_allclose(found, arms.plane(recording["x"].values))
    angle = recorded(circular(unit="deg", variable="head direction"), np.arange(5.0))
    with pytest.raises(ValueError, match="head direction"):
        nd.to_movement(angle)
