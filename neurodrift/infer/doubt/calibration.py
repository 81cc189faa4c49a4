"""How far the inference may be believed: asked of runs of the prior that no step has seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.infer.classifier.fit import Fit, names_in_use
from neurodrift.infer.classifier.logistic import FOLDS, folds_of, held_out_scores
from neurodrift.infer.classifier.runs import Runs, as_labels, has_enough, runs_of
from neurodrift.infer.classifier.scale import columns, fit_scale
from neurodrift.infer.classifier.speed import fit_speed
from neurodrift.infer.doubt.clouds import ALARM, distances, fit_clouds, rule_distance_p
from neurodrift.infer.doubt.conformal import rule_p
from neurodrift.infer.doubt.held_out import measure_pairs, measure_reliability, measure_rules
from neurodrift.infer.doubt.recovered import PARAMETERS_ASKED, fit_parameter
from neurodrift.infer.doubt.verdict import CANNOT_TELL, OUTSIDE, stands_still
from neurodrift.schema.options import checked_options
from neurodrift.seeds import generator

_RANK_BINS = 10


@checked_options
def calibrate_inference(
    prior: xr.Dataset,
    *,
    level: float = 0.9,
    matched: bool = True,
    seed: int = 0,
    sensitivity: bool = True,
) -> xr.DataTree:
    """How often the inference of a rule is right, in runs of the prior that it has not seen.

    Estimates what :func:`neurodrift.infer_rule` would answer for new networks of the same prior,
    seen in the same way. It says nothing of animals, which need not be like any of them.

    Parameters
    ----------
    prior
        As for :func:`neurodrift.infer_rule`.
    level
        Coverage that sets of rules and intervals of the dose are asked for.
    matched
        Whether runs count by the weights that make the speeds of all rules alike.
    seed
        Names the random streams of the folds.
    sensitivity
        Whether each statistic, and each family of them, is left out in turn, which takes longest.

    Returns
    -------
    xarray.DataTree
        ``rules``: accuracy, log_loss, coverage and size of the sets, named (share of the runs of
        which a rule is named), named_right (share of these), false_alarms (rule) and confusion
        (rule, named_rule). ``left_out``: share (rule, said) of the runs of each rule that are
        outside, cannot be told, or are named as another rule, by a prior without their own.
        ``reliability``: claimed and found (bin). ``pairs``: accuracy (pair). ``matching``:
        accuracy and log_loss (weighting, features), with the runs weighted so that rules have
        equal speeds and not, from all statistics and from the speed alone. ``dose``: r2, factor,
        coverage (rule, parameter) and rank (rule, parameter, rank_bin), which is flat where the
        intervals are right. ``transfer``: accuracy (train_task, test_task). ``sensitivity``:
        accuracy and log_loss (left_out).

    Raises
    ------
    ImportError
        If scikit-learn is missing.
    ValueError
        If it is no prior, or a rule has too few runs.

    Notes
    -----
    A fifth of the runs of each rule is held out in turn; scale, classifier, temperature, sets,
    clouds and edges are learnt anew from the others. Power is by leaving out each rule in turn:
    all of its runs are then outside the prior. Ranks are those of simulation-based calibration
    (Talts et al. 2018), of the dose among the predictions shifted by held-out errors.

    References
    ----------
    https://doi.org/10.48550/arXiv.1804.06788

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> import neurodrift as nd
    >>> value = np.random.default_rng(0).normal(size=(120, 4))
    >>> value[60:, 0] += 2  # two sd apart: 84 % can be right
    >>> names = {"run": np.arange(120), "statistic": list("wxyz")}
    >>> rule = ("run", np.repeat(["a", "b"], 60))
    >>> prior = xr.Dataset({"value": (("run", "statistic"), value)}, names | {"rule": rule})
    >>> found = nd.calibrate_inference(prior, sensitivity=False)
    >>> bool(0.75 < found["rules"].attrs["accuracy"] < 0.93)
    True
    """
    runs = runs_of(prior, matched=matched)
    names = names_in_use(runs)
    outer = folds_of(runs, seed, "outer")
    parts = [_one_fold(runs, names, outer == fold, seed) for fold in range(FOLDS)]
    every = _joined(parts, outer)
    log_p = every.log_p
    whole = Fit.of(runs, names, seed)
    found: dict[str, Any] = {
        "rules": _rules(every, runs, level),
        "left_out": _left_out(runs, names, level, seed),
        "reliability": measure_reliability(log_p, runs),
        "pairs": measure_pairs(log_p, runs),
        "matching": _matching(prior, names, seed),
        "dose": _doses(runs, names, outer, level, seed),
        "transfer": _transfer(runs, names, seed),
    }
    if sensitivity and len(runs.rules) > 1:
        found["sensitivity"] = _sensitivity(runs, whole, seed)
    tree = xr.DataTree.from_dict({name: ds for name, ds in found.items() if _filled(ds)})
    tree.attrs |= {
        "title": "neurodrift calibration of inference",
        "level": level,
        "matched": int(matched),
        "seed": seed,
        "alarm": ALARM,
        "n_runs": int(runs.rule.size),
        "prior_version": str(prior.attrs.get("version", "")),
        "prior_digest": runs.digest,
    }
    return tree


def _filled(node: xr.Dataset) -> bool:
    return bool(node.sizes) and min(node.sizes.values()) > 0


@dataclass(frozen=True)
class _Part:
    """What is said of some runs: (run, rule), p of being outside and whether none drifts (run)."""

    log_p: np.ndarray
    set_p: np.ndarray
    p: np.ndarray
    still: np.ndarray


def _one_fold(runs: Runs, names: list[str], out: np.ndarray, seed: int) -> _Part:
    kept = runs.some(~out)
    fit = Fit.of(kept, names, seed)
    new = fit.scale.features(columns(runs, names)[out])
    probability = fit.classifier.probabilities(new)
    held_out = np.exp(fit.classifier.held_out)
    near = fit.scale.steady
    clouds = fit_clouds(fit.features[:, near], kept)
    away = distances(clouds, new[:, near])
    return _Part(
        log_p=np.log(probability),
        set_p=rule_p(held_out, kept.number, kept.weight, probability),
        p=rule_distance_p(clouds, away.min(axis=1)),
        still=stands_still(runs.statistic, runs.value[out]),
    )


def _joined(parts: list[_Part], folds: np.ndarray) -> _Part:
    """The parts of all folds, in the order of the runs."""
    order = np.argsort(np.argsort(folds, kind="stable"), kind="stable")
    return _Part(
        log_p=np.concatenate([part.log_p for part in parts])[order],
        set_p=np.concatenate([part.set_p for part in parts])[order],
        p=np.concatenate([part.p for part in parts])[order],
        still=np.concatenate([part.still for part in parts])[order],
    )


def _rules(part: _Part, runs: Runs, level: float) -> xr.Dataset:
    held = part.set_p > 1 - level
    own = held[np.arange(runs.rule.size), runs.number]
    sure = _sure(part, level)
    right = part.log_p.argmax(axis=1) == runs.number
    means = {
        "coverage": (own, runs.weight),
        "set_size": (held.sum(axis=1), runs.weight),
        "named": (sure, runs.weight),
        "named_right": (right, runs.weight * sure),
        "false_alarms": (part.p <= ALARM, runs.balance),
    }
    return measure_rules(part.log_p, runs).assign(
        {name: ("rule", _by_rule(*what, runs)) for name, what in means.items()}
    )


def _by_rule(values: np.ndarray, weight: np.ndarray, runs: Runs) -> np.ndarray:
    own = [runs.rule == name for name in runs.rules]
    total = np.array([weight[one].sum() for one in own])
    sums = np.array([(values[one] * weight[one]).sum() for one in own])
    return np.asarray(sums / np.where(total > 0, total, np.nan))


def _left_out(runs: Runs, names: list[str], level: float, seed: int) -> xr.Dataset:
    """What is said of the runs of each rule by a prior from which it is left out."""
    rules = runs.rules
    if len(rules) < 3:
        return xr.Dataset()
    shares = np.zeros((len(rules), len(rules) + 2))
    for i, rule in enumerate(rules):
        out = runs.rule == rule
        part = _one_fold(runs, names, out, seed)
        named = _sure(part, level)
        others = np.delete(np.arange(len(rules)), i)
        shares[i, -2] = np.mean((part.p <= ALARM) & ~part.still)
        shares[i, -1] = np.mean(((part.p > ALARM) | part.still) & ~named)
        best = others[part.log_p.argmax(axis=1)][named]
        shares[i, : len(rules)] = np.bincount(best, minlength=len(rules)) / out.sum()
    said = as_labels([*rules, OUTSIDE, CANNOT_TELL])
    return xr.Dataset(
        {"share": (("rule", "said"), shares)},
        coords={"rule": as_labels(rules), "said": said},
    )


def _sure(part: _Part, level: float) -> np.ndarray:
    """Whether a rule is named (run): it drifts, is not outside, and one probable rule is left."""
    alone = ((part.set_p > 1 - level).sum(axis=1) == 1) & ~part.still
    return np.asarray(alone & (part.log_p.max(axis=1) >= np.log(level)) & (part.p > ALARM))


def _matching(prior: xr.Dataset, names: list[str], seed: int) -> xr.Dataset:
    """Accuracy with speeds matched and not, and from the speed alone."""
    weightings = {"matched": True, "as drawn": False}
    accuracy, loss = np.full((2, 2), np.nan), np.full((2, 2), np.nan)
    for i, matched in enumerate(weightings.values()):
        if matched and not has_enough(prior):
            continue
        runs = runs_of(prior, matched=matched)
        fits = (Fit.of(runs, names, seed).classifier, fit_speed(runs, seed))
        for j, classifier in enumerate(fits):
            if classifier is not None:
                found = measure_rules(classifier.held_out, runs)
                accuracy[i, j] = found.attrs["accuracy"]
                loss[i, j] = found.attrs["log_loss"]
    return xr.Dataset(
        {
            "accuracy": (("weighting", "features"), accuracy),
            "log_loss": (("weighting", "features"), loss, {"units": "nat"}),
        },
        coords={
            "weighting": as_labels(weightings),
            "features": as_labels(["all statistics", "speed alone"]),
        },
    )


def _doses(runs: Runs, names: list[str], outer: np.ndarray, level: float, seed: int) -> xr.Dataset:
    """How well the parameters of each rule are recovered."""
    asked = [name for name in PARAMETERS_ASKED if name in runs.parameters]
    shape = (len(runs.rules), len(asked))
    r2, factor, coverage = (np.full(shape, np.nan) for _ in range(3))
    rank = np.full((*shape, _RANK_BINS), np.nan)
    features = fit_scale(runs, names).features(columns(runs, names))
    for i, rule in enumerate(runs.rules):
        for j, name in enumerate(asked):
            whole = fit_parameter(features, runs.parameters[name], runs, rule, seed)
            if whole is None:
                continue
            r2[i, j], factor[i, j] = whole.r2, whole.factor
            covered, ranks = _held_out_dose(features, name, runs, rule, outer, level, seed)
            coverage[i, j] = np.mean(covered)
            rank[i, j] = np.histogram(ranks, bins=_RANK_BINS, range=(0, 1))[0] / len(ranks)
    return xr.Dataset(
        {
            "r2": (("rule", "parameter"), r2),
            "factor": (("rule", "parameter"), factor),
            "coverage": (("rule", "parameter"), coverage),
            "rank": (("rule", "parameter", "rank_bin"), rank),
        },
        coords={
            "rule": as_labels(runs.rules),
            "parameter": as_labels(asked),
            "rank_bin": (np.arange(_RANK_BINS) + 0.5) / _RANK_BINS,
        },
    )


def _held_out_dose(
    features: np.ndarray,
    name: str,
    runs: Runs,
    rule: str,
    outer: np.ndarray,
    level: float,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Whether intervals cover held-out runs, and the ranks of these in what is predicted."""
    values = runs.parameters[name]
    own = (runs.rule == rule) & np.isfinite(values) & (values > 0)
    covered, ranks = [], []
    jitter = generator(seed, "infer", "ranks", rule, name)
    for fold in range(FOLDS):
        kept = outer != fold
        fitted = fit_parameter(features[kept], values[kept], runs.some(kept), rule, seed)
        if fitted is None:
            continue
        for i in np.flatnonzero(own & ~kept):
            middle, low, high = fitted.interval(features[i], level)
            covered.append(low <= values[i] <= high)
            below = (np.log10(middle) + fitted.residuals < np.log10(values[i])).sum()
            ranks.append((below + jitter.random()) / (fitted.residuals.size + 1))
    return np.array(covered, dtype=float), np.array(ranks)


