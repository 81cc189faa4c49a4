"""Least squares of an exponential decline to a level, and which timescales a curve allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neurodrift.seeds import generator

MOST = 400
"""Samples of a curve that is tested."""


@dataclass(frozen=True)
class AllowedTimescales:
    """Which timescales the curve does not contradict, by simulated curves that have them."""

    u: np.ndarray
    t: np.ndarray
    taus: np.ndarray
    least: float  # squared error of the best fit
    n_units: int | None
    confidence: float
    n_curves: int
    seed: int

    def edge(self, inside: float, outside: float, otherwise: float) -> float:
        """End of the interval between a timescale that is accepted and one that may not be."""
        if self.accepts(outside):
            return otherwise
        for _ in range(10):
            middle = np.sqrt(inside * outside)
            inside, outside = (middle, outside) if self.accepts(middle) else (inside, middle)
        return float(np.sqrt(inside * outside))

    def accepts(self, tau: float) -> bool:
        """Whether fixing the timescale costs no more than it does where it is true."""
        taus = np.full(1, tau)
        a, c, fixed = (v[0] for v in _fit_at(self.u[None], self.t, taus))
        rng = generator(self.seed, "sparsification")
        if self.n_units is None:
            fitted = c + a * np.exp(-self.t / tau)
            curves = _autoregressive(fitted, self.u - fitted, self.n_curves, rng)
        else:
            curves = _staircases(self.t, tau, a, c, self.n_units, self.n_curves, rng)
        near = self.taus[(self.taus > tau / 30) & (self.taus < tau * 30)]
        fixed_again = _fit_at(curves, self.t, taus)[2]
        least_again = np.minimum(fit(curves, self.t, near)[3], fixed_again)
        if self.n_units is not None:  # how much noise there is follows from the number of units
            allowed = np.quantile(fixed_again - least_again, self.confidence)
            return bool(fixed - self.least <= allowed)
        # rounding errors, which are all that a fit without noise leaves
        floor = 1e-12 * (self.u @ self.u)
        allowed = np.quantile((fixed_again + floor) / (least_again + floor), self.confidence)
        return bool(fixed + floor <= allowed * (self.least + floor))


def shorter(
    u: np.ndarray, t: np.ndarray, tau: float, averages: bool
) -> tuple[np.ndarray, np.ndarray]:
    """At most `MOST` samples, no further apart than a fifth of the timescale."""
    together = int(min(np.ceil(t.size / MOST), tau * t.size / (5 * t[-1])))
    together = max(together, 1)
    n = min(t.size // together, MOST) * together
    groups = u[:n].reshape(-1, together), t[:n].reshape(-1, together)
    if averages:
        return groups[0].mean(axis=1), groups[1].mean(axis=1)
    return groups[0][:, 0], groups[1][:, 0]


def _staircases(
    t: np.ndarray, tau: float, a: float, c: float, n_units: int, n_curves: int, rng: Any
) -> np.ndarray:
    """Curves of units of which a share ``c`` stays and a share ``a`` falls silent at random."""
    stay = round(c * n_units)
    lives = rng.exponential(tau, (n_curves, max(round((a + c) * n_units) - stay, 1)))
    gone = [np.searchsorted(np.sort(row), t, side="right") for row in lives]
    return (stay + lives.shape[1] - np.array(gone)) / n_units


def _autoregressive(fitted: np.ndarray, residual: np.ndarray, n_curves: int, rng: Any) -> Any:
    """The fit with first-order autoregressive noise, estimated from and drawn of its residuals."""
    from scipy.signal import lfilter

    power = residual @ residual
    memory = 0.0 if power == 0 else float(residual[1:] @ residual[:-1] / power)
    # a fit takes slow noise away, so that the estimate falls short by about this much
    memory += (1 + 4 * memory) / residual.size
    memory = min(max(memory, 0.0), 0.999)
    fresh = residual[1:] - memory * residual[:-1]
    drawn = rng.choice(fresh - fresh.mean(), (n_curves, residual.size))
    drawn[:, 0] /= np.sqrt(1 - memory**2)
    return fitted + lfilter([1.0], [1.0, -memory], drawn, axis=1)


def fit(curves: np.ndarray, t: np.ndarray, taus: np.ndarray) -> tuple[np.ndarray, ...]:
    """Timescale, amplitude, level and squared error of each curve (curve, step)."""
    bases = np.exp(-t / taus[:, None])
    error = _solve(curves[:, None], bases, curves @ bases.T / t.size)[2]
    log_tau = np.log(taus[error.argmin(axis=1)])
    reach = np.log(taus[1] / taus[0])
    rows = np.arange(len(curves))
    for _ in range(5):
        # the vertex of a parabola; the best of three where the error has a kink, at level 0
        tries = log_tau + reach * np.array([-1.0, 0.0, 1.0])[:, None]
        left, here, right = (_fit_at(curves, t, np.exp(row))[2] for row in tries)
        bend = left - 2 * here + right
        move = np.divide(left - right, 2 * bend, out=np.zeros_like(bend), where=bend > 0)
        vertex = log_tau + reach * np.clip(move, -1, 1)
        errors = np.stack([_fit_at(curves, t, np.exp(vertex))[2], left, here, right])
        log_tau = np.stack([vertex, *tries])[errors.argmin(axis=0), rows]
        reach /= 4
    tau = np.exp(np.clip(log_tau, np.log(taus[0]), np.log(taus[-1])))
    return tau, *_fit_at(curves, t, tau)


def _fit_at(curves: np.ndarray, t: np.ndarray, tau: np.ndarray) -> tuple[np.ndarray, ...]:
    basis = np.exp(-t / tau[:, None])
    return _solve(curves, basis, (curves * basis).mean(axis=-1))


def _solve(
    curves: np.ndarray, basis: np.ndarray, product: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Amplitude and level, neither negative, and squared error of ``level + amplitude * basis``."""
    mean, square = curves.mean(axis=-1), (curves**2).mean(axis=-1)
    mean_basis, square_basis = basis.mean(axis=-1), (basis**2).mean(axis=-1)
    a = (product - mean * mean_basis) / (square_basis - mean_basis**2)
    c = mean - a * mean_basis
    a = np.where(c < 0, product / square_basis, np.maximum(a, 0))
    c = np.where(c < 0, 0.0, mean - a * mean_basis)
    error = square - 2 * (a * product + c * mean) + 2 * a * c * mean_basis
    error = error + a**2 * square_basis + c**2
    return a, c, np.maximum(error, 0) * curves.shape[-1]
