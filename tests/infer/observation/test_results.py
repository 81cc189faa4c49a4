"""What was seen, read from results of an analysis."""

from __future__ import annotations

import re

import numpy as np
import pytest

import neurodrift as nd
from neurodrift import testing
from neurodrift.infer.observation.protocol import observation_of
from neurodrift.infer.observation.recording import observed_of
from tests.infer.observation.test_recording import track


def test_observed__results_say_nearly_the_same_as_the_recording():
    recording = track(n_units=30, drift=0.3)
    results = nd.analyze(recording, measures=["half_maps", "sparsity"], smoothing=0)
    one, other = (nd.drift_statistics(a, se=False)["value"] for a in (results, recording))
    known = np.isfinite(one.values) & np.isfinite(other.values)
    assert known.sum() > 35
    close = np.isclose(one.values[known], other.values[known], atol=0.1)
    assert close.mean() > 0.9
    observed = observed_of(results)
    assert observed.geometry == "linear" and observed.day.tolist() == [0, 2, 4]


def test_observed__results_that_cannot_tell():
    results = nd.analyze(track(), measures=["half_maps"])
    with pytest.raises(ValueError, match=r"smoothed by 4 cm") as refused:
        observed_of(results)
    advice = re.search(r"neurodrift[.]analyze[(]recording, (.*)[)]$", str(refused.value))[1]
    observed_of(nd.analyze(track(), **eval(f"dict({advice})")))  # which can be followed
    with pytest.raises(ValueError, match="no node half_maps"):
        observed_of(nd.analyze(track(), measures=["sparsity"]))


def test_observation_of__results_say_what_the_recording_says():
    recording = testing.linear_track(n_units=12, n_sessions=3, minutes=4)
    results = nd.analyze(recording, measures=["maps"])
    one, other = observation_of(recording), observation_of(results)
    assert (one.n_cells, one.days, one.name) == (other.n_cells, other.days, other.name)
    assert abs(other.events_per_cell[0] / one.events_per_cell[0] - 1) < 0.02
    np.testing.assert_allclose(
        np.sum(other.seconds, axis=0), np.sum(one.seconds, axis=0), rtol=0.02
    )
    np.testing.assert_allclose(other.occupancy, one.occupancy, rtol=0.05)
    with pytest.raises(ValueError, match="hold no maps with the events of every session"):
        observation_of(nd.analyze(recording, measures=["half_maps"]))


def test_observation_of__results_count_the_cells_that_the_recording_counts():
    mouse = nd.testing.linear_track(n_units=12, n_sessions=3, minutes=3)
    mouse = mouse.assign_coords(registered=("unit", np.arange(12) < 8))
    found = nd.observation_of(nd.analyze(mouse, measures=["maps"]))
    assert found.n_cells == nd.observation_of(mouse).n_cells == 8
