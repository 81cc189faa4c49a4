"""The sessions of NWB files on the frames of their positions, with activity that is read later."""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from neurodrift import kinematics
from neurodrift.gate.findings import EVERYTHING, Finding, GateWarning, add_findings, settle
from neurodrift.gate.placeholders import refuse_placeholders
from neurodrift.gate.recordings import Seen, admit
from neurodrift.gate.subjects import known_subject
from neurodrift.gate.traces import as_fluorescence, trace_findings, trace_name_findings
from neurodrift.geometry.geometry import Geometry, as_geometry, geometry_of
from neurodrift.geometry.linearization import along
from neurodrift.io.nwb import find as nwb_find
from neurodrift.io.nwb.epochs import epoch_spans
from neurodrift.io.nwb.frames import (
    SAMPLED,
    OnFrames,
    activity_on_frames,
    blocks_of,
    clocks_together,
    frame_of,
)
from neurodrift.io.nwb.grid import Frames, frames_of
from neurodrift.io.nwb.opened import opened_nwb
from neurodrift.io.nwb.place import read_place
from neurodrift.io.nwb.planes import expect_planes, join_planes
from neurodrift.io.nwb.stream import Session
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
from neurodrift.progress import bar
from neurodrift.recording import recording_from_arrays, refuse_not_finite
from neurodrift.schema import COUNT_KINDS, DETECTION, check, label, recording_table
from neurodrift.schema.objects import names_in, path_of

