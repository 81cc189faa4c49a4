"""Whether activity and position are in step: the lag at which activity tells most of position."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import xarray as xr

from neurodrift import kinematics
from neurodrift.analysis.maps.binning import MIN_RUNNING_SPEED, session_activity
from neurodrift.geometry.geometry import geometry_of
from neurodrift.recording import slice_sessions
from neurodrift.schema import check, label
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import LAG

IN_STEP, OUT_OF_STEP, UNDECIDED = "in step", "out of step", "undecided"

STEP = 0.2
"""Time step of the scan [s], or one frame where frames are longer."""

EARLIEST, LATEST = -1.0, 1.5
"""Lags [s] that are in step: expectation of a place before, the delay of calcium after."""

MIN_SCORE = 5.5
"""Score of a peak; scans of 53 units that tell nothing stay below 5."""

_SHOULDER = 0.93  # of the peak: what the best lag in step may reach where they are out of step
_SIDE_PEAK = 0.8  # of the peak: the same for a lag in step that is not on the peak's own flank
_FLANK = 1.5  # s
_MIN_UNITS, _MIN_STEPS = 5, 5  # units; steps with activity of each
_MIN_SECONDS = 60.0  # of a session
_MIN_RUNNING = 30.0  # s
_N_SHIFTED = 300
_BINS_1D, _BINS_2D = 12, 6  # of each direction; of each axis


@checked_options
def check_lag(
    recording: xr.Dataset,
    *,
    max_lag: float = 60.0,
    max_units: int = 200,
    max_minutes: float = 10.0,
) -> xr.Dataset:
    r"""Scan the lag between activity and position, and say whether they are in step.

    A positive lag means that activity comes after position: an event at 20 s on the clock of the
    activity belongs to the place of the animal at 20 s less the lag.

    Parameters
    ----------
    recording
        A recording with a position, of any kind but ``activation``. Speed and direction are
        derived from the position where it has none.
    max_lag
        Largest lag of the scan [s]; at most a quarter of a session.
    max_units, max_minutes
        Units and recorded minutes of a session that are scanned at most: the units that are active
        most often, in the stretch with most running.

    Returns
    -------
    xarray.Dataset
        Over ``session`` and ``lag`` [s]: ``score`` (session, lag), by how many standard deviations
        the activity tells more of position than activity shifted by more than the scan; NaN where
        it was not scanned. By session: ``best_lag`` [s], where the score is largest, and its
        ``best_score``; ``in_step_score``, the largest from -1 to 1.5 s; ``n_units`` and
        ``n_seconds`` that were scanned; ``verdict``, "in step", "out of step" or "undecided". The
        attribute ``warnings`` is a JSON list of sentences.

    Raises
    ------
    ValueError
        If there is no position, activity is of kind ``activation``, or an option is not positive.

    Notes
    -----
    Estimand: how much later the activity is than the position that it goes with, on the clocks of
    the recording. Time is cut into steps of 0.2 s, and position, in frames of running, into 12
    bins of equal time for each direction, or 6 by 6 in two dimensions. For every lag and unit,

    .. math:: q = \sum_b \frac{(n_b - e_b)^2 - w_b}{e_b + \bar n / 2}

    where n is activity in bin b, e what is expected of a unit without a place, w the sum of the
    squared activity of single steps, so that q is 0 on average by chance, and n-bar the mean over
    bins. e is taken over steps of running and of rest apart, as they are without a lag, because a
    cell that fires when the animal runs would otherwise seem to have a place at every lag but its
    own. Lags are truncated at the ends of the session and never cross a gap. q is scaled by the
    mean and the standard deviation of 300 circular shifts beyond the scan, unit by unit; the score
    is the sum over units in standard deviations of that sum of the same shifts, which holds what
    units have in common.

    "out of step" asks for a peak of at least 5.5 outside of -1 to 1.5 s, where calcium and
    anticipation lie, that no lag in step comes near: 93 % of the peak on its own flank, 80 %
    elsewhere. A track that is run like clockwork tells little of the lag, since a whole lap away
    everything is the same: such lags are not called offsets, and constant laps are undecided.
    "undecided" is no sign that all is well: too few units told of position.

    Examples
    --------
    >>> from neurodrift import testing
    >>> from neurodrift.analysis.quality.lag import check_lag
    >>> found = check_lag(testing.linear_track(n_units=20, n_sessions=2, minutes=5))
    >>> found["verdict"].values.tolist()
    ['in step', 'in step']
    >>> bool((abs(found["best_lag"]) < 0.5).all())
    True
    """
    check(recording)
    kind = recording["activity"].attrs["kind"]
    if kind == "activation":
        raise ValueError("activations of a network have no clock of an animal, so no lag")
    if "x" not in recording:
        raise ValueError("the recording has no position 'x', so no lag can be told")
    if not max_minutes * 60 >= _MIN_SECONDS:
        raise ValueError(f"max_minutes is {max_minutes}, expected {_MIN_SECONDS / 60:g} or more")
    is_place = geometry_of(recording).is_place  # else there is no running to wait for
    moving = kinematics.with_running(recording) if is_place else recording
    step = max(STEP, _longest_frame(recording))
    n_lags = int(max_lag / step + 1e-9)
    rows = [
        _session(moving, i, where, step, n_lags, max_units, max_minutes)
        for i, where in enumerate(slice_sessions(recording))
    ]
    lag = np.round(np.arange(-n_lags, n_lags + 1) * step, 9)
    sessions = recording["session"].values
    found = xr.Dataset(
        {
            "score": (("session", "lag"), np.stack([row.score for row in rows])),
            **{
                name: ("session", np.array([getattr(row, name) for row in rows]))
                for name in ("best_lag", "best_score", "in_step_score", "n_units", "n_seconds")
            },
            "verdict": ("session", np.array([row.verdict for row in rows], dtype=object)),
        },
        coords={"session": sessions, "lag": lag},
        attrs={"max_units": max_units, "max_minutes": float(max_minutes), "max_lag": max_lag},
    )
    return label(found, LAG).assign_attrs(warnings=json.dumps(lag_warnings(found)))


def _longest_frame(recording: xr.Dataset) -> float:
    """Length of the frames of the slowest session, which all others are put on [s]."""
    durations = recording["frame_duration"].values
    parts = [durations[w] for w in slice_sessions(recording) if w.stop > w.start]
    return max((float(np.quantile(part, 0.9)) for part in parts), default=STEP)


def lag_warnings(found: xr.Dataset) -> list[str]:
    """Sentences on the sessions that are out of step.

    Parameters
    ----------
    found
        Result of :func:`check_lag`.

    Returns
    -------
    list of str
        One for each; empty where none is.
    """
    sentences = []
    for i in np.flatnonzero(found["verdict"].values == OUT_OF_STEP):
        one = found.isel(session=int(i))
        lag, name = float(one["best_lag"]), str(one["session"].item())
        sentences.append(
            f"In session {name} activity comes {abs(lag):.1f} s "
            f"{'after' if lag > 0 else 'before'} position (score {float(one['best_score']):.0f} "
            f"there, {float(one['in_step_score']):.0f} at most where they are in step): their "
            "clocks seem to start at different times, and every map is of the wrong places. Look "
            "at where both clocks start. What lags so on import is put in step by "
            f"`neurodrift import --lag {name}={lag:.1f}` (in Python, "
            f"import_nwb(files, lag={{{name!r}: {lag:.1f}}})). Of arrays, give "
            f"recording_from_sessions position_time {'+' if lag > 0 else '-'} {abs(lag):.1f} in "
            "this session."
        )
    return sentences


def describe_lag(found: xr.Dataset) -> str:
    """How many sessions are in step, and their best lags, in one sentence.

    Parameters
    ----------
    found
        Result of :func:`check_lag`.

    Returns
    -------
    str
        A sentence.
    """
    verdict, best = found["verdict"].values, found["best_lag"].values
    parts = []
    for name in (IN_STEP, OUT_OF_STEP, UNDECIDED):
        here = verdict == name
        if here.any():
            lags = best[here & (verdict != UNDECIDED)]
            span = f"{lags.min():.1f}" if lags.size else ""
            if lags.size and f"{lags.max():.1f}" != span:
                span += f" to {lags.max():.1f}"
            told = f" (activity comes {span} s after position)" if lags.size else ""
            parts.append(f"{name} in {int(here.sum())} of {here.size} sessions{told}")
    return f"activity and position: {', '.join(parts)}"


@dataclass(frozen=True)
class _Row:
    """The scan of one session, a field for each variable of the result."""

    score: np.ndarray
    best_lag: float = np.nan
    best_score: float = np.nan
    in_step_score: float = np.nan
    n_units: int = 0
    n_seconds: float = 0.0
    verdict: str = UNDECIDED


def _session(
    recording: xr.Dataset,
    number: int,
    where: slice,
    step: float,
    n_lags: int,
    max_units: int,
    max_minutes: float,
) -> _Row:
    """Scan one session."""
    nothing = np.full(2 * n_lags + 1, np.nan)
    part = recording.drop_vars("activity").isel(time=where)
    if part.sizes["time"] < 2 or kinematics.is_cut_to_running(recording):
        return _Row(nothing)
    time = part["time"].values
    at = np.floor((time - time[0]) / step + 1e-6).astype(np.int64)
    first = np.flatnonzero(np.diff(at, prepend=-1) > 0)
    middle = (first + np.append(first[1:], at.size) - 1) // 2
    code, n_bins = _bins(part, middle)
    kept = _most_running(code >= 0, round(max_minutes * 60 / step))
    at, code = at[first][kept], code[kept]
    n_seconds = float((code >= 0).sum() * step)
    if code.size * step < _MIN_SECONDS or n_seconds < _MIN_RUNNING:
        return _Row(nothing, n_seconds=n_seconds)
    frames = slice(
        where.start + int(first[kept.start]),
        where.start + int(first[kept.stop]) if kept.stop < first.size else where.stop,
    )
    inside = first[kept] - first[kept.start]
    seen = np.flatnonzero(recording["detected"].values[number])
    activity = _steps(recording, frames, seen, inside, max_units)
    n_units = activity.shape[1]
    if n_units < _MIN_UNITS:
        return _Row(nothing, n_units=n_units, n_seconds=n_seconds)
    reach = min(n_lags, code.size // 4)
    score = np.full(2 * n_lags + 1, np.nan)
    score[n_lags - reach : n_lags + reach + 1] = _scores(at, code, n_bins, activity, reach)
    return _judged(score, np.arange(-n_lags, n_lags + 1) * step, step, n_units, n_seconds)


def _bins(part: xr.Dataset, middle: np.ndarray) -> tuple[np.ndarray, int]:
    """Bin of position in each step, -1 at rest and where it is not tracked; number of bins."""
    x = part["x"].values[middle]
    running = np.isfinite(x)
    if "speed" in part:
        running &= part["speed"].values[middle] >= MIN_RUNNING_SPEED
    code = np.full(x.size, -1)
    if "y" in part:
        y = part["y"].values[middle]
        chosen = np.flatnonzero(running & np.isfinite(y))
        groups = _quantiles(x[chosen], _BINS_2D)
        values, n_bins, n_groups = y, _BINS_2D, _BINS_2D
    elif "direction" not in part:
        chosen = np.flatnonzero(running)
        groups = np.zeros(chosen.size, dtype=int)
        values, n_bins, n_groups = x, _BINS_1D, 1
    else:
        direction = part["direction"].values[middle]
        chosen = np.flatnonzero(running & (direction != 0))
        groups = (direction[chosen] < 0).astype(int)
        values, n_bins, n_groups = x, _BINS_1D, 2
    for group in range(n_groups):
        members = chosen[groups == group]
        if members.size:
            code[members] = group * n_bins + _quantiles(values[members], n_bins)
    return code, n_groups * n_bins


def _quantiles(values: np.ndarray, n_bins: int) -> np.ndarray:
    """Bins that hold equally many of the values, fewer where many are equal."""
    if not values.size:
        return np.empty(0, dtype=np.int64)
    edges = np.unique(np.quantile(values, np.linspace(0, 1, n_bins + 1)))
    found = np.searchsorted(edges, values, side="right") - 1
    return np.clip(found, 0, max(edges.size - 2, 0))


def _most_running(running: np.ndarray, n_steps: int) -> slice:
    """The stretch of so many steps that holds most running."""
    if running.size <= n_steps:
        return slice(0, running.size)
    total = np.concatenate([[0], np.cumsum(running)])
    start = int(np.argmax(total[n_steps:] - total[:-n_steps]))
    return slice(start, start + n_steps)


def _steps(
    recording: xr.Dataset, frames: slice, seen: np.ndarray, first: np.ndarray, max_units: int
) -> np.ndarray:
    """(step, unit) summed activity of the units that are active most often."""
    activity = session_activity(recording, frames).isel(unit=seen)
    n_active = (activity > 0).sum("time").values
    names = [str(name) for name in activity["unit"].values]  # any order of units gives equal bits
    ranked = sorted(range(len(names)), key=lambda i: (-n_active[i], names[i]))[:max_units]
    chosen = np.array([i for i in ranked if n_active[i] >= _MIN_STEPS], dtype=np.int64)
    values = np.maximum(activity.isel(unit=chosen).values.astype(float), 0)
    summed = np.add.reduceat(values, first, axis=0) if chosen.size else values[first]
    return np.asarray(summed[:, (summed > 0).sum(axis=0) >= _MIN_STEPS])


class _Sums:
    """Sums of activity (step, unit) and of its square over the steps of a row: sparse if it is."""

    def __init__(self, activity: np.ndarray) -> None:
        self.n_steps, self.n_units = activity.shape
        self.dense = np.count_nonzero(activity) > 0.3 * activity.size
        self.both = [activity, activity**2]
        if not self.dense:
            self.step, self.unit = np.nonzero(activity)
            self.both = [values[self.step, self.unit] for values in self.both]

    def over(self, step: np.ndarray, row: np.ndarray, n_rows: int) -> list[np.ndarray]:
        """(row, unit) of both, where the steps in ascending order belong to rows."""
        if self.dense:
            from scipy import sparse

            shape = (n_rows, len(self.both[0]))
            into = sparse.csr_array((np.ones(step.size), (row, step)), shape=shape)
            return [np.asarray(into @ values) for values in self.both]
        from neurodrift.analysis.quality._kernels import add_by_row

        row_of = np.full(self.n_steps, -1)
        row_of[step] = row
        sums = np.zeros((2, n_rows, self.n_units))
        activity, squares = self.both
        add_by_row(row_of, self.step, self.unit, activity, squares, sums)
        return list(sums)


def _scores(
    at: np.ndarray, code: np.ndarray, n_bins: int, activity: np.ndarray, reach: int
) -> np.ndarray:
    """Score at every lag from -reach to reach steps."""
    n_steps, sums = code.size, _Sums(activity)
    scanned, shifted = [], []
    for k in range(-reach, reach + 1):
        place = np.minimum(np.searchsorted(at, at - k), n_steps - 1)
        step = np.flatnonzero(at[place] == at - k)  # steps that the session has at both times
        scanned.append(_unevenness(sums, code, step, place[step], n_bins))
    every = np.arange(n_steps)
    for k in np.unique(np.linspace(reach, n_steps - reach, _N_SHIFTED).astype(int)):
        place = (every - k) % n_steps
        shifted.append(_unevenness(sums, code, every, place, n_bins))
    null = np.array(shifted)
    mean, sd = null.mean(axis=0), null.std(axis=0)
    used = sd > 0
    scale = np.where(used, sd, 1)
    spread = float(((null - mean) / scale)[:, used].sum(axis=1).std())
    total = ((np.array(scanned) - mean) / scale)[:, used].sum(axis=1)
    return total / spread if spread > 0 else np.zeros(total.size)


def _unevenness(
    sums: _Sums,
    code: np.ndarray,
    step: np.ndarray,
    place: np.ndarray,
    n_bins: int,
) -> np.ndarray:
    """(unit) q of activity in some steps, laid on the position of others: see `check_lag`."""
    used = code[place] >= 0
    step, position = step[used], code[place][used]
    row = position + n_bins * (code[step] >= 0)  # rest and running apart
    summed, squares = sums.over(step, row, 2 * n_bins)
    time = np.bincount(row, minlength=2 * n_bins).reshape(2, n_bins).astype(float)
    time /= np.maximum(time.sum(axis=1, keepdims=True), 1)
    by_state = summed.reshape(2, n_bins, -1)
    expected = np.einsum("su,sb->bu", by_state.sum(axis=1), time)
    found = by_state.sum(axis=0)
    own = squares.reshape(2, n_bins, -1).sum(axis=0)
    below = expected + found.sum(axis=0) / (2 * n_bins)
    part = ((found - expected) ** 2 - own) / np.where(below > 0, below, 1)
    return np.asarray(part.sum(axis=0))


def _judged(
    score: np.ndarray, lag: np.ndarray, step: float, n_units: int, n_seconds: float
) -> _Row:
    """The best lag of a scan, and what it says."""
    scanned = np.flatnonzero(np.isfinite(score))
    padded = np.pad(score[scanned], 1, mode="edge")
    smooth = np.convolve(padded, [0.25, 0.5, 0.25], mode="valid")
    lags = lag[scanned]
    at = int(np.argmax(smooth))
    peak, best = float(smooth[at]), float(lags[at])
    if 0 < at < smooth.size - 1:
        before, after = float(smooth[at - 1]), float(smooth[at + 1])
        bend = before - 2 * peak + after
        best += 0.5 * step * (before - after) / bend if bend < 0 else 0.0
    near = (lags >= EARLIEST - 1e-9) & (lags <= LATEST + 1e-9)
    in_step = float(smooth[near].max())
    aside = near & (np.abs(lags - best) >= _FLANK)
    beside = float(smooth[aside].max()) if aside.any() else -np.inf
    verdict = UNDECIDED
    if peak >= MIN_SCORE:
        rival = in_step >= _SHOULDER * peak or beside >= _SIDE_PEAK * peak
        if not rival and not EARLIEST <= best <= LATEST:
            verdict = OUT_OF_STEP
        elif in_step >= MIN_SCORE:
            verdict = IN_STEP
    return _Row(score, best, peak, in_step, n_units, n_seconds, verdict)
