"""The answer of a cohort to one question, as recorded, on an equal footing or given covariates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from neurodrift.analysis.comparison.members import Member
from neurodrift.analysis.series.trend import smallest_detectable
from neurodrift.analysis.series.verdicts import Course
from neurodrift.cohort.animals import Animals, Between, Pooled, groups, line, one_group, pool
from neurodrift.cohort.cohort import Cohort, Factor
from neurodrift.cohort.mixed import fit_one_slope
from neurodrift.cohort.one_animal import fit_one_animal
from neurodrift.cohort.questions import Question
from neurodrift.cohort.series import Rows, reduce_rows, rows_of, stack

BETWEEN_ANIMALS, WITHIN_ANIMAL = "between animals", "within one animal"
ONE_SLOPE = "assumes one slope for all"


@dataclass(frozen=True)
class Variant:
    """How a question is answered.

    Parameters
    ----------
    name
        ``raw``, ``matched``, ``given NAME``, ``given all`` or ``mixed``.
    covariates
        What is held.
    matched
        Whether the measure is the one on an equal footing.
    mixed
        Whether one slope is fitted to all recordings.
    """

    name: str
    covariates: tuple[str, ...] = ()
    matched: bool = False
    mixed: bool = False


def variants(covariates: Sequence[str]) -> list[Variant]:
    """All ways in which a question is answered.

    Parameters
    ----------
    covariates
        What can be held.

    Returns
    -------
    list of Variant
        As recorded, on an equal footing, given each covariate, given all, and by a mixed model.
    """
    found = [Variant("raw"), Variant("matched", matched=True)]
    found += [Variant(f"given {name}", (name,)) for name in covariates]
    if len(covariates) > 1:
        found.append(Variant("given all", tuple(covariates)))
    return [*found, Variant("mixed", mixed=True)]


@dataclass(frozen=True)
class Each:
    """One animal in an answer: its group, its value, and the cohort's estimate without it."""

    subject: str
    group: str
    value: float
    n_recordings: int
    estimate_without: float


@dataclass(frozen=True)
class Group:
    """The estimate of one group, or of two groups' difference."""

    name: str
    estimate: float
    se: float
    dof: float
    n_animals: int
    other: str = ""


@dataclass(frozen=True, eq=False)
class Answer:
    """What a cohort answers; NaN and a reason where it does not.

    Parameters
    ----------
    estimate, se, dof
        Student's t; NaN for more than two groups.
    f, dof_above
        Of Welch's analysis of variance for more than two groups; its `dof` is that below.
    p
        Two-sided p of none.
    basis
        What the interval holds: variation between animals, or within one.
    contrast
        What is compared, such as ``ko − wt``; for a factor within animals too ``ko − wt; B − A``.
    reason
        Why there is no answer.
    left_out
        Reason for each recording that does not count.
    mean
        Mean of the measure over the animals.
    scale
        What makes the estimate a change over the span: the span of the axis, times that of a
        factor that is a number.
    moved, moved_se, moved_dof
        What the covariates, or an equal footing, took from the estimate of the same recordings.
    coefficients, inflation
        Of the covariates, in units of the measure for each unit of theirs.
    each, by_group, pairs
        Animals, groups, and pairs of more than two groups.
    n_animals, n_recordings, n_observations
        How many animals, recordings, and sessions or pairs of sessions count.
    """

    question: Question
    variant: Variant
    estimate: float = np.nan
    se: float = np.nan
    dof: float = np.nan
    f: float = np.nan
    dof_above: float = np.nan
    p: float = np.nan
    basis: str = ""
    contrast: str = ""
    reason: str = ""
    left_out: dict[str, str] = field(default_factory=dict)
    mean: float = np.nan
    scale: float = np.nan
    moved: float = np.nan
    moved_se: float = np.nan
    moved_dof: float = np.nan
    coefficients: tuple[float, ...] = ()
    inflation: tuple[float, ...] = ()
    each: tuple[Each, ...] = ()
    by_group: tuple[Group, ...] = ()
    pairs: tuple[Group, ...] = ()
    n_animals: int = 0
    n_recordings: int = 0
    n_observations: int = 0

    @property
    def change(self) -> Course:
        """The estimate over the whole span, in units of the measure."""
        return Course(self.estimate * self.scale, self.se * self.scale, self.dof, self.mean)

    def detectable(self, level: float) -> float:
        """Smallest estimate that would have been found with a power of 80 %."""
        return smallest_detectable(self.se, self.dof, level)

    @property
    def same_sign(self) -> float:
        """Animals whose value has the sign of the estimate; NaN for groups and lines."""
        if len(self.by_group) > 1 or not self.each or "per unit" in self.contrast:
            return np.nan
        return float(sum(np.sign(one.value) == np.sign(self.estimate) for one in self.each))


