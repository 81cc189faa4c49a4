"""Activity moved against position such that its dependence on running speed stays.

What a unit would do at each speed is learnt from its own activity. Frames are then laid end to end
as long as the activity that their speed lets expect, and activity is shifted along that line: it
comes to places in proportion to what speed alone would bring there, and bursts stay whole. What
speed lets expect is learnt anew from every moved copy, as it was from the unmoved activity.

Activity may trail speed. One delay that is chosen from the data is often a wrong one, which looks
like place: a unit is tested with every delay that explains it almost as well as the best one does,
and the largest p counts.

Speed of a second ago, or its change, tells where the animal is almost as well as a place field
does, so that one of many such delays explains most fields. They are asked only where a unit shows
that it follows speed: among passages of the same place it must be more active when that speed was
right (:meth:`SpeedKept.beside_place`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from neurodrift.analysis.place_cells.shuffles import Plan, Statistic

DELAYS = (0.0, 0.5, 1.0, 2.0)
"""Time constants [s] with which a trace may trail speed."""

DELAYS_OF_COUNTS = (0.0, 0.3, 0.7)
"""The same for spikes and events, whose bursts last but which do not decay."""

LAGS_OF_COUNTS = (-0.75, -0.5, -0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0)
"""Lags [s] at which spikes and events may follow speed, besides its change."""

Compare = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""What :meth:`SpeedKept.rates` or :meth:`SpeedKept.levels` give, to a statistic (1 + copy)."""

_EVENTS_PER_CLASS = 8
_FEWEST_CLASSES, _MOST_CLASSES = 3, 8
_RUNNING, _MOST_SPEED = 2.0, 0.95  # [cm/s]; jumps are cut at twice this quantile
_LIKELY = 2.0  # of the logarithm of likelihood below the best delay
_LEAST_GAIN = 8.0  # of the logarithm of likelihood by which a lag must explain more than no speed
_LEAST_RATIO, _LEAST_SCORE = 0.5, 1.75  # of a lag beside place: log-likelihood, standard deviations
_CHANGE = 0.5  # [s] over which change of speed is measured
_FLOOR = 0.05  # of mean rate, below which speed is not believed to bring it
_LEAST = 1e-3  # of the mean of what is expected, so that every frame has a length


def trailing_speed(speed: np.ndarray, seconds: np.ndarray, counts: bool) -> np.ndarray:
    """Running speed as activity may follow it.

    Parameters
    ----------
    speed
        (time) running speed of one session [cm/s]; gaps are filled from both sides, and jumps, such
        as where a belt begins anew, count as twice the 95th percentile of running.
    seconds
        (time) length of each frame.
    counts
        Whether activity is spikes or events.

    Returns
    -------
    numpy.ndarray
        (delay, time) exponentially weighted past of the speed with each of :data:`DELAYS`; of
        counts with each of :data:`DELAYS_OF_COUNTS`, then speed at each of :data:`LAGS_OF_COUNTS`,
        and last its change [cm/s].
    """
    from neurodrift.analysis.place_cells._kernels import trail

    known = np.isfinite(speed)
    delays = DELAYS_OF_COUNTS if counts else DELAYS
    n_far = len(LAGS_OF_COUNTS) + 1 if counts else 0
    found = np.zeros((len(delays) + n_far, speed.size))
    if not known.any():
        return found
    at = np.arange(speed.size)
    running = speed[known & (speed >= _RUNNING)]
    most = 2 * np.quantile(running, _MOST_SPEED) if running.size else np.inf
    filled = np.minimum(np.interp(at, at[known], speed[known]), most)
    for row, delay in zip(found, delays, strict=False):
        trail(filled, np.asarray(seconds, dtype=np.float64), delay, row)
    if counts:
        ends = np.cumsum(seconds)
        for row, lag in zip(found[len(delays) :], LAGS_OF_COUNTS, strict=False):
            row[:] = np.interp(ends - lag, ends, filled)
        way, edges = np.append(0.0, np.cumsum(filled * seconds)), np.append(0.0, ends)
        now = ends - seconds / 2
        before, here, after = (np.interp(now + k * _CHANGE, edges, way) for k in (-1, 0, 1))
        found[-1] = (after - 2 * here + before) / _CHANGE
    return found


