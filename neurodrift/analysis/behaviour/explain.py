"""How much of the change between sessions is time, and how much behaviour."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from scipy.special import stdtr

from neurodrift.analysis._coords import node_of
from neurodrift.analysis._inference import t_interval
from neurodrift.analysis.behaviour.dyads import (
    fit_dyads,
    incidence,
    jackknife_se,
    orders_of,
    permuted_share,
    permuted_t,
)
from neurodrift.schema import label
from neurodrift.schema.objects import expect_choice, expect_dataset, names_in
from neurodrift.schema.options import check_option, checked_options
from neurodrift.schema.results import EXPLAINED_DRIFT
from neurodrift.seeds import generator

_PAIR = ("session_a", "session_b")
_SAME = 0.9  # correlation of lag and behaviour over pairs at which they cannot be told apart
_COLLINEAR = 0.98  # of days and experience, of which only days are then kept
_ALIKE = 1e-9  # spread of a predictor over pairs that is rounding
_FEWEST = 5  # sessions
_PAIRS_EACH = 10  # pairs for each predictor, with fewer `overall` stands for all distances
MODELS = ("time", "behaviour", "both")
DEFAULT_MEASURES = (
    "rate_map_correlation_relative",
    "rate_map_correlation",
    "ensemble_rate_correlation",
)
"""What is explained when nothing is named, the first that there is."""


@checked_options
def explain_drift(
    pairs: xr.Dataset | xr.DataTree | Mapping[str, xr.Dataset | xr.DataTree],
    behaviour: xr.Dataset | Mapping[str, xr.Dataset] | None = None,
    *,
    measure: str | None = None,
    distances: Sequence[str] | None = None,
    n_permutations: int = 1999,
    level: float = 0.95,
    seed: int = 0,
) -> xr.Dataset:
    r"""How much of the change of a measure goes with time, and how much with behaviour.

    Parameters
    ----------
    pairs
        A measure over (session_a, session_b) with its lags: the node ``session_drift``, ``drift``
        or ``decoding``, or a tree that has the first of them; or several animals, as a mapping.
    behaviour
        Result of :func:`neurodrift.compute_behaviour_distance`, or any distances over the same
        sessions; a mapping with the same names for several animals. Of a tree, its node
        ``behaviour`` when omitted.
    measure
        Variable of `pairs`; the noise-free correlation of rate maps when omitted, where there is
        one.
    distances
        Variables of `behaviour`. All but ``overall`` when omitted, if there are ten pairs for each
        predictor, else ``overall`` alone.
    n_permutations
        Orders of the sessions behind p; all of them where there are at most seven sessions.
    level
        Coverage of the intervals.
    seed
        Seed of the orders.

    Returns
    -------
    xarray.Dataset
        Over ``term`` (lag, lag of experience, distances): ``slope`` with ``se``, ``low`` and
        ``high``; ``slope_alone``, without the other kind of predictor; ``p``; ``correlation`` with
        the lag over pairs. Over ``model`` (time, behaviour, both): ``explained``, the share of
        variance over pairs, and ``explained_by_chance``, its mean over orders of the sessions.
        ``confounding``, the multiple correlation of lag with the distances; ``n_sessions``,
        ``n_pairs``. The attribute ``verdict`` is one of ``time``, ``behaviour``, ``both``,
        ``neither``, ``cannot be told apart`` and ``too few sessions``. For several animals means
        over ``term`` and t tests over animals, and ``animal_slope`` (animal, term).

    Raises
    ------
    ValueError
        If a measure, a distance or a session is missing, or animals have other names.
    TypeError
        If an argument is no Dataset.

    Notes
    -----
    .. math::
        y_{ab} = \beta_0 + \beta_1 |\Delta t_{ab}| + \beta_2 |\Delta e_{ab}| +
        \sum_m \gamma_m D^m_{ab} + u_a + u_b + \epsilon_{ab}

    with days t, experience e (left out where it correlates with days above .98), distances D and
    a random effect u of each session. Standard errors leave out one session after the other.
    p permutes what the other predictors leave of one, by sessions as nodes (double semi-partial
    Mantel test [1]_), so that pairs with a shared session are no independent evidence.

    Where `confounding` reaches .9, time and behaviour cannot be told apart: no p is given, and the
    slopes of lag alone and beside behaviour are the range.

    References
    ----------
    .. [1] Dekker, Krackhardt & Snijders (2007), Psychometrika.
       https://doi.org/10.1007/s11336-007-9016-1

    Examples
    --------
    >>> import neurodrift as nd
    >>> track = nd.testing.linear_track(n_units=10, n_sessions=6, minutes=4)
    >>> results = nd.analyze(track, measures=["session_drift", "behaviour"])
    >>> nd.explain_drift(results)["term"].values.tolist()
    ['lag_day', 'overall']
    """
    check_option("n_permutations", n_permutations)
    options = {"measure": measure, "distances": distances}
    if isinstance(pairs, Mapping) and not isinstance(pairs, xr.Dataset | xr.DataTree):
        return _animals(pairs, behaviour, options, n_permutations, level, seed)
    if isinstance(behaviour, Mapping) and not isinstance(behaviour, xr.Dataset):
        raise TypeError("behaviour is a mapping, but pairs are of one recording: give one Dataset")
    return _one(pairs, behaviour, options, n_permutations, level, seed)


def _one(
    pairs: xr.Dataset | xr.DataTree,
    behaviour: xr.Dataset | None,
    options: dict[str, Any],
    n_permutations: int,
    level: float,
    seed: int,
) -> xr.Dataset:
    pairs, behaviour = _sources(pairs, behaviour)
    name = _measure(pairs, options["measure"])
    y, at = _pairs_of(pairs[name])
    times = _times(pairs, at)
    time_names = list(times)
    n_sessions = np.unique(np.concatenate(at)).size
    chosen = _distances(behaviour, options["distances"], y.size, len(times))
    columns = times | {d: _half(behaviour[d], pairs, at) for d in chosen}
    matrix = np.column_stack(list(columns.values())) if y.size else np.zeros((0, len(columns)))
    known = np.isfinite(matrix).all(axis=1)
    y, matrix, at = y[known], matrix[known], (at[0][known], at[1][known])
    nodes = np.unique(np.concatenate(at))
    at = (np.searchsorted(nodes, at[0]), np.searchsorted(nodes, at[1]))
    n_sessions, why = nodes.size, ""
    x = np.column_stack([np.ones(y.size), matrix])
    if n_sessions < _FEWEST or y.size < n_sessions * (n_sessions - 1) // 2:
        why = f"{n_sessions} sessions with all their pairs known, expected {_FEWEST} or more"
        if n_sessions >= _FEWEST:
            why = "some pairs of the sessions have no value: select sessions that all have one"
    elif (np.ptp(matrix, axis=0) <= _ALIKE).any():
        same = np.array(list(columns))[np.ptp(matrix, axis=0) <= _ALIKE]
        why = f"all pairs of sessions have the same {', '.join(same)}"
    elif y.size < x.shape[1] + 3 or np.linalg.matrix_rank(x) < x.shape[1] or not np.ptp(y) > 0:
        why = "predictors are as many as pairs, or follow from each other, or nothing changes"
    rng = generator(seed, "explain_drift", name)
    values = _empty(len(columns)) if why else _fitted(y, x, at, len(times), n_permutations, rng)
    values["low"], values["high"] = t_interval(values["slope"], values["se"], n_sessions - 2, level)
    verdict = "too few sessions" if why else _verdict(values, len(times))
    if verdict == "cannot be told apart":
        values["p"] = np.full(len(columns), np.nan)
    by_term = ("slope", "se", "low", "high", "slope_alone", "p", "correlation")
    found = xr.Dataset(
        {key: ("term", np.asarray(values[key])) for key in by_term}
        | {key: ("model", values[key]) for key in ("explained", "explained_by_chance")}
        | {"confounding": values["confounding"], "n_sessions": n_sessions, "n_pairs": y.size},
        coords={"term": _labels(columns), "model": _labels(MODELS)},
    )
    found = label(found, EXPLAINED_DRIFT)
    return found.assign_attrs(
        measure=name,
        verdict=verdict,
        left_out=why,
        times=json.dumps(time_names),
        exact=str(values["exact"]).lower(),
        level=level,
        seed=seed,
    )


def _labels(names: Iterable[str]) -> np.ndarray:
    """Labels as a store gives them back."""
    return np.array(list(names), dtype=object)


def _empty(n_terms: int) -> dict[str, Any]:
    by_term = ("slope", "se", "slope_alone", "p", "correlation")
    values: dict[str, Any] = {key: np.full(n_terms, np.nan) for key in by_term}
    values |= {key: np.full(3, np.nan) for key in ("explained", "explained_by_chance")}
    return values | {"confounding": np.nan, "exact": False}


def _fitted(
    y: np.ndarray,
    x: np.ndarray,
    at: tuple[np.ndarray, np.ndarray],
    n_times: int,
    n_permutations: int,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Slopes, p and shares of complete pairs."""
    n = int(max(at[0].max(), at[1].max())) + 1
    nodes = incidence(*at, n)
    time = np.arange(x.shape[1]) <= n_times  # with the intercept
    rest = ~time
    rest[0] = True
    alone = np.full(x.shape[1], np.nan)
    for part in (time, rest):
        alone[part] = fit_dyads(y, x[:, part], nodes)
    orders, exact = orders_of(n, n_permutations, rng)
    p = []
    for k in range(1, x.shape[1]):
        t = np.abs(permuted_t(y, x, k, at, orders))
        p.append(float(np.mean(~(t < t[0] * (1 - 1e-9)))))
    shares = [permuted_share(y, x[:, part], at, orders) for part in (time, rest, time | rest)]
    lag = x[:, 1]
    fit = x[:, rest] @ np.linalg.lstsq(x[:, rest], lag, rcond=None)[0]
    away = lag - lag.mean()
    confounding = np.sqrt(max(0.0, 1 - ((lag - fit) ** 2).sum() / (away @ away)))
    return {
        "slope": fit_dyads(y, x, nodes)[1:],
        "se": jackknife_se(y, x, nodes)[1:],
        "slope_alone": alone[1:],
        "p": np.array(p),
        "correlation": np.array([np.corrcoef(lag, column)[0, 1] for column in x[:, 1:].T]),
        "explained": np.array([share[0] for share in shares]),
        "explained_by_chance": np.array([share.mean() for share in shares]),
        "confounding": float(confounding),
        "exact": exact,
    }


