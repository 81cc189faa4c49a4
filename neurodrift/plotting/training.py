"""Training of networks: curves over steps, many runs, landscapes, eigenvalues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from neurodrift.plotting._style import (
    ACCENT,
    FAINT,
    INK,
    MARKERS,
    PALETTE,
    new_axes,
    open_frame,
    short_number,
)
from neurodrift.schema.objects import expect_equal_lengths, expect_type

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Errors = tuple[np.ndarray, np.ndarray]
STEPS = "training step"


def plot_curves(
    x: np.ndarray,
    curves: Mapping[str, np.ndarray],
    *,
    bands: Mapping[str, Errors] | None = None,
    colors: Mapping[str, str] | None = None,
    x_label: str = STEPS,
    label: str = "",
    log_x: bool = False,
    log_y: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """One or more measures against the training step.

    Parameters
    ----------
    x
        (sample) training steps; with `log_x` those above 0 are drawn.
    curves
        (sample) values by name; the names are the legend when there are several.
    bands
        Lower and upper end (sample) of a shaded band by name of the curve.
    colors
        Colours by name, instead of those of the palette.
    x_label, label
        What the axes show.
    log_x, log_y
        Whether an axis is logarithmic.
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
    >>> axes = plotting.plot_curves(np.arange(3), {"loss": np.array([2.0, 0.1, 0.1])}, log_y=True)
    >>> axes.get_yscale()
    'log'
    """
    expect_type("curves", curves, Mapping, "a mapping {name: values}")
    for name, values in curves.items():
        expect_equal_lengths(x=x, **{name: values})
    ax = new_axes(ax, (4.4, 3.2))
    x = np.asarray(x)
    shown = x > 0 if log_x else np.ones(x.size, dtype=bool)
    for i, (name, values) in enumerate(curves.items()):
        color = (colors or {}).get(name, PALETTE[i % len(PALETTE)])
        ax.plot(x[shown], np.asarray(values)[shown], color=color, linewidth=1.3, label=name)
        if bands is not None and name in bands:
            low, high = (np.asarray(end)[shown] for end in bands[name])
            ax.fill_between(x[shown], low, high, color=color, alpha=0.18, linewidth=0)
    if len(curves) > 1:
        ax.legend(frameon=False, fontsize=8)
    _step_axis(ax, x_label, log_x)
    if log_y:
        ax.set_yscale("log")
    ax.set_ylabel(label)
    open_frame(ax)
    return ax


def plot_runs(
    step: np.ndarray,
    curves: np.ndarray,
    *,
    mean: np.ndarray | None = None,
    label: str = "",
    log_x: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Many runs as faint lines, and their mean.

    Parameters
    ----------
    step
        (sample) training steps; with `log_x` those above 0 are drawn.
    curves
        (run, sample) values; a run that ended early is NaN from there on.
    mean
        (sample) mean of the runs.
    label
        What the vertical axis shows.
    log_x
        Whether the step axis is logarithmic.
    ax
        Axes to draw into; new ones when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    ax = new_axes(ax, (4.4, 3.2))
    step = np.asarray(step)
    shown = step > 0 if log_x else np.ones(step.size, dtype=bool)
    many = max(0.06, min(0.6, 12 / max(len(curves), 1)))
    ax.plot(step[shown], np.asarray(curves)[:, shown].T, color=INK, linewidth=0.5, alpha=many)
    if mean is not None:
        ax.plot(step[shown], np.asarray(mean)[shown], color=ACCENT, linewidth=2, label="mean")
    _step_axis(ax, STEPS, log_x)
    ax.set_ylabel(label)
    open_frame(ax)
    return ax


def plot_points(
    groups: Mapping[str, tuple[np.ndarray, np.ndarray]],
    *,
    errors: Mapping[str, Errors] | None = None,
    hollow: tuple[str, ...] = (),
    x_label: str = "",
    label: str = "",
    log_x: bool = False,
    log_y: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Points by group, each with its own colour and marker.

    Parameters
    ----------
    groups
        (point) values of both axes by name; the names are the legend when there are several.
    errors
        Lower and upper end (point) of an error bar by group.
    hollow
        Groups drawn faintly behind the others, such as published values.
    x_label, label
        What the axes show.
    log_x, log_y
        Whether an axis is logarithmic.
    ax
        Axes to draw into; new ones when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    ax = new_axes(ax, (4.4, 3.2))
    for i, (name, (x, y)) in enumerate(groups.items()):
        color, marker = PALETTE[i % len(PALETTE)], MARKERS[i % len(MARKERS)]
        style: dict[str, Any] = {"linestyle": "none", "marker": marker, "markersize": 3.5}
        if name in hollow:
            style |= {"markerfacecolor": "none", "markeredgecolor": FAINT, "zorder": 1}
            ax.plot(x, y, label=name, **style)
            continue
        if errors is not None and name in errors:
            ends = [np.asarray(end, dtype=float) for end in errors[name]]
            bars = np.clip(np.stack([y - ends[0], ends[1] - y]), 0, None)
            ax.errorbar(x, y, yerr=bars, fmt="none", ecolor=color, elinewidth=0.6, alpha=0.5)
        ax.plot(x, y, color=color, markeredgewidth=0, alpha=0.85, label=name, zorder=3, **style)
    if len(groups) > 1:
        ax.legend(frameon=False, fontsize=8)
    if log_x:
        ax.set_xscale("log")
    if log_y:
        ax.set_yscale("log")
    ax.set_xlabel(x_label)
    ax.set_ylabel(label)
    open_frame(ax)
    return ax


def plot_landscape(
    x: np.ndarray,
    y: np.ndarray,
    loss: np.ndarray,
    path: np.ndarray,
    *,
    ends: np.ndarray | None = None,
    labels: tuple[str, str] = ("x", "y"),
    ax: Axes | None = None,
) -> Axes:
    """A walk over a loss of two parameters.

    Parameters
    ----------
    x, y
        (column) and (row) places where the loss is known.
    loss
        (row, column) loss.
    path
        (step, 2) the walk, which begins at the large dot.
    ends
        (walker, 2) where other walks from there ended, as small dots.
    labels
        Names of the parameters.
    ax
        Axes to draw into; new ones when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    from matplotlib.colors import BoundaryNorm

    ax = new_axes(ax, (4.4, 3.2))
    levels = np.unique(np.quantile(loss, np.linspace(0, 1, 16)))
    norm = BoundaryNorm(levels, 256)  # as many places in each colour, whatever the loss there
    image = ax.contourf(x, y, loss, levels=levels, norm=norm, cmap="cividis")
    ax.plot(*np.asarray(path).T, color="white", linewidth=0.6)
    if ends is not None:
        dots: dict[str, Any] = {"markersize": 2, "color": PALETTE[4], "linestyle": "none"}
        ax.plot(*np.asarray(ends).T, marker="o", label="ends of other walks", **dots)
    ax.plot(*path[0], "o", color=ACCENT, markeredgecolor="white", markersize=8, label="start")
    ax.plot(*path[-1], "s", color="white", markeredgecolor=ACCENT, markersize=6, label="end")
    ax.legend(fontsize=7.5, loc="upper right")
    ax.set_xlabel(labels[0])
    ax.set_ylabel(labels[1])
    figure = ax.get_figure()
    assert figure is not None
    figure.colorbar(image, ax=ax, label="loss", format="%.2g")
    return ax


