"""A progress bar on a terminal, and nothing anywhere else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def bar(items: Sequence[Item], what: str, progress: bool) -> Iterator[Item]:
    """Items one by one, on a terminal under a bar.

    Parameters
    ----------
    items
        What is gone through.
    what
        What is done with them, in a few words.
    progress
        Whether a bar is shown at all.

    Yields
    ------
    object
        The items.
    """
    from tqdm import tqdm

    yield from tqdm(items, desc=what, disable=None if progress else True, leave=False)
