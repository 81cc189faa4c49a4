"""What files hold, and the mapping that they suggest."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from neurodrift.convert.own.registration_table import (
    RegistrationGuess,
    guess_registration,
    may_be_registered,
)
from neurodrift.convert.pipelines.ethovision import is_ethovision
from neurodrift.convert.pipelines.inscopix import inscopix_table
from neurodrift.gate.plain import typical_step
from neurodrift.gate.positions import LEAST_EXTENT, MOST_EXTENT
from neurodrift.gate.shapes import command_text
from neurodrift.geometry.proposal import is_narrow, propose_geometry
from neurodrift.io.arrays.columns import counts_rows, is_unnamed
from neurodrift.io.arrays.files import TABLES, ArrayInfo, list_arrays, read_array, read_columns
from neurodrift.io.arrays.mat_paths import leaves

_LOOK_BYTES = 2**31
_MOST_SHOWN = 60
_PIPELINES = {
    "suite2p": ("activity", "suite2p"),
    "phy": ("activity", "phy"),
    "minian": ("activity", "minian"),
    "caiman": ("activity", "caiman"),
    "inscopix": ("activity", "inscopix"),
    "deeplabcut": ("position", "deeplabcut"),
    "ethovision": ("position", "ethovision"),
    "sleap": ("position", "sleap"),
    "cellreg": ("registration", "cellreg"),
    "track2p": ("registration", "track2p"),
    "roicat": ("registration", "roicat"),
    "unitmatch": ("registration", "unitmatch"),
}


@dataclass(frozen=True)
class Inspection:
    """What one file or folder holds.

    Parameters
    ----------
    path
        The file.
    pipeline
        Name of the pipeline that wrote it, empty if none is recognised.
    guesses
        Its arrays, where no pipeline is.
    registered
        (cell) numbers of a table's columns that may be those of units, by name.
    n_columns
        How many columns the table has.
    n_not_shown
        How many arrays or columns it has that were not looked at.
    """

    path: Path
    pipeline: str
    guesses: tuple[Guess, ...]
    registered: Mapping[str, np.ndarray] = field(default_factory=dict)
    n_columns: int = 0
    n_not_shown: int = 0


def inspect_file(path: str | os.PathLike[str]) -> Inspection:
    r"""Look at what a file or a pipeline's folder holds.

    Parameters
    ----------
    path
        The file or folder.

    Returns
    -------
    Inspection
        Its arrays with what they may be.

    Raises
    ------
    FileNotFoundError
        If there is nothing.
    ValueError
        If it cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp()) / "position.csv"
    >>> rows = "".join(f"{i / 20},{abs(i % 180 - 90)}\n" for i in range(200))
    >>> _ = path.write_text("time,x\n" + rows)
    >>> for guess in inspect_file(path).guesses:
    ...     print(guess.text)
    clock in s, 20 Hz
    position, first axis, extent 89: cm? x goes to and fro between two ends: linear?
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"nothing at {path}")
    pipeline = _pipeline(path)
    if pipeline:
        return Inspection(path, pipeline, ())
    if path.is_dir():
        known = "suite2p, phy, Minian, track2p, ROICaT and UnitMatch"
        raise ValueError(f"{path} is a folder of none of the known pipelines ({known})")
    every = list_arrays(path)
    wide = _wide(path, every)
    if wide is not None:
        return Inspection(path, "", (wide,))
    listed = every[:_MOST_SHOWN]
    seen = [one for item in listed for one in _seen(path, item)]
    registered, n_columns = _registered(path, listed)
    left = len(every) - len(listed)
    return Inspection(path, "", tuple(seen[:_MOST_SHOWN]), registered, n_columns, left)


