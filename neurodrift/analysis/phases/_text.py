"""What was found about phases, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import node_of
from neurodrift.analysis.phases._fit import BORDERS, EITHER, NO_DRIFT, PERHAPS_NULL, PHASES
from neurodrift.analysis.series.verdicts import FEWEST
from neurodrift.schema.objects import expect_dataset

_UNITS = {"training_step": "steps", "experience": "min", "day": "d", "session_number": "sessions"}


def describe_phases(result: xr.Dataset | xr.DataTree) -> str:
    """What :func:`detect_phases` found, for people.

    Parameters
    ----------
    result
        Result of :func:`detect_phases`, or the results of :func:`neurodrift.analyze`.

    Returns
    -------
    str
        The verdict, the conclusion and the limits, one line each.
    """
    result = node_of(result, "phases")
    expect_dataset("result", result, ["verdict", "conclusion", "limits"], "phases (detect_phases)")
    return "\n".join(
        line
        for line in (
            f"phases: {result.attrs['verdict']}",
            result.attrs["conclusion"],
            result.attrs["limits"],
        )
        if line
    )


def verdict(result: xr.Dataset) -> str:
    """The phases in their order."""
    names = [str(item) for item in result["dominant"].values]
    order = [name for i, name in enumerate(names) if i == 0 or name != names[i - 1]]
    if len(order) == 1:
        if order[0] in (PHASES[2], PERHAPS_NULL, NO_DRIFT):
            return f"{order[0]} only"
        return order[0] if order[0] == "undecided" else f"{order[0]} throughout"
    return ", then ".join(order)


def conclusion(result: xr.Dataset) -> str:
    """What follows, in a few sentences."""
    said = [text for text in (_of_loss(result), _of_statistics(result), _of_drift(result)) if text]
    return " ".join(said) or "Nothing can be said of phases."


def limits(result: xr.Dataset, notes: Sequence[str]) -> str:
    """What cannot be told, and why."""
    said = []
    n = result.sizes["session"]
    if n < FEWEST:
        said.append(
            f"{n} session{'s' if n > 1 else ''} cannot show whether anything changes: phases need "
            f"at least {FEWEST}, and a border with some certainty rather 8 or more."
        )
    if not result.attrs["has_loss"]:
        said.append(
            "There is no loss or performance, so fast learning cannot be told from directed "
            "drift: a change of the statistics may be either, and learning that leaves them as "
            "they are is not seen."
        )
    open_ends = [
        BORDERS[i].removesuffix(" ends")
        for i in range(2)
        if np.isfinite(result["change_point_ci_low"].values[i])
        and not np.isfinite(result["change_point_ci_high"].values[i])
    ]
    said += [f"The end of {name} may lie beyond the last session." for name in open_ends]
    if n >= FEWEST and {PHASES[1], EITHER} & set(result["dominant"].values):
        after = list(result["dominant"].values)[::-1]
        left = next(i for i, name in enumerate(after) if name != "undecided")
        if left:
            said.append(
                f"What the last {f'{left} sessions do' if left > 1 else 'session does'} is "
                f"undecided: null drift needs at least {FEWEST} sessions without a change of the "
                "statistics."
            )
    if "representation" not in result["quantity"].values:
        said.append("No similarity of the representation was given, so null drift is not shown.")
    elif PERHAPS_NULL in result["dominant"].values:
        said.append(
            "Whether the representation drifts while the statistics are constant is undecided."
        )
    if result.attrs["confounds"]:
        listed = result.attrs["confounds"].replace("_", " ")
        said.append(
            f"{listed[0].upper()}{listed[1:]} may change over the sessions too, and change the "
            "statistics (compare the slopes given running speed)."
        )
    said += [f"{note[0].upper()}{note[1:]}." for note in notes]
    return " ".join(said)


def _of_loss(result: xr.Dataset) -> str:
    if not result.attrs["has_loss"]:
        return ""
    evidence = _evidence(result, "loss")
    if np.isnan(evidence):
        return "The loss is known in too few sessions."
    if evidence >= 1:
        where = _border(result, 0)
        return f"The loss improves until {where} ({_factor(evidence)}): fast learning."
    if evidence <= 0:
        if str(result["state"].sel(quantity="loss").values) == "constant":
            seen = _percent(_detectable(result, "loss"))
            return (
                f"The loss does not improve ({_factor(evidence)}; a steady fall by {seen} would "
                "have been found with a power of 80 %): fast learning was over before."
            )
        return (
            f"Whether the loss improves is undecided ({_factor(evidence)}, but its noise could "
            "hide that it halves)."
        )
    return f"Whether the loss improves is undecided ({_factor(evidence)})."


def _of_statistics(result: xr.Dataset) -> str:
    names = [n for n in result["quantity"].values if n not in ("loss", "representation")]
    known = {n: e for n in names if np.isfinite(e := _evidence(result, n)) or e == -np.inf}
    later = "then " if PHASES[0] in result["dominant"].values else ""
    if not known:
        return ""
    moving = [_motion(result, n) for n in known if result["trend"].sel(quantity=n) != 0]
    labels = set(result["dominant"].values)
    if {PHASES[1], EITHER} & labels or np.isfinite(result["change_point"].values[1]):
        what = "directed drift" if result.attrs["has_loss"] else EITHER
        listed = "; ".join(moving) or "the statistics together"
        return f"Statistics {later}change in one direction, {listed}: {what} until " + (
            f"{_border(result, 1)}."
        )
    if labels & {PHASES[2], PERHAPS_NULL, NO_DRIFT}:
        strongest = max(known.values())
        chance = float(result["probability"].values[1].max())
        return (
            f"The statistics ({', '.join(map(_words, known))}) are {later}constant"
            f" (probability that any changes {chance:.2g}, strongest sign: {_factor(strongest)}): "
            f"{_seen(result, list(known))} would have been found with a power of 80 %."
        )
    leaning = [_motion(result, n) for n in known if known[n] > 0]
    said = [f"Whether the statistics change is undecided: {'; '.join(leaning) or 'none by itself'}"]
    blind = [n for n in known if not _detectable(result, n) <= result.attrs["margin"]]
    if blind:
        said.append(
            f"Only {_seen(result, blind)} would have been found with a power of 80 % in these "
            f"{int(result.sizes['session'])} sessions: a change of "
            f"{_percent(result.attrs['margin'])}, the smallest that counts here, could be missed"
        )
    return ". ".join(said) + "."


_WORDS = {
    "fraction_active_units": "active units",
    "active_fraction": "active fraction",
    "fraction_place_cells": "place cells",
    "information_informative": "information",
    "information": "information",
}


def _words(name: str) -> str:
    """A statistic as a lab would say it."""
    return _WORDS.get(name, name.replace("_", " "))


def _detectable(result: xr.Dataset, name: str) -> float:
    return float(result["detectable"].sel(quantity=name))


def _seen(result: xr.Dataset, names: Sequence[str]) -> str:
    """The smallest changes that would have been found."""
    sizes = [
        f"{_percent(_detectable(result, name))} of {_words(name)}"
        for name in names
        if np.isfinite(_detectable(result, name))
    ]
    return f"a steady change of {', '.join(sizes)}" if sizes else "no steady change"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.0095 or share == 0 else "less than 1 %"


def _of_drift(result: xr.Dataset) -> str:
    if np.isnan(result["neighbour_change"]):
        return ""
    values = [100 * float(result[f"neighbour_change{end}"]) for end in ("", "_ci_low", "_ci_high")]
    p = float(result["neighbour_p"])
    interval = f" [{values[1]:.0f}, {values[2]:.0f}]" if np.isfinite(values[1:]).all() else ""
    said = [
        f"From one session to the next the representation loses {values[0] + 0.0:.0f} %{interval} "
        f"of its similarity{' without noise' * result.attrs['similarity'].endswith('_relative')}"
        + (f", and its similarity falls with the lag at p = {p:.2g}." if p > 0 else ".")
    ]
    null = result.sel(phase=PHASES[2])
    state = str(null["observed"].sel(quantity="representation").values)
    if state == "changes" and np.isfinite(null["rate_evidence"]):
        evidence = float(null["rate_evidence"])
        how = "steady" if evidence <= 0 else "not steady" if evidence >= 1 else "perhaps not steady"
        said.append(f"During null drift its rate is {how} ({_factor(evidence)}).")
    elif state == "constant":
        said.append("While the statistics are constant, the representation is too.")
    return " ".join(said)


def _motion(result: xr.Dataset, name: str) -> str:
    row = result.sel(quantity=name)
    values = [100 * float(row[f"total_change{end}"]) for end in ("", "_ci_low", "_ci_high")]
    size = f"{values[0]:+.0f} % [{values[1]:+.0f}, {values[2]:+.0f}]"
    return f"{_words(name)} {size} ({_factor(float(row['log10_bayes_factor']))})"


def _evidence(result: xr.Dataset, name: str) -> float:
    return float(result["log10_bayes_factor"].sel(quantity=name))


def _factor(log10: float) -> str:
    if log10 > 3:
        return "Bayes factor over 1000"
    if log10 < -3:
        return "Bayes factor below 0.001"
    return f"Bayes factor {10**log10:.2g}"


def _border(result: xr.Dataset, i: int) -> str:
    unit = _UNITS.get(str(result.attrs["axis"]), "")
    names = ("change_point", "change_point_ci_low", "change_point_ci_high")
    middle, low, high = (float(result[name].values[i]) for name in names)
    percent = f"{100 * float(result.attrs['level']):g} %"
    end = f"{high:.4g}" if np.isfinite(high) else "beyond the end"
    here = f"{middle:.4g} {unit}".strip() if np.isfinite(middle) else "after the last session"
    return f"{here} ({percent} interval {low:.4g} to {end})"
