"""The one table of what each numeric option of the analyses may be, and the check against it."""

from __future__ import annotations

import functools
import inspect
import math
import numbers
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ParamSpec, TypeVar

import numpy as np

_P = ParamSpec("_P")
_R = TypeVar("_R")


@dataclass(frozen=True)
class Range:
    """What a number may be.

    Parameters
    ----------
    lowest, highest
        Bounds; infinity itself is never a value.
    open_low, open_high
        Whether the bounds themselves are left out.
    whole
        Whether it counts something.
    unit
        Its unit, for the message.
    several
        Whether a sequence of such numbers may stand for one.
    """

    lowest: float = -math.inf
    highest: float = math.inf
    open_low: bool = False
    open_high: bool = False
    whole: bool = False
    unit: str = ""
    several: bool = False

    def __str__(self) -> str:
        what = "a whole number" if self.whole else "a number"
        low = "more than" if self.open_low else "at least"
        high = "less than" if self.open_high else "at most"
        bounds = [f"{low} {self.lowest:g}"] if math.isfinite(self.lowest) else []
        bounds += [f"{high} {self.highest:.10g}"] if math.isfinite(self.highest) else []
        text = f"{what}, {' and '.join(bounds)}" if bounds else f"a finite {what[2:]}"
        return text + (f" [{self.unit}]" if self.unit else "")

    def holds(self, value: Any) -> bool:
        """Whether a value is such a number.

        Parameters
        ----------
        value
            Anything.

        Returns
        -------
        bool
            False for texts, truth values, NaN and infinity.
        """
        if self.several and isinstance(value, Sequence | np.ndarray) and np.ndim(value) == 1:
            return len(value) > 0 and all(self.holds(item) for item in value)
        if isinstance(value, np.ndarray) and value.ndim == 0:
            value = value[()]
        if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
            return False
        if self.whole and not isinstance(value, numbers.Integral):
            return False
        number = float(value)
        if not math.isfinite(number):
            return False
        low = self.lowest < number if self.open_low else self.lowest <= number
        high = number < self.highest if self.open_high else number <= self.highest
        return low and high


_PROBABILITY = Range(0, 1, open_low=True, open_high=True)
_COUNT = Range(1, 10_000_000, whole=True)
_COUNT_OR_NONE = Range(0, 1_000_000_000, whole=True)
_FRACTION = Range(0, 1)

OPTIONS: Mapping[str, Range] = {
    "alpha": _PROBABILITY,
    "block": Range(0, open_low=True, unit="s, or trials or laps"),
    "chance": Range(0, 1, open_high=True),
    "cm_per_unit": Range(0, open_low=True, unit="cm"),
    "done": _PROBABILITY,
    "draw": _COUNT_OR_NONE,
    "end_zone": Range(0, 0.5, open_high=True),
    "factor": Range(1, open_low=True),
    "fractions": Range(0, 1, open_low=True, several=True),
    "frame_rate": Range(0, open_low=True, unit="Hz"),
    "level": _PROBABILITY,
    "margin": Range(0, 1, open_low=True),
    "max_lag": Range(0, open_low=True, unit="s"),
    "max_minutes": Range(0, open_low=True, unit="min"),
    "max_sessions": _COUNT,
    "max_units": _COUNT,
    "min_active_frames": _COUNT_OR_NONE,
    "min_bins": _COUNT,
    "min_confidence": _FRACTION,
    "min_correlation": Range(-1, 1),
    "min_drop": Range(0, 1, open_high=True),
    "min_events": _COUNT_OR_NONE,
    "min_fraction": Range(0, 1, open_low=True),
    "min_information": Range(0, unit="bit/event"),
    "min_laps": Range(3, 1_000_000, whole=True),
    "min_noise": Range(0, 1, open_low=True, open_high=True),
    "min_overlap": _FRACTION,
    "min_peak": Range(0),
    "min_rate": Range(0),
    "min_shift": Range(0, unit="s or trials"),
    "min_runs": _COUNT,
    "min_size": Range(0),
    "min_speed": Range(0, unit="cm/s"),
    "n_bins": Range(1, 1_000_000, whole=True),
    "n_draws": _COUNT,
    "n_factors": _COUNT,
    "n_folds": Range(2, 1000, whole=True),
    "n_parts": Range(2, 1000, whole=True),
    "n_permutations": Range(1, 10_000_000, whole=True),
    "n_repeats": Range(0, 10_000_000, whole=True),
    "negligible": _FRACTION,
    "rate": Range(0, open_low=True, unit="Hz"),
    "seed": Range(0, whole=True, several=True),
    "reach": Range(0, open_low=True, unit="widths of a field"),
    "reference_lap": _COUNT_OR_NONE,
    "shares": Range(0, 1, open_low=True, several=True),
    "sigma": Range(0, open_low=True, unit="cm"),
    "smoothing": Range(0, unit="cm"),
    "threshold": Range(),
    "thresholds": Range(0, 1, several=True),
    "window": Range(0, unit="s"),
}
"""Numeric option -> what it may be, wherever it occurs."""


def check_option(name: str, value: Any, allowed: Range | None = None) -> None:
    """Raise an error if an option is not what the table says.

    Parameters
    ----------
    name
        The option.
    value
        Its value.
    allowed
        What it may be, if not what the table says.

    Raises
    ------
    ValueError
        With the option, its value and what was expected.

    Examples
    --------
    >>> from neurodrift.schema.options import check_option
    >>> check_option("alpha", 5)
    Traceback (most recent call last):
    ...
    ValueError: alpha is 5, expected a number, more than 0 and less than 1
    """
    allowed = allowed or OPTIONS[name]
    if not allowed.holds(value):
        shown = repr(value) if len(repr(value)) <= 60 else f"{repr(value)[:57]}..."
        raise ValueError(f"{name} is {shown}, expected {allowed}")


def checked_options(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Check the numeric options of a function against the table before it runs.

    Parameters
    ----------
    function
        A function of the public interface.

    Returns
    -------
    callable
        The same function; options whose annotation has None may be None.
    """
    signature = inspect.signature(function)
    named = {
        name: item
        for name, item in signature.parameters.items()
        if name in OPTIONS and re.search(r"\b(int|float)\b", str(item.annotation))
    }
    if not named:
        raise TypeError(f"{function.__qualname__} has no option that the table names")
    ranges = {
        name: replace(OPTIONS[name], several="Sequence" in str(item.annotation))
        for name, item in named.items()
    }
    optional = {name for name, item in named.items() if "None" in str(item.annotation)}

    @functools.wraps(function)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            given = signature.bind(*args, **kwargs).arguments
        except TypeError as error:  # which names no function
            raise TypeError(f"{function.__name__}() {error}") from None
        for name, allowed in ranges.items():
            if name in given and not (given[name] is None and name in optional):
                check_option(name, given[name], allowed)
        return function(*args, **kwargs)

    return run
