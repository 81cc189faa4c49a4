"""The variables of a comparison, from tables and estimates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import combinations, product
from typing import Any

import numpy as np

from neurodrift.analysis._agreement import NUMBERS, agree, t_test, verdicts
from neurodrift.analysis._beside import Curves, early_and_late, mean_decay, mean_series
from neurodrift.analysis._effects import Effect, SideFit, first_value
from neurodrift.analysis._sides import Member
from neurodrift.seeds import generator

Fits = dict[tuple[str, ...], Any]
Variables = dict[str, tuple[tuple[str, ...], Any]]
GRID = ("scale", "axis", "adjustment", "effect")


def series(
    members: Sequence[Member], sides: Sequence[str], axes: Sequence[str], measures: Sequence[str]
) -> Variables:
    """Measures of all sessions, and their means over the animals of a side."""
    first = [[first_value(m.column(name)) for name in measures] for m in members]
    per_member = [len(m.sessions) for m in members]
    value = _stacked(members, Member.column, measures)
    rows = ("session_row", "measure")
    variables: Variables = {
        "value": (rows, value),
        "normalized": (rows, value / np.repeat(first, per_member, axis=0)),
        "at": (("session_row", "axis"), _stacked(members, Member.column, axes)),
    }
    means = {}
    for scale in ("raw", "first"):
        curves = partial(mean_series, measures=measures, scale=scale)
        means[scale] = _stack(members, sides, axes, curves)
    dims = ("side", "scale", "axis", "point", "measure")
    variables["series_at"] = (("side", "axis", "point"), means["raw"][0])
    for i, name in enumerate(("series_mean", "series_sem", "series_n"), start=1):
        both = np.stack([means[scale][i] for scale in ("raw", "first")], axis=1)
        variables[name] = (dims, both)
    return variables


def decays(
    members: Sequence[Member], sides: Sequence[str], axes: Sequence[str], names: Sequence[str]
) -> Variables:
    """Similarity of all pairs, its mean over the lag, and the rates between neighbours."""
    curves = partial(mean_decay, similarities=names)
    at, mean, sem, number = _stack(members, sides, axes, curves)
    dims = ("side", "axis", "lag_point", "similarity")
    pair, rate = ("pair_row", "similarity"), ("step_row", "similarity")
    halves = np.array(
        [[early_and_late(_of(members, side), name) for name in names] for side in sides]
    ).reshape(len(sides), len(names), 2)
    ceiling = [[m.ceiling.get(name, np.nan) for name in names] for m in members]
    return {
        "pair_similarity": (pair, _stacked(members, lambda m, n: m.pairs(n, "")[:, 0], names)),
        "pair_lag": (
            ("pair_row", "axis"),
            _stacked(members, lambda m, axis: m.pairs("", axis)[:, 1], axes),
        ),
        "decay_at": (("side", "axis", "lag_point"), at),
        "decay_mean": (dims, mean),
        "decay_sem": (dims, sem),
        "decay_n": (dims, number),
        "ceiling": (("recording", "similarity"), np.array(ceiling).reshape(len(members), -1)),
        "rate": (rate, _stacked(members, lambda m, n: m.rates(n, "")[:, 0], names)),
        "rate_at": (
            ("step_row", "axis"),
            _stacked(members, lambda m, axis: m.rates("", axis)[:, 1], axes),
        ),
        "rate_early": (("side", "similarity"), halves[:, :, 0]),
        "rate_late": (("side", "similarity"), halves[:, :, 1]),
    }


def effects(
    members: Sequence[Member],
    sides: Sequence[str],
    grid: Mapping[str, Sequence[str]],
    each: Fits,
    by_side: Fits,
    level: float,
) -> Variables:
    """Estimates of every recording, and of every side with their tests."""
    keys, shape = list(product(*grid.values())), tuple(map(len, grid.values()))

    def fill(get: Callable[[tuple[str, ...]], Any], names: Sequence[str], dtype: Any) -> np.ndarray:
        flat = np.empty(len(names) * len(keys), dtype=dtype)
        flat[:] = [get((name, *key)) for name in names for key in keys]
        return flat.reshape(len(names), *shape)

    recordings = [m.name for m in members]
    one, of_side = ("recording", *GRID), ("side", *GRID)
    tests = {k: t_test(f.estimate, f.se, f.dof, level) for k, f in by_side.items()}
    variables: Variables = {
        "recording_slope": (one, fill(lambda k: each[k].estimate, recordings, float)),
        "recording_slope_se": (one, fill(lambda k: each[k].se, recordings, float)),
        "slope": (of_side, fill(lambda k: by_side[k].estimate, sides, float)),
        "slope_se": (of_side, fill(lambda k: by_side[k].se, sides, float)),
        "slope_dof": (of_side, fill(lambda k: by_side[k].dof, sides, float)),
        "slope_n_subjects": (of_side, fill(lambda k: by_side[k].each.size, sides, np.int64)),
        "slope_basis": (of_side, fill(lambda k: by_side[k].basis, sides, object)),
        "slope_reason": (of_side, fill(lambda k: by_side[k].reason, sides, object)),
    }
    found = np.array([tests[(side, *key)] for side in sides for key in keys])
    for name, values in zip(("p", "ci_low", "ci_high"), found.T, strict=True):
        variables[f"slope_{name}"] = (of_side, values.reshape(len(sides), *shape))
    return variables


def pairs(
    sides: Sequence[str],
    grid: Mapping[str, Sequence[str]],
    by_side: Fits,
    factor: float,
    level: float,
    repetitions: int,
    seed: int,
) -> Variables:
    """Differences between sides, and whether they agree in sign and in size."""
    couples = list(combinations(sides, 2))
    shape = (len(couples), *map(len, grid.values()))
    numbers = {name: np.full(shape, np.nan) for name in NUMBERS}
    words = {
        name: np.full(shape, "", dtype=object)
        for name in ("sign_agreement", "size_agreement", "pair_reason")
    }
    for at in np.ndindex(shape):
        key = tuple(names[i] for names, i in zip(grid.values(), at[1:], strict=True))
        couple = couples[at[0]]
        both = [_comparable(by_side, side, key) for side in couple]
        missing = [
            f"{side}: {fit.reason}"
            for side, fit in zip(couple, both, strict=True)
            if not np.isfinite(fit.estimate)
        ]
        if not missing and all(by_side[(side, *key)].lacking for side in couple):
            missing = [f"{side}: {by_side[(side, *key)].reason}" for side in couple]
        if missing:
            words["pair_reason"][at] = "; ".join(missing)
            continue
        rng = generator(seed, "compare", *couple, *key)
        found = agree(*both, factor=factor, level=level, repetitions=repetitions, rng=rng)
        for name, number in found.items():
            numbers[name][at] = number
        words["sign_agreement"][at], words["size_agreement"][at] = verdicts(found, level)
    dims = ("pair", *GRID)
    return {name: (dims, values) for name, values in {**numbers, **words}.items()}


def statements(
    table: Mapping[str, tuple[str, str, int]],
    sides: Sequence[str],
    adjustments: Sequence[str],
    similarity: str,
    by_side: Fits,
    level: float,
) -> Variables:
    """Which statements hold for which side."""
    shape = (len(table), len(sides), len(adjustments))
    found = {name: np.full(shape, np.nan) for name in ("estimate", "ci_low", "ci_high", "p")}
    verdict, reason = (np.full(shape, "", dtype=object) for _ in range(2))
    for at in np.ndindex(shape):
        kind, measure, sign = list(table.values())[at[0]]
        effect = Effect(kind, measure or similarity)  # type: ignore[arg-type]
        scale = "first" if kind == "slope" else "raw"
        key = (sides[at[1]], scale, "fraction", adjustments[at[2]], effect.label)
        fit = by_side.get(key, SideFit(reason="no recording has it"))
        p, low, high = t_test(fit.estimate, fit.se, fit.dof, level)
        for name, number in zip(found, (fit.estimate, low, high, p), strict=True):
            found[name][at] = number
        reason[at] = fit.reason
        if not np.isfinite(low):
            verdict[at] = "not testable"
        elif sign * low > 0 and sign * high > 0:
            verdict[at] = "holds"
        elif sign * low < 0 and sign * high < 0:
            verdict[at] = "contradicted"
        else:
            verdict[at] = "undecided"
    dims = ("statement", "side", "adjustment")
    variables: Variables = {f"statement_{name}": (dims, x) for name, x in found.items()}
    return variables | {"statement_verdict": (dims, verdict), "statement_reason": (dims, reason)}


def coords(
    members: Sequence[Member],
    sides: Sequence[str],
    grid: Mapping[str, Sequence[str]],
    measures: Sequence[str],
    similarities: Sequence[str],
    labels: Sequence[Effect],
) -> Variables:
    """Coordinates of the comparison."""
    couples = list(combinations(sides, 2))
    found: Variables = {
        "side": (("side",), _words(sides)),
        "recording": (("recording",), _words([m.name for m in members])),
        "recording_side": (("recording",), _words([m.side for m in members])),
        "subject": (("recording",), _words([m.subject for m in members])),
        "environment": (("recording",), _words([m.environment for m in members])),
        "clock": (("recording",), _words([m.clock for m in members])),
        "information_source": (("recording",), _words([m.information_source for m in members])),
        "measure": (("measure",), _words(measures)),
        "similarity": (("similarity",), _words(similarities)),
        "effect_kind": (("effect",), _words([effect.kind for effect in labels])),
        "effect_measure": (("effect",), _words([effect.measure for effect in labels])),
        "side_a": (("pair",), _words([a for a, _ in couples])),
        "side_b": (("pair",), _words([b for _, b in couples])),
        "row_session": (("session_row",), _words([s for m in members for s in m.sessions.session])),
    }
    found |= {name: ((name,), _words(values)) for name, values in grid.items()}
    for prefix, dim, lengths in (
        ("row", "session_row", [len(m.sessions) for m in members]),
        ("pair", "pair_row", [len(m.pairs("", "")) for m in members]),
        ("step", "step_row", [len(m.rates("", "")) for m in members]),
    ):
        for name in ("side", "recording"):
            own = [m.side if name == "side" else m.name for m in members]
            found[f"{prefix}_{name}"] = ((dim,), np.repeat(_words(own), lengths))
    return found


def statement_coords(table: Mapping[str, tuple[str, str, int]], similarity: str) -> Variables:
    """Coordinates of the statements: the effect and the sign that each is about."""
    named = [Effect(kind, measure or similarity) for kind, measure, _ in table.values()]  # type: ignore[arg-type]
    return {
        "statement": (("statement",), _words(list(table))),
        "statement_effect": (("statement",), _words([effect.label for effect in named])),
        "statement_sign": (("statement",), np.array([sign for *_, sign in table.values()])),
    }


def _comparable(by_side: Fits, side: str, key: tuple[str, ...]) -> SideFit:
    """The estimate of a side; without the covariates where it has none of them to adjust for."""
    fit: SideFit = by_side[(side, *key)]
    if fit.lacking:
        scale, axis, _, effect = key
        fit = by_side[(side, scale, axis, "none", effect)]
    return fit


def _of(members: Sequence[Member], side: str) -> list[Member]:
    return [member for member in members if member.side == side]


def _stacked(
    members: Sequence[Member], get: Callable[[Member, str], np.ndarray], names: Sequence[str]
) -> np.ndarray:
    """One column for each name, the recordings one below the other."""
    columns = [np.concatenate([get(member, name) for member in members]) for name in names]
    n_rows = sum(get(member, "").size for member in members)
    return np.array(columns).reshape(len(names), n_rows).T


def _words(values: Sequence[str]) -> np.ndarray:
    return np.array(list(values), dtype=object)


def _stack(
    members: Sequence[Member],
    sides: Sequence[str],
    axes: Sequence[str],
    curves: Callable[[list[Member], str], Curves],
) -> tuple[np.ndarray, ...]:
    """Curves of every side and axis, filled up to the longest: NaN, and numbers 0."""
    found = [[curves(_of(members, side), axis) for axis in axes] for side in sides]
    longest = max((len(c[0]) for row in found for c in row), default=0)
    n_names = found[0][0][1].shape[1]
    shape = (len(sides), len(axes), longest)
    at = np.full(shape, np.nan)
    mean, sem = np.full((*shape, n_names), np.nan), np.full((*shape, n_names), np.nan)
    number = np.zeros((*shape, n_names), dtype=np.int64)
    for i, row in enumerate(found):
        for j, (points, *rest) in enumerate(row):
            at[i, j, : points.size] = points
            for array, values in zip((mean, sem, number), rest, strict=True):
                array[i, j, : points.size] = values
    return at, mean, sem, number
