"""What the speed of drift alone says of the rule."""

from __future__ import annotations

import numpy as np

from neurodrift.infer.classify import Classifier, fit_classifier
from neurodrift.infer.matching import SLOWEST
from neurodrift.infer.scale import Scale
from neurodrift.infer.table import Runs

_DEGREE = 3


def fit_speed(runs: Runs, seed: int = 0) -> Classifier | None:
    """A classifier that knows the speed of drift and nothing else.

    Parameters
    ----------
    runs
        The prior.
    seed
        Names the random streams of the folds, the same as of any other classifier of these runs.

    Returns
    -------
    Classifier or None
        Of the logarithm of the speed, its square and cube; None if the speed of a run is not
        known or all are equal.
    """
    x = np.log(np.maximum(runs.speed, SLOWEST))
    if not np.isfinite(x).all() or np.ptp(x) == 0:
        return None
    x = np.clip((x - x.mean()) / x.std(), -3, 3)
    names = np.array([f"log speed, power {power}" for power in range(1, _DEGREE + 1)])
    none, one = np.zeros(_DEGREE), np.ones(_DEGREE)
    scale = Scale(names, none.astype(bool), none, one, none)
    return fit_classifier(runs, scale, np.stack([x, x**2, x**3], axis=1), seed=seed)
