"""Position tracked by EthoVision.

Reads the raw track that EthoVision XT exports, as a workbook (``.xlsx``) or as text: a header whose
first line tells how many lines it has, of which the last two are the names and units of the
columns; ``-`` where nothing was measured.

References
----------
.. [1] Noldus LPJJ, Spink AJ, Tegelenbosch RAJ. EthoVision: a versatile video tracking system for
   automation of behavioral experiments. Behavior Research Methods, Instruments, & Computers 33,
   398-414 (2001). https://doi.org/10.3758/BF03195394
"""

from __future__ import annotations

import csv
import itertools
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from neurodrift.convert.pipelines.sleap import choose
from neurodrift.gate.inputs import Position, clock

_START = "number of header lines"
_LENGTHS = {"cm": 1.0, "mm": 0.1, "m": 100.0}
_MISSING = ("", "-")


def read_ethovision(
    path: str | os.PathLike[str],
    *,
    cm_per_pixel: float | None = None,
    time: np.ndarray | None = None,
    rate: float | None = None,
    point: str = "center",
    clock_column: str = "Recording time",
    sheet: str | None = None,
) -> Position:
    """Read the track of one point of one animal.

    Parameters
    ----------
    path
        The raw track (``.xlsx``, ``.txt`` or ``.csv``).
    cm_per_pixel
        Size of a pixel [cm], where the file is in pixels.
    time, rate
        Timestamps of the samples [s] or their rate [Hz], instead of the file's own clock.
    point
        Which point: ``center``, ``nose`` or ``tail``.
    clock_column
        ``Recording time``, from the first sample, or ``Trial time``, from the start of the trial.
    sheet
        Name of the sheet; needed where a workbook has several (one for each arena and subject).

    Returns
    -------
    Position
        The position in cm, NaN where it was not measured.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no raw track, or its units are others.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}")
    rows = _rows(path, sheet)
    first = next(rows, [])
    if not first or not first[0].lower().startswith(_START):
        raise ValueError(f"{path} is no raw track of EthoVision: it does not begin with {_START!r}")
    n_header = int(first[1])
    head = list(itertools.islice(rows, n_header - 1))
    if len(head) < n_header - 1 or n_header < 3:
        raise ValueError(f"{path} is cut off: its header has {n_header} lines")
    names, units = head[-2], head[-1]
    wanted = {axis: _column(names, f"{axis} {point}", path) for axis in "XY"}
    at = _column(names, clock_column, path)
    body = [row for row in rows if any(row)]
    if not body:
        raise ValueError(f"{path} has a header, but no samples")
    factors = {_length(units[i], cm_per_pixel, path) for i in wanted.values()}
    if len(factors) > 1:
        raise ValueError(f"{path}: X and Y are in different units")
    x, y = (_numbers(body, i, names[i], path) for i in wanted.values())
    xy = np.column_stack([x, y]) * factors.pop()
    xy[~np.isfinite(xy).all(axis=1)] = np.nan
    source = f"{point} of {path.name} (EthoVision)"
    if time is None and rate is None:
        if units[at] != "s":
            raise ValueError(f"{path}: {clock_column} is in {units[at]!r}, expected s")
        time = _numbers(body, at, clock_column, path)
    return Position(time=clock(len(xy), source, time=time, rate=rate), xy=xy, source=source)


def is_ethovision(path: Path) -> bool:
    """Whether a file begins as a raw track of EthoVision does.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    bool
        Whether it does.
    """
    if path.suffix.lower() not in (".xlsx", ".txt", ".csv"):
        return False
    if path.suffix.lower() == ".xlsx":
        try:
            first = next(_rows(path, None, any_sheet=True), [])
        except ValueError:
            return False
        return bool(first) and first[0].lower().startswith(_START)
    with path.open("rb") as file:
        start = file.read(200)
    wide = start.startswith((b"\xff\xfe", b"\xfe\xff"))
    text = start[: len(start) // 2 * 2].decode("utf-16" if wide else "utf-8-sig", errors="replace")
    return text.lstrip('"').lower().startswith(_START)


def _rows(path: Path, sheet: str | None, *, any_sheet: bool = False) -> Iterator[list[str]]:
    """Cells of every row, as text."""
    if path.suffix.lower() != ".xlsx":
        with path.open("rb") as raw:
            wide = raw.read(2) in (b"\xff\xfe", b"\xfe\xff")
        with path.open(newline="", encoding="utf-16" if wide else "utf-8-sig") as file:
            start = file.readline()
            file.seek(0)
            delimiter = next((mark for mark in ";\t," if mark in start), ";")
            yield from ([c.strip() for c in row] for row in csv.reader(file, delimiter=delimiter))
        return
    import openpyxl

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, OSError, ValueError) as error:
        raise ValueError(f"{path} is no readable workbook: {error}") from error
    try:
        names = [item.title for item in book.worksheets]
        at = 0 if any_sheet else choose(sheet, names, "sheet", path)
        for row in book.worksheets[at].iter_rows(values_only=True):
            yield ["" if cell is None else str(cell).strip() for cell in row]
    finally:
        book.close()


def _column(names: list[str], wanted: str, path: Path) -> int:
    found = [i for i, name in enumerate(names) if name.lower() == wanted.lower()]
    if len(found) != 1:
        listed = ", ".join(name for name in names if name)
        raise ValueError(f"{path} has {len(found)} columns {wanted!r}; it has {listed}")
    return found[0]


def _length(unit: str, cm_per_pixel: float | None, path: Path) -> float:
    if unit in _LENGTHS:
        if cm_per_pixel is not None:
            raise ValueError(f"{path} is in {unit}, so leave cm_per_pixel out")
        return _LENGTHS[unit]
    if unit.lower() in ("px", "pixel", "pixels") and cm_per_pixel is not None:
        return cm_per_pixel
    raise ValueError(f"{path} is in {unit!r}, expected cm, mm, m, or pixels with cm_per_pixel")


def _numbers(rows: list[list[str]], at: int, name: str, path: Path) -> np.ndarray:
    texts: list[Any] = [row[at] if at < len(row) else None for row in rows]
    if None in texts:
        raise ValueError(f"{path} is cut off: its row {texts.index(None) + 1} lacks {name}")
    try:
        return np.array([np.nan if t in _MISSING else float(t.replace(",", ".")) for t in texts])
    except ValueError as error:
        raise ValueError(f"{path}: {name} holds text: {error}") from error
