"""Exact fixed points of similarity matching against the published iteration, and whole runs.

A network learns with the published settings. At checkpoints the weights are held and the next
samples answered, once exactly, each from its last active set, and once by the published iteration
from rest (dt .05, until the relative change over dt is below 1e-4); the times are added up. The
iteration is compiled as well and skips silent units; the same with the whole product of M in every
round, as published, is timed beside it. Iterated to 1e-7 it gives the exact responses.

Run: python benchmarks/hebbian.py [--small] [--checkpoints 20] [--samples 100] [--seed 0]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from neurodrift.simulate.gradient._numba.noise import N_STREAMS
from neurodrift.simulate.hebbian import _kernels as kernels
from neurodrift.simulate.hebbian.network import kernel_numbers
from neurodrift.simulate.settings.kinds import read_settings

NAMES = ("qin2023-ring", "qin2023-place-1d", "qin2023-place-2d")
METHODS = ("exact", "iteration", "iteration, whole product", "iteration to 1e-7")


@numba.njit(nogil=True)
def answer(inputs, weights, numbers, iterated, active, out, counters):  # type: ignore[no-untyped-def]
    """Responses to all inputs, each from its own active set."""
    n = weights[2].size
    work = (np.empty((n, n)), np.empty((3, n)), np.empty(n, np.int64))
    for t in range(inputs.shape[0]):
        kernels.respond(
            inputs[t], weights[0], weights[1], weights[2], numbers, False, iterated, active[t],
            work, counters, out[t],
        )  # fmt: skip


@numba.njit(nogil=True, fastmath=True)
def answer_whole(inputs, weights, numbers, out):  # type: ignore[no-untyped-def]
    """The published iteration with the whole product of M in every round."""
    w_t, m_t, bias = weights
    n = bias.size
    lam1, lam2, root_alpha, dt, tolerance = (
        numbers[1],
        numbers[2],
        numbers[3],
        numbers[7],
        numbers[8],
    )
    for t in range(inputs.shape[0]):
        drive = inputs[t] @ w_t - root_alpha * bias
        u, y, push = np.zeros(n), np.zeros(n), np.empty(n)
        for _ in range(int(numbers[9])):
            for i in range(n):
                push[i] = drive[i] - u[i] + m_t[i, i] * y[i]
            for j in range(n):
                for i in range(n):
                    push[i] -= y[j] * m_t[j, i]
            change = size = 0.0
            for i in range(n):
                u[i] += dt * push[i]
                change += push[i] ** 2
                size += u[i] ** 2
                y[i] = max((u[i] - lam1) / (lam2 + m_t[i, i]), 0.0)
            if change <= tolerance**2 * size:
                break
        out[t] = y


def seconds(make: Callable[[], Any]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    make()
    return time.perf_counter() - start


def compare(name: str, n_steps: int | None, n_checkpoints: int, n_samples: int, seed: int) -> None:
    """Print time per sample, ratios and differences for one published setting."""
    settings = read_settings(name)
    inputs, network, rule = settings.build()
    n_steps = settings.n_steps if n_steps is None else n_steps
    rng, n = np.random.default_rng(seed), network.n_units
    first = network.weight_scale * rng.standard_normal((inputs.n_features, n))
    weights = (first, np.eye(n), np.zeros(n))
    order = rng.integers(inputs.n_samples, size=n_steps + n_samples)
    states = rng.integers(2**32, size=(3, 4 * N_STREAMS), dtype=np.uint32)
    active = np.ones((inputs.n_samples, n), dtype=bool)
    numbers, precise = (kernel_numbers(network, rule, tolerance) for tolerance in (1e-4, 1e-7))
    spent = np.zeros((n_checkpoints, len(METHODS)))
    apart = np.zeros((n_checkpoints, len(METHODS)))
    counters = np.zeros((len(METHODS), 4), np.int64)
    learning, largest = 0.0, 0.0
    edges = np.linspace(0, n_steps, n_checkpoints + 1).astype(int)
    for k in range(-1, n_checkpoints):  # the first round compiles
        if k >= 0:
            part = order[edges[k] : edges[k + 1]]
            state = (*weights, active, numbers, False, False, True, states, np.zeros(4, np.int64))
            learning += seconds(lambda p=part, s=state: kernels.advance(inputs.inputs, p, *s))
        next_ones = order[edges[k + 1] : edges[k + 1] + n_samples]
        shown, known = inputs.inputs[next_ones], active[next_ones]
        out = np.empty((len(METHODS), n_samples, n))
        counts = np.zeros_like(counters)
        calls: list[Callable[[], Any]] = [
            lambda: answer(shown, weights, numbers, False, known, out[0], counts[0]),  # noqa: B023
            lambda: answer(shown, weights, numbers, True, known, out[1], counts[1]),  # noqa: B023
            lambda: answer_whole(shown, weights, numbers, out[2]),  # noqa: B023
            lambda: answer(shown, weights, precise, True, known, out[3], counts[3]),  # noqa: B023
        ]
        times = [seconds(call) for call in calls]
        if k >= 0:
            spent[k], counters = times, counters + counts
            apart[k] = np.abs(out - out[0]).max(axis=(1, 2))
            largest = max(largest, out[0].max())
    answered = n_checkpoints * n_samples
    print(f"{name}: {n_steps} steps in {learning:.2f} s; {answered} samples, responses up to "
          f"{largest:.2f}")  # fmt: skip
    for i, method in enumerate(METHODS):
        ratio = spent[:, i].sum() / spent[:, 0].sum()
        after = spent[1:, i].sum() / spent[1:, 0].sum() if n_checkpoints > 1 else np.nan
        print(
            f"  {method:26}{1e6 * spent[:, i].sum() / answered:8.1f} µs a sample, {ratio:6.1f} "
            f"times the exact one ({after:.1f} after the first checkpoint); largest difference "
            f"{apart[:, i].max():.1e}"
        )
    systems, fallbacks = counters[0, kernels.SOLVES], counters[0, kernels.FALLBACKS]
    rounds = counters[1, kernels.ITERATIONS] / answered
    unconverged = counters[:, kernels.UNCONVERGED].sum()
    print(f"  {systems / answered:.2f} linear systems a sample, Lemke's method {fallbacks} times; "
          f"{rounds:.0f} iterations a sample, {unconverged} not converged")  # fmt: skip


def main() -> None:
    """Read the arguments, compare every published setting."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--small", action="store_true", help="few steps, ring and track only")
    parser.add_argument("--checkpoints", type=int, default=20)
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    checkpoints, samples = options.checkpoints, options.samples
    if options.small:
        checkpoints, samples = 3, 20
    for name in NAMES[:2] if options.small else NAMES:
        compare(name, 1500 if options.small else None, checkpoints, samples, options.seed)


if __name__ == "__main__":
    main()
