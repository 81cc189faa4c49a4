"""Speed, direction and laps from a tracked position."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

from neurodrift._velocity import velocity
from neurodrift.geometry.geometry import geometry_of
from neurodrift.geometry.laps import runs, trajectories, trajectory_names, turns
from neurodrift.recording import slice_sessions
from neurodrift.schema import RECORDING, check, label
from neurodrift.schema.options import checked_options


@checked_options
def running(recording: xr.Dataset, *, window: float = 0.4, min_speed: float = 1.0) -> xr.Dataset:
    """Give a recording its running speed and, where its position has one axis, its direction.

    Steps are those of its geometry: the shorter way round a circle, no jump of a corridor, along
    the arms of a maze. There +1 is from the first node of an arm to its second.

    Parameters
    ----------
    recording
        A recording with `x` (time) [cm], and `y` where the environment is two-dimensional.
    window
        Length of the moving average over the velocity [s].
    min_speed
        Speed below which the direction is undefined (0) [cm/s].

    Returns
    -------
    xarray.Dataset
        A new recording with `speed` (time) [cm/s] and, without `y`, `direction` (time).

    Raises
    ------
    ValueError
        If the recording has no position, or its `x` is no position but an angle or a category.

    Examples
    --------
    >>> from neurodrift import testing
    >>> from neurodrift.kinematics import running
    >>> recording = testing.linear_track(n_units=1, n_sessions=1, minutes=1)
    >>> sorted(set(running(recording)["direction"].values.tolist()) - {0})
    [-1, 1]
    """
    check(recording)
    if "x" not in recording:
        raise ValueError("the recording has no position 'x', so no speed can be derived")
    geometry = geometry_of(recording)
    if not geometry.is_place:
        raise ValueError(
            f"x is {geometry.variable} [{geometry.unit}], from which no running speed can be "
            "derived: give the recording a speed of its own"
        )
    speed = np.full(recording.sizes["time"], np.nan)
    direction = np.zeros(recording.sizes["time"], dtype=np.int8)
    for where in slice_sessions(recording):
        if where.start == where.stop:
            continue
        part = recording.isel(time=where)
        vx, vy = velocity(
            part["time"].values,
            part["x"].values,
            part["y"].values if "y" in part else None,
            window=window,
            frame_duration=recording["frame_duration"].values[where],
            geometry=geometry,
        )
        speed[where] = np.abs(vx) if vy is None else np.hypot(vx, vy)
        direction[where] = np.where(speed[where] >= min_speed, np.sign(np.nan_to_num(vx)), 0)
    result = recording.assign(speed=("time", speed))
    if "y" not in recording:
        result = result.assign(direction=("time", direction))
    return label(result, {name: RECORDING[name] for name in ("speed", "direction")})


def running_where_missing(recording: xr.Dataset) -> xr.Dataset:
    """Give a recording without a running speed the one of its position.

    Parameters
    ----------
    recording
        A recording.

    Returns
    -------
    xarray.Dataset
        With `speed` and, on a linear track without one, `direction`; their names stand in its
        attribute ``derived``, a JSON list. The recording itself where it has a speed or no
        position in cm, is of a network, whose inputs follow no path, or holds only frames of
        running (attribute ``only_running``), whose steps are no speed.

    Examples
    --------
    >>> from neurodrift import testing
    >>> from neurodrift.kinematics import running_where_missing
    >>> recording = testing.linear_track(n_units=1, n_sessions=1, minutes=1)
    >>> running_where_missing(recording.drop_vars(["speed", "direction"])).attrs["derived"]
    '["speed", "direction"]'
    """
    network = recording["activity"].attrs.get("kind") == "activation"
    network |= "training_step" in recording.coords
    if "speed" in recording or "x" not in recording or network or is_cut_to_running(recording):
        return recording
    if not geometry_of(recording).is_place:
        return recording
    found = with_running(recording)
    names = [name for name in ("speed", "direction") if name in found and name not in recording]
    return found.assign_attrs(derived=json.dumps(names))


def with_running(recording: xr.Dataset) -> xr.Dataset:
    """Add speed and, where there is one axis, direction to a recording that lacks them.

    Parameters
    ----------
    recording
        A recording with a position.

    Returns
    -------
    xarray.Dataset
        With both; what it has stays as it is.
    """
    wanted = ("speed",) if "y" in recording else ("speed", "direction")
    missing = [name for name in wanted if name not in recording]
    if not missing:
        return recording
    derived = running(recording)
    return recording.assign({name: derived[name] for name in missing})


@checked_options
def number_laps(recording: xr.Dataset, *, end_zone: float = 0.1) -> xr.Dataset:
    """Give a recording the numbers of its laps, as its geometry has them.

    Parameters
    ----------
    recording
        A recording whose position has one axis.
    end_zone
        Part of the track, turn or arm that counts as an end.

    Returns
    -------
    xarray.Dataset
        A new recording with `lap` (time), from 0 in each session, -1 where it was not tracked:
        traversals of a linear track, turns of a circle from its origin, runs through a corridor
        from jump to jump, and ways through a maze from one end to another. Of a maze also with
        `trial_type` (time), the kind of the way, if the recording has none; what its numbers mean
        stands in the attribute ``names`` of the variable.

    Raises
    ------
    ValueError
        If the geometry has no laps.

    Examples
    --------
    >>> import numpy as np
    >>> import neurodrift as nd
    >>> time = np.arange(3000) / 30
    >>> counts = np.zeros((3000, 1), int)
    >>> belt = nd.recording_from_arrays(
    ...     counts, kind="events", time=time, x=20 * time % 180, geometry="circular:180"
    ... )
    >>> int(nd.kinematics.number_laps(belt)["lap"].max())
    11
    """
    check(recording)
    geometry = geometry_of(recording)
    if "x" not in recording or not geometry.has_laps:
        if "x" not in recording:
            raise ValueError("the recording has no position 'x', so it has no laps")
        raise ValueError(
            f"the geometry of the recording is {geometry}, which has no laps: give the numbers of "
            "its trials (trial=...)"
        )
    x = recording["x"].values
    lap = np.full(x.shape, -1, dtype=np.int32)
    kind = np.full(x.shape, -1, dtype=np.int32)
    limits = (float(np.nanmin(x)), float(np.nanmax(x)))
    for where in slice_sessions(recording):
        if geometry.kind == "graph":
            lap[where], kind[where] = trajectories(geometry, x[where], end_zone=end_zone)
        elif geometry.kind == "circular":
            lap[where] = turns(geometry, x[where], end_zone=end_zone)
        elif geometry.kind == "vr":
            lap[where] = runs(geometry, recording["time"].values[where], x[where])
        else:
            lap[where] = laps(x[where], limits=limits, end_zone=end_zone)
    result = recording.assign(lap=("time", lap))
    names = ["lap"]
    if geometry.kind == "graph" and "trial_type" not in recording:
        about = {"names": json.dumps(trajectory_names(geometry))}
        result = result.assign(trial_type=("time", kind, about))
        names.append("trial_type")
    return label(result, {name: RECORDING[name] for name in names})


def is_cut_to_running(recording: xr.Dataset) -> bool:
    """Whether its source kept only frames of running, so that steps between frames are no speed.

    Parameters
    ----------
    recording
        A recording.

    Returns
    -------
    bool
        What its attribute ``only_running`` says.
    """
    return bool(recording.attrs.get("only_running", False))


@checked_options
def laps(x: np.ndarray, *, limits: tuple[float, float], end_zone: float = 0.1) -> np.ndarray:
    """Number the traversals of a linear track.

    A lap ends when the animal enters the end of the track opposite to the one it last visited.

    Parameters
    ----------
    x
        (time) position [cm], NaN where not tracked.
    limits
        Ends of the track [cm].
    end_zone
        Part of the track's length that counts as an end.

    Returns
    -------
    numpy.ndarray
        (time) number of the lap from 0, -1 where not tracked.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.kinematics import laps
    >>> laps(np.array([0, 50, 100, 50, 0, 50.0]), limits=(0, 100)).tolist()
    [0, 0, 1, 1, 2, 2]
    """
    if np.shape(limits) != (2,) or not limits[0] < limits[1]:
        raise ValueError(f"limits is {limits!r}, expected both ends of the track (low, high) [cm]")
    low, high = limits
    x = np.asarray(x, dtype=float)
    if x.ndim != 1:
        raise ValueError(f"x has {x.ndim} dimensions, expected (time)")
    zone = np.zeros(x.shape, dtype=np.int8)
    zone[x <= low + end_zone * (high - low)] = -1
    zone[x >= high - end_zone * (high - low)] = 1
    visits = np.flatnonzero(zone)
    numbers = np.zeros(x.shape, dtype=np.int32)
    turned = visits[1:][np.diff(zone[visits]) != 0]
    numbers[turned] = 1
    return np.where(np.isfinite(x), np.cumsum(numbers), -1).astype(np.int32)
