"""What behaviour does to a shuffle test, and which null fits it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from neurodrift.analysis.place_cells.shuffles import Null

AnyNull = Literal[
    "auto",
    "speed",
    "circular_exact",
    "circular",
    "lap",
    "block",
    "permutation",
    "occupancy",
]
"""A null of :data:`~neurodrift.analysis.place_cells.shuffles.Null`, or one that needs behaviour."""

PERIODIC = 0.05
"""Periodicity from which circular shifts have clearly less power than shifts within each lap."""

SPEED_SHARE = 0.05
"""Share of the variance of speed that position explains, from which speed follows position."""

SPEED_VARIATION = 0.05
"""Variation of mean speed over positions that must come with it."""

OCCUPANCY_TREND = 0.01
"""Share of the variance of session time that position explains, from which occupancy drifts."""

MEASURED = ("periodicity", "occupancy_trend", "speed_share", "speed_variation")
"""What is measured of behaviour."""

_GROUPS = 10  # of neighbouring bins, equally occupied
_SHIFTS = 400
_MOST_SPEED = 0.95  # quantile of speed that jumps are cut at, such as where a belt begins anew
_PARTS = 16  # of a session without laps
_INSIDE = 0.8  # share of the frames that count which must lie in a lap
_WHOLE = 2 / 3  # share of the visited bins that a lap visits where it is a passage of them all


@dataclass(frozen=True)
class Fit:
    """The null of one session or segment and direction, and the behaviour that speaks for it.

    Parameters
    ----------
    null
        Name of the null.
    reason
        Why this one, in words; empty where it was asked for.
    periodicity
        From :func:`measure_periodicity`.
    occupancy_trend
        From :func:`measure_occupancy_trend`.
    speed_share, speed_variation
        From :func:`measure_speed`.
    """

    null: str
    reason: str
    periodicity: float
    occupancy_trend: float
    speed_share: float
    speed_variation: float


def fit_null(
    position: np.ndarray,
    lap: np.ndarray | None,
    speed: np.ndarray | None,
    *,
    asked: str,
    otherwise: Null,
) -> Fit:
    """The null that fits the frames of one session or segment and direction.

    Parameters
    ----------
    position
        (time) position bin of each frame that counts.
    lap
        (time) lap, -1 outside; None where there are none.
    speed
        (time) running speed [cm/s]; None where it is not known.
    asked
        The null that was asked for, or ``"auto"``.
    otherwise
        The null where behaviour does not speak for another one.

    Returns
    -------
    Fit
        With measures of NaN where nothing can be measured.
    """
    if position.size == 0:
        return Fit("none", "no frame counts", np.nan, np.nan, np.nan, np.nan)
    periodicity, trend = measure_periodicity(position), measure_occupancy_trend(position)
    unfit = why_no_laps(position, lap)
    part = None if unfit else lap
    share, variation = (np.nan, np.nan) if speed is None else measure_speed(position, speed, part)
    if asked != "auto":
        return Fit(asked, "", periodicity, trend, share, variation)
    within = "within each lap" if not unfit else f"along the whole session, as {unfit}"
    if share >= SPEED_SHARE and variation >= SPEED_VARIATION:
        null, reason = "speed", f"running speed follows position; moved {within}"
    elif not unfit:
        null, reason = "lap", "laps are known"
        if trend >= OCCUPANCY_TREND:
            reason = "where the animal is changes over the session"
        if periodicity >= PERIODIC:
            reason = "position repeats itself"
    else:
        null, reason = otherwise, unfit
        if periodicity >= PERIODIC:
            reason += "; as position repeats itself, few place cells are found"
        elif trend >= OCCUPANCY_TREND:
            reason += "; where the animal is changes, so that trends of activity look like place"
        reason += "; running speed is not known" if speed is None else ""
    return Fit(null, reason, periodicity, trend, share, variation)


def why_no_laps(position: np.ndarray, lap: np.ndarray | None) -> str:
    """Why activity cannot be moved within laps; empty where it can.

    Parameters
    ----------
    position, lap
        As for :func:`fit_null`.

    Returns
    -------
    str
        A clause.
    """
    if lap is None:
        return "the recording has no laps or trials"
    inside = lap >= 0
    if inside.mean() < _INSIDE:
        return "too many frames lie in no lap"
    laps, index = np.unique(lap[inside], return_inverse=True)
    if laps.size < 2:
        return "there is one lap only"
    _, state = np.unique(position[inside], return_inverse=True)
    n_states = int(state.max()) + 1
    visited = np.bincount(index * n_states + state, minlength=laps.size * n_states) > 0
    if np.median(visited.reshape(laps.size, n_states).mean(axis=1)) < _WHOLE:
        return "laps do not pass most of the positions"
    return ""


def measure_periodicity(position: np.ndarray) -> float:
    r"""Share of a map's variance that a circular shift keeps, on average over shifts.

    A shift turns a map :math:`f(s')` into :math:`\sum_{s'} P_k(s' | s) f(s')`, with the share
    :math:`P_k(s' | s)` of the frames in bin s that lie in bin s' after the shift k. If position is
    periodic, a shift only moves the map, and it is no control. Of a map of which nothing else is
    known it keeps the share :math:`(\sum_{ss'} P_k(s, s')^2 / p_s p_{s'} - 1) / (n - 1)` of the
    variance, of n groups of bins.

    Parameters
    ----------
    position
        (time) position bin of each frame that counts, laid end to end.

    Returns
    -------
    float
        From near 0 (of n independent positions, 1 / n) to 1; NaN where one position is visited.
    """
    from neurodrift.analysis.place_cells._kernels import joint_occupancy

    n = position.size
    _, state = np.unique(position, return_inverse=True)
    occupancy = np.bincount(state)
    middle = (np.cumsum(occupancy) - occupancy / 2) / n
    group = np.minimum((middle * _GROUPS).astype(np.int64), _GROUPS - 1)
    group = np.unique(group, return_inverse=True)[1].astype(np.int64)
    n_groups = int(group.max()) + 1
    if n_groups < 2 or n < 3:
        return float("nan")
    shifts = np.unique(np.linspace(1, n - 1, _SHIFTS).astype(np.int64))
    joint = joint_occupancy(group[state], shifts, n_groups) / n
    p = np.bincount(group, occupancy) / n
    kept = ((joint**2 / (p[:, None] * p)).sum(axis=(1, 2)) - 1) / (n_groups - 1)
    return float(kept.mean())


def measure_occupancy_trend(position: np.ndarray) -> float:
    """How far the position tells when in the session the animal was there.

    Units whose activity rises or falls over the session then look tuned to position.

    Parameters
    ----------
    position
        (time) position bin of each frame that counts, laid end to end.

    Returns
    -------
    float
        Largest share of variance that position explains, of three cosines of time of half a
        period, a whole one and one and a half over the session.
    """
    _, state = np.unique(position, return_inverse=True)
    occupancy = np.bincount(state)
    time = (np.arange(position.size) + 0.5) / position.size
    found = 0.0
    for k in (1, 2, 3):
        wave = np.cos(k * np.pi * time)
        found = max(found, float((np.bincount(state, wave) ** 2 / occupancy).sum()) / time.size)
    return 2 * found


def measure_speed(
    position: np.ndarray, speed: np.ndarray, lap: np.ndarray | None = None
) -> tuple[float, float]:
    """How far running speed follows position, again and again.

    Parameters
    ----------
    position
        (time) position bin of each frame that counts.
    speed
        (time) running speed [cm/s].
    lap
        (time) lap; sixteen parts of equal time where it is None.

    Returns
    -------
    share, variation : float
        Share of the variance of speed that position explains; and the standard deviation of mean
        speed over positions, weighted by time, as a part of mean speed. Both are from the
        covariance of mean speeds in odd and even laps, so that chance adds nothing. NaN without a
        speed.
    """
    known = np.isfinite(speed)
    if not known.any():
        return float("nan"), float("nan")
    _, state = np.unique(position[known], return_inverse=True)
    values = speed[known].astype(np.float64)
    values = np.minimum(values, np.quantile(values, _MOST_SPEED))
    part = np.arange(values.size) * _PARTS // values.size if lap is None else lap[known]
    half = np.unique(part, return_inverse=True)[1] % 2
    n_states = int(state.max()) + 1
    occupancy = np.bincount(half * n_states + state, minlength=2 * n_states).reshape(2, -1)
    sums = np.bincount(half * n_states + state, values, minlength=2 * n_states).reshape(2, -1)
    both = (occupancy > 0).all(axis=0)
    mean, variance = float(values.mean()), float(values.var())
    if both.sum() < 2 or mean <= 0 or not variance > 1e-12 * mean**2:
        return 0.0, 0.0
    weight = occupancy[:, both].sum(axis=0) / occupancy[:, both].sum()
    maps = sums[:, both] / occupancy[:, both]
    maps = maps - (maps * weight).sum(axis=1, keepdims=True)
    between = max(0.0, float((weight * maps[0] * maps[1]).sum()))
    return min(1.0, between / variance), float(np.sqrt(between)) / mean
