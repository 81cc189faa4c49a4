"""Maps of activity over position: bins, rate maps, place fields, sparsity, trials.

What a unit does where, before anything is asked about significance or change.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "binning": ["Binning", "as_binning", "bin_frames"],
        "rate_maps": ["compute_rate_maps", "order_by_peak"],
        "smoothing": ["smooth_maps"],
        "place_fields": ["detect_place_fields"],
        "sparsity": ["compute_sparsity"],
        "trials": ["compute_trial_averages"],
        "zones": ["compute_time_in_zones"],
    },
)
