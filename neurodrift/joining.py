"""Join the recordings of single sessions into one, matching their units."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from neurodrift.recording import label_array, recording_from_arrays, session_slices
from neurodrift.schema import SESSION_COORDS, check


def join_sessions(recordings: Sequence[xr.Dataset], *, registration: Any = None) -> xr.Dataset:
    """Join recordings of one subject and environment along time, matching their units.

    A unit that a recording lacks is marked as not detected in its sessions; no unit is dropped.

    Parameters
    ----------
    recordings
        Recordings in the order of their sessions.
    registration
        (unit, recording) which column of each recording's ``unit`` dimension is the same unit:
        0-based positions, -1 where it was not found. A :class:`pandas.DataFrame` names the
        units by its index, an array leaves them numbered. Columns that no row mentions are kept
        as units of their own, named ``"<session>:<label>"``. Without a registration, units with
        equal labels are the same unit.

    Returns
    -------
    xarray.Dataset
        One recording over all sessions and the union of the units. Activity stays lazy if any
        part is.

    Raises
    ------
    ValueError
        If subjects, environments or kinds of activity differ, session labels repeat, or the
        registration points outside a recording or uses a column twice.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift import join_sessions, recording_from_arrays
    >>> parts = [
    ...     recording_from_arrays(
    ...         np.ones((10, 2), int), kind="events", frame_duration=0.1, session=[name]
    ...     )
    ...     for name in ("a", "b")
    ... ]
    >>> joined = join_sessions(parts, registration=[[0, 1], [1, -1]])
    >>> joined["unit"].values.tolist()
    ['0', '1', 'b:0']
    >>> joined["detected"].values.astype(int).tolist()
    [[1, 1, 0], [1, 0, 1]]
    """
    if not recordings:
        raise ValueError("no recordings to join")
    for part in recordings:
        check(part)
    _refuse_mixture(recordings)
    parts = list(recordings)
    if registration is not None:
        parts = _relabel(parts, registration)
    labels: dict[Hashable, None] = {}
    for part in parts:
        labels |= dict.fromkeys(part["unit"].values.tolist())
    if len({str(item) for item in labels}) < len(labels):
        raise ValueError("unit labels mix numbers and equal strings: use one type in every part")
    if len({isinstance(item, str) for item in labels}) > 1:
        parts = [part.assign_coords(unit=part["unit"].astype(str).astype(object)) for part in parts]
        labels = dict.fromkeys(str(item) for item in labels)
    union = label_array(np.array(list(labels), dtype=object))

    names = [name for name in _FRAMES if all(name in part for part in parts)]
    pieces = [part.isel(time=where) for part in parts for where in session_slices(part)]
    by_frame = {name: [piece[name].values for piece in pieces] for name in names}
    aligned = [piece["activity"].reindex(unit=union, fill_value=0).data for piece in pieces]
    detected = [part["detected"].reindex(unit=union, fill_value=False) for part in parts]
    by_session: dict[str, Any] = {
        name: np.concatenate([part[name].values for part in parts])
        for name in ("session", *SESSION_COORDS)
        if all(name in part.coords for part in parts)
    }
    if "experience" in by_session and not (np.diff(by_session["experience"]) > 0).all():
        del by_session["experience"]  # each part counted from zero: add them up anew
    return recording_from_arrays(
        aligned,
        kind=parts[0]["activity"].attrs["kind"],
        time=[piece["time"].values for piece in pieces],
        unit=union,
        detected=np.concatenate([found.values for found in detected]),
        region=_regions(parts, union),
        subject=str(parts[0]["subject"].item()),
        environment=str(parts[0]["environment"].item()),
        **by_frame,
        **by_session,
    )


_FRAMES = ("x", "y", "speed", "direction", "trial", "lap", "map_label")


def _refuse_mixture(parts: Sequence[xr.Dataset]) -> None:
    for name in ("subject", "environment"):
        found = sorted({str(part[name].item()) for part in parts})
        if len(found) > 1:
            raise ValueError(
                f"recordings of different {name}s ({', '.join(found)}) cannot be joined; keep "
                "them as nodes of an xarray.DataTree"
            )
    kinds = sorted({str(part["activity"].attrs["kind"]) for part in parts})
    if len(kinds) > 1:
        raise ValueError(f"recordings hold different kinds of activity: {', '.join(kinds)}")


def _relabel(parts: list[xr.Dataset], registration: Any) -> list[xr.Dataset]:
    table = registration if isinstance(registration, pd.DataFrame) else pd.DataFrame(registration)
    if table.shape[1] != len(parts):
        raise ValueError(
            f"registration has {table.shape[1]} columns, but {len(parts)} recordings are joined"
        )
    renamed = []
    for i, part in enumerate(parts):
        columns = table.iloc[:, i].to_numpy()
        n_units = part.sizes["unit"]
        where = f"column {i} of the registration (session {part['session'].values[0]!r})"
        if columns.dtype.kind not in "iu":
            raise ValueError(f"{where} is not of integers; use -1 for a unit that was not found")
        outside = columns[(columns < -1) | (columns >= n_units)]
        if outside.size:
            raise ValueError(
                f"{where} points outside: {outside[:5].tolist()}, but the recording has {n_units} "
                f"units (0..{n_units - 1}, -1 for none; counts from 1 need 1 subtracted)"
            )
        used, times = np.unique(columns[columns >= 0], return_counts=True)
        if (times > 1).any():
            raise ValueError(f"{where} uses unit {used[times > 1][:5].tolist()} more than once")
        own = part["unit"].values
        labels = np.array([f"{part['session'].values[0]}:{item}" for item in own], dtype=object)
        rows = np.flatnonzero(columns >= 0)
        labels[columns[rows]] = [str(item) for item in table.index[rows]]
        renamed.append(part.assign_coords(unit=("unit", labels)))
    registered = [str(item) for item in table.index]
    return [_in_order(part, registered) for part in renamed]


def _in_order(part: xr.Dataset, registered: list[str]) -> xr.Dataset:
    position = {name: i for i, name in enumerate(registered)}
    order = sorted(
        range(part.sizes["unit"]),
        key=lambda i: (position.get(str(part["unit"].values[i]), len(position)), i),
    )
    return part.isel(unit=order)


def _regions(parts: list[xr.Dataset], union: np.ndarray) -> list[str] | None:
    if not all("region" in part.coords for part in parts):
        return None
    known: dict[Hashable, str] = {}
    for part in reversed(parts):
        known |= dict(zip(part["unit"].values.tolist(), part["region"].values, strict=True))
    return [known[item] for item in union.tolist()]
