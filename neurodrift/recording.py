"""Build a recording from arrays, slice it by session."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xarray as xr

from neurodrift.gate import labels as own_labels
from neurodrift.gate import plain
from neurodrift.gate.durations import frame_durations, mend_clock
from neurodrift.gate.findings import Finding, add_findings, settle
from neurodrift.gate.placeholders import refuse_placeholders
from neurodrift.gate.recordings import admit
from neurodrift.geometry.geometry import Geometry, as_geometry
from neurodrift.schema import (
    ACTIVITY_KINDS,
    COUNT_KINDS,
    DETECTION,
    FORMAT_VERSION,
    check,
    label,
    recording_table,
)
from neurodrift.schema.objects import expect_choice

if TYPE_CHECKING:
    from neurodrift.schema.types import Frames, Values


def recording_from_arrays(
    activity: Frames,
    *,
    kind: Literal["spikes", "events", "amplitudes", "deconvolved", "fluorescence", "activation"],
    time: Frames | None = None,
    frame_duration: Frames | None = None,
    x: Frames | None = None,
    y: Frames | None = None,
    geometry: Geometry | Mapping[str, object] | str | None = None,
    speed: Frames | None = None,
    direction: Frames | None = None,
    trial: Frames | None = None,
    trial_type: Frames | None = None,
    lap: Frames | None = None,
    map_label: Frames | None = None,
    session_index: Values | None = None,
    session: Sequence[Hashable] | None = None,
    unit: Sequence[Hashable] | None = None,
    detected: Values | None = None,
    day: Values | None = None,
    experience: Values | None = None,
    training_step: Values | None = None,
    loss: Values | None = None,
    accuracy: Values | None = None,
    region: Sequence[str] | None = None,
    registered: Values | None = None,
    registration_score: Values | None = None,
    detection: Literal["together", "each_session"] | None = None,
    subject: str = "unknown",
    environment: str = "unknown",
    accept: Collection[str] = (),
) -> xr.Dataset:
    """Build a recording from plain arrays.

    Every argument over frames is either one array over all frames, with `session_index` saying
    which session a frame belongs to (one session when omitted), or a list with one array for
    each session. The units, the columns of `activity`, are the same in every session; join
    sessions with columns of their own by :func:`join_sessions`. Labelled arrays are taken by the
    names of their dimensions, ``time`` and ``unit``, and their labels stand where `unit` or `time`
    is omitted; labels in another order, or other times, are refused. Masks are kept to: masked
    positions are NaN,
    frames that are masked for all units are left out, and a unit that is masked throughout a
    session is not detected there.

    Parameters
    ----------
    activity
        (time, unit), or a list of such arrays: counts for kinds ``spikes`` and ``events``, real
        numbers otherwise. NumPy or Dask.
    kind
        What one number is: spike count, event count, summed amplitude of events, deconvolved
        activity, fluorescence (F, dF/F or a denoised trace, of any sign), or the noise-free
        activation of a simulated unit; see :data:`neurodrift.schema.kinds.KINDS`.
    time
        (time) start of each frame [s], or dates or differences of time. A few times that repeat
        or run backwards are mended, see :func:`neurodrift.gate.durations.mend_clock`. A session
        whose clock starts over (its first frame is not after the last one before it) is moved
        behind, by `day` where that is given. Without `time`, frames follow at `frame_duration`.
    frame_duration
        Length of a frame [s]: a number, one for each session, or (time) one for each frame. When
        omitted, it is told by `time`: one length for an even clock, else until the next frame but
        for gaps; see :func:`neurodrift.gate.durations.frame_durations`.
    x, y
        (time) position [cm], NaN where the animal was not tracked; or another variable, such as
        head direction, in the unit of its `geometry`.
    geometry
        Shape of the environment, from :mod:`neurodrift.geometry` or as text, such as
        ``"circular:180"`` or ``"vr:200"``. When omitted, `x` alone is a linear track and `x` with
        `y` a field; where `x` jumps back as on a round track or in a corridor, that is proposed
        from the positions, with a warning.
    speed
        (time) running speed [cm/s]; :func:`neurodrift.kinematics.running` derives it.
    direction
        (time) running direction on a linear track: -1, 0 (undefined) or +1.
    trial, lap
        (time) number of the trial or lap, -1 for none.
    trial_type
        (time) kind of the trial, such as the odour, the turn or the class of a stimulus, -1 for
        none.
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
        (session) days since the first session, or dates.
    experience
        (session) minutes in this environment before the session. When omitted, the tracked time
        of the sessions before it (all frames where there is no position).
    training_step
        (session) training step of a simulated network's snapshot.
    loss
        (session) training loss or another error, smaller when performance is better; NaN where
        it is not known.
    accuracy
        (session) share of correct trials, from 0 to 1; NaN where it is not known.
    region
        (unit) brain region or layer.
    detection
        How it was decided which units a session has: from all sessions ``"together"``, so that a
        unit that is not detected was not seen; or in ``"each_session"`` by itself and by their
        activity, as CNMF and suite2p do, so that it was silent: then fractions of active units and
        of place cells are of all registered units. Not known when omitted.
    registered
        (unit) whether the unit could be found in other sessions. One whose identity across
        sessions is not known counts in its own session, but not in drift. All True when omitted.
    registration_score
        (session, unit) how sure the registration of the unit in the session is, from 0 to 1, NaN
        where it has no score.
    subject, environment
        Who was recorded, and where.
    accept
        Names of findings of the gate that are taken as true, see :mod:`neurodrift.gate`.

    Returns
    -------
    xarray.Dataset
        The recording, over (session, time, unit); see :data:`neurodrift.schema.RECORDING`. It
        shares memory with activity that needs no conversion.

    Raises
    ------
    ValueError
        If lengths disagree, counts are negative or fractional, real activity is NaN, whole numbers
        do not fit, the result is no recording (:func:`neurodrift.schema.check`), or the gate finds
        what cannot be (:func:`neurodrift.gate.admit`).
    TypeError
        If something is text, complex or None where numbers are due.

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
    shape = as_geometry(geometry)
    if not isinstance(kind, str) or kind not in ACTIVITY_KINDS:
        raise ValueError(f"kind is {kind!r}, expected one of {', '.join(ACTIVITY_KINDS)}")
    named = None if session is None else plain.labels("session", session)
    refuse_placeholders(subject=subject, environment=environment, session=named)
    listed = isinstance(activity, list | tuple)
    parts: list[Any] = [*activity] if isinstance(activity, list | tuple) else [activity]
    brought_units = own_labels.shared("activity", parts, [str(i + 1) for i in range(len(parts))])
    if time is None:
        time = _brought_times(parts, listed)
    blocks = activity_blocks(activity, session_index)
    session = None if session is None else plain.labels("session", session)
    if session is not None and len(session) > len(blocks) and session_index is not None:
        blocks += [blocks[0][:0]] * (len(session) - len(blocks))  # sessions without a frame
    lengths = [len(block) for block in blocks]
    n_sessions, n_units = len(blocks), blocks[0].shape[1]
    labels = [str(i + 1) for i in range(n_sessions)] if session is None else list(map(str, session))
    expect_length("session", labels, n_sessions, "sessions")
    if unit is None:
        unit = range(n_units) if brought_units is None else brought_units
    units = label_array(plain.labels("unit", unit))
    expect_length("unit", units, n_units, "units (columns of activity)")
    if brought_units is not None and sorted(map(str, brought_units)) == sorted(map(str, units)):
        own_labels.agree("activity", brought_units, units.tolist(), "unit")  # others are new names
    per_session: dict[str, Any] = {
        "day": day,
        "experience": experience,
        "training_step": training_step,
    }
    per_session |= {"loss": loss, "accuracy": accuracy}
    pairs = {"detected": detected, "registration_score": registration_score}
    along = {"region": region, "registered": registered}
    for name, values in (pairs | along).items():
        own = own_labels.brought(values, "unit", 1 if name in pairs else 0)
        own_labels.agree(name, own, units.tolist(), "unit")
    for name, values in (pairs | per_session).items():
        own_labels.agree(name, own_labels.brought(values, "session", 0), labels, "session")
    for name, values in per_session.items():
        if values is not None:
            expect_length(name, values, n_sessions, "sessions")
    if day is not None:
        per_session["day"] = day = plain.days(day)

    unmasked = [plain.unmasked_activity(b, label) for b, label in zip(blocks, labels, strict=True)]
    blocks = [block for block, _, _ in unmasked]
    given: dict[str, Any] = {"x": x, "y": y, "speed": speed, "direction": direction}
    given |= {"trial": trial, "lap": lap, "trial_type": trial_type, "map_label": map_label}
    frames = {
        name: by_session(name, values, lengths, labels, listed, n_units)
        for name, values in given.items()
        if values is not None
    }
    clocks = None if time is None else by_session("time", time, lengths, labels, listed, n_units)
    told_frames = [kept for _, kept, _ in unmasked]
    mended: list[tuple[str, list[Finding]]] = []
    once = [np.ones(n, dtype=bool) for n in lengths]
    if clocks is not None:
        clocks, once, mended = _mended_clocks(clocks, labels)
    durations = durations_of(clocks, once, time, listed, frame_duration, lengths, labels)
    if time is not None:
        times_of: Any = time
        shortest = min((float(np.nanmin(part)) for part in durations if part.size), default=np.inf)
        for name, values in given.items():
            if values is not None:
                held, times = (values, times_of) if listed else ([values], [times_of])
                own_labels.agree_on_times(name, held, times, shortest)
    if clocks is None:
        clocks = [np.arange(part.size) * part[:1].sum() for part in durations]
        for part, clock in zip(durations, clocks, strict=True):
            if part.size and not (part == part[0]).all():
                clock[1:] = np.cumsum(part[:-1])
    for i, kept in enumerate(told_frames):
        kept = once[i] if kept is None else kept & once[i]
        if not kept.all():
            blocks[i], clocks[i], lengths[i] = blocks[i][kept], clocks[i][kept], int(kept.sum())
            durations[i] = durations[i][kept]
            for values in frames.values():
                values[i] = values[i][kept]
    whole = {name: cast_frames(name, parts) for name, parts in frames.items()}
    placed = end_to_end(clocks, durations, day)
    recording = xr.Dataset(
        {
            "activity": (("time", "unit"), lay_end_to_end(blocks, kind)),
            "session_index": ("time", np.repeat(np.arange(n_sessions, dtype=np.int32), lengths)),
            **{name: ("time", values) for name, values in whole.items()},
        },
        coords={
            "time": ("time", np.concatenate(placed)),
            "session": ("session", np.array(labels, dtype=object)),
            "unit": ("unit", units),
            "frame_duration": ("time", np.concatenate(durations)),
            "clock_start": ("session", _moved_by(clocks, placed)),
            "subject": plain.name_of("subject", subject),
            "environment": plain.name_of("environment", environment),
        },
    )
    if shape is not None:
        recording.attrs["geometry"] = shape.to_json()
    if detection is not None:
        expect_choice("detection", detection, DETECTION)
        recording.attrs["detection"] = detection
    if detected is None:
        detected = np.ones((n_sessions, n_units), dtype=bool)
    recording["detected"] = (
        ("session", "unit"),
        truth_values("detected", detected, (n_sessions, n_units)),
    )
    for i, (_, _, seen) in enumerate(unmasked):
        if seen is not None:
            recording["detected"][i] = recording["detected"][i] & seen
    if registration_score is not None:
        score = plain.by_name("registration_score", registration_score, ("session", "unit"))
        score = np.asarray(plain.numbers("registration_score", score), dtype=np.float64)
        if score.shape != (n_sessions, n_units):
            raise ValueError(
                f"registration_score has shape {score.shape}, expected (session, unit) = "
                f"{(n_sessions, n_units)}"
            )
        recording["registration_score"] = ("session", "unit"), score
    if experience is None and training_step is None:
        minutes = tracked_minutes(recording)
        per_session["experience"] = np.cumsum(minutes) - minutes
    for name, values in per_session.items():
        if values is not None:
            found = values if name == "day" else plain.numbers(name, values)
            if name == "training_step":
                found = _whole(name, found)
            held = found.astype(np.int64 if name == "training_step" else np.float64)
            recording = recording.assign_coords({name: ("session", held)})
    if region is not None:
        regions = np.array(plain.texts("region", region), dtype=object)
        expect_length("region", regions, n_units, "units")
        recording = recording.assign_coords(region=("unit", regions))
    if registered is not None:
        expect_length("registered", registered, n_units, "units")
        known = plain.truths("registered", registered)
        recording = recording.assign_coords(registered=("unit", known))
    recording = admit(finish(recording, kind), accept)
    for name, findings in mended:
        recording = add_findings(recording, settle(findings, f"session {name}"))
    return recording


