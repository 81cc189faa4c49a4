"""The nodes of an analysis, one entry each: what it is, what it needs, how it is computed.

:func:`neurodrift.analyze`, its option ``measures``, the sentences on what was left out and the
table in the docs come from :data:`NODES`. A new node is a function and an entry here, and its
variables in :mod:`neurodrift.schema.results`.

``python -m neurodrift.analysis.nodes docs/nodes.md`` writes the table; a test finds it in step.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import lag_coords, registered_units
from neurodrift.analysis._inference import exact_mean
from neurodrift.analysis.drift.attenuation import relative_overlap_as
from neurodrift.analysis.drift.ceiling import (
    compute_half_maps,
    compute_session_drift,
    finest_split,
)
from neurodrift.analysis.drift.drift import compute_drift
from neurodrift.analysis.drift.examples import choose_examples
from neurodrift.analysis.footing.matching import Match
from neurodrift.analysis.footing.measures import compute_matched_measures
from neurodrift.analysis.identity.map_switches import detect_maps, label_maps
from neurodrift.analysis.identity.quality import count_units, quality
from neurodrift.analysis.information.cross_fitted import compute_cross_fitted_information
from neurodrift.analysis.information.estimates import (
    compute_spatial_information,
    detect_informative_units,
    informative_cells,
)
from neurodrift.analysis.maps.binning import Binning
from neurodrift.analysis.maps.place_fields import detect_place_fields
from neurodrift.analysis.maps.rate_maps import compute_rate_maps
from neurodrift.analysis.maps.smoothing import smooth_maps, weights_of_bins
from neurodrift.analysis.maps.sparsity import compute_sparsity
from neurodrift.analysis.phases.phases import detect_phases
from neurodrift.analysis.place_cells.place_cells import detect_place_cells
from neurodrift.analysis.place_cells.stability import compare_criteria, compute_map_stability
from neurodrift.analysis.quality.lag import check_lag
from neurodrift.analysis.regression.regression import regress_each
from neurodrift.analysis.regression.tables import tabulate_sessions
from neurodrift.geometry.geometry import geometry_of
from neurodrift.kinematics import number_laps
from neurodrift.recording import slice_sessions
from neurodrift.schema import COUNT_KINDS, label
from neurodrift.schema.kinds import allows
from neurodrift.schema.objects import names_in
from neurodrift.schema.results import DRIFT, HALF_MAPS, LAP_MAPS, MEASURES

_KEEP_UNITS_UP_TO = 40  # sessions; the maps of every unit and pair grow with their square


@dataclass(kw_only=True)
class Work:
    """An analysis under way: the recording, the options, and the nodes computed so far.

    Parameters
    ----------
    recording
        The recording; its ``map_label`` is what the options ask for.
    binning, smoothing, min_events, alpha, n_repeats, min_information, seed
        As for :func:`neurodrift.analyze`, with every default filled in.
    match, n_draws
        What is made equal in all sessions for the node ``matched``, None for nothing; and how many
        draws it averages.
    tested
        Whether place cells are decided by a test against shuffles.
    detects_maps
        Whether segments of several maps are told apart by what is detected.
    slopes
        Method of the slopes over sessions.
    used
        (session) whether any of its frames can be put on a map: tracked and, where there is a
        speed, running.
    nodes
        Results by the name of their node.
    """

    recording: xr.Dataset
    binning: Binning
    smoothing: float
    min_events: int
    alpha: float
    n_repeats: int
    min_information: float
    seed: int
    match: Match | None
    n_draws: int
    tested: bool
    detects_maps: bool
    slopes: Literal["ar1", "ols"]
    used: np.ndarray
    nodes: dict[str, xr.Dataset] = field(default_factory=dict)

    @property
    def has_frames(self) -> bool:
        """Whether any session has a frame that can be put on a map."""
        return bool(self.used.any())

    @functools.cached_property
    def has_rates(self) -> bool:
        """Whether nothing is below 0, of the maps or, where frames are tested, of the activity."""
        if not self.tested:
            return not bool((self.nodes["maps"]["rate"] < 0).any())
        if self.recording["activity"].attrs["kind"] in COUNT_KINDS:
            return True
        if not allows(self.recording, "information"):
            return False
        parts = (self.recording["activity"].isel(time=s) for s in slice_sessions(self.recording))
        return all(not bool((part < 0).any()) for part in parts)

    @property
    def can_be_tested(self) -> bool:
        """Whether place cells can be told, by information or by variance."""
        return self.has_rates or allows(self.recording, "variance_test")

    @property
    def has_position(self) -> bool:
        """Whether there are maps."""
        has_units = bool(self.recording.sizes["unit"])
        return "x" in self.recording and self.has_frames and has_units

    @functools.cached_property
    def split(self) -> Literal["trial", "lap", "block"]:
        """What cuts every session into halves."""
        return finest_split(self.recording)

    @functools.cached_property
    def halves(self) -> xr.Dataset:
        """Smoothed maps of both halves of each session."""
        return compute_half_maps(
            self.recording,
            binning=self.binning,
            smoothing=self.smoothing,
            split=self.split,
        )

    @functools.cached_property
    def laps(self) -> xr.DataArray | None:
        """Number of the lap of each frame (time), or of the trial; None where there are none."""
        if "lap" in self.recording:
            return self.recording["lap"].astype(np.int64)
        geometry = geometry_of(self.recording)
        if geometry.is_place and geometry.kind not in ("field", "category"):
            return number_laps(self.recording)["lap"].astype(np.int64)
        return self.recording["trial"].astype(np.int64) if "trial" in self.recording else None

    @property
    def noisy(self) -> bool:
        """Whether activity has noise, and so registration and maps can be checked."""
        return self.has_position and not self.noise_free

    @property
    def noise_free(self) -> bool:
        """Whether activity is a function of the input."""
        return bool(self.recording["activity"].attrs["kind"] == "activation")

    def found(self, name: str, variable: str) -> xr.DataArray | None:
        """A variable of a node, None where the node was left out."""
        return self.nodes[name][variable] if name in self.nodes else None


@dataclass(frozen=True)
class Node:
    """One node of the tree of results.

    Parameters
    ----------
    name
        Its name in the tree, and for ``measures``.
    doc
        What it holds, in a line.
    compute
        Makes it of the work so far.
    needs
        Names in :data:`NEEDS`, all of which must hold.
    uses
        Nodes that are computed before it, where the recording has what they need.
    place
        Section of the report that shows it.
    measures
        Values by session that it adds to the node ``sessions``, of the work so far.
    """

    name: str
    doc: str
    compute: Callable[[Work], xr.Dataset]
    needs: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    place: str = "sessions"
    measures: Callable[[Work], xr.Dataset] | None = None


NEEDS: dict[str, tuple[Callable[[Work], bool], str]] = {
    "units": (lambda work: bool(work.recording.sizes["unit"]), "the recording has no unit"),
    "position": (lambda work: "x" in work.recording, "the recording has no position"),
    "frames": (
        lambda work: work.has_frames,
        "no frame can be used: none is tracked in a running animal",
    ),
    "noise": (
        lambda work: not work.noise_free,
        "activations are a function of the input, without noise that could be checked",
    ),
    "test": (
        lambda work: work.tested,
        "place cells are units with enough information here, and nothing is tested",
    ),
    "rates": (
        lambda work: work.has_rates,
        "bits per event are not defined: activity is a trace of fluorescence, or below 0",
    ),
    "tuning": (
        lambda work: work.can_be_tested,
        "some activity is below 0 but is no fluorescence, so that no place cell can be told",
    ),
    "sessions": (
        lambda work: work.recording.sizes["session"] > 1,
        "there is one session, and nothing to be on an equal footing with",
    ),
    "match": (
        lambda work: work.match is not None,
        "nothing is to be made equal in the sessions (match)",
    ),
    "laps": (
        lambda work: "y" not in work.recording and work.laps is not None,
        "position is two-dimensional or has no laps",
    ),
    "unknown maps": (
        lambda work: work.detects_maps or "map_label" not in work.recording,
        "the recording's map_label says which map is which",
    ),
}
"""What a node may need -> whether it is there, and why a node without it is left out."""


def _map_switches(work: Work) -> xr.Dataset:
    found = detect_maps(work.recording, binning=work.binning, smoothing=work.smoothing)
    if work.detects_maps:
        work.recording = label_maps(work.recording, found)
    return found


def _smoothed_maps(work: Work) -> xr.Dataset:
    maps = work.nodes["maps"]
    rate = smooth_maps(maps["rate"], work.smoothing, weights_of_bins(maps))
    smoothed = maps.assign(rate=rate)
    return smoothed.assign_attrs(smoothing=work.smoothing)


def _information(work: Work) -> xr.Dataset:
    return compute_spatial_information(
        work.recording,
        binning=work.binning,
        corrections=("ssr", "bae") if work.tested else "none",
        n_repeats=work.n_repeats,
        min_active_frames=work.min_events,
        seed=work.seed,
    )


def _place_cells(work: Work) -> xr.Dataset:
    if not work.tested:
        return informative_cells(work.nodes["informative"], work.nodes["information"])
    return detect_place_cells(
        work.recording,
        binning=work.binning,
        alpha=work.alpha,
        min_events=work.min_events,
        seed=work.seed,
    )


def _cross_fitted(work: Work) -> xr.Dataset:
    return compute_cross_fitted_information(
        work.recording,
        binning=work.binning,
        min_events=work.min_events,
        alpha=work.alpha,
        n_repeats=max(1, work.n_repeats // 5),
        seed=work.seed,
    )


def _stability(work: Work) -> xr.Dataset:
    split = work.split
    return compute_map_stability(
        work.recording,
        binning=work.binning,
        split="half" if split == "block" else split,
        smoothing=work.smoothing,
        alpha=work.alpha,
        min_events=work.min_events,
        seed=work.seed,
    )


def _agreement(work: Work) -> xr.Dataset:
    cells, stable = work.nodes["place_cells"], work.nodes["stability"]
    return compare_criteria(
        {"information": cells["is_place_cell"], "stability": stable["is_stable"]},
        among=cells["tested"].any("direction"),
    )


def _place_fields(work: Work) -> xr.Dataset:
    return detect_place_fields(
        work.nodes["smoothed_maps"], place_cells=work.nodes["place_cells"]["significant"]
    )


def _compared_units(work: Work) -> dict[str, Any]:
    """The units that measures of drift are taken over."""
    return {
        "active": work.nodes["sparsity"]["is_active"],
        "place_cells": work.found("place_cells", "significant"),
        "seed": work.seed,
    }


def _drift(work: Work) -> xr.Dataset:
    if not work.has_position:
        return compute_drift(work.nodes["sparsity"], **_compared_units(work))
    many = work.recording.sizes["session"] > _KEEP_UNITS_UP_TO
    return compute_drift(work.nodes["smoothed_maps"], per_unit=not many, **_compared_units(work))


def _session_drift(work: Work) -> xr.Dataset:
    halves = work.halves
    found = compute_session_drift(compute_drift(halves, per_unit=False, **_compared_units(work)))
    found = _over_all_sessions(found, work.recording)
    return found.merge(_relative_overlaps(work, halves), combine_attrs="override")


def _half_maps(work: Work) -> xr.Dataset:
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


def _lap_maps(work: Work) -> xr.Dataset:
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


def _over_all_sessions(found: xr.Dataset, recording: xr.Dataset) -> xr.Dataset:
    """Drift over every session of a recording, NaN for those without a frame to cut in halves."""
    sessions, pair = recording["session"].values, ("session_a", "session_b")
    if found.sizes["session_a"] == sessions.size:
        return found
    counts = {name: 0 for name, array in found.data_vars.items() if array.dtype.kind in "iu"}
    laid = found.drop_vars([name for name in found.coords if str(name).startswith("lag")])
    laid = laid.reindex(dict.fromkeys(pair, sessions), fill_value=counts)
    lags = lag_coords(recording, pair, np.arange(sessions.size))
    return label(laid.assign_coords(lags), DRIFT).assign_attrs(found.attrs)


def _matched(work: Work) -> xr.Dataset:
    assert work.match is not None
    return compute_matched_measures(
        work.recording,
        match=work.match,
        binning=work.binning,
        smoothing=work.smoothing,
        min_events=work.min_events,
        alpha=work.alpha,
        n_repeats=max(1, work.n_repeats // 5),
        n_draws=work.n_draws,
        seed=work.seed,
    )


def matched_measures(found: xr.Dataset) -> xr.Dataset:
    """Measures on an equal footing, by session.

    Parameters
    ----------
    found
        From `compute_matched_measures`.

    Returns
    -------
    xarray.Dataset
        Over ``session``, for `tabulate_sessions`, as ``NAME_matched``.
    """
    names = [n for n, v in found.items() if v.dims == ("session",) and f"{n}_matched" in MEASURES]
    return found[names].rename({name: f"{name}_matched" for name in names})


def _quality(work: Work) -> xr.Dataset:
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


def _sessions(work: Work) -> xr.Dataset:
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


def _regression(work: Work) -> xr.Dataset:
    table = work.nodes["sessions"].to_dataframe().reset_index()
    return regress_each(table, method=work.slopes)


def _phases(work: Work) -> xr.Dataset:
    root = xr.Dataset(attrs=n_maps_of(work.recording))
    tree = xr.DataTree.from_dict({"/": root, **work.nodes})
    return detect_phases(tree, seed=work.seed)


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


def _means(values: xr.DataArray) -> np.ndarray:
    """Mean of each session without NaN, the same to the last bit in any order of units."""
    rows = values.transpose("session", ...).values.reshape(values.sizes["session"], -1)
    return np.array([exact_mean(row) for row in rows])


NODES: tuple[Node, ...] = (
    Node(
        "map_switches",
        "maps of the environment that the population switches between",
        _map_switches,
        needs=("units", "position", "frames", "noise", "unknown maps"),
        place="warnings",
    ),
    Node(
        "sparsity",
        "active units and active frames of each session",
        lambda work: compute_sparsity(work.recording),
        measures=lambda work: work.nodes["sparsity"],
    ),
    Node(
        "maps",
        "rate maps and occupancy",
        lambda work: compute_rate_maps(work.recording, binning=work.binning),
        needs=("units", "position", "frames"),
        place="rate maps",
    ),
    Node(
        "smoothed_maps",
        "the same, smoothed: what is drawn and correlated",
        _smoothed_maps,
        needs=("units", "position", "frames"),
        uses=("maps",),
        place="rate maps",
    ),
    Node(
        "informative",
        "units with more information than a threshold",
        lambda work: detect_informative_units(
            work.nodes["maps"], min_information=work.min_information
        ),
        needs=("units", "position", "frames", "rates"),
        uses=("maps",),
        measures=lambda work: informative_measures(
            work.nodes["sparsity"], work.nodes["informative"]
        ),
    ),
    Node(
        "information",
        "spatial information of each unit, with its sampling bias removed",
        _information,
        needs=("units", "position", "frames", "rates"),
        uses=("maps",),
    ),
    Node(
        "place_cells",
        "units that tell more of position than shuffles do",
        _place_cells,
        needs=("units", "position", "frames", "tuning"),
        uses=("informative", "information"),
        measures=lambda work: place_cell_measures(
            work.nodes["sparsity"], work.nodes["place_cells"], work.nodes.get("information")
        ),
    ),
    Node(
        "cross_fitted",
        "information of place cells, chosen on one half of a session and estimated on the other",
        _cross_fitted,
        needs=("units", "position", "frames", "noise", "rates"),
        uses=("maps",),
        measures=lambda work: cross_fitted_measures(work.nodes["cross_fitted"]),
    ),
    Node(
        "stability",
        "units whose maps of two parts of a session agree more than by chance",
        _stability,
        needs=("units", "position", "frames", "test", "tuning"),
        place="warnings",
    ),
    Node(
        "agreement",
        "whether both criteria choose the same units",
        _agreement,
        needs=("units", "position", "frames", "test", "tuning"),
        uses=("place_cells", "stability"),
        place="warnings",
    ),
    Node(
        "place_fields",
        "place fields of place cells: centres, widths, rates",
        _place_fields,
        needs=("units", "position", "frames", "rates"),
        uses=("smoothed_maps", "place_cells"),
        place="rate maps",
    ),
    Node(
        "drift",
        "similarity of each pair of sessions, from all frames",
        _drift,
        uses=("sparsity", "smoothed_maps", "place_cells"),
        place="drift",
    ),
    Node(
        "session_drift",
        "similarity of halves of sessions, with the noise ceiling on the diagonal",
        _session_drift,
        needs=("units", "position", "frames"),
        uses=("sparsity", "place_cells", "cross_fitted"),
        place="drift",
    ),
    Node(
        "half_maps",
        "smoothed maps of both halves of each session: one sorts, the other is shown",
        _half_maps,
        needs=("units", "position", "frames", "noise"),
        place="rate maps",
    ),
    Node(
        "lap_maps",
        "maps of each lap of a few example cells: steady, typical and changed ones",
        _lap_maps,
        needs=("units", "position", "frames", "noise", "laps"),
        uses=("sparsity", "place_cells", "drift"),
        place="rate maps",
        measures=lambda work: lap_measures(
            work.nodes["lap_maps"], work.recording["session"].values
        ),
    ),
    Node(
        "matched",
        "place cells, information, active units and drift with as much in every session",
        _matched,
        needs=("units", "position", "frames", "noise", "test", "tuning", "match", "sessions"),
        measures=lambda work: matched_measures(work.nodes["matched"]),
    ),
    Node(
        "quality",
        "units that each step keeps, and the check of the registration",
        _quality,
        uses=("sparsity", "place_cells", "map_switches"),
        place="warnings",
    ),
    Node(
        "lag",
        "whether activity and position are in step, by a scan of the lag between them",
        lambda work: check_lag(work.recording),
        needs=("units", "position", "frames", "noise"),
        place="warnings",
    ),
    Node(
        "sessions",
        "one value of each measure for each session",
        _sessions,
        uses=("sparsity",),
    ),
    Node(
        "regression",
        "slope of each measure over days, experience or training",
        _regression,
        uses=("sessions",),
    ),
    Node(
        "phases",
        "fast learning, directed drift and null drift, with the evidence",
        _phases,
        uses=("sessions", "drift", "session_drift", "matched"),
        place="phases",
    ),
)
"""Every node, in the order in which they are computed."""


def chosen_nodes(measures: Sequence[str] | None) -> list[Node]:
    """Nodes that were asked for, and those that they use.

    Parameters
    ----------
    measures
        Names of nodes; all when None.

    Returns
    -------
    list of Node
        In the order of :data:`NODES`.

    Raises
    ------
    TypeError
        If it is a string instead of a list of them.
    ValueError
        If there is no such node.

    Examples
    --------
    >>> from neurodrift.analysis.nodes import chosen_nodes
    >>> [node.name for node in chosen_nodes(["regression"])]
    ['sparsity', 'sessions', 'regression']
    """
    if measures is None:
        return list(NODES)
    if isinstance(measures, str):
        raise TypeError(f"measures is {measures!r}, expected a list of names: [{measures!r}]")
    if not names_in("measures", measures):
        raise ValueError("measures is empty: name some nodes, or leave it out for all")
    by_name = {node.name: node for node in NODES}
    unknown = [name for name in measures if name not in by_name]
    if unknown:
        raise ValueError(
            f"measures has {', '.join(map(repr, unknown))}, expected some of {', '.join(by_name)}"
        )
    wanted: set[str] = set()
    waiting = list(measures)
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting += by_name[name].uses
    return [node for node in NODES if node.name in wanted]


def reason_without(node: Node, work: Work) -> str | None:
    """Why a node is left out of an analysis; None if it is not.

    Parameters
    ----------
    node
        The next node.
    work
        The analysis, with the nodes before it.

    Returns
    -------
    str or None
        A sentence without its full stop.
    """
    for need in node.needs:
        there, otherwise = NEEDS[need]
        if not there(work):
            return otherwise
    return None


def left_out(results: xr.DataTree) -> dict[str, list[str]]:
    """Nodes that an analysis left out, by the reason.

    Parameters
    ----------
    results
        Result of :func:`neurodrift.analyze`.

    Returns
    -------
    dict
        Reason, a sentence without its full stop -> names of nodes.
    """
    reasons: dict[str, list[str]] = {}
    for name, reason in json.loads(results.attrs.get("left_out", "{}")).items():
        reasons.setdefault(reason, []).append(name)
    return reasons


def table_of_nodes() -> str:
    """The nodes as a table in Markdown, for the docs.

    Returns
    -------
    str
        A page.
    """
    lines = [
        "# Nodes of `analyze`",
        "",
        "Written by `python -m neurodrift.analysis.nodes docs/nodes.md`. `analyze(measures=[...])`",
        "and `neurodrift analyze --measures` compute some of them, and those that they use. A node",
        "that a recording cannot have is left out; the attribute `left_out` of the results, the",
        "summary and the report say why.",
        "",
        "| node | what it holds | in the report | left out where | uses |",
        "|---|---|---|---|---|",
    ]
    for node in NODES:
        without = "; ".join(NEEDS[need][1] for need in node.needs) or "never"
        uses = ", ".join(f"`{name}`" for name in node.uses) or "–"
        lines.append(f"| `{node.name}` | {node.doc} | {node.place} | {without} | {uses} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(table_of_nodes(), encoding="utf-8")