class SpeedKept:
    """Moves activity along the line of what speed lets expect, in the frames of one map.

    Parameters
    ----------
    states
        (time) state of each frame that counts, 0 to n - 1.
    n_states
        Number of states.
    speed
        (time) trailing speed with one delay.
    lap
        (time) activity is moved within each run of equal lap; along all frames where it is None.
    seconds
        (time) length of each frame, where these differ.
    smooth
        Shares what (..., state) states have among their neighbours.
    """

    def __init__(
        self,
        states: np.ndarray,
        n_states: int,
        speed: np.ndarray,
        lap: np.ndarray | None,
        seconds: np.ndarray | None,
        smooth: Callable[[np.ndarray], np.ndarray] = np.asarray,
    ) -> None:
        self.states = np.ascontiguousarray(states, dtype=np.int64)
        self.n_states, self.speed = n_states, speed
        n = self.states.size
        self.seconds = np.ones(n) if seconds is None else seconds.astype(np.float64)
        self.smooth = smooth
        self.time = smooth(np.bincount(self.states, self.seconds, n_states)[None])[0]
        starts = np.zeros(1, dtype=np.int64)
        if lap is not None:
            starts = np.flatnonzero(np.diff(lap, prepend=lap[:1] - 1))
        self.edges = np.append(starts, n).astype(np.int64)
        self._classes: dict[int, _Classes] = {}

    def rates(
        self, frames: np.ndarray, amounts: np.ndarray, n_repeats: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Activity that is nowhere negative, and what speed lets expect, in each state.

        Parameters
        ----------
        frames, amounts
            (entry) frames with activity, increasing, and how much.
        n_repeats
            Number of moved copies.
        rng
            Random numbers.

        Returns
        -------
        found, expected : numpy.ndarray
            (1 + copy, state) of unmoved and of moved activity.
        """
        classes = self._of(frames, amounts)
        line = classes.fitted(np.bincount(classes.index[frames], amounts, classes.time.size))
        line = np.maximum(line, _LEAST * np.average(line, weights=self.seconds)) * self.seconds
        found, per_class = self._move(frames, amounts, line, classes, n_repeats, rng)
        expected = per_class @ classes.in_state
        return found, np.maximum(expected, _LEAST * expected.mean(axis=1, keepdims=True))

    def likelihood_of_rates(self, frames: np.ndarray, amounts: np.ndarray) -> float:
        """Log-likelihood, but for a constant, of as many events as `amounts` are worth.

        Parameters
        ----------
        frames, amounts
            As for :meth:`rates`.

        Returns
        -------
        float
            Larger where speed with this delay explains more.
        """
        classes = self._of(frames, amounts)
        sums = np.bincount(classes.index[frames], amounts, classes.time.size)
        some = sums > 0
        worth = amounts.sum() / (amounts**2).sum()
        return float(worth * (sums[some] * np.log(sums[some] / classes.time[some])).sum())

    def likelihood_of_one_rate(self, amounts: np.ndarray) -> float:
        """Log-likelihood as of :meth:`likelihood_of_rates` of a rate that follows no speed.

        Parameters
        ----------
        amounts
            As for :meth:`rates`.

        Returns
        -------
        float
            Smaller than that of any speed.
        """
        total = float(amounts.sum())
        return total**2 / float((amounts**2).sum()) * np.log(total / float(self.seconds.sum()))

    def beside_place(self, frames: np.ndarray, amounts: np.ndarray) -> tuple[float, float]:
        """How far activity follows speed among passages of the same state.

        Given how much activity each state has, a rate that speed makes falls on those passages in
        which speed was right, a rate that the state makes on any of them alike.

        Parameters
        ----------
        frames, amounts
            As for :meth:`rates`.

        Returns
        -------
        ratio, score : float
            Log-likelihood of the one less that of the other; and the standard deviations by which
            that is larger than what the state alone lets expect, 0 where nothing can be told.
        """
        classes = self._of(frames, amounts)
        index = classes.index[frames]
        rate = np.bincount(index, amounts, classes.time.size) / classes.time
        rate = np.maximum(rate, _FLOOR * amounts.sum() / self.seconds.sum())[:, None]
        share = classes.share_in_state
        ratio = np.log(rate / (rate * share).sum(axis=0))
        expected = (ratio * share).sum(axis=0)
        variance = ((ratio - expected) ** 2 * share).sum(axis=0)
        at = self.states[frames]
        found = ratio[index, at]
        spread = float((amounts**2 * variance[at]).sum())
        worth = amounts.sum() / (amounts**2).sum()
        beyond = float((amounts * (found - expected[at])).sum())
        score = beyond / np.sqrt(spread) if spread > 0 else 0.0
        return float(worth * (amounts * found).sum()), score

    def likelihood_of_levels(self, frames: np.ndarray, amounts: np.ndarray) -> float:
        """The same of a level in Gaussian noise.

        Parameters
        ----------
        frames, amounts
            As for :meth:`levels`.

        Returns
        -------
        float
            Larger where speed with this delay explains more.
        """
        _, whole = self.levels(frames, amounts, 0, np.random.default_rng(0))
        return float(-0.5 * self.states.size * np.log(np.maximum(whole[0], 1e-300)))

    def levels(
        self, frames: np.ndarray, amounts: np.ndarray, n_repeats: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """What a level of any sign has in each state beyond its mean at that speed.

        The level is moved along time, after what its speed explains was taken out.

        Parameters
        ----------
        frames, amounts
            (entry) frames whose level is not 0, increasing, and the level times their length.
        n_repeats, rng
            As for :meth:`rates`.

        Returns
        -------
        beyond, whole : numpy.ndarray
            (1 + copy, state) summed over time, and (1 + copy) sum of squares that is left.
        """
        values = np.zeros(self.states.size)
        values[frames] = amounts / self.seconds[frames]
        values -= np.average(values, weights=self.seconds)
        every = np.arange(values.size)
        classes = self._of(every, np.abs(values))
        sums = np.bincount(classes.index, values * self.seconds, classes.time.size)
        rest = values - classes.fitted(sums)
        found, per_class = self._move(
            every, rest * self.seconds, self.seconds, classes, n_repeats, rng
        )
        explained = (per_class**2 / classes.time).sum(axis=1)
        whole = (self.seconds * rest**2).sum() - explained
        return found - per_class @ classes.in_state, whole

    def _of(self, frames: np.ndarray, amounts: np.ndarray) -> _Classes:
        """As many classes of speed as the activity can tell apart."""
        n_events = float(amounts.sum() ** 2 / (amounts**2).sum()) if frames.size else 0.0
        n = int(np.clip(n_events // _EVENTS_PER_CLASS, _FEWEST_CLASSES, _MOST_CLASSES))
        if n not in self._classes:
            self._classes[n] = _Classes(self, n)
        return self._classes[n]

    def _move(
        self,
        frames: np.ndarray,
        amounts: np.ndarray,
        line: np.ndarray,
        classes: _Classes,
        n_repeats: int,
        rng: np.random.Generator,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Activity (1 + copy, state) and (1 + copy, class), unmoved and moved."""
        from neurodrift.analysis.place_cells._kernels import moved_sums

        found = np.zeros((1 + n_repeats, self.n_states))
        per_class = np.zeros((1 + n_repeats, classes.time.size))
        found[0] = np.bincount(self.states[frames], amounts, self.n_states)
        per_class[0] = np.bincount(classes.index[frames], amounts, classes.time.size)
        moved_sums(
            frames,
            amounts,
            np.concatenate([[0.0], np.cumsum(line)]),
            self.edges,
            rng.random((n_repeats, self.edges.size - 1)),
            self.states,
            classes.index,
            found[1:],
            per_class[1:],
        )
        return self.smooth(found), per_class


class _Classes:
    """Frames in classes of equal time by their trailing speed.

    ``in_state`` (class, state) is what activity in each class lets expect, ``time`` (class) that in
    each class, ``share_in_state`` (class, state) how the time in a state divides into classes. What
    is expected is linear in speed between the middles of the classes, and such that each class has
    the activity that it has.
    """

    def __init__(self, kept: SpeedKept, n: int) -> None:
        speed, seconds = kept.speed, kept.seconds
        edges = np.quantile(speed, np.arange(1, n) / n)
        of = np.searchsorted(edges, speed, side="right")
        self.index = np.unique(of, return_inverse=True)[1].astype(np.int8)
        self.time = np.bincount(self.index, seconds)
        both = self.index.astype(np.int64) * kept.n_states + kept.states
        in_both = np.bincount(both, seconds, self.time.size * kept.n_states)
        in_both = in_both.reshape(self.time.size, -1)
        in_state = in_both.sum(axis=0)
        nowhere = np.full_like(in_both, 1 / self.time.size)  # states that are never visited
        self.share_in_state = np.divide(in_both, in_state, out=nowhere, where=in_state > 0)
        middle = np.bincount(self.index, seconds * speed) / self.time
        size = middle.size
        between = np.interp(speed, middle, np.arange(size))
        self._knot = np.minimum(between.astype(np.int8), max(size - 2, 0))
        self._above = (between - self._knot).astype(np.float32)
        self._next = np.minimum(self._knot + 1, size - 1)
        self._learn = np.linalg.pinv(self._lying(self.index, size, seconds), rcond=0.02)
        lying = self._lying(kept.states, kept.n_states, seconds)
        self.in_state = kept.smooth((lying @ self._learn).T)

    def _lying(self, of: np.ndarray, n: int, seconds: np.ndarray) -> np.ndarray:
        """Weight (group, middle) of each middle in the frames of a group."""
        weight = np.zeros((n, self.time.size))
        above = self._above * seconds
        np.add.at(weight, (of, self._knot), seconds - above)
        np.add.at(weight, (of, self._next), above)
        return weight

    def fitted(self, sums: np.ndarray) -> np.ndarray:
        """What the activity `sums` in each class lets expect in every frame."""
        values = self._learn @ sums
        return np.asarray(values[self._knot] * (1 - self._above) + values[self._next] * self._above)


@dataclass(frozen=True)
class BeyondSpeed:
    """A statistic of what is beyond speed with one delay, of unmoved and of moved activity.

    Parameters
    ----------
    plain
        The statistic of unmoved activity without regard to speed.
    kept
        Moves activity.
    compare
        The statistic (1 + copy) of what :meth:`SpeedKept.rates` or :meth:`SpeedKept.levels` give.
    level
        Whether activity is a level, which may be negative.
    """

    plain: Callable[[np.ndarray, np.ndarray], float]
    kept: SpeedKept
    compare: Compare
    level: bool

    def observed(self, frames: np.ndarray, amounts: np.ndarray) -> float:
        """The statistic as it is."""
        return self.plain(frames, amounts)

    def values(
        self, frames: np.ndarray, amounts: np.ndarray, plan: Plan, rng: np.random.Generator
    ) -> tuple[float, np.ndarray]:
        """What is beyond speed of unmoved activity, and of moved where it is defined."""
        move = self.kept.levels if self.level else self.kept.rates
        found = self.compare(*move(frames, amounts, plan.n_repeats, rng))
        return float(found[0]), found[1:][np.isfinite(found[1:])]


def likely(
    by_delay: Sequence[Statistic], frames: np.ndarray, amounts: np.ndarray
) -> list[Statistic]:
    """The statistics whose delay explains activity almost as well as the best one does.

    Parameters
    ----------
    by_delay
        A :class:`BeyondSpeed` for each row of :func:`trailing_speed`; or one statistic, which is
        likely by itself. Lags and the change of speed count where activity follows them among
        passages of the same state.
    frames, amounts
        As for :meth:`SpeedKept.rates`.

    Returns
    -------
    list of Statistic
        At least one.
    """
    if len(by_delay) == 1 or not frames.size:
        return list(by_delay[:1])
    n_near = len(DELAYS_OF_COUNTS) if len(by_delay) > len(DELAYS) else len(by_delay)
    found = np.full(len(by_delay), -np.inf)
    for i, one in enumerate(by_delay):
        assert isinstance(one, BeyondSpeed)
        of = one.kept.likelihood_of_levels if one.level else one.kept.likelihood_of_rates
        value = of(frames, amounts)
        if i >= n_near:
            flat = one.kept.likelihood_of_one_rate(amounts)
            if value < max(found[:n_near].max() - _LIKELY, flat + _LEAST_GAIN):
                continue
            ratio, score = one.kept.beside_place(frames, amounts)
            if ratio < _LEAST_RATIO or score < _LEAST_SCORE:
                continue
        found[i] = value
    least = found.max() - _LIKELY
    return [one for one, value in zip(by_delay, found, strict=True) if value >= least]
