from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from neurodrift import Binning, compute_rate_maps, schema, slice_sessions, testing
from neurodrift.testing import linear_track, linear_track_truth

BINNING = Binning(edges=np.arange(0.0, 101.0, 5.0), speed_range=(3.0, np.inf))


def _true_counts(recording, truth, i):
    """Expected and variance-equal Poisson counts of each unit in session `i`, frame by frame."""
    where = slice_sessions(recording)[i]
    x = recording["x"].values[where]
    direction = recording["direction"].values[where]
    column = np.minimum(x.astype(int), 99)
    rate = truth["rate"].values[i]
    moving = direction != 0
    expected = rate[:, (direction[moving] < 0).astype(int), column[moving]]
    return moving, expected * float(recording["frame_duration"][i])


def test_linear_track__is_a_recording_of_its_size():
    recording = linear_track(n_units=3, n_sessions=2, minutes=2, frame_rate=10)
    schema.check(recording)
    assert dict(recording.sizes) == {"time": 2400, "unit": 3, "session": 2}
    assert recording["day"].values.tolist() == [0.0, 2.0]
    np.testing.assert_allclose(recording["experience"], [0.0, 2.0])
    assert recording["x"].min() >= 0 and recording["x"].max() <= testing.TRACK_LENGTH
    assert sorted(set(recording["trial"].values.tolist())) == [1, 2, 3, 4, 5]
    assert recording["activity"].attrs["kind"] == "events"


def test_linear_track__counts_have_their_true_rates():
    size = {"n_units": 30, "n_sessions": 3, "seed": 4}
    recording, truth = linear_track(minutes=10, **size), linear_track_truth(**size)
    for i, where in enumerate(slice_sessions(recording)):
        moving, expected = _true_counts(recording, truth, i)
        counts = recording["activity"].values[where][moving].sum(axis=0)
        z = (counts - expected.sum(axis=1)) / np.sqrt(expected.sum(axis=1))
        assert abs(z).max() < 4.5 and 0.6 < z.std() < 1.5 and abs(z.mean()) < 0.7


def test_linear_track__maps_are_the_truth():
    size = {"n_units": 12, "n_sessions": 2, "tuned": 1.0, "peak_rate": 20.0}
    maps = compute_rate_maps(linear_track(minutes=20, **size), binning=BINNING)
    truth = linear_track_truth(**size)
    coarse = truth["rate"].coarsen(x=5).mean()
    coarse = coarse.rename(x="position").drop_vars("position").sel(direction=maps["direction"])
    sem = np.sqrt(coarse / maps["occupancy"])
    z = ((maps["rate"] - coarse) / sem).values
    inner = z[..., 1:-1]  # at the ends the mouse turns: places and times there are not even
    assert np.isfinite(inner).all()
    assert abs(inner.mean()) < 0.15 and 0.8 < inner.std() < 1.3
    for unit in range(12):
        found = np.corrcoef(maps["rate"][:, unit].values.ravel(), coarse[:, unit].values.ravel())
        assert found[0, 1] > 0.9


def test_linear_track__undetected_is_zero_and_every_unit_was_seen():
    size = {"n_units": 200, "n_sessions": 4, "minutes": 0.2}
    recording = linear_track(detection=0.5, **size)
    detected = recording["detected"].values
    assert detected.any(axis=0).all()
    assert detected.mean() == pytest.approx(0.5 + 0.5 / 4, abs=0.05)
    whole = linear_track(**size)
    assert whole["detected"].all()
    for i, where in enumerate(slice_sessions(recording)):
        part = recording["activity"].values[where]
        assert (part[:, ~detected[i]] == 0).all()
        np.testing.assert_array_equal(
            part[:, detected[i]], whole["activity"].values[where][:, detected[i]]
        )


def test_linear_track__silenced_units_are_silent_and_stay_so():
    size = {"n_units": 40, "n_sessions": 4, "silencing": 0.2, "baseline": 0.5}
    recording, truth = linear_track(minutes=2, **size), linear_track_truth(**size)
    active = truth["is_active"].values
    assert active.sum(axis=1).tolist() == [40, 32, 24, 16]
    assert not (np.diff(active.astype(int), axis=0) > 0).any()
    for i, where in enumerate(slice_sessions(recording)):
        fired = recording["activity"].values[where].any(axis=0)
        np.testing.assert_array_equal(fired, active[i])
    assert recording["detected"].all()
    assert not (truth["is_tuned"] & ~truth["is_active"]).any()


def test_linear_track_truth__drift_moves_fields():
    truth = linear_track_truth(n_units=400, n_sessions=4, drift=0.3, tuned=1.0)
    same = (truth["rate"].diff("session") == 0).all(["direction", "x"])
    moved = truth["moved"].isel(session=slice(1, None))
    np.testing.assert_array_equal(moved, ~same)
    assert not truth["moved"][0].any()
    assert float(moved.mean()) == pytest.approx(0.3, abs=0.05)
    still = linear_track_truth(n_units=10, n_sessions=3, drift=0.0)
    assert (still["rate"] == still["rate"][0]).all() and not still["moved"].any()
    assert linear_track_truth(n_units=10, drift=1.0, tuned=1.0)["moved"][1:].all()


def test_linear_track_truth__untuned_units_are_flat_at_the_mean_rate():
    size = {"n_units": 10, "n_sessions": 3}
    truth = linear_track_truth(tuned=0.6, **size)
    tuned = linear_track_truth(tuned=1.0, **size)
    assert truth["is_tuned"].sum("unit").values.tolist() == [6, 6, 6]
    flat = truth["rate"].values[:, 6:]
    assert (np.ptp(flat, axis=(2, 3)) == 0).all()
    np.testing.assert_allclose(flat[..., 0, 0], tuned["rate"].values[:, 6:].mean(axis=(2, 3)))
    xr.testing.assert_identical(truth["rate"][:, :6], tuned["rate"][:, :6])


def test_linear_track__same_seed_same_bits_other_seed_other_mouse():
    size = {"n_units": 3, "n_sessions": 2, "minutes": 0.5}
    xr.testing.assert_identical(linear_track(**size, seed=5), linear_track(**size, seed=5))
    other = linear_track(**size, seed=6)
    assert not other["x"].equals(linear_track(**size, seed=5)["x"])


def test_linear_track__a_unit_does_not_depend_on_how_many_there_are():
    size = {"n_sessions": 3, "minutes": 0.5, "tuned": 1.0}
    few, many = linear_track(n_units=4, **size), linear_track(n_units=9, **size)
    xr.testing.assert_identical(few, many.isel(unit=slice(4)))
    shorter = linear_track(n_units=4, **(size | {"n_sessions": 2}))
    xr.testing.assert_identical(shorter, few.isel(time=few["session_index"] < 2, session=slice(2)))


def test_linear_track__direction_is_that_of_the_run():
    recording = linear_track(n_units=1, n_sessions=1, minutes=3)
    step = np.diff(recording["x"].values)
    inside = (step[1:] == 0) == (step[:-1] == 0)  # neither starts nor stops in this frame
    agrees = np.sign(step[1:]) == recording["direction"].values[1:-1]
    assert agrees[inside].all()
