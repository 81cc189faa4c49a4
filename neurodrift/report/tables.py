"""The tables of a report, each as a frame and as compressed CSV."""

from __future__ import annotations

import base64
import gzip
import json
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from neurodrift.analysis.regression.tables import tabulate_drift
from neurodrift.io.csv import csv_text
from neurodrift.io.tables import tidy
from neurodrift.report.behaviour import behaviour_frame, stable_frame
from neurodrift.report.data import chosen_units
from neurodrift.report.decoding import decoding_frame
from neurodrift.report.phases import phases_frame
from neurodrift.report.view import View
from neurodrift.report.words import number
from neurodrift.schema.results import DRIFT, MEASURES, SLOPES, SPARSITY

MAX_PAIRS = 20_000
"""Rows of the table of pairs; of more sessions only every k-th enters."""

_SESSION_ORDER = (
    "session_number",
    "day",
    "experience",
    "training_step",
    "loss",
    "accuracy",
    "tracked_time",
    "running_time",
    "running_speed",
    *SPARSITY,
    *MEASURES,
)
_UNIT_COLUMNS: dict[str, dict[str, str]] = {  # node -> variable -> column
    "sparsity": {"is_active": "is_active", "mean_activity": "mean_activity"},
    "informative": {
        "information": "information_both_directions",
        "is_informative": "is_informative",
    },
    "place_cells": {
        name: name for name in ("n_events", "tested", "information", "p", "q", "z", "significant")
    }
    | {"is_place_cell": "is_place_cell"},
    "information": {
        "ssr": "information_ssr",
        "ssr_stability": "ssr_stability",
        "bae": "information_bae",
        "bae_r2": "bae_r2",
    },
    "stability": {"stability": "stability", "p": "stability_p", "is_stable": "is_stable"},
}


@dataclass(frozen=True)
class Table:
    """A table of the report.

    Parameters
    ----------
    name
        For the file.
    title
        For the reader.
    frame
        Its rows.
    note
        What was left out, if anything.
    """

    name: str
    title: str
    frame: pd.DataFrame
    note: str = ""

    def csv(self) -> str:
        """Comma-separated text, numbers with ten significant digits."""
        return csv_text(self.frame, float_format="%.10g")

    def compressed(self) -> str:
        """The CSV, by gzip without a time, in base64."""
        return base64.b64encode(gzip.compress(self.csv().encode(), mtime=0)).decode()


def tables(view: View, unit_rows: int) -> list[Table]:
    """All tables of one recording.

    Parameters
    ----------
    view
        Results of one recording.
    unit_rows
        Most rows of the table of units.

    Returns
    -------
    list of Table
        Sessions, pairs of sessions, units, regression, phases, what a curation left out; without
        the empty ones.
    """
    sessions = _ordered(view.sessions.reset_index(), "session", *_SESSION_ORDER)
    sessions.insert(0, "environment", view.environment)
    sessions.insert(0, "subject", view.subject)
    regression = tidy(view.nodes["regression"])
    regression = _ordered(regression, "measure", "predictor", *SLOPES)
    found = [
        Table("sessions", "Sessions", sessions),
        _pairs(view),
        _units(view, unit_rows),
        Table("regression", "Regression on time and experience", regression),
        Table("decoding", "Decoding across sessions", decoding_frame(view)),
        Table("behaviour", "Distances of behaviour", behaviour_frame(view)),
        Table("stable_units", "Predictors of stability", stable_frame(view)),
        Table("phases", "Evidence for phases", phases_frame(view)),
        Table("curation", "Left out by curation", _left_out(view)),
    ]
    return [table for table in found if len(table.frame)]


def _left_out(view: View) -> pd.DataFrame:
    items = json.loads(view.source_attributes.get("curation", "[]"))
    columns = ("kind", "unit", "session", "start", "stop", "n_frames", "reason", "by", "file")
    return pd.DataFrame(items, columns=list(columns))


def _ordered(frame: pd.DataFrame, *first: str) -> pd.DataFrame:
    """Columns in a fixed order; those not named follow by name."""
    known = [name for name in dict.fromkeys(first) if name in frame]
    return frame[known + sorted(set(map(str, frame)) - set(known))]


