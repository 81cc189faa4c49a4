"""Settings from the options that the code has: their JSON Schema, their defaults, their faults."""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

import numpy as np

from neurodrift.schema.yaml import Place, Source, schema_faults

SCHEMA = "https://json-schema.org/draft/2020-12/schema"

_LEAST = {"seed": 0, "published_seed": 0, "batch_size": 1, "depth": 1}
STEPS_SCHEMA = {
    "description": "expected how many steps, at least 1, or a list of steps from 0",
    "oneOf": [
        {"type": "integer", "minimum": 1},
        {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1},
    ],
}


class SettingsError(ValueError):
    """Impossible settings, each fault with the key at which it stands.

    Parameters
    ----------
    faults
        Keys that lead to a value, and what is wrong there.
    """

    def __init__(self, faults: Sequence[tuple[Place, str]]) -> None:
        super().__init__(str(error_of(Source("the settings"), faults)))
        self.faults = list(faults)

    def __reduce__(self) -> tuple[Any, ...]:
        return (SettingsError, (self.faults,))


def error_of(source: Source, faults: Sequence[tuple[Place, str]]) -> ValueError:
    """One error with all faults; one of the settings as a whole stands on no line.

    Parameters
    ----------
    source
        Where the settings stand.
    faults
        Keys and texts.

    Returns
    -------
    ValueError
        To be raised.
    """
    if len(faults) == 1 and not faults[0][0]:
        return ValueError(f"{source.name} cannot be used: {faults[0][1]}")
    return source.error(faults)


def refuse_faults(settings: Any) -> None:
    """Raise one error with everything that the JSON Schema of some settings refuses.

    Parameters
    ----------
    settings
        A dataclass with a ``schema``; tuples and NumPy numbers become plain values.

    Raises
    ------
    SettingsError
        If there is a fault.
    """
    for field in dataclasses.fields(settings):
        object.__setattr__(settings, field.name, _plain(getattr(settings, field.name)))
    values = {field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)}
    faults = schema_faults({"simulation": settings.kind} | values, settings.schema())
    if faults:
        raise SettingsError(faults)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def options_of(maker: Callable[..., Any]) -> dict[str, tuple[Any, Any]]:
    """Type and default of every option of a function, or of a class of options."""
    hints = typing.get_type_hints(maker)
    found = inspect.signature(maker).parameters
    return {name: (hints[name], one.default) for name, one in found.items()}


def named_schema(sections: Mapping[str, Mapping[str, tuple[Any, Any]]]) -> dict[str, Any]:
    """JSON Schema of a section whose key ``name`` says which other keys it has.

    Parameters
    ----------
    sections
        Options of each name.

    Returns
    -------
    dict
        Draft 2020-12.
    """
    cases = []
    for name, options in sections.items():
        section = section_schema(options)
        section["properties"] |= {"name": {"const": name}}
        cases.append({"if": {"properties": {"name": {"const": name}}}, "then": section})
    return {
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"enum": list(sections)}},
        "allOf": [_only_if_named(case) for case in cases],
    }


def _only_if_named(case: dict[str, Any]) -> dict[str, Any]:
    case["if"]["required"] = ["name"]  # else every case holds where the name is missing
    return case


def section_schema(options: Mapping[str, tuple[Any, Any]]) -> dict[str, Any]:
    """JSON Schema of a section with these options, type and default by name."""
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: _option_schema(name, hint) for name, (hint, _) in options.items()},
    }


def _option_schema(name: str, hint: Any) -> dict[str, Any]:
    if get_origin(hint) is Literal:
        return {"enum": list(get_args(hint))}
    if get_origin(hint) is tuple:
        return {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
    kinds = get_args(hint) if get_origin(hint) in (types.UnionType, typing.Union) else (hint,)
    words = {int: "integer", float: "number", bool: "boolean", str: "string", type(None): "null"}
    made: dict[str, Any] = {"type": [words[k] for k in kinds]}
    if len(kinds) == 1:
        made["type"] = words[kinds[0]]
    least = 1 if name.startswith("n_") else _LEAST.get(name)
    if name in ("learning_rate", "epsilon", "perturbation", "decay") or name.endswith("_noise"):
        least = 0
    return made if least is None else made | {"minimum": least}


def complete(options: Mapping[str, tuple[Any, Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    """Every option in its own type, so that 1 and 1.0 are the same settings."""
    found = {}
    for option, (hint, default) in options.items():
        value = given.get(option, default)
        if isinstance(value, int | float) and not isinstance(value, bool):
            kinds = (hint, *get_args(hint))
            value = int(value) if int in kinds else float(value)
        found[option] = [float(v) for v in value] if isinstance(value, list | tuple) else value
    return found


def make_integers(settings: Any, *names: str) -> None:
    """Turn whole numbers such as 1e5, and lists of them, into integers."""
    for name in names:
        wanted = getattr(settings, name)
        if isinstance(wanted, list):
            object.__setattr__(settings, name, [int(k) for k in wanted])
        elif wanted is not None:
            object.__setattr__(settings, name, int(wanted))
