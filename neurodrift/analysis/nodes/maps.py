"""Nodes of rate maps, and of the maps that a population switches between."""

from __future__ import annotations

import numpy as np
import xarray as xr

from neurodrift.analysis.drift.examples import choose_examples
from neurodrift.analysis.identity.map_switches import detect_maps, label_maps
from neurodrift.analysis.maps.place_fields import detect_place_fields
from neurodrift.analysis.maps.rate_maps import compute_rate_maps
from neurodrift.analysis.maps.smoothing import smooth_maps, weights_of_bins
from neurodrift.analysis.nodes.work import Work
from neurodrift.schema import label
from neurodrift.schema.results import HALF_MAPS, LAP_MAPS


def map_switches(work: Work) -> xr.Dataset:
    """Maps that the population switches between; later nodes see their labels."""
    found = detect_maps(work.recording, binning=work.binning, smoothing=work.smoothing)
    if work.detects_maps:
        work.recording = label_maps(work.recording, found)
    return found


def smoothed_maps(work: Work) -> xr.Dataset:
    """What is drawn and correlated."""
    maps = work.nodes["maps"]
    rate = smooth_maps(maps["rate"], work.smoothing, weights_of_bins(maps))
    smoothed = maps.assign(rate=rate)
    return smoothed.assign_attrs(smoothing=work.smoothing)


def place_fields(work: Work) -> xr.Dataset:
    """Of the maps of place cells."""
    return detect_place_fields(
        work.nodes["smoothed_maps"], place_cells=work.nodes["place_cells"]["significant"]
    )


def half_maps(work: Work) -> xr.Dataset:
    """Rates of both halves over (session, half), NaN where a session has no such half.

    Of a session with several maps, those of the map in which most time was spent.
    """
    halves = work.halves
    sessions = work.recording["session"].values
    rate = halves["rate"].astype(np.float32)
    seconds = halves["occupancy"].sum(("direction", "position")).values
    owner = halves["session"].values.astype(str)
    labels = halves["map_label"].values if "map_label" in halves.coords else np.zeros(owner.size)
    values = np.full((sessions.size, 2, *rate.shape[1:]), np.nan, dtype=np.float32)
    for i, name in enumerate(sessions.astype(str)):
        own = owner == name
        spent = {label: seconds[own & (labels == label)].sum() for label in np.unique(labels[own])}
        if spent:
            most = own & (labels == max(spent, key=lambda label: spent[label]))
            values[i, halves["half"].values[most]] = rate.values[most]
    carried = {name: c for name, c in rate.coords.items() if "segment" not in c.dims}
    found = xr.Dataset({"rate": (("session", "half", *rate.dims[1:]), values, rate.attrs)})
    found = found.assign_coords(carried | {"session": sessions, "half": [0, 1]})
    return label(found.assign_attrs(halves.attrs, split=work.split), HALF_MAPS)


def lap_maps(work: Work) -> xr.Dataset:
    """Maps of each lap of a few example cells, with the role of each."""
    chosen = choose_examples(
        work.nodes.get("place_cells"), work.nodes["drift"], work.nodes["sparsity"]
    )
    units = [unit for some in chosen.values() for unit in some]
    roles = [role for role, some in chosen.items() for _ in some]
    assert work.laps is not None
    maps = compute_rate_maps(work.recording.sel(unit=units), binning=work.binning, by=work.laps)
    found = (
        maps[["rate"]]
        .rename(group="lap")
        .assign_coords(role=("unit", np.array(roles, dtype=object)))
    )
    found["rate"] = found["rate"].astype(np.float32)
    return label(found, LAP_MAPS)


def lap_measures(found: xr.Dataset, sessions: np.ndarray) -> xr.Dataset:
    """Laps with a frame of running, by session.

    Parameters
    ----------
    found
        The node ``lap_maps``.
    sessions
        Labels of the sessions.

    Returns
    -------
    xarray.Dataset
        Over ``session``, for `tabulate_sessions`.
    """
    own = found["session"].values.astype(str)
    counts = [int((own == str(name)).sum()) for name in sessions]
    return xr.Dataset({"n_laps": ("session", counts)}, coords={"session": sessions})
