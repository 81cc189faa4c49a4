from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from neurodrift.simulate.gradient.networks import (
    ACTIVATIONS,
    Network,
    build,
    forward,
    initial_weights,
    initialise,
)

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("regime", ["rich", "lazy"])
@pytest.mark.parametrize("n_hidden", [100, 400])
def test_initialise__published_variances(regime: str, n_hidden: int) -> None:
    weights = initialise(50, n_hidden, 60, regime=regime, seed=1)  # type: ignore[arg-type]
    sd = np.sqrt(2 / n_hidden) if regime == "rich" else 2 / n_hidden
    for name, expected in (("W", np.sqrt(2 / 50)), ("b", np.sqrt(2 / 50)), ("V", sd)):
        scaled = weights[name].ravel() / expected
        assert stats.kstest(scaled, "norm").pvalue > 1e-3, name


def test_initialise__depth() -> None:
    weights = initialise(7, 200, 3, depth=3, seed=2)
    shapes = {name: array.shape for name, array in weights.items()}
    assert shapes == {
        "W1": (200, 7),
        "b1": (200,),
        "W2": (200, 200),
        "b2": (200,),
        "W3": (200, 200),
        "b3": (200,),
        "V": (3, 200),
    }
    assert weights["W2"].std() == pytest.approx(np.sqrt(2 / 200), rel=0.03)


def test_initialise__depends_on_the_seed_only() -> None:
    a, b, c = (initialise(4, 5, 6, seed=seed)["W"] for seed in (1, 1, 2))
    assert (a == b).all()
    assert (a != c).all()


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("depth", [1, 2])
def test_forward__literal(activation: str, depth: int) -> None:
    phi = {
        "relu": lambda a: np.where(a > 0, a, 0),
        "leaky_relu": lambda a: np.where(a > 0, a, 0.01 * a),
        "gelu": lambda a: a * stats.norm.cdf(a),
        "elu": lambda a: np.where(a > 0, a, np.expm1(a)),
        "silu": lambda a: a / (1 + np.exp(-a)),
        "softplus": lambda a: np.log1p(np.exp(a)),
        "tanh": np.tanh,
        "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
        "linear": lambda a: a,
    }[activation]
    network = Network(n_hidden=11, activation=activation, depth=depth)
    weights = initial_weights(network, 4, 3, seed=5)
    x = np.random.default_rng(0).normal(size=(6, 4))
    h = x
    for layer in range(1, depth + 1):
        suffix = "" if depth == 1 else str(layer)
        h = phi(h @ weights[f"W{suffix}"].T + weights[f"b{suffix}"])
    outputs, hidden = forward(network, weights, x, 3)
    np.testing.assert_allclose(hidden, h, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(outputs, h @ weights["V"].T, rtol=1e-12, atol=1e-14)


def test_forward__records_the_named_layer() -> None:
    x = np.random.default_rng(0).normal(size=(6, 4))
    network = Network(n_hidden=11, depth=2, hidden_layer="hidden1", activation=torch.sin)
    weights = initial_weights(network, 4, 3, seed=5)
    hidden = forward(network, weights, x, 3)[1]
    np.testing.assert_allclose(hidden, np.sin(x @ weights["W1"].T + weights["b1"]), rtol=1e-12)


def user_module(n_inputs: int, n_outputs: int) -> object:
    return torch.nn.Sequential(
        torch.nn.Linear(n_inputs, 8), torch.nn.Tanh(), torch.nn.Linear(8, n_outputs)
    )


def test_initial_weights__user_module() -> None:
    network = Network(module=user_module, hidden_layer="1")
    before = torch.random.get_rng_state()
    a, b, c = (initial_weights(network, 4, 3, seed) for seed in (1, 1, 2))
    assert (torch.random.get_rng_state() == before).all()
    assert {name: array.shape for name, array in a.items()} == {
        "0.weight": (8, 4),
        "0.bias": (8,),
        "2.weight": (3, 8),
        "2.bias": (3,),
    }
    assert all((a[name] == b[name]).all() for name in a)
    assert (a["0.weight"] != c["0.weight"]).all()


def test_forward__user_module_flattens_the_layer() -> None:
    class Wide(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = torch.nn.Unflatten(1, (2, 2))

        def forward(self, x: object) -> object:
            return self.first(x).flatten(1)

    network = Network(module=lambda *_: Wide(), hidden_layer="first")
    x = np.arange(12.0).reshape(3, 4)
    module = build(network, 4, 4)
    assert [name for name, _ in module.named_parameters()] == []
    frozen = Network(
        module=lambda i, o: torch.nn.Sequential(Wide(), torch.nn.Linear(i, o)), hidden_layer="0"
    )
    weights = initial_weights(frozen, 4, 2, 0)
    assert forward(frozen, weights, x, 2)[1].tolist() == x.tolist()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_hidden": 0}, "n_hidden is 0"),
        ({"depth": 1.5}, "depth is 1.5"),
        ({"regime": "poor"}, "regime is 'poor'"),
        ({"activation": "step"}, "activation is 'step'"),
        ({"module": user_module}, "needs hidden_layer"),
    ],
)
def test_network__bad_option(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Network(**options)


def test_build__missing_layer() -> None:
    with pytest.raises(ValueError, match="no layer 'hidden2' to record from; it has 'hidden1'"):
        build(Network(hidden_layer="hidden2"), 2, 2)


def test_build__no_module() -> None:
    with pytest.raises(TypeError, match="expected a torch.nn.Module"):
        build(Network(module=lambda *_: 3, hidden_layer="x"), 2, 2)  # type: ignore[arg-type]


@pytest.mark.parametrize("depth", [1, 3])
def test_n_parameters__counts_the_arrays(depth: int) -> None:
    arrays = initialise(4, 7, 3, depth=depth)
    network = Network(n_hidden=7, depth=depth)
    assert network.n_parameters(4, 3) == sum(array.size for array in arrays.values())
