"""Figure 5 of Ratzon et al. (2024): noisy learning leads to a flat landscape.

Walks on the toy landscape, and trains pairs of small networks, which differ in the kind of noise
only. The published sweep takes about an hour::

    neurodrift sweep ratzon2024-label-update -o pairs.zarr
    python examples/ratzon2024_figure5.py pairs.zarr

Run: python examples/ratzon2024_figure5.py
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neurodrift import plotting
from neurodrift.simulate.curvature.flatness import measure_flatness_bias
from neurodrift.simulate.curvature.hessian import compute_hessian_spectrum
from neurodrift.simulate.curvature.landscape import descend, valley
from neurodrift.simulate.curvature.loss_point import LossPoint
from neurodrift.simulate.curvature.measures import compute_hessian_measures
from neurodrift.simulate.gradient.run import Run
from neurodrift.simulate.settings.sweep import read_sweep
from neurodrift.simulate.sweep import Sweep, open_sweep, run_sweep

SMALL = {
    "n_steps": 40_000,
    "measures": 200,
    "snapshots": 11,
    "spacing": "linear",
    "hessian": None,
    "rule.update_noise": 0.1,
    "sweep.ranges": [
        {"key": "task.n_inputs", "values": [10, 20]},
        {"key": "task.n_samples", "values": [3, 5, 8]},
        {"key": "label", "values": ["update noise", "label noise"]},
        {"key": "rule.update_noise", "values": [0], "when": {"label": "label noise"}},
        {"key": "rule.label_noise", "values": [1], "when": {"label": "label noise"}},
    ],
}


def toy(ax: Axes) -> None:
    """Walk on the valley x²y², and tell how strongly many walkers drift toward its flat place."""
    floor = valley()
    starts = np.full((200, 2), (1.6, 0.0))  # on the floor of the valley
    starts[0] = 1.6, 0.8  # on its side
    walks = descend(
        floor, start=starts, n_steps=6000, every=5, learning_rate=0.05, update_noise=0.3
    )
    x, y = np.linspace(-1.6, 3.6, 131), np.linspace(-1.6, 1.6, 81)
    places = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    height = floor.height(places).reshape(y.size, x.size)
    theta = walks["theta"].values
    plotting.plot_landscape(x, y, height, theta[0], ends=theta[1:, -1], ax=ax)
    ax.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    on_floor = walks.isel(walker=slice(1, None))
    bias = measure_flatness_bias(on_floor, bins=[1.0, 2.0], lag=20)
    drift, error, expected = (bias[name].item() for name in ("drift", "drift_se", "predicted"))
    middle = on_floor["distance"].median("walker").values
    print(
        f"A: median distance from the flat place {middle[0]:.2f} to {middle[-1]:.2f}; at 1 to 2 "
        f"from it, drift {drift:.1e} ± {error:.0e} a step, expected {expected:.1e}"
    )


def counts(run: Run) -> dict[str, float]:
    """Active units and share of non-zero eigenvalues at the end, by both rules."""
    last = LossPoint.from_run(run, run.snapshot_steps[-1])
    found = {"units": run.measures["fraction_active_units"].values[-1]}
    for rule in ("published_expected", "relative"):
        measures = compute_hessian_measures([last], rule=rule)
        found[rule] = measures["eig_nonzero"].item()
    return found


def spectra(run: Run, early: int, late: int) -> dict[str, np.ndarray]:
    """Eigenvalues of the Hessian above 0 at two snapshots."""
    steps = run.snapshot_steps[[early, late]]
    of = {
        f"step {step:,}": compute_hessian_spectrum(LossPoint.from_run(run, step)) for step in steps
    }
    return {name: v[v > 1e-9 * v.max()] for name, v in of.items()}


def figure5(sweep: Sweep, pair: tuple[int, int], early: int) -> Figure:
    """Draw; `pair` are the runs with update and with label noise of which spectra are shown."""
    rows = sweep.summary()
    kept = rows["run"].values[rows["reason"].values == "finished"].tolist()
    figure = Figure(figsize=(10.5, 7.2), layout="constrained")
    axes = figure.subplots(2, 2).ravel()
    toy(axes[0])
    ends = {run: counts(sweep.run(run)) for run in kept}
    points = {
        "no tolerance, as published": "published_expected",
        "tolerance 1e-9 of the largest": "relative",
    }
    units = np.array([end["units"] for end in ends.values()])
    groups = {}
    for name, rule in points.items():
        share = np.array([end[rule] for end in ends.values()])
        groups[name] = units, share
        print(f"B: {name}: r = {np.corrcoef(units, share)[0, 1]:.3f} over {units.size} runs")
    labels = {"x_label": "fraction of active units", "label": "share of eigenvalues not zero"}
    plotting.plot_points(groups, **labels, ax=axes[1])
    for panel, run, log in (("C", pair[0], True), ("D", pair[1], False)):
        found = spectra(sweep.run(run), early, -1)
        noise = rows["label"].sel(run=run).item()
        label = f"eigenvalue, {noise}"
        plotting.plot_eigenvalues(found, log=log, label=label, ax=axes["ABCD".index(panel)])
        for name, values in found.items():
            print(f"{panel}: run {run}, {noise}, {name}: {values.size} above 0, "
                  f"sum {values.sum():.3f}, sum of logs {np.log(values).sum():.1f}")  # fmt: skip
    for letter, axis in zip("ABCD", axes, strict=True):
        axis.set_title(letter, loc="left", weight="bold")
    return figure


def main() -> None:
    """Read the arguments, make or open the sweep, draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("store", type=Path, nargs="?", help="sweep ratzon2024-label-update")
    parser.add_argument("--pair", type=int, nargs=2, help="runs with update and label noise")
    parser.add_argument("--early", type=int, default=1, help="the earlier snapshot of C and D")
    parser.add_argument("--out", type=Path, default=Path("ratzon2024_figure5.png"))
    options = parser.parse_args()
    if options.store is None:
        options.store = Path(tempfile.mkdtemp()) / "pairs.zarr"
        run_sweep(read_sweep("ratzon2024-label-update", SMALL), options.store, workers=0)
    sweep = open_sweep(options.store, unfinished=True)
    words = sweep.table["label"].values
    first = (
        sweep.table["run"].values[words == kind][0] for kind in ("update noise", "label noise")
    )
    pair = tuple(options.pair) if options.pair else tuple(int(run) for run in first)
    figure5(sweep, pair, options.early).savefig(options.out, dpi=130)
    print(f"figure in {options.out}")


if __name__ == "__main__":
    main()
