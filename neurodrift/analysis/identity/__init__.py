"""Whether units and maps are what they are called: registration, several maps, quality.

Look here before a change between sessions is called drift.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "registration": ["check_registration"],
        "quality": ["count_units"],
        "sensitivity": ["compute_identity_sensitivity"],
        "map_switches": ["detect_maps", "label_maps"],
    },
)
