"""Faults in the values of a recording; its structure is the business of var.py."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import xarray as xr


def value_faults(recording: xr.Dataset, unsound: set[str]) -> list[str]:
    """List every fault in the labels and per-frame values of a recording.

    Parameters
    ----------
    recording
        Dataset that is meant to be a recording; its activity is not read.
    unsound
        Variables with a wrong structure, whose values are not looked at.

    Returns
    -------
    list of str
        One sentence for each fault.
    """
    faults: list[str] = []
    for needed, find in _CHECKS:
        if unsound.isdisjoint(needed):
            faults += find(recording)
    return faults


def _label_faults(recording: xr.Dataset, name: str) -> list[str]:
    values, counts = np.unique(recording[name].values.astype(str), return_counts=True)
    if (counts > 1).any():
        return [f"{name} labels are not unique: {_some(values[counts > 1])} occur more than once"]
    return []


def _time_faults(recording: xr.Dataset) -> list[str]:
    time = recording["time"].values
    if not np.isfinite(time).all():
        return [f"time is NaN or infinite at frame {int(np.argmin(np.isfinite(time)))}"]
    steps = np.diff(time)
    if (steps <= 0).any():
        at = int(np.argmax(steps <= 0)) + 1
        return [
            f"time is not strictly increasing: frame {at} is at {time[at]:g} s after "
            f"{time[at - 1]:g} s; sort or drop repeated frames"
        ]
    return []


def _session_index_faults(recording: xr.Dataset) -> list[str]:
    faults = []
    index = recording["session_index"].values.astype(np.int64)
    n_sessions = recording.sizes["session"]
    if index.size and (index.min() < 0 or index.max() >= n_sessions):
        faults.append(f"session_index must lie in 0..{n_sessions - 1}")
    if (np.diff(index) < 0).any():
        faults.append("session_index decreases: sort the frames by session, then by time")
    return faults


def _duration_faults(recording: xr.Dataset) -> list[str]:
    durations = recording["frame_duration"].values
    wrong = ~((durations > 0) & np.isfinite(durations))
    if wrong.any():
        at = int(np.argmax(wrong))
        return [
            f"frame_duration must be positive and finite in every frame [s]; it is "
            f"{durations[at]:g} in frame {at}"
        ]
    return []


def _overlap_faults(recording: xr.Dataset) -> list[str]:
    if _time_faults(recording) or _session_index_faults(recording):
        return []
    faults = []
    durations = recording["frame_duration"].values
    n_sessions = recording.sizes["session"]
    edges = np.searchsorted(recording["session_index"].values, np.arange(n_sessions + 1))
    for i in range(n_sessions):
        steps = np.diff(recording["time"].values[edges[i] : edges[i + 1]])
        lasting = durations[edges[i] : edges[i + 1]]
        if steps.size and np.median(steps) < 0.5 * np.median(lasting):
            faults.append(
                f"frames of session {str(recording['session'].values[i])!r} overlap: they follow "
                f"at {np.median(steps):g} s, but frame_duration is {np.median(lasting):g} s; give "
                "both in s"
            )
    return faults


def _detected_faults(recording: xr.Dataset) -> list[str]:
    never = ~recording["detected"].values.any(axis=0)
    if never.any():
        return [
            f"{_some(recording['unit'].values[never])} detected in no session: drop the unit or "
            "set detected where it was recorded"
        ]
    return []


def _position_faults(recording: xr.Dataset) -> list[str]:
    axes = [axis for axis in ("x", "y") if axis in recording]
    faults = ["'y' without 'x': name the first axis x"] if axes == ["y"] else []
    for axis in axes:
        values = recording[axis].values
        if values.size and np.isnan(values).all():
            faults.append(f"{axis} is NaN in every frame: drop it, or give the tracked position")
        if np.isinf(values).any():
            faults.append(f"{axis} is infinite in {int(np.isinf(values).sum())} frames: use NaN")
    return faults


def _speed_faults(recording: xr.Dataset) -> list[str]:
    if "speed" not in recording or "x" not in recording:
        return []
    axes = [axis for axis in ("x", "y") if axis in recording]
    tracked = np.all([np.isfinite(recording[axis].values) for axis in axes], axis=0)
    speed = recording["speed"].values
    bad = tracked & ~((speed >= 0) & np.isfinite(speed))
    if bad.any():
        return [
            f"speed is NaN, infinite or negative in {int(bad.sum())} frames that have a position "
            f"(first at {recording['time'].values[bad][0]:g} s): give a speed for every tracked "
            "frame or set x to NaN there"
        ]
    return []


def _direction_faults(recording: xr.Dataset) -> list[str]:
    if "direction" in recording:
        found = np.unique(recording["direction"].values)
        if not np.isin(found, (-1, 0, 1)).all():
            return [f"direction must be -1, 0 or +1, found {found.tolist()[:6]}"]
    return []


def _score_faults(recording: xr.Dataset) -> list[str]:
    if "registration_score" in recording:
        score = recording["registration_score"].values
        wrong = ~np.isnan(score) & ~((score >= 0) & (score <= 1))
        if wrong.any():
            return [
                f"registration_score is outside 0..1 {int(wrong.sum())} times, first "
                f"{score[wrong][0]:g}; NaN stands for none"
            ]
    return []


def _accuracy_faults(recording: xr.Dataset) -> list[str]:
    if "accuracy" in recording.coords:
        accuracy = recording["accuracy"].values
        wrong = ~np.isnan(accuracy) & ~((accuracy >= 0) & (accuracy <= 1))
        if wrong.any():
            session = recording["session"].values[np.argmax(wrong)]
            return [
                f"accuracy is {accuracy[wrong][0]:g} in session {str(session)!r}, expected the "
                "share of correct trials, from 0 to 1; NaN stands for not known"
            ]
    return []


def _experience_faults(recording: xr.Dataset) -> list[str]:
    if "experience" in recording.coords and (recording["experience"].values < 0).any():
        least = float(np.nanmin(recording["experience"].values))
        return [f"experience is {least:g}, expected the minutes before each session, 0 or more"]
    return []


def _some(labels: np.ndarray, most: int = 5) -> str:
    shown = ", ".join(repr(str(item)) for item in labels[:most])
    return shown + (f" and {labels.size - most} more" if labels.size > most else "")


_CHECKS: tuple[tuple[tuple[str, ...], Callable[[xr.Dataset], list[str]]], ...] = (
    (("unit",), partial(_label_faults, name="unit")),
    (("session",), partial(_label_faults, name="session")),
    (("time",), _time_faults),
    (("session_index", "session"), _session_index_faults),
    (("frame_duration",), _duration_faults),
    (("frame_duration", "session", "session_index", "time"), _overlap_faults),
    (("detected", "unit"), _detected_faults),
    (("x", "y"), _position_faults),
    (("x", "y", "speed", "time"), _speed_faults),
    (("direction",), _direction_faults),
    (("registration_score",), _score_faults),
    (("accuracy", "session"), _accuracy_faults),
    (("experience",), _experience_faults),
)
"""What is asked of values, each with the variables that must be in order to ask it."""
