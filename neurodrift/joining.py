"""Join the recordings of single sessions into one, matching their units."""

from __future__ import annotations

import json
from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from neurodrift.gate.findings import EVERYTHING, Finding, add_findings, settle
from neurodrift.gate.subjects import subject_findings
from neurodrift.geometry.geometry import Geometry, geometry_of
from neurodrift.recording import (
    FRAME_DTYPES,
    end_to_end,
    label_array,
    recording_from_arrays,
    slice_sessions,
)
from neurodrift.schema import SESSION_COORDS, check

if TYPE_CHECKING:
    from neurodrift.schema.types import Values

_NEAR = 0.02  # of a length: proposals from the positions of different days differ that much
_NONE = {"direction": 0, "trial": -1, "trial_type": -1, "lap": -1, "map_label": 0}


def join_sessions(
    recordings: Sequence[xr.Dataset], *, registration: Values | pd.DataFrame | None = None
) -> xr.Dataset:
    """Join recordings of one subject and environment along time, matching their units.

    A unit that a recording lacks is marked as not detected in its sessions; no unit is dropped.
    A variable over time that some recordings lack is there "none" (NaN, -1 or 0). Days are taken
    as they are; experience is added up anew where the recordings each count from zero.

    Parameters
    ----------
    recordings
        Recordings in the order of their sessions.
    registration
        (unit, recording) which column of each recording's ``unit`` dimension is the same unit:
        0-based positions, -1 where it was not found. A :class:`pandas.DataFrame` names the
        units by its index, an array leaves them numbered. Columns that no row mentions are kept
        as units of their own that are not ``registered``, named ``"<session>:<label>"``. Rows of
        -1 alone are left out. Without a registration, units with equal labels are the same unit;
        where some labels are numbers and some are text, all become text.

    Returns
    -------
    xarray.Dataset
        One recording over all sessions and the union of the units, with the attributes that
        agree. Loss and accuracy are NaN in sessions that have none. Activity stays lazy if
        any part is. Variables that :data:`neurodrift.schema.RECORDING` does not name are left out.

    Warns
    -----
    GateWarning
        If no recording names its subject: units of several animals would pass for the same.

    Raises
    ------
    ValueError
        If subjects, environments, geometries or kinds of activity differ, session labels repeat,
        or the registration points outside a recording, uses a column twice or names two units
        alike.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift import join_sessions, recording_from_arrays
    >>> parts = [
    ...     recording_from_arrays(
    ...         np.ones((10, 2), int),
    ...         kind="events",
    ...         frame_duration=0.1,
    ...         session=[name],
    ...         subject="m1",
    ...     )
    ...     for name in ("a", "b")
    ... ]
    >>> joined = join_sessions(parts, registration=[[0, 1], [1, -1]])
    >>> joined["unit"].values.tolist()
    ['0', '1', 'b:0']
    >>> joined["detected"].values.astype(int).tolist()
    [[1, 1, 0], [1, 0, 1]]
    """
    if isinstance(recordings, xr.Dataset):
        raise TypeError("recordings is one recording, expected a list of them")
    joined = joined_sessions(recordings, registration=registration)
    sources = [str(number) for number in range(len(recordings))]
    found = subject_findings(sources, [str(part["subject"].item()) for part in recordings])
    return add_findings(joined, settle(found, "the recordings"))


