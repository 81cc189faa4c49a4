"""Cells and events that Inscopix Data Processing (or its library ``isx``) exports as CSV.

Three tables are read, told apart by their first lines; names and states have a blank before them:

- traces of a cell set: names of the cells, then ``Time(s)/Cell Status`` with the state of each
  (accepted, rejected, undecided), then a row a frame;
- events of an event set, a row a frame: ``Time (s), C0, C1, ...``, 0 where there is none;
- events of an event set, a row an event: ``Time (s), Cell Name, Value``.

Events have no states; those of the cell set's properties (``Name,Status,...``) are taken where
that table lies beside them.
"""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from neurodrift.gate.inputs import Activity, clock
from neurodrift.io.arrays.files import MAX_BYTES

STATES = ("accepted", "undecided", "rejected")

_STATE_ROW, _EVENT_ROW = "Time(s)/Cell Status", ["Time (s)", "Cell Name", "Value"]


def inscopix_table(path: Path) -> Literal["traces", "event matrix", "event list", ""]:
    """Which of Inscopix's tables a CSV file is.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    str
        ``traces``, ``event list`` or ``event matrix``; empty if it is none that can be told.
    """
    first, second = _first_rows(path)
    if second[:1] == [_STATE_ROW]:
        return "traces"
    if first == _EVENT_ROW:
        return "event list"
    return "event matrix" if first[:1] == ["Time (s)"] and len(first) > 1 else ""


