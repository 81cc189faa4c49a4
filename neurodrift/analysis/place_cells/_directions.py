"""From tests of each running direction to a verdict on the unit."""

from __future__ import annotations

from typing import Literal

import xarray as xr

Combine = Literal["bonferroni", "any", "all"]


def over_directions(result: xr.Dataset, combine: Combine, alpha: float) -> xr.DataArray:
    """Whether a unit is significant, of what its directions are.

    Parameters
    ----------
    result
        ``p``, ``tested`` and ``significant`` (..., direction).
    combine
        Significant in any direction, in all, or in any after the correction for those tested.
    alpha
        Level that the corrected p is held against.

    Returns
    -------
    xarray.DataArray
        (...) True or False.
    """
    if combine == "all":
        return result["significant"].all("direction")
    if combine == "any":
        return result["significant"].any("direction")
    return (result["p"] * result["tested"].sum("direction") < alpha).any("direction")
