"""Stores of simulations: one run beside its recording, and the one store of a sweep.

In a sweep's store the numbers and curves of every run are columns along ``run``, padded with NaN;
what else a run leaves (:meth:`neurodrift.simulate.settings.kinds.Result.groups`) is packed into
the bytes of ``data``. One task writes one shard of each array, and describes them in the manifest
last (:mod:`neurodrift.simulate.shards`).
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from neurodrift._version import __version__
from neurodrift.io.manifest import store_attributes
from neurodrift.io.zarr import checked_store, object_strings, save_recording
from neurodrift.schema import FORMAT_VERSION
from neurodrift.schema.version import expect_version
from neurodrift.simulate.settings.kinds import parameters, settings_from_text, settings_text
from neurodrift.simulate.settings.sweep import SweepConfig
from neurodrift.simulate.shards import describe_block, describe_template, sweep_manifest

TITLE = "neurodrift sweep"
_PIECE = 2**20  # bytes of a packed run that are compressed together
_MOST_PIECES = 16  # of a run in one file
_SLACK = 2**16  # for names and attributes of a packed run
_SETTINGS_CHUNK = 256


def save_run(
    result: Any, settings: Any, path: str | os.PathLike[str], *, overwrite: bool = False
) -> Path:
    """Store what a simulation leaves: a recording as any other, and groups beside it.

    :func:`neurodrift.open_recording` opens the recording, ``neurodrift analyze`` analyses it.

    Parameters
    ----------
    result, settings
        What came out, and what it was made with; the settings stand in the attributes of
        ``measures``.
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
        If the run ended before its first snapshot.

    Examples
    --------
    >>> import tempfile
    >>> import neurodrift as nd
    >>> from neurodrift.simulate.settings.kinds import settings_from_values
    >>> from neurodrift.simulate.store import open_measures, save_run
    >>> settings = settings_from_values({"task": {"name": "random"}, "n_steps": 50, "measures": 6})
    >>> path = save_run(settings.simulate(), settings, tempfile.mkdtemp() + "/run.zarr")
    >>> nd.open_recording(path).sizes["session"], open_measures(path)["loss"].sizes["step"]
    (11, 6)
    """
    groups = result.groups()
    groups["measures"] = groups["measures"].assign_attrs(settings=settings_text(settings))
    return save_recording(result.recording(), path, groups=groups, overwrite=overwrite)


def open_run(path: str | os.PathLike[str], changes: Mapping[str, Any] | None = None) -> Any:
    """A stored run, as the simulation left it.

    Parameters
    ----------
    path
        A store made by :func:`save_run` or ``neurodrift simulate``.
    changes
        Settings by dotted key that are no longer true, such as ``tasks.path``: where the digits
        are now.

    Returns
    -------
    Result
        The run as it was made: measures, weights, and other recordings where its kind has them.

    Raises
    ------
    FileNotFoundError
        If there is no store, or data that it was made with are not where they were.
    ValueError
        If its weights were not stored.

    Examples
    --------
    >>> import tempfile
    >>> from neurodrift.simulate.settings.kinds import settings_from_values
    >>> from neurodrift.simulate.store import open_run, save_run
    >>> settings = settings_from_values({
    ...     "simulation": "continual", "learner": {"name": "sgd"}, "n_steps": 2, "batch_size": 4,
    ...     "tasks": {"name": "drawn", "n_each": 4, "n_tasks": 2},
    ... })
    >>> path = save_run(settings.simulate(), settings, tempfile.mkdtemp() + "/run.zarr")
    >>> open_run(path).recording("2 v 3").sizes["session"]
    3
    """
    path = Path(path)
    measures = open_measures(path)
    if "settings" not in measures.attrs:
        raise ValueError(f"{path} is no stored run: its measures name no settings")
    settings = settings_from_text(measures.attrs.pop("settings"), changes)
    names = {meta.parent.name for meta in path.glob("*/zarr.json") if _is_group(meta)}
    rest = {name: open_measures(path, name) for name in sorted(names - {"measures"})}
    return settings.restore({"measures": measures} | rest)


def _is_group(meta: Path) -> bool:
    return bool(json.loads(meta.read_text()).get("node_type") == "group")


def open_measures(path: str | os.PathLike[str], group: str = "measures") -> xr.Dataset:
    """Measures of a stored run.

    Parameters
    ----------
    path
        A store made by :func:`save_run` or ``neurodrift simulate``.
    group
        ``measures``, ``weights``, or another group of its kind, such as ``hessian``.

    Returns
    -------
    xarray.Dataset
        In memory.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    if not (Path(path) / group / "zarr.json").is_file():
        raise FileNotFoundError(f"no {group} of a run at {path}")
    store: Any = checked_store(Path(path))
    stored = xr.open_zarr(store, group=group, consolidated=False, decode_times=False)
    return object_strings(stored.load())


