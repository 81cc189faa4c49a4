"""One recording of a study: imported, analysed and reported, as far as that is still to do."""

from __future__ import annotations

import hashlib
import json
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from neurodrift.io.output import LeftoverWarning
from neurodrift.studies.recordings import Planned, fingerprint

KEY = "study_key"
"""Attribute of results: what they were made from."""

WARNED = "study_warnings"
"""Attribute of results: what was warned of on the way, as JSON."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """What came of one recording.

    Parameters
    ----------
    name
        Of the recording.
    state
        ``made``, ``known`` where nothing was to do, or ``failed``.
    text
        Why it failed; empty where it did not.
    warned
        Warnings of its analysis.
    seconds
        How long it took [s].
    """

    name: str
    state: str
    text: str = ""
    warned: tuple[str, ...] = ()
    seconds: float = 0.0


def make_one(
    planned: Planned, options: Mapping[str, Any], folder: Path, *, reports: bool = True
) -> Made:
    """Import, analyse and report one recording of a study.

    Parameters
    ----------
    planned
        The recording.
    options
        Of :func:`neurodrift.analyze`.
    folder
        Of the study.
    reports
        Whether its own report is written.

    Returns
    -------
    Made
        With the error's text where it fails: others go on.
    """
    began = time.monotonic()
    try:
        if planned.fault:
            raise ValueError(planned.fault)
        state, warned = _made(planned, options, folder, reports)
    except Exception as error:  # whatever it is, it is told, and others go on
        text = told_of(error)
        return Made(name=planned.name, state="failed", text=text, seconds=time.monotonic() - began)
    return Made(
        name=planned.name,
        state=state,
        warned=warned,
        seconds=round(time.monotonic() - began, 2),
    )


def told_of(error: BaseException) -> str:
    """An error in words.

    Parameters
    ----------
    error
        What was raised.

    Returns
    -------
    str
        Its text, after its kind where it is none that we raise.
    """
    if isinstance(error, ValueError | TypeError | OSError | ImportError) and str(error):
        return str(error)
    return f"{type(error).__name__}: {error}".removesuffix(": ")


def results_path(folder: Path, planned: Planned) -> Path:
    """Where the results of a recording of a study are.

    Parameters
    ----------
    folder, planned
        Of the study, and the recording.

    Returns
    -------
    pathlib.Path
        A Zarr store.
    """
    return folder / "results" / f"{planned.slug}.zarr"


def report_path(folder: Path, planned: Planned) -> Path:
    """Where the report of a recording of a study is.

    Parameters
    ----------
    folder, planned
        Of the study, and the recording.

    Returns
    -------
    pathlib.Path
        A page.
    """
    return folder / "animals" / f"{planned.slug}.html"


def _made(
    planned: Planned, options: Mapping[str, Any], folder: Path, reports: bool
) -> tuple[str, tuple[str, ...]]:
    import dask

    from neurodrift.analysis.analyze import analyze
    from neurodrift.io.node_cache import NodeCache
    from neurodrift.io.zarr import open_results, save_results
    from neurodrift.report.document import write_report

    with (
        dask.config.set(scheduler="threads", num_workers=1),
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always", UserWarning)
        recording = recording_of(planned, folder)
        key = _key(recording, planned, options)
        path, page = results_path(folder, planned), report_path(folder, planned)
        known = _attributes_of(path)
        state = "known"
        if known.get(KEY) != key:
            results = analyze(
                recording, curation=planned.curation, cache=NodeCache(folder / "cache"), **options
            )
            known = {
                KEY: key,
                WARNED: json.dumps(_texts(caught), ensure_ascii=False),
                "source": ", ".join(map(str, planned.files)),
            }
            results.attrs |= known
            page.unlink(missing_ok=True)  # which shows the results before these
            save_results(results, path, overwrite=True)
            state = "made"
        if reports and (state == "made" or not page.is_file()):
            write_report(open_results(path), page, title=planned.name, overwrite=True)
    return state, tuple(json.loads(known[WARNED]))


def _texts(caught: Sequence[warnings.WarningMessage]) -> list[str]:
    """What is said of a recording; what kills left in the folder is none of its own."""
    said = [item for item in caught if issubclass(item.category, UserWarning)]
    told = [str(item.message) for item in said if not issubclass(item.category, LeftoverWarning)]
    return list(dict.fromkeys(told))


def recording_of(planned: Planned, folder: Path) -> xr.Dataset:
    """The recording itself, imported where that was not done before.

    Parameters
    ----------
    planned
        The recording.
    folder
        Of the study.

    Returns
    -------
    xarray.Dataset
        Lazy where it is stored.
    """
    from neurodrift.io.nwb.store import import_to_store
    from neurodrift.io.output import whole
    from neurodrift.io.zarr import open_recording
    from neurodrift.simulate.sweep import open_sweep

    if planned.kind == "run":
        assert planned.run is not None
        return open_sweep(planned.files[0]).recording(planned.run)
    if planned.kind == "recording":
        return open_recording(planned.files[0])
    store = folder / "recordings" / f"{planned.slug}.zarr"
    made_of = store.with_suffix(".json")
    now = {
        "files": [[str(path.resolve()), fingerprint(path)] for path in planned.files],
        "options": dict(planned.options),
    }
    known = _json(made_of) if store.is_dir() else {}
    if known.get("made_of") != json.loads(json.dumps(now)):
        made_of.unlink(missing_ok=True)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            import_to_store(planned.files, store, overwrite=True, **planned.options)
        known = {"made_of": now, "warned": _texts(caught)}
        with whole(made_of, overwrite=True) as unfinished:
            unfinished.write_text(json.dumps(known, ensure_ascii=False), encoding="utf-8")
    for text in known["warned"]:
        warnings.warn(text, UserWarning, stacklevel=2)
    return open_recording(store)


def _json(path: Path) -> dict[str, Any]:
    """What a JSON file says; nothing where there is none that is whole."""
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def _key(recording: xr.Dataset, planned: Planned, options: Mapping[str, Any]) -> str:
    from neurodrift.analysis.cache import code_key, recording_key

    curation = None if planned.curation is None else planned.curation.read_text(encoding="utf-8")
    binning = options["binning"]
    parts = {
        "code": code_key(),
        "recording": recording_key(recording),
        "curation": curation,
        "options": {**options, "binning": json.loads(binning.to_json())},
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _attributes_of(path: Path) -> dict[str, Any]:
    """Attributes of stored results; nothing where there are none that are whole."""
    from neurodrift.io.manifest import missing_files, read_manifest, store_attributes

    if not (path / "zarr.json").is_file():
        return {}
    try:
        manifest = read_manifest(path)
        if manifest is None or missing_files(path, manifest):
            return {}
        return dict(store_attributes(path))
    except (OSError, ValueError):
        return {}
