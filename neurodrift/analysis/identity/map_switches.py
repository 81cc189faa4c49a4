"""Switches of a population between several maps of one environment, found without labels."""

from __future__ import annotations

from typing import Literal

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import node_of
from neurodrift.analysis.drift.drift import first_index
from neurodrift.analysis.identity._map_clusters import (
    Intervals,
    Split,
    compare,
    loadings,
    part,
    rejoin,
    settle,
)
from neurodrift.analysis.identity._similarity import Agreement, agreement
from neurodrift.analysis.maps.binning import Binning, as_binning
from neurodrift.analysis.maps.rate_maps import compute_rate_maps
from neurodrift.recording import slice_sessions
from neurodrift.schema import RECORDING, check, label
from neurodrift.schema.objects import expect_dataset
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import MAP_SWITCHES

_DEFAULT_BLOCK = {"trial": 1, "lap": 4, "block": 180.0}

Segments = Literal["trial", "lap", "block"]


@checked_options
def detect_maps(
    recording: xr.Dataset,
    *,
    split: Segments | None = None,
    block: float | None = None,
    binning: Binning | None = None,
    smoothing: float | None = None,
    alpha: float = 0.01,
) -> xr.Dataset:
    r"""Find out how many maps a population has of one environment, and when it uses which.

    Parameters
    ----------
    recording
        A recording with a position; NumPy or Dask. Its own ``map_label`` is not used.
    split
        What the segments are that one map each is assumed for: ``"trial"``; ``"lap"``, `block`
        successive laps; ``"block"``, stretches of `block` seconds. Trials when omitted, or laps
        where sessions have one trial, or blocks.
    block
        Laps or seconds in one segment; 4 laps or 180 s when omitted.
    binning
        Position bins and the frames that count; the defaults of :class:`Binning` when omitted.
    smoothing
        Standard deviation of a Gaussian over position [cm]; the width of a bin when omitted.
    alpha
        Level at which one map is rejected.

    Returns
    -------
    xarray.Dataset
        Over ``segment``: ``map_label`` (numbered by first use, 0 = unknown), ``confidence`` (that
        the label is right rather than the next best) and ``loading`` (segment, one_map), how much
        of each map a segment shows; ``similarity`` (segment, other) with its standard error and
        ``n_units``; over (one_map, other_map): ``kept``, the similarity between two maps over what
        the drift within them would leave, with ``kept_se`` and ``kept_p``; ``n_maps``;
        ``kept_by_split``, ``kept_by_split_se`` and ``p_one_map`` for the parting of the segments
        that speaks most against a single map; ``retention`` (interval), what drift leaves of a
        map after so long [d or sessions].

    Raises
    ------
    ValueError
        If there is no position, or no trial or lap where one is asked for.

    Notes
    -----
    The similarity of two segments is that of their maps over the units detected in both and the
    bins visited in both, 0 on average for shuffled units. With one map and gradual drift,
    :math:`S_{ij} = r_i r_j D(|t_i - t_j|)`, where :math:`r` is how well a segment shows the map
    and the retention :math:`D \le 1` falls with the time between the sessions. The segments are
    parted in two (average linkage, then by their loadings); r and D are fitted to the pairs
    within the parts, and

    .. math:: \kappa = \sum S_{ij} e_{ij} / \sum e_{ij}^2, \quad e_{ij} = r_i r_j D_{ij}

    over pairs across them is 1 if the parts are one map and about 0 if they are two unrelated
    ones. They count as two if :math:`\kappa` is below 1/4 (one-sided jackknife over units), or if
    it is below 1/2 and a map comes back: if pairs across are also less than half as similar as
    pairs of one part in sessions around them, which no drift does, however fast at times. Each
    part must be similar in itself and be seen at least twice: in two trials or sessions, or in two
    stretches of one that other segments lie between; a map seen once cannot be told from a fault.
    Both are parted again until nothing is left to part.
    Which units are the same must be right: see :func:`neurodrift.check_registration`.

    References
    ----------
    .. [1] Sheintuch et al. (2020), Curr Biol. https://doi.org/10.1016/j.cub.2020.02.018

    Examples
    --------
    >>> from neurodrift import detect_maps, testing
    >>> recording = testing.several_maps([[1, 1, 2], [2, 1, 1], [2, 2, 1]], n_units=80)
    >>> detect_maps(recording)["map_label"].values.tolist()
    [1, 1, 2, 2, 1, 1, 2, 2, 1]
    """
    check(recording)
    binning = as_binning(binning)
    smoothing = binning.smoothing_or_default(smoothing)
    split = _finest(recording) if split is None else split
    if split not in _DEFAULT_BLOCK:
        raise ValueError(f"split is {split!r}, expected 'trial', 'lap' or 'block'")
    block = _DEFAULT_BLOCK[split] if block is None else block
    group = _segments(recording, split, block)
    maps = compute_rate_maps(recording, binning=binning, smoothing=smoothing, by=group)
    maps = maps.isel(segment=(maps["occupancy"] > 0).any(["direction", "position"]).values)
    similar = agreement(maps)
    at = _times(maps)
    intervals = Intervals.between(at)
    visit = _visits(recording, group, maps)
    groups, first = part(np.arange(at.size), similar, intervals, at, visit, alpha)
    groups = rejoin(groups, similar, intervals, at, alpha)
    settled = settle(groups, similar, intervals, visit)
    return _result(maps, split, similar, intervals, at, settled, first).assign_attrs(
        split=split,
        block=float(block),
        alpha=alpha,
        binning=binning.to_json(),
        smoothing=smoothing,
    )


