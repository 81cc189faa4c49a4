"""The one way from activity and position, wherever they come from, to NWB files and recordings.

A reader of a pipeline returns an ``Activity``, a ``Position`` or a ``Registration``;
:func:`nwb_session` checks that they fit each other and makes the session that is written.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from neurodrift.convert.files import all_or_none
from neurodrift.gate.activities import activity_findings
from neurodrift.gate.clocks import overlap_findings, silence_findings
from neurodrift.gate.durations import frame_durations, is_even
from neurodrift.gate.findings import Finding, sentences, settle
from neurodrift.gate.inputs import Activity, Columns, Position
from neurodrift.gate.placeholders import refuse_placeholders
from neurodrift.gate.positions import position_findings
from neurodrift.gate.shapes import position_with_geometry
from neurodrift.gate.trials import trial_findings
from neurodrift.geometry.linearization import along
from neurodrift.io.nwb.session import NwbSession, Series
from neurodrift.io.nwb.write import write_session
from neurodrift.schema import COUNT_KINDS


def nwb_session(
    activity: Activity,
    position: Position | None,
    *,
    subject: str,
    environment: str,
    session: str,
    start: datetime = datetime(2000, 1, 1, tzinfo=UTC),
    registered_cell_id: np.ndarray | None = None,
    trials: Columns | None = None,
    day: float | None = None,
    experience: float | None = None,
    accuracy: float | None = None,
    detection: str | None = None,
    accept: Collection[str] = (),
    notes: Sequence[str] = (),
    tables: Mapping[str, tuple[str, Columns]] | None = None,
    subject_fields: Mapping[str, Any] | None = None,
    file_fields: Mapping[str, Any] | None = None,
) -> NwbSession:
    """One session from its activity and position, after checks of clocks, units and shapes.

    Each keeps its own clock; the reader of the NWB file brings them together
    (:mod:`neurodrift.io.nwb.grid`). A few repeated or backward times are mended. What is
    impossible is refused, what is odd raises a :class:`GateWarning`, and what is merely worth
    knowing goes into the notes of the file.

    Parameters
    ----------
    activity, position
        What was measured; without a position there will be no maps.
    subject, environment, session
        Labels.
    start
        Start of the session; 2000-01-01 where it is not known.
    registered_cell_id
        (unit) identity across sessions, -1 for none.
    trials
        Columns of the table of trials, with ``start_time`` and ``stop_time`` [s].
    day
        Days since the first session.
    experience
        Minutes in this environment before the session.
    accuracy
        Share of correct trials, from 0 to 1.
    detection
        How it was decided which units the session has, see :data:`neurodrift.schema.DETECTION`.
    accept
        Names of checks whose refusals are taken as true.
    notes
        What else the file should say.
    tables
        Further tables of the file: name -> (description, columns).
    subject_fields, file_fields
        Further fields of :class:`pynwb.file.Subject` and :class:`pynwb.NWBFile`.

    Returns
    -------
    NwbSession
        The session, for :func:`write_sessions`.

    Raises
    ------
    ValueError
        If anything is impossible; all faults are named.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.gate.inputs import Activity, Position
    >>> from neurodrift.convert.own.sessions import nwb_session
    >>> clock = np.arange(6000) / 30
    >>> session = nwb_session(
    ...     Activity(kind="spikes", source="spikes.mat", times=[np.array([1.5, 2.25, 190.0])]),
    ...     Position(time=clock, xy=50 + 40 * np.sin(clock / 2), source="position.csv"),
    ...     subject="m1",
    ...     environment="track",
    ...     session="1",
    ... )
    >>> session.spikes[0].tolist()
    [1.5, 2.25, 190.0]
    """
    refuse_placeholders(subject=subject, environment=environment, session=session)
    rows = activity.source_rows
    activity, mended = activity.mended()
    activity, findings = activity_findings(activity)
    findings += mended
    position = None if position is None else position.mended()
    if position is None:
        text = "there is no position, so there can be no maps, and `neurodrift import` needs one"
        findings.append(Finding("position", text, warns=True))
    else:
        position, found = position_with_geometry(position, accept)
        findings += found
        findings += [*position.findings, *position_findings(position)]
        findings += overlap_findings(activity, position)
        findings += _silence(activity, position)
    if trials is not None:
        clock = position.time if position is not None else activity.time
        findings += trial_findings(trials, clock)
    known = sentences(settle(findings, f"session {session}", accept))
    ids = np.full(rows.size, -1) if registered_cell_id is None else np.asarray(registered_cell_id)
    if ids.shape != rows.shape:
        raise ValueError(f"registered_cell_id has shape {ids.shape}, expected one of {rows.size}")
    xy, series = _linearised(position)
    ids = ids[np.isin(rows, activity.source_rows)]  # units without a sample are left out
    columns: dict[str, tuple[str, Any]] = dict(activity.columns)
    columns["source_row"] = ("row of the unit in its source, from 0", activity.source_rows)
    if activity.regions is not None:
        columns["location"] = ("brain region", list(activity.regions))
    told = [*notes, f"Activity: {activity.source}.", *known]
    told += [f"Position: {position.source}."] if position is not None else []
    return NwbSession(
        subject=subject,
        environment=environment,
        session=session,
        start=start,
        registered_cell_id=np.asarray(ids, dtype=np.int64),
        unit_columns=columns,
        time=None if position is None else position.time,
        position=xy,
        geometry=None if position is None else position.geometry,
        series=series,
        frame_duration=_own_frames(activity, position),
        trials=trials,
        day=day,
        experience=experience,
        accuracy=accuracy,
        detection=detection,
        tables=tables or {},
        subject_fields=subject_fields or {},
        file_fields={"notes": " ".join(told)} | dict(file_fields or {}),
        **_activity_fields(activity),
        **_recorded_fields(activity, position),
    )


def _linearised(position: Position | None) -> tuple[np.ndarray | None, list[Series]]:
    """The position as it is mapped, and that in the plane beside it where the two differ."""
    if position is None:
        return None, []
    shape = position.geometry
    if shape is None or shape.kind != "graph" or position.xy.ndim == 1:
        return position.xy, []
    plane = Series(
        name="position_in_plane",
        time=position.time,
        data=position.xy,
        unit="meters",
        conversion=0.01,
        description="position of the subject in the plane, stored in cm; NaN = not tracked",
        comments="the position is this one, laid onto the arms of the maze",
    )
    return along(shape, position.xy), [plane]


def _own_frames(activity: Activity, position: Position | None) -> np.ndarray | None:
    """Length of each frame that activity was counted in, where these are the uneven position's."""
    if position is None or activity.samples is None or activity.time is None:
        return None
    time = np.asarray(position.time, dtype=np.float64)
    own = np.asarray(activity.time, dtype=np.float64)
    together = own.shape == time.shape and np.allclose(own, time, rtol=0, atol=1e-6)
    if not together or time.size < 2 or is_even(time):
        return None
    return frame_durations(time)


