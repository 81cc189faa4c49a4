"""Power of the test of place cells, learnt from halves, against what halves were drawn with."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy.stats import norm

from neurodrift import compute_test_power


def halves_of(rng, n_units=400, n_sessions=6, share=0.6, b=(0.2, 0.35), alpha=0.05):
    place = rng.random(n_units) < share
    events = rng.poisson(np.exp(rng.normal(3.3, 0.6, n_units)), (n_sessions, n_units)) + 6
    p = norm.cdf(b[0] + b[1] * np.sqrt(events / 2) + norm.ppf(alpha))
    chance = np.where(place, p, alpha)
    found = rng.random((n_sessions, 2, n_units)) < chance[:, None]
    whole = norm.cdf(b[0] + b[1] * np.sqrt(events) + norm.ppf(alpha))
    dims = ("session", "unit")
    return (
        xr.DataArray(found, dims=("session", "half", "unit")),
        xr.DataArray(rng.random(whole.shape) < np.where(place, whole, alpha), dims=dims),
        xr.DataArray(events, dims=dims),
        whole,
    )


def test_power__is_that_of_the_whole_session():
    halves, verdict, events, whole = halves_of(np.random.default_rng(0))
    found = compute_test_power(halves, verdict, events)
    assert np.abs(found["power"].values - whole).mean() < 0.04
    assert (found["false_alarms"] == 0.05).all()


def test_power__of_two_directions_is_at_the_level_of_the_unit():
    rng = np.random.default_rng(1)
    halves, verdict, events, whole = halves_of(rng)
    none = rng.random(halves.shape) < 0.05
    both = xr.concat([halves, halves.copy(data=none)], dim="direction")
    found = compute_test_power(both, verdict, events)
    # the height is that of the verdicts of whole sessions, whatever the halves were tested at
    place = verdict.values.mean(axis=0) > 0.3
    assert abs(float((found["power"].values - whole)[:, place].mean())) < 0.06


def test_power__of_a_unit_that_falls_silent_is_that_of_before():
    halves, verdict, events, _ = halves_of(np.random.default_rng(2))
    before = compute_test_power(halves, verdict, events)["power"].values
    for array in (halves, verdict):
        array[dict(session=slice(3, None), unit=slice(0, 10))] = False
    events[3:, :10] = 1
    found = compute_test_power(halves, verdict, events)
    assert np.abs(found["power"].values[3:, :10] - before[3:, :10]).mean() < 0.1
    assert (found["false_alarms"][3:, :10] == 0).all()


def test_power__is_lower_in_a_session_with_fewer_events():
    halves, verdict, events, _ = halves_of(np.random.default_rng(5))
    events[4] = events[4] // 3
    power = compute_test_power(halves, verdict, events)["power"]
    assert float(power[4].mean()) < float(power[:4].mean()) - 0.05


def test_power__cannot_be_told_of_few():
    halves, verdict, events, _ = halves_of(np.random.default_rng(3), n_units=4, n_sessions=2)
    found = compute_test_power(halves, verdict, events)
    assert np.isnan(found["power"]).all() and "fewer than 20" in found.attrs["reason"]


def test_power__refuses_one_half():
    halves, verdict, events, _ = halves_of(np.random.default_rng(3), n_units=4)
    with pytest.raises(ValueError, match="1 halves, expected 2"):
        compute_test_power(halves.isel(half=[0]), verdict, events)
