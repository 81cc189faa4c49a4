"""Trends over sessions: tables of sessions and pairs, slopes with intervals.

Least squares, mixed models and slopes of each subject.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "regression": ["regress", "regress_each"],
        "tables": ["pool_sessions", "tabulate_drift", "tabulate_sessions"],
    },
)
