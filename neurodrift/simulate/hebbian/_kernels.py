"""Numba kernels of Hebbian / anti-Hebbian similarity matching, nothing else.

Weights are kept transposed, ``w_t`` (feature, unit) and ``m_t`` (unit, unit) with ``m_t[j]`` the
column of unit j, so that every inner loop runs along memory and no sum is reordered. Linear systems
are solved here and not by LAPACK: those of a few dozen units are faster so, and the last bits do
not depend on the number of threads.

The fixed point solves a linear complementarity problem: ``y >= 0``, ``w = A y - q >= 0``,
``y w = 0`` with ``A = M + ridge I``. It is found by block principal pivoting from the sample's last
active set (J. Júdice & F. Pires (1994), https://doi.org/10.1016/0305-0548(94)90106-6), which falls
back to C. Lemke's method with a lexicographic ratio test where it comes to no end.
"""

from __future__ import annotations

import numba
import numpy as np

from neurodrift.simulate.gradient._numba.noise import fill_normal

_FAST = {"contract", "nsz"}
_CHUNK = 4096  # normal numbers at a time, few enough to stay in the first cache
_TRIES = 8  # block exchanges that may not lessen the number of violations
_ROUNDS = 200  # exchanges before Lemke's method

SOLVED, NO_SOLUTION, NOT_FINITE = 0, 1, 2
"""Statuses."""

