from __future__ import annotations

import matplotlib
import numpy as np
import pytest
import xarray as xr

import neurodrift as nd

matplotlib.use("Agg")


@pytest.fixture(scope="module")
def track():
    return nd.testing.linear_track(n_units=16, n_sessions=4, minutes=5, detection=0.8, seed=2)


@pytest.fixture(scope="module")
def results(track):
    return nd.analyze(track, bin_width=4.0, n_repeats=20, n_draws=5)


def test_plot_drift__is_the_mean_of_the_pairs_and_their_ceiling(results):
    ax = nd.plot_drift(results)
    pairs = results["session_drift"]["rate_map_correlation"].values
    drawn = {len(line.get_xdata()): line for line in ax.get_lines()}
    mean = ax.containers[0].lines[0]
    expected = [np.mean([pairs[i, i + lag] for i in range(4 - lag)]) for lag in (1, 2, 3)]
    np.testing.assert_allclose(mean.get_ydata(), expected)
    assert len(drawn[6].get_ydata()) == 6
    ceiling = [line for line in ax.get_lines() if line.get_linestyle() == "--"]
    np.testing.assert_allclose(ceiling[0].get_ydata()[0], np.mean(np.diagonal(pairs)))
    with pytest.raises(ValueError, match="no measure 'x' of pairs; there are active_cell_overlap"):
        nd.plot_drift(results, measure="x")


def test_plot_maps__all_sessions_of_place_cells(results):
    figure = nd.plot_maps(results, direction=-1)
    titles = [ax.get_title().split(" ")[0] for ax in figure.axes if ax.get_title()]
    assert titles == ["1", "2", "3", "4"]
    is_place = results["place_cells"]["is_place_cell"].any("session")
    image = np.ma.filled(figure.axes[0].get_images()[0].get_array().astype(float), np.nan)
    assert len(image) == int(is_place.sum())
    peaks = [np.nanargmax(row) for row in image if np.isfinite(row).any() and np.nanmax(row) > 0]
    assert (np.diff(peaks) >= 0).all()


def test_plot_cells__every_event_of_a_unit_and_lap(track, results):
    figure = nd.plot_cells(results, track, units=[3, 5])
    assert len(figure.axes) == 8
    part = nd.slice_sessions(track)[1]
    lap, x = track["lap"].values[part], track["x"].values[part]
    active = (track["activity"].sel(unit=5).values[part] > 0) & (lap >= 0)
    line = figure.axes[5].get_lines()[0]
    np.testing.assert_array_equal(line.get_xdata(), x[active])
    np.testing.assert_array_equal(line.get_ydata(), lap[active])
    grey = [ax.get_facecolor()[0] < 0.95 for ax in figure.axes]
    missed = ~track["detected"].sel(unit=[3, 5]).values.T.ravel()
    assert grey == missed.tolist()
    chosen = {ax.get_ylabel() for ax in nd.plot_cells(track, results, n_units=3).axes}
    often = results["place_cells"]["is_place_cell"].sum("session")
    least = sorted(often.values)[-3]
    for text in chosen - {""}:
        assert int(often.sel(unit=int(text.split()[1]))) >= least
    with pytest.raises(ValueError, match="no unit 99"):
        nd.plot_cells(track, results, units=[99])


def test_plot_cells__either_order_and_of_results_alone(track, results):
    one, other = nd.plot_cells(track, results, units=[3]), nd.plot_cells(results, track, units=[3])
    for a, b in zip(one.axes, other.axes, strict=True):
        np.testing.assert_array_equal(a.get_lines()[0].get_xdata(), b.get_lines()[0].get_xdata())
    node = results["lap_maps"].to_dataset()
    label = node["unit"].values[0]
    figure = nd.plot_cells(results, n_units=1)
    assert len(figure.axes) == 4 and str(label) in figure.axes[0].get_ylabel()
    own = node["rate"].sel(unit=label).isel(segment=node["session"].values == "2")
    image = np.ma.filled(figure.axes[1].get_images()[0].get_array().astype(float), np.nan)
    expected = own.max("direction").transpose("segment", "position").values
    np.testing.assert_allclose(image, expected, rtol=1e-6)
    other = next(u for u in track["unit"].values if u not in node["unit"].values)
    with pytest.raises(ValueError, match="give the recording too"):
        nd.plot_cells(results, units=[other])
    with pytest.raises(TypeError, match="results"):
        nd.plot_cells(track)


