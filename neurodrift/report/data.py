"""What the page's script draws from: rate maps and matrices as base64 of small numbers."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import xarray as xr
from markupsafe import Markup

from neurodrift.geometry.arms import arms_of
from neurodrift.geometry.geometry import geometry_of
from neurodrift.geometry.outline import outline_of
from neurodrift.plotting._geometry import stretches
from neurodrift.report.maps import half_rates, half_words, peak_bins, ways_of
from neurodrift.report.view import View
from neurodrift.report.words import number, title_of

MAX_SESSIONS = 120
"""Sessions whose maps and pairs are drawn; more are thinned evenly."""

UNVISITED = 255
"""Code of a bin that was not visited, and of a unit that was not detected."""

_LEVELS = 254  # codes 0..254 of a map, of its peak
_MATRICES = (
    "rate_map_correlation",
    "population_vector_correlation",
    "ensemble_rate_correlation",
    "rate_map_correlation_relative",
    "population_vector_correlation_relative",
    "ensemble_rate_correlation_relative",
    "cell_overlap",
    "active_cell_overlap",
    "place_cell_overlap",
    "active_cell_overlap_relative",
    "place_cell_overlap_relative",
)
_CELLS = {  # number shown beside a map: (node, variable)
    "n_events": ("place_cells", "n_events"),
    "p": ("place_cells", "p"),
    "naive": ("information", "naive"),
    "ssr": ("information", "ssr"),
    "bae": ("information", "bae"),
    "stability": ("stability", "stability"),
}
_MAX_PAIR_VALUES = 1_500_000


def script_json(value: Any) -> Markup:
    """JSON that can stand in a script element: no character of it can end the element.

    Parameters
    ----------
    value
        Anything that JSON has.

    Returns
    -------
    markupsafe.Markup
        The JSON, ``<``, ``>`` and ``&`` as escapes.
    """
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def chosen_units(view: View, most: int) -> np.ndarray:
    """Positions of the units that are kept where not all can be: place cells and active ones.

    Parameters
    ----------
    view
        Results of one recording.
    most
        How many may be kept.

    Returns
    -------
    numpy.ndarray
        Increasing positions along ``unit``: those that are place cells in most sessions, then
        those with most activity.
    """
    if view.n_units <= most:
        return np.arange(view.n_units)
    activity = np.nan_to_num(view.nodes["sparsity"]["n_events"].transpose("session", "unit").values)
    times = np.zeros(view.n_units)
    if "place_cells" in view.nodes:
        times = (
            view.nodes["place_cells"]["is_place_cell"].transpose("session", "unit").values.sum(0)
        )
    best = np.lexsort((-activity.sum(axis=0), -times))[:most]
    return np.sort(best)


def page_data(view: View, map_bytes: int) -> dict[str, Any]:
    """Rate maps, numbers of their units, and matrices of pairs of sessions, for the script.

    Parameters
    ----------
    view
        Results of one recording.
    map_bytes
        Most bytes of rate maps; units beyond it are left out.

    Returns
    -------
    dict
        Plain values for JSON; ``notes`` says in words what was left out.
    """
    n_sessions = len(view.labels)
    kept = np.arange(n_sessions)
    notes = []
    if n_sessions > MAX_SESSIONS:
        kept = np.unique(np.linspace(0, n_sessions - 1, MAX_SESSIONS).round().astype(int))
        notes.append(
            f"Maps and pairs are drawn for {kept.size} of {number(n_sessions)} sessions, evenly "
            "spaced. The results hold all."
        )
    data: dict[str, Any] = {
        "name": view.name,
        "noun": view.noun.capitalize(),
        "sessions": [view.labels[i] for i in kept],
        "where": [_where(view, int(i)) for i in kept],
        "matrices": _matrices(view, kept),
    }
    if "smoothed_maps" in view.nodes:
        data |= _maps(view, kept, map_bytes, notes)
    data["notes"] = notes
    return data


def kept_units(view: View, map_bytes: int) -> np.ndarray:
    """Positions of the units whose maps are on the page.

    Parameters
    ----------
    view
        Results of one recording.
    map_bytes
        Most bytes of rate maps.

    Returns
    -------
    numpy.ndarray
        Increasing positions along ``unit``; none without maps.
    """
    if "smoothed_maps" not in view.nodes:
        return np.arange(0)
    sizes = view.nodes["smoothed_maps"]["rate"].sizes
    n_sessions = min(sizes["session"], MAX_SESSIONS)
    per_unit = n_sessions * sizes["direction"] * sizes["position"]
    copies = 2 if "half_maps" in view.nodes else 1
    return chosen_units(view, max(map_bytes // max(copies * per_unit, 1), 1))


def _halves(view: View, kept: np.ndarray, units: np.ndarray) -> dict[str, str]:
    """Maps of one half of each session and where those of the other half have their peak."""
    halves = half_rates(view)
    if halves is None or "y_bin" in view.nodes["smoothed_maps"].coords:
        return {"even": "", "odd": "", "halves": ""}
    odd, even = (half[kept][:, units].swapaxes(0, 1) for half in halves)
    return {
        "even": base64.b64encode(quantize(even)[0].tobytes()).decode(),
        "odd": _base64(peak_bins(odd), "<i2"),
        "halves": half_words(view),
    }


def _where(view: View, i: int) -> str:
    row = view.sessions.iloc[i]
    if "day" in row and np.isfinite(row["day"]):
        return f"day {number(row['day'])}"
    if "training_step" in row:
        text = f"step {int(row['training_step']):,}"
        same = text.replace(",", "") == view.labels[i]
        return "" if same else text.replace(",", "\u202f")
    return ""


def _unknown(region: str) -> bool:
    """Whether a label says that the region is not known."""
    return region.strip().lower() in ("", "unknown", "nan", "none")


def counted_as(kind: str) -> str:
    """What the number of events of a kind counts, in words."""
    return "event" if kind in ("spikes", "events") else "active frame"


def _maps(view: View, kept: np.ndarray, map_bytes: int, notes: list[str]) -> dict[str, Any]:
    maps = view.nodes["smoothed_maps"].isel(session=kept)
    units = kept_units(view, map_bytes)
    if units.size < view.n_units:
        notes.append(
            f"Rate maps of {number(units.size)} of {number(view.n_units)} {view.noun}s are shown, "
            "those that are place cells in most sessions and then the most active, so that the "
            "page stays small. All numbers come from all of them; the results hold every map."
        )
    order = ("unit", "session", "direction", "position")
    rate = maps["rate"].transpose(*order).isel(unit=units).values
    codes, peaks = quantize(rate)
    cells: dict[str, Any] = {}
    for name, (node, variable) in _CELLS.items():
        if node in view.nodes and variable in view.nodes[node]:
            array = view.nodes[node][variable].isel(session=kept, unit=units)
            cells[name] = _base64(array.transpose(*order[:3]).values, "<f4")
    flags = {"detected": maps["detected"]}
    if "place_cells" in view.nodes:
        tests = view.nodes["place_cells"].isel(session=kept)
        flags |= {"place": tests["is_place_cell"], "significant": tests["significant"]}
    region = maps["region"].values[units] if "region" in maps.coords else []
    return {
        "units": [str(label) for label in maps["unit"].values[units]],
        "n_units": view.n_units,
        "region": ["" if _unknown(str(label)) else str(label) for label in region],
        "directions": [int(value) for value in maps["direction"].values],
        "ways": ways_of(maps),
        "typed": "trial_type" in maps.coords,
        "x": [float(value) for value in maps["x_bin"].values],
        "y": [float(value) for value in maps["y_bin"].values] if "y_bin" in maps.coords else [],
        **_shape(maps),
        "rateUnit": str(maps["rate"].attrs.get("units", "a.u.")),
        "counted": None if view.kind == "fluorescence" else counted_as(view.kind),
        "codes": base64.b64encode(codes.tobytes()).decode(),
        "peaks": _base64(peaks, "<f4"),
        **_halves(view, kept, units),
        "cells": cells,
        **{
            name: _base64(
                array.isel(unit=units).transpose(*(d for d in order if d in array.dims)).values,
                "u1",
            )
            for name, array in flags.items()
        },
        "pairs": _unit_pairs(view, kept, units),
    }


def _shape(maps: xr.Dataset) -> dict[str, Any]:
    """What the drawing of maps needs of their geometry."""
    geometry = geometry_of(maps)
    named = "part" in maps.coords
    found: dict[str, Any] = {
        "unit": "" if geometry.kind == "category" else geometry.unit,
        "axis": geometry.variable,
        "round": geometry.kind == "circular",
        "ends": [],
        "parts": [str(name) for name in maps["part"].values] if named else [],
        "outline": outline_of(geometry).round(3).tolist(),
        "lines": [],
    }
    if geometry.kind == "linear" and "y_bin" not in maps.coords:
        whole = stretches(maps["x_bin"])
        found["ends"] = [round(whole[0][1], 9), round(whole[-1][2], 9)]
    if geometry.kind in ("circular", "vr") and geometry.length:
        found["ends"] = [geometry.origin, geometry.origin + geometry.length]
    if geometry.kind == "graph":
        centre, half = maps["x_bin"].values, maps["x_width"].values / 2
        both = arms_of(geometry).plane(np.stack([centre - half, centre + half], axis=-1))
        found["lines"] = both.reshape(-1, 4).round(3).tolist()
    return found


def quantize(rate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Maps in one byte for each bin.

    Parameters
    ----------
    rate
        (..., position), not negative, NaN where there is no value.

    Returns
    -------
    codes, peaks : numpy.ndarray
        (..., position) rate / peak in steps of 1/254, :data:`UNVISITED` for NaN; (...) peak of
        the map, NaN where it has no value.
    """
    finite = np.isfinite(rate)
    peaks = np.where(finite, rate, -np.inf).max(axis=-1, initial=-np.inf)
    peaks = np.where(np.isfinite(peaks), peaks, np.nan)
    scale = np.where(peaks > 0, peaks, 1.0)[..., None]
    codes = np.round(np.clip(np.where(finite, rate, 0.0) / scale, 0, 1) * _LEVELS)
    return np.where(finite, codes, UNVISITED).astype(np.uint8), peaks.astype(np.float32)


