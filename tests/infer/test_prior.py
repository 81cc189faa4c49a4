"""Priors: runs that resume and are the same in any order, matched on speed and start."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

import neurodrift as nd
from neurodrift.catalog import priors, simulations
from neurodrift.cli import _options, main
from neurodrift.infer.observation.protocol import Observation
from neurodrift.infer.prior.matching import match_runs
from neurodrift.infer.prior.pace import active_share, drift_speed
from neurodrift.infer.prior.parameters import parameters_of
from neurodrift.infer.prior.settings import read_prior
from neurodrift.infer.prior.store import describe_prior, open_prior, open_prior_run, simulate_prior
from neurodrift.infer.statistics.vector import STATISTICS, statistics_of
from neurodrift.simulate.settings.kinds import settings_from_values

SMALL = {
    "families.gradient.settings.n_steps": 200,
    "families.gradient.settings.measures": 3,
    "families.gradient.ranges": [
        {"key": "network.n_hidden", "integers": [30, 60]},
        {"key": "task.seed", "integers": [0, 99]},
        {"key": "task.n_outputs", "integers": [2, 6]},
    ],
}
RANDOM = "inference-prior-random"
EVERY = ["update noise", "label noise", "input noise", "adam", "rmsprop"]
EVERY += ["stochastic error descent"]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("prior") / "prior.zarr"
    return simulate_prior(RANDOM, path, SMALL, n_runs=12, workers=0)


def test_open_prior__is_what_its_runs_say(store):
    prior = open_prior(store, "many events")
    assert dict(prior.sizes) == {"run": 12, "statistic": len(STATISTICS)}
    assert prior["rule"].values.tolist() == [EVERY[i % 6] for i in range(12)]
    assert set(prior["task"].values) == {"random"}
    assert prior.attrs["observations"] == ["full", "many events", "few events"]
    seen = Observation.from_json(prior.attrs["observation_json"])
    assert seen.n_cells == 200 and seen.events_per_cell == (100.0, 300.0)
    for i in (0, 7):
        run = open_prior_run(store, int(prior["run"][i]))
        values = statistics_of(run.observed(seen), se=False)["value"].values
        np.testing.assert_array_equal(prior["value"].values[i], values)
        assert prior["speed"].values[i] == drift_speed(run.activity)
        # simulated again from its settings, without the store
        recording = settings_from_values(run.settings.run).simulate().recording()
        assert prior["start"].values[i] == active_share(run.activity)
        first = recording["activity"].values.reshape(8, -1, run.activity.shape[1])
        np.testing.assert_allclose(run.activity, first.transpose(0, 2, 1), rtol=1e-6)
    assert prior["n_events"].min() + 60 > 100 and prior["n_events"].max() < 320


def test_open_prior__another_observation_of_the_same_runs(store):
    few = open_prior(store, 2)
    anew = open_prior(store, Observation.from_json(few.attrs["observation_json"]))
    np.testing.assert_array_equal(few["value"].values, anew["value"].values)
    one = open_prior(store, Observation(name="ten cells", n_cells=10))
    assert one["n_cells"].max() == 10 and one.attrs["observation_json"].count("ten cells")
    with pytest.raises(ValueError, match="no observation 'none'; it has 'full', 'many events'"):
        open_prior(store, "none")


def test_open_prior__parameters_and_dose(store):
    prior = open_prior(store, 0)
    for i, run in enumerate(prior["run"].values.tolist()):
        settings = open_prior_run(store, run).settings
        rule, steps = settings.run["rule"], settings.run["snapshots"]
        assert prior["learning_rate"].values[i] == rule["learning_rate"]
        assert prior["start_step"].values[i] == steps[0] and steps[-1] == 200 and len(steps) == 8
        low, high = (0.1, 0.5) if settings.learning == "over" else (0.003, 0.1)
        assert low * 200 - 1 <= steps[0] <= high * 200 + 1
        time = steps[-1] - steps[0]
        expected = np.nan
        if settings.label == "update noise":
            expected = (rule["learning_rate"] * rule["update_noise"]) ** 2 * time
        if settings.label == "label noise":
            n_outputs = settings.run["task"]["n_outputs"]
            expected = (rule["learning_rate"] * rule["label_noise"]) ** 2 * time / n_outputs
        np.testing.assert_allclose(prior["dose"].values[i], expected)


def test_simulate_prior__is_the_same_in_any_order_and_resumes(store, tmp_path, monkeypatch):
    few = simulate_prior(RANDOM, tmp_path / "few.zarr", SMALL, n_runs=7, workers=0)
    long, short = open_prior(store, 1), open_prior(few, 1)
    np.testing.assert_array_equal(long["value"].values[:7], short["value"].values)
    # killed after three runs, then the same call again
    from neurodrift.infer.prior.run import PriorRunSettings

    made = []
    simulate = PriorRunSettings.simulate

    def stopping(self, **options):
        made.append(self.label)
        if len(made) == 4:
            raise KeyboardInterrupt
        return simulate(self, **options)

    monkeypatch.setattr(PriorRunSettings, "simulate", stopping)
    path = tmp_path / "killed.zarr"
    with pytest.raises(KeyboardInterrupt):
        simulate_prior(RANDOM, path, SMALL, n_runs=7, workers=0)
    assert open_prior(path, 1, unfinished=True).sizes["run"] == 3
    simulate_prior(RANDOM, path, SMALL, n_runs=7, workers=0)
    assert len(made) == 4 + 4
    assert open_prior(path, 1).identical(short)


def test_read_prior__tasks_and_kinds_of_the_catalogue():
    runs = read_prior("inference-prior", n_runs=90)
    rules = [run.label for run in runs]
    assert len(set(rules)) == 9 and all(rules.count(rule) == 10 for rule in set(rules))
    tasks = {parameters_of(run.run).task for run in runs}
    assert {"random", "predictive", "predictive_track", "ring", "place_1d", "track"} == tasks
    assert len({run.seed for run in runs}) == 90


def test_catalog__priors_are_no_simulations(capsys):
    assert set(priors()) == {"inference-prior", RANDOM} and not set(priors()) & set(simulations())
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


def test_simulate_prior__runs_that_diverge_are_left_out_and_counted(tmp_path):
    changes = SMALL | {
        "families.gradient.rules.update noise.ranges": [
            {"key": "rule.learning_rate", "values": [1e4]}
        ]
    }
    path = simulate_prior(RANDOM, tmp_path / "p.zarr", changes, n_runs=12, workers=0)
    prior = open_prior(path)
    left = json.loads(prior.attrs["left_out"])
    assert sum(left.values()) == 2 and prior.sizes["run"] == 10
    assert "update noise" not in prior["rule"].values
    assert "left out" in describe_prior(prior)


def test_cli__simulate_prior(tmp_path, capsys):
    words = [RANDOM, "-o", str(tmp_path / "p.zarr"), "--runs", "6", "--workers", "0"]
    words += ["--set", "families.gradient.settings.n_steps=100", "--json"]
    assert main(["simulate-prior", *words]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["rules"] == dict.fromkeys(EVERY, 1)
    assert main(["simulate-prior", "ratzon2024-track", "-o", str(tmp_path / "q.zarr")]) == 2
    assert "is no prior" in capsys.readouterr().err
    wrong = ["--like", str(tmp_path / "p.zarr"), "-o", str(tmp_path / "q.zarr")]
    assert main(["simulate-prior", RANDOM, *wrong]) == 2
    assert "expected a recording or results" in capsys.readouterr().err


def test_cli__like_an_animal(tmp_path, capsys):
    mouse = tmp_path / "mouse.zarr"
    recording = nd.testing.linear_track(n_units=12, n_sessions=3, minutes=4)
    nd.save_recording(recording.assign_coords(subject="M1"), mouse)
    out = tmp_path / "p.zarr"
    words = [RANDOM, "-o", str(out), "--runs", "6", "--workers", "0", "--like", str(mouse)]
    assert main(["simulate-prior", *words, "--set", "families.gradient.settings.n_steps=100"]) == 0
    assert "6 runs of 6 rules" in capsys.readouterr().out
    prior = nd.open_prior(out)
    assert prior.attrs["observations"] == ["M1", "full"]
    seen = nd.Observation.from_json(prior.attrs["observation_json"])
    assert seen == nd.observation_of(recording, "M1") and len(seen.days) == 3
    assert prior["n_cells"].max() == seen.n_cells
    ratio = prior["n_events"].values / seen.events_per_cell[0]
    assert (abs(ratio - 1) < 0.2).all()


# ---- speed, start and matching


def test_drift_speed__by_hand():
    maps = np.array([[0.0, 1.0, 2.0], [2.0, 0.0, 1.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    assert drift_speed(np.array([maps, maps])) == pytest.approx(0, abs=1e-12)
    assert drift_speed(np.array([maps, 7 * maps + 1])) == pytest.approx(0, abs=1e-12)
    expected = 1 - np.mean([np.corrcoef(maps[i], maps[i][::-1])[0, 1] for i in (0, 1)])
    assert drift_speed(np.array([maps, maps[:, ::-1]])) == pytest.approx(expected)
    assert drift_speed(np.array([maps, 0 * maps])) == 1
    assert np.isnan(drift_speed(np.zeros((2, 3, 4))))
    assert active_share(np.array([maps, maps])) == 0.75


def rules_that_differ(n=400, seed=0):
    """Three rules whose speeds overlap in part, one that starts elsewhere."""
    rng = np.random.default_rng(seed)
    rule = np.repeat(["a", "b", "c"], n)
    speed = 10 ** rng.normal(np.repeat([-1.5, -1.0, -1.2], n), 0.4)
    start = np.clip(rng.normal(np.repeat([0.8, 0.8, 0.85], n), 0.05), 0, 1)
    return rule, speed, start


def test_match_runs__every_bin_weighs_the_same_for_every_rule():
    rule, speed, start = rules_that_differ()
    found = match_runs(rule, speed, start, bins=(5, 3))
    assert found.weight.max() == 1 and found.weight.min() == 0
    for low, high in zip(found.speed_edges[:-1], found.speed_edges[1:], strict=True):
        for bottom, top in zip(found.start_edges[:-1], found.start_edges[1:], strict=True):
            inside = (speed > low) & (speed < high) & (start > bottom) & (start < top)
            n = [int((inside & (rule == name)).sum()) for name in "abc"]
            w = [found.weight[inside & (rule == name)].sum() for name in "abc"]
            if min(n) > 3:  # runs on an edge belong to one side
                np.testing.assert_allclose(w, w[0], rtol=0.6)
    totals = [found.weight[rule == name].sum() for name in "abc"]
    np.testing.assert_allclose(totals, totals[0])


def test_match_runs__speed_alone_tells_before_and_hardly_after():
    found = match_runs(*rules_that_differ())
    assert found.accuracy_before > 0.5 and found.accuracy_after < found.accuracy_before - 0.1
    assert found.accuracy_after < 0.42 and found.chance == pytest.approx(1 / 3)


def test_match_runs__nothing_shared_nothing_left():
    rule = np.repeat(["a", "b"], 20)
    speed = np.r_[np.linspace(0.01, 0.02, 20), np.linspace(0.5, 0.6, 20)]
    found = match_runs(rule, speed, np.full(40, 0.5))
    assert not found.weight.any() and found.overlap == 0 and np.isnan(found.accuracy_after)
    assert found.accuracy_before == 1
    assert json.loads(found.to_json())["accuracy_after"] is None


@pytest.mark.parametrize(
    ("rule", "speed", "message"),
    [
        (["a", "a"], [0.1, 0.2], "runs of 1 rule, expected two"),
        (["a", "b"], [0.1, np.nan], "not finite"),
        (["a", "b", "c"], [0.1, 0.2], "have 3, 2 and 2 runs"),
    ],
)
def test_match_runs__refused(rule, speed, message):
    with pytest.raises(ValueError, match=message):
        match_runs(np.array(rule), np.array(speed), np.full(2, 0.5))


def test_prior_run__fewer_sessions_at_the_nearest_times():
    from neurodrift.infer.prior.run import _nearest

    times = np.linspace(0, 7, 8)
    assert _nearest(times, ()).tolist() == list(range(8))
    assert _nearest(times, (0, 2, 4, 6, 8, 10, 14)).tolist() == [0, 1, 2, 3, 4, 5, 7]
    assert _nearest(times, (3, 3.1, 3.2, 10)).tolist() == [0, 1, 2, 7]
    assert _nearest(times, (0, 9.8, 9.9, 10)).tolist() == [0, 5, 6, 7]


def test_open_prior__statistics_of_another_version_are_computed_anew(tmp_path, monkeypatch):
    from neurodrift.infer import prior as priors

    path = nd.simulate_prior(
        "inference-prior-random",
        tmp_path / "prior.zarr",
        {"families.gradient.settings.n_steps": 300},
        n_runs=6,
        workers=0,
    )
    today = nd.open_prior(path, "few events")
    assert today["value"].notnull().any()
    monkeypatch.setattr(priors, "VERSION", 0)
    calls = []
    computed = priors.statistics_of
    monkeypatch.setattr(
        priors, "statistics_of", lambda *a, **k: calls.append(1) or computed(*a, **k)
    )
    with pytest.warns(UserWarning, match="not those of today"):
        anew = nd.open_prior(path, "few events")
    assert len(calls) == today.sizes["run"]
    xr.testing.assert_allclose(anew, today)


def test_parameters__momentum_is_plain_descent_with_a_larger_rate():
    from neurodrift.simulate.settings.kinds import settings_from_values, settings_values

    def dose(**rule):
        run = {"task": {"name": "random"}, "n_steps": 1000, "snapshots": [500, 1000]}
        return parameters_of(settings_values(settings_from_values(run | {"rule": rule}))).dose

    plain = dose(learning_rate=0.1, update_noise=0.2)
    assert dose(learning_rate=0.01, momentum=0.9, update_noise=0.2) == pytest.approx(plain)
