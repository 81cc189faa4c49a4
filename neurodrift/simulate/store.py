"""The Zarr store of a sweep: a template, one shard for each task along ``run``, done marks."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from neurodrift._version import __version__
from neurodrift.schema import FORMAT_VERSION
from neurodrift.simulate.curvature.measures import SPECTRUM
from neurodrift.simulate.gradient.networks import initialise
from neurodrift.simulate.gradient.run import EARLY_LOSS, MEASURES, REASONS, Run
from neurodrift.simulate.gradient.settings import RunSettings
from neurodrift.simulate.settings.sweep_config import SweepConfig

TITLE = "neurodrift sweep"


@dataclass(frozen=True)
class Column:
    """One stored variable: what is after ``run``, and what stands where nothing was written."""

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    fill: float | int
    attrs: Mapping[str, Any]


def columns(runs: tuple[RunSettings, ...]) -> dict[str, Column]:
    """Every variable that workers write, by name.

    Parameters
    ----------
    runs
        Settings of all runs.

    Returns
    -------
    dict of Column
        Without the done mark.
    """
    first = runs[0]
    n_steps, n_snapshots = first.steps("measures").size, first.steps("snapshots").size
    flags = {"flag_values": list(range(len(REASONS))), "flag_meanings": " ".join(REASONS)}
    reason = {"long_name": "why the run ended; -1: not made"} | flags
    found = {
        "reason": Column((), (), "int8", -1, reason),
        "steps_made": Column((), (), "int64", -1, {"units": "step", "long_name": "updates made"}),
        "snapshots_made": Column((), (), "int64", -1, {"long_name": "snapshots before its end"}),
    }
    for name, text in MEASURES.items():
        attrs = {"units": "1", "long_name": text}
        found[name] = Column(("step",), (n_steps,), "float64", np.nan, attrs)
    if first.n_early:
        attrs = {"units": "1", "long_name": EARLY_LOSS}
        n_early = min(first.n_early, first.n_steps)
        found["early_loss"] = Column(("early_step",), (n_early,), "float64", np.nan, attrs)
    if first.hessian is not None:
        for name, text in SPECTRUM.items():
            attrs = {"units": "1", "long_name": text}
            found[name] = Column(("snapshot_step",), (n_snapshots,), "float64", np.nan, attrs)
    if first.weights:
        n_most = max(sum(map(int, sizes)) for sizes in _sizes(runs))
        attrs = {"long_name": "all trainable arrays in order, in C order, then NaN"}
        dims, shape = ("snapshot_step", "parameter"), (n_snapshots, n_most)
        found["weights"] = Column(dims, shape, first.dtype, np.nan, attrs)
    return found


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
    runs, per_task = config.runs, config.runs_per_task
    try:
        _table(config).to_zarr(template, zarr_format=3, consolidated=False)
        group = zarr.open_group(template, mode="r+", zarr_format=3, use_consolidated=False)
        wanted = columns(runs) | {"done": Column((), (), "uint8", 0, {"long_name": "run is whole"})}
        for name, column in wanted.items():
            group.create_array(
                name,
                shape=(len(runs), *column.shape),
                chunks=(1, *column.shape),
                shards=None if per_task == 1 else (per_task, *column.shape),
                dtype=column.dtype,
                fill_value=column.fill,
                dimension_names=("run", *column.dims),
                attributes=dict(column.attrs),
            )
        os.replace(template, path)
    except BaseException:
        shutil.rmtree(template, ignore_errors=True)
        raise


def block_arrays(
    settings: list[RunSettings], runs: Iterable[Run], path: Path
) -> dict[str, np.ndarray]:
    """What is stored of the runs of one task.

    Parameters
    ----------
    settings
        Of each run.
    runs
        The runs, in the same order.
    path
        The store, which knows the widest run's weights.

    Returns
    -------
    dict of numpy.ndarray
        (run, ...) by name.
    """
    import zarr

    group = zarr.open_group(path, mode="r", zarr_format=3, use_consolidated=False)
    arrays = {}
    for name, column in columns(tuple(settings)).items():
        stored: Any = group[name]
        arrays[name] = np.full((len(settings), *stored.shape[1:]), column.fill, column.dtype)
    for i, (one, run) in enumerate(zip(settings, runs, strict=True)):
        made = len(run.snapshot_steps)
        arrays["reason"][i] = REASONS.index(run.reason)
        arrays["steps_made"][i] = run.measures.attrs["steps_made"]
        arrays["snapshots_made"][i] = made
        for name in (*MEASURES, "early_loss"):
            if name in arrays:
                values = run.measures[name].values
                arrays[name][i, : values.size] = values
        spectra = one.curvature(run)
        if spectra is not None:
            for spectrum, array in spectra.data_vars.items():
                arrays[str(spectrum)][i, :made] = array.values
        if "weights" in arrays and made:
            flat = [run.weights[name].reshape(made, -1) for name in _shapes(one)]
            joined = np.concatenate(flat, axis=1)
            arrays["weights"][i, :made, : joined.shape[1]] = joined
    return arrays


def store_block(path: Path, start: int, arrays: Mapping[str, np.ndarray]) -> None:
    """Write the runs of one task, then their done marks.

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
    marks: Any = group["done"]
    n_runs = marks.shape[0]
    shard = (marks.shards or marks.chunks)[0]
    stop = start + len(arrays["reason"])
    if start % shard or stop != min(start + shard, n_runs):
        raise ValueError(f"runs {start} to {stop} are no whole shard of {shard} of {n_runs} runs")
    for name, values in arrays.items():
        array: Any = group[name]
        array[start:stop] = values
    marks[start:stop] = np.ones(stop - start, dtype="uint8")


