"""One call for every example: the synthetic ones, and those that the catalogue fetches."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, overload

import xarray as xr

from neurodrift.gate.plain import name_of

EXAMPLES = ("mouse", "cohort", "network")
"""Examples that need no network; every data set of the catalogue that converts is one too."""


@overload
def load_example(name: Literal["mouse", "network"]) -> xr.Dataset: ...
@overload
def load_example(name: Literal["cohort"]) -> dict[str, xr.Dataset]: ...
@overload
def load_example(
    name: str, *, folder: str | os.PathLike[str] | None = None
) -> xr.Dataset | dict[str, xr.Dataset]: ...
def load_example(
    name: str, *, folder: str | os.PathLike[str] | None = None
) -> xr.Dataset | dict[str, xr.Dataset]:
    """Load an example: a synthetic one whose truth is known, or a public data set.

    Parameters
    ----------
    name
        ``"mouse"``, one recording: 80 cells, eight sessions; 70 % of the cells are place cells,
        whose fields move with a probability of 0.15 a session, 5 % fall silent with every further
        session, 10 % are missed in a session and none is taken for another. ``"cohort"``: six mice
        by name, whose fields move with a probability of 0.05 (``stable 1`` to ``3``) or 0.3
        (``drifting 1`` to ``3``). ``"network"``: the hidden layer of a small network at seven
        steps of its training. Any other is a data set of the catalogue (``neurodrift catalog
        list``), such as ``"sheintuch2020"``, which is fetched, verified, converted and stored when
        it is asked for first, and opened from then on.
    folder
        Where data sets are kept; when omitted, the user's cache, or ``NEURODRIFT_CACHE``.

    Returns
    -------
    xarray.Dataset or dict of xarray.Dataset
        The recording, or the recordings by animal, or by animal and environment.

    Raises
    ------
    ValueError
        If there is no such example, the data cannot be fetched without an account, are not what
        the catalogue says, or hold no recordings.
    OSError
        If the download fails; the next call goes on from there.

    Notes
    -----
    How they are made: :func:`neurodrift.examples.make_mouse`,
    :func:`neurodrift.examples.make_cohort`, :func:`neurodrift.examples.read_network`.

    Examples
    --------
    >>> from neurodrift.examples.load import load_example
    >>> mouse = load_example("mouse")
    >>> mouse.sizes["session"], mouse.sizes["unit"]
    (8, 80)
    """
    name = name_of("name", name)
    if name in EXAMPLES and folder is not None:
        raise ValueError(f"folder is for data sets that are fetched; {name!r} is none")
    if name == "mouse":
        from neurodrift.examples.synthetic import make_mouse

        return make_mouse()
    if name == "cohort":
        from neurodrift.examples.synthetic import make_cohort

        return make_cohort()
    if name == "network":
        from neurodrift.examples.network import read_network

        return read_network()
    return _data_set(name, folder)


def _data_set(name: str, folder: str | os.PathLike[str] | None) -> dict[str, xr.Dataset]:
    """The recordings of a data set of the catalogue, from what was stored or as it is fetched."""
    from neurodrift.catalog import data_set, data_sets, fetch
    from neurodrift.convert import converter
    from neurodrift.io.nwb.store import import_to_store
    from neurodrift.io.output import whole
    from neurodrift.io.zarr import open_recording

    if name not in data_sets():
        known = [*EXAMPLES, *(each for each, found in data_sets().items() if found.converter)]
        raise ValueError(f"no example {name!r}; there are {', '.join(known)}")
    found = data_set(name)
    if found.converter is None:
        converter(name)  # which says why there is none
    kept = _folder(folder) / name
    stores = kept / "recordings"
    if not stores.is_dir():
        source = kept / "source"
        if not source.is_dir():
            fetch(found, source)
        files = converter(str(found.converter))(source, kept / "nwb", overwrite=True)
        together = _by_recording(files)
        if not together:
            raise ValueError(f"{name} holds tables, no recordings: they are in {kept / 'nwb'}")
        with whole(stores, overwrite=True) as unfinished:
            unfinished.mkdir(parents=True)
            for label, own in together.items():
                import_to_store(own, unfinished / f"{label}.zarr")
    return {path.stem: open_recording(path) for path in sorted(stores.glob("*.zarr"))}


def _folder(given: str | os.PathLike[str] | None) -> Path:
    """Where data sets are kept."""
    import pooch

    return Path(given or os.environ.get("NEURODRIFT_CACHE") or pooch.os_cache("neurodrift"))


def _by_recording(files: list[Path]) -> dict[str, list[Path]]:
    """The NWB files of each animal and environment; a converter numbers their sessions last."""
    found: dict[str, list[Path]] = {}
    for path in files:
        if path.suffix == ".nwb":
            found.setdefault(path.stem.rstrip("0123456789").rstrip("_"), []).append(path)
    return found
