"""Time of an analysis in a box of many bins against that on its x alone, and of many units.

Every ratio is of processor time, the best of three turns in one run on one thread, so that other
load on the machine matters little. In one dimension x and the width of a bin are the same.

    python benchmarks/open_field.py            # 2,500 and 5,400 bins; 1,000 and 4,000 units
    python benchmarks/open_field.py --small    # a tiny box and few units, so that CI keeps it alive
"""

from __future__ import annotations

import argparse
import os
import time

for _name in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402
import xarray as xr  # noqa: E402

from neurodrift import analyze, recording_from_arrays, testing  # noqa: E402

FRAME_RATE = 10.0  # Hz
BIN_WIDTH = 2.0  # cm
N_UNITS = 30
BOXES = {  # frames, walls [cm]
    "small": [(3000, (30.0, 20.0))],
    "full": [(40_000, (100.0, 100.0)), (220_000, (150.0, 144.0))],
}
RATES = (0.1, 1.0)  # events/s
POPULATIONS = {"small": ([10, 40], 2, 2.0), "full": ([1000, 4000], 6, 10.0)}  # sessions, minutes


def forage(n_frames: int, walls: tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    """Positions (time, axis) [cm] of a walk at 15 cm/s that turns slowly, folded at the walls."""
    heading = np.cumsum(rng.normal(scale=1.5 / np.sqrt(FRAME_RATE), size=n_frames))
    pace = 15 * np.exp(0.3 * rng.standard_normal(n_frames)) / FRAME_RATE
    free = np.cumsum(pace * np.stack([np.cos(heading), np.sin(heading)]), axis=1).T
    folded = np.mod(free, 2 * np.asarray(walls))
    return np.where(folded > walls, 2 * np.asarray(walls) - folded, folded)


def box(n_frames: int, walls: tuple[float, float], rate: float, n_axes: int) -> xr.Dataset:
    """Units with a place field and a background; with one axis, the same x without y."""
    rng = np.random.default_rng(0)
    place = forage(n_frames, walls, rng)
    events = np.empty((n_frames, N_UNITS), dtype=np.uint8)
    for j, centre in enumerate(rng.uniform(0, walls, (N_UNITS, 2))):
        apart = ((place - centre) ** 2).sum(axis=1)
        tuning = 0.1 + np.exp(-0.5 * apart / (0.15 * walls[0]) ** 2)
        events[:, j] = rng.poisson(tuning / tuning.mean() * rate / FRAME_RATE)
    axes = dict(zip(("x", "y")[:n_axes], place.T, strict=False))
    return recording_from_arrays(events, kind="events", frame_duration=1 / FRAME_RATE, **axes)


def seconds(recording: xr.Dataset, repeats: int, **options: object) -> float:
    """Processor time of an analysis, best of some."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        analyze(recording, **options)
        times.append(time.process_time() - start)
    return min(times)


def main() -> None:
    """Print a row for each box and rate, and one for each number of units."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a tiny box, for CI")
    small = parser.parse_args().small
    size, repeats = ("small", 1) if small else ("full", 3)
    print("command: python benchmarks/open_field.py" + " --small" * small)
    for n_axes in (1, 2):  # compile
        analyze(box(2000, (40.0, 40.0), 1.0, n_axes), bin_width=BIN_WIDTH)
    print("frames | events/s | bins of x | s | bins of x and y | s | ratio")
    for n_frames, walls in BOXES[size]:
        along, across = (round(wall / BIN_WIDTH) for wall in walls)
        for rate in RATES:
            line, plane = (
                seconds(box(n_frames, walls, rate, n), repeats, bin_width=BIN_WIDTH) for n in (1, 2)
            )
            print(
                f"{n_frames} | {rate} | {along} | {line:.1f} | {along * across} | {plane:.1f} | "
                f"{plane / line:.1f}",
                flush=True,
            )
    counts, n_sessions, minutes = POPULATIONS[size]
    print("units | sessions | minutes | s | s per 1,000 units")
    for n_units in counts:
        track = testing.linear_track(n_units=n_units, n_sessions=n_sessions, minutes=minutes)
        taken = seconds(track, 1)
        print(
            f"{n_units} | {n_sessions} | {minutes:g} | {taken:.1f} | {1000 * taken / n_units:.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
