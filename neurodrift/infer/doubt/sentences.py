"""An inference in words: the verdict, its reason, and what belongs beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from neurodrift.infer.doubt.verdict import NAMED, OUTSIDE, TOLD_APART, percent
from neurodrift.schema.words import listing

_GUESSED = 0.5  # of two rules
_SURE = 2.0  # standard errors


def describe_inference(found: xr.DataTree) -> str:
    """An inference in words: the verdict, its reason, and what belongs beside it.

    Parameters
    ----------
    found
        Result of :func:`neurodrift.infer_rule`.

    Returns
    -------
    str
        Sentences, one a line.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> import neurodrift as nd
    >>> value = np.random.default_rng(0).normal(size=(60, 3))
    >>> value[30:, 0] += 8
    >>> names = {"run": np.arange(60), "statistic": list("xyz")}
    >>> rule = ("run", np.repeat(["a", "b"], 30))
    >>> prior = xr.Dataset({"value": (("run", "statistic"), value)}, names | {"rule": rule})
    >>> found = nd.infer_rule(prior[["value"]].isel(run=35, drop=True), prior)
    >>> nd.describe_inference(found).splitlines()[0][:46]
    'named: b. This drift is like that of b, with a'
    """
    first, *others = inference_sentences(found)
    return "\n".join([first, *_seen_sentence(found), *others])


def _seen_sentence(found: xr.DataTree) -> list[str]:
    otherwise = [str(one) for one in found.attrs.get("seen_otherwise", [])]
    if not otherwise:
        return []
    text = "But the networks of the prior were not seen as the target was"
    return [f"{text}: {'; '.join(otherwise)}."]


def inference_sentences(found: xr.DataTree) -> list[str]:
    """The sentences of :func:`describe_inference`, without how prior and target were seen."""
    attrs = found.attrs
    title = f"named: {attrs['rule']}" if attrs["verdict"] == NAMED else attrs["verdict"]
    lines = [f"{title}. {attrs['reason']}"]
    if attrs["verdict"] == OUTSIDE:
        lines.append("No rule can be read from its probabilities.")
    lines += _pair_sentences(found["pairs"].to_dataset()) if "pairs" in found.children else []
    if attrs["verdict"] != OUTSIDE and "dose" in found.children:
        lines += _dose_sentences(found)
    return [*lines, _test_sentence(found["outside"].to_dataset())]


def _pair_sentences(pairs: xr.Dataset) -> list[str]:
    """Which pairs are told apart: the shorter list of the two, and the worst of the others."""
    accuracy = pairs["accuracy"].values
    told = accuracy >= TOLD_APART
    if told.all():
        return [f"Seen like this, any two rules are told apart (least: {_pair(pairs, accuracy)})."]
    close = [_pair(pairs, np.where(np.arange(told.size) == i, -1, 1)) for i in _worst(accuracy)]
    lines = [f"Seen like this, not surely told apart: {listing(close)}."]
    if told.any():
        least = _pair(pairs, np.where(told, accuracy, 2))
        lines.append(f"Any other two rules are told apart (least: {least}).")
    else:
        lines.append("No two rules are.")
    return lines


def _worst(accuracy: np.ndarray) -> list[int]:
    order = np.argsort(accuracy, kind="stable")
    return [int(i) for i in order if accuracy[i] < TOLD_APART]


def _pair(pairs: xr.Dataset, by: np.ndarray) -> str:
    """The pair with the least value."""
    i = int(by.argmin())
    names = [str(pairs[name].values[i]) for name in ("rule_a", "rule_b")]
    share, se = (float(pairs[name].values[i]) for name in ("accuracy", "accuracy_se"))
    guessed = ", no better than guessing" if share - _SURE * se <= _GUESSED else ""
    return f"{names[0]} from {names[1]} ({percent(share)}{guessed})"


def _dose_sentences(found: xr.DataTree) -> list[str]:
    dose = found["dose"].to_dataset()
    chosen = found["posterior"].to_dataset()["in_set"]
    lines = []
    for rule in dose["rule"].values:
        own = dose.sel(rule=rule)
        if not np.isfinite(own["dose"]) or not bool(chosen.sel(rule=rule)):
            continue
        lines.append(
            f"If it is {rule}, its dose is {float(own['dose']):.2g} "
            f"({percent(found.attrs['level'])} interval {float(own['dose_ci_low']):.2g} to "
            f"{float(own['dose_ci_high']):.2g}; held-out runs are wrong by a factor of "
            f"{float(own['factor']):.2f}, median)."
        )
        parts = _parts(own)
        if parts:
            lines.append(f"Not given, for the statistics do not tell them apart: {parts}.")
    return lines


def _parts(own: xr.Dataset) -> str:
    told = [
        f"{str(name).replace('_', ' ')} (held-out R² {value:.2f})"
        for name, value in zip(own["parameter"].values, own["r2"].values, strict=True)
        if name != "dose" and np.isfinite(value)
    ]
    return listing(told)


def _test_sentence(away: xr.Dataset) -> str:
    alarms = float(away["false_alarms"].mean())
    text = f"Whether a target is outside: of the prior's own runs {percent(alarms)} are called so"
    power = away["power"].values
    if np.isfinite(power).all():
        worst = str(away["rule"].values[int(power.argmin())])
        text += f", of a rule that is left out {percent(power.mean())} (least: {worst}, "
        text += f"{percent(power.min())})"
    return f"{text}."


def facts(found: xr.DataTree) -> dict[str, Any]:
    """An inference for a script: verdict, rule, reason, probabilities, the set of rules."""
    posterior = found["posterior"].to_dataset()
    rules = [str(name) for name in posterior["rule"].values]
    return {
        "verdict": found.attrs["verdict"],
        "rule": found.attrs["rule"],
        "reason": found.attrs["reason"],
        "probability": dict(zip(rules, posterior["probability"].values.tolist(), strict=True)),
        "set": [n for n, own in zip(rules, posterior["in_set"].values, strict=True) if own],
        "outside_p": found["outside"].attrs["p"],
    }
