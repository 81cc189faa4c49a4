"""Activity moved against position such that its dependence on running speed stays.

What a unit would do at each speed is learnt from its own activity. Frames are then laid end to end
as long as the activity that their speed lets expect, and activity is shifted along that line: it
comes to places in proportion to what speed alone would bring there, and bursts stay whole. What
speed lets expect is learnt anew from every moved copy, as it was from the unmoved activity.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

DELAYS = (0.0, 0.25, 0.5, 1.0, 2.0)
"""Time constants [s] with which a trace may trail speed; each unit takes the one that fits it."""

DELAYS_OF_COUNTS = (0.0, 0.3, 0.7)
"""The same for spikes and events, whose bursts last but which do not decay."""

_EVENTS_PER_CLASS = 8
_FEWEST_CLASSES, _MOST_CLASSES = 3, 8
_RUNNING, _MOST_SPEED = 2.0, 0.95  # [cm/s]; jumps are cut at twice this quantile
_LEAST = 1e-9  # of the largest expected rate, so that every frame has a length


def trailing_speed(speed: np.ndarray, seconds: np.ndarray, counts: bool) -> np.ndarray:
    """Running speed as activity may trail it, with each of :data:`DELAYS`.

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
        (delay, time) exponentially weighted past of the speed.
    """
    from neurodrift.analysis.place_cells._kernels import trail

    known = np.isfinite(speed)
    delays = DELAYS_OF_COUNTS if counts else DELAYS
    if not known.any():
        return np.zeros((len(delays), speed.size))
    at = np.arange(speed.size)
    running = speed[known & (speed >= _RUNNING)]
    most = 2 * np.quantile(running, _MOST_SPEED) if running.size else np.inf
    filled = np.minimum(np.interp(at, at[known], speed[known]), most)
    found = np.empty((len(delays), speed.size))
    for row, delay in zip(found, delays, strict=True):
        trail(filled, np.asarray(seconds, dtype=np.float64), delay, row)
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
        (delay, time) from :func:`trailing_speed`.
    lap
        (time) activity is moved within each run of equal lap; along all frames where it is None.
    seconds
        (time) length of each frame, where these differ.
    """

    def __init__(
        self,
        states: np.ndarray,
        n_states: int,
        speed: np.ndarray,
        lap: np.ndarray | None,
        seconds: np.ndarray | None,
    ) -> None:
        self.states = np.ascontiguousarray(states, dtype=np.int64)
        self.n_states, self.speed = n_states, speed
        n = self.states.size
        self.seconds = np.ones(n) if seconds is None else seconds.astype(np.float64)
        starts = np.zeros(1, dtype=np.int64)
        if lap is not None:
            starts = np.flatnonzero(np.diff(lap, prepend=lap[:1] - 1))
        self.edges = np.append(starts, n).astype(np.int64)
        self._classes: dict[int, _Classes] = {}

    @cached_property
    def time(self) -> np.ndarray:
        """Time (state) in each state."""
        return np.bincount(self.states, self.seconds, minlength=self.n_states)

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
        found = np.bincount(self.states[frames], amounts, minlength=self.n_states)[None]
        per_class = classes.sums(frames, amounts)[None]
        best = int(classes.likeliest(per_class)[0])
        rate = per_class[0, best] / classes.time[best]
        weight = classes.interpolate(best, rate)
        line = np.maximum(weight, _LEAST * rate.max()) * self.seconds
        moved, moved_per_class = self._move(frames, amounts, line, classes, n_repeats, rng)
        found = np.concatenate([found, moved])
        per_class = np.concatenate([per_class, moved_per_class])
        return found, classes.expected(per_class, classes.likeliest(per_class))

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
        frames = np.arange(values.size)
        values = values - np.average(values, weights=self.seconds)
        classes = self._of(frames, np.abs(values))
        per_class = classes.sums(frames, values * self.seconds)[None]
        found = np.bincount(self.states, values * self.seconds, minlength=self.n_states)[None]
        best = int(classes.explaining(per_class)[0])
        rest = values - classes.interpolate(best, per_class[0, best] / classes.time[best])
        moved, moved_per_class = self._move(
            frames, rest * self.seconds, self.seconds, classes, n_repeats, rng
        )
        found = np.concatenate([found, moved])
        per_class = np.concatenate([per_class, moved_per_class])
        best_of = classes.explaining(per_class)
        chosen = per_class[np.arange(best_of.size), best_of]
        squares = np.full(best_of.size, (self.seconds * rest**2).sum())
        squares[0] = (self.seconds * values**2).sum()
        whole = squares - (chosen**2 / classes.time[best_of]).sum(axis=1)
        return found - classes.expected(per_class, best_of), whole

    def _of(self, frames: np.ndarray, amounts: np.ndarray) -> _Classes:
        """As many classes of speed as the activity can tell apart."""
        n_events = float(amounts.sum() ** 2 / (amounts**2).sum()) if frames.size else 0.0
        n = int(np.clip(n_events // _EVENTS_PER_CLASS, _FEWEST_CLASSES, _MOST_CLASSES))
        if n not in self._classes:
            self._classes[n] = _Classes(self.speed, n, self.states, self.n_states, self.seconds)
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
        """Moved activity (copy, state), and (copy, delay, class)."""
        from neurodrift.analysis.place_cells._kernels import moved_sums

        found = np.zeros((n_repeats, self.n_states))
        per_class = np.zeros((n_repeats, *classes.time.shape))
        moved_sums(
            frames,
            amounts,
            np.concatenate([[0.0], np.cumsum(line)]),
            self.edges,
            rng.random((n_repeats, self.edges.size - 1)),
            self.states,
            classes.index,
            found,
            per_class,
        )
        return found, per_class


class _Classes:
    """Frames by their trailing speed, in classes of equal time for each delay.

    Between the middles of two classes what is expected is interpolated.
    """

    def __init__(
        self,
        speed: np.ndarray,
        n: int,
        states: np.ndarray,
        n_states: int,
        seconds: np.ndarray,
    ) -> None:
        n_delays, n_frames = speed.shape
        self.index = np.zeros((n_delays, n_frames), dtype=np.int8)
        self.time = np.ones((n_delays, n))  # of a class that is not there
        self._knot = np.zeros((n_delays, n_frames), dtype=np.int8)
        self._next = np.zeros((n_delays, n_frames), dtype=np.float32)
        self._in_state = np.zeros((n_delays, n_states, n))
        for q, values in enumerate(speed):
            edges = np.quantile(values, np.arange(1, n) / n)
            of = np.unique(np.searchsorted(edges, values, side="right"), return_inverse=True)[1]
            size = int(of.max()) + 1
            self.index[q] = of
            self.time[q, :size] = np.bincount(of, seconds)
            middle = np.bincount(of, seconds * values) / self.time[q, :size]
            if size > 1:
                knot = np.clip(np.searchsorted(middle, values, side="right") - 1, 0, size - 2)
                step = np.maximum(middle[knot + 1] - middle[knot], 1e-12)
                self._knot[q] = knot
                self._next[q] = np.clip((values - middle[knot]) / step, 0.0, 1.0)
            above = self._next[q].astype(np.float64) * seconds
            np.add.at(self._in_state[q], (states, self._knot[q]), seconds - above)
            if size > 1:
                np.add.at(self._in_state[q], (states, self._knot[q] + 1), above)

    def sums(self, frames: np.ndarray, amounts: np.ndarray) -> np.ndarray:
        """Activity (delay, class) in each class."""
        n = self.time.shape[1]
        return np.array([np.bincount(of[frames], amounts, minlength=n) for of in self.index])

    def interpolate(self, delay: int, values: np.ndarray) -> np.ndarray:
        """Values (time) of each frame between those of the classes."""
        knot, above = self._knot[delay], self._next[delay].astype(np.float64)
        following = np.minimum(knot + 1, values.size - 1)
        return np.asarray(values[knot] * (1 - above) + values[following] * above)

    def likeliest(self, per_class: np.ndarray) -> np.ndarray:
        """The delay (copy) at which rates by class make events (copy, delay, class) likeliest."""
        some = np.where(per_class > 0, per_class, 1.0)
        score = (np.where(per_class > 0, per_class, 0.0) * np.log(some / self.time)).sum(axis=-1)
        return np.asarray((score >= score.max(axis=-1, keepdims=True) - 1e-9).argmax(axis=-1))

    def explaining(self, per_class: np.ndarray) -> np.ndarray:
        """The delay (copy) at which means by class explain most of a level."""
        score = (per_class**2 / self.time).sum(axis=-1)
        return np.asarray(score.argmax(axis=-1))

    def expected(self, per_class: np.ndarray, best: np.ndarray) -> np.ndarray:
        """What speed lets expect (copy, state), at the best delay of each copy."""
        found = np.empty((len(per_class), self._in_state.shape[1]))
        for q in np.unique(best):
            here = best == q
            found[here] = (per_class[here, q] / self.time[q]) @ self._in_state[q].T
        return found
