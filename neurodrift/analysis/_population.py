"""A population's maps as plain arrays, and the comparison of two of them."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import xarray as xr

from neurodrift.analysis._correlation import jaccard, pearson, standardized

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
            visited = maps["occupancy"].transpose(dim, "direction", "position").values > 0
            # A unit that was not detected counts as silent only where the animal has been.
            silent = np.where(visited, 0.0, np.nan)[:, None]
            self.filled = np.where(self.detected[:, :, None, None], self.rate, silent)
        self.active = None
        if active is not None:
            self.active = _matched(maps, dim, active, "active").astype(bool) & self.detected
        self.place = None
        if place_cells is not None:
            place = _matched(maps, dim, place_cells, "place_cells")
            if place.ndim == 2:
                place = np.repeat(place[:, :, None], directions.size, axis=2)
            elif self.rate is not None and place.shape[2] != directions.size:
                raise ValueError(
                    f"place_cells has {place.shape[2]} directions, the maps {directions.size}: "
                    "use the same binning for both"
                )
            self.place = place.astype(bool) & self.detected[:, :, None]
        self.mean_rate = self._mean_rates(maps, dim, rates)

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
            return np.where(self.detected, _matched(maps, dim, rates, "rates"), np.nan)
        if "events" not in maps:
            return None
        events = maps["events"].transpose(dim, "unit", "direction", "position").values
        seconds = maps["occupancy"].transpose(dim, "direction", "position").values
        seconds = seconds.reshape(seconds.shape[0], 1, -1).sum(axis=-1)
        total = np.ascontiguousarray(events).reshape(*events.shape[:2], -1).sum(axis=-1)
        mean = np.divide(total, seconds, out=np.full(total.shape, np.nan), where=seconds > 0)
        return np.where(self.detected, mean, np.nan)

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

    def compare(self, a: int, b: int, n_shuffles: int, rng: np.random.Generator) -> dict[str, Any]:
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
            "rate_map_correlation": _mean(found),
            "rate_map_correlation_median": np.median(found) if found.size else np.nan,
            "rate_map_correlation_n": found.size,
            "population_vector_correlation": _mean(vectors),
            "population_vector_correlation_union": _mean(union),
            "population_vector_correlation_n": (units_in & both).sum(),
            "unit_rate_map_correlation": each[np.argsort(self.order)],
            "bin_population_vector_correlation": vectors,
        }
        if n_shuffles:
            null = self._null(a, b, maps_in, n_shuffles, rng)
            beaten = (null >= result["rate_map_correlation"]).sum()
            known = np.isfinite(null).all()
            result["rate_map_correlation_null"] = null.mean()
            result["rate_map_correlation_p"] = (beaten + 1) / (n_shuffles + 1) if known else np.nan
        return result

    def _null(
        self, a: int, b: int, maps_in: np.ndarray, n_shuffles: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Mean map correlation after each permutation of the units of b."""
        assert self.rate is not None
        total, number = np.zeros(n_shuffles), np.zeros(n_shuffles)
        for d in range(maps_in.shape[1]):
            pair = np.stack([self.rate[k][maps_in[:, d], d] for k in (a, b)])
            mine, other = standardized(pair[..., np.isfinite(pair).all(axis=(0, 1))])
            varies = [(z != 0).any(axis=-1) for z in (mine, other)]
            for s in range(n_shuffles):
                order = rng.permutation(len(mine))
                total[s] += (mine * other[order]).sum()
                number[s] += (varies[0] & varies[1][order]).sum()
        return np.divide(total, number, out=np.full(n_shuffles, np.nan), where=number > 0)

    def measures(self, n_shuffles: int) -> dict[str, tuple[int, ...]]:
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
            if n_shuffles:
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


def _population_vectors(a: np.ndarray, b: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Correlate (unit, direction, position) over the chosen units."""
    return pearson(*(np.moveaxis(rate[chosen], 0, -1) for rate in (a, b)))


def _mean(values: np.ndarray) -> float:
    found = values[np.isfinite(values)]
    return float(found.mean()) if found.size else float("nan")


def _matched(maps: xr.Dataset, dim: str, array: xr.DataArray, name: str) -> np.ndarray:
    """Values of an argument in the order of the maps' sessions or segments and units."""
    first = "segment" if "segment" in array.dims else "session"
    if first not in array.dims or "unit" not in array.dims:
        raise ValueError(f"{name} has dims {array.dims}, expected (session, unit)")
    for key in ("unit", *(("session",) if first == "session" else ())):
        missing = set(map(str, np.atleast_1d(maps[key].values))) - set(map(str, array[key].values))
        if missing:
            some = ", ".join(sorted(missing)[:5])
            raise ValueError(f"{name} lacks {len(missing)} of the maps' {key} labels: {some}")
    array = array.sel(unit=maps["unit"].values)
    if first == "session":
        array = array.sel(session=maps["session"].values)
    elif array.sizes["segment"] != maps.sizes.get("segment"):
        raise ValueError(f"{name} has other segments than the maps")
    extra = [str(d) for d in array.dims if d not in (first, "unit")]
    return np.asarray(array.transpose(first, "unit", *extra).values)
