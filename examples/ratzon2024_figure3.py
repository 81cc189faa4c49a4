"""Figure 3 of Ratzon et al. (2024) on other animals: active cells and information over sessions.

Every panel is one animal in one environment, every series is relative to its first session, and
the last panel is the mean over the panels. Give results that exist already, one animal each::

    neurodrift analyze mouse.zarr -o mouse_results.zarr --track 0 96 --exclude-ends 8
    python examples/ratzon2024_figure3.py mouse_results.zarr other_results.zarr

Without arguments, the mice of Sheintuch et al. (2020) are converted and analysed (some minutes) if
NEURODRIFT_DATA names a folder that holds them as sheintuch2020; otherwise synthetic mice are drawn.

Run: python examples/ratzon2024_figure3.py
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

import neurodrift as nd
from neurodrift import plotting
from neurodrift.convert import converter

SERIES = {
    "fraction_place_cells": "place cells / detected",
    "information_ssr": "information, corrected",
    "fraction_active_units": "active / detected",
}


def sheintuch2020(folder: Path) -> list[xr.DataTree]:
    """Convert, import and analyse every mouse and environment in the folder."""
    bins = nd.Binning(edges=np.arange(0, 97, 4.0), exclude_ends=8.0)
    found = []
    for mouse in sorted(path for path in folder.iterdir() if path.is_dir()):
        files = converter("sheintuch2020")(mouse, Path(tempfile.mkdtemp()))
        for environment in sorted({file.name.split("_")[2] for file in files}):
            sessions = [file for file in files if file.name.split("_")[2] == environment]
            found.append(nd.analyze(nd.import_nwb(sessions), binning=bins, n_repeats=100))
    return found


def synthetic() -> list[xr.DataTree]:
    """Analyse three made-up mice, whose cells fall silent from session to session."""
    bins = nd.Binning(edges=np.arange(0, 101, 5.0))
    mice = [
        nd.testing.linear_track(n_units=40, n_sessions=4, silencing=0.08, minutes=5, seed=seed)
        for seed in (1, 2, 3)
    ]
    return [
        nd.analyze(mouse.assign_coords(subject=f"synthetic {i}"), binning=bins, n_repeats=20)
        for i, mouse in enumerate(mice, start=1)
    ]


def relative(results: xr.DataTree) -> pd.DataFrame:
    """Each series and its standard error over cells, relative to the first session."""
    sessions = results["sessions"].to_dataset()
    table = sessions[["day", "running_speed"]].to_dataframe()
    significant = results["place_cells"]["significant"]
    for name in SERIES:
        value = sessions[name].values
        if name.startswith("information"):
            maps = results["information"]["ssr"].where(significant)
            over = ("unit", "direction")
            error = (maps.std(over, ddof=1) / np.sqrt(maps.notnull().sum(over))).values
        else:
            error = np.sqrt(value * (1 - value) / sessions["n_detected"].values)
        table[name] = value / value[0]
        table[f"{name}_error"] = error / value[0]
    return table.reset_index()


def fit_text(table: pd.DataFrame, name: str) -> tuple[tuple[float, float], str]:
    """Slope and intercept, and the slopes with and without running speed as text."""
    plain = nd.regress(table, name, "day", method="ols")
    line = tuple(float(plain["estimate"].sel(term=term)) for term in ("day", "intercept"))
    text = f"{line[0]:+.4f} a day (p = {float(plain['p'].sel(term='day')):.3f})"
    if table["running_speed"].nunique() > 1 and len(table) > 3:
        given = nd.regress(table, name, "day", covariates=["running_speed"], method="ols").sel(
            term="day"
        )
        text += f"; given speed {float(given['estimate']):+.4f} (p = {float(given['p']):.3f})"
    return line, text


def figure3(animals: dict[str, xr.DataTree]) -> Figure:
    """Draw the animals and their mean, and print the slopes."""
    tables = {name: relative(results) for name, results in animals.items()}
    columns = ["day", "running_speed", *SERIES]
    n_sessions = min(len(table) for table in tables.values())
    all_rows = pd.concat([table[columns].iloc[:n_sessions] for table in tables.values()])
    rows = all_rows.groupby(level=0)
    mean = rows.mean()
    for name in SERIES:
        mean[f"{name}_error"] = rows[name].sem()
    tables[f"mean of {len(tables)}"] = mean
    n_columns = 2 if len(tables) < 5 else 3
    n_rows = -(-len(tables) // n_columns)
    figure = Figure(figsize=(4.6 * n_columns, 3.5 * n_rows), layout="constrained")
    axes = figure.subplots(n_rows, n_columns, squeeze=False, sharey=True).ravel()
    for letter, axis, (title, table) in zip("ABCDEFGHI", axes, tables.items(), strict=False):
        fits = {}
        print(title)
        for name, label in SERIES.items():
            fits[label], text = fit_text(table, name)
            print(f"  {label}: {text}")
        series = {
            label: (table[name].values, table[f"{name}_error"].values)
            for name, label in SERIES.items()
        }
        plotting.plot_normalized(table["day"].values, series, fits=fits, x_label="day", ax=axis)
        axis.set_title(f"{letter}   {title}", loc="left", fontsize=10)
        if axis is not axes[0]:
            axis.get_legend().remove()
    for axis in axes[len(tables) :]:
        axis.remove()
    return figure


def main() -> None:
    """Read the arguments, open or make the results, draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("results", type=Path, nargs="*", help="stores of neurodrift analyze")
    parser.add_argument("--out", type=Path, default=Path("ratzon2024_figure3.png"))
    options = parser.parse_args()
    data = Path(os.environ.get("NEURODRIFT_DATA", "."), "sheintuch2020")
    if options.results:
        trees = [nd.open_results(path) for path in options.results]
    elif data.is_dir():
        trees = sheintuch2020(data)
    else:
        print("no data given: these mice are synthetic")
        trees = synthetic()
    names = [f"{tree['subject'].item()}, {tree['environment'].item()}" for tree in trees]
    figure3(dict(zip(names, trees, strict=True))).savefig(options.out, dpi=130)
    print(f"figure in {options.out}")


if __name__ == "__main__":
    main()
