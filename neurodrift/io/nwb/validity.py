"""What a file says about validity: curated cells, stretches that are invalid or not observed."""

from __future__ import annotations

from typing import Any

import numpy as np

_GOOD = {"good", "su", "single", "single unit", "sua"}
_OTHER = {
    "mua",
    "noise",
    "bad",
    "artifact",
    "artefact",
    "unsorted",
    "multi",
    "multi unit",
    "nan",
    "",
}


def curated(table: Any, rows: np.ndarray) -> tuple[np.ndarray, str | None]:
    """The cells that the file's own curation keeps.

    Parameters
    ----------
    table
        The table of units or ROIs.
    rows
        (unit) rows in it.

    Returns
    -------
    keep : numpy.ndarray
        (unit) of bools; all where the table does not tell.
    column : str or None
        The column that tells: ``Accepted``, ``Rejected``, ``iscell``, ``keep``, ``valid_roi``,
        ``quality``, ``group``, ``KSLabel`` or ``curation_label``, in any case of letters.
    """
    names = {name.lower(): name for name in table.colnames}
    undecided = None
    for wanted, read in _FLAGS:
        if wanted in names:
            column = names[wanted]
            keep = read(np.asarray(table[column].data[:])[rows])
            if keep is not None and (keep.any() if wanted == "accepted" else not keep.all()):
                return keep, column
            if keep is not None and undecided is None and wanted != "rejected":
                undecided = keep, column  # nobody accepted any, or all are cells
    if "curation_label" in names:
        column = names["curation_label"]
        labels = [table[column][int(row)] for row in rows]
        bad = (_OTHER | {"reject"}) - {""}
        keep = np.array([not bad & {_word(item) for item in np.atleast_1d(x)} for x in labels])
        if keep.any() and not keep.all():
            return keep, column
    if undecided is not None:
        return undecided
    for wanted in ("quality", "group", "kslabel"):
        if wanted in names:
            column = names[wanted]
            words = [_word(item) for item in np.asarray(table[column].data[:], dtype=object)[rows]]
            if set(words) <= _GOOD | _OTHER and set(words) & _GOOD and set(words) & _OTHER:
                return np.array([word in _GOOD for word in words]), column
    return np.ones(rows.size, dtype=bool), None


def _flags(values: np.ndarray) -> np.ndarray | None:
    """Bools of a column of 0 and 1, of its first column where it has two (flag, probability)."""
    values = values[:, 0] if values.ndim == 2 else values
    if values.dtype.kind not in "biuf" or not np.isin(values, (0, 1)).all():
        return None
    return values.astype(bool)


def _not_flags(values: np.ndarray) -> np.ndarray | None:
    found = _flags(values)
    return None if found is None else ~found


_FLAGS = (
    ("accepted", _flags),
    ("iscell", _flags),
    ("keep", _flags),
    ("valid_roi", _flags),
    ("rejected", _not_flags),
)
"""Columns of 0 and 1 that curate, the most deliberate first."""


def queried(table: Any, rows: np.ndarray, query: str) -> np.ndarray:
    """The cells for which a query over the columns of their table holds.

    Parameters
    ----------
    table
        The table of units or ROIs.
    rows
        (unit) rows in it.
    query
        As :meth:`pandas.DataFrame.query` takes it, such as ``quality == 'good'``.

    Returns
    -------
    numpy.ndarray
        (unit) of bools.

    Raises
    ------
    ValueError
        If it cannot be evaluated, or holds for none.
    """
    import pandas as pd

    columns: dict[str, Any] = {"id": np.asarray(table.id[:])}
    for name in table.colnames:
        data = getattr(table[name], "data", None)
        if data is not None and np.ndim(data) == 1 and len(data) == len(table):
            values = np.asarray(data[:])
            columns[name] = (
                [_word(v, lower=False) for v in values] if values.dtype.kind in "OSU" else values
            )
    frame = pd.DataFrame(columns).iloc[rows].reset_index(drop=True)
    try:
        found = frame.query(query, engine="python")
    except Exception as error:  # a query may raise anything
        raise ValueError(
            f"units {query!r} cannot be evaluated ({error}); the table has {', '.join(columns)}"
        ) from error
    keep = np.zeros(len(frame), dtype=bool)
    keep[found.index] = True
    if not keep.any():
        raise ValueError(f"units {query!r} holds for none of the {len(frame)} units")
    return keep


def valid_frames(nwbfile: Any, time: np.ndarray) -> np.ndarray:
    """Frames outside the file's ``invalid_times``.

    Parameters
    ----------
    nwbfile
        An open :class:`pynwb.NWBFile`.
    time
        (time) start of each frame [s].

    Returns
    -------
    numpy.ndarray
        (time) of bools.
    """
    keep = np.ones(time.size, dtype=bool)
    table = nwbfile.invalid_times
    if table is None:
        return keep
    for start, stop in zip(table["start_time"].data[:], table["stop_time"].data[:], strict=True):
        keep &= (time < start - 1e-9) | (time >= stop - 1e-9)
    return keep


def observed_frames(table: Any, rows: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Frames in which any of the units could be seen, by their ``obs_intervals``.

    Parameters
    ----------
    table
        The table of units.
    rows
        (unit) rows in it.
    time
        (time) start of each frame [s].

    Returns
    -------
    numpy.ndarray
        (time) of bools; all where the table does not tell.
    """
    if "obs_intervals" not in table.colnames or not rows.size:
        return np.ones(time.size, dtype=bool)
    ends = np.asarray(table["obs_intervals"].data[:], dtype=np.int64)
    intervals = np.asarray(table["obs_intervals"].target.data[:], dtype=np.float64).reshape(-1, 2)
    of_unit = np.split(intervals, ends[:-1])
    seen = np.zeros(time.size, dtype=bool)
    for start, stop in np.unique(np.concatenate([of_unit[row] for row in rows]), axis=0):
        first, last = np.searchsorted(time, (start - 1e-6, stop - 1e-6))
        seen[first:last] = True
    return seen


def _word(item: Any, *, lower: bool = True) -> str:
    text = item.decode() if isinstance(item, bytes) else str(item)
    return text.strip().lower() if lower else text
