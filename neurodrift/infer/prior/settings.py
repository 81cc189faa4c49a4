"""The settings of a prior: rules with their ranges, when they are looked at, and how."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from neurodrift._version import __version__
from neurodrift.infer.observation.protocol import Observation
from neurodrift.infer.prior.parameters import READERS
from neurodrift.infer.prior.run import PriorRunSettings
from neurodrift.schema.yaml import Place, Source, schema_faults
from neurodrift.seeds import generator
from neurodrift.simulate.settings.kinds import (
    make_settings,
    read_config,
    settings_class,
    settings_values,
)
from neurodrift.simulate.settings.ranges import expand_ranges
from neurodrift.simulate.settings.schema import SCHEMA
from neurodrift.simulate.settings.sweep import sweep_schema

NAME = "inference-prior"
"""The prior of the catalogue."""

_GRID = 64  # sessions of a fluctuation, from which those nearest to uneven days are taken
_WORST = 2**32 - 1


def prior_schema() -> dict[str, Any]:
    """JSON Schema of the settings of a prior.

    Returns
    -------
    dict
        Draft 2020-12. What a rule's settings and ranges may be, the schema of its kind says.
    """
    share = {"type": "number", "minimum": 0, "exclusiveMaximum": 1}
    ends = {"type": "array", "items": share, "minItems": 2, "maxItems": 2}
    part = {"settings": {"type": "object"}, "ranges": {"type": "array"}}
    rule = {"type": "object", "additionalProperties": False, "properties": part}
    rules = {"type": "object", "minProperties": 1, "additionalProperties": rule}
    family = {
        "type": "object",
        "additionalProperties": False,
        "required": ["rules"],
        "properties": part | {"rules": rules},
    }
    return {
        "$schema": SCHEMA,
        "title": "neurodrift settings of a prior of learning rules",
        "type": "object",
        "additionalProperties": False,
        "required": ["prior", "observations", "families"],
        "properties": {
            "description": {"type": "string"},
            "prior": {
                "type": "object",
                "additionalProperties": False,
                "required": ["n_runs"],
                "properties": {
                    "n_runs": {"type": "integer", "minimum": 1},
                    "n_sessions": {"type": "integer", "minimum": 2},
                    "seed": {"type": "integer", "minimum": 0},
                    "over": ends,
                    "under_way": ends,
                    "share_over": {"type": "number", "minimum": 0, "maximum": 1},
                },
            },
            "observations": {"type": "array", "items": {"type": "object"}, "minItems": 1},
            "families": {"type": "object", "minProperties": 1, "additionalProperties": family},
        },
    }


def read_prior(
    name: str | os.PathLike[str],
    changes: Mapping[str, Any] | None = None,
    *,
    n_runs: int | None = None,
    observations: Sequence[Observation] | None = None,
) -> list[PriorRunSettings]:
    """Every run of a prior.

    Parameters
    ----------
    name
        YAML file, or a name in ``catalogs/`` such as ``inference-prior``.
    changes
        Values by dotted key that take the place of the file's, such as ``prior.n_runs``.
    n_runs
        Number of runs instead of the file's.
    observations
        How the runs are seen, instead of the file's observations.

    Returns
    -------
    list of PriorRunSettings
        The rules take turns. Run i depends on the settings and on i alone, so that the first runs
        of a longer prior are those of a shorter one.

    Raises
    ------
    OSError
        If there is no such file or name.
    ValueError
        If the file cannot be used; the faults are named.

    Notes
    -----
    The sessions of a run lie evenly, or as the days of the observations do, between a first step
    and the last one. The first step is a share of all steps, drawn on a logarithmic scale from
    ``over`` (learning is over) or from ``under_way``. Synapses that fluctuate do not learn.

    Examples
    --------
    >>> from neurodrift.infer.prior.settings import read_prior
    >>> runs = read_prior("inference-prior", n_runs=20)
    >>> len(runs), len(runs[0].run["snapshots"])
    (20, 8)
    """
    values, source = read_config(name, changes)
    if not {"prior", "families"} & set(values):
        raise ValueError(
            f"{source.name} is no prior but settings of a simulation: expected the sections prior, "
            f"observations and families, as in {NAME}"
        )
    if n_runs is not None and isinstance(values.get("prior"), dict):
        values["prior"]["n_runs"] = n_runs
    faults = schema_faults(values, prior_schema())
    if faults:
        raise source.error(faults)
    seen = _observations(values, source) if observations is None else tuple(observations)
    values["observations"] = [json.loads(one.to_json()) for one in seen]
    values.pop("description", None)
    text = json.dumps({"version": __version__, **values})
    when = _when(values["prior"], seen)
    families = values["families"]
    rules = [(family, rule) for family, one in families.items() for rule in one["rules"]]
    names = [rule for _, rule in rules]
    if len(set(names)) < len(names):
        raise ValueError(f"{source.name}: a rule stands in two families, each needs its own name")
    total = values["prior"]["n_runs"]
    made = {}
    for i, (family, rule) in enumerate(rules):
        n = len(range(i, total, len(rules)))
        made[rule] = _runs_of(values, family, rule, n, source.name)
    runs = [(names[i % len(names)], i // len(names)) for i in range(total)]
    return [_run(made[rule][i], rule, i, when, values["prior"], text) for rule, i in runs]


def _observations(values: Mapping[str, Any], source: Source) -> tuple[Observation, ...]:
    found, faults = [], []
    for i, one in enumerate(values["observations"]):
        try:
            found.append(Observation.from_values(one))
        except ValueError as error:
            place: Place = ("observations", i)
            faults.append((place, str(error)))
    if faults:
        raise source.error(faults)
    names = [one.name for one in found]
    if len(set(names)) < len(names):
        raise source.error([(("observations",), f"names stand twice: {', '.join(names)}")])
    return tuple(found)


def _when(prior: Mapping[str, Any], seen: Sequence[Observation]) -> np.ndarray:
    """Time of each session, from 0 to 1."""
    given = [np.array(one.days) for one in seen if len(one.days) > 1]
    scaled = [(days - days[0]) / (days[-1] - days[0]) for days in given]
    if any(one.size != scaled[0].size or not np.allclose(one, scaled[0]) for one in scaled[1:]):
        raise ValueError(
            "the observations have sessions at different times: one prior is looked at at the same "
            "times by all; make another prior"
        )
    return scaled[0] if scaled else np.linspace(0, 1, prior.get("n_sessions", 8))


def _runs_of(
    values: Mapping[str, Any], family: str, rule: str, n: int, name: str
) -> list[dict[str, Any]]:
    """Complete settings of the runs of one rule, plain values."""
    if not n:
        return []
    shared = values["families"][family]
    own = shared["rules"][rule]
    plain: dict[str, Any] = dict(shared.get("settings", {}))
    for section, value in own.get("settings", {}).items():
        both = isinstance(value, dict) and isinstance(plain.get(section), dict)
        plain[section] = plain[section] | value if both else value
    source = Source(f"the rule {rule!r} of {name}")
    kind = settings_class(plain, source)
    if kind.kind not in READERS:
        raise source.error([(("simulation",), f"is {kind.kind}, expected {', '.join(READERS)}")])
    seed = values["prior"].get("seed", 0)
    drawn = [*shared.get("ranges", []), *own.get("ranges", [])]
    plain["sweep"] = {
        "draw": "random",
        "n_runs": n,
        "seed": int(generator(seed, "prior", rule).integers(_WORST)),
        "ranges": [{"key": "seed", "integers": [0, _WORST]}, *drawn],
    }
    runs = expand_ranges(plain, sweep_schema(kind), functools.partial(make_settings, kind), source)
    return [settings_values(run) for run in runs]


def _run(
    run: dict[str, Any],
    rule: str,
    number: int,
    when: np.ndarray,
    prior: Mapping[str, Any],
    text: str,
) -> PriorRunSettings:
    """A run with its sessions."""
    draw = generator(prior.get("seed", 0), "prior run", rule, number)
    seed = int(draw.integers(_WORST))
    sessions: list[int] = []
    learning = "over" if draw.random() < prior.get("share_over", 0.5) else "under_way"
    if "n_sessions" in run:  # no steps: the sessions are days apart, and nothing is learned
        learning = ""
        even = np.allclose(when, np.linspace(0, 1, when.size))
        run |= {"n_sessions": when.size if even else _GRID}
        if not even:
            run |= {"interval": run["interval"] * (when.size - 1) / (_GRID - 1)}
            sessions = np.round(when * (_GRID - 1)).astype(int).tolist()
    else:
        low, high = np.log(prior.get(learning, _WINDOW[learning]))
        first = np.exp(draw.uniform(low, high)) * run["n_steps"]
        steps = np.round(first + when * (run["n_steps"] - first)).astype(int)
        run |= {"snapshots": steps.tolist()}
    times = sessions or run.get("snapshots", [])
    if len(set(times)) < len(times):
        raise ValueError(
            f"the rule {rule!r} has {run.get('n_steps', _GRID)} steps, too few for sessions at "
            f"{np.round(when, 3).tolist()} of them"
        )
    return PriorRunSettings(
        label=rule, seed=seed, run=run, sessions=sessions, learning=learning, prior=text
    )


_WINDOW = {"over": (0.1, 0.5), "under_way": (0.003, 0.1)}
