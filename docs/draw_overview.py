"""Draw docs/images/overview.png: what the README shows first, of a made mouse whose truth is known.

python docs/draw_overview.py
"""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import neurodrift as nd
from neurodrift import testing

MOUSE = {"n_units": 150, "n_sessions": 6, "drift": 0.15, "silencing": 0.06, "tuned": 0.7}
OUT = Path(__file__).parent / "images" / "overview.png"


def main() -> None:
    """Analyse the mouse and draw maps of all sessions, the decay of similarity, active cells."""
    mouse = testing.linear_track(**MOUSE, minutes=12, detection=0.9, seed=2)
    results = nd.analyze(mouse, bin_width=4.0, n_repeats=50)
    maps = results["smoothed_maps"]["rate"].sel(direction=1)
    cells = results["place_cells"]["significant"].sel(direction=1)
    chosen = np.flatnonzero(cells.isel(session=0) & maps.notnull().all(("session", "position")))
    peak = maps.isel(session=0, unit=chosen).argmax("position").values
    order = chosen[np.argsort(peak, kind="stable")]

    figure = plt.figure(figsize=(11, 3.6), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=[2.1, 1])
    axes = left.subplots(1, mouse.sizes["session"], sharey=True)
    for axis, session in zip(axes, maps["session"].values, strict=True):
        rate = maps.sel(session=session).isel(unit=order).transpose("unit", "position").values
        shown = rate / np.maximum(rate.max(axis=1, keepdims=True), 1e-9)
        axis.imshow(shown, aspect="auto", cmap="viridis", extent=(0, 100, len(order), 0))
        axis.set_title(f"day {float(maps['day'].sel(session=session)):g}", fontsize=9)
        axis.set_xticks([0, 100])
        axis.set_xlabel("cm", fontsize=8, labelpad=-6)
        axis.tick_params(labelsize=8)
    axes[0].set_ylabel(f"{len(order)} place cells, in the order of day 0", fontsize=9)
    left.suptitle("Rate maps of the same cells over ten days", fontsize=10, x=0.02, ha="left")

    upper, lower = right.subplots(2, 1)
    pairs = results["session_drift"]
    lag = pairs["lag_day"].values
    measured = pairs["rate_map_correlation"].values
    ceiling = np.diag(measured)
    days = np.unique(lag[lag > 0])
    mean = np.array([np.nanmean(measured[lag == day]) for day in days])
    upper.plot([0, days[-1]], [np.nanmean(ceiling)] * 2, "--", color="0.5", lw=1)
    upper.annotate(
        "noise ceiling: two halves of a day", (0.3, np.nanmean(ceiling) + 0.04), fontsize=7
    )
    upper.plot(days, mean, "o-", ms=4, color="C0")
    upper.set(ylim=(0, 1), xlabel="days between", ylabel="map correlation")
    table = results["sessions"]
    truth = testing.linear_track_truth(**MOUSE, seed=2)["is_active"].mean("unit")
    lower.plot(table["day"], 100 * table["fraction_active_units"], "o-", ms=4, label="measured")
    lower.plot(table["day"], 100 * truth, "k:", lw=1, label="truth")
    lower.set(ylim=(0, 105), xlabel="day", ylabel="active cells [%]")
    lower.legend(fontsize=7, frameon=False, loc="lower left")
    for axis in (upper, lower):
        axis.spines[["top", "right"]].set_visible(False)
        axis.xaxis.label.set_size(8)
        axis.yaxis.label.set_size(8)
        axis.tick_params(labelsize=8)
    figure.savefig(OUT, dpi=150)
    print(f"{OUT}: {OUT.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
