"""What NWB files offer for a recording, and the command that imports them."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neurodrift.io.nwb import find as nwb_find
from neurodrift.io.nwb.epochs import epoch_labels
from neurodrift.io.nwb.links import OutsideError, refuse_outside
from neurodrift.io.nwb.validity import curated

_BEST_FIRST = ("deconv", "spike", "event")
_WORST = ("neuropil", "raw", "rawf", "fluorescence", "dff", "df", "baseline")


def inspect_nwb(files: Sequence[str | os.PathLike[str]]) -> str:
    """Say what NWB files hold, and print the command that imports them.

    Parameters
    ----------
    files
        NWB files of one subject, one for each session.

    Returns
    -------
    str
        Lines for people; the last one is the command, with its options as the first file needs
        them.

    Raises
    ------
    FileNotFoundError
        If a file does not exist.
    ValueError
        If a file is no readable NWB file.
    """
    from pynwb import NWBHDF5IO

    lines: list[str] = []
    options: list[str] = []
    for number, path in enumerate(map(Path, files)):
        if not path.is_file():
            raise FileNotFoundError(f"no NWB file at {path}")
        try:
            refuse_outside(path)
            with NWBHDF5IO(path, "r") as io:
                told, wanted = _told(io.read())
        except OutsideError:
            raise
        except Exception as error:  # what is no NWB file raises anything
            raise ValueError(f"{path} is no readable NWB (HDF5) file: {error}") from error
        lines += [f"{path}:", *(f"  {line}" for line in told)]
        options = wanted if number == 0 else options
    words = ["neurodrift", "import", *map(str, files), *options, "-o", "recording.zarr"]
    return "\n".join([*lines, "", shlex.join(words)])


def _told(nwbfile: Any) -> tuple[list[str], list[str]]:
    """Lines on one file, and the options that its import needs."""
    from pynwb.behavior import SpatialSeries

    subject = nwbfile.subject.subject_id if nwbfile.subject else None
    lines = [
        f"subject {subject or 'not told'}, started {nwbfile.session_start_time:%Y-%m-%d %H:%M}"
    ]
    options: list[str] = []
    activity = nwb_find.activities(nwbfile)
    for path, item in activity.items():
        lines.append(f"activity  {path}: {_about_activity(item)}")
    if len(activity) > 1:
        options += ["--series", min(activity, key=_rank)]
    if not activity:
        lines.append("activity  none: no units with spike times, events or ROI responses")
    places = {
        nwb_find.path_of(item): item
        for item in nwbfile.objects.values()
        if isinstance(item, SpatialSeries)
    }
    for path, item in places.items():
        kind = "position" if not nwb_find.is_no_place(item) else "no position"
        lines.append(f"{kind}  {path}: {item.data.shape}, in {item.unit or 'no unit'!r}")
    usable = [path for path, item in places.items() if not nwb_find.is_no_place(item)]
    known = [path for path in usable if nwb_find.centimetres(places[path].unit) is not None]
    chosen = _axes_or_one(known or usable)
    if len(usable) > 1 or (usable and not known):
        for path in chosen:
            options += ["--position", path]
    if usable and not known:
        options += ["--position-unit", "cm"]
        lines.append("  no position is in a unit of length: check that cm is right")
    labels = list(dict.fromkeys(filter(None, epoch_labels(nwbfile))))
    if labels:
        lines.append(f"epochs  {', '.join(labels)}")
    if len(labels) > 1:
        options += ["--epoch", next((x for x in labels if _is_task(x)), labels[0])]
    if nwbfile.invalid_times is not None and len(nwbfile.invalid_times):
        lines.append(f"invalid_times  {len(nwbfile.invalid_times)} stretches, which are left out")
    return lines, options


def _about_activity(item: Any) -> str:
    from pynwb.misc import Units
    from pynwb.ophys import RoiResponseSeries

    if isinstance(item, RoiResponseSeries):
        rows = np.asarray(item.rois.data[:])
        return f"responses {item.data.shape} of {rows.size} ROIs{_kept(item.rois.table, rows)}"
    if isinstance(item, Units):
        return f"spikes of {len(item)} units{_kept(item, np.arange(len(item)))}"
    return f"{len(item)} events"


def _kept(table: Any, rows: np.ndarray) -> str:
    keep, column = curated(table, rows)
    return "" if column is None else f", {int(keep.sum())} kept by column {column}"


def _rank(path: str) -> tuple[bool, bool, str]:
    name = path.rsplit("/", 1)[-1].lower()
    good = any(word in name for word in _BEST_FIRST)
    return (not good, any(word in name for word in _WORST), path)


def _axes_or_one(paths: Sequence[str]) -> list[str]:
    """Both axes of a position that are series of their own, or the first series."""
    names = {path.rsplit("/", 1)[-1].lower(): path for path in paths}
    if {"x", "y"} <= set(names):
        return [names["x"], names["y"]]
    return list(paths[:1])


def _is_task(label: str) -> bool:
    """Whether an epoch's label does not say sleep, rest or home cage."""
    return not any(
        word in label.lower() for word in ("sleep", "rest", "home", "box", "pre", "post")
    )
