"""Own arrays to NWB files, as a mapping in YAML says.

A mapping names, for every session, where activity or spike times, position, clocks, trials and
the identities of units are; ``neurodrift convert arrays --init`` writes one to start from.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from neurodrift.convert.own.mapping import (
    OTHER_UNITS,
    TEMPLATE,
    ArrayMapping,
    Section,
    load_mapping,
)
from neurodrift.convert.own.sessions import nwb_session, write_sessions
from neurodrift.convert.pipelines.readers import reader
from neurodrift.convert.pipelines.registration import (
    Registration,
    registered_ids,
    registration_from_table,
)
from neurodrift.gate.blocks import blocks
from neurodrift.gate.findings import sentences, settle
from neurodrift.gate.identities import NO_REGISTRATION
from neurodrift.gate.inputs import Activity, Columns, Position, clock
from neurodrift.geometry.geometry import as_geometry
from neurodrift.io.arrays.columns import counts_rows
from neurodrift.io.arrays.files import TABLES, list_arrays
from neurodrift.io.nwb.session import NwbSession
from neurodrift.io.output import whole
from neurodrift.schema.yaml import parse_yaml

SCORE = "registration_score"
PAIRS = "registration_pairs"


def convert(
    source: str | os.PathLike[str],
    out_dir: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    report: Callable[[str], None] | None = None,
) -> list[Path]:
    """Convert own arrays to one NWB file for each session.

    Parameters
    ----------
    source
        The mapping, a YAML file.
    out_dir
        Folder of the new files, named ``<subject>_<environment>_<session>.nwb``.
    overwrite
        Whether existing files are replaced.
    report
        Called with a line about every session: units, frames, gaps, overlaps, registration.

    Returns
    -------
    list of pathlib.Path
        The files, in the order of the mapping. If anything fails, none is written.

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    FileExistsError
        If a file exists and `overwrite` is False.
    ValueError
        If the mapping or a file is wrong; the line of the mapping is named.
    """
    mapping = load_mapping(source)
    registration = mapped_registration(mapping)
    make = partial(_reported, mapping, registration, report)
    names = [_file_name(mapping, label) for label in mapping.labels]
    if len(set(names)) < len(names):
        raise mapping.source.error([(("sessions",), "labels make equal file names")])
    sessions = {name: partial(make, i) for i, name in enumerate(names)}
    files = write_sessions(sessions, out_dir, overwrite=overwrite)
    if report is not None and registration is None and len(names) > 1:
        report(NO_REGISTRATION)
    return files


def mapped_sessions(source: str | os.PathLike[str]) -> list[NwbSession]:
    """The sessions of a mapping, not written.

    Parameters
    ----------
    source
        The mapping, a YAML file.

    Returns
    -------
    list of NwbSession
        The sessions, for :func:`neurodrift.convert.own.memory.import_sessions`.
    """
    mapping = load_mapping(source)
    registration = mapped_registration(mapping)
    return [_session(mapping, registration, i) for i in range(len(mapping.labels))]


def write_template(path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Write a commented mapping to start from.

    Parameters
    ----------
    path
        The new YAML file.
    overwrite
        Whether an existing file is replaced.

    Returns
    -------
    pathlib.Path
        `path`.
    """
    return write_mapping(TEMPLATE, path, overwrite=overwrite)


