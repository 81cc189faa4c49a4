"""How far long work is: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")

QUIET = "NEURODRIFT_QUIET"
"""Environment variable; where it is set, nothing is shown (``--quiet``)."""

_FIRST, _LONGEST = 10.0, 300.0  # s until the first line of a log, and between two of them


def note(text: str) -> None:
    """Say something on standard error, unless ``--quiet``.

    Parameters
    ----------
    text
        One line.
    """
    if sys.stderr is not None and not os.environ.get(QUIET):
        print(text, file=sys.stderr, flush=True)


class Progress:
    """Work of a known number of steps under way.

    Parameters
    ----------
    total
        Number of steps.
    what
        What is done, in a few words.
    unit
        What a step is.
    initial
        Steps that were done before.
    shown
        Whether anything is shown. On a terminal it is a bar; elsewhere a line on standard error
        after 10 s, and then after twice as long each time, 5 minutes at most.
    """

    def __init__(
        self, total: int, what: str, *, unit: str = "step", initial: int = 0, shown: bool = True
    ) -> None:
        from tqdm import tqdm

        self._total, self._what, self._unit = total, what, unit
        self._done = self._initial = initial
        self._began = time.monotonic()
        self._next = _FIRST
        shown = shown and not os.environ.get(QUIET)
        on_terminal = sys.stderr is not None and sys.stderr.isatty()
        self._logs = shown and not on_terminal and sys.stderr is not None
        self._bar = tqdm(
            total=total,
            initial=initial,
            desc=what,
            unit=unit,
            leave=False,
            disable=not (shown and on_terminal),
        )

    def say(self, text: str) -> None:
        """What is being done, or came out last."""
        self._bar.set_postfix_str(text, refresh=False)

    def add(self, steps: int = 1) -> None:
        """Count steps that are done."""
        self._done += steps
        self._bar.update(steps)
        took = time.monotonic() - self._began
        if self._logs and took >= self._next and self._done < self._total:
            self._next = took + min(took, _LONGEST)
            print(self._line(took), file=sys.stderr, flush=True)

    def close(self) -> None:
        """End it."""
        self._bar.close()

    def _line(self, took: float) -> str:
        made = self._done - self._initial
        left = took / made * (self._total - self._done)
        return (
            f"{self._what}: {self._done} of {self._total} {self._unit}s, {duration(took)}, "
            f"about {duration(left)} left"
        )


def duration(seconds: float) -> str:
    """A time in the words of a person.

    Parameters
    ----------
    seconds
        How long.

    Returns
    -------
    str
        In s, min or h.

    Examples
    --------
    >>> from neurodrift.progress import duration
    >>> [duration(seconds) for seconds in (8.2, 100, 7300)]
    ['8 s', '1 min 40 s', '2 h 1 min']
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def bar(items: Sequence[Item], what: str, progress: bool, unit: str = "step") -> Iterator[Item]:
    """Items one by one, with how far they are.

    Parameters
    ----------
    items
        What is gone through.
    what
        What is done with them, in a few words.
    progress
        Whether anything is shown.
    unit
        What an item is.

    Yields
    ------
    object
        The items.
    """
    shown = Progress(len(items), what, unit=unit, shown=progress)
    try:
        for item in items:
            shown.say(str(getattr(item, "name", "")))
            yield item
            shown.add()
    finally:
        shown.close()