def inspection_text(found: Sequence[Inspection]) -> str:
    """What files hold, for people to read.

    Parameters
    ----------
    found
        Inspected files.

    Returns
    -------
    str
        A table for each file.
    """
    blocks = []
    registrations = _registrations(found, _labels([item.path for item in found]))
    for item in found:
        if item.pipeline:
            what, reader = _PIPELINES[item.pipeline]
            blocks.append(f"{item.path}\n  {what} of {reader}, read by `reader: {reader}`")
            continue
        rows = [
            (g.name or "(array)", str(g.shape), g.dtype, g.values, g.text) for g in item.guesses
        ]
        widths = [max(len(row[i]) for row in rows) for i in range(4)] if rows else []
        lines = [
            "  " + "  ".join([*(c.ljust(w) for c, w in zip(row, widths, strict=False)), row[4]])
            for row in _without_repeats(rows)
        ]
        if item.n_not_shown:
            lines.append(f"  and {item.n_not_shown} more, which were not looked at")
        told = registrations.get(item.path)
        lines += [f"  {told.text}"] if told is not None else []
        blocks.append("\n".join([str(item.path), *(line.rstrip() for line in lines)]))
    return "\n\n".join(blocks)


_MOST_ALIKE = 6  # rows of one file with the same text, one after the other


