"""Which unit of one session is which unit of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from neurodrift.gate.findings import Finding
from neurodrift.gate.inputs import Activity


@dataclass(frozen=True, kw_only=True)
class Registration:
    """Identities of units across sessions.

    Parameters
    ----------
    table
        (registered unit, session) row of the unit in each session's source, from 0; -1 where it
        was not found.
    source
        Where it comes from, for messages.
    refers_to
        Whether the rows count all units of the source, or only those that were kept.
    score
        (registered unit) how sure the registration is, from 0 to 1.
    """

    table: np.ndarray
    source: str
    refers_to: Literal["source", "kept"] = "source"
    score: np.ndarray | None = None


def registration_from_table(
    table: Any, *, count_from: Literal[0, 1], source: str, score: Any = None
) -> Registration:
    """A registration from a table of indices as pipelines write it.

    Parameters
    ----------
    table
        (registered unit, session) indices. Absent are NaN, numbers below 0 and, where indices
        count from 1, zeros.
    count_from
        Index of a session's first unit: 1 for MATLAB, 0 for Python.
    source
        Where it comes from, for messages.
    score
        (registered unit) how sure the registration is.

    Returns
    -------
    Registration
        The registration; rows without any unit are left out.

    Raises
    ------
    ValueError
        If it is no such table, or seems to count from the other number.

    Examples
    --------
    >>> from neurodrift.convert.pipelines.registration import registration_from_table
    >>> registration_from_table([[1, 2], [2, 0]], count_from=1, source="map").table.tolist()
    [[0, 1], [1, -1]]
    """
    numbers = np.asarray(table)
    if numbers.ndim != 2 or numbers.dtype.kind not in "fiu" or not numbers.size:
        raise ValueError(
            f"{source} has shape {numbers.shape} of {numbers.dtype}, expected whole numbers over "
            "(registered unit, session)"
        )
    numbers = numbers.astype(np.float64)
    present = np.isfinite(numbers) & (numbers >= count_from)
    if (numbers[present] != np.round(numbers[present])).any():
        raise ValueError(f"{source} holds fractions, expected the indices of units")
    for column in range(numbers.shape[1]):
        used, times = np.unique(numbers[present[:, column], column], return_counts=True)
        if (times > 1).any():
            twice = used[times > 1].astype(int).tolist()
            hint = "; if 0 means not found, indices count from 1" if twice == [0] else ""
            raise ValueError(f"{source} uses unit {twice[:5]} of session {column + 1} twice{hint}")
    zeros = (numbers == 0).sum(axis=0)
    if count_from == 1 and (zeros <= 1).all() and zeros.any() and (numbers < 0).any():
        raise ValueError(
            f"{source} has a unit 0 in {int(zeros.sum())} sessions and -1 where none was found: it "
            "counts from 0, not from 1"
        )
    rows = np.where(present, np.nan_to_num(numbers) - count_from, -1).astype(np.int64)
    kept = (rows >= 0).any(axis=1)
    return Registration(
        table=rows[kept],
        source=source,
        score=None if score is None else np.asarray(score, dtype=np.float64).ravel()[kept],
    )


def registered_ids(
    registration: Registration, column: int, activity: Activity
) -> tuple[np.ndarray, list[Finding]]:
    """Identity of every unit of one session.

    Parameters
    ----------
    registration
        The registration.
    column
        The session's column in it.
    activity
        The session's units.

    Returns
    -------
    ids : numpy.ndarray
        (unit) row of the registration, -1 where there is none.
    findings : list of Finding
        What is worth knowing, and what cannot be.
    """
    where = f"column {column + 1} of {registration.source}"
    wanted = registration.table[:, column]
    n_source = activity.n_source or activity.n_units
    rows = activity.source_rows
    if registration.refers_to == "kept":
        rows, n_source = np.arange(activity.n_units), activity.n_units
    found = wanted[wanted >= 0]
    if (found >= n_source).any():
        over = np.unique(found[found >= n_source])
        hint = ""
        if over.tolist() == [n_source]:
            hint = ": it seems to count from 1 (count_from: 1)"
        text = (
            f"{where} names unit {over[:5].tolist()} (from 0), but {activity.source} has "
            f"{n_source} units{hint}"
        )
        return np.full(rows.size, -1), [Finding("registration", text, True)]
    findings = []
    if found.size and int(found.max()) == n_source - 2:
        text = f"{where} names all units but the last of {activity.source}: does it count from 0?"
        findings.append(Finding("registration", text, warns=True))
    identity = np.full(n_source, -1, dtype=np.int64)
    identity[found] = np.flatnonzero(wanted >= 0)
    ids = identity[rows]
    lost = found.size - int((ids >= 0).sum())
    text = f"{int((ids >= 0).sum())} of {ids.size} units are registered by {where}"
    findings.append(Finding("registration", text))
    if lost:
        text = f"{lost} units that {where} names are not among those kept of {activity.source}"
        findings.append(Finding("registration", text, warns=True))
    return ids, findings
