"""Spikes, events and sampled responses put on the frames of a position."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurodrift.gate.clocks import FEW_TIMES, overlap_findings
from neurodrift.gate.findings import Finding
from neurodrift.gate.inputs import Activity, Position
from neurodrift.io.nwb import find as nwb_find
from neurodrift.io.nwb.arrays import clock_and_rows

_SLACK = 1e-6  # of a frame: times that differ by rounding only are the same


def activity_on_frames(
    source: Any, time: np.ndarray, step: float, values: str
) -> tuple[np.ndarray, Any, Any, np.ndarray]:
    """Activity of all units in the frames of the position.

    Parameters
    ----------
    source
        Units with spike times, an ``EventsTable`` whose rows point to cells, or an ROI response
        series, in an open file.
    time
        (time) start of each frame [s].
    step
        Length of a frame [s].
    values
        ``"amplitudes"`` adds up the events' amplitudes, anything else counts them.

    Returns
    -------
    activity
        (time, unit) counts in the smallest unsigned integers, or real numbers; NaN in frames
        that an ROI response series does not cover.
    kind
        What one number is, see :data:`neurodrift.schema.ACTIVITY_KINDS`.
    table
        The table of units.
    rows
        (unit) row of each unit in the table.

    Raises
    ------
    ValueError
        If no spike, event or sample falls into a frame, or there are no amplitudes.
    """
    from pynwb.misc import Units
    from pynwb.ophys import RoiResponseSeries

    if isinstance(source, RoiResponseSeries):
        rows = np.asarray(source.rois.data[:])
        sampled, data = clock_and_rows(source, nwb_find.path_of(source), rows.size)
        data = nwb_find.in_unit(data, source).reshape(len(data), -1)
        dense = sampled_on_frames(data, sampled, time, step)
        told = source.description
        kind = "activation" if told == "activation" else "deconvolved"
        return dense, kind, source.rois.table, rows
    if isinstance(source, Units):
        ends = np.asarray(source["spike_times"].data[:], dtype=np.int64)
        times = np.asarray(source["spike_times"].target.data[:], dtype=np.float64)
        unit = np.repeat(np.arange(ends.size), np.diff(ends, prepend=0))
        weights, table, kind = None, source, "spikes"
    else:
        regions = nwb_find.region_columns(source)
        if len(regions) > 1:
            names = ", ".join(column.name for column in regions)
            raise ValueError(f"{source.name} points to several tables of cells: {names}")
        times = np.asarray(source["timestamp"].data[:], dtype=np.float64)
        unit = np.asarray(regions[0].data[:], dtype=np.int64)
        table, weights, kind = regions[0].table, None, "events"
        if values == "amplitudes":
            if "amplitude" not in source.colnames:
                raise ValueError(
                    f"{source.name} has no column amplitude ({', '.join(source.colnames)}): "
                    "import the counts with values='events'"
                )
            weights, kind = np.asarray(source["amplitude"].data[:], dtype=np.float64), "amplitudes"
    rows = np.arange(len(table))
    dense = counted_on_frames(times, unit, rows.size, time, step, weights, where=source.name)
    return dense, kind, table, rows


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
        time, _ = clock_and_rows(source, path, rows)
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
    step: float,
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
    frame = frame_of(times, frames, step)
    inside = frame >= 0
    if times.size and not inside.any():
        raise ValueError(
            f"none of the {times.size} times of {where} falls into a frame of the position "
            f"({frames[0]:g} to {frames[-1]:g} s): their clocks differ"
        )
    shape = (frames.size, n_units)
    if weights is not None:
        sums = np.zeros(shape)
        np.add.at(sums, (frame[inside], unit[inside]), weights[inside])
        return sums
    cells, counts = np.unique(frame[inside] * n_units + unit[inside], return_counts=True)
    most = int(counts.max()) if counts.size else 0
    dense = np.zeros(shape, dtype=np.min_scalar_type(most))
    dense.ravel()[cells] = counts
    return dense


def frame_of(times: np.ndarray, frames: np.ndarray, step: float) -> np.ndarray:
    """Frame that each time falls into.

    Parameters
    ----------
    times
        Times [s].
    frames
        (time) start of each frame [s], increasing. A frame lasts to the next one, or for `step`
        before a gap longer than 1.5 steps.
    step
        Length of a frame [s].

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
    steps = np.diff(frames, append=frames[-1] + step)
    last = np.where(steps <= 1.5 * step, steps, step)  # the length of each frame
    slack = _SLACK * step
    index = np.searchsorted(frames, times + slack, side="right") - 1
    inside = (index >= 0) & (times < frames[index] + last[index] - slack)
    return np.where(inside, index, -1)


def sampled_on_frames(
    data: np.ndarray, sampled: np.ndarray, frames: np.ndarray, step: float
) -> np.ndarray:
    """Mean of the samples in each frame, else the nearest sample; NaN where there is none near.

    Parameters
    ----------
    data
        (sample, unit) sampled activity.
    sampled
        (sample) their times [s].
    frames, step
        As for :func:`frame_of`.

    Returns
    -------
    numpy.ndarray
        (time, unit) activity on the frames; `data` itself where it is sampled with them.
    """
    if sampled.shape == frames.shape and np.allclose(sampled, frames, rtol=0, atol=_SLACK * step):
        return data
    if sampled.size < 2:
        raise ValueError("the ROI response series has fewer than two samples")
    frame = frame_of(sampled, frames, step)
    inside = frame >= 0
    count = np.bincount(frame[inside], minlength=frames.size)
    dense = np.zeros((frames.size, data.shape[1]))
    np.add.at(dense, frame[inside], data[inside])
    dense[count > 0] /= count[count > 0, None]
    middle = frames + step / 2
    right = np.clip(np.searchsorted(sampled, middle), 1, sampled.size - 1)
    nearest = right - (middle - sampled[right - 1] < sampled[right] - middle)
    near = np.abs(sampled[nearest] - middle) <= np.median(np.diff(sampled))
    dense[count == 0] = np.where(near[:, None], data[nearest], np.nan)[count == 0]
    return dense
