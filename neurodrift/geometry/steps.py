"""Steps of a position: where it was put elsewhere, and how fast it moves along arms."""

from __future__ import annotations

import numpy as np

from neurodrift.geometry.arms import arms_of
from neurodrift.geometry.geometry import Geometry

FASTEST = 300.0  # cm/s that an animal may run
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
    assert geometry.length is not None
    size = np.abs(np.diff(x))
    least = np.maximum(_LEAST_JUMP * geometry.length, FASTEST * np.diff(time))
    # Half a corridor in one frame is a jump also where frames are long.
    return np.asarray(size > np.minimum(least, 0.5 * geometry.length))


def along_arms(geometry: Geometry, time: np.ndarray, x: np.ndarray, width: int) -> np.ndarray:
    """Velocity along the arms of a graph.

    Parameters
    ----------
    geometry
        A geometry of kind graph.
    time
        (time) start of each frame [s], without gaps.
    x
        (time) linearised position [cm], without NaN.
    width
        Frames over which the velocity is taken.

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
    reach = max(1, width // 2)
    first = np.maximum(np.arange(n) - reach, 0)
    last = np.minimum(np.arange(n) + reach, n - 1)
    before = arms.seen_from(arm, arm[first], offset[first])
    behind = arms.seen_from(arm, arm[last], offset[last])
    return np.asarray((behind - before) / (time[last] - time[first]))
