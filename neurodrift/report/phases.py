"""Phases of learning of one recording, as the node ``phases`` holds them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from neurodrift.io.tables import tidy
from neurodrift.report.chart import Chart, Figure
from neurodrift.report.view import PREDICTORS, View
from neurodrift.report.words import MEASURES as TITLES
from neurodrift.report.words import (
    factor_of,
    in_sentence,
    number,
    percent,
    plain_text,
    said_of,
    title_of,
    unit_of,
    value_of,
)

_STYLES = {
    "fast learning": "s2",
    "directed drift": "s1",
    "null drift": "s3",
    "fast learning or directed drift": "s4",
}


WORDS = (
    "Fast learning: performance rises. Directed drift: it stays, while activity and information "
    "still change. Null drift: only the maps still change."
)
"""What the phases are, in words."""


def phases_section(view: View) -> dict[str, Any] | None:
    """What the page shows of the phases; None where the results have none.

    Parameters
    ----------
    view
        Results of one recording.

    Returns
    -------
    dict or None
        ``verdict``, ``words``, ``conclusion``, ``limits``, ``strip`` (label, phase, style of each
        session), ``legend``, ``borders``, ``evidence`` (tables) and ``figures``.
    """
    phases = view.nodes.get("phases")
    if phases is None or "session" not in phases.dims:
        return None
    dominant = [str(name) for name in phases["dominant"].values]
    sessions = [str(label) for label in phases["session"].values]
    strip = [
        (label, name, _STYLES.get(name, "faint"))
        for label, name in zip(sessions, dominant, strict=True)
    ]
    return {
        "verdict": str(phases.attrs.get("verdict", "")),
        "conclusion": in_words(str(phases.attrs.get("conclusion", "")), view.noun),
        "limits": in_words(str(phases.attrs.get("limits", "")), view.noun),
        "strip": strip,
        "words": WORDS,
        "legend": [(name, _STYLES.get(name, "faint")) for name in dict.fromkeys(dominant)],
        "borders": _borders(phases),
        "evidence": _evidence(phases, view.noun),
        "evidence_caption": _evidence_caption(phases),
        "figures": [
            figure
            for name in map(str, phases["quantity"].values)
            for figure in _figure(view, phases, name)
        ],
    }


def phases_frame(view: View) -> pd.DataFrame:
    """Quantities of the phases as rows, for the CSV; empty where there are none."""
    phases = view.nodes.get("phases")
    if phases is None:
        return pd.DataFrame()
    names = [str(name) for name, array in phases.data_vars.items() if array.dims == _EVIDENCE]
    return tidy(phases[names])


_SAYS_LITTLE = 0.5  # log10 Bayes factor up to which it favours neither
_EVIDENCE = ("phase", "quantity")


def _axis_label(phases: xr.Dataset) -> str:
    axis = str(phases.attrs.get("axis", "session_number"))
    return PREDICTORS[axis][0] if axis in PREDICTORS else axis.replace("_", " ")


def _borders(phases: xr.Dataset) -> dict[str, Any]:
    rows = []
    for name in map(str, phases["border"].values):
        one = phases.sel(border=name)
        point, low, high, reached = (
            float(one[key])
            for key in ("change_point", "change_point_ci_low", "change_point_ci_high", "reached")
        )
        if np.isfinite(point):
            where = f"{number(point)} [{number(low)}, {number(high)}]"
        elif np.isinf(point):
            where = f"after the last session (from {number(low)} on)"
        else:
            where = "cannot be told"
        rows.append([name, where, percent(reached)])
    head = ["border", f"{_axis_label(phases)} [95 % interval]", "probability that it was reached"]
    return {"head": head, "rows": rows}


def in_words(text: str, noun: str) -> str:
    """A text of the phases with the report's names of the measures.

    Parameters
    ----------
    text
        Conclusion or limits of the node ``phases``.
    noun
        What a unit is called.

    Returns
    -------
    str
        The text without names of the program.
    """
    for name in sorted(TITLES, key=len, reverse=True):
        if "_" in name:
            said = re.compile(rf"\b{name.replace('_', '[_ ]')}\b", re.IGNORECASE)
            text = said.sub(in_sentence(name, noun), text)
    text = _AFTER_STOP.sub(lambda found: found[1] + found[2].upper(), text)
    return said_of(plain_text(text), noun)


_AFTER_STOP = re.compile(r"(^|[.!?] )([a-z])")


def _evidence(phases: xr.Dataset, noun: str) -> dict[str, Any]:
    rows = []
    for quantity in map(str, phases["quantity"].values):
        cells = []
        for phase in phases["phase"].values:
            one = phases.sel(phase=phase, quantity=quantity)
            observed, expected = str(one["observed"].item()), str(one["expected"].item())
            strength = float(one["evidence"])
            bayes = f", log₁₀ BF {number(strength, 2)}" if np.isfinite(strength) else ""
            weak = np.isfinite(strength) and abs(strength) < _SAYS_LITTLE
            bayes += " says little" if weak else ""
            cells.append(f"{observed}{bayes} (expected: {expected})")
        rows.append([title_of(quantity, noun), *cells, *_seen(phases, quantity)])
    head = ["quantity", *map(str, phases["phase"].values)]
    if "detectable" in phases:
        head += ["change by a line, of the mean", "found at 80 % power"]
    return {"head": head, "rows": rows}


def _evidence_caption(phases: xr.Dataset) -> str:
    """What the table shows, and what "constant" rests on."""
    text = "What was observed in the sessions of each phase, and what its definition expects"
    if "margin" not in phases.attrs:  # older results
        return text
    return (
        f"{text}. A statistic is called constant where a change of "
        f"{percent(float(phases.attrs['margin']))} of its mean would have been found (a loss where "
        "it would have been seen to halve), not by the Bayes factor: log₁₀ BF is that of a change "
        "against none, and between −0.5 and 0.5 it says little"
    )


def _seen(phases: xr.Dataset, quantity: str) -> list[str]:
    """The change by a straight line, and the smallest that would have been found."""
    if "detectable" not in phases:  # older results
        return []
    one = phases.sel(quantity=quantity)
    change, low, high = (float(one[f"linear_change{end}"]) for end in ("", "_ci_low", "_ci_high"))
    if not np.isfinite(change):
        return ["", ""]
    interval = f" [{percent(low)}, {percent(high)}]" if np.isfinite(low) else ""
    seen = float(one["detectable"])
    return [f"{percent(change)}{interval}", percent(seen) if np.isfinite(seen) else ""]


def _figure(view: View, phases: xr.Dataset, quantity: str) -> list[Figure]:
    one = phases.sel(quantity=quantity)
    factor = factor_of(quantity)
    series, fitted = (factor * one[name].values.astype(float) for name in ("series", "fitted"))
    at = phases["at"].values.astype(float)
    if not np.isfinite(series).any():
        return []
    x_label, unit = _axis_label(phases), unit_of(quantity, view.noun)
    chart = Chart(at, np.append(series, fitted), x_label=x_label, y_label=unit)
    for name, style in zip(phases["border"].values, ("s2", "s1"), strict=False):
        border = phases.sel(border=name)
        low, high = float(border["change_point_ci_low"]), float(border["change_point_ci_high"])
        chart.border(float(border["change_point"]), low, high, style, str(name))
    chart.line(at, fitted, "accent")
    labels = [str(label) for label in phases["session"].values]
    tips = [
        f"session {label}: {value_of(quantity, value / factor)}"
        for label, value in zip(labels, series, strict=True)
    ]
    chart.points(at, series, tips, "ink")
    strength = float(one["log10_bayes_factor"]) if "log10_bayes_factor" in one else np.nan
    parts = ["Line: mean of the fits"] if np.isfinite(fitted).any() else []
    if np.isfinite(strength):
        parts.append(f"log₁₀ Bayes factor of a change against none {number(strength, 2)}")
    caption = "; ".join(parts) or "Change since the session before"
    title = title_of(quantity, view.noun)
    frame = pd.DataFrame({"session": labels, x_label: at, f"{title} [{unit}]": series})
    frame["mean of the fits"] = fitted
    name = f"phases-{quantity.replace('_', '-')}"
    return [Figure(name, f"{title}, phases", f"{caption}.", chart, frame)]
