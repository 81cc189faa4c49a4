"""Equal parts of sessions: blocks of laps or of minutes, each in two interleaved halves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr

from neurodrift.analysis.maps.binning import Binning, bin_frames
from neurodrift.geometry.geometry import geometry_of
from neurodrift.kinematics import number_laps
from neurodrift.recording import slice_sessions

FEWEST = 2
"""Rounds that a part needs: one for each of its halves."""


@dataclass(frozen=True)
class Blocks:
    """Which part and half each frame belongs to.

    Parameters
    ----------
    code
        (time) twice the number of the part, and 1 more in its second half; -1 in none.
    session, label
        (part) index of the session, and the map that the part is of.
    minutes
        (part) middle of its frames since the start of the session [min].
    n_rounds
        (session) rounds that there are.
    size
        Rounds in every part.
    together
        Laps in a round: 2 where running directions have maps of their own.
    """

    code: np.ndarray
    session: np.ndarray
    label: np.ndarray
    minutes: np.ndarray
    n_rounds: np.ndarray
    size: int
    together: int


def cut_in_blocks(
    recording: xr.Dataset,
    by: Literal["lap", "minute"],
    n_parts: int,
    stretch: float,
    binning: Binning,
) -> Blocks:
    """Cut every session into parts of as many rounds.

    Parameters
    ----------
    recording
        A recording with a position.
    by
        ``"lap"``: rounds are laps, or pairs of laps where there are two directions; ``"minute"``:
        stretches of time.
    n_parts
        Parts of the session with the fewest rounds; longer ones have more parts of the same size.
    stretch
        Length of a stretch [s].
    binning
        Bins and frames that count.

    Returns
    -------
    Blocks
        Half of the parts of a session follow its start, the others precede its end, and what is
        left over lies between. Sessions with fewer than two rounds a part have none.

    Raises
    ------
    ValueError
        If there are no laps.
    """
    frames = bin_frames(recording, binning)
    usable = frames["position_bin"].values >= 0
    together = 2 if by == "lap" and frames.sizes["direction"] > 1 else 1
    number = _numbers(recording, by, stretch)
    labels = np.zeros(usable.size, dtype=np.int64)
    if "map_label" in recording and (recording["map_label"].values > 0).any():
        labels = recording["map_label"].values.astype(np.int64)
        usable = usable & (labels > 0)
    usable &= number >= 0
    slices = slice_sessions(recording)
    rounds: list[tuple[int, int, np.ndarray, np.ndarray]] = []
    counts = np.zeros(len(slices), dtype=np.int64)
    for s, where in enumerate(slices):
        here = np.arange(where.start, where.stop)[usable[where]]
        for g in np.unique(labels[here]):
            own = here[labels[here] == g]
            rank = np.unique(number[own], return_inverse=True)[1] // together
            whole = rank <= (int(np.unique(number[own]).size) // together) - 1
            own, rank = own[whole], rank[whole]
            if rank.size:
                rounds.append((s, int(g), own, rank))
                counts[s] += int(rank.max()) + 1
    fits = [int(rank.max() + 1) // n_parts for _, _, _, rank in rounds]
    fits = [size for size in fits if size >= FEWEST]
    size = min(fits) if fits else 0
    code = np.full(usable.size, -1, dtype=np.int64)
    session: list[int] = []
    label: list[int] = []
    minutes: list[float] = []
    for s, g, own, rank in rounds:
        n = int(rank.max()) + 1
        if not size or n // n_parts < FEWEST:
            continue
        clock = recording["time"].values[slices[s]]
        for start in _starts(n, size):
            inside = (rank >= start) & (rank < start + size)
            at = own[inside]
            code[at] = 2 * len(session) + (rank[inside] - start) % 2
            session.append(s)
            label.append(g)
            minutes.append(float((recording["time"].values[at] - clock[0]).mean()) / 60)
    return Blocks(
        code,
        np.array(session, dtype=np.int64),
        np.array(label, dtype=np.int64),
        np.array(minutes, dtype=float),
        counts,
        size,
        together,
    )


def _starts(n: int, size: int) -> list[int]:
    """First round of each part: half of them from the start, the others up to the end."""
    fit = n // size
    early = (fit + 1) // 2
    late = fit - early
    return [k * size for k in range(early)] + [n - (late - k) * size for k in range(late)]


def _numbers(recording: xr.Dataset, by: str, stretch: float) -> np.ndarray:
    """Lap or stretch of each frame within its session, -1 for none."""
    if by == "minute":
        found = np.zeros(recording.sizes["time"], dtype=np.int64)
        for where in slice_sessions(recording):
            clock = recording["time"].values[where]
            found[where] = (clock - clock[:1]) // stretch
        return found
    if "lap" in recording:
        return np.asarray(recording["lap"].values.astype(np.int64))
    if not geometry_of(recording).has_laps:
        raise ValueError(
            "by='lap', but the recording has no lap and its place has no laps: give lap "
            "(recording_from_arrays(lap=...)), or use by='minute'"
        )
    return np.asarray(number_laps(recording)["lap"].values.astype(np.int64))
