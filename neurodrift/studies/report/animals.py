"""The animals on the page: each series over the sessions, and each drift with the lag."""

from __future__ import annotations

import numpy as np
import pandas as pd

from neurodrift.analysis.comparison.members import Member
from neurodrift.report.chart import Chart, Figure, Mark, Multiples, Small, limits
from neurodrift.report.words import factor_of, number, title_of, unit_of
from neurodrift.studies.report.view import AXES, LAGS, StudyView


def animal_figures(view: StudyView) -> list[Figure]:
    """The series of every recording, a figure for each measure that is asked.

    Parameters
    ----------
    view
        The study.

    Returns
    -------
    list of Figure
        Recordings in their groups, as recorded and on an equal footing, with the slope.
    """
    answers = view.answers
    asked = [
        str(measure)
        for measure, kind in zip(answers["measure"].values, answers["kind"].values, strict=True)
        if kind != "decay"
    ]
    found = [_animals(view, measure) for measure in dict.fromkeys(asked)]
    return [figure for figure in found if figure is not None]


def _animals(view: StudyView, measure: str) -> Figure | None:
    factor = factor_of(measure)
    members = [m for m in view.members if m.has(measure) and len(m.sessions) > 1]
    if not members:
        return None
    axis = view.axis
    matched = f"{measure}_matched"
    x = np.concatenate([m.column(axis) for m in members])
    y = np.concatenate([factor * m.column(n) for m in members for n in (measure, matched)])
    drawing = Multiples(
        rows=[
            (group, [_small(view, m, measure) for m in own])
            for group, own in _in_groups(view, members)
        ],
        x_label=AXES[axis],
        y_label=unit_of(measure),
        x_ends=limits(x, 0.04, False),
        y_ends=limits(y, 0.08, False),
    )
    rows = [
        {
            "recording": m.name,
            "subject": m.replicate,
            "group": view.groups.get(m.name, ""),
            "session": label,
            axis: at,
            measure: value,
            matched: equal,
        }
        for m in members
        for label, at, value, equal in zip(
            m.sessions["session"], m.column(axis), m.column(measure), m.column(matched), strict=True
        )
    ]
    legend = [("as recorded", "ink")]
    if any(m.has(matched) for m in members):
        legend.append(("on an equal footing", "s3"))
    if view.cohort.starts:
        legend.append(("intervention", "accent dashed"))
    unit = f" [{unit_of(measure)}]" if unit_of(measure) else ""
    return Figure(
        name=f"animals-{measure.replace('_', '-')}",
        title=title_of(measure),
        caption=f"{title_of(measure)}{unit} against the {AXES[axis]}, a panel for each recording; "
        "all panels have the same axes. Straight line and number: the slope by least squares, as "
        "it enters the answer of the study. The report of a recording has another fit, which "
        "allows for neighbouring sessions that are alike: its slope can differ, in sign too where "
        "there is hardly any.",
        drawing=drawing,
        frame=pd.DataFrame(rows),
        legend=legend,
    )


def _in_groups(view: StudyView, members: list[Member]) -> list[tuple[str, list[Member]]]:
    if not view.groups:
        return [("", members)]
    names = [*view.group_names, ""]
    rows = [(name, [m for m in members if view.groups.get(m.name, "") == name]) for name in names]
    return [(name or "no group", own) for name, own in rows if own]


