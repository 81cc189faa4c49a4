"""Recordings from NWB files."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr

from neurodrift import kinematics
from neurodrift.curation import Curation, as_curation, curate
from neurodrift.gate.findings import EVERYTHING, Finding, GateWarning, add_findings, settle
from neurodrift.gate.placeholders import refuse_placeholders
from neurodrift.gate.recordings import Seen, admit
from neurodrift.gate.starts import days_since_first, session_overlap_findings
from neurodrift.gate.subjects import known_subject, subject_findings
from neurodrift.gate.traces import trace_findings, trace_name_findings
from neurodrift.io.nwb import find as nwb_find
from neurodrift.io.nwb.epochs import epoch_spans
from neurodrift.io.nwb.frames import (
    OnFrames,
    activity_on_frames,
    blocks_of,
    clocks_together,
    frame_of,
)
from neurodrift.io.nwb.links import OutsideError, refuse_outside
from neurodrift.io.nwb.place import read_place
from neurodrift.io.nwb.stream import Session, Stream
from neurodrift.io.nwb.tables import (
    OBSERVED,
    ids_are_text,
    labels_of,
    observed_fraction,
    regions_of,
    scores_of,
    sessions_in,
    told_by_epochs,
    trials_on_frames,
)
from neurodrift.io.nwb.validity import curated, observed_frames, queried, valid_frames
from neurodrift.io.probe import DamagedFileError
from neurodrift.io.progress import bar
from neurodrift.joining import joined_sessions
from neurodrift.recording import recording_from_arrays, refuse_not_finite
from neurodrift.schema import COUNT_KINDS, RECORDING, check, label
from neurodrift.schema.objects import names_in, path_of

_BLOCK_BYTES = 2**26  # of activity that is read together


def import_nwb(
    files: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    series: str | None = None,
    position: str | Sequence[str] | None = None,
    position_unit: str | None = None,
    speed: str | None = None,
    values: Literal["events", "amplitudes"] = "events",
    join_on: str = "registered_cell_id",
    environment: str | None = None,
    region: str | None = None,
    units: str | None = None,
    epoch: str | None = None,
    sessions_from: str = "file",
    lag: float | Mapping[str, float] = 0.0,
    accept: Collection[str] = (),
    curation: str | os.PathLike[str] | Mapping[str, Any] | Curation | None = None,
) -> xr.Dataset:
    """Join the sessions of one subject and environment, each an NWB file, into a recording.

    Sessions are sorted by their start. Units with the same registered id are the same unit; a
    unit that a file lacks is marked as not detected there. Time runs on from the start of the
    first session.

    Parameters
    ----------
    files
        NWB files, one for each session.
    series, position, position_unit, speed, values, join_on, environment, region, units, epoch
        As for :func:`read_session`.
    sessions_from
        ``"file"``: a file is a session. ``"epochs"``, ``"trials"`` or the name of another table of
        intervals: each of its rows is one, and units of one file are the same in all of them.
        Frames in no row are left out.
    lag
        By how much activity comes after position on the clocks of the files [s], for all sessions
        or by the label of each, as :func:`neurodrift.check_lag` finds it: activity is taken so
        much earlier (later where it is negative). Frames for which no activity was recorded are
        left out. The lag stays in the recording (attributes ``lag``, by session, and
        ``findings``).
    accept
        Names of findings of the gate that are taken as true; errors name them.
    curation
        Units, sessions and epochs that are left out of what was imported, see
        :func:`neurodrift.curate`.

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
    >>> from neurodrift.io.nwb.read import import_nwb
    >>> from neurodrift.io.nwb.session import session_from_recording
    >>> from neurodrift.io.nwb.write import write_session
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
    options: dict[str, Any] = {
        "series": series,
        "position": position,
        "position_unit": position_unit,
        "speed": speed,
        "values": values,
        "join_on": join_on,
        "environment": environment,
        "region": region,
        "units": units,
        "epoch": epoch,
        "sessions_from": sessions_from,
    }
    given = None if curation is None else as_curation(curation)  # refused before anything is read
    parts = read_parts(files, lag=lag, accept=accept, **options)
    recording = in_memory(*joined(parts, accept, options))
    return recording if given is None else curate(recording, given)


