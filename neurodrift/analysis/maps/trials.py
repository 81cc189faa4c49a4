"""Mean activity over the trials of each type, as a function of the time in the trial."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import carry_coords, only_registered
from neurodrift.recording import FRAME_DTYPES, is_even, slice_sessions
from neurodrift.schema import check, label
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import TRIAL_AVERAGES


@checked_options
def compute_trial_averages(recording: xr.Dataset, *, n_bins: int | None = 10) -> xr.Dataset:
    """Mean activity of each unit over the trials of each type, by the time in the trial.

    Trials of an animal differ in number, order and length from session to session; these means
    do not, so that sessions can be compared by :func:`neurodrift.compute_representation_stability`.

    Parameters
    ----------
    recording
        A recording with ``trial``, and ``trial_type`` where there are several kinds of trials; a
        trial is the frames of one session with the same number and type, in their order. NumPy
        or Dask; one session is in memory at a time.
    n_bins
        Parts of equal time into which each trial is divided, however long it is; a frame
        belongs to the part that its middle lies in, and counts as much as it lasts. ``None``: every
        frame since the start of the trial is a bin of its own, averaged over the trials that still
        run.

    Returns
    -------
    xarray.Dataset
        ``response`` (session, trial_type, trial_bin, unit), in the unit of the activity: the
        mean over trials of a trial's mean in the bin, NaN where there is no trial or the unit was
        not detected. ``n_trials`` (session, trial_type, trial_bin) in that mean and ``detected``
        (session, unit). ``trial_time`` (trial_bin) is the middle of the bin as a share of the
        trial, or with ``n_bins=None`` the start of the frame since that of the trial [s].

    Raises
    ------
    ValueError
        If the recording has no trials, or `n_bins` does not fit it.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift import recording_from_arrays, compute_trial_averages
    >>> recording = recording_from_arrays(
    ...     np.array([[0.0], [2.0], [1.0], [3.0], [5.0], [9.0]]), kind="activation",
    ...     frame_duration=1.0, trial=[0, 0, 1, 1, 1, 2], trial_type=[0, 0, 0, 0, 0, 1],
    ... )
    >>> compute_trial_averages(recording, n_bins=None)["response"].values.squeeze().tolist()
    [[0.5, 2.5, 5.0], [9.0, nan, nan]]
    """
    check(recording)
    if "trial" not in recording:
        raise ValueError(
            "the recording has no trial: give the number of the trial of each frame, -1 for none "
            "(recording_from_arrays(trial=..., trial_type=...))"
        )
    trial = recording["trial"].values.astype(np.int64)
    kind = np.zeros_like(trial)
    if "trial_type" in recording:
        kind = recording["trial_type"].values.astype(np.int64)
    inside = (trial >= 0) & (kind >= 0)
    if not inside.any():
        raise ValueError("no frame lies in a trial: trial or trial_type is negative everywhere")
    kinds, code = np.unique(kind[inside], return_inverse=True)
    kind = np.full(trial.size, -1)
    kind[inside] = code

    slices = slice_sessions(recording)
    durations = recording["frame_duration"].values
    placed = [_place(trial[where], kind[where], durations[where], n_bins) for where in slices]
    n_parts = n_bins or max(int(bins.max(initial=-1)) + 1 for _, _, bins in placed)
    shape = (len(slices), kinds.size, n_parts)
    response = np.full((*shape, recording.sizes["unit"]), np.nan)
    n_trials = np.zeros(shape, dtype=np.int64)
    for i, where in enumerate(slices):
        activity = np.asarray(recording["activity"].isel(time=where).values, dtype=np.float64)
        response[i], n_trials[i] = _means(
            activity, kind[where], durations[where], *placed[i], shape[1:]
        )
    detected = recording["detected"].values[:, None, None, :]
    response[~np.broadcast_to(detected, response.shape)] = np.nan

    averages = xr.Dataset(
        {
            "response": (("session", "trial_type", "trial_bin", "unit"), response),
            "n_trials": (("session", "trial_type", "trial_bin"), n_trials),
            "detected": recording["detected"].variable,
        },
        coords=carry_coords(recording, "session", "unit")
        | {"trial_type": kinds, "trial_time": ("trial_bin", _times(recording, n_bins, n_parts))},
    )
    averages = label(averages, TRIAL_AVERAGES)
    averages["response"].attrs["units"] = recording["activity"].attrs["units"]
    averages["trial_time"].attrs["units"] = "s" if n_bins is None else "1"
    return averages.assign_attrs(activity_kind=recording["activity"].attrs["kind"])


def _place(
    trial: np.ndarray, kind: np.ndarray, durations: np.ndarray, n_bins: int | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frames within trials, and the trial and bin of each."""
    frames = np.flatnonzero((trial >= 0) & (kind >= 0))
    pairs = np.column_stack([trial[frames], kind[frames]])
    _, group, length = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
    group = group.reshape(-1)
    order = np.argsort(group, kind="stable")
    rank = np.empty(frames.size, dtype=np.int64)
    rank[order] = np.arange(frames.size) - (np.cumsum(length) - length)[group[order]]
    if n_bins is None:
        return frames, group, rank
    lasting = durations[frames]
    if is_even(lasting):
        return frames, group, (2 * rank + 1) * n_bins // (2 * length[group])
    ends = np.empty(frames.size)
    ends[order] = np.cumsum(lasting[order])
    whole = np.bincount(group, lasting)
    middle = ends - lasting / 2 - (np.cumsum(whole) - whole)[group]
    part = np.floor(middle / whole[group] * n_bins).astype(np.int64)
    return frames, group, np.clip(part, 0, n_bins - 1)