def _verdict(values: dict[str, Any], n_times: int) -> str:
    if values["confounding"] >= _SAME:
        return "cannot be told apart"
    return verdict_of(values["p"], n_times)


def verdict_of(p: np.ndarray, n_times: int) -> str:
    """What goes with the change, of the p of all terms, those of time first.

    Parameters
    ----------
    p
        (term) p of each.
    n_times
        How many terms are of time.

    Returns
    -------
    str
        Of the smallest p of each kind, times their number, at .05.
    """
    time = bool(np.min(p[:n_times]) * n_times <= 0.05)
    behaviour = bool(np.min(p[n_times:]) * (p.size - n_times) <= 0.05)
    names = {(True, False): "time", (False, True): "behaviour", (True, True): "both"}
    return names.get((time, behaviour), "neither")


def _animals(
    pairs: Mapping[str, Any],
    behaviour: Any,
    options: dict[str, Any],
    n_permutations: int,
    level: float,
    seed: int,
) -> xr.Dataset:
    """Slopes of each animal, then their mean over animals."""
    if behaviour is not None and set(behaviour) != set(pairs):
        raise ValueError(
            f"pairs are of {', '.join(map(str, pairs))}, but behaviour of "
            f"{', '.join(map(str, behaviour))}: give the same animals"
        )
    each = {
        str(name): _one(
            one,
            None if behaviour is None else behaviour[name],
            options,
            n_permutations,
            level,
            seed,
        )
        for name, one in pairs.items()
    }
    terms = {tuple(one["term"].values.tolist()) for one in each.values()}
    if len(terms) != 1:
        raise ValueError(
            "the animals have different predictors, since some have fewer sessions: name the "
            "distances (distances=['overall'])"
        )
    joined = xr.concat(
        list(each.values()), "animal", coords="minimal", compat="override", combine_attrs="override"
    )
    slopes = joined["slope"].transpose("animal", "term").values
    number = np.isfinite(slopes).sum(axis=0)
    several = np.where(number > 1, number, np.nan)
    mean = np.nansum(slopes, axis=0) / several
    se = np.sqrt(np.nansum((slopes - mean) ** 2, axis=0) / (several - 1) / several)
    low, high = t_interval(mean, se, several - 1, level)
    p = 2 * stdtr(several - 1, -np.abs(mean / se))
    times = json.loads(str(joined.attrs["times"]))
    confounding = joined["confounding"].values
    known = np.isfinite(confounding)
    verdict = "too few sessions" if not (number > 1).all() else verdict_of(p, len(times))
    if known.any() and np.median(confounding[known]) >= _SAME:
        verdict, p = "cannot be told apart", np.full(p.size, np.nan)
    by_term = {"slope": mean, "se": se, "low": low, "high": high, "p": p}
    by_term["slope_alone"] = joined["slope_alone"].mean("animal").values
    by_term["correlation"] = joined["correlation"].mean("animal").values
    found = xr.Dataset(
        {key: ("term", values) for key, values in by_term.items()}
        | {"animal_slope": (("animal", "term"), slopes)}
        | {key: joined[key].mean("animal") for key in ("explained", "explained_by_chance")}
        | {key: joined[key] for key in ("confounding", "n_sessions", "n_pairs")},
        coords={"term": joined["term"], "model": joined["model"], "animal": _labels(each)},
    )
    found = label(found, EXPLAINED_DRIFT)
    why = [one.attrs["left_out"] for one in each.values() if one.attrs["left_out"]]
    return found.assign_attrs(joined.attrs | {"verdict": verdict, "left_out": "; ".join(why)})


