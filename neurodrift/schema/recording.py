"""The recording: its variables, the kinds of activity, and the check of a Dataset against them."""

from __future__ import annotations

from dataclasses import replace

import xarray as xr

from neurodrift.geometry.geometry import geometry_faults, geometry_of
from neurodrift.schema.kinds import ACTIVITY_KINDS, COUNT_KINDS
from neurodrift.schema.values import value_faults
from neurodrift.schema.var import Var, faults_by_name, table

FORMAT_VERSION = 2
"""Version of the stored layout; raised whenever a reader of the old layout would misread."""

RECORDING = table(
    Var("activity", ("time", "unit"), "number", "", "activity of a unit in one frame", True),
    Var("detected", ("session", "unit"), "bool", "1", "unit was recorded in the session", True),
    Var("registration_score", ("session", "unit"), "float", "1", "how sure the identity is"),
    Var("session_index", ("time",), "int", "1", "position of the frame's session", True),
    Var("x", ("time",), "float", "cm", "position, first axis, or what is mapped; NaN = none"),
    Var("y", ("time",), "float", "cm", "position, second axis; NaN = not tracked"),
    Var("speed", ("time",), "float", "cm/s", "running speed"),
    Var("direction", ("time",), "int", "1", "running direction -1, 0 (undefined) or +1"),
    Var("trial", ("time",), "int", "1", "number of the trial, -1 = none"),
    Var("trial_type", ("time",), "int", "1", "kind of the trial, -1 = none"),
    Var("lap", ("time",), "int", "1", "number of the lap, -1 = none"),
    Var("map_label", ("time",), "int", "1", "map the population is in, 0 = unknown"),
    Var("time", ("time",), "float", "s", "start of the frame", True, True),
    Var("frame_duration", ("time",), "float", "s", "length of the frame", True, True),
    Var("session", ("session",), "string", "1", "label of the session", True, True),
    Var(
        "unit", ("unit",), "label", "1", "label of the unit, the same in every session", True, True
    ),
    Var("clock_start", ("session",), "float", "s", "time when its own clock is 0", False, True),
    Var("day", ("session",), "float", "d", "days since the first session", False, True),
    Var("experience", ("session",), "float", "min", "time in this environment before", False, True),
    Var("training_step", ("session",), "int", "1", "training step of the snapshot", False, True),
    Var("loss", ("session",), "float", "1", "training loss or other error", False, True),
    Var("accuracy", ("session",), "float", "1", "share of correct trials", False, True),
    Var("region", ("unit",), "string", "1", "brain region or layer", False, True),
    Var("registered", ("unit",), "bool", "1", "can be found in other sessions", False, True),
    Var("subject", (), "string", "1", "animal or simulated run", True, True),
    Var("environment", (), "string", "1", "environment or task", True, True),
)
"""The recording: one subject in one environment, or one simulated run."""

DETECTION = ("together", "each_session")
"""How it was decided which units a session has (attribute ``detection``): from all sessions
together, so that a unit that is not detected was not seen; or in each session by itself, by its
activity, so that it was silent. Not known without the attribute."""

UNIT_COORDS = ("region", "registered")
"""Coordinates of ``unit`` that every result carries on."""

SESSION_COORDS = ("day", "experience", "training_step", "loss", "accuracy")
"""Coordinates of ``session`` that every result carries on."""


def recording_table(recording: xr.Dataset) -> dict[str, Var]:
    """The variables of one recording: `x` is in the unit of its geometry.

    Parameters
    ----------
    recording
        A recording, or one in the making.

    Returns
    -------
    dict of str to Var
        :data:`RECORDING`, with another unit for `x` where the geometry has one.
    """
    try:
        geometry = geometry_of(recording)
    except (ValueError, TypeError):  # a fault that the check names
        return RECORDING
    if geometry.unit == "cm":
        return RECORDING
    doc = f"{geometry.variable}; NaN = none"
    return RECORDING | {"x": replace(RECORDING["x"], units=geometry.unit, doc=doc)}


def check(recording: xr.Dataset) -> None:
    """Refuse a Dataset that is not a recording, naming every fault at once.

    Reads labels and per-frame variables; never the activity, which may be larger than memory.

    Parameters
    ----------
    recording
        Dataset over (session, time, unit) as :data:`RECORDING` describes it.

    Raises
    ------
    TypeError
        If it is no :class:`xarray.Dataset`.
    ValueError
        If names, dimensions, dtypes, units or values break the contract.

    Examples
    --------
    >>> from neurodrift import testing, schema
    >>> schema.check(testing.linear_track(n_units=3, n_sessions=1, minutes=1))
    >>> schema.check(testing.linear_track(n_units=3, minutes=1).drop_vars("detected"))
    Traceback (most recent call last):
    ...
    ValueError: not a recording:
    - 'detected' is missing: expected dims (session, unit), unit was recorded in the session
    """
    if not isinstance(recording, xr.Dataset):
        raise TypeError(
            f"expected a recording (xarray.Dataset), got {type(recording).__name__}; "
            "build one with neurodrift.recording_from_arrays or neurodrift.open_recording"
        )
    by_name = faults_by_name(recording, recording_table(recording))
    faults = [fault for found in by_name.values() for fault in found]
    if "activity" not in by_name:
        faults += _kind_faults(recording)
    faults += value_faults(recording, set(by_name))
    faults += [] if {"x", "y"} & set(by_name) else geometry_faults(recording)
    if faults:
        raise ValueError("not a recording:\n" + "\n".join(f"- {fault}" for fault in faults))


def _kind_faults(recording: xr.Dataset) -> list[str]:
    kind = recording["activity"].attrs.get("kind")
    told = recording.attrs.get("detection", DETECTION[0])
    if told not in DETECTION:
        return [f"attrs['detection'] is {told!r}, expected {' or '.join(DETECTION)}"]
    if kind not in ACTIVITY_KINDS:
        return [f"activity.attrs['kind'] is {kind!r}, expected one of {', '.join(ACTIVITY_KINDS)}"]
    if kind in COUNT_KINDS and recording["activity"].dtype.kind != "u":
        return [
            f"activity of kind {kind!r} has dtype {recording['activity'].dtype}, expected unsigned "
            "integer counts: pass counts, or kind='deconvolved' for real numbers"
        ]
    return []
