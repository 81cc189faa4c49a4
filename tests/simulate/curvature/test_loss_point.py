"""A network at one point of its loss: what it takes, what it computes, where it comes from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from neurodrift.simulate.curvature.hessian import compute_hessian_trace
from neurodrift.simulate.curvature.loss_point import LossPoint
from neurodrift.simulate.gradient.engine import train
from neurodrift.simulate.gradient.networks import Network, forward
from neurodrift.simulate.gradient.tasks import random


def parts():
    rng = np.random.default_rng(0)
    shapes = {"W": (6, 4), "b": 6, "V": (3, 6), "inputs": (5, 4), "targets": (5, 3)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


def test_loss_point__does_not_change_with_its_arrays():
    arrays = parts()
    point = LossPoint(**arrays)
    before = point.loss
    arrays["W"][:] = 0
    arrays["inputs"][:] = 0
    assert LossPoint(**arrays).loss != before
    assert replace(point).loss == before
    assert replace(point).inputs is point.inputs
    with pytest.raises(ValueError, match="read-only"):
        point.V[0, 0] = 1.0


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_from_run__is_the_network_of_the_snapshot(activation):
    network = Network(n_hidden=7, activation=activation)
    run = train(random(), network=network, n_steps=30, snapshots=[0, 30], measures=[0, 30])
    for step in (0, 30):
        point = LossPoint.from_run(run, step)
        outputs, hidden = forward(network, run.snapshot(step), run.task.inputs, 5)
        np.testing.assert_allclose(point.hidden, hidden, atol=1e-14)
        np.testing.assert_allclose(point.error, outputs - run.task.targets, atol=1e-14)
        normalised = point.loss / run.task.target_variance
        assert normalised == pytest.approx(run.measures["loss"].sel(step=step).item())
    other = random(seed=1)
    there = LossPoint.from_run(run, 30, task=other)
    assert (there.inputs == other.inputs).all() and (there.targets == other.targets).all()
    assert (there.W == point.W).all() and there.activation == activation
    assert (point.n_hidden, point.n_parameters) == (7, 7 * 26)


def test_from_run__refuses_other_networks():
    torch = pytest.importorskip("torch")
    options = {"n_steps": 2, "snapshots": [2], "measures": [2]}
    deep = train(random(), network=Network(n_hidden=3, depth=2), **options)
    with pytest.raises(
        ValueError, match="one hidden layer, but the network has 2 of them.*lanczos"
    ):
        LossPoint.from_run(deep, 2)
    module = Network(
        module=lambda i, o: torch.nn.Sequential(torch.nn.Linear(i, o)), hidden_layer="0"
    )
    with pytest.raises(ValueError, match="the network has a module of its own"):
        LossPoint.from_run(train(random(), network=module, **options), 2)
    odd = train(random(), network=Network(n_hidden=3, activation=torch.sin), **options)
    with pytest.raises(ValueError, match=r"activation is <.*expected one of relu"):
        LossPoint.from_run(odd, 2)
    with pytest.raises(ValueError, match=r"no snapshot of step 3; there are those of \[2\]"):
        LossPoint.from_run(odd, 3)


def test_loss_point__that_has_diverged():
    point = LossPoint(**(parts() | {"b": np.full(6, np.nan)}))
    assert not point.is_finite and LossPoint(**parts()).is_finite
    with pytest.raises(ValueError, match="b has values that are not finite: the run has diverged"):
        compute_hessian_trace(point)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"b": np.zeros(3)}, r"shapes do not fit.*expected W \(hidden, feature\)"),
        ({"V": np.zeros((6, 3))}, "shapes do not fit"),
        ({"W": np.zeros((1, 6, 4))}, "shapes do not fit"),
        ({"inputs": np.zeros((4, 4))}, "shapes do not fit"),
        ({"inputs": np.zeros((0, 4)), "targets": np.zeros((0, 3))}, "at least one sample"),
        ({"targets": np.full((5, 3), np.inf)}, "targets has values that are not finite"),
        ({"activation": "swish"}, "expected one of relu"),
    ],
)
def test_loss_point__bad_input(change, message):
    with pytest.raises(ValueError, match=message):
        LossPoint(**(parts() | change))
