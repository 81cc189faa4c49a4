"""Activity found by suite2p.

Reads ``spks.npy`` or ``F.npy`` (ROIs x frames) and ``iscell.npy`` (ROIs x 2: is it a cell, with
which probability) of a ``plane*`` folder. The frame rate lies in ``ops.npy``, in newer versions in
``settings.npy``: both are pickles, which are followed without being run
(:mod:`neurodrift.io.arrays.pickle`).

References
----------
.. [1] https://suite2p.readthedocs.io/en/latest/outputs.html
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import numpy as np

from neurodrift.gate.inputs import Activity, clock
from neurodrift.io.arrays.files import read_array
from neurodrift.io.arrays.pickle import read_object_npy


def read_suite2p(
    folder: str | os.PathLike[str],
    *,
    time: np.ndarray | None = None,
    rate: float | None = None,
    signal: Literal["spks", "F"] = "spks",
    min_probability: float | None = None,
    neuropil: float = 0.7,
) -> Activity:
    """Read the cells of one plane.

    Parameters
    ----------
    folder
        Folder ``plane0`` or the like (also ``combined``), or a ``suite2p`` folder with one plane.
    time
        (time) timestamps of the frames [s].
    rate
        Frames per second [Hz] of one plane; the one in ``ops.npy`` or ``settings.npy`` when
        neither is given.
    signal
        ``spks``: deconvolved activity. ``F``: fluorescence less `neuropil` times that around it.
    min_probability
        Least probability of being a cell; what suite2p or its user decided when omitted.
    neuropil
        Factor of ``Fneu.npy``.

    Returns
    -------
    Activity
        The cells; `rows` are the ROIs' numbers.

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    ValueError
        If the files do not fit each other, or there is no frame rate.
    """
    folder = _plane(Path(folder))
    if signal not in ("spks", "F"):
        raise ValueError(f"signal is {signal!r}, expected spks or F")
    samples = _matrix(folder / f"{signal}.npy")
    if signal == "F":
        around = _matrix(folder / "Fneu.npy")
        if around.shape != samples.shape:
            raise ValueError(f"{folder}: F has shape {samples.shape}, Fneu {around.shape}")
        samples = samples - neuropil * around
    is_cell = _matrix(folder / "iscell.npy")
    if is_cell.shape != (len(samples), 2):
        raise ValueError(
            f"{folder}: iscell has shape {is_cell.shape}, expected ({len(samples)}, 2), as "
            f"{signal}.npy has so many ROIs"
        )
    keep = is_cell[:, 0] > 0 if min_probability is None else is_cell[:, 1] >= min_probability
    if not keep.any():
        raise ValueError(f"{folder}: none of the {len(keep)} ROIs is a cell")
    source = f"{signal}.npy of suite2p, {int(keep.sum())} of {len(keep)} ROIs"
    if time is None and rate is None:
        rate = _frame_rate(folder)
    rows = np.flatnonzero(keep)
    return Activity(
        kind="deconvolved" if signal == "spks" else "fluorescence",
        source=source,
        samples=samples[rows].T,
        time=clock(samples.shape[1], source, time=time, rate=rate),
        rows=rows,
        n_source=len(keep),
        columns={"cell_probability": ("probability of being a cell", is_cell[rows, 1])},
    )


def _plane(folder: Path) -> Path:
    if (folder / "iscell.npy").is_file() or not folder.is_dir():
        return folder
    planes = sorted(folder.glob("plane*")) or sorted(folder.glob("suite2p/plane*"))
    if len(planes) > 1:
        raise ValueError(f"{folder} holds {len(planes)} planes: name one, or the folder combined")
    return planes[0] if planes else folder


def _matrix(path: Path) -> np.ndarray:
    found = read_array(path)
    if found.ndim != 2 or found.dtype.kind not in "fiub":
        raise ValueError(f"{path} has shape {found.shape} of {found.dtype}, expected (ROIs, ...)")
    return found


def _frame_rate(folder: Path) -> float:
    """The rate that the pipeline was told, from whichever of its files holds it."""
    reasons = []
    for path in (folder / "settings.npy", folder / "ops.npy", folder.parent / "settings.npy"):
        if not path.is_file():
            continue
        try:
            values = read_object_npy(path)
        except ValueError as error:
            reasons.append(str(error))
            continue
        rate = values.get("fs") if isinstance(values, dict) else None
        if isinstance(rate, int | float | np.number) and rate > 0:
            return float(rate)
        reasons.append(f"{path.name} has no fs")
    why = "; ".join(reasons) or "no ops.npy or settings.npy"
    raise ValueError(f"{folder} tells no frame rate ({why}): give rate, or the times of the frames")
