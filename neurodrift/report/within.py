"""Similarity of parts of a session by the minutes between them, beside the next session."""

from __future__ import annotations

import numpy as np
import pandas as pd

from neurodrift.report.chart import Chart, Figure
from neurodrift.report.view import View
from neurodrift.report.words import number


def within_figures(view: View) -> list[Figure]:
    """How alike parts of one session are, by the time between them.

    Parameters
    ----------
    view
        Results of one recording.

    Returns
    -------
    list of Figure
        One, or none where nothing could be told.
    """
    found = view.nodes.get("within_drift")
    if found is None or not np.isfinite(found["curve"].values).any():
        return []
    known = np.isfinite(found["curve"].values)
    at = np.append(0.0, found["curve_minutes"].values[known])
    curve = np.append(1.0, found["curve"].values[known])
    half = 1.96 * np.append(0.0, found["curve_se"].values[known])
    night = float(found["overnight_pooled"])
    ends = np.concatenate([curve - half, curve + half, [1.0]])
    reach = ends if np.isnan(night) else np.append(ends, night)
    label = "of interleaved laps" if found.attrs.get("by") == "lap" else "of interleaved minutes"
    chart = Chart(at, reach, x_label="minutes within a session", y_label=label)
    chart.band(at, curve - half, curve + half, "ink")
    if np.isfinite(night):
        chart.level(night, "accent dashed", "last part against the first of the next session")
    chart.line(at, curve, "ink")
    numbers = np.append(0, found["curve_n"].values[known])
    tips = [
        f"{number(minute)} min: {number(value)} ({int(n)} pairs)"
        for minute, value, n in zip(at, curve, numbers, strict=True)
    ]
    chart.points(at, curve, tips, "ink")
    frame = pd.DataFrame(
        {"minutes": at, "similarity": curve, "half of 95 % interval": half, "pairs": numbers}
    )
    caption = (
        "Similarity of maps of two parts of one session without noise, 1 for laps taken in turn, "
        "with 95 % intervals over cells. Dashed: the last part of a session against the first of "
        "the next. Laps between the middles are as many as at the first dot."
    )
    if "tracked_time" in view.sessions and view.sessions["tracked_time"].max() < at.max():
        longest = number(float(view.sessions["tracked_time"].max()))
        caption += (
            f" Minutes are of the clock, with the pauses without a tracked position: at most "
            f"{longest} min of a session are tracked."
        )
    return [Figure("within-session", "Within a session and overnight", caption, chart, frame)]
