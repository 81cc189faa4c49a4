"""Files fetched over HTTP: resumed, bounded, verified, and never run."""

from __future__ import annotations

import json
import logging
import lzma
import os
import re
import stat
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.parse import urlsplit

from neurodrift.io.output import whole

_BLOCK = 1 << 18
_TRIES = 3


def download(
    url: str,
    path: str | os.PathLike[str],
    *,
    sha256: str | None = None,
    max_bytes: int,
    timeout: float = 30.0,
    progress: Callable[[int, int | None], None] | None = None,
) -> Path:
    """Fetch a file; what an interrupted download left is resumed.

    Parameters
    ----------
    url
        An http or https address.
    path
        Where the file goes. Until it is whole and verified it is called ``<path>.part``.
    sha256
        Its checksum, if it is known.
    max_bytes
        Most bytes to fetch.
    timeout
        Longest silence of the server [s].
    progress
        Called with the bytes so far, and in all if the server tells.

    Returns
    -------
    pathlib.Path
        `path`.

    Raises
    ------
    OSError
        If the server cannot be reached, refuses, or the connection breaks three times; what has
        come stays and is resumed by the next call.
    ValueError
        If the file has another checksum or is larger than allowed; nothing stays then.
    """
    import pooch

    path = Path(path)
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError(f"{url} is no http or https address")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")

    def resumed(address: str, output: str, _: Any) -> None:
        _fetch(address, part, max_bytes, timeout, progress, is_known=sha256 is not None)
        os.replace(part, output)

    pooch.get_logger().setLevel(logging.WARNING)
    try:
        pooch.retrieve(
            url,
            known_hash=None if sha256 is None else f"sha256:{sha256}",
            fname=path.name,
            path=path.parent,
            downloader=resumed,
        )
    except ValueError as error:
        _forget(part)
        if "does not match the known hash" not in str(error):
            raise
        raise ValueError(
            f"{url} has another checksum than the catalogue's sha256 {sha256}: it was changed or "
            "damaged, and nothing was kept"
        ) from error
    _forget(part)
    return path


def _fetch(
    url: str,
    part: Path,
    max_bytes: int,
    timeout: float,
    progress: Callable[[int, int | None], None] | None,
    *,
    is_known: bool,
) -> None:
    import requests
    import urllib3

    for attempt in range(_TRIES):
        try:
            _continue(url, part, max_bytes, timeout, progress, is_known)
            return
        except requests.HTTPError as error:
            code = error.response.status_code if error.response is not None else "no answer"
            raise OSError(f"{url} cannot be fetched: the server answers {code}") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            if attempt + 1 == _TRIES:
                there = part.stat().st_size if part.exists() else 0
                raise OSError(
                    f"{url} was interrupted after {there} bytes ({type(error).__name__}): run the "
                    "same command again to go on from there"
                ) from error
            time.sleep(0.2 * 2**attempt)


def _continue(
    url: str,
    part: Path,
    max_bytes: int,
    timeout: float,
    progress: Callable[[int, int | None], None] | None,
    is_known: bool,
) -> None:
    """Fetch what is still missing; all of it if the file on the server is another one."""
    import requests

    headers = {"Accept-Encoding": "identity"}
    there, tag = _left(part)
    # Without a tag only a checksum can tell whether both halves are of one file.
    if there and (tag or is_known):
        headers["Range"] = f"bytes={there}-"
        if tag:
            headers["If-Range"] = tag
    with requests.get(url, headers=headers, stream=True, timeout=timeout) as answer:
        if answer.status_code == 416 and there:
            _forget(part)
            raise requests.ConnectionError("the rest is not there: from the start")
        answer.raise_for_status()
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            raise ValueError(f"{url} comes in another encoding than asked for")
        goes_on = answer.status_code == 206 and _range_start(answer) == there
        if answer.status_code == 206 and not goes_on:
            _forget(part)
            raise requests.ConnectionError("another range than asked for: from the start")
        have = there if goes_on else 0
        declared = answer.headers.get("Content-Length", "")
        whole = have + int(declared) if declared.isdecimal() else None
        _refuse_larger(whole or have, max_bytes, url, part)
        _remember(part, answer)
        with part.open("ab" if goes_on else "wb") as file:
            # read1 gives what there is before a connection breaks; iter_content loses it.
            read = getattr(answer.raw, "read1", answer.raw.read)
            while block := read(_BLOCK):
                have += len(block)
                _refuse_larger(have, max_bytes, url, part)
                file.write(block)
                if progress is not None:
                    progress(have, whole)
    if whole is not None and have < whole:
        raise requests.ConnectionError(f"{have} of {whole} bytes came")


def _refuse_larger(n_bytes: int, max_bytes: int, url: str, part: Path) -> None:
    if n_bytes > max_bytes:
        _forget(part)
        raise ValueError(
            f"{url} is larger than the {max_bytes} bytes that the catalogue allows: nothing was "
            "kept"
        )


def _tags(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _left(part: Path) -> tuple[int, str]:
    """Bytes that an earlier try left, and what the server called that version of the file."""
    if not part.is_file():
        return 0, ""
    try:
        tag = json.loads(_tags(part).read_text()).get("tag", "")
    except (OSError, ValueError, AttributeError):
        tag = ""
    return part.stat().st_size, str(tag)


def _remember(part: Path, answer: Any) -> None:
    tag = answer.headers.get("ETag", "")
    if not tag or tag.startswith("W/"):  # a weak tag does not say that the bytes are the same
        tag = answer.headers.get("Last-Modified", "")
    _tags(part).write_text(json.dumps({"tag": tag}))


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _tags(part).unlink(missing_ok=True)


def _range_start(answer: Any) -> int:
    """First byte of a partial answer: ``Content-Range: bytes 100-199/200``."""
    text = answer.headers.get("Content-Range", "").removeprefix("bytes ").split("-")[0]
    return int(text) if text.isdecimal() else -1


MAX_FILES = 100_000
_ARCHIVE_BLOCK = 1 << 20
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
    with whole(folder, overwrite=overwrite) as unfinished:
        unfinished.mkdir()
        try:
            with _Archive(archive) as opened:
                names = _extract(opened, unfinished, max_bytes, strip)
        except _DAMAGE as error:
            raise ValueError(
                f"{archive} is damaged or not readable ({error}): fetch it again"
            ) from error
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
    names = _checked(archive, max_bytes, strip)
    left = max_bytes
    for member in archive.members():
        name = "/".join(PurePosixPath(str(PurePosixPath(member.name))).parts[strip:])
        if member.is_folder or not name:
            continue
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as source, target.open("xb") as out:
            while block := source.read(_ARCHIVE_BLOCK):
                left -= len(block)
                if left < 0:
                    raise ValueError(_too_large(archive.path, max_bytes))
                out.write(block)
    return names


def _checked(archive: _Archive, max_bytes: int, strip: int) -> list[str]:
    """The names of the files, if every member may be unpacked; nothing is written before."""
    names: dict[str, str] = {}
    declared = 0
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
        declared += member.size
        if declared > max_bytes:
            raise ValueError(_too_large(archive.path, max_bytes))
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
