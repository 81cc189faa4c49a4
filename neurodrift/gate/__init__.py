"""The gate: checks that whatever comes in passes before it is written or returned.

A reader reads; whether clocks, positions and activity are plausible is decided here, once, for
every way in. A finding has a name, the numbers behind it and what to do; it stops the import, warns
or is noted, and ``accept`` takes one back by its name.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "activities": ["activity_findings"],
        "clocks": ["clock_findings", "overlap_findings"],
        "findings": ["Finding", "GateWarning", "add_findings", "settle"],
        "recordings": ["admit"],
        "identities": ["identity_findings"],
        "inputs": ["Activity", "Position", "clock"],
        "positions": ["position_findings"],
        "starts": ["days_since_first", "session_overlap_findings"],
        "trials": ["trial_findings"],
    },
)
