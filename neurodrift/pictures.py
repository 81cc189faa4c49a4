"""The six standard pictures, each by one call on results; `neurodrift.plotting` has their parts."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from neurodrift.analysis.maps.rate_maps import order_by_peak
from neurodrift.plotting import comparison as beside
from neurodrift.plotting._style import new_axes, new_figure
from neurodrift.plotting.maps import plot_rate_maps
from neurodrift.plotting.series import plot_decay, plot_session_series
from neurodrift.recording import slice_sessions
from neurodrift.schema.objects import expect_type

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SERIES = {
    "fraction_active_units": "fraction of active units",
    "fraction_place_cells": "fraction of place cells",
    "information": "information [bit/event]",
}
_AXES = ("training_step", "day", "experience", "session_number")
_STATES = ("not detected", "detected, silent", "detected, active")
_SHADES = ("#ffffff", "#c6d2dc", "#2b5876")


def plot_maps(results: xr.DataTree, *, direction: int | None = None) -> Figure:
    """Smoothed maps of the place cells in all sessions, in the order of their first peaks.

    Parameters
    ----------
    results
        Results of :func:`neurodrift.analyze`.
    direction
        Running direction to draw, 1 or -1; the first that there is when omitted.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each session, of more than twelve for some of them, as
        :func:`neurodrift.plotting.plot_rate_maps` draws it. Cells that were place cells in no
        session are left out.

    Raises
    ------
    ValueError
        If the results hold no maps along one axis.

    Examples
    --------
    >>> import neurodrift as nd
    >>> track = nd.testing.linear_track(n_units=6, n_sessions=2, minutes=4)
    >>> results = nd.analyze(track, measures=["place_fields"], n_repeats=20)
    >>> len(nd.plot_maps(results).axes)
    3
    """
    maps = _node(results, "smoothed_maps")
    if "y_bin" in maps.coords:
        raise ValueError("the maps have two axes: draw them with neurodrift.plotting.plot_box_maps")
    at = maps["direction"].values[0] if direction is None else direction
    rate = maps["rate"].sel(direction=at, drop=True)
    if "place_cells" in results.children:
        is_place = results["place_cells"].to_dataset()["is_place_cell"].any("session")
        chosen = is_place["unit"].values[is_place.values]
        rate = rate.sel(unit=chosen) if chosen.size else rate
    first = rate.sel(session=rate["session"].values[0])
    return plot_rate_maps(rate, order=order_by_peak(first), max_sessions=12)


def plot_cells(
    recording: xr.Dataset,
    results: xr.DataTree,
    *,
    units: Sequence[Hashable] | None = None,
    n_units: int = 4,
) -> Figure:
    """Example cells: where each was active in every lap of every session.

    Parameters
    ----------
    recording
        The recording that was analysed, with a position along one axis.
    results
        Its results.
    units
        Labels of the units; when omitted, the `n_units` that are place cells in most sessions, of
        equals those with most information.
    n_units
        Number of units to draw.

    Returns
    -------
    matplotlib.figure.Figure
        A row for each unit, a column for each session: a dot for every frame with activity, at its
        position and lap (at its time where there are no laps). Sessions in which the unit was not
        detected are grey.

    Raises
    ------
    ValueError
        If there is no position along one axis, or a unit is unknown.

    Examples
    --------
    >>> import neurodrift as nd
    >>> track = nd.testing.linear_track(n_units=6, n_sessions=2, minutes=4)
    >>> results = nd.analyze(track, measures=["place_cells"], n_repeats=20)
    >>> len(nd.plot_cells(track, results, n_units=2).axes)
    4
    """
    if "x" not in recording or "y" in recording:
        raise ValueError("example cells need a recording with a position along one axis")
    chosen = _examples(results, n_units) if units is None else list(units)
    missing = [unit for unit in chosen if unit not in recording["unit"].values]
    if missing:
        raise ValueError(f"the recording has no unit {missing[0]!r}")
    sessions, parts = recording["session"].values, slice_sessions(recording)
    size = (1.0 + 1.3 * len(sessions), 0.7 + 1.2 * len(chosen))
    figure = new_figure(size)
    grid = figure.subplots(len(chosen), len(sessions), sharex=True, sharey="col", squeeze=False)
    for k, part in enumerate(parts):
        own = recording.isel(time=part)
        active = own["activity"].sel(unit=chosen).transpose("unit", "time").values > 0
        x, time = own["x"].values, own["time"].values
        row = own["lap"].values if "lap" in own else (time - time[:1]) / 60
        inside = np.isfinite(x) & (row >= 0)
        for i, unit in enumerate(chosen):
            ax, used = grid[i, k], inside & active[i]
            ax.plot(x[used], row[used], ".", color="#2b5876", markersize=1.5)
            if not recording["detected"].sel(unit=unit).values[k]:
                ax.set_facecolor("0.9")
            ax.set_ylim(float(row.max(initial=1)) + 1, -1)
            if i == 0:
                ax.set_title(f"session {sessions[k]}", fontsize=8)
            if k == 0:
                name = "lap" if "lap" in own else "time [min]"
                ax.set_ylabel(f"unit {unit}\n{name}", fontsize=8)
            ax.tick_params(labelsize=6)
    unit_of_x = recording["x"].attrs.get("units", "cm")
    grid[-1, len(sessions) // 2].set_xlabel(f"position [{unit_of_x}]", fontsize=8)
    return figure


def plot_drift(
    results: xr.DataTree, *, measure: str = "rate_map_correlation", ax: Axes | None = None
) -> Axes:
    """Drift curve: similarity of two sessions against the sessions between them, with its ceiling.

    Parameters
    ----------
    results
        Results of :func:`neurodrift.analyze`.
    measure
        A measure of the node ``session_drift``, or ``drift`` where that is missing.
    ax
        Axes to draw into; new ones when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Every pair, the mean at every lag, and as a dashed line the mean similarity of two halves
        of one session, which noise alone would leave. No intervals: pairs share sessions.

    Raises
    ------
    ValueError
        If there is no such measure.

    Examples
    --------
    >>> import neurodrift as nd
    >>> track = nd.testing.linear_track(n_units=6, n_sessions=3, minutes=4)
    >>> results = nd.analyze(track, measures=["session_drift"], n_repeats=20)
    >>> nd.plot_drift(results).get_ylabel()
    'rate map correlation'
    """
    pairs = _node(results, "session_drift", "drift")
    if measure not in pairs or len(pairs[measure].dims) != 2:
        known = [str(n) for n, a in pairs.data_vars.items() if a.dims == pairs["lag"].dims]
        raise ValueError(f"no measure {measure!r} of pairs; there are {', '.join(sorted(known))}")
    values, lags = pairs[measure].values, pairs["lag"].values
    later = (lags > 0) & np.isfinite(values)
    at = np.unique(lags[later])
    mean = np.array([values[later & (lags == lag)].mean() for lag in at])
    own = np.diagonal(values)
    own = own[np.isfinite(own)]
    ceiling = float(own.mean()) if own.size else None
    drawn = plot_decay(
        at,
        mean,
        points=(lags[later], values[later]),
        ceiling=ceiling,
        label=measure.replace("_", " "),
        ax=ax,
    )
    drawn.set_xticks(at)
    return drawn


def plot_series(results: xr.DataTree) -> Figure:
    """Active cells, place cells and information of every session, with their slopes.

    Parameters
    ----------
    results
        Results of :func:`neurodrift.analyze`.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each of them that the results have, against the training step, the day, the
        experience or the number of the session; the line is that of the node ``regression``.

    Raises
    ------
    ValueError
        If the results have none of them.

    Examples
    --------
    >>> import neurodrift as nd
    >>> track = nd.testing.linear_track(n_units=6, n_sessions=3, minutes=4)
    >>> len(nd.plot_series(nd.analyze(track, measures=["sessions", "sparsity"])).axes)
    1
    """
    sessions = _node(results, "sessions")
    shown = [name for name in _SERIES if name in sessions]
    if not shown:
        raise ValueError(f"the results have none of {', '.join(_SERIES)} of a session")
    axis = next((name for name in _AXES if name in sessions), None)
    x = sessions[axis].values if axis else np.arange(1, sessions.sizes["session"] + 1)
    name = (axis or "session").replace("_", " ").replace("session number", "session")
    fits = results["regression"].to_dataset() if "regression" in results.children else None
    figure = new_figure((3.4 * len(shown), 3.0))
    for ax, measure in zip(np.atleast_1d(figure.subplots(1, len(shown))), shown, strict=True):
        values = sessions[measure].values
        error = sessions.get(f"{measure}_se")
        fit = None
        if fits is not None and axis in fits.get("predictor", ()) and measure in fits["measure"]:
            slope = float(fits["slope"].sel(measure=measure, predictor=axis))
            there = np.isfinite(values)
            fit = (slope, float(values[there].mean() - slope * x[there].mean()))
        plot_session_series(
            x,
            values,
            None if error is None else error.values,
            fit=fit,
            x_label=name,
            label=_SERIES[measure],
            ax=ax,
        )
    return figure


def plot_registration(results: xr.DataTree, *, ax: Axes | None = None) -> Axes:
    """Which cells were detected in which session, and which of them were active.

    Parameters
    ----------
    results
        Results of :func:`neurodrift.analyze`.
    ax
        Axes to draw into; new ones when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        A row for each unit, those that were detected in most sessions on top, a column for each
        session. White is not detected, which is not silent. The title says how many units were
        found in every session.

    Raises
    ------
    ValueError
        If the results have no activity of units.

    Examples
    --------
    >>> import neurodrift as nd
    >>> track = nd.testing.linear_track(n_units=6, n_sessions=3, minutes=1, detection=0.7)
    >>> nd.plot_registration(nd.analyze(track, measures=["sparsity"])).get_xlabel()
    'session'
    """
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    found = _node(results, "sparsity")
    detected = found["detected"].transpose("unit", "session").values
    active = found["is_active"].transpose("unit", "session").values & detected
    state = detected.astype(int) + active
    order = np.lexsort([*detected.T[::-1], -detected.sum(axis=1)])
    ax = new_axes(ax, (4.0, 4.4))
    colors = ListedColormap(_SHADES)
    ax.imshow(
        state[order], cmap=colors, vmin=-0.5, vmax=2.5, aspect="auto", interpolation="nearest"
    )
    ax.set_xticks(range(state.shape[1]), [str(label) for label in found["session"].values])
    ax.set_xlabel("session")
    ax.set_ylabel("unit")
    everywhere = int(detected.all(axis=1).sum())
    ax.set_title(f"{everywhere} of {len(state)} units in every session", fontsize=9)
    patches = [
        Patch(facecolor=color, edgecolor="0.6", label=name)
        for color, name in zip(_SHADES, _STATES, strict=True)
    ]
    ax.legend(handles=patches, fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=3)
    return ax


def plot_comparison(comparison: xr.Dataset, *, ax: Axes | None = None) -> Axes:
    """Which statements hold for which side, without and with the covariates.

    Parameters
    ----------
    comparison
        Result of :func:`neurodrift.compare`.
    ax
        Axes to draw into; new ones when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        A table of verdicts with estimates and intervals, as
        :func:`neurodrift.plotting.plot_statements` draws it.

    Examples
    --------
    >>> import neurodrift as nd
    >>> one, other = (
    ...     nd.analyze(nd.testing.linear_track(n_units=8, n_sessions=3, minutes=1, seed=seed),
    ...                measures=["sessions", "drift"])
    ...     for seed in (0, 1)
    ... )
    >>> ax = nd.plot_comparison(nd.compare(one, other, names=["one", "other"]))
    """
    return beside.plot_statements(comparison, ax=ax)


def _node(results: xr.DataTree, *names: str) -> xr.Dataset:
    """The first of some nodes that the results have."""
    expect_type("results", results, xr.DataTree, "a tree of results, as neurodrift.analyze gives")
    for name in names:
        if name in results.children:
            return results[name].to_dataset()
    raise ValueError(f"the results have no {' and no '.join(names)}: see results.attrs['left_out']")


def _examples(results: xr.DataTree, n_units: int) -> list[Hashable]:
    """Units that are place cells in most sessions, of equals those with most information."""
    cells = _node(results, "place_cells")
    often = cells["is_place_cell"].sum("session").values
    information = np.nan_to_num(cells["information"].values)
    most = information.max(
        axis=tuple(i for i, d in enumerate(cells["information"].dims) if d != "unit")
    )
    order = np.lexsort([-most, -often])
    return list(cells["unit"].values[order[:n_units]].tolist())
