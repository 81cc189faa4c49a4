"""Trends of sessions whose noise remembers: generalised least squares over the autocorrelation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

CORRELATIONS = np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95])
"""Correlations of neighbouring sessions that are averaged over."""

PRIOR = np.array([1 / 3] + 10 * [1 / 15])
"""How probable each is beforehand: independent sessions a third, all others the same."""

POWER = 0.8
"""Power at which the smallest change is given that would have been found."""

_CLOSEST = 0.25  # steps of the usual length; sessions nearer than this count as so far apart
_FARTHEST = 10.0  # and farther ones as this
EXACT = 1e-9
"""Residuals smaller than this part of the spread are rounding."""

TIMES = ("training_step", "day", "experience", "session_number")
"""Columns of a table of sessions that say when a session was, the preferred one first."""


@dataclass(frozen=True, eq=False)
class Trend:
    """Coefficients of a linear model with their errors.

    Parameters
    ----------
    estimate
        (term) coefficients.
    covariance
        (term, term) their covariance.
    dof
        (term) degrees of freedom of Student's t.
    correlation, correlation_sd
        Mean and standard deviation of the correlation of neighbouring sessions, given the data.
    residual_variance
        Variance of a session about its prediction.
    subject_variance
        Variance of the subjects' intercepts; NaN where there are none.
    """

    estimate: np.ndarray
    covariance: np.ndarray
    dof: np.ndarray
    correlation: float
    correlation_sd: float
    residual_variance: float
    subject_variance: float = np.nan

    @property
    def se(self) -> np.ndarray:
        """(term) standard errors."""
        return np.sqrt(np.diag(self.covariance))


def time_of(columns: Mapping[str, np.ndarray], n: int) -> np.ndarray:
    """When the sessions of one recording were.

    Parameters
    ----------
    columns
        (session) values by name.
    n
        Number of sessions.

    Returns
    -------
    numpy.ndarray
        (session) the first of :data:`TIMES` that is known everywhere and increases; their numbers
        where none does.
    """
    for name in TIMES:
        if name in columns:
            at = np.asarray(columns[name], dtype=float)
            if np.isfinite(at).all() and (np.diff(at) > 0).all():
                return at
    return np.arange(n, dtype=float)


def places(at: np.ndarray) -> np.ndarray:
    """Where sessions lie in time, in steps of the usual length.

    Parameters
    ----------
    at
        (session) days, minutes or training steps, increasing.

    Returns
    -------
    numpy.ndarray
        (session) The first is 0. A step is the median of the steps; one below a quarter of it, or
        above ten times it, counts as just that. Where a tenth of the steps or more are ten times
        the usual one, as when snapshots are taken at growing intervals, every step is 1.
    """
    gaps = np.diff(np.asarray(at, dtype=float))
    usual = float(np.median(gaps)) if gaps.size else 1.0
    if gaps.size == 0 or not usual > 0 or np.mean(gaps > _FARTHEST * usual) >= 0.1:
        return np.arange(gaps.size + 1.0)
    return np.concatenate([[0.0], np.cumsum(np.clip(gaps / usual, _CLOSEST, _FARTHEST))])


def whiten(
    at: np.ndarray, correlation: float, *arrays: np.ndarray, first: np.ndarray | None = None
) -> list[np.ndarray]:
    """Take a first-order autocorrelation out of rows.

    Parameters
    ----------
    at
        (sample) places in steps, increasing within a series.
    correlation
        Of samples one step apart; of others it is this to the power of their distance.
    *arrays
        (..., sample) what is whitened.
    first
        (sample) whether a series begins there; only the first sample when omitted.

    Returns
    -------
    list of numpy.ndarray
        The arrays with unit covariance, and (sample) the scale of each sample, whose logarithms
        sum to half the log determinant of the inverse correlation.
    """
    gap = np.diff(at)
    if first is not None:
        gap = np.where(first[1:], np.inf, gap)
    power = np.power(correlation, gap) if correlation > 0 else np.zeros(gap.size)
    scale = np.concatenate([[1.0], 1 / np.sqrt(1 - power**2)])
    white = []
    for rows in arrays:
        fresh = np.array(rows, dtype=float)
        fresh[..., 1:] -= power * rows[..., :-1]
        white.append(fresh * scale)
    return [*white, scale]


def average(
    log_weight: np.ndarray, estimates: np.ndarray, covariances: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean of estimates under their weights, with the covariance within and between them.

    Parameters
    ----------
    log_weight
        (model) logarithms of weights.
    estimates, covariances
        (model, term) and (model, term, term).

    Returns
    -------
    weight, estimate, covariance : numpy.ndarray
        (model) weights that sum to 1, (term) and (term, term).
    """
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    mean = weight @ estimates
    apart = estimates - mean
    spread = covariances + apart[:, :, None] * apart[:, None, :]
    return weight, mean, np.einsum("m,mij->ij", weight, spread)


