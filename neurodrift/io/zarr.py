"""Recordings and results as Zarr v3 stores that are whole or not there."""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.recording import session_slices
from neurodrift.schema import FORMAT_VERSION, RECORDING, check, json_schema

_TIME_CHUNK = 8192  # sessions have any length, so stored chunks are regular and shorter
_UNIT_CHUNK = 256


def save_recording(
    recording: xr.Dataset, path: str | os.PathLike[str], *, overwrite: bool = False
) -> Path:
    """Write a recording as a Zarr v3 store, chunked by session and block of units.

    Nothing stands under `path` until the store is whole, and what stood there before stays until
    then.

    Parameters
    ----------
    recording
        A recording; lazy activity is written chunk by chunk.
    path
        Directory of the new store.
    overwrite
        Whether an existing store is replaced.

    Returns
    -------
    pathlib.Path
        `path`.

    Raises
    ------
    FileExistsError
        If `path` exists and `overwrite` is False.
    ValueError
        If it is no recording.

    Examples
    --------
    >>> import tempfile
    >>> from neurodrift import open_recording, save_recording, testing
    >>> folder = tempfile.mkdtemp()
    >>> path = save_recording(testing.linear_track(n_units=2, minutes=1), folder + "/mouse.zarr")
    >>> open_recording(path)["activity"].chunks
    ((1200, 1200, 1200), (2,))
    """
    check(recording)
    recording = _storable(recording)
    return _write_whole(xr.DataTree(recording), path, overwrite, _chunks(recording))


def open_recording(path: str | os.PathLike[str]) -> xr.Dataset:
    """Open a recording lazily, in Dask chunks of one session and a block of units.

    Parameters
    ----------
    path
        A store made by :func:`save_recording` or ``neurodrift import``.

    Returns
    -------
    xarray.Dataset
        The recording; ``activity`` is a Dask array, the variables over time are in memory.

    Raises
    ------
    FileNotFoundError
        If there is no store.
    ValueError
        If it is not a recording, or of a newer format version.
    """
    path = Path(path)
    stored = _open(path, xr.open_zarr, "recording")
    faults = _schema_faults(stored)
    if faults:
        raise ValueError(f"{path} is not a recording:\n" + "\n".join(faults))
    recording = _in_sessions(_load_all_but_activity(stored))
    check(recording)
    return recording


def save_results(
    results: xr.DataTree, path: str | os.PathLike[str], *, overwrite: bool = False
) -> Path:
    """Write results as one Zarr v3 store.

    Parameters
    ----------
    results
        A tree, for example from :func:`neurodrift.analyze`.
    path
        Directory of the new store.
    overwrite
        Whether an existing store is replaced.

    Returns
    -------
    pathlib.Path
        `path`.

    Raises
    ------
    FileExistsError
        If `path` exists and `overwrite` is False.
    """
    results = results.copy()
    results.attrs["format_version"] = FORMAT_VERSION
    return _write_whole(results, path, overwrite, None)


def open_results(path: str | os.PathLike[str]) -> xr.DataTree:
    """Open stored results.

    Parameters
    ----------
    path
        A store made by :func:`save_results` or ``neurodrift analyze``.

    Returns
    -------
    xarray.DataTree
        The results, in memory where they are used.

    Raises
    ------
    FileNotFoundError
        If there is no store.
    ValueError
        If it is of a newer format version or not made by neurodrift.
    """
    stored: xr.DataTree = _open(Path(path), xr.open_datatree, "results")
    return stored.map_over_datasets(lambda node: _object_strings(node.load()))


def _open(path: Path, reader: Any, what: str) -> Any:
    if not (path / "zarr.json").is_file():
        raise FileNotFoundError(f"no {what} at {path}: expected a Zarr v3 directory")
    options = {"engine": "zarr"} if reader is xr.open_datatree else {}
    stored = reader(path, decode_times=False, consolidated=False, chunks={}, **options)
    version = stored.attrs.get("format_version")
    if not isinstance(version, int | np.integer):
        raise ValueError(f"{path} has no format_version: it was not written by neurodrift")
    if version > FORMAT_VERSION:
        raise ValueError(
            f"{path} has format version {version}, but this neurodrift reads up to "
            f"{FORMAT_VERSION}: install a newer neurodrift"
        )
    return stored


