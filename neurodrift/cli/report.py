"""Commands that hand results on: ``report``, ``export``."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path

from neurodrift.cli._options import add_overwrite, claiming, text


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    report = commands.add_parser("report", help="results as one HTML page that needs no network")
    report.add_argument("results", type=Path, nargs="+", help="results.zarr of analyze")
    report.add_argument("-o", "--out", type=Path, required=True, help="report.html to write")
    report.add_argument("--comparison", type=Path, help="comparison.zarr of compare")
    report.add_argument("--title", type=text, help="heading; made from the recordings when omitted")
    add_overwrite(report)
    report.set_defaults(run=_report)

    export = commands.add_parser("export", help="results as tables of an NWB file")
    export.add_argument("results", type=Path, help="results.zarr, from analyze")
    export.add_argument("file", type=Path, help="NWB file to write, or to add the tables to")
    export.add_argument("--session", help="label of the session to write; all")
    add_overwrite(export)
    export.set_defaults(run=_export)


@claiming("results", "comparison")
def _report(options: argparse.Namespace) -> None:
    from neurodrift.io.zarr import open_results
    from neurodrift.report import check_results, write_report

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
    with contextlib.suppress(OSError):  # the report is written, whoever reads this
        print(f"{options.out}: {size:.1f} MB, {n} recording{'s' if n > 1 else ''}", flush=True)


def _export(options: argparse.Namespace) -> None:
    from neurodrift.io.nwb.results import export_results
    from neurodrift.io.zarr import open_results

    results = open_results(options.results)
    path = export_results(
        results, options.file, session=options.session, overwrite=options.overwrite
    )
    print(f"{path}: tables in processing/neurodrift")
