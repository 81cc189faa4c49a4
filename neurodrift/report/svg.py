"""Charts and pictures as SVG, coloured by classes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from markupsafe import Markup, escape

from neurodrift.report.chart import (
    STYLES,
    Chart,
    Forest,
    Grid,
    Mark,
    Multiples,
    Panel,
    Small,
    Ways,
    limits,
)
from neurodrift.report.images import STATES, png_uri
from neurodrift.report.words import number

WIDTH, HEIGHT = 360.0, 236.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 12.0, 12.0, 42.0

LIGHT = {
    "ink": "#1d2731",
    "soft": "#5a6772",
    "line": "#d9dee3",
    "page": "#ffffff",
    "gap": "#c4cad0",
    "faint": "#8b98a4",
    "accent": "#b8480b",
    "muted": "#8b98a4",
    "s1": "#0a6aa6",
    "s2": "#b8480b",
    "s3": "#00795a",
    "s4": "#a2467f",
    "s5": "#6a4cc2",
    "s6": "#7a6a00",
    "s7": "#7b4a2e",
    "s8": "#3f4d59",
    "s9": "#4f8a10",
}
"""Colours of a drawing on white."""


def chart_style(colours: Mapping[str, str] | None = None) -> Markup:
    """Style of all drawings.

    Parameters
    ----------
    colours
        Colour by the names of :data:`LIGHT`; variables of the page when omitted.

    Returns
    -------
    markupsafe.Markup
        Rules of CSS, without variables where colours are given, so that every program for drawings
        reads them.
    """
    c = {name: f"var(--{name})" for name in LIGHT} if colours is None else dict(colours)
    rules = [
        f".chart text{{fill:{c['ink']};font-size:11.5px;font-family:Arial,Helvetica,sans-serif}}",
        f".chart .tick{{fill:{c['soft']};font-size:10.5px}}",
        f".chart .grid{{stroke:{c['line']};stroke-width:.7}}",
        f".chart .axis{{stroke:{c['soft']};stroke-width:1}}",
        f".chart .zero{{stroke:{c['soft']};stroke-dasharray:3 3}}",
        f".chart .gap{{fill:{c['gap']}}}",
        f".chart .part{{stroke:{c['page']};stroke-width:1.5}}",
        f".chart .curve{{fill:none;stroke:{c['ink']};stroke-width:1.3}}",
        ".chart .line{fill:none;stroke-width:2;stroke-linejoin:round}",
        ".chart .line.thin{stroke-width:1;opacity:.5}",
        ".chart .band{opacity:.15}",
        ".chart .span{opacity:.13}",
        f".chart .dot{{stroke:{c['page']};stroke-width:1}}",
        ".chart .more{font-size:15px}",
        ".chart .bar{stroke-width:1.6}",
        ".chart .rule{stroke-width:1.3}",
        ".chart image{image-rendering:pixelated}",
        ".chart .small{font-size:9px}",
        ".chart .slim{stroke-width:.8;fill:none}",
    ]
    for name in STYLES:
        colour = (c | STATES)[name]
        rules += [
            f".chart .{name}.line,.chart .{name}.rule,.chart .{name}.bar{{stroke:{colour}}}",
            f".chart .{name}.band,.chart .{name}.span,.chart .{name}.dot,.chart .{name}.more,"
            f".chart .{name}.note{{fill:{colour}}}",
            f".chart .{name}.dot.hollow{{fill:{c['page']};stroke:{colour};stroke-width:1.6}}",
        ]
    rules += [
        ".chart .dot.faint{opacity:.55;stroke:none}",
        ".chart .dashed{stroke-dasharray:6 4}",
        ".chart .dotted{stroke-dasharray:1.5 3.5;stroke-linecap:round}",
        ".chart .note{font-size:10.5px;stroke:none}",
    ]
    return Markup("\n".join(rules))


def chart_svg(chart: Chart, title: str, description: str, height: float = HEIGHT) -> Markup:
    """A chart as one ``svg`` element.

    Parameters
    ----------
    chart
        What is drawn.
    title, description
        For those who do not see it.
    height
        Height in the units of the drawing, which is 360 wide.

    Returns
    -------
    markupsafe.Markup
        The element; every text is escaped.
    """
    place = _Place(chart, height)
    marks = Markup("").join(place.drawn(mark) for mark in chart.marks)
    shape = '<svg class="chart" role="img" viewBox="0 0 {} {}" aria-label="{}">{}{}</svg>'
    words = f"{title}. {description}"
    return Markup(shape).format(f"{WIDTH:g}", f"{height:g}", words, place.axes(), marks)


class _Place:
    """Where values of a chart lie in its drawing."""

    def __init__(self, chart: Chart, height: float) -> None:
        self.chart, self.height = chart, height

    def x_at(self, value: float) -> float:
        inner = WIDTH - _LEFT - _RIGHT
        span = self.chart.x_high - self.chart.x_low
        return _LEFT + inner * (value - self.chart.x_low) / span

    def y_at(self, value: float) -> float:
        inner = self.height - _TOP - _BOTTOM
        span = self.chart.y_high - self.chart.y_low
        return self.height - _BOTTOM - inner * (value - self.chart.y_low) / span

    def drawn(self, mark: Mark) -> Markup:
        """One mark."""
        return {
            "line": self._line,
            "band": self._band,
            "points": self._points,
            "level": self._level,
            "border": self._border,
        }[mark.kind](mark)

    def _line(self, mark: Mark) -> Markup:
        path, broken = [], True
        for a, b in zip(mark.x, mark.y, strict=True):
            if not (np.isfinite(a) and np.isfinite(b)):
                broken = True
                continue
            path.append(f"{'M' if broken else 'L'}{self.x_at(a):.1f} {self.y_at(b):.1f}")
            broken = False
        if not path:
            return Markup("")
        return Markup('<path class="line {}" d="{}"/>').format(mark.style, "".join(path))

    def _band(self, mark: Mark) -> Markup:
        good = np.isfinite(mark.x) & np.isfinite(mark.low) & np.isfinite(mark.high)
        if good.sum() < 2:
            return Markup("")
        edge = np.concatenate(
            [np.c_[mark.x[good], mark.low[good]], np.c_[mark.x[good], mark.high[good]][::-1]]
        )
        points = " ".join(f"{self.x_at(a):.1f},{self.y_at(b):.1f}" for a, b in edge)
        return Markup('<polygon class="band {}" points="{}"/>').format(mark.style, points)

    def _points(self, mark: Mark) -> Markup:
        shape = Markup('<circle class="dot {}" cx="{}" cy="{}" r="{}" data-tip="{}"/>')
        return Markup("").join(
            shape.format(mark.style, f"{self.x_at(a):.1f}", f"{self.y_at(b):.1f}", mark.radius, tip)
            for a, b, tip in zip(mark.x, mark.y, mark.texts, strict=True)
            if np.isfinite(a) and np.isfinite(b)
        )

    def _level(self, mark: Mark) -> Markup:
        at = self.y_at(float(mark.y[0]))
        shape = Markup('<line class="rule {}" x1="{}" x2="{}" y1="{}" y2="{}"/>')
        found = shape.format(mark.style, _LEFT, WIDTH - _RIGHT, f"{at:.1f}", f"{at:.1f}")
        if mark.texts[0]:
            label = Markup('<text class="note {}" x="{}" y="{}" text-anchor="end">{}</text>')
            found += label.format(mark.style, WIDTH - _RIGHT - 2, f"{at - 4:.1f}", mark.texts[0])
        return found

    def _border(self, mark: Mark) -> Markup:
        chart, found = self.chart, Markup("")
        low, high = (
            float(np.clip(end[0], chart.x_low, chart.x_high)) for end in (mark.low, mark.high)
        )
        top, floor = _TOP, self.height - _BOTTOM
        if np.isfinite(low) and np.isfinite(high) and high > low:
            shape = '<rect class="span {}" x="{}" y="{}" width="{}" height="{}" data-tip="{}"/>'
            wide = f"{self.x_at(high) - self.x_at(low):.1f}"
            found += Markup(shape).format(
                mark.style, f"{self.x_at(low):.1f}", top, wide, floor - top, mark.texts[0]
            )
        value = float(mark.x[0])
        if np.isfinite(value):
            at = f"{self.x_at(value):.1f}"
            shape = '<line class="rule {}" x1="{}" x2="{}" y1="{}" y2="{}"/>'
            found += Markup(shape).format(mark.style, at, at, top, floor)
        return found

    def axes(self) -> Markup:
        """Both axes with ticks and labels."""
        chart, floor = self.chart, self.height - _BOTTOM
        parts = []
        line = Markup('<line class="{}" x1="{}" x2="{}" y1="{}" y2="{}"/>')
        text = Markup('<text class="tick" x="{}" y="{}" text-anchor="{}">{}</text>')
        right = WIDTH - _RIGHT
        for value in ticks(chart.y_low, chart.y_high, 5, fewest=3):
            at = f"{self.y_at(value):.1f}"
            parts.append(line.format("grid", _LEFT, right, at, at))
            low = f"{self.y_at(value) + 3.6:.1f}"
            parts.append(text.format(_LEFT - 6, low, "end", tick(value)))
        parts.append(line.format("axis", _LEFT, right, floor, floor))
        for value in ticks(chart.x_low, chart.x_high, 6, fewest=3):
            at = f"{self.x_at(value):.1f}"
            parts.append(line.format("axis", at, at, floor, floor + 4))
            parts.append(text.format(at, floor + 16, "middle", tick(value)))
        middle = (_TOP + floor) / 2
        label = Markup('<text class="label" x="{}" y="{}" text-anchor="middle"{}>{}</text>')
        centre = (_LEFT + right) / 2
        parts.append(label.format(centre, self.height - 6, "", escape(chart.x_label)))
        turn = Markup(' transform="rotate(-90 12 {})"').format(middle)
        parts.append(label.format(12, middle, turn, escape(chart.y_label)))
        return Markup("").join(parts)


def panel_svg(grid: Grid, panel: Panel) -> Markup:
    """One picture of a grid as an ``svg`` element.

    Parameters
    ----------
    grid
        The grid that it belongs to.
    panel
        The picture.

    Returns
    -------
    markupsafe.Markup
        The element, as wide as the grid says, with its title above.
    """
    top, high = 16.0, grid.wide * grid.tall
    parts = [
        Markup('<text x="0" y="11">{}</text>').format(panel.title),
        Markup('<rect class="gap" x="0" y="{}" width="{}" height="{}"/>').format(
            f"{top:g}", f"{grid.wide:g}", f"{high:g}"
        ),
        Markup(
            '<image x="0" y="{}" width="{}" height="{}" preserveAspectRatio="none" href="{}"{}/>'
        ).format(
            f"{top:g}",
            f"{grid.wide:g}",
            f"{high:g}",
            png_uri(panel.values, grid.colours),
            Markup(' data-key="{}"').format(panel.key) if panel.key else "",
        ),
    ]
    n = max(panel.values.shape[1], 1)
    bottom = top + high
    if panel.curve is not None:
        parts.append(_curve(panel.curve, bottom + 3, 24.0, grid.wide))
        bottom += 27
    for start in panel.starts:
        at = f"{grid.wide * start / n:.1f}"
        line = Markup('<line class="part" x1="{}" x2="{}" y1="{}" y2="{}"/>')
        parts.append(line.format(at, at, f"{top:g}", f"{bottom:g}"))
    if any(grid.ends):
        text = Markup('<text class="tick" x="{}" y="{}" text-anchor="{}">{}</text>')
        parts.append(text.format("0", f"{bottom + 11:g}", "start", grid.ends[0]))
        parts.append(text.format(f"{grid.wide:g}", f"{bottom + 11:g}", "end", grid.ends[1]))
        bottom += 13
    words = f"{panel.title}: {plain_shape(panel)}{'; ' + panel.note if panel.note else ''}"
    shape = '<svg class="chart panel" role="img" viewBox="0 0 {} {}" aria-label="{}">{}</svg>'
    return Markup(shape).format(f"{grid.wide:g}", f"{bottom + 3:g}", words, Markup("").join(parts))


def plain_shape(panel: Panel) -> str:
    """How many rows and columns a picture has, in words."""
    rows, columns = panel.values.shape
    return f"{number(rows)} rows, {number(columns)} columns"


def _curve(curve: np.ndarray, top: float, high: float, wide: float) -> Markup:
    """A mean below a picture, as steps."""
    steps, broken, n = [], True, curve.size
    for i, value in enumerate(curve):
        if not np.isfinite(value):
            broken = True
            continue
        at = top + high * (1 - float(np.clip(value, 0, 1)))
        steps.append(f"{'M' if broken else 'L'}{wide * i / n:.1f} {at:.1f}")
        steps.append(f"L{wide * (i + 1) / n:.1f} {at:.1f}")
        broken = False
    floor = f"{top + high:g}"
    axis = Markup('<line class="axis" x1="0" x2="{}" y1="{}" y2="{}"/>')
    path = Markup('<path class="curve" d="{}"/>').format("".join(steps)) if steps else Markup("")
    return axis.format(f"{wide:g}", floor, floor) + path


def forest_svg(forest: Forest, title: str) -> Markup:
    """Estimates with intervals as one ``svg`` element.

    Parameters
    ----------
    forest
        What is drawn. An interval that is far wider than the estimates lie apart ends in an arrow.
    title
        What the whole shows.

    Returns
    -------
    markupsafe.Markup
        The element.
    """
    left, step = 158.0, 13.0
    tall = [step * len(groups) + 12 for _, groups in forest.rows]
    height = sum(tall) + _TOP + _BOTTOM
    low, high = forest_limits(forest)

    def at(value: float) -> float:
        return left + (WIDTH - _RIGHT - left) * (min(max(value, low), high) - low) / (high - low)

    line = Markup('<line class="{}" x1="{}" x2="{}" y1="{}" y2="{}"/>')
    text = Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>')
    floor = height - _BOTTOM
    parts = [line.format("grid zero", f"{at(0):.1f}", f"{at(0):.1f}", _TOP, floor)]
    for value in ticks(low, high, 5):
        parts.append(line.format("axis", f"{at(value):.1f}", f"{at(value):.1f}", floor, floor + 4))
        parts.append(text.format("tick", f"{at(value):.1f}", floor + 16, "middle", tick(value)))
    parts.append(line.format("axis", left, WIDTH - _RIGHT, floor, floor))
    parts.append(text.format("label", (left + WIDTH) / 2, height - 6, "middle", forest.label))
    words, y = [], _TOP
    for (name, groups), size in zip(forest.rows, tall, strict=True):
        lines = broken(name, 25)
        for i, part in enumerate(lines):
            here = y + size / 2 + 4 + 12 * (i - (len(lines) - 1) / 2)
            parts.append(text.format("label", left - 8, f"{here:g}", "end", part))
        for k, (group, style, estimate, first, last) in enumerate(groups):
            here_y = f"{y + 12 + step * k:.1f}"
            if not np.isfinite(estimate):
                continue
            tip = f"{group}, {name}: {number(estimate)} [{number(first)}, {number(last)}]"
            words.append(tip)
            if np.isfinite(first) and np.isfinite(last):
                ends_at = f"{at(first):.1f}", f"{at(last):.1f}"
                parts.append(line.format(f"bar {style}", *ends_at, here_y, here_y))
                for end, beyond, arrow in ((first, first < low, "‹"), (last, last > high, "›")):
                    if beyond:
                        up = f"{float(here_y) + 4:.1f}"
                        where = f"{at(end):.1f}"
                        parts.append(text.format(f"more {style}", where, up, "middle", arrow))
            dot = Markup('<circle class="dot {}" cx="{}" cy="{}" r="3.6" data-tip="{}"/>')
            parts.append(dot.format(style, f"{at(estimate):.1f}", here_y, tip))
        y += size
    shape = Markup('<svg class="chart" role="img" viewBox="0 0 {} {}" aria-label="{}">{}</svg>')
    return shape.format(
        f"{WIDTH:g}", f"{height:g}", f"{title}. {'; '.join(words)}", Markup("").join(parts)
    )


def small_svg(drawing: Multiples, one: Small) -> Markup:
    """One small chart as an ``svg`` element, 120 units wide.

    Parameters
    ----------
    drawing
        What it is one of, which has the axes.
    one
        The chart.

    Returns
    -------
    markupsafe.Markup
        The element; a long title is cut, and said in full to those who do not see it.
    """
    wide, high, left, top, floor = 120.0, 84.0, 27.0, 17.0, 74.0
    (x_low, x_high), (y_low, y_high) = drawing.x_ends, drawing.y_ends

    def x_at(value: float) -> float:
        return left + (wide - 3 - left) * (value - x_low) / (x_high - x_low)

    def y_at(value: float) -> float:
        return floor - (floor - top) * (value - y_low) / (y_high - y_low)

    text = Markup('<text class="tick small" x="{}" y="{}" text-anchor="{}">{}</text>')
    line = Markup('<line class="{}" x1="{}" x2="{}" y1="{}" y2="{}"/>')
    parts = [Markup('<text class="small" x="0" y="9">{}</text>').format(shortened(one.title, 25))]
    parts.append(line.format("axis", f"{left:g}", f"{wide - 3:g}", f"{floor:g}", f"{floor:g}"))
    for value in _ends(y_low, y_high):
        at = y_at(value)
        parts.append(line.format("grid", f"{left:g}", f"{wide - 3:g}", f"{at:.1f}", f"{at:.1f}"))
        parts.append(text.format(f"{left - 3:g}", f"{at + 3:.1f}", "end", tick(value)))
    for value, word in drawing.x_ticks:
        parts.append(text.format(f"{x_at(value):.1f}", f"{floor + 9:g}", "middle", word))
    plain_ends = () if drawing.x_ticks else _ends(x_low, x_high)
    for value, anchor in zip(plain_ends, ("middle", "end"), strict=False):
        parts.append(text.format(f"{x_at(value):.1f}", f"{floor + 9:g}", anchor, tick(value)))
    for mark in one.marks:
        points = [
            (x_at(a), y_at(b))
            for a, b in zip(mark.x, mark.y, strict=True)
            if np.isfinite(a) and np.isfinite(b)
        ]
        if mark.kind == "line" and len(points) > 1:
            path = "L".join(f"{a:.1f} {b:.1f}" for a, b in points)
            parts.append(Markup('<path class="line slim {}" d="M{}"/>').format(mark.style, path))
        elif mark.kind == "points":
            dot = Markup('<circle class="dot {}" cx="{}" cy="{}" r="{}"/>')
            parts += [
                dot.format(mark.style, f"{a:.1f}", f"{b:.1f}", mark.radius) for a, b in points
            ]
    words = f"{one.title}: {one.note}" if one.note else one.title
    shape = '<svg class="chart panel" role="img" viewBox="0 0 {} {}" aria-label="{}">{}</svg>'
    return Markup(shape).format(f"{wide:g}", f"{high:g}", words, Markup("").join(parts))


def _ends(low: float, high: float) -> list[float]:
    """The first and the last round value on an axis."""
    found = ticks(low, high, 3, fewest=2)
    return [found[0], found[-1]] if len(found) > 1 else found


def shortened(text: str, most: int) -> str:
    """A text of at most so many letters."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def ways_svg(ways: Ways, description: str) -> Markup:
    """A specification curve as one ``svg`` element: answers above, what was chosen below.

    Parameters
    ----------
    ways
        What is drawn.
    description
        For those who do not see it.

    Returns
    -------
    markupsafe.Markup
        The element.
    """
    left, curve, row = 122.0, 168.0, 11.0
    n = max(len(ways.estimate), 1)
    step = (WIDTH - _RIGHT - left) / n
    low, high = ways_limits(ways)

    def x_at(i: int) -> float:
        return left + step * (i + 0.5)

    def y_at(value: float) -> float:
        inside = (min(max(value, low), high) - low) / (high - low)
        return curve - (curve - _TOP) * inside

    line = Markup('<line class="{}" x1="{}" x2="{}" y1="{}" y2="{}"/>')
    text = Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>')
    parts = []
    right = f"{WIDTH - _RIGHT:g}"
    for value in ticks(low, high, 5):
        at = f"{y_at(value):.1f}"
        how = "grid zero" if abs(value) < 1e-12 else "grid"
        parts.append(line.format(how, f"{left:g}", right, at, at))
        parts.append(
            text.format("tick", f"{left - 6:g}", f"{y_at(value) + 3.6:.1f}", "end", tick(value))
        )
    for i, label in enumerate(broken(ways.label, 15)):
        parts.append(text.format("label", "0", f"{_TOP + 12 + 13 * i:g}", "start", label))
    styles = list(dict.fromkeys(ways.styles))
    for style in styles:
        path = "".join(
            f"M{x_at(i):.1f} {y_at(ways.low[i]):.1f}V{y_at(ways.high[i]):.1f}"
            for i in range(len(ways.estimate))
            if ways.styles[i] == style and np.isfinite([ways.low[i], ways.high[i]]).all()
        )
        if path:
            shape = Markup('<path class="bar slim {}" style="opacity:.5" d="{}"/>')
            parts.append(shape.format(style, path))
    radius = f"{min(3.0, max(0.9, 0.42 * step)):.2f}"
    dot = Markup(
        '<circle class="dot {}" style="stroke:none" cx="{}" cy="{}" r="{}" data-tip="{}"/>'
    )
    for i, (value, tip) in enumerate(zip(ways.estimate, ways.tips, strict=True)):
        if np.isfinite(value):
            where = f"{x_at(i):.1f}", f"{y_at(value):.1f}"
            parts.append(dot.format(ways.styles[i], *where, radius, tip))
        else:
            cross = Markup(
                '<text class="tick" x="{}" y="{}" text-anchor="middle" data-tip="{}">×</text>'
            )
            parts.append(cross.format(f"{x_at(i):.1f}", f"{curve - 2:g}", tip))
    y = curve + 12
    for name, levels in ways.choices:
        parts.append(text.format("label", "0", f"{y + 4:g}", "start", name))
        y += row + 3
        for label, chosen in levels:
            words = shortened(label, 24)
            parts.append(text.format("tick small", f"{left - 6:g}", f"{y + 3:g}", "end", words))
            for style in styles:
                path = "".join(
                    f"M{x_at(i):.1f} {y - 3.5:g}v7"
                    for i in map(int, np.flatnonzero(chosen))
                    if ways.styles[i] == style
                )
                if path:
                    shape = Markup('<path class="bar {}" style="stroke-width:{}" d="{}"/>')
                    parts.append(shape.format(style, f"{min(4.0, max(0.6, 0.8 * step)):.2f}", path))
            y += row
        y += 5
    whole = '<svg class="chart" role="img" viewBox="0 0 {} {}" aria-label="{}">{}</svg>'
    return Markup(whole).format(f"{WIDTH:g}", f"{y:g}", description, Markup("").join(parts))


