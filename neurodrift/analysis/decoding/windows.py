"""Sessions as a decoder sees them: activity in short windows, and sums of each lap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
import xarray as xr

from neurodrift.analysis.information.parts import cut_in_parts
from neurodrift.analysis.maps.binning import Binning, bin_frames, session_activity
from neurodrift.geometry.geometry import Geometry, geometry_of
from neurodrift.kinematics import number_laps
from neurodrift.recording import slice_sessions
from neurodrift.schema import COUNT_KINDS, LEVEL_KINDS

_BATCH = 4_000_000  # numbers of activity that are summed at once
_DENSE = 0.08  # share of windows and units with activity above which a plain array is faster
_LEAST = 0.5  # of a window's length that the last one of a run must have


@dataclass(frozen=True)
class Places:
    """What can be decoded: the bins, and the directions or types of trial that are told apart.

    Parameters
    ----------
    geometry
        Of the recording.
    centres
        (bin, axis) centres of the bins [unit of the geometry].
    ways
        (way) code of each direction.
    types
        (way) type of trial of each, where they are told apart.
    """

    geometry: Geometry
    centres: np.ndarray
    ways: np.ndarray
    types: np.ndarray | None


@dataclass(frozen=True)
class Part:
    """One session, its activity summed in windows.

    Parameters
    ----------
    activity
        (window, unit) summed activity: events of counts, else activity times its length.
    seconds
        (window) length [s].
    x
        (window, axis) position in the middle of the window.
    place, way, row
        (window) bin, direction and lap of it.
    row_way, row_map
        (row) direction and map of each lap.
    sums
        (row, unit x bin) summed activity of each lap.
    lasting
        (row, bin) time [s].
    """

    activity: sp.csr_array
    seconds: np.ndarray
    x: np.ndarray
    place: np.ndarray
    way: np.ndarray
    row: np.ndarray
    row_way: np.ndarray
    row_map: np.ndarray
    sums: sp.csr_array
    lasting: np.ndarray

    def of_map(self, label: int) -> np.ndarray:
        """(row) which laps lie in a map."""
        return np.asarray(self.row_map == label)

    def thinned(self, keep: np.ndarray, rng: np.random.Generator) -> Part:
        """The session with some of the events of each unit.

        Parameters
        ----------
        keep
            (unit) share that is kept.
        rng
            All chance comes from it.

        Returns
        -------
        Part
            With binomial draws of the counts, in the windows and in the laps.
        """
        n_bins = self.lasting.shape[1]
        return replace(
            self,
            activity=_thinned(self.activity, keep, rng),
            sums=_thinned(self.sums, np.repeat(keep, n_bins), rng),
        )

    @property
    def table(self) -> Any:
        """(window, unit) the activity, as a plain array where few of its numbers are 0."""
        size = max(1, self.activity.shape[0] * self.activity.shape[1])
        return self.activity.toarray() if self.activity.nnz > _DENSE * size else self.activity

    def of_units(self, units: np.ndarray) -> Part:
        """The session with some of its units.

        Parameters
        ----------
        units
            (unit) bool.

        Returns
        -------
        Part
            With those alone.
        """
        if units.all():
            return self
        n_bins = self.lasting.shape[1]
        return replace(
            self,
            activity=self.activity[:, np.flatnonzero(units)],
            sums=self.sums[:, np.flatnonzero(np.repeat(units, n_bins))],
        )


def _thinned(counts: sp.csr_array, keep: np.ndarray, rng: np.random.Generator) -> sp.csr_array:
    share = keep[counts.indices]
    data = (rng.random(share.size) < share).astype(float)  # of single events
    more = np.flatnonzero(counts.data > 1)
    data[more] = rng.binomial(counts.data[more].astype(np.int64), share[more])
    found = sp.csr_array((data, counts.indices.copy(), counts.indptr.copy()), shape=counts.shape)
    found.eliminate_zeros()
    return found


def session_parts(
    recording: xr.Dataset, binning: Binning, window: float, block: float
) -> tuple[list[Part], Places, str]:
    """Every session in windows.

    Parameters
    ----------
    recording
        A recording with a position, its units in the order of their labels; NumPy or Dask. One
        session is read at a time; what is kept are its sums.
    binning
        Bins and the frames that count.
    window
        Length of a window [s]. A window ends where the frames that count, the lap or the direction
        do; a last one shorter than half the length is left out.
    block
        Length of a block [s], where there are neither laps nor trials.

    Returns
    -------
    parts, places, name : list of Part, Places, str
        The sessions, what can be decoded, and what a lap is: ``lap``, ``trial`` or ``block``.
    """
    frames = bin_frames(recording, replace(binning, unused_sessions="keep"))
    recording = _with_laps(recording)
    lap, name = cut_in_parts(recording, frames, "auto", block)
    axes = [axis for axis in ("x", "y") if f"{axis}_bin" in frames.coords]
    places = Places(
        geometry_of(recording),
        np.column_stack([frames[f"{axis}_bin"].values for axis in axes]).astype(float),
        frames["direction"].values,
        frames["trial_type"].values if "trial_type" in frames.coords else None,
    )
    whole = {
        "place": frames["position_bin"].values,
        "way": frames["direction_bin"].values.astype(np.int64),
        "lap": lap,
        "map": recording["map_label"].values.astype(np.int64)
        if "map_label" in recording
        else np.zeros(lap.size, dtype=np.int64),
        "dt": recording["frame_duration"].values.astype(float),
        "x": np.column_stack([recording[axis].values for axis in axes]).astype(float),
    }
    kind = recording["activity"].attrs["kind"]
    parts = []
    for where in slice_sessions(recording):
        own = {key: values[where] for key, values in whole.items()}
        activity = np.asarray(session_activity(recording, where).transpose("time", "unit").data)
        parts.append(_part(activity, own, kind, window, places.centres.shape[0]))
    return parts, places, name


def _with_laps(recording: xr.Dataset) -> xr.Dataset:
    """A recording whose laps are numbered, where what is mapped has laps."""
    if "lap" in recording or not geometry_of(recording).has_laps:
        return recording
    return recording.assign(lap=number_laps(recording)["lap"])


def _part(
    activity: np.ndarray, own: dict[str, np.ndarray], kind: str, window: float, n_bins: int
) -> Part:
    """One session of frames in memory."""
    used = np.flatnonzero((own["place"] >= 0) & (own["lap"] >= 0))
    key = np.column_stack([own["way"][used], own["lap"][used], own["map"][used]])
    rows, row = np.unique(key, axis=0, return_inverse=True)
    rows, row = rows.reshape(-1, 3), row.ravel()
    dt = own["dt"][used]
    starts = np.ones(used.size, dtype=bool)
    starts[1:] = (np.diff(used) != 1) | (np.diff(row) != 0)
    run = np.cumsum(starts) - 1
    middle = np.cumsum(dt) - dt / 2
    since = middle - (middle - dt / 2)[starts][run]
    number = np.floor(since / window + 1e-9).astype(np.int64)
    fresh = starts.copy()
    fresh[1:] |= np.diff(number) != 0
    of = np.cumsum(fresh) - 1
    n_windows = int(of[-1]) + 1 if of.size else 0
    seconds = np.bincount(of, dt, minlength=n_windows)
    first = np.flatnonzero(fresh)
    centre = first + (np.diff(np.append(first, used.size))) // 2
    weight = dt if kind in LEVEL_KINDS else np.ones(used.size)
    place = own["place"][used]
    summed = _by_group(activity, used, of, weight, n_windows)
    by_lap = _by_group(activity, used, row * n_bins + place, weight, len(rows) * n_bins)
    n_units = activity.shape[1]
    at = np.repeat(np.arange(by_lap.shape[0]), np.diff(by_lap.indptr))
    sums = sp.csr_array(
        (by_lap.data, (at // n_bins, by_lap.indices.astype(np.int64) * n_bins + at % n_bins)),
        shape=(len(rows), n_units * n_bins),
    )
    lasting = np.bincount(row * n_bins + place, dt, minlength=len(rows) * n_bins)
    whole = seconds >= _LEAST * window * (1 - 1e-9)
    return Part(
        activity=summed[np.flatnonzero(whole)],
        seconds=seconds[whole],
        x=own["x"][used][centre[whole]],
        place=place[centre[whole]],
        way=own["way"][used][centre[whole]],
        row=row[centre[whole]],
        row_way=rows[:, 0],
        row_map=rows[:, 2],
        sums=sums,
        lasting=lasting.reshape(len(rows), n_bins),
    )


def _by_group(
    activity: np.ndarray, used: np.ndarray, group: np.ndarray, weight: np.ndarray, n_groups: int
) -> sp.csr_array:
    """(group, unit) sums of the frames that are used."""
    n_units = activity.shape[1]
    data, columns, counts = [], [], np.zeros(n_groups, dtype=np.int64)
    order = np.argsort(group, kind="stable")
    ends = np.flatnonzero(np.diff(group[order], append=n_groups)) + 1
    starts = np.concatenate([[0], ends[:-1]])
    step = max(1, _BATCH // max(1, n_units))
    first = 0
    while first < ends.size:  # a batch of whole groups
        last = max(first + 1, int(np.searchsorted(ends, starts[first] + step, side="right")))
        frames = order[starts[first] : ends[last - 1]]
        values = activity[used[frames]]
        if (weight != 1).any():
            values = values * weight[frames, None]
        sums = np.add.reduceat(values, starts[first:last] - starts[first], axis=0, dtype=float)
        at, unit = np.divmod(np.flatnonzero((sums != 0).ravel()), n_units)
        data.append(sums[at, unit])
        columns.append(unit)
        counts[group[order[starts[first:last]]]] = np.bincount(at, minlength=last - first)
        first = last
    pointers = np.concatenate([[0], np.cumsum(counts)])
    flat = (
        (np.concatenate(data), np.concatenate(columns)) if data else (np.zeros(0), np.zeros(0, int))
    )
    return sp.csr_array((*flat, pointers), shape=(n_groups, n_units))


def joined(parts: Sequence[Part]) -> Part:
    """Several sessions as one, their laps one after the other.

    Parameters
    ----------
    parts
        Sessions of the same units.

    Returns
    -------
    Part
        All of them.
    """
    before = np.cumsum([0, *(part.row_way.size for part in parts)])[:-1]
    plain = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("seconds", "x", "place", "way", "row_way", "row_map", "lasting")
    }
    return Part(
        activity=sp.vstack([part.activity for part in parts], format="csr"),
        sums=sp.vstack([part.sums for part in parts], format="csr"),
        row=np.concatenate([p.row + n for p, n in zip(parts, before, strict=True)]),
        **plain,
    )


def is_count(recording: xr.Dataset) -> bool:
    """Whether activity counts events, so that it can be thinned and is Poisson."""
    return recording["activity"].attrs["kind"] in COUNT_KINDS


def sorted_units(recording: xr.Dataset) -> xr.Dataset:
    """Units in the order of their labels, so that no draw depends on their order."""
    labels: Any = recording["unit"].values.astype(str)
    order = np.argsort(labels, kind="stable")
    return recording.isel(unit=order)
