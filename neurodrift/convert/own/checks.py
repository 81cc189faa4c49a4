"""What can be wrong with activity and position: clocks, units of length, axes, gaps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from neurodrift.convert.pipelines.parts import Activity, Position
from neurodrift.kinematics import velocity
from neurodrift.schema import COUNT_KINDS

LEAST_EXTENT, MOST_EXTENT = 10.0, 1500.0  # cm that an environment may measure
LARGE_EXTENT = 400.0  # cm that few do
MOST_SPEED = 300.0  # cm/s that an animal may run; mice and rats stay below 150
SLOWEST_POSITION, SLOWEST_ACTIVITY = 0.5, 2.0  # s between frames
_FASTEST = 1e-4  # s between frames
_FEW_TIMES = 50  # spikes or events that may lie together by chance
_LEAST_OVERLAP, _WHOLE_OVERLAP = 0.5, 0.95


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Parameters
    ----------
    name
        Name of the check, as ``accept`` takes it.
    text
        What is wrong or worth knowing, and what to do.
    refuses
        Whether the conversion stops.
    may_be_true
        Whether it can be what was measured, so that a user may accept it.
    warns
        Whether the user is warned.
    """

    name: str
    text: str
    refuses: bool = False
    may_be_true: bool = False
    warns: bool = False


def clock_findings(time: np.ndarray, source: str, slowest: float) -> list[Finding]:
    """Faults of a clock, and its gaps.

    Parameters
    ----------
    time
        (time) times [s].
    source
        What it is the clock of.
    slowest
        Longest credible step [s].

    Returns
    -------
    list of Finding
        What was found.
    """
    if time.size < 2:
        return [Finding("clock", f"{source} has {time.size} frames, at least 2 are needed", True)]
    if not np.isfinite(time).all():
        n = int((~np.isfinite(time)).sum())
        return [Finding("clock", f"the clock of {source} is NaN in {n} frames", True)]
    steps = np.diff(time)
    if (steps <= 0).any():
        at = int(np.argmax(steps <= 0)) + 1
        text = (
            f"the clock of {source} does not increase at frame {at} (from 0): {time[at]:g} s after "
            f"{time[at - 1]:g} s, {int((steps <= 0).sum())} times in all; drop or mend these frames"
        )
        return [Finding("clock", text, True)]
    step = float(np.median(steps))
    if step > slowest or step < _FASTEST:
        whole = bool((time == np.round(time)).all())
        guess = "frame numbers (time_unit: frames, with a rate)" if whole and step < 2 else "ms"
        guess = "much too fast" if step < _FASTEST else f"not seconds? They look like {guess}"
        text = f"the frames of {source} follow at {step:g} s: {guess}"
        return [Finding("clock_unit", text, True, True)]
    gaps = steps > 1.5 * step
    if not gaps.any():
        return []
    lost = float((steps[gaps] - step).sum())
    text = (
        f"{source} has {int(gaps.sum())} gaps, {lost:g} s in all, the longest "
        f"{float(steps.max()):g} s at {float(time[np.argmax(steps)]):g} s"
    )
    return [Finding("gaps", text, warns=lost > 0.05 * (time[-1] - time[0]))]


