"""Open fields with drifting place fields."""

from __future__ import annotations

import numpy as np
import xarray as xr

from neurodrift import kinematics, seeds
from neurodrift.recording import recording_from_arrays
from neurodrift.schema.options import checked_options


@checked_options
def open_field(
    *,
    n_units: int = 20,
    n_sessions: int = 2,
    minutes: float = 10.0,
    frame_rate: float = 10.0,
    size: float = 60.0,
    drift: float = 0.2,
    tuned: float = 0.7,
    two_fields: float = 0.2,
    peak_rate: float = 3.0,
    baseline: float = 0.02,
    speed: float = 15.0,
    seed: int = 0,
) -> xr.Dataset:
    """Recording of a mouse that forages in a square box, with drifting place fields.

    Parameters
    ----------
    n_units, n_sessions
        Size of the population and number of sessions, two days apart.
    minutes
        Length of a session.
    frame_rate
        Frames per second [Hz].
    size
        Length of a wall [cm].
    drift
        Probability that a unit's fields move to new places from one session to the next.
    tuned, two_fields
        Fraction of the units that have place fields (the others fire at their mean rate), and
        the probability that such a unit has two of them.
    peak_rate, baseline
        Rates in and outside the fields [Hz].
    speed
        Mean running speed [cm/s].
    seed
        Seed of behaviour, fields and events.

    Returns
    -------
    xarray.Dataset
        A recording of events with position, speed and five trials a session; every frame is one
        Poisson draw. :func:`open_field_truth` with equal arguments gives its true rates.

    Examples
    --------
    >>> from neurodrift import testing
    >>> recording = testing.open_field(n_units=3, n_sessions=1, minutes=1)
    >>> sorted(name for name in recording if name in ("x", "y", "speed", "direction"))
    ['speed', 'x', 'y']
    """
    truth = open_field_truth(
        n_units=n_units,
        n_sessions=n_sessions,
        size=size,
        drift=drift,
        tuned=tuned,
        two_fields=two_fields,
        peak_rate=peak_rate,
        baseline=baseline,
        seed=seed,
    )
    n_frames = round(minutes * 60 * frame_rate)
    counts, positions = [], []
    for i in range(n_sessions):
        place = _forage(n_frames, frame_rate, size, speed, seeds.generator(seed, "forage", i))
        at = np.minimum(place.astype(int), truth.sizes["x"] - 1)
        rates = truth["rate"].values[i][:, at[:, 0], at[:, 1]]
        draws = [
            seeds.generator(seed, "events", i, j).poisson(rates[j] / frame_rate)
            for j in range(n_units)
        ]
        counts.append(np.minimum(np.stack(draws, axis=1), 255).astype(np.uint8))
        positions.append(place)
    recording = recording_from_arrays(
        counts,
        kind="events",
        x=[place[:, 0] for place in positions],
        y=[place[:, 1] for place in positions],
        trial=[np.arange(n_frames) * 5 // n_frames + 1] * n_sessions,
        frame_duration=1 / frame_rate,
        day=2.0 * np.arange(n_sessions),
        subject="synthetic",
        environment="open field",
    )
    return kinematics.running(recording, window=0.0)


@checked_options
def open_field_truth(
    *,
    n_units: int = 20,
    n_sessions: int = 2,
    size: float = 60.0,
    drift: float = 0.2,
    tuned: float = 0.7,
    two_fields: float = 0.2,
    peak_rate: float = 3.0,
    baseline: float = 0.02,
    seed: int = 0,
) -> xr.Dataset:
    """True rates behind :func:`open_field`.

    Parameters
    ----------
    n_units, n_sessions, size, drift, tuned, two_fields, peak_rate, baseline, seed
        As for :func:`open_field`.

    Returns
    -------
    xarray.Dataset
        ``rate`` (session, unit, x, y) [Hz] in steps of 1 cm; ``centre`` (session, unit, field,
        axis) and ``width`` (unit, field) of the Gaussian fields [cm], NaN where there is none;
        ``is_tuned`` (unit); ``moved`` (session, unit), whether the fields are new since the
        session before. Two fields of a unit keep at least half a wall between each other.

    Examples
    --------
    >>> from neurodrift import testing
    >>> dict(testing.open_field_truth(n_units=2)["rate"].sizes)
    {'session': 2, 'unit': 2, 'x': 60, 'y': 60}
    """
    along = np.arange(round(size)) + 0.5
    rate = np.empty((n_sessions, n_units, along.size, along.size))
    centre = np.full((n_sessions, n_units, 2, 2), np.nan)
    width = np.full((n_units, 2), np.nan)
    moved = np.zeros((n_sessions, n_units), dtype=bool)
    is_tuned = np.arange(n_units) < round(tuned * n_units)
    for j in range(n_units):
        fields = seeds.generator(seed, "fields", j)
        n_fields = 1 + int(fields.random() < two_fields)
        own_width = fields.uniform(0.08, 0.13, size=n_fields) * size
        places = _places(fields, n_fields, size)
        for i in range(n_sessions):
            move, fresh = fields.random() < drift, _places(fields, n_fields, size)
            if i > 0 and move:
                places, moved[i, j] = fresh, bool(is_tuned[j])
            bumps = np.exp(
                -0.5
                * (
                    (along[:, None] - places[:, :1, None]) ** 2
                    + (along[None, :] - places[:, 1:, None]) ** 2
                )
                / own_width[:, None, None] ** 2
            )
            tuning = baseline + peak_rate * bumps.sum(axis=0)
            rate[i, j] = tuning if is_tuned[j] else tuning.mean()
            if is_tuned[j]:
                centre[i, j, :n_fields] = places
                width[j, :n_fields] = own_width
    return xr.Dataset(
        {
            "rate": (("session", "unit", "x", "y"), rate, {"units": "Hz"}),
            "centre": (("session", "unit", "field", "axis"), centre, {"units": "cm"}),
            "width": (("unit", "field"), width, {"units": "cm"}),
            "is_tuned": ("unit", is_tuned),
            "moved": (("session", "unit"), moved),
        },
        coords={
            "session": np.array([str(i + 1) for i in range(n_sessions)], dtype=object),
            "unit": np.arange(n_units),
            "axis": np.array(["x", "y"], dtype=object),
            "x": ("x", along, {"units": "cm"}),
            "y": ("y", along, {"units": "cm"}),
        },
    )


def _places(rng: np.random.Generator, n_fields: int, size: float) -> np.ndarray:
    """Centres (field, axis); of two, the second is half a wall away on each axis."""
    first = rng.uniform(0, size, size=2)
    return np.stack([first, (first + size / 2) % size][:n_fields])


def _forage(
    n_frames: int, frame_rate: float, size: float, speed: float, rng: np.random.Generator
) -> np.ndarray:
    """Positions (time, axis) of a walk with a slowly turning heading, folded at the walls."""
    heading = rng.uniform(0, 2 * np.pi) + np.cumsum(
        rng.normal(scale=1.5 / np.sqrt(frame_rate), size=n_frames)
    )
    pace = speed * np.exp(0.3 * rng.standard_normal(n_frames)) / frame_rate
    steps = np.stack([pace * np.cos(heading), pace * np.sin(heading)], axis=1)
    free = rng.uniform(0, size, size=2) + np.cumsum(steps, axis=0)
    folded = np.mod(free, 2 * size)
    return np.where(folded > size, 2 * size - folded, folded)
