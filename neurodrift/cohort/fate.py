"""What became of an effect when something was held, or put on an equal footing."""

from __future__ import annotations

from typing import Literal

import xarray as xr

from neurodrift.cohort.pool import answers_of

Fate = Literal["stays", "vanishes", "turns round", "appears", "none", "undecided", "not testable"]

FOUND = ("rises", "falls", "differs")
"""Verdicts of an effect that was found."""

_HALF = 0.5


def fate(pooled: xr.DataTree, question: str, variant: str) -> Fate:
    """What became of an answer as recorded when it was put otherwise.

    Parameters
    ----------
    pooled
        Result of :func:`neurodrift.pool_animals`.
    question, variant
        Which answer.

    Returns
    -------
    str
        As :func:`judge_fate` says; ``"not testable"`` where there is no answer.
    """
    answers = answers_of(pooled).sel(question=question)
    raw, own = answers.sel(variant="raw"), answers.sel(variant=variant)
    first, said = raw["verdict"].item(), own["verdict"].item()
    if "not testable" in (first, said):
        return "not testable"
    if "differs" in (first, said):
        if first in FOUND:
            return "stays" if said in FOUND else "undecided"
        return "appears" if said in FOUND else "none"
    return judge_fate(
        found=first in FOUND,
        found_again=said in FOUND,
        before=raw["estimate"].item(),
        estimate=own["estimate"].item(),
        interval=(own["ci_low"].item(), own["ci_high"].item()),
        moved=(own["moved_ci_low"].item(), own["moved_ci_high"].item()),
    )


def judge_fate(
    *,
    found: bool,
    found_again: bool,
    before: float,
    estimate: float,
    interval: tuple[float, float],
    moved: tuple[float, float],
) -> Fate:
    """The rule by which an effect stays, vanishes, or is undecided.

    That an effect is no more significant does not say that it is gone: a covariate that runs along
    with time widens the interval by itself.

    Parameters
    ----------
    found, found_again
        Whether it was found as recorded, and otherwise.
    before, estimate
        The estimate as recorded, and otherwise.
    interval
        Both ends of the interval of the other estimate.
    moved
        Both ends of the interval of what was taken from it; NaN where that is not known.

    Returns
    -------
    str
        Of an effect that was found as recorded: ``"stays"`` where it is found again with the same
        sign; ``"turns round"`` with the other sign; ``"vanishes"`` where it is not found, and
        either the interval excludes the estimate as recorded, or less than half of the estimate is
        left and what was taken excludes zero; otherwise ``"undecided"``. Of one that was not:
        ``"appears"`` or ``"none"``.

    Examples
    --------
    >>> from neurodrift.cohort.fate import judge_fate
    >>> judge_fate(
    ...     found=True, found_again=False, before=1.0, estimate=0.4, interval=(-2.0, 2.8),
    ...     moved=(-1.8, 3.0),
    ... )
    'undecided'
    """
    if not found:
        return "appears" if found_again else "none"
    if found_again:
        return "stays" if (estimate > 0) == (before > 0) else "turns round"
    outside = not interval[0] <= before <= interval[1]
    taken = abs(estimate) < _HALF * abs(before) and (moved[0] > 0 or moved[1] < 0)
    return "vanishes" if outside or taken else "undecided"
