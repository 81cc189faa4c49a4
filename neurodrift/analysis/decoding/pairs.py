"""Train in one session, test in another: the work behind every pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neurodrift.analysis.decoding.chance import chance_errors, p_below, worse_p
from neurodrift.analysis.decoding.laps import Deal, deal, mean_rates, shared_map, shared_states
from neurodrift.analysis.decoding.models import Learner, Model
from neurodrift.analysis.decoding.target import Target
from neurodrift.analysis.decoding.windows import Part
from neurodrift.seeds import generator

_KEPT = 4_000_000  # numbers of the windows of a session that are kept for other pairs
FEWEST_WINDOWS = 20
"""Windows of a session that an error is told of."""


@dataclass
class Found:
    """What a decoder of session a did in session b; NaN where it cannot be told."""

    error: float = np.nan
    error_median: float = np.nan
    own_error: float = np.nan
    chance: float = np.nan
    own_chance: float = np.nan
    p: float = np.nan
    own_p: float = np.nan
    worse_p: float = np.nan
    n_units: int = 0
    n_laps: int = 0
    n_windows: int = 0
    why: str = ""


@dataclass(frozen=True)
class Testing:
    """The windows of a session that test, in the order of time.

    Parameters
    ----------
    truth
        (window, axis) what they truly are.
    fold
        (window) fold of each.
    folds
        Of each fold: which of these windows it holds, their activity and seconds.
    allowed
        (way, bin) the states that both sessions visited.
    """

    truth: np.ndarray
    fold: np.ndarray
    folds: list[tuple[np.ndarray, Any, np.ndarray]]
    allowed: np.ndarray


def _testing(part: Part, row_fold: np.ndarray, allowed: np.ndarray, target: Target) -> Testing:
    fold = row_fold[part.row]
    at = np.flatnonzero((fold >= 0) & allowed[part.way, part.place])
    table = part.table
    folds = []
    for f in range(int(row_fold.max()) + 1):
        here = np.flatnonzero(fold[at] == f)
        folds.append((here, table[at[here]], part.seconds[at[here]]))
    return Testing(target.truth(part)[at], fold[at], folds, allowed)


@dataclass
class Pairs:
    """The sessions of a recording, and what they teach each other.

    Parameters
    ----------
    parts, names
        The sessions and their labels.
    detected
        (session, unit) units that may enter.
    target
        What is decoded.
    learner
        The decoder.
    events, laps
        Whether events, and the laps that teach, are made equal in each pair.
    n_folds, n_repeats, seed
        As of :func:`neurodrift.decode_across_sessions`.
    tests
        Whether groups of laps are permuted.
    """

    parts: Sequence[Part]
    names: Sequence[str]
    detected: np.ndarray
    target: Target
    learner: Learner
    events: bool
    laps: bool
    n_folds: int
    n_repeats: int
    seed: int
    tests: bool
    _tests: dict[tuple[object, ...], Testing] = field(default_factory=dict)
    _models: dict[tuple[object, ...], Model] = field(default_factory=dict)
    _told: dict[tuple[object, ...], tuple[float, float, float, float]] = field(default_factory=dict)

    def compare(self, a: int, b: int) -> tuple[Found, Found]:
        """Train in a and test in b, and the other way round; once where both are the same."""
        same = a == b
        index = [a] if same else [a, b]
        nothing = Found(), Found()
        parts = [self.parts[i] for i in index]
        label = shared_map(parts)
        if label is None:
            return _because("the sessions share no map", *nothing)
        units = np.asarray(self.detected[index].all(axis=0))
        thinned = [part.of_units(units) for part in parts]
        least = shared_states(thinned, label, self.target.places.ways.size)
        allowed = least > 0
        if self.events and not same:
            rates = [mean_rates(part, label, least) for part in thinned]
            units, thinned = self._equal_events(index, units, thinned, rates)
        if not units.any():
            return _because("no unit was detected (or active) in both sessions", *nothing)
        if not allowed.any():
            return _because("the sessions share no bin", *nothing)
        names = [self.names[i] for i in index]
        deals = deal(thinned, names, label, self.n_folds, self.seed, self.laps)
        if deals is None:
            return _because("a direction has fewer than two laps in a session", *nothing)
        key = (label, units.tobytes(), allowed.tobytes())
        tests = [
            self._testing(i, part, d.fold, allowed, key)
            for i, d, part in zip(index, deals, thinned, strict=True)
        ]
        if min(test.truth.shape[0] for test in tests) < FEWEST_WINDOWS:
            return _because(f"a session has fewer than {FEWEST_WINDOWS} windows", *nothing)
        found = []
        for teacher, tested in [(0, 0)] if same else [(0, 1), (1, 0)]:
            found.append(self._one(thinned, deals, tests[tested], (teacher, tested), index, key))
            found[-1].n_units = int(units.sum())
        if self.tests and not same:
            self._permute(thinned, label, allowed, index, found)
        return (found[0], found[0]) if same else (found[0], found[1])

    def _testing(
        self,
        i: int,
        part: Part,
        row_fold: np.ndarray,
        allowed: np.ndarray,
        key: tuple[object, ...],
    ) -> Testing:
        """The windows of a session that test; kept for other pairs where they are small."""
        name = (i, row_fold.tobytes(), *key)
        found = self._tests.get(name) or _testing(part, row_fold, allowed, self.target)
        if not self.events and part.activity.shape[0] * part.activity.shape[1] <= _KEPT:
            self._tests[name] = found
        return found

    def _equal_events(
        self, index: list[int], units: np.ndarray, parts: list[Part], rates: list[np.ndarray]
    ) -> tuple[np.ndarray, list[Part]]:
        """Both sessions with as many events of each unit, without units that lack any in one."""
        least = np.min(rates, axis=0)
        active = least > 0  # NaN where the sessions share no state
        chosen = units.copy()
        chosen[units] = active
        found = []
        for i, part, rate in zip(index, parts, rates, strict=True):
            rng = generator(self.seed, "decoding events", *(self.names[k] for k in index), i)
            keep = least[active] / rate[active]
            found.append(part.of_units(active).thinned(keep, rng))
        return chosen, found

    def _one(
        self,
        parts: list[Part],
        deals: list[Deal],
        test: Testing,
        pair: tuple[int, int],
        index: list[int],
        key: tuple[object, ...],
    ) -> Found:
        teacher, tested = pair
        results = []
        for t in dict.fromkeys((teacher, tested)):
            name = (index[t], index[tested], deals[t].teach.tobytes(), test.fold.tobytes(), *key)
            told = self._told.get(name)
            if told is None:
                told = self._errors(parts[t], deals[t], test, index[t], index[tested], key)
                if not self.events:  # with equal events every pair has events of its own
                    self._told[name] = told
            results.append(told)
        (error, median, chance, p), (own_error, _, own_chance, own_p) = results[0], results[-1]
        return Found(
            error=error,
            error_median=median,
            own_error=own_error,
            chance=chance,
            own_chance=own_chance,
            p=p,
            own_p=own_p,
            n_laps=int(deals[teacher].teach.sum(axis=1).min()),
            n_windows=int(test.truth.shape[0]),
        )

    def _errors(
        self,
        part: Part,
        dealt: Deal,
        test: Testing,
        teacher: int,
        tested: int,
        key: tuple[object, ...],
    ) -> tuple[float, float, float, float]:
        """Mean and median error, chance and p, each window by a decoder that did not see it."""
        guess = np.full(test.truth.shape, np.nan)
        for teach, (here, activity, seconds) in zip(dealt.teach, test.folds, strict=True):
            if not here.size:
                continue
            name = (teacher, teach.tobytes(), *key)
            model = self._models.get(name) or self.learner(part, teach)
            if not self.events:
                self._models[name] = model
            guess[here] = model(activity, seconds, test.allowed)
        errors = self.target.error(guess, test.truth)
        rng = generator(self.seed, "decoding chance", self.names[tested])
        null = chance_errors(self.target.error, guess, test.truth, self.n_repeats, rng)
        mean = float(errors.mean())
        chance = float(null.mean()) if null.size else float("nan")
        return mean, float(np.median(errors)), chance, p_below(mean, null)

    def _permute(
        self,
        parts: list[Part],
        label: int,
        allowed: np.ndarray,
        index: list[int],
        found: list[Found],
    ) -> None:
        """Whether either session is decoded worse by groups of laps of the other."""
        groups = self._groups(parts, label, index)
        if groups is None:
            return
        models = [
            [self.learner(part, own == g) for g in range(int(own.max()) + 1)]
            for part, own in zip(parts, groups, strict=True)
        ]
        n = len(models[0])
        errors = np.full((2, n, 2, n), np.nan)
        for tested, part in enumerate(parts):
            group = groups[tested][part.row]
            at = np.flatnonzero((group >= 0) & allowed[part.way, part.place])
            truth, group = self.target.truth(part)[at], group[at]
            activity, seconds = part.table[at], part.seconds[at]
            size = np.bincount(group, minlength=n)
            for teacher in (0, 1):
                for g, model in enumerate(models[teacher]):
                    wrong = self.target.error(model(activity, seconds, allowed), truth)
                    total = np.bincount(group, wrong, minlength=n)
                    errors[teacher, g, tested] = np.divide(
                        total, size, out=np.full(n, np.nan), where=size > 0
                    )
        flat = errors.reshape(2 * n, 2 * n)
        order = np.r_[n : 2 * n, :n]
        for k, square in enumerate((flat, flat[np.ix_(order, order)])):
            rng = generator(self.seed, "decoding groups", *(self.names[i] for i in index), k)
            found[k].worse_p = worse_p(square, rng)

    def _groups(self, parts: list[Part], label: int, index: list[int]) -> list[np.ndarray] | None:
        """(row) group of each lap, as many laps of each direction in both sessions; -1 for none."""
        ways = np.unique(np.concatenate([p.row_way[p.of_map(label)] for p in parts]))
        own = [[np.flatnonzero(p.of_map(label) & (p.row_way == w)) for w in ways] for p in parts]
        sizes = [min(session[w].size for session in own) for w in range(ways.size)]
        n = min(self.n_folds, *sizes)
        if n < 3:
            return None
        found = []
        for i, part, session in zip(index, parts, own, strict=True):
            group = np.full(part.row_way.size, -1)
            for w, rows in enumerate(session):
                rng = generator(self.seed, "decoding groups", self.names[i], int(ways[w]))
                kept = np.sort(rng.permutation(rows)[: sizes[w]])
                group[kept] = np.arange(kept.size) % n
            found.append(group)
        return found


def _because(why: str, *found: Found) -> tuple[Found, Found]:
    for one in found:
        one.why = why
    return found[0], found[1]
