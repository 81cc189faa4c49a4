"""Example cells day by day: every lap of each session, and the map below."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from neurodrift.analysis.drift.examples import choose_examples
from neurodrift.report.chart import Figure, Grid, Panel
from neurodrift.report.maps import (
    ends_of,
    parts_words,
    place_maps,
    rates_frame,
    session_title,
    shown_sessions,
    starts_of,
    way_names,
)
from neurodrift.report.view import View
from neurodrift.report.words import number

_ROLES = {
    "steady": "hardly changes",
    "typical": "changes as most do",
    "changed": "changes most",
}
_TOP = 0.9  # quantile of the rates of laps that is the brightest colour


def example_figures(view: View) -> list[Figure]:
    """A few cells that a rule chose, in every session.

    Parameters
    ----------
    view
        Results of one recording.

    Returns
    -------
    list of Figure
        One for each cell: first a steady, a typical and a changed one, then the others. Where the
        results hold maps of single laps, a picture has a row for each lap; in two dimensions it is
        the map of the session.
    """
    maps = view.nodes.get("smoothed_maps")
    if maps is None or not maps.sizes["unit"]:
        return []
    laps = view.nodes.get("lap_maps")
    if laps is not None and "y_bin" not in maps.coords:
        roles = laps["role"].values.astype(str).tolist()
        chosen = list(zip(laps["unit"].values.tolist(), roles, strict=True))
    else:
        laps = None
        found = choose_examples(
            view.nodes.get("place_cells"), view.nodes["drift"], view.nodes["sparsity"]
        )
        chosen = [(label, role) for role, some in found.items() for label in some]
    firsts: dict[str, int] = {}
    rank = []
    for i, (_, role) in enumerate(chosen):
        firsts[role] = firsts.get(role, -1) + 1
        rank.append((firsts[role], i))
    return [_figure(view, maps, laps, *chosen[i]) for _, i in sorted(rank)]


def _figure(
    view: View, maps: xr.Dataset, laps: xr.Dataset | None, label: object, role: str
) -> Figure:
    one = maps.sel(unit=label)
    k = _best_direction(view, one, label)
    ways = way_names(maps)
    rate = one["rate"].transpose("session", "direction", "position").values[:, k]
    top = float(np.nanmax(np.append(rate, 0.0))) or 1.0
    unit = str(maps["rate"].attrs.get("units", "a.u."))
    detected = one["detected"].values.astype(bool)
    place = _place(view, label, k)
    by_lap = {} if laps is None else _laps(laps.sel(unit=label), view.labels, k)
    scale = 1.0
    if by_lap:
        found = np.concatenate([values.ravel() for _, values in by_lap.values()])
        found = found[np.isfinite(found) & (found > 0)]
        scale = float(np.quantile(found, _TOP)) if found.size else 1.0
    panels, frames = [], []
    plane = _plane(maps) if "y_bin" in maps.coords else None
    for s in shown_sessions(len(view.labels)).tolist():
        title = session_title(view, s)
        note = f"peak {number(np.nanmax(np.append(rate[s], 0.0)), 2)} {unit}"
        note += ", place cell" if place[s] else ""
        if not detected[s]:
            note = "not detected"
        curve, rows = rate[s] / top, None
        if view.labels[s] in by_lap and detected[s]:
            numbers, rows = by_lap[view.labels[s]]
            values = np.clip(rows / scale, 0, 1)
        elif plane is not None:
            values = np.where(plane >= 0, (rate[s] / top)[plane], np.nan)
        else:
            values = (rate[s] / top)[None]
        if not detected[s]:
            values = np.full_like(values, np.nan)
        panels.append(
            Panel(title, values, note, None if plane is not None else curve, starts_of(maps))
        )
        table = rate[s][None] if rows is None else np.vstack([rate[s], rows])
        what = ["whole session"] if rows is None else ["whole session", *map(str, numbers)]
        frames.append(_frame(maps, table, view.labels[s], what, unit))
    noun = view.noun
    way = f", {ways[k]}" if ways[k] else ""
    title = f"{noun.capitalize()} {label}{way}: {_ROLES.get(role, role)}"
    if by_lap:
        caption = (
            f"Laps: bright is {number(scale, 2)} {unit} or more. Line: up to {number(top, 2)} "
            f"{unit.rstrip('.')}."
        )
    else:
        caption = f"Maps of all sessions on one scale, up to {number(top)} {unit.rstrip('.')}."
    caption += parts_words(maps)
    tall = 0.75 if by_lap else 0.25
    if plane is not None:
        tall = plane.shape[0] / plane.shape[1]
    grid = Grid([("", panels)], ends_of(maps), "laps", tall=tall, high=f"{number(scale, 2)} {unit}")
    name = f"example-{role}-" + "".join(
        c if c.isascii() and c.isalnum() else "-" for c in str(label)
    )
    return Figure(name[:60], title, caption, grid, pd.concat(frames, ignore_index=True))


def _best_direction(view: View, one: xr.Dataset, label: object) -> int:
    """The direction in which a unit is a place cell most often, then that with the higher peak."""
    peaks = one["rate"].max(("session", "position")).fillna(0.0).values
    times = np.zeros(peaks.size)
    cells = view.nodes.get("place_cells")
    if cells is not None and "significant" in cells and "direction" in cells["significant"].dims:
        times = cells["significant"].sel(unit=label).sum("session").values
    return int(np.lexsort((-peaks, -times))[0])


def _place(view: View, label: object, k: int) -> np.ndarray:
    """Whether a unit is a place cell in each session, in a direction where there are several."""
    cells = view.nodes.get("place_cells")
    if cells is None:
        return np.zeros(len(view.labels), dtype=bool)
    return place_maps(cells, k).sel(unit=label).values.astype(bool)


def _laps(one: xr.Dataset, labels: list[str], k: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Number and map of the laps of each session that were run in one direction."""
    whole = one["rate"].transpose("segment", "direction", "position").values.astype(float)
    visited = np.isfinite(whole).sum(axis=-1)
    run = (visited.argmax(axis=1) == k) & (visited[:, k] > 0)
    rate, sessions = whole[:, k].copy(), one["session"].values.astype(str)
    # a lap ends where its end zone begins: what is run on in the same direction is of the next one
    for step in (-1, 1):
        near = np.full_like(rate, np.nan)
        target, source = (
            (slice(None, -1), slice(1, None)) if step > 0 else (slice(1, None), slice(-1))
        )
        near[target] = np.where(
            (sessions[target] == sessions[source])[:, None], whole[source, k], np.nan
        )
        rate = np.where(np.isnan(rate), near, rate)
    lap = one["lap"].values
    return {
        name: (lap[(sessions == name) & run], rate[(sessions == name) & run])
        for name in labels
        if ((sessions == name) & run).any()
    }


def _plane(maps: xr.Dataset) -> np.ndarray:
    """Bin of each place of a plane, the largest y on top; -1 where there is none."""
    x, y = maps["x_bin"].values, maps["y_bin"].values
    xs, column = np.unique(x, return_inverse=True)
    ys, row = np.unique(y, return_inverse=True)
    found = np.full((ys.size, xs.size), -1)
    found[ys.size - 1 - row, column] = np.arange(x.size)
    return found


def _frame(
    maps: xr.Dataset, values: np.ndarray, session: str, laps: list[str], unit: str
) -> pd.DataFrame:
    frame = rates_frame(maps, values, unit)
    frame.insert(0, "session", session)
    frame.insert(1, "lap", laps)
    return frame
