"""Curves of information against sample size for every session of a recording, NumPy or Dask."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import numpy as np
import xarray as xr

from neurodrift.analysis.maps.binning import session_activity
from neurodrift.analysis.maps.even import ticks_of
from neurodrift.recording import slice_sessions
from neurodrift.schema.kinds import KINDS, Kind
from neurodrift.schema.objects import expect_mask
from neurodrift.seeds import generator

N_LEVELS = 8
"""Equally frequent levels that a trace is cut into for its mutual information."""


def active_frames(recording: xr.Dataset, frames: xr.Dataset) -> xr.DataArray:
    """Frames (session, unit, direction) that count and in which the unit was active."""
    n_directions = frames.sizes["direction"]
    active = [
        xr.apply_ufunc(
            _count_active,
            session_activity(recording, where),
            frames["direction_bin"].isel(time=where).variable,
            input_core_dims=[["time"], ["time"]],
            output_core_dims=[["direction"]],
            kwargs={"n_directions": n_directions},
            dask="parallelized",
            output_dtypes=[np.int64],
            dask_gufunc_kwargs={"output_sizes": {"direction": n_directions}},
        )
        for where in slice_sessions(recording)
    ]
    return _concat(active).where(recording["detected"].variable, 0)


def _count_active(activity: np.ndarray, direction: np.ndarray, n_directions: int) -> np.ndarray:
    counts = [np.count_nonzero(activity[:, direction == d], axis=1) for d in range(n_directions)]
    return np.stack(counts, axis=-1)


def session_curves(
    recording: xr.Dataset,
    frames: xr.Dataset,
    enough: xr.DataArray,
    sampling: Sampling,
    curves: Callable[..., np.ndarray],
    pool: bool = False,
    levels: bool = False,
) -> xr.DataArray:
    """Curves (session, unit, direction, curve, fraction); below `enough` the last naive only.

    With `levels`, activity of any sign is first cut into levels that are equally frequent.
    """
    kind = KINDS[recording["activity"].attrs["kind"]]
    durations = recording["frame_duration"].values
    sizes = {
        "direction": frames.sizes["direction"],
        "curve": 2,
        "fraction": len(sampling.fractions),
    }
    found = []
    for i, where in enumerate(slice_sessions(recording)):
        activity = session_activity(recording, where)
        if where.start == where.stop:  # an empty session, which Dask cannot cut
            one = enough.isel(session=i)
            blank = np.full((*one.shape, 2, sizes["fraction"]), np.nan)
            found.append(xr.DataArray(blank, dims=(*one.dims, "curve", "fraction")))
            continue
        arguments: list[xr.DataArray | xr.Variable] = [
            frames["position_bin"].isel(time=where).variable,
            frames["direction_bin"].isel(time=where).variable,
        ]
        dims = [["time"], ["direction"], ["time"], ["time"]]
        if pool:
            arguments.append(_pooled(activity, enough.isel(session=i)))
            dims.append(["direction", "bound", "time"])
        found.append(
            xr.apply_ufunc(
                _curves_of_session,
                activity,
                enough.isel(session=i),
                *arguments,
                input_core_dims=dims,
                output_core_dims=[list(sizes)],
                kwargs={
                    "curves": curves,
                    "session": str(recording["session"].values[i]),
                    "directions": frames["direction"].values.tolist(),
                    "seconds": durations[where],
                    "kind": kind,
                    "levels": levels,
                    "sampling": sampling,
                    "threads": n_threads() if activity.chunks is None else 1,
                },
                dask="parallelized",
                output_dtypes=[np.float64],
                dask_gufunc_kwargs={"output_sizes": sizes},
            )
        )
    return _concat(found).where(recording["detected"].variable)


def _curves_of_session(
    activity: np.ndarray,
    enough: np.ndarray,
    position: np.ndarray,
    direction: np.ndarray,
    pooled: np.ndarray | None = None,
    *,
    curves: Callable[..., np.ndarray],
    session: str,
    directions: list[int],
    seconds: np.ndarray,
    kind: Kind,
    levels: bool,
    sampling: Sampling,
    threads: int,
) -> np.ndarray:
    found = np.full((len(activity), len(directions), 2, len(sampling.fractions)), np.nan)
    for d, name in enumerate(directions):
        used = np.flatnonzero(direction == d)
        if not used.size:
            continue
        some = activity[:, used]
        ticks = ticks_of(seconds[used])
        if ticks is not None:  # samples are parts of the time
            level = not kind.adds_up or pooled is not None
            some = ticks.activity(some, counts=kind.counts, level=level)
            used = used[ticks.frame]
        _, state = np.unique(position[used], return_inverse=True)
        if levels:
            some = _levels(some)
        if not (some >= 0).all():
            raise ValueError(
                f"activity is negative or NaN in session {session!r}; information needs activity "
                "of 0 or more: rectify it, for example activity.clip(min=0)"
            )
        for units, plan in ((enough[:, d], sampling), (~enough[:, d], sampling.whole_only())):
            if units.any():
                found[units, d] = curves(
                    some[units],
                    state,
                    names=(session, name),
                    sampling=plan,
                    threads=threads,
                    **({} if pooled is None else {"pooled": pooled[d][:, used]}),
                )
    return found


def _levels(activity: np.ndarray) -> np.ndarray:
    """Activity (unit, time) as whole levels from 0 that are equally frequent in each unit."""
    edges = np.quantile(activity, np.arange(1, N_LEVELS) / N_LEVELS, axis=1)
    found = np.zeros(activity.shape, dtype=np.uint8)
    for edge in edges:
        found += activity > edge[:, None]
    return found


def _pooled(activity: xr.DataArray, enough: xr.DataArray) -> xr.DataArray:
    """Largest, smallest non-zero and wholeness (direction, bound, time) of all units' activity."""
    bounds = []
    for d in range(enough.sizes["direction"]):
        kept = activity.where(enough.isel(direction=d).variable, 0)
        smallest = kept.where(kept > 0, np.inf).min("unit")
        whole = (kept == np.floor(kept)).all("unit").astype(np.float64)
        bounds.append(xr.concat([kept.max("unit"), smallest, whole], dim="bound"))
    pooled = xr.concat(bounds, dim="direction")
    return pooled if pooled.chunks is None else pooled.chunk(-1)


