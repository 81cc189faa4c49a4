"""Drift after learning: what the Hessian predicts, and what simulated networks do.

    python benchmarks/solution_drift.py            # 64 runs a row
    python benchmarks/solution_drift.py --small
    python benchmarks/solution_drift.py --figure docs/images/solution-drift.svg

Networks of 30 hidden units learn a random task without noise. From the same solution many runs go
on with noise. Beside what :func:`neurodrift.simulate.predict_solution_drift` says of the start are
the growth of the variance of the activity over runs (diffusion), the mean change of the activity
(drift: direction as a cosine, speed as a slope, both over all samples and units), the change of the
mean activity (below 0: sparser), and the change of the sum of the eigenvalues. The last column is
the curvature along the change of a run over the mean of all eigenvalues.
"""

from __future__ import annotations

import argparse
import warnings
from dataclasses import dataclass

import numpy as np

import neurodrift as nd
from neurodrift.simulate.curvature.manifold import tangent_of
from neurodrift.simulate.curvature.tangent import gauss_newton_trace

ETA = 0.05
SETTLE = 200  # steps until the noise is in equilibrium in the steep directions


@dataclass
class Row:
    """One kind of network and noise."""

    activation: str
    depth: int
    noise: dict[str, float]
    n_steps: int


ROWS = [
    Row("tanh", 1, {"update_noise": 0.01}, 1000),
    Row("tanh", 1, {"update_noise": 0.05}, 1000),
    Row("tanh", 1, {"label_noise": 0.1}, 1000),
    Row("tanh", 1, {"label_noise": 0.5}, 1000),
    Row("softplus", 1, {"update_noise": 0.05}, 1000),
    Row("softplus", 1, {"label_noise": 0.5}, 1000),
    Row("relu", 1, {"update_noise": 0.05}, 1000),
    Row("relu", 1, {"label_noise": 0.5}, 1000),
    Row("tanh", 2, {"update_noise": 0.05}, 1000),
    Row("tanh", 2, {"label_noise": 0.5}, 1000),
]


def measured(row: Row, n_runs: int) -> dict[str, float]:
    """Predicted and simulated drift of one row."""
    task = nd.simulate.random(n_samples=5, n_inputs=10, n_outputs=2)
    network = nd.simulate.Network(n_hidden=30, activation=row.activation, depth=row.depth)
    learned = nd.simulate.train(
        task, network=network, n_steps=30_000, snapshots=[30_000], measures=[30_000]
    )
    rule = nd.simulate.Rule("sgd", learning_rate=ETA, **row.noise)
    runs = nd.simulate.train_ensemble(
        task,
        network=network,
        rule=rule,
        weights=learned.snapshot(30_000),
        seed=list(range(n_runs)),
        n_steps=SETTLE + row.n_steps,
        snapshots=[SETTLE, SETTLE + row.n_steps],
        measures=[SETTLE],
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # kinks of ReLU: the row is there to see
        start = nd.simulate.predict_solution_drift(learned, rule, horizon=row.n_steps)
        held = nd.simulate.compare_solution_drift(runs[0])
    tangents = [[tangent_of(run, step) for run in runs] for step in (SETTLE, SETTLE + row.n_steps)]
    early, late = (np.array([one.hidden for one in own]) for own in tangents)
    change = (late - early).mean(axis=0) / row.n_steps
    drift = start["hidden_drift"].values.ravel()
    spread = (late.var(axis=0, ddof=1) - early.var(axis=0, ddof=1)).sum() / row.n_steps
    sums = [np.mean([gauss_newton_trace(one.jacobian) for one in own[:16]]) for own in tangents]
    return {
        "loss": float(start["loss"]),
        "diffusion": float(start["hidden_diffusion"].sum()),
        "diffusion seen": float(spread),
        "cosine": float(change @ drift / np.linalg.norm(change) / np.linalg.norm(drift)),
        "speed": float(change @ drift / (drift @ drift)),
        "mean activity": float(drift.mean()),
        "mean activity seen": float(change.mean()),
        "trace": float(start["trace_slope"]),
        "trace seen": float((sums[1] - sums[0]) / row.n_steps),
        "curvature": float(held["curvature_ratio"].mean()),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="few runs, so that CI keeps it alive")
    parser.add_argument("--figure", help="file of the picture")
    options = parser.parse_args()
    rows = [ROWS[0], ROWS[2], ROWS[8]] if options.small else ROWS
    found = []
    print("| network | noise | diffusion: predicted / seen | drift: cosine, speed | mean activity:")
    print("  predicted / seen | sum of eigenvalues: predicted / seen | curvature |")
    for row in rows:
        one = measured(row, 8 if options.small else 64)
        found.append(one)
        noise = ", ".join(f"{name.split('_')[0]} {value:g}" for name, value in row.noise.items())
        print(
            f"| {row.activation}, depth {row.depth} | {noise} | {one['diffusion']:.2e} / "
            f"{one['diffusion seen']:.2e} | {one['cosine']:.2f}, {one['speed']:.2f} | "
            f"{one['mean activity']:.1e} / {one['mean activity seen']:.1e} | "
            f"{'-' if 'update' in noise else format(one['trace'], '.1e')} / "
            f"{one['trace seen']:.1e} | {one['curvature']:.2g} |",
            flush=True,
        )
    if options.figure:
        draw(rows, found, options.figure)


def draw(rows: list[Row], found: list[dict[str, float]], path: str) -> None:
    """Predicted against simulated, a point a row."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(9, 3.2), layout="constrained")
    panels = [
        ("diffusion", "growth of variance of activity [1/step]", 1, ("update",)),
        ("trace", "fall of sum of eigenvalues [1/step]", -1, ("label",)),
        ("mean activity", "fall of mean activity [1/step]", -1, ("label",)),
    ]
    shapes = {"tanh": "o", "softplus": "s", "relu": "x"}
    for axis, (name, title, sign, noises) in zip(axes, panels, strict=True):
        for row, one in zip(rows, found, strict=True):
            label = "update" if "update_noise" in row.noise else "label"
            if (
                label in noises
            ):  # a walk changes the other two as well, by more than the theory says
                axis.plot(
                    sign * one[name],
                    sign * one[f"{name} seen"],
                    shapes[row.activation],
                    color="#3465a4" if label == "update" else "#cc5500",
                    fillstyle="none" if row.depth > 1 else "full",
                )
        axis.set_xscale("log")
        axis.set_yscale("log")
        low, high = axis.get_xlim()
        axis.plot([low, high], [low, high], color="#999999", lw=0.8, zorder=0)
        axis.set(title=title, xlabel="predicted", ylabel="simulated")
        axis.title.set_size(9)
    marks = [("tanh", "o"), ("softplus", "s"), ("ReLU (has kinks)", "x")]
    handles = [plt.Line2D([], [], marker=m, ls="", color="#555555", label=n) for n, m in marks]
    hollow = {"marker": "o", "ls": "", "color": "#555555", "fillstyle": "none"}
    handles.append(plt.Line2D([], [], label="two hidden layers", **hollow))
    handles += [
        plt.Line2D([], [], marker="o", ls="", color=c, label=n)
        for n, c in (("update noise", "#3465a4"), ("label noise", "#cc5500"))
    ]
    axes[0].legend(handles=handles, fontsize=7, frameon=False)
    figure.savefig(path)


if __name__ == "__main__":
    main()
