"""Figure 3 of Ratzon et al. (2024) on other animals: place cells and information over sessions.

Left the published way: every series relative to its first session, one line through the sessions of
all animals. Right every series relative to its mean, and the animal as the unit. Any number of
animals; give results that exist already, or the study of a cohort::

    neurodrift analyze mouse.zarr -o mouse_results.zarr --track 0 96 --exclude-ends 8
    python examples/ratzon2024_figure3.py mouse_results.zarr other_results.zarr
    python examples/ratzon2024_figure3.py study.zarr --each

With --each every recording has a row of its own as well. Without arguments, the mice of Sheintuch
et al. (2020) are converted and analysed (some minutes) if NEURODRIFT_DATA names a folder that holds
them as sheintuch2020; otherwise synthetic mice are drawn.

Run: python examples/ratzon2024_figure3.py
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np
import xarray as xr

import neurodrift as nd
from neurodrift.convert import converter

SERIES = ("fraction_place_cells", "information_ssr", "fraction_active_units")


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


def print_slopes(animals: dict[str, xr.DataTree]) -> None:
    """Slopes of each recording over its first session, without and with running speed held."""
    for name, results in animals.items():
        print(name)
        table = nd.tabulate_sessions(results)
        for measure in SERIES:
            if measure not in table or not table[measure].iloc[0] > 0:
                continue
            said = []
            for held in ((), ("running_speed",)):
                if held and not (table.get("running_speed", table["day"] * 0).nunique() > 1):
                    continue
                if len(table) < 3 + len(held):
                    continue
                fit = nd.regress(
                    table, measure, "day", covariates=held, method="ols", normalize="first"
                ).sel(term="day")
                given = "given speed " if held else ""
                said.append(
                    f"{given}{float(fit['estimate']):+.4f} a day (p = {float(fit['p']):.3f})"
                )
            print(f"  {measure.replace('_', ' ')}: {'; '.join(said)}")


def opened(paths: list[Path]) -> dict[str, xr.DataTree]:
    """Results by subject and environment; those of a study have its names."""
    found: dict[str, xr.DataTree] = {}
    for path in paths:
        tree = nd.open_results(path)
        if "recordings" in tree.children:
            found |= {str(name): own for name, own in tree["recordings"].children.items()}
        else:
            found[f"{tree['subject'].item()} {tree['environment'].item()}"] = tree
    return found


def main() -> None:
    """Read the arguments, open or make the results, draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("results", type=Path, nargs="*", help="stores of analyze, or a study.zarr")
    parser.add_argument("--each", action="store_true", help="a row for every recording as well")
    parser.add_argument("--out", type=Path, default=Path("ratzon2024_figure3.png"))
    options = parser.parse_args()
    data = Path(os.environ.get("NEURODRIFT_DATA", "."), "sheintuch2020")
    if options.results:
        animals = opened(options.results)
    elif data.is_dir():
        trees = sheintuch2020(data)
        animals = {f"{tree['subject'].item()} {tree['environment'].item()}": tree for tree in trees}
    else:
        print("no data given: these mice are synthetic")
        animals = {str(tree["subject"].item()): tree for tree in synthetic()}
    print_slopes(animals)
    print(nd.tabulate_normalized_slopes(animals).to_string(index=False))
    nd.plot_normalized_series(animals).savefig(options.out, dpi=200)
    print(f"figure in {options.out}")
    if options.each:
        each = options.out.with_stem(f"{options.out.stem}_each")
        sets = {name: name for name in animals}
        nd.plot_normalized_series(animals, data_sets=sets).savefig(each, dpi=130)
        print(f"figure in {each}")


if __name__ == "__main__":
    main()
