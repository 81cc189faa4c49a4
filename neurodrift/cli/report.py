"""Commands that hand results on: ``report``, ``export``."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from neurodrift.cli._help import new_command
from neurodrift.cli._options import (
    add_out,
    add_overwrite,
    add_scheduler,
    claiming,
    on_scheduler,
    text,
    what_is_read,
)
from neurodrift.cli._say import Facts

if TYPE_CHECKING:
    from neurodrift.report import Report
    from neurodrift.studies.report.document import StudyReport


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    report = new_command(
        commands,
        "report",
        "write results as one HTML page that needs no network",
        [
            "neurodrift report results.zarr -o report.html",
            "neurodrift report mouse1.zarr mouse2.zarr -o report.html --title 'Two mice'",
            "neurodrift report results.zarr -o report.html --pdf --figures figures",
            "neurodrift report study -o study.html",
        ],
    )
    report.add_argument(
        "results",
        type=Path,
        nargs="+",
        metavar="RESULTS",
        help="results.zarr of analyze, or the folder of a study",
    )
    add_out(report, "report.html to write")
    report.add_argument(
        "--comparison", type=Path, metavar="STORE", help="comparison.zarr of compare --save"
    )
    report.add_argument(
        "--title", type=text, help="heading of the page (default: made from the recordings)"
    )
    report.add_argument(
        "--pdf",
        action="store_true",
        help="write the report as PDF too, beside the page (extra report-pdf)",
    )
    report.add_argument(
        "--figures",
        type=Path,
        metavar="FOLDER",
        help="write every figure for a paper into a new folder: SVG, PDF and CSV, a file a panel",
    )
    add_scheduler(report)
    add_overwrite(report)
    report.set_defaults(run=_report)

    export = new_command(
        commands,
        "export",
        "write results as tables: of an NWB file, CSV, Parquet or MATLAB",
        [
            "neurodrift export results.zarr -o results.nwb",
            "neurodrift export results.zarr -o day1.nwb --session 1",
            "neurodrift export results.zarr --table units -o units.csv",
            "neurodrift export results.zarr --table pairs -o pairs.mat",
        ],
    )
    export.add_argument("results", type=Path, metavar="RESULTS", help="results.zarr of analyze")
    add_out(export, "NWB file to write, or to add the tables to; or one .csv, .parquet or .mat")
    export.add_argument(
        "--table",
        choices=sorted(_TABLES),
        help="what a row of a .csv, .parquet or .mat is: a unit in a session, a session, or a pair "
        "of sessions",
    )
    export.add_argument(
        "--session", metavar="LABEL", help="session whose results are written (default: all)"
    )
    add_overwrite(export)
    export.set_defaults(run=_export)


@on_scheduler
@claiming("results", "comparison", outputs=("out", "figures"))
def _report(options: argparse.Namespace) -> Facts:
    from neurodrift.io.output import claimed

    report, n = _report_of(options)
    paper = options.out.with_suffix(".pdf")
    with contextlib.ExitStack() as stack:
        if options.pdf:  # what stands there is refused before the work
            named = [*options.results, *filter(None, [options.comparison])]
            inputs = [own for path in named for own in what_is_read(path)]
            stack.enter_context(claimed(paper, overwrite=options.overwrite, inputs=inputs))
        report.write(options.out, overwrite=options.overwrite)
        if options.pdf:
            report.write_pdf(paper, overwrite=options.overwrite)
        if options.figures is not None:
            report.write_figures(options.figures, overwrite=options.overwrite)
    size = options.out.stat().st_size / 1e6
    said = [f"{options.out}: {size:.1f} MB, {n} recording{'s' if n > 1 else ''}"]
    facts: Facts = {
        "out": options.out,
        "bytes": options.out.stat().st_size,
        "n_recordings": n,
    }
    if options.pdf:
        facts["pdf"] = paper
        said.append(f"{paper}: the same for paper")
    if options.figures is not None:
        facts["figures"] = options.figures
        n_figures = len(list(options.figures.rglob("*.svg")))
        said.append(f"{options.figures}: {n_figures} figures as SVG, PDF and CSV")
    with contextlib.suppress(OSError):  # the report is written, whoever reads this
        print("\n".join([*said, "next: open it in a browser"]), flush=True)
    return facts


def _report_of(options: argparse.Namespace) -> tuple[Report | StudyReport, int]:
    """The report of a study's folder, or of results, and of how many recordings."""
    from neurodrift.io.zarr import open_results
    from neurodrift.report import Report, check_results
    from neurodrift.studies.folder import is_study
    from neurodrift.studies.report.document import StudyReport

    studies = [path for path in options.results if is_study(path)]
    if studies:
        if len(options.results) > 1 or options.comparison is not None:
            raise ValueError(
                f"{studies[0]} is a study: its report takes no other results and no comparison"
            )
        study = StudyReport(studies[0], title=options.title)
        return study, study.n_recordings
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
    return Report(trees, comparison=comparison, title=options.title), len(trees)


def _export(options: argparse.Namespace) -> Facts | None:
    from neurodrift.io.nwb.results import export_results
    from neurodrift.io.zarr import open_results

    if options.table is not None or options.out.suffix in (".csv", ".parquet", ".mat"):
        return _export_table(options)
    results = open_results(options.results)
    path = export_results(
        results, options.out, session=options.session, overwrite=options.overwrite
    )
    print(f"{path}: tables in processing/neurodrift")
    return {"out": path}


_FIRST = ("subject", "environment", "session", "session_a", "session_b", "day", "training_step")
_TABLES = {"units": "tabulate_units", "sessions": "tabulate_sessions", "pairs": "tabulate_drift"}


@claiming("results")
def _export_table(options: argparse.Namespace) -> Facts:
    from neurodrift.analysis.regression import tables
    from neurodrift.io.tables import FORMATS, write_table
    from neurodrift.io.zarr import open_results

    if options.table is None:
        raise ValueError(f"{options.out} holds one table: add --table {', '.join(_TABLES)}")
    if options.out.suffix not in FORMATS:
        raise ValueError(f"--table writes {', '.join(FORMATS)}; {options.out} is none of them")
    table = getattr(tables, _TABLES[options.table])(open_results(options.results))
    if options.table != "units":  # a store does not keep the order of its variables
        first = [name for name in _FIRST if name in table]
        table = table[first + sorted(set(table) - set(first))]
    if options.session is not None:
        named = [name for name in ("session", "session_a", "session_b") if name in table]
        table = table[(table[named].astype(str) == options.session).any(axis=1)]
        if table.empty:
            raise ValueError(f"no session {options.session!r} in the table of {options.table}")
    write_table(table, options.out, overwrite=options.overwrite)
    rows, columns = table.shape
    print(f"{options.out}: {rows} rows, {columns} columns")
    return {"out": options.out, "rows": rows, "columns": [str(name) for name in table]}
