"""Estimates with their intervals, one below the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from neurodrift.plotting._style import FAINT, MARKERS, PALETTE, new_axes, open_frame

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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
