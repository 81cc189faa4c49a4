"""An analysis under way: what nodes are computed of."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import xarray as xr

from neurodrift.analysis.drift.ceiling import compute_half_maps, finest_split
from neurodrift.analysis.footing.matching import Match
from neurodrift.analysis.maps.binning import Binning
from neurodrift.analysis.place_cells._behaviour import AnyNull
from neurodrift.analysis.place_cells._directions import Combine
from neurodrift.geometry.geometry import geometry_of
from neurodrift.kinematics import number_laps
from neurodrift.recording import slice_sessions
from neurodrift.schema import COUNT_KINDS, LEVEL_KINDS
from neurodrift.schema.kinds import allows


@dataclass(kw_only=True)
class Work:
    """An analysis under way: the recording, the options, and the nodes computed so far.

    Parameters
    ----------
    recording
        The recording; its ``map_label`` is what the options ask for.
    binning, smoothing, min_events, alpha, n_repeats, min_information, seed
        As for :func:`neurodrift.analyze`, with every default filled in.
    match, n_draws
        What is made equal in all sessions for the node ``matched``, None for nothing; and how many
        draws it averages.
    threshold
        Activity above which a frame of an activation counts as active.
    tested
        Whether place cells are decided by a test against shuffles.
    detects_maps
        Whether segments of several maps are told apart by what is detected.
    slopes
        Method of the slopes over sessions.
    null, combine
        Of the tests of place cells and of stable maps.
    used
        (session) whether any of its frames can be put on a map: tracked and, where there is a
        speed, running.
    nodes
        Results by the name of their node.
    """

    recording: xr.Dataset
    binning: Binning
    smoothing: float
    min_events: int
    alpha: float
    n_repeats: int
    min_information: float
    seed: int
    match: Match | None
    n_draws: int
    threshold: float
    tested: bool
    detects_maps: bool
    slopes: Literal["ar1", "ols"]
    null: AnyNull
    combine: Combine
    used: np.ndarray
    nodes: dict[str, xr.Dataset] = field(default_factory=dict)

    @property
    def has_frames(self) -> bool:
        """Whether any session has a frame that can be put on a map."""
        return bool(self.used.any())

    @functools.cached_property
    def has_rates(self) -> bool:
        """Whether nothing is below 0, of the maps or, where frames are tested, of the activity."""
        if not self.tested:
            return not bool((self.nodes["maps"]["rate"] < 0).any())
        if self.recording["activity"].attrs["kind"] in COUNT_KINDS:
            return True
        if not allows(self.recording, "information"):
            return False
        parts = (self.recording["activity"].isel(time=s) for s in slice_sessions(self.recording))
        return all(not bool((part < 0).any()) for part in parts)

    @property
    def can_be_tested(self) -> bool:
        """Whether place cells can be told, by information or by variance."""
        return self.has_rates or allows(self.recording, "variance_test")

    @property
    def has_position(self) -> bool:
        """Whether there are maps."""
        has_units = bool(self.recording.sizes["unit"])
        return "x" in self.recording and self.has_frames and has_units

    @functools.cached_property
    def split(self) -> Literal["trial", "lap", "block"]:
        """What cuts every session into halves."""
        return finest_split(self.recording)

    @functools.cached_property
    def halves(self) -> xr.Dataset:
        """Smoothed maps of both halves of each session."""
        return compute_half_maps(
            self.recording,
            binning=self.binning,
            smoothing=self.smoothing,
            split=self.split,
        )

    @functools.cached_property
    def plain_halves(self) -> xr.Dataset:
        """The same, not smoothed, so that every bin has noise of its own."""
        if self.recording["activity"].attrs["kind"] in LEVEL_KINDS:
            return compute_half_maps(self.recording, binning=self.binning, split=self.split)
        seconds = self.halves["occupancy"]
        return self.halves.assign(rate=self.halves["events"] / seconds.where(seconds > 0))

    @functools.cached_property
    def laps(self) -> xr.DataArray | None:
        """Number of the lap of each frame (time), or of the trial; None where there are none."""
        if "lap" in self.recording:
            return self.recording["lap"].astype(np.int64)
        if geometry_of(self.recording).has_laps:
            return number_laps(self.recording)["lap"].astype(np.int64)
        return self.recording["trial"].astype(np.int64) if "trial" in self.recording else None

    @property
    def noisy(self) -> bool:
        """Whether activity has noise, and so registration and maps can be checked."""
        return self.has_position and not self.noise_free

    @property
    def noise_free(self) -> bool:
        """Whether activity is a function of the input."""
        return bool(self.recording["activity"].attrs["kind"] == "activation")

    def found(self, name: str, variable: str) -> xr.DataArray | None:
        """A variable of a node, None where the node was left out."""
        return self.nodes[name][variable] if name in self.nodes else None
