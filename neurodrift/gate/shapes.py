"""A position without a stated geometry: what it shows is proposed aloud, never taken silently."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import xarray as xr

from neurodrift.gate.findings import Finding
from neurodrift.gate.inputs import Position
from neurodrift.geometry.geometry import Geometry, geometry_of
from neurodrift.geometry.proposal import Proposal, propose_geometry

_LEAST_FRAMES = 500


def with_geometry(
    recording: xr.Dataset, accept: Collection[str] = ()
) -> tuple[xr.Dataset, list[Finding]]:
    """Give a recording whose one axis jumps from end to end the geometry that this shows.

    Parameters
    ----------
    recording
        A recording.
    accept
        Names of findings that are taken as true: with ``geometry`` the track stays linear.

    Returns
    -------
    recording : xarray.Dataset
        With a geometry, where one was proposed.
    findings : list of Finding
        A warning that says so.
    """
    if recording["activity"].attrs.get("kind") == "activation" or "geometry" in recording.attrs:
        return recording, []
    if "x" not in recording or "y" in recording or recording.sizes["time"] < _LEAST_FRAMES:
        return recording, []
    found = proposal_of(recording)
    if not found.jumps:
        return recording, []
    finding = _finding(found, accept)
    if finding.stops:
        return recording, [finding]
    return recording.assign_attrs(geometry=found.geometry.to_json()), [finding]


def position_with_geometry(
    position: Position, accept: Collection[str] = ()
) -> tuple[Position, list[Finding]]:
    """The same for the position of one session.

    Parameters
    ----------
    position
        A position on its clock.
    accept
        As for :func:`with_geometry`.

    Returns
    -------
    position : Position
        With a geometry, where one was proposed.
    findings : list of Finding
        What speaks for it.
    """
    x, time = np.asarray(position.xy, dtype=float), np.asarray(position.time, dtype=float)
    if position.geometry is not None or x.ndim > 1 or x.size < _LEAST_FRAMES:
        return position, []
    if not (np.diff(time) > 0).all():
        return position, []  # another finding
    found = propose_geometry(time, x)
    if not found.jumps:
        return position, []
    finding = _finding(found, accept)
    shape = None if finding.stops else found.geometry
    return replace(position, geometry=shape), [finding]


def _finding(found: Proposal, accept: Collection[str]) -> Finding:
    """That a geometry was taken from the positions, or that it was not as was accepted."""
    shape = found.geometry
    other = "vr" if shape.kind == "circular" else "circular"
    told = command_text(shape)
    numbers = {"jumps": float(found.jumps), "length": float(shape.length or 0)}
    if "geometry" in accept:
        text = f"{found.why}, and it is taken for a linear track all the same"
        return Finding("geometry", text, True, True, numbers=numbers)
    text = (
        f"{found.why}: taken as {shape}. State the geometry to be sure (geometry='{told}', on the "
        f"command line --geometry {told}; {other} where that is what it is), or accept the finding "
        "geometry for a linear track on which the animal is put back"
    )
    return Finding("geometry", text, warns=True, numbers=numbers)


def command_text(shape: Geometry) -> str:
    """A circle or a corridor as text that a command takes.

    Parameters
    ----------
    shape
        The geometry.

    Returns
    -------
    str
        Such as ``circular:180``.
    """
    if shape.origin or shape.kind not in ("circular", "vr"):
        return replace(shape, proposed=False).to_json()
    return f"{shape.kind}:{shape.length:g}"


def proposal_of(recording: xr.Dataset) -> Proposal:
    """What the positions of a recording show, its sessions together.

    Parameters
    ----------
    recording
        A recording with a position.

    Returns
    -------
    Proposal
        The proposal; a step from one session to the next is none.
    """
    x = recording["x"].values.copy()
    first = np.flatnonzero(np.diff(recording["session_index"].values)) + 1
    x[first] = np.nan  # one frame less for each session, so that it parts the two
    y = recording["y"].values if "y" in recording else None
    return propose_geometry(recording["time"].values, x, y)


def describe_geometry(recording: xr.Dataset) -> str:
    """One line on the geometry of a recording, and where it comes from.

    Parameters
    ----------
    recording
        A recording with a position.

    Returns
    -------
    str
        Stated, proposed, or what positions without a geometry are taken for.
    """
    shape = geometry_of(recording)
    if "geometry" in recording.attrs:
        source = "proposed from the positions" if shape.proposed else "stated"
        return f"geometry: {shape} ({source})"
    return f"geometry: {shape}, as none is stated ({proposal_of(recording).why})"
