"""Parting segments into maps: a tree, a test of each parting, and labels for every segment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from neurodrift.analysis.identity._similarity import N_GROUPS, Agreement, jackknife_se

KEPT = 0.5  # a switch loses more than half of what noise and drift leave
KEPT_WITHOUT_RETURN = 0.25  # where no earlier map comes back, a fast step of drift looks alike
LEAST_CONFIDENCE = 0.95
LEAST_LOADING = 0.25  # of the map's median; less is another map, or nothing
_N_CANDIDATES = 6
_UPPER = 0.9  # quantile that stands for pairs of the same map
_LEAST_QUALITY = 0.3  # of the median; a segment like no other would seem like all of them
_ROUNDS = 10


class Split(NamedTuple):
    """A parting in two: side of each member, similarity kept across, its s.e., p of one map."""

    side: np.ndarray
    kept: float
    se: float
    p: float


def part(
    members: np.ndarray,
    similar: Agreement,
    intervals: Intervals,
    at: np.ndarray,
    visit: np.ndarray,
    alpha: float,
) -> tuple[list[np.ndarray], Split | None]:
    """Part segments again and again.

    Parameters
    ----------
    members
        Segments to part.
    similar, intervals
        Agreement of all segments, and the time between them.
    at
        (segment) time of the session.
    visit
        (segment) number of the trial, or of the session where it has none. Segments that follow
        each other in one visit are one sight of a map, and each part needs two.
    alpha
        Level at which one map is rejected.

    Returns
    -------
    tuple
        The groups, and the best parting of all members, whether it was good enough or not.
    """
    best = _best_split(members, similar, intervals, at, visit)
    if best is None or not best.p < alpha:
        return [members], best
    parts = [members[best.side == k] for k in (0, 1)]
    found = [part(own, similar, intervals, at, visit, alpha)[0] for own in parts]
    return [*found[0], *found[1]], best


def rejoin(
    groups: list[np.ndarray],
    similar: Agreement,
    intervals: Intervals,
    at: np.ndarray,
    alpha: float,
) -> list[np.ndarray]:
    """Join groups that are one map, as where a parting cut through a third map.

    Parameters
    ----------
    groups
        Segments of each group.
    similar, intervals, at, alpha
        As for :func:`part`.

    Returns
    -------
    list of numpy.ndarray
        Groups that all differ from each other.
    """
    groups = list(groups)
    while len(groups) > 1:
        alike = []
        for a in range(len(groups)):
            for b in range(a + 1, len(groups)):
                split = compare(groups[a], groups[b], similar, intervals, at)
                if not split.p < alpha:
                    alike.append((np.nan_to_num(split.kept), a, b))
        if not alike:
            break
        _, a, b = max(alike)
        groups[a] = np.sort(np.concatenate([groups[a], groups.pop(b)]))
    return groups


def compare(
    first: np.ndarray,
    second: np.ndarray,
    similar: Agreement,
    intervals: Intervals,
    at: np.ndarray,
) -> Split:
    """Test two groups of segments against each other.

    Parameters
    ----------
    first, second
        Segments of the groups.
    similar, intervals, at
        As for :func:`part`.

    Returns
    -------
    Split
        What is kept between them.
    """
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
    members: np.ndarray,
    similar: Agreement,
    intervals: Intervals,
    at: np.ndarray,
    visit: np.ndarray,
) -> Split | None:
    """The parting of the members in two that speaks most against a single map."""
    if members.size < 4:
        return None
    block = np.ix_(members, members)
    whole = similar.whole[block]
    own = Intervals(intervals.index[block], intervals.values)

    def seen_twice(side: np.ndarray) -> bool:
        return min(_n_sights(members[side == k], visit) for k in (0, 1)) >= 2

    candidates: dict[bytes, tuple[float, np.ndarray]] = {}
    for side in _subtrees(whole, own):
        kept, within = kept_between(whole, side, own)
        if np.isfinite(kept) and within > 0 and seen_twice(side):
            candidates[side.tobytes()] = (kept, side)
    ranked = sorted(candidates.values(), key=lambda item: item[0])[:_N_CANDIDATES]
    refined = {}
    for _, side in ranked:
        settled = _reassign(side + 1, whole, own)
        if settled.max() == 2 and settled.min() > 0 and seen_twice(settled - 1):
            refined[settled.tobytes()] = settled - 1
        refined[side.tobytes()] = side
    without = similar.without[:, block[0], block[1]]
    tested = [_tested(side, whole, without, own, at[members]) for side in refined.values()]
    return min(tested, key=lambda split: (split.p, split.kept), default=None)


def _n_sights(segments: np.ndarray, visit: np.ndarray) -> int:
    """How often a map was seen anew: runs of segments, each within a visit."""
    follows = (np.diff(segments) == 1) & (np.diff(visit[segments]) == 0)
    return int(segments.size - np.count_nonzero(follows))


def _tested(
    side: np.ndarray, whole: np.ndarray, without: np.ndarray, intervals: Intervals, at: np.ndarray
) -> Split:
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
    return Split(side, kept, float(errors[0]), p)


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


def settle(
    groups: list[np.ndarray], similar: Agreement, intervals: Intervals, visit: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Label every segment from the groups found.

    Parameters
    ----------
    groups
        Segments of each group.
    similar, intervals, visit
        As for :func:`part`.

    Returns
    -------
    tuple of numpy.ndarray
        Labels, confidence (segment) and loadings (map, segment).
    """
    n_segments = len(similar.whole)
    labels = np.zeros(n_segments, dtype=np.int64)
    for k, members in enumerate(groups):
        labels[members] = k + 1
    labels = _reassign(labels, similar.whole, intervals)
    for _ in range(2):  # once more without what is like no map
        labels = _numbered(labels, visit)
        shown, confidence = _confidence(labels, similar, intervals)
        if not len(shown):
            break
        best = np.nan_to_num(shown, nan=-np.inf).argmax(axis=0) + 1
        top = shown.max(axis=0, initial=-np.inf, where=np.isfinite(shown))
        typical = [np.median(top[labels == k + 1]) for k in range(len(shown))]
        enough = top >= LEAST_LOADING * np.array(typical)[best - 1]
        labels = np.where(enough & (confidence >= LEAST_CONFIDENCE), best, 0)
    labels = _numbered(labels, visit)
    shown, confidence = _confidence(labels, similar, intervals)
    return labels, np.where(labels > 0, confidence, 0.0), shown


