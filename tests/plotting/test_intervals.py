from __future__ import annotations

import numpy as np

from neurodrift import plotting


def test_plot_intervals__draws_every_estimate_and_its_ends():
    groups = {
        "noise": (np.array([0.1, 0.3]), np.array([0.0, 0.2]), np.array([0.2, 0.4])),
        "none": (np.array([0.0, np.nan]), np.array([-0.1, np.nan]), np.array([0.1, np.nan])),
    }
    axis = plotting.plot_intervals(["first", "second"], groups, label="slope")
    points = [line for line in axis.lines if line.get_label() in groups]
    for line, bars, (estimate, low, high) in zip(
        points, axis.collections, groups.values(), strict=True
    ):
        np.testing.assert_array_equal(line.get_xdata(), estimate)
        for segment, left, right, height in zip(
            bars.get_segments(), low, high, line.get_ydata(), strict=True
        ):
            ends = [[left, height], [right, height]] if np.isfinite(left) else np.empty((0, 2))
            np.testing.assert_array_equal(np.reshape(segment, (-1, 2)), ends)
    assert [text.get_text() for text in axis.get_yticklabels()] == ["first", "second"]
    bottom, top = axis.get_ylim()
    assert bottom > top  # the first row is the upper one
    # the row's groups lie beside each other, nearer to it than to the next
    assert all(np.abs(line.get_ydata() - [0, 1]).max() < 0.5 for line in points)


def test_plot_intervals__reference_line_and_legend_are_optional():
    ends = (np.array([1.0]), np.array([0.5]), np.array([1.5]))
    axis = plotting.plot_intervals(["a"], {"only": ends}, reference=None)
    assert axis.get_legend() is None and len(axis.lines) == 1
