"""Whether a unit's map changed between two sessions beyond what behaviour explains."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import carry_coords, registered_units
from neurodrift.analysis.behaviour.glm import deviance, fit_poisson, spline_basis
from neurodrift.analysis.behaviour.laps import Laps, laps_of, speed_of
from neurodrift.analysis.maps.binning import Binning, as_binning, bin_frames, session_activity
from neurodrift.geometry.geometry import geometry_of
from neurodrift.recording import slice_sessions
from neurodrift.schema import COUNT_KINDS, check, label
from neurodrift.schema.objects import expect_choice
from neurodrift.schema.options import check_option, checked_options
from neurodrift.schema.results import TUNING_CHANGE
from neurodrift.seeds import generator

_PENALTY = 1.0
_FEWEST_LAPS = 6  # of each direction and session
_FEWEST_EVENTS = 20


@checked_options
def compute_tuning_change(
    recording: xr.Dataset,
    sessions: tuple[str, str] | None = None,
    *,
    binning: Binning | None = None,
    n_splines: int = 8,
    n_folds: int = 5,
    n_repeats: int = 19,
    min_events: int = _FEWEST_EVENTS,
    block: float = 30.0,
    seed: int = 0,
) -> xr.Dataset:
    r"""How much better two maps than one predict two sessions, speed and time being known.

    Parameters
    ----------
    recording
        A recording of spikes or events on a track (line, circle); NumPy or Dask.
    sessions
        Labels of the two; the first and the last when omitted.
    binning
        Position bins and the frames that count.
    n_splines
        Cubic splines along the track, 5 or more, for each direction.
    n_folds
        Groups of laps, each predicted by what the others teach.
    n_repeats
        Shifts of the laps between the sessions behind p.
    min_events
        Events that a unit needs in both sessions together.
    block
        Length of a block [s] where there are neither laps nor trials.
    seed
        Seed of the shifts.

    Returns
    -------
    xarray.Dataset
        Over ``unit``: ``gain`` of held-out laps by a map for each session [bit/event], 0 or less
        where one map is as good; ``p`` and ``null_mean`` of the shifts; ``behaviour_gain``, by
        speed and time against position and session alone; ``n_events``. ``mean_gain`` and
        ``mean_p`` of all units together; ``n_units``, ``n_laps``. NaN for units that are not
        registered, not detected in both or have too few events, and for all where a direction has
        fewer than six laps in a session (attribute ``left_out``).

    Raises
    ------
    ValueError
        If activity is no count, there is no position on one axis or no second session.

    Notes
    -----
    Counts of a lap, direction and bin are Poisson with

    .. math::
        \log \lambda = s_d(x) + \mathrm{session} + \beta_1 v + \beta_2 v^2 + \beta_3 \tau_a +
        \beta_4 \tau_b \; [ + \; \mathrm{session} \times s_d(x) ]

    with splines s of position for each direction d, speed v in the bin and time :math:`\tau` in
    each session, and a weak ridge on all but the mean. The gain is the difference of the deviances
    in held-out laps without and with the last term. A change of all rates, or of rates with speed,
    adds nothing to it.

    The null shifts, in a circle, the laps of both sessions laid end to end against the labels of
    the sessions, so that neighbouring laps stay together. There are about as many different shifts
    as laps of a direction in a session; small ones count too, which makes p valid, and its smallest
    value 1 / (shifts + 1).

    Sadeh & Clopath (2022) [1]_ ask the same of pairs of repeats; this is no method of theirs. A
    fit of other packages would bring a framework for graphics processors (nemos needs JAX); the
    likelihood here is that of statsmodels' Poisson GLM.

    References
    ----------
    .. [1] Sadeh & Clopath (2022), eLife. https://doi.org/10.7554/eLife.77907

    Examples
    --------
    >>> import neurodrift as nd
    >>> track = nd.testing.linear_track(n_units=4, n_sessions=2, minutes=6)
    >>> nd.compute_tuning_change(track, n_repeats=4)["gain"].dims
    ('unit',)
    """
    check(recording)
    check_option("n_folds", n_folds)
    first, last = _sessions(recording, sessions)
    _refuse(recording, n_splines)
    binning = as_binning(binning)
    labels = recording["session"].values.astype(str).tolist()
    index = (labels.index(first), labels.index(last))
    laps = laps_of(recording, binning, block)
    rows = _rows(recording, laps, binning, index, n_splines)
    detected = recording["detected"].transpose("session", "unit").values[list(index)].all(axis=0)
    n_units = recording.sizes["unit"]
    n_events = np.zeros(n_units, dtype=np.int64)
    values: dict[str, Any] = {
        name: np.full(n_units, np.nan) for name in ("gain", "p", "null_mean", "behaviour_gain")
    }
    scalars = {"mean_gain": np.nan, "mean_p": np.nan}
    why = ""
    if rows is None:
        why = f"a direction has fewer than {_FEWEST_LAPS} laps in a session"
        used = np.zeros(n_units, dtype=bool)
        n_laps = 0
    else:
        n_events = rows.counts.sum(axis=0).astype(np.int64)
        used = detected & registered_units(recording).values & (n_events >= max(1, min_events))
        n_laps = int(np.unique(rows.lap).size)
        if not used.any():
            why = f"no unit of both sessions has {min_events} events"
    if used.any() and rows is not None:
        gains, own = _tested(rows, used, n_folds, n_repeats, generator(seed, "tuning", first, last))
        per_event = n_events[used] * np.log(2) * 2
        values["gain"][used] = gains[0] / per_event
        values["behaviour_gain"][used] = own / per_event
        total = gains.sum(axis=1)
        scalars["mean_gain"] = total[0] / per_event.sum()
        if len(gains) > 1:
            values["null_mean"][used] = gains[1:].mean(axis=0) / per_event
            values["p"][used] = (gains >= gains[0]).mean(axis=0)
            scalars["mean_p"] = float((total >= total[0]).mean())
    found = xr.Dataset(
        {name: ("unit", array) for name, array in values.items()}
        | {"n_events": ("unit", n_events), "n_units": int(used.sum()), "n_laps": n_laps}
        | scalars,
        coords=carry_coords(recording, "unit") | {"unit": recording["unit"].values},
    )
    found = label(found, TUNING_CHANGE)
    about = {"session_a": first, "session_b": last, "left_out": why, "cut_at": laps.name}
    return found.assign_attrs(about, binning=binning.to_json(), seed=seed)


@dataclass(frozen=True)
class Rows:
    """Laps in bins, with what each was.

    Parameters
    ----------
    counts
        (row, unit) events.
    log_time
        (row) logarithm of the seconds.
    speed, clock
        (row) standardised speed, 0 where it is not known, and time in its session from -1 to 1.
    spline
        (row, direction x spline) of position.
    way
        (row, direction - 1) which direction, without the first.
    lap
        (row) number of the lap, in the order of direction, session and time.
    second
        (lap) whether the lap is of the second session.
    of_way
        (lap) its direction.
    """

    counts: np.ndarray
    log_time: np.ndarray
    speed: np.ndarray
    clock: np.ndarray
    spline: np.ndarray
    way: np.ndarray
    lap: np.ndarray
    second: np.ndarray
    of_way: np.ndarray

    def designs(self, second: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Position and session; with behaviour; and with a map for each session."""
        sign = np.where(second[self.lap], 1.0, -1.0)[:, None]
        ones = np.ones_like(sign)
        place = np.hstack([ones, sign, self.way, self.spline])
        clock = np.hstack([self.clock[:, None] * (sign > 0), self.clock[:, None] * (sign < 0)])
        behaviour = np.column_stack([self.speed, self.speed**2, clock])
        own = np.hstack([self.way * sign, self.spline * sign])
        known = np.hstack([place, behaviour])
        return place, known, np.hstack([known, own])


