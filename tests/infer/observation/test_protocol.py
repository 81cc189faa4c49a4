from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from neurodrift import testing
from neurodrift.infer.observation.network import observe
from neurodrift.infer.observation.protocol import Observation, observation_of, spread
from tests.infer.observation.test_network import activity, seen_of


def test_full__is_the_network_as_it_is():
    rates = activity()
    seen = observe(rates, Observation.full(), seed=1)
    np.testing.assert_array_equal(seen.events, [rates, rates])
    assert not seen.counts and seen.detected.all() and (seen.seconds == 1).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_cells": 0}, "n_cells is 0"),
        ({"events_per_cell": (5, 1)}, "expected .lowest, highest. above 0"),
        ({"events_per_cell": (0, 1)}, "above 0"),
        ({"lost_matches": 1.0}, "lost_matches is 1.0, expected a share"),
        ({"days": (0, 0)}, "expected increasing times"),
        ({"days": (0, 1), "detection": ("111",)}, "one number of them"),
        ({"seconds": ((1, 1),)}, "two halves"),
        ({"seconds": ((1, 0), (1, 1))}, "not all above 0"),
        ({"detection": ("1x",)}, "other letters"),
        ({"occupancy": (0, 0)}, "impossible shares"),
        ({"n_cell": 3}, "an observation has no n_cell; expected some of name, n_cells"),
    ],
)
def test_observation__refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Observation.from_values(changes)


def test_observation__json_holds_all_of_it():
    seen = observation_of(seen_of(detected=np.eye(3, 4, dtype=bool)), "mouse")
    full = dataclasses.replace(seen, lost_matches=0.1, wrong_matches=0.02, occupancy=(1, 2))
    assert Observation.from_json(full.to_json()) == full
    assert Observation.from_json(Observation.full().to_json()) == Observation.full()


def test_observation_of__reads_what_was_seen():
    detected = np.array([[1, 1, 0, 1], [1, 0, 0, 1], [1, 1, 0, 0]], bool)
    events = np.full((2, 3, 4, 5), 2.0) * detected[None, :, :, None]
    events[:, 0, 0] = 7.0
    found = observation_of(seen_of(events=events, detected=detected), "mouse")
    assert found.n_cells == 3  # one was never detected
    assert found.events_per_cell == ((6 * 20 + 70) / 7,) * 2
    assert found.days == (0.0, 1.0, 5.0) and found.n_conditions == 5
    assert sorted(found.detection) == ["101", "110", "111"]
    assert found.seconds == ((5.0,) * 3,) * 2
    np.testing.assert_allclose(found.occupancy, 0.2)
    with pytest.raises(ValueError, match="no cell was detected with an event"):
        observation_of(seen_of(events=np.zeros((2, 3, 4, 5))))


def test_observation_of__recording_and_a_network_seen_like_it():
    recording = testing.linear_track(n_units=20, n_sessions=3, minutes=4)
    found = observation_of(recording)
    assert found.days == (0.0, 1.0, 2.0) or len(found.days) == 3
    rates = np.random.default_rng(0).gamma(1, size=(3, 300, 12))
    seen = observe(rates, found, seed=0, segment=np.repeat([0, 1], 6), geometry="linear")
    assert seen.events.shape[2] == found.n_cells
    again = observation_of(seen)  # and back
    assert again.n_cells == found.n_cells and again.days == found.days
    assert abs(again.events_per_cell[0] / found.events_per_cell[0] - 1) < 0.1
    np.testing.assert_allclose(again.seconds, found.seconds)


def test_spread__keeps_the_sum():
    rng = np.random.default_rng(0)
    for n, m in ((3, 7), (28, 5), (1, 4), (6, 6)):
        values = rng.random(n)
        found = spread(values, m)
        assert found.size == m and abs(found.sum() - values.sum()) < 1e-12
        # a literal reference: many thin slices
        fine = np.repeat(values / (m * 1.0), m).reshape(m, n).sum(axis=1)
        np.testing.assert_allclose(found, fine)
