"""Borders of the phases, the phase of each session, and the evidence for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.analysis._inference import permutation_p, t_interval
from neurodrift.analysis.phases._series import Series
from neurodrift.analysis.series.plateau import (
    Change,
    Ends,
    candidate_ends,
    early_fall,
    fit_change,
    joint_end,
    judged,
    log_sum,
    mean_level,
    scale_of,
)
from neurodrift.analysis.series.verdicts import FEWEST, Course, decide, holm, linear_change
from neurodrift.seeds import generator

PHASES = ("fast learning", "directed drift", "null drift")
EITHER = "fast learning or directed drift"
PERHAPS_NULL = "null drift or none"
NO_DRIFT = "no drift"
BORDERS = ("fast learning ends", "directed drift ends")
_LABELS = ((PHASES[0],), (PHASES[1], EITHER), (PHASES[2], PERHAPS_NULL, NO_DRIFT))
_LOSS_FLOOR = 0.01  # of the largest loss; smaller improvements are no fast learning
_STRONG = np.log(10.0)  # Jeffreys' strong evidence
_HALVED = np.log(2.0)  # a fall of the loss that "it does not improve" must have been able to show


@dataclass(frozen=True)
class _Found:
    """Evidence for a change in some sessions, and when it is done."""

    log_bf: float
    ends: Ends
    mass: np.ndarray
    state: str

    def border(self, level: float) -> tuple[float, float, float, float]:
        """Median, interval and probability that it lies within the recording."""
        return (
            self.ends.median(self.mass),
            *self.ends.interval(self.mass, level),
            float(self.mass[: self.ends.n_within].sum() / self.mass.sum()),
        )

    def under_way(self, at: np.ndarray) -> np.ndarray:
        """Probability that the change is there and not done yet."""
        share = 1 / (1 + np.exp(-np.clip(self.log_bf, -700, 700)))
        return np.asarray(share * self.not_done(at))

    def not_done(self, at: np.ndarray) -> np.ndarray:
        """Probability that the change is not done yet, given that there is one."""
        done = np.interp(at, self.ends.at, self.ends.before(self.mass))
        return np.where(at < self.ends.at[0], 1.0, 1 - done)


def state_of(log_bf: float) -> str:
    """In a word what a Bayes factor of change against none says."""
    if np.isnan(log_bf):
        return "too few sessions"
    return "changes" if log_bf >= _STRONG else "constant" if log_bf <= 0 else UNDECIDED


def find_phases(
    series: Series,
    *,
    done: float,
    negligible: float,
    margin: float,
    level: float,
    n_repeats: int,
    seed: int,
) -> xr.Dataset:
    """Borders, phases and evidence of a recording, see :func:`detect_phases`."""
    finder = _Finder(series, done, negligible, margin, level, n_repeats, seed)
    return finder.dataset()


class _Finder:
    def __init__(
        self,
        series: Series,
        done: float,
        negligible: float,
        margin: float,
        level: float,
        n_repeats: int,
        seed: int,
    ) -> None:
        self._series, self._done, self._negligible = series, done, negligible
        self._margin = margin
        self._level, self._n_permutations, self._seed = level, n_repeats, seed
        n = series.at.size
        self._log_loss = None
        self._loss = self._statistics = None
        self._changes: dict[str, Change] = {}
        self._courses: dict[str, Course] = {}
        self._states: dict[str, str] = {}
        self._trends: dict[str, float] = {}
        self._after = np.arange(n)
        if series.loss is not None:
            floor = _LOSS_FLOOR * np.nanmax(np.abs(series.loss))
            self._log_loss = np.log(np.maximum(series.loss, 0) + max(floor, 1e-300))
            self._loss = self._of_loss()
        if self._loss is not None and self._loss.state == "changes":
            self._after = np.flatnonzero(series.at >= self._loss.border(level)[0])
        self._statistics = self._of_statistics()
        self._dominant = self._phase_of_each_session()
        self.confounds = self._of_confounds()

    def _of_loss(self) -> _Found | None:
        if self._series.at.size < FEWEST or self._log_loss is None:
            return None
        ends = candidate_ends(self._series.at, self._done)
        change = early_fall(self._log_loss, ends, self._negligible, self._series.when)
        if change is None:
            return None
        self._changes["loss"] = change
        log_bf = change.total(ends.prior)
        course = self._course("loss", np.arange(self._series.at.size))
        self._courses["loss"] = course
        self._states["loss"] = state = _state_of_loss(log_bf, course, self._level)
        return _Found(log_bf, ends, posterior(change, ends), state)

    def _course(self, name: str, which: np.ndarray) -> Course:
        """Straight line through a quantity in some sessions; of the loss through its logarithm."""
        values = self._log_loss if name == "loss" else self._series.measures[name]
        assert values is not None
        if which.size < 2:
            return Course()
        return linear_change(values[which], self._series.at[which], self._series.when[which])

    def _of_statistics(self) -> _Found | None:
        at = self._series.at[self._after]
        if at.size < FEWEST:
            return None
        ends = candidate_ends(at, self._done)
        when = self._series.when[self._after]
        for name, values in self._series.measures.items():
            change = judged(values[self._after], ends, self._negligible, when)
            if change is not None:
                self._changes[name] = change
                self._courses[name] = self._course(name, self._after)
        names = [name for name in self._changes if name != "loss"]
        if not names:
            return None
        corrected = holm(np.array([self._courses[name].p for name in names]))
        for name, p in zip(names, corrected, strict=True):
            change = self._changes[name]
            log_bf = change.total(ends.prior)
            self._states[name] = self._state(self._courses[name], log_bf, p)
            if self._states[name] == "changes":
                found_by_line = p < 1 - self._level
                self._trends[name] = np.sign(
                    self._courses[name].change if found_by_line else change.change
                )
        log_bf, mass = joint_end([self._changes[name] for name in names], ends.prior)
        states = [self._states[name] for name in names]
        sloping = [
            name
            for name, p in zip(names, corrected, strict=True)
            if self._states[name] == "changes" and p < 1 - self._level
        ]
        state = state_of(log_bf)
        if sloping:
            state = "changes"
        elif state == "constant" and set(states) != {"constant"}:
            state = UNDECIDED
        return _Found(log_bf, ends, mass, state)

    def _state(self, course: Course, log_bf: float, p: float) -> str:
        """What a statistic shows, by its line or by any shape.

        Parameters
        ----------
        course
            Its line. What it finds is no change where `log_bf` speaks against any.
        log_bf
            Log Bayes factor of a change of any shape that counts.
        p
            P of the line, corrected for the number of statistics.
        """
        line = decide(
            course,
            margin=self._margin,
            level=self._level,
            p=p,
            log_bf=log_bf,
            negligible=self._negligible,
        )
        if log_bf >= _STRONG or (line in ("rises", "falls") and log_bf > 0):
            return "changes"
        return "constant" if line == "no change" else UNDECIDED

    def _of_confounds(self) -> list[str]:
        """What else changes over the sessions."""
        ends = candidate_ends(self._series.at, self._done) if self._series.at.size > 1 else None
        found = []
        for name, values in self._series.confounds.items():
            change = None
            if ends is not None:
                change = judged(values, ends, self._negligible, self._series.when)
            if ends is not None and change is not None and change.total(ends.prior) > 0:
                found.append(name)
        return found

    def _phase_of_each_session(self) -> np.ndarray:
        n = self._series.at.size
        dominant = np.full(n, UNDECIDED, dtype=object)
        if self._loss is not None and self._loss.state == "changes":
            dominant[self._loss.not_done(self._series.at) > 0.5] = PHASES[0]
        rest = np.setdiff1d(self._after, np.flatnonzero(dominant == PHASES[0]))
        found = self._statistics
        self.representation = UNDECIDED
        if found is None or found.state == UNDECIDED:
            return dominant
        if self._series.loss is not None and (self._loss is None or self._loss.state == UNDECIDED):
            return dominant
        directed = np.zeros(rest.size, dtype=bool)
        if found.state == "changes":
            directed = found.not_done(self._series.at[rest]) > 0.5
        dominant[rest[directed]] = EITHER if self._series.loss is None else PHASES[1]
        null = rest[~directed]
        if found.state == "changes" and not self._stays(null):
            return dominant
        self.representation = self._drifts(null if null.size >= FEWEST else self._after)["state"]
        names = {"changes": PHASES[2], "constant": NO_DRIFT}
        dominant[null] = names.get(self.representation, PERHAPS_NULL)
        return dominant

    def _stays(self, which: np.ndarray) -> bool:
        """Whether some sessions can tell of null drift, and none of their statistics changes."""
        if which.size < FEWEST:
            return False
        names = [name for name in self._changes if name != "loss"]
        rows = {name: self._within(2, name, which)[3] * np.log(10) for name in names}
        return all(self._observed(2, name, which, rows[name]) != "changes" for name in names)

    def _drifts(self, which: np.ndarray) -> dict[str, Any]:
        return drift_of(
            self._series,
            which,
            level=self._level,
            negligible=self._negligible,
            done=self._done,
            n_repeats=self._n_permutations,
            seed=self._seed,
        )

    def dataset(self) -> xr.Dataset:
        series = self._series
        quantities = [
            *(["loss"] if series.loss is not None else []),
            *series.measures,
            *(["representation"] if series.similarity is not None else []),
        ]
        out: dict[str, Any] = {"dominant": ("session", self._dominant)}
        out["probability"] = (("phase", "session"), self._probability())
        out |= self._borders() | self._each_quantity(quantities) | self._each_phase(quantities)
        return xr.Dataset(
            out,
            attrs={"confounds": ", ".join(self.confounds)},
            coords={
                "session": np.array(series.labels, dtype=object),
                "at": ("session", series.at),
                "phase": np.array(PHASES, dtype=object),
                "border": np.array(BORDERS, dtype=object),
                "quantity": np.array(quantities, dtype=object),
            },
        )

    def _probability(self) -> np.ndarray:
        at = self._series.at
        chance = np.full((3, at.size), np.nan)
        fast = np.zeros(at.size)
        if self._loss is not None:
            chance[0] = fast = self._loss.under_way(at)
        if self._statistics is not None:
            directed = self._statistics.under_way(at)
            chance[1] = (1 - fast) * directed
            absent = self.representation == "constant"
            chance[2] = 0.0 if absent else (1 - fast) * (1 - directed)
        return chance

    def _borders(self) -> dict[str, Any]:
        rows = np.full((4, 2), np.nan)
        for i, found in enumerate((self._loss, self._statistics)):
            if found is not None and found.state == "changes":
                rows[:, i] = found.border(self._level)
        names = ("change_point", "change_point_ci_low", "change_point_ci_high", "reached")
        return {name: ("border", row) for name, row in zip(names, rows, strict=True)}

    def _each_quantity(self, quantities: list[str]) -> dict[str, Any]:
        n, size = self._series.at.size, len(quantities)
        per = {
            name: np.full(size, np.nan)
            for name in (
                *("log10_bayes_factor", "trend", "end", "end_ci_low", "end_ci_high"),
                *("total_change", "total_change_ci_low", "total_change_ci_high"),
                *("linear_change", "linear_change_ci_low", "linear_change_ci_high"),
                *("linear_p", "detectable"),
            )
        }
        shown, fitted = np.full((size, n), np.nan), np.full((size, n), np.nan)
        states = np.full(size, "too few sessions", dtype=object)
        for i, name in enumerate(quantities):
            if name == "representation":
                assert self._series.similarity is not None
                shown[i, 1:] = 1 - np.diag(self._series.similarity, 1)
                states[i] = self._drifts(self._after)["state"]
                continue
            values = self._series.loss if name == "loss" else self._series.measures[name]
            assert values is not None
            shown[i] = values
            found = self._loss if name == "loss" else self._statistics
            if found is None or name not in self._changes:
                continue
            change = self._changes[name]
            log_bf = change.total(found.ends.prior)
            changed = log_bf > 0
            first = values[np.searchsorted(self._series.at, found.ends.at[0]) :]
            sizes = relative(change, name, first, self._level)
            for key, value in zip(("", "_ci_low", "_ci_high"), sizes, strict=True):
                per[f"total_change{key}"][i] = value
            per["log10_bayes_factor"][i] = log_bf / np.log(10)
            states[i] = self._states[name]
            line = _relative_line(self._courses[name], name == "loss", self._level)
            for key, value in line.items():
                per[key][i] = value
            per["trend"][i] = 0
            if states[i] == "changes":
                per["trend"][i] = self._trends.get(name, np.sign(change.change))
                own = _Found(log_bf, found.ends, posterior(change, found.ends), "changes")
                per["end"][i], per["end_ci_low"][i], per["end_ci_high"][i], _ = own.border(
                    self._level
                )
            course = change.fitted if changed else np.full(found.ends.at.size, change.constant)
            if name == "loss":
                assert self._log_loss is not None
                floor = np.nanmedian(np.exp(self._log_loss) - np.maximum(values, 0))
                course = np.maximum(np.exp(course) - floor, 0)
            fitted[i, np.isin(self._series.at, found.ends.at)] = course
        out: dict[str, Any] = {name: ("quantity", column) for name, column in per.items()}
        pair = ("quantity", "session")
        out["state"] = ("quantity", states)
        return out | {"series": (pair, shown), "fitted": (pair, fitted)}

    def _each_phase(self, quantities: list[str]) -> dict[str, Any]:
        pair = ("phase", "quantity")
        shape = (3, len(quantities))
        out = {
            name: np.full(shape, np.nan)
            for name in ("change", "change_ci_low", "change_ci_high", "evidence")
        }
        observed = np.full(shape, "no session", dtype=object)
        expected = np.full(shape, "changes", dtype=object)
        drift = {name: np.full(3, np.nan) for name in ("rate", "low", "high", "p", "rate_evidence")}
        counts = np.zeros(3, dtype=np.int64)
        for i, names in enumerate(_LABELS):
            which = np.flatnonzero(np.isin(self._dominant, names))
            counts[i] = which.size
            moved = self._drifts(which)
            for name, column in drift.items():
                column[i] = moved[name]
            for j, name in enumerate(quantities):
                expected[i, j] = _expected(i, name)
                if not which.size:
                    continue
                if name == "representation":
                    row = (moved["change"], moved["c_low"], moved["c_high"], np.nan)
                    observed[i, j] = moved["state"]
                else:
                    row = self._within(i, name, which)
                    observed[i, j] = self._observed(i, name, which, row[3] * np.log(10))
                for table, value in zip(out.values(), row, strict=True):
                    table[i, j] = value
        rates = {
            "drift_rate": drift["rate"],
            "drift_rate_ci_low": drift["low"],
            "drift_rate_ci_high": drift["high"],
            "drift_p": drift["p"],
            "rate_evidence": drift["rate_evidence"],
        }
        overall = self._drifts(self._after)
        totals = {
            "neighbour_change": overall["change"],
            "neighbour_change_ci_low": overall["c_low"],
            "neighbour_change_ci_high": overall["c_high"],
            "neighbour_p": overall["p"],
        }
        return {
            **{name: ((), value) for name, value in totals.items()},
            "n_sessions": ("phase", counts),
            **{name: ("phase", column) for name, column in rates.items()},
            **{name: (pair, table) for name, table in out.items()},
            "observed": (pair, observed),
            "expected": (pair, expected),
        }

    def _observed(self, phase: int, name: str, which: np.ndarray, log_bf: float) -> str:
        """What a quantity shows within a phase."""
        if np.isnan(log_bf):
            return "too few sessions"
        if self._defines(phase, name):
            return self._states[name]
        course = self._course(name, which)
        if name == "loss":
            return _state_of_loss(log_bf, course, self._level)
        return self._state(course, log_bf, course.p)

    def _defines(self, phase: int, name: str) -> bool:
        """Whether the phase was found by a change of the quantity."""
        defining = (phase == 0 and name == "loss") or (phase == 1 and name != "loss")
        return defining and name in self._changes

    def _within(
        self, phase: int, name: str, which: np.ndarray
    ) -> tuple[float, float, float, float]:
        """Relative change of a quantity within a phase, interval and log10 Bayes factor."""
        values = self._log_loss if name == "loss" else self._series.measures[name]
        assert values is not None
        if self._defines(phase, name):  # by the fit that found the phase
            found = self._loss if name == "loss" else self._statistics
            assert found is not None
            change, prior = self._changes[name], found.ends.prior
            inside = np.flatnonzero(np.isin(found.ends.at, self._series.at[which]))
            course = change.fitted
            last = min(inside[-1] + 1, course.size - 1)
            total = course[-1] - course[0]
            share = (course[last] - course[inside[0]]) / total if total else 0.0
        else:
            part = values[which]
            if np.isfinite(part).sum() < FEWEST:
                return np.nan, np.nan, np.nan, np.nan
            ends = candidate_ends(self._series.at[which], self._done)
            when = self._series.when[which]
            found_here = (
                fit_change(part, ends, when=when)
                if name == "loss"
                else judged(part, ends, self._negligible, when)
            )
            if found_here is None:
                return np.nan, np.nan, np.nan, np.nan
            if name == "loss":
                found_here = found_here.beyond(self._negligible, ends.prior)
            change, prior, share = found_here, ends.prior, 1.0
        size, low, high = relative(change, name, values[which], self._level, share)
        return size, low, high, change.total(prior) / np.log(10)


def _state_of_loss(log_bf: float, course: Course, level: float) -> str:
    """Whether the loss falls; constant only if it would have been seen to halve."""
    state = state_of(log_bf)
    if state != "constant":
        return state
    low = course.interval(level)[0] if np.isfinite(course.se) else -np.inf
    shown = course.detectable(level) <= _HALVED and low >= -_HALVED
    return state if shown else UNDECIDED


def _relative_line(course: Course, logarithm: bool, level: float) -> dict[str, float]:
    """A straight line relative to the mean of its series; of a logarithm as a share."""
    size = np.array([course.change, *course.interval(level), course.detectable(level)])
    if logarithm:
        size[3] = -size[3]  # a fall
        with np.errstate(over="ignore"):
            size = np.expm1(size)
        size[3] = -size[3]
    elif course.mean != 0:
        size = size / abs(course.mean)
    names = ("linear_change", "linear_change_ci_low", "linear_change_ci_high", "detectable")
    return dict(zip(names, map(float, size), strict=True)) | {"linear_p": course.p}


def relative(
    change: Change, name: str, values: np.ndarray, level: float, share: float = 1.0
) -> tuple[float, float, float]:
    """Size of a change, or a share of it, and its interval, relative to the first values."""
    size = np.array([change.change, *change.interval(level)]) * share
    if name == "loss":  # was fitted as a logarithm; an interval without an end is infinite
        with np.errstate(over="ignore"):
            size = np.expm1(size)
    else:
        size = size / scale_of(values)
    low, high = np.sort(size[1:])
    return float(size[0]), float(low), float(high)


def posterior(change: Change, ends: Ends) -> np.ndarray:
    """Probability (cell) of the end of one series' change, given that it changes."""
    if not np.isfinite(change.log_bf).any():
        return ends.prior
    log_mass = change.log_bf + np.log(ends.prior)
    return np.asarray(np.exp(log_mass - log_sum(log_mass)))


