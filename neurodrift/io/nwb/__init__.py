"""NWB: find what a file holds, read it as a recording, write sessions and results."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "inspect": ["inspect_nwb"],
        "read": ["import_nwb", "read_session"],
        "write": ["write_session"],
        "store": ["import_to_store"],
        "session": ["NwbSession", "session_from_recording"],
        "results": ["export_results", "result_tables"],
    },
)
