"""Plain arrays from what a caller has: labelled, masked, dates, text, in any precision."""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from neurodrift.gate.findings import GateWarning


def by_name(name: str, values: Any, dims: tuple[str, ...]) -> Any:
    """An array in the order of its dimensions, by their names where it has any.

    Parameters
    ----------
    name
        What it is, for messages.
    values
        An array; a labelled one is transposed by the names of its dimensions.
    dims
        Names of the dimensions, in the order that is wanted.

    Returns
    -------
    array
        Without labels: a masked array keeps its mask, a lazy one stays lazy.

    Raises
    ------
    ValueError
        If a labelled array has some of the names and others besides.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from neurodrift.gate.plain import by_name
    >>> labelled = xr.DataArray(np.zeros((2, 5)), dims=("unit", "time"))
    >>> by_name("activity", labelled, ("time", "unit")).shape
    (5, 2)
    """
    if not isinstance(values, xr.DataArray):
        return values
    known = set(dims) & set(values.dims)
    if not known:
        return values.data
    if set(values.dims) != set(dims):
        raise ValueError(
            f"{name} has dims {tuple(map(str, values.dims))}, expected {dims} in any order"
        )
    return values.transpose(*dims).data


_NO_ARRAYS = (str, bytes, Mapping, Set, Iterator, xr.Dataset, xr.DataTree)


def _said(values: Any) -> str:
    """What something is that is no array."""
    return f"the text {values!r}" if isinstance(values, str | bytes) else type(values).__name__


def numbers(name: str, values: Any) -> np.ndarray:
    """Real numbers; text, complex numbers and None are refused.

    Parameters
    ----------
    name
        What they are, for messages.
    values
        An array or a list.

    Returns
    -------
    numpy.ndarray
        Of numbers or bools; a masked array keeps its mask.

    Raises
    ------
    TypeError
        If they are something else.
    """
    if hasattr(values, "toarray"):
        raise TypeError(f"{name} is a sparse matrix: pass {name}.toarray() if it fits in memory")
    if values is None or isinstance(values, _NO_ARRAYS):
        raise TypeError(f"{name} is {_said(values)}, expected an array of numbers")
    found = np.asanyarray(values)
    if found.dtype.kind == "O":
        try:
            found = found.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"{name} holds {_odd(found)}, expected numbers: use NaN where there is none"
            ) from error
    if found.dtype.kind not in "fiub":
        what = "complex numbers" if found.dtype.kind == "c" else f"{found.dtype} values"
        raise TypeError(f"{name} holds {what}, expected real numbers")
    return found


def per_frame(name: str, values: Any, missing: float) -> np.ndarray:
    """Values over frames, with what a mask leaves out as missing.

    Parameters
    ----------
    name
        What they are, for messages.
    values
        (time) an array of any kind.
    missing
        What stands for a missing value: NaN, -1 or 0.

    Returns
    -------
    numpy.ndarray
        (time) plain numbers.
    """
    found = numbers(name, by_name(name, values, ("time",)))
    if not isinstance(found, np.ma.MaskedArray):
        return np.asarray(found)
    kind = np.float64 if np.isnan(missing) or found.dtype.kind == "f" else found.dtype
    held: Any = found.astype(kind)
    return np.asarray(held.filled(missing))


def seconds(name: str, values: Any, origin: Any = None) -> tuple[np.ndarray, Any]:
    """Times in seconds from numbers, dates or differences of time.

    Parameters
    ----------
    name
        What they are, for messages.
    values
        (time) seconds, ``datetime64`` or ``timedelta64`` of any unit.
    origin
        Date that is second 0; the first of them when omitted.

    Returns
    -------
    times : numpy.ndarray
        (time) seconds, in double precision.
    origin : numpy.datetime64 or None
        Date of second 0; None for times without a date.

    Raises
    ------
    ValueError
        If one is NaN, NaT or infinite.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.gate.plain import seconds
    >>> seconds("time", np.array([0, 50], "timedelta64[ms]"))[0].tolist()
    [0.0, 0.05]
    """
    found = _dates(np.asanyarray(by_name(name, values, ("time",))))
    if found.dtype.kind == "M":
        origin = found.ravel()[0] if origin is None and found.size else origin
        found = found - origin if found.size else found.astype("timedelta64[ns]")
    if found.dtype.kind == "m":
        if np.isnat(found).any():
            raise ValueError(f"{name} is NaT in {int(np.isnat(found).sum())} frames")
        return found / np.timedelta64(1, "s"), origin
    clock = per_frame(name, found, np.nan).astype(np.float64)
    if not np.isfinite(clock).all():
        raise ValueError(
            f"{name} is NaN or infinite at frame {int(np.argmin(np.isfinite(clock)))}, of "
            f"{int((~np.isfinite(clock)).sum())} in all: every frame needs a time"
        )
    return clock, None


