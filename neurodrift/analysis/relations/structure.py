"""Relations among the patterns of a code, and how alike those of two codes are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


def pattern_correlations(rate: np.ndarray) -> np.ndarray:
    """Correlation over units of each pair of population vectors, above the diagonal.

    Parameters
    ----------
    rate
        (unit, point) finite.

    Returns
    -------
    numpy.ndarray
        (pair) in the order of :func:`numpy.triu_indices`; 0 for a vector that is flat.
    """
    away = rate - rate.mean(axis=0)
    norm = np.sqrt((away**2).sum(axis=0))
    unit = np.divide(away, norm, out=np.zeros_like(away), where=norm > 1e-12 * norm.max(initial=0))
    return np.asarray((unit.T @ unit)[np.triu_indices(rate.shape[1], k=1)])


def centred_gram(rate: np.ndarray) -> np.ndarray:
    """(point, point) products of population vectors."""
    return np.asarray(rate.T @ rate)


def unbiased_hsic(k: np.ndarray, m: np.ndarray) -> float:
    r"""Unbiased estimate of the Hilbert-Schmidt independence criterion of two Gram matrices [1]_.

    Parameters
    ----------
    k, m
        (point, point) symmetric, of at least four points; their diagonals are not used.

    Returns
    -------
    float

    Notes
    -----
    With the diagonals set to 0,

    .. math:: \frac{1}{n (n - 3)} \left[ \mathrm{tr}(KM) + \frac{1^T K 1\, 1^T M 1}{(n-1)(n-2)}
        - \frac{2}{n - 2} 1^T K M 1 \right]

    References
    ----------
    .. [1] Song et al. (2012), J Mach Learn Res 13:1393.
       https://jmlr.org/papers/v13/song12a.html
    """
    n = k.shape[0]
    if n < 4:
        return np.nan
    k, m = k - np.diag(np.diag(k)), m - np.diag(np.diag(m))
    rows_k, rows_m = k.sum(axis=0), m.sum(axis=0)
    total = (k * m).sum() + rows_k.sum() * rows_m.sum() / ((n - 1) * (n - 2))
    return float((total - 2 / (n - 2) * (rows_k @ rows_m)) / (n * (n - 3)))


def procrustes_angle(a: np.ndarray, b: np.ndarray) -> float:
    r"""Angle between two codes after the best rotation of one onto the other [degree].

    Parameters
    ----------
    a, b
        (unit, point) finite.

    Returns
    -------
    float
        0 for codes that a rotation, a move and a scale make equal.

    Notes
    -----
    :math:`\arccos(\|F_b F_a^T\|_* / (\|F_a\| \|F_b\|))` of maps whose mean over points is taken
    away. Noise makes it larger: hold it against the angle between halves of one session.
    """
    a, b = (m - m.mean(axis=1, keepdims=True) for m in (a, b))
    size = np.sqrt((a**2).sum() * (b**2).sum())
    if not size > 0:
        return np.nan
    left, right = _root(a), _root(b)  # of b a^T without a matrix over units
    nuclear = np.linalg.svd(right @ left.T, compute_uv=False).sum()
    return float(np.degrees(np.arccos(np.clip(nuclear / size, -1, 1))))


def _root(values: np.ndarray) -> np.ndarray:
    """A (point, point) factor with the same products of rows over points."""
    gram = values.T @ values
    at, axes = np.linalg.eigh(gram)
    return np.asarray((axes * np.sqrt(np.clip(at, 0, None))).T)


@dataclass(frozen=True, eq=False)
class Classes:
    """Pairs of points at the same lag.

    Parameters
    ----------
    number
        (pair) number of the class.
    """

    number: np.ndarray

    @classmethod
    def of(cls, lag_class: np.ndarray, points: np.ndarray) -> Classes:
        """Classes of the pairs of some points, above the diagonal."""
        chosen = lag_class[np.ix_(points, points)]
        above = chosen[np.triu_indices(points.size, k=1)]
        return cls(np.unique(above, return_inverse=True)[1])

    def free(self, values: np.ndarray) -> np.ndarray:
        """Values (pair) less the mean of their class."""
        if not values.size:
            return values
        n = np.bincount(self.number)
        return np.asarray(values - (np.bincount(self.number, values) / n)[self.number])
