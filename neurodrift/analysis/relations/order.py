"""Whether a similarity of sessions depends on how far they lie apart."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from neurodrift.analysis._inference import permutation_p

_ALL_UP_TO = 7  # sessions, whose every order is tried


def order_trend(
    values: np.ndarray, at: np.ndarray, n_permutations: int, rng: np.random.Generator
) -> tuple[float, float, int]:
    """Slope of a similarity on the time between two sessions, against other orders of them.

    Parameters
    ----------
    values
        (session, session) symmetric, NaN for pairs without a value.
    at
        (session) when each was recorded.
    n_permutations
        Random orders that are tried where there are more than seven sessions; otherwise every one.
    rng
        Draws them.

    Returns
    -------
    slope, p, n_orders
        Change of the similarity for each unit of time; the share of orders, this one among them,
        whose slope is as far from 0; how many were tried. NaN with fewer than four sessions.

    Notes
    -----
    Pairs share sessions and are no independent points; orders of the sessions keep this. A p tells
    whether the similarity depends on the time between, not whether anything changes.
    """
    n = at.size
    upper = np.triu_indices(n, k=1)
    if n < 4 or np.isfinite(values[upper]).sum() < 3:
        return np.nan, np.nan, 0
    if n <= _ALL_UP_TO:
        orders = np.array(list(permutations(range(n))))
    else:
        orders = np.stack([np.arange(n), *(rng.permutation(n) for _ in range(n_permutations))])
    lag = np.abs(at[upper[0]] - at[upper[1]])
    moved = values[orders[:, upper[0]], orders[:, upper[1]]]
    known = np.isfinite(moved)
    number = known.sum(axis=1)
    x = np.where(known, lag, 0.0)
    y = np.where(known, moved, 0.0)
    mean_x, mean_y = x.sum(axis=1) / number, y.sum(axis=1) / number
    power = (x**2).sum(axis=1) - number * mean_x**2
    slope = np.divide(
        (x * y).sum(axis=1) - number * mean_x * mean_y,
        power,
        out=np.zeros(len(orders)),
        where=power > 0,
    )
    if not power[0] > 0:
        return np.nan, np.nan, 0
    reached = int((np.abs(slope) >= np.abs(slope[0]) * (1 - 1e-9)).sum())
    if n <= _ALL_UP_TO:
        return float(slope[0]), reached / len(orders), len(orders)
    return float(slope[0]), float(permutation_p(reached - 1, n_permutations)), len(orders)
