"""Numba kernel of the scan for a lag, nothing else."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(nogil=True, cache=True)
def add_by_row(
    row_of: np.ndarray,
    step: np.ndarray,
    unit: np.ndarray,
    values: np.ndarray,
    squares: np.ndarray,
    sums: np.ndarray,
) -> None:
    """Add entries of activity and their squares to the rows of their steps, (2, row, unit).

    ``row_of`` (step) is negative for steps that belong to no row.
    """
    for e in range(step.size):
        row = row_of[step[e]]
        if row >= 0:
            sums[0, row, unit[e]] += values[e]
            sums[1, row, unit[e]] += squares[e]
