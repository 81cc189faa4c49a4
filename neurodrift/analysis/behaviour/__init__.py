"""Whether what changed is the code or what the animal did.

Sessions differ in how fast the animal ran and where it spent its time. Distances of behaviour lie
on the same pairs of sessions as drift, so that one model can hold both.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "distance": ["compute_behaviour_distance"],
        "explain": ["explain_drift"],
        "sentences": ["describe_behaviour"],
        "tuning": ["compute_tuning_change"],
    },
)
