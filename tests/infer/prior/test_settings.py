from __future__ import annotations

import numpy as np
import pytest

from neurodrift.catalog import priors, simulations
from neurodrift.cli import _options, main
from neurodrift.infer.observation.protocol import Observation
from neurodrift.infer.prior.parameters import parameters_of
from neurodrift.infer.prior.settings import read_prior

RANDOM = "inference-prior-random"


def test_read_prior__tasks_and_kinds_of_the_catalogue():
    runs = read_prior("inference-prior", n_runs=90)
    rules = [run.label for run in runs]
    assert len(set(rules)) == 9 and all(rules.count(rule) == 10 for rule in set(rules))
    tasks = {parameters_of(run.run).task for run in runs}
    assert {"random", "predictive", "predictive_track", "ring", "place_1d", "track"} == tasks
    assert len({run.seed for run in runs}) == 90


def test_catalog__priors_are_no_simulations(capsys):
    assert set(priors()) == {"inference-prior", "inference-prior-published", RANDOM} and not set(
        priors()
    ) & set(simulations())
    assert _options.priors() == sorted(priors()) and RANDOM not in _options.published()
    assert main(["catalog", "list"]) == 0
    assert f"{RANDOM}: The random task of the inference prior" in capsys.readouterr().out


def test_read_prior__sessions_lie_as_the_days_do():
    seen = Observation(days=(0, 1, 2, 10))
    runs = read_prior("inference-prior", n_runs=9, observations=[seen])
    for run in runs:
        if run.sessions:
            assert run.run["n_sessions"] == 64 and run.sessions == [0, 6, 13, 63]
        else:
            steps = np.array(run.run["snapshots"])
            share = (steps - steps[0]) / (steps[-1] - steps[0])
            np.testing.assert_allclose(share, [0, 0.1, 0.2, 1], atol=1e-3)
    made = next(run for run in runs if run.sessions).simulate()
    assert made.activity.shape[0] == 4
    # also where the observation has no days of its own
    assert made.observed(Observation.full()).day.tolist() == [0, 6, 13, 63]
    assert made.observed(seen).day.tolist() == [0, 1, 2, 10]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"prior.n_runs": 0}, "prior.n_runs: 0 is less than the minimum"),
        ({"prior.n_run": 3}, "unknown key; did you mean 'n_runs'"),
        ({"observations": [{"n_cells": -1}]}, r"observations\[0\]: not an observation"),
        ({"observations": [{}, {}]}, "names stand twice"),
        ({"families.gradient.rules.adam.settings.n_step": 3}, "the rule 'adam'.*\n?.*n_step"),
        ({"families.gradient.rules.adam.ranges": [{"key": "x", "values": [1]}]}, "rule 'adam'"),
        ({"families.gradient.settings.n_steps": 5}, "too few for sessions"),
        ({"families.other.rules.oja.settings.simulation": "oja"}, "is oja, expected gradient"),
    ],
)
def test_read_prior__refused(changes, message):
    with pytest.raises(ValueError, match=message):
        read_prior(RANDOM, changes, n_runs=None if "prior.n_runs" in changes else 12)


def test_read_prior__settings_of_a_simulation_are_none():
    with pytest.raises(ValueError, match="is no prior but settings of a simulation"):
        read_prior("ratzon2024-track")
