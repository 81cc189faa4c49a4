"""Recordings, real or simulated, side by side: how they change, and whether they agree."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, Literal

import xarray as xr

from neurodrift.analysis import _comparison_parts as parts
from neurodrift.analysis._comparison_notes import notes
from neurodrift.analysis._effects import Effect, fit_member, fit_mixed, fit_side, normalized
from neurodrift.analysis._sides import AXES, MEASURES, SIMILARITIES, Member, gather
from neurodrift.result_schema import COMPARISON
from neurodrift.schema import FORMAT_VERSION, label

STATEMENTS = {
    "fewer active units": ("slope", "fraction_active_units", -1),
    "lower active fraction": ("slope", "active_fraction", -1),
    "fewer place cells": ("slope", "fraction_place_cells", -1),
    "more information": ("slope", "information", 1),
    "representation decorrelates": ("decay", "", -1),
    "decorrelation slows": ("slowing", "", -1),
}
"""Statements of the paper: kind of the effect, measure (empty: the similarity), and its sign."""


def compare(
    a: Any,
    b: Any,
    *others: Any,
    names: Sequence[str] | None = None,
    measures: Sequence[str] | None = None,
    axes: Sequence[str] | None = None,
    covariates: Sequence[str] | None = None,
    similarity: str | None = None,
    method: Literal["subjects", "mixed"] = "subjects",
    factor: float = 2.0,
    level: float = 0.95,
    repetitions: int = 2000,
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
        bias of sampling: SSR of events, naive of a network's activation.
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
    factor
        Slopes within this factor of each other have the same size.
    level
        Coverage of the intervals; verdicts are at 1 - `level`.
    repetitions
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

        ``statement_verdict`` (statement, side, adjustment): ``"holds"``, ``"contradicted"``,
        ``"undecided"`` or ``"not testable"``, with estimate, interval, p and reason. What cannot
        be compared is NaN with a reason in words. The attribute ``notes`` lists what a reader
        must know.

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
    Errors of slopes are then those of least squares; of decay, the jackknife over sessions
    with n - 2 degrees of freedom, because pairs share sessions; of slowing, the larger of both.
    Sides differ by Welch's t. The same sign is established when both intervals exclude zero
    on one side, the same size when the ratio lies within `factor` by two one-sided tests. The
    bootstrap over animals takes the percentiles widened for small samples [2]_.

    A fraction of the way is a fraction of what was recorded. Slopes on it compare total changes,
    and sizes agree or not with the length of a training as much as with its law.

    p values are not corrected for the number of effects.

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

    Examples
    --------
    >>> from neurodrift import analyze, compare, testing
    >>> recordings = (
    ...     testing.linear_track(n_units=20, n_sessions=5, minutes=2, silencing=f, seed=1)
    ...     for f in (0.0, 0.15)
    ... )
    >>> mouse, model = (analyze(recording, repetitions=10) for recording in recordings)
    >>> found = compare(mouse, model, names=["mouse", "model"])
    >>> found["statement_verdict"].sel(
    ...     statement="fewer active units", adjustment="none"
    ... ).values.tolist()
    ['undecided', 'holds']
    """
    members = gather([a, b, *others], names)
    _check_options(method, factor, level, repetitions)
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
    each, by_side = _fits(members, sides, axes, adjustments, effects, method)
    variables = parts.series(members, sides, axes, measures)
    variables |= parts.decays(members, sides, axes, similarities)
    variables |= parts.effects(members, sides, grid, each, by_side, level)
    variables |= parts.pairs(sides, grid, by_side, factor, level, repetitions, seed)
    variables |= parts.statements(STATEMENTS, sides, list(adjustments), chosen, by_side, level)
    coords = parts.coords(members, sides, grid, measures, similarities, effects)
    coords |= parts.statement_coords(STATEMENTS, chosen)
    result = label(xr.Dataset(variables, coords=coords), COMPARISON)
    result.attrs = {
        "title": "neurodrift comparison",
        "format_version": FORMAT_VERSION,
        "similarity": chosen,
        "level": level,
        "notes": json.dumps(notes(members, sides, axes, covariates, chosen, each)),
        "parameters": json.dumps(
            {
                "covariates": covariates,
                "method": method,
                "factor": factor,
                "level": level,
                "repetitions": repetitions,
                "seed": seed,
            }
        ),
    }
    return result


def statements_text(comparison: xr.Dataset) -> str:
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
    level = comparison.attrs["level"]
    lines = [f"change over the whole way, {100 * level:g} % intervals"]
    names = [str(name) for name in comparison["statement"].values]
    width = max(map(len, names))
    for side, adjustment in product(
        comparison["side"].values, comparison["adjustment"].values.tolist()
    ):
        given = "" if adjustment == "none" else f", given {adjustment}"
        lines.append(f"\n{side}{given}")
        own = comparison.sel(side=side, adjustment=adjustment)
        for name in names:
            row = own.sel(statement=name)
            low, high = (row[f"statement_{end}"].item() for end in ("ci_low", "ci_high"))
            estimate, p = row["statement_estimate"].item(), row["statement_p"].item()
            numbers = f"{estimate:9.3g} [{low:.3g}, {high:.3g}], p = {p:.2g}"
            if not math.isfinite(low):
                numbers = row["statement_reason"].item()
            lines.append(f"  {name:{width}}  {row['statement_verdict'].item():12}  {numbers}")
    lines += ["", *json.loads(comparison.attrs["notes"])]
    return "\n".join(lines)


def _fits(
    members: Sequence[Member],
    sides: Sequence[str],
    axes: Sequence[str],
    adjustments: Mapping[str, Sequence[str]],
    effects: Sequence[Effect],
    method: str,
) -> tuple[parts.Fits, parts.Fits]:
    """Every estimate: by recording and by side, then scale, axis, adjustment and effect."""
    each: parts.Fits = {}
    by_side: parts.Fits = {}
    for axis, (adjustment, used), effect in product(axes, adjustments.items(), effects):
        raw = [fit_member(member, effect, axis, used) for member in members]
        scaled = {"raw": raw, "first": [normalized(fit, effect) for fit in raw]}
        for scale, fits in scaled.items():
            key = (scale, axis, adjustment, effect.label)
            each |= {(m.name, *key): fit for m, fit in zip(members, fits, strict=True)}
            for side in sides:
                own = [m for m in members if m.side == side]
                theirs = [each[(m.name, *key)] for m in own]
                if method == "mixed":
                    found = fit_mixed(own, theirs, effect, axis, used, scale)
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


def _check_options(method: str, factor: float, level: float, repetitions: int) -> None:
    if method not in ("subjects", "mixed"):
        raise ValueError(f"method is {method!r}, expected 'subjects' or 'mixed'")
    if not factor > 1:
        raise ValueError(f"factor is {factor}, expected more than 1, such as 2")
    if not 0 < level < 1:
        raise ValueError(f"level is {level}, expected a probability such as 0.95")
    if repetitions < 0:
        raise ValueError(f"repetitions is {repetitions}, expected 0 or more")