def _numbered(labels: np.ndarray, visit: np.ndarray) -> np.ndarray:
    """Number maps by their first segment; one of one segment or sight beside others is none."""
    counts = np.bincount(labels, minlength=2)
    commonest = int(counts[1:].argmax()) + 1
    known = [
        k
        for k in dict.fromkeys(labels.tolist())
        if k > 0 and counts[k] >= 2
        if k == commonest or _n_sights(np.flatnonzero(labels == k), visit) >= 2
    ]
    labels = np.where(np.isin(labels, known), labels, 0)
    new = np.zeros(counts.size, dtype=np.int64)
    new[known] = np.arange(len(known)) + 1
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
        ordered = np.take_along_axis(values, ranked, axis=0)
        return np.asarray(ordered[0] - ordered[1] if len(ordered) > 1 else ordered[0])

    errors = np.maximum(jackknife_se(np.stack([margin(some) for some in without])), 1e-6)
    known = np.isfinite(shown).any(axis=0)
    return shown, np.where(known, stdtr(N_GROUPS - 1, margin(shown) / errors), 0.0)


_STEPS = 8  # of the alternating fit; it has settled by then
_LEAST_LOADING = 0.05


@dataclass(frozen=True)
class Intervals:
    """Time between segments.

    Parameters
    ----------
    index
        (segment, segment) position of each pair's interval in `values`.
    values
        (interval) the different intervals, increasing.
    """

    index: np.ndarray
    values: np.ndarray

    @classmethod
    def between(cls, at: np.ndarray) -> Intervals:
        """Intervals between segments at the times `at` (segment)."""
        gaps = np.round(np.abs(at[:, None] - at[None, :]), 6)
        values, index = np.unique(gaps, return_inverse=True)
        return cls(index.reshape(gaps.shape), values)