@dataclass(frozen=True, eq=False)
class _Used:
    """A recording that counts, its observations, and the measure as it was recorded."""

    member: Member
    rows: Rows
    raw: np.ndarray


def ask(cohort: Cohort, question: Question, variant: Variant) -> Answer:
    """Ask a cohort one question in one way.

    Parameters
    ----------
    cohort
        The cohort.
    question, variant
        The question, and how it is answered.

    Returns
    -------
    Answer
        With the reason where there is none.
    """
    answer = Answer(question, variant)
    if variant.mixed and question.kind == "decay":
        return replace(answer, reason="pairs of sessions depend on each other in another way")
    if question.measure in variant.covariates:
        return replace(answer, reason=f"{question.measure} is the covariate itself")
    between, within = _factors(cohort, question)
    refused = _refused(question, between, within)
    if refused:
        return replace(answer, reason=refused)
    used, left_out = _usable(cohort, question, variant, between, within)
    used, weights, animals, lacking = _by_animal(used, within)
    answer = replace(answer, left_out=left_out | lacking)
    if not used:
        told = list(dict.fromkeys(answer.left_out.values()))
        return replace(answer, reason="; ".join(told) or "there is no recording")
    answer = _described(answer, used, animals, between, within)
    if variant.mixed:
        return _mixed(answer, used, between, within)
    group_of = _group_of(used, animals, between)
    if between is None and len(animals) == 1:
        return _one_animal(answer, used, weights, animals)
    return _pooled(answer, used, weights, animals, between, group_of)


def _factors(cohort: Cohort, question: Question) -> tuple[Factor | None, Factor | None]:
    """The factor between animals and the one within them."""
    named = [cohort.factors[name] for name in question.factors]
    between = [f for f in named if not f.within]
    within = [f for f in named if f.within]
    if len(between) > 1 or len(within) > 1:
        both, where = (between, "between") if len(between) > 1 else (within, "within")
        raise ValueError(
            f"question {question.text!r}: {' and '.join(f.name for f in both)} both differ {where} "
            "animals: ask one by one, or give one column that joins them"
        )
    return (between[0] if between else None), (within[0] if within else None)


def _refused(question: Question, between: Factor | None, within: Factor | None) -> str:
    """Why a factor cannot be asked; empty if it can."""
    for factor in (between, within):
        if factor is None:
            continue
        n = len(factor.levels) or len(set(factor.values.values()))
        if n < 2:
            return f"{factor.name} is the same in all recordings"
    if within is not None and len(within.levels) > 2:
        return (
            f"{within.name} has {len(within.levels)} groups within animals: two are compared; give "
            "the recordings of two"
        )
    return ""


def _usable(
    cohort: Cohort,
    question: Question,
    variant: Variant,
    between: Factor | None,
    within: Factor | None,
) -> tuple[list[_Used], dict[str, str]]:
    """Recordings that have an answer, and why the others have none."""
    used, left_out = [], {}
    for member in cohort.members:
        reason = _lacking(cohort, member, question, variant, between, within)
        if not reason:
            measure = f"{question.measure}_matched" if variant.matched else question.measure
            start = cohort.starts.get(member.name, np.nan)
            rows = rows_of(member, question, variant.covariates, measure=measure, start=start)
            reason = _without_answer(rows, question)
        if reason:
            left_out[member.name] = reason
        else:
            raw = rows if not variant.matched else rows_of(member, question, start=start)
            used.append(_Used(member, rows, raw.y))
    return used, left_out


