"""Activity of each session as samples by units, whatever the samples are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from neurodrift._arrays import FRAME_DTYPES
from neurodrift.recording import session_slices
from neurodrift.schema import check

KINDS = {"activity": "recording", "response": "trial averages", "rate": "rate maps"}
"""Variables that hold activity, and what has them."""


@dataclass(frozen=True, eq=False)
class Samples:
    """Activity over (sample, unit), one session at a time.

    Parameters
    ----------
    source
        A recording, trial averages or rate maps, only of units registered across sessions.
    name
        Its variable.
    """

    source: xr.Dataset
    name: str

    @property
    def n_sessions(self) -> int:
        """Number of sessions."""
        return int(self.source.sizes["session"])

    def of(self, session: int) -> np.ndarray:
        """Activity of one session over (sample, unit), NaN in units that were not detected."""
        array = self.source[self.name]
        if self.name == "activity":
            array = array.isel(time=session_slices(self.source)[session])
        else:
            array = array.isel(session=session)
        values = array.transpose(..., "unit").values
        # a copy in one order, so that sums do not depend on how the source lies in memory
        samples = np.array(values.reshape(-1, values.shape[-1]), dtype=np.float64, order="C")
        samples[:, ~self.source["detected"].values[session]] = np.nan
        return samples

    def index(self, session: Any) -> int:
        """Position of the session with a label."""
        labels = [str(item) for item in self.source["session"].values]
        if str(session) not in labels:
            raise ValueError(f"no session {session!r}; there are {labels}")
        return labels.index(str(session))


def samples_of(source: xr.Dataset) -> Samples:
    """Samples of a recording, of trial averages or of rate maps.

    Raises
    ------
    TypeError
        If it is no Dataset.
    ValueError
        If it has no activity by session and unit.
    """
    if not isinstance(source, xr.Dataset):
        raise TypeError(
            f"expected a recording, trial averages or rate maps (xarray.Dataset), got "
            f"{type(source).__name__}"
        )
    name = next((item for item in KINDS if item in source), None)
    if name == "activity":
        check(source)
    elif name is None or not {"session", "unit"} <= set(source[name].dims):
        found = ", ".join(map(str, source.data_vars)) or "nothing"
        raise ValueError(
            f"expected a recording, neurodrift.trial_averages or neurodrift.rate_maps by session, "
            f"got a Dataset of {found} over {tuple(map(str, source.dims))}"
        )
    if "registered" in source.coords:
        source = source.isel(unit=np.flatnonzero(source["registered"].values))
    assert name is not None
    if name != "activity":  # small; a lazy one would be made anew for every pair
        source = source.assign({name: source[name].compute()})
    return Samples(source, name)


def expect_equal_frames(recording: xr.Dataset) -> None:
    """Refuse a recording whose sessions do not show the same inputs frame by frame."""
    slices = session_slices(recording)
    labels = [str(item) for item in recording["session"].values]
    told = [name for name in FRAME_DTYPES if name in recording]
    for i, where in enumerate(slices[1:], start=1):
        fault = _difference(recording, told, slices[0], where)
        if fault:
            raise ValueError(
                f"sessions {labels[0]!r} and {labels[i]!r} do not show the same inputs frame by "
                f"frame: {fault}. Compare neurodrift.trial_averages(recording) or "
                "neurodrift.rate_maps(recording), whose samples are the same in every session"
            )


def _difference(recording: xr.Dataset, told: list[str], first: slice, other: slice) -> str:
    lengths = (first.stop - first.start, other.stop - other.start)
    if lengths[0] != lengths[1]:
        return f"they have {lengths[0]} and {lengths[1]} frames"
    for name in told:
        a, b = (recording[name].values[where] for where in (first, other))
        equal = a == b
        if a.dtype.kind == "f":
            equal |= np.isnan(a) & np.isnan(b)
        if not equal.all():
            at = int(np.argmin(equal))
            return f"{name} is {a[at]:g} and {b[at]:g} in frame {at}"
    return ""
