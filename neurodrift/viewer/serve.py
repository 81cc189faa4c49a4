"""Open the view: a page of this machine alone, until it is ended."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from neurodrift.analysis.maps.binning import Binning
from neurodrift.schema.options import checked_options
from neurodrift.viewer.cells import Cells
from neurodrift.viewer.marks import Marks
from neurodrift.viewer.turning import Turning

HERE = "127.0.0.1"
"""The only address that is answered: nobody else on the network sees the page."""


@checked_options
def view(
    what: xr.Dataset | xr.DataTree,
    recording: xr.Dataset | None = None,
    *,
    curation: str | os.PathLike[str] = "curation.yaml",
    by: str | None = None,
    binning: Binning | None = None,
    smoothing: float | None = None,
    port: int = 0,
    browser: bool = True,
    overwrite: bool = False,
    wait: bool = True,
) -> Served:
    """Look through cells, days, laps and pairs of sessions in the browser, and mark cells.

    Needs the extra ``view``: ``pip install "neurodrift[view]"``. Only this machine can open the
    page, and it needs no network.

    Parameters
    ----------
    what
        Results of :func:`neurodrift.analyze`, or a recording. Of a recording, maps are computed of
        the cell that is looked at; lazy activity is not read as a whole.
    recording
        The recording that the results are of, whose laps are then shown.
    curation
        YAML file that marks are saved to, as :func:`neurodrift.curate` takes it. A file that was
        saved here before is gone on with.
    by
        Who decides; stands with every mark.
    binning, smoothing
        Bins, frames and smoothing [cm] of maps that are computed here; the smoothing is the width
        of a bin when omitted.
    port
        Port of the page; a free one when 0.
    browser
        Whether a browser is opened.
    overwrite
        Whether to go on with a curation file that was written otherwise.
    wait
        Whether to return only when the page is ended, by Ctrl-C or Interrupt of a notebook.

    Returns
    -------
    Served
        Its address, its marks, and ``stop()``.

    Raises
    ------
    ImportError
        If the extra is not installed.
    FileExistsError
        If the curation file was written otherwise.
    OSError
        If the port is taken.
    TypeError
        If `what` is neither results nor a recording.

    Examples
    --------
    >>> import neurodrift as nd
    >>> mouse = nd.load_example("mouse")
    >>> nd.view(mouse, curation="mouse-curation.yaml")  # doctest: +SKIP
    """
    if not isinstance(what, xr.Dataset | xr.DataTree):
        raise TypeError(f"expected results or a recording to look at, got {type(what).__name__}")
    results = what if isinstance(what, xr.DataTree) else None
    of = recording if isinstance(what, xr.DataTree) else what
    cells = Cells(results, of, binning=binning, smoothing=smoothing)
    marks = Marks(curation, of=cells.name, by=by, overwrite=overwrite)
    served = serve(cells, marks, port=port)
    if browser:
        import webbrowser

        webbrowser.open(served.address)
    if wait:
        print(f"{served.address} shows {cells.name}; Ctrl-C ends it", flush=True)
        with ended_by_interrupt():
            served.wait()
        served.stop()
        print(farewell(marks))
    return served


@dataclass
class Served:
    """A page that is open.

    Parameters
    ----------
    address
        What a browser asks for.
    marks
        What is left out, as the page shows it.
    server
        Of bokeh.
    thread
        In which it answers.
    """

    address: str
    marks: Marks
    server: Any
    thread: threading.Thread

    def wait(self) -> None:
        """Return when the page is ended."""
        while self.thread.is_alive():
            self.thread.join(0.5)

    def stop(self) -> None:
        """End the page."""
        if self.thread.is_alive():
            loop = self.server.io_loop
            loop.add_callback(self._end)
            self.thread.join(10)

    def _end(self) -> None:
        self.server.stop()
        self.server.io_loop.stop()


def serve(cells: Cells, marks: Marks, *, port: int = 0) -> Served:
    """Answer a browser, in a thread of its own.

    Parameters
    ----------
    cells
        What there is to see.
    marks
        What is left out.
    port
        Port of the page; a free one when 0.

    Returns
    -------
    Served
        The page, open.

    Raises
    ------
    ImportError
        If the extra ``view`` is not installed.
    OSError
        If the port is taken.
    """
    make = page_maker(cells, marks)
    ready, made = threading.Event(), {}

    def run() -> None:
        try:
            made["server"] = server = _new_server(make, port)
        except BaseException as error:
            made["error"] = error
            ready.set()
            return
        server.start()
        server.io_loop.add_callback(ready.set)
        server.io_loop.start()
        server.io_loop.close()

    thread = threading.Thread(target=run, name="neurodrift view", daemon=True)
    thread.start()
    ready.wait()
    if "error" in made:
        error = made["error"]
        if isinstance(error, OSError):
            raise OSError(
                error.errno,
                f"port {port} of {HERE} cannot be used ({error.strerror}): choose "
                "another one, or none (--port)",
            ) from None
        raise error
    server = made["server"]
    return Served(f"http://{HERE}:{server.port}/", marks, server, thread)


def _new_server(make: Callable[[], Any], port: int) -> Any:
    """A server in the loop of this thread."""
    import asyncio

    import panel as pn
    from tornado.ioloop import IOLoop

    asyncio.set_event_loop(asyncio.new_event_loop())
    port = port or _free_port()
    return pn.io.server.get_server(
        {"/": make},
        port=port,
        address=HERE,
        websocket_origin=[f"{HERE}:{port}"],
        loop=IOLoop.current(),
        show=False,
        start=False,
        title="neurodrift",
        verbose=False,
    )


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind((HERE, 0))
        return int(taken.getsockname()[1])


def page_maker(cells: Cells, marks: Marks) -> Callable[[], Any]:
    """A function that lays out a page for each reader.

    Parameters
    ----------
    cells
        What there is to see.
    marks
        What is left out, the same for all pages.

    Returns
    -------
    callable
        Without arguments; gives a panel.

    Raises
    ------
    ImportError
        If the extra ``view`` is not installed.
    """
    try:
        import panel as pn
    except ImportError as error:
        raise ImportError(
            'the view needs panel and bokeh: pip install "neurodrift[view]"'
        ) from error
    from neurodrift.viewer._page import Page

    pn.extension()
    return lambda: Page(Turning(cells, marks)).layout()


@contextmanager
def ended_by_interrupt() -> Any:
    """Take Ctrl-C for the wish to end, not for an error."""
    try:
        yield
    except KeyboardInterrupt:
        print()


def farewell(marks: Marks) -> str:
    """What became of the marks, in one line.

    Parameters
    ----------
    marks
        What is left out.

    Returns
    -------
    str
        A sentence without its full stop.
    """
    n = marks.n_units
    units = f"{n} cell{'' if n == 1 else 's'}"
    if marks.unsaved:
        return f"ended: marks of {units} were NOT saved"
    if not Path(marks.path).exists():
        return "ended: nothing was marked"
    return f"ended: {units} left out in {marks.path}"
