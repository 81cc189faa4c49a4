"""How fast a quantity changes: one estimate for a recording, and one for a side of several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from neurodrift.analysis._inference import t_interval
from neurodrift.analysis.comparison.members import Member
from neurodrift.analysis.regression.regression import regress
from neurodrift.analysis.series.plateau import DONE, NEGLIGIBLE, candidate_ends, judged
from neurodrift.analysis.series.trend import fit_trend, smallest_detectable
from neurodrift.analysis.series.verdicts import Course

Kind = Literal["slope", "decay", "slowing"]
Within = Literal["ar1", "ols"]


Fits = dict[tuple[str, ...], Any]
"""Fits by what they are of."""


@dataclass(frozen=True)
class Effect:
    """What is estimated.

    Parameters
    ----------
    kind
        ``slope`` of a session measure; ``decay`` of a similarity with the lag; ``slowing``, the
        slope of the rate of decorrelation.
    measure
        Measure or similarity.
    """

    kind: Kind
    measure: str

    @property
    def label(self) -> str:
        """Its name among the effects."""
        return self.measure if self.kind == "slope" else f"{self.kind} of {self.measure}"


@dataclass(frozen=True, eq=False)
class Fit:
    """An estimate with its error; NaN and a reason where there is none.

    Parameters
    ----------
    estimate, se, dof
        Student's t with `dof` degrees of freedom.
    reason
        Why there is no estimate or no error.
    first
        Value of the measure in the first session that has one.
    mean
        Mean of the measure, the similarity or the rate.
    log_bf
        Log Bayes factor of a change of any shape against none; NaN where it was not asked.
    lacking
        Whether a covariate is absent altogether.
    """

    estimate: float = np.nan
    se: float = np.nan
    dof: float = np.nan
    reason: str = ""
    first: float = np.nan
    mean: float = np.nan
    log_bf: float = np.nan
    lacking: bool = False


@dataclass(frozen=True, eq=False)
class SideFit:
    """The estimate of a side; `each` holds one number for every animal or run."""

    estimate: float = np.nan
    se: float = np.nan
    dof: float = np.nan
    basis: str = ""
    reason: str = ""
    lacking: bool = False
    mean: float = np.nan
    log_bf: float = np.nan
    each: np.ndarray = field(default_factory=lambda: np.empty(0))

    @property
    def course(self) -> Course:
        """The same as a change over one unit of the axis."""
        return Course(self.estimate, self.se, self.dof, self.mean)

    def detectable(self, level: float) -> float:
        """Smallest size that would have been found with a power of 80 %."""
        return smallest_detectable(self.se, self.dof, level)


def fit_member(
    member: Member,
    effect: Effect,
    axis: str,
    covariates: Sequence[str],
    within: Within = "ar1",
) -> Fit:
    """Estimate an effect of one recording, in units of the measure over units of the axis.

    Parameters
    ----------
    member
        The recording.
    effect
        What is estimated.
    axis
        Column of the sessions.
    covariates
        Columns of the sessions that are controlled for; between two sessions how far they differ.
    within
        Errors of slopes: averaged over the autocorrelation of the sessions, or by least squares,
        which takes them as independent.

    Returns
    -------
    Fit
        Slopes over sessions; decay and slowing with errors from leaving out each
        session in turn, because pairs share sessions.
    """
    absent = [name for name in covariates if not member.has(name)]
    if absent:
        return Fit(reason=f"it has no {', '.join(absent)}", lacking=True)
    if effect.measure in covariates:
        return Fit(reason=f"{effect.measure} is the covariate itself")
    if not member.has(axis):
        return Fit(reason="one session only" if axis == "fraction" else f"it has no {axis}")
    if not member.has(effect.measure):
        return Fit(reason=f"it has no {effect.measure}")
    names = [axis, *covariates]
    if effect.kind == "slope":
        values = np.column_stack([member.column(name) for name in (effect.measure, *names)])
        fit = _line(values, names, "sessions", member.when if within == "ar1" else None)
        found = replace(fit, first=first_value(values[:, 0]))
        if covariates or axis != "fraction":
            return found
        return replace(found, log_bf=_any_shape(member, values[:, 0]))
    found = np.isfinite(member.matrix(effect.measure))
    everyone = np.flatnonzero(found.any(axis=0) | found.any(axis=1))
    if effect.kind == "decay":
        first, second = np.triu_indices(len(found), k=1)
        values = member.pairs(effect.measure, axis, covariates)

        def decay(kept: np.ndarray) -> Fit:
            inside = np.isin(first, kept) & np.isin(second, kept)
            return _line(values[inside], names, "pairs of sessions")

        return _leave_one_out(decay, everyone, everyone.size - 1 - len(names))

    def slowing(kept: np.ndarray) -> Fit:
        return _line(member.rates(effect.measure, axis, covariates, kept), names, "rates")

    fit = _leave_one_out(slowing, everyone, everyone.size - 2 - len(names))
    rates = member.rates(effect.measure, axis, covariates, everyone)
    when = member.when[everyone][1:] if within == "ar1" else None
    spread = _line(rates, names, "rates", when).se
    return replace(fit, se=float(np.fmax(fit.se, spread))) if fit.dof > 0 else fit


def _any_shape(member: Member, values: np.ndarray) -> float:
    """Log Bayes factor of a change of a measure along its clock, as for the phases."""
    at = member.column(member.clock) if member.clock else np.empty(0)
    if at.size < 2 or not (np.diff(at) > 0).all():
        return np.nan
    ends = candidate_ends(at, DONE)
    change = judged(values, ends, NEGLIGIBLE, member.when)
    return np.nan if change is None else change.total(ends.prior)


def first_value(values: np.ndarray) -> float:
    """Value in the first session that has one; NaN if it cannot normalise others."""
    values = values[np.isfinite(values)]
    return float(values[0]) if values.size and values[0] > 0 else np.nan


def normalized(fit: Fit, effect: Effect) -> Fit:
    """The estimate relative to the first session."""
    if not np.isfinite(fit.estimate):
        return fit
    if effect.kind != "slope":
        return Fit(reason="correlations are compared as they are, see scale 'raw'")
    if np.isnan(fit.first):
        return Fit(reason=f"{effect.measure} is not positive in its first session")
    first = fit.first
    return replace(fit, estimate=fit.estimate / first, se=fit.se / first, mean=fit.mean / first)


def fit_side(members: Sequence[Member], fits: Sequence[Fit]) -> SideFit:
    """The estimate of a side from those of its recordings.

    Parameters
    ----------
    members, fits
        The recordings and their estimates.

    Returns
    -------
    SideFit
        For several animals or runs the mean of theirs with Student's t between them; for one, its
        own, where recordings of the same animal are averaged.
    """
    usable = [(m, f) for m, f in zip(members, fits, strict=True) if np.isfinite(f.estimate)]
    if not usable:
        reasons = list(dict.fromkeys(f.reason for f in fits if f.reason))
        return SideFit(reason="; ".join(reasons), lacking=all(f.lacking for f in fits))
    by_subject: dict[str, list[Fit]] = {}
    for member, fit in usable:
        by_subject.setdefault(member.replicate, []).append(fit)
    each = np.array([np.mean([f.estimate for f in own]) for own in by_subject.values()])
    mean, n = float(each.mean()), each.size
    levels = [np.mean([f.mean for f in own]) for own in by_subject.values()]
    level = float(np.mean(levels))
    if n > 1:
        se = float(each.std(ddof=1) / np.sqrt(n))
        return SideFit(mean, se, n - 1.0, "between subjects", mean=level, each=each)
    own = next(iter(by_subject.values()))
    variances = np.array([f.se**2 for f in own]) / len(own) ** 2
    se, dof = welch(variances, np.array([f.dof for f in own]))
    reason = "; ".join(dict.fromkeys(f.reason for f in own if f.reason))
    log_bf = float(np.max([f.log_bf for f in own]))
    return SideFit(
        mean, se, dof, "within one subject", reason, mean=level, log_bf=log_bf, each=each
    )


def fit_mixed(
    members: Sequence[Member],
    fits: Sequence[Fit],
    effect: Effect,
    axis: str,
    names: Sequence[str],
    scale: str,
    within: Within = "ar1",
) -> SideFit:
    """The estimate of a side whose recordings share one slope, by a random intercept for each.

    Parameters
    ----------
    members, fits
        The recordings and their estimates; those without one are left out.
    effect, axis, names
        As for :func:`fit_member`; `names` are the covariates.
    scale
        ``"raw"``, or ``"first"``: every recording over its first session.
    within
        As for :func:`fit_member`.

    Returns
    -------
    SideFit
        By :func:`~neurodrift.analysis.regression.regression.regress`. Decays are those of
        :func:`fit_side`, as are sides of one recording.
    """
    simple = fit_side(members, fits)
    usable = [(m, f) for m, f in zip(members, fits, strict=True) if np.isfinite(f.estimate)]
    if effect.kind == "decay" or len(usable) < 2:
        return simple
    tables = []
    for member, fit in usable:
        if effect.kind == "slope":
            values = np.column_stack([member.column(n) for n in (effect.measure, axis, *names)])
        else:
            values = member.rates(effect.measure, axis, names)
        table = pd.DataFrame(values, columns=[effect.measure, axis, *names])
        if scale == "first":
            table[effect.measure] /= fit.first
        when = member.when if effect.kind == "slope" else member.when[1:]
        tables.append(table.assign(recording=member.name, when=when))
    try:
        table = pd.concat(tables, ignore_index=True)
        found = regress(
            table,
            effect.measure,
            axis,
            covariates=names,
            method="mixed" if within == "ar1" else "mixed_independent",
            subject="recording",
            time="when",
        ).sel(term=axis)
    except ValueError as error:
        return SideFit(reason=str(error))
    return replace(
        simple,
        estimate=float(found["estimate"]),
        se=float(found["se"]),
        dof=float(found["dof"]),
        basis="one slope for all",
    )


def welch(variances: np.ndarray, dof: np.ndarray) -> tuple[float, float]:
    """Standard error of a sum of independent terms and its degrees of freedom.

    Parameters
    ----------
    variances, dof
        Squared standard error of each term and the degrees of freedom behind it.

    Returns
    -------
    tuple of float
        Standard error, and Satterthwaite's degrees of freedom.
    """
    total = float(variances.sum())
    if not np.isfinite(total) or not (dof > 0).all():
        return np.nan, np.nan
    if total == 0:
        return 0.0, float(dof.sum())
    return float(np.sqrt(total)), float(total**2 / (variances**2 / dof).sum())


def _line(
    values: np.ndarray, names: Sequence[str], what: str, when: np.ndarray | None = None
) -> Fit:
    """Slope of the first column on the second, given the others, with an intercept.

    `when` are places in time, in steps, of rows whose neighbours are alike; rows are independent
    without it.
    """
    used = np.isfinite(values).all(axis=1)
    values = values[used]
    n_rows, n_terms = values.shape
    if n_rows < n_terms:
        return Fit(reason=f"it has {n_rows} {what} for {n_terms} coefficients")
    response, predictors = values[:, 0], values[:, 1:]
    centred = predictors - predictors.mean(axis=0)
    norm = np.sqrt((centred**2).sum(axis=0))
    constant = norm <= 1e-12 * np.abs(predictors).max(axis=0, initial=1e-300)
    if constant.any():
        return Fit(reason=f"{names[int(np.argmax(constant))]} is the same in its {what}")
    scaled = centred / norm
    if np.linalg.matrix_rank(scaled, tol=1e-8) < len(names):
        return Fit(reason=f"{' and '.join(names)} are collinear over its {what}")
    level, dof = float(response.mean()), float(n_rows - n_terms)
    if when is not None and dof > 0:
        design = np.column_stack([np.ones(n_rows), predictors])
        trend = fit_trend(design, response, when[used])
        return Fit(float(trend.estimate[1]), float(trend.se[1]), dof, mean=level)
    inverse = np.linalg.inv(scaled.T @ scaled)
    change = response - level
    if np.ptp(response) <= 1e-12 * np.abs(response).max():
        change[:] = 0.0  # constant: no rounding error may pass for a trend
    coefficients = inverse @ (scaled.T @ change)
    residual = change - scaled @ coefficients
    se, reason = np.nan, f"{n_rows} {what} leave no degree of freedom for an error"
    if dof > 0:
        se, reason = float(np.sqrt(residual @ residual / dof * inverse[0, 0]) / norm[0]), ""
    return Fit(float(coefficients[0] / norm[0]), se, dof, reason, mean=level)


def _leave_one_out(estimate: Callable[[np.ndarray], Fit], everyone: np.ndarray, dof: int) -> Fit:
    """Estimate with the jackknife's error over sessions, first and last ones included."""
    fit = estimate(everyone)
    if not np.isfinite(fit.estimate):
        return fit
    n = everyone.size
    left_out = np.array([estimate(np.delete(everyone, i)).estimate for i in range(n)])
    if dof < 1 or not np.isfinite(left_out).all():
        few = f"{n} sessions are too few for an error"
        return replace(fit, se=np.nan, dof=np.nan, reason=few)
    spread = ((left_out - left_out.mean()) ** 2).sum()
    return replace(fit, se=float(np.sqrt((n - 1) / n * spread)), dof=float(dof), reason="")


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
    from scipy.special import stdtr

    if not (np.isfinite(se) and dof > 0):
        return np.nan, np.nan, np.nan
    if se == 0:
        return (1.0 if estimate == 0 else 0.0), estimate, estimate
    low, high = t_interval(estimate, se, dof, level)
    return float(2 * stdtr(dof, -abs(estimate) / se)), float(low), float(high)


