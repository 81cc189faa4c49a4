"""Whether units that have been on for longer are likelier to stay on, beyond fixed rates."""

from __future__ import annotations

from typing import Literal

import numpy as np
import xarray as xr

from neurodrift.analysis._inference import permutation_p
from neurodrift.analysis.survival.states import (
    Of,
    States,
    Undetected,
    interval,
    ratio,
    states_of,
)
from neurodrift.schema import label
from neurodrift.schema.objects import expect_choice
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import RUN_LENGTHS
from neurodrift.seeds import generator

Start = Literal["onset", "any"]
_AT_ONCE = 4_000_000  # states of permutations in memory


@checked_options
def compute_run_lengths(
    states: xr.DataArray | xr.DataTree,
    *,
    of: Of = "place_cells",
    detected: xr.DataArray | None = None,
    undetected: Undetected = "auto",
    start: Start = "any",
    min_runs: int = 6,
    n_permutations: int = 999,
    clusters: xr.DataArray | None = None,
    n_repeats: int = 500,
    level: float = 0.95,
    seed: int = 0,
) -> xr.Dataset:
    r"""Probability of staying on by the number of sessions in a row that a unit has been on.

    The estimand is the excess of P(on next | on for k sessions in a row) over what units with
    fixed rates of their own give. Such units give a rising curve without any history: those that
    are on for long are those that are often on.

    Parameters
    ----------
    states, of, detected, undetected, clusters
        As for :func:`neurodrift.compute_turnover`.
    start
        Which runs count: ``"any"``, also those that are on where the unit is first seen, as in [1]_
        (their age is not known, at least k); or ``"onset"``, those that begin after a session off.
    min_runs
        Fewest runs behind a value; those of fewer are NaN, as in [1]_ (more than 5).
    n_permutations
        Permutations of each unit's sessions behind p.
    n_repeats, level, seed
        Bootstrap draws over units for the intervals, their coverage, and the seed.

    Returns
    -------
    xarray.Dataset
        Over ``run`` [sessions in a row]: ``stay``, P(on next | run); ``fixed``, the same with each
        unit's sessions in random order; ``excess``, their difference, with ``_ci_low`` and
        ``_ci_high`` and ``excess_p`` (two-sided); ``n_runs`` at risk and ``n_to_missing``, runs
        followed by a session in which the unit is not known. ``return_hazard``, P(on next | off
        for so many sessions since it was on), and ``return_share``, such returns over all runs
        that ended, as in [1]_. ``overall``, the mean excess of all runs, with ``overall_ci_low``,
        ``overall_ci_high`` and ``overall_p``.

    Raises
    ------
    ValueError
        If dimensions or labels do not fit.

    Notes
    -----
    A run is reset by a session off and by one in which the unit is not known. ``fixed`` is exact:
    of a unit that is on in m of n known sessions, a stretch of k + 1 of them is all on with
    probability :math:`\binom{n-k-1}{m-k-1} / \binom{n}{m}`, and numerators and denominators are
    summed over units. p compares with random orders of every unit's known sessions, which is exact
    where they are exchangeable. A slow change of rates also breaks that, and so does a chain
    without memory of more than one session: an excess says that states depend on time or history,
    and not on which of both.

    Ten sessions of units with rates from a Beta(.5, .5) give .58, .73, .80, .86 for runs of 1 to 4,
    near the published .61, .77, .84, .87 of single fields [1]_.

    References
    ----------
    .. [1] Chen et al. (2025), Adv Sci. https://doi.org/10.1002/advs.202509532

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from neurodrift import compute_run_lengths
    >>> rng = np.random.default_rng(1)
    >>> rates = rng.beta(0.5, 0.5, 2000)
    >>> found = xr.DataArray(rng.random((10, 2000)) < rates, dims=("session", "unit"))
    >>> runs = compute_run_lengths(found)
    >>> runs["stay"].values[:4].round(2).tolist(), bool(abs(runs["overall"]) < 0.02)
    ([0.58, 0.73, 0.8, 0.85], True)
    """
    expect_choice("start", start, ("any", "onset"))
    given = states_of(states, of=of, detected=detected, undetected=undetected, clusters=clusters)
    on = np.where(given.known, np.nan_to_num(given.on), -1).astype(np.int8)
    n = on.shape[0]
    longest = max(n - 1, 0)
    stay, at_risk, to_missing = _counts(on, start)
    fixed_stay, fixed_risk = _expected(on, start)
    drawn = given.weights(n_repeats, seed, "run lengths")
    seen = ratio(stay.sum(axis=1), at_risk.sum(axis=1))
    fixed = ratio(fixed_stay.sum(axis=1), fixed_risk.sum(axis=1))
    spread = ratio(drawn @ stay.T, drawn @ at_risk.T)
    spread = spread - ratio(drawn @ fixed_stay.T, drawn @ fixed_risk.T)
    overall = _overall(stay, at_risk, fixed)
    own = np.nan_to_num(ratio(drawn @ fixed_stay.T, drawn @ fixed_risk.T))  # of the units drawn
    risk = drawn @ at_risk.T
    overall_draws = ratio((drawn @ stay.T - risk * own).sum(axis=1), risk.sum(axis=1))
    excess = seen - fixed
    shuffled = _shuffled(on, given, start, fixed, n_permutations, seed)
    p = [_two_sided(excess[k], shuffled[0][:, k]) for k in range(longest)]
    enough = at_risk.sum(axis=1) >= min_runs
    low, high = interval(spread, level)
    hazard, share, ended = _returns(on)
    some = bool(at_risk.sum() >= min_runs)
    ends = interval(overall_draws[:, None], level)
    result = xr.Dataset(
        {
            "stay": ("run", np.where(enough, seen, np.nan)),
            "fixed": ("run", np.where(enough, fixed, np.nan)),
            "excess": ("run", np.where(enough, excess, np.nan)),
            "excess_ci_low": ("run", np.where(enough, low, np.nan)),
            "excess_ci_high": ("run", np.where(enough, high, np.nan)),
            "excess_p": ("run", np.where(enough, np.array(p, dtype=float), np.nan)),
            "n_runs": ("run", at_risk.sum(axis=1).astype(np.int64)),
            "n_to_missing": ("run", to_missing.sum(axis=1).astype(np.int64)),
            "return_hazard": ("run", np.where(ended >= min_runs, hazard, np.nan)),
            "return_share": ("run", share if ended.max(initial=0) >= min_runs else share * np.nan),
            "overall": overall if some else np.nan,
            "overall_ci_low": float(ends[0][0]) if some else np.nan,
            "overall_ci_high": float(ends[1][0]) if some else np.nan,
            "overall_p": _two_sided(overall, shuffled[1]) if some else np.nan,
        },
        coords={"run": np.arange(1, longest + 1)}
        | {k: v for k, v in given.coords.items() if k in ("subject", "environment")},
        attrs=given.attrs()
        | {"start": start, "min_runs": min_runs, "n_permutations": n_permutations, "seed": seed},
    )
    result.attrs["corrected"] = 0
    return label(result, RUN_LENGTHS)


