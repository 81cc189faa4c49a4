"""An effect over the standard deviation of the animals, with its interval."""

from __future__ import annotations

import numpy as np

from neurodrift.cohort.answers import BETWEEN_ANIMALS, Answer

_FARTHEST = 1e4


def standardized(answer: Answer, level: float) -> tuple[float, float, float]:
    r"""The mean over the animals' standard deviation, or two groups' difference over theirs.

    Parameters
    ----------
    answer
        An answer over animals.
    level
        Coverage of the interval.

    Returns
    -------
    tuple of float
        The effect and both ends of its interval; NaN for one animal, more than two groups, lines
        and mixed models.

    Notes
    -----
    Of n animals :math:`d = t / \sqrt n`, the mean over the standard deviation; of two groups
    :math:`d = t \sqrt{1/n_1 + 1/n_2}`. The interval is that of the noncentrality of t [1]_.

    References
    ----------
    .. [1] Cumming & Finch (2001), Educ Psychol Meas. https://doi.org/10.1177/0013164401614002

    Examples
    --------
    >>> from neurodrift.cohort.effect_size import noncentrality
    >>> low, high = noncentrality(3.0, 5.0, 0.95)
    >>> round(low, 2), round(high, 2)
    (0.26, 5.59)
    """
    none = (np.nan, np.nan, np.nan)
    line = answer.contrast.startswith("per unit of")
    if answer.basis != BETWEEN_ANIMALS or line or not answer.se > 0 or len(answer.by_group) > 2:
        return none
    n = [group.n_animals for group in answer.by_group] or [len(answer.each)]
    unit = float(np.sqrt((1 / np.array(n)).sum()))
    t = answer.estimate / answer.se
    low, high = noncentrality(t, answer.dof, level)
    return t * unit, low * unit, high * unit


def noncentrality(t: float, dof: float, level: float) -> tuple[float, float]:
    """Interval of the noncentrality of Student's t.

    Parameters
    ----------
    t, dof
        The observed t and its degrees of freedom.
    level
        Coverage.

    Returns
    -------
    tuple of float
        Both ends; NaN where t is too large for them to be told.
    """
    from scipy.optimize import brentq
    from scipy.special import nctdtr

    if not (np.isfinite(t) and dof > 0):
        return np.nan, np.nan
    if t < 0:
        low, high = noncentrality(-t, dof, level)
        return -high, -low

    def end(share: float) -> float:
        """Noncentrality of which a t as small as this has the probability `share`."""

        def miss(size: float) -> float:
            below = float(nctdtr(dof, size, t))
            if not np.isfinite(below):  # so far away that it is one or the other
                below = float(size < t)
            return below - share

        high = t + 10.0
        while miss(high) > 0 and high < _FARTHEST:
            high *= 1.5
        return float(brentq(miss, -10.0, high)) if miss(high) < 0 else np.nan

    return end((1 + level) / 2), end((1 - level) / 2)