def agree(
    a: SideFit,
    b: SideFit,
    *,
    factor: float,
    level: float,
    n_repeats: int,
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
    n_repeats
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
    if min(a.each.size, b.each.size) >= FEWEST and dof > 0 and n_repeats > 0:
        found |= _bootstrap(a, b, dof, level, n_repeats, rng)
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
    a: SideFit, b: SideFit, dof: float, level: float, n_repeats: int, rng: np.random.Generator
) -> dict[str, float]:
    """Percentile interval over resampled animals or runs, widened for few of them.

    Each side's deviations are scaled by sqrt(n / (n - 1)) and the tails taken where Student's t
    has them (Hesterberg 2015), or the plain percentiles would miss far too often.
    """
    from scipy.special import ndtr, ndtri, stdtr, stdtrit

    means = []
    for side in (a, b):
        n = side.each.size
        drawn = side.each[rng.integers(n, size=(n_repeats, n))].mean(axis=1)
        means.append(side.estimate + (drawn - side.estimate) * np.sqrt(n / (n - 1)))
    samples = np.sort(means[1] - means[0])
    tail = float(ndtr(stdtrit(dof, (1 - level) / 2)))
    low, high = np.quantile(samples, [tail, 1 - tail])
    below = (np.searchsorted(samples, 0.0, "right") + 1) / (n_repeats + 2)
    above = (n_repeats - np.searchsorted(samples, 0.0, "left") + 1) / (n_repeats + 2)
    z = float(ndtri(min(below, above, 0.5)))
    p = float(2 * stdtr(dof, z))
    names = ("difference_boot_ci_low", "difference_boot_ci_high", "difference_boot_p")
    return dict(zip(names, (float(low), float(high), min(p, 1.0)), strict=True))
