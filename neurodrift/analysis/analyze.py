"""Every statistic of one recording in one tree."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import xarray as xr

from neurodrift import kinematics
from neurodrift._version import __version__
from neurodrift.analysis.footing.measures import footing_of
from neurodrift.analysis.maps.binning import Binning, as_binning, used_sessions
from neurodrift.analysis.nodes import Work, chosen_nodes, left_out, n_maps_of, reason_without
from neurodrift.analysis.phases._text import describe_phases
from neurodrift.analysis.quality.lag import describe_lag, lag_warnings
from neurodrift.curation import Curation, curate, describe_curation
from neurodrift.progress import bar
from neurodrift.schema import FORMAT_VERSION, check
from neurodrift.schema.objects import expect_choice
from neurodrift.schema.options import checked_options

__all__ = ["analyze", "summarize"]


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
    curation: str | os.PathLike[str] | Mapping[str, Any] | Curation | None = None,
    match: Literal["auto", "events", "time", "occupancy"] | None = "auto",
    n_draws: int = 20,
    seed: int = 0,
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
    curation
        Units, sessions and epochs that are left out, see :func:`neurodrift.curate`. The results are
        those of a recording that was imported with it.
    match
        What is made equal in every session, for the node ``matched``: :func:`match_sessions
        <neurodrift.analysis.footing.matching.match_sessions>`. ``auto``: events of spikes and
        events, otherwise time. None leaves the node out. Activations, without noise, have none.
    n_draws
        Random draws that it averages, see :func:`neurodrift.compute_matched_measures`.
    seed
        Seed of every random stream.
    progress
        Whether to show a progress bar when on a terminal.

    Returns
    -------
    xarray.DataTree
        The nodes of :data:`neurodrift.analysis.nodes.NODES` (docs/nodes.md): among them
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
        ``left_out`` (node and reason, as JSON), ``unused_sessions`` and ``derived``. Where the
        criterion is information, tests and p, q and z of place cells are left out, and the
        information of single maps is naive.

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
    if criterion == "auto":
        noise_free = recording["activity"].attrs["kind"] == "activation"
        criterion = "information" if noise_free else "shuffle"
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
        tested=criterion == "shuffle",
        detects_maps=map_labels == "detect",
        slopes=slopes,
        used=used,
    )
    without: dict[str, str] = {}
    for node in bar(nodes, "analyze", progress, unit="node"):
        reason = reason_without(node, work)
        if reason is None:
            work.nodes[node.name] = node.compute(work).compute()
        else:
            without[node.name] = reason

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
                    "slopes": slopes,
                    "seed": seed,
                }
            ),
            "recording": json.dumps(dict(given.attrs), default=str),
            "derived": derived,
            "unused_sessions": json.dumps([str(s) for s in recording["session"].values[~used]]),
            "left_out": json.dumps(without),
            **n_maps_of(work.recording),
        },
    )
    found = {
        name: node.drop_vars(["subject", "environment"], errors="ignore")
        for name, node in work.nodes.items()
    }
    return xr.DataTree.from_dict({"/": root, **found})


def summarize(results: xr.DataTree) -> str:
    """A table of the sessions and of the slopes, for people.

    Parameters
    ----------
    results
        Result of :func:`analyze`.

    Returns
    -------
    str
        Lines of text.
    """
    if not isinstance(results, xr.DataTree) or "parameters" not in results.attrs:
        raise TypeError(
            f"results is a {type(results).__name__}, expected the tree of neurodrift.analyze"
        )
    lines = [f"{results['subject'].item()}, {results['environment'].item()}"]
    by_information = _criterion(results) == "information"
    if "sessions" in results:
        lines += _sessions_text(results, by_information)
    if by_information and "place_cells" in results:
        threshold = results["place_cells"].attrs["min_information"]
        lines.append(
            f"\nPlace cells are the units with more than {threshold:g} bit/event over directions\n"
            "and positions together. SI is their mean; SI of all has silent units as 0. There is\n"
            "no shuffle test: it asks whether noise makes the maps, and activations have none."
        )
    if by_information and "maps" in results and "place_cells" not in results:
        lines.append(
            "\nSome activations are below 0, where information is not defined: no place cells."
        )
    left = describe_curation(json.loads(results.attrs.get("recording", "{}")))
    if left:
        lines.append("\nCuration:\n" + "\n".join(f"  {text}" for text in left))
    if results.attrs.get("n_maps", 1) > 1:
        lines.append(
            f"\nThe population switches between {results.attrs['n_maps']} maps (map_label):\n"
            "session_drift compares equal maps only, the other results pool a session's maps."
        )
    if "quality" in results:
        lines.append(f"\n{_units(results['quality'].to_dataset())}")
    if "lag" in results:
        found = results["lag"].to_dataset()
        lines.append(f"\n{describe_lag(found)}")
        lines += [f"Warning: {text}" for text in lag_warnings(found)]
    lags = next(
        (results[name].to_dataset() for name in ("session_drift", "drift") if name in results),
        xr.Dataset(),
    )
    measure = next(
        (n for n in ("rate_map_correlation", "ensemble_rate_correlation") if n in lags), None
    )
    if measure is not None and lags.sizes["session_a"] > 1:
        mean = lags[measure].where(lags["lag"] >= 0).groupby("lag").mean()
        values = ", ".join(
            f"{int(lag)}: {value:.2f}"
            for lag, value in zip(mean["lag"].values, mean.values, strict=True)
            if lag >= 0 and np.isfinite(value)
        )
        lines.append(f"\n{measure.replace('_', ' ')} by lag [sessions]: {values}")
    slopes = results["regression"].to_dataset() if "regression" in results else xr.Dataset()
    if slopes.sizes.get("measure"):
        predictor = str(slopes["predictor"].values[0])
        shown = [n for n in ("slope", "ci_low", "ci_high", "p", "detectable") if n in slopes]
        one = slopes.sel(predictor=predictor, drop=True)[shown]
        how = "least squares"
        if slopes.attrs.get("method") == "ar1":
            how = "over the autocorrelation of sessions"
        lines.append(
            f"\nslopes on {predictor} ({how}, n = {results['sessions'].sizes['session']};\n"
            "detectable: the smallest that would have been found with a power of 80 %)"
        )
        lines.append(one.to_dataframe().to_string(float_format=lambda value: f"{value:.3g}"))
    for reason, names in left_out(results).items():
        lines.append(f"\nleft out, because {reason}: {', '.join(names)}")
    if "phases" in results:  # older results have none
        lines.append(f"\n{describe_phases(results['phases'].to_dataset())}")
    return "\n".join(lines)


def _sessions_text(results: xr.DataTree, by_information: bool) -> list[str]:
    """The table of the sessions, and whether rest is among their frames."""
    sessions = results["sessions"].to_dataset()
    columns = {
        "day": "day",
        "training_step": "step",
        "n_detected": "units",
        "n_active": "active",
        "n_place_cells": "place cells",
        "information_informative": "SI",
        "information_all": "SI of all",
        "information": "SI",
        "information_se": "SE",
        "information_population": "SI of all maps",
        "running_speed": "speed [cm/s]",
    }
    shuffled = ("information", "information_se", "information_population")
    other = shuffled if by_information else ("information_informative", "information_all")
    shown = [name for name in columns if name in sessions and name not in other]
    table = sessions[shown].to_dataframe()[shown].rename(columns=columns)
    lines = [table.to_string(float_format=lambda value: f"{value:.3g}")]
    noisy = results["sparsity"].attrs.get("activity_kind") != "activation"
    derived = json.loads(results.attrs.get("derived", "[]"))
    if derived:
        lines.append(
            f"\nThe recording has no speed: {' and '.join(derived)} of running are derived\n"
            "from its position, and rest is left out (--speed-range 0 inf derives nothing)."
        )
    elif "maps" in results and noisy and sessions["running_speed"].isnull().all():
        lines.append("\nThe recording has no speed: rest is not left out of the maps.")
    unused = json.loads(results.attrs.get("unused_sessions", "[]"))
    if unused and "maps" in results:
        lines.append(
            f"No frame can be used in session {', '.join(unused)}: none is tracked while the\n"
            "animal runs. Maps, place cells and information are missing there."
        )
    if "maps" in results and noisy and _pools_directions(results["maps"].to_dataset()):
        lines.append("Both directions of running are pooled in the maps.")
    return lines


def _pools_directions(maps: xr.Dataset) -> bool:
    """Whether maps over one axis are of both running directions together."""
    return "y_bin" not in maps.coords and maps["direction"].values.tolist() == [0]


def _units(quality: xr.Dataset) -> str:
    """Units that each step keeps, and what is not as it should be."""
    parts = [f"{int(quality['n_recorded'])} recorded"]
    for step in quality["step"].values:
        one = quality.sel(step=step)
        words = str(step).replace("_", " ")
        parts.append(f"{int(one['n_in_any'])} ({int(one['n_in_every'])}) {words}")
    lines = ["units in any (in every) session: " + ", ".join(parts)]
    lines += [f"Warning: {text}" for text in json.loads(quality.attrs.get("warnings", "[]"))]
    return "\n".join(lines)


def _criterion(results: xr.DataTree) -> str:
    """What made a place cell; older results do not say."""
    return str(json.loads(results.attrs["parameters"]).get("criterion", "shuffle"))
