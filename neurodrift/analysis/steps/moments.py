"""Mean square, tails and direction of steps, from products of parts whose noise is independent."""

from __future__ import annotations

from itertools import combinations

import numpy as np


def differences(tuning: np.ndarray, a: int, b: int, length: float) -> np.ndarray:
    """(part, row) step of every row from session a to b, the shorter way round a circle.

    Parameters
    ----------
    tuning
        (session, part, row)
    a, b
        Sessions.
    length
        Of one turn of a circle, infinity on a line.

    Returns
    -------
    numpy.ndarray
    """
    step = tuning[b] - tuning[a]
    if not np.isfinite(length):
        return np.asarray(step)
    centre = step[:1]  # all parts the same way round as the first one
    away = (step - centre + length / 2) % length - length / 2
    return np.asarray((centre + length / 2) % length - length / 2 + away)


def square(steps: np.ndarray) -> np.ndarray:
    """(row) square of the step without noise: mean product of two different parts.

    Parameters
    ----------
    steps
        (part, row)

    Returns
    -------
    numpy.ndarray
        It may be below 0.
    """
    n = len(steps)
    return np.asarray((steps.sum(axis=0) ** 2 - (steps**2).sum(axis=0)) / (n * (n - 1)))


def fourth(steps: np.ndarray) -> np.ndarray:
    """(row) fourth power of the step without noise: product of four parts.

    Parameters
    ----------
    steps
        (part, row) of four parts.

    Returns
    -------
    numpy.ndarray
    """
    return np.asarray(np.prod(steps, axis=0))


def cross(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(row) product of two steps, each from parts that the other does not have.

    Two steps in a row share a session, and with the same parts its noise would make them
    anticorrelated.

    Parameters
    ----------
    first, second
        (part, row) of four parts.

    Returns
    -------
    numpy.ndarray
        Mean over the divisions of the parts into two and two.
    """
    n = len(first)
    found = []
    for chosen in combinations(range(n), n // 2):
        rest = [part for part in range(n) if part not in chosen]
        found.append(first[list(chosen)].mean(axis=0) * second[rest].mean(axis=0))
    return np.asarray(np.mean(found, axis=0))
