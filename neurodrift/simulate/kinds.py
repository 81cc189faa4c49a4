"""Kinds of simulation: what a configuration's key ``simulation`` stands for.

``python -m neurodrift.simulate.kinds schemas/config`` writes the JSON Schemas of all kinds; a test
finds them in step.
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

from neurodrift._yaml_config import Source
from neurodrift.io.zarr import save_recording
from neurodrift.simulate._config_files import read_config
from neurodrift.simulate._ranges import expand_ranges, sweep_section

GRADIENT = "gradient"
"""Gradient descent on one task, which is meant where there is no key ``simulation``."""

_MODULES = {
    "continual": "neurodrift.simulate.continual_settings",
    "hebbian": "neurodrift.simulate.hebbian_settings",
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
    >>> from neurodrift.simulate.kinds import read_simulation
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
    >>> from neurodrift.simulate.kinds import settings_of
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
    >>> from neurodrift.simulate.kinds import settings_of_sweep
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
    from neurodrift import __version__

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
    from neurodrift.simulate._settings_schema import settings_schema
    from neurodrift.simulate.sweep_config import sweep_schema

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
