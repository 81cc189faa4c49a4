"""Evidence that a short, autocorrelated series moves to a plateau, and when it gets there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from neurodrift.analysis._inference import t_interval
from neurodrift.analysis.series.trend import CORRELATIONS, PRIOR, fit_trend, whiten
from neurodrift.analysis.series.verdicts import FEWEST

_TAILS = (0.0, 1.0, 1.25)  # q of the q-exponential: straight line, exponential, power of -4
_DELAYS = (0.25, 0.5, 0.7, 0.85)  # part of the way after which a line sets in
_DELAYS_IN_SAMPLES = (0.0, 0.5, 1.0)  # the same counted in samples; 1 is a jump
_FLOOR = 0.05  # of an exponential whose logarithm is a course, as of a loss
_BEYOND = (1.3, 2.0, 4.0, 10.0)  # ends after the last sample, in lengths of the series
_P_BEYOND = 0.2  # prior probability of these
_CELLS = 100  # at least so many candidate ends within the series
_EXACT = 1e-13  # what is smaller, relative to the level, is rounding


@dataclass(frozen=True)
class Ends:
    """Candidate times at which a change is done, cell by cell.

    Parameters
    ----------
    at
        (sample) where the samples lie on the axis, increasing.
    edges
        (cell + 1) bounds of the candidate times, the last infinite.
    prior
        (cell) prior probability: each interval between samples has the same, a fifth is
        beyond the last sample.
    shapes
        (shape, cell, sample) courses of the change, from 1 down to 0.
    """

    at: np.ndarray
    edges: np.ndarray
    prior: np.ndarray
    shapes: np.ndarray

    @property
    def n_within(self) -> int:
        """Number of cells within the series."""
        return self.prior.size - len(_BEYOND)

    def interval(self, mass: np.ndarray, level: float) -> tuple[float, float]:
        """Central interval of (cell) masses, a cell wider to either side for the coarse grids."""
        tail = (1 - level) / 2
        low, high = self._cell(mass, tail) - 1, self._cell(mass, 1 - tail) + 1
        upper = (
            np.inf if high - 1 >= self.n_within else self.edges[min(high, self.n_within - 1) + 1]
        )
        return float(self.edges[np.clip(low, 0, self.n_within)]), float(upper)

    def median(self, mass: np.ndarray) -> float:
        """Median of (cell) masses, the middle of its cell; infinite beyond the series."""
        cell = self._cell(mass, 0.5)
        return float(self.edges[cell : cell + 2].mean()) if cell < self.n_within else np.inf

    def _cell(self, mass: np.ndarray, p: float) -> int:
        """Cell in which the distribution function passes p."""
        found = int(np.searchsorted(np.cumsum(mass), p * mass.sum()))
        return min(found, mass.size - 1)

    def before(self, mass: np.ndarray) -> np.ndarray:
        """Probability (sample) that the change is done when a sample is taken."""
        total = np.concatenate([[0.0], np.cumsum(mass)]) / mass.sum()
        inside = self.edges[: self.n_within + 1]
        return np.asarray(np.interp(self.at, inside, total[: inside.size]))


@dataclass(frozen=True)
class Change:
    """What one series says of its change.

    Parameters
    ----------
    log_bf
        (cell) log Bayes factor of a change that is done there against none.
    change, se
        Change from the first to the last sample and its standard error, given that there is one.
    dof
        Degrees of freedom of the standard error.
    fitted, constant
        (sample) mean course given a change, and level given none.
    residuals
        (sample) differences from the course that the evidence favours, NaN where missing.
    """

    log_bf: np.ndarray
    change: float
    se: float
    dof: int
    fitted: np.ndarray
    constant: float
    residuals: np.ndarray

    def total(self, prior: np.ndarray) -> float:
        """Log Bayes factor of a change at any time against none."""
        return log_sum(self.log_bf, np.log(prior))

    def interval(self, level: float) -> tuple[float, float]:
        """Interval of the change."""
        low, high = t_interval(self.change, self.se, self.dof, level)
        return float(low), float(high)

    def beyond(self, smallest: float, prior: np.ndarray) -> Change:
        """The same with changes below a size counted as none.

        Parameters
        ----------
        smallest
            Size of a change that counts.
        prior
            (cell) prior of the ends.

        Returns
        -------
        Change
            With the Bayes factor of a change that counts against a smaller one or none.
        """
        from scipy.stats import t

        if self.se > 0:
            signs = np.array([-1.0, 1.0])
            outside = float(t.cdf((signs * self.change - smallest) / self.se, self.dof).sum())
        else:
            outside = float(abs(self.change) > smallest)
        inside = np.log(max(1 - outside, 1e-300)) + self.total(prior)
        log_part = np.log(max(outside, 1e-300)) - np.logaddexp(0.0, inside)
        return replace(self, log_bf=self.log_bf + log_part)


def log_sum(terms: np.ndarray, log_weights: np.ndarray | float = 0.0) -> float:
    """Logarithm of a sum of exponentials."""
    terms = np.asarray(terms) + log_weights
    top = terms.max()
    return float(top + np.log(np.exp(terms - top).sum())) if np.isfinite(top) else float(top)


def candidate_ends(at: np.ndarray, done: float) -> Ends:
    """Ends of a change and its courses, for samples at increasing places on an axis.

    Parameters
    ----------
    at
        (sample) at least two.
    done
        Part of the change that is done at its end.

    Returns
    -------
    Ends
        The candidates.
    """
    n = at.size
    fine = max(1, round(_CELLS / (n - 1)))
    index = np.linspace(0, n - 1, (n - 1) * fine + 1)
    middle = (index[1:] + index[:-1]) / 2
    length = at[-1] - at[0]
    ends = np.concatenate([np.interp(middle, np.arange(n), at), at[0] + length * np.array(_BEYOND)])
    rank = np.concatenate([middle, (n - 1) * np.array(_BEYOND)])
    prior = np.full(ends.size, _P_BEYOND / len(_BEYOND))
    prior[: middle.size] = (1 - _P_BEYOND) / middle.size
    edges = np.concatenate([np.interp(index, np.arange(n), at), np.full(len(_BEYOND), np.inf)])
    share = ((at - at[0]) / (ends[:, None] - at[0])).astype(float)
    shapes = [_falling(share, q, done) for q in _TAILS]
    shapes.append(_log_exponential(share, done))
    shapes += [_delayed(share, np.ones((1, 1)), delay, done) for delay in _DELAYS]
    shapes += [_delayed(np.arange(n), rank[:, None], d, done) for d in _DELAYS_IN_SAMPLES]
    return Ends(at, edges, prior, np.stack(shapes))


def _falling(share: np.ndarray, q: float, done: float) -> np.ndarray:
    """Tsallis' q-exponential that has fallen by `done` where the share of the way is 1."""
    left = 1 - done
    if q == 1:
        return np.asarray(left**share)
    rate = (left ** (1 - q) - 1) / (1 - q)  # negative
    base = np.maximum(1 + (1 - q) * rate * share, 0.0)
    return np.asarray(base ** (1 / (1 - q)))


