"""Samples of activity looked at in parts, so that those on disk need not be in memory."""

from __future__ import annotations

import mmap
from collections.abc import Iterator

import numpy as np

_BLOCK_BYTES = 2**24


def blocks(
    samples: np.ndarray, whole: tuple[int, int] = (1, 1)
) -> Iterator[tuple[slice, slice, np.ndarray]]:
    """Parts of an array that lie together, one after the other.

    Parameters
    ----------
    samples
        (time, unit) in memory, or mapped from a file: then a part is forgotten once the next one
        is asked for.
    whole
        (time, unit) that a part has a multiple of.

    Yields
    ------
    frames, units : slice
        Where the part lies; all of the units, or all of the frames.
    part : numpy.ndarray
        (time, unit)

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.gate.blocks import blocks
    >>> [part.shape for _, _, part in blocks(np.zeros((30, 4)))]
    [(30, 4)]
    """
    n_frames, n_units = samples.shape
    by_unit = abs(samples.strides[1]) > abs(samples.strides[0])
    across, along = (n_frames, n_units) if by_unit else (n_units, n_frames)
    at_once = max(1, _BLOCK_BYTES // max(1, across * samples.itemsize))
    at_once = -(-at_once // whole[by_unit]) * whole[by_unit]
    for start in range(0, along, at_once):
        some, every = slice(start, min(start + at_once, along)), slice(0, across)
        frames, units = (every, some) if by_unit else (some, every)
        yield frames, units, samples[frames, units]
        forget(samples)


def forget(samples: np.ndarray) -> None:
    """Let go of what was read of an array that is mapped from a file; it is read anew if needed.

    Parameters
    ----------
    samples
        Any array.
    """
    base: object = samples
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)
