"""The command ``export``: results into NWB."""

from __future__ import annotations

import argparse
from pathlib import Path

from neurodrift.cli._options import add_overwrite


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    export = commands.add_parser("export", help="results as tables of an NWB file")
    export.add_argument("results", type=Path, help="results.zarr, from analyze")
    export.add_argument("file", type=Path, help="NWB file to write, or to add the tables to")
    export.add_argument("--session", help="label of the session to write; all")
    add_overwrite(export)
    export.set_defaults(run=_export)


def _export(options: argparse.Namespace) -> None:
    from neurodrift.io.nwb.results import export_results
    from neurodrift.io.zarr import open_results

    results = open_results(options.results)
    path = export_results(
        results, options.file, session=options.session, overwrite=options.overwrite
    )
    print(f"{path}: tables in processing/neurodrift")
