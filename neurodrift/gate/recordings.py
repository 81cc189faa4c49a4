"""A whole recording at the gate: every session's clock, position and activity, and their days."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from neurodrift.gate.clocks import clock_step_findings, silence_findings
from neurodrift.gate.findings import EVERYTHING, Finding, add_findings, checked_accept, settle
from neurodrift.gate.inputs import Position
from neurodrift.gate.positions import position_findings
from neurodrift.gate.shapes import with_geometry
from neurodrift.gate.traces import trace_findings
from neurodrift.geometry.geometry import geometry_of
from neurodrift.schema import COUNT_KINDS

LEAST_FRAMES, LEAST_SECONDS = 500, 60.0
"""A session with fewer frames, or shorter, is too short to judge its units of length and time."""

_LONGEST_LIFE = 3650.0  # d, ten years of a rat or a mouse
_WRAPPED_BYTE = 3  # below 256, where other counts are small
_WRAPPED = 100  # below a power of two: what small negative numbers become without a sign


@dataclass(frozen=True)
class Seen:
    """What a look at the activity of one session tells.

    Parameters
    ----------
    active
        (time) whether any unit is active.
    size, n_below
        How many values there are, and how many are below 0.
    most, most_low
        The largest value, and the largest of those below what a wrapped byte can be; -1 for none.
    """

    active: np.ndarray
    size: int
    n_below: int
    most: float
    most_low: float

    @classmethod
    def of(cls, parts: Callable[[], Iterable[tuple[slice, np.ndarray]]], n_frames: int) -> Seen:
        """Look at all of it.

        Parameters
        ----------
        parts
            Gives frames and activity (frame, unit) of one part after the other.
        n_frames
            Frames in all.

        Returns
        -------
        Seen
            The same, whatever the parts.
        """
        active = np.zeros(n_frames, dtype=bool)
        size = n_below = 0
        most = most_low = -1.0
        for frames, part in parts():
            active[frames] |= (part != 0).any(axis=1)
            size += part.size
            n_below += int((part < 0).sum())
            if part.size:
                most = max(most, part.max())
                low = part[part < 256 - _WRAPPED_BYTE]
                most_low = max(most_low, low.max() if low.size else -1.0)
        return cls(active, size, n_below, most, most_low)


def admit(
    recording: xr.Dataset, accept: Collection[str] = (), *, seen: Sequence[Seen] | None = None
) -> xr.Dataset:
    """Let a recording pass, or refuse it with all that is wrong.

    Parameters
    ----------
    recording
        A recording that keeps to the contract (:func:`neurodrift.schema.check`).
    accept
        Names of findings that are taken as true.
    seen
        (session) what a look at the activity of each session told, where it is not read here.

    Returns
    -------
    xarray.Dataset
        The recording; what was warned of or accepted stands in its attribute ``findings``, as a
        JSON list.

    Raises
    ------
    ValueError
        If a finding stops it and is not accepted.

    Examples
    --------
    >>> import numpy as np
    >>> import neurodrift as nd
    >>> time = np.arange(0, 120, 0.05)
    >>> metres = 0.5 + 0.4 * np.sin(time / 3)
    >>> counts = np.ones((2400, 1), int)
    >>> try:
    ...     nd.recording_from_arrays(counts, kind="spikes", time=time, x=metres)
    ... except ValueError as error:
    ...     print(str(error)[:68])
    session 1 does not pass the gate:
    - x covers 0.8 cm: the unit of len
    """
    accept = checked_accept(accept)
    told = settle(_day_findings(recording), "the recording", accept - {EVERYTHING})
    if EVERYTHING in accept:
        return recording
    recording, found = with_geometry(recording, accept)
    told += settle(found, "the recording", accept)
    index = recording["session_index"].values
    edges = np.searchsorted(index, np.arange(recording.sizes["session"] + 1))
    for i, label in enumerate(recording["session"].values):
        where = slice(int(edges[i]), int(edges[i + 1]))
        known = None if seen is None else seen[i]
        told += settle(session_findings(recording, i, where, known), f"session {label}", accept)
    return add_findings(recording, told)


def session_findings(
    recording: xr.Dataset, number: int, where: slice, seen: Seen | None = None
) -> list[Finding]:
    """What is odd or impossible in one session of a recording.

    Parameters
    ----------
    recording
        The recording.
    number
        Number of the session.
    where
        Its frames.
    seen
        What a look at its activity told, where it is not read here.

    Returns
    -------
    list of Finding
        Nothing of sessions that are too short to judge, or of simulated ones.
    """
    kind = recording["activity"].attrs["kind"]
    if kind == "activation":  # of a network, which has no clock of its own
        return []
    time = recording["time"].values[where]
    durations = recording["frame_duration"].values[where]
    step = float(np.median(durations)) if durations.size else np.nan
    found = []
    activity = recording["activity"].isel(time=where).data
    if seen is None and not hasattr(activity, "dask"):
        seen = Seen.of(lambda: [(slice(None), activity)], time.size)
        found += trace_findings(lambda: [activity], time.size, kind, "activity")
    if seen is not None:  # else it stays lazy
        found += _value_findings(seen, kind)
    if time.size < LEAST_FRAMES:
        return found
    found += clock_step_findings(time, step)
    if time[-1] - time[0] + step < LEAST_SECONDS or any(item.stops for item in found):
        return found
    if seen is not None:
        active, stop = time[seen.active], float(time[-1] + step)
        found += silence_findings(active, float(time[0]), stop, "activity")
    if "x" in recording:
        xy = recording["x"].values[where]
        if "y" in recording:
            xy = np.column_stack([xy, recording["y"].values[where]])
        if np.isfinite(xy).any():
            shape = geometry_of(recording) if "geometry" in recording.attrs else None
            position = Position(time=time, xy=xy, source="x", geometry=shape)
            found += position_findings(position, clock=False)
    return found


def _value_findings(seen: Seen, kind: str) -> list[Finding]:
    """Counts that no animal has, traces that are called deconvolved, amplitudes below 0."""
    if kind == "amplitudes" and seen.n_below:
        text = f"activity has {seen.n_below} amplitudes of events below 0: is it a trace of "
        text += "fluorescence?"
        numbers = {"below_zero": seen.n_below / max(seen.size, 1)}
        return [Finding("trace", text, True, True, numbers=numbers)]
    if kind not in COUNT_KINDS:
        return []
    most = int(seen.most)
    wrapped = any(0 < 2**bits - most <= _WRAPPED for bits in (16, 32, 64))
    if not wrapped and (most not in (254, 255) or not 0 <= seen.most_low <= _WRAPPED):
        return []
    text = (
        f"activity has {most} {kind} of one unit in one frame: numbers below 0 that were stored "
        "as unsigned wrap to such counts (65535 was -1)"
    )
    return [Finding("counts", text, True, True, numbers={"most": most})]


def _day_findings(recording: xr.Dataset) -> list[Finding]:
    if "day" not in recording.coords:
        return []
    day = recording["day"].values
    known = day[np.isfinite(day)]
    if known.size and np.ptp(known) > _LONGEST_LIFE:
        text = (
            f"the sessions lie {np.ptp(known):g} days apart, longer than an animal lives: are "
            "these seconds? Give days since the first session, or dates"
        )
        return [Finding("days", text, True, True, numbers={"days": float(np.ptp(known))})]
    if np.isfinite(day).all() and (np.diff(day) < 0).any():
        at = int(np.argmax(np.diff(day) < 0))
        labels = recording["session"].values
        text = (
            f"session {labels[at + 1]} is of day {day[at + 1]:g}, but follows session {labels[at]} "
            f"of day {day[at]:g}: put the sessions in the order of their days"
        )
        return [Finding("day_order", text, stops=True)]
    return []
