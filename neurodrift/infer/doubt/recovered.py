"""Parameters of a rule that statistics of drift tell: the dose, and its parts where they do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodrift.infer.classifier.logistic import FOLDS, folds_of
from neurodrift.infer.classifier.runs import FEWEST, Runs
from neurodrift.infer.doubt.conformal import half_width

IDENTIFIED = 0.5
"""Held-out share of the variance of its logarithm that is explained before a dose is given."""

PARAMETERS_ASKED = ("dose", "learning_rate", "noise")
"""What is tried on held-out runs; of a target the dose alone is said, never its parts."""

_PENALTIES = 10.0 ** np.arange(-1.0, 5.0)


@dataclass(frozen=True)
class Fitted:
    """How the logarithm of a parameter follows from the statistics, for one rule.

    Parameters
    ----------
    r2
        Held-out share of the variance of its logarithm that is explained; below 0 where a
        constant does better.
    factor
        Median factor by which held-out predictions are wrong.
    coefficient, intercept
        Of features (feature) and the base-10 logarithm.
    residuals
        Of held-out runs (run) [log10].
    predicted, truth
        Of held-out runs (run) [log10].
    """

    r2: float
    factor: float
    coefficient: np.ndarray
    intercept: float
    residuals: np.ndarray
    predicted: np.ndarray
    truth: np.ndarray

    def interval(self, features: np.ndarray, level: float) -> tuple[float, float, float]:
        """Middle and both ends for a target's features (feature), which cover with `level`."""
        middle = float(features @ self.coefficient + self.intercept)
        half = half_width(self.residuals, level)
        low, high = (_power_of_ten(middle + sign * half) for sign in (-1, 1))
        return _power_of_ten(middle), low, high


def _power_of_ten(x: float) -> float:
    return float(10.0 ** np.clip(x, -300.0, 300.0)) if np.isfinite(x) else float(x > 0) * np.inf


def fit_parameter(
    features: np.ndarray, values: np.ndarray, runs: Runs, rule: str, seed: int = 0
) -> Fitted | None:
    """Learn a parameter of the runs of one rule from their features.

    Parameters
    ----------
    features
        (run, feature) of all runs.
    values
        The parameter (run); only positive ones are used.
    runs
        The prior.
    rule
        Which rule.
    seed
        Names the random streams of the folds.

    Returns
    -------
    Fitted or None
        None if fewer than `FEWEST` runs have a value, or all have the same.

    Notes
    -----
    Ridge regression of the base-10 logarithm, whose penalty the held-out error of each training
    part chooses by generalised cross-validation. Intervals are split conformal: they cover a run
    of the same rule as often as they say, whatever the shape of the errors.
    """
    kept = (runs.rule == rule) & np.isfinite(values) & (values > 0)
    if kept.sum() < FEWEST or np.ptp(np.log10(values[kept])) < 1e-9:
        return None
    own, truth = features[kept], np.log10(values[kept])
    folds = folds_of(runs, seed, "dose")[kept]
    predicted = np.empty(truth.size)
    for fold in range(FOLDS):
        out = folds == fold
        if out.any():
            coefficient, intercept = _ridge(own[~out], truth[~out])
            predicted[out] = own[out] @ coefficient + intercept
    residuals = truth - predicted
    coefficient, intercept = _ridge(own, truth)
    return Fitted(
        r2=float(1 - np.mean(residuals**2) / np.var(truth)),
        factor=float(10 ** np.median(np.abs(residuals))),
        coefficient=coefficient,
        intercept=intercept,
        residuals=residuals,
        predicted=predicted,
        truth=truth,
    )


def _ridge(features: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, float]:
    """Coefficients and intercept of a ridge regression with the best generalised error."""
    centre, middle = features.mean(axis=0), float(truth.mean())
    u, size, v = np.linalg.svd(features - centre, full_matrices=False)
    along = u.T @ (truth - middle)
    n, best = truth.size, (np.inf, np.zeros(features.shape[1]))
    for penalty in _PENALTIES:
        kept = size**2 / (size**2 + penalty)
        residual = truth - middle - u @ (kept * along)
        error = float(np.mean(residual**2)) / (1 - (kept.sum() + 1) / n) ** 2
        if error < best[0]:
            best = (error, v.T @ (along * size / (size**2 + penalty)))
    return best[1], middle - float(centre @ best[1])