def _dates(found: np.ndarray) -> np.ndarray:
    """Python's or pandas' dates as NumPy's, in UTC where they have a time zone."""
    dates = (datetime.date, datetime.timedelta)
    if found.dtype.kind == "O" and found.size and isinstance(found.ravel()[0], dates):
        if isinstance(found.ravel()[0], datetime.timedelta):
            return np.asarray(pd.to_timedelta(found.ravel()).values)
        return np.asarray(pd.to_datetime(found.ravel(), utc=True).tz_localize(None).values)
    return found


def days(values: Any) -> np.ndarray:
    """Days from numbers, dates or differences of time; dates count from the first.

    Parameters
    ----------
    values
        (session) days.

    Returns
    -------
    numpy.ndarray
        (session) days.

    Raises
    ------
    TypeError
        If they are neither.
    """
    found = _dates(np.asarray(values))
    if found.dtype.kind == "M":
        found = found - found.ravel()[0]
    if found.dtype.kind == "m":
        return np.asarray(found / np.timedelta64(1, "D"))
    return per_frame("day", found, np.nan).astype(np.float64)


def typical_step(clock: np.ndarray) -> float:
    """Length of a frame: the median step, or the mean one where steps differ.

    A clock that is rounded (to ms, or in single precision) has steps of a few lengths, and its
    median is off by up to the rounding, and every rate with it: 33 ms for 1/30 s is 1 %. Steps
    longer than 1.5 frames are gaps, and do not count.

    Parameters
    ----------
    clock
        (time) seconds, at least two.

    Returns
    -------
    float
        Seconds.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.gate.plain import typical_step
    >>> round(typical_step(np.round(np.arange(3001) / 30, 3)), 6)
    0.033333
    """
    steps = np.diff(clock)
    median = float(np.median(steps))
    mean = float(steps[steps <= 1.5 * median].mean())
    return median if abs(mean - median) <= 1e-6 * median else mean


def expect_precise(clock: np.ndarray, given: Any) -> None:
    """Refuse a clock that is not known to enough digits for its frames.

    Parameters
    ----------
    clock
        (time) seconds, at least two.
    given
        The clock as it was given, of which the precision is told.

    Raises
    ------
    ValueError
        If the clock is too coarse for its frames.
    """
    kind = np.asarray(given).dtype
    if kind.kind == "f" and kind.itemsize < 8:
        resolution = float(np.spacing(np.abs(np.asarray(given)).max()))
        median = float(np.median(np.diff(clock)))
        if resolution > 0.1 * median:
            raise ValueError(
                f"the clock is in {'single' if kind.itemsize == 4 else 'half'} precision and so "
                f"known to {resolution:.2g} s only, but its frames last {median:.2g} s: give it in "
                "double precision (float64)"
            )


def labels(name: str, values: Any) -> list[Any]:
    """Labels of units or sessions: whole numbers or text.

    Parameters
    ----------
    name
        What they are of, for messages.
    values
        A list or an array of them.

    Returns
    -------
    list
        Integers and strings.

    Raises
    ------
    TypeError
        If it is a single text, or a label is something else.
    ValueError
        If a label is NaN or None.
    """
    if isinstance(values, str | bytes):
        raise TypeError(f"{name} is the text {values!r}, expected a list of labels")
    if isinstance(values, Mapping | Set) or not isinstance(values, Iterable):
        raise TypeError(f"{name} is {_said(values)}, expected a list of labels in their order")
    if getattr(values, "ndim", 1) > 1:
        raise TypeError(f"{name} is an array of {values.ndim} dimensions, expected a list")  # type: ignore[attr-defined]
    values = values.values if isinstance(values, xr.DataArray) else values
    found = [item.item() if isinstance(item, np.generic) else item for item in values]
    for i, item in enumerate(found):
        if pd.api.types.is_scalar(item) and pd.isna(item):
            raise ValueError(f"{name} {i} (from 0) is labelled {item}, expected a number or text")
        if isinstance(item, float) and item == int(item):
            found[i] = int(item)
        elif not isinstance(item, int | str):
            found[i] = str(item)
    return found


