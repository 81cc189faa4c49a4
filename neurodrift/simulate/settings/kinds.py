"""Kinds of simulation: what a configuration's key ``simulation`` stands for, and how it is run.

A new kind is a folder with a class of settings and a line in :data:`KINDS`. ``python -m
neurodrift.simulate.settings.kinds schemas/config`` writes the JSON Schemas of all kinds; a test
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

from neurodrift._version import __version__
from neurodrift.schema.json import write_schema_file
from neurodrift.schema.objects import expect_type
from neurodrift.schema.yaml import Place, Source, catalog_folder, parse_yaml, schema_faults
from neurodrift.simulate.settings.schema import SettingsError, error_of

GRADIENT = "gradient"
"""The kind that is meant where there is no key ``simulation``."""

KINDS = {
    GRADIENT: "neurodrift.simulate.gradient.settings:RunSettings",
    "continual": "neurodrift.simulate.continual.settings:ContinualSettings",
    "hebbian": "neurodrift.simulate.hebbian.settings:HebbianSettings",
    "oja": "neurodrift.simulate.synapses.oja:OjaSettings",
    "fluctuation": "neurodrift.simulate.synapses.fluctuation:FluctuationSettings",
}
"""Name of each kind, and where the class of its settings is."""


class Result(Protocol):
    """What a simulation leaves."""

    @property
    def reason(self) -> str:
        """Why it ended: ``finished``, or another word."""

    def recording(self, *, subject: str | None = None) -> xr.Dataset:
        """Its recording."""

    def groups(self) -> dict[str, xr.Dataset]:
        """All that is stored of it: ``measures``, ``weights`` and whatever it has besides."""

    def table(self) -> xr.Dataset:
        """Numbers and curves for a sweep's table; ``snapshots_made`` is among them."""

    def text(self) -> str:
        """What came out, in a line or two."""


class Settings(Protocol):
    """Everything that decides what a simulation becomes.

    A frozen dataclass of plain values that refuses what is impossible when it is made
    (:func:`neurodrift.simulate.settings.schema.refuse_faults`, then :meth:`check`).
    """

    kind: ClassVar[str]
    label: str
    seed: int

    @staticmethod
    def schema() -> dict[str, Any]:
        """JSON Schema of the settings as they stand in a YAML file."""

    def check(self) -> None:
        """Raise a ValueError for what no schema refuses."""

    def outline(self) -> xr.Dataset:
        """What :meth:`Result.table` has at most: coordinates whole, values placeholders."""

    def n_bytes(self) -> int:
        """Memory of the result's groups at most, beyond what is in its table."""

    def simulate(self, *, checkpoint: str | os.PathLike[str] | None = None) -> Result:
        """Run it, on this thread; save the state to a file on the way, and go on from there."""

    def restore(self, groups: Mapping[str, xr.Dataset]) -> Result:
        """The result that left these groups."""


def register(kind: str, settings: str) -> None:
    """Make a kind of your own known, as a line in :data:`KINDS` does.

    Parameters
    ----------
    kind
        Its name, the ``kind`` of its settings.
    settings
        ``module:Class`` of its settings.

    Raises
    ------
    ValueError
        If the name is taken, or the class is not there or has another ``kind``.
    """
    if KINDS.get(kind, settings) != settings:
        raise ValueError(f"the kind {kind!r} is taken by {KINDS[kind]}: choose another name")
    found = _class(settings)
    if getattr(found, "kind", None) != kind:
        raise ValueError(f"{settings} has no kind = {kind!r}")
    KINDS[kind] = settings


