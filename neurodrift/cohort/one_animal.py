"""The answer of a single animal, whose interval holds the variation between its sessions alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from neurodrift.analysis.comparison.members import Member
from neurodrift.analysis.series.trend import fit_trend
from neurodrift.cohort.questions import Question
from neurodrift.cohort.series import Rows, reduce_rows


class Fit(NamedTuple):
    """An estimate with its error; NaN and a reason where there is none."""

    estimate: float = np.nan
    se: float = np.nan
    dof: float = np.nan
    reason: str = ""


def fit_one_animal(
    members: Sequence[Member], rows: Sequence[Rows], weights: np.ndarray, question: Question
) -> Fit:
    """Answer a question from the recordings of one animal.

    Parameters
    ----------
    members, rows
        The recordings and their observations.
    weights
        (recording) what of each goes into the answer of the animal.
    question
        What is asked.

    Returns
    -------
    Fit
        Errors of sessions are averaged over how alike neighbours are
        (:func:`~neurodrift.analysis.series.trend.fit_trend`); those of a decay are by leaving out
        each session in turn, because pairs share sessions. Each recording has its own coefficients
        of the covariates.
    """
    one = _decay if question.kind == "decay" else _trend
    fits = [one(member, own) for member, own in zip(members, rows, strict=True)]
    estimates = np.array([fit.estimate for fit in fits])
    variances = (weights * np.array([fit.se for fit in fits])) ** 2
    dof = np.array([fit.dof for fit in fits])
    reason = "; ".join(dict.fromkeys(fit.reason for fit in fits if fit.reason))
    estimate, total = float(weights @ estimates), float(variances.sum())
    if not (np.isfinite(total) and (dof > 0).all()):
        return Fit(estimate, reason=reason)
    if total == 0:
        return Fit(estimate, 0.0, float(dof.sum()))
    return Fit(estimate, float(np.sqrt(total)), float(total**2 / (variances**2 / dof).sum()))


def _trend(member: Member, rows: Rows) -> Fit:
    """The last coefficient of the design among sessions whose neighbours are alike."""
    used = rows.used
    design = np.column_stack([rows.design[used], rows.covariates[used]])
    n, n_terms = design.shape
    spread = design[:, 1:] - design[:, 1:].mean(axis=0)
    size = np.sqrt((spread**2).sum(axis=0))
    if n < n_terms or (size <= 1e-12 * np.abs(design[:, 1:]).max(initial=0.0)).any():
        return Fit(reason=f"{n} sessions do not tell {n_terms} coefficients apart")
    if n_terms > 1 and np.linalg.matrix_rank(spread / size, tol=1e-8) < n_terms - 1:
        return Fit(reason="covariates and what is asked are collinear over the sessions")
    if n == n_terms:
        estimate = np.linalg.solve(design, rows.y[used])[rows.design.shape[1] - 1]
        return Fit(float(estimate), reason=f"{n} sessions leave no degree of freedom for an error")
    trend = fit_trend(design, rows.y[used], member.when[rows.session[used]])
    k = rows.design.shape[1] - 1
    return Fit(float(trend.estimate[k]), float(trend.se[k]), float(trend.dof[k]))


def _decay(member: Member, rows: Rows) -> Fit:
    """The slope over pairs of sessions, its error by leaving out each session."""
    first, second = np.triu_indices(len(member.sessions), k=1)
    used = rows.used
    there = np.unique(np.concatenate([first[used], second[used]]))
    design = np.column_stack([rows.covariates, rows.design[:, 1]])
    design = np.column_stack([np.ones(len(design)), design])

    def slope(kept: np.ndarray) -> float:
        none = np.empty((rows.y.size, 0))
        return float(reduce_rows(rows.y, design, none, kept).value)

    estimate = slope(used)
    dof = there.size - 1 - (design.shape[1] - 1)
    if dof < 1:
        return Fit(estimate, reason=f"{there.size} sessions are too few for an error")
    without = np.array([slope(used & (first != k) & (second != k)) for k in there])
    if not np.isfinite(without).all():
        return Fit(estimate, reason=f"{there.size} sessions are too few for an error")
    spread = ((without - without.mean()) ** 2).sum()
    n = there.size
    return Fit(estimate, float(np.sqrt((n - 1) / n * spread)), float(dof))
