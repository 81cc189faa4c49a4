"""Trends over sessions as recorded and on an equal footing, where only the recording changes.

    python benchmarks/footing.py              # 6 recordings a row, some 5 minutes
    python benchmarks/footing.py --small      # half a minute

Six sessions on a track of 100 cm, run to and fro; two of three units have a field in each
direction, the others none. What changes from session to session is one of: nothing; the expected
events of a map, from 72 to 9; the minutes, from 12 to 3; where the animal runs (it avoids one half
of the track more and more); the share of units with a field (from 67 to 27 %: true sparsification);
or where the fields are (true drift). Shown for each measure are the mean slope a session and its
standard error over recordings, and in how many recordings p is below .05: as recorded, and on an
equal footing. A trend of a row marked "none" is an error.
"""

from __future__ import annotations

import argparse
import warnings
from typing import Any

import numpy as np
import pandas as pd

import neurodrift as nd

STEP, LENGTH, N_SESSIONS, N_UNITS = 0.1, 100.0, 6, 60
BINNING = nd.Binning(bin_width=5.0, edges=np.linspace(0, LENGTH, 21))

ROWS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("nothing", "none", "events", {}),
    ("events of a map 72 to 9", "none", "events", {"events": 72 * 0.125 ** np.linspace(0, 1, 6)}),
    ("minutes 12 to 3", "none", "time", {"minutes": np.linspace(12, 3, 6)}),
    ("one half avoided", "none", "occupancy", {"avoid": np.linspace(0, 0.85, 6)}),
    ("fields of fewer units", "place cells", "events", {"tuned": np.linspace(0.67, 0.27, 6)}),
    ("the same, events 72 to 24", "place cells", "events", {
        "tuned": np.linspace(0.67, 0.27, 6), "events": np.linspace(72, 24, 6)}),
    ("fields move", "drift", "events", {"drift": 0.2}),
    ("fields move, events 72 to 9", "drift", "events", {
        "drift": 0.2, "events": 72 * 0.125 ** np.linspace(0, 1, 6)}),
)  # fmt: skip


def laps(rng: np.random.Generator, minutes: float, avoid: float) -> dict[str, np.ndarray]:
    """Position, direction and lap; with `avoid` most laps turn back in the middle."""
    x, way, lap = [], [], []
    total, number, at = 0, 0, 0.0
    while total < minutes * 60 / STEP:
        forth = number % 2 == 0
        end = 0.0 if not forth else LENGTH if rng.random() > avoid else LENGTH / 2
        seconds = max(abs(end - at) / 20.0 * np.exp(0.2 * rng.standard_normal()), 1.0)
        steps = np.arange(0, seconds, STEP) / seconds
        x.append(at + (end - at) * steps)
        way.append(np.full(steps.size, 1 if end > at else -1))
        lap.append(np.full(steps.size, number))
        at, number, total = end, number + 1, total + steps.size
    return {"x": np.concatenate(x), "direction": np.concatenate(way), "lap": np.concatenate(lap)}


def make(
    seed: int,
    *,
    events: Any = 40.0,
    minutes: Any = 8.0,
    avoid: Any = 0.0,
    tuned: Any = 0.67,
    drift: float = 0.0,
) -> Any:
    """A recording; what is given as an array changes from session to session."""
    rng = np.random.default_rng(seed)
    course = {
        name: np.broadcast_to(np.asarray(value, dtype=float), N_SESSIONS)
        for name, value in (
            ("events", events), ("minutes", minutes), ("avoid", avoid), ("tuned", tuned)
        )
    }  # fmt: skip
    centres = rng.uniform(5, 95, (2, N_UNITS))
    gain = np.exp(0.4 * rng.standard_normal(N_UNITS))
    rank = rng.permutation(N_UNITS) / N_UNITS
    parts = []
    for s in range(N_SESSIONS):
        if s:
            moved = rng.random(N_UNITS) < drift
            centres[:, moved] = rng.uniform(5, 95, (2, int(moved.sum())))
        part = laps(rng, course["minutes"][s], course["avoid"][s])
        field = np.zeros((part["x"].size, N_UNITS))
        for d, sign in enumerate((-1, 1)):
            here = part["direction"] == sign
            field[here] = np.exp(-0.5 * ((part["x"][here, None] - centres[d]) / 8.0) ** 2)
        has_field = rank < course["tuned"][s]
        # a mean rate that does not depend on tuning; of 8 minutes, two maps of so many events
        rate = np.where(has_field, 0.15 + 4.25 * field, 1.0) * gain
        rate *= course["events"][s] * 2 / (8 * 60)
        part["activity"] = np.minimum(rng.poisson(rate * STEP), 250).astype(np.uint8)
        parts.append(part)
    names = ("x", "direction", "lap")
    return nd.recording_from_arrays(
        [part["activity"] for part in parts],
        kind="events",
        frame_duration=STEP,
        speed=[np.full(part["x"].size, 20.0) for part in parts],
        **{name: [part[name] for part in parts] for name in names},
    )


