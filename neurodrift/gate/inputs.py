"""Activity and position of one session, as every reader hands them over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from neurodrift.gate.durations import GAP, frame_durations, mend_clock
from neurodrift.gate.findings import Finding
from neurodrift.geometry.geometry import Geometry
from neurodrift.schema import ACTIVITY_KINDS

Columns = Mapping[str, tuple[str, Any]]
"""Columns of a table: name -> (description, one value for each row)."""


@dataclass(frozen=True, kw_only=True)
class Activity:
    """Activity of the units of one session, on its own clock.

    Either `samples` with `time`, or `times`.

    Parameters
    ----------
    kind
        What one number is, see :data:`neurodrift.schema.ACTIVITY_KINDS`.
    source
        Where it comes from, for messages.
    samples
        (time, unit) sampled activity; NaN where a unit was not recorded.
    time
        (time) when each sample starts [s].
    times
        For each unit the times of its spikes or events [s].
    rows
        (unit) row of the unit in its source, from 0, increasing; counted when omitted.
    n_source
        Number of units in the source, of which some may be left out; `n_units` when omitted.
    regions
        (unit) brain region.
    columns
        Further columns of the table of units.
    recorded
        (stretch, 2) start and stop of when it was recorded [s], where `times` do not tell it.
    """

    kind: str
    source: str
    samples: np.ndarray | None = None
    time: np.ndarray | None = None
    times: Sequence[np.ndarray] | None = None
    rows: np.ndarray | None = None
    n_source: int | None = None
    regions: Sequence[str] | None = None
    columns: Columns = field(default_factory=dict)
    recorded: np.ndarray | None = None

    def __post_init__(self) -> None:
        """Refuse what is no activity at all."""
        if self.kind not in ACTIVITY_KINDS:
            raise ValueError(f"kind is {self.kind!r}, expected one of {', '.join(ACTIVITY_KINDS)}")
        if (self.samples is None) == (self.times is None):
            raise ValueError(f"{self.source}: give either samples or times")
        if self.samples is not None and self.samples.ndim != 2:
            raise ValueError(
                f"{self.source} has shape {self.samples.shape}, expected (frames, units)"
            )

    @property
    def n_units(self) -> int:
        """Number of units."""
        return self.samples.shape[1] if self.samples is not None else len(self.times or [])

    @property
    def source_rows(self) -> np.ndarray:
        """(unit) row of each unit in its source, from 0."""
        return np.arange(self.n_units) if self.rows is None else np.asarray(self.rows)

    def stretches(self) -> np.ndarray | None:
        """When it was recorded, by its own clock.

        Returns
        -------
        numpy.ndarray or None
            (stretch, 2) start and stop [s], without gaps of more than half a sample; the first
            and the last reach one sample further, as far as a frame without a sample may lie from
            one. None for times of which nothing says when they were recorded.
        """
        if self.recorded is not None or self.time is None or len(self.time) < 2:
            return self.recorded
        time = np.asarray(self.time, dtype=np.float64)
        lasting = frame_durations(time)
        after = np.flatnonzero(np.diff(time) > GAP * lasting[:-1]) + 1
        first = np.concatenate([[0], after])
        last = np.concatenate([after, [time.size]]) - 1
        found = np.column_stack([time[first], time[last] + lasting[last]])
        found[0, 0] -= lasting[0]
        return found

    def mended(self) -> tuple[Activity, list[Finding]]:
        """Itself with a few wrong times of its clock put right, and what is told of them.

        Returns
        -------
        activity : Activity
            Itself where nothing is wrong, or too much; see
            :func:`neurodrift.gate.durations.mend_clock`.
        findings : list of Finding
            What was mended.
        """
        if self.time is None or self.samples is None or len(self.time) != len(self.samples):
            return self, []
        found = mend_clock(np.asarray(self.time, dtype=np.float64), self.source)
        if not found.findings:
            return self, []
        samples = self.samples if found.kept.all() else self.samples[found.kept]
        return replace(self, samples=samples, time=found.clock), found.findings

    def pick(self, keep: np.ndarray) -> Activity:
        """The activity of some units.

        Parameters
        ----------
        keep
            (unit) whether to keep it.

        Returns
        -------
        Activity
            The activity of the others left out.
        """
        at = np.flatnonzero(keep).tolist()
        return Activity(
            kind=self.kind,
            source=self.source,
            samples=None if self.samples is None else self.samples[:, at],
            time=self.time,
            times=None if self.times is None else [self.times[i] for i in at],
            rows=self.source_rows[at],
            n_source=self.n_source or self.n_units,
            regions=None if self.regions is None else [self.regions[i] for i in at],
            columns={
                name: (about, np.asarray(values)[at])
                for name, (about, values) in self.columns.items()
            },
            recorded=self.recorded,
        )


@dataclass(frozen=True, kw_only=True)
class Position:
    """Tracked position of one session, on its own clock.

    Parameters
    ----------
    time
        (time) when each frame starts [s].
    xy
        (time) or (time, 2) position [cm], NaN where it was not tracked.
    source
        Where it comes from, for messages.
    findings
        What its reader cannot know, for the gate.
    geometry
        Shape of the environment, where it is known.
    """

    time: np.ndarray
    xy: np.ndarray
    source: str
    findings: tuple[Finding, ...] = ()
    geometry: Geometry | None = None

    def __post_init__(self) -> None:
        """Refuse what is no position at all."""
        if self.xy.ndim > 2 or (self.xy.ndim == 2 and self.xy.shape[1] != 2):
            hint = " (frames and axes look swapped)" if self.xy.shape[0] == 2 else ""
            raise ValueError(
                f"{self.source} has shape {self.xy.shape}, expected (frames) or (frames, 2){hint}"
            )
        if len(self.xy) != len(self.time):
            raise ValueError(
                f"{self.source} has {len(self.xy)} positions, but its clock has {len(self.time)}"
            )

    def mended(self) -> Position:
        """Itself with a few wrong times of its clock put right, which is among its findings.

        Returns
        -------
        Position
            Itself where nothing is wrong, or too much.
        """
        found = mend_clock(np.asarray(self.time, dtype=np.float64), self.source)
        if not found.findings:
            return self
        told = (*self.findings, *found.findings)
        return replace(self, time=found.clock, xy=self.xy[found.kept], findings=told)


def clock(
    n_frames: int, source: str, *, time: np.ndarray | None = None, rate: float | None = None
) -> np.ndarray:
    """The clock of frames, from their timestamps or their rate.

    Parameters
    ----------
    n_frames
        Number of frames.
    source
        What has them, for messages.
    time
        (time) timestamps [s].
    rate
        Frames per second [Hz], where there are no timestamps.

    Returns
    -------
    numpy.ndarray
        (time) when each frame starts [s].

    Raises
    ------
    ValueError
        If there is neither, or they do not fit.
    """
    if time is not None:
        time = np.asarray(time, dtype=np.float64).ravel()
        if time.size != n_frames:
            raise ValueError(f"{source} has {n_frames} frames, but its clock has {time.size}")
        return time
    if rate is None:
        raise ValueError(f"{source} has no clock: give the times of its frames, or their rate [Hz]")
    if not (np.isfinite(rate) and rate > 0):
        raise ValueError(f"the rate of {source} is {rate}, expected frames per second")
    return np.arange(n_frames) / rate
