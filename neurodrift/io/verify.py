"""Whether a store holds what was written, byte for byte."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from neurodrift.io.manifest import added_nodes, damaged_files, read_manifest, store_attributes
from neurodrift.schema.objects import path_of


@dataclass(frozen=True)
class Verification:
    """What reading all of a store came to.

    Attributes
    ----------
    path
        The store.
    has_manifest
        Whether there was anything to check against.
    n_files, n_bytes
        Files that were read, and their size [bytes].
    damage
        What is wrong, by file.
    added
        Arrays and groups that somebody put into the store after it was written. They are kept,
        and not checked.
    """

    path: Path
    has_manifest: bool
    n_files: int
    n_bytes: int
    damage: Mapping[str, str]
    added: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Whether everything was checked and nothing is wrong."""
        return self.has_manifest and not self.damage

    def __str__(self) -> str:
        from neurodrift.io.checked import explained

        if not self.has_manifest:
            return (
                f"{self.path} has no manifest, as stores of other programs: there is nothing to "
                "check against"
            )
        if self.damage:
            return explained(self.path, dict(self.damage))
        text = f"{self.path} is whole: {self.n_files} files, {self.n_bytes / 1e6:.1f} MB"
        if self.added:
            text += f"; added later, and not checked: {', '.join(self.added)}"
        return text


def verify(path: str | os.PathLike[str]) -> Verification:
    """Read every file of a store and compare it with the store's manifest.

    Opening a store checks that its files are there and as long as they were; reading checks what
    is read. This reads everything.

    Parameters
    ----------
    path
        A recording, results, a sweep, or any other store that neurodrift wrote.

    Returns
    -------
    Verification
        What was found; its text says it in a line.

    Raises
    ------
    FileNotFoundError
        If there is no store.
    ValueError
        If it was not written by neurodrift, or its manifest is damaged
        (:class:`neurodrift.io.manifest.DamagedStoreError`).

    Examples
    --------
    >>> import tempfile
    >>> from neurodrift import save_recording, testing, verify
    >>> recording = testing.linear_track(n_units=2, minutes=1)
    >>> path = save_recording(recording, tempfile.mkdtemp() + "/mouse.zarr")
    >>> verify(path).sound
    True
    >>> (path / "activity" / "c" / "0" / "0").unlink()
    >>> dict(verify(path).damage)
    {'activity/c/0/0': 'is missing'}
    """
    path = path_of("path", path)
    if not path.is_dir():
        raise FileNotFoundError(f"no store at {path}: expected a Zarr v3 directory")
    manifest = read_manifest(path)
    if manifest is None:
        if not str(store_attributes(path).get("title", "")).startswith("neurodrift"):
            raise ValueError(f"{path} is no store of neurodrift, or one that is not finished")
        return Verification(path, False, 0, 0, {}, ())
    damage = damaged_files(path, manifest)
    sizes = [(path / key).stat().st_size for key in manifest.files if (path / key).is_file()]
    return Verification(
        path, True, len(manifest.files), sum(sizes), damage, tuple(added_nodes(path, manifest))
    )
