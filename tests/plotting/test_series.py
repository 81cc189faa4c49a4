"""What is drawn is what was given; the look is checked by eye."""

from __future__ import annotations

import numpy as np

from neurodrift import plotting


def test_plot_decay__draws_points_means_and_ceiling():
    axis = plotting.plot_decay(
        np.array([1, 2]),
        np.array([0.8, 0.6]),
        np.array([0.1, 0.1]),
        points=(np.array([1, 1, 2]), np.array([0.7, 0.9, 0.6])),
        ceiling=0.95,
    )
    heights = [line.get_ydata() for line in axis.lines]
    assert any(np.array_equal(y, [0.8, 0.6]) for y in heights)
    assert any(np.array_equal(y, [0.7, 0.9, 0.6]) for y in heights)
    assert any(np.array_equal(y, [0.95, 0.95]) for y in heights)


def test_plot_session_series__draws_the_fit():
    axis = plotting.plot_session_series(np.array([0, 2]), np.array([1.0, 0.6]), fit=(-0.2, 1.0))
    np.testing.assert_allclose(axis.lines[-1].get_ydata(), [1.0, 0.6])


def test_plot_normalized__draws_values_errors_and_fits():
    x = np.array([0.0, 2.0, 4.0])
    value, error = np.array([1.0, 0.9, 0.8]), np.array([0.1, 0.1, 0.2])
    series = {"active": (value, error), "information": (value + 1, None)}
    axis = plotting.plot_normalized(x, series, fits={"active": (-0.05, 1.0)})
    heights = [np.asarray(line.get_ydata(), float) for line in axis.lines]
    assert any(y.shape == (3,) and np.allclose(y, value) for y in heights)
    assert any(y.shape == (2,) and np.allclose(y, [1.0, 0.8]) for y in heights)
    bars = next(box for box in axis.containers if box.get_label() == "active").lines[2][0]
    spans = [np.ptp(segment[:, 1]) for segment in bars.get_segments()]
    np.testing.assert_allclose(spans, 2 * error)
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["active", "information"]
