"""Choices of an analyst that somebody else would have made otherwise, and their combinations."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.analysis.maps.binning import Binning
from neurodrift.geometry.geometry import geometry_of
from neurodrift.schema.yaml import Source
from neurodrift.studies.plan import ANALYSIS, BINNING, Plan, binning_from, faults_of

OWN = ("speed", "registration", "matching", "held")
"""Choices that are no option of the analysis by themselves."""

_NOT = {
    "match": "say `matching`, which also reads each trend as recorded",
    "measures": "which nodes are computed changes no answer",
    "slopes": "slopes of one recording are no part of the answers",
}

_MATCHING = ("none", "auto", "events", "time", "occupancy")
_DECIDES = {"speed": "speed_range"}
_LABELS = {"null": {"auto": "the one that fits", "circular_exact": "circular shifts"}}
_LABELS["null"] |= {"lap": "within laps", "block": "blocks", "speed": "along speed"}


@dataclass(frozen=True)
class Level:
    """One way to decide a choice.

    Parameters
    ----------
    label
        How it is written beneath the curve.
    options
        Options of the analysis, or of what is done before and after it, that it stands for.
    """

    label: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Choice:
    """One choice, with every way to decide it.

    Parameters
    ----------
    name
        What is chosen.
    levels
        The ways, with labels that differ.
    """

    name: str
    levels: tuple[Level, ...]


@dataclass(frozen=True)
class Universe:
    """One combination of choices.

    Parameters
    ----------
    levels
        Choice -> label.
    options
        All options that it stands for.
    """

    levels: Mapping[str, str]
    options: Mapping[str, Any]

    @property
    def matched(self) -> str | None:
        """What is made equal in all sessions."""
        found = self.options.get("matching")
        return None if found in (None, "none") else str(found)

    @property
    def held(self) -> tuple[str, ...]:
        """Covariates that are held."""
        found = self.options.get("held") or ()
        return (found,) if isinstance(found, str) else tuple(found)


def default_choices(
    recordings: Sequence[xr.Dataset], settings: Mapping[str, Any]
) -> tuple[Choice, ...]:
    """Choices that most labs would argue about, as far as the recordings have them.

    Parameters
    ----------
    recordings
        The recordings.
    settings
        Of the analysis.

    Returns
    -------
    tuple of Choice
        Four bin widths, three lowest speeds, three nulls, three criteria of place cells, and each
        trend as recorded and on an equal footing.
    """
    found = []
    if all("x" in one and geometry_of(one).kind != "category" for one in recordings):
        found.append(choice("bin_width", _widths(settings)))
    if any("speed" in one for one in recordings):
        found.append(choice("speed", [1.0, 2.0, 5.0]))
    has_laps = all({"lap", "trial"} & set(one.variables) for one in recordings)
    found.append(choice("null", ["auto", "circular_exact", "lap" if has_laps else "block"]))
    found.append(
        choice(
            "criterion",
            {
                "p < .05, both directions": {"alpha": 0.05, "combine": "bonferroni"},
                "p < .01": {"alpha": 0.01, "combine": "bonferroni"},
                "p < .05, any direction": {"alpha": 0.05, "combine": "any"},
            },
        )
    )
    if any(one.sizes["session"] > 1 for one in recordings):
        found.append(choice("matching", ["none", "auto"]))
    return tuple(found)


def _widths(settings: Mapping[str, Any]) -> list[Any]:
    """Half, one and a half and two times the width of a bin, and itself."""
    base = settings.get("bin_width", Binning().bin_width)
    widths = np.outer([0.5, 1.0, 1.5, 2.0], np.atleast_1d(base))
    if settings.get("track") is not None:  # a whole number of bins
        length = abs(float(np.diff(settings["track"])[0]))
        widths = length / np.maximum(np.round(length / widths), 1)
    widths = np.unique(widths, axis=0)
    return [row[0] if len(row) == 1 else row for row in widths.tolist()]


def checked_choices(
    plan: Plan, given: Mapping[str, Sequence[object] | Mapping[str, Mapping[str, object]]] | None
) -> tuple[Choice, ...] | None:
    """The choices of a multiverse as a person wrote them, before anything is analysed.

    Parameters
    ----------
    plan
        The study, whose `multiverse` is taken where there are none.
    given
        Levels by choice.

    Returns
    -------
    tuple of Choice or None
        None where nobody wrote any.

    Raises
    ------
    ValueError
        If one cannot be used; every fault is named with its choice and line.
    """
    asked = plan.multiverse if given is None else given
    if asked is None:
        return None
    source = plan.source if given is None else Source("choices")
    lead = ("multiverse",) if given is None else ()
    found, faults = [], []
    for name, levels in asked.items():
        try:
            one = choice(name, levels)
        except (TypeError, ValueError) as error:
            faults.append(((*lead, name), str(error)))
            continue
        found.append(one)
        faults += [
            ((*lead, name), f"{level.label}: {text}")
            for level in one.levels
            for text in _level_faults(level.options, plan.analysis)
        ]
    if not faults:
        try:
            combinations(found)
        except ValueError as error:
            faults.append((lead, str(error)))
    if faults:
        raise source.error(faults)
    return tuple(found)


def _level_faults(options: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    own = {name: value for name, value in options.items() if name not in OWN}
    faults = [text for _, text in faults_of(dict(settings) | own)]
    for name in ("speed", "registration"):
        value = options.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < np.inf:
            faults.append(f"{name} is {value!r}, expected a number, 0 or more")
    matching = options.get("matching", "none")
    if matching not in _MATCHING:
        faults.append(f"matching is {matching!r}, expected one of {', '.join(_MATCHING)}")
    held = options.get("held", ())
    held = [held] if isinstance(held, str) else held
    if not isinstance(held, list | tuple) or not all(isinstance(one, str) for one in held):
        faults.append(f"held is {held!r}, expected a list of columns of the sessions")
    return faults


def choice(name: str, given: Sequence[object] | Mapping[str, Mapping[str, object]]) -> Choice:
    """A choice as a person writes it.

    Parameters
    ----------
    name
        An option of the analysis, ``speed`` (lowest, in cm/s), ``registration`` (lowest score of
        an identity), ``matching`` (``none``, ``auto``, ``events``, ``time``, ``occupancy``),
        ``held`` (lists of covariates); or any name, where levels name their options.
    given
        Values of it, or options by a label.

    Returns
    -------
    Choice
        With a label for each level.

    Raises
    ------
    ValueError
        If an option is unknown or decides no answer, there is one level only, or two are alike.

    Examples
    --------
    >>> from neurodrift.studies.choices import choice
    >>> [level.label for level in choice("speed", [1, 5]).levels]
    ['1 cm/s', '5 cm/s']
    """
    known = (*BINNING, *ANALYSIS, *OWN)
    if isinstance(given, Mapping):
        for label, options in given.items():
            if not isinstance(options, Mapping) or not options:
                raise ValueError(
                    f"choice {name!r}, {label!r} is {options!r}, expected options by their name, "
                    "such as {alpha: 0.01}"
                )
        levels = tuple(Level(str(label), dict(options)) for label, options in given.items())
    else:
        if name not in known:
            raise ValueError(
                f"choice {name!r} is no option of the analysis, expected one of "
                f"{', '.join(known)}, or levels that name their options"
            )
        levels = tuple(Level(_label(name, value), {name: value}) for value in given)
    for level in levels:
        for option in level.options:
            if option in _NOT:
                raise ValueError(f"choice {name!r} decides {option}: {_NOT[option]}")
        unknown = sorted(set(level.options) - set(known))
        if unknown:
            raise ValueError(
                f"choice {name!r}, {level.label!r}: unknown option {unknown[0]!r}, expected some "
                f"of {', '.join(known)}"
            )
    labels = [level.label for level in levels]
    if len(set(labels)) < len(labels):
        raise ValueError(f"choice {name!r} has a level twice: {', '.join(labels)}")
    if len(levels) < 2:
        raise ValueError(f"choice {name!r} has {len(levels)} levels, expected two or more")
    return Choice(name, levels)


def _label(name: str, value: Any) -> str:
    if name == "held":
        value = list(value or ()) if value is None or isinstance(value, list | tuple) else [value]
        return " and ".join(str(item).replace("_", " ") for item in value) or "nothing"
    if name == "matching":
        return {"none": "as recorded", "auto": "equal footing"}.get(str(value), f"equal {value}")
    if name in _LABELS:
        return _LABELS[name].get(value, str(value))
    unit = {"bin_width": " cm", "smoothing": " cm", "exclude_ends": " cm", "speed": " cm/s"}
    unit |= {"min_occupancy": " s"}
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:g}{unit.get(name, '')}"
    if isinstance(value, list | tuple) and value and all(isinstance(v, int | float) for v in value):
        return " × ".join(f"{v:g}" for v in value) + unit.get(name, "")
    return str(value)


def combinations(choices: Sequence[Choice]) -> tuple[Universe, ...]:
    """Every combination of the choices.

    Parameters
    ----------
    choices
        Choices with different names; no option is in two of them.

    Returns
    -------
    tuple of Universe
        In the order of the levels.

    Raises
    ------
    ValueError
        If there is no choice, or two decide the same.
    """
    if not choices:
        raise ValueError("there is no choice: give some, such as {'bin_width': [2, 4]}")
    owners: dict[str, str] = {}
    for one in choices:
        for option in {_DECIDES.get(name, name) for v in one.levels for name in v.options}:
            if owners.setdefault(option, one.name) != one.name:
                raise ValueError(f"choices {owners[option]!r} and {one.name!r} both set {option!r}")
    names = [one.name for one in choices]
    if len(set(names)) < len(names):
        raise ValueError(f"choices {', '.join(names)}: a name stands twice")
    found = []
    for levels in itertools.product(*(one.levels for one in choices)):
        options: dict[str, Any] = {}
        for level in levels:
            options |= level.options
        labels = {one.name: level.label for one, level in zip(choices, levels, strict=True)}
        found.append(Universe(labels, options))
    return tuple(found)


def binning_of(universe: Universe, settings: Mapping[str, Any]) -> Binning:
    """Bins and frames of a universe.

    Parameters
    ----------
    universe
        One combination.
    settings
        Settings of the analysis that it does not decide.

    Returns
    -------
    Binning
        Of its analysis.
    """
    own = dict(settings) | dict(universe.options)
    if "speed" in own:
        highest = (own.get("speed_range") or (0.0, np.inf))[1]
        own["speed_range"] = (float(own["speed"]), float(highest))
    return binning_from(own)


def options_of(universe: Universe, options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of :func:`neurodrift.analyze` in a universe, without its bins.

    Parameters
    ----------
    universe
        One combination.
    options
        What it does not decide.

    Returns
    -------
    dict
        By name; ``match`` is what `matching` says.
    """
    found = dict(options)
    found |= {name: universe.options[name] for name in ANALYSIS if name in universe.options}
    found["match"] = universe.matched
    return found
