from __future__ import annotations

import json
from pathlib import Path

import pytest

import neurodrift as nd
from neurodrift.simulate.continual.settings import ContinualSettings
from neurodrift.simulate.gradient.settings import RunSettings
from neurodrift.simulate.gradient.store import open_measures
from neurodrift.simulate.hebbian.settings import HebbianSettings
from neurodrift.simulate.many import simulate_many
from neurodrift.simulate.settings.kinds import (
    read_simulation,
    save_result,
    settings_of,
    settings_of_sweep,
    settings_text,
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
SEEDS = {"sweep": {"ranges": [{"key": "seed", "integers": [0, 1]}]}}


def test_schemas__are_in_step_with_the_code(tmp_path):
    written, stored = write_schemas(tmp_path), REPOSITORY / "schemas" / "config"
    assert {path.name for path in stored.iterdir()} == {path.name for path in written}
    for path in written:
        assert path.read_text() == (stored / path.name).read_text(), (
            "python -m neurodrift.simulate.settings.kinds schemas/config"
        )


def test_read_simulation__knows_the_kinds(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("simulation: dreaming\n")
    with pytest.raises(ValueError, match="line 1: simulation: is 'dreaming', expected one of grad"):
        read_simulation(path)
    path.write_text("task: {name: random}\n")
    assert read_simulation(path)[0] == "gradient"


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
def test_settings_of__refuses(change, fault):
    with pytest.raises(ValueError, match=fault):
        settings_of(TINY | change)


def test_settings_of_sweep__every_key_may_vary():
    ranges = [
        {"key": "learner", "values": [{"name": "ncl"}, {"name": "ewc", "strength": 3}]},
        {"key": "learner.learning_rate", "log": [0.01, 0.1], "n": 2},
        {"key": "n_steps", "values": [3, 4]},
    ]
    found = settings_of_sweep(TINY | {"sweep": {"ranges": ranges}})
    assert len(found) == 8
    assert [one.learner["name"] for one in found[::4]] == ["ncl", "ewc"]
    assert found[7].learner["learning_rate"] == 0.1 and found[7].n_steps == 4
    with pytest.raises(ValueError, match="learner.x"):
        settings_of_sweep(TINY | {"sweep": {"ranges": [{"key": "learner.x", "values": [1]}]}})


def test_save_result__is_a_recording_with_measures(tmp_path):
    settings = settings_of(TINY)
    path = save_result(settings.simulate(), settings, tmp_path / "run.zarr")
    recording = nd.open_recording(path)
    assert recording.sizes["session"] == 3 and recording["environment"].item() == "4 v 5"
    measures = open_measures(path)
    assert measures["accuracy"].shape == (3, 2)
    assert json.loads(measures.attrs["settings"])["learner"]["name"] == "replay"
    assert open_measures(path, "weights")["C"].shape == (3, 30, 2)
    with pytest.raises(FileExistsError):
        save_result(settings.simulate(), settings, path)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (TINY, "continual"),
        ({"simulation": "hebbian", "inputs": {"name": "ring", "n_positions": 30}}, "hebbian"),
    ],
)
def test_settings_text__begins_with_the_kind(values, kind):
    settings = settings_of(values)
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


def test_simulate_many__resumes_and_keeps_what_is_there(tmp_path):
    settings = settings_of_sweep(TINY | SEEDS)
    said: list[int] = []
    paths = simulate_many(
        settings, tmp_path, n_workers=0, progress=lambda number, text: said.append(number)
    )
    assert said == [0, 1]
    assert "run-001.zarr,,1" in (tmp_path / "runs.csv").read_text()
    first = nd.open_recording(paths[1])["activity"].values
    (paths[0] / "measures" / "zarr.json").unlink()
    with pytest.raises(FileExistsError, match="run-000.zarr was made with other settings"):
        simulate_many(settings, tmp_path, n_workers=0)
    simulate_many(
        settings, tmp_path, n_workers=0, overwrite=True, progress=lambda n, text: said.append(n)
    )
    assert said == [0, 1, 0]
    assert (nd.open_recording(paths[1])["activity"].values == first).all()
    with pytest.raises(ValueError, match="no settings"):
        simulate_many([], tmp_path)


def test_simulate_many__workers_make_the_same(tmp_path):
    settings = settings_of_sweep(TINY | SEEDS)
    here = simulate_many(settings, tmp_path / "here", n_workers=0)
    there = simulate_many(settings, tmp_path / "there", n_workers=2)
    for one, other in zip(here, there, strict=True):
        a, b = nd.open_recording(one), nd.open_recording(other)
        assert (a["activity"].values == b["activity"].values).all()


def test_settings_of__whole_numbers_are_integers():
    settings = settings_of(TINY | {"n_steps": 3.0, "seed": 1.0, "initial_seed": None})
    assert isinstance(settings.n_steps, int) and isinstance(settings.seed, int)
    assert settings.initial_seed is None
    assert settings.simulate().run.measures.sizes["step"] == 3
