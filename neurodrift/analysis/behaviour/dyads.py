"""Regression over pairs of sessions: pairs that share a session are not independent."""

from __future__ import annotations

import itertools
import math

import numpy as np

_RATIOS = np.concatenate([[0.0], np.geomspace(0.01, 100.0, 17)])
"""Variance of a session's own effect over that of a pair, of which the likeliest is taken."""
_MOST_ORDERS = 5040  # all orders of so many are tried: seven sessions


def incidence(a: np.ndarray, b: np.ndarray, n: int) -> np.ndarray:
    """(pair, session) 1 where a pair has the session.

    Parameters
    ----------
    a, b
        (pair) the two sessions.
    n
        How many sessions there are.

    Returns
    -------
    numpy.ndarray
        Of 0 and 1.
    """
    found = np.zeros((a.size, n))
    found[np.arange(a.size), a] = 1.0
    found[np.arange(a.size), b] = 1.0
    return found


def fit_dyads(y: np.ndarray, x: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    r"""Slopes with a random effect of each session, by restricted maximum likelihood.

    Parameters
    ----------
    y
        (pair) what is explained.
    x
        (pair, term) predictors, with the intercept.
    nodes
        (pair, session) of :func:`incidence`.

    Returns
    -------
    numpy.ndarray
        (term) generalised least squares for :math:`V = I + \theta Z Z^T`, with the likeliest of 18
        values of :math:`\theta` from 0 to 100.
    """
    best, found = -np.inf, np.full(x.shape[1], np.nan)
    for ratio in _RATIOS:
        slopes, likelihood = _given(y, x, nodes, float(ratio))
        if likelihood > best:
            best, found = likelihood, slopes
    return found


def _given(
    y: np.ndarray, x: np.ndarray, nodes: np.ndarray, ratio: float
) -> tuple[np.ndarray, float]:
    """Slopes and restricted log likelihood for one ratio of the variances."""
    inner = np.eye(nodes.shape[1]) + ratio * nodes.T @ nodes

    def whitened(values: np.ndarray) -> np.ndarray:
        product = values - ratio * nodes @ np.linalg.solve(inner, nodes.T @ values)
        return np.asarray(product)

    cross = x.T @ whitened(x)
    slopes = np.linalg.solve(cross, x.T @ whitened(y))
    rest = y - x @ slopes
    freedom = y.size - x.shape[1]
    variance = max(float(rest @ whitened(rest)) / freedom, 1e-300)
    terms = freedom * math.log(variance) + np.linalg.slogdet(inner)[1] + np.linalg.slogdet(cross)[1]
    return slopes, -0.5 * float(terms)


def jackknife_se(y: np.ndarray, x: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    r"""Standard errors of the slopes, from leaving out each session with all its pairs.

    Parameters
    ----------
    y, x, nodes
        As of :func:`fit_dyads`.

    Returns
    -------
    numpy.ndarray
        (term) :math:`\sqrt{\frac{n - 1}{n} \sum_i (b_{-i} - \bar b)^2}`; NaN where a fit without a
        session has no degree of freedom.
    """
    found = []
    there = np.flatnonzero(nodes.any(axis=0))
    for i in there:
        kept = nodes[:, i] == 0
        if kept.sum() <= x.shape[1] or np.linalg.matrix_rank(x[kept]) < x.shape[1]:
            return np.full(x.shape[1], np.nan)
        found.append(fit_dyads(y[kept], x[kept], np.delete(nodes[kept], i, axis=1)))
    away = np.array(found) - np.mean(found, axis=0)
    return np.asarray(np.sqrt((there.size - 1) / there.size * (away**2).sum(axis=0)))


def orders_of(n: int, n_permutations: int, rng: np.random.Generator) -> tuple[np.ndarray, bool]:
    """(order, session) orders of the sessions: all where they are few, else some at random.

    Parameters
    ----------
    n
        How many sessions there are.
    n_permutations
        How many are drawn where there are more than seven sessions.
    rng
        All chance comes from it.

    Returns
    -------
    orders, exact : numpy.ndarray, bool
        All of them begin with the true order.
    """
    if math.factorial(n) <= _MOST_ORDERS:
        return np.array(list(itertools.permutations(range(n)))), True
    drawn = np.array([rng.permutation(n) for _ in range(n_permutations)])
    return np.vstack([np.arange(n), drawn]), False


def permuted_t(
    y: np.ndarray,
    x: np.ndarray,
    which: int,
    at: tuple[np.ndarray, np.ndarray],
    orders: np.ndarray,
) -> np.ndarray:
    """(order) t of one predictor, with what the others leave of it permuted by sessions [1]_.

    Parameters
    ----------
    y, x
        (pair) and (pair, term), with the intercept; every pair of sessions once.
    which
        The term.
    at
        (pair) the two sessions of each.
    orders
        (order, session) of :func:`orders_of`.

    Returns
    -------
    numpy.ndarray
        The first is that of the data.

    References
    ----------
    .. [1] Dekker, Krackhardt & Snijders (2007), Psychometrika.
       https://doi.org/10.1007/s11336-007-9016-1
    """
    others = np.delete(x, which, axis=1)
    q = np.linalg.qr(others)[0]
    rest = x[:, which] - q @ (q.T @ x[:, which])
    moved = _permuted(rest, at, orders)
    left = moved - (moved @ q) @ q.T
    target = y - q @ (q.T @ y)
    size = (left**2).sum(axis=1)
    slope = (left @ target) / np.where(size > 1e-12 * (rest @ rest), size, np.nan)
    freedom = y.size - x.shape[1]
    noise = np.maximum(target @ target - slope**2 * size, 1e-300) / freedom
    return np.asarray(slope * np.sqrt(size / noise))


def permuted_share(
    y: np.ndarray, x: np.ndarray, at: tuple[np.ndarray, np.ndarray], orders: np.ndarray
) -> np.ndarray:
    """(order) share of the variance of y that predictors explain, with y permuted by sessions.

    Parameters
    ----------
    y, x, at, orders
        As of :func:`permuted_t`.

    Returns
    -------
    numpy.ndarray
        The first is that of the data.
    """
    away = y - y.mean()
    q = np.linalg.qr(x)[0]
    moved = _permuted(away, at, orders)
    return np.asarray(((moved @ q) ** 2).sum(axis=1) / (away @ away))


def _permuted(
    values: np.ndarray, at: tuple[np.ndarray, np.ndarray], orders: np.ndarray
) -> np.ndarray:
    """(order, pair) values of the pairs after the sessions change places."""
    n = orders.shape[1]
    square = np.full((n, n), np.nan)
    square[at] = square[at[::-1]] = values
    return np.asarray(square[orders[:, at[0]], orders[:, at[1]]])
