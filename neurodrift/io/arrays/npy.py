"""Arrays of ``.npy`` and ``.npz`` files; a header is believed only as far as its file goes."""

from __future__ import annotations

import io
import lzma
import math
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from neurodrift.io.arrays.names import missing_variable, only_one

_MAPPED = 2**26  # bytes from which an array is not read into memory
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    OSError,
    EOFError,
    RuntimeError,  # a password, or a way of packing that Python lacks
    KeyError,
)


def described_npy(path: Path) -> tuple[tuple[int, ...], str]:
    """Shape and dtype that a file declares."""
    with path.open("rb") as file:
        shape, dtype = _header(file, str(path))
    return shape, str(dtype)


def described_npz(path: Path) -> list[tuple[str, tuple[int, ...], str]]:
    """Name, shape and dtype of every array of an archive."""
    found = []
    with _archive(path) as archive:
        for name in _members(archive):
            where = f"{name} of {path}"
            with _damage_told(where), archive.open(name) as file:
                shape, dtype = _header(file, where)
            found.append((name.removesuffix(".npy"), shape, str(dtype)))
    return found


def load_npy(path: Path, variable: str | None, max_bytes: int) -> np.ndarray:
    """The array of a file."""
    if variable is not None:
        raise ValueError(f"{path} holds one array without a name, so leave {variable!r} out")
    with path.open("rb") as file:
        shape, dtype = _header(file, str(path))
        _refuse_size(shape, dtype, max_bytes, str(path))
        held = path.stat().st_size - file.tell()
    declared = math.prod(shape) * dtype.itemsize
    if held != declared:
        raise ValueError(
            f"{path} is damaged: shape {shape} of {dtype} takes {declared:,} bytes, but {held:,} "
            "are there"
        )
    mapped = declared > _MAPPED and shape  # read where it is used, part by part
    return np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)


def load_npz(path: Path, variable: str | None, max_bytes: int) -> Any:
    """One array of an archive; all vectors whose names start with ``variable*``."""
    with _archive(path) as archive:
        names = [name.removesuffix(".npy") for name in _members(archive)]
        variable = only_one(path, names) if variable is None else variable
        if variable.endswith("*"):
            some = [name for name in names if name.startswith(variable[:-1])]
            if not some:
                raise missing_variable(path, variable, names)
            return [member(archive, name, path, max_bytes // len(some)) for name in some]
        if variable not in names:
            raise missing_variable(path, variable, names)
        return member(archive, variable, path, max_bytes)


def member(archive: zipfile.ZipFile, name: str, path: Path | str, max_bytes: int) -> np.ndarray:
    """An array of an opened archive."""
    where = f"{name} of {path}"
    info = archive.getinfo(f"{name}.npy")
    with _damage_told(where), archive.open(info) as file:
        shape, dtype = _header(file, where)
        _refuse_size(shape, dtype, max_bytes, where)
        declared, held = math.prod(shape) * dtype.itemsize, info.file_size - file.tell()
    if declared != held:
        raise ValueError(
            f"{where} is damaged: it declares {declared:,} bytes, but {held:,} are there"
        )
    with _damage_told(where), archive.open(info) as file:
        content = file.read(info.file_size + 1)
        return np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)


@contextmanager
def _damage_told(where: str) -> Iterator[None]:
    """What zipfile and its compressors raise, as one error."""
    try:
        yield
    except _DAMAGE as error:
        raise ValueError(f"{where} is damaged: {error}") from error


def _archive(path: Path) -> zipfile.ZipFile:
    with _damage_told(str(path)):
        return zipfile.ZipFile(path)


def _members(archive: zipfile.ZipFile) -> list[str]:
    return [name for name in archive.namelist() if name.endswith(".npy")]


def _header(file: IO[bytes], where: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0
        if version != (1, 0):
            read = np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
    except (ValueError, SyntaxError, tokenize.TokenError, *_DAMAGE) as error:
        raise ValueError(f"{where} is damaged, it has no .npy header: {error}") from error
    if dtype.hasobject:
        raise ValueError(
            f"{where} holds Python objects in a pickle, which is never loaded because it can run "
            "anything: save plain arrays by numpy.save or numpy.savez"
        )
    if any(n < 0 for n in shape):
        raise ValueError(f"{where} is damaged: it declares shape {shape}")
    return shape, dtype


def _refuse_size(shape: tuple[int, ...], dtype: np.dtype[Any], max_bytes: int, where: str) -> None:
    size = math.prod(shape) * dtype.itemsize
    if size > max_bytes:
        raise ValueError(
            f"{where} declares shape {shape} of {dtype}, {size / 2**30:,.1f} GiB; at most "
            f"{max_bytes / 2**30:,.1f} GiB are read"
        )
