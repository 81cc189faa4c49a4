from __future__ import annotations

import numpy as np
import pytest

from neurodrift import plotting
from neurodrift.plotting import PALETTE


def paths(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(*shape, 3)).cumsum(axis=-2)


def lines(ax, width: float) -> list[np.ndarray]:
    """Paths that are drawn with a line of this width."""
    return [
        line.get_xydata()
        for line in ax.get_lines()
        if line.get_linewidth() == width and line.get_linestyle() == "-"
    ]


def test_plot_trajectories__draws_the_first_two_factors_of_each_type():
    given = paths(2, 12)
    given[1, 9:] = np.nan
    ax = plotting.plot_trajectories(given, names=["4", "5"], title="k = 3")
    drawn = lines(ax, 1.6)
    np.testing.assert_array_equal(drawn[0], given[0, :, :2])
    np.testing.assert_array_equal(drawn[1], given[1, :9, :2])
    ends = {line.get_label(): line for line in ax.get_lines()}
    np.testing.assert_array_equal(ends["5"].get_xydata(), given[1, 8:9, :2])
    assert ends["4"].get_color() == PALETTE[0] and ends["5"].get_color() == PALETTE[1]
    assert ends["4"].get_marker() != ends["5"].get_marker()
    assert ax.get_title() == "k = 3" and ax.get_xlabel() == "factor 1"


def test_plot_trajectories__pale_where_few_trials_run():
    given = paths(1, 6)
    counts = np.array([[8, 8, 5, 4, 3, 1]])
    ax = plotting.plot_trajectories(given, n_trials=counts)
    np.testing.assert_array_equal(lines(ax, 1.6)[0], given[0, :4, :2])
    np.testing.assert_array_equal(lines(ax, 0.6)[0], given[0, :, :2])
    assert not plotting.plot_trajectories(np.full((1, 4, 2), np.nan)).get_lines()


def test_plot_trajectory_row__common_limits_and_one_legend():
    given = paths(3, 2, 10) * np.array([1, 5, 1])[:, None, None, None]
    axes = plotting.plot_trajectory_row(given, ["a", "b", "c"], names=["left", "right"])
    assert [ax.get_title() for ax in axes] == ["a", "b", "c"]
    assert len({ax.get_xlim() for ax in axes}) == len({ax.get_ylim() for ax in axes}) == 1
    low, high = axes[0].get_xlim()
    assert low < given[..., 0].min() and high > given[..., 0].max()
    assert axes[0].get_legend() is not None and axes[1].get_legend() is None
    for ax, session in zip(axes, given, strict=True):
        np.testing.assert_array_equal(lines(ax, 1.6)[1], session[1, :, :2])
    again = plotting.plot_trajectory_row(given[:2], ["x", "y"], axes=axes[:2])
    assert again == axes[:2] and axes[1].get_title() == "y"


def test_plot_trajectory_row__bad_input():
    with pytest.raises(ValueError, match="there are 2 titles, but 3 sessions"):
        plotting.plot_trajectory_row(paths(3, 2, 10), ["a", "b"])
    with pytest.raises(ValueError, match="there are 1 axes, but 2 sessions"):
        plotting.plot_trajectory_row(
            paths(2, 2, 10), ["a", "b"], axes=[plotting.plot_trajectories(paths(1, 3))]
        )


def test_plot_stability__measures_with_accuracy_beside():
    x = np.arange(1, 5)
    course = {"r²": np.array([1, 0.6, 0.4, np.nan]), "determination": np.array([1, 0, -1, -9.0])}
    accuracy = np.array([0.9, 0.8, np.nan, 0.85])
    ax = plotting.plot_stability(x, course, accuracy=accuracy, reference=1, chance=0.5)
    drawn = {line.get_label(): line.get_ydata() for line in ax.get_lines()}
    for name, values in (course | {"accuracy": accuracy}).items():
        np.testing.assert_array_equal(drawn[name], values)
    assert ax.get_ylim() == (-1.05, 1.05)  # what is far below is cut, not squeezing the rest
    assert [text.get_text() for text in ax.get_legend().get_texts()][-1] == "accuracy of a guess"
    assert plotting.plot_stability(x, {"r²": accuracy}).get_ylim() == (-0.05, 1.05)
