"""The numbers and sentences at the head of a recording."""

from __future__ import annotations

import numpy as np

from neurodrift.report.figures import slope_sentence
from neurodrift.report.view import View, finite_mean
from neurodrift.report.words import number, percent, title_of

_HEADLINES = ("loss", "fraction_active_units", "fraction_place_cells", "information")
_NEVER_PERCENT = ("information", "loss")


def facts(view: View) -> list[tuple[str, str]]:
    """Label and value of what describes a recording in one line.

    Parameters
    ----------
    view
        Results of one recording.

    Returns
    -------
    list of tuple
        (label, value).
    """
    table, n = view.sessions, len(view.sessions)
    found = [("snapshots" if view.simulated else "sessions", number(n))]
    if view.simulated:
        found.append(("training steps", _range(table["training_step"].to_numpy(float))))
    elif "day" in table and np.isfinite(table["day"].to_numpy(float)).all():
        found.append(("days", _range(table["day"].to_numpy(float))))
    found.append(("units in all", number(view.n_units)))
    found.append(("units detected per session", number(round(float(table["n_detected"].mean())))))
    found.append(
        (f"active, of {view.counted}", percent(float(table["fraction_active_units"].mean())))
    )
    if "fraction_place_cells" in table:
        share = float(table["fraction_place_cells"].mean())
        found.append((f"place cells, of {view.counted}", percent(share)))
    ceiling = view.ceiling("rate_map_correlation")
    if np.isfinite(ceiling).any():
        found.append(("noise ceiling of maps", number(finite_mean(ceiling), 2)))
    return found


def findings(view: View) -> list[str]:
    """What came out, one sentence for each main measure.

    Parameters
    ----------
    view
        Results of one recording.

    Returns
    -------
    list of str
        Sentences with their numbers.
    """
    names = [name for name in _HEADLINES if name in view.sessions]
    found = [text for name in names for text in _change(view, name)]
    pairs = view.pairs
    for name in ("rate_map_correlation", "ensemble_rate_correlation"):
        if name in pairs and pairs.sizes["session_a"] > 1:
            values, lags = pairs[name].values, pairs["lag"].values
            steps = [
                lag for lag in np.unique(lags[lags > 0]) if np.isfinite(values[lags == lag]).any()
            ]
            if steps:
                near, far = (finite_mean(values[lags == lag]) for lag in (steps[0], steps[-1]))
                text = f"{title_of(name)} correlate by {number(near)} between neighbouring sessions"
                text += f" and by {number(far)} over the longest interval"
                ceiling = view.ceiling(name)
                if np.isfinite(ceiling).any():
                    text += f"; halves of one session by {number(finite_mean(ceiling))}"
                found.append(text + ".")
            break
    return found


def _change(view: View, measure: str) -> list[str]:
    values = view.sessions[measure].to_numpy(float)
    values = values[np.isfinite(values)]
    if not values.size:
        return []
    write = number if measure.startswith(_NEVER_PERCENT) else percent
    unit = " bit/event" if measure.startswith("information") else ""
    title = title_of(measure)
    if values.size == 1:
        return [f"{title}: {write(float(values[0]))}{unit}."]
    first, last = write(float(values[0])), write(float(values[-1]))
    text = f"{title}: {first} in the first and {last}{unit} in the last session"
    if measure not in view.nodes["regression"]["measure"].values:
        return [f"{text}."]
    return [f"{text}; {slope_sentence(view, measure)}."]


def _range(values: np.ndarray) -> str:
    low, high = float(values.min()), float(values.max())
    return number(low) if low == high else f"{number(low)} to {number(high)}"
