"""Decoders that learnt from several sessions, against those that learnt from one."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import carry_coords, registered_units
from neurodrift.analysis.decoding.across import refuse_nothing
from neurodrift.analysis.decoding.chance import chance_errors
from neurodrift.analysis.decoding.laps import deal, shared_map, shared_states
from neurodrift.analysis.decoding.models import Learner, learner_of
from neurodrift.analysis.decoding.pairs import FEWEST_WINDOWS
from neurodrift.analysis.decoding.target import Aim, Point, Target, smoothing_kernel
from neurodrift.analysis.decoding.windows import (
    Part,
    is_count,
    joined,
    session_parts,
    sorted_units,
)
from neurodrift.analysis.maps.binning import Binning, as_binning
from neurodrift.schema import check, label
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import DECODING_SEVERAL
from neurodrift.seeds import generator

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator


@checked_options
def decode_from_several_sessions(
    recording: xr.Dataset,
    *,
    decoder: Literal["bayes", "linear"] | BaseEstimator = "bayes",
    target: Aim = "position",
    window: float = 0.5,
    binning: Binning | None = None,
    smoothing: float | None = None,
    point: Point = "argmax",
    n_folds: int = 5,
    block: float = 30.0,
    n_draws: int = 10,
    n_repeats: int = 100,
    seed: int = 0,
) -> xr.Dataset:
    """Whether a decoder that learnt from several days reads another day better.

    Parameters
    ----------
    recording
        A recording with a position and three sessions or more; NumPy or Dask.
    decoder, target, window, binning, smoothing, point, n_folds, block
        As of :func:`neurodrift.decode_across_sessions`; the prior is flat.
    n_draws
        Choices of training sessions for each number of them; all where there are fewer.
    n_repeats
        Shifts of position against activity behind chance.
    seed
        Seed of every random stream.

    Returns
    -------
    xarray.Dataset
        ``error`` (session, n_training): mean error in a session of decoders that learnt from so
        many of the others, mean over choices of them; ``chance`` with positions shifted; over
        session ``own_error`` of decoders that learnt from other laps of the session itself,
        ``own_chance`` and ``n_windows``; ``relative`` (session, n_training), the gain over chance
        relative to the own one; ``n_units`` that were detected in all sessions, and ``n_laps``
        that teach, the same for every number of sessions: a decoder of five days has a fifth of
        the laps of each. NaN where laps are fewer than the sessions that they come from.

    Raises
    ------
    ValueError
        As of :func:`neurodrift.decode_across_sessions`; with fewer than three sessions; and where
        the sessions share no unit, no bin or no map.

    Notes
    -----
    More days are more data, which alone would make a better decoder; with as many laps from one day
    as from all together, what is left is that several days show what lasts. Events are not made
    equal: each day's rates are as they were.

    Examples
    --------
    >>> from neurodrift import decode_from_several_sessions, testing
    >>> recording = testing.linear_track(n_units=20, n_sessions=4, minutes=4)
    >>> dict(decode_from_several_sessions(recording)["error"].sizes)
    {'session': 4, 'n_training': 3}
    """
    check(recording)
    refuse_nothing(recording, window)
    n_sessions = recording.sizes["session"]
    if n_sessions < 3:
        raise ValueError(
            f"the recording has {n_sessions} sessions, expected 3 or more: two to learn from, one "
            "to test"
        )
    binning = as_binning(binning)
    smoothing = binning.smoothing_or_default(smoothing)
    recording = sorted_units(recording)
    parts, places, _ = session_parts(recording, binning, window, block)
    aim = Target(target, point, places)
    bayes = {
        "counts": is_count(recording),
        "kernel": smoothing_kernel(places, smoothing),
        "min_rate": None,
        "occupancy": False,
    }
    learner = learner_of(decoder, aim, bayes)
    units = recording["detected"].transpose("session", "unit").values.astype(bool).all(axis=0)
    units &= registered_units(recording).values
    if not units.any():
        raise ValueError("no unit was detected in all sessions: select fewer sessions")
    parts = [part.of_units(units) for part in parts]
    names = [str(item) for item in recording["session"].values]
    found = _Days(parts, names, aim, learner, n_folds, n_draws, n_repeats, seed).all()
    values: dict[str, Any] = {
        name: (("session", "n_training"), found[name]) for name in ("error", "chance")
    }
    for name in ("own_error", "own_chance", "n_windows"):
        values[name] = ("session", found[name])
    gain = (found["own_chance"] - found["own_error"])[:, None]
    kept = found["chance"] - found["error"]
    relative = np.divide(kept, gain, out=np.full(kept.shape, np.nan), where=gain > 0)
    values["relative"] = (("session", "n_training"), relative)
    values["n_units"] = ((), int(units.sum()))
    values["n_laps"] = ((), int(found["n_laps"]))
    coords = carry_coords(recording, "session") | {"n_training": np.arange(1, n_sessions)}
    result = label(xr.Dataset(values, coords=coords), DECODING_SEVERAL)
    for name in ("error", "chance", "own_error", "own_chance"):
        result[name].attrs["units"] = aim.unit
    return result.assign_attrs(
        decoder=decoder if isinstance(decoder, str) else type(decoder).__name__,
        target=target,
        window=window,
        n_draws=n_draws,
        binning=binning.to_json(),
        smoothing=smoothing,
        seed=seed,
    )


class _Days:
    """Sessions that teach together."""

    def __init__(
        self,
        parts: list[Part],
        names: list[str],
        target: Target,
        learner: Learner,
        n_folds: int,
        n_draws: int,
        n_repeats: int,
        seed: int,
    ) -> None:
        self.parts, self.names, self.target, self.learner = parts, names, target, learner
        self.n_draws, self.n_repeats, self.seed = n_draws, n_repeats, seed
        found = shared_map(parts)
        if found is None:
            raise ValueError("the sessions share no map: select those of one map")
        self.label = found
        self.allowed = shared_states(parts, found, target.places.ways.size) > 0
        if not self.allowed.any():
            raise ValueError("the sessions share no bin: select sessions that do")
        deals = deal(parts, names, found, n_folds, seed, match=True)
        if deals is None:
            raise ValueError(
                "a direction has fewer than two laps in a session: select sessions with more"
            )
        self.deals = deals
        ways = np.unique(np.concatenate([p.row_way[p.of_map(found)] for p in parts]))
        taught = deals[0].teach.any(axis=0)
        self.ways = ways[[bool((parts[0].row_way[taught] == way).any()) for way in ways]]
        # laps of each direction that teach, the fewest over folds and sessions
        self.sizes = [
            min(
                int((teach & (p.row_way == way)).sum())
                for p, d in zip(parts, deals, strict=True)
                for teach in d.teach
            )
            for way in self.ways
        ]

    def all(self) -> dict[str, Any]:
        """Errors of every session with every number of teachers."""
        n = len(self.parts)
        found: dict[str, Any] = {name: np.full((n, n - 1), np.nan) for name in ("error", "chance")}
        found |= {name: np.full(n, np.nan) for name in ("own_error", "own_chance")}
        found |= {"n_windows": np.zeros(n, dtype=np.int64), "n_laps": sum(self.sizes)}
        for b in range(n):
            part, own = self.parts[b], self.deals[b]
            table = part.table
            used = (own.fold[part.row] >= 0) & self.allowed[part.way, part.place]
            at = np.flatnonzero(used)
            found["n_windows"][b] = at.size
            if at.size < FEWEST_WINDOWS:
                continue
            truth = self.target.truth(part)[at]
            guess = np.full(truth.shape, np.nan)
            fold = own.fold[part.row[at]]
            for f, teach in enumerate(own.teach):
                rows = at[fold == f]
                if rows.size:
                    model = self.learner(part, teach)
                    guess[fold == f] = model(table[rows], part.seconds[rows], self.allowed)
            found["own_error"][b], found["own_chance"][b] = self._errors(b, guess, truth)
            for k in range(1, n):
                if k > min(self.sizes):
                    continue
                errors = [
                    self._errors(b, self._taught(b, teachers, table[at], part.seconds[at]), truth)
                    for teachers in self._choices(b, k)
                ]
                found["error"][b, k - 1], found["chance"][b, k - 1] = np.mean(errors, axis=0)
        return found

    def _errors(self, b: int, guess: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
        rng = generator(self.seed, "decoding chance", self.names[b])
        null = chance_errors(self.target.error, guess, truth, self.n_repeats, rng)
        chance = float(null.mean()) if null.size else float("nan")
        return float(self.target.error(guess, truth).mean()), chance

    def _choices(self, b: int, k: int) -> list[tuple[int, ...]]:
        others = [i for i in range(len(self.parts)) if i != b]
        if k == 1 or math.comb(len(others), k) <= self.n_draws:
            return list(itertools.combinations(others, k))
        rng = generator(self.seed, "decoding teachers", self.names[b], k)
        return [tuple(sorted(rng.permutation(others)[:k])) for _ in range(self.n_draws)]

    def _taught(
        self, b: int, teachers: tuple[int, ...], activity: Any, seconds: np.ndarray
    ) -> np.ndarray:
        """Guesses in session b of a decoder that learnt a share of the laps of each teacher."""
        parts = [self.parts[i] for i in teachers]
        rows = []
        for turn, (i, part) in enumerate(zip(teachers, parts, strict=True)):
            chosen = np.zeros(part.row_way.size, dtype=bool)
            for way, size in zip(self.ways, self.sizes, strict=True):
                share = size // len(teachers) + (turn < size % len(teachers))
                own = np.flatnonzero(part.of_map(self.label) & (part.row_way == way))
                rng = generator(self.seed, "decoding shares", self.names[i], self.names[b], way)
                chosen[rng.permutation(own)[:share]] = True
            rows.append(chosen)
        model = self.learner(joined(parts), np.concatenate(rows))
        return model(activity, seconds, self.allowed)