def simulate(
    settings: Settings | str | os.PathLike[str],
    changes: Mapping[str, Any] | None = None,
    *,
    checkpoint: str | os.PathLike[str] | None = None,
) -> Result:
    """Train a network of any kind.

    Parameters
    ----------
    settings
        Settings, a YAML file, or a name in ``catalogs/``.
    changes
        Values by dotted key that take the place of those.
    checkpoint
        File to save the state to and to resume from: a run that was interrupted ends bit for bit
        as if it had not been.

    Returns
    -------
    Result
        With ``recording()``, ``groups()``, ``text()`` and ``reason``.

    Raises
    ------
    OSError
        If there is no such file or name.
    ValueError
        If the settings are impossible, or the checkpoint belongs to another run.

    Examples
    --------
    >>> from neurodrift.simulate.settings.kinds import simulate
    >>> small = {"inputs.n_positions": 30, "network.n_units": 10, "n_steps": 50, "snapshots": 3}
    >>> simulate("qin2023-ring", small).recording().sizes["session"]
    3
    """
    if isinstance(settings, str | os.PathLike):
        chosen = read_settings(settings, changes)
    elif changes:
        values = _changed(settings_values(settings), changes, Source("the settings"))
        chosen = settings_from_values(values)
    else:
        chosen = settings
    if not hasattr(chosen, "simulate"):
        raise TypeError(
            f"settings is of type {type(chosen).__name__}, expected settings, the name of some, or "
            "settings_from_values({...})"
        )
    return chosen.simulate(checkpoint=checkpoint)


def read_settings(name: str | os.PathLike[str], changes: Mapping[str, Any] | None = None) -> Any:
    """Settings of one run, of any kind, from a YAML file or the published ones of a name.

    Parameters
    ----------
    name
        YAML file, or a name in ``catalogs/`` such as ``ratzon2024-track``. A section ``sweep`` is
        left out.
    changes
        Values by dotted key that take the place of the file's.

    Returns
    -------
    Settings
        Complete settings.

    Raises
    ------
    OSError
        If there is no such file or name.
    ValueError
        If the file cannot be used; the faults are named with their lines.

    Examples
    --------
    >>> from neurodrift.simulate.settings.kinds import read_settings
    >>> read_settings("ratzon2024-track", {"seed": 3}).network["n_hidden"]
    500
    >>> read_settings("qin2023-ring").kind
    'hebbian'
    """
    values, source = read_config(name, changes)
    values.pop("sweep", None)
    return settings_from_values(values, source)


def settings_from_values(
    values: Mapping[str, Any], source: Source | None = None, place: Place = ()
) -> Any:
    """Check plain values and fill in the defaults.

    Parameters
    ----------
    values
        As in a YAML file.
    source, place
        Where they stand, for errors.

    Returns
    -------
    Settings
        Complete settings of the kind that ``simulation`` names.

    Raises
    ------
    ValueError
        If a key is unknown or a value impossible; all faults are listed.

    Examples
    --------
    >>> from neurodrift.simulate.settings.kinds import settings_from_values
    >>> drawn = {"simulation": "continual", "tasks": {"name": "drawn"}, "learner": {"name": "sgd"}}
    >>> settings_from_values(drawn).n_steps
    1953
    """
    source = source or Source("the configuration")
    expect_type("values", values, Mapping, "a mapping of settings, as in a YAML file")
    kind = settings_class(values, source, place)
    try:
        return make_settings(kind, values)
    except SettingsError as error:
        faults = [((*place, *where), text) for where, text in error.faults]
        raise error_of(source, faults) from None


def make_settings(kind: Any, values: Mapping[str, Any]) -> Any:
    """Settings of a class; faults have the keys of the values, whatever they come from.

    Parameters
    ----------
    kind
        A class of settings.
    values
        As in a YAML file.

    Returns
    -------
    Settings
        Complete settings.

    Raises
    ------
    SettingsError
        If a key is unknown or a value impossible.
    """
    given = {n: v for n, v in values.items() if n not in ("description", "simulation")}
    required = kind.schema().get("required", ())
    if any(name not in given for name in required if name != "simulation") or not (
        set(given) <= {field.name for field in dataclasses.fields(kind)}
    ):
        raise SettingsError(schema_faults({"simulation": kind.kind} | dict(values), kind.schema()))
    try:
        return kind(**given)
    except SettingsError:
        raise
    except ValueError as error:  # of a check that knows no keys
        raise SettingsError([((), str(error))]) from error


