"""Similarity of maps and population activity between sessions, against the interval."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import align_mask, lag_coords, node_of, only_registered
from neurodrift.analysis._inference import permutation_p
from neurodrift.analysis.drift.attenuation import (
    Parts,
    disattenuated_maps,
    disattenuated_vectors,
    like_itself,
    map_products,
)
from neurodrift.schema import COUNT_KINDS, SESSION_COORDS, label
from neurodrift.schema.objects import expect_dataset, expect_mask
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import DRIFT
from neurodrift.seeds import generator

_PER_UNIT = {
    "unit_rate_map_correlation": ("unit", "direction"),
    "bin_population_vector_correlation": ("direction", "position"),
}


@checked_options
def compute_drift(
    maps: xr.Dataset | xr.DataTree,
    *,
    units: Units = "either",
    place_cells: xr.DataArray | None = None,
    active: xr.DataArray | None = None,
    rates: xr.DataArray | None = None,
    same_map: bool = False,
    n_repeats: int = 100,
    per_unit: bool = True,
    seed: int = 0,
) -> xr.Dataset:
    r"""Similarity of every pair of sessions, or of segments of sessions.

    Parameters
    ----------
    maps
        Result of :func:`neurodrift.compute_rate_maps`, smoothed or not, over ``session``; or over
        ``segment`` when made by trial, lap, map label or half
        (:func:`~neurodrift.analysis.drift.ceiling.compute_half_maps`). NumPy or Dask; the maps are
        brought into memory. Without position, the result of :func:`neurodrift.compute_sparsity`:
        then only ensemble rates and overlaps are compared. Of the results of
        :func:`neurodrift.analyze` the smoothed maps.
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
    n_repeats
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
        when b comes after a, and ``same_map`` for segments. Over segments the three correlations
        also have ``_relative`` and its standard error ``_relative_se``: those of the two sessions
        that the segments are of, without noise.

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

    A correlation between sessions is also lowered by noise, the more so the fewer events there
    are. Segments of the same session (halves of
    :func:`~neurodrift.analysis.drift.ceiling.compute_half_maps`, trials) have noise of their own,
    and ``_relative`` is the ratio of covariances

    .. math:: \frac{\sum_u \overline{\langle A_{ui}, B_{uj} \rangle}}
        {\sqrt{\sum_u \overline{\langle A_{ui}, A_{uk} \rangle}
        \sum_u \overline{\langle B_{uj}, B_{ul} \rangle}}} , \quad i \ne k, j \ne l

    of segments i, k of session a and j, l of b, with a jackknife's standard error; both ceilings
    are of the units, directions and bins of the numerator. It estimates the correlation
    of the rates that activity was drawn from, each unit weighted by how strongly it is tuned, and
    is 1 where nothing changed, however few events there are. Maps of counts are divided by their
    number of events, so that a change of the rate is no change of the map; a unit weighs less
    under some 20 events. All units detected in both enter, not only place cells: a unit without
    tuning adds 0 to all three sums, whereas units that were chosen on the same data have too high
    a ceiling. Population vectors (mean correlation over directions and bins) take the units that
    `units` says, ensemble rates all, both ceilings of the same. It is NaN where a ceiling is not
    two standard errors of its noise above 0. Noise that lasts from one segment to the next, such as
    a slow change within the session, is taken for a property of the session.

    Measured (``benchmarks/ceiling.py``, 40 recordings a row, 270 to 11 events a unit, without drift
    and with a share of .3 of the fields moved, also where rates fall to a fifth between the
    sessions, every unit's rate changes, or fields are weak): the mean of ``_relative`` is within
    .025 of the correlation of the true rates, within .01 but for weak fields, for maps, vectors and
    rates of all units. Vectors of place cells are within .025, too.

    References
    ----------
    .. [1] Ziv et al. (2013), Nat Neurosci. https://doi.org/10.1038/nn.3329
    .. [2] Sheintuch et al. (2020), Curr Biol. https://doi.org/10.1016/j.cub.2020.02.018

    Examples
    --------
    >>> from neurodrift import compute_rate_maps, testing
    >>> from neurodrift.analysis.drift.drift import compute_drift
    >>> recording = testing.linear_track(n_units=20, n_sessions=3, drift=0.3)
    >>> maps = compute_rate_maps(recording, smoothing=4.0)
    >>> similarity = compute_drift(maps)["rate_map_correlation"]
    >>> similarity.round(2).values.tolist()
    [[nan, 0.6, 0.41], [0.6, nan, 0.46], [0.41, 0.46, nan]]
    """
    maps = node_of(maps, "smoothed_maps", "sparsity")
    about = "rate maps (compute_rate_maps) or a sparsity (compute_sparsity)"
    expect_dataset("maps", maps, ["detected"], about)
    if not {"rate", "mean_activity"} & set(maps):
        raise ValueError(f"maps has neither 'rate' nor 'mean_activity', expected {about}")
    if units not in ("either", "both", "all"):
        raise ValueError(f"units is {units!r}, expected 'either', 'both' or 'all'")
    dim = "segment" if "segment" in maps.dims else "session"
    maps = only_registered(maps)
    population = Population(maps, dim, units, place_cells, active, rates)
    n_maps = maps.sizes[dim]
    allowed = _same_map(maps) if same_map else np.ones((n_maps, n_maps), dtype=bool)
    names = _names(maps, dim)

    values = {
        name: np.full((n_maps, n_maps, *shape), 0 if name.endswith("_n") else np.nan)
        for name, shape in population.measures(n_repeats).items()
        if per_unit or name not in _PER_UNIT
    }
    for a in range(n_maps):
        for b in range(a + 1, n_maps):
            if allowed[a, b]:
                rng = generator(seed, "unit identity", names[a], names[b])
                found = population.compare(a, b, n_repeats, rng)
                for name, array in values.items():
                    array[a, b] = array[b, a] = found[name]
    if dim == "segment":
        values |= _relative(population, maps)

    pair = (f"{dim}_a", f"{dim}_b")
    variables = {
        name: ((*pair, *_PER_UNIT.get(name, ())), values[name]) for name in DRIFT if name in values
    }
    result = label(xr.Dataset(variables, coords=_coords(maps, dim, pair, per_unit)), DRIFT)
    result.attrs = {
        "units": units if place_cells is not None else "all",
        "same_map": int(same_map),
        "n_repeats": n_repeats,
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


def compute_relative_drift(maps: xr.Dataset) -> xr.Dataset:
    """Correlations without noise alone, of each pair of sessions.

    Parameters
    ----------
    maps
        Result of :func:`~neurodrift.analysis.drift.ceiling.compute_half_maps`.

    Returns
    -------
    xarray.Dataset
        The ``_relative`` correlations over (session_a, session_b) of all units, as
        :func:`compute_drift` and
        :func:`~neurodrift.analysis.drift.ceiling.compute_session_drift` find them.
    """
    maps = only_registered(maps)
    population = Population(maps, "segment", "all", None, None, None)
    labels = maps["session"].values
    first = np.unique(first_index(labels))
    found = _relative_of_sessions(population, maps)
    pair = ("session_a", "session_b")
    coords = {name: (name, labels[first]) for name in pair}
    return xr.Dataset({name: (pair, values) for name, values in found.items()}, coords=coords)


def _relative(population: Population, maps: xr.Dataset) -> dict[str, np.ndarray]:
    """Correlations of whole sessions without noise, for each pair of their segments."""
    member = np.unique(first_index(maps["session"].values), return_inverse=True)[1]
    values = {
        name: found[np.ix_(member, member)]
        for name, found in _relative_of_sessions(population, maps).items()
    }
    for array in values.values():
        np.fill_diagonal(array, np.nan)
    return values


def _relative_of_sessions(population: Population, maps: xr.Dataset) -> dict[str, np.ndarray]:
    """Correlations without noise over (session, session), in the order of the segments."""
    labels = maps["session"].values
    member = np.unique(first_index(labels), return_inverse=True)[1]
    group = maps["map_label"].values if "map_label" in maps.coords else np.ones(labels.size)
    # parts of each session by the map that they are of; label 0 is no map
    parts = [
        {g: np.flatnonzero((member == s) & (group == g)) for g in np.unique(group[group > 0])}
        for s in range(int(member.max(initial=-1)) + 1)
    ]
    names = population.relative_measures()
    values = {name: np.full((len(parts), len(parts)), np.nan) for name in names}
    for a in range(len(parts)):
        for b in range(a, len(parts)):
            both = [(parts[a][g], parts[b][g]) for g in parts[a]]
            enough = [pair for pair in both if min(map(len, pair)) > 1]
            if not enough:
                continue
            found = population.relative(enough)
            if a == b:
                found = like_itself(found)
            for name, array in values.items():
                array[a, b] = array[b, a] = found[name]
    return values


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
        own = ("trial", "lap", "trial_type", "map_label", "half", "group")
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
    number = np.unique(first_index(maps["session"].values), return_inverse=True)[1]
    coords |= lag_coords(maps, pair, number)
    if dim == "segment" and "map_label" in maps.coords:
        coords["same_map"] = (pair, _same_map(maps))
    return coords


Units = Literal["either", "both", "all"]


class Population:
    """Maps of a population as arrays over units sorted by label, whatever their order."""

    def __init__(
        self,
        maps: xr.Dataset,
        dim: str,
        units: Units,
        place_cells: xr.DataArray | None,
        active: xr.DataArray | None,
        rates: xr.DataArray | None,
    ) -> None:
        if dim not in maps.dims or "detected" not in maps or "unit" not in maps.coords:
            raise ValueError("expected maps over session or segment and unit, with 'detected'")
        self.order = np.argsort(maps["unit"].values.astype(str), kind="stable")
        maps = maps.isel(unit=self.order).compute()
        self.units = units
        self.detected = maps["detected"].transpose(dim, "unit").values
        self.rate = None
        directions = np.zeros(1)
        if "rate" in maps:
            directions = maps["direction"].values
            rate = maps["rate"].transpose(dim, "unit", "direction", "position").values
            self.rate = np.where(self.detected[:, :, None, None], rate.astype(float), np.nan)
            self.seconds = maps["occupancy"].transpose(dim, "direction", "position").values
            visited = self.seconds > 0
            # A unit that was not detected counts as silent only where the animal has been.
            silent = np.where(visited, 0.0, np.nan)[:, None]
            self.filled = np.where(self.detected[:, :, None, None], self.rate, silent)
            self.visited = visited
            self.events = None
            if maps.attrs.get("activity_kind") in COUNT_KINDS and "events" in maps:
                self.events = maps["events"].transpose(dim, "unit", "direction", "position").values
        self.active = None
        if active is not None:
            expect_mask("active", active)
            self.active = self._aligned(maps, active, "active").astype(bool) & self.detected
        self.place = None
        if place_cells is not None:
            expect_mask("place_cells", place_cells)
            place = self._aligned(maps, place_cells, "place_cells")
            if place.ndim == 2:
                place = np.repeat(place[:, :, None], directions.size, axis=2)
            elif self.rate is not None and place.shape[2] != directions.size:
                raise ValueError(
                    f"place_cells has {place.shape[2]} directions, the maps {directions.size}: "
                    "use the same binning for both"
                )
            self.place = place.astype(bool) & self.detected[:, :, None]
        self.mean_rate = self._mean_rates(maps, dim, rates)

    @staticmethod
    def _aligned(maps: xr.Dataset, array: xr.DataArray, name: str) -> np.ndarray:
        return np.asarray(align_mask(array, maps, name, "maps").values)

    def _mean_rates(
        self, maps: xr.Dataset, dim: str, rates: xr.DataArray | None
    ) -> np.ndarray | None:
        if rates is None and "mean_activity" in maps:
            rates = maps["mean_activity"]
        if rates is not None:
            if dim == "segment" and "segment" not in rates.dims:
                raise ValueError(
                    "rates over sessions do not fit maps over segments: leave them out"
                )
            return np.where(self.detected, self._aligned(maps, rates, "rates"), np.nan)
        if "events" not in maps:
            return None
        events = maps["events"].transpose(dim, "unit", "direction", "position").values
        seconds = maps["occupancy"].transpose(dim, "direction", "position").values
        seconds = seconds.reshape(seconds.shape[0], 1, -1).sum(axis=-1)
        total = (
            np.ascontiguousarray(events)
            .reshape(*events.shape[:2], int(np.prod(events.shape[2:])))
            .sum(axis=-1)
        )
        mean = np.divide(total, seconds, out=np.full(total.shape, np.nan), where=seconds > 0)
        return np.where(self.detected, mean, np.nan)

    def of_units(self, chosen: np.ndarray) -> Population:
        """The same of some units alone.

        Parameters
        ----------
        chosen
            Positions among the units as they are sorted here, or a mask of them.

        Returns
        -------
        Population
            In this order.
        """
        return self._with_units(lambda array: array[:, chosen])

    def beside_exchanged(self, orders: np.ndarray) -> Population:
        """Every segment twice, the second time with units that took the place of others.

        Parameters
        ----------
        orders
            (segment, unit) whose activity stands where that of the unit was.

        Returns
        -------
        Population
            Of segments 0 to n as they are, and n to 2 n with units exchanged.
        """
        rows = np.arange(len(orders))[:, None]
        found = self._with_units(lambda array: np.concatenate([array, array[rows, orders]]))
        if self.rate is not None:
            found.seconds = np.concatenate([self.seconds, self.seconds])
            found.visited = np.concatenate([self.visited, self.visited])
        return found

    def _with_units(self, change: Callable[[np.ndarray], np.ndarray]) -> Population:
        found = copy.copy(self)
        for name in ("detected", "rate", "filled", "events", "active", "place", "mean_rate"):
            array = getattr(self, name, None)
            if array is not None:
                setattr(found, name, change(array))
        found.order = np.arange(found.detected.shape[1])
        return found

    def entering(self, a: int, b: int) -> tuple[np.ndarray, np.ndarray]:
        """Which unit-directions enter as maps, and which units enter population vectors."""
        either = self.detected[a] | self.detected[b]
        assert self.rate is not None
        if self.place is None or self.units == "all":
            return np.repeat(either[:, None], self.rate.shape[2], axis=1), either
        if self.units == "either":
            chosen = self.place[a] | self.place[b]
            return chosen, chosen.any(axis=1)
        return self.place[a] & self.place[b], self.place[a].any(axis=1) & self.place[b].any(axis=1)

    def compare(self, a: int, b: int, n_repeats: int, rng: np.random.Generator) -> dict[str, Any]:
        """Every measure of one pair."""
        both = self.detected[a] & self.detected[b]
        result: dict[str, Any] = {"cell_overlap": jaccard(self.detected[a], self.detected[b])}
        if self.active is not None:
            result["active_cell_overlap"] = jaccard(self.active[a], self.active[b])
        if self.place is not None:
            result["place_cell_overlap"] = jaccard(*(self.place[k].any(axis=1) for k in (a, b)))
        if self.mean_rate is not None:
            pair = self.mean_rate[[a, b]]
            result["ensemble_rate_correlation"] = pearson(pair[0], pair[1])
            result["ensemble_rate_correlation_n"] = np.isfinite(pair).all(axis=0).sum()
        if self.rate is None:
            return result

        maps_in, units_in = self.entering(a, b)
        each = pearson(self.rate[a], self.rate[b])
        maps_in &= np.isfinite(each)
        vectors = _population_vectors(self.rate[a], self.rate[b], units_in & both)
        union = _population_vectors(self.filled[a], self.filled[b], units_in)
        found = each[maps_in]
        result |= {
            "rate_map_correlation": mean_of_finite(found),
            "rate_map_correlation_median": np.median(found) if found.size else np.nan,
            "rate_map_correlation_n": found.size,
            "population_vector_correlation": mean_of_finite(vectors),
            "population_vector_correlation_union": mean_of_finite(union),
            "population_vector_correlation_n": (units_in & both).sum(),
            "unit_rate_map_correlation": each[np.argsort(self.order)],
            "bin_population_vector_correlation": vectors,
        }
        if n_repeats:
            null = self._null(a, b, maps_in, n_repeats, rng)
            beaten = (null >= result["rate_map_correlation"]).sum()
            known = np.isfinite(null).all()
            result["rate_map_correlation_null"] = null.mean()
            result["rate_map_correlation_p"] = permutation_p(beaten, n_repeats) if known else np.nan
        return result

    def relative(self, pairs: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
        """Correlations without noise of two sessions, each given by its parts, map by map.

        Both ceilings are of the units and bins that the similarity between the sessions is of.
        """
        result: dict[str, float] = {}
        if self.mean_rate is not None:
            rates = [
                [self.mean_rate[side].astype(float)[:, :, None] for side in pair] for pair in pairs
            ]
            result |= _named("ensemble_rate_correlation", *_joined_vectors(rates))
        if self.rate is None:
            return result
        products, vectors = [], []
        for pair in pairs:
            seen = np.all([self.visited[side].all(axis=0) for side in pair], axis=0)
            both = np.all([self.detected[side].all(axis=0) for side in pair], axis=0)
            sides = []
            for side in pair:
                rate = np.where(both[:, None, None], self.rate[side], np.nan)
                events = None if self.events is None else self.events[side]
                sides.append(Parts(rate, events, self.seconds[side]))
            products.append(map_products(sides[0], sides[1], seen))
            units = self.entering(pair[0][0], pair[1][0])[1] & both
            vectors.append(
                [np.where(units[:, None], self.rate[side][:, :, seen], np.nan) for side in pair]
            )
        summed = np.sum(products, axis=0)
        result |= _named("rate_map_correlation", *disattenuated_maps(summed))
        return result | _named("population_vector_correlation", *_joined_vectors(vectors))

    def relative_measures(self) -> list[str]:
        """Names of what :meth:`relative` finds."""
        names = [] if self.mean_rate is None else ["ensemble_rate_correlation"]
        names += [] if self.rate is None else ["rate_map_correlation"]
        names += [] if self.rate is None else ["population_vector_correlation"]
        return [f"{name}_relative{end}" for name in names for end in ("", "_se")]

    def _null(
        self, a: int, b: int, maps_in: np.ndarray, n_repeats: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Mean map correlation after each permutation of the units of b."""
        assert self.rate is not None
        total, number = np.zeros(n_repeats), np.zeros(n_repeats)
        for d in range(maps_in.shape[1]):
            pair = np.stack([self.rate[k][maps_in[:, d], d] for k in (a, b)])
            mine, other = standardized(pair[..., np.isfinite(pair).all(axis=(0, 1))])
            varies = [(z != 0).any(axis=-1) for z in (mine, other)]
            for s in range(n_repeats):
                order = rng.permutation(len(mine))
                total[s] += (mine * other[order]).sum()
                number[s] += (varies[0] & varies[1][order]).sum()
        return np.divide(total, number, out=np.full(n_repeats, np.nan), where=number > 0)

    def measures(self, n_repeats: int) -> dict[str, tuple[int, ...]]:
        """Names and shapes of what :meth:`compare` finds."""
        shapes: dict[str, tuple[int, ...]] = {"cell_overlap": ()}
        if self.active is not None:
            shapes["active_cell_overlap"] = ()
        if self.place is not None:
            shapes["place_cell_overlap"] = ()
        if self.mean_rate is not None:
            shapes |= {"ensemble_rate_correlation": (), "ensemble_rate_correlation_n": ()}
        if self.rate is not None:
            shapes |= dict.fromkeys(_OF_MAPS, ())
            shapes["unit_rate_map_correlation"] = self.rate.shape[1:3]
            shapes["bin_population_vector_correlation"] = self.rate.shape[2:]
            if n_repeats:
                shapes |= {"rate_map_correlation_null": (), "rate_map_correlation_p": ()}
        return shapes


_OF_MAPS = (
    "rate_map_correlation",
    "rate_map_correlation_median",
    "rate_map_correlation_n",
    "population_vector_correlation",
    "population_vector_correlation_union",
    "population_vector_correlation_n",
)


def _named(name: str, value: float, se: float) -> dict[str, float]:
    return {f"{name}_relative": value, f"{name}_relative_se": se}


def _joined_vectors(pairs: list[list[np.ndarray]]) -> tuple[float, float]:
    """The correlation without noise over the units that are known in every part of every map.

    Maps stand beside each other as points, with as many parts as the one that has fewest.
    """
    known = np.all([np.isfinite(side).all(axis=(0, 2)) for pair in pairs for side in pair], axis=0)
    n_parts = [min(len(pair[i]) for pair in pairs) for i in (0, 1)]
    sides = [
        np.concatenate([pair[i][: n_parts[i]][:, known] for pair in pairs], axis=2) for i in (0, 1)
    ]
    return disattenuated_vectors(*sides)


def _population_vectors(a: np.ndarray, b: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Correlate (unit, direction, position) over the chosen units."""
    return pearson(*(np.moveaxis(rate[chosen], 0, -1) for rate in (a, b)))


def mean_of_finite(values: np.ndarray) -> float:
    """Mean of the finite values, NaN if there is none.

    Parameters
    ----------
    values
        Any numbers.

    Returns
    -------
    float
        The mean.
    """
    found = values[np.isfinite(values)]
    return float(found.mean()) if found.size else float("nan")


MIN_POINTS = 3  # two points always correlate by +1 or -1
_FLAT = 1e-12  # relative spread below which numbers are equal up to rounding


def pearson(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Pearson correlation along the last axis over entries that are finite in both.

    Parameters
    ----------
    a, b
        (..., point), broadcast against each other; NaN is missing.

    Returns
    -------
    numpy.ndarray
        (...) correlation in [-1, 1], NaN with fewer than three points or where one side is flat.
    """
    a, b = np.broadcast_arrays(a, b)
    both = np.isfinite(a) & np.isfinite(b)
    n = both.sum(axis=-1)
    a, b = _centred(a, both, n), _centred(b, both, n)
    norms = _norm(a) * _norm(b)
    enough = (n >= MIN_POINTS) & (norms > 0)
    r = np.divide((a * b).sum(axis=-1), norms, out=np.full(n.shape, np.nan), where=enough)
    return np.clip(r, -1.0, 1.0)


def standardized(values: np.ndarray) -> np.ndarray:
    """Scale to mean 0 and length 1 on the last axis, so that sums of products are correlations.

    Parameters
    ----------
    values
        (..., point) finite numbers.

    Returns
    -------
    numpy.ndarray
        (..., point), 0 throughout with fewer than three points or where all are equal.
    """
    n = np.full(values.shape[:-1], values.shape[-1])
    centred = _centred(values, np.isfinite(values), n) * (values.shape[-1] >= MIN_POINTS)
    norm = _norm(centred)[..., None]
    return np.divide(centred, norm, out=np.zeros_like(centred), where=norm > 0)


def _centred(values: np.ndarray, used: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Deviations from the mean over used entries, zero elsewhere and where all are equal.

    Scaled by the largest number, so that squares neither overflow nor vanish.
    """
    values = np.ascontiguousarray(np.where(used, values, 0.0))
    scale = np.abs(values).max(axis=-1, initial=0.0)[..., None]
    values = np.divide(values, scale, out=np.zeros_like(values), where=scale > 0)
    mean = values.sum(axis=-1) / np.maximum(n, 1)
    deviations = np.where(used, values - mean[..., None], 0.0)
    flat = np.abs(deviations).max(axis=-1, initial=0.0) <= _FLAT
    return np.where(flat[..., None], 0.0, deviations)


def _norm(deviations: np.ndarray) -> np.ndarray:
    return np.asarray(np.sqrt((deviations * deviations).sum(axis=-1)))


def jaccard(a: np.ndarray, b: np.ndarray) -> float:
    """Size of the common part over size of the union of two sets of units, NaN for two empty ones.

    Parameters
    ----------
    a, b
        (unit) whether a unit belongs to the set.

    Returns
    -------
    float
        From 0 to 1.
    """
    union = int((a | b).sum())
    return int((a & b).sum()) / union if union else float("nan")
