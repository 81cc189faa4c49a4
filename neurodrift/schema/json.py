"""JSON Schemas of the stored artefacts, generated from the tables of :mod:`neurodrift.schema`.

``python -m neurodrift.schema.json schemas/`` writes them; a test finds ``schemas/`` in step.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.schema import DTYPE_KINDS, FORMAT_VERSION, RECORDING, Var
from neurodrift.schema.inference import INFERENCE, PRIOR
from neurodrift.schema.results import COMPARISON, POOLED, POWER, REPRESENTATIONS, RESULTS

_ANY_UNIT = {"x": replace(RECORDING["x"], units="")}  # that of the geometry
STORED = (
    {"recording": RECORDING | _ANY_UNIT}
    | RESULTS
    | REPRESENTATIONS
    | {"comparison": COMPARISON, "power": POWER}
    | {"prior": PRIOR}
    | {f"inference-{node.replace('_', '-')}": table for node, table in INFERENCE.items()}
    | {f"pooled-{node.replace('_', '-')}": table for node, table in POOLED.items()}
)
"""Every stored artefact, by name."""

_DTYPE_NAMES = {
    "f": "float",
    "i": "int",
    "u": "uint",
    "b": "bool",
    "O": "object",
    "U": "<U",
    "T": "StringDType",
}


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
    version = {"type": "integer", "minimum": FORMAT_VERSION, "maximum": FORMAT_VERSION}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "required": ["attrs", "coords", "data_vars"],
        "properties": {
            "attrs": {
                "type": "object",
                "required": ["format_version"],
                "properties": {"format_version": version},
            },
            **{
                group: {"type": "object", "required": required[group], "properties": variables}
                for group, variables in groups.items()
            },
        },
    }


def description_faults(stored: xr.Dataset, table: Mapping[str, Var]) -> list[str]:
    """List where a Dataset's description differs from the JSON Schema of a table.

    Parameters
    ----------
    stored
        Dataset as it lies in a store; no values are read.
    table
        Variables by name.

    Returns
    -------
    list of str
        One line for each fault, empty if there is none.
    """
    import jsonschema

    validator = jsonschema.Draft202012Validator(json_schema(table, "stored"))
    return [
        f"{'/'.join(map(str, error.absolute_path)) or 'store'}: {error.message}"
        for error in validator.iter_errors(_plain(stored.to_dict(data=False)))
    ]


def write_json_schemas(folder: str | os.PathLike[str]) -> list[Path]:
    """Write the JSON Schema of every stored artefact.

    Parameters
    ----------
    folder
        Where the files ``<artefact>.schema.json`` go.

    Returns
    -------
    list of pathlib.Path
        The files.
    """
    return [
        write_schema_file(json_schema(table, f"neurodrift {name}"), folder, name)
        for name, table in STORED.items()
    ]


def write_schema_file(schema: Mapping[str, Any], folder: str | os.PathLike[str], name: str) -> Path:
    """Write one JSON Schema.

    Parameters
    ----------
    schema
        The schema.
    folder
        Where it goes; made if there is none.
    name
        What it describes; the file is called ``<name>.schema.json``.

    Returns
    -------
    pathlib.Path
        The file.
    """
    path = Path(folder) / f"{name}.schema.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def _json_variable(var: Var) -> dict[str, Any]:
    dtypes = "|".join(_DTYPE_NAMES[kind] for kind in DTYPE_KINDS[var.kind])
    if var.dims[:1] == ("...",):
        tail = var.dims[1:]
        dims: dict[str, Any] = {"type": "array", "minItems": len(tail)}
        if tail:
            dims["allOf"] = [{"contains": {"const": dim}} for dim in tail]
    else:
        dims = {"const": list(var.dims)}
    properties: dict[str, Any] = {
        "dims": dims,
        "dtype": {"type": "string", "pattern": f"^({dtypes})"},
    }
    if var.units:
        properties["attrs"] = {"properties": {"units": {"const": var.units}}}
    return {
        "description": var.doc,
        "type": "object",
        "required": ["dims", "dtype"],
        "properties": properties,
    }


def _plain(value: Any) -> Any:
    """Tuples as lists and NumPy numbers as Python's, as JSON would hold them."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


if __name__ == "__main__":
    for written in write_json_schemas(sys.argv[1]):
        print(written)
