"""Which unit of one session is which unit of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from neurodrift.gate.findings import Finding
from neurodrift.gate.inputs import Activity


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """How probable it is that two units of different sessions are the same, pair by pair.

    Parameters
    ----------
    first, second
        (pair, 2) session from 0, and row of the unit in its source; `first` is of the earlier
        session. A pair is there once.
    probability
        (pair) that they are the same, or a similarity from 0 to 1 in its place.
    source
        Where it comes from, for messages.
    """

    first: np.ndarray
    second: np.ndarray
    probability: np.ndarray
    source: str = "pairs"

    def __post_init__(self) -> None:
        """Refuse what is no such list."""
        n = self.probability.size
        if self.first.shape != (n, 2) or self.second.shape != (n, 2):
            raise ValueError(f"{self.source}: pairs and their probabilities differ in length")
        if n and not ((self.probability >= 0) & (self.probability <= 1)).all():
            raise ValueError(f"{self.source}: probabilities of pairs are not all from 0 to 1")
        if (self.first[:, 0] >= self.second[:, 0]).any():
            raise ValueError(f"{self.source}: a pair is not of an earlier and a later session")

    def of_session(self, session: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Its units in the pairs that it has a part in, and the other ones.

        Parameters
        ----------
        session
            The session, from 0.

        Returns
        -------
        row, other_session, other_row, probability : numpy.ndarray
            (pair) row of this session's unit; session and row of the other; probability.
        """
        a, b = self.first[:, 0] == session, self.second[:, 0] == session
        return (
            np.concatenate([self.first[a, 1], self.second[b, 1]]),
            np.concatenate([self.second[a, 0], self.first[b, 0]]),
            np.concatenate([self.second[a, 1], self.first[b, 1]]),
            np.concatenate([self.probability[a], self.probability[b]]),
        )


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
        (registered unit) or (registered unit, session) how sure the registration is, from 0 to 1.
    pairs
        Probabilities of pairs of units, matched or not, where they are known.
    n_units
        (session) number of units that were registered, where it is known: they are all units of
        the source, or all that were kept.
    """

    table: np.ndarray
    source: str
    refers_to: Literal["source", "kept"] = "source"
    score: np.ndarray | None = None
    pairs: Pairs | None = None
    n_units: np.ndarray | None = None

    def score_of(self, ids: np.ndarray, session: int) -> np.ndarray | None:
        """How sure the registration of the units of a session is.

        Parameters
        ----------
        ids
            (unit) row of the registration, -1 where there is none.
        session
            The session's column.

        Returns
        -------
        numpy.ndarray or None
            (unit) score, NaN where there is none; None where there are no scores at all.
        """
        if self.score is None:
            return None
        score = self.score if self.score.ndim == 1 else self.score[:, session]
        return np.where(ids >= 0, score[np.maximum(ids, 0)], np.nan)


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
    refers_to, counted = registration.refers_to, None
    if registration.n_units is not None:
        counted = int(registration.n_units[column])
        refers_to = "source" if counted == n_source else "kept"
    if counted not in (None, n_source, activity.n_units):
        text = (
            f"{where} is of {counted} units, but {activity.source} has {n_source}, of which "
            f"{activity.n_units} were kept: it was made of other units"
        )
        return np.full(rows.size, -1), [Finding("registration", text, True)]
    if refers_to == "kept":
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
    if counted is None and found.size and int(found.max()) == n_source - 2:
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
