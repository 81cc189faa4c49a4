"""Which session it was, from the activity of one of its trials."""

from __future__ import annotations

import itertools
import math
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp
import xarray as xr

from neurodrift.analysis._coords import carry_coords, registered_units
from neurodrift.analysis._inference import permutation_p
from neurodrift.analysis.decoding.windows import is_count, sorted_units
from neurodrift.analysis.maps.binning import session_activity
from neurodrift.recording import slice_sessions
from neurodrift.schema import check, label
from neurodrift.schema.objects import expect_choice
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import DECODED_SESSION
from neurodrift.seeds import generator

TrialOf = Literal["auto", "lap", "trial", "block"]
"""What one trial is."""

_ALL_ORDERS_UP_TO = 9  # sessions
_ORDERS = 20_000  # random ones, of more sessions


@checked_options
def decode_session(
    recording: xr.Dataset,
    *,
    trials: TrialOf = "auto",
    match: Literal["population"] | None = None,
    block: float = 60.0,
    n_repeats: int = 200,
    seed: int = 0,
) -> xr.Dataset:
    r"""Which session a trial is of, by the activity of the units alone.

    Parameters
    ----------
    recording
        A recording with two sessions or more, with or without a position; NumPy or Dask.
    trials
        What one trial is: a ``"lap"``, a ``"trial"`` of the recording, or a ``"block"`` of time;
        ``"auto"``: the first that the recording has.
    match
        What is made equal before, of counts: ``"population"``: as many events of all units together
        in a trial of every session, each unit thinned alike. None: nothing.
    block
        Length of a block [s].
    n_repeats
        Shuffles of the sessions of each unit behind the nulls.
    seed
        Seed of every random stream.

    Returns
    -------
    xarray.Dataset
        ``confusion`` (session, session_decoded), the share of the trials of a session that are
        taken for another; ``accuracy``, the share that is right over sessions, ``accuracy_null``
        and ``accuracy_p``; ``neighbour``, with the session itself left out of training, the
        share of trials taken for a session beside it, ``neighbour_null`` and ``neighbour_p``;
        ``order_p``, the share of all orders of the sessions in which neighbours are as alike as
        in the true one; ``n_trials`` and ``events_per_trial`` (session) and ``n_units``, those
        that are registered and were detected in every session. NaN where fewer than two sessions
        have two trials, or fewer than three units are left.

    Raises
    ------
    ValueError
        If the recording has one session, lacks the trials that are asked for, or events are to be
        matched of activity that is no count.

    Notes
    -----
    The vector :math:`v_{i,j}` holds the summed activity of each unit in trial j of session i, and
    :math:`V_d` that of all trials of session d. A trial is taken for the session [1]_

    .. math:: \hat d = \mathrm{argmax}_d \left\{ c(v_{i,j}, V_d - v_{d,j})
        - \mathrm{mean}_{d'} c(v_{d',j}, V_d - v_{d,j}) \right\}

    with c the correlation over units. Trial j is taken out of every session, so that the time
    within a session tells nothing; the mean takes off what sessions have that correlate with
    everything.

    Null of ``accuracy``: for each unit, which session each sum :math:`V_d - v_{d,j}` is of is
    shuffled. Null of ``neighbour``: for each unit, its sessions are exchanged whole, so that the
    days remain as different but have no order. Of up to 9 sessions all orders are tried for
    ``order_p``, of more 20,000.

    **The trap.** A session is told perfectly by anything that differs between days: brightness, a
    threshold, cells that are lost to the registration. ``match="population"`` takes off a gain that
    all units share, and what more events tell; nothing takes off a gain that each unit has of its
    own, since the rate of each unit in each session is what is decoded. Where
    :func:`neurodrift.decode_across_sessions` stays at 1, a session that is told by its rates is no
    sign that places moved.

    References
    ----------
    .. [1] Rubin et al. (2015), eLife 4:e12247. https://doi.org/10.7554/eLife.12247

    Examples
    --------
    >>> from neurodrift import decode_session, testing
    >>> recording = testing.linear_track(n_units=20, n_sessions=3, minutes=4)
    >>> decode_session(recording)["confusion"].dims
    ('session', 'session_decoded')
    """
    check(recording)
    expect_choice("trials", trials, ("auto", "lap", "trial", "block"))
    if match is not None:
        expect_choice("match", match, ("population",))
        if not is_count(recording):
            raise ValueError(
                f"activity is of the kind {recording['activity'].attrs['kind']}, of which no "
                "events are counted: match=None"
            )
    n_sessions = recording.sizes["session"]
    if n_sessions < 2:
        raise ValueError("the recording has one session, expected two or more to tell apart")
    recording = sorted_units(recording)
    units = recording["detected"].transpose("session", "unit").values.astype(bool).all(axis=0)
    units &= registered_units(recording).values
    recording = recording.isel(unit=np.flatnonzero(units))
    name = _trials_of(recording, trials)
    vectors = _vectors(recording, name, block)
    if match is not None:
        vectors = _matched(vectors, [str(s) for s in recording["session"].values], seed)
    n_trials = np.array([len(v) for v in vectors])
    values: dict[str, Any] = {
        "confusion": (("session", "session_decoded"), np.full((n_sessions,) * 2, np.nan)),
        "n_trials": ("session", n_trials),
        "events_per_trial": (
            "session",
            [float(v.sum(axis=1).mean()) if len(v) else np.nan for v in vectors],
        ),
        "n_units": ((), int(units.sum())),
    }
    figures = ("accuracy", "accuracy_null", "accuracy_p", "neighbour", "neighbour_null")
    found = dict.fromkeys((*figures, "neighbour_p", "order_p"), np.nan)
    if (n_trials >= 2).sum() >= 2 and units.sum() >= 3:
        known = n_trials >= 2
        told, confusion = _decode([v for v in vectors if len(v) >= 2], n_repeats, seed)
        found |= told
        values["confusion"][1][np.ix_(known, known)] = confusion
    values |= {key: ((), value) for key, value in found.items()}
    labels = recording["session"].values
    coords = carry_coords(recording, "session") | {"session_decoded": labels}
    result = label(xr.Dataset(values, coords=coords), DECODED_SESSION)
    return result.assign_attrs(
        trials=name, match=match or "none", block=block, n_repeats=n_repeats, seed=seed
    )


