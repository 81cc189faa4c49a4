"""The outline of an arena: its line, and whether places lie within."""

from __future__ import annotations

import math

import numpy as np

from neurodrift.geometry.geometry import Geometry

_CORNERS = 181  # of the line of a circle
_SLACK = 0.02  # of the extent: a nose over the wall


def outline_of(geometry: Geometry) -> np.ndarray:
    """The line around an arena, or along the arms of a maze.

    Parameters
    ----------
    geometry
        A field with a shape.

    Returns
    -------
    numpy.ndarray
        (corner, 2) a closed line [cm]; no corner where the outline is not known.

    Examples
    --------
    >>> from neurodrift.geometry import field
    >>> from neurodrift.geometry.outline import outline_of
    >>> outline_of(field("rectangle", [(0, 0), (50, 70)])).shape
    (5, 2)
    """
    if geometry.kind != "field" or not geometry.shape:
        return np.empty((0, 2))
    points = np.array(geometry.outline)
    if geometry.shape == "rectangle":
        (x0, y0), (x1, y1) = points
        points = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
    if geometry.shape == "circle":
        centre, radius = points[0], math.dist(points[0], points[1])
        turn = np.linspace(0, 2 * np.pi, _CORNERS)
        return np.asarray(centre + radius * np.column_stack([np.cos(turn), np.sin(turn)]))
    return np.concatenate([points, points[:1]])


def within_line(line: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Whether places lie within a closed line, by the even-odd rule.

    Parameters
    ----------
    line
        (corner, 2) of which the last corner is the first [cm].
    x, y
        (place) [cm]; NaN is outside.

    Returns
    -------
    numpy.ndarray
        (place) bool.
    """
    inside = np.zeros(x.size, dtype=bool)
    for (x0, y0), (x1, y1) in zip(line[:-1], line[1:], strict=True):
        if y0 != y1:
            crosses = (y0 > y) != (y1 > y)
            inside ^= crosses & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return inside


def outside_share(geometry: Geometry, axes: list[np.ndarray]) -> float:
    """Share of the tracked places that lie outside of the outline.

    Parameters
    ----------
    geometry
        A field with a shape.
    axes
        x and y [cm], NaN where it was not tracked.

    Returns
    -------
    float
        A place within 2 % of the extent beyond the line counts as inside.
    """
    line = outline_of(geometry)
    x, y = (np.asarray(axis, dtype=float) for axis in axes)
    tracked = np.isfinite(x) & np.isfinite(y)
    if not tracked.any() or not line.size:
        return 0.0
    x, y = x[tracked], y[tracked]
    inside = within_line(line, x, y)
    out = np.flatnonzero(~inside)
    near = np.full(out.size, np.inf)
    for start, stop in zip(line[:-1], line[1:], strict=True):
        way = stop - start
        away = np.column_stack([x[out], y[out]]) - start
        part = np.clip(away @ way / max(float(way @ way), 1e-12), 0, 1)
        near = np.minimum(near, np.hypot(*(away - part[:, None] * way).T))
    slack = _SLACK * float(np.ptp(line, axis=0).max())
    return float((near > slack).sum() / x.size)
