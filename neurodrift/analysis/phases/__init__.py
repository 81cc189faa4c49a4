"""Phases of learning: fast learning, directed drift, null drift, their borders and the evidence."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "phases": ["describe_phases", "detect_phases"],
    },
)
