"""Ranges over settings: the section ``sweep`` of a configuration, and the runs that follow."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from neurodrift.schema.yaml import Place, Source, schema_faults
from neurodrift.seeds import generator
from neurodrift.simulate.settings.schema import SettingsError, error_of

_KINDS = ("values", "linear", "log", "integers")
_MOST_RUNS = 1_000_000


def sweep_section(run_schema: Mapping[str, Any]) -> dict[str, Any]:
    """JSON Schema of the section ``sweep``: every key of a run may vary, and every whole section.

    Parameters
    ----------
    run_schema
        JSON Schema of the settings of one run.

    Returns
    -------
    dict
        Draft 2020-12.
    """
    kept = ("description", "simulation")
    properties = {n: one for n, one in run_schema["properties"].items() if n not in kept}
    sections = [name for name, one in properties.items() if one.get("type") == "object"]
    options = [rf"{name}\.\w+" for name in sections]
    key = {
        "type": "string",
        "pattern": f"^({'|'.join([*properties, *options])})$",
        "description": f"expected {', '.join(properties)}"
        + (f", or an option such as {sections[-1]}.NAME" if sections else ""),
    }
    ends = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
    whole = {"type": "integer", "minimum": 1}
    one_range: dict[str, Any] = {
        "type": "object",
        "required": ["key"],
        "additionalProperties": False,
        "properties": {
            "key": key,
            "values": {"type": "array", "minItems": 1},
            "linear": ends,
            "log": {**ends, "items": {"type": "number", "exclusiveMinimum": 0}},
            "integers": {**ends, "items": {"type": "integer"}},
            "n": whole,
            "when": {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": {"type": ["string", "number", "boolean", "array"]},
            },
        },
        "oneOf": [{"required": [kind]} for kind in _KINDS],
        "description": f"the range is missing: give exactly one of {', '.join(_KINDS)}",
    }
    return {
        "type": "object",
        "required": ["ranges"],
        "additionalProperties": False,
        "properties": {
            "draw": {"enum": ["grid", "random"]},
            "n_runs": whole,
            "seed": {"type": "integer", "minimum": 0},
            "runs_per_task": whole,
            "ranges": {"type": "array", "items": one_range, "minItems": 1},
        },
    }


def expand_ranges(
    values: Mapping[str, Any],
    sweep_schema: Mapping[str, Any],
    make: Callable[[dict[str, Any]], Any],
    source: Source,
) -> list[Any]:
    """Settings of every run of a sweep.

    Parameters
    ----------
    values
        As in a YAML file, with a section ``sweep``.
    sweep_schema
        JSON Schema of the whole.
    make
        Gives the settings of plain values, or raises :class:`SettingsError`.
    source
        Where they stand, for errors.

    Returns
    -------
    list
        In order.

    Raises
    ------
    ValueError
        If a key is unknown, a range missing, or a value impossible in any run.
    """
    faults = schema_faults(values, sweep_schema) or _range_faults(values)
    if faults:
        raise source.error(faults)
    base = {name: value for name, value in values.items() if name != "sweep"}
    sweep = values["sweep"]
    drawn = _random(base, sweep) if sweep.get("draw") == "random" else _grid(base, sweep)
    return _made(drawn, sweep["ranges"], make, source)


def _range_faults(values: Mapping[str, Any]) -> list[tuple[Place, str]]:
    """What no JSON Schema says."""
    sweep = values["sweep"]
    faults: list[tuple[Place, str]] = []
    random = sweep.get("draw") == "random"
    if random and "n_runs" not in sweep:
        faults.append((("sweep",), "draw is random: n_runs, the number of runs, is missing"))
    if not random and "n_runs" in sweep:
        faults.append(
            (("sweep", "n_runs"), "a grid has as many runs as combinations: draw: random?")
        )
    n_runs = int(sweep.get("n_runs", 1))
    for i, one in enumerate(sweep["ranges"]):
        place: Place = ("sweep", "ranges", i)
        kind = next(k for k in _KINDS if k in one)
        if kind == "values":
            if "n" in one:
                faults.append(((*place, "n"), "values are listed: leave n out"))
        elif one[kind][0] > one[kind][1]:
            faults.append(((*place, kind), f"{one[kind]} is not [low, high]"))
        elif kind == "integers" and "n" in one:
            faults.append(((*place, "n"), "integers have a step of 1: leave n out, or list values"))
        elif kind != "integers" and "n" not in one and not random:
            faults.append((place, "n, the number of values in the grid, is missing"))
        if not random and kind != "values":
            n_runs *= int(one.get("n", one[kind][1] - one[kind][0] + 1))
        elif not random:
            n_runs *= len(one["values"])
    if n_runs > _MOST_RUNS and not faults:
        faults.append((("sweep",), f"up to {n_runs} runs, expected at most {_MOST_RUNS}"))
    return faults


def _grid(base: dict[str, Any], sweep: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    def spread(settings: dict[str, Any], ranges: list[Any]) -> Iterator[dict[str, Any]]:
        if not ranges:
            yield settings
            return
        first, *rest = ranges
        if not _holds(first, settings):
            yield from spread(settings, rest)
            return
        for value in _listed(first):
            yield from spread(_with(settings, first["key"], value), rest)

    yield from spread(base, sweep["ranges"])


def _random(base: dict[str, Any], sweep: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for number in range(int(sweep["n_runs"])):
        settings = base
        for i, one in enumerate(sweep["ranges"]):
            # a stream of its own for each range: adding one does not move the others
            rng = generator(int(sweep.get("seed", 0)), "sweep", number, i)
            if _holds(one, settings):
                settings = _with(settings, one["key"], _drawn(one, rng))
        yield settings


def _listed(one: Mapping[str, Any]) -> list[Any]:
    if "values" in one:
        return list(one["values"])
    if "integers" in one:
        low, high = one["integers"]
        return list(range(int(low), int(high) + 1))
    return _spaced(one)


def _spaced(one: Mapping[str, Any]) -> list[float]:
    low, high = one["log"] if "log" in one else one["linear"]
    n = int(one["n"])
    space = np.geomspace if "log" in one else np.linspace
    return [float(value) for value in space(low, high, n)]


def _drawn(one: Mapping[str, Any], rng: np.random.Generator) -> Any:
    if "integers" in one:
        low, high = one["integers"]
        return int(rng.integers(int(low), int(high), endpoint=True))
    if "values" in one or "n" in one:
        listed = _listed(one)
        return listed[int(rng.integers(len(listed)))]
    if "log" in one:
        low, high = np.log(one["log"])
        return float(np.exp(rng.uniform(low, high)))
    return float(rng.uniform(*one["linear"]))


def _holds(one: Mapping[str, Any], settings: Mapping[str, Any]) -> bool:
    for key, wanted in one.get("when", {}).items():
        found: Any = settings
        for step in key.split("."):
            found = found.get(step) if isinstance(found, Mapping) else None
        if found not in (wanted if isinstance(wanted, list) else [wanted]):
            return False
    return True


def _with(settings: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    section, _, option = key.partition(".")
    if not option:
        return settings | {section: copy.deepcopy(value)}
    return settings | {section: settings.get(section, {}) | {option: value}}


def _made(
    drawn: Iterable[dict[str, Any]],
    ranges: list[Any],
    make: Callable[[dict[str, Any]], Any],
    source: Source,
) -> list[Any]:
    """Settings of every run; a fault is put down to the range that made it."""
    places: dict[str, Place] = {"": ()}
    for i, one in enumerate(ranges):
        places.setdefault(one["key"], ("sweep", "ranges", i))
    found: dict[tuple[Place, str], str] = {}
    runs = []
    for number, values in enumerate(drawn):
        try:
            runs.append(make(values))
        except SettingsError as error:
            for place, message in error.faults:
                keys = [".".join(map(str, place[:n])) for n in (2, 1)]
                made_by = next((places[key] for key in keys if key in places), None)
                where = place if made_by is None else made_by
                key = ".".join(map(str, place)) + ": " if made_by else ""
                words = f"(first in run {number}{_names(values)})"
                found.setdefault((where, key + message), words)
    if found:
        raise error_of(source, [(at, f"{text} {words}") for (at, text), words in found.items()])
    return runs


def _names(values: Mapping[str, Any]) -> str:
    """Names of a run's task, rule and so on, to tell what does not go together."""
    named = {n: v["name"] for n, v in values.items() if isinstance(v, Mapping) and "name" in v}
    return "".join(f", {section} {name}" for section, name in named.items())
