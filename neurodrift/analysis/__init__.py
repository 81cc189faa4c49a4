"""Recordings to statistics: one room an idea, and `analyze`, which runs them all.

Nothing here knows whether an animal or a network made the recording. Functions take labelled arrays
and give labelled arrays.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "nodes": ["NODES", "Node"],
    },
)
