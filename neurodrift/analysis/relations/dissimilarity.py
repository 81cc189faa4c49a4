"""Distances between the patterns of one session that noise does not enlarge."""

from __future__ import annotations

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import carry_coords
from neurodrift.analysis.relations.codes import codes_of
from neurodrift.schema import label
from neurodrift.schema.results import DISSIMILARITIES


def compute_dissimilarities(halves: xr.Dataset, *, whitened: bool = False) -> xr.Dataset:
    r"""Squared distance between the population vectors of each pair of places, without noise.

    Parameters
    ----------
    halves
        Half maps, from :func:`neurodrift.compute_half_maps`; not smoothed, so that the noise of
        neighbouring bins is independent.
    whitened
        Whether each unit is first divided by the standard deviation of its noise, as the
        difference of the halves shows it; units without noise are then left out.

    Returns
    -------
    xarray.Dataset
        ``dissimilarity`` (session, point, other_point), whose unit is the square of the maps'
        unit [1 when whitened], around 0 for places that the units do not tell apart, and below 0
        by chance; ``n_units`` (session). A point has the coordinates ``direction`` and ``x_bin``.

    Raises
    ------
    TypeError, ValueError
        If it is given no half maps.

    Notes
    -----
    The crossnobis distance [1]_ of halves 1 and 2 over N units,

    .. math:: D^2_{ij} = \frac{1}{N} \sum_n (f^1_{ni} - f^1_{nj}) (f^2_{ni} - f^2_{nj})

    References
    ----------
    .. [1] Walther et al. (2016), NeuroImage. https://doi.org/10.1016/j.neuroimage.2015.12.012

    Examples
    --------
    >>> from neurodrift import Binning, compute_half_maps, testing
    >>> from neurodrift.analysis.relations import compute_dissimilarities
    >>> track = testing.linear_track(n_units=30, n_sessions=2)
    >>> halves = compute_half_maps(track, binning=Binning(bin_width=20))
    >>> found = compute_dissimilarities(halves)["dissimilarity"]
    >>> found.dims, bool(found.values[0, 0, 4] > found.values[0, 0, 1])
    (('session', 'point', 'other_point'), True)
    """
    codes = codes_of(halves)
    n_points = codes.position.size
    values = np.full((codes.n_sessions, n_points, n_points), np.nan)
    n_units = np.zeros(codes.n_sessions, dtype=np.int64)
    for s in range(codes.n_sessions):
        points = np.flatnonzero(codes.visited[s])
        both = codes.rate[s][:, codes.detected[s]][:, :, points]
        if whitened:
            both = _whitened(both)
        n_units[s] = both.shape[1]
        if points.size and n_units[s]:
            values[s][np.ix_(points, points)] = crossnobis(both[0], both[1])
    names = codes.source["session"].values[codes.firsts]
    per_session = carry_coords(codes.source.isel(segment=codes.firsts), "session")
    coords = {
        name: ("session", c.values) if c.dims else c
        for name, c in per_session.items()
        if name != "session"
    }
    x = codes.centre if codes.centre.ndim == 1 else codes.centre[:, 0]
    result = xr.Dataset(
        {
            "dissimilarity": (("session", "point", "other_point"), values),
            "n_units": ("session", n_units),
        },
        coords=coords
        | {
            "session": names,
            "direction": ("point", codes.source["direction"].values[codes.direction]),
            "x_bin": ("point", x[codes.position]),
        },
    )
    return label(result, DISSIMILARITIES).assign_attrs(whitened=int(whitened))


def crossnobis(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Squared distances of the points of a code from two halves with independent noise.

    Parameters
    ----------
    one, other
        (unit, point) finite.

    Returns
    -------
    numpy.ndarray
        (point, point) symmetric, 0 on the diagonal.
    """
    products = one.T @ other / one.shape[0]
    own = np.diag(products)
    return np.asarray(own[:, None] + own[None, :] - products - products.T)


def _whitened(both: np.ndarray) -> np.ndarray:
    """Halves (half, unit, point) over the noise of each unit, without units that have none."""
    noise = np.sqrt(((both[0] - both[1]) ** 2).mean(axis=-1) / 2)
    some = noise > 0
    return np.asarray(both[:, some] / noise[some][:, None])
