from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurodrift.simulate.gradient._numba.noise import N_STREAMS, fill_normal
from neurodrift.simulate.hebbian import _kernels as kernels
from neurodrift.simulate.hebbian.network import HebbianNetwork, responses

NUMBERS = np.array([0.1, 0.02, 0.05, 1.5, 0.01, 0.02, 0.03, 0.05, 1e-4, 1e4])


def solve(
    a: np.ndarray, q: np.ndarray, *, ridge: float = 0.0, start: np.ndarray | None = None
) -> tuple[int, np.ndarray, np.ndarray]:
    """Status, solution and counters of the active-set solver."""
    n = q.size
    y, counters = np.zeros(n), np.zeros(4, np.int64)
    active = q > 0 if start is None else start.copy()
    spare = np.empty((n, n)), np.empty(n), np.empty(n, np.int64)
    status = kernels.exact(
        np.ascontiguousarray(a.T), ridge, q, active, *spare, y, np.empty(n), counters
    )
    return status, y, counters


def every_set(a: np.ndarray, q: np.ndarray) -> list[np.ndarray]:
    """Every solution of the complementarity problem, by trying all active sets."""
    n, found = q.size, []
    for chosen in itertools.product([False, True], repeat=n):
        on = np.array(chosen)
        y = np.zeros(n)
        if on.any():
            if abs(np.linalg.det(a[np.ix_(on, on)])) < 1e-12:
                continue
            y[on] = np.linalg.solve(a[np.ix_(on, on)], q[on])
        if (y >= -1e-10).all() and (a @ y - q >= -1e-10).all():
            found.append(y)
    return found


def expect_solution(a: np.ndarray, q: np.ndarray, y: np.ndarray) -> None:
    w = a @ y - q
    scale = 1 + np.abs(q).max() + np.abs(a).max() * np.abs(y).max() * q.size
    assert (y >= 0).all()
    assert w.min() >= -1e-9 * scale
    assert np.abs(w * y).max() <= 1e-9 * scale * (1 + np.abs(y).max())


