"""A comparison of recordings: statements, series and slopes side by side."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from neurodrift.io.tables import tidy
from neurodrift.report.chart import Chart, Figure, Forest
from neurodrift.report.tables import Table
from neurodrift.report.trend import DAGGER, FEW_DEGREES, SIGNIFICANT, slope_words
from neurodrift.report.view import View
from neurodrift.report.words import (
    in_sentence,
    number,
    p_value,
    plain,
    plain_text,
    title_of,
    unit_of,
)
from neurodrift.schema.words import listing

_AXES = {
    "fraction": "fraction of the way",
    "day": "day",
    "experience": "experience [min]",
    "training_step": "training step",
    "session_number": "session",
}


def comparison_section(
    comparison: xr.Dataset | None, recordings: Sequence[View] = ()
) -> dict[str, Any] | None:
    """What the page shows of a comparison.

    Parameters
    ----------
    comparison
        Result of :func:`neurodrift.compare`, or None.
    recordings
        The recordings of the page, whose own sections may say otherwise.

    Returns
    -------
    dict or None
        ``legend``, ``notes``, ``statements``, ``figures``, ``forests``, ``effects`` and
        ``tables``.

    Raises
    ------
    ValueError
        If it is no comparison.
    """
    if comparison is None:
        return None
    missing = {"side", "measure", "axis"} - set(comparison.dims)
    if missing:
        raise ValueError(
            f"the comparison lacks {', '.join(sorted(missing))}: pass what neurodrift.compare gives"
        )
    sides = [str(side) for side in comparison["side"].values]
    axis = _main_axis(comparison)
    return {
        "sides": sides,
        "legend": _sides(comparison),
        "notes": [plain_text(text) for text in json.loads(comparison.attrs.get("notes", "[]"))],
        "statements": _statements(comparison, sides, _own_views(comparison, recordings)),
        "figures": _series(comparison, axis) + _decays(comparison, axis),
        "forests": _forests(comparison, axis),
        "effects": _effects(comparison, axis),
        "tables": _tables(comparison),
        "axis": _AXES.get(axis, plain(axis)),
        "level": f"{100 * float(comparison.attrs.get('level', 0.95)):g}\u00a0%",
    }


def _sides(comparison: xr.Dataset) -> list[tuple[str, str]]:
    """Names and styles of the sides."""
    return [(str(side), _style(i)) for i, side in enumerate(comparison["side"].values)]


def _style(i: int) -> str:
    return f"s{i % 4 + 1}"


def _main_axis(comparison: xr.Dataset) -> str:
    axes = [str(name) for name in comparison["axis"].values]
    return "fraction" if "fraction" in axes else axes[0]


def _own_views(comparison: xr.Dataset, recordings: Sequence[View]) -> dict[str, View]:
    """The recording of a side that has one, where the page shows it."""
    names = comparison["row_recording"].values.astype(str)
    row_side = comparison["row_side"].values.astype(str)
    found = {}
    for side in comparison["side"].values.astype(str):
        own = set(names[row_side == side])
        if len(own) == 1:
            known = {side, *own}
            same = [v for v in recordings if {v.name, f"{v.subject} {v.environment}"} & known]
            if len(same) == 1:
                found[side] = same[0]
    return found


def _statements(
    comparison: xr.Dataset, sides: list[str], own: Mapping[str, View]
) -> list[dict[str, Any]]:
    """Statements of the paper with what each side says of it, with and without running speed."""
    rows = []
    for name in comparison["statement"].values:
        one = comparison.sel(statement=name)
        text = one["statement_text"].item() if "statement_text" in one.coords else name
        cells = []
        for side in sides:
            lines = []
            for adjustment in comparison["adjustment"].values:
                found = one.sel(side=side, adjustment=adjustment)
                verdict = str(found["statement_verdict"].item())
                reason = str(found["statement_reason"].item())
                estimate = float(found["statement_estimate"])
                if adjustment != "none" and verdict == "not testable":
                    continue
                detail = reason
                if np.isfinite(estimate):
                    factor, unit = _unit_of_effect(comparison, one)
                    ends = [factor * float(found[f"statement_ci_{end}"]) for end in ("low", "high")]
                    interval = f" ({number(ends[0])} to {number(ends[1])})"
                    interval = interval if np.isfinite(ends[0]) else ""
                    detail = f"{number(factor * estimate)}{interval} {unit}"
                    p = p_value(float(found["statement_p"]))
                    few = verdict in _DECIDED and _few(comparison, found, one)
                    detail += f", {p}{DAGGER if few else ''}" if p else ""
                    detail += _corrected(found, verdict)
                    if "statement_matched" in found and bool(found["statement_matched"]):
                        detail += "; on an equal footing"
                held = str(adjustment).replace("_", " ").replace("+", " and ")
                adjusted = "" if held == "none" else f"{held} held"
                beside = {}
                if held == "none" and side in own:
                    beside = _own_section(own[side], comparison, one, found)
                lines.append(
                    {"verdict": verdict, "detail": detail, "adjusted": adjusted, "own": beside}
                )
            cells.append(lines)
        rows.append({"text": str(text), "cells": cells})
    return rows


def _few(comparison: xr.Dataset, found: xr.Dataset, one: xr.Dataset) -> bool:
    """Whether a statement rests on few degrees of freedom."""
    effect, scale = str(one["statement_effect"].item()), comparison["scale"].values
    if effect not in comparison["effect"].values:
        return False
    kind = str(comparison["effect_kind"].sel(effect=effect).item())
    of = "first" if kind == "slope" and "first" in scale else "raw"
    if of not in scale:
        return False
    where = {"side": found["side"].item(), "adjustment": found["adjustment"].item()}
    dof = comparison["slope_dof"].sel(effect=effect, scale=of, axis=_main_axis(comparison), **where)
    return bool(float(dof) <= FEW_DEGREES)


_DECIDED = ("holds", "contradicted")


def _own_section(
    view: View, comparison: xr.Dataset, one: xr.Dataset, found: xr.Dataset
) -> dict[str, str]:
    """Where the recording's own section says otherwise, and why; empty where both agree."""
    verdict, effect = str(found["statement_verdict"].item()), str(one["statement_effect"].item())
    if verdict not in (*_DECIDED, "undecided", "no change"):
        return {}
    at = comparison.sel(effect=effect) if effect in comparison["effect"].values else None
    if at is None or str(at["effect_kind"].item()) not in ("slope", "decay"):
        return {}
    kind, measure = str(at["effect_kind"].item()), str(at["effect_measure"].item())
    said = _own_slope(view, measure) if kind == "slope" else _own_decay(view, measure)
    if said is None or said[0] == (verdict in _DECIDED):
        return {}
    here = []
    if "statement_matched" in found and bool(found["statement_matched"]):
        here.append(
            f"every session has as much as the poorest, so that neither {view.noun}s that fell "
            "silent nor unequal amounts of data count"
        )
    p, corrected = float(found["statement_p"]), float(found["statement_p_holm"])
    if p < SIGNIFICANT <= corrected:
        here.append(
            f"p is corrected for the statements of the side ({p_value(p)} alone, "
            f"{p_value(corrected)} corrected)"
        )
    if kind == "decay":
        here.append("the error comes from leaving out each session in turn")
    text = f"Its own section {'finds' if said[0] else 'does not find'} this: {said[1]}."
    text += f" Here {listing(here)}." if here else " Here another test is made."
    if verdict == "no change" and said[0]:
        text += " So “no change” is said of what is left then, and not of what was recorded."
    place = "measures" if kind == "slope" else "drift"
    return {"text": text, "place": f"{view.key}-{place}", "name": view.name}


