"""The drift curve: similarity of sessions against the time between them, with its ceiling."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from neurodrift.report.chart import Chart, Figure
from neurodrift.report.view import LAGS, View
from neurodrift.report.words import number, plural, title_of

_DECAYS = ("rate_map_correlation", "population_vector_correlation", "ensemble_rate_correlation")
_MAX_DOTS = 2000  # pairs drawn one by one in a chart


def decay_figures(view: View) -> list[Figure]:
    """Each correlation of the pairs of sessions against the time between them.

    Parameters
    ----------
    view
        Results of one recording.

    Returns
    -------
    list of Figure
        The first is that of the maps where there are any; none for a single session.
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
    top = float(ceiling[np.isfinite(ceiling)].mean()) if np.isfinite(ceiling).any() else np.nan
    null = _null(pairs, measure, upper)
    title = title_of(measure, view.noun)
    label = "correlation"
    reach = np.concatenate([values, [0.0, null, top]])
    chart = Chart(np.append(lags, 0.0), reach, x_label=lag_label, y_label=label)
    chart.level(top, "accent dashed", "ceiling: halves of one session")
    chart.level(null, "muted dotted", f"{view.noun}s shuffled")
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
        f"Mean correlation {number(mean_y[0])} at the shortest lag and {number(mean_y[-1])} at the "
        "longest"
    )
    if np.isfinite(top):
        caption += f"; ceiling {number(top)}"
    caption += ". Small dots: pairs of sessions; large dots: means by the sessions between them."
    frame = pd.DataFrame(
        {
            "session a": [labels[i] for i in first],
            "session b": [labels[i] for i in second],
            lag_label: lags,
            label: values,
        }
    )
    frame["ceiling"] = top
    frame[f"{view.noun}s shuffled"] = null
    name = measure.replace("_", "-") + "-by-lag"
    return [Figure(name, f"{title}, by the time between sessions", caption, chart, frame)]


def _null(pairs: Any, measure: str, upper: tuple[np.ndarray, np.ndarray]) -> float:
    if f"{measure}_null" not in pairs:
        return float("nan")
    values = pairs[f"{measure}_null"].values[upper].astype(float)
    values = values[np.isfinite(values)]
    return float(values.mean()) if values.size else float("nan")
