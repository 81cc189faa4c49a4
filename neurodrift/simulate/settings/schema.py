"""JSON Schema of the settings of one run, made from the options that the code has."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args, get_origin

from neurodrift.simulate.curvature.measures import CountRule
from neurodrift.simulate.gradient.engine import DEVICES, Divergence, Engine, Precision, Spacing
from neurodrift.simulate.gradient.networks import ACTIVATIONS, Regime
from neurodrift.simulate.gradient.rules import Rule
from neurodrift.simulate.gradient.tasks import TASKS

SECTIONS = ("task", "network", "rule")
SCHEMA = "https://json-schema.org/draft/2020-12/schema"

_LEAST = {"seed": 0, "published_seed": 0, "batch_size": 1, "depth": 1}
_STEPS = {
    "description": "expected how many steps, at least 1, or a list of steps from 0",
    "oneOf": [
        {"type": "integer", "minimum": 1},
        {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1},
    ],
}


def settings_schema() -> dict[str, Any]:
    """JSON Schema of the settings of one run, made from the options of the code.

    Returns
    -------
    dict
        Draft 2020-12.

    Examples
    --------
    >>> from neurodrift.simulate.settings.schema import settings_schema
    >>> settings_schema()["properties"]["rule"]["properties"]["update_noise"]
    {'type': 'number', 'minimum': 0}
    """
    whole = {"type": "integer", "minimum": 1}
    return {
        "$schema": SCHEMA,
        "title": "neurodrift settings of a simulated run",
        "type": "object",
        "required": ["task"],
        "additionalProperties": False,
        "properties": {
            "description": {"type": "string"},
            "simulation": {"const": "gradient"},
            "label": {"type": "string"},
            "seed": {"type": "integer", "minimum": 0},
            "task": named_schema({name: task_options(name) for name in TASKS}),
            "network": section_schema(network_options()),
            "rule": section_schema(rule_options()),
            "n_steps": whole,
            "measures": _STEPS,
            "snapshots": _STEPS,
            "spacing": {"enum": [*get_args(Spacing), "published"]},
            "n_early": {"type": "integer", "minimum": 0},
            "engine": {"enum": list(get_args(Engine))},
            "device": {
                "type": "string",
                "pattern": f"^({DEVICES})$",
                "description": "expected cpu, cuda, or cuda:0, cuda:1, ...",
            },
            "dtype": {"enum": list(get_args(Precision))},
            "divergence": {"enum": list(get_args(Divergence))},
            "hessian": {"enum": [None, *get_args(CountRule)]},
            "weights": {"type": "boolean"},
        },
    }


def options_of(maker: Callable[..., Any]) -> dict[str, tuple[Any, Any]]:
    """Type and default of every option of a function, or of a class of options."""
    hints = typing.get_type_hints(maker)
    found = inspect.signature(maker).parameters
    return {name: (hints[name], one.default) for name, one in found.items()}


def task_options(name: str) -> dict[str, tuple[Any, Any]]:
    """Type and default of every option of a task."""
    return options_of(TASKS[name])


def rule_options() -> dict[str, tuple[Any, Any]]:
    """Type and default of every option of a learning rule."""
    return options_of(Rule)


def network_options() -> dict[str, tuple[Any, Any]]:
    """Type and default of every option of a built-in network."""
    names = Literal[ACTIVATIONS]  # type: ignore[valid-type]
    return {
        "n_hidden": (int, 100),
        "regime": (Regime, "rich"),
        "activation": (names, "relu"),
        "depth": (int, 1),
        "hidden_layer": (str | None, None),
    }


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


def make_integers(given: dict[str, Any], *names: str) -> None:
    """Turn whole numbers such as 1e5, and lists of them, into integers, where they are given."""
    for name in names:
        wanted = given.get(name)
        if isinstance(wanted, list):
            given[name] = [int(k) for k in wanted]
        elif wanted is not None:
            given[name] = int(wanted)
