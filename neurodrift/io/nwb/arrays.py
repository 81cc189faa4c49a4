"""Arrays of a series, held against the file's own clock and tables."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from neurodrift.gate.findings import GateWarning

_MOST_MISSING = 0.001  # of the samples that one side may have more than the other


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
    data = series.data[:]
    data = np.asarray(data)
    time = None
    if series.timestamps is not None:
        time = np.asarray(series.timestamps[:], dtype=np.float64)
    if data.ndim > 2:
        raise ValueError(f"{where} has shape {data.shape}, expected (time) or (time, column)")
    data = _time_first(data, None if time is None else time.size, n_columns, where)
    if data.ndim == 2 and n_columns is not None and data.shape[1] != n_columns:
        raise ValueError(
            f"{where} has {data.shape[1]} columns, but its table names {n_columns} cells: it is "
            "not known which column is which cell. Write the file anew with one column for each"
        )
    if time is None:
        time = series.starting_time + np.arange(len(data)) / series.rate
        return time, data
    n = min(time.size, len(data))
    if time.size != len(data):
        if abs(time.size - len(data)) > max(1, _MOST_MISSING * time.size):
            raise ValueError(
                f"{where} has {len(data)} samples, but {time.size} timestamps: samples or times "
                "are missing, and it is not known where"
            )
        warnings.warn(
            f"{where} has {len(data)} samples and {time.size} timestamps: the first {n} of both "
            "were taken, so samples may be a frame late",
            GateWarning,
            stacklevel=6,
        )
    return time[:n], data[:n]


def _time_first(
    data: np.ndarray, n_times: int | None, n_columns: int | None, where: str
) -> np.ndarray:
    """The samples with time as the first axis, by the length of the clock or of the table."""
    if data.ndim < 2:
        return data
    rows, columns = data.shape
    if n_times is not None and rows != columns:
        turned = columns == n_times and rows != n_times
    elif n_columns is not None and rows != columns:
        turned = rows == n_columns and columns != n_columns
    else:
        turned = n_columns is None and rows <= 3 < columns
    if not turned:
        return data
    warnings.warn(
        f"{where} is stored as {data.shape}, with time as the second axis, and was turned",
        GateWarning,
        stacklevel=7,
    )
    return data.T
