"""Results back into NWB: tables of place cells, rate maps, sessions and drift."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from neurodrift._version import __version__
from neurodrift.io.nwb.patient import patient_file, write_nwb
from neurodrift.io.nwb.write import NAMESPACE, dynamic_table
from neurodrift.io.output import whole
from neurodrift.io.probe import DamagedFileError, refuse_damaged
from neurodrift.schema import SESSION_COORDS
from neurodrift.schema.objects import expect_type

MODULE = "neurodrift"
"""Name of the processing module that holds the tables."""

_DESCRIPTION = "place cells, rate maps and drift of the population, by neurodrift"
_INFORMATION = ("ssr", "bae")
_START = datetime(2000, 1, 1, tzinfo=UTC)


def export_results(
    results: xr.DataTree,
    path: str | os.PathLike[str],
    *,
    session: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Write results as tables into an NWB file, a new one or one that is there.

    The module ``processing/neurodrift`` gets the tables ``place_cells`` and ``rate_maps``, with a
    row for each session, unit and running direction that was detected, ``bins`` (the positions of
    the maps' columns), ``occupancy``, ``sessions`` and ``drift`` (a row for each pair of sessions),
    as far as the results have them. A file that is there keeps all that it holds; it is changed in
    a copy, which takes its place when it is whole.

    Parameters
    ----------
    results
        From :func:`neurodrift.analyze` or :func:`neurodrift.open_results`.
    path
        The file, ending in ``.nwb``.
    session
        Label of the only session to write, for the NWB file of that session; all when omitted.
    overwrite
        Whether tables of neurodrift that the file holds are replaced.

    Returns
    -------
    pathlib.Path
        `path`.

    Raises
    ------
    FileExistsError
        If the file has such tables and `overwrite` is False.
    ValueError
        If the results have no maps and no place cells, there is no such session, or the file is no
        NWB file.

    Examples
    --------
    >>> import tempfile
    >>> import xarray as xr
    >>> from neurodrift import compute_rate_maps, testing
    >>> from neurodrift.io.nwb.results import export_results
    >>> maps = compute_rate_maps(testing.linear_track(n_units=4, n_sessions=2, minutes=1))
    >>> results = xr.DataTree.from_dict({"maps": maps})
    >>> path = export_results(results, tempfile.mkdtemp() + "/results.nwb")
    >>> path.name
    'results.nwb'
    """
    expect_type("results", results, xr.DataTree, "a tree of results, as neurodrift.analyze gives")
    path = Path(path)
    if path.suffix != ".nwb":
        raise ValueError(f"{path} does not end in .nwb")
    tables = result_tables(results, session=session)
    with _copy_of(path) as unfinished:
        if path.exists():
            _append(unfinished, tables, path, overwrite)
        else:
            _create(unfinished, tables, results, session)
        _verify(unfinished, tables)
    return path


def result_tables(
    results: xr.DataTree, *, session: str | None = None
) -> dict[str, dict[str, tuple[str, Any]]]:
    """The tables that :func:`export_results` writes.

    Parameters
    ----------
    results, session
        As there.

    Returns
    -------
    dict
        Table -> column -> (description, values).

    Raises
    ------
    ValueError
        If there are no maps and no place cells, or there is no such session.
    """
    nodes = {name: node.to_dataset() for name, node in results.children.items()}
    if "maps" not in nodes and "place_cells" not in nodes:
        raise ValueError(
            f"the results have neither maps nor place cells, only {', '.join(nodes) or 'nothing'}"
        )
    known = [str(s) for s in (nodes.get("maps") or nodes["place_cells"])["session"].values]
    if session is not None and session not in known:
        raise ValueError(f"the results have no session {session!r}; they have {', '.join(known)}")
    chosen = known if session is None else [session]
    tables: dict[str, dict[str, tuple[str, Any]]] = {}
    if "place_cells" in nodes:
        cells = nodes["place_cells"]
        extra = nodes.get("information")
        if extra is not None:
            names = [name for name in _INFORMATION if name in extra]
            cells = cells.merge(
                extra[names].rename({name: f"information_{name}" for name in names}),
                compat="override",
                join="exact",
            )
        found = np.isfinite(cells["n_events"].transpose("session", "unit", "direction").values)
        tables["place_cells"] = _rows(cells, found, chosen)
    if "maps" in nodes:
        tables |= _map_tables(nodes["maps"], chosen)
    if "sessions" in nodes:
        kept = nodes["sessions"].sel(session=chosen)
        tables["sessions"] = {"session": ("label of the session", _texts(kept["session"].values))}
        tables["sessions"] |= {
            str(name): (_about(array), _plain(array.values))
            for name, array in kept.variables.items()
            if array.dims == ("session",) and name != "session"
        }
    if "drift" in nodes and session is None:
        tables["drift"] = _drift_rows(nodes["drift"])
    return tables