@dataclass(frozen=True)
class Column:
    """One stored variable: what is after ``run``, and what stands where nothing was written."""

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    attrs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def fill(self) -> Any:
        """What stands where a run has no value."""
        return {"f": np.nan, "i": -1, "O": ""}.get(np.dtype(_numpy(self.dtype)).kind, 0)


def _numpy(dtype: str) -> str:
    return "O" if dtype == "string" else dtype


def columns(runs: Sequence[Any]) -> tuple[dict[str, Column], dict[str, xr.DataArray]]:
    """Every variable that workers write, and every coordinate that all runs share.

    Parameters
    ----------
    runs
        Settings of all runs.

    Returns
    -------
    columns : dict of Column
        By name, without what is packed.
    coords : dict of xarray.DataArray
        Coordinates by dim.

    Notes
    -----
    A variable that kinds define differently is one column for each, ``kind.name``. A coordinate in
    which runs differ is a column ``dim_of_run``.
    """
    outlines: dict[tuple[str, int], xr.Dataset] = {}
    for run in runs:
        outline = run.outline()
        outlines[run.kind, id(outline)] = outline
    sizes: dict[str, int] = {}
    forms: dict[str, dict[str, xr.DataArray]] = {}
    coords: dict[str, xr.DataArray] = {}
    differ: set[str] = set()
    for (kind, _), outline in outlines.items():
        for name, array in outline.data_vars.items():
            forms.setdefault(str(name), {}).setdefault(kind, array)
        for dim, size in outline.sizes.items():
            sizes[str(dim)] = max(size, sizes.get(str(dim), 0))
        for name, array in outline.coords.items():
            if not coords.setdefault(str(name), array).identical(array):
                differ.add(str(name))
    reason = Column((), (), "string", {"long_name": "why the run ended"})
    found = {"reason": reason}
    for name, of_kind in forms.items():
        same = len({_form(array) for array in of_kind.values()}) == 1
        for kind, array in of_kind.items():
            dims = tuple(map(str, array.dims))
            shape = tuple(sizes[dim] for dim in dims)
            column = Column(dims, shape, array.dtype.str, dict(array.attrs))
            found[name if same else f"{kind}.{name}"] = column
    for name in sorted(differ):
        array = coords.pop(name)
        dtype = "string" if array.dtype.kind == "O" else array.dtype.str
        attrs = {"long_name": f"{name} of each run, which differ"}
        found[f"{name}_of_run"] = Column((name,), (sizes[name],), dtype, attrs)
    return found, coords


def _form(array: xr.DataArray) -> str:
    return json.dumps([array.dims, array.dtype.str, array.attrs], default=str)


def create(path: Path, config: SweepConfig) -> None:
    """Write the template: parameters and coordinates whole, everything else empty.

    Parameters
    ----------
    path
        Where the store appears once the template is whole.
    config
        The runs.
    """
    import zarr

    path.parent.mkdir(parents=True, exist_ok=True)
    template = path.with_name(f".{path.name}.template")
    shutil.rmtree(template, ignore_errors=True)  # what a driver that was killed here left
    per_task, n_runs = config.runs_per_task, len(config.runs)
    wanted, coords = columns(config.runs)
    table = _table(config).assign_coords(coords)
    table.attrs["columns"] = list(wanted)
    piece, n_pieces = _pieces(config, wanted)
    try:
        table.to_zarr(
            template,
            zarr_format=3,
            consolidated=False,
            encoding={"settings": {"chunks": (min(_SETTINGS_CHUNK, n_runs),)}},
        )
        group = zarr.open_group(template, mode="r+", zarr_format=3, use_consolidated=False)
        for name, column in wanted.items():
            group.create_array(
                name,
                shape=(n_runs, *column.shape),
                chunks=(per_task, *(max(size, 1) for size in column.shape)),
                dtype=column.dtype,
                fill_value=column.fill,
                dimension_names=("run", *column.dims),
                attributes=dict(column.attrs),
            )
        in_file = min(n_pieces, _MOST_PIECES)
        group.create_array(
            "data",
            shape=(n_runs, n_pieces * piece),
            chunks=(1, piece),
            shards=(per_task, in_file * piece) if per_task * in_file > 1 else None,
            dtype="uint8",
            fill_value=0,
            dimension_names=("run", "byte"),
            attributes={"long_name": "what else the run left, packed"},
        )
        describe_template(template)
        os.replace(template, path)
    except BaseException:
        shutil.rmtree(template, ignore_errors=True)
        raise


