from __future__ import annotations

from pathlib import Path

import jsonschema
import numpy as np
import pytest

from neurodrift.schema.yaml import catalog_folder, parse_yaml
from neurodrift.simulate.gradient.settings import RunSettings
from neurodrift.simulate.settings.kinds import read_settings
from neurodrift.simulate.settings.sweep import (
    read_sweep,
    sweep_from_values,
    sweep_of,
    sweep_schema,
)

SCHEMAS = Path(__file__).resolve().parents[3] / "schemas" / "config"


def sweep(ranges, **options):
    return sweep_from_values(
        {"task": {"name": "random"}, "n_steps": 100, "sweep": {"ranges": ranges} | options}
    )


def test_sweep_schema__is_a_schema():
    jsonschema.Draft202012Validator.check_schema(sweep_schema(RunSettings))


def test_grid__every_combination_the_last_fastest():
    config = sweep(
        [
            {"key": "network.n_hidden", "integers": [3, 4]},
            {"key": "rule.update_noise", "linear": [0, 1], "n": 3},
        ]
    )
    pairs = [(run.network["n_hidden"], run.rule["update_noise"]) for run in config.runs]
    assert pairs == [(h, s) for h in (3, 4) for s in (0.0, 0.5, 1.0)]
    assert config.varied == (
        "label",
        "seed",
        "task.name",
        "network.n_hidden",
        "rule.name",
        "rule.update_noise",
    )


def test_grid__when_and_whole_sections():
    config = sweep(
        [
            {"key": "task", "values": [{"name": "smoothed"}, {"name": "predictive"}]},
            {"key": "task.n_outputs", "values": [2, 3], "when": {"task.name": "smoothed"}},
            {"key": "label", "values": ["x"], "when": {"task.n_outputs": [3]}},
        ]
    )
    found = [(r.task["name"], r.task.get("n_outputs"), r.label) for r in config.runs]
    assert found == [("smoothed", 2, ""), ("smoothed", 3, "x"), ("predictive", None, "")]


def test_random__a_longer_sweep_begins_with_the_shorter_one():
    ranges = [
        {"key": "rule.update_noise", "log": [0.01, 0.1]},
        {"key": "rule.learning_rate", "linear": [0.05, 0.15]},
        {"key": "task.n_samples", "integers": [2, 9]},
        {"key": "network.regime", "values": ["rich", "lazy"]},
        {"key": "seed", "integers": [0, 2**32 - 1]},
    ]
    short, long = (sweep(ranges, draw="random", n_runs=n, seed=3).runs for n in (5, 400))
    assert long[:5] == short
    noise = np.log10([run.rule["update_noise"] for run in long])
    assert -2 <= noise.min() < -1.95 and -1.05 < noise.max() <= -1
    assert noise.mean() == pytest.approx(-1.5, abs=3 * (1 / 12 / 400) ** 0.5)
    assert {run.task["n_samples"] for run in long} == set(range(2, 10))
    assert {run.network["regime"] for run in long} == {"rich", "lazy"}
    assert len({run.seed for run in long}) == 400
    rates = np.array([run.rule["learning_rate"] for run in long])
    assert abs(np.corrcoef(noise, rates)[0, 1]) < 0.2
    assert sweep(ranges, draw="random", n_runs=5, seed=4).runs != short


def test_fingerprint__of_what_decides_only():
    one = {"key": "rule.update_noise", "values": [0, 1]}
    same = {"key": "rule.update_noise", "linear": [0.0, 1.0], "n": 2}
    other = {"key": "rule.update_noise", "values": [0, 2]}
    prints = [sweep([r]).fingerprint for r in (one, same, other)]
    assert prints[0] == prints[1] != prints[2]
    assert sweep([one], runs_per_task=2).fingerprint != prints[0]


