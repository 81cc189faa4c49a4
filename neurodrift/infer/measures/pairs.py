"""Similarity against lag in four numbers: near, far, its course between, and its acceleration."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

FAR = 0.75
"""Share of the whole time from which on a lag is far."""

MIDDLE = (0.375, 0.625)
"""Lags in the middle, as shares of the whole time."""

LEAST_LOSS = 0.05
"""Loss of similarity below which its shape over lags is not told."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of sessions by what they are for.

    Parameters
    ----------
    first, second
        (pair) numbers of the sessions.
    lag
        (pair) share of the whole time between them.
    near, middle, far, early, late
        (pair) whether they are neighbours, half of the time apart, most of the time apart, or
        close together in the first or in the second half of the time.
    """

    first: np.ndarray
    second: np.ndarray
    lag: np.ndarray
    near: np.ndarray
    middle: np.ndarray
    far: np.ndarray
    early: np.ndarray
    late: np.ndarray


def pairs_of(time: np.ndarray) -> Pairs:
    """Pairs of sessions at times from 0 to 1."""
    first, second = np.triu_indices(time.size, k=1)
    lag = time[second] - time[first]
    step = second - first
    middle_of_pair = (time[second] + time[first]) / 2
    close = (step <= 2) & (lag <= 0.5 + 1e-9)
    return Pairs(
        first,
        second,
        lag,
        near=step == 1,
        middle=(lag >= MIDDLE[0]) & (lag <= MIDDLE[1]),
        far=lag >= FAR,
        early=close & (middle_of_pair < 0.5 - 1e-9),
        late=close & (middle_of_pair > 0.5 + 1e-9),
    )


def mean_of(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """(replicate) mean over the chosen pairs that have a value, NaN for none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of nothing: NaN
        return np.asarray(np.nanmean(values[:, chosen], axis=1))


def by_lag(similarity: np.ndarray, pairs: Pairs) -> dict[str, np.ndarray]:
    """Four numbers of a similarity between sessions.

    Parameters
    ----------
    similarity
        (replicate, session, session) 1 where nothing changed.
    pairs
        Of its sessions.

    Returns
    -------
    dict
        ``first``: of neighbours; ``last``: of pairs most of the time apart; ``shape``: exponent of
        the loss against the lag between the middle and far (1 linear, .5 as the root, 0 saturated);
        ``acceleration``: loss of close sessions late less early, over their sum.
    """
    values = similarity[:, pairs.first, pairs.second]
    near, far = mean_of(values, pairs.near), mean_of(values, pairs.far)
    middle = mean_of(values, pairs.middle)
    found = {"first": near, "last": far}
    some = pairs.middle.any() and pairs.far.any()
    apart = np.log(pairs.lag[pairs.middle].mean() / pairs.lag[pairs.far].mean()) if some else np.nan
    lost = 1 - far
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(np.maximum(1 - middle, 1e-3) / lost) / apart
        shape = np.where(lost >= LEAST_LOSS, np.clip(ratio, -1.0, 4.0), np.nan)
        early, late = 1 - mean_of(values, pairs.early), 1 - mean_of(values, pairs.late)
        both = np.abs(early) + np.abs(late)
        faster = np.where(both >= LEAST_LOSS, (late - early) / both, np.nan)
    return found | {"shape": shape, "acceleration": faster}


def course(level: np.ndarray, time: np.ndarray) -> dict[str, np.ndarray]:
    """Mean, change over the whole time, and bend of the logarithm of a level.

    Parameters
    ----------
    level
        (replicate, session) above 0, NaN where unknown.
    time
        (session) from 0 to 1.

    Returns
    -------
    dict
        ``level``: the geometric mean; ``course``: change of the logarithm from the first to the
        last session along a straight line; ``bend``: coefficient of the square of time.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(np.where(level > 0, level, np.nan))
    known = np.isfinite(logs)
    n = known.sum(axis=1)
    safe = np.where(known, logs, 0.0)
    found = {"level": np.exp(np.where(n > 0, safe.sum(axis=1) / np.maximum(n, 1), np.nan))}
    centred = time - 0.5
    for name, degree in (("course", 1), ("bend", 2)):
        design = np.stack([centred**power for power in range(degree + 1)], axis=1)
        weight = known[:, :, None] * design
        enough = n > degree + (degree - 1)
        gram = np.einsum("rsi,sj->rij", weight, design) + 1e-12 * np.eye(degree + 1)
        right = np.einsum("rsi,rs->ri", weight, safe)
        solved = np.linalg.solve(gram, right[:, :, None])[:, -1, 0]
        found[name] = np.where(enough, solved, np.nan)
    return found
