"""Mixed models of several subjects' sessions: random intercepts, and noise that remembers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neurodrift.analysis.series.trend import (
    CORRELATIONS,
    EXACT,
    PRIOR,
    Scaled,
    Trend,
    average,
    whiten,
)

_LOG_RATIOS = np.linspace(-14.0, 32.0, 47)  # of the variances between subjects and within
_APART = 1e5  # subjects farther apart than so many times their own range are drawn together


def fit_random_intercept(
    design: np.ndarray,
    y: np.ndarray,
    subject: np.ndarray,
    *,
    at: np.ndarray | None = None,
    series: np.ndarray | None = None,
) -> Trend:
    r"""Fit ``y = design @ beta + intercept[subject] + noise`` by REML.

    Parameters
    ----------
    design
        (row, term) of full column rank; the first column is 1.
    y
        (row) response.
    subject
        (row) number of the subject.
    at
        (row) places of the sessions in steps
        (:func:`~neurodrift.analysis.series.trend.places`), different within a series: the noise
        of a series is then a first-order autoregressive process, whose correlation is averaged over
        as by :func:`~neurodrift.analysis.series.trend.fit_trend`. Independent noise when omitted.
    series
        (row) number of the series, each of one subject; the subject when omitted.

    Returns
    -------
    Trend
        With Satterthwaite's degrees of freedom; averaged over correlations they are the harmonic
        mean.

    Notes
    -----
    The ratio of the variances is that of the largest restricted likelihood at each correlation.
    A ratio of 0, the boundary, is least squares. Where levels are so far apart that the noise
    would be lost among their digits, they are drawn together first: slopes depend on them no more.
    """
    n, n_terms = design.shape
    series = subject if series is None else series
    y, drawn = _drawn_together(y, subject)
    order = np.lexsort((np.arange(n) if at is None else at, series))
    subject, series = subject[order], series[order]
    scaled = Scaled.of(design[order], y[order])
    residual = scaled.y - scaled.design @ scaled.start
    if np.abs(residual).max(initial=0.0) <= EXACT:  # a perfect fit has no variance to share out
        dof = np.full(n_terms, float(n - n_terms))
        nothing = np.zeros((n_terms, n_terms))
        return Trend(scaled.estimate(scaled.start), nothing, dof, 0.0, 0.0, 0.0, 0.0)
    rows = np.column_stack([scaled.design, scaled.y, np.ones(n)]).T
    if at is None:
        grid, prior = CORRELATIONS[:1], np.ones(1)
    else:
        grid, prior = CORRELATIONS, PRIOR
    first = np.concatenate([[True], np.diff(series) != 0])
    when = np.arange(n, dtype=float) if at is None else at[order]
    fits = []
    for rho in grid:
        white, scale = whiten(when, float(rho), rows, first=first)
        fits.append(_at_correlation(white[:-2].T, white[-2], white[-1], subject, scale))
    log_weight = np.log(prior) + [fit.log_likelihood for fit in fits]
    covariances = [fit.covariance for fit in fits]
    estimates = [fit.estimate for fit in fits]
    weight, mean, covariance = average(log_weight, np.array(estimates), np.array(covariances))
    centre = float(weight @ grid)
    dof = 1 / (weight @ np.array([1 / _dof_of(scaled, fit) for fit in fits]))
    residual_variance, subject_variance = (
        float(scaled.unit**2 * (weight @ [getattr(fit, name) for fit in fits]))
        for name in ("residual_variance", "subject_variance")
    )
    covariance = scaled.covariance(covariance)
    covariance[0] /= drawn
    covariance[:, 0] /= drawn
    return Trend(
        scaled.estimate(mean),
        covariance,
        dof,
        centre,
        float(np.sqrt(weight @ (grid - centre) ** 2)),
        residual_variance,
        subject_variance / drawn**2,
    )


def _drawn_together(y: np.ndarray, subject: np.ndarray) -> tuple[np.ndarray, float]:
    """The response with subjects' means not too far apart, and the factor of their distances."""
    number, count = np.unique(subject, return_inverse=True, return_counts=True)[1:]
    means = np.bincount(number, y) / count
    own = float(np.abs(y - means[number]).max(initial=0.0))
    apart = float(np.ptp(means))
    if not 0 < _APART * own < apart:
        return y, 1.0
    factor = _APART * own / apart
    return y - (1 - factor) * (means - means.mean())[number], factor


@dataclass(frozen=True, eq=False)
class _Fit:
    """A fit at one correlation, in scaled units."""

    log_likelihood: float
    estimate: np.ndarray
    covariance: np.ndarray
    residual_variance: float
    subject_variance: float
    gradient: np.ndarray  # (variance, term, term) of the covariance by the two variances
    of_variances: np.ndarray  # (variance, variance) their covariance


