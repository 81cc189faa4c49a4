"""Remapping along drift: does the code of a network hold better the longer it has drifted?

Ratzon et al. (2024) speculate that, "as the network moves to flatter areas of the loss
landscape [...], the probability for remapping given the same environmental change will
systematically decrease". Here networks learn a track with noise, and snapshots along their drift
meet changed walls, at once and after relearning. Small by default; docs/remapping.md has the
results of the study, which takes about a quarter of an hour on one core and keeps its table, from
which it can be drawn again::

    python examples/remapping.py --full --table remapping.csv
    python examples/remapping.py --from remapping.csv

Run: python examples/remapping.py
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

import neurodrift as nd
from neurodrift import plotting
from neurodrift.analysis.drift.remapping import compute_remapping
from neurodrift.simulate.curvature.hessian import compute_hessian_trace
from neurodrift.simulate.curvature.loss_point import LossPoint
from neurodrift.simulate.curvature.measures import compute_hessian_measures
from neurodrift.simulate.gradient.engine import train
from neurodrift.simulate.gradient.networks import Network
from neurodrift.simulate.gradient.perturb import moved, relearned, thinned
from neurodrift.simulate.gradient.rules import Rule
from neurodrift.simulate.gradient.run import Run
from neurodrift.simulate.gradient.tasks import PUBLISHED, Task, predictive_track
from neurodrift.simulate.gradient.track import morph_track

ARMS = {"update noise": {"update_noise": 0.03}, "label noise": {"label_noise": 1.0}, "no noise": {}}
CHANGES: dict[str, dict[str, Any]] = {
    "morph 0.1": {"level": 0.1},
    "morph 0.25": {"level": 0.25},
    "morph 0.5": {"level": 0.5},
    "morph 1": {"level": 1.0},
    "left wall": {"level": 1.0, "walls": ["left"]},
}
MAIN = "morph 0.25"
MEASURES = {
    "fraction_remapped": "maps remapped (r < .5)",
    "fraction_changed": "remapped, lost or gained",
    "fraction_turnover": "lost or gained",
    "remapping_index": "remapping index",
    "cosine_distance": "1 - cosine of population",
    "rate_change": "rate change",
}
FULL: dict[str, Any] = {
    "n_networks": 20,
    "task": PUBLISHED["predictive_track"],
    "n_steps": 200_000,
    "snapshots": [2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000],
    "relearn": 1000,
    "changes": list(CHANGES),
    "arms": list(ARMS),
    "spectra": True,
}
PAPER = FULL | {"task": {}, "arms": ["update noise"], "spectra": False}
SMALL: dict[str, Any] = {
    "n_networks": 3,
    "task": PUBLISHED["predictive_track"] | {"n_samples": 60, "n_rays": 7},
    "n_steps": 10_000,
    "snapshots": [500, 2_000, 10_000],
    "relearn": 100,
    "changes": ["morph 0.25", "morph 1"],
    "arms": ["update noise", "no noise"],
    "spectra": True,
}


def rows_of(familiar: xr.Dataset, other: xr.Dataset) -> pd.DataFrame:
    """Remapping of each snapshot, one row each, with the loss where it was recorded."""
    found = compute_remapping(
        familiar, other, pairs=[(name, name) for name in other["session"].values]
    )
    found["cosine_distance"] = 1 - found["population_vector_cosine"]
    table = found[[*MEASURES, "n_compared", "map_correlation_null"]].to_dataframe()
    table["step"], table["loss"] = found["training_step_a"].values, found["loss_b"].values
    return table.reset_index(drop=True)[["step", "loss", *MEASURES, "map_correlation_null"]]


def maps_of(run: Run) -> xr.Dataset:
    return nd.compute_rate_maps(run.recording(), binning=nd.Binning(bin_width=4.0))


def survivors(familiar: xr.Dataset) -> np.ndarray:
    """Units that are active at every snapshot."""
    return familiar["unit"].values[
        (familiar["rate"] > 0).any(("direction", "position")).all("session")
    ]


def curvature(run: Run, step: int, task: Task) -> float:
    return compute_hessian_trace(LossPoint.from_run(run, step, task=task))


def drive_change(run: Run, step: int, walls: Task) -> float:
    """Change of the summed input of active units, over its spread in the familiar environment."""
    weights = run.snapshot(step)
    drive = run.task.inputs @ weights["W"].T + weights["b"]
    active = (drive > 0).any(axis=0)
    change = (walls.inputs - run.task.inputs) @ weights["W"][active].T
    spread = drive[:, active] - drive[:, active].mean(axis=0)
    return float(np.sqrt((change**2).sum() / (spread**2).sum()))


def one_network(arm: str, number: int, size: dict[str, Any]) -> Iterator[pd.DataFrame]:
    """Train a network and tell how it remaps, one table for each change and state."""
    task = predictive_track(seed=number, **size["task"])
    run = train(
        task,
        network=Network(n_hidden=100, regime="lazy"),
        rule=Rule(**ARMS[arm]),
        n_steps=size["n_steps"],
        snapshots=size["snapshots"],
        measures=size["snapshots"],
        n_early=0,
        seed=number,
        dtype="float32",
    )
    steps = run.snapshot_steps.tolist()
    familiar = maps_of(run)
    own = pd.DataFrame({"step": steps, "change": "none", "state": "familiar"})
    own["loss"] = familiar["loss"].values
    own["active"] = run.measures["active_fraction"].sel(step=steps).values
    own["active_units"] = run.measures["fraction_active_units"].sel(step=steps).values
    own["trace"] = [curvature(run, step, task) for step in steps]
    own["nonzero"] = np.nan
    if arm == "update noise" and size["spectra"]:  # the eigenvalues themselves take seconds
        some = steps[:: max((len(steps) - 1) // 2, 1)]
        points = [LossPoint.from_run(run, step) for step in some]
        spectra = compute_hessian_measures(points, step=some)
        own["nonzero"] = own["step"].map(spectra["eig_nonzero"].to_series())
    yield own

    def against(other: Run) -> pd.DataFrame:
        return rows_of(familiar, maps_of(other))

    n = size["relearn"]
    yield against(relearned(run, task, n, n_threads=1)).assign(change="none", state="stayed")
    thin = thinned(run)
    alive = survivors(familiar)
    for change in size["changes"]:
        walls = morph_track(task, seed=number, **CHANGES[change])
        there = maps_of(moved(run, walls))
        found = rows_of(familiar, there)
        found["trace"] = [curvature(run, step, walls) for step in steps]
        found["drive_change"] = [drive_change(run, step, walls) for step in steps]
        strict = compute_remapping(familiar, there, criterion="shuffled")
        found["remapped_shuffled"] = strict["fraction_remapped"].values
        yield found.assign(change=change, state="at once")
        yield against(relearned(run, walls, n, n_threads=1)).assign(
            change=change, state="relearned"
        )
        sparse = rows_of(maps_of(thin), maps_of(moved(thin, walls)))
        yield sparse.assign(change=change, state="sparsity alone")
        if alive.size:
            some = rows_of(familiar.sel(unit=alive), there.sel(unit=alive))
            yield some.assign(change=change, state="survivors")


def study(size: dict[str, Any]) -> pd.DataFrame:
    """One row for each network, snapshot, change and state."""
    tables = []
    for arm in size["arms"]:
        for number in range(1, size["n_networks"] + 1):
            for found in one_network(arm, number, size):
                tables.append(found.assign(arm=arm, network=number))
            print(f"{arm}, network {number} of {size['n_networks']}", flush=True)
    table = pd.concat(tables, ignore_index=True)
    table["decades"] = np.log10(table["step"])
    return table


def slope(table: pd.DataFrame, y: str, x: str = "decades") -> dict[str, float]:
    """Slope on x by both methods, and the share of networks in which it falls."""
    rows = table.dropna(subset=[y, x])
    rows = rows[rows.groupby("network")[x].transform("nunique") > 2]
    if rows["network"].nunique() < 2:
        return {}
    own = [np.polyfit(r[x], r[y], 1)[0] for _, r in rows.groupby("network")]
    found = {"n": len(own), "share_falling": float(np.mean(np.array(own) < 0))}
    for method, short in (("subjects", ""), ("mixed_independent", "mixed_")):
        fit = nd.regress(rows, y, x, method=method, subject="network").sel(term=x)
        names = ("estimate", "ci_low", "ci_high", "p")
        found |= {f"{short}{name}": float(fit[name]) for name in names}
    return found


def less(table: pd.DataFrame, state: str, other: str, same: list[str]) -> pd.DataFrame:
    """What one state has more than another one, of the same network, snapshot and `same`."""
    keys = ["arm", "network", "step", "decades", *same]
    pair = [
        table[table["state"] == name].set_index(keys)[list(MEASURES)] for name in (state, other)
    ]
    if same:
        rest = pair[0] - pair[1]
        return rest.dropna().reset_index().assign(state=f"{state} less {other}")
    rows = table[table["state"] == state]
    own = rows[keys].merge(pair[1].reset_index(), on=keys, how="left")[list(MEASURES)]
    rest = rows[list(MEASURES)] - own.values
    return rows[[*keys, "change"]].join(rest).assign(state=f"{state} less {other}")


def slopes(table: pd.DataFrame) -> pd.DataFrame:
    """Change of every measure per tenfold training, for every arm, change and state."""
    keys = ["arm", "change", "state"]
    found = []
    table = pd.concat(
        [
            table,
            less(table, "relearned", "stayed", []),
            less(table, "at once", "sparsity alone", ["change"]),
        ]
    )
    for key, rows in table[table["state"] != "familiar"].groupby(keys, sort=False):
        for measure in [*MEASURES, "remapped_shuffled", "drive_change"]:
            if rows[measure].std() > 1e-9:
                found.append(dict(zip(keys, key, strict=True)) | {"measure": measure})
                found[-1] |= slope(rows, measure)
    return pd.DataFrame(found)


def beside(table: pd.DataFrame, arm: str, change: str) -> pd.DataFrame:
    """Remapping at once beside the flatness and sparsity of the same snapshot."""
    arm_rows = table[table["arm"] == arm]
    own = arm_rows[arm_rows["state"] == "familiar"].set_index(["network", "step"])
    rows = arm_rows[(arm_rows["state"] == "at once") & (arm_rows["change"] == change)]
    rows = rows.set_index(["network", "step"])
    for name in ("active", "active_units", "trace", "nonzero"):
        rows[name] = own[name]
    return rows.assign(log_trace=np.log10(rows["trace"])).reset_index()


def report(table: pd.DataFrame) -> None:
    """Print what the docs quote."""
    pd.set_option("display.width", 200, "display.max_rows", 500, "display.max_columns", 30)
    found = slopes(table)
    print("\nchange per tenfold training: mean over networks with its t interval; mixed effects")
    columns = ["estimate", "ci_low", "ci_high", "p", "mixed_estimate", "mixed_ci_low"]
    columns += ["mixed_ci_high", "share_falling", "n"]
    for measure, rows in found.groupby("measure", sort=False):
        print(f"\n{measure}: {MEASURES.get(measure, '')}")
        print(rows.set_index(["arm", "change", "state"])[columns].round(3).to_string())
    print(f"\nwithin networks, {MAIN} at once: mean coefficient over networks")
    for arm in table["arm"].unique():
        rows = beside(table, arm, MAIN)
        for measure in ("fraction_remapped", "fraction_changed", "remapping_index"):
            for x in ("log_trace", "active", "active_units", "nonzero"):
                fit = slope(rows, measure, x) if rows[x].notna().any() else {}
                if fit:
                    print(
                        f"  {arm}, {measure} on {x}: {fit['estimate']:+.3f} "
                        f"[{fit['ci_low']:+.3f}, {fit['ci_high']:+.3f}], mixed "
                        f"{fit['mixed_estimate']:+.3f} [{fit['mixed_ci_low']:+.3f}, "
                        f"{fit['mixed_ci_high']:+.3f}], below 0 in {fit['share_falling']:.2f}"
                    )
    means = table.groupby(["arm", "change", "state", "step"], sort=False)
    columns = [*MEASURES, "active", "active_units", "trace", "nonzero", "drive_change"]
    print("\nmedian loss, means of the rest, number of networks")
    shown = means[columns].mean()
    shown.insert(0, "loss", means["loss"].median())
    shown["n"] = means.size()
    print(shown.round(3).to_string())


def band(rows: pd.DataFrame, measure: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Steps, means over networks, ends of the t intervals without the networks' own levels [1].

    [1] Morey (2008), Tutor Quant Methods Psychol. https://doi.org/10.20982/tqmp.04.2.p061
    """
    from scipy.stats import t

    values = rows.pivot(index="network", columns="step", values=measure).dropna()
    n, k = values.shape
    own = values
    if values.iloc[:, 0].std() > 1e-9:  # not relative to the first snapshot already
        own = values.sub(values.mean(axis=1), axis=0) * np.sqrt(k / (k - 1))
    half = t.ppf(0.975, n - 1) * own.std(ddof=1).values / np.sqrt(n)
    mean = values.mean().values
    return values.columns.values, mean, mean - half, mean + half


