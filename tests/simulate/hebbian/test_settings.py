from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from neurodrift import open_recording
from neurodrift.simulate.hebbian.settings import HebbianSettings
from neurodrift.simulate.settings.kinds import (
    read_config,
    read_settings,
    settings_from_values,
)
from neurodrift.simulate.settings.sweep import read_sweep
from neurodrift.simulate.store import open_measures, save_run

RING = {"simulation": "hebbian", "inputs": {"name": "ring", "n_positions": 30}}


@pytest.mark.parametrize("name", ["ring", "place-1d", "place-2d", "psp"])
def test_catalog__published_settings(name: str) -> None:
    values, _ = read_config(f"qin2023-{name}")
    assert "https://doi.org/10.1038/s41593-022-01225-z" in values["description"]
    runs = read_sweep(f"qin2023-{name}").runs
    assert [run.seed for run in runs] == [0, 1, 2]
    assert read_settings(f"qin2023-{name}") == runs[0]
    inputs, network, _ = runs[0].build()
    assert inputs.n_features == {"ring": 2, "place-1d": 270, "place-2d": 750, "psp": 10}[name]
    assert network.n_units == (3 if name == "psp" else 200)


def test_settings__are_plain_and_whole() -> None:
    settings = settings_from_values(RING | {"network": {"alpha": 1}, "rule": {"lateral_noise": 0}})
    plain = json.loads(json.dumps(dataclasses.asdict(settings)))
    given = {name: plain[name] for name in HebbianSettings.schema()["properties"] if name in plain}
    assert settings_from_values({"simulation": "hebbian"} | given) == settings
    assert isinstance(settings.network["alpha"], float)
    assert {"inputs", "network", "rule"} <= set(HebbianSettings.schema()["properties"])


def test_settings__stored_run(tmp_path) -> None:
    values = RING | {"network": {"n_units": 12}, "n_steps": 60, "snapshots": 3, "measures": 4}
    settings = settings_from_values(values)
    run = settings.simulate()
    path = save_run(run, settings, tmp_path / "run.zarr")
    stored = open_recording(path).load()
    assert (stored["activity"].values == run.recording()["activity"].values).all()
    assert (open_measures(path)["loss"] == run.measures["loss"]).all()
    weights = open_measures(path, "weights")
    np.testing.assert_array_equal(weights["M"].values, run.weights["M"])
    assert run.text().startswith("ring, 12 rectified units, seed 0: 60 steps\nloss ")


@pytest.mark.parametrize(
    ("changes", "messages"),
    [
        ({"inputs": {"name": "sphere"}}, ["inputs.name: 'sphere' is not one of"]),
        ({"inputs": {"name": "ring", "lenght": 1}}, ["did you mean 'length'"]),
        ({"rule": {"learning_rate": -1, "forward_noise": -1}}, ["learning_rate", "forward_noise"]),
        (
            {"rule": {"learning_rate": 2}, "snapshots": [0, 10**6], "network": {"lam2": -0.1}},
            ["rule: learning_rate is 2.0", "snapshots has steps 0 to 1000000", "lam2 is -0.1"],
        ),
        ({"network": {"response": "linear", "lam1": 0.1}}, ["network: linear units have no"]),
        ({"inputs": {"name": "psp", "variances": [1, 2]}}, ["inputs: variances are"]),
        ({"fixed_point": "guess"}, ["fixed_point: 'guess'"]),
        ({"network": {"n_units": 200_000}}, ["numbers, too many"]),
        ({"sweep": {}}, ["sweep: unknown key"]),
    ],
)
def test_settings__every_fault_in_one_error(changes, messages) -> None:
    with pytest.raises(ValueError) as error:
        settings_from_values(RING | changes)
    for message in messages:
        assert message in str(error.value)
