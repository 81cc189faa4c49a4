"""Which frames a session has: those of the imaging, or a grid that spikes are counted in.

Sampled activity has the frames that it was sampled in, and the position is interpolated to them,
never the reverse. Spikes and events, which have times of their own, are counted in the frames of
the position where its clock is even, otherwise in a uniform grid laid over the session.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neurodrift.gate.durations import (
    GAP,
    Mended,
    frame_durations,
    is_even,
    is_gap,
    mend_clock,
)
from neurodrift.gate.findings import Finding
from neurodrift.gate.plain import typical_step
from neurodrift.geometry.arms import arms_of
from neurodrift.geometry.distance import between
from neurodrift.geometry.geometry import Geometry
from neurodrift.geometry.steps import is_jump
from neurodrift.io.nwb import find as nwb_find
from neurodrift.io.nwb.arrays import Samples
from neurodrift.io.nwb.place import Place

MOST_INTERPOLATED = 0.5  # s between two tracked positions; longer is a gap
_BY_CHANCE = 2  # samples that may lie beyond the ends of a position
_NEAR = 1e-6  # of a frame: times that differ by rounding only are the same


@dataclass(frozen=True)
class Frames:
    """Frames of the sessions of a file, with the position in them.

    Parameters
    ----------
    time
        (time) start of each frame [s].
    duration
        (time) length of each frame [s].
    xy
        (time, axis) position [cm].
    place
        The position as it was tracked.
    told
        What is worth telling of how they were made.
    """

    time: np.ndarray
    duration: np.ndarray
    xy: np.ndarray
    place: Place
    told: list[Finding]

    def of_place(self, values: np.ndarray, *, nearest: bool = False) -> np.ndarray:
        """Values that were sampled with the position, in these frames.

        Parameters
        ----------
        values
            (position sample, ...) of a series on the position's clock.
        nearest
            Whether values are names, such as directions, that nothing lies between.

        Returns
        -------
        numpy.ndarray
            (time, ...)
        """
        if self.time is self.place.time:
            return values
        if nearest:
            clock = self.place.time
            right = np.clip(np.searchsorted(clock, self.time), 1, clock.size - 1)
            near = right - (self.time - clock[right - 1] <= clock[right] - self.time)
            return np.asarray(values[near])
        columns = values.reshape(len(values), -1).astype(np.float64)
        found = interpolate(self.time, self.place.time, columns)
        return found.reshape(self.time.size, *values.shape[1:])


def frames_of(
    nwbfile: Any, place: Place, source: Any, rate: float | None, late: float = 0.0
) -> Frames:
    """The frames that activity of a file is analysed in.

    Parameters
    ----------
    nwbfile
        An open :class:`pynwb.NWBFile`.
    place
        Its position.
    source
        Its activity: units with spike times, a table of events or an ROI response series.
    rate
        Frames a second of the grid that spikes or events are counted in; chosen from the position
        when omitted.
    late
        By how much sampled activity comes after the position on their clocks [s].

    Returns
    -------
    Frames
        At least two, on the clock of the position.

    Raises
    ------
    ValueError
        If a rate is asked of sampled activity, or its clock does not increase.
    """
    from pynwb.ophys import RoiResponseSeries

    own = nwb_find.find_frame_duration(nwbfile, place.time)
    if own is not None and rate is None:
        return Frames(place.time, own, place.xy, place, [])
    if isinstance(source, RoiResponseSeries):
        if rate is not None:
            raise ValueError(
                f"{nwb_find.path_of(source)} is sampled, and its samples are the frames: leave the "
                "option frame_rate (--frame-rate) out, which is for spikes and events"
            )
        return _of_samples(source, place, late)
    if rate is None and is_even(place.time):
        return Frames(place.time, np.full(place.time.size, place.step), place.xy, place, [])
    return _grid(place, rate)


def _of_samples(source: Any, place: Place, late: float) -> Frames:
    path = nwb_find.path_of(source)
    every = Samples(source, path, len(source.rois.data)).time - late
    slack = _NEAR * place.step
    if every.shape == place.time.shape and np.allclose(every, place.time, rtol=0, atol=slack):
        lasting = np.full(every.size, place.step) if is_even(every) else frame_durations(every)
        return Frames(place.time, lasting, place.xy, place, [])
    mended = sampled_clock(every, path)
    clock = mended.clock
    if clock.size < 2:
        raise ValueError("the ROI response series has fewer than two samples")
    lasting = frame_durations(clock)
    if source.rate and not mended.findings:
        lasting = np.full(clock.size, 1 / source.rate)
    within = (clock >= place.time[0] - slack) & (clock <= place.time[-1] + slack)
    if not within.any():
        raise ValueError(
            f"no sample of {path} lies within the position ({place.time[0]:g} to "
            f"{place.time[-1]:g} s): their clocks differ"
        )
    told = list(mended.findings)
    if not within.all():
        n = int((~within).sum())
        text = f"{n} of {clock.size} samples of {path} lie before or after {place.source}: left out"
        numbers = {"n_left_out": n, "n_samples": clock.size}
        told.append(Finding("overlap", text, warns=n > _BY_CHANCE, numbers=numbers))
    time = clock[within]
    xy = interpolate(time, place.time, place.xy, place.geometry)
    return Frames(time, lasting[within], xy, place, told)


def sampled_clock(clock: np.ndarray, source: str) -> Mended:
    """Times of samples, a few wrong ones mended.

    Parameters
    ----------
    clock
        (time) seconds.
    source
        What it is the clock of.

    Returns
    -------
    Mended
        Increasing times.

    Raises
    ------
    ValueError
        If they do not increase and cannot be mended.
    """
    if not np.isfinite(clock).all():
        raise ValueError(
            f"the clock of {source} is NaN in {int((~np.isfinite(clock)).sum())} frames"
        )
    mended = mend_clock(clock, source)
    if (np.diff(mended.clock) <= 0).any():
        n = int((np.diff(mended.clock) <= 0).sum())
        raise ValueError(
            f"the clock of {source} does not increase {n} times: drop or mend these samples"
        )
    return mended


def _grid(place: Place, rate: float | None) -> Frames:
    """A uniform grid over each stretch of a position without a gap."""
    steps = np.diff(place.time)
    even = is_even(place.time)
    gap = steps > GAP * typical_step(place.time) if even else is_gap(steps)
    gap &= steps > MOST_INTERPOLATED
    step = 1 / rate if rate else float(np.round(steps[~gap].mean(), 12))
    first = np.concatenate([[0], np.flatnonzero(gap) + 1])
    last = np.concatenate([np.flatnonzero(gap), [place.time.size - 1]])
    starts = []
    for start, stop in zip(place.time[first], place.time[last], strict=True):
        n = int(np.floor((stop - start) / step + _NEAR)) + 1
        starts.append(start + np.arange(n) * step)
    time = np.concatenate(starts)
    text = (
        f"the clock of {place.source} is uneven (steps of {np.percentile(steps, 5):.3g} to "
        f"{np.percentile(steps, 95):.3g} s): activity was counted in frames of {step:.3g} s, the "
        "position interpolated to them"
    )
    told = [] if even else [Finding("uneven_clock", text, numbers={"step": step})]
    return Frames(
        time,
        np.full(time.size, step),
        interpolate(time, place.time, place.xy, place.geometry),
        place,
        told,
    )


def interpolate(
    at: np.ndarray, time: np.ndarray, values: np.ndarray, geometry: Geometry | None = None
) -> np.ndarray:
    """Tracked values at other times.

    Parameters
    ----------
    at
        (frame) times [s], increasing.
    time
        (time) when it was tracked [s], increasing.
    values
        (time, axis) what was tracked, NaN where it was not.
    geometry
        Shape of what one axis is a position in, where it is stated.

    Returns
    -------
    numpy.ndarray
        (frame, axis) linear between two samples; NaN next to a NaN, outside, and in gaps of the
        tracking: more than 0.5 s and more than 1.5 steps. On a circle it is the shorter way round;
        across the jump of a corridor, from one arm of a maze to another, between categories, and
        where one axis without a geometry jumps by more than half of all that it covers, the nearer
        sample is taken.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.io.nwb.grid import interpolate
    >>> tracked = np.array([[0.0], [1.0], [np.nan], [3.0]])
    >>> interpolate(np.array([0.05, 0.1, 0.15, 9]), np.arange(4) / 10, tracked).ravel().tolist()
    [0.5, 1.0, nan, nan]
    """
    right = np.clip(np.searchsorted(time, at, side="left"), 1, time.size - 1)
    left = right - 1
    width = time[right] - time[left]
    typical = typical_step(time)
    slack = _NEAR * typical
    inside = (at >= time[0] - slack) & (at <= time[-1] + slack)
    inside &= ~(
        (width > MOST_INTERPOLATED)
        & (width > GAP * typical)
        & (at > time[left])
        & (at < time[right])
    )
    part = np.clip((at - time[left]) / width, 0.0, 1.0)[:, None]
    a, b = values[left], values[right]
    with np.errstate(invalid="ignore"):
        found = a + part * (b - a)
        if values.shape[1] == 1 and np.isfinite(values).any():
            if geometry is not None and geometry.kind == "circular":
                found = between(geometry, a, b, part)
            jumps = _no_way(geometry, a, b, values, width[:, None])
            found = np.where(jumps, np.where(part < 0.5, a, b), found)
    found = np.where(part == 0, a, np.where(part == 1, b, found))
    return np.asarray(np.where(inside[:, None], found, np.nan))


def _no_way(
    geometry: Geometry | None, a: np.ndarray, b: np.ndarray, values: np.ndarray, width: np.ndarray
) -> np.ndarray:
    """Pairs of samples between which there are no values of the axis."""
    if geometry is None:
        return np.asarray(np.abs(b - a) > 0.5 * (np.nanmax(values) - np.nanmin(values)))
    if geometry.kind == "vr":
        return is_jump(geometry, b - a, width)
    if geometry.kind == "graph":
        return np.asarray(arms_of(geometry).locate(a)[0] != arms_of(geometry).locate(b)[0])
    return np.full(a.shape, geometry.kind == "category")
