"""Activity of several sessions laid end to end, read from their files block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np


class Readable(Protocol):
    """What activity can be read from: an NWB file, or a store.

    Attributes
    ----------
    shape
        (time, unit).
    dtype
        Of the numbers.
    chunk
        (time, unit) that are best read together.
    """

    shape: tuple[int, int]
    dtype: np.dtype[Any]
    chunk: tuple[int, int]

    def read(self, frames: np.ndarray, units: np.ndarray) -> np.ndarray:
        """Some frames, increasing, of some units, in any order: (frame, unit)."""

    def release(self) -> None:
        """Forget what was kept to read faster."""


@dataclass(frozen=True)
class Session:
    """Activity of one session, before it has its place among others.

    Parameters
    ----------
    source
        What it is read from.
    frames
        (time) numbers of its frames there, increasing.
    units
        (unit) numbers of its units there, -1 for units that it has not.
    """

    source: Readable
    frames: np.ndarray
    units: np.ndarray

    def read(self, frames: slice, units: slice) -> np.ndarray:
        """Some of its frames and units, 0 where it has not the unit."""
        wanted = self.units[units]
        there = wanted >= 0
        values = self.source.read(self.frames[frames], wanted[there])
        if there.all():
            return values
        found = np.zeros((len(values), wanted.size), dtype=values.dtype)
        found[:, there] = values
        return found


@dataclass(frozen=True)
class Stream:
    """Activity (time, unit) of sessions, one after the other.

    Parameters
    ----------
    sessions
        Each with all units.
    dtype
        Of the whole.
    """

    sessions: Sequence[Session]
    dtype: np.dtype[Any]

    @property
    def shape(self) -> tuple[int, int]:
        """(time, unit)."""
        n_units = self.sessions[0].units.size if self.sessions else 0
        return sum(session.frames.size for session in self.sessions), n_units

    def read(self, first: int, stop: int, units: slice) -> np.ndarray:
        """Some frames of all sessions.

        Parameters
        ----------
        first, stop
            The first frame, and the one after the last.
        units
            Which units.

        Returns
        -------
        numpy.ndarray
            (frame, unit)
        """
        n_units = len(range(*units.indices(self.shape[1])))
        found = np.empty((stop - first, n_units), dtype=self.dtype)
        for start, session in self._placed():
            here = slice(max(first - start, 0), min(stop - start, session.frames.size))
            if here.start < here.stop:
                placed = slice(start + here.start - first, start + here.stop - first)
                found[placed] = session.read(here, units)
        return found

    def release(self, before: int) -> None:
        """Forget what was kept of sessions that end before a frame."""
        for start, session in self._placed():
            if start + session.frames.size <= before:
                session.source.release()

    def _placed(self) -> Iterator[tuple[int, Session]]:
        start = 0
        for session in self.sessions:
            yield start, session
            start += session.frames.size
