"""Commands that bring data in: ``inspect``, ``convert``, ``import``."""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from neurodrift.cli._help import new_command
from neurodrift.cli._options import (
    add_curation,
    add_out,
    add_overwrite,
    add_scheduler,
    claiming,
    give_memory_back,
    kind_of_store,
    on_scheduler,
)
from neurodrift.cli._say import Facts, said_plainly
from neurodrift.convert import CONVERTERS

if TYPE_CHECKING:
    import xarray as xr


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    inspect = new_command(
        commands,
        "inspect",
        "say what files hold, and what to do with them",
        [
            "neurodrift inspect day1.nwb",
            "neurodrift inspect position_1.csv spikes_1.mat cellRegistered.mat -o mapping.yaml",
        ],
        "Of NWB files it prints the import command, of other files a mapping for\n"
        "'convert arrays', of a recording a curation file to start from.",
    )
    inspect.add_argument(
        "files",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="files, folders of a pipeline, or recording.zarr",
    )
    add_out(inspect, "file to write the mapping or the curation to", needed=False)
    add_overwrite(inspect)
    inspect.set_defaults(run=_inspect)

    convert = new_command(
        commands,
        "convert",
        "make NWB files of your arrays or of a published data set",
        [
            "neurodrift convert arrays mapping.yaml -o nwb",
            "neurodrift convert sheintuch2020 multiple_maps/Data -o nwb",
        ],
    )
    convert.add_argument(
        "format", metavar="FORMAT", help=f"format of the source: {', '.join(sorted(CONVERTERS))}"
    )
    convert.add_argument(
        "source", type=Path, nargs="?", metavar="SOURCE", help="folder of the data set, or mapping"
    )
    add_out(convert, "folder for the files", needed=False)
    convert.add_argument(
        "--init",
        nargs="?",
        const="mapping.yaml",
        metavar="MAPPING",
        help="with arrays: write a mapping to complete (default: mapping.yaml)",
    )
    add_scheduler(convert)
    add_overwrite(convert)
    convert.set_defaults(run=_convert)

    load = new_command(
        commands,
        "import",
        "make one recording of the NWB files of an animal",
        [
            "neurodrift import day1.nwb day2.nwb day3.nwb -o mouse.zarr",
            "neurodrift import day4.nwb -o mouse.zarr --append",
        ],
    )
    load.add_argument(
        "files", type=Path, nargs="+", metavar="FILE", help="NWB files, one for each session"
    )
    add_out(load, "recording.zarr to write")
    load.add_argument(
        "--detection",
        choices=["together", "each_session"],
        help="how it was decided which cells a session has, where the files do not tell it: from "
        "all sessions together, or in each session by itself, so that others were silent",
    )
    load.add_argument(
        "--series",
        action="append",
        metavar="NAME",
        help="activity to take, where a file holds several; twice for planes imaged together",
    )
    load.add_argument(
        "--position",
        action="append",
        metavar="NAME",
        help="position to take, where a file holds several; twice for its axes or its stretches",
    )
    load.add_argument(
        "--position-unit",
        metavar="UNIT",
        help="unit of length of the position, instead of the file's: cm, m, mm",
    )
    load.add_argument(
        "--geometry",
        metavar="SHAPE",
        help="linear, field, circular:LENGTH, vr:LENGTH [cm], circular:360deg, category:A,B, or a "
        "JSON file with a graph; where it is not told, it is proposed from the positions",
    )
    load.add_argument(
        "--speed", metavar="SERIES", help="running speed to take, where a file holds several"
    )
    load.add_argument(
        "--join-on",
        metavar="COLUMN",
        help="column of the units' identities (default: registered_cell_id)",
    )
    load.add_argument(
        "--environment",
        metavar="NAME",
        help="environment, where the files do not tell it or hold several",
    )
    load.add_argument(
        "--region", metavar="NAME", help="brain region of the units to take (default: all)"
    )
    load.add_argument(
        "--units",
        metavar="QUERY",
        help="units to take, such as \"quality == 'good'\", or all (default: those that the "
        "file's own curation keeps)",
    )
    load.add_argument(
        "--epoch",
        metavar="NAME",
        help="label, tag or table of the epochs to take, or all; needed where there are several",
    )
    load.add_argument(
        "--frame-rate",
        type=float,
        metavar="HZ",
        help="frames a second in which spikes or events are counted (default: the position's)",
    )
    load.add_argument(
        "--accept",
        nargs="+",
        default=[],
        metavar="NAME",
        help="findings that are taken as true; errors name them",
    )
    load.add_argument(
        "--sessions-from",
        metavar="TABLE",
        help="table of intervals whose rows are sessions, such as epochs (default: a file is one)",
    )
    load.add_argument(
        "--lag",
        nargs="+",
        action="extend",
        default=[],
        metavar="SECONDS",
        help="by how much activity comes after position [s], which is put in step: one number for "
        "all sessions, or SESSION=SECONDS for some; negative where it comes before",
    )
    load.add_argument(
        "--values",
        choices=("events", "amplitudes"),
        help="count calcium events (default), or keep their amplitudes",
    )
    add_curation(load)
    load.add_argument(
        "--append",
        action="store_true",
        help="add sessions of later days to the recording that is there, with its options",
    )
    add_scheduler(load)
    add_overwrite(load)
    load.set_defaults(run=_import)


