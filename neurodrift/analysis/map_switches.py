"""Switches of a population between several maps of one environment, found without labels."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import xarray as xr

from neurodrift.analysis._map_model import Intervals, kept_between, kept_inside, loadings
from neurodrift.analysis._similarity import N_GROUPS, Agreement, agreement, jackknife_se
from neurodrift.analysis.binning import Binning
from neurodrift.analysis.drift import first_index
from neurodrift.analysis.ratemaps import rate_maps
from neurodrift.recording import session_slices
from neurodrift.result_schema import MAP_SWITCHES
from neurodrift.schema import RECORDING, check, label

KEPT = 0.5  # a switch loses more than half of what noise and drift leave
KEPT_WITHOUT_RETURN = 0.25  # where no earlier map comes back, a fast step of drift looks alike
_LEAST_CONFIDENCE = 0.95
_LEAST_LOADING = 0.25  # of the map's median; less is another map, or nothing
_N_CANDIDATES = 6
_UPPER = 0.9  # quantile that stands for pairs of the same map
_LEAST_QUALITY = 0.3  # of the median; a segment like no other would seem like all of them
_ROUNDS = 10
_DEFAULT_LENGTH = {"trial": 1, "lap": 4, "block": 180.0}

Segments = Literal["trial", "lap", "block"]


class _Split(NamedTuple):
    side: np.ndarray  # of each member: 0 or 1
    kept: float
    se: float
    p: float


def detect_maps(
    recording: xr.Dataset,
    *,
    by: Segments | None = None,
    length: float | None = None,
    binning: Binning | None = None,
    smoothing: float | None = None,
    alpha: float = 0.01,
) -> xr.Dataset:
    r"""Find out how many maps a population has of one environment, and when it uses which.

    Parameters
    ----------
    recording
        A recording with a position; NumPy or Dask. Its own ``map_label`` is not used.
    by
        What the segments are that one map each is assumed for: ``"trial"``; ``"lap"``, `length`
        successive laps; ``"block"``, stretches of `length` seconds. Trials when omitted, or laps
        where sessions have one trial, or blocks.
    length
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
        the label is right rather than the next best) and ``loading`` (segment, map), how much of
        each map a segment shows; ``similarity`` (segment, other) with its standard error and
        ``n_units``; over (map, other_map): ``kept``, the similarity between two maps over what
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
    part must be similar in itself and have at least two segments; a map seen once cannot be told
    from a fault. Both are parted again until nothing is left to part.
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
    binning = Binning() if binning is None else binning
    smoothing = binning.typical_width() if smoothing is None else smoothing
    by = _finest(recording) if by is None else by
    length = _DEFAULT_LENGTH[by] if length is None else length
    group = _segments(recording, by, length)
    maps = rate_maps(recording, binning=binning, smoothing=smoothing, by=group)
    similar = agreement(maps)
    at = _times(maps)
    intervals = Intervals.between(at)
    groups, first = _part(np.arange(at.size), similar, intervals, at, alpha)
    groups = _rejoin(groups, similar, intervals, at, alpha)
    settled = _settle(groups, similar, intervals)
    return _result(maps, by, similar, intervals, at, settled, first).assign_attrs(
        by=by,
        length=float(length),
        alpha=alpha,
        binning=binning.to_json(),
        smoothing=smoothing,
    )


