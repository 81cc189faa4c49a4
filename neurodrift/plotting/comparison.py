"""Sides of a comparison in one picture: series, similarity against lag, slopes, statements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from neurodrift.plotting._style import FAINT, INK, MARKERS, PALETTE, new_axes, open_frame
from neurodrift.schema.objects import expect_dataset

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from neurodrift.schema.results import StatementVerdict

AXIS_LABELS = {
    "fraction": "fraction of the way",
    "day": "day",
    "experience": "experience [min]",
    "training_step": "training step",
    "session_number": "session",
}
_VERDICTS: dict[StatementVerdict, str] = {
    "holds": "#cfe8dc",
    "no change": "#d6e2f3",
    "contradicted": "#f6d3c4",
    "undecided": "#f3f4f6",
    "not testable": "white",
}


def plot_series_beside(
    comparison: xr.Dataset,
    measure: str,
    *,
    axis: str = "fraction",
    scale: str = "first",
    ax: Axes | None = None,
) -> Axes:
    """One measure of every side along an axis: each recording faintly, the mean with its error.

    Parameters
    ----------
    comparison
        Result of :func:`neurodrift.compare`.
    measure, axis, scale
        Labels of the comparison.
    ax
        Axes to draw into; new ones when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Raises
    ------
    ValueError
        If the comparison has no such label.
    """
    _expect(comparison, measure=measure, axis=axis, scale=scale)
    ax = new_axes(ax, (4.6, 3.2))
    at = comparison["at"].sel(axis=axis).values
    single = comparison["normalized" if scale == "first" else "value"].sel(measure=measure).values
    means = comparison.sel(axis=axis, scale=scale, measure=measure)
    if scale == "first":
        ax.axhline(1, color="0.85", linewidth=0.8, zorder=0)
    for i, side in enumerate(comparison["side"].values):
        own = comparison["row_side"].values == side
        names = comparison["row_recording"].values
        several = np.unique(names[own]).size > 1
        for name in np.unique(names[own]) if several else ():
            row = names == name
            ax.plot(at[row], single[row], color=PALETTE[i % len(PALETTE)], lw=0.8, alpha=0.35)
        mean = means.sel(side=side)
        x, y, error = (mean[f"series_{n}"].values for n in ("at", "mean", "sem"))
        _mean_curve(ax, i, str(side), x, y, error)
    _finish(ax, AXIS_LABELS[axis], _words(measure, scale))
    return ax


def plot_lag_beside(
    comparison: xr.Dataset,
    similarity: str | None = None,
    *,
    axis: str = "fraction",
    ax: Axes | None = None,
) -> Axes:
    """Similarity of sessions against the lag for every side, single pairs faintly.

    Parameters
    ----------
    comparison
        Result of :func:`neurodrift.compare`.
    similarity
        Label of the comparison; that of the statements when omitted.
    axis
        What the lag is along.
    ax
        Axes to draw into; new ones when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Raises
    ------
    ValueError
        If the comparison has no such label.
    """
    similarity = comparison.attrs["similarity"] if similarity is None else similarity
    _expect(comparison, similarity=similarity, axis=axis)
    ax = new_axes(ax, (4.6, 3.2))
    lag = comparison["pair_lag"].sel(axis=axis).values
    values = comparison["pair_similarity"].sel(similarity=similarity).values
    means = comparison.sel(axis=axis, similarity=similarity)
    for i, side in enumerate(comparison["side"].values):
        own = comparison["pair_side"].values == side
        color = PALETTE[i % len(PALETTE)]
        ax.plot(lag[own], values[own], ".", color=color, markersize=2.5, alpha=0.25, zorder=1)
        mean = means.sel(side=side)
        x, y, error = (mean[f"decay_{n}"].values for n in ("at", "mean", "sem"))
        _mean_curve(ax, i, str(side), x, y, error)
    text = similarity.replace("_relative", ",\nrelative to the noise ceiling").replace("_", " ")
    _finish(ax, f"lag, {AXIS_LABELS[axis]}", text)
    return ax


def plot_slopes(
    comparison: xr.Dataset,
    effects: Sequence[str] | None = None,
    *,
    axis: str = "fraction",
    scale: str = "first",
    adjustment: str = "none",
    ax: Axes | None = None,
) -> Axes:
    """Slopes of all sides with their intervals, one below the other.

    Parameters
    ----------
    comparison
        Result of :func:`neurodrift.compare`.
    effects
        Labels of the effects; those that any side has at this scale when omitted.
    axis, scale, adjustment
        Labels of the comparison.
    ax
        Axes to draw into; new ones when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Raises
    ------
    ValueError
        If the comparison has no such label, or no slope to draw.
    """
    _expect(comparison, axis=axis, scale=scale, adjustment=adjustment)
    chosen = comparison.sel(axis=axis, scale=scale, adjustment=adjustment)
    if effects is None:
        there = chosen["slope"].notnull().any("side").values
        effects = [str(name) for name in comparison["effect"].values[there]]
    _expect(comparison, effect=list(effects))
    if not len(effects):
        raise ValueError(f"no side has a slope on {axis!r} at the scale {scale!r}")
    n_sides = comparison.sizes["side"]
    ax = new_axes(ax, (6.2, 1.0 + len(effects) * (0.15 + 0.11 * n_sides)))
    ax.axvline(0, color=FAINT, linewidth=0.8, zorder=0)
    for i, side in enumerate(comparison["side"].values):
        own = chosen.sel(side=side, effect=list(effects))
        middle, low, high = (own[f"slope{n}"].values for n in ("", "_ci_low", "_ci_high"))
        y = np.arange(len(effects)) + 0.7 * ((i + 0.5) / n_sides - 0.5)
        color = PALETTE[i % len(PALETTE)]
        if np.isnan(middle).all():
            continue
        ax.hlines(y, low, high, color=color, linewidth=1.4)
        ax.plot(middle, y, MARKERS[i % len(MARKERS)], color=color, markersize=4.5, label=str(side))
    for j in range(1, len(effects)):
        ax.axhline(j - 0.5, color="0.92", linewidth=0.8, zorder=0)
    ax.set_yticks(range(len(effects)), [name.replace("_", " ") for name in effects], fontsize=8)
    ax.set_ylim(len(effects) - 0.5, -0.5)
    given = "" if adjustment == "none" else f", given {adjustment.replace('_', ' ')}"
    unit = "change" if scale == "raw" else "relative change"
    per = "over the whole way" if axis == "fraction" else f"per {_unit(axis)}"
    _finish(ax, f"{unit} {per}{given}", "")
    return ax


def plot_statements(comparison: xr.Dataset, *, ax: Axes | None = None) -> Axes:
    """Which statements hold for which side, without and with the covariates, as a table.

    Parameters
    ----------
    comparison
        Result of :func:`neurodrift.compare`.
    ax
        Axes to draw into; new ones when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    from matplotlib.patches import Rectangle

    _expect(comparison)
    sides, adjustments = comparison["side"].values, comparison["adjustment"].values
    statements = comparison["statement"].values
    columns = [(side, adjustment) for side in sides for adjustment in adjustments]
    ax = new_axes(ax, (2.2 + 1.25 * len(columns), 0.7 + 0.5 * len(statements)))
    for j, (side, adjustment) in enumerate(columns):
        for i, statement in enumerate(statements):
            at = {"side": side, "adjustment": adjustment, "statement": statement}
            cell = comparison.sel(at)
            verdict = str(cell["statement_verdict"].item())
            color = _VERDICTS[verdict]  # type: ignore[index]
            ax.add_patch(Rectangle((j, i), 1, 1, facecolor=color, edgecolor="white", linewidth=2))
            ax.text(j + 0.5, i + 0.36, verdict, ha="center", va="center", fontsize=8, color=INK)
            numbers = [cell[f"statement_{n}"].item() for n in ("estimate", "ci_low", "ci_high")]
            if np.isfinite(numbers).all():
                text = "{:.2g} [{:.2g}, {:.2g}]".format(*numbers)
                ax.text(j + 0.5, i + 0.7, text, ha="center", va="center", fontsize=6.5, color=INK)
    names = [
        f"{side}\n{'alone' if a == 'none' else 'given ' + str(a).replace('_', ' ')}"
        for side, a in columns
    ]
    ax.set_xticks(np.arange(len(columns)) + 0.5, names, fontsize=8)
    ax.set_yticks(np.arange(len(statements)) + 0.5, statements, fontsize=8)
    ax.set_xlim(0, len(columns))
    ax.set_ylim(len(statements), 0)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    for name in ax.spines:
        ax.spines[name].set_visible(False)
    return ax


