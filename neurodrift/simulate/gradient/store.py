"""One run as a store: its recording, and beside it measures, weights and settings."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import xarray as xr

from neurodrift.io.zarr import refuse_existing, save_recording
from neurodrift.simulate.gradient.networks import initialise
from neurodrift.simulate.gradient.run import Run
from neurodrift.simulate.gradient.settings import RunSettings


def save_run(
    run: Run, settings: RunSettings, path: str | os.PathLike[str], *, overwrite: bool = False
) -> Path:
    """Write a run as a recording with the groups ``measures``, ``weights`` and ``hessian``.

    The store is a recording as any other: :func:`neurodrift.open_recording` opens it,
    ``neurodrift analyze`` analyses it.

    Parameters
    ----------
    run
        A run with snapshots.
    settings
        What it was made with; kept in the attributes of ``measures``.
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
    >>> from neurodrift.simulate.gradient.store import open_measures, save_run
    >>> from neurodrift.simulate.gradient.settings import settings_from_values
    >>> settings = settings_from_values({"task": {"name": "random"}, "n_steps": 50, "measures": 6})
    >>> path = save_run(settings.train(), settings, tempfile.mkdtemp() + "/run.zarr")
    >>> nd.open_recording(path).sizes["session"], open_measures(path)["loss"].sizes["step"]
    (11, 6)
    """
    refuse_existing(Path(path), overwrite)
    groups = {"measures": run.measures.assign_attrs(settings=json.dumps(asdict(settings)))}
    if settings.weights:
        groups["weights"] = _weights(run)
    spectra = settings.curvature(run)
    if spectra is not None:
        groups["hessian"] = spectra
    return save_recording(run.recording(), path, groups=groups, overwrite=overwrite)


def open_measures(path: str | os.PathLike[str], group: str = "measures") -> xr.Dataset:
    """Measures of a stored run.

    Parameters
    ----------
    path
        A store made by :func:`save_run` or ``neurodrift simulate``.
    group
        ``measures``, ``weights`` or ``hessian``.

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
    return xr.open_zarr(path, group=group, consolidated=False, decode_times=False).load()


def _weights(run: Run) -> xr.Dataset:
    sizes = initialise(
        run.task.n_inputs, run.network.n_hidden, run.task.n_outputs, depth=run.network.depth
    )
    arrays = {
        name: (("snapshot_step", *_dims(name, array.ndim)), run.weights[name])
        for name, array in sizes.items()
    }
    return xr.Dataset(arrays, coords={"snapshot_step": run.snapshot_steps})


def _dims(name: str, n: int) -> tuple[str, ...]:
    """Rows and columns have names of their own, as layers differ in size."""
    if name == "V":
        return ("output", "hidden")
    first = name in ("W", "W1")
    return ("hidden", "feature" if first else "hidden_before")[:n]