def _lacking(
    cohort: Cohort,
    member: Member,
    question: Question,
    variant: Variant,
    between: Factor | None,
    within: Factor | None,
) -> str:
    """What a recording does not have; empty if it has all."""
    if not member.has(question.measure):
        return f"it has no {question.measure}"
    if variant.matched:
        matched = f"{question.measure}_matched"
        if not member.has(matched) or (
            question.kind != "decay" and question.measure not in member.matched
        ):
            return "it was not put on an equal footing"
    for factor in (between, within):
        if factor is not None and member.name not in factor.values:
            return f"its {factor.name} is not known"
    if question.axis and not member.has(question.axis):
        return f"it has no {question.axis}"
    if question.kind == "intervention" and member.name not in cohort.starts:
        return "it is not known when the intervention was"
    for name in variant.covariates:
        if not member.has(name):
            return f"it has no {name}"
    return ""


def _without_answer(rows: Rows, question: Question) -> str:
    """Why the observations of a recording have no answer; empty if they have one."""
    what = "pairs of sessions" if question.kind == "decay" else "sessions"
    n = int(rows.used.sum())
    if n < question.terms:
        what = what if n != 1 else what.replace("sessions", "session").replace("pairs", "pair")
        return f"{n} {what} for {question.terms} coefficients"
    value = reduce_rows(rows.y, rows.design, rows.covariates, rows.used).value
    if np.isfinite(value):
        return ""
    if question.kind == "intervention":
        return "its sessions do not lie on both sides of the intervention, beside its trend"
    return f"{question.axis} is the same in all its {what}"


def _by_animal(
    used: list[_Used], within: Factor | None
) -> tuple[list[_Used], np.ndarray, list[str], dict[str, str]]:
    """Weights (animal, recording) of what makes an animal's value; animals without one go."""
    animals = list(dict.fromkeys(u.member.replicate for u in used))
    left_out: dict[str, str] = {}
    rows: dict[str, np.ndarray] = {}
    for animal in animals:
        own = np.array([u.member.replicate == animal for u in used])
        weight = own / own.sum()
        if within is not None:
            values = [within.values[u.member.name] for u in used]
            told = _contrast_within(values, own, within)
            if told is None:
                reason = f"its animal has one {within.name} only"
                left_out |= {u.member.name: reason for u, o in zip(used, own, strict=True) if o}
                continue
            weight = told
        rows[animal] = weight
    kept = [i for i, u in enumerate(used) if u.member.replicate in rows]
    weights = np.array([row[kept] for row in rows.values()]).reshape(len(rows), len(kept))
    return [used[i] for i in kept], weights, list(rows), left_out


def _contrast_within(
    values: list[str | float], own: np.ndarray, within: Factor
) -> np.ndarray | None:
    """Weights of the difference, or of the slope, over the recordings of one animal."""
    weight = np.zeros(own.size)
    if within.levels:
        for level, sign in zip(within.levels, (-1.0, 1.0), strict=True):
            there = own & np.array([v == level for v in values])
            if not there.any():
                return None
            weight[there] = sign / there.sum()
        return weight
    x = np.array(values, dtype=float)
    apart = np.where(own, x - x[own].mean(), 0.0)
    if np.ptp(x[own]) <= 1e-12 * np.abs(x[own]).max():
        return None
    return np.asarray(apart / (apart**2).sum())


def _described(
    answer: Answer,
    used: list[_Used],
    animals: list[str],
    between: Factor | None,
    within: Factor | None,
) -> Answer:
    """Mean, span and counts of what is used, and what is compared."""
    means, spans = [], []
    for animal in animals:
        own = [u.rows for u in used if u.member.replicate == animal]
        means.append(np.mean([rows.y[rows.used].mean() for rows in own]))
        spans.append(np.mean([np.ptp(rows.at[rows.used]) for rows in own]))
    along = answer.question.kind in ("slope", "decay")
    scale = float(np.mean(spans)) if along else 1.0
    contrast = []
    for factor in (between, within):
        if factor is None:
            continue
        if factor.levels:
            named = factor.levels
            there = [
                level
                for level in named
                if any(factor.values.get(u.member.name) == level for u in used)
            ]
            contrast.append(f"{there[1]} − {there[0]}" if len(there) == 2 else ", ".join(there))
        else:
            values = [float(factor.values[u.member.name]) for u in used]
            scale *= float(np.ptp(values))
            contrast.append(f"per unit of {factor.name}")
    return replace(
        answer,
        mean=float(np.mean(means)),
        scale=scale,
        contrast="; ".join(contrast),
        n_animals=len(animals),
        n_recordings=len(used),
        n_observations=int(sum(u.rows.used.sum() for u in used)),
    )


