"""Recordings from NWB files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr

from neurodrift import kinematics
from neurodrift.io import nwb_find
from neurodrift.io.nwb_frames import activity_on_frames
from neurodrift.joining import join_sessions
from neurodrift.recording import recording_from_arrays
from neurodrift.schema import check


def import_nwb(
    files: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    series: str | None = None,
    position: str | None = None,
    speed: str | None = None,
    values: Literal["events", "amplitudes"] = "events",
    join_on: str = "registered_cell_id",
    environment: str | None = None,
) -> xr.Dataset:
    """Join the sessions of one subject and environment, each an NWB file, into a recording.

    Sessions are sorted by their start. Units with the same registered id are the same unit; a
    unit that a file lacks is marked as not detected there. Time runs on from the start of the
    first session.

    Parameters
    ----------
    files
        NWB files, one for each session.
    series, position, speed, values, join_on, environment
        As for :func:`read_session`.

    Returns
    -------
    xarray.Dataset
        The recording. Days count from the first session's date, or from its day where the files
        tell it; experience is the tracked time in the earlier sessions unless all files tell it.
        Units are in the order of their ids, the unmatched ones last.

    Raises
    ------
    FileNotFoundError
        If a file does not exist.
    ValueError
        If the files are of several subjects or environments, or a file cannot be imported.

    Examples
    --------
    >>> import tempfile
    >>> from neurodrift import testing
    >>> from neurodrift.io.nwb import import_nwb
    >>> from neurodrift.io.nwb_session import session_from_recording
    >>> from neurodrift.io.nwb_write import write_session
    >>> simulated = testing.linear_track(n_units=3, n_sessions=2, minutes=1)
    >>> folder = tempfile.mkdtemp()
    >>> files = [
    ...     write_session(session_from_recording(simulated, label), f"{folder}/{label}.nwb")
    ...     for label in ("1", "2")
    ... ]
    >>> recording = import_nwb(files)
    >>> bool((recording["activity"] == simulated["activity"].values).all())
    True
    """
    paths = [Path(files)] if isinstance(files, str | os.PathLike) else [Path(f) for f in files]
    if not paths:
        raise ValueError("no NWB file given")
    if len({path.resolve() for path in paths}) < len(paths):
        raise ValueError("a file is given twice")
    options: dict[str, Any] = {
        "series": series,
        "position": position,
        "speed": speed,
        "values": values,
        "join_on": join_on,
        "environment": environment,
    }
    parts: list[_Part] = []
    for path in paths:
        parts.append(_read(path, label=None, **options))
        _refuse_another(parts)
    labels = [part.label for part in parts]
    if len(set(labels)) < len(labels):
        parts = [_read(path, label=path.stem, **options) for path in paths]
    parts.sort(key=lambda part: (part.start, part.label))
    first = parts[0]
    for part in parts:
        if all(other.day is not None for other in parts):
            day = (part.day or 0.0) - (first.day or 0.0)
        else:
            day = float((part.start.date() - first.start.date()).days)
        offset = (part.start - first.start).total_seconds()
        part.recording = part.recording.assign_coords(
            day=("session", [day]), time=("time", part.recording["time"].values + offset)
        )
    told = all(part.tells_experience for part in parts)
    recordings = [part.recording for part in parts]
    if not told:
        recordings = [part.drop_vars("experience") for part in recordings]
    if any(part["unit"].dtype.kind not in "iu" for part in recordings):
        recordings = [
            part.assign_coords(unit=part["unit"].astype(str).astype(object)) for part in recordings
        ]
    recording = _in_order(join_sessions(recordings))
    if any("projected" in part["speed"].attrs for part in recordings):
        recording["speed"].attrs["projected"] = 1
    return recording.assign_attrs(nwb_files=[part.path.name for part in parts])


def read_session(
    path: str | os.PathLike[str],
    *,
    series: str | None = None,
    position: str | None = None,
    speed: str | None = None,
    values: Literal["events", "amplitudes"] = "events",
    join_on: str = "registered_cell_id",
    environment: str | None = None,
) -> xr.Dataset:
    """Read one NWB file as a recording of one session.

    Activity is put on the frames of the position: a frame lasts from its timestamp to the next
    one, or for the median step before a gap longer than 1.5 steps. Spikes and events are counted
    into the frames, those in gaps are left out. An ROI response series that is sampled with the
    position is taken as it is; another is averaged over each frame, a frame without a sample gets
    the nearest one, and frames further than one sampling step from every sample are left out.

    Parameters
    ----------
    path
        The file; it is only read.
    series
        Name or path of the activity: units with spike times, an ``EventsTable`` whose rows point
        to cells, or an ROI response series. Needed only if the file holds several.
    position
        Name or path of the ``SpatialSeries`` of the position (time) or (time, 2), in a unit of
        length. Needed only if the file holds several.
    speed
        Name or path of the running speed or velocity; when omitted, the one sampled with the
        position, and if there is none, speed is derived from the position.
    values
        Whether an ``EventsTable`` is counted or its amplitudes are added up.
    join_on
        Column of the table of units that identifies them across sessions; ``"id"`` takes the
        rows' ids.
    environment
        Label of the environment; needed only if the file does not tell it.

    Returns
    -------
    xarray.Dataset
        A recording with one session; time counts from its start. Units are labelled by their
        registered ids, and those without one ``"<session>:<row>"``.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If it has no position or no activity, several of them and none is named, a position in
        pixels, or anything that makes no recording.
    """
    part = _read(
        Path(path),
        label=None,
        series=series,
        position=position,
        speed=speed,
        values=values,
        join_on=join_on,
        environment=environment,
    )
    return part.recording


@dataclass
class _Part:
    """A session and what is needed to join it to others."""

    path: Path
    recording: xr.Dataset
    label: str
    start: Any
    day: float | None
    tells_experience: bool


def _read(path: Path, *, label: str | None, **options: Any) -> _Part:
    from pynwb import NWBHDF5IO

    if not path.is_file():
        raise FileNotFoundError(f"no NWB file at {path}")
    io = None
    try:
        io = NWBHDF5IO(path, "r")
        nwbfile = io.read()
    except Exception as error:  # what is no NWB file raises anything
        if io is not None:
            io.close()
        raise ValueError(f"{path} is no readable NWB (HDF5) file: {error}") from error
    with io:
        told = _told(nwbfile, path)
        label = label or told["session"] or nwbfile.session_id or path.stem
        try:
            recording = _recording(nwbfile, path.name, label, told, **options)
        except ValueError as error:
            text = str(error)
            raise ValueError(text if path.name in text else f"{path.name}: {text}") from error
        start = nwbfile.session_start_time
    day = told["day"] if np.isfinite(told["day"]) else None
    return _Part(path, recording, label, start, day, bool(np.isfinite(told["experience"])))


def _recording(
    nwbfile: Any,
    where: str,
    label: str,
    told: dict[str, Any],
    *,
    series: str | None,
    position: str | None,
    speed: str | None,
    values: str,
    join_on: str,
    environment: str | None,
) -> xr.Dataset:
    place = nwb_find.find_position(nwbfile, position, where)
    time = nwb_find.timestamps(place)
    if time.size < 2 or not (np.diff(time) > 0).all():
        raise ValueError(
            f"the timestamps of {nwb_find.path_of(place)} are not strictly increasing, or fewer "
            "than two: sort them, drop repeats and NaN"
        )
    xy = nwb_find.scaled(place, nwb_find.centimetres(place.unit) or 1.0).reshape(time.size, -1)
    if xy.shape[1] > 2:
        raise ValueError(
            f"{nwb_find.path_of(place)} has {xy.shape[1]} columns, expected a position in 1 or 2 "
            "dimensions"
        )
    # Rounded so that a clock of 1/20 s has frames of 0.05 s and not 0.0500000000001 s.
    step = 1 / place.rate if place.rate else float(np.round(np.median(np.diff(time)), 12))
    source = nwb_find.find_activity(nwbfile, series, where)
    activity, kind, table, rows = activity_on_frames(source, time, step, values)
    covered = np.ones(time.size, dtype=bool)
    if kind == "deconvolved":
        covered = ~np.isnan(activity).all(axis=1)
        if not covered.any():
            raise ValueError(f"no frame of the position has a sample of {source.name}")
    subject = nwbfile.subject.subject_id if nwbfile.subject else None
    units, known = _labels(table, rows, join_on, label)
    recording = recording_from_arrays(
        activity[covered],
        kind=kind,
        time=time[covered],
        frame_duration=step,
        x=xy[covered, 0],
        y=xy[covered, 1] if xy.shape[1] == 2 else None,
        session=[label],
        unit=units,
        region=_regions(table, rows),
        registered=known,
        experience=[told["experience"]] if np.isfinite(told["experience"]) else None,
        subject=subject or "unknown",
        environment=environment or told["environment"] or "unknown",
        **_trials(nwbfile, time[covered]),
    )
    velocity = nwb_find.find_speed(nwbfile, speed, time, where)
    return _with_speed(recording, velocity, covered, bool(told["speed_is_projected"]))


def _labels(
    table: Any, rows: np.ndarray, join_on: str, session: str
) -> tuple[list[Any], list[bool]]:
    """Label of each unit, and whether it is an identity across sessions."""
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
    if all(known) and not any(isinstance(item, str) for item in given):
        return [int(item) for item in given], known
    labels = [
        _text(item) if is_known else f"{session}:{row}"
        for item, is_known, row in zip(registered, known, rows.tolist(), strict=True)
    ]
    return labels, known


def _is_id(item: Any) -> bool:
    if isinstance(item, str | bytes):
        return bool(item)
    return bool(np.isfinite(item) and item >= 0)


def _text(item: Any) -> str:
    if isinstance(item, bytes):
        return item.decode()
    return item if isinstance(item, str) else str(int(item))


def _regions(table: Any, rows: np.ndarray) -> list[str] | None:
    for name in ("location", "region", "brain_area"):
        if name in table.colnames:
            return [str(item) for item in np.asarray(table[name].data[:], dtype=object)[rows]]
    return None


def _told(nwbfile: Any, path: Path) -> dict[str, Any]:
    """What the table of epochs says about the session."""
    told: dict[str, Any] = {"environment": None, "session": None}
    told |= {"day": np.nan, "experience": np.nan, "speed_is_projected": False}
    epochs = nwbfile.epochs
    for name in told:
        if epochs is None or name not in epochs.colnames:
            continue
        found = list(dict.fromkeys(np.asarray(epochs[name].data[:]).tolist()))
        if name == "environment" and len(found) > 1:
            raise ValueError(
                f"{path.name} holds several environments ({', '.join(map(str, found))}): write "
                "one file for each"
            )
        if len(found) == 1:
            told[name] = found[0]
    return told


def _trials(nwbfile: Any, time: np.ndarray) -> dict[str, np.ndarray]:
    if nwbfile.trials is None:
        return {}
    table = nwbfile.trials
    column = "track_trial" if "track_trial" in table.colnames else None
    numbers = table[column].data[:] if column else np.arange(len(table)) + 1
    per_frame = {"trial": (numbers, np.full(time.size, -1, dtype=np.int32))}
    if "map_label" in table.colnames:
        labels = np.nan_to_num(np.asarray(table["map_label"].data[:], dtype=np.float64))
        per_frame["map_label"] = (labels, np.zeros(time.size, dtype=np.int16))
    first = np.searchsorted(time, np.asarray(table["start_time"].data[:]) - 1e-9)
    last = np.searchsorted(time, np.asarray(table["stop_time"].data[:]) - 1e-9)
    for values, frames in per_frame.values():
        for value, start, stop in zip(values, first, last, strict=True):
            frames[start:stop] = value
    return {name: frames for name, (_, frames) in per_frame.items()}


def _with_speed(
    recording: xr.Dataset, series: Any, covered: np.ndarray, is_projected: bool
) -> xr.Dataset:
    """Speed and direction from a series of the file, or from the position if there is none."""
    derived = kinematics.running(recording)
    if series is None:
        return derived
    values = nwb_find.scaled(series, nwb_find.centimetres_per_second(series.unit) or 1.0)[covered]
    values = values.reshape(values.shape[0], -1)
    speed = np.abs(values[:, 0]) if values.shape[1] == 1 else np.linalg.norm(values, axis=1)
    result = derived.assign(speed=("time", speed, derived["speed"].attrs))
    if is_projected:
        result["speed"].attrs["projected"] = 1
    if "direction" in derived and values.shape[1] == 1 and "velocity" in series.name.lower():
        sign = np.sign(np.nan_to_num(values[:, 0])).astype(np.int8)
        result["direction"] = ("time", sign, derived["direction"].attrs)
    check(result)
    return result


def _refuse_another(parts: list[_Part]) -> None:
    first, last = parts[0], parts[-1]
    for name in ("subject", "environment"):
        here, there = (str(part.recording[name].item()) for part in (first, last))
        if here != there:
            raise ValueError(
                f"{first.path.name} and {last.path.name} are of different {name}s ({here}, "
                f"{there}): import the files of one subject and one environment at a time"
            )


def _in_order(recording: xr.Dataset) -> xr.Dataset:
    """Units by registered id, the unmatched ones behind in the order of their sessions."""
    labels = recording["unit"].values
    keys = [(not str(s).isdecimal(), int(s) if str(s).isdecimal() else 0) for s in labels]
    order = sorted(range(labels.size), key=lambda i: keys[i])
    return recording if order == list(range(labels.size)) else recording.isel(unit=order)
