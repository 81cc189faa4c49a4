from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

import neurodrift as nd
from neurodrift.simulate.continual.continual import train_continual
from neurodrift.simulate.continual.learners import NCL, SGD, Learner, Replay
from neurodrift.simulate.continual.recurrent import RecurrentNetwork
from neurodrift.simulate.continual.strokes import drawn_strokes
from neurodrift.simulate.continual.tasks import stroke_tasks, task_sequence_from_arrays
from neurodrift.simulate.continual.trials import TrialSettings

SMALL = {"batch_size": 32, "n_fisher": 64, "n_test": 40}


@pytest.fixture(scope="module")
def tasks():
    return stroke_tasks(drawn_strokes(40), n_tasks=3)


@pytest.fixture(scope="module")
def replay(tasks):
    return train_continual(tasks, learner=Replay(learning_rate=0.02), n_steps=250, **SMALL)


def test_train_continual__replay_remembers_and_plain_descent_forgets(tasks):
    two = type(tasks)(tasks.tasks[:2])
    accuracy = {
        kind: train_continual(two, learner=kind(learning_rate=0.02), n_steps=250, **SMALL)
        .measures["accuracy"]
        .values
        for kind in (SGD, Replay)
    }
    for kind in accuracy:
        assert (np.diag(accuracy[kind][1:]) > 0.85).all()
    assert accuracy[Replay][-1, 0] > 0.9 and accuracy[SGD][-1, 0] < 0.8


def test_train_continual__depends_on_the_seed_alone(tasks):
    runs = [
        train_continual(tasks, learner="ncl", n_steps=5, seed=seed, **SMALL) for seed in (1, 1, 2)
    ]
    for name in ("W", "C"):
        np.testing.assert_array_equal(runs[0].weights[name], runs[1].weights[name])
        assert not np.allclose(runs[0].weights[name], runs[2].weights[name])
    other = train_continual(tasks, learner="ncl", n_steps=5, seed=2, initial_seed=1, **SMALL)
    np.testing.assert_array_equal(other.weights["W"][0], runs[0].weights["W"][0])
    assert not np.allclose(other.weights["W"][1], runs[0].weights["W"][1])


def test_train_continual__first_tasks_do_not_depend_on_later_ones(tasks):
    cut = type(tasks)(tasks.tasks[:2])
    few, many = (
        train_continual(one, n_steps=5, trials=TrialSettings(heads="multi"), **SMALL)
        for one in (cut, tasks)
    )
    recurrent = few.weights["W"][1:]
    assert recurrent.shape == many.weights["W"][1:3].shape
    # outputs of the third task change how the weights are drawn, so only the trials are the same
    assert few.weights["C"].shape[2] == 4 and many.weights["C"].shape[2] == 6


def test_train_continual__multi_head_learns_only_its_own_outputs(tasks):
    run = train_continual(
        tasks,
        learner=SGD(l2=0.0),
        n_steps=5,
        trials=TrialSettings(heads="multi"),
        **SMALL,
    )
    change = np.abs(np.diff(run.weights["C"], axis=0)).sum(axis=1)
    moved = (change > 0).reshape(3, 3, 2).all(axis=2)
    # momentum of a task before moves its outputs on
    assert moved[0].tolist() == [True, False, False] and moved[2].all()


def test_recording__has_the_same_trials_after_every_task(tasks, replay):
    recording = replay.recording("4 v 5", n_trials=8)
    assert recording["session"].values.tolist()[:2] == ["untrained", "after task 1"]
    assert recording["training_step"].values.tolist() == [0, 250, 500, 750]
    slices = nd.slice_sessions(recording)
    lengths = {piece.stop - piece.start for piece in slices}
    assert len(lengths) == 1
    first = recording.isel(time=slices[0])
    for piece in slices[1:]:
        for name in ("trial", "trial_type"):
            np.testing.assert_array_equal(recording[name].values[piece], first[name].values)
    assert np.unique(first["trial"]).size == 8
    types = first["trial_type"].values[np.unique(first["trial"], return_index=True)[1]]
    assert np.bincount(types).tolist() == [4, 4]
    assert recording["accuracy"].values[-1] >= 0.75 and recording.sizes["unit"] == 30
    same = replay.recording(2, n_trials=8)
    np.testing.assert_array_equal(same["activity"], recording["activity"])
    other = replay.recording(2, n_trials=8, probe_seed=1)
    assert not np.allclose(other["activity"], recording["activity"])
    with pytest.raises(ValueError, match="no task '5 v 4': expected 1 to 3, or 2 v 3, 4 v 5"):
        replay.recording("5 v 4")


