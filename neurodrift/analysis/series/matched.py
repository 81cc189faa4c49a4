"""Which series of a recording on an equal footing stand for those as recorded."""

from __future__ import annotations

import numpy as np
import xarray as xr

_FEW_UNITS = 10  # on an equal footing; the share of fewer is noise


def matched_series(results: xr.DataTree) -> dict[str, str]:
    """Measures of the sessions that are taken on an equal footing.

    Parameters
    ----------
    results
        Result of :func:`neurodrift.analyze`.

    Returns
    -------
    dict
        Measure -> its column ``NAME_matched`` of the node ``sessions``, where enough units were
        left and it is known in as many sessions. Phases and comparison take the same.
    """
    if "matched" not in results.children or results["matched"].attrs["n_units"] < _FEW_UNITS:
        return {}
    table = results["sessions"].to_dataset()
    found = {}
    for name in map(str, table.data_vars):
        other = f"{name}_matched"
        if other in table and _n_known(table[other]) >= _n_known(table[name]):
            found[name] = other
    return found


def _n_known(values: xr.DataArray) -> int:
    return int(np.isfinite(values.values.astype(float)).sum())
