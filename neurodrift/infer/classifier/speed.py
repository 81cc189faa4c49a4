"""What the speed of drift alone says of the rule."""

from __future__ import annotations

import numpy as np

from neurodrift.infer.classifier.logistic import FOLDS, Classifier, fit_classifier, logistic
from neurodrift.infer.classifier.runs import Runs
from neurodrift.infer.classifier.scale import Scale
from neurodrift.threads import one_blas_thread

SLOWEST = 1e-4
"""Speeds below are as good as none [loss of correlation]."""

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


@one_blas_thread()
def speed_alone(
    number: np.ndarray, pace: np.ndarray, start: np.ndarray, weight: np.ndarray, *, seed: int = 0
) -> float:
    """Share of rules that a classifier names from speed and start alone.

    Parameters
    ----------
    number
        (run) number of the rule.
    pace, start
        (run) logarithm of the speed, and share of active units at the start.
    weight
        (run) weights; runs of weight 0 are left out.
    seed
        Seed of the folds.

    Returns
    -------
    float
        Of logistic regression on both, their squares and their product, in five folds; every rule
        counts the same. NaN where a rule has fewer than five runs.
    """
    regression = logistic("what speed gives away")
    from sklearn.model_selection import StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    used = weight > 0
    y, w = number[used], weight[used]
    if np.bincount(y, minlength=number.max() + 1).min() < FOLDS:
        return float("nan")
    totals = np.bincount(y, weights=w)
    w = w / totals[y]
    x = np.column_stack([pace, start])[used]
    right = np.zeros(y.size)
    for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(x, y):
        model = make_pipeline(StandardScaler(), PolynomialFeatures(2), regression(max_iter=1000))
        model.fit(x[train], y[train], logisticregression__sample_weight=w[train] * y.size)
        right[test] = model.predict(x[test]) == y[test]
    return float((right * w).sum() / w.sum())
