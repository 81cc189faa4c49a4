"""Figures of Jensen (2021): which learners keep a representation stable.

Networks learn 15 tasks on stroke digits one after the other. Figures 1 and 2 show how the response
to 4 v 5 and 1 v 7 moves in a common latent space while NCL and replay learn on; a fourth figure and
a table set all learners beside each other; figure 3 is the note's picture of a loss and its Laplace
approximation. The full size takes some 20 minutes a learner on one core::

    neurodrift catalog fetch smnist
    neurodrift sweep jensen2021 --set tasks.path=smnist -o jensen2021.zarr
    python examples/jensen2021_figures.py jensen2021.zarr

Without arguments, five small networks learn drawn digits, which need no download.

Run: python examples/jensen2021_figures.py
"""

from __future__ import annotations

import argparse
import tempfile
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import neurodrift as nd
from neurodrift import plotting
from neurodrift.simulate.continual.continual import ContinualRun
from neurodrift.simulate.curvature.laplace import (
    compute_loss_grids,
    compute_permuted_energy,
    fit_laplace,
    two_minima,
)
from neurodrift.simulate.curvature.loss_point import LossPoint
from neurodrift.simulate.gradient.engine import train
from neurodrift.simulate.gradient.tasks import random
from neurodrift.simulate.settings.kinds import read_config
from neurodrift.simulate.settings.sweep import sweep_from_values
from neurodrift.simulate.store import open_run
from neurodrift.simulate.sweep import open_sweep, run_sweep

SMALL = {
    "tasks": {"name": "drawn", "n_each": 60, "n_tasks": 4},
    "n_steps": 100,
    "batch_size": 32,
    "n_fisher": 128,
    "n_test": 100,
}
PROBES = {"4 v 5": 2, "1 v 7": 3}  # the tasks of the note and their numbers
TITLES = {"ncl": "NCL", "replay": "replay", "ewc": "EWC", "kfac": "KFAC", "sgd": "plain SGD"}


def small_runs() -> list[ContinualRun]:
    """One seed of each learner on drawn digits."""
    values, source = read_config("jensen2021")
    ranges = [one for one in values["sweep"]["ranges"] if one["key"] == "learner"]
    config = sweep_from_values(values | SMALL | {"sweep": {"ranges": ranges}}, source)
    with tempfile.TemporaryDirectory() as folder:
        return opened(run_sweep(config, Path(folder) / "sweep.zarr", workers=0))


def opened(store: Path, tasks_path: Path | None = None) -> list[ContinualRun]:
    """The runs of a sweep, or the run of a store."""
    changes = None if tasks_path is None else {"tasks.path": str(tasks_path)}
    if (store / "measures").exists():
        return [open_run(store, changes)]
    sweep = open_sweep(store)
    return [sweep.run(run, changes) for run in sweep.table["run"].values.tolist()]


def setting(run: ContinualRun) -> str:
    """Learner with its rate, the strength of its penalty and the trials of a step."""
    options = run.learner
    penalty = f", λ {options['strength']:g}" if "strength" in options else ""
    batch = run.measures.attrs["batch_size"]
    return f"{TITLES[options['name']]}, γ {options['learning_rate']:g}{penalty}, batch {batch}"


def stability(run: ContinualRun, probe: str) -> xr.Dataset:
    """Stability of the response to a task against that just after it was learned."""
    recording = run.recording(probe)
    return nd.compute_representation_stability(
        recording, reference=f"after task {PROBES[probe]}"
    ).isel(session_a=0)


def table(runs: list[ContinualRun]) -> pd.DataFrame:
    """One row for each run: accuracy after the last task, stability of both responses."""
    rows = []
    for run in runs:
        last = run.measures.isel(snapshot=-1)
        row = {
            "learner": setting(run),
            "seed": run.seed,
            "accuracy just learned": float(np.diag(run.measures["accuracy"][1:]).mean()),
            "accuracy at the end": float(last["accuracy"].mean()),
            "with noise at the end": float(last["accuracy_with_noise"].mean()),
        }
        moved = run.weight_change()
        for probe, k in PROBES.items():
            found = stability(run, probe).isel(session_b=-1)
            r_squared = float(found["r_squared"])
            row[f"r² {probe}"] = r_squared
            row[f"R² {probe}"] = float(found["determination"])
            row[f"r² a unit {probe}"] = float(found["mean_unit_r_squared"])
            row[f"|Δθ| {probe}"] = moved[k, -1]
            row[f"(1 - r²) / |Δθ| {probe}"] = (1 - r_squared) / moved[k, -1]
        rows.append(row)
    return pd.DataFrame(rows)


