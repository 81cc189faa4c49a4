"""Methods for a paper, in the words of the parameters that were used."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.analysis.maps.binning import MIN_RUNNING_SPEED
from neurodrift.analysis.place_cells.shuffles import FIRST_LOOK, HOPELESS, looks_twice
from neurodrift.curation import describe_curation
from neurodrift.geometry.geometry import Geometry, geometry_of
from neurodrift.report.view import View
from neurodrift.report.words import number, plain, plural, said_of
from neurodrift.schema import COUNT_KINDS, LEVEL_KINDS
from neurodrift.schema.words import listing

_KINDS = {
    "spikes": "spikes",
    "events": "calcium events",
    "amplitudes": "event amplitudes",
    "deconvolved": "deconvolved activity",
    "activation": "activation",
}
_NULLS = {
    "circular_exact": "every circular shift of its activity against position within the session",
    "circular": "{n} random circular shifts of its activity against position within the session",
    "lap": "{n} random circular shifts of its activity within laps",
    "block": "{n} shuffles of blocks of its activity",
    "permutation": "{n} permutations of its frames",
    "occupancy": "{n} draws of its events in proportion to occupancy",
    "speed": (
        "{n} random shifts of its activity along the activity that running speed lets expect, "
        "learnt anew from each shuffle, with the largest p of the delays at which activity may "
        "trail speed"
    ),
}
_WHY = {
    "lap": "laps are known",
    "speed": "running speed follows position",
}


@dataclass(frozen=True)
class MethodsText:
    """Paragraphs of methods with the keys of the papers that they cite."""

    paragraphs: list[str]
    cited: list[str]


def methods(view: View) -> MethodsText:
    """Say how the results of a recording were made, ready for a paper.

    Parameters
    ----------
    view
        Results of one recording.

    Returns
    -------
    MethodsText
        Only what was computed is described, with the parameters and the seed that were used.
    """
    left_out = describe_curation(view.source_attributes)
    parts = [_sparsity(view)]
    if "maps" in view.nodes:
        parts += [_maps(view)]
        parts += [_place_cells(view)] if "place_cells" in view.nodes else []
        parts += [_information(view)] if "information" in view.nodes else []
    parts += [_registration(view)] if "wrong_share" in view.nodes.get("quality", {}) else []
    parts += [" ".join(text for text in (_drift(view), _course(view)) if text)]
    parts += [_steps(view)] if "steps" in view.nodes else []
    parts += [_survival(view)] if {"turnover", "fields"} & set(view.nodes) else []
    parts += [_relations(view)] if "relations" in view.nodes else []
    parts += [_footing(view)] if "matched" in view.nodes else []
    parts += [_decoding(view)] if "decoding" in view.nodes else []
    parts += [_within(view)] if "within_drift" in view.nodes else []
    parts += [_behaviour(view)] if "behaviour" in view.nodes else []
    parts += [_stable(view)] if "stable_units" in view.nodes else []
    parts += [_phases(view), _regression(view), _software(view)]
    first, *rest, trends, software = (said_of(text, view.noun) for text in parts)
    head = [said_of(_recording(view), view.noun), *left_out, first]
    tail = [text for text in (trends, software) if text]
    return cited([" ".join(head), *rest, " ".join(tail)])


def comparison_methods(comparison: xr.Dataset) -> MethodsText:
    """Say how recordings were compared.

    Parameters
    ----------
    comparison
        Result of :func:`neurodrift.compare`.

    Returns
    -------
    MethodsText
        One paragraph with the parameters that were used.
    """
    options = json.loads(comparison.attrs["parameters"])
    sides = [str(side) for side in comparison["side"].values]
    level = f"{100 * float(options['level']):g}"
    names = [str(name).replace("_", " ") for name in options["covariates"]]
    covariates = listing(names or ["none"])
    estimate = {
        "subjects": "the mean over its animals or runs with Student's t between them (within the "
        "one animal or run where there is no other)",
        "mixed": "one slope for all its recordings with a random intercept for each",
    }[str(options["method"])]
    text = (
        f"The sides {listing(sides)} were compared by the slopes of session measures, relative "
        "to the first session ({ratzon2024}), and by the decay of similarity with lag and its "
        f"slowing. The slope of a side is {estimate}; covariates of a second set of estimates: "
        f"{covariates}. Sides differ by Welch's t. Signs are the same where both "
        f"{level} % intervals exclude zero on one side, sizes where their ratio lies within "
        f"{float(options['factor']):g} by two one-sided tests. p of the statements were corrected "
        "for their number on a side ({holm1979}), other p were not."
    )
    if options.get("within") == "ar1":
        text += (
            " Slopes of one recording were averaged over the correlation of its neighbouring "
            "sessions with weights of the restricted likelihood ({harville1974})."
        )
    if "margin" in options:
        text += (
            f" No change was said only where one by {100 * float(options['margin']):g} % of the "
            "mean would have been found with a power of 80 %."
        )
    boot = comparison.get("difference_boot_ci_low")
    if boot is not None and np.isfinite(boot.values).any():
        text += (
            f" Differences were also given intervals from {int(options['n_repeats'])} bootstrap "
            "samples of animals or runs ({hesterberg2015})."
        )
    return cited([text])


def cited(texts: list[str]) -> MethodsText:
    """Put citations in the place of their keys in braces.

    Parameters
    ----------
    texts
        Paragraphs, in which a key of :data:`REFERENCES` in braces stands for its paper.

    Returns
    -------
    MethodsText
        The paragraphs that are not empty.
    """
    keys = [key for key in REFERENCES if any(f"{{{key}}}" in text for text in texts)]
    for key in keys:
        texts = [text.replace(f"{{{key}}}", REFERENCES[key].cite) for text in texts]
    return MethodsText([text for text in texts if text], keys)


def grouped_methods(texts: Sequence[tuple[str, MethodsText]]) -> dict[str, Any]:
    """Methods with the same words together, and the papers behind all of them.

    Parameters
    ----------
    texts
        Methods by the name of what they are of.

    Returns
    -------
    dict
        ``groups``, names and paragraphs; ``references``.
    """
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, text in texts:
        groups.setdefault(tuple(text.paragraphs), []).append(name)
    known = {key for _, text in texts for key in text.cited}
    references = [REFERENCES[key] for key in REFERENCES if key in known]
    return {"groups": [(names, own) for own, names in groups.items()], "references": references}


def _recording(view: View) -> str:
    sparsity, n = view.nodes["sparsity"], len(view.sessions)
    kind = _KINDS.get(view.kind, view.kind)
    if view.simulated:
        steps = view.sessions["training_step"]
        return (
            f"The hidden layer of a network ({number(view.n_units)} units) was recorded at {n} "
            f"training steps between {number(steps.min())} and {number(steps.max())} while the "
            f"task ({plain(view.environment)}) was presented."
        )
    with np.errstate(invalid="ignore"):
        rates = sparsity["n_frames"].values / sparsity["seconds"].values
    rates = np.unique(np.round(rates[np.isfinite(rates)], 6))
    counted = f" in frames at {listing([number(rate) for rate in rates])} Hz" if rates.size else ""
    span = ""
    if "day" in view.sessions and np.isfinite(view.sessions["day"].to_numpy(float)).all():
        span = f" over {number(float(view.sessions['day'].max()) + 1)} days" if n > 1 else ""
    return (
        f"{kind.capitalize()} of {plural(view.n_units, 'unit')} ({view.subject}, environment "
        f"{plain(view.environment)}) were recorded in {n} session{'s' if n > 1 else ''}{span} and "
        f"counted{counted}. Maps and similarities of a session are of the units detected in it; "
        "one that was not detected is missing there, not silent."
    )


def _sparsity(view: View) -> str:
    attrs = view.nodes["sparsity"].attrs
    counted = view.kind in ("spikes", "events")
    least = int(attrs.get("min_events", 0))
    what = (
        f"{least} or more {_KINDS[view.kind]}"
        if counted
        else (f"activity above {float(attrs.get('threshold', 0)):g} in {least} or more frames")
    )
    frames = {"tracked": "with a tracked position", "running": "of running"}.get(
        str(attrs.get("frames")), ""
    )
    if not counted or ("maps" not in view.nodes and attrs.get("frames") == "tracked"):
        frames = ""
    return (
        "A unit was active in a session if it had "
        f"{what}{' in frames ' + frames if frames else ''}. The active fraction is the share of "
        f"units and frames with activity ({{ratzon2024}}).{_of_which(view)}"
    )


def _of_which(view: View) -> str:
    if view.simulated or view.counted == "detected":
        return " Fractions are of the units detected in the session." if not view.simulated else ""
    return (
        " Units were detected in each session by their activity. Only fractions"
        f"{' and survival count' if 'turnover' in view.nodes else ' count'} a unit that was not "
        "detected in a session: there it is silent, and they are of all registered units."
    )


def _maps(view: View) -> str:
    binning: dict[str, Any] = view.parameters["binning"]
    maps = view.nodes["maps"]
    flat = "y_bin" not in maps.coords
    geometry = geometry_of(maps)
    name = geometry.variable[:1].upper() + geometry.variable[1:]
    text = _shape_words(geometry)
    if geometry.kind == "category":
        text += f"{name} was a bin for each category"
    else:
        bins = _bin_words(binning, maps, flat, geometry.unit)
        text += f"{name} was divided into {bins}"
    if binning["exclude_ends"]:
        text += f"; bins within {number(binning['exclude_ends'])} cm of either end were left out"
    text += ". "
    frames = _speed_words(view, binning)
    text += f"{frames} " if frames else ""
    if "trial_type" in maps.coords:
        text += "Types of trials were analysed apart"
        text += ", and running directions. " if (maps["direction"] < 0).any() else ". "
    elif maps.sizes["direction"] > 1:
        text += "Running directions were analysed apart. "
    elif maps["direction"].values[0] != 0:
        way = "forwards" if maps["direction"].values[0] > 0 else "backwards"
        text += f"The animal ran {way}; frames of the other direction were left out. "
    if binning["min_occupancy"]:
        text += f"Bins visited for less than {number(binning['min_occupancy'])} s were left out. "
    level = view.kind in LEVEL_KINDS  # averaged over time
    unit = f"mean {_KINDS.get(view.kind, view.kind)}" if level else "summed activity"
    divided = "" if level else " divided by occupancy"
    text += f"Rate maps are {unit}{divided} in each bin"
    smoothing = float(view.parameters["smoothing"])
    if smoothing and geometry.kind != "category":
        text += (
            f"; for correlations they were smoothed by a Gaussian with a standard deviation of "
            f"{number(smoothing)} {geometry.unit}{_SMOOTHED.get(geometry.kind, '')}"
        )
    return text + "."


_SMOOTHED = {
    "circular": ", also across the seam",
    "graph": " along the arms of the maze",
}


def _shape_words(geometry: Geometry) -> str:
    """What the environment, or what is mapped, is like; nothing for a plain track or arena."""
    proposed = ", as its positions show and nobody stated" if geometry.proposed else ""
    if geometry.kind == "circular" and geometry.is_place:
        return f"The track is round, {number(geometry.length or 0)} cm long{proposed}. "
    if geometry.kind == "circular":
        turn = f"{number(geometry.length or 0)} {geometry.unit}"
        return f"Maps are over {geometry.variable}, a circle of {turn}. "
    if geometry.kind == "vr":
        return (
            f"The corridor of {number(geometry.length or 0)} cm was run one way, and its end is no "
            f"neighbour of its start{proposed}. "
        )
    if geometry.kind == "graph":
        arms = ", ".join(" to ".join(edge) for edge in geometry.edges)
        return f"The maze has {len(geometry.edges)} arms ({arms}), along which it was linearised. "
    if geometry.kind == "category":
        return f"Maps are over {geometry.variable}: {', '.join(geometry.names)}. "
    if geometry.shape:
        return f"The arena is a {geometry.shape}. "
    return ""


def _bin_words(binning: dict[str, Any], maps: xr.Dataset, flat: bool, unit: str) -> str:
    n_kept = maps.sizes["position"]
    if binning["edges"] is None and "x_width" in maps.coords:
        found = np.unique(maps["x_width"].values.round(4))
        size = number(found[0])
        size += f" to {number(found[-1])}" if found.size > 1 else ""
        return f"{number(n_kept)} bins of {size} {unit}"
    if binning["edges"] is None:
        widths = np.atleast_1d(binning["bin_width"])
        size = " × ".join(f"{number(width)}" for width in widths)
        return f"bins of {size} {unit} ({number(n_kept)} were used)"
    if not flat:
        first, second = (np.asarray(axis, dtype=float) for axis in binning["edges"])
        return (
            f"{first.size - 1} × {second.size - 1} bins between {number(first[0])} and "
            f"{number(first[-1])} cm by {number(second[0])} and {number(second[-1])} cm "
            f"({number(n_kept)} were used)"
        )
    edges = np.asarray(binning["edges"], dtype=float)
    widths = np.unique(np.round(np.diff(edges), 6))
    size = f"{number(widths[0])} {unit}" if widths.size == 1 else "unequal width"
    return (
        f"{edges.size - 1} bins of {size} between {number(edges[0])} and {number(edges[-1])} "
        f"{unit} ({number(n_kept)} were used)"
    )


def _speed_words(view: View, binning: dict[str, Any]) -> str:
    if "running_speed" not in view.sessions:
        return ""
    if not np.isfinite(view.sessions["running_speed"].to_numpy(float)).any():
        return ""
    low, high = binning["speed_range"] or (MIN_RUNNING_SPEED, None)
    if not low and high is None:
        return "Frames of all running speeds entered."
    if high is None:
        return f"Only frames with a running speed of at least {number(low)} cm/s entered."
    return f"Only frames with a running speed of {number(low or 0)} to {number(high)} cm/s entered."


def _place_cells(view: View) -> str:
    attrs = view.nodes["place_cells"].attrs
    criterion = str(attrs.get("criterion", "p"))
    if criterion not in ("p", "q"):
        least = float(attrs["min_information"])
        return (
            "Units with a spatial information above "
            f"{least:g} bit/event ({{skaggs1993}}) were taken as place cells, as in "
            "{ratzon2024}; activations carry no sampling noise that a shuffle test could assess."
        )
    words, exact = _null_words(view.nodes["place_cells"])
    text = (
        "A unit was tested in a session and direction if it had at least "
        f"{int(attrs['min_events'])} {_counted(view)} in the frames that count. Its spatial "
        "information ({skaggs1993}) was compared with that under "
        f"{words}"
    )
    text += " (identity included). " if exact else (", with p = (r + 1)/(n + 1) ({phipson2010}). ")
    if not exact and looks_twice(int(attrs.get("n_repeats", 0))):
        text += (
            f"Shuffling of a unit stopped after the first {FIRST_LOOK} if {HOPELESS} of them "
            "reached its value; its p is then of these. "
        )
    alpha = f"{float(attrs['alpha']):g}"
    if criterion == "q":
        text += (
            f"It was a place cell at a false discovery rate below {alpha} ({{benjamini1995}}) over "
            f"the tests of one {attrs.get('fdr_scope', 'session')}"
        )
    else:
        text += f"It was a place cell at p < {alpha}"
    ways = {
        "any": " in any direction",
        "bonferroni": " in any direction after Bonferroni correction for directions",
        "all": " in all directions",
    }
    if view.nodes["place_cells"].sizes["direction"] > 1:
        text += ways.get(str(attrs.get("combine")), "")
    text += ". " if criterion == "q" else ", without correction for the number of units. "
    return text + _stability(view)


def _null_words(node: xr.Dataset) -> tuple[str, bool]:
    """How activity was moved, and whether by every circular shift and in no other way."""
    n = number(int(node.attrs.get("n_repeats", 0)))
    used = node["null"].values.ravel().astype(str) if "null" in node else np.empty(0, str)
    names, counts = np.unique(used[used != "none"], return_counts=True)
    if not names.size:
        names, counts = np.array([str(node.attrs.get("null", ""))]), np.ones(1, dtype=int)
    words = [_NULLS.get(name, name).format(n=n) for name in names.tolist()]
    if node.attrs.get("null") == "auto":
        words = [
            f"{text} where {_WHY[name]}" if name in _WHY else text
            for name, text in zip(names.tolist(), words, strict=True)
        ]
    if names.size > 1:
        of = int(counts.sum())
        words = [
            f"{text} ({count} of {of} maps)" for text, count in zip(words, counts, strict=True)
        ]
    return listing(words), names.tolist() == ["circular_exact"]


def _stability(view: View) -> str:
    if "stability" not in view.nodes:
        return ""
    attrs = view.nodes["stability"].attrs
    halves = {
        "trial": "odd and even trials",
        "lap": "odd and even laps",
        "half": "the first and second half of the frames",
    }.get(str(attrs.get("split")), "two halves")
    words, _ = _null_words(view.nodes["stability"])
    return (
        f"As a second criterion, the correlation of its maps of {halves} was tested against "
        f"{words} "
        f"at p < {float(attrs['alpha']):g}; agreement of both criteria is Cohen's kappa "
        "({cohen1960})."
    )


def _counted(view: View) -> str:
    return _KINDS[view.kind] if view.kind in ("spikes", "events") else "frames with activity"


def _information(view: View) -> str:
    node = view.nodes.get("information")
    if node is None:
        return ""
    corrected = [name for name in ("ssr", "bae") if name in node]
    text = (
        "Spatial information in bits per event ({skaggs1993}) was computed from maps that were not "
        "smoothed"
    )
    if not corrected:
        return text + "; no correction for limited sampling was applied."
    names = {
        "ssr": "scaled shuffle reduction (SSR)",
        "bae": "bounded asymptotic extrapolation (BAE)",
    }
    fractions = np.asarray(json.loads(json.dumps(list(node.attrs["fractions"]))), dtype=float)
    return text + (
        f" and corrected for limited sampling by {listing([names[name] for name in corrected])} "
        f"({{sheintuch2022}}), from random subsamples of {fractions[0]:g} to "
        f"{fractions[-1]:g} of the frames, {int(node.attrs['n_repeats'])}/f repetitions for a "
        f"fraction f. {_lasting(node)}{_cross_fitted(view)}"
    )


def _lasting(node: xr.Dataset) -> str:
    """What was done where activity lasts for several frames."""
    if "ssr_parts" not in node or not node["population_ssr_parts"].notnull().any():
        return ""
    part = {"lap": "laps", "trial": "trials"}.get(str(node.attrs["parts"]), "blocks of time")
    return (
        "Where events lasted for more than one frame, SSR was also taken from halves of the "
        f"{part} "
        "with activity moved as a whole (ssr_parts). "
    )


def _cross_fitted(view: View) -> str:
    node = view.nodes.get("cross_fitted")
    if node is None:
        return ""
    part = {"lap": "lap", "trial": "trial"}.get(str(node.attrs["parts"]), "block of time")
    return (
        f"The information of a session is cross-fitted: every second {part} was in the same half, "
        "maps significant in one half were estimated on the other, and SSR was taken of the mean "
        f"curve over these maps, from {int(node.attrs['n_repeats'])} samples of half of the "
        f"{'blocks of time' if part == 'block of time' else part + 's'}, with activity moved as a "
        "whole for the shuffles. Its standard error is the "
        "jackknife over units."
    )


def _drift(view: View) -> str:
    drift = view.nodes["drift"]
    if drift.sizes["session_a"] < 2:
        return ""
    if "rate_map_correlation" not in drift:
        return (
            "Sessions were compared by the Pearson correlation of the units' mean activities and "
            "by the overlap (Jaccard index) of detected and of active units ({ziv2013})."
        )
    units = {
        "either": "place cells in either of two sessions",
        "both": "place cells in both sessions",
        "all": "all units detected in both sessions",
    }[str(drift.attrs.get("units", "either"))]
    text = (
        f"Pairs of sessions were compared by Pearson correlations: of the maps of each unit "
        f"({units}), averaged; of population vectors at equal positions and directions; and of the "
        "mean activities of all units detected in both ({ziv2013}; {sheintuch2020})."
    )
    if drift.attrs.get("n_repeats"):
        text += (
            f" Chance is the mean over {int(drift.attrs['n_repeats'])} shuffles of unit identity."
        )
    if "session_drift" in view.nodes:
        split = str(view.nodes["stability"].attrs.get("split")) if "stability" in view.nodes else ""
        halves = {
            "trial": "every second trial",
            "lap": "every second pair of laps",
            "half": "every second stretch of 60 s",
        }.get(split, "alternating parts")
        same = ", comparing equal maps only" if view.tree.attrs.get("n_maps", 1) > 1 else ""
        text += (
            f" The noise ceiling is the same correlation between halves of one session ({halves}); "
            f"correlations between sessions were then taken between such halves{same}. Those "
            "called relative are without noise: covariances of halves of two sessions over the "
            "geometric mean of those of the halves of each, over the same units and positions, "
            "with maps of counts divided by their events; they are 1 where nothing changed."
        )
    return text


def _course(view: View) -> str:
    """The drift index, and the course of similarity over the lag."""
    text = ""
    if "time_constant" in view.nodes:
        text = (
            "Similarity against the time between sessions was taken as constant, as a line, or as "
            "an exponential fall to a floor: the simplest within a standard error of the one that "
            "tells best of sessions left out in turn. Where that is the line, a floor is not seen. "
            "Intervals are from draws of whole sessions."
        )
    if "drift_index" in view.nodes:
        text += (
            " The drift index is (w - b) / (w + b) with the mean correlations of half maps within "
            "sessions, w, and between them, b ({marks2021}), here over every division into halves; "
            "from it that of noise alone was taken."
        )
    return text.strip().replace("w - b", "w − b")


def _registration(view: View) -> str:
    """How wrong matches were told."""
    if not np.isfinite(view.nodes["quality"]["wrong_share"].values).any():
        return ""
    return (
        "The share of wrong matches was estimated from the similarity of half maps without noise: "
        "what is lost between two sessions however short the time, beyond a steady loss with time, "
        "is taken as cells that are not the same, with bootstrap intervals over units. Whatever "
        "drift does, it is at most one less the similarity."
    )


def _steps(view: View) -> str:
    what = "Centres of fields" if view.nodes["steps"].attrs["variable"] == "centre" else "Rates"
    return (
        f"{what} were taken in four parts of each session, spread over all of it. Mean squares of "
        "steps, their fourth moments and products of steps in a row are of different parts, so "
        "that noise adds nothing; whether drift comes in jumps ({micou2026}) was asked only where "
        "steps are clearly larger than 0."
    )


def _survival(view: View) -> str:
    text = ""
    if "turnover" in view.nodes:
        attrs = view.nodes["turnover"].attrs
        kind = "active units" if attrs.get("kind") == "active" else "place cells"
        text = f"Survival is the share of the {kind} of a session that are {kind} again later"
        if attrs.get("undetected") == "off":
            text += ", where units that were not detected count as lost"
        text += ". "
        if attrs.get("corrected"):
            text += "Misses and false alarms of the test were taken out with its power. "
    if "fields" in view.nodes:
        text += (
            "Place fields of two sessions were matched one to one such that the sum of their "
            "distances is smallest ({kuhn1955}); chance is with fields of other units."
        )
    return text.strip()


def _relations(view: View) -> str:
    found = view.nodes["relations"]
    how = {
        "turned": "the maps of each unit turned by an angle of their own",
        "maps of other units": "the maps of another unit with about as many events, drawn with "
        "replacement, in place of each unit's own",
    }[str(found.attrs["unrelated"])]
    text = (
        "Relations among places were the correlations over units of each two population vectors; "
        "they were compared between halves of two sessions by their correlation ({deitch2021}), "
        "over the geometric mean of that between halves of each. Unrelated codes had "
        f"{how} ({int(found.attrs['n_draws'])} draws). The dependence on lag was tested against "
        "other orders of the sessions."
    )
    if "alignment" in view.nodes:
        text += (
            " Rotations of the population vectors were fitted in one running direction and asked "
            "of the other, or fitted to one step and asked of the next; the share of the change "
            "that they explain is free of noise on average, and is compared with "
            f"{int(view.nodes['alignment'].attrs['n_draws'])} draws in which time runs backwards "
            "for every second unit."
        )
    return text


def _within(view: View) -> str:
    attrs = view.nodes["within_drift"].attrs
    size = f"{int(attrs['laps_per_part'])} laps in a row"
    if attrs["by"] == "minute":
        seconds = int(attrs["laps_per_part"]) * float(attrs["stretch"])
        size = f"{seconds:g} s in a row"
    text = (
        f"Sessions were cut into parts of {size}. Maps of two parts were compared by products of "
        "disjoint halves (every second lap or stretch), over those of the two halves of each part, "
        "so that noise drops out. The last part of a session against the first of the next was "
        "compared with neighbouring parts of the same sessions; standard errors are jackknives "
        f"over {view.noun}s."
    )
    if "identity_sensitivity" in view.nodes:
        text += (
            f" To bound the drift that wrong matches alone would make, {view.noun}s of one session "
            "of a pair were exchanged at random, and similarity taken as linear in the share of "
            "wrong matches."
        )
    return text


def _footing(view: View) -> str:
    attrs = view.nodes["matched"].attrs
    equal = {
        "events": "as many events of each unit as in the session with the fewest (units with at "
        "least 10 wherever they were detected)",
        "time": "as many seconds as the shortest, in whole laps, trials or blocks",
        "occupancy": "as many seconds in each bin and direction as the session with the fewest",
    }[str(attrs["match"])]
    return (
        f"On an equal footing every session kept {equal}, drawn at random; measures are means "
        f"over {int(attrs['n_draws'])} draws, those that need a test over "
        f"{int(attrs['n_draws_tested'])}."
    )


def _regression(view: View) -> str:
    fits = view.nodes["regression"]
    if not np.isfinite(fits["slope"].values).any():
        return ""
    words = {
        "day": "day",
        "experience": "experience in the environment",
        "training_step": "training step",
        "session_number": "session number",
    }
    predictors = listing([words[name] for name in view.predictors])
    how = "ordinary least squares"
    if fits.attrs.get("method") == "ar1":
        how = (
            "generalised least squares, averaged over the correlation of neighbouring sessions "
            "with weights of its restricted likelihood ({harville1974})"
        )
    text = (
        f"Measures of the sessions were regressed on {predictors} by {how}, with "
        f"{number(100 * float(fits.attrs.get('level', 0.95)))} % confidence intervals from "
        "Student's t"
    )
    if np.isfinite(fits["slope_given_speed"].values).any():
        text += ", and again with mean running speed as covariate"
    text += ". p were not corrected for the number of measures"
    if "detectable" in fits:
        text += (
            "; beside each slope is the smallest that would have been found with a power of 80 %"
        )
    return text + "."


def _decoding(view: View) -> str:
    attrs = view.nodes["decoding"].attrs
    equal = "as many events of each and " if attrs.get("match") == "events" else ""
    noise = "Poisson" if view.kind in COUNT_KINDS else "Gaussian"
    return (
        f"Position was decoded from activity in windows of {float(attrs['window']):g} s by a "
        f"Bayesian decoder with {noise} noise and a flat prior ({{ziv2013}}; {{zhang1998}}), "
        f"trained in one session and tested in another, with the {view.noun}s detected in both, "
        f"{equal}as many laps or blocks. Beside it is a decoder of the test session itself, "
        f"trained on other laps ({int(attrs['n_folds'])} folds). Chance is the mean error with "
        f"positions shifted in a circle ({int(attrs['n_repeats'])} shifts). Whether a session "
        "teaches worse was tested by permuting groups of laps of both."
    )


def _behaviour(view: View) -> str:
    attrs = view.nodes["behaviour"].attrs
    told = attrs.get("verdict") not in (None, "too few sessions")
    text = (
        "Behaviour of two sessions was compared by running speed and time in each bin and by the "
        "duration of laps, as mean products of differences in disjoint laps over the variance "
        "between laps."
    )
    if told:
        text += (
            " Similarity of maps was regressed on lag and distance of behaviour over pairs, with "
            "a random effect of each session, standard errors from leaving out sessions, and p "
            "from permuted sessions ({dekker2007})."
        )
    return text


def _stable(view: View) -> str:
    attrs = view.nodes["stable_units"].attrs
    return (
        f"Rate, information, width and peak of {view.noun}s in one half of the laps of a session "
        "were ranked against the noise-free similarity of the other half with the next session, "
        f"and compared with {int(attrs['n_repeats'])} draws of {view.noun}s of the same rates in "
        "which both have nothing to do with each other."
    )


def _phases(view: View) -> str:
    phases = view.nodes.get("phases")
    if phases is None:
        return ""
    quantities = [str(name).replace("_", " ") for name in phases["quantity"].values]
    attrs = phases.attrs
    text = (
        "Phases of learning were told apart by their definition ({ratzon2024}) from "
        f"{listing(quantities)}. Each series was taken as constant or as moving to a plateau, with "
        "first-order autoregressive noise, and both were weighed by Bayes factors ({liang2008}); a "
        "change was also found by the slope of a statistic, corrected for their number "
        "({holm1979}). "
        + _constant(phases)
        + f"A phase was over when {100 * float(attrs.get('done', 0.95)):g} % of its change was "
        f"done. Intervals hold {100 * float(attrs.get('level', 0.95)):g} % of the posterior."
    )
    if "n_repeats" in attrs:
        text += (
            " That similarity falls with the lag was tested by "
            f"{int(attrs['n_repeats'])} permutations of the sessions ({{mantel1967}})."
        )
    return text


def _constant(phases: xr.Dataset) -> str:
    """When a statistic was called constant."""
    if "margin" not in phases.attrs:
        return ""
    return (
        "A statistic was called constant only if a change by "
        f"{100 * float(phases.attrs['margin']):g} % of its mean would have been found with a power "
        "of 80 % and its interval lay within that. "
    )


def _software(view: View) -> str:
    version = view.tree.attrs.get("neurodrift_version", "unknown")
    seed = view.parameters.get("seed")
    return f"Analyses were made with neurodrift {version} (random seed {seed})."


@dataclass(frozen=True)
class Reference:
    """A paper: how the text cites it, its full entry and where it is."""

    cite: str
    entry: str
    url: str


REFERENCES = {
    "benjamini1995": Reference(
        "Benjamini & Hochberg, 1995",
        "Benjamini Y, Hochberg Y (1995). Controlling the false discovery rate: a practical and "
        "powerful approach to multiple testing. J R Stat Soc B 57:289–300.",
        "https://doi.org/10.1111/j.2517-6161.1995.tb02031.x",
    ),
    "boelts2025": Reference(
        "Boelts et al., 2025",
        "Boelts J, Deistler M, Gloeckler M, et al. (2025). sbi reloaded: a toolkit for "
        "simulation-based inference workflows. J Open Source Softw 10:7754.",
        "https://doi.org/10.21105/joss.07754",
    ),
    "cohen1960": Reference(
        "Cohen, 1960",
        "Cohen J (1960). A coefficient of agreement for nominal scales. Educ Psychol Meas "
        "20:37–46.",
        "https://doi.org/10.1177/001316446002000104",
    ),
    "efron1981": Reference(
        "Efron & Stein, 1981",
        "Efron B, Stein C (1981). The jackknife estimate of variance. Ann Stat 9:586–596.",
        "https://doi.org/10.1214/aos/1176345462",
    ),
    "deitch2021": Reference(
        "Deitch et al., 2021",
        "Deitch D, Rubin A, Ziv Y (2021). Representational drift in the mouse visual cortex. "
        "Curr Biol 31:4327–4339.",
        "https://doi.org/10.1016/j.cub.2021.07.062",
    ),
    "guo2017": Reference(
        "Guo et al., 2017",
        "Guo C, Pleiss G, Sun Y, Weinberger KQ (2017). On calibration of modern neural networks. "
        "Proc Mach Learn Res 70:1321–1330.",
        "https://doi.org/10.48550/arXiv.1706.04599",
    ),
    "harville1974": Reference(
        "Harville, 1974",
        "Harville DA (1974). Bayesian inference for variance components using only error "
        "contrasts. Biometrika 61:383–385.",
        "https://doi.org/10.1093/biomet/61.2.383",
    ),
    "hesterberg2015": Reference(
        "Hesterberg, 2015",
        "Hesterberg TC (2015). What teachers should know about the bootstrap: resampling in the "
        "undergraduate statistics curriculum. Am Stat 69:371–386.",
        "https://doi.org/10.1080/00031305.2015.1089789",
    ),
    "holm1979": Reference(
        "Holm, 1979",
        "Holm S (1979). A simple sequentially rejective multiple test procedure. Scand J Stat "
        "6:65–70.",
        "https://www.jstor.org/stable/4615733",
    ),
    "liang2008": Reference(
        "Liang et al., 2008",
        "Liang F, Paulo R, Molina G, Clyde MA, Berger JO (2008). Mixtures of g priors for Bayesian "
        "variable selection. J Am Stat Assoc 103:410–423.",
        "https://doi.org/10.1198/016214507000001337",
    ),
    "kuhn1955": Reference(
        "Kuhn, 1955",
        "Kuhn HW (1955). The Hungarian method for the assignment problem. Nav Res Logist Q "
        "2:83–97.",
        "https://doi.org/10.1002/nav.3800020109",
    ),
    "marks2021": Reference(
        "Marks & Goard, 2021",
        "Marks TD, Goard MJ (2021). Stimulus-dependent representational drift in primary visual "
        "cortex. Nat Commun 12:5169.",
        "https://doi.org/10.1038/s41467-021-25436-3",
    ),
    "micou2026": Reference(
        "Micou & O'Leary, 2026",
        "Micou C, O'Leary T (2026). Statistics of cortical representational drift can enable "
        "robust readout. PLoS Comput Biol 22(6):e1014297.",
        "https://doi.org/10.1371/journal.pcbi.1014297",
    ),
    "mantel1967": Reference(
        "Mantel, 1967",
        "Mantel N (1967). The detection of disease clustering and a generalized regression "
        "approach. Cancer Res 27:209–220.",
        "https://pubmed.ncbi.nlm.nih.gov/6018555",
    ),
    "phipson2010": Reference(
        "Phipson & Smyth, 2010",
        "Phipson B, Smyth GK (2010). Permutation p-values should never be zero: calculating exact "
        "p-values when permutations are randomly drawn. Stat Appl Genet Mol Biol 9:39.",
        "https://doi.org/10.2202/1544-6115.1585",
    ),
    "ratzon2024": Reference(
        "Ratzon et al., 2024",
        "Ratzon A, Derdikman D, Barak O (2024). Representational drift as a result of implicit "
        "regularization. eLife 12:RP90069.",
        "https://doi.org/10.7554/eLife.90069",
    ),
    "romano2020": Reference(
        "Romano et al., 2020",
        "Romano Y, Sesia M, Candès EJ (2020). Classification with valid and adaptive coverage. "
        "Adv Neural Inf Process Syst 33.",
        "https://doi.org/10.48550/arXiv.2006.02544",
    ),
    "sheintuch2020": Reference(
        "Sheintuch et al., 2020",
        "Sheintuch L, Geva N, Baumer H, Rechavi Y, Rubin A, Ziv Y (2020). Multiple maps of the "
        "same spatial context can stably coexist in the mouse hippocampus. Curr Biol 30:1467–1476.",
        "https://doi.org/10.1016/j.cub.2020.02.018",
    ),
    "sheintuch2022": Reference(
        "Sheintuch et al., 2022",
        "Sheintuch L, Rubin A, Ziv Y (2022). Bias-free estimation of information content in "
        "temporally sparse neuronal activity. PLoS Comput Biol 18:e1009832.",
        "https://doi.org/10.1371/journal.pcbi.1009832",
    ),
    "simonsohn2020": Reference(
        "Simonsohn et al., 2020",
        "Simonsohn U, Simmons JP, Nelson LD (2020). Specification curve analysis. Nat Hum Behav "
        "4:1208–1214.",
        "https://doi.org/10.1038/s41562-020-0912-z",
    ),
    "skaggs1993": Reference(
        "Skaggs et al., 1993",
        "Skaggs WE, McNaughton BL, Gothard KM, Markus EJ (1993). An information-theoretic approach "
        "to deciphering the hippocampal code. Adv Neural Inf Process Syst 5:1030–1037.",
        "https://papers.nips.cc/paper/1992/hash/5dd9db5e033da9c6fb5ba83c7a7ebea9-Abstract.html",
    ),
    "welch1947": Reference(
        "Welch, 1947",
        "Welch BL (1947). The generalization of 'Student's' problem when several different "
        "population variances are involved. Biometrika 34:28–35.",
        "https://doi.org/10.1093/biomet/34.1-2.28",
    ),
    "welch1951": Reference(
        "Welch, 1951",
        "Welch BL (1951). On the comparison of several mean values: an alternative approach. "
        "Biometrika 38:330–336.",
        "https://doi.org/10.1093/biomet/38.3-4.330",
    ),
    "dekker2007": Reference(
        "Dekker et al., 2007",
        "Dekker D, Krackhardt D, Snijders TAB (2007). Sensitivity of MRQAP tests to collinearity "
        "and autocorrelation conditions. Psychometrika 72:563–581.",
        "https://doi.org/10.1007/s11336-007-9016-1",
    ),
    "zhang1998": Reference(
        "Zhang et al., 1998",
        "Zhang K, Ginzburg I, McNaughton BL, Sejnowski TJ (1998). Interpreting neuronal population "
        "activity by reconstruction: unified framework with application to hippocampal place "
        "cells. J Neurophysiol 79:1017–1044.",
        "https://doi.org/10.1152/jn.1998.79.2.1017",
    ),
    "ziv2013": Reference(
        "Ziv et al., 2013",
        "Ziv Y, Burns LD, Cocker ED, Hamel EO, Ghosh KK, Kitch LJ, El Gamal A, Schnitzer MJ "
        "(2013). Long-term dynamics of CA1 hippocampal place codes. Nat Neurosci 16:264–266.",
        "https://doi.org/10.1038/nn.3329",
    ),
}
"""Papers behind the methods, by the key with which the text cites them."""
