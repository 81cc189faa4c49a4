"""How fast the maps of a network change, and where it starts: what rules are matched on."""

from __future__ import annotations

import numpy as np


def drift_speed(activity: np.ndarray) -> float:
    r"""Loss of the correlation of maps from the first session to the last.

    Parameters
    ----------
    activity
        (session, unit, condition) activity without noise.

    Returns
    -------
    float
        1 minus the mean correlation of a unit's first and last map, over units whose first map
        varies. A unit without a last map has a correlation of 0. 0 is no change, 1 is a new map,
        NaN is no unit.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.infer.prior.pace import drift_speed
    >>> moved = np.array([[[0.0, 1.0], [1.0, 0.0]], [[0.0, 2.0], [0.0, 0.0]]])
    >>> round(drift_speed(moved), 6)
    0.5
    """
    ends = np.array(activity[[0, -1]], dtype=float, order="C")
    first, last = ends - ends.mean(axis=2, keepdims=True)
    size = np.sqrt((first**2).sum(axis=1)), np.sqrt((last**2).sum(axis=1))
    scale = np.abs(ends).max()
    varies = size[0] > 1e-9 * scale
    if not varies.any():
        return float("nan")
    both = varies & (size[1] > 1e-9 * scale)
    alike = np.zeros(both.size)
    alike[both] = (first * last).sum(axis=1)[both] / (size[0] * size[1])[both]
    return float(1 - alike[varies].mean())


def active_share(activity: np.ndarray) -> float:
    """Share of units that are active on any condition of the first session.

    Parameters
    ----------
    activity
        (session, unit, condition).

    Returns
    -------
    float
        From 0 to 1.
    """
    return float((activity[0] > 0).any(axis=1).mean())
