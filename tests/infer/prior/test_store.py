from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

import neurodrift as nd
from neurodrift.cli import main
from neurodrift.infer.observation.protocol import Observation
from neurodrift.infer.prior.pace import active_share, drift_speed
from neurodrift.infer.prior.store import describe_prior, open_prior, open_prior_run, simulate_prior
from neurodrift.infer.statistics.vector import STATISTICS, statistics_of
from neurodrift.schema import structure_faults
from neurodrift.schema.inference import PRIOR
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
    assert structure_faults(prior, PRIOR) == [] and set(prior.variables) <= set(PRIOR)
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
    assert main(["simulate-prior", *words[:-1], "--runs", "7"]) == 2
    said = capsys.readouterr().err
    assert "exists and was kept" in said and "not made longer in its place" in said
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


def test_open_prior__statistics_of_another_version_are_computed_anew(tmp_path, monkeypatch):
    from neurodrift.infer.prior import store as priors

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


def test_describe_prior__the_example_and_what_is_too_few(store):
    said = describe_prior(nd.examples.read_prior())
    assert said.startswith("300 runs of 5 rules") and "have counterparts" in said
    assert "too few" not in said
    prior = nd.examples.read_prior().isel(run=slice(75)).drop_attrs()
    weight = prior["weight"].where(prior["rule"] != "adam", 0.0)
    said = describe_prior(prior.assign(weight=weight))
    assert "too few with matched speeds" in said and "--as-drawn" in said and "adam has 0" in said
    assert "needs 10 runs of each rule: adam has 2" in describe_prior(open_prior(store))


def test_simulate_prior__is_not_made_longer_in_its_place(store):
    with pytest.raises(FileExistsError, match="a store of its own"):
        simulate_prior(RANDOM, store, SMALL, n_runs=13, workers=0)
    assert open_prior(store).sizes["run"] == 12
