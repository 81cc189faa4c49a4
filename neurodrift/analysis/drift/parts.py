"""Parts of every session whose noise is independent, cut at trials, laps or minutes."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import xarray as xr

from neurodrift.recording import slice_sessions
from neurodrift.schema.objects import expect_choice

Split = Literal["auto", "trial", "lap", "block"]
"""What sessions are cut at."""

_BLOCK = 60.0  # s


def cut_sessions(recording: xr.Dataset, split: Split, most: int) -> tuple[str, np.ndarray, int]:
    """Cut every session into as many parts, each spread over the whole of it.

    Parameters
    ----------
    recording
        A recording.
    split
        ``"trial"``: every n-th trial is one of the n parts; ``"lap"``: every n-th pair of laps, so
        that each has both running directions; ``"block"``: every n-th minute; ``"auto"``: that
        which gives the most parts, the first of equals.
    most
        Parts, an even number; fewer where a session has fewer.

    Returns
    -------
    split, number, n_parts : str, numpy.ndarray, int
        What was cut at; (time) number of the trial, pair or minute in its session, -1 outside, of
        which the part is the remainder by `n_parts`; and how many parts there are, an even number.

    Raises
    ------
    ValueError
        If the recording has no such trials or laps.

    Examples
    --------
    >>> from neurodrift import testing
    >>> from neurodrift.analysis.drift.parts import cut_sessions
    >>> split, number, n_parts = cut_sessions(testing.linear_track(n_units=2), "auto", 8)
    >>> split, n_parts
    ('lap', 8)
    """
    expect_choice("split", split, get_args(Split))
    if split != "auto":
        return split, *_numbered(recording, split, most)
    names = [name for name in ("trial", "lap") if name in recording]
    cuts = [(name, *_numbered(recording, name, most)) for name in (*names, "block")]
    return max(cuts, key=lambda cut: cut[2])


def _numbered(recording: xr.Dataset, split: str, most: int) -> tuple[np.ndarray, int]:
    if split != "block" and split not in recording:
        raise ValueError(f"split={split!r}, but the recording has no {split}: use 'block'")
    number = np.full(recording.sizes["time"], -1)
    fewest = most
    for where in slice_sessions(recording):
        if split == "block":
            clock = recording["time"].values[where]
            part = (clock - clock[:1]) // _BLOCK
        else:
            part = recording[split].values[where].astype(float)
        inside = part >= 0
        if not inside.any():
            continue
        rank = np.unique(part[inside], return_inverse=True)[1].reshape(-1)
        number[where][inside] = rank // (2 if split == "lap" else 1)
        fewest = min(fewest, int(number[where].max()) + 1)
    return number, fewest // 2 * 2
