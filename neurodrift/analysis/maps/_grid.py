"""The bins of a geometry with one axis of its own: circles, corridors, mazes, categories."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodrift.geometry.arms import arms_of
from neurodrift.geometry.geometry import Geometry

_WHOLE = 1e-6  # of a bin: rounding of the number of bins


@dataclass(frozen=True)
class Grid:
    """Bins along one axis, of which some may hold nothing.

    Parameters
    ----------
    edges
        (bin + 1) ascending [unit of the geometry].
    kept
        (bin) whether it is a bin, and no space between two arms.
    parts
        (bin) name of the arm or category; None where bins have no names.
    closed
        Edges at which a bin begins that also holds its left edge.
    """

    edges: np.ndarray
    kept: np.ndarray
    parts: np.ndarray | None
    closed: np.ndarray


def grid_of(geometry: Geometry, width: float, edges: np.ndarray | None) -> Grid:
    """The bins of a circle, a corridor, a maze or categories.

    Parameters
    ----------
    geometry
        Of kind circular, vr, graph or category.
    width
        Width of a bin [unit of the geometry].
    edges
        Edges that were given instead.

    Returns
    -------
    Grid
        A circle or a corridor from its origin in whole bins; each arm of a maze in the whole
        number of equal bins that comes nearest to `width`; a bin for each category.

    Raises
    ------
    ValueError
        If the bins do not fit the geometry.
    """
    if geometry.kind == "category":
        _refuse_edges(edges, geometry)
        names = np.array(geometry.names, dtype=object)
        lines = np.arange(names.size + 1) - 0.5
        return Grid(lines, np.ones(names.size, dtype=bool), names, np.array([0]))
    if geometry.kind == "graph":
        _refuse_edges(edges, geometry)
        return _along_arms(geometry, width)
    assert geometry.length is not None
    low, high = geometry.origin, geometry.origin + geometry.length
    if edges is not None:
        slack = _WHOLE * geometry.length
        if edges[0] < low - slack or edges[-1] > high + slack:
            proposed = (
                ", or state the geometry, which was only proposed from the positions "
                "(geometry='linear' for a track of which one direction of running was kept)"
                if geometry.proposed
                else ""
            )
            raise ValueError(
                f"edges go from {edges[0]:g} to {edges[-1]:g}, outside the geometry ({geometry}): "
                f"choose them between {low:g} and {high:g} {geometry.unit}{proposed}"
            )
        whole = geometry.kind == "circular" and edges[0] <= low + slack
        closed = np.arange(0 if whole else 1)
        return Grid(edges, np.ones(edges.size - 1, dtype=bool), None, closed)
    n_bins = round(geometry.length / width)
    if n_bins < 1 or abs(geometry.length / width - n_bins) > _WHOLE * n_bins:
        near = max(1, n_bins)
        raise ValueError(
            f"{geometry.variable} is {geometry.kind} with a length of {geometry.length:g} "
            f"{geometry.unit}, which is no whole number of bins of {width:g} {geometry.unit}: "
            f"choose bin_width {geometry.length / near:.8g} ({near} bins) or another whole part"
        )
    lines = np.linspace(low, high, n_bins + 1)
    closed = np.arange(0 if geometry.kind == "circular" else 1)
    return Grid(lines, np.ones(n_bins, dtype=bool), None, closed)


def far_from_ends(geometry: Geometry, grid: Grid, least: float) -> np.ndarray:
    """Bins that lie so far from the ends of a corridor or a maze.

    Parameters
    ----------
    geometry
        The geometry.
    grid
        Its bins.
    least
        Distance [cm].

    Returns
    -------
    numpy.ndarray
        (bin) bool.

    Raises
    ------
    ValueError
        If the geometry has no ends.
    """
    slack = 1e-9 * (grid.edges[-1] - grid.edges[0])
    ends = grid.edges[:-1], grid.edges[1:]
    if geometry.kind == "vr":
        return np.asarray(
            (ends[0] >= grid.edges[0] + least - slack) & (ends[1] <= grid.edges[-1] - least + slack)
        )
    if geometry.kind == "graph" and (arms_of(geometry).degree() == 1).any():
        far = np.zeros(grid.kept.size, dtype=bool)
        some = grid.kept
        ways = [arms_of(geometry).from_ends(side[some]) for side in ends]
        far[some] = np.min(ways, axis=0) >= least - slack
        return far
    raise ValueError(
        f"exclude_ends is {least:g}, but the geometry ({geometry}) has no ends: leave it out"
    )


def _along_arms(geometry: Geometry, width: float) -> Grid:
    """Bins of each arm, with the spaces between arms as bins that are not kept."""
    arms = arms_of(geometry)
    lines: list[np.ndarray] = []
    kept: list[bool] = []
    parts: list[str] = []
    closed: list[int] = []
    for start, length, name in zip(arms.starts, arms.lengths, arms.names, strict=True):
        n_bins = max(1, round(length / width))
        if lines:
            kept.append(False)
            parts.append("")
        closed.append(sum(part.size for part in lines))
        lines.append(np.linspace(start, start + length, n_bins + 1))
        kept += [True] * n_bins
        parts += [name] * n_bins
    return Grid(
        np.concatenate(lines),
        np.array(kept),
        np.array(parts, dtype=object),
        np.array(closed, dtype=int),
    )


def _refuse_edges(edges: np.ndarray | None, geometry: Geometry) -> None:
    if edges is not None:
        raise ValueError(
            f"edges are given, but the geometry ({geometry}) has bins of its own: give bin_width"
        )
