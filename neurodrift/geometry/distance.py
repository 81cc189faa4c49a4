"""How far two values of a mapped variable are from each other, and which bins touch."""

from __future__ import annotations

import numpy as np

from neurodrift.geometry.arms import arms_of
from neurodrift.geometry.geometry import Geometry

_TOUCH = 1e-6  # of a bin's width


def distance(geometry: Geometry, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Distance of values along what is mapped.

    Parameters
    ----------
    geometry
        A geometry with one axis.
    a, b
        Values of shapes that fit each other [unit of the geometry].

    Returns
    -------
    numpy.ndarray
        The shorter way round a circle, the shortest way along the arms of a graph, infinity
        between categories.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.geometry import circular
    >>> from neurodrift.geometry.distance import distance
    >>> distance(circular(200), np.array([10.0, 90.0]), 190.0).tolist()
    [20.0, 100.0]
    """
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if geometry.kind == "graph":
        return arms_of(geometry).distance(a, b)
    if geometry.kind == "category":
        return np.where(a == b, 0.0, np.inf)
    return np.abs(difference(geometry, a, b))


def difference(geometry: Geometry, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How far it is from one value to another, with its sign, the shorter way round a circle.

    Parameters
    ----------
    geometry
        A geometry with one axis in which values have an order: linear, circular or vr.
    a, b
        From, and to [unit of the geometry].

    Returns
    -------
    numpy.ndarray
        From minus to plus half a turn on a circle.
    """
    step = np.asarray(b, dtype=float) - np.asarray(a, dtype=float)
    if geometry.kind != "circular":
        return step
    assert geometry.length is not None
    return step - geometry.length * np.round(step / geometry.length)


def between(geometry: Geometry, a: np.ndarray, b: np.ndarray, part: np.ndarray) -> np.ndarray:
    """A value on the way from one to another, the shorter way round a circle.

    Parameters
    ----------
    geometry
        As for :func:`difference`.
    a, b
        From, and to [unit of the geometry].
    part
        Part of the way, from 0 to 1.

    Returns
    -------
    numpy.ndarray
        Within the turn of a circle.
    """
    found = a + part * difference(geometry, a, b)
    if geometry.kind != "circular" or not geometry.length:
        return np.asarray(found)
    return np.asarray(geometry.origin + (found - geometry.origin) % geometry.length)


def touching(geometry: Geometry, centre: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Which bins share an end.

    Parameters
    ----------
    geometry
        A geometry with one axis.
    centre, width
        (bin) [unit of the geometry].

    Returns
    -------
    numpy.ndarray
        (bin, bin) bool, True on the diagonal. The first and the last bin of a circle touch, and so
        do those of different arms at a junction.
    """
    if geometry.kind == "category":
        return np.eye(centre.size, dtype=bool)
    found = np.eye(centre.size, dtype=bool)
    sides = [centre - width / 2, centre + width / 2]
    slack = _TOUCH * np.minimum(width[:, None], width[None, :])
    for one in sides:
        for other in sides:
            found |= distance(geometry, one[:, None], other[None, :]) <= slack
    return found
