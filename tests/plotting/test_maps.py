"""What is drawn is what was given; the look is checked by eye."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import neurodrift as nd
from neurodrift import plotting


@pytest.fixture(scope="module")
def rate():
    recording = nd.testing.linear_track(n_units=5, n_sessions=3, minutes=3, detection=0.7)
    return nd.compute_rate_maps(recording, smoothing=4.0)["rate"].sel(direction=1, drop=True)


def test_plot_rate_maps__panels_hold_the_maps_over_their_peak(rate):
    order = nd.order_by_peak(rate.isel(session=0))
    figure = plotting.plot_rate_maps(rate, order=order)
    panels = [axis.images[0] for axis in figure.axes[:3]]
    for panel, session in zip(panels, rate["session"].values, strict=True):
        expected = rate.sel(session=session, unit=order).values
        with np.errstate(invalid="ignore", divide="ignore"):
            peak = np.nanmax(np.where(np.isfinite(expected), expected, -1), axis=1, keepdims=True)
            expected = np.where(peak > 0, expected / peak, np.nan)
        drawn = np.ma.filled(panel.get_array().astype(float), np.nan)
        np.testing.assert_allclose(drawn, expected)


def test_plot_rate_maps__many_sessions_are_thinned(rate):
    many = xr.concat([rate.isel(session=[0])] * 20, dim="session")
    many["session"] = [str(i) for i in range(20)]
    figure = plotting.plot_rate_maps(many, max_sessions=4)
    assert [axis.get_title().split()[0] for axis in figure.axes[:4]] == ["0", "6", "13", "19"]


def test_plot_rate_maps__one_unit_one_session(rate):
    assert len(plotting.plot_rate_maps(rate.isel(unit=[0], session=[0])).axes) == 2


def test_plot_rate_maps__directions_must_be_chosen():
    maps = nd.compute_rate_maps(nd.testing.linear_track(n_units=2, n_sessions=1, minutes=2))
    with pytest.raises(ValueError, match="one direction"):
        plotting.plot_rate_maps(maps["rate"])


def test_plot_drift_matrix__draws_the_matrix_with_its_labels():
    values = np.array([[1.0, 0.5], [0.5, np.nan]])
    matrix = xr.DataArray(values, dims=("session_a", "session_b"), coords={"session_a": ["x", "y"]})
    axis = plotting.plot_drift_matrix(matrix)
    np.testing.assert_array_equal(np.ma.filled(axis.images[0].get_array(), np.nan), values)
    assert [text.get_text() for text in axis.get_xticklabels()] == ["x", "y"]
    with pytest.raises(ValueError, match="matrix"):
        plotting.plot_drift_matrix(matrix.isel(session_a=0))


def test_plot_sorted_maps__row_is_sorted_by_its_session(rate):
    orders = {name: nd.order_by_peak(rate.sel(session=name)) for name in ("1", "3")}
    figure = plotting.plot_sorted_maps(rate, orders)
    panels = np.array(figure.axes[:4]).reshape(2, 2)
    for row, order in zip(panels, orders.values(), strict=True):
        for panel, session in zip(row, orders, strict=True):
            expected = rate.sel(session=session, unit=order)
            peak = expected.max("position")
            drawn = np.ma.filled(panel.images[0].get_array().astype(float), np.nan)
            np.testing.assert_allclose(drawn, (expected / peak.where(peak > 0)).values)
    assert [panel.get_title() for panel in panels[0]] == ["1 (day 0)", "3 (day 4)"]


def test_plot_sorted_maps__titles_of_snapshots_are_short(rate):
    rate = rate.drop_vars("day").assign_coords(training_step=("session", [0, 50_000, 2_000_000]))
    orders = {name: rate["unit"].values for name in rate["session"].values}
    figure = plotting.plot_sorted_maps(rate, orders)
    assert [axis.get_title() for axis in figure.axes[:3]] == ["step 0", "step 50k", "step 2M"]
