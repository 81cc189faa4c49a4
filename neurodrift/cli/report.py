"""The command ``report``."""

from __future__ import annotations

import argparse
from pathlib import Path

from neurodrift.cli._options import add_overwrite


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    report = commands.add_parser("report", help="results as one HTML page that needs no network")
    report.add_argument("results", type=Path, nargs="+", help="results.zarr of analyze")
    report.add_argument("-o", "--out", type=Path, required=True, help="report.html to write")
    report.add_argument("--comparison", type=Path, help="comparison.zarr of compare")
    report.add_argument("--title", help="heading; made from the recordings when omitted")
    add_overwrite(report)
    report.set_defaults(run=_report)


def _report(options: argparse.Namespace) -> None:
    from neurodrift.io.zarr import open_results, refuse_existing
    from neurodrift.report import check_results, write_report

    refuse_existing(options.out, options.overwrite)
    comparison = None
    if options.comparison is not None:
        stored = open_results(options.comparison)
        if "comparison" not in stored.children:
            raise ValueError(f"{options.comparison} holds no comparison: make one with compare")
        comparison = stored["comparison"].to_dataset()
    trees = []
    for path in options.results:
        trees.append(open_results(path))
        check_results(trees[-1], str(path))
    write_report(
        trees,
        options.out,
        comparison=comparison,
        title=options.title,
        overwrite=options.overwrite,
    )
    n = len(options.results)
    size = options.out.stat().st_size / 1e6
    print(f"{options.out}: {size:.1f} MB, {n} recording{'s' if n > 1 else ''}")
