"""Synthetic recordings with known answers, for tests, examples and the demo."""

from __future__ import annotations

from neurodrift.testing.results import results_of
from neurodrift.testing.switching import several_maps
from neurodrift.testing.tracks import TRACK_LENGTH, linear_track, linear_track_truth

__all__ = ["TRACK_LENGTH", "linear_track", "linear_track_truth", "results_of", "several_maps"]
