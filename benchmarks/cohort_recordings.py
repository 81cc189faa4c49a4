"""Whole cohorts, from recordings to answers: does a study find what is there, and only that?

    python benchmarks/cohort_recordings.py               # 20 cohorts a truth, about half an hour
    python benchmarks/cohort_recordings.py --small       # 1 of each, so that CI keeps it alive

Each cohort is a folder of recordings of which nothing but plain arrays is known to the package, and
one study file. In the animals of a cohort one thing changes from session to session, the more in
some animals and the less in others:

``nothing``
    Each animal has four sessions of the same cells and maps.
``silent``
    Cells fall silent for good, a tenth of those that are left in each step.
``behaviour``
    The animal runs faster, and cells fire more or less with its speed.
``events``
    All rates fall, to a quarter in the last session.
``walk``
    Fields move on their own, 8 cm in each step.

Shown is the share of cohorts in which an answer is found at .05, not corrected for the questions:
as recorded, on an equal footing of events, and with covariates held.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from known_animals import LENGTH, SPEED, STEP, fields, laps

import neurodrift as nd

TRUTHS = ("nothing", "silent", "behaviour", "events", "walk")
QUESTIONS = {
    "fraction_active_units ~ day": "active units",
    "fraction_place_cells ~ day": "place cells",
    "information ~ day": "information",
    "decay of rate_map_correlation_relative ~ day": "map correlation",
}
SESSIONS = 4
NODES = ["sessions", "place_cells", "drift", "session_drift", "cross_fitted", "matched"]
ANALYSIS = {"n_repeats": 20, "measures": NODES}


def animal(truth: str, rng: np.random.Generator, n_units: int, n_laps: int) -> list[dict[str, Any]]:
    """The sessions of one animal: position, lap, direction, speed and counts of every frame."""
    gain = np.exp(0.5 * rng.standard_normal(n_units))
    taste = rng.normal(0.0, 1.0, n_units) if truth == "behaviour" else np.zeros(n_units)
    centre = rng.uniform(0, LENGTH, (2, n_units))
    on = rng.random(n_units) < 0.9
    how_much = rng.uniform(0.7, 1.3)  # of this animal
    sessions = []
    for s in range(SESSIONS):
        if s and truth == "silent":
            on = on & (rng.random(n_units) > 0.1 * how_much)
        if s and truth == "walk":
            centre = np.clip(centre + rng.normal(0, 8.0 * how_much, centre.shape), 0, LENGTH)
        speed = SPEED * np.exp(0.05 * rng.standard_normal())
        if truth == "behaviour":
            speed *= 1 + 0.15 * how_much * s
        level = 0.25 ** (how_much * s / (SESSIONS - 1)) if truth == "events" else 1.0
        level *= np.exp(0.1 * rng.standard_normal())  # sessions differ without a reason
        part = laps(rng, n_laps, False, speed)
        rate = np.tile(0.05 * gain, (part["x"].size, 1))
        for d, way in enumerate((-1, 1)):
            here = part["direction"] == way
            drive = np.exp(taste * (part["speed"][here][:, None] / SPEED - 1.0))
            rate[here] = gain * (0.05 + 4.0 * fields(part["x"][here], centre[d], False)) * drive
        counts = rng.poisson(rate * on * level * STEP)
        part["activity"] = np.minimum(counts, 250).astype(np.uint8)
        sessions.append(part)
    return sessions


def write_cohort(folder: Path, truth: str, seed: int, n: int, n_units: int, n_laps: int) -> None:
    """Recordings of `n` animals."""
    for number in range(n):
        parts = animal(truth, np.random.default_rng([seed, number]), n_units, n_laps)
        recording = nd.recording_from_arrays(
            [part.pop("activity") for part in parts],
            kind="events",
            frame_duration=STEP,
            geometry="linear",
            day=2.0 * np.arange(SESSIONS),
            subject=f"m{number}",
            environment="track",
            **{name: [part[name] for part in parts] for name in parts[0]},
        )
        nd.save_recording(recording, folder / f"m{number}.zarr")


def answers(truth: str, seed: int, n: int, n_units: int, n_laps: int) -> pd.DataFrame:
    """What one study of one cohort answers."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "data").mkdir()
        write_cohort(folder / "data", truth, seed, n, n_units, n_laps)
        plan = {
            "recordings": [{"path": str(folder / "data" / "*.zarr")}],
            "analysis": ANALYSIS,
            "questions": list(QUESTIONS),
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = nd.study(plan, folder / "study", reports=False)
        table = nd.tabulate_answers(found)
    return table


def main() -> None:
    """Parse the command line and print the shares."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--cohorts", type=int, default=20, help="of each truth")
    parser.add_argument("--animals", type=int, default=6)
    parser.add_argument("--units", type=int, default=40)
    parser.add_argument("--laps", type=int, default=40, help="single passages of a session")
    parser.add_argument("--truths", nargs="+", choices=TRUTHS, default=list(TRUTHS))
    given = parser.parse_args()
    n_cohorts, n, units, n_laps = given.cohorts, given.animals, given.units, given.laps
    if given.small:
        n_cohorts, n, units, n_laps = 1, 3, 12, 12
    for truth in given.truths:
        began = time.process_time()
        tables = [
            answers(truth, 1000 * TRUTHS.index(truth) + i, n, units, n_laps)
            for i in range(n_cohorts)
        ]
        show(truth, pd.concat(tables), n_cohorts, time.process_time() - began)


def show(truth: str, table: pd.DataFrame, n: int, seconds: float) -> None:
    """Print the share of cohorts that found something, by question and variant."""
    table = table.assign(found=table["p"] < 0.05, there=np.isfinite(table["p"]))
    rows = table.groupby(["question", "variant"], sort=False)[["found", "there"]].sum()
    shown = rows.apply(lambda row: f"{row['found']} of {row['there']}", axis=1).unstack()  # noqa: PD010
    shown = shown.rename(index=QUESTIONS)
    print(f"\n== {truth}: {n} cohorts, {seconds:.0f} CPU seconds", flush=True)
    print(shown.to_string(), flush=True)


if __name__ == "__main__":
    main()
