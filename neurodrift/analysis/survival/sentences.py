"""Turnover and the history of place cells in words."""

from __future__ import annotations

import numpy as np
import xarray as xr

from neurodrift.schema.words import p_words

_RUN = 3  # sessions in a row that a sentence tells of
_WORDS = {1: "one session", 2: "two sessions in a row", 3: "three sessions in a row"}


def describe_turnover(turnover: xr.Dataset) -> list[str]:
    """What became of the place cells of a session, and whether their past tells more.

    Parameters
    ----------
    turnover
        The node ``turnover``.

    Returns
    -------
    list of str
        Sentences; one that says why nothing can be told.
    """
    noun = "place cells" if turnover.attrs.get("kind") != "active" else "active units"
    if "still_by_lag" not in turnover or not np.isfinite(turnover["still_by_lag"].values[:1]).any():
        return [f"Too few {noun} are known in two neighbouring sessions to tell their turnover."]
    still = turnover["still_by_lag"].values
    clean = turnover["still_corrected_by_lag"].values
    text = f"Of the {noun} of a session, {_percent(still[0])} are {noun} again in the next"
    if np.isfinite(clean[0]):
        ends = [
            float(turnover[f"still_corrected_by_lag_ci_{end}"].values[0]) for end in ("low", "high")
        ]
        text += f" ({_percent(clean[0])} when errors of the test are taken out, 95 % interval "
        text += f"{_percent(ends[0])} to {_percent(ends[1])})"
    known = np.flatnonzero(np.isfinite(still))
    last = int(known[-1])
    if last > 0:
        text += f", and {_percent(still[last])}"
        if np.isfinite(clean[last]):
            text += f" ({_percent(clean[last])})"
        text += f" after {last + 1} sessions"
    sentences = [text + "."]
    reason = str(turnover.attrs.get("reason", ""))
    if reason:
        sentences.append(f"Errors of the test could not be taken out: {reason}.")
    sentences += _history(turnover)
    if turnover.attrs.get("undetected") == "off":
        sentences.append("Units that were not found in a session count as silent there.")
    return sentences


def _history(turnover: xr.Dataset) -> list[str]:
    """What a longer past adds to fixed rates."""
    runs = [k for k in range(_RUN, 0, -1) if k in turnover.get("run", xr.DataArray([])).values]
    for k in runs:
        one = turnover.sel(run=k)
        excess, p = float(one["run_excess"]), float(one["run_excess_p"])
        if np.isfinite(excess) and np.isfinite(p):
            sign = "adds" if excess >= 0 else "takes"
            end = "to" if excess >= 0 else "from"
            return [
                f"Having been one for {_WORDS[k]} {sign} {100 * abs(excess):.0f} percentage points "
                f"{end} the chance of being one in the next that fixed rates of each unit give "
                f"({p_words(p)})."
            ]
    return []


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"
