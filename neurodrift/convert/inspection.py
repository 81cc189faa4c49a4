"""What files hold, and the mapping that they suggest."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurodrift.convert._guesses import Guess, guess
from neurodrift.io.array_files import ArrayInfo, list_arrays, load_array

_LOOK_BYTES = 2**31
_MOST_SHOWN = 60
_PIPELINES = {
    "suite2p": ("activity", "suite2p"),
    "phy": ("activity", "phy"),
    "minian": ("activity", "minian"),
    "caiman": ("activity", "caiman"),
    "deeplabcut": ("position", "deeplabcut"),
    "sleap": ("position", "sleap"),
    "cellreg": ("registration", "cellreg"),
    "track2p": ("registration", "track2p"),
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
    """

    path: Path
    pipeline: str
    guesses: tuple[Guess, ...]


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
    >>> _ = path.write_text("time,x\n" + "".join(f"{i / 20},{i % 90}\n" for i in range(200)))
    >>> [item.text for item in inspect_file(path).guesses]
    ['clock in s, 20 Hz', 'position, first axis, extent 89: cm?']
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"nothing at {path}")
    pipeline = _pipeline(path)
    if pipeline:
        return Inspection(path, pipeline, ())
    if path.is_dir():
        known = "suite2p, phy, Minian and track2p"
        raise ValueError(f"{path} is a folder of none of the known pipelines ({known})")
    listed = list_arrays(path)
    return Inspection(path, "", tuple(_seen(path, item) for item in listed[:_MOST_SHOWN]))


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
            for row in rows
        ]
        blocks.append("\n".join([str(item.path), *(line.rstrip() for line in lines)]))
    return "\n\n".join(blocks)


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
    for item in found:
        name = _generic(Path(os.path.relpath(item.path, folder or ".")), labels)
        if item.pipeline:
            what, reader = _PIPELINES[item.pipeline]
            extra = {"cm_per_pixel": "?", "rate": "?"} if what == "position" else {}
            sections.setdefault(what, {"reader": reader, "file": name, **extra})
        else:
            _propose(sections, item, name)
    lines = ["subject: {id: '?'}", "environment: '?'"]
    lines += [] if "activity" in sections else ["# activity: nothing like it was found"]
    for section in ("activity", "position", "trials", "registration"):
        if section in sections:
            lines.append(f"{section}:")
            lines += [f"  {key}: {_yaml(value)}" for key, value in sections[section].items()]
    lines.append("sessions:")
    lines += [f"  - session: {_yaml(label)}" for label in labels or ["1"]]
    return "\n".join(lines) + "\n"


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
    place = by_role.get("x") or by_role.get("xy") or by_role.get("y")
    if place is not None and "position" not in sections:
        made = {"file": name}
        if "x" in by_role:
            made |= {role: by_role[role].name for role in ("x", "y") if role in by_role}
        else:
            made |= _called("xy", place)
        made |= place.says
        made |= {"time": clock.name, **clock.says} if clock is not None else {"rate": "?"}
        sections["position"] = made


def _called(key: str, one: Guess) -> dict[str, str]:
    return {key: one.name} if one.name else {}


def _seen(path: Path, item: ArrayInfo) -> Guess:
    if item.dtype in ("struct", "object") and path.suffix == ".mat":
        return Guess(item.name, item.shape, item.dtype, "", text="name its fields as name.field")
    try:
        found = load_array(path, item.name or None, max_bytes=_LOOK_BYTES)
    except ValueError as error:
        return Guess(item.name, item.shape, item.dtype, "", text=f"cannot be read: {error}")
    return guess(item.name, found)


def _pipeline(path: Path) -> str:
    """The pipeline that wrote a file or folder, empty if none is recognised."""
    if path.is_dir():
        inside = {item.name for item in path.iterdir()}
        if "iscell.npy" in inside or any(path.glob("plane*/iscell.npy")):
            return "suite2p"
        if {"spike_times.npy", "params.py"} <= inside or "spike_clusters.npy" in inside:
            return "phy"
        if {"S.zarr", "C.zarr"} & inside:
            return "minian"
        tracked = any("_match_mat" in name or "_suite2p_indices" in name for name in inside)
        return "track2p" if tracked or "track2p" in inside else ""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", errors="replace") as file:
            return "deeplabcut" if file.readline(200).startswith("scorer,") else ""
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


def _labels(paths: Sequence[Path]) -> list[str]:
    """The numbers in which files differ that are otherwise named alike."""
    groups: dict[str, list[str]] = {}
    for path in paths:
        numbers = re.findall(r"\d+", path.stem)
        if numbers:
            pattern = path.name[::-1].replace(numbers[-1][::-1], "#", 1)[::-1]
            groups.setdefault(pattern, []).append(numbers[-1])
    longest = max(groups.values(), key=len, default=[])
    return sorted(set(longest), key=int) if len(set(longest)) > 1 else []


def _generic(path: Path, labels: list[str]) -> str:
    """The file's name with {session} in place of its session's number."""
    numbers = re.findall(r"\d+", path.stem)
    if not numbers or numbers[-1] not in labels:
        return str(path)
    before, _, after = path.name.rpartition(numbers[-1])
    return str(path.with_name(f"{before}{{session}}{after}"))


def _yaml(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(value)}]"
    text = str(value)
    plain = re.fullmatch(r"[A-Za-z0-9_./-]+", text) is not None
    return text if plain else "'" + text.replace("'", "''") + "'"