OPTIONS: dict[str, Any] = {
    "series": None,
    "position": None,
    "position_unit": None,
    "speed": None,
    "values": "events",
    "join_on": "registered_cell_id",
    "environment": None,
    "region": None,
    "units": None,
    "epoch": None,
    "sessions_from": "file",
}
"""Options of :func:`import_nwb` that a later file of the recording is read with, and defaults."""


@dataclass
class Part:
    """A session and what is needed to join it to others.

    Parameters
    ----------
    file
        Name of its file.
    identifier
        What the file calls itself.
    recording
        A recording of one session, whose activity stands for that of `session`.
    session
        Where its activity is read from.
    start
        When the clock of the file began.
    day, experience
        What the file tells.
    ids_are_text
        Whether units are identified by text; None where none is.
    named_by_file
        Whether its label is the file's name because files tell the same label.
    about
        What the file says of its animal that is the same on every day.
    placed
        Whether its times count from the start of the first session.
    """

    file: str
    identifier: str
    recording: xr.Dataset
    session: Session
    start: datetime
    day: float | None
    experience: float | None
    ids_are_text: bool | None
    named_by_file: bool = False
    about: dict[str, str] = field(default_factory=dict)
    placed: bool = False

    @property
    def label(self) -> str:
        """Label of the session."""
        return str(self.recording["session"].values[0])


def read_parts(
    files: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    lag: float | Mapping[str, float] = 0.0,
    by_file: bool = False,
    progress: bool = False,
    **options: Any,
) -> list[Part]:
    """Every session of some files, of one subject in one environment.

    Parameters
    ----------
    files
        NWB files.
    lag
        As for :func:`import_nwb`.
    by_file
        Whether sessions are called as their files, and not as these tell.
    progress
        Whether to show a progress bar when on a terminal.
    **options
        As for :func:`import_nwb`.

    Returns
    -------
    list of Part
        In the order of the files.

    Raises
    ------
    FileNotFoundError
        If a file does not exist.
    ValueError
        If there is none, one is given twice, or one cannot be imported.
    """
    listed = [files] if isinstance(files, str | os.PathLike) else names_in("files", files)
    paths = [path_of("files", file) for file in listed]
    if not paths:
        raise ValueError("no NWB file given")
    if len({path.resolve() for path in paths}) < len(paths):
        raise ValueError("a file is given twice")
    options["lag"] = checked_lag(lag)
    refuse_placeholders(**options)
    parts: list[Part] = []
    for path in bar(paths, "look at files", progress):
        parts += _read(path, name=path.stem if by_file else None, **options)
        refuse_another(parts)
    labels = [part.label for part in parts]
    if len(set(labels)) < len(labels):
        parts = [part for path in paths for part in _read(path, name=path.stem, **options)]
        by_file = True
    for part in parts:
        part.named_by_file = by_file
    if isinstance(lag, Mapping):
        unknown = sorted(set(map(str, lag)) - {part.label for part in parts})
        if unknown:
            raise ValueError(
                f"lag names session {', '.join(unknown)}, but the sessions are "
                f"{', '.join(part.label for part in parts)}"
            )
    return parts


def in_order(parts: Sequence[Part]) -> list[Part]:
    """Sessions by their start, their times counted from that of the first.

    Parameters
    ----------
    parts
        Sessions in any order; changed in place.

    Returns
    -------
    list of Part
        In order.
    """
    first = min(part.start for part in parts)
    for part in parts:
        if not part.placed:
            offset = (part.start - first).total_seconds()
            time = part.recording["time"].values + offset
            part.recording = part.recording.assign_coords(
                time=time, clock_start=("session", [offset])
            )
            part.placed = True
    return sorted(
        parts, key=lambda part: (part.start, part.recording["time"].values[0], part.label)
    )


