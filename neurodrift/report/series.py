"""Measures over sessions: the ones that a lab looks at first, and the rest."""

from __future__ import annotations

import numpy as np
import pandas as pd

from neurodrift.analysis.series.trend import fit_trend, places, time_of
from neurodrift.report.chart import Chart, Figure
from neurodrift.report.footing import trends, undetected_words
from neurodrift.report.trend import dagger_note, noted_once, slope_sentence
from neurodrift.report.view import PREDICTORS, View
from neurodrift.report.words import factor_of, in_sentence, number, title_of, unit_of, value_of

MAIN = ("fraction_active_units", "fraction_place_cells", "information")
"""Measures that are shown large, in this order."""

_CONTEXT = ("running_speed", "n_detected")
_WHOLE = 100.0  # per cent, beyond which no share goes
_TOO_WIDE = 6.0  # ranges of the values, beyond which a band would hide them


def main_figures(view: View, predictor: str) -> list[Figure]:
    """Active cells, place cells and information, as recorded and on an equal footing.

    Parameters
    ----------
    view
        Results of one recording.
    predictor
        Column of the sessions for the x axis.

    Returns
    -------
    list of Figure
        Those that the results have.
    """
    return noted_once(session_figure(view, name, predictor) for name in MAIN if _there(view, name))


def other_figures(view: View, predictor: str) -> list[Figure]:
    """Every other measure, then the circumstances: running speed and cells.

    Parameters
    ----------
    view
        Results of one recording.
    predictor
        Column of the sessions for the x axis.

    Returns
    -------
    list of Figure
        One for each measure.
    """
    regressed = [str(name) for name in view.nodes["regression"]["measure"].values]
    regressed = [name for name in regressed if not name.endswith("_matched")]
    names = [*regressed, *(name for name in _CONTEXT if name not in regressed)]
    names = [name for name in names if name not in MAIN and _there(view, name)]
    return noted_once(session_figure(view, name, predictor) for name in names)


def _there(view: View, name: str) -> bool:
    return name in view.sessions and bool(np.isfinite(view.sessions[name].to_numpy(float)).any())


def session_figure(view: View, measure: str, predictor: str) -> Figure:
    """One measure of the sessions against a predictor, with its trend.

    Parameters
    ----------
    view
        Results of one recording.
    measure, predictor
        Columns of the sessions.

    Returns
    -------
    Figure
        Dots are sessions, the line is the trend and the band its confidence band. Both are cut at 0
        and 100 % alone, where a share ends. A band that would hide the dots is left out, and the
        caption says so. Where there is one, the same on an equal footing as hollow dots.
    """
    table, factor = view.sessions, factor_of(measure)
    x = np.arange(len(table), dtype=float)
    if predictor in table:
        x = table[predictor].to_numpy(float)
    shown = [(measure, "as recorded", "ink", "accent")]
    equal = {trend.measure: f"{trend.equal}{trend.among}" for trend in trends(view)}
    if measure in equal and _there(view, f"{measure}_matched"):
        shown.append((f"{measure}_matched", f"with {equal[measure]}", "s1 hollow", "s1"))
    values = {name: factor * table[name].to_numpy(float) for name, *_ in shown}
    everything = np.concatenate(list(values.values()))
    unit = unit_of(measure, view.noun)
    label = PREDICTORS[predictor][0]
    chart = Chart(x, everything, x_label=label, y_label=unit)
    frame = pd.DataFrame({"session": view.labels, label: x})
    captions, fits, legend, ends_at_whole = [], [], [], ""
    for name, how, dots, style in shown:
        legend.append((how if len(shown) > 1 else "sessions and trend", style))
        column = f"{in_sentence(measure, view.noun)} [{unit}], {how}"
        frame[column] = values[name]
        band = regression_band(view, name, predictor)
        if band is not None:
            low, high = factor * band["low"], factor * band["high"]
            line = factor * band["line"]
            if unit.startswith("%") and (low.min() < 0 or high.max() > _WHOLE):
                low, line, high = (np.clip(end, 0.0, _WHOLE) for end in (low, line, high))
                ends_at_whole = "line and band end at 0 and 100 %, as shares do"
            fit = view.slope(name, predictor)
            assert fit is not None
            fits.append(fit)
            if _fits(low, high, everything):
                chart.band(band["x"], low, high, style)
            else:
                captions.append(_wide_band(view, measure, how, low[-1], high[-1], len(shown)))
            chart.line(band["x"], line, style)
            at = np.argsort(x)
            for part in ("line", "low", "high"):
                there = np.interp(x[at], band["x"], factor * band[part])
                frame[f"{column}, {_PARTS[part]}"] = there[np.argsort(at)]
        tips = [
            f"session {name}: {value_of(measure, value / factor)}, {how}"
            for name, value in zip(view.labels, values[name], strict=True)
        ]
        chart.points(x, values[name], tips, dots)
        if name.removesuffix("_matched") in view.nodes["regression"]["measure"].values:
            words = slope_sentence(view, name, predictor)
            captions.append(f"{how}: {words}" if len(shown) > 1 else words)
        else:
            found = values[name][np.isfinite(values[name])]
            low_text, high_text = number(found.min()), number(found.max())
            captions.append(f"from {low_text} to {high_text} {unit}".strip())
    captions += [ends_at_whole, _why_apart(view, measure, len(shown)), _silent(view, measure)]
    caption = ". ".join(text[:1].upper() + text[1:] for text in captions if text) + "."
    return Figure(
        measure.replace("_", "-") + f"-by-{predictor.replace('_', '-')}",
        title_of(measure, view.noun),
        caption,
        chart,
        frame,
        legend=legend,
        notes=tuple(dagger_note(fits)),
    )


def _why_apart(view: View, measure: str, n: int) -> str:
    """Why place cells with equal events are a larger share, where they are of fewer cells."""
    if measure != "fraction_place_cells" or n < 2:
        return ""
    kept = int(view.nodes["matched"].attrs.get("n_units", 0))
    if not kept or kept >= view.n_units or view.nodes["matched"].attrs.get("match") != "events":
        return ""
    if view.counted == "registered":
        of = f"all {number(view.n_units)} {view.noun}s, detected or not"
    else:
        of = f"the {view.noun}s detected in each session"
    return (
        f"as recorded is a share of {of}, with "
        f"equal events of the {number(kept)} that always had enough: compare trends, not levels"
    )


def _silent(view: View, measure: str) -> str:
    words = undetected_words(view) if measure == "fraction_active_units" else ""
    return words.rstrip(".")


_PARTS = {"line": "trend", "low": "band from", "high": "band to"}


def _fits(low: np.ndarray, high: np.ndarray, values: np.ndarray) -> bool:
    """Whether a band leaves the values to be seen."""
    found = values[np.isfinite(values)]
    spread = float(np.ptp(found)) or 1e-12
    return bool(high.max() - low.min() <= _TOO_WIDE * spread)


def _wide_band(view: View, measure: str, how: str, low: float, high: float, n: int) -> str:
    unit = unit_of(measure, view.noun)
    where = f" {how}" if n > 1 else ""
    return (
        f"the {view.level} band of the trend{where} is too wide to draw: {number(low)} to "
        f"{number(high)} {unit} at its end"
    )


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
