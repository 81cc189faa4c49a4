"""The answers on the page: sentences, what became of each, and a forest for each question."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from neurodrift.cohort.fate import fate
from neurodrift.cohort.sentences import estimate_unit, fate_sentences, recorded_sentences
from neurodrift.report.chart import Figure, Forest
from neurodrift.report.tables import file_stem
from neurodrift.report.trend import DAGGER
from neurodrift.report.words import factor_of, number, p_value, percent
from neurodrift.studies.report.view import StudyView, question_title, variant_title

_STYLES = {"raw": "ink", "matched": "s3", "mixed": "muted"}
_COLUMNS: tuple[str, ...] = (
    "estimate",
    "se",
    "dof",
    "ci_low",
    "ci_high",
    "p",
    "p_holm",
    "few_degrees",
)
_COLUMNS += ("n_animals", "verdict", "reason")


def findings(view: StudyView) -> list[dict[str, Any]]:
    """Each question with its answer in words.

    Parameters
    ----------
    view
        The study.

    Returns
    -------
    list of dict
        ``question``, ``formula``, ``text`` as recorded, and ``fates``.
    """
    return [
        {
            "question": question_title(view.answers.sel(question=question)),
            "formula": question,
            "text": " ".join(recorded_sentences(view.tree, question)),
            "fates": " ".join(fate_sentences(view.tree, question)),
        }
        for question in view.questions
    ]


def fates_table(view: StudyView) -> dict[str, Any]:
    """What is found of each question as recorded, and what becomes of it otherwise.

    Parameters
    ----------
    view
        The study.

    Returns
    -------
    dict
        ``head``, ``rows`` and ``notes`` of a table.
    """
    rows = []
    for question in view.questions:
        own = view.answers.sel(question=question)
        cells = [question_title(own)]
        for variant in view.variants:
            one = own.sel(variant=variant)
            word = one["verdict"].item() if variant == "raw" else fate(view.tree, question, variant)
            cells.append(_cell(one, one["verdict"].item() if word == "none" else word))
        rows.append(cells)
    notes = [_FEW] if any(DAGGER in cell for row in rows for cell in row) else []
    head = ["question", *(variant_title(variant) for variant in view.variants)]
    return {"head": head, "rows": rows, "notes": notes}


_FEW = (
    f"{DAGGER} Fewer than 4 degrees of freedom: take an effect as one to confirm in more animals, "
    "and undecided not as a sign of none; go by the interval."
)


def _cell(one: xr.Dataset, word: str) -> str:
    if word == "not testable":
        return "–"
    p = one["p_holm"].item() if np.isfinite(one["p_holm"].item()) else one["p"].item()
    mark = DAGGER if bool(one["few_degrees"].item()) else ""
    return f"{word} ({p_value(p)}{mark})" if np.isfinite(p) else word


def forests(view: StudyView) -> list[Figure]:
    """For each question its estimates in all variants, and those of the groups.

    Parameters
    ----------
    view
        The study.

    Returns
    -------
    list of Figure
        Without those that have no estimate at all.
    """
    found = [_forest(view, question, i) for i, question in enumerate(view.questions, start=1)]
    return [figure for figure in found if figure is not None]


def _forest(view: StudyView, question: str, i: int) -> Figure | None:
    own = view.answers.sel(question=question)
    factor = factor_of(own["measure"].item())
    rows, table, few = [], [], False
    for variant in view.variants:
        one = own.sel(variant=variant)
        table.append({"what": variant, **{name: one[name].item() for name in _COLUMNS}})
        ends = [factor * one[name].item() for name in ("estimate", "ci_low", "ci_high")]
        if not np.isfinite(ends[0]):
            continue
        style = _STYLES.get(variant, "s1")
        name = variant_title(variant)
        if bool(one["few_degrees"].item()):
            style, name, few = f"{style} hollow", f"{name} {DAGGER}", True
        rows.append((name, [(name, style, ends[0], ends[1], ends[2])]))
    for one in _groups(view, question):
        numbers = [one[name].item() for name in ("estimate", "ci_low", "ci_high")]
        name = f"{one['group_name'].item()} alone"
        table.append({"what": name, **{n: one[n].item() for n in _COLUMNS if n in one}})
        if np.isfinite(numbers[0]):
            low, high = factor * numbers[1], factor * numbers[2]
            rows.append((name, [(name, "s2", factor * numbers[0], low, high)]))
    if not rows:
        return None
    raw = own.sel(variant="raw")
    contrast = str(raw["contrast"].item())
    level = percent(view.level)
    caption = f"Dot: estimate; bar: {level} interval, with an arrow where it goes on."
    if contrast and not contrast.startswith("per unit"):
        caption = f"{contrast}. {caption}"
    return Figure(
        name=f"answer-{i}-{file_stem(question)}",
        title=question_title(own),
        caption=caption,
        drawing=Forest(rows, estimate_unit(raw) or "estimate"),
        frame=pd.DataFrame(table),
        notes=[_FEW] if few else [],
    )


def _groups(view: StudyView, question: str) -> list[xr.Dataset]:
    """The groups of an answer as recorded, each alone."""
    table = view.tree["groups"].to_dataset()
    own = (table["group_question"] == question) & (table["group_variant"] == "raw")
    own &= table["group_other"] == ""
    return [table.isel(group=int(k)) for k in np.flatnonzero(own.values)]


def detectable_table(view: StudyView) -> dict[str, Any]:
    """The smallest effect of each question that these animals would have shown.

    Parameters
    ----------
    view
        The study.

    Returns
    -------
    dict
        ``head`` and ``rows`` of a table.
    """
    rows = []
    for question in view.questions:
        raw = view.answers.sel(question=question, variant="raw")
        seen, mean = raw["detectable"].item(), raw["mean_level"].item()
        if not np.isfinite(seen):
            continue
        factor = factor_of(raw["measure"].item())
        whole = seen * raw["span"].item() / abs(mean) if mean else np.nan
        rows.append(
            [
                question_title(raw),
                f"{number(factor * raw['estimate'].item(), 2)} {estimate_unit(raw)}".strip(),
                f"{number(factor * seen, 2)} {estimate_unit(raw)}".strip(),
                percent(whole),
                number(raw["n_animals"].item()),
            ]
        )
    head = ["question", "estimate", "smallest that is found", "of the mean", "animals"]
    return {"head": head, "rows": rows}
