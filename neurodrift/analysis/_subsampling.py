"""Information against sample size: naive and shuffled curves of the frames of one session.

Streams are named by session, direction, fraction and block of repetitions, so that all units
share each subsample, and no chunk, thread or order of units changes a result.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import numpy as np

from neurodrift.seeds import generator

_BLOCK = 64  # repetitions that are drawn and added up together
_SPATIAL_BLOCK, _MUTUAL_BLOCK = 1024, 256  # units whose counts stay in a cache together
_PAD = 64  # units come in whole vectors
_MOST_SYMBOLS = 20  # responses of the published rule, none counted
_ENTRY_BYTES = 50  # measured: to add one entry takes as long as so many bytes of a dense row


Responses = Literal["counts", "binary", "sheintuch2022"]
Part = TypeVar("Part")


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """Which samples are drawn, and from which streams.

    Parameters
    ----------
    fractions
        Increasing fractions of the frames, the last one 1.
    repetitions
        Repetitions of the whole; a fraction f has ``repetitions / f``.
    seed
        Seed of every stream.
    subsampled
        Whether to draw subsamples at all; otherwise only the whole sample is evaluated.
    shuffled
        Indices of the fractions whose samples are also shuffled.
    """

    fractions: tuple[float, ...]
    repetitions: int
    seed: int
    subsampled: bool
    shuffled: tuple[int, ...]

    def __post_init__(self) -> None:
        f = np.asarray(self.fractions, dtype=float)
        if f.ndim != 1 or f.size < 4 or not (np.diff(f) > 0).all() or f[0] <= 0 or f[-1] != 1:
            raise ValueError(
                f"fractions are {self.fractions}, expected four or more increasing numbers above "
                "0, the last one 1"
            )
        if self.repetitions < 1 or self.seed < 0:
            raise ValueError(
                f"repetitions is {self.repetitions} and seed {self.seed}, expected 1 or more and "
                "0 or more"
            )

    def whole_only(self) -> Sampling:
        """Neither subsamples nor shuffles."""
        return replace(self, subsampled=False, shuffled=())

    def size(self, i: int, n_frames: int) -> int:
        """Frames in a sample of the i-th fraction."""
        return int(np.floor(round(self.fractions[i] * n_frames, 9)))

    def n_repetitions(self, i: int) -> int:
        """Samples of the i-th fraction."""
        return int(np.ceil(round(self.repetitions / self.fractions[i], 9)))

    def uniform(self, names: tuple[object, ...], i: int, start: int, n: int) -> np.ndarray:
        """Random numbers (repetition, frame) that choose the frames of a block of samples."""
        repetitions = min(_BLOCK, self.n_repetitions(i) - start)
        stream = generator(self.seed, "subsample", *names, i, start // _BLOCK)
        return stream.random((repetitions, n))


def n_threads() -> int:
    """Threads that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def spatial_curves(
    activity: np.ndarray,
    state: np.ndarray,
    *,
    names: tuple[object, ...],
    sampling: Sampling,
    threads: int,
    per_frame: bool,
) -> np.ndarray:
    """Spatial information of each unit against sample size.

    Activity (unit, time) and state (time), position bins 0 to n - 1 all visited, of the frames
    that count. Returns (unit, 2, fraction): naive and shuffled information [bits/event, or
    bits/frame]; NaN where no sample holds activity. Samples without activity are left out per
    event and count as 0 per frame.
    """
    curves = np.full((len(activity), 2, len(sampling.fractions)), np.nan)
    for start in range(0, len(activity), _SPATIAL_BLOCK):
        block = np.ascontiguousarray(activity[start : start + _SPATIAL_BLOCK].T)
        curves[start : start + _SPATIAL_BLOCK] = _spatial_block(
            block, state, names, sampling, per_frame, threads
        )
    if state.max() == 0:  # no position is told apart: rounding apart, the information is 0
        curves = np.where(np.isnan(curves), np.nan, 0.0)
    return curves


