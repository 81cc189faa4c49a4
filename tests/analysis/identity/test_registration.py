from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from neurodrift import Binning, check_registration, slice_sessions, testing
from neurodrift.analysis.identity import registration
from neurodrift.analysis.identity._similarity import N_GROUPS, Products
from neurodrift.analysis.identity.registration import (
    LEAST_GAIN,
    _better_place,
    _exchanges,
    _misfit,
    _permuted,
    _verdicts,
    registration_warnings,
)
from neurodrift.schema import structure_faults
from neurodrift.schema.results import REGISTRATION

STEADY = dict(n_units=80, minutes=2, detection=0.8, peak_rate=2.0, drift=0.15)
QUICK = {"n_repeats": 1000}


def confused(recording, session):
    """The recording with the identities of one session's units shuffled among themselves."""
    where = slice_sessions(recording)[session]
    units = np.flatnonzero(recording["detected"].values[session])
    shuffled = np.random.default_rng(0).permutation(units)
    activity = recording["activity"].values.copy()
    activity[where, units] = 0
    rows = np.arange(where.start, where.stop)
    activity[np.ix_(rows, units)] = recording["activity"].values[np.ix_(rows, shuffled)]
    return recording.assign(activity=recording["activity"].copy(data=activity))


def exchanged(recording, a, b):
    """The recording with the data of two sessions in each other's place."""
    order = np.arange(recording.sizes["session"])
    order[[a, b]] = b, a
    slices = slice_sessions(recording)
    frames = np.concatenate([np.arange(slices[k].start, slices[k].stop) for k in order])
    moved = recording.isel(time=frames, session=order)
    return moved.assign_coords(
        {
            name: (recording[name].dims, recording[name].values)
            for name in ("time", "session", "day")
        }
    ).assign(session_index=recording["session_index"])


@pytest.fixture(scope="module")
def recording():
    return testing.several_maps([[1, 1]] * 6, seed=1, **STEADY)


def test_check_registration__sound_sessions_are_ok(recording):
    found = check_registration(recording, **QUICK)
    assert found["verdict"].values.tolist() == ["ok"] * 6
    assert not structure_faults(found, REGISTRATION)
    assert not registration_warnings(found)
    assert (found["within_p"] < 0.01).all()
    off = ~np.eye(6, dtype=bool)
    assert (found["agreement_p"].values[off] <= 0.01).all()
    shared = recording["detected"].values.astype(int) @ recording["detected"].values.T
    np.testing.assert_array_equal(found["n_shared"].values, shared)


def test_check_registration__is_the_same_in_any_order_and_chunks(recording):
    found = check_registration(recording, n_repeats=200)
    order = np.random.default_rng(0).permutation(recording.sizes["unit"])
    lazy = recording.isel(unit=order).chunk({"time": 900, "unit": 33})
    xr.testing.assert_identical(found, check_registration(lazy, n_repeats=200))


@pytest.mark.parametrize("session", [0, 3])
def test_check_registration__confused_units(recording, session):
    found = check_registration(confused(recording, session), **QUICK)
    expected = ["ok"] * 6
    expected[session] = "misregistered"
    assert found["verdict"].values.tolist() == expected
    (sentence,) = registration_warnings(found)
    assert sentence.startswith(f"Session {session + 1}: ") and "registration" in sentence
    assert found["within_p"].values[session] < 0.01


def test_check_registration__a_map_switch_is_no_confusion():
    labels = [[1, 1], [1, 1], [2, 2], [1, 1], [1, 1]]
    switched = testing.several_maps(labels, seed=2, **STEADY | {"n_units": 120})
    found = check_registration(switched.drop_vars("map_label"), **QUICK)
    assert found["verdict"].values.tolist() == ["ok", "ok", "map_switch", "ok", "ok"]
    assert "another map" in registration_warnings(found)[0]


def test_check_registration__labels_of_maps_are_kept_apart():
    labels = [[1, 2], [1, 2], [2, 2], [1, 2], [1, 1]]
    switching = testing.several_maps(labels, seed=3, **STEADY | {"n_units": 120})
    found = check_registration(switching, **QUICK)
    assert found["verdict"].values.tolist() == ["ok"] * 5
    assert np.isnan(found["agreement"].sel(session="3", other="5"))


def test_check_registration__sessions_in_each_other_s_place():
    steady = testing.several_maps([[1, 1]] * 6, seed=1, **STEADY | {"drift": 0.3, "n_units": 200})
    assert (check_registration(steady, **QUICK)["verdict"] == "ok").all()
    found = check_registration(exchanged(steady, 1, 4), **QUICK)
    assert found["verdict"].values.tolist() == ["ok", "swapped", "ok", "ok", "swapped", "ok"]
    assert found["better_place"].values.tolist() == ["", "5", "", "", "2", ""]
    assert found["gain"] > 0.5 and found["gain_p"] < 0.01
    assert "fit the place of session 5" in registration_warnings(found)[0]


def test_check_registration__too_little_is_unclear(recording):
    few = recording.isel(unit=slice(9))
    few = few.isel(unit=np.flatnonzero(few["detected"].values.any(axis=0)))
    found = check_registration(few, **QUICK)
    assert (found["verdict"] == "unclear").all()
    assert len(registration_warnings(found)) == 6


