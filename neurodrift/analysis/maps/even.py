"""Frames of unequal length cut into ticks of equal length, for what needs equal samples.

Circular shifts move activity in time, and subsamples are parts of the time; with frames of one
length both are counts of frames. Otherwise the frames that count are laid end to end, each as long
as it is, and cut into as many ticks of equal length as there are frames.
"""

from __future__ import annotations

import numpy as np

from neurodrift.recording import is_even


class Ticks:
    """Equal parts of the time of some frames laid end to end.

    Parameters
    ----------
    durations
        (frame) seconds.

    Attributes
    ----------
    step : float
        Length of a tick [s].
    frame : numpy.ndarray
        (tick) the frame that the middle of the tick lies in.
    """

    def __init__(self, durations: np.ndarray) -> None:
        edges = np.concatenate([[0.0], np.cumsum(durations)])
        n = durations.size
        self.step = float(edges[-1] / n)
        middles = (np.arange(n) + 0.5) * self.step
        self.frame = np.minimum(np.searchsorted(edges, middles, side="right") - 1, n - 1)
        self._n_ticks = np.bincount(self.frame, minlength=n)
        self._first = np.searchsorted(self.frame, np.arange(n))
        home = np.floor((edges[:-1] + durations / 2) / self.step).astype(np.int64)
        home = np.minimum(home, n - 1)
        self._first = np.where(self._n_ticks > 0, self._first, home)

    def amounts(
        self, frames: np.ndarray, amounts: np.ndarray, counts: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """Amounts of some frames, spread evenly over the ticks of each.

        Parameters
        ----------
        frames
            (entry) frames with activity.
        amounts
            (entry) how much in the frame.
        counts
            Whether these are whole events, each of which stays whole.

        Returns
        -------
        ticks, amounts : numpy.ndarray
            (entry) ticks with activity, increasing, and how much; a frame that is shorter than a
            tick and has none of its own is added to the one that holds its middle.
        """
        ticks, shares, _ = self._spread(frames, amounts, counts)
        found, place = np.unique(ticks, return_inverse=True)
        return found, np.bincount(place, weights=shares, minlength=found.size)

    def activity(self, activity: np.ndarray, *, counts: bool, level: bool) -> np.ndarray:
        """Activity (unit, frame) on ticks.

        Parameters
        ----------
        activity
            (unit, frame)
        counts
            Whether it is of whole events.
        level
            Whether it is a level, which is the same throughout a frame, and not an amount.

        Returns
        -------
        numpy.ndarray
            (unit, tick)
        """
        if level:
            return activity[:, self.frame]
        unit, frame = np.nonzero(activity)
        some = activity[unit, frame].astype(np.float64)
        ticks, shares, entry = self._spread(frame, some, counts)
        found = np.zeros(activity.shape)
        np.add.at(found, (unit[entry], ticks), shares)
        if counts:
            return found.astype(np.min_scalar_type(int(found.max(initial=0))))
        return found

    def _spread(
        self, frames: np.ndarray, amounts: np.ndarray, counts: bool
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Ticks, shares, and of which entry each of them is."""
        room = np.maximum(self._n_ticks[frames], 1)
        parts = amounts.astype(np.int64) if counts else room
        entry = np.repeat(np.arange(frames.size), parts)
        order = np.arange(entry.size) - np.repeat(np.cumsum(parts) - parts, parts)
        place = np.floor((order + 0.5) / parts[entry] * room[entry]).astype(np.int64)
        shares = np.ones(entry.size) if counts else (amounts / room)[entry]
        return self._first[frames[entry]] + place, shares, entry


def ticks_of(durations: np.ndarray) -> Ticks | None:
    """Ticks of some frames, None where the frames are equal already.

    Parameters
    ----------
    durations
        (frame) seconds.

    Returns
    -------
    Ticks or None
        None also where there is no frame.
    """
    if is_even(durations):
        return None
    return Ticks(durations)
