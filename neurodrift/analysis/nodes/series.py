"""Nodes of measures by session: their table, slopes and phases."""

from __future__ import annotations

import numpy as np
import xarray as xr

from neurodrift.analysis.nodes.work import Work
from neurodrift.analysis.phases.phases import detect_phases
from neurodrift.analysis.regression.regression import regress_each
from neurodrift.analysis.regression.tables import tabulate_sessions
from neurodrift.schema import label
from neurodrift.schema.results import MEASURES

OF_PHASES = ("sparsity", "sessions", "drift", "session_drift", "matched")


def sessions(work: Work) -> xr.Dataset:
    """The measures of all nodes, a row a session."""
    from neurodrift.analysis.nodes.table import NODES

    measures = []
    for node in NODES:
        if node.measures and node.name in work.nodes:
            found = node.measures(work)
            measures.append(_where_used(found, work.used) if "frames" in node.needs else found)
    if work.has_position and "map_label" in work.recording:
        measures.append(_n_maps(work.recording))
    table = tabulate_sessions(work.recording, *measures)
    table = table.drop(columns=["subject", "environment"])
    sessions = xr.Dataset.from_dataframe(table.set_index("session"))
    sessions["session"] = sessions["session"].astype(object)
    return label(sessions, MEASURES)


def _where_used(measures: xr.Dataset, used: np.ndarray) -> xr.Dataset:
    """Measures of maps, NaN in sessions without a map, where 0 would be no measurement."""
    known = xr.DataArray(used, dims="session")
    real = [name for name, values in measures.items() if values.dtype.kind == "f"]
    return measures.assign({name: measures[name].where(known) for name in real})


def regression(work: Work) -> xr.Dataset:
    """Slope of every measure over sessions."""
    table = work.nodes["sessions"].to_dataframe().reset_index()
    return regress_each(table, method=work.slopes)


def phases(work: Work) -> xr.Dataset:
    """Phases of learning and drift."""
    root = xr.Dataset(attrs=n_maps_of(work.recording))
    used = {name: work.nodes[name] for name in OF_PHASES if name in work.nodes}
    return detect_phases(xr.DataTree.from_dict({"/": root, **used}), seed=work.seed)


def _n_maps(recording: xr.Dataset) -> xr.Dataset:
    """Number of maps that the population was in, by session."""
    labels, index = recording["map_label"].values, recording["session_index"].values
    counts = [
        np.unique(labels[(index == i) & (labels > 0)]).size
        for i in range(recording.sizes["session"])
    ]
    return xr.Dataset({"n_maps": ("session", counts)}, coords={"session": recording["session"]})


def n_maps_of(recording: xr.Dataset) -> dict[str, int]:
    """Number of maps of a whole recording, for attributes; empty where maps have no labels."""
    if "map_label" not in recording:
        return {}
    labels = recording["map_label"].values
    return {"n_maps": int(np.unique(labels[labels > 0]).size)}