def _without_repeats(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Rows of a table, with the middle of long runs of the same shape and text left out."""
    shown: list[tuple[str, ...]] = []
    for _, run in groupby(rows, key=lambda row: (row[1], row[2], row[4])):
        alike = list(run)
        if len(alike) > _MOST_ALIKE:
            more = ("...", *alike[0][1:3], "", f"{len(alike) - 2} more like these")
            alike = [alike[0], more, alike[-1]]
        shown += alike
    return shown


def proposed_mapping(
    found: Sequence[Inspection], folder: str | os.PathLike[str] | None = None
) -> str:
    """The mapping that files suggest.

    Parameters
    ----------
    found
        Inspected files; those that differ in a number only are taken for sessions.
    folder
        Where the mapping will be, which its paths are relative to; the current one when omitted.

    Returns
    -------
    str
        YAML to be completed, with "?" where something must be known.
    """
    labels = _labels([item.path for item in found])
    sections: dict[str, dict[str, Any]] = {}
    registrations = _registrations(found, labels)
    comment = ""
    for item in found:
        name = _generic(Path(os.path.relpath(item.path, folder or ".")), labels)
        if item.pipeline:
            what, reader = _PIPELINES[item.pipeline]
            sections.setdefault(what, {"reader": reader, "file": name, **_asked(item, what)})
        elif (told := registrations.get(item.path)) is not None:
            if told.columns and "registration" not in sections:
                sections["registration"] = _of_table(item, told, name)
                comment = "  # one row a cell, one column a session"
        else:
            _propose(sections, item, name)
    lines = ["subject: {id: '?'}", "environment: '?'"]
    lines += [] if "activity" in sections else ["# activity: nothing like it was found"]
    for section in ("activity", "position", "trials", "registration"):
        if section in sections:
            lines.append(f"{section}:{comment if section == 'registration' else ''}")
            lines += [_line(key, value) for key, value in sections[section].items()]
    lines.append("sessions:")
    for label, day in zip(labels or ["1"], _days(labels) or [None], strict=True):
        lines.append(f"  - session: {_yaml(label)}")
        lines += [] if day is None else [f"    day: {day}"]
    return "\n".join(lines) + "\n"


_HINTS = {
    "kind": "spikes, events (counts), amplitudes, deconvolved, fluorescence (F, dF/F) or "
    "activation (networks): docs/kinds.md",
    "rate": "frames a second [Hz]",
    "cm_per_pixel": "length of one pixel [cm]",
}
"""What may stand where a mapping has a question mark, by its key."""


def _line(key: str, value: Any) -> str:
    """A line of a section, with what is to be filled in; ``#...`` as a key is a comment."""
    if key.startswith("#"):
        return f"  # {value}"
    hint = f"  # {_HINTS[key]}" if value == "?" and key in _HINTS else ""
    return f"  {key}: {_yaml(value)}{hint}"


def _asked(item: Inspection, what: str) -> dict[str, Any]:
    """What else a pipeline's section needs."""
    if item.pipeline == "minian":
        signal = "C" if (item.path / "C.zarr").exists() or (item.path / "C").exists() else "S"
        signal = "S" if (item.path / "S.zarr").exists() or (item.path / "S").exists() else signal
        return {"rate": "?", "options": f"{{signal: {signal}}}"}
    if item.pipeline == "ethovision":
        return {}
    return {"cm_per_pixel": "?", "rate": "?"} if what == "position" else {}


def _propose(sections: dict[str, dict[str, Any]], item: Inspection, name: str) -> None:
    by_role: dict[str, Guess] = {}
    for one in item.guesses:
        by_role.setdefault(one.role, one)
    clock = by_role.get("clock")
    if "registration" in by_role and "registration" not in sections:
        one = by_role["registration"]
        sections["registration"] = {"file": name, **_called("table", one), **one.says}
    if "start" in by_role and "stop" in by_role and "trials" not in sections:
        ends = {role: by_role[role].name for role in ("start", "stop")}
        sections["trials"] = {"file": name, **ends}
        return
    times = by_role.get("times") or (clock if "unit" in by_role else None)
    if times is not None and "unit" not in by_role and times.dtype != "vectors":
        times = None  # events of which unit is not known
    if times is not None and "activity" not in sections:
        made = {"kind": "spikes", "file": name, **_called("times", times), **times.says}
        if "unit" in by_role and times.dtype != "vectors":
            made |= {"unit": by_role["unit"].name, **by_role["unit"].says}
        sections["activity"] = made
        return
    if "samples" in by_role and "activity" not in sections:
        one = by_role["samples"]
        sections["activity"] = {"file": name, **_called("samples", one), **one.says}
        if clock is not None and clock.shape[0] in one.shape:
            sections["activity"] |= {"time": clock.name, **clock.says}
        elif "x" not in by_role and "xy" not in by_role:
            sections["activity"]["rate"] = "?"
    columns = _numbered(item)
    if columns and "samples" not in by_role and "activity" not in sections:
        made = {"kind": "?", "file": name, "samples": columns, "axes": ["frames", "units"]}
        sections["activity"] = made
        if clock is not None:
            sections["activity"] |= {"time": clock.name, **clock.says}
    place = by_role.get("x") or by_role.get("xy") or by_role.get("y")
    if place is not None and "position" not in sections:
        made = {"file": name}
        if "x" in by_role and "y" in by_role and is_narrow(*_extents(by_role["x"], by_role["y"])):
            wide, narrow = _extents(by_role["x"], by_role["y"])
            made["# narrow"] = (
                f"{by_role['y'].name} spans {narrow:.3g} cm beside {wide:.3g} of "
                f"{by_role['x'].name}: taken for a track along one axis; of a field add "
                f"y: {by_role['y'].name}"
            )
            del by_role["y"]
        if "x" in by_role:
            made |= {role: by_role[role].name for role in ("x", "y") if role in by_role}
        else:
            made |= _called("xy", place)
        says = place.says if "y" not in by_role else dict(place.says)
        if "y" in by_role:
            says.pop("geometry", None)  # of one axis
        made |= says
        made |= {"time": clock.name, **clock.says} if clock is not None else {"rate": "?"}
        sections["position"] = made


_CM = {"cm": 1.0, "m": 100.0, "mm": 0.1}


def _extents(x: Guess, y: Guess) -> tuple[float, float]:
    """Lengths that both axes span [cm], NaN where the unit is not known."""
    factor = _CM.get(str(x.says.get("unit")), float("nan"))  # a narrow axis may be taken for m
    return x.extent * factor, y.extent * factor


def _numbered(item: Inspection) -> str:
    """A glob for columns of a table that are named alike but for a number, as units are."""
    names = [one.name for one in item.guesses if not one.role and one.dtype != "text"]
    stems = [found[1] for name in names if (found := re.fullmatch(r"(.*?\D)\d+", name))]
    stem = max(stems, key=stems.count, default="")
    is_table = item.path.suffix.lower() in TABLES
    return f"{stem}*" if is_table and stems.count(stem) > 2 and "(" not in stem else ""


def _registered(path: Path, listed: Sequence[ArrayInfo]) -> tuple[dict[str, np.ndarray], int]:
    """Columns of a table that may be those of a registration, and how many columns it has."""
    if path.suffix.lower() not in TABLES:
        return {}, 0
    numeric = re.compile(r"(u?int|float|double)")
    names = [item.name for item in listed if numeric.match(item.dtype)]
    try:
        named, values = read_columns(path, names, max_bytes=_LOOK_BYTES)
    except ValueError:
        return {}, 0  # none, or two of one name
    counted = len(listed)
    columns: dict[str, np.ndarray] = {}
    for name, column in zip(named, values.T, strict=True):
        counts = is_unnamed(name) and counts_rows(column)
        if counts or (_named("unit", name) and np.unique(column).size == column.size):
            counted -= 1  # it numbers the cells
        elif not any(_named(role, name) for role in _NO_UNITS) and may_be_registered(column):
            columns[name] = column
    return columns, counted


def _registrations(found: Sequence[Inspection], labels: list[str]) -> dict[Path, RegistrationGuess]:
    """Tables that look like a registration of the sessions, by file."""
    numbers: dict[str, set[int | None]] = {label: set() for label in labels}
    for item in found:
        if (label := _label_of(item.path, labels)) is not None and (n := _n_units(item)):
            numbers[label].add(n)
    n_units = [next(iter(numbers[i])) if len(numbers[i]) == 1 else None for i in labels]
    guesses = {
        item.path: guess_registration(
            item.registered, item.n_columns - len(item.registered), labels, n_units
        )
        for item in found
        if item.registered and _label_of(item.path, labels) is None
    }
    return {path: one for path, one in guesses.items() if one is not None}


def _n_units(item: Inspection) -> int | None:
    """How many units an activity has, None where it is none or does not show it."""
    sections: dict[str, dict[str, Any]] = {}
    _propose(sections, item, "")
    activity = sections.get("activity", {})
    if len(item.guesses) >= _MOST_SHOWN:
        return None
    named = activity.get("samples", activity.get("times", ""))
    if isinstance(named, str) and named.endswith("*"):
        return sum(one.name.startswith(named[:-1]) for one in item.guesses)
    for one in item.guesses:
        if one.name == named and one.role == "samples":
            return one.shape[one.says["axes"].index("units")]
        if one.name == named and one.role == "times" and one.dtype == "vectors":
            return one.shape[0]
    return None


def _of_table(item: Inspection, told: RegistrationGuess, name: str) -> dict[str, Any]:
    """The section of a registration; columns are named where the file does not have just those."""
    whole = [one.name for one in item.guesses if one.text != "numbers of the rows"]
    listed = {"table": [_quoted(one) for one in told.columns]}
    return {
        "file": name,
        **({} if whole == list(told.columns) else listed),
        "count_from": told.count_from,
    }


def _called(key: str, one: Guess) -> dict[str, str]:
    return {key: one.name} if one.name else {}


def _seen(path: Path, item: ArrayInfo) -> list[Guess]:
    """What an array may be; of a struct or nested cell of MATLAB every array within."""
    names = [item.name]
    try:
        if path.suffix.lower() == ".mat" and item.dtype in ("struct", "cell"):
            names = leaves(path, item.name, _LOOK_BYTES) or names
    except ValueError as error:
        return [Guess(item.name, item.shape, item.dtype, "", text=f"cannot be read: {error}")]
    return [_guessed(path, name, item) for name in names]


def _wide(path: Path, listed: Sequence[ArrayInfo]) -> Guess | None:
    """A table of one row a unit and one column a frame, None where it is no such table.

    Its columns have no names, or numbers for names; a first column may number the units.
    """
    if path.suffix.lower() not in TABLES or len(listed) <= _MOST_SHOWN:
        return None
    if not 2 <= listed[0].shape[0] < len(listed):
        return None
    first, *rest = (item.name for item in listed)
    if not all(re.fullmatch(r"[-+.\d]+", name) for name in rest):
        return None
    numbered = _named("unit", first) or is_unnamed(first)
    if not (numbered or re.fullmatch(r"[-+.\d]+", first)):
        return None
    try:
        if numbered:
            _, found = read_columns(path, _NUMBERS, max_bytes=_LOOK_BYTES)
        else:
            found = read_array(path, max_bytes=_LOOK_BYTES)
    except ValueError:  # text, or too large
        return None
    one = guess(_NUMBERS if numbered else "", found)
    if one.role != "samples":
        return None
    text = f"{one.text} One row a unit and one column a frame: axes: [units, frames], "
    return replace(one, text=text + (f"samples: '{_NUMBERS}'" if numbered else "without samples"))


_NUMBERS = "[0-9]*"  # a glob of columns that are named by numbers


def _guessed(path: Path, name: str, item: ArrayInfo) -> Guess:
    try:
        found = read_array(path, name or None, max_bytes=_LOOK_BYTES)
    except ValueError as error:
        return Guess(name, item.shape, item.dtype, "", text=f"cannot be read: {error}")
    if is_unnamed(name) and counts_rows(found):
        return Guess(name, found.shape, str(found.dtype), _range(found), text="numbers of the rows")
    one = guess(name, found)
    if name.count("{:}") > 1:  # units of several days would become those of one
        one = replace(one, text=f"{one.text}; is a {{:}} over sessions? Then one of it for each")
    return one


def _pipeline(path: Path) -> str:
    """The pipeline that wrote a file or folder, empty if none is recognised."""
    if path.is_dir():
        inside = {item.name for item in path.iterdir()}
        if "iscell.npy" in inside or any(path.glob("plane*/iscell.npy")):
            return "suite2p"
        if {"spike_times.npy", "params.py"} <= inside or "spike_clusters.npy" in inside:
            return "phy"
        if {"S.zarr", "C.zarr"} & inside or {"S", "C"} & inside and "unit_id" in inside:
            return "minian"
        if "MatchProb.npy" in inside:
            return "unitmatch"
        if any(name.endswith(".tracking.results_clusters.json") for name in inside):
            return "roicat"
        tracked = any("_match_mat" in name or "_suite2p_indices" in name for name in inside)
        return "track2p" if tracked or "track2p" in inside else ""
    if path.name.endswith(".tracking.results_clusters.json"):
        return "roicat"
    if is_ethovision(path):
        return "ethovision"
    if path.suffix == ".csv":
        if inscopix_table(path) in ("traces", "event list"):
            return "inscopix"
        with path.open(encoding="utf-8", errors="replace") as file:
            first = file.readline(2000)
        if first.startswith("scorer,"):
            return "deeplabcut"
        return "sleap" if first.startswith("track,frame_idx,") else ""
    if path.suffix in (".mat", ".h5", ".hdf5"):
        names = {item.name for item in list_arrays(path)}
        if {"cell_registered_struct", "cell_to_index_map"} & names:
            return "cellreg"
        if {"tracks", "node_names"} <= names:
            return "sleap"
        if {"estimates/C", "estimates/S"} & names:
            return "caiman"
        if any(name.startswith("df_with_missing/") for name in names):
            return "deeplabcut"
    return ""


_DATE = re.compile(r"(?<!\d)(19|20)\d\d([-_]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?!\d)")


def _labels(paths: Sequence[Path]) -> list[str]:
    """The dates, or the numbers, in which files differ that are otherwise named alike."""
    for part in (_date_of, _number_of):
        groups: dict[str, list[str]] = {}
        for path in paths:
            label = part(path)
            if label is not None:
                before, _, after = path.name.rpartition(label)
                groups.setdefault(f"{before}#{after}", []).append(label)
        longest = max(groups.values(), key=lambda found: len(set(found)), default=[])
        if len(set(longest)) > 1:
            return sorted(set(longest), key=lambda text: int(re.sub(r"\D", "", text)))
    return []


def _date_of(path: Path) -> str | None:
    """The last date in a file's name, such as 2024-03-05; None where there is none."""
    found = [one[0] for one in _DATE.finditer(path.stem)]
    return found[-1] if found else None


def _number_of(path: Path) -> str | None:
    """The last number in a file's name; None where there is none."""
    found = re.findall(r"\d+", path.stem)
    return found[-1] if found else None


def _days(labels: Sequence[str]) -> list[int | None]:
    """Days since the first session where labels are dates, otherwise None for each."""
    digits = [re.sub(r"\D", "", label) for label in labels]
    if not labels or not all(_DATE.fullmatch(label) for label in labels):
        return [None] * len(labels)
    try:
        dates = [date(int(one[:4]), int(one[4:6]), int(one[6:])) for one in digits]
    except ValueError:  # such as the 31st of February
        return [None] * len(labels)
    return [(one - dates[0]).days for one in dates]


def _generic(path: Path, labels: list[str]) -> str:
    """The file's name with {session} in place of its session's date or number."""
    label = _label_of(path, labels)
    if label is None:
        return str(path)
    before, _, after = path.name.rpartition(label)
    return str(path.with_name(f"{before}{{session}}{after}"))


def _label_of(path: Path, labels: list[str]) -> str | None:
    """The session whose date or number a file's name ends with."""
    return next((one for one in (_date_of(path), _number_of(path)) if one in labels), None)


def _yaml(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(value)}]"
    text = str(value)
    if text.startswith("{"):
        return text
    plain = re.fullmatch(r"[A-Za-z0-9_./-]+", text) is not None
    return text if plain else _quoted(text)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


