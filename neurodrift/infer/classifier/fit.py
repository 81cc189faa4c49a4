"""A classifier of rules with the statistics, scale and features that it was fitted to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodrift.infer.classifier.logistic import Classifier, fit_classifier
from neurodrift.infer.classifier.runs import Runs
from neurodrift.infer.classifier.scale import Scale, columns, fit_scale, usable


@dataclass(frozen=True)
class Fit:
    """A classifier with what it was fitted to.

    Parameters
    ----------
    scale
        What makes features of statistics.
    features
        (run, statistic) of the runs that it was fitted to.
    classifier
        The classifier.
    """

    scale: Scale
    features: np.ndarray
    classifier: Classifier

    @classmethod
    def of(cls, runs: Runs, names: list[str], seed: int, strength: float | None = None) -> Fit:
        """Fit to some statistics of the runs of a prior, see :func:`fit_classifier`."""
        scale = fit_scale(runs, names)
        features = scale.features(columns(runs, names))
        fitted = fit_classifier(runs, scale, features, seed=seed, strength=strength)
        return cls(scale, features, fitted)


def names_in_use(runs: Runs) -> list[str]:
    """Statistics that enough runs of a prior have, where a target has them all.

    Parameters
    ----------
    runs
        The prior.

    Returns
    -------
    list of str
        In the order of the prior.

    Raises
    ------
    ValueError
        If there is none.
    """
    every = usable(runs, np.zeros(runs.statistic.size))
    names = [name for name, reason in every.items() if not reason]
    if not names:
        raise ValueError("no statistic of the prior is there in half of its runs")
    return names