@dataclass(frozen=True)
class Fit:
    """One map with drift: similarity = loading x loading x retention(interval).

    Parameters
    ----------
    loading
        (segment) how well a segment shows its map, 0 to about 1.
    retention
        (interval) what drift leaves, not increasing; NaN beyond the longest interval seen.
    expected
        (segment, segment) similarity of segments of the same map.
    """

    loading: np.ndarray
    retention: np.ndarray
    expected: np.ndarray


def fit(similarity: np.ndarray, same: np.ndarray, intervals: Intervals) -> Fit:
    """Fit loadings and retention to pairs of the same map.

    Parameters
    ----------
    similarity
        (segment, segment), NaN is missing.
    same
        (segment, segment) pairs that count.
    intervals
        Time between the segments.

    Returns
    -------
    Fit
        Least squares by turns, retention by isotonic regression.
    """
    from scipy.optimize import isotonic_regression

    n_intervals = intervals.values.size
    used = same & np.isfinite(similarity)
    np.fill_diagonal(used, False)
    values = np.where(used, similarity, 0.0)
    at = intervals.index.ravel()
    loading, scale = np.ones(len(values)), 1.0
    retention = np.ones(n_intervals)
    for step in range(_STEPS):
        product = np.where(used, loading[:, None] * loading[None, :], 0.0)
        weight = np.bincount(at, weights=(product**2).ravel(), minlength=n_intervals)
        total = np.bincount(at, weights=(values * product).ravel(), minlength=n_intervals)
        seen = weight > 0
        if not seen.any():
            nothing = np.full(n_intervals, np.nan)
            return Fit(np.full(len(values), np.nan), nothing, nothing[intervals.index])
        falling = isotonic_regression(
            total[seen] / weight[seen], weights=weight[seen], increasing=False
        ).x
        retention = _until_longest(falling, seen)
        scale = max(retention[0], 1e-12)
        retention = np.clip(retention / scale, 0.0, 1.0)
        loading = loading * np.sqrt(scale)
        if step == _STEPS - 1:
            break
        # Each loading given the others, drawn to the mean as if by one more pair.
        kept = np.where(used, np.nan_to_num(retention)[intervals.index], 0.0)
        weight = (kept**2) @ loading**2
        total = (values * kept) @ loading
        some = used.any(axis=1)
        prior = (weight[some] / used.sum(axis=1)[some]).mean()
        mean = loading[some].mean()
        drawn = weight + prior
        known = some & (drawn > 0)  # nothing is known of a segment without any similarity
        loading = np.where(known, (total + prior * mean) / np.where(known, drawn, 1.0), mean)
        loading = np.maximum(loading, _LEAST_LOADING * max(mean, 1e-6))
    expected = loading[:, None] * loading[None, :] * retention[intervals.index]
    return Fit(loading, retention, expected)


def kept_between(
    similarity: np.ndarray, side: np.ndarray, intervals: Intervals
) -> tuple[float, float]:
    """Similarity between two sides over what the drift within the sides lets expect.

    Parameters
    ----------
    similarity
        (segment, segment), NaN is missing.
    side
        (segment) 0 or 1.
    intervals
        Time between the segments.

    Returns
    -------
    tuple of float
        About 1 if both sides are one map and about 0 if they are two; NaN where nothing can be
        expected. Then the least of the two sides' mean similarities within.
    """
    same = side[:, None] == side[None, :]
    fitted = fit(similarity, same, intervals)
    cross = ~same & np.isfinite(similarity) & np.isfinite(fitted.expected)
    expected = np.where(cross, fitted.expected, 0.0)
    weight = (expected**2).sum()
    within = []
    for k in (0, 1):
        own = np.ix_(side == k, side == k)
        values = similarity[own][~np.eye(int((side == k).sum()), dtype=bool)]
        within.append(np.nanmean(values) if np.isfinite(values).any() else np.nan)
    if weight <= 0:
        return np.nan, float(min(within))
    return float((np.where(cross, similarity, 0.0) * expected).sum() / weight), float(min(within))


