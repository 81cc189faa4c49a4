from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_rgba

from neurodrift.plotting import PALETTE, plot_box_maps, plot_map_labels


def _rate():
    at = [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0)]  # bin (2, 1) was not visited
    values = np.arange(10.0).reshape(1, 2, 5)
    return xr.DataArray(
        np.concatenate([values, values + 1]),
        dims=("session", "unit", "position"),
        coords={
            "session": ["a", "b"],
            "unit": [7, 9],
            "x_bin": ("position", [5.0 * i + 2.5 for i, _ in at]),
            "y_bin": ("position", [5.0 * j + 2.5 for _, j in at]),
        },
        attrs={"units": "Hz"},
    )


def test_plot_box_maps__bins_lie_where_they_are():
    figure = plot_box_maps(_rate(), units=[9])
    (image,) = figure.axes[0].images
    drawn = np.ma.filled(image.get_array(), np.nan)  # rows are y from below, columns x
    np.testing.assert_array_equal(drawn, [[5, 7, 9], [6, 8, np.nan]])
    assert image.get_extent() == [0, 15, 0, 10]
    assert image.get_clim() == figure.axes[1].images[0].get_clim() == (0, 10)
    assert figure.axes[1].get_title(loc="right") == "10.0 Hz"


def test_plot_box_maps__outline_is_around_the_field():
    rate = _rate()
    fields = xr.zeros_like(rate)
    fields[0, 0, 0] = 1  # one bin of 5 by 5 cm in the corner
    figure = plot_box_maps(rate, fields=fields, units=[7])
    lines = {tuple(map(tuple, line.get_xydata())) for line in figure.axes[0].lines}
    assert lines == {
        ((0, 0), (0, 5)),
        ((5, 0), (5, 5)),
        ((0, 0), (5, 0)),
        ((0, 5), (5, 5)),
    }
    assert not figure.axes[1].lines


def test_plot_box_maps__refuses_tracks():
    with pytest.raises(ValueError, match="plot_rate_maps for a track"):
        plot_box_maps(_rate().drop_vars("y_bin"))


def test_plot_map_labels__every_segment_has_the_colour_of_its_map():
    similarity = xr.DataArray(
        np.eye(4), dims=("segment", "other"), coords={"session": ("segment", list("aabb"))}
    )
    ax = plot_map_labels(similarity, xr.DataArray([1, 2, 0, 1], dims="segment"))
    strips = [line for line in ax.lines if len(line.get_xdata()) == 2 and line.get_ydata()[0] < -1]
    found = {int(np.mean(line.get_xdata())): to_rgba(line.get_color()) for line in strips}
    expected = {0: PALETTE[0], 1: PALETTE[1], 2: "0.6", 3: PALETTE[0]}
    assert found == {k: to_rgba(colour) for k, colour in expected.items()}
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["unknown", "map 1", "map 2"]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["a", "b"]