def _mended_clocks(
    clocks: list[np.ndarray], labels: list[str]
) -> tuple[list[np.ndarray], list[np.ndarray], list[tuple[str, list[Finding]]]]:
    """Clocks with a few wrong times put right, frames that were written once, and findings."""
    found, once, told = [], [], []
    for clock, name in zip(clocks, labels, strict=True):
        mended = mend_clock(clock, "the frames")
        if mended.findings:
            told.append((name, mended.findings))
        whole = np.full(clock.size, np.nan)
        whole[mended.kept] = mended.clock
        found.append(whole)
        once.append(mended.kept)
    return found, once, told


def _brought_times(parts: list[Any], listed: bool) -> Any:
    """The times that labelled activity brings along; None where a part has none."""
    found = [own_labels.brought(part, "time", 2) for part in parts]
    if any(item is None for item in found):
        return None
    clocks = [np.asarray(item) for item in found]
    return clocks if listed else clocks[0]


def slice_sessions(recording: xr.Dataset) -> list[slice]:
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
    >>> from neurodrift import slice_sessions, testing
    >>> slice_sessions(testing.linear_track(n_units=1, n_sessions=2, minutes=1))
    [slice(0, 1200, None), slice(1200, 2400, None)]
    """
    index = recording["session_index"].values
    edges = np.searchsorted(index, np.arange(recording.sizes["session"] + 1))
    return [slice(int(a), int(b)) for a, b in zip(edges[:-1], edges[1:], strict=True)]


def select_sessions(recording: xr.Dataset, sessions: Sequence[Hashable]) -> xr.Dataset:
    """The recording of some sessions only, in the order of the recording.

    Units that were detected in none of them are dropped. Times, days and experience stay those of
    the whole recording.

    Parameters
    ----------
    recording
        A recording over (session, time, unit).
    sessions
        Labels of the sessions to keep.

    Returns
    -------
    xarray.Dataset
        A recording; lazy activity stays lazy, and attributes are kept.

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
    wanted = {str(item) for item in plain.labels("sessions", sessions)}
    missing = sorted(wanted - set(labels))
    if missing or not wanted:
        raise ValueError(f"no session {missing or 'named'}; the recording has {labels}")
    keep = [i for i, item in enumerate(labels) if item in wanted]
    slices = slice_sessions(recording)
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


