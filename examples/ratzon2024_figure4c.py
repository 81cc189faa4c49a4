"""Figure 4C of Ratzon et al. (2024): sparsification in a Hebbian network of Qin et al. (2023).

Loss, active units and correlation of population vectors while a similarity-matching network learns
a ring: as published, without noise, with the noise of one plasticity alone, and with lateral
weights that may fall below 0; small and short by default. At full size, and for place cells on a
track, three seeds each (minutes)::

    python examples/ratzon2024_figure4c.py --full --runs FOLDER

Runs that stand in the folder are read from there.

Run: python examples/ratzon2024_figure4c.py
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neurodrift import detect_phases, plotting
from neurodrift.simulate.gradient.engine import sample_steps
from neurodrift.simulate.settings.kinds import read_settings
from neurodrift.simulate.store import open_measures, save_run

BORDERS = 300, 2500  # where the published figure changes its background
COLORS = "#d9694a", "#e8c24a", "#6aa86a"
SMALL = {"n_steps": 4000, "inputs.n_positions": 50, "snapshots": 2}
QUIET = {"rule.forward_noise": 0, "rule.lateral_noise": 0}
CONDITIONS: dict[str, dict[str, Any]] = {
    "noise": {},
    "no noise": QUIET,
    "noise of W alone": {"rule.lateral_noise": 0},
    "noise of M alone": {"rule.forward_noise": 0},
    "noise, M not clipped": {"rule.clip_lateral": False},
}
ACTIVE = {
    "active anywhere": "fraction_active_units",
    "peak above": "fraction_units_above_threshold",
    "active fraction": "active_fraction",
}


def measured(name: str, condition: str, seed: int, full: bool, folder: Path) -> xr.Dataset:
    """Measures of one run, from the folder if it is there."""
    path = folder / f"{name}-{condition.replace(' ', '-')}-{seed}.zarr"
    if not path.exists():
        changes = CONDITIONS[condition] | {"seed": seed} | ({} if full else SMALL)
        n_steps = int(changes.get("n_steps", 20_000))
        even = np.linspace(0, n_steps, 81 if full else 31).astype(int)
        steps = np.union1d(sample_steps(n_steps, 60 if full else 30, spacing="log"), even)
        changes["measures"] = np.union1d(steps, (100, 300, 500, 1000, 2500)).tolist()
        settings = read_settings(name, changes)
        save_run(settings.simulate(), settings, path)
    return open_measures(path)


def print_table(title: str, runs: xr.Dataset) -> None:
    """Lowest and highest value over the seeds at some steps."""
    last = int(runs["step"][-1])
    steps = [step for step in (0, 100, 300, 500, 1000, 2500, 8000) if step < last] + [last]
    nearest = runs.sel(step=steps, method="nearest")
    print(f"\n{title}, {runs.sizes['run']} seeds: lowest to highest")
    for name in ("loss", *ACTIVE.values(), "pv_correlation", "rsm_change"):
        values = nearest[name].values
        ends = zip(steps, values.min(axis=0), values.max(axis=0), strict=True)
        cells = [f"{step}: {low:.3g} to {high:.3g}" for step, low, high in ends]
        print(f"  {name:31}" + "  ".join(cells))


def print_phases(runs: xr.Dataset) -> None:
    """What the common analysis says of each run's series."""
    for run in range(runs.sizes["run"]):
        measures = ["loss", "active_fraction", "fraction_active_units"]
        found = detect_phases(runs[measures].isel(run=run))
        ends = [
            f"{end:.0f} [{low:.0f}, {high:.0f}]"
            for end, low, high in zip(
                *(found[f"change_point{part}"].values for part in ("", "_ci_low", "_ci_high")),
                strict=True,
            )
        ]
        print(f"  phases of run {run}: {found.attrs['verdict']}; borders {', '.join(ends)}")


