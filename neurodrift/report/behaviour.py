"""Time or behaviour, and which units are stable: a sentence each, one figure."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from neurodrift.analysis.behaviour.sentences import describe_behaviour
from neurodrift.analysis.stable_units.sentences import describe_stability
from neurodrift.io.tables import tidy
from neurodrift.report.chart import Chart, Figure
from neurodrift.report.view import View
from neurodrift.report.words import number, said_of

_MAX_DOTS = 2000  # pairs drawn one by one
_PAIR = ("session_a", "session_b")


def behaviour_sentences(view: View) -> list[str]:
    """What behaviour explains, and which units are stable; empty without the nodes."""
    found = _node(view, "behaviour")
    stable = _node(view, "stable_units")
    texts = [] if found is None else [describe_behaviour(found)]
    texts += [] if stable is None else [describe_stability(stable)]
    return [said_of(text, view.noun) for text in texts]


def behaviour_figure(view: View) -> Figure | None:
    """The similarity that is explained, against the distance of behaviour.

    Parameters
    ----------
    view
        Results of one recording.

    Returns
    -------
    Figure or None
        None where nothing was explained.
    """
    found, drift = _node(view, "behaviour"), _node(view, "session_drift")
    if found is None or drift is None or found.attrs.get("verdict") in (None, "too few sessions"):
        return None
    y = drift[str(found.attrs["measure"])].transpose(*_PAIR).values
    away, lag = found["overall"].values, found["lag"].values
    a, b = np.nonzero((lag > 0) & np.isfinite(y) & np.isfinite(away))
    if a.size < 3:
        return None
    if a.size > _MAX_DOTS:
        some = np.unique(np.linspace(0, a.size - 1, _MAX_DOTS).astype(int))
        a, b = a[some], b[some]
    chart = Chart(
        away[a, b],
        y[a, b],
        x_label="distance of behaviour [SD between laps]",
        y_label="similarity of maps, without noise",
    )
    labels = [str(name) for name in found["session_a"].values]
    near = lag[a, b] <= np.median(lag[a, b])
    for part, style in ((near, "ink"), (~near, "accent")):
        tips = [
            f"sessions {labels[i]} and {labels[j]}: {number(y[i, j])}"
            for i, j in zip(a[part], b[part], strict=True)
        ]
        chart.points(away[a, b][part], y[a, b][part], tips, style, 3.0)
    caption = (
        "Each dot is a pair of sessions. "
        f"Correlation of lag and behaviour over pairs {number(float(found['confounding'].max()))}. "
        "Where near and far pairs lie on one line, behaviour would be enough."
    )
    frame = behaviour_frame(view)
    legend = [("pairs up to the median lag", "ink"), ("pairs further apart", "accent")]
    title = "Similarity of maps, by the distance of behaviour"
    return Figure("behaviour", title, caption, chart, frame, legend)


def behaviour_frame(view: View) -> pd.DataFrame:
    """Distances of behaviour, pairs of sessions as rows; empty without the node."""
    found = _node(view, "behaviour")
    if found is None:
        return pd.DataFrame()
    names = [name for name, values in found.data_vars.items() if set(values.dims) == set(_PAIR)]
    return tidy(found[names].drop_dims("session", errors="ignore"), _PAIR)


def stable_frame(view: View) -> pd.DataFrame:
    """Predictors of stability as rows; empty without the node."""
    found = _node(view, "stable_units")
    if found is None:
        return pd.DataFrame()
    names = [name for name, values in found.data_vars.items() if values.dims == ("predictor",)]
    return tidy(found[names].drop_dims("unit", errors="ignore"))


def _node(view: View, name: str) -> xr.Dataset | None:
    found = view.nodes.get(name)
    if found is None:
        return None
    return found.drop_vars(["subject", "environment"], errors="ignore")