def _schema_faults(stored: xr.Dataset) -> list[str]:
    import jsonschema

    validator = jsonschema.Draft202012Validator(json_schema(RECORDING, "recording"))
    description = _listed(stored.to_dict(data=False))
    return [
        f"- {'/'.join(map(str, error.absolute_path)) or 'store'}: {error.message}"
        for error in validator.iter_errors(description)
    ]


def _listed(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _listed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_listed(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def _storable(recording: xr.Dataset) -> xr.Dataset:
    """Without encodings of a former file, and lazy activity in multiples of the stored chunks."""
    recording = recording.copy()
    for name in recording.variables:
        recording[name].encoding = {}
    if recording["activity"].chunks is None:
        return recording
    return recording.assign(
        activity=recording["activity"].chunk(time=4 * _TIME_CHUNK, unit=_UNIT_CHUNK)
    )


def _object_strings(dataset: xr.Dataset) -> xr.Dataset:
    """Strings as objects: fixed lengths have no Zarr v3 specification, StringDType few methods."""
    strings = [name for name, array in dataset.variables.items() if array.dtype.kind in "UT"]
    return dataset.assign_coords(
        {name: dataset[name].astype(object) for name in strings if name in dataset.coords}
    ).assign({name: dataset[name].astype(object) for name in strings if name in dataset.data_vars})


def _in_sessions(recording: xr.Dataset) -> xr.Dataset:
    """Lazy activity in chunks of one session and a block of units."""
    lengths = tuple(s.stop - s.start for s in session_slices(recording) if s.stop > s.start)
    if not lengths:
        return recording
    chunks: dict[str, Any] = {"time": lengths, "unit": _UNIT_CHUNK}
    return recording.assign(activity=recording["activity"].chunk(chunks))


def _load_all_but_activity(stored: xr.Dataset) -> xr.Dataset:
    rest = _object_strings(stored.drop_vars("activity").load())
    return rest.assign(activity=stored["activity"].variable).assign_attrs(stored.attrs)


def _chunks(recording: xr.Dataset) -> dict[str, Any]:
    sizes = recording["activity"].shape
    chunks = [
        max(1, min(size, most))
        for size, most in zip(sizes, (_TIME_CHUNK, _UNIT_CHUNK), strict=True)
    ]
    return {"/": {"activity": {"chunks": tuple(chunks)}}}


def _write_whole(
    tree: xr.DataTree,
    path: str | os.PathLike[str],
    overwrite: bool,
    encoding: dict[str, Any] | None,
) -> Path:
    path = Path(path)
    refuse_existing(path, overwrite)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.unfinished")
    tree = tree.map_over_datasets(_object_strings)
    try:
        tree.to_zarr(unfinished, zarr_format=3, consolidated=False, encoding=encoding)
        replace(unfinished, path)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return path


def refuse_existing(path: Path, overwrite: bool) -> None:
    """Raise an error if something stands at a path that may not be replaced.

    Parameters
    ----------
    path
        Where a file or store is to be written.
    overwrite
        Whether it may be replaced.

    Raises
    ------
    FileExistsError
        If it exists and may not.
    """
    if path.exists() and not overwrite:
        raise FileExistsError(
            f"{path} exists and was kept; pass overwrite (--overwrite) or move it"
        )


def replace(unfinished: Path, path: Path) -> None:
    """Put a finished file or directory in the place of what may stand there.

    Parameters
    ----------
    unfinished
        The finished work under its temporary name, in the same folder.
    path
        Its final name.
    """
    if not path.is_dir():
        os.replace(unfinished, path)
        return
    old = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.old")
    os.replace(path, old)
    os.replace(unfinished, path)
    shutil.rmtree(old)
