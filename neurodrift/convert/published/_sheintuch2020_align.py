"""What belongs to what in Sheintuch et al. 2020: trials, movies, behaviour and positions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurodrift._velocity import moving_average
from neurodrift.convert.published._sheintuch2020_source import Source

RATE = 20.0  # Hz, frames of the imaging and samples of the behaviour
TRACK = 96.0  # cm
SMOOTHING = 8  # samples, the authors' moving average over the velocity
SURPLUS_AT_START = 20  # frames; see align
MAX_MISMATCH = 200  # frames; a movie and a video further apart are not the same trial


@dataclass(frozen=True)
class Irregular:
    """Which movie and which entry of my_mvmt make a track trial, where the rule does not say."""

    pairs: dict[int, tuple[int, int]]  # track trial -> (frameLog row, my_mvmt entry), from 1
    reason: str


IRREGULAR = {
    ("C6_M4", "A", 2): Irregular(
        {1: (2, 2), 2: (3, 3), 3: (4, 4), 4: (5, 5), 5: (7, 7)},
        "the fifth trial is split into rows 6, 7 and entries 6, 7; the second part aligns "
        "(r = .79), the first does not",
    ),
    ("C11_M1", "A", 8): Irregular(
        {1: (2, 2), 3: (5, 4), 4: (6, 5), 5: (7, 6)},
        "the movie of track trial 2 is split into rows 3 and 4, which shifts the later rows by "
        "one; the trial is left out",
    ),
    ("C13_M1", "B", 6): Irregular(
        {1: (2, 2), 2: (3, 3), 3: (4, 4), 4: (5, 5)},
        "five movies only, but 7 entries of behaviour: the rest and four track trials",
    ),
}
"""Sessions that the rule (track trial j = row j + 1 = entry j + 1) does not fit, by mouse,
environment and session. A session with all 7 movies and fewer entries follows the rule: its last
trials have no behaviour (C7_M4 A 8)."""

INFERRED_LABELS = {
    ("C11_M1", "A", 8): [1, 1, 1, 1, 1],
    ("C7_M4", "A", 8): [1, 1, 1, 1, 1],
    ("C13_M1", "B", 6): [2, 1, 1, 1, 0],
    ("C13_M1", "B", 7): [1, 1, 1, 1, 1],
    ("C13_M1", "B", 8): [1, 1, 1, 1, 1],
}
"""Labels of the sessions that the authors' sheet lacks, from the correlation of their maps with the
labelled ones (r .66 to .84 with the right map, below .12 with any other)."""


@dataclass(frozen=True)
class Alignment:
    """How the behaviour of a track trial lies on the frames of its movie."""

    trial: int
    row: int  # of frameLog, from 0
    entry: int  # of my_mvmt, from 0
    first_frame: int  # of the movie, from 0
    first_sample: int  # of the behaviour, from 0
    length: int
    surplus: int  # frames of the movie minus samples, once the first sample is dropped

    @property
    def offset(self) -> int:
        """Frame of the movie, perhaps before its start, at which sample 0 lies."""
        return self.first_frame - self.first_sample


def align(source: Source) -> list[Alignment]:
    """Align the behaviour of every track trial with its movie.

    The behaviour has one sample more than the movie has frames: its first is dropped, and sample
    i + 1 belongs to frame i. Where the lengths still differ, by up to 20 frames, the surplus is at
    the start of the longer one, as the maps of neighbouring sessions show; where they differ by
    more, both start together. Both are cut to the shorter.

    Parameters
    ----------
    source
        A session.

    Returns
    -------
    list of Alignment
        One for each track trial with behaviour.

    Raises
    ------
    ValueError
        If movies and behaviour do not fit each other.
    """
    key = (source.mouse, source.environment, source.number)
    where = f"{source.mouse} environment {source.environment} session {source.number}"
    rows, entries = len(source.rows), source.behavior
    if key in IRREGULAR:
        pairs = IRREGULAR[key].pairs
    elif rows != 7 or len(entries) > 6:
        raise ValueError(
            f"{where}: frameLog_{source.number}.csv has {rows} movies and behavior_{source.number}"
            f".mat {len(entries)} entries, expected 7 and 6; find out which belong together and "
            "add the session to IRREGULAR in neurodrift/convert/published/_sheintuch2020_align.py"
        )
    else:
        pairs = {j: (j + 1, j + 1) for j in range(1, 6) if j < len(entries) and entries[j]}
    aligned = []
    for trial, (row, entry) in pairs.items():
        if row > rows or entry > len(entries) or not entries[entry - 1]:
            raise ValueError(
                f"{where}: track trial {trial} needs row {row} of frameLog_{source.number}.csv and "
                f"entry {entry} of behavior_{source.number}.mat, but there are {rows} and "
                f"{len(entries)}: the files are not those of the published data set"
            )
        n_frames = source.rows[row - 1].n_frames
        n_samples = len(location_of(source.behavior[entry - 1], where)) - 1
        surplus = n_frames - n_samples
        if abs(surplus) > MAX_MISMATCH and key not in IRREGULAR:
            raise ValueError(
                f"{where}: the movie of track trial {trial} has {n_frames} frames in frameLog_"
                f"{source.number}.csv, but its behaviour in behavior_{source.number}.mat "
                f"{n_samples + 1} samples: check that both files are of the same session"
            )
        at_start = abs(surplus) <= SURPLUS_AT_START
        first_frame = surplus if at_start and surplus > 0 else 0
        first_sample = 1 - surplus if at_start and surplus < 0 else 1
        length = min(n_frames - first_frame, n_samples + 1 - first_sample)
        aligned.append(
            Alignment(trial, row - 1, entry - 1, first_frame, first_sample, length, surplus)
        )
    if not aligned:
        raise ValueError(f"{where}: behavior_{source.number}.mat holds no track trial")
    return aligned


def position_cm(
    behavior: Sequence[dict[str, Any]], kept: Sequence[slice] | None = None
) -> list[np.ndarray]:
    """Position along the track of every trial of a session.

    The straight track (A) gives fractions of its length, clipped to 0 and 1 against glitches of
    the tracking. The L-shaped track (B) gives a projection on its diagonal, whose range over the
    session is the median of the trials' extremes, taken over the samples that are kept: the sample
    that the alignment drops can be a glitch. The authors take the extremes of each trial, so that
    one glitch rescales a whole trial.

    Parameters
    ----------
    behavior
        Entries of my_mvmt, the track trials of one session.
    kept
        Samples of each trial that lie on frames of its movie; all when omitted.

    Returns
    -------
    list of numpy.ndarray
        (sample) position [cm], 0 to 96, for each trial.
    """
    if "position" in behavior[0]:
        return [np.clip(trial["position"], 0, 1) * TRACK for trial in behavior]
    places = [trial["rough_linearized_location"] for trial in behavior]
    inside = places
    if kept is not None:
        inside = [place[samples] for place, samples in zip(places, kept, strict=True)]
    low = np.median([place.min() for place in inside])
    high = np.median([place.max() for place in inside])
    return [np.clip((place - low) / (high - low), 0, 1) * TRACK for place in places]


def velocity_cm(behavior: dict[str, Any]) -> np.ndarray:
    """Signed running velocity of a trial, smoothed as the authors do.

    Parameters
    ----------
    behavior
        An entry of my_mvmt.

    Returns
    -------
    numpy.ndarray
        (sample) velocity [cm/s], averaged over 8 samples (0.4 s) of the whole trial; on the
        L-shaped track its projection on the diagonal, about 1/1.41 of the true one.
    """
    name = "velocity" if "velocity" in behavior else "velocity_VER2"
    return moving_average(behavior[name].astype(np.float64), SMOOTHING)


def location_of(behavior: dict[str, Any], where: str) -> np.ndarray:
    """The vector that tells where the animal was, whichever the track.

    Parameters
    ----------
    behavior
        An entry of my_mvmt.
    where
        The session, for messages.

    Returns
    -------
    numpy.ndarray
        (sample) ``position`` or ``rough_linearized_location`` as it is.

    Raises
    ------
    ValueError
        If the entry has neither, or no velocity to go with it.
    """
    for name, speed in (
        ("position", "velocity"),
        ("rough_linearized_location", "velocity_VER2"),
    ):
        if name in behavior and speed in behavior:
            if not np.isfinite(behavior[name]).all() or behavior[name].size < 2:
                raise ValueError(f"{where}: {name} of the behaviour is empty or holds NaN")
            return np.asarray(behavior[name])
    raise ValueError(
        f"{where}: an entry of my_mvmt has fields {sorted(behavior)}, expected position and "
        "velocity, or rough_linearized_location and velocity_VER2"
    )