def joined(
    parts: Sequence[Part], accept: Collection[str], options: Mapping[str, Any]
) -> tuple[xr.Dataset, Stream]:
    """Sessions of one subject in one environment as one recording.

    Parameters
    ----------
    parts
        The sessions, in any order.
    accept
        Names of findings of the gate that are taken as true.
    options
        As in :data:`OPTIONS`; the recording keeps them.

    Returns
    -------
    recording : xarray.Dataset
        The recording, with zeros that are nowhere in memory for its activity.
    stream : Stream
        The activity itself.

    Raises
    ------
    ValueError
        If they do not belong together, or a finding stops them.
    """
    parts = in_order(parts)
    days, found = _days(parts)
    for part, day in zip(parts, days, strict=True):
        part.recording = part.recording.assign_coords(day=("session", [day]))
    found += session_overlap_findings(
        [part.label for part in parts],
        [part.recording["time"].values for part in parts],
        lambda i: _same_activity(parts[i - 1].session, parts[i].session),
        [part.day for part in parts],
    )
    found += subject_findings(
        [part.file for part in parts],
        [str(part.recording["subject"].item()) for part in parts],
        [part.about for part in parts],
    )
    settled = settle(found, "the recording", accept)
    _refuse_other_ids(parts)
    recordings = [part.recording for part in parts]
    if any(part.experience is None for part in parts):
        recordings = [part.drop_vars("experience") for part in recordings]
    if any(part["unit"].dtype.kind not in "iu" for part in recordings):
        recordings = [
            part.assign_coords(unit=part["unit"].astype(str).astype(object)) for part in recordings
        ]
    recording = _units_in_order(joined_sessions(recordings))
    if any("speed" in part and "projected" in part["speed"].attrs for part in recordings):
        recording["speed"].attrs["projected"] = 1
    lags = {part.label: part.recording.attrs.get("lag", 0.0) for part in parts}
    recording.attrs.pop("lag", None)  # of one session, where all agree
    if any(lags.values()):
        recording.attrs["lag"] = json.dumps(lags)
    recording = add_findings(recording, settled).assign_attrs(
        nwb_files=list(dict.fromkeys(part.file for part in parts)),
        nwb_sessions=json.dumps([_told_of(part) for part in parts]),
    )
    chosen = {name: options[name] for name in OPTIONS if options[name] != OPTIONS[name]}
    if chosen:
        recording.attrs["nwb_options"] = json.dumps(chosen)
    return recording, _stream(recording, parts, recordings)


