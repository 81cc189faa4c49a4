"""Smoothed rates, or smoothed counts over smoothed occupancy: which map is nearer the truth?

    python benchmarks/smoothing.py            # about a minute
    python benchmarks/smoothing.py --small    # a few seconds

Poisson cells with one field each, on a walk in a box of 1 m by the generator of
``false_positives.py`` and on a track with slow ends. The error is the root mean square over visited
bins, and r the correlation with the true map; both are means over cells.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

import numpy as np
import xarray as xr
from false_positives import HZ, Run, in_field, on_track, spikes

import neurodrift as nd


def errors(run: Run, peak: float, binning: nd.Binning, sigma: float, n_units: int) -> np.ndarray:
    """(rates or counts, error or r)."""
    rng = np.random.default_rng([n_units, run.x.size, int(100 * peak)])
    centre, width = rng.uniform(5, 75, (2, n_units)), rng.uniform(6.0, 14.0, n_units)

    def rate_at(x: np.ndarray, y: np.ndarray | None) -> np.ndarray:
        far = (x[:, None] - centre[0]) ** 2
        far = far if y is None else far + (y[:, None] - centre[1]) ** 2
        return peak * (0.05 + np.exp(-far / (2 * width**2)))

    options = {} if run.y is None else {"y": run.y}
    recording = nd.recording_from_arrays(
        spikes(rng, rate_at(run.x, run.y)),
        kind="spikes",
        x=run.x,
        speed=run.speed,
        frame_duration=1 / HZ,
        **options,
    )
    maps = nd.compute_rate_maps(recording, binning=binning).isel(session=0, direction=0)
    at = [maps[name].values for name in ("x_bin", "y_bin") if name in maps.coords]
    true = xr.DataArray(
        rate_at(at[0], at[1] if len(at) > 1 else None), dims=("position", "unit")
    ).transpose("unit", "position")
    found = []
    for occupancy in (None, maps["occupancy"]):
        smooth = nd.smooth_maps(maps["rate"], sigma, occupancy)
        shown = true.where(np.isfinite(smooth))
        error = float(np.sqrt(((smooth - shown) ** 2).mean("position")).mean())
        found.append([error, float(xr.corr(smooth, shown, dim="position").mean())])
    return np.array(found)


def table(small: bool) -> Iterator[str]:
    """Rows of the table."""
    yield f"{'':44s} error of rates, counts [Hz]      r of rates, counts"
    n_units, n_walks = (5, 1) if small else (60, 6)
    field = [(4.0, 6.0, 10, 5.0), (4.0, 6.0, 20, 5.0), (2.0, 4.0, 20, 5.0), (4.0, 6.0, 10, 0.5)]
    for bin_width, sigma, minutes, peak in field:
        walks = [in_field(np.random.default_rng([7, i]), minutes, 0.7) for i in range(n_walks)]
        binning = nd.Binning(bin_width=bin_width)
        found = np.mean([errors(run, peak, binning, sigma, n_units) for run in walks], axis=0)
        yield line(
            f"box, bins {bin_width:g} cm, sd {sigma:g} cm, {minutes} min, {peak:g} Hz", found
        )
    for laps, peak in ((10, 1.0), (20, 2.0), (40, 5.0)):
        runs = [
            on_track(np.random.default_rng([8, i]), laps=laps, slow_ends=0.7)
            for i in range(n_walks)
        ]
        binning = nd.Binning(directions=False)
        found = np.mean([errors(run, peak, binning, 4.0, n_units) for run in runs], axis=0)
        yield line(f"track, bins 4 cm, sd 4 cm, {laps} laps, {peak:g} Hz", found)


def line(name: str, found: np.ndarray) -> str:
    """One row."""
    rates, counts = found
    return f"{name:44s} {rates[0]:14.3f} {counts[0]:14.3f} {rates[1]:14.3f} {counts[1]:14.3f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="few cells, one walk")
    arguments = parser.parse_args()
    print(f"$ python {' '.join(sys.argv)}")
    for row in table(arguments.small):
        print(row, flush=True)


if __name__ == "__main__":
    main()
