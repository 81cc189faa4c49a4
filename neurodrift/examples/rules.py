"""A small prior of learning rules, as it is stored beside this file.

``python -m neurodrift.examples.rules prior.zarr`` writes the file anew, from a store that
``neurodrift simulate-prior`` made of the random task.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

FILE = Path(__file__).with_name("rules.npz")
OBSERVATION = "many events"
RUNS = 60
"""How the runs were seen, and how many of each rule are kept."""

_NUMBERS = ("speed", "start", "weight", "learning_rate", "noise", "n_steps", "dose")


def write_prior(store: str | os.PathLike[str], path: str | os.PathLike[str] = FILE) -> Path:
    """Keep the first runs of every rule of a prior.

    Parameters
    ----------
    store
        A prior, whole or under way.
    path
        The .npz file.

    Returns
    -------
    pathlib.Path
        `path`.
    """
    from neurodrift.infer.prior.matching import match_runs
    from neurodrift.infer.prior.store import open_prior

    prior = open_prior(store, OBSERVATION, unfinished=True)
    rule = prior["rule"].values.astype(str)
    kept = [np.flatnonzero(rule == name)[:RUNS] for name in np.unique(rule)]
    prior = prior.isel(run=np.sort(np.concatenate(kept)))
    rule = prior["rule"].values.astype(str)
    matching = match_runs(rule, prior["speed"].values, prior["start"].values)
    prior = prior.assign(weight=("run", matching.weight))
    numbers: dict[str, Any] = {name: prior[name].values for name in _NUMBERS}
    np.savez_compressed(
        path,
        value=prior["value"].values.astype(np.float32),
        statistic=prior["statistic"].values.astype(str),
        run=prior["run"].values,
        rule=rule,
        task=prior["task"].values.astype(str),
        version=str(prior.attrs["version"]),
        observation_json=str(prior.attrs["observation_json"]),
        n_sessions=int(prior.attrs["n_sessions"]),
        matching=matching.to_json(),
        **numbers,
    )
    return Path(path)


def read_prior() -> xr.Dataset:
    """Simulated networks of five learning rules, seen as mice are.

    Returns
    -------
    xarray.Dataset
        ``value`` (run, statistic): statistics of drift of 60 networks of each rule, on the random
        task, in eight sessions of 200 cells with 100 to 300 events a cell and session; ``rule``,
        ``task``, ``speed``, ``start``, ``weight``, ``learning_rate``, ``noise``, ``n_steps``,
        ``dose`` (run), NaN where a rule has none; as attributes how they were seen
        (``observation_json``, ``n_sessions``) and matched in speed (``matching``). It
        is the first part of a larger prior: for trying things out, not for an answer about an
        animal.

    Examples
    --------
    >>> from neurodrift.examples.rules import read_prior
    >>> read_prior().sizes["run"]
    300
    """
    with np.load(FILE, allow_pickle=False) as stored:
        return xr.Dataset(
            {"value": (("run", "statistic"), stored["value"].astype(float))}
            | {name: ("run", stored[name]) for name in _NUMBERS},
            coords={
                "run": stored["run"],
                "statistic": stored["statistic"].astype(object),
                "rule": ("run", stored["rule"].astype(object)),
                "task": ("run", stored["task"].astype(object)),
            },
            attrs={
                "version": f"{stored['version']}, the example",
                "observation_json": str(stored["observation_json"]),
                "n_sessions": int(stored["n_sessions"]),
                "matching": str(stored["matching"]),
            },
        )


if __name__ == "__main__":
    print(write_prior(*sys.argv[1:]))