def _tested(
    rows: Rows, used: np.ndarray, n_folds: int, n_repeats: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """(shift, unit) gains by maps of their own, the true one first; and gain by behaviour."""
    labels = [rows.second, *shifted(rows.of_way, rows.second, n_repeats, rng)]
    place = rows.designs(rows.second)[0]
    fold = folds_of(rows.of_way, rows.second, n_folds)[rows.lap]
    own, _ = held_out(rows, place, fold, used)
    gains: list[np.ndarray] = []
    starts: list[np.ndarray | None] = [None, None]
    for second in labels:
        designs = rows.designs(second)[1:]
        fold = folds_of(rows.of_way, second, n_folds)[rows.lap]
        told = [held_out(rows, d, fold, used, s) for d, s in zip(designs, starts, strict=True)]
        starts = [start for _, start in told]
        if not gains:
            own = own - told[0][0]
        gains.append(told[0][0] - told[1][0])
    return np.array(gains), own


def folds_of(way: np.ndarray, second: np.ndarray, n_folds: int) -> np.ndarray:
    """(lap) fold of each, in turn within its direction and session.

    Parameters
    ----------
    way, second
        (lap) direction and session.
    n_folds
        How many there are.

    Returns
    -------
    numpy.ndarray
        0 to `n_folds` - 1.
    """
    fold = np.zeros(way.size, dtype=np.int64)
    for w in np.unique(way):
        for s in (False, True):
            own = np.flatnonzero((way == w) & (second == s))
            fold[own] = np.arange(own.size) % n_folds
    return fold


def held_out(
    rows: Rows,
    design: np.ndarray,
    fold: np.ndarray,
    used: np.ndarray,
    start: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """(unit) deviance of laps that were not fitted, and the slopes of all laps.

    Parameters
    ----------
    rows
        The laps.
    design
        (row, term).
    fold
        (row) fold of each.
    used
        (unit) units that enter.
    start
        (unit, term) slopes to start from.

    Returns
    -------
    deviance, slopes : numpy.ndarray
        Over those units [nats]; slopes of a fold start from those of all laps, with three steps.
    """
    counts = rows.counts[:, used]
    penalty = np.full(design.shape[1], _PENALTY)
    penalty[0] = 0.0
    start = fit_poisson(counts, design, rows.log_time, penalty, start)
    total = np.zeros(counts.shape[1])
    for f in np.unique(fold):
        left = fold == f
        own = fit_poisson(counts[~left], design[~left], rows.log_time[~left], penalty, start, 3)
        total += deviance(counts[left], design[left], rows.log_time[left], own)
    return total, start


def shifted(
    way: np.ndarray, second: np.ndarray, n_repeats: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """Sessions of the laps, shifted in a circle within each direction, by one share of a turn.

    Parameters
    ----------
    way, second
        (lap) direction and session, in the order of time in each direction.
    n_repeats
        How many are drawn at most.
    rng
        All chance comes from it.

    Returns
    -------
    list of numpy.ndarray
        (lap) bool; other labels each, none of them the true ones or those with the sessions
        exchanged, which are the same model.
    """
    rows = [np.flatnonzero(way == w) for w in np.unique(way)]
    most = max(own.size for own in rows)
    seen = {second.tobytes(), (~second).tobytes()}
    found: list[np.ndarray] = []
    for k in rng.permutation(np.arange(1, most)):
        if len(found) == n_repeats:
            break
        moved = second.copy()
        for own in rows:
            moved[own] = np.roll(second[own], round(k / most * own.size))
        if moved.tobytes() not in seen:
            seen |= {moved.tobytes(), (~moved).tobytes()}
            found.append(moved)
    return found


def _rows(
    recording: xr.Dataset, laps: Laps, binning: Binning, index: tuple[int, int], n_splines: int
) -> Rows | None:
    wanted = np.isin(laps.session, index)
    ways = np.unique(laps.way[wanted])
    for i in index:
        count = np.bincount(laps.way[laps.session == i], minlength=laps.n_ways)
        if not ways.size or min(count[ways]) < _FEWEST_LAPS:
            return None
    order = np.lexsort((np.arange(laps.way.size), laps.session == index[1], laps.way))
    order = order[wanted[order]]
    number = np.full(laps.way.size, -1)
    number[order] = np.arange(order.size)
    time = laps.lasting()
    speed = speed_of(recording)
    fast = np.full(time.shape, np.nan) if speed is None else laps.mean_of(speed)
    at_lap, cell = np.nonzero((time > 0) & wanted[:, None])
    counts = _counts(recording, laps, index, at_lap, cell)
    way, place = np.divmod(cell, laps.n_bins)
    frames = bin_frames(recording, replace(binning, unused_sessions="keep"))
    geometry = geometry_of(recording)
    circular = geometry.kind == "circular"
    x = frames["x_bin"].values
    low, high = float(x.min()), float(x.max())
    if circular:
        low, high = geometry.origin, geometry.origin + float(geometry.length or 0.0)
    basis = spline_basis(x[place], n_splines, low, high, circular)
    basis = basis - basis.mean(axis=0)
    is_way = way[:, None] == ways
    spline = (is_way[:, :, None] * basis[:, None, :]).reshape(cell.size, -1)
    v = fast[at_lap, cell]
    known = np.isfinite(v)
    away = np.where(known, v - (v[known].mean() if known.any() else 0.0), 0.0)
    spread = float(away.std())
    return Rows(
        counts=counts,
        log_time=np.log(time[at_lap, cell]),
        speed=away / spread if spread > 0 else away,
        clock=_clock(laps)[at_lap],
        spline=spline,
        way=is_way[:, 1:].astype(float),
        lap=number[at_lap],
        second=laps.session[order] == index[1],
        of_way=laps.way[order],
    )


def _clock(laps: Laps) -> np.ndarray:
    """(lap) its place in its session, from -1 to 1."""
    used = laps.row >= 0
    frame = np.flatnonzero(used)
    total = np.bincount(laps.row[used], frame, minlength=laps.session.size)
    at = total / np.maximum(1, np.bincount(laps.row[used], minlength=laps.session.size))
    found = np.zeros(at.size)
    for s in np.unique(laps.session):
        own = laps.session == s
        spread = np.ptp(at[own])
        found[own] = 2 * (at[own] - at[own].min()) / spread - 1 if spread > 0 else 0.0
    return found


def _counts(
    recording: xr.Dataset,
    laps: Laps,
    index: tuple[int, int],
    at_lap: np.ndarray,
    cell: np.ndarray,
) -> np.ndarray:
    n_cells = laps.n_ways * laps.n_bins
    found = np.zeros((at_lap.size, recording.sizes["unit"]))
    code = at_lap * n_cells + cell  # ascending, as of numpy.nonzero
    sessions = slice_sessions(recording)
    for i in index:
        where = sessions[i]
        row = laps.row[where]
        own = np.flatnonzero(row >= 0)
        activity = np.asarray(
            session_activity(recording, where).transpose("time", "unit").data[own], dtype=float
        )
        of = np.searchsorted(code, row[own] * n_cells + laps.cell[where][own])
        np.add.at(found, of, activity)
    return found


def _sessions(recording: xr.Dataset, sessions: Any) -> tuple[str, str]:
    there = [str(name) for name in recording["session"].values]
    if len(there) < 2:
        raise ValueError("the recording has one session, and a change needs two")
    if sessions is None:
        return there[0], there[-1]
    if isinstance(sessions, str) or len(sessions) != 2 or sessions[0] == sessions[1]:
        raise ValueError(f"sessions is {sessions!r}, expected two labels, such as ('1', '2')")
    for name in sessions:
        expect_choice("sessions", str(name), there)
    return str(sessions[0]), str(sessions[1])


def _refuse(recording: xr.Dataset, n_splines: int) -> None:
    kind = recording["activity"].attrs["kind"]
    if kind not in COUNT_KINDS:
        raise ValueError(f"activity is of the kind {kind}, expected counts: spikes or events")
    if "x" not in recording or "y" in recording or geometry_of(recording).kind == "category":
        raise ValueError("there is no position along one axis (a track or a circle) to be mapped")
    if n_splines < 5:
        raise ValueError(f"n_splines is {n_splines}, expected 5 or more")
    if not recording.sizes["unit"]:
        raise ValueError("the recording has no unit")