def test_recording__analysis_runs_unchanged(replay):
    recording = replay.recording(1, n_trials=6)
    results = nd.analyze(recording)
    assert results["sessions"]["loss"].values[0] > results["sessions"]["loss"].values[-1]
    assert "verdict" in nd.detect_phases(results).attrs


def test_train_continual__tasks_of_any_arrays():
    rng = np.random.default_rng(0)
    up, down, apart = np.ones((6, 2)), -np.ones((4, 2)), np.ones((5, 2)) * [1, -1]

    def part(n, kinds):
        return (
            [kinds[i % len(kinds)] + 0.1 * rng.normal() for i in range(n)],
            [i % len(kinds) for i in range(n)],
        )

    tasks = task_sequence_from_arrays(
        {
            name: {"train": part(12, kinds), "test": part(6, kinds)}
            for name, kinds in {"three": [up, down, apart], "two": [apart, up]}.items()
        }
    )
    run = train_continual(
        tasks,
        learner=Replay(learning_rate=0.05),
        n_steps=300,
        trials=TrialSettings(input_noise=0.1),
        network=RecurrentNetwork(n_units=12),
        **SMALL,
    )
    assert (run.measures["accuracy"].values[-1] > 0.9).all()
    assert run.recording("three").sizes["unit"] == 12


def test_train_continual__stops_where_it_diverges(tasks):
    run = train_continual(tasks, learner=SGD(learning_rate=1e9), n_steps=30, **SMALL)
    assert run.reason == "diverged"
    assert run.measures.sizes["snapshot"] == 1 and len(run.weights["W"]) == 1
    assert run.recording().sizes["session"] == 1


def test_weight_change__is_the_distance_of_all_weights(replay):
    found = replay.weight_change()
    flat = np.column_stack([replay.weights[name].reshape(4, -1) for name in ("W", "C")])
    np.testing.assert_allclose(found[1, 3], np.linalg.norm(flat[1] - flat[3]))


@pytest.mark.parametrize(
    ("option", "fault"),
    [
        ({"n_steps": 0}, "n_steps is 0"),
        ({"learner": "x"}, "expected one of sgd, replay, ewc, kfac, ncl"),
        ({"dtype": "float16"}, "dtype is 'float16'"),
    ],
)
def test_train_continual__refuses(tasks, option, fault):
    with pytest.raises(ValueError, match=fault):
        train_continual(tasks, **option)


def test_train_continual__ncl_learns_in_sequence(tasks):
    run = train_continual(tasks, learner=NCL(learning_rate=0.02), n_steps=250, **SMALL)
    accuracy = run.measures["accuracy"].values
    assert accuracy[-1].mean() > 0.8
    assert (accuracy[-1] > np.diag(accuracy[1:]) - 0.25).all()


@dataclass(kw_only=True)
class Anchor(Learner):
    """Every weight is held equally at its value after the task before."""

    strength: float = 0.01

    def start(self, weights, data_size):
        super().start(weights, data_size)
        self.anchor = None

    def gradient(self, weights, examples):
        found = examples.gradient(weights)
        if self.anchor is None:
            return found
        return {
            name: found[name] + self.strength * (weights[name] - self.anchor[name])
            for name in weights
        }

    def finish(self, weights, examples):
        self.anchor = {name: array.copy() for name, array in weights.items()}


def test_train_continual__a_learner_of_your_own_is_a_short_class(tasks):
    loose, tight = (
        train_continual(tasks, learner=Anchor(strength=strength), n_steps=60, **SMALL)
        for strength in (0.0, 3.0)
    )
    assert tight.learner == {
        "name": "Anchor",
        "learning_rate": 0.01,
        "momentum": 0.9,
        "strength": 3.0,
    }
    assert tight.weight_change()[1, 3] < 0.6 * loose.weight_change()[1, 3]


@pytest.mark.parametrize("learner", ["sgd", "replay", "ewc", "kfac", "ncl"])
@pytest.mark.parametrize("heads", ["single", "multi"])
def test_train_continual__odd_shapes(learner, heads):
    one = ([np.ones((1, 1)), -np.ones((1, 1))], [0, 1])
    tasks = task_sequence_from_arrays({"only": {"train": one, "test": one}})
    run = train_continual(
        tasks,
        learner=learner,
        network=RecurrentNetwork(n_units=1, leak=1.0),
        trials=TrialSettings(heads=heads, n_read=1),
        n_steps=2,
        batch_size=1,
        n_fisher=1,
        n_test=1,
        data_size=1,
    )
    assert run.reason == "finished"
    recording = run.recording(n_trials=1)
    assert dict(recording.sizes) == {"session": 2, "time": 8, "unit": 1}
