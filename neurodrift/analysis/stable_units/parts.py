"""Events of each unit in four parts of a session, from disjoint laps; and units without a link."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from neurodrift.analysis.behaviour.laps import laps_of
from neurodrift.analysis.maps.binning import Binning, session_activity
from neurodrift.recording import slice_sessions

N_PARTS = 4


@dataclass(frozen=True)
class Quarters:
    """Events and time of the laps of each session, dealt in four parts.

    Parameters
    ----------
    events
        (session, part, unit, cell) events by direction and bin.
    seconds
        (session, part, cell) time.
    n_ways
        Directions; the first cells are of the first.
    name
        What a lap is.
    """

    events: np.ndarray
    seconds: np.ndarray
    n_ways: int
    name: str

    def visited(self, sessions: list[int]) -> np.ndarray:
        """(cell) whether every part of some sessions was there."""
        return np.asarray((self.seconds[sessions] > 0).all(axis=(0, 1)))


def quarters_of(recording: xr.Dataset, binning: Binning, block: float) -> Quarters:
    """Laps of each direction in turn in one of four parts.

    Parameters
    ----------
    recording
        A recording with a position; one session is read at a time.
    binning
        Bins and the frames that count.
    block
        Length of a block [s] where there are neither laps nor trials.

    Returns
    -------
    Quarters
        Parts 0 and 1 are one half of the laps, 2 and 3 the other.
    """
    laps = laps_of(recording, binning, block)
    n_cells = laps.n_ways * laps.n_bins
    part = np.zeros(laps.session.size, dtype=np.int64)
    for s in np.unique(laps.session):
        for way in np.unique(laps.way):
            own = np.flatnonzero((laps.session == s) & (laps.way == way))
            part[own] = np.array([0, 2, 1, 3])[np.arange(own.size) % N_PARTS]
    sessions = slice_sessions(recording)
    n_units = recording.sizes["unit"]
    events = np.zeros((len(sessions), N_PARTS, n_units, n_cells), dtype=np.float32)
    seconds = np.zeros((len(sessions), N_PARTS, n_cells))
    for i, where in enumerate(sessions):
        row = laps.row[where]
        own = np.flatnonzero(row >= 0)
        code = part[row[own]] * n_cells + laps.cell[where][own]
        weights = laps.seconds[where][own]
        seconds[i] = np.bincount(code, weights, minlength=N_PARTS * n_cells).reshape(N_PARTS, -1)
        activity = np.asarray(session_activity(recording, where).transpose("time", "unit").data)
        frame, unit = np.nonzero(activity[own])
        size = n_units * N_PARTS * n_cells
        flat = np.bincount(
            unit * N_PARTS * n_cells + code[frame], activity[own[frame], unit], minlength=size
        )
        events[i] = flat.reshape(n_units, N_PARTS, n_cells).transpose(1, 0, 2)
    return Quarters(events, seconds, laps.n_ways, laps.name)


def reliable_maps(quarters: Quarters, a: int, b: int) -> tuple[np.ndarray, np.ndarray]:
    """(unit, cell) maps of session a over their mean, less noise; and (2, unit) rates in a and b.

    Parameters
    ----------
    quarters
        Of the units.
    a, b
        Sessions.

    Returns
    -------
    maps, rates : numpy.ndarray
        A map is drawn to its mean by the share of its variance that both halves agree on.
    """
    seen = quarters.visited([a, b])
    rates = np.stack([mean_rate(quarters, s, seen) for s in (a, b)])
    halves = [
        half_map(quarters.events[a], quarters.seconds[a], parts) for parts in ((0, 1), (2, 3))
    ]
    whole = half_map(quarters.events[a], quarters.seconds[a], (0, 1, 2, 3))
    deviations = [_away(m, seen) for m in (*halves, whole)]
    agreed = (deviations[0] * deviations[1]).sum(axis=1)
    total = (deviations[2] ** 2).sum(axis=1)
    share = np.clip(np.divide(agreed, total, out=np.zeros_like(agreed), where=total > 0), 0.0, 1.0)
    mean = np.where(seen, whole, 0.0).sum(axis=1) / max(1, seen.sum())
    relative = np.divide(
        deviations[2] * share[:, None],
        mean[:, None],
        out=np.zeros_like(whole),
        where=mean[:, None] > 0,
    )
    return np.maximum(1.0 + relative, 0.0) * seen, rates


def mean_rate(quarters: Quarters, session: int, seen: np.ndarray) -> np.ndarray:
    """(unit) mean over the visited bins of the rate in a session [events/s]."""
    rate = half_map(quarters.events[session], quarters.seconds[session], (0, 1, 2, 3))
    return np.asarray(np.where(seen, rate, 0.0).sum(axis=1) / max(1, seen.sum()))


def half_map(events: np.ndarray, seconds: np.ndarray, parts: tuple[int, ...]) -> np.ndarray:
    """(unit, cell) rate in some parts of a session [events/s], 0 where nobody was.

    Parameters
    ----------
    events
        (part, unit, cell).
    seconds
        (part, cell).
    parts
        Which of them.

    Returns
    -------
    numpy.ndarray
        Events over time.
    """
    total = events[list(parts)].sum(axis=0, dtype=float)
    time = seconds[list(parts)].sum(axis=0)
    return np.divide(total, time, out=np.zeros_like(total), where=time > 0)


def mixed(maps: np.ndarray, kept: float, rng: np.random.Generator) -> np.ndarray:
    """(unit, cell) maps of which a share is replaced by that of another unit, as deep as its own.

    Parameters
    ----------
    maps
        (unit, cell) over their mean.
    kept
        Share that stays.
    rng
        All chance comes from it.

    Returns
    -------
    numpy.ndarray
        Each unit takes from one other.
    """
    n = maps.shape[0]
    turn = rng.permutation(n)
    other = np.empty(n, dtype=np.int64)
    other[turn] = np.roll(turn, 1)
    own = maps - 1.0
    return np.maximum(1.0 + kept * own + (1 - kept) * _as_large(own[other], own), 0.0)


def _as_large(away: np.ndarray, like: np.ndarray) -> np.ndarray:
    """(unit, cell) deviations, each as large as that of the unit that takes them."""
    size, wanted = (np.sqrt((v**2).sum(axis=1, keepdims=True)) for v in (away, like))
    return away * np.divide(wanted, size, out=np.zeros_like(size), where=size > 0)


def share_kept(quarters: Quarters, a: int, b: int, similarity: float) -> float:
    """Share of its own map that gives units without a link the similarity that was found.

    Parameters
    ----------
    quarters
        Of the units.
    a, b
        Sessions.
    similarity
        Correlation without noise, of all units together.

    Returns
    -------
    float
        From 0 to 1.
    """
    if not similarity < 1:
        return 1.0
    maps, _ = reliable_maps(quarters, a, b)
    away = _away(maps, quarters.visited([a, b]))
    other = _as_large(np.roll(away, 1, axis=0), away)
    own, cross = float((away**2).sum()), float((away * other).sum())
    low, high = 0.0, 1.0
    for _ in range(30):
        kept = (low + high) / 2
        product = kept * own + (1 - kept) * cross
        size = kept**2 * own + (1 - kept) ** 2 * own + 2 * kept * (1 - kept) * cross
        found = product / np.sqrt(own * size) if own > 0 and size > 0 else 1.0
        low, high = (kept, high) if found < similarity else (low, kept)
    return (low + high) / 2


def dispersion(events: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    r"""(unit) variance over mean of the events of a bin between parts of a session, 1 or more.

    Parameters
    ----------
    events
        (part, unit, cell).
    seconds
        (part, cell).

    Returns
    -------
    numpy.ndarray
        :math:`\sum (n_i - \mu_i)^2 / \sum \mu_i (1 - t_i / t)` over parts and bins, with
        :math:`\mu_i` the share of a bin's events that the part's time :math:`t_i` of t explains.
    """
    time = seconds.sum(axis=0)
    share = np.divide(seconds, time, out=np.zeros_like(seconds), where=time > 0)[:, None, :]
    mean = events.sum(axis=0, dtype=float)[None] * share
    square = ((events - mean) ** 2).sum(axis=(0, 2))
    expected = (mean * (1 - share)).sum(axis=(0, 2))
    ratio = np.divide(square, expected, out=np.ones_like(square), where=expected > 0)
    return np.asarray(np.maximum(ratio, 1.0))


def _away(maps: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """(unit, cell) deviations from the mean over the visited cells, 0 elsewhere."""
    plain = np.where(seen, maps, 0.0)
    return np.where(seen, plain - plain.sum(axis=1, keepdims=True) / max(1, seen.sum()), 0.0)
