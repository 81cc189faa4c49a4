"""Rate maps and place fields of two-dimensional environments, and maps by segment."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from neurodrift.geometry.geometry import geometry_of
from neurodrift.geometry.outline import outline_of
from neurodrift.plotting._geometry import draw_outline
from neurodrift.plotting._style import ACCENT, PALETTE, new_axes, new_figure
from neurodrift.schema.objects import expect_array
from neurodrift.schema.options import checked_options

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@checked_options
def plot_box_maps(
    rate: xr.DataArray,
    *,
    units: Sequence[Hashable] | np.ndarray | None = None,
    fields: xr.DataArray | None = None,
    max_units: int = 6,
) -> Figure:
    """Rate maps of a two-dimensional environment, one row for each unit, one column a session.

    Parameters
    ----------
    rate
        (session, unit, position) [Hz] with the coordinates ``x_bin`` and ``y_bin`` [cm], as from
        :func:`neurodrift.compute_rate_maps` with ``direction`` taken out. Bins that were not
        visited, and units that were not detected, stay grey. The outline of the arena is drawn
        where the geometry of the recording tells it.
    units
        Labels of the units from top to bottom; the first `max_units` when omitted.
    fields
        (session, unit, position) number of the place field of each bin, as ``field`` of
        :func:`neurodrift.detect_place_fields`; their outlines are drawn.
    max_units
        Most rows when `units` is omitted.

    Returns
    -------
    matplotlib.figure.Figure
        The figure. All maps of a unit share the scale that ends at the number above the last.

    Raises
    ------
    ValueError
        If the array has other dimensions or no position in two.

    Examples
    --------
    >>> from neurodrift import plotting, compute_rate_maps, testing
    >>> maps = compute_rate_maps(testing.open_field(n_units=3), smoothing=4)
    >>> figure = plotting.plot_box_maps(maps["rate"].isel(direction=0))
    >>> len(figure.axes)
    6
    """
    expect_array("rate", rate, [], "rate maps")
    if set(rate.dims) != {"session", "unit", "position"} or "y_bin" not in rate.coords:
        raise ValueError(
            f"expected (session, unit, position) with x_bin and y_bin, got {rate.dims}: take the "
            "direction out, .isel(direction=0), and use plot_rate_maps for a track"
        )
    if units is None:
        units = rate["unit"].values[:max_units]
    sessions = rate["session"].values
    image, extent = _picture(rate)
    outlines = None if fields is None else _picture(fields)[0]
    n_rows, n_columns = len(units), sessions.size
    figure = new_figure((0.6 + 1.5 * n_columns, 0.5 + 1.5 * n_rows))
    axes = figure.subplots(n_rows, n_columns, squeeze=False)
    for row, unit in zip(axes, units, strict=True):
        maps = image.sel(unit=unit)
        top = float(np.nanmax(maps.values)) if np.isfinite(maps.values).any() else 0.0
        for axis, session in zip(row, sessions, strict=True):
            axis.set_facecolor("0.85")
            axis.imshow(
                maps.sel(session=session).values.T,
                origin="lower",
                cmap="viridis",
                vmin=0,
                vmax=top or 1.0,
                extent=extent,
                interpolation="nearest",
            )
            draw_outline(axis, geometry_of(rate))
            if outlines is not None:
                _outline(axis, outlines.sel(unit=unit, session=session), extent)
            axis.set_xticks([])
            axis.set_yticks([])
        row[0].set_ylabel(f"unit {unit}", fontsize=8)
        row[-1].set_title(f"{top:.1f} {rate.attrs.get('units', '')}", fontsize=7, loc="right")
    for axis, session in zip(axes[0], sessions, strict=True):
        axis.set_title(_title(rate, session), fontsize=8, loc="left")
    line = outline_of(geometry_of(rate))
    width, height = extent[1] - extent[0], extent[3] - extent[2]
    if line.size:
        width, height = np.ptp(line, axis=0)
    axes[-1][0].set_xlabel(f"{width:g} x {height:g} cm", fontsize=8)
    return figure


def plot_map_labels(
    similarity: xr.DataArray, labels: xr.DataArray, *, ax: Axes | None = None
) -> Axes:
    """Similarity of the segments of all sessions, with the map that each of them is in.

    Parameters
    ----------
    similarity
        (segment, other) with the coordinate ``session`` (segment), as from
        :func:`neurodrift.detect_maps`.
    labels
        (segment) number of the map, 0 = unknown.
    ax
        Axes to draw into; new ones when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        The axes: lines part the sessions, colours along the upper edge are the maps.

    Examples
    --------
    >>> from neurodrift import detect_maps, plotting, testing
    >>> found = detect_maps(testing.several_maps([[1, 2], [2, 1], [1, 2]], n_units=60))
    >>> ax = plotting.plot_map_labels(found["similarity"], found["map_label"])
    >>> ax.get_xlabel()
    'session'
    """
    from matplotlib.patches import Patch

    ax = new_axes(ax, (5.0, 4.4))
    values = np.array(similarity.transpose("segment", "other").values)
    np.fill_diagonal(values, np.nan)
    n = len(values)
    high = float(np.nanmax(values)) if np.isfinite(values).any() else 1.0
    ax.set_facecolor("0.85")
    shown = ax.imshow(values, cmap="magma", vmin=min(0.0, high), vmax=high, interpolation="nearest")
    sessions = similarity["session"].values.astype(str)
    starts = np.flatnonzero(np.r_[True, sessions[1:] != sessions[:-1]])
    for start in starts[1:]:
        ax.axhline(start - 0.5, color="white", lw=0.4)
        ax.axvline(start - 0.5, color="white", lw=0.4)
    middles = (starts + np.r_[starts[1:], n] - 1) / 2
    ax.set_xticks(middles, sessions[starts])
    ax.set_yticks(middles, sessions[starts])
    ax.set_xlabel("session")
    ax.set_ylabel("session")
    names = {0: "unknown"} | {int(k): f"map {k}" for k in np.unique(labels.values) if k > 0}
    colours = {0: "0.6"} | {k: PALETTE[(k - 1) % len(PALETTE)] for k in names if k > 0}
    for i, number in enumerate(labels.values.tolist()):
        ax.plot(
            [i - 0.5, i + 0.5],
            [-1.2, -1.2],
            color=colours[number],
            lw=5,
            clip_on=False,
            solid_capstyle="butt",
        )
    ax.set_ylim(n - 0.5, -0.5)
    ax.set_xlim(-0.5, n - 0.5)
    used = [k for k in sorted(names) if k in labels.values]
    ax.legend(
        handles=[Patch(color=colours[k], label=names[k]) for k in used],
        loc="lower center",
        bbox_to_anchor=(0.5, 1.06),
        ncols=len(used),
        frameon=False,
        fontsize=8,
    )
    figure = ax.get_figure()
    assert figure is not None
    figure.colorbar(shown, ax=ax, label="similarity of maps", shrink=0.8)
    return ax


def _picture(array: xr.DataArray) -> tuple[xr.DataArray, tuple[float, float, float, float]]:
    """Bins (position) as a picture (x, y), NaN where there is no bin; and its edges [cm]."""
    axes, edges = [], []
    for name in ("x_bin", "y_bin"):
        centres = np.unique(array[name].values)
        step = float(np.min(np.diff(centres))) if centres.size > 1 else 1.0
        n = round((centres[-1] - centres[0]) / step) + 1
        axes.append((np.rint((array[name].values - centres[0]) / step).astype(int), n))
        edges += [centres[0] - step / 2, centres[0] + (n - 0.5) * step]
    (at_x, n_x), (at_y, n_y) = axes
    flat = array.transpose("session", "unit", "position")
    picture = np.full((*flat.shape[:2], n_x, n_y), np.nan)
    picture[:, :, at_x, at_y] = flat.values
    coords = {name: flat[name].values for name in ("session", "unit")}
    return xr.DataArray(picture, dims=("session", "unit", "x", "y"), coords=coords), tuple(edges)


def _outline(axis: Axes, fields: xr.DataArray, extent: tuple[float, float, float, float]) -> None:
    """Edges between bins of a field and others."""
    number = np.pad(np.nan_to_num(fields.values), 1)
    width = (extent[1] - extent[0]) / fields.shape[0]
    height = (extent[3] - extent[2]) / fields.shape[1]
    for i, j in np.argwhere(number[1:, :] != number[:-1, :]):
        x, y = extent[0] + i * width, extent[2] + (j - 1) * height
        axis.plot([x, x], [y, y + height], color=ACCENT, lw=1.0, solid_capstyle="round")
    for i, j in np.argwhere(number[:, 1:] != number[:, :-1]):
        x, y = extent[0] + (i - 1) * width, extent[2] + j * height
        axis.plot([x, x + width], [y, y], color=ACCENT, lw=1.0, solid_capstyle="round")


def _title(rate: xr.DataArray, session: Hashable) -> str:
    if "day" in rate.coords:
        return f"{session} (day {float(rate['day'].sel(session=session)):g})"
    return str(session)
