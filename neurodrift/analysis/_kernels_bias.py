"""Numba kernels of the bias corrections, nothing else."""

from __future__ import annotations

import numba
import numpy as np

_jit = numba.njit(nogil=True, cache=True, error_model="numpy")


@_jit
def fit_bounded(time: np.ndarray, curve: np.ndarray, parameters: np.ndarray) -> None:
    """Least squares of ``a + b / (1 + c t)`` to a curve, ``a, b, c >= 0``, near the usual start.

    Levenberg-Marquardt with projection on the bounds, from the start of Sheintuch et al. 2022:
    the optimum next to it, not the global one. NaN where the start does not exist.
    """
    n = time.size
    middle, last = int(n / 2 + 0.5) - 1, n - 1
    a, b = curve[last], curve[0] - curve[last]
    c = (curve[0] - curve[middle]) / (curve[middle] - curve[last]) / time[middle]
    parameters[:] = np.nan
    if not (np.isfinite(a) and np.isfinite(b) and np.isfinite(c)):
        return
    p = np.array([a, b, c])
    for i in range(3):
        if p[i] <= 0:
            p[i] = 1e-10
    trial, step, gradient = np.empty(3), np.empty(3), np.empty(3)
    hessian, system = np.empty((3, 3)), np.empty((3, 4))
    jacobian = np.empty(3)
    damping, cost = 1e-3, _cost(time, curve, p)
    for _ in range(1000):
        gradient[:] = 0
        hessian[:] = 0
        for i in range(n):
            d = 1.0 / (1.0 + p[2] * time[i])
            jacobian[0], jacobian[1], jacobian[2] = 1.0, d, -p[1] * time[i] * d * d
            residual = p[0] + p[1] * d - curve[i]
            for k in range(3):
                gradient[k] += residual * jacobian[k]
                for m in range(3):
                    hessian[k, m] += jacobian[k] * jacobian[m]
        lower = np.inf
        while damping < 1e12:
            for k in range(3):
                bound = p[k] <= 0 and gradient[k] > 0
                for m in range(3):
                    fixed = bound or (p[m] <= 0 and gradient[m] > 0)
                    system[k, m] = 0.0 if fixed else hessian[k, m]
                system[k, k] = 1.0 if bound else hessian[k, k] * (1 + damping) + 1e-300
                system[k, 3] = 0.0 if bound else -gradient[k]
            _solve(system, step)
            for k in range(3):
                trial[k] = max(0.0, p[k] + step[k])
            lower = _cost(time, curve, trial)
            if lower < cost:
                break
            damping *= 4
        if not lower < cost:
            break
        gain, cost = cost - lower, lower
        p[:] = trial
        damping = max(damping / 6, 1e-12)
        if gain <= 1e-10 * cost:
            break
    parameters[:] = p


@_jit
def _cost(time: np.ndarray, curve: np.ndarray, p: np.ndarray) -> float:
    cost = 0.0
    for i in range(time.size):
        residual = p[0] + p[1] / (1.0 + p[2] * time[i]) - curve[i]
        cost += residual * residual
    return cost


@_jit
def _solve(system: np.ndarray, solution: np.ndarray) -> None:
    """Solve a positive definite (3, 4) augmented system by elimination."""
    for k in range(3):
        for row in range(k + 1, 3):
            factor = system[row, k] / system[k, k]
            for m in range(k, 4):
                system[row, m] -= factor * system[k, m]
    for row in range(2, -1, -1):
        value = system[row, 3]
        for m in range(row + 1, 3):
            value -= system[row, m] * solution[m]
        solution[row] = value / system[row, row]
