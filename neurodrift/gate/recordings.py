"""A whole recording at the gate: every session's clock, position and activity, and their days."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import xarray as xr

from neurodrift.gate.blocks import blocks
from neurodrift.gate.clocks import clock_step_findings, silence_findings
from neurodrift.gate.findings import EVERYTHING, Finding, add_findings, checked_accept, settle
from neurodrift.gate.inputs import Position
from neurodrift.gate.looks import Look
from neurodrift.gate.positions import position_findings

LEAST_FRAMES, LEAST_SECONDS = 500, 60.0
"""A session with fewer frames, or shorter, is too short to judge its units of length and time."""

_LONGEST_LIFE = 3650.0  # d, ten years of a rat or a mouse


def admit(
    recording: xr.Dataset, accept: Collection[str] = (), *, looks: Sequence[Look] | None = None
) -> xr.Dataset:
    """Let a recording pass, or refuse it with all that is wrong.

    Parameters
    ----------
    recording
        A recording that keeps to the contract (:func:`neurodrift.schema.check`).
    accept
        Names of findings that are taken as true.
    looks
        (session) what a look at the activity of each told, where it is not read here.

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
    index = recording["session_index"].values
    edges = np.searchsorted(index, np.arange(recording.sizes["session"] + 1))
    for i, label in enumerate(recording["session"].values):
        where = slice(int(edges[i]), int(edges[i + 1]))
        look = _look(recording, where) if looks is None else looks[i]
        told += settle(session_findings(recording, i, where, look), f"session {label}", accept)
    return add_findings(recording, told)


def _look(recording: xr.Dataset, where: slice) -> Look | None:
    """A look at activity in memory; lazy activity stays lazy."""
    kind = recording["activity"].attrs["kind"]
    activity = recording["activity"].isel(time=where).data
    if hasattr(activity, "dask") or kind == "activation":
        return None
    return Look.of(
        lambda: ((frames, part) for frames, _, part in blocks(activity)), len(activity), kind
    )


def session_findings(
    recording: xr.Dataset, number: int, where: slice, look: Look | None
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
    look
        What a look at its activity told; None where nobody looked.

    Returns
    -------
    list of Finding
        Nothing of sessions that are too short to judge, or of simulated ones.
    """
    kind = recording["activity"].attrs["kind"]
    if kind == "activation":
        return []
    time = recording["time"].values[where]
    step = float(recording["frame_duration"].values[number])
    found = [] if look is None else list(look.findings)
    if time.size < LEAST_FRAMES:
        return found
    found += clock_step_findings(time, step)
    if time[-1] - time[0] + step < LEAST_SECONDS or any(item.stops for item in found):
        return found
    if look is not None:
        active = time[look.active]
        found += silence_findings(active, float(time[0]), float(time[-1] + step), "activity")
    if "x" in recording:
        xy = recording["x"].values[where]
        if "y" in recording:
            xy = np.column_stack([xy, recording["y"].values[where]])
        if np.isfinite(xy).any():
            found += position_findings(Position(time=time, xy=xy, source="x"), clock=False)
    return found


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
