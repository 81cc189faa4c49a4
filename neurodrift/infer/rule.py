"""Which learning rule drifts like this: a posterior over rules, after the doubts."""

from __future__ import annotations

import warnings
from typing import Literal

import numpy as np
import xarray as xr

from neurodrift._version import __version__
from neurodrift.infer.classifier.fit import Fit
from neurodrift.infer.classifier.logistic import Classifier, stored
from neurodrift.infer.classifier.runs import Runs, as_labels, runs_of
from neurodrift.infer.classifier.scale import columns, usable
from neurodrift.infer.classifier.speed import fit_speed
from neurodrift.infer.doubt.clouds import ALARM, fit_clouds
from neurodrift.infer.doubt.conformal import rule_p
from neurodrift.infer.doubt.held_out import better_than, measure_pairs, measure_rules
from neurodrift.infer.doubt.outside import Outside, outside, reasons
from neurodrift.infer.doubt.recovered import IDENTIFIED, PARAMETERS_ASKED, fit_parameter
from neurodrift.infer.doubt.verdict import judge
from neurodrift.infer.observation.alike import MUCH, compare_seen
from neurodrift.infer.statistics.target import Source, Target, target_of
from neurodrift.schema import label
from neurodrift.schema.inference import INFERENCE
from neurodrift.schema.objects import expect_choice
from neurodrift.schema.options import checked_options
from neurodrift.seeds import generator

METHODS = ("logistic", "sbi")
"""How the posterior is learnt."""

_FEWEST_STATISTICS = 3
_SHOWN = 80  # runs of each rule that are kept for pictures


