"""A table of registered cells, one row a cell and one column a session, recognised as such."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

_LEAST_ROWS = 5
_LEAST_FOUND = 3  # cells of a session
_MOST_SHOWN = 6  # names of columns


@dataclass(frozen=True)
class RegistrationGuess:
    """How a table of registered cells is named in a mapping, or why it is not.

    Parameters
    ----------
    text
        What it is, or what speaks against it.
    columns
        Its columns in the order of the sessions, empty where it is left out of the mapping.
    count_from
        Number of a session's first unit, "?" where the table does not show it.
    """

    text: str
    columns: tuple[str, ...] = ()
    count_from: Literal[0, 1, "?"] = "?"


def may_be_registered(values: np.ndarray) -> bool:
    """Whether a column may hold the numbers of one session's units.

    Parameters
    ----------
    values
        (cell) numbers.

    Returns
    -------
    bool
        Whether they are whole, -1 or more, and name no unit twice.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.convert.own.registration_table import may_be_registered
    >>> may_be_registered(np.array([3, -1, 0, 2, 1])), may_be_registered(np.array([3, 3, 0, 2, 1]))
    (True, False)
    """
    if values.ndim != 1 or values.dtype.kind not in "fiu" or values.size < _LEAST_ROWS:
        return False
    known = values[~np.isnan(values.astype(np.float64))].astype(np.float64)
    if not np.isfinite(known).all() or (known != np.round(known)).any() or (known < -1).any():
        return False
    found = known[known > 0]
    return found.size >= _LEAST_FOUND and np.unique(found).size == found.size


def guess_registration(
    columns: Mapping[str, np.ndarray],
    others: int,
    labels: Sequence[str],
    n_units: Sequence[int | None],
) -> RegistrationGuess | None:
    """What a table of registered cells says of the sessions.

    Parameters
    ----------
    columns
        (cell) numbers of the columns that :func:`may_be_registered`, by name.
    others
        How many other columns the table has.
    labels
        Labels of the sessions.
    n_units
        (session) units of its activity, None where that is not known.

    Returns
    -------
    RegistrationGuess or None
        None where nothing looks like a registration.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.convert.own.registration_table import guess_registration
    >>> table = {"d1": np.array([0, 1, 2, -1, 3]), "d2": np.array([1, 0, -1, 2, 3])}
    >>> guess_registration(table, 0, ["1", "2"], [4, 4]).count_from
    0
    """
    names = list(columns)
    if len(names) < 2:
        return None
    by_name = _named_like(names, labels)
    numbers = np.column_stack([columns[name].astype(np.float64) for name in names])
    if not by_name:
        marked = np.isnan(numbers) | (numbers < 0) | ((numbers == 0).sum(axis=0) > 1)
        if others or not marked.any() or (np.nanmax(numbers) > 3 * len(numbers) + 10):
            return None
        shown = (
            f"registration? {len(names)} columns of unit numbers for {len(labels) or 1} sessions"
        )
        if len(names) != len(labels):
            return RegistrationGuess(f"{shown}: left out of the mapping")
        last = [int(found[-1]) for name in names if (found := re.findall(r"\d+", name))]
        if len(last) == len(names) and last != sorted(last):
            why = "are neither named nor ordered like them"
            return RegistrationGuess(f"{shown}, which {why}: left out of the mapping")
    chosen = by_name or names
    numbers = np.column_stack([columns[name].astype(np.float64) for name in chosen])
    return _checked(numbers, chosen, labels, n_units, "" if by_name else " in the order of")


def _checked(
    numbers: np.ndarray,
    chosen: list[str],
    labels: Sequence[str],
    n_units: Sequence[int | None],
    how: str,
) -> RegistrationGuess:
    """The guess for the columns of the sessions, unless numbers speak against it."""
    left_out = "left out of the mapping"
    zeros = (numbers == 0).sum(axis=0)
    if (zeros > 1).any() and (numbers < 0).any():
        name = chosen[int(zeros.argmax())]
        return RegistrationGuess(
            f"registration? column {name} holds 0 more than once, and there is a -1: {left_out}"
        )
    first = _first_number(numbers, n_units)
    highest = np.nanmax(numbers, axis=0)
    for name, label, top, known in zip(chosen, labels, highest, n_units, strict=True):
        if known is not None and top > known - (first == 0):
            return RegistrationGuess(
                f"registration? column {name} names unit {top:g}"
                f"{' (from 0)' if first == 0 else ''}, but session {label} has {known} units: "
                f"{left_out}"
            )
    if ((numbers >= (first == 1)).sum(axis=1) < 2).all():
        return RegistrationGuess(f"registration? no row has units of two sessions: {left_out}")
    shown = ", ".join(chosen[:_MOST_SHOWN]) + (", ..." if len(chosen) > _MOST_SHOWN else "")
    sessions = ", ".join(labels[:_MOST_SHOWN]) + (", ..." if len(labels) > _MOST_SHOWN else "")
    text = (
        "registration: one row a cell, one column a session; columns "
        f"{shown} are{how} sessions {sessions}; "
    )
    asked = "do units count from 0 or from 1? The table does not show it (count_from)"
    text += asked if first == "?" else f"units count from {first}"
    return RegistrationGuess(text, tuple(chosen), first)


def _named_like(names: list[str], labels: Sequence[str]) -> list[str]:
    """The columns named like the sessions, in their order; empty where they are not."""
    last = {name: (re.findall(r"\d+", name) or [""])[-1] for name in names}
    value = {name: text.lstrip("0") or "0" for name, text in last.items() if text}
    for called, strip in (({name: name for name in names}, False), (last, False), (value, True)):
        wanted = [label.lstrip("0") or "0" if strip else label for label in labels]
        found = [[name for name in names if called.get(name) == label] for label in wanted]
        if len(labels) > 1 and all(len(one) == 1 for one in found):
            chosen = [one[0] for one in found]
            if len(set(chosen)) == len(chosen):
                return chosen
    return []


def _first_number(numbers: np.ndarray, n_units: Sequence[int | None]) -> Literal[0, 1, "?"]:
    """Number of a session's first unit; a unit as many as there are is one that counts from 1."""
    zeros = (numbers == 0).sum(axis=0)
    absent = bool((numbers < 0).any() or np.isnan(numbers).any())
    highest = np.nanmax(numbers, axis=0)
    if (zeros > 1).any():
        return 1
    if zeros.any() and absent:
        return 0
    if any(known is not None and top == known for top, known in zip(highest, n_units, strict=True)):
        return 1
    whole = [top == (known or 0) - 1 for top, known in zip(highest, n_units, strict=True)]
    return 0 if zeros.all() and all(whole) else "?"
