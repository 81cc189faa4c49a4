"""The tuning of each unit in each session as one number, from parts whose noise is independent."""

from __future__ import annotations

from typing import Literal

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import only_registered
from neurodrift.analysis.drift.parts import cut_sessions
from neurodrift.analysis.maps.binning import Binning
from neurodrift.analysis.maps.rate_maps import compute_rate_maps
from neurodrift.analysis.maps.smoothing import smooth_maps
from neurodrift.geometry.geometry import Geometry, geometry_of
from neurodrift.schema import COUNT_KINDS

N_PARTS = 4
"""Parts of a session: as many as the fourth moment of a step needs."""

Variable = Literal["centre", "rate"]
"""What of a unit is followed: the place of its field, or the logarithm of its mean activity."""

_HEIGHT = 0.5  # of the peak, above which a map counts to the centre of its field


def compute_tuning(
    recording: xr.Dataset,
    variable: Variable,
    *,
    binning: Binning | None = None,
    smoothing: float = 4.0,
    min_events: int = 5,
) -> xr.Dataset:
    """Centre of the field or logarithm of the mean activity of each part of every session.

    Parameters
    ----------
    recording
        A recording with a position; units that are not ``registered`` are left out.
    variable
        ``"centre"``: centre of mass of the map where it is above half of its peak, in each running
        direction; round a circle the circular mean. ``"rate"``: natural logarithm of the mean
        activity in the frames that count, of both directions together.
    binning, smoothing
        Of the maps, as for :func:`neurodrift.compute_rate_maps`.
    min_events
        Events (or frames above 0) that a unit needs in every part of a session; without them it
        has no value there.

    Returns
    -------
    xarray.Dataset
        ``tuning`` (session, part, unit, direction): the centre [cm, or the unit of the geometry]
        or the logarithm [of Hz]; NaN where there is none. ``tuned`` (session, unit, direction).

    Raises
    ------
    ValueError
        If the recording has no position, or the centre is asked for in more than one dimension.
    """
    recording = only_registered(recording)
    geometry = geometry_of(recording)
    if variable == "centre" and geometry.kind not in ("linear", "circular", "vr"):
        raise ValueError(
            f"variable='centre' is of a line or a circle, not of a {geometry.kind}: use 'rate'"
        )
    _, number, n_parts = cut_sessions(recording, "auto", N_PARTS)
    names = recording["session"].values
    if n_parts < N_PARTS:
        number = np.full_like(number, -1)
    code = np.where(number >= 0, number % N_PARTS, -1)
    n_units = recording.sizes["unit"]
    if not (code >= 0).any():
        return _dataset(recording, np.full((names.size, N_PARTS, n_units, 1), np.nan), [0])
    maps = compute_rate_maps(recording, binning=binning, by=xr.DataArray(code, dims="time"))
    dims = ("segment", "unit", "direction", "position")
    events = maps["events"].transpose(*dims).values
    if variable == "centre":
        rate = smooth_maps(maps["rate"], smoothing) if smoothing > 0 else maps["rate"]
        own = _centres(rate.transpose(*dims).values, maps["x_bin"].values, geometry)
        amount, ways = events.sum(axis=-1), maps["direction"].values
    else:
        seconds = maps["occupancy"].sum(("direction", "position")).values
        amount = events.sum(axis=(-1, -2))[..., None]
        with np.errstate(divide="ignore", invalid="ignore"):
            own = np.log(amount / seconds[:, None, None])
        ways = np.array([0])
    if recording["activity"].attrs["kind"] in COUNT_KINDS:
        own = np.where(amount >= min_events, own, np.nan)
    own = np.where(np.isfinite(own), own, np.nan)
    values = np.full((names.size, N_PARTS, n_units, ways.size), np.nan)
    place = {name: i for i, name in enumerate(names)}
    for row, name, part in zip(own, maps["session"].values, maps["group"].values, strict=True):
        values[place[name], int(part)] = row
    return _dataset(recording, values, ways)


def _dataset(recording: xr.Dataset, values: np.ndarray, ways: object) -> xr.Dataset:
    tuned = np.isfinite(values).all(axis=1)
    detected = recording["detected"].transpose("session", "unit").values
    tuned &= detected[..., None]
    values = np.where(tuned[:, None], values, np.nan)
    return xr.Dataset(
        {
            "tuning": (("session", "part", "unit", "direction"), values),
            "tuned": (("session", "unit", "direction"), tuned),
        },
        coords={
            "session": recording["session"].variable,
            "unit": recording["unit"].variable,
            "direction": np.asarray(ways),
        },
    )


def _centres(rate: np.ndarray, x: np.ndarray, geometry: Geometry) -> np.ndarray:
    """(..., ) centre of mass of each map above half of its peak."""
    known = np.nan_to_num(rate)
    weight = np.maximum(known - _HEIGHT * known.max(axis=-1, keepdims=True), 0.0)
    total = weight.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        if geometry.kind != "circular":
            return np.asarray((weight @ x) / total)
        length = float(geometry.length or np.nan)
        angle = 2 * np.pi * x / length
        mean = np.angle((weight @ np.exp(1j * angle)) / total)
        return np.asarray(mean % (2 * np.pi) * length / (2 * np.pi))
