"""Sessions that have both halves, and when they were."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import xarray as xr

from neurodrift.infer.observation.counts import Observed

Undetected = Literal["auto", "missing", "silent"]
"""What a unit is that was not detected in a session."""


def whole_sessions(
    source: xr.Dataset,
    undetected: Undetected,
    events: np.ndarray,
    seconds: np.ndarray,
    detected: np.ndarray,
    segment: np.ndarray,
    **rest: Any,
) -> Observed:
    """What was seen in the sessions that have both halves, with their days.

    Parameters
    ----------
    source
        A recording, or a node of results, of which days and the way of detection are read.
    undetected
        What a unit is that was not detected.
    events, seconds, detected, segment
        As in :class:`neurodrift.infer.observation.counts.Observed`, of all sessions.
    **rest
        Its geometry, and whether events are counts.

    Returns
    -------
    Observed
        Of the sessions with time in both halves.

    Raises
    ------
    ValueError
        If some activity is below 0, or no session has both halves.
    """
    if (events < 0).any():
        raise ValueError(
            "some activity is below 0, and drift statistics are of rates: give events, or the "
            "activity of rectified units"
        )
    if undetected == "auto":
        each = source.attrs.get("detection") == "each_session"
        undetected = "silent" if each else "missing"
    if undetected == "silent":
        detected = np.ones_like(detected)
    whole = (seconds.sum(axis=-1) > 0).all(axis=0)
    if not whole.any():
        raise ValueError(
            "no session has two halves with a frame that counts: sessions need two trials, four "
            "laps or two minutes"
        )
    return Observed(
        events=events[:, whole],
        seconds=seconds[:, whole],
        detected=detected[whole],
        day=days_of(source)[whole],
        segment=segment,
        **rest,
    )


def days_of(source: xr.Dataset) -> np.ndarray:
    """Time of each session.

    Parameters
    ----------
    source
        A recording, or a node of results.

    Returns
    -------
    numpy.ndarray
        (session) days where they increase, else training steps, else 0, 1, 2, ...
    """
    for name in ("day", "training_step"):
        if name in source.coords:
            days = source[name].values.astype(float)
            if np.isfinite(days).all() and (np.diff(days) > 0).all():
                return np.asarray(days)
    return np.arange(source.sizes["session"], dtype=float)
