"""Relations among places and coordinated change, in the report."""

from __future__ import annotations

import numpy as np
import pandas as pd

from neurodrift.report.chart import Chart, Figure
from neurodrift.report.view import LAGS, View, finite_mean
from neurodrift.report.words import number


def relations_figures(view: View) -> list[Figure]:
    """How alike the relations among places are, by the time between sessions.

    Parameters
    ----------
    view
        Results of one recording.

    Returns
    -------
    list of Figure
        One, or none where nothing could be told.
    """
    found = view.nodes.get("relations")
    if found is None or not np.isfinite(float(found["mean_structure"])):
        return []
    lag_name, lag_label = LAGS[view.main_predictor]
    if lag_name not in found.coords:
        lag_name, lag_label = LAGS["session_number"]
        lag_name = "lag"
    first, second = np.triu_indices(found.sizes["session_a"], k=1)
    lags = np.abs(found[lag_name].values[first, second].astype(float))
    rows = {
        name: found[name].values[first, second].astype(float)
        for name in ("structure_relative", "structure_null", "vectors_relative")
    }
    known = np.isfinite(rows["structure_relative"]) & np.isfinite(lags)
    lags, first, second = lags[known], first[known], second[known]
    rows = {name: values[known] for name, values in rows.items()}
    every = np.concatenate([values[np.isfinite(values)] for values in rows.values()])
    y_label = "of halves of one session"
    reach = np.append(every, [0.0, 1.0])
    chart = Chart(np.append(lags, 0.0), reach, x_label=lag_label, y_label=y_label)
    steps = np.unique(lags)
    for name, style in (
        ("vectors_relative", "muted dashed"),
        ("structure_null", "accent dashed"),
        ("structure_relative", "ink"),
    ):
        means = np.array([finite_mean(rows[name][lags == step]) for step in steps])
        chart.line(steps, means, style)
    labels = view.labels
    tips = [
        f"sessions {labels[a]} and {labels[b]}: {number(value)}"
        for a, b, value in zip(first, second, rows["structure_relative"], strict=True)
    ]
    chart.points(lags, rows["structure_relative"], tips, "ink")
    frame = pd.DataFrame(
        {
            "session a": [labels[i] for i in first],
            "session b": [labels[i] for i in second],
            lag_label: lags,
            "relations among places": rows["structure_relative"],
            "in unrelated codes": rows["structure_null"],
            "population vectors": rows["vectors_relative"],
        }
    )
    caption = (
        "Dots and line: relations among places, 1 where they are as alike as in halves of one "
        "session. Dashed: what unrelated codes of this environment have, and population vectors of "
        "the same places."
    )
    legend = [
        ("relations among places", "ink"),
        ("in unrelated codes", "accent"),
        ("population vectors", "muted"),
    ]
    title = "Relations among places, by the time between sessions"
    return [Figure("relations-by-lag", title, caption, chart, frame, legend)]
