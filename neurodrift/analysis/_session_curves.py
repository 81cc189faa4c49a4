"""Curves of information against sample size for every session of a recording, NumPy or Dask."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import xarray as xr

from neurodrift.analysis._subsampling import Sampling, n_threads
from neurodrift.analysis.binning import session_activity
from neurodrift.recording import session_slices


def active_frames(recording: xr.Dataset, frames: xr.Dataset) -> xr.DataArray:
    """Frames (session, unit, direction) that count and in which the unit was active."""
    n_directions = frames.sizes["direction"]
    active = [
        xr.apply_ufunc(
            _count_active,
            session_activity(recording, where),
            frames["direction_bin"].isel(time=where).variable,
            input_core_dims=[["time"], ["time"]],
            output_core_dims=[["direction"]],
            kwargs={"n_directions": n_directions},
            dask="parallelized",
            output_dtypes=[np.int64],
            dask_gufunc_kwargs={"output_sizes": {"direction": n_directions}},
        )
        for where in session_slices(recording)
    ]
    return _concat(active).where(recording["detected"].variable, 0)


def _count_active(activity: np.ndarray, direction: np.ndarray, n_directions: int) -> np.ndarray:
    counts = [np.count_nonzero(activity[:, direction == d], axis=1) for d in range(n_directions)]
    return np.stack(counts, axis=-1)


def session_curves(
    recording: xr.Dataset,
    frames: xr.Dataset,
    enough: xr.DataArray,
    sampling: Sampling,
    curves: Callable[..., np.ndarray],
    pool: bool = False,
) -> xr.DataArray:
    """Curves (session, unit, direction, curve, fraction); below `enough` the last naive only."""
    sizes = {
        "direction": frames.sizes["direction"],
        "curve": 2,
        "fraction": len(sampling.fractions),
    }
    found = []
    for i, where in enumerate(session_slices(recording)):
        activity = session_activity(recording, where)
        arguments: list[xr.DataArray | xr.Variable] = [
            frames["position_bin"].isel(time=where).variable,
            frames["direction_bin"].isel(time=where).variable,
        ]
        dims = [["time"], ["direction"], ["time"], ["time"]]
        if pool:
            arguments.append(_pooled(activity, enough.isel(session=i)))
            dims.append(["direction", "bound", "time"])
        found.append(
            xr.apply_ufunc(
                _curves_of_session,
                activity,
                enough.isel(session=i),
                *arguments,
                input_core_dims=dims,
                output_core_dims=[list(sizes)],
                kwargs={
                    "curves": curves,
                    "session": str(recording["session"].values[i]),
                    "directions": frames["direction"].values.tolist(),
                    "sampling": sampling,
                    "threads": n_threads() if activity.chunks is None else 1,
                },
                dask="parallelized",
                output_dtypes=[np.float64],
                dask_gufunc_kwargs={"output_sizes": sizes},
            )
        )
    return _concat(found).where(recording["detected"].variable)


def _curves_of_session(
    activity: np.ndarray,
    enough: np.ndarray,
    position: np.ndarray,
    direction: np.ndarray,
    pooled: np.ndarray | None = None,
    *,
    curves: Callable[..., np.ndarray],
    session: str,
    directions: list[int],
    sampling: Sampling,
    threads: int,
) -> np.ndarray:
    found = np.full((len(activity), len(directions), 2, len(sampling.fractions)), np.nan)
    for d, name in enumerate(directions):
        used = np.flatnonzero(direction == d)
        if not used.size:
            continue
        _, state = np.unique(position[used], return_inverse=True)
        some = activity[:, used]
        if not (some >= 0).all():
            raise ValueError(
                f"activity is negative or NaN in session {session!r}; information needs activity "
                "of 0 or more: rectify it, for example activity.clip(min=0)"
            )
        for units, plan in ((enough[:, d], sampling), (~enough[:, d], sampling.whole_only())):
            if units.any():
                found[units, d] = curves(
                    some[units],
                    state,
                    names=(session, name),
                    sampling=plan,
                    threads=threads,
                    **({} if pooled is None else {"pooled": pooled[d][:, used]}),
                )
    return found


def _pooled(activity: xr.DataArray, enough: xr.DataArray) -> xr.DataArray:
    """Largest, smallest non-zero and wholeness (direction, bound, time) of all units' activity."""
    bounds = []
    for d in range(enough.sizes["direction"]):
        kept = activity.where(enough.isel(direction=d).variable, 0)
        smallest = kept.where(kept > 0, np.inf).min("unit")
        whole = (kept == np.floor(kept)).all("unit").astype(np.float64)
        bounds.append(xr.concat([kept.max("unit"), smallest, whole], dim="bound"))
    pooled = xr.concat(bounds, dim="direction")
    return pooled if pooled.chunks is None else pooled.chunk(-1)


def chosen_units(population: xr.DataArray | None, enough: xr.DataArray) -> xr.DataArray:
    """The units (...) of a population, refused where their labels differ."""
    if population is None:
        return xr.ones_like(enough)
    if not set(population.dims) <= set(enough.dims):
        raise ValueError(
            f"population has dims {population.dims}, expected some of (session, unit, direction)"
        )
    for dim in population.dims:
        if dim in population.coords and dim in enough.coords:
            wanted, given = enough[dim].values, population[dim].values
            if wanted.shape != given.shape or not (wanted == given).all():
                raise ValueError(
                    f"population has other labels of {dim} than the recording: reindex it, "
                    f"population.reindex({dim}=recording['{dim}'], fill_value=False)"
                )
    return population.astype(bool)


def mean_over_units(curves: np.ndarray, members: np.ndarray) -> np.ndarray:
    """Mean over (..., unit, curve, fraction), NaN left out, exact and so in any order of units."""
    flat = curves.reshape(-1, *curves.shape[-3:])
    means = np.full((len(flat), *curves.shape[-2:]), np.nan)
    for mean, values, some in zip(means, flat, members.reshape(len(flat), -1), strict=True):
        for at in np.ndindex(mean.shape):
            column = values[some][(slice(None), *at)]
            column = column[~np.isnan(column)]
            if column.size:
                mean[at] = math.fsum(column) / column.size
    return means.reshape(*curves.shape[:-3], *curves.shape[-2:])


def _concat(parts: list[xr.DataArray]) -> xr.DataArray:
    parts = [part.drop_vars("session", errors="ignore") for part in parts]
    return xr.concat(parts, dim="session", coords="minimal", compat="override", join="exact")
