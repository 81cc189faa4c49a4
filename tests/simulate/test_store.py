from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import zarr

import neurodrift as nd
from neurodrift.cli import main
from neurodrift.simulate.settings.kinds import settings_from_values, settings_text
from neurodrift.simulate.store import open_measures, open_run, save_run

KINDS = {
    "gradient": {
        "task": {"name": "random"},
        "network": {"n_hidden": 6},
        "n_steps": 3000,
        "measures": 4,
        "snapshots": 3,
        "hessian": "relative",
    },
    "continual": {
        "simulation": "continual",
        "tasks": {"name": "drawn", "n_each": 8, "n_tasks": 3},
        "learner": {"name": "replay"},
        "n_steps": 3,
        "batch_size": 4,
        "n_fisher": 8,
        "n_test": 10,
        "probe": {"n_trials": 4, "task": 2},
    },
    "hebbian": {
        "simulation": "hebbian",
        "inputs": {"name": "ring", "n_positions": 40},
        "network": {"n_units": 9},
        "n_steps": 50,
        "measures": 6,
        "snapshots": 4,
    },
    "oja": {"simulation": "oja", "n_steps": 300, "snapshots": 4, "n_probes": 20},
    "fluctuation": {"simulation": "fluctuation", "n_units": 6, "n_sessions": 3},
}


@pytest.mark.parametrize("kind", KINDS)
def test_save_run__is_a_recording_with_groups_and_comes_back(kind, tmp_path):
    settings = settings_from_values(KINDS[kind])
    result = settings.simulate()
    path = save_run(result, settings, tmp_path / "run.zarr")
    assert nd.open_recording(path).load().identical(result.recording())
    again = open_run(path)
    assert again.recording().identical(result.recording())
    assert again.text() == result.text()
    for name, group in result.groups().items():
        stored = open_measures(path, name)
        assert (stored.attrs.pop("settings", None) is not None) == (name == "measures")
        assert stored.equals(group)
        assert again.groups()[name].equals(group)
    assert open_measures(path).attrs["settings"] == settings_text(settings)
    with pytest.raises(FileExistsError):
        save_run(result, settings, path)
    with pytest.raises(FileNotFoundError, match="no phases"):
        open_measures(path, "phases")


def test_open_run__other_places_and_other_stores(tmp_path):
    settings = settings_from_values(KINDS["continual"])
    path = save_run(settings.simulate(), settings, tmp_path / "run.zarr")
    assert open_run(path, {"probe.task": 1}).recording()["environment"].item() == "2 v 3"
    with pytest.raises(FileNotFoundError, match="no measures of a run"):
        open_run(tmp_path)
    attrs = zarr.open_group(path, path="measures", mode="r+").attrs
    attrs.pop("settings")
    with pytest.raises(ValueError, match="run.zarr is damaged: measures"):
        open_run(path)
    shutil.rmtree(path / "manifest")
    with (
        pytest.warns(UserWarning, match="has no manifest"),
        pytest.raises(ValueError, match="is no stored run"),
    ):
        open_run(path)


def test_open_run__without_weights(tmp_path):
    settings = settings_from_values(KINDS["gradient"] | {"weights": False})
    path = save_run(settings.simulate(), settings, tmp_path / "run.zarr")
    assert not (path / "weights").exists()
    with pytest.raises(ValueError, match="was made with weights: false"):
        open_run(path)


@pytest.mark.parametrize("kind", KINDS)
def test_simulate__checkpoint_of_every_kind(kind, tmp_path, capsys):
    config, file, out = tmp_path / "x.yaml", tmp_path / "state.npz", tmp_path / "run.zarr"
    config.write_text(json.dumps(KINDS[kind]))
    words = ["simulate", str(config), "-o", str(out), "--checkpoint", str(file)]
    assert main(words) == 0
    assert file.is_file()
    first = capsys.readouterr().out
    before = file.stat().st_mtime_ns
    assert main([*words, "--overwrite"]) == 0  # from the end of the checkpoint
    assert capsys.readouterr().out == first and file.stat().st_mtime_ns == before
    plain = settings_from_values(KINDS[kind]).simulate()
    np.testing.assert_array_equal(
        nd.open_recording(out)["activity"].values, plain.recording()["activity"].values
    )
    assert main([*words, "--overwrite", "--set", "seed=3"]) == 2
    assert "is the checkpoint of another run" in capsys.readouterr().err
