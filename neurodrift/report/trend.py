"""What a slope over sessions says, in a sentence with its unit, interval and degrees of freedom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np

from neurodrift.report.view import View
from neurodrift.report.words import factor_of, number, p_value, unit_of

FEW_DEGREES = 4.0
"""Degrees of freedom up to which p carries a dagger."""

SIGNIFICANT = 0.05
"""Level of what the report calls a trend."""

DAGGER = "†"


def marked_p(fit: dict[str, float], name: str = "p") -> str:
    """P of a slope, with a dagger where hardly any degree of freedom is behind it.

    Parameters
    ----------
    fit
        From :meth:`View.slope <neurodrift.report.view.View.slope>`.
    name
        Which p.

    Returns
    -------
    str
        Such as ``p = 0.02†``; empty for NaN.
    """
    text = p_value(fit[name])
    return f"{text}{DAGGER}" if text and few_degrees(fit) else text


def few_degrees(fit: dict[str, float]) -> bool:
    """Whether a slope has at most :data:`FEW_DEGREES` degrees of freedom."""
    return bool(fit.get("dof", np.inf) <= FEW_DEGREES)


def dagger_note(fits: list[dict[str, float]]) -> list[str]:
    """The footnote of daggers; none where no slope needs one.

    Parameters
    ----------
    fits
        The slopes that stand there.

    Returns
    -------
    list of str
        One sentence or none.
    """
    few = sorted({number(fit["dof"], 2) for fit in fits if few_degrees(fit)})
    if not few:
        return []
    span = few[0] if len(few) == 1 else f"{few[0]} to {few[-1]}"
    return [
        f"{DAGGER} {span} {'degree' if span == '1' else 'degrees'} of freedom: take a trend as a "
        "finding to confirm in more sessions or animals, and no clear trend not as a sign that "
        "there is none; go by the interval."
    ]


class _Noted(Protocol):
    """A frozen dataclass with footnotes."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def notes(self) -> Sequence[str]: ...


_T = TypeVar("_T", bound=_Noted)


def noted_once(items: Iterable[_T]) -> list[_T]:
    """Answers or figures that stand together, each footnote below the first that has it.

    Parameters
    ----------
    items
        In the order in which they stand.

    Returns
    -------
    list
        The same, without the notes that stand above.
    """
    found: list[_T] = []
    notes: set[str] = set()
    for item in items:
        found.append(replace(item, notes=tuple(n for n in item.notes if n not in notes)))
        notes |= set(item.notes)
    return found


def slope_unit(view: View, measure: str, predictor: str) -> tuple[float, str]:
    """What a slope is multiplied by, and its unit in words.

    Parameters
    ----------
    view
        Results of one recording.
    measure, predictor
        Columns of the sessions.

    Returns
    -------
    tuple
        Factor and unit, such as ``percentage points a day``.
    """
    steps, per = view.per(predictor)
    factor = factor_of(measure)
    unit = "percentage points" if factor > 1 else unit_of(measure, view.noun)
    return factor * steps, f"{unit} {per}".strip()


def slope_words(
    view: View, measure: str, predictor: str | None = None, *, degrees: bool = True
) -> str:
    """Slope, interval, p and degrees of freedom of a measure.

    Parameters
    ----------
    view
        Results of one recording.
    measure, predictor
        Columns of the sessions; the main predictor when omitted.
    degrees
        Whether the degrees of freedom are said.

    Returns
    -------
    str
        Such as ``−3.0 percentage points a day, 95 % CI −5.0 to −1.0, p = 0.004, 6 degrees of
        freedom``; empty where there is no slope.
    """
    predictor = predictor or view.main_predictor
    fit = view.slope(measure, predictor)
    if fit is None:
        return ""
    factor, unit = slope_unit(view, measure, predictor)
    slope = factor * fit["slope"]
    slope = 0.0 if abs(slope) < 1e-9 * abs(factor * fit["se"]) else slope  # rounding
    parts = [f"{number(slope, 2)}\u00a0{unit}"]
    low, high = factor * fit["ci_low"], factor * fit["ci_high"]
    if np.isfinite(low) and np.isfinite(high):
        parts.append(f"{view.level} CI {number(low, 2)} to {number(high, 2)}")
    p = marked_p(fit)
    if p:
        parts.append(p)
    if p and degrees:
        dof = number(fit["dof"], 2)
        parts.append(f"{dof} {'degree' if dof == '1' else 'degrees'} of freedom")
    return ", ".join(parts)


def detectable_words(view: View, measure: str, predictor: str | None = None) -> str:
    """The smallest trend that would have been found; empty where that is not known."""
    predictor = predictor or view.main_predictor
    fit = view.slope(measure, predictor)
    if fit is None or not np.isfinite(fit.get("detectable", np.nan)):
        return ""
    factor, unit = slope_unit(view, measure, predictor)
    return f"{number(abs(factor * fit['detectable']), 2)}\u00a0{unit}"


def is_constant(view: View, measure: str) -> bool:
    """Whether a measure is the same in every session."""
    values = view.sessions[measure].to_numpy(float)
    values = values[np.isfinite(values)]
    return bool(values.size and np.ptp(values) <= 1e-9 * np.abs(values).max())


def slope_sentence(view: View, measure: str, predictor: str | None = None) -> str:
    """What stands below a figure of a measure over sessions.

    Parameters
    ----------
    view
        Results of one recording.
    measure, predictor
        Columns of the sessions; the main predictor when omitted.

    Returns
    -------
    str
        The slope with its interval and p; that it is constant, or that there is none.
    """
    predictor = predictor or view.main_predictor
    if view.slope(measure, predictor) is None:
        return "no slope: too few sessions"
    if is_constant(view, measure):
        return "the same in every session"
    return slope_words(view, measure, predictor)
