"""The command ``neurodrift``: parse, call, save."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from neurodrift import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments
        Words after ``neurodrift``; those of the process when omitted.

    Returns
    -------
    int
        0, or 2 after an error that the user can mend, which is printed in one message.
    """
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (ValueError, TypeError, OSError) as error:
        if options.debug:
            raise
        print(f"neurodrift {options.command}: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="neurodrift",
        description="Representational drift in recorded and simulated populations.",
    )
    parser.add_argument("--version", action="version", version=f"neurodrift {__version__}")
    parser.add_argument("--debug", action="store_true", help="show where an error was raised")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    convert = commands.add_parser("convert", help="data of a published format to NWB files")
    convert.add_argument("format", choices=_formats(), help="format of the source")
    convert.add_argument("source", type=Path, help="data set, or a part of it")
    convert.add_argument("--out", type=Path, required=True, help="folder for the NWB files")
    convert.set_defaults(run=_convert)

    load = commands.add_parser("import", help="NWB files of one subject to a recording")
    load.add_argument("files", type=Path, nargs="+", help="NWB files, one for each session")
    load.add_argument("-o", "--out", type=Path, required=True, help="recording.zarr to write")
    load.add_argument("--series", help="activity to take, where a file holds several")
    load.add_argument("--position", help="position to take, where a file holds several")
    load.add_argument("--speed", help="speed to take, where a file holds several")
    load.add_argument("--join-on", help="column of the units' identities; registered_cell_id")
    load.add_argument("--environment", help="environment, where the files do not tell it")
    load.add_argument(
        "--values",
        choices=("events", "amplitudes"),
        default="events",
        help="count calcium events (default), or keep their amplitudes",
    )
    load.set_defaults(run=_import)

    analyze = commands.add_parser("analyze", help="every statistic of a recording")
    analyze.add_argument("recording", type=Path, help="recording.zarr")
    analyze.add_argument("-o", "--out", type=Path, required=True, help="results.zarr to write")
    _add_binning(analyze)
    analyze.add_argument("--smoothing", type=float, help="of maps for drift [cm]; one bin")
    analyze.add_argument("--min-events", type=int, default=5, help="for the place-cell test; 5")
    analyze.add_argument("--alpha", type=float, default=0.05, help="level of that test; 0.05")
    analyze.add_argument("--repetitions", type=int, default=500, help="subsamples for SSR, BAE")
    analyze.add_argument("--seed", type=int, default=0)
    _add_workers(analyze)
    analyze.set_defaults(run=_analyze)

    simulate = commands.add_parser("simulate", help="train a network and record its hidden layer")
    _add_settings(simulate)
    simulate.add_argument("-o", "--out", type=Path, required=True, help="run.zarr to write")
    simulate.add_argument("--checkpoint", type=Path, help="file to save to and to resume from")
    simulate.set_defaults(run=_simulate)

    sweep = commands.add_parser("sweep", help="many networks over ranges of settings; resumes")
    _add_settings(sweep)
    sweep.add_argument("-o", "--out", type=Path, required=True, help="sweep.zarr to write")
    _add_workers(sweep, "processes")
    sweep.set_defaults(run=_sweep)

    demo = commands.add_parser("demo", help="the whole path on a synthetic mouse, with its truth")
    demo.add_argument("--out", type=Path, default=Path("neurodrift-demo"), help="folder to write")
    demo.add_argument("--seed", type=int, default=0)
    demo.set_defaults(run=_demo)

    for command in (convert, load, analyze, simulate, sweep, demo):
        command.add_argument("--overwrite", action="store_true", help="replace what exists")
    return parser


def _add_binning(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("frames and bins")
    group.add_argument("--bin-width", type=float, default=4.0, help="[cm]; 4")
    group.add_argument("--track", type=float, nargs=2, metavar=("START", "END"), help="ends [cm]")
    group.add_argument("--exclude-ends", type=float, default=0.0, help="left out at each end [cm]")
    group.add_argument(
        "--speed", type=float, nargs=2, metavar=("LOW", "HIGH"), help="[cm/s]; from 1 up"
    )
    group.add_argument("--min-occupancy", type=float, default=0.0, help="of a bin [s]; 0")
    group.add_argument(
        "--directions",
        action=argparse.BooleanOptionalAction,
        help="running directions apart; yes on a linear track",
    )


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("settings", metavar="NAME_OR_YAML", help="YAML file, or a published name")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="instead of the file's value, such as n_steps=1e5 or rule.update_noise=0.1",
    )


def _add_workers(parser: argparse.ArgumentParser, kind: str = "threads") -> None:
    group = parser.add_argument_group("workers")
    group.add_argument("--scheduler", help="address of a Dask scheduler, tcp://host:port")
    group.add_argument("--workers", type=int, help=f"{kind} without a scheduler; all cores")


