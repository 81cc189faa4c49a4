"""Commands from a recording to its results: ``analyze``."""

from __future__ import annotations

import argparse
from pathlib import Path

from neurodrift.cli._options import (
    add_binning,
    add_curation,
    add_overwrite,
    add_workers,
    binning,
    claiming,
    give_memory_back,
    open_one,
    workers,
)


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    analyze = commands.add_parser("analyze", help="every statistic of a recording")
    analyze.add_argument("recording", type=Path, help="recording.zarr, or a sweep with --run")
    analyze.add_argument("--run", type=int, metavar="N", dest="number", help="run of a sweep")
    analyze.add_argument("-o", "--out", type=Path, required=True, help="results.zarr to write")
    analyze.add_argument(
        "--measures", nargs="+", metavar="NODE", help="nodes to compute, see docs/nodes.md; all"
    )
    add_binning(analyze)
    analyze.add_argument("--smoothing", type=float, help="of maps for drift [cm]; one bin")
    analyze.add_argument("--min-events", type=int, default=5, help="for the place-cell test; 5")
    analyze.add_argument("--alpha", type=float, default=0.05, help="level of that test; 0.05")
    analyze.add_argument("--n-repeats", type=int, default=500, help="subsamples for SSR, BAE")
    analyze.add_argument(
        "--criterion",
        choices=("auto", "shuffle", "information"),
        default="auto",
        help="what makes a place cell: a shuffle test, or information without one; auto: "
        "information for noise-free activations",
    )
    analyze.add_argument(
        "--min-information", type=float, default=0.01, help="of an informative unit [bit/event]"
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
        help="what is made equal in all sessions before a trend, beside the raw one; auto: events "
        "where they are counted, otherwise time",
    )
    analyze.add_argument("--n-draws", type=int, default=20, help="random draws of that; 20")
    add_curation(analyze)
    analyze.add_argument("--seed", type=int, default=0)
    add_workers(analyze)
    add_overwrite(analyze)
    analyze.set_defaults(run=_analyze)


@claiming("recording", "curation")
def _analyze(options: argparse.Namespace) -> None:
    from neurodrift.analysis.analyze import analyze, summarize
    from neurodrift.io.zarr import refuse_other_kind, save_results

    give_memory_back()
    refuse_other_kind(options.out, "neurodrift results")
    recording = open_one(options.recording, options.number)
    with workers(options):
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
            seed=options.seed,
            progress=True,
        )
    results.attrs["source"] = str(options.recording)
    save_results(results, options.out, overwrite=options.overwrite)
    print(summarize(results))
    print(f"\nresults in {options.out}")