def _small(view: StudyView, member: Member, measure: str) -> Small:
    factor, axis = factor_of(measure), view.axis
    at = member.column(axis)
    marks = []
    if member.name in view.cohort.starts:
        values = factor * member.column(measure)
        start = view.cohort.starts[member.name]
        ends = np.array([np.nanmin(values), np.nanmax(values)])
        marks.append(Mark("line", "accent dashed", np.array([start, start]), ends))
    note = ""
    for name, style in ((f"{measure}_matched", "s3"), (measure, "ink")):
        if not member.has(name):
            continue
        value = factor * member.column(name)
        known = np.isfinite(at) & np.isfinite(value)
        marks.append(Mark("line", f"{style} thin", at[known], value[known]))
        marks.append(Mark("points", style, at[known], value[known], radius=1.5))
        if known.sum() > 1 and np.ptp(at[known]) > 0:
            slope, intercept = np.polyfit(at[known], value[known], 1)
            if np.ptp(value[known]) <= 1e-9 * np.abs(value[known]).max():
                slope, intercept = 0.0, value[known][0]  # not the rounding of the fit
            ends = np.array([at[known].min(), at[known].max()])
            marks.append(Mark("line", style, ends, intercept + slope * ends))
            note = f"{'+' if slope > 0 else ''}{number(slope, 2)} {_per(axis)}"
    return Small(member.name, marks, note, view.links.get(member.name, ""))


def _per(axis: str) -> str:
    return {
        "day": "a day",
        "experience": "a minute",
        "training_step": "a step",
        "session_number": "a session",
    }.get(axis, "over the whole way")


def drift_figures(view: StudyView) -> list[Figure]:
    """Similarity of sessions by the lag, each animal and the mean, for each decay that is asked.

    Parameters
    ----------
    view
        The study.

    Returns
    -------
    list of Figure
        Thin lines are animals, the thick one is their mean, of each group where there are groups.
    """
    answers = view.answers
    asked = {
        str(m): str(axis)
        for m, kind, axis in zip(
            answers["measure"].values, answers["kind"].values, answers["axis"].values, strict=True
        )
        if kind == "decay"
    }
    found = [_drift(view, measure, axis) for measure, axis in asked.items()]
    return [figure for figure in found if figure is not None]


def _drift(view: StudyView, measure: str, axis: str) -> Figure | None:
    table = pd.concat(
        [
            pd.DataFrame(
                m.pairs(measure, axis)[:, :2],
                columns=["similarity", "lag"],
            ).assign(subject=m.replicate, group=view.groups.get(m.name, ""))
            for m in view.members
        ]
    ).dropna()
    if table.empty or table["lag"].nunique() < 2:
        return None
    table["lag"] = table["lag"].round(6)
    animals = table.groupby(["group", "subject", "lag"], as_index=False)["similarity"].mean()
    lags = animals["lag"].to_numpy(float)
    values = animals["similarity"].to_numpy(float)
    chart = Chart(np.append(lags, 0.0), values, x_label=LAGS[axis], y_label=unit_of(measure))
    names = [name for name in [*view.group_names, ""] if name in set(animals["group"])]
    frames = [animals.assign(what="animal")]
    legend = []
    for i, group in enumerate(names):
        style = f"s{i % 4 + 1}"
        own = animals[animals["group"] == group]
        for _, one in own.groupby("subject"):
            chart.line(one["lag"].to_numpy(), one["similarity"].to_numpy(), f"{style} thin")
        by_lag = own.groupby("lag")["similarity"]
        mean, n, error = by_lag.mean(), by_lag.count(), by_lag.sem()
        kept = n[n > max(1, n.max() // 2)].index if n.max() > 1 else n.index
        at, middle = kept.to_numpy(float), mean[kept].to_numpy(float)
        wide = error[kept].to_numpy(float)
        chart.band(at, middle - wide, middle + wide, style)
        chart.line(at, middle, style)
        tips = [
            f"lag {number(a)}: {number(b)}, {number(n[a])} animals"
            for a, b in zip(at, middle, strict=True)
        ]
        chart.points(at, middle, tips, style, 2.8)
        legend.append((group or ("no group" if view.groups else "mean of the animals"), style))
        mean_frame = pd.DataFrame({"lag": at, "similarity": middle, "standard_error": wide})
        frames.append(mean_frame.assign(group=group, subject="", what="mean of the animals"))
    return Figure(
        name=f"drift-{measure.replace('_', '-')}",
        title=f"{title_of(measure)} by lag",
        caption="Thin lines: animals; thick line: their mean with its standard error, at lags that "
        "more than half of the animals have.",
        drawing=chart,
        frame=pd.concat(frames, ignore_index=True),
        legend=legend,
    )
