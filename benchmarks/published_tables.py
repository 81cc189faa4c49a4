"""Sweeps beside the published tables of Ratzon, Derdikman and Barak (2024).

Prints, as Markdown, what `docs/published-runs.md` shows: for each group of runs the published
table beside ours, with the published rule of collection and with every run. The stores are made by

    neurodrift sweep ratzon2024-noise -o noise.zarr
    neurodrift sweep ratzon2024-label-update -o pairs.zarr
    neurodrift sweep ratzon2024-random --set sweep.n_runs=160 -o random.zarr

The published tables are All.csv and SGD_update_noise.csv of github.com/Aviv-Ratzon/DriftReg, in the
folder `--published` (`$NEURODRIFT_DATA/driftreg` or `../shared/data/driftreg`); without them only
our side is shown.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from neurodrift.simulate.curvature.loss_point import LossPoint
from neurodrift.simulate.curvature.measures import compute_hessian_measures
from neurodrift.simulate.gradient.tasks import TASKS
from neurodrift.simulate.settings.sweep import read_sweep
from neurodrift.simulate.sweep import Sweep, open_sweep, run_sweep

NAMES = {"RLgrad": "SED", "Adam": "Adam", "SGD": "SGD"}
HIGH = 10.0  # normalised loss above which the published code stops a run
MEASURES = ("active_units", "active", "log_tau", "eig_nonzero", "eig_sum")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--noise", type=Path, help="store of ratzon2024-noise")
    parser.add_argument("--pairs", type=Path, help="store of ratzon2024-label-update")
    parser.add_argument("--random", type=Path, help="store of ratzon2024-random")
    default = Path(os.environ.get("NEURODRIFT_DATA", "../shared/data")) / "driftreg"
    parser.add_argument("--published", type=Path, default=default)
    parser.add_argument("--unfinished", action="store_true", help="take sweeps under way as well")
    parser.add_argument("--small", action="store_true", help="make small sweeps first")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.small:
            _make_small(options, Path(folder))
        published = _published(options.published)
        if published is None:
            print(f"(no published tables in {options.published})\n")
        elif not options.small:
            print(value_ranges(published))
        if options.noise:
            sweep = open_sweep(options.noise, unfinished=options.unfinished)
            print(noise_series(sweep, published))
        if options.pairs:
            sweep = open_sweep(options.pairs, unfinished=options.unfinished)
            print(pairs(sweep, published))
        if options.random:
            sweep = open_sweep(options.random, unfinished=options.unfinished)
            print(random_ranges(sweep, published))


def _make_small(options: argparse.Namespace, folder: Path) -> None:
    quick = {"n_steps": 500, "measures": 101, "snapshots": 3, "hessian": "relative"}
    for name, key in (("noise", "noise"), ("pairs", "label-update"), ("random", "random")):
        changes = quick | ({"sweep.n_runs": 8} if name == "random" else {})
        config = read_sweep(f"ratzon2024-{key}", changes)
        few = replace(config, runs=config.runs[:8])
        setattr(options, name, run_sweep(few, folder / f"{name}.zarr", workers=0))


def _published(folder: Path) -> pd.DataFrame | None:
    if not folder.is_dir():
        return None
    series = pd.read_csv(folder / "SGD_update_noise.csv").assign(table="series")
    rows = pd.concat([series, pd.read_csv(folder / "All.csv").assign(table="all")])
    rows["rule"] = rows["learning_algo"].map(NAMES)
    rows["noise"] = np.select(
        [rows["label_noise"] > 0, rows["update_noise"] > 0], ["label", "update"], "none"
    )
    rows["pair"] = (rows["table"] == "all") & (rows["sim_len"] < 2e6)
    return rows.reset_index(drop=True)


def ours(sweep: Sweep) -> pd.DataFrame:
    """One row for each run, with the names of the published columns."""
    rows = sweep.summary().to_dataframe().reset_index(drop=True)
    loss = sweep.table["loss"].values[:, 1:]
    rows["stopped"] = ~rows["kept"] | (loss > HIGH).any(axis=1)  # as the published code would
    rows["rule"] = rows["rule.name"].map({"sgd": "SGD", "adam": "Adam", "sed": "SED"})
    update, label = (
        rows.get(f"rule.{name}_noise", pd.Series(0.0, rows.index)).fillna(0.0)
        for name in ("update", "label")
    )
    rows["noise"] = np.select([label > 0, update > 0], ["label", "update"], "none")
    rows["update_noise"], rows["data_type"] = update, rows["task.name"]
    rows["tolerance"] = [_nonzero(sweep, run) for run in sweep.table["run"].values]
    return rows


def _nonzero(sweep: Sweep, run: int) -> float:
    """Share of eigenvalues above 1e-9 of the largest, mean of ten of the last snapshots."""
    found = sweep.run(run)
    if len(found.snapshot_steps) < 2:
        return np.nan
    last = slice(-11, -1) if len(found.snapshot_steps) > 11 else slice(-2, None)
    points = [LossPoint.from_run(found, step) for step in found.snapshot_steps[last]]
    parts = compute_hessian_measures(points)
    return float(parts["eig_nonzero"].mean())


def table(title: str, header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table below its title."""
    lines = [f"**{title}**", "", "| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def quartiles(values: pd.Series) -> str:
    """Median [lower, upper quartile]."""
    values = values[np.isfinite(values)]
    if not len(values):
        return "-"
    low, middle, high = np.percentile(values, [25, 50, 75])
    return f"{middle:.3g} [{low:.3g}, {high:.3g}]"


def agrees(theirs: pd.Series, own: pd.Series) -> str:
    """Whether each median lies between the quartiles of the other, and the rank test's p."""
    theirs, own = theirs[np.isfinite(theirs)], own[np.isfinite(own)]
    if len(theirs) < 3 or len(own) < 3:
        return "too few"
    inside = [
        np.percentile(a, 25) <= np.median(b) <= np.percentile(a, 75)
        for a, b in ((theirs, own), (own, theirs))
    ]
    p = stats.mannwhitneyu(theirs, own).pvalue
    word = {2: "yes", 1: "partly", 0: "no"}[sum(inside)]
    return f"{word} (p {p:.2g})"


def beside(published: pd.DataFrame | None, rows: pd.DataFrame) -> list[list[str]]:
    """Rows of a table: measure, published, ours as collected there, every run of ours, verdict."""
    kept = rows[~rows["stopped"]]
    found = [
        [
            "runs",
            "-" if published is None else str(len(published)),
            f"{len(kept)}",
            f"{len(rows)}",
            "",
        ]
    ]
    for name in MEASURES:
        own, everything = kept[name], rows[name]
        theirs = None if published is None else published[name]
        if name == "log_tau":  # 0 stands for a fit that failed
            own, everything = own[own < 0], everything[everything < 0]
            theirs = None if theirs is None else theirs[theirs < 0]
        shown = "-" if theirs is None else quartiles(theirs)
        verdict = "" if theirs is None else agrees(theirs, own)
        found.append([name, shown, quartiles(own), quartiles(everything), verdict])
    for limit in (1.0, 0.95):
        shares = [
            "-" if part is None else f"{(part['active_units'] < limit).mean():.3f}"
            for part in (published, kept, rows)
        ]
        found.append([f"share of runs with active_units < {limit:g}", *shares, ""])
    return found


COLUMNS = ["", "published", "ours, collected as published", "ours, every run", "agrees?"]


def stopped(rows: pd.DataFrame) -> str:
    """How the runs ended, and how many of them the published rule drops."""
    reasons = rows["reason"].value_counts()
    spiked = int((rows["stopped"] & rows["kept"]).sum())
    ended = ", ".join(f"{n} {reason}" for reason, n in reasons.items())
    return (
        f"Of {len(rows)} runs: {ended}. The published rule drops {int(rows['stopped'].sum())}, "
        f"{spiked} of them only because a sampled loss was above {HIGH:g} for a moment.\n"
    )


def correlations(published: pd.DataFrame | None, rows: pd.DataFrame) -> str:
    """Active units against non-zero eigenvalues, counted as published and with a tolerance."""
    kept = rows[~rows["stopped"]]
    lines = []
    for text, part, column in (
        ("published table", published, "eig_nonzero"),
        ("ours, counted as published", kept, "eig_nonzero"),
        ("ours, tolerance 1e-9 of the largest", kept, "tolerance"),
        ("ours, tolerance 1e-9, every run", rows, "tolerance"),
    ):
        if part is None:
            continue
        both = part[["active_units", column]].dropna()
        if len(both) < 3:
            continue
        r, rho = both.corr().iloc[0, 1], both.corr("spearman").iloc[0, 1]
        lines.append([text, str(len(both)), f"{r:.3f}", f"{rho:.3f}"])
    title = "Active units against the share of non-zero eigenvalues"
    return table(title, ["", "n", "Pearson", "Spearman"], lines)


def slopes(published: pd.DataFrame | None, rows: pd.DataFrame) -> str:
    """Slope of the log rate on the log noise, for all tasks and each."""
    kept, lines = rows[~rows["stopped"]], []
    for task in ("all", *sorted(rows["data_type"].unique())):
        line = [task]
        for part in (published, kept):
            if part is None:
                line.append("-")
                continue
            part = part[(part["log_tau"] < -4) & (part["update_noise"] > 0)]
            part = part if task == "all" else part[part["data_type"] == task]
            if len(part) < 4:
                line.append("-")
                continue
            fit = stats.linregress(np.log10(part["update_noise"]), part["log_tau"])
            line.append(f"{fit.slope:.2f} ± {fit.stderr:.2f} (n {len(part)})")
        lines.append(line)
    return table("Slope of log10 rate on log10 noise", ["task", "published", "ours"], lines)


def noise_series(sweep: Sweep, published: pd.DataFrame | None) -> str:
    """The series of Fig. 4B."""
    rows = ours(sweep)
    theirs = None if published is None else published[published["table"] == "series"]
    text = [f"## Noise series\n\n{stopped(rows)}"]
    fifths = pd.cut(np.log10(rows["update_noise"]), np.linspace(-2, -1, 6), include_lowest=True)
    lines = []
    for task, part in rows.groupby("data_type"):
        line = [str(task)]
        for fifth in fifths.cat.categories:
            here = part[fifths[part.index] == fifth]
            seen = "-"
            if theirs is not None:
                log = np.log10(theirs["update_noise"])
                inside = (log > fifth.left) & (log <= fifth.right + 1e-9)
                seen = str(int((inside & (theirs["data_type"] == task)).sum()))
            line.append(f"{seen} / {int((~here['stopped']).sum())} of {len(here)}")
        lines.append(line)
    names = [f"10^{f.left:.1f} to {f.right:.1f}" for f in fifths.cat.categories]
    text.append(table("Runs kept, published / ours, by noise", ["task", *names], lines))
    text.append(table("All three tasks", COLUMNS, beside(theirs, rows)))
    for task, part in rows.groupby("data_type"):
        same = None if theirs is None else theirs[theirs["data_type"] == task]
        text.append(table(str(task), COLUMNS, beside(same, part)))
    return "\n".join([*text, slopes(theirs, rows), correlations(theirs, rows)])


def pairs(sweep: Sweep, published: pd.DataFrame | None) -> str:
    """Label noise against update noise with everything else equal."""
    rows = ours(sweep)
    text = [f"## Label noise against update noise\n\n{stopped(rows)}"]
    theirs = None
    if published is not None:
        sizes = rows.get("task.n_inputs", pd.Series(dtype=float)).unique()
        theirs = published[published["pair"] & published["Xdim"].isin(sizes)]
        text.append(f"Published rows with as many inputs as ours: {len(theirs)}.\n")
    for noise in ("update", "label"):
        same = None if theirs is None else theirs[theirs["noise"] == noise]
        text.append(table(f"{noise} noise", COLUMNS, beside(same, rows[rows["noise"] == noise])))
    lines = []
    keys = ["data_type", "regime", "Xdim", "ydim", "nsamples"]
    found = ["task.", "network."]
    own_keys = [c for c in rows.columns if c.startswith(tuple(found)) and rows[c].nunique() > 1]
    for who, part, by in (("published", theirs, keys), ("ours", rows, own_keys)):
        if part is None:
            continue
        wide = part.fillna(dict.fromkeys(by, -1)).pivot_table(
            index=by, columns="noise", values=["active_units", "active", "eig_sum"]
        )
        wide = wide.dropna()
        if not len(wide):
            continue
        line = [who, str(len(wide))]
        for name in ("active_units", "active", "eig_sum"):
            label, update = wide[name]["label"], wide[name]["update"]
            share = (update < label).mean() if name != "eig_sum" else (label < update).mean()
            line.append(f"{label.median():.3f} / {update.median():.3f}, {share:.2f}")
        lines.append(line)
    header = ["", "pairs", "active_units", "active", "eig_sum"]
    title = (
        "Median under label / update noise; share of pairs in which update noise leaves less "
        "activity, label noise a smaller sum of eigenvalues"
    )
    text.append(table(title, header, lines))
    return "\n".join([*text, correlations(theirs, rows)])


def random_ranges(sweep: Sweep, published: pd.DataFrame | None) -> str:
    """Runs over random ranges of all parameters."""
    rows = ours(sweep)
    steps = int(sweep.table["step"].values[-1])
    text = [f"## Random ranges\n\n{steps:.0e} steps. {stopped(rows)}"]
    theirs = None
    if published is not None:
        theirs = published[(published["table"] == "all") & ~published["pair"]]
    for rule, noise in (("SGD", "update"), ("SGD", "label"), ("Adam", "none"), ("SED", "none")):
        part = rows[(rows["rule"] == rule) & (rows["noise"] == noise)]
        if not len(part):
            continue
        same = theirs
        if theirs is not None:
            same = theirs[(theirs["rule"] == rule) & (theirs["noise"] == noise)]
        name = {"none": "no noise"}.get(noise, f"{noise} noise")
        text.append(table(f"{rule}, {name}", COLUMNS, beside(same, part)))
    return "\n".join([*text, correlations(theirs, rows)])


def value_ranges(published: pd.DataFrame, *, n_networks: int = 10) -> str:
    """Which range the inputs of the published runs had, from their counts of active units.

    ``active_units`` is a mean of ten counts over the count n at the start, so 10 n times it is a
    whole number. The likelihood of the n that are possible, under the distribution of n in fresh
    networks of the published initialisation with inputs in [-1, 1] and in [0, 1], tells the ranges
    apart: inputs in [0, 1] share a mean, so that more units are silent on all of them.
    """
    ratio: dict[tuple[str, ...], list[float]] = {}
    known: dict[tuple[object, ...], np.ndarray] = {}
    for row in published[published["nsamples"] >= 3].itertuples():
        counts = 10 * float(row.active_units) * np.arange(1, 101)
        possible = np.abs(counts - counts.round()) < 1e-6
        if not possible.any() or row.ydim < 1:
            continue
        size = (str(row.data_type), int(row.nsamples), int(row.Xdim), int(row.ydim))
        chance = [
            known.setdefault((*size, low), _active_at_start(*size, low, n_networks))
            if (*size, low) not in known
            else known[(*size, low)]
            for low in (-1.0, 0.0)
        ]
        group = (
            "series" if row.table == "series" else "pairs" if row.pair else "random ranges",
            f"{row.rule}",
        )
        odds = np.log10(chance[1][possible].sum() / chance[0][possible].sum())
        ratio.setdefault(group, []).append(float(odds))
    lines = [
        [*group, str(len(odds)), f"{np.sum(odds):+.0f}", "[0, 1]" if sum(odds) > 0 else "[-1, 1]"]
        for group, odds in sorted(ratio.items())
    ]
    title = "Range of the inputs of the published runs: log10 likelihood of [0, 1] over [-1, 1]"
    return table(title, ["runs", "rule", "n", "log10 ratio", "favours"], lines)


def _active_at_start(
    task: str, n_samples: int, n_inputs: int, n_outputs: int, low: float, n_networks: int
) -> np.ndarray:
    """Chance of 1 ... 100 active units in a fresh network, smoothed by two units."""
    rng = np.random.default_rng(0)
    counts = np.zeros(100)
    sizes = {"n_samples": n_samples, "n_inputs": n_inputs, "value_range": (low, 1.0)}
    if task in ("random", "smoothed"):
        sizes["n_outputs"] = n_outputs
    if task == "predictive":
        sizes["aliased_targets"] = True
    for seed in range(3):
        inputs = TASKS[task](**sizes, seed=seed).inputs
        scale = np.sqrt(2 / inputs.shape[1])
        for _ in range(n_networks):
            weights = rng.normal(0, scale, (100, inputs.shape[1]))
            active = ((inputs @ weights.T + rng.normal(0, scale, 100)) > 0).any(0).sum()
            counts[max(int(active), 1) - 1] += 1
    window = np.exp(-0.5 * (np.arange(-6, 7) / 2) ** 2)
    smooth = np.convolve(counts, window / window.sum(), "same") + 1e-3
    return smooth / smooth.sum()


if __name__ == "__main__":
    main()