def ways_limits(ways: Ways) -> tuple[float, float]:
    """Ends of the axis of answers; intervals that are far wider than these differ are cut."""
    good = ways.estimate[np.isfinite(ways.estimate)]
    if not good.size:
        return -1.0, 1.0
    spread = max(float(np.ptp(good)), float(np.abs(good).max()), 1e-12)
    ends = np.concatenate([ways.low, ways.high])
    ends = np.clip(ends[np.isfinite(ends)], good.min() - 1.5 * spread, good.max() + 1.5 * spread)
    return limits(np.concatenate([good, ends, [0.0]]), 0.05, False)


def forest_limits(forest: Forest) -> tuple[float, float]:
    """Ends of the axis of estimates, wide enough for half of the intervals."""
    estimates = np.array([group[2] for _, groups in forest.rows for group in groups])
    ends = np.array([end for _, groups in forest.rows for group in groups for end in group[3:]])
    good = estimates[np.isfinite(estimates)]
    spread = max(float(np.ptp(good)), float(np.abs(good).max()), 1e-12)
    wide = np.array([group[4] - group[3] for _, groups in forest.rows for group in groups]) / 2
    if np.isfinite(wide).any():  # half of the intervals are to be seen whole
        spread = max(spread, float(np.nanmedian(wide[np.isfinite(wide)])))
    ends = np.clip(ends, good.min() - 1.5 * spread, good.max() + 1.5 * spread)
    return limits(np.concatenate([good, ends, [0.0]]), 0.05, False)


