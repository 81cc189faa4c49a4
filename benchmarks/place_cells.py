"""Time of the circular-shift test against pynapple's loop and a plain NumPy loop.

    python benchmarks/place_cells.py                # 500 cells, 40 min at 20 Hz, 40 bins
    python benchmarks/place_cells.py --small        # a few seconds, so that CI keeps it alive

Pynapple and NumPy are timed on single shuffles and scaled to 1000: every shuffle does the same
work.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable

import numpy as np
import xarray as xr

from neurodrift import Binning, recording_from_arrays
from neurodrift.analysis.place_cells.place_cells import detect_place_cells

FRAME_RATE = 20.0  # Hz
LENGTH = 100.0  # cm
N_SHUFFLES = 1000


def make(n_cells: int, minutes: float, rate: float, seed: int = 0) -> xr.Dataset:
    """Cells with a place field and a background, one session, a to-and-fro run."""
    rng = np.random.default_rng(seed)
    n_frames = round(minutes * 60 * FRAME_RATE)
    phase = np.cumsum(np.exp(0.3 * rng.standard_normal(n_frames)) * 20 / LENGTH / FRAME_RATE)
    x = np.minimum(np.abs((phase + 1) % 2 - 1) * LENGTH, LENGTH * (1 - 1e-9))
    centres = rng.uniform(0, LENGTH, n_cells)
    events = np.empty((n_frames, n_cells), dtype=np.uint8)
    for j, centre in enumerate(centres):
        tuning = 0.3 + np.exp(-0.5 * ((x - centre) / 15) ** 2)
        events[:, j] = rng.random(n_frames) < tuning * rate / FRAME_RATE / tuning.mean()
    return recording_from_arrays(events, kind="events", x=x, frame_duration=1 / FRAME_RATE)


def median_times(functions: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median seconds of each call; they take turns, so that other load meets all of them."""
    times: dict[str, list[float]] = {name: [] for name in functions}
    for repeat in range(repeats + 1):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            if repeat > 0:  # the first turn compiles and fills caches
                times[name].append(time.perf_counter() - start)
    return {name: float(np.median(values)) for name, values in times.items()}


def pynapple_shuffle(recording: xr.Dataset, n_bins: int) -> Callable[[], object]:
    """One shuffle of all cells as pynapple's users write it."""
    import pynapple as nap

    clock = recording["time"].values
    position = nap.Tsd(t=clock, d=recording["x"].values)
    activity = recording["activity"].values
    spikes = nap.TsGroup(
        {j: nap.Ts(clock[activity[:, j] > 0]) for j in range(activity.shape[1])},
        time_support=position.time_support,
    )

    def shuffle() -> object:
        moved = nap.shift_timestamps(spikes, mode="wrap")
        curves = nap.compute_tuning_curves(moved, position, bins=n_bins, range=(0, LENGTH))
        return nap.compute_mutual_information(curves)

    return shuffle


def numpy_shuffle(recording: xr.Dataset, n_bins: int) -> Callable[[], object]:
    """One shuffle of all cells as a plain NumPy loop."""
    states = np.minimum((recording["x"].values / LENGTH * n_bins).astype(int), n_bins - 1)
    frames = [np.flatnonzero(column) for column in recording["activity"].values.T]
    occupancy = np.bincount(states, minlength=n_bins) / states.size
    rng = np.random.default_rng(0)

    def shuffle() -> object:
        information = np.empty(len(frames))
        for j, at in enumerate(frames):
            moved = (at + rng.integers(1, states.size)) % states.size
            share = np.bincount(states[moved], minlength=n_bins) / at.size
            some = share > 0
            information[j] = (share[some] * np.log2(share[some] / occupancy[some])).sum()
        return information

    return shuffle


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=500)
    parser.add_argument("--minutes", type=float, default=40.0)
    parser.add_argument("--bins", type=int, default=40)
    parser.add_argument("--rates", type=float, nargs="+", default=[1.0, 0.02])
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--small", action="store_true", help="20 cells, 5 min, one repeat")
    arguments = parser.parse_args()
    if arguments.small:
        arguments.cells, arguments.minutes = 20, 5.0
        arguments.repeats = 1
    n_frames = round(arguments.minutes * 60 * FRAME_RATE)
    print(f"$ python {' '.join(sys.argv)}")
    print(
        f"{arguments.cells} cells x {n_frames} frames, {arguments.bins} bins; medians of "
        f"{arguments.repeats}; pynapple and NumPy timed on single shuffles, times {N_SHUFFLES}"
    )
    binning = Binning(edges=np.linspace(0, LENGTH, arguments.bins + 1))
    for rate in arguments.rates:
        recording = make(arguments.cells, arguments.minutes, rate)

        def exact(recording: xr.Dataset = recording) -> xr.Dataset:
            return detect_place_cells(recording, binning=binning, null="circular_exact")

        def sampled(recording: xr.Dataset = recording) -> xr.Dataset:
            return detect_place_cells(
                recording, binning=binning, null="circular", n_repeats=N_SHUFFLES
            )

        functions = {
            "pynapple": pynapple_shuffle(recording, arguments.bins),
            "NumPy": numpy_shuffle(recording, arguments.bins),
            f"all {n_frames} shifts": exact,
            f"{N_SHUFFLES} circular shuffles": sampled,
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            seconds = median_times(functions, arguments.repeats)
        found = exact()["is_place_cell"].sum().item()
        print(f"{rate:g} events/s, {found} of {arguments.cells} are place cells (exact, p < .05)")
        for name in ("pynapple", "NumPy"):
            seconds[name] *= N_SHUFFLES
            print(f"  {name:33s} {seconds[name]:8.2f} s for {N_SHUFFLES} shuffles")
        loops, ours = list(functions)[:2], list(functions)[2:]
        for name in ours:
            ratios = ", ".join(f"{seconds[loop] / seconds[name]:.0f}x {loop}" for loop in loops)
            print(f"  neurodrift {name:22s} {seconds[name]:8.3f} s  {ratios}")
        per_shift = seconds["NumPy"] / N_SHUFFLES * n_frames / seconds[ours[0]]
        print(f"  neurodrift {'per shift':22s} {'':10s}  {per_shift:.0f}x NumPy")


if __name__ == "__main__":
    main()
