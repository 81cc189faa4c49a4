"""Datasets of an HDF5 file by path; links out of the file and huge declared sizes are refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from neurodrift.io.arrays.names import missing_variable, only_one
from neurodrift.io.probe import refuse_damaged

_MOST_LISTED = 500
_MOST_RATIO = 1100  # gzip packs at most 1032 to 1


def described(path: Path) -> list[tuple[str, tuple[int, ...], str, bool]]:
    """Path, shape and dtype of every dataset; a group of vectors is one collection."""
    import h5py

    found: list[tuple[str, tuple[int, ...], str, bool]] = []
    with opened(path) as file:
        for name, item in _walk(file):
            if isinstance(item, h5py.Dataset):
                found.append((name, item.shape or (), str(item.dtype), False))
            elif item is not None and len(item) > 1:
                vectors = [v for _, v in _walk(item, deep=False) if isinstance(v, h5py.Dataset)]
                numbered = all(re.fullmatch(r"\D*\d+", key) for key in item)
                if numbered and len(vectors) == len(item) and all(v.ndim == 1 for v in vectors):
                    found.append((f"{name}/*", (len(vectors),), str(vectors[0].dtype), True))
            if len(found) >= _MOST_LISTED:
                break
    return found


def load(path: Path, variable: str | None, max_bytes: int) -> Any:
    """A dataset; the vectors of a group for ``group/*``, in the order of their names."""
    with opened(path) as file:
        if variable is None:
            variable = only_one(path, [name for name, _, _, many in described(path) if not many])
        if variable.endswith("/*"):
            group = follow(file, variable[:-2], path)
            if group is None or not hasattr(group, "keys"):
                raise missing_variable(path, variable, [n for n, *_ in described(path)])
            names = sorted(group, key=lambda n: (not n.isdecimal(), int(n) if n.isdecimal() else n))
            share = max_bytes // max(1, len(names))
            return [_read(follow(group, name, path), f"{path}: {name}", share) for name in names]
        item = follow(file, variable, path) or follow(file, variable.replace(".", "/"), path)
        if item is None:
            raise missing_variable(path, variable, [n for n, *_ in described(path)])
        index = f"{variable}_index"
        if index.rsplit("/", 1)[-1] in getattr(item, "parent", {}):  # ragged, as in NWB
            ends = np.asarray(_read(follow(file, index, path), index, max_bytes), dtype=np.int64)
            return np.split(_read(item, variable, max_bytes), ends[:-1])
        return _read(item, f"{path}: {variable}", max_bytes)


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """The open file; what h5py raises becomes one error."""
    import h5py

    refuse_damaged(path)
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise ValueError(f"{path} is no readable HDF5 file: {error}") from error
    with file:
        yield file


def follow(group: Any, name: str, path: Path) -> Any:
    """What lies at a path within the file, None where there is nothing."""
    import h5py

    for step in [part for part in name.split("/") if part]:
        if not isinstance(group, h5py.Group) or step not in group:
            return None
        link = group.get(step, getlink=True)
        if isinstance(link, h5py.ExternalLink):
            raise ValueError(f"{path}: {name} lies in another file, which is not opened")
        group = group[step]
    return group


def read_dataset(dataset: Any, where: str, max_bytes: int = 2**32) -> np.ndarray:
    """Values of a dataset, after a look at what it declares."""
    return _read(dataset, where, max_bytes)


def _read(dataset: Any, where: str, max_bytes: int) -> np.ndarray:
    import h5py

    if not isinstance(dataset, h5py.Dataset):
        names = ", ".join(list(dataset)[:12]) if isinstance(dataset, h5py.Group) else "nothing"
        raise ValueError(f"{where} is a group; name one of its datasets: {names}")
    if dataset.external or dataset.is_virtual:
        raise ValueError(f"{where} lies in another file, which is not opened")
    if dataset.dtype.kind == "V" and dataset.dtype.names is None:
        raise ValueError(f"{where} has dtype {dataset.dtype}, expected numbers or text")
    size, stored = dataset.nbytes, dataset.id.get_storage_size()
    if size > max_bytes:
        raise ValueError(
            f"{where} declares shape {dataset.shape}, {size / 2**30:,.1f} GiB; at most "
            f"{max_bytes / 2**30:,.1f} GiB are read"
        )
    if size > 2**20 and size > _MOST_RATIO * stored:
        raise ValueError(f"{where} declares shape {dataset.shape}, but holds {stored:,} bytes only")
    if h5py.check_string_dtype(dataset.dtype) is not None:
        text = dataset.asstr()[()]
        return np.atleast_1d(np.asarray(text, dtype=object))
    if dataset.dtype.kind == "S":
        return np.array([v.decode() for v in np.atleast_1d(dataset[()]).ravel()], dtype=object)
    if dataset.dtype.hasobject:
        raise ValueError(f"{where} holds references or ragged rows, expected numbers or text")
    try:
        return np.asarray(dataset[()])
    except OSError as error:
        raise ValueError(f"{where} is damaged: {error}") from error


def _walk(group: Any, prefix: str = "", *, deep: bool = True, depth: int = 0) -> Iterator[Any]:
    """Every dataset and group below one, without following links out of the file."""
    import h5py

    for name in group:
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            continue
        item, path = group[name], f"{prefix}{name}"
        yield path, item
        if deep and isinstance(item, h5py.Group) and depth < 16:
            yield from _walk(item, f"{path}/", depth=depth + 1)