def tracked_minutes(recording: xr.Dataset) -> np.ndarray:
    """Tracked time of each session.

    Parameters
    ----------
    recording
        A recording over (session, time, unit).

    Returns
    -------
    numpy.ndarray
        (session) minutes with a position; of all frames where the recording has no position.
    """
    tracked = np.ones(recording.sizes["time"], dtype=bool)
    for axis in ("x", "y"):
        if axis in recording:
            tracked &= np.isfinite(recording[axis].values)
    return seconds_of_sessions(recording, tracked) / 60


def seconds_of_sessions(recording: xr.Dataset, used: np.ndarray | None = None) -> np.ndarray:
    """How long the frames of each session last together.

    Parameters
    ----------
    recording
        A recording over (session, time, unit).
    used
        (time) bool, the frames that count; all when omitted.

    Returns
    -------
    numpy.ndarray
        (session) seconds.
    """
    durations = recording["frame_duration"].values
    used = np.ones(durations.size, dtype=bool) if used is None else used
    return np.array([total(durations[w][used[w]]) for w in slice_sessions(recording)], dtype=float)


def total(durations: np.ndarray) -> float:
    """Sum of the lengths of frames, exact to rounding where all are equal.

    Parameters
    ----------
    durations
        (time) seconds.

    Returns
    -------
    float
        Seconds.
    """
    if is_even(durations):
        return float(durations.size * durations[:1].sum())
    return float(durations.sum())


