"""Numba kernels of the information estimates, nothing else.

A sample is ``n`` frames drawn without replacement from the frames of one session and running
direction; ``state`` is the position bin of each frame. The kernels hold no lock, so blocks of
repetitions run in threads. Every number is added up in an order that depends on neither threads
nor other units. Loops over units stand alone in small functions, so that they become vectors.
Arrays are copied and searched by loops: NumPy's own would be compiled along, with all that they can
do, and take longer to compile than the kernel.
"""

from __future__ import annotations

import numba
import numpy as np

_jit = numba.njit(nogil=True, cache=True, error_model="numpy")


@numba.njit(nogil=True, cache=True, error_model="numpy", inline="always")
def log2(x: float) -> float:
    """Base-2 logarithm of a positive normal number, to 2 ulp; finite for 0.

    Unlike the library's it turns into vector instructions, with the same bits as one by one:
    ``x = 2**k m`` with ``m`` in [sqrt(1/2), sqrt(2)), and the series of ``2 atanh((m-1)/(m+1))``.
    """
    bits = np.float64(x).view(np.int64)
    exponent = (bits - np.int64(0x3FE6A09E667F3BCD)) >> 52
    m = np.int64(bits - (exponent << 52)).view(np.float64)
    f = (m - 1.0) / (m + 1.0)
    g = f * f
    p = 1.0 / 21.0
    p = p * g + 1.0 / 19.0
    p = p * g + 1.0 / 17.0
    p = p * g + 1.0 / 15.0
    p = p * g + 1.0 / 13.0
    p = p * g + 1.0 / 11.0
    p = p * g + 1.0 / 9.0
    p = p * g + 1.0 / 7.0
    p = p * g + 1.0 / 5.0
    p = p * g + 1.0 / 3.0
    return exponent + (f + f * g * p) * 2.8853900817779268  # 2 / ln 2


@_jit
def _draw(
    uniform: np.ndarray,
    state: np.ndarray,
    order: np.ndarray,
    member: np.ndarray,
    frames: np.ndarray,
    states: np.ndarray,
    shuffled: np.ndarray,
    occupancy: np.ndarray,
) -> None:
    """Draw frames by a partial Fisher-Yates shuffle; frames in order of time, and their states.

    The drawn order is uniformly random, so that ``shuffled``, the states in that order, are a
    uniformly random permutation of ``states``. ``frames`` and ``states`` have one entry to spare.
    """
    n_frames, n = state.size, uniform.size
    for t in range(n_frames):
        order[t] = t
    occupancy[:] = 0
    for i in range(n):
        j = i + int(uniform[i] * (n_frames - i))
        order[i], order[j] = order[j], order[i]
        member[order[i]] = True
        shuffled[i] = state[order[i]]
        occupancy[shuffled[i]] += 1
    i = 0
    for t in range(n_frames):
        frames[i] = t
        states[i] = state[t]
        i += member[t]
        member[t] = False


@_jit
def _add(row: np.ndarray, activity: np.ndarray) -> None:
    for u in range(row.size):
        row[u] += activity[u]


@_jit
def x_log_x(most: int) -> np.ndarray:
    """Table of ``x log2 x`` for 0 to ``most``."""
    table = np.empty(most + 1)
    for x in range(most + 1):
        table[x] = x * log2(float(x))
    return table


@_jit
def _take_counts(
    row: np.ndarray, table: np.ndarray, log_occupancy: float, term: np.ndarray, score: np.ndarray
) -> None:
    """Take the counts of a state into the score; ``term`` is work space as long as the table."""
    most = 0
    for u in range(row.size):
        most = max(most, int(row[u]))
    if most == 0:
        return
    for c in range(most + 1):
        term[c] = table[c] - float(c) * log_occupancy
    for u in range(row.size):
        score[u] += term[int(row[u])]  # counts may be kept as floats


@_jit
def _take_total(row: np.ndarray, total: np.ndarray) -> None:
    for u in range(row.size):
        total[u] += float(row[u])


@_jit
def _empty(row: np.ndarray) -> None:
    for u in range(row.size):
        row[u] = 0


