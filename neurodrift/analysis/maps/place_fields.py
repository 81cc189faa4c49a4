"""Place fields: connected regions of a rate map, on a track, in a maze or in two dimensions."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import align_mask, node_of
from neurodrift.geometry.distance import difference, distance, touching
from neurodrift.geometry.geometry import Geometry, geometry_of
from neurodrift.schema import label
from neurodrift.schema.objects import expect_dataset, expect_mask
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import PLACE_FIELDS


@checked_options
def detect_place_fields(
    maps: xr.Dataset | xr.DataTree,
    *,
    place_cells: xr.DataArray | None = None,
    min_fraction: float = 0.3,
    min_rate: float = 0.0,
    min_bins: int = 2,
) -> xr.Dataset:
    """Find the place fields of each unit: number, size, centre and peak.

    Parameters
    ----------
    maps
        Result of :func:`neurodrift.compute_rate_maps` on a track or in two dimensions, smoothed;
        NumPy or Dask; or the results of :func:`neurodrift.analyze`, which hold it. The maps are
        brought into memory.
    place_cells
        (session, unit, direction) or (session, unit) maps to look at, such as ``significant`` of
        :func:`neurodrift.detect_place_cells`; all when omitted.
    min_fraction
        A field holds the bins whose rate is at least this fraction of the map's peak.
    min_rate
        Lowest peak rate of a field, in the unit of the maps.
    min_bins
        Fewest bins of a field.

    Returns
    -------
    xarray.Dataset
        Over (session, unit, direction): ``n_fields``, NaN where the map was not looked at or the
        unit not detected; ``field`` (.., position), number of the field a bin lies in, 0 = none;
        over (.., field_number), from the highest peak: ``size`` [cm or cm2], ``peak_rate``,
        ``x_peak``, ``x_centre`` [cm] (weighted by rate), and ``y_peak``, ``y_centre`` in two
        dimensions, NaN where there is no such field. The first dimension is that of the maps.

    Raises
    ------
    ValueError
        If an option is out of range, or the maps have no coordinates of their bins.

    Notes
    -----
    Bins that share an edge are connected; bins that were not visited part a field. On a circle a
    field may lie across the seam, and its centre is taken round the peak; in a maze a field may
    reach from one arm into another that it meets, and its centre is the bin that is nearest to all
    of it. A category is a field by itself, whatever `min_bins`.

    Examples
    --------
    >>> from neurodrift import detect_place_fields, compute_rate_maps, testing
    >>> recording = testing.open_field(n_units=1, n_sessions=1, tuned=1, minutes=20)
    >>> fields = detect_place_fields(compute_rate_maps(recording, smoothing=4.0))
    >>> fields["n_fields"].values.ravel().tolist()
    [1.0]
    """
    maps = node_of(maps, "smoothed_maps")
    expect_dataset("maps", maps, ["rate", "detected"], "rate maps (compute_rate_maps)")
    axes = [name for name in ("x_bin", "y_bin") if name in maps.coords]
    if not axes:
        raise ValueError("the maps have no coordinate x_bin, so it is not known which bins touch")
    dim = "segment" if "segment" in maps.dims else "session"
    rate = maps["rate"].transpose(dim, "unit", "direction", "position").compute()
    chosen = maps["detected"].transpose(dim, "unit").values[:, :, None].astype(bool)
    chosen = np.broadcast_to(chosen, rate.shape[:3])
    if place_cells is not None:
        expect_mask("place_cells", place_cells)
        mask = align_mask(place_cells, maps, "place_cells", "maps")
        if "direction" not in mask.dims:
            mask = mask.expand_dims(direction=maps["direction"].values)
        elif not np.isin(maps["direction"].values, mask["direction"].values).all():
            raise ValueError("place_cells has other directions than the maps")
        mask = mask.sel(direction=maps["direction"].values)
        chosen = chosen & mask.transpose(dim, "unit", "direction").values.astype(bool)

    centres = np.stack([maps[name].values.astype(float) for name in axes])
    geometry = geometry_of(maps)
    bins = _Grid(maps, axes, centres)
    if "x_width" in maps.coords:
        bins = _OneAxis(geometry, centres[0], maps["x_width"].values)
    if geometry.kind == "category":
        min_bins = 1
    found = {
        at: _fields_of(rate.values[at], bins, min_fraction, min_rate, min_bins)
        for at in map(tuple, np.argwhere(chosen))
    }
    most = max([len(item[1]) for item in found.values()], default=0)
    shape = rate.shape[:3]
    numbers = np.zeros(rate.shape, dtype=np.int16)
    n_fields = np.full(shape, np.nan)
    names = [
        "size",
        "peak_rate",
        *(f"{a[0]}_peak" for a in axes),
        *(f"{a[0]}_centre" for a in axes),
    ]
    values = np.full((len(names), *shape, most), np.nan)
    for at, (number, rows) in found.items():
        numbers[at] = number
        n_fields[at] = len(rows)
        for k, row in enumerate(rows):
            values[(slice(None), *at, k)] = row
    dims = (dim, "unit", "direction")
    coords = {
        name: maps[name].variable
        for name in maps.coords
        if name != "field_number" and set(maps[name].dims) <= {*dims, "position"}
    }
    result = xr.Dataset(
        {
            "n_fields": (dims, n_fields),
            "field": ((*dims, "position"), numbers),
            **{
                name: ((*dims, "field_number"), array)
                for name, array in zip(names, values, strict=True)
            },
        },
        coords=coords | {"field_number": np.arange(most) + 1},
        attrs={
            "min_fraction": min_fraction,
            "min_rate": min_rate,
            "min_bins": min_bins,
            **{key: maps.attrs[key] for key in ("binning", "smoothing") if key in maps.attrs},
        },
    )
    result = label(result, PLACE_FIELDS)
    result["size"].attrs["units"] = geometry.unit if len(axes) == 1 else "cm2"
    for name in ("x_peak", "x_centre"):
        result[name].attrs["units"] = geometry.unit
    result["peak_rate"].attrs["units"] = maps["rate"].attrs.get("units", "")
    return result


class _Grid:
    """Bins of a track, or of two axes."""

    def __init__(self, maps: xr.Dataset, axes: list[str], centres: np.ndarray) -> None:
        self.cells, self.sizes = _grid(maps, axes)
        self.centres = centres

    def regions(self, high: np.ndarray) -> np.ndarray:
        """(position) number of the connected region of each bin that is high, 0 for the others."""
        from scipy.ndimage import label as connected

        grid = np.zeros(self.cells.max(axis=1) + 1, dtype=bool)
        grid[tuple(self.cells)] = high
        return np.asarray(connected(grid)[0][tuple(self.cells)])

    def centre(self, own: np.ndarray, weight: np.ndarray, top: int) -> np.ndarray:
        """(axis) mean place of some bins."""
        return np.asarray((self.centres[:, own] * weight).sum(axis=1) / weight.sum())


class _OneAxis(_Grid):
    """Bins of a circle, a corridor, a maze or categories."""

    def __init__(self, geometry: Geometry, centre: np.ndarray, width: np.ndarray) -> None:
        self.geometry, self.sizes, self.centres = geometry, width, centre[None]
        self.touching = touching(geometry, centre, width)

    def regions(self, high: np.ndarray) -> np.ndarray:
        """Regions along what touches: across the seam, and from arm to arm."""
        from scipy.sparse.csgraph import connected_components

        at = np.flatnonzero(high)
        found = np.zeros(high.size, dtype=int)
        if at.size:
            found[at] = connected_components(self.touching[np.ix_(at, at)], directed=False)[1] + 1
        return found

    def centre(self, own: np.ndarray, weight: np.ndarray, top: int) -> np.ndarray:
        """Mean place, round the peak on a circle; the bin nearest to all of it in a maze."""
        geometry, places = self.geometry, self.centres[0]
        if geometry.kind in ("graph", "category"):
            apart = distance(geometry, places[own][:, None], places[own][None, :]) ** 2
            return places[own][[np.argmin(apart @ weight)]]
        away = difference(geometry, places[top], places[own])
        mean = places[top] + (away * weight).sum() / weight.sum()
        if geometry.kind == "circular" and geometry.length:
            mean = geometry.origin + (mean - geometry.origin) % geometry.length
        return np.array([mean])


def _grid(maps: xr.Dataset, axes: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Place of each bin in the grid (axis, position), and its size (position) [cm or cm2]."""
    binning: dict[str, Any] = json.loads(maps.attrs.get("binning", "{}"))
    edges, width = binning.get("edges"), binning.get("bin_width")
    given = None if edges is None else ([edges] if np.ndim(edges[0]) == 0 else edges)
    cells, sizes = [], np.ones(maps.sizes["position"])
    for k, name in enumerate(axes):
        centre = maps[name].values.astype(float)
        if given is not None:
            own = np.asarray(given[k], dtype=float)
            cell = np.searchsorted(own, centre) - 1
            sizes = sizes * np.diff(own)[cell]
        else:
            steps = np.diff(np.unique(centre))
            step = float(np.broadcast_to(width, (len(axes),))[k]) if width else float(steps.min())
            cell = np.rint((centre - centre.min()) / step).astype(int)
            sizes = sizes * step
        cells.append(cell - cell.min())
    return np.stack(cells), sizes


def _fields_of(
    rate: np.ndarray,
    bins: _Grid,
    min_fraction: float,
    min_rate: float,
    min_bins: int,
) -> tuple[np.ndarray, list[tuple[float, ...]]]:
    """Number (position) of each bin's field, and the fields' properties, highest peak first."""
    none = np.zeros(rate.shape, dtype=np.int16)
    peak = np.nanmax(rate) if np.isfinite(rate).any() else 0.0
    if not peak > 0:
        return none, []
    high = np.where(np.isfinite(rate), rate, -np.inf) >= min_fraction * peak
    regions, sizes = bins.regions(high), bins.sizes
    rows, members = [], []
    for region in range(1, int(regions.max(initial=0)) + 1):
        own = np.flatnonzero(regions == region)
        top = own[np.argmax(rate[own])]
        if own.size < min_bins or rate[top] < min_rate:
            continue
        centre = bins.centre(own, rate[own] * sizes[own], int(top))
        rows.append((sizes[own].sum(), rate[top], *bins.centres[:, top], *centre))
        members.append(own)
    order = sorted(range(len(rows)), key=lambda k: -rows[k][1])
    for number, k in enumerate(order, start=1):
        none[members[k]] = number
    return none, [rows[k] for k in order]
