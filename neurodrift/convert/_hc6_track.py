"""The W-shaped track of hc-6 as a line: one trajectory after the other."""

from __future__ import annotations

from typing import Any

import numpy as np

GAP = 50.0  # cm between the trajectories on the common axis
WELL = 15.0  # cm along the track within which the animal is at a well


def linear_position(
    distance: np.ndarray, trajectory: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """Trajectories side by side on one axis, so that each has bins of its own.

    Parameters
    ----------
    distance
        (sample) distance from the centre well along the track [cm].
    trajectory
        (sample) 1 and 3 from the centre to the one and the other side, 2 and 4 back; anything else
        is none of them.

    Returns
    -------
    position : numpy.ndarray
        (sample) distance [cm], shifted by a constant on the second side; NaN off trajectories.
    direction : numpy.ndarray
        (sample) 1 outbound, -1 inbound, 0 none.
    shift : float
        That constant [cm].
    """
    is_on = np.isin(trajectory, (1, 2, 3, 4)) & np.isfinite(distance)
    longest = float(distance[is_on].max()) if is_on.any() else 0.0
    shift = float(np.ceil((longest + GAP) / 50) * 50)
    side = np.where(np.isin(trajectory, (3, 4)), shift, 0.0)
    position = np.where(is_on, distance + side, np.nan)
    outbound = np.isin(trajectory, (1, 3))
    direction = np.where(is_on, np.where(outbound, 1, -1), 0).astype(np.int8)
    return position, direction, shift


def trajectories(position: np.ndarray, paths: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Distance along a W track and trajectory, from the position and the track's vertices.

    A trajectory is a run between two different wells, without another well between: from the
    centre to a side (1, 3) or back (2, 4). A run from one side to the other is neither.

    Parameters
    ----------
    position
        (sample, 2) position [cm], NaN where it was lost.
    paths
        For each of the two sides the vertices (vertex, 2) from the centre well to the side well
        [cm]; both begin with the same well.

    Returns
    -------
    distance : numpy.ndarray
        (sample) distance from the centre well along the nearer path [cm].
    trajectory : numpy.ndarray
        (sample) 1 to 4, -1 for none.
    """
    on = [_project(position, path) for path in paths]
    off = np.stack([np.where(np.isfinite(far), far, np.inf) for _, far in on])
    nearer = np.argmin(off, axis=0)
    distance = np.where(nearer == 0, on[0][0], on[1][0])
    lengths = [float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum()) for path in paths]
    well = np.full(len(position), -1)
    well[distance < WELL] = 0
    for side in (0, 1):
        well[(nearer == side) & (on[side][0] > lengths[side] - WELL)] = side + 1
    trajectory = np.full(len(position), -1)
    visits = np.flatnonzero(well >= 0)
    for before, after in zip(visits[:-1], visits[1:], strict=True):
        first, last = well[before], well[after]
        if first == last or (first > 0 and last > 0):
            continue
        side = max(first, last) - 1
        run = slice(before, after + 1)
        trajectory[run] = 2 * side + (1 if first == 0 else 2)
        distance[run] = on[side][0][run]
    return distance, trajectory


def paths_of(linearcoord: Any) -> list[np.ndarray] | None:
    """The two paths of a task's ``linearcoord``.

    Parameters
    ----------
    linearcoord
        Cell of (vertex, 2, time) coordinates, one for each trajectory.

    Returns
    -------
    list of numpy.ndarray or None
        (vertex, 2) for each side at the first time; None if it describes no W track.
    """
    if not isinstance(linearcoord, np.ndarray) or linearcoord.dtype != object:
        return None
    paths = []
    for item in linearcoord.ravel():
        if not isinstance(item, np.ndarray) or item.ndim not in (2, 3) or item.shape[1] != 2:
            return None
        path = (item[:, :, 0] if item.ndim == 3 else item).astype(np.float64)
        if len(path) < 2 or not np.isfinite(path).all():
            return None
        paths.append(path)
    if len(paths) < 2 or not np.allclose(paths[0][0], paths[1][0], atol=5.0):
        return None
    return paths[:2]


def _project(position: np.ndarray, path: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distance along a path of the nearest point on it, and distance from that point."""
    best = np.full(len(position), np.inf)
    along = np.full(len(position), np.nan)
    done = 0.0
    for start, stop in zip(path[:-1], path[1:], strict=True):
        step = stop - start
        length = float(np.linalg.norm(step))
        if length == 0:
            continue
        part = np.clip((position - start) @ step / length**2, 0, 1)
        far = np.linalg.norm(position - (start + part[:, None] * step), axis=1)
        closer = far < best
        best[closer], along[closer] = far[closer], done + part[closer] * length
        done += length
    return along, np.where(np.isfinite(along), best, np.nan)