def truths(name: str, values: Any) -> np.ndarray:
    """True and False, from bools or 0 and 1.

    Parameters
    ----------
    name
        What they are, for messages.
    values
        An array or a list.

    Returns
    -------
    numpy.ndarray
        Of bools.

    Raises
    ------
    ValueError
        If anything else is among them, such as the text "False".
    """
    found = np.asarray(values)
    if found.dtype.kind not in "fiub" or not np.isin(found, (0, 1)).all():
        raise ValueError(f"{name} must be True or False, found {_odd(found)}")
    return found.astype(bool)


def unmasked_activity(block: Any, session: str) -> tuple[Any, np.ndarray | None, np.ndarray | None]:
    """Activity of a session without its mask.

    Parameters
    ----------
    block
        (time, unit) activity, masked or not.
    session
        Label of the session, for messages.

    Returns
    -------
    activity
        (time, unit) without the mask, all frames.
    frames
        (time) frames that some unit has; None where all are kept.
    seen
        (unit) units that the session has; None where it has all.

    Raises
    ------
    ValueError
        If a unit is masked in a part of the session only.
    """
    if not isinstance(block, np.ma.MaskedArray) or not np.ma.getmaskarray(block).any():
        return (np.asarray(block) if isinstance(block, np.ma.MaskedArray) else block), None, None
    mask = np.ma.getmaskarray(block)
    frames = np.asarray(~mask.all(axis=1), dtype=bool)
    seen = np.asarray(~mask.all(axis=0), dtype=bool)
    partly = mask[np.ix_(frames, seen)].any(axis=0)
    if partly.any():
        raise ValueError(
            f"activity of session {session!r} is masked for {int(partly.sum())} units in a part of "
            "its frames: a count has no missing value. Leave these units or frames out, or mask a "
            "unit throughout the session where it was not recorded"
        )
    if not frames.all():
        warnings.warn(
            f"session {session!r}: {int((~frames).sum())} of {frames.size} frames are masked for "
            "all units and were left out",
            GateWarning,
            stacklevel=4,
        )
    filled = np.asarray(block.filled(0))
    return filled, (None if frames.all() else frames), (None if seen.all() else seen)


def _odd(found: np.ndarray) -> str:
    """One of the values that do not belong."""
    for item in found.ravel():
        if not isinstance(item, int | float | bool | np.number | np.bool_) or item not in (0, 1):
            return repr(item.item() if hasattr(item, "item") else item)
    return str(found.dtype)


def name_of(name: str, value: Any) -> str:
    """A name, such as that of an animal: text, or a whole number.

    Parameters
    ----------
    name
        What it names, for messages.
    value
        The name.

    Returns
    -------
    str
        The name.

    Raises
    ------
    TypeError
        If it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | np.integer):
        raise TypeError(f"{name} is {value!r}, expected a name: leave it out where it is not known")
    return str(value)


def texts(name: str, values: Any) -> list[str]:
    """Words, such as the regions of units.

    Parameters
    ----------
    name
        What they are, for messages.
    values
        A list or an array of them.

    Returns
    -------
    list of str
        The words.

    Raises
    ------
    TypeError
        If one is not text, or there is a single text.
    """
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise TypeError(f"{name} is {_said(values)}, expected a list of texts")
    values = values.values if isinstance(values, xr.DataArray) else values
    found = [item.item() if isinstance(item, np.generic) else item for item in values]
    for i, item in enumerate(found):
        if not isinstance(item, str):
            raise TypeError(f"{name} {i} (from 0) is {item!r}, expected text such as 'unknown'")
    return found
