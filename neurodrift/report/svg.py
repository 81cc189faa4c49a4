"""Small line charts as SVG, coloured by the page's style sheet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup, escape

from neurodrift.report.words import number

WIDTH, HEIGHT = 360.0, 236.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 12.0, 12.0, 42.0


class Chart:
    """Axes to which marks are added; every text is escaped.

    Parameters
    ----------
    x, y
        Values that the axes must hold; those that are not finite are left out.
    x_label, y_label
        What the axes show.
    height
        Height in the units of the drawing, which is 360 wide.
    zero
        Whether the y axis starts at 0.
    """

    def __init__(
        self,
        x: np.ndarray,
        y: np.ndarray,
        *,
        x_label: str,
        y_label: str,
        height: float = HEIGHT,
        zero: bool = False,
    ) -> None:
        self.height = height
        self.x_label, self.y_label = x_label, y_label
        self.x_low, self.x_high = _limits(x, 0.04, False)
        self.y_low, self.y_high = _limits(y, 0.08, zero)
        self._marks: list[Markup] = []

    def x_at(self, value: float) -> float:
        """Place of a value along the x axis."""
        inner = WIDTH - _LEFT - _RIGHT
        return _LEFT + inner * (value - self.x_low) / (self.x_high - self.x_low)

    def y_at(self, value: float) -> float:
        """Place of a value along the y axis."""
        inner = self.height - _TOP - _BOTTOM
        return self.height - _BOTTOM - inner * (value - self.y_low) / (self.y_high - self.y_low)

    def line(self, x: np.ndarray, y: np.ndarray, style: str) -> None:
        """Join points; a value that is not finite breaks the line."""
        path, broken = [], True
        for a, b in zip(np.asarray(x, float), np.asarray(y, float), strict=True):
            if not (np.isfinite(a) and np.isfinite(b)):
                broken = True
                continue
            path.append(f"{'M' if broken else 'L'}{self.x_at(a):.1f} {self.y_at(b):.1f}")
            broken = False
        if path:
            self._add('<path class="line {}" d="{}"/>', style, "".join(path))

    def band(self, x: np.ndarray, low: np.ndarray, high: np.ndarray, style: str) -> None:
        """Fill between two curves where both are finite."""
        good = np.isfinite(x) & np.isfinite(low) & np.isfinite(high)
        if good.sum() < 2:
            return
        edge = np.concatenate([np.c_[x[good], low[good]], np.c_[x[good], high[good]][::-1]])
        edge[:, 1] = np.clip(edge[:, 1], self.y_low, self.y_high)
        points = " ".join(f"{self.x_at(a):.1f},{self.y_at(b):.1f}" for a, b in edge)
        self._add('<polygon class="band {}" points="{}"/>', style, points)

    def points(
        self, x: np.ndarray, y: np.ndarray, tips: Sequence[str], style: str, radius: float = 3.4
    ) -> None:
        """Dots, each with a text that shows when it is pointed at."""
        for a, b, tip in zip(np.asarray(x, float), np.asarray(y, float), tips, strict=True):
            if np.isfinite(a) and np.isfinite(b):
                self._add(
                    '<circle class="dot {}" cx="{}" cy="{}" r="{}" data-tip="{}"/>',
                    style,
                    f"{self.x_at(a):.1f}",
                    f"{self.y_at(b):.1f}",
                    radius,
                    tip,
                )

    def level(self, value: float, style: str, text: str = "") -> None:
        """A horizontal line with a word at its right end."""
        if not np.isfinite(value):
            return
        at = self.y_at(value)
        mark = '<line class="rule {}" x1="{}" x2="{}" y1="{}" y2="{}"/>'
        self._add(mark, style, _LEFT, WIDTH - _RIGHT, f"{at:.1f}", f"{at:.1f}")
        if text:
            label = '<text class="note {}" x="{}" y="{}" text-anchor="end">{}</text>'
            self._add(label, style, WIDTH - _RIGHT - 2, f"{at - 4:.1f}", text)

    def border(self, value: float, low: float, high: float, style: str, tip: str) -> None:
        """A vertical line with its interval shaded; ends beyond the axis are cut."""
        low, high = (float(np.clip(end, self.x_low, self.x_high)) for end in (low, high))
        top, floor = _TOP, self.height - _BOTTOM
        if np.isfinite(low) and np.isfinite(high) and high > low:
            self._add(
                '<rect class="span {}" x="{}" y="{}" width="{}" height="{}" data-tip="{}"/>',
                style,
                f"{self.x_at(low):.1f}",
                top,
                f"{self.x_at(high) - self.x_at(low):.1f}",
                floor - top,
                tip,
            )
        if np.isfinite(value) and self.x_low <= value <= self.x_high:
            at = f"{self.x_at(value):.1f}"
            mark = '<line class="rule {}" x1="{}" x2="{}" y1="{}" y2="{}"/>'
            self._add(mark, style, at, at, top, floor)

    def svg(self, title: str, description: str) -> Markup:
        """The drawing.

        Parameters
        ----------
        title, description
            For those who do not see it.

        Returns
        -------
        markupsafe.Markup
            One ``svg`` element.
        """
        marks = Markup("").join(self._marks)
        return Markup(
            '<svg class="chart" role="img" viewBox="0 0 {} {}" aria-label="{}">{}{}</svg>'
        ).format(
            f"{WIDTH:g}",
            f"{self.height:g}",
            f"{title}. {description}",
            self._axes(),
            marks,
        )

    def _add(self, mark: str, *values: object) -> None:
        self._marks.append(Markup(mark).format(*values))

    def _axes(self) -> Markup:
        floor, parts = self.height - _BOTTOM, []
        line = Markup('<line class="{}" x1="{}" x2="{}" y1="{}" y2="{}"/>')
        text = Markup('<text class="tick" x="{}" y="{}" text-anchor="{}">{}</text>')
        right = WIDTH - _RIGHT
        for value in ticks(self.y_low, self.y_high, 5):
            at = f"{self.y_at(value):.1f}"
            parts.append(line.format("grid", _LEFT, right, at, at))
            parts.append(
                text.format(_LEFT - 6, f"{self.y_at(value) + 3.6:.1f}", "end", tick(value))
            )
        parts.append(line.format("axis", _LEFT, right, floor, floor))
        for value in ticks(self.x_low, self.x_high, 6):
            at = f"{self.x_at(value):.1f}"
            parts.append(line.format("axis", at, at, floor, floor + 4))
            parts.append(text.format(at, floor + 16, "middle", tick(value)))
        middle = (_TOP + floor) / 2
        label = Markup('<text class="label" x="{}" y="{}" text-anchor="middle"{}>{}</text>')
        parts.append(label.format((_LEFT + right) / 2, self.height - 6, "", escape(self.x_label)))
        turn = Markup(' transform="rotate(-90 12 {})"').format(middle)
        parts.append(label.format(12, middle, turn, escape(self.y_label)))
        return Markup("").join(parts)


def ticks(low: float, high: float, n: int) -> list[float]:
    """Round values between two ends, about `n` of them."""
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


def _limits(values: np.ndarray, margin: float, zero: bool) -> tuple[float, float]:
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


def forest(
    rows: Sequence[tuple[str, Sequence[tuple[str, str, float, float, float]]]],
    label: str,
    title: str,
) -> Markup:
    """Estimates with intervals, one line for each quantity and group.

    Parameters
    ----------
    rows
        Name of a quantity, and for each group its name, style, estimate and both ends.
    label, title
        What the axis shows, and the whole.

    Returns
    -------
    markupsafe.Markup
        One ``svg`` element.
    """
    left, step = 158.0, 13.0
    tall = [step * len(groups) + 12 for _, groups in rows]
    height = sum(tall) + _TOP + _BOTTOM
    estimates = np.array([group[2] for _, groups in rows for group in groups])
    ends = np.array([end for _, groups in rows for group in groups for end in group[3:]])
    good = estimates[np.isfinite(estimates)]
    spread = max(float(np.ptp(good)), float(np.abs(good).max()), 1e-12)
    ends = np.clip(ends, good.min() - 1.5 * spread, good.max() + 1.5 * spread)
    low, high = _limits(np.concatenate([good, ends, [0.0]]), 0.05, False)

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
    parts.append(text.format("label", (left + WIDTH) / 2, height - 6, "middle", label))
    words, y = [], _TOP
    for (name, groups), size in zip(rows, tall, strict=True):
        parts.append(text.format("label", left - 8, y + size / 2 + 4, "end", name))
        for k, (group, style, estimate, first, last) in enumerate(groups):
            here = f"{y + 12 + step * k:.1f}"
            if not np.isfinite(estimate):
                continue
            tip = f"{group}, {name}: {number(estimate)} [{number(first)}, {number(last)}]"
            words.append(tip)
            if np.isfinite(first) and np.isfinite(last):
                ends_at = f"{at(first):.1f}", f"{at(last):.1f}"
                parts.append(line.format(f"bar {style}", *ends_at, here, here))
                for end, beyond, arrow in ((first, first < low, "‹"), (last, last > high, "›")):
                    if beyond:
                        up = f"{float(here) + 4:.1f}"
                        where = f"{at(end):.1f}"
                        parts.append(text.format(f"more {style}", where, up, "middle", arrow))
            dot = Markup('<circle class="dot {}" cx="{}" cy="{}" r="3.6" data-tip="{}"/>')
            parts.append(dot.format(style, f"{at(estimate):.1f}", here, tip))
        y += size
    shape = Markup('<svg class="chart" role="img" viewBox="0 0 {} {}" aria-label="{}">{}</svg>')
    return shape.format(
        f"{WIDTH:g}", f"{height:g}", f"{title}. {'; '.join(words)}", Markup("").join(parts)
    )
