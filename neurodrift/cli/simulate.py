"""Commands that train networks: ``simulate``, ``sweep``."""

from __future__ import annotations

import argparse
from pathlib import Path

from neurodrift.cli._options import add_overwrite, add_settings, add_workers, changes, claiming


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
    sweep.add_argument("-o", "--out", type=Path, required=True, help="sweep.zarr to write")
    add_workers(sweep, "processes")
    add_overwrite(sweep)
    sweep.set_defaults(run=_sweep)


@claiming("settings")
def _simulate(options: argparse.Namespace) -> None:
    from neurodrift.simulate.settings.kinds import read_settings
    from neurodrift.simulate.store import save_run

    settings = read_settings(options.settings, changes(options))
    result = settings.simulate(checkpoint=options.checkpoint)
    save_run(result, settings, options.out, overwrite=options.overwrite)
    print(f"{options.out}: {result.text()}")


def _sweep(options: argparse.Namespace) -> None:
    from collections import Counter

    from neurodrift.simulate.settings.sweep import read_sweep
    from neurodrift.simulate.sweep import open_sweep, run_sweep

    config = read_sweep(options.settings, changes(options))
    run_sweep(
        config,
        options.out,
        scheduler=options.scheduler,
        workers=options.workers,
        overwrite=options.overwrite,
        progress=True,
    )
    reasons = Counter(open_sweep(options.out).table["reason"].values.tolist())
    counts = ", ".join(f"{n} {reason}" for reason, n in reasons.most_common())
    print(f"{options.out}: {len(config.runs)} runs: {counts}")