def broken(text: str, most: int) -> list[str]:
    """A text in lines of at most so many letters, where its words allow it."""
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > most:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def ticks(low: float, high: float, n: int, fewest: int = 1) -> list[float]:
    """Round values between two ends, about `n` of them, and `fewest` at least.

    Examples
    --------
    >>> from neurodrift.report.svg import ticks
    >>> ticks(2, 85, 3), ticks(2, 85, 3, fewest=2)
    ([50.0], [25.0, 50.0, 75.0])
    """
    found = _round_values(low, high, n)
    for more in range(n + 1, 4 * n):
        if len(found) >= fewest:
            break
        found = _round_values(low, high, more)
    return found


def _round_values(low: float, high: float, n: int) -> list[float]:
    rough = (high - low) / n
    base = 10.0 ** np.floor(np.log10(rough))
    step = base * next(factor for factor in (1, 2, 2.5, 5, 10) if factor * base >= rough * 0.999)
    first, last = np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9)
    return [float(step * k) for k in np.arange(first, last + 1)]


def tick(value: float) -> str:
    """A tick's number, thousands and millions as k and M."""
    value = round(value, 12) + 0.0  # no minus zero
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size and (size > 1e3 or abs(value) >= 1e4):
            return f"{value / size:g}{letter}".replace("-", "−")
    if value != 0 and abs(value) < 1e-3:
        return number(value, 2)
    return f"{value:g}".replace("-", "−")
