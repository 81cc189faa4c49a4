"""Shifts from lap to lap against SciPy's regression, and fields that truly shift."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy.stats import linregress

import neurodrift as nd
from neurodrift.analysis.fields.lap_shifts import _fitted, centre_of

LENGTH, STEP, SPEED = 180.0, 0.1, 18.0


def shifting(slope, seed=0, *, circle=False, n_units=40, n_laps=30, n_sessions=1, peak=5.0):
    """Laps round or through a corridor; every field moves by `slope` [cm] with each lap."""
    rng = np.random.default_rng(seed)
    frames = round(LENGTH / SPEED / STEP)
    centre = rng.uniform(0, LENGTH, n_units)
    x = np.tile((np.arange(frames) + 0.5) * LENGTH / frames, n_laps)
    lap = np.repeat(np.arange(n_laps), frames)
    sessions = []
    for _ in range(n_sessions):
        place = centre + slope * (lap[:, None] - n_laps / 2)
        away = x[:, None] - place
        if circle:
            away = (away + LENGTH / 2) % LENGTH - LENGTH / 2
        rate = 0.02 + peak * np.exp(-0.5 * (away / 9.0) ** 2)
        sessions.append(rng.poisson(rate * STEP).astype(np.uint8))
    return nd.recording_from_arrays(
        sessions,
        kind="events",
        frame_duration=STEP,
        x=[x] * n_sessions,
        lap=[lap] * n_sessions,
        speed=[np.full(x.size, SPEED)] * n_sessions,
        geometry=nd.geometry.circular(LENGTH) if circle else nd.geometry.vr(LENGTH),
    )


def fields_of(recording):
    maps = nd.compute_rate_maps(recording, binning=nd.Binning(bin_width=3), smoothing=3.0)
    return nd.detect_place_fields(maps)


def test_fit__is_that_of_scipy():
    rng = np.random.default_rng(0)
    centre = rng.normal(0, 3, 25) + 0.2 * np.arange(25)
    centre[[0, 1, 7, 20]] = np.nan
    found = _fitted(centre)
    at = np.flatnonzero(np.isfinite(centre))
    want = linregress(at, centre[at])
    got = [found[name] for name in ("slope", "se", "p")]
    np.testing.assert_allclose(got, [want.slope, want.stderr, want.pvalue], rtol=1e-9)
    assert found["onset"] == 2 and found["n"] == 21


def test_centre__on_a_circle_goes_round():
    rate = np.array([[1.0, 0, 0, 0, 0, 0, 0, 1.0]])
    offset = np.array([-160.0, -120, -80, -40, 0, 40, 80, 120]) / 2
    line = centre_of(rate, offset, nd.geometry.linear())
    circle = centre_of(rate, offset, nd.geometry.circular(160.0))
    np.testing.assert_allclose(line, -10)
    np.testing.assert_allclose(np.abs(circle), 70)  # between -80 and 60, the shorter way


@pytest.mark.parametrize("circle", [False, True])
@pytest.mark.parametrize("slope", [-0.5, 0.0])
def test_lap_shifts__known_slopes_are_found(slope, circle):
    recording = shifting(slope, circle=circle)
    found = nd.compute_lap_shifts(recording, fields_of(recording))
    mean, se = float(found["mean_slope"][0]), float(found["mean_slope_se"][0])
    assert abs(mean - slope) < 0.07 + 2 * se
    if slope:
        assert float(found["mean_slope_p"][0]) == 0.005
        assert float(found["fraction_backward"][0]) > 0.6
        curve = found["displacement"].values[0]
        assert curve[2] > 2 > -2 > curve[25]
    else:
        assert float(found["mean_slope_p"][0]) > 0.02
        assert float(found["fraction_backward"][0] + found["fraction_forward"][0]) < 0.2
    assert (float(found["n_cut"][0]) > 0) == (not circle)


def test_lap_shifts__backward_is_against_the_way_that_the_animal_runs():
    forth = shifting(-0.5, circle=True)
    back = forth.copy()
    back["x"] = (LENGTH - forth["x"]).astype(forth["x"].dtype).assign_attrs(forth["x"].attrs)
    found = [nd.compute_lap_shifts(r, fields_of(r))["mean_slope"].values[0] for r in (forth, back)]
    np.testing.assert_allclose(found[0], found[1], atol=0.05)


def test_lap_shifts__overnight_a_field_that_shifted_has_gone_back():
    recording = shifting(-0.5, circle=True, n_sessions=2)
    found = nd.compute_lap_shifts(recording, fields_of(recording))
    assert np.isnan(found["overnight_shift"][0])
    # every session begins 15 cm ahead of where the one before has ended
    assert abs(float(found["overnight_shift"][1]) - 14.5) < 4


def test_lap_shifts__are_the_same_for_lazy_recordings():
    recording = shifting(-0.3, n_units=10)
    fields = fields_of(recording)
    lazy = recording.assign(activity=recording["activity"].chunk(time=500, unit=3))
    one, other = (nd.compute_lap_shifts(r, fields) for r in (recording, lazy))
    xr.testing.assert_identical(one, other)


def test_lap_shifts__few_laps_or_fields_say_nothing():
    recording = shifting(-0.3, n_units=3, n_laps=4)
    found = nd.compute_lap_shifts(recording, fields_of(recording))
    assert np.isnan(found["mean_slope"]).all() and found.sizes["field"] == 0
    assert int(found["n_few"][0]) > 0


def test_lap_shifts__frames_without_position_are_left_out():
    recording = shifting(-0.5, circle=True)
    fields = fields_of(recording)
    x = recording["x"].values.copy()
    x[::50] = np.nan
    found = nd.compute_lap_shifts(recording.assign(x=("time", x, recording["x"].attrs)), fields)
    assert abs(float(found["mean_slope"][0]) + 0.5) < 0.12


def test_lap_shifts__refuse_fields_of_other_bins():
    recording = shifting(0.0, n_units=3)
    fields = fields_of(recording)
    with pytest.raises(ValueError, match="other bins"):
        nd.compute_lap_shifts(recording, fields, binning=nd.Binning(bin_width=6))
    plane = nd.testing.open_field(n_units=1, n_sessions=1, minutes=3)
    with pytest.raises(ValueError, match="not in two dimensions"):
        nd.compute_lap_shifts(plane, nd.detect_place_fields(nd.compute_rate_maps(plane)))
