from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import neurodrift as nd
from neurodrift.analysis.information.estimates import detect_informative_units, informative_cells
from neurodrift.analysis.maps.binning import Binning
from neurodrift.analysis.nodes.cells import informative_measures
from neurodrift.simulate.gradient.engine import train
from neurodrift.simulate.gradient.networks import Network
from neurodrift.simulate.gradient.tasks import PUBLISHED, predictive_track


def published_information(position, direction, hidden, n_bins=100):
    """The published rule, written out: bins over both directions, mean activity, occupancy."""
    half = np.linspace(position.min(), position.max(), n_bins // 2 + 1)
    # at the lower end itself, which both directions share, the code has the side of direction 1
    place = np.digitize(position, half[1:-1]) + n_bins // 2 * (direction < 0)
    found = np.zeros(hidden.shape[1])
    for unit in range(hidden.shape[1]):
        p, rate = np.zeros(n_bins), np.zeros(n_bins)
        for b in range(n_bins):
            inside = place == b
            p[b] = inside.mean()
            rate[b] = hidden[inside, unit].mean() if inside.any() else 0.0
        mean = (p * rate).sum()
        with np.errstate(divide="ignore", invalid="ignore"):
            found[unit] = np.nansum(p * rate / mean * np.log2(rate / mean))
    return found


@pytest.fixture(scope="module")
def recording():
    run = train(
        predictive_track(**PUBLISHED["predictive_track"]), n_steps=2000, snapshots=[0, 2000]
    )
    return run.recording()


def test_informative_units__equals_the_published_rule(recording):
    x = recording["x"].values
    # away from the edges of bins, which the two sides count into different bins
    recording = recording.assign(x=("time", np.where(x == x.min(), x, x + 1e-6)))
    low, high = recording["x"].values.min(), recording["x"].values.max()
    maps = nd.compute_rate_maps(recording, binning=Binning(edges=np.linspace(low, high, 51)))
    found = detect_informative_units(maps)
    for i, where in enumerate(nd.slice_sessions(recording)):
        hidden = recording["activity"].values[where]
        directions = recording["direction"].values[where]
        expected = published_information(recording["x"].values[where], directions, hidden)
        silent = ~hidden.any(axis=0)
        information = found["information"].values[i]
        assert np.isnan(information[silent]).all()
        np.testing.assert_allclose(information[~silent], expected[~silent], atol=1e-9)
        np.testing.assert_array_equal(found["is_informative"].values[i], expected > 0.01)


def test_informative_units__a_direction_is_a_location():
    x = np.tile(np.linspace(1, 99, 50), 2)
    direction = np.repeat([1, -1], 50)
    activity = np.column_stack([direction == 1, np.ones(100), np.zeros(100)]).astype(float)
    recording = nd.recording_from_arrays(
        [activity], kind="activation", x=[x], direction=[direction], frame_duration=1.0
    )
    found = detect_informative_units(nd.compute_rate_maps(recording))
    np.testing.assert_allclose(found["information"].values[0, :2], [1, 0], atol=1e-12)
    assert np.isnan(found["information"].values[0, 2])
    assert found["is_informative"].values.tolist() == [[True, False, False]]
    assert not detect_informative_units(nd.compute_rate_maps(recording), min_information=1.01)[
        "is_informative"
    ].any()
    assert set(found.coords) >= {"session", "unit", "subject"}
    assert not {"direction", "x_bin"} & set(found.coords)


def test_informative_units__information_above_the_threshold_alone():
    activity = np.array([[1.0, 1.0], [3.0, 1.0], [0.0, 1.0], [0.0, 1.0]])
    recording = nd.recording_from_arrays(
        [activity], kind="activation", x=[[1.0, 3, 5, 7]], frame_duration=1.0
    )
    maps = nd.compute_rate_maps(recording, binning=Binning(edges=[0, 2, 4, 6, 8]))
    information = detect_informative_units(maps)["information"].values[0, 0]
    assert information == pytest.approx(0.25 * 3 * np.log2(3), rel=1e-12)  # of rates 1 and 3
    at = detect_informative_units(maps, min_information=information)["is_informative"].values
    below = detect_informative_units(maps, min_information=np.nextafter(information, 0))[
        "is_informative"
    ].values
    assert at.tolist() == [[False, False]] and below.tolist() == [[True, False]]


def test_informative_cells__maps_that_are_there_are_tested():
    dims, nan = ("session", "unit", "direction"), np.nan
    # informative in one direction, in both, in none, silent, not detected
    naive = [[[1.0, nan], [0.5, 0.2], [0.001, 0.0], [nan, nan], [nan, nan]]]
    frames = [[[7, 0], [5, 6], [9, 9], [0, 0], [0, 0]]]
    chosen = [[True, True, False, False, False]]
    information = xr.Dataset({"naive": (dims, naive), "active_frames": (dims, frames)})
    informative = xr.Dataset(
        {"is_informative": (dims[:2], chosen)}, attrs={"min_information": 0.01}
    )
    cells = informative_cells(informative, information)
    there = [[[True, False], [True, True], [True, True], [False, False], [False, False]]]
    assert cells["tested"].values.tolist() == there
    assert cells["significant"].values.tolist() == [
        [[True, False], [True, True], [False, False], [False, False], [False, False]]
    ]
    assert cells["is_place_cell"].values.tolist() == chosen
    assert cells["n_events"].values.tolist() == frames


def test_informative_units__lazy_and_by_segment():
    recording = nd.testing.linear_track(n_units=6, n_sessions=2, minutes=4, seed=1)
    maps = nd.compute_rate_maps(recording, by="lap")
    lazy = nd.compute_rate_maps(recording.chunk(unit=2), by="lap")
    found = detect_informative_units(maps)
    assert found["information"].dims == ("segment", "unit")
    np.testing.assert_array_equal(
        detect_informative_units(lazy)["information"].values, found["information"].values
    )


def test_informative_units__bad_arguments():
    maps = nd.compute_rate_maps(nd.testing.linear_track(n_units=2, minutes=2))
    for threshold in (-0.1, np.nan):
        with pytest.raises(ValueError, match="min_information is"):
            detect_informative_units(maps, min_information=threshold)
    with pytest.raises(ValueError, match="rate is negative"):
        detect_informative_units(maps.assign(rate=-1 - maps["rate"]))


def test_analyze__noise_free_activity_is_judged_by_information(recording):
    results = nd.analyze(recording)
    assert "stability" not in results.children and "agreement" not in results.children
    cells, sessions = results["place_cells"], results["sessions"]
    assert cells.attrs["criterion"] == "information"
    informative = detect_informative_units(nd.compute_rate_maps(recording))
    chosen = informative["is_informative"].values
    np.testing.assert_array_equal(cells["is_place_cell"].values, chosen)
    assert np.isnan(cells["p"].values).all() and np.isnan(cells["z"].values).all()
    silent = np.isnan(results["information"]["naive"].values)
    np.testing.assert_array_equal(cells["significant"].values, chosen[..., None] & ~silent)
    for i in range(2):
        row = informative["information"].values[i]
        mean = row[chosen[i]].mean()
        assert sessions["information_informative"].values[i] == pytest.approx(mean, rel=1e-12)
        everyone = np.where(np.isnan(row), 0, row).mean()
        assert sessions["information_all"].values[i] == pytest.approx(everyone, rel=1e-12)
        assert sessions["fraction_informative_units"].values[i] == chosen[i].mean()
        assert sessions["n_informative_units"].values[i] == chosen[i].sum()
    np.testing.assert_array_equal(
        sessions["fraction_place_cells"].values, sessions["fraction_informative_units"].values
    )
    assert "information_ssr" not in sessions
    assert np.isfinite(results["drift"]["rate_map_correlation"].values[0, 1])
    text = str(nd.summary(results))
    assert "more than 0.01 bit/event" in text
    assert "no shuffle test" in text


def test_analyze__criterion_can_be_chosen(recording):
    one = recording.isel(time=slice(0, 150), session=slice(0, 1), unit=slice(0, 12))
    tested = nd.analyze(one, criterion="shuffle", n_repeats=5, n_draws=1)
    assert tested["place_cells"].attrs["criterion"] == "p"
    assert "stability" in tested.children and "information_ssr" in tested["sessions"]
    assert "shuffle test" not in str(nd.summary(tested))
    strict = nd.analyze(one, min_information=1.0)
    kept = strict["sessions"]["n_place_cells"].item()
    assert kept == (strict["informative"]["information"] > 1).sum().item()
    assert 0 < kept < nd.analyze(one)["sessions"]["n_place_cells"].item()
    with pytest.raises(ValueError, match="criterion is 'best'"):
        nd.analyze(one, criterion="best")


def test_analyze__noisy_recordings_have_both():
    mouse = nd.testing.linear_track(n_units=6, n_sessions=2, minutes=4, detection=0.7, seed=3)
    results = nd.analyze(mouse, n_repeats=5, n_draws=1)
    assert results["place_cells"].attrs["criterion"] == "p"
    detected = results["maps"]["detected"].values
    information = results["informative"]["information"].values
    for i in range(2):
        row = np.nan_to_num(information[i][detected[i]])
        found = results["sessions"]["information_all"].values[i]
        assert found == pytest.approx(row.mean(), rel=1e-12)


@pytest.mark.parametrize("activation", ["tanh", "gelu"])
def test_analyze__activations_below_zero_have_no_place_cells(activation):
    run = train(
        predictive_track(n_samples=60), network=Network(activation=activation), n_steps=50,
        snapshots=[0, 50],
    )  # fmt: skip
    results = nd.analyze(run.recording())
    assert not {"informative", "information", "place_cells"} & set(results.children)
    assert "n_place_cells" not in results["sessions"]
    assert np.isfinite(results["drift"]["rate_map_correlation"].values[0, 1])
    assert results["drift"]["rate_map_correlation_n"].values[0, 1] == 200  # units, directions
    assert "below 0" in str(nd.summary(results))


def test_informative_measures__means_over_their_own_units():
    nan, dims = np.nan, ("session", "unit")
    # informative, informative, not informative, silent, not detected
    informative = xr.Dataset(
        {
            "information": (dims, [[1.0, 0.5, 0.001, nan, nan]]),
            "is_informative": (dims, [[True, True, False, False, False]]),
        }
    )
    active = xr.Dataset(
        {
            "n_detected": ("session", [4]),
            "n_active": ("session", [3]),
            "detected": (dims, [[True, True, True, True, False]]),
        }
    )
    found = {
        name: array.item() for name, array in informative_measures(active, informative).items()
    }
    assert found == {
        "n_informative_units": 2,
        "fraction_informative_units": 2 / 4,
        "information_informative": (1.0 + 0.5) / 2,
        "information_all": pytest.approx((1.0 + 0.5 + 0.001 + 0.0) / 4),
    }