@_jit
def _take_sums(row: np.ndarray, log_occupancy: float, score: np.ndarray, total: np.ndarray) -> None:
    for u in range(row.size):
        c = float(row[u])
        score[u] += c * log2(c) - c * log_occupancy
        total[u] += c
        row[u] = 0


@_jit
def _add_information(
    log_n: float,
    score: np.ndarray,
    total: np.ndarray,
    per_event: np.ndarray,
    summed: np.ndarray,
    active: np.ndarray,
) -> None:
    for u in range(total.size):
        some = total[u] > 0
        c = total[u] if some else 1.0
        information = max(0.0, score[u] / c + (log_n - log2(c)))
        per_event[u] += information if some else 0.0
        summed[u] += information * total[u]
        active[u] += some


@_jit
def _count(
    frames: np.ndarray,
    states: np.ndarray,
    shuffled: np.ndarray,
    dense: np.ndarray,
    first: np.ndarray,
    frame: np.ndarray,
    unit: np.ndarray,
    value: np.ndarray,
    offsets: np.ndarray,
    counts: np.ndarray,
) -> None:
    """Add the activity of a sample to ``counts`` (2, state + 1, unit), naive and shuffled.

    To the naive ones only where ``shuffled`` is empty. Sums run in order of time in any case.
    """
    n, both = frames.size - 1, shuffled.size > 0
    if dense.size:
        for i in range(n):
            _add(counts[0, states[i]], dense[frames[i]])
            if both:
                _add(counts[1, shuffled[i]], dense[frames[i]])
        return
    n_frames = offsets.shape[1]
    if 4 * n < (3 if unit.size > 8 * n_frames else 1) * n_frames:
        for i in range(n):
            row = counts[0, states[i]]
            other = counts[1, shuffled[i]] if both else row[:0]
            for e in range(first[frames[i]], first[frames[i] + 1]):
                row[unit[e]] += value[e]
                if both:
                    other[unit[e]] += value[e]
        return
    # In large samples, to pass over every entry is faster than to jump to those of the sample.
    n_rows, width = counts.shape[1], counts.shape[2]
    flat = counts.reshape(-1)
    naive, moved = offsets[0], offsets[1]
    naive[:] = (n_rows - 1) * width
    moved[:] = (2 * n_rows - 1) * width
    for i in range(n):
        naive[frames[i]] = states[i] * width
        if both:
            moved[frames[i]] = (n_rows + shuffled[i]) * width
    if both:
        for e in range(unit.size):
            t, u, v = frame[e], unit[e], value[e]
            flat[naive[t] + u] += v
            flat[moved[t] + u] += v
    else:
        for e in range(unit.size):
            flat[naive[frame[e]] + unit[e]] += value[e]
    counts[:, -1] = 0


