"""Labels that results carry on, and masks laid along them."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from neurodrift.schema import SESSION_COORDS, UNIT_COORDS
from neurodrift.schema.objects import expect_array

_OF_DIM = {"session": ("session", *SESSION_COORDS), "unit": ("unit", *UNIT_COORDS)}


def carry_coords(source: xr.Dataset, *dims: str) -> dict[str, Any]:
    """Subject, environment, and what a recording says of each session or unit.

    Parameters
    ----------
    source
        A recording or a result.
    *dims
        ``session``, ``unit``, both or none of them.

    Returns
    -------
    dict
        Coordinates by name, those that `source` has.
    """
    names = [name for dim in dims for name in _OF_DIM[dim]] + ["subject", "environment"]
    return {name: source[name].variable for name in names if name in source.coords}


def registered_units(source: xr.Dataset | xr.DataArray) -> xr.DataArray:
    """Which units have an identity across sessions.

    Parameters
    ----------
    source
        A recording or a result over ``unit``.

    Returns
    -------
    xarray.DataArray
        (unit) all where the source does not say.
    """
    if "registered" in source.coords:
        return source["registered"].reset_coords(drop=True).astype(bool)
    return xr.DataArray(np.ones(source.sizes["unit"], dtype=bool), dims="unit")


def only_registered(source: xr.Dataset) -> xr.Dataset:
    """A recording or a result without the units that have no identity across sessions.

    Parameters
    ----------
    source
        A recording or a result over ``unit``.

    Returns
    -------
    xarray.Dataset
        Itself where it does not say.
    """
    if "registered" not in source.coords:
        return source
    return source.isel(unit=np.flatnonzero(source["registered"].values))


def lag_coords(
    source: xr.Dataset, pair: tuple[str, str], number: np.ndarray, firsts: Any = slice(None)
) -> dict[str, Any]:
    """How far b comes after a: in sessions, days, experience and training steps.

    Parameters
    ----------
    source
        What is compared, along one dimension.
    pair
        Names of the two dimensions of the pairs.
    number
        Number of the session of each.
    firsts
        Those that a stands for; all when omitted.

    Returns
    -------
    dict
        ``lag`` and, where known, ``lag_day``, ``lag_experience``, ``lag_training_step``.
    """
    lags = {"lag": number}
    for name in ("day", "experience", "training_step"):
        if name in source.coords:
            lags[f"lag_{name}"] = source[name].values
    return {name: (pair, at[None, :] - at[firsts][:, None]) for name, at in lags.items()}


def align_mask(mask: xr.DataArray, like: xr.Dataset, name: str, what: str) -> xr.DataArray:
    """A mask in the order of the labels of what it is a mask of.

    Parameters
    ----------
    mask
        Over (session, unit) or (segment, unit), in any order, and other dimensions.
    like
        The maps or the recording.
    name, what
        How an error calls the mask, and what it is laid along.

    Returns
    -------
    xarray.DataArray
        (session or segment, unit, ...).

    Raises
    ------
    TypeError
        If it is no labelled array.
    ValueError
        If a dimension is missing, or a session, segment or unit is.
    """
    expect_array(name, mask)
    first = "segment" if "segment" in mask.dims else "session"
    if first not in mask.dims or "unit" not in mask.dims:
        raise ValueError(f"{name} has dims {mask.dims}, expected (session, unit)")
    for dim in ("unit", *(("session",) if first == "session" else ())):
        missing = set(map(str, np.atleast_1d(like[dim].values))) - set(map(str, mask[dim].values))
        if missing:
            some = ", ".join(sorted(missing)[:5])
            raise ValueError(
                f"{name} lacks {len(missing)} of the {dim} labels of the {what}: {some}"
            )
        mask = mask.sel({dim: like[dim].values})
    if first == "segment" and mask.sizes["segment"] != like.sizes.get("segment"):
        raise ValueError(f"{name} has other segments than the {what}")
    return mask.transpose(first, "unit", ...)


def node_of(source: xr.Dataset | xr.DataTree, *names: str) -> xr.Dataset:
    """The node of a tree of results that a function means; anything else as it is.

    Parameters
    ----------
    source
        A tree of :func:`neurodrift.analyze`, or what the function takes otherwise.
    *names
        Nodes, the first that the tree has is taken.

    Returns
    -------
    xarray.Dataset
        In the tree's place, with its subject and environment.

    Raises
    ------
    ValueError
        If the tree has none of them.
    """
    if not isinstance(source, xr.DataTree):
        return source
    for name in names:
        if name in source.children:
            found = source[name].to_dataset()
            return found.assign_coords(carry_coords(source.to_dataset()))
    there = ", ".join(source.children) or "nothing"
    raise ValueError(
        f"the results have no node {' or '.join(names)}, only {there}: run neurodrift.analyze "
        "with it among the measures"
    )