def _log_exponential(share: np.ndarray, done: float) -> np.ndarray:
    """Logarithm of an exponential and a floor: a line that bends softly into the plateau."""
    top, bottom = np.log(1 + _FLOOR), np.log(_FLOOR)
    at_end = np.exp(bottom + (1 - done) * (top - bottom)) - _FLOOR
    return np.asarray((np.log(_FLOOR + at_end**share) - bottom) / (top - bottom))


def _delayed(rank: np.ndarray, end: np.ndarray, delay: float, done: float) -> np.ndarray:
    """A line that sets in late, or a jump at the end."""
    if delay == 1:
        return (rank < end).astype(float)
    start = delay * end
    return np.clip(1 - done * (rank - start) / (end - start), 0.0, 1.0)


def fit_change(
    values: np.ndarray, ends: Ends, *, when: np.ndarray | None = None, falling: bool = False
) -> Change | None:
    r"""Weigh a change to a plateau against a constant level.

    Parameters
    ----------
    values
        (sample) the series, NaN where missing.
    ends
        Candidates for the samples.
    when
        (sample) places in time, in steps (:func:`~neurodrift.analysis.series.trend.places`); one
        step apart when omitted.
    falling
        Whether only a fall counts as a change.

    Returns
    -------
    Change or None
        None if fewer than four values are there.

    Notes
    -----
    The models are :math:`y = c + \epsilon` and :math:`y = c + a g(t) + \epsilon`, :math:`g` any of
    the shapes, :math:`\epsilon` the noise of :mod:`neurodrift.analysis.series.trend`, whose
    correlation is averaged over. :math:`c` and the variance have Jeffreys' priors, :math:`a` the
    Zellner-Siow prior [1]_ in the whitened space, so that for one shape and correlation the Bayes
    factor is that of the default t-test [2]_.

    References
    ----------
    .. [1] Liang et al. (2008), J Am Stat Assoc. https://doi.org/10.1198/016214507000001337
    .. [2] Rouder et al. (2009), Psychon Bull Rev. https://doi.org/10.3758/PBR.16.2.225
    """
    kept = np.flatnonzero(np.isfinite(values))
    n = kept.size
    if n < 4:
        return None
    y = values[kept]
    level, n_cells = float(y.mean()), ends.prior.size
    if np.ptp(y) <= _EXACT * np.abs(y).max():
        flat = np.full(ends.at.size, level)
        still = np.full(n_cells, -np.inf)
        return Change(
            still, 0.0, 0.0, n - 2, flat, level, np.where(np.isfinite(values), 0.0, np.nan)
        )
    y = (y - level) / np.ptp(y)
    courses = ends.shapes.reshape(-1, ends.at.size)
    shapes, spread = courses[:, kept], courses[:, 0] - courses[:, -1]
    when = (np.arange(values.size, dtype=float) if when is None else when)[kept]
    fits = [_fit(y, shapes, when, float(rho), falling) for rho in CORRELATIONS]
    null, one, a, error, c = (np.array(column) for column in zip(*fits, strict=True))
    log_bf = one + np.log(PRIOR)[:, None] - log_sum(null, np.log(PRIOR))
    per_cell = log_bf.reshape(len(null), len(ends.shapes), n_cells)
    n_shapes = per_cell.shape[1]
    by_cell = np.logaddexp.reduce(per_cell, axis=(0, 1)) - np.log(n_shapes)

    prior = np.tile(ends.prior, n_shapes)
    weight = np.exp(log_bf - log_bf.max()) * prior
    weight /= weight.sum()
    change = -a * spread
    mean = float((weight * change).sum())
    variance = (weight * ((error * spread) ** 2 + (change - mean) ** 2)).sum()
    scale = np.ptp(values[kept])
    fitted = (weight * c).sum() + (weight * a).sum(axis=0) @ courses
    moves = log_sum(by_cell, np.log(ends.prior)) > 0
    course = level + scale * fitted
    return Change(
        by_cell,
        scale * mean,
        float(scale * np.sqrt(variance)),
        n - 2,
        course,
        level,
        values - (course if moves else level),
    )


