"""Measures against time, lag or training step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from neurodrift.plotting._style import ACCENT, FAINT, INK, MARKERS, PALETTE, new_axes, open_frame
from neurodrift.schema.objects import expect_equal_lengths

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
    expect_equal_lengths(lag=lag, mean=mean)
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
    expect_equal_lengths(x=x, mean=mean)
    ax = new_axes(ax, (4.0, 3.0))
    ax.errorbar(x, mean, yerr=error, fmt="o", color=INK, capsize=2, markersize=5)
    if fit is not None:
        ends = np.array([np.min(x), np.max(x)], dtype=float)
        ax.plot(ends, fit[1] + fit[0] * ends, color=ACCENT, linewidth=1.2)
    ax.set_xlabel(x_label)
    ax.set_ylabel(label)
    open_frame(ax)
    return ax


def plot_normalized(
    x: np.ndarray,
    series: Mapping[str, tuple[np.ndarray, np.ndarray | None]],
    *,
    fits: Mapping[str, tuple[float, float]] | None = None,
    x_label: str = "session",
    label: str = "relative to the first session",
    ax: Axes | None = None,
) -> Axes:
    """Several measures relative to their first value, with their regression lines.

    Parameters
    ----------
    x
        (session) where each session lies.
    series
        (session) values relative to the first one, and their standard errors or None, by name.
    fits
        Slope and intercept of a regression line by name.
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
    ends = np.array([np.min(x), np.max(x)], dtype=float)
    aside = 0.006 * (ends[1] - ends[0])
    ax.axhline(1, color="0.85", linewidth=0.8, zorder=0)
    for i, (name, (value, error)) in enumerate(series.items()):
        color, marker = PALETTE[i % len(PALETTE)], MARKERS[i % len(MARKERS)]
        style: dict[str, Any] = {"color": color, "fmt": marker, "capsize": 2, "markersize": 4}
        moved = np.asarray(x) + aside * (i - (len(series) - 1) / 2)  # or error bars hide each other
        ax.errorbar(moved, value, yerr=error, label=name, **style)
        if fits is not None and name in fits:
            slope, intercept = fits[name]
            ax.plot(ends, intercept + slope * ends, color=color, linewidth=1.2)
    if len(series) > 1:
        ax.legend(frameon=False, fontsize=7.5)
    ax.set_xlabel(x_label)
    ax.set_ylabel(label)
    open_frame(ax)
    return ax


def plot_intervals(
    rows: Sequence[str],
    groups: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]],
    *,
    reference: float | None = 0.0,
    label: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Estimates of several groups with their intervals.

    Parameters
    ----------
    rows
        Names of the rows, from top to bottom.
    groups
        Estimate and lower and upper end (row) by group; the names are the legend when there are
        several. NaN is left out.
    reference
        Where a vertical line is drawn; None for none.
    label
        What the horizontal axis shows.
    ax
        Axes to draw into; new ones when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift import plotting
    >>> ends = np.array([0.1]), np.array([0.0]), np.array([0.2])
    >>> plotting.plot_intervals(["slope"], {"noise": ends}).get_yticklabels()[0].get_text()
    'slope'
    """
    ax = new_axes(ax, (4.4, 3.2))
    if reference is not None:
        ax.axvline(reference, color=FAINT, linewidth=0.8)
    height = np.arange(len(rows), dtype=float)
    for i, (name, (estimate, low, high)) in enumerate(groups.items()):
        at = height + 0.22 * (i - (len(groups) - 1) / 2)
        color, marker = PALETTE[i % len(PALETTE)], MARKERS[i % len(MARKERS)]
        ax.hlines(at, low, high, color=color, linewidth=1.2)
        ax.plot(estimate, at, color=color, marker=marker, markersize=4, linestyle="", label=name)
    if len(groups) > 1:
        ax.legend(frameon=False, fontsize=8)
    ax.set_yticks(height, rows)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.locator_params(axis="x", nbins=6)
    ax.set_xlabel(label)
    open_frame(ax)
    return ax