def in_memory(recording: xr.Dataset, stream: Stream) -> xr.Dataset:
    """A recording with its activity, read whole.

    Parameters
    ----------
    recording, stream
        From :func:`joined`.

    Returns
    -------
    xarray.Dataset
        The recording.
    """
    n_frames, n_units = stream.shape
    values = np.empty((n_frames, n_units), dtype=stream.dtype)
    at_once = max(1, _BLOCK_BYTES // max(n_units * stream.dtype.itemsize, 1))
    for first in range(0, n_frames, at_once):
        stop = min(first + at_once, n_frames)
        values[first:stop] = stream.read(first, stop, slice(None))
        stream.release(stop)
    activity = recording["activity"]
    return recording.assign(activity=(activity.dims, values, activity.attrs))


def from_stream(recording: xr.Dataset, stream: Stream) -> xr.Dataset:
    """A recording whose activity is read from its files when it is used.

    Parameters
    ----------
    recording, stream
        From :func:`joined`.

    Returns
    -------
    xarray.Dataset
        The recording, in chunks of its sessions and of units.
    """
    import dask.array as da

    longest = max((session.frames.size for session in stream.sessions), default=0)
    width = max(1, _BLOCK_BYTES // max(longest * stream.dtype.itemsize, 1))
    starts = np.cumsum([0, *(session.frames.size for session in stream.sessions)])

    def read(block_info: Any) -> np.ndarray:
        (first, stop), (start, end) = block_info[None]["array-location"]
        return stream.read(int(first), int(stop), slice(int(start), int(end)))

    n_units = stream.shape[1]
    widths = [min(width, n_units - at) for at in range(0, n_units, width)]
    activity = da.map_blocks(
        read,
        chunks=(tuple(np.diff(starts).tolist()), tuple(widths)),
        dtype=stream.dtype,
        meta=np.empty((0, 0), dtype=stream.dtype),
    )
    return recording.assign(activity=(("time", "unit"), activity, recording["activity"].attrs))


def _told_of(part: Part) -> dict[str, Any]:
    """What a later session must know of this one to be joined to it without its file."""
    return {
        "session": part.label,
        "file": part.file,
        "identifier": part.identifier,
        "start": part.start.isoformat(),
        "day": part.day,
        "experience": part.experience,
        "ids_are_text": part.ids_are_text,
        "named_by_file": part.named_by_file,
        "about": part.about,
    }


def _stream(
    recording: xr.Dataset, parts: Sequence[Part], recordings: Sequence[xr.Dataset]
) -> Stream:
    """The activity of all sessions, each with the units of the whole recording."""
    every = recording["unit"].values.tolist()
    sessions = []
    for part, labelled in zip(parts, recordings, strict=True):
        own = dict(zip(labelled["unit"].values.tolist(), part.session.units.tolist(), strict=True))
        units = np.array([own.get(name, -1) for name in every], dtype=np.int64)
        sessions.append(replace(part.session, units=units))
    return Stream(sessions, recording["activity"].dtype)


def _same_activity(one: Session, other: Session) -> bool:
    """Whether two sessions hold the same activity, which is not 0 everywhere."""
    if one.frames.size != other.frames.size or one.units.size != other.units.size:
        return False
    any_active = False
    at_once = max(1, _BLOCK_BYTES // (8 * max(one.units.size, 1)))
    for first in range(0, one.frames.size, at_once):
        frames = slice(first, min(first + at_once, one.frames.size))
        values = one.read(frames, slice(None))
        if not np.array_equal(values, other.read(frames, slice(None))):
            return False
        any_active |= bool(values.any())
    return any_active


def _refuse_other_ids(parts: Sequence[Part]) -> None:
    known = [part for part in parts if part.ids_are_text is not None]
    for part in known[1:]:
        if part.ids_are_text != known[0].ids_are_text:
            kinds = ["text" if one.ids_are_text else "numbers" for one in (known[0], part)]
            raise ValueError(
                f"units are identified by {kinds[0]} in {known[0].file}, but by {kinds[1]} in "
                f"{part.file}: write the identities alike in all files, or join on another column "
                "(--join-on)"
            )


def _days(parts: Sequence[Part]) -> tuple[list[float], list[Finding]]:
    """Days of the sessions: those that the files tell, or from when the sessions began."""
    told = [part.day for part in parts if part.day is not None]
    if len(told) == len(parts):
        return [day - told[0] for day in told], []
    return days_since_first([part.start for part in parts], [part.label for part in parts])


def read_session(
    path: str | os.PathLike[str],
    *,
    series: str | None = None,
    position: str | Sequence[str] | None = None,
    position_unit: str | None = None,
    speed: str | None = None,
    values: Literal["events", "amplitudes"] = "events",
    join_on: str = "registered_cell_id",
    environment: str | None = None,
    region: str | None = None,
    units: str | None = None,
    epoch: str | None = None,
    accept: Collection[str] = (),
    lazy: bool = False,
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
        Name or path of the ``SpatialSeries`` of the position, in a unit of length; several for
        its axes, or for its stretches one after the other. Needed only if the file holds several.
    position_unit
        Unit of length that stands for the one that the file gives, such as ``"cm"``.
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
    units
        Which units to read: a query over the columns of their table, such as
        ``"quality == 'good'"``, or ``"all"``. When omitted, those that the file's own curation
        keeps (``Accepted``, ``iscell``, ``quality``), with a warning that says how many.
    epoch
        Label, tag or table of the intervals whose frames to read, such as ``"maze"``; ``"all"``
        for the whole file. Needed only if epochs of several labels are in the file.
    accept
        Names of findings of the gate that are taken as true; errors name them.
    lazy
        Whether activity is read from the file when it is used; then it is a Dask array.

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
    options: dict[str, Any] = {
        "series": series,
        "position": position,
        "position_unit": position_unit,
        "speed": speed,
        "values": values,
        "join_on": join_on,
        "environment": environment,
        "region": region,
        "units": units,
        "epoch": epoch,
        "sessions_from": "file",
        "lag": 0.0,
        "accept": accept,
    }
    refuse_placeholders(**options)
    (part,) = _read(Path(path), name=None, **options)
    stream = Stream([part.session], part.recording["activity"].dtype)
    return from_stream(part.recording, stream) if lazy else in_memory(part.recording, stream)


def _read(path: Path, *, name: str | None, **options: Any) -> list[Part]:
    from pynwb import NWBHDF5IO

    if not path.is_file():
        raise FileNotFoundError(f"no NWB file at {path}")
    io = None
    try:
        refuse_outside(path)
        io = NWBHDF5IO(path, "r")
        nwbfile = io.read()
    except OutsideError:
        raise
    except DamagedFileError as error:
        raise ValueError(f"{path} is no readable NWB (HDF5) file: {error.reason}") from error
    except Exception as error:  # what is no NWB file raises anything
        if io is not None:
            io.close()
        raise ValueError(f"{path} is no readable NWB (HDF5) file: {error}") from error
    with io:
        try:
            told = told_by_epochs(nwbfile, path.name, options["environment"])
            named = name or told["session"] or nwbfile.session_id or path.stem
            found = sessions_of(nwbfile, path.name, named, told, **options)
        except ValueError as error:
            text = str(error)
            raise ValueError(text if path.name in text else f"{path.name}: {text}") from error
        start, identifier = nwbfile.session_start_time, str(nwbfile.identifier)
        about = _about(nwbfile.subject)
    told_of = {name: float(told[name]) for name in ("day", "experience") if np.isfinite(told[name])}
    if options["sessions_from"] != "file":
        told_of.pop("experience", None)
    return [
        Part(
            file=path.name,
            identifier=identifier,
            recording=recording,
            session=session,
            start=start,
            day=told_of.get("day"),
            experience=told_of.get("experience"),
            ids_are_text=are_text,
            about=about,
        )
        for recording, session, are_text in found
    ]


def _about(subject: Any) -> dict[str, str]:
    """What a file says of its animal that is the same on every day."""
    names = ("species", "sex", "genotype", "strain", "date_of_birth")
    told = {name: getattr(subject, name, None) for name in names}
    return {name: str(value) for name, value in told.items() if value is not None}


def refuse_another(parts: Sequence[Part]) -> None:
    """Refuse sessions of another subject or environment.

    Parameters
    ----------
    parts
        Sessions, of which the last is new.

    Raises
    ------
    ValueError
        If the last is of another subject or environment than the first.
    """
    first, last = parts[0], parts[-1]
    for name in ("subject", "environment"):
        here, there = (str(part.recording[name].item()) for part in (first, last))
        if here != there:
            raise ValueError(
                f"{first.file} and {last.file} are of different {name}s ({here}, "
                f"{there}): import the files of one subject and one environment at a time"
            )


def _units_in_order(recording: xr.Dataset) -> xr.Dataset:
    """Units by registered id, the unmatched ones behind in the order of their sessions."""
    labels = recording["unit"].values
    keys = [(not str(s).isdecimal(), int(s) if str(s).isdecimal() else 0) for s in labels]
    order = sorted(range(labels.size), key=lambda i: keys[i])
    return recording if order == list(range(labels.size)) else recording.isel(unit=order)


def sessions_of(
    nwbfile: Any,
    where: str,
    file_label: str,
    told: dict[str, Any],
    *,
    series: str | None,
    position: str | Sequence[str] | None,
    position_unit: str | None,
    speed: str | None,
    values: str,
    join_on: str,
    environment: str | None,
    region: str | None,
    units: str | None,
    epoch: str | None,
    sessions_from: str,
    lag: float | Mapping[str, float],
    accept: Collection[str],
) -> list[tuple[xr.Dataset, Session, bool | None]]:
    """The sessions of an open file, each a recording.

    Parameters
    ----------
    nwbfile
        An open :class:`pynwb.NWBFile`.
    where
        The file, for messages.
    file_label
        Label of its session, or that the labels of its sessions begin with.
    told
        What its epochs tell, see :func:`neurodrift.io.nwb.tables.told_by_epochs`.
    series, position, position_unit, speed, values, join_on, environment, region, units, epoch
        As for :func:`neurodrift.io.nwb.read.import_nwb`.
    sessions_from, lag, accept
        Likewise.

    Returns
    -------
    list of tuple
        At least one: a recording with zeros for its activity, whose times count from the start of
        the file; where the activity is read from; whether units are identified by text.

    Raises
    ------
    ValueError
        If the file has not what a recording needs.
    """
    named = [position] if isinstance(position, str) else position
    place = read_place(nwb_find.find_positions(nwbfile, named, where, position_unit), position_unit)
    settle(place.findings, where, accept)
    time, xy, step = place.time, place.xy, place.step
    source = nwb_find.find_activity(nwbfile, series, where)
    of_file = lag.get(file_label, 0.0) if isinstance(lag, Mapping) else lag
    in_step = replace(place, time=time + of_file) if of_file else place
    spans = told["spans"]
    if epoch is not None or (spans is None and sessions_from == "file"):
        spans, found = epoch_spans(nwbfile, epoch, where)
        settle(found, where, accept)
    settle(clocks_together(source, in_step, spans), where, accept)
    activity = activity_on_frames(source, time, step, values)
    kind, table, rows = activity.kind, activity.table, activity.rows
    seen_in = _Look(activity)
    path = nwb_find.path_of(source)
    traces = trace_findings(seen_in.blocks, time.size, kind, path)
    if kind == "deconvolved" and not traces:
        traces = trace_name_findings(path, source.description)
    settle(traces, where, accept)
    covered = _within(time, spans)
    covered &= _told_valid(nwbfile, table, rows, time, where)
    sampled, lagged = kind in ("deconvolved", "activation"), lag not in (0.0, {})
    if sampled and not lagged:
        covered &= _told_empty(seen_in.empty, covered, path, where)
    if not covered.any():
        raise ValueError(
            f"no frame of the position has a sample of {source.name}"
            if spans is None
            else f"no frame of the position lies in an epoch of {epoch or environment}"
        )
    names, known = labels_of(table, rows, join_on, file_label)
    are_text = ids_are_text(table, join_on)
    regions = regions_of(table, rows)
    scores = scores_of(table, rows)
    wanted = _in_region(regions, region, rows.size, table.name)
    wanted = wanted[_chosen(table, rows[wanted], units, where)]
    velocity = nwb_find.find_speed(nwbfile, speed, time, where)
    direction = nwb_find.find_direction(nwbfile, time) if xy.shape[1] == 1 else None
    per_frame = trials_on_frames(nwbfile, time, where)
    made = []
    for name, frames in _sessions(nwbfile, where, file_label, sessions_from, time, covered):
        late = lag.get(name, 0.0) if isinstance(lag, Mapping) else lag
        of_session, look = activity, seen_in
        if late:
            of_session = activity_on_frames(source, time + late, step, values)
            look = _Look(of_session)
        if sampled and lagged:
            frames = frames[~look.empty[frames]]
        elif late:  # silence where nothing was recorded is no silence
            frames = frames[frame_of(time[frames] + late, time, step) >= 0]
        if not frames.size:
            raise ValueError(f"with a lag of {late:g} s no frame of session {name} has activity")
        seen = observed_fraction(table, rows[wanted], time[frames]) >= OBSERVED
        if not seen.any():
            raise ValueError(f"no unit was observed throughout session {name}")
        if not seen.all():
            warnings.warn(
                f"{where}: {int((~seen).sum())} of {seen.size} units were observed in a part of "
                f"session {name} only, and count as not detected in it",
                stacklevel=5,
            )
        chosen = wanted[seen]
        session = Session(of_session, frames, chosen)
        look.refuse_not_finite(session)
        recording = recording_from_arrays(
            zeros((frames.size, chosen.size), of_session.dtype),
            kind=kind,
            time=time[frames],
            frame_duration=step,
            x=xy[frames, 0],
            y=xy[frames, 1] if xy.shape[1] == 2 else None,
            session=[name],
            unit=[names[i] for i in chosen],
            region=None if regions is None else [regions[i] for i in chosen],
            registration_score=None if scores is None else scores[None, chosen],
            registered=[known[i] or sessions_from != "file" for i in chosen],
            experience=[told["experience"]] if np.isfinite(told["experience"]) else None,
            accuracy=_accuracy(told) if sessions_from == "file" else None,
            subject=known_subject(nwbfile.subject.subject_id if nwbfile.subject else None),
            environment=environment or told["environment"] or "unknown",
            accept=[EVERYTHING],
            **{key: item[frames] for key, item in per_frame.items()},
        )
        recording = admit(recording, accept, seen=[_seen(session)])
        recording = _with_speed(recording, velocity, direction, frames, told)
        recording = _told_of_lag(recording, late, name) if late else recording
        made.append((recording, session, are_text if any(known) else None))
        of_session.release()
    return made


class _Look:
    """What a look at all activity of a file tells."""

    def __init__(self, activity: OnFrames) -> None:
        self._activity = activity
        self._empty = np.ones(activity.shape[0], dtype=bool)
        self._n_odd: int | None = None  # places that are no number, once all were looked at

    def blocks(self) -> Iterator[np.ndarray]:
        """All of it, block by block."""
        n_odd = 0
        for frames, block in blocks_of(self._activity):
            finite = np.isfinite(block)
            n_odd += int(block.size - np.count_nonzero(finite))
            self._empty[frames] &= ~finite.any(axis=1) & np.isnan(block).all(axis=1)
            yield block
        self._n_odd = n_odd

    @property
    def empty(self) -> np.ndarray:
        """(time) frames in which all units are NaN."""
        self._once()
        return self._empty

    def refuse_not_finite(self, session: Session) -> None:
        """Refuse a session with activity that is no number."""
        if self._activity.kind in COUNT_KINDS:
            return
        self._once()
        kept = self._empty[session.frames].any()
        if not kept and self._n_odd == np.count_nonzero(self._empty) * self._activity.shape[1]:
            return
        blocks = blocks_of(self._activity, session.frames, session.units)
        refuse_not_finite(sum(int((~np.isfinite(block)).sum()) for _, block in blocks))

    def _once(self) -> None:
        if self._n_odd is None:
            for _ in self.blocks():
                pass


def zeros(shape: tuple[int, int], dtype: np.dtype[Any]) -> Any:
    """Zeros that are nowhere in memory, in place of activity that is not read yet.

    Parameters
    ----------
    shape
        (time, unit)
    dtype
        Of the activity.

    Returns
    -------
    dask.array.Array
        The zeros.
    """
    import dask.array as da

    return da.zeros(shape, dtype=dtype, chunks=shape)


def _seen(session: Session) -> Seen:
    """What a look at the activity of a session tells the gate."""
    return Seen.of(
        lambda: blocks_of(session.source, session.frames, session.units), session.frames.size
    )


def checked_lag(lag: float | Mapping[str, float]) -> float | dict[str, float]:
    """A lag for all sessions, or one for each of some, as plain numbers.

    Parameters
    ----------
    lag
        As for :func:`import_nwb`.

    Returns
    -------
    float or dict of str to float
        Seconds.

    Raises
    ------
    ValueError
        If one is no finite number.
    """
    named = {str(key): value for key, value in lag.items()} if isinstance(lag, Mapping) else None
    for value in [lag] if named is None else named.values():
        if isinstance(value, bool | str) or not np.isscalar(value) or not np.isfinite(value):
            raise ValueError(f"lag is {value!r}, expected seconds, or seconds by session")
    if named is None:
        return float(lag)  # type: ignore[arg-type]
    return {key: float(value) for key, value in named.items()}


def _told_of_lag(recording: xr.Dataset, lag: float, name: str) -> xr.Dataset:
    """The recording with the lag that was taken out of it."""
    text = (
        f"activity was taken {abs(lag):g} s {'earlier' if lag > 0 else 'later'} against position, "
        f"as asked for by a lag of {lag:g} s"
    )
    told = Finding("lag", text, warns=True, numbers={"lag": lag}).told(f"session {name}")
    return add_findings(recording, [told]).assign_attrs(lag=lag)


def _told_valid(
    nwbfile: Any, table: Any, rows: np.ndarray, time: np.ndarray, where: str
) -> np.ndarray:
    """Frames outside of invalid times that some unit observes; what is cut is counted aloud."""
    keep = np.ones(time.size, dtype=bool)
    for frames, why in (
        (valid_frames(nwbfile, time), "lie in invalid_times"),
        (observed_frames(table, rows, time), "lie outside the obs_intervals of all units"),
    ):
        told = f"{where}: {int((~frames).sum())} of {frames.size} frames {why}"
        if not frames.any():
            raise ValueError(f"{told}: nothing is left to import")
        if not frames.all():
            warnings.warn(
                f"{told} and were left out",
                GateWarning,
                stacklevel=6,
            )
        keep &= frames
    return keep


def _told_empty(empty: np.ndarray, covered: np.ndarray, path: str, where: str) -> np.ndarray:
    """Frames that have a sample of the activity; those that have none are counted aloud."""
    n = int((empty & covered).sum())
    if n and n < covered.sum():
        warnings.warn(
            f"{where}: {n} of {int(covered.sum())} frames have no sample of {path} near them and "
            "were left out",
            GateWarning,
            stacklevel=6,
        )
    return ~empty


def _chosen(table: Any, rows: np.ndarray, units: str | None, where: str) -> np.ndarray:
    """Which of some units are read: those of the query, or of the file's own curation."""
    if units == "all":
        return np.ones(rows.size, dtype=bool)
    if units is not None:
        return queried(table, rows, units)
    keep, column = curated(table, rows)
    if not keep.any():
        raise ValueError(
            f"{where}: column {column} of table {table.name} keeps none of the {keep.size} units: "
            "choose some by the option units (--units), or 'all'"
        )
    if not keep.all():
        warnings.warn(
            f"{where}: {int(keep.sum())} of {keep.size} units are kept by column {column} of table "
            f"{table.name}; units='all' (--units all) takes all",
            GateWarning,
            stacklevel=6,
        )
    return keep


def _within(time: np.ndarray, spans: np.ndarray | None) -> np.ndarray:
    """Whether each frame lies in any of the spans; in all of them when there are none."""
    if spans is None:
        return np.ones(time.size, dtype=bool)
    inside = np.zeros(time.size, dtype=bool)
    for start, stop in spans:
        inside |= (time >= start - 1e-9) & (time < stop - 1e-9)
    return inside


def _accuracy(told: dict[str, Any]) -> list[float] | None:
    """The share of correct trials; what another lab calls accuracy may be anything else."""
    told_of = told["accuracy"]
    return [told_of] if isinstance(told_of, int | float) and 0 <= told_of <= 1 else None


def _in_region(
    regions: list[str] | None, region: str | None, n_units: int, name: str
) -> np.ndarray:
    if region is None:
        return np.arange(n_units)
    found = np.array([item == region for item in regions or ["unknown"] * n_units])
    if not found.any():
        raise ValueError(
            f"table {name} has no unit in region {region!r}; its regions are "
            f"{', '.join(sorted(set(regions or []))) or 'not told'}"
        )
    return np.flatnonzero(found)


def _sessions(
    nwbfile: Any,
    where: str,
    file_label: str,
    sessions_from: str,
    time: np.ndarray,
    covered: np.ndarray,
) -> list[tuple[str, np.ndarray]]:
    """Label and frames of every session of the file."""
    if sessions_from == "file":
        return [(file_label, np.flatnonzero(covered))]
    found = [
        (f"{file_label}-{row}", np.flatnonzero(covered & _within(time, np.array([[start, stop]]))))
        for row, start, stop in sessions_in(nwbfile, sessions_from, where)
    ]
    kept = [(name, frames) for name, frames in found if frames.size > 1]
    empty = [name for name, frames in found if frames.size <= 1]
    if not kept:
        raise ValueError(f"no row of {sessions_from} holds a frame of the position")
    if empty:
        warnings.warn(
            f"{where}: {len(empty)} of {len(found)} rows of {sessions_from} hold no frame of the "
            f"position and were left out: {', '.join(empty[:5])}",
            stacklevel=6,
        )
    return kept


def _with_speed(
    recording: xr.Dataset,
    series: Any,
    direction: Any,
    frames: np.ndarray,
    told: dict[str, Any],
) -> xr.Dataset:
    """Speed and direction from series of the file, or from the position if there are none."""
    # Frames that are cut out of runs have steps between them that are no speed.
    is_cut = told["only_running"] and series is None
    result = recording if is_cut else kinematics.running(recording)
    if series is not None:
        factor = nwb_find.centimetres_per_second(series.unit) or 1.0
        values = nwb_find.scaled(series, factor)[frames].reshape(frames.size, -1)
        speed = np.abs(values[:, 0]) if values.shape[1] == 1 else np.linalg.norm(values, axis=1)
        result = result.assign(speed=("time", speed, result["speed"].attrs))
        if told["speed_is_projected"]:
            result["speed"].attrs["projected"] = 1
        if "direction" in result and values.shape[1] == 1 and "velocity" in series.name.lower():
            sign = np.sign(np.nan_to_num(values[:, 0])).astype(np.int8)
            result["direction"] = ("time", sign, result["direction"].attrs)
    if direction is not None:
        sign = np.nan_to_num(np.asarray(direction.data[:], dtype=np.float64))[frames]
        result["direction"] = ("time", sign.astype(np.int8))
    if told["only_running"]:
        result = result.assign_attrs(only_running=1)
    result = label(result, RECORDING)
    check(result)
    return result