def mean_level(values: np.ndarray, when: np.ndarray | None = None) -> tuple[float, float, int]:
    """Mean of a constant series with autocorrelated noise.

    Parameters
    ----------
    values
        (sample) the series, NaN where missing.
    when
        (sample) places in time, in steps; one step apart when omitted.

    Returns
    -------
    mean, se : float
        Mean and its standard error; NaN if fewer than two values are there.
    dof : int
        Degrees of freedom.
    """
    kept = np.isfinite(values)
    n, y = int(kept.sum()), values[kept]
    if n < 2:
        return float(y.mean()) if n else np.nan, np.nan, 0
    when = (np.arange(values.size, dtype=float) if when is None else when)[kept]
    level = fit_trend(np.ones((n, 1)), y, when)
    return float(level.estimate[0]), float(level.se[0]), n - 1


def _fit(
    y: np.ndarray, shapes: np.ndarray, when: np.ndarray, correlation: float, falling: bool
) -> tuple[float, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Log evidence of no change and of each shape, its amplitude, standard error and level."""
    from scipy.special import stdtr

    n = y.size
    one, y, g, scale = whiten(when, correlation, np.ones(n), y, shapes)
    size = one @ one
    y_mean, g_mean = y @ one / size, g @ one / size
    y, g = y - y_mean * one, g - g_mean[:, None] * one
    left = y @ y
    power_of_g = (g * g).sum(axis=1)
    usable = power_of_g > 1e-9 * n
    power_of_g = np.where(usable, power_of_g, 1.0)
    product = g @ y
    a = product / power_of_g
    r2 = np.where(usable, np.minimum(product**2 / (power_of_g * left), 1 - 1e-14), 0.0)
    se = np.sqrt(left * (1 - r2) / (n - 2) / power_of_g)
    log_null = np.log(scale).sum() - np.log(size) / 2 - (n - 1) / 2 * np.log(left)
    log_bf = zellner_siow(r2, n)
    if falling:
        t = np.divide(a, se, out=np.zeros_like(a), where=se > 0)
        log_bf = log_bf + np.log(2 * np.maximum(stdtr(n - 2, t), 1e-300))
    a, se = np.where(usable, a, 0.0), np.where(usable, se, 0.0)
    # a shape that the samples cannot tell from a constant says nothing for or against a change
    return log_null, log_null + np.where(usable, log_bf, 0.0), a, se, y_mean - a * g_mean


def zellner_siow(r2: np.ndarray, n: int) -> np.ndarray:
    """Log Bayes factor of one regressor with a Cauchy prior, given its R² over n samples."""
    unexplained = -np.log1p(-np.asarray(r2))
    return np.interp(unexplained, _UNEXPLAINED, _zellner_siow_table(n))


_UNEXPLAINED = np.linspace(0.0, 5.8, 3000) ** 2  # -log(1 - R²), finer where it is small


@lru_cache(maxsize=256)
def _zellner_siow_table(n: int) -> np.ndarray:
    log_g = np.log(n) + np.linspace(-5.0, 32.0, 75)
    g = np.exp(log_g)
    log_prior = 0.5 * np.log(n / (2 * np.pi)) - 0.5 * log_g - n / (2 * g)
    log_prior += np.log(log_g[1] - log_g[0]) + (n - 2) / 2 * np.log1p(g)
    terms = log_prior - (n - 1) / 2 * np.log1p(g * np.exp(-_UNEXPLAINED)[:, None])
    return np.asarray(np.logaddexp.reduce(terms, axis=1))


DONE = 0.95
"""Part of a change that is done when it is over."""

NEGLIGIBLE = 0.05
"""Size of a change that does not count, relative to the level."""

_SHORTEST = 8  # samples of a window in which a fall is looked for


def judged(
    values: np.ndarray, ends: Ends, negligible: float, when: np.ndarray | None = None
) -> Change | None:
    """Change of a series, with those too small to count counted as none.

    Parameters
    ----------
    values
        (sample) the series, NaN where missing.
    ends
        Candidates for the samples.
    negligible
        Size of a change that does not count, relative to the level.
    when
        (sample) places in time, in steps; one step apart when omitted.

    Returns
    -------
    Change or None
        None if there are too few values.
    """
    if np.isfinite(values).sum() < FEWEST:
        return None
    change = fit_change(values, ends, when=when)
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


def early_fall(
    values: np.ndarray, ends: Ends, smallest: float, when: np.ndarray | None = None
) -> Change | None:
    """Evidence that a series falls early on, whatever becomes of it later.

    Parameters
    ----------
    values
        (sample) the series, NaN where missing.
    ends
        Candidates for the samples.
    smallest
        Size of a fall that counts.
    when
        (sample) places in time, in steps; one step apart when omitted.

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
        found = fit_change(part, ends, when=when, falling=True)
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