def plot_eigenvalues(
    spectra: Mapping[str, np.ndarray],
    *,
    log: bool = False,
    label: str = "eigenvalue",
    ax: Axes | None = None,
) -> Axes:
    """Eigenvalues by rank, the largest first, at several times.

    Parameters
    ----------
    spectra
        (eigenvalue) values by name, in any order.
    log
        Whether the axis of the eigenvalues is logarithmic; only those above 0 are drawn then.
    label
        What the vertical axis shows.
    ax
        Axes to draw into; new ones when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    ax = new_axes(ax, (4.4, 3.2))
    for i, (name, values) in enumerate(spectra.items()):
        ranked = np.sort(np.asarray(values))[::-1]
        if log:
            ranked = ranked[ranked > 0]
        style: dict[str, Any] = {"color": PALETTE[i % len(PALETTE)], "linewidth": 0.8}
        style |= {"marker": MARKERS[i % len(MARKERS)], "markersize": 3}
        ax.plot(np.arange(1, ranked.size + 1), ranked, label=name, **style)
    if log:
        ax.set_yscale("log")
    ax.legend(frameon=False, fontsize=8)
    ax.set_xlabel("rank of the eigenvalue")
    ax.set_ylabel(label)
    open_frame(ax)
    return ax


def _step_axis(ax: Axes, x_label: str, log_x: bool) -> None:
    if log_x:
        ax.set_xscale("log")
    elif x_label == STEPS:
        ax.xaxis.set_major_formatter(lambda value, _: short_number(value))
    ax.set_xlabel(x_label)