def is_even(durations: np.ndarray) -> bool:
    """Whether all frames are of one length.

    Parameters
    ----------
    durations
        (time) seconds.

    Returns
    -------
    bool
        True for no frame at all.
    """
    return bool((durations == durations[:1]).all())


def finish(recording: xr.Dataset, kind: str) -> xr.Dataset:
    """Label the variables of a recording in the making and check it.

    Parameters
    ----------
    recording
        Dataset over (session, time, unit); it is not changed.
    kind
        Kind of its activity.

    Returns
    -------
    xarray.Dataset
        The recording, with its own attributes and those that every recording has.
    """
    recording = label(recording, recording_table(recording))
    recording["activity"].attrs.update(kind=kind, units=ACTIVITY_KINDS[kind])
    recording.attrs |= {"title": "neurodrift recording", "format_version": FORMAT_VERSION}
    check(recording)
    return recording


FRAME_DTYPES: dict[str, type[np.generic]] = {
    "x": np.float64,
    "y": np.float64,
    "speed": np.float64,
    "direction": np.int8,
    "trial": np.int32,
    "trial_type": np.int32,
    "lap": np.int32,
    "map_label": np.int16,
}
"""The optional variables over time, and how they are held."""

_MISSING = {"direction": 0, "map_label": 0, "trial": -1, "trial_type": -1, "lap": -1}

