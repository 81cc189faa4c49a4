"""Which units are place cells: tests against shuffles, and stability within a session.

The nulls (circular shifts, laps, blocks), their exact and sampled distributions, and what the tests
say of a unit.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "place_cells": ["detect_place_cells"],
        "stability": ["compare_criteria", "compute_map_stability"],
        "shuffles": ["compute_null_distribution", "empirical_p"],
    },
)
