"""Dropout of units: step by step, what is left out, the analysis, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import neurodrift as nd
from neurodrift.seeds import generator
from neurodrift.simulate.gradient.engine import train, train_ensemble
from neurodrift.simulate.gradient.networks import Network, initialise
from neurodrift.simulate.gradient.rules import Rule
from neurodrift.simulate.gradient.tasks import random


def test_train__equals_the_definition_step_by_step():
    task = random(n_samples=7, n_inputs=5, n_outputs=3)
    p, rate, n_hidden, seed = 0.4, 0.1, 6, 5
    weights = initialise(5, n_hidden, 3, seed=seed)
    W, b, V = (weights[name].copy() for name in "WbV")
    x, wanted = task.inputs, task.targets
    for step in range(20):
        kept = generator(seed, "dropout", step).random((7, n_hidden), dtype=np.float32) >= p
        gW, gb, gV = np.zeros_like(W), np.zeros_like(b), np.zeros_like(V)
        for i in range(7):
            drive = W @ x[i] + b
            mask = kept[i] / (1 - p)
            hidden = np.maximum(drive, 0) * mask
            error = 2 * (V @ hidden - wanted[i]) / wanted.size
            gV += np.outer(error, hidden)
            back = (V.T @ error) * mask * (drive > 0)
            gW += np.outer(back, x[i])
            gb += back
        W, b, V = W - rate * gW, b - rate * gb, V - rate * gV
    rule = Rule(learning_rate=rate, node_dropout=p)
    network = Network(n_hidden=n_hidden)
    options = {"n_steps": 20, "snapshots": [20], "seed": seed, "engine": "torch"}
    run = train(task, network=network, rule=rule, **options)
    for name, literal in (("W", W), ("b", b), ("V", V)):
        np.testing.assert_allclose(run.snapshot(20)[name], literal, rtol=0, atol=1e-9)


def test_train__fast_engine_makes_the_same_step_by_masks_of_its_own():
    task = random(n_samples=7, n_inputs=5, n_outputs=3)
    network, p, rate = Network(n_hidden=40), 0.4, 0.1
    runs = train_ensemble(
        task, network=network, rule=Rule(learning_rate=rate, node_dropout=p), n_steps=1,
        snapshots=[0, 1], seed=list(range(300)), weights=initialise(5, 40, 3), engine="numba",
    )  # fmt: skip
    W, b, V = (runs[0].weights[name][0] for name in "WbV")
    hidden = np.maximum(task.inputs @ W.T + b, 0)
    # mean and spread of the gradient of V over masks, worked out: masks are 0 or 1 / (1 - p)
    jumps = np.stack([(run.weights["V"][1] - V) / -rate for run in runs])
    masks = (np.random.default_rng(0).random((4000, 7, 40)) >= p) / (1 - p)
    error = 2 * ((masks * hidden) @ V.T - task.targets) / task.targets.size
    slopes = np.einsum("msk,msj->mkj", error, masks * hidden)
    backs = (error @ V) * masks * (hidden > 0)
    slopes_b, jumps_b = backs.sum(axis=1), np.stack([(r.weights["b"][1] - b) / -rate for r in runs])
    for found, wanted in ((jumps, slopes), (jumps_b, slopes_b)):
        spread = wanted.std(axis=0)
        z = (found.mean(axis=0) - wanted.mean(axis=0)) / (spread / np.sqrt(300) + 1e-12)
        assert abs(z).max() < 5
        moving = spread > 0
        np.testing.assert_allclose(found.std(axis=0)[moving], spread[moving], rtol=0.3)


def test_train__masks_are_of_the_recorded_layer_and_measures_of_the_whole_network():
    task = random(n_samples=4, n_inputs=5, n_outputs=3)
    deep = Network(n_hidden=8, depth=2)
    a, b = (
        train(task, network=deep, rule=Rule(node_dropout=p), n_steps=5, snapshots=[0, 5])
        for p in (0.0, 0.5)
    )
    np.testing.assert_array_equal(a.weights["W1"][0], b.weights["W1"][0])
    assert not np.allclose(a.weights["V"][-1], b.weights["V"][-1])
    assert a.measures["loss"].values[0] == pytest.approx(b.measures["loss"].values[0], rel=1e-12)


@pytest.mark.parametrize("engine", ["numba", "torch"])
def test_train__is_the_same_in_any_company(engine):
    task = random(n_samples=4, n_inputs=5, n_outputs=3)
    rule = Rule(node_dropout=0.3)
    options = {"network": Network(n_hidden=8), "n_steps": 30, "snapshots": [30], "engine": engine}
    alone = train(task, rule=rule, seed=2, **options)
    both = train_ensemble(task, rule=rule, seed=[1, 2], **options)
    np.testing.assert_allclose(both[1].weights["W"], alone.weights["W"], rtol=0, atol=1e-12)
    assert not np.allclose(both[0].weights["W"], alone.weights["W"])


def test_preset__goes_through_the_analysis():
    small = {"n_steps": 40, "snapshots": 4, "measures": 5, "network.n_hidden": 20}
    run = nd.simulate.simulate("aitken2022-dropout", small)
    results = nd.analyze(run.recording(), measures=["maps", "drift"])
    assert results["drift"].sizes["session_a"] == 4
    assert run.rule.node_dropout == 0.5


def test_rule__faults_are_named():
    for p in (1.0, -0.1, float("nan")):
        with pytest.raises(ValueError, match="node_dropout is .*, expected from 0 to below 1"):
            Rule(node_dropout=p)
    with pytest.raises(ValueError, match="not for 'sed'"):
        Rule("sed", node_dropout=0.5)
