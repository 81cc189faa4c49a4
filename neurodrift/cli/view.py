"""The command ``view``: look through cells on a local page, and mark what is left out."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from neurodrift.cli._help import new_command
from neurodrift.cli._options import add_binning, binning, kind_of_store, open_one
from neurodrift.cli._say import Facts

if TYPE_CHECKING:
    import xarray as xr


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    view = new_command(
        commands,
        "view",
        "look through cells, days, laps and pairs of sessions, and mark what to leave out",
        [
            "neurodrift view results.zarr --recording mouse.zarr",
            "neurodrift view mouse.zarr --curation curation.yaml --by 'A. Person' --no-browser",
        ],
        "Opens a page in the browser (extra view), which only this machine can see, and answers\n"
        "until Ctrl-C. Of a recording without results, maps are computed of the cell that is\n"
        "looked at. What is saved is a curation file for import --curation and analyze --curation.",
    )
    view.add_argument(
        "store", type=Path, metavar="RECORDING_OR_RESULTS", help="recording.zarr or results.zarr"
    )
    view.add_argument(
        "--recording",
        type=Path,
        metavar="RECORDING",
        help="recording that the results are of, whose laps are then shown",
    )
    view.add_argument(
        "--run", type=int, metavar="N", dest="number", help="number of the run of a sweep"
    )
    view.add_argument(
        "--curation",
        type=Path,
        metavar="FILE",
        help="YAML to save marks to; one that was saved here is gone on with (default: "
        "NAME-curation.yaml beside the store)",
    )
    view.add_argument("--by", metavar="NAME", help="who decides; stands with every mark")
    view.add_argument(
        "--port", type=int, default=0, metavar="N", help="port of the page; 0: a free one"
    )
    view.add_argument("--no-browser", action="store_true", help="open no browser")
    view.add_argument(
        "--overwrite",
        action="store_true",
        help="go on with a curation file that was written otherwise: keeps what it leaves out, "
        "loses its comments",
    )
    add_binning(view)
    view.add_argument(
        "--smoothing",
        type=float,
        metavar="CM",
        help="standard deviation of the Gaussian over maps [cm] (default: one bin)",
    )
    view.set_defaults(run=_view)


def _view(options: argparse.Namespace) -> Facts:
    from neurodrift.io.zarr import open_recording, open_results
    from neurodrift.viewer.serve import view

    if kind_of_store(options.store) == "results":
        if options.number is not None:
            raise ValueError(f"--run {options.number} is for sweeps; {options.store} holds results")
        beside = options.recording
        recording = None if beside is None else open_recording(beside)
        what: xr.DataTree | xr.Dataset = open_results(options.store)
    else:
        if options.recording is not None:
            raise ValueError(f"--recording is for results; {options.store} is a recording itself")
        what, recording = open_one(options.store, options.number), None
    curation = options.curation or beside_store(options.store)
    served = view(
        what,
        recording,
        curation=curation,
        by=options.by,
        binning=binning(options),
        smoothing=options.smoothing,
        port=options.port,
        browser=not options.no_browser,
        overwrite=options.overwrite,
    )
    marks = served.marks
    return {"curation": marks.path if marks.path.exists() else None, "unsaved": marks.unsaved}


def beside_store(store: Path) -> Path:
    """Curation file that belongs to a store.

    Parameters
    ----------
    store
        A recording or results.

    Returns
    -------
    pathlib.Path
        In the same folder; that of results is called as the recording's where these are called
        ``NAME-results``.
    """
    name = store.resolve().stem.removesuffix("-results")
    return store.with_name(f"{name}-curation.yaml")
