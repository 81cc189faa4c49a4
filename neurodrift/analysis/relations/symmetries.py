"""Moves of an environment onto itself: a reflection, turns of a circle, arms that change places."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from neurodrift.analysis.relations.codes import Codes
from neurodrift.geometry.arms import Arms, arms_of

_MOST_NODES = 8  # of a maze whose exchanges of arms are looked for
_SAME = 0.01  # of the length of an arm, by which arms may differ


@dataclass(frozen=True, eq=False)
class Symmetry:
    """A move of the environment onto itself.

    Parameters
    ----------
    name
        In words.
    source
        (point) which point of the moved code stands at each point.
    """

    name: str
    source: np.ndarray


def symmetries(codes: Codes) -> list[Symmetry]:
    """Every symmetry of the environment of a recording but the one that moves nothing.

    Parameters
    ----------
    codes
        The recording.

    Returns
    -------
    list of Symmetry
        Of a line or a corridor its reflection; of a circle its turns by whole bins, and the
        reflection followed by each; of a maze the exchanges of arms that keep their lengths and
        where they meet. A reflection also exchanges the running directions. Empty in the plane,
        for categories, and where the bins do not fit the move.
    """
    n = codes.centre.shape[0]
    kind = codes.geometry.kind
    if codes.centre.ndim == 2 or n < 3:
        return []
    if kind == "graph":
        return _exchanges(codes)
    back = np.arange(n)[::-1]
    if kind in ("linear", "vr"):
        return [Symmetry("a reflection", _points(codes, back, swap=True))]
    if not codes.is_ring:
        return []
    found = []
    for k in range(n):
        turn = (np.arange(n) - k) % n
        angle = 360 * k / n
        if k:
            name = f"a turn by {angle:.0f} degrees"
            found.append(Symmetry(name, _points(codes, turn, swap=False)))
        name = "a reflection" + (f" and a turn by {angle:.0f} degrees" if k else "")
        found.append(Symmetry(name, _points(codes, back[turn], swap=True)))
    return found


def _points(codes: Codes, bins: np.ndarray, *, swap: bool) -> np.ndarray:
    """Source of each point, from that of each bin."""
    direction = codes.direction
    if swap and codes.direction.max(initial=0) == 1:
        direction = 1 - direction
    return np.asarray(direction * bins.size + bins[codes.position])


def _exchanges(codes: Codes) -> list[Symmetry]:
    """Exchanges of the arms of a maze."""
    arms = arms_of(codes.geometry)
    if len(arms.nodes) > _MOST_NODES:
        return []
    number = {frozenset(pair): i for i, pair in enumerate(map(tuple, arms.ends.tolist()))}
    arm, offset = arms.locate(codes.centre)
    found: dict[bytes, Symmetry] = {}
    for order in permutations(range(len(arms.nodes))):
        moved = _moved_arms(arms, number, np.array(order))
        if moved is None:
            continue
        bins, turned = _moved_bins(arms, moved, arm, offset, codes.width)
        if bins is None or (bins == np.arange(bins.size)).all():
            continue
        direction = codes.direction
        if direction.max(initial=0) == 1:
            direction = np.where(turned[codes.position], 1 - direction, direction)
        source = direction * bins.size + bins[codes.position]
        to = [arms.names[i] for i, (j, _) in enumerate(moved) if j != i]
        name = f"an exchange of the arms {', '.join(to)}" if to else "a reflection"
        found.setdefault(source.tobytes(), Symmetry(name, source))
    return list(found.values())


def _moved_arms(
    arms: Arms, number: dict[frozenset[int], int], order: np.ndarray
) -> list[tuple[int, bool]] | None:
    """Which arm comes to lie on each, and whether it is turned; None where this is no symmetry."""
    moved = []
    for i, (a, b) in enumerate(arms.ends.tolist()):
        j = number.get(frozenset((int(order[a]), int(order[b]))))
        if j is None or abs(arms.lengths[i] - arms.lengths[j]) > _SAME * arms.lengths[i]:
            return None
        moved.append((j, int(arms.ends[j, 0]) != int(order[a])))
    return moved


def _moved_bins(
    arms: Arms,
    moved: list[tuple[int, bool]],
    arm: np.ndarray,
    offset: np.ndarray,
    width: float,
) -> tuple[np.ndarray | None, np.ndarray]:
    """Bin that comes to lie on each, and whether its arm is turned; None where bins do not fit."""
    bins, turned = np.empty(arm.size, dtype=int), np.zeros(arm.size, dtype=bool)
    for at in range(arm.size):
        j, turned[at] = moved[arm[at]]
        share = offset[at] / arms.lengths[arm[at]]
        place = (1 - share if turned[at] else share) * arms.lengths[j]
        away = np.where(arm == j, np.abs(offset - place), np.inf)
        bins[at] = int(away.argmin())
        if away[bins[at]] > width / 4:
            return None, turned
    return bins, turned
