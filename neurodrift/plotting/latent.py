"""Paths through a latent space, and how stable a representation is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from neurodrift.plotting._style import (
    FAINT,
    INK,
    MARKERS,
    PALETTE,
    new_axes,
    new_figure,
    open_frame,
)
from neurodrift.schema.options import checked_options

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_trajectories(
    trajectory: np.ndarray,
    *,
    n_trials: np.ndarray | None = None,
    names: Sequence[str] | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Mean path of each type of trial through two dimensions of a latent space.

    Parameters
    ----------
    trajectory
        (trial_type, bin, factor) positions, of which the first two factors are drawn; a path
        begins at the dot and ends at the larger marker, and NaN are left out.
    n_trials
        (trial_type, bin) trials in the mean. Where fewer than half of the most are left, the path
        is thin and pale, and the marker of its end lies before.
    names
        Names of the types of trial, for a legend.
    title
        What stands above.
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
    >>> turn = np.linspace(0, 3, 20)
    >>> paths = np.stack([np.column_stack([np.cos(turn), s * np.sin(turn)]) for s in (1, -1)])
    >>> axes = plotting.plot_trajectories(paths, names=["left", "right"], title="day 1")
    >>> axes.get_title(), len(axes.get_legend().get_texts())
    ('day 1', 2)
    """
    ax = new_axes(ax, (2.6, 2.6))
    for i, path in enumerate(np.asarray(trajectory)):
        color, marker = PALETTE[i % len(PALETTE)], MARKERS[i % len(MARKERS)]
        known = np.flatnonzero(np.isfinite(path[:, :2]).all(axis=1))
        if not known.size:
            continue
        solid = known
        if n_trials is not None:
            counts = np.asarray(n_trials)[i]
            solid = known[2 * counts[known] >= counts.max()]
            ax.plot(path[known, 0], path[known, 1], color=color, linewidth=0.6, alpha=0.35)
        ax.plot(path[solid, 0], path[solid, 1], color=color, linewidth=1.6)
        ax.plot(*path[known[0], :2], "o", color=color, markersize=3)
        style: dict[str, Any] = {"color": color, "marker": marker, "markersize": 6}
        style |= {"markeredgecolor": "white", "linestyle": "none", "zorder": 3}
        label = None if names is None else names[i]
        ax.plot(*path[solid[-1], :2], label=label, **style)
    if names is not None:
        ax.legend(frameon=False, fontsize=8, handletextpad=0.2)
    ax.set_title(title, fontsize=9)
    ax.set_xlabel("factor 1")
    ax.set_ylabel("factor 2")
    open_frame(ax)
    return ax


def plot_trajectory_row(
    trajectory: np.ndarray,
    titles: Sequence[str],
    *,
    n_trials: np.ndarray | None = None,
    names: Sequence[str] | None = None,
    axes: Sequence[Axes] | None = None,
) -> list[Axes]:
    """Paths of several sessions in one latent space, side by side with common limits.

    Parameters
    ----------
    trajectory
        (session, trial_type, bin, factor) positions.
    titles
        What stands above each session, such as its number and r².
    n_trials
        (session, trial_type, bin) trials in the mean, as in :func:`plot_trajectories`.
    names
        Names of the types of trial, for a legend in the first panel.
    axes
        One for each session; new ones in one row when omitted.

    Returns
    -------
    list of matplotlib.axes.Axes
        The axes.
    """
    paths = np.asarray(trajectory)
    if len(titles) != len(paths):
        raise ValueError(f"there are {len(titles)} titles, but {len(paths)} sessions")
    if axes is None:
        figure = new_figure((1.75 * len(paths) + 0.5, 2.3))
        axes = list(figure.subplots(1, len(paths), sharex=True, sharey=True, squeeze=False)[0])
    elif len(axes) != len(paths):
        raise ValueError(f"there are {len(axes)} axes, but {len(paths)} sessions")
    low = np.nanmin(paths[..., :2], axis=(0, 1, 2), initial=np.inf)
    high = np.nanmax(paths[..., :2], axis=(0, 1, 2), initial=-np.inf)
    margin = 0.06 * (high - low)
    for i, (ax, title) in enumerate(zip(axes, titles, strict=True)):
        counts = None if n_trials is None else np.asarray(n_trials)[i]
        plot_trajectories(
            paths[i], n_trials=counts, names=names if i == 0 else None, title=title, ax=ax
        )
        if np.isfinite(margin).all() and (margin > 0).all():
            ax.set_xlim(low[0] - margin[0], high[0] + margin[0])
            ax.set_ylim(low[1] - margin[1], high[1] + margin[1])
        if i:
            ax.set_ylabel("")
    return list(axes)


@checked_options
def plot_stability(
    x: np.ndarray,
    measures: Mapping[str, np.ndarray],
    *,
    accuracy: np.ndarray | None = None,
    reference: float | None = None,
    chance: float | None = None,
    x_label: str = "session",
    label: str = "similarity to the reference",
    ax: Axes | None = None,
) -> Axes:
    """Measures of stability against the session, with the accuracy beside them.

    Parameters
    ----------
    x
        (session) where each session lies.
    measures
        (session) values by name; below -1 the axis is cut.
    accuracy
        (session) share of correct trials.
    reference
        Place of the session that the others are compared with.
    chance
        Accuracy of a guess.
    x_label, label
        What the axes show.
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
    >>> course = {"r²": np.array([1.0, 0.6, 0.4])}
    >>> axes = plotting.plot_stability(np.arange(3), course, accuracy=np.array([0.9, 0.9, 0.8]))
    >>> [text.get_text() for text in axes.get_legend().get_texts()]
    ['r²', 'accuracy']
    """
    ax = new_axes(ax, (4.6, 3.0))
    ax.axhline(0, color="0.85", linewidth=0.8, zorder=0)
    if reference is not None:
        ax.axvline(reference, color=FAINT, linewidth=0.8, linestyle=":", zorder=0)
    for i, (name, values) in enumerate(measures.items()):
        style: dict[str, Any] = {"color": PALETTE[i % len(PALETTE)], "markersize": 4}
        style |= {"marker": MARKERS[i % len(MARKERS)], "linewidth": 1.3}
        ax.plot(x, values, label=name, **style)
    lowest = min((np.nanmin(v, initial=0.0) for v in measures.values()), default=0.0)
    if accuracy is not None:
        style = {"color": INK, "linestyle": "--", "linewidth": 1, "marker": "x", "markersize": 4}
        ax.plot(x, accuracy, label="accuracy", **style)
        if chance is not None:
            style = {"color": INK, "linewidth": 0.7, "linestyle": ":", "zorder": 0}
            ax.axhline(chance, label="accuracy of a guess", **style)
    if np.array_equal(x, np.round(x)):
        from matplotlib.ticker import MaxNLocator

        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_ylim(max(lowest, -1.0) - 0.05, 1.05)
    ax.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    ax.set_xlabel(x_label)
    ax.set_ylabel(label)
    open_frame(ax)
    return ax
