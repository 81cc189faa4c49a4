"""A mapping of own arrays: read, checked, and its sections turned into arrays."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from neurodrift.convert.pipelines.readers import READERS, knows_length, reader_options, text_options
from neurodrift.gate.findings import ACCEPTABLE
from neurodrift.gate.placeholders import placeholders
from neurodrift.geometry.geometry import as_geometry
from neurodrift.io.arrays.files import TABLES, read_array, read_columns
from neurodrift.schema import ACTIVITY_KINDS, DETECTION
from neurodrift.schema.json import write_schema_file
from neurodrift.schema.yaml import Place, Source, parse_yaml, schema_faults

_FIRST_DAY = datetime(2000, 1, 1, tzinfo=UTC)  # where no session has a start


@dataclass(frozen=True)
class ArrayMapping:
    """A checked mapping.

    Parameters
    ----------
    values
        Plain values.
    source
        Their lines.
    folder
        What its paths are relative to.
    starts
        Start of every session.
    days
        Days of every session since the first.
    """

    values: dict[str, Any]
    source: Source
    folder: Path
    starts: tuple[datetime, ...]
    days: tuple[float, ...]

    @property
    def labels(self) -> list[str]:
        """Labels of the sessions."""
        return [str(item["session"]) for item in self.values["sessions"]]

    def section(self, name: str, index: int | None = None) -> Section | None:
        """A section as one session sees it, None where there is none."""
        shared = self.values.get(name, {})
        own = {} if index is None else self.values["sessions"][index].get(name, {})
        if not shared and not own:
            return None
        label = "" if index is None else self.labels[index]
        places: dict[str, Place] = {key: (name, key) for key in shared}
        places |= {key: ("sessions", index or 0, name, key) for key in own}
        return Section(name, {**shared, **own}, places, self.source, self.folder, label)


@dataclass(frozen=True)
class Section:
    """One section of a mapping, and where its values stand."""

    name: str
    values: Mapping[str, Any]
    places: Mapping[str, Place]
    source: Source
    folder: Path
    label: str

    def error(self, key: str, text: str) -> ValueError:
        """An error that names the line of a key."""
        return self.source.error([(self.places.get(key, (self.name,)), text)])

    def path(self) -> Path:
        """The section's file."""
        if "file" not in self.values:
            raise self.error("", "names no file")
        return self._expanded(self.values["file"])

    def array(self, key: str) -> Any:
        """The array that a key refers to; the only one of the section's file for no key."""
        given = self.values.get(key)
        try:
            if isinstance(given, dict):
                return read_array(self._expanded(given["file"]), self._named(given.get("variable")))
            return read_array(self.path(), self._named(given))
        except (ValueError, OSError) as error:
            if str(error).startswith(self.source.name):
                raise
            raise self.error(key if given is not None else "file", str(error)) from error

    def columns(self, key: str) -> tuple[list[str], np.ndarray] | None:
        """Names and numbers of the columns that a key lists or globs, None where it does not."""
        given = self.values.get(key)
        path = given["file"] if isinstance(given, dict) else self.values.get("file")
        named: Any = given.get("variable") if isinstance(given, dict) else given
        is_table = Path(path or "").suffix.lower() in TABLES
        is_glob = is_table and isinstance(named, str) and re.search(r"[*?\[]", named)
        if path is None or not (isinstance(named, list) or is_glob):
            return None
        try:
            listed: Any = self._named(named)
            if isinstance(named, list):
                listed = [self._named(item) for item in named]
            return read_columns(self._expanded(path), listed)
        except (ValueError, OSError) as error:
            raise self.error(key, str(error)) from error

    def numbers(self, key: str, n_dims: int = 1) -> np.ndarray:
        """The array that a key refers to, refused unless it is of numbers."""
        found = self.array(key)
        if isinstance(found, np.ndarray) and found.dtype.kind == "M" and key in _CLOCKS:
            return found.ravel()
        if not isinstance(found, np.ndarray) or found.dtype.kind not in "fiub":
            kind = f"text or {found.dtype}" if isinstance(found, np.ndarray) else "many vectors"
            raise self.error(key, f"is {kind}, expected numbers")
        if found.ndim != n_dims and not (n_dims == 1 and found.size == max(found.shape, default=0)):
            raise self.error(key, f"has shape {found.shape}, expected {n_dims} dimension(s)")
        return found.ravel() if n_dims == 1 else found

    def seconds(self, numbers: np.ndarray, key: str, *, n_frames: int | None = None) -> np.ndarray:
        """Times of the section's clock in seconds; `n_frames` is how many frames are counted."""
        unit, first = self.values.get("time_unit", "s"), self.values.get("count_from", 0)
        if np.asarray(numbers).dtype.kind == "M":  # dates and times of ISO 8601, counted from 1970
            if unit != "s":
                raise self.error(key, f"holds dates and times, so their time_unit is s, not {unit}")
            since = np.asarray(numbers).astype("datetime64[ns]")
            seconds = since.astype(np.int64) / 1e9
            return np.where(np.isnat(since), np.nan, seconds) + self.values.get("offset", 0.0)
        numbers = np.asarray(numbers, dtype=np.float64)
        factor = TIME_UNITS[unit]
        if factor is None:
            if (numbers < first).any():
                raise self.error(key, f"counts from {numbers.min():g}, not from {first}")
            if n_frames is not None and first == 0 and numbers.max(initial=0) == n_frames:
                raise self.error(
                    key,
                    f"names frame {n_frames} of {n_frames}: frames count from 1 (count_from: 1)",
                )
            numbers, factor = numbers - first, 1 / self.values["rate"]
        return numbers * factor + self.values.get("offset", 0.0)

    def clock(self, n_frames: int) -> np.ndarray | None:
        """Times of the section's frames [s], None where it has no clock."""
        if "time" in self.values:
            return self.seconds(self.numbers("time"), "time")
        if "rate" in self.values:
            return np.arange(n_frames) / self.values["rate"] + self.values.get("offset", 0.0)
        return None

    def _expanded(self, text: str) -> Path:
        return self.folder / text.replace("{session}", self.label)

    def _named(self, variable: Any) -> Any:
        return variable.replace("{session}", self.label) if isinstance(variable, str) else variable


