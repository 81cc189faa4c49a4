"""What a person leaves out of a recording, and why: units, sessions, stretches of time.

A curation file (YAML or CSV) lists them with a reason each. It is taken by ``neurodrift import``
and ``neurodrift analyze``; what was left out stays in the recording's attribute ``curation`` and is
shown in summary and report.
"""

from __future__ import annotations

import csv
import difflib
import io
import json
import math
import os
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.gate.placeholders import placeholders
from neurodrift.recording import finish, select_sessions, slice_sessions
from neurodrift.schema import check
from neurodrift.schema.json import write_schema_file
from neurodrift.schema.yaml import MAX_CHARACTERS, Source, parse_yaml, schema_faults

_LISTS = {"units": ("unit", "session"), "sessions": ("session",)}
_LISTS["epochs"] = ("session", "start", "stop")
_COLUMNS = ("unit", "session", "start", "stop", "reason", "by")
_SEPARATORS = ",;\t"
_NEAR = 1e-6  # s; clocks are read and written with less than this

_MOST_REASONS = 6  # in one sentence

KINDS = ("unit", "unit in a session", "session", "epoch")
"""What can be left out."""

_Fault = tuple[int | None, str]  # line of the file, and what is wrong there


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing that is left out.

    Parameters
    ----------
    reason
        Why.
    unit
        Label of the unit that is left out, everywhere or in `session`.
    session
        Label of the session.
    start, stop
        Stretch of time on the session's own clock [s]; frames that start in it are left out.
    by
        Who decided it.
    line
        Line of the file.
    """

    reason: str
    unit: str | None = None
    session: str | None = None
    start: float | None = None
    stop: float | None = None
    by: str | None = None
    line: int | None = None

    @property
    def kind(self) -> str:
        """``unit``, ``unit in a session``, ``session`` or ``epoch``."""
        if self.unit is not None:
            return "unit" if self.session is None else "unit in a session"
        return "session" if self.start is None else "epoch"

    @property
    def what(self) -> str:
        """What is left out, in words."""
        if self.unit is not None:
            where = "" if self.session is None else f" in session {self.session}"
            return f"unit {self.unit}{where}"
        if self.start is None:
            return f"session {self.session}"
        return f"{self.start:g} to {self.stop:g} s of session {self.session}"


@dataclass(frozen=True)
class Curation:
    """All that one file leaves out.

    Parameters
    ----------
    source
        Name of the file.
    entries
        What is left out.
    """

    source: str
    entries: tuple[Entry, ...]

    def error(self, faults: Iterable[_Fault]) -> ValueError:
        """One error that lists all faults, each with its line."""
        listed = [f"line {line}: {text}" if line else text for line, text in faults]
        if len(listed) > 12:
            listed = [*listed[:12], f"... and {len(listed) - 12} more"]
        return ValueError(
            "\n".join([f"{self.source} cannot be used:", *(f"- {t}" for t in listed)])
        )


def curate(
    recording: xr.Dataset, curation: str | os.PathLike[str] | Mapping[str, object] | Curation
) -> xr.Dataset:
    """Leave out of a recording what a curation lists.

    A unit is dropped, or counts as not detected in one session; a session is dropped; frames that
    start in an epoch are cut. Times, days and experience of what is left do not change.

    Parameters
    ----------
    recording
        A recording over (session, time, unit); lazy activity stays lazy.
    curation
        A file (see :func:`read_curation`), its values as a mapping, or what was read of it.

    Returns
    -------
    xarray.Dataset
        A recording. Its attribute ``curation``, a JSON list, holds each thing that was left out
        with its reason, who decided it, and how many frames that were.

    Raises
    ------
    ValueError
        If an entry is none of the recording's, or nothing would be left; every fault is named with
        its line.

    Examples
    --------
    >>> from neurodrift import curate, testing
    >>> recording = testing.linear_track(n_units=3, n_sessions=2, minutes=1)
    >>> left = curate(
    ...     recording,
    ...     {
    ...         "by": "A. Person",
    ...         "units": [{"unit": "1", "reason": "merged with unit 2"}],
    ...         "epochs": [{"session": "2", "start": 10, "stop": 25, "reason": "cable caught"}],
    ...     },
    ... )
    >>> dict(left.sizes)
    {'time': 2100, 'unit': 2, 'session': 2}
    """
    check(recording)
    curation = as_curation(curation)
    labels = _labels(recording)
    faults = [fault for entry in curation.entries for fault in _unmatched(recording, entry, labels)]
    if faults:
        raise curation.error(faults)

    at = {label: i for i, label in enumerate(labels["session"])}
    index, kinds = recording["session_index"].values, _by_kind(curation)
    inside = {entry: _frames_of(recording, entry, at) for entry in kinds["epoch"]}
    keep = ~np.any([np.zeros(index.size, dtype=bool), *inside.values()], axis=0)
    for label, i in at.items():
        if (index == i).any() and not keep[index == i].any():
            cut = [entry for entry in kinds["epoch"] if entry.session == label]
            text = f"epochs leave no frame of session {label}: leave out the session instead"
            raise curation.error([(cut[-1].line, text)])
    sessions = [label for label in at if label not in {e.session for e in kinds["session"]}]
    if not sessions:
        raise curation.error([(None, "it leaves out every session")])

    left = recording if keep.all() else recording.isel(time=np.flatnonzero(keep))
    left = _not_detected(left, kinds["unit in a session"], labels["unit"], at)
    dropped = {entry.unit for entry in kinds["unit"]}
    wanted = np.array([label not in dropped for label in labels["unit"]], dtype=bool)
    seen = left["detected"].values[[at[label] for label in sessions]].any(axis=0)
    lost = wanted & ~seen & recording["detected"].values.any(axis=0)
    if not (wanted & ~lost).any():
        raise curation.error([(None, "it leaves out every unit")])
    left = left.isel(unit=np.flatnonzero(wanted & ~lost))
    if len(sessions) < len(at):
        left = select_sessions(left, sessions)
    frames = {entry: int(found.sum()) for entry, found in inside.items()}
    frames |= {entry: int((index == at[str(entry.session)]).sum()) for entry in kinds["session"]}
    told = [_told(entry, curation.source, frames.get(entry)) for entry in curation.entries]
    told += [
        {
            "kind": "unit",
            "unit": labels["unit"][i],
            "file": Path(curation.source).name,
            "reason": _NOWHERE,
        }
        for i in np.flatnonzero(lost)
    ]
    before = json.loads(recording.attrs.get("curation", "[]"))
    left = left.assign_attrs(curation=json.dumps([*before, *told]))
    return finish(left, recording["activity"].attrs["kind"])


_NOWHERE = "not detected in any session that is left"


def describe_curation(recording_attributes: Mapping[str, Any]) -> list[str]:
    """What was left out of a recording, with counts and reasons.

    Parameters
    ----------
    recording_attributes
        Attributes of the recording.

    Returns
    -------
    list of str
        A sentence for each kind of what was left out, by file; empty where nothing was.

    Examples
    --------
    >>> from neurodrift import curate, testing
    >>> from neurodrift.curation import describe_curation
    >>> recording = testing.linear_track(n_units=3, n_sessions=2, minutes=1)
    >>> listed = [{"unit": label, "reason": "neuropil"} for label in ("0", "2")]
    >>> describe_curation(curate(recording, {"units": listed}).attrs)
    ['2 units are left out by a curation: neuropil.']
    """
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for item in json.loads(recording_attributes.get("curation", "[]")):
        groups.setdefault((item["file"], item["kind"]), []).append(item)
    found = []
    for (file, kind), items in groups.items():
        reasons: Counter[str] = Counter()
        for item in items:
            by = f" ({item['by']})" if item.get("by") else ""
            reasons[f"{item['reason']}{by}"] += 1
        several = len(reasons) > 1
        why = [f"{n} × {text}" if several else text for text, n in reasons.most_common()]
        if len(why) > _MOST_REASONS:
            why = [*why[:_MOST_REASONS], f"and {len(why) - _MOST_REASONS} more reasons"]
        found.append(f"{_counted(kind, items)} by {file}: {'; '.join(why)}.")
    return found


def _counted(kind: str, items: Sequence[Mapping[str, Any]]) -> str:
    n, names = len(items), list(dict.fromkeys(item.get("session", "") for item in items))
    shown = ", ".join(names[:8]) + (" ..." if len(names) > 8 else "")
    if kind == "unit":
        return "1 unit is left out" if n == 1 else f"{n} units are left out"
    if kind == "unit in a session":
        times = "Once" if n == 1 else f"{n} times"
        where = f"session {shown}" if len(names) == 1 else f"one of sessions {shown}"
        return f"{times} a unit counts as not detected in {where}"
    if kind == "session":
        return f"Session {shown} is left out" if n == 1 else f"{n} sessions ({shown}) are left out"
    frames = sum(item["n_frames"] for item in items)
    epochs = "1 epoch" if n == 1 else f"{n} epochs"
    return f"{frames} frames in {epochs} of session {shown} are left out"


def read_curation(path: str | os.PathLike[str]) -> Curation:
    r"""Read a curation file.

    Parameters
    ----------
    path
        YAML (``.yaml``, ``.yml``) with the lists ``units``, ``sessions`` and ``epochs``, or a
        table (``.csv``, ``.tsv``) with the columns ``unit``, ``session``, ``start``, ``stop``,
        ``reason`` and ``by``, as docs/curation.md describes them. Labels keep their text.

    Returns
    -------
    Curation
        What it leaves out.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a key or column is unknown, a reason is missing, an epoch does not end after its start,
        or something stands twice; every fault is named with its line.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from neurodrift import read_curation
    >>> path = Path(tempfile.mkdtemp()) / "curation.csv"
    >>> _ = path.write_text("unit,session,reason\n010,,dendrite of 7\n7,3,out of focus\n")
    >>> [entry.what for entry in read_curation(path).entries]
    ['unit 010', 'unit 7 in session 3']
    """
    path = Path(path)
    if path.suffix.lower() not in (".yaml", ".yml", ".csv", ".tsv"):
        raise ValueError(f"{path}: a curation is a .yaml, .yml, .csv or .tsv file")
    if not path.is_file():
        raise FileNotFoundError(f"no curation file {path}")
    if path.stat().st_size > 4 * MAX_CHARACTERS:
        raise ValueError(f"{path} has {path.stat().st_size:,} bytes: is it a curation?")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no text in UTF-8: {error}") from error
    if path.suffix.lower() in (".csv", ".tsv"):
        return _checked(Curation(str(path), tuple(_table_entries(text, str(path)))))
    values, source = parse_yaml(text, str(path), curation_schema())
    return _from_values(values, source)


def as_curation(given: str | os.PathLike[str] | Mapping[str, object] | Curation) -> Curation:
    """A curation, read or checked where it is not one yet.

    Parameters
    ----------
    given
        A file, the values of one, or a curation.

    Returns
    -------
    Curation
        What it leaves out.

    Raises
    ------
    TypeError
        If it is none of them.
    ValueError
        If it cannot be used.
    """
    if isinstance(given, Curation):
        return given
    if isinstance(given, str | os.PathLike):
        return read_curation(given)
    if isinstance(given, Mapping):
        return _from_values(_plain(given), Source("a curation"))
    raise TypeError(
        f"curation is {type(given).__name__}, expected a file, its values as a mapping, or "
        "what read_curation returns"
    )


def curation_schema() -> dict[str, Any]:
    """JSON Schema of a curation in YAML.

    Returns
    -------
    dict
        A JSON Schema, draft 2020-12.
    """
    label = {"type": ["string", "integer"], "minLength": 1}
    text = {
        "type": "string",
        "pattern": r"\S",
        "description": "expected words",
    }
    columns: dict[str, Any] = {"unit": label, "session": label}
    columns |= dict.fromkeys(("start", "stop"), {"type": "number"})
    needed = {"units": ("unit",), "sessions": ("session",), "epochs": ("session", "start", "stop")}
    lists = {
        name: {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": [*needed[name], "reason"],
                "properties": {key: columns[key] for key in keys} | {"reason": text, "by": text},
            },
        }
        for name, keys in _LISTS.items()
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "neurodrift curation: what is left out of a recording, and why",
        "type": "object",
        "additionalProperties": False,
        "properties": {"by": text, **lists},
    }


def write_curation_schema(folder: str | os.PathLike[str]) -> Path:
    """Write the JSON Schema of a curation.

    Parameters
    ----------
    folder
        Where ``curation.schema.json`` goes.

    Returns
    -------
    pathlib.Path
        The file.
    """
    return write_schema_file(curation_schema(), folder, "curation")


def proposed_curation(recording: xr.Dataset, name: str) -> str:
    """A curation file to start from, with the sessions, clocks and units of a recording.

    Parameters
    ----------
    recording
        A recording.
    name
        Its name, for the reader.

    Returns
    -------
    str
        YAML in which every entry is commented out.

    Examples
    --------
    >>> from neurodrift import testing
    >>> from neurodrift.curation import proposed_curation
    >>> recording = testing.linear_track(n_units=3, n_sessions=2, minutes=1)
    >>> print(proposed_curation(recording, "mouse.zarr"))  # doctest: +ELLIPSIS
    # What is left out of mouse.zarr, and why; docs/curation.md says more.
    # session 1: 3 units, its clock runs from 0 to 60 s
    # session 2: 3 units, its clock runs from 0 to 60 s
    # units: 0, 1, 2
    ...
    """
    labels = _labels(recording)
    lines = [f"# What is left out of {name}, and why; docs/curation.md says more."]
    detected = recording["detected"].values.sum(axis=1)
    for i, (label, where) in enumerate(
        zip(labels["session"], slice_sessions(recording), strict=True)
    ):
        span = _span(recording, where, i)
        clock = "no frames" if span is None else f"its clock runs from {span[0]:g} to {span[1]:g} s"
        lines.append(f"# session {label}: {int(detected[i])} units, {clock}")
    shown = ", ".join(labels["unit"][:20]) + (" ..." if len(labels["unit"]) > 20 else "")
    unit, session = (labels[dim][0] if labels[dim] else "1" for dim in ("unit", "session"))
    return "\n".join(
        [
            *lines,
            f"# units: {shown}",
            "#",
            "# by: who decided",
            "# units:",
            f"#   - {{unit: {json.dumps(unit)}, reason: why it is left out everywhere}}",
            f"#   - {{unit: {json.dumps(unit)}, session: {json.dumps(session)}, "
            "reason: why it counts as not detected there}",
            "# sessions:",
            f"#   - {{session: {json.dumps(session)}, reason: why it is left out}}",
            "# epochs:",
            f"#   - {{session: {json.dumps(session)}, start: 120, stop: 180.5, "
            "reason: why these seconds of its clock are left out}",
            "",
        ]
    )


def curation_text(curation: Curation) -> str:
    """A curation as YAML, which :func:`read_curation` reads back.

    Parameters
    ----------
    curation
        What is left out.

    Returns
    -------
    str
        YAML with the lists that are not empty, an entry a line.

    Raises
    ------
    ValueError
        If its entries contradict each other or stand twice, or there is none.

    Examples
    --------
    >>> from neurodrift.curation import Curation, Entry, curation_text
    >>> found = Curation("", (Entry(unit="010", reason="dendrite of 7"),))
    >>> print(curation_text(found), end="")
    units:
      - {"unit": "010", "reason": "dendrite of 7"}
    """
    kinds = _by_kind(_checked(curation))
    listed = {
        "units": [*kinds["unit"], *kinds["unit in a session"]],
        "sessions": kinds["session"],
        "epochs": kinds["epoch"],
    }
    lines = []
    for name, entries in listed.items():
        lines += [f"{name}:"] if entries else []
        for entry in entries:
            values = {key: getattr(entry, key) for key in _COLUMNS}
            told = {key: value for key, value in values.items() if value is not None}
            lines.append(f"  - {json.dumps(told, ensure_ascii=False)}")  # JSON is YAML
    return "\n".join([*lines, ""])


def _plain(given: Any) -> Any:
    """Numbers and labels of NumPy as Python's."""
    if isinstance(given, Mapping):
        return {str(key): _plain(value) for key, value in given.items()}
    if isinstance(given, list | tuple):
        return [_plain(value) for value in given]
    return given.item() if isinstance(given, np.generic) else given


