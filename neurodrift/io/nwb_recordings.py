"""The sessions of an open NWB file as recordings."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import xarray as xr

from neurodrift import kinematics
from neurodrift.io import nwb_find
from neurodrift.io.nwb_frames import activity_on_frames
from neurodrift.io.nwb_tables import (
    OBSERVED,
    labels_of,
    observed_fraction,
    regions_of,
    scores_of,
    sessions_in,
    trials_on_frames,
)
from neurodrift.recording import recording_from_arrays
from neurodrift.schema import RECORDING, check, label


def recordings_in(
    nwbfile: Any,
    where: str,
    file_label: str,
    told: dict[str, Any],
    *,
    series: str | None,
    position: str | None,
    speed: str | None,
    values: str,
    join_on: str,
    environment: str | None,
    region: str | None,
    sessions_from: str,
) -> list[xr.Dataset]:
    """The sessions of an open file, each a recording.

    Parameters
    ----------
    nwbfile
        An open :class:`pynwb.NWBFile`.
    where
        The file, for messages.
    file_label
        Label of its session, or that the labels of its sessions begin with.
    told
        What its epochs tell, see :func:`neurodrift.io.nwb_tables.told_by_epochs`.
    series, position, speed, values, join_on, environment, region, sessions_from
        As for :func:`neurodrift.io.nwb.import_nwb`.

    Returns
    -------
    list of xarray.Dataset
        At least one; times count from the start of the file.

    Raises
    ------
    ValueError
        If the file has not what a recording needs.
    """
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
    covered = _within(time, told["spans"])
    if kind in ("deconvolved", "activation"):
        covered &= ~np.isnan(activity).all(axis=1)
    if not covered.any():
        raise ValueError(
            f"no frame of the position has a sample of {source.name}"
            if told["spans"] is None
            else f"no frame of the position lies in an epoch of environment {environment}"
        )
    units, known = labels_of(table, rows, join_on, file_label)
    regions = regions_of(table, rows)
    scores = scores_of(table, rows)
    wanted = _in_region(regions, region, rows.size, table.name)
    velocity = nwb_find.find_speed(nwbfile, speed, time, where)
    direction = nwb_find.find_direction(nwbfile, time) if xy.shape[1] == 1 else None
    per_frame = trials_on_frames(nwbfile, time, where)
    made = []
    for name, frames in _sessions(nwbfile, where, file_label, sessions_from, time, covered):
        seen = observed_fraction(table, rows[wanted], time[frames]) >= OBSERVED
        if not seen.any():
            raise ValueError(f"no unit was observed throughout session {name}")
        if not seen.all():
            warnings.warn(
                f"{where}: {int((~seen).sum())} of {seen.size} units were observed in a part of "
                f"session {name} only, and count as not detected in it",
                stacklevel=5,
            )
        chosen = wanted[seen]
        recording = recording_from_arrays(
            activity[frames][:, chosen],
            kind=kind,
            time=time[frames],
            frame_duration=step,
            x=xy[frames, 0],
            y=xy[frames, 1] if xy.shape[1] == 2 else None,
            session=[name],
            unit=[units[i] for i in chosen],
            region=None if regions is None else [regions[i] for i in chosen],
            registration_score=None if scores is None else scores[None, chosen],
            registered=[known[i] or sessions_from != "file" for i in chosen],
            experience=[told["experience"]] if np.isfinite(told["experience"]) else None,
            accuracy=_accuracy(told) if sessions_from == "file" else None,
            subject=(nwbfile.subject.subject_id if nwbfile.subject else None) or "unknown",
            environment=environment or told["environment"] or "unknown",
            **{key: item[frames] for key, item in per_frame.items()},
        )
        made.append(_with_speed(recording, velocity, direction, frames, told))
    return made


def _within(time: np.ndarray, spans: np.ndarray | None) -> np.ndarray:
    """Whether each frame lies in any of the spans; in all of them when there are none."""
    if spans is None:
        return np.ones(time.size, dtype=bool)
    inside = np.zeros(time.size, dtype=bool)
    for start, stop in spans:
        inside |= (time >= start - 1e-9) & (time < stop - 1e-9)
    return inside


def _accuracy(told: dict[str, Any]) -> list[float] | None:
    """The share of correct trials; what another lab calls accuracy may be anything else."""
    told_of = told["accuracy"]
    return [told_of] if isinstance(told_of, int | float) and 0 <= told_of <= 1 else None


def _in_region(
    regions: list[str] | None, region: str | None, n_units: int, name: str
) -> np.ndarray:
    if region is None:
        return np.arange(n_units)
    found = np.array([item == region for item in regions or ["unknown"] * n_units])
    if not found.any():
        raise ValueError(
            f"table {name} has no unit in region {region!r}; its regions are "
            f"{', '.join(sorted(set(regions or []))) or 'not told'}"
        )
    return np.flatnonzero(found)


def _sessions(
    nwbfile: Any,
    where: str,
    file_label: str,
    sessions_from: str,
    time: np.ndarray,
    covered: np.ndarray,
) -> list[tuple[str, np.ndarray]]:
    """Label and frames of every session of the file."""
    if sessions_from == "file":
        return [(file_label, np.flatnonzero(covered))]
    found = [
        (f"{file_label}-{row}", np.flatnonzero(covered & _within(time, np.array([[start, stop]]))))
        for row, start, stop in sessions_in(nwbfile, sessions_from, where)
    ]
    kept = [(name, frames) for name, frames in found if frames.size > 1]
    empty = [name for name, frames in found if frames.size <= 1]
    if not kept:
        raise ValueError(f"no row of {sessions_from} holds a frame of the position")
    if empty:
        warnings.warn(
            f"{where}: {len(empty)} of {len(found)} rows of {sessions_from} hold no frame of the "
            f"position and were left out: {', '.join(empty[:5])}",
            stacklevel=6,
        )
    return kept


def _with_speed(
    recording: xr.Dataset,
    series: Any,
    direction: Any,
    frames: np.ndarray,
    told: dict[str, Any],
) -> xr.Dataset:
    """Speed and direction from series of the file, or from the position if there are none."""
    # Frames that are cut out of runs have steps between them that are no speed.
    is_cut = told["only_running"] and series is None
    result = recording if is_cut else kinematics.running(recording)
    if series is not None:
        factor = nwb_find.centimetres_per_second(series.unit) or 1.0
        values = nwb_find.scaled(series, factor)[frames].reshape(frames.size, -1)
        speed = np.abs(values[:, 0]) if values.shape[1] == 1 else np.linalg.norm(values, axis=1)
        result = result.assign(speed=("time", speed, result["speed"].attrs))
        if told["speed_is_projected"]:
            result["speed"].attrs["projected"] = 1
        if "direction" in result and values.shape[1] == 1 and "velocity" in series.name.lower():
            sign = np.sign(np.nan_to_num(values[:, 0])).astype(np.int8)
            result["direction"] = ("time", sign, result["direction"].attrs)
    if direction is not None:
        sign = np.nan_to_num(np.asarray(direction.data[:], dtype=np.float64))[frames]
        result["direction"] = ("time", sign.astype(np.int8))
    result = label(result, RECORDING)
    check(result)
    return result
