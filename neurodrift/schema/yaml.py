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

# YAML 1.1, which PyYAML reads, takes 1e6 for text, 010 for 8, 12:30 for 750 and 1_2 for 12
_FLOAT = re.compile(r"^[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$")
_INTEGER = re.compile(r"^[-+]?[0-9]+$")
_COUNT = re.compile(r"^-?(?:0|[1-9][0-9]*)$")
_SPECIAL = re.compile(r"^(?:[-+]?\.(?:inf|nan)|0x[0-9a-f]+)$", re.IGNORECASE)
_NULL = ("", "~", "null")

MAX_CHARACTERS = 4 * 2**20
MAX_VALUES = 500_000
MAX_DEPTH = 100
MAX_DIGITS = 1000
"""Of a configuration: text, values once aliases are written out, levels; digits of a number."""


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


def parse_yaml(
    text: str, name: str, schema: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], Source]:
    """Read a configuration.

    Numbers are those of YAML 1.2: ``010`` is ten, ``12:30`` and ``1_2`` are texts.

    Parameters
    ----------
    text
        YAML.
    name
        Where it comes from.
    schema
        JSON Schema of the configuration. What it wants as a text keeps the characters that were
        written: a label ``010``, ``1e3`` or ``2024-05-03`` is no number and no date.

    Returns
    -------
    values : dict
        Plain values.
    source : Source
        Their lines.

    Raises
    ------
    ValueError
        If it is no YAML, a key stands twice, or it is longer, larger (once its aliases are
        written out) or nested more deeply than any configuration.

    Examples
    --------
    >>> parse_yaml("{id: 010, n: 1e3}", "example")[0]
    {'id': 10, 'n': 1000}
    >>> text = {"type": "string"}
    >>> parse_yaml("{id: 010, n: 1e3}", "example", {"properties": {"id": text}})[0]
    {'id': '010', 'n': 1000}
    """
    import yaml

    if len(text) > MAX_CHARACTERS:
        raise ValueError(
            f"{name} has {len(text):,} characters, at most {MAX_CHARACTERS:,} are read: is it a "
            "configuration?"
        )
    lines: dict[Place, int] = {}
    try:
        loader = yaml.SafeLoader(text)
        try:
            root = loader.get_single_node()
            _refuse_large(root, name)
            reader = _Reader(loader, lines, name)
            values = {} if root is None else reader.value(root, (), schema or {})
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f"line {mark.line + 1}: " if mark is not None else ""
        raise ValueError(f"{name} is no YAML: {line}{error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise ValueError(f"{name} is no YAML: {error}") from error
    except RecursionError:
        raise ValueError(f"{name} is nested in more than {MAX_DEPTH} levels") from None
    if not isinstance(values, dict):
        raise ValueError(f"{name} is no configuration: expected keys with values")
    return values, Source(name, lines)


def _refuse_large(root: Any, name: str) -> None:
    """Refuse what is larger once its aliases are written out than any configuration."""
    sizes: dict[int, int | None] = {}

    def size(node: Any, depth: int) -> int:
        if depth > MAX_DEPTH:
            raise ValueError(f"{name} is nested in more than {MAX_DEPTH} levels")
        if id(node) not in sizes:
            sizes[id(node)] = None
            inner = node.value if isinstance(node.value, list) else []
            pairs = (item if isinstance(item, tuple) else (item,) for item in inner)
            sizes[id(node)] = 1 + sum(size(one, depth + 1) for pair in pairs for one in pair)
        found = sizes[id(node)]
        if found is None:
            raise ValueError(f"{name} has an alias (*) that holds itself")
        if found > MAX_VALUES:
            raise ValueError(
                f"{name} has more than {MAX_VALUES:,} values once its aliases (*) are written out"
            )
        return found

    if root is not None:
        size(root, 0)


@dataclass(frozen=True)
class _Reader:
    """Plain values of nodes, as far as a schema says of which type they are."""

    loader: Any
    lines: dict[Place, int]
    name: str

    def value(self, node: Any, place: Place, schema: Mapping[str, Any]) -> Any:
        """The value of a node."""
        import yaml

        self.lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, yaml.ScalarNode) and len(node.value) > MAX_DIGITS:
            digits = node.value.lower().removeprefix("0x")
            if node.style is None and digits.strip("0123456789abcdef") == "":
                raise ValueError(
                    f"{self.name}: line {node.start_mark.line + 1}: {dotted(place)} is a number of "
                    f"{len(digits):,} digits"
                )
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, place, schema)
        if isinstance(node, yaml.SequenceNode):
            inner = _within(schema, "items")
            return [self.value(n, (*place, i), inner) for i, n in enumerate(node.value)]
        if node.style is not None or node.value in _NULL:
            return self.loader.construct_object(node, deep=True)
        wanted = _types(schema)
        if "string" in wanted:
            counts = "integer" in wanted and _COUNT.match(node.value)
            return int(node.value) if counts else node.value
        if _INTEGER.match(node.value):
            return int(node.value)
        if _FLOAT.match(node.value):
            number = float(node.value)
            # steps are written 1e6
            is_steps = node.tag.endswith(":str") and number.is_integer() and abs(number) < 2**53
            return int(number) if is_steps else number
        if node.tag.endswith((":int", ":float")) and not _SPECIAL.match(node.value):
            return node.value  # 12:30 and 1_2
        return self.loader.construct_object(node, deep=True)

    def mapping(self, node: Any, place: Place, schema: Mapping[str, Any]) -> dict[str, Any]:
        """The values of a node by their keys."""
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            inner = (*place, key)
            if key in found:
                raise Source(self.name, {inner: line}).error(
                    [(inner, f"stands twice, first on line {self.lines[inner]}")]
                )
            self.lines[inner] = line
            found[key] = self.value(value_node, inner, _within(schema, "properties", key))
        return found


def _within(schema: Mapping[str, Any], *steps: str) -> Mapping[str, Any]:
    """The schema of what lies within, an empty one where there is none."""
    for one in [schema, *schema.get("oneOf", [])]:
        found = one
        for step in steps:
            found = found.get(step, {})
        if found:
            return found
    return {}


def _types(schema: Mapping[str, Any]) -> set[str]:
    """Types that a schema allows."""
    told = schema.get("type", [])
    found = {told} if isinstance(told, str) else set(told)
    return found.union(*(_types(one) for one in schema.get("oneOf", [])))


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
