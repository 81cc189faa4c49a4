"""Commands about stores themselves: ``verify`` and ``clean``."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    verify = commands.add_parser("verify", help="read all of a store and compare its checksums")
    verify.add_argument("stores", type=Path, nargs="+", metavar="STORE")
    verify.set_defaults(run=_verify)

    clean = commands.add_parser("clean", help="put back or remove what killed commands left")
    clean.add_argument("folders", type=Path, nargs="*", metavar="FOLDER", default=[Path()])
    clean.set_defaults(run=_clean)


def _verify(options: argparse.Namespace) -> None:
    from neurodrift.io.verify import verify

    unsound = 0
    for path in options.stores:
        found = verify(path)
        print(found)
        unsound += not found.sound
    if unsound:
        raise ValueError(f"{unsound} of {len(options.stores)} stores could not be found whole")


def _clean(options: argparse.Namespace) -> None:
    from neurodrift.io.output import clean

    told = [text for folder in options.folders for text in clean(folder)]
    print("\n".join(told) or "nothing was left by killed commands")
