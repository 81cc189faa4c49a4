"""Velocity of a tracked position: steps between frames, averaged over a window."""

from __future__ import annotations

import numpy as np

from neurodrift.geometry.geometry import Geometry
from neurodrift.geometry.steps import along_arms, jumped
from neurodrift.schema.options import checked_options


@checked_options
def velocity(
    time: np.ndarray,
    x: np.ndarray,
    y: np.ndarray | None = None,
    *,
    window: float = 0.4,
    frame_duration: float | np.ndarray | None = None,
    geometry: Geometry | None = None,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Smoothed velocity of a tracked position.

    Steps are taken between neighbouring frames and averaged over a window, never across a gap
    in time or in tracking.

    Parameters
    ----------
    time
        (time) start of each frame [s], increasing.
    x, y
        (time) position [cm], NaN where not tracked; without `y` the track is one-dimensional.
    window
        Length of the moving average [s]; 0 leaves the steps as they are.
    frame_duration
        Length of a frame [s], or (time) of each; the median step of `time` when
        omitted. A longer step than 1.5 frames is a gap.
    geometry
        Shape of the environment; without it `x` is linear. Steps go the shorter way round a
        circle, not across the jumps of a corridor, and along the arms of a graph, where plus is
        from the first node of an arm to its second.

    Returns
    -------
    vx, vy
        (time) velocity along each axis [cm/s], NaN where the position is; `vy` is None without
        `y`. A tracked frame without a tracked neighbour has velocity 0.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.kinematics import velocity
    >>> time = np.arange(100) * 0.05
    >>> vx, _ = velocity(time, 20 * time)
    >>> bool(np.allclose(vx, 20))
    True
    """
    given = {"time": time, "x": x} | ({} if y is None else {"y": y})
    for name, values in given.items():
        if np.asarray(values).dtype.kind not in "fiub":
            raise TypeError(f"{name} holds {np.asarray(values).dtype} values, expected numbers")
    time, *axes = (np.asarray(values, dtype=float) for values in given.values())
    if any(axis.shape != time.shape for axis in axes):
        raise ValueError(
            f"time has shape {time.shape}, the position {[axis.shape for axis in axes]}: give one "
            "position for each frame"
        )
    if (np.diff(time) <= 0).any():
        raise ValueError("time must increase from frame to frame [s]")
    if frame_duration is None:
        frame_duration = float(np.median(np.diff(time))) if time.size > 1 else np.inf
    if (
        np.asarray(frame_duration).dtype.kind not in "fiu"
        or not (np.asarray(frame_duration) > 0).all()
    ):
        raise ValueError(
            f"frame_duration is {frame_duration!r:.60}, expected lengths of frames, more than 0 [s]"
        )
    lasting = np.broadcast_to(np.asarray(frame_duration, dtype=np.float64), time.shape)
    even = time.size == 0 or bool((lasting == lasting[0]).all())
    tracked = np.all([np.isfinite(axis) for axis in axes], axis=0)
    smoothed = [np.full(time.shape, np.nan) for _ in axes]
    width = max(1, round(window / float(lasting[0]))) if even and time.size else 1
    cut = None if geometry is None else jumped(geometry, time, axes[0])
    for run in _runs(time, tracked, lasting, cut):
        if geometry is not None and geometry.kind == "graph":
            smoothed[0][run] = along_arms(geometry, time[run], axes[0][run], window)
            continue
        for axis, out in zip(axes, smoothed, strict=True):
            place = axis[run]
            if geometry is not None and geometry.kind == "circular" and geometry.length:
                place = np.unwrap(place, period=geometry.length)
            steps = np.gradient(place, time[run]) if run.stop - run.start > 1 else np.zeros(1)
            if even:
                out[run] = moving_average(steps, width)
            else:
                out[run] = _average_in_time(steps, lasting[run], window)
    return smoothed[0], (smoothed[1] if y is not None else None)


def moving_average(values: np.ndarray, width: int) -> np.ndarray:
    """Mean over a window of frames, over fewer at the ends.

    Parameters
    ----------
    values
        (time) numbers without NaN.
    width
        Frames in the window; an even window reaches one frame further back than forward.

    Returns
    -------
    numpy.ndarray
        (time) the moving average.
    """
    width = min(width, values.size)
    if width <= 1:
        return values
    window = np.ones(width)
    inside = np.convolve(np.ones(values.size), window, mode="same")
    return np.convolve(values, window, mode="same") / inside


def _average_in_time(values: np.ndarray, lasting: np.ndarray, window: float) -> np.ndarray:
    """Mean over a window of time around the middle of each frame, over less at the ends."""
    edges = np.concatenate([[0.0], np.cumsum(lasting)])
    whole = np.concatenate([[0.0], np.cumsum(values * lasting)])
    middle = edges[:-1] + lasting / 2
    half = np.maximum(window, lasting) / 2
    low, high = np.maximum(middle - half, 0.0), np.minimum(middle + half, edges[-1])
    return np.asarray((np.interp(high, edges, whole) - np.interp(low, edges, whole)) / (high - low))


def _runs(
    time: np.ndarray, tracked: np.ndarray, lasting: np.ndarray, cut: np.ndarray | None = None
) -> list[slice]:
    """Stretches of tracked frames without a gap; `cut` are steps that part them too."""
    at = np.flatnonzero(tracked)
    if not at.size:
        return []
    broken = (np.diff(at) > 1) | (np.diff(time[at]) > 1.5 * lasting[at[:-1]])
    if cut is not None:
        broken |= cut[at[:-1]]
    groups = np.split(at, np.flatnonzero(broken) + 1)
    return [slice(int(group[0]), int(group[-1]) + 1) for group in groups]
