"""Recordings and results as Zarr v3 stores that are whole or not there."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

import numpy as np
import xarray as xr

from neurodrift.io.manifest import (
    DamagedStoreError,
    missing_files,
    read_manifest,
    store_attributes,
    write_manifest,
)
from neurodrift.io.output import whole
from neurodrift.io.unfinished import UnfinishedStore, end_writing
from neurodrift.progress import bar
from neurodrift.recording import slice_sessions
from neurodrift.schema import FORMAT_VERSION, check, recording_table
from neurodrift.schema.objects import expect_type, path_of
from neurodrift.schema.version import expect_version

if TYPE_CHECKING:
    from neurodrift.io.checked import CheckedStore

_TIME_CHUNK = 8192  # sessions have any length, so stored chunks are regular and shorter
_UNIT_CHUNK = 256
_STREAM_BYTES = 3 * 2**27  # of activity that is on its way into a store


def save_recording(
    recording: xr.Dataset,
    path: str | os.PathLike[str],
    *,
    groups: Mapping[str, xr.Dataset] | None = None,
    overwrite: bool = False,
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
    groups
        Further Datasets that are stored beside the recording, each as a group of its name.
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
    return _write_whole(xr.DataTree(recording), path, overwrite, _chunks(recording), groups or {})


class Blocks(Protocol):
    """Activity (time, unit) that is read block by block."""

    @property
    def shape(self) -> tuple[int, int]:
        """(time, unit)."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of its numbers."""

    def read(self, first: int, stop: int, units: slice) -> np.ndarray:
        """Some frames, from `first` up to `stop`, of some units."""

    def release(self, before: int) -> None:
        """Forget what is not needed after a frame."""


def write_in_blocks(
    recording: xr.Dataset,
    activity: Blocks,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    progress: bool = False,
) -> Path:
    """Write a recording whose activity is read while it is written.

    The store is that of :func:`save_recording`, but for chunks without activity, which are
    written too.

    Parameters
    ----------
    recording
        A recording; its own activity is not looked at.
    activity
        The activity that is written.
    path
        Directory of the new store.
    overwrite
        Whether an existing store is replaced.
    progress
        Whether to show a progress bar when on a terminal.

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
    """
    import dask.array as da
    import zarr

    check(recording)
    encoding = _chunks(recording)
    chunks = encoding["/"]["activity"]["chunks"]
    place = da.zeros(activity.shape, dtype=activity.dtype, chunks=chunks)
    rest = object_strings(recording.drop_vars("activity").compute().drop_encoding())
    rest["activity"] = (("time", "unit"), place, recording["activity"].attrs)
    blocks = _blocks(activity.shape, chunks, activity.dtype.itemsize)
    with whole_store(path, overwrite=overwrite) as unfinished:
        store: Any = UnfinishedStore(unfinished)
        rest.to_zarr(
            store,
            zarr_format=3,
            consolidated=False,
            encoding={"activity": encoding["/"]["activity"]},
            compute=False,
        )
        stored: Any = zarr.open_array(
            store, path="activity", mode="r+", config={"write_empty_chunks": True}
        )
        for time, units in bar(blocks, "import", progress, unit="block"):
            stored[time, units] = activity.read(time.start, time.stop, units)
            activity.release(time.start)
    return Path(path)


