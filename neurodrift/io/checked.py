"""Reading of stores that cannot lie: whatever is read is held against the manifest."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest
from zarr.core.buffer import Buffer, BufferPrototype, default_buffer_prototype
from zarr.storage import LocalStore

from neurodrift.io.codecs import METADATA, refuse_codecs
from neurodrift.io.manifest import GROUP, DamagedStoreError, Manifest, is_group, read_manifest


class CheckedStore(LocalStore):
    """A Zarr store that is only read, and only as it was written.

    Parameters
    ----------
    root
        Directory of the store.
    manifest
        What it must hold; nothing is checked where the store was written without one.

    Raises
    ------
    DamagedStoreError
        On reading, if a file is missing or not what was written.
    """

    supports_writes = False
    supports_deletes = False

    def __init__(
        self, root: Path | str, manifest: Manifest | None = None, *, read_only: bool = True
    ) -> None:
        super().__init__(root, read_only=True)
        self.manifest = manifest
        self._sound: dict[str, tuple[int, int, int]] = {}  # files that were checked whole

    def with_read_only(self, read_only: bool = False) -> CheckedStore:
        """A store of this kind is always read-only."""
        return type(self)(self.root, self.manifest)

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopened, (self.root, None if self.manifest is None else self.manifest.generation)

    def __dask_tokenize__(self) -> tuple[str, str, str]:
        generation = "" if self.manifest is None else self.manifest.generation
        return type(self).__name__, str(self.root), generation

    def get_sync(
        self,
        key: str,
        *,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None:
        """Read a file, or a part of it, after it was checked."""
        prototype = prototype or default_buffer_prototype()
        part = None if byte_range is None else self._known_part(key, byte_range)
        if part is None:
            content = self._content(key)
            if content is None:
                return None
            part = content if byte_range is None else _part(content, byte_range)
        return prototype.buffer.from_bytes(part)

    async def get(
        self,
        key: str,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None:
        """Read a file, or a part of it, after it was checked."""
        return await asyncio.to_thread(
            self.get_sync, key, prototype=prototype, byte_range=byte_range
        )

    async def get_partial_values(
        self,
        prototype: BufferPrototype,
        key_ranges: Iterable[tuple[str, ByteRequest | None]],
    ) -> list[Buffer | None]:
        """Read parts of files after the files were checked."""
        return [await self.get(key, prototype, byte_range) for key, byte_range in key_ranges]

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Names below a group, without the manifest."""
        async for name in super().list_dir(prefix):
            if prefix.strip("/") or name != GROUP:
                yield name

    def _known_part(self, key: str, wanted: ByteRequest) -> bytes | None:
        """A part of a file that was checked whole before and is still the same file."""
        if key not in self._sound:
            return None
        try:
            file = (self.root / key).open("rb")
        except OSError:
            return None  # it is gone: reading it whole says so
        with file:
            if _identity(file.fileno()) != self._sound[key]:
                return None
            size = self._sound[key][2]
            if isinstance(wanted, RangeByteRequest):
                start, stop = wanted.start, min(wanted.end, size)
            elif isinstance(wanted, OffsetByteRequest):
                start, stop = wanted.offset, size
            else:
                start, stop = max(size - wanted.suffix, 0), size
            file.seek(start)
            return file.read(max(stop - start, 0))

    def _content(self, key: str) -> bytes | None:
        """A file that is what was written; None if it holds nothing but fill values."""
        identity = None
        try:
            with (self.root / key).open("rb") as file:
                identity = _identity(file.fileno())
                content = file.read()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            content = None
        fault = "" if self.manifest is None else self.manifest.fault(key, content)
        if not fault and content is not None and key.rpartition("/")[2] in METADATA:
            refuse_codecs(content, str(self.root / key))
        if self.manifest is None:
            return content
        if fault and content is not None and key == "zarr.json":
            return self._restored(content)
        if not fault and content is not None and key not in self.manifest.files:
            finished = bool(self.manifest.generation)
            fault = "was added later" if finished and self.manifest.covers(key) else ""
        if fault:
            raise DamagedStoreError(self._explained(key, fault))
        if identity is not None:
            self._sound[key] = identity
        return content

    def _restored(self, content: bytes) -> bytes:
        """The metadata of the store itself, with the attributes that it was written with."""
        assert self.manifest is not None
        if not is_group(content):
            fault = {"zarr.json": "was changed after it was written"}
            raise DamagedStoreError(explained(self.root, fault))
        meta = json.loads(content)
        added = dict(meta.get("attributes") or {})
        meta["attributes"] = added | dict(self.manifest.attributes)
        return json.dumps(meta).encode()

    def _explained(self, key: str, fault: str) -> str:
        try:
            now = read_manifest(self.root)
        except DamagedStoreError:
            now = None
        if now is not None and self.manifest and now.generation != self.manifest.generation:
            return f"{self.root} was replaced while it was open: open it again"
        return explained(self.root, {key: fault})


