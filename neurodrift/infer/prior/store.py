"""A prior of learning rules: many networks, seen as an animal was, in one store that resumes."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from neurodrift.infer.classifier.runs import FEWEST, has_enough, texts_of, too_few
from neurodrift.infer.observation.counts import events_of_a_cell
from neurodrift.infer.observation.protocol import Observation
from neurodrift.infer.observation.subset import some_sessions
from neurodrift.infer.prior.matching import describe_matching, match_runs
from neurodrift.infer.prior.run import NUMBERS, PriorRun, PriorRunSettings
from neurodrift.infer.prior.settings import NAME, read_prior
from neurodrift.infer.statistics.vector import STATISTICS, VERSION, statistics_of
from neurodrift.schema import label
from neurodrift.schema.inference import PRIOR
from neurodrift.simulate.store import read_groups
from neurodrift.simulate.sweep import Sweep, open_sweep, run_sweep

if TYPE_CHECKING:
    from distributed import Client

NOT_LENGTHENED = (
    "A prior is not made longer in its place: one with more runs is a store of its own, whose "
    "first runs are the same and are made again"
)
"""What is said where a store stands already."""

_TASKS = ("run.task.name", "run.inputs.name")


def simulate_prior(
    settings: str | os.PathLike[str] = NAME,
    path: str | os.PathLike[str] = "prior.zarr",
    changes: Mapping[str, object] | None = None,
    *,
    observations: Sequence[Observation] | None = None,
    n_runs: int | None = None,
    scheduler: str | Client | None = None,
    workers: int | None = None,
    overwrite: bool = False,
    progress: bool = False,
) -> Path:
    """Simulate networks of several learning rules, and keep what a lab would see of each.

    Parameters
    ----------
    settings
        YAML file, or a name in ``catalogs/``.
    path
        Directory of the store. Until all runs are done it is called ``<path>.unfinished``; the same
        call goes on there.
    changes
        Values by dotted key that take the place of the file's, such as
        ``{"families.gradient.settings.n_steps": 10_000}``.
    observations
        How the runs are seen, instead of the file's observations: those of an animal by
        :func:`neurodrift.infer.observation.protocol.observation_of`.
    n_runs
        Number of runs instead of the file's.
    scheduler, workers, overwrite, progress
        As for :func:`neurodrift.simulate.sweep.run_sweep`.

    Returns
    -------
    pathlib.Path
        `path`. The store is a sweep; :func:`open_prior` opens it.

    Raises
    ------
    OSError
        If there are no such settings, or the runs cannot be stored.
    ValueError
        If the settings cannot be used.
    FileExistsError
        If something else stands at `path`.

    Examples
    --------
    >>> import tempfile
    >>> import neurodrift as nd
    >>> small = {"families.gradient.settings.n_steps": 300}
    >>> path = nd.simulate_prior(
    ...     "inference-prior-random", tempfile.mkdtemp() + "/prior.zarr", small, n_runs=6, workers=0
    ... )
    >>> nd.open_prior(path, "full").sizes["run"]
    6
    """
    runs = read_prior(settings, changes, n_runs=n_runs, observations=observations)
    try:
        return run_sweep(
            runs,
            path,
            scheduler=scheduler,
            workers=workers,
            overwrite=overwrite,
            progress=progress,
        )
    except FileExistsError as error:
        raise FileExistsError(f"{error}. {NOT_LENGTHENED}") from error


def open_prior(
    path: str | os.PathLike[str],
    observation: int | str | Observation = 0,
    *,
    unfinished: bool = False,
    n_sessions: int | None = None,
) -> xr.Dataset:
    """The runs of a prior as statistics, seen in one way, with weights that match the rules.

    Parameters
    ----------
    path
        A store of :func:`simulate_prior`.
    observation
        Number or name of one of the prior's observations; or another observation, by which the
        stored activity is then seen.
    unfinished
        Whether a prior that is under way is opened as far as it is done.
    n_sessions
        Sessions that are seen, evenly from the first to the last; all when omitted. The activity
        is then seen anew.

    Returns
    -------
    xarray.Dataset
        ``value`` (run, statistic), computed anew, with a warning, where the store was made by other
        statistics than those of today; over ``run`` the coordinates ``rule`` and ``task``,
        ``speed``, ``start``, ``weight`` (see :func:`neurodrift.infer.prior.matching.match_runs`),
        ``learning``, ``seed``, ``n_cells``, ``n_events``, the parameters (NaN where a rule has
        none) and the losses. Runs that diverged or fell silent are left out, and counted in
        ``left_out``. Other attributes: ``version``, ``settings``, ``observation_json``,
        ``observations``, ``matching`` (JSON).

    Raises
    ------
    FileNotFoundError
        If there is no store.
    ValueError
        If it is not whole, is no prior, or has no such observation.

    Examples
    --------
    >>> import tempfile
    >>> import neurodrift as nd
    >>> small = {"families.gradient.settings.n_steps": 300}
    >>> folder = tempfile.mkdtemp()
    >>> path = nd.simulate_prior(
    ...     "inference-prior-random", f"{folder}/prior.zarr", small, n_runs=6, workers=0
    ... )
    >>> few = nd.Observation(name="ten cells", n_cells=10, events_per_cell=(20, 20))
    >>> nd.open_prior(path, few)["n_cells"].values.tolist()
    [10.0, 10.0, 10.0, 10.0, 10.0, 10.0]
    """
    sweep = open_sweep(path, unfinished=unfinished)
    table = sweep.table
    if "prior" not in table.coords:
        raise ValueError(
            f"{sweep.path} is a sweep but no prior: make one by neurodrift simulate-prior"
        )
    settings = json.loads(str(table["prior"].values))
    reason = table["reason"].values.astype(object).astype(str)
    kept = np.flatnonzero((reason == "finished") & np.isfinite(table["speed"].values))
    used = table.isel(run=kept)
    seen, value, n_cells, n_events = _seen(sweep, used, settings, observation, n_sessions)
    rule, task = used["label"].values.astype(object).astype(str), _tasks(used)
    found = xr.Dataset(
        {
            "value": (("run", "statistic"), value),
            "n_cells": ("run", n_cells),
            "n_events": ("run", n_events),
            "learning": ("run", texts_of(used, "learning")),
            "seed": ("run", used["seed"].values),
        }
        | {name: ("run", used[name].values) for name in NUMBERS},
        coords={
            "run": used["run"].values,
            "statistic": np.array(STATISTICS),
            "rule": ("run", rule),
            "task": ("run", task),
        },
    )
    left = {str(one): int((reason == one).sum()) for one in np.unique(reason) if one != "finished"}
    found.attrs = {
        "version": settings.pop("version"),
        "settings": json.dumps(settings),
        "observation_json": seen.to_json(),
        "observations": [str(one.get("name")) for one in settings["observations"]],
        "left_out": json.dumps(left),
        "n_sessions": n_sessions or int(used["snapshots_made"].max()),
    }
    if np.unique(rule).size < 2:
        alone = found.assign(weight=("run", np.ones(rule.size)))
        return label(alone.assign_attrs(matching="{}"), PRIOR)
    matching = match_runs(rule, found["speed"].values, found["start"].values)
    found["weight"] = ("run", matching.weight)
    return label(found.assign_attrs(matching=matching.to_json()), PRIOR)


def describe_prior(prior: xr.Dataset) -> str:
    """What came out of a prior, in a few lines.

    Parameters
    ----------
    prior
        From :func:`open_prior`.

    Returns
    -------
    str
        Runs by rule, those left out, how far the rules overlap, what speed alone gives away, and
        whether :func:`neurodrift.infer_rule` has enough runs of each rule.

    Examples
    --------
    >>> import xarray as xr
    >>> import neurodrift as nd
    >>> prior = xr.Dataset(coords={"rule": ("run", ["adam", "sed"])})
    >>> print(nd.describe_prior(prior.assign_attrs(left_out='{"diverged": 3}')))
    2 runs of 2 rules, 3 diverged and left out
    too few for an inference, which needs 10 runs of each rule: adam has 1, sed has 1
    """
    rule = texts_of(prior, "rule")
    left = json.loads(prior.attrs.get("left_out", "{}"))
    told = "".join(f", {n} {reason} and left out" for reason, n in left.items())
    lines = [f"{rule.size} runs of {np.unique(rule).size} rules{told}"]
    matching = json.loads(prior.attrs.get("matching", "{}"))
    if matching:
        lines.append(describe_matching(matching))
    few = too_few(rule)
    if few:
        lines.append(f"too few for an inference, which needs {FEWEST} runs of each rule: {few}")
    elif not has_enough(prior):
        few = too_few(rule, prior["weight"].values)
        lines.append(
            f"too few with matched speeds for an inference, which needs {FEWEST} runs of each rule "
            f"with a counterpart: {few}; as drawn there are enough (matched=False, on the command "
            "line --as-drawn)"
        )
    return "\n".join(lines)


def open_prior_run(path: str | os.PathLike[str], run: int) -> PriorRun:
    """One run of a prior, with the activity that was seen.

    Parameters
    ----------
    path
        A store of :func:`simulate_prior`.
    run
        Its number.

    Returns
    -------
    PriorRun
        Its ``observed(observation)`` sees it in any way.

    Raises
    ------
    ValueError
        If there is no such run.
    """
    sweep = open_sweep(path, unfinished=True)
    if run not in sweep.table["run"].values:
        raise ValueError(f"{sweep.path} has no run {run} that is done; {len(sweep)} are")
    return _run(sweep, run, str(sweep.table["settings"].sel(run=run).values))


def _run(sweep: Sweep, run: int, text: str) -> PriorRun:
    values = json.loads(text)
    for name in ("simulation", "neurodrift_version"):
        values.pop(name, None)
    return PriorRunSettings(**values).restore(read_groups(sweep.path, run))


def _seen(
    sweep: Sweep,
    used: xr.Dataset,
    settings: dict[str, Any],
    wanted: int | str | Observation,
    n_sessions: int | None,
) -> tuple[Observation, np.ndarray, np.ndarray, np.ndarray]:
    """The observation, and what it sees of each run: statistics, cells and events of a cell."""
    if isinstance(wanted, Observation):
        return (wanted, *_seen_anew(sweep, used, wanted, n_sessions))
    names = used["observation"].values.astype(object).astype(str).tolist()
    if wanted in names:
        wanted = names.index(str(wanted))
    if not isinstance(wanted, int) or not -len(names) <= wanted < len(names):
        raise ValueError(
            f"the prior has no observation {wanted!r}; it has {', '.join(map(repr, names))}, or "
            "give an Observation"
        )
    one = used.isel(observation=wanted)
    seen = Observation.from_values(settings["observations"][wanted])
    stale = "statistics_version" not in used or (used["statistics_version"].values != VERSION).any()
    if stale:
        warnings.warn(
            f"the statistics in {sweep.path} are not those of today: its activity is seen anew",
            stacklevel=4,
        )
    if stale or n_sessions is not None:
        return (seen, *_seen_anew(sweep, used, seen, n_sessions))
    return seen, one["value"].values, one["n_cells"].values, one["n_events"].values


def _seen_anew(
    sweep: Sweep, used: xr.Dataset, observation: Observation, n_sessions: int | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    value, n_cells, n_events = [], [], []
    texts = used["settings"].values
    for run, text in zip(used["run"].values.tolist(), texts, strict=True):
        seen = some_sessions(_run(sweep, run, str(text)).observed(observation), n_sessions)
        value.append(statistics_of(seen, se=False)["value"].values)
        n_cells.append(float(seen.detected.shape[1]))
        n_events.append(events_of_a_cell(seen))
    return np.array(value), np.array(n_cells), np.array(n_events)


def _tasks(used: xr.Dataset) -> np.ndarray:
    """Name of each run's task or inputs; a kind without either runs along its track."""
    task = np.full(used.sizes["run"], "track", dtype=object)
    for name in _TASKS:
        if name in used:
            words = texts_of(used, name)
            task = np.where(words != "", words, task)
    return task.astype(object).astype(str)
