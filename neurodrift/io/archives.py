"""Archives unpacked within bounds, into one folder and nowhere else."""

from __future__ import annotations

import lzma
import os
import re
import shutil
import stat
import tarfile
import uuid
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from neurodrift.io.zarr import refuse_existing, replace

MAX_FILES = 100_000
_BLOCK = 1 << 20
_RESERVED = re.compile(r"(?i)^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)")


_DAMAGE = (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, RuntimeError)


@dataclass(frozen=True)
class _Member:
    name: str
    size: int  # as declared
    is_folder: bool
    fault: str  # why it is refused, empty if it is not
    entry: Any


def unpack(
    archive: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    max_bytes: int,
    strip: int = 0,
    overwrite: bool = False,
) -> list[Path]:
    """Unpack a zip or tar archive into a new folder, whole or not at all.

    Only plain files and folders inside are accepted: no path that leads out of the folder, no
    link, no device. Nothing is executable afterwards.

    Parameters
    ----------
    archive
        A .zip, .tar, .tar.gz, .tar.bz2 or .tar.xz file.
    folder
        The new folder.
    max_bytes
        Most that its files may have together; what is unpacked is counted, not what is declared.
    strip
        Leading folders to leave out of every name, such as the one of a GitHub archive.
    overwrite
        Whether an existing folder is replaced.

    Returns
    -------
    list of pathlib.Path
        The files, by name.

    Raises
    ------
    FileExistsError
        If the folder exists and `overwrite` is False.
    ValueError
        If it is no archive, damaged, larger than allowed, or a member is refused.
    """
    archive, folder = Path(archive), Path(folder)
    refuse_existing(folder, overwrite)
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}.unfinished")
    unfinished.mkdir()
    try:
        with _Archive(archive) as opened:
            names = _extract(opened, unfinished, max_bytes, strip)
        replace(unfinished, folder)
    except _DAMAGE as error:
        raise ValueError(
            f"{archive} is damaged or not readable ({error}): fetch it again"
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return [folder / name for name in sorted(names)]


class _Archive:
    """A zip or tar file, alike."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file: Any = None
        if zipfile.is_zipfile(path):
            self.file = zipfile.ZipFile(path)
        elif tarfile.is_tarfile(path):
            self.file = tarfile.open(path)  # noqa: SIM115 (closed by __exit__)
        else:
            raise ValueError(f"{path} is no zip or tar archive")

    def __enter__(self) -> _Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def members(self) -> Iterator[_Member]:
        """What it holds."""
        if isinstance(self.file, zipfile.ZipFile):
            for info in self.file.infolist():
                mode = info.external_attr >> 16
                fault = ""
                if stat.S_ISLNK(mode):
                    fault = "is a link"
                elif info.flag_bits & 1:
                    fault = "is encrypted"
                yield _Member(info.filename, info.file_size, info.is_dir(), fault, info)
            return
        for entry in self.file:
            fault = "" if entry.isreg() or entry.isdir() else "is a link or a device"
            yield _Member(entry.name, entry.size, entry.isdir(), fault, entry)

    def open(self, member: _Member) -> IO[bytes]:
        """Its contents."""
        if isinstance(self.file, zipfile.ZipFile):
            return self.file.open(member.entry)
        found: IO[bytes] | None = self.file.extractfile(member.entry)
        if found is None:
            raise ValueError(f"{self.path} holds {member.name!r}, which is no file")
        return found


def _extract(archive: _Archive, folder: Path, max_bytes: int, strip: int) -> list[str]:
    names: dict[str, str] = {}
    left = max_bytes
    for count, member in enumerate(archive.members()):
        if count >= MAX_FILES:
            raise ValueError(f"{archive.path} holds more than {MAX_FILES} files")
        if member.fault:
            raise ValueError(f"{archive.path} is refused: {member.name!r} {member.fault}")
        name = _safe_name(member.name, archive.path)
        parts = PurePosixPath(name).parts[strip:]
        if member.is_folder or not parts:
            continue
        name = "/".join(parts)
        if name.lower() in names:
            raise ValueError(f"{archive.path} is refused: it holds {name!r} twice")
        names[name.lower()] = name
        if member.size > left:
            raise ValueError(_too_large(archive.path, max_bytes))
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as source, target.open("xb") as out:
            while block := source.read(_BLOCK):
                left -= len(block)
                if left < 0:
                    raise ValueError(_too_large(archive.path, max_bytes))
                out.write(block)
    if not names:
        raise ValueError(f"{archive.path} holds no file")
    return list(names.values())


def _safe_name(name: str, archive: Path) -> str:
    """The name, if it stays within a folder on any system."""
    path = PurePosixPath(name)
    parts = path.parts
    bad = (
        not parts
        or path.is_absolute()
        or "\\" in name
        or ":" in name
        or "\0" in name
        or ".." in parts
        or len(name) > 1000
        or any(_RESERVED.match(part) for part in parts)
    )
    if bad:
        raise ValueError(f"{archive} is refused: the name {name!r} may lead out of the folder")
    return str(path)


def _too_large(archive: Path, max_bytes: int) -> str:
    return (
        f"{archive} is refused: it unpacks to more than {max_bytes} bytes, which is more than the "
        "catalogue says; raise the bound if that is right"
    )
