"""Sets of rules, and intervals, that hold the truth as often as they say, whatever the model."""

from __future__ import annotations

import numpy as np


def surprise(probability: np.ndarray) -> np.ndarray:
    """How much probability lies on rules that are more probable than each.

    Parameters
    ----------
    probability
        (..., rule).

    Returns
    -------
    numpy.ndarray
        (..., rule) 0 for the most probable one: the adaptive score of Romano et al. (2020),
        without the rule's own share.

    References
    ----------
    https://doi.org/10.48550/arXiv.2006.02544
    """
    above = probability[..., None, :] > probability[..., :, None]
    return np.asarray((above * probability[..., None, :]).sum(axis=-1))


def conformal_p(
    scores: np.ndarray, weight: np.ndarray, new: np.ndarray, *, new_weight: float | None = None
) -> np.ndarray:
    """Share of scores that are at least as large as new ones, the new one among them.

    Parameters
    ----------
    scores, weight
        Of runs that the model has not seen (run).
    new
        New scores, of any shape.
    new_weight
        Weight of a new one; the mean weight when omitted.

    Returns
    -------
    numpy.ndarray
        p of the shape of `new`: below α with a probability of at most α if the new one is such a
        run too (Vovk et al. 2005), here for each rule by its own runs.

    References
    ----------
    https://doi.org/10.1007/b106715
    """
    own = float(np.mean(weight)) if new_weight is None else new_weight
    order = np.argsort(scores, kind="stable")
    total = weight.sum()
    below = np.concatenate([[0.0], np.cumsum(weight[order])])
    place = np.searchsorted(scores[order], new, side="left")
    return np.asarray((total - below[place] + own) / (total + own))


def rule_p(
    held_out: np.ndarray, number: np.ndarray, weight: np.ndarray, probability: np.ndarray
) -> np.ndarray:
    """For each rule, whether its own runs are as surprising as the target would be.

    Parameters
    ----------
    held_out
        Probabilities (run, rule) of runs by fits without them.
    number, weight
        Rule and weight of each run (run).
    probability
        Of the targets (..., rule).

    Returns
    -------
    numpy.ndarray
        (..., rule) p; the set at a level holds the rules with p > 1 − level, and with it the
        true rule with at least that probability, for every rule apart.
    """
    scores, new = surprise(held_out), surprise(probability)
    found = np.empty(new.shape)
    for rule in range(new.shape[-1]):
        own = number == rule
        found[..., rule] = conformal_p(scores[own, rule], weight[own], new[..., rule])
    return found


def half_width(residuals: np.ndarray, level: float) -> float:
    """Half of an interval round a prediction that covers the truth with a probability `level`.

    Parameters
    ----------
    residuals
        Of held-out runs (run).
    level
        Coverage.

    Returns
    -------
    float
        The ⌈(n + 1) level⌉-th smallest absolute residual; infinite with too few runs.
    """
    size = np.sort(np.abs(residuals))
    rank = int(np.ceil((size.size + 1) * level - 1e-9))
    return float(size[rank - 1]) if rank <= size.size else float("inf")
