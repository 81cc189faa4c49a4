from __future__ import annotations

import numpy as np
import pytest

from neurodrift.simulate.continual.kronecker import Kronecker
from neurodrift.simulate.continual.learners import EWC, KFAC, LEARNERS, NCL, SGD, Replay
from neurodrift.simulate.continual.recurrent import (
    RecurrentNetwork,
    log_probabilities,
    loss_and_gradient,
    run_network,
)
from neurodrift.simulate.continual.tasks import task_sequence_from_arrays
from neurodrift.simulate.continual.trials import TaskExamples, TrialPool, TrialSettings

N = 50.0
SHAPES = {"W": (5, 3), "C": (3, 2)}  # three units, two inputs, two outputs


class Quadratic:
    """Losses 1/2 |w - target|^2 whose Fisher information is given."""

    def __init__(self, k, seed=0):
        rng = np.random.default_rng([seed, k])
        self.k, self.data_size = k, N
        self.target = {name: rng.normal(size=shape) for name, shape in SHAPES.items()}
        self.earlier = {name: rng.normal(size=shape) for name, shape in SHAPES.items()}
        self.factors = {
            name: Kronecker(*(a @ a.T / n for n in shape for a in [rng.normal(size=(n, 2 * n))]))
            for name, shape in SHAPES.items()
        }
        self.square = {name: rng.gamma(1.0, size=shape) for name, shape in SHAPES.items()}

    def gradient(self, weights):
        return {name: weights[name] - self.target[name] for name in SHAPES}

    def earlier_gradient(self, weights):
        return {name: weights[name] - self.earlier[name] for name in SHAPES}

    def fisher_factors(self, weights):
        return self.factors

    def squared_gradient(self, weights):
        return self.square


def _start(seed=9):
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape) for name, shape in SHAPES.items()}


def _learn(learner, n_steps=4, n_tasks=3):
    weights = _start()
    learner.start(weights, N)
    for k in range(1, n_tasks + 1):
        for _ in range(n_steps):
            learner.step(weights, Quadratic(k))
        learner.finish(weights, Quadratic(k))
    return weights


def _dense_laplace(strength, rate, precondition, n_steps=4, n_tasks=3):
    """Every matrix written out over the flattened weights; the sum of products as the library's."""
    from neurodrift.simulate.continual.kronecker import nearest_sum

    weights = {name: array.ravel() for name, array in _start().items()}
    kept = {
        n: Kronecker(np.eye(s[0]) / np.sqrt(N), np.eye(s[1]) / np.sqrt(N))
        for n, s in SHAPES.items()
    }
    mean = {name: np.zeros_like(array) for name, array in weights.items()}
    momentum = {name: np.zeros_like(array) for name, array in weights.items()}
    for k in range(1, n_tasks + 1):
        task = Quadratic(k)
        for _ in range(n_steps):
            for name in SHAPES:
                dense = np.kron(kept[name].left, kept[name].right)
                gradient = weights[name] - task.target[name].ravel()
                gradient = gradient + strength * dense @ (weights[name] - mean[name])
                momentum[name] = 0.9 * momentum[name] + gradient
                step = (
                    np.linalg.solve(dense, momentum[name]) / N if precondition else momentum[name]
                )
                weights[name] = weights[name] - rate(k) * step
        for name in SHAPES:
            kept[name] = nearest_sum(kept[name], task.factors[name])
            mean[name] = weights[name].copy()
    return {name: array.reshape(SHAPES[name]) for name, array in weights.items()}


def test_ncl__is_the_dense_laplace_approximation_with_its_inverse_as_preconditioner():
    found = _learn(NCL(damping=0.0, learning_rate=0.02, strength=1.3))
    literal = _dense_laplace(1.3, lambda k: 0.02, precondition=True)
    for name in SHAPES:
        np.testing.assert_allclose(found[name], literal[name], rtol=1e-9)


