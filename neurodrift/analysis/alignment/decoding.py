"""Whether turning a code back lets the decoder of another session read it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

READERS = ("aligned", "unaligned", "own")
"""Templates that read a session: another one's turned towards it, as they were, and its own."""


def reading_errors(
    told: tuple[np.ndarray, np.ndarray],
    before: np.ndarray,
    after: np.ndarray,
    away: np.ndarray,
) -> np.ndarray:
    """Mean errors of reading the place of each pattern of a session.

    Parameters
    ----------
    told
        Patterns (unit, point) of the first session turned towards the second, of each half.
    before, after
        (half, unit, point) patterns of both sessions.
    away
        (point, point) distance of the places.

    Returns
    -------
    numpy.ndarray
        One error for each of `READERS`, in the unit of `away`. A pattern of one half is read as the
        place whose template of the other half correlates with it most; chance is no part of it.
    """
    templates: tuple[Sequence[np.ndarray] | np.ndarray, ...] = (told, before, after)
    errors = np.zeros((len(READERS), 2))
    for k, source in enumerate(templates):
        for half in (0, 1):
            read = _correlations(after[1 - half], source[half]).argmax(axis=1)
            errors[k, half] = away[np.arange(read.size), read].mean()
    return np.asarray(errors.mean(axis=1))


def _correlations(patterns: np.ndarray, templates: np.ndarray) -> np.ndarray:
    """(pattern, template) correlation over units; 0 of a pattern that is the same in all units."""
    unit = []
    for vectors in (patterns, templates):
        centred = vectors - vectors.mean(axis=0)
        size = np.sqrt((centred**2).sum(axis=0))
        unit.append(np.divide(centred, size, out=np.zeros_like(centred), where=size > 0))
    return np.asarray(unit[0].T @ unit[1])