def _trials_of(recording: xr.Dataset, trials: TrialOf) -> str:
    if trials == "auto":
        return next((name for name in ("lap", "trial") if name in recording), "block")
    if trials != "block" and trials not in recording:
        raise ValueError(f"trials={trials!r}, but the recording has no {trials}: trials='block'")
    return trials


def _vectors(recording: xr.Dataset, name: str, block: float) -> list[np.ndarray]:
    """(trial, unit) summed activity of each session."""
    found = []
    for where in slice_sessions(recording):
        dt = recording["frame_duration"].values[where]
        if name == "block":
            trial = np.floor((np.cumsum(dt) - dt / 2) / block).astype(np.int64)
        else:
            trial = recording[name].values[where].astype(np.int64)
        activity = np.asarray(session_activity(recording, where).transpose("time", "unit").data)
        names, number = np.unique(trial, return_inverse=True)
        weight = np.ones(dt.size) if is_count(recording) else dt
        pick = sp.csr_array((weight, (number, np.arange(dt.size))), shape=(names.size, dt.size))
        found.append(np.asarray(pick @ activity.astype(float))[names >= 0])
    return found


def _matched(vectors: list[np.ndarray], names: list[str], seed: int) -> list[np.ndarray]:
    """Vectors with as many events a trial in every session."""
    mean = np.array([v.sum(axis=1).mean() if len(v) else np.nan for v in vectors])
    least = np.nanmin(mean) if np.isfinite(mean).any() else np.nan
    found = []
    for v, own, name in zip(vectors, mean, names, strict=True):
        keep = min(1.0, least / own) if own > 0 else 1.0
        rng = generator(seed, "session events", name)
        found.append(rng.binomial(v.astype(np.int64), keep).astype(float))
    return found


def _decode(
    vectors: list[np.ndarray], n_repeats: int, seed: int
) -> tuple[dict[str, float], np.ndarray]:
    """All that is told of sessions with two trials or more."""
    n = len(vectors)
    guess = guesses(vectors)
    confusion = np.array(
        [np.bincount(g[g >= 0], minlength=n) / max(1, (g >= 0).sum()) for g in guess]
    )
    accuracy = float(np.mean(np.diag(confusion)))
    beside = _neighbour(vectors)
    shuffled, moved = [], []
    for r in range(n_repeats):
        rng = generator(seed, "session shuffle", r)
        order = np.argsort(rng.random((n, vectors[0].shape[1])), axis=0)
        shuffled.append(_right(guesses(vectors, order)))
        moved.append(_neighbour(vectors, order))
    null, apart = np.array(shuffled), np.array(moved)
    told = {
        "accuracy": accuracy,
        "accuracy_null": float(null.mean()) if n_repeats else np.nan,
        "accuracy_p": _p(accuracy, null),
        "neighbour": beside,
        "neighbour_null": float(apart.mean()) if n_repeats else np.nan,
        "neighbour_p": _p(beside, apart),
        "order_p": order_p(vectors, generator(seed, "session orders")),
    }
    return told, confusion


