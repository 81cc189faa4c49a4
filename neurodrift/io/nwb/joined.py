"""Sessions of NWB files as one recording, whose activity is read block by block."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.gate.findings import Finding, add_findings, settle
from neurodrift.gate.identities import identity_findings
from neurodrift.gate.starts import days_since_first, session_overlap_findings
from neurodrift.gate.subjects import subject_findings
from neurodrift.io.nwb.parts import OPTIONS, Part
from neurodrift.io.nwb.stream import Session, Stream
from neurodrift.joining import joined_sessions

_BLOCK_BYTES = 2**26  # of activity that is read together


def in_order(parts: Sequence[Part]) -> list[Part]:
    """Sessions by their start, their times counted from that of the first.

    Parameters
    ----------
    parts
        Sessions in any order; changed in place.

    Returns
    -------
    list of Part
        In order.
    """
    first = min(part.start for part in parts)
    for part in parts:
        if not part.placed:
            offset = (part.start - first).total_seconds()
            time = part.recording["time"].values + offset
            part.recording = part.recording.assign_coords(
                time=time, clock_start=("session", [offset])
            )
            part.placed = True
    return sorted(
        parts, key=lambda part: (part.start, part.recording["time"].values[0], part.label)
    )


def joined(
    parts: Sequence[Part], accept: Collection[str], options: Mapping[str, Any]
) -> tuple[xr.Dataset, Stream]:
    """Sessions of one subject in one environment as one recording.

    Parameters
    ----------
    parts
        The sessions, in any order.
    accept
        Names of findings of the gate that are taken as true.
    options
        As in :data:`OPTIONS`; the recording keeps them.

    Returns
    -------
    recording : xarray.Dataset
        The recording, with zeros that are nowhere in memory for its activity.
    stream : Stream
        The activity itself.

    Raises
    ------
    ValueError
        If they do not belong together, or a finding stops them.
    """
    parts = in_order(parts)
    days, found = _days(parts)
    for part, day in zip(parts, days, strict=True):
        part.recording = part.recording.assign_coords(day=("session", [day]))
    found += session_overlap_findings(
        [part.label for part in parts],
        [part.recording["time"].values for part in parts],
        lambda i: _same_activity(parts[i - 1].session, parts[i].session),
        [part.day for part in parts],
    )
    found += subject_findings(
        [part.file for part in parts],
        [str(part.recording["subject"].item()) for part in parts],
        [part.about for part in parts],
    )
    settled = settle(found, "the recording", accept)
    _refuse_other_ids(parts)
    recordings = [part.recording for part in parts]
    if any(part.experience is None for part in parts):
        recordings = [part.drop_vars("experience") for part in recordings]
    if any(part["unit"].dtype.kind not in "iu" for part in recordings):
        recordings = [
            part.assign_coords(unit=part["unit"].astype(str).astype(object)) for part in recordings
        ]
    recording = _units_in_order(joined_sessions(recordings))
    shared = identity_findings(recording["detected"].values)
    settled += [item.told("the recording") for item in shared]  # kept; the command says it
    if any("speed" in part and "projected" in part["speed"].attrs for part in recordings):
        recording["speed"].attrs["projected"] = 1
    lags = {part.label: part.recording.attrs.get("lag", 0.0) for part in parts}
    recording.attrs.pop("lag", None)  # of one session, where all agree
    if any(lags.values()):
        recording.attrs["lag"] = json.dumps(lags)
    recording = add_findings(recording, settled).assign_attrs(
        nwb_files=list(dict.fromkeys(part.file for part in parts)),
        nwb_sessions=json.dumps([_told_of(part) for part in parts]),
    )
    chosen = {name: options[name] for name in OPTIONS if options[name] != OPTIONS[name]}
    if chosen:
        recording.attrs["nwb_options"] = json.dumps(chosen)
    return recording, _stream(recording, parts, recordings)


def in_memory(recording: xr.Dataset, stream: Stream) -> xr.Dataset:
    """A recording with its activity, read whole.

    Parameters
    ----------
    recording, stream
        From :func:`joined`.

    Returns
    -------
    xarray.Dataset
        The recording.
    """
    n_frames, n_units = stream.shape
    values = np.empty((n_frames, n_units), dtype=stream.dtype)
    at_once = max(1, _BLOCK_BYTES // max(n_units * stream.dtype.itemsize, 1))
    for first in range(0, n_frames, at_once):
        stop = min(first + at_once, n_frames)
        values[first:stop] = stream.read(first, stop, slice(None))
        stream.release(stop)
    activity = recording["activity"]
    return recording.assign(activity=(activity.dims, values, activity.attrs))


def from_stream(recording: xr.Dataset, stream: Stream) -> xr.Dataset:
    """A recording whose activity is read from its files when it is used.

    Parameters
    ----------
    recording, stream
        From :func:`joined`.

    Returns
    -------
    xarray.Dataset
        The recording, in chunks of its sessions and of units.
    """
    import dask.array as da

    longest = max((session.frames.size for session in stream.sessions), default=0)
    width = max(1, _BLOCK_BYTES // max(longest * stream.dtype.itemsize, 1))
    starts = np.cumsum([0, *(session.frames.size for session in stream.sessions)])

    def read(block_info: Any) -> np.ndarray:
        (first, stop), (start, end) = block_info[None]["array-location"]
        return stream.read(int(first), int(stop), slice(int(start), int(end)))

    n_units = stream.shape[1]
    widths = [min(width, n_units - at) for at in range(0, n_units, width)]
    activity = da.map_blocks(
        read,
        chunks=(tuple(np.diff(starts).tolist()), tuple(widths)),
        dtype=stream.dtype,
        meta=np.empty((0, 0), dtype=stream.dtype),
    )
    return recording.assign(activity=(("time", "unit"), activity, recording["activity"].attrs))


def _told_of(part: Part) -> dict[str, Any]:
    """What a later session must know of this one to be joined to it without its file."""
    return {
        "session": part.label,
        "file": part.file,
        "identifier": part.identifier,
        "start": part.start.isoformat(),
        "day": part.day,
        "experience": part.experience,
        "ids_are_text": part.ids_are_text,
        "named_by_file": part.named_by_file,
        "about": part.about,
    }


def _stream(
    recording: xr.Dataset, parts: Sequence[Part], recordings: Sequence[xr.Dataset]
) -> Stream:
    """The activity of all sessions, each with the units of the whole recording."""
    every = recording["unit"].values.tolist()
    sessions = []
    for part, labelled in zip(parts, recordings, strict=True):
        own = dict(zip(labelled["unit"].values.tolist(), part.session.units.tolist(), strict=True))
        units = np.array([own.get(name, -1) for name in every], dtype=np.int64)
        sessions.append(replace(part.session, units=units))
    return Stream(sessions, recording["activity"].dtype)


def _same_activity(one: Session, other: Session) -> bool:
    """Whether two sessions hold the same activity, which is not 0 everywhere."""
    if one.frames.size != other.frames.size or one.units.size != other.units.size:
        return False
    any_active = False
    at_once = max(1, _BLOCK_BYTES // (8 * max(one.units.size, 1)))
    for first in range(0, one.frames.size, at_once):
        frames = slice(first, min(first + at_once, one.frames.size))
        values = one.read(frames, slice(None))
        if not np.array_equal(values, other.read(frames, slice(None))):
            return False
        any_active |= bool(values.any())
    return any_active


def _refuse_other_ids(parts: Sequence[Part]) -> None:
    known = [part for part in parts if part.ids_are_text is not None]
    for part in known[1:]:
        if part.ids_are_text != known[0].ids_are_text:
            kinds = ["text" if one.ids_are_text else "numbers" for one in (known[0], part)]
            raise ValueError(
                f"units are identified by {kinds[0]} in {known[0].file}, but by {kinds[1]} in "
                f"{part.file}: write the identities alike in all files, or join on another column "
                "(--join-on)"
            )


def _days(parts: Sequence[Part]) -> tuple[list[float], list[Finding]]:
    """Days of the sessions: those that the files tell, or from when the sessions began."""
    told = [part.day for part in parts if part.day is not None]
    if len(told) == len(parts):
        return [day - told[0] for day in told], []
    return days_since_first([part.start for part in parts], [part.label for part in parts])


def _units_in_order(recording: xr.Dataset) -> xr.Dataset:
    """Units by registered id, the unmatched ones behind in the order of their sessions."""
    labels = recording["unit"].values
    keys = [(not str(s).isdecimal(), int(s) if str(s).isdecimal() else 0) for s in labels]
    order = sorted(range(labels.size), key=lambda i: keys[i])
    return recording if order == list(range(labels.size)) else recording.isel(unit=order)
