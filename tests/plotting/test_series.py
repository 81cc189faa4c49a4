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
