"""What was recorded: its numbers, and a picture of which cells were found on which days."""

from __future__ import annotations

import numpy as np
import pandas as pd

from neurodrift.report.chart import Figure, Grid, Panel
from neurodrift.report.images import MAX_ROWS
from neurodrift.report.view import View
from neurodrift.report.words import number, plural

ABSENT, ONCE, MATCHED = 0.0, 0.5, 1.0
"""States of a cell in a session: not detected, detected but in no other, detected in others too."""


def facts(view: View) -> list[tuple[str, str]]:
    """Label and value of what was recorded.

    Parameters
    ----------
    view
        Results of one recording.

    Returns
    -------
    list of tuple
        (label, value): sessions, their span, cells, matched cells, laps, and of animals time.
    """
    table, n, noun = view.sessions, len(view.sessions), view.noun
    found = [("snapshots" if view.simulated else "sessions", number(n))]
    if view.simulated:
        found.append(("training steps", _range(table["training_step"].to_numpy(float))))
    elif "day" in table and np.isfinite(table["day"].to_numpy(float)).all():
        found.append(("days", _range(table["day"].to_numpy(float))))
    found.append((f"{noun}s in all", number(view.n_units)))
    found.append((f"{noun}s a session", _whole_range(table["n_detected"].to_numpy(float))))
    if n > 1:
        times = detected_times(view)
        found.append((f"{noun}s matched in 2 sessions or more", number(int((times > 1).sum()))))
        if n > 2:
            found.append((f"{noun}s matched in all {n}", number(int((times == n).sum()))))
    if "n_laps" in table:
        found.append(("laps a session", _whole_range(table["n_laps"].to_numpy(float))))
    if view.simulated:
        return found
    if "tracked_time" in table and table["tracked_time"].gt(0).any():
        minutes = float(table["tracked_time"].sum())
        found.append(("time tracked", f"{number(minutes)} min"))
    if "running_time" in table and np.isfinite(table["running_time"].to_numpy(float)).any():
        found.append(("time running", f"{number(float(table['running_time'].sum()))} min"))
    return found


def detected_times(view: View) -> np.ndarray:
    """Number of sessions in which each unit was found again, 0 for unknown identity.

    Parameters
    ----------
    view
        Results of one recording.

    Returns
    -------
    numpy.ndarray
        (unit), 1 for a unit whose identity across sessions is not known and that was detected.
    """
    node = view.nodes["sparsity"]
    detected = node["detected"].transpose("unit", "session").values.astype(bool)
    times = detected.sum(axis=1)
    if "registered" in node.coords:
        times = np.where(node["registered"].values.astype(bool), times, np.minimum(times, 1))
    return np.asarray(times)


def registration_figure(view: View) -> Figure | None:
    """Which cells were detected and matched in which sessions.

    Parameters
    ----------
    view
        Results of one recording.

    Returns
    -------
    Figure or None
        A column for each session, a row for each cell, those of the first session on top and the
        most faithful of these first; None where every unit is there in every session, which one
        sentence says, or there is one session.
    """
    node, n = view.nodes["sparsity"], len(view.sessions)
    detected = node["detected"].transpose("unit", "session").values.astype(bool)
    if n < 2 or not view.n_units or detected.all():
        return None
    times = detected_times(view)
    states = np.where(detected, np.where(times > 1, MATCHED, ONCE)[:, None], ABSENT)
    order = np.lexsort((*[~detected[:, i] for i in range(n)][::-1],))
    shown = order
    if order.size > MAX_ROWS:
        shown = order[np.unique(np.linspace(0, order.size - 1, MAX_ROWS).round().astype(int))]
    labels = view.labels
    frame = pd.DataFrame(
        detected[order].astype(int), columns=[f"detected in session {name}" for name in labels]
    )
    noun = view.noun
    frame.insert(0, noun, [str(label) for label in node["unit"].values[order]])
    frame.insert(1, "sessions in which it was matched", times[order])
    matched, once = int((times > 1).sum()), int((times == 1).sum())
    caption = (
        f"Every row is a {noun}, every column a session. {number(matched)} {noun}s were matched in "
        f"two sessions or more, {number(int((times == n).sum()))} of them in all {n}"
    )
    only = f"; {plural(once, noun)} {'was' if once == 1 else 'were'} seen in one session only"
    caption += f"{only if once else ''}. Grey: not detected."
    if shown.size < order.size:
        caption += f" {number(shown.size)} rows of {number(order.size)} are drawn, evenly spaced."
    ends = (labels[0], labels[-1])
    grid = Grid(
        [("", [Panel(f"{number(view.n_units)} {noun}s", states[shown])])],
        ("session " + ends[0], ends[1]),
        noun,
        colours="states",
        low="",
        high="",
        tall=0.9,
        wide=300.0,
    )
    legend = [("matched in other sessions", "matched"), ("seen in this session only", "once")]
    legend = legend if once else []
    title = f"Which {noun}s were found on which day"
    return Figure("registration", title, caption, grid, frame, legend=legend)


def _range(values: np.ndarray) -> str:
    low, high = float(values.min()), float(values.max())
    return number(low) if low == high else f"{number(low)} to {number(high)}"


def _whole_range(values: np.ndarray) -> str:
    values = values[np.isfinite(values)]
    return _range(values) if values.size else "–"
