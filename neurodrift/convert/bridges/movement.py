"""Tracks of the package movement to positions, and positions to its data sets.

References
----------
.. [1] Sirmpilatze N, Lo CH, Miñano S, et al. neuroinformatics-unit/movement.
   https://doi.org/10.5281/zenodo.12755724
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from neurodrift.convert.pipelines.sleap import choose
from neurodrift.gate.inputs import Position, clock
from neurodrift.geometry.arms import arms_of
from neurodrift.geometry.geometry import geometry_of
from neurodrift.schema import check
from neurodrift.schema.objects import expect_type
from neurodrift.schema.options import checked_options

_DIMS = ("time", "space", "keypoints", "individuals")


@checked_options
def from_movement(
    tracks: xr.Dataset,
    *,
    cm_per_unit: float,
    keypoint: str | None = None,
    individual: str | None = None,
    min_confidence: float = 0.0,
    rate: float | None = None,
) -> Position:
    """The track of one keypoint.

    Parameters
    ----------
    tracks
        A poses data set of movement: ``position`` (time, space, keypoints, individuals).
    cm_per_unit
        Centimetres in a unit of its position, such as a pixel.
    keypoint, individual
        Which of them; needed where there are several.
    min_confidence
        Points with a lower confidence count as not tracked.
    rate
        Frames per second [Hz], where the data set counts frames.

    Returns
    -------
    Position
        The position [cm].

    Raises
    ------
    ValueError
        If it is no such data set, has three dimensions of space, or a name is missing or unknown.
    """
    expect_type("tracks", tracks, xr.Dataset, "a poses data set of movement")
    if "position" not in tracks or set(tracks["position"].dims) != set(_DIMS):
        dims = tracks["position"].dims if "position" in tracks else "missing"
        raise ValueError(f"position is {dims}, expected over {', '.join(_DIMS)}")
    where = Path(str(tracks.attrs.get("source_file", "movement")))
    chosen = {}
    for dim, name in (("keypoints", keypoint), ("individuals", individual)):
        names = [str(item) for item in tracks[dim].values]
        chosen[dim] = choose(name, names, dim.removesuffix("s"), where)
    part = tracks.isel(chosen)
    space = [str(item) for item in part["space"].values]
    if space != ["x", "y"]:
        raise ValueError(f"space is {space}, expected x and y")
    xy = part["position"].transpose("time", "space").values.astype(np.float64)
    if min_confidence > 0:
        xy = np.where((part["confidence"].values >= min_confidence)[:, None], xy, np.nan)
    seconds = tracks.attrs.get("time_unit") == "seconds"
    times = part["time"].values.astype(np.float64) if seconds else None
    if times is None and rate is not None:
        times = part["time"].values / rate
    source = f"{keypoint or part['keypoints'].item()} of {where.name} (movement)"
    return Position(time=clock(len(xy), source, time=times), xy=xy * cm_per_unit, source=source)


def to_movement(recording: xr.Dataset) -> xr.Dataset:
    """The position of a recording as a poses data set of movement.

    Parameters
    ----------
    recording
        A recording with `x`, and `y` [cm]; without it the second axis is 0 on a track, and that of
        the plane in a maze.

    Returns
    -------
    xarray.Dataset
        ``position`` (time, space, keypoints, individuals) [cm] and ``confidence``, 1 where the
        position is known, at the recording's times.

    Raises
    ------
    ValueError
        If the recording has no position, or its `x` is an angle, a time or a category.
    """
    check(recording)
    if "x" not in recording:
        raise ValueError("the recording has no position 'x'")
    x = recording["x"].values
    y = recording["y"].values if "y" in recording else np.where(np.isfinite(x), 0.0, np.nan)
    geometry = geometry_of(recording)
    if not geometry.is_place:
        raise ValueError(f"x is {geometry.variable} [{geometry.unit}], and no position in a plane")
    if geometry.kind == "graph":
        x, y = arms_of(geometry).plane(x).T
    position = np.stack([x, y], axis=1)[:, :, None, None]
    known = np.isfinite(position).all(axis=1).astype(np.float64)
    return xr.Dataset(
        {"position": (_DIMS, position), "confidence": (("time", *_DIMS[2:]), known)},
        coords={
            "time": recording["time"].values,
            "space": ["x", "y"],
            "keypoints": ["centroid"],
            "individuals": [str(recording["subject"].item())],
        },
        attrs={"ds_type": "poses", "time_unit": "seconds", "source_software": "neurodrift"},
    )