def runs_so_far(on: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many sessions in a row each unit has been on, and whether that run's onset was seen.

    Parameters
    ----------
    on
        (session, ...) 1 on, 0 off, -1 missing.

    Returns
    -------
    tuple
        Both over (session, ...); 0 and False where a unit is not on.
    """
    length = np.zeros(on.shape, dtype=np.int16)
    fresh = np.zeros(on.shape, dtype=bool)
    for s in range(on.shape[0]):
        here = on[s] == 1
        before = s > 0
        going = here & (on[s - 1] == 1) if before else np.zeros_like(here)
        length[s] = np.where(going, length[s - 1] + 1 if before else 1, here)
        came = here & (on[s - 1] == 0) if before else np.zeros_like(here)
        fresh[s] = came | (going & fresh[s - 1] if before else came)
    return length, fresh


def _counts(on: np.ndarray, start: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(run, unit) runs that went on, that were at risk, and that were followed by nothing known."""
    n, n_units = on.shape
    length, fresh = runs_so_far(on)
    found = np.zeros((3, max(n - 1, 0), n_units))
    for s in range(n - 1):
        counted = fresh[s] if start == "onset" else length[s] > 0
        at = np.flatnonzero(counted)
        k, after = length[s, at] - 1, on[s + 1, at]
        found[0, k, at] += after == 1
        found[1, k, at] += after >= 0
        found[2, k, at] += after < 0
    return found[0], found[1], found[2]


def _expected(on: np.ndarray, start: str) -> tuple[np.ndarray, np.ndarray]:
    """(run, unit) expected counts of :func:`_counts` with each unit's sessions in random order.

    A run of exactly k that is at risk is a stretch of known sessions: k on, one before it off or
    not known, and a known one after it.
    """
    from scipy.special import gammaln

    n, n_units = on.shape
    known = on >= 0
    total, number = known.sum(axis=0), (on == 1).sum(axis=0)

    def chance(n_on: int, n_off: int) -> np.ndarray:
        """Probability that given sessions are on and others off."""
        rest, left = total - n_on - n_off, number - n_on
        fits = (left >= 0) & (left <= rest)
        left, rest = np.where(fits, left, 0), np.where(fits, rest, 0)
        logs = (
            gammaln(rest + 1)
            - gammaln(left + 1)
            - gammaln(rest - left + 1)
            - gammaln(total + 1)
            + gammaln(number + 1)
            + gammaln(total - number + 1)
        )
        return np.where(fits, np.exp(logs), 0.0)

    stay, risk = np.zeros((2, max(n - 1, 0), n_units))
    for k in range(1, n):
        # a stretch of k known sessions and a known one after it, of which one before is known
        inner = bare = np.zeros(n_units)
        for first in range(n - k):
            whole = known[first : first + k + 1].all(axis=0)
            before = known[first - 1] if first else np.zeros(n_units, dtype=bool)
            inner = inner + (whole & before)
            bare = bare + (whole & ~before)
        kinds = [(inner, 1)] + ([(bare, 0)] if start == "any" else [])
        for count, off in kinds:
            stay[k - 1] += count * chance(k + 1, off)
            risk[k - 1] += count * (chance(k + 1, off) + chance(k, off + 1))
    return stay, risk


def _overall(stay: np.ndarray, at_risk: np.ndarray, fixed: np.ndarray) -> float:
    """Mean excess of all runs."""
    expected = (at_risk.sum(axis=1) * np.nan_to_num(fixed)).sum()
    return float(ratio(stay.sum() - expected, at_risk.sum()))


def _shuffled(
    on: np.ndarray, given: States, start: str, fixed: np.ndarray, n_permutations: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Excess by run (permutation, run) and overall (permutation), sessions in random order."""
    n, n_units = on.shape
    excess = np.full((n_permutations, max(n - 1, 0)), np.nan)
    overall = np.full(n_permutations, np.nan)
    if n < 2 or not n_units:
        return excess, overall
    rng = generator(seed, "order of sessions")
    at_once = max(1, _AT_ONCE // on.size)
    for first in range(0, n_permutations, at_once):
        some = range(first, min(first + at_once, n_permutations))
        keys = rng.random((n, len(some), n_units), dtype=np.float32)
        tiled = np.broadcast_to(on[:, None, :], keys.shape)
        moved = _in_order(tiled, keys)
        length, fresh = runs_so_far(moved)
        stay, risk = np.zeros((2, len(some), n - 1))
        row = np.arange(len(some))[:, None] * n
        for s in range(n - 1):
            counted = fresh[s] if start == "onset" else length[s] > 0
            at = row + np.where(counted, length[s], 0)
            for sums, which in ((stay, moved[s + 1] == 1), (risk, moved[s + 1] >= 0)):
                found = np.bincount(at[which], minlength=len(some) * n)
                sums += found.reshape(len(some), n)[:, 1:]
        excess[some.start : some.stop] = ratio(stay, risk) - fixed
        expected = (risk * np.nan_to_num(fixed)).sum(axis=1)
        overall[some.start : some.stop] = ratio(stay.sum(axis=1) - expected, risk.sum(axis=1))
    return excess, overall


def _in_order(on: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """States of the known sessions of each unit in the order of random keys; missing ones stay."""
    missing = on < 0
    if not missing.any():
        return np.take_along_axis(on, np.argsort(keys, axis=0), axis=0)
    order = np.argsort(np.where(missing, 2.0, keys), axis=0)
    states = np.take_along_axis(on, order, axis=0)  # the known ones first
    rank = np.cumsum(~missing, axis=0) - 1
    return np.where(missing, on, np.take_along_axis(states, np.maximum(rank, 0), axis=0))


def _two_sided(value: float, null: np.ndarray) -> float:
    """P of a value as far from 0; draws without such a run are no evidence."""
    if not np.isfinite(value):
        return float("nan")
    known = null[np.isfinite(null)]
    reached = int((np.abs(known) >= abs(value) - 1e-12).sum())
    return float(permutation_p(reached, known.size))


def _returns(on: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hazard of coming back by sessions off since a run, share of all ended runs, and their number.

    A session that is not known ends the wait.
    """
    n = on.shape[0]
    back, waiting = np.zeros((2, max(n - 1, 0)))
    off = np.zeros(on.shape[1], dtype=int)  # sessions off since a run, 0 = none
    ended = 0
    for s in range(1, n):
        for k in range(1, s):
            here = off == k
            waiting[k - 1] += (here & (on[s] >= 0)).sum()
            back[k - 1] += (here & (on[s] == 1)).sum()
        left = (on[s - 1] == 1) & (on[s] == 0)
        ended += int(left.sum())
        off = np.where(on[s] == 0, np.where(left, 1, np.where(off > 0, off + 1, 0)), 0)
    return ratio(back, waiting), ratio(back, np.full(back.shape, ended)), waiting
