from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurodrift.simulate.curvature.hessian import compute_hessian_matrix
from neurodrift.simulate.curvature.landscape import Landscape, descend, valley
from neurodrift.simulate.curvature.laplace import (
    Laplace,
    compute_loss_grids,
    compute_permuted_energy,
    fit_laplace,
    two_minima,
)
from neurodrift.simulate.curvature.loss_point import LossPoint
from neurodrift.simulate.gradient.networks import DERIVATIVES


def network(seed: int = 0, hidden: int = 7, n_inputs: int = 3, n_outputs: int = 2):
    rng = np.random.default_rng(seed)
    return (
        rng.normal(size=(hidden, n_inputs)),
        rng.normal(size=hidden),
        rng.normal(size=(n_outputs, hidden)),
        rng.normal(size=(25, n_inputs)),
        rng.normal(size=(25, n_outputs)),
    )


def trained(seed: int, hidden: int = 20, n_steps: int = 4000):
    """A small network that has learned two bumps, by plain gradient descent."""
    rng = np.random.default_rng(seed)
    x = np.linspace(-1, 1, 40)[:, None]
    y = np.column_stack([np.exp(-((x[:, 0] - c) ** 2) / 0.1) for c in (-0.4, 0.4)])
    W, b, V = 2 * rng.normal(size=(hidden, 1)), rng.normal(size=hidden), np.zeros((2, hidden))
    for _ in range(n_steps):
        h = np.tanh(x @ W.T + b)
        error = 2 * (h @ V.T - y) / y.size
        back = (error @ V) * (1 - h**2)
        V = V - 0.3 * error.T @ h
        W, b = W - 0.3 * back.T @ x, b - 0.3 * back.sum(axis=0)
    return W, b, V, x, y


