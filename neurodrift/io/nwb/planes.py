"""Cells of several planes that were imaged together, side by side in the frames of the first."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.gate.findings import add_findings
from neurodrift.io.nwb.stream import Readable, Session

_Read = tuple[xr.Dataset, Session, bool | None]
"""A session of one plane, as :func:`neurodrift.io.nwb.parts.sessions_of` makes it."""


def expect_planes(sources: Sequence[Any], where: str) -> None:
    """Refuse series that are no planes imaged together.

    Parameters
    ----------
    sources
        The series that were named, each as :func:`neurodrift.io.nwb.find.find_activity` gives it.
    where
        The file, for messages.

    Raises
    ------
    ValueError
        If one is no ROI response series, or two are of the same cells.

    Notes
    -----
    The times of planes differ by less than a frame: a sample of another plane belongs to the frame
    of the first that it falls into, as :func:`neurodrift.io.nwb.frames.activity_on_frames` has it.
    """
    from pynwb.ophys import RoiResponseSeries

    names = " and ".join(source.name for source in sources)
    if not all(isinstance(source, RoiResponseSeries) for source in sources):
        raise ValueError(
            f"{where}: {names} are not all ROI response series: only planes that were imaged "
            "together can be imported together, name one series"
        )
    for i, one in enumerate(sources):
        for other in sources[:i]:
            if one.rois.table is other.rois.table and share_cells(one, other):
                raise ValueError(
                    f"{where}: {other.name} and {one.name} hold the same cells of table "
                    f"{one.rois.table.name}: name one of them; only planes that were imaged "
                    "together can be imported together"
                )


def share_cells(one: Any, other: Any) -> bool:
    """Whether two series of one table of cells have a cell in common.

    Parameters
    ----------
    one, other
        ROI response series.

    Returns
    -------
    bool
        By the rows of the table.
    """
    return bool(np.intersect1d(one.rois.data[:], other.rois.data[:]).size)


def join_planes(planes: Sequence[Sequence[_Read]], names: Sequence[str], where: str) -> list[_Read]:
    """The sessions of a file with the units of all planes.

    Parameters
    ----------
    planes
        The sessions of each plane, all in the frames of the first.
    names
        What the planes are called, for messages.
    where
        The file, for messages.

    Returns
    -------
    list of tuple
        Sessions of the first plane, in the frames that every plane has.

    Raises
    ------
    ValueError
        If the planes hold different kinds of activity, share an identity, or have no frame in
        common.
    """
    if len(planes) == 1:
        return list(planes[0])
    labels = [
        [str(recording["session"].values[0]) for recording, _, _ in plane] for plane in planes
    ]
    if any(label != labels[0] for label in labels):
        raise ValueError(f"{where}: {' and '.join(names)} have frames in different sessions")
    return [_side_by_side(sessions, names, where) for sessions in zip(*planes, strict=True)]


def _side_by_side(sessions: Sequence[_Read], names: Sequence[str], where: str) -> _Read:
    """One session of all planes."""
    kinds = {
        recording["activity"].attrs["kind"]: name
        for name, (recording, _, _) in zip(names, sessions, strict=True)
    }
    if len(kinds) > 1:
        told = " and ".join(f"{name} is {kind}" for kind, name in kinds.items())
        raise ValueError(f"{where}: {told}: planes of one recording hold one kind of activity")
    frames = reduce(np.intersect1d, [session.frames for _, session, _ in sessions])
    if not frames.size:
        raise ValueError(f"{where}: {' and '.join(names)} have no frame in common")
    units = [recording["unit"].values.tolist() for recording, _, _ in sessions]
    every = [unit for plane in units for unit in plane]
    if len(set(every)) < len(every):
        shared = sorted({unit for unit in every if every.count(unit) > 1}, key=str)[:5]
        raise ValueError(
            f"{where}: {' and '.join(names)} hold cells of the same identity, {shared}: a cell "
            "lies in one plane, so identities must differ (option join_on, --join-on)"
        )
    cut = [
        recording.isel(time=np.searchsorted(session.frames, frames))
        for recording, session, _ in sessions
    ]
    joined = xr.concat(
        cut,
        dim="unit",
        data_vars="minimal",
        coords="minimal",
        compat="override",
        join="exact",
        combine_attrs="override",
    )
    noted = [item for one in cut for item in json.loads(one.attrs.get("findings", "[]"))]
    distinct: dict[str, dict[str, Any]] = {json.dumps(item): item for item in noted}
    joined = add_findings(joined.assign_attrs(findings="[]"), list(distinct.values()))
    source = _Planes([session.source for _, session, _ in sessions])
    starts = np.cumsum([0, *(one.shape[1] for one in source.parts)])
    columns = [
        np.where(session.units >= 0, session.units + start, -1)
        for (_, session, _), start in zip(sessions, starts, strict=False)
    ]
    are_text = [told for _, _, told in sessions if told is not None]
    mixed = len(set(are_text)) > 1
    if mixed:
        raise ValueError(
            f"{where}: cells are identified by text in one plane, by number in another"
        )
    return (
        joined,
        Session(source, frames, np.concatenate(columns)),
        are_text[0] if are_text else None,
    )


class _Planes:
    """Activity of several planes in the same frames."""

    def __init__(self, parts: list[Readable]) -> None:
        self.parts = parts
        self.dtype = np.result_type(*(part.dtype for part in parts))
        self._edges = np.cumsum([0, *(part.shape[1] for part in parts)])
        self.shape = (parts[0].shape[0], int(self._edges[-1]))
        self.chunk = (max(p.chunk[0] for p in parts), max(p.chunk[1] for p in parts))

    def read(self, frames: np.ndarray, units: np.ndarray) -> np.ndarray:
        found = np.empty((frames.size, units.size), dtype=self.dtype)
        plane = np.searchsorted(self._edges, units, side="right") - 1
        for i, part in enumerate(self.parts):
            mine = np.flatnonzero(plane == i)
            if mine.size:
                found[:, mine] = part.read(frames, units[mine] - self._edges[i])
        return found

    def release(self) -> None:
        for part in self.parts:
            part.release()
