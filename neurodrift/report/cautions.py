"""One warning of a report."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from neurodrift.analysis.identity.sentences import registration_sentences, weigh_matches
from neurodrift.analysis.summary import network_warnings
from neurodrift.curation import describe_curation
from neurodrift.report.footing import trends
from neurodrift.report.trend import SIGNIFICANT
from neurodrift.report.view import PREDICTORS, View, finite_mean
from neurodrift.report.words import (
    in_sentence,
    number,
    p_value,
    percent,
    plain_text,
    plural,
    said_of,
)
from neurodrift.schema.words import listing


@dataclass(frozen=True)
class Caution:
    """One warning.

    Parameters
    ----------
    code
        Name for tests and links.
    level
        ``"serious"``: a result may be wrong or absent; ``"care"``: it needs thought; ``"note"``.
    title
        A few words.
    text
        What was found, with its number, and what follows.
    """

    code: str
    level: str
    title: str
    text: str


FEW_EVENTS = 20  # median events of a tested map
FEW_TESTED = 0.5  # of detected units
FEW_COMMON = 20  # units in both sessions of a pair
LOW_OVERLAP = 0.6  # Jaccard index of detected units, mean over pairs
FEW_SESSIONS = 6  # for a slope
COLLINEAR = 10.0  # variance inflation above which two predictors cannot be told apart
SPEED_CHANGE = 0.2  # of mean running speed, from slowest to fastest session
UNEVEN_TIME = 1.25  # longest over shortest session
UNVISITED = 0.05  # of the bins
MATCHES_MATTER = 0.1  # share of the drift that wrong matches may make


def _at_the_gate(view: View) -> Iterator[Caution]:
    """What was odd when the recording came in, and what was accepted all the same."""
    for item in json.loads(view.source_attributes.get("findings", "[]")):
        name, text = item["name"].replace("_", " "), item["text"]
        if item["name"] == "lag":  # was asked for, and is no fault any more
            where = f"{item['where'][0].upper()}{item['where'][1:]}"
            yield Caution("gate-lag", "note", "Put in step on import", f"{where}: {text}.")
            continue
        yield Caution(
            f"gate-{item['name']}",
            "serious" if item["accepted"] else "care",
            f"{'Accepted on import' if item['accepted'] else 'Odd on import'}: {name}",
            f"{item['where'][0].upper()}{item['where'][1:]}: {text}.",
        )


def _curated(view: View) -> Iterator[Caution]:
    """What a person left out, and why."""
    left = describe_curation(view.source_attributes)
    if left:
        yield Caution("curation", "note", "Left out by curation", " ".join(left))


def _no_running(view: View) -> Iterator[Caution]:
    told = view.sessions.get("running_speed")
    derived = json.loads(view.tree.attrs.get("derived", "[]"))
    if derived:
        yield Caution(
            "derived-speed",
            "note",
            "Running speed from the position",
            f"The recording has no speed; {listing(derived)} of running were derived from its "
            "position, so that rest is left out of the maps.",
        )
    elif "maps" in view.nodes and view.noisy and (told is None or told.isna().all()):
        yield Caution(
            "no-speed",
            "care",
            "No running speed",
            "The recording has no speed, so rest is not left out of the maps, and running "
            "directions are not told apart unless the recording has them.",
        )


def _lag(view: View) -> Iterator[Caution]:
    found = view.nodes.get("lag")
    if found is None:
        return
    for text in json.loads(found.attrs.get("warnings", "[]")):
        yield Caution("out-of-step", "serious", "Activity and position are out of step", text)
    verdict = found["verdict"].values
    open_ = [str(name) for name in found["session"].values[verdict == "undecided"]]
    if open_:
        yield Caution(
            "lag-undecided",
            "note",
            "Not known whether activity and position are in step",
            f"In {plural(len(open_), 'session')} of {verdict.size} ({listing(open_)}) the scanned "
            "units tell too little of position at any lag within a minute to say whether both "
            "clocks fit.",
        )


def _no_position(view: View) -> Iterator[Caution]:
    unused = json.loads(view.tree.attrs.get("unused_sessions", "[]"))
    if "maps" not in view.nodes and view.n_units:
        what = "no frame that is tracked while the animal runs" if unused else "no position"
        yield Caution(
            "no-position",
            "care",
            "No position",
            f"The recording has {what}, so there are no rate maps, no place cells and no "
            "spatial information; sparsity and the drift of mean activity remain.",
        )
    elif unused and "maps" in view.nodes:
        yield Caution(
            "unused-sessions",
            "serious",
            "Sessions without a map",
            f"No frame of {plural(len(unused), 'session')} of {len(view.sessions)} "
            f"({listing(unused)}) can be used: none is tracked while the animal runs. Maps, place "
            "cells and information are missing there.",
        )


def _several_maps(view: View) -> Iterator[Caution]:
    n_maps = int(view.tree.attrs.get("n_maps", 1))
    if n_maps < 2:
        return
    table = view.sessions
    both = int((table["n_maps"] > 1).sum()) if "n_maps" in table else 0
    yield Caution(
        "several-maps",
        "serious",
        "The population switches between maps",
        f"Labels tell {n_maps} maps of the environment, {plural(both, 'session')} of {len(table)} "
        f"{'holds' if both == 1 else 'hold'} more than one. Correlations of the halves of sessions "
        "compare equal maps only; whole-session maps, place cells and information pool the maps of "
        "a session, so a switch can pass for drift there.",
    )


def _one_unit(view: View) -> Iterator[Caution]:
    if view.n_units < 10:
        yield Caution(
            "few-units",
            "serious",
            "Few units",
            f"The recording has {plural(view.n_units, 'unit')}: fractions, means and population "
            "correlations say little about a population.",
        )


def _speed(view: View) -> Iterator[Caution]:
    table, predictor = view.sessions, view.main_predictor
    if "running_speed" not in table:
        return
    speed = table["running_speed"].to_numpy(float)
    speed = speed[np.isfinite(speed)]
    if speed.size < 2:
        return
    low, high = speed.min(), speed.max()
    p, trend = _trend(view, "running_speed", predictor)
    if (high - low) / speed.mean() <= SPEED_CHANGE and not p < SIGNIFICANT:
        return
    lost = [
        in_sentence(str(measure))
        for measure in view.nodes["regression"]["measure"].values
        if (fit := view.slope(str(measure))) is not None
        and fit["p"] < SIGNIFICANT <= fit["p_given_speed"]
    ]
    text = (
        f"Mean running speed lies between {number(low)} and {number(high)} cm/s "
        f"({percent((high - low) / speed.mean())} of its mean)"
    )
    text += f", {trend}. " if trend else ". "
    text += "Speed changes how often cells fire and how well position is sampled. "
    if lost:
        text += (
            f"Once speed is held, the trend of {listing(lost)} is no longer significant at "
            f"{SIGNIFICANT:g}."
        )
    else:
        text += "Compare the slopes with and without running speed as covariate."
    fits = view.nodes["regression"]
    if "vif_given_speed" in fits and predictor in fits["predictor"].values:
        inflation = fits["vif_given_speed"].sel(predictor=predictor).values
        if inflation.size and np.nanmax(np.append(inflation, 0.0)) > COLLINEAR:
            text += (
                f" Speed hardly varies apart from {in_sentence(PREDICTORS[predictor][0])} "
                f"(variance inflation {number(np.nanmax(inflation))}): these sessions cannot tell "
                "their effects apart."
            )
    trending = "with the sessions" if p < SIGNIFICANT else "between sessions"
    level = "serious" if lost else "care"
    yield Caution("running-speed", level, f"Running speed changes {trending}", text)


def _events(view: View) -> Iterator[Caution]:
    """Whether the events of a unit change over the sessions, and which trends that explains."""
    table = view.sessions
    if view.simulated or "events_per_unit" not in table:
        return
    events = table["events_per_unit"].to_numpy(float)
    events = events[np.isfinite(events)]
    if events.size < 2 or not events.mean() > 0:
        return
    p, trend = _trend(view, "events_per_unit", view.main_predictor, "events a unit")
    if p < SIGNIFICANT:
        yield Caution(
            "events-per-unit",
            "care",
            "Events a unit change with the sessions",
            f"Detected units have {number(events.min())} to {number(events.max())} events a "
            f"session on average, {trend}. With fewer events fewer place cells are found, naive "
            "information is larger and maps look less alike. Read the trends on an equal footing.",
        )


def _footing(view: View) -> Iterator[Caution]:
    """Trends that are not there on an equal footing, or only there."""
    odd = [trend for trend in trends(view) if trend.disagree]
    if odd:
        yield Caution(
            "equal-footing",
            "serious",
            "A trend depends on how much was recorded",
            "As recorded and on an equal footing differ: "
            + "; ".join(trend.sentence() for trend in odd)
            + ". A trend that is there as recorded alone may come from the number of events, the "
            "time or the sampling of the track.",
        )
    node = view.nodes.get("matched")
    if node is not None and int(node["n_units_left_out"]) > 0:
        left, kept = int(node["n_units_left_out"]), node.attrs.get("n_units", 0)
        yield Caution(
            "units-left-out",
            "note",
            "Units left out on an equal footing",
            f"{plural(left, 'unit')} of {left + int(kept)} had fewer than 10 events in some "
            "session where they were detected: trends with equal events are of the others.",
        )


def _trend(view: View, measure: str, predictor: str, unit: str = "cm/s") -> tuple[float, str]:
    """P of the slope of a column on a predictor, and its sentence; NaN without a slope."""
    from neurodrift.analysis.regression.regression import regress

    table = view.sessions
    if predictor not in table:
        return float("nan"), ""
    used = table[[measure, predictor]].astype(float).dropna()
    if len(used) < 3 or used[predictor].nunique() < 2 or used[measure].nunique() < 2:
        return float("nan"), ""
    fit = regress(used, measure, predictor).sel(term=predictor)
    p = float(fit["p"])
    slope = f"{number(float(fit['estimate']))} {unit} {PREDICTORS[predictor][1]}"
    return p, f"trend {slope} ({p_value(p)})"


def _few_events(view: View) -> Iterator[Caution]:
    cells = view.nodes.get("place_cells")
    if cells is None or view.kind not in ("spikes", "events"):
        return
    tested = cells["tested"].values
    counts = cells["n_events"].values[tested]
    if counts.size and np.median(counts) < FEW_EVENTS:
        median, fewest = np.median(counts), np.mean(counts < 2 * view.parameters["min_events"])
        yield Caution(
            "few-events",
            "care",
            "Few events per map",
            f"Half of the {plural(counts.size, 'tested map')} rest on at most {number(median)} "
            f"events in the frames that count ({percent(fewest)} on fewer than "
            f"{2 * view.parameters['min_events']}). Single maps are noisy, naive information is "
            "too large, and correlations between sessions are too low; read the corrected "
            "information and the correlations without noise.",
        )


def _few_tested(view: View) -> Iterator[Caution]:
    table = view.sessions
    if "n_tested" not in table or not table["n_detected"].sum():
        return
    share = table["n_tested"].sum() / table["n_detected"].sum()
    if share < FEW_TESTED:
        yield Caution(
            "few-tested",
            "note",
            "Many units were not tested",
            f"{percent(share)} of the detected units had the {view.parameters['min_events']} "
            "events in the frames that count which the test of place cells asks for. The fraction "
            f"of place cells is of all {view.counted} units, so it also follows how active they "
            "were.",
        )


def _detection(view: View) -> Iterator[Caution]:
    """Whether a unit that was not detected was silent."""
    attrs, table = view.nodes["sparsity"].attrs, view.sessions
    of = ("fraction_active_of_detected", "fraction_active_of_union")
    if not set(of) <= set(table) or len(table) < 2 or table["n_detected"].nunique() < 2:
        return
    ends = {name: table[name].to_numpy(float)[[0, -1]] for name in of}
    if not np.isfinite(list(ends.values())).all():
        return
    detected, union = (f"{percent(first)} to {percent(last)}" for first, last in ends.values())
    both = f"of detected units {detected}, of all registered ones {union} (first to last session)"
    if attrs.get("detection") == "each_session":
        yield Caution(
            "detection",
            "note",
            "Units that were not detected count as silent",
            "Units were found in each session by their activity; fractions are of all registered "
            f"units. Active were {both}. A change of the focal plane looks like silence.",
        )
    elif attrs.get("detection") != "together" and (
        abs(np.diff(ends[of[0]]) - np.diff(ends[of[1]]))[0] > DETECTION_MATTERS
    ):
        yield Caution(
            "detection",
            "care",
            "Not known how units were detected",
            "If units were found in each session by their activity (CNMF, suite2p), one that was "
            "not detected was silent, and fractions must be of all registered units; if from all "
            f"sessions together, of the detected ones, as here. Active were {both}: state which it "
            "is (detection=, --detection).",
        )


def _units_lost(view: View) -> Iterator[Caution]:
    drift = view.nodes["drift"]
    upper = np.triu_indices(drift.sizes["session_a"], k=1)
    if not upper[0].size or "cell_overlap" not in drift:
        return
    overlap = drift["cell_overlap"].values[upper]
    common = drift["ensemble_rate_correlation_n"].values[upper]
    if finite_mean(overlap) < LOW_OVERLAP:
        far = int(np.nanargmin(overlap))
        first, second = (view.labels[index[far]] for index in upper)
        yield Caution(
            "units-lost",
            "care",
            "Units are lost between sessions",
            f"Two sessions share on average {percent(finite_mean(overlap))} of the units that "
            f"either of them has, sessions {first} and {second} only {percent(overlap[far])} "
            f"({plural(int(common[far]), 'unit')}). Similarities between sessions are of the units "
            "that were detected in both.",
        )
    few = common < FEW_COMMON
    if few.any():
        yield Caution(
            "few-common",
            "serious",
            "Few common units",
            f"{plural(int(few.sum()), 'pair')} of {few.size} have fewer than {FEW_COMMON} units in "
            f"common, the poorest {int(common.min())}: their correlations are hardly determined.",
        )


def _few_sessions(view: View) -> Iterator[Caution]:
    n = len(view.sessions)
    if n >= FEW_SESSIONS:
        return
    if n < 3:
        text = f"{plural(n, 'session')}: no slope can be estimated."
    else:
        text = (
            f"Slopes rest on {n} sessions, {plural(n - 2, 'degree')} of freedom. So few do not say "
            "how alike neighbouring sessions are: intervals are wide, and a trend that is not "
            "significant has not been shown to be absent."
        )
    yield Caution("few-sessions", "care", "Few sessions for a slope", text)


def _time(view: View) -> Iterator[Caution]:
    if "tracked_time" not in view.sessions:
        return
    minutes = view.sessions["tracked_time"].to_numpy(float)
    minutes = minutes[np.isfinite(minutes) & (minutes > 0)]
    if minutes.size > 1 and minutes.max() / minutes.min() > UNEVEN_TIME:
        yield Caution(
            "uneven-time",
            "care",
            "Sessions differ in length",
            f"Tracked time lies between {number(minutes.min())} and {number(minutes.max())} min. "
            "Longer sessions have more events, more active units and less bias of the naive "
            "information.",
        )


def _unvisited(view: View) -> Iterator[Caution]:
    if "maps" not in view.nodes:
        return
    occupancy = view.nodes["maps"]["occupancy"].values
    empty = float(np.mean(~(occupancy > 0)))
    if empty > UNVISITED:
        yield Caution(
            "unvisited",
            "care",
            "Bins that were not visited",
            f"{percent(empty)} of the bins (sessions × directions) were never visited in the "
            "frames that count. Maps are compared only over bins that both sessions have.",
        )


def _region(view: View) -> Iterator[Caution]:
    if view.simulated:
        return
    sparsity = view.nodes["sparsity"]
    regions = sparsity["region"].values if "region" in sparsity.coords else np.array([])
    unknown = [str(name).strip().lower() in ("", "unknown", "nan", "none") for name in regions]
    n = int(np.sum(unknown)) if len(unknown) else view.n_units
    if n:
        yield Caution(
            "unknown-region",
            "note",
            "Brain region unknown",
            f"The recording does not say where {plural(n, 'unit')} of {number(view.n_units)} lie; "
            "the methods below leave it open.",
        )
    elif len(set(regions)) > 1:
        yield Caution(
            "several-regions",
            "care",
            "Several brain regions",
            f"Units of {listing(sorted({str(name) for name in regions}))} are pooled in every "
            "number.",
        )


def _simulated(view: View) -> Iterator[Caution]:
    if view.simulated:
        n = len(view.sessions)
        yield Caution(
            "simulated",
            "note",
            "Sessions are snapshots of one network",
            f"The {plural(n, 'snapshot')} come from one training run and depend on each other: "
            "intervals and p of their slopes describe this run, not other seeds.",
        )


def _network(view: View) -> Iterator[Caution]:
    """A loss that rises, and units that are all active."""
    for text in network_warnings(view.tree):
        rises = "loss" in text
        title = "The loss rises" if rises else "Every unit is active in every session"
        yield Caution("loss-rises" if rises else "all-active", "serious", title, text)


def _stored(view: View) -> Iterator[Caution]:
    quality = view.nodes.get("quality")
    if quality is None:
        return
    stored = quality.attrs.get("warnings", "[]")
    for text in json.loads(stored) if isinstance(stored, str) else stored:
        yield Caution("quality", "care", "Quality of the recording", str(text))


def _registration(view: View) -> Iterator[Caution]:
    said = registration_sentences(view.nodes.get("quality", xr.Dataset()))
    for text in () if said is None else said.warnings:
        yield Caution("registration", "care", "One session agrees less with the others", text)


def _wrong_matches(view: View) -> Iterator[Caution]:
    """How much of the drift wrong matches alone would make, where that is not little."""
    if "identity_sensitivity" not in view.nodes or "quality" not in view.nodes:
        return
    weighed = weigh_matches(view.nodes["identity_sensitivity"], view.nodes["quality"])
    if weighed is None or weighed.high < MATCHES_MATTER * weighed.seen:
        return
    level, how = ("serious", "all") if weighed.high >= weighed.seen else ("care", "a part")
    yield Caution(
        "registration-share",
        level,
        f"Wrong matches may make {how} of the drift",
        weighed.text.replace("these wrong matches", "the wrong matches estimated above")
        + " The estimate takes drift as steady: drift that is faster at first looks the same.",
    )


RECORDING_CHECKS = (
    _at_the_gate,
    _curated,
    _no_running,
    _lag,
    _no_position,
    _several_maps,
    _one_unit,
    _speed,
    _few_events,
    _few_tested,
    _detection,
    _units_lost,
    _few_sessions,
    _time,
    _unvisited,
    _stored,
    _registration,
    _wrong_matches,
    _region,
    _simulated,
    _network,
)


DETECTION_MATTERS = 0.05  # difference of the change of active units, of detected and of registered
LOW_CEILING = 0.5  # correlation of two halves of a session
LOW_KAPPA = 0.4  # below moderate agreement
DISAGREEMENT = 0.15  # of SSR and BAE, relative to their mean
NAIVE_BIAS = 0.15  # of naive information over the mean of SSR and BAE
FEW_REPETITIONS = 100
FEW_CHOSEN = 10  # maps that were chosen on one half and estimated on the other


def cautions(view: View) -> list[Caution]:
    """Every warning that the results of a recording give reason for.

    Parameters
    ----------
    view
        Results of one recording.

    Returns
    -------
    list of Caution
        The serious ones first.
    """
    found = [
        _said_of(caution, view.noun)
        for check in (*RECORDING_CHECKS, *_RESULT_CHECKS)
        for caution in check(view)
    ]
    order = ("serious", "care", "note")
    return sorted(found, key=lambda caution: order.index(caution.level))


def alarm(found: Sequence[Caution]) -> tuple[str, str] | None:
    """The serious warnings, short, to stand above what was found.

    Parameters
    ----------
    found
        Of :func:`cautions`.

    Returns
    -------
    (str, str) or None
        The title of the first, and the first sentence of its first warning, the number of further
        ones and the titles of the others; None where nothing is serious.
    """
    texts: dict[str, list[str]] = {}
    for caution in found:
        if caution.level == "serious":
            texts.setdefault(caution.title, []).append(caution.text)
    if not texts:
        return None
    first, *others = texts
    said = texts[first]
    more = f" {plural(len(said) - 1, 'more caution')} of this kind below." if said[1:] else ""
    also = f" Serious, too: {'; '.join(others)}." if others else ""
    return first, f"{_SENTENCE.split(said[0], maxsplit=1)[0].rstrip('.')}.{more}{also}"


_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_OTHERS_WORDS = ("gate-", "curation", "quality", "registration", "out-of-step")
"""Codes of warnings whose words are kept: others wrote them, or they name sessions."""


def _said_of(caution: Caution, noun: str) -> Caution:
    """A warning with cells where an animal was recorded, and without names of the program."""
    if caution.code.startswith(_OTHERS_WORDS):
        return caution
    title, text = (said_of(plain_text(words), noun) for words in (caution.title, caution.text))
    return replace(caution, title=title, text=text)


def _no_place_cells(view: View) -> Iterator[Caution]:
    table = view.sessions
    if "n_place_cells" not in table:
        return
    none = [label for label, n in zip(view.labels, table["n_place_cells"], strict=True) if n == 0]
    if none:
        shown = listing(none) if len(none) <= 6 else f"{listing(none[:5])} and {len(none) - 5} more"
        yield Caution(
            "no-place-cells",
            "serious",
            "Sessions without place cells",
            f"{plural(len(none), 'session')} of {len(table)} ({shown}) had no place cell: mean "
            "information and map correlations are missing there.",
        )


def _missing_measures(view: View) -> Iterator[Caution]:
    table = view.sessions
    empty = [
        in_sentence(name)
        for name in map(str, view.nodes["regression"]["measure"].values)
        if name in table and not np.isfinite(table[name].to_numpy(float)).any()
    ]
    if empty:
        yield Caution(
            "all-missing",
            "serious",
            "Measures without any value",
            f"No session has a value of {listing(empty)}.",
        )


def _ceiling(view: View) -> Iterator[Caution]:
    if "session_drift" not in view.nodes or "place_cells" not in view.nodes:
        return
    ceiling = view.ceiling("rate_map_correlation")
    found = ceiling[np.isfinite(ceiling)]
    missing = ceiling.size - found.size
    if missing:
        yield Caution(
            "no-ceiling",
            "care",
            "Noise ceiling missing",
            f"{plural(missing, 'session')} of {ceiling.size} could not be cut into halves with "
            "common maps, so what a correlation could reach at most is unknown there.",
        )
    if found.size and found.mean() < LOW_CEILING:
        yield Caution(
            "low-ceiling",
            "serious",
            "Low noise ceiling",
            f"Two halves of one session correlate by {number(found.mean())} only (lowest "
            f"{number(found.min())}): most of a low correlation between sessions is noise. Read "
            "the correlations without noise.",
        )


def _corrections(view: View) -> Iterator[Caution]:
    node = view.nodes.get("information")
    names = ("naive", "ssr", "bae")
    if node is None or any(f"population_{name}" not in node for name in names):
        return
    naive, ssr, bae = (_of_population(node, name) for name in names)
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = (np.abs(ssr) + np.abs(bae)) / 2
        apart = np.abs(ssr - bae) / middle
    far = apart > DISAGREEMENT
    if far.any():
        worst = int(np.nanargmax(apart))
        yield Caution(
            "ssr-bae",
            "serious" if far.mean() > 0.5 else "care",
            "Corrections for the sampling bias disagree",
            f"SSR and BAE of the population differ by more than {percent(DISAGREEMENT)} of their "
            f"mean in {plural(int(far.sum()), 'session')} of {far.size}, most in session "
            f"{view.labels[worst]} ({number(ssr[worst])} and {number(bae[worst])} bit/event). "
            "Trust no absolute information there; see whether both give the same trend.",
        )
    bias = finite_mean(naive) / finite_mean(np.append(ssr, bae)) - 1
    if bias > NAIVE_BIAS:
        yield Caution(
            "naive-bias",
            "care",
            "Uncorrected information is too large",
            f"Naive information of the population is {percent(bias)} above the mean of SSR and "
            "BAE. Do not compare it between recordings that differ in length or activity.",
        )


def _of_population(node: xr.Dataset, name: str) -> np.ndarray:
    """Information (session) of all maps of a session: the mean over directions by their units."""
    units = node["population_units"].where(node[f"population_{name}"].notnull(), 0)
    total = (node[f"population_{name}"].fillna(0.0) * units).sum("direction")
    number_of = units.sum("direction")
    return np.asarray((total / number_of.where(number_of > 0)).values, dtype=float)


def _few_chosen(view: View) -> Iterator[Caution]:
    table = view.sessions
    if "n_chosen_maps" not in table:
        return
    chosen = table["n_chosen_maps"].to_numpy(float)
    few = chosen < FEW_CHOSEN
    if few.any():
        yield Caution(
            "few-chosen",
            "care",
            "Few maps behind the information",
            f"In {plural(int(few.sum()), 'session')} of {few.size} fewer than {FEW_CHOSEN} maps "
            f"were significant in one half of the session and could be estimated on the other "
            f"(fewest: {number(chosen.min())}). Read the information there with its standard "
            "error, or that of all maps.",
        )


def _lasting(view: View) -> Iterator[Caution]:
    """Frames that are not independent, which the published corrections take them to be."""
    node = view.nodes.get("information")
    if node is None or "ssr_parts" not in node:
        return
    there = node["population_ssr_parts"].notnull()
    if not there.any():
        return
    lasting = finite_mean(node["frames_per_event"].where(there).values)
    published = finite_mean(node["population_ssr"].where(there).values)
    parts = finite_mean(node["population_ssr_parts"].values)
    yield Caution(
        "lasting-activity",
        "care",
        "Activity lasts for several frames",
        f"Events last for {number(lasting, 2)} frames (mean over units, where it is more than "
        "one), and SSR and BAE take frames as independent. From whole laps or blocks of time the "
        f"population has {number(parts)} bit/event instead of {number(published)}. The "
        "information of a session is taken from whole parts in any case.",
    )


def _unfit_null(view: View) -> Iterator[Caution]:
    """Tests whose null does not fit the behaviour, and those that set speed apart."""
    cells = view.nodes.get("place_cells")
    if cells is None or "null" not in cells or cells.attrs.get("null") != "auto":
        return
    used, reason = cells["null"].values.astype(str), cells["null_reason"].values.astype(str)
    n = int((used != "none").sum())
    unfit = (np.char.find(reason, "few place cells are found") >= 0).sum()
    if unfit:
        yield Caution(
            "periodic-position",
            "serious",
            "Position repeats itself",
            f"In {int(unfit)} of {plural(n, 'map')} the animal runs so regularly that a shifted "
            "map is the same map elsewhere, and the laps that a better null needs are missing "
            f"(periodicity up to {number(np.nanmax(cells['periodicity'].values), 2)}): place cells "
            "are missed. Number the laps (kinematics.number_laps).",
        )
    by_speed = int((used == "speed").sum())
    if by_speed:
        yield Caution(
            "speed-and-place",
            "note",
            "Running speed follows position",
            f"In {by_speed} of {plural(n, 'map')} running speed depends on position (share of its "
            f"variance up to {percent(np.nanmax(cells['speed_share'].values))}), so that a unit "
            "which follows speed looks like a place cell. Place cells there are units whose maps "
            "speed does not explain; weakly tuned ones are missed more often.",
        )


def _impossible(view: View) -> Iterator[Caution]:
    information = view.nodes.get("information")
    if information is None or "ssr" not in information or "place_cells" not in view.nodes:
        return
    ssr = information["ssr"].where(view.nodes["place_cells"]["significant"]).values
    ssr = ssr[np.isfinite(ssr)]
    if (ssr < 0).any():
        yield Caution(
            "negative-information",
            "note",
            "Negative corrected information",
            f"SSR is below zero for {plural(int((ssr < 0).sum()), 'significant map')} of "
            f"{number(ssr.size)} (lowest {number(ssr.min())} bit/event), where its curves against "
            "sample size are too flat to be scaled. Single maps are for pictures; the information "
            "of a session is taken from the mean curve of its maps.",
        )


def _criteria(view: View) -> Iterator[Caution]:
    if "agreement" not in view.nodes or "kappa" not in view.nodes["agreement"]:
        return
    node = view.nodes["agreement"]
    if node.sizes["criterion"] < 2:
        return
    kappa = node["kappa"].isel(criterion=0, other=1).values
    if finite_mean(kappa) < LOW_KAPPA:
        names = [str(name) for name in node["criterion"].values[:2]]
        yield Caution(
            "criteria-disagree",
            "care",
            "Criteria for place cells disagree",
            f"Place cells by {names[0]} and by {names[1]} of their maps agree with Cohen's kappa "
            f"{number(finite_mean(kappa), 2)} (mean over sessions; 1 would be full agreement, 0 "
            "chance): which units count as place cells depends on the criterion.",
        )


def _chance(view: View) -> Iterator[Caution]:
    cells = view.nodes.get("place_cells")
    if cells is None or cells.attrs.get("criterion") != "p" or not cells["tested"].values.any():
        return
    alpha = float(cells.attrs.get("alpha", view.parameters["alpha"]))
    tests = cells["tested"].transpose("session", "unit", "direction").values.sum(axis=-1)
    chance = (
        1 - (1 - alpha) ** tests if cells.attrs.get("combine") == "any" else alpha * (tests > 0)
    )
    expected, found = chance.sum(), int(cells["is_place_cell"].values.sum())
    ways = {"any": " in either direction", "bonferroni": ", corrected for directions,"}
    way = ways.get(str(cells.attrs.get("combine")), "") if cells.sizes["direction"] > 1 else ""
    yield Caution(
        "chance",
        "note",
        "Place cells by chance",
        f"Units pass at p < {alpha:g}{way} without correction for the number of units. If no unit "
        f"were tuned, {number(expected)} of the {number(found)} place cells (units × sessions) "
        "would still have been found.",
    )


def _repetitions(view: View) -> Iterator[Caution]:
    n = int(view.parameters.get("n_repeats", FEW_REPETITIONS))
    if n < FEW_REPETITIONS and "information_ssr" in view.sessions:
        yield Caution(
            "few-repeats",
            "note",
            "Few repeats behind SSR and BAE",
            f"Each curve against sample size is a mean of {n} draws of the whole sample (500 is "
            "usual): corrected values carry some noise of the drawing.",
        )


_RESULT_CHECKS = (
    _events,
    _footing,
    _no_place_cells,
    _missing_measures,
    _ceiling,
    _corrections,
    _few_chosen,
    _lasting,
    _unfit_null,
    _impossible,
    _criteria,
    _chance,
    _repetitions,
)
