"""Commands that bring data in: ``convert``, ``import``."""

from __future__ import annotations

import argparse
from pathlib import Path

from neurodrift.cli._options import add_overwrite


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    convert = commands.add_parser("convert", help="data of a published format to NWB or tables")
    convert.add_argument("format", choices=_formats(), help="format of the source")
    convert.add_argument("source", type=Path, nargs="?", help="data set or mapping")
    convert.add_argument("--out", type=Path, help="folder for the files")
    convert.add_argument("--init", action="store_true", help="arrays: write a mapping to complete")
    add_overwrite(convert)
    convert.set_defaults(run=_convert)

    load = commands.add_parser("import", help="NWB files of one subject to a recording")
    load.add_argument("files", type=Path, nargs="+", help="NWB files, one for each session")
    load.add_argument("-o", "--out", type=Path, required=True, help="recording.zarr to write")
    load.add_argument("--series", help="activity to take, where a file holds several")
    load.add_argument("--position", help="position to take, where a file holds several")
    load.add_argument("--speed", help="speed to take, where a file holds several")
    load.add_argument("--join-on", help="column of the units' identities; registered_cell_id")
    load.add_argument(
        "--environment", help="environment, where the files do not tell it or hold several"
    )
    load.add_argument("--region", help="brain region of the units to take; all")
    load.add_argument(
        "--sessions-from",
        default="file",
        metavar="TABLE",
        help="table of intervals whose rows are sessions: epochs, trials, ...; one for each file",
    )
    load.add_argument(
        "--values",
        choices=("events", "amplitudes"),
        default="events",
        help="count calcium events (default), or keep their amplitudes",
    )
    add_overwrite(load)
    load.set_defaults(run=_import)


def _formats() -> list[str]:
    from neurodrift.convert import CONVERTERS, WITHOUT_CONVERTER

    return sorted([*CONVERTERS, *WITHOUT_CONVERTER])


def _convert(options: argparse.Namespace) -> None:
    from neurodrift.cli.own_data import convert_arrays
    from neurodrift.convert import converter

    if options.format == "arrays":
        convert_arrays(options)
        return
    if options.init or options.source is None or options.out is None:
        raise ValueError(f"convert {options.format} needs a source and --out FOLDER, and no --init")
    convert = converter(options.format)
    files = convert(options.source, options.out, overwrite=options.overwrite)
    print(f"{len(files)} files in {options.out}")


def _import(options: argparse.Namespace) -> None:
    from neurodrift.cli.own_data import said_plainly
    from neurodrift.io.nwb.read import import_nwb
    from neurodrift.io.zarr import refuse_existing, save_recording

    refuse_existing(options.out, options.overwrite)
    with said_plainly():
        recording = import_nwb(
            options.files,
            series=options.series,
            position=options.position,
            speed=options.speed,
            values=options.values,
            join_on=options.join_on or "registered_cell_id",
            environment=options.environment,
            region=options.region,
            sessions_from=options.sessions_from,
        )
    save_recording(recording, options.out, overwrite=options.overwrite)
    sizes = recording.sizes
    print(
        f"{options.out}: {sizes['session']} sessions, {sizes['unit']} units, {sizes['time']} frames"
    )