def _unit_pairs(view: View, kept: np.ndarray, units: np.ndarray) -> str:
    """Correlation of each unit's maps for pairs a < b, in 1/10000; empty where not stored."""
    drift = view.nodes["drift"]
    name = "unit_rate_map_correlation"
    if name not in drift or kept.size < 2:
        return ""
    first, second = np.triu_indices(kept.size, k=1)
    if first.size * units.size * drift.sizes["direction"] > _MAX_PAIR_VALUES:
        return ""
    labels = view.nodes["smoothed_maps"]["unit"].values[units]
    found = xr.Dataset({name: drift[name]})[name].reindex(unit=labels)
    found = found.transpose("session_a", "session_b", "unit", "direction")
    values = found.values[kept[first], kept[second]]
    scaled = np.where(np.isfinite(values), np.round(np.nan_to_num(values) * 10_000), -32768)
    return base64.b64encode(scaled.astype("<i2").tobytes()).decode()


def _matrices(view: View, kept: np.ndarray) -> list[dict[str, Any]]:
    found = []
    groups = [("drift", "whole sessions")]
    if view.noisy:
        groups.insert(0, ("session_drift", "halves of sessions, noise ceiling on the diagonal"))
    for node, group in groups:
        for name in _MATRICES:
            if node in view.nodes and name in view.nodes[node]:
                values = view.nodes[node][name].values[np.ix_(kept, kept)].astype(float)
                if np.isfinite(values).any():
                    found.append(
                        {
                            "name": name,
                            "node": node,
                            "group": group,
                            "title": title_of(name, view.noun),
                            "values": _base64(values, "<f4"),
                        }
                    )
    return found


def _base64(values: np.ndarray, dtype: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype=dtype).tobytes()).decode()
