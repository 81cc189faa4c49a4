"""The code of each session as arrays: what the units do at each place, in both halves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import only_registered
from neurodrift.geometry.distance import distance
from neurodrift.geometry.geometry import Geometry, geometry_of
from neurodrift.schema import COUNT_KINDS

_EVEN = 1e-6  # of a bin, by which bins of a whole circle may differ


@dataclass(frozen=True, eq=False)
class Codes:
    """Population vectors of the halves of each session.

    Parameters
    ----------
    rate
        (session, half, unit, point) activity, NaN where not visited or not detected. A point is a
        bin in a running direction.
    detected
        (session, unit) detected in both halves.
    visited
        (session, point) visited in both halves.
    map_label
        (session) map that the halves are of.
    direction, position
        (point) number of the running direction and of the bin.
    geometry
        Of the recording.
    centre
        (bin) middle [cm], or (bin, 2) in the plane.
    width
        Width of a bin [cm].
    part
        (bin) arm or category, where bins have one.
    counts
        Whether the activity is of events.
    source
        The half maps.
    firsts
        (session) a segment of each.
    """

    rate: np.ndarray
    detected: np.ndarray
    visited: np.ndarray
    map_label: np.ndarray
    direction: np.ndarray
    position: np.ndarray
    geometry: Geometry
    centre: np.ndarray
    width: float
    part: np.ndarray | None
    counts: bool
    source: xr.Dataset
    firsts: np.ndarray

    @property
    def n_sessions(self) -> int:
        """Number of sessions."""
        return int(self.rate.shape[0])

    @property
    def is_ring(self) -> bool:
        """Whether the bins are equal parts of a whole circle, each visited in every half."""
        if self.geometry.kind != "circular" or self.geometry.length is None:
            return False
        whole = self.centre.size * self.width
        return abs(whole - self.geometry.length) < _EVEN * self.width * self.centre.size and bool(
            self.visited.all()
        )

    def between(self, a: int, b: int) -> tuple[np.ndarray, np.ndarray]:
        """Units detected and points visited in both sessions, none of different maps."""
        if self.map_label[a] != self.map_label[b]:
            return np.zeros(0, dtype=int), np.zeros(0, dtype=int)
        units = np.flatnonzero(self.detected[a] & self.detected[b])
        return units, np.flatnonzero(self.visited[a] & self.visited[b])

    def lag_class(self) -> np.ndarray:
        """(point, point) number of the pair's distance in bins and pair of directions."""
        steps = np.rint(self.distances() / self.width)
        steps = np.where(np.isfinite(steps), steps, -1.0)[np.ix_(self.position, self.position)]
        low = np.minimum.outer(self.direction, self.direction)
        high = np.maximum.outer(self.direction, self.direction)
        key = (low * (self.direction.max(initial=0) + 1) + high) * (steps.max() + 2) + steps + 1
        return np.unique(key, return_inverse=True)[1].reshape(key.shape)

    def distances(self) -> np.ndarray:
        """(bin, bin) distance [cm]."""
        if self.centre.ndim == 2:
            away = self.centre[:, None] - self.centre[None]
            return np.asarray(np.hypot(away[..., 0], away[..., 1]))
        return np.asarray(distance(self.geometry, self.centre[:, None], self.centre[None, :]))


def codes_of(halves: xr.Dataset) -> Codes:
    """Codes of the half maps of a recording.

    Parameters
    ----------
    halves
        From :func:`neurodrift.compute_half_maps`. Units that are not registered are left out. Of a
        session with several maps, the one in which most time was spent is taken.

    Returns
    -------
    Codes

    Raises
    ------
    TypeError
        If it is no Dataset.
    ValueError
        If it holds no half maps.

    Examples
    --------
    >>> from neurodrift import compute_half_maps, testing
    >>> from neurodrift.analysis.relations.codes import codes_of
    >>> codes = codes_of(compute_half_maps(testing.linear_track(n_units=3, n_sessions=2)))
    >>> codes.rate.shape
    (2, 2, 3, 50)
    """
    if not isinstance(halves, xr.Dataset):
        raise TypeError(
            f"expected half maps (xarray.Dataset), got {type(halves).__name__}: give "
            "neurodrift.compute_half_maps(recording)"
        )
    if "half" not in halves.coords or "segment" not in halves.dims or "rate" not in halves:
        raise ValueError(
            "expected maps of two halves of each session, with rate over (segment, unit, "
            "direction, position) and the coordinate half: give "
            "neurodrift.compute_half_maps(recording)"
        )
    halves = only_registered(halves).compute()
    halves = halves.isel(unit=np.argsort(halves["unit"].values.astype(str), kind="stable"))
    rate = halves["rate"].transpose("segment", "unit", "direction", "position").values
    seconds = halves["occupancy"].transpose("segment", "direction", "position").values
    detected = halves["detected"].transpose("segment", "unit").values
    owner, half = halves["session"].values.astype(str), halves["half"].values
    names = list(dict.fromkeys(owner))
    labels = halves["map_label"].values if "map_label" in halves.coords else np.zeros(owner.size)
    n_units, n_points = rate.shape[1], rate.shape[2] * rate.shape[3]
    found = np.full((len(names), 2, n_units, n_points), np.nan)
    seen = np.zeros((len(names), 2, n_points), dtype=bool)
    there = np.zeros((len(names), 2, n_units), dtype=bool)
    chosen, firsts = np.zeros(len(names)), np.zeros(len(names), dtype=int)
    for i, name in enumerate(names):
        own = np.flatnonzero(owner == name)
        spent = {item: seconds[own[labels[own] == item]].sum() for item in np.unique(labels[own])}
        chosen[i] = max(spent, key=lambda item: spent[item])
        firsts[i] = own[0]
        for at in own[labels[own] == chosen[i]]:
            found[i, half[at]] = rate[at].reshape(n_units, n_points)
            seen[i, half[at]] = seconds[at].reshape(n_points) > 0
            there[i, half[at]] = detected[at]
    plane = "y_bin" in halves.coords
    centre = halves["x_bin"].values.astype(float)
    if plane:
        centre = np.column_stack([centre, halves["y_bin"].values.astype(float)])
    line = np.arange(rate.shape[3])
    return Codes(
        rate=np.where(np.asarray(there.all(axis=1))[:, None, :, None], found, np.nan),
        detected=np.asarray(there.all(axis=1)),
        visited=np.asarray(seen.all(axis=1)),
        map_label=chosen,
        direction=np.repeat(np.arange(rate.shape[2]), line.size),
        position=np.tile(line, rate.shape[2]),
        geometry=geometry_of(halves["x_bin"]),
        centre=centre,
        width=_width(halves, centre),
        part=halves["part"].values.astype(str) if "part" in halves.coords else None,
        counts=halves.attrs.get("activity_kind") in COUNT_KINDS,
        source=halves,
        firsts=firsts,
    )


def _width(halves: xr.Dataset, centre: np.ndarray) -> float:
    """Width of a bin [cm]: as stored, or the smallest step between bins."""
    if "x_width" in halves.coords and halves.sizes["position"]:
        return float(np.median(halves["x_width"].values))
    steps = np.diff(np.unique(centre if centre.ndim == 1 else centre[:, 0]))
    return float(steps.min()) if steps.size else 1.0