def test_check_registration__one_session_is_ok():
    found = check_registration(testing.linear_track(n_units=20, n_sessions=1), n_repeats=100)
    assert found["verdict"].values.tolist() == ["ok"]


def test_check_registration__two_dimensions():
    boxes = testing.open_field(n_units=40, n_sessions=3, tuned=1.0)
    found = check_registration(confused(boxes, 1), binning=Binning(bin_width=5.0), n_repeats=1000)
    assert found["verdict"].values.tolist() == ["ok", "misregistered", "ok"]


@pytest.mark.parametrize(
    ("agreement_p", "rate_p", "within_p", "expected"),
    [
        (0.01, 0.5, 0.001, "ok"),
        # of 4 sessions a p counts up to 0.05 / 3
        (0.03, 0.5, 0.001, "misregistered"),
        (0.03, 0.03, 0.001, "misregistered"),
        (0.5, 0.01, 0.001, "map_switch"),
        # halves that do not agree tell nothing of other sessions
        (0.5, 0.5, 0.049, "misregistered"),
        (0.5, 0.5, 0.051, "unclear"),
        (0.5, 0.01, 0.051, "unclear"),
        (0.5, 0.5, np.nan, "unclear"),
        (np.nan, np.nan, 0.001, "unclear"),
    ],
)
def test_verdicts__of_the_last_of_four_sessions(agreement_p, rate_p, within_p, expected):
    values = {}
    for name, p in (("agreement_p", agreement_p), ("rate_agreement_p", rate_p)):
        values[name] = np.full((4, 4), 0.001)
        values[name][3, :3] = values[name][:3, 3] = p
        np.fill_diagonal(values[name], np.nan)
    verdict = _verdicts(values, np.array([0.001, 0.001, 0.001, within_p]), alpha=0.05)
    assert verdict.tolist() == ["ok", "ok", "ok", expected]


def test_better_place__p_counts_every_place_that_was_tried():
    rng = np.random.default_rng(0)
    days, shown = (
        np.array([0.0, 1, 3, 7]),
        np.array([0.0, 3, 1, 7]),
    )  # sessions 1 and 2 are exchanged
    whole = 0.9 * np.exp(-0.4 * np.abs(shown[:, None] - shown[None, :]))
    noise = rng.normal(0, 0.02, (N_GROUPS, 4, 4))
    without = whole + noise + noise.transpose(0, 2, 1)
    place = _better_place((whole, without, without.std(axis=0)), days, np.arange(4))
    assert place.moved == (1, 2) and place.order.tolist() == [0, 2, 1, 3]
    gains = [1 - _misfit(one, days[[0, 2, 1, 3]]) / _misfit(one, days) for one in without]
    mean = sum(gains) / N_GROUPS
    error = np.sqrt((N_GROUPS - 1) / N_GROUPS * sum((gain - mean) ** 2 for gain in gains))
    tail = stats.t.sf((place.gain - LEAST_GAIN) / error, N_GROUPS - 1)
    # six pairs, and six moves over more than one place: 12 ways to put 4 sessions elsewhere
    assert 0 < 12 * tail < 1
    assert place.p == pytest.approx(12 * tail, rel=1e-6, abs=0)


def test_permuted__is_the_fraction_of_permutations_that_agree_as_well(monkeypatch):
    rng = np.random.default_rng(4)
    tables = [rng.normal(size=(5, 5)) for _ in range(2)]
    every = np.array(list(permutations(range(5))))
    observed = sum(sum(table[u, u] for u in range(5)) for table in tables) / 2
    reached = sum(
        sum(sum(table[u, order[u]] for u in range(5)) for table in tables) / 2 >= observed - 1e-12
        for order in every
    )
    found = _permuted([Products(table, np.eye(5)) for table in tables], every)
    monkeypatch.setattr(registration, "_UNITS_AT_ONCE", 2)
    assert _permuted([Products(table, np.eye(5)) for table in tables], every) == pytest.approx(
        found
    )
    assert found[0] == pytest.approx(observed)
    assert found[1] == pytest.approx((reached + 1) / (len(every) + 1))


def test_exchanges__are_all_pairs_and_all_moves():
    found = {tuple(order.tolist()) for order in _exchanges(4)}
    expected = set()
    for line in permutations(range(4)):
        places = tuple(line.index(k) for k in range(4))
        moved = [k for k in range(4) if places[k] != k]
        swap = len(moved) == 2
        move = any(
            tuple(k for k in line if k != one) == tuple(k for k in range(4) if k != one)
            for one in range(4)
        )
        if places != (0, 1, 2, 3) and (swap or move):
            expected.add(places)
    assert found == expected


@pytest.mark.parametrize("session", [None, 4])
def test_check_registration__real_sessions(real_recording, session):
    recording = real_recording("C6_M4", "A")
    binning = Binning(edges=np.linspace(0, 96, 25), exclude_ends=8.0)
    expected = ["ok"] * 8
    if session is not None:
        recording = confused(recording, session)
        expected[session] = "misregistered"
    found = check_registration(recording, binning=binning)
    assert found["verdict"].values.tolist() == expected