def fit_trend(
    design: np.ndarray,
    y: np.ndarray,
    at: np.ndarray,
    series: np.ndarray | None = None,
) -> Trend:
    r"""Fit ``y = design @ beta + noise`` whose noise is a first-order autoregressive process.

    Parameters
    ----------
    design
        (row, term) of full column rank; the first column is 1.
    y
        (row) response.
    at
        (row) places of the sessions in steps (:func:`places`), different within a series.
    series
        (row) number of the series; between series noise is independent. One when omitted.

    Returns
    -------
    Trend
        With n - p degrees of freedom. A response that the design explains to the last digit has
        no error.

    Notes
    -----
    For each correlation :math:`\rho` of :data:`CORRELATIONS`, samples :math:`d` steps apart being
    correlated by :math:`\rho^d`, there are the estimate :math:`b_\rho` and covariance
    :math:`V_\rho` of generalised least squares. They are averaged with weights of :data:`PRIOR`
    times the restricted likelihood, the variance integrated out [1]_,

    .. math:: |R|^{-1/2}\,|X^T R^{-1} X|^{-1/2}\,(e^T R^{-1} e)^{-(n - p) / 2},

    and the covariance is :math:`\sum_\rho w_\rho (V_\rho + (b_\rho - b)(b_\rho - b)^T)`. With few
    sessions the weights are nearly the prior: they do not know how alike neighbours are, and the
    interval is as wide as that makes it.

    References
    ----------
    .. [1] Harville (1974), Biometrika. https://doi.org/10.1093/biomet/61.2.383

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.analysis.series.trend import fit_trend
    >>> day = np.arange(6.0)
    >>> active = np.array([80, 78, 73, 71, 64, 60.0])
    >>> trend = fit_trend(np.column_stack([np.ones(6), day]), active, day)
    >>> round(float(trend.estimate[1]), 1), float(trend.dof[1])
    (-4.1, 4.0)
    """
    n, n_terms = design.shape
    series = np.zeros(n, dtype=int) if series is None else series
    order = np.lexsort((at, series))
    at, series = at[order], series[order]
    scaled = Scaled.of(design[order], y[order])
    dof = np.full(n_terms, float(n - n_terms))
    residual = scaled.y - scaled.design @ scaled.start
    if n == n_terms or np.abs(residual).max(initial=0.0) <= EXACT:
        return Trend(scaled.estimate(scaled.start), np.zeros((n_terms,) * 2), dof, 0.0, 0.0, 0.0)
    first = np.concatenate([[True], np.diff(series) != 0])
    rows = np.column_stack([scaled.design, scaled.y]).T
    log_likelihood, estimates, inverses, left = _at_each_correlation(rows, at, first)
    covariances = (left / (n - n_terms))[:, None, None] * inverses
    weight, mean, covariance = average(np.log(PRIOR) + log_likelihood, estimates, covariances)
    centre = float(weight @ CORRELATIONS)
    return Trend(
        scaled.estimate(mean),
        scaled.covariance(covariance),
        dof,
        centre,
        float(np.sqrt(weight @ (CORRELATIONS - centre) ** 2)),
        float(scaled.unit**2 * (weight @ left) / (n - n_terms)),
    )


