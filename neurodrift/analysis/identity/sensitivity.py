"""How much drift wrong matches alone would make: thresholds of the score, and exchanged units."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import lag_coords, only_registered
from neurodrift.analysis.drift.attenuation import like_itself
from neurodrift.analysis.drift.ceiling import compute_half_maps, finest_split
from neurodrift.analysis.drift.drift import Population
from neurodrift.analysis.maps.binning import Binning, as_binning
from neurodrift.schema import check, label
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import IDENTITY_SENSITIVITY
from neurodrift.seeds import generator

_Segments = dict[int, np.ndarray]
"""Map label -> segments of a session."""

_OVERLAPS = ("cell_overlap", "active_cell_overlap", "place_cell_overlap")
_TURNOVER = "active_cell_turnover"
_MEDIAN = "rate_map_correlation_median"
_ONE_SIDED = 1.645
_LEAST = 1e-9  # distance between right and wrong matches below which nothing can be told


@checked_options
def compute_identity_sensitivity(
    recording: xr.Dataset,
    *,
    binning: Binning | None = None,
    smoothing: float | None = None,
    thresholds: Sequence[float] = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95),
    shares: Sequence[float] = (0.05, 0.1, 0.2, 0.5, 1.0),
    n_draws: int = 3,
    active: xr.DataArray | None = None,
    place_cells: xr.DataArray | None = None,
    halves: xr.Dataset | None = None,
    seed: int = 0,
) -> xr.Dataset:
    r"""What is left of drift when doubtful matches go, and what wrong matches alone would make.

    Parameters
    ----------
    recording
        A recording with a position; NumPy or Dask. Units that are not ``registered`` are left out.
    binning, smoothing
        As for :func:`neurodrift.compute_rate_maps`; smoothing by the width of a bin [cm] when
        omitted.
    thresholds
        Least ``registration_score`` of a unit in both sessions of a pair. Without scores, or
        where none of them has one, only 0 (all units) is used.
    shares
        Shares of the units of one session of a pair that are exchanged.
    n_draws
        Draws of the exchanged units; each is made in either session of a pair.
    active, place_cells
        As for :func:`neurodrift.compute_drift`; for the overlaps and the turnover alone. The
        correlations are over all units.
    halves
        Result of :func:`neurodrift.compute_half_maps` of the same recording, where it is at
        hand; made when omitted.
    seed
        Seed of the draws; every session has a random stream of its own.

    Returns
    -------
    xarray.Dataset
        Over (measure, session_a, session_b), NaN where it cannot be told: ``similarity`` of halves
        (within a session on the diagonal, as
        :func:`~neurodrift.analysis.drift.ceiling.compute_session_drift`), ``within`` (what it would
        be without change), ``wrong`` (were all matches wrong), ``needed`` (share of wrong matches
        that would make all the drift that is seen), ``slope_n`` (draws behind ``wrong``).
        Over (measure, wrong_share, session_a, session_b): ``false_drift`` (the bound on what so
        many wrong matches take off), ``false_drift_high`` (its upper end, one-sided 95 %),
        ``corrected`` (similarity of the right matches, if so many of the observed are wrong).
        ``exchanged`` (measure, partner, wrong_share, session_a, session_b): mean after the
        exchange, with any unit (``random``) or with the one of nearest rate (``rate``).
        ``at_threshold`` (measure, threshold, session_a, session_b) with ``n_units`` and
        ``mean_wrong`` (1 less the mean match probability); ``extrapolated`` to ``mean_wrong`` 0.

    Raises
    ------
    ValueError
        If there is no position, or an option does not fit.

    Notes
    -----
    Of a pair of which a share :math:`\epsilon` of the matches is wrong,

    .. math:: S_{seen} = (1 - \epsilon) S_{right} + \epsilon S_{wrong} ,

    so wrong matches take at most :math:`\epsilon (S_{within} - S_{wrong})` off, and
    :math:`\epsilon = (S_{within} - S_{seen}) / (S_{within} - S_{wrong})` would be needed for all of
    the drift. :math:`S_{within}` is the geometric mean of the two sessions' own similarities.
    :math:`S_{wrong}` is fitted to the draws with random partners, which bound more than partners of
    like rate do: a wrong match is often a neighbour, of which a recording does not tell. Jaccard
    indices are taken as :math:`2J/(1+J)`, which is linear in the share; a median is not, so that it
    has ``exchanged`` alone. The interval holds the
    spread over draws and, for the correlations without noise, their standard error over units.

    The match probability of a unit in a pair is the product of its scores in both sessions. The
    line over thresholds, weighted by units, assumes that units of high and of low score drift
    alike. Bright cells have better scores: look at ``similarity`` within sessions, too.

    Measured: ``benchmarks/drift_identity.py``; docs: statistics, "Wrong matches".

    Examples
    --------
    >>> from neurodrift import compute_identity_sensitivity, testing
    >>> recording = testing.linear_track(n_units=40, n_sessions=2, drift=0.3)
    >>> found = compute_identity_sensitivity(recording)
    >>> one = found.sel(measure="rate_map_correlation").isel(session_a=0, session_b=1)
    >>> float(one["false_drift"].sel(wrong_share=0.1)) < float(one["within"] - one["similarity"])
    True
    """
    check(recording)
    binning = as_binning(binning)
    if halves is None:
        halves = compute_half_maps(
            recording,
            binning=binning,
            smoothing=binning.smoothing_or_default(smoothing),
            split=finest_split(recording),
        )
    maps = only_registered(halves)
    recording = only_registered(recording)
    names = recording["session"].values
    population = Population(maps, "segment", "all", place_cells, active, None)
    parts = _parts(maps, names)
    measures = _measures(population)
    limits, scores = _scores(recording, thresholds)
    with np.errstate(invalid="ignore", divide="ignore"):
        seen, error = _all_pairs(population, parts, measures)
        cut = [_at_threshold(population, parts, measures, scores, limit, seen) for limit in limits]
        within = _within(measures, seen)
        draws = _Draws(population, parts, measures, names, tuple(shares), n_draws, seed)
        values = _bounds(measures, seen, within, error, draws, np.array(shares, dtype=float))
    n_units, mean_wrong = (np.stack([one[k] for one in cut]) for k in (1, 2))
    curve = np.stack([one[0] for one in cut], axis=1)
    pair = ("session_a", "session_b")
    by_share = ("measure", "wrong_share", *pair)
    found = xr.Dataset(
        {
            "similarity": (("measure", *pair), seen),
            "within": (("measure", *pair), within),
            **{name: (("measure", *pair), values[name]) for name in ("wrong", "needed")},
            "slope_n": (("measure", *pair), values["slope_n"].astype(np.int64)),
            **{name: (by_share, values[name]) for name in _BY_SHARE},
            "exchanged": (("measure", "partner", *by_share[1:]), draws.mean),
            "at_threshold": (("measure", "threshold", *pair), curve),
            "n_units": (("threshold", *pair), n_units.astype(np.int64)),
            "mean_wrong": (("threshold", *pair), mean_wrong),
            "extrapolated": (("measure", *pair), _extrapolated(curve, mean_wrong, n_units)),
        },
        coords={
            "measure": np.array(measures, dtype=object),
            "wrong_share": np.array(shares, dtype=float),
            "partner": np.array(draws.partners, dtype=object),
            "threshold": np.array(limits, dtype=float),
            "session_a": names,
            "session_b": names,
            **lag_coords(recording, pair, np.arange(names.size)),
        },
        attrs={
            "has_scores": int(scores is not None),
            "n_draws": n_draws,
            "seed": seed,
            **{key: maps.attrs[key] for key in ("binning", "smoothing") if key in maps.attrs},
        },
    )
    return label(found, IDENTITY_SENSITIVITY)


_BY_SHARE = ("false_drift", "false_drift_high", "corrected")


def _parts(maps: xr.Dataset, names: np.ndarray) -> list[_Segments]:
    """Segments of each session by map; label 0 of a recording with labels is no map."""
    member = maps["session"].values.astype(str)
    group = maps["map_label"].values if "map_label" in maps.coords else np.ones(member.size, int)
    return [
        {
            int(g): np.flatnonzero((member == str(name)) & (group == g))
            for g in np.unique(group[group > 0])
        }
        for name in names
    ]


def _measures(population: Population) -> list[str]:
    """Similarities of a pair that are numbers, with those without noise, and the turnover."""
    own = [
        name
        for name, shape in population.measures(0).items()
        if not shape and not name.endswith("_n")
    ]
    relative = [name for name in population.relative_measures() if not name.endswith("_se")]
    return own + relative + ([_TURNOVER] if population.active is not None else [])


def _pair(
    population: Population, one: _Segments, other: _Segments, measures: list[str], same: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Every measure of two sessions, the mean over pairs of their segments; and its error."""
    found = []
    none = np.random.default_rng(0)  # no null is drawn
    for g in one:
        for i in one[g]:
            for j in other[g]:
                if not same or i < j:
                    found.append(population.compare(int(i), int(j), 0, none))
    there = found[0] if found else {}
    result = {
        name: _mean([float(each[name]) for each in found]) for name in measures if name in there
    }
    both = [(one[g], other[g]) for g in one if min(one[g].size, other[g].size) > 1]
    if both and population.relative_measures():
        without = population.relative(both)
        result |= like_itself(without) if same else without
    if "active_cell_overlap" in result:
        result[_TURNOVER] = 1 - float(_linear("active_cell_overlap", result["active_cell_overlap"]))
    values = np.array([result.get(name, np.nan) for name in measures])
    return values, np.array([result.get(f"{name}_se", 0.0) for name in measures])


