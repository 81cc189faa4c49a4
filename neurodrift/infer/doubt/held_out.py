"""How well rules are told apart in runs that a fit has not seen."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import xarray as xr

from neurodrift.infer.classifier.runs import Runs, as_labels

_BINS = 10


def measure_rules(log_p: np.ndarray, runs: Runs) -> xr.Dataset:
    """Accuracy and log-loss of each rule, and what its runs are called.

    Parameters
    ----------
    log_p
        Held-out log probabilities (run, rule).
    runs
        The runs.

    Returns
    -------
    xarray.Dataset
        ``accuracy``, ``log_loss`` [nat], ``n_runs`` (rule) and ``confusion`` (rule, named_rule):
        shares of the runs of a rule, weighted as the prior says. Attributes ``accuracy`` and
        ``log_loss`` are means over rules, ``chance`` is that of guessing.
    """
    rules, number = runs.rules, runs.number
    named = log_p.argmax(axis=1)
    confusion = np.zeros((len(rules), len(rules)))
    np.add.at(confusion, (number, named), runs.weight)
    confusion /= confusion.sum(axis=1, keepdims=True)
    own = -log_p[np.arange(number.size), number]
    loss = np.array(
        [np.average(own[number == r], weights=runs.weight[number == r]) for r in range(len(rules))]
    )
    accuracy = np.diag(confusion)
    return xr.Dataset(
        {
            "accuracy": ("rule", accuracy),
            "log_loss": ("rule", loss, {"units": "nat"}),
            "n_runs": ("rule", np.bincount(number, minlength=len(rules))),
            "confusion": (("rule", "named_rule"), confusion),
        },
        coords={"rule": as_labels(rules), "named_rule": as_labels(rules)},
        attrs={
            "accuracy": float(accuracy.mean()),
            "log_loss": float(loss.mean()),
            "chance": 1 / len(rules),
        },
    )


def measure_reliability(log_p: np.ndarray, runs: Runs) -> xr.Dataset:
    """How often what is said with a probability is so.

    Parameters
    ----------
    log_p
        Held-out log probabilities (run, rule).
    runs
        The runs.

    Returns
    -------
    xarray.Dataset
        ``claimed``, ``found`` and ``weight`` (bin) of all rules of all runs, in tenths of the
        claimed probability; attribute ``expected_calibration_error``: of the rule that is named
        (Guo et al. 2017).

    References
    ----------
    https://doi.org/10.48550/arXiv.1706.04599
    """
    probability = np.exp(log_p)
    own = np.eye(len(runs.rules))[runs.number]
    each = np.broadcast_to(runs.weight[:, None], own.shape)
    claimed, found, total = _binned(probability.ravel(), own.ravel(), each.ravel())
    best = probability.argmax(axis=1)
    top = probability.max(axis=1)
    right = (best == runs.number).astype(float)
    top_claimed, top_found, top_total = _binned(top, right, runs.weight)
    there = top_total > 0
    error = np.average(np.abs(top_claimed - top_found)[there], weights=top_total[there])
    return xr.Dataset(
        {
            "claimed": ("bin", claimed),
            "found": ("bin", found),
            "weight": ("bin", total / total.sum()),
        },
        coords={"bin": (np.arange(_BINS) + 0.5) / _BINS},
        attrs={"expected_calibration_error": float(error)},
    )


def _binned(
    probability: np.ndarray, right: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    place = np.minimum((probability * _BINS).astype(int), _BINS - 1)
    total = np.bincount(place, weights=weight, minlength=_BINS)
    safe = np.where(total > 0, total, np.nan)
    claimed = np.bincount(place, weights=weight * probability, minlength=_BINS) / safe
    found = np.bincount(place, weights=weight * right, minlength=_BINS) / safe
    return claimed, found, total


def measure_pairs(log_p: np.ndarray, runs: Runs) -> xr.Dataset:
    """How often each pair of rules is told apart, between these two alone.

    Parameters
    ----------
    log_p
        Held-out log probabilities (run, rule).
    runs
        The runs.

    Returns
    -------
    xarray.Dataset
        ``accuracy`` (pair), the mean over both rules (chance .5), with ``accuracy_se``;
        coordinates ``rule_a`` and ``rule_b``.
    """
    rules, number = runs.rules, runs.number
    rows = []
    for a, b in combinations(range(len(rules)), 2):
        shares, variances = [], []
        for own, other in ((a, b), (b, a)):
            kept = number == own
            right = log_p[kept, own] > log_p[kept, other]
            ties = log_p[kept, own] == log_p[kept, other]
            weight = runs.weight[kept]
            share = float(np.average(right + 0.5 * ties, weights=weight))
            shares.append(share)
            variances.append(share * (1 - share) * float((weight**2).sum() / weight.sum() ** 2))
        rows.append((rules[a], rules[b], np.mean(shares), np.sqrt(sum(variances)) / 2))
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    return xr.Dataset(
        {
            "accuracy": ("pair", np.array(columns[2], dtype=float)),
            "accuracy_se": ("pair", np.array(columns[3], dtype=float)),
        },
        coords={
            "rule_a": ("pair", as_labels(columns[0])),
            "rule_b": ("pair", as_labels(columns[1])),
        },
    )


def better_than(log_p: np.ndarray, other: np.ndarray, runs: Runs) -> tuple[float, float]:
    """By how much one classifier is right more often than another in the same runs, and its se."""
    right = (log_p.argmax(axis=1) == runs.number).astype(float)
    gained = right - (other.argmax(axis=1) == runs.number)
    mean = float(np.average(gained, weights=runs.weight))
    share = runs.weight / runs.weight.sum()
    return mean, float(np.sqrt((share**2 * (gained - mean) ** 2).sum()))