def _own_slope(view: View, measure: str) -> tuple[bool, str] | None:
    """Whether a recording's section tells a trend of a measure, and its words."""
    measure = measure.removesuffix("_matched")
    fit = view.slope(measure)
    if fit is None or not np.isfinite(fit["p"]):
        return None
    tells = fit["p"] < SIGNIFICANT
    way = ("a rise" if fit["slope"] > 0 else "a fall") if tells else "no clear trend"
    words = slope_words(view, measure, degrees=False)
    return tells, f"as recorded {way} of {in_sentence(measure, view.noun)} ({words})"


def _own_decay(view: View, measure: str) -> tuple[bool, str] | None:
    """Whether a recording's section tells a decay of a similarity, and its words."""
    fitted = view.nodes.get("time_constant")
    if fitted is None or fitted.attrs.get("measure") != measure:
        return None
    slope, low, high = (float(fitted[f"slope{end}"]) for end in ("", "_low", "_high"))
    if not np.isfinite(low):
        return None
    per = {"day": "a day", "training_step": "a step"}.get(str(fitted.attrs["axis"]), "a step")
    ends = f"{number(low, 2)} to {number(high, 2)}"
    said = f"similarity changes by {number(slope, 2)} {per} of lag"
    return low > 0 or high < 0, f"{said} (95\u00a0% interval {ends}, from draws of sessions)"


def _unit_of_effect(comparison: xr.Dataset, one: xr.Dataset) -> tuple[float, str]:
    """What the slope of a statement is multiplied by, and its unit."""
    effect = str(one["statement_effect"].item())
    kinds = dict(
        zip(comparison["effect"].values, comparison["effect_kind"].values.astype(str), strict=True)
    )
    return {
        "slope": (100.0, "% of the first session over the whole way"),
        "decay": (1.0, "in correlation over the whole way"),
    }.get(kinds.get(effect, ""), (1.0, "in the rate of change over the whole way"))


