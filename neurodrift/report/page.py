"""Results to one HTML page."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from neurodrift._version import __version__
from neurodrift.analysis.nodes.table import left_out
from neurodrift.report.behaviour import behaviour_figure, behaviour_sentences
from neurodrift.report.cautions import alarm, cautions
from neurodrift.report.comparison import comparison_section
from neurodrift.report.data import kept_units, page_data, script_json
from neurodrift.report.decay import decay_figures
from neurodrift.report.decoding import decoding_figure, decoding_sentence
from neurodrift.report.examples import example_figures
from neurodrift.report.findings import findings
from neurodrift.report.frame import rendered
from neurodrift.report.maps import reference_session, session_title, shown_sessions, sorted_figure
from neurodrift.report.methods import comparison_methods, grouped_methods, methods
from neurodrift.report.phases import phases_section
from neurodrift.report.recorded import facts, registration_figure
from neurodrift.report.relations import relations_figures
from neurodrift.report.series import main_figures, other_figures
from neurodrift.report.shown import download, gradient, shown
from neurodrift.report.survival import survival_section
from neurodrift.report.tables import Table, file_name, tables
from neurodrift.report.trend_table import trend_table
from neurodrift.report.view import PREDICTORS, View, views
from neurodrift.report.within import within_figures
from neurodrift.report.words import in_sentence, number, percent, plain, plain_text
from neurodrift.schema.words import listing

_MAP_BYTES = 4_000_000  # rate maps of all recordings together
_UNIT_ROWS = 60_000  # rows of all tables of units together
_SCRIPTS = ("draw", "panels", "drift", "units", "save", "page")  # in this order, in one scope
_ROWS_ON_PAGE = 200  # rows of a table that is written out
_OPEN_EXAMPLES = 3  # example cells that are not folded

_SESSION_COLUMNS = {
    "day": ("day", number),
    "training_step": ("training step", number),
    "loss": ("loss", number),
    "accuracy": ("correct trials", percent),
    "tracked_time": ("tracked [min]", number),
    "running_time": ("running [min]", number),
    "running_speed": ("running speed [cm/s]", number),
    "n_laps": ("laps", number),
    "n_maps": ("maps", number),
    "n_detected": ("{cells} detected", number),
    "fraction_active_units": ("active", percent),
    "n_tested": ("{cells} tested", number),
    "n_place_cells": ("place cells", number),
    "fraction_place_cells": ("place cells, share", percent),
    "information": ("information of place cells [bit/event]", number),
    "information_se": ("its standard error [bit/event]", number),
    "information_population": ("information of all {cells} [bit/event]", number),
}


@dataclass(frozen=True)
class Addition:
    """A figure and a text of the user's own.

    Parameters
    ----------
    title
        Its heading.
    text
        What stands below it; empty lines part paragraphs.
    svg
        The figure as a file, or None.
    data
        Numbers of the figure, for its CSV, or None.
    """

    title: str
    text: str = ""
    svg: str | None = None
    data: pd.DataFrame | None = None


def page(
    results: xr.DataTree | Sequence[xr.DataTree] | Mapping[str, xr.DataTree],
    *,
    comparison: xr.Dataset | None = None,
    title: str | None = None,
    additions: Sequence[Addition] = (),
    printed: bool = False,
) -> str:
    """Make one self-contained HTML page of results.

    Parameters
    ----------
    results, comparison, title
        As for :class:`neurodrift.Report`.
    additions
        What the user adds.
    printed
        Whether it is for paper: every part is open, nothing can be chosen, and drawings carry
        their own style.

    Returns
    -------
    str
        The page. The same results give the same page, to the last byte.

    Notes
    -----
    Rate maps are stored as one byte for each bin, relative to the peak of the map. Of very large
    recordings only some units are drawn, and the page says which; all numbers come from all.
    """
    found = views(results)
    sections = [_section(view, len(found)) for view in found]
    beside = comparison_section(comparison, found)
    if beside is not None:
        beside["tables"] = [download("comparison", table) for table in beside["tables"]]
        for name in ("figures", "forests"):
            beside[name] = [shown(item, "comparison", "comparison") for item in beside[name]]
    return rendered(
        "report.html.j2",
        _SCRIPTS,
        printed=printed,
        title=title or _title(found),
        views=found,
        sections=sections,
        comparison=beside,
        additions=[_added(item, i) for i, item in enumerate(additions, start=1)],
        glance=_glance(sections),
        contents=_contents(sections[0], beside is not None),
        methods=_methods(found, comparison),
        rates=gradient("rates"),
    )


def _added(item: Addition, i: int) -> dict[str, Any]:
    """An addition for the template; its figure is an image of its own, so that nothing clashes."""
    stem = file_name(item.title, "x").removesuffix("-x.csv")
    uri = ""
    if item.svg is not None:
        uri = "data:image/svg+xml;base64," + base64.b64encode(item.svg.encode()).decode()
    packed = ""
    if item.data is not None:
        packed = Table("data", item.title, item.data).compressed()
    paragraphs = [part.strip() for part in item.text.split("\n\n") if part.strip()]
    return {
        "id": f"added-{i}",
        "file": stem,
        "title": item.title,
        "paragraphs": paragraphs,
        "uri": uri,
        "packed": packed,
    }


def _title(found: list[View]) -> str:
    if len(found) == 1:
        return f"Representational drift in {found[0].subject}, {plain(found[0].environment)}"
    return f"Representational drift in {len(found)} recordings"


def _glance(sections: list[dict[str, Any]]) -> dict[str, Any]:
    """What was recorded and what came out of every recording, and its warnings, as one table."""
    spans = {"snapshots": ("sessions", ""), "days": ("span", " days")}
    spans["training steps"] = ("span", " steps")
    known_facts = []
    for section in sections:
        facts_of = [(label.replace("units ", "cells "), value) for label, value in section["facts"]]
        facts_of = [item for item in facts_of if not item[0].startswith("cells matched in all")]
        same = [(*spans.get(label, (label, "")), value) for label, value in facts_of]
        known = {label: value + unit for label, unit, value in same}
        known_facts.append(known | dict(section["means"]))
    head = list(dict.fromkeys(label for known in known_facts for label in known))
    rows = []
    for section, known in zip(sections, known_facts, strict=True):
        levels = [caution.level for caution in section["cautions"]]
        cells = [known.get(label, "–") for label in head]
        cells.append(f"{len(levels)}, {levels.count('serious')} serious")
        rows.append({"key": section["view"].key, "name": section["view"].name, "cells": cells})
    return {"head": [*head, "warnings"], "rows": rows}


def _means(view: View) -> list[tuple[str, str]]:
    """Means over the sessions, for the table of several recordings."""
    named = (
        ("fraction_active_units", "active, mean", percent),
        ("fraction_place_cells", "place cells, mean", percent),
    )
    return [
        (label, write(float(view.sessions[name].mean())))
        for name, label, write in named
        if name in view.sessions
    ]


def _contents(section: dict[str, Any], compared: bool) -> list[tuple[str, str]]:
    """Places in the section of a single recording."""
    key = section["view"].key
    places = (
        (f"{key}-animal", "Recording" if not section["view"].simulated else "Network", True),
        (f"{key}-maps", "Maps", section["sorted"] is not None),
        (f"{key}-cells", "Example cells", bool(section["examples"])),
        (f"{key}-drift", "Drift", section["has_pairs"]),
        (f"{key}-decoding", "Decoding", bool(section["decoding"])),
        (f"{key}-behaviour", "Time or behaviour", bool(section["behaviour"])),
        (f"{key}-measures", "Place cells and information", True),
        (f"{key}-phases", "Phases", section["phases"] is not None),
        (f"{key}-tests", "Tests", bool(section["tests"])),
        (f"{key}-care", "Cautions", True),
        (f"{key}-tables", "Tables", True),
        ("methods", "Methods", True),
        ("comparison", "Comparison", compared),
        ("references", "References", True),
    )
    return [(place, label) for place, label, there in places if there]


def _section(view: View, n_recordings: int) -> dict[str, Any]:
    predictors = view.predictors or [view.main_predictor]
    series = predictors
    if len(view.sessions) < 2:
        series = []  # a chart of one point says no more than the table
    map_bytes = _MAP_BYTES // n_recordings
    data = page_data(view, map_bytes)
    phases = phases_section(view)
    if phases is not None:
        phases["figures"] = _all_shown(view, phases["figures"])
    examples = _all_shown(view, example_figures(view))
    arranged = sorted_figure(view, kept_units(view, map_bytes))
    registration = registration_figure(view)
    found, warned = findings(view), cautions(view)
    decoded = decoding_figure(view)
    behaved = behaviour_figure(view)
    survival = survival_section(view)
    if survival is not None:
        survival["figures"] = _all_shown(view, survival["figures"])
    by_lag = decay_figures(view) + relations_figures(view) + within_figures(view)
    decays = _all_shown(view, by_lag)
    data["shown"] = shown_sessions(len(view.labels)).tolist()
    return {
        "view": view,
        "facts": facts(view),
        "means": _means(view),
        "findings": [item for item in found if not item.more],
        "more_findings": [item for item in found if item.more],
        "registration": None if registration is None else shown(registration, view.key, view.name),
        "sorted": None if arranged is None else shown(arranged, view.key, view.name),
        "reference": None
        if arranged is None
        else reference_session(view, shown_sessions(len(view.labels))),
        "sorts": [(int(i), session_title(view, int(i))) for i in shown_sessions(len(view.labels))],
        "by_lap": "lap_maps" in view.nodes and "y_bin" not in view.nodes["smoothed_maps"].coords,
        "examples": examples[:_OPEN_EXAMPLES],
        "more_examples": examples[_OPEN_EXAMPLES:],
        "decay": decays[0] if decays else None,
        "more_decays": decays[1:],
        "decoding": decoding_sentence(view),
        "decoding_figures": [] if decoded is None else _all_shown(view, [decoded]),
        "behaviour": behaviour_sentences(view),
        "behaviour_figures": [] if behaved is None else _all_shown(view, [behaved]),
        "survival": survival,
        "cautions": warned,
        "alarm": alarm(warned),
        "level": view.level,
        "series": [
            (
                name,
                PREDICTORS[name][0],
                _all_shown(view, main_figures(view, name)),
                _all_shown(view, other_figures(view, name)),
            )
            for name in series
        ],
        "phases": phases,
        "data": script_json(data),
        "notes": data["notes"],
        "has_maps": "units" in data,
        "has_places": "place" in data,
        "map_unit": f" [{data['unit']}]" if data.get("unit") else "",
        "has_pairs": bool(data["matrices"]) and len(data["sessions"]) > 1,
        "flat": "units" in data and not data["y"],
        "sessions": _session_rows(view),
        "tests": [
            (PREDICTORS[name][0].split(" [")[0], table)
            for name in predictors
            if (table := trend_table(view, name))["rows"]
        ],
        "tables": [
            download(view.key, table, view.name)
            for table in tables(view, _UNIT_ROWS // n_recordings)
        ],
        "parameters": _parameters(view),
        "provenance": _provenance(view),
    }


def _all_shown(view: View, figures: Sequence[Any]) -> list[dict[str, Any]]:
    return [shown(figure, view.key, view.name) for figure in figures]


def _session_rows(view: View) -> dict[str, Any]:
    table = view.sessions
    columns = {name: how for name, how in _SESSION_COLUMNS.items() if name in table}
    kept = np.arange(len(table))
    if kept.size > _ROWS_ON_PAGE:
        kept = np.unique(np.linspace(0, len(table) - 1, _ROWS_ON_PAGE).round().astype(int))
    rows = [
        [
            view.labels[i],
            *(write(float(table[name].iloc[i])) for name, (_, write) in columns.items()),
        ]
        for i in kept
    ]
    cells = f"{view.noun}s"
    head = ["session", *(label.replace("{cells}", cells) for label, _ in columns.values())]
    return {"head": head, "rows": rows, "all": kept.size == len(table)}


def _parameters(view: View) -> list[tuple[str, str]]:
    flat: dict[str, Any] = {}
    for name, value in view.parameters.items():
        flat |= (
            {f"{name}: {key}": item for key, item in value.items()}
            if isinstance(value, dict)
            else {name: value}
        )
    for node, keys in (
        ("sparsity", ("min_events", "threshold", "frames")),
        ("place_cells", ("null", "n_repeats", "min_shift", "criterion", "combine", "fdr_scope")),
        ("stability", ("split", "null", "n_repeats", "combine")),
        ("information", ("fractions", "n_repeats")),
        ("cross_fitted", ("parts", "min_events", "alpha", "n_repeats")),
        ("drift", ("units", "n_repeats")),
        ("regression", ("method", "level")),
    ):
        attrs = view.nodes[node].attrs if node in view.nodes else {}
        flat |= {f"{node.replace('_', ' ')}: {key}": attrs[key] for key in keys if key in attrs}
    return [(plain(name), plain_text(_plain(value))) for name, value in flat.items()]


def _provenance(view: View) -> list[tuple[str, str]]:
    attrs = view.tree.attrs
    found = [
        ("subject", view.subject),
        ("environment", plain(view.environment)),
        ("activity", view.kind),
        ("analysed with", f"neurodrift {attrs.get('neurodrift_version', 'unknown')}"),
        ("report made with", f"neurodrift {__version__}"),
        ("results format", str(attrs["format_version"])),
        ("random seed", str(view.parameters.get("seed", "unknown"))),
    ]
    for reason, names in left_out(view.tree).items():
        named = listing([in_sentence(name, view.noun) for name in names])
        found.append((f"left out: {named}", plain_text(reason)))
    if "source" in attrs:
        found.append(("recording", str(attrs["source"])))
    known = {"title", "format_version", "curation"}  # what was left out has a table
    found += [
        (f"recording: {plain(key)}", _cut(_plain(value)))
        for key, value in view.source_attributes.items()
        if key not in known
    ]
    return found


def _cut(text: str, most: int = 400) -> str:
    """A long text from its beginning; the results hold it all."""
    return text if len(text) <= most else f"{text[:most]} … (the results hold all of it)"


def _plain(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating):
        return f"{value:g}"
    if isinstance(value, list | tuple | np.ndarray):
        return ", ".join(_plain(item) for item in value)
    return str(value)


def _methods(found: list[View], comparison: xr.Dataset | None) -> dict[str, Any]:
    """Methods of each recording, those with the same words together, and their papers."""
    texts = [(view.name, methods(view)) for view in found]
    if comparison is not None:
        texts.append(("Comparison", comparison_methods(comparison)))
    return grouped_methods(texts)
