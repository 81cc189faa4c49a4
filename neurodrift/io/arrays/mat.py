"""MATLAB files of any version since 5 as plain Python values, within bounds."""

from __future__ import annotations

import mmap
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurodrift.io.arrays import _mat5, _mat73
from neurodrift.io.arrays._mat_bounds import Budget, Damaged, Unreadable

__all__ = ["MatVariable", "Unreadable", "list_mat", "read_mat"]

_HDF5 = b"\x89HDF\r\n\x1a\n"


@dataclass(frozen=True)
class MatVariable:
    """What a file says of one of its variables.

    Parameters
    ----------
    name
        Its name.
    matlab_class
        Its class in MATLAB.
    shape
        Its shape in MATLAB, (rows, columns, ...).
    n_bytes
        Bytes that its numbers take in memory; 0 for texts, cells, structs and sparse matrices.
    """

    name: str
    matlab_class: str
    shape: tuple[int, ...]
    n_bytes: int


def read_mat(
    path: str | os.PathLike[str],
    names: Sequence[str] | None = None,
    *,
    max_bytes: int = 2**32,
) -> dict[str, Any]:
    """Read the variables of a MATLAB file, of version 5 to 7.3, the same values from either.

    Nothing is squeezed: shapes are MATLAB's, (rows, columns, ...). Numbers become arrays of their
    MATLAB class, logicals of bool; a text becomes a str, a char matrix a list of its rows; a cell
    an object array of values; a struct a dict, an array of structs an object array of dicts; a
    sparse matrix a :class:`scipy.sparse.csc_array`. What only MATLAB can read, such as tables and
    function handles, becomes an :class:`Unreadable`.

    Parameters
    ----------
    path
        The file; nothing in it is ever executed.
    names
        Variables to read; all of them when omitted.
    max_bytes
        Most that its arrays may take in memory. What a file declares is held against this, and
        against the bytes that it has, before anything is allocated.

    Returns
    -------
    dict
        Value by name.

    Raises
    ------
    FileNotFoundError
        If there is no file.
    ValueError
        If it is no MATLAB file, truncated, damaged, too large or too deeply nested, takes values
        from other files, or has no such variable.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from scipy.io import savemat
    >>> from neurodrift.io.arrays.mat import read_mat
    >>> file = tempfile.mkdtemp() + "/track.mat"
    >>> savemat(file, {"x": np.arange(3.0), "mouse": {"name": "C6", "days": [1, 3]}})
    >>> content = read_mat(file)
    >>> content["x"].shape, content["mouse"]["name"]
    ((1, 3), 'C6')
    """
    path = _existing(path)
    wanted = None if names is None else list(names)
    try:
        if _is_hdf5(path):
            with _mat73.open_hdf5(path) as file:
                found = _choose(_mat73.names_in(file), wanted)
                budget = Budget(max_bytes)
                return {name: _mat73.read(file, name, budget) for name in found}
        known = {item.name: item for item in _variables(path)}
        chosen = _choose(list(known), wanted)
        budget = Budget(max_bytes)
        return {name: known[name].read(budget) for name in chosen}
    except Damaged as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    except Exception as error:  # h5py raises anything on damaged files
        raise ValueError(f"{path} is damaged ({type(error).__name__}: {error})") from error


def list_mat(path: str | os.PathLike[str]) -> list[MatVariable]:
    """List the variables of a MATLAB file without reading them.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    list of MatVariable
        In the order of the file.

    Raises
    ------
    FileNotFoundError
        If there is no file.
    ValueError
        If it is no MATLAB file, or truncated.

    Examples
    --------
    >>> import tempfile
    >>> from scipy.io import savemat
    >>> from neurodrift.io.arrays.mat import list_mat
    >>> file = tempfile.mkdtemp() + "/track.mat"
    >>> savemat(file, {"x": [[1.0, 2.0]]})
    >>> list_mat(file)
    [MatVariable(name='x', matlab_class='double', shape=(1, 2), n_bytes=16)]
    """
    path = _existing(path)
    try:
        if _is_hdf5(path):
            with _mat73.open_hdf5(path) as file:
                return [
                    MatVariable(name, *_mat73.describe(file, name))
                    for name in _mat73.names_in(file)
                ]
        return [
            MatVariable(item.name, item.matlab_class, item.shape, item.n_bytes)
            for item in _variables(path)
        ]
    except Damaged as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    except Exception as error:
        raise ValueError(f"{path} is damaged ({type(error).__name__}: {error})") from error


def _existing(path: str | os.PathLike[str]) -> Path:
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}")
    return path


def _is_hdf5(path: Path) -> bool:
    """Whether HDF5 begins at the start, or behind the 512 bytes that MATLAB puts before it."""
    with path.open("rb") as file:
        head = file.read(1024)
    return any(head[at : at + 8] == _HDF5 for at in (0, 512))


def _variables(path: Path) -> list[_mat5.Variable]:
    with path.open("rb") as file:
        head = file.read(128)
        if head[:4] == b"PK\x03\x04" or head[:6] == b"\x93NUMPY":
            raise Damaged("it is a NumPy file (.npy, .npz) and no MATLAB file")
        if len(head) >= 20 and 0 in head[:4]:
            raise Damaged(
                "it is no MATLAB file, or one of version 4: save it in MATLAB with the option -v7"
            )
        if len(head) < 128:
            raise Damaged(f"it has {len(head)} bytes only: it is truncated or no MATLAB file")
        data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    found = [item for item in _mat5.variables(data) if item.name]  # MATLAB's own has no name
    names = [item.name for item in found]
    if len(set(names)) < len(names):
        raise Damaged(f"it holds a variable twice: {', '.join(sorted(names))}")
    return found


def _choose(known: list[str], wanted: list[str] | None) -> list[str]:
    missing = sorted(set(wanted or []) - set(known))
    if missing:
        raise Damaged(f"it has no variable {', '.join(missing)}; it holds {', '.join(known)}")
    return known if wanted is None else [name for name in known if name in wanted]