def kept_inside(similarity: np.ndarray, side: np.ndarray, at: np.ndarray) -> float:
    """Similarity between two sides over that of a side around it in time.

    Gradual drift, steady or not, leaves sessions at least as similar as sessions before and after
    them are to each other.

    Parameters
    ----------
    similarity
        (segment, segment), NaN is missing.
    side
        (segment) 0 or 1.
    at
        (segment) time of the session.

    Returns
    -------
    float
        At least about 1 with one map; NaN where no pair of a side lies around one across.
    """
    first, second = np.triu_indices(len(side), k=1)
    known = np.isfinite(similarity[first, second])
    first, second = first[known], second[known]
    rank = np.unique(at, return_inverse=True)[1]
    n = int(rank.max(initial=-1)) + 1
    block = np.minimum(rank[first], rank[second]) * n + np.maximum(rank[first], rank[second])
    same = side[first] == side[second]
    total, count = np.empty((2, n * n)), np.empty((2, n * n))
    for k, pairs in enumerate((~same, same)):
        values = similarity[first[pairs], second[pairs]]
        total[k] = np.bincount(block[pairs], weights=values, minlength=n * n)
        count[k] = np.bincount(block[pairs], minlength=n * n)
    mean = np.divide(total, count, out=np.full(total.shape, -np.inf), where=count > 0)
    around = np.maximum.accumulate(mean[1].reshape(n, n), axis=0)  # earlier and earlier
    around = np.maximum.accumulate(around[:, ::-1], axis=1)[:, ::-1].ravel()  # later and later
    used = (count[0] > 0) & (around > 0)
    weight = (count[0][used] * around[used] ** 2).sum()
    return float((total[0][used] * around[used]).sum() / weight) if weight > 0 else np.nan


def loadings(
    similarity: np.ndarray, labels: np.ndarray, intervals: Intervals
) -> tuple[np.ndarray, Fit]:
    """How much of each map every segment holds.

    Parameters
    ----------
    similarity
        (segment, segment), NaN is missing.
    labels
        (segment) map from 1, 0 = none.
    intervals
        Time between the segments.

    Returns
    -------
    tuple
        (map, segment) loadings from the other segments of the map, NaN without any; and the fit.
    """
    same = (labels[:, None] == labels[None, :]) & (labels[:, None] > 0)
    fitted = fit(similarity, same, intervals)
    retention = _from_nearest(fitted.retention)[intervals.index]
    found = np.full((int(labels.max(initial=0)), labels.size), np.nan)
    known = np.isfinite(similarity)
    for k in range(len(found)):
        members = labels == k + 1
        use = known & members[None, :]
        np.fill_diagonal(use, False)
        pattern = np.where(use, retention * fitted.loading[None, :], 0.0)
        weight = (pattern**2).sum(axis=1)
        total = (np.where(use, similarity, 0.0) * pattern).sum(axis=1)
        np.divide(total, weight, out=found[k], where=weight > 0)
    return found, fitted


def _until_longest(values: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Values at every interval: where none was seen, that of the next longer one seen."""
    full = np.full(seen.size, np.nan)
    full[seen] = values
    where = np.flatnonzero(seen)
    following = np.searchsorted(where, np.arange(seen.size))
    inside = following < where.size
    full[inside] = full[where[following[inside]]]
    return full


def _from_nearest(retention: np.ndarray) -> np.ndarray:
    """Beyond the longest interval seen, the retention of the longest."""
    known = np.flatnonzero(np.isfinite(retention))
    if not known.size:
        return np.ones_like(retention)
    return np.where(np.isfinite(retention), retention, retention[known[-1]])
