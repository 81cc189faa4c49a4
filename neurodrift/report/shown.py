"""Figures as the template of the page takes them, each with its three downloads."""

from __future__ import annotations

import base64
import gzip
from typing import Any

from markupsafe import Markup

from neurodrift.io.csv import csv_text
from neurodrift.report.chart import Chart, Figure, Forest, Grid, Multiples, Ways
from neurodrift.report.images import palette
from neurodrift.report.svg import chart_svg, forest_svg, panel_svg, small_svg, ways_svg
from neurodrift.report.tables import Table, file_name, file_stem


def shown(figure: Figure, key: str, owner: str) -> dict[str, Any]:
    """What the template needs of a figure.

    Parameters
    ----------
    figure
        The figure.
    key
        Identifier of the recording in the page.
    owner
        Name of the recording, for the files.

    Returns
    -------
    dict
        ``id``, ``file``, ``title``, ``caption``, ``notes``, ``legend``, ``packed`` (CSV), and
        ``svg`` of a chart or ``grid`` of pictures.
    """
    found: dict[str, Any] = {
        "id": f"{key}-fig-{figure.name}",
        "file": f"{file_stem(owner)}-{figure.name}",
        "title": figure.title,
        "caption": figure.caption,
        "notes": list(figure.notes),
        "legend": list(figure.legend),
        "packed": packed(csv_text(figure.frame, float_format="%.10g")),
        "svg": None,
        "grid": None,
    }
    drawing = figure.drawing
    if isinstance(drawing, Chart):
        found["svg"] = chart_svg(drawing, figure.title, figure.caption)
    elif isinstance(drawing, Forest):
        found["svg"] = forest_svg(drawing, figure.title)
    elif isinstance(drawing, Ways):
        found["svg"] = ways_svg(drawing, f"{figure.title}. {figure.caption}")
    elif isinstance(drawing, Multiples):
        found["grid"] = _multiples(drawing)
    else:
        found["grid"] = _grid(drawing)
    return found


def _multiples(drawing: Multiples) -> dict[str, Any]:
    link = Markup('{} <a href="{}">report</a>')
    rows = [
        (
            name,
            [
                (small_svg(drawing, one), link.format(one.note, one.link) if one.link else one.note)
                for one in charts
            ],
        )
        for name, charts in drawing.rows
    ]
    return {"rows": rows, "n": max(len(charts) for _, charts in drawing.rows), "colours": "none"}


def _grid(grid: Grid) -> dict[str, Any]:
    rows = [
        (name, [(panel_svg(grid, panel), panel.note) for panel in panels])
        for name, panels in grid.rows
    ]
    return {
        "rows": rows,
        "n": max(len(panels) for _, panels in rows),
        "low": grid.low,
        "high": grid.high,
        "colours": grid.colours,
        "y_label": grid.y_label,
    }


def download(key: str, table: Table, name: str = "comparison") -> dict[str, Any]:
    """What the template needs of a table that is downloaded.

    Parameters
    ----------
    key
        Identifier of its owner in the page.
    table
        The table.
    name
        Name of its owner, for the file.

    Returns
    -------
    dict
        ``id``, ``file``, ``title``, ``rows``, ``columns``, ``note``, ``packed`` (CSV).
    """
    return {
        "id": f"{key}-table-{table.name}",
        "file": file_name(name, table.name),
        "title": table.title,
        "rows": len(table.frame),
        "columns": len(table.frame.columns),
        "note": table.note,
        "packed": table.compressed(),
    }


def packed(text: str) -> str:
    """A text by gzip without a time, in base64."""
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def gradient(colours: str) -> str:
    """Table of colours as a background of CSS."""
    table = palette(colours)
    stops = ",".join(f"rgb({r} {g} {b})" for r, g, b in table[:255:23].tolist())
    return f"linear-gradient(90deg,{stops})"
