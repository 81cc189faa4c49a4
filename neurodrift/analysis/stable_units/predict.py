"""Whether what a unit is on one day tells how stable its map is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from scipy.stats import rankdata

from neurodrift.analysis._coords import carry_coords, registered_units
from neurodrift.analysis._inference import permutation_p
from neurodrift.analysis.maps.binning import Binning, as_binning
from neurodrift.analysis.stable_units.measures import (
    OF_MAP,
    covariances_of,
    predictors_of,
    similarity_of,
)
from neurodrift.analysis.stable_units.parts import (
    Quarters,
    dispersion,
    mixed,
    quarters_of,
    reliable_maps,
    share_kept,
)
from neurodrift.schema import COUNT_KINDS, check, label
from neurodrift.schema.options import check_option, checked_options
from neurodrift.schema.results import STABLE_UNITS
from neurodrift.seeds import generator

_FEWEST = 20  # units
_SURE = 0.05


@checked_options
def predict_stability(
    recording: xr.Dataset | Mapping[str, xr.Dataset],
    predictors: Mapping[str, xr.DataArray | Mapping[str, xr.DataArray]] | None = None,
    *,
    lag: int = 1,
    max_pairs: int = 8,
    binning: Binning | None = None,
    min_events: int = 20,
    n_repeats: int = 199,
    block: float = 30.0,
    seed: int = 0,
) -> xr.Dataset:
    r"""Which units keep their maps: rate, information, width and peak against later stability.

    Parameters
    ----------
    recording
        A recording of spikes or events with a position; NumPy or Dask. Or several animals, as a
        mapping of names to recordings.
    predictors
        More of them: name -> DataArray over ``unit`` (age of a cell, score of its registration),
        NaN where not known; of several animals a mapping of animals to such.
    lag
        Sessions from a to b.
    max_pairs
        Most pairs of sessions; evenly chosen where there are more.
    binning
        Position bins and the frames that count.
    min_events
        Events that a unit needs in a and in b.
    n_repeats
        Draws of units without a link.
    block
        Length of a block [s] where there are neither laps nor trials.
    seed
        Seed of the draws.

    Returns
    -------
    xarray.Dataset
        Over ``predictor``: ``effect``, the rank correlation over units with ``stability``;
        ``effect_null``, its mean for units without a link, which is not 0; ``p`` of the difference,
        two-sided; ``partial``, ``partial_null`` and ``partial_p`` given the other predictors; and
        ``beyond``, whether the effect is beyond chance when all predictors are considered. Over
        ``unit`` (of one recording) ``value`` of the predictors and ``stability``, means over pairs.
        Of several animals means over them, ``animal_effect`` (animal, predictor), and
        ``prediction``: the rank correlation of stability with what the other animals predict, with
        ``prediction_p``. NaN with fewer than 20 units (attribute ``left_out``).

    Raises
    ------
    ValueError
        If activity is no count, there is no position or no pair of sessions, or a predictor lacks
        a unit.
    TypeError
        If a predictor is no labelled array.

    Notes
    -----
    Laps of every session are dealt in four parts. Predictors come from parts 0 and 1 of session a;
    stability from parts 2 and 3 of a and all of b:

    .. math::
        \frac{\sum_{ab} c(a_{23}, b)}{\sqrt{\sum_{ab} c(a_2, a_3) \sum_{ab} c(b_{01}, b_{23})}}

    over pairs of sessions, with covariances c over bins of maps divided by their mean, so that no
    event is on both sides and noise does not lower it.

    What remains of detection, of selection and of the regression to the mean is in the null: units
    with the same rates, reliabilities and dispersion, in which every unit keeps an equal share of
    its map, as large as all of them do together, and takes the rest from another one.

    Climer et al. (2025) [1]_ report that more excitable place cells drift less; this is no method
    of theirs.

    References
    ----------
    .. [1] Climer et al. (2025), Nature. https://doi.org/10.1038/s41586-025-09245-y

    Examples
    --------
    >>> import neurodrift as nd
    >>> track = nd.testing.linear_track(n_units=30, n_sessions=3, minutes=6)
    >>> nd.predict_stability(track, n_repeats=9)["predictor"].values.tolist()
    ['rate', 'information', 'width', 'peak']
    """
    check_option("n_repeats", n_repeats)
    several = not isinstance(recording, xr.Dataset)
    given: dict[str, xr.Dataset] = (
        {"": recording} if isinstance(recording, xr.Dataset) else dict(recording)
    )
    if not given:
        raise ValueError("recording is an empty mapping: give one recording, or several by name")
    binning = as_binning(binning)
    draws: list[Draws] = []
    why = []
    for name, one in given.items():
        own: Any = (predictors or {}).get(name) if several else predictors
        _refuse(one, lag)
        more = _more(own, one)
        quarters = quarters_of(one, binning, block)
        pairs = _pairs(one.sizes["session"], lag, max_pairs)
        drawn = _draws(one, quarters, pairs, more, binning, min_events, n_repeats, seed)
        draws.append(drawn)
        if drawn.n_units < _FEWEST:
            why.append(f"{name or 'the recording'} has {drawn.n_units} units, expected {_FEWEST}")
    names = {tuple(drawn.names) for drawn in draws}
    if len(names) != 1:
        raise ValueError("the animals have different predictors: give the same names for each")
    found = _tested(draws, n_repeats)
    if several:
        found = found.assign_coords(animal=[str(name) for name in given])
    else:
        only = given[""]
        found = found.isel(animal=0, drop=True).drop_vars("animal_effect")
        found["value"] = (("unit", "predictor"), draws[0].values)
        found["stability"] = ("unit", draws[0].stability)
        found = found.assign_coords(carry_coords(only, "unit") | {"unit": only["unit"].values})
    found = label(found, STABLE_UNITS)
    about = {"left_out": "; ".join(why), "lag": lag, "n_repeats": n_repeats, "seed": seed}
    return found.assign_attrs(about, min_events=min_events, binning=binning.to_json())


@dataclass(frozen=True)
class Draws:
    """One animal: the units as they are, and as they would be without a link.

    Parameters
    ----------
    names
        Of the predictors.
    values
        (unit, predictor).
    stability
        (unit).
    synthetic
        The same pairs of arrays of every draw.
    """

    names: list[str]
    values: np.ndarray
    stability: np.ndarray
    synthetic: list[tuple[np.ndarray, np.ndarray]]

    @property
    def n_units(self) -> int:
        """Units that have all predictors and an outcome."""
        return int(_known(self.values, self.stability).sum())


def _known(values: np.ndarray, stability: np.ndarray) -> np.ndarray:
    return np.asarray(np.isfinite(values).all(axis=1) & np.isfinite(stability))


def ranks(values: np.ndarray) -> np.ndarray:
    """(unit, column) ranks, less their mean, of length 1; 0 where nothing differs.

    Parameters
    ----------
    values
        (unit, column) without NaN.

    Returns
    -------
    numpy.ndarray
        Ties share their mean rank.
    """
    rank = rankdata(values, axis=0)
    away = rank - rank.mean(axis=0)
    size = np.sqrt((away**2).sum(axis=0))
    return np.divide(away, size, out=np.zeros_like(away), where=size > 0)


def rank_effects(values: np.ndarray, stability: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rank correlation of each predictor with the outcome, alone and given the others.

    Parameters
    ----------
    values
        (unit, predictor), NaN where not known.
    stability
        (unit), NaN where not known.

    Returns
    -------
    alone, partial : numpy.ndarray
        (predictor) NaN with fewer than 20 units that have all.
    """
    n = values.shape[1]
    known = _known(values, stability)
    if known.sum() < _FEWEST:
        return np.full(n, np.nan), np.full(n, np.nan)
    x, y = ranks(values[known]), ranks(stability[known][:, None])[:, 0]
    partial = np.full(n, np.nan)
    for k in range(n):
        others = np.delete(x, k, axis=1)
        both = np.column_stack([x[:, k], y])
        both = both - others @ np.linalg.lstsq(others, both, rcond=None)[0]
        size = np.sqrt((both**2).sum(axis=0))
        if (size > 1e-9).all():
            partial[k] = both[:, 0] @ both[:, 1] / size.prod()
    return x.T @ y, partial


