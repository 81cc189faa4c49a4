"""Steps of tuning from one session to the next: their tails, their direction, who takes them."""

from __future__ import annotations

import numpy as np

from neurodrift.infer.measures.products import above_noise, products
from neurodrift.infer.measures.tails import concentration
from neurodrift.infer.measures.view import View, unbiased

LEAST_STEP = 0.005
"""Square of a step, of the square of the tuning, below which its shape is not told; nor is it where
the squares of all units together are not above noise."""


def steps(view: View) -> dict[str, np.ndarray]:
    """Shape of the steps of tuning.

    Parameters
    ----------
    view
        What was seen.

    Returns
    -------
    dict
        ``tails``: :func:`neurodrift.infer.measures.tails.concentration`; ``neighbours``: squared
        distance over two steps over the sum of both, less 1: 0 for a walk, -.5 for jitter, 1 for a
        straight line; ``dependence``: exponent of the squared step, relative to the mean rate of
        the two sessions, against this rate.
    """
    nothing = np.full(len(view.kept), np.nan)
    if view.n_sessions < 2 or view.relative.shape[-1] < 2:
        return {"tails": nothing, "neighbours": nothing, "dependence": nothing}
    seen = view.detected[:, 1:] * view.detected[:, :-1]
    squares = _squared_steps(view.weighted) * seen
    moved = (view.kept @ squares).sum(axis=1)
    power = (view.kept @ (_power(view.weighted)[:, :-1] * seen)).sum(axis=1)
    moves = (moved > LEAST_STEP * power) & above_noise(view, squares)
    return {
        "tails": np.where(moves, concentration(view), np.nan),
        "neighbours": neighbours(view, view.weighted),
        "dependence": np.where(moves, dependence(view, view.rate), np.nan),
    }


def neighbours(view: View, values: np.ndarray) -> np.ndarray:
    """(replicate) squared distance over two steps over the sum of both, less 1.

    Parameters
    ----------
    view
        What was seen.
    values
        (unit, session, half, condition)

    Returns
    -------
    numpy.ndarray
    """
    n = view.n_sessions
    if n < 3:
        return np.full(len(view.kept), np.nan)
    found = products(values)
    own = np.diagonal(found, axis1=1, axis2=2)
    square = own[:, :, None] + own[:, None, :] - 2 * found
    a, b, c = (np.arange(n - 2) + k for k in range(3))
    seen = view.detected[:, a] * view.detected[:, b] * view.detected[:, c]
    two = (view.kept @ (square[:, a, c] * seen)).sum(axis=1)
    one = (view.kept @ ((square[:, a, b] + square[:, b, c]) * seen)).sum(axis=1)
    power = (view.kept @ ((own[:, a] + own[:, c]) * seen)).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(one > LEAST_STEP * power, np.clip(two / one - 1, -1.0, 2.0), np.nan)


def dependence(view: View, rate: np.ndarray) -> np.ndarray:
    """(replicate) exponent of squared relative steps against the mean rate of both sessions.

    Parameters
    ----------
    view
        What was seen.
    rate
        (unit, session, half, condition)

    Returns
    -------
    numpy.ndarray
        0 where rates change by factors, -1 as numbers of events do, -2 where they change by amounts
        that have nothing to do with the rate.
    """
    own = view.rate.mean(axis=(2, 3))
    mean = (own[:, 1:] + own[:, :-1]) / 2
    factor = unbiased(view.number[:, 1:] + view.number[:, :-1])
    seen = view.detected[:, 1:] * view.detected[:, :-1] * (mean > 0) * (factor > 0)
    if not seen.any():
        return np.full(len(view.kept), np.nan)
    safe = np.where(seen > 0, mean, 1.0)
    square = _squared_steps(rate) * factor / safe**2
    weight = seen * safe / (safe + np.median(mean[seen > 0]))
    logs = np.log(safe)
    total, first, second, moved, both = (
        (view.kept @ (weight * part)).sum(axis=1)
        for part in (np.ones_like(logs), logs, logs**2, square, square * logs)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = second / total - (first / total) ** 2
        slope = (both / moved - first / total) / spread
        return np.where((moved > 0) & (spread > 1e-6), np.clip(slope, -4.0, 4.0), np.nan)


def _squared_steps(values: np.ndarray) -> np.ndarray:
    """(unit, step) mean square of the steps, of two halves."""
    move = np.diff(values, axis=1)
    return np.asarray((move[:, :, 0] * move[:, :, 1]).mean(axis=-1))


def _power(values: np.ndarray) -> np.ndarray:
    """(unit, session) mean square, of two halves."""
    return np.asarray((values[:, :, 0] * values[:, :, 1]).mean(axis=-1))
