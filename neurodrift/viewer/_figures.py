"""Pictures of the view, drawn by bokeh."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from bokeh.models import BasicTicker, ColorBar, FixedTicker, HoverTool, LinearColorMapper, Range1d
from bokeh.palettes import Viridis256
from bokeh.plotting import figure

from neurodrift.analysis.drift.curve import DriftCurve
from neurodrift.geometry.geometry import geometry_of
from neurodrift.plotting._geometry import axis_label, stretches
from neurodrift.viewer.cells import Cells, Pair, Raster, vector_correlations

INK, ACCENT, FAINT, GREY = "#26323f", "#c2410c", "#9aa5b1", "#e3e7eb"
_MOST_BOXES = 16  # maps of two axes side by side


def maps_of_days(cells: Cells, unit: int, session: int) -> list[Any]:
    """Maps of one cell in all sessions: of one axis below each other, of two side by side."""
    rate = cells.maps(unit)
    if rate is None:
        return [_activity(cells, unit)]
    colors = _colors(rate.values)
    if "y_bin" in rate.coords:
        return _boxes(cells, rate, unit, session, colors)
    return [
        _rows(cells, rate.isel(direction=k), unit, session, colors, _way(rate, k))
        for k in range(rate.sizes["direction"])
    ]


def _rows(
    cells: Cells,
    rate: xr.DataArray,
    unit: int,
    session: int,
    colors: LinearColorMapper,
    way: str,
) -> Any:
    n = len(cells.sessions)
    height = 96 + n * (22 if n <= 20 else 9)
    plot = _figure(height, axis_label(rate), "", title=way, y_range=(n, 0))
    plot.background_fill_color = GREY
    _image(plot, rate, colors)
    _session_axis(plot, cells, unit)
    plot.rect(
        x=np.mean([plot.x_range.start, plot.x_range.end]),
        y=session + 0.5,
        width=plot.x_range.end - plot.x_range.start,
        height=1,
        fill_alpha=0,
        line_color=ACCENT,
        line_width=2,
    )
    plot.add_layout(_bar(colors, str(rate.attrs.get("units", ""))), "right")
    return plot


def _image(plot: Any, rate: xr.DataArray, colors: LinearColorMapper) -> None:
    """Maps (row, position) from top to bottom, the arms of a maze apart."""
    found = stretches(rate)
    for where, left, right in found:
        values = np.array(rate.values[:, where], dtype=float)
        plot.image(
            image=[values], x=left, y=0, dw=right - left, dh=values.shape[0], color_mapper=colors
        )
    plot.x_range = Range1d(found[0][1], found[-1][2])
    if "part" in rate.coords:
        middle = [(left + right) / 2 for _, left, right in found]
        names = [str(rate["part"].values[where.start]) for where, _, _ in found]
        plot.xaxis.ticker = FixedTicker(ticks=middle)
        plot.xaxis.major_label_overrides = dict(zip(middle, names, strict=True))
        plot.xaxis.major_label_orientation = 0.6


def _session_axis(plot: Any, cells: Cells, unit: int) -> None:
    """Names of sessions, a dot for those in which the cell is a place cell."""
    n, place = len(cells.sessions), cells.is_place_cell
    shown = np.unique(np.linspace(0, n - 1, min(n, 20)).round().astype(int))
    ticks = [float(i) + 0.5 for i in shown]
    labels = {}
    for i, tick in zip(shown, ticks, strict=True):
        mark = " \u25cf" if place is not None and place[i, unit] else ""
        lost = "" if cells.detected[i, unit] else " \u2013"
        labels[tick] = f"{cells.titles[i]}{mark}{lost}"
    plot.yaxis.ticker = FixedTicker(ticks=ticks)
    plot.yaxis.major_label_overrides = labels
    plot.yaxis.major_tick_line_color = None


def _boxes(
    cells: Cells, rate: xr.DataArray, unit: int, session: int, colors: LinearColorMapper
) -> list[Any]:
    n = len(cells.sessions)
    shown = np.unique(np.linspace(0, n - 1, min(n, _MOST_BOXES)).round().astype(int))
    drawn = []
    for i in np.unique(np.append(shown, session)).tolist():
        place = cells.is_place_cell
        mark = " \u25cf" if place is not None and place[i, unit] else ""
        lost = "" if cells.detected[i, unit] else ", not detected"
        plot = _box(rate.isel(session=i, direction=0), colors, f"{cells.titles[i]}{mark}{lost}")
        if i == session:
            plot.outline_line_color, plot.outline_line_width = ACCENT, 2
        drawn.append(plot)
    bar = _bar(colors, str(rate.attrs.get("units", "")))
    drawn[-1].width += 60
    drawn[-1].add_layout(bar, "right")
    return drawn


def maps_of_pair(cells: Cells, unit: int, pair: tuple[int, int]) -> list[Any]:
    """Maps with two axes of one cell in two sessions."""
    rate = cells.maps(unit)
    assert rate is not None
    both = rate.isel(session=list(pair), direction=0)
    colors, label = _colors(both.values), cells.units[unit]
    return [
        _box(both.isel(session=k), colors, f"{cells.noun} {label}, {cells.titles[i]}")
        for k, i in enumerate(pair)
    ]


def _box(values: xr.DataArray, colors: LinearColorMapper, title: str) -> Any:
    grid, x, y = _grid(values)
    wide = 190
    tall = int(np.clip(wide * (y[1] - y[0]) / (x[1] - x[0]), 60, 260))
    plot = figure(
        width=wide,
        height=tall + 28,
        x_range=x,
        y_range=y,
        tools="",
        toolbar_location=None,
        title=title,
        match_aspect=True,
    )
    _plain(plot)
    plot.background_fill_color = GREY
    plot.axis.visible = False
    plot.image(image=[grid], x=x[0], y=y[0], dw=x[1] - x[0], dh=y[1] - y[0], color_mapper=colors)
    return plot


def _grid(values: xr.DataArray) -> tuple[np.ndarray, tuple[float, float], tuple[float, float]]:
    """Values (position) of two axes as an image (y, x), and the ends of both axes."""
    at_x, at_y = values["x_bin"].values, values["y_bin"].values
    xs, ys = _centres(at_x), _centres(at_y)
    grid = np.full((ys.size, xs.size), np.nan)
    column = np.abs(at_x[:, None] - xs).argmin(axis=1)
    row = np.abs(at_y[:, None] - ys).argmin(axis=1)
    grid[row, column] = values.values
    half_x, half_y = (np.diff(v)[0] / 2 if v.size > 1 else 0.5 for v in (xs, ys))
    return grid, (xs[0] - half_x, xs[-1] + half_x), (ys[0] - half_y, ys[-1] + half_y)


def _centres(values: np.ndarray) -> np.ndarray:
    """Evenly spaced centres of bins, those among them too that no map has."""
    known = np.unique(values)
    if known.size < 2:
        return known
    step = np.diff(known).min()
    return np.asarray(known[0] + step * np.arange(round((known[-1] - known[0]) / step) + 1))


def _activity(cells: Cells, unit: int) -> Any:
    """Mean activity of a cell without maps, a bar a session."""
    values, n = cells.activity(unit), len(cells.sessions)
    plot = _figure(96 + 22 * min(n, 20), f"mean activity [{_unit_of(cells)}]", "", y_range=(n, 0))
    plot.hbar(
        y=np.arange(n) + 0.5, right=np.nan_to_num(values), height=0.7, color=INK, fill_alpha=0.85
    )
    _session_axis(plot, cells, unit)
    return plot


def _unit_of(cells: Cells) -> str:
    return "Hz" if cells.kind in ("spikes", "events") else "a.u."


def raster(found: Raster) -> Any:
    """Where a cell was active in every lap of a session, or on its way through an arena."""
    label, (x, row) = found.row_label, found.ends
    plane = label.startswith("y ")
    half = 0.5 if label in ("lap", "minute") else 0.0
    down = None if plane else (row[1] + half, row[0] - half)
    plot = _figure(420 if plane else 360, found.x_label, label, y_range=down)
    if not plane:
        wide = 0.02 * (x[1] - x[0]) or 1.0
        plot.x_range = Range1d(x[0] - wide, x[1] + wide)
    if found.path.size:
        plot.line(*found.path, color="#c8d0d8", line_width=0.7)
        plot.match_aspect = True
    plot.scatter(
        found.x, found.row, size=4, color=INK, line_color=None, alpha=0.2 + 0.8 * found.strength
    )
    return plot


def lap_map(rate: xr.DataArray) -> list[Any]:
    """Maps of single laps of a session, as results hold them of example cells."""
    colors, n = _colors(rate.values), rate.sizes["segment"]
    drawn = []
    for k in range(rate.sizes["direction"]):
        height = 90 + min(12 * n, 300)
        plot = _figure(height, axis_label(rate), "lap", title=_way(rate, k), y_range=(n, 0))
        plot.background_fill_color = GREY
        _image(plot, rate.isel(direction=k), colors)
        plot.add_layout(_bar(colors, str(rate.attrs.get("units", ""))), "right")
        drawn.append(plot)
    return drawn


def pair_maps(found: Pair, titles: tuple[str, str], chosen: str, noun: str) -> list[list[Any]]:
    """Maps of both sessions, sorted by the peaks of the first, and their population vectors.

    Pictures that belong side by side, for each running direction.
    """
    if "position" not in found.a.dims:
        return [[_pair_of_activity(found, titles)]]
    if "y_bin" in found.a.coords:
        return [_pair_of_boxes(found)]
    drawn = []
    for k in range(found.a.sizes["direction"]):
        one, other = found.a.isel(direction=k), found.b.isel(direction=k)
        order = _by_peak(one.values)
        names = one["unit"].values.astype(str)[order]
        colors = LinearColorMapper(palette=Viridis256, low=0, high=1, nan_color=GREY)
        row = []
        for values, title in zip((one, other), titles, strict=True):
            height = int(np.clip(90 + 6 * order.size, 180, 420))
            head = f"{title}{', ' if _way(found.a, k) else ''}{_way(found.a, k)}"
            plot = _figure(height, axis_label(values), "", title=head, y_range=(order.size, 0))
            plot.background_fill_color = GREY
            _image(plot, _relative(values.isel(unit=order)), colors)
            plot.yaxis.ticker = FixedTicker(ticks=[])
            if chosen in names:
                at = float(names.tolist().index(chosen)) + 0.5
                plot.yaxis.ticker = FixedTicker(ticks=[at])
                plot.yaxis.major_label_overrides = {at: f"{noun} {chosen}"}
            row.append(plot)
        drawn.append([*row, _vectors(one, other, titles)])
    return drawn


def _vectors(one: xr.DataArray, other: xr.DataArray, titles: tuple[str, str]) -> Any:
    """Correlation of the population at each position of a with each position of b."""
    r = vector_correlations(one.values, other.values)
    found = stretches(one)
    ends = (found[0][1], found[-1][2])
    if len(found) > 1:  # arms of a maze, one after the other: bins are counted
        ends = (0.0, float(len(r)))
    colors = LinearColorMapper(palette=Viridis256, low=-0.2, high=1, nan_color=GREY)
    plot = _figure(340, f"{titles[1]}", f"{titles[0]}", title="population vectors, correlation")
    wide = ends[1] - ends[0]
    plot.image(image=[r], x=ends[0], y=ends[0], dw=wide, dh=wide, color_mapper=colors)
    plot.x_range, plot.y_range = Range1d(*ends), Range1d(*ends)
    plot.add_layout(_bar(colors, ""), "right")
    return plot


def _pair_of_boxes(found: Pair) -> list[Any]:
    """Of maps with two axes, the correlation of the population in each bin."""
    one, other = found.a.isel(direction=0), found.b.isel(direction=0)
    r = np.diagonal(vector_correlations(one.values, other.values)).copy()
    colors = LinearColorMapper(palette=Viridis256, low=-0.2, high=1, nan_color=GREY)
    at = one.isel(unit=0, drop=True) if one.sizes["unit"] else one.sum("unit")
    plot = _box(at.copy(data=r), colors, "population vectors")
    plot.width, plot.height = plot.width + 130, plot.height + 60
    plot.add_layout(_bar(colors, ""), "right")
    return [plot]


def _pair_of_activity(found: Pair, titles: tuple[str, str]) -> Any:
    """Mean activity of each cell in one session against the other."""
    a, b = found.a.values.astype(float), found.b.values.astype(float)
    plot = _figure(360, f"mean activity, {titles[0]}", f"mean activity, {titles[1]}")
    plot.scatter(a, b, size=6, color=INK, alpha=0.6, line_color=None)
    return plot


def drift(curve: DriftCurve | None, own: np.ndarray | None, cells: Cells, unit: int) -> list[Any]:
    """The drift curve of all cells, and the maps of one cell in every pair of sessions."""
    drawn = []
    if curve is not None and curve.at.size:
        plot = _figure(320, curve.label, "correlation", title=f"all {cells.noun}s")
        plot.scatter(curve.lags, curve.values, size=5, color="#b8c1cb", line_color=None)
        plot.line(curve.at, curve.mean, color=INK, line_width=2)
        plot.scatter(curve.at, curve.mean, size=7, color=INK, line_color=None)
        if curve.ceiling is not None:
            ends = [float(np.min(curve.lags)), float(np.max(curve.lags))]
            plot.line(
                ends,
                [curve.ceiling] * 2,
                color=ACCENT,
                line_dash="dashed",
                line_width=2,
                legend_label="ceiling: halves of one session",
            )
            plot.legend.border_line_color = None
            plot.legend.location = "bottom_left"
            plot.legend.background_fill_alpha = 0.7
        drawn.append(plot)
    if own is not None and len(own) > 1:
        drawn.append(_own_matrix(own, cells, unit))
    return drawn


def _own_matrix(own: np.ndarray, cells: Cells, unit: int) -> Any:
    n = len(own)
    plot = _figure(
        340, "", "", title=f"maps of {cells.noun} {cells.units[unit]}, correlation", y_range=(n, 0)
    )
    plot.x_range = Range1d(0, n)
    plot.background_fill_color = GREY
    colors = LinearColorMapper(palette=Viridis256, low=-0.2, high=1, nan_color=GREY)
    plot.image(image=[own], x=0, y=0, dw=n, dh=n, color_mapper=colors)
    _session_axis(plot, cells, unit)
    plot.xaxis.ticker = plot.yaxis.ticker
    plot.xaxis.major_label_overrides = plot.yaxis.major_label_overrides
    plot.xaxis.major_label_orientation = 0.8
    plot.add_layout(_bar(colors, ""), "right")
    return plot


def _figure(
    height: int,
    x_label: str,
    y_label: str,
    *,
    title: str = "",
    y_range: tuple[float, float] | None = None,
) -> Any:
    options: dict[str, Any] = {} if y_range is None else {"y_range": Range1d(*y_range)}
    if title:
        options["title"] = title
    plot = figure(
        height=height,
        sizing_mode="stretch_width",
        min_width=280,
        tools="",
        toolbar_location=None,
        x_axis_label=x_label,
        y_axis_label=y_label or None,
        **options,
    )
    plot.add_tools(HoverTool(tooltips=None))
    _plain(plot)
    return plot


def _plain(plot: Any) -> None:
    plot.grid.grid_line_color = None
    plot.axis.axis_label_text_font_style = "normal"
    plot.axis.axis_label_text_color = INK
    plot.axis.major_label_text_color = INK
    plot.axis.minor_tick_line_color = None
    plot.title.text_font_size = "12px"
    plot.title.text_font_style = "normal"
    plot.title.text_color = INK
    plot.outline_line_color = FAINT


def _bar(colors: LinearColorMapper, unit: str) -> ColorBar:
    return ColorBar(
        color_mapper=colors,
        width=8,
        ticker=BasicTicker(desired_num_ticks=4),
        title=unit or None,
        title_text_font_style="normal",
        major_label_text_color=INK,
        padding=4,
    )


def _colors(values: np.ndarray) -> LinearColorMapper:
    """Colours from 0, or from the lowest value below it, to the highest of all sessions."""
    known = values[np.isfinite(values)]
    low = min(0.0, float(known.min())) if known.size else 0.0
    high = float(known.max()) if known.size else 1.0
    high = high if high > low else low + 1.0
    return LinearColorMapper(palette=Viridis256, low=low, high=high, nan_color=GREY)


def _relative(values: xr.DataArray) -> xr.DataArray:
    peak = values.max("position")
    return values / peak.where(peak > 0)


def _by_peak(rate: np.ndarray) -> np.ndarray:
    filled = np.where(np.isfinite(rate), rate, -np.inf)
    return np.argsort(filled.argmax(axis=-1), kind="stable") if rate.shape[0] else np.arange(0)


def _way(rate: xr.DataArray, k: int) -> str:
    """A running direction in words; nothing where there is one entry only."""
    if rate.sizes["direction"] < 2:
        return ""
    if "trial_type" in rate.coords:
        return f"trials of type {rate['trial_type'].values[k]}"
    geometry = geometry_of(rate)
    code = int(rate["direction"].values[k])
    way = {1: "forward", -1: "backward"}.get(code, "both directions")
    return f"{geometry.variable}, {way}" if not geometry.is_place else f"running {way}"