def test_ncl__without_momentum_is_equation_4():
    learner, weights, rate = NCL(damping=0.0, learning_rate=0.02, momentum=0.0), _start(), 0.02
    learner.start(weights, N)
    learner.step(weights, Quadratic(1))
    learner.finish(weights, Quadratic(1))
    before, task = {name: array.copy() for name, array in weights.items()}, Quadratic(2)
    away = {name: array + 0.1 for name, array in before.items()}
    weights.update({name: array.copy() for name, array in away.items()})
    learner.step(weights, task)
    for name, shape in SHAPES.items():
        precision = learner._posterior.precision[name]
        dense = N * np.kron(precision.left, precision.right)  # of N trials
        gradient = (away[name] - task.target[name]).ravel()
        step = np.linalg.solve(dense, gradient) + (away[name] - before[name]).ravel() / N
        expected = away[name] - rate * step.reshape(shape)
        np.testing.assert_allclose(weights[name], expected, rtol=1e-9)


def test_ncl__before_any_task_is_gradient_descent():
    ncl, sgd = _learn(NCL(damping=0.0, strength=0.0), n_tasks=1), _learn(SGD(l2=0.0), n_tasks=1)
    for name in SHAPES:
        np.testing.assert_allclose(ncl[name], sgd[name], rtol=1e-12)


def test_kfac__is_the_dense_laplace_approximation_as_penalty():
    learner = KFAC(optimiser="momentum", learning_rate=0.01, strength=2.0, slowing=5.0)
    literal = _dense_laplace(2.0, lambda k: 0.01 / (1 + 5 * (k - 1)), precondition=False)
    for name, array in _learn(learner).items():
        np.testing.assert_allclose(array, literal[name], rtol=1e-9)


def test_ewc__is_adam_on_the_loss_with_the_penalty():
    import torch

    weights = {name: torch.tensor(array, requires_grad=True) for name, array in _start().items()}
    mean = {name: torch.zeros_like(array) for name, array in weights.items()}
    importance = {name: torch.full_like(array, 1 / N) for name, array in weights.items()}
    adam = torch.optim.Adam(weights.values(), lr=0.01)
    for k in (1, 2, 3):
        task = Quadratic(k)
        for _ in range(4):
            adam.zero_grad()
            loss = sum(
                ((array - torch.tensor(task.target[name])) ** 2).sum() / 2
                + 3 * (importance[name].detach() * (array - mean[name]) ** 2).sum() / 2
                for name, array in weights.items()
            )
            loss.backward()
            adam.step()
        for name, array in weights.items():
            importance[name] = importance[name].detach() + torch.tensor(task.square[name])
            mean[name] = array.detach().clone()
    for name, array in _learn(EWC(strength=3.0, learning_rate=0.01)).items():
        np.testing.assert_allclose(array, weights[name].detach().numpy(), rtol=1e-9)


def test_replay__weighs_this_task_and_those_before_as_equation_6():
    learner, weights = Replay(momentum=0.0, learning_rate=0.1, l2=0.2), _start()
    learner.start(weights, N)
    task, before = Quadratic(4), {name: array.copy() for name, array in weights.items()}
    learner.step(weights, task)
    for name in SHAPES:
        now, past = before[name] - task.target[name], before[name] - task.earlier[name]
        expected = before[name] - 0.1 * (now / 4 + 3 / 4 * past + 0.2 * before[name])
        np.testing.assert_allclose(weights[name], expected)


# ---- what learners are given, on a network of three units


def _tasks(n_tasks=3, n_trials=3):
    rng = np.random.default_rng(1)
    tasks = {}
    for k in range(n_tasks):
        trials = [rng.normal(size=(4 + i, 2)) + k for i in range(2 * n_trials)]
        part = (trials, [0, 1] * n_trials)
        tasks[f"task {k}"] = {"train": part, "test": part}
    return task_sequence_from_arrays(tasks)


NETWORK = RecurrentNetwork(n_units=3, process_noise=0.0)
SHOWN = TrialSettings(n_read=1, input_noise=0.0)


def _examples(task, batch_size=64, n_fisher=4000):
    pool = TrialPool(_tasks(), "train", SHOWN, NETWORK, np.float64)
    weights = NETWORK.initial_weights(5, 2, seed=3)
    weights["C"] *= 3
    return TaskExamples(NETWORK, pool, task, batch_size, n_fisher, N, 0), pool, weights


