"""Configuration of a sweep: the settings of a run, with ranges, and the runs that follow."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from neurodrift.schema.yaml import Source
from neurodrift.simulate.gradient.settings import (
    RunSettings,
    check_builds,
    complete_settings,
)
from neurodrift.simulate.settings.kinds import read_config
from neurodrift.simulate.settings.ranges import expand_ranges, sweep_section
from neurodrift.simulate.settings.schema import SECTIONS, settings_schema


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
    >>> from neurodrift.simulate.settings.sweep_config import sweep_schema
    >>> sorted(sweep_schema()["properties"]["sweep"]["properties"])
    ['draw', 'n_runs', 'ranges', 'runs_per_task', 'seed']
    """
    schema = settings_schema()
    schema["title"] = "neurodrift sweep of simulated runs"
    schema["required"] = ["task", "sweep"]
    keys = "|".join(SECTIONS)
    schema["properties"]["sweep"] = sweep_section(rf"^(label|seed|({keys})(\.\w+)?)$")
    return schema


def read_sweep(
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
    >>> from neurodrift.simulate.settings.sweep_config import read_sweep
    >>> len(read_sweep("ratzon2024-noise").runs)
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
    >>> from neurodrift.simulate.settings.sweep_config import sweep_from_values
    >>> noise = {"key": "rule.update_noise", "log": [0.01, 1], "n": 3}
    >>> values = {"task": {"name": "random"}, "sweep": {"ranges": [noise]}}
    >>> [run.rule["update_noise"] for run in sweep_from_values(values).runs]
    [0.01, 0.1, 1.0]
    """
    source = source or Source("the configuration")
    drawn = expand_ranges(values, sweep_schema(), settings_schema(), source)
    sweep = values["sweep"]
    runs = tuple(complete_settings(one) for one in drawn)
    _check_builds(runs, source)
    return SweepConfig(
        runs=runs, runs_per_task=int(sweep.get("runs_per_task", 1)), varied=_varied(runs, sweep)
    )


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