def joined_sessions(
    recordings: Sequence[xr.Dataset], *, registration: Values | pd.DataFrame | None = None
) -> xr.Dataset:
    """The same for recordings that are known to be of one animal.

    Parameters
    ----------
    recordings, registration
        As for :func:`join_sessions`.

    Returns
    -------
    xarray.Dataset
        One recording.

    Raises
    ------
    ValueError
        As :func:`join_sessions`.
    """
    if not recordings:
        raise ValueError("no recordings to join")
    for part in recordings:
        check(part)
    _refuse_mixture(recordings)
    lacking = _lacking(recordings)
    parts = list(recordings)
    registered: list[str] = []
    if registration is not None:
        parts, registered = _relabel(parts, registration)
    parts, union = _common_units(parts, registered)
    pieces = [part.isel(time=where) for part in parts for where in slice_sessions(part)]
    names = [name for name in FRAME_DTYPES if any(name in part for part in parts)]
    by_frame: dict[str, Any] = {name: [_or_none(piece, name) for piece in pieces] for name in names}
    detected = [part["detected"].reindex(unit=union, fill_value=False).values for part in parts]
    by_session: dict[str, Any] = {
        name: np.concatenate([part[name].values for part in parts])
        for name in ("session", *SESSION_COORDS)
        if all(name in part.coords for part in parts)
    }
    for name in ("loss", "accuracy"):
        if any(name in part.coords for part in parts):
            by_session[name] = np.concatenate([_or_nan(part, name) for part in parts])
    if "experience" in by_session and _starts_over(by_session["experience"], pieces):
        del by_session["experience"]
    placed = _clocks(parts)
    joined = recording_from_arrays(
        [piece["activity"].reindex(unit=union, fill_value=0).data for piece in pieces],
        kind=parts[0]["activity"].attrs["kind"],
        time=placed,
        frame_duration=[piece["frame_duration"].values for piece in pieces],
        unit=union.tolist(),
        detected=np.concatenate(detected),
        region=_regions(parts, union),
        registered=_registered(parts, union),
        registration_score=_scores(parts, union),
        subject=str(parts[0]["subject"].item()),
        environment=str(parts[0]["environment"].item()),
        accept=[EVERYTHING],
        geometry=_shared_geometry(recordings),
        **by_frame,
        **by_session,
    )
    clock_start = joined["clock_start"].copy(data=_clock_starts(parts, pieces, placed))
    joined = joined.assign_coords(clock_start=clock_start)
    told = [item for part in parts for item in json.loads(part.attrs.get("findings", "[]"))]
    agreed = {
        key: value
        for key, value in parts[0].attrs.items()
        if all(key in part.attrs and np.array_equal(part.attrs[key], value) for part in parts)
    }
    kept = {"findings": json.dumps(told)} if told else {}
    left_out = [item for part in parts for item in json.loads(part.attrs.get("curation", "[]"))]
    kept |= {"curation": json.dumps(left_out)} if left_out else {}
    if registration is not None and not any("detection" in part.attrs for part in recordings):
        kept["detection"] = "each_session"  # cells of every session by itself, matched afterwards
    return add_findings(
        joined.assign_attrs(agreed | joined.attrs | kept), settle(lacking, "the joined recording")
    )


def _common_units(
    parts: list[xr.Dataset], registered: list[str]
) -> tuple[list[xr.Dataset], np.ndarray]:
    """Labels of one type in every part, and their union, the registered units first."""
    found: dict[Hashable, None] = {}
    for part in parts:
        found |= dict.fromkeys(part["unit"].values.tolist())
    labels = dict.fromkeys(name for name in registered if name in found) | found
    if len({str(item) for item in labels}) < len(labels):
        raise ValueError("unit labels mix numbers and equal strings: use one type in every part")
    if len({isinstance(item, str) for item in labels}) > 1:
        parts = [part.assign_coords(unit=part["unit"].astype(str).astype(object)) for part in parts]
        labels = dict.fromkeys(str(item) for item in labels)
    return parts, label_array(labels)


def _or_none(piece: xr.Dataset, name: str) -> np.ndarray:
    if name in piece:
        return piece[name].values
    none = _NONE.get(name, np.nan)
    return np.full(piece.sizes["time"], none, dtype=FRAME_DTYPES[name])


def _or_nan(part: xr.Dataset, name: str) -> np.ndarray:
    unknown = np.full(part.sizes["session"], np.nan)
    return part[name].values if name in part.coords else unknown


def _starts_over(experience: np.ndarray, pieces: list[xr.Dataset]) -> bool:
    """Whether experience does not grow over a session that has frames."""
    lived = np.array([piece.sizes["time"] > 0 for piece in pieces[:-1]], dtype=bool)
    steps = np.diff(experience)
    return bool((np.where(lived, steps <= 0, steps < 0)).any())


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


def _shared_geometry(parts: Sequence[xr.Dataset]) -> Geometry | None:
    """The geometry of all recordings with a position; None where none has one of its own.

    A proposal gives way to what is stated, and stands for the days whose positions show nothing.
    """
    placed = [part for part in parts if "x" in part]
    if not any("geometry" in part.attrs for part in placed):
        return None
    shapes = [geometry_of(part) for part in placed]
    plain = (Geometry(kind="linear"), Geometry(kind="field"))  # as without one
    bare = [shape for shape in shapes if shape in plain]
    stated = [shape for shape in shapes if not shape.proposed and shape not in bare]
    proposed = sorted((s for s in shapes if s.proposed), key=lambda shape: shape.length or 0)
    chosen = stated[0] if stated else proposed[-1] if proposed else bare[0]
    lengths = [shape.length or 1.0 for shape in [*proposed, chosen]]
    fits = all(shape == chosen for shape in stated) and not (stated and bare)
    fits &= all(shape.kind == chosen.kind for shape in proposed)
    fits &= max(lengths) <= (1 + _NEAR) * min(lengths)
    if bare and not stated and not proposed:
        fits = all(shape == chosen for shape in shapes)
    if not fits:
        each = dict.fromkeys(
            f"{part['session'].values[0]}: {shape}"
            for part, shape in zip(placed, shapes, strict=True)
        )
        raise ValueError(
            f"the recordings have different geometries ({'; '.join(list(each)[:6])}): state one "
            "for all of them (geometry=..., --geometry)"
        )
    return replace(chosen, proposed=not stated and bool(proposed))