@contextmanager
def _workers(options: argparse.Namespace) -> Iterator[None]:
    import dask

    if options.scheduler is not None:
        from distributed import Client

        with Client(options.scheduler):
            yield
    else:
        with dask.config.set(scheduler="threads", num_workers=options.workers):
            yield


def _formats() -> list[str]:
    from neurodrift.convert import CONVERTERS

    return sorted(CONVERTERS)


def _convert(options: argparse.Namespace) -> None:
    from neurodrift.convert import converter

    convert = converter(options.format)
    files = convert(options.source, options.out, overwrite=options.overwrite)
    print(f"{len(files)} NWB files in {options.out}")


def _import(options: argparse.Namespace) -> None:
    from neurodrift.io.nwb import import_nwb
    from neurodrift.io.zarr import refuse_existing, save_recording

    refuse_existing(options.out, options.overwrite)
    recording = import_nwb(
        options.files,
        series=options.series,
        position=options.position,
        speed=options.speed,
        values=options.values,
        join_on=options.join_on or "registered_cell_id",
        environment=options.environment,
    )
    save_recording(recording, options.out, overwrite=options.overwrite)
    sizes = recording.sizes
    print(
        f"{options.out}: {sizes['session']} sessions, {sizes['unit']} units, {sizes['time']} frames"
    )


def _analyze(options: argparse.Namespace) -> None:
    from neurodrift.analysis.pipeline import analyze, summary
    from neurodrift.io.zarr import open_recording, refuse_existing, save_results

    refuse_existing(options.out, options.overwrite)
    recording = open_recording(options.recording)
    with _workers(options):
        results = analyze(
            recording,
            binning=_binning(options),
            smoothing=options.smoothing,
            min_events=options.min_events,
            alpha=options.alpha,
            repetitions=options.repetitions,
            seed=options.seed,
            progress=True,
        )
    results.attrs["source"] = str(options.recording)
    save_results(results, options.out, overwrite=options.overwrite)
    print(summary(results))
    print(f"\nresults in {options.out}")


def _binning(options: argparse.Namespace) -> Any:
    import numpy as np

    from neurodrift.analysis.binning import Binning

    edges = None
    if options.track is not None:
        start, end = options.track
        n_bins = round((end - start) / options.bin_width)
        if n_bins < 1 or not np.isclose(start + n_bins * options.bin_width, end):
            raise ValueError(
                f"--track {start:g} {end:g} is not a whole number of bins of "
                f"{options.bin_width:g} cm: change --bin-width or the ends"
            )
        edges = np.linspace(start, end, n_bins + 1)
    return Binning(
        width=options.bin_width,
        edges=edges,
        exclude_ends=options.exclude_ends,
        speed_range=None if options.speed is None else tuple(options.speed),
        directions=options.directions,
        min_occupancy=options.min_occupancy,
    )


def _changes(options: argparse.Namespace) -> dict[str, Any]:
    from neurodrift.simulate._config_files import parse_change

    return dict(parse_change(text) for text in options.set)


def _simulate(options: argparse.Namespace) -> None:
    from neurodrift.io.zarr import refuse_existing
    from neurodrift.simulate.run_store import save_run
    from neurodrift.simulate.settings import load_settings

    refuse_existing(options.out, options.overwrite)
    settings = load_settings(options.settings, _changes(options))
    run = settings.train(checkpoint=options.checkpoint)
    save_run(run, settings, options.out, overwrite=options.overwrite)
    measures = run.measures
    loss, active = measures["loss"].values, measures["fraction_active_units"].values
    print(f"{options.out}: {run.reason} after {measures.attrs['steps_made']} steps")
    print(f"loss {loss[0]:.3g} to {loss[-1]:.3g}, active units {active[0]:.2f} to {active[-1]:.2f}")


def _sweep(options: argparse.Namespace) -> None:
    from collections import Counter

    from neurodrift.simulate.sweep import open_sweep, run_sweep
    from neurodrift.simulate.sweep_config import load_sweep

    config = load_sweep(options.settings, _changes(options))
    same: dict[str, Any] = {"overwrite": options.overwrite, "progress": True}
    if options.scheduler is not None:
        from distributed import Client

        with Client(options.scheduler) as client:
            run_sweep(config, options.out, client=client, **same)
    else:
        run_sweep(config, options.out, n_workers=options.workers, **same)
    reasons = Counter(open_sweep(options.out).table["reason"].values.tolist())
    counts = ", ".join(f"{n} {reason}" for reason, n in reasons.most_common())
    print(f"{options.out}: {len(config.runs)} runs: {counts}")


def _demo(options: argparse.Namespace) -> None:
    from neurodrift.demo import run_demo

    print(run_demo(options.out, seed=options.seed, overwrite=options.overwrite))


if __name__ == "__main__":
    sys.exit(main())