@_jit
def spatial_sums(
    uniform: np.ndarray,
    state: np.ndarray,
    dense: np.ndarray,
    first: np.ndarray,
    frame: np.ndarray,
    unit: np.ndarray,
    value: np.ndarray,
    counts: np.ndarray,
    table: np.ndarray,
    shuffle: bool,
    occupancies: np.ndarray,
    totals: np.ndarray,
) -> np.ndarray:
    """Sum of spatial information over samples, one sample for each row of ``uniform``.

    Activity is ``dense`` (time, unit), or where that is empty sparse: entries of ``frame``,
    ``unit`` and ``value``, those of frame ``t`` at ``first[t]:first[t + 1]``. ``counts`` (2, state
    + 1, unit) is work space of zeros; a ``table`` of :func:`x_log_x` for whole ones is faster and
    gives the same bits. Returns (2, 3, unit), naive and, with ``shuffle``, shuffled: the sums of
    information [bit/event] and of information times activity, and the number of samples with
    activity. Frames in each state go to ``occupancies`` (sample, state) and summed activity to
    ``totals`` (sample, unit).
    """
    n_frames, n = state.size, uniform.shape[1]
    n_states, n_units = occupancies.shape[1], counts.shape[2]
    order = np.empty(n_frames, np.uint32)
    member = np.zeros(n_frames, np.bool_)
    frames = np.empty(n + 1, np.uint32)
    states = np.empty(n + 1, np.uint32)
    shuffled = np.empty(n, np.uint32)
    offsets = np.empty((2, n_frames), np.uint32)
    occupancy = np.empty(n_states, np.uint32)
    total = np.empty(n_units)
    score = np.empty(n_units)
    sums = np.zeros((2, 3, n_units))
    term = np.empty(table.size)
    most = 0
    occupancy[:] = 0
    for t in range(n_frames):
        occupancy[state[t]] += 1
        most = max(most, occupancy[state[t]])
    log_of = np.empty(most + 1)
    for c in range(most + 1):
        log_of[c] = log2(float(c))
    for r in range(uniform.shape[0]):
        _draw(uniform[r], state, order, member, frames, states, shuffled, occupancy)
        pairs = shuffled if shuffle else shuffled[:0]
        _count(frames, states, pairs, dense, first, frame, unit, value, offsets, counts)
        for k in range(1 + shuffle):
            score[:] = 0
            total[:] = 0
            for s in range(n_states):
                if occupancy[s] > 0 and table.size:
                    row = counts[k, s]
                    _take_counts(row, table, log_of[occupancy[s]], term, score)
                    _take_total(row, total)
                    _empty(row)
                elif occupancy[s] > 0:
                    _take_sums(counts[k, s], log_of[occupancy[s]], score, total)
            _add_information(log2(float(n)), score, total, sums[k, 0], sums[k, 1], sums[k, 2])
        for s in range(n_states):
            occupancies[r, s] = occupancy[s]
        for u in range(n_units):
            totals[r, u] = total[u]
    return sums


