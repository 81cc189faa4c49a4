"""Compiled training in stretches of a fraction of a second, so that Ctrl-C is heard."""

from __future__ import annotations

import time
from collections.abc import Iterator

LONGEST = 0.5
"""Seconds that a stretch should take at most."""

_FASTER = 8  # times as many steps as the stretch before


class Stretches:
    """How many steps of a training fit into a stretch, learned while it runs.

    Only the kernels' own state says where a training goes on, so that the stretches, which depend
    on the computer's speed, change no number.
    """

    def __init__(self) -> None:
        self._n = 16

    def stops(self, start: int, until: int) -> Iterator[int]:
        """Steps to stop at on the way; each is asked for when the one before has been reached.

        Parameters
        ----------
        start
            Steps made.
        until
            Steps to be made in all; the last stop.

        Yields
        ------
        int
            The next step to train to.
        """
        while start < until:
            stop = min(start + self._n, until)
            began = time.perf_counter()
            yield stop
            speed = (stop - start) / max(time.perf_counter() - began, 1e-9)
            self._n = max(1, min(int(speed * LONGEST), _FASTER * self._n))
            start = stop