@pytest.mark.parametrize(
    ("name", "n_runs", "tasks"),
    [
        ("ratzon2024-noise", 150, 3),
        ("ratzon2024-label-update", 396, 5),
        ("ratzon2024-random", 1000, 5),
        ("ratzon2024-track", 5, 1),
    ],
)
def test_load_sweep__published(name, n_runs, tasks):
    config = read_sweep(name)
    assert len(config.runs) == n_runs
    assert len({run.task["name"] for run in config.runs}) == tasks
    assert all(run.rule["label_noise_kind"] == "uniform" for run in config.runs
               if run.rule["label_noise"])  # fmt: skip
    assert all(
        run.task["aliased_targets"] for run in config.runs if run.task["name"] == "predictive"
    )


def test_load_sweep__every_published_file_is_tried():
    names = {path.stem for path in catalog_folder().glob("ratzon2024-*.yaml")}
    assert {f"ratzon2024-{n}" for n in ("noise", "label-update", "random", "track")} == names


def test_load_sweep__noise_series_is_that_of_the_table(shared_data):
    import pandas as pd

    table = pd.read_csv(shared_data / "driftreg" / "SGD_update_noise.csv")
    ours = {(r.task["name"], round(r.rule["update_noise"], 12)) for r in
            read_sweep("ratzon2024-noise").runs}  # fmt: skip
    theirs = set(zip(table["data_type"], table["update_noise"].round(12), strict=True))
    assert theirs < ours
    assert len(theirs) == 118


def test_load_sweep__pairs_differ_in_the_noise_only():
    groups = {}
    for run in read_sweep("ratzon2024-label-update").runs:
        rest = (str(run.task), str(run.network), run.seed)
        groups.setdefault(rest, []).append((run.rule["update_noise"], run.rule["label_noise"]))
    assert all(noises == [(0.03, 0.0), (0.0, 1.0)] for noises in groups.values())


FAULTS = {
    "[{key: rule.update_noise}]": r"line 4: .*the range is missing: give exactly one of values",
    "[{key: rule.update_noise, log: [1, 2], linear: [1, 2], n: 2}]": "exactly one of",
    "[{key: rule.update_noise, linear: [-0.1, 0.1], n: 3}]": (
        r"line 4: sweep.ranges\[0\]: rule.update_noise: -0.1 is less than the minimum of 0"
    ),
    "[{key: rule.update_noise, log: [0, 0.1], n: 3}]": "less than or equal to the minimum of 0",
    "[{key: rule.update_noise, log: [0.1, 1]}]": "n, the number of values in the grid, is missing",
    "[{key: rule.update_noise, linear: [2, 1], n: 2}]": r"\[2, 1\] is not \[low, high\]",
    "[{key: rule.update_nois, values: [1]}]": "rule.update_nois: unknown key; did you mean",
    "[{key: sweep.seed, values: [1]}]": (
        r"line 4: sweep.ranges\[0\].key: 'sweep.seed': expected label, seed, task, network, rule, "
        r"n_steps, .*weights, or an option such as rule.NAME$"
    ),
    "[{key: n_steps, values: [10, 0]}]": (
        r"n_steps: 0 is less than the minimum of 1 \(first in run 1, task random\)"
    ),
    "[{key: seed, integers: [0, 9], n: 3}]": "leave n out",
    "[{key: seed, values: [0, 9], n: 3}]": "leave n out",
    "[{key: seed, integers: [0, 10000000]}]": "expected at most 1000000",
    "[{key: seed, values: []}]": "values",
    "[]": "ranges",
    "[{key: network.n_hidden, values: [0]}]": "0 is less than the minimum of 1",
    "[{key: task.n_samples, values: [5, 1]}]": r"the targets .*\(first in run 1, task random\)",
    "[{key: rule.name, values: [sed]}]": "update_noise is for rules with a gradient",
    "[{key: rule, values: [3]}]": "rule: 3 is not of type 'object'",
}


@pytest.mark.parametrize("ranges", FAULTS)
def test_load_sweep__faults(ranges, tmp_path):
    path = tmp_path / "sweep.yaml"
    path.write_text(
        "task: {name: random, n_outputs: 1}\nrule: {update_noise: 0.1}\nsweep:\n"
        f"  ranges: {ranges}\n"
    )
    with pytest.raises(ValueError, match=FAULTS[ranges]) as raised:
        read_sweep(path)
    assert str(path) in str(raised.value)


