"""A converted session of Sheintuch et al. 2020 against its source, value by value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from neurodrift.convert._sheintuch_source import Source

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
