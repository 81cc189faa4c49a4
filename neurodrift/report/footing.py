"""Trends of a recording beside the same trends on an equal footing."""

from __future__ import annotations

from dataclasses import dataclass

from neurodrift.report.view import View
from neurodrift.report.words import in_sentence, number, p_value, title_of

SIGNIFICANT = 0.05
"""Level of what the report calls a trend."""

EQUAL = {"events": "equal events", "time": "equal time", "occupancy": "equal time in every bin"}
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
    """

    measure: str
    raw: dict[str, float]
    matched: dict[str, float]
    equal: str

    @property
    def disagree(self) -> bool:
        """Whether only one of both is significant, or both with opposite signs."""
        found = [fit["p"] < SIGNIFICANT for fit in (self.raw, self.matched)]
        opposite = self.raw["slope"] * self.matched["slope"] < 0
        return found[0] != found[1] or (all(found) and opposite)

    def sentence(self) -> str:
        """What both say."""
        says = [
            f"{_word(fit)} ({number(fit['slope'])}, {p_value(fit['p'])})"
            for fit in (self.raw, self.matched)
        ]
        return f"{in_sentence(self.measure)}, as recorded {says[0]}, with {self.equal} {says[1]}"


def _word(fit: dict[str, float]) -> str:
    if not fit["p"] < SIGNIFICANT:
        return "has no clear trend"
    return "rises" if fit["slope"] > 0 else "falls"


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
            # with equal events a unit is as active everywhere: of equal time instead
            activity = match == "events" and "active" in measure
            found.append(Trend(measure, raw, matched, EQUAL["time" if activity else match]))
    return found


def footing_rows(view: View) -> dict[str, list[list[str]] | list[str]]:
    """The table of trends, raw and on an equal footing.

    Parameters
    ----------
    view
        Results of one recording.

    Returns
    -------
    dict
        ``head`` and ``rows``; no rows where nothing was made equal.
    """
    rows = []
    for trend in trends(view):
        cells = [title_of(trend.measure)]
        for fit in (trend.raw, trend.matched):
            p = "<0.001" if fit["p"] < 0.001 else number(fit["p"], 2)
            cells += [f"{number(fit['slope'])} [{number(fit['ci_low'])}, {number(fit['ci_high'])}]"]
            cells += [p]
        rows.append([*cells, trend.equal, "no" if trend.disagree else "yes"])
    head = [
        "measure",
        "slope, as recorded",
        "p",
        "slope, on an equal footing",
        "p",
        "with",
        "agree",
    ]
    return {"head": head, "rows": rows}
