"""What NWB files offer for a recording, and the command that imports them."""

from __future__ import annotations

import os
import shlex
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neurodrift.gate.shapes import command_text
from neurodrift.gate.traces import trace_findings, trace_name_findings
from neurodrift.geometry.geometry import Geometry
from neurodrift.geometry.proposal import propose_geometry
from neurodrift.io.nwb import find as nwb_find
from neurodrift.io.nwb.arrays import clock_and_rows
from neurodrift.io.nwb.epochs import epoch_labels, epoch_spans
from neurodrift.io.nwb.frames import SAMPLED
from neurodrift.io.nwb.opened import opened_nwb
from neurodrift.io.nwb.place import read_place
from neurodrift.io.nwb.planes import share_cells
from neurodrift.io.nwb.tables import told_by_geometry
from neurodrift.io.nwb.validity import curated

_LOOKED_AT = 5000  # samples of responses, to tell a trace
_MOST_METRES, _MOST_CM = 10.0, 1500.0  # extents below which a position is in metres, in cm
_BEST_FIRST = ("deconv", "spike", "event")
_WORST = ("neuropil", "raw", "rawf", "fluorescence", "dff", "df", "baseline", "background")


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
        them, or what the file lacks for an import.

    Raises
    ------
    FileNotFoundError
        If a file does not exist.
    ValueError
        If a file is no readable NWB file.
    """
    lines: list[str] = []
    options: list[str] = []
    for number, path in enumerate(map(Path, files)):
        with opened_nwb(path) as nwbfile:
            try:
                told, wanted, lacks = _told(nwbfile)
            except Exception as error:  # what breaks the conventions raises anything
                text = f"{path} is no readable NWB (HDF5) file: {error}"
                raise ValueError(text) from error
        lines += [f"{path}:", *(f"  {line}" for line in told)]
        options = wanted if number == 0 else options
        if lacks:
            return "\n".join([*lines, "", f"cannot be imported: {path} holds no {lacks}"])
    words = ["neurodrift", "import", *map(str, files), *options, "-o", "recording.zarr"]
    return "\n".join([*lines, "", shlex.join(words)])


def _told(nwbfile: Any) -> tuple[list[str], list[str], str]:
    """Lines on one file, the options that its import needs, and what it lacks for one."""
    subject = nwbfile.subject.subject_id if nwbfile.subject else None
    lines = [
        f"subject {subject or 'not told'}, started {nwbfile.session_start_time:%Y-%m-%d %H:%M}"
    ]
    options: list[str] = []
    activity = nwb_find.activities(nwbfile)
    for path, item in activity.items():
        lines.append(f"activity  {path}: {_about_activity(item)}")
    if len(activity) > 1:
        planes = _planes_of(activity)
        for path in planes:
            options += ["--series", path]
        if len(planes) > 1:
            lines.append(
                f"  {len(planes)} series of one kind are of cells in different planes and taken "
                "together: check that they are no channels of one plane"
            )
    if activity:
        lines += _about_trace(activity[min(activity, key=_rank)])
    if not activity:
        lines.append("activity  none: no units with spike times, events or ROI responses")
    labels = list(dict.fromkeys(filter(None, epoch_labels(nwbfile))))
    epoch = next((x for x in labels if _is_task(x)), labels[0]) if len(labels) > 1 else None
    places = nwb_find.positions(nwbfile)
    for path, item in places.items():
        kind = "position" if not nwb_find.is_no_place(item) else "no position"
        lines.append(f"{kind}  {path}: {item.data.shape}, in {item.unit or 'no unit'!r}")
    usable = [path for path, item in places.items() if not nwb_find.is_no_place(item)]
    known = [path for path in usable if nwb_find.centimetres(places[path].unit) is not None]
    chosen = _axes_or_one(_within_epoch(known or usable, places, nwbfile, epoch), places)
    if len(usable) > 1 or (usable and not known):
        for path in chosen:
            options += ["--position", path]
    if usable and not known:
        unit, extent = _likely_unit([places[path] for path in chosen])
        options += ["--position-unit", unit]
        lines.append(
            f"  no position is in a unit of length; it covers {extent:.3g}: check that {unit} is "
            "right"
        )
    if len(usable) > len(chosen) > 1:
        left = ", ".join(path for path in usable if path not in chosen)
        lines.append(f"  {left} varies least and is taken for the height: check that")
    told, wanted = _about_geometry(nwbfile, [places[path] for path in chosen], known)
    lines += told
    options += wanted
    if labels:
        lines.append(f"epochs  {', '.join(labels)}")
    if len(labels) > 1:
        options += ["--epoch", str(epoch)]
    if nwbfile.invalid_times is not None and len(nwbfile.invalid_times):
        lines.append(f"invalid_times  {len(nwbfile.invalid_times)} stretches, which are left out")
    lacks = [what for what, held in (("activity", activity), ("position", usable)) if not held]
    return lines, options, " and no ".join(lacks)


def _about_geometry(
    nwbfile: Any, series: Sequence[Any], known: Sequence[str]
) -> tuple[list[str], list[str]]:
    """What the positions say about the shape of the environment, and the option that states it."""
    stated = told_by_geometry(nwbfile)
    if stated:
        return [f"geometry  {Geometry.from_json(stated)}, as the file tells"], []
    if not series:
        return [], []
    mazes = _mazes(nwbfile)
    if mazes:
        about = "give one as --geometry (or its JSON in a file) to run along its arms"
        return [f"geometry  {about}: {name}: {text}" for name, text in mazes.items()], []
    unit = None if known else _likely_unit(series)[0]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the height, which is told beside
            place = read_place(series, None if unit == "?" else unit)
    except ValueError as error:
        return [f"geometry  not known: {error}"], []
    if place.findings or len(place.time) < 3:
        return [], []
    y = place.xy[:, 1] if place.xy.shape[1] == 2 else None
    found = propose_geometry(place.time, place.xy[:, 0], y)
    line = f"geometry  proposed: {found.geometry}, as {found.why}"
    return [line], ["--geometry", command_text(found.geometry)] if found.jumps else []


def _mazes(nwbfile: Any) -> dict[str, str]:
    """Graphs of mazes that the epochs of a file tell without using them, by environment."""
    epochs = nwbfile.epochs
    if epochs is None or not {"maze", "environment"} <= set(epochs.colnames):
        return {}
    rows = zip(epochs["environment"].data[:], epochs["maze"].data[:], strict=True)
    return {str(name): str(text) for name, text in rows if name and text}


def _about_trace(item: Any) -> list[str]:
    """That responses look like a trace of fluorescence, where they do."""
    from pynwb.ophys import RoiResponseSeries

    if not isinstance(item, RoiResponseSeries):
        return []
    path, n_columns = nwb_find.path_of(item), len(item.rois.data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the shape, which is told beside
        _, data = clock_and_rows(item, path, n_columns)
    values = np.asarray(data[:_LOOKED_AT], dtype=float).reshape(len(data[:_LOOKED_AT]), -1)
    found = trace_findings(lambda: [values], len(values), "deconvolved", path)
    found = found or trace_name_findings(path, item.description)
    if item.description in SAMPLED or not found:
        return []
    return [
        f"  {path} looks like a trace of fluorescence, not deconvolved: import takes it as such, "
        "without events, active cells and bits per event"
    ]


def _likely_unit(series: Sequence[Any]) -> tuple[str, float]:
    """The unit in which an environment is of a likely size, and the extent in that unit."""
    extent = max(float(np.nanmax(_spreads(item))) for item in series)
    return ("m" if extent < _MOST_METRES else "mm" if extent > _MOST_CM else "cm"), extent


def _spreads(series: Any) -> np.ndarray:
    """Extent of each column of a position, without its outermost samples."""
    data = np.asarray(series.data[:], dtype=float) * series.conversion
    data = data.reshape(len(data), -1) if data.ndim < 2 or data.shape[0] > 3 else data.T
    data = data[np.isfinite(data).all(axis=1)]
    if not len(data):
        return np.array([np.nan])
    return np.asarray(np.ptp(np.percentile(data, [0.5, 99.5], axis=0), axis=0))


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


def _rank(path: str) -> tuple[bool, int, str]:
    name = "/".join(path.lower().split("/")[-2:])
    good = any(word in name for word in _BEST_FIRST)
    return (not good, sum(word in name for word in _WORST), path)


def _planes_of(activity: Mapping[str, Any]) -> list[str]:
    """The series that is taken, and those of the same kind of cells in other imaging planes."""
    from pynwb.ophys import RoiResponseSeries

    first, *others = sorted(activity, key=_rank)
    found = [first]
    if not isinstance(activity[first], RoiResponseSeries):
        return found
    for path in others:
        alike = (
            isinstance(activity[path], RoiResponseSeries) and _rank(path)[:2] == _rank(first)[:2]
        )
        if alike and all(_in_other_planes(activity[path], activity[one]) for one in found):
            found.append(path)
    return found


def _in_other_planes(one: Any, other: Any) -> bool:
    """Whether the cells of two series lie in different planes of one channel."""
    tables = one.rois.table, other.rois.table
    if tables[0] is tables[1]:
        return not share_cells(one, other)
    planes = [table.imaging_plane for table in tables]
    if any(plane is None for plane in planes) or planes[0] is planes[1]:
        return False
    return bool(planes[0].indicator == planes[1].indicator)


def _axes_or_one(paths: Sequence[str], places: Mapping[str, Any]) -> list[str]:
    """The axes of a position that are series of their own, without height, or the first series."""
    names = {path.rsplit("/", 1)[-1].lower(): path for path in paths}
    axes = [names[axis] for axis in "xyz" if axis in names]
    if len(axes) == 3:
        spread = {path: float(np.nanmax(_spreads(places[path]))) for path in axes}
        axes.remove(min(axes, key=lambda path: spread[path]))
    return axes if len(axes) == 2 else list(paths[:1])


def _within_epoch(
    paths: Sequence[str], places: Mapping[str, Any], nwbfile: Any, epoch: str | None
) -> list[str]:
    """Positions in the order of their names, those first that have the most frames in the epoch."""
    if epoch is None:
        return sorted(paths)
    spans, _ = epoch_spans(nwbfile, epoch, "the file")
    inside = dict.fromkeys(paths, 0)
    for path in paths:
        times = nwb_find.timestamps(places[path])
        for start, stop in [] if spans is None else spans:
            inside[path] += int(((times >= start) & (times < stop)).sum())
    return sorted(paths, key=lambda path: (-inside[path], path))


def _is_task(label: str) -> bool:
    """Whether an epoch's label does not say sleep, rest or home cage."""
    return not any(
        word in label.lower() for word in ("sleep", "rest", "home", "box", "pre", "post")
    )
