"""Plots and report of each geometry."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import neurodrift as nd
from neurodrift.geometry import category, circular, field, t_maze
from neurodrift.plotting._geometry import axis_label, lines_of, stretches
from neurodrift.report.data import _shape
from neurodrift.report.methods import _maps
from neurodrift.report.view import View

sys.path.insert(0, str(Path(__file__).parent))
import animals


def maps_of(shape, x, y=None, width=4.0):
    recording = nd.recording_from_arrays(
        animals.events(np.full((len(x), 3), 3.0), 0),
        kind="spikes",
        frame_duration=1 / animals.RATE,
        x=x,
        y=y,
        geometry=shape,
    )
    binning = nd.Binning(bin_width=width, directions=False)
    return nd.compute_rate_maps(recording, binning=binning, smoothing=width)


@pytest.fixture(scope="module")
def belt():
    return maps_of(circular(180), np.arange(9000) * 0.7 % 180)


@pytest.fixture(scope="module")
def maze():
    arms = nd.geometry.arms.arms_of(t_maze(80, 60))
    ways = [s + np.linspace(0, n, 150) for s, n in zip(arms.starts, arms.lengths, strict=True)]
    return maps_of(t_maze(80, 60), np.concatenate(ways))


def test_axis__says_what_is_mapped(belt):
    assert axis_label(belt) == "position [cm]"
    shape = circular(unit="deg", variable="head direction")
    angle = maps_of(shape, np.arange(9000.0) % 360, width=12)
    assert axis_label(angle) == "head direction [deg]"
    odours = maps_of(category(["rose", "mint"], variable="odour"), np.arange(900) % 2, width=1)
    assert axis_label(odours) == "odour"
    figure = nd.plotting.plot_rate_maps(odours["rate"].isel(direction=0))
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == ["rose", "mint"]


def test_rate_maps__circle_goes_from_end_to_end_and_marks_its_seam(belt):
    figure = nd.plotting.plot_rate_maps(belt["rate"].isel(direction=0))
    axis = figure.axes[0]
    assert axis.get_xlim() == (0, 180)
    assert [line.get_xdata()[0] for line in axis.lines] == [0, 180]


def test_rate_maps__arms_stand_apart_with_their_names(maze):
    found = stretches(maze["rate"])
    assert [(low, high) for _, low, high in found] == [(0, 80), (90, 150), (160, 220)]
    figure = nd.plotting.plot_rate_maps(maze["rate"].isel(direction=0))
    assert len(figure.axes[0].images) == 3
    names = [text.get_text() for text in figure.axes[0].get_xticklabels()]
    assert names == ["home-junction", "junction-left", "junction-right"]


def test_track_maps__bins_lie_where_they_are(belt, maze):
    lines = lines_of(maze["rate"])
    assert lines[0, 0] == pytest.approx((0, 0)) and lines[-1, -1] == pytest.approx((60, 80))
    ring = lines_of(belt["rate"])
    assert np.hypot(*ring.reshape(-1, 2).T) == pytest.approx(1)
    np.testing.assert_allclose(ring[-1, -1], ring[0, 0], atol=1e-12)
    for maps in (belt, maze):
        figure = nd.plotting.plot_track_maps(maps["rate"].isel(direction=0), max_units=2)
        assert len(figure.axes) == 2
        drawn = figure.axes[0].collections[1].get_array()
        np.testing.assert_array_equal(drawn, maps["rate"].values[0, 0, 0])
    with pytest.raises(ValueError, match="expected a maze"):
        linear = nd.compute_rate_maps(nd.testing.linear_track(n_units=2, minutes=1))
        nd.plotting.plot_track_maps(linear["rate"].isel(direction=0))


def test_box_maps__outline_is_drawn():
    places = animals.box(60.0, 4.0, 1)
    shape = field("circle", [(30, 30), (75, 30)])
    maps = maps_of(shape, places[:, 0], places[:, 1])
    figure = nd.plotting.plot_box_maps(maps["rate"].isel(direction=0), max_units=1)
    line = figure.axes[0].lines[0].get_xydata()
    assert np.hypot(*(line - 30).T) == pytest.approx(45)
    assert "90 x 90 cm" in figure.axes[0].get_xlabel()


def test_report__holds_what_the_drawing_needs(belt, maze):
    found = _shape(belt)
    assert found["round"] and found["ends"] == [0, 180] and found["unit"] == "cm"
    found = _shape(maze)
    assert len(found["lines"]) == maze.sizes["position"] == len(found["parts"])
    assert found["lines"][0][:2] == [0, 0]


def test_report__methods_say_the_geometry():
    days = []
    for day in range(2):
        n = 9000
        x = np.cumsum(animals.speeds(n, day)) / animals.RATE % 180
        rates = animals.on_circle(x, list(np.linspace(5, 175, 6)), 180)
        days.append(
            nd.recording_from_arrays(
                animals.events(rates, day),
                kind="spikes",
                time=np.arange(n) / animals.RATE,
                x=x,
                geometry=circular(180),
                session=[str(day)],
                day=[day],
                subject="m",
            )
        )
    results = nd.analyze(nd.join_sessions(days))
    text = _maps(View("r0", "m", results))
    assert "The track is round, 180 cm long. Position was divided into 45 bins of 4 cm" in text
    assert "The animal ran forwards" in text and "also across the seam" in text
