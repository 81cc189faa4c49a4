"""What a node is, and what nodes may need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import xarray as xr

from neurodrift.analysis.nodes.work import Work
from neurodrift.geometry.geometry import geometry_of
from neurodrift.schema import COUNT_KINDS


@dataclass(frozen=True)
class Node:
    """One node of the tree of results.

    Parameters
    ----------
    name
        Its name in the tree, and for ``measures``.
    doc
        What it holds, in a line.
    compute
        Makes it of the work so far.
    needs
        Names in :data:`NEEDS`, all of which must hold.
    uses
        Nodes that are computed before it, where the recording has what they need.
    options
        Fields of :class:`Work` that it depends on, beside the recording and the nodes that it
        uses.
    gathers
        Whether it also takes the `measures` of every node before it.
    place
        Section of the report that shows it.
    measures
        Values by session that it adds to the node ``sessions``, of the work so far.
    """

    name: str
    doc: str
    compute: Callable[[Work], xr.Dataset]
    needs: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    gathers: bool = False
    place: str = "sessions"
    measures: Callable[[Work], xr.Dataset] | None = None


NEEDS: dict[str, tuple[Callable[[Work], bool], str]] = {
    "units": (lambda work: bool(work.recording.sizes["unit"]), "the recording has no unit"),
    "position": (lambda work: "x" in work.recording, "the recording has no position"),
    "frames": (
        lambda work: work.has_frames,
        "no frame can be used: none is tracked in a running animal",
    ),
    "noise": (
        lambda work: not work.noise_free,
        "activations are a function of the input, without noise that could be checked",
    ),
    "test": (
        lambda work: work.tested,
        "place cells are units with enough information here, and nothing is tested",
    ),
    "rates": (
        lambda work: work.has_rates,
        "bits per event are not defined: activity is a trace of fluorescence, or below 0",
    ),
    "tuning": (
        lambda work: work.can_be_tested,
        "some activity is below 0 but is no fluorescence, so that no place cell can be told",
    ),
    "sessions": (
        lambda work: work.recording.sizes["session"] > 1,
        "there is one session, and nothing to be on an equal footing with",
    ),
    "several sessions": (
        lambda work: work.recording.sizes["session"] > 1,
        "there is one session, and nothing to change from",
    ),
    "counts": (
        lambda work: work.recording["activity"].attrs["kind"] in COUNT_KINDS,
        "activity is no count of spikes or events",
    ),
    "match": (
        lambda work: work.match is not None,
        "nothing is to be made equal in the sessions (match)",
    ),
    "laps": (
        lambda work: "y" not in work.recording and work.laps is not None,
        "position is two-dimensional or has no laps",
    ),
    "line": (
        lambda work: (
            "y" not in work.recording
            and geometry_of(work.recording).kind in ("linear", "circular", "vr")
        ),
        "fields are followed on a line or a circle, where a move has a length and a sign",
    ),
    "unknown maps": (
        lambda work: work.detects_maps or "map_label" not in work.recording,
        "the recording's map_label says which map is which",
    ),
}
"""What a node may need -> whether it is there, and why a node without it is left out."""
