"""Recordings from NWB files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr

from neurodrift.io.nwb_recordings import recordings_in
from neurodrift.io.nwb_tables import told_by_epochs
from neurodrift.joining import join_sessions


def import_nwb(
    files: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    series: str | None = None,
    position: str | None = None,
    speed: str | None = None,
    values: Literal["events", "amplitudes"] = "events",
    join_on: str = "registered_cell_id",
    environment: str | None = None,
    region: str | None = None,
    sessions_from: str = "file",
) -> xr.Dataset:
    """Join the sessions of one subject and environment, each an NWB file, into a recording.

    Sessions are sorted by their start. Units with the same registered id are the same unit; a
    unit that a file lacks is marked as not detected there. Time runs on from the start of the
    first session.

    Parameters
    ----------
    files
        NWB files, one for each session.
    series, position, speed, values, join_on, environment, region
        As for :func:`read_session`.
    sessions_from
        ``"file"``: a file is a session. ``"epochs"``, ``"trials"`` or the name of another table of
        intervals: each of its rows is one, and units of one file are the same in all of them.
        Frames in no row are left out.

    Returns
    -------
    xarray.Dataset
        The recording. Days count from the first session's date, or from its day where the files
        tell it; experience is the tracked time in the earlier sessions unless all files tell it.
        Units are in the order of their ids, the unmatched ones last.

    Raises
    ------
    FileNotFoundError
        If a file does not exist.
    ValueError
        If the files are of several subjects or environments, or a file cannot be imported.

    Examples
    --------
    >>> import tempfile
    >>> from neurodrift import testing
    >>> from neurodrift.io.nwb import import_nwb
    >>> from neurodrift.io.nwb_session import session_from_recording
    >>> from neurodrift.io.nwb_write import write_session
    >>> simulated = testing.linear_track(n_units=3, n_sessions=2, minutes=1)
    >>> folder = tempfile.mkdtemp()
    >>> files = [
    ...     write_session(session_from_recording(simulated, label), f"{folder}/{label}.nwb")
    ...     for label in ("1", "2")
    ... ]
    >>> recording = import_nwb(files)
    >>> bool((recording["activity"] == simulated["activity"].values).all())
    True
    """
    paths = [Path(files)] if isinstance(files, str | os.PathLike) else [Path(f) for f in files]
    if not paths:
        raise ValueError("no NWB file given")
    if len({path.resolve() for path in paths}) < len(paths):
        raise ValueError("a file is given twice")
    options: dict[str, Any] = {
        "series": series,
        "position": position,
        "speed": speed,
        "values": values,
        "join_on": join_on,
        "environment": environment,
        "region": region,
        "sessions_from": sessions_from,
    }
    parts: list[_Part] = []
    for path in paths:
        parts += _read(path, name=None, **options)
        _refuse_another(parts)
    labels = [part.label for part in parts]
    if len(set(labels)) < len(labels):
        parts = [part for path in paths for part in _read(path, name=path.stem, **options)]
    parts.sort(key=lambda part: (part.start, part.recording["time"].values[0], part.label))
    first = parts[0]
    for part in parts:
        if all(other.day is not None for other in parts):
            day = (part.day or 0.0) - (first.day or 0.0)
        else:
            day = float((part.start.date() - first.start.date()).days)
        offset = (part.start - first.start).total_seconds()
        part.recording = part.recording.assign_coords(
            day=("session", [day]), time=("time", part.recording["time"].values + offset)
        )
    told = all(part.tells_experience for part in parts)
    recordings = [part.recording for part in parts]
    if not told:
        recordings = [part.drop_vars("experience") for part in recordings]
    if any(part["unit"].dtype.kind not in "iu" for part in recordings):
        recordings = [
            part.assign_coords(unit=part["unit"].astype(str).astype(object)) for part in recordings
        ]
    recording = _in_order(join_sessions(recordings))
    if any("speed" in part and "projected" in part["speed"].attrs for part in recordings):
        recording["speed"].attrs["projected"] = 1
    files_used = dict.fromkeys(part.path.name for part in parts)
    return recording.assign_attrs(nwb_files=list(files_used))


def read_session(
    path: str | os.PathLike[str],
    *,
    series: str | None = None,
    position: str | None = None,
    speed: str | None = None,
    values: Literal["events", "amplitudes"] = "events",
    join_on: str = "registered_cell_id",
    environment: str | None = None,
    region: str | None = None,
) -> xr.Dataset:
    """Read one NWB file as a recording of one session.

    Activity is put on the frames of the position: a frame lasts from its timestamp to the next
    one, or for the median step before a gap longer than 1.5 steps. Spikes and events are counted
    into the frames, those in gaps are left out. An ROI response series that is sampled with the
    position is taken as it is; another is averaged over each frame, a frame without a sample gets
    the nearest one, and frames further than one sampling step from every sample are left out.

    Parameters
    ----------
    path
        The file; it is only read.
    series
        Name or path of the activity: units with spike times, an ``EventsTable`` whose rows point
        to cells, or an ROI response series. Needed only if the file holds several.
    position
        Name or path of the ``SpatialSeries`` of the position (time) or (time, 2), in a unit of
        length. Needed only if the file holds several.
    speed
        Name or path of the running speed or velocity; when omitted, the one sampled with the
        position, and if there is none, speed is derived from the position.
    values
        Whether an ``EventsTable`` is counted or its amplitudes are added up.
    join_on
        Column of the table of units that identifies them across sessions; ``"id"`` takes the
        rows' ids.
    environment
        Label of the environment, if the file does not tell it. Of a file whose epochs tell several
        environments, the one to read: only frames in its epochs are used.
    region
        Brain region of the units to read; all of them when omitted.

    Returns
    -------
    xarray.Dataset
        A recording with one session; time counts from its start. Units are labelled by their
        registered ids, and those without one ``"<session>:<row>"``. A unit whose ``obs_intervals``
        leave out more than 1 % of the frames counts as not detected, with a warning.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If it has no position or no activity, several of them and none is named, a position in
        pixels, or anything that makes no recording.
    """
    (part,) = _read(
        Path(path),
        name=None,
        series=series,
        position=position,
        speed=speed,
        values=values,
        join_on=join_on,
        environment=environment,
        region=region,
        sessions_from="file",
    )
    return part.recording


@dataclass
class _Part:
    """A session and what is needed to join it to others."""

    path: Path
    recording: xr.Dataset
    label: str
    start: Any
    day: float | None
    tells_experience: bool


def _read(path: Path, *, name: str | None, **options: Any) -> list[_Part]:
    from pynwb import NWBHDF5IO

    if not path.is_file():
        raise FileNotFoundError(f"no NWB file at {path}")
    io = None
    try:
        io = NWBHDF5IO(path, "r")
        nwbfile = io.read()
    except Exception as error:  # what is no NWB file raises anything
        if io is not None:
            io.close()
        raise ValueError(f"{path} is no readable NWB (HDF5) file: {error}") from error
    with io:
        try:
            told = told_by_epochs(nwbfile, path.name, options["environment"])
            named = name or told["session"] or nwbfile.session_id or path.stem
            recordings = recordings_in(nwbfile, path.name, named, told, **options)
        except ValueError as error:
            text = str(error)
            raise ValueError(text if path.name in text else f"{path.name}: {text}") from error
        start = nwbfile.session_start_time
    day = told["day"] if np.isfinite(told["day"]) else None
    tells = bool(np.isfinite(told["experience"])) and options["sessions_from"] == "file"
    return [
        _Part(path, recording, str(recording["session"].values[0]), start, day, tells)
        for recording in recordings
    ]


def _refuse_another(parts: list[_Part]) -> None:
    first, last = parts[0], parts[-1]
    for name in ("subject", "environment"):
        here, there = (str(part.recording[name].item()) for part in (first, last))
        if here != there:
            raise ValueError(
                f"{first.path.name} and {last.path.name} are of different {name}s ({here}, "
                f"{there}): import the files of one subject and one environment at a time"
            )


def _in_order(recording: xr.Dataset) -> xr.Dataset:
    """Units by registered id, the unmatched ones behind in the order of their sessions."""
    labels = recording["unit"].values
    keys = [(not str(s).isdecimal(), int(s) if str(s).isdecimal() else 0) for s in labels]
    order = sorted(range(labels.size), key=lambda i: keys[i])
    return recording if order == list(range(labels.size)) else recording.isel(unit=order)
