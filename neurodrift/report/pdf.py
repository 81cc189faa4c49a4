"""The report as PDF, by WeasyPrint.

WeasyPrint sets the page that the browser shows, with the same template and style sheet for print,
as text that can be searched and drawings that stay drawings, page numbers and an outline. It is
maintained, and its wheels are small. Pages of matplotlib would need all headings, tables and texts
set by hand a second time, and a browser that prints is two hundred times as large. It uses the
system's Pango, which Linux desktops have and others install once; therefore it is an extra,
``pip install neurodrift[report-pdf]``.
"""

from __future__ import annotations

import re
from pathlib import Path

from neurodrift.report.svg import LIGHT, chart_style

_MARK = b"\n% neurodrift report\n"  # a comment after the end, by which it is known again


def to_pdf(page: str) -> bytes:
    """A page for paper as PDF.

    Parameters
    ----------
    page
        From :func:`neurodrift.report.page.page` with ``printed=True``.

    Returns
    -------
    bytes
        The PDF. Nothing is fetched.

    Raises
    ------
    ImportError
        If WeasyPrint is not installed, or does not find Pango.
    """
    try:
        import weasyprint
        from weasyprint.urls import URLFetcher
    except ImportError as error:
        raise ImportError(
            "a report as PDF needs WeasyPrint: pip install neurodrift[report-pdf]"
        ) from error
    except OSError as error:  # its library for text is missing
        raise ImportError(
            f"WeasyPrint does not find Pango ({error}): install it as "
            "https://doc.courtbouillon.org/weasyprint/stable/first_steps.html says, or print the "
            "page from a browser"
        ) from error

    fetcher = URLFetcher(allowed_protocols=("data",), allow_redirects=False)
    document = weasyprint.HTML(string=_styled(page), url_fetcher=fetcher)
    result: bytes = document.write_pdf()
    return result + _MARK


def _styled(page: str) -> str:
    """Give each drawing its own style, as a PDF's drawings do not see that of the page."""
    style = f"<style>{chart_style(LIGHT)}</style>"
    return re.sub(r'(<svg class="chart[^>]*>)', lambda found: found.group(1) + style, page)


def is_pdf(path: Path) -> bool:
    """Whether a file is a PDF that neurodrift made."""
    try:
        content = path.read_bytes()
    except OSError:
        return False
    return content.startswith(b"%PDF") and content.endswith(_MARK)
