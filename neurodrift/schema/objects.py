"""What an argument that is no number must be: a result, a labelled array, a list of names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr


def expect_choice(name: str, value: Any, choices: Sequence[str]) -> None:
    """Refuse what is none of an option's choices.

    Parameters
    ----------
    name
        The option.
    value
        What was given.
    choices
        What it may be.

    Raises
    ------
    ValueError
        With the option, its value and the choices.
    """
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} is {value!r}, expected one of {', '.join(choices)}")


def expect_dataset(name: str, value: Any, variables: Sequence[str], made_by: str) -> None:
    """Refuse what is not the result that a function takes.

    Parameters
    ----------
    name
        The argument.
    value
        What was given.
    variables
        Variables or attributes that such a result has.
    made_by
        The result and the function that makes it, for the message.

    Raises
    ------
    TypeError
        If it is no Dataset.
    ValueError
        If it lacks some of the variables.

    Examples
    --------
    >>> import xarray as xr
    >>> from neurodrift.schema.objects import expect_dataset
    >>> expect_dataset("maps", xr.Dataset(), ["rate"], "rate maps (compute_rate_maps)")
    Traceback (most recent call last):
    ...
    ValueError: maps has no 'rate', expected rate maps (compute_rate_maps)
    """
    if not isinstance(value, xr.Dataset):
        raise TypeError(f"{name} is a {type(value).__name__}, expected {made_by}, a Dataset")
    missing = [item for item in variables if item not in value and item not in value.attrs]
    if missing:
        listed = ", ".join(map(repr, missing))
        raise ValueError(f"{name} has no {listed}, expected {made_by}")


def expect_array(name: str, value: Any, dims: Sequence[str] = (), what: str = "") -> None:
    """Refuse what is no labelled array over some dimensions.

    Parameters
    ----------
    name
        The argument.
    value
        What was given.
    dims
        Dimensions that it must have.
    what
        What it is, for the message.

    Raises
    ------
    TypeError
        If it is no DataArray.
    ValueError
        If it lacks a dimension.
    """
    about = f"{what + ', ' if what else ''}a DataArray"
    if not isinstance(value, xr.DataArray):
        raise TypeError(f"{name} is a {type(value).__name__}, expected {about} with its labels")
    missing = [dim for dim in dims if dim not in value.dims]
    if missing:
        raise ValueError(
            f"{name} has dims {tuple(map(str, value.dims))}, expected {about} over "
            f"({', '.join(dims)})"
        )


def expect_mask(name: str, value: Any) -> None:
    """Refuse what is no labelled array of True and False.

    Parameters
    ----------
    name
        The argument.
    value
        What was given.

    Raises
    ------
    TypeError
        If it is no DataArray, or one of other numbers, such as p instead of verdicts.
    """
    expect_array(name, value)
    if value.dtype != bool:
        raise TypeError(
            f"{name} holds {value.dtype} numbers, expected True and False, such as the variable "
            "is_place_cell of a result"
        )


def expect_same_labels(
    name: str, value: xr.DataArray, like: xr.DataArray, dims: Sequence[str]
) -> None:
    """Refuse an array whose units or sessions are not those of another, whatever their order.

    Parameters
    ----------
    name
        The argument.
    value
        What was given.
    like
        What it is laid beside.
    dims
        Dimensions with labels.

    Raises
    ------
    ValueError
        If a label is in one of them only.
    """
    for dim in dims:
        if dim not in value.coords or dim not in like.coords:
            continue
        odd = set(map(str, value[dim].values)) ^ set(map(str, like[dim].values))
        if odd:
            raise ValueError(
                f"{name} has other {dim}s: {', '.join(sorted(odd)[:5])} in one of the arrays only"
            )


def names_in(name: str, values: Any) -> list[Any]:
    """Names that were asked for, as a list.

    Parameters
    ----------
    name
        The argument.
    values
        A list or another sequence of names.

    Returns
    -------
    list
        The names.

    Raises
    ------
    TypeError
        If it is a single text, or no sequence at all.
    """
    if isinstance(values, str | bytes):
        raise TypeError(f"{name} is the text {values!r}, expected a list of names: [{values!r}]")
    if isinstance(values, Mapping) or not isinstance(values, Iterable):
        raise TypeError(f"{name} is {values!r}, expected a list of names")
    return list(values)


def expect_type(name: str, value: Any, types: type | tuple[type, ...], what: str) -> None:
    """Refuse an object of another kind.

    Parameters
    ----------
    name
        The argument.
    value
        What was given.
    types
        What it may be.
    what
        The same in words, for the message.

    Raises
    ------
    TypeError
        With the argument, its type and what was expected.

    Examples
    --------
    >>> from neurodrift.schema.objects import expect_type
    >>> expect_type("task", 3, str, "a name")
    Traceback (most recent call last):
    ...
    TypeError: task is of type int, expected a name
    """
    if not isinstance(value, types):
        raise TypeError(f"{name} is of type {type(value).__name__}, expected {what}")


def path_of(name: str, value: Any) -> Path:
    """A path that a caller gives.

    Parameters
    ----------
    name
        The argument.
    value
        What was given.

    Returns
    -------
    pathlib.Path
        The path.

    Raises
    ------
    TypeError
        If it is no path.
    """
    expect_type(name, value, (str, os.PathLike), "the path of a file or folder")
    return Path(value)


def expect_equal_lengths(**arrays: Any) -> None:
    """Refuse arrays of which each should have an entry for every entry of the others.

    Parameters
    ----------
    **arrays
        By name; None is left out.

    Raises
    ------
    ValueError
        With all lengths, if they differ.
    """
    lengths = {name: len(np.atleast_1d(a)) for name, a in arrays.items() if a is not None}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} has {n}" for name, n in lengths.items())
        raise ValueError(f"{told} entries: give as many of each")
