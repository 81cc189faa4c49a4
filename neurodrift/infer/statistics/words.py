"""What each statistic of drift is, and why it speaks of the rule: the words of docs and reports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

_LAGS = {
    "first": "of neighbouring sessions",
    "last": "of sessions at least three quarters of the time apart",
    "shape": "exponent of the loss against lag, between half and most of the time "
    "(1 linear, .5 as a root, 0 saturated)",
    "acceleration": "loss between close sessions late less early, over their sum",
}
_WHY_LAGS = {
    "shape": "diffusion loses as a root or in line, a flow to a solution saturates",
    "acceleration": "slower where a flat or sparse solution is reached, even for a stationary walk",
}
_SIMILARITIES = {
    "maps": (
        "correlation of each unit's map",
        "how much of the tuning moves: the dose of the noise",
    ),
    "vectors": (
        "correlation of population vectors",
        "tuning and rates together, and strong units count most",
    ),
    "rates": (
        "correlation of the units' mean rates",
        "rules with noise on weights change rates, a turn of the code need not",
    ),
    "overlap": (
        "active units in common",
        "are active units exchanged, or only their fields?",
    ),
    "decoding": (
        "skill of 25 units' templates",
        "what a reader loses that is not trained again",
    ),
}
_COURSES = {
    "active": (
        "share of active units",
        "noise that favours flat solutions makes codes sparse; a stationary rule does not",
    ),
    "information": (
        "bits an event of the second order",
        "does tuning become sharper while units fall silent (a solution still being sought)?",
    ),
    "width": (
        "lag at which maps are half as alike to themselves, share of a segment",
        "is the width that of the inputs, and does it stay?",
    ),
    "gini": (
        "Gini coefficient of the units' mean rates",
        "multiplicative noise and sparsification concentrate activity in few units",
    ),
    "rate_width": (
        "width of a log-normal distribution with the variance of the rates",
        "the strongest units: multiplicative fluctuation widens it",
    ),
}
_COURSE = {
    "level": "geometric mean over sessions",
    "course": "change of its logarithm over the whole time",
    "bend": "coefficient of the square of time in its logarithm",
}
_OTHERS = {
    "survival_first": (
        "share of active units that are active at the next session",
        "turnover of the active set, seen from those that have it",
    ),
    "survival_last": (
        "the same, three quarters of the time later",
        "units that never return: silencing; that do: fluctuation",
    ),
    "survival_history": (
        "log of the chance to be lost, over that after two sessions in a row",
        "above 0 where some units are safer than others: memory in the weights",
    ),
    "steps_tails": (
        "log of the concentration of squared steps in few units, over that of tuning",
        "many small steps (noise on all weights) against few large ones (dropout, dying units)",
    ),
    "steps_neighbours": (
        "squared distance over two steps over the sum of both, less 1",
        "0 diffusion, below 0 jitter about a place or steps as large as fields, 1 a direction",
    ),
    "steps_dependence": (
        "exponent of squared relative steps against the rate",
        "0 multiplicative, -1 as counting noise, -2 additive noise",
    ),
    "rate_changes_scale": (
        "root mean square of relative changes of rate to the next session",
        "how much of the drift is of rates",
    ),
    "rate_changes_skew": (
        "asinh of their skewness",
        "are losses fast and gains slow, or the reverse?",
    ),
    "rate_changes_kurtosis": (
        "asinh of their excess kurtosis",
        "Gaussian noise on weights against rare large changes",
    ),
    "rate_changes_dependence": (
        "exponent of squared relative changes against the rate",
        "0 multiplicative (synaptic fluctuation), -2 additive (update noise)",
    ),
    "rate_changes_neighbours": (
        "as steps_neighbours, of mean rates",
        "are rates pulled back (below 0) or pushed on (above 0)?",
    ),
    "shifts_scale": (
        "1 less the mean cosine of fields' moves to the next session, a segment being one turn",
        "fields that move, apart from rates that change",
    ),
    "shifts_tails": (
        "0 for small Gaussian moves, 1 for rare moves to anywhere",
        "do fields move on along the track, or die in one place and rise in another?",
    ),
    "shifts_neighbours": (
        "as steps_neighbours, of moves of fields",
        "0 a walk, below 0 jitter, 1 fields that go on in one direction",
    ),
    "relations_first": (
        "similarity of relations among patterns to the next session, over unrelated codes",
        "1 for turns of the whole code (symmetries), 0 where units drift apart",
    ),
    "relations_last": (
        "the same, three quarters of the time later",
        "whether the geometry is what the rule conserves",
    ),
}


def _entries() -> Iterator[tuple[str, tuple[str, str]]]:
    for family, (what, why) in _SIMILARITIES.items():
        for member, how in _LAGS.items():
            yield f"{family}_{member}", (f"{what}, {how}", _WHY_LAGS.get(member, why))
    for family, (what, why) in _COURSES.items():
        for member, how in _COURSE.items():
            yield f"{family}_{member}", (f"{what}: {how}", why)
    yield from _OTHERS.items()


def descriptions(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """What statistics are, and why they speak of the rule: expectations, not findings.

    Parameters
    ----------
    names
        Of :data:`neurodrift.infer.statistics.vector.STATISTICS`.

    Returns
    -------
    dict
        Name -> what it is, why it speaks of the rule.
    """
    every = dict(_entries())
    return {name: every[name] for name in names}