def _draws(
    recording: xr.Dataset,
    quarters: Quarters,
    pairs: list[tuple[int, int]],
    more: dict[str, np.ndarray],
    binning: Binning,
    min_events: int,
    n_repeats: int,
    seed: int,
) -> Draws:
    n_units = recording.sizes["unit"]
    usable = recording["detected"].transpose("session", "unit").values.astype(bool)
    usable = usable & registered_units(recording).values
    usable = usable & (quarters.events.sum(axis=(1, 3)) >= max(1, min_events))
    width = float(np.mean(binning.bin_width))
    real, null = Means(n_units), [Means(n_units) for _ in range(n_repeats)]
    for a, b in pairs:
        units = np.flatnonzero(usable[a] & usable[b])
        seen = quarters.visited([a, b])
        if units.size < 2 or seen.sum() < 4:
            continue
        own = Quarters(
            quarters.events[:, :, units], quarters.seconds, quarters.n_ways, quarters.name
        )
        seconds = (own.seconds[a], own.seconds[b])

        def measured(
            one: np.ndarray,
            other: np.ndarray,
            seconds: tuple[np.ndarray, np.ndarray] = seconds,
            seen: np.ndarray = seen,
        ) -> tuple[np.ndarray, np.ndarray]:
            values = predictors_of(one, seconds[0], seen, width, quarters.n_ways)
            return values, covariances_of(one, other, seconds, seen)

        values, sums = measured(own.events[a], own.events[b])
        real.add(units, values, sums)
        kept = share_kept(own, a, b, float(similarity_of(np.nansum(sums, axis=0))))
        maps, rates = reliable_maps(own, a, b)
        spread = [dispersion(own.events[s], own.seconds[s])[None, :, None] for s in (a, b)]
        labels = [str(recording["session"].values[i]) for i in (a, b)]
        rng = generator(seed, "predict_stability", *labels)
        for target in null:
            shapes = (maps, mixed(maps, kept, rng))
            drawn = []
            for shape, rate, phi, time in zip(shapes, rates, spread, seconds, strict=True):
                mean = (shape * rate[:, None])[None] * time[:, None, :]
                drawn.append(phi * rng.poisson(mean / phi))
            target.add(units, *measured(*drawn))
    extra = np.column_stack(list(more.values())) if more else np.zeros((n_units, 0))

    def joined(means: Means) -> tuple[np.ndarray, np.ndarray]:
        values, stable = means.result()
        return np.hstack([values, extra]), stable

    return Draws([*OF_MAP, *more], *joined(real), [joined(one) for one in null])


