"""What was seen in halves of the sessions of a recording."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import only_registered
from neurodrift.analysis.drift.ceiling import compute_half_maps, finest_split
from neurodrift.analysis.maps.binning import Binning, as_binning
from neurodrift.analysis.maps.rate_maps import compute_rate_maps
from neurodrift.geometry.geometry import geometry_of
from neurodrift.infer.observation.counts import Observed, order_of
from neurodrift.infer.observation.results import observed_of_results
from neurodrift.infer.observation.sessions import Undetected, whole_sessions
from neurodrift.infer.observation.subset import evenly
from neurodrift.recording import slice_sessions
from neurodrift.schema.kinds import expect_kind
from neurodrift.schema.objects import expect_choice

MOST_INPUTS = 200
"""Inputs of a task without position that are taken, evenly over all, where there are more."""


def observed_of(
    source: xr.Dataset | xr.DataTree,
    *,
    binning: Binning | None = None,
    undetected: Undetected = "auto",
) -> Observed:
    """Counts of units in two halves of each session of a recording.

    Conditions are bins of position, in each running direction apart, where the recording has a
    position; on a line, a circle or a corridor they have an order. Without a position they are the
    inputs of a network (its frames, the same in every session; at most `MOST_INPUTS`), or the
    trial types of an animal. Of several maps of the environment (``map_label``) it is the one that
    most sessions have. Halves are every second trial, pair of laps or minute; of a network,
    whose activity has no noise, both halves are the whole session.

    Parameters
    ----------
    source
        A recording, or results of :func:`neurodrift.analyze` whose node ``half_maps`` is not
        smoothed; their time in each bin is not known, and taken to be even.
    binning
        As for :func:`neurodrift.compute_half_maps`; of a recording only.
    undetected
        ``"missing"``, ``"silent"`` or ``"auto"``, as for :func:`neurodrift.drift_statistics`.

    Returns
    -------
    Observed
        Of registered units, and of sessions that have both halves. Days are those of the recording
        where they increase, else training steps, else the order of the sessions.

    Raises
    ------
    TypeError
        If `source` is neither a recording nor results.
    ValueError
        If the activity is fluorescence or below 0, there are no conditions, no session has two
        halves, or the results hold no half maps that are not smoothed.

    Examples
    --------
    >>> from neurodrift import testing
    >>> from neurodrift.infer.observation.recording import observed_of
    >>> observed_of(testing.linear_track(n_units=4, n_sessions=2)).events.shape
    (2, 2, 4, 50)
    """
    expect_choice("undetected", undetected, ("auto", "missing", "silent"))
    if isinstance(source, xr.DataTree):
        return observed_of_results(source, undetected)
    if not isinstance(source, xr.Dataset) or "activity" not in source:
        raise TypeError(
            f"expected a recording or results of neurodrift.analyze, got {type(source).__name__}"
            + (" without activity" if isinstance(source, xr.Dataset) else "")
        )
    expect_kind(source, "information", "drift statistics")
    recording = only_registered(source)
    noisy = recording["activity"].attrs["kind"] != "activation"
    if "x" in recording:
        events, seconds, detected, segment = _on_a_map(recording, binning, noisy)
        geometry = order_of(geometry_of(recording))
    else:
        events, seconds, detected, segment = _of_inputs(recording, noisy)
        geometry = "none"
    return whole_sessions(
        recording, undetected, events, seconds, detected, segment, geometry=geometry, counts=noisy
    )


_Arrays = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _on_a_map(recording: xr.Dataset, binning: Binning | None, noisy: bool) -> _Arrays:
    """Events (half, session, unit, condition), seconds, detected (session, unit), segment."""
    binning = replace(as_binning(binning), unused_sessions="keep")
    if noisy:
        maps = compute_half_maps(recording, binning=binning, split=finest_split(recording))
        half = maps["half"].values
    else:
        maps = compute_rate_maps(recording, binning=binning).rename(session="segment")
        maps = maps.assign_coords(session=("segment", recording["session"].values))
        half = np.zeros(maps.sizes["segment"], dtype=int)
    maps = maps.compute()
    seconds = maps["occupancy"].transpose("segment", "direction", "position").values
    what = "events" if noisy else "rate"  # of a level, which does not add up
    amount = maps[what].transpose("segment", "unit", "direction", "position").values
    if not noisy:
        amount = amount * seconds[:, None]
    n_directions, n_bins = seconds.shape[1:]
    names = recording["session"].values.astype(str)
    owner = maps["session"].values.astype(str)
    labels = maps["map_label"].values if "map_label" in maps.coords else np.zeros(owner.size)
    shape = (2, names.size, amount.shape[1], n_directions * n_bins)
    events = np.full(shape, np.nan)
    spent = np.zeros((2, names.size, n_directions * n_bins))
    commonest = _commonest_map(labels, owner, half, seconds)
    for s, name in enumerate(names):
        own = (owner == name) & (labels == commonest)
        events[half[own], s] = amount[own].reshape(own.sum(), *shape[2:])
        spent[half[own], s] = seconds[own].reshape(own.sum(), shape[3])
    if not noisy:
        events[1], spent[1] = events[0], spent[0]
    detected = recording["detected"].transpose("session", "unit").values
    return np.nan_to_num(events), spent, detected, np.repeat(np.arange(n_directions), n_bins)


def _commonest_map(
    labels: np.ndarray, owner: np.ndarray, half: np.ndarray, seconds: np.ndarray
) -> int:
    """Label of the map that most sessions have in both halves, the longest of equals."""
    found: dict[int, tuple[int, float]] = {}
    for item in np.unique(labels):
        own = labels == item
        spent = seconds[own].sum(axis=(1, 2))
        visited = set(zip(owner[own][spent > 0], half[own][spent > 0], strict=True))
        whole = sum((name, 0) in visited and (name, 1) in visited for name in set(owner[own]))
        found[int(item)] = (whole or len({name for name, _ in visited}), float(spent.sum()))
    return max(found, key=lambda item: found[item])


def _of_inputs(recording: xr.Dataset, noisy: bool) -> _Arrays:
    """The same of a recording without position."""
    parts = [*slice_sessions(recording)]
    lengths = [part.stop - part.start for part in parts]
    duration = recording["frame_duration"].values
    if not noisy:
        if len(set(lengths)) != 1:
            raise ValueError(
                f"sessions have from {min(lengths)} to {max(lengths)} inputs and no position, so "
                "that inputs of different sessions cannot be matched: record the same inputs in "
                "every session"
            )
        chosen = evenly(lengths[0], MOST_INPUTS)
        at = np.concatenate([part.start + chosen for part in parts])
        activity = recording["activity"].transpose("time", "unit").isel(time=at).values
        activity = activity.reshape(len(parts), chosen.size, -1).swapaxes(1, 2).astype(float)
        events = np.stack([activity, activity])
        return (
            events,
            np.ones((2, len(parts), chosen.size)),
            recording["detected"].transpose("session", "unit").values,
            np.zeros(chosen.size, dtype=np.int64),
        )
    if "trial_type" not in recording:
        raise ValueError(
            "the recording has no position and no trial_type, so that there is nothing that "
            "activity could be compared at: give it x, or trial_type (and trial)"
        )
    types = recording["trial_type"].values.astype(np.int64)
    names = np.unique(types[types >= 0])
    n_units = recording.sizes["unit"]
    events = np.zeros((2, len(parts), n_units, names.size))
    seconds = np.zeros((2, len(parts), names.size))
    for s, part in enumerate(parts):
        activity = recording["activity"].transpose("time", "unit").isel(time=part).values
        half = _halves_of_trials(recording, part, types[part])
        for c, name in enumerate(names):
            for h in range(2):
                frames = (types[part] == name) & (half == h)
                events[h, s, :, c] = activity[frames].sum(axis=0)
                seconds[h, s, c] = duration[part][frames].sum()
    detected = recording["detected"].transpose("session", "unit").values
    return events, seconds, detected, np.zeros(names.size, dtype=np.int64)


def _halves_of_trials(recording: xr.Dataset, part: slice, types: np.ndarray) -> np.ndarray:
    """(time) 0 and 1 for every second trial of each type, -1 outside."""
    if "trial" in recording:
        trial = recording["trial"].values[part].astype(np.int64)
    else:  # a trial is a stretch of one type
        trial = np.cumsum(np.append(True, types[1:] != types[:-1])) if types.size else types
    half = np.full(types.size, -1)
    for name in np.unique(types[types >= 0]):
        own = (types == name) & (trial >= 0)
        half[own] = np.unique(trial[own], return_inverse=True)[1] % 2
    return half