def _at_each_correlation(
    rows: np.ndarray, at: np.ndarray, first: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Log restricted likelihood, estimate, inverse information and squares left, at each rho."""
    white = [whiten(at, float(rho), rows, first=first) for rho in CORRELATIONS]
    scale = np.array([w[1] for w in white])
    design, y = np.array([w[0][:-1].T for w in white]), np.array([w[0][-1] for w in white])
    basis, triangle = np.linalg.qr(design)
    back = np.linalg.inv(triangle)
    estimate = (back @ (basis.swapaxes(1, 2) @ y[..., None]))[..., 0]
    left = ((y - (design @ estimate[..., None])[..., 0]) ** 2).sum(axis=1)
    _, n, n_terms = design.shape
    diagonal = np.abs(np.diagonal(triangle, axis1=1, axis2=2))
    log_likelihood = np.log(scale).sum(axis=1) - np.log(diagonal).sum(axis=1)
    log_likelihood -= (n - n_terms) / 2 * np.log(left)
    return log_likelihood, estimate, back @ back.swapaxes(1, 2), left


@dataclass(frozen=True, eq=False)
class Scaled:
    """A regression in units in which its sums lose no digits.

    Parameters
    ----------
    design, y
        (row, term), (row) predictors and response without their means, over their ranges.
    start
        (term) least squares.
    unit, level
        Range and mean of the response.
    units, levels
        (term) ranges and means of the predictors; 1 and 0 of the intercept.
    """

    design: np.ndarray
    y: np.ndarray
    start: np.ndarray
    unit: float
    level: float
    units: np.ndarray
    levels: np.ndarray

    @classmethod
    def of(cls, design: np.ndarray, y: np.ndarray) -> Scaled:
        """A regression whose first column is the intercept.

        Parameters
        ----------
        design, y
            (row, term), (row) as they were given.

        Returns
        -------
        Scaled
            The same without offsets and units.
        """
        constant = np.ptp(y) <= 1e-13 * np.abs(y).max(initial=0.0)
        level = float(y[0]) if constant else float(np.mean(y))
        unit = 1.0 if constant else float(np.ptp(y))
        levels, units = design.mean(axis=0), np.ptp(design, axis=0)
        levels[0], units[0] = 0.0, 1.0
        units = np.where(units > 0, units, 1.0)
        shifted = (design - levels) / units
        response = np.zeros(y.size) if constant else (y - level) / unit
        start = np.linalg.lstsq(shifted, response, rcond=None)[0]
        return cls(shifted, response, start, unit, level, units, levels)

    def _back(self) -> np.ndarray:
        """(term, term) what makes coefficients of scaled ones, the level of y left out."""
        matrix = np.diag(self.unit / self.units)
        matrix[0, 1:] = -self.levels[1:] * self.unit / self.units[1:]
        return matrix

    def estimate(self, scaled: np.ndarray) -> np.ndarray:
        """Coefficients in the units that were given.

        Parameters
        ----------
        scaled
            (term) coefficients of the scaled regression.

        Returns
        -------
        numpy.ndarray
            (term).
        """
        found = self._back() @ scaled
        found[0] += self.level
        return np.asarray(found)

    def covariance(self, scaled: np.ndarray) -> np.ndarray:
        """Covariance in the units that were given.

        Parameters
        ----------
        scaled
            (term, term) of the scaled regression.

        Returns
        -------
        numpy.ndarray
            (term, term).
        """
        back = self._back()
        return np.asarray(back @ scaled @ back.T)


def smallest_detectable(se: float, dof: float, level: float = 0.95, power: float = POWER) -> float:
    r"""Smallest size of a coefficient that its test would have found with some power.

    Parameters
    ----------
    se, dof
        Standard error of the coefficient and its degrees of freedom.
    level
        The test is at 1 - `level`, two-sided.
    power
        Probability of finding it.

    Returns
    -------
    float
        :math:`\delta\,se`, where a t of noncentrality :math:`\delta` exceeds the quantile with
        probability `power`, and the standard error is corrected to be too small as often as too
        large; NaN without an error, 0 with an error of 0.

    Notes
    -----
    It is of these sessions and their noise, not of an effect that was seen: the estimate does not
    enter [1]_. With 8 sessions it has a standard deviation of a third of itself, as the error has.

    References
    ----------
    .. [1] Hoenig & Heisey (2001), Am Stat. https://doi.org/10.1198/000313001300339897

    Examples
    --------
    >>> from neurodrift.analysis.series.trend import smallest_detectable
    >>> round(smallest_detectable(1.0, 6.0), 2)
    3.57
    """
    if not (np.isfinite(se) and np.isfinite(dof) and dof > 0):
        return np.nan
    return float(se) * _noncentrality(round(float(dof), 6), level, power)


@lru_cache(maxsize=4096)
def _noncentrality(dof: float, level: float, power: float) -> float:
    """Noncentrality of a t that exceeds its two-sided quantile with some power."""
    from scipy.optimize import brentq
    from scipy.special import chdtri, nctdtr, ndtr, stdtrit

    quantile = float(stdtrit(dof, (1 + level) / 2))
    highest = 4.0
    share = (np.arange(2000) + 0.5) / 2000
    errors = quantile * np.sqrt(chdtri(dof, share) / dof)

    def missed(size: float) -> float:
        """Probability that an effect of this size is not found."""
        exact = float(nctdtr(dof, size, quantile))
        if np.isfinite(exact):
            return exact
        return float(1 - ndtr(size - errors).mean())  # of a quantile without end, at few dof

    while missed(highest) > 1 - power:
        highest *= 2
    size = brentq(lambda size: missed(size) - (1 - power), 0.0, highest)
    return float(size * np.sqrt(dof / chdtri(dof, 0.5)))
