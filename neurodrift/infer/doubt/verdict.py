"""What is said: outside the prior, cannot tell, or a rule, each with its reasons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from neurodrift.schema.words import listing, p_words

OUTSIDE, CANNOT_TELL, NAMED = "outside the prior", "cannot tell", "named"
"""The three verdicts."""

TOLD_APART = 0.9
"""Held-out accuracy between two rules from which they count as told apart."""

ALIKE = ("maps_last", "vectors_last", "rates_last")
"""Similarities of sessions far apart, without noise: 1 where nothing changed."""

LEAST_LOSS = 0.02
"""Loss of all of them below which drift says nothing of a rule: slow runs are all alike."""

_SURE = 2.0  # standard errors


@dataclass(frozen=True)
class Verdict:
    """An answer.

    Parameters
    ----------
    kind
        One of `OUTSIDE`, `CANNOT_TELL`, `NAMED`.
    rule
        The rule that is named; empty text otherwise.
    reason
        Why, as a sentence.
    """

    kind: str
    rule: str
    reason: str


def judge(tree: dict[str, xr.Dataset], level: float, told: tuple[list[str], bool]) -> Verdict:
    """The verdict of an inference: whether anything drifts, then whether the target is outside.

    Parameters
    ----------
    tree
        Nodes ``statistics``, ``posterior``, ``outside``, ``held_out``, and ``other_posterior``
        where a second method was asked.
    level
        Coverage of the set of rules.
    told
        Statistics by which the target is outside, and whether each is so by itself.

    Returns
    -------
    Verdict
        The first of its doubts that applies, or the rule.
    """
    away, posterior = tree["outside"], tree["posterior"]
    rules = [str(name) for name in posterior["rule"].values]
    still = _nothing_drifts(tree["statistics"])
    if still:
        return Verdict(CANNOT_TELL, "", still)
    if away.attrs["found"]:
        return Verdict(OUTSIDE, "", _outside(away, told))
    probability = posterior["probability"].values
    best = rules[int(probability.argmax())]
    for doubt in (
        _one_rule(rules),
        _nothing_learnt(tree["held_out"]),
        _speed_decides(tree["held_out"]),
        _several(posterior, rules, level),
        _flat(rules, probability, level),
        _unlike(posterior, best),
        _disagree(tree, best),
    ):
        if doubt:
            return Verdict(CANNOT_TELL, "", doubt)
    text = (
        f"This drift is like that of {best}, with a probability of {probability.max():.2f} among "
        f"{listing(rules)}; the set that holds the rule in {percent(level)} of such runs has no "
        "other."
    )
    return Verdict(NAMED, best, text)


def _nothing_drifts(statistics: xr.Dataset) -> str:
    names = statistics["statistic"].values.astype(str)
    value, se = statistics["value"].values, np.nan_to_num(statistics["se"].values)
    if stands_still(names, value):
        return (
            "Hardly any drift is seen: from the first to the last sessions maps, population "
            f"vectors and rates lose less than {percent(LEAST_LOSS)} of their similarity."
        )
    if stands_still(names, value + _SURE * se, 0.0):
        return (
            "No drift is seen: from the first to the last sessions maps, population vectors and "
            "rates are as alike as within a session, within twice their standard errors."
        )
    return ""


def stands_still(names: np.ndarray, value: np.ndarray, loss: float = LEAST_LOSS) -> np.ndarray:
    """Whether all similarities of sessions far apart are almost 1.

    Parameters
    ----------
    names
        Of statistics (statistic).
    value
        Their values (..., statistic).
    loss
        What may be lost.

    Returns
    -------
    numpy.ndarray
        (...) False where there is none of `ALIKE`.
    """
    own = np.asarray(value, dtype=float)[..., np.isin(names, ALIKE)]
    known = np.isfinite(own)
    return np.asarray(known.any(axis=-1) & ((own >= 1 - loss) | ~known).all(axis=-1))


def _outside(away: xr.Dataset, told: tuple[list[str], bool]) -> str:
    names, alone = [name.replace("_", " ") for name in told[0]], told[1]
    near = str(away.attrs["nearest"])
    text = "None of these rules drifts like this"
    if alone:
        verb = "lies" if len(names) == 1 else "lie"
        text += f", because {listing(names)} {verb} outside the runs of every rule"
    elif names:
        text += (
            ": each statistic alone occurs among the runs of some rule, but all together do not; "
            f"in a run of {near}, the nearest, the others would not lead one to expect such "
            f"{listing(names)}"
        )
    distance = float(away["distance"].min())
    times = f"{distance:.1f}" if distance >= 1.05 else f"{distance:.3f}"
    return f"{text} ({p_words(away.attrs['p'])}; {times} times the edge of {near})."


def _one_rule(rules: list[str]) -> str:
    if len(rules) > 1:
        return ""
    return f"The prior has one rule, {rules[0]}, with which this drift agrees: nothing to choose."


def _nothing_learnt(held_out: xr.Dataset) -> str:
    accuracy, chance = held_out.attrs["accuracy"], held_out.attrs["chance"]
    se = np.sqrt(accuracy * (1 - accuracy) / float(held_out["n_runs"].sum()))
    if accuracy - _SURE * se > chance:
        return ""
    return (
        f"With this observation no rule can be told: held-out runs are named right in "
        f"{percent(accuracy)}, by chance in {percent(chance)}."
    )


def _speed_decides(held_out: xr.Dataset) -> str:
    gain = held_out.attrs.get("gain_over_speed")
    if gain is None or gain - _SURE * held_out.attrs["gain_over_speed_se"] > 0:
        return ""
    return (
        f"The speed of drift alone names {percent(held_out.attrs['speed_accuracy'])} of held-out "
        f"runs, all statistics {percent(held_out.attrs['accuracy'])}: speed decides, not the rule."
    )


def _several(posterior: xr.Dataset, rules: list[str], level: float) -> str:
    chosen = [name for name, own in zip(rules, posterior["in_set"].values, strict=True) if own]
    if len(chosen) < 2:
        return ""
    others = [name for name in rules if name not in chosen]
    text = f"It may be {' or '.join(chosen)}; the set of rules has all of these"
    if others:
        text += f", and not {' or '.join(others)}"
    return f"{text} (coverage {percent(level)})."


def _flat(rules: list[str], probability: np.ndarray, level: float) -> str:
    if probability.max() >= level:
        return ""
    first, second = np.argsort(-probability, kind="stable")[:2]
    return (
        f"No rule has a probability of {level:g} or more: {rules[first]} has "
        f"{probability[first]:.2f}, {rules[second]} {probability[second]:.2f}."
    )


def _unlike(posterior: xr.Dataset, best: str) -> str:
    own = posterior.sel(rule=best)
    if float(own["cloud_p"]) > posterior.attrs["alarm"]:
        return ""
    return (
        f"{best} is the most probable of the rules, but this drift is unlike its runs "
        f"({p_words(float(own['cloud_p']))})."
    )


def _disagree(tree: dict[str, xr.Dataset], best: str) -> str:
    if "other_posterior" not in tree:
        return ""
    other = tree["other_posterior"]
    there = str(other["rule"].values[int(other["probability"].values.argmax())])
    if there == best:
        return ""
    return f"The two methods disagree: {best}, and {there} by logistic regression."


def percent(value: float) -> str:
    """A share in per cent, without decimals."""
    return f"{100 * float(value):.0f} %"
