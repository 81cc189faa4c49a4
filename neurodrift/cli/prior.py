"""The command ``simulate-prior``: networks of many learning rules, seen as an animal was."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from neurodrift.cli._help import new_command
from neurodrift.cli._options import (
    add_out,
    add_overwrite,
    add_workers,
    changes,
    claiming,
    kind_of_store,
    priors,
)
from neurodrift.cli._say import Facts

if TYPE_CHECKING:
    from neurodrift.infer.observation.protocol import Observation


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    prior = new_command(
        commands,
        "simulate-prior",
        "train networks of many learning rules, seen as an animal was",
        [
            "neurodrift simulate-prior inference-prior-random -o prior.zarr",
            "neurodrift simulate-prior inference-prior -o prior.zarr --like mouse.zarr --runs 500",
            "neurodrift simulate-prior inference-prior-random -o small.zarr --runs 120 "
            "--set families.gradient.settings.n_steps=1e4",
        ],
        "The same command again goes on where it was stopped or killed. At the end it says how\n"
        "far the rules overlap in speed and starting point, what these give away alone, and if\n"
        "there are enough runs for infer, which needs 10 of each rule. A prior with more runs is\n"
        "a store of its own.",
    )
    prior.add_argument(
        "settings",
        metavar="NAME_OR_YAML",
        help=f"YAML file, or a name of the catalogue: {', '.join(priors())}",
    )
    prior.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a value instead of the file's, such as prior.seed=1; may be given again",
    )
    prior.add_argument(
        "--runs", type=int, metavar="N", help="number of runs (default: that of the settings)"
    )
    prior.add_argument(
        "--like",
        type=Path,
        metavar="STORE",
        help="recording or results of an animal: the networks are seen as it was, and in full",
    )
    add_out(prior, "prior.zarr to write")
    add_workers(prior, "processes")
    add_overwrite(prior)
    prior.set_defaults(run=_saying_what_is_kept)


def _saying_what_is_kept(options: argparse.Namespace) -> Facts:
    """Simulate; where a prior stands already, say that it is not made longer in its place."""
    from neurodrift.infer.prior.store import NOT_LENGTHENED

    try:
        return _simulate_prior(options) or {}
    except FileExistsError as error:
        if "was kept" not in str(error) or NOT_LENGTHENED in str(error):
            raise
        raise FileExistsError(f"{error}. {NOT_LENGTHENED}") from error


@claiming("settings", "like")
def _simulate_prior(options: argparse.Namespace) -> Facts:
    from neurodrift.infer.prior.store import describe_prior, open_prior, simulate_prior

    seen = None if options.like is None else _like(options.like)
    simulate_prior(
        options.settings,
        options.out,
        changes(options),
        observations=seen,
        n_runs=options.runs,
        scheduler=options.scheduler,
        workers=options.workers,
        overwrite=options.overwrite,
        progress=True,
    )
    prior = open_prior(options.out)
    print(f"{options.out}: {describe_prior(prior)}")
    return {"out": options.out, "rules": dict(Counter(prior["rule"].values.tolist()))} | {
        name: prior.attrs[name] for name in ("left_out", "matching", "observations")
    }


def _like(path: Path) -> list[Observation]:
    from neurodrift.infer.observation.protocol import Observation, observation_of
    from neurodrift.io.zarr import open_recording, open_results

    kind = kind_of_store(path)
    if kind not in ("recording", "results"):
        raise ValueError(
            f"--like {path} is {kind or 'no store of neurodrift'}, expected a recording or results"
        )
    opened = open_recording(path) if kind == "recording" else open_results(path)
    return [observation_of(opened), Observation.full()]