class Means:
    """Predictors and covariances of each unit, over pairs of sessions."""

    def __init__(self, n_units: int) -> None:
        self._total = np.zeros((n_units, len(OF_MAP) + 3))
        self._count = np.zeros((n_units, len(OF_MAP) + 3))

    def add(self, units: np.ndarray, values: np.ndarray, sums: np.ndarray) -> None:
        """One pair of sessions."""
        both = np.column_stack([values, sums])
        known = np.isfinite(both)
        self._total[units] += np.where(known, both, 0.0)
        self._count[units] += known

    def result(self) -> tuple[np.ndarray, np.ndarray]:
        """(unit, predictor) means and (unit) stability, NaN where no pair told anything."""
        mean = np.divide(
            self._total,
            self._count,
            out=np.full(self._total.shape, np.nan),
            where=self._count > 0,
        )
        return mean[:, : len(OF_MAP)], similarity_of(self._total[:, len(OF_MAP) :])


def _tested(draws: list[Draws], n_repeats: int) -> xr.Dataset:
    """Effects of all animals together, against as many draws."""
    each = [
        [rank_effects(d.values, d.stability), *(rank_effects(*one) for one in d.synthetic)]
        for d in draws
    ]
    table = np.array(each, dtype=float)  # (animal, draw, alone or partial, predictor)
    enough = np.isfinite(table[:, 0, 0]).all(axis=1)
    names = draws[0].names
    n = len(names)
    mean = _mean(table[enough]) if enough.any() else np.full(table.shape[1:], np.nan)
    null = mean[1:]
    centre = _mean(null) if n_repeats and enough.any() else np.full((2, n), np.nan)
    away = np.abs(mean - centre)
    p = np.full((2, n), np.nan)
    beyond = np.zeros(n, dtype=bool)
    if n_repeats > 1 and enough.any():
        told = np.isfinite(mean[0])
        p[told] = permutation_p((away[1:] >= away[0] - 1e-12).sum(axis=0), n_repeats)[told]
        spread = np.sqrt(_mean((null[:, 0] - centre[0]) ** 2))
        z = away[:, 0] / np.where(spread > 0, spread, np.inf)
        reached = (np.fmax.reduce(z[1:], axis=1)[:, None] >= z[0] - 1e-12).sum(axis=0)
        beyond = permutation_p(reached, n_repeats) <= _SURE
    prediction, prediction_p = _left_out([d for d, e in zip(draws, enough, strict=True) if e])
    own = table[:, 0, 0] - (_mean(np.moveaxis(table[:, 1:, 0], 1, 0)) if n_repeats else 0.0)
    return xr.Dataset(
        {
            "effect": ("predictor", mean[0, 0]),
            "effect_null": ("predictor", centre[0]),
            "p": ("predictor", p[0]),
            "partial": ("predictor", mean[0, 1]),
            "partial_null": ("predictor", centre[1]),
            "partial_p": ("predictor", p[1]),
            "beyond": ("predictor", beyond),
            "prediction": prediction,
            "prediction_p": prediction_p,
            "n_units": ("animal", np.array([d.n_units for d in draws])),
            "animal_effect": (("animal", "predictor"), own),
        },
        coords={"predictor": np.array(names, dtype=object)},
    )


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean along the first axis of what is known, NaN where nothing is."""
    known = np.isfinite(values)
    total, count = np.where(known, values, 0.0).sum(axis=0), known.sum(axis=0)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def _left_out(draws: list[Draws]) -> tuple[float, float]:
    """Rank correlation of stability with what the other animals predict, and its p."""
    if len(draws) < 2:
        return np.nan, np.nan
    n = min(len(d.synthetic) for d in draws)
    found = []
    for k in range(n + 1):
        animals = [(d.values, d.stability) if k == 0 else d.synthetic[k - 1] for d in draws]
        scored = []
        for values, stable in animals:
            known = _known(values, stable)
            if known.sum() >= _FEWEST:
                scored.append((ranks(values[known]), ranks(stable[known][:, None])[:, 0]))
        each = []
        for i, (x, y) in enumerate(scored):
            rest = [pair for j, pair in enumerate(scored) if j != i]
            if rest:
                cross = sum(one.T @ one for one, _ in rest) + 0.01 * np.eye(x.shape[1])
                target = sum(one.T @ other for one, other in rest)
                guess = x @ np.linalg.solve(cross, target)
                each.append(float(ranks(guess[:, None])[:, 0] @ y))
        found.append(np.mean(each) if each else np.nan)
    null = np.array(found[1:])
    p = float(permutation_p((null >= found[0] - 1e-12).sum(), n)) if n else np.nan
    return float(found[0]), p


def _pairs(n: int, lag: int, most: int) -> list[tuple[int, int]]:
    firsts = np.arange(n - lag)
    if firsts.size > most:
        firsts = firsts[np.unique(np.linspace(0, firsts.size - 1, most).round().astype(int))]
    return [(int(a), int(a + lag)) for a in firsts]


def _more(given: Mapping[str, Any] | None, recording: xr.Dataset) -> dict[str, np.ndarray]:
    found = {}
    for name, values in (given or {}).items():
        if name in OF_MAP:
            raise ValueError(f"predictor {name!r} is taken from the maps: choose another name")
        if not isinstance(values, xr.DataArray) or values.dims != ("unit",):
            raise TypeError(f"predictor {name!r} is expected to be a DataArray over unit")
        missing = set(map(str, recording["unit"].values)) - set(map(str, values["unit"].values))
        if missing:
            some = ", ".join(sorted(missing)[:5])
            raise ValueError(f"predictor {name!r} lacks {len(missing)} of the units: {some}")
        found[str(name)] = values.sel(unit=recording["unit"].values).values.astype(float)
    return found


def _refuse(recording: xr.Dataset, lag: int) -> None:
    check(recording)
    kind = recording["activity"].attrs["kind"]
    if kind not in COUNT_KINDS:
        raise ValueError(f"activity is of the kind {kind}, expected counts: spikes or events")
    if "x" not in recording:
        raise ValueError("the recording has no position 'x', so that there are no maps")
    if lag < 1 or lag >= recording.sizes["session"]:
        n = recording.sizes["session"]
        raise ValueError(f"lag is {lag}, expected 1 or more and less than the {n} sessions")
