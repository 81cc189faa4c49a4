"""How a table of delimited text is written: delimiter, decimal mark, names, and lines to skip.

Every line is counted, so that a row with a field too few or too many is an error and shifts
nothing. Where names and data cannot be told apart, the table is refused.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_LOOK = 65536  # characters that tell delimiter and decimal mark
_SAMPLE = 50  # rows that tell names from data
_MISSING = ("", "-", "--", "na", "n/a", "nan", "-nan", "<na>", "null", "none", "#n/a")
_COMMENTS = ("#", "%")
_BLANKS = r"\s+"
_COMMA = re.compile(r"^[-+]?\d+,\d+(?:[eE][-+]?\d+)?$")
_POINT = re.compile(r"^[-+]?\d*\.\d+(?:[eE][-+]?\d+)?$")
_PLAIN = re.compile(r"^[-+]?\d+(?:,\d+)?(?:[eE][-+]?\d+)?$")
_ISO = re.compile(
    r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)? ?(?:Z|[+-]\d\d:?\d\d)?$", re.IGNORECASE
)


@dataclass(frozen=True)
class Layout:
    """How a table is written.

    Parameters
    ----------
    delimiter, decimal, encoding
        As pandas wants them.
    names
        A name for every column; ``(column 0)`` for one that has none, its number where no column
        has a name.
    skipped
        Numbers of the lines, from 0, that are no rows of data.
    """

    delimiter: str
    decimal: str
    encoding: str
    names: tuple[str, ...]
    skipped: frozenset[int]


def find_layout(path: Path) -> Layout:
    """How a table is written.

    Parameters
    ----------
    path
        The table.

    Returns
    -------
    Layout
        Its layout.

    Raises
    ------
    ValueError
        If rows differ in length, or its first row may be names as well as data.
    """
    encoding = _encoding(path)
    delimiter, decimal = _marks(path, encoding)
    skipped: set[int] = set()
    comment, n_rest, first_line, are_last_empty = "", 0, 0, True
    rows: list[list[str]] = []
    odd: tuple[int, int] | None = None  # line and length of a row unlike the others
    for at, line in enumerate(_lines(path, encoding)):
        text = line.strip(" \r\n")
        if not text.strip() or text.startswith(_COMMENTS):
            skipped.add(at)
            comment = text if text and not rows else comment
            continue
        if odd is not None:
            raise ValueError(
                f"{path} is no readable table: line {odd[0] + 1} has {odd[1]} fields, the row "
                f"before it {n_rest}"
            )
        fields = _fields(line, delimiter)
        if not rows:
            first_line = at
        elif len(rows) == 1:
            n_rest = len(fields)
        elif len(fields) != n_rest:
            odd = at, len(fields)
        if rows:
            are_last_empty = are_last_empty and not fields[-1].strip()
        if len(rows) < _SAMPLE:
            rows.append(fields)
    if odd is not None:
        raise ValueError(
            f"{path} is cut off: its last row has {odd[1]} fields, the row before it {n_rest}"
        )
    first, rest = rows[0], rows[1:]
    is_header = _is_header(first, rest, decimal, path)
    if is_header:
        skipped.add(first_line)
        _refuse_second_header(rest, decimal, path)
        names = _fitted(first, rest, are_last_empty, delimiter, path)
    else:
        if rest and len(first) != n_rest:
            raise ValueError(
                f"{path} is no readable table: line {first_line + 1} has {len(first)} fields, the "
                f"next {n_rest}"
            )
        told = _fields(comment.lstrip("#% "), delimiter)
        are_names = len(told) == len(first) > 1 and all(_kind(c, decimal) == "text" for c in told)
        names = told if are_names else [str(i) for i in range(len(first))]
    clean = [name.strip().strip('"') for name in names]
    named = tuple(name or f"(column {i})" for i, name in enumerate(clean))
    return Layout(delimiter, decimal, encoding, named, frozenset(skipped))


def is_time(text: str) -> bool:
    """Whether a text is a date and time of ISO 8601."""
    return _ISO.match(text.strip()) is not None


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(_LOOK)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        with path.open(encoding="utf-8-sig") as text:
            while text.read(2**20):
                pass
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def _lines(path: Path, encoding: str) -> Iterator[str]:
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        yield from file


def _fields(line: str, delimiter: str) -> list[str]:
    text = line.strip("\r\n")
    if delimiter == _BLANKS:
        return text.split()
    if '"' not in text:
        return text.split(delimiter)
    return next(csv.reader([text], delimiter=delimiter, skipinitialspace=True))


def _marks(path: Path, encoding: str) -> tuple[str, str]:
    """Delimiter and decimal mark."""
    with path.open(encoding=encoding, errors="replace") as file:
        looked = file.read(_LOOK).splitlines()
    looked = looked[:-1] if len(looked) > 1 and sum(map(len, looked)) > _LOOK - 200 else looked
    rows = [line for line in looked if line.strip() and not line.lstrip().startswith(_COMMENTS)]
    if not rows:
        raise ValueError(f"{path} is empty")
    body = rows[1:] or rows
    split = [row.split() for row in body]
    if (
        not any(mark in row for row in body for mark in "\t;")
        and all(len(cells) > 1 and all(map(_PLAIN.match, cells)) for cells in split)
        and any("," in cell for cells in split for cell in cells)
    ):
        return _BLANKS, ","
    some = rows[:20]
    counts = {mark: min(row.count(mark) for row in some) for mark in ("\t", ";", ",")}
    delimiter = next((mark for mark, count in counts.items() if count), ",")
    if not any(counts.values()) and re.match(r"\S+\s+\S", some[0].strip()):
        delimiter = _BLANKS
    if delimiter == ",":
        return delimiter, "."
    cells = [cell.strip() for row in rows for cell in _fields(row, delimiter)]
    if not any(map(_COMMA.match, cells)):
        return delimiter, "."
    if any(map(_POINT.match, cells)):
        raise ValueError(f"{path} has numbers with a decimal point and such with a comma")
    return delimiter, ","


def _kind(cell: str, decimal: str) -> str:
    """``missing``, ``number``, ``time`` or ``text``."""
    text = cell.strip().strip('"').strip()
    if text.lower() in _MISSING:
        return "missing"
    if is_time(text):
        return "time"
    try:
        float(text.replace(decimal, ".") if "_" not in text else "text")
    except ValueError:
        return "text"
    return "number"


def _is_header(first: list[str], rest: list[list[str]], decimal: str, path: Path) -> bool:
    """Whether the first row holds the names of the columns."""
    kinds = [_kind(cell, decimal) for cell in first]
    unclear = (
        f"{path}: its first row ({', '.join(first[:4])}{', ...' if len(first) > 4 else ''}) may be "
        "names or data: give every column a name that is no number, or delete the row"
    )
    if "text" not in kinds:
        return _counts_columns(first, rest, unclear)
    below = [
        {_kind(row[i], decimal) for row in rest if i < len(row)} - {"missing"}
        for i, kind in enumerate(kinds)
        if kind == "text"
    ]
    if any(found != {"text"} for found in below) or not {"number", "time"} & set(kinds):
        return True
    raise ValueError(unclear)


def _counts_columns(first: list[str], rest: list[list[str]], unclear: str) -> bool:
    """Whether the first row counts the columns, as pandas writes a table without names."""
    cells = [cell.strip() for cell in first]
    if len(cells) > 1 and not cells[0] and cells[1:] == [str(i) for i in range(len(cells) - 1)]:
        counted = [row[0].strip() for row in rest]
        return bool(counted) and counted == [str(i) for i in range(len(counted))]
    if len(cells) > 1 and cells == [str(i) for i in range(len(cells))]:
        below = [cell.strip() for row in rest for cell in row]
        if any(cell and not re.fullmatch(r"[-+]?\d+", cell) for cell in below):
            raise ValueError(unclear)
    return False


def _refuse_second_header(rest: list[list[str]], decimal: str, path: Path) -> None:
    """Refuse a row of texts above numbers, such as units of columns or states of cells."""
    if len(rest) < 2:
        return
    kinds = [[_kind(cell, decimal) for cell in row] for row in rest[:2]]
    over = [a == "text" and b in ("number", "time") for a, b in zip(*kinds, strict=False)]
    if any(over) and not {"number", "time"} & set(kinds[0]):
        shown = ", ".join(cell.strip() for cell in rest[0][:4])
        raise ValueError(
            f"{path}: the row below the names holds text ({shown}), the next one numbers: units of "
            "the columns, or states of cells as Inscopix writes them (`reader: inscopix`)? Delete "
            "that row, and name the columns to be read"
        )


def _fitted(
    names: list[str], rest: list[list[str]], are_last_empty: bool, delimiter: str, path: Path
) -> list[str]:
    """Names for as many columns as the rows have."""
    if not rest:
        raise ValueError(f"{path} has a header, but no rows")
    n_columns = len(rest[0])
    if len(names) == n_columns:
        return names
    if len(names) == n_columns - 1:
        if are_last_empty:  # a delimiter at the end of every row
            return [*names, ""]
        labels = [row[0].strip().strip('"') for row in rest]
        counted = [[str(i + start) for i in range(len(labels))] for start in (0, 1)]
        is_counted = labels in counted and delimiter != ","  # a decimal comma looks the same
        if is_counted or all(_kind(label, ".") == "text" for label in labels):
            return ["", *names]  # names of rows, as R writes them
    if len(names) == n_columns + 1 and not names[-1].strip():
        return names[:-1]
    raise ValueError(
        f"{path} is no readable table: its header names {len(names)} columns, its first row has "
        f"{n_columns} fields"
    )
