"""When maps change: within a session, overnight, by day, or at an intervention.

The same similarity without noise is taken between parts of one session and between sessions, so
that minutes and days stand on one axis.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "within": ["compute_within_drift"],
        "intervention": ["compare_around"],
        "sentences": ["describe_within_drift"],
    },
)
