"""Every figure of a report for a paper: one file a panel, text that can be edited, numbers beside.

A chart is 85 mm wide, a row of maps 180 mm. In SVG text is text, in PDF it is a TrueType font, so
that a program for drawings changes both.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from neurodrift.io.csv import csv_text
from neurodrift.report.behaviour import behaviour_figure
from neurodrift.report.chart import Chart, Figure, Forest, Grid, Mark, Multiples, Ways
from neurodrift.report.comparison import comparison_section
from neurodrift.report.decay import decay_figures
from neurodrift.report.decoding import decoding_figure
from neurodrift.report.examples import example_figures
from neurodrift.report.images import GAP, STATES, palette, picture_codes
from neurodrift.report.maps import sorted_figure
from neurodrift.report.phases import phases_section
from neurodrift.report.recorded import registration_figure
from neurodrift.report.relations import relations_figures
from neurodrift.report.series import main_figures, other_figures
from neurodrift.report.survival import survival_section
from neurodrift.report.svg import LIGHT, broken, forest_limits, tick, ticks, ways_limits
from neurodrift.report.tables import file_stem
from neurodrift.report.view import View, views
from neurodrift.report.within import within_figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as MatplotlibFigure

NARROW, WIDE = 85.0, 180.0
"""Width of a chart and of a row of maps [mm]: one column of a journal, and two."""

_MM = 1 / 25.4
_ABOUT = "README.txt"
_MADE = "Figures of neurodrift report --figures"
FONT: dict[Any, Any] = {
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
"""Settings of matplotlib for figures of a paper."""

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
    figures += [*relations_figures(view), *within_figures(view)]
    decoded = decoding_figure(view)
    behaved = behaviour_figure(view)
    figures += [one for one in (decoded, behaved) if one is not None]
    if len(view.sessions) > 1:
        for predictor in view.predictors or [view.main_predictor]:
            figures += [*main_figures(view, predictor), *other_figures(view, predictor)]
    survival = survival_section(view)
    figures += [] if survival is None else list(survival["figures"])
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
    sets = [(view.name, figures_of(view)) for view in views(results)]
    beside = comparison_section(comparison)
    if beside is not None:
        sets.append(("comparison", [*beside["figures"], *beside["forests"]]))
    write_sets(sets, folder)


def write_sets(sets: Sequence[tuple[str, Sequence[Figure]]], folder: Path) -> None:
    """Write SVG, PDF and CSV of figures into a folder.

    Parameters
    ----------
    sets
        Figures by the name of what they show; several have a folder each.
    folder
        Where to write; it is made.
    """
    from matplotlib import rc_context

    folder.mkdir(parents=True)
    (folder / _ABOUT).write_text(
        f"{_MADE}. Each panel is an SVG and a PDF whose text can be edited, and a CSV with its "
        "numbers.\n",
        encoding="utf-8",
    )
    taken: set[str] = set()
    for i, (name, figures) in enumerate(sets, start=1):
        stem = file_stem(name)
        if stem in taken:
            stem = f"{stem}-{i}"
        taken.add(stem)
        into = folder if len(sets) == 1 else folder / stem
        into.mkdir(exist_ok=True)
        for figure in figures:
            with rc_context(FONT), _quiet():
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


def draw(
    figure: Figure, blank: Callable[[tuple[float, float]], MatplotlibFigure] | None = None
) -> MatplotlibFigure:
    """A figure of a report by matplotlib.

    Parameters
    ----------
    figure
        The figure.
    blank
        What makes an empty figure of a size [inch]; one that nothing else knows when omitted.

    Returns
    -------
    matplotlib.figure.Figure
        85 mm wide for charts, up to 180 mm for pictures side by side.
    """
    blank = blank or _blank
    drawing = figure.drawing
    if isinstance(drawing, Grid):
        return _draw_grid(figure, drawing)
    if isinstance(drawing, Multiples):
        return _draw_multiples(figure, drawing, blank)
    if isinstance(drawing, Ways):
        return _draw_ways(figure, drawing, blank)
    high = 55.0
    if isinstance(drawing, Forest):
        high = 22.0 + sum(4.0 * len(groups) + 3.5 for _, groups in drawing.rows)
    found = blank((NARROW * _MM, high * _MM))
    axes = found.subplots()
    if isinstance(drawing, Forest):
        _draw_forest(axes, drawing)
    else:
        draw_chart(axes, drawing)
    draw_legend(axes, figure)
    axes.set_title(figure.title, fontsize=7, loc="left")
    return found


def _blank(size: tuple[float, float]) -> MatplotlibFigure:
    from matplotlib.figure import Figure as Blank

    return Blank(figsize=size, layout="constrained")


def _draw_multiples(
    figure: Figure, drawing: Multiples, blank: Callable[[tuple[float, float]], MatplotlibFigure]
) -> MatplotlibFigure:
    n = min(max(len(charts) for _, charts in drawing.rows), 6)
    lines = [
        (name if k == 0 else "", charts[k : k + n])
        for name, charts in drawing.rows
        for k in range(0, len(charts), n)
    ]
    wide = min(WIDE, max(NARROW, 30.0 * n))
    found = blank((wide * _MM, (10.0 + 26.0 * len(lines)) * _MM))
    found.suptitle(figure.title, fontsize=7, x=0.01, ha="left")
    axes = found.subplots(len(lines), n, squeeze=False, sharex=True, sharey=True)
    for (name, charts), line in zip(lines, axes, strict=True):
        for i, axis in enumerate(line):
            if i >= len(charts):
                axis.set_axis_off()
                continue
            for mark in charts[i].marks:
                _draw_mark(axis, drawing.x_ends, mark)
            axis.set_title(charts[i].title, fontsize=6)
            axis.spines[["top", "right"]].set_visible(False)
            axis.tick_params(labelsize=5.5)
        line[0].set_ylabel(f"{name}\n{drawing.y_label}" if name else drawing.y_label, fontsize=6)
    axes[0, 0].set_xlim(*drawing.x_ends)
    axes[0, 0].set_ylim(*drawing.y_ends)
    for axis, ends in ((axes[0, 0].xaxis, drawing.x_ends), (axes[0, 0].yaxis, drawing.y_ends)):
        at = ticks(*ends, 3, fewest=2)
        axis.set_ticks(at, [tick(value) for value in at])
    if drawing.x_ticks:
        axes[0, 0].xaxis.set_ticks(*map(list, zip(*drawing.x_ticks, strict=True)))
    if len(figure.legend) > 1:
        found.legend(
            *_legend(figure), loc="outside lower center", ncols=3, frameon=False, fontsize=6
        )
    found.supxlabel(drawing.x_label, fontsize=6)
    return found


def _draw_ways(
    figure: Figure, ways: Ways, blank: Callable[[tuple[float, float]], MatplotlibFigure]
) -> MatplotlibFigure:
    rows = [(name, *level) for name, levels in ways.choices for level in levels]
    found = blank((1.4 * NARROW * _MM, (62.0 + 3.2 * len(rows)) * _MM))
    top, below = found.subplots(
        2, 1, sharex=True, gridspec_kw={"height_ratios": [50.0, 3.2 * max(len(rows), 1)]}
    )
    at = np.arange(len(ways.estimate), dtype=float)
    low, high = ways_limits(ways)
    top.axhline(0, color=LIGHT["soft"], lw=0.6, ls="--")
    size = float(np.clip(120.0 / max(at.size, 1), 0.8, 3.4))
    for style in dict.fromkeys(ways.styles):
        own = np.array([one == style for one in ways.styles])
        colour = _colour(style)
        top.vlines(at[own], ways.low[own], ways.high[own], color=colour, lw=0.5, alpha=0.5)
        top.plot(at[own], ways.estimate[own], "o", color=colour, markersize=size)
        for i, (_, _, chosen) in enumerate(rows):
            where = at[own & chosen]
            below.plot(where, np.full(where.size, i), "|", color=colour, markersize=4)
    failed = ~np.isfinite(ways.estimate)
    top.plot(at[failed], np.full(failed.sum(), low), "x", color=LIGHT["faint"], markersize=size)
    top.set_ylim(low, high)
    top.set_ylabel(ways.label)
    top.set_title(figure.title, fontsize=7, loc="left")
    top.spines[["top", "right", "bottom"]].set_visible(False)
    top.tick_params(axis="x", length=0)
    names = [
        f"{name}: {label}" if i == 0 or rows[i - 1][0] != name else label
        for i, (name, label, _) in enumerate(rows)
    ]
    below.set_yticks(range(len(rows)), names, fontsize=5.5)
    below.set_ylim(len(rows) - 0.5, -0.5)
    below.set_xticks([])
    for side in below.spines.values():
        side.set_visible(False)
    below.tick_params(length=0)
    found.legend(*_legend(figure), loc="outside lower center", ncols=3, frameon=False, fontsize=6)
    return found


def _colour(style: str) -> str:
    return next((_COLOURS[word] for word in style.split() if word in _COLOURS), LIGHT["ink"])


def draw_legend(axes: Axes, figure: Figure) -> None:
    """Names of what is drawn, where there are several."""
    if len(figure.legend) > 1:
        axes.legend(*_legend(figure), frameon=False, fontsize=6)


def _legend(figure: Figure) -> tuple[list[Any], list[str]]:
    from matplotlib.lines import Line2D

    lines = [Line2D([], [], color=_colour(style), lw=1.2) for _, style in figure.legend]
    return lines, [name for name, _ in figure.legend]


def draw_chart(axes: Axes, chart: Chart) -> None:
    """A chart of a report into axes of matplotlib."""
    for mark in chart.marks:
        _draw_mark(axes, (chart.x_low, chart.x_high), mark)
    axes.set_xlim(chart.x_low, chart.x_high)
    axes.set_ylim(chart.y_low, chart.y_high)
    for axis, low, high, n in (
        (axes.xaxis, chart.x_low, chart.x_high, 6),
        (axes.yaxis, chart.y_low, chart.y_high, 5),
    ):
        at = ticks(low, high, n, fewest=3)
        axis.set_ticks(at, [tick(value) for value in at])
    axes.set_xlabel(chart.x_label)
    axes.set_ylabel(chart.y_label)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_mark(axes: Axes, ends: tuple[float, float], mark: Mark) -> None:
    colour, words = _colour(mark.style), mark.style.split()
    dashes = "--" if "dashed" in words else ":" if "dotted" in words else "-"
    if mark.kind == "line":
        thin = "thin" in words
        style: dict[str, Any] = {
            "lw": 0.6 if thin else 1.2,
            "alpha": 0.5 if thin else 1,
            "ls": dashes,
        }
        axes.plot(mark.x, mark.y, color=colour, **style)
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
        low, high = (float(np.clip(end[0], *ends)) for end in (mark.low, mark.high))
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
            face = "white" if "hollow" in style.split() else _colour(style)
            axes.plot(
                [estimate], [at], "o", color=_colour(style), markerfacecolor=face, markersize=3.4
            )
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