def test_load_sweep__random_needs_a_number_of_runs_and_a_grid_none():
    seed = {"key": "seed", "integers": [0, 3]}
    with pytest.raises(ValueError, match="n_runs, the number of runs, is missing"):
        sweep([seed], draw="random")
    with pytest.raises(ValueError, match=r"sweep.n_runs: a grid has as many runs"):
        sweep([seed], n_runs=3)


def test_parse_yaml__catalogs_have_no_text_numbers():
    for path in catalog_folder().glob("*.yaml"):
        values, _ = parse_yaml(path.read_text(), str(path))
        assert isinstance(values.get("n_steps", 0), int)


CONTINUAL = {
    "simulation": "continual",
    "tasks": {"name": "drawn", "n_each": 8, "n_tasks": 2},
    "learner": {"name": "replay"},
}


def test_sweep_from_values__every_key_of_every_kind_may_vary():
    ranges = [
        {"key": "learner", "values": [{"name": "ncl"}, {"name": "ewc", "strength": 3}]},
        {"key": "learner.learning_rate", "log": [0.01, 0.1], "n": 2},
        {"key": "n_steps", "values": [3, 4]},
    ]
    found = sweep_from_values(CONTINUAL | {"sweep": {"ranges": ranges}}).runs
    assert len(found) == 8
    assert [one.learner["name"] for one in found[::4]] == ["ncl", "ewc"]
    assert found[7].learner["learning_rate"] == 0.1 and found[7].n_steps == 4
    with pytest.raises(ValueError, match=r"learner.x: unknown key.*\(first in run 0, tasks drawn"):
        sweep_from_values(CONTINUAL | {"sweep": {"ranges": [{"key": "learner.x", "values": [1]}]}})
    with pytest.raises(ValueError, match="expected one of gradient, continual, hebbian"):
        sweep_from_values({"simulation": "dreaming", "sweep": {"ranges": ranges}})


def test_sweep_from_values__a_check_is_put_down_to_its_run():
    seds = {"key": "rule.name", "values": ["sgd", "sed"]}
    with pytest.raises(
        ValueError, match=r"update_noise is for rules .*first in run 1, task random"
    ):
        sweep_from_values(
            {"task": {"name": "random"}, "rule": {"update_noise": 0.1}, "sweep": {"ranges": [seds]}}
        )


def test_sweep_of__kinds_and_sizes_may_differ():
    runs = [
        read_settings("ratzon2024-track", {"n_steps": 100}),
        read_settings("qin2023-ring"),
        read_settings("qin2023-ring", {"n_steps": 500, "snapshots": 3}),
    ]
    config = sweep_of(runs)
    assert config.runs == tuple(runs) and config.runs_per_task == 1
    assert {"simulation", "n_steps", "task.name", "inputs.name"} <= set(config.varied)
    assert sweep_of(runs, runs_per_task=2).fingerprint != config.fingerprint
    with pytest.raises(ValueError, match="expected those of one run or more"):
        sweep_of([])


@pytest.mark.parametrize("hessian", [None, "relative"])
def test_runs_per_task__large_sweeps_have_two_files_a_run_or_fewer(hessian):
    seeds = {"ranges": [{"key": "seed", "integers": [0, 999]}]}
    values = {"task": {"name": "random"}, "n_steps": 10, "measures": 2, "snapshots": 2}
    config = sweep_from_values(values | {"hessian": hessian, "sweep": seeds})
    n_files = 3 + len(config.runs[0].outline().data_vars)
    assert n_files / config.runs_per_task <= 2
    assert len(config.runs) / config.runs_per_task >= 100  # enough tasks for many workers
    few = sweep_of(config.runs[:99])
    assert few.runs_per_task == 1


def test_runs_per_task__fit_into_memory():
    seeds = {"ranges": [{"key": "seed", "integers": [0, 999]}]}
    values = {"task": {"name": "random"}, "network": {"n_hidden": 10_000}, "snapshots": 101}
    config = sweep_from_values(values | {"sweep": seeds})
    assert config.runs[0].n_bytes() > 2**27
    assert config.runs_per_task == 1
