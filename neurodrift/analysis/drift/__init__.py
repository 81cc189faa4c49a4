"""How a representation changes between sessions, and how much of that is noise.

Everything here compares two sessions of the same units, and has the dimensions ``session_a`` and
``session_b``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "drift": ["compute_drift"],
        "attenuation": ["compute_relative_overlap"],
        "ceiling": ["compute_half_maps", "compute_session_drift"],
        "representation": ["compute_representation_stability"],
        "remapping": ["compute_remapping"],
        "latent": ["compute_latent_activity", "compute_latent_trajectories", "fit_latent_space"],
    },
)
