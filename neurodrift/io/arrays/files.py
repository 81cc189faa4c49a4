"""Arrays by name from files of many formats, within bounds and without running anything."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neurodrift.io.arrays import columns as _table_columns
from neurodrift.io.arrays import hdf5 as _hdf5_arrays
from neurodrift.io.arrays import npy as _npy_arrays
from neurodrift.io.arrays.foreign import refuse_foreign

MAX_BYTES = 2**32
"""Most bytes that one variable may take in memory."""

TABLES = (".csv", ".tsv", ".txt", ".parquet", ".pq")
"""How the names of tables end, whose columns have names."""

Variable = str | int | None


@dataclass(frozen=True)
class ArrayInfo:
    """What a file says of one of its arrays.

    Parameters
    ----------
    name
        Its name, empty where a file holds one array without a name.
    shape
        Its shape; (items,) for a collection of vectors.
    dtype
        Its dtype, or the class that the format gives it.
    is_collection
        Whether it is a collection of vectors, such as a cell array or a group of datasets.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    is_collection: bool = False


def list_arrays(path: str | os.PathLike[str]) -> list[ArrayInfo]:
    """What arrays a file holds; their values are not read.

    Parameters
    ----------
    path
        A file ``.npy``, ``.npz``, ``.csv``, ``.tsv``, ``.txt``, ``.parquet``, ``.mat``, ``.h5`` or
        ``.hdf5``.

    Returns
    -------
    list of ArrayInfo
        The arrays, columns or variables, in the order of the file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is empty, damaged or of another format.
    """
    path, kind = _known(path)
    if kind == "npy":
        return [ArrayInfo("", *_npy_arrays.described_npy(path))]
    if kind == "npz":
        return [ArrayInfo(*item) for item in _npy_arrays.described_npz(path)]
    if kind in ("csv", "parquet"):
        listed = _table_columns.described_csv if kind == "csv" else _table_columns.described_parquet
        return [ArrayInfo(*item) for item in listed(path)]
    if kind == "mat":
        from neurodrift.io.arrays.mat import list_mat

        return [
            ArrayInfo(item.name, item.shape, item.matlab_class, item.matlab_class == "cell")
            for item in list_mat(path)
        ]
    return [ArrayInfo(*item) for item in _hdf5_arrays.described(path)]


def read_array(
    path: str | os.PathLike[str], variable: Variable = None, *, max_bytes: int = MAX_BYTES
) -> Any:
    r"""One array of a file.

    Parameters
    ----------
    path
        The file, see :func:`list_arrays`.
    variable
        Name of the array, column or variable; ``a.b`` is a field of a MATLAB struct, or of every
        struct of an array of them, or a dataset in a group; ``c{2}`` the second item of a MATLAB
        cell, see :mod:`neurodrift.io.arrays.mat_paths`. A number is a column, from 0, of the only
        array or of a table. May be omitted where a file holds one array.
    max_bytes
        Most bytes that it may take.

    Returns
    -------
    numpy.ndarray or list of numpy.ndarray
        The array in its own shape, MATLAB's vectors (1 x n or n x 1) as (n,); a list of vectors
        for a collection. Texts come as object arrays.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is damaged or a pickle, the variable is not there, or it is larger than
        `max_bytes`.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp()) / "position.csv"
    >>> _ = path.write_text("t,x\n0.0,1.5\n0.1,2.5\n")
    >>> read_array(path, "x")
    array([1.5, 2.5])
    """
    path, kind = _known(path)
    if kind in ("csv", "parquet"):
        return _table_columns.load(path, kind, variable, max_bytes)
    if isinstance(variable, int):
        return _column(read_array(path, max_bytes=max_bytes), variable, path)
    load: Callable[[Path, str | None, int], Any] = {
        "npy": _npy_arrays.load_npy,
        "npz": _npy_arrays.load_npz,
        "mat": _load_mat,
        "hdf5": _hdf5_arrays.load,
    }[kind]
    return load(path, variable, max_bytes)


def read_columns(
    path: str | os.PathLike[str],
    columns: str | Sequence[str | int],
    *,
    max_bytes: int = MAX_BYTES,
) -> tuple[list[str], np.ndarray]:
    r"""Several columns of a table, or of the only array of a file.

    Parameters
    ----------
    path
        The file, see :func:`list_arrays`.
    columns
        Names or numbers (from 0, as the file has them); or a glob such as ``c*``, whose columns
        come in the order of the file.
    max_bytes
        Most bytes that they may take.

    Returns
    -------
    names : list of str
        Names of the columns, their numbers where there are none.
    values : numpy.ndarray
        (row, column) numbers.

    Raises
    ------
    ValueError
        If there is no such column, one is named twice or holds text.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp()) / "rates.csv"
    >>> _ = path.write_text("x,c1,c2\n5.0,1,0\n6.0,0,2\n")
    >>> read_columns(path, "c*")
    (['c1', 'c2'], array([[1, 0],
           [0, 2]]))
    """
    path, kind = _known(path)
    if kind in ("csv", "parquet"):
        return _table_columns.load_several(path, kind, columns, max_bytes)
    if isinstance(columns, str) or not all(isinstance(item, int) for item in columns):
        raise ValueError(f"{path} is no table with names: name its columns by number, from 0")
    whole = read_array(path, max_bytes=max_bytes)
    found = [_column(whole, int(number), path) for number in columns]
    return [str(number) for number in columns], np.column_stack(found)


_KINDS = {
    ".npy": "npy",
    ".npz": "npz",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".mat": "mat",
    ".h5": "hdf5",
    ".hdf5": "hdf5",
    ".hdf": "hdf5",
}
_HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"


def _known(given: str | os.PathLike[str]) -> tuple[Path, str]:
    """The file and its format, after a look at its first bytes."""
    path = Path(given)
    refuse_foreign(path)
    if path.suffix.lower() not in _KINDS:
        raise ValueError(
            f"{path} is of no known format: expected a file ending in {', '.join(_KINDS)}"
        )
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}")
    kind = _KINDS[path.suffix.lower()]
    with path.open("rb") as file:
        start = file.read(8)
    if not start:
        raise ValueError(f"{path} is empty")
    if len(start) > 1 and start[0] == 0x80 and start[1] in (2, 3, 4, 5):
        raise ValueError(
            f"{path} is a Python pickle, which is never loaded because it can run anything: save "
            "its arrays by numpy.save or numpy.savez"
        )
    expected = {"npy": b"\x93NUMPY", "npz": b"PK", "parquet": b"PAR1", "hdf5": _HDF5_MAGIC}
    if not start.startswith(expected.get(kind, b"")):
        raise ValueError(f"{path} is no {kind} file, whatever its name says")
    is_utf16 = start.startswith((b"\xff\xfe", b"\xfe\xff"))
    is_binary = start.startswith((b"PK", b"\x93NUMPY", b"PAR1")) or b"\0" in start
    if kind == "csv" and is_binary and not is_utf16:
        raise ValueError(f"{path} is no text, so it cannot be read as a table")
    return path, kind


def _column(array: Any, number: int, path: Path) -> np.ndarray:
    if not isinstance(array, np.ndarray) or array.ndim != 2 or not 0 <= number < array.shape[1]:
        shape = array.shape if isinstance(array, np.ndarray) else f"{len(array)} vectors"
        raise ValueError(f"{path} has shape {shape}, so it has no column {number} (from 0)")
    return array[:, number]


def _load_mat(path: Path, variable: str | None, max_bytes: int) -> Any:
    from neurodrift.io.arrays.mat_paths import load

    return load(path, variable, max_bytes)
