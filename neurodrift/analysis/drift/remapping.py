"""How far a code remaps between two environments or contexts, unit by unit and as a population."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import only_registered
from neurodrift.analysis.drift.drift import mean_of_finite, pearson, standardized
from neurodrift.geometry.distance import distance
from neurodrift.geometry.geometry import geometry_of
from neurodrift.schema import label
from neurodrift.schema.objects import names_in
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import REMAPPING

Criterion = Literal["fixed", "shuffled", "within"]
STATES = ("not detected", "silent", "lost", "gained", "flat", "stable", "remapped")
"""What can become of a map between two contexts, see :func:`compute_remapping`."""


@checked_options
def compute_remapping(
    first: xr.Dataset,
    second: xr.Dataset,
    *,
    pairs: Sequence[tuple[Hashable, Hashable]] | None = None,
    criterion: Criterion = "fixed",
    min_correlation: float = 0.5,
    level: float = 0.95,
    within: xr.DataArray | None = None,
    min_peak: float = 0.0,
) -> xr.Dataset:
    r"""Compare the maps of the same units in two environments or contexts.

    Parameters
    ----------
    first, second
        Results of :func:`neurodrift.compute_rate_maps` over ``session`` in the familiar and in the
        other context, with the same binning; animals or simulations. For contexts within sessions,
        take ``rate_maps(by="map_label")`` and select the segments of either.
    pairs
        Labels of a session of `first` and one of `second`, for each comparison; for segments
        their numbers. When omitted, sessions of the same label are compared, in which both must
        agree, or a single session of `first` with every one of `second`.
    criterion
        When a map that both contexts have is remapped: if its correlation with itself is below
        ``"fixed"`` `min_correlation`; ``"shuffled"``, the quantile `level` of the correlations
        between *different* units, so that it resembles itself no more than another unit's map; or
        ``"within"``, the quantile 1 - `level` of the correlations in `within`, so that it is less
        than noise alone makes it.
    min_correlation
        The fixed correlation below which a map is remapped.
    level
        Level of the other criteria.
    within
        Correlations of maps of one context with themselves, of any dims, such as ``stability`` of
        :func:`neurodrift.compute_map_stability`; NaN is ignored.
    min_peak
        A map is active if its peak is above this [unit of the maps].

    Returns
    -------
    xarray.Dataset
        Of each pair, over units detected in both and directions, in positions visited in both:
        ``n_maps``, of which ``n_silent`` in both, ``n_lost`` and ``n_gained`` (active in the first
        or second alone), ``n_flat`` (active in both, without a correlation) and ``n_compared``;
        ``n_remapped`` of these by ``min_correlation``; ``fraction_remapped`` (of those compared),
        ``fraction_turnover`` (lost or gained of those active in either) and ``fraction_changed``
        (remapped, lost or gained of those active in either, but the flat ones). Of the maps
        compared, ``map_correlation`` (mean), ``map_correlation_median``,
        ``map_correlation_null`` (mean between different units), ``remapping_index`` and
        ``peak_shift`` (mean) [cm, or the unit of the geometry; the shorter way round a circle, the
        way along the arms of a maze, NaN between categories]; of those active in either,
        ``rate_change`` (mean, without sign). ``population_vector_correlation`` and
        ``population_vector_cosine``, averaged over positions and directions, over the units active
        in either. Of each unit (.., unit, direction): ``unit_map_correlation``,
        ``unit_peak_shift``, ``unit_rate_change`` from -1 (lost) to 1 (gained), and ``unit_state``,
        one of :data:`STATES`.

    Raises
    ------
    ValueError
        If units, bins or sessions do not fit, or an option is impossible.

    Notes
    -----
    A unit that is silent in both contexts, or in one, has no correlation: it is counted by itself
    and is never "remapped". With the mean correlation :math:`r` of units with themselves and
    :math:`r_0` between different units,

    .. math:: \text{remapping index} = (1 - r) / (1 - r_0),

    0 for the same maps and 1 for maps as unlike as those of different units: unlike a correlation
    it allows for maps that are all alike. ``rate_change`` is :math:`(m_2 - m_1) / (m_1 + m_2)` of
    mean activities. The cosine is the one measure of the population that silent units do not touch.

    *Which criterion.* ``"shuffled"`` finds a share of `level` of maps drawn anew, and depends on
    how unlike the units are, which changes as a population becomes sparse. ``"within"`` allows
    for noise, and is the one for recorded activity; 5 % of stable maps pass it. Activations
    of networks have no noise: for them, and for comparisons along drift, a fixed threshold is
    the one that does not move.

    References
    ----------
    Sanders, Wilson and Gershman (2020), "Hippocampal remapping as hidden state inference", eLife
    9:e51140. https://doi.org/10.7554/eLife.51140

    Examples
    --------
    >>> from neurodrift import compute_rate_maps, testing
    >>> from neurodrift.analysis.drift.remapping import compute_remapping
    >>> rooms = [testing.linear_track(n_units=30, n_sessions=1, seed=seed) for seed in (1, 2)]
    >>> maps = [compute_rate_maps(room, smoothing=4.0) for room in rooms]
    >>> same, other = (compute_remapping(maps[0], one) for one in maps)
    >>> same["remapping_index"].item(), bool(other["remapping_index"] > 0.8)
    (0.0, True)
    """
    if criterion not in get_args(Criterion):
        raise ValueError(f"criterion is {criterion!r}, expected one of {get_args(Criterion)}")
    ceiling = _ceiling(criterion, within, level)
    first, second = (_known_units(maps) for maps in (first, second))
    dim = _check_same(first, second)
    numbers = _numbers(first, second, dim, pairs)
    order = np.argsort(first["unit"].values.astype(str), kind="stable")
    back = np.argsort(order)
    second = second.sel(unit=first["unit"].values)
    sides = [_Maps(maps.isel(unit=order).compute(), dim) for maps in (first, second)]

    rows = []
    for a, b in numbers:
        row = _compare(sides[0], a, sides[1], b, min_peak)
        row["min_correlation"] = min_correlation
        if criterion != "fixed":
            row["min_correlation"] = ceiling
        if criterion == "shuffled":
            between = row["between"]
            row["min_correlation"] = np.quantile(between, level) if between.size else np.nan
        rows.append(_judged(row))
    values = {
        name: np.array([row[name] for row in rows], dtype=object if name == "unit_state" else None)
        for name in REMAPPING
        if name in rows[0]
    }
    variables: dict[str, Any] = {
        name: (("pair", "unit", "direction"), array[:, back])
        if name.startswith("unit_")
        else ("pair", array)
        for name, array in values.items()
    }
    result = xr.Dataset(variables, coords=_coords(first, second, dim, numbers))
    result = label(result, REMAPPING)
    result.attrs = {
        "criterion": criterion,
        "level": level,
        "min_peak": min_peak,
        **{key: first.attrs[key] for key in ("binning", "smoothing") if key in first.attrs},
    }
    return result


class _Maps:
    """One side as plain arrays over units sorted by label."""

    def __init__(self, maps: xr.Dataset, dim: str) -> None:
        self.rate = maps["rate"].transpose(dim, "unit", "direction", "position").values
        self.visits = maps["occupancy"].transpose(dim, "direction", "position").values
        self.detected = maps["detected"].transpose(dim, "unit").values.astype(bool)
        self.geometry = geometry_of(maps)
        self.places = np.stack(
            [maps[name].values.astype(float) for name in ("x_bin", "y_bin") if name in maps.coords]
        )


def _compare(one: _Maps, a: int, two: _Maps, b: int, min_peak: float) -> dict[str, Any]:
    """Everything of one pair that needs no threshold."""
    detected = one.detected[a] & two.detected[b]
    seen = (one.visits[a] > 0) & (two.visits[b] > 0)
    x, y = (np.where(seen, rate, np.nan) for rate in (one.rate[a], two.rate[b]))
    x, y = (np.where(detected[:, None, None], rate, np.nan) for rate in (x, y))
    peaks = [np.nan_to_num(np.fmax.reduce(rate, axis=-1, initial=-np.inf)) for rate in (x, y)]
    known = np.isfinite(x).any(axis=-1)
    active = [known & (peak > min_peak) for peak in peaks]
    both, either = active[0] & active[1], active[0] | active[1]

    r = np.where(both, pearson(x, y), np.nan)
    compared = np.isfinite(r)
    state = np.full(known.shape, "not detected", dtype=object)
    state[known & ~either] = "silent"
    state[active[0] & ~active[1]] = "lost"
    state[active[1] & ~active[0]] = "gained"
    state[both & ~compared] = "flat"

    shift = np.full(known.shape, np.nan)
    for u, d in np.argwhere(compared):
        at = [one.places[:, np.nanargmax(rate[u, d])] for rate in (x, y)]
        if one.geometry.kind in ("circular", "graph"):
            shift[u, d] = distance(one.geometry, at[0], at[1])[0]
        elif one.geometry.kind != "category":
            shift[u, d] = np.sqrt(((at[1] - at[0]) ** 2).sum())
    n = np.maximum(np.isfinite(x).sum(axis=-1), 1)
    means = [np.nansum(rate, axis=-1) / n for rate in (x, y)]
    total = means[0] + means[1]
    change = np.full(known.shape, np.nan)
    np.divide(means[1] - means[0], total, out=change, where=either & (total > 0))

    units = either.any(axis=-1)
    p, q = (np.moveaxis(rate[units], 0, -1) for rate in (x, y))
    return {
        "unit_map_correlation": r,
        "unit_peak_shift": shift,
        "unit_rate_change": change,
        "unit_state": state,
        "between": _between(x, y, compared, seen),
        "map_correlation": mean_of_finite(r),
        "map_correlation_median": float(np.median(r[compared])) if compared.any() else np.nan,
        "peak_shift": mean_of_finite(shift),
        "rate_change": mean_of_finite(np.abs(change)),
        "population_vector_correlation": mean_of_finite(pearson(p, q)),
        "population_vector_cosine": mean_of_finite(_cosine(p, q)),
    }


def _between(x: np.ndarray, y: np.ndarray, compared: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Correlations between the maps of different units, all pairs of each direction."""
    found = [np.empty(0)]
    for d in range(compared.shape[1]):
        chosen = np.flatnonzero(compared[:, d])
        mine, other = (standardized(rate[chosen, d][:, seen[d]]) for rate in (x, y))
        found.append((mine @ other.T)[~np.eye(chosen.size, dtype=bool)])
    return np.concatenate(found)


