"""Arrays of a series, held against the file's own clock and tables, and read in parts."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from neurodrift.gate.findings import GateWarning
from neurodrift.io.nwb.find import in_unit

_MOST_MISSING = 0.001  # of the samples that one side may have more than the other
_READ_BYTES = 2**23  # of stored samples that are in memory at once


class _Unit(NamedTuple):
    """What :func:`neurodrift.io.nwb.find.in_unit` asks of a series."""

    conversion: float
    offset: float


class Samples:
    """Samples of a series, time first, read in parts.

    Parameters
    ----------
    series
        A :class:`pynwb.TimeSeries` of an open file. The parts are read from the file by its name,
        so that it may be closed by then.
    where
        Path of the series, for messages.
    n_columns
        Number of columns that a table of the file says it has.

    Attributes
    ----------
    time : numpy.ndarray
        (time) seconds.
    shape : tuple of int
        (time, column).
    chunk : tuple of int
        (time, column) that are stored together.

    Raises
    ------
    ValueError
        If the shape does not fit the clock or the table.
    """

    def __init__(self, series: Any, where: str, n_columns: int) -> None:
        self.time, self._turned = _clock_of(series, where, n_columns)
        stored = series.data
        by_name = hasattr(stored, "id")
        self._file = (stored.file.filename, stored.name) if by_name else None
        self._values = None if by_name else np.asarray(stored)
        shape = tuple(np.shape(stored))
        chunk = getattr(stored, "chunks", None) or (1, *shape[1:])
        if self._turned:
            shape, chunk = shape[::-1], chunk[::-1]
        self.shape = (self.time.size, shape[1] if len(shape) == 2 else 1)
        self.chunk = (chunk[0], chunk[1] if len(shape) == 2 else 1)
        self._most = _READ_BYTES // (stored.dtype.itemsize if by_name else 8)
        self._unit = _Unit(series.conversion, series.offset)

    def read(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Some samples of some columns.

        Parameters
        ----------
        rows
            (row) numbers of the samples, increasing.
        columns
            (column) numbers of the columns, in any order.

        Returns
        -------
        numpy.ndarray
            (row, column) in the unit of the series, in double precision.
        """
        found = np.empty((rows.size, columns.size))
        if not found.size:
            return found
        order = np.argsort(columns, kind="stable")
        ordered = columns[order]
        n_rows, n_columns = self._tile(rows, ordered)
        with self._opened() as data:
            for some_rows in _runs(rows, self.chunk[0], n_rows):
                inside = rows[some_rows]
                first, stop = int(inside[0]), int(inside[-1]) + 1
                for some in _runs(ordered, self.chunk[1], n_columns):
                    wanted = ordered[some]
                    start, end = int(wanted[0]), int(wanted[-1]) + 1
                    part = self._part(data, slice(first, stop), slice(start, end))
                    part = part if inside.size == stop - first else part[inside - first]
                    part = part if wanted.size == end - start else part[:, wanted - start]
                    found[some_rows, order[some]] = in_unit(part, self._unit)
        return found

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        import h5py

        if self._file is None:
            yield self._values
            return
        with h5py.File(self._file[0], "r") as file:
            yield file[self._file[1]]

    def _part(self, data: Any, rows: slice, columns: slice) -> np.ndarray:
        if len(data.shape) < 2:
            return np.asarray(data[rows])[:, None]
        return (
            np.asarray(data[columns, rows]).T if self._turned else np.asarray(data[rows, columns])
        )

    def _tile(self, rows: np.ndarray, columns: np.ndarray) -> tuple[int, int]:
        """Rows and columns that are read at once: whole stored chunks, as many as fit."""
        n_rows, n_columns = self.chunk
        across = int(columns[-1] - columns[0]) // n_columns + 2
        n_columns *= max(1, min(across, self._most // (n_rows * n_columns)))
        n_rows *= max(1, self._most // (n_rows * n_columns))
        return n_rows, n_columns


def _runs(index: np.ndarray, chunk: int, width: int) -> Iterator[slice]:
    """Places of increasing numbers that lie in the same `width`, counted from whole chunks."""
    at = 0
    while at < index.size:
        end = index[at] // chunk * chunk + width
        stop = int(np.searchsorted(index, end))
        yield slice(at, stop)
        at = stop


def clock_and_rows(series: Any, where: str, n_columns: int | None = None) -> tuple[Any, Any]:
    """Times and samples of a series, time first, of one length.

    Parameters
    ----------
    series
        A :class:`pynwb.TimeSeries` of an open file.
    where
        Path of the series, for messages.
    n_columns
        Number of columns that a table of the file says it has; for a position, which has at most
        three, None.

    Returns
    -------
    time : numpy.ndarray
        (time) seconds.
    data : numpy.ndarray
        (time) or (time, column), as stored.

    Raises
    ------
    ValueError
        If the shape does not fit the clock or the table.
    """
    time, turned = _clock_of(series, where, n_columns)
    data = np.asarray(series.data[:])
    return time, (data.T if turned else data)[: time.size]


def _clock_of(series: Any, where: str, n_columns: int | None) -> tuple[np.ndarray, bool]:
    """Times of the samples that have one, and whether time is the second axis."""
    shape = np.shape(series.data)
    time = None
    if series.timestamps is not None:
        time = np.asarray(series.timestamps[:], dtype=np.float64)
    if len(shape) > 2:
        raise ValueError(f"{where} has shape {shape}, expected (time) or (time, column)")
    turned = _time_second(shape, None if time is None else time.size, n_columns, where)
    shape = shape[::-1] if turned else shape
    if len(shape) == 2 and n_columns is not None and shape[1] != n_columns:
        raise ValueError(
            f"{where} has {shape[1]} columns, but its table names {n_columns} cells: it is "
            "not known which column is which cell. Write the file anew with one column for each"
        )
    if time is None:
        return series.starting_time + np.arange(shape[0]) / series.rate, turned
    n = min(time.size, shape[0])
    if time.size != shape[0]:
        if abs(time.size - shape[0]) > max(1, _MOST_MISSING * time.size):
            raise ValueError(
                f"{where} has {shape[0]} samples, but {time.size} timestamps: samples or times "
                "are missing, and it is not known where"
            )
        warnings.warn(
            f"{where} has {shape[0]} samples and {time.size} timestamps: the first {n} of both "
            "were taken, so samples may be a frame late",
            GateWarning,
            stacklevel=7,
        )
    return time[:n], turned


def _time_second(
    shape: tuple[int, ...], n_times: int | None, n_columns: int | None, where: str
) -> bool:
    """Whether time is the second axis, by the length of the clock or of the table."""
    if len(shape) < 2:
        return False
    rows, columns = shape
    if n_times is not None and rows != columns:
        turned = columns == n_times and rows != n_times
    elif n_columns is not None and rows != columns:
        turned = rows == n_columns and columns != n_columns
    else:
        turned = n_columns is None and rows <= 3 < columns
    if turned:
        warnings.warn(
            f"{where} is stored as {shape}, with time as the second axis, and was turned",
            GateWarning,
            stacklevel=8,
        )
    return turned