@_jit
def mean_x_log_x(n: int, a: int, b: int) -> float:
    """Mean of ``c log2 c`` where ``c`` of ``a`` drawn out of ``n`` are among ``b`` marked ones.

    Weights of the hypergeometric distribution relative to its mode, so that nothing overflows.
    """
    low, high = max(0, a + b - n), min(a, b)
    mode = min(high, max(low, ((a + 1) * (b + 1)) // (n + 2)))
    norm, mean = 1.0, mode * log2(float(mode))
    weight, c = 1.0, mode
    while c < high and weight > 1e-20:
        weight *= float(a - c) * float(b - c) / (float(c + 1) * float(n - a - b + c + 1))
        c += 1
        norm += weight
        mean += weight * c * log2(float(c))
    weight, c = 1.0, mode
    while c > low and weight > 1e-20:
        weight *= float(c) * float(n - a - b + c) / (float(a - c + 1) * float(b - c + 1))
        c -= 1
        norm += weight
        mean += weight * c * log2(float(c))
    return mean / norm


@_jit
def _distinct(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For every number up to the largest its place among those that occur, and those, sorted."""
    most = 0
    for r in range(numbers.shape[0]):
        for k in range(numbers.shape[1]):
            most = max(most, numbers[r, k])
    place = np.zeros(most + 1, np.int64)
    for r in range(numbers.shape[0]):
        for k in range(numbers.shape[1]):
            place[numbers[r, k]] = 1
    n = 0
    for c in range(most + 1):
        n += place[c]
    found = np.empty(n, np.int64)
    n = 0
    for c in range(most + 1):
        if place[c]:
            found[n] = c
            place[c] = n
            n += 1
    return place, found


@_jit
def permutation_sums(n: int, occupancies: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """Sums as of :func:`spatial_sums`, in the mean over all permutations of binary activity.

    ``occupancies`` (sample, state) and ``totals`` (sample, unit) of samples of ``n`` frames.
    Events in a state are then hypergeometric, whichever frames the sample holds.
    """
    row_of, rows = _distinct(occupancies)
    column_of, columns = _distinct(totals)
    table = np.empty((rows.size, columns.size))
    for i in range(rows.size):
        for j in range(columns.size):
            table[i, j] = mean_x_log_x(n, rows[i], columns[j])
    sums = np.zeros((3, totals.shape[1]))
    score = np.empty(columns.size)
    log_n = log2(float(n))
    for r in range(occupancies.shape[0]):
        score[:] = 0
        spread = 0.0
        for s in range(occupancies.shape[1]):
            _add(score, table[row_of[occupancies[r, s]]])
            spread += occupancies[r, s] * log2(float(occupancies[r, s]))
        for u in range(totals.shape[1]):
            c = totals[r, u]
            if c > 0:
                information = score[column_of[c]] / c - spread / n + (log_n - log2(float(c)))
                sums[0, u] += information
                sums[1, u] += information * c
                sums[2, u] += 1
    return sums


@_jit
def _cuts_between_centres(smallest: float, largest: float, cuts: np.ndarray) -> None:
    """Values half-way between the centres of log-spaced bins; the nearest centre lies between."""
    n = cuts.size + 1
    low, high = np.log10(smallest), np.log10(largest)
    for k in range(n - 1):
        left = 10.0 ** (low + k * (high - low) / n)
        middle = 10.0 ** (low + (k + 1) * (high - low) / n)
        right = 10.0 ** (low + (k + 2) * (high - low) / n)
        cuts[k] = ((left + middle) / 2 + (middle + right) / 2) / 2


@_jit
def _take_response(
    row: np.ndarray, score: np.ndarray, count: np.ndarray, active: np.ndarray
) -> None:
    for u in range(row.size):
        c = float(row[u])
        score[u] += c * log2(c)
        count[u] += c
        active[u] += c
        row[u] = 0


@_jit
def _take_margin(count: np.ndarray, score: np.ndarray, total: np.ndarray) -> None:
    for u in range(count.size):
        score[u] -= count[u] * log2(count[u])
        total[u] += count[u]
        count[u] = 0


@_jit
def _take_silence(n: float, active: np.ndarray, score: np.ndarray) -> None:
    for u in range(active.size):
        c = n - active[u]
        score[u] += c * log2(c)
        active[u] = 0


@_jit
def mutual_sums(
    uniform: np.ndarray,
    state: np.ndarray,
    n_states: int,
    first: np.ndarray,
    unit: np.ndarray,
    value: np.ndarray,
    response: np.ndarray,
    pooled: np.ndarray,
    adaptive: bool,
    counts: np.ndarray,
    shuffle: bool,
) -> np.ndarray:
    """Sum of mutual information [bit/frame] over samples, one for each row of ``uniform``.

    Sparse activity as in :func:`spatial_sums`; ``response`` is the symbol of each entry, -1 for
    none. If ``adaptive``, symbols follow from the sample instead: ``pooled`` (3, time) holds the
    largest and smallest non-zero activity of all units in each frame and whether all of it is
    whole; ``response`` is then for samples with whole activity only. ``counts`` (symbol * state,
    unit) is work space of zeros.
    """
    n_frames, n = state.size, uniform.shape[1]
    n_units = counts.shape[1]
    order = np.empty(n_frames, np.uint32)
    member = np.zeros(n_frames, np.bool_)
    frames = np.empty(n + 1, np.uint32)
    states = np.empty(n + 1, np.uint32)
    shuffled = np.empty(n, np.uint32)
    occupancy = np.empty(n_states, np.uint32)
    active = np.zeros((n_states, n_units))
    score, count, total = np.empty(n_units), np.zeros(n_units), np.empty(n_units)
    cuts = np.empty(9)
    sums = np.zeros(n_units)
    for r in range(uniform.shape[0]):
        _draw(uniform[r], state, order, member, frames, states, shuffled, occupancy)
        pairs = shuffled if shuffle else states
        whole, n_symbols = True, counts.shape[0] // n_states
        if adaptive:
            largest, smallest = 0.0, np.inf
            for i in range(n):
                largest = max(largest, pooled[0, frames[i]])
                smallest = min(smallest, pooled[1, frames[i]])
                whole &= pooled[2, frames[i]] > 0
        rounded = not whole and 5 < largest < 20
        if not whole:
            n_symbols = int(largest + 0.5) if rounded else cuts.size + 1
            if not rounded:
                _cuts_between_centres(smallest, largest, cuts)
        for i in range(n):
            for e in range(first[frames[i]], first[frames[i] + 1]):
                if whole:
                    symbol = response[e]
                elif rounded:
                    symbol = int(value[e] + 0.5) - 1
                else:
                    symbol = 0
                    for k in range(cuts.size):
                        symbol += value[e] > cuts[k]
                if symbol >= 0:
                    counts[symbol * n_states + pairs[i], unit[e]] += 1
        score[:] = 0
        total[:] = 0
        for k in range(n_symbols):
            for s in range(n_states):
                _take_response(counts[k * n_states + s], score, count, active[s])
            _take_margin(count, score, total)
        offset = n * log2(float(n))
        for s in range(n_states):
            _take_silence(float(occupancy[s]), active[s], score)
            offset -= occupancy[s] * log2(float(occupancy[s]))
        for u in range(n_units):
            if total[u] > 0:
                silent = n - total[u]
                sums[u] += max(0.0, (score[u] - silent * log2(silent) + offset) / n)
    return sums


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
    p = np.empty(3)
    p[0], p[1], p[2] = a, b, c
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
        for k in range(3):
            p[k] = trial[k]
        damping = max(damping / 6, 1e-12)
        if gain <= 1e-10 * cost:
            break
    for k in range(3):
        parameters[k] = p[k]


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


@_jit
def _count_parts(counts: np.ndarray, members: np.ndarray, into: np.ndarray) -> float:
    """Sum of the activity (part, state) of some parts to ``into`` (state), and its total."""
    into[:] = 0.0
    for p in range(members.size):
        if members[p]:
            _add(into, counts[p])
    total = 0.0
    for s in range(into.size):
        total += into[s]
    return total


@_jit
def _plug_in(
    row: np.ndarray, total: float, log_occupancy: np.ndarray, log_n: float, terms: np.ndarray
) -> float:
    """Spatial information [bit/event] of activity in states; NaN without any.

    ``terms`` (state) is work space: they are added up in order after all of them were made, since
    the making turns into vectors. A state without activity has the term 0.
    """
    if total <= 0:
        return np.nan
    for s in range(row.size):
        terms[s] = row[s] * (log2(row[s]) - log_occupancy[s])
    score = 0.0
    for s in range(row.size):
        score += terms[s]
    return max(0.0, score / total + (log_n - log2(total)))


@_jit
def _less_biased(
    row: np.ndarray,
    total: float,
    log_occupancy: np.ndarray,
    log_n: float,
    table: np.ndarray,
    scale: float,
) -> float:
    """The same with Grassberger's entropy; ``table`` of :func:`grassberger`, events * scale."""
    if total <= 0:
        return np.nan
    score = 0.0
    for s in range(row.size):
        x = row[s] * scale
        if x > 0:
            k = int(x)
            if k + 1 < table.size:
                term = table[k] + (x - k) * (table[k + 1] - table[k])
            else:
                term = x * log2(x) - 0.7213475204444817  # half a nat
            score += term - x * log_occupancy[s]
    return score / (total * scale) + (log_n - log2(total * scale))


@_jit
def grassberger(most: int) -> np.ndarray:
    """Table of ``n G(n)`` [bit] for n from 0 to ``most``, in place of ``n log2 n``."""
    table = np.zeros(most + 1)
    g = -0.5772156649015329 - 0.6931471805599453
    for n in range(1, most + 1):
        if n % 2 == 0:
            g += 2.0 / (n - 1)
        table[n] = n * g * 1.4426950408889634
    return table


@_jit
def part_means(
    frames: np.ndarray,
    amounts: np.ndarray,
    state: np.ndarray,
    part: np.ndarray,
    block: np.ndarray,
    first: np.ndarray,
    size: np.ndarray,
    shifts: np.ndarray,
    members: np.ndarray,
    log_occupancy: np.ndarray,
    log_n: np.ndarray,
    table: np.ndarray,
    scale: float,
    means: np.ndarray,
) -> None:
    """Information of one unit in samples of whole parts, of its activity and of moved activity.

    ``amounts`` at ``frames``; ``state``, ``part`` and ``block`` of every frame, the frames of a
    block in a row from ``first`` on, ``size`` of them. Activity is moved along its block by
    ``shifts`` (repetition, block), shares of the block, the end to the start. ``members`` (sample,
    part) says which parts a sample holds, the first sample all of them; ``log_occupancy`` (sample,
    state) and ``log_n`` (sample) go with it. Fills ``means`` (2, 3): of activity and of moved
    activity, in the samples of some parts, in the whole, and in the whole with the entropy of
    ``table``, for which ``scale`` makes events of amounts. Samples without activity are left out.
    """
    n_parts, n_states = members.shape[1], log_occupancy.shape[1]
    n_samples = members.shape[0]
    counts = np.zeros((n_parts, n_states))
    row, terms = np.empty(n_states), np.empty(n_states)
    n_repeats = shifts.shape[0]
    each = (n_samples - 1) // n_repeats
    for e in range(frames.size):
        counts[part[frames[e]], state[frames[e]]] += amounts[e]
    sums, n = np.zeros((2, 3)), np.zeros(2)
    for r in range(-1, n_repeats):
        moves = r >= 0
        if moves:
            counts[:] = 0
            for e in range(frames.size):
                b = block[frames[e]]
                moved = frames[e] - first[b] + int(shifts[r, b] * size[b])
                to = first[b] + (moved - size[b] if moved >= size[b] else moved)
                counts[part[to], state[to]] += amounts[e]
        total = _count_parts(counts, members[0], row)
        whole = int(moves)
        sums[whole, 1] += _plug_in(row, total, log_occupancy[0], log_n[0], terms)
        sums[whole, 2] += _less_biased(row, total, log_occupancy[0], log_n[0], table, scale)
        low = 1 + r * each if moves else 1
        high = low + each if moves else n_samples
        for k in range(low, high):
            total = _count_parts(counts, members[k], row)
            if total > 0:
                sums[whole, 0] += _plug_in(row, total, log_occupancy[k], log_n[k], terms)
                n[whole] += 1
    for curve in range(2):
        means[curve, 0] = sums[curve, 0] / n[curve] if n[curve] else np.nan
        for k in range(1, 3):
            means[curve, k] = sums[curve, k] / (n_repeats if curve else 1)


@_jit
def frames_per_event(values: np.ndarray, state: np.ndarray, longest: int, n_blocks: int) -> float:
    """One and twice the autocorrelations of what is above the mean of the state, up to 0.

    The two factors of a product are above means from two halves of the other blocks, even and odd
    ones, so that independent frames have products of 0 on average.
    """
    n = values.size
    n_states = 0
    for t in range(n):
        n_states = max(n_states, state[t] + 1)
    sums, size = np.zeros((n_blocks, n_states)), np.zeros((n_blocks, n_states))
    for t in range(n):
        sums[t * n_blocks // n, state[t]] += values[t]
        size[t * n_blocks // n, state[t]] += 1
    rest = np.empty((2, n))
    whole = 0.0
    for block in range(n_blocks):
        mean = np.zeros((2, n_states))
        for half in range(2):
            for s in range(n_states):
                total, frames = 0.0, 0.0
                for other in range(half, n_blocks, 2):
                    if other != block:
                        total += sums[other, s]
                        frames += size[other, s]
                mean[half, s] = total / frames if frames > 0 else np.nan
        for t in range(-(-block * n // n_blocks), -(-(block + 1) * n // n_blocks)):
            for half in range(2):
                rest[half, t] = values[t] - mean[half, state[t]]
            if rest[0, t] == rest[0, t] and rest[1, t] == rest[1, t]:
                whole += rest[0, t] * rest[1, t]
            else:  # seen in one half alone: says nothing
                rest[0, t], rest[1, t] = 0.0, 0.0
    if not whole > 0:
        return np.nan
    found = 1.0
    for lag in range(1, longest + 1):
        product = 0.0
        for t in range(n - lag):
            product += rest[0, t] * rest[1, t + lag] + rest[1, t] * rest[0, t + lag]
        if product <= 0:
            break
        found += product / whole
    return found
