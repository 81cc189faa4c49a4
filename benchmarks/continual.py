"""Training of the recurrent network against autograd: seconds a step, in one run.

What a user would otherwise write is a loop over time steps on a padded batch in torch, with its
automatic gradients. Both compute the same loss and gradient of the same trials, which is checked;
noise is left out of both.

    python benchmarks/continual.py [--small]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from neurodrift.simulate.continual.recurrent import (
    Batch,
    RecurrentNetwork,
    Weights,
    loss_and_gradient,
)
from neurodrift.simulate.continual.strokes import drawn_strokes
from neurodrift.simulate.continual.tasks import stroke_tasks
from neurodrift.simulate.continual.trials import TrialPool, TrialSettings
from neurodrift.threads import one_blas_thread

NETWORK = RecurrentNetwork()


def padded(batch: Batch) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Inputs (trial, step, input) with zeros after the end, labels, lengths."""
    lengths = np.diff(batch.offsets)
    inputs = np.zeros((lengths.size, lengths.max(), batch.inputs.shape[1]), np.float32)
    for i, (start, stop) in enumerate(zip(batch.offsets[:-1], batch.offsets[1:], strict=True)):
        inputs[i, : stop - start] = batch.inputs[start:stop]
    return torch.tensor(inputs), torch.tensor(batch.labels), torch.tensor(lengths)


def autograd(weights: Weights, batch: Batch) -> tuple[float, Weights]:
    """Loss and gradient by a loop over padded steps."""
    inputs, labels, lengths = padded(batch)
    w, c = (torch.tensor(weights[name], requires_grad=True) for name in ("W", "C"))
    n = NETWORK.n_units
    drive = inputs @ w[n:]
    r, states = torch.zeros(len(labels), n), []
    for t in range(inputs.shape[1]):
        h = r @ w[:n] + drive[:, t]
        r = (1 - NETWORK.leak) * r + NETWORK.leak * torch.relu(h)
        states.append(r)
    read = lengths[:, None] + torch.arange(-batch.n_read, 0)
    outputs = torch.stack(states, 1)[torch.arange(len(labels))[:, None], read] @ c
    targets = labels[:, None].expand(-1, batch.n_read)
    loss = torch.nn.functional.cross_entropy(
        outputs.flatten(0, 1), targets.flatten(), reduction="sum"
    ) / len(labels)
    loss.backward()
    return loss.item(), {"W": w.grad.numpy(), "C": c.grad.numpy()}


def seconds(function: Callable[[], object], repeats: int) -> float:
    """Median of some calls after a first."""
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def main() -> None:
    """Time both on batches of several sizes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--small", action="store_true", help="few repeats")
    small = parser.parse_args().small
    torch.set_num_threads(1)
    tasks = stroke_tasks(drawn_strokes(20 if small else 200))
    shown = TrialSettings()
    pool = TrialPool(tasks, "train", shown, NETWORK, np.float32)
    first = NETWORK.initial_weights(shown.n_inputs(tasks), shown.n_outputs(tasks), seed=0)
    weights = {name: array.astype(np.float32) for name, array in first.items()}
    rng = np.random.default_rng(0)
    print("trials  autograd [ms]  neurodrift [ms]  ratio")
    for n_trials in (64,) if small else (64, 256):
        batch = pool.batch(pool.draw(np.zeros(n_trials, dtype=int), rng), None)
        with one_blas_thread():
            ours, theirs = loss_and_gradient(NETWORK, weights, batch), autograd(weights, batch)
            for name in weights:
                np.testing.assert_allclose(ours[1][name], theirs[1][name], rtol=1e-3, atol=1e-4)
            repeats = 5 if small else 40
            slow = seconds(partial(autograd, weights, batch), repeats)
            fast = seconds(partial(loss_and_gradient, NETWORK, weights, batch), repeats)
        print(f"{n_trials:6d}  {1e3 * slow:13.1f}  {1e3 * fast:15.1f}  {slow / fast:5.1f}")


if __name__ == "__main__":
    main()
