"""Behaviour lap by lap: speed, occupancy, duration and the user's series, by direction and bin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.analysis.information.parts import cut_in_parts
from neurodrift.analysis.maps.binning import Binning, bin_frames
from neurodrift.geometry.geometry import geometry_of
from neurodrift.kinematics import number_laps, running_where_missing
from neurodrift.recording import slice_sessions

Series = Mapping[str, xr.DataArray] | xr.DataArray | None


@dataclass(frozen=True)
class Laps:
    """The laps of all sessions, and which of them a frame is part of.

    Parameters
    ----------
    row
        (time) lap of the frame, -1 outside of laps and bins.
    cell
        (time) direction and bin of the frame as one number.
    seconds
        (time) length of the frame [s].
    session, way
        (lap) session and direction of each.
    n_ways, n_bins
        How many directions and bins there are.
    name
        What a lap is: ``lap``, ``trial`` or ``block``.
    """

    row: np.ndarray
    cell: np.ndarray
    seconds: np.ndarray
    session: np.ndarray
    way: np.ndarray
    n_ways: int
    n_bins: int
    name: str

    def lasting(self) -> np.ndarray:
        """(lap, direction x bin) time in each bin [s]."""
        return self._sums(np.ones_like(self.seconds))

    def mean_of(self, values: np.ndarray) -> np.ndarray:
        """(lap, direction x bin) mean of a series over time, NaN where there is none."""
        known = np.isfinite(values)
        total = self._sums(np.where(known, values, 0.0))
        time = self._sums(known.astype(float))
        return np.divide(total, time, out=np.full(total.shape, np.nan), where=time > 0)

    def share(self) -> np.ndarray:
        """(lap, direction x bin) share of the time of a lap, NaN for other directions."""
        time = self.lasting()
        share = time / time.sum(axis=1, keepdims=True)
        of_way = np.repeat(np.arange(self.n_ways), self.n_bins)
        return np.where(of_way == self.way[:, None], share, np.nan)

    def log_duration(self) -> np.ndarray:
        """(lap, direction) logarithm of the time from its first to its last frame, rests too."""
        used = np.flatnonzero(self.row >= 0)
        clock = np.cumsum(self.seconds)
        first = np.full(self.session.size, np.inf)
        last = np.zeros(self.session.size)
        np.minimum.at(first, self.row[used], (clock - self.seconds)[used])
        np.maximum.at(last, self.row[used], clock[used])
        found = np.full((self.session.size, self.n_ways), np.nan)
        found[np.arange(self.session.size), self.way] = np.log(last - first)
        return found

    def _sums(self, values: np.ndarray) -> np.ndarray:
        used = self.row >= 0
        n_cells = self.n_ways * self.n_bins
        code = self.row[used] * n_cells + self.cell[used]
        weights = values[used] * self.seconds[used]
        size = self.session.size * n_cells
        return np.bincount(code, weights, minlength=size).reshape(-1, n_cells)


def laps_of(recording: xr.Dataset, binning: Binning, block: float) -> Laps:
    """The laps of a recording with a position; trials or blocks where it has none.

    Parameters
    ----------
    recording
        A recording with a position.
    binning
        Bins and the frames that count.
    block
        Length of a block [s] where there are neither laps nor trials.

    Returns
    -------
    Laps
        In the order of sessions, directions and time.
    """
    frames = bin_frames(recording, replace(binning, unused_sessions="keep"))
    if "lap" not in recording and geometry_of(recording).has_laps:
        recording = recording.assign(lap=number_laps(recording)["lap"])
    part, name = cut_in_parts(recording, frames, "auto", block)
    place = frames["position_bin"].values.astype(np.int64)
    way = frames["direction_bin"].values.astype(np.int64)
    session = np.zeros(place.size, dtype=np.int64)
    for i, where in enumerate(slice_sessions(recording)):
        session[where] = i
    n_bins = frames.sizes["position"]
    used = np.flatnonzero((place >= 0) & (way >= 0) & (part >= 0))
    key = np.column_stack([session[used], way[used], part[used]])
    rows, at = np.unique(key, axis=0, return_inverse=True)
    rows = rows.reshape(-1, 3)
    row = np.full(place.size, -1)
    row[used] = at.ravel()
    return Laps(
        row=row,
        cell=way * n_bins + place,
        seconds=recording["frame_duration"].values.astype(float),
        session=rows[:, 0],
        way=rows[:, 1],
        n_ways=frames.sizes["direction"],
        n_bins=n_bins,
        name=name,
    )


def speed_of(recording: xr.Dataset) -> np.ndarray | None:
    """(time) running speed [cm/s], of the position where the recording has none; None without."""
    found = running_where_missing(recording)
    return found["speed"].values.astype(float) if "speed" in found else None


def series_of(series: Series, recording: xr.Dataset) -> dict[str, np.ndarray]:
    """The user's series by name, one number a frame.

    Parameters
    ----------
    series
        A DataArray over ``time`` with a name, or a mapping of such.
    recording
        The recording that they belong to.

    Returns
    -------
    dict
        (time) values by name.

    Raises
    ------
    TypeError
        If it is no labelled array.
    ValueError
        If it has no name, a reserved one, or other frames than the recording.
    """
    if series is None:
        return {}
    if isinstance(series, xr.DataArray):
        if series.name is None:
            raise ValueError("series has no name: give it one, series.rename('pupil')")
        series = {str(series.name): series}
    if not isinstance(series, Mapping):
        raise TypeError(
            f"series is of type {type(series).__name__}, expected a DataArray over time with a "
            "name, or a mapping of names to such"
        )
    found = {}
    for name, values in series.items():
        if name in RESERVED:
            raise ValueError(f"series {name!r} has the name of a distance: choose another")
        found[str(name)] = _along_time(str(name), values, recording.sizes["time"])
    return found


RESERVED = ("speed", "occupancy", "lap_duration", "overall")
"""Distances that every recording has."""


def _along_time(name: str, values: Any, n_frames: int) -> np.ndarray:
    if not isinstance(values, xr.DataArray):
        raise TypeError(
            f"series {name!r} is of type {type(values).__name__}, expected a DataArray over time: "
            "xarray.DataArray(values, dims='time')"
        )
    if values.dims != ("time",) or values.sizes["time"] != n_frames:
        raise ValueError(
            f"series {name!r} has dims {dict(values.sizes)}, expected one number for each of the "
            f"{n_frames} frames along time"
        )
    return np.asarray(values.values, dtype=float)
