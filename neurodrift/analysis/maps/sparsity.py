"""How many units are active, and how much of the time."""

from __future__ import annotations

from typing import Literal

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import carry_coords, registered_units
from neurodrift.analysis.maps.binning import MIN_RUNNING_SPEED, session_activity
from neurodrift.analysis.maps.rate_maps import rate_units
from neurodrift.recording import is_even, seconds_of_sessions, slice_sessions
from neurodrift.schema import COUNT_KINDS, KINDS, LEVEL_KINDS, check, label
from neurodrift.schema.kinds import allows
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import SPARSITY

Frames = Literal["all", "tracked", "running"]


@checked_options
def compute_sparsity(
    recording: xr.Dataset,
    *,
    min_events: int | None = None,
    min_rate: float | None = None,
    threshold: float = 0.0,
    frames: Frames = "tracked",
) -> xr.Dataset:
    r"""Fraction of active units and active fraction of each session.

    Parameters
    ----------
    recording
        A recording over (session, time, unit), with or without a position; NumPy or Dask.
    min_events
        Fewest events of an active unit in a session: counts of spikes or events, otherwise
        frames with activity above `threshold`. When omitted, 5, and 1 for activations.
    min_rate
        Least mean activity of an active unit besides: events per second [Hz] for spikes and
        events, amount per second [a.u./s] for amplitudes and deconvolved activity, mean over time
        [a.u.] for activations. No such condition when omitted.
    threshold
        Activity above which a frame counts as active.
    frames
        ``"tracked"``: frames with a position (all where the recording has none); ``"running"``:
        frames at 1 cm/s or faster; ``"all"``.

    Returns
    -------
    xarray.Dataset
        Over (session, unit): ``n_events``, ``mean_activity`` [Hz, a.u./s or a.u.] (NaN where not
        detected), ``is_active``, ``detected``. Over (session): ``n_detected``, ``n_active``,
        ``n_frames``, ``seconds`` (how long these frames last), ``n_counted`` (units that fractions
        are of), ``fraction_active_units`` and ``active_fraction`` (share of active units, and of
        their time), ``fraction_active_of_detected`` and ``fraction_active_of_union`` (of units
        detected in the session, and of all that are registered), ``events_per_unit``,
        ``population_sparseness``.

    Raises
    ------
    ValueError
        If an option is unknown or ``"running"`` is asked of a recording without speed.

    Notes
    -----
    Which units fractions are of depends on how it was decided which units a session has (attribute
    ``detection`` of the recording). Where cells were found in each session by their activity, one
    that was not found was silent: a fall of their number is missed by the active of detected ones,
    and fractions are of all registered units. Otherwise they are of the detected ones; where
    ``detection`` is not known, look at both. A change of the focal plane looks like silence.

    Fluorescence has no events: what counts events or active units is NaN, and ``is_active`` is
    ``detected``. ``active_fraction`` and ``fraction_active_units`` of a network are those of [1]_
    when `min_events` is 1. They are no sparsity of units that respond below 0, too: about
    half of such responses are above it.
    ``population_sparseness`` is the activity ratio [2]_ of the mean activities :math:`r_i` of the
    detected units, 1 when all are equal and 1/N when one unit does everything:

    .. math:: a = \frac{(\sum_i r_i / N)^2}{\sum_i r_i^2 / N}.

    References
    ----------
    .. [1] Ratzon, Derdikman and Barak (2024), eLife. https://doi.org/10.7554/eLife.90069
    .. [2] Rolls & Treves (1990), Network. https://doi.org/10.1088/0954-898X_1_4_002

    Examples
    --------
    >>> from neurodrift import testing
    >>> from neurodrift.analysis.maps.sparsity import compute_sparsity
    >>> recording = testing.linear_track(n_units=20, n_sessions=3, silencing=0.2)
    >>> compute_sparsity(recording)["n_active"].values.tolist()
    [20, 16, 12]
    """
    check(recording)
    kind = recording["activity"].attrs["kind"]
    if min_events is None:
        min_events = 1 if kind == "activation" else 5
    used = _used_frames(recording, frames)
    counted, level = kind in COUNT_KINDS, kind in LEVEL_KINDS
    durations = recording["frame_duration"].values
    parts = [
        xr.apply_ufunc(
            _counts,
            session_activity(recording, where),
            xr.DataArray(used[where], dims="time"),
            xr.DataArray(_weights(durations[where], used[where]), dims="time"),
            input_core_dims=[["time"], ["time"], ["time"]],
            output_core_dims=[["quantity"]],
            kwargs={"threshold": threshold, "counted": counted, "level": level},
            dask="parallelized",
            output_dtypes=[np.float64],
            dask_gufunc_kwargs={"output_sizes": {"quantity": 3}},
        )
        for where in slice_sessions(recording)
    ]
    sums = xr.concat(parts, dim="session", coords="minimal", compat="override", join="exact")
    detected = recording["detected"]
    index = recording["session_index"].values
    per_session = np.bincount(index[used], minlength=recording.sizes["session"])
    n_frames = xr.DataArray(per_session, dims="session").where(per_session > 0)
    n_detected = detected.sum("unit")
    some = n_detected.where(n_detected > 0)

    events, above, total = (sums.isel(quantity=i).where(detected) for i in range(3))
    seconds = xr.DataArray(seconds_of_sessions(recording, used), dims="session")
    mean = total / (n_frames if level else seconds.where(seconds > 0))
    is_active = events >= min_events
    if min_rate is not None:
        is_active &= mean >= min_rate
    n_active = is_active.sum("unit")
    if not allows(recording, "events"):  # a trace is never silent, and has nothing to count
        events, above, is_active = events * np.nan, above * np.nan, detected
        n_active = n_active * np.nan
    signed = KINDS[kind].signed
    registered = registered_units(recording)
    n_registered = (registered.sum("unit") * xr.ones_like(n_detected)).where(n_detected > 0)
    active_registered = (is_active & registered).sum("unit")
    of_union = active_registered.where(n_active.notnull()) / n_registered.where(n_registered > 0)
    detection = recording.attrs.get("detection", "unknown")
    silent = detection == "each_session"  # what is not detected there
    n_counted = n_registered if silent else some
    result = xr.Dataset(
        {
            "n_events": events,
            "mean_activity": mean,
            "is_active": is_active,
            "detected": detected,
            "n_detected": n_detected,
            "n_active": n_active,
            "n_frames": ("session", per_session),
            "seconds": seconds,
            "n_counted": n_counted.fillna(0).astype(np.int64),
            "fraction_active_units": of_union if silent else n_active / some,
            "fraction_active_of_detected": n_active / some,
            "fraction_active_of_union": of_union,
            "active_fraction": (above.where(registered) if silent else above).sum(
                "unit", min_count=1
            )
            / (n_counted * n_frames),
            "events_per_unit": events.sum("unit", min_count=1) / some,
            "population_sparseness": _activity_ratio(mean * np.nan if signed else mean),
        }
    )
    kept = carry_coords(recording, "session", "unit")
    result = result.drop_vars([name for name in result.coords if name not in kept])
    result = result.assign_coords(kept)
    result = label(result.transpose("session", "unit"), SPARSITY)
    result["mean_activity"].attrs["units"] = rate_units(kind)
    result.attrs = {
        "activity_kind": kind,
        "min_events": min_events,
        "threshold": threshold,
        "frames": frames,
        "detection": detection,
        **({} if min_rate is None else {"min_rate": min_rate}),
    }
    return result


