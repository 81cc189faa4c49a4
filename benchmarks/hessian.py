"""Hessian eigenvalues: block formulas against dense autograd and a general eigenvalue routine.

Run: python benchmarks/hessian.py [--repeats 5] [--small]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

from neurodrift.seeds import generator
from neurodrift.simulate.curvature.hessian import compute_hessian_spectrum
from neurodrift.simulate.curvature.loss_point import LossPoint

SIZES = {"samples": 10, "features": 20, "outputs": 10, "hidden": 100}
SMALL = {"samples": 4, "features": 6, "outputs": 3, "hidden": 12}


def network(sizes: dict[str, int], silent: float) -> tuple[np.ndarray, ...]:
    """Rich initialisation on random inputs and targets; a share of the units is silenced."""
    rng = generator(0, "benchmark", "hessian")
    n, features, outputs, hidden = sizes.values()
    W = rng.normal(0, np.sqrt(2 / features), (hidden, features))
    b = rng.normal(0, np.sqrt(2 / features), hidden)
    V = rng.normal(0, np.sqrt(2 / hidden), (outputs, hidden))
    b[: round(silent * hidden)] = -100.0
    return W, b, V, rng.uniform(-1, 1, (n, features)), rng.uniform(-1, 1, (n, outputs))


def published(
    W: np.ndarray, b: np.ndarray, V: np.ndarray, inputs: np.ndarray, targets: np.ndarray
) -> np.ndarray:
    """Dense Hessian by vectorised autograd, then the general eigenvalue routine."""
    import torch

    hidden, features = W.shape
    x, y = torch.as_tensor(inputs), torch.as_tensor(targets)

    def loss(theta: torch.Tensor) -> torch.Tensor:
        w, c, v = torch.split(theta, [W.size, b.size, V.size])
        h = torch.relu(x @ w.reshape(hidden, features).T + c)
        return ((h @ v.reshape(V.shape).T - y) ** 2).mean()

    theta = torch.as_tensor(np.concatenate([W.ravel(), b, V.ravel()]))
    dense = torch.autograd.functional.hessian(loss, theta, vectorize=True)
    return np.sort(torch.linalg.eig(dense)[0].real.numpy())


def timed(function: Callable[[], np.ndarray], repeats: int) -> tuple[float, float, np.ndarray]:
    """Least wall and CPU seconds, and the result."""
    walls, cpus = [], []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        result = function()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return min(walls), min(cpus), result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="of ours; the published runs once")
    parser.add_argument("--small", action="store_true", help="a small network, for CI")
    options = parser.parse_args()
    sizes = SMALL if options.small else SIZES
    published(*network(SMALL, 0.0))  # torch's first call
    for silent in (0.0, 0.7):
        parts = network(sizes, silent)
        slow_wall, slow_cpu, expected = timed(lambda p=parts: published(*p), 1)
        wall, cpu, found = timed(
            lambda p=parts: compute_hessian_spectrum(LossPoint(*p)), options.repeats
        )
        linear = timed(
            lambda p=parts: compute_hessian_spectrum(LossPoint(*p), part="gauss_newton"),
            options.repeats,
        )[0]
        error = np.abs(found - expected).max() / expected.max()
        print(
            f"{found.size} parameters, {silent:.0%} of the units silent: published {slow_wall:.2f} "
            f"s, blocks {wall:.4f} s, ratio {slow_wall / wall:.0f} (CPU {slow_cpu / cpu:.0f}); "
            f"Gauss-Newton part {linear:.4f} s; largest difference {error:.1e} of the maximum"
        )
    print("command: python benchmarks/hessian.py" + " --small" * options.small)


if __name__ == "__main__":
    main()
