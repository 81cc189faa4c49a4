"""Noise ceiling of drift: similarity of two halves of one session."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import xarray as xr

from neurodrift.analysis.drift.drift import first_index
from neurodrift.analysis.maps.binning import Binning
from neurodrift.analysis.maps.rate_maps import compute_rate_maps
from neurodrift.recording import slice_sessions
from neurodrift.schema import label
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import DRIFT


@checked_options
def compute_half_maps(
    recording: xr.Dataset,
    *,
    binning: Binning | None = None,
    smoothing: float = 0.0,
    split: Literal["trial", "lap", "block"] = "trial",
    block: float = 60.0,
) -> xr.Dataset:
    """Rate maps of two halves of every session, apart for each map label.

    Parameters
    ----------
    recording
        A recording with a position; NumPy or Dask.
    binning, smoothing
        As for :func:`neurodrift.compute_rate_maps`.
    split
        ``"trial"``: every second trial; ``"lap"``: every second pair of laps, so that both
        halves hold both running directions; ``"block"``: every second stretch of `block`
        seconds, for sessions of one trial. Trials and laps of one map are counted by
        themselves.
    block
        Length of a stretch [s].

    Returns
    -------
    xarray.Dataset
        Maps over ``segment`` with the coordinates ``session``, ``half`` (0, 1) and, where the
        recording has labels, ``map_label``; for :func:`compute_drift`.

    Raises
    ------
    ValueError
        If the recording has no position, trial or lap.

    Examples
    --------
    >>> from neurodrift import testing
    >>> from neurodrift.analysis.drift.ceiling import compute_half_maps
    >>> halves = compute_half_maps(testing.linear_track(n_units=3, n_sessions=2))
    >>> halves["session"].values.tolist(), halves["half"].values.tolist()
    (['1', '1', '2', '2'], [0, 1, 0, 1])
    """
    code = np.full(recording.sizes["time"], -1, dtype=np.int64)
    if split in ("trial", "lap"):
        if split not in recording:
            raise ValueError(f"split={split!r}, but the recording has no {split}: use 'block'")
        part = recording[split].values.astype(np.int64)
    elif split == "block":
        part = np.zeros(recording.sizes["time"], dtype=np.int64)
    else:
        raise ValueError(f"split is {split!r}, expected 'trial', 'lap' or 'block'")
    labels = np.zeros_like(code)
    if "map_label" in recording:
        labels = recording["map_label"].values.astype(np.int64)
    together = 2 if split == "lap" else 1
    for where in slice_sessions(recording):
        if split == "block":
            clock = recording["time"].values[where]
            part[where] = (clock - clock[:1]) // block
        for map_label in np.unique(labels[where]):
            own = np.flatnonzero((labels[where] == map_label) & (part[where] >= 0)) + where.start
            rank = np.unique(part[own], return_inverse=True)[1]
            code[own] = 2 * map_label + rank // together % 2
    maps = compute_rate_maps(
        recording,
        binning=binning,
        smoothing=smoothing,
        by=xr.DataArray(code, dims="time"),
    )
    group = maps["group"].values
    maps = maps.drop_vars("group").assign_coords(half=("segment", group % 2))
    return maps.assign_coords(map_label=("segment", group // 2)) if labels.any() else maps


def finest_split(recording: xr.Dataset) -> Literal["trial", "lap", "block"]:
    """The finest labels that cut every session into halves: trials, otherwise laps or stretches.

    Parameters
    ----------
    recording
        A recording over (session, time, unit).

    Returns
    -------
    str
        A `split` for :func:`compute_half_maps`.
    """
    index = recording["session_index"].values
    for name in ("trial", "lap"):
        if name in recording:
            values = recording[name].values
            n_parts = [
                np.unique(values[(index == i) & (values >= 0)]).size
                for i in np.unique(index)  # sessions without a frame have nothing to cut
            ]
            if n_parts and min(n_parts) >= (2 if name == "trial" else 4):
                return "trial" if name == "trial" else "lap"
    return "block"


def compute_session_drift(segments: xr.Dataset) -> xr.Dataset:
    """Reduce the drift between segments to sessions, with the noise ceiling.

    Parameters
    ----------
    segments
        Result of :func:`compute_drift` over segments (trials, halves, map labels). Where segments
        have map labels, only pairs of the same map enter.

    Returns
    -------
    xarray.Dataset
        Over (session_a, session_b): the mean of every measure over pairs of a segment of a and
        another of b, ``n_pairs`` of them; counts are summed. The diagonal holds pairs within a
        session: the noise ceiling, from as much data as each other pair. For the three
        correlations also ``_relative``, divided by the geometric mean of the two sessions'
        ceilings; NaN where a ceiling is missing or not positive.

    Raises
    ------
    ValueError
        If the drift is not over segments.

    Examples
    --------
    >>> from neurodrift import testing
    >>> from neurodrift.analysis.drift.ceiling import compute_half_maps, compute_session_drift
    >>> from neurodrift.analysis.drift.drift import compute_drift
    >>> recording = testing.linear_track(n_units=20, n_sessions=3, drift=0.3)
    >>> sessions = compute_session_drift(compute_drift(compute_half_maps(recording, smoothing=4.0)))
    >>> sessions["rate_map_correlation"].round(2).values.tolist()
    [[0.6, 0.57, 0.42], [0.57, 0.64, 0.44], [0.42, 0.44, 0.67]]
    >>> sessions["rate_map_correlation_relative"].round(2).values[0].tolist()
    [1.0, 0.91, 0.67]
    """
    if "segment_a" not in segments.dims:
        raise ValueError("expected the drift between segments: make maps by trial, half or label")
    labels = segments["session_a"].values
    sessions, member = np.unique(first_index(labels), return_inverse=True)
    n_sessions, dims = sessions.size, ("session_a", "session_b")
    first, second = np.triu_indices(labels.size, k=1)
    if "same_map" in segments.coords:
        usable = segments["same_map"].values[first, second]
        first, second = first[usable], second[usable]
    low, high = np.sort([member[first], member[second]], axis=0)

    def total(numbers: np.ndarray) -> np.ndarray:
        upper = np.bincount(low * n_sessions + high, weights=numbers, minlength=n_sessions**2)
        upper = upper.reshape(n_sessions, n_sessions)
        return upper + np.triu(upper, k=1).T

    result: dict[str, Any] = {"n_pairs": (dims, total(np.ones(first.size)).astype(np.int64))}
    for name, array in segments.data_vars.items():
        if array.ndim > 2 or str(name).endswith("_p"):
            continue
        values = array.values[first, second].astype(float)
        if str(name).endswith("_n"):
            result[str(name)] = (dims, total(values).astype(np.int64))
            continue
        found = np.isfinite(values)
        number = total(found.astype(float))
        mean = np.full(number.shape, np.nan)
        np.divide(total(np.where(found, values, 0.0)), number, out=mean, where=number > 0)
        result[str(name)] = (dims, mean)
    coords: dict[str, Any] = {
        "session_a": ("session_a", labels[sessions]),
        "session_b": ("session_b", labels[sessions]),
    }
    for name in ("lag", "lag_day", "lag_experience", "lag_training_step"):
        if name in segments.coords:
            coords[name] = (dims, segments[name].values[np.ix_(sessions, sessions)])
    for name in ("subject", "environment"):
        if name in segments.coords:
            coords[name] = segments[name].variable
    reduced = label(xr.Dataset(result, coords=coords), DRIFT)
    reduced.attrs = dict(segments.attrs)
    return reduced
