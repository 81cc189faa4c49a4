"""Changes of the units' mean rates from one session to the next, and how they are distributed."""

from __future__ import annotations

import numpy as np

from neurodrift.infer.measures.products import above_noise
from neurodrift.infer.measures.steps import dependence, neighbours
from neurodrift.infer.measures.view import View

LEAST_CHANGE = 0.01
"""Square of a relative change of rate below which its distribution is not told; nor is it where the
squares of all units together are not above noise."""


def rate_changes(view: View) -> dict[str, np.ndarray]:
    """Distribution of relative changes of rate.

    Parameters
    ----------
    view
        What was seen.

    Returns
    -------
    dict
        ``scale``: root of the mean square, of two halves (the root of its size, with the sign,
        where it is below 0); ``skew`` and ``kurtosis``: asinh of the skewness and of the excess
        kurtosis, from four parts of each session (halves by every second condition), the kurtosis
        without what the parts of one half share, such as laps without activity;
        ``dependence``: exponent of the square, over the squared mean of the two sessions, against
        this mean; ``neighbours``: as for steps of tuning.
    """
    names = ("scale", "skew", "kurtosis", "dependence", "neighbours")
    if view.n_sessions < 2 or view.relative.shape[-1] < 2:
        return {name: np.full(len(view.kept), np.nan) for name in names}
    seen = view.detected[:, 1:] * view.detected[:, :-1]
    whole = np.diff(view.relative.mean(axis=-1), axis=1)
    square = whole[:, :, 0] * whole[:, :, 1]
    odd = np.diff(view.relative[..., ::2].mean(axis=-1), axis=1)
    even = np.diff(view.relative[..., 1::2].mean(axis=-1), axis=1)
    one, two, three, four = odd[:, :, 0], odd[:, :, 1], even[:, :, 0], even[:, :, 1]
    once, twice = view.kept * view.weight, view.kept * view.weight**2

    def mean(values: np.ndarray, weight: np.ndarray = twice) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray((weight @ (values * seen)).sum(axis=1) / (weight @ seen).sum(axis=1))

    second = mean(square, once)
    across = mean(one * four + two * three) / 2
    third = mean(one * two * (three + four) + three * four * (one + two)) / 4
    own = mean(one * three + two * four) / 2 - across  # what the bins of a half share by chance
    fourth = mean(one * two * three * four) - 2 * across * own - own**2
    changes = (second >= LEAST_CHANGE) & (across >= LEAST_CHANGE)
    changes &= above_noise(view, square * seen * view.weight[:, None])
    safe = np.where(changes, across, np.nan)
    return {
        "scale": np.sign(second) * np.sqrt(np.abs(second)),
        "skew": np.arcsinh(third / safe**1.5),
        "kurtosis": np.arcsinh(fourth / safe**2 - 3),
        "dependence": np.where(
            changes, dependence(view, view.rate.mean(axis=-1, keepdims=True)), np.nan
        ),
        "neighbours": neighbours(view, view.weighted.mean(axis=-1, keepdims=True)),
    }
