"""Active units: their share, which of them two sessions have in common, and how they last."""

from __future__ import annotations

import numpy as np

from neurodrift.infer.measures.pairs import Pairs, mean_of
from neurodrift.infer.measures.products import over_units, own_power, products, unit_similarity
from neurodrift.infer.measures.view import View

LEAST_RATE = 0.1
"""Of the mean rate of all units, above which a unit is active in half a session."""


LEAST_LOST = 0.02
"""Share of active units that is lost in a step, below which its history is not told."""


def active(view: View) -> np.ndarray:
    """(unit, session, half) 1 where the unit is active in the half."""
    own = view.rate.mean(axis=-1)
    n = np.maximum(view.detected.sum(axis=0), 1)
    mean = own.sum(axis=0) / n[:, None]
    return np.asarray(((own > LEAST_RATE * mean) & (own > 0)).astype(float))


def share(view: View) -> np.ndarray:
    """(replicate, session) share of units that are active, seen or not.

    As animals are counted by catching them twice: units active in either half, over those of one
    that are found in the other (Lincoln and Petersen).
    """
    on = active(view)
    n = view.kept @ view.detected
    one, other = view.kept @ on[:, :, 0], view.kept @ on[:, :, 1]
    both = view.kept @ (on[:, :, 0] * on[:, :, 1])
    with np.errstate(divide="ignore", invalid="ignore"):
        found = one * other / (both * n)
    return np.where(both > 0, found, np.nan)


def overlap(view: View) -> np.ndarray:
    """(replicate, session, session) units active in both, over what two halves have in common."""
    return unit_similarity(view, active(view)[..., None])


def survival(view: View, pairs: Pairs) -> dict[str, np.ndarray]:
    """How active units last.

    Parameters
    ----------
    view
        What was seen.
    pairs
        Of its sessions.

    Returns
    -------
    dict
        ``first``, ``last``: share of the active units that are active at the next session, and far
        later; ``history``: logarithm of the chance that an active unit is lost at the next session,
        over that of one that was active twice in a row: 0 where all units are lost alike.
    """
    on = active(view)
    found = products(on[..., None])
    with np.errstate(divide="ignore", invalid="ignore"):
        kept = over_units(view, found) / own_power(view, found)
    kept = np.where(np.isfinite(kept), kept, np.nan)[:, pairs.first, pairs.second]
    result = {"first": mean_of(kept, pairs.near), "last": mean_of(kept, pairs.far)}
    return result | {"history": _history(view, on)}


def _history(view: View, on: np.ndarray) -> np.ndarray:
    n_steps = view.n_sessions - 2
    if n_steps < 1:
        return np.full(len(view.kept), np.nan)
    a, b, c = (np.arange(n_steps) + k for k in range(3))
    seen = view.detected[:, a] * view.detected[:, b] * view.detected[:, c]
    found = on.mean(axis=2)
    twice_found = on[:, :, 0] * on[:, :, 1]  # in both halves: what a later half can be held against
    before, now = found[:, a] * seen, found[:, b] * seen
    kept, all_kept, kept_twice, all_twice = (
        (view.kept @ part).sum(axis=1)
        for part in (
            now * found[:, c],
            twice_found[:, b] * seen,
            before * now * found[:, c],
            before * twice_found[:, b],
        )
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        once, twice = 1 - kept / all_kept, 1 - kept_twice / all_twice
        both = (once > LEAST_LOST) & (twice > LEAST_LOST)
        return np.where(both, np.log(once / twice), np.nan)
