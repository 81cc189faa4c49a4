"""What a series of sessions shows: a change, none that matters, or neither."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from neurodrift.analysis._inference import t_interval
from neurodrift.analysis.series.trend import fit_trend, smallest_detectable

MARGIN = 0.25
"""Change, relative to the mean of a series, that "no change" must have been able to show.

A quarter: somewhat less than the changes that are told of representational drift, such as 27 % more
place cells over eight days in the mean of a cohort.
"""

FEWEST = 5
"""Values from which a change or its absence can be judged."""

Verdict = Literal["rises", "falls", "no change", "undecided"]


@dataclass(frozen=True, eq=False)
class Course:
    """A straight line through a series: its change from the first to the last session.

    Parameters
    ----------
    change, se, dof
        The change, its standard error and degrees of freedom; NaN where there are too few values.
    mean
        Mean of the series.
    """

    change: float = np.nan
    se: float = np.nan
    dof: float = np.nan
    mean: float = np.nan

    @property
    def p(self) -> float:
        """Two-sided p of no change; NaN without an error."""
        from scipy.special import stdtr

        if not (np.isfinite(self.se) and self.dof > 0):
            return np.nan
        if self.se == 0:
            return float(self.change == 0)
        return float(2 * stdtr(self.dof, -abs(self.change) / self.se))

    def interval(self, level: float) -> tuple[float, float]:
        """Confidence interval of the change."""
        low, high = t_interval(self.change, self.se, self.dof, level)
        return float(low), float(high)

    def detectable(self, level: float) -> float:
        """Smallest change that would have been found at a power of 80 %."""
        return smallest_detectable(self.se, self.dof, level)


def linear_change(values: np.ndarray, at: np.ndarray, when: np.ndarray) -> Course:
    """Change of a series along an axis, by the trend of its sessions.

    Parameters
    ----------
    values
        (session) the series, NaN where missing.
    at
        (session) places on the axis, increasing.
    when
        (session) places in time, in steps (:func:`~neurodrift.analysis.series.trend.places`).

    Returns
    -------
    Course
        The change from the first to the last place on the axis, whether there is a value or not.
    """
    kept = np.isfinite(values)
    if kept.sum() < 3:
        return Course(mean=float(values[kept].mean()) if kept.any() else np.nan)
    way = (at - at[0]) / (at[-1] - at[0])
    design = np.column_stack([np.ones(int(kept.sum())), way[kept]])
    trend = fit_trend(design, values[kept], when[kept])
    return Course(
        float(trend.estimate[1]),
        float(trend.se[1]),
        float(trend.dof[1]),
        float(values[kept].mean()),
    )


def decide(
    course: Course,
    *,
    margin: float = MARGIN,
    level: float = 0.95,
    p: float | None = None,
    log_bf: float = np.nan,
    negligible: float = 0.0,
) -> Verdict:
    """What a series shows.

    Parameters
    ----------
    course
        Its change.
    margin
        Change, relative to the mean, that "no change" rules out.
    level
        Coverage of the interval; a change is found with a p below 1 - `level`.
    p
        P after a correction for several series; that of the course when omitted.
    log_bf
        Log Bayes factor of a change of any shape against none; NaN where there is none.
    negligible
        Changes that surely are smaller than this part of the mean do not count.

    Returns
    -------
    str
        "rises" or "falls" where a change is found. "no change" only where no change is found by
        the line (without a correction) nor by any shape (a Bayes factor of at most 1), a change of
        `margin` would have been found with a power of 80 %, and the interval lies within it.
        Otherwise "undecided".
    """
    own = course.p
    if not np.isfinite(own):
        return "undecided"
    scale = abs(course.mean)
    low, high = course.interval(level)
    farthest = max(abs(low), abs(high)) if np.isfinite(low) else abs(course.change)
    counts = farthest > negligible * scale
    if (own if p is None else p) < 1 - level and counts:
        return "rises" if course.change > 0 else "falls"
    if own < 1 - level and counts:
        return "undecided"
    if not log_bf <= 0 and not np.isnan(log_bf):
        return "undecided"
    shown = course.detectable(level) <= margin * scale and farthest <= margin * scale
    return "no change" if shown else "undecided"


def holm(p: np.ndarray) -> np.ndarray:
    """P values corrected for their number, step by step [1]_.

    Parameters
    ----------
    p
        Values, NaN where nothing was tested.

    Returns
    -------
    numpy.ndarray
        Corrected ones, NaN where nothing was tested.

    References
    ----------
    .. [1] Holm (1979), Scand J Stat. https://www.jstor.org/stable/4615733

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.analysis.series.verdicts import holm
    >>> holm(np.array([0.01, 0.04, np.nan, 0.03])).tolist()
    [0.03, 0.06, nan, 0.06]
    """
    found = np.full(np.shape(p), np.nan)
    tested = np.flatnonzero(np.isfinite(p))
    order = tested[np.argsort(np.asarray(p)[tested], kind="stable")]
    times = np.arange(tested.size, 0, -1)
    found[order] = np.minimum(np.maximum.accumulate(times * np.asarray(p)[order]), 1.0)
    return found
