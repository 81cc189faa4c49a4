"""The exact Hessian against dense automatic differentiation, finite differences and laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurodrift.simulate.curvature.hessian import (
    compute_hessian_matrix,
    compute_hessian_spectrum,
    compute_published_eigenvalues,
    count_eigenvalues,
    count_live_parameters,
)
from neurodrift.simulate.curvature.loss_point import LossPoint
from neurodrift.simulate.gradient import networks
from neurodrift.simulate.gradient.networks import ACTIVATIONS, STRAIGHT

# samples, features, outputs, hidden
SIZES = [
    (5, 4, 3, 6),
    (1, 3, 2, 4),  # one sample
    (12, 2, 1, 5),  # one output
    (4, 3, 7, 1),  # one unit
    (60, 2, 2, 2),  # more samples than parameters
    (3, 1, 1, 3),
]


def draw(sizes, seed=0, scale=1.0):
    samples, features, outputs, hidden = sizes
    rng = np.random.default_rng(seed)
    return (
        rng.normal(size=(hidden, features)),
        rng.normal(size=hidden),
        scale * rng.normal(size=(outputs, hidden)),
        rng.normal(size=(samples, features)),
        rng.normal(size=(samples, outputs)),
    )


def autograd_hessian(W, b, V, inputs, targets, activation="relu"):
    torch = pytest.importorskip("torch")
    functions = {
        "leaky_relu": torch.nn.functional.leaky_relu,
        "linear": lambda a: a,
        "relu": torch.relu,
    }
    phi = functions.get(activation) or getattr(torch.nn.functional, activation)
    x, y = torch.as_tensor(inputs), torch.as_tensor(targets)

    def loss(theta):
        w, c, v = torch.split(theta, [W.size, b.size, V.size])
        return ((phi(x @ w.reshape(W.shape).T + c) @ v.reshape(V.shape).T - y) ** 2).mean()

    theta = torch.as_tensor(np.concatenate([W.ravel(), b, V.ravel()]))
    return torch.autograd.functional.hessian(loss, theta, vectorize=True).numpy()


def literal_hessian(W, b, V, inputs, targets):
    """Central differences of the gradient, which is written out with loops (ReLU)."""
    hidden, features = W.shape
    outputs = len(V)

    def gradient(theta):
        w = theta[: W.size].reshape(W.shape)
        c = theta[W.size : W.size + hidden]
        v = theta[W.size + hidden :].reshape(V.shape)
        dw, dc, dv = np.zeros_like(w), np.zeros_like(c), np.zeros_like(v)
        for x, y in zip(inputs, targets, strict=True):
            h = [max(w[j] @ x + c[j], 0.0) for j in range(hidden)]
            for k in range(outputs):
                error = 2 * (v[k] @ h - y[k]) / targets.size
                for j in range(hidden):
                    dv[k, j] += error * h[j]
                    if h[j] > 0:
                        dw[j] += error * v[k, j] * x
                        dc[j] += error * v[k, j]
        return np.concatenate([dw.ravel(), dc, dv.ravel()])

    theta = np.concatenate([W.ravel(), b, V.ravel()])
    step = 1e-6 * np.eye(theta.size)
    return np.array([(gradient(theta + s) - gradient(theta - s)) / 2e-6 for s in step])


def relative(found, expected):
    scale = np.abs(expected).max()
    return np.abs(found - expected).max() / (scale if scale else 1.0)


def test_activations__are_those_of_the_networks():
    assert set(networks.ACTIVATIONS) == set(ACTIVATIONS)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("sizes", SIZES)
def test_hessian_spectrum__equals_dense_autograd(activation, sizes):
    parts = draw(sizes)
    if sizes[3] > 1:
        parts[1][0] = -50.0  # silent, or in the far tail
    expected = autograd_hessian(*parts, activation)
    matrix = compute_hessian_matrix(LossPoint(*parts, activation=activation))
    assert relative(matrix, expected) < 1e-12
    assert (matrix == matrix.T).all()
    found = compute_hessian_spectrum(LossPoint(*parts, activation=activation))
    assert found.shape == (len(expected),)
    assert relative(found, np.linalg.eigvalsh(expected)) < 1e-12
    linear = compute_hessian_matrix(LossPoint(*parts, activation=activation), part="gauss_newton")
    found = compute_hessian_spectrum(LossPoint(*parts, activation=activation), part="gauss_newton")
    assert relative(found, np.linalg.eigvalsh(linear)) < 1e-12


@pytest.mark.parametrize("sizes", SIZES)
def test_hessian_matrix__equals_differences_of_a_literal_gradient(sizes):
    parts = draw(sizes, seed=3)
    assert relative(compute_hessian_matrix(LossPoint(*parts)), literal_hessian(*parts)) < 1e-7


@pytest.mark.parametrize("silent", [pytest.param(0, marks=pytest.mark.slow), 60])
def test_hessian_spectrum__equals_autograd_at_published_size(silent):
    rng = np.random.default_rng(1)
    hidden, features, outputs, samples = 100, 20, 10, 10
    W = rng.normal(0, np.sqrt(2 / features), (hidden, features))
    b = rng.normal(0, np.sqrt(2 / features), hidden)
    b[:silent] = -100.0
    V = rng.normal(0, np.sqrt(2 / hidden), (outputs, hidden))
    parts = W, b, V, rng.uniform(-1, 1, (samples, features)), rng.uniform(-1, 1, (samples, outputs))
    dense = autograd_hessian(*parts)
    assert len(dense) == 3100
    live = dense.any(axis=0)
    assert live.sum() == count_live_parameters(LossPoint(*parts))
    assert not dense[~live].any()  # silent rows are exactly zero for autograd too
    expected = np.sort(
        np.concatenate([np.linalg.eigvalsh(dense[np.ix_(live, live)]), np.zeros((~live).sum())])
    )
    found = compute_hessian_spectrum(LossPoint(*parts))
    assert relative(found, expected) < 1e-12
    # also each eigenvalue that is clear of rounding by itself
    clear = np.abs(expected) > 1e-6 * expected.max()
    assert np.abs(found[clear] / expected[clear] - 1).max() < 1e-8


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.tuples(*[st.integers(1, n) for n in (7, 4, 4, 6)]),
    seed=st.integers(0, 1000),
    activation=st.sampled_from(sorted(ACTIVATIONS)),
)
def test_hessian_spectrum__laws(sizes, seed, activation):
    W, b, V, x, y = parts = draw(sizes, seed)
    found = compute_hessian_spectrum(LossPoint(*parts, activation=activation))
    scale = np.abs(found).max()
    near = {"atol": 1e-12 * scale, "rtol": 0}
    assert (np.diff(found) >= 0).all()
    # trace, order of units and samples, every sample twice
    matrix = compute_hessian_matrix(LossPoint(*parts, activation=activation))
    np.testing.assert_allclose(found.sum(), np.trace(matrix), atol=1e-11 * scale, rtol=0)
    rng = np.random.default_rng(seed)
    units, samples = rng.permutation(len(b)), rng.permutation(len(x))
    again = compute_hessian_spectrum(
        LossPoint(W[units], b[units], V[:, units], x[samples], y[samples], activation=activation)
    )
    np.testing.assert_allclose(found, again, **near)
    twice = compute_hessian_spectrum(
        LossPoint(W, b, V, np.r_[x, x], np.r_[y, y], activation=activation)
    )
    np.testing.assert_allclose(found, twice, **near)
    # Gauss-Newton: no negative eigenvalue, rank at most the number of entries
    linear = compute_hessian_spectrum(LossPoint(*parts, activation=activation), part="gauss_newton")
    assert linear.min() >= -1e-12 * linear.max()
    assert (linear > 1e-12 * linear.max()).sum() <= y.size
    if activation in STRAIGHT:  # the rest has no trace
        np.testing.assert_allclose(found.sum(), linear.sum(), atol=1e-11 * scale, rtol=0)


def test_hessian_spectrum__is_gauss_newton_without_error():
    W, b, V, x, _ = draw((6, 3, 2, 5))
    y = np.maximum(x @ W.T + b, 0) @ V.T
    parts = W, b, V, x, y
    full, linear = (
        compute_hessian_spectrum(LossPoint(*parts), part=part) for part in ("full", "gauss_newton")
    )
    assert relative(full, linear) < 1e-12


def test_hessian_spectrum__silent_units_add_exact_zeros():
    W, b, V, x, y = draw((5, 4, 3, 6))
    alone = compute_hessian_spectrum(LossPoint(W, b, V, x, y))
    rng = np.random.default_rng(2)
    more = compute_hessian_spectrum(
        LossPoint(
            np.r_[W, rng.normal(size=(4, 4))],
            np.r_[b, np.full(4, -1e3)],
            np.c_[V, rng.normal(size=(3, 4))],
            x,
            y,
        )
    )
    zeros = 4 * (4 + 1 + 3)
    assert more.size == alone.size + zeros
    assert (more == 0).sum() == (alone == 0).sum() + zeros
    np.testing.assert_array_equal(more[more != 0], alone[alone != 0])


def test_hessian_spectrum__no_active_unit():
    W, b, V, x, y = draw((5, 4, 3, 6))
    for part in ("full", "gauss_newton"):
        found = compute_hessian_spectrum(LossPoint(W, b - 1e3, V, x, y), part=part)
        assert found.size == 48
        assert not found.any()
    assert count_eigenvalues(found) == {"nonzero": 0, "positive": 0, "sum_log": 0.0}
    assert not compute_published_eigenvalues(LossPoint(W, b - 1e3, V, x, y)).any()
    assert count_live_parameters(LossPoint(W, b - 1e3, V, x, y)) == 0


def test_hessian_spectrum__unit_on_its_threshold_and_zero_outputs():
    x, y = np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([[1.0], [3.0]])
    W, b, V = np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([-1.0, 0.0]), np.zeros((1, 2))
    # the first unit is at exactly 0 on the first sample and below on the second
    parts = W, b, V, x, y
    expected = autograd_hessian(*parts)
    assert not expected[[0, 1, 4, 6]].any()
    assert (
        relative(compute_hessian_spectrum(LossPoint(*parts)), np.linalg.eigvalsh(expected)) < 1e-14
    )
    # zero output weights do not silence a unit: input and output weights are coupled
    assert compute_hessian_spectrum(LossPoint(*parts)).min() < 0
    assert count_live_parameters(LossPoint(*parts)) == 4


def test_hessian_spectrum__more_samples_than_parameters_gauss_newton():
    parts = draw((60, 2, 2, 2))
    found = compute_hessian_spectrum(LossPoint(*parts), part="gauss_newton")
    assert found.size == 10


def test_count_eigenvalues__rules():
    values = np.array([3.0, -1e-3, 2e-9, 1e-17, -1e-17, 0.0, np.e])
    assert count_eigenvalues(values, rtol=1e-9)["nonzero"] == 3
    counted = count_eigenvalues(values)
    assert (counted["nonzero"], counted["positive"]) == (3, 2)
    assert counted["sum_log"] == pytest.approx(1 + np.log(3))
    assert count_eigenvalues(values, rtol=0)["positive"] == 4
    assert count_eigenvalues(np.zeros(4)) == {"nonzero": 0, "positive": 0, "sum_log": 0.0}
    assert count_eigenvalues(np.zeros(0))["nonzero"] == 0


def test_published_eigenvalues__count_like_the_published_routine():
    torch = pytest.importorskip("torch")
    W, b, V, x, y = draw((5, 20, 5, 40))
    b[:15] = -100.0
    parts = W, b, V, x, y
    dense = torch.as_tensor(autograd_hessian(*parts))
    theirs = (torch.linalg.eig(dense)[0].real.numpy() > 0).mean()
    ours = compute_published_eigenvalues(LossPoint(*parts))
    assert ours.size == 40 * 26
    exact = count_eigenvalues(compute_hessian_spectrum(LossPoint(*parts)))
    expected = exact["positive"] + (count_live_parameters(LossPoint(*parts)) - exact["nonzero"]) / 2
    assert theirs == pytest.approx((ours > 0).mean(), abs=0.02)
    assert theirs == pytest.approx(expected / ours.size, abs=0.02)
    # far from the share of positive eigenvalues
    assert theirs > 2 * exact["positive"] / ours.size
    assert relative(np.sort(ours), compute_hessian_spectrum(LossPoint(*parts))) < 1e-10


def test_hessian_spectrum__bad_part():
    with pytest.raises(ValueError, match="expected one of full, gauss_newton"):
        compute_hessian_spectrum(LossPoint(*draw((5, 4, 3, 6))), part="hessian")
