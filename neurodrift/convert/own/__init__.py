"""A laboratory's own arrays to NWB: inspection, mapping, checks, sessions."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "inspection": ["inspect_file"],
        "arrays": ["mapped_sessions"],
        "sessions": ["nwb_session", "write_sessions"],
        "memory": ["recording_from_sessions"],
    },
)
