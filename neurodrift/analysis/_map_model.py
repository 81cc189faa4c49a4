"""Similarity of maps under gradual drift, and how much of it two groups of segments keep."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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
        loading = np.where(some, (total + prior * mean) / (weight + prior), mean)
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
