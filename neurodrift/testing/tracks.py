"""Linear tracks with drifting place fields."""

from __future__ import annotations

import numpy as np
import xarray as xr

from neurodrift import kinematics, seeds
from neurodrift.recording import recording_from_arrays
from neurodrift.schema.options import checked_options

TRACK_LENGTH = 100.0  # cm


@checked_options
def linear_track(
    *,
    n_units: int = 20,
    n_sessions: int = 3,
    minutes: float = 5.0,
    frame_rate: float = 20.0,
    drift: float = 0.2,
    silencing: float = 0.0,
    tuned: float = 0.7,
    detection: float = 1.0,
    peak_rate: float = 2.0,
    baseline: float = 0.02,
    seed: int = 0,
) -> xr.Dataset:
    """Recording of a mouse that runs to and fro on a linear track, with drifting place fields.

    Parameters
    ----------
    n_units, n_sessions
        Size of the population and number of sessions, two days apart.
    minutes
        Length of a session.
    frame_rate
        Frames per second [Hz].
    drift
        Probability that a unit's fields move to new places from one session to the next.
    silencing
        Fraction of the units that falls silent with every further session.
    tuned
        Fraction of the units that have place fields; the others fire at their mean rate.
    detection
        Probability that a unit is detected in a session (at least one session each).
    peak_rate, baseline
        Rates in and outside the field [Hz].
    seed
        Seed of behaviour, fields and events.

    Returns
    -------
    xarray.Dataset
        A recording of events with position, speed, direction, trials and laps; every frame is
        one Poisson draw. :func:`linear_track_truth` with equal arguments gives its true rates.
        Behaviour, and the fields and events of a unit, do not depend on `n_units` and
        `n_sessions`; which units are tuned, fall silent or are missed does, as fractions of the
        population.

    Examples
    --------
    >>> from neurodrift import testing
    >>> recording = testing.linear_track(n_units=4, n_sessions=2, minutes=1)
    >>> dict(recording.sizes)
    {'time': 2400, 'unit': 4, 'session': 2}
    """
    truth = linear_track_truth(
        n_units=n_units,
        n_sessions=n_sessions,
        drift=drift,
        silencing=silencing,
        tuned=tuned,
        peak_rate=peak_rate,
        baseline=baseline,
        seed=seed,
    )
    n_frames = round(minutes * 60 * frame_rate)
    detected = np.ones((n_sessions, n_units), dtype=bool)
    if detection < 1:
        detected = seeds.generator(seed, "detected").random((n_sessions, n_units)) < detection
        detected[np.arange(n_units) % n_sessions, np.arange(n_units)] = True
    counts, positions, trials = [], [], []
    for i in range(n_sessions):
        x, heading = shuttle(n_frames, frame_rate, seeds.generator(seed, "behaviour", i))
        tuning = truth["rate"].values[i]
        rates = tuning[:, (heading < 0).astype(int), np.minimum(x.astype(int), tuning.shape[2] - 1)]
        events = np.empty((n_frames, n_units), dtype=np.uint8)
        for j in range(n_units):
            draw = seeds.generator(seed, "events", i, j).poisson(rates[j] / frame_rate)
            events[:, j] = np.where(detected[i, j], np.minimum(draw, 255), 0)
        counts.append(events)
        positions.append(x)
        trials.append(np.arange(n_frames) * 5 // n_frames + 1)
    recording = recording_from_arrays(
        counts,
        kind="events",
        x=positions,
        trial=trials,
        lap=[kinematics.laps(x, limits=(0.0, TRACK_LENGTH)) for x in positions],
        time=[np.arange(n_frames) / frame_rate] * n_sessions,
        frame_duration=1 / frame_rate,
        detected=detected,
        day=2.0 * np.arange(n_sessions),
        subject="synthetic",
        environment="linear track",
    )
    return kinematics.running(recording, window=0.0)


@checked_options
def linear_track_truth(
    *,
    n_units: int = 20,
    n_sessions: int = 3,
    drift: float = 0.2,
    silencing: float = 0.0,
    tuned: float = 0.7,
    peak_rate: float = 2.0,
    baseline: float = 0.02,
    seed: int = 0,
) -> xr.Dataset:
    """True rates behind :func:`linear_track`.

    Parameters
    ----------
    n_units, n_sessions, drift, silencing, tuned, peak_rate, baseline, seed
        As for :func:`linear_track`.

    Returns
    -------
    xarray.Dataset
        ``rate`` (session, unit, direction, x) [Hz] in steps of 1 cm; ``is_tuned`` and
        ``is_active`` (session, unit); ``moved`` (session, unit), whether the fields are new since
        the session before.

    Examples
    --------
    >>> from neurodrift import testing
    >>> testing.linear_track_truth(n_units=4, n_sessions=2)["rate"].sizes["x"]
    100
    """
    centres_of_x = np.arange(TRACK_LENGTH) + 0.5
    rate = np.empty((n_sessions, n_units, 2, centres_of_x.size))
    active = np.ones((n_sessions, n_units), dtype=bool)
    moved = np.zeros((n_sessions, n_units), dtype=bool)
    is_tuned = np.arange(n_units) < round(tuned * n_units)
    rank = seeds.generator(seed, "silencing").permutation(n_units)
    for j in range(n_units):
        fields = seeds.generator(seed, "fields", j)
        centre = fields.uniform(0, TRACK_LENGTH, size=2)
        width = fields.uniform(6, 12)
        for i in range(n_sessions):
            redraw, fresh = fields.random() < drift, fields.uniform(0, TRACK_LENGTH, size=2)
            if i > 0 and redraw:
                centre, moved[i, j] = fresh, bool(is_tuned[j])
            bump = np.exp(-0.5 * ((centres_of_x - centre[:, None]) / width) ** 2)
            tuning = baseline + peak_rate * bump
            rate[i, j] = tuning if is_tuned[j] else tuning.mean()
            active[i, j] = rank[j] >= round(silencing * i * n_units)
            rate[i, j] *= active[i, j]
    return xr.Dataset(
        {
            "rate": (("session", "unit", "direction", "x"), rate, {"units": "Hz"}),
            "is_tuned": (("session", "unit"), active & is_tuned),
            "is_active": (("session", "unit"), active),
            "moved": (("session", "unit"), moved),
        },
        coords={
            "session": np.array([str(i + 1) for i in range(n_sessions)], dtype=object),
            "unit": np.arange(n_units),
            "direction": [1, -1],
            "x": ("x", centres_of_x, {"units": "cm"}),
        },
    )


def shuttle(
    n_frames: int, frame_rate: float, rng: np.random.Generator, mean_speed: float = 20.0
) -> tuple[np.ndarray, np.ndarray]:
    """Position and heading of laps at changing speeds with rests at the ends.

    Parameters
    ----------
    n_frames, frame_rate
        Number of frames, and frames per second [Hz].
    rng
        Source of speeds and rests.
    mean_speed
        Median running speed [cm/s].

    Returns
    -------
    tuple of numpy.ndarray
        Position [cm] and heading (1 or -1) of every frame.
    """
    x, heading = [np.empty(0)], [np.empty(0)]
    total, forward = 0, True
    while total < n_frames:
        speed = mean_speed * np.exp(0.25 * rng.standard_normal())
        steps = max(2, round(TRACK_LENGTH / speed * frame_rate))
        run = np.linspace(0, TRACK_LENGTH, steps)
        rest = np.full(round(rng.exponential(1.0) * frame_rate), TRACK_LENGTH)
        lap = np.concatenate([run, rest])
        x.append(lap if forward else TRACK_LENGTH - lap)
        heading.append(np.full(lap.size, 1.0 if forward else -1.0))
        total += lap.size
        forward = not forward
    return np.concatenate(x)[:n_frames], np.concatenate(heading)[:n_frames]
