"""Arrays of other formats, read within bounds and without running anything."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "files": ["read_array"],
        "mat": ["list_mat", "read_mat"],
    },
)
