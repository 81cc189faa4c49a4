"""Configuration of a sweep: the settings of a run, with ranges, and the runs that follow.

``python -m neurodrift.simulate.sweep_config schemas/config`` writes the JSON Schemas of both; a
test finds them in step.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neurodrift._yaml_config import Place, Source, schema_faults
from neurodrift.seeds import generator
from neurodrift.simulate._config_files import read_config
from neurodrift.simulate._settings_schema import SECTIONS, settings_schema
from neurodrift.simulate.settings import (
    RunSettings,
    check_builds,
    complete_settings,
)

_KINDS = ("values", "linear", "log", "integers")
_MOST_RUNS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class SweepConfig:
    """The runs of a sweep.

    Parameters
    ----------
    runs
        Complete settings of each run; they differ in label, seed, task, network and rule only.
    runs_per_task
        Runs that one worker makes and stores together.
    varied
        Dotted keys of the stored parameters: those of the ranges and those in which runs differ.
    """

    runs: tuple[RunSettings, ...]
    runs_per_task: int
    varied: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """Digest of everything that decides what the sweep becomes."""
        parts = [[asdict(run) for run in self.runs], self.runs_per_task]
        return hashlib.blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()


def sweep_schema() -> dict[str, Any]:
    """JSON Schema of a sweep: the settings of a run and a section ``sweep``.

    Returns
    -------
    dict
        Draft 2020-12.

    Examples
    --------
    >>> from neurodrift.simulate.sweep_config import sweep_schema
    >>> sorted(sweep_schema()["properties"]["sweep"]["properties"])
    ['draw', 'n_runs', 'ranges', 'runs_per_task', 'seed']
    """
    ends = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
    whole = {"type": "integer", "minimum": 1}
    keys = "|".join(SECTIONS)
    one_range: dict[str, Any] = {
        "type": "object",
        "required": ["key"],
        "additionalProperties": False,
        "properties": {
            "key": {"type": "string", "pattern": rf"^(label|seed|({keys})(\.\w+)?)$"},
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
    schema = settings_schema()
    schema["title"] = "neurodrift sweep of simulated runs"
    schema["required"] = ["task", "sweep"]
    schema["properties"]["sweep"] = {
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
    return schema


def load_sweep(
    name: str | os.PathLike[str], changes: Mapping[str, Any] | None = None
) -> SweepConfig:
    """Runs of a sweep from a YAML file, or of a published one.

    Parameters
    ----------
    name
        YAML file, or a name in ``catalogs/`` such as ``ratzon2024-noise``.
    changes
        Values by dotted key that take the place of the file's, such as ``n_steps``.

    Returns
    -------
    SweepConfig
        The runs.

    Raises
    ------
    OSError
        If there is no such file or name.
    ValueError
        If the file cannot be used; the faults are named with their keys and lines.

    Examples
    --------
    >>> from neurodrift.simulate.sweep_config import load_sweep
    >>> len(load_sweep("ratzon2024-noise").runs)
    150
    """
    values, source = read_config(name, changes)
    return sweep_from_values(values, source)


def sweep_from_values(values: Mapping[str, Any], source: Source | None = None) -> SweepConfig:
    """Check plain values and work out every run.

    Parameters
    ----------
    values
        As in a YAML file.
    source
        Where they stand, for errors.

    Returns
    -------
    SweepConfig
        The runs.

    Raises
    ------
    ValueError
        If a key is unknown, a range missing, or a value impossible in any run.

    Notes
    -----
    Ranges apply in their order. A grid has every combination, the last range fastest. In a random
    draw run i depends on the sweep's seed and on i alone, so that the first runs of a longer sweep
    are those of a shorter one. A range with ``when`` is left out where its conditions do not hold.
    A range over a whole section (``task``) takes its place.

    Examples
    --------
    >>> from neurodrift.simulate.sweep_config import sweep_from_values
    >>> noise = {"key": "rule.update_noise", "log": [0.01, 1], "n": 3}
    >>> values = {"task": {"name": "random"}, "sweep": {"ranges": [noise]}}
    >>> [run.rule["update_noise"] for run in sweep_from_values(values).runs]
    [0.01, 0.1, 1.0]
    """
    source = source or Source("the configuration")
    faults = schema_faults(values, sweep_schema()) or _range_faults(values)
    if faults:
        raise source.error(faults)
    base = {name: value for name, value in values.items() if name != "sweep"}
    sweep = values["sweep"]
    drawn = list(_random(base, sweep) if sweep.get("draw") == "random" else _grid(base, sweep))
    _check_runs(drawn, sweep["ranges"], source)
    runs = tuple(complete_settings(one) for one in drawn)
    _check_builds(runs, source)
    return SweepConfig(
        runs=runs, runs_per_task=int(sweep.get("runs_per_task", 1)), varied=_varied(runs, sweep)
    )


def write_config_schemas(folder: str | os.PathLike[str]) -> list[Path]:
    """Write the JSON Schemas of a run's settings and of a sweep.

    Parameters
    ----------
    folder
        Where the files go.

    Returns
    -------
    list of pathlib.Path
        The files.
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    paths = []
    for name, schema in {"settings": settings_schema(), "sweep": sweep_schema()}.items():
        path = Path(folder) / f"{name}.schema.json"
        path.write_text(json.dumps(schema, indent=2) + "\n", encoding="utf-8")
        paths.append(path)
    return paths


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


def _check_runs(drawn: list[dict[str, Any]], ranges: list[Any], source: Source) -> None:
    """Every run by the schema of one run; a fault is put down to the range that made it."""
    schema = settings_schema()
    places: dict[str, Place] = {"": ()}
    for i, one in enumerate(ranges):
        places.setdefault(one["key"], ("sweep", "ranges", i))
    seen: set[str] = set()
    found: list[tuple[Place, str]] = []
    for number, settings in enumerate(drawn):
        text = json.dumps({n: settings.get(n) for n in (*SECTIONS, "seed", "label")})
        if text in seen:
            continue
        seen.add(text)
        for place, message in schema_faults(settings, schema):
            keys = [".".join(map(str, place[:n])) for n in (2, 1)]
            made_by = next((places[key] for key in keys if key in places), None)
            where = place if made_by is None else made_by
            key = "" if made_by is None else ".".join(map(str, place)) + ": "
            if all(key + message not in other for _, other in found):
                found.append((where, f"{key}{message} (first in run {number})"))
    if found:
        raise source.error(found)


def _check_builds(runs: tuple[RunSettings, ...], source: Source) -> None:
    """Make every task, network and rule once before the first run is trained."""
    seen: set[str] = set()
    for number, run in enumerate(runs):
        text = json.dumps([run.task, run.network, run.rule])
        if text not in seen:
            seen.add(text)
            named = {"task": run.task["name"], "rule": run.rule["name"]}
            words = ", ".join(f"{k} {v}" for k, v in named.items())
            check_builds(run, source, f"run {number} ({words}): ")


def _varied(runs: tuple[RunSettings, ...], sweep: Mapping[str, Any]) -> tuple[str, ...]:
    tables = [run.parameters() for run in runs]
    keys = list(dict.fromkeys(key for table in tables for key in table))
    named = {one["key"] for one in sweep["ranges"]} | {"label", "seed", "task.name", "rule.name"}
    return tuple(
        key
        for key in keys
        if key in named or len({json.dumps(table[key]) for table in tables if key in table}) > 1
    )


if __name__ == "__main__":
    for written in write_config_schemas(sys.argv[1]):
        print(written)
