"""Figure 3 of the paper for any cohort: series relative to themselves, over sessions or animals.

The published way puts every series over its first session and fits one line by least squares to
the sessions of all animals. So the noise of the first session is in all others, and sessions
count as if they knew nothing of each other. The other way puts every series over its own mean, and
the slope is the mean of the animals' slopes with Student's t between them; of one animal it is
averaged over how alike neighbouring sessions are (:func:`neurodrift.regress`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from neurodrift.analysis.comparison.members import Member
from neurodrift.analysis.regression.regression import regress
from neurodrift.analysis.series.verdicts import Course
from neurodrift.report.chart import Chart, Figure
from neurodrift.report.tables import file_stem
from neurodrift.report.words import in_sentence, number, p_value, percent, plural, title_of
from neurodrift.studies.report.view import AXES

PUBLISHED, BY_ANIMAL = "as published", "animal as the unit"
"""Both ways."""

_CELLS = ("fraction_place_cells", "fraction_active_units")
_INFORMATION = ("information", "information_ssr", "information_naive")


@dataclass(frozen=True, kw_only=True)
class Line:
    """A straight line with its error.

    Parameters
    ----------
    slope, ci_low, ci_high, p
        Change for each unit of the axis, relative to the first session or to the mean.
    at, height
        A point of the line.
    n
        Sessions (published), animals, or sessions of the one animal.
    unit
        What `n` counts.
    """

    slope: float
    ci_low: float
    ci_high: float
    p: float
    at: float
    height: float
    n: int
    unit: str


def series_of(members: Sequence[Member]) -> list[str]:
    """The two measures of the figure that a cohort has: cells, and information.

    Parameters
    ----------
    members
        The recordings.

    Returns
    -------
    list of str
        Place cells, or active units where there are none, and information.
    """
    found = [
        next((name for name in names if any(m.has(name) for m in members)), "")
        for names in (_CELLS, _INFORMATION)
    ]
    return [name for name in found if name]


def normalized_table(members: Sequence[Member], measure: str, axis: str, way: str) -> pd.DataFrame:
    """Every series of a measure relative to itself.

    Parameters
    ----------
    members
        The recordings.
    measure, axis
        Columns of their sessions.
    way
        :data:`PUBLISHED`, over the first session; or :data:`BY_ANIMAL`, over the mean.

    Returns
    -------
    pandas.DataFrame
        ``recording``, ``subject``, ``environment``, ``session``, the axis, ``value``; recordings
        that begin with zero, or have one session, are left out.
    """
    parts = []
    for m in members:
        at, value = m.column(axis), m.column(measure)
        known = np.flatnonzero(np.isfinite(at) & np.isfinite(value))
        if known.size < 2 or np.ptp(at[known]) == 0:
            continue
        order = known[np.argsort(at[known], kind="stable")]
        scale = value[order[0]] if way == PUBLISHED else value[order].mean()
        if scale == 0:
            continue
        parts.append(
            pd.DataFrame(
                {
                    "recording": m.name,
                    "subject": m.replicate,
                    "environment": m.environment,
                    "session": m.sessions["session"].to_numpy()[order],
                    "when": m.when[order],
                    axis: at[order],
                    "value": value[order] / scale,
                }
            )
        )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def fit_line(table: pd.DataFrame, axis: str, way: str, level: float = 0.95) -> Line | None:
    """The line of normalised series.

    Parameters
    ----------
    table
        From :func:`normalized_table`.
    axis, way
        As there.
    level
        Coverage of the interval.

    Returns
    -------
    Line or None
        None where there are too few sessions.
    """
    if len(table) < 3:
        return None
    x = table[axis].to_numpy(float)
    if way == PUBLISHED:
        fit = regress(table, "value", axis, method="ols", level=level, time="when")
        at = {name: float(fit[name].sel(term=axis)) for name in _FIT}
        height = float(fit["estimate"].sel(term="intercept"))
        return Line(
            slope=at["estimate"],
            ci_low=at["ci_low"],
            ci_high=at["ci_high"],
            p=at["p"],
            at=0.0,
            height=height,
            n=len(table),
            unit="session",
        )
    if table["subject"].nunique() == 1:
        return _within_one(table, axis, level)
    slopes = {
        name: (own["subject"].iloc[0], np.polyfit(own[axis], own["value"], 1)[0])
        for name, own in table.groupby("recording")
    }
    by_animal = pd.DataFrame(list(slopes.values()), columns=["subject", "slope"])
    values = by_animal.groupby("subject")["slope"].mean().to_numpy(float)
    n = values.size
    course = Course(float(values.mean()), float(values.std(ddof=1) / np.sqrt(n)), float(n - 1))
    low, high = course.interval(level)
    return Line(
        slope=course.change,
        ci_low=low,
        ci_high=high,
        p=course.p,
        at=float(x.mean()),
        height=1.0,
        n=n,
        unit="animal",
    )


_FIT = ("estimate", "ci_low", "ci_high", "p")


def _within_one(table: pd.DataFrame, axis: str, level: float) -> Line | None:
    """One animal: its sessions with their autocorrelation.

    Of several recordings the mean slope, with their mean error: what one animal shows on the same
    days in two environments may be one event.
    """
    fits, used = [], []
    for _, own in table.groupby("recording", sort=False):
        if len(own) > 2:
            fit = regress(own, "value", axis, method="ar1", level=level, time="when")
            fits.append([float(fit[name].sel(term=axis)) for name in ("estimate", "se", "dof")])
            used.append(own)
    if not fits:
        return None
    slope, se, _ = np.mean(fits, axis=0)
    course = Course(float(slope), float(se), float(min(dof for *_, dof in fits)))
    low, high = course.interval(level)
    told = pd.concat(used)
    return Line(
        slope=course.change,
        ci_low=low,
        ci_high=high,
        p=course.p,
        at=float(told[axis].mean()),
        height=1.0,
        n=len(told),
        unit="session",
    )


def normalized_figures(
    data_sets: Mapping[str, Sequence[Member]], axis: str = "day", level: float = 0.95
) -> list[Figure]:
    """Figure 3 of the paper: for each data set both ways beside each other.

    Parameters
    ----------
    data_sets
        Recordings by the name of the data set.
    axis
        What the series are along.
    level
        Coverage of the intervals.

    Returns
    -------
    list of Figure
        Two for each data set that has a series: :data:`PUBLISHED`, :data:`BY_ANIMAL`.
    """
    found = []
    for i, (name, members) in enumerate(data_sets.items(), start=1):
        for way in (PUBLISHED, BY_ANIMAL):
            figure = _figure(name, members, axis, way, level, i)
            if figure is not None:
                found.append(figure)
    return found


def normalized_slopes(
    data_sets: Mapping[str, Sequence[Member]], axis: str = "day", level: float = 0.95
) -> pd.DataFrame:
    """The slopes of Figure 3, a row for each data set, series and way.

    Parameters
    ----------
    data_sets, axis, level
        As for :func:`normalized_figures`.

    Returns
    -------
    pandas.DataFrame
        ``data_set``, ``measure``, ``way``, ``slope``, ``ci_low``, ``ci_high``, ``p``, ``n``,
        ``unit``, ``n_recordings``.
    """
    rows = []
    for name, members in data_sets.items():
        for measure in series_of(members):
            for way in (PUBLISHED, BY_ANIMAL):
                table = normalized_table(members, measure, axis, way)
                line = fit_line(table, axis, way, level)
                if line is not None:
                    told = {key: getattr(line, key) for key in _TOLD}
                    lead = {"data_set": name, "measure": measure, "way": way}
                    rows.append({**lead, **told, "n_recordings": table["recording"].nunique()})
    return pd.DataFrame(rows)


_TOLD = ("slope", "ci_low", "ci_high", "p", "n", "unit")


def _figure(
    name: str, members: Sequence[Member], axis: str, way: str, level: float, i: int
) -> Figure | None:
    measures = series_of(members)
    tables = {m: normalized_table(members, m, axis, way) for m in measures}
    tables = {m: table for m, table in tables.items() if len(table)}
    if not tables:
        return None
    every = pd.concat(list(tables.values()))
    whole = "first session" if way == PUBLISHED else "mean of its sessions"
    chart = Chart(
        every[axis].to_numpy(),
        every["value"].to_numpy(),
        x_label=AXES[axis],
        y_label=f"over the {whole}",
    )
    chart.level(1.0, "muted dotted")
    said, legend, frames = [], [], []
    for k, (measure, table) in enumerate(tables.items()):
        style = f"s{k + 1}"
        for _, own in table.groupby("recording"):
            chart.line(own[axis].to_numpy(), own["value"].to_numpy(), f"{style} thin")
        aside = 0.006 * (2 * k - 1) * float(np.ptp(every[axis]))  # or dots hide each other
        _mean_points(chart, table, axis, style, title_of(measure), aside)
        line = fit_line(table, axis, way, level)
        if line is not None:
            _draw_line(chart, table[axis].to_numpy(float), line, style, way)
            said.append(f"{in_sentence(measure)} {_line_words(line, axis, level)}")
        legend.append((title_of(measure), style))
        frames.append(table.drop(columns="when").assign(measure=measure))
    rows = f"{plural(int(every['recording'].nunique()), 'recording')} of "
    rows += plural(int(every["subject"].nunique()), "animal")
    text = "; ".join(said)
    return Figure(
        name=f"normalized-{i}-{'published' if way == PUBLISHED else 'animals'}-{file_stem(name)}",
        title=f"{name}, {way}",
        caption=f"{text[:1].upper()}{text[1:]}. {rows[:1].upper()}{rows[1:]}; {_HOW[way]}"
        if text
        else f"{rows}; too few sessions for a line.",
        drawing=chart,
        frame=pd.concat(frames, ignore_index=True),
        legend=legend,
    )


_HOW = {
    PUBLISHED: "least squares over all sessions, each series over its first session.",
    BY_ANIMAL: "mean of the animals' slopes, each series over its mean.",
}


def _line_words(line: Line, axis: str, level: float) -> str:
    per = {"day": "a day", "experience": "a minute", "training_step": "a step"}.get(
        axis, "a session"
    )
    sign = "+" if line.slope > 0 else ""
    ends = f"{percent(line.ci_low)} to {percent(line.ci_high)}"
    p = f", {p_value(line.p)}" if np.isfinite(line.p) else ""
    interval = f"{percent(level)} CI {ends}" if np.isfinite(line.ci_low) else "no interval"
    return f"{sign}{percent(line.slope)} {per} ({interval}{p}, {plural(line.n, line.unit)})"


def _draw_line(chart: Chart, x: np.ndarray, line: Line, style: str, way: str) -> None:
    ends = np.array([x.min(), x.max()])
    if way == BY_ANIMAL and np.isfinite([line.ci_low, line.ci_high]).all():
        at = np.linspace(float(ends[0]), float(ends[1]), 21)
        edges = [line.height + s * (at - line.at) for s in (line.ci_low, line.ci_high)]
        low, high = np.minimum(*edges), np.maximum(*edges)
        if low.min() >= chart.y_low and high.max() <= chart.y_high:
            chart.band(at, low, high, style)
    chart.line(ends, line.height + line.slope * (ends - line.at), style)


def _mean_points(
    chart: Chart, table: pd.DataFrame, axis: str, style: str, title: str, aside: float
) -> None:
    """Means over the animals at each session, with their standard errors."""
    by_animal = table.assign(place=table.groupby("recording").cumcount())
    by_animal = by_animal.groupby(["place", "subject"], as_index=False)[[axis, "value"]].mean()
    sessions = by_animal.groupby("place")
    x = sessions[axis].mean().to_numpy(float) + aside
    mean = sessions["value"].mean().to_numpy(float)
    error, n = sessions["value"].sem().to_numpy(float), sessions.size().to_numpy()
    kept = n >= max(1, n.max() / 2)
    for a, b, half in zip(x[kept], mean[kept], error[kept], strict=True):
        if np.isfinite(half):
            chart.line(np.array([a, a]), np.array([b - half, b + half]), f"{style} thin")
    tips = [
        f"{title}: {number(b)}, {plural(int(k), 'animal')}"
        for b, k in zip(mean[kept], n[kept], strict=True)
    ]
    chart.points(x[kept], mean[kept], tips, style, 3.0)
