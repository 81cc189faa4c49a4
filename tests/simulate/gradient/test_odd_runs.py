"""Runs at the edges: the smallest sizes, few steps, odd tasks, runs that end early."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import neurodrift as nd
from neurodrift.simulate.curvature.measures import compute_hessian_measures
from neurodrift.simulate.gradient.engine import train
from neurodrift.simulate.gradient.networks import Network
from neurodrift.simulate.gradient.rules import Rule
from neurodrift.simulate.gradient.tasks import Task, predictive_track, random, task_from_arrays

torch = pytest.importorskip("torch")

ENGINES = ["numba", "torch"]
ONE = Task(name="one number", inputs=[[1.0]], targets=[[1.0, 2.0]])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "task",
    [ONE, random(n_samples=1, n_inputs=3, n_outputs=2), random(n_samples=2, n_inputs=1)],
    ids=["one sample and input", "one sample", "one input"],
)
@pytest.mark.parametrize("rule", ["sgd", "adam", "rmsprop", "sed"])
def test_train__smallest_sizes(rule: Any, task: Task, dtype: Any, engine: Any) -> None:
    """One hidden unit, and more looks than steps."""
    noise = 0.0 if rule == "sed" else 0.01
    run = train(
        task,
        network=Network(n_hidden=1),
        rule=Rule(rule, update_noise=noise, label_noise=0.1),
        n_steps=20,
        snapshots=50,
        measures=50,
        engine=engine,
        dtype=dtype,
        seed=1,  # alive at the start
    )
    assert run.reason in ("finished", "dead")
    recording = run.recording()
    made = run.measures.attrs["steps_made"]
    # the step at which a network is found dead has no snapshot
    assert recording.sizes["session"] == (21 if run.reason == "finished" else made)
    assert recording["activity"].dtype == dtype and recording.sizes["unit"] == 1
    nd.analyze(recording)
    curvature = compute_hessian_measures(run)
    assert np.isfinite(curvature["eig_sum"]).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_train__one_step_is_the_gradient(engine: Any) -> None:
    run = train(ONE, network=Network(n_hidden=1), n_steps=1, engine=engine, seed=0)
    start, end = run.snapshot(0), run.snapshot(1)
    h = start["W"][0, 0] + start["b"][0]
    assert h > 0
    error = start["V"][:, 0] * h - [1.0, 2.0]
    np.testing.assert_allclose(end["V"][:, 0], start["V"][:, 0] - 0.1 * error * h, rtol=1e-12)
    assert run.measures["step"].values.tolist() == [0, 1]


@pytest.mark.parametrize("engine", ENGINES)
def test_train__few_steps_and_no_looks(engine: Any) -> None:
    with pytest.raises(ValueError, match="n_steps is 0, expected a whole number of at least 1"):
        train(random(), n_steps=0, engine=engine)
    assert train(random(), n_steps=3, snapshots=100).snapshot_steps.tolist() == [0, 1, 2, 3]
    with pytest.raises(ValueError, match=r"snapshots are \[0, 4\].*from 0 to n_steps = 3"):
        train(random(), n_steps=3, snapshots=[0, 4], engine=engine)
    nothing = train(random(), n_steps=3, snapshots=[], measures=[], engine=engine)
    assert nothing.reason == "finished" and not nothing.weights
    assert nothing.measures.sizes["step"] == 0
    with pytest.raises(ValueError, match="no snapshot to record: it ended after 3 steps"):
        nothing.recording()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("measures", [[], [0], 11])
def test_train__diverged_is_noticed_without_measures(measures: Any, engine: Any) -> None:
    rule = Rule(update_noise=1e5)
    run = train(random(), rule=rule, n_steps=300, snapshots=4, measures=measures, engine=engine)
    assert run.reason == "diverged"
    assert run.snapshot_steps.tolist() == [0]
    assert all(np.isfinite(array).all() for array in run.weights.values())
    assert nd.compute_sparsity(run.recording()).sizes["session"] == 1
    at_end = train(random(), rule=rule, n_steps=300, snapshots=[], measures=[], engine=engine)
    assert (at_end.reason, at_end.measures.attrs["steps_made"]) == ("diverged", 300)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("measures", [[0], 11])
def test_train__dead_at_the_first_step(measures: Any, engine: Any) -> None:
    """A large step takes the bias below zero, and no input can bring it back."""
    task = Task(name="zeros", inputs=np.zeros((2, 1)), targets=[[0.0, 1], [1, 0]])
    options: dict[str, Any] = {"network": Network(n_hidden=2), "rule": Rule(learning_rate=50.0)}
    run = train(task, n_steps=10, snapshots=11, measures=measures, engine=engine, seed=3, **options)
    assert (run.reason, run.measures.attrs["steps_made"]) == ("dead", 1)
    assert run.snapshot_steps.tolist() == [0]
    assert run.recording().sizes["session"] == 1


@pytest.mark.parametrize(
    ("inputs", "targets", "message"),
    [
        ([[1, np.nan]], [[1.0, 2]], r"inputs have 1 NaN or infinite values, the first at \(0, 1\)"),
        (np.ones((3, 2)), lambda x: x * np.inf, "targets have 6 NaN or infinite values"),
        (np.ones((0, 2)), np.ones((0, 1)), r"inputs have shape \(0, 2\)"),
        ([["a"]], [[1.0]], "inputs are no array of numbers: could not convert"),
        ([[1.0]], [[1.0], [2.0, 3.0]], "targets are no array of numbers"),
        ([[1.0], [2.0]], [[1.0]], "inputs have 2 samples .* but targets 1"),
    ],
)
def test_task__of_a_user_with_a_fault(inputs: Any, targets: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        task_from_arrays(inputs, targets)


def module(n_inputs: int, n_outputs: int) -> Any:
    layers = torch.nn
    return layers.Sequential(
        layers.Linear(n_inputs, 8),
        layers.Tanh(),
        layers.Linear(8, 6),
        layers.ReLU(),
        layers.Linear(6, n_outputs),
    )


@pytest.mark.parametrize(
    ("network", "n_units"),
    [
        (Network(module=module, hidden_layer="3"), 6),
        (Network(depth=3, n_hidden=7), 7),
        (Network(depth=3, n_hidden=7, hidden_layer="hidden1"), 7),
    ],
    ids=["module", "last of three", "first of three"],
)
def test_analyze__hidden_layer_of_any_network(network: Network, n_units: int) -> None:
    task = predictive_track(n_samples=60)
    run = train(task, network=network, rule=Rule("adam", batch_size=20), n_steps=30, snapshots=3)
    recording = run.recording()
    assert recording.sizes["unit"] == n_units
    results = nd.analyze(recording)
    information = results["sessions"]["information_informative"].values
    assert (information > 0).all() and information.shape == (3,)