def position_findings(position: Position) -> list[Finding]:
    """Faults of a position.

    Parameters
    ----------
    position
        The position.

    Returns
    -------
    list of Finding
        What was found.
    """
    time, source = np.asarray(position.time, dtype=float), position.source
    found = clock_findings(time, source, SLOWEST_POSITION)
    axes = list(np.atleast_2d(position.xy.T).astype(float))
    tracked = np.all([np.isfinite(axis) for axis in axes], axis=0)
    if not tracked.any():
        return [*found, Finding("tracked", f"{source} is NaN in every frame", True)]
    extent = max(float(np.ptp(np.percentile(axis[tracked], [0.5, 99.5]))) for axis in axes)
    if not LEAST_EXTENT <= extent <= MOST_EXTENT:
        guess = "metres or a fraction" if extent < LEAST_EXTENT else "mm or pixels"
        text = (
            f"{source} covers {extent:.3g} cm: the unit of length seems wrong, the numbers may be "
            f"{guess}, or not be those of the stated unit"
        )
        found.append(Finding("position_extent", text, True, True))
    elif extent > LARGE_EXTENT:
        text = f"{source} covers {extent:.3g} cm, much for an environment: is it in mm or pixels?"
        found.append(Finding("position_extent", text, warns=True))
    found += _tracking_findings(tracked, source)
    if any(item.refuses for item in found):
        return found
    vx, vy = velocity(time, axes[0], axes[1] if len(axes) == 2 else None)
    speed = np.abs(vx) if vy is None else np.hypot(vx, vy)
    high, fast = np.percentile(speed[tracked], [50, 99])
    if fast > MOST_SPEED:
        text = (
            f"{source} moves at {fast:.3g} cm/s (99th percentile; median {high:.3g}): the unit of "
            "length or of time seems wrong, or the tracking jumps"
        )
        found.append(Finding("speed", text, True, True))
    elif fast < 2:
        text = f"{source} hardly moves, {fast:.2g} cm/s at the 99th percentile of speed: units?"
        found.append(Finding("speed", text, warns=True))
    return found + _sentinel_findings(axes, time, source)


def _tracking_findings(tracked: np.ndarray, source: str) -> list[Finding]:
    lost = 1 - tracked.mean()
    if not lost:
        return []
    edges = np.flatnonzero(np.diff(np.concatenate([[True], tracked, [True]]).astype(int)))
    longest = int((edges[1::2] - edges[::2]).max())
    text = (
        f"{source} is NaN in {100 * lost:.1f} % of its frames, at most {longest} in a row: these "
        "are not used"
    )
    return [Finding("tracked", text, warns=lost > 0.2)]


def _sentinel_findings(axes: list[np.ndarray], time: np.ndarray, source: str) -> list[Finding]:
    """One exact value that the position jumps to and back: it stands for "not tracked"."""
    for value in (0.0, -1.0):
        here = np.all([axis == value for axis in axes], axis=0)
        if not 0.002 < here.mean() < 0.9:
            continue
        edge = np.flatnonzero(np.diff(here.astype(int)))
        steps = np.max([np.abs(np.diff(axis))[edge] for axis in axes], axis=0) / np.diff(time)[edge]
        if edge.size and np.nanmedian(steps) > MOST_SPEED:
            text = (
                f"{source} jumps to exactly {value:g} and back, in {100 * here.mean():.1f} % of "
                f"the frames: if that means not tracked, say missing: {value:g}"
            )
            return [Finding("sentinel", text, warns=True)]
    return []


def activity_findings(activity: Activity) -> tuple[Activity, list[Finding]]:
    """Faults of activity, and the activity without units and frames that have none.

    Parameters
    ----------
    activity
        The activity.

    Returns
    -------
    activity : Activity
        The activity; spike times sorted and without repeats.
    findings : list of Finding
        What was found.
    """
    if activity.n_units == 0:
        return activity, [Finding("units", f"{activity.source} has no units", True)]
    if activity.times is not None:
        return _times_findings(activity)
    return _sample_findings(activity)