def done_marks(path: Path) -> np.ndarray:
    """Which runs are whole.

    Parameters
    ----------
    path
        A store.

    Returns
    -------
    numpy.ndarray
        (run) bool.
    """
    import zarr

    group = zarr.open_group(path, mode="r", zarr_format=3, use_consolidated=False)
    marks: Any = group["done"]
    return np.asarray(marks[:]).astype(bool)


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
        If it is no sweep, or of a newer format version.
    """
    meta = path / "zarr.json"
    if not meta.is_file():
        raise FileNotFoundError(f"no sweep at {path}: expected a Zarr v3 directory")
    try:
        attrs = json.loads(meta.read_text())["attributes"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{meta} cannot be read: {error}") from error
    if attrs.get("title") != TITLE:
        raise ValueError(f"{path} is no sweep, but {attrs.get('title', 'another Zarr store')!r}")
    version = attrs.get("format_version")
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise ValueError(
            f"{path} has format version {version}, but this neurodrift reads up to "
            f"{FORMAT_VERSION}: install a newer neurodrift"
        )
    return attrs


def unflatten(settings: RunSettings, flat: np.ndarray) -> dict[str, np.ndarray]:
    """Stored weights by name.

    Parameters
    ----------
    settings
        Of the run.
    flat
        (snapshot, parameter).

    Returns
    -------
    dict of numpy.ndarray
        (snapshot, ...) by name.
    """
    weights, start = {}, 0
    for name, shape in _shapes(settings).items():
        stop = start + int(np.prod(shape))
        weights[name] = flat[:, start:stop].reshape(len(flat), *shape)
        start = stop
    return weights


def _shapes(settings: RunSettings) -> dict[str, tuple[int, ...]]:
    task, network, _ = settings.build()
    drawn = initialise(task.n_inputs, network.n_hidden, task.n_outputs, depth=network.depth)
    return {name: array.shape for name, array in drawn.items()}


def _sizes(runs: tuple[RunSettings, ...]) -> Iterable[list[int]]:
    seen: dict[str, list[int]] = {}
    for run in runs:
        key = json.dumps([run.task, run.network])
        if key not in seen:
            seen[key] = [int(np.prod(shape)) for shape in _shapes(run).values()]
    return seen.values()


def _table(config: SweepConfig) -> xr.Dataset:
    """Parameters, settings and coordinates."""
    runs, first = config.runs, config.runs[0]
    tables = [run.parameters() for run in runs]
    table = xr.Dataset(
        {key: ("run", _parameter([t.get(key) for t in tables])) for key in config.varied},
        coords={
            "run": ("run", np.arange(len(runs)), {"long_name": "number of the run"}),
            "step": ("step", first.steps("measures"), {"long_name": "updates made"}),
            "snapshot_step": ("snapshot_step", first.steps("snapshots")),
        },
    )
    table["snapshot_step"].attrs = {"long_name": "updates made before the snapshot"}
    if first.n_early:
        steps = np.arange(1, min(first.n_early, first.n_steps) + 1)
        table = table.assign_coords(early_step=("early_step", steps))
    texts = [json.dumps(asdict(run)) for run in runs]
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
