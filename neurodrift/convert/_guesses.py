"""What an array of a file may be, by its shape, its values and its name."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neurodrift.convert._checks import LEAST_EXTENT, MOST_EXTENT

_NAMES = {
    "x": r"^(x|pos(ition)?_?x?|.*_x|lin(ear)?_?(pos(ition)?|ized.*)?|location)(_?(cm|mm|m|px))?$",
    "y": r"^(y|pos(ition)?_?y|.*_y)(_?(cm|mm|m|px))?$",
    "unit": r"(^|_)(unit|cell|cluster|neuron|id)s?(_?(id|index|number))?$",
    "start": r"(^|_)(start|beg|onset)",
    "stop": r"(^|_)(stop|end|offset)",
    "keep": r"(is_?cell|keep|accepted|good)",
    "regions": r"(region|area|location)",
    "time": r"(^|_)(t|time|times|timestamps?|ts|frame_times?|seconds|ms)(_?(s|ms|us|sec))?$",
}
_SPEED = re.compile(r"(speed|veloc|vel)", re.IGNORECASE)
_MOST_SESSIONS = 200


@dataclass(frozen=True)
class Guess:
    """What an array holds and may be.

    Parameters
    ----------
    name, shape, dtype
        As the file says.
    values
        Range of its values, and how many are NaN.
    role
        What it may be: clock, x, y, xy, samples, times, unit, registration, start, stop, keep,
        regions, or nothing known.
    text
        The same in words.
    says
        Keys of a mapping that follow from it.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    values: str
    role: str = ""
    text: str = ""
    says: dict[str, Any] = field(default_factory=dict)


def guess(name: str, found: Any) -> Guess:
    """What an array may be.

    Parameters
    ----------
    name
        Its name in the file.
    found
        The array, or a list of vectors.

    Returns
    -------
    Guess
        The guess; an empty role where nothing fits.

    Examples
    --------
    >>> import numpy as np
    >>> guess("t", np.arange(100) / 20).text
    'clock in s, 20 Hz'
    >>> guess("x", np.linspace(0, 0.96, 100)).says
    {'unit': 'm'}
    """
    if isinstance(found, list):
        return _of_vectors(name, found)
    shape, dtype = found.shape, str(found.dtype)
    if found.dtype.kind not in "fiub":
        role = "regions" if _named("regions", name) else ""
        shown = ", ".join(dict.fromkeys(str(item) for item in found.ravel()[:50]))
        return Guess(name, shape, "text", shown[:40], role, "regions of units" if role else "text")
    values = _range(found)
    base = (name, shape, dtype, values)
    if not found.size or not np.isfinite(found.astype(float)).any():
        return Guess(*base, text="nothing but NaN" if found.size else "empty")
    if found.ndim == 1:
        return _of_vector(base, found)
    if found.ndim == 2:
        return _of_matrix(base, found)
    return Guess(*base)


def _of_vectors(name: str, found: list[Any]) -> Guess:
    every = np.concatenate([np.asarray(v, dtype=float).ravel() for v in found] or [np.empty(0)])
    base = (name, (len(found),), "vectors", _range(every))
    if not every.size:
        return Guess(*base, text="empty vectors")
    sorted_ = all((np.diff(np.ravel(v)) >= 0).all() for v in found)
    if not sorted_ or (every < 0).any():
        return Guess(*base, text="vectors that are no times: not sorted, or negative")
    says: dict[str, Any] = {"time_unit": "s"}
    text = f"times of {len(found)} units, {every.size} in all, in s"
    if (every == np.round(every)).all():
        says = {"time_unit": "frames", "rate": "?", "count_from": 0 if every.min() == 0 else 1}
        text = f"times of {len(found)} units, whole numbers: frames, samples or ms?"
    return Guess(*base, "times", text, says)


def _of_vector(base: tuple[str, tuple[int, ...], str, str], found: np.ndarray) -> Guess:
    name = base[0]
    values = found.astype(float)
    whole = bool((values == np.round(values)).all())
    for role, text in (("start", "starts"), ("stop", "ends")):
        if _named(role, name):
            return Guess(*base, role, f"{text} of trials?")
    if _named("unit", name) and whole:
        first = int(values.min())
        text = f"unit of each time, from {first}: {np.unique(values).size} units"
        return Guess(*base, "unit", text, {"unit_count_from": min(max(first, 0), 1)})
    for role in ("y", "x"):
        if _named(role, name):
            return _of_position(base, role, values)
    increasing = values.size > 2 and bool((np.diff(values) > 0).all())
    if increasing and (_named("time", name) or (values.size > 20 and _steady(values))):
        return _of_clock(base, values)
    if _named("time", name) and (values >= 0).all():
        return Guess(*base, "times", "times of spikes or events, with a column of units?")
    if _named("keep", name) or (set(np.unique(values)) == {0, 1} and values.size < 20000):
        return Guess(*base, "keep", "0 or 1: units to keep?")
    if _SPEED.search(name):
        return Guess(*base, text="speed; it is derived from the position")
    return Guess(*base)


