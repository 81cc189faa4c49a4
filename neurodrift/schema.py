"""The names, dimensions, units and kinds of every variable, and the check against them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

FORMAT_VERSION = 1
"""Version of the stored layout; raised whenever a reader of the old layout would misread."""

ACTIVITY_KINDS = {
    "spikes": "count",
    "events": "count",
    "amplitudes": "a.u.",
    "deconvolved": "a.u.",
    "activation": "a.u.",
}
"""What one number of ``activity`` is, and its unit. ``spikes`` and ``events`` are counts."""

COUNT_KINDS = ("spikes", "events")

_DTYPES = {
    "float": "f",
    "int": "iu",
    "bool": "b",
    "string": "OUT",
    "number": "fiu",
    "label": "OUTiu",
}


@dataclass(frozen=True)
class Var:
    """One variable of a stored Dataset.

    Parameters
    ----------
    name
        Name in the Dataset.
    dims
        Dimensions in order; ``...`` in first place allows any leading dimensions.
    kind
        ``float``, ``int``, ``bool``, ``string``, ``number`` (float or integer) or ``label``
        (string or integer).
    units
        Unit symbol, ``"1"`` for pure numbers.
    doc
        One line for people.
    required
        Whether a Dataset without it is refused.
    coord
        Whether it is a coordinate.
    """

    name: str
    dims: tuple[str, ...]
    kind: str
    units: str
    doc: str
    required: bool = False
    coord: bool = False


def _table(*rows: Var) -> dict[str, Var]:
    return {row.name: row for row in rows}


RECORDING = _table(
    Var("activity", ("time", "unit"), "number", "", "activity of a unit in one frame", True),
    Var("detected", ("session", "unit"), "bool", "1", "unit was recorded in the session", True),
    Var("session_index", ("time",), "int", "1", "position of the frame's session", True),
    Var("x", ("time",), "float", "cm", "position, first axis; NaN = not tracked"),
    Var("y", ("time",), "float", "cm", "position, second axis; NaN = not tracked"),
    Var("speed", ("time",), "float", "cm/s", "running speed"),
    Var("direction", ("time",), "int", "1", "running direction -1, 0 (undefined) or +1"),
    Var("trial", ("time",), "int", "1", "number of the trial, -1 = none"),
    Var("lap", ("time",), "int", "1", "number of the lap, -1 = none"),
    Var("map_label", ("time",), "int", "1", "map the population is in, 0 = unknown"),
    Var("time", ("time",), "float", "s", "start of the frame", True, True),
    Var("session", ("session",), "string", "1", "label of the session", True, True),
    Var(
        "unit", ("unit",), "label", "1", "label of the unit, the same in every session", True, True
    ),
    Var("frame_duration", ("session",), "float", "s", "length of one frame", True, True),
    Var("day", ("session",), "float", "d", "days since the first session", False, True),
    Var("experience", ("session",), "float", "min", "time in this environment before", False, True),
    Var("training_step", ("session",), "int", "1", "training step of the snapshot", False, True),
    Var("region", ("unit",), "string", "1", "brain region or layer", False, True),
    Var("subject", (), "string", "1", "animal or simulated run", True, True),
    Var("environment", (), "string", "1", "environment or task", True, True),
)
"""The recording: one subject in one environment, or one simulated run."""

MAPS = _table(
    Var("rate", ("...", "unit", "direction", "position"), "float", "", "rate map", True),
    Var("events", ("...", "unit", "direction", "position"), "float", "", "summed activity", True),
    Var("occupancy", ("...", "direction", "position"), "float", "s", "time in the bin", True),
    Var("detected", ("...", "unit"), "bool", "1", "unit was recorded in the session", True),
    Var("x_bin", ("position",), "float", "cm", "centre of the bin, x", True, True),
    Var("y_bin", ("position",), "float", "cm", "centre of the bin, y", False, True),
    Var("direction", ("direction",), "int", "1", "running direction, 0 = both", True, True),
)
"""Rate maps by session or segment, from :func:`neurodrift.rate_maps`."""

SESSION_COORDS = ("day", "experience", "training_step", "frame_duration")
"""Coordinates of ``session`` that every result carries on."""


def check(recording: xr.Dataset) -> None:
    """Refuse a Dataset that is not a recording, naming every fault at once.

    Reads labels and per-frame variables; never the activity, which may be larger than memory.

    Parameters
    ----------
    recording
        Dataset over (session, time, unit) as :data:`RECORDING` describes it.

    Raises
    ------
    TypeError
        If it is no :class:`xarray.Dataset`.
    ValueError
        If names, dimensions, dtypes, units or values break the contract.

    Examples
    --------
    >>> from neurodrift import testing, schema
    >>> schema.check(testing.linear_track(n_units=3, n_sessions=1, minutes=1))
    >>> schema.check(testing.linear_track(n_units=3, minutes=1).drop_vars("detected"))
    Traceback (most recent call last):
    ...
    ValueError: not a recording:
    - 'detected' is missing: expected dims (session, unit), unit was recorded in the session
    """
    if not isinstance(recording, xr.Dataset):
        raise TypeError(
            f"expected a recording (xarray.Dataset), got {type(recording).__name__}; "
            "build one with neurodrift.recording_from_arrays or neurodrift.open_recording"
        )
    faults = structure_faults(recording, RECORDING)
    if not faults:
        faults = _value_faults(recording)
    if faults:
        raise ValueError("not a recording:\n" + "\n".join(f"- {fault}" for fault in faults))


def structure_faults(dataset: xr.Dataset, table: Mapping[str, Var]) -> list[str]:
    """List every name, dimension, dtype and unit of a Dataset that differs from a table.

    Parameters
    ----------
    dataset
        Any Dataset; variables that the table does not name are allowed.
    table
        Variables by name.

    Returns
    -------
    list of str
        One sentence for each fault, empty if there is none.
    """
    faults = []
    for var in table.values():
        if var.name not in dataset.variables:
            if var.required:
                faults.append(f"'{var.name}' is missing: expected dims {_dims(var)}, {var.doc}")
            continue
        array = dataset[var.name]
        if var.coord != (var.name in dataset.coords):
            faults.append(f"'{var.name}' should be a {'coordinate' if var.coord else 'variable'}")
        if not _dims_match(array.dims, var.dims):
            found = "(" + ", ".join(str(d) for d in array.dims) + ")"
            faults.append(f"'{var.name}' has dims {found}, expected {_dims(var)}")
        if array.dtype.kind not in _DTYPES[var.kind]:
            faults.append(f"'{var.name}' has dtype {array.dtype}, expected {var.kind}")
        units = array.attrs.get("units", var.units)
        if var.units and units != var.units:
            faults.append(f"'{var.name}' is in {units!r}, expected {var.units!r}: convert it")
    return faults


def label(dataset: xr.Dataset, table: Mapping[str, Var]) -> xr.Dataset:
    """Give every variable of a Dataset that a table names its unit and its description.

    Parameters
    ----------
    dataset
        Dataset whose variables are to be labelled; it is not changed.
    table
        Variables by name.

    Returns
    -------
    xarray.Dataset
        A shallow copy with the attributes ``units`` and ``long_name``.
    """
    labelled = dataset.copy()
    for name, var in table.items():
        if name in labelled.variables:
            attrs = {"long_name": var.doc} | ({"units": var.units} if var.units else {})
            labelled[name].attrs.update(attrs)
    return labelled


def json_schema(table: Mapping[str, Var], title: str) -> dict[str, Any]:
    """JSON Schema of a stored Dataset, in the form of ``Dataset.to_dict(data=False)``.

    Parameters
    ----------
    table
        Variables by name.
    title
        What is stored.

    Returns
    -------
    dict
        A JSON Schema (draft 2020-12), to be checked against the Dataset's description.
    """
    groups: dict[str, dict[str, Any]] = {"coords": {}, "data_vars": {}}
    required: dict[str, list[str]] = {"coords": [], "data_vars": []}
    for var in table.values():
        group = "coords" if var.coord else "data_vars"
        groups[group][var.name] = _json_variable(var)
        if var.required:
            required[group].append(var.name)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "required": ["attrs", "coords", "data_vars"],
        "properties": {
            "attrs": {
                "type": "object",
                "required": ["format_version"],
                "properties": {"format_version": {"type": "integer", "maximum": FORMAT_VERSION}},
            },
            **{
                group: {"type": "object", "required": required[group], "properties": variables}
                for group, variables in groups.items()
            },
        },
    }


def _json_variable(var: Var) -> dict[str, Any]:
    numpy_names = {"f": "float", "i": "int", "u": "uint", "b": "bool", "O": "object"}
    numpy_names |= {"U": "<U", "T": "StringDType"}
    dtypes = "|".join(numpy_names[kind] for kind in _DTYPES[var.kind])
    properties: dict[str, Any] = {"dtype": {"type": "string", "pattern": f"^({dtypes})"}}
    if var.dims[:1] == ("...",):
        properties["dims"] = {"type": "array"}
    else:
        properties["dims"] = {"const": list(var.dims)}
    if var.units:
        properties["attrs"] = {"properties": {"units": {"const": var.units}}}
    return {"description": var.doc, "properties": properties}


def _dims(var: Var) -> str:
    return "(" + ", ".join(var.dims) + ")"


def _dims_match(found: tuple[Any, ...], expected: tuple[str, ...]) -> bool:
    if expected[:1] == ("...",):
        tail = expected[1:]
        return not tail or found[-len(tail) :] == tail
    return found == expected


def _value_faults(recording: xr.Dataset) -> list[str]:
    faults = []
    n_sessions = recording.sizes["session"]
    kind = recording["activity"].attrs.get("kind")
    if kind not in ACTIVITY_KINDS:
        faults.append(
            f"activity.attrs['kind'] is {kind!r}, expected one of {', '.join(ACTIVITY_KINDS)}"
        )
    elif kind in COUNT_KINDS and recording["activity"].dtype.kind != "u":
        faults.append(
            f"activity of kind {kind!r} has dtype {recording['activity'].dtype}, expected unsigned "
            "integer counts: pass counts, or kind='deconvolved' for real numbers"
        )
    for name in ("unit", "session"):
        faults += _duplicates(name, recording[name].values)
    faults += _time_faults(recording)
    index = recording["session_index"].values
    if index.size and (index.min() < 0 or index.max() >= n_sessions):
        faults.append(f"session_index must lie in 0..{n_sessions - 1}")
    if (np.diff(index) < 0).any():
        faults.append("session_index decreases: sort the frames by session, then by time")
    if not (recording["frame_duration"].values > 0).all():
        faults.append("frame_duration must be positive in every session")
    never = ~recording["detected"].values.any(axis=0)
    if never.any():
        faults.append(
            f"{_some(recording['unit'].values[never])} detected in no session: drop the unit or "
            "set detected where it was recorded"
        )
    faults += _position_faults(recording)
    if "direction" in recording:
        found = np.unique(recording["direction"].values)
        if not np.isin(found, (-1, 0, 1)).all():
            faults.append(f"direction must be -1, 0 or +1, found {found.tolist()[:6]}")
    return faults


def _time_faults(recording: xr.Dataset) -> list[str]:
    time = recording["time"].values
    if not np.isfinite(time).all():
        return [f"time is NaN or infinite at frame {int(np.argmin(np.isfinite(time)))}"]
    steps = np.diff(time)
    if (steps <= 0).any():
        at = int(np.argmax(steps <= 0)) + 1
        return [
            f"time is not strictly increasing: frame {at} is at {time[at]:g} s after "
            f"{time[at - 1]:g} s; sort or drop repeated frames"
        ]
    return []


def _position_faults(recording: xr.Dataset) -> list[str]:
    if "x" not in recording:
        return ["'y' without 'x': name the first axis x"] if "y" in recording else []
    faults = []
    axes = [axis for axis in ("x", "y") if axis in recording]
    for axis in axes:
        values = recording[axis].values
        if values.size and np.isnan(values).all():
            faults.append(f"{axis} is NaN in every frame: drop it, or give the tracked position")
        if np.isinf(values).any():
            faults.append(f"{axis} is infinite in {int(np.isinf(values).sum())} frames: use NaN")
    if "speed" in recording and not faults:
        tracked = np.all([np.isfinite(recording[axis].values) for axis in axes], axis=0)
        bad = tracked & ~(recording["speed"].values >= 0)
        if bad.any():
            faults.append(
                f"speed is NaN or negative in {int(bad.sum())} frames that have a position (first "
                f"at {recording['time'].values[bad][0]:g} s): give a speed for every tracked frame "
                "or set x to NaN there"
            )
    return faults


def _duplicates(name: str, labels: np.ndarray) -> list[str]:
    values, counts = np.unique(labels.astype(str), return_counts=True)
    if (counts > 1).any():
        return [f"{name} labels are not unique: {_some(values[counts > 1])} occur more than once"]
    return []


def _some(labels: np.ndarray, most: int = 5) -> str:
    shown = ", ".join(repr(str(item)) for item in labels[:most])
    return shown + (f" and {labels.size - most} more" if labels.size > most else "")
