"""Tidy tables of sessions and of pairs of sessions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from neurodrift.analysis.binning import MIN_RUNNING_SPEED
from neurodrift.recording import tracked_minutes
from neurodrift.schema import check


def session_table(recording: xr.Dataset, *measures: xr.Dataset | xr.DataArray) -> pd.DataFrame:
    """Tidy table of a recording, one row for each session, for regression.

    Parameters
    ----------
    recording
        A recording over (session, time, unit).
    *measures
        Results with the dimension ``session``, such as :func:`neurodrift.sparsity`;
        of a Dataset, every variable over ``session`` alone becomes a column.

    Returns
    -------
    pandas.DataFrame
        ``subject``, ``environment``, ``session``, ``session_number`` (from 0), ``day`` [d],
        ``experience`` [min], ``training_step``, ``loss``, ``accuracy`` where the recording has
        them, ``tracked_time`` [min], ``running_time`` [min] at 1 cm/s or faster and the
        ``running_speed`` then [cm/s] (NaN without a speed), ``n_detected``, and the measures.

    Raises
    ------
    ValueError
        If a measure lacks a session of the recording or its name is taken.

    Examples
    --------
    >>> from neurodrift import testing
    >>> from neurodrift.analysis.tables import session_table
    >>> table = session_table(testing.linear_track(n_units=3, n_sessions=2, minutes=1))
    >>> table["session"].tolist(), table["day"].tolist()
    (['1', '2'], [0.0, 2.0])
    """
    check(recording)
    n_sessions = recording.sizes["session"]
    table = pd.DataFrame(
        {
            "subject": str(recording["subject"].values),
            "environment": str(recording["environment"].values),
            "session": [str(item) for item in recording["session"].values],
            "session_number": np.arange(n_sessions),
        }
    )
    for name in ("day", "experience", "training_step", "loss", "accuracy"):
        if name in recording.coords:
            table[name] = recording[name].values
    table["tracked_time"] = tracked_minutes(recording)
    frames, speed = np.full(n_sessions, np.nan), np.full(n_sessions, np.nan)
    if "speed" in recording:
        values = recording["speed"].values
        running = values >= MIN_RUNNING_SPEED
        index = recording["session_index"].values[running]
        frames = np.bincount(index, minlength=n_sessions).astype(float)
        total = np.bincount(index, weights=values[running], minlength=n_sessions)
        speed = np.divide(total, frames, out=speed, where=frames > 0)
    table["running_time"] = frames * recording["frame_duration"].values / 60
    table["running_speed"] = speed
    table["n_detected"] = recording["detected"].values.sum(axis=1)
    for measure in measures:
        arrays = measure.data_vars if isinstance(measure, xr.Dataset) else {measure.name: measure}
        for key, array in arrays.items():
            if array.dims == ("session",) and key != "n_detected":
                _add_measure(table, str(key), array)
    return table


def _add_measure(table: pd.DataFrame, name: str, array: xr.DataArray) -> None:
    if name in table:
        raise ValueError(f"the table already has a column {name!r}: rename the measure")
    values = pd.Series(array.values, index=[str(item) for item in array["session"].values])
    missing = sorted(set(table["session"]) - set(values.index))
    if missing:
        raise ValueError(f"measure {name!r} has no value for session {', '.join(missing)}")
    table[name] = values.loc[table["session"]].to_numpy()


def drift_table(drift: xr.Dataset) -> pd.DataFrame:
    """Tidy table of a drift, one row for each pair of sessions or segments.

    Parameters
    ----------
    drift
        Result of :func:`~neurodrift.analysis.drift.drift` or
        :func:`~neurodrift.analysis.ceiling.session_drift`.

    Returns
    -------
    pandas.DataFrame
        One row for each pair with a before b: ``subject``, ``environment``, the labels of both,
        the lags, ``same_map`` for segments, and every measure of the pair. The diagonal, pairs
        within a session with lag 0, is there when it holds a noise ceiling. No rows when there
        is one session.

    Notes
    -----
    The pairs of an animal share sessions, so its rows depend on each other. Least squares over
    them finds a decay too often; use ``regress(..., method="subjects")`` over several animals.

    Examples
    --------
    >>> from neurodrift import rate_maps, testing
    >>> from neurodrift.analysis.drift import drift
    >>> from neurodrift.analysis.tables import drift_table
    >>> recording = testing.linear_track(n_units=10, n_sessions=3, minutes=2)
    >>> drift_table(drift(rate_maps(recording)))[["session_a", "session_b", "lag"]].values.tolist()
    [['1', '2', 1], ['1', '3', 2], ['2', '3', 1]]
    """
    pair = tuple(str(dim) for dim in drift.dims if str(dim).endswith(("_a", "_b")))
    if len(pair) != 2:
        raise ValueError(f"expected a drift over pairs, got dims {tuple(map(str, drift.dims))}")
    n_maps = drift.sizes[pair[0]]
    matrices = {n: array for n, array in drift.data_vars.items() if array.dims == pair}
    diagonal = np.zeros(n_maps, dtype=bool)
    for array in matrices.values():
        if array.dtype.kind == "f":
            diagonal |= np.isfinite(np.diagonal(array.values))
    first, second = np.triu_indices(n_maps)
    keep = (first != second) | diagonal[first]
    first, second = first[keep], second[keep]

    columns: dict[str, object] = {}
    for name in ("subject", "environment"):
        if name in drift.coords:
            columns[name] = np.full(first.size, str(drift[name].values), dtype=object)
    at = dict(zip(pair, (first, second), strict=True))
    for key, array in [*drift.coords.items(), *matrices.items()]:
        if array.dims == pair:
            columns[str(key)] = array.values[first, second]
        elif len(array.dims) == 1 and array.dims[0] in at:
            columns[str(key)] = array.values[at[str(array.dims[0])]]
    return pd.DataFrame(columns)
