"""A Zarr store while it is written: once it is given up, no thread writes into it any more."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from zarr.storage import LocalStore

_WAIT = 60.0  # seconds for chunks under way, which are small

_changed = threading.Condition()
_under_way: Counter[Path] = Counter()
_given_up: set[Path] = set()


class UnfinishedStore(LocalStore):
    """A local store that refuses to write after :func:`end_writing`.

    Dask's threads go on with the chunks that they have begun when one of them fails, on a full
    disk for example; they would make the folder anew while it is removed.

    Parameters
    ----------
    root
        Directory of the store.
    read_only
        As for :class:`zarr.storage.LocalStore`.
    """

    def __init__(self, root: str | os.PathLike[str], *, read_only: bool = False) -> None:
        super().__init__(Path(root).absolute(), read_only=read_only)

    async def _set(self, key: str, value: Any, exclusive: bool = False) -> None:
        with _writing(self.root):
            await super()._set(key, value, exclusive=exclusive)


def end_writing(root: Path) -> None:
    """Let no thread of this process write into a store any more, and wait for those that do.

    Parameters
    ----------
    root
        Directory of the store.
    """
    root = root.absolute()
    with _changed:
        _given_up.add(root)
        _changed.wait_for(lambda: not _under_way[root], _WAIT)


@contextmanager
def _writing(root: Path) -> Iterator[None]:
    with _changed:
        if root in _given_up:
            raise OSError(f"{root} was given up: another part of it could not be written")
        _under_way[root] += 1
    try:
        yield
    finally:
        with _changed:
            _under_way[root] -= 1
            _changed.notify_all()
