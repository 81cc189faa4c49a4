"""A report: results, what a user adds, and the files it is written to."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import xarray as xr

from neurodrift.report.page import Addition, page
from neurodrift.report.view import views
from neurodrift.schema.objects import path_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure as MatplotlibFigure

Results = xr.DataTree | Sequence[xr.DataTree] | Mapping[str, xr.DataTree]


class Report:
    """A report of results, to which own figures and texts can be added.

    Parameters
    ----------
    results
        Result of :func:`neurodrift.analyze`, several of them, or several by the name that the
        reader shall see.
    comparison
        Result of :func:`neurodrift.compare` of the same recordings.
    title
        Heading; made from the recordings when omitted.

    Raises
    ------
    TypeError
        If something is no tree of results.
    ValueError
        If there are none, or a tree is of another format version or lacks what is needed.

    Notes
    -----
    The page needs no network: figures, numbers, script and style are in it. It can be read on a
    phone, in print and by keyboard. The same results give the same page, to the last byte.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import neurodrift as nd
    >>> results = nd.analyze(nd.testing.linear_track(n_units=5, n_sessions=2), n_repeats=10)
    >>> own = Figure()
    >>> points = own.subplots().plot([1, 2, 3], [0.2, 0.5, 0.4])
    >>> report = nd.Report(results, title="Mouse 1")
    >>> report = report.add("Weight", figure=own, text="The mouse lost weight on day 2.")
    >>> page = report.html()
    >>> page.startswith("<!doctype html>"), "The mouse lost weight on day 2." in page
    (True, True)
    """

    def __init__(
        self,
        results: Results,
        *,
        comparison: xr.Dataset | None = None,
        title: str | None = None,
    ) -> None:
        views(results)  # refuses what is no result
        self._results = results
        self._comparison = comparison
        self._title = title
        self._additions: list[Addition] = []

    def add(
        self,
        title: str,
        *,
        figure: MatplotlibFigure | None = None,
        text: str = "",
        data: pd.DataFrame | None = None,
    ) -> Report:
        """Add a figure, a text or both, after the cautions and before the methods.

        Parameters
        ----------
        title
            Heading.
        figure
            A figure of matplotlib, kept as it is now; None for a text alone.
        text
            Plain text; an empty line begins a paragraph.
        data
            Numbers of the figure, which are then downloaded as CSV.

        Returns
        -------
        Report
            The report itself, so that calls can be joined.

        Raises
        ------
        TypeError
            If the title or the text is no text, the figure none of matplotlib, or the data no
            table.
        ValueError
            If there is neither a figure nor a text.
        """
        if not isinstance(title, str) or not isinstance(text, str):
            raise TypeError("title and text of an addition are plain text (str)")
        if figure is not None and not hasattr(figure, "savefig"):
            raise TypeError(
                f"figure is a {type(figure).__name__}, expected a figure of matplotlib: of axes "
                "pass ax.figure"
            )
        if data is not None and not isinstance(data, pd.DataFrame):
            raise TypeError(f"data is a {type(data).__name__}, expected a pandas.DataFrame")
        if figure is None and not text.strip():
            raise ValueError(f"{title!r} has neither a figure nor a text: give one of them")
        drawn = None if figure is None else _svg_of(figure)
        self._additions.append(Addition(title, text, drawn, data))
        return self

    def html(self) -> str:
        """The page.

        Returns
        -------
        str
            HTML that needs no other file.
        """
        return self._page(printed=False)

    def _page(self, *, printed: bool) -> str:
        return page(
            self._results,
            comparison=self._comparison,
            title=self._title,
            additions=self._additions,
            printed=printed,
        )

    def write(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the page to a file that is whole or not there.

        Parameters
        ----------
        path
            The HTML file.
        overwrite
            Whether an existing report is replaced.

        Returns
        -------
        pathlib.Path
            `path`.

        Raises
        ------
        FileExistsError
            If `path` exists and `overwrite` is False, it is no report, or another command writes
            it.
        """
        return write_page(self.html, path, overwrite=overwrite)

    def write_pdf(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the report as PDF, see :mod:`neurodrift.report.pdf`.

        Parameters
        ----------
        path
            The PDF file.
        overwrite
            Whether an existing PDF of neurodrift is replaced.

        Returns
        -------
        pathlib.Path
            `path`.

        Raises
        ------
        ImportError
            If the extra ``report-pdf`` is not installed.
        FileExistsError
            As for :meth:`write`.
        """
        return write_paper(lambda: self._page(printed=True), path, overwrite=overwrite)

    def write_figures(self, folder: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write every figure for a paper, see :mod:`neurodrift.report.publication`.

        Parameters
        ----------
        folder
            A new folder. Each figure is an SVG and a PDF with text that can be edited, and a CSV
            with its numbers.
        overwrite
            Whether an existing folder of such figures is replaced.

        Returns
        -------
        pathlib.Path
            `folder`.

        Raises
        ------
        FileExistsError
            If the folder exists and `overwrite` is False, or it holds other files.
        """
        from neurodrift.report.publication import write_figures

        return write_folder(
            lambda into: write_figures(self._results, into, comparison=self._comparison),
            folder,
            overwrite=overwrite,
        )


def write_report(
    results: Results,
    path: str | os.PathLike[str],
    *,
    comparison: xr.Dataset | None = None,
    title: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Write results as one HTML page: short for ``Report(results).write(path)``.

    Parameters
    ----------
    results, comparison, title
        As for :class:`Report`.
    path, overwrite
        As for :meth:`Report.write`.

    Returns
    -------
    pathlib.Path
        `path`.

    Raises
    ------
    FileExistsError
        If `path` exists and `overwrite` is False, it is no report, or another command writes it.
    """
    path = path_of("path", path)
    return Report(results, comparison=comparison, title=title).write(path, overwrite=overwrite)


def write_page(
    page: Callable[[], str], path: str | os.PathLike[str], *, overwrite: bool = False
) -> Path:
    """Write a page to a file that is whole or not there.

    Parameters
    ----------
    page
        What makes it.
    path, overwrite
        As for :meth:`Report.write`.

    Returns
    -------
    pathlib.Path
        `path`.
    """
    from neurodrift.io.output import whole

    path = path_of("path", path)
    if path.is_dir():
        raise FileExistsError(f"{path} is a folder and was kept: name an HTML file")
    with whole(path, overwrite=overwrite, what="report", is_ours=_is_page) as unfinished:
        unfinished.write_text(page(), encoding="utf-8")
    return path


def write_paper(
    page: Callable[[], str], path: str | os.PathLike[str], *, overwrite: bool = False
) -> Path:
    """Write a page for paper as PDF.

    Parameters
    ----------
    page
        What makes it.
    path, overwrite
        As for :meth:`Report.write_pdf`.

    Returns
    -------
    pathlib.Path
        `path`.
    """
    from neurodrift.io.output import whole
    from neurodrift.report.pdf import is_pdf, to_pdf

    path = path_of("path", path)
    if path.is_dir():
        raise FileExistsError(f"{path} is a folder and was kept: name a PDF file")
    with whole(path, overwrite=overwrite, what="report", is_ours=is_pdf) as unfinished:
        unfinished.write_bytes(to_pdf(page()))
    return path


def write_folder(
    write: Callable[[Path], None], folder: str | os.PathLike[str], *, overwrite: bool = False
) -> Path:
    """Write figures for a paper into a folder that is whole or not there.

    Parameters
    ----------
    write
        What writes them into a folder that it makes.
    folder, overwrite
        As for :meth:`Report.write_figures`.

    Returns
    -------
    pathlib.Path
        `folder`.
    """
    from neurodrift.io.output import whole
    from neurodrift.report.publication import is_figures

    folder = path_of("folder", folder)
    with whole(folder, overwrite=overwrite, what="figures", is_ours=is_figures) as unfinished:
        write(unfinished)
    return folder


def _svg_of(figure: MatplotlibFigure) -> str:
    """A figure of matplotlib as SVG with its text as text, the same every time."""
    from matplotlib import rc_context

    held = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "neurodrift"}):
        figure.savefig(held, format="svg", bbox_inches="tight", metadata={"Date": None})
    return held.getvalue()


def _is_page(path: Path) -> bool:
    """Whether a file is a report of neurodrift."""
    try:
        with path.open("rb") as file:
            return b'name="generator" content="neurodrift' in file.read(4096)
    except OSError:
        return False
