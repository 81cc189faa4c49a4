"""Steps of a position: where it was put elsewhere, and how fast it moves along arms."""

from __future__ import annotations

import numpy as np

from neurodrift.geometry.arms import arms_of
from neurodrift.geometry.geometry import Geometry

FASTEST = 300.0  # cm/s that an animal may run
_ROUND = 1e-9  # s
_LEAST_JUMP = 0.1  # of a corridor: a step that large is no run, whatever its speed


def jumped(geometry: Geometry, time: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Steps in which the animal was put elsewhere and did not run.

    Parameters
    ----------
    geometry
        A geometry with one axis.
    time
        (time) start of each frame [s].
    x
        (time) position [unit of the geometry], NaN where there is none.

    Returns
    -------
    numpy.ndarray
        (time - 1) bool; only a corridor has such steps: those of more than a tenth of its length
        that are faster than 300 cm/s.
    """
    if geometry.kind != "vr":
        return np.zeros(max(x.size - 1, 0), dtype=bool)
    return is_jump(geometry, np.diff(x), np.diff(time))


def is_jump(geometry: Geometry, step: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """Whether steps in a corridor are jumps.

    Parameters
    ----------
    geometry
        A corridor.
    step, seconds
        Their size [cm] and how long each took [s].

    Returns
    -------
    numpy.ndarray
        Bool; half a corridor is a jump however long it took.
    """
    assert geometry.length is not None
    least = np.maximum(_LEAST_JUMP * geometry.length, FASTEST * seconds)
    return np.asarray(np.abs(step) > np.minimum(least, 0.5 * geometry.length))


def along_arms(geometry: Geometry, time: np.ndarray, x: np.ndarray, window: float) -> np.ndarray:
    """Velocity along the arms of a graph.

    Parameters
    ----------
    geometry
        A geometry of kind graph.
    time
        (time) start of each frame [s], without gaps.
    x
        (time) linearised position [cm], without NaN.
    window
        Length of the window over which the velocity is taken [s]; three frames at least.

    Returns
    -------
    numpy.ndarray
        (time) how far the animal came along the arm of the frame in the window around it
        [cm/s], plus from the first node of the arm to its second. Places on other arms count by
        the way to them, so that a run through a junction has the speed of the run.
    """
    n = x.size
    if n < 2:
        return np.zeros(n)
    arms = arms_of(geometry)
    arm, offset = arms.locate(x)
    first = np.searchsorted(time, time - window / 2 - _ROUND, side="left")
    last = np.searchsorted(time, time + window / 2 + _ROUND, side="right") - 1
    first = np.maximum(np.minimum(first, np.arange(n) - 1), 0)
    last = np.minimum(np.maximum(last, np.arange(n) + 1), n - 1)
    before = arms.seen_from(arm, arm[first], offset[first])
    behind = arms.seen_from(arm, arm[last], offset[last])
    return np.asarray((behind - before) / (time[last] - time[first]))
