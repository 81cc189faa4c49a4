"""Whether units change together, as one rotation and move of the code, or each on its own.

A rotation that is fitted to some bins explains the bins between them in any smooth code, also in
one that has nothing to do with the other. It is therefore fitted in one running direction and asked
of the other, or fitted to one step and asked of the next.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submod_attrs={"alignment": ["compute_alignment"]}
)
