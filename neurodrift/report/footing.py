"""Trends of a recording beside the same trends on an equal footing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodrift.report.trend import SIGNIFICANT, slope_words
from neurodrift.report.view import View
from neurodrift.report.words import in_sentence, number, percent

EQUAL = {
    "events": "equal events",
    "time": "equal time",
    "occupancy": "equal time in every bin",
    "activity": "equal time and as many events a cell",
}
"""What was made equal in every session."""


@dataclass(frozen=True)
class Trend:
    """Slope of a measure on the main predictor, as recorded and on an equal footing.

    Parameters
    ----------
    measure
        Name of the measure.
    raw, matched
        Variables of the node ``regression``.
    equal
        What was made equal, in words.
    sizes
        Both slopes in words.
    among
        Which cells the second is of, where these are not those of the first.
    """

    measure: str
    raw: dict[str, float]
    matched: dict[str, float]
    equal: str
    sizes: tuple[str, str]
    among: str = ""

    @property
    def disagree(self) -> bool:
        """Whether only one of both is significant, or both with opposite signs."""
        found = [fit["p"] < SIGNIFICANT for fit in (self.raw, self.matched)]
        opposite = self.raw["slope"] * self.matched["slope"] < 0
        return found[0] != found[1] or (all(found) and opposite)

    def sentence(self) -> str:
        """What both say."""
        says = [
            f"{_word(fit)} ({words})"
            for fit, words in zip((self.raw, self.matched), self.sizes, strict=True)
        ]
        return f"{in_sentence(self.measure)}: as recorded {says[0]}, with {self.equal} {says[1]}"


def _word(fit: dict[str, float]) -> str:
    if not fit["p"] < SIGNIFICANT:
        return "no clear trend"
    return "a rise" if fit["slope"] > 0 else "a fall"


def _among(view: View) -> str:
    """Which units are left with equal events."""
    node = view.nodes["matched"]
    kept, left = int(node.attrs.get("n_units", 0)), int(node["n_units_left_out"])
    if not (kept and left):
        return ""
    return f" (of the {number(kept)} {view.noun}s with enough events, silenced ones left out)"


def undetected_words(view: View) -> str:
    """That units which were not detected count as silent, and how many of the others are active.

    Parameters
    ----------
    view
        Results of one recording.

    Returns
    -------
    str
        A sentence; empty where fractions are of the units detected.
    """
    name = "fraction_active_of_detected"
    if view.counted != "registered" or name not in view.sessions:
        return ""
    shares = view.sessions[name].to_numpy(float)
    shares = shares[np.isfinite(shares)]
    if not shares.size:
        return ""
    ends = [percent(end) for end in (shares.min(), shares.max())]
    span = ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"
    return (
        f"A {view.noun} that was not detected counts as silent here (of the detected ones {span} "
        "are active). So this follows how many were detected."
    )


def trends(view: View) -> list[Trend]:
    """Every measure that has both slopes.

    Parameters
    ----------
    view
        Results of one recording.

    Returns
    -------
    list of Trend
        In the order of the node ``regression``.
    """
    if "matched" not in view.nodes:
        return []
    match = str(view.nodes["matched"].attrs["match"])
    found = []
    for measure in map(str, view.nodes["regression"]["measure"].values):
        raw, matched = view.slope(measure), view.slope(f"{measure}_matched")
        if raw is not None and matched is not None:
            # with equal events, active cells are made comparable in a way of their own
            activity = match == "events" and "active" in measure
            names = measure, f"{measure}_matched"
            sizes = tuple(slope_words(view, name, degrees=False) for name in names)
            equal = EQUAL["activity" if activity else match]
            among = _among(view) if "place" in measure and match == "events" else ""
            found.append(Trend(measure, raw, matched, equal, (sizes[0], sizes[1]), among))
    return found
