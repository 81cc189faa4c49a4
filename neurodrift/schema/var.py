"""One variable of the contract, and how a Dataset is held against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import xarray as xr

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
    return [fault for found in faults_by_name(dataset, table).values() for fault in found]


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


def faults_by_name(dataset: xr.Dataset, table: Mapping[str, Var]) -> dict[str, list[str]]:
    """Faults of :func:`structure_faults`, by the name of the variable."""
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
