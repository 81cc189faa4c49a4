"""Relations among places by lag, beside unrelated codes and population vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from neurodrift.plotting._style import ACCENT, INK, new_axes, open_frame
from neurodrift.schema.objects import expect_dataset

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_relations(relations: xr.Dataset, *, ax: Axes | None = None) -> Axes:
    """How alike the relations among places are, against the sessions between.

    Parameters
    ----------
    relations
        Result of :func:`neurodrift.compute_relations`, or the node ``relations``.
    ax
        Axes to draw into; new ones when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Means over pairs at each lag, of the relations, of unrelated codes, and of population
        vectors; 1 is the agreement of halves of one session.

    Raises
    ------
    TypeError, ValueError
        If it is another result.

    Examples
    --------
    >>> from neurodrift import compute_half_maps, compute_relations, plot_relations, testing
    >>> track = testing.linear_track(n_units=30, n_sessions=3)
    >>> found = compute_relations(compute_half_maps(track), n_draws=5)
    >>> plot_relations(found).get_xlabel()
    'lag [sessions]'
    """
    expect_dataset(
        "relations",
        relations,
        ["structure_relative", "structure_null", "vectors_relative"],
        "neurodrift.compute_relations",
    )
    ax = new_axes(ax, (4.2, 3.2))
    first, second = np.triu_indices(relations.sizes["session_a"], k=1)
    lag = np.abs(relations["lag"].values[first, second])
    steps = np.unique(lag)
    for name, label, style in (
        ("structure_relative", "relations among places", {"color": INK, "marker": "o"}),
        ("structure_null", "unrelated codes", {"color": ACCENT, "linestyle": "--"}),
        ("vectors_relative", "population vectors", {"color": "0.5", "linestyle": ":"}),
    ):
        values = relations[name].values[first, second]
        rows = [values[(lag == step) & np.isfinite(values)] for step in steps]
        means = [row.mean() if row.size else np.nan for row in rows]
        ax.plot(steps, means, label=label, **style)  # type: ignore[arg-type]
        if name == "structure_relative":
            ax.plot(lag, values, ".", color=INK, alpha=0.3, markersize=4)
    ax.axhline(1.0, color="0.8", linewidth=0.8)
    ax.set_xlabel("lag [sessions]")
    ax.set_ylabel("relative to halves of a session")
    ax.legend(frameon=False, fontsize=8)
    open_frame(ax)
    return ax
