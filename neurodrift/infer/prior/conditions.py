"""The conditions of a simulated recording: bins of its track, or inputs of its task."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from neurodrift.infer.observation.recording import observed_of

CIRCULAR = ("ring", "predictive")
"""Environments whose positions lie on a circle, which their recordings do not say."""


@dataclass(frozen=True, eq=False)
class Conditions:
    """Activity by condition.

    Parameters
    ----------
    activity
        (session, unit, condition) mean activity.
    segment
        (condition) number of the direction of running.
    geometry
        ``linear``, ``circular`` or ``none``.
    """

    activity: np.ndarray
    segment: np.ndarray
    geometry: str


def conditions_of(recording: xr.Dataset) -> Conditions:
    """Activity of a simulated recording by the conditions of its task.

    Parameters
    ----------
    recording
        Of kind ``activation``, with the same frames in every session.

    Returns
    -------
    Conditions
        Those of :func:`neurodrift.infer.observation.recording.observed_of` that have frames.

    Examples
    --------
    >>> from neurodrift.infer.prior.conditions import conditions_of
    >>> from neurodrift.simulate.synapses.fluctuation import FluctuationSettings
    >>> run = FluctuationSettings(n_units=5, n_sessions=3).simulate()
    >>> conditions_of(run.recording()).activity.shape
    (3, 5, 25)
    """
    seen = observed_of(recording)
    there = (seen.seconds[0] > 0).all(axis=0)
    activity = seen.events[0][:, :, there] / seen.seconds[0][:, None, there]
    circular = str(recording["environment"].values) in CIRCULAR
    return Conditions(activity, seen.segment[there], "circular" if circular else seen.geometry)
