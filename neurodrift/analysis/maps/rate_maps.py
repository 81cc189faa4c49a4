"""Rate maps: activity over position, with the occupancy that it is divided by."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import scipy.sparse as sp
import xarray as xr

from neurodrift.analysis._coords import carry_coords
from neurodrift.analysis.maps.binning import (
    Binning,
    as_binning,
    bin_frames,
    seconds_by,
    session_activity,
)
from neurodrift.analysis.maps.smoothing import smooth_by, smoothing_steps, weights_of_bins
from neurodrift.recording import is_even, slice_sessions
from neurodrift.schema import COUNT_KINDS, LEVEL_KINDS, SESSION_COORDS, label
from neurodrift.schema.objects import expect_array
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import MAPS

_UNIT_BLOCK = 64  # units summed at once, so that eager data need no float copy of all activity

Grouping = Literal["session", "trial", "lap", "trial_type", "map_label"]


@checked_options
def compute_rate_maps(
    recording: xr.Dataset,
    *,
    binning: Binning | None = None,
    smoothing: float = 0.0,
    by: Grouping | xr.DataArray = "session",
) -> xr.Dataset:
    r"""Rate map of each unit, by session and running direction.

    Parameters
    ----------
    recording
        A recording with a position; NumPy or Dask.
    binning
        Position bins and the frames that count; the defaults of :class:`Binning` when omitted.
    smoothing
        Standard deviation of a Gaussian over position [cm], truncated at 3 standard deviations;
        0 for none. Bins without occupancy do not contribute and stay NaN. In two dimensions
        bins count by their occupancy: smoothed counts over smoothed occupancy.
    by
        What one map is made from. ``"trial"``, ``"lap"``, ``"trial_type"`` and ``"map_label"``
        give a map for each
        value within each session (-1, for map labels also 0, is left out; a session without any
        has no map). Integers over (time) group frames freely, negative ones are left out.

    Returns
    -------
    xarray.Dataset
        ``rate`` (session, unit, direction, position): events per second [Hz] for spikes and
        events, a.u./s for amplitudes and deconvolved activity, mean over time [a.u.] for
        fluorescence and activations.
        ``events`` (same dims): summed activity. ``occupancy`` (session, direction, position) [s].
        ``detected`` (session, unit). A bin that was not visited is NaN in ``rate``; a unit that
        was not detected is NaN in ``rate`` and ``events``. ``position`` is that of
        :func:`bin_frames`: all bins of a linear track, the used ones in two dimensions. Except
        for ``by="session"`` the first dimension is ``segment``, with the coordinates ``session``
        and ``trial``, ``lap``, ``trial_type``, ``map_label`` or ``group``; trials and laps also
        have the ``map_label`` that they lie in, 0 where it is unknown or changes.

    Raises
    ------
    ValueError
        If there is no position, a grouping variable is missing or holds no group, or a session
        has no frame that passes.

    Notes
    -----
    .. math:: r_s = \frac{\sum_{t \in s} a_t}{\sum_{t \in s} \Delta t_t}

    over the frames in bin :math:`s`, each of its own length :math:`\Delta t_t`; of levels
    (fluorescence, activations) :math:`\sum_t a_t \Delta t_t` is divided. Smoothing replaces it
    by :math:`\sum_j w_{sj} r_j / \sum_j w_{sj}` over visited bins :math:`j` [1]_.

    References
    ----------
    .. [1] Sheintuch et al. (2020), Curr Biol. https://doi.org/10.1016/j.cub.2020.02.018

    Examples
    --------
    >>> from neurodrift import Binning, compute_rate_maps, testing
    >>> recording = testing.linear_track(n_units=3, n_sessions=2)
    >>> maps = compute_rate_maps(recording, binning=Binning(bin_width=5))
    >>> dict(maps["rate"].sizes)
    {'session': 2, 'unit': 3, 'direction': 2, 'position': 20}
    """
    binning = as_binning(binning)
    frames = bin_frames(recording, binning)
    n_directions, n_bins = frames.sizes["direction"], frames.sizes["position"]
    groups = group_frames(recording, by)
    kind = recording["activity"].attrs["kind"]
    level, durations = kind in LEVEL_KINDS, recording["frame_duration"].values

    events, occupancy, counts, session_of, values = [], [], [], [], []
    for i, where in enumerate(slice_sessions(recording)):
        position = frames["position_bin"].values[where]
        direction = frames["direction_bin"].values[where].astype(np.int64)
        names, group = np.unique(groups[where], return_inverse=True)
        names, group = names[names >= 0], group - np.count_nonzero(names < 0)
        if where.start == where.stop and isinstance(by, str) and by == "session":
            names = np.zeros(1, dtype=np.int64)  # an empty session has a map without a visit
        if not names.size:
            continue
        code = np.where(
            (position >= 0) & (group >= 0),
            (group * n_directions + direction) * n_bins + position,
            -1,
        )
        shape = (len(names), n_directions, n_bins)
        lasting = durations[where]
        # means over time: a frame of a level counts as much as it lasts
        even = not level or is_even(lasting)
        weights = None if even else lasting / lasting.mean()
        events.append(
            xr.apply_ufunc(
                _sums,
                session_activity(recording, where),
                xr.DataArray(code, dims="time"),
                input_core_dims=[["time"], ["time"]],
                output_core_dims=[["segment", "direction", "position"]],
                kwargs={"shape": shape, "weights": weights},
                dask="parallelized",
                output_dtypes=[np.float64],
                dask_gufunc_kwargs={
                    "output_sizes": dict(
                        zip(("segment", "direction", "position"), shape, strict=True)
                    )
                },
            ).transpose("segment", "unit", "direction", "position")
        )
        visits = np.bincount(code[code >= 0], minlength=int(np.prod(shape))).reshape(shape)
        counts.append(visits)
        some = code >= 0
        occupancy.append(seconds_by(code[some], lasting[some], visits.size).reshape(shape))
        if not even:
            counts[-1] = occupancy[-1] / lasting.mean()
        session_of += [i] * len(names)
        values += names.tolist()

    if not events:
        raise ValueError(f"no frame belongs to a {by if isinstance(by, str) else 'group'}")
    n_frames = xr.DataArray(np.concatenate(counts), dims=("segment", "direction", "position"))
    seconds = xr.DataArray(np.concatenate(occupancy), dims=("segment", "direction", "position"))
    detected = recording["detected"].isel(session=xr.DataArray(session_of, dims="segment"))
    detected = detected.drop_vars([c for c in detected.coords if c != "unit"])
    summed = xr.concat(events, dim="segment", coords="minimal", compat="override", join="exact")
    summed = summed.where(detected)
    time_or_frames = n_frames if level else seconds
    rate = summed / time_or_frames.where(n_frames > 0)
    maps = xr.Dataset(
        {"rate": rate, "events": summed, "occupancy": seconds, "detected": detected}
    ).assign_coords(frames.drop_vars(["position_bin", "direction_bin", "session_index"]).coords)
    if smoothing > 0:
        steps = smoothing_steps(maps, smoothing)
        maps["rate"] = smooth_by(maps["rate"], steps, weights_of_bins(maps))
    maps = name_segments(maps, recording, by, session_of, values)
    maps = label(maps, MAPS)
    maps["rate"].attrs["units"] = rate_units(kind)
    maps["events"].attrs["units"] = recording["activity"].attrs["units"]
    maps.attrs = {"activity_kind": kind, "binning": binning.to_json(), "smoothing": smoothing}
    return maps


def rate_units(kind: str) -> str:
    """Unit of a rate map of one kind of activity.

    Parameters
    ----------
    kind
        One of :data:`neurodrift.schema.ACTIVITY_KINDS`.

    Returns
    -------
    str
        ``"Hz"``, ``"a.u./s"`` or ``"a.u."``.
    """
    if kind in COUNT_KINDS:
        return "Hz"
    return "a.u." if kind in LEVEL_KINDS else "a.u./s"


def group_frames(recording: xr.Dataset, by: Grouping | xr.DataArray) -> np.ndarray:
    """Group (time) of each frame within its session, negative where it belongs to none."""
    if isinstance(by, xr.DataArray):
        if by.dims != ("time",) or by.dtype.kind not in "iu" or by.size != recording.sizes["time"]:
            raise ValueError("a grouping must be integers over (time), one for each frame")
        if "time" in by.coords and not np.array_equal(by["time"], recording["time"]):
            raise ValueError("the times of the grouping are not those of the recording")
        return by.values.astype(np.int64)
    if not isinstance(by, str):
        raise TypeError(f"by is a {type(by).__name__}, expected a name or a DataArray over time")
    if by == "session":
        return np.zeros(recording.sizes["time"], dtype=np.int64)
    if by not in ("trial", "lap", "trial_type", "map_label"):
        raise ValueError(
            f"by is {by!r}, expected session, trial, lap, trial_type, map_label or a DataArray"
        )
    if by not in recording:
        raise ValueError(f"by={by!r}, but the recording has no variable {by!r}")
    values = recording[by].values.astype(np.int64)
    return np.where(values > 0, values, -1) if by == "map_label" else values


def _sums(
    activity: np.ndarray, code: np.ndarray, shape: tuple[int, ...], weights: np.ndarray | None
) -> np.ndarray:
    """Sum (unit, time) into (unit, *shape) by code (time), each frame with its weight."""
    used = np.flatnonzero(code >= 0)
    one = np.ones(used.size) if weights is None else weights[used]
    indicator = sp.csr_array((one, (code[used], used)), shape=(int(np.prod(shape)), code.size))
    n_units = activity.shape[0]
    sums = np.empty((n_units, *shape))
    for start in range(0, n_units, _UNIT_BLOCK):
        block = activity[start : start + _UNIT_BLOCK].T.astype(np.float64)
        sums[start : start + _UNIT_BLOCK] = np.asarray(indicator @ block).T.reshape(-1, *shape)
    return sums


def name_segments(
    maps: xr.Dataset,
    recording: xr.Dataset,
    by: Grouping | xr.DataArray,
    session_of: list[int],
    values: list[int],
) -> xr.Dataset:
    """Coordinates of what each map was made from, in place of its number."""
    at = np.asarray(session_of, dtype=int)
    dim = "session" if isinstance(by, str) and by == "session" else "segment"
    maps = maps.rename(segment="session") if dim == "session" else maps
    per_session = ("session", *SESSION_COORDS)
    coords: dict[str, Any] = {
        name: (dim, recording[name].values[at]) for name in per_session if name in recording.coords
    }
    if dim == "segment":
        coords[by if isinstance(by, str) else "group"] = (
            "segment",
            np.asarray(values, dtype=np.int64),
        )
        if isinstance(by, str) and by in ("trial", "lap") and "map_label" in recording:
            labels = _labels_of_segments(recording, by, session_of, values)
            coords["map_label"] = ("segment", labels)
    return maps.assign_coords(coords | carry_coords(recording, "unit"))


def _labels_of_segments(
    recording: xr.Dataset, by: str, session_of: list[int], values: list[int]
) -> np.ndarray:
    """Map label of each trial or lap, 0 where it is unknown or changes within."""
    frames = [recording[name].values for name in ("session_index", by, "map_label")]
    found: dict[tuple[int, int], set[int]] = {}
    for session, value, name in np.unique(np.column_stack(frames), axis=0).tolist():
        found.setdefault((session, value), set()).add(name)
    names = [found[key] for key in zip(session_of, values, strict=True)]
    return np.array([min(item) if len(item) == 1 else 0 for item in names], dtype=np.int64)


def order_by_peak(rate: xr.DataArray) -> np.ndarray:
    """Labels of the units in the order of the position of their peak.

    Parameters
    ----------
    rate
        (unit, position) maps of one session and direction.

    Returns
    -------
    numpy.ndarray
        (unit) labels; units without a peak, silent or not detected, come last.

    Examples
    --------
    >>> import xarray as xr
    >>> from neurodrift.analysis.maps.rate_maps import order_by_peak
    >>> maps = [[0.0, 2.0], [0.0, 0.0], [3.0, 1.0]]
    >>> rate = xr.DataArray(maps, dims=("unit", "position"), coords={"unit": ["a", "b", "c"]})
    >>> order_by_peak(rate).tolist()
    ['c', 'a', 'b']
    """
    expect_array("rate", rate, ["unit", "position"], "maps of one session and direction")
    if rate.ndim != 2:
        raise ValueError(
            f"rate has dims {rate.dims}, expected (unit, position): choose one session and "
            "direction by .sel"
        )
    values = np.nan_to_num(rate.transpose("unit", "position").values, nan=-np.inf)
    peak = np.where(values.max(axis=1) > 0, values.argmax(axis=1), values.shape[1])
    return np.asarray(rate["unit"].values[np.argsort(peak, kind="stable")])