def file_stem(view_name: str) -> str:
    """Beginning of the names of files: letters, digits, ``_``, ``-`` and dots only."""
    return re.sub(r"[^\w.-]+", "-", view_name, flags=re.ASCII).strip("-.")[:80] or "results"


def file_name(view_name: str, table: str) -> str:
    """Name of a CSV file: letters, digits, ``_``, ``-`` and dots only."""
    return f"{file_stem(view_name)}-{table}.csv"


def _pairs(view: View) -> Table:
    n, step = len(view.labels), 1
    while (n // step) ** 2 / 2 > MAX_PAIRS:
        step += 1
    kept = np.arange(0, n, step)
    frame = pd.DataFrame()
    for node, prefix in (("session_drift", "halves_"), ("drift", "")):
        if node not in view.nodes:
            continue
        pairs = view.nodes[node].isel(session_a=kept, session_b=kept)
        flat = [name for name in DRIFT if name in pairs.data_vars and pairs[name].ndim == 2]
        rows = tabulate_drift(pairs[flat]).set_index(["session_a", "session_b"])
        lags = sorted(str(name) for name in rows if str(name).startswith("lag"))
        measures = rows.drop(columns=lags).add_prefix(prefix)
        if frame.empty:
            frame = pd.concat([rows[lags], measures], axis=1)
        else:
            frame = frame.join(measures, how="left")
    note = f"Pairs of every {step}th session; the results hold all." if step > 1 else ""
    return Table("pairs", "Pairs of sessions", frame.reset_index(), note)


def _units(view: View, unit_rows: int) -> Table:
    directions = view.nodes["maps"].sizes["direction"] if "maps" in view.nodes else 1
    per_unit = len(view.labels) * directions
    units = chosen_units(view, max(unit_rows // per_unit, 1))
    labels = view.nodes["sparsity"]["unit"].values[units]
    columns: dict[str, xr.DataArray] = {}
    for node, names in _UNIT_COLUMNS.items():
        if node in view.nodes:
            for variable, column in names.items():
                if variable in view.nodes[node]:
                    columns[column] = _bare(view.nodes[node][variable], labels)
    if "smoothed_maps" in view.nodes:
        columns |= _peaks(view.nodes["smoothed_maps"].sel(unit=labels))
    merged = xr.Dataset(columns)
    detected = _bare(view.nodes["sparsity"]["detected"], labels)
    dims = ["session", "unit", *(["direction"] if "direction" in merged.dims else [])]
    frame = merged.to_dataframe(dim_order=dims).reset_index()
    there = xr.broadcast(detected, merged)[0].transpose(*dims).values.ravel()
    frame = frame[there].reset_index(drop=True)
    if "region" in view.nodes["sparsity"].coords:
        region = view.nodes["sparsity"]["region"].to_series()
        frame.insert(2, "region", frame["unit"].map(region))
    note = "Rows are the units detected in a session."
    if units.size < view.n_units:
        note += (
            f" {number(units.size)} of {number(view.n_units)} units, those that are place cells in "
            "most sessions and then the most active; the results hold all."
        )
    title = "Place cells by unit" if "place_cells" in view.nodes else "Units"
    return Table("units", title, frame, note)


def _peaks(maps: xr.Dataset) -> dict[str, xr.DataArray]:
    rate = maps["rate"]
    some = rate.notnull().any("position")
    at = rate.fillna(-np.inf).argmax("position")
    found: dict[str, Any] = {"peak_rate": rate.max("position")}
    for axis in ("x", "y"):
        if f"{axis}_bin" in maps.coords:
            found[f"peak_{axis}"] = maps[f"{axis}_bin"].isel(position=at).where(some)
    keep = ("session", "unit", "direction")
    return {
        name: array.drop_vars([c for c in array.coords if c not in keep])
        for name, array in found.items()
    }


def _bare(array: xr.DataArray, labels: np.ndarray) -> xr.DataArray:
    array = array.sel(unit=labels)
    return array.drop_vars([c for c in array.coords if c not in array.dims])
