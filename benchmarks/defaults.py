"""What the defaults of place cells and maps cost and save: directions, events, occupancy, speed.

    python benchmarks/defaults.py            # about 10 minutes on one core
    python benchmarks/defaults.py --small    # a few seconds

Animals run to and fro by the generator of ``false_positives.py``, which shares no code with the
package. One setting is changed at a time, and the rest stays at its default.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from false_positives import HZ, TRACK, Run, bursts, on_track, spikes

import neurodrift as nd

PEAK = 8.0  # [cm] standard deviation of a field


def recording_of(run: Run, activity: np.ndarray, **options: Any) -> Any:
    """A recording of one session."""
    given = {"x": run.x, "direction": run.direction, "lap": run.lap, "speed": run.speed}
    return nd.recording_from_arrays(
        activity, kind="events", frame_duration=1 / HZ, **(given | options)
    )


def fields(rng: np.random.Generator, run: Run, n_units: int, both: bool) -> np.ndarray:
    """Bumps (time, unit) of height 1, in one direction or in both."""
    centre = rng.uniform(10, 90, n_units)
    bump = np.exp(-((run.x[:, None] - centre) ** 2) / (2 * PEAK**2))
    way = np.where(rng.random(n_units) < 0.5, 1, -1)
    return bump if both else bump * (run.direction[:, None] == way)


def directions(n_units: int) -> Iterator[str]:
    """How two directions make a place cell."""
    ways = ("any", "bonferroni", "all")
    yield f"place cells [%]: {'':24s}" + " ".join(f"{way:>10s}" for way in ways)
    kinds = {
        "untuned": (0.0, True, spikes),
        "untuned, bursty": (0.0, True, bursts),
        "0.5 Hz in one direction": (0.5, False, spikes),
        "1 Hz in one direction": (1.0, False, spikes),
        "0.5 Hz in both": (0.5, True, spikes),
    }
    for name, (hz, both, fire) in kinds.items():
        rng = np.random.default_rng([1, len(name)])
        run = on_track(rng)
        rate = hz * fields(rng, run, n_units, both) + (0.05 if hz else 0.5)
        recording = recording_of(run, fire(rng, rate))
        found = [
            100 * float(nd.detect_place_cells(recording, combine=way)["is_place_cell"].mean())
            for way in ways
        ]
        yield f"  {name:39s}" + " ".join(f"{value:10.1f}" for value in found)


def fewest_events(n_units: int) -> Iterator[str]:
    """How many events a unit must have, and in how many laps."""
    least = (3, 5, 10, 20)
    yield (
        f"place cells in one direction [% of all]: {'':3s}"
        + " ".join(f"{f'events>={n}':>11s}" for n in (*least,))
        + f" {'of >=5 in <3 laps':>18s}"
    )
    kinds = {
        "untuned, 0.02 Hz": (0.0, 0.02, spikes),
        "untuned, 0.05 Hz": (0.0, 0.05, spikes),
        "untuned, bursty, 0.1 Hz": (0.0, 0.1, bursts),
        "field of 0.2 Hz": (0.2, 0.0, spikes),
        "field of 0.4 Hz": (0.4, 0.0, spikes),
    }
    for name, (hz, base, fire) in kinds.items():
        rng = np.random.default_rng([2, len(name)])
        run = on_track(rng)
        activity = fire(rng, hz * fields(rng, run, n_units, True) + base)
        recording = recording_of(run, activity)
        cells = {n: nd.detect_place_cells(recording, min_events=n)["significant"] for n in least}
        laps = active_laps(run, activity)
        five = cells[5].isel(session=0).transpose("unit", "direction").values
        few = float((five & (laps < 3)).sum() / max(1, five.sum()))
        shares = " ".join(f"{100 * float(one.mean()):11.1f}" for one in cells.values())
        yield f"  {name:42s}{shares} {100 * few:18.0f}"


def active_laps(run: Run, activity: np.ndarray) -> np.ndarray:
    """Laps (unit, direction) in which a unit is active, in the order of directions -1 and 1."""
    found = np.zeros((activity.shape[1], 2), dtype=int)
    for column, way in enumerate((-1, 1)):
        for lap in np.unique(run.lap[run.direction == way]):
            here = (run.lap == lap) & (run.direction == way) & (run.speed >= 1)
            found[:, column] += activity[here].any(axis=0)
    return found


def least_occupancy(n_units: int) -> Iterator[str]:
    """How long a bin must have been visited."""
    least = (0.0, 0.1, 0.25, 0.5)
    yield f"information (SSR) [bit/event]: {'':12s}{'truth':>8s}" + " ".join(
        f"{f'>={s} s':>9s}" for s in least
    )
    for laps in (4, 10, 40):
        for name, hz in (("untuned", 0.0), ("field of 2 Hz", 2.0)):
            rng = np.random.default_rng([3, laps])
            run = on_track(rng, laps=laps, slow_ends=0.7, mean=30.0)
            rate = hz * fields(rng, run, n_units, True) + (0.05 if hz else 0.5)
            recording = recording_of(run, spikes(rng, rate))
            found = []
            for seconds in least:
                found.append(information(recording, nd.Binning(min_occupancy=seconds)))
            yield f"  {f'{laps} laps, {name}':40s} {truth(run, rate):7.3f}" + " ".join(
                f"{value:9.3f}" for value in found
            )


def information(recording: Any, binning: nd.Binning) -> float:
    """Mean SSR [bit/event] over all units and directions."""
    found = nd.compute_spatial_information(recording, binning=binning, n_repeats=50)
    return float(found["ssr"].mean())


def truth(run: Run, rate: np.ndarray) -> float:
    """Mean information of the rates that the events were drawn from, over units and directions."""
    found = []
    for way in (-1, 1):
        here = (run.direction == way) & (run.speed >= 1)
        of = (run.x[here] // 4).astype(int)
        time = np.bincount(of, minlength=25)
        means = np.array([np.bincount(of, r, minlength=25) for r in rate[here].T])
        means = means[:, time > 0] / time[time > 0]
        p = time[time > 0] / time.sum()
        relative = means / (means @ p)[:, None]
        terms = np.where(relative > 0, relative * np.log2(np.where(relative > 0, relative, 1)), 0)
        found.append(terms @ p)
    return float(np.mean(found))


def lowest_speed(n_units: int) -> Iterator[str]:
    """From which speed an animal runs: at rest cells fire for places where it is not."""
    lowest = (0.0, 1.0, 2.0, 5.0)
    yield f"information (SSR) [bit/event]: {'':12s}{'truth':>8s}" + " ".join(
        f"{f'>={v:g} cm/s':>9s}" for v in lowest
    )
    for jitter in (0.0, 0.1, 0.3):
        rng = np.random.default_rng([4, int(10 * jitter)])
        run = on_track(rng, rest=6.0)
        rest = (run.x <= 0) | (run.x >= TRACK)
        rate = 2.0 * fields(rng, run, n_units, True) + 0.05
        rate = np.where(rest[:, None], 0.05, rate)  # a field is for a runner
        replay = np.where(rest[:, None], 0.5, 0.0)
        x = np.clip(run.x + rng.normal(0.0, jitter, run.x.size), 0, TRACK)
        speed = np.abs(np.diff(x, prepend=x[:1])) * HZ
        recording = recording_of(run, spikes(rng, rate + replay), x=x, speed=speed)
        found = []
        for v in lowest:
            found.append(information(recording, nd.Binning(speed_range=(v, np.inf))))
        running = Run(run.x[~rest], run.direction[~rest], run.lap[~rest], run.speed[~rest])
        name = f"position jitters by {10 * jitter:g} mm a frame"
        yield f"  {name:40s} {truth(running, rate[~rest]):7.3f}" + " ".join(
            f"{value:9.3f}" for value in found
        )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=2000)
    parser.add_argument("--small", action="store_true", help="a few units")
    arguments = parser.parse_args()
    n_units = 10 if arguments.small else arguments.units
    print(f"$ python {' '.join(sys.argv)}")
    for table in (directions, fewest_events, least_occupancy, lowest_speed):
        for line in table(n_units):
            print(line, flush=True)


if __name__ == "__main__":
    main()
