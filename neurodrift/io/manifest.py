"""What a store must hold: every file of it, with its size and checksum.

The manifest lies in the store as an array of bytes, ``manifest/files``, so that any Zarr reader
sees a plain Zarr store. What a user adds to a store is outside of it.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neurodrift.schema import FORMAT_VERSION

GROUP = "manifest"
_ARRAY = f"{GROUP}/files"
_PIECES = f"{GROUP}/pieces"
_METADATA = "zarr.json"


class DamagedStoreError(ValueError):
    """A store does not hold what was written."""


@dataclass(frozen=True)
class Manifest:
    """The files of a store.

    Attributes
    ----------
    generation
        Digest of the list: stores that hold the same have the same.
    files
        Size [bytes] and CRC-32C of each file by its key, such as ``activity/c/0/0``. Metadata have
        the size -1: the same metadata may be written with other spaces.
    attributes
        Attributes of the store itself. Programs that add a variable often replace them.
    """

    generation: str
    files: Mapping[str, tuple[int, int]]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    folders: Mapping[str, frozenset[str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        folders: dict[str, set[str]] = {}
        for key in self.files:
            folder, _, name = key.rpartition("/")
            folders.setdefault(folder, set()).add(name)
        object.__setattr__(self, "folders", {k: frozenset(v) for k, v in folders.items()})

    def covers(self, key: str) -> bool:
        """Whether a file with this key would be a chunk of an array that was written."""
        array, chunk, _ = f"{key}/".rpartition("/c/")
        return bool(chunk) and f"{array}/{_METADATA}" in self.files

    def fault(self, key: str, content: bytes | None) -> str:
        """What is wrong with a file.

        Parameters
        ----------
        key
            Its place in the store.
        content
            What was read, None if nothing is there.

        Returns
        -------
        str
            Such as ``"is missing"``; empty if it is what was written.
        """
        if key not in self.files:
            return ""
        fault = self.size_fault(key, None if content is None else len(content))
        if fault or content is None:
            return fault
        same = _checksum(key, content, self.files) == self.files[key][1]
        return "" if same else "was changed after it was written (its checksum differs)"

    def size_fault(self, key: str, size: int | None) -> str:
        """What is wrong with the size of a file of the list; None if nothing is there."""
        expected = self.files[key][0]
        if size is None:
            return "is missing"
        return f"has {size} bytes instead of {expected}" if size != expected >= 0 else ""


def write_manifest(root: Path) -> Manifest:
    """Describe a store that is whole, and put the description into it.

    Parameters
    ----------
    root
        The store, under the name that it has until it is whole.

    Returns
    -------
    Manifest
        What was written.
    """
    return _put(root, _described(root, _keys(root)))


def read_manifest(root: Path) -> Manifest | None:
    """The manifest of a store.

    Parameters
    ----------
    root
        The store.

    Returns
    -------
    Manifest or None
        None if the store was written without one, such as by plain xarray.

    Raises
    ------
    DamagedStoreError
        If the manifest itself is damaged.
    """
    if (root / _PIECES).is_dir():
        return None  # it is not finished
    try:
        described = json.loads((root / GROUP / _METADATA).read_bytes())
    except FileNotFoundError:
        if (root / _ARRAY).exists():
            raise _no_manifest(root, f"{GROUP}/{_METADATA} is missing") from None
        return None
    except (ValueError, OSError) as error:
        raise _no_manifest(root, f"{GROUP}/{_METADATA} cannot be read: {error}") from error
    try:
        generation = described["attributes"]["generation"]
        path = root / _ARRAY / "c" / "0"
        stat = path.stat()
        return _parsed(str(path), generation, (stat.st_ino, stat.st_mtime_ns, stat.st_size))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _no_manifest(root, str(error)) from error


@functools.lru_cache(maxsize=8)
def _parsed(path: str, generation: str, identity: tuple[int, ...]) -> Manifest:
    """The list itself; as long as the file is the same, it is read once."""
    text = Path(path).read_bytes()
    if hashlib.sha256(text).hexdigest() != generation:
        raise ValueError("its checksum differs")
    listed = json.loads(text)
    files = {key: (int(size), int(crc)) for key, (size, crc) in listed["files"].items()}
    return Manifest(generation, files, listed["attributes"])


def store_attributes(root: Path) -> dict[str, Any]:
    """Attributes that a store was written with, and those that were added to it.

    Parameters
    ----------
    root
        The store.

    Returns
    -------
    dict
        Empty if they cannot be read.
    """
    try:
        now = json.loads((root / _METADATA).read_bytes())["attributes"]
    except (OSError, ValueError, KeyError, TypeError):
        now = {}
    version = now.get("format_version")
    if isinstance(version, int) and version > FORMAT_VERSION:
        return dict(now)  # a later neurodrift may keep its manifest otherwise
    manifest = read_manifest(root)
    return dict(now) | dict(manifest.attributes if manifest else {})


def missing_files(root: Path, manifest: Manifest) -> dict[str, str]:
    """Files that are not there, or not as long as they were: what can be seen without reading.

    Parameters
    ----------
    root
        The store.
    manifest
        What it must hold.

    Returns
    -------
    dict of str
        What is wrong, by key.
    """
    faults = {}
    for folder, names in manifest.folders.items():
        sizes = _sizes(root / folder if folder else root, names)
        prefix = f"{folder}/" if folder else ""
        for name in names:
            fault = manifest.size_fault(prefix + name, sizes.get(name))
            if fault:
                faults[prefix + name] = fault
    return faults


def damaged_files(root: Path, manifest: Manifest) -> dict[str, str]:
    """Read every file of a store and compare it with the manifest.

    Parameters
    ----------
    root
        The store.
    manifest
        What it must hold.

    Returns
    -------
    dict of str
        What is wrong, by key.
    """
    faults = {}
    for key in manifest.files:
        path = root / key
        try:
            content = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            content = None
        fault = manifest.fault(key, content)
        restored = key == _METADATA and content is not None and is_group(content)
        if fault and not restored:
            faults[key] = fault
    for key in _keys(root):
        added = key not in manifest.files and manifest.covers(key)
        if added and not key.endswith(".partial"):
            faults[key] = "was added after the store was written"
    return faults


def added_nodes(root: Path, manifest: Manifest) -> list[str]:
    """Arrays and groups that were put into a store after it was written.

    Parameters
    ----------
    root
        The store.
    manifest
        What was written.

    Returns
    -------
    list of str
        Their names.
    """
    found = (key for key in _keys(root) if key.rpartition("/")[2] == _METADATA)
    return sorted(key.rpartition("/")[0] for key in found if key not in manifest.files)


def write_piece(root: Path, number: int, keys: Iterable[str]) -> None:
    """Describe one part of a store that is still being written.

    Parameters
    ----------
    root
        The store.
    number
        Of the part.
    keys
        Its files; those that are not there hold nothing but fill values.
    """
    _put_piece(root, number, _described(root, (key for key in keys if (root / key).is_file())))


def _put_piece(root: Path, number: int, files: Mapping[str, tuple[int, int]]) -> None:
    text = json.dumps(files, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).hexdigest()
    folder = root / _PIECES
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f"{number}.{os.getpid()}.partial"
    unfinished.write_text(f"{digest}\n{text}")
    os.replace(unfinished, folder / str(number))


def read_pieces(root: Path) -> dict[int, dict[str, tuple[int, int]]]:
    """The parts of an unfinished store that were written whole.

    Parameters
    ----------
    root
        The store.

    Returns
    -------
    dict of dict
        Files by the number of the part; a part whose description is damaged is left out.
    """
    pieces = {}
    folder = root / _PIECES
    for name in os.listdir(folder) if folder.is_dir() else []:
        digest, _, text = (folder / name).read_text(errors="replace").partition("\n")
        if name.isdigit() and hashlib.sha256(text.encode()).hexdigest() == digest:
            pieces[int(name)] = {key: (size, crc) for key, (size, crc) in json.loads(text).items()}
    return pieces


def joined(pieces: Mapping[int, Mapping[str, tuple[int, int]]]) -> dict[str, tuple[int, int]]:
    """The files of all parts together.

    Parameters
    ----------
    pieces
        Files by the number of the part.

    Returns
    -------
    dict
        Size and checksum by key.
    """
    return {key: entry for piece in pieces.values() for key, entry in piece.items()}


def join_pieces(root: Path) -> Manifest:
    """Make the manifest of a store whose parts are all written.

    Parameters
    ----------
    root
        The store.

    Returns
    -------
    Manifest
        What was written.
    """
    manifest = _put(root, joined(read_pieces(root)))
    _remove(root / _PIECES)
    return manifest


def split_pieces(root: Path, pieces: Mapping[int, Mapping[str, tuple[int, int]]]) -> None:
    """Take a whole store apart again, so that missing parts can be written anew.

    Parameters
    ----------
    root
        The store.
    pieces
        Files of the parts that are sound, by number. They keep the checksums that they have.
    """
    for number in sorted(pieces):
        _put_piece(root, number, pieces[number])
    (root / GROUP / _METADATA).unlink()
    _remove(root / _ARRAY)


def is_group(content: bytes) -> bool:
    """Whether the metadata of a store are those of a Zarr group, whatever its attributes.

    Parameters
    ----------
    content
        Of the store's own ``zarr.json``.

    Returns
    -------
    bool
        If so, the attributes that it was written with can be put back.
    """
    try:
        meta = json.loads(content)
        return meta["node_type"] == "group" and meta["zarr_format"] == 3
    except (ValueError, KeyError, TypeError):
        return False


def _described(root: Path, keys: Iterable[str]) -> dict[str, tuple[int, int]]:
    names = set(keys)
    found = {}
    for key in sorted(names):
        content = (root / key).read_bytes()
        size = -1 if key.rpartition("/")[2] == _METADATA else len(content)
        found[key] = (size, _checksum(key, content, names))
    return found


def _put(root: Path, files: Mapping[str, tuple[int, int]]) -> Manifest:
    """Write the manifest: its array first, the group that names its digest last."""
    attributes = json.loads((root / _METADATA).read_bytes()).get("attributes", {})
    listed = {"attributes": attributes, "files": dict(sorted(files.items()))}
    text = json.dumps(listed, separators=(",", ":")).encode()
    generation = hashlib.sha256(text).hexdigest()
    (root / _ARRAY / "c").mkdir(parents=True, exist_ok=True)
    (root / _ARRAY / "c" / "0").write_bytes(text)
    array = {
        "shape": [len(text)],
        "data_type": "uint8",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [len(text)]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0,
        "codecs": [{"name": "bytes"}],
        "attributes": {"long_name": "size and CRC-32C of every file of this store, in JSON"},
        "dimension_names": ["manifest_byte"],
        "zarr_format": 3,
        "node_type": "array",
        "storage_transformers": [],
    }
    (root / _ARRAY / _METADATA).write_text(json.dumps(array))
    group = {
        "attributes": {"title": "manifest of this store", "generation": generation},
        "zarr_format": 3,
        "node_type": "group",
    }
    (root / GROUP / _METADATA).write_text(json.dumps(group))
    return Manifest(generation, dict(files), attributes)


def _checksum(key: str, content: bytes, names: Any) -> int:
    """CRC-32C of a file; of what metadata say, not of how they are laid out."""
    import google_crc32c

    if key.rpartition("/")[2] == _METADATA:
        try:
            content = _metadata(key, json.loads(content), names)
        except ValueError:
            return -1
    return int(google_crc32c.value(content))


def _metadata(key: str, meta: Any, names: Any) -> bytes:
    """Metadata without what may change: the consolidated copy, and coordinates that were added."""
    if isinstance(meta, dict):
        meta.pop("consolidated_metadata", None)
        attributes = meta.get("attributes")
        if isinstance(attributes, dict) and isinstance(attributes.get("coordinates"), str):
            node = key.rpartition("/")[0]
            group = node if meta.get("node_type") == "group" else node.rpartition("/")[0]
            prefix = f"{group}/" if group else ""
            named = sorted(
                name
                for name in attributes.pop("coordinates").split()
                if f"{prefix}{name}/{_METADATA}" in names
            )
            if named:
                attributes["coordinates"] = named
    return json.dumps(meta, sort_keys=True).encode()


def _remove(folder: Path) -> None:
    """Remove a folder at once: no kill leaves a part of it."""
    gone = folder.with_name(f"{folder.name}.gone")
    shutil.rmtree(gone, ignore_errors=True)
    os.replace(folder, gone)
    shutil.rmtree(gone)


def _keys(root: Path) -> Iterator[str]:
    """Every file of a store, but for the manifest, as a key."""
    for folder, below, names in os.walk(root):
        inside = Path(folder).relative_to(root).as_posix()
        if inside == "." and GROUP in below:
            below.remove(GROUP)
        for name in names:
            yield name if inside == "." else f"{inside}/{name}"


def _sizes(folder: Path, names: Iterable[str]) -> dict[str, int]:
    """Sizes of the files of a folder."""
    try:
        with os.scandir(folder) as entries:
            wanted = set(names)
            return {e.name: e.stat().st_size for e in entries if e.name in wanted and e.is_file()}
    except (FileNotFoundError, NotADirectoryError):
        return {}


def _no_manifest(root: Path, what: str) -> DamagedStoreError:
    return DamagedStoreError(
        f"{root} is damaged: the list of what it must hold cannot be read ({what}). Take the store "
        "from a backup, or make it again"
    )