def mutual_curves(
    activity: np.ndarray,
    state: np.ndarray,
    *,
    names: tuple[object, ...],
    sampling: Sampling,
    threads: int,
    responses: Responses,
    pooled: np.ndarray | None = None,
) -> np.ndarray:
    """Mutual information [bits/frame] of each unit against sample size.

    As :func:`spatial_curves`. The published responses need `pooled` (3, time): the largest and
    the smallest non-zero activity of all units in each frame, and whether all of it is whole.
    """
    curves = np.full((len(activity), 2, len(sampling.fractions)), np.nan)
    for start in range(0, len(activity), _MUTUAL_BLOCK):
        block = np.ascontiguousarray(activity[start : start + _MUTUAL_BLOCK].T)
        if responses == "binary":
            block = block != 0
        elif responses == "counts" and not (block == np.floor(block)).all():
            raise ValueError(
                "activity is not whole, so that its values are no responses: choose "
                "responses='binary' or 'sheintuch2022'"
            )
        curves[start : start + _MUTUAL_BLOCK] = _mutual_block(
            block, state, pooled, names, sampling, threads
        )
    return np.where(np.isnan(curves), np.nan, 0.0) if state.max() == 0 else curves


def _spatial_block(
    activity: np.ndarray,
    state: np.ndarray,
    names: tuple[object, ...],
    sampling: Sampling,
    per_frame: bool,
    threads: int,
) -> np.ndarray:
    from neurodrift.analysis._kernels_information import permutation_sums

    # The mean over all permutations of binary activity is known, so that none is drawn.
    binary = ((activity == 0) | (activity == 1)).all(axis=0)
    every = _Entries.of(activity, state)
    other = _Entries.of(activity[:, ~binary], state) if binary.any() else every

    def evaluate(uniform: np.ndarray, shuffled: bool) -> _Sums:
        return other.spatial(uniform, shuffled) if shuffled else every.spatial(uniform, shuffled)

    parts = _run(evaluate, state.size, names, sampling, threads, shuffle=not binary.all())
    curves = np.full((activity.shape[1], 2, len(sampling.fractions)), np.nan)
    for i in range(len(sampling.fractions)):
        n = sampling.size(i, state.size)
        naive = parts.get((i, False))
        if naive:
            curves[:, 0, i] = _mean_information(naive, n, per_frame)
        if (i, True) in parts:
            curves[~binary, 1, i] = _mean_information(parts[i, True], n, per_frame)
        if naive and i in sampling.shuffled and binary.any():
            occupancy = np.concatenate([part.occupancy for part in naive])
            total = np.concatenate([part.total[:, binary] for part in naive])
            expected = _Sums(permutation_sums(n, occupancy, total), occupancy, total)
            curves[binary, 1, i] = _mean_information([expected], n, per_frame)
    return curves


def _mutual_block(
    activity: np.ndarray,
    state: np.ndarray,
    pooled: np.ndarray | None,
    names: tuple[object, ...],
    sampling: Sampling,
    threads: int,
) -> np.ndarray:
    from neurodrift.analysis._kernels_information import mutual_sums

    every = _Entries.of(activity, state, sparse=True)
    n_states, width = len(every.counts) - 1, every.counts.shape[1]
    # Whole values take symbols in increasing order; others never need one (see mutual_sums).
    values = np.unique(every.value[every.value == np.floor(every.value)])
    symbol = np.searchsorted(values, every.value).astype(np.int32)
    n_symbols = max(values.size, 1 if pooled is None else _MOST_SYMBOLS)
    space = np.zeros((n_symbols * n_states, width), dtype=np.uint32)
    frames = np.zeros((3, 0)) if pooled is None else np.ascontiguousarray(pooled)

    def evaluate(uniform: np.ndarray, shuffled: bool) -> np.ndarray:
        sums = mutual_sums(
            uniform, state, n_states, every.first, every.unit, every.value, symbol,
            frames, pooled is not None, space.copy(), shuffled,
        )  # fmt: skip
        return np.asarray(sums[: every.n_units])

    parts = _run(evaluate, state.size, names, sampling, threads, shuffle=True)
    curves = np.full((activity.shape[1], 2, len(sampling.fractions)), np.nan)
    for (i, shuffled), sums in parts.items():
        once = not shuffled and sampling.size(i, state.size) == state.size
        n_samples = 1 if once else sampling.n_repetitions(i)
        curves[:, int(shuffled), i] = _in_order(sums) / n_samples
    return curves


@dataclass(frozen=True)
class _Sums:
    """Spatial information added over samples, and what the samples hold."""

    sums: np.ndarray  # (3, unit), see spatial_sums
    occupancy: np.ndarray  # (sample, state)
    total: np.ndarray  # (sample, unit)


