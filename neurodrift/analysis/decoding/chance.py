"""What an error is by chance, and whether one session teaches worse than another."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np

from neurodrift.analysis._inference import permutation_p

_NEAR = 0.05  # of the windows of a session by which positions are shifted at least
_MOST = 1000  # ways of dealing laps to two sessions that are all tried
_BLOCK = 1_000_000  # errors that are held at once


def chance_errors(
    error: Callable[[np.ndarray, np.ndarray], np.ndarray],
    guess: np.ndarray,
    truth: np.ndarray,
    n_repeats: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Mean error with positions shifted in a circle against the guesses.

    Parameters
    ----------
    error
        Takes guesses and truths (..., axis).
    guess, truth
        (window, axis) in the order of time.
    n_repeats
        Random shifts, of a twentieth of the windows at least.
    rng
        All chance comes from it.

    Returns
    -------
    numpy.ndarray
        (repeat) mean errors; empty with fewer than three windows.
    """
    n = len(guess)
    least = max(1, int(_NEAR * n))
    if n < 3 or not n_repeats:
        return np.zeros(0)
    shifts = rng.integers(least, n - least + 1, n_repeats)
    found = []
    step = max(1, _BLOCK // n)
    for start in range(0, n_repeats, step):
        at = (np.arange(n)[None] + shifts[start : start + step, None]) % n
        found.append(error(guess[None], truth[at]).mean(axis=1))
    return np.concatenate(found)


def p_below(value: float, null: np.ndarray) -> float:
    """Share of a null at or below a value, with the value itself; NaN without a null."""
    if not null.size or not np.isfinite(value):
        return float("nan")
    return float(permutation_p(np.asarray((null <= value).sum()), null.size))


def worse_p(errors: np.ndarray, rng: np.random.Generator) -> float:
    """Probability that groups of laps of another session teach so much worse by chance.

    Parameters
    ----------
    errors
        (taught by, tested in) mean errors of groups of laps, the first half of the other session,
        the second half of the session that is tested.
    rng
        Draws the permutations where there are more than 1,000.

    Returns
    -------
    float
        One-sided p. Laps of both sessions may be exchanged if the sessions do not differ, so that
        it is exact.
    """
    n = len(errors) // 2
    if n < 2 or not np.isfinite(errors[~np.eye(2 * n, dtype=bool)]).all():
        return float("nan")
    if math.comb(2 * n, n) <= _MOST:
        own = np.zeros((math.comb(2 * n, n), 2 * n))
        for i, chosen in enumerate(itertools.combinations(range(2 * n), n)):
            own[i, list(chosen)] = 1.0
    else:
        own = np.zeros((_MOST, 2 * n))
        for row in own:
            row[rng.permutation(2 * n)[:n]] = 1.0
        own[0] = np.repeat([0.0, 1.0], n)
    plain = np.where(np.eye(2 * n, dtype=bool), 0.0, errors)
    across = ((1 - own) @ plain * own).sum(axis=1) / n**2
    within = (own @ plain * own).sum(axis=1) / (n * (n - 1))
    excess = across - within
    observed = plain[:n, n:].mean() - plain[n:, n:].sum() / (n * (n - 1))
    return float((excess >= observed - 1e-12 * max(1.0, abs(observed))).mean())
