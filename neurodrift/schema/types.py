"""Names of what the public functions take, for their signatures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from numpy.typing import ArrayLike

    Values: TypeAlias = ArrayLike | xr.DataArray
    """An array of NumPy, Dask or xarray, or what becomes one."""

    Frames: TypeAlias = Values | Sequence[Values]
    """Values over all frames, or an array of them for each session."""

    Results: TypeAlias = xr.DataTree | Sequence[xr.DataTree] | Mapping[str, xr.DataTree]
    """Results of one recording, or of several."""

    Factors: TypeAlias = pd.DataFrame | Mapping[str, Mapping[str, object]]
    """What is known of each recording or animal: groups as texts, or numbers."""
