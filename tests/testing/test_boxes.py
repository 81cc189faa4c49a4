from __future__ import annotations

import numpy as np
import xarray as xr

from neurodrift import schema, testing


def test_open_field__stays_in_the_box_and_visits_it():
    recording = testing.open_field(n_units=2, n_sessions=2, size=50.0)
    schema.check(recording)
    for axis in "xy":
        values = recording[axis].values
        assert values.min() >= 0 and values.max() <= 50
    visited = np.histogram2d(recording["x"], recording["y"], bins=10, range=[[0, 50]] * 2)[0]
    assert (visited > 0).mean() > 0.95
    assert 12 < np.median(recording["speed"]) < 18
    assert "direction" not in recording
    assert recording["trial"].values.max() == 5


def test_open_field__events_follow_the_true_rates():
    options = dict(n_units=4, n_sessions=1, seed=3)
    recording = testing.open_field(minutes=40, **options)
    rate = testing.open_field_truth(**options)["rate"].values[0]
    at = [np.minimum(recording[axis].values.astype(int), 59) for axis in "xy"]
    expected = rate[:, at[0], at[1]].sum(axis=1) / 10
    found = recording["activity"].values.sum(axis=0)
    assert (np.abs(found - expected) < 5 * np.sqrt(expected)).all()


def test_open_field__same_arguments_same_recording():
    first, second = (testing.open_field(n_units=3, minutes=1) for _ in range(2))
    xr.testing.assert_identical(first, second)
    other = testing.open_field(n_units=3, minutes=1, seed=1)
    assert not np.array_equal(first["x"], other["x"])


def test_open_field_truth__fields_are_where_the_rates_peak():
    truth = testing.open_field_truth(n_units=12, n_sessions=4, drift=0.5, two_fields=0.5)
    centre, rate = truth["centre"].values, truth["rate"].values
    tuned = truth["is_tuned"].values
    assert np.isnan(centre[:, ~tuned]).all() and np.isfinite(centre[:, tuned, 0]).all()
    for s, u in np.argwhere(np.broadcast_to(tuned, centre.shape[:2])):
        top = np.array(np.unravel_index(rate[s, u].argmax(), rate.shape[2:])) + 0.5
        assert np.nanmin(np.linalg.norm(centre[s, u] - top, axis=1)) < 4
    changed = np.nan_to_num(np.diff(centre, axis=0)).any(axis=(2, 3))
    np.testing.assert_array_equal(changed, truth["moved"].values[1:])
    assert 0 < truth["moved"].values.sum() < 3 * tuned.sum()
