"""A multiverse: the same questions under every combination of an analyst's choices."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import xarray as xr

from neurodrift.cohort.answers import BETWEEN_ANIMALS, Answer, Variant, ask
from neurodrift.cohort.cohort import Cohort, gather_cohort
from neurodrift.cohort.questions import Question, read_questions
from neurodrift.cohort.series import rows_of
from neurodrift.progress import Progress
from neurodrift.schema import FORMAT_VERSION, label
from neurodrift.schema.objects import path_of
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import MULTIVERSE
from neurodrift.studies.choices import (
    Choice,
    Universe,
    checked_choices,
    combinations,
    default_choices,
)
from neurodrift.studies.permuted import Permuted, along, flipped, relabelled, reordered, swapped
from neurodrift.studies.plan import Plan, load_plan
from neurodrift.studies.recordings import Planned, find_recordings
from neurodrift.studies.universes import Done, failed, jobs_of, key_of, make_job, where_of
from neurodrift.studies.written import factors_of, intervention_of
from neurodrift.workers import check_workers, client_of

if TYPE_CHECKING:
    from distributed import Client

_COLUMNS: tuple[str, ...] = (
    "estimate",
    "se",
    "dof",
    "p",
    "ci_low",
    "ci_high",
    "relative",
    "relative_low",
)
_COLUMNS += ("relative_high", "n_animals")


@checked_options
def multiverse(
    plan: str | os.PathLike[str] | Mapping[str, object] | Plan,
    out: str | os.PathLike[str],
    *,
    choices: Mapping[str, Sequence[object] | Mapping[str, Mapping[str, object]]] | None = None,
    scheduler: str | Client | None = None,
    workers: int | None = 0,
    n_permutations: int = 2000,
    seed: int = 0,
    progress: bool = False,
) -> xr.DataTree:
    """Ask the questions of a study under every combination of an analyst's choices.

    A conclusion that holds for one bin width and one lowest speed may be one of that bin width.
    Here each question is answered in every way that the choices make, which gives its
    specification curve [1]_; which choice moves the answer most; and one test over the whole curve,
    by permutations that are the same in all ways.

    Parameters
    ----------
    plan
        The file of a study (docs/studies.md), or its values. One recording is enough.
    out
        Folder of the study. What was analysed there before is not analysed again.
    choices
        Choice -> its ways: values of an option of the analysis; ``speed`` (lowest running speed
        [cm/s]), ``registration`` (lowest ``registration_score``), ``matching`` (``"none"``,
        ``"auto"``, ``"events"``, ``"time"``, ``"occupancy"``), ``held`` (lists of covariates); or,
        under any name, options by a label. When omitted those of the plan's ``multiverse``, or four
        bin widths, three lowest speeds, three nulls, three criteria of place cells, and each trend
        as recorded and on an equal footing, as far as the recordings have them.
    scheduler, workers, progress
        As for :func:`neurodrift.study`.
    n_permutations
        Most permutations of the test over the curve; all where there are fewer.
    seed
        Seed of the permutations. Analyses have the plan's.

    Returns
    -------
    xarray.DataTree
        ``curve`` (universe, question): ``estimate`` with its interval and ``p``, and ``relative``,
        the change over the span relative to the mean; the ways as coordinates ``choice_NAME``,
        ``fault`` where one failed. ``conclusions`` (question): the ``median`` way, the share of
        the ways with its sign and of those that are significant with it, and the test over the
        curve. ``influence`` (question, choice): the share of the spread of the ways that the choice
        makes by itself, and (question, level) the mean way of each level.

    Raises
    ------
    ValueError
        If the plan or a choice cannot be used, or every way failed.

    Warns
    -----
    UserWarning
        If a choice changed no answer.

    Notes
    -----
    Over several animals the signs of their values are flipped, all ways together: an animal's slope
    is as likely to have the other sign where nothing changes. Two groups are swapped, numbers
    shuffled. Of one animal the sessions are put in another order, with their autocorrelation kept
    where a measure is asked; ways with covariates held are left out of that test. ``p_median`` is
    of the median t, ``p_share`` of the share of significant ways, ``p_mean_z`` of the mean z
    (Stouffer). With n animals no p is below
    :math:`2/2^n`: of five or fewer the test cannot decide at .05, and ``smallest_p`` says so.

    A test over the curve asks whether anything is there; it does not say that all ways are equally
    good.

    References
    ----------
    .. [1] Simonsohn, Simmons & Nelson (2020), Nat Hum Behav.
       https://doi.org/10.1038/s41562-020-0912-z

    Examples
    --------
    >>> import tempfile
    >>> import neurodrift as nd
    >>> folder = tempfile.mkdtemp()
    >>> mouse = nd.testing.linear_track(n_units=8, n_sessions=4, minutes=3)
    >>> path = nd.save_recording(mouse, folder + "/m.zarr")
    >>> found = nd.multiverse(
    ...     {"recordings": [{"path": str(path)}], "analysis": {"n_repeats": 10}},
    ...     folder + "/out",
    ...     choices={"bin_width": [4, 8], "matching": ["none", "time"]},
    ... )
    >>> found["curve"].sizes["universe"]
    4
    """
    from neurodrift.io.output import held
    from neurodrift.studies.run import mark, refuse_other

    check_workers(workers)
    plan = load_plan(plan)
    written = checked_choices(plan, choices)
    folder = path_of("out", out)
    with held(folder):
        refuse_other(folder)
        mark(folder, plan)
        cohort = find_recordings(plan, folder)
        chosen = written or _usual_choices(plan, cohort.recordings, folder)
        universes = combinations(chosen)
        done = _run(cohort.recordings, universes, plan, folder, scheduler, workers, progress)
        found = _tree(plan, cohort.recordings, chosen, universes, done, n_permutations, seed)
        from neurodrift.io.zarr import save_results

        save_results(found, folder / "multiverse.zarr", overwrite=True)
    return found


def _usual_choices(plan: Plan, recordings: Sequence[Planned], folder: Path) -> tuple[Choice, ...]:
    """Choices that the recordings have; those that cannot be read do not count."""
    from neurodrift.studies.one import recording_of, told_of

    opened, faults = [], []
    for one in recordings:
        try:
            if one.fault:
                raise ValueError(one.fault)
            opened.append(recording_of(one, folder))
        except Exception as error:  # whatever it is, it is told, and others go on
            faults.append(f"- {one.name}: {told_of(error)}")
    if not opened:
        texts = "\n".join(faults)
        raise ValueError(f"none of {len(recordings)} recordings could be read:\n{texts}")
    return default_choices(opened, plan.analysis)


def _run(
    recordings: Sequence[Planned],
    universes: Sequence[Universe],
    plan: Plan,
    folder: Path,
    scheduler: str | Client | None,
    workers: int | None,
    progress: bool,
) -> list[Done]:
    options = {name: value for name, value in plan.options.items() if name != "binning"}
    jobs = jobs_of(recordings, universes, plan.analysis, options, folder.resolve())
    bar = Progress(len(jobs), "multiverse", unit="job", shown=progress)
    done: list[Done] = []
    try:
        if scheduler is None and workers == 0:
            for job in jobs:
                done.append(make_job(job))
                bar.add()
            return done
        with client_of(scheduler, workers, len(jobs)) as client:
            from distributed import as_completed

            futures = {client.submit(make_job, job, pure=False): i for i, job in enumerate(jobs)}
            found: dict[int, Done] = {}
            for future in as_completed(list(futures)):
                i, error = futures[future], future.exception()
                text = f"its worker ended: {error} (out of memory?)"
                found[i] = failed(jobs[i], text) if error is not None else future.result()
                bar.add()
            return [found[i] for i in range(len(jobs))]
    finally:
        bar.close()


def _tree(
    plan: Plan,
    recordings: Sequence[Planned],
    choices: Sequence[Choice],
    universes: Sequence[Universe],
    done: Sequence[Done],
    n_permutations: int,
    seed: int,
) -> xr.DataTree:
    options = {name: value for name, value in plan.options.items() if name != "binning"}
    trees: dict[str, dict[str, xr.DataTree]] = {}
    faults: dict[str, dict[str, str]] = {}
    for one in done:
        for key, tree in one.trees.items():
            trees.setdefault(one.where + key, {})[one.name] = tree
        for key, text in one.faults.items():
            faults.setdefault(one.where + key, {})[one.name] = text
    cohorts: list[Cohort | None] = []
    texts: list[str] = []
    for universe in universes:
        key = where_of(universe, plan.analysis) + key_of(universe, universes, options)
        texts.append("; ".join(f"{n}: {text}" for n, text in faults.get(key, {}).items()))
        own = trees.get(key)
        cohorts.append(None if not own else _cohort(plan, recordings, own))
    some = [one for one in cohorts if one is not None]
    if not some:
        raise ValueError(f"none of {len(universes)} ways could be analysed: {texts[0]}")
    questions = read_questions(
        None if plan.questions is None else list(plan.questions),
        measures=some[0].measures,
        similarities=some[0].similarities,
        factors=list(some[0].factors),
        declared=some[0].declared,
        axis=plan.axis,
    )
    answers = [
        [None if one is None else _ask(one, question, universe) for question in questions]
        for one, universe in zip(cohorts, universes, strict=True)
    ]
    alpha = 1 - plan.level
    tests = [
        _test(
            question, [row[i] for row in answers], cohorts, universes, n_permutations, alpha, seed
        )
        for i, question in enumerate(questions)
    ]
    curve = _curve(choices, universes, questions, answers, texts, plan.level)
    nodes = {
        "curve": curve,
        "conclusions": _conclusions(curve, questions, tests, alpha),
        "influence": _influence(curve, choices, universes),
    }
    idle = [one.name for one in choices if _changes_nothing(curve, one, universes)]
    for name in idle:
        warnings.warn(
            f"choice {name!r} changed no answer of any question: are its options read by the "
            "analyses that are asked?",
            UserWarning,
            stacklevel=4,
        )
    tree = xr.DataTree.from_dict({n: label(node, MULTIVERSE[n]) for n, node in nodes.items()})
    tree.attrs = {
        "title": "neurodrift results",
        "format_version": FORMAT_VERSION,
        "study": plan.title,
        "level": plan.level,
        "n_permutations": n_permutations,
        "seed": seed,
        "asked": plan.asked,
        "without_effect": json.dumps(idle),
        "recordings": json.dumps([one.name for one in recordings]),
    }
    return tree


def _cohort(plan: Plan, recordings: Sequence[Planned], trees: Mapping[str, xr.DataTree]) -> Cohort:
    return gather_cohort(
        dict(trees),
        factors_of(recordings, trees),
        intervention_of(plan),
        None if plan.covariates is None else list(plan.covariates),
    )


def _ask(cohort: Cohort, question: Question, universe: Universe) -> Answer:
    held = [name for name in universe.held if name != question.measure]
    lacking = [name for name in held if name not in cohort.measures]
    if lacking:
        return Answer(question, Variant("way"), reason=f"no recording has {lacking[0]}")
    matched = universe.matched is not None
    return ask(cohort, question, Variant("way", tuple(held), matched=matched))


def _curve(
    choices: Sequence[Choice],
    universes: Sequence[Universe],
    questions: Sequence[Question],
    answers: Sequence[Sequence[Answer | None]],
    texts: Sequence[str],
    level: float,
) -> xr.Dataset:
    from neurodrift.analysis._inference import t_interval

    shape = (len(universes), len(questions))
    columns = {name: np.full(shape, np.nan) for name in _COLUMNS}
    reasons = np.full(shape, "", dtype=object)
    for i, row in enumerate(answers):
        for j, answer in enumerate(row):
            if answer is None:
                reasons[i, j] = texts[i]
                continue
            reasons[i, j] = answer.reason
            low, high = np.nan, np.nan
            if np.isfinite(answer.se) and answer.dof > 0:
                low, high = t_interval(answer.estimate, answer.se, answer.dof, level)
            scale = answer.scale / abs(answer.mean) if answer.mean else np.nan
            ends = sorted((low * scale, high * scale))
            values: tuple[float, ...] = (
                answer.estimate,
                answer.se,
                answer.dof,
                answer.p,
                low,
                high,
            )
            values += (answer.estimate * scale, *ends, answer.n_animals)
            for name, value in zip(_COLUMNS, values, strict=True):
                columns[name][i, j] = value
    dims = ("universe", "question")
    coords: dict[str, Any] = {
        f"choice_{one.name}": (
            "universe",
            np.array([u.levels[one.name] for u in universes], dtype=object),
        )
        for one in choices
    }
    coords["universe"] = np.arange(len(universes))
    coords["question"] = np.array([q.text for q in questions], dtype=object)
    variables: dict[str, Any] = {name: (dims, values) for name, values in columns.items()}
    variables["reason"] = (dims, reasons)
    variables["fault"] = ("universe", np.array(texts, dtype=object))
    return xr.Dataset(variables, coords=coords)


def _conclusions(
    curve: xr.Dataset, questions: Sequence[Question], tests: Sequence[Permuted], alpha: float
) -> xr.Dataset:
    relative, p = curve["relative"].values, curve["p"].values
    known = np.isfinite(relative)
    n = known.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        median = np.array([np.median(r[k]) if k.any() else np.nan for r, k in _columns(relative)])
        same = (np.sign(relative) == np.sign(median)) & known
        found = same & (p < alpha)
        against = ~same & known & (p < alpha)
        columns: dict[str, Any] = {
            "median": median,
            "lowest": np.array([r[k].min() if k.any() else np.nan for r, k in _columns(relative)]),
            "highest": np.array([r[k].max() if k.any() else np.nan for r, k in _columns(relative)]),
            "share_same_sign": same.sum(axis=0) / n,
            "share_significant": found.sum(axis=0) / n,
            "share_against": against.sum(axis=0) / n,
        }
    columns |= {"n_universes": n, "n_failed": (~known).sum(axis=0)}
    for name in ("p_median", "p_share", "p_mean_z", "n_permutations", "smallest_p"):
        columns[name] = np.array([getattr(test, name) for test in tests])
    columns["permuted"] = np.array([test.how for test in tests], dtype=object)
    labels = np.array([q.text for q in questions], dtype=object)
    return xr.Dataset(
        {name: ("question", values) for name, values in columns.items()},
        coords={"question": labels},
    )


def _changes_nothing(curve: xr.Dataset, one: Choice, universes: Sequence[Universe]) -> bool:
    """Whether ways that differ in a choice alone have the same answers, all of them."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for i, universe in enumerate(universes):
        others = tuple(text for name, text in universe.levels.items() if name != one.name)
        groups.setdefault(others, []).append(i)
    told = np.stack([curve[name].values for name in ("estimate", "se", "n_animals")], axis=-1)
    return np.isfinite(told[..., 0]).any() and all(
        np.array_equal(told[i], told[own[0]], equal_nan=True)
        for own in groups.values()
        for i in own[1:]
    )


