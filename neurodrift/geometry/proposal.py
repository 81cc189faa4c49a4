"""What the positions themselves say about the shape of the environment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodrift.geometry.geometry import Geometry
from neurodrift.geometry.steps import FASTEST

_JUMP = 0.5  # of the extent: a step that no animal makes
_FEW = 2  # jumps that tell a track of which the end is the beginning
_AT_ENDS = 0.1  # of the extent: how near to an end a jump starts and lands
_MOST = 0.8  # share of the jumps that go from end to end
_LEAST_OF_RUNS = 0.3  # jumps for each run from end to end
_TURNS = 1.5  # extents that the animal runs in all, the jumps left out
_MOVING = 0.25  # of the median step: below it the animal waits at the end
_SQUARES = 20  # along each axis
_NARROW, _LONG = 15.0, 4.0  # cm across a track at most; how much longer than wide it is
_FILLED = 0.35  # share of the squares that an animal in an arena visits


@dataclass(frozen=True)
class Proposal:
    """A geometry that fits the positions, and what speaks for it.

    Parameters
    ----------
    geometry
        The geometry.
    why
        What the positions show, one sentence without its full stop.
    jumps
        How often the position jumps from one end to the other.
    """

    geometry: Geometry
    why: str
    jumps: int = 0


def propose_geometry(time: np.ndarray, x: np.ndarray, y: np.ndarray | None = None) -> Proposal:
    """Propose the shape of the environment from positions.

    Parameters
    ----------
    time
        (time) start of each frame [s], increasing.
    x, y
        (time) position [cm], NaN where it was not tracked.

    Returns
    -------
    Proposal
        With `y` a field, or ``linear`` where one axis is that of a narrow track (at most 15 cm
        across, and at least four times as long). Without, ``circular`` or ``vr`` where the position
        jumps again and again from one end to the other, and ``linear`` otherwise. A jump out of a
        run into a run looks like a circle, one out of a rest like a corridor; positions cannot tell
        for sure, nor that one axis of a box was left out.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.geometry import propose_geometry
    >>> time = np.arange(3000) / 30
    >>> print(propose_geometry(time, (20 * time) % 180).geometry)
    circular, 180 cm
    """
    time, x = np.asarray(time, dtype=float), np.asarray(x, dtype=float)
    if y is not None:
        return _of_plane(x, np.asarray(y, dtype=float))
    tracked = np.flatnonzero(np.isfinite(x))
    nothing = Proposal(Geometry(kind="linear"), "x goes to and fro between two ends")
    if tracked.size < 3:
        return nothing
    place = x[tracked]
    low, high = float(place.min()), float(place.max())
    extent = high - low
    step, seconds = np.diff(place), np.diff(time[tracked])
    far = np.abs(step) > np.maximum(_JUMP * extent, FASTEST * seconds)
    jumps = np.flatnonzero(far & (np.diff(tracked) == 1))
    if jumps.size < _FEW or not extent > 0:
        return nothing
    ends = np.column_stack([place[jumps], place[jumps + 1]])
    near = np.minimum(ends - low, high - ends) <= _AT_ENDS * extent
    run = np.concatenate([[0.0], np.cumsum(np.where(far, 0.0, step))])
    if near.all(axis=1).mean() < _MOST or np.ptp(run) < _TURNS * extent:
        return nothing
    if jumps.size < _LEAST_OF_RUNS * _n_traversals(place, far, low, extent):
        return nothing  # frames were cut out of a track that is run to and fro
    usual = float(np.median(np.abs(step[~far & (step != 0)]))) if (step[~far] != 0).any() else 0.0
    around = [np.abs(step[np.clip(jumps + k, 0, step.size - 1)]) for k in (-1, 1)]
    moving = float(np.median(np.minimum(*around))) > _MOVING * usual
    passed = float(np.median((around[0] + around[1]) / 2)) if moving else 0.0
    origin = 0.0 if abs(low) <= 0.02 * extent else float(np.floor(low))
    length = float(np.median(np.abs(step[jumps]))) + passed
    length = max(_rounded(length), _up(high - origin) if high - origin > _rounded(length) else 0.0)
    if low < origin:
        origin = -_up(-low)
    kind = "circular" if moving else "vr"
    shape = Geometry(kind=kind, length=length, origin=origin, proposed=True)
    way = "in full run" if moving else "after a rest"
    why = f"x jumps {jumps.size} times from one end to the other ({extent:.4g} cm) {way}"
    return Proposal(shape, why, int(jumps.size))


def _n_traversals(place: np.ndarray, far: np.ndarray, low: float, extent: float) -> int:
    """How often the animal runs from one end to the other, without a jump."""
    zone = np.zeros(place.size, dtype=int)
    zone[place <= low + _AT_ENDS * extent] = -1
    zone[place >= low + (1 - _AT_ENDS) * extent] = 1
    at = np.flatnonzero(zone)
    n_jumps = np.concatenate([[0], np.cumsum(far)])
    return int(((np.diff(zone[at]) != 0) & (np.diff(n_jumps[at]) == 0)).sum())


def _of_plane(x: np.ndarray, y: np.ndarray) -> Proposal:
    shape = Geometry(kind="field")
    both = np.isfinite(x) & np.isfinite(y)
    if both.sum() < 3:
        return Proposal(shape, "there are two axes")
    x, y = x[both], y[both]
    wide, tall = (float(np.ptp(np.percentile(v, [0.5, 99.5]))) for v in (x, y))
    if is_narrow(wide, tall) or is_narrow(tall, wide):
        along, across = ("x", tall) if wide > tall else ("y", wide)
        why = (
            f"{'y' if along == 'x' else 'x'} spans {across:.3g} cm only, beside "
            f"{max(wide, tall):.3g} cm: a track, for which {along} alone is to be given"
        )
        return Proposal(Geometry(kind="linear"), why)
    size = f"{np.ptp(x):.3g} by {np.ptp(y):.3g} cm"
    counts, _, _ = np.histogram2d(x, y, bins=_SQUARES)
    filled = float((counts > 0).mean())
    if filled < _FILLED:
        why = (
            f"there are two axes, {size}, but the animal visits {100 * filled:.0f} % of the plane "
            "only: of a track or maze give a graph of its arms and linearise"
        )
        return Proposal(shape, why)
    return Proposal(shape, f"x and y fill {100 * filled:.0f} % of {size}")


def is_narrow(along: float, across: float) -> bool:
    """Whether an axis is the width of a track that lies along the other.

    Parameters
    ----------
    along, across
        What both axes span [cm].

    Returns
    -------
    bool
        True up to 15 cm across, and four times as long.

    Examples
    --------
    >>> from neurodrift.geometry.proposal import is_narrow
    >>> is_narrow(200, 6), is_narrow(40, 30), is_narrow(20, 10)
    (True, False, False)
    """
    return bool(0 <= across <= _NARROW and along >= _LONG * across and along > _NARROW)


def _rounded(length: float) -> float:
    """Whole centimetres, or three digits of what is short."""
    return float(round(length)) if length >= 50 else float(f"{length:.3g}")


def _up(value: float) -> float:
    """Not less, in whole centimetres or tenths."""
    return float(np.ceil(value)) if value >= 50 else float(np.ceil(10 * value) / 10)
