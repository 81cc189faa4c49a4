"""Rats on two W-shaped tracks, Karlsson, Carr and Frank (CRCNS hc-6).

The layout follows public descriptions and readers of these files; the files themselves need an
account and could not be read when this was written, so every step is checked and an error says
what differs. One NWB file for each rat and day. A cell of a tetrode is the same cell in all epochs
of a day and unknown on any other, so units carry no identity across files: drift of this data set
is that of measures of the population, see
:func:`neurodrift.analysis.regression.tables.pool_sessions`.

Import one track at a time::

    neurodrift import bon*.nwb --environment TrackA --region CA1 --position position -o bon.zarr

takes the track as a square, as Ratzon et al. (2024) did; ``--position linear_position`` takes the
trajectories of the W one after the other, outbound and inbound apart.

References
----------
.. [1] Karlsson M, Carr M, Frank LM. Simultaneous extracellular recordings from hippocampal areas
   CA1 and CA3 (or MEC and CA1) from rats performing an alternation task in two W-shaped tracks that
   are geometrically identical but visually distinct. CRCNS.org (2015).
   https://doi.org/10.6080/K0NK3BZJ
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from neurodrift._version import __version__
from neurodrift.convert.files import all_or_none, sha256
from neurodrift.convert.published import _hc6_source as hc6
from neurodrift.convert.published._hc6_source import (
    linear_position,
    maze_of,
    paths_of,
    trajectories,
)
from neurodrift.gate.inputs import Columns
from neurodrift.io.nwb.session import NwbSession, Series
from neurodrift.io.nwb.write import write_session

START = datetime(2000, 1, 1, tzinfo=UTC)  # day 1; the source has no dates
TICK = 1e-4  # s, resolution of the clock: spikes closer than half of it are one
EXTENT = (30.0, 400.0)  # cm, of a run epoch: a W track is about a metre long
_TURN = 0.0265  # mm for 1/12 turn of a screw with 80 threads an inch


def convert(
    source_dir: str | os.PathLike[str],
    out_dir: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    scale: float = 1.0,
) -> list[Path]:
    """Convert the data set, or one animal of it, to one NWB file for each day.

    Every file is read back and compared with its source. If anything fails, nothing is written.

    Parameters
    ----------
    source_dir
        The data set unpacked, or the folder of one animal (``bonspikes03.mat``, ...). Needed for
        each day are spikes, pos and task; linpos, cellinfo and tetinfo are used where they are.
    out_dir
        Folder of the new files, named like ``bon03.nwb``.
    overwrite
        Whether existing files are replaced.
    scale
        Centimetres in a unit of the source's positions; they are in cm as published.

    Returns
    -------
    list of pathlib.Path
        The files, by animal and day.

    Raises
    ------
    FileExistsError
        If a file exists and `overwrite` is False.
    ValueError
        If a file is missing, broken or contradicts another, or the positions are not in cm.
    """
    out_dir = Path(out_dir)
    found = hc6.rats(Path(source_dir))
    names = [f"{rat.name}{day:02d}.nwb" for rat in found for day in rat.days]
    with all_or_none(out_dir, names, overwrite=overwrite) as unfinished:
        for rat in found:
            visits: dict[str, int] = {}
            for number in rat.days:
                day = hc6.read_day(rat, number)
                session = to_session(day, first_day=min(rat.days), visits=visits, scale=scale)
                path = unfinished / f"{rat.name}{number:02d}.nwb"
                write_session(session, path, verify=partial(_verify, day=day, scale=scale))
    return [out_dir / name for name in names]


def to_session(
    day: hc6.Day, *, first_day: int, visits: dict[str, int], scale: float = 1.0
) -> NwbSession:
    """Interpret one day.

    Parameters
    ----------
    day
        Its files.
    first_day
        Number of the animal's first day.
    visits
        Environment -> days on which it was visited before; updated. Used where the task does not
        tell the day of exposure.
    scale
        Centimetres in a unit of the source's positions.

    Returns
    -------
    NwbSession
        All epochs with a position; times count from the first sample of the day.
    """
    zero = day.epochs[0].time[0]
    time = np.concatenate([epoch.time for epoch in day.epochs]) - zero
    position = np.concatenate([epoch.position for epoch in day.epochs]) * scale
    _check_extent(day, scale)
    spikes = [_spike_times(unit, zero) for unit in day.units]
    dropped = sum(sum(map(np.size, u.spikes.values())) for u in day.units) - sum(
        map(np.size, spikes)
    )
    files: Columns = {
        "file": ("name in the data set", [path.name for path in day.files]),
        "sha256": ("its checksum", [sha256(path) for path in day.files]),
    }
    epochs = _epochs(day, zero, visits, scale)
    return NwbSession(
        subject=day.rat,
        environment="W tracks",
        session=str(day.number),
        start=START + timedelta(days=day.number - 1),
        registered_cell_id=np.full(len(day.units), -1),
        unit_columns=_unit_columns(day),
        spikes=spikes,
        observed=[_observed(unit, day, zero) for unit in day.units],
        time=time,
        position=position,
        speed=np.concatenate([epoch.speed for epoch in day.epochs]) * scale,
        series=[*_linear_series(day, time, scale), *_raw_series(day, zero)],
        epochs=epochs
        | {"day": ("days since the first", [float(day.number - first_day)] * len(day.epochs))},
        tables={"source_files": ("the files that this one was made from", files)},
        subject_fields={
            "species": "Rattus norvegicus",
            "strain": "Long-Evans",
            "description": "sex and age are not stated in the files",
        },
        file_fields={
            "session_id": f"day-{day.number:02d}",
            "session_description": f"{day.rat}, day {day.number}: runs on W tracks, and rest",
            "experiment_description": "alternation on two W-shaped tracks; tetrodes in CA1, CA3 or "
            "MEC (CRCNS hc-6)",
            "institution": "University of California, San Francisco",
            "lab": "Frank",
            "keywords": ["CA1", "place cells", "tetrodes", "W track"],
            "related_publications": ["https://doi.org/10.6080/K0NK3BZJ"],
            "notes": f"The date is a placeholder; time 0 is {zero:.4f} s of the source's clock. "
            f"Positions are taken as cm times {scale:g}; cmperpixel is not applied. Position is "
            f"NaN where it was (0, 0) or the velocity NaN. {dropped} spikes within half a tick of "
            "the one before were dropped. A unit has obs_intervals in the epochs in which its "
            "cluster was defined: elsewhere it was not recorded, and not silent. Units have no "
            "identity on other days.",
            "source_script": f"neurodrift {__version__}, convert hc-6",
            "source_script_file_name": "hc6.py",
        },
    )


def _check_extent(day: hc6.Day, scale: float) -> None:
    for epoch in day.epochs:
        if hc6.text(epoch.task.get("type")) != "run" or not np.isfinite(epoch.position).any():
            continue
        low, high = np.nanpercentile(epoch.position * scale, (0.5, 99.5), axis=0)
        extent = float((high - low).max())
        if not EXTENT[0] <= extent <= EXTENT[1]:
            raise ValueError(
                f"{day.rat} day {day.number}, epoch {epoch.number}: the run spans {extent:.0f} cm, "
                f"expected {EXTENT[0]:g} to {EXTENT[1]:g}: if its positions are not in cm, give "
                "scale, the centimetres in a unit (for pixels the field cmperpixel of pos)"
            )


def _spike_times(unit: hc6.Unit, zero: float) -> np.ndarray:
    times = np.sort(np.concatenate([*unit.spikes.values(), np.empty(0)])) - zero
    return times[np.diff(times, prepend=-np.inf) > TICK / 2]


def _observed(unit: hc6.Unit, day: hc6.Day, zero: float) -> np.ndarray:
    """Start and stop of the epochs in which the cluster was defined."""
    limits = {}
    for epoch in day.epochs:
        step = float(np.median(np.diff(epoch.time)))
        limits[epoch.number] = (float(epoch.time[0]), float(epoch.time[-1]) + step)
    known = [limits.get(e, unit.ranges.get(e)) for e in sorted(unit.spikes)]
    return np.array([item for item in known if item is not None]).reshape(-1, 2) - zero


def _unit_columns(day: hc6.Day) -> Columns:
    def numbers(name: str) -> np.ndarray:
        return np.array([hc6.number(unit.info.get(name)) for unit in day.units])

    areas = [hc6.text(unit.info.get("area")) or "unknown" for unit in day.units]
    return {
        "location": ("brain region", areas),
        "tetrode": ("number of the tetrode, from 1", [unit.tetrode for unit in day.units]),
        "cell": ("number of the cell on the tetrode, from 1", [unit.cell for unit in day.units]),
        "mean_rate": ("meanrate of cellinfo [Hz]; pyramidal cells below 7", numbers("meanrate")),
        "spike_width": ("spikewidth of the source", numbers("spikewidth")),
        "complex_spike_index": ("csi of cellinfo", numbers("csi")),
        "depth": ("depth of the tetrode [mm], from 1/12 turns", numbers("depth") * _TURN),
    }


def _epochs(
    day: hc6.Day, zero: float, visits: dict[str, int], scale: float
) -> dict[str, tuple[str, Any]]:
    rows: list[tuple[Any, ...]] = []
    new: set[str] = set()
    for epoch in day.epochs:
        kind = hc6.text(epoch.task.get("type")) or "unknown"
        # Rest has no track; an unnamed track is one of its own.
        environment = (
            (hc6.text(epoch.task.get("environment")) or "unnamed") if kind == "run" else ""
        )
        if environment and environment not in new:
            new.add(environment)
            visits[environment] = visits.get(environment, 0) + 1
        told = hc6.number(epoch.task.get("exposureday"))
        visit = int(told) if np.isfinite(told) else visits.get(environment, -1)
        step = float(np.median(np.diff(epoch.time)))
        paths = paths_of(epoch.task.get("linearcoord")) if environment else None
        maze = "" if paths is None else maze_of([path * scale for path in paths]).to_pairs()
        rows.append(
            (
                epoch.time[0] - zero,
                epoch.time[-1] + step - zero,
                epoch.number,
                kind,
                environment,
                visit if environment else -1,
                np.isfinite(told),
                hc6.number(epoch.task.get("exposure")),
                hc6.text(epoch.task.get("description")) or "none",
                str(visit) if environment else "rest",
                maze,
            )
        )
    names = {
        "start_time": "",
        "stop_time": "",
        "epoch": "number of the epoch, from 1",
        "epoch_type": "run, sleep or rest",
        "environment": "track of a run; empty for rest",
        "exposure_day": "which day on this track it is, from 1; -1 for rest",
        "exposure_day_is_told": "whether the source tells it; else days on the track are counted",
        "exposure": "which run on this track it is, from 1; NaN if not told",
        "note": "description of the source",
        "session": "label of the session in a recording of this track: the day of exposure",
        "maze": "arms of the track as JSON, to be given as the geometry of an import",
    }
    columns = [list(column) for column in zip(*rows, strict=True)]
    return {
        name: (about, column) for (name, about), column in zip(names.items(), columns, strict=True)
    }


def _linear_series(day: hc6.Day, time: np.ndarray, scale: float) -> Iterator[Series]:
    """Position along the trajectories, from linpos or the track's coordinates in task."""
    parts, sources = [], set()
    for epoch in day.epochs:
        paths = paths_of(epoch.task.get("linearcoord"))
        nothing = np.full(epoch.time.size, np.nan), np.full(epoch.time.size, -1.0)
        if hc6.text(epoch.task.get("type")) != "run":
            parts.append(nothing)
        elif epoch.linear:
            parts.append((epoch.linear["lindist"] * scale, epoch.linear["traj"]))
            sources.add("linpos")
        elif paths is not None:
            scaled = [path * scale for path in paths]
            parts.append(trajectories(epoch.position * scale, scaled))
            sources.add("linearcoord of task")
        else:
            parts.append(nothing)
    if not sources:
        return
    distance, trajectory = (np.concatenate(items) for items in zip(*parts, strict=True))
    place, direction, shift = linear_position(distance, trajectory)
    if not np.isfinite(place).any():
        return
    from_what = " and ".join(sorted(sources))
    yield Series(
        name="linear_position",
        time=time,
        data=place,
        unit="meters",
        conversion=0.01,
        description="distance from the centre well along the trajectory, stored in cm, on the "
        f"second side plus {shift:g} cm; NaN off trajectories; from {from_what}",
        is_position=True,
    )
    yield Series(
        name="direction",
        time=time,
        data=direction,
        unit="1",
        description="1 outbound from the centre well, -1 inbound, 0 neither",
    )
    yield Series(
        name="trajectory",
        time=time,
        data=trajectory.astype(np.int8),
        unit="1",
        description="1, 3 outbound to the first and second side, 2, 4 inbound, -1 none",
    )


