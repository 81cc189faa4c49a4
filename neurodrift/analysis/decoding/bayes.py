"""Bayesian decoders: the place from the events of many units, by one product of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

_LOWEST = 1e-3  # events/s that no rate is below


def poisson_posterior(
    rate: np.ndarray, counts: Any, seconds: np.ndarray, prior: np.ndarray | None = None
) -> np.ndarray:
    r"""Probability of each state, of units that fire as Poisson processes and independently.

    Parameters
    ----------
    rate
        (state, unit) rate in each state [events/s], above 0.
    counts
        (window, unit) events in each window; a NumPy or sparse array.
    seconds
        (window) length of the windows [s].
    prior
        (state) probability of the states before any event; equal when omitted.

    Returns
    -------
    numpy.ndarray
        (window, state) probability, 1 in sum over states.

    Notes
    -----
    .. math:: \log P(i | n) = \sum_u [n_u \log \lambda_{ui} - \tau \lambda_{ui}] + \log \pi_i + c

    of which the first term is one product of matrices. It takes units as independent given the
    state; where they are not, the probability is too sure of itself, but the best state stays
    a good guess [1]_.

    References
    ----------
    .. [1] Zhang et al. (1998), J Neurophysiol. https://doi.org/10.1152/jn.1998.79.2.1017

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.analysis.decoding.bayes import poisson_posterior
    >>> rate = np.array([[4.0, 1.0], [1.0, 4.0]])
    >>> poisson_posterior(rate, np.array([[2, 0]]), np.array([0.5])).round(3).tolist()
    [[0.941, 0.059]]
    """
    return _normalised(_score(np.log(rate), -rate.sum(axis=1), counts, seconds, prior))


def gaussian_posterior(
    mean: np.ndarray,
    variance: np.ndarray,
    activity: np.ndarray,
    prior: np.ndarray | None = None,
) -> np.ndarray:
    r"""Probability of each state, of units with Gaussian noise that is the same in all states.

    Parameters
    ----------
    mean
        (state, unit) mean activity in each state.
    variance
        (unit) variance of the activity of a window about it, above 0.
    activity
        (window, unit) mean activity in each window.
    prior
        (state) probability of the states before; equal when omitted.

    Returns
    -------
    numpy.ndarray
        (window, state) probability, 1 in sum over states.

    Notes
    -----
    .. math:: \log P(i | a) = -\sum_u (a_u - \mu_{ui})^2 / 2 \sigma_u^2 + \log \pi_i + c

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.analysis.decoding.bayes import gaussian_posterior
    >>> mean, activity = np.array([[1.0], [0.0]]), np.array([[1.0]])
    >>> gaussian_posterior(mean, np.array([0.5]), activity).round(3).tolist()
    [[0.731, 0.269]]
    """
    scaled = mean / variance
    offset = -0.5 * (mean * scaled).sum(axis=1)
    return _normalised(_score(scaled, offset, activity, np.ones(len(activity)), prior))


def _score(
    weights: np.ndarray,
    offset: np.ndarray,
    activity: Any,
    seconds: np.ndarray,
    prior: np.ndarray | None,
) -> np.ndarray:
    """(window, state) log probability up to a constant of each window."""
    score: np.ndarray = np.asarray(activity @ weights.T)
    score += np.multiply.outer(seconds, offset)
    if prior is not None:
        with np.errstate(divide="ignore"):
            score += np.log(prior)
    return score


def _normalised(score: np.ndarray) -> np.ndarray:
    score -= score.max(axis=1, keepdims=True)
    np.exp(score, out=score)
    score /= score.sum(axis=1, keepdims=True)
    return score


def floored_rate(
    events: np.ndarray, seconds: np.ndarray, kernel: np.ndarray, min_rate: float | None
) -> np.ndarray:
    """Rates that a decoder is made of.

    Parameters
    ----------
    events
        (unit, bin) events.
    seconds
        (bin) time [s].
    kernel
        (bin, bin) weights of the smoothing, 1 on the diagonal.
    min_rate
        Lowest rate [events/s]; half an event in the time of the (smoothed) bin when None. No rate
        is below .001 events/s.

    Returns
    -------
    numpy.ndarray
        (bin, unit) [events/s], NaN where no time was spent.
    """
    spent = kernel @ seconds
    summed = kernel @ events.T
    known = spent > 0
    rate = np.full(summed.shape, np.nan)
    np.divide(summed, spent[:, None], out=rate, where=known[:, None])
    lowest = np.full(spent.size, _LOWEST if min_rate is None else max(min_rate, _LOWEST))
    if min_rate is None:
        lowest[known] = np.maximum(_LOWEST, 0.5 / spent[known])
    return np.asarray(np.fmax(rate, np.where(known, lowest, np.nan)[:, None]))
