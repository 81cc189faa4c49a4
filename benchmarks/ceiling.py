"""Similarity of two sessions without noise: does it find the truth, however few events there are?

    python benchmarks/ceiling.py              # 40 recordings a row, some 8 minutes
    python benchmarks/ceiling.py --small      # 20 seconds

Two sessions on a track of 100 cm, run to and fro, with a rest at each end. Every unit has a field
in each direction, and a gain of its own (log-normal). Between the sessions a share of the units may
get new fields, all rates may fall, or each unit's gain may change. Shown are means over recordings
of what :func:`neurodrift.compute_session_drift` calls ``_relative`` less its truth, the same
measure of the rates that activity was drawn from: maps, population vectors and ensemble rates, over
all units and over place cells. Overlaps and r squared of the representation stand beside their
uncorrected values; without drift their truth is 1. Place cells are of ten of the recordings.
"""

from __future__ import annotations

import argparse
import warnings
from typing import Any

import numpy as np

import neurodrift as nd

STEP, LENGTH = 0.1, 100.0
BINNING = nd.Binning(bin_width=5.0, edges=np.linspace(0, LENGTH, 21))
SMOOTHING = 5.0

ROWS: tuple[tuple[str, dict[str, Any]], ...] = (
    *((f"no drift, rates x{s}", {"scale": (s, s)}) for s in (2.0, 0.5, 0.2, 0.08)),
    *((f"drift .3, rates x{s}", {"scale": (s, s), "drift": 0.3}) for s in (2.0, 0.5, 0.2)),
    ("no drift, gains change", {"gain_sd": 1.0}),
    ("no drift, rates x1 then x.2", {"scale": (1.0, 0.2)}),
    ("no drift, 3 min x.5", {"scale": (0.5, 0.5), "minutes": 3}),
    ("drift .3, 3 min x.5", {"scale": (0.5, 0.5), "minutes": 3, "drift": 0.3}),
    ("no drift, 25 units x.5", {"scale": (0.5, 0.5), "n_units": 25}),
    ("no drift, weak fields", {"base": 0.5, "peak": 0.5}),
    ("drift .3, rates x1 then x.2", {"scale": (1.0, 0.2), "drift": 0.3}),
    ("drift .3, gains change", {"gain_sd": 1.0, "drift": 0.3}),
    ("no drift, half untuned x.5", {"scale": (0.5, 0.5), "tuned": 0.5}),
    ("drift .3, half untuned x.5", {"scale": (0.5, 0.5), "tuned": 0.5, "drift": 0.3}),
)