def _transfer(runs: Runs, names: list[str], seed: int) -> xr.Dataset:
    """Accuracy when trained on one task and tested on another; held out where they are one."""
    tasks = [task for task in sorted(set(runs.task.tolist())) if runs.has_whole(task)]
    if len(tasks) < 2:
        return xr.Dataset()
    accuracy = np.empty((len(tasks), len(tasks)))
    fits = {task: Fit.of(runs.some(runs.task == task), names, seed) for task in tasks}
    for i, fit in enumerate(fits.values()):
        for j, task in enumerate(tasks):
            test = runs.some(runs.task == task)
            log_p = (
                fit.classifier.held_out
                if i == j
                else np.log(fit.classifier.probabilities(fit.scale.features(columns(test, names))))
            )
            accuracy[i, j] = measure_rules(log_p, test).attrs["accuracy"]
    return xr.Dataset(
        {"accuracy": (("train_task", "test_task"), accuracy)},
        coords={"train_task": as_labels(tasks), "test_task": as_labels(tasks)},
    )


def _sensitivity(runs: Runs, whole: Fit, seed: int) -> xr.Dataset:
    """What is lost without each statistic, and without each family, all of one first word."""
    names = whole.scale.statistic
    without = {"nothing": np.zeros(names.size, bool)} | {name: names == name for name in names}
    family = np.array([name.rpartition("_")[0] for name in names.tolist()])
    without |= {f"all of {each}": family == each for each in sorted(set(family.tolist()) - {""})}
    folds = folds_of(runs, seed)
    rows = []
    for left_out in without.values():
        if left_out.all():
            rows.append((np.nan, np.nan))
            continue
        classifier = whole.classifier
        scores = held_out_scores(runs, whole.features[:, ~left_out], folds, classifier.strength)
        found = measure_rules(classifier.log_p(scores), runs)
        rows.append((found.attrs["accuracy"], found.attrs["log_loss"]))
    accuracy, loss = zip(*rows, strict=True)
    return xr.Dataset(
        {
            "accuracy": ("left_out", np.array(accuracy)),
            "log_loss": ("left_out", np.array(loss), {"units": "nat"}),
        },
        coords={"left_out": as_labels(without)},
    )