def label_maps(recording: xr.Dataset, detected: xr.Dataset | xr.DataTree) -> xr.Dataset:
    """Put detected maps onto a recording, to be used like given labels.

    Parameters
    ----------
    recording
        The recording that the maps were detected in; it is not changed.
    detected
        Result of :func:`detect_maps`, or the results of :func:`neurodrift.analyze`.

    Returns
    -------
    xarray.Dataset
        The recording with ``map_label`` (time), 0 where it is unknown.

    Raises
    ------
    ValueError
        If the segments are not those of the recording.

    Examples
    --------
    >>> from neurodrift import detect_maps, label_maps, testing
    >>> recording = testing.several_maps([[1, 1, 2], [2, 1, 1], [2, 2, 1]], n_units=80)
    >>> unlabelled = recording.drop_vars("map_label")
    >>> labelled = label_maps(unlabelled, detect_maps(unlabelled))
    >>> bool((labelled["map_label"] == recording["map_label"]).all())
    True
    """
    check(recording)
    detected = node_of(detected, "map_switches")
    expect_dataset("detected", detected, ["map_label", "split", "block"], "maps (detect_maps)")
    group = _segments(recording, detected.attrs["split"], detected.attrs["block"]).values
    labels = np.zeros(recording.sizes["time"], dtype=np.int16)
    found = {
        (str(session), int(number)): int(value)
        for session, number, value in zip(
            detected["session"].values,
            detected[detected.attrs["split"]].values,
            detected["map_label"].values,
            strict=True,
        )
    }
    names = [str(item) for item in recording["session"].values]
    unknown = sorted({session for session, _ in found} - set(names))
    if unknown:
        raise ValueError(f"the recording has no session {', '.join(unknown)} of the maps detected")
    for session, where in zip(names, slice_sessions(recording), strict=True):
        for number in np.unique(group[where][group[where] >= 0]).tolist():
            labels[where][group[where] == number] = found.get((session, number), 0)
    labelled = recording.assign(map_label=("time", labels))
    attrs = {"long_name": RECORDING["map_label"].doc, "units": "1", "source": "detect_maps"}
    labelled["map_label"].attrs.update(attrs)
    return labelled


def _finest(recording: xr.Dataset) -> Segments:
    """Trials where a session has several, otherwise laps or stretches of time."""
    index = recording["session_index"].values
    if "trial" in recording:
        trial = recording["trial"].values
        pairs = np.unique(np.stack([index, trial])[:, trial >= 0], axis=1)
        if pairs.shape[1] > np.unique(pairs[0]).size:
            return "trial"
    return "lap" if "lap" in recording and (recording["lap"].values >= 0).any() else "block"


