"""Representational drift in recorded and simulated hippocampal populations, by one analysis."""

from __future__ import annotations

from neurodrift import schema, seeds, testing
from neurodrift.analysis.binning import Binning, bin_frames
from neurodrift.analysis.ceiling import half_maps, session_drift
from neurodrift.analysis.compare import compare
from neurodrift.analysis.drift import drift
from neurodrift.analysis.fields import place_fields
from neurodrift.analysis.information import (
    mutual_information,
    spatial_information,
    spatial_information_from_maps,
)
from neurodrift.analysis.informative import informative_units
from neurodrift.analysis.latent import fit_latent_space, latent_activity, latent_trajectories
from neurodrift.analysis.map_switches import detect_maps, label_maps
from neurodrift.analysis.phases import phases, phases_text
from neurodrift.analysis.pipeline import analyze, summary
from neurodrift.analysis.placecells import place_cells
from neurodrift.analysis.pooling import pool_sessions
from neurodrift.analysis.quality import unit_counts
from neurodrift.analysis.ratemaps import order_by_peak, rate_maps, smooth_maps
from neurodrift.analysis.registration import check_registration
from neurodrift.analysis.regression import regress
from neurodrift.analysis.remapping import remapping
from neurodrift.analysis.representation import representation_stability
from neurodrift.analysis.sparsity import sparsity
from neurodrift.analysis.stability import criteria_agreement, map_stability
from neurodrift.analysis.tables import drift_table, session_table
from neurodrift.analysis.trials import trial_averages
from neurodrift.convert.movement import from_movement, to_movement
from neurodrift.convert.pynapple import from_pynapple, to_pynapple
from neurodrift.convert.ratinabox import from_ratinabox
from neurodrift.io.nwb import import_nwb
from neurodrift.io.nwb_results import export_results
from neurodrift.io.zarr import open_recording, open_results, save_recording, save_results
from neurodrift.joining import join_sessions
from neurodrift.recording import recording_from_arrays, select_sessions, session_slices
from neurodrift.report import write_report

__version__ = "0.1.0"

__all__ = [
    "Binning",
    "analyze",
    "bin_frames",
    "check_registration",
    "compare",
    "criteria_agreement",
    "detect_maps",
    "drift",
    "drift_table",
    "fit_latent_space",
    "from_movement",
    "from_pynapple",
    "from_ratinabox",
    "export_results",
    "half_maps",
    "import_nwb",
    "informative_units",
    "join_sessions",
    "label_maps",
    "latent_activity",
    "latent_trajectories",
    "map_stability",
    "mutual_information",
    "open_recording",
    "open_results",
    "order_by_peak",
    "phases",
    "phases_text",
    "place_cells",
    "place_fields",
    "pool_sessions",
    "rate_maps",
    "recording_from_arrays",
    "regress",
    "remapping",
    "representation_stability",
    "save_recording",
    "save_results",
    "schema",
    "seeds",
    "select_sessions",
    "session_drift",
    "session_slices",
    "session_table",
    "smooth_maps",
    "sparsity",
    "spatial_information",
    "spatial_information_from_maps",
    "summary",
    "testing",
    "to_movement",
    "to_pynapple",
    "trial_averages",
    "unit_counts",
    "write_report",
]
