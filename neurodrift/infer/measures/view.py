"""What was seen, made ready: rates without gain, relative time, replicates of the units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodrift.infer.observation.counts import Observed
from neurodrift.seeds import generator

N_GROUPS = 20
"""Groups of units, one of which is left out in each replicate."""

LEAST_TIME = 0.1
"""Of the mean time in a condition, which each half of each session needs there."""


_MOST_ROUNDS = 100  # in which gains and means of the units settle


@dataclass(frozen=True, eq=False)
class View:
    """Rates of units in halves of sessions, relative to each unit's own mean.

    Parameters
    ----------
    rate
        (unit, session, half, condition) rate over the session's gain, 0 where not detected.
    relative
        The same over the unit's mean over sessions.
    mean
        (unit) mean rate over the sessions in which the unit was detected.
    weight
        (unit) how much a relative rate counts: about 1 above the median rate, less below it.
    number
        (unit, session) events; infinity where there is no number, as in networks.
    detected
        (unit, session) 1 or 0.
    kept
        (replicate, unit) 1 or 0.
    group
        (unit) number of the group of units.
    time
        (session) from 0 to 1.
    segment
        (condition)
    geometry
        Of :data:`neurodrift.infer.observation.counts.GEOMETRIES`.
    seed
        Of random groups of units.
    """

    rate: np.ndarray
    relative: np.ndarray
    mean: np.ndarray
    weight: np.ndarray
    number: np.ndarray
    detected: np.ndarray
    kept: np.ndarray
    group: np.ndarray
    time: np.ndarray
    segment: np.ndarray
    geometry: str
    seed: int

    @property
    def n_sessions(self) -> int:
        """Number of sessions."""
        return int(self.time.size)

    @property
    def weighted(self) -> np.ndarray:
        """(unit, session, half, condition) relative rates whose products carry the weight."""
        return np.asarray(self.relative * np.sqrt(self.weight)[:, None, None, None])


def view_of(observed: Observed, *, replicates: bool, seed: int) -> View:
    """Rates over time, without the gain of each session and of each unit.

    A condition counts where every half of every session has at least `LEAST_TIME` of the mean time
    of a condition. The gain of a session is the rate of its units over what these units have on
    average, so that it says nothing of how many were detected.

    Parameters
    ----------
    observed
        Counts by half, session, unit and condition.
    replicates
        Whether groups of units are left out in turn.
    seed
        Of the groups.

    Returns
    -------
    View

    Raises
    ------
    ValueError
        If events of a detected unit are NaN or below 0.
    """
    seconds = np.nan_to_num(np.asarray(observed.seconds, dtype=float))
    typical = seconds.mean(axis=-1, keepdims=True)
    visited = ((seconds > 0) & (seconds >= LEAST_TIME * typical)).all(axis=(0, 1))
    events = np.asarray(observed.events, dtype=float)[..., visited]
    events = np.where(observed.detected[None, :, :, None], events, 0.0)
    if not np.isfinite(events).all() or (events < 0).any():
        raise ValueError(
            "events of units that were detected must be finite and not below 0 wherever time was "
            "spent; mark units that were not seen in a session in detected"
        )
    detected = np.asarray(observed.detected, dtype=float).T
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = events / seconds[:, :, None, visited]
    rate = np.ascontiguousarray(rate.transpose(2, 1, 0, 3))
    own = rate.sum(axis=(2, 3)) / (2 * max(1, int(visited.sum())))
    gain: np.ndarray = np.ones(own.shape[1])
    for _ in range(_MOST_ROUNDS):
        before = gain
        expected = detected.T @ _mean(own / gain, detected)
        gain = np.divide(own.sum(axis=0), expected, out=gain.copy(), where=expected > 0)
        gain[gain <= 0] = 1.0
        if np.allclose(gain, before, rtol=1e-12, atol=0.0):
            break
    rate = rate / gain[None, :, None, None]
    mean = _mean(own / gain, detected)
    some = mean > 0
    inverse = np.divide(1.0, mean, out=np.zeros_like(mean), where=some)
    number = _number(observed, events)
    inverse *= np.sqrt(unbiased(number.sum(axis=1)))
    median = np.median(mean[some]) if some.any() else 1.0
    n_units = mean.size
    n_groups = min(N_GROUPS, n_units)
    group = np.zeros(n_units, dtype=np.int64)
    if n_groups:
        group = generator(seed, "statistics", "groups").permutation(n_units) % n_groups
    kept = np.ones((1, n_units))
    if replicates and n_groups > 1:
        kept = np.concatenate([kept, np.arange(n_groups)[:, None] != group])
    day = np.asarray(observed.day, dtype=float)
    return View(
        rate=rate,
        relative=rate * inverse[:, None, None, None],
        mean=mean,
        weight=mean / (mean + median),
        number=number,
        detected=detected,
        kept=kept,
        group=group,
        time=(day - day[0]) / (day[-1] - day[0]) if day.size > 1 else np.zeros(day.size),
        segment=np.asarray(observed.segment)[visited],
        geometry=observed.geometry,
        seed=seed,
    )


def unbiased(number: np.ndarray) -> np.ndarray:
    """K / (K - 1) for a number K of events, 0 for a single one and for none.

    Given K, the product of the events of two parts is K (K - 1) times their shares, and not the
    square of K, over which relative rates are taken.

    Parameters
    ----------
    number
        Events; infinity for none that could be counted.

    Returns
    -------
    numpy.ndarray
    """
    some = np.where(np.isfinite(number), number, 2.0)
    ratio = np.divide(some, some - 1, out=np.zeros_like(some), where=some > 1)
    return np.where(np.isfinite(number), ratio, 1.0)


def _number(observed: Observed, events: np.ndarray) -> np.ndarray:
    """(unit, session) events of both halves; summed amplitudes have no number."""
    if not observed.counts or (events != np.floor(events)).any():
        return np.full(observed.detected.T.shape, np.inf)
    return np.asarray((events.sum(axis=(0, 3)) * observed.detected).T)


def _mean(own: np.ndarray, detected: np.ndarray) -> np.ndarray:
    n = detected.sum(axis=1)
    return np.divide((own * detected).sum(axis=1), n, out=np.zeros(n.size), where=n > 0)
