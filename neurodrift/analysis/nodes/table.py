"""Every node of an analysis, one entry each, in the order in which they are computed."""

from __future__ import annotations

import json
from collections.abc import Sequence

import xarray as xr

from neurodrift.analysis.decoding.across import decode_across_sessions
from neurodrift.analysis.information.estimates import detect_informative_units
from neurodrift.analysis.maps.rate_maps import compute_rate_maps
from neurodrift.analysis.maps.sparsity import compute_sparsity
from neurodrift.analysis.nodes import (
    behaviour,
    cells,
    codes,
    drift,
    footing,
    maps,
    registration,
    series,
    turnover,
)
from neurodrift.analysis.nodes.node import NEEDS, Node
from neurodrift.analysis.nodes.work import Work
from neurodrift.analysis.quality.lag import check_lag
from neurodrift.schema.objects import names_in

NODES: tuple[Node, ...] = (
    Node(
        "map_switches",
        "maps of the environment that the population switches between",
        maps.map_switches,
        needs=("units", "position", "frames", "noise", "unknown maps"),
        options=("binning", "smoothing", "detects_maps"),
        place="warnings",
    ),
    Node(
        "sparsity",
        "active units and active frames of each session",
        lambda work: compute_sparsity(work.recording, threshold=work.threshold),
        options=("threshold",),
        measures=lambda work: work.nodes["sparsity"],
    ),
    Node(
        "maps",
        "rate maps and occupancy",
        lambda work: compute_rate_maps(work.recording, binning=work.binning),
        needs=("units", "position", "frames"),
        options=("binning",),
        place="rate maps",
    ),
    Node(
        "smoothed_maps",
        "the same, smoothed: what is drawn and correlated",
        maps.smoothed_maps,
        needs=("units", "position", "frames"),
        uses=("maps",),
        options=("smoothing",),
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
        options=("min_information",),
        measures=lambda work: cells.informative_measures(
            work.nodes["sparsity"], work.nodes["informative"]
        ),
    ),
    Node(
        "information",
        "spatial information of each unit, with its sampling bias removed",
        cells.information,
        needs=("units", "position", "frames", "rates"),
        uses=("maps",),
        options=("binning", "tested", "n_repeats", "min_events", "seed"),
    ),
    Node(
        "place_cells",
        "units that tell more of position than shuffles do",
        cells.place_cells,
        needs=("units", "position", "frames", "tuning"),
        uses=("informative", "information"),
        options=("binning", "tested", "alpha", "min_events", "null", "combine", "seed"),
        measures=lambda work: cells.place_cell_measures(
            work.nodes["sparsity"], work.nodes["place_cells"], work.nodes.get("information")
        ),
    ),
    Node(
        "cross_fitted",
        "information of place cells, chosen on one half of a session and estimated on the other",
        cells.cross_fitted,
        needs=("units", "position", "frames", "noise", "rates"),
        uses=("maps",),
        options=("binning", "alpha", "min_events", "null", "n_repeats", "seed"),
        measures=lambda work: cells.cross_fitted_measures(work.nodes["cross_fitted"]),
    ),
    Node(
        "stability",
        "units whose maps of two parts of a session agree more than by chance",
        cells.stability,
        needs=("units", "position", "frames", "test", "tuning"),
        options=("binning", "smoothing", "alpha", "min_events", "null", "combine", "seed"),
        place="warnings",
    ),
    Node(
        "agreement",
        "whether both criteria choose the same units",
        cells.agreement,
        needs=("units", "position", "frames", "test", "tuning"),
        uses=("place_cells", "stability"),
        place="warnings",
    ),
    Node(
        "place_fields",
        "place fields of place cells: centres, widths, rates",
        maps.place_fields,
        needs=("units", "position", "frames", "rates"),
        uses=("smoothed_maps", "place_cells"),
        place="rate maps",
    ),
    Node(
        "drift",
        "similarity of each pair of sessions, from all frames",
        drift.drift,
        uses=("sparsity", "smoothed_maps", "place_cells"),
        options=("seed",),
        place="drift",
    ),
    Node(
        "session_drift",
        "similarity of halves of sessions, with the noise ceiling on the diagonal",
        drift.session_drift,
        needs=("units", "position", "frames", "noise"),
        uses=("sparsity", "place_cells", "cross_fitted"),
        options=("binning", "smoothing", "seed"),
        place="drift",
    ),
    Node(
        "drift_index",
        "loss of the correlation of maps between sessions, against within them",
        drift.drift_index,
        needs=("units", "position", "frames", "noise", "several sessions"),
        options=("binning", "smoothing"),
        place="drift",
    ),
    Node(
        "steps",
        "how far fields move between sessions: diffusion, jumps, direction",
        drift.steps,
        needs=("units", "position", "frames", "noise", "tuning", "several sessions"),
        uses=("place_cells",),
        options=("binning", "smoothing", "min_events", "seed"),
        place="drift",
    ),
    Node(
        "time_constant",
        "half-life and floor of the similarity of sessions, or neither",
        drift.time_constant,
        needs=("units", "several sessions"),
        uses=("session_drift", "drift"),
        options=("seed",),
        place="drift",
    ),
    Node(
        "relations",
        "whether relations among places stay, beyond what any code of this track has",
        codes.relations,
        needs=("units", "position", "frames", "noise", "several sessions"),
        options=("binning", "smoothing", "seed"),
        place="drift",
    ),
    Node(
        "alignment",
        "whether units change together, as one rotation of the code, or each on its own",
        codes.alignment,
        needs=("units", "position", "frames", "noise", "several sessions"),
        options=("binning", "smoothing", "seed"),
        place="drift",
    ),
    Node(
        "half_maps",
        "smoothed maps of both halves of each session: one sorts, the other is shown",
        maps.half_maps,
        needs=("units", "position", "frames", "noise"),
        options=("binning", "smoothing"),
        place="rate maps",
    ),
    Node(
        "lap_maps",
        "maps of each lap of a few example cells: steady, typical and changed ones",
        maps.lap_maps,
        needs=("units", "position", "frames", "noise", "laps"),
        uses=("sparsity", "place_cells", "drift"),
        options=("binning",),
        place="rate maps",
        measures=lambda work: maps.lap_measures(
            work.nodes["lap_maps"], work.recording["session"].values
        ),
    ),
    Node(
        "matched",
        "place cells, information, active units and drift with as much in every session",
        footing.matched,
        needs=("units", "position", "frames", "noise", "test", "tuning", "match", "sessions"),
        options=(
            "binning",
            "smoothing",
            "match",
            "alpha",
            "min_events",
            "null",
            "combine",
            "n_repeats",
            "n_draws",
            "seed",
        ),
        measures=lambda work: footing.matched_measures(work.nodes["matched"]),
    ),
    Node(
        "turnover",
        "place cells that are still place cells after some sessions, run lengths and survival",
        turnover.turnover,
        needs=("units", "several sessions"),
        uses=("sparsity", "place_cells", "cross_fitted"),
        options=("seed",),
        place="drift",
    ),
    Node(
        "fields",
        "place fields kept, moved, lost and formed; shifts from lap to lap",
        turnover.fields,
        needs=("units", "position", "frames", "rates", "tuning", "line", "several sessions"),
        uses=("place_fields", "half_maps", "place_cells"),
        options=("binning", "seed"),
        place="drift",
    ),
    Node(
        "quality",
        "units that each step keeps, and the check of the registration",
        registration.registration_quality,
        uses=("sparsity", "place_cells", "map_switches"),
        options=("binning", "smoothing", "detects_maps", "seed"),
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
        "decoding",
        "position in each session by Bayesian decoders of every session",
        lambda work: decode_across_sessions(
            work.recording, binning=work.binning, smoothing=work.smoothing, seed=work.seed
        ),
        needs=("units", "position", "frames", "noise", "several sessions"),
        options=("binning", "smoothing", "seed"),
        place="drift",
    ),
    Node(
        "identity_sensitivity",
        "how much drift wrong matches alone would make, and how many all of it takes",
        registration.identity_sensitivity,
        needs=("units", "position", "frames", "noise", "several sessions"),
        uses=("sparsity", "place_cells"),
        options=("binning", "smoothing", "seed"),
        place="warnings",
    ),
    Node(
        "within_drift",
        "similarity of parts of sessions: whether maps change within a session or overnight",
        drift.within_drift,
        needs=("units", "position", "frames", "noise"),
        options=("binning", "smoothing"),
        place="drift",
    ),
    Node(
        "behaviour",
        "how differently the animal behaved, and what of the change of maps goes with it",
        behaviour.behaviour,
        needs=("units", "position", "frames", "noise", "several sessions"),
        uses=("session_drift",),
        options=("binning", "seed"),
        place="drift",
    ),
    Node(
        "stable_units",
        "whether rate, information, width or peak of a unit tell how stable its map is",
        behaviour.stable_units,
        needs=("units", "position", "frames", "noise", "counts", "several sessions"),
        options=("binning", "min_events", "seed"),
        place="drift",
    ),
    Node(
        "sessions",
        "one value of each measure for each session",
        series.sessions,
        uses=("sparsity",),
        options=("binning",),
        gathers=True,
    ),
    Node(
        "regression",
        "slope of each measure over days, experience or training",
        series.regression,
        uses=("sessions",),
        options=("slopes",),
    ),
    Node(
        "phases",
        "fast learning, directed drift and null drift, with the evidence",
        series.phases,
        needs=("several sessions",),
        uses=series.OF_PHASES,
        options=("seed",),
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
    >>> from neurodrift.analysis.nodes.table import chosen_nodes
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
