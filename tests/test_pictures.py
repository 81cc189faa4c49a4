from __future__ import annotations

import matplotlib
import numpy as np
import pytest

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
    figure = nd.plot_cells(track, results, units=[3, 5])
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