def _expected(phase: int, name: str) -> str:
    """Table 1 of the paper."""
    if name == "representation" or (phase, name) == (0, "loss"):
        return "changes"
    if name == "loss":
        return "constant"
    return ("may change", "changes", "constant")[phase]


UNDECIDED = "undecided"
_UNLIKE = 0.5  # similarity of neighbours that no choice of cells explains
_ALIKE = 0.1  # change between neighbours that still passes for none


def drift_of(
    series: Series,
    which: np.ndarray,
    *,
    level: float,
    negligible: float,
    done: float,
    n_repeats: int,
    seed: int,
) -> dict[str, Any]:
    """Whether the representation of some sessions changes, and how fast.

    Parameters
    ----------
    series
        A recording.
    which
        Positions of the sessions.
    level
        Coverage of the intervals.
    negligible
        Fall of the similarity that does not count.
    done
        Part of a change of the rate that is done at its end.
    n_repeats, seed
        Permutations behind the test, and their seed.

    Returns
    -------
    dict
        ``rate`` [1/axis] with ``low`` and ``high``, ``change`` between neighbours with ``c_low``
        and ``c_high``, ``p``, ``rate_evidence`` (log10 Bayes factor) and ``state`` in a word.
    """
    nothing: dict[str, Any] = dict.fromkeys(
        ("rate", "low", "high", "p", "change", "c_low", "c_high"), np.nan
    )
    nothing |= {"rate_evidence": np.nan, "state": "not measured"}
    if series.similarity is None:
        return nothing
    if which.size < 2:
        return nothing | {"state": "too few sessions"}
    r = series.similarity[np.ix_(which, which)]
    at = series.at[which]
    when = series.when[which]
    neighbours = np.diag(r, 1)
    if not np.isfinite(neighbours).any():
        return nothing
    rate = -np.log(np.maximum(neighbours, 0.02)) / np.diff(at)
    out = nothing | {"p": _mantel(r, at, n_repeats, seed)}
    out["rate"], out["low"], out["high"] = _interval(rate, when[1:], level)
    out["change"], out["c_low"], out["c_high"] = _interval(1 - neighbours, when[1:], level)
    if rate.size >= FEWEST:
        ends = candidate_ends(at[1:], done)
        change = judged(rate, ends, negligible, when[1:])
        if change is not None:
            out["rate_evidence"] = change.total(ends.prior) / np.log(10)
    lower = np.nanmin(r[np.triu_indices(which.size, 1)])
    if (out["p"] <= 0.05 and 1 - lower > negligible) or out["c_low"] > 1 - _UNLIKE:
        out["state"] = "changes"
    elif which.size >= FEWEST and out["c_high"] < _ALIKE:
        out["state"] = "constant"
    else:
        out["state"] = UNDECIDED
    return out