def chosen_units(population: xr.DataArray | None, enough: xr.DataArray) -> xr.DataArray:
    """The units (...) of a population, refused where their labels differ."""
    if population is None:
        return xr.ones_like(enough)
    expect_mask("population", population)
    if not set(population.dims) <= set(enough.dims):
        raise ValueError(
            f"population has dims {population.dims}, expected some of (session, unit, direction)"
        )
    for dim in population.dims:
        if dim in population.coords and dim in enough.coords:
            wanted, given = enough[dim].values, population[dim].values
            if wanted.shape != given.shape or not (wanted == given).all():
                raise ValueError(
                    f"population has other labels of {dim} than the recording: reindex it, "
                    f"population.reindex({dim}=recording['{dim}'], fill_value=False)"
                )
    return population.astype(bool)


def mean_over_units(curves: np.ndarray, members: np.ndarray) -> np.ndarray:
    """Mean over (..., unit, curve, fraction), NaN left out, exact and so in any order of units."""
    flat = curves.reshape(-1, *curves.shape[-3:])
    means = np.full((len(flat), *curves.shape[-2:]), np.nan)
    for mean, values, some in zip(means, flat, members.reshape(len(flat), -1), strict=True):
        for at in np.ndindex(mean.shape):
            column = values[some][(slice(None), *at)]
            column = column[~np.isnan(column)]
            if column.size:
                mean[at] = math.fsum(column) / column.size
    return means.reshape(*curves.shape[:-3], *curves.shape[-2:])


def _concat(parts: list[xr.DataArray]) -> xr.DataArray:
    parts = [part.drop_vars("session", errors="ignore") for part in parts]
    return xr.concat(parts, dim="session", coords="minimal", compat="override", join="exact")


_BLOCK = 64  # repetitions that are drawn and added up together
_SPATIAL_BLOCK, _MUTUAL_BLOCK = 1024, 256  # units whose counts stay in a cache together
_PAD = 32  # units come in whole vectors
_MOST_SYMBOLS = 20  # responses of the published rule, none counted
_ENTRY_BYTES = 25  # measured: to add one entry takes as long as so many bytes of a dense row