def _columns(values: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(column, np.isfinite(column)) for column in values.T]


def _influence(
    curve: xr.Dataset, choices: Sequence[Choice], universes: Sequence[Universe]
) -> xr.Dataset:
    """Main effects of the choices on the relative change."""
    relative = curve["relative"].values
    n_questions = relative.shape[1]
    share = np.full((n_questions, len(choices)), np.nan)
    levels = [(one.name, level.label) for one in choices for level in one.levels]
    means = np.full((n_questions, len(levels)), np.nan)
    for q, (values, known) in enumerate(_columns(relative)):
        if known.sum() < 2:
            continue
        total = ((values[known] - values[known].mean()) ** 2).sum()
        for c, one in enumerate(choices):
            between = 0.0
            for level in one.levels:
                inside = known & np.array([u.levels[one.name] == level.label for u in universes])
                if inside.any():
                    own = values[inside].mean()
                    means[q, levels.index((one.name, level.label))] = own
                    between += inside.sum() * (own - values[known].mean()) ** 2
            share[q, c] = between / total if total > 0 else 0.0
    return xr.Dataset(
        {
            "share_of_spread": (("question", "choice"), share),
            "level_mean": (("question", "level"), means),
        },
        coords={
            "question": curve["question"].values,
            "choice": np.array([one.name for one in choices], dtype=object),
            "level": np.array([f"{name}: {text}" for name, text in levels], dtype=object),
        },
    )


