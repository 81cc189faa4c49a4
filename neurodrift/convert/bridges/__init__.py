"""Recordings from and to other libraries' objects in memory."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "pynapple": ["from_pynapple", "to_pynapple"],
        "movement": ["from_movement", "to_movement"],
        "checkpoints": ["recording_from_checkpoints"],
        "ratinabox": ["from_ratinabox"],
    },
)
