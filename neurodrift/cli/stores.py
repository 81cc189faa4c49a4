"""Commands about stores themselves: ``verify`` and ``clean``."""

from __future__ import annotations

import argparse
from pathlib import Path

from neurodrift.cli._help import new_command
from neurodrift.cli._say import Facts


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    verify = new_command(
        commands,
        "verify",
        "read all of a store and compare its checksums",
        ["neurodrift verify mouse.zarr", "neurodrift verify *.zarr"],
    )
    verify.add_argument(
        "stores", type=Path, nargs="+", metavar="STORE", help="recording, results, run or sweep"
    )
    verify.set_defaults(run=_verify)

    clean = new_command(
        commands,
        "clean",
        "put back or remove what killed commands left",
        ["neurodrift clean", "neurodrift clean results/ sweeps/"],
    )
    clean.add_argument(
        "folders",
        type=Path,
        nargs="*",
        metavar="FOLDER",
        default=[Path()],
        help="folders to look through (default: this one)",
    )
    clean.set_defaults(run=_clean)


def _verify(options: argparse.Namespace) -> Facts:
    from neurodrift.io.verify import verify

    unsound = 0
    for path in options.stores:
        found = verify(path)
        print(found)
        unsound += not found.sound
    if unsound:
        raise ValueError(f"{unsound} of {len(options.stores)} stores could not be found whole")
    return {"sound": options.stores}


def _clean(options: argparse.Namespace) -> Facts:
    from neurodrift.io.output import clean

    told = [text for folder in options.folders for text in clean(folder)]
    print("\n".join(told) or "nothing was left by killed commands")
    return {"done": told}
