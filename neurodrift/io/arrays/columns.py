"""Columns of delimited text and Parquet."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import numpy as np

from neurodrift.io.arrays.names import missing_variable

_LOOK = 65536  # bytes that tell delimiter, header and decimal mark


def described_csv(path: Path) -> list[tuple[str, tuple[int, ...], str]]:
    """Name, length and dtype of every column."""
    frame = _frame(path, 2**32)
    return [(str(name), (len(frame),), _dtype(frame[name])) for name in frame.columns]


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
        return np.column_stack([_numbers(frame[name], path) for name in frame.columns])
    if isinstance(variable, str) and variable not in names:
        raise missing_variable(path, variable, names)
    at = variable if isinstance(variable, int) else names.index(variable)
    if not 0 <= at < len(names):
        raise ValueError(f"{path} has {len(names)} columns, so it has no column {at} (from 0)")
    return _column(frame.iloc[:, at])


def _load_parquet(path: Path, variable: str | int | None, max_bytes: int) -> np.ndarray:
    file = _parquet(path)
    names = [field.name for field in file.schema_arrow]
    if isinstance(variable, int):
        if not 0 <= variable < len(names):
            raise ValueError(f"{path} has {len(names)} columns, so it has no column {variable}")
        variable = names[variable]
    if variable is not None and variable not in names:
        raise missing_variable(path, variable, names)
    wanted = names if variable is None else [variable]
    size = file.metadata.num_rows * 8 * len(wanted)
    if size > max_bytes:
        raise ValueError(
            f"{path} declares {file.metadata.num_rows:,} rows, {size / 2**30:,.1f} GiB; at most "
            f"{max_bytes / 2**30:,.1f} GiB are read"
        )
    try:
        frame = file.read(columns=wanted).to_pandas()
    except Exception as error:  # what is damaged raises anything
        raise ValueError(f"{path} is damaged: {error}") from error
    if variable is None:
        return np.column_stack([_numbers(frame[name], path) for name in names])
    return _column(frame[variable])


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
    delimiter, header, decimal = _layout(path)
    try:
        frame = pd.read_csv(
            path,
            sep=delimiter,
            header=0 if header else None,
            decimal=decimal,
            skipinitialspace=True,
            encoding="utf-8-sig",
            low_memory=False,
        )
    except (ValueError, UnicodeError) as error:  # pandas' own errors are ValueErrors
        raise ValueError(f"{path} is no readable table: {str(error).strip()}") from error
    if not len(frame):
        raise ValueError(f"{path} has a header, but no rows")
    if frame.columns.str.startswith("Unnamed:").any() if header else False:
        frame = frame.loc[:, ~frame.columns.str.startswith("Unnamed:")]
    _refuse_cut_off(path, delimiter)
    return frame


def _layout(path: Path) -> tuple[str, bool, str]:
    """Delimiter, whether the first row is names, and the decimal mark."""
    with path.open("rb") as file:
        text = file.read(_LOOK).decode("utf-8-sig", errors="replace")
    rows = [line for line in text.splitlines() if line.strip()][:20]
    if not rows:
        raise ValueError(f"{path} is empty")
    marks = {mark: min(row.count(mark) for row in rows) for mark in ("\t", ";", ",")}
    delimiter = next((mark for mark, count in marks.items() if count), ",")
    if not any(marks.values()) and re.match(r"\S+\s+\S", rows[0].strip()):
        delimiter = r"\s+"
    decimal = "," if delimiter == ";" and re.search(r"\d,\d", rows[-1]) else "."
    cells = re.split(delimiter, rows[0].strip()) if delimiter == r"\s+" else None
    cells = cells or next(csv.reader([rows[0]], delimiter=delimiter))
    return delimiter, not all(_is_number(cell, decimal) for cell in cells), decimal


def _refuse_cut_off(path: Path, delimiter: str) -> None:
    """A last row with fewer fields than the first: the file was cut off while it was written."""
    if delimiter == r"\s+":
        return
    with path.open("rb") as file:
        first = file.readline(_LOOK).decode("utf-8-sig", errors="replace")
        file.seek(max(0, path.stat().st_size - _LOOK))
        last = file.read().decode(errors="replace").rstrip("\r\n").splitlines()[-1]
    if '"' not in first + last and last.count(delimiter) < first.count(delimiter):
        raise ValueError(
            f"{path} is cut off: its last row has {last.count(delimiter) + 1} fields, its first "
            f"{first.count(delimiter) + 1}"
        )


def _is_number(text: str, decimal: str) -> bool:
    try:
        float(text.strip().replace(decimal, "."))
    except ValueError:
        return False
    return True


def _column(series: Any) -> np.ndarray:
    if series.dtype.kind in "fiub":
        return series.to_numpy()
    if series.dtype.kind == "M":
        return series.to_numpy()
    return series.astype(object).where(series.notna(), "").to_numpy()


def _numbers(series: Any, path: Path) -> np.ndarray:
    if series.dtype.kind not in "fiub":
        raise ValueError(f"{path}: column {series.name!r} holds text; name the columns to be read")
    return series.to_numpy()


def _dtype(series: Any) -> str:
    return str(series.dtype) if series.dtype.kind in "fiubM" else "text"
