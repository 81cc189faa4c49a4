from __future__ import annotations

import numpy as np
import pytest

from neurodrift import compute_half_maps, compute_relations, plot_relations, testing


def test_plot_relations__has_the_means_of_each_lag() -> None:
    halves = compute_half_maps(testing.linear_track(n_units=30, n_sessions=3))
    found = compute_relations(halves, n_draws=3)
    ax = plot_relations(found)
    line = ax.get_lines()[0]
    values = found["structure_relative"].values
    assert line.get_xdata().tolist() == [1, 2]
    expected = [(values[0, 1] + values[1, 2]) / 2, values[0, 2]]
    np.testing.assert_allclose(line.get_ydata(), expected)
    with pytest.raises(ValueError, match="compute_relations"):
        plot_relations(halves)