def settings_class(
    values: Mapping[str, Any], source: Source | None = None, place: Place = ()
) -> Any:
    """Class of the settings that plain values are of.

    Parameters
    ----------
    values
        As in a YAML file.
    source, place
        Where they stand, for errors.

    Returns
    -------
    type
        The class.

    Raises
    ------
    ValueError
        If ``simulation`` names no known kind.
    """
    kind = values.get("simulation", GRADIENT)
    if kind not in KINDS:
        text = f"is {kind!r}, expected one of {', '.join(KINDS)}"
        source = source or Source("the configuration")
        raise source.error([((*place, "simulation"), text)])
    return _class(KINDS[kind])


def _class(settings: str) -> Any:
    module, found, name = settings.partition(":")
    if not found:
        raise ValueError(f"{settings!r} is not module:Class")
    return getattr(importlib.import_module(module), name)


def settings_values(settings: Any) -> dict[str, Any]:
    """Settings as plain values, as in a YAML file.

    Parameters
    ----------
    settings
        Of any kind.

    Returns
    -------
    dict
        With ``simulation``.
    """
    return {"simulation": settings.kind} | dataclasses.asdict(settings)


def settings_text(settings: Any) -> str:
    """Settings as JSON, as they are stored with a run.

    Parameters
    ----------
    settings
        Of any kind.

    Returns
    -------
    str
        With ``simulation`` and the version of the package, but for the kind that is meant without.
    """
    values = settings_values(settings)
    if values["simulation"] == GRADIENT:
        return json.dumps(dataclasses.asdict(settings))
    made_by = {"simulation": settings.kind, "neurodrift_version": __version__}
    return json.dumps(made_by | values)


def settings_from_text(text: str, changes: Mapping[str, Any] | None = None) -> Any:
    """Settings that were stored with a run.

    Parameters
    ----------
    text
        From :func:`settings_text`.
    changes
        Values by dotted key that take the place of the stored ones.

    Returns
    -------
    Settings
        As they were.
    """
    values = json.loads(text)
    values.pop("neurodrift_version", None)
    source = Source("the stored settings")
    return settings_from_values(_changed(values, changes or {}, source), source)


def parameters(settings: Any) -> dict[str, Any]:
    """Every value of some settings by its dotted key, such as ``rule.update_noise``.

    Parameters
    ----------
    settings
        Of any kind.

    Returns
    -------
    dict
        Values by key.

    Examples
    --------
    >>> from neurodrift.simulate.settings.kinds import parameters, read_settings
    >>> parameters(read_settings("qin2023-ring"))["network.n_units"]
    200
    """
    return _flat(dataclasses.asdict(settings))


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            found |= {f"{key}.{inner}": one for inner, one in _flat(value).items()}
        else:
            found[key] = value
    return found


def write_schemas(folder: str | os.PathLike[str]) -> list[Path]:
    """Write the JSON Schemas of every kind's settings, and of its sweeps.

    Parameters
    ----------
    folder
        Where the files go.

    Returns
    -------
    list of pathlib.Path
        The files.
    """
    from neurodrift.simulate.settings.sweep import sweep_schema

    paths = []
    for kind, where in KINDS.items():
        found = _class(where)
        paths.append(write_schema_file(found.schema(), folder, kind))
        paths.append(write_schema_file(sweep_schema(found), folder, f"{kind}-sweep"))
    return paths


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
    return _changed(values, changes or {}, source), source


def _changed(values: dict[str, Any], changes: Mapping[str, Any], source: Source) -> dict[str, Any]:
    for key, value in changes.items():
        *outer, last = key.split(".")
        section = values
        for step in outer:
            section = section.setdefault(step, {})
            if not isinstance(section, dict):
                raise source.error([(tuple(outer), f"has no keys, so {key} cannot be set")])
        section[last] = value
    return values


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


if __name__ == "__main__":
    for written in write_schemas(sys.argv[1]):
        print(written)
