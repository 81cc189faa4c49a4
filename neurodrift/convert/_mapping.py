"""A mapping of own arrays: read, checked, and its sections turned into arrays."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from neurodrift._yaml_config import Place, Source, parse_yaml, schema_faults
from neurodrift.convert._mapping_schema import TIME_UNITS, mapping_schema
from neurodrift.convert.readers import reader_options
from neurodrift.io.array_files import load_array

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
                return load_array(self._expanded(given["file"]), self._named(given.get("variable")))
            return load_array(self.path(), self._named(given))
        except (ValueError, OSError) as error:
            if str(error).startswith(self.source.name):
                raise
            raise self.error(key if given is not None else "file", str(error)) from error

    def numbers(self, key: str, n_dims: int = 1) -> np.ndarray:
        """The array that a key refers to, refused unless it is of numbers."""
        found = self.array(key)
        if not isinstance(found, np.ndarray) or found.dtype.kind not in "fiub":
            kind = f"text or {found.dtype}" if isinstance(found, np.ndarray) else "many vectors"
            raise self.error(key, f"is {kind}, expected numbers")
        if found.ndim != n_dims and not (n_dims == 1 and found.size == max(found.shape, default=0)):
            raise self.error(key, f"has shape {found.shape}, expected {n_dims} dimension(s)")
        return found.ravel() if n_dims == 1 else found

    def seconds(self, numbers: np.ndarray, key: str, *, n_frames: int | None = None) -> np.ndarray:
        """Times of the section's clock in seconds; `n_frames` is how many frames are counted."""
        unit, first = self.values.get("time_unit", "s"), self.values.get("count_from", 0)
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
    values, source = parse_yaml(text, str(path))
    faults = schema_faults(values, mapping_schema())
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
        pixels = "reader" in values or values.get("unit") == "pixels"
        if "unit" not in values and "reader" not in values:
            faults.append((whole, "needs unit: cm, m, mm or pixels"))
        if pixels and "cm_per_pixel" not in values:
            faults.append((whole, "is in pixels, so it needs cm_per_pixel"))
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
        if "times" not in values and "axes" not in values:
            faults.append((whole, "needs axes: [frames, units] or [units, frames]"))
        if "times" in values and values.get("kind") not in (None, "spikes", "events"):
            faults.append((section.places.get("kind", whole), "times are spikes or events"))
    return faults


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
