"""How many identities are wrong: the share of units of two sessions that are not the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from neurodrift.analysis.drift.ceiling import compute_half_maps, finest_split
from neurodrift.analysis.identity._similarity import MIN_BINS, MIN_UNITS, root_maps
from neurodrift.analysis.maps.binning import Binning
from neurodrift.analysis.series.trend import places
from neurodrift.seeds import generator

FEWEST_SESSIONS = 5
"""Sessions from which wrong identities can be told from drift."""

FEWEST_UNITS = 50
"""Units of a pair of sessions from which they can."""

_KEPT = np.linspace(0.2, 1.0, 81)  # what drift may leave after one step
_TURNS = 40
_MOST = 1.1  # share of right identities by chance of the noise; 1 would make the others too low
_LEAST_WITHIN = 0.1  # agreement of halves below which a session says too little


@dataclass(frozen=True, eq=False)
class Shares:
    """Wrong identities of pairs of sessions.

    Parameters
    ----------
    similarity
        (session, session) similarity without noise, 1 for the same maps of the same units.
    share, low, high
        (session, session) share of wrong identities with its interval; NaN where it cannot be told.
    bound
        (session, session) what it is at most.
    own, own_low, own_high
        (session) share of the units of a session whose identity is wrong; the intervals hold all
        sessions together (Bonferroni).
    sure
        (session) the share that is surely wrong, whether drift is steady or not; NaN for the first
        and the last session, where faster drift looks the same.
    kept
        Similarity that drift leaves after one step.
    """

    similarity: np.ndarray
    share: np.ndarray
    low: np.ndarray
    high: np.ndarray
    bound: np.ndarray
    own: np.ndarray
    own_low: np.ndarray
    own_high: np.ndarray
    sure: np.ndarray
    kept: float


def wrong_shares(
    recording: xr.Dataset,
    *,
    binning: Binning,
    smoothing: float,
    days: np.ndarray,
    n_draws: int = 100,
    level: float = 0.95,
    seed: int = 0,
) -> Shares:
    r"""Estimate the share of wrong identities of every pair of sessions.

    Parameters
    ----------
    recording
        A recording with a position.
    binning, smoothing
        As for :func:`neurodrift.check_registration`.
    days
        (session) when each session was, increasing.
    n_draws
        Bootstrap samples of the units.
    level
        Coverage of the intervals; of the bound on one side.
    seed
        Seed of the bootstrap.

    Returns
    -------
    Shares
        NaN for pairs of too few units or of sessions whose halves do not agree.

    Notes
    -----
    With :math:`c_{ij}` the mean over units of the product of their maps in half sessions, less that
    of different units, the similarity without noise is
    :math:`r_{ij} = c_{ij} / \sqrt{c_{ii} c_{jj}}`. A unit whose identity is wrong in i or j adds
    nothing, and drift takes away as time goes by:

    .. math:: r_{ij} = q_i q_j f^{|t_i - t_j|},

    :math:`q_i` the share of right identities of session i, :math:`f` what drift leaves after one
    step. The share of wrong ones is :math:`1 - q_i q_j`: what is lost at once, beyond what is lost
    with time. It needs five sessions and 50 units, and for the first and the last session that
    drift is steady. For those between, steps :math:`f_k` of their own leave
    :math:`q_j^2 = r_{ij} r_{jk} / r_{ik}`: a warning rests on that alone. Cells that
    change their maps from each session to the next, however short the time, look the same as
    wrong identities; nothing in the maps tells them apart. Whatever drift does, the share is at
    most :math:`1 - r_{ij}`, the bound.

    Measured on 12 recordings of each kind (``benchmarks/registration.py``): with 5 sessions, 100
    cells and 30 events the mean over pairs is within 10 points of what was planted (0 to 60 % of
    the cells of every session but the first, drift of 0 or 10 % a step) in 97 %, the bound holds
    it in 99 to 100 % of all pairs of all kinds, and no recording under steady drift is called
    wrong. Drift that is three times as fast at first adds 14 points to the estimate, but no
    warning; a fifth of the cells with new maps in every session is taken for 21 %, and warned of
    in 17 %.
    """
    rate, detected, visited = _halves(recording, binning, smoothing)
    n_sessions, n_units = rate.shape[0], rate.shape[2]
    rng = generator(seed, "registration", "shares")
    counts = rng.multinomial(n_units, np.full(n_units, 1 / n_units), size=n_draws)
    weights = np.concatenate([np.ones((1, n_units)), counts]).astype(float)
    similar, shared = _similarities(rate, detected, visited, weights)
    when = places(days) if (np.diff(days) > 0).all() else np.arange(float(n_sessions))
    lag = np.abs(when[:, None] - when[None, :])
    enough = np.isfinite(similar[0])
    tail = (1 - level) / 2
    drawn = np.isfinite(similar[1:])
    number = drawn.sum(axis=0)
    draws = np.where(drawn, similar[1:], 0.0)
    mean = draws.sum(axis=0) / np.maximum(number, 1)
    squares = (np.where(drawn, similar[1:] - mean, 0.0) ** 2).sum(axis=0)
    error = np.sqrt(squares / np.maximum(number - 1, 1))
    enough &= number > n_draws / 2
    bound = np.where(enough, np.clip(1 - (similar[0] - 1.645 * error), 0, 1), np.nan)

    empty = np.full((n_sessions, n_sessions), np.nan)
    nothing = np.full(n_sessions, np.nan)
    none = (nothing, nothing, nothing, nothing)
    result = Shares(similar[0], empty, empty, empty, bound, *none, np.nan)
    usable = enough & (shared >= FEWEST_UNITS)
    good = np.flatnonzero(usable.sum(axis=1) >= 3)
    if good.size < FEWEST_SESSIONS or usable[np.ix_(good, good)].sum() < 2 * 9:
        return result
    q, kept = _fit(similar, error, lag, usable, good)
    own = 1 - q
    pair = 1 - q[:, :, None] * q[:, None, :]
    share = np.where(usable, np.clip(pair[0], 0, 1), np.nan)
    low, high = _interval(pair, tail)
    own_low, own_high = _interval(own, tail / good.size)  # the sessions together
    inner = 1 - _fit_any_speed(similar, error, usable, good)
    sure = np.fmin(own_low, _interval(inner, tail / good.size)[0])
    sure[np.isnan(inner[0])] = np.nan
    return Shares(
        similar[0],
        share,
        np.where(usable, low, np.nan),
        np.where(usable, high, np.nan),
        bound,
        np.clip(own[0], 0, 1),
        own_low,
        own_high,
        sure,
        float(kept[0]),
    )


def _interval(values: np.ndarray, tail: float) -> tuple[np.ndarray, np.ndarray]:
    """Interval of a share, of the estimate and then its draws: the wider of two, within 0 to 1."""
    from scipy.special import ndtri

    low, high = np.quantile(values[1:], [tail, 1 - tail], axis=0)
    half = -float(ndtri(tail)) * values[1:].std(axis=0)
    return (
        np.clip(np.fmin(low, values[0] - half), 0, 1),
        np.clip(np.fmax(high, values[0] + half), 0, 1),
    )


def _halves(
    recording: xr.Dataset, binning: Binning, smoothing: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Roots of the maps (session, half, unit, bin), detected (session, unit), visited (.., bin)."""
    halves = compute_half_maps(
        recording, binning=binning, smoothing=smoothing, split=finest_split(recording)
    )
    rate, detected, visited = root_maps(halves, "segment")
    names = [str(item) for item in recording["session"].values]
    session, half = halves["session"].values.astype(str), halves["half"].values
    shape = (len(names), 2)
    maps = np.zeros((*shape, *rate.shape[1:]))
    seen = np.zeros((*shape, visited.shape[1]), dtype=bool)
    there = np.zeros((len(names), rate.shape[1]), dtype=bool)
    for k, name in enumerate(names):
        own = np.flatnonzero(session == name)
        for h in (0, 1):
            some = own[half[own] == h]
            if some.size != 1:  # several maps of one session are not mixed
                continue
            maps[k, h], seen[k, h] = rate[some[0]], visited[some[0]] > 0
        if own.size:
            there[k] = detected[own].all(axis=0)
    return maps, there, seen


