"""Representational drift in recorded and simulated hippocampal populations, by one analysis.

The public names stand in ``__init__.pyi``. Each is loaded when it is used: importing neurodrift
loads nothing else.
"""

import lazy_loader

from neurodrift._version import __version__

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["__version__"]