def _rows(dataset: xr.Dataset, found: np.ndarray, chosen: list[str]) -> dict[str, tuple[str, Any]]:
    """Columns over (session, unit, direction), of the rows that were found."""
    dims = ("session", "unit", "direction")
    labels = np.array(_texts(dataset["session"].values), dtype=object)
    found = found & np.isin(labels, chosen)[:, None, None]
    s, u, d = np.nonzero(found)
    columns: dict[str, tuple[str, Any]] = {
        "session": ("label of the session", labels[s].tolist()),
        "unit": ("label of the unit", [str(item) for item in dataset["unit"].values[u]]),
        "direction": ("running direction, 0 = both", dataset["direction"].values[d].astype(int)),
    }
    for name in (*SESSION_COORDS, "region"):
        if name in dataset.coords and dataset[name].dims in (("session",), ("unit",)):
            index = s if dataset[name].dims == ("session",) else u
            columns[name] = (_about(dataset[name]), _plain(dataset[name].values[index]))
    for key, array in dataset.data_vars.items():
        if set(array.dims) == set(dims):
            values = array.transpose(*dims).values[found]
        elif set(array.dims) == {"session", "unit"}:
            values = array.transpose("session", "unit").values[s, u]
        else:
            continue
        columns[str(key)] = (_about(array), _plain(values))
    return columns


def _map_tables(maps: xr.Dataset, chosen: list[str]) -> dict[str, dict[str, tuple[str, Any]]]:
    dims = ("session", "unit", "direction", "position")
    detected = maps["detected"].transpose("session", "unit").values
    found = np.repeat(detected[:, :, None], maps.sizes["direction"], axis=2)
    rows = _rows(maps.drop_vars(["rate", "events", "occupancy", "detected"]), found, chosen)
    labels = np.array(_texts(maps["session"].values), dtype=object)
    found &= np.isin(labels, chosen)[:, None, None]
    for name in ("rate", "events"):
        array = maps[name].transpose(*dims)
        about = f"{_about(array)}; a column for each row of bins; NaN = not visited"
        rows[name] = (about, array.values[found])
    occupancy = maps["occupancy"].transpose("session", "direction", "position").sel(session=chosen)
    s, d = np.indices(occupancy.shape[:2]).reshape(2, -1)
    return {
        "rate_maps": rows,
        "bins": {
            name: (_about(maps[name]) + _shape(maps[name]), _plain(maps[name].values))
            for name in ("x_bin", "x_width", "part", "y_bin")
            if name in maps.coords
        },
        "occupancy": {
            "session": ("label of the session", [chosen[i] for i in s]),
            "direction": ("running direction, 0 = both", maps["direction"].values[d].astype(int)),
            "occupancy": (
                "time in the bin [s]; a column for each row of bins",
                occupancy.values.reshape(s.size, -1),
            ),
        },
    }


def _drift_rows(drift: xr.Dataset) -> dict[str, tuple[str, Any]]:
    """Columns over pairs of sessions, the first before the second."""
    first, second = np.triu_indices(drift.sizes["session_a"])
    columns: dict[str, tuple[str, Any]] = {
        name: ("label of the session", [_texts(drift[name].values)[i] for i in index])
        for name, index in (("session_a", first), ("session_b", second))
    }
    for name, array in drift.variables.items():
        if array.dims == ("session_a", "session_b"):
            columns[str(name)] = (_about(array), _plain(array.values[first, second]))
    return columns


def _about(array: Any) -> str:
    text = str(array.attrs.get("long_name", "as neurodrift describes it"))
    units = array.attrs.get("units", "")
    return f"{text} [{units}]" if units not in ("", "1") else text


def _shape(array: Any) -> str:
    """The geometry that a coordinate holds, for its description."""
    text = array.attrs.get("geometry")
    return f"; geometry {text}" if text else ""


def _plain(values: np.ndarray) -> Any:
    return _texts(values) if values.dtype.kind in "OUT" else values


def _texts(values: np.ndarray) -> list[str]:
    return [str(item) for item in values]


