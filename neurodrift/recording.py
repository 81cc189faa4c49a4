"""Build a recording from arrays, slice it by session."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Literal

import numpy as np
import xarray as xr

from neurodrift.schema import ACTIVITY_KINDS, COUNT_KINDS, FORMAT_VERSION, RECORDING, check, label

_FRAME_DTYPES = {
    "x": np.float64,
    "y": np.float64,
    "speed": np.float64,
    "direction": np.int8,
    "trial": np.int32,
    "lap": np.int32,
    "map_label": np.int16,
}

SECONDS_PER_DAY = 86400.0


def recording_from_arrays(
    activity: Any,
    *,
    kind: Literal["spikes", "events", "amplitudes", "deconvolved", "activation"],
    time: Any = None,
    frame_duration: Any = None,
    x: Any = None,
    y: Any = None,
    speed: Any = None,
    direction: Any = None,
    trial: Any = None,
    lap: Any = None,
    map_label: Any = None,
    session_index: Any = None,
    session: Sequence[Hashable] | None = None,
    unit: Sequence[Hashable] | None = None,
    detected: Any = None,
    day: Any = None,
    experience: Any = None,
    training_step: Any = None,
    region: Sequence[str] | None = None,
    subject: str = "unknown",
    environment: str = "unknown",
) -> xr.Dataset:
    """Build a recording from plain arrays.

    Every argument over frames is either one array over all frames, with `session_index` saying
    which session a frame belongs to (one session when omitted), or a list with one array for
    each session. The units, the columns of `activity`, are the same in every session; join
    sessions with columns of their own by :func:`join_sessions`.

    Parameters
    ----------
    activity
        (time, unit), or a list of such arrays: counts for kinds ``spikes`` and ``events``, real
        numbers otherwise. NumPy or Dask.
    kind
        What one number is: spike count, event count, event amplitude, deconvolved rate or
        activation of a simulated unit.
    time
        (time) start of each frame [s]. A session whose clock starts over is moved behind the one
        before it, by `day` where that is given. Without it, frames follow at `frame_duration`.
    frame_duration
        Length of a frame [s], a number or one for each session; the median step of `time` when
        omitted.
    x, y
        (time) position [cm], NaN where the animal was not tracked.
    speed
        (time) running speed [cm/s]; :func:`neurodrift.kinematics.running` derives it.
    direction
        (time) running direction on a linear track: -1, 0 (undefined) or +1.
    trial, lap
        (time) number of the trial or lap, -1 for none.
    map_label
        (time) which of several maps of the environment the population is in, 0 for unknown.
    session_index
        (time) 0-based session of each frame, non-decreasing; only with single arrays.
    session
        Labels of the sessions; ``"1"``, ``"2"``, ... when omitted.
    unit
        Labels of the units, strings or integers; 0, 1, ... when omitted.
    detected
        (session, unit) whether the unit was recorded in the session; all True when omitted.
        Not detected is not silent.
    day
        (session) days since the first session.
    experience
        (session) minutes in this environment before the session. When omitted, the tracked time
        of the sessions before it (all frames where there is no position).
    training_step
        (session) training step of a simulated network's snapshot.
    region
        (unit) brain region or layer.
    subject, environment
        Who was recorded, and where.

    Returns
    -------
    xarray.Dataset
        The recording, over (session, time, unit); see :data:`neurodrift.schema.RECORDING`.

    Raises
    ------
    ValueError
        If lengths disagree, counts are negative or fractional, or the result is no recording.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift import recording_from_arrays
    >>> events = np.zeros((200, 3), dtype=int)
    >>> position = np.linspace(0, 100, 200)
    >>> recording = recording_from_arrays(
    ...     [events, events], kind="events", x=[position, position], frame_duration=0.05
    ... )
    >>> dict(recording.sizes)
    {'time': 400, 'unit': 3, 'session': 2}
    """
    if kind not in ACTIVITY_KINDS:
        raise ValueError(f"kind is {kind!r}, expected one of {', '.join(ACTIVITY_KINDS)}")
    blocks = _split(activity, session_index, "activity")
    n_sessions = len(blocks)
    if session is not None and len(session) > n_sessions and session_index is not None:
        blocks += [blocks[0][:0]] * (len(session) - n_sessions)  # sessions without a frame
        n_sessions = len(session)
    lengths = [len(block) for block in blocks]
    labels = [str(i + 1) for i in range(n_sessions)] if session is None else list(session)
    _expect_length("session", labels, n_sessions, "sessions")

    widths = {block.shape[1] for block in blocks}
    if len(widths) > 1:
        raise ValueError(
            f"activity has {sorted(widths)} units in different sessions, expected the same units "
            "in each: build one recording per session and join them with join_sessions"
        )
    n_units = widths.pop()
    units = np.arange(n_units) if unit is None else np.asarray(list(unit))
    _expect_length("unit", units, n_units, "units (columns of activity)")

    frames: dict[str, np.ndarray] = {}
    given = {"x": x, "y": y, "speed": speed, "direction": direction, "trial": trial, "lap": lap}
    for name, values in (given | {"map_label": map_label}).items():
        if values is not None:
            parts = _frame_parts(name, values, lengths, labels, isinstance(activity, list | tuple))
            frames[name] = np.concatenate(parts).astype(_FRAME_DTYPES[name])

    clocks: list[np.ndarray] | None = None
    if time is not None:
        clocks = _frame_parts("time", time, lengths, labels, isinstance(activity, list | tuple))
    durations = _durations(clocks, frame_duration, n_sessions)
    if clocks is None:
        clocks = [np.arange(n) * d for n, d in zip(lengths, durations, strict=True)]
    times = np.concatenate(_end_to_end(clocks, durations, day))

    coords: dict[str, Any] = {
        "time": ("time", times),
        "session": ("session", np.array([str(item) for item in labels], dtype=object)),
        "unit": ("unit", label_array(units)),
        "frame_duration": ("session", durations),
        "subject": str(subject),
        "environment": str(environment),
    }
    index = np.repeat(np.arange(n_sessions, dtype=np.int32), lengths)
    if experience is None and training_step is None:
        tracked = np.isfinite(frames["x"]) if "x" in frames else np.ones(times.size, dtype=bool)
        minutes = np.bincount(index, weights=tracked, minlength=n_sessions) * durations / 60
        experience = (np.cumsum(minutes) - minutes).tolist()
    per_session = {"day": day, "experience": experience, "training_step": training_step}
    for name, values in per_session.items():
        if values is not None:
            _expect_length(name, values, n_sessions, "sessions")
            dtype = np.int64 if name == "training_step" else np.float64
            coords[name] = ("session", np.asarray(values, dtype=dtype))
    if region is not None:
        _expect_length("region", region, n_units, "units")
        coords["region"] = ("unit", np.array([str(item) for item in region], dtype=object))

    found = np.ones((n_sessions, n_units), bool) if detected is None else np.asarray(detected, bool)
    if found.shape != (n_sessions, n_units):
        raise ValueError(
            f"detected has shape {found.shape}, expected (session, unit) = {(n_sessions, n_units)}"
        )
    recording = xr.Dataset(
        {
            "activity": (("time", "unit"), _activity(blocks, kind)),
            "detected": (("session", "unit"), found),
            "session_index": ("time", index),
            **{name: ("time", values) for name, values in frames.items()},
        },
        coords=coords,
    )
    return finish(recording, kind)


def session_slices(recording: xr.Dataset) -> list[slice]:
    """Where each session lies along time.

    Parameters
    ----------
    recording
        A recording over (session, time, unit).

    Returns
    -------
    list of slice
        One slice of ``time`` for each session, in the order of ``session``; empty for a session
        without frames.

    Examples
    --------
    >>> from neurodrift import session_slices, testing
    >>> session_slices(testing.linear_track(n_units=1, n_sessions=2, minutes=1))
    [slice(0, 1200, None), slice(1200, 2400, None)]
    """
    index = recording["session_index"].values
    edges = np.searchsorted(index, np.arange(recording.sizes["session"] + 1))
    return [slice(int(a), int(b)) for a, b in zip(edges[:-1], edges[1:], strict=True)]


def select_sessions(recording: xr.Dataset, sessions: Sequence[Hashable]) -> xr.Dataset:
    """The recording of some sessions only, in the order of the recording.

    Units that were detected in none of them are dropped.

    Parameters
    ----------
    recording
        A recording over (session, time, unit).
    sessions
        Labels of the sessions to keep.

    Returns
    -------
    xarray.Dataset
        A recording; its activity is a view or stays lazy.

    Raises
    ------
    ValueError
        If a label is not in the recording, or none is given.

    Examples
    --------
    >>> from neurodrift import select_sessions, testing
    >>> recording = testing.linear_track(n_units=2, n_sessions=3, minutes=1)
    >>> select_sessions(recording, ["2"]).sizes["time"]
    1200
    """
    check(recording)
    labels = [str(item) for item in recording["session"].values]
    wanted = {str(item) for item in sessions}
    missing = sorted(wanted - set(labels))
    if missing or not wanted:
        raise ValueError(f"no session {missing or 'named'}; the recording has {labels}")
    keep = [i for i, item in enumerate(labels) if item in wanted]
    slices = session_slices(recording)
    parts = [recording.isel(time=slices[i]) for i in keep]
    kept = xr.concat(
        parts,
        dim="time",
        data_vars="minimal",
        coords="minimal",
        compat="override",
        join="exact",
        combine_attrs="override",
    )
    kept = kept.isel(session=keep)
    lengths = [part.sizes["time"] for part in parts]
    kept["session_index"] = ("time", np.repeat(np.arange(len(keep), dtype=np.int32), lengths))
    kept = kept.isel(unit=np.flatnonzero(kept["detected"].values.any(axis=0)))
    return finish(kept, recording["activity"].attrs["kind"])


def finish(recording: xr.Dataset, kind: str) -> xr.Dataset:
    """Label the variables of a recording in the making and check it."""
    recording = label(recording, RECORDING)
    recording["activity"].attrs.update(kind=kind, units=ACTIVITY_KINDS[kind])
    recording.attrs = {"title": "neurodrift recording", "format_version": FORMAT_VERSION}
    check(recording)
    return recording


def _split(activity: Any, session_index: Any, name: str) -> list[Any]:
    if isinstance(activity, list | tuple):
        if session_index is not None:
            raise ValueError("session_index is for one array over all frames, not for a list")
        if not activity:
            raise ValueError("activity is an empty list, expected one array for each session")
        blocks = list(activity)
    else:
        blocks = [activity]
    blocks = [b if hasattr(b, "dask") else np.asarray(b) for b in blocks]
    for block in blocks:
        if block.ndim != 2:
            raise ValueError(f"{name} has {block.ndim} dimensions, expected (time, unit)")
    if session_index is None:
        return blocks
    index = np.asarray(session_index)
    if index.shape != (len(blocks[0]),):
        raise ValueError(
            f"session_index has shape {index.shape}, expected one entry for each of the "
            f"{len(blocks[0])} frames of {name}"
        )
    if index.size and (index.dtype.kind not in "iu" or index[0] < 0 or (np.diff(index) < 0).any()):
        raise ValueError("session_index must be non-negative integers that never decrease")
    n_sessions = int(index[-1]) + 1 if index.size else 1
    edges = np.searchsorted(index, np.arange(n_sessions + 1))
    return [blocks[0][a:b] for a, b in zip(edges[:-1], edges[1:], strict=True)]


def _frame_parts(
    name: str, values: Any, lengths: list[int], labels: list[Any], by_session: bool
) -> list[np.ndarray]:
    if by_session:
        if not isinstance(values, list | tuple) or len(values) != len(lengths):
            raise ValueError(
                f"{name} must be a list of {len(lengths)} arrays, one for each session, because "
                "activity is such a list"
            )
        parts = [np.asarray(part) for part in values]
    else:
        whole = np.asarray(values)
        if whole.shape != (sum(lengths),):
            raise ValueError(
                f"{name} has shape {whole.shape}, but activity has {sum(lengths)} frames: give one "
                "value for each frame (NaN or -1 where there is none)"
            )
        parts = np.split(whole, np.cumsum(lengths)[:-1])
    for part, length, session in zip(parts, lengths, labels, strict=True):
        if part.shape != (length,):
            raise ValueError(
                f"{name} has shape {part.shape} in session {str(session)!r}, but activity has "
                f"{length} frames there: give one value for each frame"
            )
    return parts


def _durations(parts: list[np.ndarray] | None, given: Any, n_sessions: int) -> np.ndarray:
    if given is None:
        if parts is None:
            raise ValueError("give time (start of each frame) or frame_duration, in seconds")
        if any(len(part) < 2 for part in parts):
            raise ValueError("a session has fewer than two frames: give frame_duration [s]")
        return np.array([float(np.median(np.diff(part))) for part in parts])
    return np.broadcast_to(np.asarray(given, dtype=float), (n_sessions,)).copy()


def _end_to_end(parts: list[np.ndarray], durations: np.ndarray, day: Any) -> list[np.ndarray]:
    """Move a session that starts before the last one ended behind it; leave the others."""
    placed: list[np.ndarray] = []
    end = -np.inf
    for i, part in enumerate(parts):
        part = np.asarray(part, dtype=float)
        if part.size and part[0] < end:
            shift = 0.0 if day is None else float(day[i] - day[0]) * SECONDS_PER_DAY
            part = part + (shift if part[0] + shift >= end else end - part[0])
        if part.size:
            end = float(part[-1] + durations[i])
        placed.append(part)
    return placed


def _activity(blocks: list[Any], kind: str) -> Any:
    lazy = any(hasattr(block, "dask") for block in blocks)
    if lazy:
        import dask.array as da

        if kind in COUNT_KINDS and any(block.dtype.kind != "u" for block in blocks):
            raise ValueError(
                f"lazy activity of kind {kind!r} must have an unsigned integer dtype: "
                "activity.astype('uint16')"
            )
        return da.concatenate(blocks, axis=0)  # type: ignore[no-untyped-call]
    whole = blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=0)
    if kind not in COUNT_KINDS:
        return whole if whole.dtype.kind == "f" else whole.astype(np.float64)
    if whole.dtype.kind == "u":
        return whole
    counts = whole.astype(np.uint32, copy=True) if whole.size else whole.astype(np.uint8)
    if whole.size and ((whole < 0).any() or (counts != whole).any()):
        raise ValueError(
            f"activity of kind {kind!r} must be counts (0, 1, 2, ...), found negative, fractional "
            "or NaN values: binarise it, or use kind='deconvolved' or 'amplitudes'"
        )
    return counts.astype(np.min_scalar_type(int(counts.max()))) if counts.size else counts


def label_array(labels: np.ndarray) -> np.ndarray:
    """Labels as integers if all are, otherwise as strings."""
    values = labels.tolist()
    if all(isinstance(item, int) for item in values):
        return np.array(values, dtype=np.int64)
    return np.array([str(item) for item in values], dtype=object)


def _expect_length(name: str, values: Any, length: int, what: str) -> None:
    if len(values) != length:
        raise ValueError(f"{name} has {len(values)} entries, but there are {length} {what}")