def _group_of(used: list[_Used], animals: list[str], between: Factor | None) -> list[str]:
    """Group of each animal; empty texts without groups."""
    if between is None:
        return [""] * len(animals)
    named = {u.member.replicate: between.values[u.member.name] for u in used}
    return [str(named[a]) for a in animals]


def _pooled(
    answer: Answer,
    used: list[_Used],
    weights: np.ndarray,
    animals: list[str],
    between: Factor | None,
    group_of: list[str],
) -> Answer:
    """The answer of several animals."""
    levels = [level for level in (between.levels if between else ()) if level in group_of]
    n = len(animals)
    each = tuple(
        Each(animal, group, np.nan, int((row != 0).sum()), np.nan)
        for animal, group, row in zip(animals, group_of, weights, strict=True)
    )
    answer = replace(answer, each=each, basis=BETWEEN_ANIMALS)
    reason = _too_few(n, between, levels, group_of)
    if reason:
        return replace(answer, reason=reason)
    design, contrast = _design(between, levels, group_of)
    found = pool(_reduced(used, weights), design)
    if found.held is not None and not bool(found.held.known):
        return replace(answer, reason=_untold(answer.variant, used))
    values = found.each
    without = found.without @ contrast
    answer = replace(
        answer,
        each=tuple(
            replace(one, value=float(v), estimate_without=float(w))
            for one, v, w in zip(each, values, without, strict=True)
        ),
        by_group=_groups(found, levels, group_of),
    )
    if found.held is not None:
        moved, moved_se, moved_dof = (float(x) for x in found.moved_by(contrast))
        answer = replace(
            answer,
            coefficients=tuple(map(float, found.held.coefficients)),
            inflation=tuple(map(float, found.held.inflation)),
            moved=moved,
            moved_se=moved_se,
            moved_dof=moved_dof,
        )
    if answer.variant.matched:
        moved, moved_se, moved_dof = (
            float(x) for x in pool(_lost(used, weights), design).contrast(contrast)
        )
        answer = replace(answer, moved=moved, moved_se=moved_se, moved_dof=moved_dof)
    if len(levels) > 2:
        return _several_groups(answer, found, levels)
    estimate, se, dof = (float(x) for x in found.contrast(contrast))
    return replace(answer, estimate=estimate, se=se, dof=dof, p=Course(estimate, se, dof).p)


def _too_few(n: int, between: Factor | None, levels: list[str], group_of: list[str]) -> str:
    """Why animals are too few; empty if they are not."""
    if between is None:
        return ""
    if not between.levels:
        if len(set(group_of)) < 2:
            return f"{between.name} is the same in all animals"
        if n < 3:
            return f"{n} animals are too few for a line over {between.name}"
        counts = [group_of.count(g) for g in set(group_of)]
        if len(counts) == 2 and min(counts) == 1:
            return f"one animal alone has another {between.name}"
        return ""
    if len(levels) < 2:
        return f"only animals of {levels[0]} are left"
    alone = [level for level in levels if group_of.count(level) < 2]
    if alone:
        return f"{alone[0]} has one animal: a group needs two for an interval"
    return ""


def _design(
    between: Factor | None, levels: list[str], group_of: list[str]
) -> tuple[Between, np.ndarray]:
    """How animals make the parameters, and which of them answer."""
    if between is None:
        return one_group(len(group_of)), np.ones(1)
    if not between.levels:
        return line(np.array(group_of, dtype=float)), np.array([0.0, 1.0])
    contrast = np.zeros(len(levels))
    contrast[[0, 1]] = -1.0, 1.0
    return groups(np.array([levels.index(g) for g in group_of])), contrast


