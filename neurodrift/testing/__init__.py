"""Synthetic recordings with known answers, for tests, examples and the demo."""

from __future__ import annotations

from neurodrift.testing.boxes import open_field, open_field_truth
from neurodrift.testing.results import results_of
from neurodrift.testing.switching import several_maps
from neurodrift.testing.tracks import TRACK_LENGTH, linear_track, linear_track_truth

__all__ = [
    "TRACK_LENGTH",
    "linear_track",
    "linear_track_truth",
    "open_field",
    "open_field_truth",
    "results_of",
    "results_of",
    "several_maps",
]
