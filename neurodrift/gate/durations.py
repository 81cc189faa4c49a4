"""How long each frame of a clock lasts, where it has gaps, and times that are mended."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from neurodrift.gate.findings import Finding
from neurodrift.gate.plain import typical_step

GAP = 1.5  # typical steps: a longer one is a gap
_AROUND = 10  # steps before and behind that say what is usual here
_BREAK = 10.0  # typical steps ...
_BREAK_SECONDS = 1.0  # ... and at least so long: the recording was interrupted
_OWN_WAY = 0.5  # share of the time in long steps from which they are how the clock runs
_FEWEST_LONG = 10  # such steps, before they can be that
_MOST_MENDED = 0.01  # of the times


def frame_durations(clock: np.ndarray) -> np.ndarray:
    """Length of each frame of a clock.

    An **even** clock has frames of one length: between two gaps no frame strays from an even grid
    by more than a frame, and gaps lie alone, so that rounding and jitter of the times are no
    lengths. In any other clock a frame lasts until the next one, unless there is a gap.

    A step is *long* if it is longer than 1.5 times the median of the 10 steps before it, and of the
    10 steps behind it. Long steps are gaps: the sampling in them was lost, and the frame before
    lasts as long as those around it. Where 10 or more long steps hold more than half of the time,
    they are how the clock runs (a camera that sends its frames in bursts), and only those longer
    than 10 times these medians, and than 1 s, are gaps.

    Parameters
    ----------
    clock
        (time) start of each frame [s], increasing, at least two.

    Returns
    -------
    numpy.ndarray
        (time) seconds.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.gate.durations import frame_durations
    >>> frame_durations(np.array([0.0, 1, 2, 3, 9, 10, 11])).tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    >>> slow_in_the_dark = np.cumsum([0.0] + [0.1] * 20 + [0.3] * 20)
    >>> frame_durations(slow_in_the_dark)[[0, 19, 20, -1]].round(3).tolist()
    [0.1, 0.1, 0.3, 0.3]
    """
    clock = np.asarray(clock, dtype=np.float64)
    typical = typical_step(clock)
    steps = np.diff(clock)
    if _is_even(steps, typical):
        return np.full(clock.size, typical)
    gap = is_gap(steps)
    around = _median_around(steps)
    return np.append(np.where(gap, np.min(around, axis=0), steps), around[0][-1])


def is_gap(steps: np.ndarray) -> np.ndarray:
    """Which steps of an uneven clock are gaps, as :func:`frame_durations` tells them.

    Parameters
    ----------
    steps
        (step) seconds between neighbouring frames.

    Returns
    -------
    numpy.ndarray
        (step) bool.
    """
    usual = np.max(_median_around(steps), axis=0)
    broken = (steps > _BREAK * usual) & (steps > _BREAK_SECONDS)
    long = (steps > GAP * usual) & ~broken
    lasting = steps[~broken].sum()
    own_way = _own_way(steps[long], lasting)
    return np.asarray(broken if own_way else broken | long)


def _own_way(long: np.ndarray, lasting: float) -> bool:
    """Whether long steps are how a clock runs."""
    return long.size >= _FEWEST_LONG and float(long.sum()) > _OWN_WAY * lasting


def is_even(clock: np.ndarray) -> bool:
    """Whether a clock has frames of one length, as :func:`frame_durations` tells it.

    Parameters
    ----------
    clock
        (time) start of each frame [s], increasing, at least two.

    Returns
    -------
    bool
        True for an even clock, with or without gaps.
    """
    clock = np.asarray(clock, dtype=np.float64)
    return _is_even(np.diff(clock), typical_step(clock))


def _is_even(steps: np.ndarray, typical: float) -> bool:
    """Whether frames keep to a grid between gaps, and gaps lie alone among frames of one length."""
    regular = steps <= GAP * typical
    strays = np.cumsum(np.where(regular, steps - typical, 0.0))
    run = np.cumsum(~regular)  # stretches of frames between gaps
    first = np.flatnonzero(np.diff(run, prepend=-1))
    spread = np.maximum.reduceat(strays, first) - np.minimum.reduceat(strays, first)
    if (spread > typical).any():
        return False
    if regular.all():
        return True
    lost = steps[~regular]
    broken = (lost > _BREAK * typical) & (lost > _BREAK_SECONDS)
    held = steps.sum() - lost[broken].sum()
    usual = np.max(_median_around(steps), axis=0)[~regular]
    alone = (usual <= GAP * typical) | broken
    return bool(alone.all()) and not _own_way(lost[~broken], held)


def _median_around(steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Median of the 10 steps before each step, and of the 10 behind it; fewer at the ends."""
    before, behind = np.empty(steps.size), np.empty(steps.size)
    width = min(_AROUND, max(steps.size - 1, 0))
    if width:
        windows = np.lib.stride_tricks.sliding_window_view(steps, width)
        middle = np.empty(len(windows))
        for first in range(0, len(windows), 2**16):  # bounded in memory
            middle[first : first + 2**16] = np.median(windows[first : first + 2**16], axis=1)
        before[width:] = middle[:-1]
        behind[:-width] = middle[1:]
    for i in range(min(width, steps.size)):
        ends = steps[:i], steps[steps.size - i :]
        before[i] = np.median(ends[0]) if i else np.nan
        behind[steps.size - 1 - i] = np.median(ends[1]) if i else np.nan
    before = np.where(np.isnan(before), behind, before)
    behind = np.where(np.isnan(behind), before, behind)
    if steps.size == 1:
        before = behind = steps
    return before, behind


