"""Representational drift in recorded and simulated hippocampal populations, by one analysis."""

from __future__ import annotations

from neurodrift import schema, seeds, testing
from neurodrift.analysis.comparison.compare import compare
from neurodrift.analysis.drift.ceiling import half_maps, session_drift
from neurodrift.analysis.drift.drift import drift
from neurodrift.analysis.drift.latent import fit_latent_space, latent_activity, latent_trajectories
from neurodrift.analysis.drift.remapping import remapping
from neurodrift.analysis.drift.representation import representation_stability
from neurodrift.analysis.identity.map_switches import detect_maps, label_maps
from neurodrift.analysis.identity.quality import unit_counts
from neurodrift.analysis.identity.registration import check_registration
from neurodrift.analysis.information.estimates import (
    informative_units,
    mutual_information,
    spatial_information,
    spatial_information_from_maps,
)
from neurodrift.analysis.maps.binning import Binning, bin_frames
from neurodrift.analysis.maps.place_fields import place_fields
from neurodrift.analysis.maps.rate_maps import order_by_peak, rate_maps, smooth_maps
from neurodrift.analysis.maps.sparsity import sparsity
from neurodrift.analysis.maps.trials import trial_averages
from neurodrift.analysis.phases.phases import phases, phases_text
from neurodrift.analysis.pipeline import analyze, summary
from neurodrift.analysis.place_cells.place_cells import place_cells
from neurodrift.analysis.place_cells.stability import criteria_agreement, map_stability
from neurodrift.analysis.regression.regression import regress
from neurodrift.analysis.regression.tables import drift_table, pool_sessions, session_table
from neurodrift.convert.bridges.movement import from_movement, to_movement
from neurodrift.convert.bridges.pynapple import from_pynapple, to_pynapple
from neurodrift.convert.bridges.ratinabox import from_ratinabox
from neurodrift.io.nwb.read import import_nwb
from neurodrift.io.nwb.results import export_results
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
