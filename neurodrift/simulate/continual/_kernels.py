"""Numba kernels of the leaky recurrent network, over trials of different lengths laid end to end.

One trial after the other, so that no step is spent on padding; inner loops run over units, which
the compiler turns into vector instructions.
"""

from __future__ import annotations

import numba
import numpy as np

_FAST = {"contract"}


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _add_product(vector, matrix, out):  # type: ignore[no-untyped-def]
    """Add vector @ matrix to out; four rows at a time, so that out is read and written less."""
    n, m = matrix.shape
    i = 0
    while i + 4 <= n:
        a, b, c, d = vector[i], vector[i + 1], vector[i + 2], vector[i + 3]
        for j in range(m):
            first = a * matrix[i, j] + b * matrix[i + 1, j]
            out[j] += first + (c * matrix[i + 2, j] + d * matrix[i + 3, j])
        i += 4
    while i < n:
        for j in range(m):
            out[j] += vector[i] * matrix[i, j]
        i += 1


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _widened(matrix):  # type: ignore[no-untyped-def]
    """Columns of zeros up to a multiple of eight: loops over them have no rest."""
    n, m = matrix.shape
    wide = np.zeros((n, (m + 7) // 8 * 8), matrix.dtype)
    wide[:, :m] = matrix
    return wide


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def run_forward(
    drive: np.ndarray,
    recurrent: np.ndarray,
    offsets: np.ndarray,
    leak: float,
    current: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
) -> None:
    """Activity of every unit at every row.

    Parameters
    ----------
    drive
        (row, unit) input current and noise.
    recurrent
        (unit before, unit) weights.
    offsets
        (trial + 1) rows.
    leak
        Share of the new activity.
    current, before, after
        (row, unit) written: the current h, the activity before the row and at it.
    """
    n_units = recurrent.shape[0]
    leak = drive.dtype.type(leak)
    keep = drive.dtype.type(1) - leak
    wide = _widened(recurrent)
    h = np.zeros(wide.shape[1], drive.dtype)
    r = np.empty(n_units, drive.dtype)
    for trial in range(offsets.size - 1):
        r[:] = 0
        for row in range(offsets[trial], offsets[trial + 1]):
            for j in range(n_units):
                h[j] = drive[row, j]
            _add_product(r, wide, h)
            for j in range(n_units):
                before[row, j] = r[j]
                current[row, j] = h[j]
                r[j] = keep * r[j] + leak * max(h[j], drive.dtype.type(0))
                after[row, j] = r[j]


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def run_backward(
    read: np.ndarray,
    transposed: np.ndarray,
    offsets: np.ndarray,
    leak: float,
    current: np.ndarray,
    out: np.ndarray,
) -> None:
    """Gradient of the loss with respect to the current of every row.

    Parameters
    ----------
    read
        (trial, step, unit) gradient with respect to the activity in the last steps of each trial.
    transposed
        (unit, unit before) recurrent weights.
    offsets, leak, current
        As in :func:`run_forward`.
    out
        (row, unit) written.
    """
    n_units, n_read = transposed.shape[0], read.shape[1]
    leak = current.dtype.type(leak)
    keep = current.dtype.type(1) - leak
    zero = current.dtype.type(0)
    wide = _widened(transposed)
    g = np.empty(wide.shape[1], current.dtype)
    for trial in range(offsets.size - 1):
        g[:] = 0
        last = offsets[trial + 1]
        for row in range(last - 1, offsets[trial] - 1, -1):
            step = row - (last - n_read)
            if step >= 0:
                for j in range(n_units):
                    g[j] += read[trial, step, j]
            for j in range(n_units):
                out[row, j] = leak * g[j] if current[row, j] > 0 else zero
                g[j] *= keep
            _add_product(out[row], wide, g)


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def squared_outer(left: np.ndarray, right: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Sum over trials of the squared elements of left' right of each trial.

    Parameters
    ----------
    left, right
        (row, n) and (row, m).
    offsets
        (trial + 1) rows.

    Returns
    -------
    numpy.ndarray
        (n, m).
    """
    total = np.zeros((left.shape[1], right.shape[1]), left.dtype)
    for trial in range(offsets.size - 1):
        part = slice(offsets[trial], offsets[trial + 1])
        product = np.dot(left[part].T, right[part])
        total += product * product
    return total


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def mean_outer(rows: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Mean over trials of the sum of outer products of a trial's rows over its length less one.

    Parameters
    ----------
    rows
        (row, n).
    offsets
        (trial + 1) rows.

    Returns
    -------
    numpy.ndarray
        (n, n).
    """
    total = np.zeros((rows.shape[1], rows.shape[1]), rows.dtype)
    for trial in range(offsets.size - 1):
        part = rows[offsets[trial] : offsets[trial + 1]]
        total += np.dot(part.T, part) / max(len(part) - 1, 1)
    return total / (offsets.size - 1)
