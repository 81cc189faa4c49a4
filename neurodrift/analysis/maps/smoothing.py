"""Smoothing of maps: a Gaussian over position that leaves out bins without a visit."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
import xarray as xr

from neurodrift.geometry.distance import distance
from neurodrift.geometry.geometry import Geometry, geometry_of
from neurodrift.schema.objects import expect_array
from neurodrift.schema.options import checked_options

_REACH = 3 * (1 + 1e-9)  # standard deviations at which weights end
_ROWS = 512  # bins whose distances to all others are dense at once


@checked_options
def smooth_maps(
    rate: xr.DataArray, sigma: float, occupancy: xr.DataArray | None = None
) -> xr.DataArray:
    r"""Smooth rate maps by a Gaussian over position that ignores bins without occupancy.

    Parameters
    ----------
    rate
        (..., position) with the coordinate ``x_bin`` [cm], and ``y_bin`` in two dimensions;
        NaN = not visited. Its geometry (attribute of ``x_bin``) says how far bins are from each
        other: round a circle also across its seam, in a maze along its arms. Categories are not
        smoothed.
    sigma
        Standard deviation [cm]; weights end at 3 standard deviations along each axis.
    occupancy
        (..., position) time in each bin: smoothed counts by smoothed occupancy. When omitted,
        every visited bin counts the same.

    Returns
    -------
    xarray.DataArray
        The smoothed maps, NaN where `rate` is.

    Notes
    -----
    .. math:: \tilde r_s = \frac{\sum_j w_{sj} T_j r_j}{\sum_j w_{sj} T_j}

    over the visited bins :math:`j` with occupancy :math:`T_j`, or :math:`T_j = 1`. With the
    occupancy, a bin that was passed once does not count as much as its neighbour of a minute; where
    rates change within `sigma`, the map is drawn to bins where the animal lingers. In two
    dimensions the weight is a product of one for each axis, so that sums are taken along x and then
    along y: time and memory are linear in the bins.

    Examples
    --------
    >>> import xarray as xr
    >>> from neurodrift import smooth_maps
    >>> bins = {"x_bin": ("position", [2.0, 6.0, 10.0])}
    >>> rate = xr.DataArray([0.0, 8.0, 0.0], dims="position", coords=bins)
    >>> smooth_maps(rate, sigma=4.0).round(2).values.tolist()
    [2.79, 3.61, 2.79]
    """
    expect_array("rate", rate, ["position"], "rate maps")
    if occupancy is not None:
        expect_array("occupancy", occupancy, ["position"], "time in each bin")
    smoothed = smooth_by(rate, smoothing_steps(rate, sigma), occupancy)
    smoothed.attrs = dict(rate.attrs)
    return smoothed


def weights_of_bins(maps: xr.Dataset) -> xr.DataArray | None:
    """Occupancy in two dimensions; nothing in one, where bins count the same as was published.

    In a field an animal passes some bins once and sits in others for minutes: the error of smoothed
    counts by smoothed occupancy is 4 to 13 % smaller in three settings of four, and 1 % larger in
    the fourth. On a track the two do not differ (``python benchmarks/smoothing.py``), and the
    published analyses of tracks that the package reproduces smooth rates.

    Parameters
    ----------
    maps
        ``occupancy`` over ``position`` with the coordinates of its bins.

    Returns
    -------
    xarray.DataArray or None
        What :func:`smooth_by` takes as `occupancy`.
    """
    return maps["occupancy"] if weighs_by_time(maps) else None


def weighs_by_time(bins: xr.Dataset | xr.DataArray) -> bool:
    """Whether bins count by the time in them: see :func:`weights_of_bins`.

    Parameters
    ----------
    bins
        Anything with the coordinates of bins.

    Returns
    -------
    bool
        True in two dimensions.
    """
    return "y_bin" in bins.coords


def smoothing_steps(bins: xr.Dataset | xr.DataArray, sigma: float) -> tuple[sp.csr_array, ...]:
    """Gaussian weights between bins as a product of sparse matrices, one for each axis.

    Parameters
    ----------
    bins
        Anything over ``position`` with the coordinate ``x_bin`` [cm], and ``y_bin`` in two
        dimensions.
    sigma
        Standard deviation [cm].

    Returns
    -------
    tuple of scipy.sparse.csr_array
        In the order in which they are applied to values over ``position``. Between the two steps
        of two dimensions lie the points of the grid that some bin reaches along x and another
        along y. Each row holds about 6 `sigma` by the width of a bin, whatever the number of bins.

    Raises
    ------
    ValueError
        If there is no coordinate ``x_bin``.

    Examples
    --------
    >>> import xarray as xr
    >>> from neurodrift.analysis.maps.smoothing import smoothing_steps
    >>> bins = xr.DataArray([0, 0], dims="position", coords={"x_bin": ("position", [2.0, 6.0])})
    >>> [step.toarray().round(2).tolist() for step in smoothing_steps(bins, 4.0)]
    [[[1.0, 0.61], [0.61, 1.0]]]
    """
    axes = [bins[name].values.astype(float) for name in ("x_bin", "y_bin") if name in bins.coords]
    if not axes:
        raise ValueError("the maps have no coordinate x_bin, so distances between bins are unknown")
    geometry = geometry_of(bins)
    if geometry.kind in ("circular", "graph", "category"):
        return (_weights_within(geometry, axes[0], sigma),)
    grids, places = zip(*(np.unique(axis, return_inverse=True) for axis in axes), strict=True)
    along = [_axis_weights(grid, sigma) for grid in grids]
    if len(axes) == 1:
        return (along[0][places[0], :][:, places[0]],)
    here = np.asarray(np.ravel_multi_index(places, [grid.size for grid in grids]))
    first = sp.csr_array(sp.kron(along[0], sp.eye_array(grids[1].size), format="csr"))[:, here]
    last = sp.csr_array(sp.kron(sp.eye_array(grids[0].size), along[1], format="csr"))[here, :]
    needed = np.flatnonzero((np.diff(first.indptr) > 0) & (last.sum(axis=0) > 0))
    return first[needed], last[:, needed]


def smooth_by(
    values: xr.DataArray,
    steps: tuple[sp.csr_array, ...],
    occupancy: xr.DataArray | None = None,
) -> xr.DataArray:
    """Weighted means over the visited bins, NaN where there was no visit.

    Parameters
    ----------
    values
        (..., position), NaN = not visited.
    steps
        Result of :func:`smoothing_steps`.
    occupancy
        (..., position) by which bins are weighted too; dims of `values` only.

    Returns
    -------
    xarray.DataArray
        Over the dims of `values`.
    """
    if values.chunks is not None:
        values = values.chunk(position=-1)
    if occupancy is None:
        occupancy = xr.DataArray(np.ones(values.sizes["position"]), dims="position")
    return xr.apply_ufunc(
        _smooth_last_axis,
        values,
        occupancy.drop_vars(occupancy.coords),
        input_core_dims=[["position"], ["position"]],
        output_core_dims=[["position"]],
        kwargs={"steps": steps},
        dask="parallelized",
        output_dtypes=[np.float64],
    ).transpose(*values.dims)


def _weights_within(geometry: Geometry, centres: np.ndarray, sigma: float) -> sp.csr_array:
    """Weights between bins by their distance round a circle or along the arms of a maze."""
    rows = []
    for some in np.array_split(centres, centres.size // _ROWS + 1):
        apart = distance(geometry, some[:, None], centres[None, :])
        near = apart <= _REACH * sigma
        rows.append(sp.csr_array(np.where(near, np.exp(-0.5 * (apart / sigma) ** 2), 0.0)))
    return sp.csr_array(sp.vstack(rows))


def _axis_weights(centres: np.ndarray, sigma: float) -> sp.csr_array:
    """Weights between the ascending `centres` of one axis."""
    reach = _REACH * sigma
    # A little further than they reach, and then the distances themselves decide.
    low = np.searchsorted(centres, centres - 1.001 * reach)
    high = np.searchsorted(centres, centres + 1.001 * reach, side="right")
    row = np.repeat(np.arange(centres.size), high - low)
    column = np.arange(row.size) - np.repeat(np.cumsum(high - low) - high, high - low)
    distance = np.abs(centres[row] - centres[column])
    near = distance <= reach
    weights = np.exp(-0.5 * (distance[near] / sigma) ** 2)
    shape = (centres.size, centres.size)
    return sp.csr_array((weights, (row[near], column[near])), shape=shape)


def _smooth_last_axis(
    values: np.ndarray, occupancy: np.ndarray, steps: tuple[sp.csr_array, ...]
) -> np.ndarray:
    n_bins = values.shape[-1]
    flat = values.reshape(math.prod(values.shape[:-1]), n_bins)
    rows = np.arange(math.prod(occupancy.shape[:-1])).reshape(occupancy.shape[:-1])
    row = np.broadcast_to(rows, values.shape[:-1]).reshape(-1)
    time = occupancy.reshape(rows.size, n_bins)
    visited = np.isfinite(flat) & (time > 0)[row]
    total = apply_steps(steps, np.where(visited, flat * time[row], 0.0))
    # The units of a session share their visited bins, and so one sum of weights.
    kinds = np.column_stack([np.packbits(visited, axis=1), row])
    _, first, kind = np.unique(kinds, axis=0, return_index=True, return_inverse=True)
    weights = np.where(visited[first], time[row[first]], 0.0)
    weight = apply_steps(steps, weights)[kind.reshape(-1)]
    smoothed = np.divide(total, weight, out=np.full(flat.shape, np.nan), where=visited)
    return np.asarray(smoothed.reshape(values.shape))


def apply_steps(steps: Sequence[sp.csr_array], values: np.ndarray) -> np.ndarray:
    """Weighted sums over neighbouring bins.

    Parameters
    ----------
    steps
        Result of :func:`smoothing_steps`, or a part of its rows and columns.
    values
        (row, position)

    Returns
    -------
    numpy.ndarray
        (row, position)
    """
    columns = values.T
    for step in steps:
        columns = step @ columns
    return np.asarray(columns.T)