@on_scheduler
def _convert(options: argparse.Namespace) -> Facts:
    from neurodrift.convert import converter

    if options.init == "arrays" and options.source is None:  # --init before the format
        options.format, options.source, options.init = "arrays", Path(options.format), "-"
    if options.format == "arrays":
        return _convert_arrays(options)
    if options.init or options.source is None or options.out is None:
        raise ValueError(f"convert {options.format} needs a source and --out FOLDER, and no --init")
    convert = converter(options.format)
    files = convert(options.source, options.out, overwrite=options.overwrite)
    print(f"{len(files)} files in {options.out}")
    return {"out": options.out, "files": files}
    _say_lag_of_files(files)


@on_scheduler
def _import(options: argparse.Namespace) -> Facts:
    from neurodrift.curation import describe_curation
    from neurodrift.gate.identities import identity_findings
    from neurodrift.gate.shapes import describe_geometry
    from neurodrift.io.nwb.parts import OPTIONS
    from neurodrift.io.nwb.store import import_to_store
    from neurodrift.io.zarr import open_recording

    give_memory_back()
    shape = options.geometry
    if shape is not None and shape.endswith(".json"):
        shape = Path(shape).read_text(encoding="utf-8")
    with said_plainly():
        import_to_store(
            options.files,
            options.out,
            append=options.append,
            overwrite=options.overwrite,
            progress=True,
            accept=options.accept,
            lag=_lag(options.lag),
            curation=options.curation,
            **{name: getattr(options, name) for name in OPTIONS}
            | {"geometry": shape, "series": _one_or_more(options.series)},
        )
    recording = open_recording(options.out)
    sizes = recording.sizes
    print(
        f"{options.out}: {sizes['session']} sessions, {sizes['unit']} units, {sizes['time']} frames"
    )
    for item in identity_findings(recording["detected"].values):
        print(f"warning: {item.text}")
    for text in describe_curation(recording.attrs):
        print(text)
    if "x" in recording:
        print(describe_geometry(recording))
    _say_lag(recording)
    results = options.out.with_name(f"{options.out.stem}-results.zarr")
    print(f"next: neurodrift analyze {options.out} -o {results}")
    return {"out": options.out, "sizes": {str(name): n for name, n in sizes.items()}}


def _one_or_more(named: list[str] | None) -> str | list[str] | None:
    """What an option that may be given twice says: most often one name."""
    return named[0] if named is not None and len(named) == 1 else named


def _lag(told: list[str]) -> float | dict[str, float]:
    """What ``--lag`` says: seconds, or seconds by session."""
    by_session, everywhere = {}, []
    for text in told:
        name, equals, seconds = text.rpartition("=")
        try:
            value = float(seconds)
        except ValueError:
            raise ValueError(f"--lag {text}: expected SECONDS or SESSION=SECONDS") from None
        if equals:
            by_session[name] = value
        else:
            everywhere.append(value)
    if len(everywhere) + bool(by_session) > 1:
        raise ValueError("--lag: expected one number for all sessions, or SESSION=SECONDS for each")
    return everywhere[0] if everywhere else by_session


