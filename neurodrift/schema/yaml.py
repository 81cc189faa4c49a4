"""Configurations in YAML: plain values with the lines they stand on, and faults that name both."""

from __future__ import annotations

import difflib
import functools
import json
import math
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Place = tuple[str | int, ...]
"""Keys and list positions that lead to a value."""

# YAML 1.1, which PyYAML reads, takes 1e6 and 1e-3 for text
_FLOAT = re.compile(r"^[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$")


@dataclass(frozen=True)
class Source:
    """Where a configuration comes from.

    Parameters
    ----------
    name
        File name, or a word for a configuration that comes from no file.
    lines
        Line of each value by its place, empty where there is no file.
    """

    name: str
    lines: Mapping[Place, int] = field(default_factory=dict)

    def line(self, place: Place) -> int | None:
        """Line of a value, or of the nearest value around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place)

    def error(self, faults: Iterable[tuple[Place, str]]) -> ValueError:
        """One error that lists all faults, each with its line and key."""
        texts = []
        for place, text in faults:
            line = self.line(place)
            where = [f"line {line}"] if line is not None else []
            where += [dotted(place)] if place else []
            texts.append(": ".join([*where, text]))
        listed = list(dict.fromkeys(texts))
        if len(listed) > 12:
            listed = [*listed[:12], f"... and {len(listed) - 12} more"]
        return ValueError("\n".join([f"{self.name} cannot be used:", *(f"- {t}" for t in listed)]))


def dotted(place: Place) -> str:
    """A place as it is written: ``sweep.ranges[2].log``."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return text.removeprefix(".")


def parse_yaml(text: str, name: str) -> tuple[dict[str, Any], Source]:
    """Read a configuration.

    Parameters
    ----------
    text
        YAML.
    name
        Where it comes from.

    Returns
    -------
    values : dict
        Plain values.
    source : Source
        Their lines.

    Raises
    ------
    ValueError
        If it is no YAML, or a key stands twice.
    """
    import yaml

    lines: dict[Place, int] = {}
    try:
        loader = yaml.SafeLoader(text)
        try:
            root = loader.get_single_node()
            values = _value(loader, root, (), lines, name) if root is not None else {}
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f"line {mark.line + 1}: " if mark is not None else ""
        raise ValueError(f"{name} is no YAML: {line}{error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise ValueError(f"{name} is no YAML: {error}") from error
    if not isinstance(values, dict):
        raise ValueError(f"{name} is no configuration: expected keys with values")
    return values, Source(name, lines)


def _value(loader: Any, node: Any, place: Place, lines: dict[Place, int], name: str) -> Any:
    import yaml

    lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            inner = (*place, key)
            if key in found:
                raise Source(name, {inner: line}).error(
                    [(inner, f"stands twice, first on line {lines[inner]}")]
                )
            lines[inner] = line
            found[key] = _value(loader, value_node, inner, lines, name)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_value(loader, n, (*place, i), lines, name) for i, n in enumerate(node.value)]
    if node.tag == "tag:yaml.org,2002:str" and node.style is None and _FLOAT.match(node.value):
        number = float(node.value)
        # steps are written 1e6
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    return loader.construct_object(node, deep=True)


def schema_faults(
    values: Any, schema: Mapping[str, Any], place: Place = ()
) -> list[tuple[Place, str]]:
    """List where values differ from a JSON Schema.

    Parameters
    ----------
    values
        Plain values.
    schema
        JSON Schema, draft 2020-12.
    place
        Where the values stand.

    Returns
    -------
    list
        Place and text of each fault.
    """
    faults: list[tuple[Place, str]] = []
    for error in _validator(json.dumps(schema)).iter_errors(values):
        here = (*place, *error.absolute_path)
        if error.validator == "additionalProperties":
            known = sorted(error.schema["properties"])
            for key in [key for key in error.instance if key not in known]:
                near = difflib.get_close_matches(key, known, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"expected {', '.join(known)}"
                faults.append(((*here, key), f"unknown key; {hint}"))
        elif error.validator == "oneOf" and "description" in error.schema:
            faults.append((here, error.schema["description"]))
        elif error.validator == "pattern" and "description" in error.schema:
            faults.append((here, f"{error.instance!r}: {error.schema['description']}"))
        else:
            faults.append((here, error.message))
    return faults + [
        ((*place, *where), f"{value} is not a finite number") for where, value in _infinite(values)
    ]


@functools.lru_cache(maxsize=8)
def _validator(schema: str) -> Any:
    import jsonschema

    return jsonschema.Draft202012Validator(json.loads(schema))


def _infinite(values: Any) -> list[tuple[Place, float]]:
    """Numbers that YAML writes .nan and .inf, which no JSON Schema refuses."""
    if isinstance(values, float):
        return [] if math.isfinite(values) else [((), values)]
    inner: Iterable[tuple[str | int, Any]] = ()
    if isinstance(values, dict):
        inner = values.items()
    elif isinstance(values, list):
        inner = enumerate(values)
    return [((key, *place), number) for key, v in inner for place, number in _infinite(v)]


def catalog_folder(folder: str | os.PathLike[str] | None = None) -> Path:
    """Where the YAML files of the catalogue lie.

    Parameters
    ----------
    folder
        A folder instead of the package's own.

    Returns
    -------
    pathlib.Path
        In the installed package, or in the checkout.
    """
    if folder is not None:
        return Path(folder)
    package = Path(__file__).parents[1]
    inside = package / "catalogs"
    return inside if inside.is_dir() else package.parent / "catalogs"
