"""Network-steps per CPU-second of the training engines, as ratios to a plain PyTorch loop.

The plain loop does in every step what the published code does: it draws input and label noise,
even of scale 0, runs one float64 network forward and backward by autograd, adds the update noise
to the gradient of every parameter and calls the optimiser. Every engine runs in a process of its
own on one thread; rounds alternate between the engines, and the best round of each counts.

Run: python benchmarks/training.py [--small] [--rounds 5] [--seconds 2] [--cases "noise;track"]
     [--engines "plain;numba"] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from typing import Any

TARGETS = {
    "random update": {"float32": 40, "float64": 30},
    "random label": {"float32": 60, "float64": 30},
    "noise series": {"float32": 80},
    "track": {"float32": 4},
    "track, a third live": {"float32": 8},
}


def setting(case: str) -> tuple[Any, Any, Any]:
    """Task, network and rule of a case."""
    from neurodrift.simulate.gradient import tasks
    from neurodrift.simulate.gradient.networks import Network
    from neurodrift.simulate.gradient.rules import Rule

    small = tasks.random(n_samples=10, n_inputs=20, n_outputs=10)
    if case == "noise series":
        task = tasks.random(n_samples=5, n_inputs=20, n_outputs=5)
        return task, Network(), Rule(update_noise=0.03)
    if case.startswith("track"):
        network = Network(n_hidden=500, regime="lazy")
        return tasks.predictive_track(), network, Rule(update_noise=0.0139)
    rule = {
        "random update": Rule(update_noise=0.03),
        "random label": Rule(label_noise=1.0),
        "random Adam": Rule("adam"),
        "random Adam update": Rule("adam", update_noise=0.03),
        "random RMSprop": Rule("rmsprop"),
        "random SED": Rule("sed"),
    }[case]
    return small, Network(), rule


CASES = (
    "random update",
    "random label",
    "noise series",
    "track",
    "track, a third live",
    "random Adam",
    "random Adam update",
    "random RMSprop",
    "random SED",
)


def timed(advance: Any, seconds: float) -> float:
    """Steps per CPU-second of a function that makes so many steps."""
    n = 1
    while True:
        start = time.process_time()
        advance(n)
        used = time.process_time() - start
        if used > seconds / 4:
            break
        n *= 2
    return n / used


def plain_loop(case: str, seconds: float) -> float:
    """The plain PyTorch loop."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    task, network, rule = setting(case)
    inputs, targets = torch.tensor(task.inputs), torch.tensor(task.targets)
    hidden = torch.nn.Linear(task.n_inputs, network.n_hidden, dtype=torch.float64)
    output = torch.nn.Linear(network.n_hidden, task.n_outputs, bias=False, dtype=torch.float64)
    model = torch.nn.Sequential(hidden, torch.nn.ReLU(), output)
    optimisers = {
        "sgd": torch.optim.SGD,
        "adam": torch.optim.Adam,
        "rmsprop": torch.optim.RMSprop,
        "sed": torch.optim.SGD,
    }
    optimiser = optimisers[rule.name](model.parameters(), lr=rule.rate)
    mse = torch.nn.MSELoss()

    def descend(n: int) -> None:
        for _ in range(n):
            x = inputs + rule.input_noise * torch.randn(inputs.shape)
            y = targets + rule.label_noise * (torch.rand(targets.shape) - 0.5)
            optimiser.zero_grad()
            mse(model(x), y).backward()
            if rule.update_noise:
                for parameter in model.parameters():
                    parameter.grad += rule.update_noise * torch.randn(parameter.shape)
            optimiser.step()

    def descend_error(n: int) -> None:
        with torch.no_grad():
            for _ in range(n):
                x = inputs + rule.input_noise * torch.randn(inputs.shape)
                y = targets + rule.label_noise * (torch.rand(targets.shape) - 0.5)
                loss = mse(model(x), y)
                moves = []
                for parameter in model.parameters():
                    move = rule.perturbation * torch.randn(parameter.shape)
                    moves.append(move / parameter.shape[0] ** 0.5)
                    parameter += moves[-1]
                difference = mse(model(inputs), targets) - loss
                for parameter, move in zip(model.parameters(), moves, strict=True):
                    parameter -= move + rule.rate * difference * move

    return timed(descend_error if rule.name == "sed" else descend, seconds)


def fused(case: str, seconds: float, dtype: str) -> float:
    """The numba engine."""
    import numpy as np

    from neurodrift.simulate.gradient._numba.fused import FusedNetwork

    task, network, rule = setting(case)
    training = FusedNetwork(task, network, rule, 0, dtype=dtype)
    step = 0
    if case == "track, a third live":
        silence(training, np.arange(network.n_hidden) % 3 > 0)

    def advance(n: int) -> None:
        nonlocal step
        step += n
        training.advance(step)

    advance(300)  # compile, and let silent units be packed
    return timed(advance, seconds)


def silence(training: Any, units: Any) -> None:
    """Make some units silent for long, by their bias."""
    state = training.state()
    rows = state["rows"]
    bias_row = training._inputs.shape[1] - 1
    rows[bias_row, : units.size][units] = -30
    training.restore(state)


def ensemble(case: str, seconds: float, dtype: str) -> float:
    """The torch engine with 64 networks side by side."""
    import torch

    from neurodrift.simulate.gradient._torch import TorchNetworks

    torch.set_num_threads(1)
    n = 64
    task, network, rule = setting(case)
    training = TorchNetworks([task] * n, network, [rule] * n, list(range(n)), dtype=dtype)
    step = 0

    def advance(n_steps: int) -> None:
        nonlocal step
        step += n_steps
        training.advance(step)

    advance(3)
    return n * timed(advance, seconds)


ENGINES = {
    "plain": plain_loop,
    "numba float32": lambda case, s: fused(case, s, "float32"),
    "numba float64": lambda case, s: fused(case, s, "float64"),
    "torch x64 float32": lambda case, s: ensemble(case, s, "float32"),
}


def child(engine: str, case: str, seconds: float) -> float:
    """Rate of one engine in a process of its own."""
    threads = {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, __file__, "--child", engine, "--cases", case, "--seconds", str(seconds)],
        env=os.environ | threads,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return float(done.stdout.split()[-1])


def main() -> None:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--cases", default=None, help="beginnings of names, separated by ;")
    parser.add_argument("--engines", default="plain;numba;torch")
    parser.add_argument("--small", action="store_true", help="one short round, to see that it runs")
    parser.add_argument("--json", default=None)
    parser.add_argument("--child", default=None)
    options = parser.parse_args()
    if options.child:
        print(ENGINES[options.child](options.cases, options.seconds))
        return
    if options.small:
        options.rounds, options.seconds = 1, 0.05
    wanted = tuple((options.cases or "random;noise;track").split(";"))
    engines = [e for e in ENGINES if e.startswith(tuple(options.engines.split(";")))]
    results = {}
    for case in (c for c in CASES if c.startswith(wanted)):
        rates: dict[str, list[float]] = {engine: [] for engine in engines}
        for _ in range(options.rounds):
            for engine in engines:
                rates[engine].append(child(engine, case, options.seconds))
        best = {engine: max(found) for engine, found in rates.items()}
        results[case] = {"rounds": rates, "best": best}
        line = f"{case:22s}"
        for engine, rate in best.items():
            ratio = rate / best["plain"] if "plain" in best else float("nan")
            target = TARGETS.get(case, {}).get(engine.removeprefix("numba "), 0)
            wish = f" (>= {target})" if target else ""
            line += f" | {engine} {rate / 1e3:.1f} k/s {ratio:.1f}x{wish}"
        print(line, flush=True)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
