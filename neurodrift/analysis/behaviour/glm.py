"""Poisson regression of many units on one design, and splines of position."""

from __future__ import annotations

import numpy as np
from scipy.special import xlogy

_STEPS = 25
_CLOSE = 1e-9
_MOST = 30.0  # of a logarithm of a rate, against overflow


def fit_poisson(
    counts: np.ndarray,
    design: np.ndarray,
    log_time: np.ndarray,
    penalty: np.ndarray,
    start: np.ndarray | None = None,
    steps: int = _STEPS,
) -> np.ndarray:
    r"""Coefficients of Poisson regressions with a logarithmic link, by Newton's method.

    Parameters
    ----------
    counts
        (row, unit) events.
    design
        (row, term) predictors, the same for all units.
    log_time
        (row) logarithm of the time of each row [log s].
    penalty
        (term) weight :math:`\lambda` of :math:`\lambda \beta^2 / 2`; 0 for none.
    start
        (unit, term) where to start; the mean rate in the first term when omitted.
    steps
        Most steps.

    Returns
    -------
    numpy.ndarray
        (unit, term) maxima of the penalised likelihood.
    """
    n_units, n_terms = counts.shape[1], design.shape[1]
    if start is None:
        start = np.zeros((n_units, n_terms))
        rate = (counts.sum(axis=0) + 0.5) / np.exp(log_time).sum()
        start[:, 0] = np.log(rate)
    slopes = start.copy()
    target = counts.T @ design
    square = np.einsum("rp,rq->rpq", design, design).reshape(design.shape[0], -1)
    level = _objective(slopes, counts, design, log_time, penalty)
    for _ in range(steps):
        mean = np.exp(np.minimum(slopes @ design.T + log_time, _MOST))
        slope = target - mean @ design - penalty * slopes
        curve = (mean @ square).reshape(n_units, n_terms, n_terms)
        curve[:, np.arange(n_terms), np.arange(n_terms)] += penalty + 1e-9
        move = np.linalg.solve(curve, slope[..., None])[..., 0]
        share = np.ones((n_units, 1))
        for _ in range(8):  # halved where the likelihood would fall
            tried = slopes + share * move
            reached = _objective(tried, counts, design, log_time, penalty)
            worse = reached < level - 1e-12 * np.abs(level)
            if not worse.any():
                break
            share[worse] /= 2
        gained = reached - level
        slopes, level = tried, reached
        if (np.abs(gained) <= _CLOSE * (1 + np.abs(level))).all():
            break
    return slopes


def _objective(
    slopes: np.ndarray,
    counts: np.ndarray,
    design: np.ndarray,
    log_time: np.ndarray,
    penalty: np.ndarray,
) -> np.ndarray:
    """(unit) penalised log likelihood, without what does not depend on the slopes."""
    eta = np.minimum(slopes @ design.T + log_time, _MOST)
    fit = np.einsum("ur,ru->u", eta, counts) - np.exp(eta).sum(axis=1)
    return np.asarray(fit - 0.5 * (penalty * slopes**2).sum(axis=1))


def deviance(
    counts: np.ndarray, design: np.ndarray, log_time: np.ndarray, slopes: np.ndarray
) -> np.ndarray:
    r"""Poisson deviance of each unit.

    Parameters
    ----------
    counts, design, log_time, slopes
        As of :func:`fit_poisson`.

    Returns
    -------
    numpy.ndarray
        (unit) :math:`2 \sum_r n_r \log(n_r / \mu_r) - (n_r - \mu_r)` [nats].
    """
    eta = np.minimum(design @ slopes.T + log_time[:, None], _MOST)
    rest = xlogy(counts, counts) - counts * eta - counts + np.exp(eta)
    return np.asarray(2 * rest.sum(axis=0))


def spline_basis(at: np.ndarray, n: int, low: float, high: float, circular: bool) -> np.ndarray:
    """Cubic B-splines of position, without the last of those that add up to 1.

    Parameters
    ----------
    at
        (row) positions.
    n
        How many splines there are, 4 or more.
    low, high
        Ends of the track, or of a turn.
    circular
        Whether both ends are one place.

    Returns
    -------
    numpy.ndarray
        (row, n - 1).

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.analysis.behaviour.glm import spline_basis
    >>> spline_basis(np.array([0.0, 50.0, 100.0]), 6, 0.0, 100.0, False).shape
    (3, 5)
    """
    from scipy.interpolate import BSpline

    if circular:
        step = (high - low) / n
        knots = low + step * np.arange(-3, n + 4)
        inside = low + (at - low) % (high - low)
        each = BSpline.design_matrix(inside, knots, 3).toarray()
        found = each[:, :n].copy()
        found[:, :3] += each[:, n:]
    else:
        inner = np.linspace(low, high, n - 2)
        knots = np.concatenate([[low] * 3, inner, [high] * 3])
        found = BSpline.design_matrix(np.clip(at, low, high), knots, 3).toarray()
    return np.asarray(found[:, :-1])
