"""From places in the plane to positions along the arms of a maze.

References
----------
.. [1] Denovellis EL, Gillespie AK, Coulter ME, et al. Hippocampal replay of experience at
   real-world speeds. eLife 10, e64505 (2021). https://doi.org/10.7554/eLife.64505
   (the package ``track-linearization`` of its authors does the projection).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import xarray as xr

from neurodrift.geometry.arms import Arms, arms_of
from neurodrift.geometry.geometry import Geometry, as_geometry

FAR = 0.25  # of the shortest arm: a place so far from all arms is not on the maze


def linearize(
    recording: xr.Dataset,
    geometry: Geometry | Mapping[str, Any] | str,
    *,
    method: Literal["nearest", "hmm"] = "nearest",
    max_distance: float | None = None,
) -> xr.Dataset:
    """Lay the places of a recording in the plane onto the arms of a maze.

    Parameters
    ----------
    recording
        A recording with `x` and `y` [cm].
    geometry
        The maze, a graph whose nodes lie in the same plane.
    method
        ``nearest``: each place goes to the nearest arm. ``hmm``: the most likely way along the arms
        that touch each other, by the hidden Markov model of ``track-linearization``, for
        tracking that is rougher than half the distance of two arms.
    max_distance
        Places farther than this from every arm are not on the maze and become NaN [cm]; a quarter
        of the shortest arm when omitted.

    Returns
    -------
    xarray.Dataset
        A new recording without `y`, whose `x` is the linearised position: the arms one behind the
        other, with the spacing of the geometry between. Speed and direction that it had are
        dropped, as they were those in the plane; :func:`neurodrift.kinematics.running` derives
        them along the arms.

    Raises
    ------
    ImportError
        If ``track-linearization`` is not installed.
    ValueError
        If there is no `y`, the geometry is no graph, or most places are on no arm.

    Examples
    --------
    >>> import numpy as np
    >>> import neurodrift as nd
    >>> from neurodrift.geometry import linearize, t_maze
    >>> place = np.linspace(0, 80, 100)
    >>> recording = nd.recording_from_arrays(
    ...     np.zeros((100, 1), int), kind="events", frame_duration=0.05, x=0 * place, y=place
    ... )
    >>> linearize(recording, t_maze(80, 40))["x"].values[[0, 50, 99]].round(1).tolist()
    [0.0, 40.4, 80.0]
    """
    shape = as_geometry(geometry)
    if shape is None or shape.kind != "graph":
        raise ValueError(f"geometry is {shape}, expected a graph: its arms are what is run along")
    if "x" not in recording or "y" not in recording:
        raise ValueError("the recording has no x and y, so there is nothing to linearise")
    places = np.column_stack([recording["x"].values, recording["y"].values])
    x = along(shape, places, method=method, max_distance=max_distance)
    dropped = [name for name in ("y", "speed", "direction", "lap") if name in recording]
    result = recording.drop_vars(dropped).assign(x=("time", x, dict(recording["x"].attrs)))
    result.attrs = {**recording.attrs, "geometry": shape.to_json()}
    return result


def along(
    geometry: Geometry,
    places: np.ndarray,
    *,
    method: Literal["nearest", "hmm"] = "nearest",
    max_distance: float | None = None,
) -> np.ndarray:
    """Linearised position of places in the plane.

    Parameters
    ----------
    geometry
        The maze, a graph.
    places
        (time, 2) places [cm], NaN where there is none.
    method, max_distance
        As for :func:`linearize`.

    Returns
    -------
    numpy.ndarray
        (time) [cm], NaN for no place and for one that is too far from every arm.

    Raises
    ------
    ValueError
        If most places are on no arm.
    """
    arms = arms_of(geometry)
    limit = FAR * float(arms.lengths.min()) if max_distance is None else float(max_distance)
    x, away = project(arms, np.asarray(places, dtype=float), method=method)
    tracked = np.isfinite(x)
    far = tracked & (away > limit)
    if far.sum() > 0.5 * max(int(tracked.sum()), 1):
        raise ValueError(
            f"{int(far.sum())} of {int(tracked.sum())} places lie more than {limit:.3g} cm from "
            f"every arm of the {geometry}: are its nodes in cm of the positions?"
        )
    x[far] = np.nan
    return x


def project(
    arms: Arms, places: np.ndarray, *, method: Literal["nearest", "hmm"] = "nearest"
) -> tuple[np.ndarray, np.ndarray]:
    """Linearised position of places in the plane, by ``track-linearization``.

    Parameters
    ----------
    arms
        The arms of the maze.
    places
        (time, 2) places [cm], NaN where there is none.
    method
        As for :func:`linearize`.

    Returns
    -------
    x, away
        (time) linearised position and distance of the place from its arm [cm]; NaN for no place.
    """
    if method not in ("nearest", "hmm"):
        raise ValueError(f"method is {method!r}, expected nearest or hmm")
    try:
        from track_linearization import get_linearized_position, make_track_graph
    except ImportError as error:
        raise ImportError(
            "linearising needs track-linearization: pip install 'neurodrift[track-graphs]'"
        ) from error
    edges = [(int(a), int(b)) for a, b in arms.ends]
    track = make_track_graph([tuple(place) for place in arms.places.tolist()], edges)
    x = np.full(len(places), np.nan)
    away = np.full(len(places), np.nan)
    tracked = np.flatnonzero(np.isfinite(places).all(axis=1))
    if not tracked.size:
        return x, away
    found = get_linearized_position(
        places[tracked],
        track,
        edge_order=edges,
        edge_spacing=0.0,
        use_HMM=method == "hmm",
    )
    own = found["track_segment_id"].to_numpy()
    # Their ids are those of the graph's edges; ours are the order of the arms.
    number = {track.edges[edge]["edge_id"]: i for i, edge in enumerate(edges)}
    arm = np.array([number[int(i)] for i in own])
    start = arms.places[arms.ends[arm, 0]]
    on_arm = found[["projected_x_position", "projected_y_position"]].to_numpy()
    offset = np.hypot(*(on_arm - start).T)
    x[tracked] = arms.starts[arm] + np.clip(offset, 0.0, arms.lengths[arm])
    away[tracked] = np.hypot(*(places[tracked] - on_arm).T)
    return x, away
