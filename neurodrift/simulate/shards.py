"""Which runs of a sweep are whole: its manifest, written part by part with the shards.

Part 0 is the template, part N + 1 the shards of task N. A task describes its shards after it has
written them, so a shard that is lost, or was never whole, is a run to be made (again).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neurodrift.io.manifest import (
    DamagedStoreError,
    Manifest,
    damaged_files,
    joined,
    missing_files,
    read_manifest,
    read_pieces,
    split_pieces,
    store_attributes,
    write_piece,
)

TEMPLATE = 0


def describe_template(path: Path) -> None:
    """Describe what a sweep's store holds before the first run.

    Parameters
    ----------
    path
        The store.
    """
    keys = (file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())
    write_piece(path, TEMPLATE, keys)


def describe_block(path: Path, start: int) -> None:
    """Describe the shards of one task, which are whole.

    Parameters
    ----------
    path
        The store.
    start
        Number of its first run.
    """
    layout = _layout(path)
    block = start // layout.per_task
    tops = [path / name / "c" / str(block) for name in layout.columns]
    files = (file for top in tops for file in (top, *top.rglob("*")) if file.is_file())
    keys = (file.relative_to(path).as_posix() for file in files if file.suffix != ".partial")
    write_piece(path, block + 1, keys)


def done_marks(path: Path, missing: Iterable[str] | None = None) -> np.ndarray:
    """Which runs are whole: those whose shards are there, as they were described.

    Parameters
    ----------
    path
        A sweep's store, finished or not.
    missing
        Files that are known to be missing; looked for when omitted.

    Returns
    -------
    numpy.ndarray
        (run) bool.
    """
    layout, whole = _layout(path), read_manifest(path)
    pieces = read_pieces(path) if whole is None else layout.parts(whole.files)
    if missing is None:
        missing = missing_files(path, Manifest("", joined(pieces)))
    lost = set(map(layout.part, missing))
    marks = np.zeros(layout.n_runs, dtype=bool)
    for piece in set(pieces) - lost - {TEMPLATE}:
        marks[(piece - 1) * layout.per_task : piece * layout.per_task] = True
    return marks


def sweep_manifest(path: Path) -> Manifest:
    """What a sweep's store must hold; of one that is not finished, what is done.

    Parameters
    ----------
    path
        The store.

    Returns
    -------
    Manifest
        An unfinished one has no generation.

    Raises
    ------
    DamagedStoreError
        If the manifest is damaged, or the template of an unfinished sweep.
    """
    whole = read_manifest(path)
    if whole is not None:
        return whole
    pieces = read_pieces(path)
    if TEMPLATE not in pieces:
        raise DamagedStoreError(
            f"{path} is damaged: the list of what it must hold is not there. Pass overwrite "
            "(--overwrite) to make the sweep again, or take it from a backup"
        )
    return Manifest("", joined(pieces))


def take_apart(path: Path, under_way: Path) -> int:
    """Make a finished sweep with damaged shards an unfinished one that lacks their runs.

    Parameters
    ----------
    path
        The finished store; every file of it is read.
    under_way
        The name of an unfinished one.

    Returns
    -------
    int
        Runs that must be made again; 0, and nothing is changed, where the store is sound.

    Raises
    ------
    DamagedStoreError
        If what runs cannot restore is damaged.
    FileExistsError
        If something stands at `under_way`.
    """
    from neurodrift.io.checked import explained

    manifest = read_manifest(path)
    if manifest is None:
        return 0
    faults = damaged_files(path, manifest)
    if not faults:
        return 0
    if TEMPLATE in map(_layout(path).part, faults):
        raise DamagedStoreError(explained(path, faults))
    if under_way.exists():
        raise FileExistsError(f"{under_way} exists beside {path}, which is damaged: move one away")
    for key in faults:
        (path / key).unlink(missing_ok=True)
    path.rename(under_way)
    resume(under_way)
    return int((~done_marks(under_way)).sum())


def resume(under_way: Path) -> None:
    """Bring an unfinished store into parts, if it was called whole already.

    Parameters
    ----------
    under_way
        The store.
    """
    manifest = read_manifest(under_way)
    if manifest is None:
        return
    layout = _layout(under_way)
    lost = set(map(layout.part, missing_files(under_way, manifest)))
    pieces = layout.parts(manifest.files)
    split_pieces(under_way, {number: pieces[number] for number in set(pieces) - lost})


@dataclass(frozen=True)
class _Layout:
    """How the runs of a sweep lie in files."""

    n_runs: int
    per_task: int
    columns: frozenset[str]

    def part(self, key: str) -> int:
        """Number of the part that a file belongs to."""
        name, _, rest = key.partition("/c/")
        return int(rest.partition("/")[0]) + 1 if rest and name in self.columns else TEMPLATE

    def parts(self, files: Mapping[str, tuple[int, int]]) -> dict[int, dict[str, tuple[int, int]]]:
        """Files of every part."""
        n_parts = -(-self.n_runs // self.per_task) + 1
        found: dict[int, dict[str, tuple[int, int]]] = {number: {} for number in range(n_parts)}
        for key, entry in files.items():
            found[self.part(key)][key] = entry
        return found


def _layout(path: Path) -> _Layout:
    attrs = store_attributes(path)
    n_runs = json.loads((path / "run" / "zarr.json").read_text())["shape"][0]
    return _Layout(n_runs, attrs["runs_per_task"], frozenset([*attrs["columns"], "data"]))
