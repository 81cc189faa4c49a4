"""Information of activity that lasts for several frames, from whole laps or blocks of time.

The published corrections take frames as independent. Where activity lasts, a random half of the
frames holds almost every event, and information remains in units without tuning.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import xarray as xr

from neurodrift.analysis._inference import exact_mean
from neurodrift.analysis.information.cross_fitted import mean_information
from neurodrift.analysis.information.curves import mean_over_units
from neurodrift.analysis.information.parts import Parts, cut_in_parts, part_curves
from neurodrift.analysis.maps.binning import session_activity
from neurodrift.recording import slice_sessions

Subsample = Literal["auto", "frames", "laps", "blocks"]
"""What is drawn: frames, or whole laps or blocks of time."""

LASTING = 1.1
"""Frames that an independent event lasts, from which frames are not independent."""

_BLOCKS = 16  # of the frames that count; a block's map is that of the others

_LONGEST = 5.0  # of the autocorrelation that is added up [s]
_MOST_DRAWS = 100
_PARTS: dict[Subsample, Parts] = {"auto": "auto", "laps": "lap", "blocks": "block"}


def measure_lasting(
    recording: xr.Dataset, frames: xr.Dataset, enough: xr.DataArray
) -> xr.DataArray:
    r"""How many frames an independent event of each unit lasts.

    Activity less its mean in the same position bin has autocorrelations :math:`\rho_k`. Its sum
    over many frames varies :math:`1 + 2 \sum_k \rho_k` times as much as that of independent
    frames, where k goes up to the first correlation of 0 or less, 5 s at most. The means are
    from other parts of the session, two disjoint ones for the two frames of a product, so that
    neither place fields nor the estimate of a map make a correlation.

    Parameters
    ----------
    recording
        A recording; NumPy or Dask.
    frames
        Result of :func:`neurodrift.bin_frames`.
    enough
        (session, unit, direction) which to measure.

    Returns
    -------
    xarray.DataArray
        (session, unit, direction) 1 for activity that is independent in every frame; NaN where it
        is not measured.
    """
    durations = recording["frame_duration"].values
    found = []
    for i, where in enumerate(slice_sessions(recording)):
        own = enough.isel(session=i, drop=True)
        if where.start == where.stop:
            found.append(xr.full_like(own, np.nan, dtype=float).drop_vars(list(own.coords)))
            continue
        found.append(
            xr.apply_ufunc(
                _lasting,
                session_activity(recording, where).drop_vars("unit"),
                own.drop_vars(list(own.coords)),
                input_core_dims=[["time"], ["direction"]],
                output_core_dims=[["direction"]],
                kwargs={
                    "position": frames["position_bin"].values[where],
                    "direction": frames["direction_bin"].values[where],
                    "seconds": durations[where],
                },
                dask="parallelized",
                output_dtypes=[np.float64],
            )
        )
    return xr.concat(found, dim="session").transpose("session", "unit", "direction")


def _lasting(
    activity: np.ndarray,
    enough: np.ndarray,
    *,
    position: np.ndarray,
    direction: np.ndarray,
    seconds: np.ndarray,
) -> np.ndarray:
    from neurodrift.analysis.information._kernels import frames_per_event

    found = np.full(enough.shape, np.nan)
    for d in range(enough.shape[1]):
        used = np.flatnonzero((direction == d) & (position >= 0))
        rows = np.flatnonzero(enough[:, d])
        if used.size < 3 or not rows.size:
            continue
        state = np.unique(position[used], return_inverse=True)[1].astype(np.int64)
        longest = max(1, round(_LONGEST / float(seconds[used].mean())))
        for row in rows:
            values = activity[row, used].astype(np.float64)
            found[row, d] = frames_per_event(values, state, min(longest, used.size - 2), _BLOCKS)
    return found


def lasts(frames_per_event: xr.DataArray) -> xr.DataArray:
    """Where frames are not independent.

    Parameters
    ----------
    frames_per_event
        (session, unit, direction) from :func:`measure_lasting`.

    Returns
    -------
    xarray.DataArray
        (session, direction) whether events last for more than :data:`LASTING` frames, as the mean
        over units.
    """
    return (
        xr.apply_ufunc(
            exact_mean,
            frames_per_event
            if frames_per_event.chunks is None
            else frames_per_event.chunk(unit=-1),
            input_core_dims=[["unit"]],
            vectorize=True,
            dask="parallelized",
            output_dtypes=[np.float64],
        )
        > LASTING
    )


def information_from_parts(
    recording: xr.Dataset,
    frames: xr.Dataset,
    wanted: xr.DataArray,
    members: xr.DataArray,
    *,
    subsample: Subsample,
    block: float,
    n_repeats: int,
    seed: int,
) -> tuple[xr.Dataset, str]:
    """Scaled shuffle reduction from samples of whole parts, with activity moved as a whole.

    Parameters
    ----------
    recording, frames
        As for :func:`measure_lasting`.
    wanted
        (session, unit, direction) which to estimate.
    members
        (session, unit, direction) units of the population.
    subsample
        ``"laps"``, ``"blocks"``, or ``"auto"`` for the better one.
    block
        Longest block [s].
    n_repeats
        Moved copies and pairs of halves, 100 at most.
    seed
        Seed of the draws.

    Returns
    -------
    result, name : xarray.Dataset, str
        ``ssr_parts`` (session, unit, direction) and ``population_ssr_parts`` (session, direction)
        [bit/event], and what a part is.
    """
    part, name = cut_in_parts(recording, frames, _PARTS[subsample], block)
    inside = xr.DataArray(part >= 0, dims="time")
    kept = frames.assign(
        {key: frames[key].where(inside, -1) for key in ("position_bin", "direction_bin")}
    )
    curves = part_curves(
        recording, kept, part, wanted, purpose="parts",
        n_repeats=min(n_repeats, _MOST_DRAWS), seed=seed,
    )  # fmt: skip
    core = ["curve", "sample"]
    own = _reduced(curves)
    mean = xr.apply_ufunc(
        mean_over_units,
        curves if curves.chunks is None else curves.chunk(unit=-1),
        (members if members.chunks is None else members.chunk(unit=-1)).drop_vars(
            list(members.coords)
        ),
        input_core_dims=[["unit", *core], ["unit"]],
        output_core_dims=[core],
        dask="parallelized",
        output_dtypes=[np.float64],
    )
    return xr.Dataset({"ssr_parts": own, "population_ssr_parts": _reduced(mean)}), name


def _reduced(curves: xr.DataArray) -> xr.DataArray:
    return xr.apply_ufunc(
        mean_information,
        curves,
        input_core_dims=[["curve", "sample"]],
        vectorize=True,
        dask="parallelized",
        output_dtypes=[np.float64],
    )