@dataclass(frozen=True)
class _Entries:
    """Activity of a block of units, dense where that is faster, otherwise frame by frame."""

    state: np.ndarray
    dense: np.ndarray
    first: np.ndarray
    frame: np.ndarray
    unit: np.ndarray
    value: np.ndarray
    counts: np.ndarray
    n_units: int

    @classmethod
    def of(cls, activity: np.ndarray, state: np.ndarray, sparse: bool = False) -> _Entries:
        """From activity (time, unit); small integers take few bits, their sums are exact in any."""
        n_frames, n_units = activity.shape
        width = -(-n_units // _PAD) * _PAD
        small = activity.dtype.kind in "bu" and int(activity.max(initial=0)) < 2**8
        small = small and int(activity.sum(axis=0, dtype=np.int64).max(initial=0)) < 2**16
        dtype = np.dtype(np.uint8 if small else np.float64)
        frame, unit = np.nonzero(activity)
        value = activity[frame, unit].astype(dtype)
        dense = np.zeros((0, width), dtype=dtype)
        if not sparse and frame.size * _ENTRY_BYTES > n_frames * width * dtype.itemsize:
            dense = np.zeros((n_frames, width), dtype=dtype)
            dense[:, :n_units] = activity
        return cls(
            state=state.astype(np.uint32),
            dense=dense,
            first=np.searchsorted(frame, np.arange(n_frames + 1)).astype(np.int64),
            frame=frame.astype(np.uint32),
            unit=unit.astype(np.uint16),
            value=value,
            counts=np.zeros((int(state.max()) + 2, width), np.uint16 if small else np.float64),
            n_units=n_units,
        )

    def spatial(self, uniform: np.ndarray, shuffled: bool) -> _Sums:
        """Spatial information in samples (repetition, frame)."""
        from neurodrift.analysis._kernels_information import spatial_sums

        n_states, width = len(self.counts) - 1, self.counts.shape[1]
        occupancy = np.empty((len(uniform), n_states), dtype=np.uint32)
        total = np.empty((len(uniform), width), dtype=np.uint32)
        sums = spatial_sums(
            uniform, self.state, self.dense, self.first, self.frame, self.unit, self.value,
            self.counts.copy(), shuffled, occupancy, total,
        )  # fmt: skip
        return _Sums(sums[:, : self.n_units], occupancy, total[:, : self.n_units])


def _run(
    evaluate: Callable[[np.ndarray, bool], Part],
    n_frames: int,
    names: tuple[object, ...],
    sampling: Sampling,
    threads: int,
    shuffle: bool,
) -> dict[tuple[int, bool], list[Part]]:
    """Evaluate blocks of samples of every fraction, naive and shuffled, in threads."""
    jobs = [
        (i, start)
        for i in range(len(sampling.fractions))
        for start in range(0, sampling.n_repetitions(i), _BLOCK)
        if sampling.size(i, n_frames) > 0
    ]

    def run(job: tuple[int, int]) -> list[tuple[bool, Part]]:
        i, start = job
        n = sampling.size(i, n_frames)
        found = []
        shuffled = shuffle and i in sampling.shuffled
        if shuffled or (sampling.subsampled and n < n_frames):
            uniform = sampling.uniform(names, i, start, n)
        if n < n_frames and sampling.subsampled:
            found.append((False, evaluate(uniform, False)))
        elif n == n_frames and start == 0:  # zeros draw every frame in order: the whole sample
            found.append((False, evaluate(np.zeros((1, n)), False)))
        if shuffled:
            found.append((True, evaluate(uniform, True)))
        return found

    parts: dict[tuple[int, bool], list[Part]] = {}
    with ThreadPoolExecutor(threads) as pool:
        for (i, _), found in zip(jobs, pool.map(run, jobs), strict=True):
            for shuffled, part in found:
                parts.setdefault((i, shuffled), []).append(part)
    return parts


def _mean_information(parts: list[_Sums], n: int, per_frame: bool) -> np.ndarray:
    per_event, summed, active = _in_order([part.sums for part in parts])
    if per_frame:
        return np.asarray(summed / (n * sum(len(part.occupancy) for part in parts)))
    return np.divide(per_event, active, out=np.full(active.shape, np.nan), where=active > 0)


def _in_order(parts: list[np.ndarray]) -> np.ndarray:
    total = np.zeros_like(parts[0])
    for part in parts:
        total += part
    return total
