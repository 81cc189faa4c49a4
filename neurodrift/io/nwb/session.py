"""One recorded session, as every converter hands it to the NWB writer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.gate.durations import is_even as has_even_clock
from neurodrift.gate.inputs import Columns
from neurodrift.geometry.geometry import Geometry, geometry_of
from neurodrift.recording import is_even, slice_sessions
from neurodrift.schema import COUNT_KINDS, check

UNIT_LABEL = "unit_label"
"""Column of the units' labels in a recording, where they are not their registered ids."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """A time series on its own clock, stored as it is.

    Parameters
    ----------
    name
        Name in the file.
    time
        (time) seconds since the start of the session.
    data
        (time) or (time, column).
    unit
        Unit of `data` times `conversion`.
    description, comments
        What it is, and what to know about it.
    conversion
        Factor from the stored numbers to `unit`.
    is_position
        Whether it is another position of the subject, such as the one along a linearised track.
    """

    name: str
    time: np.ndarray
    data: np.ndarray
    unit: str
    description: str
    comments: str = "no comments"
    conversion: float = 1.0
    is_position: bool = False


@dataclass(frozen=True, kw_only=True)
class NwbSession:
    """One session of one subject in one environment, as every converter hands it over.

    Activity is any of `events` (calcium), `spikes` and `responses`. Times are seconds since
    `start`.

    Parameters
    ----------
    subject, environment, session
        Labels; `session` is the label that the recording gets.
    start
        Start of the session, with a time zone.
    registered_cell_id
        (unit) identity of the unit across sessions, -1 if it was not matched.
    region
        Brain region.
    unit_columns
        Further columns of the table of units.
    events, amplitudes
        For each unit the times [s] of its calcium events, and their amplitudes [a.u.].
    spikes
        For each unit its spike times [s], strictly increasing.
    observed
        For each unit with spikes (interval, 2) start and stop of when it could be seen [s]; all
        frames when omitted.
    invalid
        (stretch, 2) start and stop of when activity was not recorded [s].
    responses
        (time, unit) continuous activity of all units, such as deconvolved rates.
    time
        (time) start of each frame of the position [s].
    frame_duration
        (time) length of each frame [s], where activity was counted in these very frames; a grid of
        its own is laid over an uneven clock otherwise.
    position
        (time) or (time, 2) position [cm], NaN where it was not tracked; or another variable in
        the unit of `geometry`.
    geometry
        Shape of the environment, where it is known.
    velocity
        (time) signed velocity along a linear track [cm/s].
    speed
        (time) running speed [cm/s].
    speed_is_projected
        Whether `velocity` is only the component along one axis, below the speed along the track.
    series
        Further series, such as the raw tracking.
    only_running
        Whether the source kept only frames in which the subject ran, so that no speed can be told.
    trials
        Columns of the table of trials, with ``start_time`` and ``stop_time`` [s].
    epochs
        Columns of the table of epochs, for a session with several; one for the whole session when
        omitted.
    tables
        Further tables: name -> (description, columns).
    day
        Days since the subject's first session.
    experience
        Minutes in this environment before the session.
    accuracy
        Share of correct trials, from 0 to 1.
    detection
        How it was decided which units the session has, see :data:`neurodrift.schema.DETECTION`.
    subject_fields, file_fields
        Further fields of :class:`pynwb.file.Subject` and :class:`pynwb.NWBFile`.
    """

    subject: str
    environment: str
    session: str
    start: datetime
    registered_cell_id: np.ndarray
    region: str = "unknown"
    unit_columns: Columns = field(default_factory=dict)
    events: Sequence[np.ndarray] | None = None
    amplitudes: Sequence[np.ndarray] | None = None
    spikes: Sequence[np.ndarray] | None = None
    observed: Sequence[np.ndarray] | None = None
    invalid: np.ndarray | None = None
    responses: Series | None = None
    time: np.ndarray | None = None
    frame_duration: np.ndarray | None = None
    position: np.ndarray | None = None
    geometry: Geometry | None = None
    velocity: np.ndarray | None = None
    speed: np.ndarray | None = None
    speed_is_projected: bool = False
    series: Sequence[Series] = ()
    only_running: bool = False
    trials: Columns | None = None
    epochs: Columns | None = None
    tables: Mapping[str, tuple[str, Columns]] = field(default_factory=dict)
    day: float | None = None
    experience: float | None = None
    accuracy: float | None = None
    detection: str | None = None
    subject_fields: Mapping[str, Any] = field(default_factory=dict)
    file_fields: Mapping[str, Any] = field(default_factory=dict)


def session_from_recording(
    recording: xr.Dataset,
    session: str,
    *,
    start: datetime = datetime(2000, 1, 1, tzinfo=UTC),
) -> NwbSession:
    """Take one session out of a recording, to be written as an NWB file.

    Parameters
    ----------
    recording
        A recording over (session, time, unit). Units that are integers keep their numbers as
        registered ids, others are numbered.
    session
        Label of the session.
    start
        Start of the recording's first day; the session starts its ``day`` later.

    Returns
    -------
    NwbSession
        The session with the units detected in it. Events lie at the start of their frame, spikes
        are spread evenly over it.

    Raises
    ------
    ValueError
        If the recording has no such session, or it has no frames.

    Examples
    --------
    >>> from neurodrift import testing
    >>> from neurodrift.io.nwb.session import session_from_recording
    >>> session = session_from_recording(testing.linear_track(n_units=3, minutes=1), "2")
    >>> session.start.day, len(session.events)
    (3, 3)
    """
    check(recording)
    labels = [str(item) for item in recording["session"].values]
    if session not in labels:
        raise ValueError(f"no session {session!r}; the recording has {labels}")
    index = labels.index(session)
    part = recording.isel(time=slice_sessions(recording)[index])
    if not part.sizes["time"]:
        raise ValueError(f"session {session!r} has no frames")
    found = recording["detected"].values[index]
    activity = np.asarray(part["activity"].isel(unit=np.flatnonzero(found)).values)
    units = recording["unit"].values
    ids = units if units.dtype.kind in "iu" else np.arange(units.size)
    if "registered" in recording.coords:
        ids = np.where(recording["registered"].values, ids, -1)
    kind = recording["activity"].attrs["kind"]
    lasting = part["frame_duration"].values
    step = float(np.median(lasting))
    time = _session_clock(part["time"].values, step)
    day = float(recording["day"].values[index]) if "day" in recording.coords else float(index)
    columns = [np.flatnonzero(column) for column in activity.T]
    fields: dict[str, Any] = {}
    about: dict[str, tuple[str, Any]] = {}
    if "registration_score" in recording:
        score = recording["registration_score"].values[index, found]
        about["registration_score"] = ("how sure the registration is, from 0 to 1", score)
    if not np.array_equal(ids, units):
        about[UNIT_LABEL] = ("label of the unit in the recording", units[found])
    if "region" in recording.coords:
        about["location"] = ("brain region", recording["region"].values[found])
    if kind == "amplitudes":
        fields["events"] = [time[frames] for frames in columns]
        fields["amplitudes"] = [activity[rows, i] for i, rows in enumerate(columns)]
    elif kind in COUNT_KINDS:
        counts = [activity[frames, i].astype(int) for i, frames in enumerate(columns)]
        spread = lasting if kind == "spikes" else np.zeros(time.size)
        fields[kind] = [
            np.repeat(time[frames], n) + np.repeat(spread[frames], n) * _within(n)
            for frames, n in zip(columns, counts, strict=True)
        ]
    else:
        fields["responses"] = Series(
            name="activity", time=time, data=activity, unit="a.u.", description=kind
        )
    if "x" in part:
        x = part["x"].values
        fields["time"] = time
        fields["position"] = np.column_stack([x, part["y"].values]) if "y" in part else x
        fields["geometry"] = geometry_of(recording) if "geometry" in recording.attrs else None
        if time.size < 2 or not (is_even(lasting) and has_even_clock(time)):
            fields["frame_duration"] = lasting
    if "speed" in part and "direction" in part:
        direction = part["direction"].values
        fields["velocity"] = np.where(direction < 0, -1, 1) * part["speed"].values
        if (np.sign(np.nan_to_num(fields["velocity"])) != direction).any():
            told = "running direction, 0 = undefined"
            fields["series"] = [
                Series(name="direction", time=time, data=direction, unit="1", description=told)
            ]
    elif "speed" in part:
        fields["speed"] = part["speed"].values
    return NwbSession(
        subject=str(recording["subject"].item()),
        environment=str(recording["environment"].item()),
        session=session,
        start=start + timedelta(days=day),
        registered_cell_id=np.asarray(ids)[found],
        unit_columns=about,
        day=day,
        experience=_of_session(recording, "experience", index),
        accuracy=_of_session(recording, "accuracy", index),
        detection=recording.attrs.get("detection"),
        trials=_trials(part, time, lasting),
        **fields,
    )


def session_faults(session: NwbSession) -> list[str]:
    """List every contradiction within a session.

    Parameters
    ----------
    session
        A session that is to be written.

    Returns
    -------
    list of str
        One sentence for each fault, empty if there is none.
    """
    faults = []
    if session.start.tzinfo is None:
        faults.append("start has no time zone: give an aware datetime")
    ids = np.asarray(session.registered_cell_id)
    used, times = np.unique(ids[ids >= 0], return_counts=True)
    if (times > 1).any():
        faults.append(f"registered_cell_id {used[times > 1][:5].tolist()} occurs more than once")
    per_unit = {"events": session.events, "amplitudes": session.amplitudes}
    per_unit |= {"spikes": session.spikes, "observed": session.observed}
    per_unit |= {f"unit column {n!r}": values for n, (_, values) in session.unit_columns.items()}
    for name, values in per_unit.items():
        if values is not None and len(values) != ids.size:
            faults.append(f"{name} has {len(values)} entries, but there are {ids.size} units")
    if session.amplitudes is not None:
        lengths = [np.size(times) for times in session.events or []]
        if lengths != [np.size(values) for values in session.amplitudes]:
            faults.append("amplitudes and events differ in length: give one for each event")
    for i, times in enumerate(session.spikes or []):
        if (np.diff(times) <= 0).any():
            faults.append(f"spikes of unit {i} are not strictly increasing: sort, drop repeats")
            break
    if session.responses is not None and session.responses.data.shape[1:] != (ids.size,):
        faults.append(
            f"responses have shape {session.responses.data.shape}, expected (time, {ids.size})"
        )
    faults += _clock_faults(session)
    tables = {name: columns for name, (_, columns) in session.tables.items()}
    tables |= {"trials": session.trials or {}, "epochs": session.epochs or {}}
    for name, columns in tables.items():
        if len({len(values) for _, values in columns.values()}) > 1:
            faults.append(f"columns of table {name!r} differ in length")
    return faults


def _clock_faults(session: NwbSession) -> list[str]:
    faults = []
    clocks = [(series.name, series.time, series.data) for series in session.series]
    for name in ("position", "velocity", "speed", "frame_duration"):
        values = getattr(session, name)
        if values is None:
            continue
        if session.time is None:
            faults.append(f"{name} without time: give the start of each frame [s]")
        else:
            clocks.append((name, session.time, values))
    if session.responses is not None:
        clocks.append((session.responses.name, session.responses.time, session.responses.data))
    for name, time, values in clocks:
        if len(time) != len(values):
            faults.append(f"{name} has {len(values)} samples, but its time has {len(time)}")
        if not (np.diff(time) > 0).all():
            faults.append(f"the time of {name} is not strictly increasing, or NaN")
    if session.position is not None and not np.isfinite(session.position).any():
        faults.append("position is NaN in every frame: leave it out, or give the tracked position")
    return faults


def _session_clock(time: np.ndarray, step: float) -> np.ndarray:
    """Time since the first frame, in whole frames where only rounding makes it differ."""
    time = time - time[0]
    frames = np.round(time / step)
    whole = frames / (1 / step)
    return np.asarray(whole if np.abs(whole - time).max() < 1e-6 * step else time)


def _within(counts: np.ndarray) -> np.ndarray:
    """Place of each of n spikes within its frame: 0, 1/n, 2/n, ..."""
    first = np.cumsum(counts) - counts
    order = np.arange(counts.sum()) - np.repeat(first, counts)
    return order / np.repeat(counts, counts)


def _of_session(recording: xr.Dataset, name: str, index: int) -> float | None:
    if name not in recording.coords:
        return None
    return float(recording[name].values[index])


def _trials(part: xr.Dataset, time: np.ndarray, lasting: np.ndarray) -> Columns | None:
    """Stretches of frames of one trial, type, lap and map; None where there is none of them."""
    none = {"trial": -1, "trial_type": -1, "lap": -1, "map_label": 0}
    found = {
        name: part[name].values if name in part else np.full(time.size, value)
        for name, value in none.items()
    }
    if not any((found[name] != value).any() for name, value in none.items()):
        return None
    changed = np.any([np.diff(values) != 0 for values in found.values()], axis=0)
    first = np.concatenate([[0], np.flatnonzero(changed) + 1])
    last = np.concatenate([first[1:], [time.size]]) - 1
    kept = np.any([found[name][first] != value for name, value in none.items()], axis=0)
    first, last = first[kept], last[kept]
    columns: dict[str, tuple[str, Any]] = {
        "start_time": ("", time[first]),
        "stop_time": ("", time[last] + lasting[last]),
        "track_trial": ("number of the trial, -1 = none", found["trial"][first]),
    }
    if "trial_type" in part:
        columns["trial_type"] = ("kind of the trial, -1 = none", found["trial_type"][first])
    if "map_label" in part:
        columns["map_label"] = ("map of the environment, 0 = unknown", found["map_label"][first])
    if "lap" in part:
        columns["lap"] = ("number of the lap, -1 = none", found["lap"][first])
    return columns
