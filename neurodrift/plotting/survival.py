"""Survival of cells, and fields by what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from neurodrift.plotting._style import ACCENT, FAINT, INK, PALETTE, new_axes, open_frame
from neurodrift.schema.objects import expect_equal_lengths

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_still(
    step: np.ndarray,
    still: np.ndarray,
    interval: tuple[np.ndarray, np.ndarray] | None = None,
    *,
    corrected: np.ndarray | None = None,
    corrected_interval: tuple[np.ndarray, np.ndarray] | None = None,
    label: str = "share that is still on",
    ax: Axes | None = None,
) -> Axes:
    """Share of the units of a session that are on in a later one.

    Parameters
    ----------
    step
        (step) sessions between both.
    still, interval
        (step) the share as found, and both ends of its interval.
    corrected, corrected_interval
        (step) the same without errors of the test.
    label
        What the y axis shows.
    ax
        Axes to draw into; new ones when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    expect_equal_lengths(step=step, still=still)
    ax = new_axes(ax, (4.4, 3.2))
    curves = [("as found", still, interval, INK)]
    if corrected is not None and np.isfinite(corrected).any():
        curves.append(("without errors of the test", corrected, corrected_interval, ACCENT))
    for name, values, ends, colour in curves:
        ax.plot(step, values, "o-", color=colour, markersize=4, label=name)
        if ends is not None:
            ax.fill_between(step, *ends, color=colour, alpha=0.15, linewidth=0)
    ax.set_ylim(bottom=0)
    ax.set_xlabel("sessions later")
    ax.set_ylabel(label)
    ax.legend(frameon=False, fontsize=8)
    open_frame(ax)
    return ax


def plot_shares(
    step: np.ndarray,
    shares: Mapping[str, np.ndarray],
    *,
    chance: np.ndarray | None = None,
    label: str = "share of fields",
    ax: Axes | None = None,
) -> Axes:
    """Shares of fields that are kept, moved or lost by the sessions between.

    Parameters
    ----------
    step
        (step) sessions between both.
    shares
        (step) shares by name.
    chance
        (step) share that chance gives of the first.
    label
        What the y axis shows.
    ax
        Axes to draw into; new ones when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    ax = new_axes(ax, (4.4, 3.2))
    for i, (name, values) in enumerate(shares.items()):
        expect_equal_lengths(step=step, values=values)
        ax.plot(step, values, "o-", color=PALETTE[i % len(PALETTE)], markersize=4, label=name)
    if chance is not None:
        ax.plot(step, chance, "--", color=FAINT, label="by chance")
    ax.set_ylim(0, 1)
    ax.set_xlabel("sessions later")
    ax.set_ylabel(label)
    ax.legend(frameon=False, fontsize=8)
    open_frame(ax)
    return ax