def _sources(
    pairs: xr.Dataset | xr.DataTree, behaviour: xr.Dataset | None
) -> tuple[xr.Dataset, xr.Dataset]:
    if behaviour is None:
        if not isinstance(pairs, xr.DataTree):
            raise TypeError(
                "behaviour is missing: give compute_behaviour_distance(recording), or a tree of "
                "analyze with the node behaviour"
            )
        behaviour = node_of(pairs, "behaviour")
    found = node_of(pairs, "session_drift", "drift", "decoding")
    for name, one in (("pairs", found), ("behaviour", behaviour)):
        expect_dataset(name, one, [], "a result over session_a and session_b")
        missing = [dim for dim in _PAIR if dim not in one.coords]
        if missing:
            raise ValueError(f"{name} has no {' and '.join(missing)}: give a result over pairs")
    for dim in _PAIR:
        absent = set(map(str, found[dim].values)) - set(map(str, behaviour[dim].values))
        if absent:
            raise ValueError(f"behaviour lacks the sessions {', '.join(sorted(absent)[:5])}")
    return found, behaviour


def _measure(pairs: xr.Dataset, measure: str | None) -> str:
    there = [str(name) for name, v in pairs.data_vars.items() if set(v.dims) == set(_PAIR)]
    if measure is None:
        for name in (*DEFAULT_MEASURES, *there):
            if name in there and np.isfinite(pairs[name].values.astype(float)).any():
                return name
        raise ValueError("pairs have no variable over session_a and session_b with values")
    expect_choice("measure", measure, there)
    return measure


