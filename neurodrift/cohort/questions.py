"""Questions to a cohort, as a lab writes them: ``fraction_place_cells ~ genotype * day``."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from neurodrift.schema.objects import names_in

AXES = {
    "day": "d",
    "experience": "min",
    "training_step": "step",
    "session_number": "session",
    "fraction": "whole way",
}
"""What a measure can change along, and the unit of it."""

INTERVENTION = "intervention"
"""The term that tells sessions before an intervention from those after it."""

SIMILARITIES = (
    "rate_map_correlation_relative",
    "population_vector_correlation_relative",
    "ensemble_rate_correlation_relative",
)
"""Similarities whose decay is asked by default."""

PAPER = ("fraction_active_units", "fraction_place_cells", "information")
"""Measures of the sessions that are asked by default."""

Kind = Literal["level", "slope", "intervention", "decay"]

_HOW = (
    'write "MEASURE ~ day", "MEASURE ~ FACTOR", "MEASURE ~ FACTOR * day", '
    '"MEASURE ~ intervention" or "decay of SIMILARITY ~ FACTOR"'
)


@dataclass(frozen=True)
class Question:
    """What is asked of every recording, and between which animals.

    Parameters
    ----------
    text
        The question as it was asked.
    measure
        A measure of the sessions, or for ``decay`` a similarity of two sessions.
    kind
        ``level``, the mean over the sessions; ``slope``, the change a unit of the axis;
        ``intervention``, how much higher it is after than before; ``decay``, the change of a
        similarity with the lag.
    axis
        What it changes along, one of :data:`AXES`; empty where it changes along nothing.
    factors
        At most one factor between animals and one within them.
    """

    text: str
    measure: str
    kind: Kind
    axis: str = ""
    factors: tuple[str, ...] = ()

    @property
    def terms(self) -> int:
        """Coefficients of the question within one recording; the last one is its answer."""
        return 1 + (self.kind != "level") + (self.kind == "intervention" and bool(self.axis))


def parse_question(
    text: str,
    *,
    measures: Collection[str],
    similarities: Collection[str],
    factors: Collection[str],
    axis: str = "day",
) -> Question:
    """Read one question.

    Parameters
    ----------
    text
        ``"MEASURE ~ TERM * TERM"``. Terms are one of :data:`AXES`, ``intervention`` (with
        ``given day`` behind it where a trend is allowed for), and factors. Before the measure
        ``decay of`` asks for the change of a similarity with the lag.
    measures, similarities, factors
        What is known.
    axis
        What similarities decay along, where the question does not say.

    Returns
    -------
    Question
        The question.

    Raises
    ------
    ValueError
        If it cannot be read, or names what is not known.

    Examples
    --------
    >>> from neurodrift.cohort.questions import parse_question
    >>> known = {"measures": ["information"], "similarities": [], "factors": ["genotype"]}
    >>> question = parse_question("information ~ genotype * day", **known)
    >>> question.kind, question.axis, question.factors
    ('slope', 'day', ('genotype',))
    """
    if not isinstance(text, str):
        raise TypeError(f"a question is {text!r}, expected a text: {_HOW}")
    asked = " ".join(text.split())
    left, tilde, right = asked.partition("~")
    decay = left.strip().startswith("decay of ")
    measure = left.strip().removeprefix("decay of ").strip()
    if not measure or "~" in right or not (right.strip() or (decay and not tilde)):
        raise ValueError(f"question {text!r} cannot be read: {_HOW}")
    _expect_measure(asked, measure, decay, measures, similarities)
    right, given, along = (part.strip() for part in right.partition(" given "))
    if "+" in right:
        raise ValueError(
            f"question {text!r} has a '+': covariates are named by covariates=, and each answer is "
            "given with and without them; factors are joined by '*'"
        )
    terms = [term.strip() for term in re.split(r"[*:]", right)] if right else []
    times = [term for term in terms if term in AXES]
    after = [term for term in terms if term == INTERVENTION]
    named = tuple(term for term in terms if term not in AXES and term != INTERVENTION)
    unknown = [term for term in named if term not in factors]
    if unknown:
        raise ValueError(
            f"question {text!r} names {', '.join(map(repr, unknown))}: expected an axis "
            f"({', '.join(AXES)}), 'intervention' or a factor ({', '.join(factors) or 'none'})"
        )
    if len(times) + len(after) > 1 or len(set(terms)) < len(terms):
        raise ValueError(
            f"question {text!r} asks for {' and '.join(times + after)} at once: ask one by one; a "
            'trend is allowed for by "MEASURE ~ intervention given day"'
        )
    if len(named) > 2:
        raise ValueError(
            f"question {text!r} has {len(named)} factors, expected at most one between animals and "
            "one within them"
        )
    if given and not (after and along in AXES):
        raise ValueError(
            f"question {text!r} has 'given': expected an intervention before it and an axis after "
            f"it ({', '.join(AXES)})"
        )
    if not terms and not decay:
        raise ValueError(f"question {text!r} asks for nothing: {_HOW}")
    if decay:
        if after:
            raise ValueError(f"question {text!r}: a decay is along an axis, not an intervention")
        return Question(asked, measure, "decay", times[0] if times else axis, named)
    if after:
        return Question(asked, measure, "intervention", along, named)
    if times:
        return Question(asked, measure, "slope", times[0], named)
    return Question(asked, measure, "level", "", named)


def _expect_measure(
    asked: str,
    measure: str,
    decay: bool,
    measures: Collection[str],
    similarities: Collection[str],
) -> None:
    known, other = (similarities, measures) if decay else (measures, similarities)
    if measure in known:
        return
    if measure in other:
        does = "is no similarity of two sessions" if decay else "is a similarity of two sessions"
        ask = f'"{measure} ~ day"' if decay else f'"decay of {measure}"'
        raise ValueError(f"question {asked!r}: {measure} {does}: ask {ask}")
    what = "similarity" if decay else "measure"
    raise ValueError(
        f"question {asked!r}: there is no {what} {measure!r}; there are "
        f"{', '.join(known) or 'none'}"
    )


def default_questions(
    measures: Collection[str],
    similarities: Collection[str],
    factors: Sequence[str],
    axis: str = "day",
) -> list[str]:
    """The questions of the paper, over time and for each factor.

    Parameters
    ----------
    measures, similarities
        What some recording has.
    factors
        Factors that were given.
    axis
        What measures change along.

    Returns
    -------
    list of str
        Active units, place cells, information, and the decay of the similarities, each along the
        axis, and how that differs by each factor.
    """
    found = []
    for factor in ("", *factors):
        by = f"{factor} * " if factor else ""
        found += [f"{name} ~ {by}{axis}" for name in PAPER if name in measures]
        found += [f"decay of {name} ~ {by}{axis}" for name in SIMILARITIES if name in similarities]
    return found


def read_questions(
    given: Sequence[str] | None,
    *,
    measures: Collection[str],
    similarities: Collection[str],
    factors: Sequence[str],
    declared: Sequence[str] = (),
    axis: str = "day",
) -> list[Question]:
    """All questions, those of the paper when none are given.

    Parameters
    ----------
    given
        Questions as texts.
    measures, similarities, factors, axis
        As for :func:`parse_question`.
    declared
        The factors that the default questions ask for.

    Returns
    -------
    list of Question
        In order.

    Raises
    ------
    ValueError
        If one cannot be read, is asked twice, or there is none.
    """
    texts = default_questions(measures, similarities, declared, axis)
    if given is not None:
        texts = names_in("questions", given)
    questions = [
        parse_question(
            text, measures=measures, similarities=similarities, factors=factors, axis=axis
        )
        for text in texts
    ]
    twice = [q.text for q in questions if sum(q.text == other.text for other in questions) > 1]
    if twice:
        raise ValueError(f"question {twice[0]!r} is asked twice: ask it once")
    if not questions:
        raise ValueError(
            "there is no question: the recordings have none of the measures "
            f"{', '.join((*PAPER, *SIMILARITIES))}; give questions="
        )
    return questions
