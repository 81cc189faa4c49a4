"""Position tracked by SLEAP.

Reads the analysis HDF5 that ``sleap-convert --format analysis`` or the GUI exports: ``tracks``
(tracks, 2, nodes, frames) in pixels, ``node_names``, ``track_names``, ``point_scores``.
Other orders of the dimensions are read where the file tells them (attribute ``dims``). Or the
analysis CSV, with a row for each instance, whose ``frame_idx`` says where it belongs. An analysis
HDF5 may begin at the first labelled frame of the video (``all_frames=False``, and SLEAP's own
script by default), and does not say which that is.

References
----------
.. [1] Pereira TD, Tabris N, Matsliah A, et al. SLEAP: a deep learning system for multi-animal pose
   tracking. Nature Methods 19, 486-495 (2022). https://doi.org/10.1038/s41592-022-01426-1
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from neurodrift.convert.pipelines.frames import filled_frames, position_on_frames
from neurodrift.gate.findings import Finding
from neurodrift.gate.inputs import Position, clock
from neurodrift.io.arrays.files import list_arrays, read_array, read_columns
from neurodrift.io.arrays.hdf5 import opened


def read_sleap(
    path: str | os.PathLike[str],
    *,
    cm_per_pixel: float,
    time: np.ndarray | None = None,
    rate: float | None = None,
    node: str | None = None,
    track: str | None = None,
    min_score: float = 0.0,
    first_frame: int | None = None,
) -> Position:
    """Read the track of one point of one animal.

    Parameters
    ----------
    path
        The analysis file (``.h5`` or ``.csv``).
    cm_per_pixel
        Size of a pixel [cm].
    time
        (time) timestamps of the frames [s], of those in the file or, with `first_frame` or a CSV,
        of all frames of the video.
    rate
        Frames per second [Hz], where there are no timestamps.
    node
        Name of the point; needed where there are several.
    track
        Name of the animal; needed where there are several.
    min_score
        Points with a lower score count as not tracked.
    first_frame
        Number of the video's frame, from 0, that an analysis HDF5 begins with. When omitted it is
        0, and the gate warns where the file leaves that open; a CSV says it itself.

    Returns
    -------
    Position
        The position, NaN where the point was not found.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no analysis file, or a name is missing or unknown.
    """
    path = Path(path)
    if path.suffix.lower() == ".csv":
        if first_frame is not None:
            raise ValueError(f"{path} numbers its frames itself (frame_idx): leave out first_frame")
        return _read_csv(path, cm_per_pixel, time, rate, node, track, min_score)
    nodes = [str(name) for name in read_array(path, "node_names")]
    tracks = _ordered(path, "tracks", ("track", "xy", "node", "frame"))
    if tracks.ndim != 4 or tracks.shape[1:3] != (2, len(nodes)):
        raise ValueError(
            f"{path}: tracks has shape {tracks.shape}, expected (tracks, 2, {len(nodes)} nodes, "
            "frames)"
        )
    names = [item.name for item in list_arrays(path)]
    animals = [str(i) for i in range(len(tracks))]
    if "track_names" in names:
        told = [str(name) for name in read_array(path, "track_names")]
        animals = told if len(told) == len(animals) else animals
    at, which = choose(node, nodes, "node", path), choose(track, animals, "track", path)
    xy = tracks[which, :, at, :].T.astype(np.float64)
    if min_score > 0:
        score = _ordered(path, "point_scores", ("track", "node", "frame"))
        if score.shape != (len(tracks), len(nodes), tracks.shape[3]):
            raise ValueError(f"{path}: point_scores has shape {score.shape}, so min_score is idle")
        xy[~(score[which, at] >= min_score)] = np.nan
    xy[~np.isfinite(xy).all(axis=1)] = np.nan
    source = f"{nodes[at]} of {path.name} (SLEAP)"
    xy *= cm_per_pixel
    findings: tuple[Finding, ...] = ()
    if first_frame is None:
        if time is not None and np.size(time) == len(xy):
            return Position(time=clock(len(xy), source, time=time), xy=xy, source=source)
        n_video = _frames_of_video(path)
        longer = time is not None or (n_video is not None and n_video > len(xy))
        if longer and n_video != len(xy):
            of = f"its video {n_video}" if time is None else f"its clock {np.size(time)}"
            raise ValueError(
                f"{source} has {len(xy)} frames, but {of}: SLEAP may leave out the frames before "
                "the first labelled one; say with which frame of the video, from 0, the file "
                "begins (options: {first_frame: ...}), or export the CSV, whose frames are numbered"
            )
        if n_video != len(xy):
            findings = (_open_start(source),)
        first_frame = 0
    if isinstance(first_frame, bool) or not isinstance(first_frame, int) or first_frame < 0:
        raise ValueError(f"{path}: first_frame is {first_frame!r}, expected a whole number from 0")
    frames = np.arange(len(xy)) + first_frame
    placed = position_on_frames(xy, frames, source, time=time, rate=rate)
    return replace(placed, findings=findings)


def _frames_of_video(path: Path) -> int | None:
    """Number of frames of the video; None where the file does not say, as older ones do not."""
    with opened(path) as file:
        told = file.attrs.get("video_backend_metadata", "{}")
    try:
        return int(json.loads(told)["shape"][0])
    except (ValueError, TypeError, KeyError, IndexError):
        return None


def _open_start(source: str) -> Finding:
    text = (
        f"{source} does not say with which frame of the video it begins, and SLEAP may leave out "
        "the frames before the first labelled one: it is taken to be frame 0. If it is another, "
        "all positions are too early; say which (options: {first_frame: ...}, 0 if it is so), or "
        "export the CSV, whose frames are numbered"
    )
    return Finding("first_frame", text, warns=True)


def _read_csv(
    path: Path,
    cm_per_pixel: float,
    time: np.ndarray | None,
    rate: float | None,
    node: str | None,
    track: str | None,
    min_score: float,
) -> Position:
    """The track of one point of one animal out of the analysis CSV."""
    names = [item.name for item in list_arrays(path)]
    nodes = [name.removesuffix(".x") for name in names if name.endswith(".x")]
    if not {"track", "frame_idx"} <= set(names) or not nodes:
        raise ValueError(f"{path} is no analysis CSV of SLEAP: it lacks track, frame_idx or NODE.x")
    at = nodes[choose(node, nodes, "node", path)]
    tracks = [str(name) for name in read_array(path, "track")]
    animals = list(dict.fromkeys(tracks))
    mine = np.array(tracks) == animals[choose(track, animals, "track", path)]
    wanted = [f"{at}.x", f"{at}.y"] + ([f"{at}.score"] if min_score > 0 else [])
    values = read_columns(path, wanted)[1].astype(np.float64)[mine]
    xy = values[:, :2].copy()
    if min_score > 0:
        xy[~(values[:, 2] >= min_score)] = np.nan
    xy[~np.isfinite(xy).all(axis=1)] = np.nan
    source = f"{at} of {path.name} (SLEAP)"
    index = np.asarray(read_array(path, "frame_idx"), dtype=np.float64)[mine]
    frames = filled_frames(index, source)
    return position_on_frames(xy * cm_per_pixel, frames, source, time=time, rate=rate)


def _ordered(path: Path, name: str, dims: tuple[str, ...]) -> np.ndarray:
    """An array in the order of SLEAP's own export, as newer files tell their dimensions."""
    with opened(path) as file:
        told = file[name].attrs.get("dims") if name in file else None
    values = read_array(path, name)
    try:
        order = None if told is None else [json.loads(told).index(dim) for dim in dims]
    except ValueError as error:
        raise ValueError(f"{path}: {name} is over {told}, expected {', '.join(dims)}") from error
    return values if order is None else values.transpose(order)


def choose(wanted: str | None, names: list[str], what: str, path: Path) -> int:
    """Place of a name, or of the only one where none is given.

    Parameters
    ----------
    wanted
        The name.
    names
        Those there are.
    what, path
        What has it, and where, for messages.

    Returns
    -------
    int
        The place, from 0.

    Raises
    ------
    ValueError
        If it is not there, or there are several and none is named.
    """
    if wanted is None and len(names) == 1:
        return 0
    if wanted not in names:
        lacks = f"has no {what} {wanted!r}" if wanted is not None else f"has several {what}s"
        raise ValueError(f"{path} {lacks}; name one of {', '.join(names)} ({what}: ...)")
    return names.index(wanted)
