"""Commands from a recording to its results: ``analyze``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurodrift.cli._help import new_command
from neurodrift.cli._options import (
    add_binning,
    add_curation,
    add_out,
    add_overwrite,
    add_seed,
    add_workers,
    binning,
    claiming,
    give_memory_back,
    open_one,
    workers,
)
from neurodrift.cli._say import Facts, said_plainly
from neurodrift.io.tables import tidy

if TYPE_CHECKING:
    import xarray as xr


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    analyze = new_command(
        commands,
        "analyze",
        "compute every statistic of a recording",
        [
            "neurodrift analyze mouse.zarr -o results.zarr --track 0 96 --exclude-ends 8",
            "neurodrift analyze sweep.zarr --run 3 -o run3.zarr --measures sessions drift",
        ],
    )
    analyze.add_argument(
        "recording", type=Path, metavar="RECORDING", help="recording.zarr, or a sweep with --run"
    )
    analyze.add_argument(
        "--run", type=int, metavar="N", dest="number", help="number of the run of a sweep"
    )
    add_out(analyze, "results.zarr to write")
    analyze.add_argument(
        "--measures",
        nargs="+",
        metavar="NODE",
        help="nodes to compute, and those that they use (docs/nodes.md; default: all)",
    )
    add_binning(analyze)
    analyze.add_argument(
        "--smoothing",
        type=float,
        metavar="CM",
        help="standard deviation of the Gaussian over maps of drift [cm] (default: one bin)",
    )
    analyze.add_argument(
        "--min-events",
        type=int,
        default=5,
        metavar="N",
        help="fewest events of a cell that is tested",
    )
    analyze.add_argument(
        "--alpha", type=float, default=0.05, metavar="P", help="level of the test of place cells"
    )
    analyze.add_argument(
        "--n-repeats",
        type=int,
        default=200,
        metavar="N",
        help="subsamples that correct information for its bias",
    )
    analyze.add_argument(
        "--criterion",
        choices=("auto", "shuffle", "information"),
        default="auto",
        help="what makes a place cell: a shuffle test, or information without one; auto: "
        "information for noise-free activations",
    )
    analyze.add_argument(
        "--min-information",
        type=float,
        default=0.01,
        metavar="BITS",
        help="information above which a unit is informative [bit/event]",
    )
    analyze.add_argument(
        "--map-labels",
        choices=("given", "detect"),
        default="given",
        help="tell several maps of the environment apart by the recording's labels, or detect them",
    )
    analyze.add_argument(
        "--match",
        choices=("auto", "events", "time", "occupancy", "none"),
        default="auto",
        help="what is made equal in all sessions for a second look at each trend; auto: events "
        "where they are counted, otherwise time",
    )
    analyze.add_argument(
        "--n-draws",
        type=int,
        default=20,
        metavar="N",
        help="random draws that make sessions equal",
    )
    analyze.add_argument(
        "--threshold",
        type=float,
        default=0.0,
        metavar="X",
        help="of networks: activation above which a unit counts as active",
    )
    add_curation(analyze)
    add_seed(analyze)
    add_workers(analyze)
    add_overwrite(analyze)
    analyze.set_defaults(run=_analyze)


@claiming("recording", "curation")
def _analyze(options: argparse.Namespace) -> Facts:
    from neurodrift.analysis.analyze import analyze
    from neurodrift.analysis.summary import summary
    from neurodrift.io.zarr import refuse_other_kind, save_results

    give_memory_back()
    refuse_other_kind(options.out, "neurodrift results")
    recording = open_one(options.recording, options.number)
    with workers(options), said_plainly():
        results = analyze(
            recording,
            measures=options.measures,
            binning=binning(options),
            smoothing=options.smoothing,
            min_events=options.min_events,
            alpha=options.alpha,
            n_repeats=options.n_repeats,
            criterion=options.criterion,
            min_information=options.min_information,
            map_labels=options.map_labels,
            curation=options.curation,
            match=None if options.match == "none" else options.match,
            n_draws=options.n_draws,
            threshold=options.threshold,
            seed=options.seed,
            progress=True,
        )
    results.attrs["source"] = str(options.recording)
    save_results(results, options.out, overwrite=options.overwrite)
    print(summary(results))
    for line in caution_lines(results):
        print(line)
    print(f"\nresults in {options.out}")
    print(f"next: neurodrift report {options.out} -o {options.out.with_suffix('.html')}")
    return {
        "out": options.out,
        "nodes": list(results.children),
        "left_out": json.loads(results.attrs["left_out"]),
        "sessions": table_of(results, "sessions"),
        "regression": table_of(results, "regression"),
    }


_MOST_CAUTIONS = 5


def caution_lines(results: xr.DataTree) -> list[str]:
    """Headings of the report's cautions, the serious ones first.

    Parameters
    ----------
    results
        Result of :func:`neurodrift.analyze`.

    Returns
    -------
    list of str
        A line each, of which there are six at most; none where a report cannot be made.
    """
    from neurodrift.report.cautions import cautions
    from neurodrift.report.view import NEEDED, views

    if not set(NEEDED) <= set(results.children):
        return []
    found = [one for one in cautions(views(results)[0]) if one.level != "note"]
    if not found:
        return []
    shown = [f"  {one.level}: {one.title}" for one in found[:_MOST_CAUTIONS]]
    left = len(found) - len(shown)
    more = f" ({left} more)" if left else ""
    return [f"\ncautions{more}, which the report explains:", *shown]


def table_of(results: xr.DataTree, node: str) -> list[dict[str, Any]]:
    """Rows of a node over one or two dimensions, without what is no number."""
    if node not in results.children:
        return []
    table = tidy(results[node].to_dataset())
    return [
        {str(key): None if value != value else value for key, value in row.items()}
        for row in table.to_dict("records")
    ]
