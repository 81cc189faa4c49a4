"""What was seen, from the results of an analysis: half maps, or maps of whole sessions."""

from __future__ import annotations

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import only_registered
from neurodrift.geometry.geometry import geometry_of
from neurodrift.infer.observation.counts import Observed, order_of
from neurodrift.infer.observation.sessions import Undetected, days_of, whole_sessions

_INSTEAD = (
    "give the recording itself: neurodrift.drift_statistics(recording), or results of "
    'neurodrift.analyze(recording, measures=["half_maps"], smoothing=0)'
)


def observed_of_results(results: xr.DataTree, undetected: Undetected) -> Observed:
    """Rates of units in two halves of each session, from the node ``half_maps``.

    Parameters
    ----------
    results
        Of :func:`neurodrift.analyze`.
    undetected
        What a unit is that was not detected in a session.

    Returns
    -------
    Observed
        Time in each bin is not known, and taken to be even.

    Raises
    ------
    ValueError
        If there are no half maps, or they are smoothed.
    """
    if "half_maps" not in results.children:
        raise ValueError(
            "the results hold no node half_maps, which has the maps of both halves of each "
            f"session: {_INSTEAD}"
        )
    node = only_registered(_with_days(results, results["half_maps"].to_dataset()))
    smoothing = float(node.attrs.get("smoothing", 0.0))
    if smoothing > 0:
        raise ValueError(
            f"the half maps of these results are smoothed by {smoothing:g} cm, so that noise of "
            f"neighbouring bins is not independent: {_INSTEAD}"
        )
    dims = ("half", "session", "unit", "direction", "position")
    rate = node["rate"].transpose(*dims).values.astype(float)
    shape = (*rate.shape[:3], -1)
    n_directions, n_bins = rate.shape[3:]
    flat = rate.reshape(shape)
    seconds = np.isfinite(flat).any(axis=2).astype(float)
    detected = np.asarray(np.isfinite(flat).any(axis=(0, 3)))
    if "detected" in node:
        detected = node["detected"].transpose("session", "unit").values.astype(bool)
    return whole_sessions(
        node,
        undetected,
        np.nan_to_num(flat),
        seconds,
        detected,
        np.repeat(np.arange(n_directions), n_bins),
        geometry=order_of(geometry_of(node["x_bin"])),
        counts=node.attrs.get("activity_kind") != "activation",
    )


def counts_of_maps(results: xr.DataTree) -> Observed:
    """Events and time of whole sessions, from the node ``maps``.

    Parameters
    ----------
    results
        Of :func:`neurodrift.analyze`.

    Returns
    -------
    Observed
        Both halves are taken to be equal.

    Raises
    ------
    ValueError
        If there are no maps with events.
    """
    maps = results["maps"].to_dataset() if "maps" in results.children else xr.Dataset()
    if "events" not in maps or "session" not in maps["events"].dims:
        raise ValueError(
            "the results hold no maps with the events of every session: give the recording itself"
        )
    maps = only_registered(maps).compute()
    events = maps["events"].transpose("session", "unit", "direction", "position").values
    seconds = maps["occupancy"].transpose("session", "direction", "position").values
    n_sessions, n_units, n_directions, n_bins = events.shape
    return Observed(
        events=np.tile(np.nan_to_num(events).reshape(1, n_sessions, n_units, -1) / 2, (2, 1, 1, 1)),
        seconds=np.tile(np.nan_to_num(seconds).reshape(1, n_sessions, -1) / 2, (2, 1, 1)),
        detected=maps["detected"].transpose("session", "unit").values,
        day=days_of(maps),
        segment=np.repeat(np.arange(n_directions), n_bins),
        geometry=order_of(geometry_of(maps["x_bin"])),
    )


def _with_days(results: xr.DataTree, node: xr.Dataset) -> xr.Dataset:
    """The node with the days and steps that another node has of the same sessions."""
    sessions = node["session"].values
    for name in ("day", "training_step"):
        for other in results.children.values():
            found = other.coords.get(name)
            if found is None or found.dims != ("session",):
                continue
            if np.array_equal(found["session"].values, sessions):
                node = node.assign_coords({name: ("session", found.values)})
                break
    return node
