r"""A test over a whole specification curve: all ways of analysing, permuted together.

Ways of analysing the same data agree because they are of the same data. Each permutation is made
once, for all of them, and so keeps how they depend on each other (Simonsohn, Simmons & Nelson 2020,
Nat Hum Behav. https://doi.org/10.1038/s41562-020-0912-z).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

_BLOCK = 2048  # permutations at once
_RATHER_MORE = 0.75  # standard deviations of the autocorrelation that is taken out beyond its mean


@dataclass(frozen=True, eq=False)
class Permuted:
    """Statistics of a curve, as it is and by chance.

    Parameters
    ----------
    median
        Median t of the ways.
    share
        Share of the ways that are significant with the sign that more of them have.
    mean_z
        Mean of the ways' z.
    p_median, p_share, p_mean_z
        Share of the permutations that are as extreme, two-sided.
    n_permutations
        How many were made, the identity among them.
    smallest_p
        Smallest p that could have come out.
    how
        What was permuted.
    """

    median: float = np.nan
    share: float = np.nan
    mean_z: float = np.nan
    p_median: float = np.nan
    p_share: float = np.nan
    p_mean_z: float = np.nan
    n_permutations: int = 0
    smallest_p: float = np.nan
    how: str = ""


Scores = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Permutations -> (permutation, way) t and its degrees of freedom."""


def permute(
    scores: Scores, permutations: Iterator[np.ndarray], *, alpha: float, how: str
) -> Permuted:
    """Hold a curve against its permutations.

    Parameters
    ----------
    scores
        The t of every way for blocks of permutations.
    permutations
        Blocks of them; the first permutation is the identity.
    alpha
        Level at which a way is significant.
    how
        What is permuted, in words.

    Returns
    -------
    Permuted
        The test.
    """
    found = []
    for block in permutations:
        t, dof = scores(block)
        found.append(_statistics(t, dof, alpha))
    statistics = np.concatenate(found, axis=1)
    p_median, p_share, p_mean_z = (_share_as_extreme(one, one[0]) for one in statistics)
    size = np.abs(statistics[0])
    largest = size[np.isfinite(size)].max(initial=0.0)
    smallest = _share_as_extreme(statistics[0], largest) if largest > 0 else 1.0
    median, share, mean_z = map(float, statistics[:, 0])
    n = statistics.shape[1]
    return Permuted(median, share, mean_z, p_median, p_share, p_mean_z, n, smallest, how)


def _share_as_extreme(values: np.ndarray, than: float) -> float:
    """Share of the permutations whose size is at least that; rounding does not break a tie."""
    if not np.isfinite(than):
        return np.nan
    return float(np.mean(np.abs(values) >= abs(than) * (1 - 1e-9) - 1e-9))


def _statistics(t: np.ndarray, dof: np.ndarray, alpha: float) -> np.ndarray:
    """Median t, share of significant ways, and mean z, each (permutation)."""
    from scipy.special import ndtri, stdtr, stdtrit

    known = np.isfinite(t)
    found = np.full((3, len(t)), np.nan)
    some = known.any(axis=1)
    t, dof, known = t[some], np.broadcast_to(dof, t.shape)[some], known[some]
    if not len(t):
        return found
    bound = stdtrit(np.maximum(dof, 1e-9), 1 - alpha / 2)
    rising, falling = (((sign * t > bound) & known).sum(axis=1) for sign in (1, -1))
    tail = stdtr(dof, -np.abs(t))
    z = -np.sign(t) * ndtri(np.clip(tail, 1e-300, 0.5))
    found[0, some] = np.nanmedian(t, axis=1)
    found[1, some] = np.maximum(rising, falling) / known.sum(axis=1)
    found[2, some] = np.nanmean(z, axis=1)
    return found


