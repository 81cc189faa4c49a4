"""Columns of delimited text and Parquet, counted as the file has them."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neurodrift.io.arrays.layout import find_layout, is_time
from neurodrift.io.arrays.names import missing_variable


def described_csv(path: Path) -> list[tuple[str, tuple[int, ...], str]]:
    """Name, length and dtype of every column."""
    frame = _frame(path, 2**32)
    described: list[tuple[str, tuple[int, ...], str]] = []
    for at, name in enumerate(frame.columns):
        values = _column(frame.iloc[:, at])
        described.append((str(name), (len(frame),), _dtype(values)))
    return described


def described_parquet(path: Path) -> list[tuple[str, tuple[int, ...], str]]:
    """Name, length and dtype of every column."""
    file = _parquet(path)
    rows = file.metadata.num_rows
    return [(field.name, (rows,), str(field.type)) for field in file.schema_arrow]


def load(path: Path, kind: str, variable: str | int | None, max_bytes: int) -> np.ndarray:
    """One column, or all of them as (row, column) where none is named."""
    if kind == "parquet":
        return _load_parquet(path, variable, max_bytes)
    frame = _frame(path, max_bytes)
    names = [str(name) for name in frame.columns]
    if variable is None:
        return _whole(frame, path)
    return _column(frame.iloc[:, _place(variable, names, path)])


def load_several(
    path: Path, kind: str, wanted: str | Sequence[str | int], max_bytes: int
) -> tuple[list[str], np.ndarray]:
    """Several columns as (row, column) with their names, by a list or a glob such as ``c*``.

    Parameters
    ----------
    path, kind
        The table.
    wanted
        Names and numbers of columns, or a glob.
    max_bytes
        Most bytes that the text may take.

    Returns
    -------
    names : list of str
        Their names.
    values : numpy.ndarray
        (row, column) numbers.

    Raises
    ------
    ValueError
        If there is no such column, one is taken twice, or one holds text.
    """
    frame = _parquet_frame(path, max_bytes) if kind == "parquet" else _frame(path, max_bytes)
    names = [str(name) for name in frame.columns]
    if isinstance(wanted, str):
        at = [i for i, name in enumerate(names) if fnmatch.fnmatchcase(name, wanted)]
        if not at:
            raise missing_variable(path, wanted, names)
    else:
        at = [_place(item, names, path) for item in wanted]
    twice = [names[i] for i in dict.fromkeys(at) if at.count(i) > 1]
    if twice:
        raise ValueError(f"{path}: column {', '.join(twice)} is taken twice")
    values = np.column_stack([_numbers(frame.iloc[:, i], path) for i in at])
    return [names[i] for i in at], values


def _place(variable: str | int, names: list[str], path: Path) -> int:
    """Number of a column, from 0, as the file counts."""
    if isinstance(variable, int):
        if not 0 <= variable < len(names):
            raise ValueError(
                f"{path} has {len(names)} columns, so it has no column {variable} (from 0)"
            )
        return variable
    if variable not in names:
        raise missing_variable(path, variable, names)
    if names.count(variable) > 1:
        places = ", ".join(str(i) for i, name in enumerate(names) if name == variable)
        raise ValueError(
            f"{path} has {names.count(variable)} columns {variable!r}: name one by its number, "
            f"{places} (from 0)"
        )
    return names.index(variable)


def _whole(frame: Any, path: Path) -> np.ndarray:
    """All columns but those without a name that count the rows or are empty."""
    taken = []
    for at, name in enumerate(frame.columns):
        column = frame.iloc[:, at]
        if is_unnamed(str(name)):
            if column.isna().all() or counts_rows(column.to_numpy()):
                continue
            raise ValueError(
                f"{path}: column {at} (from 0) has no name, but is more than numbers of rows; "
                "name the columns to be read"
            )
        taken.append(_numbers(column, path))
    if not taken:
        raise ValueError(f"{path} holds nothing but numbers of rows")
    return np.column_stack(taken)


def is_unnamed(name: str) -> bool:
    """Whether a column has no name in a file where others have one."""
    return re.fullmatch(r"\(column \d+\)", name) is not None


def counts_rows(values: Any) -> bool:
    """Whether a column counts the rows, from any number."""
    numbers = np.asarray(values)
    if numbers.dtype.kind not in "iuf" or not numbers.size:
        return False
    return bool((np.diff(numbers) == 1).all() and numbers[0] in (0, 1))


def _load_parquet(path: Path, variable: str | int | None, max_bytes: int) -> np.ndarray:
    if variable is None:
        frame = _parquet_frame(path, max_bytes)
        return np.column_stack([_numbers(frame.iloc[:, i], path) for i in range(frame.shape[1])])
    names = [field.name for field in _parquet(path).schema_arrow]
    frame = _parquet_frame(path, max_bytes, [names[_place(variable, names, path)]])
    return _column(frame.iloc[:, 0])


def _parquet_frame(path: Path, max_bytes: int, wanted: list[str] | None = None) -> Any:
    file = _parquet(path)
    n_columns = len(file.schema_arrow) if wanted is None else len(wanted)
    size = file.metadata.num_rows * 8 * n_columns
    if size > max_bytes:
        raise ValueError(
            f"{path} declares {file.metadata.num_rows:,} rows, {size / 2**30:,.1f} GiB; at most "
            f"{max_bytes / 2**30:,.1f} GiB are read"
        )
    try:
        return file.read(columns=wanted).to_pandas(ignore_metadata=True)
    except Exception as error:  # what is damaged raises anything
        raise ValueError(f"{path} is damaged: {error}") from error


def _parquet(path: Path) -> Any:
    try:
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise ValueError(
            f'{path}: Parquet needs pyarrow: pip install "neurodrift[parquet]"'
        ) from error
    try:
        return parquet.ParquetFile(path)
    except Exception as error:  # what is damaged raises anything
        raise ValueError(f"{path} is no readable Parquet file: {error}") from error


def _frame(path: Path, max_bytes: int) -> Any:
    import pandas as pd

    if path.stat().st_size > max_bytes:
        raise ValueError(f"{path} has {path.stat().st_size / 2**30:,.1f} GiB of text, too much")
    layout = find_layout(path)
    try:
        frame = pd.read_csv(
            path,
            sep=layout.delimiter,
            header=None,
            names=list(range(len(layout.names))),
            index_col=False,
            skiprows=sorted(layout.skipped),
            skip_blank_lines=False,
            decimal=layout.decimal,
            na_values=["-", "--"],
            skipinitialspace=True,
            encoding=layout.encoding,
            low_memory=False,
        )
    except (ValueError, UnicodeError) as error:  # pandas' own errors are ValueErrors
        raise ValueError(f"{path} is no readable table: {str(error).strip()}") from error
    frame.columns = list(layout.names)
    return frame


def _column(series: Any) -> np.ndarray:
    """Its values: numbers, times of ISO 8601 in UTC, or texts."""
    if series.dtype.kind in "fiubM":
        return series.to_numpy()
    texts = [str(item).strip() for item in series[series.notna()]]
    if texts and all(map(is_time, texts)):
        import pandas as pd

        written = series.astype(str).str.replace(",", ".").where(series.notna())
        times = pd.to_datetime(written.str.strip(), utc=True, format="ISO8601")
        return times.dt.tz_localize(None).to_numpy()
    return series.astype(object).where(series.notna(), "").to_numpy()


def _numbers(series: Any, path: Path) -> np.ndarray:
    if series.dtype.kind not in "fiub":
        texts = [str(v) for v in series if isinstance(v, str) and not _is_number(v)]
        shown = f" ({texts[0]!r})" if texts else ""
        raise ValueError(
            f"{path}: column {series.name!r} holds text{shown}; name the columns to be read"
        )
    return series.to_numpy()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _dtype(values: np.ndarray) -> str:
    return str(values.dtype) if values.dtype.kind in "fiubM" else "text"