def _judged(row: dict[str, Any]) -> dict[str, Any]:
    """Add what depends on the threshold, and the counts."""
    r, state, between = row["unit_map_correlation"], row["unit_state"], row.pop("between")
    judged = np.isfinite(r) & np.isfinite(row["min_correlation"])
    state[np.isfinite(r)] = "stable"
    state[judged & (r < row["min_correlation"])] = "remapped"
    count = {name: int((state == name).sum()) for name in STATES}
    compared = count["stable"] + count["remapped"]
    turned = count["lost"] + count["gained"]
    null = float(between.mean()) if between.size else np.nan
    unlike = 1 - null
    known = bool(judged.any()) or not compared
    return row | {
        "n_maps": int(state.size) - count["not detected"],
        **{f"n_{name}": count[name] for name in ("silent", "lost", "gained", "flat", "remapped")},
        "n_compared": compared,
        "fraction_remapped": _share(count["remapped"], compared) if known else np.nan,
        "fraction_turnover": _share(turned, turned + compared + count["flat"]),
        "fraction_changed": _share(turned + count["remapped"], turned + compared)
        if known
        else np.nan,
        "map_correlation_null": null,
        "remapping_index": (1 - row["map_correlation"]) / unlike if unlike > 0 else np.nan,
    }


def _cosine(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    norms = np.sqrt((p * p).sum(axis=-1) * (q * q).sum(axis=-1))
    found = np.full(norms.shape, np.nan)
    np.divide((p * q).sum(axis=-1), norms, out=found, where=norms > 0)
    return np.clip(found, -1.0, 1.0)


def _share(some: int, total: int) -> float:
    return some / total if total else float("nan")


def _ceiling(criterion: str, within: xr.DataArray | None, level: float) -> float:
    if criterion != "within":
        if within is not None:
            raise ValueError(f"within is given, but the criterion is {criterion!r}: use 'within'")
        return np.nan
    found = np.empty(0) if within is None else np.asarray(within.values, dtype=float).ravel()
    found = found[np.isfinite(found)]
    if not found.size:
        raise ValueError(
            "criterion='within' needs within=, correlations of maps of one context with "
            "themselves, such as map_stability(recording)['stability']"
        )
    return float(np.quantile(found, 1 - level))


def _known_units(maps: xr.Dataset) -> xr.Dataset:
    """Units whose identity in other sessions is known."""
    if not isinstance(maps, xr.Dataset) or not {"rate", "occupancy", "detected"} <= set(maps):
        raise ValueError("expected rate maps, a result of neurodrift.compute_rate_maps(recording)")
    return only_registered(maps)


def _check_same(first: xr.Dataset, second: xr.Dataset) -> str:
    faults = []
    shapes = [replace(geometry_of(maps), proposed=False) for maps in (first, second)]
    if shapes[0] != shapes[1]:
        faults.append(f"their geometries differ ({shapes[0]}; {shapes[1]})")
    for name in ("direction", "x_bin", "y_bin"):
        one, two = (
            maps[name].values if name in maps.coords else np.empty(0) for maps in (first, second)
        )
        if not np.array_equal(one, two):
            faults.append(f"their {name} differ: use the same Binning, with edges, for both")
    units = [set(maps["unit"].values.tolist()) for maps in (first, second)]
    if units[0] != units[1]:
        odd = sorted(map(str, units[0] ^ units[1]))
        faults.append(
            f"{len(odd)} units are in one of them only ({', '.join(odd[:5])}): join the "
            "recordings' units first, so that such a unit is there as not detected"
        )
    dims = ["segment" if "segment" in maps.dims else "session" for maps in (first, second)]
    if dims[0] != dims[1]:
        faults.append(f"one is over {dims[0]}, the other over {dims[1]}")
    if faults:
        raise ValueError("the maps cannot be compared: " + "; ".join(faults))
    return dims[0]


def _numbers(
    first: xr.Dataset,
    second: xr.Dataset,
    dim: str,
    pairs: Sequence[tuple[Hashable, Hashable]] | None,
) -> list[tuple[int, int]]:
    """Positions of the sessions or segments of each pair."""
    sizes = first.sizes[dim], second.sizes[dim]
    if dim == "segment":
        labels: list[list[Any]] = [list(range(size)) for size in sizes]
    else:
        labels = [maps["session"].values.tolist() for maps in (first, second)]
    if pairs is None:
        if sizes[0] == 1:
            return [(0, b) for b in range(sizes[1])]
        if dim == "segment" or labels[0] != labels[1]:
            raise ValueError(
                f"{sizes[0]} and {sizes[1]} {dim}s do not pair by label: say which belong "
                "together by pairs=[(of the first, of the second), ...]"
            )
        return [(i, i) for i in range(sizes[0])]
    pairs = names_in("pairs", pairs)
    if any(isinstance(pair, str) or np.shape(pair) != (2,) for pair in pairs):
        raise TypeError(f"pairs are {pairs!r}, expected [(of the first, of the second), ...]")
    unknown = [pair for pair in pairs if pair[0] not in labels[0] or pair[1] not in labels[1]]
    if unknown or not len(pairs):
        raise ValueError(f"no such pairs of {dim}s: {unknown or 'none given'}; there are {labels}")
    return [(labels[0].index(a), labels[1].index(b)) for a, b in pairs]


def _coords(
    first: xr.Dataset, second: xr.Dataset, dim: str, numbers: list[tuple[int, int]]
) -> dict[str, Any]:
    coords: dict[str, Any] = {name: first[name].variable for name in ("unit", "direction")}
    if "region" in first.coords:
        coords["region"] = first["region"].variable
    for side, maps, i in (("a", first, 0), ("b", second, 1)):
        at = [pair[i] for pair in numbers]
        for name, coord in maps.coords.items():
            if coord.dims == (dim,):
                coords[f"{name}_{side}"] = ("pair", coord.values[at])
        for name in ("subject", "environment"):
            if name in maps.coords:
                coords[f"{name}_{side}"] = maps[name].variable
    return coords