def curves(ax: Axes, runs: dict[str, xr.DataArray], label: str) -> None:
    """Mean over the seeds by name, with the range of the seeds."""
    step = next(iter(runs.values()))["step"].values
    mean = {name: values.mean("run").values for name, values in runs.items()}
    bands = {name: (v.min("run").values, v.max("run").values) for name, v in runs.items()}
    plotting.plot_curves(step, mean, bands=bands, label=label, log_x=True, ax=ax)
    ax.set_xlim(1, step[-1])


def rows(axes: np.ndarray, task: str, runs: dict[str, xr.Dataset]) -> None:
    """One row as published, with every definition of active; one that compares the conditions."""
    noisy = runs["noise"]
    threshold = noisy.attrs["peak_threshold"]
    active = {
        name + (f" {threshold:g}" if name.endswith("above") else ""): noisy[measure]
        for name, measure in ACTIVE.items()
    }
    curves(axes[0, 0], {"noise": noisy["loss"]}, "loss")
    curves(axes[0, 1], active, "fraction")
    curves(axes[0, 2], {"noise": noisy["pv_correlation"]}, "correlation with step 0")
    measures = "loss", "fraction_active_units", "pv_correlation"
    labels = "loss", "units active anywhere", "correlation with step 0"
    for ax, measure, label in zip(axes[1], measures, labels, strict=True):
        curves(ax, {name: one[measure] for name, one in runs.items()}, label)
    free = "lower left" if task == "ring" else (0.02, 0.35)
    axes[0, 1].legend(frameon=False, fontsize=7, loc=free)
    for ax in axes[1, :2]:
        ax.get_legend().remove()
    axes[1, 2].legend(frameon=False, fontsize=7, loc="lower left")
    for ax in axes[:, 0]:
        if noisy["loss"].values[:, 0].min() > 10 * noisy["loss"].values[:, -1].max():
            ax.set_yscale("log")  # the first responses are huge
    for ax in axes[:, 1]:
        ax.set_ylim(0, 1.08)
    for ax in axes[:, 2]:
        ax.set_ylim(-0.1, 1.08)
    axes[0, 0].set_title(f"{task}, noise as published", loc="left", fontsize=9, weight="bold")
    axes[1, 0].set_title(f"{task}, every condition", loc="left", fontsize=9, weight="bold")
    if task == "ring":
        last = int(noisy["step"][-1])
        edges = [1, *BORDERS, max(last, BORDERS[1])]
        for ax in axes[0]:
            for low, high, color in zip(edges[:-1], edges[1:], COLORS, strict=True):
                ax.axvspan(low, high, color=color, alpha=0.13, linewidth=0)
            ax.set_xlim(1, last)


def main() -> None:
    """Read the arguments, make or open the runs, draw and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="published sizes, ring and track")
    parser.add_argument("--runs", type=Path, help="folder of stored runs")
    parser.add_argument("--seeds", type=int, help="number of seeds; 3, or 1 when small")
    parser.add_argument("--out", type=Path, default=Path("ratzon2024_figure4c.png"))
    options = parser.parse_args()
    folder = options.runs or Path(tempfile.mkdtemp())
    seeds = range(options.seeds or (3 if options.full else 1))
    tasks = {"ring": "qin2023-ring", "track": "qin2023-place-1d"}
    shown = tasks if options.full else {"ring": tasks["ring"]}
    figure = Figure(figsize=(10.5, 5 * len(shown)), layout="constrained")
    figure.get_layout_engine().set(wspace=0.08)  # type: ignore[union-attr]
    axes = figure.subplots(2 * len(shown), 3, squeeze=False)
    for i, (task, name) in enumerate(shown.items()):
        runs = {}
        for condition in CONDITIONS:
            made = [measured(name, condition, s, options.full, folder) for s in seeds]
            runs[condition] = xr.concat(made, "run", combine_attrs="override", join="exact")
            print_table(f"{task}, {condition}", runs[condition])
            if options.full or condition == "noise":
                print_phases(runs[condition])
        rows(axes[2 * i : 2 * i + 2], task, runs)
    for ax in axes[:-1].ravel():
        ax.set_xlabel("")
    figure.savefig(options.out, dpi=130)
    print(f"\nfigure in {options.out}")


if __name__ == "__main__":
    main()
