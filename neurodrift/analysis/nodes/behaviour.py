"""Nodes of time or behaviour, and of which cells are stable."""

from __future__ import annotations

import xarray as xr

from neurodrift.analysis.behaviour.distance import compute_behaviour_distance
from neurodrift.analysis.behaviour.explain import explain_drift
from neurodrift.analysis.nodes.series import n_maps_of
from neurodrift.analysis.nodes.work import Work
from neurodrift.analysis.stable_units.predict import predict_stability

_LEAST_EVENTS = 20  # of a unit in both sessions whose stability is told
_DRAWS = 99  # of units without a link


def behaviour(work: Work) -> xr.Dataset:
    """Distances of behaviour, and what they explain of the similarity of maps."""
    away = compute_behaviour_distance(work.recording, binning=work.binning)
    root = xr.Dataset(attrs=n_maps_of(work.recording))
    drift = xr.DataTree.from_dict({"/": root, "session_drift": work.nodes["session_drift"]})
    told = explain_drift(drift, away, seed=work.seed)
    left_out = {"distances_left_out": away.attrs["left_out"]}
    return away.merge(told, combine_attrs="override").assign_attrs(
        away.attrs | told.attrs | left_out
    )


def stable_units(work: Work) -> xr.Dataset:
    """Which cells keep their maps, and what told it before."""
    return predict_stability(
        work.recording,
        binning=work.binning,
        min_events=max(_LEAST_EVENTS, work.min_events),
        n_repeats=_DRAWS,
        seed=work.seed,
    )