Responses = Literal["counts", "binary", "levels", "sheintuch2022"]
Part = TypeVar("Part")


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """Which samples are drawn, and from which streams.

    Parameters
    ----------
    fractions
        Increasing fractions of the frames, the last one 1.
    n_repeats
        Repetitions of the whole; a fraction f has ``n_repeats / f``.
    seed
        Seed of every stream.
    subsampled
        Whether to draw subsamples at all; otherwise only the whole sample is evaluated.
    shuffled
        Indices of the fractions whose samples are also shuffled.
    """

    fractions: tuple[float, ...]
    n_repeats: int
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
        if self.n_repeats < 1 or self.seed < 0:
            raise ValueError(
                f"n_repeats is {self.n_repeats} and seed {self.seed}, expected 1 or more and "
                "0 or more"
            )

    def whole_only(self) -> Sampling:
        """Neither subsamples nor shuffles."""
        return replace(self, subsampled=False, shuffled=())

    def size(self, i: int, n_frames: int) -> int:
        """Frames in a sample of the i-th fraction."""
        return int(np.floor(round(self.fractions[i] * n_frames, 9)))

    def n_draws(self, i: int) -> int:
        """Samples of the i-th fraction."""
        return int(np.ceil(round(self.n_repeats / self.fractions[i], 9)))

    def uniform(self, names: tuple[object, ...], i: int, start: int, n: int) -> np.ndarray:
        """Random numbers (repetition, frame) that choose the frames of a block of samples."""
        n_repeats = min(_BLOCK, self.n_draws(i) - start)
        stream = generator(self.seed, "subsample", *names, i, start // _BLOCK)
        return stream.random((n_repeats, n))


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
    that count. Returns (unit, 2, fraction): naive and shuffled information [bit/event, or
    bit/frame]; NaN where no sample holds activity. Samples without activity are left out per
    event and count as 0 per frame.
    """
    curves = np.full((len(activity), 2, len(sampling.fractions)), np.nan)
    for start in range(0, len(activity), _SPATIAL_BLOCK):
        block = np.ascontiguousarray(activity[start : start + _SPATIAL_BLOCK].T)
        binary = ((block == 0) | (block == 1)).all(axis=0)
        few = block.sum(axis=0, dtype=np.float64) < 2**8  # whose counts fit into one byte
        alike = [
            (known, np.flatnonzero(some))
            for known, some in (
                (True, binary & few),
                (True, binary & ~few),
                (False, ~binary & few),
                (False, ~binary & ~few),
            )
            if some.any()
        ]
        found = _spatial_block(block, alike, state, names, sampling, per_frame, threads)
        for (_, units), own in zip(alike, found, strict=True):
            curves[start + units] = own
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
    """Mutual information [bit/frame] of each unit against sample size.

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
    alike: list[tuple[bool, np.ndarray]],
    state: np.ndarray,
    names: tuple[object, ...],
    sampling: Sampling,
    per_frame: bool,
    threads: int,
) -> list[np.ndarray]:
    """As :func:`spatial_curves`, of units that are `alike` and whether they are binary.

    All see the same samples. Shuffles of binary activity have a known mean, none is drawn.
    """
    entries = [_Entries.of(activity[:, units], state) for _, units in alike]

    def evaluate(uniform: np.ndarray, shuffle: bool) -> list[_Sums]:
        return [
            own.spatial(uniform, shuffle and not binary)
            for own, (binary, _) in zip(entries, alike, strict=True)
        ]

    shuffle = not all(binary for binary, _ in alike)
    parts = _run(evaluate, state.size, names, sampling, threads, shuffle)
    found = []
    for k, (binary, units) in enumerate(alike):
        own = {
            i: ([one[k] for one in whole], [one[k] for one in some])
            for i, (whole, some) in parts.items()
        }
        shape = (units.size, state.size)
        found.append(_spatial_curves_of(own, shape, sampling, per_frame, binary))
    return found


def _spatial_curves_of(
    parts: dict[int, tuple[list[_Sums], list[_Sums]]],
    shape: tuple[int, int],
    sampling: Sampling,
    per_frame: bool,
    binary: bool,
) -> np.ndarray:
    """Curves (unit, 2, fraction) from the sums over samples of `shape` (unit, frame)."""
    from neurodrift.analysis.information._kernels import permutation_sums

    n_units, n_frames = shape
    curves = np.full((n_units, 2, len(sampling.fractions)), np.nan)
    for i, (whole, sampled) in parts.items():
        n = sampling.size(i, n_frames)
        naive = whole or sampled
        curves[:, 0, i] = _mean_information([part.sums[0] for part in naive], naive, n, per_frame)
        if i in sampling.shuffled and not binary:
            sums = [part.sums[1] for part in sampled]
            curves[:, 1, i] = _mean_information(sums, sampled, n, per_frame)
        elif i in sampling.shuffled:
            occupancy = np.concatenate([part.occupancy for part in naive])
            total = np.concatenate([part.total for part in naive])
            sums = [permutation_sums(n, occupancy, total)]
            curves[:, 1, i] = _mean_information(sums, naive, n, per_frame)
    return curves


