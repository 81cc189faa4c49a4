"""How often the scan of the lag finds an offset, and how often it sees one that is not there.

    python benchmarks/calibration_lag.py              # 100 sessions of each row, some 15 minutes
    python benchmarks/calibration_lag.py --small      # a minute

Sessions of 10 minutes of 53 units with 5 to 60 events each (evenly in their logarithm), of which
20 have a place 9 cm wide (standard deviation), on a track with irregular laps and pauses, on one
with nearly regular laps (5 %), on one like clockwork (0.2 %), and in a box of 70 cm. Bursts are 1
to some 4 events within 0.6 s, gain is a slow factor of all units.
"""

from __future__ import annotations

import argparse
from collections import Counter
from typing import Any

import numpy as np

from neurodrift import check_lag, recording_from_arrays

STEP = 0.05  # s
LENGTH, SIZE, WIDTH = 96.0, 70.0, 9.0  # cm
MINUTES = 10

ROWS: tuple[tuple[str, int, float, dict[str, bool]], ...] = (
    ("in step", 20, 0.0, {}),
    ("delay of 1 s", 20, 1.0, {}),
    ("delay of 1.25 s", 20, 1.25, {}),
    ("delay of 1.5 s", 20, 1.5, {}),
    ("offset of 2 s", 20, 2.0, {}),
    ("offset of -2 s", 20, -2.0, {}),
    ("offset of 12.4 s", 20, 12.4, {}),
    ("no place", 0, 0.0, {}),
    ("no place, bursts, gain", 0, 0.0, {"bursts": True, "gain": True}),
)


def track(rng: np.random.Generator, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Position [cm] and direction of a mouse that runs to and fro."""
    n = int(MINUTES * 60 / STEP)
    x, heading, filled, back = np.empty(n), np.zeros(n), 0, False
    while filled < n:
        if kind == "clockwork":
            speed, pause = 24.0 * (1 + 0.002 * rng.standard_normal()), 2.0
        elif kind == "nearly regular":
            speed = 24.0 * (1 + 0.05 * rng.standard_normal())
            pause = 2.0 * (1 + 0.1 * rng.standard_normal())
        else:
            speed, pause = rng.uniform(12, 35), rng.exponential(4.0) + 0.3
        n_run, n_rest = max(2, int(LENGTH / speed / STEP)), int(pause / STEP)
        way = np.linspace(0, LENGTH, n_run, endpoint=False)
        if kind == "irregular":  # speed changes on the way
            noise = np.convolve(rng.standard_normal(n_run + 40), np.ones(40) / 40**0.5, "valid")
            way = np.cumsum(np.exp(0.3 * noise[:n_run]))
            way = way / way[-1] * LENGTH
        lap = np.concatenate([way, np.full(n_rest, LENGTH)])
        turned = np.concatenate([np.ones(n_run), np.zeros(n_rest)])
        if back:
            lap, turned = LENGTH - lap, -turned
        m = min(lap.size, n - filled)
        x[filled : filled + m], heading[filled : filled + m] = lap[:m], turned[:m]
        filled, back = filled + m, not back
    return x, heading


def box(rng: np.random.Generator) -> np.ndarray:
    """Position (time, axis) [cm] of a mouse that forages."""
    n = int(MINUTES * 60 / STEP)
    at, out = np.array([SIZE / 2] * 2), np.empty((n, 2))
    heading, speed = rng.uniform(0, 6.28), 12.0
    for i in range(n):
        heading += rng.normal(0, 0.25)
        if i % 20 == 0:
            speed = max(0.0, speed + 0.3 * (10 - speed) + 4 * rng.normal())
        at = at + speed * STEP * np.array([np.cos(heading), np.sin(heading)])
        for axis in (0, 1):
            if at[axis] < 0 or at[axis] > SIZE:
                at[axis] = np.clip(at[axis], 0, SIZE)
                heading += np.pi / 2 * rng.choice([-1, 1])
        out[i] = at
    return out


def events(
    rng: np.random.Generator,
    place: tuple[np.ndarray, np.ndarray] | np.ndarray,
    n_tuned: int,
    lag: float,
    *,
    n_units: int = 53,
    bursts: bool = False,
    gain: bool = False,
) -> np.ndarray:
    """Counts (time, unit) that follow the place by a lag [s]."""
    n = len(place) if isinstance(place, np.ndarray) else len(place[0])
    source = np.arange(n) - round(lag / STEP)
    there, source = (source >= 0) & (source < n), np.clip(source, 0, n - 1)
    counts = np.zeros((n, n_units), dtype=np.uint8)
    slow = np.exp(0.7 * np.repeat(rng.standard_normal(n // 400 + 1), 400)[:n]) if gain else 1.0
    for unit in range(n_units):
        mean = np.exp(rng.uniform(np.log(5), np.log(60)))
        rate = np.ones(n)
        if unit < n_tuned:
            if isinstance(place, np.ndarray):
                centre = rng.uniform(0, SIZE, 2)
                rate = np.exp(-((place - centre) ** 2).sum(axis=1) / 2 / WIDTH**2) + 0.03
            else:
                middle, way = rng.uniform(5, LENGTH - 5), rng.choice([-1, 1])
                field = np.exp(-((place[0] - middle) ** 2) / 2 / WIDTH**2)
                rate = field * (place[1] == way) + 0.03
            rate = rate[source]
            rate[~there] = rate.mean()
        rate = rate * slow
        found = rng.poisson(np.minimum(rate / rate.sum() * mean, 1))
        if bursts:
            for frame in np.flatnonzero(found):
                more = frame + rng.integers(0, 12, rng.poisson(3))
                np.add.at(found, more[more < n], 1)
        counts[:, unit] = np.minimum(found, 255)
    return counts


def verdict(seed: int, kind: str, n_tuned: int, lag: float, **options: bool) -> tuple[str, float]:
    """What the scan says of one session, and its best lag."""
    rng = np.random.default_rng(seed)
    place = box(rng) if kind == "box" else track(rng, kind)
    counts = events(rng, place, n_tuned, lag, **options)
    axes: dict[str, Any] = {"x": place[0]}
    if isinstance(place, np.ndarray):
        axes = {"x": place[:, 0], "y": place[:, 1]}
    recording = recording_from_arrays(
        counts, kind="events", frame_duration=STEP, accept=["*"], **axes
    )
    found = check_lag(recording)
    return found["verdict"].item(), found["best_lag"].item()


def main() -> None:
    """Print a row for each kind of behaviour and truth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="5 sessions of each row")
    n = 5 if parser.parse_args().small else 100
    for kind in ("irregular", "nearly regular", "clockwork", "box"):
        for name, n_tuned, lag, options in ROWS:
            found = [verdict(5000 + seed, kind, n_tuned, lag, **options) for seed in range(n)]
            told = Counter(item for item, _ in found)
            low, middle, high = np.quantile([best for _, best in found], [0.1, 0.5, 0.9])
            words = ", ".join(f"{key} {told[key]}" for key in sorted(told))
            print(f"{kind:15} {name:24} {words}; best lag {middle:.1f} s ({low:.1f} to {high:.1f})")


if __name__ == "__main__":
    main()
