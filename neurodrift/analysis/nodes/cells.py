"""Nodes that say which cells are place cells, and how much they tell."""

from __future__ import annotations

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import registered_units
from neurodrift.analysis._inference import exact_mean
from neurodrift.analysis.information.cross_fitted import compute_cross_fitted_information
from neurodrift.analysis.information.estimates import (
    compute_spatial_information,
    informative_cells,
)
from neurodrift.analysis.nodes.work import Work
from neurodrift.analysis.place_cells.place_cells import detect_place_cells
from neurodrift.analysis.place_cells.stability import compare_criteria, compute_map_stability


def information(work: Work) -> xr.Dataset:
    """Bits per event of each unit, with the bias of sampling removed where there is noise."""
    return compute_spatial_information(
        work.recording,
        binning=work.binning,
        corrections=("ssr", "bae") if work.tested else "none",
        n_repeats=work.n_repeats,
        min_active_frames=work.min_events,
        seed=work.seed,
    )


def place_cells(work: Work) -> xr.Dataset:
    """By a test against shuffles, or by enough information where nothing is tested."""
    if not work.tested:
        return informative_cells(work.nodes["informative"], work.nodes["information"])
    return detect_place_cells(
        work.recording,
        binning=work.binning,
        alpha=work.alpha,
        min_events=work.min_events,
        null=work.null,
        combine=work.combine,
        seed=work.seed,
    )


def cross_fitted(work: Work) -> xr.Dataset:
    """Information of maps that were chosen on the other half."""
    return compute_cross_fitted_information(
        work.recording,
        binning=work.binning,
        min_events=work.min_events,
        alpha=work.alpha,
        null=work.null,
        n_repeats=max(1, work.n_repeats // 5),
        seed=work.seed,
    )


def stability(work: Work) -> xr.Dataset:
    """Units whose maps of two parts of a session agree."""
    split = work.split
    return compute_map_stability(
        work.recording,
        binning=work.binning,
        split="half" if split == "block" else split,
        smoothing=work.smoothing,
        alpha=work.alpha,
        min_events=work.min_events,
        null=work.null,
        combine=work.combine,
        seed=work.seed,
    )


def agreement(work: Work) -> xr.Dataset:
    """Whether both criteria choose the same units."""
    cells, stable = work.nodes["place_cells"], work.nodes["stability"]
    return compare_criteria(
        {"information": cells["is_place_cell"], "stability": stable["is_stable"]},
        among=cells["tested"].any("direction"),
    )


def informative_measures(active: xr.Dataset, informative: xr.Dataset) -> xr.Dataset:
    """Numbers, fractions and mean information of informative units, by session.

    Parameters
    ----------
    active, informative
        From `compute_sparsity` and `detect_informative_units`.

    Returns
    -------
    xarray.Dataset
        Over ``session``, for `tabulate_sessions`.
    """
    information, chosen = informative["information"], informative["is_informative"]
    n_detected, n_chosen = active["n_detected"], chosen.sum("unit")
    everywhere = information.fillna(0.0).where(active["detected"])
    return xr.Dataset(
        {
            "n_informative_units": n_chosen,
            "fraction_informative_units": n_chosen / n_detected.where(n_detected > 0),
            "information_informative": ("session", _means(information.where(chosen))),
            "information_all": ("session", _means(everywhere)),
        }
    )


def place_cell_measures(
    active: xr.Dataset, cells: xr.Dataset, information: xr.Dataset | None
) -> xr.Dataset:
    """Numbers and fractions of place cells, and their information in the published way, by session.

    Its mean is over maps that are significant in the same session, and so too large; noise-free
    activity has no such choice, and its mean naive information is the session's ``information``.

    Parameters
    ----------
    active, cells, information
        From `compute_sparsity`, `detect_place_cells` and `compute_spatial_information`; None for
        activity that has no bits per event.

    Returns
    -------
    xarray.Dataset
        Over ``session``, for `tabulate_sessions`.
    """
    is_place = cells["is_place_cell"]
    n_place, n_active = is_place.sum("unit"), active["n_active"]
    of_union = active.attrs["detection"] == "each_session"
    counted = is_place & registered_units(cells) if of_union else is_place
    means = {
        f"information_{name}": ("session", _means(information[name].where(cells["significant"])))
        for name in ("naive", "ssr")
        if information is not None and name in information
    }
    if active.attrs.get("activity_kind") == "activation" and "information_naive" in means:
        means["information"] = means["information_naive"]
    return xr.Dataset(
        {
            "n_place_cells": n_place,
            "n_tested": cells["tested"].any("direction").sum("unit"),
            "fraction_place_cells": counted.sum("unit")
            / active["n_counted"].where(active["n_counted"] > 0),
            "fraction_place_of_active": n_place / n_active.where(n_active > 0),
            **means,
        }
    )


def cross_fitted_measures(found: xr.Dataset) -> xr.Dataset:
    """Information of place cells and of all maps, by session.

    Parameters
    ----------
    found
        From `compute_cross_fitted_information`.

    Returns
    -------
    xarray.Dataset
        Over ``session``, for `tabulate_sessions`.
    """
    names = {
        "information": "information",
        "information_se": "information_se",
        "n_chosen": "n_chosen_maps",
        "population": "information_population",
        "population_se": "information_population_se",
    }
    return found[list(names)].rename(names)


def _means(values: xr.DataArray) -> np.ndarray:
    """Mean of each session without NaN, the same to the last bit in any order of units."""
    rows = values.transpose("session", ...).values.reshape(values.sizes["session"], -1)
    return np.array([exact_mean(row) for row in rows])
