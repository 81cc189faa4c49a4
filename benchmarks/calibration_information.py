"""Information of a session while only the number of events falls: the published mean of chosen maps
and the cross-fitted one.

    python benchmarks/calibration_information.py              # 12 recordings a row, some 10 minutes
    python benchmarks/calibration_information.py --small      # a minute

Every recording has sessions of 12 minutes on a track of 100 cm, run to and fro. All maps of a row
are equally tuned in all sessions, a little, sharply or not at all; what falls from session to
session is the expected number of events of each map: 72, 36, 18, 9. The true information is that of
the rates on the frames that were visited. ``SSR, chosen`` is the mean over maps that are
significant in the same session (SSR of single maps from samples of frames), as published.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from neurodrift import (
    Binning,
    compute_cross_fitted_information,
    compute_spatial_information,
    detect_place_cells,
    recording_from_arrays,
)

STEP, LENGTH, MINUTES = 0.1, 100.0, 12
EVENTS = (72, 36, 18, 9)  # expected of a map
FIRST_SEED = 1000  # the estimator was chosen on seeds from 0 on
BINNING = Binning(bin_width=4.0, speed_range=(0.0, np.inf), edges=np.linspace(0, LENGTH, 26))

ROWS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("weak", {"depth": 1.0, "width": 16.0}),
    ("tuned", {"depth": 5.0, "width": 10.0}),
    ("sharp", {"depth": 30.0, "width": 8.0}),
    ("none", {"depth": 0.0, "width": 8.0}),
    ("none, 6 frames an event", {"depth": 0.0, "width": 8.0, "lasting": 6}),
    ("weak, nearly regular laps", {"depth": 1.0, "width": 16.0, "irregular": 0.01}),
)


def laps(rng: np.random.Generator, irregular: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Position [cm], direction and lap of every frame of a session."""
    x, way, lap = [], [], []
    n, number = 0, 0
    while n < MINUTES * 60 / STEP:
        seconds = 5.0 * np.exp(irregular * rng.standard_normal())
        passage = np.arange(0.5 * STEP, seconds, STEP) / seconds * LENGTH
        forth = number % 2 == 0
        x.append(passage if forth else LENGTH - passage)
        way.append(np.full(passage.size, 1 if forth else -1))
        lap.append(np.full(passage.size, number))
        n, number = n + passage.size, number + 1
    return np.concatenate(x), np.concatenate(way), np.concatenate(lap)


def session(
    rng: np.random.Generator,
    centres: np.ndarray,
    events: float,
    depth: float,
    width: float,
    lasting: int,
    irregular: float,
) -> tuple[dict[str, np.ndarray], float]:
    """Frames of a session and the mean true information of its maps."""
    x, way, lap = laps(rng, irregular)
    activity = np.zeros((x.size, centres.shape[1]))
    true = []
    for d, sign in enumerate((1, -1)):
        here = np.flatnonzero(way == sign)
        tuned = 1 + depth * np.exp(-0.5 * ((x[here, None] - centres[d]) / width) ** 2)
        expected = tuned * events / tuned.sum(axis=0)
        place = np.minimum(x[here] // 4, 24).astype(int)
        share = np.array([expected[place == s].sum(axis=0) for s in range(25)]) / events
        occupied = np.bincount(place, minlength=25)[:, None] / here.size
        true.append((share * np.log2(share / occupied)).sum(axis=0).mean())
        activity[here] = rng.poisson(expected)
    onsets = activity.copy()
    for k in range(1, lasting):
        activity[k:] += onsets[:-k]
    return {"x": x, "direction": way, "lap": lap, "activity": activity}, float(np.mean(true))


def values(seed: int, n_units: int, n_repeats: int, **row: Any) -> tuple[np.ndarray, float]:
    """(estimator, session) of one recording, and the truth."""
    rng = np.random.default_rng(seed)
    options = {"lasting": 1, "irregular": 0.25} | row
    centres = rng.uniform(0, LENGTH, (2, n_units))
    made = [session(rng, centres, n, **options) for n in EVENTS]
    parts = [part for part, _ in made]
    recording = recording_from_arrays(
        [part["activity"].astype(np.uint8) for part in parts],
        kind="events",
        frame_duration=STEP,
        **{name: [part[name] for part in parts] for name in ("x", "direction", "lap")},
    )
    frames = compute_spatial_information(
        recording, binning=BINNING, corrections="ssr", n_repeats=n_repeats, min_active_frames=5
    )
    cells = detect_place_cells(recording, binning=BINNING)
    chosen = frames["ssr"].where(cells["significant"]).mean(("unit", "direction"))
    found = compute_cross_fitted_information(recording, binning=BINNING, n_repeats=n_repeats)
    population = frames["population_ssr"].mean("direction")
    rows = [chosen, found["information"], population, found["population"]]
    return np.array([row.values for row in rows]), float(np.mean([truth for _, truth in made]))


NAMES = ("SSR, chosen", "cross-fitted", "SSR, population", "parts, population")


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="a quick look")
    small = parser.parse_args().small
    n_seeds, n_units, n_repeats = (2, 40, 20) if small else (12, 100, 100)
    columns = "".join(f"{n:>9} events   " for n in EVENTS)
    print(f"{'':27}{'':18}{'true':>6}  {columns}slope a halving")
    for name, row in ROWS[:4] if small else ROWS:
        made = [values(FIRST_SEED + k, n_units, n_repeats, **row) for k in range(n_seeds)]
        truth = np.mean([true for _, true in made])
        found = np.array([value for value, _ in made])
        steps = np.arange(len(EVENTS)) - (len(EVENTS) - 1) / 2
        for k, estimator in enumerate(NAMES):
            own = found[:, k]
            text = "".join(_mean(own[:, i]) for i in range(len(EVENTS)))
            slopes = (own * steps).sum(axis=1) / (steps**2).sum()
            print(f"{name:27}{estimator:18}{truth:6.3f}{text}{_mean(slopes)}", flush=True)


def _mean(values: np.ndarray) -> str:
    """Mean and its standard error over recordings that have a value."""
    values = values[np.isfinite(values)]
    if values.size < 2:
        return f"{'-':>9}  {'':6}"
    return f"{values.mean():9.3f} ±{values.std(ddof=1) / values.size**0.5:6.3f}"


if __name__ == "__main__":
    main()
