"""Clocks: whether they increase, in seconds, without gaps, and run together."""

from __future__ import annotations

import numpy as np

from neurodrift.gate.durations import GAP, frame_durations
from neurodrift.gate.findings import Finding
from neurodrift.gate.inputs import Activity, Position

SLOWEST_POSITION, SLOWEST_ACTIVITY = 0.5, 2.0  # s between frames
_FASTEST = 1e-4  # s between frames
FEW_TIMES = 50  # spikes or events that may lie together by chance
_SILENT_GAPS = 3  # times the longest silence between
_LEAST_SILENT, _MOST_SILENT = 0.01, 0.05  # of a session
_LEAST_OVERLAP, _WHOLE_OVERLAP = 0.5, 0.95


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
    lasting = frame_durations(time)[:-1]
    gaps = steps > GAP * lasting
    if not gaps.any():
        return []
    lost = float((steps[gaps] - lasting[gaps]).sum())
    text = (
        f"{source} has {int(gaps.sum())} gaps, {lost:g} s in all, the longest "
        f"{float(steps.max()):g} s at {float(time[np.argmax(steps)]):g} s"
    )
    return [Finding("gaps", text, warns=lost > 0.05 * (time[-1] - time[0]))]


def clock_step_findings(time: np.ndarray, step: float) -> list[Finding]:
    """Whether the frames of a session are as long as they are said to be, and in seconds.

    Parameters
    ----------
    time
        (time) start of each frame [s], increasing.
    step
        Length of a frame [s].

    Returns
    -------
    list of Finding
        What was found.
    """
    median = float(np.median(np.diff(time)))
    numbers = {"median_step": median, "frame_duration": step}
    if not 0.5 < median / step < 2:
        text = (
            f"frames follow at {median:g} s, but are said to last {step:g} s: the clock and the "
            "frame duration are in different units (ms, or frames per second)?"
        )
        return [Finding("frame_duration", text, True, True, numbers=numbers)]
    if step > SLOWEST_ACTIVITY or step < _FASTEST:
        guess = "ms" if step > SLOWEST_ACTIVITY else "much too fast for a camera or a microscope"
        text = f"frames last {step:g} s: {guess}? Times are in seconds"
        return [Finding("clock_unit", text, True, True, numbers=numbers)]
    if median == 1 and time.size >= 1000 and bool((time == np.round(time)).all()):
        text = (
            f"all {time.size} frames start at whole seconds, one after the other: these look like "
            "frame numbers. Give time in seconds"
        )
        return [Finding("clock_unit", text, True, True, numbers=numbers)]
    return []


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
        few = activity.times is not None and clock.size < FEW_TIMES
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


def silence_findings(active: np.ndarray, start: float, stop: float, what: str) -> list[Finding]:
    """Whether a session is silent at an end, as where nothing was recorded.

    Parameters
    ----------
    active
        Times at which any unit was active [s], increasing.
    start, stop
        When the session starts and stops [s].
    what
        What is silent, for messages.

    Returns
    -------
    list of Finding
        One where no unit is active for more than 1 % of the session at an end, and for more than
        three times as long as anywhere between; it stops from 5 % on.
    """
    if active.size < FEW_TIMES or not np.isfinite(active).all() or stop <= start:
        return []
    longest = float(np.diff(active).max())
    ends = {
        "before its first": float(active[0]) - start,
        "after its last": stop - float(active[-1]),
    }
    silent = {
        where: length
        for where, length in ends.items()
        if length > max(_SILENT_GAPS * longest, _LEAST_SILENT * (stop - start))
    }
    if not silent:
        return []
    told = " and ".join(f"{length:.1f} s {where} activity" for where, length in silent.items())
    share = float(sum(silent.values()) / (stop - start))
    text = (
        f"{what}: no unit is active in {told}, {100 * share:.0f} % of the session, but for "
        f"{longest:.1f} s at most in between. If nothing was recorded there, this silence counts "
        "as rest: say when it was recorded (recorded: [start, stop] of times in a mapping, "
        "obs_intervals or invalid_times in NWB), cut these frames, or accept it and leave them out "
        "by a curation (docs/curation.md). If the clocks are out of step, accept it to see the lag"
    )
    numbers = {"silent_s": sum(silent.values()), "longest_between_s": longest, "share": share}
    stops = share > _MOST_SILENT
    return [Finding("silence", text, stops, True, not stops, numbers=numbers)]


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
