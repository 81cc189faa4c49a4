"""Kinds of simulation: what a configuration's key ``simulation`` stands for.

``python -m neurodrift.simulate.settings.kinds schemas/config`` writes the JSON Schemas of all
kinds; a test finds them in step.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol

import xarray as xr

from neurodrift._version import __version__
from neurodrift.io.zarr import save_recording
from neurodrift.schema.yaml import Source, catalog_folder, parse_yaml
from neurodrift.simulate.settings.ranges import expand_ranges, sweep_section

GRADIENT = "gradient"
"""Gradient descent on one task, which is meant where there is no key ``simulation``."""

_MODULES = {
    "continual": "neurodrift.simulate.continual.settings",
    "hebbian": "neurodrift.simulate.hebbian.settings",
}


class Result(Protocol):
    """What a simulation leaves."""

    def recording(self, *, subject: str | None = None) -> xr.Dataset:
        """Its recording."""

    def groups(self) -> dict[str, xr.Dataset]:
        """What is stored beside the recording; ``measures`` is among it."""

    def text(self) -> str:
        """What came out, in a line or two."""


class Settings(Protocol):
    """Everything that decides what a simulation becomes: a frozen dataclass of plain values."""

    kind: ClassVar[str]

    def simulate(self) -> Result:
        """Run it."""


def read_simulation(
    name: str | os.PathLike[str], changes: Mapping[str, Any] | None = None
) -> tuple[str, dict[str, Any], Source]:
    """Kind and plain values of a configuration.

    Parameters
    ----------
    name
        YAML file, or a name in ``catalogs/``.
    changes
        Values by dotted key that take the place of the file's.

    Returns
    -------
    kind : str
        ``gradient``, ``continual`` or ``hebbian``.
    values : dict
        Plain values.
    source : Source
        Their lines.

    Raises
    ------
    OSError
        If there is no such file or name.
    ValueError
        If it is no YAML, or of no known kind.

    Examples
    --------
    >>> from neurodrift.simulate.settings.kinds import read_simulation
    >>> read_simulation("jensen2021")[0], read_simulation("ratzon2024-track")[0]
    ('continual', 'gradient')
    """
    values, source = read_config(name, changes)
    kind = values.get("simulation", GRADIENT)
    known = [GRADIENT, *_MODULES]
    if kind not in known:
        raise source.error([(("simulation",), f"is {kind!r}, expected one of {', '.join(known)}")])
    return kind, values, source


def settings_of(values: Mapping[str, Any], source: Source | None = None) -> Settings:
    """Settings of one run of a kind other than ``gradient``.

    Parameters
    ----------
    values
        Plain values; a section ``sweep`` is left out.
    source
        Where they stand, for errors.

    Returns
    -------
    Settings
        Complete settings.

    Raises
    ------
    ValueError
        If a key is unknown or a value impossible; all faults are listed.

    Examples
    --------
    >>> from neurodrift.simulate.settings.kinds import settings_of
    >>> drawn = {"simulation": "continual", "tasks": {"name": "drawn"}, "learner": {"name": "sgd"}}
    >>> settings_of(drawn).n_steps
    1953
    """
    module: Any = importlib.import_module(_MODULES[values["simulation"]])
    alone = {name: value for name, value in values.items() if name != "sweep"}
    settings: Settings = module.settings_from_values(alone, source)
    return settings


def settings_of_sweep(values: Mapping[str, Any], source: Source | None = None) -> list[Settings]:
    """Settings of every run of a sweep of a kind other than ``gradient``.

    Parameters
    ----------
    values
        Plain values with a section ``sweep``; any key may vary.
    source
        Where they stand, for errors.

    Returns
    -------
    list of Settings
        In order.

    Raises
    ------
    ValueError
        If a key is unknown or a value impossible in any run.

    Examples
    --------
    >>> from neurodrift.simulate.settings.kinds import settings_of_sweep
    >>> drawn = {"simulation": "continual", "tasks": {"name": "drawn"}, "learner": {"name": "sgd"}}
    >>> seeds = {"ranges": [{"key": "seed", "integers": [0, 2]}]}
    >>> [settings.seed for settings in settings_of_sweep(drawn | {"sweep": seeds})]
    [0, 1, 2]
    """
    source = source or Source("the configuration")
    module: Any = importlib.import_module(_MODULES[values["simulation"]])
    run_schema = module.schema()
    schema = run_schema | {"required": [*run_schema["required"], "sweep"]}
    keys = "|".join(sorted(set(run_schema["properties"]) - {"description", "simulation"}))
    section = sweep_section(rf"^({keys})(\.\w+)?$")
    schema["properties"] = run_schema["properties"] | {"sweep": section}
    drawn = expand_ranges(values, schema, run_schema, source)
    return [module.settings_from_values(one, source) for one in drawn]


def save_result(
    result: Result, settings: Settings, path: str | os.PathLike[str], *, overwrite: bool = False
) -> Path:
    """Store what a simulation leaves: a recording as any other, and groups beside it.

    Parameters
    ----------
    result, settings
        What came out, and what it was made with; the settings stand in the attributes of
        ``measures``.
    path
        Directory of the new store.
    overwrite
        Whether an existing store is replaced.

    Returns
    -------
    pathlib.Path
        `path`.

    Raises
    ------
    FileExistsError
        If `path` exists and `overwrite` is False.
    """
    groups = result.groups()
    groups["measures"] = groups["measures"].assign_attrs(settings=settings_text(settings))
    return save_recording(result.recording(), path, groups=groups, overwrite=overwrite)


def settings_text(settings: Any) -> str:
    """Settings as JSON, with the version of the package that uses them.

    Parameters
    ----------
    settings
        Of any kind.

    Returns
    -------
    str
        JSON.
    """
    made_by = {"simulation": settings.kind, "neurodrift_version": __version__}
    return json.dumps(made_by | dataclasses.asdict(settings))


def write_schemas(folder: str | os.PathLike[str]) -> list[Path]:
    """Write the JSON Schemas of every kind's settings.

    Parameters
    ----------
    folder
        Where the files go.

    Returns
    -------
    list of pathlib.Path
        The files.
    """
    from neurodrift.simulate.settings.schema import settings_schema
    from neurodrift.simulate.settings.sweep_config import sweep_schema

    schemas = {"settings": settings_schema(), "sweep": sweep_schema()}
    schemas |= {kind: importlib.import_module(name).schema() for kind, name in _MODULES.items()}
    Path(folder).mkdir(parents=True, exist_ok=True)
    paths = []
    for name, schema in schemas.items():
        path = Path(folder) / f"{name}.schema.json"
        path.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        paths.append(path)
    return paths


if __name__ == "__main__":
    for written in write_schemas(sys.argv[1]):
        print(written)


def read_config(
    name: str | os.PathLike[str], changes: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], Source]:
    """Plain values of a YAML file or a published name, changed.

    Parameters
    ----------
    name
        YAML file or name.
    changes
        Values by dotted key.

    Returns
    -------
    values : dict
        Plain values.
    source : Source
        Their lines.
    """
    path = find_config(name)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no YAML: {error}") from error
    values, source = parse_yaml(text, str(path))
    for key, value in (changes or {}).items():
        *outer, last = key.split(".")
        section = values
        for step in outer:
            section = section.setdefault(step, {})
            if not isinstance(section, dict):
                raise source.error([(tuple(outer), f"has no keys, so {key} cannot be set")])
        section[last] = value
    return values, source


def parse_change(text: str) -> tuple[str, Any]:
    """Key and value of ``KEY=VALUE``, the value as in YAML.

    Parameters
    ----------
    text
        Such as ``n_steps=1e5``.

    Returns
    -------
    tuple
        Dotted key and plain value.

    Raises
    ------
    ValueError
        If there is no ``=``, or the value is no YAML.

    Examples
    --------
    >>> from neurodrift.simulate.settings.kinds import parse_change
    >>> parse_change("n_steps=1e5"), parse_change("network.regime=lazy")
    (('n_steps', 100000), ('network.regime', 'lazy'))
    """
    key, found, value = text.partition("=")
    if not found or not key:
        raise ValueError(f"--set {text} is not KEY=VALUE, such as n_steps=1e5")
    values, _ = parse_yaml(f"value: {value}", f"--set {text}")
    return key, values["value"]


def find_config(name: str | os.PathLike[str]) -> Path:
    """YAML file of a path or of a published name.

    Parameters
    ----------
    name
        Path, or name of a file in ``catalogs/``.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    FileNotFoundError
        If there is neither; the names are listed.
    """
    path = Path(name)
    if path.is_file():
        return path
    named = catalog_folder() / f"{name}.yaml"
    if path.name == str(name) and named.is_file():
        return named
    known = ", ".join(
        file.stem
        for file in sorted(catalog_folder().glob("*.yaml"))
        if not file.read_text(encoding="utf-8").startswith("data_set:")
    )
    raise FileNotFoundError(f"no file {path}, and no published settings of that name: {known}")
