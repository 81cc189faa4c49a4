"""Recordings from NWB files."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import xarray as xr

from neurodrift.curation import Curation, as_curation, curate
from neurodrift.gate.placeholders import refuse_placeholders
from neurodrift.geometry.geometry import Geometry, as_geometry
from neurodrift.io.nwb.joined import from_stream, in_memory, joined
from neurodrift.io.nwb.parts import read_file, read_parts
from neurodrift.io.nwb.stream import Stream
from neurodrift.schema.options import checked_options


@checked_options
def import_nwb(
    files: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    series: str | Sequence[str] | None = None,
    position: str | Sequence[str] | None = None,
    position_unit: str | None = None,
    geometry: Geometry | Mapping[str, object] | str | None = None,
    speed: str | None = None,
    values: Literal["events", "amplitudes"] = "events",
    join_on: str = "registered_cell_id",
    environment: str | None = None,
    region: str | None = None,
    units: str | None = None,
    epoch: str | None = None,
    frame_rate: float | None = None,
    sessions_from: str = "file",
    detection: Literal["together", "each_session"] | None = None,
    lag: float | Mapping[str, float] = 0.0,
    accept: Collection[str] = (),
    curation: str | os.PathLike[str] | Mapping[str, object] | Curation | None = None,
) -> xr.Dataset:
    """Join the sessions of one subject and environment, each an NWB file, into a recording.

    Sessions are sorted by their start. Units with the same registered id are the same unit; a
    unit that a file lacks is marked as not detected there. Time runs on from the start of the
    first session.

    Parameters
    ----------
    files
        NWB files, one for each session.
    series, position, position_unit, geometry, speed, values, join_on, environment, region
        As for :func:`read_session`.
    units, epoch, frame_rate
        As for :func:`read_session`.
    sessions_from
        ``"file"``: a file is a session. ``"epochs"``, ``"trials"`` or the name of another table of
        intervals: each of its rows is one, and units of one file are the same in all of them.
        Frames in no row are left out.
    detection
        How it was decided which cells a session has, where the files do not tell it: from all
        sessions ``"together"``, or in ``"each_session"`` by itself and by their activity, as CNMF
        and suite2p do; then a cell that is not detected was silent.
    lag
        By how much activity comes after position on the clocks of the files [s], for all sessions
        or by the label of each, as :func:`neurodrift.check_lag` finds it: activity is taken so
        much earlier (later where it is negative). Frames for which no activity was recorded are
        left out. The lag stays in the recording (attributes ``lag``, by session, and
        ``findings``).
    accept
        Names of findings of the gate that are taken as true; errors name them.
    curation
        Units, sessions and epochs that are left out of what was imported, see
        :func:`neurodrift.curate`.

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
    >>> from neurodrift.io.nwb.read import import_nwb
    >>> from neurodrift.io.nwb.session import session_from_recording
    >>> from neurodrift.io.nwb.write import write_session
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
    options: dict[str, Any] = {
        "series": series,
        "position": position,
        "position_unit": position_unit,
        "geometry": _as_text(geometry),
        "speed": speed,
        "values": values,
        "join_on": join_on,
        "environment": environment,
        "region": region,
        "units": units,
        "epoch": epoch,
        "frame_rate": frame_rate,
        "sessions_from": sessions_from,
        "detection": detection,
    }
    given = None if curation is None else as_curation(curation)  # refused before anything is read
    parts = read_parts(files, lag=lag, accept=accept, **options)
    recording = in_memory(*joined(parts, accept, options))
    return recording if given is None else curate(recording, given)


