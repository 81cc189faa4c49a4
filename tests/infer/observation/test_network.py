from __future__ import annotations

import numpy as np
import pytest

from neurodrift.infer.observation.counts import Observed
from neurodrift.infer.observation.network import observe
from neurodrift.infer.observation.protocol import Observation


def activity(n_sessions=4, n_units=60, n_conditions=6, seed=0):
    """Rates that differ in units, sessions and conditions, a third of the units never active."""
    rng = np.random.default_rng(seed)
    rates = rng.gamma(0.5, size=(n_sessions, n_units, n_conditions))
    rates[:, ::3] = 0
    return rates


def seen_of(**changes):
    given = {
        "events": np.full((2, 3, 4, 5), 2.0),
        "seconds": np.ones((2, 3, 5)),
        "detected": np.ones((3, 4), bool),
        "day": np.array([0.0, 1.0, 5.0]),
        "segment": np.zeros(5, int),
    }
    return Observed(**(given | changes))


def test_observe__cells_are_active_units_and_none_comes_twice():
    # each unit's activity names it: a count of a cell is 10**5 times too large to be another's
    rates = np.tile(10.0 ** np.arange(8)[None, :, None], (2, 1, 3))
    rates[:, [1, 4]] = 0
    seen = observe(rates, Observation(n_cells=5, events_per_cell=(1e8, 1e8)), seed=3)
    total = np.sort(seen.events.sum(axis=(0, 1, 3)))
    assert seen.events.shape[2] == 5
    assert (np.diff(np.log10(total)) > 0.9).all()  # five units that differ
    every = observe(rates, Observation(), seed=3)
    assert every.events.shape[2] == 6  # those that are ever active
    assert observe(rates, Observation(n_cells=99), seed=3).events.shape[2] == 6


@pytest.mark.parametrize("wanted", [(200.0, 200.0), (8.0, 30.0)])
def test_observe__mean_events_are_those_wanted_and_gain_is_one(wanted):
    rates = activity(n_units=300)
    seen = observe(rates, Observation(events_per_cell=wanted), seed=5)
    cells, sessions = seen.events.shape[2], 4
    mean = seen.events.sum() / (cells * sessions)
    error = 4 * np.sqrt(mean / (cells * sessions))
    assert wanted[0] - error < mean < wanted[1] + error
    # one gain for all: expected counts are in proportion to the rates
    active = rates[:, (rates > 0).any(axis=(0, 2))]
    gain = seen.events.sum() / active.sum()
    z = (seen.events.sum(axis=0) - gain * active) / np.sqrt(gain * active)
    assert abs(z.mean()) < 4 / np.sqrt(z.size) and 0.9 < z.std() < 1.1


def test_observe__halves_are_independent_poisson_counts():
    rates = np.full((2, 400, 5), 3.0)
    seen = observe(rates, Observation(events_per_cell=(50, 50)), seed=2)
    one, other = seen.events
    assert abs(one.var() / one.mean() - 1) < 0.1
    assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 4 / np.sqrt(one.size)


def test_observe__a_network_that_falls_silent_loses_events():
    rates = np.ones((3, 50, 4))
    rates[1:] *= 0.1
    seen = observe(rates, Observation(events_per_cell=(40, 40)), seed=0)
    totals = seen.events.sum(axis=(0, 2, 3))
    assert 0.05 < totals[1] / totals[0] < 0.15


def test_observe__time_of_halves_and_places_counts():
    rates = np.ones((2, 500, 4))
    observation = Observation(
        events_per_cell=(100, 100),
        seconds=((300.0, 100.0), (100.0, 100.0)),
        occupancy=(3.0, 1.0),
    )
    seen = observe(rates, observation, seed=0, segment=np.zeros(4, int), geometry="linear")
    np.testing.assert_allclose(seen.seconds.sum(axis=2), [[300, 100], [100, 100]])
    np.testing.assert_allclose(seen.seconds[0, 0], [112.5, 112.5, 37.5, 37.5])
    totals = seen.events.sum(axis=2)
    np.testing.assert_allclose(totals / totals.sum(), seen.seconds / 600, rtol=0.05)
    # without an order the time is the same in every condition
    even = observe(rates, observation, seed=0)
    np.testing.assert_allclose(even.seconds[0, 0], 75)


def test_observe__detection_is_that_of_real_cells():
    patterns = ("1111", "1100", "0011")
    seen = observe(activity(n_units=600), Observation(detection=patterns), seed=0)
    found = {"".join("1" if one else "0" for one in cell) for cell in seen.detected.T}
    assert found == set(patterns)
    for session in range(4):
        share = np.mean([pattern[session] == "1" for pattern in patterns])
        assert abs(seen.detected[session].mean() - share) < 0.1
    assert not seen.events.sum(axis=(0, 3))[~seen.detected].any()


def test_observe__lost_and_wrong_matches():
    lost = observe(activity(n_units=900), Observation(lost_matches=0.3), seed=0).detected
    assert lost[0].all() and all(abs(lost[i].mean() - 0.7) < 0.06 for i in (1, 2, 3))
    rates = np.tile(np.eye(40)[None], (3, 1, 1))  # each unit has a condition of its own
    for share, n_right in ((0.0, 40), (0.25, 30)):
        observation = Observation(wrong_matches=share, events_per_cell=(500, 500))
        place = observe(rates, observation, seed=0).events.sum(axis=0).argmax(axis=2)
        assert [int((place[s] == place[0]).sum()) for s in range(3)] == [40, n_right, n_right]


def test_observe__same_seed_same_counts_and_streams_do_not_mix():
    rates = activity()
    one = observe(rates, Observation(n_cells=20), seed=4)
    again = observe(rates, Observation(n_cells=20), seed=4)
    np.testing.assert_array_equal(one.events, again.events)
    other = observe(rates, Observation(n_cells=20, lost_matches=0.5), seed=4)
    kept = other.detected[None, :, :, None] & np.ones_like(one.events, bool)
    np.testing.assert_array_equal(one.events[kept], other.events[kept])
    assert (observe(rates, Observation(n_cells=20), seed=5).events != one.events).any()


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 1, 3), (1, 5, 2)])
def test_observe__odd_shapes(shape):
    seen = observe(np.ones(shape), Observation(n_cells=3), seed=0)
    assert seen.events.shape == (2, shape[0], min(shape[1], 3), shape[2])


@pytest.mark.parametrize(
    ("rates", "changes", "message"),
    [
        (np.zeros((2, 3, 4)), {}, "no unit of the network is ever active"),
        (np.ones((2, 3)), {}, r"activity has shape \(2, 3\), expected \(session"),
        (-np.ones((2, 3, 4)), {}, "negative or not finite"),
        (np.full((2, 3, 4), np.nan), {}, "negative or not finite"),
        (np.ones((2, 3, 4)), {"days": (0, 1, 2)}, "has 3 sessions, but the activity 2"),
        (np.ones((2, 3, 4)), {"detection": ("101",)}, "has 3 sessions, but the activity 2"),
    ],
)
def test_observe__refused(rates, changes, message):
    with pytest.raises(ValueError, match=message):
        observe(rates, Observation(**changes), seed=0)
