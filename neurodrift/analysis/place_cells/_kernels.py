"""Numba kernels of the shuffle tests: spatial information of moved events, nothing else.

A score is an integer: ``sum_s table[c_s] - c_s * log_occupancy[s]`` over the states ``s``, where
``c_s`` counts events, ``table[c]`` is ``c log2 c`` and ``log_occupancy`` is ``log2`` of the frames
in a state, both in fixed point. Integers add up to the same number in any order, so a tie is a tie.
"""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(nogil=True, cache=True)
def scores_of_shifts(
    doubled: np.ndarray,
    frames: np.ndarray,
    weights: np.ndarray,
    table: np.ndarray,
    log_occupancy: np.ndarray,
    shifts: np.ndarray,
    out: np.ndarray,
) -> None:
    """Score of integer events at ``frames`` for each shift; ``doubled``: the states laid twice."""
    n_states = log_occupancy.size
    counts = np.zeros(n_states, np.int64)
    few = frames.size < n_states
    for i in range(shifts.size):
        shift = shifts[i]
        score = 0
        for e in range(frames.size):
            counts[doubled[frames[e] + shift]] += weights[e]
        if few:
            for e in range(frames.size):
                s = doubled[frames[e] + shift]
                score += table[counts[s]] - counts[s] * log_occupancy[s]
                counts[s] = 0
        else:
            for s in range(n_states):
                score += table[counts[s]] - counts[s] * log_occupancy[s]
                counts[s] = 0
        out[i] = score


@numba.njit(nogil=True, cache=True)
def sums_of_shifts(
    doubled: np.ndarray,
    frames: np.ndarray,
    weights: np.ndarray,
    log_occupancy: np.ndarray,
    shifts: np.ndarray,
    out: np.ndarray,
) -> None:
    """The same for real amplitudes: ``sum_s a_s (log2 a_s - log_occupancy[s])``."""
    n_states = log_occupancy.size
    sums = np.zeros(n_states)
    few = frames.size < n_states
    for i in range(shifts.size):
        shift = shifts[i]
        total = 0.0
        for e in range(frames.size):
            sums[doubled[frames[e] + shift]] += weights[e]
        for j in range(frames.size if few else n_states):
            s = doubled[frames[j] + shift] if few else j
            if sums[s] > 0:
                total += sums[s] * (np.log2(sums[s]) - log_occupancy[s])
            sums[s] = 0
        out[i] = total


@numba.njit(nogil=True, cache=True)
def scores_of_states(
    states: np.ndarray,
    weights: np.ndarray,
    table: np.ndarray,
    log_occupancy: np.ndarray,
    out: np.ndarray,
) -> None:
    """Score of integer events in given states, (shuffle, event)."""
    n_states = log_occupancy.size
    counts = np.zeros(n_states, np.int64)
    for i in range(states.shape[0]):
        score = 0
        for e in range(weights.size):
            counts[states[i, e]] += weights[e]
        for e in range(weights.size):
            s = states[i, e]
            score += table[counts[s]] - counts[s] * log_occupancy[s]
            counts[s] = 0
        out[i] = score


@numba.njit(nogil=True, cache=True)
def sums_of_states(
    states: np.ndarray, weights: np.ndarray, log_occupancy: np.ndarray, out: np.ndarray
) -> None:
    """The same for real amplitudes."""
    n_states = log_occupancy.size
    sums = np.zeros(n_states)
    for i in range(states.shape[0]):
        total = 0.0
        for e in range(weights.size):
            sums[states[i, e]] += weights[e]
        for e in range(weights.size):
            s = states[i, e]
            if sums[s] > 0:
                total += sums[s] * (np.log2(sums[s]) - log_occupancy[s])
            sums[s] = 0
        out[i] = total


@numba.njit(nogil=True, cache=True)
def add_scores_of_packed(
    packed: np.ndarray,
    bits: int,
    per_row: int,
    first_state: int,
    table: np.ndarray,
    log_occupancy: np.ndarray,
    out: np.ndarray,
) -> None:
    """Add the scores of counts that lie ``per_row`` to a number, ``bits`` wide each.

    ``packed`` is (row, shift); row ``r`` holds the states from ``first_state + r * per_row`` on.
    """
    mask = (1 << bits) - 1
    for r in range(packed.shape[0]):
        first = first_state + r * per_row
        n = min(per_row, log_occupancy.size - first)
        for k in range(out.size):
            value = np.int64(packed[r, k] + 0.5)
            score = 0
            for i in range(n):
                count = value & mask
                value >>= bits
                score += table[count] - count * log_occupancy[first + i]
            out[k] += score


@numba.njit(nogil=True, cache=True)
def add_sums(
    sums: np.ndarray, first_state: int, log_occupancy: np.ndarray, out: np.ndarray
) -> None:
    """Add ``a (log2 a - log_occupancy)`` of real sums, (state, shift), to every shift."""
    for r in range(sums.shape[0]):
        for k in range(out.size):
            if sums[r, k] > 0:
                out[k] += sums[r, k] * (np.log2(sums[r, k]) - log_occupancy[first_state + r])