def _sample_findings(activity: Activity) -> tuple[Activity, list[Finding]]:
    samples, source = np.asarray(activity.samples), activity.source
    if samples.dtype.kind not in "fiub":
        return activity, [Finding("samples", f"{source} holds {samples.dtype}, no numbers", True)]
    if activity.time is None or len(activity.time) != len(samples):
        n = 0 if activity.time is None else len(activity.time)
        swapped = " (axes look swapped: units x frames?)" if n == samples.shape[1] else ""
        text = f"{source} has {len(samples)} frames, but its clock has {n}{swapped}"
        return activity, [Finding("axes", text, True)]
    found = clock_findings(np.asarray(activity.time, dtype=float), source, SLOWEST_ACTIVITY)
    if samples.shape[1] > len(samples):
        text = (
            f"{source} has {samples.shape[1]} units, but {len(samples)} frames: the axes are "
            "swapped? State axes: [units, frames]"
        )
        found.append(Finding("axes", text, True, True))
    missing = np.isnan(samples) if samples.dtype.kind == "f" else np.zeros(samples.shape, bool)
    units, frames = ~missing.all(axis=0), ~missing.all(axis=1)
    if not units.any():
        return activity, [*found, Finding("samples", f"{source} is NaN everywhere", True)]
    if missing.any():
        if not frames.all():
            text = f"{source} is NaN for all units in {int((~frames).sum())} frames: left out"
            found.append(Finding("samples", text, warns=(~frames).mean() > 0.05))
        if not units.all():
            text = f"{int((~units).sum())} units of {source} are NaN throughout: not recorded"
            found.append(Finding("samples", text, warns=True))
        rest = int(missing[np.ix_(frames, units)].sum())
        if rest:
            text = (
                f"{source} is NaN in {rest} further places, for some units in some frames: say "
                "what they are (0, or leave these units or frames out)"
            )
            found.append(Finding("samples", text, True))
        activity = replace(
            activity.pick(np.asarray(units)),
            samples=samples[np.ix_(frames, units)],
            time=np.asarray(activity.time)[frames],
        )
        samples = np.asarray(activity.samples)
    found += _value_findings(samples, activity.kind, source)
    return activity, found


def _value_findings(samples: np.ndarray, kind: str, source: str) -> list[Finding]:
    found = []
    if np.isinf(samples).any():
        found.append(Finding("samples", f"{source} is infinite in places", True))
    elif kind in COUNT_KINDS and ((samples < 0).any() or (samples != np.round(samples)).any()):
        text = (
            f"{source} has negative or fractional values, so it holds no {kind}: kind is "
            "deconvolved or amplitudes?"
        )
        found.append(Finding("samples", text, True))
    elif kind == "deconvolved" and (samples < 0).mean() > 0.01:
        text = f"{source} has negative values: deconvolved activity has none, a trace dF/F has"
        found.append(Finding("samples", text, warns=True))
    silent = int((samples == 0).all(axis=0).sum())
    if silent == samples.shape[1]:
        found.append(Finding("samples", f"{source} is 0 everywhere", True))
    elif silent:
        found.append(Finding("silent", f"{silent} of {samples.shape[1]} units are silent"))
    return found


def _times_findings(activity: Activity) -> tuple[Activity, list[Finding]]:
    source, found = activity.source, []
    times = [np.asarray(item, dtype=float).ravel() for item in activity.times or []]
    every = np.concatenate(times)
    if not every.size:
        return activity, [Finding("times", f"{source} holds no spikes or events at all", True)]
    bad = int((~np.isfinite(every)).sum())
    if bad:
        return activity, [Finding("times", f"{source} holds {bad} times that are NaN", True)]
    if (every < 0).any():
        text = f"{source} holds {int((every < 0).sum())} negative times: an offset is missing?"
        found.append(Finding("negative_times", text, True, True))
    if every.size >= 20 and (every == np.round(every)).all():
        text = (
            f"all {every.size} times of {source} are whole numbers: frame or sample numbers? State "
            "time_unit: frames or samples, and rate"
        )
        found.append(Finding("integer_times", text, True, True))
    if any((np.diff(item) < 0).any() for item in times):
        found.append(Finding("times", f"times of {source} were not sorted", warns=True))
        times = [np.sort(item) for item in times]
    if activity.kind == "spikes":
        unique = [np.unique(item) for item in times]
        repeats = every.size - sum(item.size for item in unique)
        if repeats:
            text = f"{repeats} of {every.size} spikes of {source} repeat a time: dropped"
            found.append(Finding("times", text, warns=True))
        times = unique
    silent = sum(item.size == 0 for item in times)
    if silent:
        found.append(Finding("silent", f"{silent} of {len(times)} units are silent"))
    return replace(activity, times=times), found


