"""Rate maps and session pairs as pictures."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from neurodrift.plotting._geometry import axis_label, mark_axis, stretches
from neurodrift.plotting._style import new_axes, new_figure, short_number
from neurodrift.schema.objects import expect_array
from neurodrift.schema.options import checked_options

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, FigureBase
    from matplotlib.image import AxesImage


@checked_options
def plot_rate_maps(
    rate: xr.DataArray,
    *,
    order: Sequence[Hashable] | np.ndarray | None = None,
    sessions: Sequence[Hashable] | None = None,
    max_sessions: int = 8,
) -> Figure:
    """Rate maps of all units side by side, one panel for each session.

    Parameters
    ----------
    rate
        (session, unit, position) with the coordinate ``x_bin`` [cm], as from
        :func:`neurodrift.compute_rate_maps` for one direction. Every unit is drawn relative to its
        peak in that session; bins that were not visited stay grey. The seam of a circle is dashed,
        the arms of a maze stand apart with their names.
    order
        Labels of the units from top to bottom, as from
        :func:`neurodrift.analysis.maps.rate_maps.order_by_peak`; as they come when omitted.
    sessions
        Labels of the sessions to draw; evenly spaced ones up to `max_sessions` when omitted.
    max_sessions
        Most panels that are drawn when `sessions` is omitted.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.

    Raises
    ------
    ValueError
        If the array has other dimensions.

    Examples
    --------
    >>> from neurodrift import plotting, compute_rate_maps, testing
    >>> maps = compute_rate_maps(testing.linear_track(n_units=5), smoothing=4)
    >>> len(plotting.plot_rate_maps(maps["rate"].sel(direction=1)).axes)
    4
    """
    _expect_dims(rate, {"session", "unit", "position"}, "one direction, .sel(direction=1)")
    if sessions is None:
        n_sessions = rate.sizes["session"]
        at = np.unique(np.linspace(0, n_sessions - 1, min(max_sessions, n_sessions)).round())
        sessions = rate["session"].values[at.astype(int)].tolist()
    drawn = rate.sel(session=list(sessions)).transpose("session", "unit", "position")
    if order is not None:
        drawn = drawn.sel(unit=list(order))
    peak = drawn.max("position")
    relative = drawn / peak.where(peak > 0)

    figure = new_figure((1.2 + 1.6 * len(sessions), 4.8))
    axes = np.atleast_1d(figure.subplots(1, len(sessions), sharey=True))
    for axis, session, panel in zip(axes, sessions, relative, strict=True):
        image = _draw_maps(axis, panel)
        axis.set_title(_session_title(drawn, session), fontsize=9)
        axis.set_xlabel(axis_label(rate))
    axes[0].set_ylabel("unit")
    figure.colorbar(image, ax=axes.tolist(), label="rate / peak", shrink=0.6)
    return figure


def plot_sorted_maps(
    rate: xr.DataArray,
    orders: Mapping[Hashable, Sequence[Hashable] | np.ndarray],
    *,
    x_label: str | None = None,
    figure: FigureBase | None = None,
) -> FigureBase:
    """Rate maps of some sessions (columns), sorted by each of them in turn (rows).

    Parameters
    ----------
    rate
        (session, unit, position) with the coordinate ``x_bin`` [cm]. Every unit is drawn relative
        to its peak in that session; bins that were not visited stay grey.
    orders
        Labels of the units from top to bottom, by the session that they are sorted by, as from
        :func:`neurodrift.order_by_peak`. These sessions are drawn.
    x_label
        What the horizontal axis shows; what is mapped, with its unit, when omitted.
    figure
        Figure or part of a figure to draw into; a new one when omitted.

    Returns
    -------
    matplotlib.figure.FigureBase
        The figure.

    Raises
    ------
    ValueError
        If the array has other dimensions.

    Examples
    --------
    >>> import neurodrift as nd
    >>> maps = nd.compute_rate_maps(nd.testing.linear_track(n_units=5, n_sessions=2))
    >>> rate = maps["rate"].sel(direction=1)
    >>> orders = {s: nd.order_by_peak(rate.sel(session=s)) for s in ("1", "2")}
    >>> len(nd.plotting.plot_sorted_maps(rate, orders).axes)
    5
    """
    _expect_dims(rate, {"session", "unit", "position"}, "one direction, .sel(direction=1)")
    n = len(orders)
    if figure is None:
        figure = new_figure((1.4 + 1.4 * n, 1.0 + 1.4 * n))
    axes = np.array(figure.subplots(n, n, sharex=True, squeeze=False))
    peak = rate.max("position")
    relative = (rate / peak.where(peak > 0)).transpose("session", "unit", "position")
    for row, (sorted_by, order) in zip(axes, orders.items(), strict=True):
        for axis, session in zip(row, orders, strict=True):
            image = _draw_maps(axis, relative.sel(session=session, unit=list(order)))
            axis.tick_params(labelsize=7)
            axis.set_yticks([])
            if axis in axes[0]:
                axis.set_title(_session_title(rate, session), fontsize=8)
            if axis in axes[:, 0]:
                title = _session_title(rate, sorted_by)
                axis.set_ylabel(f"sorted by\n{title}", fontsize=8)
    figure.supxlabel(axis_label(rate) if x_label is None else x_label, fontsize=9)
    figure.colorbar(image, ax=axes.ravel().tolist(), label="rate / peak", shrink=0.5)
    return figure


def plot_drift_matrix(correlation: xr.DataArray, *, ax: Axes | None = None) -> Axes:
    """Similarity of every pair of sessions as a matrix.

    Parameters
    ----------
    correlation
        (session_a, session_b), as from :func:`neurodrift.compute_drift`.
    ax
        Axes to draw into; new ones when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Raises
    ------
    ValueError
        If the array has other dimensions.
    """
    expect_array("correlation", correlation, [], "a matrix of session pairs")
    if correlation.ndim != 2:
        raise ValueError(f"expected a matrix of session pairs, got dims {correlation.dims}")
    ax = new_axes(ax, (4.4, 3.6))
    values = correlation.values
    n = len(values)
    ax.set_facecolor("0.85")
    low = min(0.0, float(np.nanmin(values))) if np.isfinite(values).any() else 0.0
    image = ax.imshow(values, vmin=low, vmax=1, cmap="magma", interpolation="nearest")
    labels = [str(item) for item in correlation[correlation.dims[0]].values]
    shown = np.unique(np.linspace(0, n - 1, min(n, 10)).round().astype(int))
    ax.set_xticks(shown, [labels[i] for i in shown], rotation=45, ha="right")
    ax.set_yticks(shown, [labels[i] for i in shown])
    ax.set_xlabel("session")
    ax.set_ylabel("session")
    figure = ax.get_figure()
    assert figure is not None
    figure.colorbar(image, ax=ax, label=_label_of(correlation))
    return ax


def _draw_maps(axis: Axes, maps: xr.DataArray) -> AxesImage:
    axis.set_facecolor("0.85")
    found = stretches(maps)
    for where, left, right in found:
        image = axis.imshow(
            maps.values[:, where],
            aspect="auto",
            cmap="viridis",
            vmin=0,
            vmax=1,
            interpolation="nearest",
            extent=(left, right, maps.sizes["unit"], 0),
        )
    axis.set_xlim(found[0][1], found[-1][2])
    if len(found) > 1:  # between the arms is nothing
        axis.set_facecolor("white")
        for _, left, right in found:
            axis.axvspan(left, right, color="0.85", lw=0, zorder=-1)
    mark_axis(axis, maps)
    return image


def _session_title(rate: xr.DataArray, session: Hashable) -> str:
    if "day" in rate.coords:
        return f"{session} (day {float(rate['day'].sel(session=session)):g})"
    if "training_step" in rate.coords:
        return f"step {short_number(int(rate['training_step'].sel(session=session)))}"
    return str(session)


def _label_of(array: xr.DataArray) -> str:
    return str(array.attrs.get("long_name", array.name or ""))


def _expect_dims(array: xr.DataArray, dims: set[str], hint: str) -> None:
    expect_array("rate", array, [], "rate maps")
    if set(array.dims) != dims:
        raise ValueError(
            f"expected dims {sorted(dims)}, got {tuple(map(str, array.dims))}: select {hint}"
        )