def between_runs(runs: list[ContinualRun]) -> pd.DataFrame:
    """How alike the responses of different networks are: what complete drift would leave."""
    rows = []
    for probe in PROBES:
        last = []
        for run in runs:
            recording = run.recording(probe)
            last.append(recording["activity"].values[nd.slice_sessions(recording)[-1]])
        for j, i in combinations(range(len(runs)), 2):
            if setting(runs[i]) != setting(runs[j]):
                continue
            both = nd.recording_from_arrays(
                [last[j], last[i]],
                kind="activation",
                frame_duration=1.0,
                session=["one", "other"],
            )
            found = nd.compute_representation_stability(both).sel(
                session_a="one", session_b="other"
            )
            same = np.allclose(runs[i].weights["W"][0], runs[j].weights["W"][0])
            rows.append(
                {
                    "learner": setting(runs[i]),
                    "task": probe,
                    "seeds": f"{runs[j].seed} and {runs[i].seed}",
                    "first weights": "same" if same else "other",
                    "r²": float(found["r_squared"]),
                }
            )
    return pd.DataFrame(rows)


def chosen_tasks(n_tasks: int, k: int, n: int) -> np.ndarray:
    """At most n task numbers: the first, and from k to the last."""
    later = np.linspace(k, n_tasks, min(n - 1, n_tasks - k + 1)).round().astype(int)
    return np.unique(np.append(later, 1))


def latent_figure(run: ContinualRun, n_columns: int = 7) -> Figure:
    """Paths of both classes through the space fitted when the task had been learned."""
    figure = Figure(figsize=(1.75 * n_columns + 0.5, 4.8), layout="constrained")
    grid = figure.subplots(len(PROBES), n_columns, squeeze=False)
    n_tasks = len(run.measures["snapshot"]) - 1
    for row, (probe, k) in zip(grid, PROBES.items(), strict=True):
        recording = run.recording(probe)
        space = nd.fit_latent_space(recording, f"after task {k}")
        paths = nd.compute_latent_trajectories(recording, space)
        r_squared = stability(run, probe)["r_squared"].values
        shown = chosen_tasks(n_tasks, k, n_columns)
        titles = [f"{'■ ' if j == k else ''}k = {j}\nr² = {r_squared[j]:.2f}" for j in shown]
        plotting.plot_trajectory_row(
            paths["trajectory"].values[shown],
            titles,
            n_trials=paths["n_trials"].values[shown],
            names=probe.split(" v "),
            axes=list(row[: len(shown)]),
        )
        for axis in row[len(shown) :]:
            axis.remove()
        row[0].set_ylabel(f"{probe}\nfactor 2")
    figure.suptitle(f"{setting(run)}, seed {run.seed}: after task k", fontsize=11)
    return figure


def course_figure(runs: list[ContinualRun]) -> Figure:
    """Stability and accuracy of both tasks while further ones are learned, mean over seeds."""
    learners = list(dict.fromkeys(setting(run) for run in runs))
    figure = Figure(figsize=(2.3 * len(learners) + 1, 4.8), layout="constrained")
    grid = figure.subplots(len(PROBES), len(learners), squeeze=False, sharex=True, sharey=True)
    for row, (probe, k) in zip(grid, PROBES.items(), strict=True):
        for axis, learner in zip(row, learners, strict=True):
            found = [stability(run, probe) for run in runs if setting(run) == learner]
            names = {"r² of all units": "r_squared", "r² a unit": "mean_unit_r_squared"}
            plotting.plot_stability(
                np.arange(found[0].sizes["session_b"]),
                {
                    text: np.nanmean([one[name].values for one in found], axis=0)
                    for text, name in names.items()
                },
                accuracy=np.mean([one["accuracy_b"].values for one in found], axis=0),
                reference=k,
                chance=0.5,
                x_label="task k",
                label=f"{probe} against k = {k}",
                ax=axis,
            )
            axis.set_title(learner.replace(", ", "\n", 1) if axis in grid[0] else "", fontsize=9)
            if axis is not row[0]:
                axis.set_ylabel("")
            axis.get_legend().remove()
    handles, texts = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, texts, loc="outside upper center", ncols=2, frameon=False)
    return figure