def _blocks(
    shape: tuple[int, int], chunks: tuple[int, int], itemsize: int
) -> list[tuple[slice, slice]]:
    """Stored chunks of the same frames, as many units as may be in memory together."""
    n_parts = max(1, -(-chunks[0] * shape[1] * itemsize // _STREAM_BYTES))
    width = max(chunks[1], -(-shape[1] // (n_parts * chunks[1])) * chunks[1])
    return [
        (slice(time, min(time + chunks[0], shape[0])), slice(unit, min(unit + width, shape[1])))
        for time in range(0, shape[0], chunks[0])
        for unit in range(0, shape[1], width)
    ]


def open_recording(path: str | os.PathLike[str]) -> xr.Dataset:
    """Open a recording lazily, in Dask chunks of one session and a block of units.

    A chunk is read from the store by itself, so that no part of one session waits in memory for
    another. Plain :meth:`xarray.Dataset.to_zarr` knows chunks of one size only: where sessions
    differ in length, use :func:`save_recording`, or first
    ``recording.assign(activity=recording["activity"].chunk(time=8192))``.

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
    from neurodrift.schema.json import description_faults

    path = path_of("path", path)
    stored = _open(path, "recording", chunks=None).to_dataset()
    faults = description_faults(stored, recording_table(stored))
    if faults:
        listed = "\n".join(f"- {fault}" for fault in faults)
        raise ValueError(f"{path} is not a whole recording:\n{listed}")
    with _damage_told(path):
        recording = _load_all_but_activity(stored, path).drop_encoding()
    check(recording)
    return recording


def save_results(
    results: xr.DataTree, path: str | os.PathLike[str], *, overwrite: bool = False
) -> Path:
    """Write results as one Zarr v3 store.

    Parameters
    ----------
    results
        A tree, for example from :func:`neurodrift.analyze`; lazy arrays are computed while they
        are written. Every node is given the format version.
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
    expect_type("results", results, xr.DataTree, "a tree of results, as neurodrift.analyze gives")
    results = results.map_over_datasets(
        lambda node: _even_chunks(node.assign_attrs(format_version=FORMAT_VERSION))
    )
    return _write_whole(results, path, overwrite, None, {})


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
    path = path_of("path", path)
    title = store_attributes(path).get("title") if (path / "zarr.json").is_file() else None
    if title == "neurodrift recording":
        raise ValueError(f"{path} is a recording, no results: open_recording opens it")
    stored = _open(path, "results", chunks={})
    with _damage_told(path):
        return stored.map_over_datasets(lambda node: object_strings(node.load()))


def _open(path: Path, what: str, chunks: dict[str, Any] | None) -> xr.DataTree:
    if not (path / "zarr.json").is_file():
        raise FileNotFoundError(f"no {what} at {path}: expected a Zarr v3 directory")
    version = store_attributes(path).get("format_version")
    if not isinstance(version, int):
        raise ValueError(f"{path} has no format_version: it was not written by neurodrift")
    expect_version(path, version, what)
    store: Any = checked_store(path)
    try:
        opened = xr.open_datatree(
            store,
            engine="zarr",
            decode_times=False,
            consolidated=False,
            chunks=chunks,
            cache=False,
        )
        return xr.DataTree.from_dict(
            {node.path: in_order(node.to_dataset(inherit=False)) for node in opened.subtree},
            name=opened.name,
        )
    except DamagedStoreError:
        raise
    except Exception as error:
        raise ValueError(f"{path} cannot be read, the store is damaged: {error}") from error


def checked_store(path: Path) -> CheckedStore:
    """A store to read from, which has all of its files.

    Parameters
    ----------
    path
        Directory of the store.

    Returns
    -------
    CheckedStore
        Whatever is read from it is held against its manifest. Without a manifest, a warning says
        that nothing can be checked.

    Raises
    ------
    DamagedStoreError
        If a file is missing, or not as long as it was.
    """
    from neurodrift.io.checked import CheckedStore, explained

    manifest = read_manifest(path)
    if manifest is None:
        warnings.warn(
            f"{path} has no manifest, as stores of other programs: whether all of it is there "
            "cannot be checked",
            stacklevel=2,
        )
    else:
        faults = missing_files(path, manifest)
        if faults:
            raise DamagedStoreError(explained(path, faults))
    return CheckedStore(path, manifest)


def _storable(recording: xr.Dataset) -> xr.Dataset:
    """Lazy activity in multiples of the stored chunks, so that no two tasks write into one."""
    activity = recording["activity"]
    if activity.chunks is not None:
        activity = activity.chunk(time=4 * _TIME_CHUNK, unit=_UNIT_CHUNK)
    return recording.drop_vars("activity").compute().assign(activity=activity.variable)


def _even_chunks(dataset: xr.Dataset) -> xr.Dataset:
    """Lazy variables in chunks of one size, as Zarr has them."""
    even = {
        name: array.chunk({dim: max(sizes) for dim, sizes in array.chunksizes.items()})
        for name, array in dataset.variables.items()
        if array.chunksizes
    }
    lazy_coords = {name: even.pop(name) for name in list(even) if name in dataset.coords}
    return dataset.assign(even).assign_coords(lazy_coords)


def in_order(dataset: xr.Dataset, first: Iterable[str] = ()) -> xr.Dataset:
    """Variables in an order of their own: a store names them in the order of its answers.

    Parameters
    ----------
    dataset
        As it was opened.
    first
        Variables that lead, where they are there.

    Returns
    -------
    xarray.Dataset
        The same; variables that `first` does not name, and coordinates, in the order of their
        names.
    """
    leading = [name for name in first if name in dataset.data_vars]
    others = sorted(set(map(str, dataset.data_vars)) - set(leading))
    coords = {name: dataset.variables[name] for name in sorted(map(str, dataset.coords))}
    variables = {name: dataset.variables[name] for name in [*leading, *others]}
    return xr.Dataset(variables, coords=coords, attrs=dataset.attrs)


def object_strings(dataset: xr.Dataset) -> xr.Dataset:
    """Strings as objects: fixed lengths have no Zarr v3 specification, StringDType few methods.

    Parameters
    ----------
    dataset
        As it was read, or as it will be written.

    Returns
    -------
    xarray.Dataset
        The same with strings of dtype object.
    """
    strings = [name for name, array in dataset.variables.items() if array.dtype.kind in "UT"]
    return dataset.assign_coords(
        {name: dataset[name].astype(object) for name in strings if name in dataset.coords}
    ).assign(
        {
            name: dataset[name].variable.astype(object)
            for name in strings
            if name in dataset.data_vars
        }
    )


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    """What codecs raise of chunks that no manifest holds, as an error that names the store."""
    try:
        yield
    except RuntimeError as error:
        raise DamagedStoreError(f"{path} is damaged: a chunk cannot be read ({error})") from error


def _load_all_but_activity(stored: xr.Dataset, path: Path) -> xr.Dataset:
    """Activity stays lazy, in chunks of one session and a block of units."""
    import dask.array as da

    rest = object_strings(stored.drop_vars("activity").load())
    lazy = stored["activity"].variable
    lengths = tuple(s.stop - s.start for s in slice_sessions(rest) if s.stop > s.start)
    chunks = (lengths or -1, _UNIT_CHUNK)
    activity = da.from_array(_Stored(lazy, path), chunks=chunks)
    return rest.assign(activity=(lazy.dims, activity, lazy.attrs)).assign_attrs(stored.attrs)


class _Stored:
    """A stored variable that is read part by part, each of which tells its damage."""

    def __init__(self, variable: xr.Variable, path: Path) -> None:
        manifest = read_manifest(path)
        self._variable, self._path = variable, path
        self._generation = uuid4().hex if manifest is None else manifest.generation
        self.shape, self.dtype, self.ndim = variable.shape, variable.dtype, variable.ndim

    def __dask_tokenize__(self) -> tuple[str, str]:
        """Without a manifest nobody knows whether the store is what it was."""
        return str(self._path.resolve()), self._generation

    def __getitem__(self, key: Any) -> np.ndarray:
        with _damage_told(self._path):
            return np.asarray(self._variable[key].values)


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
    groups: Mapping[str, xr.Dataset],
) -> Path:
    tree = tree.map_over_datasets(lambda node: object_strings(node.drop_encoding()))
    with whole_store(path, overwrite=overwrite) as unfinished:
        store: Any = UnfinishedStore(unfinished)
        tree.to_zarr(store, zarr_format=3, consolidated=False, encoding=encoding)
        for name, dataset in groups.items():
            dataset.to_zarr(store, group=name, mode="a", zarr_format=3, consolidated=False)
    return Path(path)


@contextmanager
def whole_store(path: str | os.PathLike[str], *, overwrite: bool) -> Iterator[Path]:
    """Let a store be written under a hidden name and put it in its place when it is whole.

    Parameters
    ----------
    path
        Directory of the new store.
    overwrite
        Whether an existing store is replaced.

    Yields
    ------
    pathlib.Path
        Where to write. Whatever is raised discards it.

    Raises
    ------
    FileExistsError
        If `path` exists and `overwrite` is False, it is no store of the same kind, or another
        command is writing it.
    """
    path = Path(path)
    with whole(path, overwrite=overwrite) as unfinished:
        if path.is_file():
            raise FileExistsError(f"{path} is a file and was kept: choose another name")
        if path.is_dir() and any(path.iterdir()) and not (path / "zarr.json").is_file():
            raise FileExistsError(f"{path} is no Zarr store and was kept: choose another name")
        try:
            yield unfinished
            refuse_other_kind(path, str(store_attributes(unfinished).get("title", "")))
            write_manifest(unfinished)
        except BaseException:
            end_writing(unfinished)
            raise


def refuse_other_kind(path: Path, title: str) -> None:
    """Raise an error if a store of another kind would be replaced.

    Parameters
    ----------
    path
        Where the store is to be written.
    title
        What it holds, such as ``"neurodrift results"``.

    Raises
    ------
    FileExistsError
        If what stands there is another kind of store, or not from neurodrift.
    """
    if not (path / "zarr.json").is_file():
        return
    there = str(store_attributes(path).get("title", ""))
    if there != title:
        raise FileExistsError(
            f"{path} holds {there or 'a store of another program'!r}, not {title!r}, and was kept: "
            "overwrite replaces only the same kind; choose another name"
        )
