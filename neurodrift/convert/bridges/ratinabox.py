"""RatInABox agents and neurons as recordings.

References
----------
.. [1] George TM, Rastogi M, de Cothi W, et al. RatInABox, a toolkit for modelling locomotion and
   neuronal activity in continuous environments. eLife 13, e85274 (2024).
   https://doi.org/10.7554/eLife.85274
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xarray as xr

from neurodrift import kinematics
from neurodrift.geometry.geometry import Geometry, circular, field, linear
from neurodrift.recording import recording_from_arrays

if TYPE_CHECKING:
    from ratinabox.Neurons import Neurons


def from_ratinabox(
    neurons: Neurons,
    *,
    values: Literal["spikes", "rates"] = "spikes",
    session: str = "1",
    day: float = 0.0,
    subject: str = "RatInABox",
    environment: str = "simulated",
) -> xr.Dataset:
    """What one population of RatInABox did, as a recording of one session.

    Parameters
    ----------
    neurons
        ``ratinabox.Neurons.Neurons`` or a subclass after ``update()`` in every step; its agent is
        ``neurons.Agent``. Positions in metres become cm. A line with periodic ends is circular, a
        polygon or circle is the outline of a field.
    values
        ``spikes``: at most one in a step, as RatInABox draws them. ``rates``: firing rates [Hz], of
        kind ``activation``.
    session, day
        Label of the session and days since the first. Join several sessions by
        :func:`neurodrift.join_sessions`.
    subject, environment
        Labels.

    Returns
    -------
    xarray.Dataset
        The recording, with position, geometry and speed.

    Raises
    ------
    ValueError
        If neurons and agent were not updated together, or the environment is a plane whose walls
        are periodic, which has no geometry here.
    """
    agent = getattr(neurons, "Agent", None)
    if agent is None or not hasattr(neurons, "history"):
        raise TypeError(
            f"neurons is of type {type(neurons).__name__}, expected ratinabox.Neurons.Neurons "
            "with its Agent"
        )
    time, clock = np.asarray(agent.history["t"]), np.asarray(neurons.history["t"])
    if time.size < 2 or time.shape != clock.shape or not np.allclose(time, clock):
        raise ValueError(
            f"the agent has {time.size} steps and the neurons {clock.size}: call Agent.update() "
            "and Neurons.update() in every step, and do not save only some"
        )
    if values not in ("spikes", "rates"):
        raise ValueError(f"values is {values!r}, expected spikes or rates")
    name = "spikes" if values == "spikes" else "firingrate"
    activity = np.asarray(neurons.history[name])
    position = 100 * np.asarray(agent.history["pos"], dtype=np.float64).reshape(time.size, -1)
    recording = recording_from_arrays(
        activity.astype(np.uint8) if values == "spikes" else activity.astype(np.float64),
        kind="spikes" if values == "spikes" else "activation",
        time=time - time[0],
        frame_duration=float(agent.dt),
        x=position[:, 0],
        y=position[:, 1] if position.shape[1] > 1 else None,
        geometry=_geometry(agent.Environment),
        session=[session],
        unit=[f"{neurons.name}:{i}" for i in range(activity.shape[1])],
        day=[day],
        subject=subject,
        environment=environment,
    )
    return kinematics.running(recording)


def _geometry(environment: Any) -> Geometry:
    """The shape of an environment of RatInABox [m], in cm."""
    periodic = str(getattr(environment, "boundary_conditions", "solid")) == "periodic"
    if str(getattr(environment, "dimensionality", "2D")) == "1D":
        low, high = (100 * float(value) for value in np.ravel(environment.extent)[:2])
        return circular(high - low, origin=low) if periodic else linear()
    if periodic:
        raise ValueError(
            "the environment is a plane with periodic boundary conditions, a torus, on which speed "
            "and maps would jump: use boundary_conditions='solid'"
        )
    corners = 100 * np.asarray(getattr(environment, "boundary", None) or [], dtype=float)
    return field("polygon", corners.reshape(-1, 2).tolist()) if corners.size else field()