def _used_frames(recording: xr.Dataset, frames: str) -> np.ndarray:
    used = np.ones(recording.sizes["time"], dtype=bool)
    if frames == "all":
        return used
    if frames not in ("tracked", "running"):
        raise ValueError(f"frames is {frames!r}, expected 'all', 'tracked' or 'running'")
    for axis in ("x", "y"):
        if axis in recording:
            used &= np.isfinite(recording[axis].values)
    if frames == "running":
        if "speed" not in recording:
            raise ValueError(
                "frames='running', but the recording has no speed: derive it with "
                "neurodrift.kinematics.running(recording)"
            )
        used &= recording["speed"].values >= MIN_RUNNING_SPEED
    return used


def _weights(durations: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Length of each frame, in means of the frames that count."""
    some = durations[used]
    if is_even(some):
        return np.ones(durations.size)
    return durations / float(some.mean())


def _counts(
    activity: np.ndarray,
    used: np.ndarray,
    weights: np.ndarray,
    *,
    threshold: float,
    counted: bool,
    level: bool,
) -> np.ndarray:
    """Events, weight of frames above threshold and summed activity (unit, 3) of (unit, time)."""
    result = np.empty((activity.shape[0], 3))
    weight = weights[used]
    even = is_even(weight)
    for i, row in enumerate(activity):  # unit by unit: the same sums whatever the blocks
        values = row[used]
        above = values > threshold
        n_above = np.count_nonzero(above)
        summed = values.sum(dtype=np.float64)
        result[i, 1] = n_above if even else weight[above].sum()
        result[i, 2] = summed if even or not level else (values * weight).sum()
        result[i, 0] = summed if counted else n_above
    return result


def _activity_ratio(mean: xr.DataArray) -> xr.DataArray:
    if mean.chunks is not None:
        mean = mean.chunk(unit=-1)
    return xr.apply_ufunc(
        _treves_rolls,
        mean,
        input_core_dims=[["unit"]],
        dask="parallelized",
        output_dtypes=[np.float64],
    )


def _treves_rolls(mean: np.ndarray) -> np.ndarray:
    # Sorted, so that the sums do not depend on the order of the units; NaN sorts to the end.
    ordered = np.sort(mean, axis=-1)
    n = np.isfinite(ordered).sum(axis=-1)
    ordered = np.where(np.isfinite(ordered), ordered, 0.0)
    square = n * (ordered * ordered).sum(axis=-1)
    ratio = np.full(n.shape, np.nan)
    return np.divide(ordered.sum(axis=-1) ** 2, square, out=ratio, where=square > 0)
