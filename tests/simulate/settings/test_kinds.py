from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import neurodrift as nd
from neurodrift.simulate.continual.settings import ContinualSettings
from neurodrift.simulate.gradient.settings import RunSettings
from neurodrift.simulate.hebbian.settings import HebbianSettings
from neurodrift.simulate.settings.kinds import (
    KINDS,
    parameters,
    read_settings,
    settings_from_text,
    settings_from_values,
    settings_text,
    settings_values,
    simulate,
    write_schemas,
)

REPOSITORY = Path(__file__).resolve().parents[3]
TINY = {
    "simulation": "continual",
    "tasks": {"name": "drawn", "n_each": 8, "n_tasks": 2},
    "learner": {"name": "replay"},
    "n_steps": 3,
    "batch_size": 4,
    "n_fisher": 8,
    "probe": {"n_trials": 4},
}
SMALL = {
    "gradient": {"task": {"name": "random"}, "n_steps": 20, "measures": 3, "snapshots": 2},
    "continual": TINY,
    "hebbian": {"simulation": "hebbian", "inputs": {"name": "ring", "n_positions": 30}},
    "oja": {"simulation": "oja", "n_steps": 200, "snapshots": 3},
    "fluctuation": {"simulation": "fluctuation", "n_units": 5, "n_sessions": 3},
}


def test_schemas__are_in_step_with_the_code(tmp_path):
    written, stored = write_schemas(tmp_path), REPOSITORY / "schemas" / "config"
    assert {path.name for path in stored.iterdir()} == {path.name for path in written}
    for path in written:
        assert path.read_text() == (stored / path.name).read_text(), (
            "python -m neurodrift.simulate.settings.kinds schemas/config"
        )


