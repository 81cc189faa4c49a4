"""Where configurations come from: a YAML file, a published name, changes on the command line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neurodrift._yaml_config import Source, catalog_folder, parse_yaml


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
    >>> from neurodrift.simulate._config_files import parse_change
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
