"""Agreement of maps between segments, with its uncertainty from leaving out groups of units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

N_GROUPS = 20  # groups of units that the jackknife leaves out one by one
MIN_UNITS = 10  # fewer shared units say nothing about a population
MIN_BINS = 3
_UNITS_AT_ONCE = 512  # whose maps are put in their place together


@dataclass(frozen=True)
class Agreement:
    """Agreement of every pair of segments, once with all units and once without each group.

    Parameters
    ----------
    whole
        (segment, segment) agreement of the maps, NaN where too little is shared.
    without
        (group, segment, segment) the same without the units of one group.
    n_units
        (segment, segment) units detected in both.
    """

    whole: np.ndarray
    without: np.ndarray
    n_units: np.ndarray

    @property
    def se(self) -> np.ndarray:
        """Standard error (segment, segment) by the jackknife over groups of units."""
        return np.asarray(jackknife_se(self.without))


def jackknife_se(without: np.ndarray) -> np.ndarray:
    """Standard error of a statistic from its values without each group of units.

    Parameters
    ----------
    without
        (group, ...) values.

    Returns
    -------
    numpy.ndarray
        (...) standard error.
    """
    n = len(without)
    return np.sqrt((n - 1) / n * ((without - without.mean(axis=0)) ** 2).sum(axis=0))


def agreement(maps: xr.Dataset, dim: str = "segment") -> Agreement:
    r"""Agreement of the maps of every pair of segments over the units detected in both.

    Parameters
    ----------
    maps
        Result of :func:`neurodrift.compute_rate_maps` over `dim`, smoothed.
    dim
        ``"segment"`` or ``"session"``.

    Returns
    -------
    Agreement
        Values from -1 to 1, about 0 for maps of other units.

    Notes
    -----
    With :math:`x_{ub}` the map of unit u in one segment over the bins that both visited, less
    its mean over bins and then less the mean over units,

    .. math:: S = \sum_{ub} x_{ub} y_{ub} / \sqrt{\sum_{ub} x_{ub}^2 \sum_{ub} y_{ub}^2}.

    Without the mean over units, maps of units that are not the same would agree wherever the
    whole population prefers some places; so the mean over all permutations of the n units is
    :math:`-S / (n - 1)`. The maps are the roots of the rates, whose noise is about the same at
    every rate, so that no few units decide.
    """
    rate, detected, visited = root_maps(maps, dim)
    n_segments, n_units = rate.shape[:2]
    group = np.arange(n_units) % N_GROUPS
    values = np.full((n_segments, n_segments, N_GROUPS + 1), np.nan)
    n_shared = np.zeros((n_segments, n_segments), dtype=np.int64)
    together = _equal_rows(detected)  # segments of one session have the same units
    for a, first in enumerate(together):
        for second in together[a:]:
            units = np.flatnonzero(detected[first[0]] & detected[second[0]])
            block, mirrored = np.ix_(first, second), np.ix_(second, first)
            n_shared[block] = n_shared[mirrored] = units.size
            if units.size < MIN_UNITS:
                continue
            groups = [units[group[units] == g] for g in range(N_GROUPS)]
            found = _correlations(rate, first, second, visited, groups)
            values[block] = found.transpose(1, 2, 0)
            values[mirrored] = found.transpose(2, 1, 0)
    values = np.ascontiguousarray(values.transpose(2, 0, 1))
    return Agreement(values[0], values[1:], n_shared)


def root_maps(maps: xr.Dataset, dim: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Maps as plain arrays over units sorted by label, whatever their order.

    Parameters
    ----------
    maps
        Result of :func:`neurodrift.compute_rate_maps` over `dim`.
    dim
        ``"segment"`` or ``"session"``.

    Returns
    -------
    tuple of numpy.ndarray
        Roots of the rates (segment, unit, bin) with their sign, 0 where there is none; whether
        units were detected (segment, unit); 1 where bins were visited (segment, bin).
    """
    order = np.argsort(maps["unit"].values.astype(str), kind="stable")
    place = np.argsort(order)
    detected = maps["detected"].transpose(dim, "unit").values.astype(bool)
    visited = maps["occupancy"].transpose(dim, "direction", "position").values > 0
    rates = maps["rate"].transpose(dim, "unit", "direction", "position")
    root = np.empty((*detected.shape, visited[0].size))
    for start in range(0, order.size, _UNITS_AT_ONCE):
        some = slice(start, start + _UNITS_AT_ONCE)
        rate = rates.isel(unit=some).values.reshape(len(detected), -1, visited[0].size)
        rate = np.where(detected[:, some, None] & np.isfinite(rate), rate, 0.0)
        root[:, place[some]] = np.sign(rate) * np.sqrt(np.abs(rate))
    return root, detected[:, order], visited.reshape(len(visited), -1).astype(float)


