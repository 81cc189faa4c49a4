"""Figure 4, supplement 1 of Ratzon et al. (2024): three learning rules make networks sparse.

Makes a small sweep in a few seconds. The published one takes about an hour::

    neurodrift sweep ratzon2024-random -o random.zarr
    python examples/ratzon2024_figure_s1.py random.zarr

Run: python examples/ratzon2024_figure_s1.py
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from matplotlib.figure import Figure

from neurodrift import plotting
from neurodrift.simulate.settings.sweep import read_sweep
from neurodrift.simulate.sweep import Sweep, open_sweep, run_sweep

PANELS = {
    "SED": "stochastic error descent",
    "SGD update noise": "gradient descent, update noise",
    "Adam": "Adam, no noise",
}
MEASURES = {"fraction_active_units": "active units", "active_fraction": "active fraction"}
SMALL = {
    "task": {"name": "random", "n_inputs": 10, "n_outputs": 5, "n_samples": 4},
    "n_steps": 30_000,
    "measures": 200,
    "snapshots": 2,
    "spacing": "linear",
    "hessian": None,
    "sweep.n_runs": 15,
    "sweep.ranges": [
        {"key": "label", "values": [*PANELS, "Adam"]},
        {
            "key": "rule",
            "values": [{"name": "sgd", "update_noise": 0.15}],
            "when": {"label": "SGD update noise"},
        },
        {
            "key": "rule",
            "values": [{"name": "adam", "learning_rate": 0.01}],
            "when": {"label": "Adam"},
        },
        {"key": "rule", "values": [{"name": "sed"}], "when": {"label": "SED"}},
        {"key": "seed", "integers": [0, 1000]},
    ],
}


def figure_s1(sweep: Sweep) -> Figure:
    """Draw both measures for each learning rule, and print what came of the runs."""
    rows = sweep.summary()
    words, kept = rows["label"].values, rows["kept"].values
    figure = Figure(figsize=(10.5, 5.8), layout="constrained")
    axes = figure.subplots(len(MEASURES), len(PANELS), sharex=True, sharey=True)
    for axes_row, (measure, name) in zip(axes, MEASURES.items(), strict=True):
        curves = sweep.table[measure].load()
        curves = curves / curves.isel(step=0)
        for axis, label in zip(axes_row, PANELS, strict=True):
            of = words == label
            mean = curves.isel(run=of & kept).mean("run").values if (of & kept).any() else None
            plotting.plot_runs(curves["step"].values, curves.values[of], mean=mean, ax=axis)
            axis.set_ylim(0, 1.25)
            axis.set_xlabel("")
        axes_row[0].set_ylabel(f"{name} / first sample")
    for axis, (label, name) in zip(axes[0], PANELS.items(), strict=True):
        of = words == label
        axis.set_title(f"{name}\n{of.sum()} runs, mean of {(of & kept).sum()} that lasted", size=9)
        for name in ("active_units", "active"):
            low, middle, high = rows[name][of & kept].quantile([0.25, 0.5, 0.75]).values
            print(f"{label}: final {name} {middle:.3f} [{low:.3f}, {high:.3f}], "
                  f"below 1 in {float((rows[name][of & kept] < 1).mean()):.1%}")  # fmt: skip
        print(f"{label}: {(of & kept).sum()} of {of.sum()} runs lasted")
    figure.supxlabel("training step", size=10)
    for letter, axis in zip("AB", axes[:, 0], strict=True):
        axis.text(-0.28, 1.0, letter, transform=axis.transAxes, weight="bold", size=12)
    return figure


def main() -> None:
    """Read the arguments, make or open the sweep, draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("store", type=Path, nargs="?", help="sweep ratzon2024-random")
    parser.add_argument("--out", type=Path, default=Path("ratzon2024_figure_s1.png"))
    options = parser.parse_args()
    if options.store is None:
        options.store = Path(tempfile.mkdtemp()) / "random.zarr"
        run_sweep(read_sweep("ratzon2024-random", SMALL), options.store, workers=0)
    figure_s1(open_sweep(options.store, unfinished=True)).savefig(options.out, dpi=130)
    print(f"figure in {options.out}")


if __name__ == "__main__":
    main()
