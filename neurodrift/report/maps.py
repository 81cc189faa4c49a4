"""Maps of all sessions side by side, the cells in the order of one of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from neurodrift.geometry.geometry import geometry_of
from neurodrift.plotting._geometry import axis_label, stretches
from neurodrift.report.chart import Figure, Grid, Panel
from neurodrift.report.view import View
from neurodrift.report.words import number, plural

MAX_PANELS = 12
"""Sessions that are drawn side by side; of more, evenly spaced ones."""


def shown_sessions(n: int) -> np.ndarray:
    """Positions of the sessions that are drawn, the first and the last among them."""
    return np.unique(np.linspace(0, n - 1, min(n, MAX_PANELS)).round().astype(int))


def ends_of(maps: xr.Dataset) -> tuple[str, str]:
    """What stands at both ends of the axis of maps; nothing where it has parts with names."""
    if "part" in maps.coords or "y_bin" in maps.coords:
        return "", ""
    geometry = geometry_of(maps)
    if geometry.kind in ("circular", "vr") and geometry.length:
        low, high = geometry.origin, geometry.origin + geometry.length
    else:
        whole = stretches(maps["x_bin"])
        low, high = whole[0][1], whole[-1][2]
    return number(low), f"{number(high)}\u00a0{geometry.unit}"


def starts_of(maps: xr.Dataset) -> tuple[int, ...]:
    """Bins where the next arm of a maze or category begins."""
    if "part" not in maps.coords:
        return ()
    names = maps["part"].values.astype(str)
    return tuple(int(i) + 1 for i in np.flatnonzero(names[1:] != names[:-1]))


def parts_words(maps: xr.Dataset) -> str:
    """The parts of a maze from left to right, in words; nothing where there are none."""
    if "part" not in maps.coords:
        return ""
    names = list(dict.fromkeys(maps["part"].values.astype(str)))
    return f" From left to right: {', '.join(names)}."


def peak_bins(rate: np.ndarray) -> np.ndarray:
    """Bin (...) of the peak of maps (..., position), -1 where there is none above 0."""
    filled = np.where(np.isfinite(rate), rate, -np.inf)
    best = filled.argmax(axis=-1)
    return np.where(filled.max(axis=-1, initial=-np.inf) > 0, best, -1)


def session_title(view: View, i: int) -> str:
    """A session over its picture: its day, its training step or its label."""
    row = view.sessions.iloc[i]
    if "day" in row and np.isfinite(row["day"]):
        return f"day {number(float(row['day']))}"
    if "training_step" in row:
        return f"step {number(float(row['training_step']))}"
    return f"session {view.labels[i]}"


def sorted_figure(view: View, units: np.ndarray) -> Figure | None:
    """Maps of all sessions, the cells in the order of their peaks in the first.

    Parameters
    ----------
    view
        Results of one recording.
    units
        Positions of the units whose maps are kept on the page.

    Returns
    -------
    Figure or None
        A row for each running direction, a column for each session; None where maps have two axes
        or there is no map. Where the results hold maps of halves, cells are sorted by one half of
        the session and that session shows the other half, so that the order is not made by the
        noise that it shows.
    """
    maps = view.nodes.get("smoothed_maps")
    if maps is None or "y_bin" in maps.coords or not maps.sizes["unit"]:
        return None
    sessions = shown_sessions(len(view.labels))
    reference = reference_session(view, sessions)
    order = ("session", "unit", "direction", "position")
    rate = maps["rate"].transpose(*order).values
    halves = half_rates(view)
    ways = way_names(maps)
    sorted_by = rate if halves is None else halves[0]
    rows, frames, counts = [], [], []
    for k, way in enumerate(ways):
        chosen = units[chosen_by(view, reference, k)[units]]
        peaks = peak_bins(sorted_by[reference, chosen, k])
        chosen = chosen[np.lexsort((chosen, np.where(peaks < 0, peaks.max(initial=0) + 1, peaks)))]
        panels = []
        for s in sessions.tolist():
            other = halves is not None and s == reference
            own = halves[1][s, :, k] if halves is not None and other else rate[s, :, k]
            values = own[chosen]
            note = f"even {half_words(view)}" if other else ""
            title = session_title(view, s)
            panels.append(
                Panel(title, relative(values), note, starts=starts_of(maps), key=f"{s}-{k}")
            )
            frames.append(_frame(view, maps, chosen, values, s, way, note or "whole session"))
        rows.append((way, panels))
        counts.append(plural(chosen.size, view.noun))
    noun = view.noun
    what = f"place cells of {session_title(view, reference)}"
    if not _has_place_cells(view, reference):
        what = f"{noun}s of {session_title(view, reference)}"
    n = ", ".join(f"{count} {way}".rstrip() for count, way in zip(counts, ways, strict=True))
    caption = f"Every row is a {noun} ({what}: {n}), relative to the peak of its own map. "
    first = session_title(view, reference)
    if halves is None:
        caption += f"Sorted by the peaks of {first}, so that this session looks tidier than it is."
    else:
        caption += (
            f"Sorted by the odd {half_words(view)} of {first}, which shows its even ones; the "
            "others show all."
        )
    if any(np.isnan(panel.values).any() for _, panels in rows for panel in panels):
        caption += f" Grey: the {noun} was not detected, or the place not visited."
    if sessions.size < len(view.labels):
        n_all = number(len(view.labels))
        caption += f" {number(sessions.size)} of {n_all} sessions, evenly spaced."
    caption += parts_words(maps)
    grid = Grid(rows, ends_of(maps), noun, tall=1.25)
    title = f"Maps of all sessions ({axis_label(maps)})"
    return Figure("sorted-maps", title, caption, grid, pd.concat(frames, ignore_index=True))


def way_names(maps: xr.Dataset) -> list[str]:
    """Running directions or types of trials, in words."""
    return ways_of(maps) if maps.sizes["direction"] > 1 else [""]


def ways_of(maps: xr.Dataset) -> list[str]:
    """What is analysed apart, in words: running directions, types of trials, or both.

    Parameters
    ----------
    maps
        Rate maps over ``direction``.

    Returns
    -------
    list of str
        One for each entry.
    """
    codes = maps["direction"].values.tolist()
    way = ["backward" if code < 0 else "forward" for code in codes]
    if "trial_type" not in maps.coords:
        return way
    both = min(codes) < 0
    kinds = maps["trial_type"].values.tolist()
    return [f"type {k}{f', {w}' if both else ''}" for k, w in zip(kinds, way, strict=True)]


def half_rates(view: View) -> tuple[np.ndarray, np.ndarray] | None:
    """Maps (session, unit, direction, position) of both halves; None where there are none."""
    node = view.nodes.get("half_maps")
    if node is None:
        return None
    order = ("half", "session", "unit", "direction", "position")
    values = node["rate"].transpose(*order).values
    return values[0], values[1]


def half_words(view: View) -> str:
    """What halves of a session are made of, in words."""
    split = str(view.nodes["half_maps"].attrs.get("split", "lap"))
    return {"trial": "trials", "lap": "pairs of laps", "block": "minutes"}[split]


def _has_place_cells(view: View, session: int) -> bool:
    cells = view.nodes.get("place_cells")
    return cells is not None and bool(cells["is_place_cell"].isel(session=session).any())


def reference_session(view: View, sessions: np.ndarray) -> int:
    """The session that sorts first: the first with place cells, otherwise the first with a map.

    Parameters
    ----------
    view
        Results of one recording.
    sessions
        Positions of the sessions that are drawn.

    Returns
    -------
    int
        Its position.
    """
    for i in sessions.tolist():
        if _has_place_cells(view, i):
            return int(i)
    detected = view.nodes["smoothed_maps"]["rate"].notnull().any(("unit", "direction", "position"))
    found = [i for i in sessions.tolist() if bool(detected.values[i])]
    return int(found[0]) if found else int(sessions[0])


def chosen_by(view: View, session: int, direction: int) -> np.ndarray:
    """Whether each unit (unit) is shown where a session sorts: its place cells, or all of it."""
    node = view.nodes["sparsity"]
    detected = node["detected"].isel(session=session).values.astype(bool)
    if not _has_place_cells(view, session):
        return detected
    place = place_maps(view.nodes["place_cells"], direction)
    return detected & place.isel(session=session).values.astype(bool)


def place_maps(cells: xr.Dataset, direction: int) -> xr.DataArray:
    """Whether units (session, unit) are place cells, in a direction where these stand apart."""
    place = cells["significant" if "significant" in cells else "is_place_cell"]
    return place.isel(direction=direction) if "direction" in place.dims else place


def relative(values: np.ndarray) -> np.ndarray:
    """Maps (.., position) over the peak of each, 0 where it has none."""
    top = np.where(np.isfinite(values), values, -np.inf).max(
        axis=-1, keepdims=True, initial=-np.inf
    )
    return np.asarray(values / np.where(top > 0, top, 1.0), dtype=float)


def _frame(
    view: View,
    maps: xr.Dataset,
    units: np.ndarray,
    values: np.ndarray,
    session: int,
    way: str,
    part: str,
) -> pd.DataFrame:
    """Maps of a picture as rows, bins as columns, three significant digits."""
    frame = rates_frame(maps, values, str(maps["rate"].attrs.get("units", "")))
    frame.insert(0, view.noun, maps["unit"].values[units].astype(str))
    frame.insert(1, "session", view.labels[session])
    frame.insert(2, "direction", way or "both")
    frame.insert(3, "laps", part)
    return frame


def rates_frame(maps: xr.Dataset, values: np.ndarray, unit: str) -> pd.DataFrame:
    """Rates (row, position) as a table whose columns say where they are."""
    columns = [f"rate at {text} [{unit}]" for text in bin_names(maps)]
    return pd.DataFrame(rounded(values), columns=columns)


def bin_names(maps: xr.Dataset) -> list[str]:
    """Where each bin lies, in words."""
    unit = geometry_of(maps).unit
    names = [f"{float(x):g} {unit}" for x in maps["x_bin"].values]
    if "part" in maps.coords:
        parts = maps["part"].values.astype(str)
        names = [f"{part}, {name}" for part, name in zip(parts, names, strict=True)]
    if "y_bin" in maps.coords:
        names = [
            f"{a}, {float(y):g} {unit}" for a, y in zip(names, maps["y_bin"].values, strict=True)
        ]
    return names


def rounded(values: np.ndarray, digits: int = 3) -> np.ndarray:
    """Values with so many significant digits."""
    values = np.asarray(values, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.floor(np.log10(np.abs(values)))
    scale = 10.0 ** (digits - 1 - np.where(np.isfinite(size), size, 0.0))
    return np.round(values * scale) / scale