def read_inscopix(
    path: str | os.PathLike[str],
    *,
    time: np.ndarray | None = None,
    rate: float | None = None,
    status: Sequence[str] = ("accepted",),
    props: str | None = None,
) -> Activity:
    """Read the cells of one session.

    Parameters
    ----------
    path
        The exported CSV.
    time
        (time) timestamps of the frames [s] in place of the file's own, such as those of a common
        clock; not for a list of events.
    rate
        Must be omitted: the file has its own times.
    status
        States of the cells to take, where they are known.
    props
        Name of the table of properties of the cell set, in the same folder, for the states of the
        cells of events; ``<file>-props.csv`` when omitted, if there is one.

    Returns
    -------
    Activity
        Traces (kind ``fluorescence``), or events; `rows` are the cells' places in the file, the
        column ``source_label`` their names.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is none of these tables, or no cell has a state that is asked for.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}")
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"{path} has {path.stat().st_size / 2**30:,.1f} GiB of text, too much")
    if rate is not None:
        raise ValueError(f"{path} has its own times: leave out rate")
    wanted = [status] if isinstance(status, str) else list(status)
    wrong = [item for item in wanted if item not in STATES]
    if wrong or not wanted:
        raise ValueError(f"status is {wanted}, expected some of {', '.join(STATES)}")
    table = inscopix_table(path)
    if not table:
        raise ValueError(
            f"{path} is no table of Inscopix: expected the traces of a cell set, or the events of "
            "an event set, as CSV"
        )
    states = _states(path, props)
    if table == "event list":
        if time is not None:
            raise ValueError(f"{path} lists events, not frames: leave out time")
        return _listed(path, states, wanted)
    names, frames, samples, own = _matrix(path, n_above=2 if table == "traces" else 1)
    if own is not None:
        states = dict(zip(names, own, strict=True))
    keep = _chosen(names, states, wanted, path)
    what = "traces" if table == "traces" else "events"
    source = f"{what} of {path.name} (Inscopix), {_counted(keep, names, states)}"
    samples = samples[:, keep]
    if table == "event matrix":
        samples = np.where(np.isnan(samples), np.nan, samples != 0)
        samples = samples.astype(np.uint8) if np.isfinite(samples).all() else samples
    given = time if time is not None else frames
    return Activity(
        kind="fluorescence" if table == "traces" else "events",
        source=source,
        samples=samples,
        time=clock(len(samples), source, time=given),
        rows=keep,
        n_source=len(names),
        columns=_columns(keep, names, states),
    )


def _first_rows(path: Path) -> tuple[list[str], list[str]]:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        # names of many cells make a long line, but no longer than this
        lines = [file.readline(2**20) for _ in range(2)]
    try:
        first, second = (next(csv.reader([line], skipinitialspace=True), []) for line in lines)
    except csv.Error:  # one endless cell
        return [], []
    return [cell.strip() for cell in first], [cell.strip() for cell in second]


def _matrix(path: Path, n_above: int) -> tuple[list[str], np.ndarray, np.ndarray, list[str] | None]:
    """Names of the cells, times, (frame, cell) numbers, and the states where there is a row."""
    import pandas as pd

    first, second = _first_rows(path)
    names = _unique(first[1:], path)
    states = second[1:] if n_above == 2 else None
    if states is not None and (len(states) != len(names) or set(states) - set(STATES)):
        raise ValueError(
            f"{path}: its second line has not one state for each of {len(names)} cells"
        )
    try:
        frame = pd.read_csv(
            path, header=None, skiprows=n_above, skipinitialspace=True, encoding="utf-8-sig"
        )
        values = frame.to_numpy(dtype=np.float64)
    except (ValueError, UnicodeError) as error:  # pandas' own errors are ValueErrors
        raise ValueError(f"{path} is no readable table: {str(error).strip()}") from error
    if values.shape[1] != len(names) + 1:
        raise ValueError(
            f"{path} has {values.shape[1]} columns, expected a time and {len(names)} cells"
        )
    return names, values[:, 0], values[:, 1:], states


def _listed(path: Path, states: dict[str, str], wanted: list[str]) -> Activity:
    """Events by cell, out of a list."""
    import pandas as pd

    try:
        frame = pd.read_csv(
            path,
            header=0,
            names=["time", "cell", "value"],
            skipinitialspace=True,
            encoding="utf-8-sig",
            dtype={"cell": str, "time": np.float64},
        )
    except (ValueError, UnicodeError) as error:
        raise ValueError(f"{path} is no readable table: {str(error).strip()}") from error
    cells = frame["cell"].str.strip()
    names = list(states) or list(dict.fromkeys(cells))
    strange = sorted(set(cells) - set(names))
    if strange:
        raise ValueError(f"{path} has events of {', '.join(strange[:5])}, which its props lack")
    keep = _chosen(names, states, wanted, path)
    source = f"events of {path.name} (Inscopix), {_counted(keep, names, states)}"
    if not states:
        source += "; cells without an event are not in the file"
    return Activity(
        kind="events",
        source=source,
        times=[frame["time"].to_numpy()[(cells == names[i]).to_numpy()] for i in keep],
        rows=keep,
        n_source=len(names),
        columns=_columns(keep, names, states),
    )


def _states(path: Path, props: str | None) -> dict[str, str]:
    """State of every cell of a table of properties, "" where it has none; empty without a table."""
    beside = path.with_name(props if props is not None else f"{path.stem}-props.csv")
    if not beside.is_file():
        if props is not None:
            raise FileNotFoundError(f"no file {beside}, which props names")
        return {}
    with beside.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        try:
            rows = list(csv.DictReader(file, skipinitialspace=True))
        except csv.Error as error:
            raise ValueError(f"{beside} is no readable table: {error}") from error
    if not rows or "Name" not in rows[0]:
        raise ValueError(f"{beside} is no table of properties of Inscopix: it has no column Name")
    names = _unique([(row["Name"] or "").strip() for row in rows], beside)
    states = [(row.get("Status") or "").strip() for row in rows]
    if set(states) - {"", *STATES}:
        raise ValueError(f"{beside}: Status holds more than {', '.join(STATES)}")
    return dict(zip(names, states, strict=True))


def _unique(names: list[str], path: Path) -> list[str]:
    twice = [name for name, n in Counter(names).items() if n > 1]
    if twice or not all(names):
        raise ValueError(f"{path} names cells {', '.join(twice) or 'by nothing'} more than once")
    return names


def _chosen(names: list[str], states: dict[str, str], wanted: list[str], path: Path) -> np.ndarray:
    """Places of the cells whose state is asked for; of all where no state is known."""
    if not any(states.get(name) for name in names):
        return np.arange(len(names))
    keep = [i for i, name in enumerate(names) if states.get(name) in wanted]
    if not keep:
        counts = Counter(states.get(name) or "unknown" for name in names)
        told = ", ".join(f"{n} {state}" for state, n in counts.items())
        raise ValueError(
            f"{path}: no cell is {' or '.join(wanted)} ({told}): options: {{status: [accepted, "
            "undecided]} takes others"
        )
    return np.array(keep)


def _counted(keep: np.ndarray, names: list[str], states: dict[str, str]) -> str:
    known = any(states.get(name) for name in names)
    about = "" if known else ", whose states are not known"
    return f"{keep.size} of {len(names)} cells{about}"


def _columns(keep: np.ndarray, names: list[str], states: dict[str, str]) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "source_label": ("label of the unit in its source", [names[i] for i in keep])
    }
    if any(states.get(name) for name in names):
        told = [states.get(names[i]) or "unknown" for i in keep]
        columns["label"] = ("what it was labelled", told)
    return columns
