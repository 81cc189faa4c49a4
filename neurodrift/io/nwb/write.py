"""One recorded session as an NWB file that is whole or not there."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from neurodrift._version import __version__
from neurodrift.gate.blocks import blocks
from neurodrift.gate.durations import GAP, frame_durations
from neurodrift.gate.inputs import Columns
from neurodrift.io.nwb.find import FRAME_DURATION
from neurodrift.io.nwb.patient import write_nwb
from neurodrift.io.nwb.session import NwbSession, Series, session_faults
from neurodrift.io.output import whole
from neurodrift.io.probe import refuse_damaged

EVENTS = "calcium_events"
POSITION = "position"
_RESPONSES = "Fluorescence"
_UNITS = {"deg": "degrees", "rad": "radians", "s": "seconds", "1": "n.a."}
_LARGE = 2**26  # bytes of samples that are written part by part
_CHUNK = (1024, 256)  # of those: samples, units
NAMESPACE = uuid.UUID("7d1f4f4e-8a39-5f0e-9a60-1c8e5a0d2b7c")  # of the files' identifiers


def write_session(
    session: NwbSession,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    verify: Callable[[Path], None] | None = None,
) -> Path:
    """Write one session as an NWB file.

    Nothing stands under `path` until the file is whole, and what stood there before stays until
    then. Positions are stored in cm with a conversion to metres. Calcium events become an
    ``EventsTable`` whose rows point into a table of cells, never spike times.

    Parameters
    ----------
    session
        The session.
    path
        The new file, ending in ``.nwb``.
    overwrite
        Whether an existing file is replaced.
    verify
        Called with the finished file under its temporary name; what it raises discards the file.

    Returns
    -------
    pathlib.Path
        `path`.

    Raises
    ------
    FileExistsError
        If `path` exists and `overwrite` is False, is no NWB file of neurodrift, or is being written
        by another command.
    ValueError
        If parts of the session contradict each other; all faults are named.

    Examples
    --------
    >>> import tempfile
    >>> from datetime import UTC, datetime
    >>> import numpy as np
    >>> from neurodrift.io.nwb.read import read_session
    >>> from neurodrift.io.nwb.session import NwbSession
    >>> from neurodrift.io.nwb.write import write_session
    >>> session = NwbSession(
    ...     subject="mouse",
    ...     environment="track",
    ...     session="1",
    ...     start=datetime(2026, 1, 1, tzinfo=UTC),
    ...     registered_cell_id=np.array([7]),
    ...     events=[np.array([0.5, 2.0])],
    ...     time=np.arange(100) / 20,
    ...     position=np.linspace(0, 90, 100),
    ... )
    >>> path = write_session(session, tempfile.mkdtemp() + "/mouse.nwb")
    >>> int(read_session(path)["activity"].sel(unit=7).sum())
    2
    """
    path = Path(path)
    if path.suffix != ".nwb":
        raise ValueError(f"{path} does not end in .nwb")
    faults = session_faults(session)
    if faults:
        raise ValueError(f"{path.name} was not written:\n" + "\n".join(f"- {f}" for f in faults))
    with whole(
        path, overwrite=overwrite, suffix=".nwb", what="NWB file", is_ours=is_ours
    ) as unfinished:
        write_nwb(_build(session), unfinished, partial(_fill, session))
        if verify is not None:
            verify(unfinished)
    return path


def is_ours(path: Path) -> bool:
    """Whether a file is an NWB file that neurodrift wrote.

    Parameters
    ----------
    path
        A file.

    Returns
    -------
    bool
        False also for what cannot be read.
    """
    import h5py

    try:
        refuse_damaged(path)
        with h5py.File(path, "r") as file:
            script = file["general/source_script"][()]
    except (OSError, KeyError, ValueError, RuntimeError, TypeError):
        return False
    text = script.decode(errors="replace") if isinstance(script, bytes) else str(script)
    return text.startswith("neurodrift")


def _build(session: NwbSession) -> Any:
    from pynwb import NWBFile
    from pynwb.file import Subject

    label = (session.subject, session.environment, session.session)
    fields = {
        "session_description": f"{session.subject} in environment {session.environment}, "
        f"session {session.session}",
        "identifier": str(uuid.uuid5(NAMESPACE, "/".join((*label, session.start.isoformat())))),
        "session_id": f"{session.environment}-{session.session}".replace("/", "-"),
        "source_script": f"neurodrift {__version__}",
        "source_script_file_name": "neurodrift",
    }
    # An age is obligatory in NWB; "P0D/" is the range without upper bound, that is, not known.
    about = {"species": "Mus musculus", "sex": "U", "age": "P0D/"}
    about |= {"description": "sex and age not stated by the source"}
    nwbfile = NWBFile(
        session_start_time=session.start,
        subject=Subject(subject_id=session.subject, **(about | dict(session.subject_fields))),
        **(fields | dict(session.file_fields)),
    )
    _add_behavior(nwbfile, session)
    _add_activity(nwbfile, session)
    if session.trials is not None:
        _fill_intervals(nwbfile, "trial", session.trials)
    for name, (description, columns) in session.tables.items():
        nwbfile.add_analysis(dynamic_table(name, description, columns))
    _fill_intervals(nwbfile, "epoch", session.epochs or _epoch(session))
    for start, stop in () if session.invalid is None else session.invalid.tolist():
        nwbfile.add_invalid_time_interval(start_time=start, stop_time=stop)
    return nwbfile


def _epoch(session: NwbSession) -> Columns:
    """What the reader needs and NWB has no field for, as columns of the one epoch."""
    start, stop = 0.0, 0.0
    if session.time is not None and len(session.time) > 1:
        start = float(session.time[0])
        stop = float(session.time[-1] + np.median(np.diff(session.time)))
    columns: dict[str, tuple[str, Any]] = {
        "start_time": ("", [start]),
        "stop_time": ("", [stop]),
        "environment": ("environment that the subject was in", [session.environment]),
        "session": ("label of the session", [session.session]),
        "speed_is_projected": (
            "whether the velocity is the component along one axis only",
            [bool(session.speed_is_projected)],
        ),
    }
    if session.geometry is not None:
        about = "shape of the environment, or of another variable that stands for the position"
        columns["geometry"] = (about, [session.geometry.to_pairs()])
    if session.only_running:
        columns["only_running"] = ("whether only frames of running were kept", [True])
    if session.day is not None:
        columns["day"] = ("days since the subject's first session", [float(session.day)])
    if session.experience is not None:
        columns["experience"] = (
            "minutes in this environment before the session",
            [float(session.experience)],
        )
    if session.detection is not None:
        about = "how it was decided which units the session has"
        columns["detection"] = (about, [session.detection])
    if session.accuracy is not None:
        columns["accuracy"] = ("share of correct trials, 0 to 1", [float(session.accuracy)])
    return columns


def _add_behavior(nwbfile: Any, session: NwbSession) -> None:
    from pynwb import TimeSeries
    from pynwb.behavior import Position, SpatialSeries

    module = nwbfile.create_processing_module(
        name="behavior", description="tracked position and what is derived from it"
    )
    clocks = _Clocks()
    container = Position(name="Position")
    if session.position is not None and session.time is not None:
        about = "position of the subject, stored in cm; NaN = not tracked"
        unit, conversion = "meters", 0.01
        shape = session.geometry
        if shape is not None and not shape.is_place:
            about = f"{shape.variable}, which is mapped; NaN = none"
            unit, conversion = _UNITS[shape.unit], 1.0
        position = SpatialSeries(
            name=POSITION,
            description=about,
            data=_packed(session.position),
            unit=unit,
            conversion=conversion,
            reference_frame="one end of the track, or a corner of the arena, is 0",
            **clocks.of(session.time),
        )
        clocks.remember(session.time, position)
        container.add_spatial_series(position)
    speeds = {
        "velocity": (
            "signed velocity along the track, smoothed, stored in cm/s; its size is the "
            "running speed and its sign the running direction",
            session.velocity,
        ),
        "speed": ("running speed, stored in cm/s", session.speed),
    }
    projected = "component along one axis only: below the speed along the track"
    for name, (description, values) in speeds.items():
        if values is not None and session.time is not None:
            series = TimeSeries(
                name=name,
                description=description,
                comments=projected if session.speed_is_projected else "no comments",
                data=_packed(values),
                unit="m/s",
                conversion=0.01,
                **clocks.of(session.time),
            )
            clocks.remember(session.time, series)
            module.add(series)
    if session.frame_duration is not None and session.time is not None:
        frames = TimeSeries(
            name=FRAME_DURATION,
            description="length of the frame that activity was counted or sampled in",
            data=_packed(session.frame_duration),
            unit="s",
            **clocks.of(session.time),
        )
        module.add(frames)
        clocks.remember(session.time, frames)
    for item in session.series:
        fields = {**_series_fields(item), **clocks.of(item.time)}
        if item.is_position:
            series = SpatialSeries(reference_frame="as the description says", **fields)
            container.add_spatial_series(series)
        else:
            series = TimeSeries(**fields)
            module.add(series)
        clocks.remember(item.time, series)
    if container.spatial_series:
        module.add(container)


def _add_activity(nwbfile: Any, session: NwbSession) -> None:
    from hdmf.common import DynamicTableRegion

    if session.spikes is not None:
        _add_spikes(nwbfile, session)
    if session.events is None and session.responses is None:
        return
    module = nwbfile.create_processing_module(
        name="ophys", description="cells found in the calcium imaging, and their activity"
    )
    cells = dynamic_table("cells", "the cells of this session", _unit_columns(session))
    module.add(cells)
    if session.events is not None:
        nwbfile.add_events_table(_events_table(session, cells))
    if session.responses is not None:
        from pynwb.ophys import Fluorescence, RoiResponseSeries

        every = DynamicTableRegion(
            name="rois",
            description="all cells",
            data=np.arange(len(session.registered_cell_id)),
            table=cells,
        )
        series = RoiResponseSeries(
            rois=every,
            **_series_fields(session.responses, filled_later=_is_large(session.responses)),
            **_Clocks().of(session.responses.time),
        )
        fluorescence = Fluorescence(name=_RESPONSES)
        module.add(fluorescence)
        fluorescence.add_roi_response_series(series)  # last: its table must be in the file by now


def _events_table(session: NwbSession, cells: Any) -> Any:
    from hdmf.common import DynamicTableRegion, VectorData
    from pynwb.event import EventsTable, TimestampVectorData

    events = [np.asarray(times, dtype=np.float64) for times in session.events or []]
    column = np.repeat(np.arange(len(events)), [times.size for times in events])
    times = np.concatenate([*events, np.empty(0)])
    order = np.lexsort((column, times))
    resolution = {}
    if session.time is not None and len(session.time) > 1:
        resolution = {"resolution": float(np.median(np.diff(session.time)))}
    columns = [
        TimestampVectorData(
            name="timestamp",
            description="time of the event",
            data=_packed(times[order]),
            **resolution,
        ),
        DynamicTableRegion(
            name="cell",
            description="the cell that had the event",
            data=_packed(column[order]),
            table=cells,
        ),
    ]
    if session.amplitudes is not None:
        amplitudes = np.concatenate([*session.amplitudes, np.empty(0)])
        columns.append(
            VectorData(
                name="amplitude",
                description="size of the event, arbitrary units",
                data=_packed(amplitudes[order]),
            )
        )
    return EventsTable(
        name=EVENTS,
        description="calcium events of all cells, one row each, sorted by time",
        columns=columns,
        id=np.arange(times.size),
    )


def _add_spikes(nwbfile: Any, session: NwbSession) -> None:
    columns = _unit_columns(session)
    for name, (description, _) in columns.items():
        nwbfile.add_unit_column(name=name, description=description)
    everywhere = None if session.time is None else _runs(session.time, session.frame_duration)
    for i, times in enumerate(session.spikes or []):
        values = {name: column[i] for name, (_, column) in columns.items()}
        observed = everywhere if session.observed is None else session.observed[i]
        if observed is not None:
            values["obs_intervals"] = observed
        nwbfile.add_unit(spike_times=np.asarray(times, dtype=np.float64), **values)
    nwbfile.units.resolution = 1e-4


def _unit_columns(session: NwbSession) -> dict[str, tuple[str, Any]]:
    ids = np.asarray(session.registered_cell_id, dtype=np.int64)
    return {
        "registered_cell_id": ("identity across sessions; -1 = not matched", ids),
        "location": ("brain region", [session.region] * ids.size),
        **session.unit_columns,
    }


def _runs(time: np.ndarray, lasting: np.ndarray | None) -> np.ndarray:
    """(run, 2) start and stop of each stretch of frames without a gap."""
    lasting = frame_durations(time) if lasting is None else lasting
    after = np.flatnonzero(np.diff(time) > GAP * lasting[:-1]) + 1
    first = np.concatenate([[0], after])
    last = np.concatenate([after, [time.size]]) - 1
    return np.column_stack([time[first], time[last] + lasting[last]])


def dynamic_table(name: str, description: str, columns: Columns) -> Any:
    """A table of plain columns.

    Parameters
    ----------
    name, description
        Of the table.
    columns
        Column -> (description, values); long arrays are compressed.

    Returns
    -------
    hdmf.common.DynamicTable
        The table.
    """
    from hdmf.common import DynamicTable, VectorData

    data = [
        VectorData(name=column, description=about, data=_packed(values))
        for column, (about, values) in columns.items()
    ]
    n_rows = max((len(values) for _, values in columns.values()), default=0)
    return DynamicTable(name=name, description=description, columns=data, id=np.arange(n_rows))


def _fill_intervals(nwbfile: Any, what: str, columns: Columns) -> None:
    for name, (description, _) in columns.items():
        if name not in ("start_time", "stop_time"):
            getattr(nwbfile, f"add_{what}_column")(name=name, description=description)
    for row in zip(*(values for _, values in columns.values()), strict=True):
        values = [item.item() if isinstance(item, np.generic) else item for item in row]
        getattr(nwbfile, f"add_{what}")(**dict(zip(columns, values, strict=True)))


def _fill(session: NwbSession, nwbfile: Any) -> None:
    """Write large samples part by part."""
    if session.responses is not None and _is_large(session.responses):
        responses = nwbfile.processing["ophys"][_RESPONSES][session.responses.name]
        for frames, units, part in blocks(session.responses.data, _CHUNK):
            responses.data.dataset[frames, units] = part


def _is_large(series: Series) -> bool:
    """Whether its samples are written part by part, as they may be on disk."""
    return isinstance(series.data, np.ndarray) and series.data.nbytes > _LARGE


def _series_fields(series: Series, *, filled_later: bool = False) -> dict[str, Any]:
    return {
        "name": series.name,
        "description": series.description,
        "comments": series.comments,
        "data": _room_for(series.data) if filled_later else _packed(series.data),
        "unit": series.unit,
        "conversion": series.conversion,
    }


def _room_for(values: np.ndarray) -> Any:
    """An empty dataset as large as some values."""
    from hdmf.backends.hdf5 import H5DataIO

    chunk = tuple(min(n, most) for n, most in zip(values.shape, _CHUNK, strict=False))
    return H5DataIO(
        shape=values.shape,
        dtype=values.dtype,
        chunks=chunk,
        compression="gzip",
        compression_opts=4,
        shuffle=True,
    )


def _packed(values: Any) -> Any:
    from hdmf.backends.hdf5 import H5DataIO

    if not isinstance(values, np.ndarray) or values.size < 128:
        return values
    return H5DataIO(values, compression="gzip", compression_opts=4, shuffle=True)


class _Clocks:
    """Time axes already in the file: a clock is stored once, and as a rate if that is exact."""

    def __init__(self) -> None:
        self.known: list[tuple[np.ndarray, Any]] = []

    def of(self, time: np.ndarray) -> dict[str, Any]:
        time = np.asarray(time, dtype=np.float64)
        if time.size > 1:
            rate = float(np.round((time.size - 1) / (time[-1] - time[0]), 9))
            if np.array_equal(np.arange(time.size) / rate + time[0], time):
                return {"starting_time": float(time[0]), "rate": rate}
        for other, series in self.known:
            if np.array_equal(other, time):
                return {"timestamps": series}
        return {"timestamps": _packed(time)}

    def remember(self, time: np.ndarray, series: Any) -> None:
        self.known.append((np.asarray(time, dtype=np.float64), series))
