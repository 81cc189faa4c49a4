"""Commands for own data: ``convert arrays`` is in :mod:`neurodrift.cli.data`; here ``inspect``."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neurodrift.cli._options import add_overwrite


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    inspect = commands.add_parser("inspect", help="what files hold, and a mapping they suggest")
    inspect.add_argument("files", type=Path, nargs="+", help="files, or folders of a pipeline")
    inspect.add_argument("-o", "--out", type=Path, help="mapping.yaml to write the mapping to")
    add_overwrite(inspect)
    inspect.set_defaults(run=_inspect)


def convert_arrays(options: argparse.Namespace) -> None:
    """Run ``convert arrays``: write a template, or convert by a mapping."""
    from neurodrift.convert.own.arrays import convert, write_template

    if options.init:
        path = write_template(options.source or Path("mapping.yaml"), overwrite=options.overwrite)
        print(f"{path}: complete it, then neurodrift convert arrays {path} --out FOLDER")
        return
    if options.source is None or options.out is None:
        raise ValueError("expected a mapping and --out FOLDER; --init writes a mapping to complete")
    with said_plainly():
        files = convert(options.source, options.out, overwrite=options.overwrite, report=print)
    print(f"{len(files)} NWB files in {options.out}")


@contextmanager
def said_plainly() -> Iterator[None]:
    """Let warnings be one line each, without the line of code that raised them."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        try:
            yield
        finally:
            for text in dict.fromkeys(str(item.message) for item in found):
                print(f"warning: {text}")


def _inspect(options: argparse.Namespace) -> None:
    from neurodrift.convert.own.inspection import inspect_file, inspection_text, proposed_mapping
    from neurodrift.io.zarr import refuse_existing

    if options.out is not None:
        refuse_existing(options.out, options.overwrite)
    found = [inspect_file(path) for path in options.files]
    print(inspection_text(found))
    if options.out is None:
        print("\nA mapping to start from (-o FILE writes it):\n")
        print(proposed_mapping(found), end="")
        return
    options.out.write_text(proposed_mapping(found, options.out.parent), encoding="utf-8")
    print(f"\n{options.out}: complete what is '?' in it, then")
    print(f"neurodrift convert arrays {options.out} --out FOLDER")
