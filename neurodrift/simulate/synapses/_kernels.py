"""Numba kernel of Oja's subspace rule, nothing else."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def advance(w, inputs, noise, rate, sd):  # type: ignore[no-untyped-def]
    """Learn from each row of the inputs, in place.

    ``w`` (unit, feature), ``inputs`` (step, feature), ``noise`` (step, unit, feature) or empty
    where `sd` is 0.
    """
    n_units, n_features = w.shape
    y = np.empty(n_units)
    for t in range(inputs.shape[0]):
        x = inputs[t]
        for i in range(n_units):
            total = 0.0
            for j in range(n_features):
                total += w[i, j] * x[j]
            y[i] = total
        for j in range(n_features):
            left = x[j]
            for k in range(n_units):
                left -= w[k, j] * y[k]
            for i in range(n_units):
                w[i, j] += rate * y[i] * left
        if sd > 0:
            for i in range(n_units):
                for j in range(n_features):
                    w[i, j] += sd * noise[t, i, j]
