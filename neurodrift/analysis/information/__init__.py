"""How much activity tells about position: estimates, their sampling bias and its correction.

Spatial and mutual information of every unit, the subsampled curves that SSR and BAE are fitted to,
and the units whose information is above a threshold.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "cross_fitted": ["compute_cross_fitted_information"],
        "estimates": [
            "compute_mutual_information",
            "compute_spatial_information",
            "compute_spatial_information_from_maps",
            "detect_informative_units",
        ],
    },
)
