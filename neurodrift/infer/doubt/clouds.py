"""The clouds of the rules: how far a target, or a run, is from the runs of each rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodrift.infer.classifier.runs import Runs
from neurodrift.infer.doubt.conformal import conformal_p

ALARM = 0.05
"""How often a run of the prior itself is called outside of it, at most."""

_NEIGHBOURS = 3
_SHRINK = 0.01  # of a covariance towards its diagonal, at 10 runs for each statistic


@dataclass(frozen=True)
class Clouds:
    """The clouds of all rules, with the distances of their own runs.

    Parameters
    ----------
    features
        (run, statistic).
    number, weight
        Rule of each run, and a weight that counts every run, and all rules alike (run).
    means, precisions
        Of each rule: (rule, statistic), (rule, statistic, statistic).
    whitening
        (statistic, statistic) makes the scatter within rules round.
    edges
        Distances of two kinds at which each rule ends (rule, kind).
    scores
        Distance of each run from each rule in parts of that (run, rule); from its own rule
        without itself. 95 % of the runs are within 1 of their own rule.
    """

    features: np.ndarray
    number: np.ndarray
    weight: np.ndarray
    means: np.ndarray
    precisions: np.ndarray
    whitening: np.ndarray
    edges: np.ndarray
    scores: np.ndarray

    @property
    def own(self) -> np.ndarray:
        """Distance of each run from its own rule, without itself (run)."""
        return _own(self.scores, self.number)


def fit_clouds(features: np.ndarray, runs: Runs) -> Clouds:
    """Learn the clouds of the rules.

    Parameters
    ----------
    features
        (run, statistic).
    runs
        The prior.

    Returns
    -------
    Clouds
        With leave-one-out distances.

    Notes
    -----
    The distance from a rule is the larger of two, each in parts of the distance within which 95 %
    of the rule's own runs are: the Mahalanobis distance from its mean by its own covariance,
    shrunk towards the diagonal, and the distance to its third nearest run where the scatter
    within rules is round. The first sees a target beyond the cloud, the second one in a hole of a
    cloud that is bent. Of the larger of two, fewer than 95 % of the runs are within 1 of their own
    rule, so that all are divided by one number that makes it 95 %. Leaving a run out of its own
    covariance is exact, by the formula of Sherman and Morrison.
    """
    number, n_rules = runs.number, len(runs.rules)
    whitening = _whitening(features, number, n_rules)
    white = features @ whitening
    means = np.stack([features[number == rule].mean(axis=0) for rule in range(n_rules)])
    precisions = np.empty((n_rules, features.shape[1], features.shape[1]))
    scores = np.empty((features.shape[0], n_rules, 2))
    for rule in range(n_rules):
        own = number == rule
        centred = features[own] - means[rule]
        precisions[rule] = np.linalg.inv(_shrunk(centred))
        far = _quadratic(features - means[rule], precisions[rule])
        far[own] = _left_out(centred)
        scores[:, rule, 0] = np.sqrt(far)
        scores[:, rule, 1] = _neighbour(white, white[own], np.flatnonzero(own))
    edges = np.stack(
        [np.quantile(scores[number == rule, rule], 1 - ALARM, axis=0) for rule in range(n_rules)]
    )
    edges = np.maximum(edges, 1e-9)
    largest, weight = (scores / edges).max(axis=2), runs.balance
    own = _own(largest, number)
    edges *= own[conformal_p(own, weight, own) > ALARM].max()  # a new one beyond has p <= ALARM
    largest = (scores / edges).max(axis=2)
    return Clouds(features, number, weight, means, precisions, whitening, edges, largest)


def distances(clouds: Clouds, features: np.ndarray) -> np.ndarray:
    """Distance of targets from each rule, in parts of that at which it ends.

    Parameters
    ----------
    clouds
        The clouds.
    features
        Of targets (target, statistic).

    Returns
    -------
    numpy.ndarray
        (target, rule).
    """
    white = features @ clouds.whitening
    found = np.empty((features.shape[0], *clouds.edges.shape))
    for rule in range(len(clouds.edges)):
        own = clouds.features[clouds.number == rule] @ clouds.whitening
        far = _quadratic(features - clouds.means[rule], clouds.precisions[rule])
        found[:, rule, 0] = np.sqrt(far)
        found[:, rule, 1] = _neighbour(white, own, None)
    return np.asarray((found / clouds.edges).max(axis=2))


def rule_distance_p(clouds: Clouds, distance: np.ndarray) -> np.ndarray:
    """How often a run is at least as far from its own rule.

    Parameters
    ----------
    clouds
        The clouds.
    distance
        Of targets from a rule, of any shape.

    Returns
    -------
    numpy.ndarray
        p of the shape of `distance`, at most `ALARM` where that is above 1. Of the nearest rule it
        is p of being outside of the prior: whichever rule a target has, it is at least as far from
        that one.
    """
    return conformal_p(clouds.own, clouds.weight, distance)


def _own(scores: np.ndarray, number: np.ndarray) -> np.ndarray:
    return np.asarray(scores[np.arange(number.size), number])


def _shrink(n: int, n_statistics: int) -> float:
    """How much of a covariance is its diagonal: more with fewer runs for each statistic."""
    return min(0.9, _SHRINK * 10 * n_statistics / n)


def _shrunk(centred: np.ndarray) -> np.ndarray:
    n, n_statistics = centred.shape
    covariance = centred.T @ centred / (n - 1)
    part = _shrink(n, n_statistics)
    return (1 - part) * covariance + part * np.diag(_floored(np.diag(covariance)))


def _floored(variance: np.ndarray) -> np.ndarray:
    return np.asarray(np.maximum(variance, 1e-6 * max(float(variance.mean()), 1e-12)))


def _left_out(centred: np.ndarray) -> np.ndarray:
    """Squared Mahalanobis distance of each run from the others of its rule."""
    n, n_statistics = centred.shape
    part = _shrink(n, n_statistics)
    covariance = centred.T @ centred / (n - 1)
    diagonal = part * np.diag(_floored(np.diag(covariance)))
    # C without run i is (n − 1) / (n − 2) C − n / ((n − 1) (n − 2)) d d'; the diagonal stays.
    whole = (1 - part) * (n - 1) / (n - 2) * covariance + diagonal
    factor = (1 - part) * n / ((n - 1) * (n - 2))
    q = _quadratic(centred, np.linalg.inv(whole))
    return np.asarray((n / (n - 1)) ** 2 * q / np.maximum(1 - factor * q, 1e-6))


def _quadratic(apart: np.ndarray, precision: np.ndarray) -> np.ndarray:
    return np.asarray(((apart @ precision) * apart).sum(axis=-1))


def _whitening(features: np.ndarray, number: np.ndarray, n_rules: int) -> np.ndarray:
    """Makes the pooled scatter within rules round."""
    residual = features.copy()
    for rule in range(n_rules):
        own = number == rule
        residual[own] -= features[own].mean(axis=0)
    values, vectors = np.linalg.eigh(_shrunk(residual))
    return np.asarray(vectors / np.sqrt(np.maximum(values, 1e-9)))


def _neighbour(white: np.ndarray, cloud: np.ndarray, own: np.ndarray | None) -> np.ndarray:
    """Distance to the third nearest run of a cloud; `own` are rows that are runs of it."""
    from scipy.spatial import KDTree

    k = min(_NEIGHBOURS, len(cloud) - 1)
    tree = KDTree(cloud)
    found: np.ndarray = np.array(tree.query(white, k=[k])[0])[:, 0]
    if own is not None:  # the nearest is the run itself
        found[own] = np.array(tree.query(white[own], k=[k + 1])[0])[:, 0]
    return found
