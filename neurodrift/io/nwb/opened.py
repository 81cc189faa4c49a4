"""An NWB file of anybody, open for reading."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from neurodrift.io.nwb.links import OutsideError, refuse_outside
from neurodrift.io.probe import DamagedFileError

if TYPE_CHECKING:
    from pynwb import NWBFile


@contextmanager
def opened_nwb(path: Path) -> Iterator[NWBFile]:
    """Open an NWB file, and close it afterwards.

    Parameters
    ----------
    path
        The file.

    Yields
    ------
    pynwb.NWBFile
        The file, whose data are read when they are used.

    Raises
    ------
    FileNotFoundError
        If there is none.
    OutsideError
        If it points to other files.
    ValueError
        If it is no NWB file, or is damaged.
    """
    from pynwb import NWBHDF5IO

    if not path.is_file():
        raise FileNotFoundError(f"no NWB file at {path}")
    io = None
    try:
        refuse_outside(path)
        io = NWBHDF5IO(path, "r")
        nwbfile = io.read()
    except OutsideError:
        raise
    except Exception as error:  # what is no NWB file raises anything
        if io is not None:
            io.close()
        reason = error.reason if isinstance(error, DamagedFileError) else error
        raise ValueError(f"{path} is no readable NWB (HDF5) file: {reason}") from error
    with io:
        yield nwbfile