def draw(ax: Any, groups: dict[str, pd.DataFrame], measure: str, **options: Any) -> None:
    curves, bands = {}, {}
    for name, rows in groups.items():
        if rows.empty:  # this arm was not made
            continue
        steps, curves[name], low, high = band(rows, measure)
        bands[name] = (low, high)
    plotting.plot_curves(steps, curves, bands=bands, log_x=True, ax=ax, **options)


def figure(table: pd.DataFrame) -> Figure:
    """Draw everything."""
    picture = Figure(figsize=(12.5, 7.4), layout="constrained")
    axes = picture.subplots(2, 3).ravel()
    noisy = table[table["arm"] == "update noise"]
    arms = [arm for arm in ARMS if arm in table["arm"].values]

    def of(state: str, change: str, arm: str = "update noise") -> pd.DataFrame:
        rows = table[(table["arm"] == arm) & (table["state"] == state)]
        return rows[rows["change"] == change]

    changes = [change for change in CHANGES if change in table["change"].values]
    at_once = {change: of("at once", change) for change in changes}
    draw(axes[0], at_once, "fraction_remapped", label="maps remapped at once (r < .5)")
    again = {change: of("relearned", change) for change in changes} | {
        "no change": of("stayed", "none")
    }
    draw(axes[1], again, "fraction_changed", label="changed after relearning, of active maps")
    states = {
        "network": of("at once", MAIN),
        "its first snapshot, made as sparse": of("sparsity alone", MAIN),
        "units active throughout": of("survivors", MAIN),
    }
    draw(axes[2], states, "fraction_changed", label=f"remapped, lost or gained ({MAIN})")
    familiar = table[table["state"] == "familiar"]
    own = familiar.groupby(["arm", "network"])[["trace", "active"]]
    relative = familiar.assign(**(familiar[["trace", "active"]] / own.transform("first")))
    by_arm = {arm: relative[relative["arm"] == arm] for arm in arms}
    groups = {
        f"{arm}: trace": rows.assign(y=np.log10(rows["trace"])) for arm, rows in by_arm.items()
    }
    sparse = by_arm["update noise"]
    groups["update noise: active fraction"] = sparse.assign(y=np.log10(sparse["active"]))
    draw(axes[3], groups, "y", label="log10 of value over the first snapshot's")
    losses = {
        "familiar": noisy[noisy["state"] == "familiar"],
        f"{MAIN}, at once": of("at once", MAIN),
        f"{MAIN}, relearned": of("relearned", MAIN),
        f"{MAIN}, at once, no noise": of("at once", MAIN, "no noise"),
    }
    losses = {n: rows.assign(log_loss=np.log10(rows["loss"])) for n, rows in losses.items()}
    draw(axes[4], losses, "log_loss", label="log10 loss in the environment")
    found = slopes(table)
    found = found[(found["measure"] == "fraction_changed") & (found["state"] == "at once")]
    lines = {}
    for arm in arms:
        rows = found[found["arm"] == arm].set_index("change").reindex(changes)
        ends = ("estimate", "ci_low", "ci_high")
        lines[arm] = tuple(rows[end].values for end in ends)
    plotting.plot_intervals(
        changes, lines, label="remapped, lost or gained, per tenfold training", ax=axes[5]
    )
    titles = (
        "update noise, at once",
        "update noise, relearned",
        "what sparsity alone does",
        "flatness and sparsity",
        "loss",
        "slopes over networks, 95 % intervals",
    )
    for axis in axes[:2]:  # between the curves
        axis.legend(ncols=2, fontsize=8, frameon=False, loc="center", bbox_to_anchor=(0.5, 0.7))
    for letter, title, axis in zip("ABCDEF", titles, axes, strict=True):
        axis.set_title(f"{letter}   {title}", loc="left", fontsize=10)
    return picture


def main() -> None:
    """Read the arguments, make or read the table, print and draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="the study of docs/remapping.md")
    parser.add_argument("--paper", action="store_true", help="the track as the paper has it")
    parser.add_argument("--networks", type=int, help="number of networks in each arm")
    parser.add_argument("--table", type=Path, help="CSV file to write the table to")
    parser.add_argument("--from", type=Path, dest="given", help="CSV file of a study made before")
    parser.add_argument("--out", type=Path, default=Path("remapping.png"))
    options = parser.parse_args()
    if options.given:
        table = pd.read_csv(options.given)
    else:
        size = PAPER if options.paper else FULL if options.full else SMALL
        table = study(size | ({"n_networks": options.networks} if options.networks else {}))
    if options.table:
        table.to_csv(options.table, index=False)
    report(table)
    figure(table).savefig(options.out, dpi=130)
    print(f"figure in {options.out}")


if __name__ == "__main__":
    main()
