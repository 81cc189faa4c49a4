"""When the sessions of one subject took place: their days, and sessions that are one another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import numpy as np

from neurodrift.gate.findings import Finding

_DAYLIGHT_SAVING = timedelta(hours=1)
_OVERLAP = 0.01


def days_since_first(
    starts: Sequence[datetime], labels: Sequence[str]
) -> tuple[list[float], list[Finding]]:
    """Days of sessions from when they began.

    Within one time zone a day is a date: a session that begins after midnight is of the next day.
    Daylight saving is no other zone. Across zones, dates say little (an hour can be a day, or
    minus one): there, a day is 24 hours since the first session, rounded.

    Parameters
    ----------
    starts
        Of each session, with its zone, in order.
    labels
        Of the sessions.

    Returns
    -------
    days : list of float
        Since the first session.
    findings : list of Finding
        That zones differ.

    Examples
    --------
    >>> from datetime import datetime, timedelta, timezone
    >>> from neurodrift.gate.starts import days_since_first
    >>> boston, paris = (timezone(timedelta(hours=h)) for h in (-5, 1))
    >>> late = datetime(2026, 1, 1, 23, 30, tzinfo=boston)
    >>> an_hour_later = datetime(2026, 1, 2, 6, 30, tzinfo=paris)
    >>> days_since_first([late, an_hour_later], ["1", "2"])[0]
    [0.0, 0.0]
    >>> days_since_first([late, datetime(2026, 1, 2, 0, 30, tzinfo=boston)], ["1", "2"])[0]
    [0.0, 1.0]
    """
    offsets = [start.utcoffset() or timedelta(0) for start in starts]
    if max(offsets) - min(offsets) <= _DAYLIGHT_SAVING:
        return [float((start.date() - starts[0].date()).days) for start in starts], []
    elapsed = [(start - starts[0]) / timedelta(days=1) for start in starts]
    zones = sorted({start.strftime("%z") for start in starts})
    text = (
        f"sessions {', '.join(labels)} began in time zones {', '.join(zones)}: their days are "
        "whole 24 hours since the first session, not differences of dates. If one zone is wrong, "
        "correct session_start_time"
    )
    return [float(round(value)) for value in elapsed], [Finding("time_zones", text, warns=True)]


def session_overlap_findings(
    labels: Sequence[str],
    clocks: Sequence[np.ndarray],
    alike: Callable[[int], bool],
    days: Sequence[float | None],
) -> list[Finding]:
    """Sessions that were recorded at the same time: one given twice, or a wrong start.

    Parameters
    ----------
    labels
        Of the sessions, in the order of their starts.
    clocks
        (frame) times of each session's frames on one clock [s].
    alike
        Whether a session, by its number, holds the same activity as the one before it.
    days
        That the files themselves tell. Sessions of different days do not overlap: there, the
        starts are placeholders.

    Returns
    -------
    list of Finding
        One for every session that begins before the one before it is over, by more than 1 % of
        the shorter.
    """
    found = []
    ends = [(clock[0], clock[-1]) if clock.size else None for clock in clocks]
    for i in range(1, len(labels)):
        before, now = ends[i - 1], ends[i]
        told_apart = None not in (days[i - 1], days[i]) and days[i - 1] != days[i]
        if before is None or now is None or told_apart:
            continue
        common = min(before[1], now[1]) - max(before[0], now[0])
        shorter = min(before[1] - before[0], now[1] - now[0])
        if common <= _OVERLAP * shorter:
            continue
        pair = f"sessions {labels[i - 1]} and {labels[i]}"
        if before == now and alike(i):
            text = f"{pair} hold the same activity at the same times: one was given twice"
            found.append(Finding("same_session", text, stops=True))
            continue
        text = (
            f"{pair} of one subject overlap by {common:.1f} s: a copy of one recording, or a wrong "
            "session_start_time"
        )
        numbers = {"overlap_s": float(common)}
        found.append(
            Finding("session_overlap", text, stops=True, may_be_true=True, numbers=numbers)
        )
    return found