def _p(value: float, null: np.ndarray) -> float:
    if not null.size or not np.isfinite(value):
        return float("nan")
    return float(permutation_p((null >= value - 1e-12).sum(), null.size))


def _right(guess: list[np.ndarray]) -> float:
    shares = [
        float((g[g >= 0] == i).mean()) if (g >= 0).any() else 0.0 for i, g in enumerate(guess)
    ]
    return float(np.mean(shares))


def _scores(
    vectors: list[np.ndarray], order: np.ndarray | None, whole: bool
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Of each trial number: sessions that have it, and the score (session, of session).

    `order` (session, unit) says which session the sums of each unit are taken from; with `whole`
    the trials are, too.
    """
    total = np.array([v.sum(axis=0) for v in vectors])
    found = []
    for j in range(max(len(v) for v in vectors)):
        has = np.array([i for i, v in enumerate(vectors) if len(v) > j])
        trial = np.array([vectors[i][j] for i in has])
        rest = total.copy()
        rest[has] -= trial
        if order is not None:
            rest = np.take_along_axis(rest, order, axis=0)
        if order is not None and whole:
            every = np.full(total.shape, np.nan)
            every[has] = trial
            trial = np.take_along_axis(every, order, axis=0)[has]
            if not np.isfinite(trial).all():  # some session lacks the trial
                trial = np.where(np.isfinite(trial), trial, 0.0)
        c = _unit_rows(trial) @ _unit_rows(rest).T
        found.append((has, c - np.nanmean(c, axis=0, keepdims=True)))
    return found


def _unit_rows(values: np.ndarray) -> np.ndarray:
    away = values - values.mean(axis=1, keepdims=True)
    norm = np.sqrt((away**2).sum(axis=1, keepdims=True))
    return np.divide(away, norm, out=np.zeros_like(away), where=norm > 0)


def guesses(vectors: list[np.ndarray], order: np.ndarray | None = None) -> list[np.ndarray]:
    """Session that each trial is taken for.

    Parameters
    ----------
    vectors
        (trial, unit) of each session.
    order
        (session, unit) session that the sum of each unit is taken from instead.

    Returns
    -------
    list of numpy.ndarray
        (trial) of each session; -1 of trials without any activity.
    """
    found = [np.full(len(v), -1) for v in vectors]
    for j, (has, score) in enumerate(_scores(vectors, order, whole=False)):
        for row, i in enumerate(has):
            if vectors[i][j].any():
                found[i][j] = int(score[row].argmax())
    return found


def _neighbour(vectors: list[np.ndarray], order: np.ndarray | None = None) -> float:
    """Share of trials that are taken for a session beside theirs, theirs left out."""
    n = len(vectors)
    if n < 3:
        return float("nan")
    hits: list[list[bool]] = [[] for _ in vectors]
    for has, score in _scores(vectors, order, whole=True):
        for row, i in enumerate(has):
            others = np.where(np.arange(n) == i, -np.inf, score[row])
            hits[i].append(abs(int(others.argmax()) - int(i)) == 1)
    return float(np.mean([np.mean(own) for own in hits]))


def order_p(vectors: list[np.ndarray], rng: np.random.Generator) -> float:
    """Share of the orders of sessions in which neighbours are as alike as in the true one.

    Parameters
    ----------
    vectors
        (trial, unit) of each session.
    rng
        Draws orders where there are too many to try all.

    Returns
    -------
    float
        P, the true order among them; NaN with fewer than three sessions.
    """
    n = len(vectors)
    if n < 3:
        return float("nan")
    unit = _unit_rows(np.array([v.sum(axis=0) for v in vectors]))
    alike = unit @ unit.T
    if n <= _ALL_ORDERS_UP_TO:
        flat = itertools.chain.from_iterable(itertools.permutations(range(n)))
        orders = np.fromiter(flat, dtype=np.int8, count=n * math.factorial(n)).reshape(-1, n)
    else:
        orders = np.array([np.arange(n), *(rng.permutation(n) for _ in range(_ORDERS))])
    likeness = alike[orders[:, :-1], orders[:, 1:]].mean(axis=1)
    true = alike[np.arange(n - 1), np.arange(1, n)].mean()
    return float((likeness >= true - 1e-12).mean())