def test_read_settings__knows_the_kinds(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("simulation: dreaming\n")
    with pytest.raises(ValueError, match="line 1: simulation: is 'dreaming', expected one of grad"):
        read_settings(path)
    path.write_text("task: {name: random}\n")
    assert read_settings(path).kind == "gradient"
    assert [read_settings(name).kind for name in ("jensen2021", "qin2023-psp")] == [
        "continual", "hebbian"
    ]  # fmt: skip


def test_kinds__settings_import_none_of_them():
    script = (
        "import sys, neurodrift.simulate.settings.kinds, neurodrift.simulate.settings.sweep; "
        "print([n for n in sys.modules if n.startswith(('neurodrift.simulate.gradient', "
        "'neurodrift.simulate.continual', 'neurodrift.simulate.hebbian', "
        "'neurodrift.simulate.synapses'))])"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert found.stdout.strip() == "[]", found.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_settings__are_plain_whole_and_come_back(kind):
    settings = settings_from_values(SMALL[kind])
    assert settings.kind == kind and type(settings).__module__ in KINDS[kind]
    values = json.loads(json.dumps(settings_values(settings)))
    assert settings_from_values(values) == settings  # complete settings are settings
    assert settings_from_text(settings_text(settings)) == settings
    assert parameters(settings)["seed"] == 0 and "simulation" not in parameters(settings)
    made = type(settings)(**{n: v for n, v in SMALL[kind].items() if n != "simulation"})
    assert made == settings


@pytest.mark.parametrize("kind", KINDS)
def test_settings_text__begins_as_it_always_has(kind):
    settings = settings_from_values(SMALL[kind])
    made_by = f'"simulation": "{kind}", "neurodrift_version": "{nd.__version__}", '
    start = "{" + ("" if kind == "gradient" else made_by) + '"label": "", "seed": 0, '
    assert settings_text(settings).startswith(start)
    # the name is the class's own, wherever the class stands
    moved = type(type(settings).__name__, (type(settings),), {"__module__": "elsewhere"})
    assert settings_text(moved(**vars(settings))) == settings_text(settings)


@pytest.mark.parametrize(
    ("kind", "change", "fault"),
    [
        ("gradient", {"rule": {"name": "sed", "update_noise": 0.1}}, "update_noise is for rules"),
        ("gradient", {"rule": {"batch_size": 99}}, "batch_size is 99, but the task has"),
        ("gradient", {"hessian": "relative", "network": {"depth": 2}}, "needs a network with one"),
        ("gradient", {"snapshots": [0, 30]}, "step 30 is after n_steps"),
        ("gradient", {"rule": {"update_nois": 1}}, "rule.update_nois: unknown key; did you mean"),
        ("gradient", {"dtype": "float16"}, "dtype: 'float16' is not one of"),
        ("gradient", {"n_steps": 0}, "n_steps: 0 is less than the minimum of 1"),
        ("continual", {"probe": {"task": 3}}, "probe.task is 3, expected one of the 2 tasks"),
        ("continual", {"network": {"leak": 2}}, "leak is 2.0, expected above 0"),
        ("hebbian", {"rule": {"learning_rate": 2}}, "rule: learning_rate is 2.0"),
        ("hebbian", {"snapshots": [0, 10**6]}, "snapshots has steps 0 to 1000000"),
    ],
)
def test_settings__made_in_python_are_refused_as_the_command_refuses_them(
    kind, change, fault, tmp_path, capsys
):
    given = {n: v for n, v in (SMALL[kind] | change).items() if n != "simulation"}
    classes = {"gradient": RunSettings, "continual": ContinualSettings, "hebbian": HebbianSettings}
    with pytest.raises(ValueError, match=fault):
        classes[kind](**given)
    with pytest.raises(ValueError, match=fault):
        dataclasses.replace(settings_from_values(SMALL[kind]), **change)
    path = tmp_path / "x.yaml"
    path.write_text(json.dumps(SMALL[kind] | change))
    from neurodrift.cli import main

    assert main(["simulate", str(path), "-o", str(tmp_path / "run.zarr")]) == 2
    assert fault in capsys.readouterr().err
    assert not (tmp_path / "run.zarr").exists()


@pytest.mark.parametrize(
    ("kind", "section"), [("gradient", "rule"), ("continual", "learner"), ("hebbian", "rule")]
)
def test_simulate__checks_again(kind, section):
    settings = settings_from_values(SMALL[kind])
    getattr(settings, section)["learning_rate"] = -1.0  # a dict can be changed
    with pytest.raises(ValueError, match="learning_rate is -1.0"):
        simulate(settings)


def test_settings__take_what_python_has():
    rule = {"betas": (0.9, 0.99), "update_noise": np.float64(0.5)}
    settings = RunSettings(task={"name": "random"}, rule=rule, measures=np.array([0, 10]))
    assert settings.rule["betas"] == [0.9, 0.99] and settings.measures == [0, 10]
    assert json.loads(settings_text(settings))["rule"]["update_noise"] == 0.5


def test_simulate__settings_names_and_changes():
    settings = settings_from_values(SMALL["gradient"])
    changed = simulate(settings, {"n_steps": 30, "rule.update_noise": 0.1})
    assert changed.measures.attrs["n_steps"] == 30 and changed.rule.update_noise == 0.1
    assert settings.n_steps == 20 and settings.rule["update_noise"] == 0


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"learner": {"name": "ncl", "l2": 1}}, "learner.l2: unknown key"),
        ({"learner": {"name": "dream"}}, "'dream' is not one of"),
        ({"trials": {"heads": "two"}}, "'two' is not one of"),
        ({"network": {"leak": 2}}, "leak is 2.0, expected above 0"),
        ({"tasks": {"name": "drawn", "n_tasks": 16}}, "n_tasks is 16, expected 1 to 15"),
        ({"probe": {"task": 3}}, "probe.task is 3, expected one of the 2 tasks"),
        ({"n_stepz": 3}, "did you mean 'n_steps'"),
        ({"seed": -1}, "seed: -1 is less than"),
    ],
)
def test_settings_from_values__refuses(change, fault):
    with pytest.raises(ValueError, match=fault):
        settings_from_values(TINY | change)


def test_settings_from_values__whole_numbers_are_integers():
    settings = settings_from_values(TINY | {"n_steps": 3.0, "seed": 1.0, "initial_seed": None})
    assert isinstance(settings.n_steps, int) and isinstance(settings.seed, int)
    assert settings.initial_seed is None
    assert settings.simulate().measures.sizes["step"] == 3


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (TINY, "continual"),
        ({"simulation": "hebbian", "inputs": {"name": "ring", "n_positions": 30}}, "hebbian"),
    ],
)
def test_settings_text__begins_with_the_kind(values, kind):
    settings = settings_from_values(values)
    text = settings_text(settings)
    start = f'{{"simulation": "{kind}", "neurodrift_version": "{nd.__version__}", "label": "", '
    assert text.startswith(start + '"seed": 0, ')
    # the name is the class's own, wherever the class stands
    moved = type(settings.__class__.__name__, (type(settings),), {"__module__": "elsewhere"})
    assert settings_text(moved(**vars(settings))) == text


def test_settings_text__names_of_the_kinds():
    assert (RunSettings.kind, ContinualSettings.kind, HebbianSettings.kind) == (
        *("gradient", "continual", "hebbian"),
    )
