"""Whether a target is like any run of the prior at all: asked before a rule is named."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from neurodrift.infer.classifier.runs import Runs
from neurodrift.infer.doubt.clouds import ALARM, Clouds, distances, fit_clouds, rule_distance_p

_REASONS = 5  # statistics that are named
_LARGE = 0.5  # of the largest: statistics that are unexpected too
_RARE, _FIRST = 0.01, 2.5  # its two-sided p among the runs of each; of the first of n, 2 / (n + 1)


@dataclass(frozen=True)
class Outside:
    """How far a target is from the clouds of the rules.

    Parameters
    ----------
    p
        How often a run of the prior is at least as far from its own rule as the target is from
        the nearest one.
    distance
        From the nearest rule, in parts of the distance at which it ends: above 1 p is at most
        `ALARM`.
    by_rule, rule_p
        The same from each rule (rule), and p of each.
    statistic_p
        Two-sided p of each statistic among the runs of each rule (rule, statistic).
    beyond
        Standard deviations from the mean of the rule that is nearest in each statistic
        (statistic).
    unexpected
        Standard deviations of each statistic from what all others lead to expect of a run of the
        nearest rule (statistic).
    alone
        Whether each statistic is by itself unlike the runs of every rule (statistic).
    false_alarms, power
        How often runs of each rule are called outside with their rule in the prior, and with
        their rule left out of it (rule); NaN with a single rule.
    """

    p: float
    distance: float
    by_rule: np.ndarray
    rule_p: np.ndarray
    statistic_p: np.ndarray
    beyond: np.ndarray
    unexpected: np.ndarray
    alone: np.ndarray
    false_alarms: np.ndarray
    power: np.ndarray

    @property
    def found(self) -> bool:
        """Whether the target is outside."""
        return self.p <= ALARM


def outside(
    clouds: Clouds,
    runs: Runs,
    value: np.ndarray,
    target: np.ndarray,
    se: np.ndarray,
    features: np.ndarray,
) -> Outside:
    """Ask whether a target is outside the prior.

    Parameters
    ----------
    clouds
        The clouds of the rules.
    runs
        The prior.
    value
        Values of the statistics in use (run, statistic).
    target, se
        Those of the target with their standard errors (statistic).
    features
        Of the target (statistic).

    Returns
    -------
    Outside
        The answer, and how well this test does on the prior itself.

    Notes
    -----
    The target is outside if it is unlike the runs of each single rule, for nobody knows which one
    it has: p is the largest of the p of the rules, and a target of any rule of the prior is called
    outside in at most 5 %. In less where rules overlap, for a run may then be nearer to another
    rule than to its own.
    """
    by_rule = distances(clouds, features[None])[0]
    by_rule_p = rule_distance_p(clouds, by_rule)
    nearest = int(by_rule.argmin())
    statistic_p = _by_statistic(runs, value, target, se)
    return Outside(
        p=float(by_rule_p[nearest]),
        distance=float(by_rule[nearest]),
        by_rule=by_rule,
        rule_p=by_rule_p,
        statistic_p=statistic_p,
        beyond=_beyond(clouds, features),
        unexpected=_unexpected(clouds, features, nearest),
        alone=_at_the_end(statistic_p, clouds.number),
        false_alarms=_false_alarms(clouds),
        power=left_out_power(clouds, runs),
    )


def _false_alarms(clouds: Clouds) -> np.ndarray:
    """Share of the runs of each rule that are called outside of the prior of all others."""
    own, nearest, weight = clouds.own, clouds.scores.min(axis=1), clouds.weight
    order = np.argsort(own, kind="stable")
    below = np.concatenate([[0.0], np.cumsum(weight[order])])
    beyond = weight.sum() - below[np.searchsorted(own[order], nearest, side="left")]
    others = weight.sum() - weight
    new = others / (weight.size - 1)
    called = (beyond - weight + new) / (others + new) <= ALARM
    return np.array(
        [
            np.average(called[clouds.number == rule], weights=weight[clouds.number == rule])
            for rule in range(len(clouds.edges))
        ]
    )


def left_out_power(clouds: Clouds, runs: Runs) -> np.ndarray:
    """How often runs of each rule are called outside of a prior from which it is left out.

    Parameters
    ----------
    clouds
        The clouds of all rules.
    runs
        The prior.

    Returns
    -------
    numpy.ndarray
        (rule); NaN with a single rule. Clouds and edges are learnt without the rule.
    """
    n_rules = len(clouds.edges)
    found = np.full(n_rules, np.nan)
    for rule in range(n_rules) if n_rules > 1 else ():
        out = clouds.number == rule
        others = fit_clouds(clouds.features[~out], runs.some(~out))
        p = rule_distance_p(others, distances(others, clouds.features[out]).min(axis=1))
        found[rule] = np.average(p <= ALARM, weights=clouds.weight[out])
    return found


def _by_statistic(runs: Runs, value: np.ndarray, target: np.ndarray, se: np.ndarray) -> np.ndarray:
    """Two-sided p (rule, statistic): the rank of the target, blurred by its standard error."""
    se = np.where(np.isfinite(se) & (se > 0), se, np.finfo(float).tiny)
    found = np.empty((len(runs.rules), target.size))
    for rule in range(len(runs.rules)):
        own = value[runs.number == rule]
        there = np.isfinite(own)
        with np.errstate(over="ignore"):
            below = np.where(there, ndtr((target - own) / se), 0.0).sum(axis=0)
        n = there.sum(axis=0)
        lower, upper = (below + 1) / (n + 1), (n - below + 1) / (n + 1)
        found[rule] = np.minimum(1.0, 2 * np.minimum(lower, upper))
    return found


def reasons(found: Outside, names: np.ndarray) -> tuple[list[str], bool]:
    """Statistics by which a target is outside.

    Parameters
    ----------
    found
        The answer.
    names
        Of the statistics (statistic).

    Returns
    -------
    names : list of str
        At most five, the strongest first.
    alone : bool
        Whether each is by itself unlike the runs of every rule; otherwise each occurs among the
        runs of some rule, and they are those that all others would not lead to expect of a run of
        the nearest rule.
    """
    if found.alone.any():
        order = np.argsort(-found.beyond, kind="stable")
        return [str(names[i]) for i in order if found.alone[i]][:_REASONS], True
    order = np.argsort(-found.unexpected, kind="stable")[:_REASONS]
    least = _LARGE * found.unexpected.max()
    return [str(names[i]) for i in order if found.unexpected[i] >= least], False


def _unexpected(clouds: Clouds, features: np.ndarray, rule: int) -> np.ndarray:
    """Standard deviations (statistic) from the regression on all others in the runs of a rule."""
    precision = clouds.precisions[rule]
    pulled = np.abs(precision @ (features - clouds.means[rule]))
    return np.asarray(pulled / np.sqrt(np.maximum(np.diag(precision), np.finfo(float).tiny)))


def _beyond(clouds: Clouds, features: np.ndarray) -> np.ndarray:
    """Standard deviations (statistic) from the nearest mean of a rule."""
    n_rules = len(clouds.edges)
    sd = np.stack([clouds.features[clouds.number == rule].std(axis=0) for rule in range(n_rules)])
    away = np.abs(features - clouds.means) / np.maximum(sd, 1e-9)
    return np.asarray(away.min(axis=0))


def _at_the_end(statistic_p: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Whether hardly a run of any rule is as extreme (statistic)."""
    n = np.bincount(number)[:, None]
    return np.asarray((statistic_p <= np.maximum(_RARE, _FIRST / (n + 1))).all(axis=0))
