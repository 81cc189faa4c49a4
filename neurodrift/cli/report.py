"""Commands that hand results on: ``report``, ``export``."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path

from neurodrift.cli._help import new_command
from neurodrift.cli._options import add_out, add_overwrite, claiming, text
from neurodrift.cli._say import Facts


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    report = new_command(
        commands,
        "report",
        "write results as one HTML page that needs no network",
        [
            "neurodrift report results.zarr -o report.html",
            "neurodrift report mouse1.zarr mouse2.zarr -o report.html --title 'Two mice'",
        ],
    )
    report.add_argument(
        "results", type=Path, nargs="+", metavar="RESULTS", help="results.zarr of analyze"
    )
    add_out(report, "report.html to write")
    report.add_argument(
        "--comparison", type=Path, metavar="STORE", help="comparison.zarr of compare --save"
    )
    report.add_argument(
        "--title", type=text, help="heading of the page (default: made from the recordings)"
    )
    add_overwrite(report)
    report.set_defaults(run=_report)

    export = new_command(
        commands,
        "export",
        "write results as tables of an NWB file",
        [
            "neurodrift export results.zarr -o results.nwb",
            "neurodrift export results.zarr -o day1.nwb --session 1",
        ],
    )
    export.add_argument("results", type=Path, metavar="RESULTS", help="results.zarr of analyze")
    add_out(export, "NWB file to write, or to add the tables to")
    export.add_argument(
        "--session", metavar="LABEL", help="session whose results are written (default: all)"
    )
    add_overwrite(export)
    export.set_defaults(run=_export)


@claiming("results", "comparison")
def _report(options: argparse.Namespace) -> Facts:
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
        print("next: open it in a browser", flush=True)
    return {"out": options.out, "bytes": options.out.stat().st_size, "n_recordings": n}


def _export(options: argparse.Namespace) -> Facts:
    from neurodrift.io.nwb.results import export_results
    from neurodrift.io.zarr import open_results

    results = open_results(options.results)
    path = export_results(
        results, options.out, session=options.session, overwrite=options.overwrite
    )
    print(f"{path}: tables in processing/neurodrift")
    return {"out": path}
