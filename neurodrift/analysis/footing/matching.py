"""Recordings whose sessions were left with as much as the poorest of them has."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr

from neurodrift.analysis.information.parts import cut_in_parts
from neurodrift.analysis.maps.binning import Binning, as_binning, bin_frames, session_activity
from neurodrift.recording import slice_sessions
from neurodrift.schema import COUNT_KINDS, check
from neurodrift.schema.objects import expect_choice
from neurodrift.schema.options import checked_options
from neurodrift.seeds import generator

Match = Literal["events", "time", "occupancy"]
"""What is made equal in every session."""


@checked_options
def match_sessions(
    recording: xr.Dataset,
    *,
    match: Match = "events",
    binning: Binning | None = None,
    min_events: int = 10,
    block: float = 30.0,
    draw: int = 0,
    seed: int = 0,
) -> xr.Dataset:
    """Leave every session with as much as the poorest has, by a random draw.

    What a measure of a session changes by from this alone, with more or fewer events, minutes or
    visits, is then the same in all sessions. Average a measure over several draws; each is as noisy
    as the poorest session.

    Parameters
    ----------
    recording
        A recording with a position; NumPy or Dask.
    match
        ``"events"``: each unit keeps as many events in every session as it has in the one with the
        fewest, of those where it was detected. ``"time"``: every session keeps as many seconds,
        whole laps, trials or blocks in random order, the last one cut short. ``"occupancy"``: every
        session keeps as many seconds in each bin and direction, whole visits in random order; a bin
        that one session lacks is left out of all.
    binning
        Position bins and the frames that count; the defaults of :class:`Binning` when omitted. Only
        frames that count are kept and counted.
    min_events
        Units with fewer events in some session where they were detected are left out for
        ``match="events"``, not thinned to nothing.
    block
        Length of a block [s], where a recording has neither laps nor trials.
    draw
        Number of the draw.
    seed
        Seed of all draws. Every unit and session has a stream of its own.

    Returns
    -------
    xarray.Dataset
        The recording with fewer events, or with fewer frames that have a position; units that were
        left out are missing. Frames that do not count have no position. The attribute ``matched``
        says what was made equal, and how many units were left out.

    Raises
    ------
    ValueError
        If there is no position, nothing is left, or events are to be matched of activity that is no
        count.

    Examples
    --------
    >>> from neurodrift import compute_rate_maps, testing
    >>> from neurodrift.analysis.footing.matching import match_sessions
    >>> recording = testing.linear_track(n_units=5, n_sessions=3, minutes=2, silencing=0.3)
    >>> equal = match_sessions(recording, match="events")
    >>> events = compute_rate_maps(equal)["events"].sum(("direction", "position"))
    >>> bool((events == events.isel(session=0)).all())
    True
    """
    return Matching(
        recording, match=match, binning=binning, min_events=min_events, block=block, seed=seed
    ).draw(draw)


@dataclass(frozen=True)
class _Runs:
    """Frames that are kept or left together, in groups that are made equal."""

    frames: np.ndarray  # that count, in the order of the runs
    run: np.ndarray  # of each
    group: np.ndarray  # of each run


class Matching:
    """What is made equal in the sessions of a recording, and draws of it.

    Parameters
    ----------
    recording, match, binning, min_events, block, seed
        As for :func:`match_sessions`.
    """

    def __init__(
        self,
        recording: xr.Dataset,
        *,
        match: Match,
        binning: Binning | None = None,
        min_events: int = 10,
        block: float = 30.0,
        seed: int = 0,
    ) -> None:
        check(recording)
        expect_choice("match", match, ("events", "time", "occupancy"))
        kind = recording["activity"].attrs["kind"]
        if match == "events" and kind not in COUNT_KINDS:
            raise ValueError(
                f"activity is of the kind {kind}, of which no events are counted: match='time'"
            )
        self.match, self.seed, self.min_events = match, seed, min_events
        frames = bin_frames(recording, as_binning(binning))
        counting = frames["position_bin"].values >= 0
        self.slices = slice_sessions(recording)
        self.names = [str(item) for item in recording["session"].values]
        self.used = np.array([counting[where].any() for where in self.slices])
        if not self.used.any():
            raise ValueError("no frame of any session counts")
        self.counting = counting
        self.recording = recording
        self.n_left_out = 0
        if match == "events":
            self._count_events()
        else:
            self._cut_in_runs(frames, block)

    def _count_events(self) -> None:
        """How many events each unit keeps, and the units that have enough."""
        recording = self.recording
        counts = []
        for where in self.slices:
            activity = session_activity(recording, where)
            inside = xr.DataArray(self.counting[where], dims="time")
            counts.append(activity.where(inside, 0).astype(np.int64).sum("time").compute().values)
        there = recording["detected"].values & self.used[:, None]
        fewest = np.where(there, np.array(counts), np.iinfo(np.int64).max).min(axis=0)
        enough = there.any(axis=0) & (fewest >= self.min_events)
        self.n_left_out = int((there.any(axis=0) & ~enough).sum())
        self.recording = recording.isel(unit=np.flatnonzero(enough))
        self.n_events = fewest[enough]

    def _cut_in_runs(self, frames: xr.Dataset, block: float) -> None:
        """What is drawn as a whole, and how many seconds each group keeps."""
        frame = np.flatnonzero(self.counting)
        session = self.recording["session_index"].values[frame]
        way = frames["direction_bin"].values[frame].astype(np.int64)
        if self.match == "time":
            part = cut_in_parts(self.recording, frames, "auto", block)[0][frame]
            group = session
            key = (session * (way.max() + 1) + way) * (part.max() + 2) + part + 1
            order = np.argsort(key, kind="stable")
            frame, group, key = frame[order], group[order], key[order]
            starts = np.concatenate([[True], np.diff(key) != 0])
            n_groups = 1
        else:
            place = frames["position_bin"].values[frame].astype(np.int64)
            n_groups = frames.sizes["direction"] * frames.sizes["position"]
            bins = way * frames.sizes["position"] + place
            group = session * n_groups + bins
            starts = np.concatenate([[True], (np.diff(group) != 0) | (np.diff(frame) != 1)])
        run = np.cumsum(starts) - 1
        self.runs = _Runs(frame, run, group[starts])
        self.seconds = self.recording["frame_duration"].values[frame]
        whole = np.bincount(group, self.seconds, minlength=len(self.names) * n_groups)
        whole = whole.reshape(len(self.names), n_groups)
        self.least = whole[self.used].min(axis=0)
        if not self.least.sum() > 0:
            raise ValueError("the sessions share no bin: match='time'")
        self.n_groups = n_groups

    def draw(self, draw: int) -> xr.Dataset:
        """The recording of one draw.

        Parameters
        ----------
        draw
            Its number.

        Returns
        -------
        xarray.Dataset
            As from :func:`match_sessions`.
        """
        if not self.recording.sizes["unit"]:
            raise ValueError(
                f"all {self.n_left_out} units have fewer than {self.min_events} events in some "
                "session: match='time', or leave such sessions out"
            )
        if self.match == "events":
            made, kept = self._thinned(draw), self.counting
        else:
            made, kept = self.recording, self._kept(draw)
        inside = xr.DataArray(kept, dims="time")
        axes = [axis for axis in ("x", "y") if axis in made]
        placed = {axis: made[axis].where(inside).assign_attrs(made[axis].attrs) for axis in axes}
        told = {
            "match": self.match,
            "draw": int(draw),
            "n_units_left_out": self.n_left_out,
            "seed": int(self.seed),
        }
        return made.assign(placed).assign_attrs(matched=json.dumps(told))

    def _thinned(self, draw: int) -> xr.Dataset:
        recording = self.recording
        units = xr.DataArray(recording["unit"].values.astype(str), dims="unit")
        target = xr.DataArray(self.n_events, dims="unit")
        parts = []
        for name, where in zip(self.names, self.slices, strict=True):
            if where.start == where.stop:
                continue
            parts.append(
                xr.apply_ufunc(
                    _thin,
                    session_activity(recording, where).drop_vars("unit"),
                    units,
                    target,
                    input_core_dims=[["time"], [], []],
                    output_core_dims=[["time"]],
                    kwargs={
                        "counting": self.counting[where],
                        "names": (self.seed, "matched events", draw, name),
                    },
                    dask="parallelized",
                    output_dtypes=[recording["activity"].dtype],
                ).transpose("time", "unit")
            )
        thinned = xr.concat(parts, dim="time")
        activity = recording["activity"].copy(data=thinned.data)
        return recording.assign(activity=activity)

    def _kept(self, draw: int) -> np.ndarray:
        """Which frames of the recording are kept."""
        runs, n_groups = self.runs, self.n_groups
        kept = np.zeros(self.counting.size, dtype=bool)
        lasting = np.bincount(runs.run, self.seconds)
        # runs of each session in random order, and the frames of a run in theirs
        place = np.empty(runs.group.size, dtype=np.int64)
        for s, name in enumerate(self.names):
            own = np.flatnonzero(runs.group // n_groups == s)
            rng = generator(self.seed, f"matched {self.match}", draw, name)
            place[own] = rng.permutation(own.size)
        order = np.lexsort([place, runs.group])
        before = np.cumsum(lasting[order]) - lasting[order]
        group = runs.group[order]
        first = np.concatenate([[True], np.diff(group) != 0])
        before -= before[first][np.cumsum(first) - 1]
        start = np.empty(order.size)
        start[order] = before  # seconds of its group that are drawn before a run
        within = np.cumsum(self.seconds) - self.seconds
        begins = np.concatenate([[True], np.diff(runs.run) != 0])
        within -= within[begins][runs.run]
        allowed = self.least[runs.group % n_groups][runs.run]
        middle = start[runs.run] + within + self.seconds / 2
        kept[runs.frames] = middle < allowed
        return kept


def _thin(
    activity: np.ndarray,
    units: np.ndarray,
    target: np.ndarray,
    *,
    counting: np.ndarray,
    names: tuple[int, str, int, str],
) -> np.ndarray:
    """Some of the events of each unit (unit, time), none in frames that do not count."""
    seed, *rest = names
    thinned = np.zeros(activity.shape, dtype=activity.dtype)
    for i, unit in enumerate(units):
        frames = np.flatnonzero((activity[i] > 0) & counting)
        events = np.repeat(frames, activity[i, frames].astype(np.int64))
        if events.size > target[i]:
            rng = generator(seed, *rest, unit)
            events = rng.choice(events, int(target[i]), replace=False, shuffle=False)
        thinned[i] = np.bincount(events, minlength=activity.shape[1])
    return thinned
