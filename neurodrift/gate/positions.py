"""Positions: their extent and speed, lost frames, and numbers that stand for lost."""

from __future__ import annotations

import numpy as np

from neurodrift._velocity import velocity
from neurodrift.gate.clocks import SLOWEST_POSITION, clock_findings
from neurodrift.gate.findings import Finding
from neurodrift.gate.inputs import Position
from neurodrift.geometry.distance import distance
from neurodrift.geometry.geometry import Geometry
from neurodrift.geometry.outline import outside_share
from neurodrift.geometry.steps import jumped

LEAST_EXTENT, MOST_EXTENT = 10.0, 1500.0  # cm that an environment may measure
LARGE_EXTENT = 400.0  # cm that few do
MOST_SPEED = 300.0  # cm/s that an animal may run; mice and rats stay below 150
_LEAST_COVERED = 0.25  # of a turn or a corridor that an animal runs through
_FEW_JUMPS = 2  # from end to end, by an animal that runs all the way
_RUN_THROUGH = {"circular": 0.97, "vr": 0.9}  # of the length, by such an animal
_MOST_OUTSIDE = 0.02  # share of frames beyond the ends or walls
_MANY_JUMPS, _MOST_JUMPS = 0.03, 0.1  # of the steps; teleports at the ends of laps are fewer
MOST_MEDIAN_SPEED = 60.0  # cm/s over all frames, rests included


def position_findings(position: Position, *, clock: bool = True) -> list[Finding]:
    """Faults of a position.

    Parameters
    ----------
    position
        The position.
    clock
        Whether its clock is looked at too.

    Returns
    -------
    list of Finding
        What was found.
    """
    time, source = np.asarray(position.time, dtype=float), position.source
    found = clock_findings(time, source, SLOWEST_POSITION) if clock else []
    axes = list(np.atleast_2d(position.xy.T).astype(float))
    tracked = np.all([np.isfinite(axis) for axis in axes], axis=0)
    if not tracked.any():
        return [*found, Finding("tracked", f"{source} is NaN in every frame", True)]
    shape = position.geometry
    if shape is not None and not shape.is_place:
        return [*found, *(_tracking_findings(tracked, source) if clock else [])]
    extent = max(float(np.ptp(np.percentile(axis[tracked], [0.5, 99.5]))) for axis in axes)
    if not LEAST_EXTENT <= extent <= MOST_EXTENT:
        guess = "metres or a fraction" if extent < LEAST_EXTENT else "mm or pixels"
        text = (
            f"{source} covers {extent:.3g} cm: the unit of length seems wrong, the numbers may be "
            f"{guess}, or not be those of the stated unit"
        )
        found.append(Finding("position_extent", text, True, True))
    elif extent > LARGE_EXTENT:
        text = f"{source} covers {extent:.3g} cm, much for an environment: is it in mm or pixels?"
        found.append(Finding("position_extent", text, warns=True))
    if clock:  # a recording says where it was not tracked
        found += _tracking_findings(tracked, source)
    if any(item.stops for item in found):
        return found
    vx, vy = velocity(time, axes[0], axes[1] if len(axes) == 2 else None, geometry=shape)
    speed = np.abs(vx) if vy is None else np.hypot(vx, vy)
    marks = [] if _turns(shape) else _sentinel_findings(axes, time, source)
    marks += _outside_findings(shape, axes, source)
    high, fast = np.percentile(speed[tracked], [50, 99])
    if fast <= MOST_SPEED and high > MOST_MEDIAN_SPEED:
        text = (
            f"{source} covers {extent:.3g} cm and moves at {high:.3g} cm/s in the median of all "
            "frames, rests included, faster than animals do: mm or pixels called cm?"
        )
        found.append(Finding("speed", text, True, True, numbers={"median_speed": float(high)}))
    elif fast > MOST_SPEED:
        text = (
            f"{source} moves at {fast:.3g} cm/s (99th percentile; median {high:.3g}): the unit of "
            "length or of time seems wrong, or the tracking jumps"
        )
        found.append(Finding("speed", text, True, True))
    elif not marks and (jumping := _jumping(time, axes, tracked, shape)) > _MANY_JUMPS:
        text = (
            f"{source} jumps in {100 * jumping:.1f} % of its frames by more than "
            f"{MOST_SPEED:g} cm/s: the tracking swaps the animal and something else"
        )
        stops = jumping > _MOST_JUMPS
        numbers = {"jumping": jumping}
        found.append(Finding("speed", text, stops, True, not stops, numbers=numbers))
    elif fast < 2:
        text = f"{source} hardly moves, {fast:.2g} cm/s at the 99th percentile of speed: units?"
        found.append(Finding("speed", text, warns=True))
    return found + marks


