"""Tables of trials: order, overlap, and whether they lie in the session."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurodrift.gate.findings import Finding


def trial_findings(trials: Any, clock: np.ndarray | None) -> list[Finding]:
    """Faults of a table of trials.

    Parameters
    ----------
    trials
        Columns with ``start_time`` and ``stop_time`` [s].
    clock
        (time) times of the frames [s], if there are any.

    Returns
    -------
    list of Finding
        What was found.
    """
    start = np.asarray(trials["start_time"][1], dtype=float)
    stop = np.asarray(trials["stop_time"][1], dtype=float)
    if not (np.isfinite(start) & np.isfinite(stop)).all():
        return [Finding("trials", "trials have a start or stop that is NaN", True)]
    if not (stop > start).all():
        at = int(np.argmin(stop > start))
        text = f"trial {at + 1} stops at {stop[at]:g} s, but starts at {start[at]:g} s"
        return [Finding("trials", text, True)]
    if (start[1:] < stop[:-1] - 1e-9).any():
        return [Finding("trials", "trials overlap, or are not in order", True)]
    if clock is None or not len(clock) or not np.isfinite(clock).all():
        return []
    inside = (stop > np.min(clock)) & (start < np.max(clock))
    if not inside.all():
        text = (
            f"{int((~inside).sum())} of {inside.size} trials lie outside the frames "
            f"({np.min(clock):g} to {np.max(clock):g} s): is their time in another unit?"
        )
        return [Finding("trials", text, not inside.any(), warns=True)]
    return []
