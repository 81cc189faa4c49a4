"""Public data sets and named simulations: ``catalogs/*.yaml``.

``python -m neurodrift.catalog schemas/catalog`` writes the JSON Schema of a data set; a test finds
it in step.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neurodrift.schema.json import write_schema_file
from neurodrift.schema.yaml import catalog_folder, parse_yaml, schema_faults

ACCESS = ("open", "account", "not public")
_SLACK = 1.2  # a size in the catalogue is of one day; archives of the same files differ a little
_UNKNOWN = 64 * 2**30  # bytes, where the catalogue tells no size
_POINTER = b"version https://git-lfs"

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "neurodrift data set",
    "type": "object",
    "additionalProperties": False,
    "required": ["data_set", "citation", "doi", "licence", "access", "how", "converter"],
    "properties": {
        "data_set": {"type": "string", "description": "title"},
        "citation": {"type": "string"},
        "doi": {"type": "string", "pattern": r"^10\.\d{4,}/\S+$"},
        "licence": {"type": "string", "description": "'none stated' if the source states none"},
        "access": {"enum": list(ACCESS)},
        "how": {"type": "string", "description": "how to get it"},
        "converter": {
            "type": ["string", "null"],
            "description": "name for `neurodrift convert`, null if there is none",
        },
        "size": {"type": "integer", "minimum": 1, "description": "of the download [bytes]"},
        "unpacked": {"type": "integer", "minimum": 1, "description": "of its files [bytes]"},
        "expected": {
            "type": "array",
            "items": {"type": "string"},
            "description": "glob patterns that must each match a file",
        },
        "fetch": {
            "type": "object",
            "additionalProperties": False,
            "required": ["url"],
            "properties": {
                "url": {"type": "string", "pattern": "^https?://"},
                "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                "strip": {"type": "integer", "minimum": 0, "description": "leading folders"},
            },
        },
        "sha256": {
            "type": "object",
            "additionalProperties": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            "description": "checksums of files in it, where known",
        },
        "notes": {"type": "string"},
    },
}
"""JSON Schema of a data set in the catalogue."""


@dataclass(frozen=True)
class DataSet:
    """A public data set, as ``catalogs/<name>.yaml`` describes it.

    Parameters
    ----------
    name
        Name of the file.
    title, citation, doi, licence
        What it is, and under which terms.
    access
        ``open``, ``account`` or ``not public``.
    how
        How to get it.
    converter
        Name for ``neurodrift convert``, None if there is none.
    url, url_sha256, strip
        Archive to fetch, its checksum if known, and leading folders in it to leave out.
    size, unpacked
        Bytes of the archive and of its files, None if not known.
    expected
        Patterns that must each match a file.
    sha256
        Checksums of files in it, where known.
    notes
        What else to know.
    """

    name: str
    title: str
    citation: str
    doi: str
    licence: str
    access: str
    how: str
    converter: str | None
    url: str | None = None
    url_sha256: str | None = None
    strip: int = 0
    size: int | None = None
    unpacked: int | None = None
    expected: tuple[str, ...] = ()
    sha256: dict[str, str] = field(default_factory=dict)
    notes: str = ""


def data_sets(folder: str | os.PathLike[str] | None = None) -> dict[str, DataSet]:
    """Every data set of the catalogue.

    Parameters
    ----------
    folder
        Where the YAML files lie; the package's own when omitted.

    Returns
    -------
    dict of str to DataSet
        By name.

    Raises
    ------
    ValueError
        If a file does not fit the schema; the message names its lines.

    Examples
    --------
    >>> from neurodrift.catalog import data_sets
    >>> data_sets()["hc-6"].access
    'account'
    """
    found = {}
    for path in sorted(catalog_folder(folder).glob("*.yaml")):
        values, source = parse_yaml(path.read_text(encoding="utf-8"), path.name)
        if "data_set" not in values:
            continue
        faults = schema_faults(values, SCHEMA)
        if faults:
            raise source.error(faults)
        fetched = values.pop("fetch", {})
        found[path.stem] = DataSet(
            name=path.stem,
            title=values.pop("data_set"),
            url=fetched.get("url"),
            url_sha256=fetched.get("sha256"),
            strip=fetched.get("strip", 0),
            expected=tuple(values.pop("expected", ())),
            **values,
        )
    return found


def simulations(folder: str | os.PathLike[str] | None = None) -> dict[str, str]:
    """Every named simulation of the catalogue.

    Parameters
    ----------
    folder
        Where the YAML files lie; the package's own when omitted.

    Returns
    -------
    dict of str to str
        Name -> what it is.
    """
    return _described(folder, lambda values: not {"data_set", "prior"} & set(values))


def priors(folder: str | os.PathLike[str] | None = None) -> dict[str, str]:
    """Every prior of learning rules in the catalogue, for ``neurodrift simulate-prior``.

    Parameters
    ----------
    folder
        Where the YAML files lie; the package's own when omitted.

    Returns
    -------
    dict of str to str
        Name -> what it is.

    Examples
    --------
    >>> from neurodrift.catalog import priors
    >>> sorted(priors())
    ['inference-prior', 'inference-prior-published', 'inference-prior-random']
    """
    return _described(folder, lambda values: "prior" in values)


def _described(
    folder: str | os.PathLike[str] | None, wanted: Callable[[dict[str, Any]], bool]
) -> dict[str, str]:
    found = {}
    for path in sorted(catalog_folder(folder).glob("*.yaml")):
        values, _ = parse_yaml(path.read_text(encoding="utf-8"), path.name)
        if wanted(values):
            found[path.stem] = str(values.get("description", "")).strip()
    return found


def data_set(name: str, folder: str | os.PathLike[str] | None = None) -> DataSet:
    """One data set.

    Parameters
    ----------
    name
        Its name in the catalogue.
    folder
        As for :func:`data_sets`.

    Returns
    -------
    DataSet
        It.

    Raises
    ------
    ValueError
        If there is none of that name.
    """
    known = data_sets(folder)
    if name not in known:
        raise ValueError(f"no data set {name!r} in the catalogue; there are {', '.join(known)}")
    return known[name]


def fetch(
    wanted: str | DataSet,
    folder: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    progress: Callable[[int, int | None], None] | None = None,
) -> list[Path]:
    """Fetch a data set and unpack it.

    An interrupted download is resumed. Checksums are verified where the catalogue has them, the
    archive may hold nothing but plain files that stay in the folder, and its expected files must be
    there. Nothing that was fetched is run or loaded.

    Parameters
    ----------
    wanted
        Its name in the catalogue, or a data set.
    folder
        The new folder; nothing stands there until all of it is verified.
    overwrite
        Whether an existing folder is replaced.
    progress
        Called with the bytes so far, and in all if the server tells.

    Returns
    -------
    list of pathlib.Path
        Its files.

    Raises
    ------
    FileExistsError
        If the folder exists and `overwrite` is False.
    OSError
        If the download fails; the next call goes on from there.
    ValueError
        If it cannot be fetched without an account, or is not what the catalogue says.
    """
    from neurodrift.io.output import claimed

    found = data_set(wanted) if isinstance(wanted, str) else wanted
    folder = Path(folder)
    if found.url is None:
        raise ValueError(f"{found.name} cannot be fetched ({found.access}): {found.how}")
    with claimed(folder, overwrite=overwrite):
        return _fetched(found, found.url, folder, progress)


def _fetched(
    found: DataSet, url: str, folder: Path, progress: Callable[[int, int | None], None] | None
) -> list[Path]:
    from neurodrift.io.fetch import download, unpack
    from neurodrift.io.output import discard, replace

    work = folder.with_name(f".{folder.name}.fetch")
    unpacked = work / "files"
    try:
        archive = download(
            url,
            work / "archive",
            sha256=found.url_sha256,
            max_bytes=_bound(found.size),
            progress=progress,
        )
        names = [
            str(path.relative_to(unpacked).as_posix())
            for path in unpack(
                archive,
                unpacked,
                max_bytes=_bound(found.unpacked),
                strip=found.strip,
                overwrite=True,
            )
        ]
        _verify(found, unpacked)
        _refuse_others(folder, names)
        replace(unpacked, folder)
    except (
        ValueError
    ):  # what has come is not what was wanted; after an OSError the next call goes on
        discard(work)
        raise
    discard(work)
    return [folder / name for name in names]


def _refuse_others(folder: Path, names: Sequence[str]) -> None:
    """Raise an error if a folder that would be replaced holds files of another origin."""
    if not os.path.lexists(folder):
        return
    if not folder.is_dir():
        raise FileExistsError(f"{folder} is no folder and was kept: choose another name")
    there = [item for item in folder.rglob("*") if not item.is_dir()]
    others = {item.relative_to(folder).as_posix() for item in there} - set(names)
    if others:
        raise FileExistsError(
            f"{folder} holds {min(others)}, which is no part of the data set, and was kept: choose "
            "another folder"
        )


def write_schema(folder: str | os.PathLike[str]) -> Path:
    """Write the JSON Schema of a data set.

    Parameters
    ----------
    folder
        Where ``data_set.schema.json`` goes.

    Returns
    -------
    pathlib.Path
        The file.
    """
    return write_schema_file(SCHEMA, folder, "data_set")


def _bound(size: int | None) -> int:
    return _UNKNOWN if size is None else int(size * _SLACK) + 2**20


def _verify(found: DataSet, folder: Path) -> None:
    """Hold what was unpacked against the catalogue."""
    from neurodrift.convert.files import sha256

    faults = [
        f"no file matches {pattern}"
        for pattern in found.expected
        if not any(path.is_file() for path in folder.glob(pattern))
    ]
    for name, wanted in found.sha256.items():
        path = folder / name
        if not path.is_file():
            faults.append(f"{name} is missing")
        elif sha256(path) != wanted:
            faults.append(f"{name} has another checksum")
    for path in sorted(folder.rglob("*.mat")):
        with path.open("rb") as file:
            if file.read(len(_POINTER)) == _POINTER:
                faults.append(f"{path.name} is a pointer of Git LFS, not the file: {found.how}")
    if faults:
        listed = "\n".join(f"- {fault}" for fault in faults[:12])
        raise ValueError(
            f"{found.url} is not what the catalogue says, and nothing was kept:\n{listed}"
        )


if __name__ == "__main__":
    print(write_schema(sys.argv[1]))
