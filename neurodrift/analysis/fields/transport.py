"""How far the activity of a map would have to be carried to make it another: earth mover's."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import align_mask, node_of, only_registered
from neurodrift.analysis._inference import exact_mean
from neurodrift.analysis.fields.matching import _pair_coords, expect_line
from neurodrift.schema import label
from neurodrift.schema.objects import expect_dataset, expect_mask
from neurodrift.schema.results import EARTH_MOVERS

_PAIR = ("session_a", "session_b")
_FEWEST = 3  # maps behind a mean


def compute_earth_movers_distance(
    halves: xr.Dataset | xr.DataTree, *, place_cells: xr.DataArray | None = None
) -> xr.Dataset:
    r"""Earth mover's distance of the maps of the same unit in pairs of sessions, less its noise.

    The estimand is how far activity moved along the track, on average, where every map has the
    mass 1: it counts a field that moved by its way, and one that turned up elsewhere by how far
    elsewhere is, and needs no fields to be told apart.

    Parameters
    ----------
    halves
        (session, half, unit, direction, position) maps of both halves of each session: the node
        ``half_maps``, or the results of :func:`neurodrift.analyze`, which hold it.
    place_cells
        (session, unit, direction) or (session, unit) maps that enter, those significant in either
        session; of the results their ``significant``. All when omitted.

    Returns
    -------
    xarray.Dataset
        Over (session_a, session_b): ``distance`` [cm], mean over maps, of halves, with the mean of
        the two sessions' own halves on the diagonal (noise); ``distance_relative``, the distance
        of a pair less the mean of both sessions' noise, of the same maps; ``n_maps``.

    Raises
    ------
    ValueError
        If maps are of a maze, of two dimensions or of categories, or there are no halves.

    Notes
    -----
    On a line the distance of maps with cumulative sums F and G is [1]_

    .. math:: \sum_x |F(x) - G(x)| \, \Delta x ,

    on a circle the smallest over all cuts, in which F - G has its weighted median taken away. Each
    pair has the mean over its four pairs of halves. A distance is never below 0, so that noise
    alone makes one, the more so the fewer events there are: ``distance_relative`` is 0 without any
    change. It removes noise exactly where that only adds to the distance, and too much of it where
    maps have moved far.

    References
    ----------
    .. [1] Rubner, Tomasi & Guibas (2000), Int J Comput Vis.
       https://doi.org/10.1023/A:1026543900054

    Examples
    --------
    >>> from neurodrift import analyze, compute_earth_movers_distance, testing
    >>> recording = testing.linear_track(n_units=20, n_sessions=2, tuned=1, minutes=10)
    >>> results = analyze(recording, measures=["half_maps"], n_repeats=5)
    >>> compute_earth_movers_distance(results)["distance_relative"].dims
    ('session_a', 'session_b')
    """
    if isinstance(halves, xr.DataTree):
        if place_cells is None and "place_cells" in halves.children:
            place_cells = halves["place_cells"].to_dataset()["significant"]
        halves = node_of(halves, "half_maps")
    expect_dataset("halves", halves, ["rate", "half"], "maps of halves (the node half_maps)")
    geometry = expect_line(halves, "the earth mover's distance of maps")
    halves = only_registered(halves)
    rate = halves["rate"].transpose("session", "half", "unit", "direction", "position")
    order = np.argsort(halves["unit"].values.astype(str), kind="stable")
    values = rate.values.astype(float)[:, :, order]
    n, n_maps = values.shape[0], int(np.prod(values.shape[2:4]))
    chosen = np.ones((n, n_maps), dtype=bool)
    if place_cells is not None:
        expect_mask("place_cells", place_cells)
        mask = align_mask(place_cells, halves, "place_cells", "maps")
        if "direction" not in mask.dims:
            mask = mask.expand_dims(direction=halves["direction"].values)
        laid = mask.transpose("session", "unit", "direction").values
        chosen = laid[:, order].reshape(n, -1)
    maps = values.reshape(n, 2, n_maps, values.shape[-1])
    width = halves["x_width"].values if "x_width" in halves.coords else _steps(halves)
    circular = geometry.kind == "circular"
    own = [_distance(maps[s, 0], maps[s, 1], width, circular) for s in range(n)]
    mean, relative = np.full((2, n, n), np.nan)
    number = np.zeros((n, n), dtype=np.int64)
    for a in range(n):
        for b in range(a, n):
            if a == b:
                found = own[a]
            else:
                four = [
                    _distance(maps[a, i], maps[b, j], width, circular)
                    for i in (0, 1)
                    for j in (0, 1)
                ]
                found = np.mean(four, axis=0)
            some = (chosen[a] | chosen[b]) & np.isfinite(found)
            clean = some & np.isfinite(own[a]) & np.isfinite(own[b])
            number[a, b] = number[b, a] = some.sum()
            if some.sum() >= _FEWEST:
                mean[a, b] = mean[b, a] = exact_mean(found[some])
            if a != b and clean.sum() >= _FEWEST:
                less = found[clean] - (own[a][clean] + own[b][clean]) / 2
                relative[a, b] = relative[b, a] = exact_mean(less)
    variables: dict[str, Any] = {
        "distance": (_PAIR, mean),
        "distance_relative": (_PAIR, relative),
        "n_maps": (_PAIR, number),
    }
    result = label(xr.Dataset(variables, coords=_pair_coords(halves)), EARTH_MOVERS)
    for name in ("distance", "distance_relative"):
        result[name].attrs["units"] = geometry.unit
    return result


def _steps(maps: xr.Dataset) -> np.ndarray:
    centre = maps["x_bin"].values.astype(float)
    return np.full(centre.size, float(np.median(np.diff(centre))) if centre.size > 1 else 1.0)


def _distance(a: np.ndarray, b: np.ndarray, width: np.ndarray, circular: bool) -> np.ndarray:
    """(map) earth mover's distance of rates (map, position), NaN where a map is empty."""
    known = np.isfinite(a) & np.isfinite(b)
    mass = []
    for rate in (a, b):
        amount = np.where(known, np.maximum(rate, 0.0), 0.0) * width
        total = amount.sum(axis=-1, keepdims=True)
        share = np.divide(amount, total, out=np.full(amount.shape, np.nan), where=total > 0)
        mass.append(share)
    away = np.cumsum(mass[0] - mass[1], axis=-1)
    if circular:
        away = away - _median(away, width)[:, None]
        return np.asarray((np.abs(away) * width).sum(axis=-1))
    gap = (width[:-1] + width[1:]) / 2  # from centre to centre
    return np.asarray((np.abs(away[:, :-1]) * gap).sum(axis=-1))


def _median(values: np.ndarray, width: np.ndarray) -> np.ndarray:
    """(row) median along the last axis, weighted by the width of the bins."""
    order = np.argsort(values, axis=-1)
    heavy = np.cumsum(np.broadcast_to(width, values.shape)[0][order], axis=-1)
    middle = (heavy >= width.sum() / 2).argmax(axis=-1)
    return np.take_along_axis(np.take_along_axis(values, order, -1), middle[:, None], -1)[:, 0]