def _mean(values: list[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else np.nan


def _all_pairs(
    population: Population, parts: list[_Segments], measures: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Measures (measure, session, session), and their errors."""
    n = len(parts)
    seen, error = np.full((2, len(measures), n, n), np.nan)
    for a in range(n):
        for b in range(a, n):
            value, se = _pair(population, parts[a], parts[b], measures, a == b)
            seen[:, a, b] = seen[:, b, a] = value
            error[:, a, b] = error[:, b, a] = se
    return seen, error


def _within(measures: list[str], seen: np.ndarray) -> np.ndarray:
    """What each pair would have without change: the geometric mean of both diagonals."""
    own = np.diagonal(seen, axis1=1, axis2=2)
    own = np.where(own > 0, own, np.nan)
    found = np.sqrt(own[:, :, None] * own[:, None, :])
    if _TURNOVER in measures:
        found[measures.index(_TURNOVER)] = 0.0
    return found


def _linear(name: str, value: Any) -> Any:
    """A measure on the scale on which wrong matches add up: Jaccard indices as Dice's."""
    return 2 * value / (1 + value) if name in _OVERLAPS else value


def _back(name: str, value: Any) -> Any:
    return value / (2 - value) if name in _OVERLAPS else value


class _Draws:
    """Measures after exchanges of units."""

    def __init__(
        self,
        population: Population,
        parts: list[_Segments],
        measures: list[str],
        names: np.ndarray,
        shares: tuple[float, ...],
        n_draws: int,
        seed: int,
    ) -> None:
        self.partners = ["random"] + (["rate"] if population.mean_rate is not None else [])
        n, n_segments = len(parts), len(population.detected)
        shape = (len(measures), len(self.partners), len(shares), 2 * n_draws, n, n)
        self.value, self.share = np.full(shape, np.nan), np.zeros(shape[1:])
        moved = [{g: rows + n_segments for g, rows in own.items()} for own in parts]
        for k, partner in enumerate(self.partners):
            for e, share in enumerate(shares):
                for draw in range(n_draws):
                    orders = np.tile(np.arange(population.detected.shape[1]), (n_segments, 1))
                    wrong = np.zeros(n)
                    for s, own in enumerate(parts):
                        rows = np.concatenate([np.zeros(0, dtype=int), *own.values()])
                        rng = generator(seed, "wrong matches", partner, share, draw, names[s])
                        if rows.size:
                            orders[rows], wrong[s] = exchange(population, rows, share, partner, rng)
                    both = population.beside_exchanged(orders)
                    for a, b, at in _sides(n, draw):
                        value, _ = _pair(both, parts[a], moved[b], measures, False)
                        low, high = min(a, b), max(a, b)
                        self.value[:, k, e, at, low, high] = value
                        self.value[:, k, e, at, high, low] = value
                        self.share[k, e, at, low, high] = self.share[k, e, at, high, low] = wrong[b]
        self.mean = _nanmean(self.value, axis=3)


def _sides(n: int, draw: int) -> Iterator[tuple[int, int, int]]:
    """Session as it is, session with exchanged units, and where the draw is kept."""
    for a in range(n):
        for b in range(n):
            if a != b:
                yield a, b, 2 * draw + int(a > b)


def exchange(
    population: Population,
    rows: np.ndarray,
    share: float,
    partner: str,
    rng: np.random.Generator,
) -> tuple[np.ndarray, float]:
    """Give some units of a session the activity of others.

    Parameters
    ----------
    population
        Maps of all sessions.
    rows
        Segments of the session.
    share
        How many of the units that were detected in it.
    partner
        ``"random"``: they go round in a circle; ``"rate"``: neighbours in rank of the mean rate
        change places.
    rng
        All chance comes from it.

    Returns
    -------
    order, share
        (unit) whose activity each unit has now, and the share that was exchanged.
    """
    order = np.arange(population.detected.shape[1])
    units = np.flatnonzero(population.detected[rows].any(axis=0))
    if units.size < 2:
        return order, 0.0
    if partner == "random":
        number = max(2, round(share * units.size))
        chosen = rng.permutation(units)[:number]
        order[chosen] = np.roll(chosen, 1)
        return order, number / units.size
    assert population.mean_rate is not None
    rate = population.mean_rate[rows][:, units].mean(axis=0)
    ranked = units[np.argsort(rate, kind="stable")]
    first = int(rng.integers(2)) if units.size > 2 else 0
    left, right = ranked[first:-1:2], ranked[first + 1 :: 2]
    number = min(left.size, max(1, round(share * units.size / 2)))
    chosen = rng.permutation(left.size)[:number]
    order[left[chosen]], order[right[chosen]] = right[chosen], left[chosen]
    return order, 2 * number / units.size


def _bounds(
    measures: list[str],
    seen: np.ndarray,
    within: np.ndarray,
    error: np.ndarray,
    draws: _Draws,
    shares: np.ndarray,
) -> dict[str, np.ndarray]:
    """What follows from the line through the similarity as it is and those after exchanges."""
    n = seen.shape[-1]
    values = {name: np.full(seen.shape, np.nan) for name in ("wrong", "needed")}
    values["slope_n"] = np.zeros(seen.shape)
    by_share = (len(measures), shares.size, n, n)
    values |= {name: np.full(by_share, np.nan) for name in _BY_SHARE}
    eps = shares[:, None, None]
    for m, name in enumerate(measures):
        if name == _MEDIAN:
            continue
        now, top = _linear(name, seen[m]), _linear(name, within[m])
        after, share = _linear(name, draws.value[m, 0]), draws.share[0]
        known = np.isfinite(after) & np.isfinite(now) & (share > 0)
        rise = np.where(known, share * (after - now), 0.0).sum(axis=(0, 1))
        size = np.where(known, share**2, 0.0).sum(axis=(0, 1))
        end = now + np.where(size > 0, rise / np.where(size > 0, size, 1.0), np.nan)
        values["slope_n"][m] = known.sum(axis=(0, 1))
        values["wrong"][m] = _back(name, end)
        apart = np.where(np.abs(top - end) > _LEAST, top - end, np.nan)
        values["needed"][m] = (top - now) / apart
        lost = eps * (top - end)
        values["false_drift"][m] = _back(name, top) - _back(name, top - lost)
        spread = np.sqrt(_nanmean(_spread(after), axis=(1, 2)))[:, None, None]
        half = _ONE_SIDED * np.sqrt(spread**2 + error[m] ** 2) * (-1 if name == _TURNOVER else 1)
        values["false_drift_high"][m] = _back(name, top) - _back(name, top - lost - half)
        mixed = np.where(eps < 1, (now - eps * end) / np.where(eps < 1, 1 - eps, 1.0), np.nan)
        values["corrected"][m] = _back(name, mixed)
    return values


def _spread(after: np.ndarray) -> np.ndarray:
    """Variance over draws (share, pair), NaN of fewer than two."""
    known = np.isfinite(after)
    number = known.sum(axis=1)
    mean = _nanmean(after, axis=1)
    squares = np.where(known, (after - mean[:, None]) ** 2, 0.0).sum(axis=1)
    return np.where(number > 1, squares / np.maximum(number - 1, 1), np.nan)


def _nanmean(values: np.ndarray, axis: int | tuple[int, ...]) -> np.ndarray:
    known = np.isfinite(values)
    number = known.sum(axis=axis)
    total = np.where(known, values, 0.0).sum(axis=axis)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def _scores(
    recording: xr.Dataset, thresholds: Sequence[float]
) -> tuple[list[float], np.ndarray | None]:
    """Thresholds, and scores (session, unit) of the units sorted by label."""
    if "registration_score" not in recording:
        return [0.0], None
    score = recording["registration_score"].transpose("session", "unit").values.astype(float)
    if not np.isfinite(score).any():
        return [0.0], None
    order = np.argsort(recording["unit"].values.astype(str), kind="stable")
    return sorted({0.0, *map(float, thresholds)}), score[:, order]


def _at_threshold(
    population: Population,
    parts: list[_Segments],
    measures: list[str],
    scores: np.ndarray | None,
    limit: float,
    seen: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Measures of each pair without units of a lower score, how many units, mean wrong matches."""
    n, n_units = len(parts), population.detected.shape[1]
    curve = np.full((len(measures), n, n), np.nan)
    number, wrong = np.zeros((n, n)), np.full((n, n), np.nan)
    there = [
        population.detected[np.concatenate([np.zeros(0, dtype=int), *own.values()])].any(axis=0)
        for own in parts
    ]
    for a in range(n):
        for b in range(a, n):
            keep = np.ones(n_units, dtype=bool)
            if scores is not None and limit > 0:
                for s in (a, b):
                    keep &= ~there[s] | (scores[s] >= limit)
            both = keep & there[a] & there[b]
            number[a, b] = number[b, a] = both.sum()
            if scores is not None and a != b:
                right = scores[a, both] * scores[b, both]
                right = right[np.isfinite(right)]
                wrong[a, b] = wrong[b, a] = 1 - right.mean() if right.size else np.nan
            value = seen[:, a, b]
            if not keep.all():
                value, _ = _pair(population.of_units(keep), parts[a], parts[b], measures, a == b)
            curve[:, a, b] = curve[:, b, a] = value
    return curve, number, wrong


def _extrapolated(curve: np.ndarray, wrong: np.ndarray, n_units: np.ndarray) -> np.ndarray:
    """Weighted line of (measure, threshold, pair) over the share of wrong matches, at share 0."""
    known = np.isfinite(curve) & np.isfinite(wrong)
    weight = np.where(known, n_units, 0.0)
    total = weight.sum(axis=1)
    safe = np.where(total > 0, total, 1.0)
    x, y = np.where(known, wrong, 0.0), np.where(known, curve, 0.0)
    x_mean, y_mean = (weight * x).sum(axis=1) / safe, (weight * y).sum(axis=1) / safe
    apart = x - x_mean[:, None]
    spread = (weight * apart**2).sum(axis=1)
    slope = (weight * apart * y).sum(axis=1) / np.where(spread > 0, spread, 1.0)
    enough = (spread > _LEAST * safe) & (known.sum(axis=1) > 1)
    return np.where(enough, y_mean - slope * x_mean, np.nan)
