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
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from neurodrift.convert.pipelines.registration import Pairs, Registration, registration_from_table

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
        The identities, and where they are saved the score of each registered cell and the
        probabilities of its pairs.

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
    registration = registration_from_table(
        found[_MAP], count_from=1, source=path.name, score=_score(found, len(found[_MAP]))
    )
    return replace(registration, pairs=_pairs(found, np.asarray(found[_MAP]), path.name))


def _pairs(found: dict[str, Any], numbers: np.ndarray, source: str) -> Pairs | None:
    """Probabilities of the pairs of each registered cell; CellReg keeps no others there."""
    given = found.get("p_same_registered_pairs")
    n_cells, n_sessions = numbers.shape
    cells = list(given.ravel()) if isinstance(given, np.ndarray) and given.dtype == object else []
    square = all(np.shape(one) == (n_sessions, n_sessions) for one in cells)
    if not cells or len(cells) != n_cells or not square:
        return None
    same = np.stack(cells).astype(np.float64)
    lower = np.fmax(same, same.transpose(0, 2, 1))  # it may fill one half only
    there = np.triu(np.ones((n_sessions, n_sessions), dtype=bool), k=1)
    there = there & np.isfinite(lower) & (numbers[:, :, None] > 0) & (numbers[:, None, :] > 0)
    cell, one, other = np.nonzero(there)
    return Pairs(
        first=np.column_stack([one, numbers[cell, one] - 1]).astype(np.int64),
        second=np.column_stack([other, numbers[cell, other] - 1]).astype(np.int64),
        probability=lower[there],
        source=f"p_same_registered_pairs of {source}",
    )


def _score(found: dict[str, Any], n_cells: int) -> np.ndarray | None:
    score = found.get("cell_scores")
    if isinstance(score, np.ndarray) and score.dtype.kind == "f" and score.size == n_cells:
        return score.ravel()
    return None
