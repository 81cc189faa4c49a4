"""The real recordings of Sheintuch et al. 2020, read without the converter, as reference."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from neurodrift import join_sessions, recording_from_arrays

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))  # known_animals

SERIES = [("C6_M4", "A"), ("C6_M4", "B"), ("C12_M4", "A")]


@pytest.fixture(scope="session")
def real_recording(shared_data: Path) -> Callable[[str, str], xr.Dataset]:
    """Recording of one mouse and environment, track trials only."""
    return cache(lambda mouse, environment: read_series(shared_data, mouse, environment))


def read_series(data: Path, mouse: str, environment: str) -> xr.Dataset:
    from scipy.io import loadmat

    folder = data / "sheintuch2020" / mouse / f"Environment {environment}"
    registration = loadmat(folder / "cell_registration.mat")["cell_to_index_map"].astype(int)
    labels = pd.read_excel(folder / "Maps per trial.xlsx", sheet_name=0).set_index(
        "Session #/ Trial #"
    )
    parts = []
    for n in range(1, 9):
        events = loadmat(folder / f"finalEventsMat_{n}.mat", squeeze_me=True)["allEventsMat"] > 0
        behaviour = loadmat(folder / f"behavior_{n}.mat", squeeze_me=True, struct_as_record=False)[
            "my_mvmt"
        ]
        with open(folder / f"frameLog_{n}.csv", newline="") as file:
            log = list(csv.DictReader(file))
        rows = {trial: trial for trial in range(1, 6)}
        if (mouse, environment, n) == ("C6_M4", "A", 2):
            rows[5] = 6  # the fifth trial was recorded twice
        trials = []
        for trial, row in rows.items():
            entry = behaviour[row]
            if environment == "A":
                position, velocity = entry.position, entry.velocity
            else:
                position, velocity = entry.rough_linearized_location, entry.velocity_VER2
            window = np.ones(8)
            inside = np.convolve(np.ones(velocity.size), window, mode="same")
            velocity = np.convolve(velocity, window, mode="same") / inside
            first, last = int(log[row]["begFrame"]) - 1, int(log[row]["endFrame"])
            trials.append((trial, *align(events[first:last], position[1:], velocity[1:])))
        lengths = [len(item[1]) for item in trials]
        position = np.concatenate([item[2] for item in trials])
        if environment == "B":
            low = np.median([item[2].min() for item in trials])
            high = np.median([item[2].max() for item in trials])
            position = (position - low) / (high - low)
        velocity = np.concatenate([item[3] for item in trials])
        fast = np.abs(velocity) >= 1
        parts.append(
            recording_from_arrays(
                np.concatenate([item[1] for item in trials]).astype(np.uint8),
                kind="events",
                frame_duration=0.05,
                x=96 * np.clip(position, 0, 1),
                speed=np.abs(velocity),
                direction=np.where(fast, np.sign(velocity), 0),
                trial=np.repeat([item[0] for item in trials], lengths),
                map_label=np.repeat([labels.loc[n].iloc[item[0] - 1] for item in trials], lengths),
                session=[str(n)],
                day=[2.0 * (n - 1)],
                subject=mouse,
                environment=environment,
            )
        )
    joined = join_sessions(
        parts, registration=pd.DataFrame(registration - 1, index=range(len(registration)))
    )
    # Columns that the registration never names cannot be matched to other sessions.
    return joined.sel(unit=[unit for unit in joined["unit"].values if ":" not in str(unit)])


def align(
    events: np.ndarray, position: np.ndarray, velocity: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    surplus = len(events) - len(position)
    if 0 < surplus <= 20:
        events = events[surplus:]
    elif -20 <= surplus < 0:
        position, velocity = position[-surplus:], velocity[-surplus:]
    n = min(len(events), len(position))
    return events[:n], position[:n], velocity[:n]