@dataclass(frozen=True)
class Products:
    """Share of every pair of units in the agreement of two segments, a few rows at a time.

    The diagonal of the table sums to the agreement, and each permutation of the columns has the
    sum that the agreement would have with units confused in this way.

    Parameters
    ----------
    left, right
        (unit, value) of the two segments.
    norm
        What their products are divided by.
    """

    left: np.ndarray
    right: np.ndarray
    norm: float = 1.0

    def rows(self, some: slice) -> np.ndarray:
        """Some rows of the table: (some of the units, unit)."""
        return np.asarray(self.left[some] @ self.right.T / self.norm)


def products(x: np.ndarray, y: np.ndarray, seen: np.ndarray) -> Products | None:
    """Share of every pair of units in the agreement of two segments.

    Parameters
    ----------
    x, y
        (unit, bin) roots of the maps of the same units in two segments.
    seen
        (bin) whether both visited the bin.

    Returns
    -------
    Products or None
        None where there is nothing to compare.
    """
    if np.count_nonzero(seen) < MIN_BINS:
        return None
    centred = []
    for values in (x[:, seen > 0], y[:, seen > 0]):
        values = values - values.mean(axis=1, keepdims=True)
        centred.append(values - values.mean(axis=0))
    norm = np.sqrt((centred[0] ** 2).sum() * (centred[1] ** 2).sum())
    if norm <= 1e-9:
        return None
    return Products(centred[0], centred[1], float(norm))


def _equal_rows(detected: np.ndarray) -> list[np.ndarray]:
    found = np.unique(detected, axis=0, return_inverse=True)[1].ravel()
    return [np.flatnonzero(found == k) for k in range(found.max(initial=-1) + 1)]


def _correlations(
    rate: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    visited: np.ndarray,
    groups: list[np.ndarray],
) -> np.ndarray:
    """Correlations (1 + group, first, second) of maps (segment, unit, bin), 0 where not seen."""
    seen_x, seen_y = visited[first], visited[second]
    n_bins = seen_x @ seen_y.T
    per_bin = 1 / np.maximum(n_bins, 1)
    n_first, n_second = n_bins.shape
    products = np.zeros((N_GROUPS, 3, n_first, n_second))  # xy, xx, yy
    in_both = np.zeros((N_GROUPS, 2, n_first, n_second))  # of all units of a group
    sums_x = np.zeros((N_GROUPS, *seen_x.shape))
    sums_y = np.zeros((N_GROUPS, *seen_y.shape))
    for g, own in enumerate(groups):
        if not own.size:
            continue
        some_x = _centred(rate[np.ix_(first, own)], seen_x)
        some_y = _centred(rate[np.ix_(second, own)], seen_y)
        # Sums of each unit over the bins that both segments saw: (first, unit, second).
        both_x = (some_x.reshape(-1, some_x.shape[2]) @ seen_y.T).reshape(n_first, -1, n_second)
        both_y = (some_y.reshape(-1, some_y.shape[2]) @ seen_x.T).reshape(n_second, -1, n_first)
        both_y = both_y.transpose(2, 1, 0)
        xy = np.tensordot(some_x, some_y, axes=([1, 2], [1, 2]))
        products[g, 0] = xy - per_bin * (both_x * both_y).sum(axis=1)
        xx, yy = (some_x**2).sum(axis=1) @ seen_y.T, seen_x @ (some_y**2).sum(axis=1).T
        products[g, 1] = xx - per_bin * (both_x**2).sum(axis=1)
        products[g, 2] = yy - per_bin * (both_y**2).sum(axis=1)
        in_both[g] = both_x.sum(axis=1), both_y.sum(axis=1)
        sums_x[g], sums_y[g] = some_x.sum(axis=1), some_y.sum(axis=1)
    sizes = np.array([own.size for own in groups])
    whole_x, whole_y = sums_x.sum(axis=0), sums_y.sum(axis=0)
    found = np.full((N_GROUPS + 1, n_first, n_second), np.nan)
    for k in range(N_GROUPS + 1):
        kept = np.arange(N_GROUPS) != k - 1
        n_units = max(sizes[kept].sum(), 1)
        xy, xx, yy = products[kept].sum(axis=0)
        # Less the mean over units, of which only the sums over the bins seen in both are needed.
        all_x, all_y = (
            (whole - sums[k - 1] if k > 0 else whole)
            for whole, sums in ((whole_x, sums_x), (whole_y, sums_y))
        )
        both_x, both_y = in_both[kept].sum(axis=0)
        xy = xy - (all_x @ all_y.T - per_bin * both_x * both_y) / n_units
        xx = xx - (all_x**2 @ seen_y.T - per_bin * both_x**2) / n_units
        yy = yy - (seen_x @ (all_y**2).T - per_bin * both_y**2) / n_units
        defined = (n_bins >= MIN_BINS) & (np.minimum(xx, yy) > 1e-9)
        norm = np.sqrt(np.where(defined, xx * yy, 1.0))
        found[k] = np.where(defined, np.clip(xy / norm, -1, 1), np.nan)
    return found


def _centred(rate: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Maps (segment, unit, bin) less the mean of each over its bins, so that no digits are lost."""
    n_bins = np.maximum(seen.sum(axis=1), 1)[:, None, None]
    return np.asarray((rate - rate.sum(axis=2, keepdims=True) / n_bins) * seen[:, None])