def load_mapping(path: str | os.PathLike[str]) -> ArrayMapping:
    """Read and check a mapping; the arrays are not read.

    Parameters
    ----------
    path
        YAML file.

    Returns
    -------
    ArrayMapping
        The mapping.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no mapping; all faults are named with their lines.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no mapping {path}; --init writes one to start from")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no YAML: {error}") from error
    schema = mapping_schema()
    values, source = parse_yaml(text, str(path), schema)
    left = placeholders(values)
    if left:
        raise source.error([(place, "is still '?': say what it is") for place in left])
    faults = schema_faults(values, schema)
    if faults:
        raise source.error(faults)
    starts, days = _starts(values, source)
    mapping = ArrayMapping(values, source, path.parent, starts, days)
    faults = _faults(mapping)
    if faults:
        raise source.error(faults)
    return mapping


def _faults(mapping: ArrayMapping) -> list[tuple[Place, str]]:
    """What no schema can say."""
    faults: list[tuple[Place, str]] = []
    labels = mapping.labels
    for i, label in enumerate(labels):
        if label in labels[:i]:
            faults.append((("sessions", i, "session"), f"{label!r} stands twice"))
    for i in range(len(labels)):
        for name in ("activity", "position", "trials"):
            section = mapping.section(name, i)
            if section is not None:
                faults += _section_faults(section)
    registration = mapping.section("registration")
    if registration is not None:
        faults += _reader_faults(registration)
        if "reader" not in registration.values and "count_from" not in registration.values:
            text = "say count_from: 1 (MATLAB) or 0 (Python), or a reader"
            faults.append((("registration",), text))
        columns = registration.values.get("sessions", labels)
        missing = [label for label in labels if label not in list(map(str, columns))]
        if missing:
            faults.append((("registration", "sessions"), f"lacks {', '.join(missing)}"))
    return list(dict.fromkeys(faults))


def _section_faults(section: Section) -> list[tuple[Place, str]]:
    values, whole = section.values, section.places.get("file", (section.name,))[:-1]
    whole = whole or (section.name,)
    faults = _reader_faults(section)
    if section.name != "position" and section.name != "activity":
        faults += [(whole, f"needs {key}") for key in ("start", "stop") if key not in values]
    elif "file" not in values and not any(isinstance(v, dict) for v in values.values()):
        faults.append((whole, "names no file"))
    counted = values.get("time_unit") in ("frames", "samples")
    if counted and "rate" not in values:
        faults.append((whole, "time_unit frames or samples needs a rate [Hz]"))
    if section.name == "position":
        pixels = values.get("unit") == "pixels"
        pixels |= "reader" in values and not knows_length("position", values["reader"])
        if "unit" not in values and "reader" not in values:
            faults.append((whole, "needs unit: cm, m, mm or pixels"))
        if pixels and "cm_per_pixel" not in values:
            faults.append((whole, "is in pixels, so it needs cm_per_pixel"))
        faults += _geometry_faults(section)
        if "y" in values and "x" not in values:
            faults.append((section.places["y"], "without x"))
        if "xy" in values and "x" in values:
            faults.append((section.places["xy"], "stands with x; give one of them"))
        if not {"time", "rate", "reader"} & set(values):
            faults.append((whole, "needs a clock: time (timestamps), or rate [Hz]"))
    if section.name == "activity" and "reader" not in values:
        if "kind" not in values:
            faults.append((whole, "needs kind, what one number is"))
        if "times" in values and "samples" in values:
            faults.append((section.places["times"], "stands with samples; give one of them"))
        if "unit" in values and "times" not in values:
            faults.append((section.places["unit"], "without times"))
        if "recorded" in values and "times" not in values:
            faults.append((section.places["recorded"], "without times; samples have a clock"))
        if "times" not in values and "axes" not in values:
            faults.append((whole, "needs axes: [frames, units] or [units, frames]"))
        if "times" in values and values.get("kind") not in (None, "spikes", "events"):
            faults.append((section.places.get("kind", whole), "times are spikes or events"))
    return faults


def _geometry_faults(section: Section) -> list[tuple[Place, str]]:
    """A geometry that is none, or whose unit is not that of the position."""
    values, unit = section.values, section.values.get("unit")
    try:
        shape = as_geometry(values.get("geometry"))
    except (ValueError, TypeError) as error:
        return [(section.places["geometry"], str(error))]
    own = "cm" if shape is None else shape.unit
    if unit in OTHER_UNITS and unit != own:
        text = f"is {unit}, but the geometry is in {own}: state one such as circular:360deg"
        return [(section.places["unit"], text)]
    if own != "cm" and unit not in (None, own):
        return [(section.places["unit"], f"is {unit}, but the geometry is in {own}")]
    return []


def _reader_faults(section: Section) -> list[tuple[Place, str]]:
    values = section.values
    options = values.get("options", {})
    if "reader" not in values:
        return [(section.places["options"], "belong to a reader")] if options else []
    known = reader_options(section.name, values["reader"])
    place = section.places.get("options", (section.name,))
    listed = ", ".join(known) or "none"
    faults = [
        ((*place, key), f"unknown option of {values['reader']}; it has {listed}")
        for key in options
        if key not in known
    ]
    own = {"samples", "times", "unit", "axes", "kind", "x", "y", "xy", "missing", "table"}
    own &= set(values)
    faults += [(section.places[key], f"{values['reader']} knows it itself") for key in sorted(own)]
    return faults


def _starts(
    values: Mapping[str, Any], source: Source
) -> tuple[tuple[datetime, ...], tuple[float, ...]]:
    """Start and day of every session."""
    sessions = values["sessions"]
    zone: tzinfo = UTC
    if "time_zone" in values:
        try:
            zone = ZoneInfo(values["time_zone"])
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            text = "is no time zone such as Europe/Berlin"
            raise source.error([(("time_zone",), text)]) from error
    given = ["start" in item for item in sessions]
    if not any(given):
        days = tuple(float(item.get("day", i)) for i, item in enumerate(sessions))
        return tuple(_FIRST_DAY + timedelta(days=day) for day in days), days
    starts = []
    for i, item in enumerate(sessions):
        place = ("sessions", i, "start")
        if "start" not in item:
            raise source.error([(place, "is missing; give it for every session or for none")])
        found = _datetime(item["start"])
        if found is None:
            text = f"is {item['start']!r}, expected a date and time such as 2026-01-05 10:00:00"
            raise source.error([(place, text)])
        starts.append(found if found.tzinfo is not None else found.replace(tzinfo=zone))
    first = min(start.astimezone(zone).date() for start in starts)
    told = [
        float(item.get("day", (start.astimezone(zone).date() - first).days))
        for item, start in zip(sessions, starts, strict=True)
    ]
    return tuple(starts), tuple(told)


def _datetime(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time())
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return None
    return None


TIME_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "min": 60.0, "frames": None, "samples": None}
"""Seconds in a unit of time; frames and samples are counted, and need a rate."""

LENGTHS = ("cm", "m", "mm", "pixels")
OTHER_UNITS = ("deg", "rad", "s", "1")
"""Units of positions, and of other variables that stand for one."""


_CLOCKS = ("time", "times", "start", "stop")  # keys that may be dates and times
_TEXT = {"type": "string", "minLength": 1}
_POSITIVE = {"type": "number", "exclusiveMinimum": 0}
_REFERENCE = {
    "description": "expected the name of a variable or column of this section's file, the number "
    "of a column (from 0), or {file: ..., variable: ...}",
    "oneOf": [
        _TEXT,
        {"type": "integer", "minimum": 0},
        {
            "type": "object",
            "required": ["file"],
            "additionalProperties": False,
            "properties": {
                "file": _TEXT,
                "variable": {"oneOf": [_TEXT, {"type": "integer", "minimum": 0}]},
            },
        },
    ],
}
_COLUMN = {"oneOf": [_TEXT, {"type": "integer", "minimum": 0}]}
_COLUMNS = {"type": "array", "minItems": 1, "items": _COLUMN}
_UNITS = {
    "description": "expected the name of a variable of this section's file; a list of columns, a "
    "glob such as c*, or {file: ..., variable: ...}",
    "oneOf": [
        _TEXT,
        {"type": "integer", "minimum": 0},
        _COLUMNS,
        {
            "type": "object",
            "required": ["file"],
            "additionalProperties": False,
            "properties": {
                "file": _TEXT,
                "variable": {"oneOf": [_TEXT, {"type": "integer", "minimum": 0}, _COLUMNS]},
            },
        },
    ],
}
_TIME = {
    "time": _REFERENCE,
    "time_unit": {"enum": list(TIME_UNITS)},
    "rate": _POSITIVE,
    "count_from": {"enum": [0, 1]},
    "offset": {"type": "number"},
}


def mapping_schema() -> dict[str, Any]:
    """JSON Schema of a mapping.

    Returns
    -------
    dict
        Draft 2020-12.

    Examples
    --------
    >>> from neurodrift.convert.own.mapping import mapping_schema
    >>> mapping_schema()["required"]
    ['subject', 'environment', 'activity', 'sessions']
    """
    activity = _section(
        "activity",
        samples=_UNITS,
        axes={"enum": [["frames", "units"], ["units", "frames"]]},
        times=_REFERENCE,
        unit=_REFERENCE,
        unit_count_from={"enum": [0, 1]},
        keep=_REFERENCE,
        regions=_REFERENCE,
        kind={"enum": list(ACTIVITY_KINDS)},
        recorded={"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
        **_TIME,
    )
    position = _section(
        "position",
        x=_REFERENCE,
        y=_REFERENCE,
        xy=_REFERENCE,
        unit={"enum": [*LENGTHS, *OTHER_UNITS]},
        geometry={
            "description": "expected linear, field, circular:LENGTH, vr:LENGTH [cm], "
            "circular:360deg, category:A,B, or the keys of a geometry (kind, nodes, edges, ...)",
            "oneOf": [_TEXT, {"type": "object", "required": ["kind"]}],
        },
        cm_per_pixel=_POSITIVE,
        missing={"type": "number"},
        **_TIME,
    )
    trials = _section(
        None,
        start=_REFERENCE,
        stop=_REFERENCE,
        number=_REFERENCE,
        trial_type=_REFERENCE,
        map_label=_REFERENCE,
        **{key: _TIME[key] for key in ("time_unit", "rate", "count_from", "offset")},
    )
    registration = _section(
        "registration",
        table=_UNITS,
        axes={"enum": [["units", "sessions"], ["sessions", "units"]]},
        count_from={"enum": [0, 1]},
        sessions={"type": "array", "items": _label(), "minItems": 1},
    )
    sessions = {
        "type": "array",
        "minItems": 1,
        "items": {
            "type": "object",
            "required": ["session"],
            "additionalProperties": False,
            "properties": {
                "session": _label(),
                "start": {},
                "day": {"type": "number", "minimum": 0},
                "experience": {"type": "number", "minimum": 0},
                "accuracy": {"type": "number", "minimum": 0, "maximum": 1},
                "activity": activity,
                "position": position,
                "trials": trials,
                "accept": _accept(),
            },
        },
    }
    subject = {
        name: _TEXT for name in ("species", "sex", "age", "genotype", "strain", "description")
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "neurodrift mapping of own arrays to NWB",
        "type": "object",
        "required": ["subject", "environment", "activity", "sessions"],
        "additionalProperties": False,
        "properties": {
            "subject": {
                "type": "object",
                "required": ["id"],
                "additionalProperties": False,
                "properties": {"id": _label(), **subject},
            },
            "environment": _label(),
            "region": _TEXT,
            "detection": {"enum": list(DETECTION)},
            "time_zone": _TEXT,
            "notes": _TEXT,
            "lab": _TEXT,
            "institution": _TEXT,
            "experimenter": _TEXT,
            "activity": activity,
            "position": position,
            "trials": trials,
            "registration": registration,
            "sessions": sessions,
            "accept": _accept(),
        },
    }


def write_mapping_schema(folder: str | os.PathLike[str]) -> Path:
    """Write the JSON Schema of mappings.

    Parameters
    ----------
    folder
        Where ``mapping.schema.json`` goes.

    Returns
    -------
    pathlib.Path
        The file.
    """
    return write_schema_file(mapping_schema(), folder, "mapping")


def _section(reads: str | None, **properties: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"file": _TEXT}
    if reads is not None:
        named = {name: {"type": "string"} for name in text_options(reads)}
        options = {"type": "object", "properties": named}
        found |= {"reader": {"enum": list(READERS[reads])}, "options": options}
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": found | properties,
    }


def _label() -> dict[str, Any]:
    return {"type": ["string", "integer"]}


def _accept() -> dict[str, Any]:
    return {"type": "array", "items": {"enum": list(ACCEPTABLE)}}


TEMPLATE = """\
# How own arrays become NWB files: neurodrift convert arrays THIS_FILE --out FOLDER
# Paths are relative to this file; {session} stands for the label of the session.
# `neurodrift inspect FILE ...` shows what files hold and proposes a mapping.

