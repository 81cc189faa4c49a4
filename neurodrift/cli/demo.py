"""The command ``demo``."""

from __future__ import annotations

import argparse
from pathlib import Path

from neurodrift.cli._options import add_overwrite


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    demo = commands.add_parser("demo", help="the whole path on a synthetic mouse, with its truth")
    demo.add_argument("--out", type=Path, default=Path("neurodrift-demo"), help="folder to write")
    demo.add_argument("--seed", type=int, default=0)
    add_overwrite(demo)
    demo.set_defaults(run=_demo)


def _demo(options: argparse.Namespace) -> None:
    from neurodrift.demo import run_demo

    print(run_demo(options.out, seed=options.seed, overwrite=options.overwrite))