def _means(
    activity: np.ndarray,
    kind: np.ndarray,
    durations: np.ndarray,
    frames: np.ndarray,
    group: np.ndarray,
    bins: np.ndarray,
    shape: tuple[int, ...],
) -> tuple[np.ndarray, np.ndarray]:
    """Mean over trials (type, bin, unit), and how many trials it has."""
    from scipy.sparse import csr_array

    n_cells = shape[0] * shape[1]
    cell = kind[frames] * shape[1] + bins
    parts, part, n_frames = np.unique(
        np.column_stack([cell, group]), axis=0, return_inverse=True, return_counts=True
    )
    part = part.reshape(-1)
    n_trials = np.bincount(parts[:, 0], minlength=n_cells)
    lasting = durations[frames]
    if is_even(lasting):
        weight = 1 / (n_frames[part] * n_trials[cell])
    else:
        weight = lasting / (np.bincount(part, lasting)[part] * n_trials[cell])
    mean = csr_array((weight, (cell, frames)), shape=(n_cells, len(activity))) @ activity
    mean[n_trials == 0] = np.nan
    return mean.reshape(*shape, activity.shape[1]), n_trials.reshape(shape)


def _times(recording: xr.Dataset, n_bins: int | None, n_parts: int) -> np.ndarray:
    if n_bins is not None:
        return (np.arange(n_bins) + 0.5) / n_bins
    steps = recording["frame_duration"].values
    if not np.allclose(steps, steps[0], rtol=1e-6):
        raise ValueError(
            f"frames last from {steps.min():g} to {steps.max():g} s: give n_bins, the number of "
            "parts of a trial"
        )
    return np.arange(n_parts) * steps[0]


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
            array = array.isel(time=slice_sessions(self.source)[session])
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
            "expected a recording, neurodrift.compute_trial_averages or "
            f"neurodrift.compute_rate_maps by session, got a Dataset of {found} over "
            f"{tuple(map(str, source.dims))}"
        )
    source = only_registered(source)
    assert name is not None
    if name != "activity":  # small; a lazy one would be made anew for every pair
        source = source.assign({name: source[name].compute()})
    return Samples(source, name)


def expect_equal_frames(recording: xr.Dataset) -> None:
    """Refuse a recording whose sessions do not show the same inputs frame by frame."""
    slices = slice_sessions(recording)
    labels = [str(item) for item in recording["session"].values]
    told = [name for name in FRAME_DTYPES if name in recording]
    for i, where in enumerate(slices[1:], start=1):
        fault = _difference(recording, told, slices[0], where)
        if fault:
            raise ValueError(
                f"sessions {labels[0]!r} and {labels[i]!r} do not show the same inputs frame by "
                f"frame: {fault}. Compare neurodrift.compute_trial_averages(recording) or "
                "neurodrift.compute_rate_maps(recording), whose samples are the same in every "
                "session"
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
