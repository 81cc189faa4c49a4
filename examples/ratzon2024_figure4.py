"""Figure 4 of Ratzon et al. (2024): sparsification in all runs, and how noise sets its pace.

Makes two small sweeps in a few seconds. The published ones take about an hour each::

    neurodrift sweep ratzon2024-random -o random.zarr
    neurodrift sweep ratzon2024-noise -o noise.zarr
    python examples/ratzon2024_figure4.py --random random.zarr --noise noise.zarr

With NEURODRIFT_DATA set to a folder that holds driftreg/SGD_update_noise.csv, the published table
is drawn beside ours. Panel C, another group's model, is not drawn.

Run: python examples/ratzon2024_figure4.py
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from neurodrift import plotting
from neurodrift.simulate.curvature.timescale import estimate_sparsification_time
from neurodrift.simulate.settings.sweep import read_sweep
from neurodrift.simulate.sweep import Sweep, open_sweep, run_sweep

SMALL = {"n_steps": 20_000, "measures": 200, "snapshots": 2, "spacing": "linear", "hessian": None}
SMALL_RANDOM = SMALL | {
    "sweep.n_runs": 12,
    "sweep.ranges": [
        {"key": "label", "values": ["SGD update noise"]},
        {"key": "task.n_samples", "integers": [2, 10]},
        {"key": "task.n_inputs", "integers": [5, 19]},
        {"key": "rule.update_noise", "log": [0.05, 0.2], "n": 50},
        {"key": "seed", "integers": [0, 1000]},
    ],
}
SMALL_NOISE = SMALL | {"sweep.ranges": [{"key": "rule.update_noise", "log": [0.05, 0.2], "n": 8}]}


def opened(store: Path | None, name: str, small: dict) -> Sweep:
    """Return the store, or a small sweep of the same kind."""
    if store is None:
        store = Path(tempfile.mkdtemp()) / f"{name}.zarr"
        run_sweep(read_sweep(name, small), store, workers=0)
    return open_sweep(store, unfinished=True)


def relative(sweep: Sweep, measure: str) -> xr.DataArray:
    """Curves over their first sample."""
    curves = sweep.table[measure].load()
    return curves / curves.isel(step=0)


def published_series() -> pd.DataFrame | None:
    """Table of the paper's noise series, where there is one."""
    table = Path(os.environ.get("NEURODRIFT_DATA", "."), "driftreg", "SGD_update_noise.csv")
    return pd.read_csv(table) if table.exists() else None


def print_matched(rows: xr.Dataset, published: pd.DataFrame) -> None:
    """Say how our runs differ from those of the table with the same task and noise."""
    names = ["task.name", "rule.update_noise", "active_units", "active", "log_tau", "loss"]
    ours = rows.isel(run=rows["kept"].values)[names].to_dataframe().reset_index(drop=True)
    ours = ours.rename(columns={"task.name": "data_type"})
    ours["noise"] = ours.pop("rule.update_noise").round(6)
    table = published.assign(noise=published["update_noise"].round(6))
    pairs = ours.merge(table, on=["data_type", "noise"], suffixes=("", "_published"))
    for name in names[2:]:
        both = pairs[(pairs["log_tau"] < 0) & (pairs["log_tau_published"] < 0)]
        gap = (both[name] - both[f"{name}_published"]).groupby(both["data_type"])
        found = gap.describe()[["count", "25%", "50%", "75%"]].round(3)
        print(f"{name}, ours - published by the same rule, same task and noise")
        print(found.to_string())


def figure4(random: Sweep, noise: Sweep) -> Figure:
    """Draw both sweeps and print what came out."""
    figure = Figure(figsize=(10.5, 6.4), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.15))
    all_runs = left.subplots()
    top, bottom = right.subplots(2, 1, sharex=True)

    table = random.summary()
    rules = table["label"].values != "SGD label noise"
    whole = rules & table["kept"].values
    curves = relative(random, "fraction_active_units")
    mean = curves.isel(run=whole).mean("run").values
    step = curves["step"].values
    label = "active units / first sample"
    plotting.plot_runs(step, curves.values[rules], mean=mean, label=label, ax=all_runs)
    all_runs.set_title(f"A   {rules.sum()} runs, mean of the {whole.sum()} that lasted", loc="left")
    lower = (table["active_units"].values < 1)[whole]
    print(f"A: {whole.sum()} of {rules.sum()} runs lasted, {lower.mean():.1%} of them end below 1")

    rows = noise.summary()
    times = estimate_sparsification_time(noise.table["fraction_active_units"].load(), n_units=100)
    sigma, tasks = rows["rule.update_noise"].values, rows["task.name"].values
    kept, fitted = rows["kept"].values, times["status"].values == "fitted"
    units, pace, bars = {}, {}, {}
    for task in dict.fromkeys(tasks):
        lasted, found = (tasks == task) & kept, (tasks == task) & fitted
        units[task] = sigma[lasted], rows["active_units"].values[lasted]
        pace[task] = sigma[found], times["timescale"].values[found]
        bars[task] = tuple(times[f"timescale_{end}"].values[found] for end in ("low", "high"))
        slope = np.polyfit(*np.log10(pace[task]), 1)[0] if found.sum() > 2 else np.nan
        middle = np.median(rows["active"].values[lasted])
        print(
            f"B: {task}: {lasted.sum()} of {(tasks == task).sum()} runs lasted, medians of the "
            f"final active units {np.median(units[task][1]):.3f} and active fraction "
            f"{middle:.3f}; time ~ noise^{slope:.2f} ({found.sum()} runs)"
        )
    published = published_series()
    if published is not None:
        fits = published[published["log_tau"] < 0]
        units["published"] = published["update_noise"], published["active_units"]
        pace["published"] = fits["update_noise"], 10 ** -fits["log_tau"]
        print_matched(rows, published)
    common = {"hollow": ("published",), "log_x": True}
    plotting.plot_points(units, label="final active units / first", ax=top, **common)
    plotting.plot_points(
        pace,
        errors=bars,
        log_y=True,
        x_label="standard deviation of the update noise",
        label="time to become sparse [steps]",
        ax=bottom,
        **common,
    )
    if bottom.get_legend() is not None:
        bottom.get_legend().remove()
    top.set_ylim(bottom=0)
    top.set_title("B", loc="left", weight="bold")
    return figure


def main() -> None:
    """Read the arguments, make or open the sweeps, draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--random", type=Path, help="sweep ratzon2024-random")
    parser.add_argument("--noise", type=Path, help="sweep ratzon2024-noise")
    parser.add_argument("--out", type=Path, default=Path("ratzon2024_figure4.png"))
    options = parser.parse_args()
    random = opened(options.random, "ratzon2024-random", SMALL_RANDOM)
    noise = opened(options.noise, "ratzon2024-noise", SMALL_NOISE)
    figure4(random, noise).savefig(options.out, dpi=130)
    print(f"figure in {options.out}")


if __name__ == "__main__":
    main()
