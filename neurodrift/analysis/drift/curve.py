"""The drift curve: similarity of pairs of sessions against the time between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr

from neurodrift.schema.objects import expect_choice

Axis = Literal["auto", "session", "day", "experience", "training_step"]

_LAGS = {
    "training_step": ("lag_training_step", "lag [training steps]"),
    "day": ("lag_day", "lag [days]"),
    "experience": ("lag_experience", "lag [min of experience]"),
    "session": ("lag", "lag [sessions]"),
}


@dataclass(frozen=True)
class DriftCurve:
    """What a drift curve draws.

    Parameters
    ----------
    lags, values
        (pair) time from one session to the other, and their similarity.
    at, mean
        (step) means over the pairs with as many sessions between them.
    ceiling
        Mean similarity of two halves of one session, which noise alone leaves; None where there is
        none.
    label
        Of the axis of the lags, with its unit.
    """

    lags: np.ndarray
    values: np.ndarray
    at: np.ndarray
    mean: np.ndarray
    ceiling: float | None
    label: str


def drift_curve(
    pairs: xr.Dataset, measure: str, *, axis: Axis = "auto", noise_free: bool = False
) -> DriftCurve:
    """Similarity of the pairs of sessions against the time between them.

    Parameters
    ----------
    pairs
        Over (session_a, session_b), as the nodes ``session_drift`` and ``drift`` are.
    measure
        Name of a variable of them.
    axis
        What the lag is counted in; ``auto``: training steps, otherwise days, otherwise sessions,
        the first that tells all sessions apart.
    noise_free
        Whether activity is a function of the input: its halves differ by the inputs that they hold,
        and are no ceiling.

    Returns
    -------
    DriftCurve
        Every pair once, from the earlier to the later session.

    Raises
    ------
    ValueError
        If there is no such measure, or the sessions do not have the axis.

    Examples
    --------
    >>> import neurodrift as nd
    >>> from neurodrift.analysis.drift.curve import drift_curve
    >>> track = nd.testing.linear_track(n_units=6, n_sessions=3, minutes=2)
    >>> found = nd.compute_drift(nd.compute_rate_maps(track, smoothing=4))
    >>> curve = drift_curve(found, "rate_map_correlation")
    >>> curve.at.tolist(), curve.label
    ([2.0, 4.0], 'lag [days]')
    """
    name, values, lags, steps = matrices_of(pairs, measure, axis)
    label = _LAGS[name][1]
    later = (steps > 0) & np.isfinite(values) & np.isfinite(lags)
    groups = [later & (steps == step) for step in np.unique(steps[later])]
    own = np.diagonal(values)
    own = own[np.isfinite(own)]
    return DriftCurve(
        lags=lags[later],
        values=values[later],
        at=np.array([lags[group].mean() for group in groups]),
        mean=np.array([values[group].mean() for group in groups]),
        ceiling=float(own.mean()) if own.size and not noise_free else None,
        label=label,
    )


def matrices_of(
    pairs: xr.Dataset, measure: str, axis: Axis
) -> tuple[str, np.ndarray, np.ndarray, np.ndarray]:
    """A measure of pairs of sessions beside the time between them.

    Parameters
    ----------
    pairs, measure, axis
        As for :func:`drift_curve`.

    Returns
    -------
    axis, values, lags, steps : str, numpy.ndarray, numpy.ndarray, numpy.ndarray
        What the lag is counted in; and (session_a, session_b) the measure, the lag, and the
        sessions from a to b.

    Raises
    ------
    ValueError
        If there is no such measure, or the sessions do not have the axis.
    """
    square = ("session_a", "session_b")
    if measure not in pairs or set(pairs[measure].dims) != set(square):
        known = sorted(str(n) for n, a in pairs.data_vars.items() if set(a.dims) == set(square))
        raise ValueError(f"no measure {measure!r} of pairs; there are {', '.join(known)}")
    name, coord = axis_of_lags(pairs, axis)
    found = (pairs[key].transpose(*square).values for key in (measure, coord, "lag"))
    values, lags, steps = found
    return name, values.astype(float), lags.astype(float), steps


def axis_of_lags(pairs: xr.Dataset, axis: Axis) -> tuple[str, str]:
    """What the lags of pairs are counted in.

    Parameters
    ----------
    pairs
        Over (session_a, session_b).
    axis
        As for :func:`drift_curve`.

    Returns
    -------
    tuple of str
        The axis, and the coordinate of the pairs.

    Raises
    ------
    ValueError
        If the sessions do not have the axis.
    """
    expect_choice("axis", axis, ("auto", *_LAGS))
    if axis != "auto":
        name = _LAGS[axis][0]
        if name not in pairs.coords:
            have = [key for key, (coord, _) in _LAGS.items() if coord in pairs.coords]
            raise ValueError(f"the sessions have no {axis}: axis may be {', '.join(have)}")
        return axis, name
    apart = ~np.eye(pairs.sizes["session_a"], dtype=bool)
    for key in ("training_step", "day"):
        name = _LAGS[key][0]
        if name in pairs.coords:
            lags = pairs[name].values[apart].astype(float)
            if np.isfinite(lags).all() and (lags != 0).all():
                return key, name
    return "session", _LAGS["session"][0]
