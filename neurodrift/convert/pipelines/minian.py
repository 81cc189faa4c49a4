"""Activity found by Minian.

Reads the Zarr folder that ``save_minian`` writes: ``S.zarr`` (deconvolved) or ``C.zarr``
(denoised), each with dimensions ``unit_id`` and ``frame``.

References
----------
.. [1] Dong Z, Mau W, Feng Y, et al. Minian, an open-source miniscope analysis pipeline. eLife 11,
   e70661 (2022). https://doi.org/10.7554/eLife.70661
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import numpy as np

from neurodrift.gate.inputs import Activity, clock
from neurodrift.io.arrays.files import MAX_BYTES
from neurodrift.io.codecs import METADATA

_DIMS = {"frame", "unit_id"}


def read_minian(
    folder: str | os.PathLike[str],
    *,
    time: np.ndarray | None = None,
    rate: float | None = None,
    signal: Literal["S", "C"] = "S",
) -> Activity:
    """Read the units of one session.

    Parameters
    ----------
    folder
        The folder that holds ``S.zarr``, or a Zarr group that holds ``S``.
    time
        (time) timestamps of the frames [s].
    rate
        Frames per second [Hz] after Minian's own subsampling, where there are no timestamps. The
        store does not tell it; frames are where their ``frame`` coordinate says.
    signal
        ``S``: deconvolved. ``C``: denoised.

    Returns
    -------
    Activity
        The units; `rows` are their places in the store, and the column ``unit_id`` their labels.

    Raises
    ------
    FileNotFoundError
        If there is no such store.
    ValueError
        If it is none of Minian's, or names a codec that can run code.
    """
    import xarray as xr

    from neurodrift.io.checked import CheckedStore

    folder = Path(folder)
    if signal not in ("S", "C"):
        raise ValueError(f"signal is {signal!r}, expected S or C")
    store = folder / f"{signal}.zarr"
    other = "C" if signal == "S" else "S"
    has, has_other = (any((folder / n).is_dir() for n in (k, f"{k}.zarr")) for k in (signal, other))
    if has_other and not has:
        raise FileNotFoundError(
            f"{folder} holds no {signal}, but {other}: options: {{signal: {other}}}"
        )
    store = store if store.is_dir() else folder
    if not any(path.name in METADATA for path in store.rglob("*")):
        raise FileNotFoundError(f"no Zarr store {folder / signal}.zarr, and {folder} is none")
    checked: Any = CheckedStore(store)  # refuses codecs that can run code
    try:
        stored = xr.open_dataset(checked, engine="zarr", decode_times=False, consolidated=False)
    except Exception as error:  # what is damaged raises anything
        raise ValueError(f"{store} is no readable Zarr store: {error}") from error
    if signal not in stored or set(stored[signal].dims) != _DIMS:
        dims = stored[signal].dims if signal in stored else "missing"
        raise ValueError(f"{store}: {signal} is {dims}, expected over frame and unit_id")
    array = stored[signal].transpose("frame", "unit_id")
    if array.nbytes > MAX_BYTES:
        raise ValueError(f"{store} declares {array.nbytes / 2**30:,.1f} GiB, too much")
    names = [name for name in ("frame", "unit_id") if name in stored.coords]
    try:
        samples = np.asarray(array.values)
        labels = {name: np.asarray(stored[name].values) for name in names}
    except Exception as error:  # so do damaged chunks
        raise ValueError(f"{store}: {signal} cannot be read, it is damaged: {error}") from error
    source = f"{signal} of {folder.name} (Minian)"
    frames = labels.get("frame")
    if time is None and frames is not None and rate is not None:
        time = frames / rate
    columns = {}
    if "unit_id" in labels:
        columns["unit_id"] = ("label of the unit in Minian", labels["unit_id"])
    return Activity(
        kind="deconvolved" if signal == "S" else "fluorescence",
        source=source,
        samples=samples,
        time=clock(len(samples), source, time=time, rate=rate),
        columns=columns,
    )