def _raw_series(day: hc6.Day, zero: float) -> Iterator[Series]:
    for epoch in day.epochs:
        yield Series(
            name=f"raw_pos_epoch_{epoch.number}",
            time=epoch.time - zero,
            data=epoch.raw,
            unit="n.a.",
            description=f"pos.data of epoch {epoch.number} as published; columns: "
            f"{' '.join(epoch.fields)} (s on the source's clock, cm, rad, cm/s)",
        )


def _verify(path: Path, day: hc6.Day, scale: float) -> None:
    """Refuse a file whose numbers are not those of its source."""
    from pynwb import NWBHDF5IO

    zero = day.epochs[0].time[0]
    faults = []
    with NWBHDF5IO(path, "r") as io:
        nwbfile = io.read()
        behavior = nwbfile.processing["behavior"]
        place = behavior["Position"]["position"]
        wanted = np.concatenate([epoch.position for epoch in day.epochs]) * scale
        if not np.array_equal(place.data[:], wanted, equal_nan=True):
            faults.append("the position differs")
        clock = np.concatenate([epoch.time for epoch in day.epochs]) - zero
        if not np.array_equal(place.get_timestamps()[:], clock):
            faults.append("the clock differs")
        for epoch in day.epochs:
            raw = behavior[f"raw_pos_epoch_{epoch.number}"].data[:]
            if not np.array_equal(raw, epoch.raw, equal_nan=True):
                faults.append(f"raw positions of epoch {epoch.number} differ")
        for i, unit in enumerate(day.units):
            times = np.asarray(nwbfile.units.get_unit_spike_times(i)) + zero
            source = np.sort(np.concatenate([*unit.spikes.values(), np.empty(0)]))
            near = np.searchsorted(source, times - TICK / 2)
            if times.size and not np.allclose(source[near], times, rtol=0, atol=TICK / 2):
                faults.append(f"spikes of tetrode {unit.tetrode}, cell {unit.cell} differ")
    if faults:
        listed = "\n".join(f"- {fault}" for fault in faults)
        raise ValueError(f"{path.name} differs from its source:\n{listed}")