def _mean_curve(
    ax: Axes, i: int, name: str, x: np.ndarray, y: np.ndarray, error: np.ndarray
) -> None:
    shown = np.isfinite(x) & np.isfinite(y)
    if not shown.any():
        return
    style: dict[str, Any] = {"color": PALETTE[i % len(PALETTE)], "label": name, "zorder": 3}
    style |= {"fmt": f"{MARKERS[i % len(MARKERS)]}-", "capsize": 2, "markersize": 4}
    bars = error[shown] if np.isfinite(error[shown]).any() else None
    ax.errorbar(x[shown], y[shown], yerr=bars, linewidth=1.3, **style)


def _finish(ax: Axes, x_label: str, label: str) -> None:
    ax.set_xlabel(x_label)
    ax.set_ylabel(label)
    n_sides = len(ax.get_legend_handles_labels()[0])
    style = {"frameon": False, "fontsize": 7.5, "handletextpad": 0.5, "columnspacing": 1.2}
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=min(n_sides, 3) or 1, **style)
    open_frame(ax)


def _words(measure: str, scale: str) -> str:
    text = measure.replace("n_", "number of ", 1) if measure.startswith("n_") else measure
    return text.replace("_", " ") + (" / first session" if scale == "first" else "")


def _unit(axis: str) -> str:
    return {"experience": "min of experience"}.get(axis, AXIS_LABELS[axis])


def _expect(comparison: xr.Dataset, **labels: Any) -> None:
    made_by = "a comparison (neurodrift.compare)"
    expect_dataset("comparison", comparison, ["side", "statement"], made_by)
    for dim, wanted in labels.items():
        known = [str(value) for value in comparison[dim].values]
        for name in [wanted] if isinstance(wanted, str) else wanted:
            if name not in known:
                raise ValueError(f"the comparison has no {dim} {name!r}, but {', '.join(known)}")
