from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from neurodrift.simulate.continual.kronecker import Kronecker, identity, nearest_sum


def _positive(rng, n):
    a = rng.normal(size=(n, n + 2))
    return a @ a.T / n


def _dense(one):
    return np.kron(one.left, one.right)


def _divergence(precision, of):
    """KL(N(0, precision^-1) || N(0, of^-1)) but for its constant."""
    return np.trace(of @ np.linalg.inv(precision)) + np.linalg.slogdet(precision)[1]


@pytest.mark.parametrize(("n", "m", "seed"), [(2, 2, 0), (3, 2, 1), (2, 3, 2)])
def test_nearest_sum__is_what_brute_force_finds(n, m, seed):
    rng = np.random.default_rng(seed)
    a, b = (Kronecker(_positive(rng, n), 3 * _positive(rng, m)) for _ in range(2))
    total = _dense(a) + _dense(b)
    lower = [np.tril_indices(n), np.tril_indices(m)]

    def product(values):
        factors = []
        for size, places, part in zip(
            (n, m), lower, np.split(values, [lower[0][0].size]), strict=True
        ):
            root = np.zeros((size, size))
            root[places] = part
            factors.append(root @ root.T)
        return np.kron(*factors)

    first = np.concatenate(
        [np.eye(size)[places] for size, places in zip((n, m), lower, strict=True)]
    )
    best = min(
        (
            minimize(
                lambda v: _divergence(product(v), total),
                first + rng.normal(0, 0.1, first.size),
                options={"gtol": 1e-9},
            )
            for _ in range(3)
        ),
        key=lambda found: found.fun,
    )
    found = nearest_sum(a, b)
    np.testing.assert_allclose(_dense(found), product(best.x), rtol=1e-4, atol=1e-4)
    assert _divergence(_dense(found), total) <= best.fun + 1e-9


def test_nearest_sum__does_not_depend_on_the_scale_of_the_factors():
    rng = np.random.default_rng(3)
    a, b = (Kronecker(_positive(rng, 4), _positive(rng, 2)) for _ in range(2))
    scaled = Kronecker(a.left * 1e6, a.right / 1e6)
    np.testing.assert_allclose(_dense(nearest_sum(scaled, b)), _dense(nearest_sum(a, b)), rtol=1e-5)


def test_nearest_sum__of_nothing_and_of_low_rank():
    a = identity(3, 2, 4.0)
    nothing = Kronecker(np.zeros((3, 3)), np.zeros((2, 2)))
    np.testing.assert_allclose(_dense(nearest_sum(a, nothing)), _dense(a))
    low = Kronecker(np.ones((3, 3)), np.array([[1.0, -1], [-1, 1]]))  # as of a binary softmax
    found = _dense(nearest_sum(a, low))
    assert np.linalg.eigvalsh(found).min() > 0


def test_times_and_preconditioner__are_those_of_the_dense_matrix():
    rng = np.random.default_rng(4)
    a, d = Kronecker(_positive(rng, 3), 5 * _positive(rng, 2)), rng.normal(size=(3, 2))
    np.testing.assert_allclose(a.times(d).ravel(), _dense(a) @ d.ravel())
    np.testing.assert_allclose(_dense(a.preconditioner(0.0)), np.linalg.inv(_dense(a)))
    pi = np.sqrt(np.trace(a.left) / 3 / (np.trace(a.right) / 2))
    damped = np.kron(a.left + pi * 0.3 * np.eye(3), a.right + 0.3 / pi * np.eye(2))
    np.testing.assert_allclose(_dense(a.preconditioner(0.3)), np.linalg.inv(damped))