def _turns(shape: Geometry | None) -> bool:
    """Whether positions jump where the animal does not."""
    return shape is not None and shape.kind in ("circular", "vr", "graph")


def _outside_findings(shape: Geometry | None, axes: list[np.ndarray], source: str) -> list[Finding]:
    """Frames beyond the ends of a corridor or the walls of an arena; a turn that is never made."""
    if shape is None:
        return []
    x = axes[0][np.isfinite(axes[0])]
    if shape.kind in ("circular", "vr") and shape.length:
        covered = float(np.ptp(x)) / shape.length
        if covered < _LEAST_COVERED:
            text = (
                f"{source} covers {100 * covered:.0f} % of the geometry ({shape}): is its length "
                "in the unit of the position?"
            )
            return [Finding("geometry", text, True, True, numbers={"covered": covered})]
        jumps = int((np.abs(np.diff(axes[0])) > shape.length / 2).sum())
        if jumps >= _FEW_JUMPS and covered < _RUN_THROUGH[shape.kind]:
            text = (
                f"{source} jumps {jumps} times from end to end, but lies in {100 * covered:.0f} % "
                f"of the geometry ({shape}), from {x.min():.4g} to {x.max():.4g} only: check its "
                "length and origin, as steps over the seam and the bins there depend on them"
            )
            return [Finding("geometry", text, warns=True, numbers={"covered": covered})]
        low, high = shape.origin, shape.origin + shape.length
        slack = 0.01 * shape.length
        outside = float(((x < low - slack) | (x > high + slack)).mean())
        if outside > _MOST_OUTSIDE:
            text = (
                f"{source} lies beyond the ends of the geometry ({shape}) in {100 * outside:.1f} % "
                "of its frames, which are not used: check length and origin"
            )
            return [Finding("geometry", text, warns=True, numbers={"outside": outside})]
    if shape.kind == "field" and shape.shape:
        outside = outside_share(shape, axes)
        if outside > _MOST_OUTSIDE:
            stops = outside > 0.5
            text = (
                f"{source} lies outside the outline of the arena ({shape}) in "
                f"{100 * outside:.1f} % of its frames: check the outline, in cm of the positions"
            )
            numbers = {"outside": outside}
            return [Finding("geometry", text, stops, True, not stops, numbers=numbers)]
    return []


def _jumping(
    time: np.ndarray, axes: list[np.ndarray], tracked: np.ndarray, shape: Geometry | None
) -> float:
    """Share of steps from frame to frame that no animal makes."""
    steps = np.diff(time)
    moved = np.sqrt(sum(np.diff(axis) ** 2 for axis in axes))
    both = tracked[1:] & tracked[:-1]
    if shape is not None and shape.kind in ("circular", "graph"):
        moved = distance(shape, axes[0][:-1], axes[0][1:])
    elif shape is not None:
        both &= ~jumped(shape, time, axes[0])
    return float((moved[both] > MOST_SPEED * steps[both]).mean()) if both.any() else 0.0


def _tracking_findings(tracked: np.ndarray, source: str) -> list[Finding]:
    lost = 1 - tracked.mean()
    if not lost:
        return []
    edges = np.flatnonzero(np.diff(np.concatenate([[True], tracked, [True]]).astype(int)))
    longest = int((edges[1::2] - edges[::2]).max())
    text = (
        f"{source} is NaN in {100 * lost:.1f} % of its frames, at most {longest} in a row: these "
        "are not used"
    )
    return [Finding("tracked", text, warns=lost > 0.3)]


def _sentinel_findings(axes: list[np.ndarray], time: np.ndarray, source: str) -> list[Finding]:
    """One exact value that the position jumps to and back: it stands for "not tracked"."""
    for value in (0.0, -1.0):
        here = np.all([axis == value for axis in axes], axis=0)
        if not 0.002 < here.mean() < 0.9:
            continue
        edge = np.flatnonzero(np.diff(here.astype(int)))
        steps = np.max([np.abs(np.diff(axis))[edge] for axis in axes], axis=0) / np.diff(time)[edge]
        if edge.size and np.nanmedian(steps) > MOST_SPEED:
            text = (
                f"{source} jumps to exactly {value:g} and back, in {100 * here.mean():.1f} % of "
                f"the frames: write NaN where it was not tracked (missing: {value:g} in a mapping)"
            )
            return [Finding("sentinel", text, True, True, numbers={"value": value})]
    return []
