"""Test a statistic of every unit, session and direction against moved activity."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import cast

import numpy as np
import xarray as xr

from neurodrift.analysis._sharing import shareable
from neurodrift.analysis.maps.binning import session_activity
from neurodrift.analysis.maps.even import Ticks, ticks_of
from neurodrift.analysis.maps.rate_maps import Grouping, group_frames, name_segments
from neurodrift.analysis.place_cells._behaviour import (
    MEASURED,
    AnyNull,
    Fit,
    fit_null,
    why_no_laps,
)
from neurodrift.analysis.place_cells._speed import likely, trailing_speed
from neurodrift.analysis.place_cells.shuffles import (
    FIRST_LOOK,
    HOPELESS,
    Null,
    Plan,
    Statistic,
    empirical_p,
    looks_twice,
)
from neurodrift.recording import slice_sessions
from neurodrift.schema.kinds import KINDS, Kind
from neurodrift.seeds import generator

_TIE = 1e-9  # rounding is below 1e-10, so equal maps tie and unequal ones do not
_UNITS_AT_ONCE = 64  # units copied out of the recording at once
_STATISTICS = ("observed", "compared", "p", "z", "null_mean", "null_p95", "n_events")


@dataclass(frozen=True)
class Behaviour:
    """What a statistic is made of: the frames of one map, as they are or on ticks.

    Parameters
    ----------
    position
        (time) position bin.
    lap
        (time) lap, where activity is moved within laps.
    at
        (time) number of the frame in the recording.
    seconds
        (time) length of each frame, where these differ.
    speed
        (time) trailing speed, where the dependence on speed is kept.
    """

    position: np.ndarray
    lap: np.ndarray | None
    at: np.ndarray
    seconds: np.ndarray | None
    speed: np.ndarray | None = None


Model = Callable[[Behaviour], Statistic]
"""Makes a statistic of behaviour."""


@shareable
def shuffle_tests(
    recording: xr.Dataset,
    frames: xr.Dataset,
    by: Grouping | xr.DataArray,
    model: Model,
    *,
    null: AnyNull,
    n_repeats: int,
    min_shift: float,
    block: float,
    min_events: int,
    seed: int,
    otherwise: Null = "circular_exact",
) -> xr.Dataset:
    """Test a statistic of every unit, session or segment, and direction.

    With ``null="auto"`` each session or segment and direction has the null that fits it,
    `otherwise` where behaviour does not speak for another one.
    """
    checked = otherwise if null in ("auto", "speed") else cast(Null, null)
    Plan(null=checked, n_repeats=n_repeats, block=1)
    groups = group_frames(recording, by)
    lap = _laps(recording, frames)
    if lap is None and null == "lap":
        raise ValueError("null='lap' needs laps or trials, and the recording has neither")
    speed = _speed(recording)
    if speed is None and null == "speed":
        raise ValueError(
            "null='speed' needs a running speed, which the recording lacks: derive it with "
            "neurodrift.kinematics.running(recording)"
        )
    directions = frames["direction"].values.tolist()
    tests, session_of, values = [], [], []
    fits: list[Fit] = []
    durations = recording["frame_duration"].values
    kind = recording["activity"].attrs["kind"]
    for i, where in enumerate(slice_sessions(recording)):
        names = np.unique(groups[where])
        names = names[names >= 0]
        if where.start == where.stop and isinstance(by, str) and by == "session":
            names = np.zeros(1, dtype=np.int64)  # of an empty session nothing is tested
        session = str(recording["session"].values[i])
        trailing = None
        maps = []
        for name in names.tolist():
            for d, direction in enumerate(directions):
                used = (groups[where] == name) & (frames["position_bin"].values[where] >= 0)
                at = np.flatnonzero(used & (frames["direction_bin"].values[where] == d))
                own_lap = None if lap is None else lap[where][at]
                own_speed = None if speed is None else speed[where][at]
                place = frames["position_bin"].values[where][at]
                fit = fit_null(place, own_lap, own_speed, asked=null, otherwise=otherwise)
                fits.append(fit)
                if fit.null == "speed" and trailing is None:
                    assert speed is not None
                    trailing = trailing_speed(speed[where], durations[where], KINDS[kind].counts)
                within = fit.null == "lap"
                within |= fit.null == "speed" and not why_no_laps(place, own_lap)
                segment = () if isinstance(by, str) and by == "session" else (name,)
                ticks = ticks_of(durations[where][at])
                step = ticks.step if ticks else float(durations[where][at][:1].sum()) or 1.0
                plan = Plan(
                    null=_moving(fit.null, otherwise),
                    n_repeats=n_repeats,
                    min_shift=int(np.ceil(min_shift / step - 1e-9)),
                    block=max(1, round(block / step)),
                )
                maps.append(
                    _Map(
                        at,
                        (fit.null, session, *segment, direction),
                        plan,
                        ticks,
                        own_lap if within else None,
                        trailing[:, at] if trailing is not None and fit.null == "speed" else None,
                    )
                )
        tests.append(
            xr.apply_ufunc(
                _test_units,
                session_activity(recording, where),
                xr.DataArray(
                    recording["unit"].values.astype(str), dims="unit"
                ),  # Dask sizes no objects
                xr.DataArray(recording["detected"].values[i], dims="unit"),
                input_core_dims=[["time"], [], []],
                output_core_dims=[["map", "statistic"]],
                kwargs={
                    "maps": maps,
                    "position": frames["position_bin"].values[where],
                    "first": where.start,
                    "model": model,
                    "seconds": durations[where],
                    "min_events": min_events,
                    "kind": KINDS[kind],
                    "seed": seed,
                    "threads": _threads() if recording["activity"].chunks is None else 1,
                },
                dask="parallelized",
                output_dtypes=[np.float64],
                dask_gufunc_kwargs={
                    "output_sizes": {"map": len(maps), "statistic": len(_STATISTICS)}
                },
            )
        )
        session_of += [i] * names.size
        values += names.tolist()
    table = xr.concat(tests, dim="map", coords="minimal", compat="override", join="exact")
    table = table.chunk({"map": -1}) if table.chunks is not None else table
    table = table.transpose("map", "unit", "statistic")
    shape = (len(values), len(directions), *table.shape[1:])
    table = xr.DataArray(
        table.data.reshape(shape),
        dims=("segment", "direction", "unit", "statistic"),
        coords={"unit": recording["unit"], "direction": frames["direction"]},
    ).transpose("segment", "unit", "direction", "statistic")
    result = xr.Dataset({name: table.isel(statistic=j) for j, name in enumerate(_STATISTICS)})
    if "trial_type" in frames.coords:
        result = result.assign_coords(trial_type=frames["trial_type"].variable)
    result["tested"] = result["p"].notnull()
    of_map = ("segment", "direction")
    for name in ("null", "null_reason", *MEASURED):
        column = [getattr(fit, name.removeprefix("null_")) for fit in fits]
        dtype = object if name.startswith("null") else float
        cells = np.array(column, dtype=dtype).reshape(len(values), len(directions))
        result[name] = (of_map, cells)
    result = name_segments(result, recording, by, session_of, values)
    result.attrs = {
        "null": null,
        "n_repeats": n_repeats,
        "min_shift": min_shift,
        "block": block,
        "min_events": min_events,
        "seed": seed,
    }
    return result


def _test_units(
    activity: np.ndarray,
    units: np.ndarray,
    detected: np.ndarray,
    *,
    maps: list[_Map],
    position: np.ndarray,
    seconds: np.ndarray,
    first: int,
    model: Model,
    min_events: int,
    kind: Kind,
    seed: int,
    threads: int,
) -> np.ndarray:
    """Statistics (unit, map, statistic) of activity (unit, time) of one session."""
    table = np.full((len(activity), len(maps), len(_STATISTICS)), np.nan)
    with ThreadPoolExecutor(threads) as pool:
        for m, one in enumerate(maps):
            at = one.frames
            if at.size == 0:
                table[detected, m, -1] = 0
                continue
            lasting = None if one.ticks is None else seconds[at]
            statistics = [
                model(Behaviour(position[at], one.lap, first + at, lasting, speed))
                for speed in ([None] if one.speed is None else one.speed)
            ]
            of_ticks = None
            if one.ticks is not None and one.speed is None:
                on = one.ticks.frame
                lap = None if one.lap is None else one.lap[on]
                of_ticks = model(Behaviour(position[at[on]], lap, first + at[on], None))
            for start in range(0, len(activity), _UNITS_AT_ONCE):
                block = np.ascontiguousarray(activity[start : start + _UNITS_AT_ONCE, at])

                def fill(
                    rows: range,
                    m: int = m,
                    start: int = start,
                    block: np.ndarray = block,
                    statistics: list[Statistic] = statistics,
                    of_ticks: Statistic | None = of_ticks,
                    lasting: np.ndarray | None = lasting,
                    one: _Map = one,
                ) -> None:
                    for row in rows:
                        unit = units[start + row]
                        if detected[start + row]:
                            activity = _Activity(block[row], kind, lasting, one.ticks)
                            found = []
                            some = activity.n_events >= min_events
                            asked = likely(statistics, *activity.on_frames) if some else statistics
                            for statistic in asked:
                                rng = generator(seed, *one.names, unit)
                                found.append(
                                    _test_unit(
                                        activity, unit, statistic, of_ticks, one, rng, min_events
                                    )
                                )
                                if np.isnan(_p_of(found[-1])):  # not tested
                                    found = found[-1:]
                                    break
                            table[start + row, m] = max(found, key=_p_of)

                list(pool.map(fill, [range(k, len(block), threads) for k in range(threads)]))
    return table


@dataclass(frozen=True)
class _Map:
    """Frames of one session or segment and direction, and how they are shuffled.

    Parameters
    ----------
    frames
        Numbers of the frames in the session.
    names
        Of its random stream.
    plan
        How activity is moved.
    ticks
        Equal parts of their time, in which activity is moved; None where frames are equal.
    lap
        Lap of each frame, where activity is moved within laps.
    speed
        (delay, frame) trailing speed, where the dependence on speed is kept.
    """

    frames: np.ndarray
    names: tuple[object, ...]
    plan: Plan
    ticks: Ticks | None
    lap: np.ndarray | None = None
    speed: np.ndarray | None = None


@dataclass(frozen=True)
class _Activity:
    """Activity (frame) of one unit in the frames of a map, each as long as `seconds` say."""

    values: np.ndarray
    kind: Kind
    seconds: np.ndarray | None
    ticks: Ticks | None

    @cached_property
    def on_frames(self) -> tuple[np.ndarray, np.ndarray]:
        """Frames with activity, and how much; of a level, weighted by how long it lasted."""
        frames = np.flatnonzero(self.values)
        amounts = self.values[frames].astype(np.float64)
        if self.seconds is not None and not self.kind.adds_up:
            amounts *= self.seconds[frames]
        return frames, amounts

    @property
    def n_events(self) -> float:
        """Events, or for kinds that are no counts frames with activity."""
        frames, amounts = self.on_frames
        return float(amounts.sum()) if self.kind.counts else float(frames.size)

    def on_ticks(self) -> tuple[np.ndarray, np.ndarray]:
        """Ticks with activity, and how much."""
        assert self.ticks is not None
        if not self.kind.adds_up:
            level = self.values[self.ticks.frame].astype(np.float64)
            ticks = np.flatnonzero(level)
            return ticks, level[ticks]
        frames = np.flatnonzero(self.values)
        return self.ticks.amounts(frames, self.values[frames].astype(float), self.kind.counts)


def _test_unit(
    activity: _Activity,
    unit: object,
    statistic: Statistic,
    of_ticks: Statistic | None,
    one: _Map,
    rng: np.random.Generator,
    min_events: int,
) -> tuple[float, ...]:
    plan, nothing = one.plan, (np.nan,) * 5
    if not activity.kind.signed and not (activity.values >= 0).all():
        raise ValueError(
            f"activity of unit {unit} is negative or NaN, expected 0 or more, since the statistic "
            "is one of rates: rectify the activity, subtract its minimum, or call it fluorescence"
        )
    frames, amounts = activity.on_frames
    n_events = activity.n_events
    if frames.size == 0:
        return (np.nan, *nothing, 0.0)
    observed = statistic.observed(frames, amounts)
    if n_events < min_events or np.isnan(observed):
        return (observed, *nothing, n_events)
    if of_ticks is None:
        rounded_alike, null = _in_two_looks(statistic, frames, amounts, plan, rng)
    else:
        on_ticks = activity.on_ticks()
        rounded_alike, null = observed, _in_two_looks(of_ticks, *on_ticks, plan, rng, observed)[1]
        if plan.exact:
            null[:1] = observed  # the identity, which ticks know up to their length
    if one.speed is not None and np.isnan(rounded_alike):  # no map beyond speed
        return (observed, *nothing, n_events)
    compared = observed if one.speed is None else rounded_alike
    if null.size == 0:
        return (observed, compared, 1.0, np.nan, np.nan, np.nan, n_events)
    p = float(empirical_p(rounded_alike, null, exact=plan.exact, tie=_TIE))
    mean = float(null.mean())
    spread = float(null.std(ddof=0 if plan.exact or null.size < 2 else 1))
    z = (compared - mean) / spread if spread > _TIE else np.nan
    return (observed, compared, p, z, mean, _quantile(null, 0.95), n_events)


def _quantile(values: np.ndarray, share: float) -> float:
    """As ``np.quantile``, in a fifth of its time for a thousand values."""
    place = share * (values.size - 1)
    below = int(place)
    above = min(below + 1, values.size - 1)
    low, high = np.partition(values, (below, above))[[below, above]]
    part = place - below  # from the nearer end, which rounds as NumPy does
    if part >= 0.5:
        return float(high - (high - low) * (1 - part))
    return float(low + (high - low) * part)


def _in_two_looks(
    statistic: Statistic,
    frames: np.ndarray,
    amounts: np.ndarray,
    plan: Plan,
    rng: np.random.Generator,
    observed: float | None = None,
) -> tuple[float, np.ndarray]:
    """Values of unmoved and of moved activity, no more of these than it takes.

    Where 20 of the first 200 are as large as the unmoved one, p is above .1 and the test is over.
    Tests that go on count all of their shuffles, so that no p of .1 or less is any smaller than
    that of one look at them all, and the level is kept.
    """
    if plan.exact or not looks_twice(plan.n_repeats):
        return statistic.values(frames, amounts, plan, rng)
    first = replace(plan, n_repeats=FIRST_LOOK)
    unmoved, null = statistic.values(frames, amounts, first, rng)
    reached = null >= (unmoved if observed is None else observed) - _TIE
    if np.isnan(unmoved) or np.count_nonzero(reached) >= HOPELESS:
        return unmoved, null
    rest = replace(plan, n_repeats=plan.n_repeats - FIRST_LOOK)
    return unmoved, np.concatenate([null, statistic.values(frames, amounts, rest, rng)[1]])


def _p_of(row: tuple[float, ...]) -> float:
    return row[_STATISTICS.index("p")]


def laps_by_direction(recording: xr.Dataset, frames: xr.Dataset, name: str) -> np.ndarray:
    """Lap (time) of each frame, such that the laps of one direction are whole traversals.

    Where a lap ends before the animal turns, its last frames in one direction carry the number
    of the next lap. A lap with less than a quarter of its frames in a direction is therefore
    counted to the lap before, in that direction.
    """
    laps = recording[name].values.astype(np.int64)
    direction = frames["direction_bin"].values
    for where in slice_sessions(recording):
        used = where.start + np.flatnonzero(direction[where] >= 0)
        numbers, index = np.unique(laps[used], return_inverse=True)
        n_frames = np.bincount(index)
        for d in range(frames.sizes["direction"]):
            here = direction[used] == d
            own = np.bincount(index[here], minlength=numbers.size) >= 0.25 * n_frames
            if own.any():
                last_own = np.maximum.accumulate(np.where(own, np.arange(numbers.size), -1))
                last_own[last_own < 0] = np.argmax(own)
                laps[used[here]] = numbers[last_own[index[here]]]
    return laps


def _laps(recording: xr.Dataset, frames: xr.Dataset) -> np.ndarray | None:
    if "lap" in recording:
        return laps_by_direction(recording, frames, "lap")
    if "trial" in recording:
        return np.asarray(recording["trial"].values)
    return None


def _speed(recording: xr.Dataset) -> np.ndarray | None:
    """Running speed of each frame; None where it is not known.

    It is not derived here: of frames that were cut out, steps between positions are no speed.
    """
    return np.asarray(recording["speed"].values, dtype=float) if "speed" in recording else None


def _moving(null: str, otherwise: Null) -> Null:
    """How a plan moves activity under a null."""
    if null == "speed":
        return "lap"  # no exact null, and its statistic moves the activity itself
    return otherwise if null == "none" else cast(Null, null)


def _threads() -> int:
    import numba

    return int(numba.get_num_threads())
