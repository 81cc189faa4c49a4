"""Pooled inference over a cohort: what many recordings say together, the animal as the unit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import xarray as xr

from neurodrift.analysis.series.verdicts import MARGIN, Course, decide, holm
from neurodrift.cohort.answers import Answer, Group, ask, variants
from neurodrift.cohort.cautions import cautions_of
from neurodrift.cohort.cohort import Cohort, gather_cohort
from neurodrift.cohort.effect_size import standardized
from neurodrift.cohort.questions import AXES, INTERVENTION, Question, read_questions
from neurodrift.report.words import unit_of
from neurodrift.schema import FORMAT_VERSION, label
from neurodrift.schema.objects import expect_choice, expect_type
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import ANSWERS, POOLED, AnswerVerdict

if TYPE_CHECKING:
    from neurodrift.schema.types import Factors, Results

TITLE = "neurodrift pooled animals"
"""Attribute ``title`` of the result."""

FEW_DEGREES = 4.0
"""Degrees of freedom below which p is marked."""

CARRIED = 0.5
"""Share of the estimate that must be left without any one animal."""


@checked_options
def pool_animals(
    results: Results,
    *,
    factors: Factors | None = None,
    questions: Sequence[str] | None = None,
    axis: str = "day",
    intervention: float | Mapping[str, float] | None = None,
    covariates: Sequence[str] | None = None,
    margin: float = MARGIN,
    level: float = 0.95,
    correction: Literal["holm", "none"] = "holm",
) -> xr.DataTree:
    r"""Answer the questions of a study over its animals.

    It estimates what holds of animals like these: the animal is the unit, however many cells,
    sessions and environments it has. Runs of a simulation count one by one.

    Parameters
    ----------
    results
        Results of :func:`neurodrift.analyze` of each recording: a mapping of names, or a list.
    factors
        What is known of each recording or each animal, by name: a table with that index, or a
        mapping of names to mappings. Texts are groups, the first one that occurs is the reference;
        numbers, such as age, are what animals are laid out along. ``environment`` is known.
    questions
        Texts: ``"information ~ day"``, the change of a measure a day;
        ``"fraction_place_cells ~ genotype * day"``, how much that differs between groups;
        ``"information ~ genotype"``, how much its level does; ``"decay of
        rate_map_correlation_relative ~ genotype"``, of the change of a similarity with the lag;
        ``"information ~ intervention"``, after less before, and ``"information ~ intervention given
        day"``, the same beside a trend; ``"information ~ environment * day"``, a factor within
        animals, whose difference is taken in each animal. When omitted, active units, place
        cells, information and the decay of the similarities without noise along `axis`, and how
        that differs by each factor.
    axis
        What the default questions and decays are along: ``"day"`` [d], ``"experience"`` [min],
        ``"training_step"``, ``"session_number"`` or ``"fraction"`` of the way.
    intervention
        Where on the axis (days, unless the question says another) it begins; a mapping by recording
        or animal where it differs. Sessions from then on are after it.
    covariates
        Columns of the node ``sessions`` that are held; running speed, events of a unit and time on
        the track as far as they are known when omitted. Of two sessions their absolute difference
        enters.
    margin
        Change over the span, relative to the mean, that "no change" rules out.
    level
        Coverage of the intervals.
    correction
        ``"holm"``: p are corrected for the questions of a variant [1]_.

    Returns
    -------
    xarray.DataTree
        ``answers`` (question, variant): ``estimate`` with ``se``, ``dof``, ``ci_low``,
        ``ci_high``, ``p``, ``p_holm``, ``few_degrees`` where fewer than 4 are behind p; ``f`` and
        ``dof_above`` for more than two groups; ``n_animals``, ``n_recordings``, ``n_left_out``;
        ``relative``, the change over the ``span`` over the ``mean_level``; ``standardized``, over
        the animals' standard deviation; ``detectable``, the smallest that would have been found
        with a power of 80 %; ``n_same_sign``; ``without_low`` and ``without_high``, the estimates
        without one animal, and ``carried_by``, the animal without which less than half is left;
        ``moved``, what covariates or an equal footing take from the estimate; ``vif`` of the
        covariates and ``widening`` of the interval; ``verdict`` and ``reason``.

        Variants stand side by side: ``raw``, as recorded; ``matched``, of the columns
        ``NAME_matched`` on an equal footing; ``given NAME`` and ``given all`` covariates;
        ``mixed``, which assumes one slope for all (:func:`neurodrift.regress`).

        ``animals``, ``groups``, ``covariates`` and ``left_out`` hold the values of the animals,
        the groups and their pairs, the covariates' coefficients, and who was left out and why;
        ``sessions`` what was asked, session by session. The attribute ``notes`` lists cautions.

    Raises
    ------
    TypeError
        If `results` are none, or `factors` are no table.
    ValueError
        If a question, a factor or a covariate is not known.

    Notes
    -----
    Every recording answers a question by least squares with a design of its own: :math:`[1]` for a
    level, :math:`[1, t]` for a change, :math:`[1, \mathrm{after}]` or :math:`[1, t,
    \mathrm{after}]` for an intervention, :math:`[1, \mathrm{lag}]` over pairs of sessions. Its
    answer is the last coefficient. An animal has the mean of its recordings, or their difference
    for a factor within animals. Over animals there are Student's t with n − 1 degrees of freedom,
    Welch's t for two groups [2]_, Welch's F for more [3]_, and least squares over a number.

    Covariates have one coefficient each for the whole cohort, estimated from all sessions beside
    the recordings' own designs, so that they are told from time by how sessions differ from their
    trends. Errors are by leaving out each animal in turn and estimating those coefficients anew
    (:func:`neurodrift.cohort.animals.pool`). A covariate that goes along with time widens the
    interval (``vif``, ``widening``), and one that is told by too few sessions gives no answer.

    What biases it: a covariate that is itself changed by what is asked, or that acts other than
    linearly; animals that drop out because of what is measured; a level of the animals that
    depends on the number of cells. Sessions of an animal with one recording more do not weigh
    more. With fewer than four degrees of freedom p says little either way.

    Neighbouring sessions may be alike: that widens the spread between animals, and the test knows
    it. For one animal the interval is over its sessions
    (:func:`~neurodrift.analysis.series.trend.fit_trend`), and the basis says so.

    Measured error rates and coverage are in ``docs/cohort.md`` (``benchmarks/cohort.py``).

    References
    ----------
    .. [1] Holm (1979), Scand J Stat. https://www.jstor.org/stable/4615733
    .. [2] Welch (1947), Biometrika. https://doi.org/10.1093/biomet/34.1-2.28
    .. [3] Welch (1951), Biometrika. https://doi.org/10.1093/biomet/38.3-4.330

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift import pool_animals, testing
    >>> day = np.arange(5.0)
    >>> mice = {
    ...     f"mouse {i}": testing.results_of(
    ...         {"day": day, "information": 1 + (0.1 + 0.01 * i) * day}, subject=f"m{i}"
    ...     )
    ...     for i in range(4)
    ... }
    >>> pooled = pool_animals(mice, questions=["information ~ day"])
    >>> raw = pooled["answers"].sel(question="information ~ day", variant="raw")
    >>> round(float(raw["estimate"]), 3), int(raw["n_animals"]), raw["verdict"].item()
    (0.115, 4, 'rises')
    """
    expect_choice("axis", axis, list(AXES))
    expect_choice("correction", correction, ["holm", "none"])
    cohort = gather_cohort(results, factors, intervention, covariates)
    asked = read_questions(
        questions,
        measures=cohort.measures,
        similarities=cohort.similarities,
        factors=list(cohort.factors),
        declared=cohort.declared,
        axis=axis,
    )
    if any(q.kind == "intervention" for q in asked) and not cohort.starts:
        raise ValueError(
            f"a question has {INTERVENTION!r}, but it is not known when it was: give "
            "intervention=, a day or a mapping by recording or animal"
        )
    ways = variants(cohort.covariates)
    answers = [[ask(cohort, question, way) for way in ways] for question in asked]
    tables = {
        "answers": _answer_table(answers, level, margin, correction),
        "animals": _animal_table(answers),
        "groups": _group_table(answers, level),
        "covariates": _held_table(answers),
        "left_out": _left_out_table(answers),
        "sessions": _session_table(cohort, asked),
    }
    nodes = {name: label(node, POOLED[name]) for name, node in tables.items()}
    tree = xr.DataTree.from_dict(nodes)
    tree.attrs = {
        "title": TITLE,
        "format_version": FORMAT_VERSION,
        "level": level,
        "notes": json.dumps(cautions_of(cohort, answers, axis, level), ensure_ascii=False),
        "parameters": json.dumps(
            {
                "questions": [question.text for question in asked],
                "axis": axis,
                "factors": list(cohort.declared),
                "covariates": list(cohort.covariates),
                "margin": margin,
                "level": level,
                "correction": correction,
            }
        ),
    }
    return tree


def tabulate_answers(pooled: xr.DataTree) -> pd.DataFrame:
    """Tidy table of the answers of a study, one row for each question and variant.

    Parameters
    ----------
    pooled
        Result of :func:`pool_animals`.

    Returns
    -------
    pandas.DataFrame
        ``question``, ``variant``, ``kind``, ``measure``, ``axis``, ``factors``, ``unit`` of the
        estimate, and a column for each variable of the node ``answers``.

    Raises
    ------
    TypeError
        If it is no result of :func:`pool_animals`.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift import pool_animals, tabulate_answers, testing
    >>> mice = [
    ...     testing.results_of({"day": np.arange(3.0), "information": np.ones(3)}, subject=name)
    ...     for name in ("a", "b")
    ... ]
    >>> table = tabulate_answers(pool_animals(mice, questions=["information ~ day"]))
    >>> table[["variant", "n_animals", "estimate"]].values.tolist()[0]
    ['raw', 2, 0.0]
    """
    node = answers_of(pooled)
    table = node.to_dataframe().reset_index()
    lead = ["question", "variant", "kind", "measure", "axis", "factors", "unit", "contrast"]
    return table[[*lead, *(name for name in ANSWERS if name in table and name not in lead)]]


def answers_of(pooled: xr.DataTree) -> xr.Dataset:
    """The node ``answers`` of a pooled study.

    Parameters
    ----------
    pooled
        Result of :func:`pool_animals`.

    Returns
    -------
    xarray.Dataset
        The answers.

    Raises
    ------
    TypeError
        If it is something else.
    """
    made_by = "the pooled animals of a study (neurodrift.pool_animals)"
    expect_type("pooled", pooled, xr.DataTree, made_by)
    if "answers" not in pooled.children:
        raise TypeError(f"pooled has no node 'answers', expected {made_by}")
    return pooled["answers"].to_dataset()


def _answer_table(
    answers: list[list[Answer]], level: float, margin: float, correction: str
) -> xr.Dataset:
    """All answers with what follows of their estimates."""
    p = np.array([[one.p for one in row] for row in answers])
    corrected = np.column_stack([holm(column) for column in p.T]) if correction == "holm" else p
    columns: dict[str, list[list[Any]]] = {}
    for row, own in zip(answers, corrected, strict=True):
        cells = [
            _cells(one, row[0], float(p_holm), level, margin)
            for one, p_holm in zip(row, own, strict=True)
        ]
        for name in cells[0]:
            columns.setdefault(name, []).append([cell[name] for cell in cells])
    dims = ("question", "variant")
    first = [row[0].question for row in answers]
    words: dict[str, list[str]] = {
        "question": [q.text for q in first],
        "kind": [q.kind for q in first],
        "measure": [q.measure for q in first],
        "axis": [q.axis for q in first],
        "factors": [", ".join(q.factors) for q in first],
        "unit": [_unit(row[0]) for row in answers],
    }
    variables = {name: (dims, _array(values)) for name, values in columns.items()}
    coords = {name: ("question", _words(told)) for name, told in words.items()}
    coords["variant"] = ("variant", _words([one.variant.name for one in answers[0]]))
    return xr.Dataset(variables, coords=coords)


def _cells(one: Answer, raw: Answer, p_holm: float, level: float, margin: float) -> dict[str, Any]:
    """Everything that is said of one answer."""
    low, high = Course(one.estimate, one.se, one.dof).interval(level)
    start, end = Course(raw.estimate, raw.se, raw.dof).interval(level)
    moved_low, moved_high = Course(one.moved, one.moved_se, one.moved_dof).interval(level)
    whole = one.scale / abs(one.mean) if one.mean else np.nan
    size, size_low, size_high = standardized(one, level)
    without = np.array([each.estimate_without for each in one.each])
    told = without[np.isfinite(without)]
    return {
        "estimate": one.estimate,
        "se": one.se,
        "dof": one.dof,
        "ci_low": low,
        "ci_high": high,
        "p": one.p,
        "p_holm": p_holm,
        "few_degrees": bool(one.dof < FEW_DEGREES),
        "f": one.f,
        "dof_above": one.dof_above,
        "basis": one.basis,
        "verdict": _verdict(one, p_holm, level, margin),
        "reason": one.reason,
        "n_animals": one.n_animals,
        "n_recordings": one.n_recordings,
        "n_observations": one.n_observations,
        "n_left_out": len(one.left_out),
        "mean_level": one.mean,
        "span": one.scale,
        "relative": one.estimate * whole,
        "relative_ci_low": low * whole,
        "relative_ci_high": high * whole,
        "standardized": size,
        "standardized_ci_low": size_low,
        "standardized_ci_high": size_high,
        "detectable": one.detectable(level) if np.isfinite(one.estimate) else np.nan,
        "n_same_sign": one.same_sign,
        "without_low": float(told.min()) if told.size else np.nan,
        "without_high": float(told.max()) if told.size else np.nan,
        "carried_by": _carried_by(one) if one.p < 1 - level else "",
        "moved": one.moved,
        "moved_ci_low": moved_low,
        "moved_ci_high": moved_high,
        "vif": max(one.inflation, default=np.nan),
        "widening": (high - low) / (end - start) if end > start else np.nan,
        "contrast": one.contrast,
    }


def _verdict(one: Answer, p_holm: float, level: float, margin: float) -> AnswerVerdict:
    """What the cohort shows."""
    if not np.isfinite(one.p):
        return "not testable"
    if np.isfinite(one.f):
        return "differs" if p_holm < 1 - level else "undecided"
    return decide(one.change, margin=margin, level=level, p=p_holm)


def _carried_by(one: Answer) -> str:
    """The animal without which less than half of the estimate is left; empty if there is none."""
    if not np.isfinite(one.estimate) or one.estimate == 0:
        return ""
    left = [each.estimate_without / one.estimate for each in one.each]
    if not left or not np.isfinite(left).all() or min(left) >= CARRIED:
        return ""
    return one.each[int(np.argmin(left))].subject


def _unit(one: Answer) -> str:
    """Unit of an estimate, such as ``bit/event/d``; fractions are 1."""
    unit = unit_of(one.question.measure)
    unit = "" if unit.startswith("%") or unit in ("correlation", "share of the ceiling") else unit
    parts = [unit or "1"]
    if one.question.kind in ("slope", "decay"):
        parts.append(AXES[one.question.axis])
    if one.contrast.startswith("per unit of "):
        parts.append(one.contrast.removeprefix("per unit of ").split(";")[0])
    return "/".join(parts)


def _animal_table(answers: list[list[Answer]]) -> xr.Dataset:
    rows = [(one, each) for row in answers for one in row for each in one.each]
    return _long(
        "animal",
        [one for one, _ in rows],
        {
            "value": np.array([each.value for _, each in rows], dtype=float),
            "group": _words([each.group for _, each in rows]),
            "n_recordings": np.array([each.n_recordings for _, each in rows], dtype=np.int64),
            "estimate_without": np.array([each.estimate_without for _, each in rows], dtype=float),
        },
        {"subject": [each.subject for _, each in rows]},
    )


def _group_table(answers: list[list[Answer]], level: float) -> xr.Dataset:
    rows: list[tuple[Answer, Group, float]] = []
    for one in (one for row in answers for one in row):
        rows += [(one, group, np.nan) for group in one.by_group]
        corrected = holm(np.array([Course(g.estimate, g.se, g.dof).p for g in one.pairs]))
        rows += [(one, g, float(p)) for g, p in zip(one.pairs, corrected, strict=True)]
    courses = [Course(g.estimate, g.se, g.dof) for _, g, _ in rows]
    ends = np.array([course.interval(level) for course in courses]).reshape(len(rows), 2)
    numbers = {
        "estimate": [g.estimate for _, g, _ in rows],
        "se": [g.se for _, g, _ in rows],
        "dof": [g.dof for _, g, _ in rows],
        "ci_low": ends[:, 0],
        "ci_high": ends[:, 1],
        "p": [course.p for course in courses],
        "p_holm": [p for *_, p in rows],
    }
    variables: dict[str, np.ndarray] = {
        name: np.asarray(values, dtype=float) for name, values in numbers.items()
    }
    variables["n_animals"] = np.array([g.n_animals for _, g, _ in rows], dtype=np.int64)
    words = {
        "group_name": [g.name for _, g, _ in rows],
        "group_other": [g.other for _, g, _ in rows],
    }
    return _long("group", [one for one, *_ in rows], variables, words)


def _held_table(answers: list[list[Answer]]) -> xr.Dataset:
    rows = [
        (one, name, beta, inflation)
        for row in answers
        for one in row
        for name, beta, inflation in zip(
            one.variant.covariates, one.coefficients, one.inflation, strict=False
        )
    ]
    return _long(
        "covariate",
        [one for one, *_ in rows],
        {
            "coefficient": np.array([row[2] for row in rows], dtype=float),
            "vif": np.array([row[3] for row in rows], dtype=float),
        },
        {"covariate_name": [row[1] for row in rows]},
    )


def _left_out_table(answers: list[list[Answer]]) -> xr.Dataset:
    rows = [(one, *item) for row in answers for one in row for item in one.left_out.items()]
    return _long(
        "left_out",
        [one for one, *_ in rows],
        {"reason": _words([reason for *_, reason in rows])},
        {"recording": [name for _, name, _ in rows]},
    )


def _session_table(cohort: Cohort, asked: list[Question]) -> xr.Dataset:
    """Axes, measures and covariates of every session."""
    wanted = [q.measure for q in asked if q.kind != "decay"]
    wanted += [f"{name}_matched" for name in wanted]
    names = [
        name
        for name in dict.fromkeys([*AXES, *wanted, *cohort.covariates])
        if any(m.has(name) for m in cohort.members)
    ]
    members = cohort.members
    n = [len(m.sessions) for m in members]
    variables = {
        name: ("session", np.concatenate([m.column(name) for m in members])) for name in names
    }
    words = {
        "recording": [m.name for m in members],
        "subject": [m.replicate for m in members],
        "environment": [m.environment for m in members],
    }
    coords: dict[str, Any] = {
        name: ("session", np.repeat(_words(values), n)) for name, values in words.items()
    }
    labels = [str(text) for m in members for text in m.sessions["session"]]
    coords["label"] = ("session", _words(labels))
    coords["place"] = ("session", np.concatenate([m.when for m in members]))
    return xr.Dataset(variables, coords=coords)


def _long(
    dim: str, answers: list[Answer], variables: Mapping[str, Any], words: Mapping[str, list[str]]
) -> xr.Dataset:
    """Rows of many answers below each other."""
    coords = {name: (dim, _words(values)) for name, values in words.items()}
    coords[f"{dim}_question"] = (dim, _words([one.question.text for one in answers]))
    coords[f"{dim}_variant"] = (dim, _words([one.variant.name for one in answers]))
    return xr.Dataset({name: (dim, v) for name, v in variables.items()}, coords=coords)


def _words(values: Sequence[str]) -> np.ndarray:
    return np.array(list(values), dtype=object)


def _array(values: list[list[Any]]) -> np.ndarray:
    """Numbers as they are, texts as objects."""
    text = isinstance(values[0][0], str)
    return np.array(values, dtype=object) if text else np.array(values)