def _silence(activity: Activity, position: Position) -> list[Finding]:
    """Whether times end long before the position does, where nothing says when they could be."""
    if activity.times is None or activity.recorded is not None or len(position.time) < 2:
        return []
    every = np.unique(np.concatenate([*activity.times, np.empty(0)]))
    start, stop = float(np.min(position.time)), float(np.max(position.time))
    inside = every[(every >= start) & (every <= stop)]
    return silence_findings(inside, start, stop, activity.source)


def _recorded_fields(activity: Activity, position: Position | None) -> dict[str, Any]:
    """When activity was recorded, for kinds that NWB holds without their clock."""
    stretches = activity.stretches()
    if stretches is None or position is None or activity.kind not in (*COUNT_KINDS, "amplitudes"):
        return {}
    if activity.kind == "spikes":
        return {"observed": [stretches] * activity.n_units}
    time = np.asarray(position.time, dtype=np.float64)
    ends = [time.min(), *stretches.ravel(), time.max() + float(frame_durations(time)[-1])]
    gaps = np.array(ends).reshape(-1, 2)
    at = [((time >= start - 1e-6) & (time < stop - 1e-6)).any() for start, stop in gaps]
    return {"invalid": gaps[at]}


def write_sessions(
    sessions: Mapping[str, NwbSession | Callable[[], NwbSession]],
    out_dir: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    verify: Callable[[Path], None] | None = None,
) -> list[Path]:
    """Write several sessions; if one fails, none is written.

    Parameters
    ----------
    sessions
        By file name without ``.nwb``: the session, or a function that makes it, so that one
        session at a time is in memory.
    out_dir
        Folder of the new files.
    overwrite
        Whether existing files are replaced.
    verify
        Called with every finished file under its temporary path; what it raises discards all.

    Returns
    -------
    list of pathlib.Path
        The files, in the order of `sessions`.

    Raises
    ------
    FileExistsError
        If a file exists and `overwrite` is False.
    ValueError
        If a session cannot be written.
    """
    out_dir = Path(out_dir)
    files = [f"{name}.nwb" for name in sessions]
    with all_or_none(out_dir, files, overwrite=overwrite) as folder:
        for file, session in zip(files, sessions.values(), strict=True):
            whole = session() if callable(session) else session
            write_session(whole, folder / file, verify=verify)
    return [out_dir / file for file in files]


def _activity_fields(activity: Activity) -> dict[str, Any]:
    """The activity as NWB holds it: spike times, events, or sampled responses."""
    if activity.times is not None:
        times = [np.asarray(item, dtype=np.float64) for item in activity.times]
        return {"spikes" if activity.kind == "spikes" else "events": times}
    samples, time = activity.samples, activity.time
    assert samples is not None and time is not None
    if activity.kind == "amplitudes":
        frames = [np.flatnonzero(column) for column in samples.T]
        return {
            "events": [time[rows] for rows in frames],
            "amplitudes": [samples[rows, i] for i, rows in enumerate(frames)],
        }
    if activity.kind in COUNT_KINDS:
        step = np.zeros(len(time))
        if activity.kind == "spikes":
            lasting = frame_durations(np.asarray(time, dtype=np.float64))
            step = np.minimum(np.diff(time, append=np.inf), lasting)  # not into the next frame
        return {activity.kind: [_spread(column, time, step) for column in samples.T]}
    series = Series(
        name="activity", time=time, data=samples, unit="a.u.", description=activity.kind
    )
    return {"responses": series}


def _spread(counts: np.ndarray, time: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Times of counted events: evenly over `step` of their frame, all at its start for step 0."""
    rows = np.flatnonzero(counts)
    n = counts[rows].astype(int)
    within = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
    return np.repeat(time[rows], n) + np.repeat(step[rows], n) * within / np.repeat(n, n)
