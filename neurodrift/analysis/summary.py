"""What results say at a glance: a page of text, and tables in a notebook."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd
import xarray as xr

from neurodrift.analysis.alignment.sentences import alignment_sentences
from neurodrift.analysis.behaviour.sentences import describe_behaviour
from neurodrift.analysis.decoding.sentences import describe_decoding
from neurodrift.analysis.drift.sentences import course_sentence, index_sentence
from neurodrift.analysis.fields.sentences import describe_fields
from neurodrift.analysis.identity.sentences import (
    bound_beside_drift,
    overnight_matches,
    registration_sentences,
    sensitivity_sentence,
    weigh_matches,
)
from neurodrift.analysis.nodes.table import left_out
from neurodrift.analysis.phases._text import describe_phases
from neurodrift.analysis.quality.lag import describe_lag, lag_warnings
from neurodrift.analysis.relations.sentences import relations_sentences
from neurodrift.analysis.stable_units.sentences import describe_stability
from neurodrift.analysis.steps.sentences import steps_sentences
from neurodrift.analysis.survival.sentences import describe_turnover
from neurodrift.analysis.within.sentences import describe_within_drift
from neurodrift.curation import describe_curation
from neurodrift.schema.words import rise_of_loss

ALL_ACTIVE = 0.98
"""Share of active units above which it says nothing of sparsity."""


_SERIOUS = "SERIOUS"
_RED = ' style="color: #a3261d; font-weight: 600"'


@dataclass(frozen=True, repr=False)
class Summary:
    """Sentences and tables in the order in which they are read.

    ``print`` gives text; a notebook shows tables.

    Parameters
    ----------
    parts
        Texts and tables.
    """

    parts: tuple[str | pd.DataFrame, ...]

    def __str__(self) -> str:
        return "\n".join(part if isinstance(part, str) else _text(part) for part in self.parts)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return "\n".join(
            part.to_html(float_format=_short, border=0, na_rep="")
            if isinstance(part, pd.DataFrame)
            else f"<p{_RED if part.startswith(_SERIOUS) else ''}>"
            f"{escape(part.strip()).replace(chr(10), '<br>')}</p>"
            for part in self.parts
        )


def _short(value: float) -> str:
    return f"{value:.3g}"


def _text(table: pd.DataFrame) -> str:
    return str(table.to_string(float_format=_short))


def summary(results: xr.DataTree) -> Summary:
    """The sessions, the slopes and what to mind, for people.

    Parameters
    ----------
    results
        Result of :func:`neurodrift.analyze`.

    Returns
    -------
    Summary
        ``print`` it, or let a notebook show it as tables.

    Raises
    ------
    TypeError
        If it is no tree of results.

    Examples
    --------
    >>> from neurodrift import testing
    >>> from neurodrift.analysis.analyze import analyze
    >>> from neurodrift.analysis.summary import summary
    >>> recording = testing.linear_track(n_units=5, n_sessions=3, minutes=1)
    >>> str(summary(analyze(recording, measures=["sparsity"]))).splitlines()[0]
    'synthetic, linear track'
    """
    if not isinstance(results, xr.DataTree) or "parameters" not in results.attrs:
        raise TypeError(
            f"results is a {type(results).__name__}, expected the tree of neurodrift.analyze"
        )
    lines: list[str | pd.DataFrame] = [
        f"{results['subject'].item()}, {results['environment'].item()}"
    ]
    lines += [f"{_SERIOUS}: {text}" for text in _serious(results)]
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
        quality = results["quality"].to_dataset()
        lines.append(f"\n{_units(quality)}")
        said = registration_sentences(quality)
        if said is not None:
            lines.append(said.answer)
            lines += [f"Warning: {text}" for text in said.warnings]
    outside = json.loads(results.attrs.get("outside_track", "{}"))
    if outside:
        low, high = outside["track"]
        lines.append(
            f"\n{outside['frames']} of {outside['of']} tracked frames "
            f"({100 * outside['frames'] / outside['of']:.2g} %) lie outside of the track "
            f"({low:g} to {high:g} {outside['unit']}), and are\nin no map."
        )
    if "lag" in results:
        found = results["lag"].to_dataset()
        lines.append(f"\n{describe_lag(found)}")
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
    lines += _of_drift(results)
    lines += [f"\nWarning: {text}" for text in network_warnings(results)]
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
        lines.append(one.to_dataframe())
        lines += _of_which_units(results, [str(name) for name in one["measure"].values])
    for reason, names in left_out(results).items():
        lines.append(f"\nleft out, because {reason}: {', '.join(names)}")
    if "phases" in results:  # older results have none
        lines.append(f"\n{describe_phases(results['phases'].to_dataset())}")
    return Summary(tuple(lines))


def _serious(results: xr.DataTree) -> list[str]:
    """What may make every number below wrong, before any is read."""
    said = lag_warnings(results["lag"].to_dataset()) if "lag" in results else []
    recording = json.loads(results.attrs.get("recording", "{}"))
    for item in json.loads(recording.get("findings", "[]")):
        if item["accepted"]:
            said.append(f"accepted on import, {item['where']}: {item['text']}")
    return said


def _of_drift(results: xr.DataTree) -> list[str]:
    """What each measure of drift says, one after the other."""
    said: list[str] = []
    for name, words in _WORDS.items():
        if name in results:
            told = words(results[name].to_dataset())
            said += [told] if isinstance(told, str) else told
    said = [text for text in [*said, *_matches(results)] if text]
    return ["\n" + "\n".join(said)] if said else []


def _matches(results: xr.DataTree) -> list[str]:
    """What the estimated wrong matches alone would make of the drift."""
    if "identity_sensitivity" not in results or "quality" not in results:
        return []
    found, checked = (results[name].to_dataset() for name in ("identity_sensitivity", "quality"))
    weighed = weigh_matches(found, checked)
    said = [bound_beside_drift(found, checked) if weighed is None else weighed.text]
    if "within_drift" in results:
        said.append(overnight_matches(results["within_drift"].to_dataset(), found, checked))
    return said


_WORDS: dict[str, Callable[[xr.Dataset], str | list[str]]] = {
    "time_constant": course_sentence,
    "drift_index": index_sentence,
    "steps": steps_sentences,
    "decoding": describe_decoding,
    "turnover": describe_turnover,
    "fields": describe_fields,
    "relations": relations_sentences,
    "alignment": alignment_sentences,
    "within_drift": describe_within_drift,
    "identity_sensitivity": sensitivity_sentence,
    "behaviour": describe_behaviour,
    "stable_units": describe_stability,
}


def _of_which_units(results: xr.DataTree, measures: list[str]) -> list[str]:
    """That place cells with equal events are of the units that have enough of them."""
    if "fraction_place_cells_matched" not in measures or "matched" not in results:
        return []
    node = results["matched"].to_dataset()
    left = int(node["n_units_left_out"])
    if not left or node.attrs.get("match") != "events":
        return []
    return [
        f"fraction_place_cells_matched leaves out {left} units with too few events in some session "
        "where\nthey were detected: cells that fell silent are not in it."
    ]


def network_warnings(results: xr.DataTree) -> list[str]:
    """What to mind of a network in training: a loss that rises, units that are all active.

    Parameters
    ----------
    results
        Result of :func:`neurodrift.analyze`.

    Returns
    -------
    list of str
        Sentences; empty for an animal, and where nothing is odd.
    """
    sessions = results["sessions"].to_dataset() if "sessions" in results else xr.Dataset()
    if "training_step" not in sessions:
        return []
    said = []
    if "loss" in sessions:
        rise = rise_of_loss(sessions["loss"].values, sessions["training_step"].values)
        if rise:
            said.append(
                f"{rise[0].upper()}{rise[1:]}: the network does not learn its task there (learning "
                "rate, noise?), and its change is no drift of what was learned."
            )
    share = sessions.get("fraction_active_units", xr.DataArray(np.nan)).values
    if (
        results["sparsity"].attrs.get("activity_kind") == "activation"
        and (share > ALL_ACTIVE).all()
    ):
        above = float(results["sparsity"].attrs.get("threshold", 0.0))
        said.append(
            f"More than {100 * ALL_ACTIVE:g} % of the units are active in every session, "
            f"which is above {above:g} in any frame: with noisy inputs, or a function that is "
            "never 0, every unit is. Sparsity can be read with a threshold above the noise "
            "(analyze --threshold, threshold=...)."
        )
    return said


def _sessions_text(results: xr.DataTree, by_information: bool) -> list[str | pd.DataFrame]:
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
    lines: list[str | pd.DataFrame] = [table]
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