def _pieces(config: SweepConfig, wanted: Mapping[str, Column]) -> tuple[int, int]:
    """Bytes that are compressed together, and how many times that a run has at most."""
    in_table = sum(int(np.prod(column.shape)) for column in wanted.values()) * 8
    width = max(run.n_bytes() for run in config.runs) + in_table + _SLACK
    piece = min(width, _PIECE)
    return piece, -(-width // piece)


def block_arrays(
    path: Path, settings: Sequence[Any], results: Sequence[Any]
) -> dict[str, np.ndarray]:
    """What is stored of the runs of one task.

    Parameters
    ----------
    path
        The store, which knows the columns.
    settings, results
        Of each run, in the same order.

    Returns
    -------
    dict of numpy.ndarray
        (run, ...) by name.

    Raises
    ------
    ValueError
        If a run has more than its kind's outline says.
    """
    import zarr

    group = zarr.open_group(path, mode="r", zarr_format=3, use_consolidated=False)
    arrays: dict[str, np.ndarray] = {}
    for name in attributes(path)["columns"]:
        array: Any = group[name]
        words = array.dtype.kind not in "fiub"
        fill, dtype = ("", object) if words else (array.fill_value, array.dtype)
        arrays[name] = np.full((len(settings), *array.shape[1:]), fill, dtype)
    packed = []
    for i, (one, result) in enumerate(zip(settings, results, strict=True)):
        arrays["reason"][i] = result.reason
        packed.append(_pack(result.groups(), _fill_rows(arrays, i, one.kind, result.table())))
    data: Any = group["data"]
    width = max(map(len, packed))
    if width > data.shape[1]:
        raise ValueError(
            f"a run left {width} bytes, but its kind's n_bytes promised at most {data.shape[1]}"
        )
    arrays["data"] = np.zeros((len(settings), width), "uint8")
    for row, text in zip(arrays["data"], packed, strict=True):
        row[: len(text)] = np.frombuffer(text, "uint8")
    return arrays


def _fill_rows(
    arrays: Mapping[str, np.ndarray], i: int, kind: str, table: xr.Dataset
) -> dict[str, tuple[str, np.ndarray]]:
    """Put a run's table into row `i` of the columns; column and row by name in the table."""
    rows = {}
    for name, array in table.variables.items():
        names = (f"{kind}.{name}", str(name)) if name in table.data_vars else (f"{name}_of_run",)
        column = next((own for own in names if own in arrays), None)
        if column is None:
            continue
        row: Any = arrays[column][i : i + 1]
        sizes = zip(array.shape, row.shape[1:], strict=False)
        if array.ndim != row.ndim - 1 or any(size > most for size, most in sizes):
            raise ValueError(
                f"{name} of a {kind} run has the shape {array.shape}, but the outline of its "
                f"settings {row.shape[1:]}"
            )
        row[(0, *(slice(size) for size in array.shape))] = array.values
        rows[str(name)] = (column, row[0])
    return rows


def _pack(groups: Mapping[str, xr.Dataset], rows: Mapping[str, tuple[str, Any]]) -> bytes:
    """A run's groups as bytes: a description in JSON, then the arrays that no column holds."""
    described: dict[str, Any] = {}
    parts: list[bytes] = []
    for group, dataset in groups.items():
        variables = []
        for name, variable in dataset.variables.items():
            values = np.ascontiguousarray(variable.values).reshape(variable.shape)
            one: dict[str, Any] = {"name": name, "dims": variable.dims, "shape": values.shape}
            one |= {"dtype": values.dtype.str, "attrs": variable.attrs}
            one["coord"] = name in dataset.coords
            column, row = rows.get(str(name), ("", None))
            if values.dtype.kind in "OUT":
                one |= {"dtype": "object", "values": values.astype(object).tolist()}
            elif row is not None and _same(row, values):
                one["column"] = column
            else:
                one["start"] = sum(map(len, parts))
                parts.append(values.tobytes())
            variables.append(one)
        described[group] = {"attrs": dataset.attrs, "variables": variables}
    text = json.dumps(described, default=_json).encode()
    return len(text).to_bytes(8, "little") + text + b"".join(parts)


def _same(row: Any, values: Any) -> bool:
    """Whether a column holds these very bytes."""
    if row.dtype != values.dtype or row.ndim != values.ndim:
        return False
    cut: Any = tuple(slice(size) for size in values.shape)
    there = row[cut]
    return there.shape == values.shape and there.tobytes() == values.tobytes()


def _json(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"attributes of a run hold a {type(value).__name__}, expected plain values")


def read_groups(path: Path, run: int) -> dict[str, xr.Dataset]:
    """Groups of a run of a sweep, as it left them.

    Parameters
    ----------
    path
        The store.
    run
        Its number.

    Returns
    -------
    dict of xarray.Dataset
        By name.
    """
    import zarr

    from neurodrift.io.checked import CheckedStore

    checked = CheckedStore(path, sweep_manifest(path))
    store = zarr.open_group(checked, mode="r", zarr_format=3, use_consolidated=False)
    data: Any = store["data"]
    packed = np.asarray(data[run]).tobytes()
    start = 8 + int.from_bytes(packed[:8], "little")
    groups = {}
    for group, described in json.loads(packed[8:start]).items():
        variables: dict[bool, dict[str, Any]] = {True: {}, False: {}}
        for one in described["variables"]:
            shape, dims = tuple(one["shape"]), tuple(one["dims"])
            if "values" in one:
                values = np.array(one["values"], dtype=object).reshape(shape)
            elif "column" in one:
                column: Any = store[one["column"]]
                cut: Any = (run, *(slice(size) for size in shape))
                values = np.asarray(column[cut])
            else:
                dtype, n = np.dtype(one["dtype"]), int(np.prod(shape))
                at = start + one["start"]
                values = np.frombuffer(packed, dtype, n, at).reshape(shape).copy()
            variables[one["coord"]][one["name"]] = (dims, values, one["attrs"])
        groups[group] = xr.Dataset(variables[False], variables[True], described["attrs"])
    return groups


def store_block(path: Path, start: int, arrays: Mapping[str, np.ndarray]) -> None:
    """Write the runs of one task, then describe them in the manifest.

    Parameters
    ----------
    path
        The store.
    start
        Number of the first run.
    arrays
        (run, ...) by name.

    Raises
    ------
    ValueError
        If the runs are not one whole shard: two tasks would write into one file.
    """
    import zarr

    group = zarr.open_group(path, mode="r+", zarr_format=3, use_consolidated=False)
    reasons: Any = group["reason"]
    n_runs, shard = reasons.shape[0], reasons.chunks[0]
    stop = start + len(arrays["reason"])
    if start % shard or stop != min(start + shard, n_runs):
        raise ValueError(f"runs {start} to {stop} are no whole shard of {shard} of {n_runs} runs")
    for name, values in arrays.items():
        array: Any = group[name]
        if name == "data":
            array[start:stop, : values.shape[1]] = values
        elif values.size:
            array[start:stop] = values
    describe_block(path, start)


def attributes(path: Path) -> dict[str, Any]:
    """Attributes of a store, checked to be a sweep's.

    Parameters
    ----------
    path
        A store.

    Returns
    -------
    dict
        ``fingerprint``, ``neurodrift_version`` and others.

    Raises
    ------
    FileNotFoundError
        If there is no store.
    ValueError
        If it is no sweep, or of another format version.
    """
    meta = path / "zarr.json"
    if not meta.is_file():
        raise FileNotFoundError(f"no sweep at {path}: expected a Zarr v3 directory")
    try:
        json.loads(meta.read_text())["attributes"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{meta} cannot be read: {error}") from error
    attrs = store_attributes(path)
    if attrs.get("title") != TITLE:
        raise ValueError(f"{path} is no sweep, but {attrs.get('title', 'another Zarr store')!r}")
    version = attrs.get("format_version")
    expect_version(path, version if isinstance(version, int) else FORMAT_VERSION + 1, "sweep")
    if "columns" not in attrs:
        raise ValueError(
            f"{path} was made by neurodrift {attrs.get('neurodrift_version')}, whose sweeps this "
            "one does not read: make it again"
        )
    return attrs


def _table(config: SweepConfig) -> xr.Dataset:
    """Parameters and settings."""
    runs = config.runs
    tables = [{"simulation": run.kind} | parameters(run) for run in runs]
    table = xr.Dataset(
        {key: ("run", _parameter([t.get(key) for t in tables])) for key in config.varied},
        coords={"run": ("run", np.arange(len(runs)), {"long_name": "number of the run"})},
    )
    texts = [settings_text(run) for run in runs]
    table["settings"] = ("run", np.array(texts, dtype=object))
    table["settings"].attrs["long_name"] = "complete settings of the run, in JSON"
    table.attrs = {
        "title": TITLE,
        "format_version": FORMAT_VERSION,
        "neurodrift_version": __version__,
        "fingerprint": config.fingerprint,
        "runs_per_task": config.runs_per_task,
        "parameters": list(config.varied),
    }
    return table


def _parameter(values: list[Any]) -> np.ndarray:
    """A column of numbers, with NaN where a task has no such option, or of words."""
    there = [value for value in values if value is not None]
    if all(isinstance(value, bool) for value in there) and len(there) == len(values):
        return np.array(values, dtype=bool)
    if all(isinstance(value, int) for value in there) and len(there) == len(values):
        return np.array(values, dtype=np.int64)
    if all(isinstance(value, int | float) for value in there):
        return np.array([np.nan if v is None else float(v) for v in values])
    words = ["" if v is None else v if isinstance(v, str) else json.dumps(v) for v in values]
    return np.array(words, dtype=object)
