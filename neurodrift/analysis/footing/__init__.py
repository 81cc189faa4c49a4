"""Sessions on an equal footing: as many events, as much time, as much time in every bin.

What a session measures depends on how much was recorded. Before a trend over sessions is believed,
look here at the same trend with that taken away.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "matching": ["match_sessions"],
        "measures": ["compute_matched_measures"],
    },
)
