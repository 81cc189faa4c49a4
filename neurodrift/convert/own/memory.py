"""Own sessions in memory, each activity and position on its own clock, as one recording."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.convert.own.arrays import mapped_sessions
from neurodrift.convert.own.sessions import nwb_session, write_sessions
from neurodrift.gate import plain
from neurodrift.gate.findings import EVERYTHING
from neurodrift.gate.inputs import Activity, Position, clock
from neurodrift.geometry.geometry import Geometry, as_geometry
from neurodrift.io.nwb.session import NwbSession
from neurodrift.schema.objects import expect_type
from neurodrift.schema.options import Range, check_option

_CLOCKS = ("activity_time", "activity_frame_rate", "position_time", "position_frame_rate")
_KEYS: tuple[str, ...] = (
    "session",
    "activity",
    "position",
    *_CLOCKS,
    "registered_cell_id",
    "region",
)
_KEYS += ("recorded", "trials", "day", "experience", "accuracy")
_TOLD = {"day": Range(), "experience": Range(0, unit="min"), "accuracy": Range(0, 1)}


def recording_from_sessions(
    sessions: Sequence[Mapping[str, object]] | str | os.PathLike[str],
    *,
    kind: str = "events",
    subject: str = "unknown",
    environment: str = "unknown",
    geometry: Geometry | Mapping[str, object] | str | None = None,
    accept: Collection[str] = (),
) -> xr.Dataset:
    """Build a recording from sessions whose activity and position have clocks of their own.

    The arrays pass the same checks as those of ``neurodrift convert arrays``, and come out as if
    they had been written as NWB files and imported.

    Parameters
    ----------
    sessions
        One mapping for each session, or the YAML mapping of ``neurodrift inspect``. Keys:

        ``activity``
            (frame, unit) sampled activity, or for each unit the times of its events [s].
        ``activity_time`` or ``activity_frame_rate``
            (frame) when each frame starts [s], or frames per second [Hz]; not for times of events.
        ``recorded``
            (2) start and stop of when times of events could be recorded [s].
        ``position``
            (frame) or (frame, 2) position [cm], NaN where it was not tracked.
        ``position_time`` or ``position_frame_rate``
            Its clock.
        ``session``, ``day`` [d], ``experience`` [min], ``accuracy``
            What is known of the session; its label is its number when omitted.
        ``registered_cell_id``
            (unit) identity across sessions, -1 for none.
        ``region``
            (unit) brain region.
        ``trials``
            Table with ``start_time`` and ``stop_time`` [s].
    kind
        What one number of the activity is: ``spikes``, ``events``, ``amplitudes`` or
        ``deconvolved``.
    subject, environment
        Labels of the animal and of where it was.
    geometry
        Shape of the environment, as for :func:`neurodrift.recording_from_arrays`; positions in a
        maze are linearised with it.
    accept
        Names of checks whose refusals are taken as true; errors name them.

    Returns
    -------
    xarray.Dataset
        A recording.

    Raises
    ------
    ValueError
        If a key is unknown or missing, or the arrays do not fit; all faults of a session are
        named.

    Examples
    --------
    >>> import numpy as np
    >>> import neurodrift as nd
    >>> time = np.arange(0, 60, 0.05)
    >>> x = 50 + 40 * np.sin(time / 3)
    >>> one = {"position": x, "position_time": time, "registered_cell_id": [7, 9]}
    >>> events = [np.array([1.0, 2.5]), np.array([55.0])]
    >>> recording = nd.recording_from_sessions([one | {"activity": events, "day": 0.0}])
    >>> recording["activity"].sum("time").values.tolist()
    [2, 1]
    """
    if isinstance(sessions, str | os.PathLike):
        return import_sessions(mapped_sessions(sessions))
    if isinstance(sessions, Mapping):
        raise TypeError("sessions is one mapping, expected a list with one for each session")
    if not sessions:
        raise ValueError("there are no sessions: pass one mapping of arrays for each")
    made = []
    for number, arrays in enumerate(sessions, start=1):
        expect_type(f"session {number}", arrays, Mapping, "a mapping of arrays")
        where = f"session {arrays.get('session', number)}"
        unknown = [str(key) for key in arrays if key not in _KEYS]
        if unknown:
            axes = ""
            if "axes" in unknown:
                axes = (
                    ". axes is a key of mappings: here activity is (frame, unit), so transpose it"
                )
            raise ValueError(
                f"{where} has {', '.join(unknown)}, expected some of {_listed(_KEYS)}{axes}"
            )
        if "activity" not in arrays:
            raise ValueError(f"{where} has no activity, only {_listed(arrays)}")
        told: dict[str, Any] = {
            name: arrays[name] for name in ("day", "experience", "accuracy") if name in arrays
        }
        for name, value in told.items():
            check_option(name, value, _TOLD[name])
        ids = arrays.get("registered_cell_id")
        made.append(
            nwb_session(
                _activity(arrays, kind, where),
                _position(arrays, where, as_geometry(geometry)),
                subject=subject,
                environment=environment,
                session=str(arrays.get("session", number)),
                registered_cell_id=None if ids is None else _identities(ids, where),
                trials=_columns(arrays.get("trials")),
                accept=accept,
                **told,
            )
        )
    return import_sessions(made)


def import_sessions(sessions: Sequence[NwbSession]) -> xr.Dataset:
    """The recording of sessions that are not in files yet.

    It goes through NWB files in a temporary folder, so that it is what importing the written files
    gives.

    Parameters
    ----------
    sessions
        Sessions of one subject in one environment.

    Returns
    -------
    xarray.Dataset
        The recording.
    """
    from neurodrift.io.nwb.read import import_nwb

    with tempfile.TemporaryDirectory() as folder:
        named = {f"{i:04d}": session for i, session in enumerate(sessions)}
        recording = import_nwb(write_sessions(named, folder), accept=[EVERYTHING])
    for name in ("nwb_files", "nwb_sessions"):
        del recording.attrs[name]
    return recording


def _identities(given: Any, where: str) -> np.ndarray:
    """Whole numbers, -1 for none."""
    found = plain.numbers(f"registered_cell_id of {where}", given)
    if not (found == np.round(found)).all():
        raise ValueError(
            f"registered_cell_id of {where} holds {found[found != np.round(found)][0]}, expected "
            "whole numbers, -1 for none"
        )
    return found.astype(np.int64)


def _activity(arrays: Mapping[str, Any], kind: str, where: str) -> Activity:
    given, regions = arrays["activity"], arrays.get("region")
    source = f"activity of {where}"
    sampled = {name: arrays.get(f"activity_{name}") for name in ("time", "frame_rate")}
    if all(value is None for value in sampled.values()):
        if getattr(given, "ndim", 1) == 2:
            raise ValueError(f"{source} has no clock: give activity_time or activity_frame_rate")
        if any(np.ndim(item) != 1 for item in given):
            raise ValueError(
                f"{source} must be a list with the times of each unit [s], or sampled activity "
                "with activity_time or activity_frame_rate"
            )
        times = [np.asarray(plain.numbers(source, item), dtype=np.float64) for item in given]
        told = arrays.get("recorded")
        recorded = None if told is None else np.asarray(told, dtype=np.float64).reshape(-1, 2)
        if recorded is not None and not (recorded[:, 0] < recorded[:, 1]).all():
            raise ValueError(f"recorded of {where} is {told}, expected start and stop [s]")
        return Activity(kind=kind, source=source, times=times, regions=regions, recorded=recorded)
    if arrays.get("recorded") is not None:
        raise ValueError(f"{where} has recorded, which is for times: samples have a clock")
    samples = plain.numbers(source, plain.by_name(source, given, ("time", "unit")))
    if isinstance(samples, np.ma.MaskedArray):
        samples = np.asarray(np.ma.filled(samples.astype(np.float64), np.nan))
    time = clock(len(samples), source, time=sampled["time"], rate=sampled["frame_rate"])
    return Activity(kind=kind, source=source, samples=samples, time=time, regions=regions)


def _position(arrays: Mapping[str, Any], where: str, geometry: Geometry | None) -> Position | None:
    if arrays.get("position") is None:
        return None
    source = f"position of {where}"
    xy = plain.by_name(source, arrays["position"], ("time",))
    xy = np.asarray(np.ma.filled(plain.numbers(source, xy).astype(np.float64), np.nan))
    time, rate = arrays.get("position_time"), arrays.get("position_frame_rate")
    own = clock(len(xy), source, time=time, rate=rate)
    return Position(time=own, xy=xy, source=source, geometry=geometry)


def _columns(table: Any) -> Any:
    """A table as columns with a description each."""
    if table is None:
        return None
    return {str(name): (str(name), np.asarray(table[name])) for name in table}


def _listed(names: Any) -> str:
    return ", ".join(map(str, names))
