"""Rate maps drawn where the animal runs: on the arms of a maze, round a circle."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from neurodrift.geometry.arms import arms_of
from neurodrift.geometry.geometry import geometry_of
from neurodrift.plotting._geometry import lines_of
from neurodrift.plotting._style import new_figure
from neurodrift.schema.objects import expect_array
from neurodrift.schema.options import checked_options

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@checked_options
def plot_track_maps(
    rate: xr.DataArray,
    *,
    units: Sequence[Hashable] | np.ndarray | None = None,
    max_units: int = 6,
) -> Figure:
    """Rate maps on the arms of a maze or round a circle, a row for each unit, a column a session.

    Parameters
    ----------
    rate
        (session, unit, position) of one direction, as from :func:`neurodrift.compute_rate_maps` of
        a recording whose geometry is a graph or circular. Bins that were not visited, and units
        that were not detected, stay grey.
    units
        Labels of the units from top to bottom; the first `max_units` when omitted.
    max_units
        Most rows when `units` is omitted.

    Returns
    -------
    matplotlib.figure.Figure
        The figure. All maps of a unit share the scale that ends at the number above the last. A
        circle begins at the top and runs clockwise.

    Raises
    ------
    ValueError
        If the array has other dimensions, or no such geometry.

    Examples
    --------
    >>> import numpy as np
    >>> import neurodrift as nd
    >>> x = np.arange(6000) / 2 % 180
    >>> counts = np.ones((6000, 2), int)
    >>> belt = nd.recording_from_arrays(
    ...     counts, kind="events", frame_duration=0.05, x=x, geometry="circular:180"
    ... )
    >>> maps = nd.compute_rate_maps(belt)
    >>> len(nd.plotting.plot_track_maps(maps["rate"].isel(direction=0)).axes)
    2
    """
    from matplotlib.collections import LineCollection

    expect_array("rate", rate, [], "rate maps")
    if set(rate.dims) != {"session", "unit", "position"}:
        raise ValueError(
            f"expected dims (session, unit, position), got {tuple(map(str, rate.dims))}: select "
            "one direction, .isel(direction=0)"
        )
    lines = lines_of(rate)
    if units is None:
        units = rate["unit"].values[:max_units]
    sessions = rate["session"].values
    figure = new_figure((0.8 + 1.6 * sessions.size, 0.5 + 1.6 * len(units)))
    axes = figure.subplots(len(units), sessions.size, squeeze=False)
    for row, unit in zip(axes, units, strict=True):
        maps = rate.sel(unit=unit).transpose("session", "position").values
        top = float(np.nanmax(maps)) if np.isfinite(maps).any() else 0.0
        for axis, values in zip(row, maps, strict=True):
            grey = LineCollection(list(lines), colors="0.8", linewidths=7, capstyle="butt")
            axis.add_collection(grey)
            seen = np.isfinite(values)
            drawn = LineCollection(list(lines[seen]), cmap="viridis", linewidths=6, capstyle="butt")
            drawn.set_array(values[seen])
            drawn.set_clim(0, top or 1.0)
            axis.add_collection(drawn)
            _frame(axis, lines)
        row[0].set_ylabel(f"unit {unit}", fontsize=8)
        row[-1].set_title(f"{top:.1f} {rate.attrs.get('units', '')}", fontsize=7, loc="right")
    for axis, session in zip(axes[0], sessions, strict=True):
        day = f" (day {float(rate['day'].sel(session=session)):g})" if "day" in rate.coords else ""
        axis.set_title(f"{session}{day}", fontsize=8, loc="left")
    _name_places(axes[-1][0], rate)
    return figure


def _frame(axis: Axes, lines: np.ndarray) -> None:
    low, high = lines.min(axis=(0, 1)), lines.max(axis=(0, 1))
    pad = 0.12 * float((high - low).max())
    axis.set_xlim(low[0] - pad, high[0] + pad)
    axis.set_ylim(low[1] - pad, high[1] + pad)
    axis.set_aspect("equal")
    axis.set_xticks([])
    axis.set_yticks([])
    axis.spines[:].set_visible(False)


def _name_places(axis: Axes, rate: xr.DataArray) -> None:
    """Names of the nodes of a maze, where a circle begins."""
    geometry = geometry_of(rate)
    if geometry.kind == "graph":
        arms = arms_of(geometry)
        middle = arms.places.mean(axis=0)
        for name, place in zip(arms.nodes, arms.places, strict=True):
            above = place[1] >= middle[1]
            axis.annotate(
                name,
                place,
                xytext=(0, 6 if above else -6),
                textcoords="offset points",
                ha="center",
                va="bottom" if above else "top",
                fontsize=6,
                color="0.3",
            )
    else:
        axis.text(0, 0.72, f"{geometry.origin:g}", ha="center", va="top", fontsize=6, color="0.3")
        text = f"{geometry.length:g} {geometry.unit}"
        axis.text(0, 0, text, ha="center", va="center", fontsize=7, color="0.3")