@checked_options
def infer_rule(
    target: Source,
    prior: xr.Dataset,
    *,
    level: float = 0.9,
    matched: bool = True,
    seed: int = 0,
    method: Literal["logistic", "sbi"] = "logistic",
) -> xr.DataTree:
    """Which learning rule drifts like this, how sure that is, or that none of them does.

    Estimates the probability of each rule of a prior of simulated networks, given statistics of
    drift and given that the target is like a run of one of these rules. Whether it is, is asked
    first. An animal need not be like any of them, and a rule that is not in the prior cannot be
    found.

    Parameters
    ----------
    target
        Statistics (:func:`neurodrift.drift_statistics`), or a recording or results, of which
        they are made.
    prior
        Runs that were seen as the target was (``neurodrift simulate-prior``): ``value`` (run,
        statistic), ``rule``, ``task``, ``speed``, ``weight``, ``dose``, ``learning_rate``,
        ``noise`` (run).
    level
        Coverage of the set of rules and of the interval of the dose.
    matched
        Whether runs count by the weights that make the speeds of all rules alike.
    seed
        Names the random streams.
    method
        ``"logistic"`` regression, or neural posterior estimation by ``"sbi"`` (extra
        ``inference``), which is then laid beside the first.

    Returns
    -------
    xarray.DataTree
        Attributes ``verdict`` (``"outside the prior"``, ``"cannot tell"`` or ``"named"``),
        ``rule``, ``reason``. ``posterior``: probability, in_set, set_p, distance, cloud_p (rule).
        ``statistics``: value, se, used, left_out, beyond, unexpected, decided (statistic), and p
        and cloud by rule.
        ``outside``: distance, false_alarms, power (rule). ``dose``: dose with its interval (rule),
        r2 (rule, parameter). ``held_out``: accuracy, log_loss (rule), confusion. ``pairs``:
        accuracy of telling each two rules apart. ``by_task``: probability (task, rule) when
        learnt from one task. ``model``: the fitted classifier as numbers. ``other_posterior``:
        by logistic regression, where another method was asked.

    Warns
    -----
    UserWarning
        If cells, events or sessions of the prior and of the target differ by a factor of more
        than 1.5: attributes ``seen_otherwise`` and ``seen_compared`` (which of them are known of
        both).

    Raises
    ------
    ImportError
        If scikit-learn is missing, or sbi for ``method="sbi"``.
    TypeError
        If target or prior are something else.
    ValueError
        If they share fewer than three statistics, or a rule has fewer than ten runs.

    Notes
    -----
    Every rule is as likely before as any other. Statistics are used if the target and half of
    the runs have them, and for the test of what is outside if six in ten runs do. Multinomial
    logistic regression with a penalty chosen by held-out log-loss gives scores, a temperature
    learnt on held-out runs makes probabilities of them, and a conformal set, calibrated for each
    rule apart, holds the true rule as often as `level` says. The target is outside the prior if
    at most 5 % of the prior's runs are as far from their own rule as the target is from the
    nearest one. A rule is named if it is alone
    in the set, has a probability of at least `level`, the target is among its runs, and speed
    alone does not do as well. Parameters other than the dose are never given: their held-out R²
    is.

    Bias: rules that differ in speed are told apart by it, which the weights of the prior are
    there to prevent; of an animal the observation of the prior must be its own.

    References
    ----------
    https://doi.org/10.48550/arXiv.1706.04599
    https://doi.org/10.48550/arXiv.2006.02544
    https://doi.org/10.48550/arXiv.2209.01845

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> import neurodrift as nd
    >>> value = np.random.default_rng(0).normal(size=(90, 4))
    >>> value[30:60, 0] += 8
    >>> value[60:, 1] += 8
    >>> rule = ("run", np.repeat(["a", "b", "c"], 30))
    >>> names = {"run": np.arange(90), "statistic": list("wxyz"), "rule": rule}
    >>> prior = xr.Dataset({"value": (("run", "statistic"), value)}, coords=names)
    >>> seen = prior[["value"]].isel(run=35, drop=True)
    >>> found = nd.infer_rule(seen, prior)
    >>> found.attrs["verdict"], found.attrs["rule"]
    ('named', 'b')
    >>> far = nd.infer_rule(seen + 50, prior)
    >>> far.attrs["verdict"]
    'outside the prior'
    """
    expect_choice("method", method, METHODS)
    runs = runs_of(prior, matched=matched)
    own = target_of(target, runs.statistic)
    seen_alike = compare_seen(own.seen, prior)
    if seen_alike.warning:
        warnings.warn(seen_alike.warning, stacklevel=3)
    why = usable(runs, own.value)
    names = [name for name, reason in why.items() if not reason]
    if len(names) < _FEWEST_STATISTICS:
        raise ValueError(
            f"{len(names)} statistics can be used, at least {_FEWEST_STATISTICS} are needed: "
            + "; ".join(f"{name}: {reason}" for name, reason in list(why.items())[:5] if reason)
        )
    kept = np.array([not reason for reason in why.values()])
    fit = Fit.of(runs, names, seed)
    scale, features, classifier = fit.scale, fit.features, fit.classifier
    seen = scale.features(own.value[kept])
    near = scale.steady
    clouds = fit_clouds(features[:, near], runs)
    value, se = own.value[kept][near], own.se[kept][near]
    away = outside(clouds, runs, columns(runs, names)[:, near], value, se, seen[near])
    probability = classifier.probabilities(seen)
    nodes: dict[str, xr.Dataset] = {}
    if method == "sbi":
        from neurodrift.infer.classifier.neural import fit_posterior

        neural = fit_posterior(runs, features, seen, seed=seed)
        nodes["other_posterior"] = xr.Dataset(
            {"probability": ("rule", probability)}, coords={"rule": as_labels(runs.rules)}
        )
        nodes["network"] = neural.network
        probability = neural.probability
    set_p = rule_p(np.exp(classifier.held_out), runs.number, runs.weight, probability)
    nodes["posterior"] = _posterior(probability, set_p, away, runs, level)
    nodes["outside"] = xr.Dataset(
        {
            "distance": ("rule", away.by_rule),
            "false_alarms": ("rule", away.false_alarms),
            "power": ("rule", away.power),
        },
        coords={"rule": as_labels(runs.rules)},
        attrs={
            "p": away.p,
            "found": int(away.found),
            "alarm": ALARM,
            "nearest": runs.rules[int(away.by_rule.argmin())],
        },
    )
    nodes["held_out"] = _held_out(classifier, runs, seed)
    if len(runs.rules) > 1:
        nodes["pairs"] = measure_pairs(classifier.held_out, runs)
    nodes["dose"] = _dose(features, seen, runs, level, seed)
    nodes["by_task"] = _by_task(runs, names, own.value[kept], classifier.strength, seed)
    nodes["model"] = stored(classifier, runs)
    steady = kept.copy()
    steady[kept] = near
    nodes["statistics"] = _statistics(runs, own, why, kept).assign(
        decided=("statistic", _spread(_decided(classifier, seen, probability), kept)),
        beyond=("statistic", _spread(away.beyond, steady)),
        unexpected=("statistic", _spread(away.unexpected, steady)),
        p=(("rule", "statistic"), np.stack([_spread(p, steady) for p in away.statistic_p])),
    )
    told = reasons(away, scale.statistic[near])
    verdict = judge(nodes, level, told)
    tree = xr.DataTree.from_dict(
        {name: label(node, INFERENCE.get(name, {})) for name, node in nodes.items() if node.sizes}
    )
    tree.attrs |= {
        "title": "neurodrift inference",
        "target": own.name,
        "verdict": verdict.kind,
        "rule": verdict.rule,
        "reason": verdict.reason,
        "unlike": told[0] if away.found else [],
        "seen_compared": list(seen_alike.compared),
        "seen_otherwise": list(seen_alike.differences),
        "seen_factor": MUCH,
        "level": level,
        "matched": int(matched),
        "seed": seed,
        "method": method,
        "n_runs": int(runs.rule.size),
        "prior_version": str(prior.attrs.get("version", "")),
        "prior_digest": runs.digest,
        "neurodrift_version": __version__,
    }
    return tree


