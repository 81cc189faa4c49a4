"""NWB files straight into a store, whatever their length, and later days added to it."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.curation import Curation, as_curation, curate
from neurodrift.geometry.geometry import as_geometry
from neurodrift.io.nwb.joined import from_stream, in_order, joined
from neurodrift.io.nwb.parts import OPTIONS, Part, read_parts, refuse_another, zeros
from neurodrift.io.nwb.stream import Session
from neurodrift.io.output import claimed
from neurodrift.io.zarr import (
    checked_store,
    open_recording,
    refuse_other_kind,
    save_recording,
    write_in_blocks,
)
from neurodrift.recording import slice_sessions

_SAME = ("values", "join_on", "sessions_from", "region", "units")
_AT_ONCE = 512  # stored units that are read together


def import_to_store(
    files: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    path: str | os.PathLike[str],
    *,
    append: bool = False,
    overwrite: bool = False,
    progress: bool = False,
    accept: Collection[str] = (),
    curation: str | os.PathLike[str] | Mapping[str, object] | Curation | None = None,
    **options: Any,
) -> Path:
    """Import NWB files into a store, in memory that does not grow with their length.

    The stored recording is that of :func:`neurodrift.import_nwb`. Activity goes from the files to
    the store block by block; positions and clocks are in memory. Nothing stands under `path`
    until the store is whole, and what stood there before stays until then.

    Parameters
    ----------
    files
        NWB files, one for each session.
    path
        Directory of the store.
    append
        Whether sessions of later days are added to the recording that is stored there. No earlier
        file is read again, and the result is that of importing all files together: a unit that
        is new was not detected in the earlier sessions. Options are those of the first import
        unless they are given.
    overwrite
        Whether an existing store is replaced.
    progress
        Whether to show a progress bar when on a terminal.
    accept
        Names of findings of the gate that are taken as true; errors name them.
    curation
        Units, sessions and epochs that are left out, see :func:`neurodrift.curate`; not when
        appending.
    **options
        As for :func:`neurodrift.import_nwb`.

    Returns
    -------
    pathlib.Path
        `path`.

    Raises
    ------
    FileNotFoundError
        If a file does not exist, or there is no store to append to.
    FileExistsError
        If `path` exists, and is neither to be replaced nor appended to.
    ValueError
        If a file cannot be imported. When appending also if a session is in the store already,
        does not come after those that are, or is of another animal, environment or kind of
        activity.

    Examples
    --------
    >>> import tempfile
    >>> from neurodrift import import_to_store, open_recording, testing
    >>> from neurodrift.io.nwb import session_from_recording, write_session
    >>> simulated = testing.linear_track(n_units=3, n_sessions=3, minutes=1)
    >>> folder = tempfile.mkdtemp()
    >>> files = [
    ...     write_session(session_from_recording(simulated, label), f"{folder}/{label}.nwb")
    ...     for label in ("1", "2", "3")
    ... ]
    >>> path = import_to_store(files[:2], f"{folder}/mouse.zarr")
    >>> path = import_to_store(files[2], path, append=True)
    >>> recording = open_recording(path)
    >>> bool((recording["activity"] == simulated["activity"].values).all())
    True
    """
    path = Path(path)
    inputs = [files] if isinstance(files, str | os.PathLike) else list(files)
    if append and overwrite:
        raise ValueError("append and overwrite are both given: a store is added to or replaced")
    if append and curation is not None:
        raise ValueError(
            "a curation is for all sessions: append without one, and give it to analyze "
            "(--curation), or import all files together"
        )
    left_out = None if curation is None else as_curation(curation)
    unknown = sorted(set(options) - {*OPTIONS, "lag"})
    if unknown:
        raise TypeError(f"unknown options {', '.join(unknown)}, expected some of {_listed()}")
    given = {name: value for name, value in options.items() if value is not None}
    if "geometry" in given:
        shape = as_geometry(given["geometry"])
        given["geometry"] = None if shape is None else shape.to_json()
    read = [*inputs, *([curation] if isinstance(curation, str | os.PathLike) else [])]
    with claimed(path, overwrite=overwrite or append, inputs=read):
        refuse_other_kind(path, "neurodrift recording")
        return _imported(inputs, path, append, overwrite, progress, accept, left_out, given)


def _imported(
    files: Sequence[str | os.PathLike[str]],
    path: Path,
    append: bool,
    overwrite: bool,
    progress: bool,
    accept: Collection[str],
    curation: Curation | None,
    given: dict[str, Any],
) -> Path:
    """Import into a place that this process holds."""
    earlier: list[Part] = []
    named_by_file = False
    if append:
        stored = open_recording(path)
        earlier, named_by_file = _stored_parts(stored, path)
        given = _options_of(stored, given, path) | given
    later = read_parts(
        files, by_file=named_by_file, accept=accept, progress=progress, **OPTIONS | given
    )
    if earlier:
        _refuse_earlier(earlier, later, path)
    recording, stream = joined([*earlier, *later], accept, OPTIONS | given)
    if curation is not None:
        curated = curate(from_stream(recording, stream), curation)
        return save_recording(curated, path, overwrite=overwrite)
    return write_in_blocks(
        recording, stream, path, overwrite=overwrite or append, progress=progress
    )


class _StoredActivity:
    """Activity of a store, whose chunks are held against its manifest."""

    def __init__(self, path: Path) -> None:
        import zarr

        store: Any = checked_store(path)
        stored: Any = zarr.open_group(store, mode="r", zarr_format=3)["activity"]
        self._array = stored
        self.shape: tuple[int, int] = stored.shape
        self.chunk: tuple[int, int] = stored.chunks
        self.dtype = stored.dtype

    def read(self, frames: np.ndarray, units: np.ndarray) -> np.ndarray:
        found = np.empty((frames.size, units.size), dtype=self._array.dtype)
        if not found.size:
            return found
        order = np.argsort(units, kind="stable")
        first, stop = int(frames[0]), int(frames[-1]) + 1
        for start in range(int(units.min()), int(units.max()) + 1, _AT_ONCE):
            here = order[slice(*np.searchsorted(units[order], (start, start + _AT_ONCE)))]
            if here.size:
                end = int(units[here[-1]]) + 1
                block = np.asarray(self._array[first:stop, start:end])
                found[:, here] = block[frames - first][:, units[here] - start]
        return found

    def release(self) -> None:
        pass


def _stored_parts(stored: xr.Dataset, path: Path) -> tuple[list[Part], bool]:
    """The sessions of a store, as if they had been read from their files."""
    if "curation" in stored.attrs:
        raise ValueError(
            f"{path} was imported with a curation, which leaves out what an import of all files "
            "would need: import all files together"
        )
    told = json.loads(stored.attrs.get("nwb_sessions", "[]"))
    labels = [str(label) for label in stored["session"].values]
    if [item["session"] for item in told] != labels:
        raise ValueError(
            f"{path} does not say which NWB files its sessions came from, so that nothing can be "
            "added to it: import all files together"
        )
    source = _StoredActivity(path)
    findings = json.loads(stored.attrs.get("findings", "[]"))
    lags = json.loads(stored.attrs.get("lag", "{}"))
    own = ("findings", "lag", "nwb_files", "nwb_sessions", "nwb_options")
    attrs = {name: value for name, value in stored.attrs.items() if name not in own}
    parts = []
    for i, (where, item) in enumerate(zip(slice_sessions(stored), told, strict=True)):
        label = item["session"]
        units = np.flatnonzero(stored["detected"].values[i])
        frames = np.arange(where.start, where.stop)
        recording = stored.drop_vars("activity").isel(time=where, session=[i], unit=units)
        recording["session_index"] = recording["session_index"] * 0
        recording["activity"] = (
            ("time", "unit"),
            zeros((frames.size, units.size), stored["activity"].dtype),
            stored["activity"].attrs,
        )
        if item["experience"] is not None:
            recording = recording.assign_coords(experience=("session", [item["experience"]]))
        recording.attrs = dict(attrs)
        mine = [finding for finding in findings if finding["where"] == f"session {label}"]
        if mine:
            recording.attrs["findings"] = json.dumps(mine)
        if lags.get(label):
            recording.attrs["lag"] = lags[label]
        parts.append(
            Part(
                file=item["file"],
                identifier=item["identifier"],
                recording=recording,
                session=Session(source, frames, units),
                start=datetime.fromisoformat(item["start"]),
                day=item["day"],
                experience=item["experience"],
                ids_are_text=item["ids_are_text"],
                named_by_file=item["named_by_file"],
                about=item["about"],
                placed=True,
            )
        )
    return parts, bool(told[0]["named_by_file"])


def _options_of(stored: xr.Dataset, given: dict[str, Any], path: Path) -> dict[str, Any]:
    """Options of the first import; refused where others would mix what cannot be compared."""
    before: dict[str, Any] = OPTIONS | json.loads(stored.attrs.get("nwb_options", "{}"))
    for name in _SAME:
        if name in given and given[name] != before[name]:
            raise ValueError(
                f"{path} was imported with {name} {before[name]!r}, and is not added to with "
                f"{given[name]!r}: leave the option out, or import all files together"
            )
    return before


def _refuse_earlier(earlier: Sequence[Part], later: Sequence[Part], path: Path) -> None:
    """Refuse sessions that are in the store already, or do not come after those that are."""
    files = {part.identifier: part.file for part in earlier}
    labels = {part.label for part in earlier}
    for part in later:
        refuse_another([earlier[0], part])
        if part.identifier in files:
            raise ValueError(
                f"{part.file} is in {path} already, as {files[part.identifier]} (identifier "
                f"{part.identifier}): nothing was added"
            )
        if part.label in labels:
            raise ValueError(
                f"{part.file} is session {part.label}, and {path} has a session of that label "
                "already: correct the label, or import all files together"
            )
        if part.named_by_file != earlier[0].named_by_file:
            raise ValueError(
                f"sessions of the new files have equal labels, while those of {path} are called as "
                "the files tell: correct the labels, or import all files together"
            )
        kinds = [str(one.recording["activity"].attrs["kind"]) for one in (earlier[0], part)]
        if kinds[0] != kinds[1]:
            raise ValueError(
                f"{part.file} holds {kinds[1]}, but {path} holds {kinds[0]}: one recording has one "
                "kind of activity (--series chooses it)"
            )
    first = min(part.start for part in earlier)
    for part in later:
        if part.start < max(one.start for one in earlier) or part.start < first:
            raise ValueError(
                f"{part.file} began at {part.start.isoformat()}, before the last session of {path} "
                f"({earlier[-1].label}, {earlier[-1].start.isoformat()}): only later sessions are "
                "added. Import all files together"
            )
    every = in_order([*earlier, *later])
    if any(one is not other for one, other in zip(earlier, every, strict=False)):
        raise ValueError(
            f"{', '.join(part.file for part in later)} would come before the last session of "
            f"{path}: only later sessions are added. Import all files together"
        )


def _listed() -> str:
    return ", ".join([*OPTIONS, "lag"])