def laplace_figure() -> Figure:
    """A loss with two minima, its approximation at one of them, and permuted networks."""
    side = np.linspace(-2, 2, 161)
    landscape = two_minima()
    here = np.array([-1.0, 0.0])
    grids = compute_loss_grids(landscape, fit_laplace(landscape, here), side, side)
    figure = Figure(figsize=(10.6, 3.4), layout="constrained")
    axes = figure.subplots(1, 3, width_ratios=(1, 1, 1.2))
    titles = {"true_loss": "A   true loss of task 1", "laplace_loss": "B   Laplace approximation"}
    for axis, (name, title) in zip(axes[:2], titles.items(), strict=True):
        picture = axis.contourf(
            side, side, grids[name].values, levels=np.linspace(0, 3, 25), extend="max"
        )
        axis.plot([-1, 1], [0, 0], "o", color="white", markeredgecolor="black")
        axis.plot(*here, "o", color="black")
        axis.set_title(title, loc="left", fontsize=10)
        axis.set_xlabel("parameter 1")
        axis.set_ylabel("parameter 2" if axis is axes[0] else "")
    figure.colorbar(picture, ax=axes[1], label="loss", ticks=[0, 1, 2, 3])
    permuted_panel(axes[2])
    return figure


def permuted_panel(axis: Axes) -> None:
    """The note's argument on a trained network: permuted units leave its true loss as it is."""
    run = train(random(), n_steps=20_000, snapshots=2, measures=2)
    end = LossPoint.from_run(run, 20_000)
    numbers = [2, 5, 10, 25, 50, 100]
    found = [compute_permuted_energy(end, n_permuted=n, n_repeats=50) for n in numbers]
    scale = found[0].attrs["loss_of_mean"]
    for name, text in {"loss": "true loss", "laplace_loss": "Laplace approximation"}.items():
        axis.plot(numbers, [float(one[name].median()) / scale for one in found], "o-", label=text)
    axis.set_xscale("log")
    axis.set_xlabel("units that change places, of 100")
    axis.set_ylabel("loss / loss of a constant output")
    axis.set_title("C   a trained network, permuted", loc="left", fontsize=10)
    axis.legend(frameon=False, fontsize=8)


def main() -> None:
    """Read the arguments, open or make the runs, print the tables, draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("runs", type=Path, nargs="*", help="sweeps, or single runs")
    parser.add_argument("--tasks-path", type=Path, help="where the stroke digits are now")
    parser.add_argument("--out", type=Path, default=Path(), help="folder of the figures")
    options = parser.parse_args()
    if options.runs:
        runs = [run for store in options.runs for run in opened(store, options.tasks_path)]
    else:
        print("no runs given: these networks are small and learn drawn digits")
        runs = small_runs()
    for run in runs:
        if run.reason != "finished":
            print(f"left out: {run.learner['name']}, seed {run.seed}: {run.reason}")
    runs = [run for run in runs if run.reason == "finished"]
    rows = table(runs)
    numbers = rows.columns[2:]
    pd.set_option("display.width", 160, "display.max_columns", 20)
    means = rows.groupby("learner", sort=False)[list(numbers)]
    print(means.mean().T.round(4).to_string())
    if rows.groupby("learner").size().max() > 1:
        print("\nstandard deviation over seeds")
        print(means.std().T.round(4).to_string())
    options.out.mkdir(parents=True, exist_ok=True)
    rows.to_csv(options.out / "jensen2021_learners.csv", index=False)
    replays = [run for run in runs if run.learner["name"] == "replay"]
    if len(replays) > 1:
        print("\nreplay against replay after the last task")
        print(between_runs(replays).round(3).to_string(index=False))
    figures = {"learners": course_figure(runs), "figure3": laplace_figure()}
    for name, learner in {"figure1": "ncl", "figure2": "replay"}.items():
        first = next((run for run in runs if run.learner["name"] == learner), None)
        if first is not None:
            figures[name] = latent_figure(first)
    for name, figure in figures.items():
        path = options.out / f"jensen2021_{name}.png"
        figure.savefig(path, dpi=130)
        print(f"{name} in {path}")


if __name__ == "__main__":
    main()
