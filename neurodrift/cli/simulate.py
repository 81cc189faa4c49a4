"""Commands that train networks: ``simulate``, ``sweep``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from neurodrift.cli._options import add_overwrite, add_settings, add_workers, changes


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    simulate = commands.add_parser("simulate", help="train a network and record its hidden layer")
    add_settings(simulate)
    simulate.add_argument("-o", "--out", type=Path, required=True, help="run.zarr to write")
    simulate.add_argument("--checkpoint", type=Path, help="file to save to and to resume from")
    add_overwrite(simulate)
    simulate.set_defaults(run=_simulate)

    sweep = commands.add_parser("sweep", help="many networks over ranges of settings; resumes")
    add_settings(sweep)
    out = "sweep.zarr to write; a folder of runs for other kinds than gradient"
    sweep.add_argument("-o", "--out", type=Path, required=True, help=out)
    add_workers(sweep, "processes")
    add_overwrite(sweep)
    sweep.set_defaults(run=_sweep)


def _simulate(options: argparse.Namespace) -> None:
    from neurodrift.io.zarr import refuse_existing
    from neurodrift.simulate.gradient.settings import read_settings
    from neurodrift.simulate.gradient.store import save_run
    from neurodrift.simulate.settings.kinds import (
        GRADIENT,
        read_simulation,
        save_result,
        settings_of,
    )

    refuse_existing(options.out, options.overwrite)
    kind, values, source = read_simulation(options.settings, changes(options))
    if kind != GRADIENT:
        if options.checkpoint is not None:
            raise ValueError(f"--checkpoint is for {GRADIENT} simulations; this one is {kind}")
        other = settings_of(values, source)
        result = other.simulate()
        save_result(result, other, options.out, overwrite=options.overwrite)
        print(f"{options.out}: {result.text()}")
        return
    settings = read_settings(options.settings, changes(options))
    run = settings.train(checkpoint=options.checkpoint)
    save_run(run, settings, options.out, overwrite=options.overwrite)
    measures = run.measures
    loss, active = measures["loss"].values, measures["fraction_active_units"].values
    print(f"{options.out}: {run.reason} after {measures.attrs['steps_made']} steps")
    print(f"loss {loss[0]:.3g} to {loss[-1]:.3g}, active units {active[0]:.2f} to {active[-1]:.2f}")


def _sweep(options: argparse.Namespace) -> None:
    from neurodrift.simulate.settings.kinds import GRADIENT, read_simulation

    kind, values, source = read_simulation(options.settings, changes(options))
    sweep = _sweep_gradient if kind == GRADIENT else _sweep_other
    sweep(options, values, source)


def _sweep_gradient(options: argparse.Namespace, values: Any, source: Any) -> None:
    from collections import Counter

    from neurodrift.simulate.settings.sweep_config import sweep_from_values
    from neurodrift.simulate.sweep import open_sweep, run_sweep

    config = sweep_from_values(values, source)
    with _client(options) as client:
        run_sweep(
            config,
            options.out,
            client=client,
            n_workers=options.workers,
            overwrite=options.overwrite,
            progress=True,
        )
    reasons = Counter(open_sweep(options.out).table["reason"].values.tolist())
    counts = ", ".join(f"{n} {reason}" for reason, n in reasons.most_common())
    print(f"{options.out}: {len(config.runs)} runs: {counts}")


def _sweep_other(options: argparse.Namespace, values: Any, source: Any) -> None:
    from neurodrift.simulate.many import TABLE, simulate_many
    from neurodrift.simulate.settings.kinds import settings_of_sweep

    settings = settings_of_sweep(values, source)
    with _client(options) as client:
        paths = simulate_many(
            settings,
            options.out,
            client=client,
            n_workers=options.workers,
            overwrite=options.overwrite,
            progress=lambda number, text: print(f"run {number}: {text}", flush=True),
        )
    print(f"{options.out}: {len(paths)} runs; {TABLE} says what they are")


@contextmanager
def _client(options: argparse.Namespace) -> Iterator[Any]:
    """Client of the given scheduler, or None."""
    if options.scheduler is None:
        yield None
        return
    from distributed import Client

    with Client(options.scheduler) as client:
        yield client
