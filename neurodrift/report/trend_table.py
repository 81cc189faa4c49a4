"""Tests of a trend over sessions, as recorded and on an equal footing, in one table."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurodrift.report.footing import trends
from neurodrift.report.series import MAIN
from neurodrift.report.trend import DAGGER, dagger_note, few_degrees, slope_unit
from neurodrift.report.view import PREDICTORS, View
from neurodrift.report.words import number, title_of


def trend_table(view: View, predictor: str) -> dict[str, Any]:
    """Every measure with its trend on a predictor.

    Parameters
    ----------
    view
        Results of one recording.
    predictor
        Column of the sessions.

    Returns
    -------
    dict
        ``main`` and ``rest``, tables with ``head``, ``rows`` and ``notes``, and ``rows`` of both.
        Where a measure has a trend on an equal footing, it stands in the row below.
    """
    parts: dict[bool, list[list[str]]] = {True: [], False: []}
    fits: dict[bool, list[dict[str, float]]] = {True: [], False: []}
    agree = {trend.measure: trend for trend in trends(view)}
    for measure in map(str, view.nodes["regression"]["measure"].values):
        fit = view.slope(measure, predictor)
        if fit is None or measure.endswith("_matched"):
            continue
        main = measure in MAIN
        trend = agree.get(measure) if predictor == view.main_predictor else None
        matched = view.slope(f"{measure}_matched", predictor) if measure in agree else None
        row = [title_of(measure, view.noun), *_cells(view, fit, measure, predictor), ""]
        parts[main].append(row)
        fits[main].append(fit)
        if matched is not None:
            equal = (
                f"the same, with {trend.equal}{trend.among}"
                if trend
                else "the same, on an equal footing"
            )
            says = "" if trend is None else "differs" if trend.disagree else "agrees"
            name = f"{measure}_matched"
            parts[main].append([f"\u2003{equal}", *_cells(view, matched, name, predictor), says])
            fits[main].append(matched)
    head = [
        "measure",
        f"slope on the {PREDICTORS[predictor][0].split(' [')[0]} ({view.level} CI)",
        "unit",
        "p (degrees of freedom)",
        "found at 80\u00a0% power",
        "slope, running speed held (p)",
        "with the row above",
    ]
    rows = parts[True] + parts[False]
    if not any(row[-1] for row in rows):
        head = head[:-1]
        parts = {main: [row[:-1] for row in own] for main, own in parts.items()}
    found = {main: {"head": head, "rows": parts[main]} for main in parts}
    for main, own in fits.items():
        found[main]["notes"] = dagger_note(own)
    return {
        "main": found[True],
        "rest": found[False],
        "rows": parts[True] + parts[False],
    }


def _cells(view: View, fit: dict[str, float], measure: str, predictor: str) -> list[str]:
    factor, unit = slope_unit(view, measure, predictor)
    low, high = number(factor * fit["ci_low"], 2), number(factor * fit["ci_high"], 2)
    given = fit.get("slope_given_speed", np.nan)
    seen = fit.get("detectable", np.nan)
    held = number(factor * given, 2)
    return [
        f"{number(factor * fit['slope'], 2)} ({low} to {high})",
        unit,
        f"{_p(fit, 'p')} ({number(fit['dof'], 2)})",
        number(abs(factor * seen), 2),
        f"{held} ({_p(fit, 'p_given_speed')})" if np.isfinite(given) else "–",
    ]


def _p(fit: dict[str, float], name: str) -> str:
    p = fit.get(name, np.nan)
    if not np.isfinite(p):
        return "–"
    text = "<\u00a00.001" if p < 0.001 else number(p, 2)
    mark = few_degrees({**fit, "dof": fit["dof"] - (name != "p")})
    return f"{text}{DAGGER if mark else ''}"
