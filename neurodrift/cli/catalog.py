"""The command ``catalog``: public data sets and named simulations."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from neurodrift.cli._help import new_command
from neurodrift.cli._options import add_overwrite
from neurodrift.cli._say import Facts


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    catalog = new_command(
        commands,
        "catalog",
        "list public data sets and published simulations, and fetch data",
        ["neurodrift catalog list", "neurodrift catalog fetch sheintuch2020 -o data"],
    )
    actions = catalog.add_subparsers(
        dest="action", required=True, metavar="ACTION", help="list, show NAME or fetch NAME"
    )
    actions.add_parser("list", help="what there is").set_defaults(run=_list)
    show = actions.add_parser("show", help="citation, licence, access and files of a data set")
    show.add_argument("name", metavar="NAME", help="name of the data set, as in the list")
    show.set_defaults(run=_show)
    fetch = actions.add_parser("fetch", help="download a data set; resumes and verifies")
    fetch.add_argument("name", metavar="NAME", help="name of the data set, as in the list")
    fetch.add_argument(
        "-o", "--out", type=Path, metavar="FOLDER", help="folder to write (default: the name)"
    )
    add_overwrite(fetch)
    fetch.set_defaults(run=_fetch)


def _list(options: argparse.Namespace) -> Facts:
    from neurodrift.catalog import data_sets, priors, simulations

    rows = [("data set", "access", "size", "convert", "")]
    for name, found in data_sets().items():
        rows.append((name, found.access, _size(found.size), found.converter or "-", found.title))
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        print("  ".join([*cells, row[4]]).rstrip())
    print("\nsimulations, for neurodrift simulate and sweep")
    for name, description in simulations().items():
        print(f"{name}: {_first_sentence(description)}")
    print("\npriors of learning rules, for neurodrift simulate-prior")
    for name, description in priors().items():
        print(f"{name}: {_first_sentence(description)}")
    return {"data_sets": list(data_sets()), "simulations": simulations(), "priors": priors()}


def _first_sentence(description: str) -> str:
    return re.split(r"\.(?=\s+[A-Z]|$)", description)[0]  # "Fig. 2" is no end of a sentence


def _show(options: argparse.Namespace) -> Facts:
    from neurodrift.catalog import data_set

    found = data_set(options.name)
    lines = {
        "title": found.title,
        "citation": found.citation,
        "doi": f"https://doi.org/{found.doi}",
        "licence": found.licence,
        "access": found.access,
        "how": found.how,
        "url": found.url or "-",
        "size": _size(found.size),
        "convert": f"neurodrift convert {found.converter}" if found.converter else "-",
        "expected": ", ".join(found.expected) or "-",
        "checksums": f"sha256 of {len(found.sha256)} files" if found.sha256 else "none known",
        "notes": found.notes or "-",
    }
    for key, value in lines.items():
        print(f"{key + ':':<11}{value.strip()}")
    return lines


def _fetch(options: argparse.Namespace) -> Facts:
    from neurodrift.catalog import data_set, fetch

    found = data_set(options.name)
    folder = options.out or Path(options.name)
    shown = -1

    def progress(have: int, whole: int | None) -> None:
        nonlocal shown
        step = have >> 23  # every 8 MiB
        if step != shown:
            shown = step
            print(f"{_size(have)} of {_size(whole)}", file=sys.stderr)

    files = fetch(found, folder, overwrite=options.overwrite, progress=progress)
    print(f"{len(files)} files in {folder}; licence: {found.licence}")
    if not found.sha256 and found.url_sha256 is None:
        print("the catalogue has no checksum of it: what came was not verified")
    if found.converter:
        print(f"next: neurodrift convert {found.converter} {folder} -o FOLDER")
    return {"out": folder, "files": files}


def _size(n_bytes: int | None) -> str:
    if n_bytes is None:
        return "unknown"
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if n_bytes >= factor:
            return f"{n_bytes / factor:.3g} {unit}"
    return f"{n_bytes} B"
