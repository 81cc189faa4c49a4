"""Readers of what other pipelines leave: segmentation, sorting, tracking, registration.

A reader reads; whether what it read is plausible is decided elsewhere. A new one is a file and a
line in :data:`neurodrift.convert.pipelines.readers.READERS`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "readers": ["READERS", "reader"],
        "registration": ["Registration"],
    },
)
