"""Tables 1 to 3 of Ratzon et al. (2024): phases of learning, ranges of parameters, data sets.

Table 1 is found in a simulated run by `detect_phases`, Table 2 read from the settings of the
sweeps, Table 3 has the paper's data sets and a row for each result that is given::

    neurodrift sweep ratzon2024-track -o track.zarr
    python examples/ratzon2024_tables.py mouse_results.zarr --track track.zarr

With NEURODRIFT_DATA set to a folder that holds driftreg/All.csv, Table 2 also has the ranges of
the published runs.

Run: python examples/ratzon2024_tables.py
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import pandas as pd
import xarray as xr

import neurodrift as nd
from neurodrift.analysis.phases.phases import detect_phases
from neurodrift.simulate.settings.kinds import parameters, read_settings
from neurodrift.simulate.settings.sweep import read_sweep
from neurodrift.simulate.sweep import open_sweep

SMALL = {
    "network.n_hidden": 100,
    "rule.update_noise": 0.05,
    "n_steps": 40_000,
    "snapshots": [0, 10, 100, 1000, *range(4000, 40_001, 4000)],
}
PARAMETERS = {
    "task.n_samples": "nsamples",
    "task.n_inputs": "Xdim",
    "task.n_outputs": "ydim",
    "rule.learning_rate": "lr",
    "rule.update_noise": "update_noise",
    "rule.label_noise": "label_noise",
}
DATA_SETS = [  # of the paper: animals, region, environment, familiarity, what was measured
    ("Khatib 2023", "mice, CA1 imaging", "linear track, novel, 200 min", "place cells, SI"),
    ("Jercog 2019", "mice, CA1 units", "boxes, novel, 10 days", "number of cells, SI"),
    ("Karlsson 2015", "rats, CA1 units", "W tracks, novel", "place cells, SI"),
    ("Sheintuch 2023", "mice, CA1 imaging", "straight and L track", "active cells, SI"),
    ("Geva 2023", "mice, CA1 imaging", "linear tracks, familiar", "stationary: comparison"),
]


def table1(store: Path | None, run: int) -> pd.DataFrame:
    """What changes in which phase: expected by the paper, and observed in a simulated run."""
    if store is None:
        recording = read_settings("ratzon2024-track", SMALL).simulate().recording()
    else:
        recording = open_sweep(store, unfinished=True).recording(run)
    results = nd.analyze(recording, binning=nd.Binning(bin_width=4.48))
    found = detect_phases(results)
    print(found.attrs["conclusion"], found.attrs["limits"], sep="\n")
    ends = found[["change_point", "change_point_ci_low", "change_point_ci_high"]].to_dataframe()
    print(ends.to_string(float_format="%.3g"))
    words = {
        (str(phase), str(quantity)): {
            name: found[name].sel(phase=phase, quantity=quantity).item()
            for name in (
                "expected",
                "observed",
                "change",
                "change_ci_low",
                "change_ci_high",
                "evidence",
            )
        }
        for phase in found["phase"].values
        for quantity in found["quantity"].values
    }
    return pd.DataFrame(words).T.rename_axis(["phase", "quantity"])


def table2(published: Path, n_runs: int) -> pd.DataFrame:
    """Ranges of the parameters of the random runs, by learning rule."""
    rows = [
        parameters(run) for run in read_sweep("ratzon2024-random", {"sweep.n_runs": n_runs}).runs
    ]
    tables = {"neurodrift": pd.DataFrame(rows)}
    if published.exists():
        table = pd.read_csv(published).rename(columns={v: k for k, v in PARAMETERS.items()})
        rule = table["learning_algo"].replace({"RLgrad": "SED"})
        noise = (table["rule.label_noise"] > 0).map({True: " label noise", False: " update noise"})
        tables["published"] = table.assign(label=rule + noise.where(rule == "SGD", ""))
    return pd.concat({who: ranges(table) for who, table in tables.items()}, names=["runs"])


def ranges(table: pd.DataFrame) -> pd.DataFrame:
    """Least and largest value of each parameter, by label."""
    groups = table.groupby("label")[[name for name in PARAMETERS if name in table]]
    low, high = groups.min(), groups.max()
    words = {
        name: [f"{a:g} to {b:g}" for a, b in zip(low[name], high[name], strict=True)]
        for name in low
    }
    return pd.DataFrame({"n": groups.size(), **words}, index=low.index)


def table3(results: list[xr.DataTree]) -> pd.DataFrame:
    """Data sets of the paper, then those that were given."""
    columns = ["data set", "recording", "environment", "measures"]
    rows = [dict(zip(columns, row, strict=True)) for row in DATA_SETS]
    for tree in results:
        sessions = tree["sessions"].to_dataset()
        minutes = sessions["tracked_time"].sum().item()
        rows.append(
            {
                "data set": tree["subject"].item(),
                "recording": f"{tree['maps'].sizes['unit']} cells",
                "environment": tree["environment"].item(),
                "measures": f"{sessions.sizes['session']} sessions, {minutes:.0f} min",
            }
        )
    return pd.DataFrame(rows).set_index("data set")


def main() -> None:
    """Read the arguments; print the tables and write them as CSV."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("results", type=Path, nargs="*", help="stores of neurodrift analyze")
    parser.add_argument("--track", type=Path, help="sweep ratzon2024-track")
    parser.add_argument("--run", type=int, default=0, help="which run of it")
    parser.add_argument("--out", type=Path, default=Path(), help="folder for the tables")
    options = parser.parse_args()
    published = Path(os.environ.get("NEURODRIFT_DATA", "."), "driftreg", "All.csv")
    tables = {
        "1": table1(options.track, options.run),
        "2": table2(published, n_runs=200 if options.track is None else 1000),
        "3": table3([nd.open_results(path) for path in options.results]),
    }
    for number, table in tables.items():
        print(f"\nTable {number}\n{table.to_string(float_format=lambda x: f'{x:.3g}')}")
        table.to_csv(options.out / f"ratzon2024_table{number}.csv")


if __name__ == "__main__":
    main()
