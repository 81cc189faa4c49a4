"""A population that switches between several maps of one environment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from neurodrift import kinematics, seeds
from neurodrift.recording import recording_from_arrays
from neurodrift.schema.options import checked_options
from neurodrift.testing.tracks import TRACK_LENGTH, shuttle


@checked_options
def several_maps(
    map_labels: Sequence[Sequence[int]],
    *,
    n_units: int = 100,
    minutes: float = 3.0,
    frame_rate: float = 10.0,
    drift: float | Sequence[float] = 0.15,
    remapping: float = 1.0,
    tuned: float = 0.7,
    detection: float = 0.7,
    peak_rate: float = 1.0,
    baseline: float = 0.02,
    speed: float = 20.0,
    seed: int = 0,
) -> xr.Dataset:
    """Recording of a mouse on a linear track whose population has one or several maps.

    Parameters
    ----------
    map_labels
        For each session, the number of the map in each of its trials, from 1.
    n_units
        Size of the population.
    minutes
        Length of a trial.
    frame_rate
        Frames per second [Hz].
    drift
        Probability that a unit's fields move from one session to the next, in every map; or one
        for each step between sessions.
    remapping
        Fraction of the units whose fields are not the same in every map.
    tuned
        Fraction of the units that have place fields; the others fire at their mean rate.
    detection
        Probability that a unit is detected in a session (at least one session each).
    peak_rate, baseline
        Rates in and outside the field [Hz]; peaks are spread over the units by a factor of two.
    speed
        Mean running speed [cm/s]; slow mice run few laps.
    seed
        Seed of behaviour, fields and events.

    Returns
    -------
    xarray.Dataset
        A recording of events with position, speed, direction, trials, laps and the true
        ``map_label`` of every frame.

    Examples
    --------
    >>> from neurodrift import testing
    >>> recording = testing.several_maps([[1, 2], [2, 2]], n_units=5, minutes=1)
    >>> sorted(set(recording["map_label"].values.tolist()))
    [1, 2]
    """
    n_sessions = len(map_labels)
    rates = _fields(map_labels, n_units, drift, remapping, tuned, peak_rate, baseline, seed)
    detected = seeds.generator(seed, "detected").random((n_sessions, n_units)) < detection
    detected[np.arange(n_units) % n_sessions, np.arange(n_units)] = True
    n_frames = round(minutes * 60 * frame_rate)
    columns: dict[str, list[np.ndarray]] = {name: [] for name in ("events", "x", "trial", "map")}
    for i, labels in enumerate(map_labels):
        events, positions = [], []
        for k, label in enumerate(labels):
            rng = seeds.generator(seed, "trial", i, k)
            x, heading = shuttle(n_frames, frame_rate, rng, speed)
            rate = rates[label][i][:, (heading < 0).astype(int), np.minimum(x.astype(int), 99)]
            events.append(rng.poisson(rate.T / frame_rate) * detected[i])
            positions.append(x)
        columns["events"].append(np.concatenate(events).astype(np.uint8))
        columns["x"].append(np.concatenate(positions))
        columns["trial"].append(np.repeat(np.arange(len(labels)) + 1, n_frames))
        columns["map"].append(np.repeat(np.asarray(labels), n_frames))
    recording = recording_from_arrays(
        columns["events"],
        kind="events",
        x=columns["x"],
        trial=columns["trial"],
        map_label=columns["map"],
        lap=[kinematics.laps(x, limits=(0.0, TRACK_LENGTH)) for x in columns["x"]],
        frame_duration=1 / frame_rate,
        detected=detected,
        day=2.0 * np.arange(n_sessions),
        subject="synthetic",
        environment="linear track",
    )
    return kinematics.running(recording, window=0.0)


def _fields(
    map_labels: Sequence[Sequence[int]],
    n_units: int,
    drift: float | Sequence[float],
    remapping: float,
    tuned: float,
    peak_rate: float,
    baseline: float,
    seed: int,
) -> dict[int, np.ndarray]:
    """Rates (session, unit, direction, cm) of each map."""
    n_sessions = len(map_labels)
    steps = np.broadcast_to(np.asarray(drift, dtype=float), (max(n_sessions - 1, 0),))
    along = np.arange(TRACK_LENGTH) + 0.5
    rates = {}
    for label in sorted({label for labels in map_labels for label in labels}):
        rates[label] = np.empty((n_sessions, n_units, 2, along.size))
        for j in range(n_units):
            unit = seeds.generator(seed, "unit", j)
            keeps = unit.random() >= remapping
            peak = peak_rate * 2.0 ** unit.uniform(-1, 1)
            fields = seeds.generator(seed, "fields", j, *([] if keeps else [label]))
            centre, width = fields.uniform(0, TRACK_LENGTH, size=2), fields.uniform(6, 12)
            for i in range(n_sessions):
                move, fresh = fields.random(), fields.uniform(0, TRACK_LENGTH, size=2)
                if i > 0 and move < steps[i - 1]:
                    centre = fresh
                bump = np.exp(-0.5 * ((along - centre[:, None]) / width) ** 2)
                tuning = baseline + peak * bump
                is_tuned = j < round(tuned * n_units)
                rates[label][i, j] = tuning if is_tuned else tuning.mean()
    return rates
