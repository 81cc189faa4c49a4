"""Whether prior and target were seen alike."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import neurodrift as nd
from neurodrift.infer.observation.alike import COMPARED, compare_seen
from neurodrift.infer.observation.counts import Observed, how_seen
from neurodrift.infer.statistics.vector import statistics_of

SEEN = {"n_cells": 200, "n_events": 150.0, "n_sessions": 8, "noise_free": 0}


def observed(*, counts=True, part=1.0):
    rng = np.random.default_rng(0)
    events = part * rng.poisson(3.0, (2, 4, 30, 10))
    events[:, :, 0] = 0
    detected = np.ones((4, 30), bool)
    detected[2, 5:] = False
    seconds = np.ones((2, 4, 10))
    segment = np.zeros(10, int)
    return Observed(events, seconds, detected, np.arange(4.0), segment, counts=counts)


def prior(seen, **attrs):
    attrs = {"observation_json": seen.to_json(), "n_sessions": 8} | attrs
    return xr.Dataset(attrs=attrs)


def test_how_seen__counts_cells_that_had_an_event():
    seen = observed()
    found = how_seen(seen)
    events = seen.events.sum(axis=(0, 3))
    own = [events[s, u] for s in range(4) for u in range(1, 30) if seen.detected[s, u]]
    assert found == {
        "n_cells": 29,
        "n_sessions": 4,
        "noise_free": 0,
        "n_events": pytest.approx(np.mean(own)),
    }
    assert "n_events" not in how_seen(observed(part=0.3))  # amplitudes have no number
    assert how_seen(observed(counts=False))["noise_free"] == 1
    assert statistics_of(seen, se=False).attrs.items() >= found.items()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ()),
        ({"n_cells": 140, "n_events": 440.0, "n_sessions": 6}, ()),
        ({"n_cells": 79}, ("200 cells there, 79 here",)),
        ({"n_cells": 900}, ("200 cells there, 900 here",)),
        ({"n_sessions": 4}, ("8 sessions there, 4 here",)),
        ({"n_events": 20.0}, ("100 to 300 events a cell and session there, 20 here",)),
        ({"noise_free": 1, "n_events": np.nan}, ("with noise there, without here",)),
    ],
)
def test_compare_seen__what_differs(changes, expected):
    found = compare_seen(SEEN | changes, prior(nd.Observation(n_cells=200)))
    assert found.differences == expected and found.compared == COMPARED
    assert bool(found.warning) == bool(expected)


def test_compare_seen__networks_in_full():
    full = prior(nd.Observation.full())
    (words,) = compare_seen(SEEN, full).differences
    assert words == "without noise there, with 150 events here"
    assert compare_seen({"noise_free": 1}, full).differences == ()


def test_compare_seen__what_is_not_known_is_not_compared():
    assert compare_seen({}, prior(nd.Observation(n_cells=200))).compared == ()
    assert compare_seen(SEEN, xr.Dataset()).compared == ()
    some = compare_seen({"n_sessions": 3}, prior(nd.Observation()))
    assert some.compared == ("sessions",) and some.differences == ("8 sessions there, 3 here",)


def test_compare_seen__cells_are_those_that_were_there():
    networks = prior(nd.Observation(n_cells=2000)).assign(n_cells=("run", [210.0, 190.0]))
    assert compare_seen(SEEN, networks).differences == ()
    (words,) = compare_seen(SEEN | {"n_cells": 803}, networks).differences
    assert words == "200 cells there (no more are ever active), 803 here"
