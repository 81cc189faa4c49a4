"""Nodes of cells and fields that stay, go and come."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from neurodrift.analysis.fields.lap_shifts import compute_lap_shifts
from neurodrift.analysis.fields.matching import match_fields
from neurodrift.analysis.fields.transport import compute_earth_movers_distance
from neurodrift.analysis.nodes.work import Work
from neurodrift.analysis.survival.power import power_of_results
from neurodrift.analysis.survival.run_lengths import compute_run_lengths
from neurodrift.analysis.survival.survival import compute_survival
from neurodrift.analysis.survival.turnover import compute_turnover
from neurodrift.schema import label
from neurodrift.schema.results import FIELDS_NODE, TURNOVER_NODE

_MOST_ORDERS = 20_000_000  # states in all random orders of the sessions of every unit


def turnover(work: Work) -> xr.Dataset:
    """Turnover, run lengths and survival of place cells; of active units where there are none."""
    sparsity, cells = work.nodes["sparsity"], work.nodes.get("place_cells")
    states = sparsity["is_active"] if cells is None else cells["is_place_cell"]
    states = states.assign_attrs(detection=sparsity.attrs["detection"])
    errors = power_of_results(work.nodes) if cells is not None else None
    told = errors is not None and not errors.attrs["reason"]
    asked: dict[str, Any] = {"detected": sparsity["detected"], "seed": work.seed}
    test: dict[str, Any] = {}
    if errors is not None and told:
        test = {"power": errors["power"], "false_alarms": errors["false_alarms"]}
    orders = int(np.clip(_MOST_ORDERS // max(states.size, 1), 99, 999))
    found = compute_turnover(states, **asked, **test)
    runs = compute_run_lengths(states, n_permutations=orders, **asked)
    survival = compute_survival(states, **asked, **test).drop_vars(["loss", "loss_se"])
    parts = [
        found,
        runs.rename({name: f"run_{name}" for name in runs.data_vars}),
        survival.rename(
            {n: f"survival_{n}" for n in survival.data_vars if not str(n).startswith("survival")}
        ),
    ]
    joined = xr.merge(parts, combine_attrs="override", join="outer", compat="override")
    joined.attrs = found.attrs | {
        "kind": "active" if cells is None else "place cells",
        "reason": "" if errors is None else str(errors.attrs["reason"]),
        "n_permutations": orders,
    }
    return label(joined, TURNOVER_NODE)


def fields(work: Work) -> xr.Dataset:
    """Fields matched between sessions, how far maps were carried, and shifts from lap to lap."""
    fields = work.nodes["place_fields"]
    found = match_fields(fields, per_field=False, seed=work.seed)
    if "half_maps" in work.nodes:
        carried = compute_earth_movers_distance(
            work.nodes["half_maps"], place_cells=work.nodes["place_cells"]["significant"]
        )
        found = found.merge(
            carried.rename(
                distance="earth_movers_distance",
                distance_relative="earth_movers_distance_relative",
                n_maps="n_maps_carried",
            ),
            combine_attrs="override",
            compat="override",
        )
    if work.noisy and work.laps is not None:
        laps = compute_lap_shifts(
            work.recording, fields, binning=work.binning, laps=work.laps, seed=work.seed
        )
        names = {
            "mean_slope": "lap_slope",
            "mean_slope_se": "lap_slope_se",
            "mean_slope_p": "lap_slope_p",
            "fraction_backward": "fraction_backward",
            "fraction_forward": "fraction_forward",
            "n_fields": "n_fields_in_laps",
            "n_cut": "n_cut",
            "n_few": "n_few",
            "overnight_shift": "overnight_shift",
            "overnight_shift_se": "overnight_shift_se",
            "n_overnight": "n_overnight",
            "displacement": "displacement",
            "n_displaced": "n_displaced",
        }
        found = found.merge(
            laps[list(names)].rename(names), combine_attrs="override", compat="override"
        )
    return label(found, FIELDS_NODE)
