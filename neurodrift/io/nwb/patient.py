"""HDF5 files written through Python, so that a full disk is an error and not a crash."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import h5py


class _Patient(io.RawIOBase):
    """A file that takes whatever it is given and remembers the first error.

    libhdf5 cannot close a file whose disk is full: it crashes the process. To it every write
    succeeds; whoever opened the file raises the error afterwards.
    """

    def __init__(self, path: Path, mode: str) -> None:
        self.file = io.FileIO(path, mode)
        self.error: OSError | None = None

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()

    def readinto(self, buffer: Any) -> int:
        return self.file.readinto(buffer)

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        done = 0
        while self.error is None and done < len(view):
            try:
                done += self.file.write(view[done:]) or 0
            except OSError as error:
                self.error = error
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        if self.error is None:
            try:
                return self.file.truncate(size)
            except OSError as error:
                self.error = error
        return size or 0

    def flush(self) -> None:
        """Nothing is kept back."""

    def close(self) -> None:
        if not self.closed:
            try:
                self.file.close()
            except OSError as error:
                self.error = self.error or error
        super().close()


@contextmanager
def patient_file(path: Path, mode: str) -> Iterator[h5py.File]:
    """Open an HDF5 file for writing.

    Parameters
    ----------
    path
        The file.
    mode
        ``"w"``, or ``"r+"`` to add to a file that is there.

    Yields
    ------
    h5py.File
        The file, closed afterwards.

    Raises
    ------
    OSError
        If not all could be written.
    """
    import h5py

    with _Patient(path, "w+" if mode == "w" else "r+") as file:
        try:
            with h5py.File(file, mode) as opened:
                yield opened
        except Exception as error:
            if file.error is None:
                raise
            raise _told(file.error, path) from error
    if file.error is not None:
        raise _told(file.error, path) from file.error


def write_nwb(nwbfile: Any, path: Path, fill: Callable[[Any], None] | None = None) -> None:
    """Write an NWB file.

    Parameters
    ----------
    nwbfile
        A :class:`pynwb.NWBFile`.
    path
        The file.
    fill
        Called with `nwbfile` once it is written, to fill datasets that were written empty.

    Raises
    ------
    OSError
        If not all could be written.
    """
    from pynwb import NWBHDF5IO

    with patient_file(path, "w") as file, NWBHDF5IO(mode="w", file=file) as io_:
        io_.write(nwbfile)
        if fill is not None:
            fill(nwbfile)


def _told(error: OSError, path: Path) -> OSError:
    return OSError(error.errno, f"{error.strerror}: could not be written", str(path))
