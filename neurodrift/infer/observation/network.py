"""A network seen as a lab sees an animal: cells, events, detection and registration."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurodrift.infer.observation.counts import Observed
from neurodrift.infer.observation.protocol import Observation, spread
from neurodrift.seeds import generator


def observe(
    activity: np.ndarray,
    observation: Observation,
    seed: int,
    *,
    day: Sequence[float] | np.ndarray | None = None,
    segment: np.ndarray | None = None,
    geometry: str = "none",
) -> Observed:
    r"""See the activity of a network as an observation does.

    Parameters
    ----------
    activity
        (session, unit, condition) activity without noise, 0 or above.
    observation
        How it is seen.
    seed
        Seed of cells, events and losses; each has a stream of its own.
    day
        Times of the sessions; those of the observation when omitted, else 0, 1, 2, ...
    segment, geometry
        How the conditions lie, see :class:`neurodrift.infer.observation.counts.Observed`.

    Returns
    -------
    Observed
        Counts of the cells that were drawn. Fewer cells than asked for where the network has
        fewer that are ever active.

    Raises
    ------
    ValueError
        If the activity has another shape, is negative or not finite, no unit is ever active, or
        the observation has another number of sessions.

    Notes
    -----
    Cells are drawn without replacement from the units that are ever active. In half h of session
    s a cell of activity :math:`a_{suc}` has a Poisson number of events with the mean
    :math:`g\, a_{suc}\, T_{hsc}`. One gain g serves all cells and sessions; it makes the mean over
    cells and sessions the events that are wanted. So a network whose activity sinks loses events,
    and its inequality of rates is kept. A cell that was not detected has no events. Detection does
    not depend on activity here.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.infer.observation.protocol import Observation
    >>> from neurodrift.infer.observation.network import observe
    >>> seen = Observation(n_cells=10, events_per_cell=(50, 50))
    >>> counts = observe(np.ones((3, 20, 5)), seen, seed=0).events
    >>> counts.shape, bool(abs(counts.sum() / 30 - 50) < 5)
    ((2, 3, 10, 5), True)
    """
    activity = np.asarray(activity, dtype=float)
    if activity.ndim != 3 or 0 in activity.shape:
        raise ValueError(
            f"activity has shape {activity.shape}, expected (session, unit, condition), one or more"
        )
    if not np.isfinite(activity).all() or activity.min() < 0:
        raise ValueError(
            "activity is negative or not finite somewhere: expected rates of 0 or more"
        )
    n_sessions, n_units, n_conditions = activity.shape
    expected = len(observation.days) or len((*observation.seconds, "")[0])
    expected = expected or len((*observation.detection, "")[0])
    if expected not in (0, n_sessions):
        raise ValueError(
            f"the observation {observation.name!r} has {expected} sessions, but the activity "
            f"{n_sessions}: simulate the network with as many snapshots"
        )
    segment = np.zeros(n_conditions, int) if segment is None else np.asarray(segment)
    if day is None:
        day = observation.days or np.arange(n_sessions)
    if observation.noise_free:
        return Observed(
            events=np.stack([activity, activity]),
            seconds=np.ones((2, n_sessions, n_conditions)),
            detected=np.ones((n_sessions, n_units), bool),
            day=np.asarray(day, float),
            segment=segment,
            geometry=geometry,
            counts=False,
        )
    cells = _drawn_cells(activity, observation, seed)
    seen = _exchanged(activity[:, cells], observation, seed)
    seconds = _seconds(observation, n_sessions, segment, geometry)
    detected = _detected(observation, n_sessions, cells.size, seed)
    return Observed(
        events=_events(seen, seconds, observation, seed) * detected[None, :, :, None],
        seconds=seconds,
        detected=detected,
        day=np.asarray(day, float),
        segment=segment,
        geometry=geometry,
    )


def _drawn_cells(activity: np.ndarray, observation: Observation, seed: int) -> np.ndarray:
    ever = np.flatnonzero((activity > 0).any(axis=(0, 2)))
    if not ever.size:
        raise ValueError("no unit of the network is ever active: there is nothing to see")
    n = min(observation.n_cells or ever.size, ever.size)
    return np.sort(generator(seed, "observe", "cells").choice(ever, n, replace=False))


def _exchanged(activity: np.ndarray, observation: Observation, seed: int) -> np.ndarray:
    """Let some cells of every later session stand for each other."""
    n_sessions, n_cells, _ = activity.shape
    n_wrong = round(observation.wrong_matches * n_cells)
    if n_wrong < 2:
        return activity
    seen = activity.copy()
    for session in range(1, n_sessions):
        draw = generator(seed, "observe", "wrong matches", session)
        chosen = draw.choice(n_cells, n_wrong, replace=False)
        seen[session, chosen] = activity[session, np.roll(chosen, 1)]  # nobody keeps its place
    return seen


def _seconds(
    observation: Observation, n_sessions: int, segment: np.ndarray, geometry: str
) -> np.ndarray:
    """Time in each condition (half, session, condition); one second in a session without word."""
    halves = np.array(observation.seconds or [[0.5] * n_sessions] * 2)
    share = np.full(segment.size, 1 / segment.size)
    if observation.occupancy and geometry != "none":
        profile = np.array(observation.occupancy)
        for one in np.unique(segment):
            there = segment == one
            part = spread(profile / profile.sum(), int(there.sum()))
            share[there] = part * there.sum() / segment.size
    return halves[:, :, None] * share


def _detected(observation: Observation, n_sessions: int, n_cells: int, seed: int) -> np.ndarray:
    detected = np.ones((n_sessions, n_cells), bool)
    if observation.detection:
        draw = generator(seed, "observe", "detection")
        chosen = draw.integers(len(observation.detection), size=n_cells)
        detected = np.array([[c == "1" for c in observation.detection[i]] for i in chosen]).T
    if observation.lost_matches:
        for session in range(1, n_sessions):
            draw = generator(seed, "observe", "lost matches", session)
            detected[session] &= draw.random(n_cells) >= observation.lost_matches
    return detected


def _events(
    activity: np.ndarray, seconds: np.ndarray, observation: Observation, seed: int
) -> np.ndarray:
    low, high = np.log(observation.events_per_cell)
    wanted = np.exp(generator(seed, "observe", "events of a cell").uniform(low, high))
    expected = activity[None] * seconds[:, :, None]
    n_sessions, n_cells, _ = activity.shape
    total = expected.sum()
    expected *= wanted * n_sessions * n_cells / total if total else 0.0
    counts = [
        [
            generator(seed, "observe", "events", half, session).poisson(expected[half, session])
            for session in range(n_sessions)
        ]
        for half in range(2)
    ]
    return np.array(counts, dtype=float)
