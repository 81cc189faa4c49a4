"""What one half of a session tells of a unit, and how similar the other half is to a later one."""

from __future__ import annotations

import numpy as np
from scipy.special import xlogy

from neurodrift.analysis.stable_units.parts import half_map

OF_MAP = ("rate", "information", "width", "peak")
"""Predictors that are taken from a map."""


def predictors_of(
    events: np.ndarray, seconds: np.ndarray, seen: np.ndarray, width: float, n_ways: int
) -> np.ndarray:
    r"""(unit, predictor) of the first half of the laps: parts 0 and 1.

    Parameters
    ----------
    events
        (part, unit, cell).
    seconds
        (part, cell) [s].
    seen
        (cell) cells that enter.
    width
        Of a bin [cm].
    n_ways
        Directions; the first `cell / n_ways` cells are of the first.

    Returns
    -------
    numpy.ndarray
        Mean rate over time [events/s]; information less its bias,
        :math:`(B - 1) / (2 N \ln 2)` [bit/event]; width, the time-free length in which the rate is
        at least half of the peak, by direction [cm]; and peak, the highest rate of three neighbours
        [events/s]. NaN without an event.
    """
    rate_map = half_map(events, seconds, (0, 1))[:, seen]
    time = seconds[:2].sum(axis=0)[seen]
    share = time / max(float(time.sum()), 1e-300)
    number = events[:2].sum(axis=(0, 2), where=seen, dtype=float)
    rate = (rate_map * share).sum(axis=1)  # a product of matrices depends on the order of units
    relative = np.divide(
        rate_map, rate[:, None], out=np.zeros_like(rate_map), where=rate[:, None] > 0
    )
    naive = (share * xlogy(relative, relative)).sum(axis=1) / np.log(2)
    there = number > 0
    some = np.where(there, number, 1.0)
    information = naive - (seen.sum() - 1) / (2 * some * np.log(2))
    smooth = _smooth(half_map(events, seconds, (0, 1)), seen, n_ways)
    peak = smooth.max(axis=1, initial=0.0)
    wide = (smooth >= peak[:, None] / 2).sum(axis=1) * width / n_ways
    found = np.column_stack([rate, information, wide, peak])
    found[~there] = np.nan
    return found


def _smooth(rate: np.ndarray, seen: np.ndarray, n_ways: int) -> np.ndarray:
    """(unit, cell) mean of three neighbours of the same direction, of those that were visited."""
    n_units = rate.shape[0]
    plain = np.where(seen, rate, 0.0).reshape(n_units, n_ways, -1)
    weight = seen.astype(float).reshape(1, n_ways, -1)

    def three(values: np.ndarray) -> np.ndarray:
        total = values.copy()
        total[..., 1:] += values[..., :-1]
        total[..., :-1] += values[..., 1:]
        return total

    total, count = three(plain), three(weight)
    mean = np.divide(total, count, out=np.zeros_like(total), where=count > 0)
    return np.asarray((mean * weight).reshape(n_units, -1))


def covariances_of(
    a: np.ndarray,
    b: np.ndarray,
    seconds: tuple[np.ndarray, np.ndarray],
    seen: np.ndarray,
) -> np.ndarray:
    r"""(unit, 3) covariances of maps of disjoint laps: of a with b, within a, within b.

    Parameters
    ----------
    a, b
        (part, unit, cell) events in the two sessions; of a only parts 2 and 3 are used.
    seconds
        (part, cell) time in both [s].
    seen
        (cell) cells that enter.

    Returns
    -------
    numpy.ndarray
        :math:`c(a_{23}, b_{0123}),\; c(a_2, a_3),\; c(b_{01}, b_{23})` over cells, of maps divided
        by their mean in parts 2 and 3 of a, and in b; NaN where that is 0.
    """

    def deviations(events: np.ndarray, time: np.ndarray, parts: tuple[int, ...]) -> np.ndarray:
        rate = half_map(events, time, parts)[:, seen]
        return np.asarray(rate - rate.mean(axis=1, keepdims=True))

    means = [half_map(a, seconds[0], (2, 3)), half_map(b, seconds[1], (0, 1, 2, 3))]
    one, other = (np.where(m > 0, m, np.nan) for m in (v[:, seen].mean(axis=1) for v in means))
    top = (deviations(a, seconds[0], (2, 3)) * deviations(b, seconds[1], (0, 1, 2, 3))).mean(axis=1)
    own = (deviations(a, seconds[0], (2,)) * deviations(a, seconds[0], (3,))).mean(axis=1)
    later = (deviations(b, seconds[1], (0, 1)) * deviations(b, seconds[1], (2, 3))).mean(axis=1)
    return np.column_stack([top / (one * other), own / one**2, later / other**2])


def similarity_of(sums: np.ndarray) -> np.ndarray:
    r"""Correlation without noise of sums of :func:`covariances_of`.

    Parameters
    ----------
    sums
        (..., 3).

    Returns
    -------
    numpy.ndarray
        :math:`c_{ab} / \sqrt{c_{aa} c_{bb}}`, NaN where a covariance below the root is not above 0.
    """
    told = (sums[..., 1] > 0) & (sums[..., 2] > 0)
    return np.asarray(sums[..., 0] / np.sqrt(np.where(told, sums[..., 1] * sums[..., 2], np.nan)))
