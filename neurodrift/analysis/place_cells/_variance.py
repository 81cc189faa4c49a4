"""Share of a trace's variance that position explains, of unmoved and of moved activity."""

from __future__ import annotations

import numpy as np

from neurodrift.analysis.place_cells.shuffles import Plan

_ROWS_AT_ONCE = 16  # transforms held in memory


class VarianceNull:
    r"""The share of variance that position explains, for the frames of one session and direction.

    With mean :math:`m_s` over the time :math:`T_s` in state :math:`s`, and the mean :math:`m` and
    variance :math:`v` over all time :math:`T`, it is
    :math:`\sum_s T_s (m_s - m)^2 / (T v)`, the squared correlation ratio. It takes activity of
    any sign, and does not change when a baseline is added or the gain changes.

    Parameters
    ----------
    states
        (time) state, such as position bin, of each frame that counts, 0 to n - 1, every one
        visited.
    lap
        (time) lap of each frame, where the null needs it.
    seconds
        (time) length of each frame where these differ: only what is observed is known then.
    """

    def __init__(
        self,
        states: np.ndarray,
        lap: np.ndarray | None = None,
        seconds: np.ndarray | None = None,
    ) -> None:
        self.states = np.ascontiguousarray(states, dtype=np.int64)
        self.lap = lap
        self.n_frames = self.states.size
        self._seconds = seconds
        self.occupancy = np.bincount(self.states, seconds).astype(np.float64)

    def observed(self, frames: np.ndarray, amounts: np.ndarray) -> float:
        """Share of variance of activity `amounts` at `frames`, 0 elsewhere; NaN if constant."""
        weights = np.ones(self.n_frames) if self._seconds is None else self._seconds
        values = np.zeros(self.n_frames)
        values[frames] = amounts / weights[frames]
        values -= np.average(values, weights=weights)
        whole = float((weights * values**2).sum())
        if not whole > 1e-20 * max(1.0, float((amounts**2).sum())):
            return float("nan")
        sums = np.bincount(self.states, weights * values, minlength=self.occupancy.size)
        return float((sums**2 / self.occupancy).sum() / whole)

    def values(
        self, frames: np.ndarray, amounts: np.ndarray, plan: Plan, rng: np.random.Generator
    ) -> tuple[float, np.ndarray]:
        """Shares of unmoved and of moved activity."""
        values = np.zeros(self.n_frames)
        values[frames] = amounts
        values -= values.mean()
        whole = float((values**2).sum())
        if plan.null in ("circular", "circular_exact"):
            between = self._of_shifts(values)
            shifts = plan.shifts(self.n_frames, rng)
            return float(between[0] / whole), between[shifts] / whole
        every = np.arange(self.n_frames)
        found = [
            self._of_states(self.states[target], values)
            for moved in plan.moved(every, self.n_frames, rng, self.lap)
            for target in moved
        ]
        return self._of_states(self.states, values) / whole, np.array(found) / whole

    def _of_states(self, states: np.ndarray, values: np.ndarray) -> float:
        sums = np.bincount(states, values, minlength=self.occupancy.size)
        return float((sums**2 / self.occupancy).sum())

    def _of_shifts(self, values: np.ndarray) -> np.ndarray:
        """Variance between states for every circular shift of the values."""
        from scipy import fft

        n, n_states = self.n_frames, self.occupancy.size
        direct = fft.next_fast_len(n, real=True) == n
        length = n if direct else fft.next_fast_len(2 * n - 1, real=True)
        states = self.states if direct else np.tile(self.states, 2)[:-1]
        spectrum = np.conj(fft.rfft(values, length))
        between = np.zeros(n)
        order = np.argsort(states, kind="stable")
        edges = np.searchsorted(states[order], np.arange(n_states + 1))
        for first in range(0, n_states, _ROWS_AT_ONCE):
            rows = range(first, min(first + _ROWS_AT_ONCE, n_states))
            inside = np.zeros((len(rows), length))
            for row, state in enumerate(rows):
                inside[row, order[edges[state] : edges[state + 1]]] = 1.0
            sums = fft.irfft(fft.rfft(inside) * spectrum, length)[:, :n]
            between += (sums**2 / self.occupancy[list(rows), None]).sum(axis=0)
        return between
