"""What a reader of a cohort must know: who carries an effect, and what else differs or changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from neurodrift.analysis.series.verdicts import Course, holm
from neurodrift.cohort.animals import Animals, groups, pool
from neurodrift.cohort.answers import Answer, Variant, ask
from neurodrift.cohort.cohort import Cohort, Factor
from neurodrift.cohort.questions import AXES, Question
from neurodrift.report.words import in_sentence, number, p_value, percent, plain, plural
from neurodrift.schema.words import listing

COLLINEAR = 10.0
"""Variance inflation above which a covariate and time cannot be told apart."""

FEW_ANIMALS = 5
"""Animals below which p has fewer than 4 degrees of freedom."""

MATCHES_MATTER = 0.1
"""Share of the loss of similarity from which wrong matches are more than a note."""

_NAMED = 6  # recordings whose wrong matches are written out

_RECORDED = {
    "events_per_unit": ("The number of events per cell", "events"),
    "n_detected": ("The number of detected cells", "cells"),
    "running_speed": ("Running speed", "cm/s"),
    "running_time": ("The running time", "min"),
    "tracked_time": ("The length of sessions", "min"),
}
"""Columns that are looked at: their names in words, and units."""

_RAW = Variant("raw")


def cautions_of(
    cohort: Cohort, answers: Sequence[Sequence[Answer]], axis: str, level: float
) -> list[dict[str, str]]:
    """Every caution that a cohort gives reason for.

    Parameters
    ----------
    cohort
        The cohort.
    answers
        For each question its answers, the first one as recorded.
    axis
        What changes are along.
    level
        Coverage of the intervals; what differs at 1 - `level` is told.

    Returns
    -------
    list of dict
        ``code``, a name for tests and links, and ``text``.
    """
    alpha = 1 - level
    found = [
        *_few(cohort),
        *_carried(answers, alpha),
        *_recorded(cohort, axis, alpha),
        *_registered(cohort, alpha),
        *_wrong_matches(cohort, answers),
        *_collinear(answers),
        *_left_out(answers),
    ]
    return [{"code": code, "text": text} for code, text in found]


def _few(cohort: Cohort) -> list[tuple[str, str]]:
    n = len({m.replicate for m in cohort.members})
    if n >= FEW_ANIMALS:
        return []
    return [
        (
            "few-animals",
            f"{plural(n, 'animal')}: p has fewer than 4 degrees of freedom. Take an effect as one "
            "to confirm in more animals, and go by the intervals.",
        )
    ]


def _carried(answers: Sequence[Sequence[Answer]], alpha: float) -> list[tuple[str, str]]:
    """Effects that are found, and of which one animal makes more than half."""
    found = []
    for raw, *_ in answers:
        without = np.array([one.estimate_without for one in raw.each])
        if not (raw.p < alpha and np.isfinite(without).all() and without.size):
            continue
        left = without / raw.estimate
        k = int(np.argmin(left))
        if left[k] < 0.5:
            found.append(
                (
                    "one-animal",
                    f"{raw.question.text}: without {raw.each[k].subject} the estimate is "
                    f"{number(without[k])} instead of {number(raw.estimate)}: one animal carries "
                    "the effect.",
                )
            )
    return found


def _recorded(cohort: Cohort, axis: str, alpha: float) -> list[tuple[str, str]]:
    """Behaviour and recording that change, in all animals or in one group.

    P are corrected for the columns that are looked at, or one study in three would be warned.
    """
    names = [name for name in _RECORDED if name in cohort.measures]
    found = []
    of_all = [ask(cohort, Question(f"{n} ~ {axis}", n, "slope", axis), _RAW) for n in names]
    for name, raw in _standing_out(names, of_all, alpha):
        if raw.n_animals > 1:
            found.append((f"changes-{name}", _changing(raw, axis)))
    for factor in _between(cohort):
        by = (factor.name,)
        text = f"{factor.name} * {axis}"
        both = [ask(cohort, Question(f"{n} ~ {text}", n, "slope", axis, by), _RAW) for n in names]
        for name, answer in _standing_out(names, both, alpha):
            unit = _RECORDED[name][1]
            told = listing(
                [f"{number(g.estimate)} {unit} {_per(axis)} in {g.name}" for g in answer.by_group]
            )
            found.append(
                (
                    f"groups-{name}",
                    f"{_title(name)} changes otherwise in one group of {factor.name} than in "
                    f"another ({p_value(answer.p)}): {told}. What the groups' measures do may "
                    "follow from it: read them on an equal footing and given it.",
                )
            )
    return found


def _standing_out(
    names: list[str], answers: list[Answer], alpha: float
) -> list[tuple[str, Answer]]:
    p = holm(np.array([answer.p for answer in answers]))
    return [(n, a) for n, a, own in zip(names, answers, p, strict=True) if own < alpha]


def _changing(raw: Answer, axis: str) -> str:
    low, high = Course(raw.estimate, raw.se, raw.dof).interval(0.95)
    name = raw.question.measure
    does = "rises" if raw.estimate > 0 else "falls"
    return (
        f"{_title(name)} {does} in the cohort: {number(raw.estimate)} {_RECORDED[name][1]} "
        f"{_per(axis)} (95 % CI {number(low)} to {number(high)}, {p_value(raw.p)}, "
        f"{plural(raw.n_animals, 'animal')})."
    )


def _title(name: str) -> str:
    words = _RECORDED[name][0] if name in _RECORDED else in_sentence(name)
    return words[:1].upper() + words[1:]


def _per(axis: str) -> str:
    return {"day": "a day", "experience": "a minute", "fraction": "over the whole way"}.get(
        axis, f"a {AXES[axis]}"
    )


def _between(cohort: Cohort) -> list[Factor]:
    """Groups of animals that were given."""
    named = [cohort.factors[name] for name in cohort.declared]
    return [factor for factor in named if factor.levels and not factor.within]


def _registered(cohort: Cohort, alpha: float) -> list[tuple[str, str]]:
    """Groups in which more cells are other cells, and sessions whose registration is in doubt."""
    found = []
    odd = [f"{m.name} (session {listing(list(m.doubtful))})" for m in cohort.members if m.doubtful]
    if odd:
        found.append(
            (
                "registration",
                f"The registration is in doubt in {listing(odd)}: look at it before its drift.",
            )
        )
    for factor in _between(cohort):
        own: dict[str, list[float]] = {}
        of: dict[str, str] = {}
        for m in cohort.members:
            if m.name in factor.values and np.isfinite(m.wrong_cells):
                own.setdefault(m.replicate, []).append(m.wrong_cells)
                of[m.replicate] = str(factor.values[m.name])
        counts = Counter(of.values())
        levels = [level for level in factor.levels if counts[level] > 1]
        if len(levels) != 2:
            continue
        animals = [a for a in own if of[a] in levels]
        value = np.array([np.mean(own[a]) for a in animals])
        none = np.zeros((value.size, 0))
        plain_animals = Animals(
            value, none, np.zeros((value.size, 0, 0)), none, none, np.ones(value.size)
        )
        between = groups(np.array([levels.index(of[a]) for a in animals]))
        pooled = pool(plain_animals, between)
        course = Course(*(float(x) for x in pooled.contrast(np.array([-1.0, 1.0]))))
        if course.p < alpha:
            means = [float(value[[of[a] == level for a in animals]].mean()) for level in levels]
            told = listing(
                [f"{percent(x)} in {level}" for x, level in zip(means, levels, strict=True)]
            )
            found.append(
                (
                    "groups-registration",
                    f"Of the cells of a pair of sessions an estimated {told} are others "
                    f"({p_value(course.p)}): the registration is worse in one group of "
                    f"{factor.name}, and wrong cells read as drift.",
                )
            )
    return found


def _wrong_matches(cohort: Cohort, answers: Sequence[Sequence[Answer]]) -> list[tuple[str, str]]:
    """What wrong matches could make of the similarity that is asked for, in each recording."""
    decays = any(raw.question.kind == "decay" for raw, *_ in answers)
    checked = [m for m in cohort.members if m.registered and not m.noise_free]
    if not decays or not checked:
        return []
    unknown = [m.name for m in checked if m.matches is None]
    weighed = [(m.name, m.matches) for m in checked if m.matches is not None]
    if not weighed:
        return [
            (
                "unknown-matches",
                "Cells that were matched to other cells look like drift. How many they are has no "
                "estimate in any recording, so what they make of the answers on similarity is not "
                "known: see the registration in each one's report.",
            )
        ]
    weighed.sort(key=lambda item: -item[1].taken / item[1].seen)
    worst = weighed[0][1].taken / weighed[0][1].seen
    each = [
        f"{name} {min(w.taken, w.seen):.2f} of {w.seen:.2f} ({percent(w.share)} of the cells wrong)"
        for name, w in weighed[:_NAMED]
    ]
    text = (
        "Cells that were matched to other cells look like drift. If drift is steady, wrong matches "
        "alone could make this much of what maps lose between the sessions furthest apart: "
        f"{listing(each)}."
    )
    rest = weighed[_NAMED:]
    if rest:
        text += (
            f" In the other {number(len(rest))} they could make less, at most "
            f"{percent(rest[0][1].taken / rest[0][1].seen)} of it."
        )
    if unknown:
        text += f" There is no estimate in {listing(unknown)}."
    text += " The answers on similarity do not take this off."
    return [("wrong-matches" if worst >= MATCHES_MATTER else "few-wrong-matches", text)]


def _collinear(answers: Sequence[Sequence[Answer]]) -> list[tuple[str, str]]:
    worst: dict[str, tuple[float, str]] = {}
    for one in (one for row in answers for one in row):
        if len(one.variant.covariates) != 1:
            continue
        for name, inflation in zip(one.variant.covariates, one.inflation, strict=False):
            if inflation > max(COLLINEAR, worst.get(name, (0.0, ""))[0]):
                worst[name] = (inflation, one.question.text)
    return [
        (
            "collinear",
            f"{_title(name)} goes along with what is asked ({text}; variance inflation "
            f"{number(inflation)}): these sessions hardly tell their effects apart.",
        )
        for name, (inflation, text) in worst.items()
    ]


def _left_out(answers: Sequence[Sequence[Answer]]) -> list[tuple[str, str]]:
    told: dict[tuple[str, str], list[str]] = {}
    for raw, *_ in answers:
        for name, reason in raw.left_out.items():
            told.setdefault((name, reason), []).append(raw.question.text)
    reasons: dict[str, list[str]] = {}
    for name, reason in told:
        reasons.setdefault(plain(reason), []).append(name)
    return [
        ("left-out", f"Left out of some questions, because {reason}: {listing(sorted(names))}.")
        for reason, names in reasons.items()
    ]
