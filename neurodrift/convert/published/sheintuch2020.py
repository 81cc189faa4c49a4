"""CA1 calcium events on two linear tracks, Sheintuch et al. 2020 (github.com/zivlab/multiple_maps).

Imaging and behaviour run at 20 Hz without timestamps; the only clock is the start of each movie in
its name. What had to be decided, and why, is said in ``_sheintuch_align.py``.

References
----------
.. [1] Sheintuch L, Geva N, Baumer H, Rechavi Y, Rubin A, Ziv Y. Multiple maps of the same spatial
   context can stably coexist in the mouse hippocampus. Current Biology 30, 1467-1476 (2020).
   https://doi.org/10.1016/j.cub.2020.02.018
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from neurodrift._version import __version__
from neurodrift.convert.files import all_or_none
from neurodrift.convert.published._sheintuch2020_align import (
    INFERRED_LABELS,
    IRREGULAR,
    RATE,
    Alignment,
    align,
    position_cm,
    velocity_cm,
)
from neurodrift.convert.published._sheintuch2020_source import (
    Source,
    environments,
    read_log,
    read_source,
)
from neurodrift.io.nwb.session import NwbSession, Series
from neurodrift.io.nwb.write import write_session

TIME_ZONE = ZoneInfo("Asia/Jerusalem")
CITATION = (
    "Sheintuch L, Geva N, Baumer H, Rechavi Y, Rubin A, Ziv Y. Multiple maps of the same spatial "
    "context can stably coexist in the mouse hippocampus. Current Biology 30, 1467-1476 (2020)"
)

RAW_UNITS = {
    "position": ("fraction of the track", 1.0),
    "velocity": ("m/s", 0.01),
    "velocity_VER1": ("m/s", 0.01),
    "velocity_VER2": ("m/s", 0.01),
    "rough_linearized_location": ("meters", 0.01),
    "binned": ("bin", 1.0),
    "goodframes": ("1", 1.0),
}
"""Unit and conversion of every vector of the behaviour but raw_x and raw_y, which are pixels."""


def convert(
    source_dir: str | os.PathLike[str],
    out_dir: str | os.PathLike[str],
    *,
    overwrite: bool = False,
) -> list[Path]:
    """Convert the data set, or one mouse or environment of it, to one NWB file for each session.

    Every file is read back and compared with its source before it counts. If anything fails,
    nothing is written at all.

    Parameters
    ----------
    source_dir
        The folder ``Data`` of the data set, a mouse's folder or one ``Environment`` folder.
    out_dir
        Folder of the new files, named like ``C6_M4_A_1.nwb``.
    overwrite
        Whether existing files are replaced.

    Returns
    -------
    list of pathlib.Path
        The files, by mouse, environment and session.

    Raises
    ------
    FileExistsError
        If a file exists and `overwrite` is False.
    ValueError
        If the source is missing, broken or contradicts itself; the message names the file.
    """
    out_dir = Path(out_dir)
    found = environments(Path(source_dir))
    names = {
        (environment.folder, number): f"{environment.mouse}_{environment.name}_{number}.nwb"
        for environment in found
        for number in environment.sessions
    }
    with all_or_none(out_dir, list(names.values()), overwrite=overwrite) as unfinished:
        for environment in found:
            starts = [
                read_log(environment.folder / f"frameLog_{number}.csv")[0].start
                for number in environment.sessions
            ]
            for number in environment.sessions:
                source = read_source(environment, number)
                write_session(
                    to_session(source, first_day=min(starts)),
                    unfinished / names[environment.folder, number],
                    verify=partial(compare, source=source),
                )
    return [out_dir / name for name in names.values()]


def verify(path: str | os.PathLike[str], source_dir: str | os.PathLike[str]) -> None:
    """Compare a converted file with its source, value by value.

    Parameters
    ----------
    path
        A file made by :func:`convert`.
    source_dir
        The folder it was made from.

    Raises
    ------
    ValueError
        If anything differs; all differences are named.
    """
    path = Path(path)
    for environment in environments(Path(source_dir)):
        for number in environment.sessions:
            if path.stem == f"{environment.mouse}_{environment.name}_{number}":
                compare(path, read_source(environment, number))
                return
    raise ValueError(f"{source_dir} holds no session {path.stem}")


def to_session(source: Source, *, first_day: datetime) -> NwbSession:
    """Interpret one session.

    Parameters
    ----------
    source
        Its files.
    first_day
        Start of the first session in the environment.

    Returns
    -------
    NwbSession
        The session, on the frames of all its movies.
    """
    aligned = align(source)
    starts = movie_starts(source)
    lengths = [row.n_frames for row in source.rows]
    time = np.concatenate([t + np.arange(n) / RATE for t, n in zip(starts, lengths, strict=True)])
    position = np.full(time.size, np.nan)
    velocity = np.full(time.size, np.nan)
    trials = [source.behavior[item.entry] for item in aligned]
    kept = [slice(item.first_sample, item.first_sample + item.length) for item in aligned]
    places = position_cm(trials, kept)
    for item, behavior, place, samples in zip(aligned, trials, places, kept, strict=True):
        first = source.rows[item.row].begin - 1 + item.first_frame
        frames = slice(first, first + item.length)
        position[frames] = place[samples]
        velocity[frames] = velocity_cm(behavior)[samples]

    by_cell = np.lexsort((source.event_frame, source.event_cell))
    edges = np.cumsum(np.bincount(source.event_cell, minlength=source.n_cells))[:-1]
    key = (source.mouse, source.environment, source.number)
    notes = [
        f"Converted from the files published with {CITATION}; no licence is stated.",
        "The time zone Asia/Jerusalem is inferred from the laboratory; the clock is the start of "
        "each movie in its name (1 s), frames follow at 20 Hz.",
        "Position: the straight track clipped to 0..96 cm; the L-shaped one scaled by the medians "
        "of its trials' extremes; NaN where no behaviour is aligned. Velocity: the published one, "
        "averaged over 8 samples. raw_* are the published vectors.",
        f"Source of identities: cell_registration.mat, column {source.number}; registered_cell_id "
        "is the row of cell_to_index_map, from 0.",
    ]
    if key in IRREGULAR:
        notes.append(f"Irregular session: {IRREGULAR[key].reason}.")
    is_projected = "rough_linearized_location" in trials[0]
    return NwbSession(
        subject=source.mouse,
        environment=source.environment,
        session=str(source.number),
        start=source.rows[0].start.replace(tzinfo=TIME_ZONE),
        region="CA1",
        detection="each_session",
        registered_cell_id=source.union_row,
        unit_columns={
            "source_column": (
                "column of the source's event matrix, from 1",
                np.arange(1, source.n_cells + 1),
            )
        },
        events=np.split(time[source.event_frame[by_cell]], edges),
        amplitudes=np.split(source.amplitude[by_cell], edges),
        time=time,
        position=position,
        velocity=velocity,
        speed_is_projected=is_projected,
        series=_raw_series(source, aligned, starts),
        trials=_trials(source, aligned, starts),
        tables=_tables(source, aligned),
        day=float((source.rows[0].start.date() - first_day.date()).days),
        subject_fields={"description": "sex and age are not stated in the data set"},
        file_fields={
            "experiment_description": "mice shuttled on a straight (A) and an L-shaped (B) linear "
            "track, 96 cm, every second day; calcium imaging of CA1",
            "institution": "Weizmann Institute of Science",
            "lab": "Ziv",
            "keywords": ["CA1", "place cells", "calcium imaging", "linear track", "drift"],
            "related_publications": ["https://doi.org/10.1016/j.cub.2020.02.018"],
            "notes": " ".join(notes),
            "source_script": f"neurodrift {__version__}, convert sheintuch2020",
            "source_script_file_name": "sheintuch2020.py",
        },
    )


def movie_starts(source: Source) -> list[float]:
    """Start of each movie, from its name.

    Parameters
    ----------
    source
        A session.

    Returns
    -------
    list of float
        Seconds since the first movie's start. A name is exact to 1 s only: a movie that would
        start before the one before it ends is moved to that end.
    """
    starts: list[float] = []
    end = 0.0
    for row in source.rows:
        start = max((row.start - source.rows[0].start).total_seconds(), end)
        starts.append(start)
        end = start + row.n_frames / RATE
    return starts


def _trials(
    source: Source, aligned: Sequence[Alignment], starts: Sequence[float]
) -> dict[str, tuple[str, Any]]:
    key = (source.mouse, source.environment, source.number)
    labels = source.map_labels or INFERRED_LABELS.get(key, [0] * 5)
    by_row = {item.row: item for item in aligned}
    rows = [by_row.get(i) for i in range(len(source.rows))]
    stops = [t + row.n_frames / RATE for t, row in zip(starts, source.rows, strict=True)]
    return {
        "start_time": ("", list(starts)),
        "stop_time": ("", stops),
        "is_track": (
            "whether it is a trial on the track with a tracked position",
            [item is not None for item in rows],
        ),
        "track_trial": (
            "number of the trial on the track, -1 = none",
            [item.trial if item else -1 for item in rows],
        ),
        "map_label": (
            "map of the environment that the population was in, 0 = unknown",
            [labels[item.trial - 1] if item else 0 for item in rows],
        ),
        "map_label_is_inferred": (
            "whether the label is not the authors' but follows from the correlation of maps",
            [bool(item) and source.map_labels is None and key in INFERRED_LABELS for item in rows],
        ),
        "movie": ("name of the movie", [row.movie for row in source.rows]),
        "begin_frame": ("first row of the event matrix, from 1", [r.begin for r in source.rows]),
        "end_frame": ("last row of the event matrix, from 1", [r.end for r in source.rows]),
        "behavior_entry": (
            "entry of my_mvmt, from 1, -1 = none",
            [item.entry + 1 if item else -1 for item in rows],
        ),
        "first_frame": (
            "first frame of the movie with behaviour, from 0, -1 = none",
            [item.first_frame if item else -1 for item in rows],
        ),
        "first_sample": (
            "sample of the behaviour at that frame, from 0, -1 = none",
            [item.first_sample if item else -1 for item in rows],
        ),
        "surplus_frames": (
            "frames that the movie has more than the behaviour without its first sample",
            [item.surplus if item else 0 for item in rows],
        ),
    }


def _raw_series(
    source: Source, aligned: Sequence[Alignment], starts: Sequence[float]
) -> list[Series]:
    """All samples of the aligned behaviour, with those that no frame belongs to."""
    trials = [source.behavior[item.entry] for item in aligned]
    time = np.concatenate(
        [
            starts[item.row] + (np.arange(len(trial["raw_x"])) + item.offset) / RATE
            for item, trial in zip(aligned, trials, strict=True)
        ]
    )
    return [
        Series(
            name=f"raw_{name.removeprefix('raw_')}",
            time=time,
            data=np.concatenate([trial[name] for trial in trials]),
            unit=RAW_UNITS.get(name, ("pixels", 1.0))[0],
            conversion=RAW_UNITS.get(name, ("pixels", 1.0))[1],
            description=f"{name} of the track trials as published, all samples",
        )
        for name in trials[0]
        if name != "filename"
    ]


def _tables(
    source: Source, aligned: Sequence[Alignment]
) -> dict[str, tuple[str, dict[str, tuple[str, Any]]]]:
    files: dict[str, tuple[str, Any]] = {
        "file": ("name in the environment's folder", list(source.files)),
        "sha256": ("its checksum", list(source.files.values())),
    }
    tables = {"source_files": ("the files that this one was made from", files)}
    used = {item.entry for item in aligned}
    rest = [i for i, entry in enumerate(source.behavior) if entry and i not in used]
    if rest:
        vectors = {
            name: ("as published", np.concatenate([source.behavior[i][name] for i in rest]))
            for name in source.behavior[rest[0]]
            if name != "filename"
        }
        numbers = np.repeat([i + 1 for i in rest], [len(source.behavior[i]["raw_x"]) for i in rest])
        entries = {"behavior_entry": ("entry of my_mvmt, from 1", numbers), **vectors}
        tables[UNALIGNED] = ("behaviour that belongs to no movie", entries)
    return tables


UNALIGNED = "unaligned_behavior"


def compare(path: Path, source: Source) -> None:
    """Refuse a file that does not hold what its source holds.

    Parameters
    ----------
    path
        The NWB file.
    source
        The session it was made from.

    Raises
    ------
    ValueError
        If anything differs; all differences are named.
    """
    from pynwb import NWBHDF5IO

    with NWBHDF5IO(path, "r") as io:
        nwbfile = io.read()
        faults = _event_faults(nwbfile, source) + _trial_faults(nwbfile, source)
        faults += _behavior_faults(nwbfile, source)
        start = nwbfile.session_start_time.replace(tzinfo=None)
    if start != source.rows[0].start:
        faults.append(f"starts at {start}, not {source.rows[0].start}")
    if faults:
        listed = "\n".join(f"- {fault}" for fault in faults)
        raise ValueError(
            f"{path.name} differs from session {source.number} of {source.mouse}, environment "
            f"{source.environment}:\n{listed}"
        )


def _event_faults(nwbfile: Any, source: Source) -> list[str]:
    time = np.asarray(nwbfile.processing["behavior"]["Position"]["position"].timestamps[:])
    if time.size != source.rows[-1].end:
        return [f"{time.size} frames, not {source.rows[-1].end}"]
    table = nwbfile.events["calcium_events"]
    times, amplitude = (np.asarray(table[name].data[:]) for name in ("timestamp", "amplitude"))
    cell = np.asarray(table["cell"].data[:])
    frame = np.minimum(np.searchsorted(time, times), time.size - 1)
    found = np.lexsort((frame, cell))
    expected = np.lexsort((source.event_frame, source.event_cell))
    faults = []
    if not np.array_equal(time[frame], times):
        faults.append("events lie between frames")
    pairs = (
        ("frames", frame, source.event_frame),
        ("cells", cell, source.event_cell),
        ("amplitudes", amplitude, source.amplitude),
    )
    for name, values, wanted in pairs:
        if not np.array_equal(values[found], wanted[expected]):
            faults.append(f"the {name} of the events differ")
    cells = nwbfile.processing["ophys"]["cells"]
    if not np.array_equal(cells["registered_cell_id"].data[:], source.union_row):
        faults.append("registered cell ids differ")
    return faults


def _trial_faults(nwbfile: Any, source: Source) -> list[str]:
    trials = nwbfile.trials
    wanted = {
        "movie": [row.movie for row in source.rows],
        "begin_frame": [row.begin for row in source.rows],
        "end_frame": [row.end for row in source.rows],
    }
    faults = [
        f"column {name} of the trials differs"
        for name, values in wanted.items()
        if list(trials[name].data[:]) != values
    ]
    if source.map_labels is not None:
        pairs = zip(trials["track_trial"].data[:], trials["map_label"].data[:], strict=True)
        if any(label != source.map_labels[j - 1] for j, label in pairs if j > 0):
            faults.append("map labels differ from the sheet")
    return faults


def _behavior_faults(nwbfile: Any, source: Source) -> list[str]:
    """Every vector of every entry, from the raw series and the table of what did not align."""
    aligned = [int(i) - 1 for i in nwbfile.trials["behavior_entry"].data[:] if i > 0]
    table = nwbfile.analysis.get(UNALIGNED, None)
    rest = [i for i, entry in enumerate(source.behavior) if entry and i not in aligned]
    faults = []
    for name in source.behavior[aligned[0]]:
        if name == "filename":
            continue
        series = nwbfile.processing["behavior"][f"raw_{name.removeprefix('raw_')}"]
        wanted = np.concatenate([source.behavior[i][name] for i in aligned])
        if not np.array_equal(series.data[:], wanted):
            faults.append(f"{name} of the aligned behaviour differs")
        if rest:
            wanted = np.concatenate([source.behavior[i][name] for i in rest])
            if table is None or not np.array_equal(table[name].data[:], wanted):
                faults.append(f"{name} of the behaviour without a movie differs")
    return faults
