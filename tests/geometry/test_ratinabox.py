"""RatInABox agents in each geometry."""

from __future__ import annotations

import numpy as np
import pytest

import neurodrift as nd
from neurodrift.geometry import geometry_of, vr

pytestmark = pytest.mark.filterwarnings("ignore:Warning. You have solid")
ratinabox = pytest.importorskip("ratinabox")


def population(params, *, minutes=10.0, seed=0, widths=0.1, centres=None, drift=None):
    from ratinabox.Agent import Agent
    from ratinabox.Environment import Environment
    from ratinabox.Neurons import PlaceCells

    np.random.seed(seed)  # noqa: NPY002, which RatInABox draws from
    environment = Environment(params)
    agent = Agent(environment, {"dt": 0.05, "speed_mean": 0.25})
    cells = PlaceCells(
        agent,
        {
            "n": len(centres),
            "place_cell_centres": np.array(centres),
            "widths": widths,
            "max_fr": 8.0,
            "description": "gaussian",
            "wall_geometry": "euclidean",
        },
    )
    way = 1
    for _ in range(round(minutes * 60 / 0.05)):
        if drift == "shuttle":
            way = -1 if agent.pos[0] > 1.7 else 1 if agent.pos[0] < 0.1 else way
        speed = None if drift is None else np.array([0.25 * way])
        agent.update(**({} if drift is None else {"drift_velocity": speed}))
        cells.update()
    return nd.from_ratinabox(cells)


def centres_found(recording, width=4.0):
    binning = nd.Binning(bin_width=width, directions=False)
    maps = nd.compute_rate_maps(recording, binning=binning, smoothing=width)
    fields = nd.detect_place_fields(maps)
    return fields.sel(field_number=1).isel(session=0, direction=0)


def test_circle__agent_runs_round_a_periodic_line():
    centres = [[0.02], [0.5], [1.2], [1.78]]
    shape = {"dimensionality": "1D", "scale": 1.8, "boundary_conditions": "periodic"}
    recording = population(shape, centres=centres, drift="forward")
    assert str(geometry_of(recording)) == "circular, 180 cm"
    assert recording["speed"].values.max() < 150
    x = centres_found(recording)["x_centre"].values
    away = np.abs(x - 100 * np.ravel(centres))
    assert np.minimum(away, 180 - away).max() < 4


def test_corridor__agent_is_put_back_at_its_end():
    centres = [[0.3], [0.9], [1.5]]
    shape = {"dimensionality": "1D", "scale": 1.8, "boundary_conditions": "periodic"}
    recording = population(shape, centres=centres, drift="forward")
    corridor = nd.kinematics.running(recording.assign_attrs(geometry=vr(180).to_json()))
    assert corridor["speed"].values.max() < 150
    forward = (corridor["direction"] == 1).mean()
    assert forward > 0.8
    lap = nd.kinematics.number_laps(corridor)["lap"].values
    assert lap.max() == (np.diff(corridor["x"].values) < -90).sum()
    x = centres_found(corridor)["x_centre"].values
    assert np.abs(x - 100 * np.ravel(centres)).max() < 4


def test_line__agent_runs_to_and_fro():
    centres = [[0.3], [0.8], [1.5]]
    shape = {"dimensionality": "1D", "scale": 1.8}
    recording = population(shape, centres=centres, drift="shuttle")
    assert geometry_of(recording).kind == "linear"
    x = centres_found(recording)["x_centre"].values
    assert np.abs(x - 100 * np.ravel(centres)).max() < 4


def test_field__agent_in_a_box_and_in_a_polygon():
    corners = [[0, 0], [0.8, 0], [0.8, 0.4], [0.4, 0.4], [0.4, 0.8], [0, 0.8]]
    centres = [[0.2, 0.6], [0.6, 0.2]]
    recording = population({"boundary": corners}, centres=centres, minutes=20)
    shape = geometry_of(recording)
    assert shape.shape == "polygon" and len(shape.outline) == 6
    found = centres_found(recording)
    place = np.column_stack([found["x_centre"], found["y_centre"]])
    assert np.abs(place - 100 * np.array(centres)).max() < 4
    box = population({"scale": 0.6}, centres=[[0.3, 0.3]], minutes=1)
    assert geometry_of(box).outline[2] == pytest.approx((60, 60))


def test_torus__is_refused():
    with pytest.raises(ValueError, match="torus"):
        population({"boundary_conditions": "periodic"}, centres=[[0.5, 0.5]], minutes=0.2)


def test_graph__agent_in_a_corridor_shaped_like_a_t():
    pytest.importorskip("track_linearization")
    # Walls 10 cm apart around a T with a stem of 80 cm and arms of 60 cm.
    corners = [[0.55, 0], [0.65, 0], [0.65, 0.75], [1.2, 0.75], [1.2, 0.85], [0, 0.85]]
    corners += [[0, 0.75], [0.55, 0.75]]
    centres = [[0.6, 0.4], [0.3, 0.8], [0.9, 0.8]]
    plane = population({"boundary": corners}, centres=centres, minutes=25, seed=3)
    nodes = {"home": (60, 0), "junction": (60, 80), "left": (0, 80), "right": (120, 80)}
    edges = [("home", "junction"), ("junction", "left"), ("junction", "right")]
    maze = nd.geometry.graph(nodes, edges)
    recording = nd.kinematics.running(nd.geometry.linearize(plane, maze))
    arms = nd.geometry.arms.arms_of(maze)
    x = centres_found(recording)["x_centre"].values
    assert np.hypot(*(arms.plane(x) - 100 * np.array(centres)).T).max() < 5
