"""Cells registered across sessions by CellReg.

Reads ``cellRegistered_*.mat`` of either version: the struct ``cell_registered_struct``, whose
``cell_to_index_map`` holds, for each registered cell and session, the cell's number from 1, or 0
where it was not found.

References
----------
.. [1] Sheintuch L, Rubin A, Brande-Eilat N, Geva N, Sadeh N, Pinchasof O, Ziv Y. Tracking the same
   neurons across multiple days in Ca2+ imaging data. Cell Reports 21, 1102-1115 (2017).
   https://doi.org/10.1016/j.celrep.2017.10.013
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from neurodrift.convert.pipelines.registration import Registration, registration_from_table

_MAP = "cell_to_index_map"


def read_cellreg(path: str | os.PathLike[str]) -> Registration:
    """Read what CellReg saved.

    Parameters
    ----------
    path
        The ``.mat`` file, with ``cell_to_index_map`` by itself or in a struct.

    Returns
    -------
    Registration
        The identities, and the score of each registered cell where it is saved.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it holds no ``cell_to_index_map``.
    """
    from neurodrift.io.arrays.mat import list_mat, read_mat

    path = Path(path)
    listed = {item.name: item for item in list_mat(path)}
    if _MAP in listed:
        found = read_mat(path, [_MAP])
    else:
        structs = [name for name, item in listed.items() if item.matlab_class == "struct"]
        values = read_mat(path, structs) if structs else {}
        found = next((v for v in values.values() if isinstance(v, dict) and _MAP in v), {})
    if _MAP not in found:
        raise ValueError(f"{path} holds no {_MAP}, but {', '.join(listed) or 'nothing'}")
    return registration_from_table(
        found[_MAP], count_from=1, source=path.name, score=_score(found, len(found[_MAP]))
    )


def _score(found: dict[str, Any], n_cells: int) -> np.ndarray | None:
    score = found.get("cell_scores")
    if isinstance(score, np.ndarray) and score.dtype.kind == "f" and score.size == n_cells:
        return score.ravel()
    return None
