"""What a figure shows, apart from how it is drawn: on the page, for a paper, or as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

SERIES = ("s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9")
"""Names of colours of things side by side, those that differ most first."""

STYLES = ("ink", "accent", "muted", "faint", *SERIES, "matched", "once")
"""Names of colours; each way of drawing has its own table of them."""


@dataclass(frozen=True)
class Mark:
    """One thing in a chart.

    Parameters
    ----------
    kind
        ``"line"``, ``"band"``, ``"points"``, ``"level"`` or ``"border"``.
    style
        Words of :data:`STYLES` and ``dashed``, ``dotted``, ``thin``, ``hollow``.
    x, y, low, high
        Where it lies.
    texts
        A text for each point, or one for a level or a border.
    radius
        Of points, in the units of a page's drawing.
    """

    kind: str
    style: str
    x: np.ndarray
    y: np.ndarray
    low: np.ndarray = field(default_factory=lambda: np.empty(0))
    high: np.ndarray = field(default_factory=lambda: np.empty(0))
    texts: tuple[str, ...] = ()
    radius: float = 3.4


class Chart:
    """Axes to which marks are added.

    Parameters
    ----------
    x, y
        Values that the axes must hold; those that are not finite are left out.
    x_label, y_label
        What the axes show, with units.
    zero
        Whether the y axis starts at 0.
    """

    def __init__(
        self, x: np.ndarray, y: np.ndarray, *, x_label: str, y_label: str, zero: bool = False
    ) -> None:
        self.x_label, self.y_label = x_label, y_label
        self.x_low, self.x_high = limits(x, 0.04, False)
        self.y_low, self.y_high = limits(y, 0.08, zero)
        self.marks: list[Mark] = []

    def line(self, x: np.ndarray, y: np.ndarray, style: str) -> None:
        """Join points; a value that is not finite breaks the line."""
        self.marks.append(Mark("line", style, np.asarray(x, float), np.asarray(y, float)))

    def band(self, x: np.ndarray, low: np.ndarray, high: np.ndarray, style: str) -> None:
        """Fill between two curves; the axis must hold both, so that a band is not cut by it."""
        x, low, high = (np.asarray(values, float) for values in (x, low, high))
        found = np.concatenate([low, high])
        found = found[np.isfinite(found)]
        if found.size and (found.min() < self.y_low or found.max() > self.y_high):
            self.y_low = min(self.y_low, float(found.min()))
            self.y_high = max(self.y_high, float(found.max()))
        self.marks.append(Mark("band", style, x, np.empty(0), low, high))

    def points(
        self, x: np.ndarray, y: np.ndarray, tips: Sequence[str], style: str, radius: float = 3.4
    ) -> None:
        """Dots, each with a text that shows when it is pointed at."""
        x, y = np.asarray(x, float), np.asarray(y, float)
        self.marks.append(Mark("points", style, x, y, texts=tuple(tips), radius=radius))

    def level(self, value: float, style: str, text: str = "") -> None:
        """A horizontal line with a word at its right end."""
        if np.isfinite(value):
            at = np.array([value], float)
            self.marks.append(Mark("level", style, np.empty(0), at, texts=(text,)))

    def border(self, value: float, low: float, high: float, style: str, tip: str) -> None:
        """A vertical line with its interval; an infinite end reaches to the end of the axis."""
        ends = [end for end in (low, high, value) if np.isfinite(end)]
        if ends:
            self.x_low, self.x_high = min(self.x_low, *ends), max(self.x_high, *ends)
        at, first, last = (np.array([end], float) for end in (value, low, high))
        self.marks.append(Mark("border", style, at, np.empty(0), first, last, (tip,)))


@dataclass(frozen=True)
class Forest:
    """Estimates with intervals, one line for each quantity and group.

    Parameters
    ----------
    rows
        Name of a quantity, and for each group its name, style, estimate and both ends.
    label
        What the axis shows.
    """

    rows: Sequence[tuple[str, Sequence[tuple[str, str, float, float, float]]]]
    label: str


@dataclass(frozen=True)
class Panel:
    """One picture of a grid: values by row and column.

    Parameters
    ----------
    title
        What it shows, such as a session.
    values
        (row, column), from 0 to 1, NaN for no value; the first row is on top.
    note
        A few words below.
    curve
        (column) a mean that is drawn below the picture, from 0 to 1.
    starts
        Columns where another part begins, such as the next arm of a maze.
    key
        What a script needs to draw another choice into it.
    """

    title: str
    values: np.ndarray
    note: str = ""
    curve: np.ndarray | None = None
    starts: tuple[int, ...] = ()
    key: str = ""


@dataclass(frozen=True)
class Grid:
    """Pictures side by side.

    Parameters
    ----------
    rows
        Name of each row, and its pictures.
    ends
        What stands at both ends of the horizontal axis.
    y_label
        What the rows of a picture are.
    colours
        ``"rates"``, or ``"states"`` (0 absent, 0.5 in one session, 1 in several).
    low, high
        What the ends of the colours mean.
    tall
        Height of a picture over its width.
    wide
        Width of a picture on the page, in its units.
    """

    rows: Sequence[tuple[str, Sequence[Panel]]]
    ends: tuple[str, str]
    y_label: str
    colours: str = "rates"
    low: str = "0"
    high: str = "peak of the map"
    tall: float = 1.25
    wide: float = 120.0


@dataclass(frozen=True)
class Small:
    """One small chart among many that share both axes.

    Parameters
    ----------
    title
        Whose it is.
    marks
        Lines and points.
    note
        A few words below.
    link
        Where the reader finds more of it; empty for nowhere.
    """

    title: str
    marks: Sequence[Mark]
    note: str = ""
    link: str = ""


@dataclass(frozen=True)
class Multiples:
    """Small charts side by side, all with the same axes.

    Parameters
    ----------
    rows
        Name of each group, and its charts.
    x_label, y_label
        What the axes show, with units.
    x_ends, y_ends
        Both ends of the axes.
    x_ticks
        Places on the horizontal axis with their texts; round numbers when empty.
    """

    rows: Sequence[tuple[str, Sequence[Small]]]
    x_label: str
    y_label: str
    x_ends: tuple[float, float]
    y_ends: tuple[float, float]
    x_ticks: Sequence[tuple[float, str]] = ()


@dataclass(frozen=True, eq=False)
class Ways:
    """Answers under many combinations of choices, in the order of their size.

    Parameters
    ----------
    estimate, low, high
        (way) answers with both ends of their intervals; NaN at the end for ways without one.
    styles
        Style of each way.
    tips
        A text for each way.
    choices
        Name of each choice, and for each of its levels the label and (way) whether it is chosen.
    label
        What the answers are, with their unit.
    """

    estimate: np.ndarray
    low: np.ndarray
    high: np.ndarray
    styles: Sequence[str]
    tips: Sequence[str]
    choices: Sequence[tuple[str, Sequence[tuple[str, np.ndarray]]]]
    label: str


@dataclass(frozen=True)
class Figure:
    """A figure with its words and its numbers.

    Parameters
    ----------
    name
        For files: letters, digits and dashes.
    title, caption
        For the reader.
    drawing
        What is drawn.
    frame
        The same as a table: what its CSV holds.
    legend
        Names and styles of what is drawn.
    notes
        Footnotes that belong to the caption.
    """

    name: str
    title: str
    caption: str
    drawing: Chart | Forest | Grid | Multiples | Ways
    frame: pd.DataFrame
    legend: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()


def limits(values: np.ndarray, margin: float, zero: bool) -> tuple[float, float]:
    """Ends of an axis that holds values, with a margin that is a part of their range."""
    values = np.asarray(values, dtype=float)
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        half = abs(high) / 10 or 0.5
        low, high = low - half, high + half
    pad = margin * (high - low)
    return (low if zero and low == 0 else low - pad), high + pad
