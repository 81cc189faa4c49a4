"""What the tables of an NWB file say: units, epochs, trials and other intervals."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurodrift.io.nwb.session import UNIT_LABEL

OBSERVED = 0.99  # of the frames in which a unit must have been seen to count as detected


def labels_of(
    table: Any, rows: np.ndarray, join_on: str, session: str
) -> tuple[list[Any], list[bool]]:
    """Label of each unit, and whether it is an identity across sessions.

    Parameters
    ----------
    table
        The table of units.
    rows
        (unit) rows in it.
    join_on
        Column with the identities, or ``"id"``.
    session
        Label of the session, for units without identity.

    Returns
    -------
    labels : list
        One for each unit.
    known : list of bool
        Whether it is an identity.

    Raises
    ------
    ValueError
        If there is no such column, or an identity names several units.
    """
    if join_on == "id":
        registered = np.asarray(table.id[:])[rows].tolist()
    elif join_on in table.colnames:
        registered = np.asarray(table[join_on].data[:])[rows].tolist()
    elif join_on == "registered_cell_id":
        registered = [-1] * rows.size
    else:
        raise ValueError(
            f"table {table.name} has no column {join_on!r} to join on; it has id, "
            f"{', '.join(table.colnames)}"
        )
    known = [_is_id(item) for item in registered]
    given = [item for item, is_known in zip(registered, known, strict=True) if is_known]
    if len(set(given)) < len(given):
        repeated = sorted({item for item in given if given.count(item) > 1})[:5]
        raise ValueError(f"{join_on} {repeated} of table {table.name} name more than one unit each")
    if join_on == "registered_cell_id" and UNIT_LABEL in table.colnames:
        own = np.asarray(table[UNIT_LABEL].data[:])[rows].tolist()
        return [item if isinstance(item, int) else _text(item) for item in own], known
    if all(known) and not any(isinstance(item, str) for item in given):
        return [int(item) for item in given], known
    labels = [
        _text(item) if is_known else f"{session}:{row}"
        for item, is_known, row in zip(registered, known, rows.tolist(), strict=True)
    ]
    return labels, known


def ids_are_text(table: Any, join_on: str) -> bool:
    """Whether units are identified across sessions by text, and not by numbers.

    Parameters
    ----------
    table
        The table of units.
    join_on
        Column with the identities, or ``"id"``.

    Returns
    -------
    bool
        By the values of the column.
    """
    if join_on == "registered_cell_id" and UNIT_LABEL in table.colnames:
        join_on = UNIT_LABEL
    if join_on == "id" or join_on not in table.colnames:
        return False
    return np.asarray(table[join_on].data[:]).dtype.kind in "OSU"


def regions_of(table: Any, rows: np.ndarray) -> list[str] | None:
    """Brain region of each unit.

    Parameters
    ----------
    table
        The table of units.
    rows
        (unit) rows in it.

    Returns
    -------
    list of str or None
        From a column of the table, else from the units' electrode groups, else from their
        electrodes (``a, b`` for a unit on electrodes of several regions); None if nothing tells.
    """
    for name in ("location", "region", "brain_area"):
        if name in table.colnames:
            return [str(item) for item in np.asarray(table[name].data[:], dtype=object)[rows]]
    if "electrode_group" in table.colnames:
        groups = table["electrode_group"].data
        return [str(groups[int(row)].location) for row in rows]
    if "electrodes" in table.colnames:
        region = table["electrodes"].target
        if "location" in region.table.colnames:
            places = np.asarray(region.table["location"].data[:], dtype=object)
            ends = np.asarray(table["electrodes"].data[:], dtype=np.int64)
            of_unit = np.split(np.asarray(region.data[:], dtype=np.int64), ends[:-1])
            return [
                ", ".join(sorted({str(places[i]) for i in of_unit[row]})) or "unknown"
                for row in rows
            ]
    return None


def scores_of(table: Any, rows: np.ndarray) -> np.ndarray | None:
    """How sure the registration of each unit is.

    Parameters
    ----------
    table
        The table of units, perhaps with a column ``registration_score``.
    rows
        (unit) rows in it.

    Returns
    -------
    numpy.ndarray or None
        (unit) from 0 to 1, NaN where there is none; None without such a column.
    """
    if "registration_score" not in table.colnames:
        return None
    return np.asarray(table["registration_score"].data[:], dtype=np.float64)[rows]


def observed_fraction(table: Any, rows: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Part of the frames in which each unit could be seen.

    Parameters
    ----------
    table
        The table of units, perhaps with ``obs_intervals``.
    rows
        (unit) rows in it.
    time
        (time) start of each frame [s].

    Returns
    -------
    numpy.ndarray
        (unit) 0 to 1; 1 where the table does not tell.
    """
    if "obs_intervals" not in table.colnames or not time.size:
        return np.ones(rows.size)
    ends = np.asarray(table["obs_intervals"].data[:], dtype=np.int64)
    intervals = np.asarray(table["obs_intervals"].target.data[:], dtype=np.float64).reshape(-1, 2)
    of_unit = np.split(intervals, ends[:-1])
    slack = 1e-6
    found = np.ones(rows.size)
    for i, row in enumerate(rows):
        seen = np.zeros(time.size, dtype=bool)
        for start, stop in of_unit[row]:
            first, last = np.searchsorted(time, (start - slack, stop - slack))
            seen[first:last] = True
        found[i] = seen.mean()
    return found


