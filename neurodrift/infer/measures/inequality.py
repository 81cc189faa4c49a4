"""How unequal the units' rates are in one session."""

from __future__ import annotations

import numpy as np

from neurodrift.infer.measures.view import View


def gini(view: View) -> np.ndarray:
    """(replicate, session) Gini coefficient of mean rates, without what noise adds.

    The root of two: of a half's own coefficient, which noise enlarges, and of the one of the other
    half in this half's order, which noise makes as much smaller.
    """
    own = view.rate.mean(axis=-1)
    found = np.full((len(view.kept), view.n_sessions), np.nan)
    for r, kept in enumerate(view.kept > 0):
        for s in range(view.n_sessions):
            rates = own[kept & (view.detected[:, s] > 0), s]
            if len(rates) > 1 and (rates.sum(axis=0) > 0).all():
                plain = _in_order(rates, rates)
                other = _in_order(rates, rates[:, ::-1])
                found[r, s] = np.sqrt(max(plain, 0.0) * max(other, 0.0))
    return found


def width(view: View) -> np.ndarray:
    """(replicate, session) width of a log-normal distribution with the rates' own variance."""
    own = view.rate.mean(axis=-1)
    one, other = own[:, :, 0], own[:, :, 1]
    n = view.kept @ view.detected
    first, second, both = view.kept @ one, view.kept @ other, view.kept @ (one * other)
    with np.errstate(divide="ignore", invalid="ignore"):
        square = np.where(first * second > 0, (both - first * second / n) * n**2, np.nan)
        square = square / ((n - 1) * first * second)
        return np.asarray(np.sqrt(np.log1p(np.maximum(square, 0.0))))


def _in_order(order: np.ndarray, rates: np.ndarray) -> float:
    """Mean over halves of the concentration of rates (unit, half) in the order of others."""
    n = len(rates)
    rank = _ranks(order)
    return float((((2 * rank - n - 1) * rates).sum(axis=0) / rates.sum(axis=0)).mean() / (n - 1))


def _ranks(values: np.ndarray) -> np.ndarray:
    """(unit, half) ranks from 1, the mean rank for values that differ by rounding alone."""
    values = np.round(values / values.mean(axis=0), 9)
    found = np.empty(values.shape)
    for half in range(values.shape[1]):
        _, where, number = np.unique(values[:, half], return_inverse=True, return_counts=True)
        last = np.cumsum(number)
        found[:, half] = (last - (number - 1) / 2)[where]
    return found
