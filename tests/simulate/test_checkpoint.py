"""Runs that were interrupted between two checkpoints end as if they had not been."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from neurodrift.simulate import checkpoint as _checkpoint
from neurodrift.simulate.checkpoint import load_state, save_state
from neurodrift.simulate.continual.continual import train_continual
from neurodrift.simulate.continual.learners import LEARNERS, Learner
from neurodrift.simulate.continual.recurrent import RecurrentNetwork
from neurodrift.simulate.continual.strokes import drawn_strokes
from neurodrift.simulate.continual.tasks import stroke_tasks
from neurodrift.simulate.hebbian.hebbian import train_hebbian
from neurodrift.simulate.hebbian.inputs import psp, ring
from neurodrift.simulate.hebbian.network import HebbianNetwork


@pytest.fixture
def interrupted(monkeypatch):
    """Let some checkpoints be written and raise when the next one would be."""
    real = _checkpoint.save

    def arrange(n):
        left = [n]

        def save(*arguments):
            if not left[0]:
                raise KeyboardInterrupt
            left[0] -= 1
            real(*arguments)

        monkeypatch.setattr(_checkpoint, "save", save)

    yield arrange
    monkeypatch.undo()


def assert_same(found, expected):
    assert found.measures.identical(expected.measures)
    assert found.reason == expected.reason
    for name, array in expected.weights.items():
        assert found.weights[name].tobytes() == array.tobytes(), name


SMALL = {"n_steps": 4, "batch_size": 4, "n_fisher": 8, "n_test": 10, "seed": 2}


@pytest.fixture(scope="module")
def tasks():
    return stroke_tasks(drawn_strokes(8), n_tasks=4)


@pytest.mark.parametrize("learner", LEARNERS)
def test_train_continual__resumes_after_each_task(learner, tasks, tmp_path, interrupted):
    options = SMALL | {"network": RecurrentNetwork(n_units=6), "learner": learner}
    expected, file = train_continual(tasks, **options), tmp_path / "state.npz"
    for _ in range(3):
        interrupted(1)
        with pytest.raises(KeyboardInterrupt):
            train_continual(tasks, **options, checkpoint=file)
    interrupted(1)
    assert_same(train_continual(tasks, **options, checkpoint=file), expected)
    interrupted(0)  # all of it stands in the file
    assert_same(train_continual(tasks, **options, checkpoint=file), expected)
    for change in ({"seed": 3}, {"n_fisher": 9}, {"network": RecurrentNetwork(n_units=7)}):
        with pytest.raises(ValueError, match="is the checkpoint of another run"):
            train_continual(tasks, **options | change, checkpoint=file)


def test_train_continual__a_run_that_diverged_stays_so(tasks, tmp_path, interrupted):
    options = SMALL | {"learner": LEARNERS["sgd"](learning_rate=1e300)}
    expected, file = train_continual(tasks, **options), tmp_path / "state.npz"
    assert expected.reason == "diverged"
    assert_same(train_continual(tasks, **options, checkpoint=file), expected)
    interrupted(0)
    assert_same(train_continual(tasks, **options, checkpoint=file), expected)


@dataclass(kw_only=True)
class Odd(Learner):
    def finish(self, weights, examples):
        self.kept = {"last": examples}


def test_train_continual__what_no_checkpoint_can_hold(tasks, tmp_path):
    with pytest.raises(TypeError, match="a checkpoint cannot hold a TaskExamples"):
        train_continual(tasks, learner=Odd(), **SMALL, checkpoint=tmp_path / "state.npz")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("every", [7, 20])
@pytest.mark.parametrize("linear", [False, True])
def test_train_hebbian__resumes_every_so_many_steps(linear, every, tmp_path, interrupted):
    inputs = psp(n_samples=30) if linear else ring(n_positions=40)
    network = HebbianNetwork(
        n_units=3 if linear else 9, response="linear" if linear else "rectified"
    )
    options = {"network": network, "n_steps": 60, "measures": 4, "snapshots": 3, "seed": 1}
    expected, file = train_hebbian(inputs, **options), tmp_path / "state.npz"
    kept = {"checkpoint": file, "checkpoint_every": every}
    for _ in range(2):
        interrupted(1)
        with pytest.raises(KeyboardInterrupt):
            train_hebbian(inputs, **options, **kept)
    interrupted(100)
    found = train_hebbian(inputs, **options, **kept)
    assert_same(found, expected)
    assert found.recording().identical(expected.recording())
    interrupted(0)
    assert_same(train_hebbian(inputs, **options, **kept), expected)
    with pytest.raises(ValueError, match="is the checkpoint of another run"):
        train_hebbian(inputs, **options | {"seed": 2}, **kept)


def test_train_hebbian__checkpoints_need_steps(tmp_path):
    with pytest.raises(ValueError, match="checkpoint_every is 0"):
        train_hebbian(ring(n_positions=5), checkpoint=tmp_path / "x", checkpoint_every=0)


@dataclass
class Pair:
    one: np.ndarray
    other: float


def test_save_state__nested_and_exact(tmp_path):
    state = {
        "array": np.arange(6.0).reshape(2, 3).T,
        "scalar": np.float32(0.1),
        "list": [1, 2.5, None, "x", True, [np.int64(3)]],
        "object": Pair(np.ones(2), 1 / 3),
        "empty": {},
    }
    save_state(tmp_path / "s", "me", state, [Pair])
    found = load_state(tmp_path / "s", "me", [Pair])
    assert list(found) == list(state)
    np.testing.assert_array_equal(found["array"], state["array"])
    assert found["scalar"] == np.float32(0.1) and found["scalar"].dtype == "float32"
    assert found["list"] == state["list"] and found["empty"] == {}
    assert isinstance(found["object"], Pair) and found["object"].other == 1 / 3
    assert load_state(tmp_path / "none", "me") is None
    with pytest.raises(ValueError, match="is the checkpoint of another run"):
        load_state(tmp_path / "s", "you", [Pair])
    with pytest.raises(KeyError):
        load_state(tmp_path / "s", "me")  # only classes that are named are made
