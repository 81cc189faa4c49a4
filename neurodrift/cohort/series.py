"""One recording's answer to a question: a linear functional of its observations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neurodrift.analysis.comparison.members import Member
from neurodrift.cohort.questions import Question

_FLAT = 1e-9
"""Part of a column that must be left beside the other columns of the design."""

_ROUNDING = 1e-12
"""Part of a measure within which it is constant."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Observations of one recording, sessions or pairs of sessions.

    Parameters
    ----------
    y
        (row) the measure.
    design
        (row, term) what the question asks; the coefficient of the last column is the answer.
    covariates
        (row, covariate) what is held.
    at
        (row) places on the axis, or lags; zeros where the question has no axis.
    session
        (row) number of the session; the first one of a pair.
    """

    y: np.ndarray
    design: np.ndarray
    covariates: np.ndarray
    at: np.ndarray
    session: np.ndarray

    @property
    def used(self) -> np.ndarray:
        """(row) whether all of it is known."""
        known: np.ndarray = np.isfinite(self.y) & np.isfinite(self.design).all(axis=1)
        return known & np.isfinite(self.covariates).all(axis=1)


@dataclass(frozen=True, eq=False)
class Reduced:
    """What a cohort needs to know of each recording; leading axes are many tables at once.

    Parameters
    ----------
    value
        (..., recording) answer of the recording, nothing held; NaN where its design has no answer.
    shift
        (..., recording, covariate) answer that the covariate itself would give.
    moments
        (..., recording, covariate, covariate) products of the covariates beside the design.
    cross
        (..., recording, covariate) products of the covariates and the measure beside the design.
    spread
        (..., recording, covariate) squares of the covariates about their mean.
    left
        (..., recording) rows that are left beside the design.
    mean
        (..., recording) mean of the measure.
    """

    value: np.ndarray
    shift: np.ndarray
    moments: np.ndarray
    cross: np.ndarray
    spread: np.ndarray
    left: np.ndarray
    mean: np.ndarray


def rows_of(
    member: Member,
    question: Question,
    covariates: Sequence[str] = (),
    *,
    measure: str = "",
    start: float = np.nan,
) -> Rows:
    """Observations of a recording and their design.

    Parameters
    ----------
    member
        The recording.
    question
        What is asked.
    covariates
        Columns of the sessions that are held; of two sessions their absolute difference.
    measure
        The column that stands for the measure; the measure itself when omitted.
    start
        Where on the axis the intervention begins.

    Returns
    -------
    Rows
        One row a session, or a pair of sessions for a decay.
    """
    measure = measure or question.measure
    if question.kind == "decay":
        pairs = member.pairs(measure, question.axis, covariates)
        first = np.triu_indices(len(member.sessions), k=1)[0]
        design = np.column_stack([np.ones(len(pairs)), pairs[:, 1]])
        return Rows(pairs[:, 0], design, pairs[:, 2:], pairs[:, 1], first)
    n = len(member.sessions)
    held = np.array([member.column(name) for name in covariates]).reshape(len(covariates), n).T
    at = member.column(question.axis) if question.axis else np.zeros(n)
    columns = [np.ones(n)]
    if question.axis:
        columns.append(at)
    if question.kind == "intervention":
        columns.append(after(member, question, start))
    return Rows(member.column(measure), np.column_stack(columns), held, at, np.arange(n))


def after(member: Member, question: Question, start: float) -> np.ndarray:
    """(session) 1 from the intervention on, 0 before it; NaN where that is not known.

    Parameters
    ----------
    member, question
        The recording, and the question whose axis, or the day, the intervention lies on.
    start
        Where on the axis the intervention begins.

    Returns
    -------
    numpy.ndarray
        (session).
    """
    when = member.column(question.axis or "day")
    return np.where(np.isfinite(when) & np.isfinite(start), (when >= start).astype(float), np.nan)


def reduce_rows(
    y: np.ndarray, design: np.ndarray, covariates: np.ndarray, used: np.ndarray
) -> Reduced:
    r"""Reduce observations to what the cohort needs, for many recordings and tables at once.

    Parameters
    ----------
    y
        (..., recording, row) the measure.
    design
        (..., recording, row, term) intercept and what is asked, the answer in the last column.
    covariates
        (..., recording, row, covariate) what is held.
    used
        (..., recording, row) rows that count.

    Returns
    -------
    Reduced
        The recordings.

    Notes
    -----
    With the design :math:`Z = QR` of a recording its answer by least squares is :math:`w \cdot y`,
    :math:`w = q_m / r_{mm}` of the last column. A covariate :math:`x` changes it by
    :math:`w \cdot x`; its coefficient comes from what is left of it beside the design,
    :math:`(I - QQ^T) x`.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.cohort.series import reduce_rows
    >>> day = np.arange(4.0)
    >>> design = np.stack([np.ones(4), day], axis=-1)
    >>> found = reduce_rows(3 * day, design, np.empty((4, 0)), np.ones(4, dtype=bool))
    >>> round(float(found.value), 6)
    3.0
    """
    short = max(design.shape[-1] - y.shape[-1], 0)
    if short:  # fewer rows than terms: the answer will be NaN
        y = _padded(y, short, -1)
        used = _padded(used, short, -1)
        design, covariates = _padded(design, short, -2), _padded(covariates, short, -2)
    keep = used[..., None]
    n = used.sum(axis=-1)
    some = np.maximum(n, 1)
    y = np.where(used, y, 0.0)
    mean = y.sum(axis=-1) / some
    apart = np.where(used, y - mean[..., None], 0.0)
    size_of_y = np.abs(y).max(axis=-1, initial=0.0, keepdims=True)
    constant = np.abs(apart).max(axis=-1, initial=0.0, keepdims=True) <= _ROUNDING * size_of_y
    apart = np.where(constant, 0.0, apart)  # no rounding error may pass for a change
    x = np.where(keep, covariates, 0.0)
    columns = np.where(keep, design, 0.0)
    level = columns[..., 1:].sum(axis=-2, keepdims=True) / some[..., None, None]
    columns[..., 1:] = np.where(keep, columns[..., 1:] - level, 0.0)
    size = np.sqrt((columns**2).sum(axis=-2))
    basis, triangle = np.linalg.qr(columns)
    diagonal = np.diagonal(triangle, axis1=-2, axis2=-1)
    offset = np.abs(design).max(axis=-2, initial=0.0, where=keep)
    fine = (np.abs(diagonal) > _FLAT * np.maximum(size, offset * np.sqrt(some)[..., None])).all(-1)
    fine &= n >= design.shape[-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = basis[..., -1] / diagonal[..., -1:]
    weight = np.where(fine[..., None], weight, np.nan)
    # the basis of rows of a recording without an answer may be anything; its value is NaN
    beside_x = x - basis @ (basis.swapaxes(-1, -2) @ x)
    centred = np.where(keep, x - x.sum(axis=-2, keepdims=True) / some[..., None, None], 0.0)
    value = (weight * apart).sum(axis=-1)
    if design.shape[-1] == 1:
        value = value + mean
    return Reduced(
        value,
        (weight[..., None] * x).sum(axis=-2),
        beside_x.swapaxes(-1, -2) @ beside_x,
        (beside_x * apart[..., None]).sum(axis=-2),
        (centred**2).sum(axis=-2),
        n - design.shape[-1],
        np.where(n > 0, mean, np.nan),
    )


def _padded(array: np.ndarray, short: int, axis: int) -> np.ndarray:
    widths = [(0, 0)] * array.ndim
    widths[axis] = (0, short)
    return np.pad(array, widths)


def stack(each: Sequence[Reduced]) -> Reduced:
    """Recordings of different lengths side by side.

    Parameters
    ----------
    each
        Recordings, reduced one by one.

    Returns
    -------
    Reduced
        All of them over (recording).
    """
    names = ("value", "shift", "moments", "cross", "spread", "left", "mean")
    return Reduced(*(np.stack([getattr(one, name) for one in each]) for name in names))
