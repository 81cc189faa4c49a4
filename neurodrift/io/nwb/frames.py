"""Spikes, events and sampled responses put on the frames of a position, block by block."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from neurodrift.gate.clocks import FEW_TIMES, overlap_findings
from neurodrift.gate.durations import GAP
from neurodrift.gate.findings import Finding
from neurodrift.gate.inputs import Activity, Position
from neurodrift.io.nwb import find as nwb_find
from neurodrift.io.nwb.arrays import Samples
from neurodrift.io.nwb.grid import sampled_clock
from neurodrift.io.nwb.stream import Readable

SAMPLED = ("deconvolved", "fluorescence", "activation")
"""Kinds of activity that are sampled, and have the frames that they were sampled in."""

_SLACK = 1e-6  # of a frame: times that differ by rounding only are the same
_BLOCK_BYTES = 2**24  # of activity that is looked at together


class OnFrames(Readable, Protocol):
    """Activity of all units of a file in the frames of its position.

    The smallest unsigned integers that hold the counts, or real numbers; NaN in frames that an ROI
    response series does not cover.

    Attributes
    ----------
    kind
        What one number is, see :data:`neurodrift.schema.ACTIVITY_KINDS`.
    table
        The table of units.
    rows
        (unit) row of each unit in the table.
    """

    kind: Any
    table: Any
    rows: np.ndarray


def activity_on_frames(source: Any, time: np.ndarray, step: np.ndarray, values: str) -> OnFrames:
    """Activity of all units in the frames of the position; it is read when it is asked for.

    Parameters
    ----------
    source
        Units with spike times, an ``EventsTable`` whose rows point to cells, or an ROI response
        series, in an open file.
    time
        (time) start of each frame [s].
    step
        (time) length of each frame [s].
    values
        ``"amplitudes"`` adds up the events' amplitudes, anything else counts them.

    Returns
    -------
    OnFrames
        The activity, which the file may be closed for.

    Raises
    ------
    ValueError
        If no spike, event or sample falls into a frame, or there are no amplitudes.
    """
    from pynwb.ophys import RoiResponseSeries

    if isinstance(source, RoiResponseSeries):
        return _Sampled(source, time, step)
    return _Counted(source, time, step, values)


def blocks_of(
    activity: Readable, frames: np.ndarray | None = None, units: np.ndarray | None = None
) -> Iterator[tuple[slice, np.ndarray]]:
    """Activity in blocks of frames, and of units where these are many.

    Parameters
    ----------
    activity
        The activity.
    frames, units
        Numbers of those that are wanted; all when omitted.

    Yields
    ------
    frames : slice
        Which of the wanted frames.
    block : numpy.ndarray
        (frame, unit)
    """
    frames = np.arange(activity.shape[0]) if frames is None else frames
    units = np.arange(activity.shape[1]) if units is None else units
    most = _BLOCK_BYTES // activity.dtype.itemsize
    n_frames, n_units = activity.chunk
    n_units *= max(1, min(-(-units.size // n_units), most // (n_frames * n_units)))
    n_frames *= max(1, most // (n_frames * n_units))
    for first in range(0, frames.size, n_frames):
        where = slice(first, min(first + n_frames, frames.size))
        for start in range(0, units.size, n_units):
            yield where, activity.read(frames[where], units[start : start + n_units])


class _Sampled:
    """The sample of each frame; after a lag, the mean of the samples in it, else the nearest.

    NaN where there is none near.
    """

    def __init__(self, series: Any, time: np.ndarray, step: np.ndarray) -> None:
        self.rows = np.asarray(series.rois.data[:])
        self._samples = Samples(series, nwb_find.path_of(series), self.rows.size)
        self.table = series.rois.table
        self.kind = _kind_of(series)
        self.dtype = np.dtype(np.float64)
        self.shape = (time.size, self._samples.shape[1])
        self.chunk = self._samples.chunk
        sampled = self._samples.time
        self._first = _together(sampled, time, _SLACK * float(step.min()))
        if self._first is not None:
            return
        mended = sampled_clock(sampled, nwb_find.path_of(series))
        number = np.flatnonzero(mended.kept)
        sampled = mended.clock
        if sampled.size < 2:
            raise ValueError("the ROI response series has fewer than two samples")
        frame = frame_of(sampled, time, step)
        inside = np.flatnonzero(frame >= 0)
        ordered = inside[np.argsort(frame[inside], kind="stable")]
        self._edges = np.searchsorted(frame[ordered], np.arange(time.size + 1))
        self._inside = number[ordered]
        middle = time + step / 2
        right = np.clip(np.searchsorted(sampled, middle), 1, sampled.size - 1)
        nearest = right - (middle - sampled[right - 1] < sampled[right] - middle)
        near = np.abs(sampled[nearest] - middle) <= np.median(np.diff(sampled))
        self._nearest = np.where(near, number[nearest], -1)

    def read(self, frames: np.ndarray, units: np.ndarray) -> np.ndarray:
        if self._first is not None:
            return self._samples.read(frames + self._first, units)
        first, stop = self._edges[frames], self._edges[frames + 1]
        count = stop - first
        place = np.repeat(np.arange(frames.size), count)
        ranges = [self._inside[a:b] for a, b in zip(first, stop, strict=True)]
        used = np.concatenate([*ranges, np.empty(0, dtype=np.int64)])
        alone = np.flatnonzero((count == 0) & (self._nearest[frames] >= 0))
        nearest = self._nearest[frames[alone]]
        needed = np.unique(np.concatenate([used, nearest]))
        samples = self._samples.read(needed, units)
        found = np.zeros((frames.size, units.size))
        np.add.at(found, place, samples[np.searchsorted(needed, used)])
        found[count > 0] /= count[count > 0, None]
        found[count == 0] = np.nan
        found[alone] = samples[np.searchsorted(needed, nearest)]
        return found

    def release(self) -> None:
        pass


def _together(sampled: np.ndarray, time: np.ndarray, slack: float) -> int | None:
    """The sample that the first frame is, where frames are samples one after the other."""
    first = int(np.searchsorted(sampled, time[0] - slack))
    some = sampled[first : first + time.size]
    if some.shape == time.shape and np.allclose(some, time, rtol=0, atol=slack):
        return first
    return None


def _kind_of(series: Any) -> str:
    """What an ROI response series holds, as our own files say, or as the series is called."""
    return series.description if series.description in SAMPLED else "deconvolved"


class _Counted:
    """Number of spikes or events of each unit in each frame, or the sum of their amplitudes."""

    def __init__(self, source: Any, time: np.ndarray, step: np.ndarray, values: str) -> None:
        from pynwb.misc import Units

        self._frames, self._step, self._where = time, step, source.name
        self._weights = None
        if isinstance(source, Units):
            self._ends = _Column(source["spike_times"].data)
            self._times = _Column(source["spike_times"].target.data)
            self.table, self.kind = source, "spikes"
        else:
            regions = nwb_find.region_columns(source)
            if len(regions) > 1:
                names = ", ".join(column.name for column in regions)
                raise ValueError(f"{source.name} points to several tables of cells: {names}")
            self._times = _Column(source["timestamp"].data)
            self._unit = _Column(regions[0].data)
            self.table, self.kind = regions[0].table, "events"
            if values == "amplitudes":
                if "amplitude" not in source.colnames:
                    raise ValueError(
                        f"{source.name} has no column amplitude ({', '.join(source.colnames)}): "
                        "import the counts with values='events'"
                    )
                self._weights, self.kind = _Column(source["amplitude"].data), "amplitudes"
        self.rows = np.arange(len(self.table))
        self.shape = (time.size, self.rows.size)
        self.chunk = (1, max(self.rows.size, 1))
        self._cells: tuple[np.ndarray, np.ndarray] | None = None
        self.dtype = self._counts()[1].dtype

    def read(self, frames: np.ndarray, units: np.ndarray) -> np.ndarray:
        found = np.zeros((frames.size, units.size), dtype=self.dtype)
        if not found.size:
            return found
        cells, values = self._counts()
        n_units = self.shape[1]
        some = slice(*np.searchsorted(cells, (frames[0] * n_units, (frames[-1] + 1) * n_units)))
        frame, unit = np.divmod(cells[some], n_units)
        row = np.searchsorted(frames, frame)
        column = np.full(n_units, -1)
        column[units] = np.arange(units.size)
        kept = (frames[row] == frame) & (column[unit] >= 0)
        found[row[kept], column[unit[kept]]] = values[some][kept]
        return found

    def release(self) -> None:
        self._cells = None

    def _counts(self) -> tuple[np.ndarray, np.ndarray]:
        """Frames and units with activity, as frame * n_units + unit, increasing; their values."""
        if self._cells is None:
            times = self._times.read().astype(np.float64)
            if self.kind == "spikes":
                ends = self._ends.read().astype(np.int64)
                unit = np.repeat(np.arange(ends.size), np.diff(ends, prepend=0))
            else:
                unit = self._unit.read().astype(np.int64)
            weights = None if self._weights is None else self._weights.read().astype(np.float64)
            self._cells = _cells_with_events(
                times, unit, self.rows.size, self._frames, self._step, weights, self._where
            )
        return self._cells


class _Column:
    """A column of a table, read from its file by name."""

    def __init__(self, stored: Any) -> None:
        by_name = hasattr(stored, "id")
        self._file = (stored.file.filename, stored.name) if by_name else None
        self._values = None if by_name else np.asarray(stored)

    def read(self) -> np.ndarray:
        import h5py

        if self._file is None:
            return np.asarray(self._values)
        with h5py.File(self._file[0], "r") as file:
            return np.asarray(file[self._file[1]][:])


def _cells_with_events(
    times: np.ndarray,
    unit: np.ndarray,
    n_units: int,
    frames: np.ndarray,
    step: float | np.ndarray,
    weights: np.ndarray | None,
    where: str,
) -> tuple[np.ndarray, np.ndarray]:
    """Frames and units with events, as frame * n_units + unit, increasing; counts or sums."""
    frame = frame_of(times, frames, step)
    inside = frame >= 0
    if times.size and not inside.any():
        raise ValueError(
            f"none of the {times.size} times of {where} falls into a frame of the position "
            f"({frames[0]:g} to {frames[-1]:g} s): their clocks differ"
        )
    at = frame[inside] * n_units + unit[inside]
    if weights is None:
        cells, counts = np.unique(at, return_counts=True)
        most = int(counts.max()) if counts.size else 0
        return cells, counts.astype(np.min_scalar_type(most))
    cells, cell = np.unique(at, return_inverse=True)
    sums = np.zeros(cells.size)
    np.add.at(sums, cell, weights[inside])
    return cells, sums


def clocks_together(source: Any, place: Any, spans: np.ndarray | None = None) -> list[Finding]:
    """How far the activity's clock and the position's run together.

    Parameters
    ----------
    source
        As for :func:`activity_on_frames`.
    place
        The :class:`~neurodrift.io.nwb.place.Place` of the position.
    spans
        (epoch, 2) start and stop of the epochs that are read [s]; what lies outside is no matter.

    Returns
    -------
    list of Finding
        What was found.
    """
    from pynwb.misc import Units
    from pynwb.ophys import RoiResponseSeries

    path = nwb_find.path_of(source)
    if isinstance(source, RoiResponseSeries):
        rows = len(source.rois.data)
        time = Samples(source, path, rows).time
        time = time[_in_spans(time, spans)]
        activity = Activity(
            kind="deconvolved", source=path, samples=np.zeros((time.size, 1)), time=time
        )
    else:
        column = source["spike_times"].target if isinstance(source, Units) else source["timestamp"]
        times = np.asarray(column.data[:], dtype=np.float64)
        activity = Activity(kind="spikes", source=path, times=[times[_in_spans(times, spans)]])
        if not activity.times or not activity.times[0].size:
            return []
    tracked = _in_spans(place.time, spans)
    position = Position(time=place.time[tracked], xy=place.xy[tracked, 0], source=place.source)
    found = overlap_findings(activity, position)
    few = activity.times is not None and activity.times[0].size < FEW_TIMES
    return [item for item in found if item.stops or not few]


def _in_spans(times: np.ndarray, spans: np.ndarray | None) -> np.ndarray:
    """Whether each time lies in a span; in all of them where there are none."""
    if spans is None:
        return np.ones(times.size, dtype=bool)
    inside = np.zeros(times.size, dtype=bool)
    for start, stop in spans:
        inside |= (times >= start - 1e-9) & (times < stop + 1e-9)
    return inside


def counted_on_frames(
    times: np.ndarray,
    unit: np.ndarray,
    n_units: int,
    frames: np.ndarray,
    step: float | np.ndarray,
    weights: np.ndarray | None = None,
    *,
    where: str,
) -> np.ndarray:
    """Number of events of each unit in each frame, or the sum of their weights.

    Parameters
    ----------
    times
        (event) times [s].
    unit
        (event) column of the unit that had it.
    n_units
        Number of units.
    frames, step
        As for :func:`frame_of`.
    weights
        (event) what is added up; events are counted when omitted.
    where
        What the events are, for messages.

    Returns
    -------
    numpy.ndarray
        (time, unit) counts in the smallest unsigned integers, or sums.

    Raises
    ------
    ValueError
        If no event falls into a frame.
    """
    cells, values = _cells_with_events(times, unit, n_units, frames, step, weights, where)
    dense = np.zeros((frames.size, n_units), dtype=values.dtype)
    dense.ravel()[cells] = values
    return dense


def frame_of(times: np.ndarray, frames: np.ndarray, step: float | np.ndarray) -> np.ndarray:
    """Frame that each time falls into.

    Parameters
    ----------
    times
        Times [s].
    frames
        (time) start of each frame [s], increasing. A frame lasts to the next one, or for `step`
        before a gap longer than 1.5 steps.
    step
        Length of a frame [s], or (time) of each.

    Returns
    -------
    numpy.ndarray
        Index of the frame for each time, -1 for none.

    Examples
    --------
    >>> import numpy as np
    >>> frame_of(np.array([0.2, 1.0, 2.5, 9.1]), np.array([0.0, 1, 9]), 1.0).tolist()
    [0, 1, -1, 2]
    """
    lasting = np.broadcast_to(np.asarray(step, dtype=np.float64), frames.shape)
    steps = np.diff(frames, append=frames[-1] + lasting[-1])
    last = np.where(steps <= GAP * lasting, steps, lasting)  # the length of each frame
    slack = _SLACK * float(lasting.min())
    index = np.searchsorted(frames, times + slack, side="right") - 1
    inside = (index >= 0) & (times < frames[index] + last[index] - slack)
    return np.where(inside, index, -1)
