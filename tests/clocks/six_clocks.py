"""Untuned units on six kinds of clocks: rates that are known, and no place cell.

    python tests/clocks/six_clocks.py --units 4000 [--minutes 20] [--seed 0]

prints, for each clock, the share of units that pass the shuffle test at p < .05 in each running
direction, and the largest error of the mean rate map. Nothing here is made by the package but the
recording itself.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

import numpy as np

import neurodrift as nd

TRACK, LAP = 100.0, 9.0  # cm, s
RATE = 1.0  # spikes a second, everywhere
WIDTH = 5.0  # cm


def place_at(time: np.ndarray, seed: int) -> np.ndarray:
    """To and fro on the track, each traversal at a speed of its own."""
    rng = np.random.default_rng([seed, 7])
    n = math.ceil(time[-1] / (LAP * 0.6)) + 2
    ends = np.cumsum(np.concatenate([[0.0], LAP * rng.uniform(0.7, 1.3, n)]))
    lap = np.searchsorted(ends, time, side="right") - 1
    part = (time - ends[lap]) / (ends[lap + 1] - ends[lap])
    return TRACK * np.where(lap % 2, 1 - part, part)


def uniform(seconds: float, seed: int) -> np.ndarray:
    return np.arange(0, seconds, 0.05)


def jitter(seconds: float, seed: int) -> np.ndarray:
    steps = np.random.default_rng(seed).normal(0.05, 0.01, int(seconds / 0.05)).clip(0.02, 0.08)
    return np.cumsum(steps)


def bursts(seconds: float, seed: int) -> np.ndarray:
    """A webcam: three frames at 22 ms, then nothing for 134 ms."""
    rng = np.random.default_rng(seed)
    pattern = np.tile([0.022, 0.022, 0.022, 0.134], int(seconds / 0.2))
    return np.cumsum(pattern * rng.uniform(0.9, 1.1, pattern.size))


def dropped(seconds: float, seed: int) -> np.ndarray:
    """One frame in ten is lost."""
    time = uniform(seconds, seed)
    return time[np.random.default_rng(seed).random(time.size) >= 0.1]


def slower(seconds: float, seed: int) -> np.ndarray:
    """A camera whose rate falls from 30 to 10 Hz in the dark half of the track."""
    fine = np.arange(0, seconds, 0.001)
    dark = place_at(fine, seed) > TRACK / 2
    time, now = [], 0.0
    while now < seconds - 0.2:
        time.append(now)
        now += 0.1 if dark[int(now * 1000)] else 1 / 30
    return np.array(time)


CLOCKS: dict[str, Callable[[float, int], np.ndarray]] = {
    made.__name__: made for made in (uniform, jitter, bursts, dropped, slower)
}


def trains_of(units: int, seconds: float, seed: int) -> list[np.ndarray]:
    """Poisson spikes of units that know nothing of position."""
    rng = np.random.default_rng([seed, 3])
    counts = rng.poisson(RATE * seconds, units)
    return [np.sort(rng.uniform(0, seconds, n)) for n in counts]


def counted(trains: list[np.ndarray], starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Spikes within each frame (time, unit)."""
    counts = np.zeros((starts.size, len(trains)), np.uint8)
    for unit, train in enumerate(trains):
        counts[:, unit] = np.searchsorted(train, ends) - np.searchsorted(train, starts)
    return counts


def recording_of(clock: str, units: int, seconds: float, seed: int):
    """The recording of one clock; ``two_rates``: imaging at 10 Hz beside a camera in bursts."""
    trains = trains_of(units, seconds, seed)
    if clock == "two_rates":
        camera, time = bursts(seconds, seed), np.arange(0.113, seconds - 0.5, 0.1)
        x = np.interp(time, camera, place_at(camera, seed))
    else:
        time = CLOCKS[clock](seconds, seed)
        x = place_at(time, seed)
    ends = np.append(time[1:], time[-1] + 0.05)
    if clock == "dropped":  # the camera that lost the frame is the microscope
        ends = np.minimum(ends, time + 0.05)
    return nd.recording_from_arrays(counted(trains, time, ends), kind="spikes", time=time, x=x)


def measured(clock: str, units: int, minutes: float, seed: int) -> tuple[list[float], float]:
    """Share of significant units in each direction, and the largest error of the mean map."""
    recording = nd.kinematics.running(recording_of(clock, units, 60 * minutes, seed))
    binning = nd.Binning(bin_width=WIDTH, track=(0.0, TRACK))
    cells = nd.detect_place_cells(recording, binning=binning)
    share = (cells["p"] < 0.05).where(cells["tested"]).mean("unit").values.ravel()
    maps = nd.compute_rate_maps(recording, binning=binning)
    mean = maps["events"].sum("unit") / (maps["occupancy"] * units)
    return share.tolist(), float(abs(mean / RATE - 1).max())


def main() -> None:
    """Print one row for each clock."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=4000)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print("clock | p < .05 in each direction [%] | largest error of the mean rate map [%]")
    for clock in (*CLOCKS, "two_rates"):
        share, error = measured(clock, options.units, options.minutes, options.seed)
        told = ", ".join(f"{100 * part:.2f}" for part in share)
        print(f"{clock} | {told} | {100 * error:.2f}", flush=True)


if __name__ == "__main__":
    main()
