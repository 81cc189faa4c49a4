"""Stores of another format version are refused, with what makes them anew."""

from __future__ import annotations

from pathlib import Path

from neurodrift.schema.recording import FORMAT_VERSION

_ANEW = {
    "recording": "neurodrift import FILES.nwb -o {path} --overwrite",
    "results": "neurodrift analyze RECORDING.zarr -o {path} --overwrite",
    "sweep": "neurodrift sweep CONFIG.yaml -o {path} --overwrite",
}


def expect_version(path: Path, version: int, what: str) -> None:
    """Refuse a store that a reader of today would misread.

    Parameters
    ----------
    path
        The store.
    version
        Its format version.
    what
        ``recording``, ``results`` or ``sweep``.

    Raises
    ------
    ValueError
        If it is older or newer than :data:`neurodrift.schema.FORMAT_VERSION`.
    """
    if version > FORMAT_VERSION:
        raise ValueError(
            f"{path} has format version {version}, but this neurodrift reads up to "
            f"{FORMAT_VERSION}: install a newer neurodrift"
        )
    if version < FORMAT_VERSION:
        raise ValueError(
            f"{path} has format version {version}, which this neurodrift does not read (it has one "
            f"frame length a session): make it anew with "
            f"{_ANEW.get(what, _ANEW['results']).format(path=path)}"
        )
