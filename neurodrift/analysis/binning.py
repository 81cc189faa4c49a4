"""Which frames enter an analysis, and in which position bin and direction each of them lies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from neurodrift.recording import session_slices
from neurodrift.schema import check

MIN_RUNNING_SPEED = 1.0  # cm/s, Sheintuch et al. 2020


@dataclass(frozen=True, kw_only=True)
class Binning:
    """How position becomes bins and which frames count, the same for every analysis.

    Activity and occupancy are always taken from the same frames: the tracked ones that pass the
    speed range and lie in a kept bin.

    Parameters
    ----------
    width
        Width of a bin [cm], or one width for each axis. Bins start at multiples of the width and
        cover the positions of the recording.
    edges
        Edges of the bins along x [cm], or a pair of them for x and y, instead of `width`. A bin
        holds its right edge, the first one also its left edge. Positions outside are not used.
    exclude_ends
        Length that is left out at both ends of a linear track [cm]: bins that reach into it are
        not used.
    speed_range
        Lowest and highest running speed [cm/s] of a frame, both included. When omitted, frames
        slower than 1 cm/s are left out if the recording has a speed; ``(0, inf)`` keeps all.
    directions
        Whether running directions are analysed apart. When omitted, they are if the recording has
        directions and its position is one-dimensional. Frames without a direction are then left
        out.
    min_occupancy
        Shortest time [s] for which a bin must be visited in a session and direction to be used.

    Examples
    --------
    >>> from neurodrift import Binning
    >>> Binning(width=4.0, exclude_ends=8.0, speed_range=(1.0, 50.0)).width
    4.0
    """

    width: float | tuple[float, float] = 4.0
    edges: Sequence[float] | np.ndarray | tuple[Sequence[float], Sequence[float]] | None = None
    exclude_ends: float = 0.0
    speed_range: tuple[float, float] | None = None
    directions: bool | None = None
    min_occupancy: float = 0.0

    def __post_init__(self) -> None:
        widths = np.atleast_1d(np.asarray(self.width, dtype=float))
        if not (widths > 0).all() or widths.size > 2:
            raise ValueError(f"width is {self.width}, expected a positive number [cm], or a pair")
        if self.exclude_ends < 0 or self.min_occupancy < 0:
            raise ValueError("exclude_ends [cm] and min_occupancy [s] must not be negative")
        if self.speed_range is not None and not self.speed_range[0] <= self.speed_range[1]:
            raise ValueError(f"speed_range is {self.speed_range}, expected (lowest, highest)")
        for axis in self._given_edges() or []:
            if axis.ndim != 1 or axis.size < 2 or not (np.diff(axis) > 0).all():
                raise ValueError("edges must increase and be at least two [cm]")

    def _given_edges(self) -> list[np.ndarray] | None:
        if self.edges is None:
            return None
        if all(np.ndim(axis) == 0 for axis in self.edges):
            return [np.asarray(self.edges, dtype=float)]
        return [np.asarray(axis, dtype=float) for axis in self.edges]

    def to_json(self) -> str:
        """The parameters as JSON, for the provenance of a result.

        Returns
        -------
        str
            One JSON object.
        """
        edges = self._given_edges()
        return json.dumps(
            {
                "width": self.width,
                "edges": None if edges is None else [axis.tolist() for axis in edges],
                "exclude_ends": self.exclude_ends,
                "speed_range": None if self.speed_range is None else list(self.speed_range),
                "directions": self.directions,
                "min_occupancy": self.min_occupancy,
            }
        )


def bin_frames(recording: xr.Dataset, binning: Binning) -> xr.Dataset:
    """Put every frame of a recording into a position bin and a direction.

    Parameters
    ----------
    recording
        A recording with a position.
    binning
        The bins and the frames that count.

    Returns
    -------
    xarray.Dataset
        ``position_bin`` (time) and ``direction_bin`` (time), positions along the coordinates
        ``position`` and ``direction``, -1 in frames that are not used; ``x_bin`` and ``y_bin``
        (position), centres of the bins [cm]; ``direction`` is 1 and -1, or 0 where directions
        are not separated; ``session_index`` (time).

    Raises
    ------
    ValueError
        If the recording has no position, no speed or direction where one is asked for, or a
        session has no frame that passes.

    Examples
    --------
    >>> from neurodrift import Binning, bin_frames, testing
    >>> frames = bin_frames(testing.linear_track(n_units=1, minutes=2), Binning(width=5))
    >>> frames.sizes["position"], frames["direction"].values.tolist()
    (20, [1, -1])
    """
    check(recording)
    axes = _axes(recording)
    edges = _edges(recording, axes, binning)
    in_bin = np.zeros(recording.sizes["time"], dtype=np.int64)
    usable = np.ones(recording.sizes["time"], dtype=bool)
    for axis, axis_edges in zip(axes, edges, strict=True):
        values = recording[axis].values
        index = np.searchsorted(axis_edges, values, side="left") - 1
        index[values == axis_edges[0]] = 0
        inside = np.isfinite(values) & (index >= 0) & (index < axis_edges.size - 1)
        usable &= inside
        in_bin = in_bin * (axis_edges.size - 1) + np.where(inside, index, 0)
    usable &= _fast_enough(recording, binning.speed_range)
    centres = [(axis[1:] + axis[:-1]) / 2 for axis in edges]
    kept = _kept_bins(edges, binning.exclude_ends)
    new_index = np.where(kept, np.cumsum(kept) - 1, -1)
    in_bin = np.where(usable, new_index[in_bin], -1)

    directions, in_direction = _directions(recording, binning.directions, len(axes))
    in_bin[in_direction < 0] = -1
    grid = np.meshgrid(*centres, indexing="ij")
    names = ("x_bin", "y_bin")
    coords = {
        name: (
            "position",
            axis.ravel()[kept],
            {"units": "cm", "long_name": f"centre of bin, {name[0]}"},
        )
        for name, axis in zip(names, grid, strict=False)
    }
    if binning.min_occupancy > 0:
        in_bin = _drop_rare(recording, in_bin, in_direction, int(kept.sum()), binning.min_occupancy)
    in_direction = np.where(in_bin < 0, -1, in_direction)
    frames = xr.Dataset(
        {
            "position_bin": ("time", in_bin.astype(np.int32)),
            "direction_bin": ("time", in_direction.astype(np.int8)),
            "session_index": recording["session_index"].variable,
        },
        coords={
            "direction": ("direction", np.array(directions, dtype=np.int8)),
            "position": ("position", np.arange(int(kept.sum()))),
            **coords,
        },
        attrs={"binning": binning.to_json()},
    )
    _refuse_unused_sessions(recording, frames, binning)
    return frames


def _axes(recording: xr.Dataset) -> list[str]:
    if "x" not in recording:
        raise ValueError(
            "the recording has no position 'x', so there are no maps; sparsity and the drift of "
            "activity do not need one"
        )
    return ["x", "y"] if "y" in recording else ["x"]


def _edges(recording: xr.Dataset, axes: list[str], binning: Binning) -> list[np.ndarray]:
    given = binning._given_edges()
    if given is not None:
        if len(given) != len(axes):
            raise ValueError(
                f"edges for {len(given)} axes, but the recording has {' and '.join(axes)}"
            )
        return given
    widths = np.broadcast_to(np.asarray(binning.width, dtype=float), (len(axes),))
    edges = []
    for axis, width in zip(axes, widths, strict=True):
        low, high = np.nanmin(recording[axis].values), np.nanmax(recording[axis].values)
        first = np.floor(low / width)
        last = max(np.ceil(high / width), first + 1)
        edges.append(np.arange(first, last + 1) * width)
    return edges


def _kept_bins(edges: list[np.ndarray], exclude_ends: float) -> np.ndarray:
    n_bins = [axis.size - 1 for axis in edges]
    if exclude_ends == 0:
        return np.ones(int(np.prod(n_bins)), dtype=bool)
    if len(edges) > 1:
        raise ValueError("exclude_ends is for a linear track; choose edges for a 2-D environment")
    slack = 1e-9 * (edges[0][-1] - edges[0][0])
    low, high = edges[0][0] + exclude_ends - slack, edges[0][-1] - exclude_ends + slack
    kept = (edges[0][:-1] >= low) & (edges[0][1:] <= high)
    if not kept.any():
        raise ValueError(f"exclude_ends of {exclude_ends} cm leaves no bin of the track")
    return np.asarray(kept)


def _fast_enough(recording: xr.Dataset, speed_range: tuple[float, float] | None) -> np.ndarray:
    if "speed" not in recording:
        if speed_range is not None and speed_range != (0, np.inf):
            raise ValueError(
                "speed_range is given, but the recording has no speed: derive it with "
                "neurodrift.kinematics.running(recording)"
            )
        return np.ones(recording.sizes["time"], dtype=bool)
    low, high = (MIN_RUNNING_SPEED, np.inf) if speed_range is None else speed_range
    speed = recording["speed"].values
    return np.asarray((speed >= low) & (speed <= high))


def _directions(
    recording: xr.Dataset, separate: bool | None, n_axes: int
) -> tuple[list[int], np.ndarray]:
    if separate is None:
        separate = "direction" in recording and n_axes == 1
    if not separate:
        return [0], np.zeros(recording.sizes["time"], dtype=np.int64)
    if "direction" not in recording:
        raise ValueError(
            "directions=True, but the recording has no direction: derive it with "
            "neurodrift.kinematics.running(recording)"
        )
    direction = recording["direction"].values
    return [1, -1], np.select([direction == 1, direction == -1], [0, 1], -1)


def _drop_rare(
    recording: xr.Dataset,
    in_bin: np.ndarray,
    in_direction: np.ndarray,
    n_bins: int,
    min_occupancy: float,
) -> np.ndarray:
    kept = in_bin.copy()
    durations = recording["frame_duration"].values
    for i, where in enumerate(session_slices(recording)):
        code = np.where(
            in_bin[where] >= 0, in_direction[where] * n_bins + in_bin[where], 2 * n_bins
        )
        seconds = np.bincount(code, minlength=2 * n_bins + 1) * durations[i]
        kept[where] = np.where(seconds[code] >= min_occupancy, in_bin[where], -1)
    return kept


def _refuse_unused_sessions(recording: xr.Dataset, frames: xr.Dataset, binning: Binning) -> None:
    used = frames["position_bin"].values >= 0
    n_sessions = recording.sizes["session"]
    n_used = np.bincount(recording["session_index"].values, weights=used, minlength=n_sessions)
    if (n_used == 0).any():
        labels = [str(s) for s in recording["session"].values[n_used == 0]]
        tracked = np.isfinite(recording["x"].values)
        n_tracked = np.bincount(
            recording["session_index"].values, weights=tracked, minlength=n_sessions
        )[n_used == 0].astype(int)
        raise ValueError(
            f"no frame can be used in session {', '.join(map(repr, labels))} (tracked frames: "
            f"{n_tracked.tolist()}; speed range {binning.speed_range or 'default'}, exclude_ends "
            f"{binning.exclude_ends} cm, min_occupancy {binning.min_occupancy} s): widen the "
            "binning or leave the session out with select_sessions"
        )


def session_activity(recording: xr.Dataset, where: slice) -> xr.DataArray:
    """Activity of one session, in one chunk along time if it is lazy.

    Parameters
    ----------
    recording
        A recording over (session, time, unit).
    where
        Frames of the session, from :func:`neurodrift.recording.session_slices`.

    Returns
    -------
    xarray.DataArray
        (time, unit) without the coordinate of time, ready for :func:`xarray.apply_ufunc` over
        blocks of units.
    """
    activity = recording["activity"].isel(time=where)
    activity = activity.drop_vars([name for name in activity.coords if name != "unit"])
    return activity.chunk(time=-1) if activity.chunks is not None else activity