def _say_lag(recording: xr.Dataset) -> None:
    """Print whether activity and position are in step."""
    from neurodrift.analysis.quality.lag import check_lag, describe_lag, lag_warnings

    if "x" not in recording or recording["activity"].attrs["kind"] == "activation":
        return
    found = check_lag(recording)
    print(describe_lag(found))
    for text in lag_warnings(found):
        print(f"warning: {text}")


def _say_lag_of_files(files: list[Path]) -> None:
    """The same for the sessions that a converter wrote."""
    from neurodrift.analysis.quality.lag import OUT_OF_STEP, check_lag, lag_warnings
    from neurodrift.io.nwb.read import read_session

    odd, unread = 0, {}
    for path in (path for path in files if path.suffix == ".nwb"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the gate, which spoke when the file was made
            try:
                recording = read_session(path, accept=["*"], lazy=True)
            except ValueError as error:  # has no position, or is to be read with options
                unread[path.name] = str(error).splitlines()[0]
                continue
        found = check_lag(recording)
        odd += int((found["verdict"] == OUT_OF_STEP).sum())
        for text in lag_warnings(found):
            print(f"warning: {path.name}: {text}")
    if odd:
        print(f"{odd} of {len(files)} files are out of step; see docs/gate.md, Lag")
    for name, why in unread.items():
        print(f"not looked at whether activity and position are in step: {name} ({why})")


def _convert_arrays(options: argparse.Namespace) -> Facts:
    """Run ``convert arrays``: write a template, or convert by a mapping."""
    from neurodrift.convert.own.arrays import convert, write_template

    if options.init:
        path = write_template(options.source or Path(options.init), overwrite=options.overwrite)
        print(f"{path}: complete it, then neurodrift convert arrays {path} -o FOLDER")
        return {"out": path}
    if options.source is None or options.out is None:
        raise ValueError("expected a mapping and --out FOLDER; --init writes a mapping to complete")
    give_memory_back()
    with said_plainly():
        files = convert(options.source, options.out, overwrite=options.overwrite, report=print)
    print(f"{len(files)} NWB files in {options.out}")
    _say_lag_of_files(files)
    print(f"next: neurodrift import {options.out}/*.nwb -o recording.zarr")
    return {"out": options.out, "files": files}


@claiming("files")
def _inspect(options: argparse.Namespace) -> Facts | None:
    from neurodrift.convert.own.arrays import write_mapping
    from neurodrift.convert.own.inspection import inspect_file, inspection_text, proposed_mapping

    if any((path / "zarr.json").is_file() and kind_of_store(path) for path in options.files):
        return _inspect_store(options)
    if all(path.suffix == ".nwb" for path in options.files):
        from neurodrift.io.nwb.inspect import inspect_nwb

        text = inspect_nwb(options.files)
        print(text)
        return {"text": text}
    found = [inspect_file(path) for path in options.files]
    print(inspection_text(found))
    if options.out is None:
        print("\nA mapping to start from (-o FILE writes it):\n")
        text = proposed_mapping(found)
        print(text, end="")
        return {"mapping": text}
    text = proposed_mapping(found, options.out.parent)
    write_mapping(text, options.out, overwrite=options.overwrite)
    print(f"\n{options.out}: complete what is '?' in it, then")
    print(f"neurodrift convert arrays {options.out} -o FOLDER")
    return {"out": options.out, "mapping": text}


def _inspect_store(options: argparse.Namespace) -> Facts:
    """Propose a curation file for a recording."""
    from neurodrift.curation import proposed_curation
    from neurodrift.io.output import whole
    from neurodrift.io.zarr import open_recording

    if len(options.files) > 1:
        raise ValueError("inspect takes one recording at a time")
    (path,) = options.files
    text = proposed_curation(open_recording(path), path.name)
    if options.out is None:
        print(text, end="")
        return {"curation": text}
    first = text.partition(" of ")[0]
    with whole(
        options.out,
        overwrite=options.overwrite,
        what="curation",
        is_ours=lambda path: path.read_bytes().startswith(first.encode()),
    ) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
    print(f"{options.out}: complete it, then")
    print(f"neurodrift analyze {path} --curation {options.out} -o RESULTS.zarr")
    return {"out": options.out, "curation": text}