def _similarities(
    maps: np.ndarray, detected: np.ndarray, visited: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Similarity without noise (draw, session, session), and how many units are in both."""
    n = len(maps)
    there = np.asarray(visited.any(axis=-1).all(axis=-1))  # sessions with two halves
    everywhere = visited[there].all(axis=(0, 1)) & there.any()
    shared = (detected[:, None] & detected[None, :]).sum(axis=-1)
    same = np.full((len(weights), n, n), np.nan)
    if everywhere.sum() < MIN_BINS:
        return same, shared
    maps = maps[..., everywhere]
    maps = maps - maps.mean(axis=-1, keepdims=True)
    for i in range(n):
        for j in range(i, n):
            units = detected[i] & detected[j]
            if units.sum() < MIN_UNITS or not (there[i] and there[j]):
                continue
            w = weights[:, units]
            halves = [(0, 1)] if i == j else [(0, 0), (0, 1), (1, 0), (1, 1)]
            found = np.mean(
                [_excess(maps[i, a][units], maps[j, b][units], w) for a, b in halves], axis=0
            )
            same[:, i, j] = same[:, j, i] = found
    # the ceilings over the units of the pair
    ceiling = np.full_like(same, np.nan)
    for i in range(n):
        for j in range(n):
            units = detected[i] & detected[j]
            if i == j or not np.isfinite(same[0, i, j]):
                continue
            ceiling[:, i, j] = _excess(maps[i, 0][units], maps[i, 1][units], weights[:, units])
            power = (maps[i] ** 2)[:, units].sum() / 2 / units.sum()
            if not ceiling[0, i, j] > _LEAST_WITHIN * power:
                ceiling[:, i, j] = np.nan
    product = ceiling * ceiling.swapaxes(1, 2)
    with np.errstate(invalid="ignore"):
        similar = same / np.sqrt(np.where(product > 0, product, np.nan))
    return similar, shared


def _excess(one: np.ndarray, other: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean product of the maps of equal units less that of different ones, for each draw."""
    total = weights.sum(axis=1)
    mean_one, mean_other = weights @ one, weights @ other
    own = weights @ (one * other).sum(axis=-1)
    squares = (weights**2) @ (one * other).sum(axis=-1)
    across = (mean_one * mean_other).sum(axis=-1) - squares
    pairs = total**2 - (weights**2).sum(axis=1)
    return np.asarray(own / total - across / pairs)


def _fit(
    similar: np.ndarray,
    error: np.ndarray,
    lag: np.ndarray,
    usable: np.ndarray,
    good: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Shares of right identities (draw, session), and what drift leaves after one step (draw).

    Least squares, by turns for each session, at every value of what drift leaves.
    """
    part = np.ix_(good, good)
    inside = similar[:, part[0], part[1]]
    known = usable[part] & np.isfinite(inside[0])
    r = np.where(known & np.isfinite(inside), inside, 0.0)[:, None]
    weight = np.where(known, 1 / np.maximum(np.nan_to_num(error[part]), 0.02) ** 2, 0.0)
    decay = _KEPT[:, None, None] ** lag[part]  # (kept, session, session)
    q = np.full((len(similar), _KEPT.size, good.size), 0.9)
    steered, squared = weight * decay, weight * decay**2
    for _ in range(_TURNS):
        for i in range(good.size):
            top = (steered[:, i] * r[:, :, i] * q).sum(axis=-1)
            bottom = (squared[:, i] * q**2).sum(axis=-1)
            q[..., i] = np.clip(top / np.maximum(bottom, 1e-12), 0.02, _MOST)
    rest = weight * (r - decay * q[..., :, None] * q[..., None, :]) ** 2
    best = rest.sum(axis=(-1, -2)).argmin(axis=1)
    found = np.full((len(similar), similar.shape[1]), np.nan)
    found[:, good] = q[np.arange(len(q)), best]
    return found, _KEPT[best]


def _fit_any_speed(
    similar: np.ndarray, error: np.ndarray, usable: np.ndarray, good: np.ndarray
) -> np.ndarray:
    """Shares of right identities (draw, session) with drift of any speed at every step.

    NaN for the first and the last session, whose share is in the speed of their steps.
    """
    part = np.ix_(good, good)
    inside = similar[:, part[0], part[1]]
    known = np.triu(usable[part] & np.isfinite(inside[0]), 1)
    n = good.size
    first, second = np.nonzero(known)
    r = np.nan_to_num(inside[:, first, second])
    weight = 1 / np.maximum(np.nan_to_num(error[part])[first, second], 0.02) ** 2
    rank = np.arange(n)
    holds = [(first == k) | (second == k) for k in rank[1:-1]]
    holds += [(first <= k) & (second > k) for k in rank[:-1]]
    exponent = np.array(holds, dtype=float)  # (parameter, pair) whether it is a factor
    x = np.full((len(similar), len(exponent)), 0.9)
    for _ in range(_TURNS * 2):
        for k, factor in enumerate(exponent):
            x[:, k] = 1.0
            rest = np.exp(np.log(x) @ exponent)
            top, bottom = (weight * factor * rest * r).sum(axis=1), weight * factor @ (rest**2).T
            x[:, k] = np.clip(top / np.maximum(bottom, 1e-12), 0.02, 1.0)
    found = np.full((len(similar), similar.shape[1]), np.nan)
    found[:, good[1:-1]] = x[:, : n - 2]
    return found