def laps(rng: np.random.Generator, minutes: float) -> dict[str, np.ndarray]:
    """Position, direction, lap and speed of every frame."""
    x, way, lap = [], [], []
    total, number = 0, 0
    while total < minutes * 60 / STEP:
        seconds = 5.0 * np.exp(0.25 * rng.standard_normal())
        passage = np.arange(0, seconds, STEP) / seconds * LENGTH
        rest = int(rng.exponential(1.0) / STEP)
        forth = number % 2 == 0
        place = np.concatenate([passage, np.full(rest, LENGTH)])
        x.append(place if forth else LENGTH - place)
        way.append(np.repeat([1 if forth else -1, 0], [passage.size, rest]))
        lap.append(np.full(place.size, number))
        total, number = total + place.size, number + 1
    joined = {"x": np.concatenate(x), "direction": np.concatenate(way), "lap": np.concatenate(lap)}
    return joined | {"trial": joined["lap"] // 4, "speed": 20.0 * np.abs(joined["direction"])}


def make(
    rng: np.random.Generator,
    *,
    scale: tuple[float, float] = (1.0, 1.0),
    drift: float = 0.0,
    minutes: float = 8,
    base: float = 0.08,
    peak: float = 1.2,
    gain_sd: float = 0.0,
    n_units: int = 100,
    tuned: float = 1.0,
) -> tuple[Any, list[np.ndarray]]:
    """A recording of two sessions, and the rates (unit, direction, position) of both, smoothed."""
    centres = rng.uniform(8, 92, (2, n_units))
    gain = np.exp(rng.standard_normal(n_units))
    gain /= gain.mean()
    peaks = np.where(rng.random(n_units) < tuned, peak, 0.0)
    bases = np.where(peaks > 0, base, base + peak * 0.2)  # of untuned units, about as many events
    parts, rates = [], []
    for s in range(2):
        if s:
            moved = rng.random(n_units) < drift
            centres[:, moved] = rng.uniform(8, 92, (2, int(moved.sum())))
        own = gain * scale[s] * (np.exp(gain_sd * rng.standard_normal(n_units)) if gain_sd else 1)
        part = laps(rng, minutes)
        way = part["direction"]
        rate = np.where(way[:, None] == 0, bases, 0.0)
        for d, sign in enumerate((-1, 1)):
            here = way == sign
            field = np.exp(-0.5 * ((part["x"][here, None] - centres[d]) / 8.0) ** 2)
            rate[here] = bases + peaks * field
        part["activity"] = np.minimum(rng.poisson(rate * own * STEP), 250).astype(np.uint8)
        parts.append(part)
        fine = np.linspace(0, LENGTH, 401)[:-1] + 0.125
        field = np.exp(-0.5 * ((fine - centres[:, :, None]) / 8.0) ** 2)
        binned = (bases[:, None] + peaks[:, None] * field).reshape(2, n_units, 20, 20).mean(-1)
        rates.append(np.moveaxis(_smooth(binned * own[:, None]), 0, 1))
    recording = nd.recording_from_arrays(
        [part.pop("activity") for part in parts],
        kind="events",
        frame_duration=STEP,
        **{name: [part[name] for part in parts] for name in parts[0]},
    )
    return recording, rates


def _smooth(maps: np.ndarray) -> np.ndarray:
    centres = np.arange(2.5, LENGTH, 5.0)
    apart = np.abs(centres[:, None] - centres)
    weight = np.where(apart <= 3 * SMOOTHING, np.exp(-0.5 * (apart / SMOOTHING) ** 2), 0.0)
    return maps @ (weight / weight.sum(axis=1, keepdims=True)).T


def _correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a, b = (v - v.mean(axis=-1, keepdims=True) for v in (a, b))
    norm = np.sqrt((a**2).sum(-1) * (b**2).sum(-1))
    return np.divide((a * b).sum(-1), norm, out=np.full(norm.shape, np.nan), where=norm > 1e-9)


def truths(rates: list[np.ndarray], units: np.ndarray) -> list[float]:
    """Correlation of maps (of tuned units), of population vectors and of mean rates."""
    maps = np.nanmean(_correlation(*rates))
    vectors = _correlation(*(np.moveaxis(rate[units], 0, -1) for rate in rates)).mean()
    return [maps, vectors, _correlation(*(rate.mean(axis=(1, 2)) for rate in rates))]


def one(seed: int, with_cells: bool, **row: Any) -> np.ndarray:
    """(all units, place cells) by (value, truth) of three measures, and the others."""
    recording, rates = make(np.random.default_rng(seed), **row)
    halves = nd.compute_half_maps(recording, binning=BINNING, smoothing=SMOOTHING, split="trial")
    cells = None
    if with_cells:
        cells = nd.detect_place_cells(recording, binning=BINNING)["significant"]
    names = ("rate_map_correlation", "population_vector_correlation", "ensemble_rate_correlation")
    found: list[float] = []
    for chosen in (None, cells) if with_cells else (None,):
        segments = nd.compute_drift(halves, place_cells=chosen, n_repeats=0, per_unit=False)
        drift = nd.compute_session_drift(segments)
        units = np.ones(recording.sizes["unit"], dtype=bool)
        if chosen is not None:
            units = chosen.any("session").any("direction").values
        for name, true in zip(names, truths(rates, units), strict=True):
            found += [float(drift[f"{name}_relative"][0, 1]), true]
            found.append(float(drift[f"{name}_relative_se"][0, 1]))
    if cells is None:
        found += [np.nan] * 12
    else:
        any_cell = cells.any("direction").values
        found.append((any_cell[0] & any_cell[1]).sum() / (any_cell[0] | any_cell[1]).sum())
        for source in (recording, nd.match_sessions(recording, binning=BINNING)):
            cross = nd.compute_cross_fitted_information(source, binning=BINNING, n_repeats=1)
            overlap = nd.compute_relative_overlap(
                cross["chosen"], chance=0.05, tested=cross["tested"]
            )
            found.append(float(overlap["overlap"][0, 1]))
    maps = nd.compute_rate_maps(recording, binning=BINNING, smoothing=SMOOTHING)
    stability = nd.compute_representation_stability(maps, halves=halves, per_unit=False)
    for name in ("r_squared", "r_squared_centred"):
        found += [float(stability[f"{name}{end}"][0, 1]) for end in ("", "_relative")]
        flat = [rate - (0 if name == "r_squared" else rate.mean((1, 2), keepdims=True))
                for rate in rates]  # fmt: skip
        found.append(float(_correlation(*(f.reshape(-1) for f in flat)) ** 2))
    events = recording["activity"].values.sum() / recording.sizes["unit"] / 2
    return np.array([*found, events])


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="a quick look")
    small = parser.parse_args().small
    warnings.simplefilter("ignore")
    n_seeds, n_with_cells = (2, 1) if small else (40, 10)
    worst = 0.0
    print(
        "value less truth (sd over recordings; mean standard error): maps, vectors, rates of all\n"
        "units | of place cells | place-cell overlap raw, relative, the same with equal events |\n"
        "r2 raw, relative, true | r2 centred raw, relative, true | events a unit"
    )
    for name, row in ROWS[2:3] if small else ROWS:
        made = np.array([one(3000 + seed, seed < n_with_cells, **row) for seed in range(n_seeds)])
        columns = []
        for k in range(6):
            off = made[:, 3 * k] - made[:, 3 * k + 1]
            worst = max(worst, abs(np.nanmean(off)))
            se = np.nanmean(made[:, 3 * k + 2])
            columns.append(f"{np.nanmean(off):+.3f} ({np.nanstd(off):.2f}; {se:.2f})")
        mean = np.nanmean(made[:, 18:], axis=0)
        rest = f"{_text(mean[:3])} | {_text(mean[3:6])} | {_text(mean[6:9])}"
        print(
            f"{name:28}{' '.join(columns[:3])} | {' '.join(columns[3:])} | {rest} | "
            f"{mean[9]:.0f}  nan {np.isnan(made[:, :9]).any(axis=1).sum()}",
            flush=True,
        )
    print(f"largest mean deviation of a correlation: {worst:.3f}")


def _text(values: np.ndarray) -> str:
    return " ".join(f"{value:.2f}" for value in values)


if __name__ == "__main__":
    main()
