"""Results over pairs of sessions, whatever sessions have no frame."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import lag_coords
from neurodrift.schema import label
from neurodrift.schema.var import Var


def over_all_sessions(
    found: xr.Dataset, recording: xr.Dataset, table: Mapping[str, Var]
) -> xr.Dataset:
    """A result over every session of a recording, NaN for those without a frame."""
    sessions, pair = recording["session"].values, ("session_a", "session_b")
    if found.sizes["session_a"] == sessions.size:
        return found
    empty = {"i": 0, "u": 0, "O": "", "T": ""}
    fill = {
        name: empty[array.dtype.kind]
        for name, array in found.data_vars.items()
        if array.dtype.kind in empty
    }
    laid = found.drop_vars([name for name in found.coords if str(name).startswith("lag")])
    laid = laid.reindex(dict.fromkeys(pair, sessions), fill_value=fill)
    lags = lag_coords(recording, pair, np.arange(sessions.size))
    return label(laid.assign_coords(lags), table).assign_attrs(found.attrs)
