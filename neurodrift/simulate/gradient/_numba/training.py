"""Numba kernels that train one network of one hidden ReLU layer, nothing else.

Layout. ``rows`` holds the parameters with units along the last axis: the input weights (one row
for each column of the inputs, the bias among them) and below them the output weights (one row for
each output). Units are padded to blocks of 32 with columns of zeros. A unit's column is found
through ``unit``, since columns change places: the first ``front`` columns, whole blocks, are
computed in full; the units behind them gave no output on any sample when they were put there.

What is left out for units behind the front changes nothing. Such a unit's gradient is zero. Without
update noise it therefore never changes again. With it, its input weights are moved on in every
step and it is checked whether it gives output again; nothing reads its output weights until then,
so the sum of their k independent normal increments is drawn at once, as one of variance k.

For developers: numba's cache watches the file of a function, not those of the functions it calls.
After a change in _simd, _kernels_layers or _kernels_noise, change this file or empty __pycache__.
"""

from __future__ import annotations

import numba
import numpy as np

from neurodrift.simulate.gradient._numba.layers import (
    BLOCK,
    adam,
    add_noise,
    descend,
    fires,
    momentum,
    outputs,
    project,
    rmsprop,
)
from neurodrift.simulate.gradient._numba.noise import BATCH, fill_normal, fill_uniform
from neurodrift.simulate.gradient._numba.simd import LANES

REPACK = 64
"""Steps between two looks for units that have fallen silent."""

SGD, ADAM, RMSPROP, SED, MOMENTUM = range(5)
STEP, FRONT = 0, 1
(
    LEARNING_RATE,
    UPDATE_NOISE,
    LABEL_NOISE,
    BETA_1,
    BETA_2,
    DECAY,
    EPSILON,
    TINY,
    PERTURB_IN,
    PERTURB_OUT,
    INPUT_NOISE,
    NODE_DROPOUT,
    KEPT,
) = range(13)

