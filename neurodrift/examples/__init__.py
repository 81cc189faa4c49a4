"""Recordings to try everything on: synthetic ones whose truth is known, and public data sets."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "load": ["EXAMPLES", "load_example"],
        "synthetic": ["MOUSE", "make_cohort", "make_mouse"],
        "network": ["read_network", "write_network"],
        "rules": ["read_prior", "write_prior"],
    },
)
