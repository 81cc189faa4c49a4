from __future__ import annotations

import dataclasses
import json

import jsonschema
import numpy as np
import pytest

import neurodrift as nd
from neurodrift.cli import main
from neurodrift.schema.yaml import catalog_folder, parse_yaml
from neurodrift.simulate.gradient.engine import train
from neurodrift.simulate.gradient.networks import Network
from neurodrift.simulate.gradient.rules import Rule
from neurodrift.simulate.gradient.settings import RunSettings
from neurodrift.simulate.gradient.tasks import TASKS, predictive_track
from neurodrift.simulate.settings.kinds import read_settings, settings_from_values
from neurodrift.simulate.store import open_measures

TRACK = """\
task: {name: predictive_track, n_samples: 60}
network: {n_hidden: 12}
rule: {update_noise: 1e-1}
n_steps: 2e2
measures: 5
snapshots: [0, 100, 200]
"""


def test_parse_yaml__numbers_lists_and_lines():
    values, source = parse_yaml("a: 1e6\nb:\n  - 1e-3\n  - x: '1e3'\n    y: true\n", "f")
    assert values == {"a": 1_000_000, "b": [0.001, {"x": "1e3", "y": True}]}
    assert isinstance(values["a"], int)
    assert source.line(("b", 1, "y")) == 5
    assert source.line(("b", 1, "unknown")) == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2\n", "line 2: a: stands twice, first on line 1"),
        ("a: [1\nb: 2\n", "f is no YAML: line"),
        ("- 1\n", "expected keys"),
        ("a: !!python/name:os.system x\n", "f is no YAML"),
    ],
)
def test_parse_yaml__faults(text, message):
    with pytest.raises(ValueError, match=message):
        parse_yaml(text, "f")


def test_settings__are_those_of_the_functions():
    settings = settings_from_values(parse_yaml(TRACK, "f")[0])
    run = settings.simulate()
    expected = train(
        predictive_track(n_samples=60),
        network=Network(n_hidden=12),
        rule=Rule(update_noise=0.1),
        n_steps=200,
        measures=5,
        snapshots=[0, 100, 200],
        n_early=0,
    )
    assert run.measures.identical(expected.measures)
    np.testing.assert_array_equal(run.weights["W"], expected.weights["W"])
    changed = dataclasses.replace(settings, divergence="published", dtype="float32").simulate()
    assert changed.measures.attrs["divergence"] == "published"
    assert changed.weights["W"].dtype == "float32"


@pytest.mark.parametrize("name", TASKS)
def test_settings__defaults_are_those_of_the_code(name):
    settings = settings_from_values({"task": {"name": name}})
    task, network, rule = settings.build()
    expected = TASKS[name]()
    np.testing.assert_array_equal(task.inputs, expected.inputs)
    np.testing.assert_array_equal(task.targets, expected.targets)
    assert (network, rule) == (Network(), Rule())
    again = settings_from_values(dataclasses.asdict(settings))  # complete settings are settings
    assert again == settings
    assert json.loads(json.dumps(dataclasses.asdict(settings))) == dataclasses.asdict(settings)


def test_settings_schema__is_one_and_refuses_what_the_code_has_not():
    jsonschema.Draft202012Validator.check_schema(RunSettings.schema())
    values = {
        "task": {"name": "predictive", "n_outputs": 3, "n_samples": 0},
        "rule": {"update_noise": -1, "name": "sgdd"},
        "network": {"n_hidden": 1.5, "activation": "rely"},
        "measures": 0,
        "n_step": 3,
        "hessian": "exact",
        "divergence": "never",
    }
    with pytest.raises(ValueError) as raised:
        settings_from_values(values)
    text = str(raised.value)
    for fault in (
        "task.n_outputs: unknown key",
        "task.n_samples: 0 is less than the minimum of 1",
        "rule.update_noise: -1 is less than the minimum of 0",
        "rule.name: 'sgdd' is not one of",
        "network.n_hidden: 1.5 is not of type 'integer'",
        "network.activation: 'rely' is not one of",
        "measures: expected how many steps",
        "n_step: unknown key; did you mean 'n_steps'?",
        "hessian: 'exact' is not one of",
        "divergence: 'never' is not one of ['lasting', 'published']",
    ):
        assert fault in text
    with pytest.raises(ValueError, match=r"rule.update_noise: nan is not a finite number"):
        settings_from_values({"task": {"name": "random"}, "rule": {"update_noise": float("nan")}})


