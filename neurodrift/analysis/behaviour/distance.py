"""How differently the animal behaved in each pair of sessions."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import carry_coords, lag_coords
from neurodrift.analysis.behaviour.laps import RESERVED, Series, laps_of, series_of, speed_of
from neurodrift.analysis.maps.binning import Binning, as_binning
from neurodrift.schema import check, label
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import BEHAVIOUR_DISTANCE

_PAIR = ("session_a", "session_b")


@checked_options
def compute_behaviour_distance(
    recording: xr.Dataset,
    series: Series = None,
    *,
    binning: Binning | None = None,
    block: float = 30.0,
) -> xr.Dataset:
    r"""How differently the animal behaved in every pair of sessions, without the noise of laps.

    Parameters
    ----------
    recording
        A recording with a position; NumPy or Dask. Its activity is not read.
    series
        Anything else that was measured in each frame (pupil, licks): a DataArray over ``time``
        with a name, or a mapping of names to such. NaN where it is not known.
    binning
        Position bins and the frames that count; the defaults of :class:`Binning` when omitted.
    block
        Length of a block [s] where there are neither laps nor trials.

    Returns
    -------
    xarray.Dataset
        Over (session_a, session_b), each in standard deviations between laps of one session:
        ``speed`` by direction and position; ``occupancy``, the share of a lap's time in each bin;
        ``lap_duration``, of its logarithm, rests counted; one for each of the user's series by
        direction and position; and ``overall``, of all of them. The expected value is 0 where two
        sessions are alike, and single values may be below 0. Also ``n_laps`` (session). NaN where
        a session has fewer than two laps of any direction, or the recording no speed (attribute
        ``left_out``).

    Raises
    ------
    ValueError
        If there is no position, or a series has no name or other frames.
    TypeError
        If a series is no labelled array.

    Notes
    -----
    Of the values :math:`v_{if}` of lap i in direction and bin f,

    .. math::
        D^2_{ab} = \frac{\langle (\bar v_{af} - \bar v_{bf})^2 - s^2_{af} / n_{af} -
        s^2_{bf} / n_{bf} \rangle_f}{\langle s^2_{sf} \rangle_{sf}}

    which is the mean product of the differences in two disjoint laps of each session, over all
    such laps, so that the noise of laps adds nothing. The distance is its root, with its sign.
    ``overall`` is that of the mean square of all measures.

    Examples
    --------
    >>> import neurodrift as nd
    >>> track = nd.testing.linear_track(n_units=2, n_sessions=3, minutes=4)
    >>> nd.compute_behaviour_distance(track)["speed"].dims
    ('session_a', 'session_b')
    """
    check(recording)
    binning = as_binning(binning)
    if "x" not in recording:
        raise ValueError(
            "the recording has no position 'x', so that behaviour has no laps: give x, or compare "
            "sessions by values of your own (explain_drift takes any distances)"
        )
    own = series_of(series, recording)
    n = recording.sizes["session"]
    laps = laps_of(recording, binning, block)
    features = {"occupancy": laps.share(), "lap_duration": laps.log_duration()}
    speed = speed_of(recording)
    why = {}
    if speed is None:
        why["speed"] = "the recording has no speed"
        features["speed"] = np.full((laps.session.size, 1), np.nan)
    else:
        features["speed"] = laps.mean_of(speed)
    features |= {name: laps.mean_of(values) for name, values in own.items()}
    squares = {name: squared_distance(f, laps.session, n) for name, f in features.items()}
    for name, square in squares.items():
        if name not in why and not np.isfinite(square[~np.eye(n, dtype=bool)]).any() and n > 1:
            why[name] = "no two sessions have two laps each in a bin, or laps do not differ"
    known = np.stack(list(squares.values()))
    count = np.isfinite(known).sum(axis=0)
    total = np.where(np.isfinite(known), known, 0.0).sum(axis=0)
    squares["overall"] = np.divide(total, count, out=np.full((n, n), np.nan), where=count > 0)
    values: dict[str, Any] = {name: (_PAIR, _root(square)) for name, square in squares.items()}
    values["n_laps"] = ("session", np.bincount(laps.session, minlength=n))
    labels = recording["session"].values
    coords = carry_coords(recording, "session") | dict(zip(_PAIR, [labels] * 2, strict=True))
    coords |= lag_coords(recording, _PAIR, np.arange(n))
    found = label(xr.Dataset(values, coords=coords), BEHAVIOUR_DISTANCE)
    for name in own:
        found[name].attrs = {"units": "1", "long_name": f"distance of {name} by position"}
    about = {"left_out": json.dumps(why), "cut_at": laps.name, "binning": binning.to_json()}
    return found.assign_attrs(about, distances=json.dumps([*RESERVED[:3], *own]))


def squared_distance(features: np.ndarray, session: np.ndarray, n: int) -> np.ndarray:
    """(session, session) squared distance of laps, without their noise, in their variance.

    Parameters
    ----------
    features
        (lap, feature), NaN where a lap has none.
    session
        (lap) session of each.
    n
        How many sessions there are.

    Returns
    -------
    numpy.ndarray
        NaN where two sessions share no feature that both know from two laps; 0 on the diagonal.
    """
    known = np.isfinite(features)
    plain = np.where(known, features, 0.0)
    centre = plain.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    plain = np.where(known, features - centre, 0.0)  # against cancellation
    count, total, square = (np.zeros((n, features.shape[1])) for _ in range(3))
    np.add.at(count, session, known)
    np.add.at(total, session, plain)
    np.add.at(square, session, plain**2)
    enough = count >= 2
    some = np.maximum(count, 1)
    mean = total / some
    variance = np.maximum(square - total * mean, 0.0) / np.maximum(count - 1, 1)
    scale = variance[enough].mean() if enough.any() else 0.0
    found = np.full((n, n), np.nan)
    if not scale > 1e-24:
        return found
    for a in range(n):
        both = enough[a] & enough
        away = (mean[a] - mean) ** 2 - variance[a] / some[a] - variance / some
        number = both.sum(axis=1)
        total_away = np.where(both, away, 0.0).sum(axis=1)
        found[a] = np.divide(total_away, number, out=np.full(n, np.nan), where=number > 0) / scale
        if number[a]:
            found[a, a] = 0.0
    return found


def _root(square: np.ndarray) -> np.ndarray:
    return np.asarray(np.sign(square) * np.sqrt(np.abs(square)))
