"""Every figure of a report for a paper: one file a panel, text that can be edited, numbers beside.

A chart is 85 mm wide, a row of maps 180 mm. In SVG text is text, in PDF it is a TrueType font, so
that a program for drawings changes both.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from neurodrift.io.csv import csv_text
from neurodrift.report.chart import Chart, Figure, Forest, Grid, Mark
from neurodrift.report.comparison import comparison_section
from neurodrift.report.decay import decay_figures
from neurodrift.report.examples import example_figures
from neurodrift.report.images import GAP, STATES, palette, picture_codes
from neurodrift.report.maps import sorted_figure
from neurodrift.report.phases import phases_section
from neurodrift.report.recorded import registration_figure
from neurodrift.report.series import main_figures, other_figures
from neurodrift.report.svg import LIGHT, broken, forest_limits, tick, ticks
from neurodrift.report.tables import file_stem
from neurodrift.report.view import View, views

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as MatplotlibFigure

NARROW, WIDE = 85.0, 180.0
"""Width of a chart and of a row of maps [mm]: one column of a journal, and two."""

_MM = 1 / 25.4
_ABOUT = "README.txt"
_MADE = "Figures of neurodrift report --figures"
_FONT: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "neurodrift",
    "pdf.fonttype": 42,
    "font.family": "sans-serif",
    "font.sans-serif": ["Arial", "Helvetica", "DejaVu Sans"],
    "font.size": 7,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
}
_COLOURS = LIGHT | STATES


def figures_of(view: View) -> list[Figure]:
    """Every figure of a recording, in the order of the page.

    Parameters
    ----------
    view
        Results of one recording.

    Returns
    -------
    list of Figure
        Measures against each predictor among them.
    """
    found = [registration_figure(view), sorted_figure(view, np.arange(view.n_units))]
    figures = [figure for figure in found if figure is not None]
    figures += [*example_figures(view), *decay_figures(view)]
    if len(view.sessions) > 1:
        for predictor in view.predictors or [view.main_predictor]:
            figures += [*main_figures(view, predictor), *other_figures(view, predictor)]
    phases = phases_section(view)
    return figures + ([] if phases is None else list(phases["figures"]))


def write_figures(results: Any, folder: Path, *, comparison: xr.Dataset | None = None) -> None:
    """Write SVG, PDF and CSV of every figure into a folder.

    Parameters
    ----------
    results, comparison
        As for :class:`neurodrift.Report`.
    folder
        Where to write; it is made. Several recordings have a folder each.
    """
    from matplotlib import rc_context

    folder.mkdir(parents=True)
    (folder / _ABOUT).write_text(
        f"{_MADE}. Each panel is an SVG and a PDF whose text can be edited, and a CSV with its "
        "numbers.\n",
        encoding="utf-8",
    )
    found = views(results)
    sets = [(view.name, figures_of(view)) for view in found]
    beside = comparison_section(comparison)
    if beside is not None:
        sets.append(("comparison", [*beside["figures"], *beside["forests"]]))
    taken: set[str] = set()
    for i, (name, figures) in enumerate(sets, start=1):
        stem = file_stem(name)
        if stem in taken:
            stem = f"{stem}-{i}"
        taken.add(stem)
        into = folder if len(sets) == 1 else folder / stem
        into.mkdir(exist_ok=True)
        for figure in figures:
            with rc_context(_FONT), _quiet():
                drawn = draw(figure)
                for suffix, about in (("svg", {"Date": None}), ("pdf", {"CreationDate": None})):
                    path = into / f"{figure.name}.{suffix}"
                    drawn.savefig(path, format=suffix, metadata=about)
            text = csv_text(figure.frame, float_format="%.10g")
            (into / f"{figure.name}.csv").write_text(text, encoding="utf-8")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without messages on fonts that are not installed: the next of the list is taken."""
    import logging

    logger = logging.getLogger("matplotlib.font_manager")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def is_figures(path: Path) -> bool:
    """Whether a folder holds nothing but figures that :func:`write_figures` made."""
    about = path / _ABOUT
    if not (path.is_dir() and about.is_file()):
        return False
    if not about.read_text(encoding="utf-8", errors="replace").startswith(_MADE):
        return False
    files = [item for item in path.rglob("*") if item.is_file() and item != about]
    return all(item.suffix in (".svg", ".pdf", ".csv") for item in files)