SECONDS_PER_DAY = 86400.0


def _whole(name: str, values: np.ndarray) -> np.ndarray:
    """Whole numbers, refused where they are none."""
    if not (np.isfinite(values) & (values == np.round(values))).all():
        raise ValueError(f"{name} must be whole numbers, found {values.tolist()[:6]}")
    return values


def expect_length(name: str, values: Any, length: int, what: str) -> None:
    """Refuse a sequence of another length."""
    if isinstance(values, str | bytes) or not hasattr(values, "__len__") or np.ndim(values) == 0:
        raise TypeError(f"{name} is {values!r}, expected a list with one entry for each of {what}")
    if len(values) != length:
        raise ValueError(f"{name} has {len(values)} entries, but there are {length} {what}")


def label_array(labels: Any) -> np.ndarray:
    """Labels as integers if all are, otherwise as strings."""
    values = [item.item() if hasattr(item, "item") else item for item in labels]
    if all(isinstance(item, int) and -(2**63) <= item < 2**63 for item in values):
        return np.array(values, dtype=np.int64)
    return np.array([str(item) for item in values], dtype=object)


def activity_blocks(activity: Any, session_index: Any) -> list[Any]:
    """Activity as one array (time, unit) for each session."""
    if isinstance(activity, list | tuple):
        if session_index is not None:
            raise ValueError("session_index is for one array over all frames, not for a list")
        if not activity:
            raise ValueError("activity is an empty list, expected one array for each session")
        blocks = list(activity)
    else:
        blocks = [activity]
    blocks = [plain.by_name("activity", block, ("time", "unit")) for block in blocks]
    blocks = [block if is_lazy(block) else plain.numbers("activity", block) for block in blocks]
    for block in blocks:
        if block.ndim != 2:
            raise ValueError(f"activity has {block.ndim} dimensions, expected (time, unit)")
        if is_lazy(block) and any(np.isnan(size) for size in block.shape):
            raise ValueError(
                "lazy activity does not know its length: call activity.compute_chunk_sizes() first"
            )
    widths = sorted({block.shape[1] for block in blocks})
    if len(widths) > 1:
        raise ValueError(
            f"activity has {widths} units in different sessions, expected the same units "
            "in each: build one recording per session and join them with join_sessions"
        )
    if session_index is None:
        return blocks
    index = np.asarray(session_index)
    if index.shape != (len(blocks[0]),):
        raise ValueError(
            f"session_index has shape {index.shape}, expected one entry for each of the "
            f"{len(blocks[0])} frames of activity"
        )
    if index.size and (index.dtype.kind not in "iu" or index[0] < 0):
        raise ValueError("session_index must be non-negative integers, 0 for the first session")
    index = index.astype(np.int64)
    if (np.diff(index) < 0).any():
        raise ValueError("session_index must never decrease: sort the frames by session")
    n_sessions = int(index[-1]) + 1 if index.size else 1
    if n_sessions > max(index.size, 1):
        raise ValueError(
            f"session_index goes up to {n_sessions - 1}, but there are {index.size} frames only: "
            "count the sessions 0, 1, 2, ..."
        )
    edges = np.searchsorted(index, np.arange(n_sessions + 1))
    return [blocks[0][a:b] for a, b in zip(edges[:-1], edges[1:], strict=True)]


def is_lazy(array: Any) -> bool:
    """Whether it is a Dask array."""
    return hasattr(array, "dask")


