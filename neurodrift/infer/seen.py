"""From a recording, or the results of its analysis, to what was seen in halves of its sessions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import only_registered
from neurodrift.analysis.drift.ceiling import compute_half_maps, finest_split
from neurodrift.analysis.maps.binning import Binning, as_binning
from neurodrift.analysis.maps.rate_maps import compute_rate_maps
from neurodrift.geometry.geometry import geometry_of
from neurodrift.infer.measures.view import evenly
from neurodrift.infer.observed import Observed, order_of
from neurodrift.infer.statistics import statistics_of
from neurodrift.recording import slice_sessions
from neurodrift.schema.kinds import expect_kind
from neurodrift.schema.objects import expect_choice
from neurodrift.schema.options import checked_options

MOST_INPUTS = 200
"""Inputs of a task without position that are taken, evenly over all, where there are more."""

Undetected = Literal["auto", "missing", "silent"]
"""What a unit is that was not detected in a session."""


@checked_options
def drift_statistics(
    source: xr.Dataset | xr.DataTree | Observed,
    *,
    binning: Binning | None = None,
    undetected: Undetected = "auto",
    se: bool = True,
    seed: int = 0,
) -> xr.Dataset:
    r"""Statistics of drift as one vector, the same for animals and networks.

    They speak of the rule that moves a code, not of the recording: time is from the first session
    to the last whatever its unit, rates are over each session's gain and most over each unit's own
    mean, similarities are over those between halves of one session, and squares are products of
    halves, so that few events do not enlarge them.

    Parameters
    ----------
    source
        A recording; or results of :func:`neurodrift.analyze` with maps that are not smoothed; or
        what :func:`neurodrift.infer.seen.observed_of` gives.
    binning
        Bins of position and frames that count, as for :func:`neurodrift.compute_half_maps`; of a
        recording only.
    undetected
        What a unit is that was not detected in a session: ``"missing"``; ``"silent"``; or
        ``"auto"``: silent where cells were found in each session by their activity (attribute
        ``detection`` is ``each_session``), otherwise missing.
    se
        Whether standard errors are computed (:func:`neurodrift.infer.statistics.statistics_of`).
    seed
        Of random groups of units.

    Returns
    -------
    xarray.Dataset
        ``value`` and, where asked for, ``se`` (statistic) [1]. NaN where a statistic is not
        defined. docs/drift-statistics.md says what each is, why it speaks of the rule, and what
        biases it.

    Raises
    ------
    TypeError
        If `source` is none of these.
    ValueError
        If the activity is fluorescence or below 0, there are neither positions nor trial types nor
        inputs, no session has two halves, or the results hold no such maps.

    Notes
    -----
    With the activity :math:`f^h_a` of half h of session a, a similarity of sessions a and b is

    .. math:: S_{ab} = \frac{\overline{f_a^h \cdot f_b^k}}
        {\sqrt{(f_a^1 \cdot f_a^2)(f_b^1 \cdot f_b^2)}}

    with products summed over units and conditions before they are divided [1]_. Standard errors
    come from leaving out one of 20 groups of units in turn, and say how much it mattered which
    cells were seen; they say nothing of other animals.

    References
    ----------
    .. [1] Spearman (1904), Am J Psychol 15:72. https://doi.org/10.2307/1412159

    Examples
    --------
    >>> import neurodrift as nd
    >>> from neurodrift import testing
    >>> recording = testing.linear_track(n_units=40, n_sessions=4, drift=0.3)
    >>> found = nd.drift_statistics(recording)
    >>> found["value"].dims, bool(found["value"].sel(statistic="maps_first") < 1)
    (('statistic',), True)
    """
    if isinstance(source, Observed):
        return statistics_of(source, se=se, seed=seed)
    observed = observed_of(source, binning=binning, undetected=undetected)
    found = statistics_of(observed, se=se, seed=seed)
    own = {
        name: source[name].values for name in ("subject", "environment") if name in source.coords
    }
    return found.assign_coords(own)


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
    >>> from neurodrift.infer.seen import observed_of
    >>> observed_of(testing.linear_track(n_units=4, n_sessions=2)).events.shape
    (2, 2, 4, 50)
    """
    expect_choice("undetected", undetected, ("auto", "missing", "silent"))
    if isinstance(source, xr.DataTree):
        return _of_results(source, undetected)
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
    return _finished(
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


def _of_results(results: xr.DataTree, undetected: Undetected) -> Observed:
    what = "give the recording itself: neurodrift.drift_statistics(recording)"
    if "half_maps" not in results.children:
        raise ValueError(
            "the results hold no node half_maps, which has the maps of both halves of each "
            f"session: {what}, or results of neurodrift.analyze(recording, smoothing=0)"
        )
    node = only_registered(_with_days(results, results["half_maps"].to_dataset()))
    smoothing = float(node.attrs.get("smoothing", 0.0))
    if smoothing > 0:
        raise ValueError(
            f"the half maps of these results are smoothed by {smoothing:g} cm, so that noise of "
            f"neighbouring bins is not independent: {what}, or results of "
            "neurodrift.analyze(recording, smoothing=0)"
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
    return _finished(
        node,
        undetected,
        np.nan_to_num(flat),
        seconds,
        detected,
        np.repeat(np.arange(n_directions), n_bins),
        geometry=order_of(geometry_of(node["x_bin"])),
        counts=node.attrs.get("activity_kind") != "activation",
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


def _finished(
    source: xr.Dataset,
    undetected: Undetected,
    events: np.ndarray,
    seconds: np.ndarray,
    detected: np.ndarray,
    segment: np.ndarray,
    **rest: Any,
) -> Observed:
    """Sessions that have both halves, with their days."""
    if (events < 0).any():
        raise ValueError(
            "some activity is below 0, and drift statistics are of rates: give events, or the "
            "activity of rectified units"
        )
    if undetected == "auto":
        each = source.attrs.get("detection") == "each_session"
        undetected = "silent" if each else "missing"
    if undetected == "silent":
        detected = np.ones_like(detected)
    whole = (seconds.sum(axis=-1) > 0).all(axis=0)
    if not whole.any():
        raise ValueError(
            "no session has two halves with a frame that counts: sessions need two trials, four "
            "laps or two minutes"
        )
    return Observed(
        events=events[:, whole],
        seconds=seconds[:, whole],
        detected=detected[whole],
        day=_days(source)[whole],
        segment=segment,
        **rest,
    )


def _days(source: xr.Dataset) -> np.ndarray:
    for name in ("day", "training_step"):
        if name in source.coords:
            days = source[name].values.astype(float)
            if np.isfinite(days).all() and (np.diff(days) > 0).all():
                return np.asarray(days)
    return np.arange(source.sizes["session"], dtype=float)
