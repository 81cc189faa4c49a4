"""Commands that lay recordings beside each other: ``compare``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurodrift.cli._help import new_command
from neurodrift.cli._options import (
    add_binning,
    add_out,
    add_overwrite,
    add_seed,
    add_workers,
    binning,
    claiming,
    kind_of_store,
    text,
    workers,
)
from neurodrift.cli._say import Facts

if TYPE_CHECKING:
    import xarray as xr

_MOST_RUNS = 30  # of a sweep without --runs: each takes about a minute to analyse
_SIMULATED_BINS = 50  # of a direction, as published for simulated tracks


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    compare = new_command(
        commands,
        "compare",
        "put recordings, results or simulations side by side",
        [
            "neurodrift compare mouse.zarr run.zarr -o comparison.html",
            "neurodrift compare --side mice m1.zarr m2.zarr --side networks sweep.zarr -o c.html",
        ],
        "Every STORE is one side: a recording or a run, which is analysed, results of\n"
        "'neurodrift analyze', or a sweep, whose runs are analysed. Several stores make one side\n"
        "with --side.",
    )
    compare.add_argument("stores", type=Path, nargs="*", metavar="STORE", help="one side each")
    compare.add_argument(
        "--side",
        nargs="+",
        action="append",
        default=[],
        metavar=("NAME", "STORE"),
        help="a side of several animals or runs; may be given again",
    )
    add_out(compare, "report.html to write")
    compare.add_argument(
        "--save", type=Path, metavar="STORE", help="comparison.zarr to write besides"
    )
    compare.add_argument(
        "--title", type=text, help="heading of the page (default: made from the sides)"
    )
    compare.add_argument(
        "--covariates",
        nargs="*",
        metavar="MEASURE",
        help="session measures that are controlled for (default: running_speed)",
    )
    compare.add_argument(
        "--method",
        choices=("subjects", "mixed"),
        default="subjects",
        help="several animals: t between them, or one slope with a random intercept for each",
    )
    compare.add_argument(
        "--within",
        choices=("ar1", "ols"),
        default="ar1",
        help="slope of one recording: over the autocorrelation of its sessions, or least squares",
    )
    compare.add_argument(
        "--level", type=float, default=0.95, metavar="P", help="coverage of the intervals"
    )
    add_seed(compare)
    analysis = compare.add_argument_group("analysis of recordings, where it is needed")
    analysis.add_argument(
        "--n-repeats",
        type=int,
        default=500,
        metavar="N",
        help="subsamples that correct information for its bias",
    )
    analysis.add_argument(
        "--runs", type=int, nargs="+", metavar="N", help="runs of a sweep (default: all)"
    )
    add_binning(compare)
    add_workers(compare)
    add_overwrite(compare)
    compare.set_defaults(run=_compare)


def _compare(options: argparse.Namespace) -> Facts | None:
    options.read = [*options.stores, *(p for _, *paths in options.side for p in paths)]
    return _compared(options)


@claiming("read", outputs=("out", "save"))
def _compared(options: argparse.Namespace) -> Facts:
    import xarray as xr

    from neurodrift.analysis.comparison.compare import compare, describe_statements
    from neurodrift.analysis.comparison.members import unique_name
    from neurodrift.io.zarr import save_results
    from neurodrift.report import write_report

    asked = [("", [path]) for path in options.stores]
    asked += [(name, [Path(path) for path in paths]) for name, *paths in options.side]
    empty = [name for name, paths in asked if not paths]
    if empty:
        raise ValueError(f"--side {empty[0]} has no store: give --side NAME STORE [STORE ...]")
    if len(asked) < 2:
        raise ValueError(
            "a comparison needs two sides: give two stores, or --side twice. For one group of "
            "recordings: `neurodrift study --init FOLDER -o study.yaml`, then `neurodrift study`"
        )
    for path in [path for _, paths in asked for path in paths]:
        _kind(path)  # before any analysis, which may take long

    sides: dict[str, dict[str, xr.DataTree]] = {}
    taken: set[str] = set()
    with workers(options):
        for name, paths in asked:
            trees = {}
            for path in paths:
                for label, tree in _results(path, options):
                    trees[unique_name(label, taken)] = tree
            name = name or (next(iter(trees)) if len(trees) == 1 else paths[0].stem)
            sides[unique_name(name, set(sides))] = trees
    comparison = compare(
        *sides.values(),
        names=list(sides),
        covariates=options.covariates,
        method=options.method,
        within=options.within,
        level=options.level,
        seed=options.seed,
    )
    if options.save is not None:
        stored = xr.DataTree.from_dict({"comparison": comparison})
        stored.attrs["title"] = "neurodrift comparison"
        save_results(stored, options.save, overwrite=options.overwrite)
    everything = {name: tree for trees in sides.values() for name, tree in trees.items()}
    write_report(
        everything,
        options.out,
        comparison=comparison,
        title=options.title,
        overwrite=options.overwrite,
    )
    print(describe_statements(comparison))
    print(f"\nreport in {options.out}")
    print("next: open it in a browser")
    return {"out": options.out, "store": options.save, "sides": list(sides)}


def _results(path: Path, options: argparse.Namespace) -> Iterator[tuple[str, xr.DataTree]]:
    """Named results of a store: those that it holds, or of the recordings that it holds."""
    from neurodrift.analysis.comparison.members import title_of
    from neurodrift.io.zarr import open_recording, open_results

    kind = _kind(path)
    if kind == "results":
        tree = open_results(path)
        yield title_of(tree), tree
    elif kind == "recording":
        yield _analyzed(open_recording(path), path, options)
    else:
        yield from (_analyzed(found, path, options) for found in _runs(path, options))


def _runs(path: Path, options: argparse.Namespace) -> Iterator[xr.Dataset]:
    from neurodrift.simulate.sweep import open_sweep

    sweep = open_sweep(path)
    runs = options.runs
    if runs is None:
        made = sweep.table["snapshots_made"].values
        runs = sweep.table["run"].values[made > 0].tolist()
        if len(runs) > _MOST_RUNS:
            raise ValueError(
                f"{path} holds {len(runs)} runs, more than {_MOST_RUNS} that are analysed in one "
                "go: choose some with --runs"
            )
        if len(runs) < made.size:
            print(f"{path}: {made.size - len(runs)} runs without a snapshot are left out")
    yield from (sweep.recording(run) for run in runs)


def _analyzed(
    recording: xr.Dataset, path: Path, options: argparse.Namespace
) -> tuple[str, xr.DataTree]:
    from neurodrift.analysis.analyze import analyze
    from neurodrift.analysis.comparison.members import title_of

    bins = binning(options)
    if recording["activity"].attrs["kind"] == "activation" and "x" in recording:
        bins = _simulated_binning(recording)
    print(f"analysing {title_of(recording)} of {path}", flush=True)
    results = analyze(
        recording,
        binning=bins,
        n_repeats=options.n_repeats,
        seed=options.seed,
        progress=True,
    )
    results.attrs["source"] = str(path)
    return title_of(results), results


def _simulated_binning(recording: xr.Dataset) -> Any:
    """The published number of bins over the part of the track that was visited."""
    import numpy as np

    from neurodrift.analysis.maps.binning import Binning

    x = recording["x"].values
    return Binning(edges=np.linspace(np.nanmin(x), np.nanmax(x), _SIMULATED_BINS + 1))


def _kind(path: Path) -> str:
    kind = kind_of_store(path)
    if not kind:
        raise ValueError(
            f"{path} is neither a recording, results nor a sweep of neurodrift: recordings come "
            "from 'neurodrift import', results from 'neurodrift analyze'"
        )
    return kind
