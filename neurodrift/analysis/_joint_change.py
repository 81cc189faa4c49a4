"""Changes of several series together, and of the early part of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from neurodrift.analysis._change_points import Change, Ends, fit_change, log_sum

FEWEST = 5  # values from which a change or its absence can be judged
_SHORTEST = 8  # samples of a window in which a fall is looked for


def judged(values: np.ndarray, ends: Ends, negligible: float) -> Change | None:
    """Change of a series, with those too small to count counted as none.

    Parameters
    ----------
    values
        (sample) the series, NaN where missing.
    ends
        Candidates for the samples.
    negligible
        Size of a change that does not count, relative to the level.

    Returns
    -------
    Change or None
        None if there are too few values.
    """
    if np.isfinite(values).sum() < FEWEST:
        return None
    change = fit_change(values, ends)
    return None if change is None else change.beyond(negligible * scale_of(values), ends.prior)


def scale_of(values: np.ndarray) -> float:
    """Level that changes are relative to: the first value, or the largest where that is small."""
    known = np.abs(values[np.isfinite(values)])
    if not known.size or known.max() == 0:
        return 1.0
    return float(known[0] if known[0] > 0.1 * known.max() else known.max())


def effective_number(residuals: Sequence[np.ndarray]) -> float:
    """How many independent series there are among series with correlated noise."""
    n_series = len(residuals)
    shared = 0.0
    for i in range(n_series):
        for j in range(n_series):
            both = np.isfinite(residuals[i]) & np.isfinite(residuals[j])
            a, b = residuals[i][both], residuals[j][both]
            if i == j or a.size < 4 or not (a.any() and b.any()):
                continue
            r2 = float((a @ b) ** 2 / ((a @ a) * (b @ b)))
            shared += max(0.0, 1 - (1 - r2) * (a.size - 1) / (a.size - 2))
    return n_series / (1 + shared / n_series)


def early_fall(values: np.ndarray, ends: Ends, smallest: float) -> Change | None:
    """Evidence that a series falls early on, whatever becomes of it later.

    Parameters
    ----------
    values
        (sample) the series, NaN where missing.
    ends
        Candidates for the samples.
    smallest
        Size of a fall that counts.

    Returns
    -------
    Change or None
        None if fewer than four values are there. Its Bayes factors are means over windows: the
        whole series, its first half, its first quarter and so on down to eight samples; each
        has mean 1 if nothing changes. Its course is that of the best window.
    """
    windows, last = [], values.size
    while last == values.size or last >= _SHORTEST:
        part = np.where(np.arange(values.size) < last, values, np.nan)
        found = fit_change(part, ends, falling=True)
        if found is not None:
            windows.append(found.beyond(smallest, ends.prior))
        last = (last + 1) // 2
    if not windows:
        return None
    best = max(windows, key=lambda item: item.total(ends.prior))
    log_bf = np.logaddexp.reduce([item.log_bf for item in windows], axis=0)
    residuals = values - (best.fitted if best.total(ends.prior) > 0 else best.constant)
    return replace(best, log_bf=log_bf - np.log(len(windows)), residuals=residuals)


def joint_end(changes: Sequence[Change], prior: np.ndarray) -> tuple[float, np.ndarray]:
    """Evidence that any of several series changes, and when the last of them is done.

    Parameters
    ----------
    changes
        Series with the same candidate ends.
    prior
        (cell) prior of the ends.

    Returns
    -------
    log_bf : float
        Log Bayes factor of any change against none.
    mass : numpy.ndarray
        (cell) posterior probability that all changes are done there, given one.

    Notes
    -----
    Each series changes or not with equal prior odds, not all constant. Either those that change
    are done at one time, or each at its own and the last counts; both are averaged with equal
    prior odds. Bayes factors are raised to the power of the effective over the number of series.
    """
    part = effective_number([item.residuals for item in changes]) / len(changes)
    bf = np.stack([part * item.log_bf for item in changes])
    log_prior = np.log(prior)
    log_scale = np.log(2.0 ** len(changes) - 1)
    together = _log_expm1(np.logaddexp(0, bf).sum(axis=0)) + log_prior - log_scale
    own = np.stack([np.logaddexp.accumulate(row + log_prior) for row in bf])
    apart = _log_expm1(np.logaddexp(0, own).sum(axis=0)) - log_scale
    totals = np.array([log_sum(together), apart[-1]])
    top = totals.max()
    if not np.isfinite(top):
        return -np.inf, prior.copy()
    mass = np.exp(together - top) + np.diff(np.exp(apart - top), prepend=0.0)
    return log_sum(totals) - np.log(2), mass / mass.sum()


def _log_expm1(x: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.asarray(np.where(x > 30, x, np.log(np.expm1(np.minimum(x, 30)))))
