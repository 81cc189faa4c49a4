"""The settings of a sweep: those of a run with ranges, and the runs that follow from them."""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from neurodrift.schema.yaml import Source
from neurodrift.simulate.settings.kinds import (
    make_settings,
    parameters,
    read_config,
    settings_class,
    settings_values,
)
from neurodrift.simulate.settings.ranges import expand_ranges, sweep_section

_MOST_BYTES = 2**28  # of the runs of one task, which are in memory together


@dataclass(frozen=True, kw_only=True)
class SweepConfig:
    """The runs of a sweep.

    Parameters
    ----------
    runs
        Complete settings of each run, of one kind or several.
    runs_per_task
        Runs that one worker makes and stores together, in one shard.
    varied
        Dotted keys of the stored parameters: those of the ranges and those in which runs differ.
    """

    runs: tuple[Any, ...]
    runs_per_task: int
    varied: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """Digest of everything that decides what the sweep becomes."""
        parts = [[settings_values(run) for run in self.runs], self.runs_per_task]
        return hashlib.blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()


def sweep_of(runs: Sequence[Any], *, runs_per_task: int | None = None) -> SweepConfig:
    """A sweep of given runs, which may be of different kinds and sizes.

    Parameters
    ----------
    runs
        Settings of each.
    runs_per_task
        Runs that one worker makes and stores together; chosen when omitted, so that large sweeps
        have two files a run or fewer.

    Returns
    -------
    SweepConfig
        The runs.

    Raises
    ------
    ValueError
        If there is none, or a value is impossible.

    Examples
    --------
    >>> from neurodrift.simulate.settings.kinds import read_settings
    >>> from neurodrift.simulate.settings.sweep import sweep_of
    >>> sweep_of([read_settings("ratzon2024-track"), read_settings("qin2023-ring")]).runs[1].kind
    'hebbian'
    """
    if not runs:
        raise ValueError("no settings: expected those of one run or more")
    for run in runs:
        run.check()
    return _config(runs, runs_per_task, set())


def sweep_schema(kind: Any) -> dict[str, Any]:
    """JSON Schema of a sweep of one kind: the settings of a run and a section ``sweep``.

    Parameters
    ----------
    kind
        Class of the settings of a run.

    Returns
    -------
    dict
        Draft 2020-12.

    Examples
    --------
    >>> from neurodrift.simulate.gradient.settings import RunSettings
    >>> from neurodrift.simulate.settings.sweep import sweep_schema
    >>> sorted(sweep_schema(RunSettings)["properties"]["sweep"]["properties"])
    ['draw', 'n_runs', 'ranges', 'runs_per_task', 'seed']
    """
    run = kind.schema()
    return run | {
        "title": f"{run['title']}, a sweep",
        "required": [*run["required"], "sweep"],
        "properties": run["properties"] | {"sweep": sweep_section(run)},
    }


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
    >>> from neurodrift.simulate.settings.sweep import read_sweep
    >>> len(read_sweep("ratzon2024-noise").runs), len(read_sweep("jensen2021").runs)
    (150, 21)
    """
    values, source = read_config(name, changes)
    return sweep_from_values(values, source)


def sweep_from_values(values: Mapping[str, Any], source: Source | None = None) -> SweepConfig:
    """Check plain values and work out every run.

    Parameters
    ----------
    values
        As in a YAML file, of any kind; every key may vary.
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
    >>> from neurodrift.simulate.settings.sweep import sweep_from_values
    >>> noise = {"key": "rule.update_noise", "log": [0.01, 1], "n": 3}
    >>> values = {"task": {"name": "random"}, "sweep": {"ranges": [noise]}}
    >>> [run.rule["update_noise"] for run in sweep_from_values(values).runs]
    [0.01, 0.1, 1.0]
    """
    source = source or Source("the configuration")
    kind = settings_class(values, source)
    make = functools.partial(make_settings, kind)
    runs = expand_ranges(values, sweep_schema(kind), make, source)
    sweep = values["sweep"]
    given = sweep.get("runs_per_task")
    named = {one["key"] for one in sweep["ranges"]}
    return _config(runs, None if given is None else int(given), named)


def _config(runs: Sequence[Any], runs_per_task: int | None, named: set[str]) -> SweepConfig:
    tables = [{"simulation": run.kind} | parameters(run) for run in runs]
    seen: dict[str, set[str]] = {}
    for table in tables:
        for key, value in table.items():
            seen.setdefault(key, set()).add(json.dumps(value))
    named = named | {"label", "seed"}
    varied = [
        key
        for key, found in seen.items()
        if key in named or key.endswith(".name") or len(found) > 1
    ]
    return SweepConfig(
        runs=tuple(runs),
        runs_per_task=runs_per_task or _runs_per_task(runs),
        varied=tuple(varied),
    )


def _runs_per_task(runs: Sequence[Any]) -> int:
    """Few for few runs, so that an interruption costs little; else two files a run or fewer."""
    n_files = 3 + len(runs[0].outline().data_vars)  # and the reason, what is packed, the done mark
    wanted = max(min(-(-n_files // 2), len(runs) // 100), len(runs) // 1000, 1)
    if wanted == 1:
        return 1
    largest = max(run.n_bytes() + run.outline().nbytes for run in runs)
    return max(1, min(wanted, _MOST_BYTES // max(largest, 1)))
