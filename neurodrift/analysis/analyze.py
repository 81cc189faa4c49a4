"""Every statistic of one recording in one tree."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, get_args

import numpy as np
import xarray as xr

from neurodrift import kinematics
from neurodrift._version import __version__
from neurodrift.analysis.cache import Cache, Keeper
from neurodrift.analysis.footing.measures import footing_of
from neurodrift.analysis.information._compiled import FIRST, is_first_run
from neurodrift.analysis.maps.binning import Binning, as_binning, used_sessions
from neurodrift.analysis.nodes.node import Node
from neurodrift.analysis.nodes.series import n_maps_of
from neurodrift.analysis.nodes.table import chosen_nodes, reason_without
from neurodrift.analysis.nodes.work import Work
from neurodrift.analysis.place_cells._behaviour import AnyNull
from neurodrift.analysis.place_cells._directions import Combine
from neurodrift.curation import Curation, curate
from neurodrift.geometry.geometry import geometry_of
from neurodrift.progress import bar, note
from neurodrift.schema import FORMAT_VERSION, check
from neurodrift.schema.objects import expect_choice
from neurodrift.schema.options import checked_options
from neurodrift.threads import one_blas_thread

__all__ = ["analyze"]

_FEWEST_BINS = 3


_FAULTS = (np.linalg.LinAlgError, ArithmeticError, LookupError, AttributeError, AssertionError)
"""Errors that are faults of our own and not of the input: one node may fail of them."""


@checked_options
def analyze(
    recording: xr.Dataset,
    *,
    measures: Sequence[str] | None = None,
    binning: Binning | None = None,
    bin_width: float | None = None,
    smoothing: float | None = None,
    min_events: int = 5,
    alpha: float = 0.05,
    n_repeats: int = 200,
    criterion: Literal["auto", "shuffle", "information"] = "auto",
    min_information: float = 0.01,
    map_labels: Literal["given", "detect"] = "given",
    slopes: Literal["ar1", "ols"] = "ar1",
    null: AnyNull = "auto",
    combine: Combine = "bonferroni",
    curation: str | os.PathLike[str] | Mapping[str, object] | Curation | None = None,
    match: Literal["auto", "events", "time", "occupancy"] | None = "auto",
    n_draws: int = 20,
    threshold: float = 0.0,
    seed: int = 0,
    cache: Cache | None = None,
    progress: bool = False,
) -> xr.DataTree:
    """Compute every statistic of a recording, real or simulated.

    Parameters
    ----------
    recording
        A recording; lazy activity is read session by session. Without a position there are only
        the sparsity and the drift of activity. Without a speed it gets that of its position
        (:func:`neurodrift.kinematics.running`), and on a linear track its direction, so that rest
        is left out as in other recordings; the summary, the report and the attribute ``derived`` of
        the results say so.
        ``Binning(speed_range=(0, inf))`` keeps all frames and derives nothing.
    measures
        Nodes to compute; those that they use are computed too. All when omitted.
    binning
        Position bins and the frames that count; the defaults of :class:`Binning` when omitted.
    bin_width
        Width of a bin [cm]: short for ``binning=Binning(bin_width=...)``.
    smoothing
        Standard deviation [cm] of the Gaussian over the maps that are correlated; the width of a
        bin when omitted. Information is always taken from maps that were not smoothed.
    min_events, alpha
        Fewest events of a tested unit, and the level of the place-cell test.
    n_repeats
        Subsamples of the whole sample behind SSR and BAE; smaller samples take more. A fifth as
        many samples are behind the information of a session, which are of whole laps. With 200, the
        draws move SSR and BAE of a cell of Sheintuch et al. (2020) by .006 and .02 bit (500: .004
        and .013; standard deviation over seeds), and the information of a session by .005 where
        its standard error is .12.
    criterion
        What makes a place cell: the ``shuffle`` test of :func:`neurodrift.detect_place_cells`, or
        ``information`` above `min_information` without a test. ``auto``: information for the kind
        ``activation``. Such activity is a function of the input, without noise that a test could
        take for a map; on a track run back and forth, shifted activity is its own control.
    min_information
        Information [bit/event] above which a unit is informative, see
        :func:`neurodrift.detect_informative_units`.
    map_labels
        Whether segments of several maps are told apart by the recording's ``map_label`` or by
        what :func:`neurodrift.detect_maps` finds. Without a ``map_label``, switches are looked
        for in any case and warned of, but labels are only used if asked for.
    slopes
        Method of the slopes over sessions, see :func:`neurodrift.regress`: ``"ols"`` is the
        published way, whose intervals are too narrow where neighbouring sessions are alike.
    null, combine
        What activity is shuffled against in the tests of place cells and of stable maps, and how
        the tests of both running directions become one, see :func:`neurodrift.detect_place_cells`.
    curation
        Units, sessions and epochs that are left out, see :func:`neurodrift.curate`. The results are
        those of a recording that was imported with it.
    match
        What is made equal in every session, for the node ``matched``: :func:`match_sessions
        <neurodrift.analysis.footing.matching.match_sessions>`. ``auto``: events of spikes and
        events, otherwise time. None leaves the node out. Activations, without noise, have none.
    n_draws
        Random draws that it averages, see :func:`neurodrift.compute_matched_measures`.
    threshold
        Of activations: activity above which a frame of a unit counts as active. With noisy inputs,
        or a function that is never 0, every unit is above 0 somewhere, and the share of active
        units says nothing; a threshold above the noise does.
    seed
        Seed of every random stream.
    cache
        Where nodes are kept, such as :class:`neurodrift.NodeCache`, or a dict for as long as Python
        runs. A node that was computed before from the same recording with the same options is
        taken from there.
    progress
        Whether to show a progress bar when on a terminal, and to say when kernels have to be
        compiled first.

    Returns
    -------
    xarray.DataTree
        The nodes of :data:`neurodrift.analysis.nodes.table.NODES` (docs/nodes.md): among them
        ``sparsity``, ``maps``, ``information``, ``place_cells``, ``drift`` (all frames of a
        session), ``session_drift`` (halves of sessions of the same map, with the noise ceiling on
        the diagonal), ``matched`` (the same measures on an equal footing, and in ``sessions`` as
        ``NAME_matched``), ``sessions`` (one value a session), ``regression`` (their slopes)
        and ``phases``. Nodes that the recording cannot have are left out, and maps of a
        session are NaN where none of its frames is tracked and running. The ``information`` of a
        session in ``sessions`` is that of :func:`neurodrift.compute_cross_fitted_information`, of
        activations naive; comparison, phases and report mean it. ``information_ssr`` beside it is
        the published mean over maps that were chosen on the same data, which rises as events
        become few. The root's attributes are the parameters, the version of neurodrift,
        ``left_out`` (node and reason, as JSON), ``unused_sessions`` and ``derived``, and where
        positions lie outside of the bins that were given (``outside_track``) how many. Where the
        criterion is information, tests and p, q and z of place cells are left out, and the
        information of single maps is naive.

    Warns
    -----
    UserWarning
        If positions span so little that there are one or two bins, such as where they are in m.

    Raises
    ------
    ValueError
        If it is no recording, the binning leaves no frame of any session, or an option is unknown.
    TypeError
        If `binning` is no :class:`Binning`, or `measures` no list.

    Examples
    --------
    >>> from neurodrift import testing
    >>> from neurodrift.analysis.analyze import analyze
    >>> recording = testing.linear_track(n_units=10, n_sessions=3, minutes=5)
    >>> results = analyze(recording, n_repeats=20)
    >>> results["sessions"]["n_place_cells"].dims
    ('session',)
    """
    check(recording)
    if curation is not None:
        recording = curate(recording, curation)
    binning = as_binning(binning)
    if bin_width is not None:
        if binning != Binning():
            raise ValueError("binning and bin_width are both given: give Binning(bin_width=...)")
        binning = Binning(bin_width=bin_width)
    given = recording
    if binning.speed_range != (0.0, np.inf):
        recording = kinematics.running_where_missing(recording)
    derived = recording.attrs["derived"] if recording is not given else "[]"
    smoothing = binning.smoothing_or_default(smoothing)
    used = used_sessions(recording, binning)
    binning = replace(binning, unused_sessions="keep")
    expect_choice("criterion", criterion, ("auto", "shuffle", "information"))
    expect_choice("map_labels", map_labels, ("given", "detect"))
    if match is not None:
        expect_choice("match", match, ("auto", "events", "time", "occupancy"))
    expect_choice("slopes", slopes, ("ar1", "ols"))
    kind = recording["activity"].attrs["kind"]
    if threshold and kind != "activation":
        raise ValueError(
            f"threshold is {threshold:g}, but it is for activations of a network, and activity is "
            f"of kind {kind!r}: see compute_sparsity(threshold=...)"
        )
    expect_choice("null", null, get_args(AnyNull))
    expect_choice("combine", combine, get_args(Combine))
    if criterion == "auto":
        criterion = "information" if kind == "activation" else "shuffle"
    if measures is not None and map_labels == "detect":
        measures = ["map_switches", *measures]  # other nodes depend on the labels
    nodes = chosen_nodes(measures)
    work = Work(
        recording=recording,
        binning=binning,
        smoothing=smoothing,
        min_events=min_events,
        alpha=alpha,
        n_repeats=n_repeats,
        min_information=min_information,
        seed=seed,
        match=footing_of(recording) if match == "auto" else match,
        n_draws=n_draws,
        threshold=threshold,
        tested=criterion == "shuffle",
        detects_maps=map_labels == "detect",
        slopes=slopes,
        null=null,
        combine=combine,
        used=used,
    )
    if progress and any(node.name == "information" for node in nodes) and is_first_run():
        note(FIRST)
    without: dict[str, str] = {}
    keeper = Keeper(recording, cache)
    for node in bar(nodes, "analyze", progress, unit="node"):
        reason = reason_without(node, work)
        if reason is None:
            try:
                with one_blas_thread():  # small matrices: several threads take twice the time
                    work.nodes[node.name] = keeper.node(node, work)
            except _FAULTS as error:
                reason = _without_fault(node, nodes, error)
        if reason is not None:
            without[node.name] = reason

    if "maps" in work.nodes:
        _warn_of_few_bins(work.nodes["maps"], recording)
    root = xr.Dataset(
        coords={name: recording[name].variable for name in ("subject", "environment")},
        attrs={
            "title": "neurodrift results",
            "format_version": FORMAT_VERSION,
            "neurodrift_version": __version__,
            "parameters": json.dumps(
                {
                    "binning": json.loads(binning.to_json()),
                    "smoothing": smoothing,
                    "min_events": min_events,
                    "alpha": alpha,
                    "n_repeats": n_repeats,
                    "criterion": criterion,
                    "min_information": min_information,
                    "map_labels": map_labels,
                    "match": match,
                    "n_draws": n_draws,
                    "threshold": threshold,
                    "slopes": slopes,
                    "null": null,
                    "combine": combine,
                    "seed": seed,
                }
            ),
            "recording": json.dumps(dict(given.attrs), default=str),
            "derived": derived,
            "unused_sessions": json.dumps([str(s) for s in recording["session"].values[~used]]),
            "left_out": json.dumps(without),
            **_outside(recording, binning),
            **n_maps_of(work.recording),
        },
    )
    found = {
        name: node.drop_vars(["subject", "environment"], errors="ignore")
        for name, node in work.nodes.items()
    }
    return xr.DataTree.from_dict({"/": root, **found})


def _without_fault(node: Node, nodes: Sequence[Node], error: Exception) -> str:
    """Why a node is left out that failed by no fault of its input; raise it if others need it."""
    if any(node.name in other.uses for other in nodes):
        error.add_note(f"in the node {node.name!r} of neurodrift.analyze")
        raise error
    reason = f"it failed by a fault of neurodrift ({type(error).__name__}: {error})"
    warnings.warn(
        f"the node {node.name!r} is left out, {reason}: please report it; all others are whole",
        stacklevel=4,
    )
    return reason


def _outside(recording: xr.Dataset, binning: Binning) -> dict[str, str]:
    """How many tracked frames lie outside of a track that was given; nothing where none does."""
    axes = binning.edges_by_axis()
    if axes is None or len(axes) != 1 or "x" not in recording or "y" in recording:
        return {}
    x = recording["x"].values
    x, (low, high) = x[np.isfinite(x)], axes[0][[0, -1]].tolist()
    n = int(((x < low) | (x > high)).sum())
    if not n:
        return {}
    unit = geometry_of(recording).unit
    told = {"frames": n, "of": int(x.size), "track": [low, high], "unit": unit}
    return {"outside_track": json.dumps(told)}


def _warn_of_few_bins(maps: xr.Dataset, recording: xr.Dataset) -> None:
    """Say so where bins are too wide for the positions, so that nothing can be told of them."""
    geometry = geometry_of(recording["x"])
    if geometry.kind == "category" or maps.sizes["position"] >= _FEWEST_BINS:
        return
    x = recording["x"].values
    span = float(np.nanmax(x) - np.nanmin(x)) if np.isfinite(x).any() else 0.0
    n = maps.sizes["position"]
    warnings.warn(
        f"the positions span {span:.3g} {geometry.unit}, which is {n} bin{'s' * (n > 1)}: maps, "
        f"place cells and drift of maps say nothing. Give positions in {geometry.unit}, or a "
        "smaller bin_width (--bin-width)",
        stacklevel=4,
    )
