"""Activity: axes, kinds of numbers, missing values, repeated and unsorted times."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from neurodrift.gate.blocks import blocks
from neurodrift.gate.clocks import SLOWEST_ACTIVITY, clock_findings
from neurodrift.gate.findings import Finding
from neurodrift.gate.inputs import Activity
from neurodrift.gate.traces import trace_findings
from neurodrift.schema import COUNT_KINDS


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
        swapped = (
            " (axes look swapped: units x frames? Transpose it)" if n == samples.shape[1] else ""
        )
        text = f"{source} has {len(samples)} frames, but its clock has {n}{swapped}"
        return activity, [Finding("axes", text, True)]
    found = clock_findings(np.asarray(activity.time, dtype=float), source, SLOWEST_ACTIVITY)
    if samples.shape[1] > len(samples):
        text = (
            f"{source} has {samples.shape[1]} units, but {len(samples)} frames: the axes are "
            "swapped? They must be (frame, unit): transpose it (activity.T), or in a mapping state "
            "axes: [units, frames]"
        )
        found.append(Finding("axes", text, True, True))
    tally = _Tally.of(samples, activity.kind)
    units, frames = tally.units, tally.frames
    if not units.any():
        return activity, [*found, Finding("samples", f"{source} is NaN everywhere", True)]
    if tally.n_missing:
        if not frames.all():
            text = f"{source} is NaN for all units in {int((~frames).sum())} frames: left out"
            found.append(Finding("samples", text, warns=(~frames).mean() > 0.05))
        if not units.all():
            text = f"{int((~units).sum())} units of {source} are NaN throughout: not recorded"
            found.append(Finding("samples", text, warns=True))
        rest = tally.n_missing - int((~frames).sum()) * units.size
        rest -= int((~units).sum()) * int(frames.sum())
        if rest:
            text = (
                f"{source} is NaN in {rest} further places, for some units in some frames: say "
                "what they are (0, or leave these units or frames out)"
            )
            found.append(Finding("samples", text, True))
        if not (frames.all() and units.all()):
            kept = samples[np.ix_(frames, units)]
            activity = activity.pick(np.asarray(units))
            activity = replace(activity, samples=kept, time=np.asarray(activity.time)[frames])
    found += _value_findings(tally, activity.kind, source)
    kept = np.asarray(activity.samples)
    found += trace_findings(
        lambda: (part for _, _, part in blocks(kept)), len(kept), activity.kind, source
    )
    return activity, found


@dataclass
class _Tally:
    """What there is in samples, counted part by part.

    Parameters
    ----------
    units, frames
        Which are not NaN throughout.
    n_missing, n_infinite, n_negative
        Places that are NaN, infinite, below 0.
    fractional
        Whether any is no whole number.
    n_zeros
        (unit) frames in which it is 0.
    """

    units: np.ndarray
    frames: np.ndarray
    n_zeros: np.ndarray
    n_missing: int = 0
    n_infinite: int = 0
    n_negative: int = 0
    fractional: bool = False

    @classmethod
    def of(cls, samples: np.ndarray, kind: str) -> _Tally:
        n_frames, n_units = samples.shape
        tally = cls(
            np.zeros(n_units, dtype=bool),
            np.zeros(n_frames, dtype=bool),
            np.zeros(n_units, dtype=np.int64),
        )
        real = samples.dtype.kind == "f"
        for frames, units, part in blocks(samples):
            there = ~np.isnan(part) if real else np.ones(part.shape, dtype=bool)
            tally.units[units] |= there.any(axis=0)
            tally.frames[frames] |= there.any(axis=1)
            tally.n_missing += part.size - int(np.count_nonzero(there))
            tally.n_infinite += int(np.isinf(part).sum()) if real else 0
            tally.n_negative += int((part < 0).sum())
            tally.n_zeros[units] += (part == 0).sum(axis=0)
            if real and kind in COUNT_KINDS and not tally.fractional:
                tally.fractional = bool((there & (part != np.round(part))).any())
        return tally


def _value_findings(tally: _Tally, kind: str, source: str) -> list[Finding]:
    n_frames, n_units = int(tally.frames.sum()), int(tally.units.sum())
    found = []
    if tally.n_infinite:
        found.append(Finding("samples", f"{source} is infinite in places", True))
    elif kind in COUNT_KINDS and (tally.n_negative or tally.fractional):
        text = (
            f"{source} has negative or fractional values, so it holds no {kind}: kind is "
            "deconvolved or amplitudes?"
        )
        found.append(Finding("samples", text, True))
    silent = int((tally.n_zeros[tally.units] == n_frames).sum())
    if silent == n_units:
        found.append(Finding("samples", f"{source} is 0 everywhere", True))
    elif silent:
        found.append(Finding("silent", f"{silent} of {n_units} units are silent"))
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
