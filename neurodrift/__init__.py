"""Representational drift in recorded and simulated hippocampal populations, by one analysis."""

from __future__ import annotations

from neurodrift import schema, seeds, testing
from neurodrift.analysis.binning import Binning, bin_frames
from neurodrift.analysis.ratemaps import rate_maps, smooth_maps
from neurodrift.io.zarr import open_recording, open_results, save_recording, save_results
from neurodrift.joining import join_sessions
from neurodrift.recording import (
    recording_from_arrays,
    select_sessions,
    session_slices,
)

__version__ = "0.1.0"

__all__ = [
    "Binning",
    "bin_frames",
    "join_sessions",
    "open_recording",
    "open_results",
    "rate_maps",
    "recording_from_arrays",
    "save_recording",
    "save_results",
    "schema",
    "seeds",
    "select_sessions",
    "session_slices",
    "smooth_maps",
    "testing",
]