@st.composite
def problems(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Non-negative M with a positive diagonal, some near-singular or far from symmetric."""
    n = draw(st.integers(1, 7))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(["gram", "low rank", "any", "sparse", "whole numbers"]))
    if kind == "whole numbers":  # many ties
        a, q = rng.integers(0, 3, (n, n)).astype(float), rng.integers(-2, 3, n).astype(float)
    else:
        root = rng.random((n, 1 if kind == "low rank" else n))
        a = root @ root.T if kind in ("gram", "low rank") else rng.random((n, n)) * 3
        a = a * (rng.random((n, n)) < 0.4) if kind == "sparse" else a
        q = rng.standard_normal(n) * draw(st.sampled_from([1e-6, 1.0, 1e6]))
    a[np.diag_indices(n)] += draw(st.sampled_from([1e-7, 0.05, 1.0]))
    return a, q, rng.random(n) < 0.5


@given(problems())
@settings(max_examples=300, deadline=None)
def test_exact__is_a_solution_from_any_start(problem: tuple[np.ndarray, ...]) -> None:
    a, q, start = problem
    for first in (start, np.ones(q.size, bool), np.zeros(q.size, bool)):
        status, y, _ = solve(a, q, start=first)
        assert status == kernels.SOLVED
        expect_solution(a, q, y)


@given(problems())
@settings(max_examples=100, deadline=None)
def test_lemke__is_a_solution(problem: tuple[np.ndarray, ...]) -> None:
    a, q, _ = problem
    y = np.zeros(q.size)
    assert kernels.lemke(np.ascontiguousarray(a.T), 0.0, q, y) == kernels.SOLVED
    expect_solution(a, q, y)


@pytest.mark.parametrize("seed", range(20))
def test_exact__every_active_set_in_turn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    root = rng.random((6, 6))
    a, q = root @ root.T + 0.05 * np.eye(6) + 0.01 * rng.random((6, 6)), rng.standard_normal(6)
    found = every_set(a, q)
    status, y, _ = solve(a, q, start=rng.random(6) < 0.5)
    assert len(found) == 1
    np.testing.assert_allclose(y, found[0], atol=1e-9)
    np.testing.assert_allclose(solve(a - 0.02 * np.eye(6), q, ridge=0.02)[1], y, atol=1e-9)


def test_exact__silent_where_every_drive_is_negative() -> None:
    q = -np.random.default_rng(0).random(30)
    for start in (np.zeros(30, bool), np.ones(30, bool)):
        status, y, _ = solve(np.full((30, 30), 0.3) + np.eye(30), q, start=start)
        assert status == kernels.SOLVED
        assert not y.any()


def test_exact__one_unit() -> None:
    for drive, expected in ((3.0, 1.5), (-3.0, 0.0), (0.0, 0.0)):
        assert solve(np.array([[2.0]]), np.array([drive]))[1].tolist() == [expected]


def test_exact__a_cycle_of_the_exchanges_ends_with_lemke() -> None:
    # far from symmetric: block exchanges and single ones do not end
    n, fallbacks = 40, 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        a, q = 3 * rng.random((n, n)) + 0.1 * np.eye(n), rng.standard_normal(n) + 0.5
        status, y, counters = solve(a, q)
        assert status == kernels.SOLVED
        expect_solution(a, q, y)
        fallbacks += counters[kernels.FALLBACKS]
    assert fallbacks > 10


def test_exact__without_a_fixed_point() -> None:
    a = np.array([[0.0, 0.0], [0.0, 1.0]])
    assert solve(a, np.array([1.0, 1.0]))[0] == kernels.NO_SOLUTION
    assert solve(np.eye(2), np.array([1.0, np.nan]))[0] == kernels.NOT_FINITE
    network = HebbianNetwork(n_units=2, lam2=0)
    with pytest.raises(ValueError, match="no fixed point.*set lam2"):
        responses(np.ones((1, 2)), W=np.eye(2), M=a, b=np.zeros(2), network=network)


@pytest.mark.parametrize("seed", range(5))
def test_responses__equal_to_the_published_iteration_where_it_converges(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 30
    root = 0.2 * rng.random((n, 5))
    network = HebbianNetwork(n_units=n, lam1=0.02, lam2=0.05, alpha=2.0)
    weights = {"W": rng.standard_normal((n, 4)), "b": rng.random(n)}
    weights["M"] = root @ root.T + np.diag(0.5 + rng.random(n)) + 0.02 * rng.random((n, n))
    inputs = rng.standard_normal((20, 4))
    exact = responses(inputs, network=network, **weights)
    # the published rule stops at a change relative to |u|, so the error grows with the responses
    for tolerance, allowed in ((1e-4, 5e-4 * exact.max()), (1e-5, 5e-4), (1e-8, 5e-7)):
        published = responses(
            inputs, network=network, **weights, fixed_point="iteration", tolerance=tolerance
        )
        assert np.abs(published - exact).max() < allowed
    assert 0.1 < (exact > 0).mean() < 0.9


def test_iterate__literal_published_dynamics() -> None:
    rng = np.random.default_rng(4)
    n = 6
    matrix, drive = np.eye(n) + 0.2 * rng.random((n, n)), rng.standard_normal(n)
    u, y = np.zeros(n), np.zeros(n)
    made, change = 0, np.ones(n)
    while made == 0 or np.linalg.norm(change) / np.linalg.norm(u) >= 1e-4:
        made += 1
        change = -u + drive - (matrix - np.diag(np.diag(matrix))) @ y
        u = u + 0.05 * change
        y = np.maximum((u - 0.02) / (0.05 + np.diag(matrix)), 0)
    found, counters = np.zeros(n), np.zeros(4, np.int64)
    kernels.iterate(
        np.ascontiguousarray(matrix.T), 0.02, 0.05, drive, 0.05, 1e-4, 10_000, found, np.empty(n),
        np.empty(n), counters,
    )  # fmt: skip
    np.testing.assert_allclose(found, y, atol=1e-13)
    assert counters[kernels.ITERATIONS] == made


@pytest.mark.parametrize(("linear", "clipped"), [(False, True), (True, False), (False, False)])
def test_advance__literal_plasticity(linear: bool, clipped: bool) -> None:
    rng = np.random.default_rng(2)
    n, n_features, n_steps = 5, 3, 40
    inputs, order = rng.standard_normal((7, n_features)), rng.integers(7, size=n_steps)
    W, M, b = 0.5 * rng.standard_normal((n, n_features)), np.eye(n), np.zeros(n)  # noqa: N806
    states = np.random.default_rng(3).integers(2**32, size=(3, 4 * N_STREAMS), dtype=np.uint32)
    w_t, m_t, bias = np.ascontiguousarray(W.T), M.copy(), b.copy()
    active = np.ones((7, n), bool)
    status = kernels.advance(
        inputs, order, w_t, m_t, bias, active, NUMBERS, linear, False, clipped, states.copy(),
        np.zeros(4, np.int64),
    )  # fmt: skip
    assert status == (kernels.SOLVED, n_steps)

    def draw(which: int, shape: tuple[int, ...]) -> np.ndarray:
        out = np.zeros(128, np.float32)
        fill_normal(states[which], out, int(np.prod(shape)))
        return out[: np.prod(shape)].astype(float).reshape(shape)

    eta, lam1, lam2, root_alpha, *noise = NUMBERS[:7]
    for t in order:
        q = W @ inputs[t] - root_alpha * b
        a = M + lam2 * np.eye(n)
        y = np.linalg.solve(a, q) if linear else every_set(a, q - lam1)[0]
        scaled = [np.sqrt(eta) * s for s in noise]
        W = (1 - eta) * W + eta * np.outer(y, inputs[t])  # noqa: N806
        W += scaled[0] * draw(0, (n_features, n)).T  # noqa: N806
        M = (1 - eta) * M + eta * np.outer(y, y) + scaled[1] * draw(1, (n, n)).T  # noqa: N806
        M = np.maximum(M, 0) if clipped else M  # noqa: N806
        b = (1 - eta) * b + eta * root_alpha * y + scaled[2] * draw(2, (n,))
    np.testing.assert_allclose(w_t.T, W, atol=1e-10)
    np.testing.assert_allclose(m_t.T, M, atol=1e-10)
    np.testing.assert_allclose(bias, b, atol=1e-10)