def quadratic(seed: int, size: int) -> tuple[np.ndarray, np.ndarray, Landscape]:
    rng = np.random.default_rng(seed)
    root, place = rng.normal(size=(size, size)), rng.normal(size=size)
    hessian = root @ root.T
    return (
        hessian,
        place,
        Landscape(
            name="bowl",
            parameters=tuple("abcdef"[:size]),
            gradient=lambda p: (p - place) @ hessian,
            loss=lambda p: 1.5 + 0.5 * np.einsum("wi,ij,wj->w", p - place, hessian, p - place),
        ),
    )


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.integers(1, 5))
def test_laplace_approximation__is_exact_for_a_bowl(seed, size):
    hessian, place, bowl = quadratic(seed, size)
    theta = np.random.default_rng(seed).normal(size=(4, 3, size))
    true = np.asarray(bowl.loss(theta.reshape(-1, size))).reshape(4, 3)
    for loss, given_hessian, tolerance in (
        (bowl, None, 1e-8),
        (bowl.loss, None, 1e-5),
        (bowl.loss, hessian, 1e-12),
    ):
        found = fit_laplace(loss, place, hessian=given_hessian)
        np.testing.assert_allclose(found(theta), true, rtol=tolerance, atol=100 * tolerance)
        np.testing.assert_allclose(found.slope, 0, atol=1e-7)
    walk = found.landscape(bowl.parameters)
    np.testing.assert_allclose(walk.slope(theta[0]), bowl.slope(theta[0]), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(walk.height(theta[0]), true[0], rtol=1e-9)


def test_laplace_approximation__differences_of_loss_and_of_gradient_agree():
    rng = np.random.default_rng(0)
    for place in rng.normal(size=(5, 2)):
        by_gradient = fit_laplace(two_minima(), place)
        by_loss = fit_laplace(two_minima().height, place)
        np.testing.assert_allclose(by_loss.hessian, by_gradient.hessian, atol=1e-5)
        np.testing.assert_allclose(by_loss.slope, by_gradient.slope, atol=1e-8)
        x, half, barrier = place[0], 1.0, 0.5
        exact = 4 * barrier / half**2 * (3 * (x / half) ** 2 - 1)  # by hand
        np.testing.assert_allclose(by_gradient.hessian, [[exact, 0], [0, 4.0]], atol=1e-7)


def test_two_minima__are_equal_with_a_barrier_between():
    toy = two_minima(distance=3.0, barrier=0.2, stiffness=2.0)
    places = np.array([[-1.5, 0.0], [1.5, 0.0], [0.0, 0.0], [0.0, 1.0]])
    np.testing.assert_allclose(toy.height(places), [0, 0, 0.2, 1.2], atol=1e-12)
    np.testing.assert_allclose(toy.slope(places[:3]), 0, atol=1e-12)
    eigenvalues = toy.curvatures(places[:3])
    assert (eigenvalues[:2] > 0).all() and eigenvalues[2, 0] < 0 < eigenvalues[2, 1]
    grid = np.linspace(-4, 4, 161)
    grids = compute_loss_grids(toy, fit_laplace(toy, places[0]), grid, grid[60:101])
    assert grids["true_loss"].dims == ("y", "x") and grids["true_loss"].shape == (41, 161)
    for x, y in ((-1.5, 0.0), (1.5, 0.0), (0.4, 0.7)):
        at = {"x": x, "y": y, "method": "nearest"}
        cell = grids.sel(**at)
        here = np.array([[float(cell["x"]), float(cell["y"])]])
        assert float(cell["true_loss"]) == pytest.approx(float(toy.height(here)[0]))
    assert float(grids["true_loss"].min()) == pytest.approx(0, abs=1e-9)
    # 8 barrier / half² along x at a minimum, the distance away: 4 times 2 barriers
    other = float(grids["laplace_loss"].sel(x=1.5, y=0.0, method="nearest"))
    assert other == pytest.approx(16 * 0.2, rel=1e-6)


def test_two_minima__walks_cross_the_true_barrier_only():
    toy = two_minima(barrier=0.12)
    memory = fit_laplace(toy, (-1.0, 0.0)).landscape(toy.parameters)
    options = {"start": (-1.0, 0.0), "learning_rate": 0.05, "update_noise": 1.5, "seed": 0}
    options |= {"n_steps": 4000, "n_walkers": 100, "every": 4000}
    true = descend(toy, **options)["theta"].isel(step=-1, parameter=0)
    remembered = descend(memory, **options)["theta"].isel(step=-1, parameter=0)
    assert 0.3 < float((true > 0).mean()) < 0.7
    assert float((remembered > 0).mean()) < 0.05


@pytest.mark.parametrize("activation", ["relu", "tanh", "softplus"])
@pytest.mark.parametrize("part", ["full", "gauss_newton"])
@pytest.mark.parametrize("n_permuted", [2, 5, None])
def test_permuted_energy__equals_the_dense_hessian(activation, part, n_permuted):
    W, b, V, inputs, targets = network()
    point = LossPoint(W, b, V, inputs, targets, activation=activation)
    found = compute_permuted_energy(point, part=part, n_permuted=n_permuted, n_repeats=6, seed=3)
    hessian = compute_hessian_matrix(point, part=part)
    before = ((DERIVATIVES[activation](inputs @ W.T + b)[0] @ V.T - targets) ** 2).mean()
    assert found.attrs["loss"] == pytest.approx(before)
    assert found.attrs["loss_of_mean"] == pytest.approx(targets.var(axis=0).mean())
    start = np.concatenate([W.ravel(), b, V.ravel()])
    memory = Laplace(start, before, hessian, np.zeros_like(start))
    for i, order in enumerate(found["order"].values):
        assert sorted(order) == list(range(7))
        moved = int((order != np.arange(7)).sum())
        assert moved == 2 if n_permuted == 2 else moved <= (n_permuted or 7)
        after = np.concatenate([W[order].ravel(), b[order], V[:, order].ravel()])
        assert found["loss"].values[i] == pytest.approx(before, rel=1e-12)
        assert found["laplace_loss"].values[i] == pytest.approx(float(memory(after)), rel=1e-9)
        distance = ((after - start) ** 2).sum()
        assert found["squared_distance"].values[i] == pytest.approx(distance)


def test_permuted_energy__of_a_trained_network_is_far_above_its_loss():
    point = LossPoint(*trained(0), activation="tanh")
    swaps = compute_permuted_energy(point, n_permuted=2, n_repeats=50)
    assert swaps.attrs["loss"] < 0.05 * swaps.attrs["loss_of_mean"]
    np.testing.assert_allclose(swaps["loss"], swaps.attrs["loss"], rtol=1e-9)
    every = compute_permuted_energy(point, n_repeats=50)
    assert float(every["laplace_loss"].median()) > 100 * every.attrs["loss"]
    assert float(every["laplace_loss"].median()) > every.attrs["loss_of_mean"]
    assert (swaps["laplace_loss"] >= swaps.attrs["loss"]).all()
    assert float(every["laplace_loss"].median()) > float(swaps["laplace_loss"].median())
    again = compute_permuted_energy(point, n_repeats=3)
    np.testing.assert_array_equal(again["order"], every["order"][:3])  # whatever their number


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fit_laplace(valley(), [[1.0]]), "expected finite numbers over"),
        (lambda: fit_laplace(valley(), [np.nan, 0]), "expected finite numbers over"),
        (
            lambda: fit_laplace(valley(), [1, 0], hessian=np.eye(3)),
            r"hessian has shape \(3, 3\), expected \(parameter, parameter\) = \(2, 2\)",
        ),
        (
            lambda: fit_laplace(lambda p: np.full(len(p), np.inf), [1.0, 2.0]),
            r"derivatives are not finite at \[1.0, 2.0\]",
        ),
        (
            lambda: fit_laplace(
                Landscape(name="blind", parameters=("x",), gradient=lambda p: p), [0.0]
            ),
            "'blind' knows its gradient only",
        ),
        (lambda: two_minima(barrier=0), "barrier 0 and stiffness 4.0 must be positive"),
        (
            lambda: compute_loss_grids(
                valley(), Laplace(np.zeros(3), 0.0, np.eye(3), np.zeros(3)), [0], [0]
            ),
            "is of 3 parameters, expected 2",
        ),
        (
            lambda: compute_permuted_energy(LossPoint(*network()), n_permuted=1),
            "2 <= n_permuted <= 7 hidden units",
        ),
        (lambda: compute_permuted_energy(LossPoint(*network()), n_repeats=0), "n_repeats >= 1"),
        (
            lambda: compute_permuted_energy(LossPoint(*network()), part="half"),
            "part is 'half'; expected full",
        ),
        (lambda: LossPoint(*network(), activation="cos"), "activation is 'cos'"),
    ],
)
def test_laplace__bad_input(call, message):
    with np.errstate(invalid="ignore"), pytest.raises(ValueError, match=message):
        call()
