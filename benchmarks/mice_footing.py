"""The statements of Ratzon et al. (2024) in real mice, as recorded and on an equal footing.

    python benchmarks/mice_footing.py C6A.zarr C6B.zarr C12A.zarr   # some minutes a recording
    python benchmarks/mice_footing.py --small                       # a synthetic mouse

Recordings are stores of ``neurodrift import``. Of each, some units are drawn at random; slopes are
per day, over the autocorrelation of the sessions as everywhere, with p not corrected for the number
of statements.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import numpy as np

import neurodrift as nd

STATEMENTS = {
    "fewer place cells": ("fraction_place_cells", -1),
    "more information, place cells [bit/event]": ("information", 1),
    "more information, all maps [bit/event]": ("information_population", 1),
    "fewer active units": ("fraction_active_units", -1),
}


def said(slope: Any, sign: int) -> str:
    """Verdict, slope and p of one measure."""
    estimate, p = float(slope["slope"]), float(slope["p"])
    verdict = "undecided"
    if p < 0.05:
        verdict = "holds" if estimate * sign > 0 else "contradicted"
    return f"{verdict}, {estimate:+.3f} ({p:.3f})"


def rows(recording: Any, n_units: int, seed: int, **options: Any) -> dict[str, list[str]]:
    """As recorded and on an equal footing, by statement."""
    rng = np.random.default_rng(seed)
    n = recording.sizes["unit"]
    some = np.sort(rng.choice(n, min(n_units, n), replace=False))
    results = nd.analyze(recording.isel(unit=some).load(), n_draws=10, **options)
    slopes = results["regression"].to_dataset().sel(predictor="day")
    found = {}
    for name, (measure, sign) in STATEMENTS.items():
        known = [m for m in (measure, f"{measure}_matched") if m in slopes["measure"].values]
        found[name] = [said(slopes.sel(measure=m), sign) for m in known]
    matched = results["matched"].to_dataset()
    for name, one in (("recorded", results["session_drift"]), ("equal", matched)):
        r = one["rate_map_correlation_relative"].values
        apart = [np.nanmean(np.diagonal(r, lag)) for lag in (1, 6) if lag < len(r)]
        found[f"correlation without noise, 1 and 6 apart, {name}"] = [
            ", ".join(f"{value:.2f}" for value in apart)
        ]
    found["units with enough events"] = [str(int(matched.attrs["n_units"]))]
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recordings", nargs="*", help="recording.zarr")
    parser.add_argument("--units", type=int, default=300)
    parser.add_argument("--small", action="store_true", help="a synthetic mouse")
    arguments = parser.parse_args()
    print(f"$ python {' '.join(sys.argv)}")
    binning = nd.Binning(track=(0.0, 96.0), exclude_ends=8.0)
    if arguments.small:
        mouse = nd.testing.linear_track(n_units=15, n_sessions=4, minutes=3)
        mice = {"synthetic": rows(mouse, 15, 0, n_repeats=10)}
    else:
        mice = {
            path: rows(nd.open_recording(path), arguments.units, 0, binning=binning)
            for path in arguments.recordings
        }
    for path, found in mice.items():
        print(path)
        for name, values in found.items():
            print(f"  {name:52s} {'   '.join(values)}")


if __name__ == "__main__":
    main()
