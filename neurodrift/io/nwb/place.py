"""The position of a file: one series, or those of its axes or of its stretches, on one clock."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurodrift.gate.clocks import SLOWEST_POSITION, clock_findings
from neurodrift.gate.durations import mend_clock
from neurodrift.gate.findings import Finding, GateWarning
from neurodrift.gate.plain import typical_step
from neurodrift.geometry.geometry import Geometry
from neurodrift.io.nwb import find as nwb_find
from neurodrift.io.nwb.arrays import clock_and_rows


@dataclass(frozen=True)
class Place:
    """Tracked position of a file.

    Parameters
    ----------
    source
        Paths of the series, for messages.
    time
        (time) start of each sample [s].
    xy
        (time, axis) position [cm].
    step
        Typical time between samples [s].
    findings
        What is wrong with its clock, or was mended in it.
    """

    source: str
    time: np.ndarray
    xy: np.ndarray
    step: float
    findings: list[Finding]
    geometry: Geometry | None = None


def read_place(series: Sequence[Any], unit: str | None) -> Place:
    """Read the position from its series.

    Parameters
    ----------
    series
        One :class:`pynwb.behavior.SpatialSeries` of one to three columns; or one column each on
        one clock, which are its axes; or stretches that follow each other in time.
    unit
        Unit of length that stands for the one that the file gives.

    Returns
    -------
    Place
        Height, the third axis, is left out with a warning.

    Raises
    ------
    ValueError
        If the series do not fit each other.
    """
    paths = [nwb_find.path_of(item) for item in series]
    source = " and ".join(paths)
    parts = [_part(item, path, unit) for item, path in zip(series, paths, strict=True)]
    time, xy = parts[0]
    for other, (clock, more) in zip(paths[1:], parts[1:], strict=True):
        if clock.shape == time.shape and np.allclose(clock, time, rtol=0, atol=1e-6):
            xy = np.column_stack([xy, more])
        elif more.shape[1] == xy.shape[1] and (clock[0] > time[-1] or clock[-1] < time[0]):
            first = clock[0] > time[-1]
            time = np.concatenate([time, clock] if first else [clock, time])
            xy = np.concatenate([xy, more] if first else [more, xy])
        else:
            raise ValueError(
                f"{paths[0]} and {other} are neither the axes of one position (one clock) nor its "
                "stretches (one after the other): name those that belong together"
            )
    if xy.shape[1] > 3:
        raise ValueError(f"{source} has {xy.shape[1]} columns, expected a position of 1 to 3 axes")
    if xy.shape[1] == 3:
        warnings.warn(
            f"{source} has three axes: the first two were taken, the height was left out",
            GateWarning,
            stacklevel=5,
        )
        xy = xy[:, :2]
    mended = mend_clock(time, source)
    time, xy = mended.clock, xy[mended.kept]
    found = clock_findings(time, source, SLOWEST_POSITION)
    step = np.nan
    if not any(item.stops for item in found):
        # Rounded so that a clock of 1/20 s has frames of 0.05 s and not 0.0500000000001 s.
        rate = series[0].rate if len(series) == 1 else None
        step = 1 / rate if rate else float(np.round(typical_step(time), 12))
    return Place(source, time, xy, step, [item for item in found if item.stops] + mended.findings)


def _part(series: Any, path: str, unit: str | None) -> tuple[np.ndarray, np.ndarray]:
    time, data = clock_and_rows(series, path)
    factor = nwb_find.centimetres(unit or series.unit) or 1.0
    return time, nwb_find.in_unit(data, series, factor).reshape(time.size, -1)
