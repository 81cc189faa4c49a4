"""Information from samples of whole parts of a session, for activity that lasts.

A part is a lap, a trial or a block of time. Frames next to each other depend on each other where
activity lasts for several frames, and a random half of the frames then holds almost every event.
A random half of the laps does not.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import numpy as np
import xarray as xr

from neurodrift.analysis.information.curves import n_threads
from neurodrift.analysis.maps.binning import session_activity
from neurodrift.analysis.maps.even import ticks_of
from neurodrift.analysis.place_cells._tests import laps_by_direction
from neurodrift.recording import slice_sessions
from neurodrift.schema.kinds import KINDS, Kind
from neurodrift.seeds import generator

Parts = Literal["auto", "lap", "trial", "block"]
"""What a session is cut into."""

FEWEST = 8
"""Parts of one direction that two halves need: four for each."""

_INSIDE = 0.8  # share of the frames that count which must lie in a lap or trial
_TABLE = 256  # events in a bin; of more the entropy is x log x - 1/2 nat
_WHOLE = 2 / 3  # share of the visited bins that a part visits where it is a passage of them all


def cut_in_parts(
    recording: xr.Dataset, frames: xr.Dataset, parts: Parts, block: float
) -> tuple[np.ndarray, str]:
    """Part (time) of every frame that counts, and what a part is.

    Parameters
    ----------
    recording
        A recording.
    frames
        Result of :func:`neurodrift.bin_frames`.
    parts
        What to cut at; ``"auto"``: laps if 80 % of the frames that count lie in one, in sessions
        and directions that have eight or more, otherwise trials likewise, otherwise blocks.
    block
        Longest block [s] of the frames that count, laid end to end; shorter where a session and
        direction has less than eight times as much.

    Returns
    -------
    part, name : numpy.ndarray, str
        Numbers from 0 in order of time in each session and direction, -1 outside; and ``"lap"``,
        ``"trial"`` or ``"block"``.

    Raises
    ------
    ValueError
        If the recording lacks the laps or trials that are asked for.
    """
    direction = frames["direction_bin"].values
    groups = [
        where.start + np.flatnonzero(direction[where] == d)
        for where in slice_sessions(recording)
        for d in range(frames.sizes["direction"])
    ]
    for name in ("lap", "trial") if parts == "auto" else (parts,):
        if name == "block":
            break
        if name not in recording:
            if parts != "auto":
                raise ValueError(
                    f"parts={parts!r}, but the recording has no {name}: use parts='block'"
                )
            continue
        label = recording[name].values
        numbers = laps_by_direction(recording, frames, name) if name == "lap" else label
        numbers = np.where(label >= 0, numbers, -1)
        found = np.full(direction.size, -1, dtype=np.int64)
        n_good = 0
        for own in groups:
            inside = own[numbers[own] >= 0]
            found[inside] = np.unique(numbers[inside], return_inverse=True)[1]
            n_parts = int(found[inside].max(initial=-1)) + 1
            n_good += inside.size if n_parts >= FEWEST else 0
        if parts != "auto" or n_good >= _INSIDE * sum(own.size for own in groups):
            return found, name
    found = np.full(direction.size, -1, dtype=np.int64)
    for own in groups:
        ends = np.cumsum(recording["frame_duration"].values[own])
        if own.size:
            middles = ends - recording["frame_duration"].values[own] / 2
            length = min(block, float(ends[-1]) / FEWEST)
            found[own] = np.minimum(middles // length, np.ceil(ends[-1] / length - 1e-9) - 1)
    return found, "block"


def part_curves(
    recording: xr.Dataset,
    frames: xr.Dataset,
    part: np.ndarray,
    enough: xr.DataArray,
    *,
    purpose: str,
    n_repeats: int,
    seed: int,
) -> xr.DataArray:
    """Information in halves of the parts and in all of them, of activity and of moved activity.

    Parameters
    ----------
    recording
        A recording; NumPy or Dask.
    frames
        The frames that count, a part of each.
    part
        (time) from :func:`cut_in_parts`.
    enough
        (session, unit, direction) which to compute.
    purpose
        Name of the random streams.
    n_repeats
        Moved copies of the activity, and as many pairs of halves of the parts.
    seed
        Seed of the streams.

    Returns
    -------
    xarray.DataArray
        (session, unit, direction, curve, sample) [bit/event]: of activity and of moved activity;
        in half of the parts, in all of them, and in all of them with the entropy of Grassberger
        in place of the plain one. NaN where it is not computed, there are fewer than two parts, or
        the unit is silent.
    """
    durations = recording["frame_duration"].values
    kind = KINDS[recording["activity"].attrs["kind"]]
    sizes = {"direction": frames.sizes["direction"], "curve": 2, "sample": 3}
    units = xr.DataArray(recording["unit"].values.astype(str), dims="unit")  # Dask sizes no objects
    found = []
    for i, where in enumerate(slice_sessions(recording)):
        own = enough.isel(session=i, drop=True)
        if where.start == where.stop:  # an empty session, which Dask cannot cut
            blank = np.full((own.sizes["unit"], *sizes.values()), np.nan)
            found.append(xr.DataArray(blank, dims=("unit", *sizes)))
            continue
        found.append(
            xr.apply_ufunc(
                _of_session,
                session_activity(recording, where).drop_vars("unit"),
                units,
                own.drop_vars(list(own.coords)),
                input_core_dims=[["time"], [], ["direction"]],
                output_core_dims=[list(sizes)],
                kwargs={
                    "position": frames["position_bin"].values[where],
                    "direction": frames["direction_bin"].values[where],
                    "part": part[where],
                    "seconds": durations[where],
                    "kind": kind,
                    "names": (purpose, str(recording["session"].values[i])),
                    "directions": frames["direction"].values.tolist(),
                    "n_repeats": n_repeats,
                    "seed": seed,
                    "threads": n_threads() if recording["activity"].chunks is None else 1,
                },
                dask="parallelized",
                output_dtypes=[np.float64],
                dask_gufunc_kwargs={"output_sizes": sizes},
            )
        )
    return xr.concat(found, dim="session").transpose("session", "unit", *sizes)


def _of_session(
    activity: np.ndarray,
    units: np.ndarray,
    enough: np.ndarray,
    *,
    position: np.ndarray,
    direction: np.ndarray,
    part: np.ndarray,
    seconds: np.ndarray,
    kind: Kind,
    names: tuple[object, ...],
    directions: list[int],
    n_repeats: int,
    seed: int,
    threads: int,
) -> np.ndarray:
    """Means (unit, direction, curve, sample) of activity (unit, time) of one session."""
    found = np.full((len(activity), len(directions), 2, 3), np.nan)
    for d, name in enumerate(directions):
        used = np.flatnonzero((direction == d) & (part >= 0))
        used = used[np.argsort(part[used], kind="stable")]
        if np.unique(part[used]).size < 2:
            continue
        ticks = ticks_of(seconds[used])
        on = used if ticks is None else used[ticks.frame]
        plan = _Plan(position[on], part[on], (*names, name), n_repeats, seed)

        def fill(rows: np.ndarray, d: int = d, used: np.ndarray = used, plan: _Plan = plan) -> None:
            ticks = ticks_of(seconds[used])
            for row in rows:
                some = np.ascontiguousarray(activity[row, used])[None]
                if not (some >= 0).all():
                    raise ValueError(
                        f"activity of unit {units[row]} is negative or NaN in session "
                        f"{names[-1]!r}; information needs activity of 0 or more: rectify it, for "
                        "example activity.clip(min=0)"
                    )
                if ticks is not None:
                    some = ticks.activity(some, counts=kind.counts, level=not kind.adds_up)
                plan.means(some[0], units[row], kind.counts, found[row, d])

        rows = np.flatnonzero(enough[:, d])
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(fill, [rows[k::threads] for k in range(threads)]))
    return found


class _Plan:
    """Which parts are sampled, and how activity is moved, in the frames of one map.

    Where most parts are passages of the whole track, activity is moved within each part by a shift
    of its own: behaviour that repeats itself is then no control of itself. Other parts visit
    different places, and all activity is moved by one shift along all frames.
    """

    def __init__(
        self,
        position: np.ndarray,
        part: np.ndarray,
        names: tuple[object, ...],
        n_repeats: int,
        seed: int,
    ) -> None:
        from neurodrift.analysis.information._kernels import grassberger

        self.names, self.n_repeats, self.seed = names, n_repeats, seed
        self.state = np.unique(position, return_inverse=True)[1].astype(np.int64)
        self.part = np.unique(part, return_inverse=True)[1].astype(np.int64)
        n_parts, n_states = int(self.part.max()) + 1, int(self.state.max()) + 1
        occupancy = np.bincount(self.part * n_states + self.state, minlength=n_parts * n_states)
        occupancy = occupancy.reshape(n_parts, n_states)
        passages = np.median((occupancy > 0).mean(axis=1)) >= _WHOLE
        self.block = self.part if passages else np.zeros_like(self.part)
        self.first = np.searchsorted(self.block, np.arange(int(self.block.max()) + 1))
        self.size = np.bincount(self.block)
        order = generator(seed, *names, "parts").random((n_repeats, n_parts)).argsort(axis=1)
        half = order.argsort(axis=1) < n_parts // 2
        samples = np.stack([half, ~half], axis=1).reshape(-1, n_parts)
        self.members = np.concatenate([np.ones((1, n_parts), dtype=bool), samples])
        sampled = self.members.astype(np.int64) @ occupancy
        self.log_occupancy = np.log2(np.maximum(sampled, 1))
        self.log_n = np.log2(sampled.sum(axis=1))
        self.table = grassberger(_TABLE)

    def means(self, activity: np.ndarray, unit: object, counts: bool, means: np.ndarray) -> None:
        """Fill the means (curve, sample) of the activity (time) of one unit.

        Activity that is no count has as many events as its sum squared over its sum of squares.
        """
        from neurodrift.analysis.information._kernels import part_means

        frames = np.flatnonzero(activity)
        amounts = activity[frames].astype(np.float64)
        if self.log_occupancy.shape[1] == 1:  # no position is told apart
            means[:] = 0.0 if frames.size else np.nan
            return
        scale = 1.0 if counts else math.fsum(amounts) / math.fsum(amounts**2)
        shifts = generator(self.seed, *self.names, "shifts", unit)
        part_means(
            frames, amounts, self.state, self.part, self.block,
            self.first, self.size, shifts.random((self.n_repeats, self.size.size)),
            self.members, self.log_occupancy, self.log_n, self.table, scale, means,
        )  # fmt: skip