def told_by_epochs(nwbfile: Any, where: str, environment: str | None) -> dict[str, Any]:
    """What the table of epochs says about the session.

    Parameters
    ----------
    nwbfile
        An open :class:`pynwb.NWBFile`.
    where
        The file, for messages.
    environment
        The environment whose epochs count, for a file with several.

    Returns
    -------
    dict
        ``environment``, ``session``, ``day``, ``experience``, ``accuracy``,
        ``speed_is_projected``, ``only_running``, ``geometry``, ``detection``, and ``spans``:
        (epoch, 2) start and stop of the environment's epochs, None for the whole file.

    Raises
    ------
    ValueError
        If the file holds several environments and none of them is named.
    """
    told: dict[str, Any] = {"environment": None, "session": None}
    told |= {"day": np.nan, "experience": np.nan, "accuracy": np.nan}
    told |= {"speed_is_projected": False, "only_running": False, "geometry": None}
    told |= {"detection": None}
    epochs = nwbfile.epochs
    keep: Any = slice(None)
    spans = None
    if epochs is not None and "environment" in epochs.colnames:
        places = [str(item) for item in epochs["environment"].data[:]]
        names = [name for name in dict.fromkeys(places) if name]
        if len(names) > 1 and environment not in names:
            asked = "" if environment is None else f", and none is called {environment!r}"
            raise ValueError(
                f"{where} holds several environments ({', '.join(names)}){asked}: name the one to "
                "import by the option environment (--environment)"
            )
        if len(names) > 1 or "" in places:
            chosen = environment if environment in names else names[0]
            keep = np.array([place == chosen for place in places])
            spans = spans_of(epochs, where)[keep]
    for name in told:
        if epochs is None or name not in epochs.colnames:
            continue
        found = list(dict.fromkeys(np.asarray(epochs[name].data[:])[keep].tolist()))
        if len(found) == 1:
            told[name] = found[0]
    return told | {"spans": spans}


def told_by_geometry(nwbfile: Any) -> str:
    """The geometry that the epochs of a file tell, where all tell the same.

    Parameters
    ----------
    nwbfile
        An open :class:`pynwb.NWBFile`.

    Returns
    -------
    str
        JSON; empty where none is told.
    """
    epochs = nwbfile.epochs
    if epochs is None or "geometry" not in epochs.colnames:
        return ""
    found = {str(text) for text in epochs["geometry"].data[:]}
    return found.pop() if len(found) == 1 else ""


