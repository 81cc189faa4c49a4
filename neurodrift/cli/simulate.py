"""Commands that train networks: ``simulate``, ``sweep``."""

from __future__ import annotations

import argparse
from pathlib import Path

from neurodrift.cli._help import new_command
from neurodrift.cli._options import (
    add_out,
    add_overwrite,
    add_settings,
    add_workers,
    changes,
    claiming,
)
from neurodrift.cli._say import Facts


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    simulate = new_command(
        commands,
        "simulate",
        "train a network and record its hidden layer",
        [
            "neurodrift simulate ratzon2024-track --set n_steps=3e4 -o run.zarr",
            "neurodrift simulate my-network.yaml -o run.zarr --checkpoint run.npz",
        ],
    )
    add_settings(simulate)
    add_out(simulate, "run.zarr to write")
    simulate.add_argument(
        "--checkpoint", type=Path, metavar="FILE", help="file to save to and to resume from"
    )
    add_overwrite(simulate)
    simulate.set_defaults(run=_simulate)

    sweep = new_command(
        commands,
        "sweep",
        "train many networks over ranges of settings",
        [
            "neurodrift sweep ratzon2024-noise --set n_steps=1e5 -o sweep.zarr",
            "neurodrift sweep my-sweep.yaml -o sweep.zarr --scheduler tcp://10.0.0.1:8786",
            "neurodrift sweep ratzon2024-track -o two.zarr --set n_steps=1e5 --set 'sweep.ranges=["
            "{key: rule.update_noise, values: [0.01, 0.1]}, {key: network.n_hidden, values: [50, "
            "100]}]'",
        ],
        "The same command again goes on where it was stopped or killed. Ranges of two settings\n"
        "make every combination; --set sweep.ranges puts others in the place of the file's.",
    )
    add_settings(sweep)
    add_out(sweep, "sweep.zarr to write")
    add_workers(sweep, "processes")
    add_overwrite(sweep)
    sweep.set_defaults(run=_sweep)


@claiming("settings")
def _simulate(options: argparse.Namespace) -> Facts:
    from neurodrift.simulate.settings.kinds import read_settings
    from neurodrift.simulate.store import save_run

    settings = read_settings(options.settings, changes(options))
    result = settings.simulate(checkpoint=options.checkpoint)
    save_run(result, settings, options.out, overwrite=options.overwrite)
    print(f"{options.out}: {result.text()}")
    results = options.out.with_name(f"{options.out.stem}-results.zarr")
    print(f"next: neurodrift analyze {options.out} -o {results}")
    return {"out": options.out, "outcome": result.text()}


def _sweep(options: argparse.Namespace) -> Facts:
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
    print(f"next: neurodrift analyze {options.out} --run 0 -o run0-results.zarr")
    return {"out": options.out, "n_runs": len(config.runs), "reasons": dict(reasons)}