def test_gradients__of_this_task_and_of_replay_are_unbiased():
    examples, pool, weights = _examples(2)
    exact = [
        loss_and_gradient(NETWORK, weights, pool.batch(pool.of_task(k), None))[1] for k in range(3)
    ]
    for draw, expected in (
        (examples.gradient, exact[2]),
        (examples.earlier_gradient, {n: (exact[0][n] + exact[1][n]) / 2 for n in SHAPES}),
    ):
        drawn = [draw(weights) for _ in range(400)]
        for name in SHAPES:
            values = np.array([one[name] for one in drawn])
            error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
            moves = error > 0
            z = (values.mean(axis=0) - expected[name])[moves] / error[moves]
            assert moves.mean() > 0.3 and np.abs(z).max() < 4.5
            np.testing.assert_allclose(values[0][~moves], expected[name][~moves], atol=1e-12)


def _fisher(pool, weights, task):
    """Every trial, every class by its probability: squares of the whole gradient of each."""
    total = {name: np.zeros((array.size, array.size)) for name, array in weights.items()}
    trials = pool.of_task(task)
    for trial in trials:
        batch = pool.batch(np.array([trial]), None)
        log_p = log_probabilities(weights, batch, run_network(NETWORK, weights, batch))[0, 0]
        for label, p in enumerate(np.exp(log_p)):
            chosen = type(batch)(**{**vars(batch), "labels": np.array([label])})
            _, gradient = loss_and_gradient(NETWORK, weights, chosen)
            for name in total:
                flat = gradient[name].ravel()
                total[name] += p * np.outer(flat, flat) / len(trials)
    return total


def test_squared_gradient__is_the_diagonal_of_the_full_fisher_information():
    examples, pool, weights = _examples(1)
    full, found = _fisher(pool, weights, 1), examples.squared_gradient(weights)
    for name in SHAPES:
        diagonal = np.diag(full[name]).reshape(SHAPES[name] if name == "C" else (8, 3))
        np.testing.assert_allclose(found[name], diagonal, rtol=0.12, atol=0.02 * diagonal.max())


def test_fisher_factors__are_the_literal_averages():
    examples, pool, weights = _examples(1)
    found = examples.fisher_factors(weights)
    trials = pool.of_task(1)
    sums = {key: 0.0 for key in ("z", "h", "r", "y")}
    lengths = []
    for trial in trials:
        batch = pool.batch(np.array([trial]), None)
        activity = run_network(NETWORK, weights, batch)
        p = np.exp(log_probabilities(weights, batch, activity))[0, 0]
        length = len(batch.inputs)
        lengths.append(length)
        z = np.column_stack([activity.before, batch.inputs])
        scale = 1 / (length - 1) / len(trials)
        sums["z"] = sums["z"] + scale * z.T @ z
        sums["r"] = sums["r"] + scale * activity.after.T @ activity.after
        for label in (0, 1):
            wrong = p - np.eye(2)[label]
            h, g = np.zeros((length, 3)), weights["C"] @ wrong
            for t in reversed(range(length)):
                h[t] = NETWORK.leak * g * (activity.current[t] > 0)
                g = (1 - NETWORK.leak) * g + weights["W"][:3] @ h[t]
            sums["h"] = sums["h"] + p[label] * scale * h.T @ h
            sums["y"] = sums["y"] + p[label] * scale * np.outer(wrong, wrong)
    scale = np.sqrt(np.mean(lengths))
    for got, key in (
        (found["W"].left, "z"),
        (found["W"].right, "h"),
        (found["C"].left, "r"),
        (found["C"].right, "y"),
    ):
        np.testing.assert_allclose(
            got, scale * sums[key], rtol=0.1, atol=0.03 * np.abs(scale * sums[key]).max()
        )


def test_learner__refuses():
    for kind in LEARNERS.values():
        with pytest.raises(ValueError, match="learning_rate is -1"):
            kind(learning_rate=-1)
        with pytest.raises(ValueError, match="momentum is 1"):
            kind(momentum=1.0)
    with pytest.raises(ValueError, match="optimiser is 'x'"):
        EWC(optimiser="x")
