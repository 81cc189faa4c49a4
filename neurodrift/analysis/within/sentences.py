"""When maps change, in words."""

from __future__ import annotations

import numpy as np
import xarray as xr

_SURE = 0.05


def describe_within_drift(found: xr.Dataset) -> str:
    """Whether maps change within a session and overnight, in a sentence or two.

    Parameters
    ----------
    found
        Result of :func:`neurodrift.compute_within_drift`, or the node ``within_drift``.

    Returns
    -------
    str
        Over all sessions and nights.

    Examples
    --------
    >>> from neurodrift import compute_within_drift, testing
    >>> from neurodrift.analysis.within.sentences import describe_within_drift
    >>> recording = testing.linear_track(n_units=40, n_sessions=3, drift=0.3)
    >>> describe_within_drift(compute_within_drift(recording, by="minute"))[:36]
    'Within a session, maps of the first '
    """
    value, se = float(found["first_last_pooled"]), float(found["first_last_pooled_se"])
    if not np.isfinite(value):
        return "Whether maps change within a session cannot be told: too few laps or events."
    p = float(found["within_p"])
    part = "laps" if found.attrs.get("by") == "lap" else "minutes"
    text = (
        f"Within a session, maps of the first and of the last {part} agree by {value:.2f} ± "
        f"{1.96 * se:.2f} of what interleaved {part} do; "
    )
    text += f"they change (p = {p:.2g})." if p <= _SURE else f"no change is shown (p = {p:.2g})."
    excess = float(found["excess_pooled"])
    if not np.isfinite(excess):
        return text
    step, night = float(found["step_pooled"]), float(found["overnight_pooled"])
    p = float(found["overnight_p"])
    apart = _apart(found)
    text += (
        f" From one session to the next{apart} the agreement is {night:.2f}, against {step:.2f} "
        f"for as many {part} within a session: "
    )
    if p <= _SURE:
        text += f"{excess:.2f} is lost between sessions (p = {p:.2g})."
    else:
        text += f"no loss between sessions is shown (p = {p:.2g})."
    if float(found["within_p"]) <= _SURE and night < 1:
        text += (
            f" A session by itself loses {1 - value:.2f} from its first to its last {part}, beside "
            f"{1 - night:.2f} from its last {part} to the first of the next."
        )
    return text


def _apart(found: xr.Dataset) -> str:
    if "days" not in found.coords:
        return ""
    days = np.unique(found["days"].values)
    if not np.isfinite(days).all() or not days.size:
        return ""
    if days.size == 1:
        return f" ({days[0]:g} day{'' if days[0] == 1 else 's'} later)"
    return f" ({days[0]:g} to {days[-1]:g} days later)"
