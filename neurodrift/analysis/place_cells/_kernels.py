"""Numba kernels of the shuffle tests: information and stability of moved events, nothing else.

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
    few = weights.size < n_states
    for i in range(states.shape[0]):
        score = 0
        for e in range(weights.size):
            counts[states[i, e]] += weights[e]
        for j in range(weights.size if few else n_states):
            s = states[i, j] if few else j
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


@numba.njit(nogil=True, cache=True)
def add_scores_by_visits(
    visits: np.ndarray,
    starts: np.ndarray,
    backwards: np.ndarray,
    levels: np.ndarray,
    table: np.ndarray,
    at_once: int,
    out: np.ndarray,
) -> None:
    """Add ``table`` of the events in each state to every shift.

    The frames of state ``s`` are ``visits[starts[s]:starts[s + 1]]``. ``backwards`` is activity
    against time, laid twice, in a type that holds every count; ``levels``, 0 to a few dozen, has
    the same type, so that 64 shifts are one vector. The table is then a sum of its steps, one for
    each level that a count reaches; where a count is above them all, it is looked up.
    """
    n = out.size
    counts = np.zeros(at_once, backwards.dtype)
    reached = np.zeros((levels.size, at_once), np.uint8)
    for first in range(0, n, at_once):
        size = min(at_once, n - first)
        count, scores = counts[:size], out[first : first + size]
        waiting = 0
        for s in range(starts.size - 1):
            count[:] = 0
            i, end = starts[s], starts[s + 1]
            while i + 8 <= end:  # eight at once, to load and store the counts less often
                p = backwards[n - visits[i] + first :][:size]
                q = backwards[n - visits[i + 1] + first :][:size]
                r = backwards[n - visits[i + 2] + first :][:size]
                t = backwards[n - visits[i + 3] + first :][:size]
                w = backwards[n - visits[i + 4] + first :][:size]
                x = backwards[n - visits[i + 5] + first :][:size]
                y = backwards[n - visits[i + 6] + first :][:size]
                z = backwards[n - visits[i + 7] + first :][:size]
                for k in range(size):
                    count[k] += p[k] + q[k] + r[k] + t[k] + w[k] + x[k] + y[k] + z[k]
                i += 8
            while i < end:
                w = backwards[n - visits[i] + first :][:size]
                for k in range(size):
                    count[k] += w[k]
                i += 1
            most = count[0]
            for k in range(size):
                most = max(most, count[k])
            if most >= levels.size:
                for k in range(size):
                    scores[k] += table[count[k]]
                continue
            for c in range(1, most + 1):
                level, row = levels[c], reached[c]
                for k in range(size):
                    row[k] += count[k] >= level
            waiting += 1
            if waiting == 255:  # the most that a byte holds
                _add_steps(reached, table, scores)
                waiting = 0
        _add_steps(reached, table, scores)


@numba.njit(nogil=True, cache=True)
def add_over_shifts(
    doubled: np.ndarray, frames: np.ndarray, amounts: np.ndarray, out: np.ndarray
) -> None:
    """Add the numbers that integer events fall on for each shift; ``doubled``: laid twice."""
    for e in range(frames.size):
        amount, row = amounts[e], doubled[frames[e] :][: out.size]
        for k in range(out.size):
            out[k] += amount * row[k]


@numba.njit(nogil=True, cache=True)
def _add_steps(reached: np.ndarray, table: np.ndarray, scores: np.ndarray) -> None:
    for c in range(1, min(reached.shape[0], table.size)):
        step = table[c] - table[c - 1]
        for k in range(scores.size):
            scores[k] += step * reached[c, k]
        reached[c] = 0


_LANES = 32  # shuffles that go through the same steps side by side, one vector of numbers


@numba.njit(nogil=True, cache=True)
def correlations_of_shifts(
    doubled: np.ndarray,
    frames: np.ndarray,
    amounts: np.ndarray,
    shifts: np.ndarray,
    maps: tuple[np.ndarray, ...],
    least: float,
    out: np.ndarray,
) -> None:
    """Correlation of the maps of two halves of events at ``frames`` for each shift.

    ``doubled``: the states laid twice, those of the second half after those of the first. ``maps``
    says how sums become maps: 1 by the time in each state; the weights of the first axis (no row
    where there is one axis) and of the last axis, each as row starts, columns and weights; and
    1 by the weight of each bin that both halves visited (half, bin). A map whose distance from its
    mean is not above ``least`` has no correlation: NaN.
    """
    sums = np.zeros((maps[0].size, _LANES))
    middle = np.zeros((maps[1].size - 1, _LANES))
    smooth = np.zeros((2, maps[4].size - 1, _LANES))
    for start in range(0, shifts.size, _LANES):
        sums[:] = 0
        some = min(_LANES, shifts.size - start)
        for b in range(some):
            shift = shifts[start + b]
            for e in range(frames.size):
                sums[doubled[frames[e] + shift], b] += amounts[e]
        _correlate(sums, middle, smooth, maps, least, out[start : start + some])


@numba.njit(nogil=True, cache=True)
def correlations_of_states(
    states: np.ndarray,
    amounts: np.ndarray,
    maps: tuple[np.ndarray, ...],
    least: float,
    out: np.ndarray,
) -> None:
    """The same for events in given states, (shuffle, event)."""
    sums = np.zeros((maps[0].size, _LANES))
    middle = np.zeros((maps[1].size - 1, _LANES))
    smooth = np.zeros((2, maps[4].size - 1, _LANES))
    for start in range(0, len(states), _LANES):
        sums[:] = 0
        some = min(_LANES, len(states) - start)
        for b in range(some):
            for e in range(amounts.size):
                sums[states[start + b, e], b] += amounts[e]
        _correlate(sums, middle, smooth, maps, least, out[start : start + some])


@numba.njit(nogil=True, cache=True)
def _weighted_sums(
    starts: np.ndarray,
    columns: np.ndarray,
    weights: np.ndarray,
    values: np.ndarray,
    out: np.ndarray,
) -> None:
    """Sparse weights times ``values`` (column, lane)."""
    for row in range(starts.size - 1):
        into = out[row]
        into[:] = 0
        for k in range(starts[row], starts[row + 1]):
            w, some = weights[k], values[columns[k]]
            for b in range(into.size):
                into[b] += w * some[b]


@numba.njit(nogil=True, cache=True)
def _correlate(
    sums: np.ndarray,
    middle: np.ndarray,
    smooth: np.ndarray,
    maps: tuple[np.ndarray, ...],
    least: float,
    out: np.ndarray,
) -> None:
    per_time, starts, columns, weights, last_starts, last_columns, last_weights, per_weight = maps
    n_bins, n_shared = per_time.size // 2, smooth.shape[1]
    n_lanes = sums.shape[1]  # not a constant, or loops are unrolled instead of made vectors
    mean = np.zeros((2, _LANES))
    square = np.zeros((2, _LANES))
    product = np.zeros(_LANES)
    for s in range(per_time.size):
        for b in range(n_lanes):
            sums[s, b] *= per_time[s]
    for h in range(2):
        values = sums[h * n_bins : (h + 1) * n_bins]
        if starts.size > 1:
            _weighted_sums(starts, columns, weights, values, middle)
            values = middle
        _weighted_sums(last_starts, last_columns, last_weights, values, smooth[h])
        for p in range(n_shared):
            for b in range(n_lanes):
                smooth[h, p, b] *= per_weight[h, p]
                mean[h, b] += smooth[h, p, b]
    mean /= max(n_shared, 1)
    for p in range(n_shared):
        for b in range(n_lanes):
            x, y = smooth[0, p, b] - mean[0, b], smooth[1, p, b] - mean[1, b]
            square[0, b] += x * x
            square[1, b] += y * y
            product[b] += x * y
    for b in range(out.size):
        first, second = np.sqrt(square[0, b]), np.sqrt(square[1, b])
        defined = n_shared > 0 and first > least and second > least
        out[b] = product[b] / (first * second) if defined else np.nan


@numba.njit(nogil=True, cache=True)
def turn(
    words: np.ndarray,
    edges: np.ndarray,
    inside: np.ndarray,
    frames: np.ndarray,
    of: np.ndarray,
    out: np.ndarray,
) -> int:
    """What ``of`` has where events are after a random turn within each lap, (shuffle, event).

    ``edges``: first frame of each lap, and the end; ``inside``: lap of each event. A turn of a lap
    of n frames is n w / 2**32 of a word w, drawn anew where it would make some turns more frequent
    (Lemire, https://doi.org/10.1145/3230636). Returns the number of words that were used, or -1
    where there are too few.
    """
    n_laps, at = edges.size - 1, 0
    longer = np.empty(n_laps, np.uint32)  # laps of more than a frame, the others are not turned
    length = np.empty(n_laps, np.uint64)
    twice = np.empty(2 * edges[n_laps], of.dtype)  # each lap laid twice
    n_longer = 0
    for lap in range(n_laps):
        first, n = edges[lap], edges[lap + 1] - edges[lap]
        for t in range(n):
            twice[2 * first + t] = twice[2 * first + n + t] = of[first + t]
        longer[n_longer], length[n_longer] = lap, n
        n_longer += n > 1
    turns = np.zeros(n_laps, np.uint32)
    start = np.empty(frames.size, np.uint32)
    lap_of = inside.astype(np.uint32)
    for e in range(frames.size):
        start[e] = frames[e] + edges[inside[e]]
    low = np.uint64(0xFFFFFFFF)
    for i in range(out.shape[0]):
        if at + n_longer > words.size:
            return -1
        again = False
        for k in range(n_longer):
            product = np.uint64(words[at + k]) * length[k]
            turns[longer[k]] = product >> np.uint64(32)
            again |= (product & low) < length[k]
        at += n_longer
        if again:
            at = _turn_carefully(words, at - n_longer, longer[:n_longer], length, turns)
            if at < 0:
                return -1
        row = out[i]
        for e in range(start.size):
            row[e] = twice[start[e] + turns[lap_of[e]]]
    return at


@numba.njit(nogil=True, cache=True)
def _turn_carefully(
    words: np.ndarray, at: int, longer: np.ndarray, length: np.ndarray, turns: np.ndarray
) -> int:
    """The turns of one shuffle, some of them drawn anew."""
    for k in range(longer.size):
        n = length[k]
        while True:
            if at == words.size:
                return -1
            product = np.uint64(words[at]) * n
            at += 1
            rest = product & np.uint64(0xFFFFFFFF)
            if rest >= n or rest >= (np.uint64(2**32) - n) % n:
                break
        turns[longer[k]] = product >> np.uint64(32)
    return at


@numba.njit(nogil=True, cache=True)
def joint_occupancy(group: np.ndarray, shifts: np.ndarray, n_groups: int) -> np.ndarray:
    """Frames (shift, group, group) in a group, and after each shift in another one."""
    n = group.size
    found = np.zeros((shifts.size, n_groups, n_groups))
    for i in range(shifts.size):
        for t in range(n):
            to = t + shifts[i]
            if to >= n:
                to -= n
            found[i, group[t], group[to]] += 1.0
    return found


@numba.njit(nogil=True, cache=True)
def trail(speed: np.ndarray, seconds: np.ndarray, delay: float, out: np.ndarray) -> None:
    """Exponentially weighted past of the speed."""
    now = speed[0]
    for t in range(speed.size):
        keep = np.exp(-seconds[t] / delay) if delay > 0 else 0.0
        now = keep * now + (1.0 - keep) * speed[t]
        out[t] = now


@numba.njit(nogil=True, cache=True)
def moved_sums(
    frames: np.ndarray,
    amounts: np.ndarray,
    line: np.ndarray,
    edges: np.ndarray,
    turns: np.ndarray,
    states: np.ndarray,
    classes: np.ndarray,
    found: np.ndarray,
    per_class: np.ndarray,
) -> None:
    """Activity in each state, and in each class, after turns within each lap.

    ``line``: where each frame begins on the line that activity is moved along, and its end.
    ``edges``: first frame of each lap, and the end. ``turns``: (copy, lap) part of a lap.
    ``found`` (copy, state) and ``per_class`` (copy, class) are added to. Each lap has two equal
    cells for every frame, which say where the search for the frame of a place begins.
    """
    n_laps = edges.size - 1
    first = np.searchsorted(frames, edges)
    middle = (line[frames] + line[frames + 1]) / 2
    cells = np.empty(2 * edges[n_laps], np.int64)
    for lap in range(n_laps):
        start, last = edges[lap], edges[lap + 1] - 1
        cell = (line[last + 1] - line[start]) / (2 * (last + 1 - start))
        at = start
        for k in range(2 * (last + 1 - start)):
            while at < last and line[at + 1] <= line[start] + k * cell:
                at += 1
            cells[2 * start + k] = at
    length = line[edges[1:]] - line[edges[:-1]]
    per_cell = 2 * np.diff(edges) / length
    for copy in range(turns.shape[0]):
        in_state, in_class = found[copy], per_class[copy]
        for lap in range(n_laps):
            if first[lap] == first[lap + 1]:
                continue
            start, last = edges[lap], edges[lap + 1] - 1
            low, high = line[start], line[last + 1]
            turn = turns[copy, lap] * length[lap]
            for i in range(first[lap], first[lap + 1]):
                place = middle[i] + turn
                if place >= high:
                    place -= length[lap]
                at = cells[2 * start + np.int64((place - low) * per_cell[lap])]
                while at < last and line[at + 1] <= place:
                    at += 1
                in_state[states[at]] += amounts[i]
                in_class[classes[at]] += amounts[i]
