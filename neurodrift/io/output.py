"""Output that is whole or not there, written by one command at a time."""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import shutil
import sys
import time
import uuid
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

_UNFINISHED, _OLD, _LOCK = "unfinished", "old", "lock"
_HIDDEN = re.compile(
    r"\.(?P<name>.+)\.[0-9a-f]{8}\.(?P<what>unfinished|old)(?P<suffix>\.nwb)?", re.DOTALL
)
_LOCKED = re.compile(r"\.(?P<name>.+)\.lock", re.DOTALL)
_CUT = re.compile(r"~[0-9a-f]{12}\Z")  # a name of which the start and a digest are left
_MOST_BYTES = 150  # of a name: systems allow 255, and hidden names are longer than their own
_WAIT = 5.0  # seconds for threads that still write to end
_DYING = 1.0  # [s] that a killed process takes to go, at most
_held: ContextVar[frozenset[Path]] = ContextVar("held", default=frozenset())


class LeftoverWarning(UserWarning):
    """What a killed command left was put back or removed: of a folder, not of what was recorded."""


@contextmanager
def claimed(
    path: str | os.PathLike[str],
    *,
    overwrite: bool,
    inputs: Iterable[str | os.PathLike[str]] = (),
) -> Iterator[None]:
    """Hold an output from before the work begins until it is in its place.

    What a killed command left of the same output is put back or removed first, with a warning.

    Parameters
    ----------
    path
        Where a file or store will be written.
    overwrite
        Whether it may be replaced.
    inputs
        What the command reads: never replaced, nor written into.

    Raises
    ------
    FileExistsError
        If it exists and may not be replaced, is an input, lies in one or holds one, or is being
        written by another command.
    """
    path = Path(path)
    refuse_inputs(path, inputs)
    with held(path):
        mend(path)
        refuse_existing(path, overwrite)
        yield


