"""Decoders across sessions: one sentence, one figure."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from neurodrift.analysis.decoding.sentences import describe_decoding
from neurodrift.io.tables import tidy
from neurodrift.report.chart import Chart, Figure
from neurodrift.report.view import LAGS, View
from neurodrift.report.words import number

_MAX_DOTS = 2000  # pairs drawn one by one


def decoding_sentence(view: View) -> str:
    """What a decoder of the first session does in the last; empty without the node."""
    found = _found(view)
    return "" if found is None else describe_decoding(found)


def decoding_figure(view: View) -> Figure | None:
    """Decoding error against the time between sessions, with chance and the own error.

    Parameters
    ----------
    view
        Results of one recording.

    Returns
    -------
    Figure or None
        None where no pair of sessions has an error.
    """
    found = _found(view)
    if found is None:
        return None
    lag_name, lag_label = LAGS[view.main_predictor]
    if lag_name not in found.coords:
        lag_name, lag_label = "lag", LAGS["session_number"][1]
    steps = np.abs(found["lag"].values)
    lags = np.abs(found[lag_name].values.astype(float))
    error = found["error"].values
    pair = (steps > 0) & np.isfinite(error) & np.isfinite(lags)
    if not pair.any():
        return None
    groups = [pair & (steps == step) for step in np.unique(steps[pair])]
    at = np.array([lags[group].mean() for group in groups])
    means = {
        name: np.array([found[name].values[group].mean() for group in groups])
        for name in ("error", "own_error", "chance")
    }
    unit = str(found["error"].attrs.get("units", ""))
    label = "share of wrong guesses" if unit in ("", "1") else f"decoding error [{unit}]"
    reach = np.concatenate([error[pair], *means.values()])
    chart = Chart(np.append(lags[pair], 0.0), reach, x_label=lag_label, y_label=label, zero=True)
    chart.level(float(means["chance"].mean()), "muted dotted", "chance: positions shifted")
    first, second = (np.array(index) for index in np.nonzero(pair))
    drawn = np.unique(np.linspace(0, first.size - 1, min(first.size, _MAX_DOTS)).astype(int))
    labels = [str(name) for name in found["session_a"].values]
    tips = [
        f"trained in {labels[first[i]]}, tested in {labels[second[i]]}: "
        f"{number(error[first[i], second[i]])}"
        for i in drawn
    ]
    chart.points(
        lags[first[drawn], second[drawn]], error[first[drawn], second[drawn]], tips, "faint", 2.2
    )
    chart.line(at, means["own_error"], "accent dashed")
    chart.line(at, means["error"], "ink")
    said = [
        f"trained {int(step)} sessions apart: {number(value)}"
        for step, value in zip(np.unique(steps[pair]), means["error"], strict=True)
    ]
    chart.points(at, means["error"], said, "ink")
    caption = (
        f"Mean error {number(means['error'][0])} at the shortest lag and "
        f"{number(means['error'][-1])} at the longest; decoders of the test session itself "
        f"{number(means['own_error'][0])} and {number(means['own_error'][-1])} (dashed), with as "
        f"many {view.noun}s, laps and events. Small dots: pairs of sessions, one for each way; "
        "large dots: means of both ways, by the sessions between them."
    )
    return Figure(
        "decoding-by-lag",
        "Decoding error, by the time between sessions",
        caption,
        chart,
        decoding_frame(view),
    )


def decoding_frame(view: View) -> pd.DataFrame:
    """Pairs of sessions as rows, for the CSV; empty where nothing was decoded."""
    found = _found(view)
    if found is None:
        return pd.DataFrame()
    return tidy(found)


def _found(view: View) -> xr.Dataset | None:
    found = view.nodes.get("decoding")
    if found is None:
        return None
    return found.drop_vars(["subject", "environment"], errors="ignore")
