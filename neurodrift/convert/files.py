"""Files of converters: several that are all written or none, and summary tables."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurodrift._version import __version__
from neurodrift.io.csv import csv_text
from neurodrift.io.nwb.write import is_ours
from neurodrift.io.output import discard, held, hidden, mend, refuse_existing

if TYPE_CHECKING:
    import pandas as pd


_NAME = "convert"  # what a folder is held by, and what unfinished files are called


@contextmanager
def all_or_none(out_dir: Path, names: Sequence[str], *, overwrite: bool) -> Iterator[Path]:
    """Let files be written in a folder of their own, and move them when all are whole.

    Parameters
    ----------
    out_dir
        Where the files are to stand.
    names
        Their names.
    overwrite
        Whether existing files are replaced.

    Yields
    ------
    pathlib.Path
        Folder to write them in. Whatever is raised discards all of them.

    Raises
    ------
    FileExistsError
        If a file exists and `overwrite` is False or no converter made it, or another command is
        writing into the folder.
    """
    whole = out_dir / _NAME
    with held(whole):
        mend(whole)
        for name in names:
            refuse_existing(out_dir / name, overwrite)
            _refuse_foreign(out_dir / name)
        unfinished = hidden(whole, "unfinished")
        try:
            unfinished.mkdir()
            yield unfinished
            for name in names:
                os.replace(unfinished / name, out_dir / name)
        finally:
            discard(unfinished)


def _refuse_foreign(path: Path) -> None:
    """Raise an error if a file that would be replaced was not written by a converter."""
    if not os.path.lexists(path):
        return
    if path.suffix == ".nwb":
        ours = is_ours(path)
    else:
        try:
            told = json.loads((path.parent / "about.json").read_text(encoding="utf-8"))
            ours = str(told["made_by"]).startswith("neurodrift")
            ours = ours and path.name in {"about.json", *told["tables"]}
        except (OSError, ValueError, KeyError, TypeError):
            ours = False
    if not ours:
        raise FileExistsError(
            f"{path} was not made by a converter of neurodrift and was kept: overwrite replaces "
            "only what the same command made; choose another folder"
        )


def sha256(path: Path) -> str:
    """Checksum of a file.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    str
        Its SHA-256, hexadecimal.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_tables(
    tables: Mapping[str, pd.DataFrame],
    out_dir: str | os.PathLike[str],
    *,
    about: Mapping[str, Any],
    sources: Sequence[Path],
    overwrite: bool,
) -> list[Path]:
    """Write summary tables as CSV, and beside them one JSON that says what they are.

    Parameters
    ----------
    tables
        Table by name; ``table.attrs`` holds what each column means.
    out_dir
        Where ``<name>.csv`` and ``about.json`` go.
    about
        Title, citation and the like.
    sources
        The files that the tables were made from.
    overwrite
        Whether existing files are replaced.

    Returns
    -------
    list of pathlib.Path
        The files.

    Raises
    ------
    FileExistsError
        If a file exists and `overwrite` is False.
    """
    out_dir = Path(out_dir)
    names = [*(f"{name}.csv" for name in tables), "about.json"]
    told = {
        **about,
        "made_by": f"neurodrift {__version__}",
        "source_files": {path.name: sha256(path) for path in sources},
        "tables": {
            f"{name}.csv": {str(column): table.attrs[str(column)] for column in table}
            for name, table in tables.items()
        },
    }
    with all_or_none(out_dir, names, overwrite=overwrite) as folder:
        for name, table in tables.items():
            (folder / f"{name}.csv").write_text(csv_text(table), encoding="utf-8")
        text = json.dumps(told, indent=2, ensure_ascii=False)
        (folder / "about.json").write_text(text + "\n", encoding="utf-8")
    return [out_dir / name for name in names]