subject:
  id: mouse-1
  species: Mus musculus
  # sex: F            # F, M, U
  # age: P90D         # ISO 8601
environment: linear track
region: CA1
# detection: each_session       # or together: how it was decided which cells a session has; with a
                                # registration each session by itself, others count as silent there
# time_zone: Europe/Berlin      # of the starts below; UTC if left out

activity:
  # kind says what one number is: spikes or events (counts), amplitudes (of events),
  # deconvolved (rates), fluorescence (traces).
  kind: spikes
  # Files: .npy .npz .csv .tsv .txt .parquet .mat (v5 to v7.3) .h5 .hdf5
  file: "spikes_{session}.mat"
  # Spike or event times, one vector for each unit: a MATLAB cell, a group of HDF5 datasets
  # ("group/*"), arrays of an .npz ("unit*"), or one table with a column of times and one of units.
  times: spike_times
  # unit: unit_id               # the column of units, where `times` is a column of a table
  # unit_count_from: 1          # number of the first unit there, where there is a registration
  time_unit: s                  # s, ms, us, min; frames or samples, which need a rate
  # rate: 30000
  # count_from: 1               # for frames and samples: number of the first one
  # recorded: [0, 1200]         # when times could be recorded, on their clock; else silence counts
  # Or samples in frames instead of times:
  # samples: traces             # (frames, units); of a table the columns: 'c*' or [c1, c2, c5]
  # axes: [frames, units]       # or [units, frames]
  # time: frame_times           # timestamps of the frames, or `rate:` in Hz
  # keep: iscell                # one number for each unit, 0 to leave it out
  # regions: areas              # one text for each unit
  # Or a pipeline's own files:
  # reader: suite2p             # suite2p, caiman, minian, phy, inscopix
  # file: "{session}/suite2p/plane0"
  # options: {signal: spks}