def draw(figure: Figure) -> MatplotlibFigure:
    """A figure of a report by matplotlib.

    Parameters
    ----------
    figure
        The figure.

    Returns
    -------
    matplotlib.figure.Figure
        85 mm wide for charts, up to 180 mm for pictures side by side.
    """
    from matplotlib.figure import Figure as Blank

    drawing = figure.drawing
    if isinstance(drawing, Grid):
        return _draw_grid(figure, drawing)
    high = 55.0
    if isinstance(drawing, Forest):
        high = 22.0 + sum(4.0 * len(groups) + 3.5 for _, groups in drawing.rows)
    blank = Blank(figsize=(NARROW * _MM, high * _MM), layout="constrained")
    axes = blank.subplots()
    if isinstance(drawing, Forest):
        _draw_forest(axes, drawing)
    else:
        _draw_chart(axes, drawing)
    _draw_legend(axes, figure)
    axes.set_title(figure.title, fontsize=7, loc="left")
    return blank


def _colour(style: str) -> str:
    return next((_COLOURS[word] for word in style.split() if word in _COLOURS), LIGHT["ink"])


def _draw_legend(axes: Axes, figure: Figure) -> None:
    from matplotlib.lines import Line2D

    if len(figure.legend) > 1:
        lines = [Line2D([], [], color=_colour(style), lw=1.2) for _, style in figure.legend]
        names = [name for name, _ in figure.legend]
        axes.legend(lines, names, frameon=False, fontsize=6)


def _draw_chart(axes: Axes, chart: Chart) -> None:
    for mark in chart.marks:
        _draw_mark(axes, chart, mark)
    axes.set_xlim(chart.x_low, chart.x_high)
    axes.set_ylim(chart.y_low, chart.y_high)
    for axis, low, high, n in (
        (axes.xaxis, chart.x_low, chart.x_high, 6),
        (axes.yaxis, chart.y_low, chart.y_high, 5),
    ):
        at = ticks(low, high, n)
        axis.set_ticks(at, [tick(value) for value in at])
    axes.set_xlabel(chart.x_label)
    axes.set_ylabel(chart.y_label)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_mark(axes: Axes, chart: Chart, mark: Mark) -> None:
    colour, words = _colour(mark.style), mark.style.split()
    dashes = "--" if "dashed" in words else ":" if "dotted" in words else "-"
    if mark.kind == "line":
        thin = "thin" in words
        axes.plot(mark.x, mark.y, color=colour, lw=0.6 if thin else 1.2, alpha=0.5 if thin else 1)
    elif mark.kind == "band":
        axes.fill_between(mark.x, mark.low, mark.high, color=colour, alpha=0.15, lw=0)
    elif mark.kind == "points":
        hollow, faint = "hollow" in words, "faint" in words
        axes.plot(
            mark.x,
            mark.y,
            "o",
            color=colour,
            markerfacecolor="white" if hollow else colour,
            markeredgewidth=0.8 if hollow else 0,
            markersize=mark.radius * 1.1,
            alpha=0.55 if faint else 1,
            zorder=3,
        )
    elif mark.kind == "level":
        axes.axhline(float(mark.y[0]), color=colour, lw=0.9, ls=dashes)
        if mark.texts[0]:
            axes.annotate(
                mark.texts[0],
                (1, float(mark.y[0])),
                xycoords=("axes fraction", "data"),
                ha="right",
                va="bottom",
                color=colour,
                fontsize=6,
            )
    else:
        low, high = (
            float(np.clip(end[0], chart.x_low, chart.x_high)) for end in (mark.low, mark.high)
        )
        if np.isfinite(low) and np.isfinite(high):
            axes.axvspan(low, high, color=colour, alpha=0.13, lw=0)
        if np.isfinite(mark.x[0]):
            axes.axvline(float(mark.x[0]), color=colour, lw=0.9)


