"""Results to one HTML page."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from markupsafe import Markup

from neurodrift._version import __version__
from neurodrift.analysis.nodes import left_out
from neurodrift.report.cautions import cautions
from neurodrift.report.comparison import comparison_section
from neurodrift.report.data import page_data, script_json
from neurodrift.report.figures import decay_figures, session_figures
from neurodrift.report.footing import footing_rows
from neurodrift.report.headlines import facts, findings
from neurodrift.report.methods import REFERENCES, comparison_methods, methods
from neurodrift.report.phases import phases_section
from neurodrift.report.tables import Table, file_name, tables
from neurodrift.report.view import PREDICTORS, View, views
from neurodrift.report.words import in_sentence, listing, number, percent, plural
from neurodrift.schema.objects import path_of

_MAP_BYTES = 4_000_000  # rate maps of all recordings together
_UNIT_ROWS = 60_000  # rows of all tables of units together
_SCRIPTS = ("draw", "drift", "units", "page")  # in this order, in one scope
_ROWS_ON_PAGE = 200  # rows of a table that is written out

_SESSION_COLUMNS = {
    "day": ("day", number),
    "training_step": ("training step", number),
    "loss": ("loss", number),
    "accuracy": ("accuracy", percent),
    "tracked_time": ("tracked [min]", number),
    "running_speed": ("running speed [cm/s]", number),
    "n_maps": ("maps", number),
    "n_detected": ("units detected", number),
    "fraction_active_units": ("active", percent),
    "n_tested": ("tested", number),
    "n_place_cells": ("place cells", number),
    "fraction_place_cells": ("place cells, share", percent),
    "information": ("information [bit/event]", number),
    "information_se": ("its standard error", number),
    "information_population": ("information, all maps", number),
    "information_ssr": ("SSR of chosen maps", number),
}


def report(
    results: xr.DataTree | Sequence[xr.DataTree] | Mapping[str, xr.DataTree],
    *,
    comparison: xr.Dataset | None = None,
    title: str | None = None,
) -> str:
    """Make one self-contained HTML page of results.

    The page needs no network: plots, tables, script and style are in it. It can be read on a
    phone, in print and by keyboard. The same results give the same page, to the last byte.

    Parameters
    ----------
    results
        Result of :func:`neurodrift.analyze`, several of them, or several by the name that the
        reader shall see.
    comparison
        Result of :func:`neurodrift.compare` of the same recordings.
    title
        Heading of the page; made from the recordings when omitted.

    Returns
    -------
    str
        The page.

    Raises
    ------
    TypeError
        If something is no tree of results.
    ValueError
        If there are none, or a tree is of another format version or lacks what is needed.

    Notes
    -----
    Rate maps are stored as one byte for each bin, relative to the peak of the map. Of very large
    recordings only some units are drawn, and the page says which; all numbers come from all.

    Examples
    --------
    >>> from neurodrift import analyze, testing
    >>> from neurodrift.report import report
    >>> results = analyze(testing.linear_track(n_units=5, n_sessions=2), n_repeats=10)
    >>> page = report(results, title="Mouse 1")
    >>> page.startswith("<!doctype html>"), "<h1>Mouse 1</h1>" in page
    (True, True)
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    found = views(results)
    environment = Environment(
        loader=PackageLoader("neurodrift.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "plural": plural}
    source = environment.loader
    assert source is not None
    parts = [source.get_source(environment, f"script/{name}.js")[0] for name in _SCRIPTS]
    script = '"use strict";(() => {\n' + "\n".join(parts) + "})();"
    style, _, _ = source.get_source(environment, "style.css")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    sections = [_section(view, len(found)) for view in found]
    beside = comparison_section(comparison)
    if beside is not None:
        beside["tables"] = [_download("comparison", table) for table in beside["tables"]]
    return environment.get_template("report.html.j2").render(
        title=title or _title(found),
        views=found,
        sections=sections,
        comparison=beside,
        glance=_glance(sections),
        contents=_contents(sections[0]),
        methods=_methods(found, comparison),
        shared=script_json(_colours()),
        script=Markup(script),
        script_hash=digest,
        style=Markup(style),
        version=__version__,
    )


def write_report(
    results: xr.DataTree | Sequence[xr.DataTree] | Mapping[str, xr.DataTree],
    path: str | Path,
    *,
    comparison: xr.Dataset | None = None,
    title: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Write the page of :func:`report` to a file that is whole or not there.

    Parameters
    ----------
    results, comparison, title
        As for :func:`report`.
    path
        The HTML file.
    overwrite
        Whether an existing file is replaced.

    Returns
    -------
    pathlib.Path
        `path`.

    Raises
    ------
    FileExistsError
        If `path` exists and `overwrite` is False, it is no report, or another command writes it.
    """
    from neurodrift.io.output import whole

    path = path_of("path", path)
    if path.is_dir():
        raise FileExistsError(f"{path} is a folder and was kept: name an HTML file")
    with whole(path, overwrite=overwrite, what="report", is_ours=_is_ours) as unfinished:
        page = report(results, comparison=comparison, title=title)
        unfinished.write_text(page, encoding="utf-8")
    return path


def _is_ours(path: Path) -> bool:
    """Whether a file is a report of neurodrift."""
    try:
        with path.open("rb") as file:
            return b'name="generator" content="neurodrift' in file.read(4096)
    except OSError:
        return False


def _title(found: list[View]) -> str:
    if len(found) == 1:
        return f"Representational drift in {found[0].subject}, {found[0].environment}"
    return f"Representational drift in {len(found)} recordings"


def _glance(sections: list[dict[str, Any]]) -> dict[str, Any]:
    """Facts of every recording, and the number of its warnings, as one table."""
    spans = {"snapshots": ("sessions", ""), "days": ("span", " days")}
    spans["training steps"] = ("span", " steps")
    known_facts = []
    for section in sections:
        same = [(*spans.get(label, (label, "")), value) for label, value in section["facts"]]
        known_facts.append({label: value + unit for label, unit, value in same})
    head = list(dict.fromkeys(label for known in known_facts for label in known))
    rows = []
    for section, known in zip(sections, known_facts, strict=True):
        levels = [caution.level for caution in section["cautions"]]
        cells = [known.get(label, "–") for label in head]
        cells.append(f"{len(levels)}, {levels.count('serious')} serious")
        rows.append({"key": section["view"].key, "name": section["view"].name, "cells": cells})
    return {"head": [*head, "warnings"], "rows": rows}


def _contents(section: dict[str, Any]) -> list[tuple[str, str]]:
    """Places in the section of a single recording."""
    places = (
        ("care", "Warnings", True),
        ("sessions", "Sessions", True),
        ("drift", "Drift", section["has_pairs"]),
        ("maps", "Rate maps", section["has_maps"]),
        ("phases", "Phases", section["phases"] is not None),
        ("tables", "Tables", True),
        ("provenance", "Provenance", True),
    )
    return [(place, label) for place, label, there in places if there]


def _section(view: View, n_recordings: int) -> dict[str, Any]:
    predictors = view.predictors or [view.main_predictor]
    if len(view.sessions) < 2:
        predictors = []  # a chart of one point says no more than the table
    data = page_data(view, _MAP_BYTES // n_recordings)
    return {
        "view": view,
        "facts": facts(view),
        "findings": findings(view),
        "cautions": cautions(view),
        "level": view.level,
        "series": [(name, PREDICTORS[name][0], session_figures(view, name)) for name in predictors],
        "decays": decay_figures(view),
        "phases": phases_section(view),
        "data": script_json(data),
        "notes": data["notes"],
        "has_maps": "units" in data,
        "has_places": "place" in data,
        "map_unit": f" [{data['unit']}]" if data.get("unit") else "",
        "has_pairs": bool(data["matrices"]) and len(data["sessions"]) > 1,
        "flat": "units" in data and not data["y"],
        "sessions": _session_rows(view),
        "regression": _regression_rows(view),
        "footing": footing_rows(view),
        "tables": [
            _download(view.key, table, view.name)
            for table in tables(view, _UNIT_ROWS // n_recordings)
        ],
        "parameters": _parameters(view),
        "provenance": _provenance(view),
    }


def _download(key: str, table: Table, name: str = "comparison") -> dict[str, Any]:
    return {
        "id": f"{key}-table-{table.name}",
        "file": file_name(name, table.name),
        "title": table.title,
        "rows": len(table.frame),
        "columns": len(table.frame.columns),
        "note": table.note,
        "packed": table.compressed(),
    }


def _session_rows(view: View) -> dict[str, Any]:
    table = view.sessions
    shown = {name: how for name, how in _SESSION_COLUMNS.items() if name in table}
    kept = np.arange(len(table))
    if kept.size > _ROWS_ON_PAGE:
        kept = np.unique(np.linspace(0, len(table) - 1, _ROWS_ON_PAGE).round().astype(int))
    rows = [
        [view.labels[i], *(write(float(table[name].iloc[i])) for name, (_, write) in shown.items())]
        for i in kept
    ]
    head = ["session", *(label for label, _ in shown.values())]
    return {"head": head, "rows": rows, "all": kept.size == len(table)}


def _regression_rows(view: View) -> dict[str, Any]:
    from neurodrift.report.words import title_of

    fits, rows = view.nodes["regression"], []
    for measure in map(str, fits["measure"].values):
        for predictor in view.predictors:
            fit = view.slope(measure, predictor)
            if fit is not None:
                cells = [number(fit[name]) for name in ("slope", "ci_low", "ci_high")]
                p = [
                    "<0.001" if fit[n] < 0.001 else number(fit[n], 2)
                    for n in ("p", "p_given_speed")
                ]
                slope_given = number(fit["slope_given_speed"])
                seen = number(fit["detectable"]) if "detectable" in fit else ""
                name = PREDICTORS[predictor][0]
                rows.append([title_of(measure), name, *cells, p[0], seen, slope_given, p[1]])
    head = ["measure", "on", "slope", f"{view.level} from", "to", "p"]
    head += ["found at 80 % power", "slope, speed held", "p"]
    return {"head": head, "rows": rows}


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
    return [(name.replace("_", " "), _plain(value)) for name, value in flat.items()]


def _provenance(view: View) -> list[tuple[str, str]]:
    attrs = view.tree.attrs
    found = [
        ("subject", view.subject),
        ("environment", view.environment),
        ("activity", view.kind),
        ("analysed with", f"neurodrift {attrs.get('neurodrift_version', 'unknown')}"),
        ("report made with", f"neurodrift {__version__}"),
        ("results format", str(attrs["format_version"])),
        ("random seed", str(view.parameters.get("seed", "unknown"))),
    ]
    for reason, names in left_out(view.tree).items():
        found.append((f"left out: {listing([in_sentence(name) for name in names])}", reason))
    if "source" in attrs:
        found.append(("recording", str(attrs["source"])))
    known = {"title", "format_version", "curation"}  # what was left out has a table
    found += [
        (f"recording: {key.replace('_', ' ')}", _plain(value))
        for key, value in view.source_attributes.items()
        if key not in known
    ]
    return found


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
    groups: dict[tuple[str, ...], list[str]] = {}
    cited: set[str] = set()
    for view in found:
        text = methods(view)
        cited |= set(text.cited)
        groups.setdefault(tuple(text.paragraphs), []).append(view.name)
    if comparison is not None:
        text = comparison_methods(comparison)
        cited |= set(text.cited)
        groups[tuple(text.paragraphs)] = ["Comparison"]
    references = [REFERENCES[key] for key in REFERENCES if key in cited]
    return {"groups": [(names, texts) for texts, names in groups.items()], "references": references}


def _colours() -> dict[str, str]:
    """Colour-blind safe tables of colours for rates and for similarities."""
    from matplotlib import colormaps

    def packed(name: str) -> str:
        levels = np.round(255 * colormaps[name](np.linspace(0, 1, 128))[:, :3]).astype(np.uint8)
        return base64.b64encode(levels.tobytes()).decode()

    return {"rates": packed("viridis"), "similarities": packed("magma")}
