"""Plain arrays into the parts of a recording; :mod:`neurodrift.recording` puts them together."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from neurodrift.schema import COUNT_KINDS

FRAME_DTYPES: dict[str, type[np.generic]] = {
    "x": np.float64,
    "y": np.float64,
    "speed": np.float64,
    "direction": np.int8,
    "trial": np.int32,
    "trial_type": np.int32,
    "lap": np.int32,
    "map_label": np.int16,
}
"""The optional variables over time, and how they are held."""

SECONDS_PER_DAY = 86400.0


def expect_length(name: str, values: Any, length: int, what: str) -> None:
    """Refuse a sequence of another length."""
    if len(values) != length:
        raise ValueError(f"{name} has {len(values)} entries, but there are {length} {what}")


def label_array(labels: Any) -> np.ndarray:
    """Labels as integers if all are, otherwise as strings."""
    values = [item.item() if hasattr(item, "item") else item for item in labels]
    if all(isinstance(item, int) for item in values):
        return np.array(values, dtype=np.int64)
    return np.array([str(item) for item in values], dtype=object)


def activity_blocks(activity: Any, session_index: Any) -> list[Any]:
    """Activity as one array (time, unit) for each session."""
    if isinstance(activity, list | tuple):
        if session_index is not None:
            raise ValueError("session_index is for one array over all frames, not for a list")
        if not activity:
            raise ValueError("activity is an empty list, expected one array for each session")
        blocks = list(activity)
    else:
        blocks = [activity]
    blocks = [block.data if isinstance(block, xr.DataArray) else block for block in blocks]
    blocks = [block if is_lazy(block) else np.asarray(block) for block in blocks]
    for block in blocks:
        if block.ndim != 2:
            raise ValueError(f"activity has {block.ndim} dimensions, expected (time, unit)")
    widths = sorted({block.shape[1] for block in blocks})
    if len(widths) > 1:
        raise ValueError(
            f"activity has {widths} units in different sessions, expected the same units "
            "in each: build one recording per session and join them with join_sessions"
        )
    if session_index is None:
        return blocks
    index = np.asarray(session_index)
    if index.shape != (len(blocks[0]),):
        raise ValueError(
            f"session_index has shape {index.shape}, expected one entry for each of the "
            f"{len(blocks[0])} frames of activity"
        )
    if index.size and (index.dtype.kind not in "iu" or index[0] < 0):
        raise ValueError("session_index must be non-negative integers, 0 for the first session")
    index = index.astype(np.int64)
    if (np.diff(index) < 0).any():
        raise ValueError("session_index must never decrease: sort the frames by session")
    n_sessions = int(index[-1]) + 1 if index.size else 1
    edges = np.searchsorted(index, np.arange(n_sessions + 1))
    return [blocks[0][a:b] for a, b in zip(edges[:-1], edges[1:], strict=True)]


def is_lazy(array: Any) -> bool:
    """Whether it is a Dask array."""
    return hasattr(array, "dask")


def by_session(
    name: str, values: Any, lengths: list[int], labels: list[str], listed: bool
) -> list[np.ndarray]:
    """Values over frames as one array for each session, as long as its activity."""
    if listed:
        if not isinstance(values, list | tuple) or len(values) != len(lengths):
            raise ValueError(
                f"{name} must be a list of {len(lengths)} arrays, one for each session, because "
                "activity is such a list"
            )
        parts = [np.asarray(part) for part in values]
    else:
        whole = np.asarray(values)
        if whole.shape != (sum(lengths),):
            raise ValueError(
                f"{name} has shape {whole.shape}, but activity has {sum(lengths)} frames: give one "
                "value for each frame (NaN or -1 where there is none)"
            )
        parts = np.split(whole, np.cumsum(lengths)[:-1])
    for part, length, session in zip(parts, lengths, labels, strict=True):
        if part.shape != (length,):
            raise ValueError(
                f"{name} has shape {part.shape} in session {session!r}, but activity has "
                f"{length} frames there: give one value for each frame"
            )
    return parts


def cast_frames(name: str, parts: list[np.ndarray]) -> np.ndarray:
    """Values over all frames, as the recording holds them; refused where that changes one."""
    whole = np.concatenate(parts)
    with np.errstate(invalid="ignore"):  # NaN as an integer; refused below
        held = whole.astype(FRAME_DTYPES[name])
    if held.dtype.kind == "i" and not np.array_equal(held, whole):
        limits = np.iinfo(held.dtype)
        raise ValueError(
            f"{name} must be whole numbers from {limits.min} to {limits.max}, found "
            f"{whole[held != whole][:3].tolist()}: use "
            f"{0 if name in ('direction', 'map_label') else -1} where there is none"
        )
    return held


def truth_values(name: str, values: Any, shape: tuple[int, int]) -> np.ndarray:
    """True and False over (session, unit)."""
    found = np.asarray(values)
    if found.shape != shape:
        raise ValueError(f"{name} has shape {found.shape}, expected (session, unit) = {shape}")
    if not np.isin(found, (0, 1)).all():
        raise ValueError(f"{name} must be True or False")
    return found.astype(bool)


def durations_of(clocks: list[np.ndarray] | None, given: Any, labels: list[str]) -> np.ndarray:
    """Length of a frame in each session [s]."""
    if given is not None:
        durations = np.asarray(given, dtype=float)
        if durations.ndim:
            expect_length("frame_duration", durations, len(labels), "sessions")
        return np.broadcast_to(durations, (len(labels),)).copy()
    if clocks is None:
        raise ValueError("give time (start of each frame) or frame_duration, in seconds")
    for clock, session in zip(clocks, labels, strict=True):
        if len(clock) < 2:
            raise ValueError(
                f"session {session!r} has fewer than two frames, so their length is unknown: give "
                "frame_duration [s]"
            )
    return np.array([float(np.median(np.diff(clock))) for clock in clocks])


def end_to_end(clocks: list[np.ndarray], durations: np.ndarray, day: Any) -> list[np.ndarray]:
    """Move a session whose clock starts over behind the one before it; leave the others."""
    placed: list[np.ndarray] = []
    last, end = -np.inf, -np.inf
    for i, clock in enumerate(clocks):
        clock = np.asarray(clock, dtype=float)
        if clock.size and clock[0] <= last:
            shift = 0.0 if day is None else float(day[i] - day[0]) * SECONDS_PER_DAY
            clock = clock + (shift if clock[0] + shift >= end else end - clock[0])
        if clock.size:
            last, end = float(clock[-1]), float(clock[-1] + durations[i])
        placed.append(clock)
    return placed


def lay_end_to_end(blocks: list[Any], kind: str) -> Any:
    """Activity of all sessions (time, unit): small counts, or floating-point numbers."""
    if any(is_lazy(block) for block in blocks):
        import dask.array as da

        if kind in COUNT_KINDS and any(block.dtype.kind != "u" for block in blocks):
            raise ValueError(
                f"lazy activity of kind {kind!r} must have an unsigned integer dtype: "
                "activity.astype('uint16')"
            )
        return da.concatenate(blocks, axis=0)
    whole = blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=0)
    if kind not in COUNT_KINDS:
        whole = whole if whole.dtype.kind == "f" else whole.astype(np.float64)
        if not np.isfinite(whole).all():
            raise ValueError(
                f"activity is NaN or infinite in {int((~np.isfinite(whole)).sum())} places: leave "
                "the frames out, or use 0 and detected=False where the unit was not recorded"
            )
        return whole
    if whole.dtype.kind == "u":
        return whole
    with np.errstate(invalid="ignore"):  # NaN and negative numbers; refused below
        counts = whole.astype(np.uint32)
    if not np.array_equal(counts, whole):
        raise ValueError(
            f"activity of kind {kind!r} must be counts (0, 1, 2, ...), found negative, fractional "
            "or NaN values: binarise it, or use kind='deconvolved' or 'amplitudes'"
        )
    return counts.astype(np.min_scalar_type(int(counts.max(initial=0))))