def _reduced(used: list[_Used], weights: np.ndarray) -> Animals:
    """The animals; covariates are centred, so that levels are those at their mean."""
    held = np.concatenate([u.rows.covariates[u.rows.used] for u in used])
    centre = held.mean(axis=0)
    each = [
        reduce_rows(u.rows.y, u.rows.design, u.rows.covariates - centre, u.rows.used) for u in used
    ]
    return Animals.of(stack(each), weights)


def _lost(used: list[_Used], weights: np.ndarray) -> Animals:
    """The animals' answers as recorded less those on an equal footing, of the same sessions."""
    each = []
    for u in used:
        y = u.raw - u.rows.y
        known = u.rows.used & np.isfinite(y)
        each.append(reduce_rows(y, u.rows.design, u.rows.covariates, known))
    return Animals.of(stack(each), weights)


def _untold(variant: Variant, used: list[_Used]) -> str:
    """Why the coefficients of covariates cannot be told."""
    names = " and ".join(variant.covariates)
    n = int(sum(u.rows.used.sum() - u.rows.design.shape[1] for u in used))
    if n <= len(variant.covariates):
        return f"{n} degrees of freedom are left for {names}: more sessions are needed"
    return (
        f"{names} cannot be told apart from what is asked, or from each other, in all animals but "
        "one"
    )


def _groups(found: Pooled, levels: list[str], group_of: list[str]) -> tuple[Group, ...]:
    rows = []
    for i, level in enumerate(levels):
        estimate, se, dof = (float(x) for x in found.contrast(np.eye(len(levels))[i]))
        rows.append(Group(level, estimate, se, dof, group_of.count(level)))
    return tuple(rows)


def _several_groups(answer: Answer, found: Pooled, levels: list[str]) -> Answer:
    f, above, below, p = found.equality()
    pairs = []
    for i, first in enumerate(levels):
        for j in range(i + 1, len(levels)):
            contrast = np.zeros(len(levels))
            contrast[[i, j]] = -1.0, 1.0
            estimate, se, dof = (float(x) for x in found.contrast(contrast))
            n = answer.by_group[i].n_animals + answer.by_group[j].n_animals
            pairs.append(Group(levels[j], estimate, se, dof, n, first))
    return replace(
        answer,
        f=float(f),
        dof_above=float(above),
        dof=float(below),
        p=float(p),
        pairs=tuple(pairs),
        moved=np.nan,
        moved_se=np.nan,
        moved_dof=np.nan,
        each=tuple(replace(one, estimate_without=np.nan) for one in answer.each),
    )


def _one_animal(
    answer: Answer, used: list[_Used], weights: np.ndarray, animals: list[str]
) -> Answer:
    fit = fit_one_animal(
        [u.member for u in used], [u.rows for u in used], weights[0], answer.question
    )
    each = (Each(animals[0], "", fit.estimate, len(used), np.nan),)
    return replace(
        answer,
        estimate=fit.estimate,
        se=fit.se,
        dof=fit.dof,
        p=Course(fit.estimate, fit.se, fit.dof).p,
        basis=WITHIN_ANIMAL,
        reason=fit.reason,
        each=each,
    )


def _mixed(
    answer: Answer, used: list[_Used], between: Factor | None, within: Factor | None
) -> Answer:
    """The answer of a mixed model; factors of more than two groups, or two of them, have none."""
    answer = replace(answer, basis=ONE_SLOPE)
    factor = between or within
    if between is not None and within is not None:
        return replace(answer, reason="two factors are not asked of a mixed model")
    told = None
    if factor is not None:
        levels = [
            level
            for level in factor.levels
            if any(factor.values[u.member.name] == level for u in used)
        ]
        if factor.levels and len(levels) != 2:
            return replace(answer, reason="a mixed model is asked of two groups")
        told = np.array(
            [
                levels.index(str(factor.values[u.member.name]))
                if levels
                else float(factor.values[u.member.name])
                for u in used
            ],
            dtype=float,
        )
    fit = fit_one_slope([u.member for u in used], [u.rows for u in used], told)
    return replace(
        answer,
        estimate=fit.estimate,
        se=fit.se,
        dof=fit.dof,
        p=Course(fit.estimate, fit.se, fit.dof).p,
        reason=fit.reason,
    )
