"""Recordings to and from pynapple, in memory.

References
----------
.. [1] Viejo G, Levenstein D, Skromne Carrasco S, et al. Pynapple, a toolbox for data analysis in
   neuroscience. eLife 12, RP85786 (2023). https://doi.org/10.7554/eLife.85786
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from neurodrift.gate.durations import frame_durations
from neurodrift.gate.plain import truths
from neurodrift.geometry.geometry import Geometry
from neurodrift.io.nwb.frames import counted_on_frames
from neurodrift.recording import FRAME_DTYPES, recording_from_arrays, slice_sessions
from neurodrift.schema import COUNT_KINDS, SESSION_COORDS, check
from neurodrift.schema.objects import expect_type

if TYPE_CHECKING:
    import pynapple as nap

_OF_FRAMES = ("session_index", "frame_duration")
"""Columns of frames that are no variable of a recording over time."""

_OF_SESSIONS = (*SESSION_COORDS, "clock_start")
_DETECTED = "detected_"  # and the session's number: metadata of the units


def to_pynapple(
    recording: xr.Dataset,
) -> dict[str, nap.TsGroup | nap.TsdFrame | nap.Tsd | nap.IntervalSet]:
    """A recording as pynapple's objects.

    Parameters
    ----------
    recording
        A recording over (session, time, unit).

    Returns
    -------
    dict
        ``units``: a :class:`pynapple.TsGroup` of spikes or events, one at the start of its frame
        for each count, or a :class:`pynapple.TsdFrame` of other activity; its metadata hold labels,
        regions and detection. ``frames``: a :class:`pynapple.TsdFrame` of everything over time.
        ``sessions``: an :class:`pynapple.IntervalSet` with the sessions' labels and days. All have
        the times of the recording, to 1e-9 s as pynapple keeps them.

    Raises
    ------
    ValueError
        If pynapple is not installed, or a session has no frames.

    Examples
    --------
    >>> from neurodrift import testing
    >>> from neurodrift.convert.bridges.pynapple import to_pynapple
    >>> sorted(to_pynapple(testing.linear_track(n_units=2, n_sessions=2, minutes=1)))
    ['frames', 'sessions', 'units']
    """
    nap = _pynapple()
    check(recording)
    time = recording["time"].values
    slices = slice_sessions(recording)
    if any(where.start == where.stop for where in slices):
        raise ValueError("a session has no frames, which an interval cannot say: select the others")
    durations = recording["frame_duration"].values
    shape = recording.attrs.get("geometry")
    sessions = nap.IntervalSet(
        start=[time[where.start] for where in slices],
        # half a frame behind the last frame's start, so that no two sessions touch
        end=[time[s.stop - 1] + durations[s.stop - 1] / 2 for s in slices],
        metadata={
            "session": recording["session"].values.astype(str),
            **{n: recording[n].values for n in _OF_SESSIONS if n in recording.coords},
            **({"geometry": [shape] * len(slices)} if shape else {}),
        },
    )
    names = [name for name in FRAME_DTYPES if name in recording]
    columns = {name: recording[name].values.astype(float) for name in names}
    columns["session_index"] = recording["session_index"].values.astype(float)
    columns["frame_duration"] = durations
    frames = nap.TsdFrame(
        t=time,
        d=np.column_stack(list(columns.values())),
        columns=list(columns),
        time_support=sessions,
    )
    activity = np.asarray(recording["activity"].values)
    kind = recording["activity"].attrs["kind"]
    about = _unit_metadata(recording)
    if kind in COUNT_KINDS:
        times = [nap.Ts(np.repeat(time, column)) for column in activity.T]
        units = nap.TsGroup(dict(enumerate(times)), time_support=sessions, metadata=about)
    else:
        numbers = list(range(activity.shape[1]))
        units = nap.TsdFrame(
            t=time, d=activity, columns=numbers, time_support=sessions, metadata=about
        )
    units.set_info(kind=[kind] * activity.shape[1])
    return {"units": units, "frames": frames, "sessions": sessions}


def from_pynapple(
    units: nap.TsGroup | nap.TsdFrame,
    frames: nap.Tsd | nap.TsdFrame,
    sessions: nap.IntervalSet | None = None,
    *,
    kind: str | None = None,
    geometry: Geometry | Mapping[str, object] | str | None = None,
    subject: str = "unknown",
    environment: str = "unknown",
    accept: Collection[str] = (),
) -> xr.Dataset:
    """A recording from pynapple's objects.

    Parameters
    ----------
    units
        A :class:`pynapple.TsGroup` of spikes or events, or a :class:`pynapple.TsdFrame` of
        activity sampled with `frames`. Of their metadata, ``unit``, ``region``, ``registered``,
        ``kind`` and ``detected_0``, ``detected_1``, ... are used.
    frames
        A :class:`pynapple.Tsd` of a position on a track [cm] or a :class:`pynapple.TsdFrame`
        whose columns are among x, y [cm], speed, direction, trial,
        trial_type, lap and map_label.
    sessions
        A :class:`pynapple.IntervalSet` of the sessions, with metadata ``session``, ``day``,
        ``experience``, ``training_step``, ``loss``, ``accuracy``, ``clock_start`` and
        ``frame_duration``; one session when omitted. Frames and activity outside are left out.
    kind
        What one number of the activity is; as the metadata say, otherwise spikes of a TsGroup and
        deconvolved of a TsdFrame.
    geometry
        Shape of the environment, as for :func:`neurodrift.recording_from_arrays`; that of the
        metadata ``geometry`` of the sessions when omitted.
    subject, environment
        Who was recorded, and where.
    accept
        Names of findings of the gate that are taken as true.

    Returns
    -------
    xarray.Dataset
        The recording. Without ``speed`` among `frames` it has none;
        :func:`neurodrift.kinematics.running` derives it.

    Raises
    ------
    ValueError
        If pynapple is not installed, or the parts do not fit.
    """
    nap = _pynapple()
    expect_type("units", units, (nap.TsGroup, nap.TsdFrame), "a TsGroup or a TsdFrame of units")
    expect_type("frames", frames, (nap.Tsd, nap.TsdFrame), "a Tsd or a TsdFrame of positions")
    if sessions is not None:
        expect_type("sessions", sessions, nap.IntervalSet, "an IntervalSet of sessions")
    if sessions is None:  # frames that were restricted to epochs are still one session
        support = frames.time_support
        sessions = support if _tells_sessions(support) else _whole(nap, support)
    names = [str(n) for n in getattr(frames, "columns", ["x"])]
    unknown = sorted(set(names) - set(FRAME_DTYPES) - set(_OF_FRAMES))
    if unknown:
        raise ValueError(
            f"frames has columns {unknown}, expected some of {', '.join(FRAME_DTYPES)}"
        )
    about = {key: np.asarray(sessions[key]) for key in sessions.metadata_columns}
    n_sessions = len(sessions)
    times = np.asarray(frames.t)
    values = np.asarray(frames.values).reshape(times.size, -1)
    within = [(times >= a) & (times <= b) for a, b in np.asarray(sessions.values)]
    order = [np.flatnonzero(where) for where in within]
    clocks = [times[rows] for rows in order]
    if any(clock.size < 2 for clock in clocks):
        raise ValueError("a session has fewer than two frames")
    if "frame_duration" in names:
        at = names.index("frame_duration")
        durations = [values[rows, at] for rows in order]
    else:
        durations = [frame_durations(clock) for clock in clocks]
    per_frame: dict[str, Any] = {
        name: [_held(name, values[rows, i]) for rows in order]
        for i, name in enumerate(names)
        if name not in _OF_FRAMES
    }
    info = {key: np.asarray(units[key]) for key in units.metadata_columns}
    is_group = isinstance(units, nap.TsGroup)
    kind = kind or str(info.get("kind", ["spikes" if is_group else "deconvolved"])[0])
    activity = [
        _counts(units, clock, step) if is_group else _samples(units, clock, float(step.min()))
        for clock, step in zip(clocks, durations, strict=True)
    ]
    n_units = activity[0].shape[1]
    detected = None
    if f"{_DETECTED}0" in info:
        detected = [truths(f"{_DETECTED}{i}", info[f"{_DETECTED}{i}"]) for i in range(n_sessions)]
    labels = list(info.get("unit", np.asarray(units.index if is_group else units.columns)))
    recording = recording_from_arrays(
        activity,
        kind=kind,  # type: ignore[arg-type]
        time=clocks,
        frame_duration=durations,
        session=[str(item) for item in about.get("session", range(1, n_sessions + 1))],
        unit=labels[:n_units],
        detected=detected,
        day=about.get("day"),
        experience=about.get("experience"),
        training_step=about.get("training_step"),
        loss=about.get("loss"),
        accuracy=about.get("accuracy"),
        region=None if "region" not in info else [str(item) for item in info["region"]],
        registered=info.get("registered"),
        geometry=_told_geometry(about) if geometry is None else geometry,
        subject=subject,
        environment=environment,
        accept=accept,
        **per_frame,
    )
    if "clock_start" in about:
        told = recording["clock_start"].copy(data=about["clock_start"].astype(float))
        recording = recording.assign_coords(clock_start=told)
    return recording


def _told_geometry(about: Mapping[str, np.ndarray]) -> str | None:
    """The geometry that the sessions tell, where all tell the same."""
    found = {str(text) for text in about.get("geometry", ())}
    return found.pop() if len(found) == 1 else None


def _tells_sessions(support: Any) -> bool:
    """Whether a time support is that of a recording, which names its sessions."""
    return "session" in support.metadata_columns


def _whole(nap: Any, support: Any) -> Any:
    """One interval from the first start to the last end."""
    return nap.IntervalSet(start=support.start[0], end=support.end[-1])


def _held(name: str, values: np.ndarray) -> np.ndarray:
    """Values over frames; NaN is none where there are whole numbers."""
    if np.issubdtype(FRAME_DTYPES[name], np.integer):
        values = np.where(np.isnan(values), 0 if name in ("direction", "map_label") else -1, values)
    return values


def _unit_metadata(recording: xr.Dataset) -> dict[str, Any]:
    found: dict[str, Any] = {"unit": recording["unit"].values}
    found |= {n: recording[n].values for n in ("region", "registered") if n in recording.coords}
    rows = recording["detected"].values
    return found | {f"{_DETECTED}{i}": row for i, row in enumerate(rows)}


def _counts(units: Any, clock: np.ndarray, step: np.ndarray) -> np.ndarray:
    every = [np.asarray(units[i].t) for i in units.index]
    unit = np.repeat(np.arange(len(every)), [item.size for item in every])
    times = np.concatenate([*every, np.empty(0)])
    inside = (times >= clock[0] - 1e-6 * step[0]) & (times < clock[-1] + step[-1])
    return counted_on_frames(
        times[inside], unit[inside], len(every), clock, step, where="the TsGroup"
    )


def _samples(units: Any, clock: np.ndarray, step: float) -> np.ndarray:
    times = np.asarray(units.t)
    at = np.searchsorted(times, clock - step / 2)
    if at.max() >= times.size or not np.allclose(times[at], clock, rtol=0, atol=1e-6):
        raise ValueError(
            "the activity is not sampled with the frames: bring it there first "
            "(units.interpolate, or value_from)"
        )
    return np.asarray(units.values)[at]


def _pynapple() -> Any:
    try:
        import pynapple
    except ImportError as error:
        raise ValueError('pynapple is not installed: pip install "neurodrift[pynapple]"') from error
    return pynapple
