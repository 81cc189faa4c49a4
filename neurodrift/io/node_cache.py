"""Nodes of analyses in a folder, each a store that is whole or not there."""

from __future__ import annotations

import os
import re
from pathlib import Path

import xarray as xr

from neurodrift.io.manifest import DamagedStoreError
from neurodrift.io.output import discard
from neurodrift.io.zarr import open_results, save_results
from neurodrift.schema.objects import path_of

_OWN_VERSION = "node_has_format_version"
_KEY = re.compile(r"[0-9a-f]{64}")


class NodeCache:
    """Nodes that were computed before, for ``analyze(cache=...)``; several processes may share it.

    Nothing in it is needed: a node that is missing or damaged is computed again, and the folder may
    be deleted at any time.

    Parameters
    ----------
    folder
        Where nodes are kept; made with the first.

    Examples
    --------
    >>> import tempfile
    >>> from neurodrift import NodeCache, analyze, testing
    >>> recording = testing.linear_track(n_units=3, n_sessions=2, minutes=2)
    >>> cache = NodeCache(tempfile.mkdtemp())
    >>> results = analyze(recording, measures=["sparsity"], cache=cache)
    >>> len(cache)
    1
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = path_of("folder", folder)

    def get(self, key: str, /) -> xr.Dataset | None:
        """A node that was kept under a key; None if there is none that is whole."""
        path = self._path(key)
        if not path.is_dir():
            return None
        try:
            tree = open_results(path)
            node = tree.children["node"].to_dataset(inherit=False)
        except (DamagedStoreError, FileNotFoundError, KeyError, ValueError):
            discard(path)
            return None
        if not tree.attrs[_OWN_VERSION]:
            del node.attrs["format_version"]  # the store's
        return node

    def __setitem__(self, key: str, node: xr.Dataset, /) -> None:
        path = self._path(key)
        attrs = {"title": "neurodrift results", _OWN_VERSION: int("format_version" in node.attrs)}
        tree = xr.DataTree.from_dict({"/": xr.Dataset(attrs=attrs), "node": node})
        try:
            save_results(tree, path)
        except FileExistsError:
            return  # another process keeps the same

    def __len__(self) -> int:
        return sum(1 for _ in self.folder.glob("*/*.zarr"))

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError(f"{key!r} is no key of a node: expected 64 hexadecimal digits")
        return self.folder / key[:2] / f"{key}.zarr"
