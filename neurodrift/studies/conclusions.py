"""What a multiverse shows, in plain words."""

from __future__ import annotations

import re

import numpy as np
import xarray as xr

from neurodrift.cohort.questions import AXES
from neurodrift.cohort.sentences import subject_of
from neurodrift.report.words import number, p_value, percent, plain, plural
from neurodrift.schema.objects import expect_type

_SIMPLE = re.compile(r"(?P<decay>decay of )?(?P<measure>\w+) ~ (?P<axis>\w+)")


def describe_multiverse(tree: xr.DataTree) -> str:
    """What holds in how many ways, whether by chance, and which choice moves it, for people.

    Parameters
    ----------
    tree
        Result of :func:`neurodrift.multiverse`.

    Returns
    -------
    str
        A paragraph for each question.

    Raises
    ------
    TypeError
        If it is no result of :func:`neurodrift.multiverse`.

    Examples
    --------
    >>> import tempfile
    >>> import neurodrift as nd
    >>> folder = tempfile.mkdtemp()
    >>> mouse = nd.testing.linear_track(n_units=8, n_sessions=4, minutes=3)
    >>> path = nd.save_recording(mouse, folder + "/m.zarr")
    >>> found = nd.multiverse(
    ...     {
    ...         "recordings": [{"path": str(path)}],
    ...         "analysis": {"n_repeats": 10},
    ...         "questions": ["decay of rate_map_correlation ~ day"],
    ...     },
    ...     folder + "/out",
    ...     choices={"bin_width": [4, 8], "smoothing": [2, 6]},
    ... )
    >>> nd.describe_multiverse(found).split(" the ")[0]
    'In 4 of 4 ways'
    """
    made_by = "the result of neurodrift.multiverse"
    expect_type("tree", tree, xr.DataTree, made_by)
    if not {"curve", "conclusions", "influence"} <= set(tree.children):
        raise TypeError(f"tree has no node 'conclusions', expected {made_by}")
    told = [" ".join(conclusion_sentences(tree, question)) for question in questions_of(tree)]
    return "\n".join(told)


def questions_of(tree: xr.DataTree) -> list[str]:
    """The questions of a multiverse in their order."""
    return [str(question) for question in tree["conclusions"].to_dataset()["question"].values]


def conclusion_sentences(tree: xr.DataTree, question: str) -> list[str]:
    """What the ways say of one question.

    Parameters
    ----------
    tree
        Result of :func:`neurodrift.multiverse`.
    question
        One of its questions.

    Returns
    -------
    list of str
        In how many ways it holds and how large it is; the test over all ways; the choice that moves
        it most; ways that failed.
    """
    node = tree["conclusions"].to_dataset().sel(question=question)
    found = {str(name): node[name].item() for name in node.data_vars}
    n, n_failed = int(found["n_universes"]), int(found["n_failed"])
    name = question_words(question)
    if not n:
        return [f"{name}: none of {plural(n_failed, 'way')} has an answer."]
    return [
        _holds(question, found, n),
        *_moves(tree, question, n),
        *([f"{plural(n_failed, 'way')} gave no answer."] if n_failed else []),
        *_by_chance(found, 1 - float(tree.attrs["level"])),
    ]


def _holds(question: str, found: dict[str, float], n: int) -> str:
    same = round(found["share_same_sign"] * n)
    significant, against = (
        round(found[f"share_{name}"] * n) for name in ("significant", "against")
    )
    median = found["median"]
    low, high = (_signed(found[name]) for name in ("lowest", "highest"))
    ends = low if low == high else f"{low} to {high}"
    range_of = f"{ends} over the recordings, median {_signed(median)}"
    known = _SIMPLE.fullmatch(question)
    if known and known["axis"] in AXES:
        kind = "decay" if known["decay"] else "slope"
        subject = subject_of(known["measure"], kind)
        subject = subject[:1].lower() + subject[1:]
        does = "rises" if median > 0 else "falls"
        does = "does not change" if median == 0 else does
        said = f"In {number(same)} of {plural(n, 'way')} {subject} {does} ({range_of})"
    else:
        does = "above" if median > 0 else "below"
        said = f"In {number(same)} of {plural(n, 'way')} the answer to “{question}” is {does} zero"
        said += f" ({range_of})"
    often = "none" if not significant else number(significant)
    said += f", in {often} significantly"
    if against:
        said += f"; in {number(against)} it is significant with the other sign"
    return f"{said}."


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{percent(value)}"


def _moves(tree: xr.DataTree, question: str, n: int) -> list[str]:
    share = tree["influence"].to_dataset()["share_of_spread"].sel(question=question)
    values = share.values.astype(float)
    if n < 2 or not np.isfinite(values).any() or np.nanmax(values) == 0:
        return []
    most = int(np.nanargmax(values))
    name = plain(str(share["choice"].values[most]))
    return [f"What moves it most is {name} ({percent(values[most])} of the spread)."]


def _by_chance(found: dict[str, float], alpha: float) -> list[str]:
    p, least = found["p_median"], found["smallest_p"]
    how = plain(str(found["permuted"]))
    if not np.isfinite(p):
        return [f"There is no test over the ways: {how}."]
    if least > alpha:
        return [
            f"The test over the ways cannot decide: with so few permutations ({how}) p cannot go "
            f"below {number(least, 2)}, and is {number(p, 2)}."
        ]
    verdict = "more than by chance" if p < alpha else "no more than by chance"
    return [f"All ways together show it {verdict} ({p_value(p)}; permuted: {how})."]


def question_words(question: str) -> str:
    """A question of a multiverse in words, its formula where it is not a plain one."""
    known = _SIMPLE.fullmatch(question)
    if known is None or known["axis"] not in AXES:
        return question
    subject = subject_of(known["measure"], "decay" if known["decay"] else "slope")
    return f"{subject} by {'lag' if known['decay'] else plain(known['axis'])}"
