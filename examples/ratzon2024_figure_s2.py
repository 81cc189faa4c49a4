"""Figure 5, supplement 1 of Ratzon et al. (2024): label noise and update noise regularise apart.

Makes a small sweep in a few seconds. The published one takes about an hour::

    neurodrift sweep ratzon2024-label-update -o pairs.zarr
    python examples/ratzon2024_figure_s2.py pairs.zarr

Run: python examples/ratzon2024_figure_s2.py
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from neurodrift import plotting
from neurodrift.simulate.settings.sweep import read_sweep
from neurodrift.simulate.sweep import Sweep, open_sweep, run_sweep

KINDS = ("update noise", "label noise")
MEASURES = {
    "active_fraction": "active fraction",
    "fraction_active_units": "active units",
    "eig_sum": "sum of eigenvalues",
    "eig_nonzero": "non-zero eigenvalues",
}
COLUMNS = ("active_units", "active", "eig_sum", "eig_nonzero")
SMALL = {
    "n_steps": 30_000,
    "measures": 200,
    "snapshots": 31,
    "rule.update_noise": 0.1,
    "sweep.ranges": [
        {"key": "task.n_inputs", "values": [10, 20]},
        {"key": "task.n_samples", "values": [3, 5]},
        {"key": "label", "values": list(KINDS)},
        {"key": "rule.update_noise", "values": [0], "when": {"label": "label noise"}},
        {"key": "rule.label_noise", "values": [1], "when": {"label": "label noise"}},
    ],
}


def figure_s2(sweep: Sweep) -> Figure:
    """Draw mean and standard deviation over runs; every curve over its first sample."""
    table = sweep.table
    lasted = table["reason"].values == "finished"
    rows = sweep.summary()
    for kind in KINDS:
        of = lasted & (rows["label"].values == kind)
        found = {name: round(float(rows[name][of].median()), 3) for name in COLUMNS}
        print(f"{kind}: {of.sum()} runs, medians of the columns of the published tables {found}")
    figure = Figure(figsize=(8.4, 6.0), layout="constrained")
    axes = figure.subplots(2, 2).ravel()
    for letter, axis, (measure, name) in zip("ABCD", axes, MEASURES.items(), strict=True):
        curves = table[measure].load()
        step = curves.dims[-1]
        curves = curves / curves.isel({step: 0})
        lines, bands = {}, {}
        for kind in KINDS:
            of = curves.isel(run=lasted & (table["label"].values == kind))
            mean, spread = of.mean("run"), of.std("run")
            lines[kind] = mean.values
            bands[kind] = (mean - spread).values, (mean + spread).values
            ends = of.isel({step: slice(-11, -1)}).mean(step).values
            print(f"{letter}: {kind}, {name}: end {np.median(ends):.3f} (median of {ends.size})")
        label = f"{name} / first"
        log = measure == "eig_sum"
        if log:
            bands = {}  # a standard deviation may reach below 0
        plotting.plot_curves(
            table[step].values, lines, bands=bands, label=label, log_y=log, ax=axis
        )
        if not log:
            axis.set_ylim(bottom=0)
        axis.set_title(letter, loc="left", weight="bold")
    return figure


def main() -> None:
    """Read the arguments, make or open the sweep, draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("store", type=Path, nargs="?", help="sweep ratzon2024-label-update")
    parser.add_argument("--out", type=Path, default=Path("ratzon2024_figure_s2.png"))
    options = parser.parse_args()
    if options.store is None:
        options.store = Path(tempfile.mkdtemp()) / "pairs.zarr"
        run_sweep(read_sweep("ratzon2024-label-update", SMALL), options.store, workers=0)
    figure_s2(open_sweep(options.store, unfinished=True)).savefig(options.out, dpi=130)
    print(f"figure in {options.out}")


if __name__ == "__main__":
    main()