def _pairs_of(values: xr.DataArray) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Values of pairs a < b, the mean of both orders; those that are known."""
    square = values.transpose(*_PAIR).values.astype(float)
    both = np.where(np.isfinite(square), square, square.T)
    both = (both + both.T) / 2
    a, b = np.triu_indices(square.shape[0], 1)
    known = np.isfinite(both[a, b])
    return both[a, b][known], (a[known], b[known])


def _half(
    distance: xr.DataArray, pairs: xr.Dataset, at: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    labels = distance["session_a"].values.astype(str).tolist()
    order = [labels.index(str(name)) for name in pairs["session_a"].values]
    square = distance.transpose(*_PAIR).values.astype(float)[np.ix_(order, order)]
    return np.asarray(square[at])


def _times(pairs: xr.Dataset, at: tuple[np.ndarray, np.ndarray]) -> dict[str, np.ndarray]:
    """Lag of each pair in days, or in sessions, and in experience where that is another thing."""
    found = {}
    for name in ("lag_day", "lag_training_step", "lag"):
        if name in pairs.coords and np.isfinite(pairs[name].values[at].astype(float)).all():
            found[name] = np.abs(pairs[name].transpose(*_PAIR).values[at].astype(float))
            break
    if not found:
        raise ValueError("pairs have no lag: give a result over session_a and session_b")
    if "lag_experience" in pairs.coords:
        other = np.abs(pairs["lag_experience"].transpose(*_PAIR).values[at].astype(float))
        first = next(iter(found.values()))
        varies = other.size > 2 and np.isfinite(other).all() and np.ptp(other) > 0
        if varies and np.ptp(first) > 0 and np.corrcoef(first, other)[0, 1] < _COLLINEAR:
            found["lag_experience"] = other
    return found


def _distances(
    behaviour: xr.Dataset, chosen: Sequence[str] | None, n_pairs: int, n_times: int
) -> list[str]:
    there = [str(n) for n, v in behaviour.data_vars.items() if set(v.dims) == set(_PAIR)]
    if chosen is not None:
        if not names_in("distances", chosen):
            raise ValueError("distances is empty: name some, or leave it out")
        for name in chosen:
            expect_choice("distances", name, there)
        return list(chosen)
    each = [n for n in there if n != "overall" and np.isfinite(behaviour[n].values).any()]
    if "overall" in there and (not each or n_pairs < _PAIRS_EACH * (n_times + len(each))):
        return ["overall"]
    if not each:
        raise ValueError("behaviour has no distance over session_a and session_b with values")
    return each
