"""The report of a study's folder, and the files it is written to."""

from __future__ import annotations

import json
import os
from pathlib import Path
from urllib.parse import quote

import xarray as xr

from neurodrift.report.document import write_folder, write_page, write_paper
from neurodrift.report.methods import MethodsText
from neurodrift.schema.objects import path_of
from neurodrift.studies.folder import MULTIVERSE, TREE, is_study
from neurodrift.studies.recordings import file_name
from neurodrift.studies.report.page import study_figures, study_page
from neurodrift.studies.report.view import StudyView


class StudyReport:
    """The report of a study.

    Parameters
    ----------
    folder
        Folder of the study, as :func:`neurodrift.study` writes it.
    title
        Heading; the name of the study when omitted.

    Raises
    ------
    FileNotFoundError
        If the folder holds no finished study.

    Notes
    -----
    The page needs no network and only links to the reports of the recordings beside it. The same
    study gives the same page, to the last byte. A multiverse of the same recordings in the
    folder is part of it.
    """

    def __init__(self, folder: str | os.PathLike[str], *, title: str | None = None) -> None:
        self._folder = path_of("folder", folder)
        if not is_study(self._folder):
            raise FileNotFoundError(
                f"{self._folder} holds no {TREE}: expected the folder of a study that "
                "`neurodrift study` has finished"
            )
        self._title = title

    @property
    def n_recordings(self) -> int:
        """Recordings that were analysed."""
        from neurodrift.io.zarr import open_results

        return len(open_results(self._folder / TREE)["recordings"].children)

    def _view(self, below: Path | None) -> StudyView:
        from neurodrift.io.zarr import open_results

        tree = open_results(self._folder / TREE)
        names = [str(name) for name in tree["members"].to_dataset()["recording"].values]
        ways = _multiverse(self._folder / MULTIVERSE, tree, names)
        links = {} if below is None else _links(self._folder, names, below)
        outdated = ways is None and (self._folder / MULTIVERSE / "zarr.json").is_file()
        return StudyView(tree.load(), ways, links, _methods(self._folder, names), outdated)

    def html(self, below: str | os.PathLike[str] | None = None) -> str:
        """The page.

        Parameters
        ----------
        below
            Folder in which it will lie, so that its links lead to the reports of the recordings;
            the folder of the study when omitted.

        Returns
        -------
        str
            HTML that needs no other file.
        """
        place = self._folder if below is None else Path(below)
        return study_page(self._view(place), title=self._title)

    def write(self, path: str | os.PathLike[str] | None = None, *, overwrite: bool = False) -> Path:
        """Write the page to a file that is whole or not there.

        Parameters
        ----------
        path
            The HTML file; ``report.html`` in the folder of the study when omitted.
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
        path = self._folder / "report.html" if path is None else path_of("path", path)
        return write_page(lambda: self.html(path.parent), path, overwrite=overwrite)

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
        """
        return write_paper(
            lambda: study_page(self._view(None), title=self._title, printed=True),
            path,
            overwrite=overwrite,
        )

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
        """
        from neurodrift.report.publication import write_sets

        return write_folder(
            lambda into: write_sets([("study", study_figures(self._view(None)))], into),
            folder,
            overwrite=overwrite,
        )


def _multiverse(path: Path, study: xr.DataTree, names: list[str]) -> xr.DataTree | None:
    """The multiverse of the same recordings and questions; another is no part of this study."""
    from neurodrift.io.zarr import open_results

    if not (path / "zarr.json").is_file():
        return None
    found = open_results(path)
    same = set(json.loads(found.attrs.get("recordings", "[]"))) == set(names)
    same &= found.attrs.get("asked") == study.attrs.get("asked")
    return found.load() if same else None


def _links(folder: Path, names: list[str], below: Path) -> dict[str, str]:
    """Where the reports of the recordings are, seen from another folder."""
    found = {}
    for name in names:
        page = folder / "animals" / f"{file_name(name)}.html"
        if page.is_file():
            way = os.path.relpath(page.resolve(), below.resolve())
            found[name] = quote(Path(way).as_posix())
    return found


def _methods(folder: Path, names: list[str]) -> MethodsText | None:
    """How the recordings were analysed, from the results of the first one."""
    from neurodrift.io.zarr import open_results
    from neurodrift.report.methods import methods
    from neurodrift.report.view import views

    for name in names:
        path = folder / "results" / f"{file_name(name)}.zarr"
        if not (path / "zarr.json").is_file():
            continue
        results = open_results(path)
        if "parameters" not in results.attrs:
            continue
        try:
            found = methods(views(results)[0])
        except (ValueError, KeyError):
            continue
        return MethodsText(found.paragraphs[1:], found.cited)
    return None
