"""Figures from labelled arrays; what is drawn was computed elsewhere."""

from __future__ import annotations

from neurodrift.plotting._style import ACCENT, INK
from neurodrift.plotting.maps import plot_drift_matrix, plot_rate_maps
from neurodrift.plotting.series import plot_decay, plot_session_series

__all__ = [
    "ACCENT",
    "INK",
    "plot_decay",
    "plot_drift_matrix",
    "plot_rate_maps",
    "plot_session_series",
]
