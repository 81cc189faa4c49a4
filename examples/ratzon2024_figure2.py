"""Figure 2 of Ratzon et al. (2024): a network on a track becomes sparse long after it has learned.

Trains a small network for a few seconds and draws loss, information, active units, rate maps at
four times and their correlations. The published size takes some minutes::

    neurodrift sweep ratzon2024-track -o track.zarr
    python examples/ratzon2024_figure2.py track.zarr --run 0

Run: python examples/ratzon2024_figure2.py
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

import neurodrift as nd
from neurodrift import plotting
from neurodrift.simulate.gradient.run import Run
from neurodrift.simulate.settings.kinds import read_settings
from neurodrift.simulate.sweep import open_sweep

# weaker only in size; more noise, because the time to become sparse falls with its square
SMALL = {"network.n_hidden": 100, "rule.update_noise": 0.05, "n_steps": 40_000, "snapshots": 11}
BINS = nd.Binning(bin_width=2.24)  # as published: 50 for each direction, some without a sample
WIDE_BINS = nd.Binning(bin_width=4.48)  # for pictures
SMOOTHING = 6 * 2.24  # cm, as published
LOOK = ("loss", "fraction_active_units", "active_fraction")


def round_trip(rate: xr.DataArray) -> xr.DataArray:
    """Maps along a whole lap: back (negative positions), then out."""
    back = rate.sel(direction=-1, drop=True).isel(position=slice(None, None, -1))
    back = back.assign_coords(position=np.arange(back.sizes["position"]), x_bin=-back["x_bin"])
    out = rate.sel(direction=1, drop=True)
    out = out.assign_coords(position=out["position"] + back.sizes["position"])
    return xr.concat([back, out], dim="position")


def figure2(run: Run, four: list[int], log: bool) -> Figure:
    """Draw a run; `four` are the training steps whose maps are shown."""
    recording = run.recording()
    maps = nd.compute_rate_maps(recording, binning=BINS)
    units = nd.detect_informative_units(maps)
    smooth = maps.assign(rate=nd.smooth_maps(maps["rate"], SMOOTHING))
    similarity = nd.compute_drift(
        smooth, units="both", place_cells=units["is_informative"], n_repeats=0, per_unit=False
    )["rate_map_correlation"]
    information = units["information"].where(units["is_informative"]).mean("unit")
    step, snapshot = run.measures["step"].values, recording["training_step"].values

    figure = Figure(figsize=(11.5, 8.0), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.6))
    curves, pairs = left.subfigures(2, 1, height_ratios=(1.25, 1))
    top, middle = curves.subplots(2, 1)
    loss = {"loss": run.measures["loss"].values}
    plotting.plot_curves(step, loss, label="loss / variance", log_x=log, log_y=True, ax=top)
    top.axhline(1, color="0.6", linewidth=1)
    corner = {"xycoords": ("axes fraction", "data"), "ha": "right", "va": "bottom"}
    top.annotate("mean of the targets", (1, 1), fontsize=8, color="0.4", **corner)
    sparse = {
        "active units": run.measures["fraction_active_units"].values,
        "active fraction": run.measures["active_fraction"].values,
    }
    red = {"active units": plotting.PALETTE[1], "active fraction": plotting.PALETTE[4]}
    plotting.plot_curves(step, sparse, colors=red, label="fraction", log_x=log, ax=middle)
    middle.set_ylim(0, 1.02)
    middle.legend(frameon=False, fontsize=8, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1))
    beside, blue = middle.twinx(), plotting.PALETTE[0]
    seen = snapshot > 0 if log else snapshot >= 0
    beside.plot(snapshot[seen], information.values[seen], "o-", color=blue, markersize=3)
    beside.set_ylabel("spatial information [bit]", color=blue)
    beside.spines["top"].set_visible(False)
    names = [f"{value / 1000:g}k" if value >= 1000 else str(value) for value in snapshot]
    matrix = similarity.assign_coords(session_a=names, session_b=names)
    bottom = plotting.plot_drift_matrix(matrix, ax=pairs.subplots())
    bottom.set(xlabel="training step", ylabel="training step")

    lap = round_trip(
        nd.compute_rate_maps(recording, binning=WIDE_BINS, smoothing=SMOOTHING)["rate"]
    )
    sessions = [f"step {value}" for value in four]
    orders = {name: nd.order_by_peak(lap.sel(session=name)) for name in sessions}
    where = "position [cm], negative on the way back"
    plotting.plot_sorted_maps(lap, orders, x_label=where, figure=right)
    for letter, axis in zip("BCE", (top, middle, bottom), strict=True):
        axis.set_title(letter, loc="left", weight="bold")
    right.text(0.0, 0.99, "D", weight="bold", fontsize=12, va="top")

    columns = {
        name: run.measures[name].sel(step=snapshot, method="nearest").values for name in LOOK
    }
    columns |= {"information": information.values, "r to the last": similarity.values[:, -1]}
    print(pd.DataFrame(columns, index=snapshot).to_string(float_format="%.3f"))
    return figure


def main() -> None:
    """Read the arguments, make or open the run, draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("store", type=Path, nargs="?", help="track.zarr from neurodrift sweep")
    parser.add_argument("--run", type=int, default=0, help="which run of the store")
    parser.add_argument("--steps", type=int, nargs=4, help="snapshots whose maps are drawn")
    parser.add_argument("--log-steps", action="store_true", help="logarithmic axis of steps")
    parser.add_argument("--out", type=Path, default=Path("ratzon2024_figure2.png"))
    options = parser.parse_args()
    if options.store is None:
        run = read_settings("ratzon2024-track", SMALL).simulate()
    else:
        run = open_sweep(options.store, unfinished=True).run(options.run)
    snapshots = run.snapshot_steps
    four = options.steps or snapshots[np.linspace(1, snapshots.size - 1, 4).round().astype(int)]
    figure2(run, list(four), options.log_steps).savefig(options.out, dpi=130)
    print(f"figure in {options.out}")


if __name__ == "__main__":
    main()