MEASURES = (
    "fraction_place_cells", "information", "information_population", "fraction_active_units",
)  # fmt: skip


def slopes(seed: int, match: str, n_draws: int, **row: Any) -> np.ndarray:
    """(measure, (raw, matched), (slope a session, p)); the last measure is the decay of maps."""
    recording = make(seed, **row)
    cells = nd.detect_place_cells(recording, binning=BINNING)["is_place_cell"]
    cross = nd.compute_cross_fitted_information(recording, binning=BINNING, n_repeats=30)
    halves = nd.compute_half_maps(recording, binning=BINNING, smoothing=5.0, split="lap")
    drift = nd.compute_session_drift(nd.compute_drift(halves, n_repeats=0, per_unit=False))
    raw = {
        "fraction_place_cells": cells.mean("unit"),
        "information": cross["information"],
        "information_population": cross["population"],
        "fraction_active_units": nd.compute_sparsity(recording)["fraction_active_units"],
    }
    matched = nd.compute_matched_measures(
        recording,
        match=match,
        binning=BINNING,
        smoothing=5.0,
        n_repeats=30,
        n_draws=n_draws,
        seed=seed,  # so that no draw is common to the recordings
    )
    found = np.full((len(MEASURES) + 1, 2, 2), np.nan)
    for i, name in enumerate(MEASURES):
        for k, source in enumerate((raw, matched)):
            if name in source:
                found[i, k] = _slope(source[name].values)
    for k, tree in enumerate((drift, matched)):
        r = tree["rate_map_correlation_relative"].values
        lags = np.arange(1, N_SESSIONS)
        means = [np.nanmean(np.diagonal(r, lag)) for lag in lags]
        found[-1, k, 0] = np.polyfit(lags, means, 1)[0]  # pairs share sessions: no p
    return found


def _slope(values: np.ndarray) -> tuple[float, float]:
    """Least-squares slope a session and its p."""
    table = pd.DataFrame({"value": values, "session": np.arange(values.size, dtype=float)})
    if table["value"].notna().sum() < 3:
        return np.nan, np.nan
    fit = nd.regress(table, "value", "session").sel(term="session")
    return float(fit["estimate"]), float(fit["p"])


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="a quick look")
    small = parser.parse_args().small
    warnings.simplefilter("ignore")
    n_seeds, n_draws = (1, 5) if small else (6, 10)
    names = (*MEASURES, "maps without noise, by lag")
    print(f"{'what changes':28}{'truth':13}{'match':11}{'measure':28}"
          f"{'as recorded':>24}{'equal footing':>26}")  # fmt: skip
    for name, truth, match, row in ROWS[1:2] if small else ROWS:
        made = np.array([slopes(5000 + k, match, n_draws, **row) for k in range(n_seeds)])
        for i, measure in enumerate(names):
            text = "".join(f"{_mean(made[:, i, k]):>26}" for k in (0, 1))
            print(f"{name:28}{truth:13}{match:11}{measure:28}{text}", flush=True)


def _mean(values: np.ndarray) -> str:
    """Mean slope and its standard error, and the recordings with p below .05."""
    slope, p = values[np.isfinite(values[:, 0])].T
    if not slope.size:
        return "-"
    se = slope.std(ddof=1) / slope.size**0.5 if slope.size > 1 else np.nan
    found = f" {int((p < 0.05).sum())}/{p.size}" if np.isfinite(p).any() else ""
    return f"{slope.mean():+.4f} ±{se:.4f}{found}"


if __name__ == "__main__":
    main()
