"""Checkpoints of training: one file that is either whole or not there."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

VERSION = 1


def fingerprint(parts: Iterable[Any]) -> str:
    """Digest of everything that decides what a run becomes."""
    digest = hashlib.blake2b(digest_size=16)
    for part in [VERSION, *parts]:
        if isinstance(part, np.ndarray):
            piece = (
                f"{part.dtype.str} {part.shape} ".encode() + np.ascontiguousarray(part).tobytes()
            )
        elif callable(part):
            piece = f"{part.__module__}.{part.__qualname__}".encode()
        else:
            piece = repr(part).encode()
        digest.update(len(piece).to_bytes(8, "little") + piece)
    return digest.hexdigest()


def save(path: Path, identity: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Write a checkpoint beside its place and move it there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with whole.open("wb") as file:
            np.savez(file, identity=np.array(identity), **arrays)  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        whole.replace(path)
    finally:
        whole.unlink(missing_ok=True)


def load(path: Path, identity: str) -> dict[str, np.ndarray] | None:
    """Read a checkpoint; None if there is none.

    Raises
    ------
    ValueError
        If the file belongs to another run or is no checkpoint.
    """
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
    except (BadZipFile, ValueError, OSError, EOFError) as error:
        raise ValueError(
            f"{path} is no checkpoint ({error}): delete it or name another file"
        ) from error
    if str(arrays.pop("identity", "")) != identity:
        raise ValueError(
            f"{path} is the checkpoint of another run (other task, network, rule, seed, steps, "
            "snapshots or precision): delete it or name another file"
        )
    return arrays


def save_state(path: Path, identity: str, state: Any, kept: Sequence[type] = ()) -> None:
    """Write nested state: dicts, lists, arrays, numbers, texts, None, and objects of some classes.

    Parameters
    ----------
    path, identity
        As for :func:`save`.
    state
        The state.
    kept
        Classes whose objects are taken apart into their attributes.

    Raises
    ------
    TypeError
        If it holds anything else.
    """
    arrays: dict[str, np.ndarray] = {}
    tree = _take_apart(state, {one.__name__: one for one in kept}, arrays)
    save(path, identity, arrays | {"tree": np.array(json.dumps(tree))})


def load_state(path: Path, identity: str, kept: Sequence[type] = ()) -> Any:
    """Read what :func:`save_state` wrote; None if there is no file."""
    arrays = load(path, identity)
    if arrays is None:
        return None
    tree = json.loads(str(arrays["tree"]))
    return _put_together(tree, {one.__name__: one for one in kept}, arrays)


def _take_apart(value: Any, kept: Mapping[str, type], arrays: dict[str, np.ndarray]) -> Any:
    """Value as JSON, each array by its number."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.ndarray | np.generic):
        name = f"array {len(arrays)}"
        arrays[name] = np.asarray(value)
        return {"array": name, "scalar": isinstance(value, np.generic)}
    if isinstance(value, list | tuple):
        return [_take_apart(one, kept, arrays) for one in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {"dict": {n: _take_apart(one, kept, arrays) for n, one in value.items()}}
    name = type(value).__name__
    if kept.get(name) is not type(value):
        raise TypeError(
            f"a checkpoint cannot hold a {name}: keep dicts, lists, arrays and numbers, or train "
            "without a checkpoint"
        )
    return {"class": name, "dict": _take_apart(vars(value), kept, arrays)["dict"]}


def _put_together(tree: Any, kept: Mapping[str, type], arrays: Mapping[str, np.ndarray]) -> Any:
    if isinstance(tree, list):
        return [_put_together(one, kept, arrays) for one in tree]
    if not isinstance(tree, dict):
        return tree
    if "array" in tree:
        array = arrays[tree["array"]]
        return array[()] if tree["scalar"] else array
    inner = {name: _put_together(one, kept, arrays) for name, one in tree["dict"].items()}
    if "class" not in tree:
        return inner
    made: Any = object.__new__(kept[tree["class"]])
    vars(made).update(inner)
    return made