def by_session(
    name: str,
    values: Any,
    lengths: list[int],
    labels: list[str],
    listed: bool,
    width: int | None = None,
) -> list[np.ndarray]:
    """Values over frames as one array for each session, as long as its activity (of some width)."""
    if listed:
        if not isinstance(values, list | tuple) or len(values) != len(lengths):
            raise ValueError(
                f"{name} must be a list of {len(lengths)} arrays, one for each session, because "
                "activity is such a list"
            )
        parts = _plain_frames(name, list(values))
    else:
        (whole,) = _plain_frames(name, [values])
        if whole.shape != (sum(lengths),):
            raise ValueError(
                f"{name} has shape {whole.shape}, but activity has {sum(lengths)} frames: give one "
                f"value for each frame (NaN or -1 where there is none){_why(whole, width)}"
            )
        parts = np.split(whole, np.cumsum(lengths)[:-1])
    for part, length, session in zip(parts, lengths, labels, strict=True):
        if part.shape != (length,):
            raise ValueError(
                f"{name} has shape {part.shape} in session {session!r}, but activity has "
                f"{length} frames there: give one value for each frame{_why(part, width)}"
            )
    return parts


def _why(values: np.ndarray, width: int | None) -> str:
    """Why values over frames may be of another length than activity is."""
    if values.shape == (width,):
        return (
            f". activity has {width} columns: its axes look swapped. They must be (time, unit): "
            "transpose it (activity.T)"
        )
    return (
        ". If activity is (unit, time), transpose it (activity.T); if position has a clock of its "
        "own, such as a camera's, use recording_from_sessions, which takes both clocks"
    )


def _plain_frames(name: str, parts: list[Any]) -> list[np.ndarray]:
    """Values over frames as numbers; times in seconds, dates counted from the first of all."""
    if name != "time":
        missing = _MISSING.get(name, np.nan)
        return [plain.per_frame(name, part, missing) for part in parts]
    found, origin = [], None
    for part in parts:
        clock, origin = plain.seconds(name, part, origin)
        found.append(clock)
    return found


def cast_frames(name: str, parts: list[np.ndarray]) -> np.ndarray:
    """Values over all frames, as the recording holds them; refused where that changes one."""
    whole = np.concatenate(parts)
    with np.errstate(invalid="ignore"):  # NaN as an integer; refused below
        held = whole.astype(FRAME_DTYPES[name])
    if held.dtype.kind == "i" and not np.array_equal(held, whole):
        limits = np.iinfo(held.dtype)
        raise ValueError(
            f"{name} must be whole numbers from {limits.min} to {limits.max}, found "
            f"{whole[held != whole][:3].tolist()}: use "
            f"{0 if name in ('direction', 'map_label') else -1} where there is none"
        )
    return held


def truth_values(name: str, values: Any, shape: tuple[int, int]) -> np.ndarray:
    """True and False over (session, unit)."""
    found = np.asarray(plain.by_name(name, values, ("session", "unit")))
    if found.shape != shape:
        raise ValueError(f"{name} has shape {found.shape}, expected (session, unit) = {shape}")
    return plain.truths(name, found)


def durations_of(
    clocks: list[np.ndarray] | None,
    once: list[np.ndarray],
    time: Any,
    listed: bool,
    given: Any,
    lengths: list[int],
    labels: list[str],
) -> list[np.ndarray]:
    """Length of each frame of each session [s]; NaN for frames that were written twice."""
    if given is not None:
        return _given_durations(given, lengths, labels, listed)
    if clocks is None:
        raise ValueError("give time (start of each frame) or frame_duration, in seconds")
    for clock, session in zip(clocks, labels, strict=True):
        if len(clock) < 2:
            raise ValueError(
                f"session {session!r} has fewer than two frames, so their length is unknown: give "
                "frame_duration [s]"
            )
    sources = list(time) if listed else [time] * len(clocks)
    found = []
    for clock, kept, source in zip(clocks, once, sources, strict=True):
        plain.expect_precise(clock[kept], source)
        lasting = np.full(len(clock), np.nan)
        if (np.diff(clock[kept]) > 0).all():
            lasting[kept] = frame_durations(clock[kept])
        else:  # is refused where values are looked at
            lasting[:] = plain.typical_step(clock)
        found.append(lasting)
    return found


def _given_durations(
    given: Any, lengths: list[int], labels: list[str], listed: bool
) -> list[np.ndarray]:
    """Length of each frame of each session [s], as it was given for all, each, or each frame."""
    if isinstance(given, list | tuple) and any(np.ndim(item) for item in given):
        return by_session("frame_duration", list(given), lengths, labels, True)
    durations = np.asarray(plain.numbers("frame_duration", given), dtype=float)
    if durations.ndim == 1 and not listed and durations.size == sum(lengths) != len(labels):
        return by_session("frame_duration", given, lengths, labels, listed)
    if durations.ndim:
        expect_length("frame_duration", durations, len(labels), "sessions")
    by_label = np.broadcast_to(durations, (len(labels),))
    return [np.full(n, value) for n, value in zip(lengths, by_label, strict=True)]


