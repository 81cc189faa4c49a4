"""Whether an HDF5 file can be read at all, found out by a process that may die of it."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path

SILENCE = 10.0
"""Seconds without an answer after which a file is given up."""

_START = 120.0  # s until the process has loaded what it reads with

_SCRIPT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from neurodrift.io._probing import main; main()"
)
_lock = threading.Lock()
_sound: set[tuple[str, int, int]] = set()


class DamagedFileError(ValueError):
    """A file cannot be read; `reason` says why, without its name."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} is no readable HDF5 file: {reason}")
        self.reason = reason


def refuse_damaged(path: str | os.PathLike[str]) -> None:
    """Refuse an HDF5 file that the library cannot read, before this process reads it.

    Bytes that are wrong can crash the HDF5 library and the process with it, or keep it busy
    without end. A child process reads every object, attribute and chunk first; of files above
    1 GiB every object, the index of the chunks and the first of them. A file that was found sound
    is not looked at again until it changes.

    Parameters
    ----------
    path
        The file. Links to other files are not followed.

    Raises
    ------
    FileNotFoundError
        If there is none.
    DamagedFileError
        If it cannot be read, crashes the library, or reading it does not end.

    Examples
    --------
    >>> import tempfile
    >>> import h5py
    >>> from neurodrift.io.probe import refuse_damaged
    >>> path = tempfile.mkdtemp() + "/a.h5"
    >>> with h5py.File(path, "w") as file:
    ...     file["x"] = [1.0, 2.0]
    >>> refuse_damaged(path)
    """
    path = Path(os.path.abspath(path))
    stat = path.stat()
    key = (str(path), stat.st_size, stat.st_mtime_ns)
    with _lock:
        if key in _sound:
            return
        told = _child().ask(str(path))
        if told == "ok":
            _sound.add(key)
            return
    try:
        found = json.loads(told)
    except ValueError:
        raise DamagedFileError(path, f"{told}: take it from a backup or write it anew") from None
    raise DamagedFileError(path, f"{found['where']} cannot be read ({found['error']})")


class _Child:
    """The process that reads; one for this process, until it dies."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self.process = subprocess.Popen(
            [sys.executable, "-c", _SCRIPT, json.dumps([item for item in sys.path if item])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.started = False
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as said:
            for line in said:
                self.lines.put(line.rstrip("\n"))
        self.lines.put("")  # it has ended

    @property
    def is_alive(self) -> bool:
        return self.owner == os.getpid() and self.process.poll() is None

    def ask(self, path: str) -> str:
        """``ok``, what is wrong as JSON, or in words if the process died of it."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(path) + "\n")
            self.process.stdin.flush()
            line = "."
            if not self.started:  # on a busy machine loading takes its time
                line, self.started = self.lines.get(timeout=_START), True
            while line == ".":
                line = self.lines.get(timeout=SILENCE)
        except queue.Empty:
            self.process.kill()
            return f"it is damaged, and reading it does not end (no answer for {SILENCE:g} s)"
        except OSError:
            line = ""
        if line:
            return line
        self.process.wait()
        return f"it is damaged, and it crashes the HDF5 library (code {self.process.returncode})"

    def end(self) -> None:
        """Let the process end."""
        if self.owner == os.getpid():
            assert self.process.stdin is not None
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                self.process.stdin.close()
                self.process.wait(timeout=5)


_running: list[_Child] = []


def _child() -> _Child:
    while _running and not _running[-1].is_alive:
        _running.pop().end()
    if not _running:
        _running.append(_Child())
        atexit.register(_running[-1].end)
    return _running[-1]
