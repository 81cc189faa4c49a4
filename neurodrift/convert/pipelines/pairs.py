"""Identities out of probabilities that two units are the same, by a threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from neurodrift.convert.pipelines.registration import Pairs, Registration

Matching = Literal["conservative", "intermediate", "liberal"]
MATCHINGS: tuple[Matching, ...] = ("conservative", "intermediate", "liberal")
"""Which pairs of two groups must match before the groups become one unit: all of them, those of
the same or neighbouring sessions (any, where there are none), or any one."""


def registration_from_pairs(
    pairs: Pairs,
    units: Sequence[np.ndarray],
    *,
    min_probability: float,
    matching: Matching = "intermediate",
) -> Registration:
    """Identities of units across sessions, from the probability of every pair.

    Pairs are taken from the most probable one down. A pair joins the groups that its units are in,
    unless both groups have a unit in one session, or pairs that `matching` asks for do not reach
    the threshold.

    Parameters
    ----------
    pairs
        Probabilities of pairs of units.
    units
        For each session the rows of all its units.
    min_probability
        Least probability of a match.
    matching
        Which pairs must match, see :data:`MATCHINGS`.

    Returns
    -------
    Registration
        Units without a match have a row of their own. The score of a unit in a session is its mean
        probability to be the units that it is joined with, NaN without a match; a pair that is not
        listed counts as 0.

    Raises
    ------
    ValueError
        If the threshold is no probability, or `matching` is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.convert.pipelines.pairs import registration_from_pairs
    >>> from neurodrift.convert.pipelines.registration import Pairs
    >>> pairs = Pairs(
    ...     first=np.array([[0, 0], [0, 1], [0, 0]]),
    ...     second=np.array([[1, 0], [1, 0], [1, 1]]),
    ...     probability=np.array([0.9, 0.6, 0.2]),
    ... )
    >>> units = [np.arange(2), np.arange(2)]
    >>> registration_from_pairs(pairs, units, min_probability=0.5).table.tolist()
    [[0, 0], [1, -1], [-1, 1]]
    """
    if not 0 < min_probability <= 1:
        raise ValueError(f"min_probability is {min_probability!r}, expected above 0 and up to 1")
    if matching not in MATCHINGS:
        raise ValueError(f"matching is {matching!r}, expected one of {', '.join(MATCHINGS)}")
    wanted = np.flatnonzero(pairs.probability >= min_probability)
    wanted = wanted[np.argsort(-pairs.probability[wanted], kind="stable")]
    listed = [(session, int(row)) for session, rows in enumerate(units) for row in np.unique(rows)]
    numbers = {unit: i for i, unit in enumerate(listed)}
    edges = [
        (numbers[tuple(pairs.first[k].tolist())], numbers[tuple(pairs.second[k].tolist())])
        for k in wanted
    ]
    matched = {(min(a, b), max(a, b)) for a, b in edges}
    groups = [_Group([i], 1 << session) for i, (session, _) in enumerate(listed)]
    for a, b in edges:
        one, other = groups[a], groups[b]
        if one is other or one.sessions & other.sessions:
            continue
        if _all_match(one, other, listed, matched, matching):
            one.members += other.members
            one.sessions |= other.sessions
            for member in other.members:
                groups[member] = one
    unique = list(dict.fromkeys(groups))
    table = np.full((len(unique), len(units)), -1, dtype=np.int64)
    for row, group in enumerate(unique):
        for session, unit in (listed[i] for i in group.members):
            table[row, session] = unit
    return Registration(
        table=table,
        source=pairs.source,
        score=mean_probability(table, pairs),
        pairs=pairs,
    )


@dataclass(eq=False)
class _Group:
    members: list[int]
    sessions: int = field(repr=False)  # a bit for each session that it has a unit in


def _all_match(
    one: _Group,
    other: _Group,
    listed: list[tuple[int, int]],
    matched: set[tuple[int, int]],
    matching: Matching,
) -> bool:
    """Whether the pairs between two groups that must match do."""
    if matching == "liberal":
        return True
    for a in one.members:
        for b in other.members:
            near = abs(listed[a][0] - listed[b][0]) <= 1
            needed = near or matching == "conservative"
            if needed and (min(a, b), max(a, b)) not in matched:
                return False
    return True


def mean_probability(table: np.ndarray, pairs: Pairs) -> np.ndarray:
    """Mean probability of each unit to be those that it is joined with.

    Parameters
    ----------
    table
        (registered unit, session) row of the unit, -1 for none.
    pairs
        Probabilities of pairs; one that is not listed counts as 0.

    Returns
    -------
    numpy.ndarray
        (registered unit, session), NaN where there is no unit or no other one.
    """
    found = []
    for unit in (pairs.first, pairs.second):
        registered = np.full(len(unit), -1)
        for session in range(table.shape[1]):
            mine = unit[:, 0] == session
            rows = np.flatnonzero(table[:, session] >= 0)
            rows = rows[np.argsort(table[rows, session])]
            if not rows.size:
                continue
            at = np.searchsorted(table[rows, session], unit[mine, 1])
            near = rows[np.minimum(at, rows.size - 1)]
            registered[mine] = np.where(table[near, session] == unit[mine, 1], near, -1)
        found.append(registered)
    joined = (found[0] == found[1]) & (found[0] >= 0)
    total = np.zeros(table.shape)
    for unit in (pairs.first, pairs.second):
        np.add.at(total, (found[0][joined], unit[joined, 0]), pairs.probability[joined])
    n_others = (table >= 0).sum(axis=1, keepdims=True) - 1
    there = (table >= 0) & (n_others > 0)
    return np.divide(total, n_others, out=np.full(table.shape, np.nan), where=there)
