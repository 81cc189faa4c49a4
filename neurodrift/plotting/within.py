"""Similarity within sessions by the minute, and between sessions by the day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from neurodrift.plotting._style import ACCENT, FAINT, INK, new_figure, open_frame
from neurodrift.schema.objects import expect_dataset

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_minutes_and_days(
    within: xr.Dataset, *, axes: tuple[Axes, Axes] | None = None
) -> tuple[Axes, Axes]:
    """Similarity without noise against minutes (left) and days (right), on one scale.

    Parameters
    ----------
    within
        Result of :func:`neurodrift.compute_within_drift`.
    axes
        Two axes to draw into; new ones when omitted.

    Returns
    -------
    tuple of matplotlib.axes.Axes
        Left: parts of one session, a dot for each pair and a line through the means over sessions
        with 95 % intervals over units; 1 is that of interleaved laps. Right: pairs of sessions,
        pooled over their parts, by the days (or sessions) between them, and a line through the
        means over pairs with as many sessions between them.

    Raises
    ------
    ValueError
        If it is no such result, or no part has a similarity.

    Examples
    --------
    >>> from neurodrift import compute_within_drift, plotting, testing
    >>> recording = testing.linear_track(n_units=40, n_sessions=3, drift=0.3)
    >>> found = compute_within_drift(recording, by="minute")
    >>> [drawn.get_xlabel() for drawn in plotting.plot_minutes_and_days(found)]
    ['minutes within a session', 'days between sessions']
    """
    names = ("similarity", "minutes", "curve", "between", "lag")
    expect_dataset("within", within, names, "compute_within_drift")
    if not np.isfinite(within["curve"].values).any():
        raise ValueError("no parts of a session have a similarity: see the attribute left_out")
    if axes is None:
        axes = new_figure((5.6, 3.0)).subplots(1, 2, sharey=True)
    left, right = axes
    first, second = np.triu_indices(within.sizes["part_a"], k=1)
    minutes = within["minutes"].values[first, second]
    similarity = within["similarity"].values[first, second]
    left.plot(minutes, similarity, ".", color=FAINT, markersize=3, zorder=1)
    at = np.append(0.0, within["curve_minutes"].values)
    curve = np.append(1.0, within["curve"].values)
    half = 1.96 * np.append(0.0, within["curve_se"].values)
    left.errorbar(at, curve, half, fmt="o-", color=ACCENT, markersize=4, capsize=2)
    left.set_xlabel("minutes within a session")
    left.set_ylabel("similarity without noise")
    by_day = "lag_day" in within.coords and np.isfinite(within["lag_day"].values).all()
    a, b = np.triu_indices(within.sizes["session_a"], k=1)
    steps = np.abs(within["lag"].values[a, b])
    lags = np.abs(within["lag_day" if by_day else "lag"].values[a, b])
    between = within["between"].values[a, b]
    known = np.isfinite(between)
    right.plot(lags[known], between[known], ".", color=FAINT, markersize=3, zorder=1)
    groups = [known & (steps == step) for step in np.unique(steps[known])]
    means = [(float(lags[own].mean()), float(between[own].mean())) for own in groups]
    if means:
        right.plot(*np.array(means).T, "o-", color=INK, markersize=4)
    right.set_xlabel("days between sessions" if by_day else "sessions between")
    for drawn in (left, right):
        drawn.axhline(1.0, color=FAINT, linewidth=0.8, linestyle=":")
        drawn.set_xlim(left=0)
        open_frame(drawn)
    return left, right
