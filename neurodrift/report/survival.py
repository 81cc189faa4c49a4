"""Place cells that are still there, and their fields: sentences and a figure each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from neurodrift.analysis.fields.sentences import describe_fields, mean_by_lag
from neurodrift.analysis.survival.sentences import describe_turnover
from neurodrift.report.chart import Chart, Figure
from neurodrift.report.view import View
from neurodrift.report.words import number, said_of

_LAG = "sessions later"


def survival_section(view: View) -> dict[str, Any] | None:
    """What the page says and shows of turnover and fields; None where the results have neither.

    Parameters
    ----------
    view
        Results of one recording.

    Returns
    -------
    dict or None
        ``text`` (paragraphs) and ``figures``.
    """
    text, figures = [], []
    for name, describe, draw in (
        ("turnover", describe_turnover, _turnover_figure),
        ("fields", describe_fields, _fields_figure),
    ):
        if name in view.nodes:
            text.append(said_of(" ".join(describe(view.nodes[name])), view.noun))
            figures += draw(view)
    return {"text": text, "figures": figures} if text else None


def _turnover_figure(view: View) -> list[Figure]:
    node = view.nodes["turnover"]
    if "still_by_lag" not in node or not np.isfinite(node["still_by_lag"].values).any():
        return []
    at = node["step"].values.astype(float)
    names = ("still", "still_corrected", "gained")
    curves = {name: node[f"{name}_by_lag"].values for name in names}
    low, high = (node[f"still_corrected_by_lag_ci_{end}"].values for end in ("low", "high"))
    reach = np.concatenate([*curves.values(), low, high, [0.0, 1.0]])
    reach = reach[np.isfinite(reach)]
    chart = Chart(np.append(at, 0.5), reach, x_label=_LAG, y_label="share", zero=True)
    if np.isfinite(low).any():
        chart.band(at, low, high, "s1")
        chart.line(at, curves["still_corrected"], "s1")
    words = {
        "still": ("ink", "still one"),
        "still_corrected": ("s1", "still one, without errors of the test"),
        "gained": ("muted", "come, of the others"),
    }
    for name, values in curves.items():
        style, what = words[name]
        if name != "still_corrected":
            chart.line(at, values, style)
        tips = [f"{int(k)} {_LAG}: {number(v)} {what}" for k, v in zip(at, values, strict=True)]
        chart.points(at, values, tips, style)
    caption = (
        "Share of the place cells of a session that are place cells again, as found and without "
        "the errors of the test (band: its interval over cells); and share of the other cells that "
        "have become one."
    )
    legend = [
        ("place cells again", "ink"),
        ("without errors of the test", "s1"),
        ("new, of the other cells", "muted"),
    ]
    frame = pd.DataFrame({_LAG: node["step"].values, **curves})
    return [
        Figure("turnover", "Place cells that are still place cells", caption, chart, frame, legend)
    ]


def _fields_figure(view: View) -> list[Figure]:
    node = view.nodes["fields"]
    names = ("kept", "moved", "lost", "kept_chance")
    curves = {name: mean_by_lag(node, name) for name in names}
    if not np.isfinite(curves["kept"]).any():
        return []
    at = np.arange(1, curves["kept"].size + 1, dtype=float)
    chart = Chart(np.append(at, 0.5), np.array([0.0, 1.0]), x_label=_LAG, y_label="share of fields")
    styles = {"kept": "ink", "moved": "s1", "lost": "s2", "kept_chance": "muted"}
    for name, values in curves.items():
        chart.line(at, values, styles[name])
        word = "kept by chance" if name == "kept_chance" else name
        tips = [f"{int(k)} {_LAG}: {number(v)} {word}" for k, v in zip(at, values, strict=True)]
        chart.points(at, values, tips, styles[name])
    caption = (
        "Fields of cells that are place cells in both sessions. Moved: by up to their width; by "
        "chance: with fields of other cells."
    )
    legend = [
        ("at their place", "ink"),
        ("moved", "s1"),
        ("gone", "s2"),
        ("at their place by chance", "muted"),
    ]
    frame = pd.DataFrame({_LAG: at.astype(int), **curves})
    return [
        Figure(
            "fields-followed", "Place fields that are still there", caption, chart, frame, legend
        )
    ]