def _posterior(
    probability: np.ndarray,
    set_p: np.ndarray,
    away: Outside,
    runs: Runs,
    level: float,
) -> xr.Dataset:
    return xr.Dataset(
        {
            "probability": ("rule", probability),
            "in_set": ("rule", set_p > 1 - level),
            "set_p": ("rule", set_p),
            "distance": ("rule", away.by_rule),
            "cloud_p": ("rule", away.rule_p),
            "n_runs": ("rule", np.bincount(runs.number, minlength=len(runs.rules))),
        },
        coords={"rule": as_labels(runs.rules)},
        attrs={"alarm": ALARM},
    )


def _held_out(classifier: Classifier, runs: Runs, seed: int) -> xr.Dataset:
    found = measure_rules(classifier.held_out, runs)
    speed = fit_speed(runs, seed)
    if speed is not None:
        gain, se = better_than(classifier.held_out, speed.held_out, runs)
        found.attrs |= {
            "speed_accuracy": measure_rules(speed.held_out, runs).attrs["accuracy"],
            "gain_over_speed": gain,
            "gain_over_speed_se": se,
        }
    return found


def _dose(
    features: np.ndarray, seen: np.ndarray, runs: Runs, level: float, seed: int
) -> xr.Dataset:
    """The dose of each rule that has one, and how well each parameter is told."""
    asked = [name for name in PARAMETERS_ASKED if name in runs.parameters]
    r2 = np.full((len(runs.rules), len(asked)), np.nan)
    dose = np.full((4, len(runs.rules)), np.nan)
    for i, rule in enumerate(runs.rules):
        for j, name in enumerate(asked):
            fitted = fit_parameter(features, runs.parameters[name], runs, rule, seed)
            if fitted is None:
                continue
            r2[i, j] = fitted.r2
            if name == "dose" and fitted.r2 >= IDENTIFIED:
                dose[:, i] = (*fitted.interval(seen, level), fitted.factor)
    if not np.isfinite(r2).any():
        return xr.Dataset()
    return xr.Dataset(
        {
            "dose": ("rule", dose[0]),
            "dose_ci_low": ("rule", dose[1]),
            "dose_ci_high": ("rule", dose[2]),
            "factor": ("rule", dose[3]),
            "r2": (("rule", "parameter"), r2),
        },
        coords={"rule": as_labels(runs.rules), "parameter": as_labels(asked)},
        attrs={"identified": IDENTIFIED},
    )


def _by_task(
    runs: Runs, names: list[str], value: np.ndarray, strength: float, seed: int
) -> xr.Dataset:
    """The posterior when it is learnt from the runs of one task alone."""
    if len(runs.rules) < 2:
        return xr.Dataset()
    found = {}
    for task in sorted(set(runs.task.tolist())):
        kept = runs.task == task
        if kept.all() or not runs.has_whole(task):
            continue
        fit = Fit.of(runs.some(kept), names, seed, strength)
        found[task] = fit.classifier.probabilities(fit.scale.features(value))
    if not found:
        return xr.Dataset()
    return xr.Dataset(
        {"probability": (("task", "rule"), np.stack(list(found.values())))},
        coords={"task": as_labels(found), "rule": as_labels(runs.rules)},
    )


def _decided(classifier: Classifier, seen: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """What each statistic adds to the log odds of the best rule over the second."""
    if probability.size < 2:
        return np.full(seen.size, np.nan)
    best, second = np.argsort(-probability, kind="stable")[:2]
    return classifier.contributions(seen, int(best), int(second))


def _statistics(
    runs: Runs,
    own: Target,
    why: dict[str, str],
    kept: np.ndarray,
) -> xr.Dataset:
    """The target among the runs of each rule, statistic by statistic."""
    shown = np.full((len(runs.rules), _SHOWN, runs.statistic.size), np.nan)
    for i, rule in enumerate(runs.rules):
        rows = np.flatnonzero(runs.rule == rule)
        share = runs.weight[rows] / runs.weight[rows].sum()
        n = min(_SHOWN, int((share > 0).sum()))
        drawn = generator(0, "infer", "shown", rule).choice(rows, n, replace=False, p=share)
        shown[i, :n] = runs.value[np.sort(drawn)]
    return xr.Dataset(
        {
            "value": ("statistic", own.value),
            "se": ("statistic", own.se),
            "used": ("statistic", kept),
            "left_out": ("statistic", as_labels(why.values())),
            "cloud": (("rule", "shown_run", "statistic"), shown),
        },
        coords={"statistic": as_labels(runs.statistic.tolist()), "rule": as_labels(runs.rules)},
    )


def _spread(values: np.ndarray, kept: np.ndarray) -> np.ndarray:
    found = np.full(kept.size, np.nan)
    found[kept] = values
    return found