_NAMES = {
    "x": r"^(x|pos(ition)?_?x?|.*_x|lin(ear)?_?(pos(ition)?|ized.*)?|location)(_?(cm|mm|m|px))?$",
    "y": r"^(y|pos(ition)?_?y|.*_y)(_?(cm|mm|m|px))?$",
    "unit": r"(^|_)(unit|cell|cluster|neuron|id)s?(_?(id|index|number))?$",
    "start": r"(^|_)(start|beg|onset)",
    "stop": r"(^|_)(stop|end|offset)",
    "keep": r"(is_?cell|keep|accepted|good)",
    "regions": r"(region|area|location)",
    "frame": r"(^|_)frames?(_?(id|idx|index|number|no|nr))?$",
    "time": r"(^|_)(t|times?|timestamps?|ts|frame_times?|seconds|ms)([_ ]?\(?(s|ms|us|sec)\)?)?$",
}
_NO_UNITS = ("x", "y", "time", "frame", "start", "stop", "keep")
_SPEED = re.compile(r"(speed|veloc|vel)", re.IGNORECASE)
_MOST_SESSIONS = 200


@dataclass(frozen=True)
class Guess:
    """What an array holds and may be.

    Parameters
    ----------
    name, shape, dtype
        As the file says.
    values
        Range of its values, and how many are NaN.
    role
        What it may be: clock, x, y, xy, samples, times, unit, registration, start, stop, keep,
        regions, or nothing known.
    text
        The same in words.
    says
        Keys of a mapping that follow from it.
    extent
        Of a position, how far it spans, in its own unit.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    values: str
    role: str = ""
    text: str = ""
    says: dict[str, Any] = field(default_factory=dict)
    extent: float = float("nan")


def guess(name: str, found: Any) -> Guess:
    """What an array may be.

    Parameters
    ----------
    name
        Its name in the file.
    found
        The array, or a list of vectors.

    Returns
    -------
    Guess
        The guess; an empty role where nothing fits.

    Examples
    --------
    >>> import numpy as np
    >>> guess("t", np.arange(100) / 20).text
    'clock in s, 20 Hz'
    >>> guess("x", np.linspace(0, 0.96, 100)).says
    {'unit': 'm'}
    """
    if isinstance(found, list):
        return _of_vectors(name, found)
    shape, dtype = found.shape, str(found.dtype)
    if found.dtype.kind == "M":
        return _of_dates(name, found)
    if found.dtype.kind not in "fiub":
        role = "regions" if _named("regions", name) else ""
        shown = ", ".join(dict.fromkeys(str(item) for item in found.ravel()[:50]))
        return Guess(name, shape, "text", shown[:40], role, "regions of units" if role else "text")
    values = _range(found)
    base = (name, shape, dtype, values)
    if not found.size or not np.isfinite(found.astype(float)).any():
        return Guess(*base, text="nothing but NaN" if found.size else "empty")
    if found.ndim == 1:
        return _of_vector(base, found)
    if found.ndim == 2:
        return _of_matrix(base, found)
    return Guess(*base)


def _of_dates(name: str, found: np.ndarray) -> Guess:
    """Dates and times: a clock where they are steady."""
    known = found[~np.isnat(found)].astype("datetime64[ns]")
    values = f"{known.min()} .. {known.max()}" if known.size else "no date"
    seconds = (known - known[:1]).astype(np.int64) / 1e9
    base = (name, found.shape, "dates", values)
    if seconds.size > 2 and seconds.size == found.size and _steady(seconds):
        return _of_clock(base, seconds)
    return Guess(*base, text="dates and times")


def _of_vectors(name: str, found: list[Any]) -> Guess:
    if any(np.asarray(v).dtype.kind not in "fiub" for v in found):
        return Guess(name, (len(found),), "vectors", "", text="vectors of text")
    every = np.concatenate([np.asarray(v, dtype=float).ravel() for v in found] or [np.empty(0)])
    base = (name, (len(found),), "vectors", _range(every))
    if not every.size:
        return Guess(*base, text="empty vectors")
    if len(found) == 1 and every.size > 20 and _steady(every):
        return Guess(*base, text="one vector that is steady: a clock, no times of a unit")
    sorted_ = all((np.diff(np.ravel(v).astype(float)) >= 0).all() for v in found)
    if not sorted_ or (every < 0).any() or not np.isfinite(every).all():
        return Guess(*base, text="vectors that are no times: not sorted, or negative")
    says: dict[str, Any] = {"time_unit": "s"}
    text = f"times of {len(found)} units, {every.size} in all, in s"
    if (every == np.round(every)).all():
        says = {"time_unit": "frames", "rate": "?", "count_from": 0 if every.min() == 0 else 1}
        text = f"times of {len(found)} units, whole numbers: frames, samples or ms?"
    return Guess(*base, "times", text, says)


def _of_vector(base: tuple[str, tuple[int, ...], str, str], found: np.ndarray) -> Guess:
    name = base[0]
    values = found.astype(float)
    whole = bool(np.isfinite(values).all() and (values == np.round(values)).all())
    for role, text in (("start", "starts"), ("stop", "ends")):
        if _named(role, name):
            return Guess(*base, role, f"{text} of trials?")
    if _named("unit", name) and whole:
        first = int(values.min())
        text = f"unit of each time, from {first}: {np.unique(values).size} units"
        return Guess(*base, "unit", text, {"unit_count_from": min(max(first, 0), 1)})
    for role in ("y", "x"):
        if _named(role, name):
            return _of_position(base, role, values)
    told = _unit_in_name(name) if _named("time", name) else ""
    if told and values.size > 2 and _rises(values):
        return _of_clock(base, values, told)
    # times of events increase as well, but not in steady steps
    if values.size > 2 and _steady(values) and (_named("time", name) or values.size > 20):
        return _of_clock(base, values)
    if _named("time", name) and (values >= 0).all():
        return Guess(*base, "times", "times of spikes or events, with a column of units?")
    if _named("keep", name) or (set(np.unique(values)) == {0, 1} and values.size < 20000):
        return Guess(*base, "keep", "0 or 1: units to keep?")
    if _SPEED.search(name):
        return Guess(*base, text="speed; it is derived from the position")
    return Guess(*base)


_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
_UNIT_WORDS = {"sec": "s", "secs": "s", "seconds": "s", "msec": "ms", "usec": "us"}


def _unit_in_name(name: str) -> str:
    """Unit of a clock that its name ends with: s, ms or us; empty where it says none."""
    found = re.search(r"[_ ({\[]([mu]?s|[mu]?secs?|seconds)[)}\]]?$", name, re.IGNORECASE)
    word = found[1].lower() if found else ""
    return _UNIT_WORDS.get(word, word)


def _rises(values: np.ndarray) -> bool:
    """Whether values are those of a clock: they never fall, and most steps are about as long."""
    steps = np.diff(values)
    if not np.isfinite(values).all() or (steps < 0).any() or not (steps > 0).any():
        return False
    if values.size <= 20:
        return _steady(values)
    high, low = np.percentile(steps[steps > 0], [75, 25])
    return bool((steps > 0).mean() > 0.5 and high <= 3 * low)


def _of_clock(
    base: tuple[str, tuple[int, ...], str, str], values: np.ndarray, unit: str = ""
) -> Guess:
    """A clock, in the unit that its name says or that its steps are in."""
    step = typical_step(values)
    if unit and 5e-5 <= step * _SECONDS[unit] <= 10:
        rate = 1 / (step * _SECONDS[unit])
        return Guess(*base, "clock", f"clock in {unit}, {rate:.6g} Hz", {"time_unit": unit})
    if 5e-4 <= step <= 0.5:
        return Guess(*base, "clock", f"clock in s, {1 / step:.6g} Hz", {"time_unit": "s"})
    if step == 1 and not (_named("time", base[0]) or _named("frame", base[0])):
        return Guess(*base, text="counts by 1: frames, rows or numbers of trials?")
    if step == 1:
        first = 1 if values[0] == 1 else 0
        says = {"time_unit": "frames", "rate": "?", "count_from": first}
        return Guess(*base, "clock", f"frame numbers from {values[0]:g}", says)
    if 2 <= step <= 500:
        return Guess(*base, "clock", f"clock in ms, {1e3 / step:.6g} Hz", {"time_unit": "ms"})
    if 2000 <= step <= 500_000:
        return Guess(*base, "clock", f"clock in us, {1e6 / step:.6g} Hz", {"time_unit": "us"})
    return Guess(*base, text=f"increases by {step:g}: a clock in which unit?")


def _of_position(
    base: tuple[str, tuple[int, ...], str, str], role: str, values: np.ndarray
) -> Guess:
    extent = float(np.ptp(np.nanpercentile(values, [0.5, 99.5])))
    says: dict[str, Any] = {"unit": "cm"}
    if extent < LEAST_EXTENT:
        says = {"unit": "m"}
    elif extent > MOST_EXTENT:
        says = {"unit": "mm"}
    if base[0].lower().endswith("px"):
        says = {"unit": "pixels", "cm_per_pixel": "?"}
    axes = {"x": "position, first axis", "y": "position, second axis", "xy": "position, two axes"}
    text = f"{axes[role]}, extent {extent:.3g}: {says['unit']}?"
    factor = {"cm": 1.0, "m": 100.0, "mm": 0.1}[says["unit"]] if "cm_per_pixel" not in says else 0
    if factor:
        # The clock is not known here, so that any step of half the extent is one.
        columns = values.T * factor if values.ndim == 2 else [values * factor]
        found = propose_geometry(np.arange(len(values)) * 1e-3, *columns)
        if found.jumps and role == "x":
            says["geometry"] = command_text(found.geometry)
        shape = found.geometry.kind if role != "y" else ""
        text += f" {found.why}: {shape}?" if shape else ""
    return Guess(*base, role, text, says, extent)


def _of_matrix(base: tuple[str, tuple[int, ...], str, str], found: np.ndarray) -> Guess:
    values = found.astype(float)
    finite = values[np.isfinite(values)]
    whole = bool((finite == np.round(finite)).all())
    rows, columns = found.shape
    if columns <= _MOST_SESSIONS and whole and (finite < rows * 3 + 10).all():
        first = _registered_from(values)
        if first is not None:
            text = f"units of {columns} sessions registered, counted from {first}"
            return Guess(*base, "registration", text, {"count_from": first})
    if 2 in (rows, columns) and max(rows, columns) > 100:
        if columns != 2:
            return Guess(*base, "", "position with its axes swapped? It must be (frames, 2)")
        return _of_position(base, "xy", values)
    if min(rows, columns) < 2:
        return Guess(*base)
    axes = ["frames", "units"] if rows >= columns else ["units", "frames"]
    kind = "fluorescence"
    if whole and (finite >= 0).all():
        kind = "events"
    elif (finite >= 0).all():
        kind = "amplitudes" if (finite == 0).mean() > 0.98 else "deconvolved"
    text = f"{kind} of {min(rows, columns)} units in {max(rows, columns)} frames?"
    return Guess(*base, "samples", text, {"kind": kind, "axes": axes})


def _registered_from(values: np.ndarray) -> int | None:
    """First index of a table of registered units, None if it is no such table."""
    for first in (1, 0):
        present = np.isfinite(values) & (values >= first)
        columns = [values[p, i] for i, p in enumerate(present.T)]
        if all(c.size > 2 and np.unique(c).size == c.size for c in columns) and present.any():
            if first == 1 and (values < 0).any() and (values == 0).any():
                continue
            return first
    return None


def _named(role: str, name: str) -> bool:
    last = re.split(r"[./]", name)[-1]
    return re.search(_NAMES[role], last, re.IGNORECASE) is not None


def _steady(values: np.ndarray) -> bool:
    """Whether values increase, in steps of which most are about as long, as those of a clock."""
    steps = np.diff(values)
    if not np.isfinite(values).all() or not (steps > 0).all():
        return False
    return bool(np.percentile(steps, 90) <= 3 * np.percentile(steps, 10))


def _range(values: np.ndarray) -> str:
    numbers = values.astype(float)
    finite = numbers[np.isfinite(numbers)]
    if not finite.size:
        return "no finite value"
    lost = numbers.size - finite.size
    return f"{finite.min():.6g} .. {finite.max():.6g}" + (f", {lost} NaN" if lost else "")
