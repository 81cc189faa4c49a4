"""Which activity, position and speed an NWB file offers, and the choice among them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from neurodrift.gate.findings import GateWarning

_LENGTHS = {
    "m": 100.0,
    "meter": 100.0,
    "meters": 100.0,
    "metre": 100.0,
    "metres": 100.0,
    "cm": 1.0,
    "centimeter": 1.0,
    "centimeters": 1.0,
    "centimetre": 1.0,
    "centimetres": 1.0,
    "mm": 0.1,
    "millimeter": 0.1,
    "millimeters": 0.1,
    "millimetre": 0.1,
    "millimetres": 0.1,
}
_PLACE = re.compile(r"(pos|position|[xy]|(pos|position)[ _][xy]|[xy][ _](pos|position))")
FRAME_DURATION = "frame_duration"
"""Series of a file whose position is sampled in the frames that its activity was counted in [s]."""

_SECONDS = ("s", "sec", "second", "seconds")


def find_activity(nwbfile: Any, wanted: str | None, where: str) -> Any:
    """The table of units, table of events or ROI response series to import.

    Parameters
    ----------
    nwbfile
        An open :class:`pynwb.NWBFile`.
    wanted
        Name or path of the series; the only one there is when omitted.
    where
        The file, for messages.

    Returns
    -------
    pynwb.misc.Units, pynwb.event.EventsTable or pynwb.ophys.RoiResponseSeries
        The chosen object.

    Raises
    ------
    ValueError
        If there is none, or several and none is named.
    """
    found = activities(nwbfile)
    if not found:
        raise ValueError(
            f"{where} holds no activity: expected units with spike_times, an EventsTable with a "
            "column that points to cells, or a RoiResponseSeries"
        )
    return _choose(found, wanted, "activity", "series", where)


def activities(nwbfile: Any) -> dict[str, Any]:
    """Everything in a file that can be activity, by its path.

    Parameters
    ----------
    nwbfile
        An open :class:`pynwb.NWBFile`.

    Returns
    -------
    dict
        Units with spike times, tables of events that point to cells, and ROI response series.
    """
    from pynwb.event import EventsTable
    from pynwb.misc import Units
    from pynwb.ophys import RoiResponseSeries

    return {
        path_of(item): item
        for item in nwbfile.objects.values()
        if (isinstance(item, Units) and "spike_times" in item.colnames)
        or (isinstance(item, EventsTable) and region_columns(item))
        or isinstance(item, RoiResponseSeries)
    }


def find_positions(
    nwbfile: Any, wanted: Sequence[str] | None, where: str, unit: str | None = None
) -> list[Any]:
    """The spatial series that hold the position: one, or those of its axes or stretches.

    Parameters
    ----------
    nwbfile
        An open :class:`pynwb.NWBFile`.
    wanted
        Names or paths of the series; the only one in a unit of length when omitted.
    where
        The file, for messages.
    unit
        Unit of length that stands for the one that the file gives.

    Returns
    -------
    list of pynwb.behavior.SpatialSeries
        The chosen series, in the order that was asked for.

    Raises
    ------
    ValueError
        If there is none in a unit of length, or several and none is named.
    """
    if unit is not None and centimetres(unit) is None:
        raise ValueError(f"position_unit is {unit!r}, expected one of {', '.join(_LENGTHS)}")
    if wanted is None:
        return [find_position(nwbfile, None, where, unit)]
    found = [find_position(nwbfile, name, where, unit) for name in wanted]
    if len(found) == 1:
        _warn_of_other_axis(nwbfile, found[0], where)
    return found


def _warn_of_other_axis(nwbfile: Any, series: Any, where: str) -> None:
    """Say that a series called x or y has the other axis beside it."""
    other = {"x": "y", "y": "x"}.get(series.name.lower())
    for item in nwbfile.objects.values():
        if other and item.name.lower() == other and item.parent is series.parent:
            warnings.warn(
                f"{where}: {path_of(series)} alone was taken, though {path_of(item)} lies beside "
                "it: give both for a position in two dimensions",
                GateWarning,
                stacklevel=6,
            )


def find_position(nwbfile: Any, wanted: str | None, where: str, unit: str | None = None) -> Any:
    """The spatial series that holds the position.

    Parameters
    ----------
    nwbfile
        An open :class:`pynwb.NWBFile`.
    wanted
        Name or path of the series; the only one in a unit of length when omitted.
    where
        The file, for messages.
    unit
        Unit of length that stands for the one that the file gives.

    Returns
    -------
    pynwb.behavior.SpatialSeries
        The chosen series; its unit is a length.

    Raises
    ------
    ValueError
        If there is none in a unit of length, or several and none is named.
    """
    from pynwb import TimeSeries

    every = positions(nwbfile)
    if wanted is not None and wanted.rsplit("/", 1)[-1] not in {s.name for s in every.values()}:
        every = {path_of(s): s for s in nwbfile.objects.values() if isinstance(s, TimeSeries)}
    lengths = {
        path: s
        for path, s in every.items()
        if centimetres(unit or s.unit) is not None and not is_no_place(s)
    }
    if not every:
        raise ValueError(
            f"{where} holds no position: expected a SpatialSeries in processing/behavior or "
            "acquisition"
        )
    if wanted is None and not lengths:
        units = ", ".join(f"{path} in {s.unit!r}" for path, s in every.items())
        raise ValueError(
            f"{where} holds no position in a unit of length ({units}): say which it is by the "
            "option position_unit (--position-unit cm), or store it in metres or cm"
        )
    series = _choose(lengths if wanted is None else every, wanted, "position", "position", where)
    if centimetres(unit or series.unit) is None:
        raise ValueError(
            f"the position {path_of(series)} of {where} is in {series.unit!r}: say which unit of "
            "length it is by the option position_unit (--position-unit cm), or store it in metres"
        )
    return series


def positions(nwbfile: Any) -> dict[str, Any]:
    """Everything in a file that can be a position, by its path.

    Parameters
    ----------
    nwbfile
        An open :class:`pynwb.NWBFile`.

    Returns
    -------
    dict
        Spatial series, whatever they are of; and series of behaviour that are called position,
        pos, x or y, as corridors in virtual reality are often written.
    """
    from pynwb.behavior import BehavioralTimeSeries, SpatialSeries

    return {
        path_of(item): item
        for item in nwbfile.objects.values()
        if isinstance(item, SpatialSeries)
        or (isinstance(item.parent, BehavioralTimeSeries) and _PLACE.fullmatch(item.name.lower()))
    }


def is_no_place(series: Any) -> bool:
    """Whether a spatial series is of the head's direction, the eye or the pupil.

    Parameters
    ----------
    series
        A :class:`pynwb.behavior.SpatialSeries`.

    Returns
    -------
    bool
        By what holds it.
    """
    holder = type(series.parent).__name__ if series.parent is not None else ""
    return holder in ("CompassDirection", "EyeTracking", "PupilTracking")


def find_speed(nwbfile: Any, wanted: str | None, time: np.ndarray, where: str) -> Any:
    """The series that holds speed or velocity, if the file has one on the position's clock.

    Parameters
    ----------
    nwbfile
        An open :class:`pynwb.NWBFile`.
    wanted
        Name or path of the series. When omitted, the only one named speed or velocity, in a unit
        of speed, and sampled with the position.
    time
        (time) start of each frame of the position [s].
    where
        The file, for messages.

    Returns
    -------
    pynwb.TimeSeries or None
        The chosen series.

    Raises
    ------
    ValueError
        If there are several and none is named, or the named one does not fit.
    """
    from pynwb import TimeSeries

    every = {path_of(s): s for s in nwbfile.objects.values() if isinstance(s, TimeSeries)}
    if wanted is not None:
        series = _choose(every, wanted, "speed", "speed", where)
        if centimetres_per_second(series.unit) is None:
            raise ValueError(
                f"the speed {path_of(series)} of {where} is in {series.unit!r}, expected m/s or "
                "cm/s"
            )
        if not _same_clock(series, time):
            raise ValueError(
                f"the speed {path_of(series)} of {where} is not sampled with the position: leave "
                "the option out, and speed is derived from the position"
            )
        return series
    fitting = {
        path: s
        for path, s in every.items()
        if any(word in s.name.lower() for word in ("speed", "velocity"))
        and centimetres_per_second(s.unit) is not None
        and _same_clock(s, time)
    }
    return _choose(fitting, None, "speed", "speed", where) if fitting else None


def find_direction(nwbfile: Any, time: np.ndarray) -> Any:
    """The series named ``direction`` that is sampled with the position, if the file has one.

    Parameters
    ----------
    nwbfile
        An open :class:`pynwb.NWBFile`.
    time
        (time) start of each frame of the position [s].

    Returns
    -------
    pynwb.TimeSeries or None
        The series, of -1, 0 and 1 only.
    """
    for item in _named_on_clock(nwbfile, "direction", time):
        values = np.asarray(item.data[:])
        if values.ndim == 1 and np.isin(values, (-1, 0, 1)).all():
            return item
    return None


def find_frame_duration(nwbfile: Any, time: np.ndarray) -> np.ndarray | None:
    """How long each frame lasts, where the file says that its position is sampled in frames.

    Parameters
    ----------
    nwbfile
        An open :class:`pynwb.NWBFile`.
    time
        (time) start of each sample of the position [s].

    Returns
    -------
    numpy.ndarray or None
        (time) seconds, of the series ``frame_duration`` on the position's clock.
    """
    for item in _named_on_clock(nwbfile, FRAME_DURATION, time):
        values = np.asarray(item.data[:], dtype=np.float64)
        if values.ndim == 1 and (values > 0).all() and np.isfinite(values).all():
            return values
    return None


def _named_on_clock(nwbfile: Any, name: str, time: np.ndarray) -> Iterator[Any]:
    """Series of a name that are sampled with the position."""
    from pynwb import TimeSeries

    for item in nwbfile.objects.values():
        if isinstance(item, TimeSeries) and item.name == name and _same_clock(item, time):
            yield item


def path_of(item: Any) -> str:
    """Names of an object and of what holds it, for example ``behavior/Position/position``.

    Parameters
    ----------
    item
        An object in an NWB file.

    Returns
    -------
    str
        The names, joined by slashes, without the file itself.
    """
    names = []
    while item is not None and item.parent is not None:
        names.append(item.name)
        item = item.parent
    return "/".join(reversed(names))


def region_columns(table: Any) -> list[Any]:
    """Columns of a table that point into another table.

    Parameters
    ----------
    table
        A :class:`hdmf.common.DynamicTable`.

    Returns
    -------
    list
        The columns.
    """
    from hdmf.common import DynamicTableRegion

    return [column for column in table.columns if isinstance(column, DynamicTableRegion)]


def centimetres(unit: str) -> float | None:
    """Centimetres in a unit of length, None if it is not a known one.

    Parameters
    ----------
    unit
        Name of the unit.

    Returns
    -------
    float or None
        The factor.

    Examples
    --------
    >>> centimetres("meters"), centimetres("pixels")
    (100.0, None)
    """
    return _LENGTHS.get(unit.strip().lower())


def centimetres_per_second(unit: str) -> float | None:
    """Centimetres per second in a unit of speed, None if it is not a known one.

    Parameters
    ----------
    unit
        Name of the unit.

    Returns
    -------
    float or None
        The factor.

    Examples
    --------
    >>> centimetres_per_second("m/s"), centimetres_per_second("m")
    (100.0, None)
    """
    length, slash, time = unit.lower().replace(" per ", "/").partition("/")
    return centimetres(length) if slash and time.strip() in _SECONDS else None


def timestamps(series: Any) -> np.ndarray:
    """Times of the samples of a series.

    Parameters
    ----------
    series
        A :class:`pynwb.TimeSeries`.

    Returns
    -------
    numpy.ndarray
        (time) seconds since the session's start.
    """
    return np.asarray(series.get_timestamps()[:], dtype=np.float64)


def scaled(series: Any, factor: float = 1.0) -> np.ndarray:
    """Samples of a series in its unit, times a factor.

    Parameters
    ----------
    series
        A :class:`pynwb.TimeSeries`.
    factor
        From its unit to the wanted one.

    Returns
    -------
    numpy.ndarray
        (time) or (time, column).
    """
    return in_unit(np.asarray(series.data[:]), series, factor)


def in_unit(data: np.ndarray, series: Any, factor: float = 1.0) -> np.ndarray:
    """Stored samples of a series in its unit, times a factor.

    Parameters
    ----------
    data
        Samples as stored.
    series
        The :class:`pynwb.TimeSeries` that they are of.
    factor
        From its unit to the wanted one.

    Returns
    -------
    numpy.ndarray
        In double precision.
    """
    data = np.asarray(data, dtype=np.float64)
    total = series.conversion * factor
    # 0.01 m times 100 is exactly 1 cm, but not in binary: keep what was stored in cm as it is.
    if abs(total - 1) > 1e-12:
        data = data * total
    return data + series.offset * factor if series.offset else data


def _choose(
    found: Mapping[str, Any], wanted: str | None, what: str, option: str, where: str
) -> Any:
    listed = ", ".join(sorted(found)) or "none"
    if wanted is None:
        if len(found) > 1:
            both = {
                "position": " (give it twice for the two axes, or the stretches, of one position)",
                "series": " (give it twice for planes that were imaged together)",
            }
            raise ValueError(
                f"{where} holds several candidates for the {what}: {listed}; choose one by the "
                f"option {option} (--{option}){both.get(option, '')}"
            )
        return next(iter(found.values()))
    matches = [path for path in found if path == wanted]
    matches = matches or [path for path in found if path.rsplit("/", 1)[-1] == wanted]
    if len(matches) != 1:
        raise ValueError(
            f"{option} {wanted!r} names {len(matches)} of the series of {where}; it holds {listed}"
        )
    return found[matches[0]]


def _same_clock(series: Any, time: np.ndarray) -> bool:
    if series.data.shape[0] != time.size:
        return False
    return bool(np.allclose(timestamps(series), time, rtol=0, atol=1e-6))
