"""Modules of the user's own: which ones the torch engine takes, and what it says of the others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from neurodrift.simulate.gradient import engine
from neurodrift.simulate.gradient.engine import train, train_ensemble
from neurodrift.simulate.gradient.networks import Network
from neurodrift.simulate.gradient.rules import Rule
from neurodrift.simulate.gradient.tasks import random

torch = pytest.importorskip("torch")
nn = torch.nn

DRAWS = np.random.default_rng(0)
ADVICE = "nothing from one pass to the next.*recording_from_arrays"


def with_layer(layer: Any) -> Network:
    """A network of two layers with another one between them."""

    def make(n_inputs: int, n_outputs: int) -> Any:
        return nn.Sequential(nn.Linear(n_inputs, 8), nn.ReLU(), layer(), nn.Linear(8, n_outputs))

    return Network(module=make, hidden_layer="1")


class Forward(nn.Module):
    """One layer and a forward pass that does something with it."""

    def __init__(self, change: Any, n_inputs: int, n_outputs: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(n_inputs, n_outputs)
        self.register_buffer("mean", torch.zeros(n_outputs))
        self.change = change

    def forward(self, x: Any) -> Any:
        return self.change(self, self.hidden(x))


class Recurrent(nn.Module):
    """Samples as a sequence."""

    def __init__(self, layer: Any, n_inputs: int, n_outputs: int) -> None:
        super().__init__()
        self.cells = layer(n_inputs, 6, batch_first=True)
        self.hidden, self.out = nn.Identity(), nn.Linear(6, n_outputs)

    def forward(self, x: Any) -> Any:
        return self.out(self.hidden(self.cells(x[None])[0][0]))


class Unused(nn.Module):
    """A layer that takes no part, and has no parameters."""

    def __init__(self, n_inputs: int, n_outputs: int) -> None:
        super().__init__()
        self.layer, self.unused = nn.Linear(n_inputs, n_outputs), nn.ReLU()

    def forward(self, x: Any) -> Any:
        return self.layer(x)


def own(change: Any) -> Network:
    return Network(module=lambda *sizes: Forward(change, *sizes), hidden_layer="hidden")


def running(self: Any, h: Any) -> Any:
    self.mean = 0.9 * self.mean + 0.1 * h.detach().mean(0)
    return h - self.mean


@pytest.fixture
def no_training(monkeypatch):
    def refuse(*_):
        raise AssertionError("training began")

    monkeypatch.setattr(engine, "train_group", refuse)


@pytest.mark.parametrize("layer", [nn.GRU, nn.LSTM, nn.RNN])
def test_train__recurrent_layer(layer, no_training):
    network = Network(module=lambda *sizes: Recurrent(layer, *sizes), hidden_layer="hidden")
    message = f"'cells' is a {layer.__name__}, which torch cannot batch.*{ADVICE}"
    with pytest.raises(ValueError, match=message):
        train(random(), network=network, n_steps=3)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (with_layer(nn.Dropout), "'2' is a Dropout, which draws random numbers in training"),
        (with_layer(nn.AlphaDropout), "'2' is a AlphaDropout, which draws random numbers"),
        (with_layer(lambda: nn.BatchNorm1d(8)), "'2' is a BatchNorm1d, which keeps running"),
        (with_layer(nn.RReLU), "torch has no batching rule for one of its operations"),
        (own(lambda _, h: h + torch.randn_like(h)), "two passes over the same inputs differ"),
        (own(lambda _, h: h + DRAWS.random()), "two passes over the same inputs differ"),
        (own(running), "its buffers mean change in every pass"),
        (own(lambda _, h: h if h.sum() > 0 else -h), "it branches on values that it computes"),
        (own(lambda _, h: h * h.mean().item()), "it turns a tensor into a number"),
        (own(lambda _, h: torch.as_tensor(h.detach().numpy())), "a step of two networks fails"),
        (own(lambda self, h: h.detach() + self.mean), "a step of two networks fails"),
        (Network(activation=torch.nn.functional.dropout), "two passes over the same inputs differ"),
    ],
)
def test_train__module_that_cannot_be_batched(network, message, no_training):
    with pytest.raises(ValueError, match=f"torch engine cannot train.*{message}.*{ADVICE}"):
        train_ensemble(random(), network=[Network(), network], n_steps=3)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (own(lambda _, h: h[:, :1]), r"outputs are \(5, 1\), expected one tensor.*\(5, 5\)"),
        (own(lambda _, h: (h, h)), r"outputs are a tuple, expected one tensor"),
        (with_layer(lambda: nn.Linear(7, 8)), r"fails on the task's inputs .* \(5, 20\): mat1"),
        (Network(module=lambda *_: nn.Sequential(nn.ReLU()), hidden_layer="0"), "no trainable"),
        (
            Network(module=lambda *sizes: Recurrent(nn.GRU, *sizes), hidden_layer="cells"),
            "layer 'cells' gives a tuple, expected one tensor: put an Identity after it",
        ),
        (
            Network(module=Unused, hidden_layer="unused"),
            "layer 'unused' takes no part in the forward pass",
        ),
    ],
)
def test_train__module_that_fits_no_task(network, message, no_training):
    with pytest.raises(ValueError, match=message):
        train(random(), network=network, n_steps=3)


def test_train__parameter_that_reaches_nothing(no_training):
    def make(n_inputs: int, n_outputs: int) -> Any:
        module = Forward(lambda _, h: h, n_inputs, n_outputs)
        module.other = nn.Linear(2, 2)
        return module

    network = Network(module=make, hidden_layer="hidden")
    with pytest.raises(ValueError, match="does not reach the outputs: requires_grad_"):
        train(random(), network=network, n_steps=3)


def evaluated(n_inputs: int, n_outputs: int) -> Any:
    layers = nn.Dropout(0.5), nn.BatchNorm1d(8), nn.Linear(8, n_outputs)
    return nn.Sequential(nn.Linear(n_inputs, 8), nn.ReLU(), *layers).eval()


@pytest.mark.parametrize(
    "network",
    [
        with_layer(nn.Tanh),
        with_layer(lambda: nn.LayerNorm(8)),
        with_layer(lambda: nn.Dropout(0.0)),
        with_layer(lambda: nn.BatchNorm1d(8, track_running_stats=False)),
        Network(module=evaluated, hidden_layer="1"),
        Network(activation=torch.sin),
    ],
    ids=["Sequential", "LayerNorm", "Dropout(0)", "BatchNorm, own batch", "eval()", "activation"],
)
@pytest.mark.parametrize("rule", [Rule(), Rule("sed")], ids=["sgd", "sed"])
def test_train__module_that_works(network, rule):
    run = train(random(), network=network, rule=rule, n_steps=50, snapshots=[0, 50], measures=2)
    assert run.reason == "finished"
    assert run.recording().sizes["session"] == 2
    if rule.name == "sgd":
        assert run.measures["loss"][-1] < run.measures["loss"][0]
