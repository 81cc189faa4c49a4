"""Charts of one recording: sessions, decay with lag, phases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from neurodrift.analysis.series.trend import fit_trend, places, time_of
from neurodrift.report.svg import Chart
from neurodrift.report.view import LAGS, PREDICTORS, View
from neurodrift.report.words import factor_of, number, p_value, plural, title_of, unit_of

_CONTEXT = ("running_speed", "n_detected")
_DECAYS = ("rate_map_correlation", "population_vector_correlation", "ensemble_rate_correlation")
_MAX_DOTS = 2000  # pairs drawn one by one in a chart


@dataclass(frozen=True)
class Figure:
    """A chart with its title and caption."""

    title: str
    svg: Markup
    caption: str


def session_figures(view: View, predictor: str) -> list[Figure]:
    """Each measure of the sessions against a predictor, with its regression.

    Parameters
    ----------
    view
        Results of one recording.
    predictor
        Column of the sessions for the x axis.

    Returns
    -------
    list of Figure
        Measures that were regressed, then the circumstances: running speed and units.
    """
    regressed = [str(name) for name in view.nodes["regression"]["measure"].values]
    regressed = [name for name in regressed if not name.endswith("_matched")]
    names = [*regressed, *(name for name in _CONTEXT if name not in regressed)]
    return [
        _session_figure(view, name, predictor)
        for name in names
        if name in view.sessions and np.isfinite(view.sessions[name].to_numpy(float)).any()
    ]


def regression_band(view: View, measure: str, predictor: str) -> dict[str, np.ndarray] | None:
    r"""Regression line of a measure and its confidence band.

    Parameters
    ----------
    view
        Results of one recording.
    measure, predictor
        Columns of the sessions.

    Returns
    -------
    dict or None
        ``x``, ``line``, ``low`` and ``high``; None where there is no slope.

    Notes
    -----
    Of slopes over the autocorrelation the band is that of the line. Of least squares, with the
    slope b, its standard error and Student's quantile t, the line runs through the means and its
    band is

    .. math:: \bar y + b (x - \bar x) \pm t\, se_b \sqrt{S_{xx} / n + (x - \\bar x)^2}.
    """
    from scipy.special import stdtrit

    fit = view.slope(measure, predictor)
    if fit is None:
        return None
    used = view.sessions[[predictor, measure]].astype(float)
    used = used.replace([np.inf, -np.inf], np.nan).dropna()
    x, y = used[predictor].to_numpy(), used[measure].to_numpy()
    line_x = np.linspace(x.min(), x.max(), 41)
    away = line_x - x.mean()
    if view.nodes["regression"].attrs.get("method") == "ar1":
        return _dependent_band(view, measure, predictor, line_x)
    line = y.mean() + fit["slope"] * away
    level = float(view.nodes["regression"].attrs.get("level", 0.95))
    quantile = float(stdtrit(fit["dof"], (1 + level) / 2))
    half = quantile * fit["se"] * np.sqrt(((x - x.mean()) ** 2).sum() / x.size + away**2)
    return {"x": line_x, "line": line, "low": line - half, "high": line + half}


def _dependent_band(
    view: View, measure: str, predictor: str, line_x: np.ndarray
) -> dict[str, np.ndarray]:
    """The line over the autocorrelation of the sessions, and the band that goes with it."""
    from scipy.special import stdtrit

    table = view.sessions.select_dtypes("number").astype(float)
    table = table.replace([np.inf, -np.inf], np.nan)
    columns = {str(name): table[name].to_numpy() for name in table}
    when = places(time_of(columns, len(table)))
    x, y = columns[predictor], columns[measure]
    used = np.isfinite(x) & np.isfinite(y)
    centre = x[used].mean()
    design = np.column_stack([np.ones(int(used.sum())), x[used] - centre])
    trend = fit_trend(design, y[used], when[used])
    away = np.column_stack([np.ones(line_x.size), line_x - centre])
    level = float(view.nodes["regression"].attrs.get("level", 0.95))
    half = np.sqrt(np.einsum("ij,jk,ik->i", away, trend.covariance, away))
    half *= float(stdtrit(trend.dof[1], (1 + level) / 2))
    line = away @ trend.estimate
    return {"x": line_x, "line": line, "low": line - half, "high": line + half}


def slope_sentence(view: View, measure: str, predictor: str | None = None) -> str:
    """Slope, interval and p of a measure, with and without running speed.

    Parameters
    ----------
    view
        Results of one recording.
    measure, predictor
        Columns of the sessions; the main predictor when omitted.

    Returns
    -------
    str
        Slopes of fractions in percentage points, those on training steps for a round number.
    """
    predictor = predictor or view.main_predictor
    fit = view.slope(measure, predictor)
    if fit is None:
        return "no slope: too few sessions"
    values = view.sessions[measure].to_numpy(float)
    values = values[np.isfinite(values)]
    if np.ptp(values) <= 1e-9 * np.abs(values).max():
        return "the same in every session"
    steps, per = view.per(predictor)
    factor = factor_of(measure) * steps
    points = " percentage points" if factor_of(measure) > 1 else ""
    low, high = number(factor * fit["ci_low"]), number(factor * fit["ci_high"])
    text = f"slope {number(factor * fit['slope'])}{points} {per} [{low}, {high}], "
    text += p_value(fit["p"])
    if fit["p"] >= 0.05 and np.isfinite(fit.get("detectable", np.nan)):
        seen = f"{number(factor * fit['detectable'])}{points} {per}"
        text += f" (only {seen} or more would have been found with a power of 80 %)"
    if np.isfinite(fit["slope_given_speed"]):
        given = f"{number(factor * fit['slope_given_speed'])}, {p_value(fit['p_given_speed'])}"
        text += f"; with running speed held {given}"
    return text


def decay_figures(view: View) -> list[Figure]:
    """Each correlation of the pairs of sessions against the time between them.

    Parameters
    ----------
    view
        Results of one recording.

    Returns
    -------
    list of Figure
        None for a single session.
    """
    pairs = view.pairs
    lag_name, lag_label = LAGS[view.main_predictor]
    lag_name = lag_name if lag_name in pairs.coords else "lag"
    lag_label = lag_label if lag_name != "lag" else LAGS["session_number"][1]
    return [
        figure
        for name in _DECAYS
        if name in pairs
        for figure in _decay_figure(view, name, lag_name, lag_label)
    ]


def _session_figure(view: View, measure: str, predictor: str) -> Figure:
    table, factor = view.sessions, factor_of(measure)
    y = factor * table[measure].to_numpy(float)
    x = np.arange(len(table), dtype=float)
    if predictor in table:
        x = table[predictor].to_numpy(float)
    band = regression_band(view, measure, predictor)
    reach, spread = y, 0.7 * (np.nanmax(y) - np.nanmin(y))
    if band is not None:
        low, high = factor * band["low"], factor * band["high"]
        edges = np.clip(np.append(low, high), np.nanmin(y) - spread, np.nanmax(y) + spread)
        reach = np.append(y, edges)
    x_label = PREDICTORS[predictor][0]
    chart = Chart(x, reach, x_label=x_label, y_label=unit_of(measure))
    if band is not None:
        chart.band(band["x"], low, high, "accent")
        chart.line(band["x"], factor * band["line"], "accent")
    tips = [
        f"session {label}: {number(value)} {unit_of(measure)}"
        for label, value in zip(view.labels, y, strict=True)
    ]
    chart.points(x, y, tips, "ink")
    if measure in view.nodes["regression"]["measure"].values:
        caption = slope_sentence(view, measure, predictor)
    else:
        caption = f"from {number(np.nanmin(y))} to {number(np.nanmax(y))} {unit_of(measure)}"
    description = f"{plural(len(y), 'session')} against {x_label}; {caption}"
    return Figure(title_of(measure), chart.svg(title_of(measure), description), caption)


def _decay_figure(view: View, measure: str, lag_name: str, lag_label: str) -> list[Figure]:
    pairs = view.pairs
    upper = np.triu_indices(pairs.sizes["session_a"], k=1)
    values = pairs[measure].values[upper].astype(float)
    lags = np.abs(pairs[lag_name].values[upper].astype(float))
    steps = np.abs(pairs["lag"].values[upper])
    found = np.isfinite(values) & np.isfinite(lags)
    if not found.any():
        return []
    values, lags, steps = values[found], lags[found], steps[found]
    first, second = (index[found] for index in upper)
    groups = [steps == step for step in np.unique(steps)]
    mean_x = np.array([lags[group].mean() for group in groups])
    mean_y = np.array([values[group].mean() for group in groups])
    ceiling = view.ceiling(measure)
    ceiling = ceiling[np.isfinite(ceiling)]
    null = _null(pairs, measure, upper)
    reach = np.concatenate(
        [values, [0.0, null], ceiling.mean(keepdims=True) if ceiling.size else []]
    )
    chart = Chart(np.append(lags, 0.0), reach, x_label=lag_label, y_label="correlation")
    if ceiling.size:
        chart.level(float(ceiling.mean()), "accent dashed", "noise ceiling")
    if np.isfinite(null):
        chart.level(null, "muted dotted", "unit identity shuffled")
    drawn = np.unique(np.linspace(0, values.size - 1, min(values.size, _MAX_DOTS)).astype(int))
    labels = view.labels
    tips = [
        f"sessions {labels[first[i]]} and {labels[second[i]]}: {number(values[i])}" for i in drawn
    ]
    chart.points(lags[drawn], values[drawn], tips, "faint", 2.2)
    chart.line(mean_x, mean_y, "ink")
    mean_tips = [
        f"mean of {plural(int(group.sum()), 'pair')}: {number(value)}"
        for group, value in zip(groups, mean_y, strict=True)
    ]
    chart.points(mean_x, mean_y, mean_tips, "ink")
    caption = (
        f"mean {number(mean_y[0])} at the shortest and {number(mean_y[-1])} at the longest lag"
    )
    if ceiling.size:
        caption += f"; noise ceiling {number(ceiling.mean())}"
    description = f"{plural(values.size, 'pair')} of sessions against {lag_label}; {caption}"
    return [Figure(title_of(measure), chart.svg(title_of(measure), description), caption)]


def _null(pairs: Any, measure: str, upper: tuple[np.ndarray, np.ndarray]) -> float:
    if f"{measure}_null" not in pairs:
        return float("nan")
    values = pairs[f"{measure}_null"].values[upper].astype(float)
    values = values[np.isfinite(values)]
    return float(values.mean()) if values.size else float("nan")