def _corrected(found: xr.Dataset, verdict: str) -> str:
    """P corrected for the statements of a side, and what would have been found."""
    if "statement_p_holm" not in found:
        return ""
    p = p_value(float(found["statement_p_holm"]))
    text = f" (Holm: {p})" if p else ""
    seen = 100 * float(found["statement_detectable_relative"])
    if verdict in ("undecided", "no change") and np.isfinite(seen):
        text += f"; {seen:.0f}\u00a0% of the mean would have been found with a power of 80\u00a0%"
    return text


def _series(comparison: xr.Dataset, axis: str) -> list[Figure]:
    scale = "first" if "first" in comparison["scale"].values else comparison["scale"].values[0]
    means = comparison.sel(axis=axis, scale=scale)
    at = comparison["at"].sel(axis=axis).values
    names, row_side = comparison["row_recording"].values, comparison["row_side"].values
    figures = []
    for measure in map(str, comparison["measure"].values):
        own = comparison["normalized" if scale == "first" else "value"].sel(measure=measure).values
        mean = means.sel(measure=measure)
        there = np.isfinite(mean["series_mean"].values).any(axis=-1)
        if there.sum() < 2:
            continue
        label = "share of the first session" if scale == "first" else unit_of(measure)
        x_label = _AXES.get(axis, plain(axis))
        ends = [mean["series_mean"].values + sign * mean["series_sem"].values for sign in (-1, 1)]
        chart = Chart(at, np.append(own, ends), x_label=x_label, y_label=label)
        if scale == "first":
            chart.level(1.0, "muted dotted")
        parts = []
        for i, side in enumerate(comparison["side"].values):
            recordings = np.unique(names[row_side == side])
            for name in recordings if recordings.size > 1 else ():
                rows = (names == name) & (row_side == side)
                chart.line(at[rows], own[rows], f"{_style(i)} thin")
            if there[i]:
                parts.append(
                    _mean_curve(chart, mean.sel(side=side), "series", _style(i), str(side))
                )
        frame = pd.DataFrame(
            {
                "side": row_side,
                "recording": names,
                x_label: at,
                f"{title_of(measure)}, {label}": own,
            }
        )
        name = f"comparison-{measure.replace('_', '-')}"
        figures.append(
            Figure(
                name, title_of(measure), _sentence(parts), chart, frame, legend=_sides(comparison)
            )
        )
    return figures


def _sentence(parts: list[str]) -> str:
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}."


def _mean_curve(chart: Chart, one: xr.Dataset, name: str, style: str, side: str) -> str:
    x, mean, sem = (one[f"{name}_{part}"].values.astype(float) for part in ("at", "mean", "sem"))
    chart.band(x, mean - sem, mean + sem, style)
    chart.line(x, mean, style)
    tips = [f"{side}: {number(value)}" for value in mean]
    chart.points(x, mean, tips, style, 2.8)
    found = mean[np.isfinite(mean)]
    return f"{side} from {number(found[0])} to {number(found[-1])}"


def _decays(comparison: xr.Dataset, axis: str) -> list[Figure]:
    similarities = [str(name) for name in comparison["similarity"].values]
    chosen = [
        comparison.attrs.get("similarity"),
        "rate_map_correlation",
        "ensemble_rate_correlation",
    ]
    figures = []
    for name in dict.fromkeys(item for item in chosen if item in similarities):
        one = comparison.sel(axis=axis, similarity=name)
        means = one["decay_mean"].values
        if np.isfinite(means).any(axis=-1).sum() < 2:
            continue
        x_label = f"lag [{_AXES.get(axis, plain(axis))}]"
        ends = [means + sign * one["decay_sem"].values for sign in (-1, 1)]
        reach = np.append(np.append(means, [0.0, 1.0]), ends)
        chart = Chart(
            np.append(one["decay_at"].values, 0.0), reach, x_label=x_label, y_label=unit_of(name)
        )
        parts = [
            _mean_curve(chart, one.sel(side=side), "decay", _style(i), str(side))
            for i, side in enumerate(comparison["side"].values)
            if np.isfinite(means[i]).any()
        ]
        title = f"{title_of(name)} against lag"
        columns = ["decay_at", "decay_mean", "decay_sem", "decay_n"]
        bare = one[columns].drop_vars(["axis", "similarity"], errors="ignore")
        frame = tidy(bare, ["side", "lag_point"])
        frame = frame.rename(
            columns={
                "decay_at": x_label,
                "decay_mean": "mean correlation",
                "decay_sem": "its standard error",
                "decay_n": "animals or runs",
            }
        )
        frame = frame[["side", x_label, *frame.columns[-3:]]]
        name = f"comparison-{name.replace('_', '-')}-by-lag"
        figures.append(
            Figure(name, title, _sentence(parts), chart, frame, legend=_sides(comparison))
        )
    return figures


