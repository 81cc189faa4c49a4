"""A study to one HTML page."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from neurodrift.io.tables import tidy
from neurodrift.report.chart import Figure
from neurodrift.report.frame import rendered
from neurodrift.report.methods import grouped_methods
from neurodrift.report.shown import download, shown
from neurodrift.report.tables import Table
from neurodrift.report.words import number, plain
from neurodrift.studies.conclusions import conclusion_sentences, questions_of
from neurodrift.studies.report.animals import animal_figures, drift_figures
from neurodrift.studies.report.answers import detectable_table, fates_table, findings, forests
from neurodrift.studies.report.care import study_cautions
from neurodrift.studies.report.methods import study_methods
from neurodrift.studies.report.normalized import normalized_figures
from neurodrift.studies.report.view import StudyView
from neurodrift.studies.report.ways import influence_table, ways_figure, ways_table

_SCRIPTS = ("draw", "save", "page")
_OPEN_FINDINGS = 6  # questions that are answered before the reader unfolds
_OPEN_FIGURES = 3
_OPEN_PANELS = 24  # recordings whose series are not folded
_WAY_ROWS = 50_000


def study_page(view: StudyView, *, title: str | None = None, printed: bool = False) -> str:
    """Make one self-contained HTML page of a study.

    Parameters
    ----------
    view
        The study.
    title
        Heading; the name of the study when omitted.
    printed
        Whether it is for paper: every part is open, and drawings carry their own style.

    Returns
    -------
    str
        The page. The same study gives the same page, to the last byte.
    """
    told = findings(view)
    animals = _all_shown(view, animal_figures(view))
    methods = [("the study", study_methods(view))]
    if view.methods is not None:
        methods.append(("each recording", view.methods))
    return rendered(
        "study.html.j2",
        _SCRIPTS,
        printed=printed,
        title=title or view.title,
        facts=_facts(view),
        findings=told[:_OPEN_FINDINGS],
        more_findings=told[_OPEN_FINDINGS:],
        fates=fates_table(view),
        forests=_parted(_all_shown(view, forests(view))),
        animals=animals,
        many=len(view.members) > _OPEN_PANELS,
        drift=_parted(_all_shown(view, drift_figures(view)), 1),
        normalized=_parted(_all_shown(view, study_normalized(view)), 2),
        detectable=detectable_table(view),
        corrected=view.parameters["correction"] == "holm" and len(view.questions) > 1,
        multiverse=_multiverse(view),
        cautions=study_cautions(view),
        recordings=_recordings(view),
        tables=[download("study", table, view.title) for table in study_tables(view)],
        methods=grouped_methods(methods),
        level=f"{100 * view.level:g}\u00a0%",
    )


def study_figures(view: StudyView) -> list[Figure]:
    """Every figure of a study, in the order of the page.

    Parameters
    ----------
    view
        The study.

    Returns
    -------
    list of Figure
        Answers, animals, drift, Figure 3 of the paper, the curves of a multiverse.
    """
    found = [*forests(view), *animal_figures(view), *drift_figures(view), *study_normalized(view)]
    if view.multiverse is not None:
        questions = enumerate(questions_of(view.multiverse), start=1)
        found += [ways_figure(view.multiverse, question, i) for i, question in questions]
    return found


def study_normalized(view: StudyView) -> list[Figure]:
    """Figure 3 of the paper of the cohort, and of each of its groups.

    Parameters
    ----------
    view
        The study.

    Returns
    -------
    list of Figure
        Two for each, the published way and with the animal as the unit.
    """
    sets = {"All animals" if len(view.animals) > 1 else view.animals[0]: list(view.members)}
    if len(view.group_names) > 1:
        for name in view.group_names:
            sets[name] = [m for m in view.members if view.groups.get(m.name) == name]
    return normalized_figures(sets, view.axis, view.level)


def study_tables(view: StudyView) -> list[Table]:
    """The tables of a study.

    Parameters
    ----------
    view
        The study.

    Returns
    -------
    list of Table
        Answers, animals, groups, recordings, sessions, ways; without the empty ones.
    """
    from neurodrift.cohort.pool import tabulate_answers

    found = [
        Table("answers", "Answers", tabulate_answers(view.tree)),
        Table("animals", "Animals", _long(view, "animals", "animal")),
        Table("groups", "Groups", _long(view, "groups", "group")),
        Table("recordings", "Recordings", view.recordings),
        Table("sessions", "Sessions", _long(view, "sessions", "session")),
    ]
    if view.multiverse is not None:
        ways = ways_table(view.multiverse)
        note = "The first ones; multiverse.zarr holds all." if len(ways) > _WAY_ROWS else ""
        found.append(Table("ways", "Ways of the multiverse", ways.head(_WAY_ROWS), note))
    return [table for table in found if len(table.frame)]


def _long(view: StudyView, name: str, dim: str) -> pd.DataFrame:
    """A node with one dimension as a table, texts first."""
    node = view.tree[name].to_dataset().load()
    table = tidy(node.reset_coords()).drop(columns=list(node.sizes), errors="ignore")
    table = table.rename(columns={f"{dim}_{key}": key for key in ("question", "variant")})
    lead = ["question", "variant", "recording", "subject", "environment", "label"]
    lead = [column for column in lead if column in table]
    return table[[*lead, *sorted(set(map(str, table)) - set(lead))]]


def _all_shown(view: StudyView, figures: list[Figure]) -> list[dict[str, Any]]:
    return [shown(figure, "study", view.title) for figure in figures]


def _parted(
    figures: list[dict[str, Any]], most: int = _OPEN_FIGURES
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Figures that are open, and those that are folded."""
    return figures[:most], figures[most:]