def _test(
    question: Question,
    answers: Sequence[Answer | None],
    cohorts: Sequence[Cohort | None],
    universes: Sequence[Universe],
    n: int,
    alpha: float,
    seed: int,
) -> Permuted:
    """One test over all ways in which a question is answered."""
    known = [
        (answer, cast(Cohort, cohort), universe)
        for answer, cohort, universe in zip(answers, cohorts, universes, strict=True)
        if answer is not None and np.isfinite(answer.estimate)
    ]
    if not known:
        return Permuted(how="no way has an answer")
    if all(answer.basis == BETWEEN_ANIMALS for answer, _, _ in known):
        return _over_animals(question, known, n, alpha, seed)
    if question.factors or question.kind not in ("slope", "decay"):
        return Permuted(how="one animal alone does not tell it")
    return _over_sessions(question, known, n, alpha, seed)


_Known = Sequence[tuple[Answer, Cohort, Universe]]


def _over_animals(question: Question, known: _Known, n: int, alpha: float, seed: int) -> Permuted:
    names = list(dict.fromkeys(each.subject for answer, _, _ in known for each in answer.each))
    values = np.full((len(known), len(names)), np.nan)
    groups: dict[str, str] = {}
    for i, (answer, _, _) in enumerate(known):
        for each in answer.each:
            values[i, names.index(each.subject)] = each.value
            groups[each.subject] = each.group
    cohort = known[0][1]
    between = [cohort.factors[f] for f in question.factors if not cohort.factors[f].within]
    if not between:
        if question.kind == "level":
            return Permuted(how="a level has no null")
        return flipped(values, n, alpha, seed)
    levels = between[0].levels
    if not levels:
        x = np.array([number_of(between[0].values, cohort, name) for name in names])
        return along(values, x, n, alpha, seed)
    present = [level for level in levels if level in groups.values()]
    if len(present) != 2:
        return Permuted(how=f"{len(present)} groups have no sign")
    second = np.array([groups[name] == present[1] for name in names])
    return swapped(values, second, n, alpha, seed)


