"""Units whose maps carry information about position, by a threshold instead of a test."""

from __future__ import annotations

import numpy as np
import xarray as xr

from neurodrift.analysis.information import spatial_information_from_maps
from neurodrift.result_schema import INFORMATIVE, PLACE_CELLS
from neurodrift.schema import label


def informative_units(maps: xr.Dataset, *, threshold: float = 0.01) -> xr.Dataset:
    r"""Find units with more spatial information than a threshold: the published place cells.

    Parameters
    ----------
    maps
        Result of :func:`neurodrift.rate_maps`, not smoothed.
    threshold
        Information [bit/event] above which a unit is informative; 0.01 is that of the published
        code [1]_.

    Returns
    -------
    xarray.Dataset
        Over (session, unit), or (segment, unit): ``information`` [bit/event] over positions and
        directions together, NaN for units that are silent or not detected, and
        ``is_informative``.

    Raises
    ------
    ValueError
        If the threshold is negative or a rate is.

    Notes
    -----
    Every position :math:`s` in every direction :math:`d` is a location of its own,

    .. math:: I = \sum_{s,d} p_{sd} \frac{r_{sd}}{\bar r} \log_2 \frac{r_{sd}}{\bar r},

    so a unit that is active everywhere in one direction only has information. The published code
    has 100 bins over both directions together: ``Binning(edges=np.linspace(low, high, 51))`` for
    a track from low to high. Rates are plain means in the bin, as there.

    It is no test: naive information is positive for every unit whose activity has noise, and
    rises as events become few. It is right for activity without noise, such as that of a network
    on its inputs, where a shuffle test has no question to answer;
    :func:`neurodrift.place_cells` is for everything else.

    References
    ----------
    .. [1] Ratzon, Derdikman & Barak (2024), eLife 12:RP90069.
       https://doi.org/10.7554/eLife.90069

    Examples
    --------
    >>> from neurodrift import rate_maps, testing
    >>> from neurodrift.analysis.informative import informative_units
    >>> maps = rate_maps(testing.linear_track(n_units=5, n_sessions=2, minutes=4))
    >>> dict(informative_units(maps)["is_informative"].sizes)
    {'session': 2, 'unit': 5}
    """
    if not threshold >= 0:
        raise ValueError(f"threshold is {threshold} bit/event, expected 0 or more")
    both = maps[["rate", "occupancy"]].drop_vars(_along(maps))
    both = both.stack(place=("direction", "position"), create_index=False)
    both = both.rename(place="position")
    information = spatial_information_from_maps(both["rate"], both["occupancy"])
    result = xr.Dataset(
        {"information": information, "is_informative": information > threshold},
        coords=maps.drop_vars(_along(maps)).coords,
        attrs={"threshold": threshold},
    )
    return label(result, INFORMATIVE)


def _along(maps: xr.Dataset) -> list[str]:
    """Coordinates along directions or positions."""
    along = {"direction", "position"}
    return [str(name) for name, array in maps.coords.items() if along & set(array.dims)]


def informative_cells(informative: xr.Dataset, information: xr.Dataset) -> xr.Dataset:
    """Informative units in the layout of place cells, without any test.

    Parameters
    ----------
    informative
        Result of :func:`informative_units`.
    information
        Result of :func:`neurodrift.spatial_information` with the same bins.

    Returns
    -------
    xarray.Dataset
        As from :func:`neurodrift.place_cells`: an informative unit is a place cell, and each of
        its maps that is not silent is significant; ``p``, ``q``, ``z`` and the null are NaN.
    """
    naive, frames = information["naive"], information["active_frames"]
    there = naive.notnull()
    nothing = xr.full_like(naive, np.nan)
    cells = xr.Dataset(
        {
            "information": naive,
            **{name: nothing for name in ("p", "z", "null_mean", "null_p95", "q")},
            "n_events": frames.astype(float),
            "tested": there,
            "significant": there & informative["is_informative"],
            "is_place_cell": informative["is_informative"],
        }
    )
    attrs = {"criterion": "information", "threshold": informative.attrs["threshold"]}
    return label(cells.assign_attrs(attrs), PLACE_CELLS)