def _facts(view: StudyView) -> list[tuple[str, str]]:
    sessions = [len(m.sessions) for m in view.members]
    simulated = all("training_step" in m.sessions for m in view.members)
    found = [
        ("runs" if simulated else "animals", number(len(view.animals))),
        ("recordings", number(len(view.members))),
        ("sessions", number(sum(sessions))),
    ]
    if "n_units" in view.recordings:
        found.append(("cells, all recordings", number(int(view.recordings["n_units"].sum()))))
    days = np.concatenate([m.column("day") for m in view.members])
    days = days[np.isfinite(days)]
    if days.size and np.ptp(days) > 0:
        found.append(("days", f"{number(days.min())} to {number(days.max())}"))
    for group in view.group_names:
        own = {m.replicate for m in view.members if view.groups.get(m.name) == group}
        found.append((f"animals in {group}", number(len(own))))
    failed = int((view.recordings["state"] == "failed").sum())
    if failed:
        found.append(("recordings that failed", number(failed)))
    return found


def _recordings(view: StudyView) -> dict[str, Any]:
    table = view.recordings
    factors = [name for name in view.declared(table)]
    head = [
        "recording",
        "animal",
        "environment",
        *map(plain, factors),
        "sessions",
        "cells",
        "state",
    ]
    rows = [
        {
            "link": view.links.get(str(row["recording"]), ""),
            "name": str(row["recording"]),
            "cells": [
                str(row["subject"]),
                plain(str(row["environment"])),
                *(str(row[name]) for name in factors),
                number(row["n_sessions"]) if "n_sessions" in table else "–",
                number(row["n_units"]) if "n_units" in table else "–",
                str(row["state"]),
            ],
        }
        for _, row in table.iterrows()
    ]
    return {"head": head, "rows": rows}


def _multiverse(view: StudyView) -> dict[str, Any] | None:
    tree = view.multiverse
    if tree is None:
        return None
    questions = questions_of(tree)
    figures = [ways_figure(tree, question, i) for i, question in enumerate(questions, start=1)]
    parts = [
        {"text": " ".join(conclusion_sentences(tree, question)), "figure": figure}
        for question, figure in zip(questions, _all_shown(view, figures), strict=True)
    ]
    return {
        "n": tree["curve"].sizes["universe"],
        "main": parts[:1],
        "more": parts[1:],
        "influence": influence_table(tree),
    }