@checked_options
def read_session(
    path: str | os.PathLike[str],
    *,
    series: str | Sequence[str] | None = None,
    position: str | Sequence[str] | None = None,
    position_unit: str | None = None,
    geometry: Geometry | Mapping[str, object] | str | None = None,
    speed: str | None = None,
    values: Literal["events", "amplitudes"] = "events",
    join_on: str = "registered_cell_id",
    environment: str | None = None,
    region: str | None = None,
    units: str | None = None,
    epoch: str | None = None,
    frame_rate: float | None = None,
    accept: Collection[str] = (),
    lazy: bool = False,
) -> xr.Dataset:
    """Read one NWB file as a recording of one session.

    An ROI response series has the frames that it was sampled in, each as long as the imaging took
    (:func:`neurodrift.gate.durations.frame_durations`), and the position is interpolated to them;
    a series that is called or looks like fluorescence is of kind ``fluorescence``. Spikes and
    events are counted in the frames of the position where its clock is even, those in gaps are
    left out; otherwise in a uniform grid laid over the session, to which the position is
    interpolated.

    Parameters
    ----------
    path
        The file; it is only read.
    series
        Name or path of the activity: units with spike times, an ``EventsTable`` whose rows point
        to cells, or an ROI response series. Needed only if the file holds several. Several ROI
        response series are planes that were imaged together: their cells are laid side by side, in
        the frames of the first.
    position
        Name or path of the ``SpatialSeries`` of the position, in a unit of length; several for
        its axes, or for its stretches one after the other. Needed only if the file holds several.
    position_unit
        Unit of length that stands for the one that the file gives, such as ``"cm"``.
    geometry
        Shape of the environment where the file does not tell it, see
        :func:`neurodrift.recording_from_arrays`. Of an angle or another variable, `position` names
        its series, whose numbers are taken as they are.
    speed
        Name or path of the running speed or velocity; when omitted, the one sampled with the
        position, and if there is none, speed is derived from the position.
    values
        Whether an ``EventsTable`` is counted or its amplitudes are added up.
    join_on
        Column of the table of units that identifies them across sessions; ``"id"`` takes the
        rows' ids.
    environment
        Label of the environment, if the file does not tell it. Of a file whose epochs tell several
        environments, the one to read: only frames in its epochs are used.
    region
        Brain region of the units to read; all of them when omitted.
    units
        Which units to read: a query over the columns of their table, such as
        ``"quality == 'good'"``, or ``"all"``. When omitted, those that the file's own curation
        keeps (``Accepted``, ``iscell``, ``quality``), with a warning that says how many.
    epoch
        Label, tag or table of the intervals whose frames to read, such as ``"maze"``; ``"all"``
        for the whole file. Needed only if epochs of several labels are in the file.
    frame_rate
        Frames a second of the uniform grid that spikes or events are counted in [Hz]. When
        omitted, the position's own frames, or its mean rate where its clock is uneven.
    accept
        Names of findings of the gate that are taken as true; errors name them.
    lazy
        Whether activity is read from the file when it is used; then it is a Dask array.

    Returns
    -------
    xarray.Dataset
        A recording with one session; time counts from its start. Units are labelled by their
        registered ids, and those without one ``"<session>:<row>"``. A unit whose ``obs_intervals``
        leave out more than 1 % of the frames counts as not detected, with a warning.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If it has no position or no activity, several of them and none is named, a position in
        pixels, or anything that makes no recording.
    """
    options: dict[str, Any] = {
        "series": series,
        "position": position,
        "position_unit": position_unit,
        "geometry": _as_text(geometry),
        "speed": speed,
        "values": values,
        "join_on": join_on,
        "environment": environment,
        "region": region,
        "units": units,
        "epoch": epoch,
        "frame_rate": frame_rate,
        "sessions_from": "file",
        "detection": None,
        "lag": 0.0,
        "accept": accept,
    }
    refuse_placeholders(**options)
    (part,) = read_file(Path(path), name=None, **options)
    stream = Stream([part.session], part.recording["activity"].dtype)
    return from_stream(part.recording, stream) if lazy else in_memory(part.recording, stream)


def _as_text(geometry: Geometry | Mapping[str, object] | str | None) -> str | None:
    """A geometry as a recording keeps it among its options."""
    shape = as_geometry(geometry)
    return None if shape is None else shape.to_json()
