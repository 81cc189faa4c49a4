"""Null distributions: what a statistic would be if activity had nothing to do with behaviour."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

import numpy as np

from neurodrift.analysis._inference import permutation_p
from neurodrift.schema.options import checked_options
from neurodrift.seeds import generator

Null = Literal["circular_exact", "circular", "lap", "block", "permutation", "occupancy"]
"""How activity is moved against behaviour; :func:`compute_null_distribution` describes each."""

NULLS: tuple[Null, ...] = get_args(Null)

FIRST_LOOK, HOPELESS = 200, 20
"""Shuffles of a first look at a unit, and how many as large as it end its test."""

_MOVED_AT_ONCE = 2**21  # moved events held in memory


@checked_options
def compute_null_distribution(
    statistic: Callable[[np.ndarray], np.ndarray | float],
    activity: np.ndarray,
    *,
    null: Null = "circular",
    n_repeats: int = 1000,
    min_shift: int = 1,
    block: int | None = None,
    lap: np.ndarray | None = None,
    seed: int = 0,
    stream: tuple[object, ...] = (),
) -> np.ndarray:
    """Values of any statistic of activity that was moved against behaviour.

    Parameters
    ----------
    statistic
        Function of activity moved in time, of the shape of `activity`.
    activity
        (time, ...) activity of the frames that count, for example of one session and running
        direction. Units that come together are moved together.
    null
        ``"circular"``: all activity by one random shift, the end wrapped to the start.
        ``"circular_exact"``: every such shift once, the identity first. ``"lap"``: a random
        circular shift within each run of equal `lap`, the identity allowed. ``"block"``: blocks
        of `block` frames in random order. ``"permutation"``: frames in random order.
        ``"occupancy"``: every frame's activity to a random frame, drawn independently.
    n_repeats
        Number of random shuffles; without meaning for ``"circular_exact"``.
    min_shift
        Least circular shift [frames], either way.
    block
        Length of a block [frames].
    lap
        (time) number of the lap of each frame, for ``"lap"``.
    seed, stream
        Seed of the random numbers, and names of this stream, such as session and unit label.

    Returns
    -------
    numpy.ndarray
        (shuffle, ...) values of the statistic.

    Raises
    ------
    ValueError
        If the null is unknown or lacks its `block` or `lap`.

    Notes
    -----
    Only ``circular`` and ``lap`` keep the autocorrelation of the activity, ``block`` does within
    its blocks. Without it, activity that lasts for several frames looks tuned to position. On
    deconvolved traces shifted circularly, where 5 % of the tests should be positive at .05, the
    test of spatial information finds 5 % by circular shifts, 11 % by blocks of 5 s and 18 % by
    ``permutation`` or ``occupancy`` (benchmarks/calibration_place_cells.py). On events of one
    frame each, all of them find 5 to 6 %.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.analysis.place_cells.shuffles import empirical_p, compute_null_distribution
    >>> position = np.tile(np.arange(10), 20)
    >>> activity = (position == 3).astype(float)
    >>> def modulation(moved):
    ...     return np.ptp(np.bincount(position, weights=moved))
    >>> null = compute_null_distribution(modulation, activity, null="permutation", n_repeats=99)
    >>> float(empirical_p(modulation(activity), null))
    0.01
    """
    if not callable(statistic):
        raise TypeError(f"statistic is {statistic!r}, expected a function of moved activity")
    activity = np.asarray(activity)
    plan = Plan(null=null, n_repeats=n_repeats, min_shift=min_shift, block=block)
    rng = generator(seed, null, *stream)
    frames = np.arange(len(activity))
    values = []
    for moved in plan.moved(frames, len(activity), rng, lap):
        for target in moved:
            shuffled = np.zeros_like(activity)
            np.add.at(shuffled, target, activity)
            values.append(statistic(shuffled))
    return np.asarray(values)


def empirical_p(
    observed: float | np.ndarray, null: np.ndarray, *, exact: bool = False, tie: float = 0.0
) -> np.ndarray:
    """Fraction of a null distribution that reaches the observed value.

    Parameters
    ----------
    observed
        Observed value, or (...) values.
    null
        (shuffle, ...) values under the null.
    exact
        Whether `null` holds every shuffle, the identity included: p = r / n. Random shuffles
        give p = (r + 1) / (n + 1), which is never 0 [1]_.
    tie
        Differences up to this count as equal; what is equal counts against the observation.

    Returns
    -------
    numpy.ndarray
        (...) p values.

    References
    ----------
    .. [1] Phipson & Smyth (2010), Stat Appl Genet Mol Biol. https://doi.org/10.2202/1544-6115.1585

    Examples
    --------
    >>> from neurodrift.analysis.place_cells.shuffles import empirical_p
    >>> float(empirical_p(2.0, [0.0, 1.0, 2.0]))
    0.5
    """
    null = np.asarray(null)
    reached = (null >= np.asarray(observed) - tie).sum(axis=0)
    return np.asarray(reached / len(null) if exact else permutation_p(reached, len(null)))


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One way to move activity, in frames; see :func:`compute_null_distribution`."""

    null: Null
    n_repeats: int = 1000
    min_shift: int = 1
    block: int | None = None

    def __post_init__(self) -> None:
        if self.null not in NULLS:
            raise ValueError(f"null is {self.null!r}, expected one of {', '.join(NULLS)}")
        if self.n_repeats < 1:
            raise ValueError(f"n_repeats is {self.n_repeats}, expected 1 or more")
        if self.min_shift < 0:
            raise ValueError(f"min_shift is {self.min_shift}, expected 0 or more")
        if self.null == "block" and (self.block is None or self.block < 1):
            raise ValueError("null='block' needs the length of a block")

    @property
    def exact(self) -> bool:
        """Whether the null is every shuffle instead of a sample."""
        return self.null == "circular_exact"

    def shifts(self, n_frames: int, rng: np.random.Generator) -> np.ndarray:
        """Circular shifts (shuffle) [frames]; the identity alone where no other is allowed."""
        least = max(1, self.min_shift)
        most = n_frames - least
        if self.exact:
            return np.concatenate([[0], np.arange(least, most + 1)])
        if most < least:
            return np.zeros(self.n_repeats, dtype=np.int64)
        return rng.integers(least, most + 1, size=self.n_repeats)

    def moved(
        self,
        frames: np.ndarray,
        n_frames: int,
        rng: np.random.Generator,
        lap: np.ndarray | None = None,
        of: np.ndarray | None = None,
    ) -> Iterator[np.ndarray]:
        """Blocks (shuffle, event) of the frames that events at `frames` are moved to.

        With `of` (time), of what it has in these frames.
        """
        if self.null == "lap":
            if lap is None:
                raise ValueError("null='lap' needs the lap of each frame")
            yield from self._within_laps(frames, n_frames, rng, lap, of)
            return
        for targets in self._targets(frames, n_frames, rng):
            yield targets if of is None else of[targets]

    def _within_laps(
        self,
        frames: np.ndarray,
        n_frames: int,
        rng: np.random.Generator,
        lap: np.ndarray,
        of: np.ndarray | None,
    ) -> Iterator[np.ndarray]:
        """Events turned within each lap, by the same numbers as ``rng.integers`` would draw."""
        from neurodrift.analysis.place_cells._kernels import turn

        first = np.flatnonzero(np.append(True, lap[1:] != lap[:-1]))
        edges = np.append(first, n_frames)
        inside = np.searchsorted(first, frames, side="right") - 1
        of = np.arange(n_frames) if of is None else of
        n_drawn = int(np.count_nonzero(np.diff(edges) > 1))
        words: np.ndarray = np.empty(0, dtype=np.uint32)
        at = 0
        at_once = max(1, _MOVED_AT_ONCE // max(1, len(frames)))
        for start in range(0, self.n_repeats, at_once):
            moved = np.empty((min(at_once, self.n_repeats - start), len(frames)), dtype=of.dtype)
            used, missing = -1, len(moved) * n_drawn - (words.size - at)
            while used < 0:  # a number in 1e7 is drawn anew, and needs one word more
                more = rng.bit_generator.random_raw(-(-max(missing, 1) // 2))
                more = more.astype("<u8", copy=False).view("<u4")
                words = np.concatenate([words[at:], more]) if at < words.size else more
                used, at, missing = turn(words, edges, inside, frames, of, moved), 0, 1
            at = used
            yield moved

    def _targets(
        self, frames: np.ndarray, n_frames: int, rng: np.random.Generator
    ) -> Iterator[np.ndarray]:
        """Frames that events are moved to, without regard to laps."""
        if self.null in ("circular", "circular_exact"):
            shifts = self.shifts(n_frames, rng)
        n = len(shifts) if self.exact else self.n_repeats
        at_once = max(1, _MOVED_AT_ONCE // max(1, len(frames)))
        if self.null == "block":
            assert self.block is not None
            edges = np.arange(0, n_frames, self.block)
            lengths = np.diff(edges, append=n_frames)
            inside = frames // self.block
        for start in range(0, n, at_once):
            m = min(at_once, n - start)
            if self.null in ("circular", "circular_exact"):
                yield (frames + shifts[start : start + m, None]) % n_frames
            elif self.null == "block":
                order = rng.permuted(np.tile(np.arange(edges.size), (m, 1)), axis=1)
                ends = np.cumsum(lengths[order], axis=1)
                first = np.empty_like(order)
                np.put_along_axis(first, order, ends - lengths[order], axis=1)
                yield first[:, inside] + frames - edges[inside]
            elif self.null == "permutation":
                yield np.stack([rng.choice(n_frames, frames.size, replace=False) for _ in range(m)])
            else:
                yield rng.integers(0, n_frames, size=(m, frames.size))


def looks_twice(n_repeats: int) -> bool:
    """Whether a sampled test has so many shuffles that it looks at the first of them alone.

    Parameters
    ----------
    n_repeats
        Shuffles of a whole test.

    Returns
    -------
    bool
        True from twice :data:`FIRST_LOOK` on.
    """
    return n_repeats >= 2 * FIRST_LOOK


class Statistic(Protocol):
    """A statistic of the activity in some frames, and its values for moved activity."""

    def observed(self, frames: np.ndarray, amounts: np.ndarray) -> float:
        """The statistic as it is, of activity `amounts` at `frames`."""
        ...

    def values(
        self, frames: np.ndarray, amounts: np.ndarray, plan: Plan, rng: np.random.Generator
    ) -> tuple[float, np.ndarray]:
        """The statistic of unmoved and of moved activity, rounded alike."""
        ...
