from __future__ import annotations

import numpy as np
import pytest

from neurodrift.simulate.gradient.rules import LEARNING_RATES, Rule, descend_error, start, step

torch = pytest.importorskip("torch")

OPTIMISERS = {
    "sgd": (Rule("sgd", learning_rate=0.07), torch.optim.SGD, {"lr": 0.07}),
    "momentum": (
        Rule("sgd", learning_rate=0.03, momentum=0.8),
        torch.optim.SGD,
        {"lr": 0.03, "momentum": 0.8},
    ),
    "adam": (
        Rule("adam", learning_rate=0.01, betas=(0.8, 0.95), epsilon=1e-6),
        torch.optim.Adam,
        {"lr": 0.01, "betas": (0.8, 0.95), "eps": 1e-6},
    ),
    "rmsprop": (
        Rule("rmsprop", learning_rate=0.01, decay=0.9, epsilon=1e-6),
        torch.optim.RMSprop,
        {"lr": 0.01, "alpha": 0.9, "eps": 1e-6},
    ),
}


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_step__equals_torch_optim(name: str, kind: str) -> None:
    rule, optimiser_class, options = OPTIMISERS[name]
    draw = np.random.default_rng(0)
    shapes = {"W": (4, 3), "b": (4,)}
    values = {key: draw.normal(size=shape) for key, shape in shapes.items()}
    leaves = {key: torch.nn.Parameter(torch.tensor(v)) for key, v in values.items()}
    optimiser = optimiser_class(leaves.values(), **options)
    if kind == "torch":
        values = {key: torch.tensor(v) for key, v in values.items()}
    memory = start(rule, values)
    for count in range(50):
        slopes = {key: draw.normal(size=shape) * 0.9**count for key, shape in shapes.items()}
        for key, leaf in leaves.items():
            leaf.grad = torch.tensor(slopes[key])
        optimiser.step()
        given = {k: torch.tensor(g) for k, g in slopes.items()} if kind == "torch" else slopes
        values, memory = step(rule, values, given, memory, count)
        for key, leaf in leaves.items():
            np.testing.assert_allclose(values[key], leaf.detach(), rtol=1e-12, atol=1e-14)


def test_step__changes_nothing_in_place() -> None:
    rule = Rule("adam")
    theta, slope = {"W": np.ones(3)}, {"W": np.ones(3)}
    memory = start(rule, theta)
    step(rule, theta, slope, memory, 0)
    assert (theta["W"] == 1).all()
    assert (slope["W"] == 1).all()
    assert (memory["mean"]["W"] == 0).all()


def test_step__refuses_a_rule_without_gradient() -> None:
    with pytest.raises(ValueError, match="descend_error"):
        step(Rule("sed"), {}, {}, {}, 0)


def test_descend_error__expectation_is_the_gradient() -> None:
    # on a quadratic loss only odd moments of the perturbation are left out: exact in expectation
    draw = np.random.default_rng(1)
    matrix = draw.normal(size=(6, 6))
    matrix = matrix @ matrix.T
    theta = draw.normal(size=6)
    moves = 0.1 * draw.standard_normal((200_000, 6))
    gain = moves @ matrix @ theta + 0.5 * np.einsum("ni,ij,nj->n", moves, matrix, moves)
    after = descend_error(
        {"w": np.tile(theta, (len(moves), 1))}, {"w": moves}, gain[:, None], learning_rate=2.0
    )["w"]
    change = after - theta
    error = change.std(axis=0) / np.sqrt(len(moves))
    expected = -2.0 * 0.1**2 * matrix @ theta
    assert (np.abs(change.mean(axis=0) - expected) < 4 * error).all()
    assert (np.abs(expected) > 10 * error).sum() >= 4


@pytest.mark.parametrize("name", LEARNING_RATES)
def test_rule__default_learning_rate(name: str) -> None:
    assert Rule(name).rate == LEARNING_RATES[name]  # type: ignore[arg-type]
    assert Rule(name, learning_rate=0.5).rate == 0.5  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "newton"}, "name is 'newton'"),
        ({"update_noise": -0.1}, "update_noise is -0.1"),
        ({"label_noise": float("nan")}, "label_noise is nan"),
        ({"label_noise_kind": "cauchy"}, "label_noise_kind is 'cauchy'"),
        ({"learning_rate": -1}, "learning_rate is -1"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"betas": (0.9, 1.0)}, "betas are"),
        ({"name": "sed", "update_noise": 0.1}, "its perturbation"),
    ],
)
def test_rule__bad_option(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Rule(**options)


def test_rule__names_all_faults() -> None:
    with pytest.raises(ValueError, match="update_noise.*input_noise"):
        Rule(update_noise=-1, input_noise=-1)
