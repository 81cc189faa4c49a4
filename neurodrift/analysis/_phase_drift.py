"""Whether and how fast the representation changes."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurodrift.analysis._change_points import candidate_ends, mean_level
from neurodrift.analysis._joint_change import FEWEST, judged
from neurodrift.analysis._phase_series import Series
from neurodrift.seeds import generator

UNDECIDED = "undecided"
_UNLIKE = 0.5  # similarity of neighbours that no choice of cells explains
_ALIKE = 0.1  # change between neighbours that still passes for none


def drift_of(
    series: Series,
    which: np.ndarray,
    *,
    level: float,
    negligible: float,
    done: float,
    n_permutations: int,
    seed: int,
) -> dict[str, Any]:
    """Whether the representation of some sessions changes, and how fast.

    Parameters
    ----------
    series
        A recording.
    which
        Positions of the sessions.
    level
        Coverage of the intervals.
    negligible
        Fall of the similarity that does not count.
    done
        Part of a change of the rate that is done at its end.
    n_permutations, seed
        Permutations behind the test, and their seed.

    Returns
    -------
    dict
        ``rate`` [1/axis] with ``low`` and ``high``, ``change`` between neighbours with ``c_low``
        and ``c_high``, ``p``, ``rate_evidence`` (log10 Bayes factor) and ``state`` in a word.
    """
    nothing: dict[str, Any] = dict.fromkeys(
        ("rate", "low", "high", "p", "change", "c_low", "c_high"), np.nan
    )
    nothing |= {"rate_evidence": np.nan, "state": "not measured"}
    if series.similarity is None:
        return nothing
    if which.size < 2:
        return nothing | {"state": "too few sessions"}
    r = series.similarity[np.ix_(which, which)]
    at = series.at[which]
    neighbours = np.diag(r, 1)
    if not np.isfinite(neighbours).any():
        return nothing
    rate = -np.log(np.maximum(neighbours, 0.02)) / np.diff(at)
    out = nothing | {"p": _mantel(r, at, n_permutations, seed)}
    out["rate"], out["low"], out["high"] = _interval(rate, level)
    out["change"], out["c_low"], out["c_high"] = _interval(1 - neighbours, level)
    if rate.size >= FEWEST:
        ends = candidate_ends(at[1:], done)
        change = judged(rate, ends, negligible)
        if change is not None:
            out["rate_evidence"] = change.total(ends.prior) / np.log(10)
    lower = np.nanmin(r[np.triu_indices(which.size, 1)])
    if (out["p"] <= 0.05 and 1 - lower > negligible) or out["c_low"] > 1 - _UNLIKE:
        out["state"] = "changes"
    elif which.size >= FEWEST and out["c_high"] < _ALIKE:
        out["state"] = "constant"
    else:
        out["state"] = UNDECIDED
    return out


def _interval(values: np.ndarray, level: float) -> tuple[float, float, float]:
    from scipy.stats import t

    mean, se, dof = mean_level(values)
    half = float(t.ppf((1 + level) / 2, dof)) * se if dof > 0 else np.nan
    return mean, mean - half, mean + half


def _mantel(r: np.ndarray, at: np.ndarray, n_permutations: int, seed: int) -> float:
    """P that similarity falls with the lag as it does if the sessions had any order."""
    from scipy.stats import rankdata

    n = at.size
    upper = np.triu_indices(n, 1)
    lag = np.zeros((n, n))
    lag[upper] = rankdata(np.abs(at[:, None] - at[None, :])[upper])
    lag = lag + lag.T
    lag[upper] -= lag[upper].mean()
    known = np.isfinite(r[upper])
    if n < 4 or known.sum() < 6 or np.ptp(r[upper][known]) < 1e-9:
        return np.nan
    filled = np.where(np.isfinite(r), r, 0.0)
    seen = np.isfinite(r).astype(float)

    def slope(order: np.ndarray) -> float:
        values, there = filled[np.ix_(order, order)][upper], seen[np.ix_(order, order)][upper]
        x, w = lag[upper], there / there.sum()
        x = x - w @ x
        return float((w * x) @ (values - w @ values) / np.sqrt((w * x) @ x))

    rng = generator(seed, "phases")
    observed = slope(np.arange(n))
    reached = sum(slope(rng.permutation(n)) <= observed + 1e-12 for _ in range(n_permutations))
    return (1 + reached) / (1 + n_permutations)
