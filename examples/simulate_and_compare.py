"""A simulated network beside a mouse: the same analysis, phases, comparison and report for both.

Trains a small network on a track and lays a synthetic mouse beside it. For animals of your own give
what `neurodrift analyze` made of them; they become one side, and the runs of a sweep the other::

    neurodrift sweep ratzon2024-track -o track.zarr
    python examples/simulate_and_compare.py mouse_results.zarr more_results.zarr --track track.zarr

Run: python examples/simulate_and_compare.py
"""

from __future__ import annotations

import argparse
from pathlib import Path

import xarray as xr
from matplotlib.figure import Figure

import neurodrift as nd
from neurodrift import plotting
from neurodrift.analysis.phases.phases import detect_phases
from neurodrift.report import write_report
from neurodrift.simulate.settings.kinds import read_settings
from neurodrift.simulate.sweep import open_sweep

SMALL = {"network.n_hidden": 100, "rule.update_noise": 0.05, "n_steps": 30_000, "snapshots": 7}
SIMULATION = {"binning": nd.Binning(bin_width=4.48), "smoothing": 6 * 2.24}  # nearly as published


def simulated(store: Path | None) -> list[xr.DataTree]:
    """Analyse every run of a sweep of track runs, or one small run that is made here."""
    if store is None:
        recordings = [read_settings("ratzon2024-track", SMALL).simulate().recording()]
    else:
        recordings = list(open_sweep(store))
    return [nd.analyze(recording, **SIMULATION) for recording in recordings]


def animals(stores: list[Path]) -> list[xr.DataTree]:
    """Open the results of animals, or analyse a synthetic mouse."""
    if stores:
        return [nd.open_results(store) for store in stores]
    print("no animal given: this mouse is synthetic")
    mouse = nd.testing.linear_track(n_units=60, n_sessions=5, silencing=0.06, drift=0.1, seed=1)
    mouse = mouse.assign_coords(subject="synthetic mouse")
    return [nd.analyze(mouse, binning=nd.Binning(bin_width=5.0), n_repeats=30)]


def draw(comparison: xr.Dataset) -> Figure:
    """Draw measures over the way, similarity against lag, and which statements hold."""
    figure = Figure(figsize=(11, 7), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=(1, 1.05))
    panels = top.subplots(1, 3)
    for axis, measure in zip(panels, ("fraction_active_units", "information"), strict=False):
        plotting.plot_series_beside(comparison, measure, ax=axis)
    plotting.plot_lag_beside(comparison, ax=panels[2])
    plotting.plot_statements(comparison, ax=bottom.subplots())
    return figure


def main() -> None:
    """Read the arguments, analyse, compare, draw and write the report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("results", type=Path, nargs="*", help="of animals, from neurodrift analyze")
    parser.add_argument("--track", type=Path, help="sweep of track runs")
    parser.add_argument("--out", type=Path, default=Path(), help="folder for figure and report")
    options = parser.parse_args()
    sides = {"network": simulated(options.track), "mouse": animals(options.results)}
    for name, trees in sides.items():
        for tree in trees:
            found = detect_phases(tree)
            print(f"{name}, {tree['subject'].item()}: {found.attrs['verdict']}")
    comparison = nd.compare(*sides.values(), names=list(sides))
    verdicts = comparison["statement_verdict"].stack(column=("side", "adjustment"))
    print(verdicts.to_pandas().to_string())
    draw(comparison).savefig(options.out / "simulate_and_compare.png", dpi=130)
    trees = {f"{name} {i}": tree for name, many in sides.items() for i, tree in enumerate(many, 1)}
    report = options.out / "simulate_and_compare.html"
    write_report(trees, report, comparison=comparison, overwrite=True)
    print(f"figure and report in {options.out.resolve()}")


if __name__ == "__main__":
    main()
