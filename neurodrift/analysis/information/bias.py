"""Corrections of the limited-sampling bias of information, from curves against sample size.

Curves are (..., fraction) [bits] at increasing fractions of the sample, the last one 1: naive
information, and information of shuffled activity. Sums over fractions are taken one by one, so
that the memory layout cannot change a bit.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

Correction = Literal["none", "sr", "ssr", "ae", "bae"]


NAMES: dict[Correction, tuple[str, ...]] = {
    "sr": ("sr",),
    "ssr": ("ssr", "ssr_stability"),
    "ae": ("ae",),
    "bae": ("bae", "bae_r2"),
}
"""What each correction gives."""


def corrected(
    naive: np.ndarray, shuffle: np.ndarray, *, fractions: np.ndarray, correction: Correction
) -> np.ndarray:
    """Values (..., value) of one correction, in the order of :data:`NAMES`."""
    if correction == "sr":
        values: tuple[np.ndarray, ...] = (naive[..., -1] - shuffle[..., -1],)
    elif correction == "ssr":
        curve = scaled_shuffle_reduction(naive, shuffle)
        values = (curve[..., -1], stability(curve, fractions))
    elif correction == "ae":
        values = (asymptotic_extrapolation(naive, fractions),)
    else:
        values = bounded_asymptotic_extrapolation(naive, fractions)
    return np.stack(values, axis=-1)


def scaled_shuffle_reduction(naive: np.ndarray, shuffle: np.ndarray) -> np.ndarray:
    """SSR at every fraction, NaN at the first; where shuffles hold no information, the naive."""
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = (naive[..., :1] - naive) / (shuffle[..., :1] - shuffle)
        curve = np.where(shuffle == 0, naive, naive - shuffle * scale)
    curve[..., 0] = np.nan
    return curve


def stability(curve: np.ndarray, fractions: np.ndarray) -> np.ndarray:
    """Stability of an SSR curve: 1 - sd / last value, times the second fraction."""
    values = curve[..., 1:]
    n = values.shape[-1]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = sum_in_order(values)[..., None] / n
        sd = np.sqrt(sum_in_order((values - mean) ** 2) / (n - 1))
        return np.asarray(1 - sd / curve[..., -1] * (fractions[1] / fractions[-1]))


def asymptotic_extrapolation(naive: np.ndarray, fractions: np.ndarray) -> np.ndarray:
    """Intercept ``a`` of ``a + b/t + c/t**2``, ``a, b, c >= 0``, by exact least squares."""
    from scipy.optimize import nnls

    design = np.stack([np.ones_like(fractions), 1 / fractions, 1 / fractions**2], axis=1)
    rows = naive.reshape(-1, naive.shape[-1])
    intercept = [nnls(design, row)[0][0] if np.isfinite(row).all() else np.nan for row in rows]
    return np.array(intercept, dtype=float).reshape(naive.shape[:-1])


def bounded_asymptotic_extrapolation(
    naive: np.ndarray, fractions: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Asymptote ``a`` of ``a + b / (1 + c t)`` and R2; NaN where the fit has no start.

    A curve of zeros has the asymptote 0. R2 compares the mean squared residual (ddof 0) with the
    variance (ddof 1), as published.
    """
    from neurodrift.analysis.information._kernels import fit_bounded

    rows = np.ascontiguousarray(naive.reshape(-1, naive.shape[-1]))
    parameters = np.full((len(rows), 3), np.nan)
    for row, found in zip(rows, parameters, strict=True):
        if not row.any():
            found[:] = 0
        elif np.isfinite(row).all():
            fit_bounded(fractions, row, found)
    a, b, c = parameters.T[..., None]
    residual = rows - (a + b / (1 + c * fractions))
    n = len(fractions)
    spread = rows - sum_in_order(rows)[:, None] / n
    with np.errstate(invalid="ignore", divide="ignore"):
        r2 = 1 - (sum_in_order(residual**2) / n) / (sum_in_order(spread**2) / (n - 1))
    return parameters[:, 0].reshape(naive.shape[:-1]), r2.reshape(naive.shape[:-1])


def sum_in_order(values: np.ndarray) -> np.ndarray:
    """Sum over the last axis, first to last, in any memory layout."""
    return np.asarray(np.add.accumulate(values, axis=-1)[..., -1])