def flipped(values: np.ndarray, n_permutations: int, alpha: float, seed: int) -> Permuted:
    """Test whether animals change at all: the sign of an animal is as likely to be the other one.

    Parameters
    ----------
    values
        (way, animal) change of each animal; NaN where a way has none.
    n_permutations
        Most that are made; all where there are fewer.
    alpha
        Level at which a way is significant.
    seed
        Of the random ones.

    Returns
    -------
    Permuted
        A slope of any course in time that is as likely to be passed the other way.
    """
    n = values.shape[1]
    known = np.isfinite(values)
    count = known.sum(axis=1)
    filled = np.where(known, values, 0.0)
    squares = (filled**2).sum(axis=1)

    def scores(signs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = signs @ filled.T / count
        return _t_of(mean, squares - count * mean**2, count)

    return permute(
        scores,
        _signs(n, n_permutations, seed),
        alpha=alpha,
        how="signs of animals",
    )


def _t_of(mean: np.ndarray, left: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    dof = np.broadcast_to(count - 1.0, mean.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = mean / np.sqrt(np.maximum(left, 0.0) / dof / count)
    return np.where(np.isfinite(t) & (dof > 0), t, np.nan), np.maximum(dof, 1.0)


def _signs(n: int, most: int, seed: int) -> Iterator[np.ndarray]:
    if 2**n <= most:
        every = np.array(list(itertools.product((1.0, -1.0), repeat=n)))
        yield from np.array_split(every, math.ceil(len(every) / _BLOCK))
        return
    rng = np.random.default_rng(seed)
    yield np.ones((1, n))
    for size in _blocks(most - 1):
        yield rng.choice([1.0, -1.0], size=(size, n))


def _blocks(n: int) -> Iterator[int]:
    while n > 0:
        yield min(n, _BLOCK)
        n -= _BLOCK


def swapped(
    values: np.ndarray, second: np.ndarray, n_permutations: int, alpha: float, seed: int
) -> Permuted:
    """Test whether two groups of animals differ: an animal is as likely to be in the other one.

    Parameters
    ----------
    values
        (way, animal) value of each animal; NaN where a way has none.
    second
        (animal) whether it is in the second group.
    n_permutations, alpha, seed
        As for :func:`flipped`.

    Returns
    -------
    Permuted
        Of Welch's t, second group less first.
    """
    n, n_second = second.size, int(second.sum())
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0)

    def scores(members: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        sides = []
        for inside in (members, 1.0 - members):
            count = inside @ known.T.astype(float)
            with np.errstate(divide="ignore", invalid="ignore"):
                mean = inside @ filled.T / count
                left = inside @ (filled**2).T - count * mean**2
                sides.append((mean, np.maximum(left, 0.0) / (count - 1) / count, count - 1))
        (one, one_var, one_dof), (other, other_var, other_dof) = sides
        with np.errstate(divide="ignore", invalid="ignore"):
            t = (one - other) / np.sqrt(one_var + other_var)
            dof = (one_var + other_var) ** 2 / (one_var**2 / one_dof + other_var**2 / other_dof)
        usable = np.isfinite(t) & (one_dof > 0) & (other_dof > 0)
        return np.where(usable, t, np.nan), np.where(usable, dof, 1.0)

    n_ways = math.comb(n, n_second)
    return permute(
        scores,
        _members(second, n_ways, n_permutations, seed),
        alpha=alpha,
        how="groups of animals",
    )


def _members(second: np.ndarray, n_ways: int, most: int, seed: int) -> Iterator[np.ndarray]:
    n, n_second = second.size, int(second.sum())
    first = second.astype(float)
    if n_ways <= most:
        every = np.zeros((n_ways, n))
        for row, chosen in enumerate(itertools.combinations(range(n), n_second)):
            every[row, list(chosen)] = 1.0
        same = np.flatnonzero((every == first).all(axis=1))[0]
        every[[0, same]] = every[[same, 0]]
        yield from np.array_split(every, math.ceil(n_ways / _BLOCK))
        return
    yield from _shuffled(first, most, seed)


def _shuffled(first: np.ndarray, most: int, seed: int) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(seed)
    yield first[None]
    for size in _blocks(most - 1):
        yield rng.permuted(np.broadcast_to(first, (size, first.size)), axis=1)


def along(
    values: np.ndarray, x: np.ndarray, n_permutations: int, alpha: float, seed: int
) -> Permuted:
    """Test whether animals change along a number: an animal is as likely to have another's.

    Parameters
    ----------
    values
        (way, animal) value of each animal; NaN where a way has none.
    x
        (animal) the number.
    n_permutations, alpha, seed
        As for :func:`flipped`.

    Returns
    -------
    Permuted
        Of the t of a line.
    """
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0)
    count = known.sum(axis=1)

    x = np.asarray(x, dtype=float)

    def scores(orders: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return _line(x[orders], known, filled, count)

    return permute(
        scores,
        _orders(x.size, n_permutations, seed),
        alpha=alpha,
        how="numbers of animals",
    )


def _line(
    x: np.ndarray, known: np.ndarray, y: np.ndarray, count: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The t of the slope of rows y (way, sample) on each x (permutation, sample)."""
    weight = known.astype(float).T
    sx, sxx, sxy = x @ weight, x**2 @ weight, x @ y.T
    sy, syy = y.sum(axis=1), (y**2).sum(axis=1)
    dof = np.broadcast_to(count - 2.0, sxy.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        xx = sxx - sx**2 / count
        xy, yy = sxy - sx * sy / count, syy - sy**2 / count
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = xy / xx
        t = slope / np.sqrt(np.maximum(yy - slope * xy, 0.0) / dof / xx)
    return np.where(np.isfinite(t) & (dof > 0), t, np.nan), np.maximum(dof, 1.0)


def reordered(
    values: np.ndarray,
    at: np.ndarray,
    when: np.ndarray,
    n_permutations: int,
    alpha: float,
    seed: int,
) -> Permuted:
    r"""Test whether one animal changes, where neighbouring sessions may be alike.

    Parameters
    ----------
    values
        (way, session) the measure; sessions that a way lacks are left out of all.
    at
        (session) places on the axis.
    when
        (session) places in time, in steps of the usual length.
    n_permutations, alpha, seed
        As for :func:`flipped`.

    Returns
    -------
    Permuted
        Of the t of a line. An autocorrelation :math:`\rho^d` that the mean of the ways has beside
        its line is taken out, the sessions are put in another order, and it is put back.
    """
    from neurodrift.analysis.series.trend import fit_trend

    used = np.isfinite(values).all(axis=0) & np.isfinite(at)
    values, at, when = values[:, used], at[used], when[used]
    n = at.size
    spread = values.std(axis=1, keepdims=True)
    values = values[spread[:, 0] > 0] - values.mean(axis=1, keepdims=True)[spread[:, 0] > 0]
    if n < 4 or not len(values):
        return Permuted(how="too few sessions")
    mean = (values / spread[spread[:, 0] > 0]).mean(axis=0)
    design = np.column_stack([np.ones(n), at])
    fit = fit_trend(design, mean, when)
    rho = float(np.clip(fit.correlation + _RATHER_MORE * fit.correlation_sd, 0.0, 0.95))
    colour = np.linalg.cholesky(rho ** np.abs(when[:, None] - when))
    ones = np.linalg.solve(colour, np.ones(n))
    white = np.linalg.solve(colour, values.T)
    white -= np.outer(ones, ones @ white / (ones @ ones))
    known, count = np.ones((1, n), dtype=bool), np.full(1, n)

    def scores(orders: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        again = np.einsum("ij,pjw->pwi", colour, white[orders])
        t = np.empty((len(orders), len(values)))
        for i, rows in enumerate(again):
            own = np.broadcast_to(known, rows.shape)
            t[i] = _line(at[None], own, rows, np.broadcast_to(count, len(rows)))[0]
        return t, np.full(t.shape, n - 2.0)

    return permute(
        scores,
        _orders(n, n_permutations, seed),
        alpha=alpha,
        how="sessions of the animal",
    )


def relabelled(
    similarity: np.ndarray, at: np.ndarray, n_permutations: int, alpha: float, seed: int
) -> Permuted:
    """Test whether similarity falls with the lag in one animal, by the labels of its sessions.

    Parameters
    ----------
    similarity
        (way, session, session), known above the diagonal.
    at
        (session) places on the axis.
    n_permutations, alpha, seed
        As for :func:`flipped`.

    Returns
    -------
    Permuted
        Of the t of a line over pairs (Mantel 1967), whose size alone is held against permutations.
    """
    n = at.size
    if n < 4:
        return Permuted(how="too few sessions")
    a, b = np.triu_indices(n, k=1)
    pairs = similarity[:, a, b]
    known = np.isfinite(pairs)
    filled, count = np.where(known, pairs, 0.0), known.sum(axis=1)

    def scores(orders: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        place = at[orders]
        return _line(np.abs(place[:, b] - place[:, a]), known, filled, count)

    return permute(
        scores,
        _orders(n, n_permutations, seed),
        alpha=alpha,
        how="sessions of the animal",
    )


def _orders(n: int, most: int, seed: int) -> Iterator[np.ndarray]:
    if math.factorial(min(n, 15)) <= most:
        every = np.array(list(itertools.permutations(range(n))))
        yield from np.array_split(every, math.ceil(len(every) / _BLOCK))
        return
    rng = np.random.default_rng(seed)
    yield np.arange(n)[None]
    for size in _blocks(most - 1):
        yield rng.permuted(np.broadcast_to(np.arange(n), (size, n)), axis=1)