def _mutual_block(
    activity: np.ndarray,
    state: np.ndarray,
    pooled: np.ndarray | None,
    names: tuple[object, ...],
    sampling: Sampling,
    threads: int,
) -> np.ndarray:
    from neurodrift.analysis.information._kernels import mutual_sums

    entries = _Entries.of(activity, state, sparse=True)
    n_states, width = entries.counts.shape[1] - 1, entries.counts.shape[2]
    # Whole values take symbols in increasing order; others never need one (see mutual_sums).
    values = np.unique(entries.value[entries.value == np.floor(entries.value)])
    symbol = np.searchsorted(values, entries.value).astype(np.int32)
    n_symbols = max(values.size, 1 if pooled is None else _MOST_SYMBOLS)
    space = np.zeros((n_symbols * n_states, width), dtype=np.uint32)
    frames = np.zeros((3, 0)) if pooled is None else np.ascontiguousarray(pooled)

    def evaluate(uniform: np.ndarray, shuffle: bool) -> np.ndarray:
        sums = [
            mutual_sums(
                uniform, entries.state, n_states, entries.first, entries.unit, entries.value,
                symbol, frames, pooled is not None, space.copy(), shuffled,
            )
            for shuffled in ((False, True) if shuffle else (False,))
        ]  # fmt: skip
        return np.stack(sums)[:, : entries.n_units]

    parts = _run(evaluate, state.size, names, sampling, threads, shuffle=True)
    curves = np.full((activity.shape[1], 2, len(sampling.fractions)), np.nan)
    for i, (whole, sampled) in parts.items():
        means = _in_order(sampled) / sampling.n_draws(i) if sampled else whole[0]
        curves[:, 0, i] = whole[0][0] if whole else means[0]
        if i in sampling.shuffled:
            curves[:, 1, i] = means[1]
    return curves


@dataclass(frozen=True)
class _Sums:
    """Spatial information added over samples, and what the samples hold."""

    sums: np.ndarray  # (2, 3, unit), see spatial_sums
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
    table: np.ndarray
    n_units: int

    @classmethod
    def of(cls, activity: np.ndarray, state: np.ndarray, sparse: bool = False) -> _Entries:
        """From activity (time, unit); small integers take few bits, their sums are exact in any."""
        from neurodrift.analysis.information._kernels import x_log_x

        n_frames, n_units = activity.shape
        width = -(-n_units // _PAD) * _PAD
        small, most = activity.dtype.kind in "bu" and int(activity.max(initial=0)) < 2**8, 0
        if small:
            most = int(activity.sum(axis=0, dtype=np.int64).max(initial=0))
            small = most < 2**16
        dtype = np.dtype(np.uint8 if small else np.float64)
        counted = np.uint16 if small else np.float64  # two kernels, whatever is counted
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
            table=x_log_x(most) if small else np.empty(0),
            counts=np.zeros((2, int(state.max()) + 2, width), counted),
            n_units=n_units,
        )

    def spatial(self, uniform: np.ndarray, shuffle: bool) -> _Sums:
        """Spatial information in samples (repetition, frame)."""
        from neurodrift.analysis.information._kernels import spatial_sums

        _, n_rows, width = self.counts.shape
        occupancy = np.empty((len(uniform), n_rows - 1), dtype=np.uint32)
        total = np.empty((len(uniform), width), dtype=np.uint32)
        sums = spatial_sums(
            uniform, self.state, self.dense, self.first, self.frame, self.unit, self.value,
            self.counts.copy(), self.table, shuffle, occupancy, total,
        )  # fmt: skip
        return _Sums(sums[..., : self.n_units], occupancy, total[:, : self.n_units])


def _run(
    evaluate: Callable[[np.ndarray, bool], Part],
    n_frames: int,
    names: tuple[object, ...],
    sampling: Sampling,
    threads: int,
    shuffle: bool,
) -> dict[int, tuple[list[Part], list[Part]]]:
    """By fraction: the whole sample evaluated, if it is that, and blocks of random samples.

    A fraction without a frame, or without anything to evaluate, is left out.
    """
    jobs: list[tuple[int, int]] = []
    parts: dict[int, tuple[list[Part], list[Part]]] = {}
    for i in range(len(sampling.fractions)):
        n = sampling.size(i, n_frames)
        shuffled = shuffle and i in sampling.shuffled
        if n == n_frames:  # zeros draw every frame in order
            parts[i] = [evaluate(np.zeros((1, n)), False)], []
        if n > 0 and (shuffled or (n < n_frames and sampling.subsampled)):
            parts.setdefault(i, ([], []))
            jobs += [(i, start) for start in range(0, sampling.n_draws(i), _BLOCK)]

    def run(job: tuple[int, int]) -> Part:
        i, start = job
        uniform = sampling.uniform(names, i, start, sampling.size(i, n_frames))
        return evaluate(uniform, shuffle and i in sampling.shuffled)

    with ThreadPoolExecutor(threads) as pool:
        for (i, _), part in zip(jobs, pool.map(run, jobs), strict=True):
            parts[i][1].append(part)
    return parts


def _mean_information(
    sums: list[np.ndarray], parts: list[_Sums], n: int, per_frame: bool
) -> np.ndarray:
    per_event, summed, active = _in_order(sums)
    if per_frame:
        return np.asarray(summed / (n * sum(len(part.occupancy) for part in parts)))
    return np.divide(per_event, active, out=np.full(active.shape, np.nan), where=active > 0)


def _in_order(parts: list[np.ndarray]) -> np.ndarray:
    total = np.zeros_like(parts[0])
    for part in parts:
        total += part
    return total
