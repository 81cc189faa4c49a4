"""The specification curve of a multiverse, a figure for each question."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from neurodrift.report.chart import Figure, Ways
from neurodrift.report.tables import file_stem
from neurodrift.report.words import number, p_value, percent, plain, plain_text
from neurodrift.studies.conclusions import question_words

RISES, FALLS, UNSURE = "s2", "s1", "muted"
"""Styles of ways: significantly above zero, below, neither."""


def ways_figure(tree: xr.DataTree, question: str, i: int = 1) -> Figure:
    """The specification curve of a question.

    Parameters
    ----------
    tree
        Result of :func:`neurodrift.multiverse`.
    question
        One of its questions.
    i
        Its number, for the file.

    Returns
    -------
    Figure
        Ways in the order of their answers, those that failed last, and below them the choices.
    """
    curve = tree["curve"].to_dataset().sel(question=question).load()
    alpha = 1 - float(tree.attrs["level"])
    relative = curve["relative"].values.astype(float)
    order = np.argsort(np.where(np.isfinite(relative), relative, np.inf), kind="stable")
    curve = curve.isel(universe=order)
    value, low, high = (
        100 * curve[name].values.astype(float)
        for name in ("relative", "relative_low", "relative_high")
    )
    p = curve["p"].values.astype(float)
    styles = [
        UNSURE if not (np.isfinite(v) and own < alpha) else RISES if v > 0 else FALLS
        for v, own in zip(value, p, strict=True)
    ]
    names = _choices(tree)
    levels = {name: curve[f"choice_{name}"].values.astype(str) for name in names}
    tips = [
        _tip(curve.isel(universe=k), {n: levels[n][k] for n in names}) for k in range(order.size)
    ]
    choices = [
        (
            plain(name),
            [(label, levels[name] == label) for label in _levels(tree, name, levels[name])],
        )
        for name in names
    ]
    frame = pd.DataFrame({plain(name): levels[name] for name in names})
    for name in ("estimate", "ci_low", "ci_high", "p", "relative", "relative_low"):
        frame[name] = curve[name].values
    frame["relative_high"] = curve["relative_high"].values
    frame["fault"] = curve["fault"].values
    n_failed = int((~np.isfinite(value)).sum())
    caption = (
        "Each column is one way to analyse: above its answer with the interval, below what was "
    )
    caption += "chosen."
    if n_failed:
        caption += f" ×: {number(n_failed)} ways without an answer."
    return Figure(
        name=f"ways-{i}-{file_stem(question)}",
        title=f"All ways: {question_words(question)}",
        caption=caption,
        drawing=Ways(
            estimate=value,
            low=low,
            high=high,
            styles=styles,
            tips=tips,
            choices=choices,
            label="change over the recordings [% of the mean]",
        ),
        frame=frame,
        legend=[
            (f"rises, p < {alpha:.2g}", RISES),
            (f"falls, p < {alpha:.2g}", FALLS),
            ("undecided", UNSURE),
        ],
    )


def _choices(tree: xr.DataTree) -> list[str]:
    """Names of the choices in the order in which they were given."""
    if "influence" in tree.children:
        return [str(name) for name in tree["influence"].to_dataset()["choice"].values]
    coords = tree["curve"].to_dataset().coords
    return [str(n).removeprefix("choice_") for n in coords if str(n).startswith("choice_")]


def _levels(tree: xr.DataTree, name: str, chosen: np.ndarray) -> list[str]:
    """Levels of a choice in the order in which they were given."""
    told = [str(text) for text in tree["influence"].to_dataset()["level"].values]
    known = [text.removeprefix(f"{name}: ") for text in told if text.startswith(f"{name}: ")]
    return [label for label in known if label in set(chosen)]


def _tip(way: xr.Dataset, levels: dict[str, str]) -> str:
    chosen = ", ".join(f"{plain(name)} {label}" for name, label in levels.items())
    value = float(way["relative"])
    if not np.isfinite(value):
        why = str(way["fault"].item()) or str(way["reason"].item()) or "no answer"
        return f"{chosen}: {plain_text(why)}"
    ends = f"{percent(float(way['relative_low']))} to {percent(float(way['relative_high']))}"
    return f"{percent(value)} ({ends}, {p_value(float(way['p']))}): {chosen}"


def influence_table(tree: xr.DataTree) -> dict[str, Any]:
    """Which choice moves each answer by how much.

    Parameters
    ----------
    tree
        Result of :func:`neurodrift.multiverse`.

    Returns
    -------
    dict
        ``head`` and ``rows`` of a table.
    """
    node = tree["influence"].to_dataset()
    names = [str(name) for name in node["choice"].values]
    rows = [
        [
            question_words(str(question)),
            *(
                percent(float(node["share_of_spread"].sel(question=question, choice=n)))
                for n in names
            ),
        ]
        for question in node["question"].values
    ]
    return {"head": ["share of the spread of the ways", *map(plain, names)], "rows": rows}


def ways_table(tree: xr.DataTree) -> pd.DataFrame:
    """All ways of all questions as one table.

    Parameters
    ----------
    tree
        Result of :func:`neurodrift.multiverse`.

    Returns
    -------
    pandas.DataFrame
        A row for each question and way.
    """
    curve = tree["curve"].to_dataset()
    table = curve.to_dataframe(dim_order=["question", "universe"]).reset_index()
    lead = ["question", "universe", *(f"choice_{name}" for name in _choices(tree))]
    return table[[*lead, *sorted(set(map(str, table)) - set(lead))]]