def test_plot_drift__axes_of_days_sessions_and_steps(results):
    days = nd.plot_drift(results)
    assert days.get_xlabel() == "lag [days]"
    np.testing.assert_array_equal(days.containers[0].lines[0].get_xdata(), [2, 4, 6])
    np.testing.assert_array_equal(days.get_xticks(), [2, 4, 6])
    day = np.array([0.0, 1.0, 3.0, 7.0])  # means over lags of 1, 2 and 3 sessions: 2.33, 4.5, 7
    uneven = results.copy()
    dims = ("session_a", "session_b")
    drift = results["session_drift"].to_dataset()
    lag = (dims, day[None, :] - day[:, None])
    uneven["session_drift"] = xr.DataTree(drift.assign_coords(lag_day=lag))
    ax = nd.plot_drift(uneven)
    assert 4.5 in ax.containers[0].lines[0].get_xdata()
    ticks = ax.get_xticks()
    np.testing.assert_array_equal(ticks, np.round(ticks))
    sessions = nd.plot_drift(results, axis="session")
    assert sessions.get_xlabel() == "lag [sessions]"
    np.testing.assert_array_equal(sessions.containers[0].lines[0].get_xdata(), [1, 2, 3])
    with pytest.raises(ValueError, match="sessions have no training_step: axis may be"):
        nd.plot_drift(results, axis="training_step")
    network = nd.plot_drift(nd.analyze(nd.load_example("network"), measures=["drift"]))
    assert network.get_xlabel() == "lag [training steps]"
    assert not [line for line in network.get_lines() if line.get_linestyle() == "--"]


def test_pictures__labels_of_many_sessions_stand_apart():
    many = nd.testing.linear_track(n_units=6, n_sessions=24, minutes=0.5)
    many = many.assign_coords(session=[f"2024-03-{i + 1:02d}" for i in range(24)])
    results = nd.analyze(many, measures=["sparsity", "sessions"])
    for figure in (nd.plot_registration(results).figure, nd.plot_series(results)):
        figure.set_layout_engine("none")
        figure.canvas.draw()
        for ax in figure.axes:
            shown = [t for t in ax.get_xticklabels() if t.get_text()]
            low, high = ax.get_xlim()
            inside = [t for t in shown if low <= t.get_position()[0] <= high]
            at = [t.get_window_extent().x0 for t in inside]
            turned = inside[0].get_rotation() > 0
            wide = max(t.get_window_extent().width for t in inside)
            assert 1 < len(inside) <= 10
            assert min(np.diff(at)) > (8 if turned else wide)


def test_plot_series__values_errors_and_slopes(results):
    figure = nd.plot_series(results)
    assert [ax.get_ylabel() for ax in figure.axes] == [
        "fraction of active units",
        "fraction of place cells",
        "information [bit/event]",
    ]
    for ax, name in zip(
        figure.axes, ("fraction_active_units", "fraction_place_cells"), strict=False
    ):
        np.testing.assert_allclose(
            ax.containers[0].lines[0].get_ydata(), results["sessions"][name].values
        )
        x, y = ax.get_lines()[-1].get_data()
        slope = results["regression"]["slope"].sel(measure=name, predictor="day")
        np.testing.assert_allclose((y[1] - y[0]) / (x[1] - x[0]), float(slope))


def test_plot_registration__tells_missed_from_silent(track, results):
    ax = nd.plot_registration(results)
    state = ax.get_images()[0].get_array()
    detected = track["detected"].values.T
    assert (state == 0).sum() == (~detected).sum()
    n_found = [(row > 0).sum() for row in state]
    assert n_found == sorted(n_found, reverse=True)
    assert ax.get_title() == f"{int(detected.all(axis=1).sum())} of 16 units in every session"


def test_pictures__refuse_what_is_no_result(track):
    for draw in (nd.plot_maps, nd.plot_drift, nd.plot_series, nd.plot_registration):
        with pytest.raises(TypeError, match="results"):
            draw(track)
    bare = nd.analyze(track, measures=["sparsity"])
    with pytest.raises(ValueError, match="no session_drift and no drift"):
        nd.plot_drift(bare)


def test_pictures__of_a_network():
    network = nd.load_example("network")
    results = nd.analyze(network)
    assert nd.plot_series(results).axes[0].get_xlabel() == "training step"
    assert len(nd.plot_maps(results).axes) == 8
    assert len(nd.plot_cells(network, results, n_units=1).axes) == 7
