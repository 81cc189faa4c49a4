"""Mean curves of a side: measures over the sessions, and similarity over the lag."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from neurodrift.analysis.comparison._effects import first_value
from neurodrift.analysis.comparison.members import Member

_SAME = 0.02  # of the range: sessions of several recordings this close are at the same place

Curves = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def mean_series(
    members: Sequence[Member], axis: str, measures: Sequence[str], *, scale: str
) -> Curves:
    """Mean and standard error of every measure along an axis, over animals or runs.

    Parameters
    ----------
    members
        The recordings of a side.
    axis
        Column of the sessions.
    measures
        Columns of the sessions.
    scale
        ``"raw"``, or ``"first"``: every recording over its first session.

    Returns
    -------
    tuple of numpy.ndarray
        Places (point), mean, standard error and number of animals (point, measure). Where the
        recordings lie at the same places those are the points, otherwise each is interpolated to
        as many points as the shortest has sessions; none where they do not overlap.
    """
    there = [m for m in members if np.isfinite(m.column(axis)).all()]
    places = [m.column(axis) for m in there]
    points, exact = _points(places)
    values = np.full((len(there), points.size, len(measures)), np.nan)
    for i, (member, at) in enumerate(zip(there, places, strict=True)):
        for j, measure in enumerate(measures):
            own = member.column(measure)
            if scale == "first":
                own = own / first_value(own)
            values[i, :, j] = own if exact else _interpolated(points, at, own)
    return (points, *_over_subjects(values, [m.replicate for m in there]))


def mean_decay(members: Sequence[Member], axis: str, similarities: Sequence[str]) -> Curves:
    """Mean and standard error of every similarity against the lag, over animals or runs.

    Parameters
    ----------
    members
        The recordings of a side.
    axis
        Column of the sessions.
    similarities
        Columns of the pairs.

    Returns
    -------
    tuple of numpy.ndarray
        Lags (point), mean, standard error and number of animals (point, similarity). Lags lie in
        as many equal bins as the shortest recording has steps between sessions.
    """
    there = [m for m in members if m.has(axis) and len(m.sessions) > 1]
    if not there:
        empty = np.empty((0, len(similarities)))
        return np.empty(0), empty, empty.copy(), empty.astype(np.int64)
    lags = [m.pairs("", axis)[:, 1] for m in there]
    n_bins = min(len(m.sessions) for m in there) - 1
    step = min(float(np.nanmax(lag)) for lag in lags) / n_bins
    values = np.full((len(there), n_bins, len(similarities)), np.nan)
    for i, (member, lag) in enumerate(zip(there, lags, strict=True)):
        bins = np.where(np.isfinite(lag), np.round(lag / step), 0).astype(int)
        for j, name in enumerate(similarities):
            values[i, :, j] = _bin_means(bins, member.pairs(name, axis)[:, 0], n_bins)
    points = step * np.arange(1, n_bins + 1)
    return (points, *_over_subjects(values, [m.replicate for m in there]))


def early_and_late(members: Sequence[Member], similarity: str) -> tuple[float, float]:
    """Mean rate of decorrelation in the first and in the second half of the way.

    Parameters
    ----------
    members
        The recordings of a side.
    similarity
        Column of the pairs.

    Returns
    -------
    tuple of float
        Means over animals or runs of -d ln r / d(fraction of the way).
    """
    values = np.full((len(members), 2, 1), np.nan)
    for i, member in enumerate(members):
        rate, middle = member.rates(similarity, "fraction").T
        values[i, :, 0] = _bin_means(np.where(middle < 0.5, 1, 2), rate, 2)
    mean = _over_subjects(values, [m.replicate for m in members])[0][:, 0]
    return float(mean[0]), float(mean[1])


def _points(places: list[np.ndarray]) -> tuple[np.ndarray, bool]:
    """Where the mean is taken, and whether all recordings have sessions just there."""
    if not places:
        return np.empty(0), True
    if len({at.size for at in places}) == 1:
        stacked = np.stack(places)
        if np.ptp(stacked, axis=0).max() <= _SAME * np.ptp(stacked):
            return stacked.mean(axis=0), True
    low, high = max(at.min() for at in places), min(at.max() for at in places)
    n_points = min(at.size for at in places)
    return (np.linspace(low, high, n_points) if low < high else np.empty(0)), False


def _interpolated(points: np.ndarray, at: np.ndarray, values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    if known.sum() < 2:
        return np.full(points.size, np.nan)
    order = np.argsort(at[known])
    return np.interp(points, at[known][order], values[known][order], left=np.nan, right=np.nan)


def _bin_means(bins: np.ndarray, values: np.ndarray, n_bins: int) -> np.ndarray:
    """Mean of the values in the bins 1 to `n_bins`."""
    used = np.isfinite(values) & (bins >= 1) & (bins <= n_bins)
    number = np.bincount(bins[used], minlength=n_bins + 1)[1:]
    total = np.bincount(bins[used], values[used], minlength=n_bins + 1)[1:]
    return np.divide(total, number, out=np.full(n_bins, np.nan), where=number > 0)


def _over_subjects(
    values: np.ndarray, subjects: Sequence[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, standard error and number over subjects; a subject is the mean of its recordings."""
    groups = pd.factorize(np.array(subjects, dtype=object))[0] if len(subjects) else np.empty(0)
    each = np.array([_mean(values[groups == k])[0] for k in np.unique(groups)])
    if not each.size:
        shape = values.shape[1:]
        return np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape, dtype=np.int64)
    mean, number = _mean(each)
    squares = np.where(np.isfinite(each), (each - mean) ** 2, 0.0).sum(axis=0)
    several = number > 1
    variance = np.divide(squares, number - 1, out=np.full(mean.shape, np.nan), where=several)
    return mean, np.sqrt(variance / np.maximum(number, 1)), number


def _mean(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean over the first axis without NaN, and how many there were."""
    found = np.isfinite(values)
    number = found.sum(axis=0)
    total = np.where(found, values, 0.0).sum(axis=0)
    return np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0), number
