"""Similarity of maps and population activity between sessions, against the interval."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from neurodrift.analysis._population import Population, Units
from neurodrift.result_schema import DRIFT
from neurodrift.schema import SESSION_COORDS, label
from neurodrift.seeds import generator

_PER_UNIT = {
    "unit_rate_map_correlation": ("unit", "direction"),
    "bin_population_vector_correlation": ("direction", "position"),
}


def drift(
    maps: xr.Dataset,
    *,
    units: Units = "either",
    place_cells: xr.DataArray | None = None,
    active: xr.DataArray | None = None,
    rates: xr.DataArray | None = None,
    same_map: bool = False,
    n_shuffles: int = 100,
    per_unit: bool = True,
    seed: int = 0,
) -> xr.Dataset:
    r"""Similarity of every pair of sessions, or of segments of sessions.

    Parameters
    ----------
    maps
        Result of :func:`neurodrift.rate_maps`, smoothed or not, over ``session``; or over
        ``segment`` when made by trial, lap, map label or half
        (:func:`~neurodrift.analysis.ceiling.half_maps`). NumPy or Dask; the maps are brought
        into memory. Without position, the result of :func:`neurodrift.sparsity`: then only
        ensemble rates and overlaps are compared.
    units
        Which units enter the map and population-vector correlations: those that are place cells
        in ``"either"`` or ``"both"`` of the two, or ``"all"``. Without `place_cells` all enter.
    place_cells
        (session, unit, direction) which maps are significant, or (session, unit) which units
        are place cells. Given by direction, a map enters by its own direction, and a population
        vector holds the units that are place cells in any direction.
    active
        (session, unit) which units are active, for their overlap.
    rates
        (session, unit) mean activity for the ensemble-rate correlation, in any unit; summed
        activity in the maps over their occupancy when omitted.
    same_map
        Compare only segments of the same map, so that a switch of the population between maps
        of one environment does not pass for drift. Needs the coordinate ``map_label``; label 0
        is never the same. Other pairs are NaN.
    n_shuffles
        Shuffles of unit identity behind ``rate_map_correlation_null``; 0 for none.
    per_unit
        Whether to keep the correlation of each unit and of each bin.
    seed
        Seed of the shuffles; every pair has a random stream of its own.

    Returns
    -------
    xarray.Dataset
        Units that are not ``registered``, whose identity in other sessions is unknown, are left
        out. Over (session_a, session_b) or (segment_a, segment_b), symmetric, NaN on the diagonal:
        ``rate_map_correlation`` (mean over units and directions), its ``_median``, ``_n`` (how
        many entered), ``_null`` and ``_p``; ``population_vector_correlation`` over units detected
        in both (``_n``), and ``_union`` with a unit that was not detected taken as silent;
        ``ensemble_rate_correlation`` over all units detected in both (``_n``); ``cell_overlap``,
        ``place_cell_overlap`` and ``active_cell_overlap``. With `per_unit`,
        ``unit_rate_map_correlation`` (.., unit, direction) of all units detected in both, and
        ``bin_population_vector_correlation`` (.., direction, position). Coordinates ``lag``
        [sessions], ``lag_day`` [d], ``lag_experience`` [min], ``lag_training_step``, positive
        when b comes after a, and ``same_map`` for segments.

    Raises
    ------
    ValueError
        If an option does not fit the maps, or units or sessions of an argument are missing.

    Notes
    -----
    All are Pearson correlations: of one unit's map over positions visited in both sessions; of
    the population's rates at one position and direction over units, averaged over both; of mean
    activities over units [1]_ [2]_. A unit that was not detected has no map, a flat map has no
    correlation, and fewer than three points give none. For the null, maps of session b are
    permuted among the units that entered, over the positions that all their maps have;
    p = (r + 1) / (n + 1).

    A correlation between sessions is also lowered by noise.
    :func:`~neurodrift.analysis.ceiling.half_maps` and
    :func:`~neurodrift.analysis.ceiling.session_drift` give the noise ceiling, and the
    correlation relative to it.

    References
    ----------
    .. [1] Ziv et al. (2013), Nat Neurosci. https://doi.org/10.1038/nn.3329
    .. [2] Sheintuch et al. (2020), Curr Biol. https://doi.org/10.1016/j.cub.2020.02.018

    Examples
    --------
    >>> from neurodrift import rate_maps, testing
    >>> from neurodrift.analysis.drift import drift
    >>> recording = testing.linear_track(n_units=20, n_sessions=3, drift=0.3)
    >>> similarity = drift(rate_maps(recording, smoothing=4.0))["rate_map_correlation"]
    >>> similarity.round(2).values.tolist()
    [[nan, 0.6, 0.41], [0.6, nan, 0.46], [0.41, 0.46, nan]]
    """
    if units not in ("either", "both", "all"):
        raise ValueError(f"units is {units!r}, expected 'either', 'both' or 'all'")
    dim = "segment" if "segment" in maps.dims else "session"
    if "registered" in maps.coords:
        maps = maps.isel(unit=np.flatnonzero(maps["registered"].values))
    population = Population(maps, dim, units, place_cells, active, rates)
    n_maps = maps.sizes[dim]
    allowed = _same_map(maps) if same_map else np.ones((n_maps, n_maps), dtype=bool)
    names = _names(maps, dim)

    values = {
        name: np.full((n_maps, n_maps, *shape), 0 if name.endswith("_n") else np.nan)
        for name, shape in population.measures(n_shuffles).items()
        if per_unit or name not in _PER_UNIT
    }
    for a in range(n_maps):
        for b in range(a + 1, n_maps):
            if allowed[a, b]:
                rng = generator(seed, "unit identity", names[a], names[b])
                found = population.compare(a, b, n_shuffles, rng)
                for name, array in values.items():
                    array[a, b] = array[b, a] = found[name]

    pair = (f"{dim}_a", f"{dim}_b")
    variables = {
        name: ((*pair, *_PER_UNIT.get(name, ())), values[name]) for name in DRIFT if name in values
    }
    result = label(xr.Dataset(variables, coords=_coords(maps, dim, pair, per_unit)), DRIFT)
    result.attrs = {
        "units": units if place_cells is not None else "all",
        "same_map": int(same_map),
        "n_shuffles": n_shuffles,
        "seed": seed,
        **{key: maps.attrs[key] for key in ("binning", "smoothing") if key in maps.attrs},
    }
    return result


def first_index(labels: np.ndarray) -> np.ndarray:
    """Position at which each label occurs first.

    Parameters
    ----------
    labels
        (segment) session labels.

    Returns
    -------
    numpy.ndarray
        (segment) positions.
    """
    seen: dict[str, int] = {}
    return np.array([seen.setdefault(str(item), i) for i, item in enumerate(labels)], dtype=int)


def _same_map(maps: xr.Dataset) -> np.ndarray:
    if "segment" not in maps.dims or "map_label" not in maps.coords:
        raise ValueError(
            "same_map=True needs maps over segments with the coordinate map_label: make them with "
            "rate_maps(..., by='map_label') or half_maps"
        )
    labels = maps["map_label"].values
    return np.asarray((labels[:, None] == labels[None, :]) & (labels[:, None] > 0))


def _names(maps: xr.Dataset, dim: str) -> list[str]:
    """What is unique to each session or segment, whichever others there are."""
    parts = [maps["session"].values]
    if dim == "segment":
        own = ("trial", "lap", "map_label", "half", "group")
        parts += [maps[name].values for name in own if name in maps.coords]
    return ["/".join(map(str, item)) for item in zip(*parts, strict=True)]


def _coords(maps: xr.Dataset, dim: str, pair: tuple[str, str], per_unit: bool) -> dict[str, Any]:
    coords: dict[str, Any] = {}
    for name, coord in maps.coords.items():
        if coord.dims == (dim,) and name not in SESSION_COORDS:
            coords[f"{name}_a"] = (pair[0], coord.values)
            coords[f"{name}_b"] = (pair[1], coord.values)
        elif not coord.dims or (per_unit and "rate" in maps and dim not in coord.dims):
            coords[str(name)] = coord.variable
    lags = {"lag": np.unique(first_index(maps["session"].values), return_inverse=True)[1]}
    for name in ("day", "experience", "training_step"):
        if name in maps.coords:
            lags[f"lag_{name}"] = maps[name].values
    for name, at in lags.items():
        coords[name] = (pair, at[None, :] - at[:, None])
    if dim == "segment" and "map_label" in maps.coords:
        coords["same_map"] = (pair, _same_map(maps))
    return coords