def _of_clock(base: tuple[str, tuple[int, ...], str, str], values: np.ndarray) -> Guess:
    step = float(np.median(np.diff(values)))
    if 5e-4 <= step <= 0.5:
        return Guess(*base, "clock", f"clock in s, {1 / step:.6g} Hz", {"time_unit": "s"})
    if step == 1:
        first = 1 if values[0] == 1 else 0
        says = {"time_unit": "frames", "rate": "?", "count_from": first}
        return Guess(*base, "clock", f"frame numbers from {values[0]:g}", says)
    if 2 <= step <= 500:
        return Guess(*base, "clock", f"clock in ms, {1e3 / step:.6g} Hz", {"time_unit": "ms"})
    if 2000 <= step <= 500_000:
        return Guess(*base, "clock", f"clock in us, {1e6 / step:.6g} Hz", {"time_unit": "us"})
    return Guess(*base, "clock", f"increases by {step:g}: a clock in which unit?")


def _of_position(
    base: tuple[str, tuple[int, ...], str, str], role: str, values: np.ndarray
) -> Guess:
    extent = float(np.ptp(np.nanpercentile(values, [0.5, 99.5])))
    says: dict[str, Any] = {"unit": "cm"}
    if extent < LEAST_EXTENT:
        says = {"unit": "m"}
    elif extent > MOST_EXTENT:
        says = {"unit": "mm"}
    if base[0].lower().endswith("px"):
        says = {"unit": "pixels", "cm_per_pixel": "?"}
    axes = {"x": "position, first axis", "y": "position, second axis", "xy": "position, two axes"}
    text = f"{axes[role]}, extent {extent:.3g}: {says['unit']}?"
    return Guess(*base, role, text, says)


def _of_matrix(base: tuple[str, tuple[int, ...], str, str], found: np.ndarray) -> Guess:
    values = found.astype(float)
    finite = values[np.isfinite(values)]
    whole = bool((finite == np.round(finite)).all())
    rows, columns = found.shape
    if columns <= _MOST_SESSIONS and whole and (finite < rows * 3 + 10).all():
        first = _registered_from(values)
        if first is not None:
            text = f"units of {columns} sessions registered, counted from {first}"
            return Guess(*base, "registration", text, {"count_from": first})
    if 2 in (rows, columns) and max(rows, columns) > 100:
        if columns != 2:
            return Guess(*base, "", "position with its axes swapped? It must be (frames, 2)")
        return _of_position(base, "xy", values)
    if min(rows, columns) < 2:
        return Guess(*base)
    axes = ["frames", "units"] if rows >= columns else ["units", "frames"]
    kind = "activation"
    if whole and (finite >= 0).all():
        kind = "events"
    elif (finite >= 0).all():
        kind = "amplitudes" if (finite == 0).mean() > 0.98 else "deconvolved"
    text = f"{kind} of {min(rows, columns)} units in {max(rows, columns)} frames?"
    return Guess(*base, "samples", text, {"kind": kind, "axes": axes})


def _registered_from(values: np.ndarray) -> int | None:
    """First index of a table of registered units, None if it is no such table."""
    for first in (1, 0):
        present = np.isfinite(values) & (values >= first)
        columns = [values[p, i] for i, p in enumerate(present.T)]
        if all(c.size > 2 and np.unique(c).size == c.size for c in columns) and present.any():
            if first == 1 and (values < 0).any() and (values == 0).any():
                continue
            return first
    return None


def _named(role: str, name: str) -> bool:
    last = re.split(r"[./]", name)[-1]
    return re.search(_NAMES[role], last, re.IGNORECASE) is not None


def _steady(values: np.ndarray) -> bool:
    steps = np.diff(values)
    return bool(np.percentile(steps, 90) < 1.5 * np.percentile(steps, 10))


def _range(values: np.ndarray) -> str:
    numbers = values.astype(float)
    finite = numbers[np.isfinite(numbers)]
    if not finite.size:
        return "no finite value"
    lost = numbers.size - finite.size
    return f"{finite.min():.6g} .. {finite.max():.6g}" + (f", {lost} NaN" if lost else "")
