"""Means, intervals by Student's t, and p by random permutations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def t_interval(estimate: Any, se: Any, dof: Any, level: float) -> tuple[Any, Any]:
    """Confidence interval of an estimate; NaN without degrees of freedom.

    Parameters
    ----------
    estimate, se, dof
        Numbers, or arrays of one shape.
    level
        Coverage.

    Returns
    -------
    tuple
        Lower and upper end.
    """
    from scipy.special import stdtrit

    quantile = stdtrit(np.where(np.asarray(dof) > 0, dof, np.nan), (1 + level) / 2)
    half = quantile * np.asarray(se)
    return estimate - half, estimate + half


def exact_mean(values: np.ndarray) -> float:
    """Mean of what is finite, the same to the last bit in any order; NaN of nothing.

    Parameters
    ----------
    values
        Numbers.

    Returns
    -------
    float
        The mean.
    """
    known = values[np.isfinite(values)]
    return math.fsum(known) / known.size if known.size else math.nan


def permutation_p(n_reached: Any, n_repeats: int) -> Any:
    """P of an observation that some of the random permutations reach, never 0 [1]_.

    Parameters
    ----------
    n_reached
        How many reach it, the observation itself not counted.
    n_repeats
        How many there are.

    Returns
    -------
    float
        :math:`p = (r + 1) / (n + 1)`; an array of them for an array.

    References
    ----------
    .. [1] Phipson & Smyth (2010), Stat Appl Genet Mol Biol. https://doi.org/10.2202/1544-6115.1585

    Examples
    --------
    >>> from neurodrift.analysis._inference import permutation_p
    >>> permutation_p(4, 99)
    0.05
    """
    return (n_reached + 1) / (n_repeats + 1)
