"""What was seen of an animal or of a network: counts of units in two halves of each session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neurodrift.geometry.geometry import Geometry

GEOMETRIES = ("linear", "circular", "none")
"""How the conditions of a segment lie: on a line, on a circle, or without an order."""


def order_of(geometry: Geometry) -> str:
    """How bins lie in an environment: one of `GEOMETRIES`."""
    return {"linear": "linear", "vr": "linear", "circular": "circular"}.get(geometry.kind, "none")


@dataclass(frozen=True)
class Observed:
    """Counts by half, session, unit and condition: bins of a track, or inputs of a task.

    Parameters
    ----------
    events
        Events, summed amplitudes or summed activity (half, session, unit, condition).
    seconds
        Time spent (half, session, condition) [s]; any unit for a network.
    detected
        Whether the unit was seen in the session (session, unit); not detected is not silent.
    day
        Time of each session, increasing; its unit does not matter.
    segment
        Which segment each condition lies on (condition): a direction of running, a trial type.
        Conditions of one segment stand together and in their order.
    geometry
        One of `GEOMETRIES`.
    counts
        Whether `events` are counts with noise of their own (an animal), or noise-free activity
        (a network that is seen in full); both halves are then the same.
    """

    events: np.ndarray
    seconds: np.ndarray
    detected: np.ndarray
    day: np.ndarray
    segment: np.ndarray
    geometry: str = "linear"
    counts: bool = True

    def __post_init__(self) -> None:
        if self.events.ndim != 4 or self.events.shape[0] != 2:
            raise ValueError(
                f"events have shape {self.events.shape}, expected (2, session, unit, condition)"
            )
        _, n_sessions, n_units, n_conditions = self.events.shape
        expected = {
            "seconds": (2, n_sessions, n_conditions),
            "detected": (n_sessions, n_units),
            "day": (n_sessions,),
            "segment": (n_conditions,),
        }
        for name, shape in expected.items():
            if np.shape(getattr(self, name)) != shape:
                raise ValueError(
                    f"{name} has shape {np.shape(getattr(self, name))}, expected {shape}"
                )
        if not (np.diff(self.day) > 0).all():
            raise ValueError(f"days of the sessions must increase, they are {list(self.day)}")
        if self.geometry not in GEOMETRIES:
            raise ValueError(f"geometry is {self.geometry!r}, expected one of {GEOMETRIES}")


def events_of_a_cell(seen: Observed) -> float:
    """Mean events of a detected cell in a session.

    Parameters
    ----------
    seen
        What was seen.

    Returns
    -------
    float
        NaN of what is no count, or where nothing was detected.
    """
    if not seen.counts or not seen.detected.any():
        return float("nan")
    return float(seen.events.sum(axis=(0, 3))[seen.detected].mean())


def how_seen(seen: Observed) -> dict[str, Any]:
    """How much was seen, as attributes of what is computed from it.

    Parameters
    ----------
    seen
        What was seen.

    Returns
    -------
    dict
        ``n_cells`` (cells that were detected with an event), ``n_sessions``, ``noise_free`` (0 or
        1) and, of whole numbers of events, ``n_events`` (mean of such a cell and session).
    """
    events = np.nan_to_num(np.asarray(seen.events, dtype=float))
    ever = (events.sum(axis=(0, 3)) * seen.detected).sum(axis=0) > 0
    found: dict[str, Any] = {
        "n_cells": int(ever.sum()),
        "n_sessions": int(seen.day.size),
        "noise_free": int(not seen.counts),
    }
    if seen.counts and ever.any() and (events == np.floor(events)).all():
        of_a_cell = events.sum(axis=(0, 3))[:, ever]
        found["n_events"] = float(of_a_cell[seen.detected[:, ever]].mean())
    return found
