"""Figures from labelled arrays; what is drawn was computed elsewhere."""

from __future__ import annotations

from neurodrift.plotting._style import ACCENT, INK, MARKERS, PALETTE
from neurodrift.plotting.comparison import (
    plot_lag_beside,
    plot_series_beside,
    plot_slopes,
    plot_statements,
)
from neurodrift.plotting.decoding import plot_decoding_errors
from neurodrift.plotting.latent import plot_stability, plot_trajectories, plot_trajectory_row
from neurodrift.plotting.maps import plot_drift_matrix, plot_rate_maps, plot_sorted_maps
from neurodrift.plotting.open_field import plot_box_maps, plot_map_labels
from neurodrift.plotting.relations import plot_relations
from neurodrift.plotting.series import (
    plot_decay,
    plot_intervals,
    plot_normalized,
    plot_session_series,
)
from neurodrift.plotting.survival import plot_shares, plot_still
from neurodrift.plotting.tracks import plot_track_maps
from neurodrift.plotting.training import (
    plot_curves,
    plot_eigenvalues,
    plot_landscape,
    plot_points,
    plot_runs,
)
from neurodrift.plotting.within import plot_minutes_and_days

__all__ = [
    "plot_relations",
    "ACCENT",
    "INK",
    "MARKERS",
    "PALETTE",
    "plot_box_maps",
    "plot_curves",
    "plot_decay",
    "plot_decoding_errors",
    "plot_minutes_and_days",
    "plot_drift_matrix",
    "plot_eigenvalues",
    "plot_intervals",
    "plot_lag_beside",
    "plot_landscape",
    "plot_map_labels",
    "plot_normalized",
    "plot_points",
    "plot_rate_maps",
    "plot_runs",
    "plot_series_beside",
    "plot_session_series",
    "plot_shares",
    "plot_slopes",
    "plot_sorted_maps",
    "plot_stability",
    "plot_statements",
    "plot_still",
    "plot_track_maps",
    "plot_trajectories",
    "plot_trajectory_row",
]
