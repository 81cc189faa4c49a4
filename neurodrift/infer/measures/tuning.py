"""How sharp maps are: information of the second order, and the width of fields."""

from __future__ import annotations

import numpy as np

from neurodrift.infer.measures.view import View

LEAST_BINS = 4
"""Conditions of a segment from which on a width or a shift is told."""


def information(view: View) -> np.ndarray:
    r"""(replicate, session) bits an event of the second order (Renyi), pooled over units.

    :math:`\log_2 \sum_c p_c (r_c / \bar r)^2` with the square from two halves, so that few events
    do not enlarge it. It is the usual information of a unit that fires evenly in a field.
    """
    values = view.weighted
    square = (values[:, :, 0] * values[:, :, 1]).mean(axis=-1)
    mean = values.mean(axis=-1)
    total, even = view.kept @ square, view.kept @ (mean[:, :, 0] * mean[:, :, 1])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where((even > 0) & (total > 0), total / even, np.nan)
        return np.asarray(np.log2(ratio))


def width(view: View) -> np.ndarray:
    """(replicate, session) lag at which maps are half as alike to themselves, share of a segment.

    Of the product of two halves at each lag, with the mean of each map taken away.
    """
    names, where = np.unique(view.segment, return_inverse=True)
    sizes = np.bincount(where) if names.size else np.zeros(1, dtype=int)
    n_bins = int(sizes.min())
    nothing = np.full((len(view.kept), view.n_sessions), np.nan)
    if view.geometry == "none" or n_bins < LEAST_BINS:
        return nothing
    curves = []
    for number in range(names.size):
        own = view.weighted[..., where == number]
        own = own - own.mean(axis=-1, keepdims=True)
        curves.append(view.kept @ _products_at_lags(own, n_bins // 2, view.geometry == "circular"))
    curve = np.sum(curves, axis=0)
    return _half_lag(curve.reshape(len(view.kept), view.n_sessions, -1)) / n_bins


def _products_at_lags(own: np.ndarray, most: int, ring: bool) -> np.ndarray:
    """(unit, session * lag) mean product of the two halves at each lag."""
    one, other = own[:, :, 0], own[:, :, 1]
    found = []
    for lag in range(most + 1):
        if ring:
            forth, back = np.roll(other, -lag, axis=-1), np.roll(other, lag, axis=-1)
            found.append((one * (forth + back)).mean(axis=-1) / 2)
        else:
            n = one.shape[-1] - lag
            pairs = one[..., :n] * other[..., lag:] + one[..., lag:] * other[..., :n]
            found.append(pairs.mean(axis=-1) / 2)
    return np.stack(found, axis=-1).reshape(len(own), -1)


def _half_lag(curve: np.ndarray) -> np.ndarray:
    """(...) lag at which a curve over (..., lag) first falls to half of its start."""
    start = curve[..., :1]
    with np.errstate(divide="ignore", invalid="ignore"):
        falls = np.where(start > 0, curve / start, np.nan)
    below = falls < 0.5
    at = np.where(below.any(axis=-1), below.argmax(axis=-1), curve.shape[-1] - 1)
    after = np.take_along_axis(falls, at[..., None], axis=-1)[..., 0]
    before = np.take_along_axis(falls, np.maximum(at - 1, 0)[..., None], axis=-1)[..., 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.clip((before - 0.5) / (before - after), 0.0, 1.0)
    return np.where(np.isfinite(falls[..., 0]), at - 1 + part, np.nan)