@contextmanager
def whole(
    path: str | os.PathLike[str],
    *,
    overwrite: bool,
    suffix: str = "",
    what: str = "",
    is_ours: Callable[[Path], bool] | None = None,
) -> Iterator[Path]:
    """Let something be written under a hidden name, and put it in its place when it is whole.

    Parameters
    ----------
    path
        Where it will stand.
    overwrite
        Whether what stands there is replaced.
    suffix
        End of the hidden name, where the writer asks for one.
    what
        What is written, in words.
    is_ours
        Whether what stands there is of the same kind; nothing else is replaced.

    Yields
    ------
    pathlib.Path
        Where to write. Whatever is raised discards it.

    Raises
    ------
    FileExistsError
        If something stands at `path` that may not be replaced, or another program wrote it
        meanwhile.
    """
    path = Path(path)
    with claimed(path, overwrite=overwrite):
        if is_ours is not None and os.path.lexists(path) and not is_ours(path):
            raise FileExistsError(
                f"{path} is no {what} of neurodrift and was kept: overwrite replaces only the same "
                "kind; choose another name"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        before = _identity(path)
        unfinished = hidden(path, _UNFINISHED, suffix)
        try:
            yield unfinished
            if _identity(path) != before:
                raise FileExistsError(
                    f"{path} was written by another program meanwhile and was kept; what was made "
                    "here is discarded: choose another name and give the command again"
                )
            replace(unfinished, path)
        except BaseException:
            discard(unfinished)
            raise


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Let no other command write to a place; what a dead process held is free.

    A second is waited for a process that holds it: one that was just killed may not be gone.

    Parameters
    ----------
    path
        The place; its folder is made if there is none.

    Raises
    ------
    FileExistsError
        If another command holds it.
    """
    from filelock import SoftFileLock, Timeout

    place = path.resolve()
    if place in _held.get():  # by a caller of this one
        yield
        return
    file = _lock_file(place)
    lock = SoftFileLock(file, timeout=_DYING, poll_interval=0.02, thread_local=False)
    with _parents(place):
        try:
            lock.acquire()
        except Timeout:
            raise FileExistsError(f"{path} is being written {_holder(file)}") from None
        except OSError as error:  # a full disk, or a folder that cannot be written to
            text = f"{error.strerror}: could not be written"
            raise OSError(error.errno, text, str(path)) from error
        token = _held.set(_held.get() | {place})
        try:
            yield
        finally:
            _held.reset(token)
            lock.release()


@contextmanager
def _parents(path: Path) -> Iterator[None]:
    """Make the folders above a path; those that nothing was written into go again."""
    made = [folder for folder in path.parents if not folder.exists()]
    above = next(folder for folder in path.parents if folder.exists())
    if not above.is_dir():
        raise FileExistsError(f"{above} is a file, so {path} cannot be written below it")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        for folder in made:
            try:
                folder.rmdir()
            except OSError:
                break


def mend(path: Path) -> list[str]:
    """Put back or remove what killed commands left of an output that this process holds.

    Parameters
    ----------
    path
        The output.

    Returns
    -------
    list of str
        What was done; each is a warning too.
    """
    prefix = f".{_short(path.name)}."
    left = [item for item in _listed(path.parent) if item.name.startswith(prefix)]
    found: dict[str, list[Path]] = {_UNFINISHED: [], _OLD: []}
    for item in left:
        match = _HIDDEN.fullmatch(item.name)
        if match and match["name"] == _short(path.name):
            found[match["what"]].append(item)
    told = []
    if found[_OLD] and not os.path.lexists(path):
        newest = max(found[_OLD], key=lambda item: item.lstat().st_mtime)
        os.replace(newest, path)
        found[_OLD].remove(newest)
        told.append(f"{path} was put back: a command was killed while it replaced it")
    for item in [*found[_UNFINISHED], *found[_OLD]]:
        discard(item)
        told.append(f"{item} was removed: a killed command left it")
    for text in told:
        warnings.warn(text, LeftoverWarning, stacklevel=3)
    return told


def clean(folder: str | os.PathLike[str]) -> list[str]:
    """Put back or remove what killed commands left in a folder.

    Parameters
    ----------
    folder
        Where outputs were written. What another command writes there now is left alone.

    Returns
    -------
    list of str
        What was done, or why something was left.

    Raises
    ------
    NotADirectoryError
        If it is no folder.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from neurodrift.io.output import clean
    >>> folder = Path(tempfile.mkdtemp())
    >>> (folder / ".mouse.zarr.0123abcd.unfinished").mkdir()
    >>> [text.split(" was ")[1] for text in clean(folder)]
    ['removed: a killed command left it']
    >>> list(folder.iterdir())
    []
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is no folder")
    told: list[str] = []
    names: dict[str, list[Path]] = {}
    there = {_short(item.name): item for item in _listed(folder)}
    for item in _listed(folder):
        match = _HIDDEN.fullmatch(item.name) or _LOCKED.fullmatch(item.name)
        if match:
            names.setdefault(match["name"], []).append(item)
    for name, items in sorted(names.items()):
        path = there.get(name, folder / name)
        if _CUT.search(name) and name not in there and any(map(_is_old, items)):
            told.append(f"{path} was left: its name is cut; give its command once more")
            continue
        try:
            with held(path), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                told += mend(path)
        except FileExistsError as error:
            told.append(f"{error}: left alone")
    return told


def _is_old(item: Path) -> bool:
    match = _HIDDEN.fullmatch(item.name)
    return match is not None and match["what"] == _OLD


def refuse_inputs(path: Path, inputs: Iterable[str | os.PathLike[str]]) -> None:
    """Raise an error if an output is an input, lies in one or holds one.

    Parameters
    ----------
    path
        Where a file or store is to be written.
    inputs
        What the command reads.

    Raises
    ------
    FileExistsError
        If an input would be replaced or written into.
    """
    out = path.resolve()
    for item in inputs:
        source = Path(item).resolve()
        relations = {
            "is": out == source,
            "lies in": source in out.parents,
            "holds": out in source.parents,
        }
        for where in (where for where, true in relations.items() if true):
            raise FileExistsError(
                f"the output {path} {where} the input {item}, which is never replaced: choose "
                "another name"
            )


def refuse_existing(path: Path, overwrite: bool) -> None:
    """Raise an error if something stands at a path that may not be replaced.

    Parameters
    ----------
    path
        Where a file or store is to be written.
    overwrite
        Whether it may be replaced.

    Raises
    ------
    FileExistsError
        If it exists and may not be replaced.
    """
    if os.path.lexists(path) and not overwrite:
        raise FileExistsError(
            f"{path} exists and was kept; pass overwrite (--overwrite) or move it"
        )


def replace(unfinished: Path, path: Path) -> None:
    """Put a finished file or directory in the place of what may stand there.

    Where the system can exchange two names at once, no kill finds neither of them in its place.

    Parameters
    ----------
    unfinished
        The finished work under its temporary name, in the same folder.
    path
        Its final name.
    """
    if not os.path.lexists(path) or not (unfinished.is_dir() or path.is_dir()):
        os.replace(unfinished, path)
        return
    old = hidden(path, _OLD)
    if _exchange(unfinished, path):
        os.replace(unfinished, old)
    else:
        os.replace(path, old)
        try:
            os.replace(unfinished, path)
        except BaseException:
            os.replace(old, path)
            raise
    discard(old)


def hidden(path: Path, what: str, suffix: str = "") -> Path:
    """A name beside a path that is not listed, and is known again by :func:`clean`.

    Parameters
    ----------
    path
        The output.
    what
        ``"unfinished"`` or ``"old"``.
    suffix
        End of the name.

    Returns
    -------
    pathlib.Path
        A new name in the same folder.
    """
    return path.with_name(f".{_short(path.name)}.{uuid.uuid4().hex[:8]}.{what}{suffix}")


def discard(path: Path) -> None:
    """Remove a file or directory, also while threads of a failed writer still end.

    Parameters
    ----------
    path
        What is no longer wanted; nothing may stand there.
    """
    until = time.monotonic() + _WAIT
    while os.path.lexists(path):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
        if not os.path.lexists(path) or time.monotonic() > until:
            return
        time.sleep(0.02)


def _identity(path: Path) -> tuple[int, ...] | None:
    """What stands at a path: another store or file has another identity."""
    try:
        stat = path.stat()
    except OSError:
        return None
    if path.is_dir():
        return stat.st_dev, stat.st_ino
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns


def _short(name: str) -> str:
    """The name, or its start and a digest if it is too long to be made longer."""
    encoded = os.fsencode(name)
    if len(encoded) <= _MOST_BYTES:
        return name
    start = encoded[: _MOST_BYTES - 20].decode(errors="ignore")
    return f"{start}~{hashlib.blake2b(encoded, digest_size=6).hexdigest()}"


def _lock_file(path: Path) -> Path:
    return path.with_name(f".{_short(path.name)}.{_LOCK}")


def _holder(file: Path) -> str:
    """Who holds a lock, in words."""
    try:
        process, host = file.read_text(encoding="utf-8", errors="replace").split("\n")[:2]
    except (OSError, ValueError):
        return "by another command: wait for it"
    host = host.split("?")[0]
    return (
        f"by another command (process {process} on {host}): wait for it or choose another name; "
        f"if that process is gone, delete {file}"
    )


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two names in one step; False where the system cannot."""
    if not sys.platform.startswith("linux"):
        return False
    here, exchange = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of renameat2(2)
    try:
        rename = ctypes.CDLL(None).renameat2
    except (AttributeError, OSError):
        return False
    return bool(rename(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0)
