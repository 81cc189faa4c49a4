"""Recordings, real or simulated, side by side: how they change, and whether they agree."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import combinations, product
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xarray as xr

from neurodrift.analysis.comparison._curves import Curves, early_and_late, mean_decay, mean_series
from neurodrift.analysis.comparison._effects import (
    NUMBERS,
    Effect,
    Fits,
    SideFit,
    Within,
    agree,
    first_value,
    fit_member,
    fit_mixed,
    fit_side,
    normalized,
    t_test,
    verdicts,
)
from neurodrift.analysis.comparison._notes import notes
from neurodrift.analysis.comparison.members import AXES, MEASURES, SIMILARITIES, Member, gather
from neurodrift.analysis.series.verdicts import MARGIN, Verdict, decide, holm
from neurodrift.schema import FORMAT_VERSION, label
from neurodrift.schema.objects import expect_dataset, names_in
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import COMPARISON, StatementVerdict
from neurodrift.seeds import generator

if TYPE_CHECKING:
    from neurodrift.schema.types import Results

STATEMENTS = {
    "fewer active units": ("slope", "fraction_active_units", -1),
    "lower active fraction": ("slope", "active_fraction", -1),
    "fewer place cells": ("slope", "fraction_place_cells", -1),
    "more information": ("slope", "information", 1),
    "representation decorrelates": ("decay", "", -1),
    "decorrelation slows": ("slowing", "", -1),
}
"""Statements of the paper: kind of the effect, measure (empty: the similarity), and its sign."""


@checked_options
def compare(
    a: Results,
    b: Results,
    *others: Results,
    names: Sequence[str] | None = None,
    measures: Sequence[str] | None = None,
    axes: Sequence[str] | None = None,
    covariates: Sequence[str] | None = None,
    similarity: str | None = None,
    method: Literal["subjects", "mixed"] = "subjects",
    within: Literal["ar1", "ols"] = "ar1",
    margin: float = MARGIN,
    factor: float = 2.0,
    level: float = 0.95,
    n_repeats: int = 2000,
    seed: int = 0,
) -> xr.Dataset:
    r"""Compare how recordings change: activity, information, and similarity against lag.

    Parameters
    ----------
    a, b, *others
        The sides. Each is a result of :func:`neurodrift.analyze`, or a list or mapping of them:
        several animals, or runs of a simulation. Recordings of one animal on a side count once.
    names
        Names of the sides.
    measures
        Session measures to compare, columns of the node ``sessions``; those of the paper and of
        the toolkit that any recording has, when omitted. ``"information"`` is the one without
        bias of sampling and of choosing: cross-fitted of events
        (:func:`neurodrift.compute_cross_fitted_information`), naive of a network's activation.
    axes
        What the sessions lie along: ``"fraction"`` of the way, 0 to 1 from the first to the last
        session of a recording by training step, else experience, else day; and ``"day"`` [d],
        ``"experience"`` [min], ``"training_step"``, ``"session_number"``. When omitted the
        fraction and those of the first three that any recording has.
    covariates
        Session measures that are controlled for in a second set of estimates; running speed
        where any recording has it, when omitted. Of two sessions their absolute difference
        enters.
    similarity
        Which similarity the statements on decorrelation use; when omitted the first that every
        side has of rate-map, population-vector and ensemble-rate correlation, relative to the
        noise ceiling where possible.
    method
        ``"subjects"``: the mean of the animals' estimates and Student's t between them.
        ``"mixed"``: one slope for all recordings of a side with a random intercept for each;
        narrower, and too narrow where slopes differ. See :func:`neurodrift.regress`.
    within
        Slope of one recording: ``"ar1"`` averages over how alike neighbouring sessions are, as
        :func:`neurodrift.regress` and :func:`neurodrift.detect_phases` do; ``"ols"``, least
        squares, takes sessions as independent, and its intervals are too narrow where they are
        not.
    margin
        Change over the whole way, relative to the mean, that the verdict "no change" rules out.
    factor
        Slopes within this factor of each other have the same size.
    level
        Coverage of the intervals; verdicts are at 1 - `level`.
    n_repeats
        Bootstrap samples of animals or runs, made where each side has three or more.
    seed
        Seed of the bootstrap.

    Returns
    -------
    xarray.Dataset
        Series: ``value``, ``normalized`` (session_row, measure) of all sessions laid end to end,
        ``at`` (session_row, axis); ``series_mean``, ``series_sem``, ``series_n`` (side, scale,
        axis, point, measure) at ``series_at``. Similarity: ``pair_similarity``, ``pair_lag``
        (pair_row, ..); ``decay_mean``, ``decay_sem``, ``decay_n`` (side, axis, lag_point,
        similarity) at ``decay_at``; ``ceiling`` (recording, similarity); ``rate`` of
        decorrelation between neighbours (step_row, similarity) at ``rate_at``, ``rate_early``,
        ``rate_late`` (side, similarity).

        Effects over (scale, axis, adjustment, effect), per unit of the axis: the slope of a
        measure; the decay of a similarity with the lag; its slowing, the slope of the rate.
        ``recording_slope``, ``recording_slope_se`` (recording, ..); ``slope`` with ``_se``,
        ``_dof``, ``_p``, ``_ci_low``, ``_ci_high``, ``_n_subjects``, ``_basis`` and ``_reason``
        (side, ..); ``difference`` b - a likewise (pair, ..), ``difference_boot_*``, ``ratio``,
        ``p_same_sign``, ``p_opposite_sign``, ``p_same_size``, ``sign_agreement``,
        ``size_agreement`` and ``pair_reason``.

        ``slope_detectable`` is the smallest slope that would have been found with a power of 80 %.

        ``statement_verdict`` (statement, side, adjustment): ``"holds"``, ``"contradicted"``,
        ``"no change"``, ``"undecided"`` or ``"not testable"``, with estimate, interval, p,
        ``statement_p_holm``, which is corrected for the statements of the side, the smallest
        change ``statement_detectable`` that would have been found with a power of 80 %, the same
        relative to the mean (``statement_detectable_relative``), and reason. They are of the
        measures on an equal footing (``NAME_matched`` of :func:`neurodrift.analyze`) where a side
        has them (``statement_matched``), as :func:`neurodrift.detect_phases` is. A statement holds,
        or is contradicted, by the corrected p. "No change" is said only where the uncorrected p
        finds none, a change of `margin` would have been found with a power of 80 %, the interval
        lies within it and, of one recording, no shape of change is more probable than none; what
        is left is undecided. What cannot be compared is NaN with a reason in words. The attribute
        ``notes`` lists what a reader must know.

    Raises
    ------
    TypeError
        If a side is no result of :func:`neurodrift.analyze`.
    ValueError
        If a recording is given twice, or a measure, axis or similarity is in no recording.

    Notes
    -----
    The scale ``"first"`` divides every recording by its first session [1]_. The rate of
    decorrelation between the sessions i and i + 1 at :math:`f_i` of the way is
    :math:`-\ln r_{i,i+1} / (f_{i+1} - f_i)`, which for exponential decay does not depend on the
    spacing.

    With one animal on a side its interval holds the variation between its sessions alone.
    Errors of slopes are then averaged over the autocorrelation of the sessions; of decay, the
    jackknife over sessions with n - 2 degrees of freedom, because pairs share sessions; of slowing,
    the larger of both.
    Sides differ by Welch's t. The same sign is established when both intervals exclude zero
    on one side, the same size when the ratio lies within `factor` by two one-sided tests. The
    bootstrap over animals takes the percentiles widened for small samples [2]_.

    A fraction of the way is a fraction of what was recorded. Slopes on it compare total changes,
    and sizes agree or not with the length of a training as much as with its law.

    The p of the six statements of a side are corrected by Holm's method [3]_; other p values are
    not corrected for the number of effects.

    Measured with 1000 repeats (``benchmarks/calibration_compare.py``), groups of 1 v 1 to 4 v 8
    animals of 8 sessions: Welch's intervals cover a difference in 94.3 to 97.3 %, equal slopes
    are called different in 3.3 to 4.9 %; the bootstrap covers 92.5 to 93.5 % with 3 v 3, 94.3 to
    96.2 % with more; the same sign is claimed in at most 3.4 % where one slope is zero, the same
    size in at most 2.4 % where the ratio is 2. For one animal the intervals of decay cover 95 to
    100 %, but 87 % where the drift itself goes by irregular steps over 16 sessions; those of
    slowing 94 to 100 %. A rate that falls to a seventh is then found in 26 to 46 % with 8
    sessions.

    References
    ----------
    .. [1] Ratzon, Derdikman and Barak (2024), eLife. https://doi.org/10.7554/eLife.90069
    .. [2] Hesterberg (2015), Am Stat. https://doi.org/10.1080/00031305.2015.1089789
    .. [3] Holm (1979), Scand J Stat. https://www.jstor.org/stable/4615733

    Examples
    --------
    >>> from neurodrift import analyze, compare, testing
    >>> recordings = (
    ...     testing.linear_track(n_units=20, n_sessions=5, minutes=2, silencing=f, seed=1)
    ...     for f in (0.0, 0.15)
    ... )
    >>> mouse, model = (analyze(recording, n_repeats=10) for recording in recordings)
    >>> found = compare(mouse, model, names=["mouse", "model"])
    >>> found["statement_verdict"].sel(
    ...     statement="fewer active units", adjustment="none"
    ... ).values.tolist()
    ['no change', 'holds']
    """
    for option, given in (("names", names), ("measures", measures), ("axes", axes)):
        if given is not None:
            names_in(option, given)
    members = gather([a, b, *others], names)
    if method not in ("subjects", "mixed"):
        raise ValueError(f"method is {method!r}, expected 'subjects' or 'mixed'")
    sides = list(dict.fromkeys(member.side for member in members))
    measures = _measures(members, measures)
    axes = _axes(members, axes)
    similarities = [s for s in SIMILARITIES if any(m.has(s) for m in members)]
    chosen = _similarity(members, similarities, similarity)
    if covariates is None:
        covariates = ["running_speed"] if any(m.has("running_speed") for m in members) else []
    covariates = list(covariates)
    _known(members, covariates, "covariate")
    adjustments: dict[str, list[str]] = {"none": []}
    if covariates:
        adjustments["+".join(covariates)] = covariates
    effects = [Effect("slope", m) for m in measures]
    effects += [Effect("decay", s) for s in similarities]
    effects += [Effect("slowing", s) for s in similarities]

    grid = {
        "scale": ["raw", "first"],
        "axis": axes,
        "adjustment": list(adjustments),
        "effect": [effect.label for effect in effects],
    }
    each, by_side = _fits(members, sides, axes, adjustments, effects, method, within)
    variables = _series_variables(members, sides, axes, measures)
    variables |= _decay_variables(members, sides, axes, similarities)
    variables |= _effect_variables(members, sides, grid, each, by_side, level)
    variables |= _pair_variables(sides, grid, by_side, factor, level, n_repeats, seed)
    variables |= _statement_variables(
        STATEMENTS, members, sides, list(adjustments), chosen, by_side, level, margin
    )
    coords = _coords(members, sides, grid, measures, similarities, effects)
    coords |= _statement_coords(STATEMENTS, chosen)
    result = label(xr.Dataset(variables, coords=coords), COMPARISON)
    result.attrs = {
        "title": "neurodrift comparison",
        "format_version": FORMAT_VERSION,
        "similarity": chosen,
        "level": level,
        "notes": json.dumps(notes(members, sides, axes, covariates, chosen, within)),
        "parameters": json.dumps(
            {
                "covariates": covariates,
                "method": method,
                "within": within,
                "margin": margin,
                "factor": factor,
                "level": level,
                "n_repeats": n_repeats,
                "seed": seed,
            }
        ),
    }
    return result


def describe_statements(comparison: xr.Dataset) -> str:
    """The statements of a comparison and what limits it, for people.

    Parameters
    ----------
    comparison
        Result of :func:`compare`.

    Returns
    -------
    str
        Lines of text.
    """
    made_by = "a comparison (neurodrift.compare)"
    expect_dataset("comparison", comparison, ["statement", "level", "notes"], made_by)
    level = comparison.attrs["level"]
    lines = [
        f"change over the whole way, {100 * level:g} % intervals; p corrected for the statements "
        "of a side (Holm); what would have been found: with a power of 80 %"
    ]
    names = [str(name) for name in comparison["statement"].values]
    width = max(map(len, names))
    for side, adjustment in product(
        comparison["side"].values, comparison["adjustment"].values.tolist()
    ):
        given = "" if adjustment == "none" else f", given {adjustment}"
        own = comparison.sel(side=side, adjustment=adjustment)
        lines.append(f"\n{side}{given}{_over(own)}")
        for name in names:
            row = own.sel(statement=name)
            low, high = (row[f"statement_{end}"].item() for end in ("ci_low", "ci_high"))
            estimate, p = row["statement_estimate"].item(), row["statement_p"].item()
            corrected = row["statement_p_holm"].item()
            numbers = f"{estimate:9.3g} [{low:.3g}, {high:.3g}], p = {p:.2g}, Holm {corrected:.2g}"
            seen = row["statement_detectable_relative"].item()
            if row["statement_verdict"].item() in ("no change", "undecided"):
                numbers += f"; {100 * seen:.0f} % of the mean would have been found"
            if not math.isfinite(low):
                numbers = row["statement_reason"].item()
            if row["statement_matched"].item():
                numbers += " (equal footing)"
            lines.append(f"  {name:{width}}  {row['statement_verdict'].item():12}  {numbers}")
    lines += ["", *json.loads(comparison.attrs["notes"])]
    return "\n".join(lines)


def _over(own: xr.Dataset) -> str:
    """The unit of inference of a side."""
    n = int(own["slope_n_subjects"].max()) if own["slope_n_subjects"].size else 0
    if n == 0:
        return ""
    if n == 1:
        return " (inference over the sessions of one animal or run, not over animals)"
    return f" (inference over {n} animals or runs)"


def _fits(
    members: Sequence[Member],
    sides: Sequence[str],
    axes: Sequence[str],
    adjustments: Mapping[str, Sequence[str]],
    effects: Sequence[Effect],
    method: str,
    within: Within,
) -> tuple[Fits, Fits]:
    """Every estimate: by recording and by side, then scale, axis, adjustment and effect."""
    each: Fits = {}
    by_side: Fits = {}
    for axis, (adjustment, used), effect in product(axes, adjustments.items(), effects):
        raw = [fit_member(member, effect, axis, used, within) for member in members]
        scaled = {"raw": raw, "first": [normalized(fit, effect) for fit in raw]}
        for scale, fits in scaled.items():
            key = (scale, axis, adjustment, effect.label)
            each |= {(m.name, *key): fit for m, fit in zip(members, fits, strict=True)}
            for side in sides:
                own = [m for m in members if m.side == side]
                theirs = [each[(m.name, *key)] for m in own]
                if method == "mixed":
                    found = fit_mixed(own, theirs, effect, axis, used, scale, within)
                else:
                    found = fit_side(own, theirs)
                by_side[(side, *key)] = found
    return each, by_side


def _measures(members: Sequence[Member], asked: Sequence[str] | None) -> list[str]:
    if asked is not None:
        _known(members, asked, "measure")
        return list(dict.fromkeys(asked))
    return [name for name in MEASURES if any(m.has(name) for m in members)]


def _axes(members: Sequence[Member], asked: Sequence[str] | None) -> list[str]:
    if asked is None:
        return ["fraction", *(a for a in AXES if any(m.has(a) for m in members))]
    allowed = ("fraction", *AXES, "session_number")
    unknown = [name for name in asked if name not in allowed]
    if unknown or not len(asked):
        raise ValueError(f"axes are {list(asked)}, expected some of {', '.join(allowed)}")
    _known(members, [name for name in asked if name != "fraction"], "axis")
    return list(dict.fromkeys(["fraction", *asked]))


def _similarity(members: Sequence[Member], there: Sequence[str], asked: str | None) -> str:
    if asked is not None:
        if asked not in there:
            raise ValueError(f"similarity is {asked!r}, the results have {', '.join(there)}")
        return asked
    sides = {member.side for member in members}
    for name in there:
        if {m.side for m in members if m.has(name)} == sides:
            return name
    return there[0] if there else ""


def _known(members: Sequence[Member], names: Sequence[str], what: str) -> None:
    columns = sorted({str(name) for m in members for name in m.sessions} - {"session", "fraction"})
    for name in names:
        if name not in columns:
            raise ValueError(
                f"no recording has the {what} {name!r}; there are {', '.join(columns)}"
            )


Variables = dict[str, tuple[tuple[str, ...], Any]]
GRID = ("scale", "axis", "adjustment", "effect")


def _series_variables(
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


def _decay_variables(
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


def _effect_variables(
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
        "slope_detectable": (of_side, fill(lambda k: by_side[k].detectable(level), sides, float)),
        "slope_n_subjects": (of_side, fill(lambda k: by_side[k].each.size, sides, np.int64)),
        "slope_basis": (of_side, fill(lambda k: by_side[k].basis, sides, object)),
        "slope_reason": (of_side, fill(lambda k: by_side[k].reason, sides, object)),
    }
    found = np.array([tests[(side, *key)] for side in sides for key in keys])
    for name, values in zip(("p", "ci_low", "ci_high"), found.T, strict=True):
        variables[f"slope_{name}"] = (of_side, values.reshape(len(sides), *shape))
    return variables


def _pair_variables(
    sides: Sequence[str],
    grid: Mapping[str, Sequence[str]],
    by_side: Fits,
    factor: float,
    level: float,
    n_repeats: int,
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
        found = agree(*both, factor=factor, level=level, n_repeats=n_repeats, rng=rng)
        for name, number in found.items():
            numbers[name][at] = number
        words["sign_agreement"][at], words["size_agreement"][at] = verdicts(found, level)
    dims = ("pair", *GRID)
    return {name: (dims, values) for name, values in {**numbers, **words}.items()}


def _statement_variables(
    table: Mapping[str, tuple[str, str, int]],
    members: Sequence[Member],
    sides: Sequence[str],
    adjustments: Sequence[str],
    similarity: str,
    by_side: Fits,
    level: float,
    margin: float,
) -> Variables:
    """Which statements hold for which side, on an equal footing where it has that."""
    shape = (len(table), len(sides), len(adjustments))
    names = ("estimate", "ci_low", "ci_high", "p", "detectable")
    found = {name: np.full(shape, np.nan) for name in names}
    relative, corrected = (np.full(shape, np.nan) for _ in range(2))
    verdict, reason = (np.full(shape, "", dtype=object) for _ in range(2))
    fits: dict[tuple[int, ...], SideFit] = {}
    footing = np.zeros(shape, dtype=bool)
    for at in np.ndindex(shape):
        kind, measure, _ = list(table.values())[at[0]]
        own = [m for m in members if m.side == sides[at[1]] and m.has(measure)]
        matched = Effect("slope", f"{measure}_matched")
        effect = Effect(kind, measure or similarity)  # type: ignore[arg-type]
        scale = "first" if kind == "slope" else "raw"
        side = (sides[at[1]], scale, "fraction", adjustments[at[2]])
        footing[at] = bool(own) and all(measure in m.matched for m in own)
        footing[at] &= (*side, matched.label) in by_side  # unless others were asked for
        key = (*side, (matched if footing[at] else effect).label)
        fit = fits[at] = by_side.get(key, SideFit(reason="no recording has it"))
        p, low, high = t_test(fit.estimate, fit.se, fit.dof, level)
        numbers = (fit.estimate, low, high, p, fit.detectable(level))
        for name, number in zip(found, numbers, strict=True):
            found[name][at] = number
        relative[at] = found["detectable"][at] / abs(fit.mean) if fit.mean else np.nan
        reason[at] = fit.reason
    for i, j in np.ndindex(shape[1:]):
        corrected[:, i, j] = holm(found["p"][:, i, j])
    for at in np.ndindex(shape):
        sign, fit = list(table.values())[at[0]][2], fits[at]
        if not np.isfinite(found["ci_low"][at]):
            verdict[at] = "not testable"
            continue
        once = float(corrected[at])
        said = decide(fit.course, margin=margin, level=level, p=once, log_bf=fit.log_bf)
        verdict[at] = _of_statement(said, sign)
    dims = ("statement", "side", "adjustment")
    variables: Variables = {f"statement_{name}": (dims, x) for name, x in found.items()}
    variables["statement_p_holm"] = (dims, corrected)
    variables["statement_detectable_relative"] = (dims, relative)
    variables["statement_matched"] = (dims, footing)
    return variables | {"statement_verdict": (dims, verdict), "statement_reason": (dims, reason)}


def _of_statement(said: Verdict, sign: int) -> StatementVerdict:
    """What a course says of the statement that it has this sign."""
    if said == "rises" or said == "falls":
        return "holds" if (said == "rises") == (sign > 0) else "contradicted"
    return said


def _coords(
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


def _statement_coords(table: Mapping[str, tuple[str, str, int]], similarity: str) -> Variables:
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
