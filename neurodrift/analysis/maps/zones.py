"""Time in zones of the environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import carry_coords
from neurodrift.analysis.maps.binning import seconds_by
from neurodrift.geometry.geometry import geometry_of
from neurodrift.geometry.outline import within_line
from neurodrift.recording import seconds_of_sessions, slice_sessions
from neurodrift.schema import check

if TYPE_CHECKING:
    from neurodrift.schema.types import Values


def compute_time_in_zones(recording: xr.Dataset, zones: Mapping[str, Values]) -> xr.Dataset:
    r"""How long the animal was in zones, in each session.

    Parameters
    ----------
    recording
        A recording with a position.
    zones
        Zones by name. On one axis ``(start, stop)`` in the unit of `x`; on a circle a zone whose
        start lies behind its stop reaches over the seam. In a field the corners (corner, 2) of a
        polygon [cm], or ``((x, y), radius)`` of a circle.

    Returns
    -------
    xarray.Dataset
        ``seconds`` (session, zone) [s] and ``share`` (session, zone) of the tracked time; NaN for a
        session without a tracked frame. Zones may overlap. A zone holds its start, not its stop.

    Raises
    ------
    ValueError
        If there is no position or no zone, or one is not what the geometry asks for.

    Notes
    -----
    :math:`\sum_t \Delta t_t` over the frames in the zone, each as long as it lasts. Frames at rest
    count as well; what biases it is tracking that is lost in some places more than in others.

    Examples
    --------
    >>> import neurodrift as nd
    >>> recording = nd.testing.linear_track(n_units=1, n_sessions=1, minutes=2)
    >>> found = nd.compute_time_in_zones(recording, {"left": (0, 50), "right": (50, 101)})
    >>> round(float(found["share"].sum()), 6)
    1.0
    """
    check(recording)
    if "x" not in recording:
        raise ValueError("the recording has no position 'x', so no zone can be visited")
    if not isinstance(zones, Mapping) or not zones:
        raise ValueError(f"zones is {zones!r:.60}, expected at least one zone by name")
    axes = [recording[name].values for name in ("x", "y") if name in recording]
    tracked = np.all([np.isfinite(axis) for axis in axes], axis=0)
    inside = [_within(name, zone, axes, recording) & tracked for name, zone in zones.items()]
    durations = recording["frame_duration"].values
    seconds = np.zeros((recording.sizes["session"], len(inside)))
    for i, where in enumerate(slice_sessions(recording)):
        for k, frames in enumerate(inside):
            seconds[i, k] = seconds_by(frames[where].astype(int), durations[where], 2)[1]
    whole = seconds_of_sessions(recording, tracked)
    whole = np.where(whole > 0, whole, np.nan)[:, None]
    dims = ("session", "zone")
    told = {"units": "s", "long_name": "time in the zone"}
    share = {"units": "1", "long_name": "share of the tracked time in the zone"}
    return xr.Dataset(
        {
            "seconds": (dims, np.where(np.isnan(whole), np.nan, seconds), told),
            "share": (dims, seconds / whole, share),
        },
        coords={"zone": np.array([str(name) for name in zones], dtype=object)}
        | carry_coords(recording, "session"),
    )


def _within(name: str, zone: Any, axes: list[np.ndarray], recording: xr.Dataset) -> np.ndarray:
    """Frames (time) in a zone."""
    if len(axes) == 1:
        ends = _numbers(zone)
        if ends is None or ends.shape != (2,):
            raise ValueError(
                f"zone {name!r} is {zone!r:.60}, expected (start, stop) [{recording['x'].units}]"
            )
        start, stop = ends
        if geometry_of(recording).kind == "circular" and start > stop:
            return (axes[0] >= start) | (axes[0] < stop)
        if start >= stop:
            raise ValueError(f"zone {name!r} stops at {stop:g}, at or before its start {start:g}")
        return (axes[0] >= start) & (axes[0] < stop)
    if isinstance(zone, tuple | list) and len(zone) == 2 and np.ndim(zone[1]) == 0:
        centre, radius = _numbers(zone[0]), _numbers(zone[1])
        if centre is not None and centre.shape == (2,) and radius is not None and radius > 0:
            return np.hypot(axes[0] - centre[0], axes[1] - centre[1]) < radius
    corners = _numbers(zone)
    if corners is None or corners.ndim != 2 or corners.shape[0] < 3 or corners.shape[1] != 2:
        raise ValueError(
            f"zone {name!r} is {zone!r:.60}, expected at least three corners (corner, 2) [cm] or "
            "((x, y), radius)"
        )
    return within_line(np.concatenate([corners, corners[:1]]), axes[0], axes[1])


def _numbers(values: Any) -> np.ndarray | None:
    """Finite numbers as an array; None where they are something else."""
    try:
        found = np.asarray(values)
    except ValueError:  # of different lengths
        return None
    if found.dtype.kind not in "fiu" or not np.isfinite(found).all():
        return None
    return found.astype(float)
