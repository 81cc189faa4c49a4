"""Correlation between the maps of two halves of a session, for moved activity."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from neurodrift.analysis.maps.smoothing import apply_steps
from neurodrift.analysis.place_cells.shuffles import Plan


class StabilityNull:
    """Correlation between smoothed maps of two halves, for the frames of a session and direction.

    Maps are sums of activity by the time in each bin. Smoothing is linear given the visited bins,
    so a shuffle costs one addition for each event, and for each bin a few for each axis.

    Parameters
    ----------
    position
        (time) bin of each frame that counts.
    half
        (time) 0 or 1.
    n_bins
        Number of bins.
    steps
        Weights between bins, of :func:`neurodrift.analysis.maps.smoothing.smoothing_steps`;
        empty for maps that are not smoothed.
    lap
        (time) lap of each frame, where the null needs it.
    seconds
        (time) length of each frame, where these differ.
    by_time
        Whether bins are smoothed by the time in them, as maps in two dimensions are.
    """

    def __init__(
        self,
        position: np.ndarray,
        half: np.ndarray,
        n_bins: int,
        steps: tuple[sp.csr_array, ...] = (),
        lap: np.ndarray | None = None,
        seconds: np.ndarray | None = None,
        by_time: bool = False,
    ) -> None:
        self.lap = lap
        self.n_frames = position.size
        self.states = (half * n_bins + position).astype(np.uint32)  # faster than signed ones
        self._doubled = np.concatenate([self.states, self.states])
        # Relative to a frame, so that the least spread of a map is not one of seconds.
        relative = None if seconds is None else seconds / seconds.mean()
        occupancy = np.bincount(self.states, weights=relative, minlength=2 * n_bins)
        visited = occupancy > 0
        per_time = np.divide(1.0, occupancy, out=np.zeros(2 * n_bins), where=visited)
        visited = visited.reshape(2, n_bins)
        shared = np.flatnonzero(visited.all(axis=0))
        *before, last = steps if steps else (sp.eye_array(n_bins, format="csr"),)
        last = sp.csr_array(last)[shared, :]
        if before:  # only what the shared bins are made of
            needed = np.unique(last.indices)
            before, last = [sp.csr_array(before[0])[needed, :]], last[:, needed]
        self._time = visited.astype(np.float64)
        if by_time and steps:
            self._time = occupancy.reshape(2, n_bins).astype(np.float64)
            per_time = (occupancy > 0).astype(np.float64)
        weight = apply_steps((*before, last), self._time)
        first = _csr(before[0]) if before else _csr(sp.csr_array((0, 0)))
        per_weight = np.ascontiguousarray(1 / weight)
        self._maps = (per_time, *first, *_csr(last), per_weight)
        self.n_states, self._steps, self._weight = 2 * n_bins, (*before, last), weight

    def observed(self, frames: np.ndarray, amounts: np.ndarray) -> float:
        """Correlation of activity `amounts` at `frames`, unmoved; NaN where it is not defined."""
        return float(self._of_shifts(frames, amounts, np.zeros(1, dtype=np.int64))[0])

    def values(
        self, frames: np.ndarray, amounts: np.ndarray, plan: Plan, rng: np.random.Generator
    ) -> tuple[float, np.ndarray]:
        """Correlation of unmoved activity, and those of moved activity that are defined."""
        if plan.null in ("circular", "circular_exact"):
            null = self._of_shifts(frames, amounts, plan.shifts(self.n_frames, rng))
        else:
            parts = plan.moved(frames, self.n_frames, rng, self.lap, self.states)
            null = np.concatenate([self._of_states(states, amounts) for states in parts])
        return self.observed(frames, amounts), null[np.isfinite(null)]

    def correlate(self, found: np.ndarray, base: np.ndarray) -> np.ndarray:
        """Correlation (copy) of smoothed maps, NaN where one is constant.

        Parameters
        ----------
        found, base
            (copy, half and bin) activity, and what it is divided by, 0 where nothing was visited.

        Returns
        -------
        numpy.ndarray
            (copy)
        """
        some = base > 1e-9 * base.max(axis=1, keepdims=True)
        rate = np.divide(found, base, out=np.zeros_like(found), where=some)
        maps = rate.reshape(len(rate), 2, -1)
        least = 1e-12 * np.abs(maps).max(axis=(1, 2), initial=0.0)
        halves = []
        for half in (0, 1):
            smooth = apply_steps(self._steps, maps[:, half] * self._time[half]).T
            smooth = smooth / self._weight[half, :, None]
            halves.append(smooth - smooth.mean(axis=0))
        spread = [np.sqrt((values**2).sum(axis=0)) for values in halves]
        varies = np.minimum(*spread) > least
        product = (halves[0] * halves[1]).sum(axis=0)
        return np.where(varies, product / np.where(varies, spread[0] * spread[1], 1.0), np.nan)

    def _of_shifts(self, frames: np.ndarray, amounts: np.ndarray, shifts: np.ndarray) -> np.ndarray:
        from neurodrift.analysis.place_cells import _kernels as kernels

        out = np.empty(shifts.size)
        kernels.correlations_of_shifts(
            self._doubled, frames, amounts, shifts, self._maps, _least(amounts), out
        )
        return out

    def _of_states(self, states: np.ndarray, amounts: np.ndarray) -> np.ndarray:
        from neurodrift.analysis.place_cells import _kernels as kernels

        out = np.empty(len(states))
        kernels.correlations_of_states(states, amounts, self._maps, _least(amounts), out)
        return out


def _least(amounts: np.ndarray) -> float:
    """Distance from its mean that a map must have for it to vary, but for rounding."""
    return float(1e-12 * np.abs(amounts).max())


def _csr(step: sp.csr_array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row starts, columns and weights; unsigned numbers are faster, as none counts from the end."""
    return step.indptr.astype(np.uint32), step.indices.astype(np.uint32), step.data
