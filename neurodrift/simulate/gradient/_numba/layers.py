"""Numba kernels of one layer of weights: products, sums, noise, adaptive steps; nothing else.

Units lie along the last axis, padded to blocks of 32 with columns of zeros; every function touches
the first ``width`` columns only, a whole number of blocks. All arrays are C-contiguous.
"""

from __future__ import annotations

import numba
import numpy as np

from neurodrift.simulate.gradient._numba.simd import (
    LANES,
    add_product,
    divide,
    larger,
    largest,
    load,
    load_all,
    load_as,
    multiply,
    rectify,
    splat,
    square_root,
    store,
    total,
    where_positive,
)

BLOCK = 2 * LANES
"""Units are computed in blocks of this size."""

_FAST = {"contract"}


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def project(
    coefficients: np.ndarray,
    rows: np.ndarray,
    first: int,
    start: int,
    width: int,
    masked: bool,
    hidden: np.ndarray,
    out: np.ndarray,
) -> None:
    """Rows of ``coefficients @ rows[first:]``, rectified, or masked by where hidden is positive."""
    n_samples, n_rows = coefficients.shape
    stride = rows.shape[1]
    c, w, h, o = coefficients.ravel(), rows.ravel(), hidden.ravel(), out.ravel()
    zero = splat(coefficients.dtype.type(0))
    whole = n_samples - n_samples % 4
    for j in range(start, width, BLOCK):
        for s in range(0, whole, 4):
            a0, a1, a2, a3 = zero, zero, zero, zero
            b0, b1, b2, b3 = zero, zero, zero, zero
            q = s * n_rows
            p = first * stride + j
            for i in range(n_rows):
                wa, wb = load(w, p), load(w, p + LANES)
                p += stride
                x = load_all(c, q + i)
                a0, b0 = add_product(x, wa, a0), add_product(x, wb, b0)
                x = load_all(c, q + n_rows + i)
                a1, b1 = add_product(x, wa, a1), add_product(x, wb, b1)
                x = load_all(c, q + 2 * n_rows + i)
                a2, b2 = add_product(x, wa, a2), add_product(x, wb, b2)
                x = load_all(c, q + 3 * n_rows + i)
                a3, b3 = add_product(x, wa, a3), add_product(x, wb, b3)
            p = s * stride + j
            _keep(h, o, p, masked, a0, b0)
            _keep(h, o, p + stride, masked, a1, b1)
            _keep(h, o, p + 2 * stride, masked, a2, b2)
            _keep(h, o, p + 3 * stride, masked, a3, b3)
        for s in range(whole, n_samples):
            a0, b0 = zero, zero
            p = first * stride + j
            for i in range(n_rows):
                x = load_all(c, s * n_rows + i)
                a0, b0 = add_product(x, load(w, p), a0), add_product(x, load(w, p + LANES), b0)
                p += stride
            _keep(h, o, s * stride + j, masked, a0, b0)


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _keep(h, o, p, masked, a, b):  # type: ignore[no-untyped-def]
    if masked:
        store(o, p, where_positive(load(h, p), a))
        store(o, p + LANES, where_positive(load(h, p + LANES), b))
    else:
        store(o, p, rectify(a))
        store(o, p + LANES, rectify(b))


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def fires(coefficients: np.ndarray, rows: np.ndarray, j: int) -> bool:
    """Whether any unit of block ``j`` is positive on any sample, by the sums of `project`."""
    n_samples, n_rows = coefficients.shape
    stride = rows.shape[1]
    c, w = coefficients.ravel(), rows.ravel()
    zero = splat(coefficients.dtype.type(0))
    top = zero
    whole = n_samples - n_samples % 4
    for s in range(0, whole, 4):
        a0, a1, a2, a3 = zero, zero, zero, zero
        b0, b1, b2, b3 = zero, zero, zero, zero
        q = s * n_rows
        p = j
        for i in range(n_rows):
            wa, wb = load(w, p), load(w, p + LANES)
            p += stride
            x = load_all(c, q + i)
            a0, b0 = add_product(x, wa, a0), add_product(x, wb, b0)
            x = load_all(c, q + n_rows + i)
            a1, b1 = add_product(x, wa, a1), add_product(x, wb, b1)
            x = load_all(c, q + 2 * n_rows + i)
            a2, b2 = add_product(x, wa, a2), add_product(x, wb, b2)
            x = load_all(c, q + 3 * n_rows + i)
            a3, b3 = add_product(x, wa, a3), add_product(x, wb, b3)
        a0, a1, a2, a3 = larger(a0, b0), larger(a1, b1), larger(a2, b2), larger(a3, b3)
        top = larger(larger(larger(a0, a1), larger(a2, a3)), top)
    for s in range(whole, n_samples):
        a0, b0 = zero, zero
        p = j
        for i in range(n_rows):
            x = load_all(c, s * n_rows + i)
            a0, b0 = add_product(x, load(w, p), a0), add_product(x, load(w, p + LANES), b0)
            p += stride
        top = larger(larger(a0, b0), top)
    return largest(top) > 0


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def outputs(hidden: np.ndarray, rows: np.ndarray, first: int, width: int, out: np.ndarray) -> None:
    """``out[s, k]``: sum over units of ``hidden[s] * rows[first + k]``."""
    n_samples, n_outputs = out.shape
    stride = rows.shape[1]
    w, h, o = rows.ravel(), hidden.ravel(), out.ravel()
    zero = splat(rows.dtype.type(0))
    for s in range(0, n_samples, 2):
        t = min(s + 1, n_samples - 1)  # the last of an odd number is computed twice
        k = 0
        while k + 4 <= n_outputs:
            a0, a1, a2, a3 = zero, zero, zero, zero
            b0, b1, b2, b3 = zero, zero, zero, zero
            p = (first + k) * stride
            for j in range(0, width, LANES):
                x, y = load(h, s * stride + j), load(h, t * stride + j)
                v = load(w, p + j)
                a0, b0 = add_product(x, v, a0), add_product(y, v, b0)
                v = load(w, p + stride + j)
                a1, b1 = add_product(x, v, a1), add_product(y, v, b1)
                v = load(w, p + 2 * stride + j)
                a2, b2 = add_product(x, v, a2), add_product(y, v, b2)
                v = load(w, p + 3 * stride + j)
                a3, b3 = add_product(x, v, a3), add_product(y, v, b3)
            p = s * n_outputs + k
            o[p], o[p + 1], o[p + 2], o[p + 3] = total(a0), total(a1), total(a2), total(a3)
            p = t * n_outputs + k
            o[p], o[p + 1], o[p + 2], o[p + 3] = total(b0), total(b1), total(b2), total(b3)
            k += 4
        while k < n_outputs:
            a0, b0 = zero, zero
            for j in range(0, width, LANES):
                v = load(w, (first + k) * stride + j)
                a0 = add_product(load(h, s * stride + j), v, a0)
                b0 = add_product(load(h, t * stride + j), v, b0)
            o[s * n_outputs + k] = total(a0)
            o[t * n_outputs + k] = total(b0)
            k += 1


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def descend(
    coefficients: np.ndarray, samples: np.ndarray, rows: np.ndarray, first: int, width: int
) -> None:
    """Add ``coefficients.T @ samples`` to ``rows[first:]``."""
    n_samples, n_rows = coefficients.shape
    stride = rows.shape[1]
    c, w, d = coefficients.ravel(), rows.ravel(), samples.ravel()
    whole = n_rows - n_rows % 4
    for j in range(0, width, BLOCK):
        for m in range(0, whole, 4):
            p0 = (first + m) * stride + j
            p1, p2, p3 = p0 + stride, p0 + 2 * stride, p0 + 3 * stride
            a0, a1, a2, a3 = load(w, p0), load(w, p1), load(w, p2), load(w, p3)
            b0, b1 = load(w, p0 + LANES), load(w, p1 + LANES)
            b2, b3 = load(w, p2 + LANES), load(w, p3 + LANES)
            q = m
            t = j
            for _ in range(n_samples):
                da, db = load(d, t), load(d, t + LANES)
                t += stride
                x = load_all(c, q)
                a0, b0 = add_product(x, da, a0), add_product(x, db, b0)
                x = load_all(c, q + 1)
                a1, b1 = add_product(x, da, a1), add_product(x, db, b1)
                x = load_all(c, q + 2)
                a2, b2 = add_product(x, da, a2), add_product(x, db, b2)
                x = load_all(c, q + 3)
                a3, b3 = add_product(x, da, a3), add_product(x, db, b3)
                q += n_rows
            store(w, p0, a0)
            store(w, p0 + LANES, b0)
            store(w, p1, a1)
            store(w, p1 + LANES, b1)
            store(w, p2, a2)
            store(w, p2 + LANES, b2)
            store(w, p3, a3)
            store(w, p3 + LANES, b3)
        for m in range(whole, n_rows):
            p = (first + m) * stride + j
            a0, b0 = load(w, p), load(w, p + LANES)
            t = j
            for s in range(n_samples):
                x = load_all(c, s * n_rows + m)
                a0, b0 = add_product(x, load(d, t), a0), add_product(x, load(d, t + LANES), b0)
                t += stride
            store(w, p, a0)
            store(w, p + LANES, b0)


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def add_noise(
    rows: np.ndarray,
    first: int,
    n_rows: int,
    width: int,
    n_units: int,
    scale: float,
    noise: np.ndarray,
    offset: int,
) -> None:
    """Add ``scale * noise`` to the units of some rows; columns that pad stay zero."""
    stride = rows.shape[1]
    w = rows.ravel()
    factor = splat(scale)
    for i in range(first, first + n_rows):
        for j in range(0, width, LANES):
            p = i * stride + j
            store(w, p, add_product(factor, load_as(noise, offset + j, scale), load(w, p)))
        for j in range(n_units, width):
            w[i * stride + j] = rows.dtype.type(0)
        offset += width


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def adam(rows, mean, square, gradient, width, rate, root, beta_1, beta_2, epsilon, tiny):  # type: ignore[no-untyped-def]
    """Adam; means whose square is below ``tiny`` become zero, which keeps denormals away."""
    one = rows.dtype.type(1)
    w, m, v, g = rows.ravel(), mean.ravel(), square.ravel(), gradient.ravel()
    old_1, old_2, eps = splat(beta_1), splat(beta_2), splat(epsilon)
    new_1, new_2 = splat(one - beta_1), splat(one - beta_2)
    back, correct, limit, unit = splat(-rate), splat(root), splat(-tiny), splat(one)
    for i in range(rows.shape[0]):
        for j in range(0, width, LANES):
            p = i * rows.shape[1] + j
            slope = load(g, p)
            average = add_product(new_1, slope, multiply(old_1, load(m, p)))
            average = where_positive(add_product(average, average, limit), average)
            spread = add_product(multiply(new_2, slope), slope, multiply(old_2, load(v, p)))
            below = add_product(square_root(spread), correct, eps)
            store(m, p, average)
            store(v, p, spread)
            change = divide(multiply(average, unit), below)
            store(w, p, add_product(back, change, load(w, p)))


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def momentum(rows, mean, gradient, width, rate, kept):  # type: ignore[no-untyped-def]
    """Descent by what is left of all gradients so far."""
    w, m, g = rows.ravel(), mean.ravel(), gradient.ravel()
    old, back = splat(kept), splat(-rate)
    for i in range(rows.shape[0]):
        for j in range(0, width, LANES):
            p = i * rows.shape[1] + j
            left = add_product(old, load(m, p), load(g, p))
            store(m, p, left)
            store(w, p, add_product(back, left, load(w, p)))


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def rmsprop(rows, square, gradient, width, rate, decay, epsilon):  # type: ignore[no-untyped-def]
    """RMSprop without momentum."""
    w, v, g = rows.ravel(), square.ravel(), gradient.ravel()
    old, new = splat(decay), splat(rows.dtype.type(1) - decay)
    back, eps, unit = splat(-rate), splat(epsilon), splat(rows.dtype.type(1))
    for i in range(rows.shape[0]):
        for j in range(0, width, LANES):
            p = i * rows.shape[1] + j
            slope = load(g, p)
            spread = add_product(multiply(new, slope), slope, multiply(old, load(v, p)))
            store(v, p, spread)
            change = divide(slope, add_product(square_root(spread), unit, eps))
            store(w, p, add_product(back, change, load(w, p)))
