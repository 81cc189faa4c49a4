"""Axes and lines of each geometry: what an axis is called, where its ends and arms are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from neurodrift.geometry.arms import arms_of
from neurodrift.geometry.geometry import Geometry, geometry_of
from neurodrift.geometry.outline import outline_of
from neurodrift.plotting._style import FAINT

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def axis_label(maps: xr.Dataset | xr.DataArray) -> str:
    """What the axis of maps shows, with its unit.

    Parameters
    ----------
    maps
        Maps with the coordinate ``x_bin``.

    Returns
    -------
    str
        Such as ``position [cm]`` or ``head direction [deg]``.
    """
    geometry = geometry_of(maps)
    if geometry.kind == "category":
        return geometry.variable
    return f"{geometry.variable} [{geometry.unit}]"


def stretches(maps: xr.DataArray) -> list[tuple[slice, float, float]]:
    """Bins that follow each other without a gap, and the ends of each stretch.

    Parameters
    ----------
    maps
        (.., position) with ``x_bin`` and, where bins have widths of their own, ``x_width``.

    Returns
    -------
    list of tuple
        Slice of ``position``, first and last edge; one stretch for each arm of a maze.
    """
    centre = maps["x_bin"].values
    if "x_width" not in maps.coords:
        return [(slice(0, centre.size), *_ends(centre))]
    half = maps["x_width"].values / 2
    low, high = centre - half, centre + half
    new = np.abs(low[1:] - high[:-1]) > 1e-6 * np.minimum(half[1:], half[:-1])
    if "part" in maps.coords:
        new |= maps["part"].values[1:] != maps["part"].values[:-1]
    first = np.concatenate([[0], np.flatnonzero(new) + 1])
    last = np.concatenate([first[1:], [centre.size]])
    return [
        (slice(int(a), int(b)), float(low[a]), float(high[b - 1]))
        for a, b in zip(first, last, strict=True)
    ]


def mark_axis(axis: Axes, maps: xr.DataArray) -> None:
    """Mark the seam of a circle, the arms of a maze or the names of categories.

    Parameters
    ----------
    axis
        Axes with maps along x.
    maps
        What is drawn there.
    """
    geometry = geometry_of(maps)
    if geometry.kind in ("circular", "vr") and geometry.length:
        ends = [geometry.origin, geometry.origin + geometry.length]
        axis.set_xticks([ends[0], sum(ends) / 2, ends[1]])
        if geometry.kind == "circular":  # the two ends are one place
            for end in ends:
                axis.axvline(end, color=FAINT, lw=1.6, ls=(0, (2, 1.5)), clip_on=False)
    elif "part" in maps.coords:
        parts = maps["part"].values
        found = stretches(maps)
        middle = [(low + high) / 2 for _, low, high in found]
        names = [str(parts[where.start]) for where, _, _ in found]
        axis.set_xticks(middle, names, rotation=40, ha="right", fontsize=6.5)
        axis.tick_params(axis="x", length=0)


def lines_of(maps: xr.DataArray) -> np.ndarray:
    """Where the bins of a maze or a circle lie in the plane.

    Parameters
    ----------
    maps
        (.., position) with a graph or a circle as geometry.

    Returns
    -------
    numpy.ndarray
        (position, point, 2) the line of each bin [cm, or radii of the circle].

    Raises
    ------
    ValueError
        If the geometry has no place in a plane.
    """
    geometry = geometry_of(maps)
    if geometry.kind not in ("graph", "circular"):
        raise ValueError(f"the maps are {geometry.kind}, expected a maze (graph) or a circle")
    centre, half = maps["x_bin"].values, maps["x_width"].values / 2
    way = centre[:, None] + half[:, None] * np.linspace(-1, 1, 5)
    if geometry.kind == "graph":
        return arms_of(geometry).plane(way)
    assert geometry.length is not None
    turn = 2 * np.pi * (way - geometry.origin) / geometry.length
    return np.stack([np.sin(turn), np.cos(turn)], axis=-1)  # from the top, clockwise


def draw_outline(axis: Axes, geometry: Geometry) -> None:
    """Draw the walls of an arena, where they are known.

    Parameters
    ----------
    axis
        Axes in cm.
    geometry
        The geometry of its maps.
    """
    line = outline_of(geometry)
    if line.size:
        axis.plot(*line.T, color="0.25", lw=1.0, clip_on=False, zorder=3)
        low, high = line.min(axis=0), line.max(axis=0)
        pad = 0.03 * (high - low)
        x, y = axis.get_xlim(), axis.get_ylim()
        axis.set_xlim(min(x[0], low[0] - pad[0]), max(x[1], high[0] + pad[0]))
        axis.set_ylim(min(y[0], low[1] - pad[1]), max(y[1], high[1] + pad[1]))


def _ends(centres: np.ndarray) -> tuple[float, float]:
    if centres.size < 2:
        return float(centres[0]) - 0.5, float(centres[0]) + 0.5
    half = np.diff(centres)[[0, -1]] / 2
    return float(centres[0] - half[0]), float(centres[-1] + half[1])