def spans_of(table: Any, where: str) -> np.ndarray:
    """Start and stop of every row of a table of intervals.

    Parameters
    ----------
    table
        A :class:`pynwb.epoch.TimeIntervals`.
    where
        The file, for messages.

    Returns
    -------
    numpy.ndarray
        (row, 2) [s].

    Raises
    ------
    ValueError
        If one is NaN or ends before it starts.
    """
    spans = np.column_stack(
        [np.asarray(table[name].data[:], dtype=float) for name in ("start_time", "stop_time")]
    ).reshape(-1, 2)
    bad = ~(spans[:, 1] >= spans[:, 0])
    if bad.any():
        row = int(np.argmax(bad))
        raise ValueError(
            f"row {row} of table {table.name} of {where} runs from {spans[row, 0]:g} to "
            f"{spans[row, 1]:g} s: give it a start and a later stop"
        )
    return spans


def sessions_in(nwbfile: Any, name: str, where: str) -> list[tuple[str, float, float]]:
    """Rows of a table of intervals that are to be sessions.

    Parameters
    ----------
    nwbfile
        An open :class:`pynwb.NWBFile`.
    name
        ``epochs``, ``trials`` or the name of another table of intervals.
    where
        The file, for messages.

    Returns
    -------
    list of tuple
        Label (from the column ``session`` or ``label``, else the row's number from 1), start and
        stop [s], sorted by start.

    Raises
    ------
    ValueError
        If there is no such table, it has no rows, or two labels are the same.
    """
    tables = {t: getattr(nwbfile, t) for t in ("epochs", "trials")}
    tables |= dict(nwbfile.intervals or {})
    table = tables.get(name)
    if table is None or not len(table):
        there = sorted(key for key, item in tables.items() if item is not None and len(item))
        raise ValueError(
            f"{where} has no table of intervals {name!r} with rows; it has "
            f"{', '.join(there) or 'none'}"
        )
    labels = [str(i + 1) for i in range(len(table))]
    for column in ("session", "label"):
        if column in table.colnames:
            labels = [str(item) for item in table[column].data[:]]
            break
    if len(set(labels)) < len(labels):
        labels = [f"{label}-{i + 1}" for i, label in enumerate(labels)]
    rows = zip(labels, *spans_of(table, where).T.tolist(), strict=True)
    return sorted(rows, key=lambda row: row[1:])


def trials_on_frames(nwbfile: Any, time: np.ndarray, where: str) -> dict[str, np.ndarray]:
    """Trial, its type, lap and map label of each frame, from the table of trials.

    Parameters
    ----------
    nwbfile
        An open :class:`pynwb.NWBFile`.
    time
        (time) start of each frame [s].
    where
        The file, for messages.

    Returns
    -------
    dict
        ``trial``, and ``trial_type``, ``lap`` and ``map_label`` where the table has them as
        numbers; -1, -1, -1 and 0 for frames in no trial. Empty without a table.

    Raises
    ------
    ValueError
        If a trial has no start or ends before it.
    """
    if nwbfile.trials is None:
        return {}
    table = nwbfile.trials
    column = "track_trial" if "track_trial" in table.colnames else None
    numbers = table[column].data[:] if column else np.arange(len(table)) + 1
    per_frame = {"trial": (numbers, np.full(time.size, -1, dtype=np.int32))}
    columns = {"trial_type": (-1, np.int32), "lap": (-1, np.int32), "map_label": (0, np.int16)}
    for name, (none, dtype) in columns.items():
        given = np.asarray(table[name].data[:]) if name in table.colnames else np.empty(0, object)
        if given.dtype.kind in "iufb":
            given = np.where(np.isfinite(given), given, none)
            per_frame[name] = (given, np.full(time.size, none, dtype=dtype))
    spans = np.searchsorted(time, spans_of(table, where) - 1e-9)
    for values, frames in per_frame.values():
        for value, (start, stop) in zip(values, spans, strict=True):
            frames[start:stop] = value
    found = {name: frames for name, (_, frames) in per_frame.items()}
    if column and (np.asarray(numbers) == -1).all():
        del found["trial"]  # the table is of laps or maps only
    return found


def _is_id(item: Any) -> bool:
    if isinstance(item, str | bytes):
        return bool(item)
    return bool(np.isfinite(item) and item >= 0)


def _text(item: Any) -> str:
    if isinstance(item, bytes):
        return item.decode()
    return item if isinstance(item, str) else str(int(item))