def explained(root: Path, faults: dict[str, str]) -> str:
    """What is wrong with a store, and what to do.

    Parameters
    ----------
    root
        The store.
    faults
        What is wrong, by key of the file.

    Returns
    -------
    str
        One line for one fault, a list for more.
    """
    listed = [f"{_place(root, key)} {fault}" for key, fault in sorted(faults.items())]
    advice = (
        "Take the store from a backup, or give the command that made it once more (neurodrift "
        "verify STORE lists all that is damaged)"
    )
    if len(listed) == 1:
        return f"{root} is damaged: {listed[0]}. {advice}"
    shown = "".join(f"\n- {one}" for one in listed[:10])
    more = f"\n- and {len(listed) - 10} more" if len(listed) > 10 else ""
    return f"{root} is damaged in {len(listed)} places:{shown}{more}\n{advice}"


def _place(root: Path, key: str) -> str:
    """A file in words: array, sessions and units, or what else its dimensions are."""
    node, chunk, numbers = f"{key}/".rpartition("/c/")
    if not chunk:
        return f"{key.removesuffix('/zarr.json') or 'the root'} (its metadata, {key})"
    name = node.rpartition("/")[2]
    try:
        meta = json.loads((root / node / "zarr.json").read_bytes())
        sizes = meta["chunk_grid"]["configuration"]["chunk_shape"]
        dims = meta["dimension_names"]
        at = [int(number) for number in numbers.split("/") if number]
        ranges = {
            dim: (i * size, min((i + 1) * size, total))
            for dim, i, size, total in zip(dims, at, sizes, meta["shape"], strict=True)
        }
    except (OSError, ValueError, KeyError, TypeError):
        return f"{name} ({key})"
    parts = [
        _sessions(root, start, stop) if dim == "time" else f"{dim} {start} to {stop - 1}"
        for dim, (start, stop) in ranges.items()
    ]
    return f"{node} ({', '.join([*parts, key])})"


def _sessions(root: Path, start: int, stop: int) -> str:
    """Labels of the sessions that some frames belong to, where they can be read."""
    import zarr

    frames = f"frames {start} to {stop - 1}"
    try:
        group = zarr.open_group(root, mode="r", zarr_format=3, use_consolidated=False)
        index: Any = group["session_index"]
        labels: Any = group["session"]
        there = np.unique(np.asarray(index[start:stop]))
        named = [str(label) for label in np.asarray(labels[:])[there]]
    except Exception:  # whatever else is damaged: the frames alone say where
        return frames
    return f"session{'s' if len(named) > 1 else ''} {', '.join(named)}, {frames}"


def _identity(file: int) -> tuple[int, int, int]:
    there = os.fstat(file)
    return there.st_ino, there.st_mtime_ns, there.st_size


def _part(content: bytes, wanted: ByteRequest) -> bytes:
    if isinstance(wanted, RangeByteRequest):
        return content[wanted.start : wanted.end]
    if isinstance(wanted, OffsetByteRequest):
        return content[wanted.offset :]
    return content[max(len(content) - wanted.suffix, 0) :]


def _reopened(root: Path, generation: str | None) -> CheckedStore:
    """The same store in another process."""
    manifest = None if generation is None else read_manifest(root)
    if generation is not None and (manifest is None or manifest.generation != generation):
        raise DamagedStoreError(f"{root} was replaced while it was open: open it again")
    return CheckedStore(root, manifest)
