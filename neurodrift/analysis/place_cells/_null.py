"""Spatial information of activity that was moved against position, exact and fast."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from neurodrift.analysis.place_cells.shuffles import Plan

_FRACTION_BITS = 36  # of a score; |score| < 2**62 for fewer than _MOST_EVENTS events
_MOST_EVENTS = 2**20
_ROWS_AT_ONCE = 8  # transforms held in memory
_CACHED_BYTES = 2**26  # spectra of the states kept for the next unit
# Measured nanoseconds (Zen 5): a moved event, a looked-up state, a point and stage of an FFT.
_NS_EVENT, _NS_STATE, _NS_FFT, _NS_LOG = 0.9, 0.7, 0.23, 4.5
_NS_VISIT, _NS_COUNTED = 0.008, 0.1  # a frame of activity added; a count of a state looked at
_NS_ADDED, _NS_SUMMED = 0.18, 2.3  # a logarithm added; a point and stage of their transforms
_LEVELS = 32  # counts below are looked up in turn, for many shifts at once
_SHIFTS_AT_ONCE = 4096


class InformationNull:
    """Spatial information of moved activity, for the frames of one session and direction.

    Three ways lead to the events in each state after every circular shift: to add up the states
    that the events fall on, a circular cross-correlation by FFT, or, for counts in many states, to
    add up the activity around the visits of a state, many shifts at once. The cheapest one is
    chosen from a unit's own events, so that neither chunks nor other units matter. Counts come out
    equal to the last bit: several states share one transform, ``x = sum_i 2**(b i) I_i``, as many
    as the proven rounding error of the transform allows (:meth:`_packing`).

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
        from scipy import fft

        self.states = np.ascontiguousarray(states, dtype=np.int64)
        self.lap = lap
        self.n_frames = n = self.states.size
        self.occupancy = np.bincount(self.states)
        self._lasting = self.occupancy if seconds is None else np.bincount(self.states, seconds)
        self._total = n if seconds is None else float(self._lasting.sum())
        self._narrow = self.states.astype(np.uint32)  # faster than signed ones
        self._doubled = np.concatenate([self._narrow, self._narrow])
        self._log_occupancy = np.log2(self.occupancy)
        self._fixed_log = _fixed(self._log_occupancy)
        # Lengths with a large prime factor are slow: correlate with the states laid twice instead.
        direct = fft.next_fast_len(n) == n
        self._length = n if direct else fft.next_fast_len(2 * n - 1, real=True)
        self._wrapped = self.states if direct else np.tile(self.states, 2)[:-1]
        self._laid = 1 if direct else 2
        self._spectra: dict[tuple[int, int, int], np.ndarray] = {}
        self._digits: dict[int, np.ndarray] = {}
        self._n_visits = np.bincount(self.states)

    def observed(self, frames: np.ndarray, amounts: np.ndarray) -> float:
        """Spatial information [bit/event] of activity `amounts` at `frames`, unmoved."""
        share = np.bincount(self.states[frames], amounts, minlength=self.occupancy.size)
        share = share / share.sum()
        some = share > 0
        return float((share[some] * np.log2(share[some] * self._total / self._lasting[some])).sum())

    def values(
        self, frames: np.ndarray, amounts: np.ndarray, plan: Plan, rng: np.random.Generator
    ) -> tuple[float, np.ndarray]:
        """Information [bit/event] of unmoved and of moved activity, rounded alike."""
        total = float(amounts.sum())
        count = bool(total < _MOST_EVENTS and (amounts == np.floor(amounts)).all())
        if count:
            amounts = amounts.astype(np.int64)
            scale, offset = 2.0**-_FRACTION_BITS / total, np.log2(self.n_frames / total)
            table = _fixed(_x_log_x(int(total)))
        else:
            # Normalised, so that the rounding error of a transform is one of bit/event.
            amounts, table = amounts / total, None
            scale, offset = 1.0, np.log2(self.n_frames)
        observed = self._gather(frames, amounts, table, np.zeros(1, dtype=np.int64))
        if plan.null in ("circular", "circular_exact"):
            moved = self._of_shifts(frames, amounts, table, plan.shifts(self.n_frames, rng))
        else:
            parts = plan.moved(frames, self.n_frames, rng, self.lap, self._narrow)
            moved = np.concatenate([self._of_states(states, amounts, table) for states in parts])
        return float(observed[0] * scale + offset), moved * scale + offset

    def _gather(
        self, frames: np.ndarray, amounts: np.ndarray, table: np.ndarray | None, shifts: np.ndarray
    ) -> np.ndarray:
        from neurodrift.analysis.place_cells import _kernels as kernels

        if table is None:
            sums = np.empty(shifts.size)
            kernels.sums_of_shifts(
                self._doubled, frames, amounts, self._log_occupancy, shifts, sums
            )
            return sums
        scores = np.empty(shifts.size, dtype=np.int64)
        kernels.scores_of_shifts(
            self._doubled, frames, amounts, table, self._fixed_log, shifts, scores
        )
        return scores

    def _of_states(
        self, states: np.ndarray, amounts: np.ndarray, table: np.ndarray | None
    ) -> np.ndarray:
        from neurodrift.analysis.place_cells import _kernels as kernels

        if table is None:
            sums = np.empty(len(states))
            kernels.sums_of_states(states, amounts, self._log_occupancy, sums)
            return sums
        scores = np.empty(len(states), dtype=np.int64)
        kernels.scores_of_states(states, amounts, table, self._fixed_log, scores)
        return scores

    def _of_shifts(
        self, frames: np.ndarray, amounts: np.ndarray, table: np.ndarray | None, shifts: np.ndarray
    ) -> np.ndarray:
        bits, per_row = (0, 1) if table is None else self._packing(amounts)
        n_states = self.occupancy.size
        log = _NS_LOG if table is None else _NS_STATE
        gather = shifts.size * (_NS_EVENT * frames.size + log * min(frames.size, n_states))
        stages = self._length * np.log2(max(2, self._length))
        transforms = 2 + n_states / max(1, per_row)
        by_fft = _NS_FFT * stages * transforms + log * self.n_frames * n_states
        if per_row < 1:
            by_fft = np.inf
        if table is not None and self._fit_visits(amounts):
            steps = self.n_frames * (_NS_VISIT * self.n_frames + _NS_COUNTED * n_states)
            if steps < min(gather, by_fft):
                return self._by_visits(frames, amounts, table)[shifts]
        if gather <= by_fft:
            return self._gather(frames, amounts, table, shifts)
        return self._by_fft(frames, amounts, table, bits, per_row)[shifts]

    def _most_counted(self, amounts: np.ndarray) -> np.ndarray:
        """Most events (state) that could fall on a state, which need not all be at hand."""
        return np.minimum(self._n_visits * int(amounts.max()), int(amounts.sum()))

    def _fit_visits(self, amounts: np.ndarray) -> bool:
        """Whether counts fit into two bytes, and digits of the logarithms into a transform."""
        return self._most_counted(amounts).max() < 2**16 and self._digit_bits(amounts) >= 1

    def _by_visits(self, frames: np.ndarray, amounts: np.ndarray, table: np.ndarray) -> np.ndarray:
        """Scores of integer events for every shift, by adding their activity around each visit."""
        from neurodrift.analysis.place_cells import _kernels as kernels

        n = self.n_frames
        scores = -self._summed_logarithms(frames, amounts)
        order, edges = self._visits
        narrow = self._most_counted(amounts) < 2**8
        for some, dtype in ((narrow, np.uint8), (~narrow, np.uint16)):
            if some.any():
                backwards = np.zeros(2 * n, dtype=dtype)  # activity against time, laid twice
                backwards[-frames % n] = amounts
                backwards[n:] = backwards[:n]
                visits = order[np.repeat(some, self._n_visits)]
                starts = np.concatenate([[0], np.cumsum(np.diff(edges)[some])])
                kernels.add_scores_by_visits(
                    visits,
                    starts,
                    backwards,
                    np.arange(_LEVELS, dtype=dtype),
                    table,
                    min(n, _SHIFTS_AT_ONCE),
                    scores,
                )
        return scores

    @cached_property
    def _visits(self) -> tuple[np.ndarray, np.ndarray]:
        """Frames in order of their states, and where those of each state begin."""
        return np.argsort(self.states, kind="stable"), np.append(0, np.cumsum(self._n_visits))

    @cached_property
    def _doubled_log(self) -> np.ndarray:
        """Logarithm of occupancy in each frame, laid twice."""
        return np.asarray(self._fixed_log[self._doubled])

    def _summed_logarithms(self, frames: np.ndarray, amounts: np.ndarray) -> np.ndarray:
        """Logarithms of occupancy summed over the events, for every shift and exact."""
        from scipy import fft

        from neurodrift.analysis.place_cells import _kernels as kernels

        stages = self._length * np.log2(max(2, self._length))
        if _NS_ADDED * frames.size * self.n_frames < _NS_SUMMED * stages:
            summed = np.zeros(self.n_frames, dtype=np.int64)
            kernels.add_over_shifts(self._doubled_log, frames, amounts, summed)
            return summed
        bits = self._digit_bits(amounts)
        least = int(self._fixed_log.min())
        if bits not in self._digits:
            rest = (self._fixed_log - least)[self._wrapped]
            n_digits = max(1, -(-int(rest.max()).bit_length() // bits))
            digits = rest >> bits * np.arange(n_digits)[:, None] & (1 << bits) - 1
            self._digits[bits] = fft.rfft(digits.astype(np.float64), self._length)
        activity = np.zeros(self._length)
        activity[frames] = amounts
        product = self._digits[bits] * np.conj(fft.rfft(activity))
        summed = np.full(self.n_frames, least * int(amounts.sum()))
        for place, digit in enumerate(fft.irfft(product, self._length, overwrite_x=True)):
            summed += np.rint(digit[: self.n_frames]).astype(np.int64) << bits * place
        return summed

    def _digit_bits(self, amounts: np.ndarray) -> int:
        """Bits of a logarithm that one transform sums up without a rounding error.

        The bound of :meth:`_packing`, with digits below 2**b in every frame instead of states.
        """
        error = 16 * 2.0**-53 * np.log2(max(2, self._length))
        error *= 3 * int(amounts.sum()) * np.sqrt(self.n_frames * self._laid)
        return int(-2 - np.log2(error))

    def _packing(self, amounts: np.ndarray) -> tuple[int, int]:
        """Bits for a count, and how many states one transform holds without a rounding error.

        A transform of length L has relative error d <= 16 u log2 L, u = 2**-53 (Higham, Accuracy
        and Stability, theorem 24.2, has less than 7 u a stage), so that the correlation of
        activity a with packed states x is off by at most d (2 |a|_2 |x|_2 + |a|_1 |x|_2)
        <= 3 d |a|_1 |x|_2, and |x|_2 <= 2**(b (p - 1)) sqrt(4/3 n) for p states of at most n
        frames. That must stay below 1/4; fewer than 1 means that no state does.
        """
        total = int(amounts.sum())
        n = int(self.occupancy.max())
        bits = int(min(total, n * int(amounts.max()))).bit_length()
        error = 16 * 2.0**-53 * np.log2(max(2, self._length))
        error *= 3 * total * np.sqrt(4 / 3 * n * self._laid)
        fitting = int((-2 - np.log2(error)) // bits) + 1
        return bits, min(fitting, 52 // bits, self.occupancy.size)

    def _by_fft(
        self,
        frames: np.ndarray,
        amounts: np.ndarray,
        table: np.ndarray | None,
        bits: int,
        per_row: int,
    ) -> np.ndarray:
        from scipy import fft

        from neurodrift.analysis.place_cells import _kernels as kernels

        activity = np.zeros(self._length)
        activity[frames] = amounts
        spectrum = np.conj(fft.rfft(activity))
        out = np.zeros(self.n_frames, dtype=np.float64 if table is None else np.int64)
        n_rows = -(-self.occupancy.size // per_row)
        for row in range(0, n_rows, _ROWS_AT_ONCE):
            rows = min(_ROWS_AT_ONCE, n_rows - row)
            product = self._states_spectrum(row, rows, bits, per_row) * spectrum
            correlation = fft.irfft(product, self._length, overwrite_x=True)
            first = row * per_row
            if table is None:
                kernels.add_sums(correlation, first, self._log_occupancy, out)
            else:
                kernels.add_scores_of_packed(
                    correlation, bits, per_row, first, table, self._fixed_log, out
                )
        return out

    def _states_spectrum(self, row: int, rows: int, bits: int, per_row: int) -> np.ndarray:
        """Transforms of the states from ``row * per_row`` on, packed `per_row` to a row."""
        from scipy import fft

        key = (row, bits, per_row)
        if key in self._spectra:
            return self._spectra[key]
        in_row, place = np.divmod(self._wrapped - row * per_row, per_row)
        here = np.flatnonzero((in_row >= 0) & (in_row < rows))
        packed = np.zeros((rows, self._length))
        packed[in_row[here], here] = 2.0 ** (bits * place[here])
        spectrum = np.asarray(fft.rfft(packed, overwrite_x=True))
        if sum(s.nbytes for s in list(self._spectra.values())) + spectrum.nbytes <= _CACHED_BYTES:
            self._spectra[key] = spectrum
        return spectrum


def information_beyond(found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Spatial information [bit/event] with what speed lets expect in place of occupancy.

    Parameters
    ----------
    found, expected
        (copy, state)

    Returns
    -------
    numpy.ndarray
        (copy), 0 where speed makes the map.
    """
    share = found / found.sum(axis=1, keepdims=True)
    expected = expected / expected.sum(axis=1, keepdims=True)
    ratio = np.divide(share, expected, out=np.ones_like(share), where=share > 0)
    return np.asarray((share * np.log2(ratio)).sum(axis=1))


def _fixed(values: np.ndarray) -> np.ndarray:
    return np.rint(values * 2.0**_FRACTION_BITS).astype(np.int64)


def _x_log_x(most: int) -> np.ndarray:
    x = np.arange(most + 1, dtype=np.float64)
    x[1:] *= np.log2(x[1:])
    return x