def number_of(values: Mapping[str, Any], cohort: Cohort, subject: str) -> float:
    """The mean of a number over the recordings of an animal.

    Parameters
    ----------
    values
        By the name of the recording.
    cohort
        The recordings.
    subject
        The animal.

    Returns
    -------
    float
        The number.
    """
    own = [float(values[m.name]) for m in cohort.members if m.replicate == subject]
    return float(np.mean(own))


def _over_sessions(question: Question, known: _Known, n: int, alpha: float, seed: int) -> Permuted:
    """The sessions of one animal; of several environments the one with the most sessions."""
    known = [item for item in known if not item[2].held]
    if not known:
        return Permuted(how="sessions of one animal with covariates held are not permuted")
    member = max(known[0][1].members, key=lambda m: len(m.sessions))
    at = member.column(question.axis or "day")
    if question.kind == "decay":
        found = []
        for _, cohort, universe in known:
            own = next(m for m in cohort.members if m.name == member.name)
            name = question.measure
            matched = f"{name}_matched"
            found.append(own.matrix(matched if universe.matched and own.has(matched) else name))
        return relabelled(np.array(found), at, n, alpha, seed)
    rows = []
    for _, cohort, universe in known:
        own = next(m for m in cohort.members if m.name == member.name)
        matched = f"{question.measure}_matched"
        name = matched if universe.matched and own.has(matched) else question.measure
        rows.append(rows_of(own, question, measure=name).y)
    return reordered(np.array(rows), at, member.when, n, alpha, seed)