def _from_values(values: dict[str, Any], source: Source) -> Curation:
    faults = schema_faults(values, curation_schema())
    if faults:
        raise source.error(faults)
    everyone = values.get("by")
    entries = []
    for name in _LISTS:
        for i, item in enumerate(values.get(name, [])):
            own: dict[str, Any] = {k: str(item[k]) for k in ("unit", "session") if k in item}
            own |= {key: float(item[key]) for key in ("start", "stop") if key in item}
            line = source.line((name, i))
            by = item.get("by", everyone)
            entries.append(Entry(reason=item["reason"].strip(), by=by, line=line, **own))
    return _checked(Curation(source.name, tuple(entries)))


def _table_entries(text: str, name: str) -> list[Entry]:
    """The rows of a table."""
    empty = Curation(name, ())
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"{name} has {len(text):,} characters: is it a curation?")
    rows: list[tuple[int, list[str]]] = []
    first = next((row for row in text.splitlines() if row.strip()), "")
    separator = max(_SEPARATORS, key=lambda one: _n_known(first, one))
    reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                rows.append((reader.line_num, cells))
    except csv.Error as error:
        raise empty.error([(reader.line_num, f"is no table: {error}")]) from error
    if not rows:
        raise empty.error([(None, f"it is empty, expected columns {', '.join(_COLUMNS)}")])
    (top, header), *body = rows
    faults: list[_Fault] = []
    for column in header:
        if column not in _COLUMNS:
            near = difflib.get_close_matches(column, _COLUMNS, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"expected {', '.join(_COLUMNS)}"
            faults.append((top, f"unknown column {column!r}; {hint}"))
        elif header.count(column) > 1:
            faults.append((top, f"column {column!r} stands twice"))
    if "reason" not in header and not faults:
        faults.append((top, "there is no column 'reason'"))
    if faults:
        raise empty.error(dict.fromkeys(faults))
    entries = []
    for line, cells in body:
        if len(cells) != len(header):
            faults.append((line, f"has {len(cells)} cells, but there are {len(header)} columns"))
            continue
        told = {key: cell for key, cell in zip(header, cells, strict=True) if cell}
        try:
            entries.append(_row_entry(told, line, decimal_comma=separator != ","))
        except ValueError as error:
            faults.append((line, str(error)))
    if faults:
        raise empty.error(faults)
    return entries


def _n_known(line: str, separator: str) -> int:
    return sum(cell.strip().strip('"') in _COLUMNS for cell in line.split(separator))


def _row_entry(told: dict[str, str], line: int, *, decimal_comma: bool) -> Entry:
    if "reason" not in told:
        raise ValueError("has no reason")
    times: dict[str, float] = {}
    for key in ("start", "stop"):
        if key in told:
            text = told[key].replace(",", ".") if decimal_comma else told[key]
            try:
                times[key] = float(text)
            except ValueError:
                raise ValueError(f"{key} is {told[key]!r}, expected seconds") from None
            if not math.isfinite(times[key]):
                raise ValueError(f"{key} is {told[key]!r}, expected seconds")
    if len(times) == 1:
        raise ValueError("has start or stop alone: an epoch needs both")
    if times and "unit" in told:
        raise ValueError(
            "has unit, start and stop: an epoch is of all units; leave unit, or start and stop, "
            "empty"
        )
    if "session" not in told and (times or "unit" not in told):
        raise ValueError("names no session" if times else "names no unit and no session")
    names: dict[str, Any] = {key: told[key] for key in ("unit", "session") if key in told}
    return Entry(reason=told["reason"], by=told.get("by"), line=line, **(names | times))


def _checked(curation: Curation) -> Curation:
    """The curation, refused where entries are empty, contradict each other or stand twice."""
    faults: list[_Fault] = []
    seen: dict[str, Entry] = {}
    kinds = _by_kind(curation)
    whole = {("unit", entry.unit): entry for entry in kinds["unit"]}
    whole |= {("session", entry.session): entry for entry in kinds["session"]}
    for entry in curation.entries:
        left = placeholders([entry.unit, entry.session, entry.reason, entry.by])
        if left:
            faults.append((entry.line, f"{entry.what} has '?' in it: say what is meant"))
        if entry.start is not None and entry.stop is not None and entry.start >= entry.stop:
            text = (
                f"starts at {entry.start:g} s and stops at {entry.stop:g} s: nothing lies between"
            )
            faults.append((entry.line, text))
        first = seen.setdefault(entry.what, entry)
        wider = whole.get(("unit", entry.unit)) or whole.get(("session", entry.session))
        if first is not entry:
            faults.append((entry.line, f"{entry.what} stands twice, first {_place(first)}"))
        elif wider is not None and wider is not entry and wider.kind != entry.kind:
            text = f"{entry.what} is left out already: {wider.what}, {_place(wider)}"
            faults.append((entry.line, text))
    epochs = sorted(kinds["epoch"], key=lambda entry: (str(entry.session), entry.start))
    for one, other in zip(epochs, epochs[1:], strict=False):
        overlap = one.session == other.session and float(other.start or 0) < float(one.stop or 0)
        if overlap and one.what != other.what:
            faults.append((other.line, f"{other.what} overlaps {one.what}, {_place(one)}"))
    if not curation.entries:
        faults.append((None, "it leaves out nothing: give units, sessions or epochs"))
    if faults:
        raise curation.error(faults)
    return curation


def _place(entry: Entry) -> str:
    return "before" if entry.line is None else f"on line {entry.line}"


def _by_kind(curation: Curation) -> dict[str, list[Entry]]:
    kinds: dict[str, list[Entry]] = {kind: [] for kind in KINDS}
    for entry in curation.entries:
        kinds[entry.kind].append(entry)
    return kinds


def _labels(recording: xr.Dataset) -> dict[str, list[str]]:
    return {dim: [str(item) for item in recording[dim].values] for dim in ("unit", "session")}


def _unmatched(
    recording: xr.Dataset, entry: Entry, labels: Mapping[str, list[str]]
) -> list[_Fault]:
    """Why an entry is none of the recording's."""
    faults: list[_Fault] = []
    for dim, label in (("unit", entry.unit), ("session", entry.session)):
        if label is not None and label not in labels[dim]:
            text = f"{entry.what}: the recording has no {dim} {label!r}"
            faults.append((entry.line, f"{text}{_hint(recording, dim, label, labels[dim])}"))
    if faults:
        return faults
    if entry.kind == "unit in a session":
        i, j = labels["session"].index(str(entry.session)), labels["unit"].index(str(entry.unit))
        if not recording["detected"].values[i, j]:
            text = f"unit {entry.unit} was not detected in session {entry.session}"
            return [(entry.line, f"{text}: there is nothing to leave out")]
    if entry.start is None or entry.stop is None:
        return []
    i = labels["session"].index(str(entry.session))
    span = _span(recording, slice_sessions(recording)[i], i)
    if span is None:
        text = f"{entry.what}: the recording does not say when the session's clock began (variable "
        return [(entry.line, f"{text}clock_start); import it again")]
    if entry.start < span[0] - _NEAR or entry.stop > span[1] + _NEAR:
        text = f"{entry.what} reaches outside of it: its clock runs from {span[0]:g} to"
        return [(entry.line, f"{text} {span[1]:g} s")]
    at = {label: i for i, label in enumerate(labels["session"])}
    if not _frames_of(recording, entry, at).any():
        return [(entry.line, f"{entry.what} holds no frame")]
    return []


def _hint(recording: xr.Dataset, dim: str, label: str, labels: list[str]) -> str:
    for item in json.loads(recording.attrs.get("curation", "[]")):
        if item["kind"] == dim and item[dim] == label:
            return f"; it was left out before, by {item['file']}"
    same = [item for item in labels if item.lstrip("0") == label.lstrip("0") and label.strip("0")]
    near = same or difflib.get_close_matches(label, labels, 1, 0.75)
    if near:
        return f"; did you mean {near[0]!r}?"
    shown = ", ".join(labels[:8]) + (" ..." if len(labels) > 8 else "")
    return f"; it has {shown}"


def _span(recording: xr.Dataset, where: slice, number: int) -> tuple[float, float] | None:
    """When a session begins and ends on its own clock [s]; None where that is not known."""
    if "clock_start" not in recording.coords or where.stop == where.start:
        return None
    begun = float(recording["clock_start"].values[number])
    if not math.isfinite(begun):
        return None
    time = recording["time"].values[where]
    step = float(recording["frame_duration"].values[where][-1])
    # rounded to what clocks are known by: they are sums of large numbers here
    return round(float(time[0]) - begun, 6), round(float(time[-1]) - begun + step, 6)


def _frames_of(recording: xr.Dataset, entry: Entry, at: Mapping[str, int]) -> np.ndarray:
    """(time) whether a frame starts in an epoch."""
    i = at[str(entry.session)]
    time = recording["time"].values - float(recording["clock_start"].values[i])
    start, stop = float(entry.start or 0), float(entry.stop or 0)
    inside = (time >= start - _NEAR) & (time < stop - _NEAR)
    return np.asarray(inside & (recording["session_index"].values == i))


def _not_detected(
    recording: xr.Dataset, entries: list[Entry], units: list[str], at: Mapping[str, int]
) -> xr.Dataset:
    """The recording with units that count as not detected in a session, and have no activity."""
    if not entries:
        return recording
    detected = recording["detected"].copy(deep=True)
    activity = recording["activity"].copy(deep=True)
    slices = slice_sessions(recording)
    data, column = activity.data, {label: j for j, label in enumerate(units)}
    for session in dict.fromkeys(str(entry.session) for entry in entries):
        columns = sorted(column[str(e.unit)] for e in entries if e.session == session)
        detected.values[at[session], columns] = False
        data[slices[at[session]], columns] = 0
    return recording.assign(detected=detected, activity=activity.copy(data=data))


def _told(entry: Entry, file: str, n_frames: int | None) -> dict[str, Any]:
    """What is to be kept of an entry."""
    values = {"kind": entry.kind, "unit": entry.unit, "session": entry.session}
    told: dict[str, Any] = {**values, "start": entry.start, "stop": entry.stop}
    told |= {"n_frames": n_frames, "file": Path(file).name, "reason": entry.reason, "by": entry.by}
    return {key: value for key, value in told.items() if value is not None}


if __name__ == "__main__":
    print(write_curation_schema(sys.argv[1]))