OPTIONS: dict[str, Any] = {
    "series": None,
    "position": None,
    "position_unit": None,
    "geometry": None,
    "speed": None,
    "values": "events",
    "join_on": "registered_cell_id",
    "environment": None,
    "region": None,
    "units": None,
    "epoch": None,
    "frame_rate": None,
    "sessions_from": "file",
    "detection": None,
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
    for path in bar(paths, "look at files", progress, unit="file"):
        parts += read_file(path, name=path.stem if by_file else None, **options)
        refuse_another(parts)
    labels = [part.label for part in parts]
    if len(set(labels)) < len(labels):
        parts = [part for path in paths for part in read_file(path, name=path.stem, **options)]
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


def read_file(path: Path, *, name: str | None, **options: Any) -> list[Part]:
    """The sessions of one file.

    Parameters
    ----------
    path
        The file.
    name
        Label of its session, where it is not the one that the file tells.
    **options
        As for :func:`neurodrift.import_nwb`.

    Returns
    -------
    list of Part
        At least one.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If it cannot be read, or makes no recording.
    """
    with opened_nwb(path) as nwbfile:
        try:
            told = told_by_epochs(nwbfile, path.name, options["environment"])
            named = name or told["session"] or nwbfile.session_id or path.stem
            series = options["series"]
            names = list(series) if isinstance(series, list | tuple) else [series]
            if len(names) > 1:
                expect_planes(
                    [nwb_find.find_activity(nwbfile, one, path.name) for one in names], path.name
                )
            planes = [
                sessions_of(
                    nwbfile,
                    path.name,
                    named,
                    told,
                    **options | {"series": one, "first_plane": names[0]},
                    unit_prefix=f"{named}:{one}" if len(names) > 1 else named,
                )
                for one in names
            ]
            found = join_planes(planes, names, path.name)
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


def sessions_of(
    nwbfile: Any,
    where: str,
    file_label: str,
    told: dict[str, Any],
    *,
    series: str | None,
    first_plane: str | None,
    unit_prefix: str,
    position: str | Sequence[str] | None,
    position_unit: str | None,
    geometry: Geometry | Mapping[str, object] | str | None,
    speed: str | None,
    values: str,
    join_on: str,
    environment: str | None,
    region: str | None,
    units: str | None,
    epoch: str | None,
    frame_rate: float | None,
    sessions_from: str,
    detection: Any,
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
    series, position, position_unit, geometry, speed, values, join_on, environment, region
        As for :func:`neurodrift.io.nwb.read.import_nwb`.
    first_plane
        Series whose frames the activity is laid on: `series`, or the first of several planes.
    unit_prefix
        What the label of a unit without an identity begins with.
    units, epoch
        As for :func:`neurodrift.io.nwb.read.import_nwb`.
    frame_rate, sessions_from, detection, lag, accept
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
    shape = as_geometry(told["geometry"] if geometry is None else geometry)
    if shape is not None and not shape.is_place and position_unit is None:
        position_unit = "cm"  # the numbers as they are
    place = read_place(nwb_find.find_positions(nwbfile, named, where, position_unit), position_unit)
    noted = settle(place.findings, where, accept)
    if shape is not None:
        maze = shape.kind == "graph" and place.xy.shape[1] == 2
        xy = along(shape, place.xy)[:, None] if maze else place.xy
        place = replace(place, xy=xy, geometry=shape)
    source = nwb_find.find_activity(nwbfile, series, where)
    clock_of = nwb_find.find_activity(nwbfile, first_plane, where)
    of_file = lag.get(file_label, 0.0) if isinstance(lag, Mapping) else lag
    in_step = replace(place, time=place.time + of_file) if of_file else place
    spans = told["spans"]
    if epoch is not None or (spans is None and sessions_from == "file"):
        spans, found = epoch_spans(nwbfile, epoch, where)
        noted += settle(found, where, accept)
    noted += settle(clocks_together(source, in_step, spans), where, accept)

    def laid(late: float) -> _Laid:
        grid = frames_of(nwbfile, place, clock_of, frame_rate, late)
        activity = activity_on_frames(source, grid.time + late, grid.duration, values)
        return _Laid(late, grid, activity, _Look(activity))

    first = laid(of_file)
    noted += settle(first.grid.told, where, accept)
    kind, table, rows = first.activity.kind, first.activity.table, first.activity.rows
    path = nwb_find.path_of(source)
    traces = trace_findings(first.look.blocks, first.grid.time.size, kind, path)
    if kind == "deconvolved" and not traces:
        traces = trace_name_findings(path, source.description)
    if traces and not {"trace", EVERYTHING} & set(accept):
        kind, traces = "fluorescence", [as_fluorescence(item) for item in traces]
    noted += settle(traces, where, accept)
    names, known = labels_of(table, rows, join_on, unit_prefix)
    are_text = ids_are_text(table, join_on)
    regions = regions_of(table, rows)
    scores = scores_of(table, rows)
    wanted = _in_region(regions, region, rows.size, table.name)
    wanted = wanted[_chosen(table, rows[wanted], units, where)]
    velocity = nwb_find.find_speed(nwbfile, speed, place.time, where)
    direction = nwb_find.find_direction(nwbfile, place.time) if place.xy.shape[1] == 1 else None

    def frames_by_session(one: _Laid) -> dict[str, np.ndarray]:
        time = one.grid.time
        covered = _within(time, spans)
        covered &= _told_valid(nwbfile, table, rows, time, where)
        if kind in SAMPLED:
            covered &= _told_empty(one.look.empty, covered, path, where)
        if not covered.any():
            raise ValueError(
                f"no frame of the position has a sample of {source.name}"
                if spans is None
                else f"no frame of the position lies in an epoch of {epoch or environment}"
            )
        return dict(_sessions(nwbfile, where, file_label, sessions_from, time, covered))

    every = frames_by_session(first)
    of_first = trials_on_frames(nwbfile, first.grid.time, where)
    made = []
    for name in every:
        late = lag.get(name, 0.0) if isinstance(lag, Mapping) else lag
        one, frames, per_frame = first, every[name], of_first
        if late != first.late:
            one = laid(late)
            per_frame = trials_on_frames(nwbfile, one.grid.time, where)
            frames = frames_by_session(one).get(name, frames[:0])
        time, xy, step = one.grid.time, one.grid.xy, one.grid.duration
        if late and kind not in SAMPLED:  # silence where nothing was recorded is no silence
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
        session = Session(one.activity, frames, chosen)
        one.look.refuse_not_finite(session)
        recording = recording_from_arrays(
            [zeros((frames.size, chosen.size), one.activity.dtype)],
            kind=kind,
            time=[time[frames]],
            frame_duration=[step[frames]],
            x=[xy[frames, 0]],
            y=[xy[frames, 1]] if xy.shape[1] == 2 else None,
            geometry=shape,
            session=[name],
            unit=[names[i] for i in chosen],
            region=None if regions is None else [regions[i] for i in chosen],
            registration_score=None if scores is None else scores[None, chosen],
            registered=[known[i] or sessions_from != "file" for i in chosen],
            detection=detection or _told_detection(told, sessions_from),
            experience=[told["experience"]] if np.isfinite(told["experience"]) else None,
            accuracy=_accuracy(told) if sessions_from == "file" else None,
            subject=known_subject(nwbfile.subject.subject_id if nwbfile.subject else None),
            environment=environment or told["environment"] or "unknown",
            accept=[EVERYTHING],
            **{key: [item[frames]] for key, item in per_frame.items()},
        )
        recording = admit(recording, accept, seen=[_seen(session)])
        recording = _with_speed(recording, one.grid, velocity, direction, frames, told)
        recording = _told_of_lag(recording, late, name) if late else recording
        recording = add_findings(recording, noted)
        made.append((recording, session, are_text if any(known) else None))
        one.activity.release()
    return made


@dataclass(frozen=True)
class _Laid:
    """Activity of a file on frames that belong together once a lag is taken out.

    Parameters
    ----------
    late
        By how much activity comes after position on the clocks of the file [s].
    grid
        The frames, on the clock of the position.
    activity
        Activity in them.
    look
        What a look at all of it tells.
    """

    late: float
    grid: Frames
    activity: OnFrames
    look: _Look


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


def _told_detection(told: dict[str, Any], sessions_from: str) -> Any:
    """How it was decided which units a session has: units of one file are those of all its rows."""
    if sessions_from != "file":
        return "together"
    return told["detection"] if told["detection"] in DETECTION else None


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
    grid: Frames,
    series: Any,
    direction: Any,
    frames: np.ndarray,
    told: dict[str, Any],
) -> xr.Dataset:
    """Speed and direction from series of the file, or from the position if there are none."""
    # Frames that are cut out of runs have steps between them that are no speed.
    is_cut = told["only_running"] and series is None
    is_cut |= not geometry_of(recording).is_place
    result = recording if is_cut else kinematics.running(recording)
    if series is not None:
        factor = nwb_find.centimetres_per_second(series.unit) or 1.0
        values = grid.of_place(nwb_find.scaled(series, factor))[frames].reshape(frames.size, -1)
        speed = np.abs(values[:, 0]) if values.shape[1] == 1 else np.linalg.norm(values, axis=1)
        result = result.assign(
            speed=("time", speed, result["speed"].attrs if "speed" in result else {})
        )
        if told["speed_is_projected"]:
            result["speed"].attrs["projected"] = 1
        if "direction" in result and values.shape[1] == 1 and "velocity" in series.name.lower():
            sign = np.sign(np.nan_to_num(values[:, 0])).astype(np.int8)
            result["direction"] = ("time", sign, result["direction"].attrs)
    if direction is not None:
        told_of = np.asarray(direction.data[:], dtype=np.float64)
        sign = np.nan_to_num(grid.of_place(told_of, nearest=True))[frames]
        result["direction"] = ("time", sign.astype(np.int8))
    if told["only_running"]:
        result = result.assign_attrs(only_running=1)
    result = label(result, recording_table(result))
    check(result)
    return result
