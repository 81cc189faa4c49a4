"""Commands that bring data in: ``inspect``, ``convert``, ``import``."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from neurodrift.cli._options import (
    add_curation,
    add_overwrite,
    claiming,
    give_memory_back,
    kind_of_store,
)
from neurodrift.convert import CONVERTERS

if TYPE_CHECKING:
    import xarray as xr


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    inspect = commands.add_parser("inspect", help="what files hold, and a mapping they suggest")
    inspect.add_argument(
        "files", type=Path, nargs="+", help="files, folders of a pipeline, or recording.zarr"
    )
    inspect.add_argument("-o", "--out", type=Path, help="mapping.yaml to write the mapping to")
    add_overwrite(inspect)
    inspect.set_defaults(run=_inspect)

    convert = commands.add_parser("convert", help="data of a published format to NWB or tables")
    convert.add_argument(
        "format", metavar="FORMAT", help=f"format of the source: {', '.join(sorted(CONVERTERS))}"
    )
    convert.add_argument("source", type=Path, nargs="?", help="data set or mapping")
    convert.add_argument("--out", type=Path, help="folder for the files")
    convert.add_argument("--init", action="store_true", help="arrays: write a mapping to complete")
    add_overwrite(convert)
    convert.set_defaults(run=_convert)

    load = commands.add_parser("import", help="NWB files of one subject to a recording")
    load.add_argument("files", type=Path, nargs="+", help="NWB files, one for each session")
    load.add_argument("-o", "--out", type=Path, required=True, help="recording.zarr to write")
    load.add_argument(
        "--detection",
        choices=["together", "each_session"],
        help="how it was decided which cells a session has, where the files do not tell it: from "
        "all sessions together, or in each session by itself, so that others were silent",
    )
    load.add_argument(
        "--series",
        action="append",
        help="activity to take, where a file holds several; twice for planes imaged together",
    )
    load.add_argument(
        "--position",
        action="append",
        help="position to take, where a file holds several; twice for its axes or its stretches",
    )
    load.add_argument(
        "--position-unit", help="unit of length of the position, instead of the file's: cm, m, mm"
    )
    load.add_argument(
        "--geometry",
        metavar="SHAPE",
        help="linear, field, circular:LENGTH, vr:LENGTH [cm], circular:360deg, category:A,B, or a "
        "JSON file with a graph; where it is not told, it is proposed from the positions",
    )
    load.add_argument("--speed", help="speed to take, where a file holds several")
    load.add_argument("--join-on", help="column of the units' identities; registered_cell_id")
    load.add_argument(
        "--environment", help="environment, where the files do not tell it or hold several"
    )
    load.add_argument("--region", help="brain region of the units to take; all")
    load.add_argument(
        "--units",
        metavar="QUERY",
        help="units to take, such as \"quality == 'good'\", or all; those that the file's own "
        "curation keeps",
    )
    load.add_argument(
        "--epoch", help="label, tag or table of the epochs to take, or all; needed for several"
    )
    load.add_argument(
        "--frame-rate",
        type=float,
        metavar="HZ",
        help="frames a second of the grid that spikes or events are counted in; the position's",
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
        help="table of intervals whose rows are sessions: epochs, trials, ...; one for each file",
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
    add_overwrite(load)
    load.set_defaults(run=_import)


def _convert(options: argparse.Namespace) -> None:
    from neurodrift.convert import converter

    if options.format == "arrays":
        _convert_arrays(options)
        return
    if options.init or options.source is None or options.out is None:
        raise ValueError(f"convert {options.format} needs a source and --out FOLDER, and no --init")
    convert = converter(options.format)
    files = convert(options.source, options.out, overwrite=options.overwrite)
    print(f"{len(files)} files in {options.out}")
    _say_lag_of_files(files)


def _import(options: argparse.Namespace) -> None:
    from neurodrift.curation import describe_curation
    from neurodrift.gate.shapes import describe_geometry
    from neurodrift.io.nwb.parts import OPTIONS
    from neurodrift.io.nwb.store import import_to_store
    from neurodrift.io.zarr import open_recording

    give_memory_back()
    shape = options.geometry
    if shape is not None and shape.endswith(".json"):
        shape = Path(shape).read_text(encoding="utf-8")
    with _said_plainly():
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
    for text in describe_curation(recording.attrs):
        print(text)
    if "x" in recording:
        print(describe_geometry(recording))
    _say_lag(recording)


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


def _convert_arrays(options: argparse.Namespace) -> None:
    """Run ``convert arrays``: write a template, or convert by a mapping."""
    from neurodrift.convert.own.arrays import convert, write_template

    if options.init:
        path = write_template(options.source or Path("mapping.yaml"), overwrite=options.overwrite)
        print(f"{path}: complete it, then neurodrift convert arrays {path} --out FOLDER")
        return
    if options.source is None or options.out is None:
        raise ValueError("expected a mapping and --out FOLDER; --init writes a mapping to complete")
    give_memory_back()
    with _said_plainly():
        files = convert(options.source, options.out, overwrite=options.overwrite, report=print)
    print(f"{len(files)} NWB files in {options.out}")
    _say_lag_of_files(files)


@contextmanager
def _said_plainly() -> Iterator[None]:
    """Let warnings be one line each, without the line of code that raised them."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        try:
            yield
        finally:
            for text in dict.fromkeys(str(item.message) for item in found):
                print(f"warning: {text}")


@claiming("files")
def _inspect(options: argparse.Namespace) -> None:
    from neurodrift.convert.own.arrays import write_mapping
    from neurodrift.convert.own.inspection import inspect_file, inspection_text, proposed_mapping

    if any((path / "zarr.json").is_file() and kind_of_store(path) for path in options.files):
        _inspect_store(options)
        return
    if all(path.suffix == ".nwb" for path in options.files):
        from neurodrift.io.nwb.inspect import inspect_nwb

        print(inspect_nwb(options.files))
        return
    found = [inspect_file(path) for path in options.files]
    print(inspection_text(found))
    if options.out is None:
        print("\nA mapping to start from (-o FILE writes it):\n")
        print(proposed_mapping(found), end="")
        return
    text = proposed_mapping(found, options.out.parent)
    write_mapping(text, options.out, overwrite=options.overwrite)
    print(f"\n{options.out}: complete what is '?' in it, then")
    print(f"neurodrift convert arrays {options.out} --out FOLDER")


def _inspect_store(options: argparse.Namespace) -> None:
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
        return
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