def _lacking(parts: Sequence[xr.Dataset]) -> list[Finding]:
    """What only some of the recordings know, and is lost or missing in the joined one."""
    found = []
    for name, becomes in (("day", "dropped"), ("x", "NaN there"), ("y", "NaN there")):
        without = [str(part["session"].values[0]) for part in parts if name not in part.variables]
        if without and len(without) < len(parts):
            text = f"{name} is {becomes}: session {', '.join(without[:5])} has none, others have it"
            found.append(Finding("lacking", text, warns=True))
    return found


def _clocks(parts: list[xr.Dataset]) -> list[np.ndarray]:
    """Time of each session, the recordings moved one behind the other where clocks start over."""
    dated = all("day" in part.coords for part in parts)
    clocks = end_to_end(
        [part["time"].values for part in parts],
        [part["frame_duration"].values for part in parts],
        [part["day"].values[0] for part in parts] if dated else None,
    )
    pairs = zip(parts, clocks, strict=True)
    return [clock[where] for part, clock in pairs for where in slice_sessions(part)]


def _clock_starts(
    parts: list[xr.Dataset], pieces: list[xr.Dataset], placed: list[np.ndarray]
) -> np.ndarray:
    """When the own clock of each session is 0, moved as its frames were; NaN where not known."""
    before = np.concatenate([_or_nan(part, "clock_start") for part in parts])
    moved = [
        clock[0] - piece["time"].values[0] if clock.size else np.nan
        for piece, clock in zip(pieces, placed, strict=True)
    ]
    return before + np.array(moved)


def _relabel(parts: list[xr.Dataset], registration: Any) -> tuple[list[xr.Dataset], list[str]]:
    if isinstance(registration, str) or np.ndim(registration) != 2:
        raise TypeError(
            f"registration is {registration!r:.60}, expected a table (unit, recording) of columns"
        )
    table = registration if isinstance(registration, pd.DataFrame) else pd.DataFrame(registration)
    if table.shape[1] != len(parts):
        raise ValueError(
            f"registration has {table.shape[1]} columns, but {len(parts)} recordings are joined"
        )
    names = [str(item) for item in table.index]
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"the registration names units alike: {twice[:5]} occur more than once")
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
        rows = np.flatnonzero(columns >= 0)
        alone = np.setdiff1d(np.arange(n_units), columns[rows])  # no row mentions them
        own = [f"{part['session'].values[0]}:{part['unit'].values[k]}" for k in alone]
        if not set(own).isdisjoint(names):
            clash = sorted(set(own) & set(names))
            raise ValueError(
                f"unregistered units of column {i} would be named like registered ones: "
                f"{clash[:5]}; rename the rows of the registration"
            )
        labels = np.empty(n_units, dtype=object)
        labels[columns[rows]] = [names[row] for row in rows]
        labels[alone] = own
        found = np.isin(np.arange(n_units), columns[rows])
        renamed.append(part.assign_coords(unit=("unit", labels), registered=("unit", found)))
    return renamed, names


def _registered(parts: list[xr.Dataset], union: np.ndarray) -> np.ndarray | None:
    if not any("registered" in part.coords for part in parts):
        return None
    known: set[Hashable] = set()
    for part in parts:
        labels = part["unit"].values
        known |= set(labels[part["registered"].values] if "registered" in part.coords else labels)
    return np.array([item in known for item in union.tolist()], dtype=bool)


def _scores(parts: list[xr.Dataset], union: np.ndarray) -> np.ndarray | None:
    if not any("registration_score" in part for part in parts):
        return None
    return np.concatenate(
        [
            part["registration_score"].reindex(unit=union).values
            if "registration_score" in part
            else np.full((part.sizes["session"], union.size), np.nan)
            for part in parts
        ]
    )


def _regions(parts: list[xr.Dataset], union: np.ndarray) -> list[str] | None:
    if not all("region" in part.coords for part in parts):
        return None
    known: dict[Hashable, str] = {}
    for part in reversed(parts):
        known |= dict(zip(part["unit"].values.tolist(), part["region"].values, strict=True))
    return [known[item] for item in union.tolist()]
