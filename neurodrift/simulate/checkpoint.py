"""Checkpoints of training: one file that is either whole or not there."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
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