def _draw_forest(axes: Axes, forest: Forest) -> None:
    low, high = forest_limits(forest)
    axes.axvline(0.0, color=LIGHT["soft"], lw=0.6, ls="--")
    names = []
    for i, (name, groups) in enumerate(forest.rows):
        names.append("\n".join(broken(name, 26)))
        for k, (_, style, estimate, first, last) in enumerate(groups):
            at = i + 0.22 * (k - (len(groups) - 1) / 2)
            if not np.isfinite(estimate):
                continue
            if np.isfinite(first) and np.isfinite(last):
                ends = np.clip([first, last], low, high)
                axes.plot(ends, [at, at], color=_colour(style), lw=1.0)
                for end, beyond, arrow in (
                    (ends[0], first < low, "<"),
                    (ends[1], last > high, ">"),
                ):
                    if beyond:
                        axes.plot([end], [at], arrow, color=_colour(style), markersize=3)
            axes.plot([estimate], [at], "o", color=_colour(style), markersize=3.4)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(low, high)
    axes.set_xlabel(forest.label)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_grid(figure: Figure, grid: Grid) -> MatplotlibFigure:
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure as Blank

    n = max(len(panels) for _, panels in grid.rows)
    wide = min(WIDE, max(NARROW, 24.0 * n))
    cell = wide / n
    curves = any(panel.curve is not None for _, panels in grid.rows for panel in panels)
    high = len(grid.rows) * (cell * grid.tall + (9.0 if curves else 4.0) + 6.0) + 14.0
    blank = Blank(figsize=(wide * _MM, high * _MM), layout="constrained")
    blank.suptitle(figure.title, fontsize=7, x=0.01, ha="left")
    ratios = [1.0, 0.3] if curves else [1.0]
    axes = np.array(
        blank.subplots(
            len(grid.rows) * len(ratios),
            n,
            squeeze=False,
            gridspec_kw={"height_ratios": ratios * len(grid.rows)},
        )
    )
    colours = ListedColormap(palette(grid.colours)[:255] / 255)
    image: Any = None
    for i, (name, panels) in enumerate(grid.rows):
        for k in range(n):
            top = axes[i * len(ratios), k]
            below = axes[i * len(ratios) + 1, k] if curves else None
            if k >= len(panels):
                for axis in filter(None, (top, below)):
                    axis.set_axis_off()
                continue
            panel = panels[k]
            codes = picture_codes(panel.values, grid.colours).astype(float)
            codes[codes == GAP] = np.nan
            top.set_facecolor(LIGHT["gap"])
            if codes.size:
                image = top.imshow(
                    codes, aspect="auto", cmap=colours, vmin=0, vmax=254, interpolation="nearest"
                )
            for start in panel.starts:
                top.axvline(start - 0.5, color="white", lw=0.8)
            top.set_title(panel.title, fontsize=6)
            top.set_xticks([])
            top.set_yticks([])
            last = below or top
            if below is not None and panel.curve is not None:
                at = np.arange(panel.curve.size + 1)
                below.stairs(np.nan_to_num(panel.curve), at, color=LIGHT["ink"], lw=0.7)
                below.set_xlim(0, panel.curve.size)
                below.set_ylim(0, 1.05)
                below.set_yticks([])
                below.spines[["top", "right", "left"]].set_visible(False)
            if any(grid.ends):
                edges = last.get_xlim()
                last.set_xticks(edges, grid.ends, fontsize=5.5)
                for text, side in zip(last.get_xticklabels(), ("left", "right"), strict=True):
                    text.set_horizontalalignment(side)
                last.tick_params(axis="x", length=0)
            if k == 0:
                rows = f"{name}\n" if name else ""
                top.set_ylabel(f"{rows}{grid.y_label}", fontsize=6)
    if grid.colours == "rates" and image is not None:
        bar = blank.colorbar(image, ax=axes.ravel().tolist(), shrink=0.5, pad=0.01, aspect=18)
        bar.set_ticks([0, 254], labels=[grid.low, grid.high])
        bar.ax.tick_params(labelsize=5.5, length=0)
    elif figure.legend:
        from matplotlib.patches import Patch

        patches = [Patch(color=_colour(style), label=name) for name, style in figure.legend]
        blank.legend(
            handles=patches, loc="outside lower center", ncols=2, frameon=False, fontsize=6
        )
    return blank