def _segments(recording: xr.Dataset, split: Segments, block: float) -> xr.DataArray:
    """Number (time) of each frame's segment within its session, -1 = none."""
    if not block > 0 or (split != "block" and block != int(block)):
        raise ValueError(f"block is {block}, expected a number of {split}s or seconds above 0")
    if split != "block" and split not in recording:
        raise ValueError(f"split={split!r}, but the recording has no {split}: use split='block'")
    code = np.full(recording.sizes["time"], -1, dtype=np.int64)
    for where in slice_sessions(recording):
        if split == "block":
            clock = recording["time"].values[where]
            code[where] = (clock - clock[:1]) // block
            continue
        values = recording[split].values[where].astype(np.int64)
        if split == "lap":  # laps that lie together, whatever their numbers
            rank = np.unique(values, return_inverse=True)[1] - np.count_nonzero(
                np.unique(values) < 0
            )
            values = np.where(values >= 0, rank // int(block), -1)
        code[where] = values
    return xr.DataArray(code, dims="time", name=split)


def _visits(recording: xr.Dataset, group: xr.DataArray, maps: xr.Dataset) -> np.ndarray:
    """Number (segment) of the session and trial that each segment lies in."""
    labels = recording["session"].values.tolist()
    slices = dict(zip(labels, slice_sessions(recording), strict=True))
    trial = recording["trial"].values if "trial" in recording else np.zeros(group.size, dtype=int)
    where = []
    for session, number in zip(maps["session"].values, maps["group"].values, strict=True):
        frames = slices[session]
        middle = np.median(np.flatnonzero(group.values[frames] == number))
        where.append((labels.index(session), trial[frames][int(middle)]))
    return np.unique(where, axis=0, return_inverse=True)[1].ravel()


def _times(maps: xr.Dataset) -> np.ndarray:
    """When the session of each segment was: days, or its number."""
    if "day" in maps.coords and np.isfinite(maps["day"].values).all():
        return maps["day"].values.astype(float)
    return first_index(maps["session"].values).astype(float)


def _result(
    maps: xr.Dataset,
    segments_are: Segments,
    similar: Agreement,
    intervals: Intervals,
    at: np.ndarray,
    settled: tuple[np.ndarray, np.ndarray, np.ndarray],
    split: Split | None,
) -> xr.Dataset:
    labels, confidence, shown = settled
    n_maps = int(labels.max(initial=0))
    kept = np.full((3, n_maps, n_maps), np.nan)
    for a in range(n_maps):
        for b in range(a + 1, n_maps):
            first, second = np.flatnonzero(labels == a + 1), np.flatnonzero(labels == b + 1)
            between = compare(first, second, similar, intervals, at)
            kept[:, a, b] = kept[:, b, a] = between.kept, between.se, between.p
    segments, both = ("segment", "other"), ("one_map", "other_map")
    retention = loadings(similar.whole, labels, intervals)[1].retention
    numbers = np.arange(n_maps) + 1
    coords = {
        name: ("segment", maps[name].values)
        for name in ("session", "day", "experience")
        if name in maps.coords
    }
    result = xr.Dataset(
        {
            "map_label": ("segment", labels),
            "confidence": ("segment", confidence),
            "loading": (("segment", "one_map"), shown.T),
            "similarity": (segments, similar.whole),
            "similarity_se": (segments, similar.se),
            "n_units": (segments, similar.n_units),
            "kept": (both, kept[0]),
            "kept_se": (both, kept[1]),
            "kept_p": (both, kept[2]),
            "n_maps": n_maps,
            "kept_by_split": np.nan if split is None else split.kept,
            "kept_by_split_se": np.nan if split is None else split.se,
            "p_one_map": 1.0 if split is None else split.p,
            "retention": ("interval", retention),
        },
        coords=coords
        | {
            segments_are: ("segment", maps["group"].values),
            "one_map": numbers,
            "other_map": ("other_map", numbers),
            "interval": ("interval", intervals.values),
        },
    )
    return label(result, MAP_SWITCHES)