def overlap_findings(activity: Activity, position: Position) -> list[Finding]:
    """How far two clocks run together.

    Parameters
    ----------
    activity, position
        What has them.

    Returns
    -------
    list of Finding
        What was found; nothing where a clock is already refused.
    """
    place = np.asarray(position.time, dtype=float)
    if activity.times is not None:
        every = [np.asarray(item, dtype=float) for item in activity.times]
        clock = np.concatenate([*every, np.empty(0)])
    else:
        clock = np.asarray(activity.time if activity.time is not None else [], dtype=float)
    if place.size < 2 or clock.size < 2 or not np.isfinite(clock).all():
        return []
    if not np.isfinite(place).all():
        return []
    low, high = float(place.min()), float(place.max())
    inside = float(((clock >= low) & (clock <= high)).mean())
    spans = f"({clock.min():g} to {clock.max():g} s and {low:g} to {high:g} s)"
    both = f"{activity.source} and {position.source}"
    if inside < _LEAST_OVERLAP:
        text = f"{100 * inside:.0f} % of {activity.source} lies within {position.source} {spans}: "
        text += _clock_guess(float(clock.max() - clock.min()), high - low)
        return [Finding("overlap", text, True, inside > 0)]
    found = []
    if inside < _WHOLE_OVERLAP:
        text = f"{100 * (1 - inside):.0f} % of {activity.source} lies outside {position.source} "
        found.append(Finding("overlap", text + spans, warns=True))
    covered = float(((place >= clock.min()) & (place <= clock.max())).mean())
    if covered < _LEAST_OVERLAP:
        text = f"{activity.source} covers {100 * covered:.0f} % of {position.source} only {spans}: "
        text += _clock_guess(float(clock.max() - clock.min()), high - low)
        few = activity.times is not None and clock.size < _FEW_TIMES
        found.append(Finding("overlap", text, not few, True, few))
    elif covered < _WHOLE_OVERLAP:
        text = f"{activity.source} covers {100 * covered:.0f} % of {position.source} only {spans}"
        found.append(Finding("overlap", text, warns=activity.times is None))
    same = activity.samples is not None and abs(len(clock) - place.size) <= 0.001 * place.size
    if same and abs(np.ptp(clock) - (high - low)) > 0.02 * (high - low):
        text = (
            f"{both} have {len(clock)} and {place.size} frames, but last {np.ptp(clock):g} s and "
            f"{high - low:g} s: one of the rates seems wrong"
        )
        found.append(Finding("rates", text, True, True))
    return found


def _clock_guess(activity: float, position: float) -> str:
    """What the ratio of two durations suggests."""
    ratio = activity / position if position > 0 else np.inf
    for factor, guess in ((1000.0, "ms"), (1e6, "microseconds")):
        for value, which in ((ratio, "the activity's"), (1 / max(ratio, 1e-12), "the position's")):
            if 0.5 * factor < value < 2 * factor:
                return f"{which} clock seems to be in {guess}"
    if ratio > 3 or ratio < 1 / 3:
        return "one clock seems to be in frames or samples, not seconds"
    return "their clocks start at different times: state an offset"


def trial_findings(trials: Any, clock: np.ndarray | None) -> list[Finding]:
    """Faults of a table of trials.

    Parameters
    ----------
    trials
        Columns with ``start_time`` and ``stop_time`` [s].
    clock
        (time) times of the frames [s], if there are any.

    Returns
    -------
    list of Finding
        What was found.
    """
    start = np.asarray(trials["start_time"][1], dtype=float)
    stop = np.asarray(trials["stop_time"][1], dtype=float)
    if not (np.isfinite(start) & np.isfinite(stop)).all():
        return [Finding("trials", "trials have a start or stop that is NaN", True)]
    if not (stop > start).all():
        at = int(np.argmin(stop > start))
        text = f"trial {at + 1} stops at {stop[at]:g} s, but starts at {start[at]:g} s"
        return [Finding("trials", text, True)]
    if (start[1:] < stop[:-1] - 1e-9).any():
        return [Finding("trials", "trials overlap, or are not in order", True)]
    if clock is None or not len(clock) or not np.isfinite(clock).all():
        return []
    inside = (stop > np.min(clock)) & (start < np.max(clock))
    if not inside.all():
        text = (
            f"{int((~inside).sum())} of {inside.size} trials lie outside the frames "
            f"({np.min(clock):g} to {np.max(clock):g} s): is their time in another unit?"
        )
        return [Finding("trials", text, not inside.any(), warns=True)]
    return []