_FAST = {"contract"}


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _exchange(rows, mean, square, unit, since, i, j):  # type: ignore[no-untyped-def]
    for k in range(rows.shape[0]):
        rows[k, i], rows[k, j] = rows[k, j], rows[k, i]
    if mean.shape[0] == rows.shape[0]:
        for k in range(rows.shape[0]):
            mean[k, i], mean[k, j] = mean[k, j], mean[k, i]
    if square.shape[0] == rows.shape[0]:
        for k in range(rows.shape[0]):
            square[k, i], square[k, j] = square[k, j], square[k, i]
    unit[i], unit[j] = unit[j], unit[i]
    since[i], since[j] = since[j], since[i]


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _wake(inputs, rows, mean, square, counters, unit, since, n_units, scale, state, hidden, noise):  # type: ignore[no-untyped-def]
    """Bring units that fire again to the front, with the noise that they have missed."""
    n_inputs = inputs.shape[1]
    front, width = counters[FRONT], rows.shape[1]
    target = front
    for j in range(front, width, BLOCK):
        if fires(inputs, rows, j):
            project(inputs, rows, 0, j, j + BLOCK, False, hidden, hidden)
            for c in range(j, min(j + BLOCK, n_units)):
                if _active(hidden, c):
                    if c != target:
                        _exchange(rows, mean, square, unit, since, c, target)
                    target += 1
    if target > front:
        new = -(-target // BLOCK) * BLOCK
        n_new = min(new, n_units) - front
        fill_normal(state, noise, (rows.shape[0] - n_inputs) * n_new)
        q = 0
        for c in range(front, front + n_new):
            factor = scale * rows.dtype.type(np.sqrt(counters[STEP] - since[c]))
            for k in range(n_inputs, rows.shape[0]):
                rows[k, c] += factor * rows.dtype.type(noise[q])
                q += 1
        counters[FRONT] = new


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _active(hidden, c):  # type: ignore[no-untyped-def]
    for s in range(hidden.shape[0]):  # noqa: SIM110
        if hidden[s, c] > 0:
            return True
    return False


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _at_rest(hidden, mean, c):  # type: ignore[no-untyped-def]
    """Whether a unit is silent and, without noise, will stay so."""
    if _active(hidden, c):
        return False
    for k in range(mean.shape[0]):  # noqa: SIM110
        if mean[k, c] != 0:
            return False
    return True


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _repack(inputs, rows, mean, square, counters, unit, since, n_units, hidden):  # type: ignore[no-untyped-def]
    """Move silent units behind the front and draw the front back."""
    front = counters[FRONT]
    project(inputs, rows, 0, 0, front, False, hidden, hidden)
    i, j = 0, min(front, n_units) - 1
    while i <= j:
        if not _at_rest(hidden, mean, i):
            i += 1
        elif _at_rest(hidden, mean, j):
            j -= 1
        else:
            _exchange(rows, mean, square, unit, since, i, j)
            i += 1
            j -= 1
    new = -(-i // BLOCK) * BLOCK
    if new < front:
        since[new:front] = counters[STEP]
        counters[FRONT] = new


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _residuals(predicted, targets, noise, level, out):  # type: ignore[no-untyped-def]
    """Write outputs minus (noisy) targets; return the mean of their squares."""
    p, y, r = predicted.ravel(), targets.ravel(), out.ravel()
    squares = 0.0
    if level > 0:
        for q in range(p.size):
            r[q] = p[q] - y[q] - level * p.dtype.type(noise[q])
    else:
        for q in range(p.size):
            r[q] = p[q] - y[q]
    for q in range(p.size):
        squares += r[q] * r[q]
    return squares / p.size


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _fill(state, noise, n, uniform):  # type: ignore[no-untyped-def]
    if uniform:
        fill_uniform(state, noise, n)
    else:
        fill_normal(state, noise, n)


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _shake(inputs, scale, state, noise, out):  # type: ignore[no-untyped-def]
    """Write inputs with noise on every feature."""
    n_samples, n_features = inputs.shape[0], inputs.shape[1] - 1
    fill_normal(state, noise, n_samples * n_features)
    q = 0
    for s in range(n_samples):
        for k in range(n_features):
            out[s, k] = inputs[s, k] + scale * inputs.dtype.type(noise[q])
            q += 1


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _leave_out(hidden, front, share, state, noise):  # type: ignore[no-untyped-def]
    """Silence each unit on each sample with a probability; make up for it in the others."""
    fill_uniform(state, noise, hidden.shape[0] * front)
    factor = hidden.dtype.type(1 / (1 - share))
    q = 0
    for s in range(hidden.shape[0]):
        for j in range(front):
            hidden[s, j] *= factor if noise[q] >= share - 0.5 else hidden.dtype.type(0)
            q += 1


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def advance(
    inputs: np.ndarray,
    targets: np.ndarray,
    rows: np.ndarray,
    mean: np.ndarray,
    square: np.ndarray,
    counters: np.ndarray,
    unit: np.ndarray,
    since: np.ndarray,
    state: np.ndarray,
    numbers: np.ndarray,
    rule: int,
    uniform: bool,
    packed: bool,
    n_units: int,
    until: int,
    early: np.ndarray,
) -> None:
    """Train by SGD, with momentum or not, Adam or RMSprop until the count of steps is `until`."""
    kind = rows.dtype.type
    n_samples, n_inputs = inputs.shape
    n_outputs = targets.shape[1]
    n_rows, width = rows.shape
    hidden = np.zeros((n_samples, width), rows.dtype)
    delta = np.zeros((n_samples, width), rows.dtype)
    predicted = np.zeros((n_samples, n_outputs), rows.dtype)
    error = np.zeros((n_samples, n_outputs), rows.dtype)
    gradient = np.zeros((1, 1) if rule == SGD else rows.shape, rows.dtype)
    noise = np.zeros(-(-n_rows * width // BATCH) * BATCH, np.float32)
    label = np.zeros(-(-n_samples * n_outputs // BATCH) * BATCH, np.float32)
    shaken = inputs.copy()  # the last column is the bias, which has no noise
    shakes = np.zeros(-(-n_samples * n_inputs // BATCH) * BATCH, np.float32)

    rate, level = kind(numbers[LEARNING_RATE]), kind(numbers[LABEL_NOISE])
    noisy, shake = numbers[UPDATE_NOISE] > 0, kind(numbers[INPUT_NOISE])
    left_out = numbers[NODE_DROPOUT]
    chances = np.zeros(-(-n_samples * width // BATCH) * BATCH if left_out else 0, np.float32)
    scale = kind(numbers[UPDATE_NOISE] * (numbers[LEARNING_RATE] if rule == SGD else 1.0))
    factor = kind(2 / (n_samples * n_outputs) * (-numbers[LEARNING_RATE] if rule == SGD else 1.0))
    drawn = -(-n_units // LANES) * LANES

    for step in range(counters[STEP], until):
        counters[STEP] = step
        if packed:
            if noisy and counters[FRONT] < width:
                _wake(
                    inputs, rows, mean, square, counters, unit, since, n_units, scale, state,
                    hidden, noise,
                )  # fmt: skip
            if step % REPACK == 0:
                _repack(inputs, rows, mean, square, counters, unit, since, n_units, hidden)
        front = counters[FRONT]

        if shake > 0:
            _shake(inputs, shake, state, shakes, shaken)
        project(shaken, rows, 0, 0, front, False, hidden, hidden)
        if left_out > 0:
            _leave_out(hidden, front, left_out, state, chances)
        outputs(hidden, rows, n_inputs, front, predicted)
        if level > 0:
            _fill(state, label, n_samples * n_outputs, uniform)
        loss = _residuals(predicted, targets, label, level, error)
        if step < early.size:
            early[step] = loss
        for s in range(n_samples):
            for k in range(n_outputs):
                error[s, k] *= factor
        project(error, rows, n_inputs, 0, front, True, hidden, delta)
        if left_out > 0:
            for s in range(n_samples):
                for j in range(front):
                    delta[s, j] *= kind(1 / (1 - left_out))

        if rule == SGD:
            descend(error, hidden, rows, n_inputs, front)
            descend(shaken, delta, rows, 0, front)
            if noisy:
                near = min(front, drawn)
                fill_normal(state, noise, n_inputs * drawn + n_outputs * near)
                add_noise(rows, 0, n_inputs, drawn, n_units, scale, noise, 0)
                add_noise(rows, n_inputs, n_outputs, near, n_units, scale, noise, n_inputs * drawn)
            continue
        gradient[:, :front] = kind(0)
        descend(error, hidden, gradient, n_inputs, front)
        descend(shaken, delta, gradient, 0, front)
        if noisy:
            fill_normal(state, noise, n_rows * drawn)
            add_noise(gradient, 0, n_rows, drawn, n_units, scale, noise, 0)
        if rule == ADAM:
            first = 1 - numbers[BETA_1] ** (step + 1)
            second = 1 - numbers[BETA_2] ** (step + 1)
            adam(
                rows, mean, square, gradient, front,
                kind(numbers[LEARNING_RATE] / first), kind(1 / np.sqrt(second)),
                kind(numbers[BETA_1]), kind(numbers[BETA_2]), kind(numbers[EPSILON]),
                kind(numbers[TINY]),
            )  # fmt: skip
        elif rule == MOMENTUM:
            momentum(rows, mean, gradient, front, rate, kind(numbers[KEPT]))
        else:
            rmsprop(
                rows, square, gradient, front, rate, kind(numbers[DECAY]), kind(numbers[EPSILON])
            )
    counters[STEP] = max(counters[STEP], until)


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def advance_sed(
    inputs: np.ndarray,
    targets: np.ndarray,
    rows: np.ndarray,
    counters: np.ndarray,
    state: np.ndarray,
    numbers: np.ndarray,
    uniform: bool,
    clean: bool,
    n_units: int,
    until: int,
    early: np.ndarray,
    pending: np.ndarray,
) -> None:
    """Train by stochastic error descent; add up the squared loss differences in `pending`."""
    kind = rows.dtype.type
    n_samples, n_inputs = inputs.shape
    n_outputs = targets.shape[1]
    n_rows, width = rows.shape
    hidden = np.zeros((n_samples, width), rows.dtype)
    predicted = np.zeros((n_samples, n_outputs), rows.dtype)
    error = np.zeros((n_samples, n_outputs), rows.dtype)
    moved = np.zeros(rows.shape, rows.dtype)
    noise = np.zeros(-(-n_rows * width // BATCH) * BATCH, np.float32)
    label = np.zeros(-(-n_samples * n_outputs // BATCH) * BATCH, np.float32)
    level = kind(numbers[LABEL_NOISE])
    drawn = -(-n_units // LANES) * LANES
    below = n_inputs * drawn

    for step in range(counters[STEP], until):
        project(inputs, rows, 0, 0, width, False, hidden, hidden)
        outputs(hidden, rows, n_inputs, width, predicted)
        if level > 0:
            _fill(state, label, n_samples * n_outputs, uniform)
        loss = _residuals(predicted, targets, label, level, error)
        if step < early.size:
            early[step] = loss

        fill_normal(state, noise, n_rows * drawn)
        into, out = numbers[PERTURB_IN], numbers[PERTURB_OUT]
        moved[:] = rows
        add_noise(moved, 0, n_inputs, drawn, n_units, kind(into), noise, 0)
        add_noise(moved, n_inputs, n_outputs, drawn, n_units, kind(out), noise, below)
        project(inputs, moved, 0, 0, width, False, hidden, hidden)
        outputs(hidden, moved, n_inputs, width, predicted)
        difference = _residuals(predicted, targets, label, kind(0) if clean else level, error)
        difference -= loss

        back = -numbers[LEARNING_RATE] * difference
        add_noise(rows, 0, n_inputs, drawn, n_units, kind(back * into), noise, 0)
        add_noise(rows, n_inputs, n_outputs, drawn, n_units, kind(back * out), noise, below)
        pending[0] += difference * difference
    counters[STEP] = max(counters[STEP], until)


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def measure(
    inputs: np.ndarray,
    targets: np.ndarray,
    rows: np.ndarray,
    mean: np.ndarray,
    square: np.ndarray,
    counters: np.ndarray,
    unit: np.ndarray,
    since: np.ndarray,
    state: np.ndarray,
    scale: float,
    n_units: int,
    out: np.ndarray,
) -> None:
    """Clean mean squared error, shares of active pairs and of active units, any activity."""
    n_samples, n_inputs = inputs.shape
    n_rows, width = rows.shape
    hidden = np.zeros((n_samples, width), rows.dtype)
    predicted = np.zeros(targets.shape, rows.dtype)
    if scale > 0 and counters[FRONT] < width:
        noise = np.zeros(-(-n_rows * width // BATCH) * BATCH, np.float32)
        _wake(
            inputs, rows, mean, square, counters, unit, since, n_units, rows.dtype.type(scale),
            state, hidden, noise,
        )  # fmt: skip
    front = counters[FRONT]
    project(inputs, rows, 0, 0, front, False, hidden, hidden)
    outputs(hidden, rows, n_inputs, front, predicted)
    pairs = units = 0
    for c in range(min(front, n_units)):
        n = 0
        for s in range(n_samples):
            n += hidden[s, c] > 0
        pairs += n
        units += n > 0
    finite = 0.0
    for w in rows.ravel():
        finite += w * 0  # NaN unless every weight is finite: a unit of NaN looks silent
    out[0] = _residuals(predicted, targets, np.zeros(1, np.float32), rows.dtype.type(0), predicted)
    out[0] += finite
    out[1] = pairs / (n_samples * n_units)
    out[2] = units / n_units
    out[3] = pairs > 0