class Mended(NamedTuple):
    """A clock whose few wrong times were put right.

    Parameters
    ----------
    clock
        (time) seconds of the frames that are kept.
    kept
        (time) bool of all frames: False for those that are left out.
    n_moved
        Frames that got a new time.
    findings
        What is told of it.
    """

    clock: np.ndarray
    kept: np.ndarray
    n_moved: int
    findings: list[Finding]


def mend_clock(clock: np.ndarray, source: str) -> Mended:
    """Put a few repeated or backward times right.

    The longest increasing part of the times is right, the others are wrong. Where the times around
    them leave room for the frames between, these get times at equal steps; where they do not, the
    frame was written twice, and the later one is left out.

    Parameters
    ----------
    clock
        (time) seconds, finite.
    source
        What it is the clock of, for the finding.

    Returns
    -------
    Mended
        The clock as it is where it increases, or where more than 1 % of its times are wrong: that
        is for :func:`neurodrift.gate.clocks.clock_findings` to refuse.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.gate.durations import mend_clock
    >>> clock = np.arange(200.0)
    >>> clock[3] = 2
    >>> mended = mend_clock(clock, "x")
    >>> mended.clock[:6].tolist(), mended.n_moved
    ([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], 1)
    """
    clock = np.asarray(clock, dtype=np.float64)
    every = np.ones(clock.size, dtype=bool)
    untouched = Mended(clock, every, 0, [])
    if clock.size < 1 / _MOST_MENDED or not np.isfinite(clock).all() or (np.diff(clock) > 0).all():
        return untouched
    right = _increasing(clock)
    n_wrong = int(clock.size - right.size)
    if n_wrong > _MOST_MENDED * clock.size:
        return untouched
    step = typical_step(clock[right])
    mended, kept = clock.copy(), every
    moved = 0
    places = np.flatnonzero(np.diff(right, prepend=-1, append=clock.size) > 1)
    for place in places.tolist():
        before = int(right[place - 1]) if place else -1
        after = int(right[place]) if place < right.size else clock.size
        between = np.arange(before + 1, after)
        if before < 0:
            mended[between] = clock[after] - step * (after - between)
            moved += between.size
        elif after == clock.size:
            mended[between] = clock[before] + step * (between - before)
            moved += between.size
        else:
            room = round((clock[after] - clock[before]) / step) - 1
            fitting = between[: max(room, 0)]
            kept[between[fitting.size :]] = False
            part = (clock[after] - clock[before]) / (fitting.size + 1)
            mended[fitting] = clock[before] + part * (1 + np.arange(fitting.size))
            moved += fitting.size
    dropped = int((~kept).sum())
    first = int(np.setdiff1d(np.arange(clock.size), right)[0])
    text = (
        f"{n_wrong} of {clock.size} times of {source} do not increase (first at frame {first}, "
        f"from 0: {clock[first]:g} s): {moved} were put between their neighbours, {dropped} frames "
        "that were written twice were left out"
    )
    numbers = {"n_wrong": n_wrong, "n_moved": moved, "n_left_out": dropped}
    found = [Finding("mended_clock", text, warns=True, numbers=numbers)]
    return Mended(mended[kept], kept, moved, found)


def _increasing(clock: np.ndarray) -> np.ndarray:
    """Indices of the longest strictly increasing part of some times."""
    ends = np.empty(clock.size)
    at = np.empty(clock.size, dtype=np.int64)
    before = np.full(clock.size, -1)
    n = 0
    for i, value in enumerate(clock.tolist()):
        k = int(np.searchsorted(ends[:n], value))
        if k < n and ends[k] == value:
            continue  # of equal times the first is right
        ends[k], at[k] = value, i
        before[i] = at[k - 1] if k else -1
        n = max(n, k + 1)
    chain = [int(at[n - 1])]
    while before[chain[-1]] >= 0:
        chain.append(int(before[chain[-1]]))
    return np.array(chain[::-1])