def label_maps(recording: xr.Dataset, detected: xr.Dataset) -> xr.Dataset:
    """Put detected maps onto a recording, to be used like given labels.

    Parameters
    ----------
    recording
        The recording that the maps were detected in; it is not changed.
    detected
        Result of :func:`detect_maps`.

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
    group = _segments(recording, detected.attrs["by"], detected.attrs["length"]).values
    labels = np.zeros(recording.sizes["time"], dtype=np.int16)
    found = {
        (str(session), int(number)): int(value)
        for session, number, value in zip(
            detected["session"].values,
            detected[detected.attrs["by"]].values,
            detected["map_label"].values,
            strict=True,
        )
    }
    names = [str(item) for item in recording["session"].values]
    unknown = sorted({session for session, _ in found} - set(names))
    if unknown:
        raise ValueError(f"the recording has no session {', '.join(unknown)} of the maps detected")
    for session, where in zip(names, session_slices(recording), strict=True):
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


def _segments(recording: xr.Dataset, by: Segments, length: float) -> xr.DataArray:
    """Number (time) of each frame's segment within its session, -1 = none."""
    if by not in _DEFAULT_LENGTH:
        raise ValueError(f"by is {by!r}, expected 'trial', 'lap' or 'block'")
    if not length > 0 or (by != "block" and length != int(length)):
        raise ValueError(f"length is {length}, expected a number of {by}s or seconds above 0")
    if by != "block" and by not in recording:
        raise ValueError(f"by={by!r}, but the recording has no {by}: use by='block'")
    code = np.full(recording.sizes["time"], -1, dtype=np.int64)
    for where in session_slices(recording):
        if by == "block":
            clock = recording["time"].values[where]
            code[where] = (clock - clock[:1]) // length
            continue
        values = recording[by].values[where].astype(np.int64)
        if by == "lap":  # laps that lie together, whatever their numbers
            rank = np.unique(values, return_inverse=True)[1] - np.count_nonzero(
                np.unique(values) < 0
            )
            values = np.where(values >= 0, rank // int(length), -1)
        code[where] = values
    return xr.DataArray(code, dims="time", name=by)


def _times(maps: xr.Dataset) -> np.ndarray:
    """When the session of each segment was: days, or its number."""
    if "day" in maps.coords and np.isfinite(maps["day"].values).all():
        return maps["day"].values.astype(float)
    return first_index(maps["session"].values).astype(float)


def _part(
    members: np.ndarray, similar: Agreement, intervals: Intervals, at: np.ndarray, alpha: float
) -> tuple[list[np.ndarray], _Split | None]:
    """Part segments again and again; also the best parting of all members, good or not."""
    best = _best_split(members, similar, intervals, at)
    if best is None or not best.p < alpha:
        return [members], best
    parts = [members[best.side == k] for k in (0, 1)]
    found = [_part(part, similar, intervals, at, alpha)[0] for part in parts]
    return [*found[0], *found[1]], best


def _rejoin(
    groups: list[np.ndarray],
    similar: Agreement,
    intervals: Intervals,
    at: np.ndarray,
    alpha: float,
) -> list[np.ndarray]:
    """Join groups that are one map, as where a parting cut through a third map."""
    groups = list(groups)
    while len(groups) > 1:
        alike = []
        for a in range(len(groups)):
            for b in range(a + 1, len(groups)):
                split = _pair(groups[a], groups[b], similar, intervals, at)
                if not split.p < alpha:
                    alike.append((np.nan_to_num(split.kept), a, b))
        if not alike:
            break
        _, a, b = max(alike)
        groups[a] = np.sort(np.concatenate([groups[a], groups.pop(b)]))
    return groups


def _pair(
    first: np.ndarray,
    second: np.ndarray,
    similar: Agreement,
    intervals: Intervals,
    at: np.ndarray,
) -> _Split:
    """Test two groups of segments against each other."""
    members = np.sort(np.concatenate([first, second]))
    block = np.ix_(members, members)
    return _tested(
        np.isin(members, second).astype(np.int64),
        similar.whole[block],
        similar.without[:, block[0], block[1]],
        Intervals(intervals.index[block], intervals.values),
        at[members],
    )


def _best_split(
    members: np.ndarray, similar: Agreement, intervals: Intervals, at: np.ndarray
) -> _Split | None:
    """The parting of the members in two that speaks most against a single map."""
    if members.size < 4:
        return None
    block = np.ix_(members, members)
    whole = similar.whole[block]
    own = Intervals(intervals.index[block], intervals.values)
    candidates: dict[bytes, tuple[float, np.ndarray]] = {}
    for side in _subtrees(whole, own):
        kept, within = kept_between(whole, side, own)
        if np.isfinite(kept) and within > 0:
            candidates[side.tobytes()] = (kept, side)
    ranked = sorted(candidates.values(), key=lambda item: item[0])[:_N_CANDIDATES]
    refined = {}
    for _, side in ranked:
        settled = _reassign(side + 1, whole, own)
        if settled.max() == 2 and min(np.bincount(settled)[1:]) >= 2 and settled.min() > 0:
            refined[settled.tobytes()] = settled - 1
        refined[side.tobytes()] = side
    without = similar.without[:, block[0], block[1]]
    tested = [_tested(side, whole, without, own, at[members]) for side in refined.values()]
    return min(tested, key=lambda split: (split.p, split.kept), default=None)


def _tested(
    side: np.ndarray, whole: np.ndarray, without: np.ndarray, intervals: Intervals, at: np.ndarray
) -> _Split:
    """Test a parting by leaving out groups of units."""
    from scipy.special import stdtr

    def measured(values: np.ndarray) -> tuple[float, float, float]:
        return (*kept_between(values, side, intervals), kept_inside(values, side, at))

    kept, within, inside = measured(whole)
    errors = np.maximum(jackknife_se(np.array([measured(some) for some in without])), 1e-6)

    def chance(score: float) -> float:
        return float(stdtr(N_GROUPS - 1, score)) if np.isfinite(score) else 1.0

    returning = max(chance((kept - KEPT) / errors[0]), chance((inside - KEPT) / errors[2]))
    abrupt = chance((kept - KEPT_WITHOUT_RETURN) / errors[0])
    p = max(min(returning, abrupt), chance(-within / errors[1]))
    return _Split(side, kept, float(errors[0]), p)


def _subtrees(whole: np.ndarray, intervals: Intervals) -> list[np.ndarray]:
    """Sides (segment) that a tree of average linkage cuts off, of two segments or more."""
    from scipy.cluster.hierarchy import linkage
    from scipy.spatial.distance import squareform

    relative = _relative(whole, intervals)
    n = len(relative)
    distance = 1 - relative
    np.fill_diagonal(distance, 0.0)
    tree = linkage(squareform(distance, checks=False), method="average")
    members = [np.array([i]) for i in range(n)]
    sides = []
    for left, right in tree[:, :2].astype(int):
        members.append(np.concatenate([members[left], members[right]]))
        if 2 <= members[-1].size <= n - 2:
            side = np.zeros(n, dtype=np.int64)
            side[members[-1]] = 1
            sides.append(side if side[0] == 0 else 1 - side)
    return sides


def _relative(whole: np.ndarray, intervals: Intervals) -> np.ndarray:
    """Similarity over what pairs of the same map may have after this interval, about 0 to 1.

    Upper quantiles stand for pairs of the same map, as nothing is known of the maps yet.
    """
    from scipy.optimize import isotonic_regression

    known = np.isfinite(whole) & ~np.eye(len(whole), dtype=bool)
    counts = np.bincount(intervals.index[known], minlength=intervals.values.size)
    seen = np.flatnonzero(counts)
    if not seen.size:
        return np.full(whole.shape, 0.5)
    high = [np.quantile(whole[known & (intervals.index == k)], _UPPER) for k in seen]
    falling = isotonic_regression(np.array(high), weights=counts[seen], increasing=False).x
    typical = np.interp(np.arange(intervals.values.size), seen, falling)
    adjusted = np.where(known, whole, np.nan) / np.maximum(typical, 1e-3)[intervals.index]
    rows = [row[np.isfinite(row)] for row in adjusted]
    quality = np.array([np.quantile(row, _UPPER) if row.size else np.nan for row in rows])
    middle = float(np.nanmedian(quality))
    middle = max(middle, 1e-3)
    quality = np.maximum(np.nan_to_num(quality, nan=middle), _LEAST_QUALITY * middle)
    relative = adjusted * middle / (quality[:, None] * quality[None, :])
    return np.where(np.isfinite(relative), relative, np.nanmean(relative))


def _reassign(labels: np.ndarray, whole: np.ndarray, intervals: Intervals) -> np.ndarray:
    """Give every segment to the map that it shows most, until none changes."""
    for _ in range(_ROUNDS):
        found = np.nan_to_num(loadings(whole, labels, intervals)[0], nan=-np.inf)
        known = np.isfinite(found).any(axis=0)
        moved = np.where(known & (labels > 0), found.argmax(axis=0) + 1, labels)
        if np.array_equal(moved, labels):
            break
        labels = np.unique(moved, return_inverse=True)[1] + int(moved.min() > 0)
    return labels


def _settle(
    groups: list[np.ndarray], similar: Agreement, intervals: Intervals
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, confidence (segment) and loadings (map, segment) from the parts found."""
    n_segments = len(similar.whole)
    labels = np.zeros(n_segments, dtype=np.int64)
    for k, members in enumerate(groups):
        labels[members] = k + 1
    labels = _reassign(labels, similar.whole, intervals)
    for _ in range(2):  # once more without what is like no map
        labels = _numbered(labels)
        shown, confidence = _confidence(labels, similar, intervals)
        if not len(shown):
            break
        best = np.nan_to_num(shown, nan=-np.inf).argmax(axis=0) + 1
        top = shown.max(axis=0, initial=-np.inf, where=np.isfinite(shown))
        typical = [np.median(top[labels == k + 1]) for k in range(len(shown))]
        enough = top >= _LEAST_LOADING * np.array(typical)[best - 1]
        labels = np.where(enough & (confidence >= _LEAST_CONFIDENCE), best, 0)
    labels = _numbered(labels)
    shown, confidence = _confidence(labels, similar, intervals)
    return labels, np.where(labels > 0, confidence, 0.0), shown


def _numbered(labels: np.ndarray) -> np.ndarray:
    """Number maps by their first segment; a map of one segment is none."""
    counts = np.bincount(labels, minlength=2)
    labels = np.where(counts[labels] >= 2, labels, 0)
    order = [k for k in dict.fromkeys(labels.tolist()) if k > 0]
    new = np.zeros(counts.size, dtype=np.int64)
    new[order] = np.arange(len(order)) + 1
    return new[labels]


def _confidence(
    labels: np.ndarray, similar: Agreement, intervals: Intervals
) -> tuple[np.ndarray, np.ndarray]:
    """Loadings (map, segment), and how sure the largest is above the next (or 0)."""
    from scipy.special import stdtr

    shown = loadings(similar.whole, labels, intervals)[0]
    if not len(shown):
        return shown, np.zeros(labels.size)
    without = np.stack([loadings(some, labels, intervals)[0] for some in similar.without])
    without = np.nan_to_num(without)
    ranked = np.argsort(-np.nan_to_num(shown, nan=-np.inf), axis=0, kind="stable")

    def margin(values: np.ndarray) -> np.ndarray:
        values = np.nan_to_num(values)
        best = np.take_along_axis(values, ranked[:1], axis=0)[0]
        return best - np.take_along_axis(values, ranked[1:2], axis=0)[0] if len(ranked) > 1 else best

    errors = np.maximum(jackknife_se(np.stack([margin(some) for some in without])), 1e-6)
    known = np.isfinite(shown).any(axis=0)
    return shown, np.where(known, stdtr(N_GROUPS - 1, margin(shown) / errors), 0.0)


def _result(
    maps: xr.Dataset,
    by: Segments,
    similar: Agreement,
    intervals: Intervals,
    at: np.ndarray,
    settled: tuple[np.ndarray, np.ndarray, np.ndarray],
    split: _Split | None,
) -> xr.Dataset:
    labels, confidence, shown = settled
    n_maps = int(labels.max(initial=0))
    kept = np.full((3, n_maps, n_maps), np.nan)
    for a in range(n_maps):
        for b in range(a + 1, n_maps):
            pair = [np.flatnonzero(labels == k + 1) for k in (a, b)]
            between = _pair(*pair, similar, intervals, at)
            kept[:, a, b] = kept[:, b, a] = between.kept, between.se, between.p
    segments, both = ("segment", "other"), ("map", "other_map")
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
            "loading": (("segment", "map"), shown.T),
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
            by: ("segment", maps["group"].values),
            "map": numbers,
            "other_map": ("other_map", numbers),
            "interval": ("interval", intervals.values),
        },
    )
    return label(result, MAP_SWITCHES)
