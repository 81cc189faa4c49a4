"""The names, dimensions, units and kinds of every variable, and the check against them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import xarray as xr

from neurodrift._value_faults import value_faults

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

DTYPE_KINDS = {
    "float": "f",
    "int": "iu",
    "bool": "b",
    "string": "OUT",
    "number": "fiu",
    "label": "OUTiu",
}
"""Kinds of NumPy dtype (``dtype.kind``) that a :class:`Var` of each kind may have."""


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


def table(*rows: Var) -> dict[str, Var]:
    """Variables by name."""
    return {row.name: row for row in rows}


RECORDING = table(
    Var("activity", ("time", "unit"), "number", "", "activity of a unit in one frame", True),
    Var("detected", ("session", "unit"), "bool", "1", "unit was recorded in the session", True),
    Var("registration_score", ("session", "unit"), "float", "1", "how sure the identity is"),
    Var("session_index", ("time",), "int", "1", "position of the frame's session", True),
    Var("x", ("time",), "float", "cm", "position, first axis; NaN = not tracked"),
    Var("y", ("time",), "float", "cm", "position, second axis; NaN = not tracked"),
    Var("speed", ("time",), "float", "cm/s", "running speed"),
    Var("direction", ("time",), "int", "1", "running direction -1, 0 (undefined) or +1"),
    Var("trial", ("time",), "int", "1", "number of the trial, -1 = none"),
    Var("trial_type", ("time",), "int", "1", "kind of the trial, -1 = none"),
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
    Var("loss", ("session",), "float", "1", "training loss or other error", False, True),
    Var("accuracy", ("session",), "float", "1", "share of correct trials", False, True),
    Var("region", ("unit",), "string", "1", "brain region or layer", False, True),
    Var("registered", ("unit",), "bool", "1", "can be found in other sessions", False, True),
    Var("subject", (), "string", "1", "animal or simulated run", True, True),
    Var("environment", (), "string", "1", "environment or task", True, True),
)
"""The recording: one subject in one environment, or one simulated run."""


"""Every stored artefact, by the name of its JSON Schema in ``schemas/``."""

UNIT_COORDS = ("region", "registered")
"""Coordinates of ``unit`` that every result carries on."""

SESSION_COORDS = ("day", "experience", "training_step", "loss", "accuracy", "frame_duration")
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
    by_name = _structure_faults(recording, RECORDING)
    faults = [fault for found in by_name.values() for fault in found]
    if "activity" not in by_name:
        faults += _kind_faults(recording)
    faults += value_faults(recording, set(by_name))
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
    return [fault for found in _structure_faults(dataset, table).values() for fault in found]


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


def _structure_faults(dataset: xr.Dataset, table: Mapping[str, Var]) -> dict[str, list[str]]:
    faults = {var.name: _variable_faults(dataset, var) for var in table.values()}
    return {name: found for name, found in faults.items() if found}


def _variable_faults(dataset: xr.Dataset, var: Var) -> list[str]:
    if var.name not in dataset.variables:
        missing = f"'{var.name}' is missing: expected dims {_dims(var)}, {var.doc}"
        return [missing] if var.required else []
    faults = []
    array = dataset[var.name]
    if var.coord != (var.name in dataset.coords):
        faults.append(f"'{var.name}' should be a {'coordinate' if var.coord else 'variable'}")
    if not _dims_match(array.dims, var.dims):
        found = "(" + ", ".join(str(d) for d in array.dims) + ")"
        faults.append(f"'{var.name}' has dims {found}, expected {_dims(var)}")
    if array.dtype.kind not in DTYPE_KINDS[var.kind]:
        faults.append(f"'{var.name}' has dtype {array.dtype}, expected {var.kind}")
    units = array.attrs.get("units", var.units)
    if var.units and units != var.units:
        faults.append(f"'{var.name}' is in {units!r}, expected {var.units!r}: convert it")
    return faults


def _dims(var: Var) -> str:
    return "(" + ", ".join(var.dims) + ")"


def _dims_match(found: tuple[Any, ...], expected: tuple[str, ...]) -> bool:
    if expected[:1] == ("...",):
        tail = expected[1:]
        return not tail or found[-len(tail) :] == tail
    return found == expected


def _kind_faults(recording: xr.Dataset) -> list[str]:
    kind = recording["activity"].attrs.get("kind")
    if kind not in ACTIVITY_KINDS:
        return [f"activity.attrs['kind'] is {kind!r}, expected one of {', '.join(ACTIVITY_KINDS)}"]
    if kind in COUNT_KINDS and recording["activity"].dtype.kind != "u":
        return [
            f"activity of kind {kind!r} has dtype {recording['activity'].dtype}, expected unsigned "
            "integer counts: pass counts, or kind='deconvolved' for real numbers"
        ]
    return []