def write_mapping(text: str, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Write the text of a mapping.

    Parameters
    ----------
    text
        A mapping.
    path
        The new YAML file.
    overwrite
        Whether an existing mapping is replaced.

    Returns
    -------
    pathlib.Path
        `path`.

    Raises
    ------
    FileExistsError
        If `path` exists and `overwrite` is False, or it is no mapping.
    """
    path = Path(path)
    with whole(path, overwrite=overwrite, what="mapping", is_ours=_is_mapping) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
    return path


def _is_mapping(path: Path) -> bool:
    try:
        values, _ = parse_yaml(path.read_text(encoding="utf-8"), str(path))
    except (OSError, ValueError):
        return False
    return {"subject", "environment"} <= set(values)


def _reported(
    mapping: ArrayMapping,
    registration: Registration | None,
    report: Callable[[str], None] | None,
    index: int,
) -> NwbSession:
    session = _session(mapping, registration, index)
    if report is not None:
        n_frames = 0 if session.time is None else len(session.time)
        units = f"{len(session.registered_cell_id)} units, {n_frames} frames of position"
        report(f"session {session.session}: {units}. {session.file_fields['notes']}")
    return session


def _session(mapping: ArrayMapping, registration: Registration | None, index: int) -> NwbSession:
    values, label = mapping.values, mapping.labels[index]
    own = values["sessions"][index]
    place, section = mapping.section("position", index), mapping.section("activity", index)
    assert section is not None  # the schema asks for it
    position = None if place is None else mapped_position(place)
    activity = mapped_activity(section, position, place)
    if activity.regions is None and "region" in values:
        activity = replace(activity, regions=[values["region"]] * activity.n_units)
    notes = [values["notes"]] if "notes" in values else []
    ids, tables = None, {}
    try:
        if registration is not None:
            column = registration_column(mapping, registration, index)
            activity = with_silent_units(activity, section, registration, column)
            ids, findings = registered_ids(registration, column, activity)
            notes += sentences(settle(findings, f"session {label}"))
            score = registration.score_of(ids, column)
            if score is not None:
                about = ("how sure the registration is, from 0 to 1", score)
                activity = replace(activity, columns={**activity.columns, SCORE: about})
            tables = _pairs_table(mapping, registration, column)
        trials: Columns | None = mapped_trials(mapping.section("trials", index))
        activity, position, trials, origin = from_start(activity, position, trials)
        if origin:
            notes.append(f"The source counts its clock from {-origin:.6f} s before the session.")
        if "start" not in own:
            notes.append("The date of the session is not known; it stands for its day only.")
        fields: dict[str, Any] = {
            key: values[key] for key in ("lab", "institution") if key in values
        }
        if "experimenter" in values:
            fields["experimenter"] = [values["experimenter"]]
        return nwb_session(
            activity,
            position,
            subject=str(values["subject"]["id"]),
            environment=str(values["environment"]),
            session=label,
            start=mapping.starts[index],
            registered_cell_id=ids,
            trials=trials,
            day=mapping.days[index],
            experience=own.get("experience"),
            accuracy=own.get("accuracy"),
            detection=values.get("detection", None if registration is None else "each_session"),
            accept=[*values.get("accept", []), *own.get("accept", [])],
            notes=notes,
            tables=tables,
            subject_fields={k: v for k, v in values["subject"].items() if k != "id"},
            file_fields=fields,
        )
    except ValueError as error:
        if str(error).startswith(mapping.source.name):
            raise
        raise mapping.source.error([(("sessions", index), str(error))]) from error


def _pairs_table(
    mapping: ArrayMapping, registration: Registration, column: int
) -> dict[str, tuple[str, Columns]]:
    """Probabilities of the pairs that a session has a part in, as a table of its file."""
    if registration.pairs is None:
        return {}
    labels = [str(i) for i in mapping.values["registration"].get("sessions", mapping.labels)]
    row, other, other_row, probability = registration.pairs.of_session(column)
    named = ", ".join(f"{i} = {label}" for i, label in enumerate(labels))
    columns: dict[str, tuple[str, Any]] = {
        "source_row": ("row of this session's unit in its source, from 0", row),
        "other_session": (f"number of the other session: {named}", other),
        "other_row": ("row of the other session's unit in its source, from 0", other_row),
        "probability": ("that both are the same unit", probability),
    }
    about = f"pairs of units of two sessions, matched or not, from {registration.pairs.source}"
    return {PAIRS: (about, columns)}


def _file_name(mapping: ArrayMapping, label: str) -> str:
    parts = (mapping.values["subject"]["id"], mapping.values["environment"], label)
    return "_".join(re.sub(r"[^\w.-]+", "-", str(part)) for part in parts)


_CENTIMETRES = {"cm": 1.0, "m": 100.0, "mm": 0.1}
_LATEST_START = 86400.0  # s; a clock that starts later counts from some other time


def mapped_position(section: Section) -> Position:
    """The position that a section names.

    Parameters
    ----------
    section
        The section ``position`` of one session.

    Returns
    -------
    Position
        The position in cm.

    Raises
    ------
    ValueError
        If it cannot be read; the line is named.
    """
    values = section.values
    shape = as_geometry(values.get("geometry"))
    if "reader" in values:
        read: Position = _read(section, cm_per_pixel=values.get("cm_per_pixel"))
        return replace(read, geometry=shape)
    source = _source(section)
    if "x" in values:
        axes = [section.numbers(key) for key in ("x", "y") if key in values]
        if len({axis.size for axis in axes}) > 1:
            raise section.error("y", f"has {axes[1].size} frames, but x has {axes[0].size}")
        xy = np.column_stack(axes) if len(axes) == 2 else axes[0]
    else:
        found = section.array("xy")
        if not isinstance(found, np.ndarray) or found.dtype.kind not in "fiub":
            raise section.error("xy", "is no array of numbers")
        xy = found
    xy = np.array(xy, dtype=np.float64)
    xy = xy[:, 0] if xy.ndim == 2 and xy.shape[1] == 1 else xy
    if "missing" in values:
        gone = xy == values["missing"]
        xy[gone.all(axis=1) if xy.ndim == 2 else gone] = np.nan
    factor = 1.0 if values["unit"] in OTHER_UNITS else _CENTIMETRES.get(values["unit"])
    factor = factor or values["cm_per_pixel"]
    try:
        time = clock(len(xy), source, time=section.clock(len(xy)))
        xy = xy if factor == 1 else xy * factor
        return Position(time=time, xy=xy, source=source, geometry=shape)
    except ValueError as error:
        raise section.error("xy" if "xy" in values else "x", str(error)) from error


def mapped_activity(
    section: Section, position: Position | None, place: Section | None = None
) -> Activity:
    """The activity that a section names.

    Parameters
    ----------
    section
        The section ``activity`` of one session.
    position
        The session's position, whose clock samples without one are on.
    place
        Its section, whose columns are no units.

    Returns
    -------
    Activity
        The activity.

    Raises
    ------
    ValueError
        If it cannot be read; the line is named.
    """
    values = section.values
    if "reader" in values:
        activity: Activity = _read(section)
    elif "times" in values:
        activity = _times(section, position)
    else:
        activity = _samples(section, position, place)
    if "recorded" in values:
        stretch = section.seconds(np.array(values["recorded"], dtype=np.float64), "recorded")
        if activity.times is None:
            raise section.error("recorded", "belongs to times; samples have a clock")
        if stretch[0] >= stretch[1]:
            raise section.error("recorded", "starts after it stops")
        activity = replace(activity, recorded=stretch[None, :])
    if "regions" in values:
        regions = np.asarray(section.array("regions"), dtype=object).ravel()
        if regions.size != activity.n_units:
            text = f"has {regions.size} entries, but there are {activity.n_units} units"
            raise section.error("regions", text)
        activity = replace(activity, regions=[str(item) for item in regions])
    if "keep" in values:
        keep = np.asarray(section.array("keep"))
        keep = keep[:, 0] if keep.ndim == 2 else keep
        if keep.shape != (activity.n_units,) or keep.dtype.kind not in "fiub":
            text = f"has shape {keep.shape}, but there are {activity.n_units} units"
            raise section.error("keep", text)
        activity = activity.pick(np.nan_to_num(keep) > 0)
    return activity


def mapped_trials(section: Section | None) -> dict[str, tuple[str, Any]] | None:
    """The table of trials that a section names.

    Parameters
    ----------
    section
        The section ``trials`` of one session.

    Returns
    -------
    dict or None
        Columns of the table.

    Raises
    ------
    ValueError
        If it cannot be read; the line is named.
    """
    if section is None:
        return None
    times = [section.seconds(section.numbers(key), key) for key in ("start", "stop")]
    columns: dict[str, tuple[str, Any]] = {
        "start_time": ("", times[0]),
        "stop_time": ("", times[1]),
    }
    numbers = np.arange(times[0].size) + 1
    if "number" in section.values:
        numbers = section.numbers("number").astype(np.int64)
    columns["track_trial"] = ("number of the trial", numbers)
    labels = {
        "trial_type": "kind of the trial, -1 = none",
        "map_label": "map of the environment, 0 = unknown",
    }
    for name, about in labels.items():
        if name in section.values:
            columns[name] = (about, section.numbers(name).astype(np.int64))
    sizes = {name: len(column) for name, (_, column) in columns.items()}
    if len(set(sizes.values())) > 1:
        raise section.error("start", f"and the other columns differ in length: {sizes}")
    return columns


def mapped_registration(mapping: ArrayMapping) -> Registration | None:
    """The registration that a mapping names.

    Parameters
    ----------
    mapping
        The mapping.

    Returns
    -------
    Registration or None
        The registration, with one column for each of its sessions.

    Raises
    ------
    ValueError
        If it cannot be read, or its columns are not the sessions; the line is named.
    """
    section = mapping.section("registration")
    if section is None:
        return None
    if "reader" in section.values:
        found: Registration = _read(section, clocked=False)
    else:
        listed = section.columns("table")
        table = section.array("table") if listed is None else listed[1]
        if section.values.get("axes") == ["sessions", "units"]:
            table = np.asarray(table).T
        if isinstance(table, np.ndarray) and table.ndim == 1 and len(mapping.labels) == 1:
            table = table[:, None]
        first = section.values["count_from"]
        try:
            found = registration_from_table(table, count_from=first, source=_source(section))
        except ValueError as error:
            raise section.error("table", str(error)) from error
    wanted = len(section.values.get("sessions", mapping.labels))
    n_columns = found.table.shape[1]
    if n_columns != wanted:
        swapped = found.table.shape[0] == wanted
        hint = "its axes look swapped (axes: [sessions, units])" if swapped else ""
        hint = hint or "name the sessions of its columns (sessions: [...])"
        raise section.error("file", f"has {n_columns} columns for {wanted} sessions: {hint}")
    return found


def registration_column(mapping: ArrayMapping, registration: Registration, index: int) -> int:
    """Column of a session in the registration.

    Parameters
    ----------
    mapping, registration
        The mapping and its registration.
    index
        Position of the session in the mapping.

    Returns
    -------
    int
        The column, from 0.
    """
    columns = mapping.values["registration"].get("sessions", mapping.labels)
    return [str(item) for item in columns].index(mapping.labels[index])


def with_silent_units(
    activity: Activity, section: Section, registration: Registration, column: int
) -> Activity:
    """Activity with the registered units that a table of spikes does not mention.

    Parameters
    ----------
    activity
        The activity.
    section
        Its section.
    registration, column
        The registration, and the session's column.

    Returns
    -------
    Activity
        The activity; units that the registration names beyond the last one that fired are silent.

    Raises
    ------
    ValueError
        If units are numbered and the section does not say from where.
    """
    if "times" in section.values and section.values.get("file", "").endswith(".mat"):
        n_skipped = getattr(section.array("times"), "skipped", 0)
        if n_skipped:
            text = (
                f"leaves out {n_skipped} empty cells, so numbers of a registration would not fit: "
                "put a struct without times there, or a cell of vectors"
            )
            raise section.error("times", text)
    if "unit" not in section.values:
        return activity
    if "unit_count_from" not in section.values:
        text = "and a registration need unit_count_from: number of the first unit, 0 or 1"
        raise section.error("unit", text)
    n_units = int(registration.table[:, column].max(initial=-1)) + 1
    more = max(0, n_units - activity.n_units)
    times = [*(activity.times or []), *[np.empty(0)] * more]
    regions = activity.regions and [*activity.regions, *["unknown"] * more]
    return replace(activity, times=times, regions=regions, columns={} if more else activity.columns)


def from_start(
    activity: Activity, position: Position | None, trials: Columns | None
) -> tuple[Activity, Position | None, Columns | None, float]:
    """All clocks counted from the session's first frame where they count from some other time.

    Parameters
    ----------
    activity, position, trials
        The parts of a session.

    Returns
    -------
    activity, position, trials
        The same with other times.
    origin : float
        What was subtracted [s]: 0 for clocks that count from the session's start.
    """
    frames = position.time if position is not None else activity.time
    origin = 0.0 if frames is None or not len(frames) else float(np.nanmin(frames))
    if abs(origin) < _LATEST_START:
        return activity, position, trials, 0.0
    activity = replace(
        activity,
        time=None if activity.time is None else activity.time - origin,
        times=None if activity.times is None else [item - origin for item in activity.times],
        recorded=None if activity.recorded is None else activity.recorded - origin,
    )
    if position is not None:
        position = replace(position, time=position.time - origin)
    if trials is not None:
        moved = ("start_time", "stop_time")
        trials = {
            name: (about, column - origin if name in moved else column)
            for name, (about, column) in trials.items()
        }
    return activity, position, trials, origin


_NO_UNIT = re.compile(
    r"^((pos(ition)?|loc(ation)?|head|nose|body|lin(ear)?)?[_. ]?[xyz]|pos(ition)?|location|t"
    r"|times?|timestamps?|ts|frames?|index|trials?|laps?|speed|veloc(ity)?|direction|hd|angle"
    r"|heading|session|day|phase)"
    r"([_. (\[]*(cm|mm|m|px|pixels?|s|sec|ms|us|cm/s|deg|id|no|number)[)\]]?)?$",
    re.IGNORECASE,
)


def _samples(section: Section, position: Position | None, place: Section | None) -> Activity:
    values, source = section.values, _source(section)
    listed = section.columns("samples")
    columns: dict[str, tuple[str, Any]] = {}
    if listed is not None:
        names, found = listed
        if values["axes"] != ["frames", "units"]:
            return _with_clock(section, position, _rows_as_units(section, names, found))
        is_named = isinstance(values["samples"], list)
        others = _columns_of(section)
        if place is not None and place.values.get("file") == values.get("file"):
            others |= _columns_of(place)
        wrong = [name for name in names if name in others or not is_named and _NO_UNIT.match(name)]
        if wrong:
            raise section.error("samples", f"takes {', '.join(wrong)}, which is no unit")
        columns["source_label"] = ("label of the unit in its source", names)
        source = f"{source}, {len(names)} columns {names[0]} to {names[-1]}"
    else:
        is_named = False
        _refuse_mixed_table(section)
        found = section.array("samples")
    if isinstance(found, np.ndarray) and found.ndim == 1 and found.dtype.kind in "fiub":
        found = found[:, None] if values["axes"] == ["frames", "units"] else found[None, :]
    if not isinstance(found, np.ndarray) or found.ndim != 2 or found.dtype.kind not in "fiub":
        shape = found.shape if isinstance(found, np.ndarray) else f"{len(found)} vectors"
        raise section.error("samples", f"has shape {shape}, expected numbers over two dimensions")
    samples = found.T if values["axes"] == ["units", "frames"] else found
    clocks = [] if is_named or len(samples) < 20 else _increasing(samples)
    if clocks:
        text = f"column {clocks[0]} (from 0) increases in every frame, as a clock does and no unit"
        raise section.error("samples", f"{text}: list the columns that are units")
    activity = Activity(kind=values["kind"], source=source, samples=samples, columns=columns)
    return _with_clock(section, position, activity)


def _rows_as_units(section: Section, names: list[str], found: np.ndarray) -> Activity:
    """Samples of a table that has one row a unit, and the columns that are its frames."""
    if not all(re.fullmatch(r"[-+.\d]+", name) for name in names):
        text = (
            "are [frames, units] where units are columns. Where each row is a unit and each column "
            "a frame, leave samples out, so that the whole table is read"
        )
        raise section.error("axes", text)
    if counts_rows(found[:, 0]) and found.shape[1] > 1:
        text = (
            f"takes {names[0]}, which numbers the rows and is no frame: leave it out, such as by "
            "samples: '[0-9]*'"
        )
        raise section.error("samples", text)
    source = f"{_source(section)}, {len(names)} columns {names[0]} to {names[-1]} as frames"
    return Activity(kind=section.values["kind"], source=source, samples=found.T, columns={})


def _with_clock(section: Section, position: Position | None, activity: Activity) -> Activity:
    """Samples with their own clock, or that of the position."""
    samples = np.asarray(activity.samples)
    time = section.clock(len(samples))
    n_position = 0 if position is None else len(position.time)
    if time is None and position is not None and len(samples) == n_position:
        time = position.time
    if time is None or time.size != len(samples):
        n_frames = n_position if time is None else time.size
        hint = "; give its own clock, time or rate" if time is None else ""
        if n_frames == samples.shape[1]:
            hint = ": the axes are swapped, state them the other way round"
        text = f"has {len(samples)} frames and {samples.shape[1]} units, but its clock {n_frames}"
        raise section.error("axes", f"{text}{hint}")
    return replace(activity, time=time)


def _columns_of(section: Section) -> set[str]:
    """Names of the columns that a section takes for anything but units."""
    keys = ("x", "y", "xy", "time", "keep", "unit")
    taken = [v for k, v in section.values.items() if k in keys and isinstance(v, str | int)]
    if not any(isinstance(item, int) for item in taken):
        return set(map(str, taken))
    listed = [item.name for item in list_arrays(section.path())]
    return {listed[v] if isinstance(v, int) and v < len(listed) else str(v) for v in taken}


def _refuse_mixed_table(section: Section) -> None:
    """Refuse a table of which all columns would be units, though some have names of others."""
    given = section.values.get("samples")
    named = given if isinstance(given, dict) else section.values
    if given is not None and not (isinstance(given, dict) and "variable" not in given):
        return
    path = section.folder / str(named.get("file", "")).replace("{session}", section.label)
    if path.suffix.lower() not in TABLES or not path.is_file():
        return
    try:
        names = [item.name for item in list_arrays(path)]
    except ValueError as error:
        raise section.error("file", str(error)) from error
    wrong = [name for name in names if _NO_UNIT.match(name) or name in _columns_of(section)]
    if wrong:
        text = f"has a column {', '.join(wrong)}, which is no unit: name the columns that are, as "
        raise section.error("file", text + "samples: 'c*' or samples: [c1, c2]")


def _increasing(samples: np.ndarray) -> list[int]:
    """Columns that increase in every frame."""
    rising = np.ones(samples.shape[1], dtype=bool)
    last = np.full(samples.shape[1], np.nan)
    for frames, units, part in blocks(samples):
        values = part.astype(float)
        rising[units] &= (np.diff(values, axis=0) > 0).all(axis=0)
        if frames.start:
            rising[units] &= values[0] > last[units]
        last[units] = values[-1]
    return np.flatnonzero(rising).tolist()


def _times(section: Section, position: Position | None) -> Activity:
    values, source = section.values, _source(section)
    n_frames = None if position is None else len(position.time)
    if values.get("time_unit") == "samples":
        n_frames = None
    found = section.array("times")
    if "unit" in values:
        return _grouped(section, source, n_frames)
    if isinstance(found, np.ndarray):
        if found.ndim != 2 or found.dtype.kind != "f" or not np.isnan(found).any():
            raise section.error(
                "times",
                f"is one array of shape {found.shape}: say which unit each time is of (unit), or "
                "give one vector for each unit (a cell, a group/*, an npz unit*)",
            )
        # a matrix padded with NaN: its units are what NaN runs end in
        rows = found if np.isnan(found[:, -1]).any() else found.T
        found = [row[~np.isnan(row)] for row in rows]
    found = [item.ravel() if item.size == max(item.shape, default=0) else item for item in found]
    for i, item in enumerate(found):
        if item.dtype.kind not in "fiub" or item.ndim > 1:
            raise section.error("times", f"of unit {i} have shape {item.shape} of {item.dtype}")
    every = np.concatenate([*found, np.empty(0)])
    section.seconds(every[np.isfinite(every)], "times", n_frames=n_frames)
    times = [section.seconds(item, "times") for item in found]
    return Activity(kind=values["kind"], source=source, times=times)


def _grouped(section: Section, source: str, n_frames: int | None) -> Activity:
    """One vector for each unit out of a column of times and a column of units."""
    values = section.values
    times = section.seconds(section.numbers("times"), "times", n_frames=n_frames)
    unit = np.asarray(section.array("unit")).ravel()
    if unit.size != times.size:
        raise section.error("unit", f"has {unit.size} entries, but there are {times.size} times")
    if "unit_count_from" in values:
        first = values["unit_count_from"]
        if unit.dtype.kind not in "fiu" or (unit != np.round(unit)).any() or (unit < first).any():
            text = f"are no whole numbers from {first}: they start at {unit.min()}"
            raise section.error("unit", text)
        numbers = unit.astype(np.int64) - first
        if numbers.max(initial=0) > 1_000_000:
            raise section.error("unit", f"are numbered up to {numbers.max():,}; renumber them")
        return Activity(kind=values["kind"], source=source, times=_split(times, numbers))
    named: np.ndarray = unit.astype(str) if unit.dtype == object else unit
    labels, numbers = np.unique(named, return_inverse=True)
    split = _split(times, numbers)
    about = ("label of the unit in its source", [str(item) for item in labels])
    return Activity(
        kind=values["kind"], source=source, times=split, columns={"source_label": about}
    )


def _split(times: np.ndarray, numbers: np.ndarray) -> list[np.ndarray]:
    """The times of each number from 0 to the largest, in their order."""
    order = np.argsort(numbers, kind="stable")
    return np.split(times[order], np.cumsum(np.bincount(numbers))[:-1])


def _read(section: Section, *, clocked: bool = True, **fixed: Any) -> Any:
    """What the section's reader reads."""
    values = section.values
    options: dict[str, Any] = dict(values.get("options", {})) | fixed
    if clocked and "time" in values:
        options["time"] = section.seconds(section.numbers("time"), "time")
    elif clocked and "rate" in values:
        options["rate"] = values["rate"]
    try:
        found = reader(section.name, values["reader"])(section.path(), **options)
    except (ValueError, OSError, TypeError) as error:
        raise section.error("file", str(error)) from error
    offset = values.get("offset", 0.0) if clocked and "time" not in values else 0.0
    if not offset:
        return found
    if isinstance(found, Activity) and found.times is not None:
        return replace(found, times=[item + offset for item in found.times])
    return replace(found, time=found.time + offset)


def _source(section: Section) -> str:
    """The name of the section's file, for messages and notes."""
    named = section.values.get("file")
    if named is None:
        named = next(v["file"] for v in section.values.values() if isinstance(v, dict))
    return Path(named.replace("{session}", section.label)).name