def _dof_of(scaled: Scaled, fit: _Fit) -> np.ndarray:
    """Satterthwaite's degrees of freedom of the coefficients in the units that were given."""
    variance = np.diag(scaled.covariance(fit.covariance))
    gradient = np.stack([np.diag(scaled.covariance(each)) for each in fit.gradient], axis=-1)
    spread = np.einsum("ij,jk,ik->i", gradient, fit.of_variances, gradient)
    return np.asarray(2 * variance**2 / spread)


def _at_correlation(
    design: np.ndarray, y: np.ndarray, one: np.ndarray, subject: np.ndarray, scale: np.ndarray
) -> _Fit:
    """REML of whitened rows, on which the intercept of a subject is `one`.

    The covariance of a subject's rows is I + ratio J, J the outer product of its `one`. Rows are
    parted into their mean along `one` and what is left, so that large differences between
    subjects take no digits from the noise.
    """
    n_rows, n_terms = design.shape
    basis, triangle = np.linalg.qr(design)
    start = basis.T @ y
    columns = np.column_stack([basis, y - basis @ start])
    number, count = np.unique(subject, return_inverse=True, return_counts=True)[1:]
    size = np.bincount(number, one**2)
    sums = np.zeros((size.size, n_terms + 1))
    np.add.at(sums, number, columns * one[:, None])
    inside = columns - one[:, None] * (sums / size[:, None])[number]
    within = inside.T @ inside
    between = sums / np.sqrt(size)[:, None]

    def solve(ratio: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Coefficients, squares left and deviance at each of many ratios."""
        weight = 1 / (1 + size * ratio[:, None])
        moments = within + np.einsum("rs,si,sj->rij", weight, between, between)
        shift = np.linalg.solve(moments[:, :-1, :-1], moments[:, :-1, -1:])[..., 0]
        rss = moments[:, -1, -1] - np.einsum("ri,ri->r", moments[:, :-1, -1], shift)
        log_det = np.linalg.slogdet(moments[:, :-1, :-1])[1] - np.log(weight).sum(axis=1)
        rss = np.maximum(rss, np.finfo(float).tiny)
        return shift, rss, (n_rows - n_terms) * np.log(rss) + log_det

    grid = _LOG_RATIOS
    for _ in range(5):  # ever finer about the best
        deviance = solve(np.exp(grid))[2]
        k = int(np.argmin(deviance))
        best = grid[k]
        grid = np.linspace(grid[max(k - 1, 0)], grid[min(k + 1, grid.size - 1)], 25)
    both = np.array([0.0, np.exp(best)])
    shifts, squares, deviance = solve(both)
    k = int(deviance[1] < deviance[0])
    ratio, shift, rss = float(both[k]), shifts[k], float(squares[k])
    back = np.linalg.inv(triangle)
    variance = rss / (n_rows - n_terms)
    covariance, gradient, of_variances = _errors(
        sums[:, :-1], size, count.astype(float), variance, ratio
    )
    log_likelihood = np.log(scale).sum() - np.log(np.abs(np.diag(triangle))).sum() - deviance[k] / 2
    return _Fit(
        float(log_likelihood),
        back @ (start + shift),
        back @ covariance @ back.T,
        variance,
        ratio * variance,
        back @ gradient @ back.T,
        of_variances,
    )


def _errors(
    sums: np.ndarray, size: np.ndarray, count: np.ndarray, variance: float, ratio: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Covariance of the coefficients, its derivatives by the variances, and their covariance.

    The covariance of a subject's rows, its inverse, its derivatives by the two variances and all
    their products are a I + b J; each is kept as the pair (a, b over subjects).
    """
    n_terms = sums.shape[1]
    inverse = (1 / variance, -ratio / (1 + size * ratio) / variance)
    derivatives = [(1.0, np.zeros_like(size)), (0.0, np.ones_like(size))]

    def times(*pairs: tuple[float, np.ndarray]) -> tuple[float, np.ndarray]:
        a, b = pairs[0]
        for c, d in pairs[1:]:
            a, b = a * c, a * d + b * c + size * b * d
        return a, b

    def quadratic(pair: tuple[Any, np.ndarray]) -> np.ndarray:
        return np.asarray(pair[0] * np.eye(n_terms) + (sums * pair[1][:, None]).T @ sums)

    covariance = np.linalg.inv(quadratic(inverse))
    middle = [quadratic(times(inverse, d, inverse)) for d in derivatives]
    information = np.empty((2, 2))
    for j, first in enumerate(derivatives):
        for k, second in enumerate(derivatives):
            product = times(inverse, first, inverse, second)
            trace = float((count * product[0] + size * product[1]).sum())
            information[j, k] = 0.5 * (
                trace
                - 2 * np.trace(covariance @ quadratic(times(product, inverse)))
                + np.trace(covariance @ middle[j] @ covariance @ middle[k])
            )
    unit = np.sqrt(np.diag(information))  # the two variances may be of very different size
    of_variances = np.linalg.inv(information / np.outer(unit, unit)) / np.outer(unit, unit)
    gradient = np.stack([covariance @ m @ covariance for m in middle])
    return covariance, gradient, of_variances
