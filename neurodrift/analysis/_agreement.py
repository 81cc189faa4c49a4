"""Whether two estimates agree in sign and in size."""

from __future__ import annotations

import numpy as np

from neurodrift.analysis._effects import SideFit, welch

FEWEST = 3
"""Animals or runs on each side from which the bootstrap is made."""

NUMBERS = (
    "difference",
    "difference_se",
    "difference_dof",
    "difference_p",
    "difference_ci_low",
    "difference_ci_high",
    "difference_boot_ci_low",
    "difference_boot_ci_high",
    "difference_boot_p",
    "ratio",
    "p_same_sign",
    "p_opposite_sign",
    "p_same_size",
)


def t_test(estimate: float, se: float, dof: float, level: float) -> tuple[float, float, float]:
    """Two-sided p of zero and the confidence interval; NaN without an error.

    Parameters
    ----------
    estimate, se, dof
        Student's t.
    level
        Coverage of the interval.

    Returns
    -------
    tuple of float
        p, lower and upper end.
    """
    from scipy.special import stdtr, stdtrit

    if not (np.isfinite(se) and dof > 0):
        return np.nan, np.nan, np.nan
    half = float(stdtrit(dof, (1 + level) / 2)) * se
    if se == 0:
        return (1.0 if estimate == 0 else 0.0), estimate, estimate
    return float(2 * stdtr(dof, -abs(estimate) / se)), estimate - half, estimate + half


def agree(
    a: SideFit,
    b: SideFit,
    *,
    factor: float,
    level: float,
    repetitions: int,
    rng: np.random.Generator,
) -> dict[str, float]:
    """Difference b - a with its tests.

    Parameters
    ----------
    a, b
        The estimates of both sides.
    factor
        Sizes within this factor of each other are the same.
    level
        Coverage of the intervals.
    repetitions
        Bootstrap samples.
    rng
        Their random stream.

    Returns
    -------
    dict
        The :data:`NUMBERS` that there are.
    """
    se, dof = welch(np.array([a.se**2, b.se**2]), np.array([a.dof, b.dof]))
    difference = b.estimate - a.estimate
    p, low, high = t_test(difference, se, dof, level)
    found = {"difference": difference, "difference_se": se, "difference_dof": dof}
    found |= {"difference_p": p, "difference_ci_low": low, "difference_ci_high": high}
    found["ratio"] = b.estimate / a.estimate if a.estimate != 0 else np.nan
    p_a, p_b = (t_test(side.estimate, side.se, side.dof, level)[0] for side in (a, b))
    if np.isfinite([p_a, p_b]).all():
        alike = np.sign(a.estimate) == np.sign(b.estimate)
        found["p_same_sign"] = max(p_a, p_b) if alike else 1.0
        found["p_opposite_sign"] = 1.0 if alike else max(p_a, p_b)
        found["p_same_size"] = _same_size(a, b, factor)
    if min(a.each.size, b.each.size) >= FEWEST and dof > 0 and repetitions > 0:
        found |= _bootstrap(a, b, dof, level, repetitions, rng)
    return found


def verdicts(found: dict[str, float], level: float) -> tuple[str, str]:
    """What the tests say at 1 - `level`: same, opposite or undecided; same, different, undecided.

    Parameters
    ----------
    found
        Result of :func:`agree`.
    level
        Coverage of the intervals.

    Returns
    -------
    tuple of str
        On the sign and on the size; empty without an error.
    """
    alpha = 1 - level
    sign = size = ""
    if np.isfinite(found.get("p_same_sign", np.nan)):
        sign = "undecided"
        if found["p_same_sign"] < alpha:
            sign = "same"
        elif found["p_opposite_sign"] < alpha:
            sign = "opposite"
    if np.isfinite(found.get("difference_p", np.nan)):
        size = "undecided"
        if found["p_same_size"] < alpha:
            size = "same"
        elif found["difference_p"] < alpha:
            size = "different"
    return sign, size


def _same_size(a: SideFit, b: SideFit, factor: float) -> float:
    """Two-sided p that the ratio lies outside 1/factor to factor: both one-sided tests pass."""
    sign = 1.0 if a.estimate + b.estimate > 0 else -1.0
    tails = []
    for first, second in ((a, b), (b, a)):  # factor * second exceeds first, in this direction
        margin = sign * (factor * second.estimate - first.estimate)
        variances = np.array([first.se**2, (factor * second.se) ** 2])
        se, dof = welch(variances, np.array([first.dof, second.dof]))
        p = t_test(margin, se, dof, 0.5)[0]
        tails.append(p if margin > 0 else 1.0)
    return float(max(tails))


def _bootstrap(
    a: SideFit, b: SideFit, dof: float, level: float, repetitions: int, rng: np.random.Generator
) -> dict[str, float]:
    """Percentile interval over resampled animals or runs, widened for few of them.

    Each side's deviations are scaled by sqrt(n / (n - 1)) and the tails taken where Student's t
    has them (Hesterberg 2015), or the plain percentiles would miss far too often.
    """
    from scipy.special import ndtr, ndtri, stdtr, stdtrit

    means = []
    for side in (a, b):
        n = side.each.size
        drawn = side.each[rng.integers(n, size=(repetitions, n))].mean(axis=1)
        means.append(side.estimate + (drawn - side.estimate) * np.sqrt(n / (n - 1)))
    samples = np.sort(means[1] - means[0])
    tail = float(ndtr(stdtrit(dof, (1 - level) / 2)))
    low, high = np.quantile(samples, [tail, 1 - tail])
    below = (np.searchsorted(samples, 0.0, "right") + 1) / (repetitions + 2)
    above = (repetitions - np.searchsorted(samples, 0.0, "left") + 1) / (repetitions + 2)
    z = float(ndtri(min(below, above, 0.5)))
    p = float(2 * stdtr(dof, z))
    names = ("difference_boot_ci_low", "difference_boot_ci_high", "difference_boot_p")
    return dict(zip(names, (float(low), float(high), min(p, 1.0)), strict=True))
