"""The file of a study: recordings, factors, the analysis, and the questions."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from neurodrift.analysis.maps.binning import Binning
from neurodrift.analysis.place_cells._behaviour import AnyNull
from neurodrift.analysis.place_cells._directions import Combine
from neurodrift.cohort.questions import AXES, parse_question
from neurodrift.io.nwb.parts import OPTIONS
from neurodrift.schema.json import write_schema_file
from neurodrift.schema.yaml import Place, Source, parse_yaml, schema_faults

BINNING = (
    "bin_width",
    "track",
    "exclude_ends",
    "speed_range",
    "directions",
    "trial_types",
    "min_occupancy",
)
"""Settings of the analysis that are options of :class:`neurodrift.Binning`."""

ANALYSIS = (
    "measures",
    "smoothing",
    "min_events",
    "threshold",
    "alpha",
    "n_repeats",
    "criterion",
    "min_information",
    "map_labels",
    "slopes",
    "null",
    "combine",
    "match",
    "n_draws",
    "seed",
)
"""Settings of the analysis that are options of :func:`neurodrift.analyze`."""

IMPORT = (*OPTIONS, "lag", "accept")
"""Settings of the import, as of :func:`neurodrift.import_nwb`."""

_SOURCES = ("path", "sweep", "data_set")

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "criterion": ("auto", "shuffle", "information"),
    "map_labels": ("given", "detect"),
    "match": ("auto", "events", "time", "occupancy", "none"),
    "slopes": ("ar1", "ols"),
    "null": get_args(AnyNull),
    "combine": get_args(Combine),
}
_ASKED = (
    "factors",
    "intervention",
    "analysis",
    "questions",
    "covariates",
    "axis",
    "level",
    "correction",
)
_NEEDED = ("sessions", "drift", "regression")  # by the answers and by every report
_TAKEN: tuple[str, ...] = (
    "recording",
    "subject",
    "environment",
    "session",
    "session_a",
    "session_b",
    "state",
    "why",
)
_TAKEN += ("warnings", "n_sessions", "n_units", "intervention")

_TEXT = {"type": "string", "pattern": r"\S", "description": "expected words"}
_FACTOR = {"type": ["string", "number", "boolean"]}
_TEXTS = {"oneOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]}
_OPEN = {"type": "object"}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Recordings that one entry of the file stands for.

    Parameters
    ----------
    place
        Where it stands in the file.
    paths
        Patterns of NWB files and stores of recordings, below the folder of the study's file.
    sweep, runs
        A stored sweep, and the numbers of its runs; all runs when None.
    data_set, source
        Name in the catalogue, and the folder of its files; fetched when None.
    name
        Name of the one recording, or None.
    options
        Of the import.
    factors
        What these recordings are, by factor.
    curation
        Curation file, or None.
    """

    place: Place
    paths: tuple[str, ...] = ()
    sweep: str | None = None
    runs: tuple[int, ...] | None = None
    data_set: str | None = None
    source: str | None = None
    name: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    factors: Mapping[str, Any] = field(default_factory=dict)
    curation: str | None = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A study as its file describes it.

    Parameters
    ----------
    title
        Of the study.
    folder
        Folder that paths are relative to.
    entries
        Recordings.
    factors
        Factor -> animal or recording -> what it is.
    intervention
        Day of the first session after it, for all animals or by animal; and what it is.
    analysis
        Options of the analysis.
    questions
        Formulas, see :func:`neurodrift.pool_animals`; None for those of the paper.
    covariates
        Session measures that are held; None for the usual ones.
    multiverse
        Choices of a multiverse, see :func:`neurodrift.multiverse`; None for the usual ones.
    axis, level, correction
        As for :func:`neurodrift.pool_animals`.
    source
        The file with its lines, for messages.
    """

    title: str
    folder: Path
    entries: tuple[Entry, ...]
    factors: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    intervention: Mapping[str, Any] | None = None
    analysis: Mapping[str, Any] = field(default_factory=dict)
    questions: tuple[str, ...] | None = None
    covariates: tuple[str, ...] | None = None
    multiverse: Mapping[str, Any] | None = None
    axis: str = "day"
    level: float = 0.95
    correction: str = "holm"
    source: Source = Source("a study")

    @property
    def asked(self) -> str:
        """All that the answers depend on beside the recordings, as JSON."""
        values = {name: getattr(self, name) for name in _ASKED}
        return json.dumps(values, sort_keys=True, default=str)

    @property
    def binning(self) -> Binning:
        """Bins and frames of every analysis."""
        return binning_from(self.analysis)

    @property
    def options(self) -> dict[str, Any]:
        """Options of :func:`neurodrift.analyze`."""
        found = {name: self.analysis[name] for name in ANALYSIS if name in self.analysis}
        if found.get("match") == "none":
            found["match"] = None
        if found.get("measures") is not None:
            found["measures"] = list(dict.fromkeys([*found["measures"], *_NEEDED]))
        return found | {"binning": self.binning}


def binning_from(settings: Mapping[str, Any]) -> Binning:
    """Bins and frames that settings of an analysis stand for.

    Parameters
    ----------
    settings
        By name; those that are no option of :class:`neurodrift.Binning` are passed over.

    Returns
    -------
    Binning
        With pairs for lists.
    """
    given: dict[str, Any] = {name: settings[name] for name in BINNING if name in settings}
    pairs: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in given.items()}
    return Binning(**pairs)


def load_plan(
    given: str | os.PathLike[str] | Mapping[str, object] | Plan,
    *,
    folder: str | os.PathLike[str] | None = None,
) -> Plan:
    """Read the file of a study.

    Parameters
    ----------
    given
        YAML, as docs/studies.md describes it, or its values.
    folder
        Folder that its paths are relative to; that of the file, or the current one, when omitted.

    Returns
    -------
    Plan
        What it says.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it cannot be used; every fault is named with its line and key.

    Examples
    --------
    >>> from neurodrift.studies.plan import load_plan
    >>> plan = load_plan({"study": "Two mice", "recordings": [{"path": "*.zarr"}]})
    >>> plan.title, plan.entries[0].paths
    ('Two mice', ('*.zarr',))
    """
    if isinstance(given, Plan):
        return given
    values: dict[str, Any]
    if isinstance(given, Mapping):
        values, source, default = dict(given), Source("a study"), "study"
        base = Path.cwd() if folder is None else Path(folder)
    else:
        path = Path(given)
        if not path.is_file():
            raise FileNotFoundError(
                f"no study file {path}: `neurodrift study --init FOLDER` proposes one"
            )
        text = path.read_text(encoding="utf-8-sig")
        values, source = parse_yaml(text, str(path), plan_schema())
        base = path.parent if folder is None else Path(folder)
        default = path.stem
    faults = [
        (place, text)
        for place, text in schema_faults(values, plan_schema())
        if not ("speed_range" in place and text.startswith("inf is not a finite"))
    ]
    if faults:
        raise source.error(faults)
    entries, faults = _entries(values)
    faults += [(("analysis", *inside), text) for inside, text in faults_of(_analysis(values))]
    faults += _factor_faults(values)
    faults += _question_faults(values)
    if faults:
        raise source.error(faults)
    return Plan(
        title=values.get("study", default),
        folder=base.absolute(),  # workers may have another current folder
        entries=entries,
        factors=values.get("factors", {}),
        intervention=values.get("intervention"),
        analysis=dict(sorted(_analysis(values).items())),  # one study, however it is ordered
        questions=_tuple(values.get("questions")),
        covariates=_tuple(values.get("covariates")),
        multiverse=values.get("multiverse"),
        axis=values.get("axis", "day"),
        level=values.get("level", 0.95),
        correction=values.get("correction", "holm"),
        source=source,
    )


def _tuple(values: list[Any] | None) -> tuple[Any, ...] | None:
    return None if values is None else tuple(values)


def _entries(values: Mapping[str, Any]) -> tuple[tuple[Entry, ...], list[tuple[Place, str]]]:
    faults: list[tuple[Place, str]] = []
    entries = []
    for i, item in enumerate(values["recordings"]):
        place: Place = ("recordings", i)
        given = [name for name in _SOURCES if name in item]
        if len(given) != 1:
            said = " and ".join(given) or "none"
            faults.append((place, f"expected one of {', '.join(_SOURCES)}; it has {said}"))
            continue
        for key, owner in (("runs", "sweep"), ("source", "data_set")):
            if key in item and given != [owner]:
                faults.append(((*place, key), f"goes with {owner}, and this entry has {given[0]}"))
        options = item.get("import", {})
        faults += [
            ((*place, "import", name), f"unknown option; expected some of {', '.join(IMPORT)}")
            for name in options
            if name not in IMPORT
        ]
        paths = item.get("path", [])
        entries.append(
            Entry(
                place=place,
                paths=(paths,) if isinstance(paths, str) else tuple(paths),
                sweep=item.get("sweep"),
                runs=_tuple(item.get("runs")),
                data_set=item.get("data_set"),
                source=item.get("source"),
                name=item.get("name"),
                options=options,
                factors=item.get("factors", {}),
                curation=item.get("curation"),
            )
        )
    return tuple(entries), faults


def _analysis(values: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = values.get("analysis", {})
    return found


def faults_of(analysis: Mapping[str, Any]) -> list[tuple[Place, str]]:
    """What no analysis would take, said before any of them begins.

    Parameters
    ----------
    analysis
        Settings by name.

    Returns
    -------
    list of tuple
        Setting (or nothing, where it is of several) and fault.
    """
    from neurodrift.analysis.nodes.table import chosen_nodes
    from neurodrift.schema.objects import expect_choice
    from neurodrift.schema.options import OPTIONS as NUMBERS
    from neurodrift.schema.options import check_option

    known = (*BINNING, *ANALYSIS)
    faults: list[tuple[Place, str]] = [
        ((name,), f"unknown setting; expected some of {', '.join(known)}")
        for name in analysis
        if name not in known
    ]
    if faults:
        return faults
    for name in (*ANALYSIS, "binning"):
        try:
            if name == "binning":
                _ = binning_from(analysis)
            elif name not in analysis:
                continue
            elif name in _CHOICES:
                if not (name == "match" and analysis[name] is None):
                    expect_choice(name, analysis[name], _CHOICES[name])
            elif name in NUMBERS:
                check_option(name, analysis[name])
            elif name == "measures":
                chosen_nodes(analysis[name])
        except (TypeError, ValueError) as error:
            faults.append(((name,) if name in analysis else (), str(error)))
    return faults


def _factor_faults(values: Mapping[str, Any]) -> list[tuple[Place, str]]:
    """Names of factors that are columns of the tables."""
    places: list[Place] = [("factors", name) for name in values.get("factors", {})]
    places += [
        ("recordings", i, "factors", name)
        for i, item in enumerate(values["recordings"])
        for name in item.get("factors", {})
    ]
    return [
        (place, f"a factor cannot be called {place[-1]}, which tables have already: rename it")
        for place in places
        if place[-1] in _TAKEN
    ]


class _Anything(Collection[str]):
    """Measures that are not known before a recording was analysed."""

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _question_faults(values: Mapping[str, Any]) -> list[tuple[Place, str]]:
    """Questions that cannot be read, or that ask for a factor that nobody has."""
    factors = {"environment": None} | dict.fromkeys(values.get("factors", {}))
    for item in values["recordings"]:
        factors |= dict.fromkeys(item.get("factors", {}))
    faults: list[tuple[Place, str]] = []
    for i, text in enumerate(values.get("questions", [])):
        try:
            question = parse_question(
                text, measures=_Anything(), similarities=_Anything(), factors=list(factors)
            )
        except ValueError as error:
            faults.append((("questions", i), str(error)))
            continue
        if question.kind == "intervention" and "intervention" not in values:
            faults.append((("questions", i), "asks for an intervention: say its day beside it"))
    return faults


def plan_schema() -> dict[str, Any]:
    """JSON Schema of the file of a study.

    Returns
    -------
    dict
        A JSON Schema, draft 2020-12.
    """
    entry = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "path": _TEXTS,
            "sweep": _TEXT,
            "runs": {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1},
            "data_set": _TEXT,
            "source": _TEXT,
            "name": _TEXT,
            "import": _OPEN,
            "factors": {"type": "object", "additionalProperties": _FACTOR},
            "curation": _TEXT,
        },
    }
    day = {
        "oneOf": [
            {"type": "number"},
            {"type": "object", "additionalProperties": {"type": "number"}},
        ]
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "neurodrift study: recordings, factors, the analysis, and the questions",
        "type": "object",
        "additionalProperties": False,
        "required": ["recordings"],
        "properties": {
            "study": _TEXT,
            "recordings": {"type": "array", "items": entry, "minItems": 1},
            "factors": {
                "type": "object",
                "additionalProperties": {"type": "object", "additionalProperties": _FACTOR},
            },
            "intervention": {
                "type": "object",
                "additionalProperties": False,
                "required": ["day"],
                "properties": {"day": day, "what": _TEXT},
            },
            "analysis": _OPEN,
            "questions": {"type": "array", "items": _TEXT, "minItems": 1},
            "covariates": {"type": "array", "items": _TEXT},
            "multiverse": {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": {"type": ["array", "object"]},
            },
            "axis": {"enum": list(AXES)},
            "level": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
            "correction": {"enum": ["holm", "none"]},
        },
    }


def write_plan_schema(folder: str | os.PathLike[str]) -> Path:
    """Write the JSON Schema of the file of a study.

    Parameters
    ----------
    folder
        Where ``study.schema.json`` goes.

    Returns
    -------
    pathlib.Path
        The file.
    """
    return write_schema_file(plan_schema(), folder, "study")
