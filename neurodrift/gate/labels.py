"""Labels that arrays bring along, held against the units, sessions and times beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from neurodrift.gate.plain import labels as plain_labels
from neurodrift.gate.plain import seconds


def brought(values: Any, dim: str, axis: int) -> list[Any] | None:
    """Labels of an array along a dimension.

    Parameters
    ----------
    values
        An array of any kind; a labelled DataArray has coordinates, a pandas object an index and
        columns. Plain counts 0, 1, 2, ... of pandas are no labels.
    dim
        Name of the dimension in a DataArray.
    axis
        The axis that it is in a pandas object.

    Returns
    -------
    list or None
        None where there are none.

    Examples
    --------
    >>> import pandas as pd
    >>> from neurodrift.gate.labels import brought
    >>> brought(pd.DataFrame([[0, 1]], columns=["c7", "c9"]), "unit", 1)
    ['c7', 'c9']
    """
    if isinstance(values, xr.DataArray):
        return list(values[dim].values) if dim in values.coords and dim in values.dims else None
    if isinstance(values, pd.DataFrame | pd.Series) and axis < values.ndim:
        index = values.axes[axis]
        counted = pd.api.types.is_integer_dtype(index) and bool(
            (index == np.arange(len(index))).all()
        )
        return None if counted else index.tolist()
    return None


def shared(name: str, parts: Sequence[Any], where: Sequence[str]) -> list[Any] | None:
    """Labels of the units that all parts bring along, in one order.

    Parameters
    ----------
    name
        What the parts are, for messages.
    parts
        (time, unit) an array for each session.
    where
        Label of each session.

    Returns
    -------
    list or None
        Labels of the first part that has some.

    Raises
    ------
    ValueError
        If another part has other labels, or the same in another order.
    """
    first, told = None, ""
    for part, session in zip(parts, where, strict=True):
        found = brought(part, "unit", 1)
        if found is not None and first is None:
            first, told = found, f"session {session!r}"
        elif found is not None and first is not None:
            agree(name, found, first, f"{told}", f" in session {session!r}")
    return first


def agree(name: str, found: list[Any] | None, labels: Sequence[Any], of: str, at: str = "") -> None:
    """Refuse an array whose own labels are not those it is laid along.

    Parameters
    ----------
    name
        What the array is, for messages.
    found
        Its labels, from :func:`brought`; None is never refused.
    labels
        The labels that it is laid along.
    of
        Where these come from, for messages.
    at
        Where the array is, for messages.

    Raises
    ------
    ValueError
        If they differ.
    """
    if found is None:
        return
    own, other = ([str(item) for item in plain_labels(name, part)] for part in (found, labels))
    if own == other:
        return
    if sorted(own) == sorted(other):
        first = next(i for i, (a, b) in enumerate(zip(own, other, strict=True)) if a != b)
        raise ValueError(
            f"{name}{at} has its labels in another order than {of} (entry {first} is "
            f"{own[first]!r}, not {other[first]!r}): bring them into one order, "
            "by .reindex or .sel"
        )
    odd = [item for item in own if item not in set(other)] or [
        item for item in other if item not in set(own)
    ]
    raise ValueError(
        f"{name}{at} is labelled otherwise than {of}: {odd[:3]} is in one of them only. Build one "
        "recording a session and join them by label with join_sessions, or pass plain arrays"
    )


def agree_on_times(name: str, parts: Sequence[Any], clocks: Sequence[Any], step: float) -> None:
    """Refuse arrays over frames that bring along other times than those of the frames.

    Parameters
    ----------
    name
        What they are, for messages.
    parts
        (time) arrays, of which DataArrays may have a coordinate ``time``.
    clocks
        (time) the times of their frames, as given.
    step
        Length of a frame [s]; less than half of it is no difference.

    Raises
    ------
    ValueError
        If they differ.
    """
    for part, clock in zip(parts, clocks, strict=True):
        own = brought(part, "time", 2)
        if own is None or len(own) != len(clock):
            continue
        told, origin = seconds("time", clock)
        found = np.asarray(own)
        if (found.dtype.kind == "M") != (origin is not None):
            continue
        off = np.abs(seconds("time", found, origin)[0] - told)
        if off.size and not off.max() < 0.5 * step:
            raise ValueError(
                f"{name} is labelled with times that are up to {off.max():.3g} s from those of its "
                "frames: interpolate it to the frames of the activity"
            )
