"""The standard pictures, each by one call on results; `neurodrift.plotting` has their parts."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from neurodrift.analysis.drift.curve import Axis, drift_curve
from neurodrift.analysis.fields.sentences import mean_by_lag
from neurodrift.analysis.maps.rate_maps import order_by_peak
from neurodrift.plotting import comparison as beside
from neurodrift.plotting._geometry import axis_label
from neurodrift.plotting._style import few_ticks, new_axes, new_figure, thinned
from neurodrift.plotting.decoding import plot_decoding_errors
from neurodrift.plotting.maps import plot_rate_maps
from neurodrift.plotting.series import plot_decay, plot_session_series
from neurodrift.plotting.survival import plot_shares, plot_still
from neurodrift.plotting.within import plot_minutes_and_days
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
_MOST_TICKS = 10
_LETTERS = 34  # that fit below an axis of 4 inches


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
    results: xr.DataTree | xr.Dataset,
    recording: xr.Dataset | xr.DataTree | None = None,
    *,
    units: Sequence[Hashable] | None = None,
    n_units: int = 4,
) -> Figure:
    """Example cells: where each was active in every lap of every session.

    Parameters
    ----------
    results
        Results of :func:`neurodrift.analyze`.
    recording
        The recording that was analysed, with a position along one axis; both may be given in
        either order. Without it, the maps of single laps that results hold of a few example cells
        (node ``lap_maps``) are drawn.
    units
        Labels of the units; when omitted, the `n_units` that are place cells in most sessions, of
        equals those with most information; without a recording the first of the examples.
    n_units
        Number of units to draw.

    Returns
    -------
    matplotlib.figure.Figure
        A row for each unit, a column for each session: a dot for every frame with activity, at its
        position and lap (at its time where there are no laps); without a recording a row of pixels
        for each lap. Sessions in which the unit was not detected are grey.

    Raises
    ------
    ValueError
        If there is no position along one axis, a unit is unknown, or, without a recording, the
        results hold no maps of its laps.

    Examples
    --------
    >>> import neurodrift as nd
    >>> track = nd.testing.linear_track(n_units=6, n_sessions=2, minutes=4)
    >>> results = nd.analyze(track, measures=["place_cells", "lap_maps"], n_repeats=20)
    >>> len(nd.plot_cells(results, track, n_units=2).axes)
    4
    >>> len(nd.plot_cells(results, n_units=1).axes)
    2
    """
    if isinstance(results, xr.Dataset):
        results, recording = recording, results  # type: ignore[assignment]
    expect_type("results", results, xr.DataTree, "a tree of results, as neurodrift.analyze gives")
    assert isinstance(results, xr.DataTree)
    if recording is None:
        return _laps_of_results(results, units, n_units)
    expect_type("recording", recording, xr.Dataset, "a recording")
    assert isinstance(recording, xr.Dataset)
    if "x" not in recording or "y" in recording:
        raise ValueError("example cells need a recording with a position along one axis")
    chosen = _examples(results, n_units) if units is None else list(units)
    _refuse_unknown(chosen, recording["unit"].values, "the recording has")
    sessions, parts = recording["session"].values, slice_sessions(recording)
    figure, grid = _grid_of_cells(chosen, sessions)
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
            if k == 0:
                name = "lap" if "lap" in own else "time [min]"
                ax.set_ylabel(f"unit {unit}\n{name}", fontsize=8)
    unit_of_x = recording["x"].attrs.get("units", "cm")
    grid[-1, len(sessions) // 2].set_xlabel(f"position [{unit_of_x}]", fontsize=8)
    return figure


def _laps_of_results(
    results: xr.DataTree, units: Sequence[Hashable] | None, n_units: int
) -> Figure:
    """Maps of the single laps of a few cells."""
    laps = _node(results, "lap_maps")
    there = laps["unit"].values
    chosen = there[:n_units].tolist() if units is None else list(units)
    missing = [unit for unit in chosen if unit not in there]
    if missing:
        held = ", ".join(map(str, there))
        raise ValueError(
            f"the results hold laps of units {held}, not of {missing[0]!r}: give the recording too"
        )
    owner = laps["session"].values.astype(str)
    sessions = list(dict.fromkeys(owner.tolist()))
    if "sparsity" in results.children:  # those without a lap too
        sessions = results["sparsity"].to_dataset()["session"].values.astype(str).tolist()
    figure, grid = _grid_of_cells(chosen, sessions)
    rate = laps["rate"].transpose("unit", "segment", "direction", "position")
    shown = rate.sel(unit=chosen).fillna(-np.inf).max("direction").values  # a lap has one direction
    shown = np.where(np.isfinite(shown), shown, np.nan)
    x = laps["x_bin"].values
    half = float(np.diff(x).min()) / 2 if x.size > 1 else 0.5
    top = np.nanmax(shown, axis=(1, 2), initial=0.0)
    for k, session in enumerate(sessions):
        for i, unit in enumerate(chosen):
            ax, values = grid[i, k], shown[i][owner == str(session)]
            ax.set_facecolor("0.9")
            if np.isfinite(values).any():
                ax.imshow(
                    values,
                    aspect="auto",
                    interpolation="nearest",
                    vmin=0,
                    vmax=top[i] or 1.0,
                    extent=(x[0] - half, x[-1] + half, len(values) - 0.5, -0.5),
                )
            if k == 0:
                ax.set_ylabel(f"unit {unit}\nlap", fontsize=8)
    grid[-1, len(sessions) // 2].set_xlabel(axis_label(laps), fontsize=8)
    return figure


def _grid_of_cells(
    units: Sequence[Hashable], sessions: Sequence[Hashable] | np.ndarray
) -> tuple[Figure, np.ndarray]:
    """Axes (unit, session) with the names of the sessions."""
    figure = new_figure((1.0 + 1.3 * len(sessions), 0.7 + 1.2 * len(units)))
    grid = figure.subplots(len(units), len(sessions), sharex=True, sharey="col", squeeze=False)
    for k, session in enumerate(sessions):
        grid[0, k].set_title(f"session {session}", fontsize=8)
    for ax in grid.ravel():
        ax.tick_params(labelsize=6)
    return figure, grid


def _refuse_unknown(units: Sequence[Hashable], there: np.ndarray, who: str) -> None:
    missing = [unit for unit in units if unit not in there]
    if missing:
        raise ValueError(f"{who} no unit {missing[0]!r}")


def plot_survival(results: xr.DataTree, *, ax: Axes | None = None) -> Axes:
    """Share of the place cells of a session that are place cells in a later one.

    Parameters
    ----------
    results
        Results of :func:`neurodrift.analyze` with the node ``turnover``.
    ax
        Axes to draw into; new ones when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        As found, and without the errors of the test where they are known, with 95 % intervals over
        units.

    Raises
    ------
    ValueError
        If the results have no such node, or no pair of sessions.

    Examples
    --------
    >>> import neurodrift as nd
    >>> track = nd.testing.linear_track(n_units=20, n_sessions=3, minutes=6)
    >>> results = nd.analyze(track, measures=["turnover"], n_repeats=20)
    >>> nd.plot_survival(results).get_xlabel()
    'sessions later'
    """
    node = _node(results, "turnover")
    if "still_by_lag" not in node:
        raise ValueError("the results have one session, and nothing that could be lost")

    def ends(name: str) -> tuple[np.ndarray, np.ndarray]:
        low, high = (node[f"{name}_by_lag_ci_{end}"].values for end in ("low", "high"))
        return low, high

    noun = "active units" if node.attrs.get("kind") == "active" else "place cells"
    return plot_still(
        node["step"].values,
        node["still_by_lag"].values,
        ends("still"),
        corrected=node["still_corrected_by_lag"].values,
        corrected_interval=ends("still_corrected"),
        label=f"share that are {noun} again",
        ax=ax,
    )


def plot_fields_followed(results: xr.DataTree, *, ax: Axes | None = None) -> Axes:
    """Shares of place fields that are kept, moved and lost, by the sessions between.

    Parameters
    ----------
    results
        Results of :func:`neurodrift.analyze` with the node ``fields``.
    ax
        Axes to draw into; new ones when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Means over pairs of sessions; dashed, the share kept with fields of other units.

    Raises
    ------
    ValueError
        If the results have no such node.

    Examples
    --------
    >>> import neurodrift as nd
    >>> track = nd.testing.linear_track(n_units=20, n_sessions=3, minutes=6)
    >>> results = nd.analyze(track, measures=["fields"], n_repeats=20)
    >>> nd.plot_fields_followed(results).get_ylabel()
    'share of fields'
    """
    node = _node(results, "fields")
    shares = {name: mean_by_lag(node, name) for name in ("kept", "moved", "lost")}
    step = np.arange(1, shares["kept"].size + 1)
    return plot_shares(step, shares, chance=mean_by_lag(node, "kept_chance"), ax=ax)


def plot_drift(
    results: xr.DataTree,
    *,
    measure: str = "rate_map_correlation",
    axis: Axis = "auto",
    ax: Axes | None = None,
) -> Axes:
    """Drift curve: similarity of two sessions against the time between them, with its ceiling.

    Parameters
    ----------
    results
        Results of :func:`neurodrift.analyze`.
    measure
        A measure of the node ``session_drift``, or ``drift`` where that is missing.
    axis
        What the time between two sessions is counted in: ``session``, ``day``, ``experience`` [min]
        or ``training_step``; ``auto``: training steps of a network, otherwise days where every
        session has its own, otherwise sessions.
    ax
        Axes to draw into; new ones when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Every pair, the mean over the pairs with as many sessions between them, and as a dashed line
        the mean similarity of two halves of one session, which noise alone would leave. A network
        whose activity is a function of its input has no noise, and so no ceiling. No intervals:
        pairs share sessions.

    Raises
    ------
    ValueError
        If there is no such measure, or the sessions have no such axis.

    Examples
    --------
    >>> import neurodrift as nd
    >>> track = nd.testing.linear_track(n_units=6, n_sessions=3, minutes=4)
    >>> results = nd.analyze(track, measures=["session_drift"], n_repeats=20)
    >>> drawn = nd.plot_drift(results)
    >>> drawn.get_xlabel(), drawn.get_ylabel()
    ('lag [days]', 'rate map correlation')
    """
    pairs = _node(results, "session_drift", "drift")
    curve = drift_curve(pairs, measure, axis=axis, noise_free=_is_noise_free(results))
    drawn = plot_decay(
        curve.at,
        curve.mean,
        points=(curve.lags, curve.values),
        ceiling=curve.ceiling,
        lag_label=curve.label,
        label=measure.replace("_", " "),
        ax=ax,
    )
    whole = bool((curve.at == np.round(curve.at)).all())  # means over uneven days are not
    if whole and curve.at.size <= _MOST_TICKS and curve.at.max(initial=0) < 1000:
        drawn.set_xticks(curve.at)
    else:
        few_ticks(drawn, axis if axis != "auto" else curve.label)
    return drawn


def plot_decoding(results: xr.DataTree | xr.Dataset, *, ax: Axes | None = None) -> Axes:
    """Decoding error against the time between sessions, with chance and the own error.

    Parameters
    ----------
    results
        Results of :func:`neurodrift.analyze` with the node ``decoding``, or the result of
        :func:`neurodrift.decode_across_sessions`.
    ax
        Axes to draw into; new ones when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        As of :func:`neurodrift.plotting.plot_decoding_errors`.

    Raises
    ------
    ValueError
        If the results have no such node, or no pair has an error.

    Examples
    --------
    >>> import neurodrift as nd
    >>> track = nd.testing.linear_track(n_units=20, n_sessions=3, minutes=4)
    >>> nd.plot_decoding(nd.analyze(track, measures=["decoding"])).get_xlabel()
    'lag [days]'
    """
    found = _node(results, "decoding") if isinstance(results, xr.DataTree) else results
    return plot_decoding_errors(found, ax=ax)


def plot_within_drift(
    results: xr.DataTree | xr.Dataset, *, axes: tuple[Axes, Axes] | None = None
) -> tuple[Axes, Axes]:
    """Similarity of maps by the minute within sessions and by the day between them.

    Parameters
    ----------
    results
        Results of :func:`neurodrift.analyze` with the node ``within_drift``, or the result of
        :func:`neurodrift.compute_within_drift`.
    axes
        Two axes to draw into; new ones when omitted.

    Returns
    -------
    tuple of matplotlib.axes.Axes
        As of :func:`neurodrift.plotting.plot_minutes_and_days`.

    Raises
    ------
    ValueError
        If the results have no such node, or no part of a session has a similarity.

    Examples
    --------
    >>> import neurodrift as nd
    >>> track = nd.testing.linear_track(n_units=40, n_sessions=3, minutes=4)
    >>> left, right = nd.plot_within_drift(nd.compute_within_drift(track, by="minute"))
    >>> right.get_xlabel()
    'days between sessions'
    """
    found = _node(results, "within_drift") if isinstance(results, xr.DataTree) else results
    return plot_minutes_and_days(found, axes=axes)


def _is_noise_free(results: xr.DataTree) -> bool:
    """Whether activity is a function of the input."""
    nodes = [node.to_dataset() for node in results.children.values()]
    return any(node.attrs.get("activity_kind") == "activation" for node in nodes)


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
        few_ticks(ax, axis)
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
    labels = [str(label) for label in found["session"].values]
    shown = thinned(len(labels), _MOST_TICKS)
    long = max(map(len, labels)) * min(len(labels), _MOST_TICKS) > _LETTERS
    turned: dict[str, Any] = {"rotation": 45, "ha": "right"} if long else {}
    ax.set_xticks(shown, [labels[i] for i in shown], **turned)
    ax.set_xlabel("session")
    ax.set_ylabel("unit")
    everywhere = int(detected.all(axis=1).sum())
    ax.set_title(f"{everywhere} of {len(state)} units in every session", fontsize=9)
    patches = [
        Patch(facecolor=color, edgecolor="0.6", label=name)
        for color, name in zip(_SHADES, _STATES, strict=True)
    ]
    below = -0.25 if turned else -0.12
    ax.legend(handles=patches, fontsize=7, loc="upper center", bbox_to_anchor=(0.5, below), ncols=3)
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