def _interval(values: np.ndarray, when: np.ndarray, level: float) -> tuple[float, float, float]:
    mean, se, dof = mean_level(values, when)
    low, high = t_interval(mean, se, dof, level)
    return mean, float(low), float(high)


def _mantel(r: np.ndarray, at: np.ndarray, n_repeats: int, seed: int) -> float:
    """P that similarity falls with the lag as it does if the sessions had any order."""
    from scipy.stats import rankdata

    n = at.size
    upper = np.triu_indices(n, 1)
    lag = np.zeros((n, n))
    lag[upper] = rankdata(np.abs(at[:, None] - at[None, :])[upper])
    lag = lag + lag.T
    lag[upper] -= lag[upper].mean()
    known = np.isfinite(r[upper])
    if n < 4 or known.sum() < 6 or np.ptp(r[upper][known]) < 1e-9:
        return np.nan
    filled = np.where(np.isfinite(r), r, 0.0)
    seen = np.isfinite(r).astype(float)

    def slope(order: np.ndarray) -> float:
        values, there = filled[np.ix_(order, order)][upper], seen[np.ix_(order, order)][upper]
        x, w = lag[upper], there / there.sum()
        x = x - w @ x
        return float((w * x) @ (values - w @ values) / np.sqrt((w * x) @ x))

    rng = generator(seed, "phases")
    observed = slope(np.arange(n))
    reached = sum(slope(rng.permutation(n)) <= observed + 1e-12 for _ in range(n_repeats))
    return float(permutation_p(reached, n_repeats))
