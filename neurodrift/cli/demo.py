"""The command ``demo``."""

from __future__ import annotations

import argparse
from pathlib import Path

from neurodrift.cli._help import new_command
from neurodrift.cli._options import add_overwrite, add_seed
from neurodrift.cli._say import Facts


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    demo = new_command(
        commands,
        "demo",
        "run the whole path on a synthetic mouse, whose truth is known",
        ["neurodrift demo", "neurodrift demo -o another-mouse --seed 1"],
    )
    demo.add_argument(
        "-o",
        "--out",
        type=Path,
        default=Path("neurodrift-demo"),
        metavar="FOLDER",
        help="folder to write",
    )
    add_seed(demo)
    add_overwrite(demo)
    demo.set_defaults(run=_demo)


def _demo(options: argparse.Namespace) -> Facts:
    from neurodrift.demo import run_demo

    print(run_demo(options.out, seed=options.seed, overwrite=options.overwrite))
    return {"out": options.out}
