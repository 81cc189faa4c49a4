"""What is drawn is what was given; the look is checked by eye."""

from __future__ import annotations

import numpy as np
import pytest

from neurodrift import plotting

STEP = np.array([0, 10, 100])


def heights(axis):
    return [np.asarray(line.get_ydata(), dtype=float) for line in axis.lines]


def test_plot_curves__draws_curves_and_bands():
    curves = {"loss": np.array([2.0, 0.2, 0.1]), "other": np.array([1.0, 1.0, 0.5])}
    axis = plotting.plot_curves(STEP, curves, bands={"loss": (np.zeros(3), np.full(3, 3.0))})
    for drawn, expected in zip(heights(axis), curves.values(), strict=True):
        np.testing.assert_array_equal(drawn, expected)
    (band,) = axis.collections
    corners = band.get_paths()[0].vertices
    assert corners[:, 1].min() == 0 and corners[:, 1].max() == 3
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["loss", "other"]


def test_plot_curves__a_logarithmic_axis_leaves_out_step_0():
    axis = plotting.plot_curves(STEP, {"loss": np.array([2.0, 0.2, 0.1])}, log_x=True, log_y=True)
    np.testing.assert_array_equal(axis.lines[0].get_xdata(), [10, 100])
    np.testing.assert_array_equal(axis.lines[0].get_ydata(), [0.2, 0.1])
    assert (axis.get_xscale(), axis.get_yscale()) == ("log", "log")


def test_plot_curves__steps_are_short_numbers():
    axis = plotting.plot_curves(STEP * 10_000, {"loss": np.ones(3)})
    assert axis.xaxis.get_major_formatter()(500_000) == "500k"


def test_plot_runs__every_run_and_the_mean():
    runs = np.array([[1.0, 0.8, np.nan], [1.0, 0.9, 0.7]])
    axis = plotting.plot_runs(STEP, runs, mean=np.nanmean(runs, axis=0))
    for drawn, expected in zip(heights(axis), [*runs, [1.0, 0.85, 0.7]], strict=True):
        np.testing.assert_allclose(drawn, expected)


def test_plot_points__groups_with_error_bars():
    groups = {
        "ours": (np.array([0.01, 0.1]), np.array([2.0, 1.0])),
        "published": (np.array([0.01]), np.array([3.0])),
    }
    bars = {"ours": (np.array([1.0, 0.5]), np.array([4.0, 1.5]))}
    axis = plotting.plot_points(groups, errors=bars, hollow=("published",), log_x=True)
    lines = {line.get_label(): line for line in axis.lines}
    for name, (x, y) in groups.items():
        np.testing.assert_array_equal(lines[name].get_xdata(), x)
        np.testing.assert_array_equal(lines[name].get_ydata(), y)
    assert lines["published"].get_markerfacecolor() == "none"
    (segments,) = (found.get_segments() for found in axis.collections)
    np.testing.assert_allclose([s[:, 1] for s in segments], [[1.0, 4.0], [0.5, 1.5]])


def test_plot_landscape__path_begins_at_the_dot():
    x, y = np.linspace(-1, 2, 7), np.linspace(-1, 1, 5)
    path = np.array([[1.5, 0.5], [1.0, 0.1], [0.5, 0.0]])
    ends = np.array([[0.1, 0.0], [0.2, 0.1]])
    axis = plotting.plot_landscape(x, y, (x[None] * y[:, None]) ** 2, path, ends=ends)
    walk, others, start, end = axis.lines
    np.testing.assert_array_equal(others.get_xydata(), ends)
    np.testing.assert_array_equal(walk.get_xydata(), path)
    np.testing.assert_array_equal(start.get_xydata(), path[:1])
    np.testing.assert_array_equal(end.get_xydata(), path[-1:])


@pytest.mark.parametrize("log", [False, True])
def test_plot_eigenvalues__by_rank(log):
    axis = plotting.plot_eigenvalues({"early": np.array([0.0, 2.0, 1.0, -0.5])}, log=log)
    expected = [2.0, 1.0] if log else [2.0, 1.0, 0.0, -0.5]
    np.testing.assert_array_equal(axis.lines[0].get_ydata(), expected)
    np.testing.assert_array_equal(axis.lines[0].get_xdata(), np.arange(1, len(expected) + 1))
