"""Correlation on the last axis, with missing values; the same bits for the same numbers."""

from __future__ import annotations

import numpy as np

MIN_POINTS = 3  # two points always correlate by +1 or -1
_FLAT = 1e-12  # relative spread below which numbers are equal up to rounding


def pearson(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Pearson correlation along the last axis over entries that are finite in both.

    Parameters
    ----------
    a, b
        (..., point), broadcast against each other; NaN is missing.

    Returns
    -------
    numpy.ndarray
        (...) correlation in [-1, 1], NaN with fewer than three points or where one side is flat.
    """
    a, b = np.broadcast_arrays(a, b)
    both = np.isfinite(a) & np.isfinite(b)
    n = both.sum(axis=-1)
    a, b = _centred(a, both, n), _centred(b, both, n)
    norms = _norm(a) * _norm(b)
    enough = (n >= MIN_POINTS) & (norms > 0)
    r = np.divide((a * b).sum(axis=-1), norms, out=np.full(n.shape, np.nan), where=enough)
    return np.clip(r, -1.0, 1.0)


def standardized(values: np.ndarray) -> np.ndarray:
    """Scale to mean 0 and length 1 on the last axis, so that sums of products are correlations.

    Parameters
    ----------
    values
        (..., point) finite numbers.

    Returns
    -------
    numpy.ndarray
        (..., point), 0 throughout with fewer than three points or where all are equal.
    """
    n = np.full(values.shape[:-1], values.shape[-1])
    centred = _centred(values, np.isfinite(values), n) * (values.shape[-1] >= MIN_POINTS)
    norm = _norm(centred)[..., None]
    return np.divide(centred, norm, out=np.zeros_like(centred), where=norm > 0)


def _centred(values: np.ndarray, used: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Deviations from the mean over used entries, zero elsewhere and where all are equal.

    Scaled by the largest number, so that squares neither overflow nor vanish.
    """
    values = np.ascontiguousarray(np.where(used, values, 0.0))
    scale = np.abs(values).max(axis=-1, initial=0.0)[..., None]
    values = np.divide(values, scale, out=np.zeros_like(values), where=scale > 0)
    mean = values.sum(axis=-1) / np.maximum(n, 1)
    deviations = np.where(used, values - mean[..., None], 0.0)
    flat = np.abs(deviations).max(axis=-1, initial=0.0) <= _FLAT
    return np.where(flat[..., None], 0.0, deviations)


def _norm(deviations: np.ndarray) -> np.ndarray:
    return np.asarray(np.sqrt((deviations * deviations).sum(axis=-1)))


def jaccard(a: np.ndarray, b: np.ndarray) -> float:
    """Size of the common part over size of the union of two sets of units, NaN for two empty ones.

    Parameters
    ----------
    a, b
        (unit) whether a unit belongs to the set.

    Returns
    -------
    float
        From 0 to 1.
    """
    union = int((a | b).sum())
    return int((a & b).sum()) / union if union else float("nan")
