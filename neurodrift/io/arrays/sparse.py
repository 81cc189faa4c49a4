"""Sparse matrices as SciPy stores them (``save_npz``), read as a list of what they hold.

They are never made dense: a matrix of a few bytes may declare a shape that no memory holds.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import IO

import numpy as np

from neurodrift.io.arrays.npy import member


def read_sparse(
    file: Path | IO[bytes], where: str, *, max_bytes: int = 2**31
) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[int, int]]:
    """The entries of a sparse matrix.

    Parameters
    ----------
    file
        What ``scipy.sparse.save_npz`` wrote: CSR, CSC or COO.
    where
        What it is, for messages.
    max_bytes
        Most bytes that each of its arrays may take.

    Returns
    -------
    row, column : numpy.ndarray
        (entry) places.
    value : numpy.ndarray
        (entry) numbers.
    shape : tuple of int
        Rows and columns that it declares.

    Raises
    ------
    ValueError
        If it is no such matrix, or an entry lies outside of its shape.

    Examples
    --------
    >>> import io
    >>> import scipy.sparse
    >>> from neurodrift.io.arrays.sparse import read_sparse
    >>> file = io.BytesIO()
    >>> scipy.sparse.save_npz(file, scipy.sparse.csr_array([[0.0, 0.5], [0.0, 0.0]]))
    >>> row, column, value, shape = read_sparse(file, "example")
    >>> row.tolist(), column.tolist(), value.tolist(), shape
    ([0], [1], [0.5], (2, 2))
    """
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise ValueError(f"{where} is damaged: {error}") from error
    with archive:
        names = {name.removesuffix(".npy") for name in archive.namelist()}
        if not {"format", "shape", "data"} <= names:
            raise ValueError(f"{where} is no sparse matrix of SciPy: it holds {sorted(names)}")

        def part(name: str) -> np.ndarray:
            if name not in names:
                raise ValueError(f"{where} is no whole sparse matrix: it lacks {name}")
            return member(archive, name, where, max_bytes)

        form = part("format").item()
        form = form.decode() if isinstance(form, bytes) else str(form)
        shape, value = part("shape"), part("data")
        if shape.shape != (2,) or shape.dtype.kind not in "iu" or (shape < 0).any():
            raise ValueError(f"{where} declares shape {shape.tolist()}, expected two numbers")
        if form in ("csr", "csc"):
            minor, ends = part("indices"), part("indptr")
            major = _repeated(ends, value.size, int(shape[0 if form == "csr" else 1]), where)
            row, column = (major, minor) if form == "csr" else (minor, major)
        elif form == "coo":
            row, column = part("row"), part("col")
        else:
            raise ValueError(f"{where} is a sparse matrix of format {form!r}, expected csr")
    for name, places, size in (("row", row, shape[0]), ("column", column, shape[1])):
        if places.shape != value.shape or places.dtype.kind not in "iu":
            raise ValueError(f"{where} is damaged: it has {places.size} places for {value.size}")
        if places.size and (int(places.min()) < 0 or int(places.max()) >= int(size)):
            raise ValueError(f"{where} is damaged: it has an entry outside of its {size} {name}s")
    return row.astype(np.int64), column.astype(np.int64), value, (int(shape[0]), int(shape[1]))


def _repeated(ends: np.ndarray, n_entries: int, n_major: int, where: str) -> np.ndarray:
    """The row of each entry (the column, of CSC)."""
    sound = ends.shape == (n_major + 1,) and ends.dtype.kind in "iu"
    if not sound or ends[0] != 0 or ends[-1] != n_entries or (np.diff(ends) < 0).any():
        raise ValueError(f"{where} is damaged: its index does not fit its {n_entries} entries")
    return np.repeat(np.arange(n_major), np.diff(ends))
