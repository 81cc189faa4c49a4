"""Rows of a tracker's table put on the frames of its video, as their frame numbers say."""

from __future__ import annotations

import numpy as np

from neurodrift.gate.inputs import Position, clock

_MOST_UNUSED = 0.2  # share of timestamps after the last tracked frame


def filled_frames(numbers: np.ndarray, source: str) -> np.ndarray:
    """Whole frame numbers, with those that are missing where the rows around them leave no doubt.

    Parameters
    ----------
    numbers
        (row) number of the frame, NaN where its cell is empty.
    source
        What has them, for messages.

    Returns
    -------
    numpy.ndarray
        (row) number of the frame.

    Raises
    ------
    ValueError
        If they are negative, fractions, twice the same, or empty where rows may be missing.

    Examples
    --------
    >>> import numpy as np
    >>> filled_frames(np.array([4.0, np.nan, 6.0, 9.0, np.nan]), "track").tolist()
    [4, 5, 6, 9, 10]
    """
    known = np.flatnonzero(np.isfinite(numbers))
    if not known.size:
        raise ValueError(f"{source} has no frame numbers, so nothing says which frame a row is of")
    told = numbers[known]
    if (told != np.round(told)).any() or (told < 0).any():
        raise ValueError(f"{source}: the first column holds {told[:3]}, expected frame numbers")
    rows = np.arange(numbers.size)
    frames = np.interp(rows, known, told)
    frames[: known[0]] = told[0] - (known[0] - rows[: known[0]])
    frames[known[-1] :] = told[-1] + (rows[known[-1] :] - known[-1])
    holes = (np.diff(told) != np.diff(known)) & (np.diff(known) > 1)
    if holes.any() or frames[0] < 0:
        at = int(known[np.flatnonzero(holes)[0]]) + 1 if holes.any() else 0
        raise ValueError(
            f"{source}: the frame number of row {at} is empty and rows around it are missing, so "
            "its frame is not known"
        )
    whole = frames.astype(np.int64)
    values, times = np.unique(whole, return_counts=True)
    if (times > 1).any():
        raise ValueError(f"{source} has frame {values[times > 1][0]} twice")
    return whole


def position_on_frames(
    xy: np.ndarray,
    frames: np.ndarray,
    source: str,
    *,
    time: np.ndarray | None = None,
    rate: float | None = None,
) -> Position:
    """A position with every frame from the first to the last of its table.

    Parameters
    ----------
    xy
        (row, 2) position [cm].
    frames
        (row) number of the frame in the video, from 0.
    source
        Where it comes from, for messages.
    time
        (frame) timestamps of all frames of the video [s].
    rate
        Frames per second [Hz], where there are no timestamps.

    Returns
    -------
    Position
        The position, NaN in frames that the table lacks.

    Raises
    ------
    ValueError
        If there is no clock, or the timestamps are not those of the video's frames.
    """
    every = np.arange(frames.min(), frames.max() + 1)
    if every.size > 100 * frames.size + 10_000:
        raise ValueError(f"{source} has {frames.size} rows for frames up to {every[-1]:,}")
    placed = np.full((every.size, 2), np.nan)
    placed[frames - every[0]] = xy
    if time is None:
        counted = clock(int(every[-1]) + 1, source, rate=rate)
        return Position(time=counted[every], xy=placed, source=source)
    time = np.asarray(time, dtype=np.float64).ravel()
    n_unused = time.size - 1 - int(every[-1])
    if n_unused < 0 or n_unused > _MOST_UNUSED * time.size:
        raise ValueError(
            f"{source} has frames {every[0]} to {every[-1]}, but its clock has {time.size}: give "
            "the time of every frame of the video, from frame 0"
        )
    return Position(time=time[every], xy=placed, source=source)
