"""Measures against time, lag or training step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurodrift.plotting._style import ACCENT, INK, new_axes, open_frame

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_decay(
    lag: np.ndarray,
    mean: np.ndarray,
    error: np.ndarray | None = None,
    *,
    points: tuple[np.ndarray, np.ndarray] | None = None,
    ceiling: float | None = None,
    lag_label: str = "lag [sessions]",
    label: str = "correlation",
    ax: Axes | None = None,
) -> Axes:
    """Similarity of sessions against the time between them.

    Parameters
    ----------
    lag
        (lag) time between sessions.
    mean, error
        (lag) mean similarity and its standard error.
    points
        Lag and similarity of each single pair, drawn faintly.
    ceiling
        Similarity of two halves of one session, drawn as a dashed line.
    lag_label, label
        What the axes show.
    ax
        Axes to draw into; new ones when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    ax = new_axes(ax, (4.4, 3.2))
    if points is not None:
        ax.plot(*points, ".", color="0.75", markersize=4, zorder=1)
    ax.errorbar(lag, mean, yerr=error, fmt="o-", color=INK, capsize=2, markersize=4, zorder=2)
    if ceiling is not None and np.isfinite(ceiling):
        ax.axhline(ceiling, linestyle="--", color=ACCENT, linewidth=1)
        ax.annotate(
            "noise ceiling",
            (1, ceiling),
            xycoords=("axes fraction", "data"),
            ha="right",
            va="bottom",
            color=ACCENT,
            fontsize=8,
        )
    ax.set_xlabel(lag_label)
    ax.set_ylabel(label)
    open_frame(ax)
    return ax


def plot_session_series(
    x: np.ndarray,
    mean: np.ndarray,
    error: np.ndarray | None = None,
    *,
    fit: tuple[float, float] | None = None,
    x_label: str = "session",
    label: str = "",
    ax: Axes | None = None,
) -> Axes:
    """One measure against session, day or experience, with its standard error.

    Parameters
    ----------
    x
        (session) where each session lies.
    mean, error
        (session) value of the measure and its standard error.
    fit
        Slope and intercept of a regression line to draw.
    x_label, label
        What the axes show.
    ax
        Axes to draw into; new ones when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    ax = new_axes(ax, (4.0, 3.0))
    ax.errorbar(x, mean, yerr=error, fmt="o", color=INK, capsize=2, markersize=5)
    if fit is not None:
        ends = np.array([np.min(x), np.max(x)], dtype=float)
        ax.plot(ends, fit[1] + fit[0] * ends, color=ACCENT, linewidth=1.2)
    ax.set_xlabel(x_label)
    ax.set_ylabel(label)
    open_frame(ax)
    return ax
