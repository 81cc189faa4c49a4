"""Nodes of an analysis that were computed before, found again by what went into them.

A node is a function of the recording, of the options that it declares, of the nodes that it uses
and of the code. The key is a checksum of these, so that a changed bin width computes the maps
again, and a changed level of the test only what follows from the test. A recording of a store is
known by the store's checksums and by what was done to it since, one in memory by its numbers.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import MutableMapping
from dataclasses import asdict, is_dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import xarray as xr

from neurodrift._version import __version__
from neurodrift.analysis.nodes.node import Node
from neurodrift.analysis.nodes.table import NODES
from neurodrift.analysis.nodes.work import Work
from neurodrift.schema import FORMAT_VERSION

_NUMERIC = ("numpy", "scipy", "numba", "xarray")
_CODE = ("analysis", "geometry", "gate", "schema")
_FILES = ("kinematics.py", "recording.py", "seeds.py", "_velocity.py")


class Cache(Protocol):
    """Where nodes are kept; a dict is one."""

    def get(self, key: str, /) -> xr.Dataset | None:
        """A node that was kept under a key."""

    def __setitem__(self, key: str, node: xr.Dataset, /) -> None:
        """Keep a node under a key."""


class Keeper:
    """The nodes of one analysis, taken from a cache where they are in it.

    Parameters
    ----------
    recording
        The recording as it was given.
    cache
        Where nodes are kept; None keeps none.
    """

    def __init__(
        self, recording: xr.Dataset, cache: Cache | MutableMapping[str, xr.Dataset] | None
    ) -> None:
        self._cache = cache
        self._of_recording = "" if cache is None else recording_key(recording)
        self._keys: dict[str, str] = {}

    def node(self, node: Node, work: Work) -> xr.Dataset:
        """A node of the analysis, computed if it is not in the cache.

        Parameters
        ----------
        node, work
            The next node, and the analysis with the nodes before it.

        Returns
        -------
        xarray.Dataset
            In memory.
        """
        if self._cache is None:
            return node.compute(work).compute()
        labelled = node.name == "map_switches" and work.detects_maps  # it changes the recording
        key = self._keys[node.name] = self._key(node, work)
        found = None if labelled else self._cache.get(key)
        if found is None:
            found = node.compute(work).compute()
            if not labelled:
                self._cache[key] = found
        if labelled:
            self._of_recording = key
        return found

    def _key(self, node: Node, work: Work) -> str:
        used = [name for name in node.uses if name in self._keys]
        if node.gathers:
            used += [n.name for n in NODES if n.measures and n.name in self._keys]
        parts = {
            "code": code_key(),
            "recording": self._of_recording,
            "node": node.name,
            "options": {name: _plain(getattr(work, name)) for name in node.options},
            "uses": {name: self._keys[name] for name in sorted(set(used))},
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def recording_key(recording: xr.Dataset) -> str:
    """What a recording holds, as a short text.

    Parameters
    ----------
    recording
        A recording; lazy activity is not read.

    Returns
    -------
    str
        The same for the same numbers, labels and attributes: of a store, for the same store as it
        was written and the same steps on it.

    Examples
    --------
    >>> from neurodrift import testing
    >>> from neurodrift.analysis.cache import recording_key
    >>> one, other = (testing.linear_track(n_units=2, minutes=1, seed=s) for s in (0, 1))
    >>> same, key = one.copy(deep=True), recording_key(one)
    >>> recording_key(same) == key, recording_key(other) == key
    (True, False)
    """
    from dask.base import tokenize

    return str(tokenize(recording))


@functools.cache
def code_key() -> str:
    """A checksum of the code that computes nodes, and of the libraries that it computes with.

    Returns
    -------
    str
        Hexadecimal digits.
    """
    found = hashlib.sha256()
    package = Path(__file__).parents[1]
    files = [file for room in _CODE for file in sorted((package / room).rglob("*.py"))]
    for file in [*files, *(package / name for name in _FILES)]:
        found.update(file.relative_to(package).as_posix().encode() + b"\0" + file.read_bytes())
    releases = {name: version(name) for name in _NUMERIC}
    found.update(json.dumps([__version__, FORMAT_VERSION, releases]).encode())
    return found.hexdigest()


def _plain(value: Any) -> Any:
    """An option as JSON has it."""
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
