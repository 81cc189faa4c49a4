"""What the child process of :mod:`neurodrift.io.probe` does: read HDF5 files that are named to it.

A line of its output is ``.`` (has started, or is still at work), ``ok``, or JSON of what is wrong.
"""

from __future__ import annotations

import json
import sys
from typing import Any

_LARGE = 2**30  # bytes of a file above which chunks are looked up, and read only in part
_BLOCK = 2**24  # bytes that are read at once
_MOST_OBJECTS = 1_000_000


def main() -> None:
    """Read paths from the standard input until it ends."""
    import h5py  # noqa: F401 (loaded before the first file is read)

    _limit_memory()
    _say(".")
    for line in sys.stdin:
        try:
            told = _probe(json.loads(line))
        except MemoryError:
            told = {"where": "/", "error": "reading it takes more memory than any such file needs"}
        except RecursionError:
            told = {"where": "/", "error": "it is nested without end"}
        _say("ok" if told is None else json.dumps(told))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _limit_memory() -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (2**33, 2**33))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, ValueError, OSError):
        pass


def _probe(path: str) -> dict[str, str] | None:
    import os

    import h5py

    where = "/"
    try:
        with h5py.File(path, "r") as file:
            whole = os.path.getsize(path) <= _LARGE
            _attributes(file)
            groups, seen = [file["/"]], set()
            while groups:
                group = groups.pop()
                where = str(group.name)
                address = h5py.h5o.get_info(group.id).addr
                if address in seen:
                    continue
                seen.add(address)
                if len(seen) > _MOST_OBJECTS:
                    return {"where": where, "error": f"more than {_MOST_OBJECTS} groups"}
                for name in group:
                    where = f"{str(group.name).rstrip('/')}/{name}"
                    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                        continue
                    item = group[name]
                    _attributes(item)
                    if isinstance(item, h5py.Group):
                        groups.append(item)
                    elif isinstance(item, h5py.Dataset):
                        _read(item, whole)
                _say(".")
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, UnicodeError) as error:
        if _is_plugin(error):
            return None
        return {"where": where, "error": f"{type(error).__name__}: {error}"}
    return None


def _attributes(item: Any) -> None:
    for name in item.attrs:
        try:
            item.attrs[name]
        except (TypeError, OSError) as error:  # a type that NumPy lacks
            if "equivalent" not in str(error):
                raise


def _read(dataset: Any, whole: bool) -> None:
    try:
        shape, item = dataset.shape, max(dataset.dtype.itemsize, 1)
    except TypeError:  # a type that NumPy lacks; what needs it says so
        return
    if shape is None or dataset.external or dataset.is_virtual or 0 in shape:
        return
    try:
        for part in _parts(dataset, shape, item, whole):
            dataset[part]
            _say(".")
    except OSError as error:
        if not _is_plugin(error):
            raise


def _parts(dataset: Any, shape: tuple[int, ...], item: int, whole: bool) -> Any:
    """Selections that cover what is stored of a dataset."""
    if not shape:
        yield ()
    elif dataset.chunks is not None:
        n = dataset.id.get_num_chunks()
        for i in range(n):
            first = dataset.id.get_chunk_info(i).chunk_offset
            if whole or i < 8:
                yield tuple(
                    slice(a, min(a + c, s))
                    for a, c, s in zip(first, dataset.chunks, shape, strict=True)
                )
            elif i % 4096 == 0:
                _say(".")
    else:
        row = item
        for size in shape[1:]:
            row *= size
        stored = dataset.id.get_storage_size()
        step = max(1, _BLOCK // max(row, 1))
        n_rows = min(shape[0], -(-stored // max(row, 1)))
        for i, first in enumerate(range(0, n_rows, step)):
            if whole or i < 8:
                yield (slice(first, min(first + step, n_rows)),)


def _is_plugin(error: BaseException) -> bool:
    """Whether a filter is missing here, which is no damage."""
    text = str(error)
    return "filter" in text and ("not registered" in text or "plugin" in text.lower())