def end_to_end(clocks: list[np.ndarray], durations: list[np.ndarray], day: Any) -> list[np.ndarray]:
    """Move a session whose clock starts over behind the one before it; leave the others."""
    placed: list[np.ndarray] = []
    last, end = -np.inf, -np.inf
    for i, clock in enumerate(clocks):
        clock = np.asarray(clock, dtype=float)
        if clock.size and clock[0] <= last:
            shift = 0.0 if day is None else float(day[i] - day[0]) * SECONDS_PER_DAY
            clock = clock + (shift if clock[0] + shift >= end else end - clock[0])
        if clock.size:
            last, end = float(clock[-1]), float(clock[-1] + durations[i][-1])
        placed.append(clock)
    return placed


def _moved_by(clocks: list[np.ndarray], placed: list[np.ndarray]) -> np.ndarray:
    """By how much the clock of each session was moved [s]: when it is 0."""
    pairs = zip(clocks, placed, strict=True)
    return np.array([after[0] - before[0] if after.size else np.nan for before, after in pairs])


def _not_detected(missing: np.ndarray, kind: str) -> str:
    """What to do about counts that are NaN."""
    some = int(missing.any(axis=0).sum())
    return (
        f"activity of kind {kind!r} must be counts (0, 1, 2, ...), found NaN in "
        f"{int(missing.sum())} places, of {some} of {missing.shape[1]} units. Was a unit not "
        "detected in a session? Write 0 there (np.nan_to_num) and pass detected=, (session, unit), "
        "which is ~np.isnan(activity).all(axis=0) of each session. Leave frames out that were not "
        "recorded"
    )


def refuse_not_finite(n_places: int) -> None:
    """Refuse activity that is no number in some places."""
    if n_places:
        raise ValueError(
            f"activity is NaN or infinite in {n_places} places: leave the "
            "frames out, or use 0 and detected=False where the unit was not recorded"
        )


def _finite(block: np.ndarray) -> np.ndarray:
    """Activity as it is, refused where it is no number; lazy activity when it is read."""
    refuse_not_finite(int(block.size - np.count_nonzero(np.isfinite(block))))
    return block


def lay_end_to_end(blocks: list[Any], kind: str) -> Any:
    """Activity of all sessions (time, unit): small counts, or floating-point numbers."""
    if any(is_lazy(block) for block in blocks):
        import dask.array as da

        if kind in COUNT_KINDS and any(block.dtype.kind != "u" for block in blocks):
            raise ValueError(
                f"lazy activity of kind {kind!r} must have an unsigned integer dtype: "
                "activity.astype('uint16')"
            )
        whole = da.concatenate(blocks, axis=0)
        if kind in COUNT_KINDS or whole.dtype.kind != "f":
            return whole
        return whole.map_blocks(_finite, dtype=whole.dtype, meta=whole._meta)
    whole = blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=0)
    if kind not in COUNT_KINDS:
        whole = whole if whole.dtype.kind == "f" else whole.astype(np.float64)
        return _finite(whole)
    if whole.dtype.kind == "u":
        return whole
    return _counts(whole, kind)


def _counts(whole: np.ndarray, kind: str) -> np.ndarray:
    """Counts in the smallest unsigned integers; refused where there are others among them."""
    if not whole.size:
        return whole.astype(np.uint8)
    if whole.dtype.kind == "f" and not np.array_equal(whole, np.round(whole)):
        missing = np.isnan(whole)
        if missing.any():
            raise ValueError(_not_detected(missing, kind))
        fault = "fractional values"
    elif not whole.min() >= 0:
        fault = "negative values"
    elif float(whole.max()) >= 2.0**63:
        fault = f"values as large as {float(whole.max()):g}"
    else:
        return whole.astype(np.min_scalar_type(int(whole.max())))
    raise ValueError(
        f"activity of kind {kind!r} must be counts (0, 1, 2, ...), found {fault}: "
        "binarise it, or use kind='deconvolved' or 'amplitudes'"
    )
