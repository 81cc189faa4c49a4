"""What a reader of an inference should know before it is believed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr

from neurodrift.infer.doubt.verdict import NAMED, OUTSIDE, TOLD_APART
from neurodrift.report.cautions import Caution
from neurodrift.report.words import number, percent, plain
from neurodrift.schema.words import listing

POWER = 0.9
"""Share of runs of a rule that is left out which should be flagged."""

_SHIFT = 0.25  # of a probability, from one task to another
_COMPARED = 3  # cells, events and sessions
_LEFT_OUT = 0.5  # of the statistics


def inference_cautions(inference: xr.DataTree) -> list[Caution]:
    """Cautions of an inference.

    Parameters
    ----------
    inference
        Result of :func:`neurodrift.infer_rule`.

    Returns
    -------
    list of Caution
        The gravest first.
    """
    found = [caution for check in _CHECKS for caution in check(inference)]
    return sorted(found, key=lambda caution: ("serious", "care", "note").index(caution.level))


def _outside(inference: xr.DataTree) -> Iterator[Caution]:
    if inference.attrs["verdict"] == OUTSIDE:
        yield Caution(
            "outside",
            "serious",
            "No rule of this prior drifts like this",
            "Do not read a rule from the probabilities: among rules that are all wrong, one is "
            "always the least wrong. Look at the statistics by which it is outside, and ask "
            "whether task, observation or network of the prior fit the target.",
        )


def _weak_test(inference: xr.DataTree) -> Iterator[Caution]:
    node = inference["outside"].to_dataset()
    weak = node["rule"].values[node["power"].values < POWER]
    if weak.size and inference.attrs["verdict"] != OUTSIDE:
        worst = float(node["power"].min())
        yield Caution(
            "weak-test",
            "care",
            "A rule that is not in the prior may look like one that is",
            f"Runs of {listing([plain(str(name)) for name in weak])} are flagged in fewer than "
            f"{percent(POWER)} of the cases when their rule is left out of the prior (least "
            f"{percent(worst)}): others then take them in. What is named here is the most similar "
            "rule of the prior, and a rule that nobody simulated could be as similar.",
        )


def _close_pairs(inference: xr.DataTree) -> Iterator[Caution]:
    if "pairs" not in inference.children:
        return
    node = inference["pairs"].to_dataset()
    close = int((node["accuracy"] < TOLD_APART).sum())
    if close:
        yield Caution(
            "close-pairs",
            "care",
            "Some rules cannot be told apart with this observation",
            f"{close} of {node.sizes['pair']} pairs of rules are told apart in fewer than "
            f"{percent(TOLD_APART)} of simulated runs that were seen in the same way. More "
            "sessions, cells or events may help; a prior that is seen so says whether they do.",
        )


def _left_out(inference: xr.DataTree) -> Iterator[Caution]:
    node = inference["statistics"].to_dataset()
    used = node["used"].values
    if used.mean() < _LEFT_OUT:
        yield Caution(
            "left-out",
            "care",
            "Most statistics are missing",
            f"Only {number(int(used.sum()))} of {number(used.size)} statistics could be computed "
            "both of the target and of nearly all runs.",
        )


def _tasks(inference: xr.DataTree) -> Iterator[Caution]:
    if "by_task" not in inference.children or inference.attrs["verdict"] != NAMED:
        return
    rule = inference.attrs["rule"]
    table = inference["by_task"].to_dataset()["probability"].sel(rule=rule)
    whole = float(inference["posterior"]["probability"].sel(rule=rule))
    away = np.abs(table.values - whole)
    if away.max() > _SHIFT:
        told = [
            f"{number(float(table.sel(task=t)), 2)} with {plain(str(t))}"
            for t in table["task"].values
        ]
        yield Caution(
            "task",
            "care",
            "The answer depends on the task of the simulations",
            f"Learnt from one task alone, the probability of {plain(rule)} is "
            f"{listing(told)}, from all {number(whole, 2)}.",
        )


def _speed(inference: xr.DataTree) -> Iterator[Caution]:
    attrs = inference["held_out"].attrs
    if "speed_accuracy" not in attrs:
        return
    if attrs["speed_accuracy"] > 2 * attrs["chance"]:
        yield Caution(
            "speed",
            "care",
            "Speed tells rules apart in this prior",
            f"From the speed of drift alone {percent(attrs['speed_accuracy'])} of held-out runs "
            f"are named right, by chance {percent(attrs['chance'])}. How fast an animal drifts "
            "says little of its rule; use a prior in which speeds are matched.",
        )


def _seen(inference: xr.DataTree) -> Iterator[Caution]:
    otherwise = [str(one) for one in inference.attrs.get("seen_otherwise", [])]
    if otherwise:
        yield Caution(
            "observation",
            "serious",
            "The prior was not seen as the target was",
            f"{'; '.join(otherwise)}. For that alone the target may be outside the prior, or be "
            "given a wrong name. See the networks as the target was: nd.open_prior(store, "
            "nd.observation_of(recording)), or neurodrift infer --observation target.",
        )
    elif len(inference.attrs.get("seen_compared", [])) < _COMPARED:
        yield from _not_known()


def _not_known() -> Iterator[Caution]:
    yield Caution(
        "observation",
        "note",
        "The prior must have been seen as the target was",
        "Cells, events, sessions and losses of the simulations "
        "are those of the observation that the prior names. If the target's differ, it may be "
        "outside the prior for that alone.",
    )


_CHECKS = (_seen, _outside, _weak_test, _close_pairs, _left_out, _tasks, _speed)