SOLVES, FALLBACKS, ITERATIONS, UNCONVERGED = 0, 1, 2, 3
"""Places in the counters: linear systems, Lemke's method, iterations, not converged."""


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _solve(a, b, n):  # type: ignore[no-untyped-def]
    """Solve ``a[:n, :n] y = b[:n]`` in place by elimination with row exchanges; False: singular."""
    for p in range(n):
        best, size = p, abs(a[p, p])
        for r in range(p + 1, n):
            if abs(a[r, p]) > size:
                best, size = r, abs(a[r, p])
        if size < 1e-290:
            return False
        if best != p:
            for c in range(p, n):
                a[p, c], a[best, c] = a[best, c], a[p, c]
            b[p], b[best] = b[best], b[p]
        inverse = 1.0 / a[p, p]
        for r in range(p + 1, n):
            factor = a[r, p] * inverse
            if factor != 0.0:
                for c in range(p + 1, n):
                    a[r, c] -= factor * a[p, c]
                b[r] -= factor * b[p]
    for p in range(n - 1, -1, -1):
        value = b[p]
        for c in range(p + 1, n):
            value -= a[p, c] * b[c]
        b[p] = value / a[p, p]
    return True


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _solve_active(m_t, ridge, q, active, a, b, index, y):  # type: ignore[no-untyped-def]
    """Activity of the active units, all others silent; (whether solved, how many)."""
    n = 0
    for i in range(q.size):
        y[i] = 0.0
        if active[i]:
            index[n] = i
            b[n] = q[i]
            n += 1
    for c in range(n):
        column = m_t[index[c]]
        for r in range(n):
            a[r, c] = column[index[r]]
        a[c, c] += ridge
    if not _solve(a, b, n):
        return False, n
    for c in range(n):
        y[index[c]] = b[c]
    return True, n


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _violations(m_t, ridge, q, active, index, n, y, w, tolerance):  # type: ignore[no-untyped-def]
    """Fill the drives ``w``; number of units on the wrong side."""
    for i in range(q.size):
        w[i] = ridge * y[i] - q[i]
    for c in range(n):
        value, column = y[index[c]], m_t[index[c]]
        for i in range(q.size):
            w[i] += value * column[i]
    wrong = 0
    for i in range(q.size):
        wrong += (y[i] < -tolerance) if active[i] else (w[i] < -tolerance)
    return wrong


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def lemke(m_t: np.ndarray, ridge: float, q: np.ndarray, y: np.ndarray) -> int:
    """Fill ``y`` by Lemke's method from the empty set; it ends for any non-negative M.

    With a positive diagonal such an M is strictly copositive, so there is always a solution.
    """
    n = q.size
    table = np.zeros((n, 2 * n + 2))  # w, y, the covering variable, right side
    basis = np.arange(n)
    for i in range(n):
        table[i, i] = 1.0
        for j in range(n):
            table[i, n + j] = -m_t[j, i]
        table[i, n + i] -= ridge
        table[i, 2 * n] = -1.0
        table[i, 2 * n + 1] = -q[i]
    row = 0
    for i in range(n):
        if table[i, 2 * n + 1] <= table[row, 2 * n + 1]:  # the last of several: lexicographic
            row = i
    if table[row, 2 * n + 1] < 0.0:
        entering = 2 * n
        for _ in range(100 * n + 100):
            leaving = basis[row]
            _pivot(table, row, entering)
            basis[row] = entering
            if leaving == 2 * n:
                break
            entering = leaving + n if leaving < n else leaving - n
            row = _ratio_row(table, basis, entering)
            if row < 0:
                return NO_SOLUTION
        else:
            return NO_SOLUTION
    y[:] = 0.0
    for i in range(n):
        if basis[i] == 2 * n:
            return NO_SOLUTION
        if basis[i] >= n:
            y[basis[i] - n] = max(table[i, 2 * n + 1], 0.0)
    return SOLVED


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _pivot(table, row, entering):  # type: ignore[no-untyped-def]
    inverse = 1.0 / table[row, entering]
    for c in range(table.shape[1]):
        table[row, c] *= inverse
    table[row, entering] = 1.0
    for r in range(table.shape[0]):
        factor = table[r, entering]
        if r != row and factor != 0.0:
            for c in range(table.shape[1]):
                table[r, c] -= factor * table[row, c]
            table[r, entering] = 0.0


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _ratio_row(table, basis, entering):  # type: ignore[no-untyped-def]
    """Row of the lexicographically smallest ratio; the covering variable's among ties; -1: none."""
    n = table.shape[0]
    found = -1
    for r in range(n):
        if table[r, entering] <= 1e-11:
            continue
        if found < 0:
            found = r
            continue
        for step in range(n + 1):
            c = 2 * n + 1 if step == 0 else step - 1
            one = table[r, c] / table[r, entering]
            other = table[found, c] / table[found, entering]
            if abs(one - other) > 1e-13 * (abs(one) + abs(other)):
                if one < other:
                    found = r
                break
            if step == 0 and basis[found] == 2 * n:
                break
            if step == 0 and basis[r] == 2 * n:
                found = r
                break
    return found


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def exact(m_t, ridge, q, active, a, b, index, y, w, counters):  # type: ignore[no-untyped-def]
    """Fill ``y`` with the exact fixed point, ``active`` with its units; from ``active`` on."""
    scale = 0.0
    for i in range(q.size):
        scale = max(scale, abs(q[i]))
        if not np.isfinite(q[i]):
            return NOT_FINITE
    tolerance = 1e-12 * scale
    fewest, tries = q.size + 1, _TRIES
    for _ in range(_ROUNDS):
        solved, n = _solve_active(m_t, ridge, q, active, a, b, index, y)
        counters[SOLVES] += 1
        if not solved:
            break
        wrong = _violations(m_t, ridge, q, active, index, n, y, w, tolerance)
        if wrong == 0:
            for i in range(q.size):
                y[i] = max(y[i], 0.0)
            return SOLVED
        block = True
        if wrong < fewest:
            fewest, tries = wrong, _TRIES
        elif tries > 0:
            tries -= 1
        else:
            block = False  # one at a time, the last one first, as Murty's rule has it
        for i in range(q.size - 1, -1, -1):
            if (y[i] if active[i] else w[i]) < -tolerance:
                active[i] = not active[i]
                if not block:
                    break
    counters[FALLBACKS] += 1
    status = lemke(m_t, ridge, q, y)
    if status != SOLVED:
        return status
    for i in range(q.size):
        active[i] = y[i] > 0.0
        w[i] = y[i]
    # the same set once more: elimination loses fewer digits than many pivots
    solved, n = _solve_active(m_t, ridge, q, active, a, b, index, y)
    good = solved
    for i in range(q.size):
        good = good and y[i] >= 0.0
    if not good:
        y[:] = w
    return SOLVED


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def iterate(m_t, lam1, lam2, drive, dt, tolerance, most, y, u, push, counters):  # type: ignore[no-untyped-def]
    """Fill ``y`` by the published fast dynamics, from rest; units that are silent cost nothing."""
    n = drive.size
    y[:] = 0.0
    u[:] = 0.0
    for _ in range(most):
        counters[ITERATIONS] += 1
        for i in range(n):
            push[i] = drive[i] - u[i] + m_t[i, i] * y[i]
        for j in range(n):
            if y[j] != 0.0:
                value, column = y[j], m_t[j]
                for i in range(n):
                    push[i] -= value * column[i]
        change = size = 0.0
        for i in range(n):
            u[i] += dt * push[i]
            change += push[i] * push[i]
            size += u[i] * u[i]
            y[i] = max((u[i] - lam1) / (lam2 + m_t[i, i]), 0.0)
        if not np.isfinite(size):
            return NOT_FINITE
        if change <= tolerance * tolerance * size:  # |du| / dt / |u|
            return SOLVED
    counters[UNCONVERGED] += 1
    return SOLVED


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def respond(x, w_t, m_t, bias, numbers, linear, iterated, active, work, counters, y):  # type: ignore[no-untyped-def]
    """Fill ``y`` with the response to one sample. numbers: see :func:`advance`."""
    lam1, lam2, root_alpha = numbers[1], numbers[2], numbers[3]
    a, rows, index = work
    q, b, w = rows[0], rows[1], rows[2]
    n = y.size
    for i in range(n):
        q[i] = -root_alpha * bias[i]
    for k in range(x.size):
        value = x[k]
        if value != 0.0:
            for i in range(n):
                q[i] += value * w_t[k, i]
    if iterated and not linear:
        dt, tolerance, most = numbers[7], numbers[8], int(numbers[9])
        return iterate(m_t, lam1, lam2, q, dt, tolerance, most, y, w, b, counters)
    if linear:
        active[:] = True
        counters[SOLVES] += 1
        solved, _ = _solve_active(m_t, lam2, q, active, a, b, index, y)
        for i in range(n):
            if not np.isfinite(y[i]):
                return NOT_FINITE
        return SOLVED if solved else NO_SOLUTION
    for i in range(n):
        q[i] -= lam1
    return exact(m_t, lam2, q, active, a, b, index, y, w, counters)


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _decay(flat, keep, scale, state, noise):  # type: ignore[no-untyped-def]
    """``flat <- keep flat + scale xi``; without noise none is drawn."""
    if scale == 0.0:
        for i in range(flat.size):
            flat[i] *= keep
        return
    for first in range(0, flat.size, _CHUNK):
        n = min(_CHUNK, flat.size - first)
        fill_normal(state, noise, n)
        for i in range(n):
            flat[first + i] = keep * flat[first + i] + scale * noise[i]


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def advance(
    inputs: np.ndarray,
    order: np.ndarray,
    w_t: np.ndarray,
    m_t: np.ndarray,
    bias: np.ndarray,
    active: np.ndarray,
    numbers: np.ndarray,
    linear: bool,
    iterated: bool,
    clipped: bool,
    states: np.ndarray,
    counters: np.ndarray,
) -> tuple[int, int]:
    """One update for each sample in ``order``; (status, updates made).

    numbers: learning rate, lam1, lam2, sqrt(alpha), the three scales of noise (W, M, b), and of the
    published iteration dt, tolerance and the most iterations.
    """
    n_units = bias.size
    eta, root_alpha = numbers[0], numbers[3]
    keep, root_eta = 1.0 - eta, np.sqrt(eta)
    y, noise = np.zeros(n_units), np.zeros(_CHUNK, np.float32)
    work = (np.empty((n_units, n_units)), np.empty((3, n_units)), np.empty(n_units, np.int64))
    flat_w, flat_m = w_t.reshape(w_t.size), m_t.reshape(m_t.size)
    for step in range(order.size):
        x = inputs[order[step]]
        status = respond(
            x, w_t, m_t, bias, numbers, linear, iterated, active[order[step]], work, counters, y
        )
        if status != SOLVED:
            return status, step
        _decay(flat_w, keep, root_eta * numbers[4], states[0], noise)
        for k in range(x.size):
            factor = eta * x[k]
            if factor != 0.0:
                for i in range(n_units):
                    w_t[k, i] += factor * y[i]
        _decay(flat_m, keep, root_eta * numbers[5], states[1], noise)
        for j in range(n_units):
            factor = eta * y[j]
            if factor != 0.0:
                for i in range(n_units):
                    m_t[j, i] += factor * y[i]
        if clipped:
            for i in range(flat_m.size):
                flat_m[i] = max(flat_m[i], 0.0)
        _decay(bias, keep, root_eta * numbers[6], states[2], noise)
        for i in range(n_units):
            bias[i] += eta * root_alpha * y[i]
    return SOLVED, order.size


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def probe(
    inputs: np.ndarray,
    w_t: np.ndarray,
    m_t: np.ndarray,
    bias: np.ndarray,
    numbers: np.ndarray,
    linear: bool,
    iterated: bool,
    out: np.ndarray,
    counters: np.ndarray,
) -> tuple[int, int]:
    """Fill ``out`` (sample, unit) with the response to every input; (status, samples done).

    The exact solver starts each sample from the active set of the one before, the first from the
    units with a positive drive, so that the result is a function of weights and inputs alone.
    """
    n_units = bias.size
    work = (np.empty((n_units, n_units)), np.empty((3, n_units)), np.empty(n_units, np.int64))
    active = np.ones(n_units, np.bool_)
    for i in range(n_units):
        drive = -numbers[1] - numbers[3] * bias[i]
        for k in range(inputs.shape[1]):
            drive += inputs[0, k] * w_t[k, i]
        active[i] = drive > 0.0
    for t in range(inputs.shape[0]):
        status = respond(
            inputs[t], w_t, m_t, bias, numbers, linear, iterated, active, work, counters, out[t]
        )
        if status != SOLVED:
            return status, t
    return SOLVED, inputs.shape[0]