position:
  file: "position_{session}.csv"
  x: x                          # a column by name or number (from 0)
  # y: y                        # leave out on a linear track
  # xy: position                # or one array (frames, 2)
  unit: cm                      # cm, m, mm, pixels; deg, rad, s, 1 of another variable
  # geometry: circular:180      # linear, vr:LENGTH, circular:LENGTH [cm], field, circular:360deg,
                                # category:A,B; of a maze {kind: graph, nodes: ..., edges: ...}
  # cm_per_pixel: 0.12          # for pixels
  time: time                    # or `rate:` in Hz
  time_unit: s
  # offset: 0.0                 # seconds to add to this clock
  # missing: 0                  # value that means "not tracked"
  # Or tracks of a pose estimator, in pixels:
  # reader: deeplabcut          # deeplabcut, sleap, ethovision
  # options: {bodypart: nose, min_likelihood: 0.9}

# trials:
#   file: "trials_{session}.csv"
#   start: start
#   stop: stop
#   # number: trial
#   # trial_type: odour         # numbers, -1 = none
#   # map_label: map

# registration:
#   reader: cellreg             # cellreg, caiman, roicat, track2p, unitmatch; or your own table:
#   file: cellRegistered.mat
#   # table: cell_to_index_map  # or the columns of a table in the order of the sessions: [d1, d2]
#   # count_from: 1             # number of a session's first unit in a table of your own
#   # sessions: [1, 2]          # of its columns; in the order below if left out

sessions:
  - session: 1
    start: 2026-01-05 10:00:00
  - session: 2
    start: 2026-01-07 10:00:00
    # activity, position, trials: what differs in this session
    # day: 2                    # days since the first session; follows from the starts
    # accuracy: 0.85            # share of correct trials

# accept: [position_extent]     # a check that refuses what is true of these data
"""
"""A mapping to start from."""


if __name__ == "__main__":
    print(write_mapping_schema(sys.argv[1]))
