"""Nodes of what changes between sessions."""

from __future__ import annotations

from typing import Any

import xarray as xr

from neurodrift.analysis._coords import registered_units
from neurodrift.analysis.drift.attenuation import relative_overlap_as
from neurodrift.analysis.drift.ceiling import compute_session_drift
from neurodrift.analysis.drift.drift import compute_drift
from neurodrift.analysis.drift.index import compute_drift_index
from neurodrift.analysis.drift.time_constant import fit_time_constant
from neurodrift.analysis.nodes.pairs import over_all_sessions
from neurodrift.analysis.nodes.work import Work
from neurodrift.analysis.steps.steps import compute_steps
from neurodrift.analysis.within.within import compute_within_drift
from neurodrift.geometry.geometry import geometry_of
from neurodrift.schema import COUNT_KINDS
from neurodrift.schema.results import DRIFT

_KEEP_UNITS_UP_TO = 40  # sessions; the maps of every unit and pair grow with their square
_SIMILARITIES = ("rate_map_correlation", "ensemble_rate_correlation")


def _compared_units(work: Work) -> dict[str, Any]:
    """The units that measures of drift are taken over."""
    return {
        "active": work.nodes["sparsity"]["is_active"],
        "place_cells": work.found("place_cells", "significant"),
        "seed": work.seed,
    }


def drift(work: Work) -> xr.Dataset:
    """Similarity of every pair of sessions, of maps where there are any."""
    if not work.has_position:
        return compute_drift(work.nodes["sparsity"], **_compared_units(work))
    many = work.recording.sizes["session"] > _KEEP_UNITS_UP_TO
    return compute_drift(work.nodes["smoothed_maps"], per_unit=not many, **_compared_units(work))


def session_drift(work: Work) -> xr.Dataset:
    """The same without noise, from halves of sessions."""
    halves = work.halves
    found = compute_session_drift(compute_drift(halves, per_unit=False, **_compared_units(work)))
    found = over_all_sessions(found, work.recording, DRIFT)
    return found.merge(_relative_overlaps(work, halves), combine_attrs="override")


def _relative_overlaps(work: Work, halves: xr.Dataset) -> xr.Dataset:
    """Overlaps of place cells and of active units without those that a half missed."""
    parts = []
    registered = registered_units(work.recording).values
    cross = work.nodes.get("cross_fitted")
    if cross is not None:
        members, tested = (cross[name].isel(unit=registered) for name in ("chosen", "tested"))
        parts.append(
            relative_overlap_as("place_cell_overlap", members, cross.attrs["alpha"], tested)
        )
    if work.recording["activity"].attrs["kind"] in COUNT_KINDS:
        events = halves["events"].isel(unit=registered).sum(("direction", "position"))
        of_half = [
            events.isel(segment=halves["half"].values == half)
            .groupby("session")
            .sum()
            .reindex(session=work.recording["session"].values, fill_value=0.0)
            for half in (0, 1)
        ]
        least = work.nodes["sparsity"].attrs["min_events"] / 2
        active = xr.concat(of_half, dim="half", coords="minimal", compat="override") >= least
        parts.append(relative_overlap_as("active_cell_overlap", active))
    return xr.merge(parts)


def drift_index(work: Work) -> xr.Dataset:
    """Of each unit, unless there are too many pairs to keep."""
    found = compute_drift_index(work.recording, binning=work.binning, smoothing=work.smoothing)
    many = work.recording.sizes["session"] > _KEEP_UNITS_UP_TO
    return found.drop_vars("unit_drift_index") if many else found


def time_constant(work: Work) -> xr.Dataset:
    """Of maps where there are any, without noise where there is noise."""
    pairs = work.nodes.get("session_drift", work.nodes.get("drift", xr.Dataset()))
    ends = ("",) if work.noise_free else ("_relative", "")
    names = [f"{n}{end}" for n in _SIMILARITIES for end in ends]
    measure = next(name for name in (*names, "ensemble_rate_correlation") if name in pairs)
    return fit_time_constant(pairs, measure=measure, seed=work.seed)


def steps(work: Work) -> xr.Dataset:
    """Of the centres of place fields on a line or a circle, otherwise of rates."""
    one = geometry_of(work.recording).kind in ("linear", "circular", "vr")
    chosen = work.nodes["place_cells"]["is_place_cell"]
    return compute_steps(
        work.recording,
        variable="centre" if one else "rate",
        units=chosen,
        binning=work.binning,
        smoothing=work.smoothing,
        min_events=work.min_events,
        seed=work.seed,
    )


def within_drift(work: Work) -> xr.Dataset:
    """By laps where there are any, and enough of them; otherwise by stretches of time."""
    options: dict[str, Any] = {"binning": work.binning, "smoothing": work.smoothing}
    if "lap" in work.recording or geometry_of(work.recording).has_laps:
        found = compute_within_drift(work.recording, by="lap", **options)
        if found.sizes["part_a"]:
            return found
    return compute_within_drift(work.recording, by="minute", **options)
