"""Activity found by CaImAn, and its identities across sessions.

Reads the HDF5 file that ``CNMF.save`` writes: ``estimates/S``, ``C`` or ``F_dff`` (components x
frames), ``estimates/idx_components`` (the accepted ones, from 0) and ``params/data/fr``.

References
----------
.. [1] Giovannucci A, Friedrich J, Gunn P, et al. CaImAn an open source tool for scalable calcium
   imaging data analysis. eLife 8, e38173 (2019). https://doi.org/10.7554/eLife.38173
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import numpy as np

from neurodrift.convert.pipelines.registration import Registration, registration_from_table
from neurodrift.gate.inputs import Activity, clock
from neurodrift.io.arrays.files import list_arrays, read_array
from neurodrift.io.arrays.hdf5 import follow, opened, read_dataset

_SIGNALS = {"S": "deconvolved", "C": "fluorescence", "F_dff": "fluorescence"}


def read_caiman(
    path: str | os.PathLike[str],
    *,
    time: np.ndarray | None = None,
    rate: float | None = None,
    signal: Literal["S", "C", "F_dff"] = "S",
    accepted_only: bool = True,
) -> Activity:
    """Read the components of one file.

    Parameters
    ----------
    path
        File of ``CNMF.save`` (``.hdf5``).
    time
        (time) timestamps of the frames [s].
    rate
        Frames per second [Hz]; ``params/data/fr`` when neither is given (30 where its user never
        set it).
    signal
        ``S``: deconvolved. ``C``: denoised. ``F_dff``: relative fluorescence.
    accepted_only
        Whether components that were not accepted are left out. Where the file says of none
        whether it was accepted, all are taken.

    Returns
    -------
    Activity
        The components; `rows` are their numbers in the file.

    Raises
    ------
    ValueError
        If it is no such file.
    """
    path = Path(path)
    if signal not in _SIGNALS:
        raise ValueError(f"signal is {signal!r}, expected one of {', '.join(_SIGNALS)}")
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}")
    with opened(path) as file:
        samples = _numbers(file, f"estimates/{signal}", path, n_dims=2)
        if samples is None:
            raise ValueError(f"{path} holds no estimates/{signal}, so it is no file of CNMF.save")
        chosen = _numbers(file, "estimates/idx_components", path, n_dims=1)
        told = _numbers(file, "params/data/fr", path, n_dims=0)
    n_all = len(samples)
    rows = np.arange(n_all)
    if accepted_only and chosen is not None:
        rows = np.unique(chosen.astype(np.int64))
        if rows.size == 0 or rows[0] < 0 or rows[-1] >= n_all:
            raise ValueError(f"{path}: idx_components name none of the {n_all} components")
    if time is None and rate is None and told is not None:
        rate = float(told)
    source = f"{signal} of {path.name}, {rows.size} of {n_all} components"
    return Activity(
        kind=_SIGNALS[signal],
        source=source,
        samples=samples[rows].T,
        time=clock(samples.shape[1], source, time=time, rate=rate),
        rows=rows,
        n_source=n_all,
    )


def read_caiman_assignments(
    path: str | os.PathLike[str],
    *,
    refers_to: Literal["source", "kept"] | None = None,
    variable: str | None = None,
) -> Registration:
    """Read the assignments that ``register_multisession`` returned.

    Parameters
    ----------
    path
        Where they were saved: an array (union component, session), NaN where there is none,
        numbers from 0; ``.npy``, ``.npz``, ``.mat``, ``.h5`` or ``.csv``.
    refers_to
        Whether they number all components of a file (``source``), or the accepted ones only
        (``kept``): which of them it was given decides, and the numbers do not show it.
    variable
        Name in the file; ``assignments`` where there are several.

    Returns
    -------
    Registration
        The identities.

    Raises
    ------
    ValueError
        If it is no such array, or `refers_to` is missing.
    """
    path = Path(path)
    if refers_to not in ("source", "kept"):
        raise ValueError(
            "say whether the assignments number all components of a file (refers_to: source) or "
            "the accepted ones only (refers_to: kept)"
        )
    names = [item.name for item in list_arrays(path)]
    if variable is None and "assignments" in names:
        variable = "assignments"
    table = registration_from_table(read_array(path, variable), count_from=0, source=path.name)
    return Registration(table=table.table, source=path.name, refers_to=refers_to)


def _numbers(file: Any, name: str, path: Path, *, n_dims: int) -> np.ndarray | None:
    """A dataset of numbers; None where there is none, or the text that stands for None."""
    item = follow(file, name, path)
    if item is None:
        return None
    found = read_dataset(item, f"{path}: {name}")
    if found.dtype.kind not in "fiub" or found.ndim != n_dims:
        if found.size == 1 and found.dtype.kind in "OSU":
            return None  # "NoneType"
        raise ValueError(f"{path}: {name} has shape {found.shape} of {found.dtype}")
    return found
