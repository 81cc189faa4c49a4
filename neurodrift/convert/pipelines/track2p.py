"""Cells of suite2p tracked across sessions by track2p.

Reads ``plane0_suite2p_indices_nan.npy`` of the ``track2p`` folder (numbers of suite2p's ROIs),
or ``plane0_match_mat.npy`` of older versions. The latter numbers the *cells* of each session, the
ROIs that ``iscell`` accepts, not the ROIs; and it is a pickle, which is followed without being run.

References
----------
.. [1] Majnik J, Mantez M, Zangila S, et al. Longitudinal tracking of neuronal activity from the
   same cells in the developing brain using Track2p. eLife 14, RP107540 (2025).
   https://doi.org/10.7554/eLife.107540
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from neurodrift.convert.pipelines.registration import Registration, registration_from_table
from neurodrift.io.arrays.files import read_array
from neurodrift.io.arrays.pickle import read_object_npy


def read_track2p(folder: str | os.PathLike[str], *, plane: int = 0) -> Registration:
    """Read which cells were tracked.

    Parameters
    ----------
    folder
        The folder ``track2p``, or the one that holds it.
    plane
        Number of the plane.

    Returns
    -------
    Registration
        The identities, in the order of the sessions that track2p was given.

    Raises
    ------
    FileNotFoundError
        If there is neither file.
    ValueError
        If a file is no such table.
    """
    folder = Path(folder)
    folder = folder / "track2p" if (folder / "track2p").is_dir() else folder
    indices = folder / f"plane{plane}_suite2p_indices_nan.npy"
    if indices.is_file():
        return registration_from_table(read_array(indices), count_from=0, source=indices.name)
    matches = folder / f"plane{plane}_match_mat.npy"
    if not matches.is_file():
        raise FileNotFoundError(f"neither {indices.name} nor {matches.name} in {folder}")
    table = read_object_npy(matches)
    if not all(item is None or isinstance(item, int | float | np.number) for item in table.flat):
        raise ValueError(f"{matches} holds more than numbers and None")
    numbers = np.array([np.nan if v is None else v for v in table.flat], dtype=np.float64)
    found = registration_from_table(numbers.reshape(table.shape), count_from=0, source=matches.name)
    return Registration(table=found.table, source=matches.name, refers_to="kept")