@contextmanager
def _copy_of(path: Path) -> Iterator[Path]:
    """A copy of the file, or nothing, that takes its place if no error is raised."""
    if path.exists() and not path.is_file():
        raise ValueError(f"{path} is no file")
    # The file is not replaced by another: what it holds stays, and the tables are added to it.
    with whole(path, overwrite=True, suffix=".nwb") as unfinished:
        if path.exists():
            shutil.copyfile(path, unfinished)
        yield unfinished


def _create(
    path: Path,
    tables: dict[str, dict[str, tuple[str, Any]]],
    results: xr.DataTree,
    session: str | None,
) -> None:
    from pynwb import NWBFile
    from pynwb.file import Subject

    told = {
        name: str(node[name].item())
        for node in (item.to_dataset() for item in results.children.values())
        for name in ("subject", "environment")
        if name in node.coords and node[name].ndim == 0
    }
    source = str(results.attrs.get("source", ""))
    subject = told.get("subject") or Path(source).stem or "unknown"
    about = "all sessions" if session is None else f"session {session}"
    nwbfile = NWBFile(
        session_description=f"results of {subject}, {about}",
        identifier=str(uuid.uuid5(NAMESPACE, f"results/{subject}/{about}/{source}")),
        session_start_time=_START,
        subject=Subject(
            subject_id=subject,
            species="Mus musculus",
            sex="U",
            age="P0D/",
            description="species, sex and age are not told by the results",
        ),
        session_id="results" if session is None else f"results-{session}".replace("/", "-"),
        experiment_description="results of an analysis; the recordings are in files of their own",
        institution="not told by the results",
        lab="not told by the results",
        keywords=["representational drift", "place cells"],
        notes="The date is a placeholder. Parameters: " + str(results.attrs.get("parameters", "-")),
        source_script=f"neurodrift {__version__}, export",
        source_script_file_name="nwb_results.py",
    )
    _add(nwbfile, tables)
    write_nwb(nwbfile, path)


def _append(
    copy: Path, tables: dict[str, dict[str, tuple[str, Any]]], path: Path, overwrite: bool
) -> None:
    import h5py
    from pynwb import NWBHDF5IO

    try:
        refuse_damaged(copy)
        with h5py.File(copy, "r") as file:
            is_nwb = "nwb_version" in file.attrs
            is_there = f"processing/{MODULE}" in file
    except (OSError, DamagedFileError) as error:
        reason = error.reason if isinstance(error, DamagedFileError) else error
        raise ValueError(f"{path} is no readable NWB (HDF5) file: {reason}") from error
    if not is_nwb:
        raise ValueError(f"{path} is HDF5, but no NWB file")
    if is_there and not overwrite:
        raise FileExistsError(
            f"{path} holds results of neurodrift already, which were kept; pass overwrite "
            "(--overwrite) to replace them"
        )
    if is_there:
        with patient_file(copy, "r+") as file:
            del file[f"processing/{MODULE}"]
    with patient_file(copy, "r+") as file, NWBHDF5IO(mode="a", file=file) as io:
        nwbfile = io.read()
        _add(nwbfile, tables)
        io.write(nwbfile)


def _add(nwbfile: Any, tables: dict[str, dict[str, tuple[str, Any]]]) -> None:
    module = nwbfile.create_processing_module(name=MODULE, description=_DESCRIPTION)
    about = {
        "place_cells": "tests of spatial information; a row for each session, unit and direction",
        "rate_maps": "rate maps; a row for each session, unit and direction",
        "bins": "positions of the columns of rate maps and occupancy",
        "occupancy": "time in every bin; a row for each session and direction",
        "sessions": "measures of the population; a row for each session",
        "drift": "similarity of pairs of sessions",
    }
    for name, columns in tables.items():
        module.add(dynamic_table(name, about[name], columns))


def _verify(path: Path, tables: dict[str, dict[str, tuple[str, Any]]]) -> None:
    """Refuse a file that does not read as what was to be written."""
    from pynwb import NWBHDF5IO

    with NWBHDF5IO(path, "r") as io:
        module = io.read().processing[MODULE]
        for name, columns in tables.items():
            for column, (_, values) in columns.items():
                found = np.asarray(module[name][column].data[:])
                wanted = np.asarray(values)
                if wanted.dtype.kind in "US":
                    found = found.astype(str)
                same = np.array_equal(found, wanted, equal_nan=wanted.dtype.kind == "f")
                if not same:
                    raise ValueError(f"column {column} of table {name} does not read as written")