def _forests(comparison: xr.Dataset, axis: str) -> list[Figure]:
    figures = []
    for kind, scale, title, label in (
        ("slope", "first", "Change over the whole axis", "slope, relative to the first session"),
        ("decay", "raw", "Decay of similarity with lag", "slope of similarity on lag"),
    ):
        if scale not in comparison["scale"].values:
            continue
        rows = []
        for effect in comparison["effect"].values[comparison["effect_kind"].values == kind]:
            one = comparison.sel(effect=effect, scale=scale, axis=axis, adjustment="none")
            found = [_estimate(one, i) for i in range(one.sizes["side"])]
            if sum(np.isfinite(item[2]) for item in found) > 1:
                rows.append((title_of(str(one["effect_measure"].item())), found))
        if rows:
            flat = [(quantity, side, *ends) for quantity, found in rows for side, _, *ends in found]
            columns = ["measure", "side", label, "from", "to"]
            frame = pd.DataFrame(flat, columns=columns)
            drawing = Forest(rows, label)
            figures.append(
                Figure(
                    f"comparison-{kind}",
                    title,
                    _FOREST_CAPTION,
                    drawing,
                    frame,
                    legend=_sides(comparison),
                )
            )
    return figures


def _estimate(one: xr.Dataset, i: int) -> tuple[str, str, float, float, float]:
    """Side, style, slope and both ends of its interval."""
    slope, low, high = (float(one[name].values[i]) for name in _SLOPE)
    return str(one["side"].values[i]), _style(i), slope, low, high


_SLOPE = ("slope", "slope_ci_low", "slope_ci_high")
_FOREST_CAPTION = "Dot: slope; bar: confidence interval, with an arrow where it goes on."


def _effects(comparison: xr.Dataset, axis: str) -> dict[str, Any]:
    """Slopes of every pair of sides and whether they agree."""
    rows = []
    for i in range(comparison.sizes["pair"]):
        first, second = (str(comparison[f"side_{end}"].values[i]) for end in "ab")
        for effect in comparison["effect"].values:
            kind = str(comparison["effect_kind"].sel(effect=effect).item())
            scale = "first" if kind == "slope" else "raw"
            if scale not in comparison["scale"].values:
                continue
            one = comparison.sel(effect=effect, scale=scale, axis=axis, adjustment="none")
            pair = one.isel(pair=i)
            if not np.isfinite(float(pair["difference"])):
                continue
            rows.append(
                [
                    _effect_title(one),
                    *(_interval(one.sel(side=side)) for side in (first, second)),
                    f"{first} and {second}",
                    f"{number(float(pair['difference']))} "
                    f"[{number(float(pair['difference_ci_low']))}, "
                    f"{number(float(pair['difference_ci_high']))}]",
                    str(pair["sign_agreement"].item()) or "–",
                    str(pair["size_agreement"].item()) or "–",
                ]
            )
    head = ["effect", "first", "second", "sides", "difference", "sign", "size"]
    return {"head": head, "rows": rows}


def _effect_title(one: xr.Dataset) -> str:
    """What an effect is, in words."""
    kind = str(one["effect_kind"].item())
    return f"{kind} of {title_of(str(one['effect_measure'].item())).lower()}"


def _interval(one: xr.Dataset) -> str:
    slope, low, high = (float(one[name]) for name in _SLOPE)
    return f"{number(slope)} [{number(low)}, {number(high)}]"


def _tables(comparison: xr.Dataset) -> list[Table]:
    def rows(prefixes: tuple[str, ...], dims: tuple[str, ...]) -> pd.DataFrame:
        names = [
            str(name)
            for name, array in comparison.data_vars.items()
            if array.dims == dims and str(name).startswith(prefixes)
        ]
        return tidy(comparison[sorted(names)], dims)

    effect = ("scale", "axis", "adjustment", "effect")
    verdict = ("statement", "side", "adjustment")
    agreement = ("difference", "ratio", "p_", "sign_", "size_", "pair_")
    found = [
        Table("statements", "Statements", rows(("statement_",), verdict)),
        Table("effects", "Slopes of the sides", rows(("slope",), ("side", *effect))),
        Table("agreement", "Agreement of the sides", rows(agreement, ("pair", *effect))),
    ]
    return [table for table in found if len(table.frame)]
