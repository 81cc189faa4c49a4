"""Nodes of whether cells are the same cells."""

from __future__ import annotations

import xarray as xr

from neurodrift.analysis.identity.quality import count_units, quality
from neurodrift.analysis.identity.sensitivity import compute_identity_sensitivity
from neurodrift.analysis.nodes.work import Work


def registration_quality(work: Work) -> xr.Dataset:
    """Cells detected and matched, and whether their maps speak for the matches."""
    tested = work.found("place_cells", "tested")
    counts = count_units(
        work.recording,
        active=work.nodes["sparsity"]["is_active"],
        tested=None if tested is None else tested.any("direction"),
        place_cells=work.found("place_cells", "is_place_cell"),
    )
    if not work.noisy:
        return counts
    return quality(
        work.recording,
        counts,
        switches=None if work.detects_maps else work.nodes.get("map_switches"),
        binning=work.binning,
        smoothing=work.smoothing,
        seed=work.seed,
    )


def identity_sensitivity(work: Work) -> xr.Dataset:
    """In the cheap form: one draw of a few and one of all units."""
    return compute_identity_sensitivity(
        work.recording,
        halves=work.halves,
        shares=(0.05, 1.0),
        thresholds=(0.0, 0.6, 0.8, 0.95),
        n_draws=1,
        active=work.nodes["sparsity"]["is_active"],
        place_cells=work.found("place_cells", "significant"),
        seed=work.seed,
    )
