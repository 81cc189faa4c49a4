"""Which laps teach a decoder and which test it, as many in one session as in the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from neurodrift.analysis.decoding.windows import Part
from neurodrift.seeds import generator

FEWEST = 2
"""Laps of a direction that a session needs: one to learn from, one to test."""


@dataclass(frozen=True)
class Deal:
    """The laps of one session, dealt in folds.

    Parameters
    ----------
    fold
        (row) fold that a lap is tested in, -1 where it is not used.
    teach
        (fold, row) the laps that teach the decoder which is tested in the fold.
    """

    fold: np.ndarray
    teach: np.ndarray


def deal(
    parts: Sequence[Part],
    names: Sequence[str],
    label: int,
    n_folds: int,
    seed: int,
    match: bool,
) -> list[Deal] | None:
    """Deal the laps of some sessions in folds.

    Parameters
    ----------
    parts, names
        Sessions and their labels.
    label
        Map whose laps are used.
    n_folds
        Most folds; fewer where a session has fewer laps of a direction.
    seed
        Seed of the draws.
    match
        Whether every session teaches as many laps of a direction as the one with the fewest.

    Returns
    -------
    list of Deal or None
        None if a direction that some session has is left with fewer than two laps in one of them.
    """
    ways = np.unique(np.concatenate([p.row_way[p.of_map(label)] for p in parts]))
    own = [[np.flatnonzero(p.of_map(label) & (p.row_way == way)) for way in ways] for p in parts]
    if not ways.size:
        return None
    least = min(rows.size for session in own for rows in session)
    if least < FEWEST:
        return None
    n = min(n_folds, least)
    sizes = [min(s[w].size - -(-s[w].size // n) for s in own) for w in range(ways.size)]
    found = []
    for part, name, session in zip(parts, names, own, strict=True):
        fold = np.full(part.row_way.size, -1)
        teach = np.zeros((n, part.row_way.size), dtype=bool)
        for w, rows in enumerate(session):
            fold[rows] = np.arange(rows.size) % n
            for f in range(n):
                others = rows[fold[rows] != f]
                if match and others.size > sizes[w]:
                    rng = generator(seed, "decoding laps", name, f, int(ways[w]))
                    others = rng.permutation(others)[: sizes[w]]
                teach[f, others] = True
        found.append(Deal(fold, teach))
    return found


def shared_map(parts: Sequence[Part]) -> int | None:
    """The map that sessions share in which most time was spent.

    Parameters
    ----------
    parts
        Sessions.

    Returns
    -------
    int or None
        Its label, 0 of recordings without labels; None where they share none.
    """
    if all(not part.row_map.any() for part in parts):
        return 0
    spent = [
        {int(k): float(p.lasting[p.row_map == k].sum()) for k in np.unique(p.row_map) if k > 0}
        for p in parts
    ]
    shared = set.intersection(*(set(times) for times in spent))
    if not shared:
        return None
    return max(sorted(shared), key=lambda k: min(times[k] for times in spent))


def visited(part: Part, rows: np.ndarray, n_ways: int) -> np.ndarray:
    """(way, bin) time that laps spent in each state [s]."""
    spent = np.zeros((n_ways, part.lasting.shape[1]))
    np.add.at(spent, part.row_way[rows], part.lasting[rows])
    return spent


def shared_states(parts: Sequence[Part], label: int, n_ways: int) -> np.ndarray:
    """Time that every session spent at least in each state.

    Parameters
    ----------
    parts
        Sessions.
    label
        Map whose laps are used.
    n_ways
        Number of directions.

    Returns
    -------
    numpy.ndarray
        (way, bin) [s], 0 in states that one of them lacks.
    """
    return np.asarray(np.min([visited(p, p.of_map(label), n_ways) for p in parts], axis=0))


def mean_rates(part: Part, label: int, least: np.ndarray) -> np.ndarray:
    """Rate of each unit over states, each weighing as much as it does in all sessions.

    Parameters
    ----------
    part
        A session.
    label
        Map whose laps are used.
    least
        (way, bin) weights, of :func:`shared_states`.

    Returns
    -------
    numpy.ndarray
        (unit) [events/s]; NaN where no state has a weight.
    """
    n_units, n_bins = part.activity.shape[1], part.lasting.shape[1]
    spent = visited(part, part.of_map(label), least.shape[0])
    weight = np.divide(least, spent, out=np.zeros_like(least), where=least > 0)
    if not least.sum() > 0:
        return np.full(n_units, np.nan)
    rows = np.flatnonzero(part.of_map(label))
    pick = sp.csr_array(
        (np.ones(rows.size), (part.row_way[rows], rows)), shape=(least.shape[0], part.row_way.size)
    )
    sums = np.asarray((pick @ part.sums).todense()).reshape(least.shape[0], n_units, n_bins)
    return np.asarray(np.einsum("dub,db->u", sums, weight) / least.sum())