@pytest.mark.parametrize("name", sorted(path.stem for path in catalog_folder().glob("ratzon*")))
def test_load_settings__published(name):
    settings = read_settings(name)
    assert settings.n_steps >= 1_000_000
    task, _, _ = settings.build()
    assert task.attrs["published_seed"] == 0


def test_load_settings__published_track_is_that_of_the_paper():
    settings = read_settings("ratzon2024-track", {"seed": 3})
    task, network, rule = settings.build()
    assert (task.n_samples, task.n_inputs, task.n_outputs) == (150, 18, 17)
    assert task.targets.var(ddof=1) == pytest.approx(0.331, abs=5e-4)
    assert (network.n_hidden, network.regime, rule.rate, settings.seed) == (500, "lazy", 0.1, 3)


def test_load_settings__unknown_name_lists_the_known():
    with pytest.raises(FileNotFoundError, match="ratzon2024-noise"):
        read_settings("ratzon2024-nose")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rule.batch_size": 61}, "batch_size is 61, but the task has 60 samples"),
        ({"snapshots": [0, 300]}, "step 300 is after n_steps"),
        ({"network.depth": 2, "hessian": "relative"}, "hessian needs a network with one hidden"),
        ({"n_steps.x": 2}, "n_steps: has no keys"),
        ({"device": "gpu"}, "device: 'gpu': expected cpu, cuda, or cuda:0"),
        ({"engine": "numba", "device": "cuda"}, "numba engine computes on the CPU, but device"),
        ({"engine": "numba", "network.depth": 2}, "numba engine does not train a network other"),
        ({"network.n_hidden": 0}, "network.n_hidden: 0 is less than the minimum of 1"),
        ({"network.n_hidden": 10**12}, "snapshots of the weights are .* numbers, too many"),
        ({"network.depth": 10**9}, "snapshots of the weights are .* numbers, too many"),
        ({"task.n_samples": 10**13}, "too large: Unable to allocate"),
        ({"n_steps": 10**14, "measures": 10**13}, "too large: Unable to allocate"),
        ({"dtype": "float16"}, "dtype: 'float16' is not one of"),
        ({"rule.label_noise": -1}, "rule.label_noise: -1 is less than the minimum of 0"),
    ],
)
def test_load_settings__impossible(change, message, tmp_path):
    path = tmp_path / "track.yaml"
    path.write_text(TRACK)
    with pytest.raises(ValueError, match=message):
        read_settings(path, change)


def test_simulate__a_recording_with_measures(tmp_path, capsys):
    config, out = tmp_path / "track.yaml", tmp_path / "run.zarr"
    config.write_text(TRACK)
    words = [
        "simulate",
        str(config),
        "-o",
        str(out),
        "--set",
        "seed=4",
        "--set",
        "hessian=relative",
    ]
    assert main(words) == 0
    assert "finished after 200 steps" in capsys.readouterr().out
    run = read_settings(config, {"seed": 4}).simulate()
    stored = nd.open_recording(out)
    assert stored.load().identical(run.recording())
    for name in ("loss", "active_fraction"):
        np.testing.assert_array_equal(open_measures(out)[name], run.measures[name])
    assert json.loads(open_measures(out).attrs["settings"])["seed"] == 4
    np.testing.assert_array_equal(open_measures(out, "weights")["V"], run.weights["V"])
    assert (open_measures(out, "hessian")["eig_sum"] > 0).all()
    with pytest.raises(FileNotFoundError, match="no phases"):
        open_measures(out, "phases")
    assert main(words) == 2
    assert "exists and was kept" in capsys.readouterr().err


@pytest.mark.parametrize("change", ["n_steps", "=3", "n_steps=[1"])
def test_simulate__bad_change_is_one_error(change, tmp_path, capsys):
    out = tmp_path / "run.zarr"
    assert main(["simulate", "ratzon2024-track", "-o", str(out), "--set", change]) == 2
    assert f"--set {change}" in capsys.readouterr().err
    assert not out.exists()
