"""Pictures of each geometry, without a browser: what is drawn is what was computed."""

from __future__ import annotations

import numpy as np
import pytest

import neurodrift as nd
from neurodrift.geometry import category, circular, t_maze
from neurodrift.viewer.cells import Cells

pytest.importorskip("bokeh", reason="the extra view is not installed")
from neurodrift.viewer import _figures as figures


def images(plot):
    """Values of the images of a picture."""
    found = []
    for renderer in plot.renderers:
        if type(renderer.glyph).__name__ == "Image":
            found.append(np.asarray(renderer.data_source.data["image"][0]))
    return found


def on(shape, x):
    counts = np.random.default_rng(0).poisson(0.3, (x.size, 4)).astype(np.uint8)
    return nd.recording_from_arrays(
        [counts, counts[::-1].copy()],
        kind="events",
        frame_duration=0.05,
        x=[x, x],
        day=[0, 1],
        geometry=shape,
    )


def arms_walked():
    arms = nd.geometry.arms.arms_of(t_maze(80, 60))
    ways = [s + np.linspace(0, n, 400) for s, n in zip(arms.starts, arms.lengths, strict=True)]
    return np.concatenate(ways)


@pytest.mark.parametrize(
    ("shape", "x", "binning", "n_images"),
    [
        (circular(180), np.arange(4000) * 0.7 % 180, nd.Binning(), 1),
        (t_maze(80, 60), arms_walked(), nd.Binning(directions=False), 3),
        (category(["rose", "mint"], variable="odour"), np.arange(900.0) % 2, nd.Binning(), 2),
    ],
    ids=["circle", "maze", "odours"],
)
def test_figures__of_each_geometry(shape, x, binning, n_images):
    cells = Cells(None, on(shape, x), binning=binning)
    for k, plot in enumerate(figures.maps_of_days(cells, 1, 0)):
        drawn = images(plot)
        assert len(drawn) == n_images
        np.testing.assert_array_equal(
            np.concatenate(drawn, axis=1), cells.maps(1).isel(direction=k).values
        )
    pair = cells.pair(0, 1)
    rows = figures.pair_maps(pair, ("0", "1"), "1", "cell")
    assert len(rows) == pair.a.sizes["direction"] and len(rows[0]) == 3
    assert images(rows[0][2])[0].shape == (pair.a.sizes["position"],) * 2
    figures.raster(cells.raster(1, 0))
    assert len(figures.drift(cells.curve(), cells.correlations(1), cells, 1)) == 1


def test_figures__of_a_box_and_of_silent_and_missed_cells():
    box = nd.testing.open_field(n_units=4, n_sessions=2, minutes=2)
    box = box.assign(activity=box["activity"] * (box["unit"] != 2).astype(np.uint8))
    box["activity"].attrs["kind"] = "events"
    box["detected"].values[1, 3] = False
    box = box.assign(
        activity=box["activity"]
        .where(~((box["session_index"] == 1) & (box["unit"] == 3)), 0)
        .astype(np.uint8)
    )
    box["activity"].attrs |= {"kind": "events", "units": "count"}
    cells = Cells(None, box)
    for unit in range(4):
        plots = figures.maps_of_days(cells, unit, 0)
        assert len(plots) == 2
        values = cells.maps(unit).isel(session=0, direction=0)
        drawn = images(plots[0])[0]
        assert np.nansum(drawn) == pytest.approx(float(np.nansum(values)))
    assert "not detected" in figures.maps_of_days(cells, 3, 0)[1].title.text
    assert np.isnan(images(figures.maps_of_days(cells, 3, 0)[1])[0]).all()
    pair = cells.pair(0, 1)
    assert 3 not in pair.a["unit"].values
    figures.pair_maps(pair, ("0", "1"), "1", "cell")
    figures.maps_of_pair(cells, 2, (0, 1))
